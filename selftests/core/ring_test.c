// SPDX-License-Identifier: GPL-2.0
/* The ring of entries and the log on top of it. */
#include "vr_log.h"
#include "vrt.h"

#define SLOTS 8
#define ARENA 64

static const u8 body[ARENA] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static void make_ring(struct vrt *t, struct vr_ring *ring, u32 slots, u32 arena, u64 next)
{
	ring->slots = vrt_alloc(t, slots * sizeof(*ring->slots));
	ring->arena = vrt_alloc(t, arena);
	ring->slot_count = slots;
	ring->arena_bytes = arena;
	vr_ring_reset(ring, next);
}

static struct vr_entry entry_of(u64 op, u16 body_bytes)
{
	struct vr_entry e = {
		.op = op,
		.view = 3,
		.session = 40 + op,
		.request = 1,
		.argument = op,
		.body = body + op % 8,
		.body_bytes = body_bytes,
		.kind = VR_KIND_APPEND,
		.origin = 1,
	};
	return e;
}

static bool add(struct vr_ring *ring, u16 body_bytes)
{
	struct vr_entry e = entry_of(ring->last + 1, body_bytes);

	if (!vr_ring_fits(ring, body_bytes))
		return false;
	vr_ring_append(ring, &e);
	return true;
}

static bool intact(const struct vr_ring *ring)
{
	u64 op;

	for (op = ring->first; op <= ring->last; op++) {
		const struct vr_entry *e = vr_ring_get(ring, op);

		if (!e || e->op != op || e->session != 40 + op ||
		    e->body < ring->arena ||
		    e->body + e->body_bytes > ring->arena + ring->arena_bytes ||
		    memcmp(e->body, body + op % 8, e->body_bytes))
			return false;
	}
	return !vr_ring_get(ring, ring->first - 1) && !vr_ring_get(ring, ring->last + 1);
}

static void slots_wrap(struct vrt *t)
{
	struct vr_ring ring;
	u32 i;

	make_ring(t, &ring, SLOTS, ARENA, 1);
	VRT_EXPECT(t, intact(&ring));
	for (i = 0; i < SLOTS; i++)
		VRT_ASSERT(t, add(&ring, 3));
	VRT_EXPECT(t, !add(&ring, 0));
	for (i = 0; i < 5 * SLOTS; i++) {
		vr_ring_drop_first(&ring);
		VRT_ASSERT(t, add(&ring, 3));
		VRT_ASSERT(t, intact(&ring));
	}
	VRT_EXPECT_EQUAL(t, ring.last, 6 * SLOTS);
	VRT_EXPECT_EQUAL(t, ring.first, 5 * SLOTS + 1);
}

static void bodies_never_wrap(struct vrt *t)
{
	struct vr_ring ring;
	u32 i, size;

	/* Sizes that share no factor with the arena meet every offset. */
	for (size = 1; size <= ARENA / 2; size += 3) {
		make_ring(t, &ring, SLOTS, ARENA, 100);
		for (i = 0; i < 200; i++) {
			while (!vr_ring_fits(&ring, size))
				vr_ring_drop_first(&ring);
			VRT_ASSERT(t, add(&ring, size));
			VRT_ASSERT(t, intact(&ring));
		}
		VRT_EXPECT(t, ring.last >= ring.first);
	}
}

static void mixed_bodies(struct vrt *t)
{
	struct vr_ring ring;
	u32 i, size = 1;

	make_ring(t, &ring, SLOTS, ARENA, 1);
	for (i = 0; i < 2000; i++) {
		size = (size * 7 + 5) % (ARENA / 2 + 1);
		while (!vr_ring_fits(&ring, size))
			vr_ring_drop_first(&ring);
		VRT_ASSERT(t, add(&ring, size));
		VRT_ASSERT(t, intact(&ring));
	}
}

