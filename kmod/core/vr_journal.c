// SPDX-License-Identifier: GPL-2.0
/* See vr_journal.h; all integers are little-endian. */
#include "vr_bytes.h"
#include "vr_journal.h"

#define SUPER_SEED	1	/* of its checksum: none is one of the other kind */
#define FRAME_SEED	2
#define SUPER_SUM	(VR_JOURNAL_SUPER_USED - 8)
#define FRAME_SUM	(VR_JOURNAL_FRAME_BYTES - 8)
#define BLOCK_MIN	256
#define POSITION_MAX	0x4000000000000000ull
#define SIZE_MAX_BYTES	0x1000000000000ull	/* no honest size is larger */

static const u8 super_magic[8] = { 'V', 'V', 'R', 'J', 'R', 'N', 'L', '1' };
static const u8 frame_magic[4] = { 'V', 'J', 'F', '1' };

static u64 sum(const u8 *bytes, u32 count, u64 hash)
{
	u32 i;

	for (i = 0; i + 8 <= count; i += 8)
		hash = vr_hash_mix(hash, vr_get64(bytes + i));
	for (; i < count; i++)
		hash = vr_hash_mix(hash, bytes[i]);
	return vr_hash_mix(hash, count);
}

u64 vr_journal_hash_chunk(const u8 *chunk, u32 bytes, u64 hash)
{
	return sum(chunk, bytes, hash);
}

/* ---- superblocks ---------------------------------------------------------- */

void vr_journal_put_super(u8 *at, const struct vr_journal_super *super)
{
	const struct vr_journal_owner *owner = &super->owner;
	u32 i;

	memset(at, 0, VR_JOURNAL_SUPER_USED);
	memcpy(at, super_magic, sizeof(super_magic));
	vr_put64(at + 8, super->sequence);
	vr_put32(at + 16, super->shape.block_bytes);
	at[20] = super->formed | super->lost << 1;
	at[21] = super->area;
	at[22] = owner->member_count;
	vr_put64(at + 24, super->shape.checkpoint_bytes);
	vr_put64(at + 32, super->shape.ring_bytes);
	memcpy(at + 40, owner->uuid, sizeof(owner->uuid));
	vr_put16(at + 56, owner->self_id);
	for (i = 0; i < VR_JOURNAL_MEMBERS_MAX; i++)
		vr_put16(at + 58 + 2 * i, owner->member_ids[i]);
	vr_put64(at + 72, super->checkpoint_op);
	vr_put64(at + 80, super->checkpoint_bytes);
	vr_put64(at + 88, super->checkpoint_hash);
	vr_put64(at + 96, super->entry_hash);
	vr_put64(at + 104, super->start);
	vr_put64(at + 112, super->chain);
	vr_put64(at + SUPER_SUM, sum(at, SUPER_SUM, SUPER_SEED));
}

static bool shape_is_sound(const struct vr_journal_shape *s)
{
	u32 block = s->block_bytes;

	return block >= BLOCK_MIN && block <= VR_JOURNAL_WRITE_BYTES_MAX &&
	       !(block & (block - 1)) && s->checkpoint_bytes < SIZE_MAX_BYTES &&
	       s->ring_bytes < SIZE_MAX_BYTES && s->ring_bytes &&
	       !(s->ring_bytes % block) && !(s->checkpoint_bytes % block);
}

bool vr_journal_get_super(const u8 *at, struct vr_journal_super *super)
{
	struct vr_journal_owner *owner = &super->owner;
	u32 i;

	if (memcmp(at, super_magic, sizeof(super_magic)) ||
	    vr_get64(at + SUPER_SUM) != sum(at, SUPER_SUM, SUPER_SEED))
		return false;
	super->sequence = vr_get64(at + 8);
	super->shape.block_bytes = vr_get32(at + 16);
	super->formed = at[20] & 1;
	super->lost = at[20] >> 1 & 1;
	super->area = at[21];
	owner->member_count = at[22];
	super->shape.checkpoint_bytes = vr_get64(at + 24);
	super->shape.ring_bytes = vr_get64(at + 32);
	memcpy(owner->uuid, at + 40, sizeof(owner->uuid));
	owner->self_id = vr_get16(at + 56);
	for (i = 0; i < VR_JOURNAL_MEMBERS_MAX; i++)
		owner->member_ids[i] = vr_get16(at + 58 + 2 * i);
	super->checkpoint_op = vr_get64(at + 72);
	super->checkpoint_bytes = vr_get64(at + 80);
	super->checkpoint_hash = vr_get64(at + 88);
	super->entry_hash = vr_get64(at + 96);
	super->start = vr_get64(at + 104);
	super->chain = vr_get64(at + 112);
	return shape_is_sound(&super->shape) && super->area < 2 &&
	       owner->member_count <= VR_JOURNAL_MEMBERS_MAX &&
	       super->checkpoint_bytes <= super->shape.checkpoint_bytes &&
	       super->start < POSITION_MAX && !(super->start % super->shape.block_bytes);
}

