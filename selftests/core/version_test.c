// SPDX-License-Identifier: GPL-2.0
/*
 * Members that speak different versions of the wire format (R34): what a datagram
 * may say in each, how they find out about each other, and what they then say.
 * cluster.c sees to it that nothing is ever said in a version that has it not.
 */
#include "cluster.h"
#include "sample.h"

#define OLD	VR_WIRE_VERSION_MIN
#define NEW	VR_WIRE_VERSION_CLIENTS
#define A	CLUSTER_CLIENT
#define FORGET_NS (CLUSTER_TIMEOUT_NS + 40 * CLUSTER_HEARTBEAT_NS)

static u8 version_at(struct cluster *c, u8 slot, u8 peer)
{
	return cluster_info(c, slot)->peers[peer].version;
}

static void with_clients(struct vr_config *cfg)
{
	cfg->clients_max = 2;
	cfg->node_lease_ns = 20 * CLUSTER_TIMEOUT_NS;
}

static void last_is_old(struct vr_config *cfg)
{
	with_clients(cfg);
	if (cfg->self == 2)
		cfg->wire_version = OLD;
}

static void first_is_old(struct vr_config *cfg)
{
	with_clients(cfg);
	if (cfg->self == 0)
		cfg->wire_version = OLD;
}

/* Its module is exchanged for one that speaks @version. */
static void exchange(struct cluster *c, u8 slot, u8 version)
{
	c->config[slot].wire_version = version;
	cluster_restart(c, slot);
}

static struct cluster *served(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, with_clients);

	cluster_client(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, A, VR_STATUS_NORMAL);
	return c;
}

/* ---- datagrams --------------------------------------------------------------- */

static enum vr_drop said_in(struct vrt *t, struct sample *s, u8 version)
{
	struct vr_wire_scratch *scratch = vrt_alloc(t, sizeof(*scratch));
	u8 *datagram = vrt_alloc(t, VR_DATAGRAM_BYTES_MAX);
	const struct vr_message *m = &s->message;
	u32 bytes = vr_wire_encode(datagram, m, m->to, version, &sample_group);
	bool members_differ;
	enum vr_drop drop;

	drop = vr_wire_decode(scratch, datagram, bytes, &sample_group, &members_differ);
	if (!drop)
		VRT_EXPECT_EQUAL(t, scratch->message.version, version);
	return drop;
}

/* Of a voter all is alike in both but one byte; of a client there is nothing in 4. */
static void formats(struct vrt *t)
{
	u8 *old = vrt_alloc(t, VR_DATAGRAM_BYTES_MAX), *new = vrt_alloc(t, VR_DATAGRAM_BYTES_MAX);
	struct sample *s = sample_new(t);
	struct vr_message *m = &s->message;
	u32 bytes;
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		sample_fill(s, type, 1, 5);
		VRT_EXPECT_EQUAL(t, said_in(t, s, NEW), VR_DROP_NONE);
		VRT_EXPECT_EQUAL(t, said_in(t, s, OLD),
				 vr_type_of_client(type) ? VR_DROP_TYPE : VR_DROP_NONE);
		VRT_EXPECT_EQUAL(t, said_in(t, s, OLD - 1), VR_DROP_VERSION);
		VRT_EXPECT_EQUAL(t, said_in(t, s, VR_WIRE_VERSION + 1), VR_DROP_VERSION);
		bytes = vr_wire_encode(old, m, m->to, OLD, &sample_group);
		VRT_EXPECT_EQUAL(t, vr_wire_encode(new, m, m->to, NEW, &sample_group), bytes);
		VRT_EXPECT(t, !memcmp(old, new, 4) && !memcmp(old + 5, new + 5, bytes - 5));
	}
}

/* Entries of clients, wherever they stand. */
static void entries(struct vrt *t)
{
	static const u8 carriers[] = { VR_PREPARE, VR_NEW_STATE, VR_REQUEST };
	struct sample *s = sample_new(t);
	u32 i;

	for (i = 0; i < sizeof(carriers); i++) {
		u32 last = carriers[i] == VR_REQUEST ? 0 : 2;

		sample_fill(s, carriers[i], last + 1, 5);
		VRT_EXPECT_EQUAL(t, said_in(t, s, OLD), VR_DROP_NONE);
		s->entries[last].origin = VR_CLIENT_MIN;
		VRT_EXPECT_EQUAL(t, said_in(t, s, OLD), VR_DROP_TYPE);
		VRT_EXPECT_EQUAL(t, said_in(t, s, NEW), VR_DROP_NONE);
		sample_fill(s, carriers[i], last + 1, 5);
		s->entries[last].kind = VR_KIND_NODE_END;
		VRT_EXPECT_EQUAL(t, said_in(t, s, OLD), VR_DROP_TYPE);
		VRT_EXPECT_EQUAL(t, said_in(t, s, NEW), VR_DROP_NONE);
	}
}

