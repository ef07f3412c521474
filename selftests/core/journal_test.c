// SPDX-License-Identifier: GPL-2.0
/*
 * The journal (R17): what was said to be durable is there after any crash, and
 * what is not there any more is noticed. A group of one writes to a file in
 * memory that keeps every write apart, so that a crash can come between any two.
 */
#include "vr_journal_write.h"
#include "vr_replica.h"
#include "vr_restore.h"
#include "vrt.h"

#define BODY_BYTES_MAX 1024

#define BLOCK		256
#define WRITES_MAX	400
#define SCAN_MAX	VR_JOURNAL_WRITE_BYTES_MAX

/** struct stroke - one write, and what the member had said by then */
struct stroke {
	u64 offset;
	u8 *bytes;
	u32 count;
	bool synced;		/* it, and all before, was made stable then */
	u64 acked;		/* newest op that was answered before it */
};

struct box {
	struct vrt *t;
	struct vr_config cfg;
	struct vr_replica *r;
	struct vr_effects *fx;
	struct vr_info *info;
	struct vr_journal journal;
	struct vr_journal_shape shape;
	struct vr_journal_scan *scan;
	u8 *buffer;
	u8 *file;
	u64 file_bytes;
	struct stroke *strokes;
	u32 stroke_count;
	u64 now_ns;
	u64 session;
	u64 request;
	u64 acked;
	u64 value;
};

static void configure(struct vr_config *cfg)
{
	cfg->replica_count = 1;
	cfg->nonce = 77;
	cfg->seed = 1;
	cfg->journal = true;
	cfg->heartbeat_ns = 10 * VR_NS_PER_MS;
	cfg->view_timeout_ns = 50 * VR_NS_PER_MS;
	cfg->log_entries = VR_ENTRIES_MIN;
	cfg->body_bytes_max = BODY_BYTES_MAX;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * BODY_BYTES_MAX;
	cfg->messages = 4;
	cfg->message_bytes = 2 * BODY_BYTES_MAX;
	cfg->sessions_max = 2;
	cfg->counters_max = 2;
	cfg->pending_max = 4;
}

static void step(struct box *b, struct vr_event *event);

static void write_part(struct box *b, const struct vr_part *part, bool keep)
{
	struct stroke *s;

	if (!part->count)
		return;
	VRT_ASSERT(b->t, part->offset + part->count <= b->file_bytes);
	memcpy(b->file + part->offset, part->bytes, part->count);
	if (!keep)
		return;
	VRT_ASSERT(b->t, b->stroke_count < WRITES_MAX);
	s = &b->strokes[b->stroke_count];
	s->offset = part->offset;
	s->count = part->count;
	s->bytes = vrt_alloc(b->t, part->count);
	memcpy(s->bytes, part->bytes, part->count);
	s->acked = b->acked;
	b->stroke_count++;
}

/* Returns whether the replica was told. */
static void perform(struct box *b, const struct vr_write *w)
{
	bool keep = b->strokes;
	struct vr_event event = {
		.type = VR_EVENT_DURABLE, .log_epoch = w->epoch, .op = w->op,
		.promise = w->promise,
	};

	write_part(b, &w->parts[0], keep);
	write_part(b, &w->parts[1], keep);
	if (w->sync && keep)
		b->strokes[b->stroke_count - 1].synced = true;
	vr_journal_done(&b->journal, w);
	if (w->durable && b->session != U64_MAX)
		step(b, &event);
}

static void work(struct box *b)
{
	struct vr_write w;

	while (vr_journal_next(&b->journal, b->r, &w))
		perform(b, &w);
	VRT_ASSERT(b->t, !b->journal.full);
}

static void step(struct box *b, struct vr_event *event)
{
	const char *broken;
	u32 i;

	event->now_ns = b->now_ns += 1000;
	vr_step(b->r, event, b->fx);
	for (i = 0; i < b->fx->done_count; i++) {
		const struct vr_done *done = &b->fx->done[i];

		VRT_ASSERT_EQUAL(b->t, done->outcome, VR_OUTCOME_APPLIED);
		VRT_ASSERT_EQUAL(b->t, done->result.error, 0);
		b->acked = done->result.index;
		b->value = done->result.last;
		if (!b->session)
			b->session = b->acked;
	}
	broken = vr_replica_check(b->r);
	VRT_ASSERT(b->t, vrt_holds(b->t, !broken, __FILE__, __LINE__, broken));
}

