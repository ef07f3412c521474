// SPDX-License-Identifier: GPL-2.0
/*
 * See vr_journal_write.h. What a frame says holds as a whole once its END is
 * stable, so a log that replaces another one and the view it is of change
 * together; nothing is overwritten that the superblock in force needs.
 */
#include "vr_journal_write.h"
#include "vr_replica_private.h"

enum {
	PHASE_NONE,
	PHASE_CHECKPOINT,	/* the other area gets the newest checkpoint */
	PHASE_FRAMES,		/* the ring gets the entries after it */
	PHASE_SUPER,		/* the superblock says so */
	PHASE_LOST,		/* the superblock says that there is no memory here */
};

#define RING_PARTS	4	/* of the ring one holds all entries of a log */
#define STAGGER		64	/* members do not write checkpoints all at once */
#define LAPS_APART	4	/* from what a damaged journal may still contain */

/* ---- shape -------------------------------------------------------------------- */

static u64 log_bytes_max(const struct vr_config *cfg, u32 block_bytes)
{
	u64 bytes = (u64)cfg->log_entries * (VR_JOURNAL_ENTRY_BYTES + 7) + cfg->log_bytes;
	u64 per_frame = VR_JOURNAL_WRITE_BYTES_MAX - VR_JOURNAL_FRAME_BYTES -
			VR_JOURNAL_ENTRY_BYTES - cfg->body_bytes_max - 7;

	return bytes + (bytes / per_frame + 2) * (VR_JOURNAL_FRAME_BYTES + block_bytes) +
	       VR_JOURNAL_WRITE_BYTES_MAX;
}

bool vr_journal_shape_for(const struct vr_config *cfg, u64 file_bytes, u32 block_bytes,
			  struct vr_journal_shape *shape)
{
	u64 checkpoint = vr_checkpoint_size_max(cfg->counters_max, cfg->sessions_max,
						cfg->messages, cfg->message_bytes);
	u64 smallest;

	shape->block_bytes = block_bytes;
	shape->checkpoint_bytes = vr_journal_round(checkpoint, block_bytes);
	shape->ring_bytes = vr_journal_round(RING_PARTS * log_bytes_max(cfg, block_bytes),
					     block_bytes);
	smallest = vr_journal_file_bytes(shape);
	if (file_bytes > smallest)
		shape->ring_bytes += (file_bytes - smallest) / block_bytes * block_bytes;
	return !file_bytes || file_bytes >= smallest;
}

/* ---- writes --------------------------------------------------------------------- */

static void write_at(struct vr_write *w, u64 offset, const u8 *bytes, u32 count)
{
	memset(w, 0, sizeof(*w));
	w->parts[0].offset = offset;
	w->parts[0].bytes = bytes;
	w->parts[0].count = count;
}

static void write_super(struct vr_journal *j, struct vr_write *w)
{
	memset(j->frame, 0, VR_JOURNAL_SUPER_USED);
	vr_journal_put_super(j->frame, &j->next);
	write_at(w, (j->next.sequence & 1) * VR_JOURNAL_SUPER_BYTES, j->frame,
		 VR_JOURNAL_SUPER_USED);
	w->sync = true;
}

static void write_ring(const struct vr_journal *j, struct vr_write *w, u32 count)
{
	const struct vr_journal_shape *shape = &j->super.shape;
	u64 left = shape->ring_bytes - j->position % shape->ring_bytes;

	write_at(w, vr_journal_offset(shape, j->position), j->frame, vr_min(count, left));
	if (count > left) {
		w->parts[1].offset = vr_journal_offset(shape, 0);
		w->parts[1].bytes = j->frame + left;
		w->parts[1].count = count - left;
	}
}

void vr_journal_create(struct vr_journal *j, const struct vr_journal_shape *shape,
		       struct vr_write *w)
{
	j->super.shape = *shape;
	j->super.sequence = 1;
	j->super.owner = j->owner;
	j->next = j->super;
	write_super(j, w);
}

void vr_journal_open(struct vr_journal *j, const struct vr_journal_scan *s,
		     const struct vr_replica *r)
{
	j->super = s->super;
	/* Frames of before must never be taken for those that come. */
	j->position = s->super.start + LAPS_APART * s->super.shape.ring_bytes;
	if (!r || s->verdict != VR_JOURNAL_WHOLE)
		return;
	j->based = true;
	j->position = s->end;
	j->chain = s->end_chain;
	j->synced = s->end;
	j->guarded = s->end;
	j->content = s->end;
	j->written.epoch = r->log_epoch;
	j->written.op = r->log.ring.last;
	j->written.commit = r->commit;
	/* The new life is to be written down before anybody hears of it. */
	j->written.promise = U64_MAX;
}

/* ---- frames ---------------------------------------------------------------------- */