static void configurations(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 1);
	struct vr_config *cfg = &c->config[0];

	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->wire_version, VR_WIRE_VERSION);
	cfg->wire_version = OLD - 1;
	VRT_EXPECT(t, vr_config_invalid(cfg));
	cfg->wire_version = VR_WIRE_VERSION + 1;
	VRT_EXPECT(t, vr_config_invalid(cfg));
	cfg->wire_version = OLD;
	VRT_EXPECT(t, !vr_config_invalid(cfg));
	cfg->client = VR_CLIENT_MIN;
	VRT_EXPECT(t, vr_config_invalid(cfg));
	cfg->wire_version = NEW;
	VRT_EXPECT(t, !vr_config_invalid(cfg));
}

/* ---- who speaks what ----------------------------------------------------------- */

static void take_ping(struct cluster *c, u8 from, u8 to, u8 version)
{
	VRT_EXPECT_EQUAL(c->t, cluster_take(c, VR_PING, from, to)->version, version);
}

/* Whom it does not know it asks in both in turn, its own first; all else is in the older. */
static void pings(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 2);
	struct letter *ping;

	cluster_timeout(c, 0);
	ping = cluster_take(c, VR_PING, 0, 1);
	VRT_EXPECT_EQUAL(t, ping->version, NEW);
	VRT_EXPECT(t, !cluster_find(c, VR_PING, 0, 1));
	cluster_timeout(c, 0);
	take_ping(c, 0, 1, OLD);
	VRT_EXPECT(t, !cluster_find(c, VR_PING, 0, 1));
	cluster_timeout(c, 0);
	take_ping(c, 0, 1, NEW);
	cluster_form(c, 0, 0, 42);
	VRT_EXPECT_EQUAL(t, cluster_take(c, VR_FORM, 0, 1)->version, OLD);
	/* Whoever hears the newer one answers in it, and both know. */
	VRT_EXPECT_EQUAL(t, version_at(c, 1, 0), 0);
	cluster_deliver(c, ping);
	VRT_EXPECT_EQUAL(t, version_at(c, 1, 0), NEW);
	VRT_EXPECT_EQUAL(t, cluster_find(c, VR_PONG, 1, 0)->version, NEW);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 1), NEW);
	cluster_forget(c);
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT(t, c->sent[1][VR_PING] >= 2);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 1), NEW);
	EXPECT_DROPS(c, 0, VR_DROP_VERSION, 0);
}

static void older_member(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 2);

	exchange(c, 1, OLD);
	cluster_timeout(c, 0);
	cluster_run(c);
	EXPECT_DROPS(c, 1, VR_DROP_VERSION, 1);
	VRT_EXPECT_EQUAL(t, version_at(c, 1, 0), 0);
	cluster_timeout(c, 0);
	cluster_run(c);
	EXPECT_DROPS(c, 1, VR_DROP_VERSION, 1);
	VRT_EXPECT_EQUAL(t, version_at(c, 1, 0), OLD);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 1), OLD);
	cluster_timeout(c, 1);
	take_ping(c, 1, 0, OLD);
	VRT_EXPECT(t, !cluster_find(c, VR_PING, 1, 0));
	/* It goes on being asked: it may have been exchanged, and heard by nobody. */
	cluster_forget(c);
	cluster_timeout(c, 0);
	take_ping(c, 0, 1, NEW);
	cluster_timeout(c, 0);
	take_ping(c, 0, 1, OLD);
}

/* A group of both forms, serves, changes views and gets a member its memory back. */
static void together(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, last_is_old);
	u64 session = cluster_begin(c, 2, 0), request = 0;
	u8 slot;

	for (slot = 0; slot < 3; slot++) {
		c->down = 1u << slot;
		cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
		cluster_recovers(c, slot);
		session = cluster_begin(c, 2, 1 + slot);
		request = cluster_next(c, 2, 1 + slot, session, 1);
		VRT_EXPECT_EQUAL(t, request, 1 + slot);
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
		cluster_agrees(c);
	}
}

/* What is known stays while nothing is heard, and for a while if only the older is. */
static void sticks(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	c->cut[2] = 7;
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	/* The first words after a long silence, in the older one, are those of an older. */
	cluster_draft(c, VR_PONG, 2, 0)->version = OLD;
	c->draft.nonces[0] = c->config[0].nonce;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), OLD);
	c->draft.version = NEW;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	/* Otherwise what waited somewhere changes nothing, until it lasts. */
	c->draft.version = OLD;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	cluster_wait(c, FORGET_NS / 2);
	cluster_draft(c, VR_PONG, 2, 0)->version = OLD;
	c->draft.nonces[0] = c->config[0].nonce;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	cluster_wait(c, FORGET_NS);
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), OLD);
}

