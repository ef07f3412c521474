// SPDX-License-Identifier: GPL-2.0
/*
 * Reads that are no entries of the log (protocol.rst, "Reads"): at an index that
 * a quorum confirms, by the primary's lease, or of what is applied here. Owns
 * the questions of GET_INDEX; the state machine gives the value.
 *
 * The index is the newest op in the primary's log, not its commit number: a
 * backup of three may have answered a client before the primary knows (R5), and
 * so may the primary of the view before.
 */
#include "vr_replica_private.h"

static bool finish(struct vr_replica *r, u32 handle, u64 age_ns)
{
	struct vr_pending *p = &r->pendings.table[handle];
	struct vr_result result;

	memset(&result, 0, sizeof(result));
	result.index = r->commit;
	result.view = r->last_normal_view;
	vr_sm_read(&r->sm, &p->entry, &result);
	result.first = age_ns;
	return vr_pending_end(r, handle,
			      result.error ? VR_OUTCOME_NOT_APPLIED : VR_OUTCOME_APPLIED,
			      &result);
}

/*
 * Voters that heard us at a time we sent help nobody else for lease_ns of their
 * clock after that; an eighth is kept for clocks that do not run alike.
 */
bool vr_read_lease_holds(const struct vr_replica *r)
{
	u64 lease_ns = r->cfg.lease_ns - r->cfg.lease_ns / 8;

	return vr_is_serving(r) && r->lease_ns && vr_since(r, r->lease_ns) < lease_ns;
}

void vr_read_submit(struct vr_replica *r, u32 handle)
{
	struct vr_pending *p = &r->pendings.table[handle];

	p->sent = true;		/* there is nothing to send of a read */
	p->read_index = VR_NOT_KNOWN;
	if (p->read == VR_READ_LOCAL && vr_has_memory(r)) {
		finish(r, handle, r->cfg.replica_count == 1 ? 0 : vr_since(r, r->fresh_ns));
		return;
	}
	if (p->read == VR_READ_LEASE && vr_read_lease_holds(r))
		p->read_index = r->log.ring.last;
	vr_read_applied(r);
}

/* What vr_read_applied() does if anything waits. */
void vr_read_answer(struct vr_replica *r)
{
	u32 handle = r->pendings.first, next;

	if (r->fresher_ns && r->commit >= r->fresher_op &&
	    (!vr_is_primary(r) || r->lease_ns >= r->fresher_ns)) {
		r->fresh_ns = vr_max(r->fresh_ns, r->fresher_ns);
		r->fresher_ns = 0;
	}
	if (!r->pendings.read_count || !vr_has_memory(r))
		return;
	for (; handle != VR_NO_HANDLE; handle = next) {
		struct vr_pending *p = &r->pendings.table[handle];

		next = p->next;
		/* LOCAL that had to wait for our memory is confirmed since it came. */
		if (p->read && p->read_index <= r->commit &&
		    !finish(r, handle, p->read == VR_READ_LOCAL ?
			    vr_since(r, p->submitted_ns) : 0))
			return;
	}
}

static void indexed(struct vr_replica *r, u64 id, u64 index)
{
	u32 handle;

	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = r->pendings.table[handle].next) {
		struct vr_pending *p = &r->pendings.table[handle];

		if (p->read && p->read_id == id && p->read_index == VR_NOT_KNOWN)
			p->read_index = index;
	}
	r->read_asked = false;
	vr_read_applied(r);
}

/* ---- primary ------------------------------------------------------------ */

/*
 * Q voters were in this view after the question was asked: we, who still lead;
 * who asks, for it asked in this view; and who sent back a time of ours from
 * after the question. So nothing was committed in a later view before it.
 */
static bool is_confirmed(const struct vr_replica *r, u8 slot)
{
	u32 i, count = 0;

	for (i = 0; i < r->cfg.replica_count; i++)
		count += i == r->cfg.self || i == slot ||
			 r->peers[i].echo_ns >= r->peers[slot].read_stamp;
	return count >= r->quorum;
}

static bool try_answer(struct vr_replica *r, u8 slot)
{
	struct vr_peer *peer = &r->peers[slot];
	u64 id = peer->read_id;
	struct vr_message *m;

	if (!id || !is_confirmed(r, slot))
		return false;
	peer->read_id = 0;
	if (slot == r->cfg.self) {
		indexed(r, id, peer->read_index);
		return true;
	}
	m = vr_send(r, VR_NEW_INDEX, 1u << slot);
	if (m) {
		m->read_id = id;
		m->op = peer->read_index;
	}
	return true;
}

