// SPDX-License-Identifier: GPL-2.0
/* Messages in parts: any order, twice, lost, of liars. */
#include "segment.h"
#include "vr_prng.h"
#include "vrt.h"

struct world {
	struct vrseq_segments segments;
	u8 sent[VRSEQ_MESSAGE_BYTES_MAX];
	u8 whole[VRSEQ_MESSAGE_BYTES_MAX];
	u8 places[VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX];
};

static struct world *world(struct vrt *t)
{
	struct world *w = vrt_alloc(t, sizeof(*w));
	u32 i;

	vrseq_segments_init(&w->segments, w->places);
	for (i = 0; i < sizeof(w->sent); i++)
		w->sent[i] = i * 7 + (i >> 8);
	return w;
}

static u32 put(struct world *w, u64 message, u32 bytes, u32 room, u8 part)
{
	const struct vrseq_place of = {
		.from = 1,
		.parts = vrseq_parts(bytes, room),
		.life = 1,
		.message = message,
	};
	u32 start = part * room;

	memset(w->whole, 0, sizeof(w->whole));
	return vrseq_segments_put(&w->segments, &of, part, w->sent + start,
				  vr_min(room, bytes - start), w->whole);
}

static void any_order(struct vrt *t)
{
	struct world *w = world(t);
	u32 bytes, order, i, got;

	for (bytes = 1201; bytes <= VRSEQ_MESSAGE_BYTES_MAX; bytes += 97) {
		u32 room = vr_max(300, bytes / 7), parts = vrseq_parts(bytes, room);

		for (order = 0; order < parts; order++) {
			for (i = 0; i < parts; i++) {
				got = put(w, bytes * 64 + order, bytes, room,
					  (i * (order % 2 ? parts - 1 : 1) + order) % parts);
				VRT_ASSERT_EQUAL(t, got, i == parts - 1 ? bytes : 0);
			}
			VRT_ASSERT(t, !memcmp(w->whole, w->sent, bytes));
		}
	}
	VRT_EXPECT_EQUAL(t, w->segments.lost, 0);
}

static void twice_and_lost(struct vrt *t)
{
	struct world *w = world(t);
	u32 i;

	/* A part that comes twice changes nothing. */
	VRT_EXPECT_EQUAL(t, put(w, 1, 1300, 500, 0), 0);
	VRT_EXPECT_EQUAL(t, put(w, 1, 1300, 500, 0), 0);
	VRT_EXPECT_EQUAL(t, put(w, 1, 1300, 500, 2), 0);
	/* Messages that never become whole take no more than the places there are. */
	for (i = 0; i < VRSEQ_PLACES - 1; i++)
		VRT_EXPECT_EQUAL(t, put(w, 100 + i, 1300, 500, i % 3), 0);
	VRT_EXPECT_EQUAL(t, w->segments.lost, 0);
	VRT_EXPECT_EQUAL(t, put(w, 1, 1300, 500, 1), 1300);
	for (i = 0; i < 5; i++)
		put(w, 200 + i, 1300, 500, 0);
	VRT_EXPECT_EQUAL(t, w->segments.lost, 4);
	/* The oldest went first, the newest is still there. */
	VRT_EXPECT_EQUAL(t, put(w, 204, 1300, 500, 1), 0);
	VRT_EXPECT_EQUAL(t, put(w, 204, 1300, 500, 2), 1300);
}

static void lives_do_not_mix(struct vrt *t)
{
	struct world *w = world(t);
	struct vrseq_place of = { .from = 1, .parts = 2, .life = 1, .message = 9 };

	VRT_EXPECT_EQUAL(t, vrseq_segments_put(&w->segments, &of, 0, w->sent, 500, w->whole), 0);
	of.life = 2;
	VRT_EXPECT_EQUAL(t, vrseq_segments_put(&w->segments, &of, 1, w->sent, 20, w->whole), 0);
	of.from = 2;
	VRT_EXPECT_EQUAL(t, vrseq_segments_put(&w->segments, &of, 1, w->sent, 20, w->whole), 0);
	of.from = 1;
	VRT_EXPECT_EQUAL(t, vrseq_segments_put(&w->segments, &of, 0, w->sent, 500, w->whole),
			 520);
}

/* Whatever parts say of themselves, nothing is written beyond its place. */
static void liars(struct vrt *t)
{
	struct world *w = world(t);
	struct vr_prng prng;
	u32 i, bytes, whole;

	vr_prng_seed(&prng, 3);
	for (i = 0; i < 100000; i++) {
		const struct vrseq_place of = {
			.from = vr_prng_next(&prng) % 2,
			.parts = vr_prng_next(&prng) % (VRSEQ_PARTS_MAX + 3),
			.message = vr_prng_next(&prng) % 24,
		};

		bytes = 1 + vr_prng_next(&prng) % (VRSEQ_MESSAGE_BYTES_MAX + 1);
		if (vr_prng_next(&prng) % 4)
			bytes = 1 + bytes % 400;
		bytes = vr_min(bytes, VRSEQ_MESSAGE_BYTES_MAX);
		whole = vrseq_segments_put(&w->segments, &of, vr_prng_next(&prng) % 20, w->sent,
					   bytes, w->whole);
		VRT_ASSERT(t, whole <= VRSEQ_MESSAGE_BYTES_MAX);
	}
}

static struct vrt_case cases[] = {
	{ any_order, "parts in any order make the message" },
	{ twice_and_lost, "parts come twice, messages lose their place, the oldest first" },
	{ lives_do_not_mix, "parts of two sessions never make one message" },
	{ liars, "parts that lie stay within their place" },
	{ }
};

VRT_SUITE(segment, cases);
