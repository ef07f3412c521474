// SPDX-License-Identifier: GPL-2.0
/*
 * The view change (VR Revisited, section 4.2) with a question before it: who
 * misses the primary says so, and only a quorum of such opinions moves anybody
 * (R6). Rules R6-R12. Also the making of another log ours, which the new
 * primary and its backups do alike.
 */
#include "vr_replica_private.h"

#define BACK_OFF_MAX 4	/* a failed view change waits at most 2^4 as long */

static bool opinion_lives(const struct vr_replica *r, u8 slot)
{
	u64 said_ns = r->peers[slot].exit_view_ns;

	return said_ns && r->now_ns - said_ns < 2 * r->cfg.view_timeout_ns;
}

static void check_opinions(struct vr_replica *r)
{
	u32 i, count = 0;

	for (i = 0; i < r->cfg.replica_count; i++)
		count += opinion_lives(r, i);
	if (count >= r->quorum)
		vr_enter_view_change(r, r->view + 1);
}

/* An opinion, not a promise: we go on acknowledging (R6). */
void vr_want_exit(struct vr_replica *r)
{
	r->peers[r->cfg.self].exit_view_ns = r->now_ns;
	vr_send(r, VR_EXIT_VIEW, vr_others(r));
	vr_timer_set(r, VR_TIMER_EXIT_VIEW,
		     vr_prng_jitter(&r->prng, 2 * r->cfg.heartbeat_ns));
	check_opinions(r);
}

/* The primary lives: take the opinion back. */
void vr_withdraw_exit(struct vr_replica *r)
{
	r->peers[r->cfg.self].exit_view_ns = 0;
	vr_timer_stop(r, VR_TIMER_EXIT_VIEW);
	vr_timer_set(r, VR_TIMER_SILENCE,
		     vr_prng_jitter(&r->prng, r->cfg.view_timeout_ns));
}

void vr_on_silence_timer(struct vr_replica *r)
{
	vr_want_exit(r);
}

void vr_on_exit_view_timer(struct vr_replica *r)
{
	vr_want_exit(r);
}

void vr_on_give_up_timer(struct vr_replica *r)
{
	vr_want_exit(r);
}

void vr_on_exit_view(struct vr_replica *r, const struct vr_message *m)
{
	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (m->view > r->view)
		vr_enter_view_change(r, m->view);	/* adopted, never + 1: D3 */
	r->peers[m->from].exit_view_ns = r->now_ns;
	check_opinions(r);
}

/* Hashes of the entries from @base to @op, both included; their number. */
static u32 copy_hashes(const struct vr_replica *r, u64 base, u64 op, u64 *hashes)
{
	u32 count = 0;

	while (base + count <= op && count < VR_HASHES_MAX) {
		vr_log_hash(&r->log, base + count, &hashes[count]);
		count++;
	}
	return count;
}

static void send_vote(struct vr_replica *r)
{
	const struct vr_vote *vote = &r->votes[r->cfg.self];
	struct vr_message *m = vr_send(r, VR_DO_VIEW_CHANGE, vr_others(r));

	if (!m)
		return;
	m->log_view = vote->log_view;
	m->op = vote->op;
	m->commit = vote->commit;
	m->hashes = vote->hashes;
	m->hash_count = vote->hash_count;
}

/* Leave whatever we were in for @view: promise, forget old votes, do not vote yet. */
static void begin_view_change(struct vr_replica *r, u64 view)
{
	struct vr_vote *vote = &r->votes[r->cfg.self];
	u64 lasted_ns = r->now_ns - r->normal_since_ns;
	u32 i;

	if (r->status == VR_STATUS_NORMAL && lasted_ns > 4 * r->cfg.view_timeout_ns)
		r->failed_views = 0;
	else if (r->failed_views < BACK_OFF_MAX)
		r->failed_views++;

	/*
	 * A vote of the old view that this step has said already points at the
	 * hashes that are about to be replaced (D19). A send may be lost.
	 */
	r->fx->send_count = 0;
	r->status = VR_STATUS_VIEW_CHANGE;
	r->view = view;
	r->install.active = false;
	r->repair_asked = false;
	r->abdicated = false;
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		r->votes[i].valid = false;
		r->peers[i].exit_view_ns = 0;
		r->peers[i].acked = 0;
	}
	for (i = 0; i < VR_TIMER_COUNT; i++) {
		if (i != VR_TIMER_PING && i != VR_TIMER_PENDING)
			vr_timer_stop(r, i);
	}

	/* R7, D19: one statement for this view, repeated byte for byte. */
	vote->valid = true;
	vote->log_view = r->last_normal_view;
	vote->op = r->log.ring.last;
	vote->commit = r->commit;
	vote->hash_count = copy_hashes(r, r->commit, r->log.ring.last, vote->hashes);
	vr_timer_set(r, VR_TIMER_RESEND, vr_prng_jitter(&r->prng, r->cfg.heartbeat_ns));
	vr_timer_set(r, VR_TIMER_GIVE_UP,
		     vr_prng_jitter(&r->prng, r->cfg.view_timeout_ns << r->failed_views));
	r->fx->status_changed = true;
}

