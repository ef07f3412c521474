// SPDX-License-Identifier: GPL-2.0
/* Requests of local sessions: every one is answered, once, with what is true. */
#include "cluster.h"

#define GIVE_UP_NS (8 * CLUSTER_TIMEOUT_NS)

static void submit_next(struct cluster *c, u8 slot, u32 handle, u64 session, u64 request)
{
	cluster_submit(c, slot, handle, VR_KIND_NEXT, session, request, 1, NULL);
}

static void unknown_without_quorum(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0);

	c->down = 0x6;
	submit_next(c, 0, 0, session, 1);
	cluster_wait(c, GIVE_UP_NS - CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, c->answers[0][0].count, 1);
	cluster_wait(c, 3 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 0, 0, 2, VR_OUTCOME_UNKNOWN, -EHOSTUNREACH);
	/* It was in the log all the time: asked again, the answer is true. */
	c->down = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	cluster_ask_again(c, 0, 0, VR_KIND_NEXT, session, 1, 1);
	cluster_run(c);
	EXPECT_ANSWER(c, 0, 0, 3, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[0][0].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, 2), 2);
}

static void not_applied_without_quorum(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0);

	/* The primary has fallen silent: it takes nothing into its log. */
	c->down = 0x6;
	cluster_wait(c, 3 * CLUSTER_TIMEOUT_NS);
	submit_next(c, 0, 0, session, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 1);
	cluster_wait(c, GIVE_UP_NS + 2 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 0, 0, 2, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	c->down = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, 2), 1);
}

static void asked_again_without_quorum(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0);

	/* Even if it leaves this member never: the first attempt may have. */
	c->down = 0x6;
	cluster_wait(c, 3 * CLUSTER_TIMEOUT_NS);
	cluster_ask_again(c, 0, 0, VR_KIND_NEXT, session, 1, 1);
	cluster_wait(c, GIVE_UP_NS + 2 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 0, 0, 2, VR_OUTCOME_UNKNOWN, -EHOSTUNREACH);
}

static void backup_without_quorum(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	c->down = 0x3;
	submit_next(c, 2, 0, session, 1);
	cluster_wait(c, GIVE_UP_NS + 3 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_UNKNOWN, -EHOSTUNREACH);
}

static void answered_from_the_table(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 1), 1);
	cluster_forget(c);
	cluster_ask_again(c, 1, 0, VR_KIND_NEXT, session, 1, 1);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.first, 1);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.request, 1);
	VRT_EXPECT_EQUAL(t, c->first, c->last);
	/* On another handle as well. */
	cluster_ask_again(c, 1, 5, VR_KIND_NEXT, session, 1, 1);
	EXPECT_ANSWER(c, 1, 5, 1, VR_OUTCOME_APPLIED, 0);
}

static void older_request(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	u64 request;

	for (request = 1; request <= VR_WINDOW + 1; request++)
		cluster_next(c, 1, 0, session, request);
	cluster_forget(c);
	/* The last VR_WINDOW results are kept. */
	for (request = 2; request <= VR_WINDOW + 1; request++) {
		cluster_ask_again(c, 1, 1, VR_KIND_NEXT, session, request, 1);
		EXPECT_ANSWER(c, 1, 1, request - 1, VR_OUTCOME_APPLIED, 0);
		VRT_EXPECT_EQUAL(t, c->answers[1][1].done.result.first, request);
	}
	/* Of one that is forgotten only who asks first knows what it was. */
	cluster_ask_again(c, 1, 2, VR_KIND_NEXT, session, 1, 1);
	EXPECT_ANSWER(c, 1, 2, 1, VR_OUTCOME_UNKNOWN, -ESTALE);
	submit_next(c, 1, 2, session, 1);
	EXPECT_ANSWER(c, 1, 2, 2, VR_OUTCOME_NOT_APPLIED, -ESTALE);
	/* No datagram was needed. */
	VRT_EXPECT_EQUAL(t, c->first, c->last);
}

static void passed_over(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 1), 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 3), 2);
	cluster_ask_again(c, 1, 1, VR_KIND_NEXT, session, 2, 1);
	EXPECT_ANSWER(c, 1, 1, 1, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
	submit_next(c, 1, 1, session, 2);
	EXPECT_ANSWER(c, 1, 1, 2, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 4), 3);
}

static void no_such_session(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	submit_next(c, 1, 0, 777, 1);
	cluster_run(c);
	EXPECT_ANSWER(c, 1, 0, 1, VR_OUTCOME_NOT_APPLIED, -ESTALE);
}

static void refusals(struct vrt *t)
{
	static const char * const names[] = { "a", "b", "c", "d", "e" };
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	u32 i;

	cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 1, VR_COUNT_MASK + 1, NULL);
	cluster_run(c);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_NOT_APPLIED, -EOVERFLOW);
	cluster_ask_again(c, 1, 0, VR_KIND_NEXT, session, 1, VR_COUNT_MASK + 1);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_NOT_APPLIED, -EOVERFLOW);
	/* As many names as there are counters, and one more. */
	for (i = 0; i < 5; i++) {
		cluster_submit(c, 1, 0, VR_KIND_NEXT, session, 2 + i, 1, names[i]);
		cluster_run(c);
	}
	EXPECT_ANSWER(c, 1, 0, 8, VR_OUTCOME_NOT_APPLIED, -ENOSPC);
}

