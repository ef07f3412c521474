// SPDX-License-Identifier: GPL-2.0
/*
 * One operation after the other of a group, by one process or by several at the same time.
 * usage: commit_bench NAME NETNS [GROUP [CALLERS [OPERATION]]]
 *
 * With CALLERS and no OPERATION, NEXT by as many, one is many enough; else one after the other.
 * OPERATION: next COUNT numbers at once (next, next:64), append:BYTES, get:log, get:index,
 * get:lease, get:local, barrier.
 */
#include "callers.h"
#include "device.h"

static int fd;
static const char *group;
static unsigned long request;
static uint64_t count = 1;
static uint32_t mode;
static char message[8192];

static void round_trip(void)
{
	union {
		struct vrseq_next next;
		struct vrseq_append append;
		struct vrseq_get get;
		struct vrseq_barrier barrier;
	} op = { 0 };

	if (request == VRSEQ_IOC_NEXT) {
		op.next.count = count;
	} else if (request == VRSEQ_IOC_APPEND) {
		op.append.data = (unsigned long)message;
		op.append.bytes = count;
	} else if (request == VRSEQ_IOC_GET) {
		op.get.mode = mode;
	}
	if (ioctl(fd, request, &op))
		die("operation: %s", strerror(errno));
}

static void choose(const char *operation)
{
	static const char *const modes[] = { "log", "index", "lease", "local" };
	const char *argument = strchr(operation, ':');
	size_t i;

	argument = argument ? argument + 1 : "";
	if (*argument)
		count = strtoull(argument, NULL, 10);
	if (!strncmp(operation, "next", 4))
		request = VRSEQ_IOC_NEXT;
	else if (!strncmp(operation, "append", 6) && count <= sizeof(message))
		request = VRSEQ_IOC_APPEND;
	else if (!strcmp(operation, "barrier"))
		request = VRSEQ_IOC_BARRIER;
	for (i = 0; !strncmp(operation, "get", 3) && i < sizeof(modes) / sizeof(*modes); i++) {
		if (!strcmp(argument, modes[i])) {
			request = VRSEQ_IOC_GET;
			mode = i;
		}
	}
	if (!request)
		die("no operation %s", operation);
}

static void attach(void *unused)
{
	(void)unused;
	fd = bench_attach(group);
}

int main(int argc, char **argv)
{
	int callers = argc > 4 ? atoi(argv[4]) : 1;

	if (argc < 3 || argc > 6 || callers < 1)
		die("usage: commit_bench NAME NETNS [GROUP [CALLERS [OPERATION]]]");
	group = argc > 3 ? argv[3] : "";
	choose(argc > 5 ? argv[5] : "next");
	enter_netns(argv[2]);
	if (callers > 1 || argc == 5) {
		bench_callers(argv[1], callers, attach, NULL, round_trip);
		return 0;
	}
	attach(NULL);
	bench_run(argv[1], round_trip);
	return 0;
}
