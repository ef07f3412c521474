// SPDX-License-Identifier: GPL-2.0
/* Falling behind what others still hold: checkpoints over the network (R12-R14). */
#include "cluster.h"

#define BODY_BYTES 1000
#define REQUESTS 200

static void large_messages(struct vr_config *cfg)
{
	cfg->messages = 64;
	cfg->message_bytes = 64 * CLUSTER_BODY_BYTES_MAX;
}

static void append(struct cluster *c, u8 slot, u64 session, u64 request, u32 bytes)
{
	static char text[CLUSTER_BODY_BYTES_MAX + 1];
	u32 i;

	for (i = 0; i < bytes; i++)
		text[i] = 'a' + (request + i) % 26;
	text[bytes] = 0;
	cluster_submit(c, slot, 0, VR_KIND_APPEND, session, request, 0, text);
	cluster_run(c);
	VRT_ASSERT_EQUAL(c->t, c->answers[slot][0].done.outcome, VR_OUTCOME_APPLIED);
}

/* The last member has missed so much that nobody has the entries it needs. */
static struct cluster *behind(struct vrt *t, u8 count)
{
	struct cluster *c = cluster_tuned(t, count, large_messages);
	u64 session = cluster_begin(c, 0, 0);
	u8 last = count - 1;
	u32 i;

	c->down = 1u << last;
	for (i = 1; i <= REQUESTS; i++)
		append(c, 0, session, i, BODY_BYTES);
	c->down = 0;
	cluster_wait(c, CLUSTER_HEARTBEAT_NS / 4);
	cluster_forget(c);
	VRT_ASSERT(t, cluster_info(c, 0)->op_first > 2);
	VRT_ASSERT_EQUAL(t, cluster_info(c, last)->op, 1);
	return c;
}

/* It hears of what it lacks, asks, and is told that it is too late. */
static void asks_for_checkpoint(struct cluster *c, u8 slot)
{
	cluster_draft(c, VR_COMMIT, 0, slot)->commit = REQUESTS + 1;
	c->draft.heartbeat_ns = 1;
	cluster_receive(c);
	cluster_deliver(c, cluster_take(c, VR_GET_STATE, slot, 0));
	cluster_deliver(c, cluster_take(c, VR_NEW_STATE, 0, slot));
	VRT_ASSERT(c->t, cluster_find(c, VR_GET_CHECKPOINT, slot, CLUSTER_ANY));
}

static u64 of(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->checkpoint_op;
}

static void is_like(struct cluster *c, u8 slot, u8 other)
{
	u64 sequence;

	EXPECT_STATUS(c, slot, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(c->t, cluster_info(c, slot)->commit, cluster_info(c, other)->commit);
	for (sequence = vr_replica_sequence_first(c->replicas[other]);
	     sequence <= vr_replica_sequence_last(c->replicas[other]); sequence++) {
		const struct vr_entry *a = vr_replica_message(c->replicas[slot], sequence);
		const struct vr_entry *b = vr_replica_message(c->replicas[other], sequence);

		VRT_ASSERT(c->t, a && b && a->op == b->op && a->body_bytes == b->body_bytes);
		VRT_EXPECT(c->t, !memcmp(a->body, b->body, a->body_bytes));
	}
	if (of(c, slot) == of(c, other))
		VRT_EXPECT_EQUAL(c->t, vr_replica_checkpoint_hash(c->replicas[slot]),
				 vr_replica_checkpoint_hash(c->replicas[other]));
	cluster_agrees(c);
}

static void beyond_the_log(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	u64 session;

	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	is_like(c, 2, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfer_bytes_total, 0);
	/* The log begins behind it (D13). */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->op_first, of(c, 2) + 1);
	VRT_EXPECT(t, c->readable[2]);
	/* The primary has enough to do. */
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_CHECKPOINT], 0);
	VRT_EXPECT(t, c->sent[1][VR_CHECKPOINT] > 40);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view, 0);
	/* It counts, and leads if it must. */
	c->down = 2;
	session = cluster_begin(c, 2, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 1, session, 1), 1);
}

static void chunks_lost(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	u32 count = 0, rounds = 0;

	asks_for_checkpoint(c, 2);
	while (!cluster_info(c, 2)->transfers) {
		struct letter *l;

		VRT_ASSERT(t, ++rounds < 200);
		while ((l = cluster_find(c, VR_CHECKPOINT, CLUSTER_ANY, 2))) {
			l = cluster_take(c, VR_CHECKPOINT, l->from, 2);
			if (count++ % 3)
				cluster_deliver(c, l);
		}
		cluster_run(c);
		cluster_timeout(c, 2);
		cluster_hop(c);
	}
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	is_like(c, 2, 0);
}

