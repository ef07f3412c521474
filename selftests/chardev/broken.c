// SPDX-License-Identifier: GPL-2.0
/*
 * One operation on a group in trouble: usage: broken ERRNO OUTCOME [READ]
 *
 * Expects that NEXT, GET and APPEND all fail so, within 10 s; with READ, that
 * read() and STATUS do, too. OUTCOME is no, unknown or either. Run by a script that has
 * caused the trouble. With $OPEN_IN it opens the device in that namespace and
 * leaves it again; with $TROUBLE it attaches first and then runs that command.
 */
#include "../lib/testlib.h"
#include "dev.h"

static int failures;

static void check(const char *what, int got, int error, const struct vrseq_op_hdr *hdr,
		  const char *outcome)
{
	bool fits = !hdr || !strcmp(outcome, "either") ||
		    (!strcmp(outcome, "no") && hdr->outcome == VRSEQ_OUTCOME_NOT_APPLIED) ||
		    (!strcmp(outcome, "unknown") && hdr->outcome == VRSEQ_OUTCOME_UNKNOWN);

	if (hdr && hdr->outcome == VRSEQ_OUTCOME_APPLIED)
		fits = false;
	dev_provoked(got, error);
	printf("%s: %s, outcome %d\n", what, got ? strerrorname_np(-got) : "no error",
	       hdr ? hdr->outcome : -1);
	if (got != -error || !fits) {
		printf("%s: expected %s, outcome %s\n", what, strerrorname_np(error), outcome);
		failures++;
	}
}

static int error_of(const char *name)
{
	int error;

	for (error = 1; error < 4096; error++)
		if (strerrorname_np(error) && !strcmp(strerrorname_np(error), name))
			return error;
	die("no errno %s", name);
}

int main(int argc, char **argv)
{
	struct vrseq_next next = { .count = 1, .counter = "broken" };
	struct vrseq_get get = { .counter = "broken" };
	struct vrseq_append append = { .data = (unsigned long)"x", .bytes = 1 };
	unsigned char buffer[1 << 16];
	struct vrseq_status status;
	const char *trouble = getenv("TROUBLE"), *netns = getenv("OPEN_IN");
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd, error;

	if (argc < 3)
		die("usage: broken ERRNO OUTCOME [read]");
	error = error_of(argv[1]);
	if (netns)
		enter_netns(netns);
	fd = dev_open(O_RDWR);
	if (fd < 0 || setns(home, CLONE_NEWNET))
		die("/dev/vrseq: %s", strerror(errno));
	if (trouble && (dev_attach(fd, "t") || system(trouble)))
		die("cannot make trouble");
	next.hdr.deadline_ns = dev_now_ns() + 10000 * MS;
	check("NEXT", dev_ioctl(fd, VRSEQ_IOC_NEXT, &next), error, &next.hdr, argv[2]);
	get.hdr.deadline_ns = dev_now_ns() + 10000 * MS;
	check("GET", dev_ioctl(fd, VRSEQ_IOC_GET, &get), error, &get.hdr, argv[2]);
	get = (struct vrseq_get){ .counter = "broken", .mode = VRSEQ_READ_INDEX };
	get.hdr.deadline_ns = dev_now_ns() + 10000 * MS;
	check("GET INDEX", dev_ioctl(fd, VRSEQ_IOC_GET, &get), error, &get.hdr, "no");
	append.hdr.deadline_ns = dev_now_ns() + 10000 * MS;
	check("APPEND", dev_ioctl(fd, VRSEQ_IOC_APPEND, &append), error, &append.hdr, argv[2]);
	check("write", dev_write(fd, "x", 1), error, NULL, NULL);
	if (argc > 3) {
		check("read", dev_read(fd, buffer, sizeof(buffer)), error, NULL, NULL);
		check("STATUS", dev_ioctl(fd, VRSEQ_IOC_STATUS, &status), error, NULL, NULL);
		if (!(dev_poll(fd, 0) & (POLLERR | POLLHUP))) {
			printf("poll: %#x\n", dev_poll(fd, 0));
			failures++;
		}
	} else if (!dev_ioctl(fd, VRSEQ_IOC_STATUS, &status)) {
		printf("state %u: %s\n", status.state, status.text);
	}
	return failures ? 1 : 0;
}
