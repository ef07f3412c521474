// SPDX-License-Identifier: GPL-2.0
/*
 * Requests of local sessions: kept in the order they came, handed to whoever is
 * primary, again after each view change, until applying an entry here answers
 * them. No REPLY is needed among replicas: each applies the entry itself
 * (protocol.rst). Reads that are no entries wait here too; vr_read.c answers.
 */
#include "vr_replica_private.h"

/* Without a quorum for this many view timeouts a request is given up. */
#define GIVE_UP_VIEW_TIMEOUTS 8

void vr_pendings_reset(struct vr_replica *r)
{
	u32 i;

	for (i = 0; i < r->cfg.pending_max; i++)
		r->pendings.buckets[i] = VR_NO_HANDLE;
	r->pendings.first = VR_NO_HANDLE;
	r->pendings.last = VR_NO_HANDLE;
	r->pendings.unsent = VR_NO_HANDLE;
}

static struct vr_pending *pending(const struct vr_replica *r, u32 handle)
{
	return &r->pendings.table[handle];
}

/* Low bits of session ids differ, and all of a session are in one chain. */
static u32 *bucket(const struct vr_replica *r, u64 session)
{
	return &r->pendings.buckets[(u32)session % r->cfg.pending_max];
}

static void link_in(struct vr_replica *r, u32 handle)
{
	struct vr_pendings *all = &r->pendings;
	struct vr_pending *p = pending(r, handle);
	u32 *chain = bucket(r, p->entry.session);

	p->active = true;
	p->previous = all->last;
	p->next = VR_NO_HANDLE;
	if (all->last == VR_NO_HANDLE)
		all->first = handle;
	else
		pending(r, all->last)->next = handle;
	all->last = handle;
	p->chain = *chain;
	*chain = handle;
	all->count++;
	all->read_count += !!p->read;
}

static void skip_sent(struct vr_replica *r, u32 handle)
{
	while (handle != VR_NO_HANDLE && pending(r, handle)->sent)
		handle = pending(r, handle)->next;
	r->pendings.unsent = handle;
}

static void release(struct vr_replica *r, u32 handle)
{
	struct vr_pendings *all = &r->pendings;
	struct vr_pending *p = pending(r, handle);
	u32 *chain = bucket(r, p->entry.session);

	while (*chain != handle)
		chain = &pending(r, *chain)->chain;
	*chain = p->chain;
	if (p->previous == VR_NO_HANDLE)
		all->first = p->next;
	else
		pending(r, p->previous)->next = p->next;
	if (p->next == VR_NO_HANDLE)
		all->last = p->previous;
	else
		pending(r, p->next)->previous = p->previous;
	if (all->unsent == handle)
		skip_sent(r, p->next);
	p->active = false;
	all->count--;
	all->read_count -= !!p->read;
}

/* False if this step has no room left: the timer goes on. */
static bool done(struct vr_replica *r, u32 handle, u64 request,
		 enum vr_outcome outcome, const struct vr_result *result)
{
	struct vr_done *d;

	if (r->fx->done_count == VR_DONE_MAX) {
		vr_timer_set(r, VR_TIMER_PENDING, 0);
		return false;
	}
	d = &r->fx->done[r->fx->done_count++];
	d->handle = handle;
	d->request = request;
	d->outcome = outcome;
	d->result = *result;
	return true;
}

bool vr_pending_end(struct vr_replica *r, u32 handle, enum vr_outcome outcome,
		    const struct vr_result *result)
{
	if (!done(r, handle, pending(r, handle)->entry.request, outcome, result))
		return false;
	release(r, handle);
	return true;
}

static enum vr_outcome outcome_of(const struct vr_result *result)
{
	return result->error ? VR_OUTCOME_NOT_APPLIED : VR_OUTCOME_APPLIED;
}

/* End a request with an error of our own. */
static bool fail(struct vr_replica *r, u32 handle, s32 error)
{
	struct vr_result result = { .error = error };

	return vr_pending_end(r, handle, pending(r, handle)->exposed ?
			      VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED, &result);
}

s32 vr_replica_refusal(const struct vr_replica *r)
{
	switch (r->status) {
	case VR_STATUS_BLANK:
	case VR_STATUS_FORMING:
		return -EHOSTUNREACH;
	case VR_STATUS_AMNESIA:
		return -ENOTRECOVERABLE;
	case VR_STATUS_HALTED:
		return -EIO;
	default:
		return r->cfg.client && vr_client_older(r) ? -EHOSTUNREACH : 0;
	}
}

/* The replica takes no operation any more: so has every request ended. */
void vr_pending_fail(struct vr_replica *r)
{
	while (r->pendings.first != VR_NO_HANDLE) {
		if (!fail(r, r->pendings.first, vr_replica_refusal(r)))
			return;
	}
}

/*
 * What the client table knows of a request. False if it may still be applied,
 * now or later.
 */
static bool recall(struct vr_replica *r, const struct vr_pending *p,
		   enum vr_outcome *outcome, struct vr_result *result)
{
	const struct vr_entry *e = &p->entry;
	const struct vr_session *session;

