// SPDX-License-Identifier: GPL-2.0
/* One round trip from a backup of three (R5): message delays, counted. */
#include "cluster.h"

static void durable(struct vr_config *cfg)
{
	cfg->memory_is_durable = true;
}

static void primary_has_a_disk(struct vr_config *cfg)
{
	cfg->memory_is_durable = cfg->self;
}

static void backup_has_a_disk(struct vr_config *cfg)
{
	cfg->memory_is_durable = cfg->self != 1;
}

static struct cluster *group(struct vrt *t, u8 count, void (*tune)(struct vr_config *cfg),
			     u8 slot, u64 *session)
{
	struct cluster *c = cluster_tuned(t, count, tune);

	*session = cluster_begin(c, slot, 0);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_run(c);
	cluster_forget(c);
	return c;
}

/* Message delays until the request is answered; no timer fires. */
static u32 delays(struct cluster *c, u8 slot, u64 session)
{
	u32 count = 0, answered = c->answers[slot][0].count;

	cluster_submit(c, slot, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	while (c->answers[slot][0].count == answered) {
		VRT_ASSERT(c->t, cluster_hop(c));
		count++;
	}
	VRT_EXPECT_EQUAL(c->t, c->answers[slot][0].done.result.first, 1);
	return count;
}

static void delays_are(struct vrt *t, u8 count, void (*tune)(struct vr_config *cfg), u8 slot,
		       u32 should)
{
	u64 session;
	struct cluster *c = group(t, count, tune, slot, &session);

	VRT_EXPECT_EQUAL(t, delays(c, slot, session), should);
	cluster_agrees(c);
}

static void of_three(struct vrt *t)
{
	delays_are(t, 3, durable, 0, 2);
	delays_are(t, 3, durable, 1, 2);
	delays_are(t, 3, durable, 2, 2);
}

static void of_two(struct vrt *t)
{
	delays_are(t, 2, durable, 0, 2);
	delays_are(t, 2, durable, 1, 2);
}

static void of_more(struct vrt *t)
{
	delays_are(t, 5, durable, 0, 2);
	delays_are(t, 5, durable, 3, 4);
	delays_are(t, 7, durable, 3, 4);
	delays_are(t, 4, durable, 3, 4);
}

static void of_one(struct vrt *t)
{
	delays_are(t, 1, durable, 0, 0);
}

/* The primary sends what it may yet lose: its copy does not count before it says so. */
static void not_durable_at_primary(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, primary_has_a_disk, 1, &session);

	c->slow_disk = true;
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_hop(c);
	cluster_hop(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, 1);
	/* Two backups and their word are a quorum, without its disk. */
	cluster_hop(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op_durable, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 2);
	cluster_hop(c);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
}

/* Nor does our own before our disk says so. */
static void not_durable_here(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, backup_has_a_disk, 1, &session);

	c->slow_disk = true;
	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, 1);
	cluster_disk(c, 1);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
}

/* It changes nothing for others: what they are told is the primary's. */
static void is_told_to_nobody(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, durable, 1, &session);

	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, 1);
}

/* Who acknowledged it has applied it: there is nothing to tell. */
static void is_known_to_who_acknowledged(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, durable, 2, &session);

	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 2);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 0);
}

/* Of more than three a backup cannot know, and is told at once. */
static void is_told_of_five(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 5, durable, 2, &session);

	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 0);
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 1);
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 2));
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
}

/* A message: who acknowledged it can read it already, who did not is told at once. */
static void readers(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, durable, 0, &session);

	cluster_submit(c, 0, 0, VR_KIND_APPEND, session, 1, 0, "hello");
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	VRT_EXPECT_EQUAL(t, c->readable[1], 1);
	VRT_EXPECT_EQUAL(t, c->readable[0], 0);
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	VRT_EXPECT_EQUAL(t, c->readable[0], 1);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 1);
	/* Its PREPARE is lost: this is how it hears of the message, before any heartbeat. */
	cluster_take(c, VR_PREPARE, 0, 2);
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 2));
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->readable[2], 1);
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_last(c->replicas[2]), 1);
}

/* What was durable in the view before says nothing about this one. */
static void in_this_view_only(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, durable, 2, &session);
	struct letter *prepare;

	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	prepare = cluster_take(c, VR_PREPARE, 0, 2);
	cluster_forget(c);
	c->down = 1;
	while (cluster_status(c, 2) != VR_STATUS_NORMAL || cluster_info(c, 2)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS / 4);
	cluster_forget(c);
	c->down = 0;
	cluster_deliver(c, prepare);
	EXPECT_DROPS(c, 2, VR_DROP_STALE_VIEW, 1);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].done.result.view, 1);
	cluster_agrees(c);
}

/* Answered early, then the primary is gone: the next view has it. */
static void outlives_the_primary(struct vrt *t)
{
	u64 session;
	struct cluster *c = group(t, 3, durable, 2, &session);

	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
	cluster_forget(c);
	cluster_restart(c, 0);
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	VRT_EXPECT(t, cluster_info(c, 0)->commit >= 2);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 2), 2);
	cluster_agrees(c);
}

static struct vrt_case cases[] = {
	{ of_three, "of three, every member's client waits two delays" },
	{ of_two, "so it is of two" },
	{ of_more, "of more, a backup's client waits four" },
	{ of_one, "of one, nobody waits" },
	{ not_durable_at_primary, "the primary's copy counts when it is durable" },
	{ not_durable_here, "our own copy counts when it is durable" },
	{ is_told_to_nobody, "an early commit is told to nobody" },
	{ is_known_to_who_acknowledged, "who acknowledged an entry is not told of its commit" },
	{ is_told_of_five, "of five, who waits is told" },
	{ readers, "readers everywhere have a message at once, also where it was lost" },
	{ in_this_view_only, "what was durable in another view does not count" },
	{ outlives_the_primary, "what was answered early is in the next view" },
	{ }
};

VRT_SUITE(early, cases);
