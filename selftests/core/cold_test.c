// SPDX-License-Identifier: GPL-2.0
/*
 * Records, and beginning again when too many have lost their memory (R18): who
 * may, who must not, and what survives of what was said before.
 */
#include "cluster.h"

#define BASE(generation) ((u64)(generation) << 48)
#define LONG_NS		(200 * CLUSTER_TIMEOUT_NS)

static struct cluster *formed(struct vrt *t, u8 count)
{
	struct cluster *c = cluster_recorded(t, count);
	u8 slot;

	cluster_form(c, 0, 0, 42);
	cluster_run(c);
	for (slot = 0; slot < count; slot++)
		VRT_ASSERT_EQUAL(t, cluster_status(c, slot), VR_STATUS_NORMAL);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS / 2);
	cluster_forget(c);
	return c;
}

static void power_cut(struct cluster *c, u8 mask)
{
	u8 slot;

	cluster_forget(c);
	for (slot = 0; slot < c->count; slot++) {
		if (mask & (1u << slot))
			c->record_wanted[slot] = false;
	}
	for (slot = 0; slot < c->count; slot++) {
		if (mask & (1u << slot))
			cluster_restart(c, slot);
	}
}

static void expect_in(struct cluster *c, u8 mask, u16 generation)
{
	u32 instance = 0;
	u8 slot;

	for (slot = 0; slot < c->count; slot++) {
		const struct vr_info *info = cluster_info(c, slot);

		if (!(mask & (1u << slot)))
			continue;
		VRT_EXPECT_EQUAL(c->t, info->status, VR_STATUS_NORMAL);
		VRT_EXPECT_EQUAL(c->t, info->generation, generation);
		VRT_EXPECT_EQUAL(c->t, c->record[slot].generation, generation);
		VRT_EXPECT(c->t, !instance || instance == info->instance);
		instance = info->instance;
	}
}

static u64 draw(struct cluster *c, u8 slot, u32 handle)
{
	u64 session = cluster_begin(c, slot, handle);

	return cluster_next(c, slot, handle, session, 1);
}

/* ---- the record itself ---------------------------------------------------- */

static void formed_on_record(struct vrt *t)
{
	struct cluster *c = cluster_recorded(t, 3);
	u8 slot;

	for (slot = 0; slot < 3; slot++)
		c->slow_record[slot] = true;
	cluster_form(c, 0, 5, 42);
	cluster_run(c);
	/* All have promised, and nobody is in the group that no record knows. */
	EXPECT_STATUS(c, 0, VR_STATUS_FORMING);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_FORMED], 0);
	cluster_record(c, 0);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
	cluster_record(c, 1);
	cluster_record(c, 2);
	expect_in(c, 7, 5);
	VRT_EXPECT(t, c->record[0].formed);
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_OKAY);
}

static void forming_fails(struct vrt *t)
{
	struct cluster *c = cluster_recorded(t, 3);

	c->record_error[0] = -EIO;
	cluster_form(c, 0, 0, 42);
	cluster_run(c);
	EXPECT_STATUS(c, 0, VR_STATUS_FORMING);
	cluster_wait(c, 100 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_RECORD);
	EXPECT_STATUS(c, 0, VR_STATUS_BLANK);
	EXPECT_STATUS(c, 1, VR_STATUS_BLANK);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->record_error, -EIO);
	c->record_error[0] = 0;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT(t, !c->record[0].formed);
	cluster_form(c, 1, 0, 43);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	expect_in(c, 7, 0);
}

/* Not on the way of a commit, not in a view change. */
static void rarely_written(struct vrt *t)
{
	struct cluster *c = formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), i;
	u8 slot;

	for (i = 1; i <= 300; i++)
		cluster_next(c, 1, 0, session, i);
	for (i = 0; i < 3; i++) {
		cluster_leave(c, cluster_info(c, 1)->primary);
		cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	}
	VRT_EXPECT(t, cluster_info(c, 0)->view >= 3);
	for (slot = 0; slot < 3; slot++)
		VRT_EXPECT_EQUAL(t, c->record_writes[slot], 1);
	cluster_recovers(c, 2);
	VRT_EXPECT_EQUAL(t, c->record_writes[2], 2);
	VRT_EXPECT_EQUAL(t, c->record_writes[0], 1);
	VRT_EXPECT_EQUAL(t, c->record[2].incarnation, 2);
}

