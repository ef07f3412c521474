// SPDX-License-Identifier: GPL-2.0
/*
 * The view change (VR Revisited, section 4.2) with a question before it: who
 * misses the primary says so, and only a quorum of such opinions moves anybody
 * (R6). Rules R6-R11, and the orderly way out of a view, R23. vr_install.c makes
 * the log ours that is decided on here.
 */
#include "vr_replica_private.h"

#define BACK_OFF_MAX 4	/* a failed view change waits at most 2^4 as long */

static bool opinion_lives(const struct vr_replica *r, u8 slot)
{
	u64 said_ns = r->peers[slot].exit_view_ns;

	return said_ns && vr_since(r, said_ns) < 2 * vr_view_timeout(r);
}

static bool enter_view_change(struct vr_replica *r, u64 view);

/* D18: may the vote for this view be said? Who forgot it could say another one. */
static bool view_is_durable(const struct vr_replica *r)
{
	return r->promises_durable >= r->view_promise;
}

static void check_opinions(struct vr_replica *r)
{
	u32 i, count = 0;

	for (i = 0; i < r->cfg.replica_count; i++)
		count += opinion_lives(r, i);
	if (count >= r->quorum)
		enter_view_change(r, r->view + 1);
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
		     vr_prng_jitter(&r->prng, vr_view_timeout(r)));
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
	/* A primary that leaves its view itself has no lease any more. */
	if (m->view > r->view && m->from == vr_primary(r, r->view))
		r->promise_ns = 0;
	/* Adopted, never + 1: D3. */
	if (m->view > r->view && !enter_view_change(r, m->view))
		return;
	r->peers[m->from].exit_view_ns = r->now_ns;
	check_opinions(r);
}

/* Hashes of the entries from @base to @op, both included; their number. */
u32 vr_copy_hashes(const struct vr_replica *r, u64 base, u64 op, u64 *hashes)
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
	struct vr_message *m;

	if (!view_is_durable(r))
		return;
	m = vr_send(r, VR_DO_VIEW_CHANGE, vr_others(r));
	if (!m)
		return;
	m->log_view = vote->log_view;
	m->op = vote->op;
	m->commit = vote->commit;
	m->hashes = vote->hashes;
	m->hash_count = vote->hash_count;
	memcpy(m->vector, vote->vector, sizeof(m->vector));
}

/* Leave whatever we were in for @view: promise, forget old votes, do not vote yet. */
void vr_begin_view_change(struct vr_replica *r, u64 view)
{
	struct vr_vote *vote = &r->votes[r->cfg.self];
	u64 lasted_ns = vr_since(r, r->normal_since_ns);
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
	r->view_promise = vr_promise(r);
	r->install.active = false;
	r->repair_asked = false;
	r->checkpoint.fetching = false;
	r->abdicated = false;
	r->primary_lost = false;
	vr_read_reset(r);
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		r->votes[i].valid = false;
		r->peers[i].exit_view_ns = 0;
		r->peers[i].acked = 0;
	}
	for (i = 0; i < VR_TIMER_COUNT; i++) {
		if (!vr_timer_outlives_view(i))
			vr_timer_stop(r, i);
	}

	/* R7, D19: one statement for this view, repeated byte for byte. */
	vote->valid = true;
	vote->log_view = r->last_normal_view;
	vote->op = r->log.ring.last;
	vote->commit = r->commit;
	vote->hash_count = vr_copy_hashes(r, r->commit, r->log.ring.last, vote->hashes);
	memcpy(vote->vector, r->vector, sizeof(vote->vector));
	vr_timer_set(r, VR_TIMER_RESEND, vr_resend_delay(r));
	vr_timer_set(r, VR_TIMER_GIVE_UP,
		     vr_prng_jitter(&r->prng, vr_min(vr_view_timeout(r) << r->failed_views,
						     r->cfg.view_timeout_ns << BACK_OFF_MAX)));
	r->fx->status_changed = true;
}

static void try_start(struct vr_replica *r);

/* False while the primary may answer reads alone because we promised to wait. */
static bool enter_view_change(struct vr_replica *r, u64 view)
{
	if (r->now_ns < r->promise_ns) {
		vr_drop(r, VR_DROP_PROMISE);
		return false;
	}
	vr_begin_view_change(r, view);
	send_vote(r);
	try_start(r);
	return true;
}

