// SPDX-License-Identifier: GPL-2.0
/*
 * Beginning again when too many have lost their memory (R18). An agreement with
 * ballots among the members' records, in two phases like any other: who begins
 * learns from Q records which generations there have been, and has Q records say
 * that the next one is to be, before anybody acts in it. By itself only if no
 * member has any memory; by the operator's word, if he gives up what is left.
 *
 * Every ballot is for a generation of its own, above all that Q members know of,
 * so that no two of them ever begin the same one. Owns the members' way into a
 * later generation too. Knows nothing of what was lost.
 */
#include "vr_bytes.h"
#include "vr_replica_private.h"

#define ASKS_MAX	12	/* of a phase that nobody waits for */
#define BACK_OFF_MAX	6
#define JUDGE_NS	(1000 * VR_NS_PER_MS) /* who has not answered by then is not there */
#define GIVE_UP_NS	(3500 * VR_NS_PER_MS)

static u8 count_of(u8 mask)
{
	u8 count = 0;

	for (; mask; mask &= mask - 1)
		count++;
	return count;
}

static u8 self_mask(const struct vr_replica *r)
{
	return 1u << r->cfg.self;
}

static u8 all_mask(const struct vr_replica *r)
{
	return vr_others(r) | self_mask(r);
}

/* ---- into a generation ---------------------------------------------------- */

/*
 * A member of a generation in which it has never said anything: what it lacks is
 * what it did not hear, no more, as if it had been slow since the beginning.
 */
void vr_begin_generation(struct vr_replica *r, u16 generation, u32 instance)
{
	u64 base = vr_number_base(generation);
	u32 i;

	r->generation = generation;
	r->instance = instance;
	r->incarnation = 1;
	for (i = 0; i < r->cfg.replica_count; i++)
		r->vector[i] = 1;
	vr_checkpoint_drop(&r->checkpoint);
	r->checkpoint.op_last = base;
	r->checkpoint.body_bytes = 0;
	r->view = 0;
	vr_log_reset(&r->log, base + 1);
	r->log_version = VR_WIRE_VERSION_MIN;
	r->too_old = false;
	vr_sm_reset(&r->sm, base);
	r->commit = base;
	r->op_durable = base;
	vr_enter_normal(r);
}

/* The record first: nobody acts in a generation that his record does not know. */
static void join(struct vr_replica *r, u16 generation, u32 instance)
{
	struct vr_cold *c = &r->cold;

	c->joins = true;
	c->join_instance = instance;
	r->record.generation = generation;
	r->record.instance = instance;
	r->record.incarnation = 1;
	r->record.formed = true;
	vr_record_want(r);
	vr_cold_settle(r);
}

static void joined(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	bool forced = c->forced && c->phase, chosen = c->phase == VR_COLD_CHOSEN;

	c->joins = false;
	c->phase = VR_COLD_IDLE;
	c->forced = false;
	c->failures = 0;
	r->cold_starts++;
	vr_stop(r, VR_STATUS_RECOVERING);
	r->refusal = VR_REFUSAL_NONE;
	vr_begin_generation(r, r->record.generation, c->join_instance);
	vr_timer_set(r, VR_TIMER_PING, 0);
	vr_pending_skipped(r);
	vr_pending_renew(r);
	if (forced)
		vr_form_end(r, chosen ? VR_FORM_OKAY : VR_FORM_RACED, r->cfg.self);
}

/* Whose generation is the sender's? Forming and beginning again are about others. */
static bool stamps_generation(u8 type)
{
	return type < VR_FORM || type == VR_RECOVERY || type == VR_RECOVERY_RESPONSE;
}

static bool speaks_from_memory(const struct vr_message *m)
{
	switch (m->type) {
	case VR_PING:
		return m->status == VR_STATUS_NORMAL || m->status == VR_STATUS_VIEW_CHANGE;
	case VR_PONG:
	case VR_RECOVERY:
	case VR_GET_STATE:
	case VR_GET_CHECKPOINT:
		return false;
	default:
		return true;
	}
}

