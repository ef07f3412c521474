// SPDX-License-Identifier: GPL-2.0
/* The view change: who moves whom, which log survives, what halts (R6-R12). */
#include "cluster.h"

static u64 view_of(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->view;
}

static u64 op_of(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->op;
}

/* The replicas in @mask move to the next view by themselves; nothing is delivered. */
static void leave_view(struct cluster *c, u8 mask)
{
	u64 view = view_of(c, mask & 1 ? 0 : mask & 2 ? 1 : 2);
	u8 slot;

	for (slot = 0; slot < c->count; slot++) {
		if (mask & (1u << slot)) {
			cluster_draft(c, VR_EXIT_VIEW, slot == c->count - 1 ? 0 : c->count - 1,
				      slot);
			c->draft.view = view + 1;
			cluster_receive(c);
			EXPECT_STATUS(c, slot, VR_STATUS_VIEW_CHANGE);
			VRT_EXPECT_EQUAL(c->t, view_of(c, slot), view + 1);
		}
	}
}

static void primary_dies(struct vrt *t)
{
	u8 count;

	for (count = 3; count <= VR_REPLICAS_MAX; count++) {
		struct cluster *c = cluster_formed(t, count);
		u64 session = cluster_begin(c, 2, 0);

		VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
		c->down = 1;
		cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
		VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 2), 2);
		VRT_EXPECT_EQUAL(t, view_of(c, 2), 1);
		VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->primary, 1);
		cluster_agrees(c);
	}
}

static void primaries_die(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 7);
	u64 session = cluster_begin(c, 6, 0), number = 1;
	u8 dead;

	for (dead = 0; dead < 3; dead++) {
		VRT_EXPECT_EQUAL(t, cluster_next(c, 6, 0, session, number), number);
		number++;
		c->down |= 1u << dead;
		cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	}
	VRT_EXPECT_EQUAL(t, cluster_next(c, 6, 0, session, number), number);
	cluster_agrees(c);
}

static void under_way(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	/* In the log of one backup; the primary dies before it answers. */
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	c->down = 1;
	cluster_forget(c);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
}

static void one_opinion(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	/* A deaf backup misses the primary, the others do not. */
	c->cut[0] = 1 << 1;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, c->sent[1][VR_EXIT_VIEW] > 5);
	VRT_EXPECT_EQUAL(t, view_of(c, 0), 0);
	VRT_EXPECT_EQUAL(t, view_of(c, 1), 0);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 0);
	VRT_EXPECT(t, cluster_info(c, 0)->has_quorum);
}

static void opinion_withdrawn(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *late;

	c->cut[0] = 1 << 1;
	while (!cluster_find(c, VR_EXIT_VIEW, 1, 2)) {
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
		c->now_ns = vr_max(c->now_ns, c->deadline_ns[1]);
		cluster_timeout(c, 1);
	}
	late = cluster_take(c, VR_EXIT_VIEW, 1, 2);
	cluster_forget(c);
	c->cut[0] = 0;
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	cluster_wait(c, 5 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_EXIT_VIEW], 0);
	/* It is 1's alone and old by the time 2 misses the primary. */
	cluster_deliver(c, late);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 0);
}

static void later_view_adopted(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);

	cluster_draft(c, VR_EXIT_VIEW, 4, 2);
	c->draft.view = 7;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 7);
	EXPECT_STATUS(c, 2, VR_STATUS_VIEW_CHANGE);
	/* It votes there, and everybody comes along. */
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_DO_VIEW_CHANGE], 4);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, view_of(c, 0), 7);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
}

static void same_vote(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	struct letter *first, *again;
	u32 i;

	for (i = 0; i < 3; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	for (i = 0; i < 3; i++)
		cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 3));
	cluster_forget(c);
	leave_view(c, 1 << 3);
	first = cluster_take(c, VR_DO_VIEW_CHANGE, 3, 1);
	VRT_EXPECT_EQUAL(t, cluster_open(c, first)->op, 3);
	for (i = 0; i < 3; i++) {
		cluster_forget(c);
		while (!cluster_find(c, VR_DO_VIEW_CHANGE, 3, 1))
			cluster_timeout(c, 3);
		again = cluster_take(c, VR_DO_VIEW_CHANGE, 3, 1);
		VRT_ASSERT_EQUAL(t, again->bytes, first->bytes);
		VRT_EXPECT(t, !memcmp(again->data, first->data, first->bytes));
	}
	/* To everybody the same. */
	again = cluster_take(c, VR_DO_VIEW_CHANGE, 3, 4);
	again->data[7] = first->data[7];
	VRT_EXPECT(t, !memcmp(again->data, first->data, first->bytes));
}

