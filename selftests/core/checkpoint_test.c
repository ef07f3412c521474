// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of a checkpoint: the same everywhere, all of the state machine and
 * nothing else, and believed only if sound.
 */
#include "vr_bytes.h"
#include "vr_checkpoint.h"
#include "vr_prng.h"
#include "vrt.h"

#define COUNTERS 6
#define ROWS 4
#define MESSAGES 16
#define LARGE_BYTES 1024
#define MESSAGE_BYTES (8 * LARGE_BYTES)
#define BASE (3ull << VR_COUNT_BITS)

struct machine {
	struct vrt *t;
	struct vr_sm sm;
	struct vr_checkpoint checkpoint;
	struct vr_prng prng;
	u64 op;
	u8 body[LARGE_BYTES];
};

static struct machine *machine_new(struct vrt *t)
{
	struct machine *m = vrt_alloc(t, sizeof(*m));
	struct vr_sm *sm = &m->sm;
	struct vr_checkpoint *c = &m->checkpoint;

	m->t = t;
	m->op = BASE;
	vr_prng_seed(&m->prng, 17);
	sm->counters_max = COUNTERS;
	sm->counters = vrt_alloc(t, COUNTERS * sizeof(*sm->counters));
	sm->buckets = vrt_alloc(t, COUNTERS * sizeof(*sm->buckets));
	sm->messages.slot_count = MESSAGES;
	sm->messages.slots = vrt_alloc(t, MESSAGES * sizeof(*sm->messages.slots));
	sm->messages.arena_bytes = MESSAGE_BYTES;
	sm->messages.arena = vrt_alloc(t, MESSAGE_BYTES);
	sm->sessions.max = ROWS;
	sm->sessions.rows = vrt_alloc(t, ROWS * sizeof(*sm->sessions.rows));
	sm->sessions.buckets = vrt_alloc(t, ROWS * sizeof(*sm->sessions.buckets));
	vr_sm_reset(sm, BASE);
	c->size_max = vr_checkpoint_size_max(COUNTERS, ROWS, MESSAGES, MESSAGE_BYTES);
	c->body_bytes_max = LARGE_BYTES;
	c->bytes = vrt_alloc(t, c->size_max);
	c->chunks = vrt_alloc(t, vr_checkpoint_chunk_count(c->size_max) / 8 + 1);
	return m;
}

/* Anything a group may be asked for; the same at every machine that has done as much. */
static void apply(struct machine *m, struct vr_result *result)
{
	static const u8 kinds[] = {
		VR_KIND_NEXT, VR_KIND_NEXT, VR_KIND_APPEND, VR_KIND_APPEND, VR_KIND_GET,
		VR_KIND_RESULT, VR_KIND_SESSION_BEGIN, VR_KIND_SESSION_END,
	};
	u64 dice = vr_prng_next(&m->prng) >> 8;
	struct vr_entry e = {
		.op = ++m->op,
		.view = 5 + m->op % 3,
		.session = BASE + 1 + (dice >> 8) % 40,
		.request = 1 + (dice >> 16) % 60,
		.argument = 1 + (dice >> 24) % 5,
		.kind = m->op % 3 ? kinds[dice % VR_ARRAY_COUNT(kinds)] : VR_KIND_APPEND,
		.origin = (dice >> 32) % VR_REPLICAS_MAX,
		.body = m->body,
	};
	u32 i;

	/* Sessions that there are, mostly. */
	for (i = 0; i < ROWS; i++) {
		if (m->sm.sessions.rows[i].id && (dice >> 40) % ROWS == i)
			e.session = m->sm.sessions.rows[i].id;
	}
	if (m->op < BASE + 3 || e.kind == VR_KIND_SESSION_BEGIN) {
		e.kind = VR_KIND_SESSION_BEGIN;
		e.session = 0;
	}
	if (e.kind == VR_KIND_SESSION_END && (dice >> 48) % 4)
		e.kind = VR_KIND_NEXT;
	if (e.kind == VR_KIND_APPEND) {
		e.topic = dice >> 20;
		e.argument = (dice >> 44) % 4 ? 0 : m->sm.messages.last + (dice >> 46) % 3;
	}
	if (e.kind == VR_KIND_APPEND)
		e.body_bytes = (dice >> 50) % 8 ? (dice >> 50) % 90 : LARGE_BYTES;
	else if (e.kind == VR_KIND_NEXT || e.kind == VR_KIND_GET)
		e.body_bytes = (dice >> 50) % 10;
	for (i = 0; i < e.body_bytes; i++)
		m->body[i] = e.kind == VR_KIND_APPEND ? dice >> (i % 40) : 'a' + i;
	vr_sm_apply(&m->sm, &e, result);
}