static void start(struct box *b)
{
	struct vr_event event = { .type = VR_EVENT_START };

	step(b, &event);
	work(b);
}

static void ask(struct box *b, u8 kind, u64 argument)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT };

	event.submit.kind = kind;
	event.submit.session = kind == VR_KIND_SESSION_BEGIN ? 0 : b->session;
	event.submit.request = ++b->request;
	event.submit.argument = argument;
	step(b, &event);
	work(b);
}

static void begin_session(struct box *b)
{
	b->session = 0;
	b->request = b->acked;	/* a number never used by this life */
	ask(b, VR_KIND_SESSION_BEGIN, 0);
	VRT_ASSERT(b->t, b->session);
	b->request = 0;
}

static void count(struct box *b, u32 times)
{
	u64 before = b->value;
	u32 i;

	for (i = 0; i < times; i++)
		ask(b, VR_KIND_NEXT, 1);
	VRT_ASSERT_EQUAL(b->t, b->value, before + times);
}

static struct box *box_new(struct vrt *t, bool keep)
{
	struct box *b = vrt_alloc(t, sizeof(*b));
	struct vr_event event = { .type = VR_EVENT_FORM, .form_id = 9 };
	struct vr_write w;

	b->t = t;
	configure(&b->cfg);
	VRT_ASSERT(t, !vr_config_invalid(&b->cfg));
	vr_journal_shape_for(&b->cfg, 0, BLOCK, &b->shape);
	b->file_bytes = vr_journal_file_bytes(&b->shape);
	b->file = vrt_alloc(t, b->file_bytes);
	b->buffer = vrt_alloc(t, SCAN_MAX);
	b->scan = vrt_alloc(t, sizeof(*b->scan));
	b->fx = vrt_alloc(t, sizeof(*b->fx));
	b->info = vrt_alloc(t, sizeof(*b->info));
	b->r = vr_replica_init(vrt_alloc(t, vr_replica_size(&b->cfg)), &b->cfg);
	b->journal.frame = vrt_alloc(t, VR_JOURNAL_WRITE_BYTES_MAX);
	b->journal.checkpoint = vrt_alloc(t, b->shape.checkpoint_bytes);
	b->journal.owner.self_id = 5;
	if (keep)
		b->strokes = vrt_alloc(t, WRITES_MAX * sizeof(*b->strokes));
	vr_journal_create(&b->journal, &b->shape, &w);
	perform(b, &w);
	start(b);
	step(b, &event);
	work(b);
	begin_session(b);
	return b;
}

/* Looks at an image of the file. */
static enum vr_journal_verdict look(struct box *b, const u8 *file)
{
	u64 offset;
	u32 bytes;
	u8 *into;

	vr_scan_begin(b->scan, b->buffer, b->file_bytes);
	while (vr_scan_wants(b->scan, &offset, &bytes, &into)) {
		VRT_ASSERT(b->t, offset + bytes <= b->file_bytes);
		memcpy(into, file + offset, bytes);
		vr_scan_took(b->scan);
	}
	return b->scan->verdict;
}

/* A new life of the replica, from an image that was just looked at, or what is wrong. */
static const char *try_restore(struct box *b, const u8 *file)
{
	const char *wrong;
	u64 offset;
	u32 bytes;
	u8 *into;

	memset(b->r, 0, vr_replica_size(&b->cfg));
	b->r = vr_replica_init(b->r, &b->cfg);
	wrong = vr_restore_begin(b->r, b->scan);
	while (!wrong && vr_scan_wants(b->scan, &offset, &bytes, &into)) {
		memcpy(into, file + offset, bytes);
		vr_scan_took(b->scan);
		wrong = vr_restore_took(b->r, b->scan, b->fx);
	}
	return wrong ? wrong : vr_restore_end(b->r, b->scan);
}

static void restore(struct box *b, const u8 *file)
{
	struct vr_journal fresh = {
		.frame = b->journal.frame,
		.checkpoint = b->journal.checkpoint,
		.owner = b->journal.owner,
	};
	const char *wrong = try_restore(b, file);

	VRT_ASSERT(b->t, vrt_holds(b->t, !wrong, __FILE__, __LINE__, wrong));
	vr_journal_open(&fresh, b->scan, b->r);
	b->journal = fresh;
}