static void chunks_reordered(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	struct letter *chunks[16];
	u32 rounds = 0, count;

	asks_for_checkpoint(c, 2);
	while (!cluster_info(c, 2)->transfers) {
		VRT_ASSERT(t, ++rounds < 40);
		cluster_deliver(c, cluster_take(c, VR_GET_CHECKPOINT, 2, 1));
		for (count = 0; cluster_find(c, VR_CHECKPOINT, 1, 2); count++)
			chunks[count] = cluster_take(c, VR_CHECKPOINT, 1, 2);
		VRT_ASSERT(t, count && count < 16);
		while (count--) {
			cluster_deliver(c, chunks[count]);
			cluster_deliver(c, chunks[count]);
		}
	}
	VRT_EXPECT(t, rounds > 3);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	is_like(c, 2, 0);
}

static void source_dies(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	const struct vr_message *m;
	struct letter *question;

	asks_for_checkpoint(c, 2);
	cluster_deliver(c, cluster_take(c, VR_GET_CHECKPOINT, 2, 1));
	while (cluster_find(c, VR_CHECKPOINT, 1, 2))
		cluster_deliver(c, cluster_take(c, VR_CHECKPOINT, 1, 2));
	VRT_EXPECT(t, cluster_info(c, 2)->transfer_bytes > 8000);
	VRT_EXPECT(t, cluster_info(c, 2)->transfer_bytes_total > 30000);
	cluster_forget(c);
	c->down = 2;
	while (!cluster_find(c, VR_GET_CHECKPOINT, 2, 0)) {
		c->first = c->last;
		cluster_timeout(c, 2);
	}
	/* The other one goes on where the first one ended. */
	question = cluster_find(c, VR_GET_CHECKPOINT, 2, 0);
	m = cluster_open(c, question);
	VRT_EXPECT_EQUAL(t, m->op, of(c, 0));
	VRT_EXPECT_EQUAL(t, m->offset, cluster_info(c, 2)->transfer_bytes);
	cluster_run(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	is_like(c, 2, 0);
}

static struct vr_message *draft_chunk(struct cluster *c, u64 op, u32 offset)
{
	static const u8 chunk[VR_CHUNK_BYTES_MAX];
	struct vr_message *m = cluster_draft(c, VR_CHECKPOINT, 1, 2);

	m->op = op;
	m->hash = 0x123;
	m->offset = offset;
	m->total_bytes = 2 * VR_CHUNK_BYTES_MAX;
	m->chunk = chunk;
	m->chunk_bytes = VR_CHUNK_BYTES_MAX;
	return m;
}

static void of_no_use(struct vrt *t)
{
	struct cluster *c = behind(t, 3);

	/* Nobody asked. */
	draft_chunk(c, 100, 0);
	cluster_receive(c);
	EXPECT_DROPS(c, 2, VR_DROP_CHECKPOINT, 1);
	asks_for_checkpoint(c, 2);
	/* Nothing new in it; larger than there is room for; of another view. */
	draft_chunk(c, 1, 0);
	cluster_receive(c);
	EXPECT_DROPS(c, 2, VR_DROP_CHECKPOINT, 2);
	draft_chunk(c, 100, 0)->total_bytes = 1u << 30;
	cluster_receive(c);
	EXPECT_DROPS(c, 2, VR_DROP_CHECKPOINT, 3);
	draft_chunk(c, 100, 0)->view = 1;
	cluster_receive(c);
	EXPECT_DROPS(c, 2, VR_DROP_CHECKPOINT, 4);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfer_bytes, 0);
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	is_like(c, 2, 0);
}

/* Whole, and not what it says it is: the state machine does not see it. */
static void damaged(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	u64 dropped;

	asks_for_checkpoint(c, 2);
	draft_chunk(c, REQUESTS, 0);
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfer_bytes, VR_CHUNK_BYTES_MAX);
	dropped = cluster_drops(c, 2, VR_DROP_CHECKPOINT);
	draft_chunk(c, REQUESTS, VR_CHUNK_BYTES_MAX);
	cluster_receive(c);
	EXPECT_DROPS(c, 2, VR_DROP_CHECKPOINT, dropped + 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->sequence_last, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->checkpoint_op, 0);
	/* A sound one comes all the same. */
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	is_like(c, 2, 0);
}

