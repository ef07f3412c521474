/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xorshift64* (Vigna, 2016), seeded by the shell: for jitter only. Nothing a
 * replica must not repeat, and nothing secret, ever comes from here.
 */
#ifndef VR_PRNG_H
#define VR_PRNG_H

#include "vr_platform.h"

struct vr_prng {
	u64 state;
};

static inline void vr_prng_seed(struct vr_prng *p, u64 seed)
{
	p->state = seed ? seed : 1;
}

static inline u64 vr_prng_next(struct vr_prng *p)
{
	p->state ^= p->state >> 12;
	p->state ^= p->state << 25;
	p->state ^= p->state >> 27;
	return p->state * 0x2545f4914f6cdd1dull;
}

/* value .. value * 5/4, without a division */
static inline u64 vr_prng_jitter(struct vr_prng *p, u64 value)
{
	return value + ((value >> 2) * (vr_prng_next(p) >> 48) >> 16);
}

#endif /* VR_PRNG_H */
