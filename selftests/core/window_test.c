// SPDX-License-Identifier: GPL-2.0
/* Many requests of one session at once, each applied once and in order. */
#include "cluster.h"

static void submit(struct cluster *c, u8 slot, u32 handle, u8 kind, u64 session, u64 request)
{
	cluster_submit(c, slot, handle, kind, session, request, kind == VR_KIND_NEXT, NULL);
}

/* Requests 1 .. VR_WINDOW under way from member 1, by handles of the same number. */
static u64 fill(struct cluster *c, u64 session)
{
	u64 i;

	for (i = 1; i <= VR_WINDOW; i++)
		submit(c, 1, i, VR_KIND_NEXT, session, i);
	return session;
}

static void all_in_order(struct cluster *c)
{
	u64 i;

	for (i = 1; i <= VR_WINDOW; i++) {
		EXPECT_ANSWER(c, 1, i, 1, VR_OUTCOME_APPLIED, 0);
		VRT_EXPECT_EQUAL(c->t, c->answers[1][i].done.result.first, i);
		if (i > 1)
			VRT_EXPECT(c->t, c->answers[1][i].done.result.index >
				   c->answers[1][i - 1].done.result.index);
	}
}

static void at_once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	fill(c, cluster_begin(c, 1, 0));
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	all_in_order(c);
}

/* Submitted by threads in any order. */
static void submitted_backwards(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), i;

	c->cut[1] = 0xff;
	for (i = VR_WINDOW; i; i--)
		submit(c, 1, i, VR_KIND_NEXT, session, i);
	c->cut[1] = 0;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	all_in_order(c);
}

/* The datagrams come backwards: only the one that is next is taken. */
static void reordered(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), i;
	struct letter *requests[VR_WINDOW];

	cluster_forget(c);
	fill(c, session);
	for (i = 0; i < VR_WINDOW; i++) {
		while (!cluster_find(c, VR_REQUEST, 1, 0))
			cluster_timeout(c, 1);
		requests[i] = cluster_take(c, VR_REQUEST, 1, 0);
		VRT_EXPECT_EQUAL(t, cluster_open(c, requests[i])->after, i);
	}
	cluster_forget(c);
	for (i = VR_WINDOW - 1; i; i--)
		cluster_deliver(c, requests[i]);
	EXPECT_DROPS(c, 0, VR_DROP_ORDER, VR_WINDOW - 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 1);
	cluster_deliver(c, requests[0]);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 2);
	cluster_deliver(c, requests[0]);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 2);
	cluster_deliver(c, requests[2]);
	EXPECT_DROPS(c, 0, VR_DROP_ORDER, VR_WINDOW);
	cluster_deliver(c, requests[1]);
	cluster_deliver(c, requests[2]);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 4);
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	all_in_order(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 1 + VR_WINDOW);
}

/* Results of the whole window are there after anything that may happen. */
static void recalls(struct cluster *c, u64 session)
{
	u64 i;

	for (i = 1; i <= VR_WINDOW; i++) {
		u32 count = c->answers[1][100].count;

		cluster_ask_again(c, 1, 100, VR_KIND_NEXT, session, i, 1);
		EXPECT_ANSWER(c, 1, 100, count + 1, VR_OUTCOME_APPLIED, 0);
		VRT_EXPECT_EQUAL(c->t, c->answers[1][100].done.result.first, i);
	}
}

static void survives_view_change(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = fill(c, cluster_begin(c, 1, 0)), i;

	/* Some are in the log of the old view, some are not. */
	for (i = 0; i < 5; i++)
		cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_hop(c);
	cluster_forget(c);
	c->down = 1;
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	all_in_order(c);
	recalls(c, session);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 100, session, VR_WINDOW + 1), VR_WINDOW + 1);
}

static void survives_recovery(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session, i;

	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	session = fill(c, cluster_begin(c, 1, 0));
	for (i = 0; i < 5; i++)
		cluster_deliver(c, cluster_take(c, VR_REQUEST, 1, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_demote(c, 1);
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	all_in_order(c);
	recalls(c, session);
}

static void survives_checkpoint(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), other = cluster_begin(c, 0, 99), i;

	fill(c, session);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	all_in_order(c);
	c->cut[0] = 2;
	c->cut[2] = 2;
	for (i = 1; i <= 300; i++)
		cluster_next(c, 0, 99, other, i);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->transfers, 1);
	recalls(c, session);
}

/* Under way when a checkpoint skips what became of them. */
static void skipped_by_checkpoint(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), other = cluster_begin(c, 0, 99), i;

	/* Its requests are heard, and it hears nothing. */
	c->cut[0] = 2;
	c->cut[2] = 2;
	fill(c, session);
	while (cluster_info(c, 0)->commit < 2 + VR_WINDOW)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS / 4);
	cluster_forget(c);
	for (i = 1; i <= 300; i++)
		cluster_next(c, 0, 99, other, i);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->transfers, 1);
	for (i = 1; i <= VR_WINDOW; i++)
		EXPECT_ANSWER(c, 1, i, 1, VR_OUTCOME_APPLIED, 0);
	cluster_agrees(c);
}

/* ---- RESULT ---------------------------------------------------------------- */