static void joined_while_under_way(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	/* The handle was given up in a view change's middle and asks again. */
	c->down = 0x4;
	submit_next(c, 1, 0, session, 1);
	cluster_forget(c);
	c->down = 0x5;
	cluster_wait(c, GIVE_UP_NS + 3 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_UNKNOWN, -EHOSTUNREACH);
	cluster_ask_again(c, 1, 0, VR_KIND_NEXT, session, 1, 1);
	c->down = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 2), 2);
}

static void request_twice_in_the_network(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	struct letter *request;

	cluster_forget(c);
	submit_next(c, 1, 0, session, 1);
	request = cluster_take(c, VR_REQUEST, 1, 0);
	cluster_deliver(c, request);
	cluster_deliver(c, request);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 2);
	cluster_run(c);
	cluster_deliver(c, request);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 2);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
}

static void begin_twice_in_the_network(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *request;

	cluster_submit(c, 1, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	request = cluster_take(c, VR_REQUEST, 1, 0);
	cluster_deliver(c, request);
	cluster_deliver(c, request);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, 1);
	cluster_run(c);
	/* In the log a second time it is still the same session. */
	cluster_deliver(c, request);
	cluster_run(c);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, 2);
	EXPECT_ANSWER(c, 1, 0, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.index, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, 1, 1), 1);
}

static void ends(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	cluster_submit(c, 1, 0, VR_KIND_SESSION_END, session, 1, 0, NULL);
	cluster_run(c);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	submit_next(c, 1, 0, session, 2);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_NOT_APPLIED, -ESTALE);
	/* Ended is ended: saying so again succeeds. */
	cluster_ask_again(c, 1, 0, VR_KIND_SESSION_END, session, 1, 0);
	EXPECT_ANSWER(c, 1, 0, 4, VR_OUTCOME_APPLIED, 0);
}

static void end_replaces(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	submit_next(c, 1, 0, session, 1);
	cluster_submit(c, 1, 0, VR_KIND_SESSION_END, session, 2, 0, NULL);
	cluster_run(c);
	/* One answer, to the end; the process that waited for the other is gone. */
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.request, 2);
	submit_next(c, 1, 0, session, 3);
	EXPECT_ANSWER(c, 1, 0, 3, VR_OUTCOME_NOT_APPLIED, -ESTALE);
}

static void evicted_session(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	u32 i;

	for (i = 1; i <= c->config[0].sessions_max; i++)
		cluster_begin(c, 1, i);
	submit_next(c, 1, 0, session, 1);
	cluster_run(c);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_NOT_APPLIED, -ESTALE);
}

static void all_at_once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	/* More than a step may send or end: nobody is forgotten. */
	c->down = 1;
	for (i = 0; i < CLUSTER_HANDLES; i++)
		cluster_submit(c, 2, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	for (i = 0; i < CLUSTER_HANDLES; i++)
		EXPECT_ANSWER(c, 2, i, 1, VR_OUTCOME_APPLIED, 0);
	cluster_agrees(c);
}

static void all_fail_at_once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	c->down = 0x3;
	for (i = 0; i < CLUSTER_HANDLES; i++)
		cluster_submit(c, 2, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	/* It is not alone in having lost its memory, and ends them all. */
	cluster_demote(c, 2);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].count, 0);
	cluster_draft(c, VR_PING, 0, 2)->status = VR_STATUS_BLANK;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_AMNESIA);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	for (i = 0; i < CLUSTER_HANDLES; i++) {
		VRT_EXPECT_EQUAL(t, c->answers[2][i].count, 1);
		VRT_EXPECT_EQUAL(t, c->answers[2][i].done.result.error, -ENOTRECOVERABLE);
	}
}

static void handles_are_told_apart(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 a = cluster_begin(c, 1, 0), b = cluster_begin(c, 1, 1), x = cluster_begin(c, 2, 0);

	submit_next(c, 1, 1, b, 1);
	submit_next(c, 2, 0, x, 1);
	submit_next(c, 1, 0, a, 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].count, 2);
	VRT_EXPECT_EQUAL(t, c->answers[1][1].count, 2);
	VRT_EXPECT_EQUAL(t, c->answers[2][0].count, 2);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.last +
			 c->answers[1][1].done.result.last +
			 c->answers[2][0].done.result.last, 1 + 2 + 3);
}

static struct vrt_case cases[] = {
	{ unknown_without_quorum, "without a quorum what is in the log is UNKNOWN" },
	{ not_applied_without_quorum, "what never left this member is NOT_APPLIED" },
	{ asked_again_without_quorum, "what was unknown once stays unknown" },
	{ backup_without_quorum, "what was sent to the primary is UNKNOWN" },
	{ answered_from_the_table, "a repeated request is answered from the client table" },
	{ older_request, "a request older than the results kept is ESTALE" },
	{ passed_over, "a request that was passed over is ECANCELED, never applied" },
	{ no_such_session, "a request of no session is ESTALE" },
	{ refusals, "a refusal of the state machine is NOT_APPLIED, also if repeated" },
	{ joined_while_under_way, "a request given up and repeated is applied once" },
	{ request_twice_in_the_network, "a duplicated REQUEST gets one place in the log" },
	{ begin_twice_in_the_network, "a duplicated SESSION_BEGIN begins one session" },
	{ ends, "a session ends once and for all" },
	{ end_replaces, "the end of a session replaces what it waits for" },
	{ evicted_session, "a session that lost its row is told so" },
	{ all_at_once, "every handle at once is answered by a new primary" },
	{ all_fail_at_once, "every handle at once is answered by a replica that refuses" },
	{ handles_are_told_apart, "each answer goes to the handle that asked" },
	{ }
};

VRT_SUITE(pending, cases);
