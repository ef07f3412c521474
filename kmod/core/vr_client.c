// SPDX-License-Identifier: GPL-2.0
/*
 * A client: a member without a vote, a log or a state machine (protocol.rst,
 * "Clients"). It finds the primary and follows it, hands it the requests of its
 * sessions until it has a REPLY, and keeps the newest messages of the log for
 * its readers. The requests themselves wait in vr_pending.c, as a voter's do.
 *
 * What it is told is committed, whoever says it and however late: a REPLY and
 * RECORDS hold for ever. Only where the primary is may change.
 */
#include "vr_replica_private.h"

#define LEASE_PINGS	4	/* in a node lease */
#define LOST_PINGS	2	/* without an answer: the primary is not there */
#define NOT_ANSWERED	2	/* times to ask, before another voter is asked */

static u8 all_voters(const struct vr_replica *r)
{
	return (1u << r->cfg.replica_count) - 1;
}

static u8 primary(const struct vr_replica *r)
{
	return vr_primary(r, r->view);
}

/* ---- where the primary is --------------------------------------------------- */

/* Twice in a lease a PING may be lost. */
static u64 ping_period(const struct vr_replica *r)
{
	u64 lease_ns = r->link.node_lease_ns;

	return vr_max(lease_ns / LEASE_PINGS, r->cfg.heartbeat_ns);
}

static void ask_at_once(struct vr_replica *r)
{
	r->link.unanswered = LOST_PINGS;
	r->link.delay_ns = r->cfg.heartbeat_ns;
	vr_timer_set(r, VR_TIMER_PING, 0);
}

static void lose_primary(struct vr_replica *r)
{
	if (r->status != VR_STATUS_NORMAL)
		return;
	r->status = VR_STATUS_VIEW_CHANGE;
	r->fx->status_changed = true;
}

/*
 * While the primary answers it alone is asked, and seldom; otherwise all are, at
 * longer and longer intervals, but so that a view change is soon noticed.
 */
static void on_ping_timer(struct vr_replica *r)
{
	bool lost = r->link.unanswered >= LOST_PINGS || r->status != VR_STATUS_NORMAL;
	struct vr_message *m = vr_send(r, VR_CLIENT_PING,
				       lost ? all_voters(r) : 1u << primary(r));

	if (m) {
		m->life = r->cfg.nonce;
		m->heartbeat_ns = vr_stamp(r);
	}
	if (r->link.unanswered >= 2 * LOST_PINGS)
		lose_primary(r);
	r->link.unanswered++;
	vr_timer_set(r, VR_TIMER_PING, vr_prng_jitter(&r->prng, r->link.delay_ns));
	r->link.delay_ns = vr_min(2 * r->link.delay_ns, r->cfg.view_timeout_ns);
}

/* Requests wait for the primary of this view: they go to it once it answers. */
static void follow(struct vr_replica *r, u64 view)
{
	lose_primary(r);
	r->view = view;
	r->link.linearizable.asked = false;
	vr_pending_renew(r);
	ask_at_once(r);
}

static void note_answer(struct vr_replica *r)
{
	r->quorum_ns = r->now_ns;
	r->peers[primary(r)].pong_ns = r->now_ns;
	r->link.unanswered = 0;
	r->link.delay_ns = r->cfg.heartbeat_ns;
	vr_timer_set(r, VR_TIMER_PING, vr_prng_jitter(&r->prng, ping_period(r)));
	if (r->status == VR_STATUS_NORMAL)
		return;
	r->status = VR_STATUS_NORMAL;
	r->last_normal_view = r->view;
	r->view_changes++;
	r->fx->status_changed = true;
	vr_pending_renew(r);
	r->link.linearizable.asked = false;
}

/*
 * A view that nobody is normal in may be forgotten by those who were about to begin
 * it, when they lose their memory; one that began never is.
 */
static u64 begun(const struct vr_message *m)
{
	return m->status == VR_STATUS_NORMAL ? m->view : 0;
}

/*
 * A later generation is the same group, which has lost what was before; another
 * group of the same generation may repeat its numbers, and is not ours once we
 * have been told anything by this one. Until then it is as good as the first.
 */
static bool is_ours(struct vr_replica *r, const struct vr_message *m)
{
	if (r->instance == m->instance && r->generation == m->generation)
		return true;
	if (r->instance && (!m->flag || (r->link.bound && m->generation <= r->generation)))
		return false;
	r->generation = m->generation;
	r->instance = m->instance;
	r->view = begun(m);
	r->commit = vr_number_base(m->generation);
	r->link.heard_last = 0;
	r->link.bound = false;
	vr_ring_reset(&r->sm.messages, vr_number_base(m->generation) + 1);
	r->status = VR_STATUS_VIEW_CHANGE;
	r->fx->status_changed = true;
	ask_at_once(r);
	return true;
}

