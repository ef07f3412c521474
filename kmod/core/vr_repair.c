// SPDX-License-Identifier: GPL-2.0
/*
 * Filling gaps: a backup that missed entries of its own view asks the primary,
 * a replica that installs a log asks who holds it (VR Revisited, section 5.2,
 * without its early truncation: D2). What the log no longer holds needs a
 * checkpoint, which this version has not: then the replica refuses.
 */
#include "vr_replica_private.h"

void vr_repair_ask(struct vr_replica *r)
{
	struct vr_message *m = vr_send(r, VR_GET_STATE, 1u << vr_primary(r, r->view));

	if (m) {
		m->log_view = r->view;
		m->op = r->log.ring.last + 1;
	}
	r->repair_asked = true;
	vr_timer_set(r, VR_TIMER_REPAIR,
		     vr_prng_jitter(&r->prng, r->cfg.heartbeat_ns));
}

/* There are entries up to @op in this view that we do not hold. */
void vr_repair_through(struct vr_replica *r, u64 op)
{
	r->repair_op = vr_max(r->repair_op, op);
	if (!r->repair_asked)
		vr_repair_ask(r);
}

void vr_on_repair_timer(struct vr_replica *r)
{
	r->repair_asked = false;
	if (r->install.active)
		vr_install_ask(r);
	else if (r->status == VR_STATUS_NORMAL && r->log.ring.last < r->repair_op)
		vr_repair_ask(r);
}

/*
 * Whether our log is the one asked for. In normal status it is that of the
 * view; in the view change it is the one we vote with, and D19 keeps it.
 */
static bool holds(const struct vr_replica *r, const struct vr_message *m)
{
	return m->view == r->view && m->log_view == r->last_normal_view;
}

void vr_on_get_state(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_message *reply;

	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (m->view > r->view) {
		vr_drop(r, VR_DROP_NEWER_VIEW);
		return;
	}
	if (!m->op) {
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (!holds(r, m) || m->op > r->log.ring.last) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	reply = vr_send(r, VR_NEW_STATE, 1u << m->from);
	if (!reply)
		return;
	reply->log_view = m->log_view;
	if (m->op < r->log.ring.first) {
		/* No entries, and the op we could begin behind: too late. */
		reply->op = r->log.ring.first - 1;
		reply->hash = r->log.base_hash;
		return;
	}
	vr_fill_batch(r, reply, m->op, r->log.ring.last);
}

static void extend(struct vr_replica *r, const struct vr_message *m)
{
	vr_commit_through(r, m->commit);
	if (!vr_take_entries(r, m))
		return;
	r->repair_asked = false;
	vr_timer_stop(r, VR_TIMER_REPAIR);
	if (r->log.ring.last < r->repair_op)
		vr_repair_ask(r);
}

void vr_on_new_state(struct vr_replica *r, const struct vr_message *m)
{
	const struct vr_install *in = &r->install;
	bool installing = in->active && m->from == in->source &&
			  m->log_view == in->log_view;
	bool repairing = r->status == VR_STATUS_NORMAL && r->repair_asked &&
			 m->log_view == r->view;
	u64 next = installing ? r->stage.last + 1 : r->log.ring.last + 1;

	if (m->view != r->view || !(installing || repairing)) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (!m->entry_count && m->op >= next) {
		vr_refuse(r, VR_REFUSAL_BEHIND);
		return;
	}
	if (installing)
		vr_install_entries(r, m);
	else
		extend(r, m);
}
