// SPDX-License-Identifier: GPL-2.0
/*
 * Normal operation (VR Revisited, section 4.1): the primary orders requests and
 * has a quorum hold them, backups follow. Rules R1-R4, R20, R21, R24.
 */
#include "vr_replica_private.h"

static void forget_backlog(struct vr_replica *r)
{
	struct vr_sessions *t = &r->sm.sessions;
	u64 op;
	u32 i;

	for (i = 0; i < t->max; i++)
		t->rows[i].accepted = t->rows[i].request;
	for (op = r->commit + 1; op <= r->log.ring.last; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);
		struct vr_session *s = vr_session_find(t, e->session);

		if (s)
			s->accepted = vr_max(s->accepted, e->request);
	}
}

/* Normal in r->view with the complete log of that view (R8, R9). */
void vr_enter_normal(struct vr_replica *r)
{
	u32 i;

	vr_cold_forget(r);
	r->status = VR_STATUS_NORMAL;
	r->last_normal_view = r->view;
	r->normal_since_ns = r->now_ns;
	r->progress_ns = r->now_ns;
	r->quorum_ns = r->now_ns;
	r->view_changes++;
	r->abdicated = false;
	r->heartbeat_ns = 0;
	r->primary_durable = 0;
	r->primary_lost = false;
	r->lease_ns = 0;
	r->batch_count = 0;
	r->came_eighths = 0;
	r->op_prepared = r->log.ring.last;
	r->durable_said = 0;
	r->install.active = false;
	r->repair_op = 0;
	r->repair_asked = false;
	r->checkpoint.fetching = false;
	vr_read_reset(r);
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		r->votes[i].valid = false;
		r->peers[i].acked = 0;
		r->peers[i].echo_ns = 0;
		r->peers[i].exit_view_ns = 0;
	}
	for (i = 0; i < VR_TIMER_COUNT; i++) {
		if (!vr_timer_outlives_view(i))
			vr_timer_stop(r, i);
	}
	if (vr_is_primary(r)) {
		forget_backlog(r);
		vr_timer_set(r, VR_TIMER_HEARTBEAT, r->cfg.heartbeat_ns);
		vr_timer_set(r, VR_TIMER_ABDICATE, vr_view_timeout(r));
		vr_timer_set(r, VR_TIMER_RESEND, r->cfg.heartbeat_ns);
		if (r->cfg.clients_max)
			vr_timer_set(r, VR_TIMER_NODES, r->cfg.node_lease_ns / 2);
	} else {
		vr_timer_set(r, VR_TIMER_SILENCE,
			     vr_prng_jitter(&r->prng, vr_view_timeout(r)));
		if (r->leaving)
			r->fx->left = true;
		r->leaving = false;
	}
	/* D18: of a later view nothing is durable before the disk knows the view. */
	if (r->cfg.journal) {
		r->op_durable = vr_min(r->op_durable, r->commit);
		r->log_epoch++;
		vr_persist(r);
	} else if (r->op_durable < r->log.ring.last) {
		vr_persist(r);
	}
	vr_pending_renew(r);
	r->fx->status_changed = true;
}

/* ---- primary ---------------------------------------------------------- */

bool vr_is_serving(const struct vr_replica *r)
{
	return r->status == VR_STATUS_NORMAL && vr_is_primary(r) && !r->abdicated;
}

static bool begins_already(const struct vr_replica *r, const struct vr_entry *entry)
{
	u64 op;

	for (op = r->commit + 1; op <= r->log.ring.last; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		if (e->kind == VR_KIND_SESSION_BEGIN && e->origin == entry->origin &&
		    e->argument == entry->argument && e->request == entry->request)
			return true;
	}
	return false;
}

/*
 * R1: give a request the next op, unless the log has it. Whether it is applied
 * is decided when it is committed (vr_sm_apply()); this only spares the log, and
 * keeps the order of a session: @previous must be in the log first. Returns why
 * it must come again.
 */
enum vr_drop vr_accept(struct vr_replica *r, const struct vr_entry *request, u64 previous)
{
	struct vr_session *s = NULL;
	struct vr_entry entry = *request;

	if (entry.kind == VR_KIND_SESSION_BEGIN) {
		if (begins_already(r, &entry))
			return VR_DROP_NONE;
	} else {
		s = vr_session_find(&r->sm.sessions, entry.session);
		if (s && entry.request <= s->accepted && entry.kind != VR_KIND_SESSION_END &&
		    entry.kind != VR_KIND_RESULT)
			return VR_DROP_NONE;
		/* Its beginning may be known to its backup alone as yet (R5). */
		if (previous > (s ? s->accepted : 0))
			return VR_DROP_ORDER;
	}
	if (r->log.ring.last - r->commit >= VR_PIPELINE_MAX)
		return VR_DROP_PIPELINE_FULL;

