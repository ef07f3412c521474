// SPDX-License-Identifier: GPL-2.0
/* How a group begins, once, and who takes no part (R19). */
#include "cluster.h"

#define GIVE_UP_NS (3100 * VR_NS_PER_MS)

static void expect_form(struct cluster *c, u8 slot, enum vr_form_error error, u8 about)
{
	VRT_EXPECT_EQUAL(c->t, c->form_count[slot], 1);
	VRT_EXPECT_EQUAL(c->t, c->form_error[slot], error);
	VRT_EXPECT_EQUAL(c->t, c->form_slot[slot], about);
	c->form_count[slot] = 0;
}

static void expect_all(struct cluster *c, enum vr_status status)
{
	u8 slot;

	for (slot = 0; slot < c->count; slot++) {
		if (!(c->down & (1u << slot)))
			EXPECT_STATUS(c, slot, status);
	}
}

static void forms(struct vrt *t)
{
	u8 count, slot;

	for (count = 1; count <= VR_REPLICAS_MAX; count++) {
		struct cluster *c = cluster_new(t, count);

		expect_all(c, VR_STATUS_BLANK);
		cluster_form(c, count - 1, 0, 9);
		cluster_run(c);
		expect_form(c, count - 1, VR_FORM_OKAY, count - 1);
		for (slot = 0; slot < count; slot++) {
			const struct vr_info *info = cluster_info(c, slot);

			VRT_EXPECT_EQUAL(t, info->status, VR_STATUS_NORMAL);
			VRT_EXPECT_EQUAL(t, info->view, 0);
			VRT_EXPECT_EQUAL(t, info->primary, 0);
			VRT_EXPECT_EQUAL(t, info->op, 0);
			VRT_EXPECT_EQUAL(t, info->quorum, count / 2 + 1);
			VRT_EXPECT(t, info->has_quorum);
		}
		VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, cluster_begin(c, 0, 0), 1), 1);
	}
}

static void nothing_by_itself(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_wait(c, 10000 * VR_NS_PER_MS);
	expect_all(c, VR_STATUS_BLANK);
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	EXPECT_ANSWER(c, 0, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
}

static void generation(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);
	u64 base = (u64)VR_GENERATION_MAX << 48, session;

	cluster_form(c, 1, VR_GENERATION_MAX, 9);
	cluster_run(c);
	expect_form(c, 1, VR_FORM_OKAY, 1);
	session = cluster_begin(c, 2, 0);
	VRT_EXPECT_EQUAL(t, session, base + 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), base + 1);
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_run(c);
	session = c->answers[0][0].done.result.index;
	cluster_submit(c, 0, 0, VR_KIND_APPEND, session, 1, 0, "m");
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->answers[0][0].done.result.last, base + 1);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT(t, vr_replica_message(c->replicas[1], base + 1));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->generation, VR_GENERATION_MAX);
	/* A view change starts from there as well. */
	c->down = 1;
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->commit, base + 4);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
}

static void once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->form_count[0] = 0;
	cluster_form(c, 0, 0, 43);
	expect_form(c, 0, VR_FORM_NOT_BLANK_HERE, 0);
	cluster_run(c);
	expect_all(c, VR_STATUS_NORMAL);
}

static void not_twice_at_once(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_form(c, 0, 0, 1);
	cluster_form(c, 0, 0, 2);
	expect_form(c, 0, VR_FORM_NOT_BLANK_HERE, 0);
	cluster_run(c);
	expect_form(c, 0, VR_FORM_OKAY, 0);
	expect_all(c, VR_STATUS_NORMAL);
}

static void silent_member(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	c->down = 1 << 2;
	cluster_form(c, 0, 0, 1);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
	cluster_wait(c, GIVE_UP_NS);
	expect_form(c, 0, VR_FORM_UNREACHABLE, 2);
	expect_all(c, VR_STATUS_BLANK);

	/* Released, not spoiled. */
	c->down = 0;
	cluster_form(c, 1, 0, 2);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	expect_form(c, 1, VR_FORM_OKAY, 1);
	expect_all(c, VR_STATUS_NORMAL);
}