/*
 * Only who acted in a generation ever names it in the envelope, so the sender's
 * was begun, and whatever we know of an earlier one is void. Each has an instance
 * of its own: a datagram with a damaged generation voids nothing.
 */
void vr_hear_of_generation(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];

	if (!vr_has_memory(r) && !vr_is_recovering(r))
		return;
	if (!m->instance || !r->instance || m->instance == r->instance ||
	    !stamps_generation(m->type) ||
	    m->generation <= r->generation || m->generation < r->record.accepted_generation)
		return;
	/* Somebody remembers, so those who wait here are not told that nobody does. */
	if (speaks_from_memory(m)) {
		peer->status = VR_STATUS_NORMAL;
		peer->older = false;
		peer->heard_ns = r->now_ns;
	}
	if (vr_has_memory(r))
		vr_recover(r, VR_REFUSAL_FENCED);
	if (!speaks_from_memory(m) || (r->cold.joins && r->record.generation >= m->generation))
		return;
	if (vr_record_is_good(r)) {
		if (m->generation > r->record.generation)
			join(r, m->generation, m->instance);
		return;
	}
	/* Nothing says that no earlier life of ours was in it: ask those who are (R15). */
	r->generation = m->generation;
	r->instance = m->instance;
	memset(r->vector, 0, sizeof(r->vector));
	vr_recover(r, VR_REFUSAL_FENCED);
}

/* ---- words ---------------------------------------------------------------- */

static void say(struct vr_replica *r, u8 type, u8 to_mask, u64 ballot, u8 status)
{
	struct vr_message *m = vr_send(r, type, to_mask);

	if (!m)
		return;
	m->ballot = ballot;
	m->promised = r->record.ballot;
	m->status = status;
	m->cold_generation = type == VR_COLD_ACCEPT ? r->cold.generation :
			     vr_max(r->record.generation, r->record.accepted_generation);
}

/* ---- who begins ----------------------------------------------------------- */

static void end(struct vr_replica *r, enum vr_form_error error, u8 slot)
{
	struct vr_cold *c = &r->cold;
	bool forced = c->forced;

	c->phase = VR_COLD_IDLE;
	c->forced = false;
	c->failures = vr_min(c->failures + 1, BACK_OFF_MAX);
	vr_timer_stop(r, VR_TIMER_COLD);
	if (forced)
		vr_form_end(r, error, slot);
}

static void begin(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	u64 newest = vr_max(r->record.ballot, c->ballot_seen);

	c->phase = VR_COLD_ASKING;
	c->ready = false;
	c->ballot = ((newest >> VR_BALLOT_SLOT_BITS) + 1) << VR_BALLOT_SLOT_BITS | r->cfg.self;
	c->owes = 0;
	c->promised = 0;
	c->accepted = 0;
	c->answered = 0;
	c->remember = vr_has_memory(r) ? self_mask(r) : 0;
	c->generation = 0;
	c->ask_count = 0;
	c->judge_ns = r->now_ns + JUDGE_NS;
	c->lively = c->ballot;
	r->record.ballot = c->ballot;
	vr_timer_set(r, VR_TIMER_COLD, vr_resend_delay(r));
	vr_record_want(r);
	vr_cold_settle(r);
}

/* May the primary of the old generation still answer reads alone (R26)? */
static bool is_leased(const struct vr_replica *r)
{
	u64 end_ns = r->promise_ns;

	if (!vr_has_memory(r) && r->cfg.lease_ns)
		end_ns = vr_max(end_ns, r->cold.lost_ns + r->cfg.lease_ns);
	return r->now_ns < end_ns;
}

