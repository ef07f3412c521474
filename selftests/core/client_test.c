// SPDX-License-Identifier: GPL-2.0
/*
 * Clients: members without a vote and a log (R30-R33), as they and the voters
 * that serve them behave.
 */
#include "cluster.h"

#define LEASE_NS	(20 * CLUSTER_TIMEOUT_NS)
#define A		CLUSTER_CLIENT
#define B		(CLUSTER_CLIENT + 1)

static void with_clients(struct vr_config *cfg)
{
	cfg->clients_max = 2;
	cfg->node_lease_ns = LEASE_NS;
}

static void with_lease(struct vr_config *cfg)
{
	with_clients(cfg);
	cfg->lease_ns = CLUSTER_TIMEOUT_NS / 2;
}

/* Three voters in view 0, and client A, which has found them. */
static struct cluster *served(struct vrt *t, void (*tune)(struct vr_config *cfg))
{
	struct cluster *c = cluster_tuned(t, 3, tune);

	cluster_client(c);
	cluster_run(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, A, VR_STATUS_NORMAL);
	return c;
}

static void event(struct cluster *c, u8 place, enum vr_event_type type, u16 client)
{
	struct vr_event ev = { .type = type, .client = client };

	cluster_step(c, place, &ev);
}

static void append(struct cluster *c, u8 place, u32 handle, u64 session, u64 request,
		   const char *text)
{
	cluster_submit(c, place, handle, VR_KIND_APPEND, session, request, 0, text);
	cluster_run(c);
}

/* What a client has of the messages: all of @texts from @first on. */
static void expect_messages(struct cluster *c, u8 place, u64 first, const char *texts)
{
	u64 sequence = first;

	VRT_EXPECT_EQUAL(c->t, vr_replica_sequence_last(c->replicas[place]),
			 first + strlen(texts) - 1);
	for (; *texts; texts++, sequence++) {
		const struct vr_entry *e = vr_replica_message(c->replicas[place], sequence);

		VRT_ASSERT(c->t, e);
		VRT_EXPECT_EQUAL(c->t, e->body[0], *texts);
	}
}

/* ---- finding the group ----------------------------------------------------- */

static void finds(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);
	u8 a;

	cluster_run(c);
	a = cluster_client(c);
	/* The voters have no room for it: clients_max is 0. */
	cluster_timeout(c, a);
	cluster_run(c);
	EXPECT_STATUS(c, a, VR_STATUS_BLANK);
	EXPECT_DROPS(c, 0, VR_DROP_CLIENT, 1);
	cluster_submit(c, a, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	EXPECT_ANSWER(c, a, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);

	c = cluster_tuned(t, 3, with_clients);
	a = cluster_client(c);
	cluster_timeout(c, a);
	cluster_hop(c);
	cluster_hop(c);
	EXPECT_STATUS(c, a, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, a)->primary, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, a)->node_lease_ns, LEASE_NS);
	VRT_EXPECT(t, cluster_info(c, a)->has_quorum);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->client_count, 1);
}

/* Before it is told of any voter. */
static void knows_nobody(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 1);
	u8 a;

	c->count = 0;
	a = cluster_client(c);
	event(c, a, VR_EVENT_SUBSCRIBE, 0);
	cluster_submit(c, a, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	EXPECT_ANSWER(c, a, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	cluster_read(c, a, 1, VR_READ_LOCAL);
	EXPECT_ANSWER(c, a, 1, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	VRT_EXPECT_EQUAL(t, c->deadline_ns[a], U64_MAX);
}

static void waits_for_group(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 1);
	u8 a;

	with_clients(&c->config[0]);
	cluster_restart(c, 0);
	a = cluster_client(c);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, a, VR_STATUS_BLANK);
	cluster_form(c, 0, 0, 77);
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, a, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_next(c, a, 1, cluster_begin(c, a, 0), 1), 1);
}

/* ---- requests ------------------------------------------------------------------ */