/* The machine goes down and up again; @file is what its disk has kept. */
static void reboot(struct box *b, const u8 *file)
{
	u64 session = b->session;

	memmove(b->file, file, b->file_bytes);
	VRT_ASSERT_EQUAL(b->t, look(b, b->file), VR_JOURNAL_WHOLE);
	restore(b, b->file);
	b->session = U64_MAX;	/* nobody is told before it starts */
	work(b);
	b->session = session;
	start(b);
}

static void comes_back(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u64 acked, value;

	count(b, 20);
	acked = b->acked;
	value = b->value;
	vr_replica_describe(b->r, b->info);
	VRT_EXPECT_EQUAL(t, b->info->incarnation, 1);
	reboot(b, b->file);
	vr_replica_describe(b->r, b->info);
	VRT_EXPECT_EQUAL(t, b->info->status, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, b->info->commit, acked);
	/* D15: a primary does not go on in its own view. */
	VRT_EXPECT_EQUAL(t, b->info->view, 1);
	VRT_EXPECT_EQUAL(t, b->info->incarnation, 2);
	/* The old session is still there, and its next request. */
	count(b, 1);
	VRT_EXPECT_EQUAL(t, b->value, value + 1);
	reboot(b, b->file);
	vr_replica_describe(b->r, b->info);
	VRT_EXPECT_EQUAL(t, b->info->incarnation, 3);
	count(b, 1);
	VRT_EXPECT_EQUAL(t, b->value, value + 2);
}

static void goes_round(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u32 i;

	for (i = 0; i < 30; i++) {
		count(b, 300);
		if (i % 5 == 4) {
			reboot(b, b->file);
			VRT_EXPECT_EQUAL(t, b->value, 300 * (i + 1));
		}
	}
	VRT_EXPECT(t, b->journal.super.sequence > 4);
	VRT_EXPECT(t, b->journal.position > 2 * b->shape.ring_bytes);
}

/* What was being written when the power went is torn, wherever that is. */
static void torn_tail(struct vrt *t)
{
	struct box *b = box_new(t, true);
	struct stroke *last;
	u64 end;
	u32 i;

	count(b, 3);
	VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_WHOLE);
	end = b->scan->end;
	count(b, 1);
	last = &b->strokes[b->stroke_count - 1];
	for (i = 0; i <= last->count; i++) {
		memset(b->file + last->offset, 0, last->count);
		memcpy(b->file + last->offset, last->bytes, i);
		VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_WHOLE);
		/* Behind the frame there is nothing but zeros. */
		if (i < VR_JOURNAL_FRAME_BYTES)
			VRT_ASSERT_EQUAL(t, b->scan->end, end);
	}
	VRT_EXPECT_EQUAL(t, b->scan->end, end + last->count);
}

static u64 first_frame(const struct box *b)
{
	return vr_journal_offset(&b->shape, b->journal.super.start);
}

/* A bit of what was stable turns over: noticed, or of no importance. */
static void rot(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u64 from, to, end, offset, position;

	count(b, 4);
	end = b->journal.position;
	vr_journal_close(&b->journal);
	work(b);
	VRT_ASSERT(t, b->journal.position > end);
	VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_WHOLE);
	VRT_ASSERT_EQUAL(t, b->scan->end, b->journal.position);
	from = first_frame(b);
	to = from + end - b->journal.super.start;
	for (offset = from; offset < to; offset++) {
		enum vr_journal_verdict verdict;

		b->file[offset] ^= 0x10;
		verdict = look(b, b->file);
		position = b->journal.super.start + offset - from;
		if (verdict == VR_JOURNAL_DAMAGED)
			VRT_ASSERT(t, b->scan->damage <= position);
		else	/* the padding of a block */
			VRT_ASSERT(t, verdict == VR_JOURNAL_WHOLE &&
				   b->scan->end == b->journal.position);
		b->file[offset] ^= 0x10;
	}
	/* Once is enough: idling writes nothing. */
	position = b->journal.position;
	vr_journal_close(&b->journal);
	work(b);
	VRT_EXPECT_EQUAL(t, b->journal.position, position);
}