/*
 * Replica 2 in the view change to 1, having voted with op 3, commit 2, and
 * having learnt since that op 3 is committed. Returns the vote.
 */
static struct letter *learns_after_voting(struct cluster *c)
{
	u64 session = cluster_begin(c, 1, 0);
	struct letter *vote;
	struct vr_message *m;

	cluster_next(c, 1, 0, session, 1);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 2, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_forget(c);
	leave_view(c, 1 << 2);
	vote = cluster_take(c, VR_DO_VIEW_CHANGE, 2, 1);
	VRT_EXPECT_EQUAL(c->t, cluster_open(c, vote)->commit, 2);
	VRT_EXPECT_EQUAL(c->t, cluster_open(c, vote)->op, 3);
	/* START_VIEW with an entry to fetch: what is committed is adopted at once. */
	m = cluster_draft(c, VR_START_VIEW, 1, 2);
	m->commit = 3;
	m->op = 4;
	m->hash_count = 2;
	c->draft_hashes[0] = vr_replica_entry(c->replicas[2], 3)->hash;
	c->draft_hashes[1] = 1;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(c->t, cluster_info(c, 2)->commit, 3);
	EXPECT_STATUS(c, 2, VR_STATUS_VIEW_CHANGE);
	cluster_forget(c);
	return vote;
}

static void vote_stands(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *first = learns_after_voting(c), *again;

	while (!cluster_find(c, VR_DO_VIEW_CHANGE, 2, 1))
		cluster_timeout(c, 2);
	again = cluster_take(c, VR_DO_VIEW_CHANGE, 2, 1);
	VRT_ASSERT_EQUAL(t, again->bytes, first->bytes);
	VRT_EXPECT(t, !memcmp(again->data, first->data, first->bytes));
}

/* The vote is due again in the very step in which it is overtaken. */
static void vote_overtaken(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *first = learns_after_voting(c), *vote;
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	c->now_ns += CLUSTER_TIMEOUT_NS;
	cluster_draft(c, VR_EXIT_VIEW, 0, 2);
	cluster_receive(c);
	/* So late a timer may be our own fault: nobody is given up yet (R22). */
	c->now_ns += 2 * CLUSTER_TIMEOUT_NS - 1 - 2 * CLUSTER_HEARTBEAT_NS;
	cluster_step(c, 2, &event);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 1);
	c->now_ns += 2 * CLUSTER_HEARTBEAT_NS;
	cluster_forget(c);
	cluster_step(c, 2, &event);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 2);
	VRT_EXPECT(t, cluster_find(c, VR_DO_VIEW_CHANGE, 2, 1));
	while (cluster_find(c, VR_DO_VIEW_CHANGE, 2, 1)) {
		vote = cluster_take(c, VR_DO_VIEW_CHANGE, 2, 1);
		if (cluster_open(c, vote)->view == 1)
			VRT_EXPECT(t, !memcmp(vote->data, first->data, first->bytes));
	}
}

/* It votes, chooses the log to begin with, and finds that it must not. */
static void halts_in_a_step(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	u8 type;

	cluster_next(c, 1, 0, session, 1);
	cluster_forget(c);
	cluster_draft(c, VR_DO_VIEW_CHANGE, 2, 1);
	c->draft.view = 1;
	c->draft.op = 3;
	c->draft.commit = 2;
	c->draft.hash_count = 2;
	c->draft_hashes[0] = 9;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_HALTED);
	for (type = 0; type < VR_TYPE_COUNT; type++)
		VRT_EXPECT_EQUAL(t, c->sent[1][type], 0);
}

static void lost_vote(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->down = 1;
	leave_view(c, 6);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_DO_VIEW_CHANGE], 2);
	cluster_forget(c);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, view_of(c, 1), 1);
}

static void lost_start_view(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->down = 1;
	leave_view(c, 6);
	cluster_deliver(c, cluster_take(c, VR_DO_VIEW_CHANGE, 2, 1));
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	cluster_forget(c);
	EXPECT_STATUS(c, 2, VR_STATUS_VIEW_CHANGE);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 1);
}

static void same_vote_counts_once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	struct letter *vote;
	u32 i;

	leave_view(c, 1 << 1 | 1 << 3);
	vote = cluster_take(c, VR_DO_VIEW_CHANGE, 3, 1);
	for (i = 0; i < 4; i++)
		cluster_deliver(c, vote);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	EXPECT_DROPS(c, 1, VR_DROP_DUPLICATE, 3);
}