static void empty_ring(struct vrt *t)
{
	struct vr_ring ring;

	make_ring(t, &ring, SLOTS, ARENA, 7ull << 48);
	VRT_EXPECT(t, vr_ring_fits(&ring, ARENA / 2));
	VRT_EXPECT(t, !vr_ring_get(&ring, 7ull << 48));
	VRT_ASSERT(t, add(&ring, ARENA / 2));
	VRT_EXPECT_EQUAL(t, ring.last, 7ull << 48);
	VRT_EXPECT(t, intact(&ring));
	vr_ring_drop_first(&ring);
	VRT_EXPECT(t, !vr_ring_get(&ring, 7ull << 48));
	VRT_EXPECT(t, vr_ring_fits(&ring, ARENA / 2));
}

static void truncates(struct vrt *t)
{
	struct vr_ring ring;
	u32 i;

	make_ring(t, &ring, SLOTS, ARENA, 1);
	for (i = 0; i < 6; i++)
		VRT_ASSERT(t, add(&ring, 10));
	vr_ring_truncate(&ring, 6);
	VRT_EXPECT_EQUAL(t, ring.last, 6);
	vr_ring_truncate(&ring, 2);
	VRT_EXPECT_EQUAL(t, ring.last, 2);
	VRT_EXPECT(t, intact(&ring));
	/* The room of what is gone is free again. */
	for (i = 0; i < 4; i++)
		VRT_ASSERT(t, add(&ring, 10));
	VRT_EXPECT(t, intact(&ring));
	VRT_EXPECT(t, !vr_ring_fits(&ring, 10));
	vr_ring_truncate(&ring, 0);
	VRT_EXPECT(t, !vr_ring_get(&ring, 1) && vr_ring_fits(&ring, ARENA / 2));
	VRT_ASSERT(t, add(&ring, 10));
	VRT_EXPECT(t, intact(&ring));
}

static void make_log(struct vrt *t, struct vr_log *log, u64 next)
{
	make_ring(t, &log->ring, SLOTS, ARENA, next);
	vr_log_reset(log, next);
}

static const struct vr_entry *log_add(struct vr_log *log, u16 body_bytes, u64 drop_through)
{
	struct vr_entry e = entry_of(log->ring.last + 1, body_bytes);

	return vr_log_append(log, &e, drop_through);
}

static void chain(struct vrt *t)
{
	struct vr_log log;
	const struct vr_entry *e;
	u64 hash, previous = 0;
	u32 i;

	make_log(t, &log, 1);
	VRT_EXPECT(t, vr_log_hash(&log, 0, &hash) && !hash);
	VRT_EXPECT(t, !vr_log_hash(&log, 1, &hash));
	for (i = 1; i <= 5; i++) {
		e = log_add(&log, i, 0);
		VRT_ASSERT(t, e);
		VRT_EXPECT_EQUAL(t, e->op, i);
		VRT_EXPECT_EQUAL(t, e->hash, vr_entry_hash(e, previous));
		VRT_EXPECT(t, vr_log_hash(&log, i, &hash) && hash == e->hash);
		VRT_EXPECT(t, hash != previous);
		previous = hash;
	}
}

static void hash_covers(struct vrt *t)
{
	struct vr_entry e = entry_of(5, 13), o;
	u64 hash = vr_entry_hash(&e, 1);
	u8 *copy = vrt_alloc(t, 13);
	u32 i;

	VRT_EXPECT(t, vr_entry_hash(&e, 2) != hash);
#define CHANGED(field, value) do { \
		o = e; \
		o.field = value; \
		VRT_EXPECT(t, vr_entry_hash(&o, 1) != hash); \
	} while (0)
	CHANGED(op, 6);
	CHANGED(view, 4);
	CHANGED(session, 1);
	CHANGED(request, 2);
	CHANGED(argument, 6);
	CHANGED(kind, VR_KIND_NEXT);
	CHANGED(origin, 2);
	CHANGED(body_bytes, 12);