	if (e->kind == VR_KIND_SESSION_BEGIN || !vr_has_memory(r))
		return false;
	session = vr_session_find(&r->sm.sessions, e->session);
	if (session && (e->kind == VR_KIND_SESSION_END || e->request > session->request))
		return false;
	/* Begun by an entry that we had applied before we lost our memory. */
	if (!session && e->session > r->commit)
		return false;
	memset(result, 0, sizeof(*result));
	if (session)
		vr_session_recall(session, e->request, result);
	else if (e->kind != VR_KIND_SESSION_END)
		result->error = -ESTALE;
	*outcome = result->error == -ESTALE && p->unsure ? VR_OUTCOME_UNKNOWN :
							   outcome_of(result);
	return true;
}

static void take_back(struct vr_replica *r, u64 session)
{
	u32 handle = *bucket(r, session), next;

	for (; handle != VR_NO_HANDLE; handle = next) {
		next = pending(r, handle)->chain;
		if (pending(r, handle)->entry.session == session && !pending(r, handle)->read)
			release(r, handle);
	}
}

static void keep(struct vr_replica *r, const struct vr_submit *s)
{
	struct vr_pending *p = pending(r, s->handle);

	memset(p, 0, sizeof(*p));
	p->exposed = s->again;
	/*
	 * Who asks for a result does not know it, nor do we of a forgotten one, nor
	 * does a client: what it is told may be of a second copy of its datagram.
	 */
	p->unsure = s->again || s->kind == VR_KIND_RESULT || r->cfg.client;
	p->submitted_ns = r->now_ns;
	p->read = s->kind == VR_KIND_GET ? s->read : VR_READ_LOG;
	p->entry.kind = s->kind;
	p->entry.origin = vr_self(r);
	p->entry.session = s->session;
	p->entry.request = s->request;
	p->entry.argument = s->kind == VR_KIND_SESSION_BEGIN ? r->cfg.nonce : s->argument;
	p->entry.topic = s->topic;
	p->entry.body = s->body;
	p->entry.body_bytes = s->body_bytes;
	link_in(r, s->handle);
}

void vr_on_submit(struct vr_replica *r, const struct vr_submit *s)
{
	s32 error = vr_replica_refusal(r);

	vr_assert(s->handle < r->cfg.pending_max && s->body_bytes <= r->cfg.body_bytes_max);
	if (s->kind == VR_KIND_SESSION_END)
		take_back(r, s->session);
	vr_assert(!pending(r, s->handle)->active);
	keep(r, s);
	if (error) {
		fail(r, s->handle, error);
		return;
	}
	if (!vr_timer_runs(r, VR_TIMER_PENDING))
		vr_timer_set(r, VR_TIMER_PENDING, r->cfg.heartbeat_ns);
	if (pending(r, s->handle)->read) {
		if (!r->cfg.client)
			vr_read_submit(r, s->handle);
		else
			pending(r, s->handle)->sent = true;
	} else {
		struct vr_result result;
		enum vr_outcome outcome;

		if (recall(r, pending(r, s->handle), &outcome, &result))
			vr_pending_end(r, s->handle, outcome, &result);
		else if (r->pendings.unsent == VR_NO_HANDLE)
			r->pendings.unsent = s->handle;
	}
}

static bool is_request(const struct vr_pending *p, const struct vr_entry *entry)
{
	return !p->read && p->entry.kind == entry->kind &&
	       p->entry.session == entry->session && p->entry.request == entry->request &&
	       (entry->kind != VR_KIND_SESSION_BEGIN ||
		p->entry.argument == entry->argument);
}

/* An entry of this member was applied: whoever waits for it has the result. */
void vr_pending_applied(struct vr_replica *r, const struct vr_entry *entry,
			const struct vr_result *result)
{
	enum vr_outcome outcome = outcome_of(result);
	u32 handle = *bucket(r, entry->session);

	while (handle != VR_NO_HANDLE && !is_request(pending(r, handle), entry))
		handle = pending(r, handle)->chain;
	if (handle == VR_NO_HANDLE)
		return;
	/* A first copy of the entry may be among those a checkpoint skipped. */
	if (result->error == -ESTALE && pending(r, handle)->unsure)
		outcome = VR_OUTCOME_UNKNOWN;
	vr_pending_end(r, handle, outcome, result);
}

/* The request of its session that goes before it: it must be in the log first. */
static u64 request_before(const struct vr_replica *r, const struct vr_entry *e)
{
	u32 handle = *bucket(r, e->session);
	u64 before = 0;

	if (e->kind == VR_KIND_SESSION_BEGIN || e->kind == VR_KIND_SESSION_END)
		return 0;
	for (; handle != VR_NO_HANDLE; handle = pending(r, handle)->chain) {
		const struct vr_pending *p = pending(r, handle);

		if (p->entry.session == e->session && !p->read && p->entry.request < e->request &&
		    p->entry.kind != VR_KIND_SESSION_END)
			before = vr_max(before, p->entry.request);
	}
	return before;
}

