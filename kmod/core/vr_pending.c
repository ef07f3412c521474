// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of local sessions: kept, handed to whoever is primary, again after
 * each view change, until applying an entry here answers them. No REPLY is
 * needed among replicas: each applies the entry itself (protocol.rst).
 */
#include "vr_replica_private.h"

/* Without a quorum for this many view timeouts a request is given up. */
#define GIVE_UP_VIEW_TIMEOUTS 8

/* Room that the protocol keeps in the effects of a step when requests flow. */
#define SENDS_KEPT 8

static void done(struct vr_replica *r, u32 handle, u64 request,
		 enum vr_outcome outcome, const struct vr_result *result)
{
	struct vr_done *d = &r->fx->done[r->fx->done_count++];

	d->handle = handle;
	d->request = request;
	d->outcome = outcome;
	d->result = *result;
}

static enum vr_outcome outcome_of(const struct vr_result *result)
{
	return result->error ? VR_OUTCOME_NOT_APPLIED : VR_OUTCOME_APPLIED;
}

static void release(struct vr_replica *r, u32 handle)
{
	struct vr_pending *p = &r->pending[handle];

	p->active = false;
	r->pending_active--;
	r->pending_unsent -= !p->sent;
}

/* End a request with an error of our own. False if this step has no room left. */
static bool fail(struct vr_replica *r, u32 handle, s32 error)
{
	struct vr_pending *p = &r->pending[handle];
	struct vr_result result = { .error = error };

	if (r->fx->done_count == VR_DONE_MAX)
		return false;
	done(r, handle, p->entry.request,
	     p->exposed ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED, &result);
	release(r, handle);
	return true;
}

s32 vr_replica_refusal(const struct vr_replica *r)
{
	switch (r->status) {
	case VR_STATUS_BLANK:
	case VR_STATUS_FORMING:
		return -EHOSTUNREACH;
	case VR_STATUS_RECOVERING:
		return -ENOTRECOVERABLE;
	case VR_STATUS_HALTED:
		return -EIO;
	default:
		return 0;
	}
}

/* The replica has stopped: so has every request. */
void vr_pending_fail(struct vr_replica *r)
{
	u32 i;

	for (i = 0; i < r->cfg.pending_max; i++) {
		if (r->pending[i].active && !fail(r, i, vr_replica_refusal(r))) {
			vr_timer_set(r, VR_TIMER_PENDING, 0);
			return;
		}
	}
}

/* What the client table knows about a request; true if that ended it. */
static bool answer(struct vr_replica *r, u32 handle, u8 kind, u64 session_id,
		   u64 request, bool exposed)
{
	struct vr_session *session;
	struct vr_result result = { .error = 0 };
	enum vr_outcome outcome;

	if (kind == VR_KIND_SESSION_BEGIN)
		return false;
	session = vr_session_find(&r->sm.sessions, session_id);
	if (session)
		session->handle = handle;
	if (session && (request > session->request || kind == VR_KIND_SESSION_END))
		return false;
	if (session && request == session->request) {
		result = session->result;
		outcome = outcome_of(&result);
	} else if (kind == VR_KIND_SESSION_END) {
		outcome = VR_OUTCOME_APPLIED;
	} else {
		result.error = -ESTALE;
		outcome = exposed ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED;
	}
	done(r, handle, request, outcome, &result);
	return true;
}

void vr_on_submit(struct vr_replica *r, const struct vr_submit *s)
{
	struct vr_pending *p = &r->pending[s->handle];
	s32 error = vr_replica_refusal(r);

	vr_assert(s->handle < r->cfg.pending_max && s->body_bytes <= VR_BODY_BYTES_MAX);
	vr_assert(!p->active || s->kind == VR_KIND_SESSION_END);
	if (p->active)
		release(r, s->handle);
	if (error) {
		struct vr_result result = { .error = error };

		done(r, s->handle, s->request,
		     s->again ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED, &result);
		return;
	}
	if (answer(r, s->handle, s->kind, s->session, s->request, s->again))
		return;

	memset(p, 0, sizeof(*p));
	p->active = true;
	p->exposed = s->again;
	p->submitted_ns = r->now_ns;
	p->entry.kind = s->kind;
	p->entry.origin = r->cfg.self;
	p->entry.session = s->session;
	p->entry.request = s->request;
	p->entry.argument = s->kind == VR_KIND_SESSION_BEGIN ? r->cfg.nonce : s->argument;
	p->entry.body = r->pending_bodies + (size_t)s->handle * VR_BODY_BYTES_MAX;
	p->entry.body_bytes = s->body_bytes;
	if (s->body_bytes)
		memcpy((u8 *)p->entry.body, s->body, s->body_bytes);
	r->pending_active++;
	r->pending_unsent++;
	if (!vr_timer_runs(r, VR_TIMER_PENDING))
		vr_timer_set(r, VR_TIMER_PENDING, r->cfg.heartbeat_ns);
}