static void note_messages(struct vr_replica *r, u64 sequence_last)
{
	u64 patience_ns;

	r->link.heard_last = vr_max(r->link.heard_last, sequence_last);
	if (!r->link.subscribed || r->link.heard_last <= r->sm.messages.last) {
		r->link.behind_ns = 0;
		return;
	}
	if (r->link.behind_ns)
		return;
	/* It is on its way, or who was to send it has fallen behind. */
	r->link.behind_ns = r->now_ns;
	patience_ns = NOT_ANSWERED * vr_resend_delay(r);
	if (!r->link.asked && r->timers.at_ns[VR_TIMER_REPAIR] > r->now_ns + patience_ns)
		vr_timer_set(r, VR_TIMER_REPAIR, patience_ns);
}

/* R34: whether a primary would serve us, or voters that know less keep it from that. */
static void note_older(struct vr_replica *r, const struct vr_message *m)
{
	u8 before = vr_client_older(r);

	r->link.older[m->from] = m->older;
	if (m->flag)
		memset(r->link.older, 0, sizeof(r->link.older));
	if (vr_client_older(r) == before)
		return;
	r->fx->status_changed = true;
	/* They are told now: it may take until a module has been exchanged. */
	if (vr_replica_refusal(r))
		vr_pending_fail(r);
}

u8 vr_client_older(const struct vr_replica *r)
{
	u8 mask = 0;
	u32 i;

	/* Whom a primary serves is served. */
	if (r->status == VR_STATUS_NORMAL)
		return 0;
	for (i = 0; i < r->cfg.replica_count; i++)
		mask |= r->link.older[i];
	return mask;
}

static void on_pong(struct vr_replica *r, const struct vr_message *m)
{
	u64 trip_ns;

	if (m->heartbeat_ns > r->stamp_ns) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (r->peers[m->from].status != m->status)
		r->fx->status_changed = true;
	r->peers[m->from].status = m->status;
	if (!m->instance || (m->status != VR_STATUS_NORMAL && m->status != VR_STATUS_VIEW_CHANGE))
		return;
	/* Of a group that is to be ours, too: it cannot show that before it serves us. */
	if (m->generation >= r->generation)
		note_older(r, m);
	if (!is_ours(r, m)) {
		vr_drop(r, VR_DROP_GENERATION);
		return;
	}
	note_messages(r, m->sequence_last);
	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		return;
	}
	if (begun(m) > r->view)
		follow(r, m->view);
	if (!m->flag || m->from != primary(r))
		return;
	r->link.node_lease_ns = m->age_ns;
	r->link.lease_ns = vr_max(r->link.lease_ns, m->heartbeat_ns);
	if (m->heartbeat_ns) {
		trip_ns = vr_min(vr_since(r, m->heartbeat_ns), r->cfg.view_timeout_ns);
		r->round_trip_ns = r->round_trip_ns ? (7 * r->round_trip_ns + trip_ns) / 8 :
						      trip_ns;
		r->peers[m->from].round_trip_ns = r->round_trip_ns;
	}
	note_answer(r);
}

/* ---- requests and reads --------------------------------------------------------- */

static struct vr_question *question_of(struct vr_replica *r, u8 read)
{
	return read == VR_READ_LOCAL ? &r->link.stale : &r->link.linearizable;
}

static bool is_alike(const struct vr_pending *a, const struct vr_pending *b)
{
	return a->read == b->read && a->entry.body_bytes == b->entry.body_bytes &&
	       (!a->entry.body_bytes ||
		!memcmp(a->entry.body, b->entry.body, a->entry.body_bytes));
}

static void send_read(struct vr_replica *r, const struct vr_pending *p)
{
	u8 to = p->read == VR_READ_LOCAL ? r->link.local : primary(r);
	struct vr_message *m = vr_send(r, VR_CLIENT_READ, 1u << to);

	if (!m)
		return;
	m->life = r->cfg.nonce;
	m->read_id = p->read_id;
	m->status = p->read == VR_READ_BARRIER ? VR_READ_INDEX : p->read;
	m->entries[0] = &p->entry;
	m->entry_count = 1;
}

/* A barrier that has been answered waits for messages, not for the primary. */
static bool is_asked(const struct vr_pending *p)
{
	return p->read && !p->read_index;
}