static void rot_of_supers(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u64 slot = (b->journal.super.sequence & 1) * VR_JOURNAL_SUPER_BYTES;
	u32 i;

	count(b, 4);
	for (i = 0; i < VR_JOURNAL_SUPER_USED; i++) {
		b->file[slot + i] ^= 1;
		/* The other one is of before the group was formed. */
		VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_BLANK);
		VRT_ASSERT_EQUAL(t, b->scan->super_count, 1);
		b->file[slot + i] ^= 1;
	}
	b->file[9] ^= 1;
	b->file[VR_JOURNAL_SUPER_BYTES + 9] ^= 1;
	VRT_EXPECT_EQUAL(t, look(b, b->file), VR_JOURNAL_STRANGER);
	/* A journal of which the end was cut off is none. */
	b->file[9] ^= 1;
	vr_scan_begin(b->scan, b->buffer, b->file_bytes - 1);
	VRT_EXPECT_EQUAL(t, b->scan->verdict, VR_JOURNAL_STRANGER);
}

static void checkpoint_rots(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u64 at;

	while (b->journal.count.bases < 3)
		count(b, 50);
	VRT_ASSERT(t, b->journal.super.checkpoint_bytes);
	at = vr_journal_area(&b->shape, b->journal.super.area);
	b->file[at + b->journal.super.checkpoint_bytes - 1] ^= 4;
	VRT_EXPECT_EQUAL(t, look(b, b->file), VR_JOURNAL_DAMAGED);
	VRT_EXPECT(t, b->scan->checkpoint_damaged);
}

/* The image after some writes, one of those that were not stable yet missing or torn. */
static void image(struct box *b, u8 *file, u32 strokes, u32 without, u32 cut)
{
	u32 i;

	memset(file, 0, b->file_bytes);
	for (i = 0; i < strokes; i++) {
		const struct stroke *s = &b->strokes[i];

		memcpy(file + s->offset, s->bytes, i == without ? cut : s->count);
	}
}

/* Whatever the crash leaves of writes that were not stable: all that was said holds. */
static void crash_here(struct box *b, u8 *file, u32 strokes, u32 without, u32 cut, u64 acked)
{
	enum vr_journal_verdict verdict;

	image(b, file, strokes, without, cut);
	verdict = look(b, file);
	if (!acked && verdict != VR_JOURNAL_WHOLE) {
		VRT_ASSERT(b->t, verdict == VR_JOURNAL_BLANK || verdict == VR_JOURNAL_STRANGER);
		return;
	}
	VRT_ASSERT_EQUAL(b->t, verdict, VR_JOURNAL_WHOLE);
	restore(b, file);
	vr_replica_describe(b->r, b->info);
	VRT_ASSERT(b->t, b->info->op >= acked);
}

static void crash_anywhere(struct vrt *t)
{
	struct box *b = box_new(t, true);
	u8 *file = vrt_alloc(t, b->file_bytes);
	u32 strokes, stable = 0, i;

	count(b, 40);
	for (strokes = 1; strokes <= b->stroke_count; strokes++) {
		const struct stroke *last = &b->strokes[strokes - 1];
		u64 acked = last->acked;

		for (i = stable; i < strokes; i++) {
			crash_here(b, file, strokes, i, 0, acked);
			crash_here(b, file, strokes, i, b->strokes[i].count / 2, acked);
		}
		crash_here(b, file, strokes, U32_MAX, 0, acked);
		if (last->synced)
			stable = strokes;
	}
}

/* The same through a new base: checkpoint, frames, superblock. */
static void crash_in_base(struct vrt *t)
{
	struct box *b = box_new(t, false);
	u8 *before = vrt_alloc(t, b->file_bytes);
	u8 *file = vrt_alloc(t, b->file_bytes);
	u64 bases = b->journal.count.bases, acked;
	u32 strokes, stable = 0, i, j, cut;

	/* Until the next entry would begin one, then with all writes apart. */
	while (b->journal.position - b->journal.super.start <= b->shape.ring_bytes / 2)
		count(b, 1);
	VRT_ASSERT_EQUAL(t, b->journal.count.bases, bases);
	memcpy(before, b->file, b->file_bytes);
	b->strokes = vrt_alloc(t, WRITES_MAX * sizeof(*b->strokes));
	count(b, 3);
	VRT_ASSERT_EQUAL(t, b->journal.count.bases, bases + 1);
	for (strokes = 1; strokes <= b->stroke_count; strokes++) {
		acked = b->strokes[strokes - 1].acked;
		for (i = stable; i < strokes; i++) {
			for (cut = 0; cut <= b->strokes[i].count;
			     cut += b->strokes[i].count / 8 + 1) {
				memcpy(file, before, b->file_bytes);
				for (j = 0; j < strokes; j++)
					memcpy(file + b->strokes[j].offset, b->strokes[j].bytes,
					       j == i ? cut : b->strokes[j].count);
				VRT_ASSERT_EQUAL(t, look(b, file), VR_JOURNAL_WHOLE);
				restore(b, file);
				vr_replica_describe(b->r, b->info);
				VRT_ASSERT(t, b->info->op >= acked);
			}
		}
		if (b->strokes[strokes - 1].synced)
			stable = strokes;
	}
}