static void go_on(struct machine *m, u32 count)
{
	struct vr_result result;

	while (count--)
		apply(m, &result);
}

static void take(struct machine *m)
{
	vr_checkpoint_take(&m->checkpoint, &m->sm, m->op, 0x1111 + m->op);
}

/* Another machine, with the checkpoint of @m as it came in datagrams. */
static struct machine *copy_of(struct machine *m)
{
	struct machine *copy = machine_new(m->t);
	struct vr_checkpoint *c = &copy->checkpoint;
	u32 offset, count;

	vr_checkpoint_expect(c, m->checkpoint.op, vr_checkpoint_hash(&m->checkpoint),
			     m->checkpoint.size);
	for (offset = 0; offset < c->size; offset += count) {
		count = vr_min(c->size - offset, VR_CHUNK_BYTES_MAX);
		VRT_ASSERT(m->t, !vr_checkpoint_whole(c));
		VRT_ASSERT(m->t, vr_checkpoint_put(c, offset, m->checkpoint.bytes + offset,
						   count));
	}
	VRT_ASSERT(m->t, vr_checkpoint_whole(c));
	return copy;
}

static void restore(struct machine *m, struct machine *like)
{
	u64 entry_hash;

	VRT_EXPECT_EQUAL(m->t, vr_checkpoint_hash(&m->checkpoint), m->checkpoint.wanted_hash);
	VRT_ASSERT(m->t, vr_checkpoint_read(&m->checkpoint, &m->sm, &entry_hash));
	VRT_EXPECT_EQUAL(m->t, entry_hash, 0x1111 + like->op);
	vr_checkpoint_restore(&m->checkpoint, &m->sm);
	m->op = like->op;
	m->prng = like->prng;
}

static void same_bytes(struct machine *a, struct machine *b)
{
	take(a);
	take(b);
	VRT_ASSERT_EQUAL(a->t, a->checkpoint.size, b->checkpoint.size);
	VRT_ASSERT(a->t, !memcmp(a->checkpoint.bytes, b->checkpoint.bytes,
				 a->checkpoint.size));
	VRT_EXPECT_EQUAL(a->t, vr_checkpoint_hash(&a->checkpoint),
			 vr_checkpoint_hash(&b->checkpoint));
}

static void same_results(struct machine *a, struct machine *b, u32 count)
{
	while (count--) {
		struct vr_result ours, theirs;

		memset(&ours, 0, sizeof(ours));
		memset(&theirs, 0, sizeof(theirs));
		apply(a, &ours);
		apply(b, &theirs);
		VRT_ASSERT_EQUAL(a->t, ours.error, theirs.error);
		VRT_ASSERT_EQUAL(a->t, ours.index, theirs.index);
		VRT_ASSERT_EQUAL(a->t, ours.view, theirs.view);
		VRT_ASSERT_EQUAL(a->t, ours.first, theirs.first);
		VRT_ASSERT_EQUAL(a->t, ours.last, theirs.last);
	}
}

static void empty(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;

	take(m);
	copy = copy_of(m);
	go_on(copy, 40);
	restore(copy, m);
	same_bytes(m, copy);
	same_results(m, copy, 200);
	same_bytes(m, copy);
}

/* What comes after is decided alike: rows, arenas, evictions, windows. */
static void round_trip(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	u32 i;

	for (i = 0; i < 40; i++) {
		go_on(m, 1 + i * 7 % 23);
		take(m);
		copy = copy_of(m);
		/* It replaces whatever was there. */
		go_on(copy, i % 30);
		restore(copy, m);
		same_bytes(m, copy);
		same_results(m, copy, 60);
		same_bytes(m, copy);
	}
	/* The ring of messages has wrapped, the table of counters is full. */
	VRT_EXPECT(t, m->sm.messages.first > BASE + 100);
	VRT_EXPECT_EQUAL(t, m->sm.counter_count, COUNTERS);
}