static void serves(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0), other = cluster_begin(c, 1, 0);

	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 1, session, 1), 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 1, other, 1), 2);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 1, session, 2), 3);
	append(c, A, 1, session, 3, "x");
	EXPECT_ANSWER(c, A, 1, 3, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, vr_replica_message(c->replicas[2], 1)->origin, A);
	/* One round trip to the primary, and its own to a quorum in between. */
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 4, 1, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 3, VR_OUTCOME_APPLIED, 0);
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 4, VR_OUTCOME_APPLIED, 0);
	cluster_submit(c, A, 1, VR_KIND_SESSION_END, session, 5, 0, NULL);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 5, VR_OUTCOME_APPLIED, 0);
	cluster_agrees(c);
}

static void answer_lost(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u64 commit;

	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 5, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	cluster_take(c, VR_REPLY, 0, A);
	commit = cluster_info(c, 0)->commit;
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[A][1].done.result.last, 5);
	/* From the table: it is not in the log twice. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, commit);
	/* A beginning is answered from there too. */
	cluster_submit(c, A, 2, VR_KIND_SESSION_BEGIN, 0, 9, 0, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	cluster_take(c, VR_REPLY, 0, A);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 2, 1, VR_OUTCOME_APPLIED, 0);
	/* And an end, whose session is not there to be asked. */
	cluster_submit(c, A, 3, VR_KIND_SESSION_END, session, 2, 0, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	cluster_take(c, VR_REPLY, 0, A);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 3, 1, VR_OUTCOME_APPLIED, 0);
}

static void answer_twice(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct letter *reply, *request;

	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 1, NULL);
	request = cluster_take(c, VR_CLIENT_REQUEST, A, 0);
	cluster_deliver(c, request);
	cluster_hop(c);
	cluster_hop(c);
	reply = cluster_take(c, VR_REPLY, 0, A);
	cluster_deliver(c, reply);
	cluster_deliver(c, reply);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	/* A late answer to one request is none to the next. */
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 2, 1, NULL);
	cluster_deliver(c, reply);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->answers[A][1].done.result.last, 2);
	cluster_deliver(c, request);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 1, session, 3), 3);
}

static void follows_view_change(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);

	/* It is committed, and the primary that knows it dies before it says so. */
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	c->down = 1;
	cluster_forget(c);
	cluster_wait(c, 8 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->primary, 1);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[A][1].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 1, session, 2), 2);
}

static void asks_the_wrong_one(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct letter *request;
	u64 drops;

	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 1, NULL);
	request = cluster_take(c, VR_CLIENT_REQUEST, A, 0);
	request->data[7] = 1;
	request->to = 1;
	drops = cluster_drops(c, 1, VR_DROP_NOT_PRIMARY);
	cluster_deliver(c, request);
	EXPECT_DROPS(c, 1, VR_DROP_NOT_PRIMARY, drops + 1);
	/* It is told where the primary is instead. */
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_find(c, VR_CLIENT_PONG, 1, A))->view, 0);
	VRT_EXPECT(t, !c->scratch->message.flag);
}

static void nobody_there(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);

	c->down = 7;
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_read(c, A, 2, VR_READ_INDEX);
	cluster_wait(c, 12 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_UNKNOWN, -EHOSTUNREACH);
	EXPECT_ANSWER(c, A, 2, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	EXPECT_STATUS(c, A, VR_STATUS_VIEW_CHANGE);
	VRT_EXPECT(t, !cluster_info(c, A)->has_quorum);
	/* What never left it is not applied. */
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 2, 1, NULL);
	cluster_wait(c, 12 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, A, 1, 2, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	/* A question whose askers have given up is none that others wait for. */
	cluster_read(c, A, 3, VR_READ_LOCAL);
	cluster_wait(c, 12 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, A, 3, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	c->down = 0;
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_read(c, A, 3, VR_READ_LOCAL);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 3, 2, VR_OUTCOME_APPLIED, 0);
	EXPECT_STATUS(c, A, VR_STATUS_NORMAL);
	/* And now it is settled: the first was never taken by anybody. */
	cluster_submit(c, A, 1, VR_KIND_RESULT, session, 1, 0, NULL);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 3, VR_OUTCOME_NOT_APPLIED, -ECANCELED);
}