static void describe(const struct vr_journal *j, const struct vr_replica *r, struct vr_frame *f)
{
	u32 i;

	memset(f, 0, sizeof(*f));
	f->position = j->position;
	f->synced = j->synced;
	f->chain = j->chain;
	f->generation = r->generation;
	f->replica_count = r->cfg.replica_count;
	f->instance = r->instance;
	f->incarnation = r->incarnation;
	f->view = r->view;
	f->last_normal_view = r->last_normal_view;
	f->commit = r->commit;
	for (i = 0; i < r->cfg.replica_count; i++)
		f->vector[i] = r->vector[i];
}

/* What is committed never changes; of the rest a new epoch may have other entries. */
static u64 unchanged(const struct vr_journal *j, const struct vr_replica *r)
{
	const struct vr_written *w = &j->written;

	return w->epoch == r->log_epoch ? w->op : vr_min(w->op, w->commit);
}

static u64 used(const struct vr_journal *j)
{
	u64 start = j->phase ? vr_min(j->next.start, j->super.start) : j->super.start;

	if (!j->based)
		start = j->next.start;
	return j->position - start;
}

static bool fits(const struct vr_journal *j)
{
	return used(j) + VR_JOURNAL_WRITE_BYTES_MAX <= j->super.shape.ring_bytes;
}

/* As many entries as go into one frame; END if that is all of them. */
static void write_frame(struct vr_journal *j, const struct vr_replica *r, struct vr_write *w)
{
	u8 *at = j->frame + VR_JOURNAL_FRAME_BYTES;
	u8 *end = j->frame + VR_JOURNAL_WRITE_BYTES_MAX;
	const struct vr_entry *e;
	struct vr_frame f;
	u32 count;
	u64 op;

	describe(j, r, &f);
	f.op_before = unchanged(j, r);
	for (op = f.op_before + 1; (e = vr_log_get(&r->log, op)); op++) {
		if (vr_journal_entry_bytes(e) > (u64)(end - at))
			break;
		at = vr_journal_put_entry(at, e);
		f.entry_count++;
	}
	f.bytes = at - j->frame;
	vr_log_hash(&r->log, op - 1, &f.hash);
	if (!e)
		f.flags |= VR_FRAME_END;
	if (j->phase && j->position == j->next.start)
		f.flags |= VR_FRAME_BASE;
	count = vr_journal_round(f.bytes, j->super.shape.block_bytes);
	memset(at, 0, j->frame + count - at);
	j->chain = vr_journal_seal(j->frame, &f);
	write_ring(j, w, count);
	w->sync = !e;
	j->guarded = f.synced;
	j->position += count;
	if (!j->closing)
		j->content = j->position;
	j->partial = !!e;
	j->written.epoch = r->log_epoch;
	j->written.op = op - 1;
	j->written.commit = vr_min(r->commit, j->written.op);
	j->written.promise = r->promises;
	j->count.frames++;
	j->count.entries += f.entry_count;
	if (j->phase == PHASE_FRAMES && !e)
		j->phase = PHASE_SUPER;
	else
		w->durable = !e;
	w->epoch = j->written.epoch;
	w->op = j->written.op;
	w->promise = j->written.promise;
}

/* From now on nobody takes what is here for a memory (R17, R25). */
static void write_lost(struct vr_journal *j, struct vr_write *w)
{
	j->next = j->super;
	j->next.sequence++;
	j->next.lost = true;
	j->phase = PHASE_LOST;
	write_super(j, w);
}

/* ---- a new base --------------------------------------------------------------------- */

static bool can_base(const struct vr_replica *r)
{
	const struct vr_checkpoint *c = &r->checkpoint;

	if (vr_checkpoint_whole(c) && !c->fetching)
		return c->op + 1 >= r->log.ring.first && c->op <= r->commit;
	return r->log.ring.first == vr_number_base(r->generation) + 1;
}

static void begin_base(struct vr_journal *j, const struct vr_replica *r)
{
	const struct vr_checkpoint *c = &r->checkpoint;
	struct vr_journal_super *next = &j->next;

	*next = j->super;
	next->sequence++;
	next->formed = true;
	next->lost = false;
	next->owner = j->owner;
	next->area = !j->super.area;
	next->start = j->position;
	next->chain = j->chain;
	next->checkpoint_hash = 0;
	next->checkpoint_bytes = 0;
	next->checkpoint_op = vr_number_base(r->generation);
	if (vr_checkpoint_whole(c) && !c->fetching) {
		next->checkpoint_op = c->op;
		next->checkpoint_bytes = c->size;
		memcpy(j->checkpoint, c->bytes, c->size);
	}
	vr_log_hash(&r->log, next->checkpoint_op, &next->entry_hash);
	j->phase = PHASE_CHECKPOINT;
	j->offset = 0;
	j->before = j->written;
	j->written.op = next->checkpoint_op;
	j->written.commit = next->checkpoint_op;
	j->written.epoch = r->log_epoch;
	j->count.bases++;
}

