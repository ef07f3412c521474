// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq_fence.h: what it admits, from one thread and from many. Includes
 * nothing else of vrseq, as a resource may.
 */
#include <pthread.h>

#include "../lib/kselftest_harness.h"
#include "../../userspace/libvrseq/vrseq_fence.h"

TEST(admits_what_is_not_smaller)
{
	struct vrseq_fence fence = VRSEQ_FENCE_INIT;

	EXPECT_EQ(VRSEQ_FENCE_RAISED, vrseq_fence_admit(&fence, 5));
	EXPECT_EQ(VRSEQ_FENCE_HELD, vrseq_fence_admit(&fence, 5));
	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, 4));
	EXPECT_EQ(VRSEQ_FENCE_RAISED, vrseq_fence_admit(&fence, 7));
	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, 5));
	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, 6));
	EXPECT_EQ(7, fence.largest);
	/* a token of the next generation is larger than all of this one */
	EXPECT_EQ(VRSEQ_FENCE_RAISED, vrseq_fence_admit(&fence, 1ull << 48 | 1));
	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, (1ull << 48) - 1));
	EXPECT_EQ(VRSEQ_FENCE_RAISED, vrseq_fence_admit(&fence, UINT64_MAX));
	EXPECT_EQ(VRSEQ_FENCE_HELD, vrseq_fence_admit(&fence, UINT64_MAX));
}

/* Nobody draws 0: it is a variable that was never set. */
TEST(zero_is_no_token)
{
	struct vrseq_fence fence = VRSEQ_FENCE_INIT;

	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, 0));
	EXPECT_EQ(0, vrseq_fence_check(&fence, 0));
	EXPECT_EQ(0, fence.largest);
}

/* After a restart the resource begins with what it stored. */
TEST(begins_with_what_was_stored)
{
	struct vrseq_fence fence = { .largest = 41 };

	EXPECT_EQ(VRSEQ_FENCE_STALE, vrseq_fence_admit(&fence, 40));
	EXPECT_EQ(VRSEQ_FENCE_HELD, vrseq_fence_admit(&fence, 41));
	EXPECT_EQ(VRSEQ_FENCE_RAISED, vrseq_fence_admit(&fence, 42));
}

TEST(check_changes_nothing)
{
	struct vrseq_fence fence = { .largest = 41 };

	EXPECT_TRUE(vrseq_fence_check(&fence, 41));
	EXPECT_TRUE(vrseq_fence_check(&fence, 42));
	EXPECT_FALSE(vrseq_fence_check(&fence, 40));
	EXPECT_EQ(41, fence.largest);
}

#define THREADS	4
#define TOKENS	200000

struct requester {
	pthread_t thread;
	struct vrseq_fence *fence;
	uint64_t first;
	unsigned int raised;
	unsigned int fell;		/* admitted, but smaller than one before */
};

static void *request(void *argument)
{
	struct requester *requester = argument;
	uint64_t token;

	for (token = requester->first; token <= TOKENS; token += THREADS) {
		switch (vrseq_fence_admit(requester->fence, token)) {
		case VRSEQ_FENCE_RAISED:
			requester->raised++;
			break;
		case VRSEQ_FENCE_HELD:
			/* each token has one thread, and that asks once */
			requester->fell++;
			break;
		default:
			break;
		}
		/* what was just admitted, or made it stale, is there to be seen */
		if (__atomic_load_n(&requester->fence->largest, __ATOMIC_RELAXED) < token)
			requester->fell++;
	}
	return NULL;
}

/* Every token raises the fence at most once, and it never falls; the largest always gets in. */
TEST(many_threads)
{
	struct vrseq_fence fence = VRSEQ_FENCE_INIT;
	struct requester requesters[THREADS] = { 0 };
	unsigned int raised = 0;
	int i;

	for (i = 0; i < THREADS; i++) {
		requesters[i].fence = &fence;
		requesters[i].first = i + 1;
		ASSERT_EQ(0, pthread_create(&requesters[i].thread, NULL, request,
					    &requesters[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(requesters[i].thread, NULL));
		EXPECT_EQ(0, requesters[i].fell);
		raised += requesters[i].raised;
	}
	EXPECT_EQ(TOKENS, fence.largest);
	EXPECT_GE(raised, 1);
	EXPECT_LE(raised, TOKENS);
}

TEST_HARNESS_MAIN