/* One question of a kind at a time, for all reads of one counter that came before. */
static void ask(struct vr_replica *r, struct vr_pending *first)
{
	struct vr_question *q = question_of(r, first->read);
	u32 handle;

	r->link.id = r->link.id ? r->link.id + 1 : r->cfg.nonce | 1;
	q->id = r->link.id;
	q->asked_ns = r->now_ns;
	q->asked = true;
	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = r->pendings.table[handle].next) {
		struct vr_pending *p = &r->pendings.table[handle];

		if (is_asked(p) && is_alike(p, first))
			p->read_id = q->id;
	}
	send_read(r, first);
}

/* All who had asked it may have been taken back: nobody would ask it again. */
static void forget_unawaited(struct vr_replica *r, struct vr_question *q)
{
	u32 handle = r->pendings.first;

	while (handle != VR_NO_HANDLE && r->pendings.table[handle].read_id != q->id)
		handle = r->pendings.table[handle].next;
	if (handle == VR_NO_HANDLE)
		q->asked = false;
}

static void flush_reads(struct vr_replica *r)
{
	u32 handle;

	if (!r->pendings.read_count)
		return;
	forget_unawaited(r, &r->link.linearizable);
	forget_unawaited(r, &r->link.stale);
	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = r->pendings.table[handle].next) {
		struct vr_pending *p = &r->pendings.table[handle];

		if (!is_asked(p) || question_of(r, p->read)->asked)
			continue;
		if (p->read == VR_READ_LOCAL || r->status == VR_STATUS_NORMAL)
			ask(r, p);
	}
}

/* The question, or its answer, was lost; or who was asked cannot answer. */
static void ask_again(struct vr_replica *r)
{
	u32 handle;

	if (r->link.stale.asked)
		r->link.local = (r->link.local + 1) % r->cfg.replica_count;
	for (handle = r->pendings.first; handle != VR_NO_HANDLE;
	     handle = r->pendings.table[handle].next) {
		const struct vr_pending *p = &r->pendings.table[handle];
		struct vr_question *q = question_of(r, p->read);

		if (!is_asked(p) || !q->asked || p->read_id != q->id || q->again_ns == r->now_ns)
			continue;
		q->again_ns = r->now_ns;
		send_read(r, p);
	}
}

/* The newest message is on its way to us, or is asked for again by note_messages(). */
static void await(struct vr_replica *r, struct vr_pending *p, const struct vr_result *result,
		  u64 newest)
{
	p->read_index = newest + 1;
	p->entry.op = result->index;
	p->entry.view = result->view;
	note_messages(r, newest);
}

static bool is_value(const struct vr_message *m)
{
	return m->status == VR_KIND_GET && !m->session;
}

static bool is_stale_value(const struct vr_replica *r, const struct vr_message *m)
{
	return is_value(m) && m->request == r->link.stale.id;
}

static void on_value(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_question *q = is_stale_value(r, m) ? &r->link.stale : &r->link.linearizable;
	u32 handle = r->pendings.first, next;
	struct vr_result result = m->result;
	u64 newest = result.first;

	if (!q->asked || q->id != m->request) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	q->asked = false;
	/* True that long before it was said, on another clock, which was after we asked. */
	if (q == &r->link.stale) {
		result.first = vr_min(result.first, VR_NUMBER_MAX);
		result.first += result.first / 8 + vr_since(r, q->asked_ns);
	} else {
		result.first = 0;
	}
	for (; handle != VR_NO_HANDLE; handle = next) {
		struct vr_pending *p = &r->pendings.table[handle];

		next = p->next;
		if (!is_asked(p) || p->read_id != q->id)
			continue;
		if (p->read == VR_READ_BARRIER && !result.error)
			await(r, p, &result, newest);
		else if (!vr_pending_end(r, handle, result.error ? VR_OUTCOME_NOT_APPLIED :
					 VR_OUTCOME_APPLIED, &result))
			return;
	}
}

/* Barriers whose messages are here now. */
static void end_barriers(struct vr_replica *r)
{
	u32 handle, next;

	if (!r->pendings.read_count)
		return;
	for (handle = r->pendings.first; handle != VR_NO_HANDLE; handle = next) {
		const struct vr_pending *p = &r->pendings.table[handle];
		const struct vr_result result = { .index = p->entry.op, .view = p->entry.view };

		next = p->next;
		if (!p->read_index || p->read_index > r->sm.messages.last + 1)
			continue;
		r->commit = vr_max(r->commit, result.index);
		if (!vr_pending_end(r, handle, VR_OUTCOME_APPLIED, &result))
			return;
	}
}