static void result_of_applied(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	cluster_next(c, 1, 1, session, 1);
	cluster_next(c, 1, 1, session, 2);
	cluster_forget(c);
	submit(c, 1, 2, VR_KIND_RESULT, session, 1);
	EXPECT_ANSWER(c, 1, 2, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][2].done.result.first, 1);
	/* It is known here: nothing was sent. */
	VRT_EXPECT_EQUAL(t, c->first, c->last);
}

/* The request itself comes after it: it is not applied any more. */
static void result_settles(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	struct letter *request;

	cluster_forget(c);
	submit(c, 1, 1, VR_KIND_NEXT, session, 1);
	request = cluster_take(c, VR_REQUEST, 1, 0);
	submit(c, 1, 2, VR_KIND_RESULT, session, 1);
	cluster_run(c);
	EXPECT_ANSWER(c, 1, 2, 1, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
	cluster_deliver(c, request);
	cluster_wait(c, 10 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 1, 1, 1, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 1, session, 2), 1);
	/* Asked again, the same. */
	submit(c, 1, 2, VR_KIND_RESULT, session, 1);
	EXPECT_ANSWER(c, 1, 2, 2, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
}

/* The request comes first: RESULT says what it gave. */
static void result_comes_second(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	submit(c, 1, 1, VR_KIND_NEXT, session, 1);
	submit(c, 1, 2, VR_KIND_RESULT, session, 1);
	cluster_run(c);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 1, 1, 1, VR_OUTCOME_APPLIED, 0);
	EXPECT_ANSWER(c, 1, 2, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][2].done.result.first, 1);
	VRT_EXPECT_EQUAL(t, c->answers[1][2].done.result.index,
			 c->answers[1][1].done.result.index);
}

static void result_forgotten(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), i;

	for (i = 1; i <= VR_WINDOW + 1; i++)
		cluster_next(c, 1, 1, session, i);
	submit(c, 1, 2, VR_KIND_RESULT, session, 1);
	/* Nothing is known of it any more. */
	EXPECT_ANSWER(c, 1, 2, 1, VR_OUTCOME_UNKNOWN, -ESTALE);
	cluster_submit(c, 1, 3, VR_KIND_SESSION_END, session, VR_WINDOW + 2, 0, NULL);
	cluster_run(c);
	submit(c, 1, 2, VR_KIND_RESULT, session, VR_WINDOW);
	EXPECT_ANSWER(c, 1, 2, 2, VR_OUTCOME_UNKNOWN, -ESTALE);
}

/* ---- sessions --------------------------------------------------------------- */

static void ends_all(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), i;

	c->cut[1] = 0xff;
	fill(c, session);
	submit(c, 1, 50, VR_KIND_SESSION_END, session, VR_WINDOW + 1);
	c->cut[1] = 0;
	cluster_wait(c, 10 * CLUSTER_HEARTBEAT_NS);
	/* Taken back: those handles are free, without an answer. */
	for (i = 1; i <= VR_WINDOW; i++)
		VRT_EXPECT_EQUAL(t, c->answers[1][i].count, 0);
	EXPECT_ANSWER(c, 1, 50, 1, VR_OUTCOME_APPLIED, 0);
	submit(c, 1, 1, VR_KIND_NEXT, session, 1);
	EXPECT_ANSWER(c, 1, 1, 1, VR_OUTCOME_NOT_APPLIED, -ESTALE);
}

/* A full table: the same session goes at every replica, also at one that recovered. */
static void evicted_alike(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 sessions[9];
	u32 i;

	/* As many as there is room for, the second one used last. */
	for (i = 0; i < 8; i++)
		sessions[i] = cluster_begin(c, 1, i);
	cluster_next(c, 1, 0, sessions[0], 1);
	cluster_next(c, 1, 1, sessions[1], 1);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_demote(c, 2);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	sessions[8] = cluster_begin(c, 2, 0);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	submit(c, 1, 20, VR_KIND_NEXT, sessions[2], 1);
	EXPECT_ANSWER(c, 1, 20, 1, VR_OUTCOME_NOT_APPLIED, -ESTALE);
	submit(c, 2, 20, VR_KIND_NEXT, sessions[2], 1);
	EXPECT_ANSWER(c, 2, 20, 1, VR_OUTCOME_NOT_APPLIED, -ESTALE);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 20, sessions[0], 2), 3);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 20, sessions[3], 1), 4);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 20, sessions[8], 1), 5);
	cluster_agrees(c);
}

static struct vrt_case cases[] = {
	{ at_once, "a whole window under way is applied in order" },
	{ submitted_backwards, "threads may come in any order" },
	{ reordered, "requests that come in the wrong order wait their turn" },
	{ survives_view_change, "a window survives a view change" },
	{ survives_recovery, "a window survives the loss of memory" },
	{ survives_checkpoint, "a window's results come with a checkpoint" },
	{ skipped_by_checkpoint, "what a checkpoint skips is answered from its table" },
	{ result_of_applied, "RESULT of an applied request is known at once" },
	{ result_settles, "RESULT settles: what comes after it is not applied" },
	{ result_comes_second, "RESULT after the request says what that gave" },
	{ result_forgotten, "of a forgotten request nothing is known" },
	{ ends_all, "the end of a session takes back what is under way" },
	{ evicted_alike, "a full table evicts the same session everywhere" },
	{ }
};

VRT_SUITE(window, cases);
