// SPDX-License-Identifier: GPL-2.0
/*
 * What a commit takes, or the echo of a datagram over loopback, where no system call is counted:
 * native_loop.c makes many of them in one.
 * usage: native_bench NAME NETNS [GROUP]; without GROUP the echo
 *
 * Prints "NAME p50 p90 p99 max", and "NAME-least least", which is what others who use the processor
 * disturb least.
 */
#include "device.h"
#include "native.h"

#define BATCHES	200
#define BATCH	2000

static struct vrseq_next next = { .count = 1 };
static struct native_run run = { .next = (unsigned long)&next, .count = BATCH };
static unsigned long request = NATIVE_ECHOES;
static int loop;

static void batch(void)
{
	if (ioctl(loop, request, &run))
		die("native_loop: %s", strerror(errno));
}

int main(int argc, char **argv)
{
	uint64_t least;

	if (argc != 3 && argc != 4)
		die("usage: native_bench NAME NETNS [GROUP]");
	enter_netns(argv[2]);
	loop = open("/dev/native_loop", O_RDWR);
	if (loop < 0)
		die("/dev/native_loop: %s", strerror(errno));
	if (argc == 4) {
		run.fd = bench_attach(argv[3]);
		request = NATIVE_COMMITS;
	}
	least = bench_run_rounds(argv[1], batch, BATCHES, BATCH);
	printf("%s-least %llu\n", argv[1], (unsigned long long)least);
	return 0;
}
