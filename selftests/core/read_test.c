// SPDX-License-Identifier: GPL-2.0
/* Reads that are no entries: by index, by lease, local. */
#include "cluster.h"

#define LEASE_NS (CLUSTER_TIMEOUT_NS / 2)

static void durable(struct vr_config *cfg)
{
	cfg->memory_is_durable = true;
}

static void leased(struct vr_config *cfg)
{
	cfg->lease_ns = LEASE_NS;
}

static u64 value(struct cluster *c, u8 slot, u32 handle)
{
	return c->answers[slot][handle].done.result.last;
}

static u32 answer_count(struct cluster *c, u8 slot, u32 handle)
{
	return c->answers[slot][handle].count;
}

/* A group in which number 1 has been drawn, by handle 0 of member 1. */
static struct cluster *drawn(struct vrt *t, u8 count, u64 *session)
{
	struct cluster *c = cluster_formed(t, count);

	*session = cluster_begin(c, 1, 0);
	VRT_ASSERT_EQUAL(t, cluster_next(c, 1, 0, *session, 1), 1);
	cluster_forget(c);
	return c;
}

static void index_at_primary(struct vrt *t)
{
	u64 session, log;
	struct cluster *c = drawn(t, 3, &session);

	log = cluster_info(c, 0)->op;
	cluster_read(c, 0, 5, VR_READ_INDEX);
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	/* One heartbeat there, one echo back. */
	VRT_EXPECT_EQUAL(t, cluster_hop(c), 2);
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 0, 5), 1);
	VRT_EXPECT_EQUAL(t, c->answers[0][5].done.result.index, log);
	/* It is no entry. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, log);
}

static void index_of_one(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 1);
	u64 session = cluster_begin(c, 0, 0);

	cluster_next(c, 0, 0, session, 1);
	cluster_read(c, 0, 5, VR_READ_INDEX);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 0, 5), 1);
	cluster_read(c, 0, 5, VR_READ_LOCAL);
	EXPECT_ANSWER(c, 0, 5, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[0][5].done.result.first, 0);
}

/* In a group of three the two of them are a quorum: one round trip. */
static void index_at_backup(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_NEW_INDEX, 0, 2));
	/* What it has applied may be older than the index: then it waits. */
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
}

/* Of five, one more has to confirm. */
static void index_of_five(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 5, &session);

	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	VRT_EXPECT(t, !cluster_find(c, VR_NEW_INDEX, 0, 2));
	/* Who asks counts already; its echo adds nobody. */
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	VRT_EXPECT(t, !cluster_find(c, VR_NEW_INDEX, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 3));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 3, 0));
	VRT_EXPECT(t, cluster_find(c, VR_NEW_INDEX, 0, 2));
	cluster_run(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
}

/* An echo of a heartbeat that was under way before the question proves nothing. */
static void echo_from_before(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	struct letter *echo[2];
	u8 i;

	cluster_timeout(c, 0);
	while (!cluster_find(c, VR_COMMIT, 0, 2))
		cluster_timeout(c, 0);
	for (i = 0; i < 2; i++) {
		cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 1 + i));
		echo[i] = cluster_take(c, VR_PREPARE_OK, 1 + i, 0);
	}
	cluster_read(c, 0, 5, VR_READ_INDEX);
	cluster_deliver(c, echo[0]);
	cluster_deliver(c, echo[1]);
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	cluster_run(c);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
}

/* Reads that come while one is asked for share the next question. */
static void batches(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	u32 i;

	for (i = 0; i < 40; i++)
		cluster_read(c, 2, 10 + i, VR_READ_INDEX);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_GET_INDEX], 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_GET_INDEX], 2);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	for (i = 0; i < 40; i++)
		EXPECT_ANSWER(c, 2, 10 + i, 1, VR_OUTCOME_APPLIED, 0);
}

/* More than one step has room to answer: none is forgotten. */
static void many(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	u32 i;

	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 2, 1, NULL);
	for (i = 1; i < CLUSTER_HANDLES; i++)
		cluster_read(c, 0, i, VR_READ_INDEX);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	for (i = 1; i < CLUSTER_HANDLES; i++)
		EXPECT_ANSWER(c, 0, i, 1, VR_OUTCOME_APPLIED, 0);
}

