// SPDX-License-Identifier: GPL-2.0
/*
 * How a group begins, once (R19): FORM asks all members for a promise, FORMED
 * says that all have given it. A blank member that hears of a group it should be
 * in was released too early, or has lost its memory.
 */
#include "vr_replica_private.h"

#define FORM_GIVE_UP_NS (3000 * VR_NS_PER_MS)

static void become_formed(struct vr_replica *r)
{
	vr_timer_stop(r, VR_TIMER_FORM);
	vr_begin_generation(r, r->record.generation, r->record.instance);
}

/*
 * All have promised. What was formed is on the record before we act in it, so
 * that no later life of ours takes itself for blank, or for another group's.
 */
static void decide(struct vr_replica *r)
{
	r->form.decided = true;
	r->status = VR_STATUS_FORMING;
	if (!vr_timer_runs(r, VR_TIMER_FORM))
		vr_timer_set(r, VR_TIMER_FORM, r->cfg.heartbeat_ns);
	r->record.formed = true;
	r->record.generation = r->form.generation;
	/* What an initiator said that formed a group nobody else joined is not ours. */
	r->record.instance = vr_max((u32)r->form.id, 1);
	r->record.incarnation = 1;
	vr_record_want(r);
	vr_form_settle(r);
}

/* It was not to be: the group nobody acted in is struck off the record. */
static void undo(struct vr_replica *r)
{
	if (!r->form.decided)
		return;
	r->form.decided = false;
	r->record.formed = false;
	r->record.generation = 0;
	r->record.instance = 0;
	r->record.incarnation = 0;
	vr_record_want(r);
}

static void become_blank(struct vr_replica *r)
{
	r->status = VR_STATUS_BLANK;
	vr_timer_stop(r, VR_TIMER_FORM);
	r->fx->status_changed = true;
}

static void send_form(struct vr_replica *r, u8 type, u8 to_mask)
{
	struct vr_message *m = vr_send(r, type, to_mask);

	if (!m)
		return;
	m->generation = r->form.generation;
	m->form_id = r->form.id;
	memcpy(m->nonces, r->form.nonces, sizeof(m->nonces));
}

static void send_form_refused(struct vr_replica *r, u8 to_mask, u64 form_id,
			      enum vr_form_error error)
{
	struct vr_message *m = vr_send(r, VR_FORM_REFUSED, to_mask);

	if (!m)
		return;
	m->form_id = form_id;
	m->status = error;
}

static bool is_initiator(const struct vr_replica *r)
{
	return r->status == VR_STATUS_FORMING && r->form.initiator == r->cfg.self;
}

void vr_form_end(struct vr_replica *r, enum vr_form_error error, u8 slot)
{
	r->fx->form_done = true;
	r->fx->form_error = error;
	r->fx->form_slot = slot;
}

static void abandon(struct vr_replica *r, enum vr_form_error error, u8 slot)
{
	send_form_refused(r, vr_others(r), r->form.id, VR_FORM_BUSY);
	undo(r);
	become_blank(r);
	vr_form_end(r, error, slot);
}

static void promise(struct vr_replica *r, u64 form_id, u8 initiator, u16 generation)
{
	memset(&r->form, 0, sizeof(r->form));
	r->form.id = form_id;
	r->form.initiator = initiator;
	r->form.generation = generation;
	r->form.nonces[r->cfg.self] = r->cfg.nonce;
	r->form.ok_mask = 1u << r->cfg.self;
	r->form.give_up_ns = r->now_ns + FORM_GIVE_UP_NS;
	r->status = VR_STATUS_FORMING;
	vr_timer_set(r, VR_TIMER_FORM, r->cfg.heartbeat_ns);
	r->fx->status_changed = true;
}

static void try_form(struct vr_replica *r)
{
	if (r->form.ok_mask != (1u << r->cfg.replica_count) - 1)
		return;
	if (!r->form.decided)
		decide(r);
}

void vr_form_settle(struct vr_replica *r)
{
	bool asked = is_initiator(r);

	if (r->status != VR_STATUS_FORMING || !r->form.decided || !vr_record_is_held(r))
		return;
	if (asked)
		send_form(r, VR_FORMED, vr_others(r));
	become_formed(r);
	if (asked)
		vr_form_end(r, VR_FORM_OKAY, r->cfg.self);
}

void vr_on_form_event(struct vr_replica *r, u16 generation, u64 form_id)
{
	vr_assert(generation <= VR_GENERATION_MAX && form_id);
	if (r->status != VR_STATUS_BLANK || r->cfg.record_differs) {
		vr_form_end(r, VR_FORM_NOT_BLANK_HERE, r->cfg.self);
		return;
	}
	promise(r, form_id, r->cfg.self, generation);
	send_form(r, VR_FORM, vr_others(r));
	try_form(r);
}

/* Do we remember that forming, with everybody's nonces? */
static bool was_formed_by(const struct vr_replica *r, u64 form_id)
{
	return r->instance && r->form.id == form_id;
}

void vr_on_form(struct vr_replica *r, const struct vr_message *m)
{
	enum vr_form_error error = VR_FORM_OKAY;

	if (r->peers[m->from].members_differ)
		error = VR_FORM_MEMBERS;
	else if (r->status == VR_STATUS_BLANK)
		promise(r, m->form_id, m->from, m->generation);
	else if (r->status != VR_STATUS_FORMING)
		error = VR_FORM_NOT_BLANK;
	else if (r->form.id != m->form_id || r->form.initiator != m->from)
		error = VR_FORM_BUSY;

	if (!error) {
		send_form(r, VR_FORM_OK, 1u << m->from);
	} else if (was_formed_by(r, m->form_id)) {
		send_form(r, VR_FORMED, 1u << m->from);
	} else {
		vr_drop(r, VR_DROP_FORM);
		send_form_refused(r, 1u << m->from, m->form_id, error);
	}
}

