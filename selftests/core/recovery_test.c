// SPDX-License-Identifier: GPL-2.0
/* Getting memory back (R15). */
#include "cluster.h"

/* Restarted and told of its group: it has asked, and nothing else has happened. */
static struct cluster *restarted(struct vrt *t, u8 count, u8 slot)
{
	struct cluster *c = cluster_formed(t, count);

	cluster_begin(c, (slot + 1) % count, 0);
	cluster_restart(c, slot);
	cluster_forget(c);
	cluster_draft(c, VR_COMMIT, slot ? 0 : 1, slot);
	c->draft.view = !slot;
	cluster_receive(c);
	EXPECT_STATUS(c, slot, VR_STATUS_RECOVERING);
	return c;
}

static u8 answers(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->answers;
}

static u64 life(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->incarnation;
}

/* Of letters that are under way on a link, the newest; older ones are lost. */
static struct letter *newest(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct letter *letter = cluster_take(c, type, from, to);

	while (cluster_find(c, type, from, to))
		letter = cluster_take(c, type, from, to);
	return letter;
}

/* The newest question reaches @from, and its answer comes back. */
static void answered_by(struct cluster *c, u8 slot, u8 from)
{
	cluster_deliver(c, newest(c, VR_RECOVERY, slot, from));
	cluster_deliver(c, newest(c, VR_RECOVERY_RESPONSE, from, slot));
}

/* Until it knows which group it is in: phase 1, whose first answers are to come. */
static void learn_group(struct cluster *c, u8 slot, u8 from)
{
	answered_by(c, slot, from);
	VRT_ASSERT(c->t, cluster_info(c, slot)->instance);
	VRT_EXPECT_EQUAL(c->t, answers(c, slot), 0);
}

static void two_phases(struct vrt *t)
{
	struct cluster *c = restarted(t, 3, 2);
	const struct vr_message *m = cluster_open(c, cluster_find(c, VR_RECOVERY, 2, 0));
	struct letter *question;

	VRT_EXPECT_EQUAL(t, m->incarnation, 0);
	VRT_EXPECT_EQUAL(t, m->vector[2], 0);
	learn_group(c, 2, 0);

	/* Phase 1: which lives were there? */
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->answers_needed, 2);
	answered_by(c, 2, 0);
	VRT_EXPECT_EQUAL(t, answers(c, 2), 1);
	VRT_EXPECT_EQUAL(t, life(c, 2), 0);
	answered_by(c, 2, 1);
	VRT_EXPECT_EQUAL(t, life(c, 2), 2);
	VRT_EXPECT_EQUAL(t, answers(c, 2), 0);

	/* Phase 2: all are told of this life, and say what the log is. */
	question = newest(c, VR_RECOVERY, 2, 0);
	m = cluster_open(c, question);
	VRT_EXPECT_EQUAL(t, m->incarnation, 2);
	VRT_EXPECT_EQUAL(t, m->vector[0], 1);
	VRT_EXPECT_EQUAL(t, m->vector[1], 1);
	VRT_EXPECT_EQUAL(t, m->vector[2], 2);
	cluster_deliver(c, question);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->peers[2].incarnation, 2);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->op, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->peers[2].incarnation, 2);
	cluster_agrees(c);
}

static void one_member_one_answer(struct vrt *t)
{
	struct cluster *c = restarted(t, 3, 2);
	struct letter *answer;

	learn_group(c, 2, 0);
	cluster_deliver(c, newest(c, VR_RECOVERY, 2, 0));
	answer = newest(c, VR_RECOVERY_RESPONSE, 0, 2);
	cluster_deliver(c, answer);
	cluster_deliver(c, answer);
	cluster_deliver(c, answer);
	VRT_EXPECT_EQUAL(t, answers(c, 2), 1);
	VRT_EXPECT_EQUAL(t, life(c, 2), 0);
}

