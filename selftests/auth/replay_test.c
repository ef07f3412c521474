// SPDX-License-Identifier: GPL-2.0
/* The replay window against the obvious one: a list of all counters accepted. */
#include "replay.h"
#include "vr_prng.h"
#include "vrt.h"

#define COUNTERS 8192

static bool seen_before(const u8 *accepted, u64 newest, u64 counter)
{
	return accepted[counter] || (newest >= counter && newest - counter >= VRSEQ_REPLAY_WINDOW);
}

static void random_walk(struct vrt *t)
{
	struct vrseq_replay *replay = vrt_alloc(t, sizeof(*replay));
	u8 *accepted = vrt_alloc(t, COUNTERS);
	struct vr_prng prng;
	u64 newest = 0, i;

	vr_prng_seed(&prng, 7);
	for (i = 0; i < 200000; i++) {
		u64 reach = 1 + newest + (vr_prng_next(&prng) % 64 ? 3 : 2500), counter;
		bool fresh;

		if (i % 40000 == 0) {
			memset(replay, 0, sizeof(*replay));
			memset(accepted, 0, COUNTERS);
			newest = 0;
		}
		counter = vr_prng_next(&prng) % vr_min(reach, COUNTERS);
		fresh = vrseq_replay_fresh(replay, counter);
		VRT_ASSERT_EQUAL(t, fresh, !seen_before(accepted, newest, counter));
		if (!fresh || vr_prng_next(&prng) % 3 == 0)
			continue;
		vrseq_replay_accept(replay, counter);
		accepted[counter] = 1;
		newest = vr_max(newest, counter);
	}
}

static void edges(struct vrt *t)
{
	struct vrseq_replay *replay = vrt_alloc(t, sizeof(*replay));

	VRT_EXPECT(t, vrseq_replay_fresh(replay, 0));
	vrseq_replay_accept(replay, 0);
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, 0));

	vrseq_replay_accept(replay, VRSEQ_REPLAY_WINDOW);
	VRT_EXPECT(t, vrseq_replay_fresh(replay, 1));
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, 0));

	/* A leap forgets what is behind it, and takes nothing twice. */
	vrseq_replay_accept(replay, 1ull << 40);
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, 1ull << 40));
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, 1));
	VRT_EXPECT(t, vrseq_replay_fresh(replay, (1ull << 40) - VRSEQ_REPLAY_WINDOW + 1));

	vrseq_replay_accept(replay, U64_MAX - 1);
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, U64_MAX - 1));
	VRT_EXPECT(t, !vrseq_replay_fresh(replay, U64_MAX));
}

static struct vrt_case cases[] = {
	{ edges, "first, window's end, leap and last counter" },
	{ random_walk, "as a list of all counters would have it" },
	{ }
};

VRT_SUITE(replay, cases);