static void other_lives(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct vr_message *m;
	struct letter *reply;

	cluster_submit(c, A, 1, VR_KIND_SESSION_BEGIN, 0, 5, 0, NULL);
	cluster_hop(c);
	cluster_hop(c);
	cluster_hop(c);
	reply = cluster_take(c, VR_REPLY, 0, A);
	/* The next life of the client uses the same number for its own session. */
	c->config[A].nonce++;
	cluster_restart(c, A);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_submit(c, A, 1, VR_KIND_SESSION_BEGIN, 0, 5, 0, NULL);
	cluster_deliver(c, reply);
	EXPECT_ANSWER(c, A, 1, 0, 0, 0);
	EXPECT_DROPS(c, A, VR_DROP_INCARNATION, 1);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT(t, c->answers[A][1].done.result.index > cluster_open(c, reply)->result.index);

	/* A session is used by the life that began it, and by nobody else. */
	m = cluster_draft(c, VR_CLIENT_REQUEST, A, 0);
	m->incarnation = 0;
	m->life = c->config[A].nonce;
	cluster_draft_entry(c, session, 1);
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_FIELD, 1);
	m->from = B;
	cluster_draft_entry(c, session, 1);
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_FIELD, 2);
}

static void session_gone(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u32 i;

	/* The table has room for eight, and the idlest goes. */
	for (i = 0; i < 8; i++)
		cluster_begin(c, 1, i);
	cluster_submit(c, A, 1, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_run(c);
	/* A client cannot know whether an earlier copy came in time. */
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_UNKNOWN, -ESTALE);
	/* Nor is there one that no log can have begun. */
	cluster_submit(c, A, 1, VR_KIND_NEXT, 1000, 1, 1, NULL);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 2, VR_OUTCOME_UNKNOWN, -ESTALE);
}

static void no_room(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);

	cluster_client(c);
	cluster_client(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, B, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, B + 1, VR_STATUS_BLANK);
	VRT_EXPECT(t, cluster_drops(c, 0, VR_DROP_CLIENT));
	/* The list has changed: another one may take the place. */
	event(c, 1, VR_EVENT_SUBSCRIBE, 0);
	event(c, 0, VR_EVENT_CLIENT_GONE, A);
	event(c, 0, VR_EVENT_CLIENT_GONE, A);
	c->down |= 1u << A;
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, B + 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->client_count, 2);
}

/* ---- reads ------------------------------------------------------------------------ */

static void reads(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);

	cluster_next(c, A, 0, session, 1);
	cluster_read(c, A, 1, VR_READ_INDEX);
	cluster_read(c, A, 2, VR_READ_INDEX);
	cluster_read(c, A, 3, VR_READ_INDEX);
	/* A quorum has to confirm it. What comes meanwhile shares the next question. */
	VRT_EXPECT(t, cluster_find(c, VR_CLIENT_READ, A, 0));
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 0, 0, 0);
	VRT_EXPECT(t, cluster_find(c, VR_COMMIT, 0, 1));
	VRT_EXPECT(t, !cluster_find(c, VR_REPLY, 0, A));
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	EXPECT_ANSWER(c, A, 2, 1, VR_OUTCOME_APPLIED, 0);
	EXPECT_ANSWER(c, A, 3, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[A][2].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, c->sent[A][VR_CLIENT_READ], 2);
	/* LOCAL is what a voter knows, and says how old it is. */
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	cluster_read(c, A, 1, VR_READ_LOCAL);
	cluster_hop(c);
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[A][1].done.result.last, 1);
}