/* Phase 2: the generation is named, by one ballot and no other. */
static void propose(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	u16 newest = vr_max(c->generation, vr_max(r->record.generation,
						  r->record.accepted_generation));

	if (newest >= VR_GENERATION_MAX) {
		end(r, VR_FORM_GENERATION, r->cfg.self);
		return;
	}
	c->phase = VR_COLD_NAMED;
	c->ready = false;
	c->ask_count = 0;
	c->generation = newest + 1;
	c->instance = vr_max((u32)vr_hash_mix(r->cfg.nonce, c->ballot), 1);
	/* Whoever accepts acts in no earlier generation any more. */
	if (vr_has_memory(r))
		vr_recover(r, VR_REFUSAL_FENCED);
	c->lively = c->ballot;
	r->record.accepted = c->ballot;
	r->record.accepted_generation = c->generation;
	vr_timer_set(r, VR_TIMER_COLD, vr_resend_delay(r));
	vr_record_want(r);
	vr_cold_settle(r);
}

/* Who has memory, and R of them, can give it to the others: nothing is lost yet. */
static void judge(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	u8 slot = 0;

	if (c->phase != VR_COLD_ASKING || !c->ready || c->joins)
		return;
	if (!c->forced) {
		if (c->promised == all_mask(r) && !c->remember && !is_leased(r))
			propose(r);
		return;
	}
	if ((c->promised | c->answered) != all_mask(r) && r->now_ns < c->judge_ns)
		return;
	if (count_of(c->remember) >= vr_answers_needed(r)) {
		while (!(c->remember >> slot & 1))
			slot++;
		end(r, VR_FORM_LIVES, slot);
	} else if (count_of(c->promised) < r->quorum) {
		end(r, VR_FORM_FEW_RECORDS, count_of(c->promised));
	} else if (!is_leased(r)) {
		propose(r);
	}
}

static void count_accepted(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;

	if (c->phase != VR_COLD_NAMED || c->joins || count_of(c->accepted) < r->quorum)
		return;
	/* Chosen. All others hear of it by our envelope. */
	c->phase = VR_COLD_CHOSEN;
	join(r, c->generation, c->instance);
}

static void on_promise(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_cold *c = &r->cold;

	if (c->phase != VR_COLD_ASKING || m->ballot != c->ballot) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	c->promised |= 1u << m->from;
	c->generation = vr_max(c->generation, m->cold_generation);
	if (m->status)
		c->remember |= 1u << m->from;
	judge(r);
}

static void on_accepted(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_cold *c = &r->cold;

	if (c->phase != VR_COLD_NAMED || m->ballot != c->ballot) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	c->accepted |= 1u << m->from;
	count_accepted(r);
}

static void on_refused(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_cold *c = &r->cold;
	bool forced = c->forced;
	u64 give_up_ns = c->give_up_ns;

	c->ballot_seen = vr_max(c->ballot_seen, m->promised);
	if (!c->phase || c->phase == VR_COLD_CHOSEN || m->ballot != c->ballot) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (m->status == VR_COLD_LIVES && forced) {
		end(r, VR_FORM_LIVES, m->from);
	} else if (m->status == VR_COLD_NO_RECORD && forced) {
		c->answered |= 1u << m->from;
		judge(r);
	} else if (m->status == VR_COLD_BALLOT && forced && r->now_ns < give_up_ns) {
		begin(r);
	} else {
		end(r, VR_FORM_RACED, m->from);
	}
}

/* ---- who is asked --------------------------------------------------------- */

/* Why not to follow that ballot; 0 = nothing against it. */
static u8 objection(const struct vr_replica *r, const struct vr_message *m)
{
	bool forced = m->status;

	if (!vr_record_is_good(r))
		return VR_COLD_NO_RECORD;
	if (vr_has_memory(r) && !forced)
		return VR_COLD_MEMORY;
	if (vr_has_memory(r) && vr_has_quorum(r))
		return VR_COLD_LIVES;
	if (!vr_has_memory(r) && !vr_is_recovering(r))
		return VR_COLD_NO_RECORD;
	return m->ballot < r->record.ballot ? VR_COLD_BALLOT : 0;
}