	if (r->log.ring.last == r->commit)
		r->progress_ns = r->now_ns;
	entry.view = r->view;
	if (!vr_log_take(r, &entry))
		return VR_DROP_STATUS;
	if (s)
		s->accepted = vr_max(s->accepted, entry.request);
	vr_persist(r);
	return VR_DROP_NONE;
}

void vr_on_request(struct vr_replica *r, const struct vr_message *m)
{
	enum vr_drop drop;

	if (!vr_is_serving(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		return;
	}
	drop = vr_accept(r, m->entries[0], m->after);
	if (drop)
		vr_drop(r, drop);
}

/* The entry op_first, and as many more as one frame takes. */
void vr_fill_batch(struct vr_replica *r, struct vr_message *m, u64 op_first, u64 op_last)
{
	u32 bytes = VR_WIRE_BATCH_BYTES;
	u64 op;

	m->op = op_first - 1;
	vr_log_hash(&r->log, m->op, &m->hash);
	for (op = op_first; op <= op_last && m->entry_count < VR_BATCH_MAX; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		bytes += VR_WIRE_ENTRY_BYTES + e->body_bytes;
		if (m->entry_count && bytes > VR_FRAME_BYTES)
			break;
		m->entries[m->entry_count++] = e;
	}
}

static void send_commit(struct vr_replica *r, u8 to_mask, u64 heartbeat_ns)
{
	struct vr_message *m = vr_send(r, VR_COMMIT, to_mask);

	if (m)
		m->heartbeat_ns = heartbeat_ns;
}

static u64 send_prepare(struct vr_replica *r, u8 to_mask, u64 op_first)
{
	struct vr_message *m = vr_send(r, VR_PREPARE, to_mask);
	u64 end, stamp_ns;

	if (!m)
		return op_first - 1;
	vr_fill_batch(r, m, op_first, r->log.ring.last);
	stamp_ns = vr_stamp(r);
	m->heartbeat_ns = stamp_ns;
	m->durable = r->op_durable;
	end = m->op + m->entry_count;
	/* Whom it cannot be said to is to hear at least that we are here (R34). */
	send_commit(r, vr_hold_back(r, m), stamp_ns);
	vr_read_stamped(r);
	return end;
}

/* How many entries came while a PREPARE was in flight: the most of late, fading by an eighth. */
static void note_answered(struct vr_replica *r)
{
	while (r->batch_count && r->batch_ends[0] <= r->commit) {
		u32 came = 8 * vr_min(r->log.ring.last - r->batch_ends[0], VR_BATCH_MAX);

		if (came < r->came_eighths)
			came = r->came_eighths - (r->came_eighths - came + 7) / 8;
		r->came_eighths = came;
		r->batch_count--;
		memmove(r->batch_ends, r->batch_ends + 1,
			r->batch_count * sizeof(r->batch_ends[0]));
	}
}

/* Does a PREPARE leave now? At once where none is in flight. */
static bool is_batch(const struct vr_replica *r)
{
	u64 waiting = r->log.ring.last - r->op_prepared;

	if (!waiting || !r->batch_count)
		return waiting > 0;
	return 8 * waiting >= r->came_eighths && r->batch_count < VR_PREPARES_MAX;
}

/*
 * Batches form by themselves: while PREPAREs are in flight the next one leaves when as
 * many entries wait as came in such a time before, and no later than all are answered.
 * Nobody waits who is alone. Of a few who ask again and again those that were answered
 * together ask together, and are not held up either; where the processor is what all
 * wait for, a PREPARE for each would keep it so.
 */
static bool flush_prepares(struct vr_replica *r)
{
	bool sent = false;

	note_answered(r);
	while (is_batch(r)) {
		u64 end = send_prepare(r, vr_others(r), r->op_prepared + 1);

		if (end == r->op_prepared)
			break;
		r->op_prepared = end;
		r->durable_said = r->op_durable;
		r->batch_ends[r->batch_count++] = end;
		sent = true;
	}
	return sent;
}

/*
 * Who waits for this commit must not wait for the next heartbeat; but who acknowledged
 * what a PREPARE said is durable here has applied it by then (R5).
 */
static void tell_who_waits(struct vr_replica *r)
{
	u8 to_mask = r->commit_mask & vr_others(r);
	u32 i;

	for (i = 0; to_mask && r->quorum == 2 && i < r->cfg.replica_count; i++) {
		if (vr_min(r->peers[i].acked, r->durable_said) >= r->commit)
			to_mask &= ~(1u << i);
	}
	send_commit(r, to_mask, 0);
}

void vr_send_heartbeat(struct vr_replica *r)
{
	send_commit(r, vr_others(r), vr_stamp(r));
	vr_read_stamped(r);
}

/* At the end of each step in normal status: let out what has gathered. */
void vr_flush(struct vr_replica *r)
{
	vr_pending_flush(r);
	vr_settle_durable(r);
	/* A group of one has committed by now, and goes on at once. */
	if (r->pendings.unsent != VR_NO_HANDLE && r->cfg.replica_count == 1 &&
	    r->commit == r->log.ring.last)
		vr_timer_set(r, VR_TIMER_PENDING, 0);
	vr_read_flush(r);
	if (r->status != VR_STATUS_NORMAL || !vr_is_serving(r))
		return;
	if (flush_prepares(r)) {
		/* A PREPARE is a heartbeat and carries the commit number. */
		vr_timer_set(r, VR_TIMER_HEARTBEAT, r->cfg.heartbeat_ns);
		if (!vr_timer_runs(r, VR_TIMER_RESEND))
			vr_timer_set(r, VR_TIMER_RESEND, r->cfg.heartbeat_ns);
	} else {
		tell_who_waits(r);
	}
}

/* R4: what a quorum holds in this view, ourselves included, is committed. */
static void try_commit(struct vr_replica *r)
{
	u64 held[VR_REPLICAS_MAX], before = r->commit;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++)
		held[i] = r->peers[i].acked;
	held[r->cfg.self] = r->op_durable;
	vr_commit_through(r, vr_quorum_max(held, r->cfg.replica_count, r->quorum));
	if (r->commit > before)
		r->progress_ns = r->now_ns;
}

