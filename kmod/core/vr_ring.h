/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A ring of consecutively numbered entries whose bodies lie in a ring of bytes:
 * the log, the messages kept for readers and the stage of a view change are
 * three of them. Owns memory and numbering; what an entry means, and when the
 * oldest may go, is its user's business.
 */
#ifndef VR_RING_H
#define VR_RING_H

#include "vr_types.h"

/**
 * struct vr_slot - an entry and where its body starts
 * @entry: the entry, its body in the arena
 * @start: offset of the body, counted on without wrapping
 */
struct vr_slot {
	struct vr_entry entry;
	u64 start;
};

/**
 * struct vr_ring - entries numbered @first .. @last; empty if @last + 1 == @first
 * @slots:	@slot_count of them, a power of 2
 * @arena:	@arena_bytes of them, a power of 2
 * @head:	where the next body starts, counted on without wrapping
 *
 * A body never wraps: one that would is moved to the start of the arena.
 */
struct vr_ring {
	struct vr_slot *slots;
	u8 *arena;
	u64 slot_count;
	u64 arena_bytes;
	u64 first;
	u64 last;
	u64 head;
};

/** vr_ring_reset - empty, the next entry gets number @next */
void vr_ring_reset(struct vr_ring *ring, u64 next);

/** vr_ring_get - the entry with a number, NULL if it is not held */
static inline struct vr_entry *vr_ring_get(const struct vr_ring *ring, u64 number)
{
	if (number < ring->first || number > ring->last)
		return NULL;
	return &ring->slots[number & (ring->slot_count - 1)].entry;
}

/**
 * vr_ring_fits - is there room without dropping the oldest entry?
 * @ring:	the ring
 * @body_bytes:	of the entry to come, at most half of the arena
 */
bool vr_ring_fits(const struct vr_ring *ring, u32 body_bytes);

/** vr_ring_start - where the oldest body starts, or the next one would */
u64 vr_ring_start(const struct vr_ring *ring);

/** vr_ring_drop_first - forget the oldest entry; the ring must not be empty */
void vr_ring_drop_first(struct vr_ring *ring);

/**
 * vr_ring_append - copy an entry and its body behind the newest
 * @ring:	the ring, where vr_ring_fits()
 * @entry:	the entry
 *
 * Return: the copy, numbered ring->last.
 */
struct vr_entry *vr_ring_append(struct vr_ring *ring, const struct vr_entry *entry);

/** vr_ring_truncate - forget all entries above @last, which is at least first - 1 */
void vr_ring_truncate(struct vr_ring *ring, u64 last);

#endif /* VR_RING_H */