/* It knows at once that it was in a group, alone on a desert island. */
static void never_blank(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	c->down = 3;
	cluster_restart(c, 2);
	c->down = 3;
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->instance, 42);
	cluster_form(c, 2, 1, 77);
	VRT_EXPECT_EQUAL(t, c->form_error[2], VR_FORM_NOT_BLANK_HERE);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
}

/* A life is not lived before the record knows of it. */
static void recovers_on_record(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	c->slow_record[2] = true;
	cluster_restart(c, 2);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, c->record_content[2].incarnation, 2);
	c->record_error[2] = -ENOSPC;
	cluster_record(c, 2);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->record_error, -ENOSPC);
	/* The others do not wait for that. */
	VRT_EXPECT_EQUAL(t, draw(c, 1, 1), 2);
	c->slow_record[2] = false;
	c->record_error[2] = 0;
	cluster_record(c, 2);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->record_error, 0);
	cluster_agrees(c);
}

static void other_list(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	c->config[2].record_differs = true;
	cluster_restart(c, 2);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_BLANK);
	cluster_form(c, 2, 0, 99);
	VRT_EXPECT_EQUAL(t, c->form_error[2], VR_FORM_NOT_BLANK_HERE);
	cluster_draft(c, VR_FORM, 0, 2)->form_id = 5;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_BLANK);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_FORM_OK], 0);
	VRT_EXPECT_EQUAL(t, c->record_writes[2], 1);
}

/* ---- all power gone --------------------------------------------------------- */

static void cold_start(struct vrt *t)
{
	u8 count;
	u16 generation;

	for (count = 1; count <= VR_REPLICAS_MAX; count++) {
		struct cluster *c = formed(t, count);

		VRT_EXPECT_EQUAL(t, draw(c, count - 1, 0), 1);
		for (generation = 1; generation <= 3; generation++) {
			power_cut(c, 0x7f);
			cluster_wait(c, LONG_NS);
			expect_in(c, (1u << count) - 1, generation);
			VRT_EXPECT_EQUAL(t, draw(c, 0, generation), BASE(generation) + 1);
			VRT_EXPECT_EQUAL(t, draw(c, count - 1, generation + 10),
					 BASE(generation) + 2);
		}
		VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->cold_starts, 1);
	}
}

static void one_is_missing(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	power_cut(c, 7);
	c->down = 1 << 2;
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	EXPECT_STATUS(c, 1, VR_STATUS_AMNESIA);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COLD_PREPARE] + c->sent[1][VR_COLD_PREPARE], 0);
	cluster_submit(c, 0, 1, VR_KIND_SESSION_BEGIN, 0, 9, 0, NULL);
	EXPECT_ANSWER(c, 0, 1, 1, VR_OUTCOME_NOT_APPLIED, -ENOTRECOVERABLE);
	/* It was only late. */
	c->down = 0;
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
}

/* The one that was missing has all the memory there is: nothing is begun. */
static void memory_was_missing(struct vrt *t)
{
	struct cluster *c = formed(t, 5);

	draw(c, 0, 0);
	c->down = 0x18;
	power_cut(c, 7);
	c->down = 0x18;
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	c->down = 0;
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->lost_mask, 7);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 3)->generation, 0);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COLD_PREPARE], 0);
	VRT_EXPECT_EQUAL(t, c->record[0].accepted, 0);
}

static void record_is_missing(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	memset(&c->record[2], 0, sizeof(c->record[2]));
	power_cut(c, 7);
	cluster_wait(c, LONG_NS);
	/* It cannot vouch for what it was: not by itself. */
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	EXPECT_STATUS(c, 2, VR_STATUS_AMNESIA);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->recorded_mask, 3);
	cluster_reform(c, 1);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->form_error[1], VR_FORM_OKAY);
	expect_in(c, 7, 1);
	VRT_EXPECT_EQUAL(t, draw(c, 2, 3), BASE(1) + 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->recoveries, 1);
}

static void no_records(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	memset(c->record, 0, sizeof(c->record));
	power_cut(c, 7);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_BLANK);
	cluster_reform(c, 0);
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_NO_RECORD);
	cluster_form(c, 0, 1, 7);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	expect_in(c, 7, 1);
}