/* More of what we promised is on the disk: this view, too? */
void vr_vote_durable(struct vr_replica *r)
{
	if (!view_is_durable(r))
		return;
	/* Others may have voted meanwhile. */
	try_start(r);
	if (r->status == VR_STATUS_VIEW_CHANGE)
		send_vote(r);
}

void vr_on_vote_timer(struct vr_replica *r)
{
	send_vote(r);
	vr_timer_set(r, VR_TIMER_RESEND, vr_resend_delay(r));
}

void vr_on_do_view_change(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_vote *vote = &r->votes[m->from];

	/* R16: what it knows of others' lives may make other votes void. */
	vr_learn_vector(r, m->vector);
	if (!vr_has_memory(r))
		return;
	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (m->view > r->view) {
		/* A primary that leaves its view itself has no lease any more. */
		if (m->from == vr_primary(r, r->view))
			r->promise_ns = 0;
		if (!enter_view_change(r, m->view))
			return;
	}
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

/* ---- the new primary -------------------------------------------------- */

static bool is_better(const struct vr_vote *a, const struct vr_vote *b)
{
	if (a->log_view != b->log_view)
		return a->log_view > b->log_view;
	return a->op > b->op;
}

/* R8: of a quorum of votes the log of the latest view, and of those the longest. */
static void try_start(struct vr_replica *r)
{
	u32 i, count = 0, best = VR_NOBODY;
	u64 commit = r->commit;

	if (r->status != VR_STATUS_VIEW_CHANGE || !vr_is_primary(r) || r->install.active ||
	    !view_is_durable(r))
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
		vr_install_vote(r, best, commit);
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
	m->hash_count = vr_copy_hashes(r, r->commit, m->op, in->hashes);
	m->hashes = in->hashes;
	memcpy(m->vector, r->vector, sizeof(m->vector));
}

/* ---- the others ------------------------------------------------------- */

void vr_on_start_view(struct vr_replica *r, const struct vr_message *m)
{
	vr_learn_vector(r, m->vector);
	if (!vr_has_memory(r))
		return;
	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		return;
	}
	/* D5: in a view we are normal in, the log only grows. */
	if (m->view == r->view &&
	    (r->status == VR_STATUS_NORMAL || r->install.active)) {
		vr_drop(r, VR_DROP_DUPLICATE);
		return;
	}
	if (m->view > r->view)
		vr_begin_view_change(r, m->view);
	vr_install(r, m);
}

/* ---- leaving ---------------------------------------------------------- */

static bool is_better_placed(const struct vr_peer *a, const struct vr_peer *b)
{
	return a->acked != b->acked ? a->acked > b->acked : a->echo_ns > b->echo_ns;
}

/* Who holds most of our log and was heard last; nobody, if we are alone. */
static u8 best_placed(const struct vr_replica *r)
{
	u8 best = VR_NOBODY;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (i == r->cfg.self || !r->peers[i].echo_ns ||
		    vr_since(r, r->peers[i].echo_ns) > vr_view_timeout(r))
			continue;
		if (best == VR_NOBODY || is_better_placed(&r->peers[i], &r->peers[best]))
			best = i;
	}
	return best;
}

static u64 next_view_of(const struct vr_replica *r, u8 primary)
{
	u64 view = r->view + 1;

	while (vr_primary(r, view) != primary)
		view++;
	return view;
}

/*
 * R23: vote for the next view whose primary is the best placed backup. A vote
 * proves the view to whoever gets it, so that all follow at once; no time-out is
 * involved, and who lacks entries fetches them from us.
 */
void vr_on_leave_event(struct vr_replica *r)
{
	u8 best = best_placed(r);
	u64 view;

	if (r->status != VR_STATUS_NORMAL || !vr_is_primary(r) || best == VR_NOBODY) {
		r->fx->left = true;
		return;
	}
	view = next_view_of(r, best);
	vr_begin_view_change(r, view);
	r->leaving = true;
	send_vote(r);
}

/*
 * Nothing is acknowledged or voted any more that would have to be kept. A primary
 * says that it is in the view of the best placed backup: to have left a view is a
 * promise that who says nothing any more keeps; to vote is not.
 */
void vr_on_disk_failed_event(struct vr_replica *r)
{
	bool leads = r->status == VR_STATUS_NORMAL && vr_is_primary(r);
	u8 best = best_placed(r);

	vr_halt(r, VR_HALT_DISK);
	if (!leads || best == VR_NOBODY)
		return;
	r->view = next_view_of(r, best);
	vr_send(r, VR_EXIT_VIEW, vr_others(r));
}