static void crossing(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 5);

	cluster_form(c, 0, 0, 1);
	cluster_form(c, 4, 0, 2);
	cluster_run(c);
	expect_form(c, 0, VR_FORM_BUSY, c->form_slot[0]);
	expect_form(c, 4, VR_FORM_BUSY, c->form_slot[4]);
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	expect_all(c, VR_STATUS_BLANK);

	cluster_form(c, 4, 0, 3);
	cluster_run(c);
	expect_form(c, 4, VR_FORM_OKAY, 4);
	expect_all(c, VR_STATUS_NORMAL);
}

/* One FORM is promised to by some while the other gets the rest. */
static void crossing_halves(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 5);

	cluster_form(c, 0, 0, 1);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	cluster_form(c, 4, 0, 2);
	cluster_deliver(c, cluster_take(c, VR_FORM, 4, 3));
	cluster_deliver(c, cluster_take(c, VR_FORM, 4, 2));
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
	EXPECT_STATUS(c, 3, VR_STATUS_FORMING);
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, c->form_count[0] + c->form_count[4], 2);
	expect_all(c, VR_STATUS_BLANK);
}

static void loses(struct vrt *t, u8 type)
{
	u8 from, to;

	for (from = 0; from < 3; from++) {
		for (to = 0; to < 3; to++) {
			struct cluster *c = cluster_new(t, 3);
			struct letter *l;

			cluster_form(c, 0, 0, 1);
			/* Step by step, so that the first such datagram is met. */
			while (c->first < c->last && !cluster_find(c, type, from, to)) {
				l = &c->letters[c->first++ % CLUSTER_LETTERS];
				if (l->there)
					cluster_deliver(c, l);
			}
			if (cluster_find(c, type, from, to))
				cluster_take(c, type, from, to);
			cluster_wait(c, 10 * CLUSTER_HEARTBEAT_NS);
			expect_form(c, 0, VR_FORM_OKAY, 0);
			expect_all(c, VR_STATUS_NORMAL);
		}
	}
}

static void loses_form(struct vrt *t)
{
	loses(t, VR_FORM);
}

static void loses_form_ok(struct vrt *t)
{
	loses(t, VR_FORM_OK);
}

static void loses_formed(struct vrt *t)
{
	loses(t, VR_FORMED);
}

static void formed_from_anybody(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_form(c, 0, 0, 1);
	c->cut[0] = 0;
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_FORM_OK, 1, 0));
	c->cut[0] = 1 << 2;
	cluster_run(c);
	expect_form(c, 0, VR_FORM_OKAY, 0);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 2, VR_STATUS_FORMING);
	/* The initiator is gone: who heard FORMED answers the FORM_OK. */
	c->down = 1;
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT(t, c->sent[1][VR_FORMED]);
}

static void forgotten_initiator(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	c->cut[0] = 1 << 2;
	cluster_form(c, 0, 0, 1);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
	c->cut[0] = 0;
	cluster_restart(c, 0);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	expect_all(c, VR_STATUS_BLANK);
	cluster_form(c, 2, 0, 2);
	cluster_run(c);
	expect_form(c, 2, VR_FORM_OKAY, 2);
	expect_all(c, VR_STATUS_NORMAL);
}

static void promised_in_an_earlier_life(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);
	struct letter *ok;

	cluster_form(c, 0, 0, 1);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	ok = cluster_take(c, VR_FORM_OK, 1, 0);
	cluster_restart(c, 1);
	cluster_deliver(c, ok);
	cluster_run(c);
	expect_form(c, 0, VR_FORM_OKAY, 0);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	/* It comes in as one that lost its memory, in a life of its own. */
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->recoveries, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->incarnation, 2);
}

static void member_of_a_group(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	cluster_forget(c);
	cluster_restart(c, 0);
	cluster_form(c, 0, 0, 99);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_FORM_REFUSED, 1, 0));
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_NOT_BLANK);
	VRT_EXPECT_EQUAL(t, c->form_slot[0], 1);
	/* It is no new group's but the old one's member, and becomes one again. */
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->recoveries, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->incarnation, 2);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 1), 1);
	cluster_agrees(c);
}