/* The old primary slept; a new one leads. It answers nothing before it knows. */
static void paused_primary(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	u8 down = 1;

	c->down = down;
	while (cluster_status(c, 1) != VR_STATUS_NORMAL || cluster_info(c, 1)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
	cluster_forget(c);
	c->down = 0;
	cluster_read(c, 0, 5, VR_READ_INDEX);
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 0, 5), 2);
}

static void cut_off(struct cluster *c, u8 slot)
{
	u8 i;

	for (i = 0; i < c->count; i++)
		c->cut[i] |= i == slot ? 0xff : 1u << slot;
}

/* Cut off, it can confirm nothing; in bounded time it says so. */
static void alone(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cut_off(c, 0);
	cluster_read(c, 0, 5, VR_READ_INDEX);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
}

/* R5: a backup has answered a client before the primary knows that it may. */
static void sees_early_commit(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, durable);
	u64 session = cluster_begin(c, 1, 0);
	struct letter *ok;

	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	ok = cluster_take(c, VR_PREPARE_OK, 1, 0);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 1);
	cluster_forget(c);

	cluster_read(c, 0, 5, VR_READ_INDEX);
	/* 2 confirms, and has not heard of the entry. */
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_NEW_INDEX, 0, 2));
	VRT_EXPECT_EQUAL(t, answer_count(c, 2, 5), 0);
	cluster_deliver(c, ok);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 0, 5), 1);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
}

/* What the view before may have answered is in the log, and must be committed. */
static void fresh_primary(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 2, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	cluster_forget(c);
	c->down = 1;
	while (cluster_status(c, 1) != VR_STATUS_NORMAL || cluster_info(c, 1)->view != 1) {
		cluster_hop(c);
		cluster_timeout(c, 1);
		cluster_timeout(c, 2);
	}
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 3);
	VRT_ASSERT(t, cluster_info(c, 1)->commit < 3);
	cluster_forget(c);
	cluster_read(c, 1, 5, VR_READ_INDEX);
	/* Confirmed at once, and not enough. */
	cluster_draft(c, VR_PREPARE_OK, 2, 1)->heartbeat_ns = c->now_ns + 1000;
	VRT_EXPECT_EQUAL(t, answer_count(c, 1, 5), 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 1, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 1, 5), 2);
}

/* An answer to an earlier question, view or life is none. */
static void stale_answers(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	struct letter *answer;

	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	answer = cluster_take(c, VR_NEW_INDEX, 0, 2);
	cluster_deliver(c, answer);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
	cluster_forget(c);
	/* Once more, for the next one. */
	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, answer);
	EXPECT_DROPS(c, 2, VR_DROP_UNWANTED, 1);
	VRT_EXPECT_EQUAL(t, answer_count(c, 2, 5), 1);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	answer = cluster_take(c, VR_NEW_INDEX, 0, 2);
	/* The view it was of ends. */
	cut_off(c, 0);
	while (cluster_status(c, 2) != VR_STATUS_NORMAL || cluster_info(c, 2)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS / 4);
	cluster_deliver(c, answer);
	EXPECT_DROPS(c, 2, VR_DROP_UNWANTED, 2);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 2, 5, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 2);
}

static void earlier_life(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);
	struct letter *answer;

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, cluster_take(c, VR_GET_INDEX, 2, 0));
	answer = cluster_take(c, VR_NEW_INDEX, 0, 2);
	cluster_demote(c, 2);
	cluster_deliver(c, answer);
	VRT_EXPECT_EQUAL(t, answer_count(c, 2, 5), 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
	cluster_forget(c);
	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_deliver(c, answer);
	VRT_EXPECT_EQUAL(t, answer_count(c, 2, 5), 1);
}

static void question_lost(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_read(c, 2, 5, VR_READ_INDEX);
	cluster_take(c, VR_GET_INDEX, 2, 0);
	while (!cluster_find(c, VR_NEW_INDEX, 0, 2)) {
		cluster_timeout(c, 2);
		cluster_hop(c);
	}
	cluster_take(c, VR_NEW_INDEX, 0, 2);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
}