/* ---- frames ----------------------------------------------------------------- */

u8 *vr_journal_put_entry(u8 *at, const struct vr_entry *e)
{
	u32 bytes = vr_journal_entry_bytes(e);

	memset(at, 0, bytes);
	vr_put64(at, e->view);
	vr_put64(at + 8, e->session);
	vr_put64(at + 16, e->request);
	vr_put64(at + 24, e->argument);
	at[32] = e->kind;
	vr_put16(at + 34, e->body_bytes);
	vr_put32(at + 36, e->topic);
	vr_put16(at + 40, e->origin);
	if (e->body_bytes)
		memcpy(at + VR_JOURNAL_ENTRY_BYTES, e->body, e->body_bytes);
	return at + bytes;
}

static u64 frame_sum(const u8 *at, u32 bytes)
{
	u64 hash = sum(at, FRAME_SUM, FRAME_SEED);

	return sum(at + VR_JOURNAL_FRAME_BYTES, bytes - VR_JOURNAL_FRAME_BYTES, hash);
}

u64 vr_journal_seal(u8 *at, const struct vr_frame *f)
{
	u64 checksum;
	u32 i;

	memset(at, 0, VR_JOURNAL_FRAME_BYTES);
	memcpy(at, frame_magic, sizeof(frame_magic));
	vr_put32(at + 4, f->flags);
	vr_put32(at + 8, f->bytes);
	vr_put32(at + 12, f->entry_count);
	vr_put64(at + 16, f->position);
	vr_put64(at + 24, f->synced);
	vr_put64(at + 32, f->chain);
	vr_put16(at + 40, f->generation);
	at[42] = f->replica_count;
	vr_put32(at + 44, f->instance);
	vr_put64(at + 48, f->incarnation);
	vr_put64(at + 56, f->view);
	vr_put64(at + 64, f->last_normal_view);
	vr_put64(at + 72, f->commit);
	vr_put64(at + 80, f->op_before);
	vr_put64(at + 88, f->hash);
	for (i = 0; i < VR_JOURNAL_MEMBERS_MAX; i++)
		vr_put64(at + 96 + 8 * i, f->vector[i]);
	checksum = frame_sum(at, f->bytes);
	vr_put64(at + FRAME_SUM, checksum);
	return checksum;
}

/* The header alone: is it that of a frame at this position? */
static bool get_frame(const u8 *at, u64 position, struct vr_frame *f)
{
	u32 i;

	f->flags = vr_get32(at + 4);
	f->bytes = vr_get32(at + 8);
	f->entry_count = vr_get32(at + 12);
	f->position = vr_get64(at + 16);
	f->synced = vr_get64(at + 24);
	f->chain = vr_get64(at + 32);
	f->generation = vr_get16(at + 40);
	f->replica_count = at[42];
	f->instance = vr_get32(at + 44);
	f->incarnation = vr_get64(at + 48);
	f->view = vr_get64(at + 56);
	f->last_normal_view = vr_get64(at + 64);
	f->commit = vr_get64(at + 72);
	f->op_before = vr_get64(at + 80);
	f->hash = vr_get64(at + 88);
	for (i = 0; i < VR_JOURNAL_MEMBERS_MAX; i++)
		f->vector[i] = vr_get64(at + 96 + 8 * i);
	return !memcmp(at, frame_magic, sizeof(frame_magic)) && f->position == position &&
	       f->bytes >= VR_JOURNAL_FRAME_BYTES && f->bytes <= VR_JOURNAL_WRITE_BYTES_MAX;
}

void vr_frame_entries(struct vr_frame_reader *reader, const u8 *bytes, const struct vr_frame *f)
{
	reader->at = bytes + VR_JOURNAL_FRAME_BYTES;
	reader->left = f->bytes - VR_JOURNAL_FRAME_BYTES;
	reader->entries_left = f->entry_count;
	reader->op = f->op_before;
}

bool vr_frame_next(struct vr_frame_reader *reader, struct vr_entry *e)
{
	const u8 *at = reader->at;
	u32 bytes;

	if (!reader->entries_left || reader->left < VR_JOURNAL_ENTRY_BYTES)
		return false;
	memset(e, 0, sizeof(*e));
	e->op = reader->op + 1;
	e->view = vr_get64(at);
	e->session = vr_get64(at + 8);
	e->request = vr_get64(at + 16);
	e->argument = vr_get64(at + 24);
	e->kind = at[32];
	e->body_bytes = vr_get16(at + 34);
	e->topic = vr_get32(at + 36);
	e->origin = vr_get16(at + 40);
	e->body = at + VR_JOURNAL_ENTRY_BYTES;
	bytes = vr_journal_entry_bytes(e);
	if (e->body_bytes > VR_BODY_BYTES_MAX || bytes > reader->left)
		return false;
	reader->at += bytes;
	reader->left -= bytes;
	reader->entries_left--;
	reader->op++;
	return true;
}

