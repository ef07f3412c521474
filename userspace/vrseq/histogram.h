/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often which value came, in memory that does not grow: 32 steps to each
 * power of two, so a quantile is at most a thirty-second too large, and never
 * too small. Knows nothing of what the values are.
 */
#ifndef VRSEQ_HISTOGRAM_H
#define VRSEQ_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEP_BITS	5
#define HISTOGRAM_STEPS		(1u << HISTOGRAM_STEP_BITS)
#define HISTOGRAM_BUCKETS	((64 - HISTOGRAM_STEP_BITS + 1) * HISTOGRAM_STEPS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t smallest;
	uint64_t largest;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* An empty one is all zero. */
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The smallest value, as far as the steps tell, that at least @share of
 * @whole of all values do not exceed; 0 if there are none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, uint32_t share, uint32_t whole);
uint64_t histogram_mean(const struct histogram *histogram);

#endif /* VRSEQ_HISTOGRAM_H */
