/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log: a ring of entries tied by a hash chain. Knows what an entry's hash
 * is and what may be dropped; not what is committed or why.
 */
#ifndef VR_LOG_H
#define VR_LOG_H

#include "vr_ring.h"

/**
 * struct vr_log - entries ring.first .. ring.last
 * @ring:	the entries, numbered by op
 * @base_hash:	hash of entry ring.first - 1
 */
struct vr_log {
	struct vr_ring ring;
	u64 base_hash;
};

/** vr_log_reset - empty, its next entry is @op_next, the hash before it 0 */
void vr_log_reset(struct vr_log *log, u64 op_next);

/** vr_log_get - the entry with number @op, NULL if it is not held */
static inline const struct vr_entry *vr_log_get(const struct vr_log *log, u64 op)
{
	return vr_ring_get(&log->ring, op);
}

/**
 * vr_log_hash - hash of entry @op
 * @log:	the log
 * @op:		ring.first - 1 .. ring.last
 * @hash:	receives it
 *
 * Return: false if @op is outside and the hash not known.
 */
bool vr_log_hash(const struct vr_log *log, u64 op, u64 *hash);

/** vr_entry_hash - hash of an entry that follows one with hash @previous */
u64 vr_entry_hash(const struct vr_entry *entry, u64 previous);

/**
 * vr_log_append - put an entry behind the newest
 * @log:	the log
 * @entry:	the entry; its op and hash are set here
 * @drop_through: entries up to this op may be dropped to make room
 *
 * Return: the copy in the log, or NULL if there is no room.
 */
const struct vr_entry *vr_log_append(struct vr_log *log, const struct vr_entry *entry,
				     u64 drop_through);

#endif /* VR_LOG_H */
