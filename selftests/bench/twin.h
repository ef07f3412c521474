/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a replica of twin.c and its local callers talk: words in shared memory, and an eventfd each
 * way to wake who sleeps. Of what can wake a process that is the cheapest here: a futex that two
 * processes share looks its page up, a socket copies the message in and out.
 *
 * A caller connects to the replica's socket and is sent three descriptors: the memory, the
 * eventfd of the replica, the one of the caller; and the number of its slot.
 */
#ifndef VRSEQ_BENCH_TWIN_H
#define VRSEQ_BENCH_TWIN_H

#include <stdatomic.h>
#include <stdint.h>

#define TWIN_SLOTS	256
#define TWIN_WORDS	(TWIN_SLOTS / 64)
#define TWIN_BODY	8192

/* One caller, one operation at a time. Written by the caller, then by the replica. */
struct twin_slot {
	uint32_t kind;		/* enum vr_kind: SESSION_BEGIN, NEXT, APPEND, GET */
	uint32_t read;		/* enum vr_read of GET */
	uint64_t argument;
	uint32_t bytes;
	int32_t error;
	uint64_t first, last;
	atomic_uint done;
	uint8_t body[TWIN_BODY];
} __attribute__((aligned(64)));

/**
 * struct twin_area - what a replica shares with its callers
 * @asked:	a bit for each slot whose caller has just asked
 * @sleeps:	the replica does, or is about to: an eventfd must wake it
 * @ready:	there is a group, and a quorum
 * @primary:	slot of the primary
 * @prepares:	PREPARE messages this replica has made
 */
struct twin_area {
	atomic_ullong asked[TWIN_WORDS];
	atomic_uint sleeps;
	atomic_uint ready;
	atomic_uint primary;
	atomic_ullong prepares;
	struct twin_slot slots[TWIN_SLOTS];
};

#endif /* VRSEQ_BENCH_TWIN_H */
