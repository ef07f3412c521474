/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The journal's bytes, Documentation/journal.rst: how a superblock, a frame and
 * an entry are written, and a scan that finds out what a file is worth. Knows
 * no replica, no file and no disk: a scan says what it wants to read next and
 * looks at what it was given. vr_journal_write.c decides what is written,
 * vr_restore.c what is made of it.
 */
#ifndef VR_JOURNAL_H
#define VR_JOURNAL_H

#include "vr_types.h"

#define VR_JOURNAL_SUPER_BYTES	4096	/* between the two superblocks */
#define VR_JOURNAL_SUPER_USED	256	/* of each */
#define VR_JOURNAL_HEAD_BYTES	(2 * VR_JOURNAL_SUPER_BYTES)
#define VR_JOURNAL_FRAME_BYTES	176	/* header of a frame */
#define VR_JOURNAL_ENTRY_BYTES	48	/* an entry without its body */
#define VR_JOURNAL_MEMBERS_MAX	7	/* the format's, whatever a build is made for */

/* Largest write: a frame, or so much of a checkpoint. Power of 2. */
#ifndef VR_JOURNAL_WRITE_BYTES_MAX
#define VR_JOURNAL_WRITE_BYTES_MAX 65536
#endif

/* Of a checkpoint, hashed one by one: 4096, but for builds with small bounds. */
#define VR_JOURNAL_CHUNK_BYTES	(VR_JOURNAL_WRITE_BYTES_MAX / 16)

/**
 * struct vr_journal_shape - how a file is divided
 * @block_bytes:	a frame begins at a multiple of it and ends it; power of 2
 * @checkpoint_bytes:	of each of the two checkpoint areas
 * @ring_bytes:		of the ring of frames
 */
struct vr_journal_shape {
	u32 block_bytes;
	u64 checkpoint_bytes;
	u64 ring_bytes;
};

/** struct vr_journal_owner - whose journal it is */
struct vr_journal_owner {
	u8 uuid[16];
	u16 self_id;
	u8 member_count;
	u16 member_ids[VR_JOURNAL_MEMBERS_MAX];
};

/**
 * struct vr_journal_super - where the truth begins
 * @sequence:		of two the larger one counts
 * @formed:		there is more than a promise to be a journal
 * @lost:		and that must not be trusted, or cannot
 * @area:		0, 1: which checkpoint area is in use
 * @checkpoint_op:	the state machine after this op is in it
 * @checkpoint_bytes:	its length; 0 = nothing was applied up to @checkpoint_op
 * @checkpoint_hash:	over them, see vr_journal_hash_chunk()
 * @entry_hash:		chain hash of entry @checkpoint_op
 * @start:		position of the first frame that counts
 * @chain:		what that frame says was before it
 */
struct vr_journal_super {
	u64 sequence;
	struct vr_journal_shape shape;
	struct vr_journal_owner owner;
	bool formed;
	bool lost;
	u8 area;
	u64 checkpoint_op;
	u64 checkpoint_bytes;
	u64 checkpoint_hash;
	u64 entry_hash;
	u64 start;
	u64 chain;
};

#define VR_FRAME_END	1	/* what the frames since the last END say holds now */
#define VR_FRAME_BASE	2	/* the log begins anew, after the checkpoint of a superblock */

/**
 * struct vr_frame - header of a frame: what the replica was when it was made
 * @flags:	VR_FRAME_
 * @bytes:	of header and entries
 * @entry_count: entries op_before + 1 .. op_before + entry_count follow
 * @position:	in the ring, counted on without wrapping
 * @synced:	all before this position was on stable storage by then
 * @chain:	checksum of the frame before
 * @generation:	and the rest: see struct vr_replica
 * @op_before:	what the log had above it before counts no more
 * @hash:	chain hash of the newest entry there is then
 * @vector:	crash vector
 */
struct vr_frame {
	u32 flags;
	u32 bytes;
	u32 entry_count;
	u64 position;
	u64 synced;
	u64 chain;
	u16 generation;
	u8 replica_count;
	u32 instance;
	u64 incarnation;
	u64 view;
	u64 last_normal_view;
	u64 commit;
	u64 op_before;
	u64 hash;
	u64 vector[VR_JOURNAL_MEMBERS_MAX];
};

static inline u64 vr_journal_round(u64 bytes, u64 to)
{
	return (bytes + to - 1) / to * to;
}

static inline u64 vr_journal_file_bytes(const struct vr_journal_shape *s)
{
	return VR_JOURNAL_HEAD_BYTES + 2 * s->checkpoint_bytes + s->ring_bytes;
}

static inline u64 vr_journal_area(const struct vr_journal_shape *s, u8 area)
{
	return VR_JOURNAL_HEAD_BYTES + area * s->checkpoint_bytes;
}

static inline u64 vr_journal_offset(const struct vr_journal_shape *s, u64 position)
{
	return VR_JOURNAL_HEAD_BYTES + 2 * s->checkpoint_bytes + position % s->ring_bytes;
}

/** vr_journal_hash_chunk - hash of a checkpoint through one more chunk of it */
u64 vr_journal_hash_chunk(const u8 *chunk, u32 bytes, u64 hash);