static void not_the_primary(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_draft(c, VR_GET_INDEX, 2, 1)->view = 1;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_NEWER_VIEW, 1);
	VRT_EXPECT(t, !cluster_find(c, VR_NEW_INDEX, 1, 2));
	cut_off(c, 0);
	while (cluster_info(c, 0)->has_quorum)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	cluster_draft(c, VR_GET_INDEX, 2, 0);
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_NOT_PRIMARY, 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
}

static void bad_name(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 1);
	struct vr_event event = { .type = VR_EVENT_SUBMIT };
	u8 *name = vrt_alloc(t, VR_NAME_BYTES_MAX + 1);

	event.submit.kind = VR_KIND_GET;
	event.submit.read = VR_READ_INDEX;
	event.submit.handle = 3;
	event.submit.body = name;
	event.submit.body_bytes = VR_NAME_BYTES_MAX + 1;
	cluster_step(c, 0, &event);
	EXPECT_ANSWER(c, 0, 3, 1, VR_OUTCOME_NOT_APPLIED, -EINVAL);
	event.submit.body_bytes = VR_NAME_BYTES_MAX;
	cluster_step(c, 0, &event);
	EXPECT_ANSWER(c, 0, 3, 2, VR_OUTCOME_APPLIED, 0);
}

/* ---- lease ---------------------------------------------------------------- */

static struct cluster *with_lease(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, leased);

	cluster_begin(c, 1, 0);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	return c;
}

static void lease_is_off(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	cluster_read(c, 0, 5, VR_READ_LEASE);
	/* As INDEX. */
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 5), 0);
	VRT_EXPECT(t, cluster_find(c, VR_COMMIT, 0, 1));
	cluster_run(c);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
}

static void lease_answers(struct vrt *t)
{
	struct cluster *c = with_lease(t);

	cluster_forget(c);
	cluster_read(c, 0, 5, VR_READ_LEASE);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	/* A backup has none. */
	cluster_read(c, 1, 5, VR_READ_LEASE);
	VRT_EXPECT_EQUAL(t, answer_count(c, 1, 5), 0);
	VRT_EXPECT(t, cluster_find(c, VR_GET_INDEX, 1, 0));
}

/* An eighth is kept for clocks that do not run alike. */
static void lease_ends(struct vrt *t)
{
	struct cluster *c = with_lease(t);
	u64 said_ns;

	while (cluster_find(c, VR_COMMIT, 0, 1))
		cluster_hop(c);
	while (!cluster_find(c, VR_COMMIT, 0, 1))
		cluster_timeout(c, 0);
	said_ns = c->now_ns;
	cluster_hop(c);
	cluster_hop(c);
	cluster_forget(c);
	c->cut[0] = 0xff;
	c->now_ns = said_ns + LEASE_NS - LEASE_NS / 8 - 1;
	cluster_read(c, 0, 5, VR_READ_LEASE);
	EXPECT_ANSWER(c, 0, 5, 1, VR_OUTCOME_APPLIED, 0);
	c->now_ns++;
	cluster_read(c, 0, 6, VR_READ_LEASE);
	VRT_EXPECT_EQUAL(t, answer_count(c, 0, 6), 0);
	/* Nobody leads another view before that. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 0);
}

/* Who heard the primary helps nobody else as long as it promised. */
static void promise_holds(struct vrt *t)
{
	struct cluster *c = with_lease(t);
	u64 heard_ns;

	while (!cluster_find(c, VR_COMMIT, 0, 1))
		cluster_timeout(c, 0);
	cluster_hop(c);
	heard_ns = c->now_ns;
	cluster_forget(c);
	cluster_draft(c, VR_DO_VIEW_CHANGE, 2, 1)->view = 1;
	c->draft.hash_count = 1;
	c->draft.op = c->draft.commit;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_PROMISE, 1);
	cluster_draft(c, VR_EXIT_VIEW, 2, 1)->view = 3;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_PROMISE, 2);
	cluster_draft(c, VR_EXIT_VIEW, 2, 1);
	cluster_receive(c);
	cluster_draft(c, VR_EXIT_VIEW, 0, 1);
	cluster_receive(c);
	VRT_EXPECT(t, cluster_drops(c, 1, VR_DROP_PROMISE) >= 2);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 0);
	VRT_EXPECT(t, !cluster_find(c, VR_DO_VIEW_CHANGE, 1, CLUSTER_ANY));
	c->now_ns = heard_ns + LEASE_NS;
	cluster_draft(c, VR_EXIT_VIEW, 2, 1)->view = 3;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 3);
}

