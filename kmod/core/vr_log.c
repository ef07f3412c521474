// SPDX-License-Identifier: GPL-2.0
/* See vr_log.h. */
#include "vr_bytes.h"
#include "vr_log.h"

void vr_log_reset(struct vr_log *log, u64 op_next)
{
	vr_ring_reset(&log->ring, op_next);
	log->base_hash = 0;
}

bool vr_log_hash(const struct vr_log *log, u64 op, u64 *hash)
{
	const struct vr_entry *entry = vr_log_get(log, op);

	if (entry) {
		*hash = entry->hash;
		return true;
	}
	*hash = log->base_hash;
	return op + 1 == log->ring.first;
}

/* The last, less than eight, bytes. */
static u64 get_rest(const u8 *bytes, u32 count)
{
	u64 word = 0;
	u32 i;

	for (i = 0; i < count; i++)
		word |= (u64)bytes[i] << (8 * i);
	return word;
}

u64 vr_entry_hash(const struct vr_entry *e, u64 previous)
{
	u64 hash = vr_hash_mix(previous, e->op);
	u32 i;

	hash = vr_hash_mix(hash, e->view);
	hash = vr_hash_mix(hash, e->session);
	hash = vr_hash_mix(hash, e->request);
	hash = vr_hash_mix(hash, e->argument);
	hash = vr_hash_mix(hash, (u64)e->topic << 32 | (u64)e->body_bytes << 16 | e->origin);
	hash = vr_hash_mix(hash, e->kind);
	for (i = 0; i + 8 <= e->body_bytes; i += 8)
		hash = vr_hash_mix(hash, vr_get64(e->body + i));
	if (i < e->body_bytes)
		hash = vr_hash_mix(hash, get_rest(e->body + i, e->body_bytes - i));
	return hash;
}

const struct vr_entry *vr_log_append(struct vr_log *log, const struct vr_entry *entry,
				     u64 drop_through)
{
	struct vr_ring *ring = &log->ring;
	struct vr_entry *copy;
	u64 previous;

	while (!vr_ring_fits(ring, entry->body_bytes)) {
		if (ring->first > drop_through)
			return NULL;
		log->base_hash = vr_ring_get(ring, ring->first)->hash;
		vr_ring_drop_first(ring);
	}
	vr_log_hash(log, ring->last, &previous);
	copy = vr_ring_append(ring, entry);
	copy->op = ring->last;
	copy->hash = vr_entry_hash(copy, previous);
	return copy;
}