/* Another life may be of another module, and says so in its first PING. */
static void exchanged(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	exchange(c, 2, OLD);
	cluster_timeout(c, 2);
	cluster_hop(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), OLD);
	VRT_EXPECT_EQUAL(t, cluster_find(c, VR_PONG, 0, 2)->version, OLD);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	exchange(c, 2, NEW);
	cluster_timeout(c, 2);
	cluster_hop(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, version_at(c, 2, 0), NEW);
	VRT_EXPECT_EQUAL(t, version_at(c, 2, 1), NEW);
}

/* ---- clients -------------------------------------------------------------------- */

static void kept_out(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, last_is_old);
	u64 commit;

	cluster_client(c);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, A, VR_STATUS_VIEW_CHANGE);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->older_mask, 1u << 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->older_mask, 1u << 2);
	commit = cluster_info(c, 0)->commit;
	cluster_submit(c, A, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	EXPECT_ANSWER(c, A, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	cluster_read(c, A, 1, VR_READ_LOCAL);
	EXPECT_ANSWER(c, A, 1, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	/* It does not ask; one that asks all the same is told. */
	cluster_draft(c, VR_CLIENT_REQUEST, A, 0)->incarnation = 0;
	c->draft.life = c->config[A].nonce;
	cluster_draft_entry(c, 0, 1)->kind = VR_KIND_SESSION_BEGIN;
	c->draft_entry.argument = c->draft.life;
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_VERSION, 1);
	VRT_EXPECT(t, cluster_find(c, VR_CLIENT_PONG, 0, A));
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, commit);
	/* It is exchanged: now all can follow what clients do. */
	exchange(c, 2, NEW);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, A, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->older_mask, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, cluster_begin(c, A, 0), 1), 1);
}

/* A primary of the older version does not know what a client is; the others say so. */
static void older_primary(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, first_is_old);
	u32 sent = 0;
	u8 type;

	cluster_client(c);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, A)->older_mask, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->older_mask & 1, 1);
	VRT_EXPECT(t, cluster_drops(c, 0, VR_DROP_VERSION) > 0);
	for (type = VR_CLIENT_PING; type < VR_TYPE_COUNT; type++)
		sent += c->sent[0][type];
	VRT_EXPECT_EQUAL(t, sent, 0);
}

/* What is under way ends as soon as it is known that nobody is served. */
static void told_while_waiting(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	with_clients(&c->config[0]);
	exchange(c, 0, NEW);
	with_clients(&c->config[1]);
	exchange(c, 1, NEW);
	exchange(c, 2, OLD);
	cluster_form(c, 0, 0, 42);
	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	cluster_client(c);
	/* It hears first of the group, then of the voter that is too old. */
	cluster_draft(c, VR_CLIENT_PONG, 1, A)->status = VR_STATUS_NORMAL;
	c->draft.life = c->config[A].nonce;
	cluster_receive(c);
	EXPECT_STATUS(c, A, VR_STATUS_VIEW_CHANGE);
	cluster_submit(c, A, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	VRT_EXPECT_EQUAL(t, c->answers[A][0].count, 0);
	c->draft.older = 1u << 2;
	cluster_receive(c);
	EXPECT_ANSWER(c, A, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
}

static void silent_voter(struct vrt *t)
{
	struct cluster *c = served(t);
	u64 session;

	c->down = 1u << 2;
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	session = cluster_begin(c, A, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
	/* Its next life, too, as long as it speaks the version. */
	cluster_recovers(c, 2);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 2), 2);
}

/* All served clients, then one comes back with an older module. */
static void too_old(struct vrt *t)
{
	struct cluster *c = served(t);
	u64 session = cluster_begin(c, A, 0), local;
	u64 first = cluster_info(c, 0)->op;
	u32 i;

	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
	exchange(c, 2, OLD);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	/* It cannot have its memory back, and says why; nothing of a client is there. */
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT(t, cluster_info(c, 2)->op < first);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->behind_mask, 1u << 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->behind_mask |
			 cluster_info(c, 1)->behind_mask, 1u << 2);
	/* The others go on, with the client and with their own. */
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 2), 2);
	local = cluster_begin(c, 1, 1);
	for (i = 1; i < 10; i++)
		VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 1, local, i), 2 + i);
	cluster_agrees(c);
	exchange(c, 2, NEW);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->behind_mask, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->behind_mask, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 3), 12);
	cluster_agrees(c);
}

