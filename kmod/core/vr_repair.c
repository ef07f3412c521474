// SPDX-License-Identifier: GPL-2.0
/*
 * Falling behind: a backup that missed entries of its own view asks the primary,
 * a replica that installs a log asks who holds it (VR Revisited, section 5.2,
 * without its early truncation: D2), and what no log holds any more comes as a
 * checkpoint, chunk after chunk (R13, R14).
 */
#include "vr_replica_private.h"

#define CHUNKS_MAX	8	/* sent for one GET_CHECKPOINT */

static void now_too_old(struct vr_replica *r)
{
	r->fx->status_changed |= !r->too_old;
	r->too_old = true;
}

static void repair_ask(struct vr_replica *r)
{
	struct vr_message *m = vr_send(r, VR_GET_STATE, 1u << vr_primary(r, r->view));

	if (m) {
		m->log_view = r->view;
		m->op = r->log.ring.last + 1;
	}
	r->repair_asked = true;
	vr_timer_set(r, VR_TIMER_REPAIR, vr_resend_delay(r));
}

/* There are entries up to @op in this view that we do not hold. */
void vr_repair_through(struct vr_replica *r, u64 op)
{
	r->repair_op = vr_max(r->repair_op, op);
	if (!r->repair_asked && !r->checkpoint.fetching)
		repair_ask(r);
}

/* Whoever was asked is silent, or has not got it: ask the next one. */
static u8 next_source(const struct vr_replica *r, u8 source)
{
	do {
		source = (source + 1) % r->cfg.replica_count;
	} while (source == r->cfg.self);
	return source;
}

static void checkpoint_ask(struct vr_replica *r)
{
	struct vr_checkpoint *c = &r->checkpoint;
	struct vr_message *m = vr_send(r, VR_GET_CHECKPOINT, 1u << c->source);

	if (m) {
		m->op = c->size ? c->op : 0;
		m->hash = c->wanted_hash;
		m->offset = c->here;
	}
	c->end = c->here + CHUNKS_MAX * VR_CHUNK_BYTES_MAX;
	c->came = false;
	vr_timer_set(r, VR_TIMER_REPAIR, vr_resend_delay(r));
}

/* The log that is asked for begins behind what we need. */
static void checkpoint_begin(struct vr_replica *r, u64 behind_op)
{
	struct vr_checkpoint *c = &r->checkpoint;

	c->behind_op = behind_op;
	if (c->fetching)
		return;
	/* A part that an earlier attempt left is gone on with. */
	if (vr_checkpoint_whole(c))
		vr_checkpoint_drop(c);
	c->fetching = true;
	r->fx->status_changed = true;
	/* R13: the primary has enough to do. */
	c->source = next_source(r, vr_primary(r, r->view));
	checkpoint_ask(r);
}

/* From here on there are entries again. */
static void checkpoint_end(struct vr_replica *r)
{
	r->checkpoint.fetching = false;
	r->repair_asked = false;
	r->fx->status_changed = true;
	vr_timer_stop(r, VR_TIMER_REPAIR);
	if (r->install.active)
		vr_install_resume(r);
	else if (r->log.ring.last < r->repair_op)
		repair_ask(r);
}

/* What was only late may have brought us there without a checkpoint. */
static bool is_needless(const struct vr_replica *r)
{
	return r->commit >= r->checkpoint.behind_op;
}

void vr_on_repair_timer(struct vr_replica *r)
{
	r->repair_asked = false;
	if (r->checkpoint.fetching && is_needless(r)) {
		checkpoint_end(r);
	} else if (r->checkpoint.fetching) {
		/* Another one may hold another one: all would begin anew. */
		if (!r->checkpoint.came)
			r->checkpoint.source = next_source(r, r->checkpoint.source);
		checkpoint_ask(r);
	} else if (r->install.active) {
		r->install.source = next_source(r, r->install.source);
		vr_install_ask(r);
	} else if (r->status == VR_STATUS_NORMAL && r->log.ring.last < r->repair_op) {
		repair_ask(r);
	}
}

/* ---- entries ------------------------------------------------------------ */

/*
 * Whether our log is the one asked for. In normal status it is that of the
 * view; in the view change it is the one we vote with, and D19 keeps it.
 */
static bool holds(const struct vr_replica *r, const struct vr_message *m)
{
	return m->view == r->view && m->log_view == r->last_normal_view;
}

