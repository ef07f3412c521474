// SPDX-License-Identifier: GPL-2.0
/* What earlier lives left behind, demotion, and too many without memory (R15, R16, R25). */
#include "cluster.h"

static u64 life(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->incarnation;
}

/* ---- what earlier lives said ----------------------------------------------- */

static void old_life_is_dropped(struct vrt *t)
{
	static const u8 types[] = {
		VR_REQUEST, VR_PREPARE_OK, VR_EXIT_VIEW, VR_DO_VIEW_CHANGE, VR_GET_STATE,
		VR_NEW_STATE, VR_GET_CHECKPOINT, VR_CHECKPOINT, VR_GET_INDEX,
		VR_RECOVERY_RESPONSE, VR_RECOVERY, VR_PONG,
	};
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	cluster_recovers(c, 2);
	for (i = 0; i < VR_ARRAY_COUNT(types); i++) {
		struct vr_message *m = cluster_draft(c, types[i], 2, 0);

		m->commit = 0;
		m->op = types[i] == VR_CHECKPOINT;
		m->hash_count = types[i] == VR_RECOVERY_RESPONSE ? 0 : 1;
		m->total_bytes = 8;
		m->chunk_bytes = 8;
		m->chunk = (const u8 *)c->draft_hashes;
		if (types[i] == VR_REQUEST)
			cluster_draft_entry(c, 1, 1);
		if (types[i] == VR_DO_VIEW_CHANGE)
			m->view = 3;
		cluster_receive(c);
		EXPECT_DROPS(c, 0, VR_DROP_INCARNATION, i + 1);
		VRT_EXPECT_EQUAL(t, c->first, c->last);
	}
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view, 0);
}

/* A journal made it come back, and in a view that lasts nothing else would tell it. */
static void old_life_is_told(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *told;

	cluster_recovers(c, 2);
	cluster_draft(c, VR_PING, 2, 1);
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_INCARNATION, 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	cluster_draft(c, VR_PING, 2, 0);
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_INCARNATION, 1);
	told = cluster_take(c, VR_START_VIEW, 0, 2);
	VRT_EXPECT_EQUAL(t, cluster_open(c, told)->vector[2], life(c, 2));
}

/* A PREPARE_OK is void as soon as a newer life is heard of. */
static void old_acknowledgement(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 session = cluster_begin(c, 0, 0);

	cluster_submit(c, 0, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 3));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 3, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->peers[3].op, 2);
	/* 3 is in its second life, and has asked. */
	cluster_draft(c, VR_RECOVERY, 3, 0);
	c->draft.incarnation = 2;
	c->draft.vector[3] = 2;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->peers[3].op, 0);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 2);
}

static struct vr_message *draft_vote(struct cluster *c, u8 from, u8 to, u64 view)
{
	struct vr_message *m = cluster_draft(c, VR_DO_VIEW_CHANGE, from, to);

	m->view = view;
	m->log_view = 0;
	m->commit = 0;
	m->op = 0;
	m->hash_count = 1;
	return m;
}

/* A vote is stored; another one knows that its sender has died since. */
static void stored_vote(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);

	draft_vote(c, 3, 1, 1);
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	draft_vote(c, 2, 1, 1)->vector[3] = 2;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	/* And the other way round: the news first, then the dead one's vote. */
	draft_vote(c, 3, 1, 1);
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_INCARNATION, 1);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	draft_vote(c, 4, 1, 1);
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
}

static void opinion_of_the_dead(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);

	cluster_draft(c, VR_EXIT_VIEW, 2, 1);
	cluster_receive(c);
	cluster_draft(c, VR_RECOVERY, 2, 1);
	c->draft.incarnation = 2;
	c->draft.vector[2] = 2;
	cluster_receive(c);
	cluster_draft(c, VR_EXIT_VIEW, 3, 1);
	cluster_receive(c);
	cluster_draft(c, VR_EXIT_VIEW, 4, 1);
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	cluster_draft(c, VR_EXIT_VIEW, 2, 1);
	c->draft.incarnation = 2;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
}

/* A question of a life that has long been over, asked again by the network. */
static void old_question(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *first[2];
	u8 i;

	/* 0 leads view 0, loses its memory, and leads view 3 later. */
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_demote(c, 0);
	for (i = 0; i < 2; i++)
		first[i] = cluster_take(c, VR_RECOVERY, 0, 1 + i);
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	cluster_leave(c, 1);
	cluster_run(c);
	cluster_leave(c, 2);
	cluster_run(c);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 1)->primary, 0);
	VRT_ASSERT_EQUAL(t, life(c, 0), 2);
	cluster_forget(c);
	i = cluster_info(c, 1)->view;
	cluster_deliver(c, first[0]);
	cluster_deliver(c, first[1]);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	/* The primary lives, and stays. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, i);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->view, i);
}

/* ---- demotion ---------------------------------------------------------------- */