/* ---- scan -------------------------------------------------------------------- */

enum {
	STEP_SUPERS,		/* both, one after the other */
	STEP_CHECKPOINT,
	STEP_FRAMES,		/* each where the last one ended */
	STEP_TAIL,		/* is anything there that was written after what is missing? */
	STEP_DONE
};

const char *vr_journal_verdict_name(enum vr_journal_verdict verdict)
{
	static const char *const names[VR_JOURNAL_VERDICT_COUNT] = {
		"empty", "stranger", "blank", "whole", "lost", "damaged",
	};

	return names[verdict];
}

void vr_scan_begin(struct vr_journal_scan *s, u8 *buffer, u64 file_bytes)
{
	memset(s, 0, sizeof(*s));
	s->buffer = buffer;
	s->file_bytes = file_bytes;
	s->verdict = VR_JOURNAL_STRANGER;
	if (!file_bytes)
		s->verdict = VR_JOURNAL_EMPTY;
	if (file_bytes < VR_JOURNAL_HEAD_BYTES)
		s->step = STEP_DONE;
}

static void finish(struct vr_journal_scan *s, enum vr_journal_verdict verdict)
{
	s->verdict = verdict;
	s->step = STEP_DONE;
}

static void damaged(struct vr_journal_scan *s, u64 position)
{
	s->damage = position;
	s->checkpoint_damaged = s->step == STEP_CHECKPOINT;
	finish(s, VR_JOURNAL_DAMAGED);
}

static void expect_frame(struct vr_journal_scan *s, u64 at)
{
	s->at = at;
	s->have = 0;
	s->want = s->super.shape.block_bytes;
}

static void begin_frames(struct vr_journal_scan *s)
{
	s->step = STEP_FRAMES;
	s->chain = s->super.chain;
	s->frames_seen = 0;
	s->entries_seen = 0;
	expect_frame(s, s->super.start);
}

static void begin_checkpoint(struct vr_journal_scan *s)
{
	s->step = STEP_CHECKPOINT;
	s->at = 0;
	s->hash = 0;
	if (!s->super.checkpoint_bytes)
		begin_frames(s);
}

void vr_scan_replay(struct vr_journal_scan *s, u8 *checkpoint)
{
	s->replaying = true;
	s->checkpoint = checkpoint;
	s->frame_ready = false;
	if (checkpoint)
		begin_checkpoint(s);
	else
		begin_frames(s);
	if (s->step == STEP_FRAMES && s->at == s->end)
		s->step = STEP_DONE;
}

static u32 checkpoint_chunk(const struct vr_journal_scan *s)
{
	return vr_min(s->super.checkpoint_bytes - s->at, VR_JOURNAL_CHUNK_BYTES);
}

bool vr_scan_wants(struct vr_journal_scan *s, u64 *offset, u32 *bytes, u8 **into)
{
	const struct vr_journal_shape *shape = &s->super.shape;
	u64 left;

	switch (s->step) {
	case STEP_SUPERS:
		*offset = s->at * VR_JOURNAL_SUPER_BYTES;
		*bytes = VR_JOURNAL_SUPER_USED;
		*into = s->buffer;
		return true;
	case STEP_CHECKPOINT:
		*offset = vr_journal_area(shape, s->super.area) + s->at;
		*bytes = checkpoint_chunk(s);
		*into = s->checkpoint ? s->checkpoint + s->at : s->buffer;
		return true;
	case STEP_FRAMES:
	case STEP_TAIL:
		/* A frame may go on at the start of the ring. */
		left = shape->ring_bytes - (s->at + s->have) % shape->ring_bytes;
		*offset = vr_journal_offset(shape, s->at + s->have);
		*bytes = vr_min(s->want - s->have, left);
		*into = s->buffer + s->have;
		return true;
	default:
		return false;
	}
}

static void take_super(struct vr_journal_scan *s)
{
	struct vr_journal_super super;

	if (vr_journal_get_super(s->buffer, &super)) {
		if (!s->super_count || super.sequence > s->super.sequence)
			s->super = super;
		s->super_count++;
	}
	if (++s->at < 2)
		return;
	if (!s->super_count || vr_journal_file_bytes(&s->super.shape) > s->file_bytes)
		finish(s, VR_JOURNAL_STRANGER);
	else if (!s->super.formed)
		finish(s, VR_JOURNAL_BLANK);
	else if (s->super.lost)
		finish(s, VR_JOURNAL_LOST);
	else
		begin_checkpoint(s);
}