void vr_on_get_state(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_message *reply;

	if (m->view < r->view) {
		vr_drop(r, VR_DROP_STALE_VIEW);
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (m->view > r->view) {
		vr_drop(r, VR_DROP_NEWER_VIEW);
		return;
	}
	if (!m->op) {
		vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (!holds(r, m) || m->op > r->log.ring.last) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	reply = vr_send(r, VR_NEW_STATE, 1u << m->from);
	if (!reply)
		return;
	reply->log_view = m->log_view;
	if (m->op < r->log.ring.first) {
		/* No entries, and the op we could begin behind: too late. */
		reply->op = r->log.ring.first - 1;
		reply->hash = r->log.base_hash;
		return;
	}
	vr_fill_batch(r, reply, m->op, r->log.ring.last);
	vr_say_prefix(r, reply, m->from);
}

static void extend(struct vr_replica *r, const struct vr_message *m)
{
	vr_commit_through(r, m->commit);
	if (!vr_take_entries(r, m))
		return;
	r->repair_asked = false;
	vr_timer_stop(r, VR_TIMER_REPAIR);
	if (r->log.ring.last < r->repair_op)
		repair_ask(r);
}

/*
 * R34: what we asked for is there and cannot be said to us: @asked, the entry behind
 * which nothing comes, or the checkpoint.
 */
static bool is_refusal(const struct vr_replica *r, const struct vr_message *m, bool asked)
{
	const struct vr_checkpoint *c = &r->checkpoint;

	return r->cfg.wire_version < VR_WIRE_VERSION && m->view == r->view &&
	       !m->entry_count && (asked || (c->fetching && m->from == c->source));
}

void vr_on_new_state(struct vr_replica *r, const struct vr_message *m)
{
	const struct vr_install *in = &r->install;
	bool installing = in->active && m->log_view == in->log_view;
	bool repairing = r->status == VR_STATUS_NORMAL && r->repair_asked &&
			 m->log_view == r->view;
	u64 next = installing ? r->stage.last + 1 : r->log.ring.last + 1;

	if (is_refusal(r, m, (installing || repairing) && m->op + 1 == next)) {
		now_too_old(r);
		return;
	}
	if (m->view != r->view || !(installing || repairing)) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	if (!m->entry_count && m->op >= next)
		checkpoint_begin(r, m->op);
	else if (installing)
		vr_install_entries(r, m);
	else
		extend(r, m);
}

/* ---- checkpoints --------------------------------------------------------- */

/* The checkpoint that is asked for is in no version of the wire format it knows. */
static void say_too_old(struct vr_replica *r, u8 to)
{
	struct vr_message *m = vr_send(r, VR_NEW_STATE, 1u << to);

	r->peers[to].too_old = true;
	vr_drop(r, VR_DROP_VERSION);
	if (!m)
		return;
	m->log_view = r->last_normal_view;
	m->op = r->log.ring.first - 1;
	m->hash = r->log.base_hash;
}

/*
 * What we have applied is in every log that anybody may be installing in this
 * view, so it does not matter in which status we are (R12).
 */
void vr_on_get_checkpoint(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_checkpoint *c = &r->checkpoint;
	u32 offset = m->offset, i;
	u64 hash;

	if (m->view != r->view || !vr_checkpoint_whole(c)) {
		vr_drop(r, m->view < r->view ? VR_DROP_STALE_VIEW : VR_DROP_UNWANTED);
		if (m->view < r->view)
			vr_send_start_view(r, 1u << m->from);
		return;
	}
	if (c->version > r->peers[m->from].say) {
		say_too_old(r, m->from);
		return;
	}
	/* Of another one than ours the rest is of no use. */
	hash = vr_checkpoint_hash(c);
	if (m->op != c->op || m->hash != hash)
		offset = 0;
	for (i = 0; i < CHUNKS_MAX && offset < c->size; i++) {
		struct vr_message *reply = vr_send(r, VR_CHECKPOINT, 1u << m->from);

		if (!reply)
			return;
		reply->op = c->op;
		reply->hash = hash;
		reply->total_bytes = c->size;
		reply->offset = offset;
		reply->chunk = c->bytes + offset;
		reply->chunk_bytes = vr_min(c->size - offset, VR_CHUNK_BYTES_MAX);
		offset += reply->chunk_bytes;
	}
}

/*
 * The state after a committed op: a fact in whatever view we vote. Entries of ours
 * that it contradicts, and all that build on them, were never committed.
 */
static bool adopt_checkpoint(struct vr_replica *r)
{
	struct vr_checkpoint *c = &r->checkpoint;
	u64 entry_hash, ours;

	if (vr_checkpoint_hash(c) != c->wanted_hash ||
	    !vr_checkpoint_read(c, &r->sm, &entry_hash)) {
		vr_drop(r, VR_DROP_CHECKPOINT);
		vr_checkpoint_drop(c);
		return false;
	}
	if (c->version > r->cfg.wire_version) {
		vr_drop(r, VR_DROP_CHECKPOINT);
		vr_checkpoint_drop(c);
		now_too_old(r);
		return false;
	}
	if (c->op <= r->commit)
		return true;
	if (vr_log_hash(&r->log, c->op, &ours) && ours == entry_hash) {
		vr_commit_through(r, c->op);
		return r->status != VR_STATUS_HALTED;
	}
	vr_checkpoint_restore(c, &r->sm);
	r->log_version = vr_max(r->log_version, c->version);
	r->too_old = false;
	vr_log_reset(&r->log, c->op + 1);
	r->log.base_hash = entry_hash;
	r->commit = c->op;
	r->op_durable = c->op;
	r->log_epoch++;
	if (r->cfg.journal)
		vr_persist(r);
	c->op_last = c->op;
	c->body_bytes = 0;
	r->transfers++;
	r->fx->readable = true;
	vr_pending_skipped(r);
	vr_read_applied(r);
	return true;
}

/*
 * Is it a part of what we fetch? A newer one replaces what we have of an older
 * one; an older one only what nobody goes on with.
 */
static bool take_chunk(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_checkpoint *c = &r->checkpoint;

	if (!c->size || m->op != c->op || m->hash != c->wanted_hash) {
		if ((c->size && m->op < c->op && c->came) || m->op <= r->commit ||
		    m->total_bytes > c->size_max)
			return false;
		vr_checkpoint_expect(c, m->op, m->hash, m->total_bytes);
	}
	return m->total_bytes == c->size &&
	       vr_checkpoint_put(c, m->offset, m->chunk, m->chunk_bytes);
}

void vr_on_checkpoint(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_checkpoint *c = &r->checkpoint;

	if (!c->fetching || m->view != r->view || !take_chunk(r, m)) {
		vr_drop(r, VR_DROP_CHECKPOINT);
		return;
	}
	c->came = true;
	if (c->here < c->size) {
		if (c->here >= c->end)
			checkpoint_ask(r);
		return;
	}
	/* A damaged one: the timer asks somebody else. */
	if (!adopt_checkpoint(r))
		return;
	checkpoint_end(r);
}