/* Parts of two that claim to be one: the hash of the whole tells. */
static void patched(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	struct letter *chunk;
	u32 spoiled = 0;

	asks_for_checkpoint(c, 2);
	while (!cluster_info(c, 2)->transfers && spoiled < 3) {
		if (!cluster_find(c, VR_GET_CHECKPOINT, 2, CLUSTER_ANY))
			cluster_timeout(c, 2);
		while (cluster_find(c, VR_GET_CHECKPOINT, 2, CLUSTER_ANY)) {
			chunk = cluster_find(c, VR_GET_CHECKPOINT, 2, CLUSTER_ANY);
			cluster_deliver(c, cluster_take(c, VR_GET_CHECKPOINT, 2, chunk->to));
		}
		while (cluster_find(c, VR_CHECKPOINT, CLUSTER_ANY, 2)) {
			chunk = cluster_find(c, VR_CHECKPOINT, CLUSTER_ANY, 2);
			chunk = cluster_take(c, VR_CHECKPOINT, chunk->from, 2);
			if (cluster_open(c, chunk)->offset == 10 * VR_CHUNK_BYTES_MAX) {
				chunk->data[chunk->bytes - 9] ^= 0x10;
				spoiled++;
			}
			cluster_deliver(c, chunk);
		}
	}
	VRT_EXPECT_EQUAL(t, spoiled, 3);
	VRT_EXPECT(t, cluster_drops(c, 2, VR_DROP_CHECKPOINT) >= 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 1);
	c->first = c->last;
	cluster_wait(c, 8 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	is_like(c, 2, 0);
}

/* A new view is being installed; the group has gone on beyond its START_VIEW. */
static void newer_than_start_view(struct vrt *t)
{
	struct cluster *c = behind(t, 5);
	struct letter *start;
	u64 session, i, op;

	/* 4 hears nothing of view 1 but that it is wanted. */
	c->down = 1u << 4 | 1;
	while (cluster_status(c, 1) != VR_STATUS_NORMAL || cluster_info(c, 1)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	c->down = 1;
	cluster_draft(c, VR_PREPARE_OK, 4, 1)->view = 0;
	cluster_receive(c);
	start = cluster_take(c, VR_START_VIEW, 1, 4);
	op = cluster_open(c, start)->op;
	c->down = 1u << 4 | 1;
	session = cluster_begin(c, 1, 5);
	for (i = 1; i <= 160; i++) {
		cluster_submit(c, 1, 0, VR_KIND_APPEND, session, i, 0, "more");
		cluster_run(c);
	}
	VRT_ASSERT(t, of(c, 1) > op);
	c->down = 1;
	cluster_deliver(c, start);
	EXPECT_STATUS(c, 4, VR_STATUS_VIEW_CHANGE);
	while (cluster_status(c, 4) == VR_STATUS_VIEW_CHANGE) {
		VRT_ASSERT(t, cluster_info(c, 4)->view == 1);
		if (!cluster_hop(c))
			cluster_timeout(c, 4);
	}
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->transfers, 1);
	VRT_EXPECT(t, cluster_info(c, 4)->commit > op);
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	is_like(c, 4, 1);
}

/* An old primary has entries of its own: the checkpoint stands instead of them. */
static void instead_of_a_tail(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, large_messages);
	u64 session, other = cluster_begin(c, 1, 0), i;

	session = cluster_begin(c, 0, 1);
	c->cut[0] = 0xff;
	c->cut[1] = 1;
	c->cut[2] = 1;
	for (i = 1; i <= 5; i++)
		cluster_submit(c, 0, 10 + i, VR_KIND_NEXT, session, i, 1, NULL);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 0)->op, 7);
	while (cluster_status(c, 1) != VR_STATUS_NORMAL || cluster_info(c, 1)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	for (i = 1; i <= REQUESTS; i++)
		append(c, 1, other, i, BODY_BYTES);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	is_like(c, 0, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->transfers, 1);
	/* All five are asked for again, and applied once each. */
	for (i = 1; i <= 5; i++) {
		EXPECT_ANSWER(c, 0, 10 + i, 1, VR_OUTCOME_APPLIED, 0);
		VRT_EXPECT_EQUAL(t, c->answers[0][10 + i].done.result.first, i);
	}
}

static void asked_in_vain(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	/* There is none. */
	cluster_draft(c, VR_GET_CHECKPOINT, 2, 1);
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_UNWANTED, 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	c = behind(t, 3);
	cluster_draft(c, VR_GET_CHECKPOINT, 2, 0)->view = 4;
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_UNWANTED, 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	/* From the middle of another one, it gets the beginning of this one. */
	cluster_draft(c, VR_GET_CHECKPOINT, 2, 0)->offset = 5 * VR_CHUNK_BYTES_MAX;
	c->draft.op = 3;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_find(c, VR_CHECKPOINT, 0, 2))->offset, 0);
	c->first = c->last;
	/* Far beyond its end there is nothing. */
	cluster_draft(c, VR_GET_CHECKPOINT, 2, 0)->offset = U32_MAX;
	c->draft.op = of(c, 0);
	c->draft.hash = vr_replica_checkpoint_hash(c->replicas[0]);
	cluster_receive(c);
	VRT_EXPECT(t, !cluster_find(c, VR_CHECKPOINT, 0, 2));
}

