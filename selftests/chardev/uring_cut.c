// SPDX-License-Identifier: GPL-2.0
/*
 * usage: uring_cut {wait|close|kill|gone}
 *
 * A window of commands of io_uring under way at the member in namespace $OPEN_IN,
 * whose quorum $TROUBLE takes away, and then: wait for them; close the ring and the
 * file; be killed; or have $GONE take the namespace away, and be told. The script
 * looks whether anything is left behind.
 */
#include <sys/wait.h>

#include "../lib/testlib.h"
#include "../lib/uring.h"
#include "dev.h"

#define WINDOW 16

static struct vrseq_next nexts[WINDOW];
static struct uring ring;
static int fd;

static void begin(const char *trouble)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), i;
	struct vrseq_next first;

	enter_netns(getenv("OPEN_IN"));
	fd = dev_open(O_RDWR);
	if (fd < 0 || setns(home, CLONE_NEWNET) || dev_next(fd, "", 1, &first))
		die("/dev/vrseq: %s", strerror(errno));
	if (uring_open(&ring, WINDOW, 0))
		die("no io_uring: %s", strerror(errno));
	if (system(trouble))
		die("cannot make trouble");
	for (i = 0; i < WINDOW; i++) {
		nexts[i].count = 1;
		uring_command(&ring, fd, VRSEQ_IOC_NEXT, &nexts[i], i);
	}
	if (uring_enter(&ring, 0))
		die("io_uring_enter: %s", strerror(errno));
	if (uring_peek(&ring))
		die("not under way: %s", strerror(-uring_peek(&ring)->res));
}

/* All of them end, with this errno, and nobody knows how. */
static void reap(int error)
{
	__u64 before = dev_now_ns();
	int i;

	for (i = 0; i < WINDOW; i++) {
		if (uring_enter(&ring, 1))
			die("io_uring_enter: %s", strerror(errno));
		if (uring_peek(&ring)->res != -error)
			die("command %d: %s", i, strerror(-uring_peek(&ring)->res));
		uring_seen(&ring);
	}
	for (i = 0; i < WINDOW; i++)
		if (nexts[i].hdr.outcome != VRSEQ_OUTCOME_UNKNOWN ||
		    nexts[i].hdr.op_id != i + 2)
			die("command %d: outcome %u, op_id %llu", i, nexts[i].hdr.outcome,
			    nexts[i].hdr.op_id);
	printf("ended after %llu ms\n", (dev_now_ns() - before) / MS);
}

int main(int argc, char **argv)
{
	const char *trouble = getenv("TROUBLE");
	struct vrseq_op_result result;
	int status;
	pid_t child;

	if (argc != 2)
		die("usage: uring_cut {wait|close|kill|gone}");
	if (!strcmp(argv[1], "wait")) {
		begin(trouble);
		reap(EHOSTUNREACH);
	} else if (!strcmp(argv[1], "close")) {
		begin(trouble);
		close(ring.fd);
		/* That did not wait for the operations. */
		if (dev_result(fd, 2, &result) || result.hdr.outcome || result.error)
			die("not under way any more");
		close(fd);
	} else if (!strcmp(argv[1], "gone")) {
		begin(trouble);
		if (system(getenv("GONE")))
			die("the namespace stays");
		reap(ENETDOWN);
	} else {
		child = fork();
		if (!child) {
			begin(trouble);
			kill(getpid(), SIGKILL);
		}
		waitpid(child, &status, 0);
		if (!WIFSIGNALED(status))
			die("the child ended with %#x", status);
	}
	return 0;
}
