/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of io_uring as the tests need, with nothing but the kernel's header:
 * one ring, one thread, commands of /dev/vrseq and reads.
 */
#ifndef VRSEQ_TEST_URING_H
#define VRSEQ_TEST_URING_H

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/io_uring.h>
#include <linux/vrseq.h>

struct uring {
	int fd;
	unsigned int mask;
	unsigned int *sq_tail, *cq_head, *cq_tail;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
	unsigned int cqe_shift;
	unsigned int queued;
	void *rings;
	size_t rings_bytes, sqe_bytes;
};

/* Both queues hold @entries, a power of two. 0 or -errno. */
static inline int uring_open(struct uring *ring, unsigned int entries, unsigned int flags)
{
	struct io_uring_params p = { .flags = flags | IORING_SETUP_CQSIZE, .cq_entries = entries };
	size_t sq_bytes, cq_bytes;
	unsigned int *array, i;
	char *rings;

	memset(ring, 0, sizeof(*ring));
	ring->fd = syscall(__NR_io_uring_setup, entries, &p);
	if (ring->fd < 0)
		return -errno;
	ring->cqe_shift = !!(flags & IORING_SETUP_CQE32);
	sq_bytes = p.sq_off.array + p.sq_entries * sizeof(*array);
	cq_bytes = p.cq_off.cqes + (p.cq_entries << ring->cqe_shift) * sizeof(*ring->cqes);
	/* Both in one mapping, since 5.4. */
	ring->rings_bytes = sq_bytes > cq_bytes ? sq_bytes : cq_bytes;
	ring->sqe_bytes = entries * sizeof(struct io_uring_sqe);
	rings = mmap(NULL, ring->rings_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		     ring->fd, IORING_OFF_SQ_RING);
	ring->rings = rings;
	ring->sqes = mmap(NULL, ring->sqe_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
			  ring->fd, IORING_OFF_SQES);
	if (rings == MAP_FAILED || ring->sqes == MAP_FAILED)
		return -errno;
	ring->mask = entries - 1;
	ring->sq_tail = (void *)(rings + p.sq_off.tail);
	ring->cq_head = (void *)(rings + p.cq_off.head);
	ring->cq_tail = (void *)(rings + p.cq_off.tail);
	ring->cqes = (void *)(rings + p.cq_off.cqes);
	array = (void *)(rings + p.sq_off.array);
	for (i = 0; i < entries; i++)
		array[i] = i;
	return 0;
}

/* With whatever is under way. */
static inline void uring_close(struct uring *ring)
{
	munmap(ring->sqes, ring->sqe_bytes);
	munmap(ring->rings, ring->rings_bytes);
	close(ring->fd);
	memset(ring, 0, sizeof(*ring));
}

/* One more, submitted by the next uring_enter(). */
static inline struct io_uring_sqe *uring_queue(struct uring *ring, int fd, unsigned int opcode,
					       __u64 user_data)
{
	unsigned int tail = *ring->sq_tail;
	struct io_uring_sqe *sqe = &ring->sqes[tail & ring->mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->user_data = user_data;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ring->queued++;
	return sqe;
}

static inline struct io_uring_sqe *uring_command(struct uring *ring, int fd, unsigned int op,
						 void *argument, __u64 user_data)
{
	struct io_uring_sqe *sqe = uring_queue(ring, fd, IORING_OP_URING_CMD, user_data);
	struct vrseq_uring_cmd cmd = { .argument = (unsigned long)argument };

	sqe->cmd_op = op;
	memcpy(sqe->cmd, &cmd, sizeof(cmd));
	return sqe;
}

static inline struct io_uring_sqe *uring_read(struct uring *ring, int fd, void *buffer,
					      unsigned int bytes, __u64 user_data)
{
	struct io_uring_sqe *sqe = uring_queue(ring, fd, IORING_OP_READ, user_data);

	sqe->addr = (unsigned long)buffer;
	sqe->len = bytes;
	return sqe;
}

/* Submits what is queued and waits for @wait completions. 0 or -errno. */
static inline int uring_enter(struct uring *ring, unsigned int wait)
{
	int done = syscall(__NR_io_uring_enter, ring->fd, ring->queued, wait,
			   wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	if (done < 0)
		return -errno;
	ring->queued -= done;
	return 0;
}

/* The next completion, or NULL; uring_seen() gives it back. */
static inline struct io_uring_cqe *uring_peek(struct uring *ring)
{
	unsigned int head = *ring->cq_head;

	if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		return NULL;
	return &ring->cqes[(head & ring->mask) << ring->cqe_shift];
}

static inline void uring_seen(struct uring *ring)
{
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
}

#endif /* VRSEQ_TEST_URING_H */
