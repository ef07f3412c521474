// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * The log as a ring in memory, read without system calls. Owns the position and
 * the copy of one record; how the ring is written is above struct
 * vrseq_ring_header in <linux/vrseq.h>.
 *
 * The kernel overwrites records under us. So each is copied first and believed
 * after a look at the tail has shown that it was whole all the time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#pragma GCC visibility push(default)
#include "vrseq.h"
#pragma GCC visibility pop

#define PREFIX_BYTES 8	/* of a record: @size, @type */

struct vrseq_ring {
	const struct vrseq_ring_header *header;
	const unsigned char *data;
	uint64_t mask;
	uint64_t position;
	uint64_t expected;	/* number of the next message, 0 = any */
	uint64_t lost_first;
	uint64_t lost_last;
	size_t mapped_bytes;
	size_t record_bytes_max;
	int fd;
	uint64_t record[];
};

/* What load() made of the record at the position. */
enum loaded { LOADED, NOTHING, OVERRUN, BROKEN };

static int check(const struct vrseq_ring_header *header, size_t bytes)
{
	if (header->magic != VRSEQ_RING_MAGIC || header->version != VRSEQ_RING_VERSION ||
	    (header->data_bytes & (header->data_bytes - 1)) ||
	    header->data_offset + (size_t)header->data_bytes != bytes)
		return -EPROTO;
	return 0;
}

/* Behind the newest message; its number and the head belong together. */
static void start_now(struct vrseq_ring *ring)
{
	const struct vrseq_ring_header *header = ring->header;

	do {
		ring->position = __atomic_load_n(&header->head, __ATOMIC_ACQUIRE);
		ring->expected = __atomic_load_n(&header->sequence_next, __ATOMIC_ACQUIRE);
	} while (ring->position != __atomic_load_n(&header->head, __ATOMIC_ACQUIRE));
}

int vrseq_ring_open(struct vrseq *handle, int flags, struct vrseq_ring **ring)
{
	struct vrseq_info info;
	struct vrseq_ring *new;
	void *memory;
	int error = vrseq_info(handle, &info);

	if (error)
		return error;
	if (flags & ~VRSEQ_RING_NOW)
		return -EINVAL;
	if (!info.ring_bytes)
		return -EOPNOTSUPP;
	new = calloc(1, sizeof(*new) + info.record_bytes_max);
	if (!new)
		return -ENOMEM;
	memory = mmap(NULL, info.ring_bytes, PROT_READ, MAP_SHARED, vrseq_fd(handle), 0);
	if (memory == MAP_FAILED) {
		error = -errno;
		goto err_free;
	}
	error = check(memory, info.ring_bytes);
	if (error)
		goto err_unmap;

	new->header = memory;
	new->data = (const unsigned char *)memory + new->header->data_offset;
	new->mask = new->header->data_bytes - 1;
	new->mapped_bytes = info.ring_bytes;
	new->record_bytes_max = info.record_bytes_max;
	new->fd = vrseq_fd(handle);
	if (flags & VRSEQ_RING_NOW)
		start_now(new);
	else
		new->position = __atomic_load_n(&new->header->tail, __ATOMIC_ACQUIRE);
	*ring = new;
	return 0;

err_unmap:
	munmap(memory, info.ring_bytes);
err_free:
	free(new);
	return error;
}

void vrseq_ring_close(struct vrseq_ring *ring)
{
	if (!ring)
		return;
	munmap((void *)ring->header, ring->mapped_bytes);
	free(ring);
}

/* Word by word, as somebody writes there, too. */
static void copy(struct vrseq_ring *ring, const uint64_t *from, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		ring->record[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

/* The record at the position, checked and whole, or what is in its place. */
static enum loaded load(struct vrseq_ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->header->head, __ATOMIC_ACQUIRE);
	uint64_t offset = ring->position & ring->mask, room;
	const struct vrseq_record *record = (void *)ring->record;
	const uint64_t *from = (const void *)(ring->data + offset);
	enum loaded loaded = LOADED;

	if (ring->position == head)
		return NOTHING;
	room = ring->mask + 1 - offset;
	if (room > head - ring->position)
		room = head - ring->position;

	copy(ring, from, 1);
	if (record->size < PREFIX_BYTES || record->size % PREFIX_BYTES || record->size > room)
		loaded = BROKEN;
	else if (record->type == VRSEQ_RECORD_PAD)
		loaded = LOADED;
	else if (record->size < sizeof(*record) || record->size > ring->record_bytes_max)
		loaded = BROKEN;
	else
		copy(ring, from, record->size / PREFIX_BYTES);

	/* All of it was read before we look whether it was still there. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (ring->position < __atomic_load_n(&ring->header->tail, __ATOMIC_RELAXED))
		return OVERRUN;
	return loaded;
}

/* An error is told when all records were read that came before it. */
static int nothing(const struct vrseq_ring *ring)
{
	int error = __atomic_load_n(&ring->header->error, __ATOMIC_ACQUIRE);

	if (error && __atomic_load_n(&ring->header->head, __ATOMIC_ACQUIRE) == ring->position)
		return -error;
	return -EAGAIN;
}

int vrseq_ring_read(struct vrseq_ring *ring, struct vrseq_record *record, const void **message)
{
	const struct vrseq_record *here = (void *)ring->record;

	for (;;) {
		switch (load(ring)) {
		case NOTHING:
			return nothing(ring);
		case BROKEN:
			return -EPROTO;
		case OVERRUN:
			ring->position = __atomic_load_n(&ring->header->tail, __ATOMIC_ACQUIRE);
			continue;
		case LOADED:
			break;
		}
		if (here->type == VRSEQ_RECORD_MESSAGE)
			break;
		/* Of a gap the number of the message behind it tells all. */
		ring->position += here->size;
	}
	if (ring->expected && here->sequence != ring->expected) {
		/* Once; the record is for the next call. */
		ring->lost_first = ring->expected;
		ring->lost_last = here->sequence - 1;
		ring->expected = here->sequence;
		return -EPIPE;
	}
	if (here->bytes > here->size - sizeof(*here))
		return -EPROTO;
	ring->position += here->size;
	ring->expected = here->sequence + 1;
	*record = *here;
	*message = here + 1;
	return 0;
}

int vrseq_ring_wait(struct vrseq_ring *ring, uint64_t deadline_ns)
{
	struct vrseq_ring_wait wait = {
		.position = ring->position,
		.deadline_ns = deadline_ns,
	};

	return ioctl(ring->fd, VRSEQ_IOC_RING_WAIT, &wait) < 0 ? -errno : 0;
}

void vrseq_ring_lost(const struct vrseq_ring *ring, uint64_t *first, uint64_t *last)
{
	*first = ring->lost_first;
	*last = ring->lost_last;
}
