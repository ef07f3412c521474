// SPDX-License-Identifier: GPL-2.0
/*
 * How records lie in the ring and how they go: one writer under core_lock, any
 * number of readers without a lock, told apart from what is overwritten under
 * them by the tail alone. Knows bytes and mappings, not the log.
 */
#include "ring.h"

#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <linux/vrseq.h>

#include "compat.h"
#include "engine.h"

#define RECORD_BYTES_MAX ALIGN(sizeof(struct vrseq_record) + VR_BODY_BYTES_MAX, 8)

static_assert(sizeof(struct vrseq_ring_header) <= VRSEQ_RING_DATA_OFFSET);
static_assert(VR_PIPELINE_MAX * RECORD_BYTES_MAX <= VRSEQ_RING_FEED_BYTES);

/* ---- records ---------------------------------------------------------------- */

static struct vrseq_record *at(const struct vrseq_ring *ring, u64 position)
{
	return (void *)ring->header + VRSEQ_RING_DATA_OFFSET +
	       (position & (VRSEQ_RING_DATA_BYTES - 1));
}

/* The oldest go first, for the readers to see before it happens. */
static struct vrseq_record *make_room(struct vrseq_ring *ring, u32 bytes)
{
	while (ring->head + bytes - ring->tail > VRSEQ_RING_DATA_BYTES)
		ring->tail += at(ring, ring->tail)->size;
	WRITE_ONCE(ring->header->tail, ring->tail);
	/* A reader that got any of what is written now finds this tail, too. */
	smp_wmb();
	return at(ring, ring->head);
}

static void publish(struct vrseq_ring *ring, u32 bytes)
{
	ring->head += bytes;
	/* A reader that sees this head sees all records before it. */
	smp_store_release(&ring->header->head, ring->head);
}

/* A record is in one piece: one that would not be begins at the start again. */
static struct vrseq_record *begin(struct vrseq_ring *ring, u32 bytes)
{
	u32 left = VRSEQ_RING_DATA_BYTES - (ring->head & (VRSEQ_RING_DATA_BYTES - 1));
	struct vrseq_record *pad;

	if (left < bytes) {
		pad = make_room(ring, left);
		pad->size = left;	/* there may be room for no more than this */
		pad->type = VRSEQ_RECORD_PAD;
		pad->member_id = 0;
		publish(ring, left);
	}
	return make_room(ring, bytes);
}

/** vrseq_ring_record_bytes - what a message of @body_bytes takes in the ring */
u32 vrseq_ring_record_bytes(u32 body_bytes)
{
	return ALIGN(sizeof(struct vrseq_record) + body_bytes, 8);
}

/**
 * vrseq_ring_skip - the next record is number @sequence
 * @ring:	mapped
 * @sequence:	not below the number that was to be next
 *
 * What is left out is lost for those who read the ring, and they are told.
 */
void vrseq_ring_skip(struct vrseq_ring *ring, u64 sequence)
{
	struct {
		struct vrseq_record record;
		u64 last;
	} *gap;

	if (ring->next == sequence)
		return;
	if (ring->next) {
		gap = (void *)begin(ring, sizeof(*gap));
		gap->record = (struct vrseq_record) {
			.size = sizeof(*gap),
			.type = VRSEQ_RECORD_GAP,
			.sequence = ring->next,
			.bytes = sizeof(gap->last),
		};
		gap->last = sequence - 1;
		publish(ring, sizeof(*gap));
	}
	ring->next = sequence;
}

/**
 * vrseq_ring_put - the next message
 * @ring:	mapped
 * @record:	its head; @sequence is the one the ring is at
 * @body:	its bytes
 */
void vrseq_ring_put(struct vrseq_ring *ring, const struct vrseq_record *record,
		    const u8 *body)
{
	struct vrseq_record *copy = begin(ring, record->size);

	*copy = *record;
	/* The last eight bytes first: what the message leaves of them stays zero. */
	if (record->size > sizeof(*record))
		*(u64 *)((u8 *)copy + record->size - sizeof(u64)) = 0;
	memcpy(copy + 1, body, record->bytes);
	ring->next = record->sequence + 1;
	WRITE_ONCE(ring->header->sequence_next, ring->next);
	publish(ring, record->size);
}

/**
 * vrseq_ring_end - say whether more can come
 * @ring:	mapped or not
 * @error:	why not, a negative errno; 0 = more can come
 */
void vrseq_ring_end(struct vrseq_ring *ring, int error)
{
	if (ring->header)
		/* Whoever sees it sees all records there are. */
		smp_store_release(&ring->header->error, -error);
}

/* ---- mappings --------------------------------------------------------------- */

/* Charged to who is the first to map it, until the last one has unmapped it. */
static struct vrseq_ring_header *create(void)
{
	struct vrseq_ring_header *header;