/* What was committed anywhere before it was asked can be read at the client after it. */
static void ends_a_barrier(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, 1, 0);

	append(c, 1, 0, session, 1, "a");
	append(c, 1, 0, session, 2, "b");
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_last(c->replicas[A]), 0);
	cluster_read(c, A, 1, VR_READ_BARRIER);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	expect_messages(c, A, 1, "ab");
	/* What the client is sent is lost: it is not told before it has it. */
	c->cut[1] = 1u << A;
	c->cut[2] = 1u << A;
	append(c, 1, 0, session, 3, "c");
	cluster_read(c, A, 1, VR_READ_BARRIER);
	cluster_read(c, A, 2, VR_READ_INDEX);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 2, 1, VR_OUTCOME_APPLIED, 0);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_last(c->replicas[A]), 2);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, A, 1, 2, VR_OUTCOME_APPLIED, 0);
	expect_messages(c, A, 1, "abc");
}

static void read_lost(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 id;

	cluster_read(c, A, 1, VR_READ_INDEX);
	id = cluster_open(c, cluster_take(c, VR_CLIENT_READ, A, 0))->read_id;
	cluster_forget(c);
	cluster_timeout(c, A);
	while (!cluster_find(c, VR_CLIENT_READ, A, 0))
		cluster_timeout(c, A);
	/* It is the same question: what was noted first holds. */
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_find(c, VR_CLIENT_READ, A, 0))->read_id, id);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	/* LOCAL goes to another voter if one is silent. */
	c->down = 1u << A % 3;
	cluster_read(c, A, 1, VR_READ_LOCAL);
	cluster_wait(c, 6 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, A, 1, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT(t, c->answers[A][1].done.result.first > 0);
}

static void read_from_a_past_primary(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session;

	cluster_next(c, A, 0, cluster_begin(c, A, 0), 1);
	/* The primary and the client hear each other, and nobody else. */
	c->cut[0] = 6;
	c->cut[1] = 1 | 1u << A;
	c->cut[2] = 1 | 1u << A;
	c->cut[A] = 6;
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_read(c, A, 1, VR_READ_INDEX);
	cluster_wait(c, 6 * CLUSTER_TIMEOUT_NS);
	session = cluster_begin(c, 1, 0);
	cluster_next(c, 1, 0, session, 1);
	EXPECT_ANSWER(c, A, 1, 0, 0, 0);
	memset(c->cut, 0, sizeof(c->cut));
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[A][1].done.result.last, 2);
}

static void read_by_lease(struct vrt *t)
{
	struct cluster *c = served(t, with_lease);

	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	cluster_read(c, A, 1, VR_READ_LEASE);
	cluster_hop(c);
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
	/* Without the lease the primary asks. */
	c->cut[1] = 1;
	c->cut[2] = 1;
	cluster_wait(c, CLUSTER_TIMEOUT_NS / 2);
	cluster_read(c, A, 1, VR_READ_LEASE);
	cluster_hop(c);
	cluster_hop(c);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_APPLIED, 0);
}

/* ---- leases of nodes ------------------------------------------------------------------ */

static void node_dies(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u64 op;

	cluster_begin(c, A, 1);
	cluster_wait(c, 3 * LEASE_NS);
	/* It was idle, but there. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->node_ends, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
	VRT_EXPECT(t, cluster_info(c, A)->node_lease_until_ns > c->now_ns);
	op = cluster_info(c, 0)->commit;
	c->down = 1u << A;
	cluster_wait(c, LEASE_NS * 7 / 8);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->node_ends, 0);
	cluster_wait(c, LEASE_NS);
	/* One entry ends all that it held, everywhere. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->node_ends, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, op + 1);
	VRT_EXPECT_EQUAL(t, vr_replica_entry(c->replicas[2], op + 1)->kind, VR_KIND_NODE_END);
	cluster_agrees(c);
	/* Who comes back is told. */
	c->down = 0;
	VRT_EXPECT(t, cluster_info(c, A)->node_lease_until_ns < c->now_ns);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	cluster_submit(c, A, 0, VR_KIND_NEXT, session, 2, 1, NULL);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->answers[A][0].done.result.error, -ESTALE);
}