static void demoted(struct vrt *t)
{
	struct box *b = box_new(t, false);
	struct vr_event event = { .type = VR_EVENT_DEMOTE, .nonce = 99 };

	count(b, 4);
	step(b, &event);
	work(b);
	VRT_EXPECT_EQUAL(t, look(b, b->file), VR_JOURNAL_LOST);
}

static void disk_fails(struct vrt *t)
{
	struct box *b = box_new(t, false);
	struct vr_event event = { .type = VR_EVENT_DISK_FAILED };
	struct vr_write w;

	count(b, 4);
	step(b, &event);
	vr_replica_describe(b->r, b->info);
	VRT_EXPECT_EQUAL(t, b->info->status, VR_STATUS_HALTED);
	VRT_EXPECT_EQUAL(t, b->info->halt, VR_HALT_DISK);
	VRT_EXPECT(t, !vr_journal_next(&b->journal, b->r, &w));
}

/* What the operator allows now is less than what was written: nothing is cut to fit. */
static void larger_bodies(struct vrt *t)
{
	static const u8 body[BODY_BYTES_MAX];
	struct box *b = box_new(t, false);
	struct vr_event event = {
		.type = VR_EVENT_SUBMIT,
		.submit = {
			.kind = VR_KIND_APPEND, .session = b->session, .request = 1,
			.body = body, .body_bytes = sizeof(body),
		},
	};

	step(b, &event);
	work(b);
	VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_WHOLE);
	VRT_EXPECT(t, !try_restore(b, b->file));
	b->cfg.body_bytes_max /= 2;
	VRT_ASSERT(t, !vr_config_invalid(&b->cfg));
	VRT_ASSERT_EQUAL(t, look(b, b->file), VR_JOURNAL_WHOLE);
	VRT_EXPECT(t, try_restore(b, b->file));
}

static void shapes(struct vrt *t)
{
	struct vr_journal_shape small, large;
	struct vr_config *cfg = vrt_alloc(t, sizeof(*cfg));
	u64 bytes;

	configure(cfg);
	VRT_EXPECT(t, vr_journal_shape_for(cfg, 0, BLOCK, &small));
	bytes = vr_journal_file_bytes(&small);
	VRT_EXPECT(t, vr_journal_shape_for(cfg, bytes, BLOCK, &large));
	VRT_EXPECT_EQUAL(t, large.ring_bytes, small.ring_bytes);
	VRT_EXPECT(t, !vr_journal_shape_for(cfg, bytes - 1, BLOCK, &large));
	VRT_EXPECT(t, vr_journal_shape_for(cfg, bytes + 10 * BLOCK + 1, BLOCK, &large));
	VRT_EXPECT_EQUAL(t, large.ring_bytes, small.ring_bytes + 10 * BLOCK);
}

static struct vrt_case cases[] = {
	{ comes_back, "a new life has all of the last one, and a number of its own" },
	{ goes_round, "the ring goes round, and checkpoints keep it bounded" },
	{ torn_tail, "a write that was under way is cut off, wherever it is torn" },
	{ rot, "every byte that rots is noticed, or was nothing" },
	{ rot_of_supers, "a superblock that rots does not count" },
	{ checkpoint_rots, "a checkpoint that rots is noticed" },
	{ crash_anywhere, "what was answered survives a crash at every write" },
	{ crash_in_base, "what was answered survives a crash at every write of a checkpoint" },
	{ demoted, "a memory that is not trusted is not restored" },
	{ disk_fails, "whose disk fails takes no part, and writes no more" },
	{ larger_bodies, "a journal with larger entries than allowed is not restored" },
	{ shapes, "a file too small is refused, a larger one used" },
	{ }
};

VRT_SUITE(journal, cases);