/* R21: a quorum is there if one time of ours came back from that many. */
static void note_echoes(struct vr_replica *r)
{
	u64 echo[VR_REPLICAS_MAX];
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++)
		echo[i] = r->peers[i].echo_ns;
	echo[r->cfg.self] = r->stamp_ns;
	r->lease_ns = vr_quorum_max(echo, r->cfg.replica_count, r->quorum);
	r->quorum_ns = vr_max(r->quorum_ns, r->lease_ns);
}

void vr_on_prepare_ok(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];
	u64 hash;

	if (m->view != r->view) {
		vr_drop(r, m->view < r->view ? VR_DROP_STALE_VIEW : VR_DROP_NEWER_VIEW);
		if (m->view < r->view)
			vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (r->status != VR_STATUS_NORMAL || !vr_is_primary(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		return;
	}
	if (m->heartbeat_ns <= r->stamp_ns && m->heartbeat_ns > peer->echo_ns) {
		peer->echo_ns = m->heartbeat_ns;
		note_echoes(r);
		vr_read_echoed(r);
	}

	if (m->op > r->log.ring.last ||
	    (vr_log_hash(&r->log, m->op, &hash) && hash != m->hash)) {
		vr_drop(r, VR_DROP_CHAIN);
		return;
	}
	if (m->op <= peer->acked)
		return;
	peer->acked = m->op;
	if (m->op == r->log.ring.last)
		peer->too_old = false;
	try_commit(r);
}

void vr_on_heartbeat_timer(struct vr_replica *r)
{
	if (!vr_is_serving(r))
		return;
	vr_send_heartbeat(r);
	vr_timer_set(r, VR_TIMER_HEARTBEAT, r->cfg.heartbeat_ns);
}

/*
 * R21: a primary no quorum answers falls silent, so that others may lead. So does
 * one whose heartbeats come back and whose entries do not (D25).
 */
void vr_on_abdicate_timer(struct vr_replica *r)
{
	u64 silent_ns = vr_since(r, r->quorum_ns), timeout_ns = vr_view_timeout(r);

	if (r->op_durable > r->commit)
		silent_ns = vr_max(silent_ns, vr_since(r, r->progress_ns));
	if (r->status != VR_STATUS_NORMAL || r->cfg.replica_count == 1)
		return;
	if (silent_ns < timeout_ns) {
		vr_timer_set(r, VR_TIMER_ABDICATE, timeout_ns - silent_ns);
		return;
	}
	r->abdicated = true;
	vr_want_exit(r);
}

/* R20: resend what is not committed to those who have not acknowledged it. */
void vr_on_prepare_timer(struct vr_replica *r)
{
	u8 to_mask = 0;
	u32 i;

	if (!vr_is_serving(r) || r->commit == r->log.ring.last)
		return;
	for (i = 0; i < r->cfg.replica_count; i++) {
		if (i != r->cfg.self && r->peers[i].acked < r->log.ring.last)
			to_mask |= 1u << i;
	}
	send_prepare(r, to_mask, r->commit + 1);
	vr_timer_set(r, VR_TIMER_RESEND, vr_resend_delay(r));
}

/* ---- backup ----------------------------------------------------------- */

static void send_prepare_ok(struct vr_replica *r)
{
	struct vr_message *m = vr_send(r, VR_PREPARE_OK, 1u << vr_primary(r, r->view));

	if (!m)
		return;
	m->op = r->op_durable;
	vr_log_hash(&r->log, m->op, &m->hash);
	m->heartbeat_ns = r->heartbeat_ns;
}

/* Ask the primary of a newer view for its START_VIEW, now and then. */
void vr_newer_view(struct vr_replica *r, u64 view)
{
	u8 primary = vr_primary(r, view);
	struct vr_message *m;

	if (primary == r->cfg.self || r->now_ns < r->probe_ns)
		return;
	r->probe_ns = r->now_ns + r->cfg.heartbeat_ns / 2;
	m = vr_send(r, VR_GET_STATE, 1u << primary);
	if (!m)
		return;
	m->view = view;
	m->log_view = view;
	m->op = 0;
}

/* Common to PREPARE and COMMIT: what it says if it is from the primary we follow. */
static bool follows(struct vr_replica *r, const struct vr_message *m)
{
	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);	/* D27 */
		return false;
	}
	if (m->view > r->view || r->status != VR_STATUS_NORMAL) {
		vr_drop(r, m->view > r->view ? VR_DROP_NEWER_VIEW : VR_DROP_STATUS);
		if (!r->install.active || m->view > r->view)
			vr_newer_view(r, m->view);
		return false;
	}
	vr_commit_through(r, m->commit);
	if (m->heartbeat_ns > r->heartbeat_ns) {
		r->heartbeat_ns = m->heartbeat_ns;
		r->quorum_ns = r->now_ns;
		r->promise_ns = r->now_ns + r->cfg.lease_ns;
		vr_withdraw_exit(r);
	}
	return true;
}