static void demoted(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	cluster_demote(c, 2);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->refusal, VR_REFUSAL_DEMOTED);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 0);
	VRT_EXPECT_EQUAL(t, life(c, 2), 0);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->refusal, VR_REFUSAL_NONE);
	VRT_EXPECT_EQUAL(t, life(c, 2), 2);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
	cluster_agrees(c);
	/* Again, and again. */
	cluster_demote(c, 2);
	cluster_demote(c, 2);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, life(c, 2), 3);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 2), 2);
}

/* What was under way is answered, once, when the memory is back. */
static void demoted_with_requests(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	/* The request is applied everywhere but here. */
	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 2);
	cluster_forget(c);
	cluster_demote(c, 2);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].count, 1);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].done.result.first, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 2), 2);
}

/* A vector that has a later life of us: ours is over, whatever we believe. */
static void demoted_by_vector(struct vrt *t, u8 type)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_message *m;

	cluster_begin(c, 2, 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	m = cluster_draft(c, type, 1, 2);
	m->view = type == VR_RECOVERY ? 0 : 1;
	m->log_view = 0;
	m->op = m->commit;
	m->hash_count = 1;
	m->hashes = &cluster_info(c, 1)->commit_hash;
	m->vector[2] = 2;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->refusal, VR_REFUSAL_DEMOTED);
	cluster_run(c);
	/* The life that was known is not ours: we are the one after it. */
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, life(c, 2), 3);
}

static void later_life_is_known(struct vrt *t)
{
	demoted_by_vector(t, VR_START_VIEW);
	demoted_by_vector(t, VR_DO_VIEW_CHANGE);
	demoted_by_vector(t, VR_RECOVERY);
}

static void demoted_while_forming(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_demote(c, 1);
	EXPECT_STATUS(c, 1, VR_STATUS_BLANK);
	cluster_form(c, 0, 0, 9);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
	cluster_demote(c, 1);
	EXPECT_STATUS(c, 1, VR_STATUS_BLANK);
	cluster_demote(c, 0);
	EXPECT_STATUS(c, 0, VR_STATUS_BLANK);
	/* The operator is told. */
	VRT_EXPECT_EQUAL(t, c->form_count[0], 1);
	VRT_EXPECT(t, c->form_error[0] != VR_FORM_OKAY);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_form(c, 2, 0, 10);
	cluster_run(c);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
}

/* ---- too many ----------------------------------------------------------------- */

static void lose(struct cluster *c, u8 count, u8 status)
{
	u8 slot;

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	for (slot = c->count - count; slot < c->count; slot++)
		cluster_restart(c, slot);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	for (slot = c->count - count; slot < c->count; slot++)
		EXPECT_STATUS(c, slot, status);
}

static void amnesia_of(struct vrt *t, u8 count, u8 tolerated)
{
	struct cluster *c = cluster_formed(t, count);

	cluster_begin(c, 0, 0);
	lose(c, tolerated, VR_STATUS_NORMAL);
	cluster_agrees(c);
	c = cluster_formed(t, count);
	cluster_begin(c, 0, 0);
	lose(c, tolerated + 1, VR_STATUS_AMNESIA);
	VRT_EXPECT(t, !cluster_info(c, 0)->has_quorum);
	cluster_submit(c, count - 1, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	EXPECT_ANSWER(c, count - 1, 0, 1, VR_OUTCOME_NOT_APPLIED, -ENOTRECOVERABLE);
	cluster_submit(c, 0, 1, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, c->answers[0][1].count, 1);
	VRT_EXPECT_EQUAL(t, c->answers[0][1].done.result.error, -EHOSTUNREACH);
	/* It stays so. */
	EXPECT_STATUS(c, count - 1, VR_STATUS_AMNESIA);
}

static void amnesia(struct vrt *t)
{
	amnesia_of(t, 3, 1);
	amnesia_of(t, 5, 2);
	amnesia_of(t, 7, 3);
}

static void amnesia_of_one(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 1);
	u64 session = cluster_begin(c, 0, 0);

	cluster_demote(c, 0);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	cluster_submit(c, 0, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	EXPECT_ANSWER(c, 0, 0, 2, VR_OUTCOME_NOT_APPLIED, -ENOTRECOVERABLE);
	cluster_wait(c, 100 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
}

static struct vrt_case cases[] = {
	{ old_life_is_dropped, "what an earlier life sent is dropped, whatever it is" },
	{ old_life_is_told, "the primary tells who comes back as an earlier life" },
	{ old_acknowledgement, "an earlier life's PREPARE_OK counts no more" },
	{ stored_vote, "a stored vote that a vector shows dead counts no more" },
	{ opinion_of_the_dead, "an earlier life's opinion counts no more" },
	{ old_question, "an earlier life's question moves nobody" },
	{ demoted, "a demoted member begins a new life" },
	{ demoted_with_requests, "what was under way when it was demoted is answered" },
	{ later_life_is_known, "a vector that knows a later life of us demotes us" },
	{ demoted_while_forming, "a member demoted before there is a group is blank" },
	{ amnesia, "too many without memory refuse, and stay so" },
	{ amnesia_of_one, "a group of one that is demoted has lost everything" },
	{ }
};

VRT_SUITE(lives, cases);