static void question(struct vr_replica *r, u8 slot, u64 id)
{
	struct vr_peer *peer = &r->peers[slot];

	/* Asked again: what was noted first holds, and is sooner confirmed. */
	if (peer->read_id != id) {
		peer->read_id = id;
		peer->read_index = r->log.ring.last;
		peer->read_stamp = r->stamp_ns + 1;
	}
	if (!try_answer(r, slot))
		vr_send_heartbeat(r);
}

void vr_on_get_index(struct vr_replica *r, const struct vr_message *m)
{
	if (m->view != r->view) {
		vr_drop(r, m->view < r->view ? VR_DROP_STALE_VIEW : VR_DROP_NEWER_VIEW);
		if (m->view < r->view)
			vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (!vr_is_serving(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		return;
	}
	question(r, m->from, m->read_id);
}

/* A PREPARE_OK sent a time back: maybe the one that somebody waits for. */
void vr_read_echoed(struct vr_replica *r)
{
	u32 slot;

	vr_read_applied(r);
	for (slot = 0; slot < r->cfg.replica_count; slot++)
		try_answer(r, slot);
}

/* ---- whoever asks -------------------------------------------------------- */

static void ask(struct vr_replica *r)
{
	struct vr_message *m;

	if (vr_is_primary(r)) {
		question(r, r->cfg.self, r->read_id);
		return;
	}
	m = vr_send(r, VR_GET_INDEX, 1u << vr_primary(r, r->view));
	if (m)
		m->read_id = r->read_id;
}

/*
 * One question at a time, for all reads that came before it. Its number starts
 * from the nonce of this life, so that no answer to an earlier one fits.
 */
void vr_read_flush(struct vr_replica *r)
{
	bool wanted = false;
	u32 handle;

	if (!r->pendings.read_count || r->read_asked || r->abdicated)
		return;
	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = r->pendings.table[handle].next) {
		struct vr_pending *p = &r->pendings.table[handle];

		if (!p->read || p->read_id || p->read_index != VR_NOT_KNOWN)
			continue;
		if (!wanted)
			r->read_id = r->read_id ? r->read_id + 1 : r->cfg.nonce | 1;
		p->read_id = r->read_id;
		wanted = true;
	}
	if (!wanted)
		return;
	r->read_asked = true;
	ask(r);
}

void vr_on_new_index(struct vr_replica *r, const struct vr_message *m)
{
	if (r->status != VR_STATUS_NORMAL || m->view != r->view || !r->read_asked ||
	    m->read_id != r->read_id) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	indexed(r, m->read_id, m->op);
}

/* The timer: the question or its answer may be lost. */
void vr_read_again(struct vr_replica *r)
{
	if (r->read_asked && r->status == VR_STATUS_NORMAL && !r->abdicated)
		ask(r);
}

/* An index holds in its view only: what it names may never be committed. */
void vr_read_reset(struct vr_replica *r)
{
	u32 i;

	r->read_asked = false;
	r->fresher_ns = 0;
	vr_serve_reset(r);
	for (i = 0; i < VR_REPLICAS_MAX; i++)
		r->peers[i].read_id = 0;
	for (i = r->pendings.first; i != VR_NO_HANDLE; i = r->pendings.table[i].next) {
		r->pendings.table[i].read_id = 0;
		r->pendings.table[i].read_index = VR_NOT_KNOWN;
	}
}

/* ---- how old what is applied here may be --------------------------------- */

/*
 * The clocks of others say nothing here: only a time of our own that came back
 * does. All that was committed anywhere when we said it is in the log of a
 * primary that led then, and applied here once we have applied that log.
 */

/* We lead and say a time: it counts when a quorum has sent it back. */
void vr_read_stamped(struct vr_replica *r)
{
	r->clients.unsaid = false;
	if (r->fresher_ns)
		return;
	r->fresher_ns = r->stamp_ns;
	r->fresher_op = r->log.ring.last;
}

/* What we add to a PONG: since when it is not known that we lead. */
u64 vr_read_age(const struct vr_replica *r)
{
	if (!vr_is_serving(r) || !r->lease_ns)
		return VR_NUMBER_MAX;
	return vr_since(r, r->lease_ns);
}

/*
 * The primary sends our time back. In a group of three the two of us are a
 * quorum of its view; otherwise it led for certain that much before.
 */
void vr_read_pong(struct vr_replica *r, const struct vr_message *m)
{
	u64 age_ns = r->quorum == 2 ? 0 : m->age_ns + m->age_ns / 8;

	if (r->status != VR_STATUS_NORMAL || m->view != r->view || r->fresher_ns ||
	    m->from != vr_primary(r, r->view) || m->instance != r->instance ||
	    m->generation != r->generation || m->age_ns == VR_NUMBER_MAX ||
	    age_ns >= m->heartbeat_ns)
		return;
	r->fresher_ns = m->heartbeat_ns - age_ns;
	r->fresher_op = m->op;
	vr_read_applied(r);
}