static void try_start(struct vr_replica *r);

void vr_enter_view_change(struct vr_replica *r, u64 view)
{
	begin_view_change(r, view);
	send_vote(r);
	try_start(r);
}

void vr_on_vote_timer(struct vr_replica *r)
{
	send_vote(r);
	vr_timer_set(r, VR_TIMER_RESEND, vr_prng_jitter(&r->prng, r->cfg.heartbeat_ns));
}

void vr_on_do_view_change(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_vote *vote = &r->votes[m->from];

	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (m->view > r->view)
		vr_enter_view_change(r, m->view);
	if (r->status == VR_STATUS_NORMAL) {
		vr_drop(r, VR_DROP_STATUS);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (!vr_is_primary(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		return;
	}
	if (vote->valid) {
		vr_drop(r, VR_DROP_DUPLICATE);
		return;
	}
	vote->valid = true;
	vote->log_view = m->log_view;
	vote->op = m->op;
	vote->commit = m->commit;
	vote->hash_count = m->hash_count;
	memcpy(vote->hashes, m->hashes, m->hash_count * sizeof(m->hashes[0]));
	try_start(r);
}

/* ---- making another log ours ------------------------------------------ */

/* R9, R11: the log of the view is here in whole; switch to it in one step. */
static void install_finish(struct vr_replica *r)
{
	struct vr_install *in = &r->install;
	u64 op;

	vr_log_truncate(r, in->matched);
	for (op = r->stage.first; op <= r->stage.last; op++) {
		if (!vr_log_take(r, vr_ring_get(&r->stage, op)))
			return;
	}
	if (vr_never(r, r->log.ring.last != in->op, VR_HALT_LOG_GAP))
		return;
	vr_commit_through(r, in->commit);
	if (r->status == VR_STATUS_HALTED)
		return;
	vr_enter_normal(r);
	if (vr_is_primary(r))
		vr_send_start_view(r, vr_others(r));
}

static u64 install_next(const struct vr_replica *r)
{
	return r->stage.last + 1;
}

void vr_install_ask(struct vr_replica *r)
{
	struct vr_message *m = vr_send(r, VR_GET_STATE, 1u << r->install.source);

	if (m) {
		m->log_view = r->install.log_view;
		m->op = install_next(r);
	}
	vr_timer_set(r, VR_TIMER_REPAIR,
		     vr_prng_jitter(&r->prng, r->cfg.heartbeat_ns));
}

/* Newest entry of ours that the wanted log has too, or our commit. */
static u64 match(const struct vr_replica *r)
{
	const struct vr_install *in = &r->install;
	u64 op, hash;

	for (op = vr_min(in->op, r->log.ring.last); op + 1 > in->base; op--) {
		if (vr_log_hash(&r->log, op, &hash) && hash == in->hashes[op - in->base])
			return op;
		if (op <= r->commit)
			break;
	}
	return r->commit;
}

/*
 * Entries up to in->matched are ours already. Those up to in->commit are facts,
 * whatever view we vote in, and are adopted as they come; those above are kept
 * on the stage until all are here (R12).
 */
static void install_begin(struct vr_replica *r)
{
	struct vr_install *in = &r->install;
	u64 hash;

	/* Every log that can be chosen has all that is committed anywhere (R8). */
	if (vr_never(r, in->op < in->commit || in->op < r->commit,
		     VR_HALT_COMMITTED_CONFLICT))
		return;
	in->matched = match(r);
	if (in->matched >= in->base && vr_log_hash(&r->log, in->matched, &hash) &&
	    vr_never(r, hash != in->hashes[in->matched - in->base],
		     VR_HALT_COMMITTED_CONFLICT))
		return;
	in->active = true;
	vr_ring_reset(&r->stage, in->matched + 1);
	vr_commit_through(r, vr_min(in->matched, in->commit));
	if (in->matched == in->op)
		install_finish(r);
	else
		vr_install_ask(r);
}

/* A committed entry becomes ours even while we still vote with our old log. */
static bool adopt(struct vr_replica *r, const struct vr_entry *e, u64 hash)
{
	struct vr_install *in = &r->install;
	u64 ours;

	if (e->op > r->log.ring.last || !vr_log_hash(&r->log, e->op, &ours) || ours != hash) {
		/*
		 * What we hold from here on was never committed: every later
		 * log has this entry at this op instead.
		 */
		vr_log_truncate(r, in->matched);
		if (r->status == VR_STATUS_HALTED || !vr_log_take(r, e))
			return false;
	}
	in->matched = e->op;
	vr_ring_reset(&r->stage, e->op + 1);
	vr_commit_through(r, e->op);
	return r->status != VR_STATUS_HALTED;
}

static bool stage(struct vr_replica *r, const struct vr_entry *e, u64 hash)
{
	struct vr_entry copy = *e;

	copy.hash = hash;
	if (vr_never(r, !vr_ring_fits(&r->stage, e->body_bytes), VR_HALT_LOG_FULL))
		return false;
	vr_ring_append(&r->stage, &copy);
	return true;
}

static u64 install_last_hash(const struct vr_replica *r)
{
	const struct vr_entry *e = vr_ring_get(&r->stage, r->stage.last);
	u64 hash;

	if (e)
		return e->hash;
	vr_log_hash(&r->log, r->install.matched, &hash);
	return hash;
}

/* NEW_STATE that continues the log being installed. */
void vr_install_entries(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_install *in = &r->install;
	bool progress = false;
	u32 i;

	for (i = 0; i < m->entry_count; i++) {
		const struct vr_entry *e = m->entries[i];
		u64 hash;

		if (e->op != install_next(r) || e->op > in->op)
			continue;
		hash = vr_entry_hash(e, install_last_hash(r));
		if (e->op >= in->base && hash != in->hashes[e->op - in->base]) {
			vr_drop(r, VR_DROP_CHAIN);
			return;
		}
		if (!(e->op <= in->commit ? adopt(r, e, hash) : stage(r, e, hash)))
			return;
		progress = true;
	}
	if (install_next(r) > in->op)
		install_finish(r);
	else if (progress)
		vr_install_ask(r);
	else
		vr_drop(r, VR_DROP_DUPLICATE);
}

/* ---- the new primary -------------------------------------------------- */

static bool is_better(const struct vr_vote *a, const struct vr_vote *b)
{
	if (a->log_view != b->log_view)
		return a->log_view > b->log_view;
	return a->op > b->op;
}

static void install_vote(struct vr_replica *r, u8 slot, u64 commit)
{
	const struct vr_vote *vote = &r->votes[slot];
	struct vr_install *in = &r->install;

	in->source = slot;
	in->log_view = vote->log_view;
	in->op = vote->op;
	in->base = vote->commit;
	in->commit = commit;
	memcpy(in->hashes, vote->hashes, vote->hash_count * sizeof(in->hashes[0]));
	install_begin(r);
}

/* R8: of a quorum of votes the log of the latest view, and of those the longest. */
static void try_start(struct vr_replica *r)
{
	u32 i, count = 0, best = VR_NOBODY;
	u64 commit = r->commit;

	if (r->status != VR_STATUS_VIEW_CHANGE || !vr_is_primary(r) || r->install.active)
		return;
	/* Between equals our own log is best: it need not be fetched. */
	if (r->votes[r->cfg.self].valid)
		best = r->cfg.self;
	for (i = 0; i < r->cfg.replica_count; i++) {
		const struct vr_vote *vote = &r->votes[i];

		if (!vote->valid)
			continue;
		count++;
		commit = vr_max(commit, vote->commit);
		if (best == VR_NOBODY || is_better(vote, &r->votes[best]))
			best = i;
	}
	if (count >= r->quorum)
		install_vote(r, best, commit);
}

void vr_send_start_view(struct vr_replica *r, u8 to_mask)
{
	struct vr_install *in = &r->install;
	struct vr_message *m;

	if (r->status != VR_STATUS_NORMAL || !vr_is_primary(r))
		return;
	m = vr_send(r, VR_START_VIEW, to_mask);
	if (!m)
		return;
	/* Nothing is being installed by a normal primary: the room is free. */
	m->op = r->log.ring.last;
	m->hash_count = copy_hashes(r, r->commit, m->op, in->hashes);
	m->hashes = in->hashes;
}

/* ---- the others ------------------------------------------------------- */

void vr_on_start_view(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_install *in = &r->install;

	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		return;
	}
	/* D5: in a view we are normal in, the log only grows. */
	if (m->view == r->view && (r->status == VR_STATUS_NORMAL || in->active)) {
		vr_drop(r, VR_DROP_DUPLICATE);
		return;
	}
	if (m->view > r->view)
		begin_view_change(r, m->view);
	in->source = m->from;
	in->log_view = m->view;
	in->op = m->op;
	in->base = m->commit;
	in->commit = m->commit;
	memcpy(in->hashes, m->hashes, m->hash_count * sizeof(m->hashes[0]));
	install_begin(r);
}