static void other_members(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	c->members[2] = 0x78;
	cluster_form(c, 0, 0, 1);
	cluster_run(c);
	expect_form(c, 0, VR_FORM_MEMBERS, 2);
	cluster_wait(c, GIVE_UP_NS);
	expect_all(c, VR_STATUS_BLANK);
	VRT_EXPECT(t, cluster_info(c, 0)->peers[2].members_differ);
	VRT_EXPECT(t, !cluster_info(c, 0)->peers[1].members_differ);
}

static void lost_memory(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);
	u8 type;

	cluster_forget(c);
	cluster_restart(c, 2);
	/* It hears and asks, and nobody hears it. */
	c->cut[2] = 0xff;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->refusal, VR_REFUSAL_MEMORY_LOST);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->incarnation, 0);
	for (type = 1; type < VR_TYPE_COUNT; type++) {
		if (type != VR_PING && type != VR_PONG && type != VR_RECOVERY)
			VRT_EXPECT_EQUAL(t, c->sent[2][type], 0);
	}
	VRT_EXPECT(t, c->sent[2][VR_RECOVERY]);
	/* It may get its memory back any time; who asks waits, and not for ever. */
	cluster_submit(c, 2, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_ANSWER(c, 2, 0, 1, VR_OUTCOME_NOT_APPLIED, -EHOSTUNREACH);
	c->cut[2] = 0x2;
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	/* The group knows what it is, and goes on. */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->peers[2].status, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 1), 1);
	/* It counts for no quorum, either. */
	c->down = 1;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, !cluster_info(c, 1)->has_quorum);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
}

static void any_message_tells(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_restart(c, 1);
	cluster_draft(c, VR_COMMIT, 0, 1);
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_RECOVERING);
	EXPECT_DROPS(c, 1, VR_DROP_STATUS, 1);
}

static void ping_tells(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_draft(c, VR_PING, 0, 1)->status = VR_STATUS_BLANK;
	cluster_receive(c);
	cluster_draft(c, VR_PING, 0, 1)->status = VR_STATUS_FORMING;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_BLANK);
	cluster_draft(c, VR_PING, 0, 1)->status = VR_STATUS_VIEW_CHANGE;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_RECOVERING);
}

static void same_id(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_form(c, 0, 0, 1);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	cluster_forget(c);
	cluster_draft(c, VR_FORM, 2, 1)->form_id = 1;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_FORM_OK], 0);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_FORM_REFUSED], 1);
}

static void foreign_ping(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	/* Another list's member of a group tells nothing about ours. */
	c->members[1] = 0x78;
	cluster_restart(c, 1);
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 1, VR_STATUS_BLANK);
	VRT_EXPECT(t, cluster_info(c, 1)->peers[0].members_differ);
}

static struct vrt_case cases[] = {
	{ forms, "one command forms a group of 1 to 7" },
	{ nothing_by_itself, "blank members wait for the command for ever" },
	{ generation, "the group's numbers start in the generation it was told" },
	{ once, "a member of a group forms no other" },
	{ not_twice_at_once, "a second command does not disturb the first" },
	{ silent_member, "a silent member is named, the others released" },
	{ crossing, "two commands at once refuse each other and can be repeated" },
	{ crossing_halves, "commands that split the members release them all" },
	{ loses_form, "a lost FORM is sent again" },
	{ loses_form_ok, "a lost FORM_OK is sent again" },
	{ loses_formed, "a lost FORMED is sent again" },
	{ formed_from_anybody, "who missed FORMED learns it from any member" },
	{ forgotten_initiator, "a promise to an initiator that forgot it is released" },
	{ promised_in_an_earlier_life, "a promise of an earlier life is not kept" },
	{ member_of_a_group, "a member that is in a group already refuses a FORM" },
	{ other_members, "a member with another member list is named" },
	{ lost_memory, "a member that lost its memory takes no part and says so" },
	{ any_message_tells, "any message of a group tells a member that it forgot" },
	{ ping_tells, "a PING of a group tells a member that it forgot" },
	{ same_id, "a promise is to one initiator" },
	{ foreign_ping, "a PING with another member list means nothing" },
	{ }
};

VRT_SUITE(form, cases);