#undef CHANGED
	o = e;
	o.body = copy;
	for (i = 0; i < 13; i++) {
		memcpy(copy, e.body, 13);
		VRT_EXPECT_EQUAL(t, vr_entry_hash(&o, 1), hash);
		copy[i] ^= 0x80;
		VRT_EXPECT(t, vr_entry_hash(&o, 1) != hash);
	}
}

static void hash_of_zeros(struct vrt *t)
{
	struct vr_entry e = entry_of(1, 0);
	u64 hashes[18];
	u32 i, j;

	e.body = vrt_alloc(t, 17);
	for (i = 0; i <= 17; i++) {
		e.body_bytes = i;
		hashes[i] = vr_entry_hash(&e, 0);
		for (j = 0; j < i; j++)
			VRT_EXPECT(t, hashes[i] != hashes[j]);
	}
}

static void drop_rule(struct vrt *t)
{
	struct vr_log log;
	u64 hash, kept;
	u32 i;

	make_log(t, &log, 1);
	for (i = 0; i < SLOTS; i++)
		VRT_ASSERT(t, log_add(&log, 1, 0));
	VRT_EXPECT(t, !log_add(&log, 1, 0));
	VRT_EXPECT_EQUAL(t, log.ring.last, SLOTS);
	VRT_EXPECT_EQUAL(t, log.ring.first, 1);

	VRT_ASSERT(t, vr_log_hash(&log, 1, &kept));
	VRT_EXPECT(t, log_add(&log, 1, 2));
	VRT_EXPECT_EQUAL(t, log.ring.first, 2);
	/* The hash before the first entry is known even if the entry is not. */
	VRT_EXPECT(t, vr_log_hash(&log, 1, &hash) && hash == kept);
	VRT_EXPECT(t, !vr_log_get(&log, 1));
	VRT_EXPECT(t, !vr_log_hash(&log, 0, &hash));
	VRT_EXPECT(t, log_add(&log, 1, 2));
	VRT_EXPECT(t, !log_add(&log, 1, 2));
	VRT_EXPECT_EQUAL(t, log.ring.first, 3);
}

static void drop_for_bytes(struct vrt *t)
{
	struct vr_log log;

	make_log(t, &log, 1);
	VRT_ASSERT(t, log_add(&log, ARENA / 2, 0) && log_add(&log, ARENA / 2, 0));
	VRT_EXPECT(t, !log_add(&log, 1, 0));
	VRT_EXPECT(t, log_add(&log, 1, 1));
	VRT_EXPECT_EQUAL(t, log.ring.first, 2);
}

static void equal_hash_equal_log(struct vrt *t)
{
	struct vr_log a, b;
	u64 ha, hb;
	struct vr_entry e = entry_of(2, 4);

	make_log(t, &a, 1);
	make_log(t, &b, 1);
	log_add(&a, 1, 0);
	log_add(&b, 2, 0);
	VRT_ASSERT(t, vr_log_append(&a, &e, 0) && vr_log_append(&b, &e, 0));
	VRT_ASSERT(t, vr_log_hash(&a, 2, &ha));
	VRT_ASSERT(t, vr_log_hash(&b, 2, &hb));
	VRT_EXPECT(t, ha != hb);
}

static struct vrt_case cases[] = {
	{ slots_wrap, "the slots of a full ring are used again and again" },
	{ bodies_never_wrap, "a body lies in one piece whatever its size" },
	{ mixed_bodies, "bodies of mixed sizes never overwrite each other" },
	{ empty_ring, "an empty ring has room for the largest body" },
	{ truncates, "truncating frees slots and bytes, down to nothing" },
	{ chain, "the log numbers entries and chains their hashes" },
	{ hash_covers, "the hash covers every field and every byte of the body" },
	{ hash_of_zeros, "bodies of zeros of different lengths differ in hash" },
	{ drop_rule, "the log drops what may be dropped and keeps its hash" },
	{ drop_for_bytes, "the log drops entries for bytes as well as for slots" },
	{ equal_hash_equal_log, "different pasts give the same entry different hashes" },
	{ }
};

VRT_SUITE(ring, cases);
