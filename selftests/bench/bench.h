/* SPDX-License-Identifier: GPL-2.0 */
/* Round trips, one at a time, and their distribution. */
#ifndef VRSEQ_BENCH_H
#define VRSEQ_BENCH_H

#include <stdint.h>
#include <time.h>

#include "../lib/testlib.h"

#define ROUNDS	1000
#define WARM_UP	(ROUNDS / 10)

/*
 * Nothing to the processor, a sign to trace_plugin.c: what is between ROUND and END is looked at,
 * of the rounds between START and STOP.
 */
#define BENCH_START	"0x71737201"
#define BENCH_ROUND	"0x71737202"
#define BENCH_END	"0x71737203"
#define BENCH_STOP	"0x71737204"
#define bench_mark(mark) ({ asm volatile("nopl " mark "(%%rax)" : : : "memory"); })

static inline uint64_t bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static int bench_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Prints "NAME p50 p90 p99 max" in ns, instructions where one takes one ns, of a round trip
 * divided by the operations in it. Returns the least.
 */
static inline uint64_t bench_run_rounds(const char *name, void (*round_trip)(void), int rounds,
					int operations)
{
	static uint64_t took[ROUNDS];
	int i;

	for (i = 0; i < rounds / 10; i++)
		round_trip();
	bench_mark(BENCH_START);
	for (i = 0; i < rounds; i++) {
		uint64_t before = bench_now();

		bench_mark(BENCH_ROUND);
		round_trip();
		bench_mark(BENCH_END);
		took[i] = (bench_now() - before) / operations;
	}
	bench_mark(BENCH_STOP);
	qsort(took, rounds, sizeof(*took), bench_compare);
	printf("%s %llu %llu %llu %llu\n", name, (unsigned long long)took[rounds / 2],
	       (unsigned long long)took[rounds * 9 / 10],
	       (unsigned long long)took[rounds * 99 / 100],
	       (unsigned long long)took[rounds - 1]);
	return took[0];
}

static inline void bench_run(const char *name, void (*round_trip)(void))
{
	bench_run_rounds(name, round_trip, ROUNDS, 1);
}

#endif /* VRSEQ_BENCH_H */
