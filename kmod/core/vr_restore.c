// SPDX-License-Identifier: GPL-2.0
/* See vr_restore.h. Rule R17, and D15 for who comes back as a primary. */
#include "vr_replica_private.h"
#include "vr_restore.h"

static const char *const too_small =
	"the journal was written with larger rings: it does not fit";
static const char *const too_new =
	"the journal has entries of clients, which this wire version does not know";
static const char *const broken = "the journal contradicts itself";

const char *vr_restore_begin(struct vr_replica *r, struct vr_journal_scan *s)
{
	const struct vr_frame *f = &s->state;

	if (f->replica_count != r->cfg.replica_count)
		return "the journal is of a group of another size";
	if (s->super.checkpoint_bytes > r->checkpoint.size_max)
		return too_small;
	/* In sixteen bits: so many lives, and no more, may follow one another. */
	if (!(~f->incarnation & VR_RESTARTS_MAX))
		return "the journal was restored too often: it needs a new memory";
	r->generation = f->generation;
	vr_sm_reset(&r->sm, vr_number_base(r->generation));
	vr_log_reset(&r->log, s->super.checkpoint_op + 1);
	r->log.base_hash = s->super.entry_hash;
	r->commit = s->super.checkpoint_op;
	r->checkpoint.op_last = r->commit;
	r->checkpoint.body_bytes = 0;
	vr_scan_replay(s, r->checkpoint.bytes);
	return NULL;
}

static const char *restore_checkpoint(struct vr_replica *r, const struct vr_journal_scan *s)
{
	struct vr_checkpoint *c = &r->checkpoint;
	u64 entry_hash;

	vr_checkpoint_drop(c);
	if (!s->super.checkpoint_bytes)
		return r->commit == vr_number_base(r->generation) ? NULL : broken;
	c->op = s->super.checkpoint_op;
	c->size = s->super.checkpoint_bytes;
	c->here = c->size;
	c->hashed = false;
	if (!vr_checkpoint_read(c, &r->sm, &entry_hash) || entry_hash != s->super.entry_hash) {
		vr_checkpoint_drop(c);
		return "the checkpoint in the journal does not fit this replica";
	}
	if (c->version > r->cfg.wire_version)
		return too_new;
	r->log_version = vr_max(r->log_version, c->version);
	vr_checkpoint_restore(c, &r->sm);
	return NULL;
}

/* Committed entries are applied as they come, so that the log never overflows. */
static const char *restore_entry(struct vr_replica *r, const struct vr_entry *e, u64 commit)
{
	if (!e->kind || e->kind >= VR_KIND_COUNT ||
	    (!vr_is_client(e->origin) && e->origin >= r->cfg.replica_count))
		return broken;
	if (vr_entry_version(e) > r->cfg.wire_version)
		return too_new;
	if (e->body_bytes > r->cfg.body_bytes_max || !vr_log_append(&r->log, e, r->commit))
		return too_small;
	r->log_version = vr_max(r->log_version, vr_entry_version(e));
	vr_commit_through(r, commit);
	return NULL;
}

static const char *restore_frame(struct vr_replica *r, const struct vr_journal_scan *s)
{
	const struct vr_frame *f = &s->frame;
	struct vr_frame_reader reader;
	const char *wrong = NULL;
	struct vr_entry e;
	u64 hash;

	if (f->op_before < r->commit || f->op_before > r->log.ring.last)
		return broken;
	vr_ring_truncate(&r->log.ring, f->op_before);
	vr_frame_entries(&reader, s->buffer, f);
	while (!wrong && vr_frame_next(&reader, &e))
		wrong = restore_entry(r, &e, f->commit);
	if (wrong)
		return wrong;
	vr_commit_through(r, f->commit);
	vr_log_hash(&r->log, r->log.ring.last, &hash);
	return reader.left || reader.entries_left || hash != f->hash ? broken : NULL;
}

const char *vr_restore_took(struct vr_replica *r, struct vr_journal_scan *s,
			    struct vr_effects *fx)
{
	const char *wrong = NULL;

	if (!vr_scan_frame(s))
		return NULL;
	r->fx = fx;
	fx->done_count = 0;
	if (s->frame.flags & VR_FRAME_BASE)
		wrong = restore_checkpoint(r, s);
	if (!wrong)
		wrong = restore_frame(r, s);
	r->fx = NULL;
	return wrong;
}

static bool contradicts_itself(const struct vr_replica *r, const struct vr_frame *f)
{
	u64 op;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (!f->vector[i] || f->vector[i] > VR_NUMBER_MAX)
			return true;
	}
	for (op = r->commit + 1; op <= r->log.ring.last; op++) {
		if (vr_log_get(&r->log, op)->view > f->last_normal_view)
			return true;
	}
	return f->view < f->last_normal_view || f->view > VR_NUMBER_MAX ||
	       f->vector[r->cfg.self] != f->incarnation || !f->instance ||
	       r->log.ring.last - r->commit > VR_PIPELINE_MAX;
}

const char *vr_restore_end(struct vr_replica *r, const struct vr_journal_scan *s)
{
	const struct vr_frame *f = &s->state;
	u32 i;

	if (s->verdict != VR_JOURNAL_WHOLE || s->at != s->end)
		return "the journal changed while it was being read";
	if (contradicts_itself(r, f))
		return broken;
	r->instance = f->instance;
	for (i = 0; i < r->cfg.replica_count; i++)
		r->vector[i] = f->vector[i];
	r->incarnation = f->incarnation + 1;
	r->vector[r->cfg.self] = r->incarnation;
	r->view = f->view;
	r->last_normal_view = f->last_normal_view;
	r->op_durable = r->log.ring.last;
	r->status = VR_STATUS_VIEW_CHANGE;
	r->restored = true;
	return NULL;
}

void vr_restore_lost(struct vr_replica *r)
{
	r->lost = true;
}

/*
 * All that we ever acknowledged or promised is here, so we go on where we were
 * (R17). A primary does not: what it told others and had not written down yet it
 * would tell them differently (D15).
 */
void vr_rejoin(struct vr_replica *r)
{
	r->promise_ns = r->now_ns + r->cfg.lease_ns;
	if (vr_is_primary(r))
		vr_begin_view_change(r, r->view + 1);
	else if (r->view > r->last_normal_view)
		vr_begin_view_change(r, r->view);
	else
		vr_enter_normal(r);
}