void vr_on_form_ok(struct vr_replica *r, const struct vr_message *m)
{
	if (r->peers[m->from].members_differ) {
		vr_drop(r, VR_DROP_MEMBERS);
		return;
	}
	if (is_initiator(r) && r->form.id == m->form_id) {
		r->form.nonces[m->from] = m->nonces[m->from];
		r->form.ok_mask |= 1u << m->from;
		try_form(r);
		return;
	}
	/* One that missed FORMED asks with the FORM_OK it repeats. */
	if (was_formed_by(r, m->form_id)) {
		send_form(r, VR_FORMED, 1u << m->from);
		return;
	}
	/*
	 * Its initiator, in an earlier life or having given up, maybe to
	 * promise to another by now: release it. From anybody else it is
	 * ignored. Where there is a group, whose forming we forgot or which is
	 * another one, it must get its memory from us.
	 */
	vr_drop(r, VR_DROP_FORM);
	if (r->status == VR_STATUS_BLANK ||
	    (r->status == VR_STATUS_FORMING && r->form.id != m->form_id))
		send_form_refused(r, 1u << m->from, m->form_id, VR_FORM_BUSY);
	else if (vr_has_memory(r))
		send_form_refused(r, 1u << m->from, m->form_id, VR_FORM_NOT_BLANK);
}

/*
 * There is a group, and who says so does not remember how it was formed. With R
 * such members we can get our memory from them. Fewer may be those who lost it,
 * and somebody else may still tell us FORMED, unless all others have lost it.
 */
static void forgotten_by(struct vr_replica *r, u8 slot)
{
	u32 i, count = 0;

	r->form.forgot_mask |= 1u << slot;
	for (i = 0; i < r->cfg.replica_count; i++)
		count += r->form.forgot_mask >> i & 1;
	if (count >= vr_answers_needed(r) ||
	    !(vr_others(r) & ~(r->form.forgot_mask | vr_lost_mask(r))))
		vr_recover(r, VR_REFUSAL_MEMORY_LOST);
}

void vr_on_form_refused(struct vr_replica *r, const struct vr_message *m)
{
	bool waits = (r->status == VR_STATUS_FORMING && !r->form.decided) ||
		     r->status == VR_STATUS_BLANK;

	if (!waits || r->form.id != m->form_id) {
		vr_drop(r, VR_DROP_FORM);
		return;
	}
	if (is_initiator(r))
		abandon(r, m->status, m->from);
	else if (m->status == VR_FORM_NOT_BLANK)
		forgotten_by(r, m->from);
	else if (r->status == VR_STATUS_FORMING && m->from == r->form.initiator)
		become_blank(r);
	else
		vr_drop(r, VR_DROP_FORM);
}

/*
 * All members promised, we with the nonce in it, or an earlier life of ours.
 * Having held nothing when we promised, we lack nothing of view 0; not even if
 * the initiator's next life, which could not know, has released us since.
 */
void vr_on_formed(struct vr_replica *r, const struct vr_message *m)
{
	bool awaited = r->form.id == m->form_id && !is_initiator(r) && !r->form.decided &&
		       (r->status == VR_STATUS_FORMING || r->status == VR_STATUS_BLANK);

	if (r->status != VR_STATUS_BLANK && !awaited) {
		vr_drop(r, VR_DROP_FORM);
		return;
	}
	if (!awaited || m->nonces[r->cfg.self] != r->cfg.nonce) {
		vr_recover(r, VR_REFUSAL_MEMORY_LOST);
		return;
	}
	memcpy(r->form.nonces, m->nonces, sizeof(r->form.nonces));
	r->form.generation = m->generation;
	decide(r);
}

void vr_on_form_timer(struct vr_replica *r)
{
	u32 slot;

	vr_timer_set(r, VR_TIMER_FORM,
		     vr_prng_jitter(&r->prng, 2 * r->cfg.heartbeat_ns));
	if (r->form.decided) {
		if (is_initiator(r) && r->now_ns >= r->form.give_up_ns)
			abandon(r, VR_FORM_RECORD, r->cfg.self);
		return;
	}
	if (!is_initiator(r)) {
		/* The initiator, or whoever heard FORMED, answers. */
		send_form(r, VR_FORM_OK, vr_others(r));
		return;
	}
	if (r->now_ns < r->form.give_up_ns) {
		send_form(r, VR_FORM, vr_others(r) & ~r->form.ok_mask);
		return;
	}
	for (slot = 0; r->form.ok_mask & (1u << slot); slot++)
		;
	abandon(r, VR_FORM_UNREACHABLE, slot);
}

/* Blank, we hear of the group: did it form with a promise of this life of ours? */
void vr_hear_of_group(struct vr_replica *r, u8 from)
{
	if (r->cfg.record_differs)
		return;
	if (r->form.id)
		send_form(r, VR_FORM_OK, 1u << from);
	else
		vr_recover(r, VR_REFUSAL_MEMORY_LOST);
}

/* Whatever we promised, or asked for, this life of ours has not (R25). */
void vr_form_forget(struct vr_replica *r)
{
	bool asked = is_initiator(r);
	u64 form_id = r->form.id;

	vr_stop(r, VR_STATUS_BLANK);
	undo(r);
	memset(&r->form, 0, sizeof(r->form));
	vr_timer_set(r, VR_TIMER_PING, 0);
	if (!asked)
		return;
	send_form_refused(r, vr_others(r), form_id, VR_FORM_BUSY);
	vr_form_end(r, VR_FORM_BUSY, r->cfg.self);
}
