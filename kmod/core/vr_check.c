// SPDX-License-Identifier: GPL-2.0
/*
 * The invariants of one replica as code; Documentation/invariants.rst has them
 * as prose under the same numbers. Walks everything: for simulator, unit tests
 * and fuzzers. What several replicas owe each other the simulator checks.
 */
#include "vr_replica_private.h"

static const char *check_log(const struct vr_replica *r)
{
	const struct vr_ring *ring = &r->log.ring;
	u64 hash = r->log.base_hash, op;

	if (ring->first > ring->last + 1 || r->commit > ring->last)
		return "I1: commit is within the log";
	if (r->commit + 1 < ring->first)
		return "I1: only committed entries are dropped";
	if (ring->last - r->commit > VR_PIPELINE_MAX)
		return "I1: no more than a pipeline is uncommitted";
	for (op = ring->first; op <= ring->last; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		hash = vr_entry_hash(e, hash);
		if (e->op != op || e->hash != hash)
			return "I2: the log is gap-free and hash-chained";
		if (e->view > r->last_normal_view && op > r->commit)
			return "I2: an entry is of no later view than its log";
	}
	return NULL;
}

static const char *check_views(const struct vr_replica *r)
{
	if (r->last_normal_view > r->view)
		return "I3: the last normal view is no later than the view";
	if (r->status == VR_STATUS_NORMAL && r->last_normal_view != r->view)
		return "I3: normal means normal in this view";
	if (r->status == VR_STATUS_VIEW_CHANGE && r->last_normal_view == r->view)
		return "I3: in a view change the view has not been normal yet";
	if (r->op_durable > r->log.ring.last)
		return "I4: nothing is durable that is not held";
	return NULL;
}

static const char *check_votes(const struct vr_replica *r)
{
	const struct vr_vote *vote = &r->votes[r->cfg.self];
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (r->votes[i].valid && r->status != VR_STATUS_VIEW_CHANGE)
			return "I5: votes are kept during a view change only";
		if (r->votes[i].valid && r->votes[i].log_view >= r->view)
			return "I5: a vote states an earlier view's log";
	}
	if (r->status == VR_STATUS_VIEW_CHANGE &&
	    (!vote->valid || vote->log_view != r->last_normal_view ||
	     vote->commit > r->commit))
		return "I5: our own vote stands for the whole view change";
	return NULL;
}

static const char *check_sessions(const struct vr_replica *r)
{
	const struct vr_sessions *t = &r->sm.sessions;
	u32 i;

	for (i = 0; i < t->max; i++) {
		const struct vr_session *s = &t->rows[i];

		if (!s->id)
			continue;
		if (s->id > r->commit || s->active_op > r->commit || s->active_op < s->id)
			return "I7: the client table shows what is committed";
		if (vr_session_find(t, s->id) != s)
			return "I7: every session can be found, once";
	}
	return NULL;
}

static const char *check_pending(const struct vr_replica *r)
{
	const struct vr_pendings *all = &r->pendings;
	u32 handle = all->first, previous = VR_NO_HANDLE, count = 0, reads = 0;
	bool unsent = false;

	for (; handle != VR_NO_HANDLE; handle = all->table[handle].next) {
		const struct vr_pending *p = &all->table[handle];

		if (!p->active || p->previous != previous)
			return "I8: pending requests are in one list";
		if (!p->sent && !unsent && all->unsent != handle)
			return "I8: the oldest request not sent is known";
		unsent |= !p->sent;
		count++;
		reads += !!p->read;
		previous = handle;
	}
	if (count != all->count || reads != all->read_count || previous != all->last)
		return "I8: pending requests are counted right";
	if (!unsent && all->unsent != VR_NO_HANDLE)
		return "I8: the oldest request not sent is known";
	if (count && !vr_timer_runs(r, VR_TIMER_PENDING))
		return "I8: a pending request has a timer";
	return NULL;
}

static const char *check_lives(const struct vr_replica *r)
{
	if (vr_has_memory(r) && (!r->incarnation || r->vector[r->cfg.self] != r->incarnation))
		return "I10: who takes part knows which life this is";
	if (vr_is_recovering(r) && r->incarnation && r->vector[r->cfg.self] != r->incarnation)
		return "I10: who takes part knows which life this is";
	return NULL;
}

static const char *check_checkpoint(const struct vr_replica *r)
{
	const struct vr_checkpoint *c = &r->checkpoint;

	if (c->here > c->size || c->size > c->size_max)
		return "I11: a checkpoint fits its room";
	if (vr_checkpoint_whole(c) && !c->fetching && r->log.ring.first > c->op + 1)
		return "I11: what the log has dropped is in the checkpoint";
	return NULL;
}

static const char *check_versions(const struct vr_replica *r)
{
	u32 i;

	if (r->log_version > r->cfg.wire_version)
		return "I15: the log has nothing that our version does not know";
	for (i = 0; i < r->cfg.replica_count; i++) {
		const struct vr_peer *peer = &r->peers[i];

		if (peer->say > r->cfg.wire_version ||
		    peer->say > vr_max(peer->version, VR_WIRE_VERSION_MIN))
			return "I15: nobody is told what it is not known to understand";
	}
	return NULL;
}

const char *vr_replica_check(const struct vr_replica *r)
{
	const char *broken;

	if (r->status == VR_STATUS_HALTED)
		return NULL;
	if (vr_timers_look(&r->timers) == VR_NEVER && r->now_ns && r->cfg.replica_count)
		return "I9: some timer runs unless halted";
	if (r->timers.first_ns && r->timers.first_ns != vr_timers_look(&r->timers))
		return "I9: the first timer is the first of them";
	broken = check_versions(r);
	if (!broken)
		broken = check_pending(r);
	if (!broken)
		broken = check_lives(r);
	if (!broken && r->cfg.client)
		return vr_client_check(r);
	if (broken)
		return broken;
	if (!vr_has_memory(r))
		return NULL;
	broken = check_log(r);
	if (!broken)
		broken = check_views(r);
	if (!broken)
		broken = check_votes(r);
	if (!broken)
		broken = check_sessions(r);
	if (!broken)
		broken = check_checkpoint(r);
	return broken;
}
