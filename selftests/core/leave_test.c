// SPDX-License-Identifier: GPL-2.0
/* Going in good order: the next primary leads before the old one is gone (R23). */
#include "cluster.h"

static struct cluster *settled(struct vrt *t, u8 count, u64 *session)
{
	struct cluster *c = cluster_formed(t, count);

	*session = cluster_begin(c, count - 1, 0);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	return c;
}

/* One delay until it begins, two until all have heard of it; no timer fires. */
static void hands_over(struct vrt *t, u8 count)
{
	u64 session, now_ns;
	struct cluster *c = settled(t, count, &session);
	u8 slot;

	now_ns = c->now_ns;
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 0);
	cluster_hop(c);
	/* Votes: that of the leaver, of whoever begins, and of a third in a larger group. */
	if (count > 3)
		cluster_hop(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
	cluster_hop(c);
	for (slot = 0; slot < count; slot++) {
		EXPECT_STATUS(c, slot, VR_STATUS_NORMAL);
		VRT_EXPECT_EQUAL(t, cluster_info(c, slot)->view, 1);
	}
	VRT_EXPECT_EQUAL(t, c->left[0], 1);
	VRT_EXPECT_EQUAL(t, c->now_ns, now_ns);
	c->down = 1;
	VRT_EXPECT_EQUAL(t, cluster_next(c, count - 1, 0, session, 1), 1);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
}

static void two_delays(struct vrt *t)
{
	hands_over(t, 3);
	hands_over(t, 5);
	hands_over(t, 7);
}

/* What it has not committed is handed over with the rest. */
static void with_uncommitted(struct vrt *t)
{
	u64 session;
	struct cluster *c = settled(t, 3, &session);

	cluster_submit(c, 2, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 2);
	cluster_forget(c);
	cluster_leave(c, 0);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 2);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].done.result.first, 1);
}

/* The backup that holds most of the log leads: others may have to fetch it. */
static void best_placed(struct vrt *t)
{
	u64 session, now_ns;
	struct cluster *c = settled(t, 3, &session);
	u32 i;

	c->cut[0] = 2;
	for (i = 1; i <= 30; i++)
		cluster_next(c, 2, 0, session, i);
	c->cut[0] = 0;
	cluster_forget(c);
	now_ns = c->now_ns;
	cluster_leave(c, 0);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->view, 2);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);
	VRT_EXPECT_EQUAL(t, c->now_ns, now_ns);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 31), 31);
}

/* Who does not lead, or leads nobody, may go at once. */
static void at_once(struct vrt *t)
{
	u64 session;
	struct cluster *c = settled(t, 3, &session);

	cluster_leave(c, 1);
	VRT_EXPECT_EQUAL(t, c->left[1], 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);

	c->cut[0] = 0xff;
	c->cut[1] = 0xff;
	c->cut[2] = 0xff;
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);

	c = cluster_new(t, 3);
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);

	c = cluster_formed(t, 1);
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);

	c = settled(t, 3, &session);
	cluster_demote(c, 0);
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);
}

/* Its vote is lost: it is repeated, and others do without it in the end. */
static void vote_lost(struct vrt *t)
{
	u64 session;
	struct cluster *c = settled(t, 3, &session);

	cluster_leave(c, 0);
	cluster_forget(c);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);

	c = settled(t, 3, &session);
	cluster_leave(c, 0);
	cluster_forget(c);
	c->down = 1;
	cluster_wait(c, 8 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
}

/* A moment after the group was formed it is known who is there. */
static void right_after_forming(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_leave(c, 0);
	VRT_EXPECT_EQUAL(t, c->left[0], 0);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
	VRT_EXPECT_EQUAL(t, c->left[0], 1);
}

static struct vrt_case cases[] = {
	{ two_delays, "a primary that leaves is replaced without a time-out" },
	{ with_uncommitted, "what it has not committed is handed over" },
	{ best_placed, "the backup that holds most leads" },
	{ at_once, "who leads nobody may go at once" },
	{ vote_lost, "a lost vote is repeated, and may never come" },
	{ right_after_forming, "a primary may leave as soon as it has heard of others" },
	{ }
};

VRT_SUITE(leave, cases);
