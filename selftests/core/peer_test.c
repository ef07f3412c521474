// SPDX-License-Identifier: GPL-2.0
/* Who is there and how far away; time-outs that adapt; late timers (R20, R22). */
#include "cluster.h"

static u64 round_trip(struct cluster *c, u8 slot, u8 peer)
{
	return cluster_info(c, slot)->peers[peer].round_trip_ns;
}

/* One PING of everybody, and PONGs that come @rtt_ns later. */
static void ping_round(struct cluster *c, u8 slot, u64 rtt_ns)
{
	u32 before = c->sent[slot][VR_PING];

	while (c->sent[slot][VR_PING] == before) {
		cluster_timeout(c, slot);
		if (c->sent[slot][VR_PING] == before)
			cluster_run(c);
	}
	cluster_hop(c);
	c->now_ns += rtt_ns;
	cluster_hop(c);
	cluster_run(c);
}

static void measures(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	for (i = 0; i < 40; i++)
		ping_round(c, 0, VR_NS_PER_MS);
	VRT_EXPECT(t, round_trip(c, 0, 1) > VR_NS_PER_MS / 2);
	VRT_EXPECT(t, round_trip(c, 0, 1) < 2 * VR_NS_PER_MS);
	for (i = 0; i < 40; i++)
		ping_round(c, 0, 4 * VR_NS_PER_MS);
	VRT_EXPECT(t, round_trip(c, 0, 1) > 2 * VR_NS_PER_MS);
	VRT_EXPECT(t, round_trip(c, 0, 2) > 2 * VR_NS_PER_MS);
}

/* The time in a PONG is of whoever compares it: of this life, and not to come. */
static void pong_of_another(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 dropped = cluster_drops(c, 0, VR_DROP_UNWANTED), before;

	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	before = round_trip(c, 0, 1);
	cluster_draft(c, VR_PONG, 1, 0)->heartbeat_ns = 1;
	c->draft.nonces[0] = c->config[0].nonce + 1;
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_UNWANTED, dropped + 1);
	cluster_draft(c, VR_PONG, 1, 0)->heartbeat_ns = c->now_ns + CLUSTER_TIMEOUT_NS;
	c->draft.nonces[0] = c->config[0].nonce;
	cluster_receive(c);
	EXPECT_DROPS(c, 0, VR_DROP_UNWANTED, dropped + 2);
	VRT_EXPECT_EQUAL(t, round_trip(c, 0, 1), before);
}

/* How long a backup waits before it speaks up, without a word from the primary. */
static u64 patience(struct cluster *c, u8 slot)
{
	u64 start_ns = c->now_ns;
	u32 before;

	cluster_forget(c);
	before = c->sent[slot][VR_EXIT_VIEW];
	while (c->sent[slot][VR_EXIT_VIEW] == before) {
		cluster_timeout(c, slot);
		c->first = c->last;
	}
	return c->now_ns - start_ns;
}

/* Far apart, the same silence says less. */
static void timeouts_adapt(struct vrt *t)
{
	struct cluster *near = cluster_formed(t, 3), *far = cluster_formed(t, 3);
	u64 near_ns, far_ns;
	u32 i;

	for (i = 0; i < 30; i++) {
		ping_round(near, 1, 0);
		ping_round(far, 1, CLUSTER_HEARTBEAT_NS);
	}
	cluster_draft(near, VR_COMMIT, 0, 1)->heartbeat_ns = near->now_ns + 1;
	cluster_receive(near);
	cluster_draft(far, VR_COMMIT, 0, 1)->heartbeat_ns = far->now_ns + 1;
	cluster_receive(far);
	near_ns = patience(near, 1);
	far_ns = patience(far, 1);
	VRT_EXPECT(t, near_ns >= CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, near_ns < 2 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, far_ns > near_ns);
}

/* However long it takes, and however wrong it is: bounded. */
static void timeouts_are_bounded(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	for (i = 0; i < 30; i++) {
		cluster_draft(c, VR_PONG, i % 2 ? 0 : 2, 1)->heartbeat_ns = 1;
		c->draft.nonces[0] = c->config[1].nonce;
		cluster_receive(c);
	}
	cluster_draft(c, VR_COMMIT, 0, 1)->heartbeat_ns = c->now_ns + 1;
	cluster_receive(c);
	VRT_EXPECT(t, patience(c, 1) <= 16 * CLUSTER_TIMEOUT_NS * 5 / 4 +
		   CLUSTER_HEARTBEAT_NS);
}