/* Enough answers, but to other questions (D10). */
static void other_attempts(struct vrt *t)
{
	struct cluster *c = restarted(t, 3, 2);
	struct letter *first[2], *second[2];
	u8 i;

	learn_group(c, 2, 0);
	for (i = 0; i < 2; i++) {
		cluster_deliver(c, newest(c, VR_RECOVERY, 2, i));
		first[i] = newest(c, VR_RECOVERY_RESPONSE, i, 2);
	}
	cluster_deliver(c, first[0]);
	cluster_deliver(c, first[1]);
	VRT_EXPECT_EQUAL(t, life(c, 2), 2);
	/* Those of phase 1 say nothing in phase 2. */
	cluster_deliver(c, first[0]);
	cluster_deliver(c, first[1]);
	VRT_EXPECT_EQUAL(t, answers(c, 2), 0);
	EXPECT_DROPS(c, 2, VR_DROP_UNWANTED, 2);
	for (i = 0; i < 2; i++) {
		cluster_deliver(c, newest(c, VR_RECOVERY, 2, i));
		second[i] = newest(c, VR_RECOVERY_RESPONSE, i, 2);
	}
	/* Nor do those of phase 2 to the next life, whatever its attempts are called. */
	cluster_restart(c, 2);
	cluster_draft(c, VR_COMMIT, 0, 2);
	cluster_receive(c);
	cluster_deliver(c, second[0]);
	cluster_deliver(c, second[1]);
	VRT_EXPECT_EQUAL(t, answers(c, 2), 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->instance, 0);
	EXPECT_DROPS(c, 2, VR_DROP_UNWANTED, 2);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	/* Its number is above that of the life that had told everybody. */
	VRT_EXPECT_EQUAL(t, life(c, 2), 3);
}

/* R = n - Q + 1 of the others, the primary among them. */
static void how_many(struct vrt *t, u8 count, u8 needed)
{
	struct cluster *c = restarted(t, count, count - 1);
	u8 slot = count - 1, i;

	VRT_EXPECT_EQUAL(t, cluster_info(c, slot)->answers_needed, needed);
	/* One less than needed can be reached: nothing comes of it. */
	for (i = 0; i < slot; i++)
		c->cut[i] = i < needed - 1 ? 0 : 1u << slot;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, slot, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, life(c, slot), 0);
	c->cut[needed - 1] = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, slot, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, life(c, slot), 2);
	cluster_agrees(c);
}

static void answers_needed(struct vrt *t)
{
	how_many(t, 2, 1);
	how_many(t, 3, 2);
	how_many(t, 4, 2);
	how_many(t, 5, 3);
	how_many(t, 7, 4);
}

static void primary_must_answer(struct vrt *t)
{
	struct cluster *c = restarted(t, 5, 4);
	u8 i;

	/* Three backups are enough in number; none can say what the log is. */
	c->cut[0] = 1u << 4;
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, life(c, 4), 2);
	EXPECT_STATUS(c, 4, VR_STATUS_RECOVERING);
	c->cut[0] = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	for (i = 0; i < 4; i++)
		VRT_EXPECT_EQUAL(t, cluster_info(c, i)->view, 0);
}

/* D8: a newer view among the answers, and its primary is not. */
static void answers_span_views(struct vrt *t)
{
	struct cluster *c = restarted(t, 5, 4);

	learn_group(c, 4, 0);
	answered_by(c, 4, 0);
	answered_by(c, 4, 1);
	answered_by(c, 4, 2);
	VRT_EXPECT_EQUAL(t, life(c, 4), 2);
	answered_by(c, 4, 0);
	VRT_EXPECT_EQUAL(t, answers(c, 4), 1);
	cluster_forget(c);
	/* The others go on to view 1, which 2 and 3 tell of. */
	c->down = 1u << 4;
	c->cut[0] = 0xff;
	while (cluster_info(c, 2)->view != 1 || cluster_status(c, 2) != VR_STATUS_NORMAL ||
	       cluster_status(c, 3) != VR_STATUS_NORMAL)
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	c->down = 1u << 1;
	cluster_timeout(c, 4);
	cluster_run(c);
	EXPECT_STATUS(c, 4, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 4)->op, 0);
	c->down = 0;
	c->cut[0] = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 4, VR_STATUS_NORMAL);
	VRT_EXPECT(t, cluster_info(c, 4)->view >= 1);
	cluster_agrees(c);
}