static void next_life_lives(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session;

	cluster_begin(c, A, 0);
	c->config[A].nonce += 0x100;
	cluster_restart(c, A);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	session = cluster_begin(c, A, 1);
	cluster_wait(c, 2 * LEASE_NS);
	/* What its earlier life held is over, and nothing else. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->node_ends, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 1, session, 1), 1);
}

static void lease_begins_anew(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);

	cluster_begin(c, A, 0);
	c->down = 1u << A;
	cluster_wait(c, LEASE_NS * 3 / 4);
	cluster_leave(c, 0);
	cluster_run(c);
	cluster_wait(c, LEASE_NS * 3 / 4);
	/* The new primary cannot know when it was heard: never sooner than a lease. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->primary, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->node_ends, 0);
	cluster_wait(c, LEASE_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->node_ends, 1);
}

static void stopped_primary(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);

	cluster_begin(c, A, 0);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	/* All stood still together, and the client's words wait in a socket. */
	c->now_ns += 4 * LEASE_NS;
	c->down = 6 | 1u << A;
	cluster_timeout(c, 0);
	cluster_forget(c);
	c->down = 0;
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->node_ends + cluster_info(c, 1)->node_ends, 0);
}

/* ---- the log --------------------------------------------------------------------------- */

static void subscribes(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u32 i;

	append(c, A, 0, session, 1, "a");
	append(c, A, 0, session, 2, "b");
	/* Without a reader nothing is sent; what there is to read is known. */
	cluster_wait(c, LEASE_NS / 2);
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_last(c->replicas[A]), 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->sequence_last, 2);
	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	expect_messages(c, A, 1, "ab");
	VRT_EXPECT(t, cluster_info(c, A)->source != 0);
	VRT_EXPECT(t, c->readable[A]);
	/* From here on each is sent as soon as the voter has it. */
	cluster_forget(c);
	append(c, A, 0, session, 3, "c");
	expect_messages(c, A, 1, "abc");
	VRT_EXPECT_EQUAL(t, c->sent[A][VR_SUBSCRIBE], 1);
	VRT_EXPECT_EQUAL(t, vr_replica_message(c->replicas[A], 3)->op,
			 vr_replica_message(c->replicas[1], 3)->op);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->commit, cluster_info(c, 1)->commit);
	/* It keeps eight. */
	for (i = 0; i < 8; i++)
		append(c, A, 0, session, 4 + i, "d");
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_first(c->replicas[A]), 4);
	expect_messages(c, A, 4, "dddddddd");
}

static void source_dies(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u8 source;

	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	append(c, A, 0, session, 1, "a");
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	expect_messages(c, A, 1, "a");
	source = cluster_info(c, A)->source;
	c->down = 1u << source;
	append(c, A, 0, session, 2, "b");
	expect_messages(c, A, 1, "a");
	cluster_wait(c, LEASE_NS);
	expect_messages(c, A, 1, "ab");
	VRT_EXPECT(t, cluster_info(c, A)->source != source);
}

static void source_cut_off(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u8 source;

	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	/* It answers the client, and hears nothing of the others. */
	source = cluster_info(c, A)->source;
	c->cut[0] = 1u << source;
	c->cut[3 - source] = 1u << source;
	append(c, A, 0, session, 1, "a");
	cluster_wait(c, LEASE_NS);
	expect_messages(c, A, 1, "a");
}

static void records_lost(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct letter *first;
	u32 i;

	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_submit(c, A, 0, VR_KIND_APPEND, session, 1, 0, "a");
	while (!cluster_find(c, VR_RECORDS, CLUSTER_ANY, A))
		cluster_hop(c);
	first = cluster_take(c, VR_RECORDS, CLUSTER_ANY, A);
	cluster_run(c);
	for (i = 0; i < 3; i++)
		append(c, A, 0, session, 2 + i, i ? i > 1 ? "d" : "c" : "b");
	cluster_wait(c, LEASE_NS);
	expect_messages(c, A, 1, "abcd");
	/* Once more is not twice. */
	cluster_deliver(c, first);
	expect_messages(c, A, 1, "abcd");
}