static bool is_request(const struct vr_pending *p, const struct vr_entry *entry)
{
	return p->active && p->entry.kind == entry->kind &&
	       p->entry.session == entry->session && p->entry.request == entry->request &&
	       (entry->kind != VR_KIND_SESSION_BEGIN ||
		p->entry.argument == entry->argument);
}

/* An entry of this member was applied: whoever waits for it has the result. */
void vr_pending_applied(struct vr_replica *r, const struct vr_entry *entry,
			struct vr_session *session, const struct vr_result *result)
{
	u32 handle = VR_NO_HANDLE, i;

	if (session && session->handle < r->cfg.pending_max &&
	    is_request(&r->pending[session->handle], entry)) {
		handle = session->handle;
	} else if (entry->kind == VR_KIND_SESSION_BEGIN ||
		   entry->kind == VR_KIND_SESSION_END || !session) {
		for (i = 0; i < r->cfg.pending_max && handle == VR_NO_HANDLE; i++) {
			if (is_request(&r->pending[i], entry))
				handle = i;
		}
	}
	/* No room would be a bound of ours broken; the timer then asks again. */
	if (handle == VR_NO_HANDLE || r->fx->done_count == VR_DONE_MAX)
		return;
	if (session)
		session->handle = handle;
	done(r, handle, entry->request, outcome_of(result), result);
	release(r, handle);
}

static bool send_request(struct vr_replica *r, struct vr_pending *p)
{
	struct vr_message *m;

	if (r->fx->send_count + SENDS_KEPT > VR_SENDS_MAX)
		return false;
	m = vr_send(r, VR_REQUEST, 1u << vr_primary(r, r->view));
	m->entries[0] = &p->entry;
	m->entry_count = 1;
	return true;
}

/* Hand over what the primary of this view has not been given yet. */
void vr_pending_flush(struct vr_replica *r)
{
	u32 i, max = r->cfg.pending_max;

	if (r->abdicated)
		return;
	for (i = 0; i < max && r->pending_unsent; i++) {
		u32 handle = (r->pending_turn + i) % max;
		struct vr_pending *p = &r->pending[handle];

		if (!p->active || p->sent)
			continue;
		if (!(vr_is_primary(r) ? vr_accept(r, &p->entry) : send_request(r, p))) {
			r->pending_turn = handle;
			/* The primary goes on when it commits, a backup at once. */
			if (!vr_is_primary(r))
				vr_timer_set(r, VR_TIMER_PENDING, 0);
			return;
		}
		p->sent = true;
		p->exposed = true;
		p->sent_ns = r->now_ns;
		r->pending_unsent--;
	}
}

/* A new primary has been given nothing yet. */
void vr_pending_renew(struct vr_replica *r)
{
	u32 i;

	for (i = 0; i < r->cfg.pending_max; i++)
		r->pending[i].sent = false;
	r->pending_unsent = r->pending_active;
}

static bool is_hopeless(const struct vr_replica *r, const struct vr_pending *p)
{
	u64 since_ns = vr_max(r->quorum_ns, p->submitted_ns);

	return !vr_has_quorum(r) &&
	       r->now_ns - since_ns >= GIVE_UP_VIEW_TIMEOUTS * r->cfg.view_timeout_ns;
}

static bool is_overdue(const struct vr_replica *r, const struct vr_pending *p)
{
	return p->sent && !vr_is_primary(r) &&
	       r->now_ns - p->sent_ns >= 2 * r->cfg.heartbeat_ns;
}

void vr_on_pending_timer(struct vr_replica *r)
{
	u32 i;

	if (vr_replica_refusal(r)) {
		vr_pending_fail(r);
		return;
	}
	for (i = 0; i < r->cfg.pending_max && r->pending_active; i++) {
		struct vr_pending *p = &r->pending[i];

		if (!p->active)
			continue;
		if (r->fx->done_count == VR_DONE_MAX)
			break;
		if (is_hopeless(r, p)) {
			fail(r, i, -EHOSTUNREACH);
		} else if (answer(r, i, p->entry.kind, p->entry.session,
				  p->entry.request, p->exposed)) {
			release(r, i);
		} else if (is_overdue(r, p)) {
			p->sent = false;
			r->pending_unsent++;
		}
	}
	if (r->pending_active)
		vr_timer_set(r, VR_TIMER_PENDING,
			     vr_prng_jitter(&r->prng, r->cfg.heartbeat_ns));
}
