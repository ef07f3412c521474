// SPDX-License-Identifier: GPL-2.0
/*
 * Getting back the memory a replica lost (VR Revisited, section 4.3), made safe
 * against what its earlier life promised and is still in flight by crash
 * vectors (Michael, Ports, Sharma, Szekeres: Recovering Shared Objects Without
 * Stable Storage, DISC 2017). Rules R15, R16 and the core's part of R25. Decides
 * what to fetch; vr_install.c fetches it.
 */
#include "vr_replica_private.h"

#define ASKS_MAX	6	/* of one attempt, before it is begun anew (D8) */
#define HEARD_PINGS	4	/* a status is believed for so many intervals of PING */

/* R = n - Q + 1: as many meet every quorum there was, without us. */
u8 vr_answers_needed(const struct vr_replica *r)
{
	return r->cfg.replica_count - r->quorum + 1;
}

u8 vr_answer_count(const struct vr_replica *r)
{
	u32 i, count = 0;

	if (!vr_is_recovering(r))
		return 0;
	for (i = 0; i < r->cfg.replica_count; i++)
		count += r->votes[i].valid;
	return count;
}

static bool lacks_memory(u8 status)
{
	return status == VR_STATUS_BLANK || status == VR_STATUS_FORMING ||
	       status == VR_STATUS_RECOVERING || status == VR_STATUS_AMNESIA;
}

/* Members that said lately that they have no memory; who is silent may have. */
u8 vr_lost_mask(const struct vr_replica *r)
{
	u64 heard_ns = HEARD_PINGS * 10 * r->cfg.heartbeat_ns;
	u8 mask = 0;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		const struct vr_peer *peer = &r->peers[i];

		if (i == r->cfg.self ? lacks_memory(r->status) :
		    (lacks_memory(peer->status) || peer->older) &&
		    vr_since(r, peer->heard_ns) <= heard_ns)
			mask |= 1u << i;
	}
	return mask;
}

static void ask(struct vr_replica *r)
{
	u8 to_mask = vr_others(r);
	struct vr_message *m;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		/* A primary may have to be asked again: the view may be another. */
		if (r->votes[i].valid && vr_answer_count(r) < vr_answers_needed(r))
			to_mask &= ~(1u << i);
	}
	m = vr_send(r, VR_RECOVERY, to_mask);
	if (m) {
		m->nonces[0] = r->recovery.nonce;
		m->nonces[1] = r->recovery.attempt;
		if (r->incarnation)
			memcpy(m->vector, r->vector, sizeof(m->vector));
	}
	r->recovery.ask_count++;
	vr_timer_set(r, VR_TIMER_RECOVERY, vr_resend_delay(r));
}

/* Each attempt has a name of its own: an answer to another one is none (D10). */
static void begin_attempt(struct vr_replica *r)
{
	u32 i;

	for (i = 0; i < VR_REPLICAS_MAX; i++)
		r->votes[i].valid = false;
	r->install.active = false;
	r->checkpoint.fetching = false;
	r->recovery.attempt++;
	r->recovery.ask_count = 0;
	vr_timer_stop(r, VR_TIMER_REPAIR);
	ask(r);
}

/* Forget everything but who may be alive; from now on we are mute (R15). */
void vr_recover(struct vr_replica *r, enum vr_refusal reason)
{
	vr_stop(r, VR_STATUS_RECOVERING);
	r->refusal = reason;
	r->incarnation = 0;
	r->view = 0;
	r->last_normal_view = 0;
	r->leaving = false;
	memset(&r->form, 0, sizeof(r->form));
	r->abdicated = false;
	vr_read_reset(r);
	vr_log_reset(&r->log, vr_number_base(r->generation) + 1);
	r->log_version = VR_WIRE_VERSION_MIN;
	vr_sm_reset(&r->sm, vr_number_base(r->generation));
	r->commit = r->log.ring.last;
	r->op_durable = r->commit;
	r->log_epoch++;
	vr_checkpoint_drop(&r->checkpoint);
	r->checkpoint.op_last = r->commit;
	r->checkpoint.body_bytes = 0;
	r->recovery.nonce = r->cfg.nonce;
	r->recovery.waits = false;
	r->cold.lost_ns = r->now_ns;
	vr_pending_skipped(r);
	vr_pending_renew(r);
	vr_timer_set(r, VR_TIMER_PING, 0);
	vr_promise(r);
	begin_attempt(r);
	vr_recovery_reconsider(r);
}