static void second_hand(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	u32 i;

	go_on(m, 100);
	for (i = 0; i < 12; i++) {
		take(m);
		copy = copy_of(m);
		restore(copy, m);
		go_on(m, 17);
		go_on(copy, 17);
		same_bytes(m, copy);
		m = copy;
	}
}

static void any_order(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy = machine_new(t);
	struct vr_checkpoint *from = &m->checkpoint, *to = &copy->checkpoint;
	u32 chunks, i;

	do {
		go_on(m, 1);
		take(m);
		chunks = vr_checkpoint_chunk_count(from->size);
	} while (chunks < 4);
	vr_checkpoint_expect(to, from->op, vr_checkpoint_hash(from), from->size);
	for (i = chunks; i--;) {
		u32 offset = i * VR_CHUNK_BYTES_MAX;
		u32 count = vr_min(from->size - offset, VR_CHUNK_BYTES_MAX);

		VRT_EXPECT(t, !vr_checkpoint_whole(to));
		VRT_EXPECT(t, vr_checkpoint_put(to, offset, from->bytes + offset, count));
		/* Once is enough, and no other piece is one. */
		VRT_EXPECT(t, !vr_checkpoint_put(to, offset, from->bytes + offset, count));
		VRT_EXPECT(t, !vr_checkpoint_put(to, offset + 1, from->bytes, count - 1));
	}
	VRT_EXPECT(t, vr_checkpoint_whole(to));
	VRT_EXPECT(t, !memcmp(from->bytes, to->bytes, from->size));
	restore(copy, m);
}

static void wrong_chunks(struct vrt *t)
{
	struct machine *m = machine_new(t);
	struct vr_checkpoint *c = &m->checkpoint;
	u8 *bytes = vrt_alloc(t, VR_CHUNK_BYTES_MAX + 1);

	vr_checkpoint_expect(c, 9, 9, 2 * VR_CHUNK_BYTES_MAX + 5);
	VRT_EXPECT(t, !vr_checkpoint_put(c, 0, bytes, VR_CHUNK_BYTES_MAX - 1));
	VRT_EXPECT(t, !vr_checkpoint_put(c, 0, bytes, VR_CHUNK_BYTES_MAX + 1));
	VRT_EXPECT(t, !vr_checkpoint_put(c, 2 * VR_CHUNK_BYTES_MAX, bytes, 4));
	VRT_EXPECT(t, !vr_checkpoint_put(c, 2 * VR_CHUNK_BYTES_MAX, bytes, 6));
	VRT_EXPECT(t, !vr_checkpoint_put(c, 3 * VR_CHUNK_BYTES_MAX, bytes, 5));
	VRT_EXPECT(t, !vr_checkpoint_put(c, 0u - VR_CHUNK_BYTES_MAX, bytes, 5));
	VRT_EXPECT_EQUAL(t, c->here, 0);
	VRT_EXPECT(t, vr_checkpoint_put(c, 2 * VR_CHUNK_BYTES_MAX, bytes, 5));
	VRT_EXPECT_EQUAL(t, c->here, 0);
	VRT_EXPECT(t, vr_checkpoint_put(c, 0, bytes, VR_CHUNK_BYTES_MAX));
	VRT_EXPECT_EQUAL(t, c->here, VR_CHUNK_BYTES_MAX);
	VRT_EXPECT(t, vr_checkpoint_put(c, VR_CHUNK_BYTES_MAX, bytes, VR_CHUNK_BYTES_MAX));
	VRT_EXPECT(t, vr_checkpoint_whole(c));
	/* What is expected anew has nothing of the old. */
	vr_checkpoint_expect(c, 10, 9, 2 * VR_CHUNK_BYTES_MAX + 5);
	VRT_EXPECT_EQUAL(t, c->here, 0);
	VRT_EXPECT(t, vr_checkpoint_put(c, 0, bytes, VR_CHUNK_BYTES_MAX));
}

/* A damaged one has another hash, or is refused; none is restored. */
static void every_byte(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	struct vr_checkpoint *c;
	u64 hash, entry_hash;
	u32 i;

	go_on(m, 120);
	take(m);
	copy = copy_of(m);
	c = &copy->checkpoint;
	hash = vr_checkpoint_hash(c);
	for (i = 0; i < c->size; i++) {
		u8 was = c->bytes[i];

		c->bytes[i] ^= 1u << i % 8;
		VRT_EXPECT(t, vr_bytes_hash(c->bytes, c->size, 0) != hash);
		/* Nor does it harm to look at it. */
		vr_checkpoint_read(c, &copy->sm, &entry_hash);
		c->bytes[i] = was;
	}
	VRT_EXPECT_EQUAL(t, vr_bytes_hash(c->bytes, c->size, 0), hash);
	VRT_EXPECT_EQUAL(t, copy->sm.counter_count, 0);
	VRT_EXPECT_EQUAL(t, copy->sm.messages.last, BASE);
}

