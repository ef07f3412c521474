/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring that readers map: the newest messages of the log, in pages that all
 * readers of a group share and none can write. Owns the pages and how records
 * lie in them; where the messages come from is the engine's business.
 *
 * Written under core_lock, by what makes messages readable, and only while
 * somebody has it mapped. A writer looks at nothing a reader does: readers that
 * are slow, dead or hostile cost it nothing. struct vrseq_ring_header in
 * uapi/linux/vrseq.h is the other side of the contract.
 */
#ifndef VRSEQ_RING_H
#define VRSEQ_RING_H

#include <linux/sizes.h>
#include <linux/types.h>

struct vm_area_struct;
struct vrseq_record;
struct vrseq_ring_header;
struct vrseq_engine;

#define VRSEQ_RING_DATA_OFFSET	SZ_4K
#define VRSEQ_RING_DATA_BYTES	SZ_2M	/* of records */
#define VRSEQ_RING_BYTES	(VRSEQ_RING_DATA_OFFSET + VRSEQ_RING_DATA_BYTES)

/* Of what comes at once: whoever read all before has half a ring of time. */
#define VRSEQ_RING_FEED_BYTES	(VRSEQ_RING_DATA_BYTES / 2)

/**
 * struct vrseq_ring - the writer's end; all of it under core_lock
 * @header:	the mapped pages; there are none while there is no mapping
 * @mappings:	of it, in all processes; nothing is written while there is none
 * @head:	where the next record begins, counted on without wrapping
 * @tail:	where the oldest record begins
 * @next:	sequence of the next record, 0 = of whatever comes first
 */
struct vrseq_ring {
	struct vrseq_ring_header *header;
	u32 mappings;
	u64 head;
	u64 tail;
	u64 next;
};

int vrseq_ring_mmap(struct vrseq_engine *e, struct vm_area_struct *vma);
int vrseq_ring_wait(struct vrseq_engine *e, u64 position, u64 deadline_ns, bool nonblock);

/* For the engine, with its core_lock held. */
u32 vrseq_ring_record_bytes(u32 body_bytes);
void vrseq_ring_skip(struct vrseq_ring *ring, u64 sequence);
void vrseq_ring_put(struct vrseq_ring *ring, const struct vrseq_record *record,
		    const u8 *body);
void vrseq_ring_end(struct vrseq_ring *ring, int error);

/** vrseq_ring_mapped - is there anybody to write for? */
static inline bool vrseq_ring_mapped(const struct vrseq_ring *ring)
{
	return ring->mappings;
}

#endif /* VRSEQ_RING_H */