/* It votes for nothing, acknowledges nothing, serves nobody. */
static void is_mute(struct vrt *t)
{
	static const u8 types[] = {
		VR_REQUEST, VR_PREPARE, VR_PREPARE_OK, VR_COMMIT, VR_EXIT_VIEW,
		VR_DO_VIEW_CHANGE, VR_START_VIEW, VR_GET_STATE, VR_NEW_STATE,
		VR_GET_CHECKPOINT, VR_CHECKPOINT, VR_GET_INDEX, VR_NEW_INDEX, VR_RECOVERY,
	};
	struct cluster *c = restarted(t, 3, 2);
	u32 i, phase;

	for (phase = 1; phase <= 2; phase++) {
		cluster_forget(c);
		for (i = 0; i < VR_ARRAY_COUNT(types); i++) {
			struct vr_message *m = cluster_draft(c, types[i], 0, 2);
			u64 dropped = cluster_drops(c, 2, VR_DROP_STATUS) +
				      cluster_drops(c, 2, VR_DROP_UNWANTED) +
				      cluster_drops(c, 2, VR_DROP_CHECKPOINT);

			/* In a view whose primary the receiver is, or the sender. */
			m->view = types[i] == VR_GET_INDEX || types[i] == VR_REQUEST ? 5 : 6;
			m->log_view = 0;
			m->commit = 0;
			m->op = 1;
			m->hash_count = 2;
			m->total_bytes = 8;
			m->chunk_bytes = 8;
			m->chunk = (const u8 *)c->draft_hashes;
			if (types[i] == VR_REQUEST || types[i] == VR_PREPARE)
				cluster_draft_entry(c, 1, 1);
			cluster_receive(c);
			VRT_EXPECT_EQUAL(t, cluster_drops(c, 2, VR_DROP_STATUS) +
					 cluster_drops(c, 2, VR_DROP_UNWANTED) +
					 cluster_drops(c, 2, VR_DROP_CHECKPOINT), dropped + 1);
			VRT_EXPECT_EQUAL(t, c->first, c->last);
			EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
		}
		/* The same once it knows its number. */
		c->cut[0] = 1u << 2;
		while (!life(c, 2)) {
			c->cut[0] = 0;
			cluster_timeout(c, 2);
			cluster_hop(c);
			cluster_hop(c);
		}
		cluster_forget(c);
		if (cluster_status(c, 2) != VR_STATUS_RECOVERING)
			return;
	}
}

static void asks_until_answered(struct vrt *t)
{
	struct cluster *c = restarted(t, 3, 2);
	u32 i;

	/* Each of its messages, and each answer, is lost once. */
	for (i = 0; i < 12 && cluster_status(c, 2) != VR_STATUS_NORMAL; i++) {
		struct letter *l = cluster_find(c, VR_RECOVERY, 2, CLUSTER_ANY);

		if (!l)
			l = cluster_find(c, VR_RECOVERY_RESPONSE, CLUSTER_ANY, 2);
		if (l)
			cluster_take(c, l->type, l->from, l->to);
		cluster_hop(c);
		c->now_ns += 2 * CLUSTER_HEARTBEAT_NS;
		cluster_timeout(c, 2);
	}
	cluster_wait(c, 10 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view, 0);
}

/* Many entries, then a checkpoint too: the log comes from a backup (R13). */
static void long_log(struct vrt *t, u32 entry_count, u64 transfers)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0), i;

	for (i = 1; i <= entry_count; i++)
		cluster_next(c, 0, 0, session, i);
	cluster_forget(c);
	cluster_recovers(c, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, entry_count + 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, transfers);
	cluster_agrees(c);
	/* It can lead with what it got. */
	c->down = 1;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	c->down = 2;
	cluster_restart(c, 0);
	c->down = 0;
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT_EQUAL(t, cluster_begin(c, 2, 1), entry_count + 2);
	cluster_agrees(c);
}

static void entries_come(struct vrt *t)
{
	long_log(t, 60, 0);
}

static void checkpoint_comes(struct vrt *t)
{
	long_log(t, 300, 1);
}

/* The primary itself: everybody knows at once, and no timer is waited for. */
static void primary_restarts(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 now_ns, session = cluster_begin(c, 1, 0);

	cluster_restart(c, 0);
	now_ns = c->now_ns;
	cluster_draft(c, VR_PREPARE_OK, 1, 0);
	cluster_receive(c);
	EXPECT_STATUS(c, 0, VR_STATUS_RECOVERING);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, c->now_ns, now_ns);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 1, 0, session, 1), 1);
	cluster_wait(c, 4 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view_changes, 1);
	cluster_agrees(c);
}