static void every_length(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	struct vr_checkpoint *c;
	u64 entry_hash;
	u32 size, cut;

	go_on(m, 60);
	take(m);
	copy = copy_of(m);
	c = &copy->checkpoint;
	size = c->size;
	for (cut = 0; cut < size; cut++) {
		/* At the very end of the room: one byte too far would be seen. */
		u8 *bytes = c->bytes;

		c->size = cut;
		c->bytes = bytes + c->size_max - cut;
		memmove(c->bytes, bytes, cut);
		VRT_EXPECT(t, !vr_checkpoint_read(c, &copy->sm, &entry_hash));
		c->bytes = bytes;
		memcpy(bytes, m->checkpoint.bytes, size);
	}
	c->size = size + 1;
	VRT_EXPECT(t, !vr_checkpoint_read(c, &copy->sm, &entry_hash));
	c->size = size;
	VRT_EXPECT(t, vr_checkpoint_read(c, &copy->sm, &entry_hash));
	VRT_EXPECT_EQUAL(t, copy->sm.counter_count, 0);
}

static void other_sizes(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	u64 entry_hash;

	go_on(m, 900);
	take(m);
	VRT_ASSERT_EQUAL(t, m->sm.counter_count, COUNTERS);
	copy = copy_of(m);
	copy->sm.counters_max = COUNTERS - 1;
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	copy->sm.counters_max = COUNTERS;
	copy->sm.sessions.max = 1;
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	copy->sm.sessions.max = ROWS;
	copy->sm.base = 0;
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	copy->sm.base = BASE;
	copy->checkpoint.op++;
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	copy->checkpoint.op--;
	VRT_EXPECT(t, vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
}

static bool believed(struct machine *m)
{
	struct machine *copy;
	u64 entry_hash;

	take(m);
	copy = copy_of(m);
	return vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash);
}

/* Its hash is right: whoever wrote it is a member, and means no good. */
static void lies(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	struct vr_session *rows = m->sm.sessions.rows;
	struct vr_ring *messages = &m->sm.messages;
	u64 entry_hash, i;
	u32 longest = 1;

	go_on(m, 120);
	VRT_EXPECT(t, believed(m));
	for (i = 0; i < 2; i++) {
		const struct vr_session was = rows[i];

		VRT_ASSERT(t, was.id);
		rows[i].active_op = m->op + 1;
		VRT_EXPECT(t, !believed(m));
		rows[i].active_op = was.id - 1;
		VRT_EXPECT(t, !believed(m));
		rows[i].id = BASE;
		VRT_EXPECT(t, !believed(m));
		rows[i] = was;
	}
	for (i = messages->first; i <= messages->last; i++) {
		struct vr_entry *e = vr_ring_get(messages, i);
		const struct vr_entry was = *e;

		longest = vr_max(longest, e->body_bytes);
		e->op = i == messages->last ? m->op + 1 : vr_ring_get(messages, i + 1)->op;
		VRT_EXPECT(t, !believed(m));
		*e = was;
		e->kind = VR_KIND_NEXT;
		VRT_EXPECT(t, !believed(m));
		*e = was;
	}
	VRT_EXPECT(t, believed(m));

	/* A body for which there is no room. */
	copy = copy_of(m);
	copy->checkpoint.body_bytes_max = longest - 1;
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	/* Numbers that would not end, and a place that there is not. */
	copy = copy_of(m);
	vr_put64(copy->checkpoint.bytes + 56, VR_NUMBER_MAX + 1);
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	copy = copy_of(m);
	vr_put64(copy->checkpoint.bytes + 64, 1ull << 32);
	VRT_EXPECT(t, !vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));

	/* One id twice is one session. */
	rows[1].id = rows[0].id;
	rows[1].active_op = rows[0].active_op;
	VRT_EXPECT(t, believed(m));
	copy = copy_of(m);
	vr_checkpoint_restore(&copy->checkpoint, &copy->sm);
	VRT_EXPECT(t, copy->sm.sessions.rows[0].id && !copy->sm.sessions.rows[1].id);
}

