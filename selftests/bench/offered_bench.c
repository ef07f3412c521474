// SPDX-License-Identifier: GPL-2.0
/*
 * How long a number takes from when it is wanted, where callers come whenever they like and do
 * not wait for each other: an open loop. They come at random, a given number each second on
 * average, and whoever of CALLERS processes is free asks for the one that came first.
 * usage: offered_bench NAME NETNS GROUP RATE
 * Prints "NAME-p50 ns" and "NAME-p99 ns". The same callers come at the same times in each run.
 */
#include <math.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "callers.h"
#include "device.h"

#define CALLERS		64
#define ARRIVALS	2000
#define FIRST_NS	20000000ull	/* from the start: all are asleep by then */

/* What all callers share. */
static struct {
	uint64_t wanted[ARRIVALS];	/* from the start, in order */
	uint64_t took[ARRIVALS];
	uint64_t begun;
	unsigned int next;
} *shared;

static void number(int fd)
{
	struct vrseq_next next = { .count = 1 };

	if (ioctl(fd, VRSEQ_IOC_NEXT, &next))
		die("NEXT: %s", strerror(errno));
}

static void sleep_until(uint64_t at)
{
	struct timespec time = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void call(const char *group, int says, int start, int end)
{
	unsigned int i;
	uint64_t wanted;
	int fd;

	/* A sleep that is allowed to be late would be measured. */
	prctl(PR_SET_TIMERSLACK, 1);
	fd = bench_attach(group);
	number(fd);
	bench_say(says);
	bench_closed(start);
	while ((i = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) < ARRIVALS) {
		wanted = shared->begun + shared->wanted[i];
		sleep_until(wanted);
		number(fd);
		shared->took[i] = bench_now() - wanted;
	}
	bench_say(says);
	bench_closed(end);
	exit(0);
}

int main(int argc, char **argv)
{
	double rate = argc == 5 ? atof(argv[4]) : 0;
	int says[2], start[2], end[2], status, i;
	uint64_t at = FIRST_NS;

	if (rate <= 0)
		die("usage: offered_bench NAME NETNS GROUP RATE");
	enter_netns(argv[2]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (shared == MAP_FAILED || pipe(says) || pipe(start) || pipe(end))
		die("%s", strerror(errno));
	srand48(1);
	for (i = 0; i < ARRIVALS; i++) {
		at += -log(1 - drand48()) / rate * 1e9;
		shared->wanted[i] = at;
	}
	for (i = 0; i < CALLERS; i++) {
		if (!bench_fork())
			continue;
		close(start[1]);
		close(end[1]);
		call(argv[3], says[1], start[0], end[0]);
	}
	bench_hear(says[0], CALLERS);
	shared->begun = bench_now();
	close(start[1]);
	bench_hear(says[0], CALLERS);
	close(end[1]);
	while (wait(&status) > 0) {
		if (status)
			die("a caller failed");
	}
	qsort(shared->took, ARRIVALS, sizeof(shared->took[0]), bench_compare);
	printf("%s-p50 %llu\n%s-p99 %llu\n", argv[1],
	       (unsigned long long)shared->took[ARRIVALS / 2], argv[1],
	       (unsigned long long)shared->took[ARRIVALS * 99 / 100]);
	return 0;
}