/* Of two, the one that leads: the other cannot begin a view alone. */
static void primary_of_two(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 2);

	cluster_begin(c, 1, 0);
	cluster_restart(c, 0);
	cluster_submit(c, 1, 1, VR_KIND_SESSION_BEGIN, 0, 77, 0, NULL);
	cluster_wait(c, 60 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_RECOVERING);
	VRT_EXPECT(t, !cluster_info(c, 1)->has_quorum);
	/* Whoever asks is told, in bounded time. */
	VRT_EXPECT_EQUAL(t, c->answers[1][1].count, 1);
	VRT_EXPECT_EQUAL(t, c->answers[1][1].done.result.error, -EHOSTUNREACH);
}

static void backup_of_two(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 2);
	u64 session = cluster_begin(c, 0, 0);

	cluster_recovers(c, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, 1), 1);
	cluster_agrees(c);
}

/* An answer is stored; another one knows that its sender has died since. */
static void stored_answer(struct vrt *t)
{
	struct cluster *c = restarted(t, 5, 4);
	struct letter *answer;

	learn_group(c, 4, 0);
	answered_by(c, 4, 0);
	answered_by(c, 4, 1);
	VRT_EXPECT_EQUAL(t, answers(c, 4), 2);
	cluster_draft(c, VR_RECOVERY, 1, 2);
	c->draft.incarnation = 2;
	c->draft.vector[1] = 2;
	cluster_receive(c);
	cluster_deliver(c, newest(c, VR_RECOVERY, 4, 2));
	answer = newest(c, VR_RECOVERY_RESPONSE, 2, 4);
	cluster_deliver(c, answer);
	VRT_EXPECT_EQUAL(t, answers(c, 4), 2);
	VRT_EXPECT_EQUAL(t, life(c, 4), 0);
	answered_by(c, 4, 3);
	VRT_EXPECT_EQUAL(t, life(c, 4), 2);
}

/* Somebody said that its last life had the last number there is. */
static void lives_used_up(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u8 to;

	for (to = 0; to < 2; to++) {
		cluster_draft(c, VR_RECOVERY, 2, to);
		c->draft.incarnation = VR_NUMBER_MAX;
		c->draft.vector[2] = VR_NUMBER_MAX;
		cluster_receive(c);
	}
	cluster_forget(c);
	cluster_restart(c, 2);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_HALTED);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->halt, VR_HALT_LIVES);
	VRT_EXPECT_EQUAL(t, life(c, 2), 0);
}

/* Somebody that was thought to remember nothing does: as if nothing had been. */
static void memory_turns_up(struct vrt *t)
{
	struct cluster *c = restarted(t, 3, 2);

	cluster_draft(c, VR_PING, 1, 2)->status = VR_STATUS_RECOVERING;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_AMNESIA);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->lost_mask, 0x6);
	cluster_draft(c, VR_PING, 1, 2)->status = VR_STATUS_NORMAL;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_RECOVERING);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->lost_mask, 0x4);
	cluster_run(c);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
}

static struct vrt_case cases[] = {
	{ two_phases, "first the lives there were, then the log" },
	{ one_member_one_answer, "an answer that comes twice counts once" },
	{ other_attempts, "an answer to another attempt or life counts for nothing" },
	{ answers_needed, "n - Q + 1 answers are needed, and enough" },
	{ primary_must_answer, "the primary of the newest view must be among them" },
	{ answers_span_views, "answers that span views wait for the newest one's primary" },
	{ is_mute, "a member without memory takes no part in anything" },
	{ asks_until_answered, "every question and answer may be lost" },
	{ entries_come, "a log of many datagrams comes back whole" },
	{ checkpoint_comes, "a log that nobody has in whole comes as a checkpoint" },
	{ primary_restarts, "a primary that asks is left at once, and comes back" },
	{ primary_of_two, "of two, the primary's memory cannot be replaced" },
	{ backup_of_two, "of two, the backup's memory comes from the primary" },
	{ stored_answer, "a stored answer that a vector shows dead counts no more" },
	{ lives_used_up, "a replica whose lives are used up halts" },
	{ memory_turns_up, "amnesia ends when somebody's memory turns up" },
	{ }
};

VRT_SUITE(recovery, cases);