static void on_reply(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_entry e = {
		.kind = m->status,
		.session = m->session,
		.request = m->request,
		.argument = m->life,
	};

	/* Who answers anything else leads; LOCAL is answered in no view, too. */
	if (!is_stale_value(r, m) && m->view > r->view)
		follow(r, m->view);
	if (m->view == r->view && m->from == primary(r))
		note_answer(r);
	if (is_value(m))
		on_value(r, m);
	else
		vr_pending_applied(r, &e, &m->result);
}

/* ---- messages -------------------------------------------------------------------- */

/* Any voter has them; the primary has enough to do. */
static u8 next_source(const struct vr_replica *r, u8 source)
{
	source = (source + 1) % r->cfg.replica_count;
	if (source == primary(r) && r->cfg.replica_count > 1)
		source = (source + 1) % r->cfg.replica_count;
	return source;
}

/* @owed: an answer is owed even if there is nothing new, so that silence says something. */
static void subscribe(struct vr_replica *r, bool owed)
{
	struct vr_message *m = vr_send(r, VR_SUBSCRIBE, 1u << r->link.source);

	if (m) {
		m->life = r->cfg.nonce;
		m->op = r->sm.messages.last + 1;
		m->flag = owed;
	}
	r->link.asked = owed;
	vr_timer_set(r, VR_TIMER_REPAIR, owed ? vr_resend_delay(r) :
		     vr_prng_jitter(&r->prng, ping_period(r)));
}

static void on_subscribe_timer(struct vr_replica *r)
{
	if (r->status == VR_STATUS_BLANK) {
		vr_timer_set(r, VR_TIMER_REPAIR, vr_resend_delay(r));
		return;
	}
	/* Silent, or not what we know there is. */
	if (r->link.asked ||
	    (r->link.behind_ns && vr_since(r, r->link.behind_ns) >= r->cfg.heartbeat_ns)) {
		r->link.source = next_source(r, r->link.source);
		if (r->link.behind_ns)
			r->link.behind_ns = r->now_ns;
	}
	subscribe(r, true);
}

static void on_subscribe_event(struct vr_replica *r)
{
	if (r->link.subscribed || !r->cfg.replica_count)
		return;
	r->link.subscribed = true;
	r->link.source = next_source(r, r->cfg.client % r->cfg.replica_count);
	vr_timer_set(r, VR_TIMER_REPAIR, 0);
}

static void keep(struct vr_replica *r, const struct vr_entry *e)
{
	struct vr_ring *messages = &r->sm.messages;

	while (!vr_ring_fits(messages, e->body_bytes))
		vr_ring_drop_first(messages);
	vr_ring_append(messages, e);
	r->fx->readable = true;
}

/*
 * R33: in order and without a hole, but for what no voter keeps any more: readers
 * are told of that as of anything they were too slow for.
 */
static void on_records(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_ring *messages = &r->sm.messages;
	const u64 before = messages->last;
	u64 i;

	if (!r->link.subscribed) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (m->op > messages->last && m->op + 1 == m->sequence_first) {
		vr_ring_reset(messages, m->sequence_first);
		r->fx->readable = true;
	}
	if (m->op > messages->last) {
		vr_drop(r, VR_DROP_GAP);
		return;
	}
	for (i = messages->last - m->op; i < m->entry_count; i++)
		keep(r, m->entries[i]);
	note_messages(r, m->sequence_last);
	/* All that was applied there is here. */
	if (messages->last >= m->sequence_last)
		r->commit = vr_max(r->commit, m->commit);
	if (m->from != r->link.source || m->flag)
		return;
	/*
	 * Only what is new asks for more: if each copy did, a network that duplicates would
	 * make more of them in each round (TFTP's Sorcerer's Apprentice, RFC 1123 4.2.3.1).
	 */
	if (m->entry_count && messages->last == before)
		return;
	r->link.asked = false;
	if (m->entry_count)
		subscribe(r, messages->last < m->sequence_last);
	else
		vr_timer_set(r, VR_TIMER_REPAIR,
			     vr_prng_jitter(&r->prng, ping_period(r)));
}

/* ---- steps ------------------------------------------------------------------------- */

static enum vr_drop ignore(const struct vr_replica *r, const struct vr_message *m)
{
	enum vr_drop drop = vr_message_invalid(m, r->cfg.replica_count);
	u32 i;

	if (drop)
		return drop;
	if (!vr_type_to_client(m->type) || m->to != r->cfg.client)
		return VR_DROP_SLOT;
	/* To an earlier life of ours: its sessions are not ours (R30). */
	if (m->life != r->cfg.nonce)
		return VR_DROP_INCARNATION;
	if (m->type != VR_CLIENT_PONG &&
	    (m->generation != r->generation || m->instance != r->instance))
		return VR_DROP_GENERATION;
	/* The voters' limit is greater than ours: it would not fit. */
	for (i = 0; i < m->entry_count; i++) {
		if (m->entries[i]->body_bytes > r->cfg.body_bytes_max)
			return VR_DROP_BOUND;
	}
	return VR_DROP_NONE;
}