static void late_start_view(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *late;
	u64 session;

	c->down = 1;
	leave_view(c, 6);
	cluster_deliver(c, cluster_take(c, VR_DO_VIEW_CHANGE, 2, 1));
	late = cluster_take(c, VR_START_VIEW, 1, 2);
	cluster_deliver(c, late);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	cluster_run(c);
	session = cluster_begin(c, 2, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
	VRT_EXPECT_EQUAL(t, op_of(c, 2), 2);
	cluster_deliver(c, late);
	VRT_EXPECT_EQUAL(t, op_of(c, 2), 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 2);
	EXPECT_DROPS(c, 2, VR_DROP_DUPLICATE, 1);
	/* And one of a view that is over. */
	c->down = 1 << 1;
	cluster_restart(c, 0);
	cluster_forget(c);
	leave_view(c, 1 << 2);
	cluster_deliver(c, late);
	VRT_EXPECT_EQUAL(t, view_of(c, 2), 2);
	EXPECT_DROPS(c, 2, VR_DROP_STALE_VIEW, 1);
}

static void fetches_the_better_log(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session, request;

	c->cut[0] = 1 << 1;
	c->cut[2] = 1 << 1;
	session = cluster_begin(c, 2, 0);
	for (request = 1; request <= 40; request++)
		cluster_next(c, 2, 0, session, request);
	VRT_EXPECT_EQUAL(t, op_of(c, 1), 0);
	c->cut[2] = 0;
	c->down = 1;
	cluster_forget(c);
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, 41);
	VRT_EXPECT(t, c->sent[1][VR_GET_STATE] && c->sent[2][VR_NEW_STATE]);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 41), 41);
	cluster_agrees(c);
}

static void later_view_beats_longer_log(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session;
	u32 i;

	/* The primary of view 0 goes on alone, in vain. */
	c->cut[0] = 0x6;
	for (i = 0; i < 10; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	VRT_EXPECT_EQUAL(t, op_of(c, 0), 10);
	c->cut[1] = 1;
	c->cut[2] = 1;
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	session = cluster_begin(c, 2, 0);
	VRT_EXPECT_EQUAL(t, session, 1);
	/* It comes back while 2, who has the log of view 1, needs its vote. */
	memset(c->cut, 0, sizeof(c->cut));
	c->down = 1 << 1;
	cluster_forget(c);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
	VRT_EXPECT_EQUAL(t, vr_replica_entry(c->replicas[0], 1)->origin, 2);
	cluster_agrees(c);
	/* What it had accepted got a place in the end, each once. */
	for (i = 0; i < 10; i++)
		VRT_EXPECT_EQUAL(t, c->answers[0][i].count, 1);
}

static void old_primary_returns(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 session = cluster_begin(c, 4, 0);

	c->cut[0] = 0x1e;
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 5, 0, NULL);
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 4, 0, session, 1), 1);
	c->cut[0] = 0;
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, view_of(c, 0), view_of(c, 4));
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	EXPECT_ANSWER(c, 0, 0, 1, VR_OUTCOME_APPLIED, 0);
	cluster_agrees(c);
}

static void told_by_index(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *stale;

	while (!cluster_find(c, VR_COMMIT, 0, 2))
		cluster_timeout(c, 0);
	stale = cluster_take(c, VR_COMMIT, 0, 2);
	c->down = 1;
	cluster_forget(c);
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	c->down = 0;
	cluster_forget(c);
	/* A backup cannot tell it; the primary of the new view can (D27). */
	cluster_deliver(c, stale);
	EXPECT_DROPS(c, 2, VR_DROP_STALE_VIEW, 1);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_START_VIEW], 0);
	stale->to = 1;
	stale->data[7] = 1;
	cluster_deliver(c, stale);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_START_VIEW], 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, view_of(c, 0), view_of(c, 1));
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
}

static void commit_of_a_vote(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	/* Only 2 has heard that it is committed. */
	cluster_next(c, 2, 0, session, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 2);
	c->down = 1;
	leave_view(c, 6);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, 2);
}

static void old_durable(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_event event = { .type = VR_EVENT_DURABLE };
	u64 epoch;
	u32 i;

	/* Three entries on their way to 0's disk are replaced by other ones. */
	c->slow_disk = true;
	c->cut[0] = 0x6;
	for (i = 0; i < 3; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	epoch = c->persist_epoch[0];
	c->slow_disk = false;
	c->cut[1] = 1;
	c->cut[2] = 1;
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	cluster_begin(c, 2, 0);
	c->slow_disk = true;
	memset(c->cut, 0, sizeof(c->cut));
	cluster_draft(c, VR_PING, 1, 0);
	c->draft.status = VR_STATUS_NORMAL;
	c->draft.view = view_of(c, 1);
	cluster_receive(c);
	cluster_run(c);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	VRT_EXPECT(t, c->persist_epoch[0] != epoch);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op_durable, 0);
	event.log_epoch = epoch;
	event.op = 3;
	cluster_step(c, 0, &event);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op_durable, 0);
	cluster_disk(c, 0);
	VRT_EXPECT(t, cluster_info(c, 0)->op_durable);
}