/*
 * Too many without memory: nobody can know any more what was promised. It stays
 * so until somebody's memory turns up; then we go on as if nothing had been.
 */
void vr_recovery_reconsider(struct vr_replica *r)
{
	u8 lost = vr_lost_mask(r), lost_count = 0, status;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++)
		lost_count += !!(lost & (1u << i));
	status = r->cfg.replica_count - lost_count < vr_answers_needed(r) ?
		 VR_STATUS_AMNESIA : VR_STATUS_RECOVERING;
	vr_cold_reconsider(r);
	if (status == r->status)
		return;
	r->status = status;
	r->fx->status_changed = true;
	if (status == VR_STATUS_AMNESIA)
		vr_pending_fail(r);
	vr_timer_set(r, VR_TIMER_PING, 0);
}

/* Has anything come since we last looked? */
static bool has_progressed(struct vr_replica *r)
{
	u64 progress = r->log.ring.last + r->stage.last + r->checkpoint.here;
	bool has = progress != r->recovery.progress;

	r->recovery.progress = progress;
	return has;
}

void vr_on_recovery_timer(struct vr_replica *r)
{
	if (!vr_is_recovering(r))
		return;
	vr_recovery_reconsider(r);
	if (r->recovery.waits) {
		vr_timer_set(r, VR_TIMER_RECOVERY, vr_resend_delay(r));
		return;
	}
	if (r->install.active && has_progressed(r))
		r->recovery.ask_count = 0;
	if (r->recovery.ask_count >= ASKS_MAX) {
		begin_attempt(r);
	} else if (r->install.active) {
		r->recovery.ask_count++;
		vr_timer_set(r, VR_TIMER_RECOVERY, vr_resend_delay(r));
	} else {
		ask(r);
	}
}

static void answer(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_message *reply = vr_send(r, VR_RECOVERY_RESPONSE, 1u << m->from);

	if (!reply)
		return;
	reply->nonces[0] = m->nonces[0];
	reply->nonces[1] = m->nonces[1];
	memcpy(reply->vector, r->vector, sizeof(reply->vector));
	reply->op = r->log.ring.last;
	if (vr_is_primary(r)) {
		/* Nothing is being installed by a normal primary: the room is free. */
		reply->hash_count = vr_copy_hashes(r, r->commit, reply->op,
						   r->install.hashes);
		reply->hashes = r->install.hashes;
	}
}

void vr_on_recovery(struct vr_replica *r, const struct vr_message *m)
{
	/* What its earlier lives said counts no more, from here on (R16). */
	if (vr_has_memory(r) && m->incarnation && m->generation == r->generation &&
	    m->instance == r->instance)
		vr_learn_vector(r, m->vector);
	/* Who answers a life that has a number must never forget that number (D18). */
	if (r->status == VR_STATUS_NORMAL &&
	    (!m->incarnation || r->promises_durable >= r->life_promise))
		answer(r, m);
	else
		vr_drop(r, VR_DROP_STATUS);
	/*
	 * A primary, or who would be next, without memory is not worth a wait. It
	 * must have named its new life: an old question may come again at any time.
	 */
	if (vr_has_memory(r) && m->from == vr_primary(r, r->view) && r->primary_lost)
		vr_want_exit(r);
}

/*
 * Phase 1 ends: we know our earlier lives, this one has the next number. The
 * record knows it, and the generation we are about to act in, before anybody does.
 */
