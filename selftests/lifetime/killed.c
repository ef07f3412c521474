// SPDX-License-Identifier: GPL-2.0
/*
 * usage: killed NETNS
 *
 * SIGKILL gets a process out of each call that waits, at once. The member has no quorum and will
 * not say so soon; for some calls another process has the lock that they want, and waits itself
 * for a page of memory that nobody gives it.
 */
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../chardev/dev.h"
#include "../lib/testlib.h"
#include "../lib/uring.h"

/* Whoever is not let out stays for minutes. */
#define OUT_MS 5000

static int fd;
static char buffer[1 << 16];

/* ---- what waits for the group --------------------------------------------------------------- */

static void next(void)
{
	struct vrseq_next a;

	dev_next(fd, "", 1, &a);
}

static void get_log(void)
{
	struct vrseq_get a;

	dev_read_counter(fd, "", VRSEQ_READ_LOG, &a);
}

static void get_index(void)
{
	struct vrseq_get a;

	dev_read_counter(fd, "", VRSEQ_READ_INDEX, &a);
}

static void append(void)
{
	struct vrseq_append a;

	dev_append(fd, buffer, 4000, &a);
}

static void do_write(void)
{
	dev_write(fd, buffer, 4000);
}

static void do_read(void)
{
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_NEXT };

	if (!dev_ioctl(fd, VRSEQ_IOC_SEEK, &seek))
		dev_read(fd, buffer, sizeof(buffer));
}

static void do_poll(void)
{
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_NEXT };
	struct pollfd at = { .fd = fd, .events = POLLIN };

	if (!dev_ioctl(fd, VRSEQ_IOC_SEEK, &seek))
		poll(&at, 1, -1);
}

static void barrier(void)
{
	struct vrseq_barrier a = { .sequence = 0 };

	dev_ioctl(fd, VRSEQ_IOC_BARRIER, &a);
}

static void do_fsync(void)
{
	fsync(fd);
}

static void ring_wait(void)
{
	struct vrseq_ring_wait a = { .position = 0 };
	const struct vrseq_ring_header *header;
	struct vrseq_info info;

	if (dev_ioctl(fd, VRSEQ_IOC_INFO, &info))
		return;
	header = mmap(NULL, info.ring_bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		return;
	a.position = header->head;
	dev_ioctl(fd, VRSEQ_IOC_RING_WAIT, &a);
}

/* An operation of which nobody knows whether it was applied has to be settled by the group. */
static void result(void)
{
	struct vrseq_next a = { .count = 1, .hdr.deadline_ns = dev_now_ns() + 50 * MS };
	struct vrseq_op_result b;

	if (dev_ioctl(fd, VRSEQ_IOC_NEXT, &a) == -ETIMEDOUT)
		dev_result(fd, a.hdr.op_id, &b);
	/* Under way, it is left alone. */
	next();
}

static void in_uring(void)
{
	static struct vrseq_next a = { .count = 1 };
	struct uring ring;

	if (uring_open(&ring, 4, 0))
		return;
	uring_command(&ring, fd, VRSEQ_IOC_NEXT, &a, 1);
	uring_enter(&ring, 1);
}

/* With operations under way that nobody waits for any more. */
static void closing(void)
{
	struct vrseq_next a;

	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	dev_next(fd, "", 1, &a);
	pause();
}

/* ---- what waits for somebody who has a lock -------------------------------------------------- */

/* Memory that is not there, and who asks for it waits. */
static void *nowhere(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	void *at = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	range.range.start = (unsigned long)at;
	range.range.len = 1 << 16;
	if (uffd < 0 || at == MAP_FAILED || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &range))
		die("userfaultfd: %s", strerror(errno));
	return at;
}

/* All of the log is read into it: this one has the lock of the file's reader. */
static void read_nowhere(void)
{
	/* With a topic, for which poll() has to look closer. */
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_OLDEST, .topic = 0, .topic_mask = 1 };
	void *at = nowhere();

	if (!dev_ioctl(fd, VRSEQ_IOC_SEEK, &seek))
		dev_read(fd, at, 1 << 16);
}