/* The superblock in force does not know of it: as if it had not been begun. */
static void abandon_base(struct vr_journal *j)
{
	j->phase = PHASE_NONE;
	j->position = j->next.start;
	j->chain = j->next.chain;
	j->written = j->before;
	j->partial = false;
}

static void write_checkpoint(struct vr_journal *j, struct vr_write *w)
{
	struct vr_journal_super *next = &j->next;
	u64 begin = j->offset, end = vr_min(begin + VR_JOURNAL_WRITE_BYTES_MAX,
					    next->checkpoint_bytes);

	while (j->offset < end) {
		u32 bytes = vr_min(end - j->offset, VR_JOURNAL_CHUNK_BYTES);

		next->checkpoint_hash = vr_journal_hash_chunk(j->checkpoint + j->offset, bytes,
							      next->checkpoint_hash);
		j->offset += bytes;
	}
	write_at(w, vr_journal_area(&next->shape, next->area) + begin, j->checkpoint + begin,
		 end - begin);
}

static bool next_of_base(struct vr_journal *j, const struct vr_replica *r, struct vr_write *w)
{
	if (j->phase == PHASE_CHECKPOINT && j->offset == j->next.checkpoint_bytes)
		j->phase = PHASE_FRAMES;
	if (j->phase == PHASE_CHECKPOINT) {
		write_checkpoint(j, w);
		return true;
	}
	if (j->phase == PHASE_SUPER) {
		write_super(j, w);
		w->durable = true;
		w->epoch = j->written.epoch;
		w->op = j->written.op;
		w->promise = j->written.promise;
		return true;
	}
	if (!fits(j)) {
		j->full = true;
		return false;
	}
	write_frame(j, r, w);
	return true;
}

/* ---- what to do ----------------------------------------------------------------------- */

static bool is_new(const struct vr_journal *j, const struct vr_replica *r)
{
	return !j->based || j->partial || j->written.epoch != r->log_epoch ||
	       j->written.op != r->log.ring.last || j->written.promise != r->promises;
}

static bool wants_base(const struct vr_journal *j, const struct vr_replica *r)
{
	u64 ring = j->super.shape.ring_bytes;

	return used(j) > ring / 2 - r->cfg.self * (ring / STAGGER) || !fits(j);
}

/* Some of a base is on the disk, or none of it; entries it needs are gone. */
static bool misses(const struct vr_journal *j, const struct vr_replica *r)
{
	return r->log.ring.first > unchanged(j, r) + 1;
}

static bool next_frame(struct vr_journal *j, const struct vr_replica *r, struct vr_write *w)
{
	bool must = !j->based || misses(j, r);

	if (must || wants_base(j, r)) {
		if (can_base(r)) {
			begin_base(j, r);
			return next_of_base(j, r, w);
		}
		if (must || !fits(j))
			return false;
	}
	write_frame(j, r, w);
	return true;
}

bool vr_journal_next(struct vr_journal *j, const struct vr_replica *r, struct vr_write *w)
{
	bool remembers = vr_has_memory(r);

	if (j->phase == PHASE_SUPER)
		return next_of_base(j, r, w);
	if (j->phase && (!remembers || misses(j, r)))
		abandon_base(j);
	if (!remembers && !vr_is_recovering(r))
		return false;
	/* What is damaged, or must not be trusted, is not overwritten before it says so. */
	if (j->super.formed && !j->super.lost && !(j->based && remembers)) {
		write_lost(j, w);
		return true;
	}
	if (!remembers)
		return false;
	if (j->phase)
		return next_of_base(j, r, w);
	if (is_new(j, r))
		j->closing = false;
	else if (!j->closing)
		return false;
	return next_frame(j, r, w);
}

void vr_journal_done(struct vr_journal *j, const struct vr_write *w)
{
	j->count.bytes += w->parts[0].count + w->parts[1].count;
	if (!w->sync)
		return;
	j->count.syncs++;
	j->closing = false;
	if (j->phase == PHASE_LOST) {
		j->super = j->next;
		j->phase = PHASE_NONE;
		j->based = false;
		j->partial = false;
		j->position += LAPS_APART * j->super.shape.ring_bytes;
	} else if (j->phase == PHASE_SUPER && w->durable) {
		j->super = j->next;
		j->phase = PHASE_NONE;
		j->based = true;
	}
	/* Of a base nothing counts before its superblock does. */
	if (!j->phase && j->based)
		j->synced = j->position;
}

void vr_journal_close(struct vr_journal *j)
{
	j->closing = j->based && !j->phase && j->guarded < j->content;
}