static void two_logs(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	struct vr_message *m;
	u8 type;

	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_forget(c);
	m = cluster_draft(c, VR_PREPARE, 0, 1);
	m->op = 1;
	m->hash = 12345;
	cluster_draft_entry(c, session, 1);
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_HALTED);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->halt, VR_HALT_TWO_LOGS);
	/* What was under way may have been applied; the next is not. */
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_UNKNOWN, -EIO);
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 2, 1, NULL);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_NOT_APPLIED, -EIO);
	cluster_ask_again(c, 1, 0, VR_KIND_NEXT, session, 2, 1);
	EXPECT_ANSWER(c, 1, 0, 4, VR_OUTCOME_UNKNOWN, -EIO);
	cluster_form(c, 1, 0, 9);
	VRT_EXPECT_EQUAL(t, c->form_error[1], VR_FORM_NOT_BLANK_HERE);
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_HALTED);
	/* Nothing has left it; the others go on. */
	for (type = 0; type < VR_TYPE_COUNT; type++)
		VRT_EXPECT_EQUAL(t, c->sent[1][type], 0);
	VRT_EXPECT(t, cluster_drops(c, 1, VR_DROP_STATUS));
	VRT_EXPECT(t, cluster_info(c, 0)->has_quorum);
}

static void lost_commits(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	cluster_next(c, 2, 0, session, 1);
	cluster_draft(c, VR_START_VIEW, 1, 2);
	c->draft.view = 1;
	c->draft.commit = 1;
	c->draft.op = 1;
	c->draft.hash_count = 1;
	c->draft_hashes[0] = vr_replica_entry(c->replicas[2], 1)->hash;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_HALTED);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->halt, VR_HALT_COMMITTED_CONFLICT);
}

static void other_commits(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	cluster_next(c, 2, 0, session, 1);
	cluster_draft(c, VR_START_VIEW, 1, 2);
	c->draft.view = 1;
	c->draft.commit = 1;
	c->draft.op = 2;
	c->draft.hash_count = 2;
	c->draft_hashes[0] = 5;
	c->draft_hashes[1] = 6;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_HALTED);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->halt, VR_HALT_COMMITTED_CONFLICT);
}

static void no_quorum_no_view(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);

	c->down = 0x7;
	cluster_wait(c, 60 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, view_of(c, 3), 0);
	VRT_EXPECT(t, !cluster_info(c, 3)->has_quorum);
	VRT_EXPECT(t, !cluster_info(c, 4)->has_quorum);
	/* One more and it goes on. */
	c->down = 0x3;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, cluster_info(c, 4)->has_quorum);
	cluster_begin(c, 4, 0);
}

static struct vrt_case cases[] = {
	{ primary_dies, "the primary dies and the next one goes on with all numbers" },
	{ primaries_die, "three primaries of seven die one after another" },
	{ under_way, "a request under way is applied once across the view change" },
	{ one_opinion, "one replica that misses the primary moves nobody" },
	{ opinion_withdrawn, "who hears the primary again takes its opinion back" },
	{ later_view_adopted, "a later view is adopted as it is, not counted up to" },
	{ same_vote, "a vote is repeated byte for byte, to everybody" },
	{ vote_stands, "a vote does not change when more turns out to be committed" },
	{ vote_overtaken, "no vote is sent in other words when a later view begins" },
	{ halts_in_a_step, "nothing leaves a replica in the step in which it halts" },
	{ lost_vote, "a lost DO_VIEW_CHANGE is sent again" },
	{ lost_start_view, "a lost START_VIEW is sent again" },
	{ same_vote_counts_once, "the same DO_VIEW_CHANGE counts once" },
	{ late_start_view, "a late START_VIEW takes nothing back" },
	{ fetches_the_better_log, "a new primary fetches what it lacks" },
	{ later_view_beats_longer_log, "the log of a later view wins over a longer one" },
	{ old_primary_returns, "an old primary gives up what was never committed" },
	{ told_by_index, "an old primary is told by the primary of the view" },
	{ commit_of_a_vote, "a new primary knows what any voter knew to be committed" },
	{ old_durable, "durable entries that were replaced are not durable" },
	{ two_logs, "two logs in one view halt the replica, which falls silent" },
	{ lost_commits, "a log that lacks committed entries halts the replica" },
	{ other_commits, "a log with other committed entries halts the replica" },
	{ no_quorum_no_view, "without a quorum there is no new view, with one there is" },
	{ }
};

VRT_SUITE(view_change, cases);