/* A copy asks for nothing: a network that duplicates would make more of them for ever. */
static void records_twice(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct letter *letter;
	u64 asked;

	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_submit(c, A, 0, VR_KIND_APPEND, session, 1, 0, "a");
	while (!cluster_find(c, VR_RECORDS, CLUSTER_ANY, A))
		cluster_hop(c);
	letter = cluster_take(c, VR_RECORDS, CLUSTER_ANY, A);
	asked = c->sent[A][VR_SUBSCRIBE];
	cluster_deliver(c, letter);
	VRT_EXPECT_EQUAL(t, c->sent[A][VR_SUBSCRIBE], asked + 1);
	cluster_deliver(c, letter);
	VRT_EXPECT_EQUAL(t, c->sent[A][VR_SUBSCRIBE], asked + 1);
	expect_messages(c, A, 1, "a");
}

static void gap(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	u32 i;

	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	append(c, A, 0, session, 1, "a");
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	/* The voters keep sixteen, and it is away for longer than that. */
	c->down = 1u << A;
	session = cluster_begin(c, 1, 1);
	for (i = 0; i < 40; i++)
		append(c, 1, 1, session, 1 + i, "b");
	append(c, 1, 1, session, 41, "c");
	c->down = 0;
	cluster_wait(c, LEASE_NS);
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_first(c->replicas[A]), 42 - 7);
	expect_messages(c, A, 42 - 7, "bbbbbbbc");
}

/* More than one answer has room for, and a hole in the middle of them. */
static void catches_up(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, 1, 0);
	char text[CLUSTER_BODY_BYTES_MAX + 1] = "";
	u32 i;

	memset(text, 'x', CLUSTER_BODY_BYTES_MAX / 2);
	for (i = 0; i < 7; i++)
		append(c, 1, 0, session, 1 + i, text);
	event(c, A, VR_EVENT_SUBSCRIBE, 0);
	cluster_timeout(c, A);
	cluster_hop(c);
	VRT_EXPECT(t, cluster_open(c, cluster_find(c, VR_RECORDS, CLUSTER_ANY, A))->flag);
	cluster_take(c, VR_RECORDS, CLUSTER_ANY, A);
	cluster_run(c);
	VRT_EXPECT(t, cluster_drops(c, A, VR_DROP_GAP));
	cluster_wait(c, LEASE_NS);
	expect_messages(c, A, 1, "xxxxxxx");
}

static void ahead_of_its_source(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	struct vr_message *m = cluster_draft(c, VR_SUBSCRIBE, A, 1);
	u64 drops = cluster_drops(c, 1, VR_DROP_GAP);

	m->incarnation = 0;
	m->life = c->config[A].nonce;
	m->op = 100;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_GAP, drops + 1);
	/* And records that nobody asked for. */
	m = cluster_draft(c, VR_RECORDS, 1, A);
	m->life = c->config[A].nonce;
	m->sequence_first = 1;
	cluster_receive(c);
	EXPECT_DROPS(c, A, VR_DROP_UNWANTED, 1);
}

/* ---- what is not ours ---------------------------------------------------------------------- */

static void other_group(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	u64 session = cluster_begin(c, A, 0);
	struct vr_message *m = cluster_draft(c, VR_CLIENT_PONG, 0, A);

	m->life = c->config[A].nonce;
	m->status = VR_STATUS_NORMAL;
	m->flag = true;
	/* Formed anew in the same generation, it may repeat its numbers. */
	m->instance++;
	cluster_receive(c);
	EXPECT_DROPS(c, A, VR_DROP_GENERATION, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
	/* A later generation never does. */
	m->generation = 1;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->generation, 1);
	VRT_EXPECT_EQUAL(t, vr_replica_sequence_first(c->replicas[A]), (1ull << 48) + 1);
	/* And its own words are for the other one. */
	m = cluster_draft(c, VR_CLIENT_REQUEST, A, 0);
	m->incarnation = 0;
	m->instance++;
	m->life = c->config[A].nonce;
	cluster_draft_entry(c, session, 2);
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_GENERATION, 1);
}