static void on_receive(struct vr_replica *r, const struct vr_message *m)
{
	enum vr_drop drop = ignore(r, m);

	if (drop) {
		vr_drop(r, drop);
		return;
	}
	r->received[m->type]++;
	r->peers[m->from].heard_ns = r->now_ns;
	r->peers[m->from].version = m->version;
	r->link.bound |= m->type != VR_CLIENT_PONG;
	switch (m->type) {
	case VR_CLIENT_PONG:
		on_pong(r, m);
		break;
	case VR_REPLY:
		on_reply(r, m);
		break;
	case VR_RECORDS:
		on_records(r, m);
		break;
	}
}

static void on_pending_timer(struct vr_replica *r)
{
	/* Before those that are overdue are given to it again. */
	if (r->status == VR_STATUS_NORMAL && !r->link.unanswered && vr_pending_overdue(r) &&
	    vr_since(r, r->quorum_ns) >= 2 * r->cfg.heartbeat_ns)
		ask_at_once(r);
	ask_again(r);
	vr_on_pending_timer(r);
}

static void on_timeout(struct vr_replica *r)
{
	u32 i;

	for (i = 0; i < VR_TIMER_COUNT; i++) {
		if (r->timers.at_ns[i] > r->now_ns)
			continue;
		vr_timer_stop(r, i);
		if (i == VR_TIMER_PING)
			on_ping_timer(r);
		else if (i == VR_TIMER_PENDING)
			on_pending_timer(r);
		else if (i == VR_TIMER_REPAIR)
			on_subscribe_timer(r);
	}
}

void vr_client_step(struct vr_replica *r, const struct vr_event *ev)
{
	switch (ev->type) {
	case VR_EVENT_START:
		r->link.source = VR_NOBODY;
		if (!r->cfg.replica_count)
			break;
		r->link.local = r->cfg.client % r->cfg.replica_count;
		r->link.delay_ns = r->cfg.heartbeat_ns;
		vr_timer_set(r, VR_TIMER_PING, 0);
		break;
	case VR_EVENT_RECEIVE:
		on_receive(r, ev->message);
		break;
	case VR_EVENT_SUBMIT:
		/* Nobody has a barrier who does not read. */
		if (ev->submit.kind == VR_KIND_GET && ev->submit.read == VR_READ_BARRIER)
			on_subscribe_event(r);
		vr_on_submit(r, &ev->submit);
		break;
	case VR_EVENT_TIMEOUT:
		on_timeout(r);
		break;
	case VR_EVENT_SUBSCRIBE:
		on_subscribe_event(r);
		break;
	case VR_EVENT_FORM:
	case VR_EVENT_REFORM:
		/* A client has no part in it. */
		r->fx->form_done = true;
		r->fx->form_error = VR_FORM_NOT_BLANK_HERE;
		r->fx->form_slot = 0;
		break;
	case VR_EVENT_LEAVE:
		r->fx->left = true;
		break;
	default:
		/* A memory it could be robbed of it does not have. */
		break;
	}
	if (r->status == VR_STATUS_NORMAL)
		vr_pending_flush(r);
	if (r->status != VR_STATUS_BLANK)
		flush_reads(r);
	end_barriers(r);
}

void vr_client_describe(const struct vr_replica *r, struct vr_info *info)
{
	u64 lease_ns = r->link.node_lease_ns - r->link.node_lease_ns / 8;

	info->primary = r->status == VR_STATUS_NORMAL ? primary(r) : VR_NOBODY;
	info->op = r->commit;
	info->sequence_last = vr_max(info->sequence_last, r->link.heard_last);
	info->node_lease_ns = r->link.node_lease_ns;
	if (r->link.lease_ns)
		info->node_lease_until_ns = r->link.lease_ns + lease_ns;
	info->source = r->link.subscribed ? r->link.source : VR_NOBODY;
}

const char *vr_client_check(const struct vr_replica *r)
{
	if (r->status != VR_STATUS_BLANK && r->status != VR_STATUS_NORMAL &&
	    r->status != VR_STATUS_VIEW_CHANGE)
		return "I14: a client looks for its primary, or has it";
	if (r->status == VR_STATUS_BLANK ? r->instance : !r->instance)
		return "I14: a client that is not blank knows its group";
	if (r->log.ring.last >= r->log.ring.first)
		return "I14: a client has no log";
	return NULL;
}
