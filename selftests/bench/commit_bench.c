// SPDX-License-Identifier: GPL-2.0
/*
 * One number after the other from a group: usage: commit_bench NAME NETNS
 */
#include <sys/ioctl.h>
#include <linux/vrseq.h>

#include "bench.h"

static int fd;

static void round_trip(void)
{
	struct vrseq_next next = { .count = 1 };

	if (ioctl(fd, VRSEQ_IOC_NEXT, &next))
		die("NEXT: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: commit_bench NAME NETNS");
	enter_netns(argv[2]);
	fd = open("/dev/vrseq", O_RDWR);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	bench_run(argv[1], round_trip);
	return 0;
}