/* Who got its memory back does not know what it had promised. */
static void promise_after_recovery(struct vrt *t)
{
	struct cluster *c = with_lease(t);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_demote(c, 1);
	while (cluster_status(c, 1) != VR_STATUS_NORMAL) {
		if (!cluster_hop(c))
			cluster_timeout(c, 1);
	}
	cluster_forget(c);
	cluster_draft(c, VR_EXIT_VIEW, 2, 1)->view = 3;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_PROMISE, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 0);
}

/* A primary that leaves its view has no lease, and holds nobody to a promise. */
static void leaver_frees(struct vrt *t)
{
	struct cluster *c = with_lease(t);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	cluster_leave(c, 0);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
	EXPECT_DROPS(c, 1, VR_DROP_PROMISE, 0);
}

/* ---- local ---------------------------------------------------------------- */

static void local_says_how_old(struct vrt *t)
{
	u64 session, age_ns;
	struct cluster *c = drawn(t, 3, &session);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	cluster_read(c, 2, 5, VR_READ_LOCAL);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	age_ns = c->answers[2][5].done.result.first;
	VRT_EXPECT(t, age_ns < 2 * CLUSTER_TIMEOUT_NS);

	/* It hears nothing any more: what it says is as old as that. */
	c->down = 3;
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	cluster_read(c, 2, 5, VR_READ_LOCAL);
	VRT_EXPECT_EQUAL(t, c->answers[2][5].done.result.first,
			 age_ns + 10 * CLUSTER_TIMEOUT_NS);
}

static void local_misses_something(struct vrt *t)
{
	u64 session, missed_ns;
	struct cluster *c = drawn(t, 3, &session);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	c->cut[0] = 1u << 2;
	missed_ns = c->now_ns;
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
	cluster_wait(c, CLUSTER_TIMEOUT_NS / 2);
	cluster_read(c, 2, 5, VR_READ_LOCAL);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
	VRT_EXPECT(t, c->answers[2][5].done.result.first >= c->now_ns - missed_ns);
}

static void local_without_memory(struct vrt *t)
{
	u64 session;
	struct cluster *c = drawn(t, 3, &session);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_demote(c, 2);
	cluster_read(c, 2, 5, VR_READ_LOCAL);
	VRT_EXPECT_EQUAL(t, answer_count(c, 2, 5), 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 5, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, value(c, 2, 5), 1);
}

static struct vrt_case cases[] = {
	{ index_at_primary, "INDEX at the primary takes one round trip and no entry" },
	{ index_of_one, "a group of one answers at once" },
	{ index_at_backup, "INDEX at a backup of three takes one round trip" },
	{ index_of_five, "INDEX in a group of five needs a third voter" },
	{ echo_from_before, "an echo from before the question confirms nothing" },
	{ batches, "reads that come meanwhile share the next question" },
	{ many, "more reads than a step may answer are all answered" },
	{ paused_primary, "an old primary that slept answers nothing of its own" },
	{ alone, "a primary that is cut off says so in bounded time" },
	{ sees_early_commit, "an index covers what a backup committed early" },
	{ fresh_primary, "a fresh primary commits what it inherited first" },
	{ stale_answers, "an answer to another question or view is dropped" },
	{ earlier_life, "an answer to an earlier life is dropped" },
	{ question_lost, "a lost question or answer is repeated" },
	{ not_the_primary, "who does not lead answers no question" },
	{ bad_name, "a name that is too long is refused" },
	{ lease_is_off, "without a lease LEASE is INDEX" },
	{ lease_answers, "with a lease the primary answers at once" },
	{ lease_ends, "the lease ends an eighth before the promise" },
	{ promise_holds, "a voter that promised helps no view change" },
	{ promise_after_recovery, "a promise that was forgotten is kept" },
	{ leaver_frees, "a primary that leaves frees its voters" },
	{ local_says_how_old, "LOCAL says how old it is" },
	{ local_misses_something, "LOCAL is as old as what it misses" },
	{ local_without_memory, "LOCAL waits for a memory" },
	{ }
};

VRT_SUITE(read, cases);
