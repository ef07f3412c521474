// SPDX-License-Identifier: GPL-2.0
/* Making the log of a newer view ours: all of it, or none (R9, R12, D2). */
#include "cluster.h"

#define ENTRIES 40		/* more than a datagram has */

/*
 * Of five, 4 holds an entry at op 2 that its primary gave to nobody else. View 1
 * begins without both, and has ENTRIES others from op 2 on, none of them known to
 * be committed. 4 hears of it.
 */
static struct cluster *two_logs(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 old = cluster_begin(c, 0, 0), session, i;

	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	cluster_submit(c, 0, 0, VR_KIND_NEXT, old, 1, 1, NULL);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 4));
	VRT_ASSERT_EQUAL(t, cluster_info(c, 4)->op, 2);
	cluster_forget(c);
	c->down = 1 | 1u << 4;
	while (cluster_status(c, 1) != VR_STATUS_NORMAL || cluster_info(c, 1)->view != 1)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	session = cluster_begin(c, 1, 0);
	VRT_ASSERT_EQUAL(t, session, 2);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	/* Their word that they hold them is lost. */
	c->cut[2] = 2;
	c->cut[3] = 2;
	for (i = 1; i < ENTRIES; i++)
		cluster_submit(c, 1, i, VR_KIND_NEXT, session, i, 1, NULL);
	cluster_run(c);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 1)->op, 1 + ENTRIES);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 1)->commit, 2);
	cluster_forget(c);
	c->down = 1;
	cluster_draft(c, VR_PREPARE_OK, 4, 1)->view = 0;
	cluster_receive(c);
	cluster_deliver(c, cluster_take(c, VR_START_VIEW, 1, 4));
	EXPECT_STATUS(c, 4, VR_STATUS_VIEW_CHANGE);
	VRT_ASSERT_EQUAL(t, cluster_info(c, 4)->view, 1);
	return c;
}

/* One part of the log comes. */
static void part_comes(struct cluster *c)
{
	cluster_deliver(c, cluster_take(c, VR_GET_STATE, 4, 1));
	cluster_deliver(c, cluster_take(c, VR_NEW_STATE, 1, 4));
}

static void committed_at_once(struct vrt *t)
{
	struct cluster *c = two_logs(t);

	/* Ours at op 2 was never committed: another entry was. */
	VRT_EXPECT_EQUAL(t, vr_replica_entry(c->replicas[4], 2)->view, 0);
	part_comes(c);
	VRT_EXPECT_EQUAL(t, vr_replica_entry(c->replicas[4], 2)->view, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->commit, 2);
}

static void the_rest_in_one_step(struct vrt *t)
{
	struct cluster *c = two_logs(t);

	part_comes(c);
	/* What came above the commit number is not ours yet. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->last_normal_view, 0);
	EXPECT_STATUS(c, 4, VR_STATUS_VIEW_CHANGE);
	VRT_EXPECT(t, !cluster_find(c, VR_PREPARE_OK, 4, 1));
	part_comes(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 1 + ENTRIES);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->last_normal_view, 1);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->commit, 2);
}

/* In the middle of it the next view begins: the vote is of the old log. */
static void vote_in_the_middle(struct vrt *t)
{
	struct cluster *c = two_logs(t);
	const struct vr_message *m;

	part_comes(c);
	cluster_forget(c);
	cluster_draft(c, VR_EXIT_VIEW, 2, 4)->view = 2;
	cluster_receive(c);
	m = cluster_open(c, cluster_find(c, VR_DO_VIEW_CHANGE, 4, 2));
	VRT_EXPECT_EQUAL(t, m->view, 2);
	VRT_EXPECT_EQUAL(t, m->log_view, 0);
	VRT_EXPECT_EQUAL(t, m->op, 2);
	VRT_EXPECT_EQUAL(t, m->commit, 2);
	/* What had come for view 1 is of no use for another. */
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	cluster_agrees(c);
}

/* A part that comes twice, late or out of order is taken once, and in order. */
static void parts_in_disorder(struct vrt *t)
{
	struct cluster *c = two_logs(t);
	struct letter *first, *second;

	cluster_deliver(c, cluster_take(c, VR_GET_STATE, 4, 1));
	first = cluster_take(c, VR_NEW_STATE, 1, 4);
	cluster_deliver(c, first);
	cluster_deliver(c, cluster_take(c, VR_GET_STATE, 4, 1));
	second = cluster_take(c, VR_NEW_STATE, 1, 4);
	cluster_deliver(c, first);
	EXPECT_DROPS(c, 4, VR_DROP_DUPLICATE, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 2);
	cluster_deliver(c, second);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	cluster_deliver(c, second);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 1 + ENTRIES);

	c = two_logs(t);
	cluster_deliver(c, second);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 2);
	EXPECT_STATUS(c, 4, VR_STATUS_VIEW_CHANGE);
}

/* Entries that do not have the hashes START_VIEW named are not of that log. */
static void another_log(struct vrt *t)
{
	struct cluster *c = two_logs(t);
	struct letter *part;

	cluster_deliver(c, cluster_take(c, VR_GET_STATE, 4, 1));
	part = cluster_take(c, VR_NEW_STATE, 1, 4);
	/* An argument somewhere in the middle. */
	part->data[VR_WIRE_BATCH_BYTES + 10 * VR_WIRE_ENTRY_BYTES + 24] ^= 1;
	cluster_deliver(c, part);
	EXPECT_DROPS(c, 4, VR_DROP_CHAIN, 1);
	EXPECT_STATUS(c, 4, VR_STATUS_VIEW_CHANGE);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	cluster_agrees(c);
}

static struct vrt_case cases[] = {
	{ committed_at_once, "what is known to be committed is taken as it comes" },
	{ the_rest_in_one_step, "what is not is taken when all of it is here" },
	{ vote_in_the_middle, "until then a vote is of the old log" },
	{ parts_in_disorder, "parts are taken once and in order" },
	{ another_log, "parts of another log are refused" },
	{ }
};

VRT_SUITE(install, cases);
