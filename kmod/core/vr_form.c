// SPDX-License-Identifier: GPL-2.0
/*
 * How a group begins, once (R19), and who is there before and after: FORM asks
 * all members for a promise, FORMED says that all have given it. PING tells the
 * others what we are; a blank member that hears of a group it should be in has
 * lost its memory and refuses.
 */
#include "vr_replica_private.h"

#define FORM_GIVE_UP_NS (3000 * VR_NS_PER_MS)

static void become_formed(struct vr_replica *r)
{
	u64 base = vr_number_base(r->form.generation);

	vr_timer_stop(r, VR_TIMER_FORM);
	r->generation = r->form.generation;
	r->incarnation = 1;
	r->view = 0;
	vr_log_reset(&r->log, base + 1);
	vr_sm_reset(&r->sm, base);
	r->commit = base;
	r->op_durable = base;
	vr_enter_normal(r);
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

static void end_form(struct vr_replica *r, enum vr_form_error error, u8 slot)
{
	r->fx->form_done = true;
	r->fx->form_error = error;
	r->fx->form_slot = slot;
}

static void abandon(struct vr_replica *r, enum vr_form_error error, u8 slot)
{
	send_form_refused(r, vr_others(r), r->form.id, VR_FORM_BUSY);
	become_blank(r);
	end_form(r, error, slot);
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
	send_form(r, VR_FORMED, vr_others(r));
	become_formed(r);
	end_form(r, VR_FORM_OKAY, r->cfg.self);
}

void vr_on_form_event(struct vr_replica *r, u16 generation, u64 form_id)
{
	vr_assert(generation <= VR_GENERATION_MAX);
	if (r->status != VR_STATUS_BLANK) {
		end_form(r, VR_FORM_NOT_BLANK_HERE, r->cfg.self);
		return;
	}
	promise(r, form_id, r->cfg.self, generation);
	send_form(r, VR_FORM, vr_others(r));
	try_form(r);
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
	} else if (r->incarnation && r->form.id == m->form_id) {
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
	if (r->incarnation && r->form.id == m->form_id) {
		send_form(r, VR_FORMED, 1u << m->from);
		return;
	}
	/*
	 * Its initiator, in an earlier life or having given up, maybe to
	 * promise to another by now: release it. From anybody else it is
	 * ignored.
	 */
	vr_drop(r, VR_DROP_FORM);
	if (r->status == VR_STATUS_BLANK ||
	    (r->status == VR_STATUS_FORMING && r->form.id != m->form_id))
		send_form_refused(r, 1u << m->from, m->form_id, VR_FORM_BUSY);
}

void vr_on_form_refused(struct vr_replica *r, const struct vr_message *m)
{
	if (r->status != VR_STATUS_FORMING || r->form.id != m->form_id) {
		vr_drop(r, VR_DROP_FORM);
		return;
	}
	if (is_initiator(r))
		abandon(r, m->status, m->from);
	else if (m->from == r->form.initiator)
		become_blank(r);
	else
		vr_drop(r, VR_DROP_FORM);
}

/*
 * All members promised, we with the nonce in it, or an earlier life of ours.
 * Having held nothing when we promised, we lack nothing of view 0.
 */
void vr_on_formed(struct vr_replica *r, const struct vr_message *m)
{
	bool awaited = r->status == VR_STATUS_FORMING && r->form.id == m->form_id &&
		       !is_initiator(r);

	if (r->status != VR_STATUS_BLANK && !awaited) {
		vr_drop(r, VR_DROP_FORM);
		return;
	}
	if (!awaited || m->nonces[r->cfg.self] != r->cfg.nonce) {
		vr_refuse(r, VR_REFUSAL_MEMORY_LOST);
		return;
	}
	memcpy(r->form.nonces, m->nonces, sizeof(r->form.nonces));
	r->form.generation = m->generation;
	become_formed(r);
}

void vr_on_form_timer(struct vr_replica *r)
{
	u32 slot;

	vr_timer_set(r, VR_TIMER_FORM,
		     vr_prng_jitter(&r->prng, 2 * r->cfg.heartbeat_ns));
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

void vr_on_ping(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];

	if (peer->status != m->status)
		r->fx->status_changed = true;
	peer->status = m->status;
	if (peer->members_differ)
		return;

	switch (r->status) {
	case VR_STATUS_BLANK:
		if (m->status != VR_STATUS_BLANK && m->status != VR_STATUS_FORMING)
			vr_refuse(r, VR_REFUSAL_MEMORY_LOST);
		break;
	case VR_STATUS_NORMAL:
	case VR_STATUS_VIEW_CHANGE:
		if (m->status != VR_STATUS_NORMAL || m->generation != r->generation)
			break;
		if (m->view > r->view)
			vr_newer_view(r, m->view);
		else if (m->view == r->view && r->status == VR_STATUS_NORMAL &&
			 m->from == vr_primary(r, r->view) && m->commit > r->log.ring.last)
			vr_repair_through(r, m->commit);
		break;
	default:
		break;
	}
}

void vr_on_ping_timer(struct vr_replica *r)
{
	struct vr_message *m = vr_send(r, VR_PING, vr_others(r));

	if (m) {
		m->op = r->log.ring.last;
		m->status = r->status;
	}
	vr_timer_set(r, VR_TIMER_PING, vr_prng_jitter(&r->prng, 8 * r->cfg.heartbeat_ns));
}