static void refuse(struct vr_replica *r, const struct vr_message *m, u8 reason)
{
	vr_drop(r, VR_DROP_BALLOT);
	say(r, VR_COLD_REFUSED, 1u << m->from, m->ballot, reason);
}

static void owe(struct vr_replica *r, u8 type, const struct vr_message *m)
{
	struct vr_cold *c = &r->cold;

	/* The others are busy: let them. */
	if (c->phase && c->ballot < m->ballot)
		end(r, VR_FORM_RACED, m->from);
	vr_timer_set(r, VR_TIMER_COLD, vr_prng_jitter(&r->prng, 40 * r->cfg.heartbeat_ns));
	c->owes = type;
	c->owes_to = m->from;
	c->owes_ballot = m->ballot;
	vr_cold_settle(r);
}

static void on_prepare(struct vr_replica *r, const struct vr_message *m)
{
	u8 reason = objection(r, m);

	if (reason) {
		refuse(r, m, reason);
		return;
	}
	if (m->ballot > r->record.ballot) {
		r->record.ballot = m->ballot;
		r->cold.lively = m->ballot;
		vr_record_want(r);
	} else if (r->cold.lively != m->ballot) {
		/* It was promised in an earlier life, or before we had memory. */
		refuse(r, m, VR_COLD_BALLOT);
		return;
	}
	owe(r, VR_COLD_PROMISE, m);
}

static void on_accept(struct vr_replica *r, const struct vr_message *m)
{
	u8 reason = objection(r, m);
	u16 newest = vr_max(r->record.generation, r->record.accepted_generation);

	if (!reason && (m->ballot != r->record.ballot || r->cold.lively != m->ballot))
		reason = VR_COLD_BALLOT;
	if (reason) {
		refuse(r, m, reason);
		return;
	}
	if (is_leased(r)) {
		vr_drop(r, VR_DROP_PROMISE);
		return;
	}
	if (r->record.accepted != m->ballot) {
		if (m->cold_generation <= newest) {
			vr_drop(r, VR_DROP_FIELD);
			return;
		}
		if (vr_has_memory(r))
			vr_recover(r, VR_REFUSAL_FENCED);
		r->record.accepted = m->ballot;
		r->record.accepted_generation = m->cold_generation;
		vr_record_want(r);
	}
	owe(r, VR_COLD_ACCEPTED, m);
}

void vr_on_cold(struct vr_replica *r, const struct vr_message *m)
{
	/* We are about to act in a generation, and cannot accept a later one on the way. */
	if (r->cold.joins && (m->type == VR_COLD_PREPARE || m->type == VR_COLD_ACCEPT)) {
		vr_drop(r, VR_DROP_STATUS);
		return;
	}
	switch (m->type) {
	case VR_COLD_PREPARE:
		on_prepare(r, m);
		break;
	case VR_COLD_PROMISE:
		on_promise(r, m);
		break;
	case VR_COLD_ACCEPT:
		on_accept(r, m);
		break;
	case VR_COLD_ACCEPTED:
		on_accepted(r, m);
		break;
	default:
		on_refused(r, m);
	}
}

/* ---- time, the record, the operator --------------------------------------- */

/* The record says what it should: say what depends on it. */
void vr_cold_settle(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	u8 type = c->owes;

	if (!vr_record_is_held(r))
		return;
	if (c->joins) {
		joined(r);
		return;
	}
	c->owes = 0;
	if (type)
		say(r, type, 1u << c->owes_to, c->owes_ballot,
		    type == VR_COLD_PROMISE && vr_has_memory(r));
	if (!c->phase || c->ready)
		return;
	c->ready = true;
	if (c->phase == VR_COLD_ASKING) {
		c->promised |= self_mask(r);
		say(r, VR_COLD_PREPARE, vr_others(r), c->ballot, c->forced);
		judge(r);
	} else if (c->phase == VR_COLD_NAMED) {
		c->accepted |= self_mask(r);
		say(r, VR_COLD_ACCEPT, vr_others(r), c->ballot, c->forced);
		count_accepted(r);
	}
}