/* Power fails while any one write is under way: before, or after it. */
static void cut_at_each_write(struct vrt *t)
{
	u32 write, cut;
	u8 written;

	for (cut = 0; cut < 40; cut++) {
		struct cluster *c = formed(t, 3);
		u16 generation;
		u64 number;

		draw(c, 0, 0);
		for (written = 0; written < 3; written++)
			c->slow_record[written] = true;
		power_cut(c, 7);
		for (write = 0; write < cut / 2; write++) {
			u64 end_ns = c->now_ns + 10 * CLUSTER_TIMEOUT_NS;

			while (!c->record_wanted[0] && !c->record_wanted[1] &&
			       !c->record_wanted[2] && c->now_ns < end_ns)
				cluster_wait(c, CLUSTER_HEARTBEAT_NS);
			cluster_record(c, c->record_wanted[write % 3] ? write % 3 :
				       c->record_wanted[0] ? 0 : c->record_wanted[1] ? 1 : 2);
			if (c->record_writes[0] + c->record_writes[1] + c->record_writes[2] > 60)
				break;
		}
		for (written = 0; written < 3; written++) {
			if (cut & 1 && c->record_wanted[written])
				c->record[written] = c->record_content[written];
			c->slow_record[written] = false;
		}
		power_cut(c, 7);
		cluster_wait(c, LONG_NS);
		generation = cluster_info(c, 0)->generation;
		VRT_EXPECT(t, generation >= 1 && generation <= 3);
		expect_in(c, 7, generation);
		number = draw(c, 1, 1);
		VRT_EXPECT_EQUAL(t, number, BASE(generation) + 1);
	}
}

/* Two begin at once: one generation is begun, whoever is first where. */
static void racing(struct vrt *t)
{
	u32 order;

	for (order = 0; order < 64; order++) {
		struct cluster *c = formed(t, 3);
		u32 i;

		draw(c, 0, 0);
		power_cut(c, 7);
		c->cut[0] = 0xff;
		c->cut[1] = 0xff;
		c->cut[2] = 0xff;
		cluster_run(c);
		memset(c->cut, 0, sizeof(c->cut));
		cluster_reform(c, 0);
		cluster_reform(c, 1);
		for (i = 0; i < 6 && c->first < c->last; i++) {
			/* Some of what is under way comes first. */
			struct letter *l = &c->letters[(c->first + (order >> i & 1)) %
						       CLUSTER_LETTERS];

			if (l->there) {
				l->there = false;
				cluster_deliver(c, l);
			} else {
				c->first++;
			}
		}
		cluster_wait(c, LONG_NS);
		VRT_EXPECT(t, cluster_info(c, 0)->generation >= 1);
		expect_in(c, 7, cluster_info(c, 0)->generation);
		draw(c, 2, 1);
		cluster_agrees(c);
	}
}

/* ---- those of before -------------------------------------------------------- */

/* One with old memory was away: it comes, and is as if it had been new. */
static void straggler(struct vrt *t)
{
	struct cluster *c = formed(t, 3);
	struct letter *old;
	u64 session;

	session = cluster_begin(c, 2, 0);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 2, 0, session, 1), 1);
	cluster_forget(c);
	cluster_submit(c, 2, 1, VR_KIND_NEXT, session, 2, 1, NULL);
	old = cluster_find(c, VR_REQUEST, 2, 0);
	VRT_ASSERT(t, old);
	old = cluster_take(c, VR_REQUEST, 2, 0);
	power_cut(c, 3);
	c->down = 4;
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	cluster_reform(c, 0);
	cluster_wait(c, LONG_NS);
	expect_in(c, 3, 1);
	VRT_EXPECT_EQUAL(t, draw(c, 1, 2), BASE(1) + 1);
	/* What it sent comes to nothing, then and now. */
	cluster_deliver(c, old);
	VRT_EXPECT(t, cluster_drops(c, 0, VR_DROP_GENERATION) > 0);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	c->down = 0;
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
	VRT_EXPECT_EQUAL(t, c->answers[2][1].count, 1);
	VRT_EXPECT(t, c->answers[2][1].done.outcome != VR_OUTCOME_APPLIED);
	/* Its session is void. */
	cluster_submit(c, 2, 3, VR_KIND_NEXT, session, 3, 1, NULL);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->answers[2][3].done.result.error, -ESTALE);
	VRT_EXPECT_EQUAL(t, draw(c, 2, 4), BASE(1) + 2);
	cluster_agrees(c);
}

/* One without a record cannot say what it was in, and asks (R15). */
static void straggler_without_record(struct vrt *t)
{
	struct cluster *c = cluster_recorded(t, 3);

	c->config[2].keeps_record = false;
	cluster_restart(c, 2);
	cluster_form(c, 0, 0, 42);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	draw(c, 2, 0);
	power_cut(c, 3);
	c->down = 4;
	cluster_wait(c, LONG_NS);
	cluster_reform(c, 1);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, draw(c, 1, 1), BASE(1) + 1);
	c->down = 0;
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->generation, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->recoveries, 1);
	cluster_agrees(c);
}