static void take_incarnation(struct vr_replica *r)
{
	u64 *known = &r->vector[r->cfg.self];

	/* Lives restored from a journal count from the last one that others know. */
	*known += r->cfg.journal ? VR_RESTARTS_MAX + 1 - (*known & VR_RESTARTS_MAX) : 1;
	/* Nobody lives that often, but somebody may say so. */
	if (vr_never(r, *known > VR_NUMBER_MAX, VR_HALT_LIVES))
		return;
	r->incarnation = *known;
	r->record.formed = true;
	r->record.generation = r->generation;
	r->record.instance = r->instance;
	r->record.incarnation = r->incarnation;
	r->recovery.waits = true;
	vr_record_want(r);
	vr_recovery_settle(r);
	if (r->recovery.waits)
		vr_timer_set(r, VR_TIMER_RECOVERY, r->cfg.heartbeat_ns);
}

void vr_recovery_settle(struct vr_replica *r)
{
	if (!r->recovery.waits || !vr_is_recovering(r) || !vr_record_is_held(r))
		return;
	r->recovery.waits = false;
	begin_attempt(r);
}

/* Phase 2: who leads the newest view among the answers, if it is among them. */
static u8 leader(const struct vr_replica *r)
{
	u64 view = 0;
	u8 primary;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (r->votes[i].valid)
			view = vr_max(view, r->votes[i].log_view);
	}
	primary = vr_primary(r, view);
	if (!r->votes[primary].valid || r->votes[primary].log_view != view ||
	    !r->votes[primary].hash_count)
		return VR_NOBODY;
	return primary;
}

/* R13: whoever is normal in that view may give us the log, the primary last. */
static u8 first_source(const struct vr_replica *r, u8 primary)
{
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (i != primary && r->votes[i].valid &&
		    r->votes[i].log_view == r->votes[primary].log_view)
			return i;
	}
	return primary;
}

static void try_recover(struct vr_replica *r)
{
	const struct vr_vote *answer;
	u8 primary;

	if (r->install.active || vr_answer_count(r) < vr_answers_needed(r))
		return;
	if (!r->incarnation) {
		take_incarnation(r);
		return;
	}
	primary = leader(r);
	if (primary == VR_NOBODY)
		return;
	answer = &r->votes[primary];
	r->view = answer->log_view;
	vr_install_vote(r, primary, answer->commit);
	if (r->install.active)
		r->install.source = first_source(r, primary);
}

void vr_on_recovery_response(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_vote *answer = &r->votes[m->from];

	if (!vr_is_recovering(r) || r->recovery.waits || r->cold.joins ||
	    m->nonces[0] != r->recovery.nonce ||
	    m->nonces[1] != r->recovery.attempt ||
	    (r->incarnation && m->vector[r->cfg.self] < r->incarnation)) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (answer->valid && m->view < answer->log_view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		return;
	}
	if (r->instance && (m->generation < vr_record_floor(r) ||
			    (m->instance != r->instance && vr_record_is_good(r)))) {
		vr_drop(r, VR_DROP_GENERATION);
		return;
	}
	if (m->instance != r->instance || m->generation != r->generation) {
		/* Whatever we knew was of another group of that name. */
		r->instance = m->instance;
		r->generation = m->generation;
		memset(r->vector, 0, sizeof(r->vector));
		vr_recover(r, r->refusal);
		return;
	}
	/* Merging drops the answers that this one shows to be of the dead. */
	vr_learn_vector(r, m->vector);
	if (m->nonces[1] != r->recovery.attempt)
		return;
	answer->valid = true;
	answer->log_view = m->view;
	answer->op = m->op;
	answer->commit = m->commit;
	answer->hash_count = m->hash_count;
	memcpy(answer->hashes, m->hashes, m->hash_count * sizeof(m->hashes[0]));
	try_recover(r);
}

/* R25: a rolled back or long frozen replica cannot know what it has promised. */
void vr_on_demote_event(struct vr_replica *r, const struct vr_event *ev)
{
	r->cfg.nonce = ev->nonce;
	/* Now, not with the next life: the power may fail before there is one. */
	if (ev->rolled_back) {
		vr_cold_doubt(r);
		r->record.doubtful = true;
		vr_record_want(r);
	}
	r->read_id = 0;
	switch (r->status) {
	case VR_STATUS_HALTED:
		break;
	case VR_STATUS_BLANK:
	case VR_STATUS_FORMING:
		vr_form_forget(r);
		break;
	default:
		vr_recover(r, VR_REFUSAL_DEMOTED);
	}
}
