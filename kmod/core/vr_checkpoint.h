/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A checkpoint: the state machine after a named op, as bytes (R13). Owns the
 * format and the room for one; who needs it and where it comes from is
 * vr_repair.c's business.
 *
 * The same op gives the same bytes at every replica, so that the rest of a
 * checkpoint may come from another one than its beginning.
 */
#ifndef VR_CHECKPOINT_H
#define VR_CHECKPOINT_H

#include "vr_sm.h"

/**
 * struct vr_checkpoint - the newest one, or the part of one that is here so far
 * @bytes:	room for the largest one
 * @chunks:	bit mask of its chunks that are here, while it is being fetched
 * @size_max:	of @bytes
 * @body_bytes_max: of a message in it
 * @size:	of the checkpoint, 0 = there is none
 * @here:	bytes from its beginning that are here; all of @size unless it is
 *		being fetched
 * @op:		newest entry it contains, for which it is asked
 * @hash:	over all bytes, valid if @hashed
 * @wanted_hash: what @hash will be when all that is being fetched is here
 * @body_bytes:	of entries applied since
 * @taken:	number taken
 * @op_last:	newest op at which one was taken or made ours
 * @fetching:	we need it, since the logs of others
 * @behind_op:	begin behind this op
 * @source:	slot asked for it
 * @end:	what was asked for ends here
 * @came:	some of it has come since
 * @version:	first of the wire format that has all that is in it; of a fetched one
 *		once it was read
 */
struct vr_checkpoint {
	u8 *bytes;
	u8 *chunks;
	u32 size_max;
	u32 body_bytes_max;
	u32 size;
	u32 here;
	u64 op;
	u64 hash;
	bool hashed;
	u64 wanted_hash;
	u64 op_last;
	u64 body_bytes;
	u64 taken;
	bool fetching;
	u64 behind_op;
	u8 source;
	u32 end;
	bool came;
	u8 version;
};

/** vr_checkpoint_size_max - room needed for the largest checkpoint of @sm */
size_t vr_checkpoint_size_max(u32 counters_max, u32 sessions_max, u32 messages,
			      u32 message_bytes);

/** vr_checkpoint_chunk_count - chunks of a checkpoint of @bytes bytes */
static inline u32 vr_checkpoint_chunk_count(u32 bytes)
{
	return (bytes + VR_CHUNK_BYTES_MAX - 1) / VR_CHUNK_BYTES_MAX;
}

/** vr_checkpoint_expect - nothing of a checkpoint of @size bytes is here yet */
void vr_checkpoint_expect(struct vr_checkpoint *c, u64 op, u64 hash, u32 size);

/**
 * vr_checkpoint_put - keep a chunk of the checkpoint that is expected
 * @c:		checkpoint
 * @offset:	where it belongs
 * @chunk:	the bytes
 * @count:	of them
 *
 * Return: false if it is no chunk of it, or was here before.
 */
bool vr_checkpoint_put(struct vr_checkpoint *c, u32 offset, const u8 *chunk, u32 count);

/** vr_checkpoint_whole - is there a checkpoint to give away or to make ours? */
static inline bool vr_checkpoint_whole(const struct vr_checkpoint *c)
{
	return c->size && c->here == c->size;
}

/** vr_checkpoint_drop - there is none any more */
static inline void vr_checkpoint_drop(struct vr_checkpoint *c)
{
	c->size = 0;
	c->here = 0;
}

/**
 * vr_checkpoint_take - put the state machine into bytes
 * @c:		receives it
 * @sm:		the state after entry @op
 * @op:		newest entry applied
 * @entry_hash:	its chain hash
 */
void vr_checkpoint_take(struct vr_checkpoint *c, const struct vr_sm *sm, u64 op,
			u64 entry_hash);

/** vr_checkpoint_hash - hash of a whole checkpoint, computed when first asked for */
u64 vr_checkpoint_hash(struct vr_checkpoint *c);

/** vr_bytes_hash - a hash of bytes that tells apart what mistakes make */
u64 vr_bytes_hash(const u8 *bytes, u32 count, u64 hash);

/**
 * vr_checkpoint_read - the op of a whole checkpoint, if its bytes can be trusted
 * @c:		checkpoint
 * @sm:		the state machine it is meant for, not changed
 * @entry_hash:	receives the chain hash of entry @c->op
 *
 * Return: false if it is damaged or does not fit into @sm.
 */
bool vr_checkpoint_read(struct vr_checkpoint *c, struct vr_sm *sm, u64 *entry_hash);

/**
 * vr_checkpoint_restore - make @sm what a checkpoint says that _read() approved of
 * @c:		checkpoint
 * @sm:		receives the state
 *
 * Of two sessions with one id, which no member writes, the first is kept.
 */
void vr_checkpoint_restore(const struct vr_checkpoint *c, struct vr_sm *sm);

#endif /* VR_CHECKPOINT_H */