/** vr_journal_put_super - @at has VR_JOURNAL_SUPER_USED bytes */
void vr_journal_put_super(u8 *at, const struct vr_journal_super *super);

/** vr_journal_get_super - false if the bytes are no superblock */
bool vr_journal_get_super(const u8 *at, struct vr_journal_super *super);

/** vr_journal_entry_bytes - what an entry takes in a frame */
static inline u32 vr_journal_entry_bytes(const struct vr_entry *e)
{
	return VR_JOURNAL_ENTRY_BYTES + (e->body_bytes + 7) / 8 * 8;
}

/** vr_journal_put_entry - where the next one goes */
u8 *vr_journal_put_entry(u8 *at, const struct vr_entry *e);

/**
 * vr_journal_seal - write the header of a frame whose entries are there already
 * @at:	the frame
 * @f:	what the header says
 *
 * Return: the checksum, which the next frame has as @chain.
 */
u64 vr_journal_seal(u8 *at, const struct vr_frame *f);

/** struct vr_frame_reader - the entries of a frame, one after the other */
struct vr_frame_reader {
	const u8 *at;
	u32 left;
	u32 entries_left;
	u64 op;
};

/** vr_frame_entries - begin to read the entries of a frame that a scan gave */
void vr_frame_entries(struct vr_frame_reader *reader, const u8 *bytes, const struct vr_frame *f);

/**
 * vr_frame_next - the next entry
 * @reader:	where we are
 * @e:		receives it, its body in the frame, its hash 0
 *
 * Return: false if there is none; reader->left is 0 then, unless it is damaged.
 */
bool vr_frame_next(struct vr_frame_reader *reader, struct vr_entry *e);

/** enum vr_journal_verdict - what a scan found */
enum vr_journal_verdict {
	VR_JOURNAL_EMPTY,	/* a file without bytes: to be made a journal */
	VR_JOURNAL_STRANGER,	/* bytes that are no journal, or both superblocks lost */
	VR_JOURNAL_BLANK,	/* a journal of a member that was in no group yet */
	VR_JOURNAL_WHOLE,	/* all that was ever said to be durable is there */
	VR_JOURNAL_LOST,	/* says itself that there is no memory in it */
	VR_JOURNAL_DAMAGED,	/* something that was durable is not there any more */
	VR_JOURNAL_VERDICT_COUNT
};

/** vr_journal_verdict_name - in one lower-case word */
const char *vr_journal_verdict_name(enum vr_journal_verdict verdict);

/**
 * struct vr_journal_scan - a look at a whole file, in two passes
 * @verdict:	after the first pass
 * @super:	the superblock in force
 * @state:	the last frame with END that counts
 * @end:	position behind it: here writing goes on
 * @end_chain:	its checksum
 * @damage:	DAMAGED: position of the first frame that is not there, or the
 *		position where the ring starts if it is the checkpoint
 * @checkpoint_damaged: it is
 * @torn_bytes:	WHOLE: bytes behind @end that were being written
 * @frame_count: frames up to @end
 * @entry_count: in them
 * @super_count: valid superblocks
 * The rest is the scan's own.
 */
struct vr_journal_scan {
	enum vr_journal_verdict verdict;
	struct vr_journal_super super;
	struct vr_frame state;
	u64 end;
	u64 end_chain;
	u64 damage;
	bool checkpoint_damaged;
	u64 torn_bytes;
	u64 frame_count;
	u64 entry_count;
	u32 super_count;

	u8 step;
	bool replaying;
	u64 file_bytes;
	u64 at;
	u64 chain;
	u64 hash;
	u64 frames_seen;
	u64 entries_seen;
	u32 have;
	u32 want;
	struct vr_frame frame;
	bool frame_ready;
	u8 *buffer;
	u8 *checkpoint;
};

/**
 * vr_scan_begin - first pass: what is the file worth?
 * @s:		scan
 * @buffer:	VR_JOURNAL_WRITE_BYTES_MAX bytes
 * @file_bytes:	length of the file
 *
 * To be driven by whoever can read:
 *
 *	while (vr_scan_wants(s, &offset, &bytes, &into)) {
 *		read(offset, into, bytes) and then vr_scan_took(s),
 *		or vr_scan_failed(s) if it cannot be read
 *	}
 */
void vr_scan_begin(struct vr_journal_scan *s, u8 *buffer, u64 file_bytes);

/**
 * vr_scan_replay - second pass: all that counts, in order
 * @s:		scan of a WHOLE journal, first pass done
 * @checkpoint:	receives the checkpoint, super.checkpoint_bytes; NULL to skip it
 *
 * Driven in the same way; after each vr_scan_took() vr_scan_frame() may have one.
 */
void vr_scan_replay(struct vr_journal_scan *s, u8 *checkpoint);

bool vr_scan_wants(struct vr_journal_scan *s, u64 *offset, u32 *bytes, u8 **into);
void vr_scan_took(struct vr_journal_scan *s);
void vr_scan_failed(struct vr_journal_scan *s);

/** vr_scan_frame - the frame just read, its bytes in s->buffer, header in s->frame */
static inline bool vr_scan_frame(const struct vr_journal_scan *s)
{
	return s->frame_ready;
}

#endif /* VR_JOURNAL_H */