static void take_checkpoint(struct vr_journal_scan *s)
{
	u32 bytes = checkpoint_chunk(s);

	s->hash = vr_journal_hash_chunk(s->checkpoint ? s->checkpoint + s->at : s->buffer, bytes,
					s->hash);
	s->at += bytes;
	if (s->at < s->super.checkpoint_bytes)
		return;
	if (s->hash != s->super.checkpoint_hash)
		damaged(s, s->super.start);
	else
		begin_frames(s);
}

/* What was read so far is enough to know: is a whole frame there? */
static bool frame_is_whole(const struct vr_journal_scan *s)
{
	return s->frame.bytes &&
	       vr_get64(s->buffer + FRAME_SUM) == frame_sum(s->buffer, s->frame.bytes);
}

/* False as long as there is more to read of the frame at s->at. */
static bool has_all(struct vr_journal_scan *s)
{
	if (s->have < s->want)
		return false;
	if (s->want > s->super.shape.block_bytes)
		return true;
	if (!get_frame(s->buffer, s->at, &s->frame))
		s->frame.bytes = 0;
	s->want = vr_max(s->want, s->frame.bytes);
	return s->have == s->want;
}

static u64 frame_end(const struct vr_journal_scan *s)
{
	return s->at + vr_journal_round(s->frame.bytes, s->super.shape.block_bytes);
}

/*
 * The frames end here, and what follows the last END counts for nothing. That is
 * so if a write was under way when the power went, unless something written later
 * says that what is missing was safe: then it was lost since.
 */
static void begin_tail(struct vr_journal_scan *s)
{
	if (!s->end) {
		/* It was there before a superblock said so. */
		damaged(s, s->at);
		return;
	}
	s->step = STEP_TAIL;
	s->damage = s->at;
	expect_frame(s, s->end);
}

static void next_of_tail(struct vr_journal_scan *s)
{
	u64 at = s->at + s->super.shape.block_bytes;

	if (at >= s->super.start + s->super.shape.ring_bytes)
		finish(s, VR_JOURNAL_WHOLE);
	else
		expect_frame(s, at);
}

static void take_frame(struct vr_journal_scan *s)
{
	s->chain = vr_get64(s->buffer + FRAME_SUM);
	s->frames_seen++;
	s->entries_seen += s->frame.entry_count;
	s->at = frame_end(s);
	if ((s->frame.flags & VR_FRAME_END) && !s->replaying) {
		s->state = s->frame;
		s->end = s->at;
		s->end_chain = s->chain;
		s->frame_count = s->frames_seen;
		s->entry_count = s->entries_seen;
	}
	expect_frame(s, s->at);
}

static bool continues(const struct vr_journal_scan *s)
{
	bool base = s->frame.flags & VR_FRAME_BASE;

	return s->frame.chain == s->chain && base == (s->at == s->super.start) &&
	       frame_end(s) <= s->super.start + s->super.shape.ring_bytes;
}

static void take_of_tail(struct vr_journal_scan *s)
{
	bool whole = frame_is_whole(s);

	if (whole && s->frame.synced > s->end) {
		damaged(s, s->damage);
		return;
	}
	if (whole)
		s->torn_bytes = frame_end(s) - s->end;
	next_of_tail(s);
}

static void take_of_frames(struct vr_journal_scan *s)
{
	if (frame_is_whole(s) && continues(s)) {
		take_frame(s);
		s->frame_ready = s->replaying;
		if (s->replaying && s->at >= s->end)
			s->step = STEP_DONE;
	} else if (s->replaying) {
		damaged(s, s->at);
	} else {
		begin_tail(s);
	}
}

void vr_scan_took(struct vr_journal_scan *s)
{
	u64 offset;
	u32 bytes;
	u8 *into;

	s->frame_ready = false;
	switch (s->step) {
	case STEP_SUPERS:
		take_super(s);
		break;
	case STEP_CHECKPOINT:
		take_checkpoint(s);
		break;
	case STEP_FRAMES:
	case STEP_TAIL:
		vr_scan_wants(s, &offset, &bytes, &into);
		s->have += bytes;
		if (!has_all(s))
			break;
		if (s->step == STEP_TAIL)
			take_of_tail(s);
		else
			take_of_frames(s);
		break;
	default:
		break;
	}
}

/* What cannot be read may have been anything. */
void vr_scan_failed(struct vr_journal_scan *s)
{
	s->frame_ready = false;
	if (s->step == STEP_SUPERS) {
		memset(s->buffer, 0, VR_JOURNAL_SUPER_USED);
		take_super(s);
	} else {
		damaged(s, s->step == STEP_TAIL ? s->damage : s->at);
	}
}