/* I11: an entry is dropped from the log only when a checkpoint has it. */
static void nothing_is_lost(struct vrt *t, u32 bytes)
{
	struct cluster *c = cluster_tuned(t, 3, large_messages);
	u64 session = cluster_begin(c, 1, 0), i;
	u8 slot;

	for (i = 1; i <= 3 * VR_ENTRIES_MIN; i++) {
		append(c, 1, session, i, bytes);
		for (slot = 0; slot < 3; slot++) {
			const struct vr_info *info = cluster_info(c, slot);

			VRT_ASSERT(t, info->op_first <= info->checkpoint_op + 1);
		}
	}
	VRT_EXPECT(t, cluster_info(c, 0)->op_first > VR_ENTRIES_MIN);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	is_like(c, 1, 0);
	is_like(c, 2, 0);
	VRT_EXPECT_EQUAL(t, of(c, 1), of(c, 0));
	VRT_EXPECT_EQUAL(t, of(c, 2), of(c, 0));
}

static void log_keeps(struct vrt *t)
{
	nothing_is_lost(t, 0);
	nothing_is_lost(t, 150);
	nothing_is_lost(t, CLUSTER_BODY_BYTES_MAX);
}

/* One that got a checkpoint takes the next ones where all others do. */
static void alike_after(struct vrt *t)
{
	struct cluster *c = behind(t, 3);
	u64 session, i;

	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	session = cluster_begin(c, 2, 0);
	for (i = 1; i <= 100; i++) {
		append(c, 2, session, i, BODY_BYTES);
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
		VRT_ASSERT_EQUAL(t, of(c, 2), of(c, 0));
		VRT_ASSERT_EQUAL(t, vr_replica_checkpoint_hash(c->replicas[2]),
				 vr_replica_checkpoint_hash(c->replicas[0]));
	}
	VRT_EXPECT(t, cluster_info(c, 2)->checkpoints >= 3);
}

/* What was lost turns up after all, before any of the checkpoint has come. */
static void overtaken(struct vrt *t)
{
	struct letter **late = vrt_alloc(t, (REQUESTS + 1) * sizeof(*late));
	struct cluster *c = cluster_tuned(t, 3, large_messages);
	u64 session = cluster_begin(c, 0, 0);
	static char text[BODY_BYTES + 1];
	u32 i;

	memset(text, 'x', BODY_BYTES);
	for (i = 1; i <= REQUESTS; i++) {
		cluster_submit(c, 0, 0, VR_KIND_APPEND, session, i, 0, text);
		late[i] = cluster_take(c, VR_PREPARE, 0, 2);
		c->cut[0] = 4;
		cluster_run(c);
		c->cut[0] = 0;
	}
	cluster_forget(c);
	asks_for_checkpoint(c, 2);
	cluster_forget(c);
	for (i = 1; i <= REQUESTS; i++)
		cluster_deliver(c, late[i]);
	VRT_ASSERT(t, cluster_info(c, 2)->commit > of(c, 0));
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfer_bytes_total, 0);
	/* It mends the next gap from the log, which has it. */
	c->cut[0] = 4;
	append(c, 0, session, REQUESTS + 1, 1);
	c->cut[0] = 0;
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	is_like(c, 2, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 0);
}

static struct vrt_case cases[] = {
	{ beyond_the_log, "who needs what no log has gets a checkpoint, from a backup" },
	{ chunks_lost, "every third chunk may be lost" },
	{ chunks_reordered, "chunks may come backwards, and twice" },
	{ source_dies, "another source goes on where the first one ended" },
	{ of_no_use, "a checkpoint of no use is dropped" },
	{ damaged, "a checkpoint that is none is not looked at" },
	{ patched, "a single wrong bit is noticed, however often it comes" },
	{ newer_than_start_view, "a checkpoint may be newer than the view's beginning" },
	{ instead_of_a_tail, "a checkpoint stands instead of what was never committed" },
	{ overtaken, "who got there by itself needs no checkpoint any more" },
	{ asked_in_vain, "who has no checkpoint, or another one, says no more" },
	{ log_keeps, "the log keeps what no checkpoint has" },
	{ alike_after, "after a transfer checkpoints are taken at the same ops" },
	{ }
};

VRT_SUITE(repair, cases);
