/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Histories on disk: 64-byte records of one machine's byte order,
 * written in place through a shared mapping, so that what a killed process had
 * begun is found in its file as begun and not ended.
 */
#ifndef VRSEQ_LIN_FILE_H
#define VRSEQ_LIN_FILE_H

#include "lin.h"

union lin_record {
	struct lin_op op;
	struct lin_delivery delivery;
};

_Static_assert(sizeof(union lin_record) == 64, "records are 64 bytes");
_Static_assert(offsetof(struct lin_op, kind) == offsetof(struct lin_delivery, kind),
	       "kind tells which of the two a record is");

/*
 * What a message of a test begins with; the bytes after it are lin_message()'s.
 * A reader finds the append it came from and can tell when a byte is wrong.
 */
struct lin_message {
	uint32_t magic;
	uint32_t client;
	uint32_t number;
	uint32_t bytes;		/* of the whole message */
};

#define LIN_MESSAGE_MAGIC 0x71736e6cu

struct lin_file {
	union lin_record *records;
	size_t capacity;
	size_t used;		/* records handed out; threads add atomically */
};

/* In a device that is memory: how much of it a history has. */
#define LIN_DEVICE_BYTES (1u << 20)

/*
 * Both: 0 or -errno. Create makes room for @capacity records, sparse. A path
 * DEVICE@OFFSET is memory that several machines share (QEMU's ivshmem): the
 * history is there from OFFSET on, and from now on lin_now_ns() is the number
 * at its beginning, which lin_clock keeps moving. It never goes back and all
 * see the same one, whatever becomes of their own clocks; so if one operation
 * ended at less than another began, it really came before.
 */
int lin_file_create(struct lin_file *file, const char *path, size_t capacity);
int lin_file_load(struct lin_file *file, const char *path);
void lin_file_close(struct lin_file *file);

/* The next free record, all zero; NULL when the file is full. */
union lin_record *lin_file_add(struct lin_file *file);

/* Fills a message of @bytes (at least the head) and returns its hash. */
uint64_t lin_message(void *buffer, uint32_t bytes, uint32_t client, uint32_t number);

uint64_t lin_now_ns(void);

/* xorshift64*: @state must not be 0. */
uint64_t lin_random(uint64_t *state);

#endif /* VRSEQ_LIN_FILE_H */