/* A message is to come from it: this one has the lock of the file's commands. */
static void append_nowhere(void)
{
	static struct vrseq_append a = { .bytes = 4000 };
	struct uring ring;

	a.data = (unsigned long)nowhere();
	if (uring_open(&ring, 4, 0))
		return;
	uring_command(&ring, fd, VRSEQ_IOC_APPEND, &a, 1);
	uring_enter(&ring, 1);
}

static void poll_reader(void)
{
	struct pollfd at = { .fd = fd, .events = POLLIN };

	poll(&at, 1, -1);
}

static void status_of_reader(void)
{
	struct vrseq_status a;

	dev_ioctl(fd, VRSEQ_IOC_STATUS, &a);
}

static void read_reader(void)
{
	dev_read(fd, buffer, sizeof(buffer));
}

static void seek_reader(void)
{
	lseek(fd, 0, SEEK_CUR);
}

static void append_in_uring(void)
{
	static struct vrseq_append a = { .bytes = 4000 };
	struct uring ring;

	a.data = (unsigned long)buffer;
	if (uring_open(&ring, 4, 0))
		return;
	uring_command(&ring, fd, VRSEQ_IOC_APPEND, &a, 1);
	uring_enter(&ring, 1);
}

/* ---- killing --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*wait)(void);
	void (*holder)(void);
} calls[] = {
	{ "NEXT", next, NULL },
	{ "GET of the log", get_log, NULL },
	{ "GET of the index", get_index, NULL },
	{ "APPEND", append, NULL },
	{ "write", do_write, NULL },
	{ "read", do_read, NULL },
	{ "poll", do_poll, NULL },
	{ "BARRIER", barrier, NULL },
	{ "fsync", do_fsync, NULL },
	{ "RING_WAIT", ring_wait, NULL },
	{ "RESULT", result, NULL },
	{ "io_uring", in_uring, NULL },
	{ "close", closing, NULL },
	{ "poll behind a reader", poll_reader, read_nowhere },
	{ "STATUS behind a reader", status_of_reader, read_nowhere },
	{ "read behind a reader", read_reader, read_nowhere },
	{ "lseek behind a reader", seek_reader, read_nowhere },
	{ "io_uring behind another", append_in_uring, append_nowhere },
};

static pid_t begin(void (*call)(void))
{
	pid_t child = fork();

	if (child)
		return child;
	call();
	_exit(0);
}

/* Milliseconds until it is gone; -1: it had ended by itself; -2: it is not gone. */
static long out(pid_t child)
{
	__u64 start = dev_now_ns(), spent;
	int status;

	kill(child, SIGKILL);
	do {
		spent = (dev_now_ns() - start) / MS;
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFSIGNALED(status) ? (long)spent : -1;
		usleep(1000);
	} while (spent < 2 * OUT_MS);
	return -2;
}

int main(int argc, char **argv)
{
	unsigned int i, failed = 0;
	long ms, holder_ms;
	pid_t holder, child;

	if (argc != 2)
		die("usage: killed NETNS");
	enter_netns(argv[1]);
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		fd = dev_open(O_RDWR);
		if (fd < 0 || dev_attach(fd, "t"))
			die("/dev/vrseq: %s", strerror(errno));
		holder = calls[i].holder ? begin(calls[i].holder) : 0;
		usleep(holder ? 300000 : 0);
		child = begin(calls[i].wait);
		/* Nobody but they has the file. */
		close(fd);
		usleep(300000);
		ms = out(child);
		holder_ms = holder ? out(holder) : 0;
		printf("%s: out after %ld ms\n", calls[i].name, ms);
		if (ms < 0 || ms > OUT_MS || holder_ms < 0 || holder_ms > OUT_MS) {
			printf("%s: %s; who had the lock: %ld ms\n", calls[i].name,
			       ms == -1 ? "did not wait" : "not out", holder_ms);
			failed++;
		}
	}
	return failed ? 1 : 0;
}