/* Who keeps fewer messages than those who sent it has the newest of them. */
static void fewer_messages(struct vrt *t)
{
	struct machine *m = machine_new(t), *copy;
	struct vr_ring *messages;
	u64 entry_hash;

	go_on(m, 120);
	VRT_ASSERT(t, m->sm.messages.last - m->sm.messages.first + 1 > 4);
	take(m);
	copy = copy_of(m);
	messages = &copy->sm.messages;
	messages->slot_count = 4;
	messages->arena_bytes = 2 * LARGE_BYTES;
	vr_sm_reset(&copy->sm, BASE);
	VRT_ASSERT(t, vr_checkpoint_read(&copy->checkpoint, &copy->sm, &entry_hash));
	vr_checkpoint_restore(&copy->checkpoint, &copy->sm);
	VRT_EXPECT_EQUAL(t, messages->last, m->sm.messages.last);
	VRT_EXPECT(t, messages->first > m->sm.messages.first);
	VRT_EXPECT(t, messages->last - messages->first < 4);
	VRT_EXPECT_EQUAL(t, vr_ring_get(messages, messages->last)->op,
			 vr_ring_get(&m->sm.messages, messages->last)->op);
}

/* As full as it can be, it fits the room there is. */
static void largest(struct vrt *t)
{
	struct machine *m = machine_new(t);
	struct vr_result result;
	u32 i, j;

	for (i = 0; i < ROWS; i++) {
		struct vr_entry e = {
			.op = ++m->op, .argument = 7, .request = i + 1,
			.kind = VR_KIND_SESSION_BEGIN,
		};

		vr_sm_apply(&m->sm, &e, &result);
		for (j = 1; j <= VR_WINDOW + 2; j++) {
			e.op = ++m->op;
			e.session = result.index;
			e.request = j;
			e.kind = VR_KIND_NEXT;
			e.body = m->body;
			memset(m->body, 'a' + (i * VR_WINDOW + j) % COUNTERS,
			       VR_NAME_BYTES_MAX);
			e.body_bytes = VR_NAME_BYTES_MAX;
			vr_sm_apply(&m->sm, &e, &result);
			result.index = e.session;
		}
	}
	for (i = 0; i < 3 * MESSAGES; i++) {
		struct vr_entry e = {
			.op = ++m->op, .session = result.index, .request = 1000 + i,
			.kind = VR_KIND_APPEND, .body = m->body,
			.body_bytes = MESSAGE_BYTES / MESSAGES,
		};

		vr_sm_apply(&m->sm, &e, &result);
		result.index = e.session;
	}
	take(m);
	VRT_EXPECT_EQUAL(t, m->sm.counter_count, COUNTERS);
	VRT_EXPECT_EQUAL(t, m->checkpoint.size, m->checkpoint.size_max);
}

static void hashes(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, 32);
	u64 hash = vr_bytes_hash(bytes, 32, 0);

	/* Zeros count, and so does where they end. */
	VRT_EXPECT(t, hash != vr_bytes_hash(bytes, 31, 0));
	VRT_EXPECT(t, hash != vr_bytes_hash(bytes, 24, 0));
	VRT_EXPECT(t, hash != vr_bytes_hash(bytes, 32, 1));
	bytes[31] = 1;
	VRT_EXPECT(t, hash != vr_bytes_hash(bytes, 32, 0));
}

static struct vrt_case cases[] = {
	{ empty, "the checkpoint of nothing is that of an empty state machine" },
	{ round_trip, "restored, a state machine is the same and goes on alike" },
	{ second_hand, "what was restored gives the same bytes as what was lived" },
	{ any_order, "chunks may come in any order, and each counts once" },
	{ wrong_chunks, "a piece that is no chunk is refused" },
	{ every_byte, "every damaged byte shows in the hash" },
	{ every_length, "no part of a checkpoint is one, whatever its length" },
	{ other_sizes, "a checkpoint that does not fit is refused" },
	{ lies, "a checkpoint that contradicts itself is refused" },
	{ fewer_messages, "who keeps fewer messages has the newest of a checkpoint" },
	{ largest, "the largest checkpoint fills the room exactly" },
	{ hashes, "the hash knows zeros and lengths" },
	{ }
};

VRT_SUITE(checkpoint, cases);