/*
 * R5: in a group of two or three what the primary and we hold durably, in this
 * view and in our present lives, a quorum holds.
 */
static void commit_early(struct vr_replica *r)
{
	if (r->quorum == 2)
		vr_commit_through(r, vr_min(r->primary_durable, r->op_durable));
}

/* R2: in order and in this view only. Returns whether anything was new. */
bool vr_take_entries(struct vr_replica *r, const struct vr_message *m)
{
	u64 before = r->log.ring.last, hash, i;

	if (m->op > before) {
		vr_drop(r, VR_DROP_GAP);
		vr_repair_through(r, m->op + m->entry_count);
		return false;
	}
	/* One view has one log; two would mean that one of us is broken. */
	if (vr_log_hash(&r->log, m->op, &hash) &&
	    vr_never(r, hash != m->hash, VR_HALT_TWO_LOGS))
		return false;
	for (i = before - m->op; i < m->entry_count; i++) {
		/* A backlog beyond the pipeline: the commit is lagging, ask. */
		if (r->log.ring.last - r->commit >= VR_PIPELINE_MAX) {
			vr_drop(r, VR_DROP_PIPELINE_FULL);
			break;
		}
		if (!vr_log_take(r, m->entries[i]))
			return false;
		vr_commit_through(r, m->commit);
	}
	if (r->log.ring.last == before) {
		vr_drop(r, VR_DROP_DUPLICATE);
		return false;
	}
	r->too_old = false;
	vr_persist(r);
	return true;
}

void vr_on_prepare(struct vr_replica *r, const struct vr_message *m)
{
	if (!follows(r, m))
		return;
	r->primary_durable = vr_max(r->primary_durable, m->durable);
	if (!vr_take_entries(r, m) && r->status == VR_STATUS_NORMAL)
		send_prepare_ok(r);
	if (r->status == VR_STATUS_NORMAL)
		commit_early(r);
}

void vr_on_commit(struct vr_replica *r, const struct vr_message *m)
{
	if (!follows(r, m))
		return;
	if (m->commit > r->log.ring.last)
		vr_repair_through(r, m->commit);
	if (m->heartbeat_ns)
		send_prepare_ok(r);
}

/* R3: only what is held in this view, gap-free and durable, is acknowledged. */
void vr_on_durable(struct vr_replica *r, u64 epoch, u64 op, u64 promise)
{
	u64 before = r->promises_durable;

	r->promises_durable = vr_max(before, vr_min(promise, r->promises));
	if (r->status == VR_STATUS_VIEW_CHANGE && before < r->view_promise)
		vr_vote_durable(r);
	if (epoch != r->log_epoch)
		return;
	r->op_durable = vr_max(r->op_durable, vr_min(op, r->log.ring.last));
	if (r->status != VR_STATUS_NORMAL)
		return;
	if (vr_is_primary(r)) {
		try_commit(r);
	} else {
		commit_early(r);
		send_prepare_ok(r);
	}
}

/* Where memory is all that was promised, what is held is durable. */
void vr_settle_durable(struct vr_replica *r)
{
	if (!r->fx->persist || !r->cfg.memory_is_durable)
		return;
	r->fx->persist = false;
	vr_on_durable(r, r->log_epoch, r->log.ring.last, 0);
}