/* Stragglers that remember the old group together are no group any more. */
static void accepted_is_a_promise(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	power_cut(c, 7);
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
	/* An answer of the old generation is none. */
	cluster_restart(c, 0);
	cluster_draft(c, VR_RECOVERY_RESPONSE, 1, 0);
	c->draft.generation = 0;
	c->draft.instance = 42;
	c->draft.nonces[0] = c->config[0].nonce;
	c->draft.nonces[1] = 1;
	c->draft.vector[0] = 1;
	c->draft.vector[1] = 1;
	c->draft.vector[2] = 1;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->generation, 1);
	EXPECT_DROPS(c, 0, VR_DROP_GENERATION, 1);
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
}

/* ---- by the operator -------------------------------------------------------- */

static void lives(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	cluster_reform(c, 1);
	VRT_EXPECT_EQUAL(t, c->form_error[1], VR_FORM_LIVES);
	/* From one that knows nothing: the others are reached, and remember. */
	cluster_restart(c, 2);
	cluster_reform(c, 2);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->form_error[2], VR_FORM_LIVES);
	expect_in(c, 7, 0);
	VRT_EXPECT_EQUAL(t, c->record[0].accepted, 0);
}

/* A majority is gone for good; the one that is left may know most of it. */
static void minority_remembers(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	VRT_EXPECT_EQUAL(t, draw(c, 1, 0), 1);
	c->down = 1;
	power_cut(c, 4);
	c->down = 1;
	cluster_wait(c, LONG_NS);
	VRT_EXPECT(t, !cluster_info(c, 1)->has_quorum);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	cluster_reform(c, 1);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->form_count[1], 1);
	VRT_EXPECT_EQUAL(t, c->form_error[1], VR_FORM_OKAY);
	expect_in(c, 6, 1);
	VRT_EXPECT_EQUAL(t, draw(c, 1, 3), BASE(1) + 1);
	/* The third comes back with all its memory: it is of no use. */
	c->down = 0;
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
	cluster_agrees(c);
}

static void too_few_records(struct vrt *t)
{
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	power_cut(c, 7);
	c->down = 6;
	cluster_wait(c, LONG_NS);
	cluster_reform(c, 0);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_FEW_RECORDS);
	VRT_EXPECT_EQUAL(t, c->form_slot[0], 1);
	VRT_EXPECT_EQUAL(t, c->record[0].accepted, 0);
}

/* A promise of a life that is over, or given before it had memory, is none. */
static void old_promise(struct vrt *t)
{
	struct cluster *c = formed(t, 3);
	struct letter *accept;
	u64 end_ns;

	draw(c, 0, 0);
	power_cut(c, 7);
	c->down = 4;
	c->slow_record[1] = true;
	cluster_wait(c, LONG_NS);
	cluster_reform(c, 0);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	VRT_ASSERT(t, c->record_wanted[1]);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_COLD_PROMISE], 0);
	c->slow_record[1] = false;
	cluster_record(c, 1);
	cluster_run(c);
	/* The third does not answer: it is decided without it. */
	end_ns = c->now_ns + LONG_NS;
	while (!cluster_find(c, VR_COLD_ACCEPT, 0, 1) && c->now_ns < end_ns) {
		cluster_forget(c);
		cluster_timeout(c, 0);
	}
	accept = cluster_take(c, VR_COLD_ACCEPT, 0, 1);
	c->record_error[1] = -EIO;
	cluster_restart(c, 1);
	cluster_deliver(c, accept);
	VRT_EXPECT_EQUAL(t, c->record[1].accepted, 0);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_COLD_ACCEPTED], 0);
	VRT_EXPECT(t, c->sent[1][VR_COLD_REFUSED]);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->generation, 0);
}

/* What an acceptor says is on its record before it says it. */
static void accepts_on_record(struct vrt *t)
{
	struct cluster *c = formed(t, 3);
	u64 end_ns = c->now_ns + LONG_NS;

	draw(c, 0, 0);
	power_cut(c, 7);
	c->slow_record[1] = true;
	c->slow_record[2] = true;
	while (!c->record_wanted[1] && c->now_ns < end_ns)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_COLD_PROMISE], 0);
	cluster_record(c, 1);
	cluster_record(c, 2);
	cluster_run(c);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_COLD_PROMISE] >= 1, true);
	VRT_ASSERT(t, c->record_wanted[1]);
	VRT_EXPECT_EQUAL(t, c->record_content[1].accepted_generation, 1);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_COLD_ACCEPTED], 0);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	cluster_record(c, 1);
	cluster_run(c);
	/* Two of three: chosen, and the first is in it. */
	expect_in(c, 1, 1);
	EXPECT_STATUS(c, 1, VR_STATUS_AMNESIA);
	c->slow_record[1] = false;
	c->slow_record[2] = false;
	cluster_record(c, 1);
	cluster_record(c, 2);
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
}

