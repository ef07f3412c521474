/* SPDX-License-Identifier: GPL-2.0 */
/* Several processes at the same time, each with one operation under way. */
#ifndef VRSEQ_BENCH_CALLERS_H
#define VRSEQ_BENCH_CALLERS_H

#include <stdbool.h>
#include <sys/wait.h>

#include "bench.h"

#define CALLS	3000	/* of all callers together */

#define WARM_UP_EACH (WARM_UP / 4)

/* How many round trips they make all together. */
static inline int bench_calls(int callers)
{
	return callers * (WARM_UP_EACH + CALLS / callers);
}

static inline void bench_say(int fd)
{
	if (write(fd, "", 1) != 1)
		die("pipe: %s", strerror(errno));
}

static inline void bench_hear(int fd, int count)
{
	char byte;

	while (count--) {
		if (read(fd, &byte, 1) != 1)
			die("a caller failed");
	}
}

/* True in the child. */
static inline bool bench_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	return !pid;
}

static inline void bench_closed(int fd)
{
	char byte;

	if (read(fd, &byte, 1))
		die("pipe: %s", strerror(errno));
}

/*
 * Says when it is ready, begins when nobody holds @start, says when it is done, and ends when
 * nobody holds @end: its end costs more than a few round trips, and is none.
 */
static inline void bench_call(int says, int start, int end, int rounds,
			      void (*attach)(void *what), void *what, void (*round_trip)(void))
{
	int i;

	attach(what);
	for (i = 0; i < WARM_UP_EACH; i++)
		round_trip();
	bench_say(says);
	bench_closed(start);
	for (i = 0; i < rounds; i++)
		round_trip();
	bench_say(says);
	bench_closed(end);
	exit(0);
}

/* How long all processors had nothing to do, until now. */
static inline uint64_t bench_idle(void)
{
	FILE *file = fopen("/proc/timer_list", "r");
	unsigned long long ns, sum = 0;
	char line[256];
	bool found = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, " .idle_sleeptime : %llu nsecs", &ns) == 1) {
			found = true;
			sum += ns;
		}
	}
	if (!found)
		die("/proc/timer_list does not say how long it was idle");
	fclose(file);
	return sum;
}

/*
 * Prints "NAME mean", of an operation, and "NAME-busy mean": the same without the time in
 * which everybody waited for the network.
 */
static inline void bench_callers(const char *name, int callers, void (*attach)(void *what),
				 void *what, void (*round_trip)(void))
{
	int says[2], start[2], end[2], rounds = CALLS / callers, i;
	uint64_t took, idle;

	if (pipe(says) || pipe(start) || pipe(end))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < callers; i++) {
		if (!bench_fork())
			continue;
		close(start[1]);
		close(end[1]);
		bench_call(says[1], start[0], end[0], rounds, attach, what, round_trip);
	}
	close(says[1]);
	bench_hear(says[0], callers);
	idle = bench_idle();
	took = bench_now();
	close(start[1]);
	bench_hear(says[0], callers);
	took = bench_now() - took;
	idle = bench_idle() - idle;
	close(end[1]);
	while (wait(NULL) > 0)
		;
	printf("%s %llu\n", name, (unsigned long long)took / (rounds * callers));
	printf("%s-busy %llu\n", name, (unsigned long long)(took - idle) / (rounds * callers));
}

#endif /* VRSEQ_BENCH_CALLERS_H */