static void misdirected(struct vrt *t)
{
	struct cluster *c = served(t, with_clients);
	struct vr_message *m = cluster_draft(c, VR_CLIENT_PONG, 0, A);
	u8 slot;

	m->life = c->config[A].nonce;
	m->heartbeat_ns = U64_MAX;
	cluster_receive(c);
	EXPECT_DROPS(c, A, VR_DROP_UNWANTED, 1);
	/* To a voter, what a client is told; to a client, what a voter is. */
	m->to = 1;
	cluster_receive(c);
	EXPECT_DROPS(c, 1, VR_DROP_SLOT, 1);
	cluster_draft(c, VR_COMMIT, 0, 1)->to = A;
	cluster_receive(c);
	m = cluster_draft(c, VR_CLIENT_PONG, 0, A);
	m->life = c->config[A].nonce;
	m->to = B;
	c->draft.to = B;
	EXPECT_DROPS(c, A, VR_DROP_SLOT, 1);
	/* A voter without memory says where it is, and no more. */
	slot = 2;
	cluster_restart(c, slot);
	m = cluster_draft(c, VR_SUBSCRIBE, A, slot);
	m->incarnation = 0;
	m->life = c->config[A].nonce;
	m->op = 1;
	cluster_receive(c);
	EXPECT_DROPS(c, slot, VR_DROP_STATUS, 1);
	/* A client forms nothing, leaves at once, and has no memory to lose. */
	cluster_form(c, A, 0, 5);
	VRT_EXPECT_EQUAL(t, c->form_error[A], VR_FORM_NOT_BLANK_HERE);
	cluster_leave(c, A);
	VRT_EXPECT_EQUAL(t, c->left[A], 1);
	cluster_demote(c, A);
	EXPECT_STATUS(c, A, VR_STATUS_NORMAL);
}

static const struct vrt_case cases[] = {
	{ finds, "it finds the primary, if the voters have room for it" },
	{ knows_nobody, "before it knows a voter it refuses" },
	{ waits_for_group, "it waits until its group is formed" },
	{ serves, "its requests are as good as a voter's, in two round trips" },
	{ answer_lost, "a lost answer is given again, from the client table" },
	{ answer_twice, "an answer is for one request, however often it comes" },
	{ follows_view_change, "it follows a view change, and nothing is applied twice" },
	{ asks_the_wrong_one, "a backup says where the primary is" },
	{ nobody_there, "without a quorum it gives up, and knows what it does not know" },
	{ other_lives, "what is of another life is neither taken nor given" },
	{ session_gone, "a session that is gone leaves its request unknown" },
	{ no_room, "voters have room for so many, and for others when one is gone" },
	{ reads, "a quorum confirms its reads, one question for all" },
	{ read_lost, "a lost question is asked again" },
	{ ends_a_barrier, "a barrier ends when the messages before it are here" },
	{ read_from_a_past_primary, "a primary that is none any more answers no read" },
	{ read_by_lease, "under its lease the primary answers alone" },
	{ node_dies, "a silent client's sessions end after its lease" },
	{ next_life_lives, "only those of the life that is silent" },
	{ lease_begins_anew, "a new primary begins the lease anew" },
	{ stopped_primary, "who was stopped calls nobody silent" },
	{ subscribes, "who reads has the log sent, in order" },
	{ source_dies, "another voter goes on where one ended" },
	{ source_cut_off, "even if that one still answers" },
	{ records_lost, "nothing is skipped, nothing comes twice" },
	{ records_twice, "a copy of records asks for nothing" },
	{ gap, "what no voter keeps any more is a gap" },
	{ catches_up, "it catches up, whatever is lost" },
	{ ahead_of_its_source, "a voter that is behind says nothing" },
	{ other_group, "a later generation is its group, another group is not" },
	{ misdirected, "what is not for it is dropped" },
	{ }
};

VRT_SUITE(client, cases);