	header = __vmalloc(VRSEQ_RING_BYTES,
			   GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
	if (!header)
		return NULL;
	header->magic = VRSEQ_RING_MAGIC;
	header->version = VRSEQ_RING_VERSION;
	header->data_offset = VRSEQ_RING_DATA_OFFSET;
	header->data_bytes = VRSEQ_RING_DATA_BYTES;
	return header;
}

/* Also for the halves of a mapping that is cut, and for the copy in a child. */
static void open(struct vm_area_struct *vma)
{
	struct vrseq_engine *e = vma->vm_private_data;

	spin_lock_bh(&e->core_lock);
	e->ring.mappings++;
	spin_unlock_bh(&e->core_lock);
}

static void put(struct vrseq_engine *e)
{
	struct vrseq_ring_header *gone = NULL;

	spin_lock_bh(&e->core_lock);
	if (!--e->ring.mappings) {
		gone = e->ring.header;
		e->ring = (struct vrseq_ring){ .mappings = 0 };
	}
	spin_unlock_bh(&e->core_lock);
	vfree(gone);
}

static void close(struct vm_area_struct *vma)
{
	put(vma->vm_private_data);
}

/* No fault handler: pages that a process gives up by madvise() do not return. */
static const struct vm_operations_struct operations = {
	.open = open,
	.close = close,
};

/* The pages are there before anybody can see them, and stay as long as we count. */
static int get(struct vrseq_engine *e)
{
	struct vrseq_ring_header *header = NULL;
	int error;

	for (;;) {
		error = -ENETDOWN;
		spin_lock_bh(&e->core_lock);
		if (e->running) {
			if (!e->ring.header)
				swap(e->ring.header, header);
			error = e->ring.header ? 0 : -ENOMEM;
			e->ring.mappings += !error;
		}
		spin_unlock_bh(&e->core_lock);
		if (error != -ENOMEM)
			break;
		header = create();
		if (!header)
			return error;
	}
	vfree(header);
	return error;
}

static int insert(struct vm_area_struct *vma, void *header)
{
	unsigned long offset;
	int error = 0;

	for (offset = 0; offset < VRSEQ_RING_BYTES && !error; offset += PAGE_SIZE)
		error = vm_insert_page(vma, vma->vm_start + offset,
				       vmalloc_to_page(header + offset));
	return error;
}

/**
 * vrseq_ring_mmap - map the ring into a process, all of it, to be read
 * @e:		engine
 * @vma:	where
 *
 * Why nobody has a page longer than it exists, or another one than these, or
 * one that he can write:
 *
 * a) Pages are there while mappings of them are counted, from before their pages
 *    are in the first one until after they are gone from the last one. The mapping
 *    holds the open file, as every mapping of a file does; the file holds the group
 *    until its last reference is gone. Deleting the group is refused while a file
 *    is attached. If its namespace goes or it is torn down otherwise, nothing is
 *    written any more, the pages say why (vrseq_ring_end()) and stay. The module
 *    is held by the file as well.
 * b) Each page that is mapped has a reference of its own (vm_insert_page()), so
 *    not even an error of ours in a), or somebody who still has the page in a pipe,
 *    would get at another's memory.
 * c) The mapping begins at page 0 and is as long as the ring, so no address in
 *    it is beyond the ring. mremap() can move it, cut it, and not make it longer
 *    (VM_DONTEXPAND); it is merged with no neighbour. open() and close() count
 *    what is left of it, in whatever order parts of it go: with the last one, and
 *    under the lock that the engine writes under, the pages are nobody's.
 * d) VM_MAYWRITE is taken away, so mprotect() cannot make it writable, and being
 *    shared it is no copy-on-write mapping that ptrace could write to. The same
 *    goes for executing it.
 *
 * Return: 0; -EINVAL another length, an offset or MAP_PRIVATE, -EPERM PROT_WRITE
 * or PROT_EXEC, -ENOMEM, -ENETDOWN.
 */
int vrseq_ring_mmap(struct vrseq_engine *e, struct vm_area_struct *vma)
{
	int error;

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != VRSEQ_RING_BYTES ||
	    !(vma->vm_flags & VM_MAYSHARE))
		return -EINVAL;
	if (vma->vm_flags & (VM_WRITE | VM_EXEC))
		return -EPERM;
	error = get(e);
	if (error)
		return error;
	vm_flags_mod(vma, VM_DONTEXPAND | VM_DONTDUMP, VM_MAYWRITE | VM_MAYEXEC);
	error = insert(vma, e->ring.header);
	if (error) {
		put(e);
		return error;
	}
	vma->vm_private_data = e;
	vma->vm_ops = &operations;
	vrseq_engine_feed(e);
	return 0;
}

/* ---- sleeping --------------------------------------------------------------- */

/* 1 if there is something to be read at @position, 0 if not yet, or why never. */
static int look(struct vrseq_engine *e, u64 position)
{
	const struct vrseq_ring *ring = &e->ring;
	int ret = 0;

	spin_lock_bh(&e->core_lock);
	if (!ring->mappings)
		ret = -EINVAL;
	else if (ring->head != position)
		ret = 1;
	else
		ret = -(int)ring->header->error;
	spin_unlock_bh(&e->core_lock);
	return ret;
}

/**
 * vrseq_ring_wait - sleep until there is more than the caller has seen
 * @e:		engine
 * @position:	the head he saw
 * @deadline_ns: CLOCK_MONOTONIC, 0 = none
 * @nonblock:	do not sleep
 *
 * Return: 0, -EINVAL, -ETIMEDOUT, -EAGAIN, -ERESTARTSYS, or why nothing comes.
 */
int vrseq_ring_wait(struct vrseq_engine *e, u64 position, u64 deadline_ns, bool nonblock)
{
	ktime_t left = KTIME_MAX;
	int ret = look(e, position), error;

	if (ret)
		return min(ret, 0);
	if (nonblock)
		return -EAGAIN;
	if (deadline_ns && deadline_ns < KTIME_MAX) {
		left = ktime_sub(ns_to_ktime(deadline_ns), ktime_get());
		if (left <= 0)
			return -ETIMEDOUT;
	}
	error = wait_event_interruptible_hrtimeout(e->readers, (ret = look(e, position)), left);
	if (error)
		return error == -ETIME ? -ETIMEDOUT : error;
	return min(ret, 0);
}
