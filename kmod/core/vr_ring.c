// SPDX-License-Identifier: GPL-2.0
/* See vr_ring.h. */
#include "vr_ring.h"

static struct vr_slot *slot(const struct vr_ring *ring, u64 number)
{
	return &ring->slots[number & (ring->slot_count - 1)];
}

void vr_ring_reset(struct vr_ring *ring, u64 next)
{
	ring->first = next;
	ring->last = next - 1;
	ring->head = 0;
}

static bool is_empty(const struct vr_ring *ring)
{
	return ring->last + 1 == ring->first;
}

static u64 body_start(const struct vr_ring *ring, u32 body_bytes)
{
	u64 mask = ring->arena_bytes - 1;

	if ((ring->head & mask) + body_bytes > ring->arena_bytes)
		return (ring->head + mask) & ~mask;
	return ring->head;
}

bool vr_ring_fits(const struct vr_ring *ring, u32 body_bytes)
{
	u64 end = body_start(ring, body_bytes) + body_bytes;

	if (is_empty(ring))
		return true;
	return ring->last - ring->first + 1 < ring->slot_count &&
	       end - slot(ring, ring->first)->start <= ring->arena_bytes;
}

u64 vr_ring_start(const struct vr_ring *ring)
{
	return (is_empty(ring) ? ring->head : slot(ring, ring->first)->start) &
	       (ring->arena_bytes - 1);
}

void vr_ring_drop_first(struct vr_ring *ring)
{
	vr_assert(!is_empty(ring));
	ring->first++;
}

struct vr_entry *vr_ring_append(struct vr_ring *ring, const struct vr_entry *entry)
{
	struct vr_slot *s = slot(ring, ring->last + 1);
	u8 *body;

	vr_assert(vr_ring_fits(ring, entry->body_bytes));
	s->start = body_start(ring, entry->body_bytes);
	body = ring->arena + (s->start & (ring->arena_bytes - 1));
	if (entry->body_bytes)
		memcpy(body, entry->body, entry->body_bytes);
	s->entry = *entry;
	s->entry.body = body;
	ring->head = s->start + entry->body_bytes;
	ring->last++;
	return &s->entry;
}

void vr_ring_truncate(struct vr_ring *ring, u64 last)
{
	vr_assert(last + 1 >= ring->first && last <= ring->last);
	if (last == ring->last)
		return;
	ring->head = slot(ring, last + 1)->start;
	ring->last = last;
}