/* Nobody has any memory, and everybody has a record to vouch for that. */
static bool nobody_remembers(const struct vr_replica *r)
{
	u32 i;

	if (!vr_is_recovering(r) || !vr_record_is_good(r) || r->cold.joins ||
	    vr_lost_mask(r) != all_mask(r))
		return false;
	for (i = 0; i < r->cfg.replica_count; i++) {
		if (i != r->cfg.self && (!r->peers[i].recorded || r->peers[i].members_differ))
			return false;
	}
	return true;
}

/* The lowest slot goes first, so that the others mostly need not. */
void vr_cold_reconsider(struct vr_replica *r)
{
	u64 delay_ns = (2 + 2 * r->cfg.self) * r->cfg.heartbeat_ns;

	if (r->cold.phase || vr_timer_runs(r, VR_TIMER_COLD) || !nobody_remembers(r))
		return;
	vr_timer_set(r, VR_TIMER_COLD, vr_prng_jitter(&r->prng, delay_ns << r->cold.failures));
}

void vr_on_cold_timer(struct vr_replica *r)
{
	struct vr_cold *c = &r->cold;
	u8 missing;

	if (c->phase == VR_COLD_IDLE) {
		if (nobody_remembers(r))
			begin(r);
		return;
	}
	vr_timer_set(r, VR_TIMER_COLD, vr_resend_delay(r));
	if (c->forced ? r->now_ns >= c->give_up_ns : ++c->ask_count > ASKS_MAX) {
		end(r, r->keep.error ? VR_FORM_RECORD : VR_FORM_RACED, r->cfg.self);
		return;
	}
	if (!c->ready || c->phase == VR_COLD_CHOSEN)
		return;
	missing = vr_others(r) & ~(c->phase == VR_COLD_ASKING ? c->promised : c->accepted);
	say(r, c->phase == VR_COLD_ASKING ? VR_COLD_PREPARE : VR_COLD_ACCEPT, missing,
	    c->ballot, c->forced);
	judge(r);
}

static void abandon(struct vr_replica *r, enum vr_form_error error)
{
	struct vr_cold *c = &r->cold;

	c->lively = 0;
	c->owes = 0;
	c->joins = false;
	if (c->phase)
		end(r, error, r->cfg.self);
}

/* We have memory, and are in need of no beginning. */
void vr_cold_forget(struct vr_replica *r)
{
	abandon(r, VR_FORM_LIVES);
	r->cold.failures = 0;
	vr_timer_stop(r, VR_TIMER_COLD);
}

/*
 * Our machine went back in time: what we were about to say, or to come into, the other
 * course of events may have said, and acted in (R16, R25).
 */
void vr_cold_doubt(struct vr_replica *r)
{
	abandon(r, VR_FORM_RACED);
}

void vr_on_reform_event(struct vr_replica *r)
{
	if (!vr_record_is_good(r) || (!vr_has_memory(r) && !vr_is_recovering(r))) {
		vr_form_end(r, VR_FORM_NO_RECORD, r->cfg.self);
	} else if (vr_has_memory(r) && vr_has_quorum(r)) {
		vr_form_end(r, VR_FORM_LIVES, r->cfg.self);
	} else {
		r->cold.forced = true;
		r->cold.give_up_ns = r->now_ns + GIVE_UP_NS;
		begin(r);
	}
}

void vr_cold_describe(const struct vr_replica *r, struct vr_info *info)
{
	u32 i;

	info->keeps_record = r->cfg.keeps_record;
	info->record_error = r->keep.error;
	info->record_writes = r->keep.writes;
	info->record = r->record;
	info->cold_starts = r->cold_starts;
	if (r->cfg.client)
		return;
	info->recorded_mask = vr_record_is_good(r) << r->cfg.self;
	for (i = 0; i < r->cfg.replica_count; i++)
		info->recorded_mask |= (i != r->cfg.self && r->peers[i].recorded) << i;
}
