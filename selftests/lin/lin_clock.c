// SPDX-License-Identifier: GPL-2.0
/*
 * The one clock of several machines: writes the time into the first eight bytes
 * of a file that they all map, until it is killed. usage: lin_clock FILE
 *
 * A reader may find it late, and then two things look as if they had happened at
 * once. It never finds it earlier than anybody did before.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../lib/testlib.h"
#include "lin_file.h"

#define STEP_NS 300000

int main(int argc, char **argv)
{
	const struct timespec step = { .tv_nsec = STEP_NS };
	uint64_t *clock;
	int fd;

	if (argc != 2)
		die("usage: lin_clock FILE");
	fd = open(argv[1], O_RDWR | O_CLOEXEC);
	clock = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd < 0 || clock == MAP_FAILED)
		die("%s: cannot map", argv[1]);
	__atomic_store_n(clock, lin_now_ns(), __ATOMIC_SEQ_CST);
	puts("ready");
	fflush(stdout);
	for (;;) {
		nanosleep(&step, NULL);
		__atomic_store_n(clock, lin_now_ns(), __ATOMIC_SEQ_CST);
	}
}
