/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * vrseq_fence.h - the resource's half of a fencing token
 *
 * Whoever draws a number with vrseq_next() sends it along with each request,
 * and the resource refuses every request whose number is smaller than the
 * largest it has seen. A holder that was paused, or cut off, and is late then
 * does no harm. This header is that comparison: it needs neither the module
 * nor the library, C or C++, GCC or Clang.
 *
 * It knows nothing of what is protected. Two things are left to the resource,
 * and without them the comparison protects nothing:
 *
 * - Threads. vrseq_fence_admit() is one atomic step, but the request it lets in
 *   can be overtaken by one with a larger token before it has acted. Where that
 *   matters admit and act under one lock, or in one transaction.
 * - Restarts. A resource that outlives its memory must store the largest token,
 *   and have it on stable storage before it acts on a request that raised it:
 *   otherwise a crash lets an older token in again. Begin with what was stored.
 *
 * vrseq_fence(3) has both as programs, and the same in SQL.
 */
#ifndef VRSEQ_FENCE_H
#define VRSEQ_FENCE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct vrseq_fence - the largest token a resource has seen
 * @largest:	0 = none yet; a resource that stores it begins with that
 *
 * One for each counter the tokens are drawn from: numbers of different counters
 * or groups say nothing about each other.
 */
struct vrseq_fence {
	uint64_t largest;
};

#define VRSEQ_FENCE_INIT { 0 }

/** enum vrseq_fence_verdict - what the fence says to a token; only STALE is false */
enum vrseq_fence_verdict {
	VRSEQ_FENCE_STALE	= 0,	/* a larger one was here; refuse the request */
	VRSEQ_FENCE_HELD	= 1,	/* the largest so far, and it was here before */
	VRSEQ_FENCE_RAISED	= 2	/* larger than all: store it, then act */
};

/**
 * vrseq_fence_admit - may a request with this token act?
 * @fence:	may be shared by threads
 * @token:	0 is nobody's token and always stale
 *
 * One atomic step: of two tokens admitted by different threads the smaller one
 * was admitted first. Never waits.
 *
 * Return: enum vrseq_fence_verdict; nonzero = yes.
 */
static inline enum vrseq_fence_verdict vrseq_fence_admit(struct vrseq_fence *fence,
							 uint64_t token)
{
	uint64_t largest = __atomic_load_n(&fence->largest, __ATOMIC_ACQUIRE);

	if (!token)
		return VRSEQ_FENCE_STALE;
	while (token > largest) {
		if (__atomic_compare_exchange_n(&fence->largest, &largest, token, 1,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return VRSEQ_FENCE_RAISED;
	}
	return token == largest ? VRSEQ_FENCE_HELD : VRSEQ_FENCE_STALE;
}

/**
 * vrseq_fence_check - may it still act?
 * @fence:	may be shared by threads
 * @token:	one that was admitted
 *
 * For long requests, between their steps. Changes nothing.
 *
 * Return: nonzero while no larger token was admitted.
 */
static inline int vrseq_fence_check(const struct vrseq_fence *fence, uint64_t token)
{
	return token && token >= __atomic_load_n(&fence->largest, __ATOMIC_ACQUIRE);
}

#ifdef __cplusplus
}
#endif

#endif /* VRSEQ_FENCE_H */