/* One that keeps its memory and says that it speaks less: a backup in its place. */
static void backup_speaks_less(struct vrt *t)
{
	struct cluster *c = served(t);
	u64 session, local, op;

	/* The primary believes what it hears, be it right or not. */
	local = cluster_begin(c, 0, 1);
	op = cluster_info(c, 2)->op;
	VRT_EXPECT_EQUAL(t, op, cluster_info(c, 0)->op);
	c->cut[2] = 7;
	cluster_draft(c, VR_PING, 2, 0)->version = OLD;
	c->draft.status = VR_STATUS_NORMAL;
	c->draft.nonces[0] = 0x9999;
	cluster_receive(c);
	cluster_forget(c);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), OLD);
	/* Not all are known to follow what a client does any more: it waits. */
	cluster_submit(c, A, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->answers[A][0].count, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, op);
	c->cut[2] = 0;
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, version_at(c, 0, 2), NEW);
	EXPECT_ANSWER(c, A, 0, 1, VR_OUTCOME_APPLIED, 0);
	session = c->answers[A][0].done.result.index;
	/* Now it is in the log, and the same again does not stop it. */
	cluster_draft(c, VR_PING, 2, 0)->version = OLD;
	c->draft.status = VR_STATUS_NORMAL;
	c->draft.nonces[0] = 0x9998;
	cluster_receive(c);
	cluster_forget(c);
	op = cluster_info(c, 2)->op;
	cluster_submit(c, A, 0, VR_KIND_NEXT, session, 1, 1, NULL);
	cluster_hop(c);
	VRT_EXPECT(t, cluster_find(c, VR_PREPARE, 0, 1));
	VRT_EXPECT(t, !cluster_find(c, VR_PREPARE, 0, 2));
	VRT_EXPECT(t, cluster_find(c, VR_COMMIT, 0, 2));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->behind_mask, 1u << 2);
	cluster_run(c);
	EXPECT_ANSWER(c, A, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 1, local, 1), 2);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->op, cluster_info(c, 0)->op);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->behind_mask, 0);
	cluster_agrees(c);
}

/* What the log has dropped is in a checkpoint, and clients are in that, too. */
static void checkpoint(struct vrt *t)
{
	struct cluster *c = served(t);
	u64 session = cluster_begin(c, A, 0), local = cluster_begin(c, 0, 1);
	u32 i;

	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
	c->down = 1u << 2;
	for (i = 1; i < 2 * VR_ENTRIES_MIN; i++)
		cluster_next(c, 0, 1, local, i);
	VRT_EXPECT(t, cluster_info(c, 0)->op_first > 1);
	exchange(c, 2, OLD);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 0);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_CHECKPOINT] + c->sent[1][VR_CHECKPOINT], 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->behind_mask, 1u << 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->behind_mask |
			 cluster_info(c, 1)->behind_mask, 1u << 2);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 1, local, i), i + 1);
	exchange(c, 2, NEW);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->behind_mask, 0);
}

/* A checkpoint without clients says nothing that an older one does not know. */
static void checkpoint_without(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, last_is_old);
	u64 local = cluster_begin(c, 0, 1);
	u32 i;

	c->down = 1u << 2;
	for (i = 1; i < 2 * VR_ENTRIES_MIN; i++)
		cluster_next(c, 0, 1, local, i);
	cluster_recovers(c, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	cluster_agrees(c);
}

/* It may lead no log that it cannot have: the others find another primary. */
static void cannot_lead(struct vrt *t)
{
	struct cluster *c = served(t);
	u64 session = cluster_begin(c, A, 0);
	u8 view;

	exchange(c, 1, OLD);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_RECOVERING);
	cluster_leave(c, 0);
	cluster_wait(c, 40 * CLUSTER_TIMEOUT_NS);
	view = cluster_info(c, 0)->view;
	VRT_EXPECT(t, view && view % 3 != 1);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_next(c, A, 0, session, 1), 1);
}

static const struct vrt_case cases[] = {
	{ formats, "a version has its messages, and those before it" },
	{ entries, "and its entries" },
	{ configurations, "a member speaks what there is" },
	{ pings, "PING asks in both versions, everything else waits to know" },
	{ older_member, "who is older is spoken to in its version" },
	{ together, "members of both versions are one group" },
	{ sticks, "what is known of a member stays" },
	{ exchanged, "until its next life says otherwise" },
	{ kept_out, "clients are served when all voters can follow" },
	{ older_primary, "an older primary has no clients" },
	{ told_while_waiting, "who waits is told that nobody is served" },
	{ silent_voter, "a silent voter takes no service away" },
	{ too_old, "who is too old for the log stays out, and says so" },
	{ backup_speaks_less, "nothing is said that cannot be understood" },
	{ checkpoint, "in no checkpoint either" },
	{ checkpoint_without, "what has no clients in it is for all" },
	{ cannot_lead, "who cannot have the log does not lead" },
	{ }
};

VRT_SUITE(version, cases);
