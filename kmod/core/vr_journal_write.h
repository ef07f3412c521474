/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is written to a journal, and in which order: reads a replica, never
 * changes it, and says to whoever can write: these bytes there, then make them
 * stable, then the replica may be told. Nothing is copied before the disk is
 * ready for it, so that however slow it is there is no queue to overflow: what
 * has gathered meanwhile is one write.
 *
 *	while (vr_journal_next(j, r, &w)) {		with the replica locked
 *		write w.parts, flush if w.sync		without
 *		if it failed: VR_EVENT_DISK_FAILED, and never write again
 *		vr_journal_done(j, &w)			locked
 *		if w.durable: VR_EVENT_DURABLE with w.epoch, w.op, w.promise
 *	}
 */
#ifndef VR_JOURNAL_WRITE_H
#define VR_JOURNAL_WRITE_H

#include "vr_journal.h"

struct vr_config;
struct vr_replica;

/**
 * struct vr_written - how much of a replica frames say
 * @epoch:	its log_epoch when last looked at
 * @op:		entries up to here
 * @commit:	committed then, so that it never changes any more
 * @promise:	newest promise
 */
struct vr_written {
	u64 epoch;
	u64 op;
	u64 commit;
	u64 promise;
};

/**
 * struct vr_journal_counts - what was written since it was opened
 * @frames:	frames
 * @entries:	in them
 * @syncs:	flushes
 * @bases:	checkpoints
 * @bytes:	of all that
 */
struct vr_journal_counts {
	u64 frames;
	u64 entries;
	u64 syncs;
	u64 bases;
	u64 bytes;
};

/**
 * struct vr_journal - how far a replica is written down
 * @super:	in force on the disk
 * @next:	will be, when what it speaks of is on the disk
 * @owner:	for the next superblock
 * @frame:	VR_JOURNAL_WRITE_BYTES_MAX bytes
 * @checkpoint:	room for a copy of a checkpoint, as large as the replica's own
 * @phase:	of a new base, 0 = none is being written
 * @based:	frames at @position continue what is on the disk
 * @partial:	the frames since the last END are only a part
 * @closing:	nothing else comes for a while: write down how far it is stable
 * @full:	there is no room, which means that the shape is wrong
 * @position:	of the next frame
 * @chain:	checksum of the last one
 * @synced:	all before is stable
 * @guarded:	and so much of it a later frame says
 * @content:	behind the last frame that says more than that
 * @offset:	of the checkpoint: written so far
 * @written:	what the frames before @position say
 * @before:	and those before the base that is being written
 * @count:	what was written
 */
struct vr_journal {
	struct vr_journal_super super;
	struct vr_journal_super next;
	struct vr_journal_owner owner;
	u8 *frame;
	u8 *checkpoint;
	u8 phase;
	bool based;
	bool partial;
	bool closing;
	bool full;
	u64 position;
	u64 chain;
	u64 synced;
	u64 guarded;
	u64 content;
	u64 offset;
	struct vr_written written;
	struct vr_written before;
	struct vr_journal_counts count;
};

/** struct vr_part - bytes for one place in the file */
struct vr_part {
	u64 offset;
	const u8 *bytes;
	u32 count;
};

/**
 * struct vr_write - one thing to do
 * @parts:	to be written, the second one empty unless the ring ends between
 * @sync:	then make stable all that was ever written
 * @durable:	then tell the replica @epoch, @op and @promise
 */
struct vr_write {
	struct vr_part parts[2];
	bool sync;
	bool durable;
	u64 epoch;
	u64 op;
	u64 promise;
};

/**
 * vr_journal_shape_for - a file that can hold what replicas of a configuration need
 * @cfg:	configuration
 * @file_bytes:	length wanted, 0 = the smallest that works well
 * @block_bytes: see struct vr_journal_shape
 * @shape:	receives it
 *
 * Return: false if @file_bytes is too small; @shape is of the smallest then.
 */
bool vr_journal_shape_for(const struct vr_config *cfg, u64 file_bytes, u32 block_bytes,
			  struct vr_journal_shape *shape);

/**
 * vr_journal_create - an empty journal
 * @j:		@frame, @checkpoint and @owner are set, all else zero
 * @shape:	of the file
 * @w:		receives the first thing to do, before anything else
 */
void vr_journal_create(struct vr_journal *j, const struct vr_journal_shape *shape,
		       struct vr_write *w);

/**
 * vr_journal_open - go on with a journal
 * @j:		@frame, @checkpoint and @owner are set, all else zero
 * @s:		what the first pass of a scan found: not EMPTY, not a STRANGER
 * @r:		the replica it was restored to, NULL if it was not
 */
void vr_journal_open(struct vr_journal *j, const struct vr_journal_scan *s,
		     const struct vr_replica *r);

/**
 * vr_journal_next - what is to be done now
 * @j:	journal
 * @r:	its replica
 * @w:	receives it; points into @j until vr_journal_done()
 *
 * Return: false if there is nothing. With @j->full there is, and no room for it.
 */
bool vr_journal_next(struct vr_journal *j, const struct vr_replica *r, struct vr_write *w);

/** vr_journal_done - it was done, all of it */
void vr_journal_done(struct vr_journal *j, const struct vr_write *w);

/** vr_journal_close - nothing came for a while; vr_journal_next() may have more to do */
void vr_journal_close(struct vr_journal *j);

#endif /* VR_JOURNAL_WRITE_H */
