// SPDX-License-Identifier: GPL-2.0
/*
 * One operation after the other at one member, each until it is done, and when: a line
 * "BEGIN_NS TOOK_NS" each, CLOCK_MONOTONIC. The first one has the session's begin in it. Knows what
 * is asked, and not how long it should take.
 *
 *	op_times [-n NETNS] [-g GROUP] [-k KIND] [-N COUNT] [-p US]
 *
 * KIND: next, append, log, index, lease, local (ways to read). US: pause after each.
 */
#include <inttypes.h>
#include <sys/ioctl.h>
#include <time.h>
#include <linux/vrseq.h>

#include "../lib/testlib.h"

static const struct {
	const char *name;
	unsigned long command;
	uint32_t mode;
} kinds[] = {
	{ "next", VRSEQ_IOC_NEXT, 0 },
	{ "append", VRSEQ_IOC_APPEND, 0 },
	{ "log", VRSEQ_IOC_GET, VRSEQ_READ_LOG },
	{ "index", VRSEQ_IOC_GET, VRSEQ_READ_INDEX },
	{ "lease", VRSEQ_IOC_GET, VRSEQ_READ_LEASE },
	{ "local", VRSEQ_IOC_GET, VRSEQ_READ_LOCAL },
};

union request {
	struct vrseq_op_hdr hdr;
	struct vrseq_next next;
	struct vrseq_get get;
	struct vrseq_append append;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void operate(int fd, size_t kind)
{
	static const char message[] = "one message";
	union request request = { 0 };
	uint64_t begin_ns;

	switch (kinds[kind].command) {
	case VRSEQ_IOC_NEXT:
		request.next.count = 1;
		break;
	case VRSEQ_IOC_APPEND:
		request.append.data = (uintptr_t)message;
		request.append.bytes = sizeof(message);
		break;
	default:
		request.get.mode = kinds[kind].mode;
	}
	begin_ns = now_ns();
	while (ioctl(fd, kinds[kind].command, &request)) {
		if (errno != EHOSTUNREACH && errno != EINTR)
			die("%s: %s", kinds[kind].name, strerror(errno));
		/* Not at once: it may be refused without any time passing. */
		usleep(1000);
	}
	printf("%" PRIu64 " %" PRIu64 "\n", begin_ns, now_ns() - begin_ns);
}

static size_t kind_of(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	die("no kind %s", name);
}

int main(int argc, char **argv)
{
	struct vrseq_attach attach = { 0 };
	uint64_t count = UINT64_MAX, pause_us = 0;
	size_t kind = 0;
	int option, fd;

	while ((option = getopt(argc, argv, "n:g:k:N:p:")) != -1) {
		switch (option) {
		case 'n':
			enter_netns(optarg);
			break;
		case 'g':
			strncpy(attach.group, optarg, sizeof(attach.group) - 1);
			break;
		case 'k':
			kind = kind_of(optarg);
			break;
		case 'N':
			count = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			pause_us = strtoull(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	fd = open("/dev/vrseq", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	if (ioctl(fd, VRSEQ_IOC_ATTACH, &attach))
		die("ATTACH: %s", strerror(errno));
	while (count--) {
		operate(fd, kind);
		if (pause_us)
			usleep(pause_us);
	}
	return 0;
}