/* We were stopped: what the others said meanwhile is heard before they are judged. */
static void late_backup(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	c->now_ns += 10 * CLUSTER_TIMEOUT_NS;
	cluster_step(c, 1, &event);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_EXIT_VIEW], 0);
	/* The primary's word waited in the socket. */
	cluster_draft(c, VR_COMMIT, 0, 1)->heartbeat_ns = c->now_ns;
	cluster_receive(c);
	c->now_ns += 2 * CLUSTER_HEARTBEAT_NS;
	cluster_step(c, 1, &event);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_EXIT_VIEW], 0);
}

static void late_and_nothing_came(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	c->cut[0] = 0xff;
	c->cut[2] = 0xff;
	cluster_forget(c);
	c->now_ns += 10 * CLUSTER_TIMEOUT_NS;
	cluster_step(c, 1, &event);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_EXIT_VIEW], 0);
	/* Again late, and it is believed: a slow machine must not wait for ever. */
	c->now_ns += 10 * CLUSTER_TIMEOUT_NS;
	cluster_step(c, 1, &event);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_EXIT_VIEW], 2);
}

static void late_primary(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };
	struct letter *beat, *echo;

	cluster_wait(c, CLUSTER_TIMEOUT_NS);
	cluster_forget(c);
	while (!cluster_find(c, VR_COMMIT, 0, 1))
		cluster_timeout(c, 0);
	beat = cluster_take(c, VR_COMMIT, 0, 1);
	cluster_deliver(c, beat);
	echo = cluster_take(c, VR_PREPARE_OK, 1, 0);
	c->now_ns += 10 * CLUSTER_TIMEOUT_NS;
	cluster_step(c, 0, &event);
	/* It has not given up its view yet: it asks once more who is there. */
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_EXIT_VIEW], 0);
	VRT_EXPECT(t, cluster_find(c, VR_COMMIT, 0, 1));
	cluster_deliver(c, echo);
	cluster_run(c);
	c->now_ns += CLUSTER_HEARTBEAT_NS;
	cluster_step(c, 0, &event);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_EXIT_VIEW], 0);
	VRT_EXPECT(t, cluster_info(c, 0)->has_quorum);
}

/* PING shows who lags, and in which view they are. */
static void ping_tells(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_PING, 0, 1)->status = VR_STATUS_NORMAL;
	c->draft.commit = 7;
	cluster_receive(c);
	VRT_EXPECT(t, cluster_find(c, VR_GET_STATE, 1, 0));
	cluster_forget(c);
	cluster_draft(c, VR_PING, 2, 1)->status = VR_STATUS_NORMAL;
	c->draft.view = 2;
	cluster_receive(c);
	VRT_EXPECT(t, cluster_find(c, VR_GET_STATE, 1, 2));
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->peers[2].status, VR_STATUS_NORMAL);
	cluster_draft(c, VR_PING, 2, 1)->status = VR_STATUS_HALTED;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->peers[2].status, VR_STATUS_HALTED);
}

/* Each PING is answered, by anybody, but not to those with other members. */
static void pong_always(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_forget(c);
	cluster_draft(c, VR_PING, 0, 1)->heartbeat_ns = 99;
	c->draft.nonces[0] = 12345;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_find(c, VR_PONG, 1, 0))->heartbeat_ns, 99);
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_find(c, VR_PONG, 1, 0))->nonces[0], 12345);
	cluster_forget(c);
	c->members[2] = 0x78;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT(t, c->sent[2][VR_PING]);
	VRT_EXPECT(t, cluster_info(c, 1)->peers[2].members_differ);
	VRT_EXPECT_EQUAL(t, round_trip(c, 2, 1), 0);
	VRT_EXPECT_EQUAL(t, round_trip(c, 1, 2), 0);
}

static struct vrt_case cases[] = {
	{ measures, "round trips are measured, and follow what changes" },
	{ pong_of_another, "a PONG of another life or from the future says nothing" },
	{ timeouts_adapt, "far apart, silence is believed later" },
	{ timeouts_are_bounded, "a time-out grows sixteenfold at most" },
	{ late_backup, "a backup that was stopped hears first what it missed" },
	{ late_and_nothing_came, "who is late again believes the silence" },
	{ late_primary, "a primary that was stopped asks again before it gives up" },
	{ ping_tells, "PING shows a newer view and a longer log" },
	{ pong_always, "PING is answered by anybody with the same members" },
	{ }
};

VRT_SUITE(peer, cases);
