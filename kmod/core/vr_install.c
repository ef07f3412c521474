// SPDX-License-Identifier: GPL-2.0
/*
 * Making another log ours, which the new primary, its backups and a recovering
 * replica do alike: entries known to be committed as they come, those that are
 * not in one step when all are here (R8, R9, R12). Fetches; whose log it is was
 * decided before.
 */
#include "vr_replica_private.h"

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
	if (vr_never(r, r->log.ring.last < in->op, VR_HALT_LOG_GAP))
		return;
	vr_commit_through(r, in->commit);
	if (r->status == VR_STATUS_HALTED)
		return;
	if (vr_is_recovering(r)) {
		/* What an earlier life promised a primary it promised before now. */
		r->promise_ns = r->now_ns + r->cfg.lease_ns;
		r->refusal = VR_REFUSAL_NONE;
		r->recoveries++;
	}
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
	vr_timer_set(r, VR_TIMER_REPAIR, vr_resend_delay(r));
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

/* The log that START_VIEW describes. */
void vr_install(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_install *in = &r->install;

	in->source = m->from;
	in->log_view = m->view;
	in->op = m->op;
	in->base = m->commit;
	in->commit = m->commit;
	memcpy(in->hashes, m->hashes, m->hash_count * sizeof(m->hashes[0]));
	install_begin(r);
}

/* The log that a vote, or an answer to RECOVERY, describes. */
void vr_install_vote(struct vr_replica *r, u8 slot, u64 commit)
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

/* A checkpoint has brought us further, maybe beyond what was asked for. */
void vr_install_resume(struct vr_replica *r)
{
	struct vr_install *in = &r->install;
	u64 hash;

	in->matched = r->commit;
	vr_ring_reset(&r->stage, in->matched + 1);
	if (in->matched >= in->base && in->matched <= in->op) {
		vr_log_hash(&r->log, in->matched, &hash);
		if (vr_never(r, hash != in->hashes[in->matched - in->base],
			     VR_HALT_COMMITTED_CONFLICT))
			return;
	}
	if (in->matched >= in->op)
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
		r->too_old = false;
	}
	if (install_next(r) > in->op)
		install_finish(r);
	else if (progress)
		vr_install_ask(r);
	else
		vr_drop(r, VR_DROP_DUPLICATE);
}