static void last_generation(struct vrt *t)
{
	struct cluster *c = cluster_recorded(t, 1);

	cluster_form(c, 0, VR_GENERATION_MAX, 42);
	expect_in(c, 1, VR_GENERATION_MAX);
	power_cut(c, 1);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	cluster_reform(c, 0);
	cluster_wait(c, LONG_NS);
	VRT_EXPECT_EQUAL(t, c->form_error[0], VR_FORM_GENERATION);
}

/* A machine that went back in time does not know what it has promised. */
static void doubtful(struct vrt *t)
{
	struct vr_event event = { .type = VR_EVENT_DEMOTE, .rolled_back = true };
	struct cluster *c = formed(t, 3);

	draw(c, 0, 0);
	event.nonce = c->config[2].nonce += 0x100;
	cluster_step(c, 2, &event);
	/* At once: without a quorum there is no other write for long. */
	VRT_EXPECT(t, c->record[2].doubtful);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT(t, c->record[2].doubtful);
	power_cut(c, 7);
	cluster_wait(c, LONG_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_AMNESIA);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->recorded_mask, 3);
	cluster_reform(c, 0);
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
}

/* It may have come into the generation, and said something there, in the other course of events. */
static void doubtful_on_the_way(struct vrt *t)
{
	struct vr_event event = { .type = VR_EVENT_DEMOTE, .rolled_back = true };
	struct cluster *c = formed(t, 3);
	u64 end_ns = c->now_ns + LONG_NS;

	draw(c, 0, 0);
	power_cut(c, 7);
	c->slow_record[1] = true;
	while (c->record_content[1].generation != 1 && c->now_ns < end_ns) {
		cluster_record(c, 1);
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	}
	expect_in(c, 5, 1);
	VRT_ASSERT(t, c->record_wanted[1]);
	EXPECT_STATUS(c, 1, VR_STATUS_RECOVERING);
	event.nonce = c->config[1].nonce += 0x100;
	cluster_step(c, 1, &event);
	cluster_record(c, 1);
	VRT_EXPECT(t, c->record_content[1].doubtful);
	cluster_record(c, 1);
	EXPECT_STATUS(c, 1, VR_STATUS_RECOVERING);
	c->slow_record[1] = false;
	cluster_wait(c, LONG_NS);
	expect_in(c, 7, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->incarnation, 2);
}

static struct vrt_case cases[] = {
	{ formed_on_record, "nobody acts in a group that its record does not know" },
	{ forming_fails, "a record that cannot be written forms no group" },
	{ rarely_written, "no commit and no view change writes the record" },
	{ never_blank, "who has a record of a group is never blank" },
	{ recovers_on_record, "a life begins when the record knows of it" },
	{ other_list, "a record of other members keeps out of everything" },
	{ cold_start, "all power gone: the next generation, by itself" },
	{ one_is_missing, "one is missing: wait for it, and say so" },
	{ memory_was_missing, "who was missing may have memory: nothing is begun" },
	{ record_is_missing, "one record is missing: the operator's word is needed" },
	{ no_records, "all records are missing: form it in a higher generation" },
	{ cut_at_each_write, "power may fail at any write of a record" },
	{ racing, "two that begin at once begin one generation" },
	{ straggler, "who was away with old memory comes empty" },
	{ straggler_without_record, "without a record it asks those who are in it" },
	{ accepted_is_a_promise, "nobody recovers into an earlier generation" },
	{ lives, "no reform while a majority remembers" },
	{ minority_remembers, "a minority's memory can be given up" },
	{ too_few_records, "too few records: order could not be kept" },
	{ old_promise, "a promise of an earlier life accepts nothing" },
	{ accepts_on_record, "what is said was recorded before" },
	{ last_generation, "after the last generation there is none" },
	{ doubtful, "a machine that went back in time vouches for nothing" },
	{ doubtful_on_the_way, "nor does it end what it had begun" },
	{ }
};

VRT_SUITE(cold, cases);