/* Of the same session, what has to be given first: threads may come out of order. */
static u32 first_unsent(const struct vr_replica *r, u32 handle)
{
	u32 first = handle;
	u64 session = pending(r, handle)->entry.session;

	if (!session)
		return handle;
	for (handle = *bucket(r, session); handle != VR_NO_HANDLE;
	     handle = pending(r, handle)->chain) {
		const struct vr_pending *p = pending(r, handle);

		if (p->entry.session == session && !p->sent &&
		    p->entry.request < pending(r, first)->entry.request)
			first = handle;
	}
	return first;
}

static bool send_request(struct vr_replica *r, struct vr_pending *p)
{
	struct vr_message *m;

	if (r->fx->send_count + VR_SENDS_KEPT > VR_SENDS_MAX)
		return false;
	m = vr_send(r, r->cfg.client ? VR_CLIENT_REQUEST : VR_REQUEST,
		    1u << vr_primary(r, r->view));
	m->life = r->cfg.nonce;
	m->after = request_before(r, &p->entry);
	m->entries[0] = &p->entry;
	m->entry_count = 1;
	return true;
}

/* Hand over, in order, what the primary of this view has not been given yet. */
void vr_pending_flush(struct vr_replica *r)
{
	while (r->pendings.unsent != VR_NO_HANDLE && !r->abdicated) {
		struct vr_pending *p = pending(r, first_unsent(r, r->pendings.unsent));
		bool given = vr_is_primary(r) ?
			     !vr_accept(r, &p->entry, request_before(r, &p->entry)) :
			     send_request(r, p);

		if (!given) {
			/* The primary goes on when it commits, a backup at once. */
			if (!vr_is_primary(r))
				vr_timer_set(r, VR_TIMER_PENDING, 0);
			return;
		}
		p->sent = true;
		p->exposed = true;
		p->sent_ns = r->now_ns;
		skip_sent(r, r->pendings.unsent);
	}
}

/* A new primary has been given nothing yet. */
void vr_pending_renew(struct vr_replica *r)
{
	u32 handle;

	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = pending(r, handle)->next)
		pending(r, handle)->sent = pending(r, handle)->read;
	skip_sent(r, r->pendings.first);
}

/* Entries were applied that we have not seen: look what they did, soon. */
void vr_pending_skipped(struct vr_replica *r)
{
	u32 handle;

	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = pending(r, handle)->next)
		pending(r, handle)->unsure |= pending(r, handle)->exposed;
	if (r->pendings.count)
		vr_timer_set(r, VR_TIMER_PENDING, 0);
}

/* A backup must not only hear its primary, but be heard: PONG shows that. */
static bool is_hopeless(const struct vr_replica *r, const struct vr_pending *p)
{
	u64 reached_ns = r->quorum_ns;

	if (r->cfg.replica_count == 1 && r->status == VR_STATUS_NORMAL && !r->cfg.client)
		return false;
	if (r->status == VR_STATUS_NORMAL && !vr_is_primary(r))
		reached_ns = vr_min(reached_ns, r->peers[vr_primary(r, r->view)].pong_ns);
	return vr_since(r, vr_max(reached_ns, p->submitted_ns)) >=
	       GIVE_UP_VIEW_TIMEOUTS * r->cfg.view_timeout_ns;
}

static bool is_overdue(const struct vr_replica *r, const struct vr_pending *p)
{
	u64 patience_ns = vr_max(2 * r->cfg.heartbeat_ns, 2 * r->round_trip_ns);

	return p->sent && !p->read && !vr_is_primary(r) &&
	       vr_since(r, p->sent_ns) >= patience_ns;
}

/* Has the primary owed an answer for too long? */
bool vr_pending_overdue(const struct vr_replica *r)
{
	u32 handle = r->pendings.first;

	while (handle != VR_NO_HANDLE && !is_overdue(r, pending(r, handle)))
		handle = pending(r, handle)->next;
	return handle != VR_NO_HANDLE;
}

/* False if this step has no room for more. */
static bool look_after(struct vr_replica *r, u32 handle)
{
	struct vr_pending *p = pending(r, handle);
	struct vr_result result;
	enum vr_outcome outcome;

	if (is_hopeless(r, p))
		return fail(r, handle, -EHOSTUNREACH);
	if (!p->read && recall(r, p, &outcome, &result))
		return vr_pending_end(r, handle, outcome, &result);
	if (is_overdue(r, p))
		p->sent = false;
	return true;
}

void vr_on_pending_timer(struct vr_replica *r)
{
	u32 handle = r->pendings.first, next;

	if (vr_replica_refusal(r)) {
		vr_pending_fail(r);
		return;
	}
	if (r->pendings.count)
		vr_timer_set(r, VR_TIMER_PENDING, vr_resend_delay(r));
	if (!r->cfg.client) {
		vr_read_applied(r);
		vr_read_again(r);
	}
	for (handle = r->pendings.first; handle != VR_NO_HANDLE; handle = next) {
		next = pending(r, handle)->next;
		if (!look_after(r, handle))
			break;
	}
	skip_sent(r, r->pendings.first);
}
