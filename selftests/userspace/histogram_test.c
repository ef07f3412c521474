// SPDX-License-Identifier: GPL-2.0
/* Quantiles of "vrseq bench": never too small, and how much too large at most. */
#include <stdlib.h>
#include <string.h>

#include "../lib/kselftest_harness.h"
#include "../../userspace/vrseq/histogram.h"

#define VALUES 4000

TEST(empty)
{
	static const struct histogram empty;

	EXPECT_EQ(0, histogram_quantile(&empty, 99, 100));
	EXPECT_EQ(0, histogram_mean(&empty));
}

TEST(one_value)
{
	static const uint64_t values[] = { 0, 1, 63, 64, 65, 12345, 1ull << 40, UINT64_MAX };
	struct histogram one;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		memset(&one, 0, sizeof(one));
		histogram_add(&one, values[i]);
		EXPECT_EQ(values[i], histogram_quantile(&one, 0, 100));
		EXPECT_EQ(values[i], histogram_quantile(&one, 1, 2));
		EXPECT_EQ(values[i], histogram_quantile(&one, 999, 1000));
		EXPECT_EQ(values[i], one.smallest);
		EXPECT_EQ(values[i], one.largest);
		EXPECT_EQ(values[i], histogram_mean(&one));
	}
}

/* Each value and its neighbours: a step never ends before its values, nor far behind them. */
TEST(steps)
{
	struct histogram one;
	uint64_t value, told;
	int bit, delta;

	for (bit = 0; bit < 64; bit++) {
		for (delta = -3; delta <= 3; delta++) {
			value = (1ull << bit) + delta;
			memset(&one, 0, sizeof(one));
			histogram_add(&one, value);
			one.largest = UINT64_MAX;	/* so that the step's end shows */
			told = histogram_quantile(&one, 1, 2);
			EXPECT_GE(told, value);
			EXPECT_LE(told - value, value / HISTOGRAM_STEPS);
		}
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* Against the sorted values themselves, in two halves that are merged. */
TEST(quantiles)
{
	static const uint32_t shares[] = { 1, 100, 500, 900, 990, 999, 1000 };
	static struct histogram halves[2], all;
	static uint64_t values[VALUES];
	uint64_t exact, told;
	unsigned int i;

	srand48(4711);
	for (i = 0; i < VALUES; i++) {
		values[i] = (uint64_t)lrand48() >> (lrand48() % 31);
		histogram_add(&halves[i % 2], values[i]);
	}
	histogram_merge(&all, &halves[0]);
	histogram_merge(&all, &halves[1]);
	qsort(values, VALUES, sizeof(*values), compare);
	EXPECT_EQ(VALUES, all.count);
	EXPECT_EQ(values[0], all.smallest);
	EXPECT_EQ(values[VALUES - 1], all.largest);
	for (i = 0; i < ARRAY_SIZE(shares); i++) {
		exact = values[(VALUES * shares[i] + 999) / 1000 - 1];
		told = histogram_quantile(&all, shares[i], 1000);
		EXPECT_GE(told, exact);
		EXPECT_LE(told - exact, exact / HISTOGRAM_STEPS);
	}
	EXPECT_EQ(all.largest, histogram_quantile(&all, 1000, 1000));
}

TEST_HARNESS_MAIN
