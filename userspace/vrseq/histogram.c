// SPDX-License-Identifier: GPL-2.0
/* Quantiles in fixed memory, see histogram.h. */
#include "histogram.h"

/*
 * Values below two rounds of steps are their own bucket; above, the leading
 * bits after the highest one choose the step.
 */
static unsigned int bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < 2 * HISTOGRAM_STEPS)
		return value;
	shift = 63 - __builtin_clzll(value) - HISTOGRAM_STEP_BITS;
	return shift * HISTOGRAM_STEPS + (value >> shift);
}

/* The largest value that falls into it. */
static uint64_t bucket_end(unsigned int bucket)
{
	unsigned int shift;

	if (bucket < 2 * HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	/* the last bucket ends where 64 bits do */
	return ((bucket % HISTOGRAM_STEPS + HISTOGRAM_STEPS + 1ull) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	if (!histogram->count || value < histogram->smallest)
		histogram->smallest = value;
	if (value > histogram->largest)
		histogram->largest = value;
	histogram->count++;
	histogram->sum += value;
	histogram->buckets[bucket_of(value)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	unsigned int i;

	if (!from->count)
		return;
	if (!into->count || from->smallest < into->smallest)
		into->smallest = from->smallest;
	if (from->largest > into->largest)
		into->largest = from->largest;
	into->count += from->count;
	into->sum += from->sum;
	for (i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, uint32_t share, uint32_t whole)
{
	uint64_t wanted = histogram->count * share;	/* 2^54 values are years */
	uint64_t end, seen = 0;
	unsigned int i;

	for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (!seen || seen * whole < wanted)
			continue;
		end = bucket_end(i);
		return end < histogram->largest ? end : histogram->largest;
	}
	return 0;
}

uint64_t histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? histogram->sum / histogram->count : 0;
}
