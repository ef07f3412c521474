/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of hostile_file share: what all processes have seen, and how one of them says
 * that the kernel broke a promise.
 */
#ifndef VRSEQ_HOSTILE_H
#define VRSEQ_HOSTILE_H

#include <stdbool.h>
#include <sys/types.h>

#include "../chardev/dev.h"
#include "../lib/uring.h"

#define PAGE		4096ul
#define NUMBERS		(1u << 24)	/* of the group's counter that are looked at */
#define WHAT_BYTES	256
#define FILES		4

/** enum hostile_call - kinds of calls; each has to succeed and to be refused */
enum hostile_call {
	CALL_INFO,
	CALL_ATTACH,
	CALL_STATUS,
	CALL_NEXT,
	CALL_GET,
	CALL_RESULT,
	CALL_APPEND,
	CALL_SEEK,
	CALL_BARRIER,
	CALL_RING_WAIT,
	CALL_COMPAT,
	CALL_READ,
	CALL_WRITE,
	CALL_LSEEK,
	CALL_POLL,
	CALL_SYNC,
	CALL_MMAP,
	CALL_FILE,
	CALL_FORK,
	CALL_URING,
	CALL_FOREIGN,
	CALL_COUNT,
};

/**
 * struct shared - between all processes
 * @largest:	number of the group's counter that anybody was given
 * @sequence:	largest of a message that was appended
 * @good:	calls that succeeded, @bad: that did not
 * @broken:	a promise was, and @what says which
 * @given:	a bit for each number that was given to a new operation
 */
struct shared {
	__u64 largest;
	__u64 sequence;
	__u64 good[CALL_COUNT];
	__u64 bad[CALL_COUNT];
	int broken;
	char what[WHAT_BYTES];
	unsigned char given[NUMBERS / 8];
};

/**
 * struct worker - a process
 * @random:	its state
 * @shared:	see above
 * @fds:	open files, -1 = none
 * @arena:	four pages: writable, read-only, writable, none
 * @bulk:	BULK_BYTES writable, then a page of none
 * @op_id:	of the last operation that succeeded, by any of them
 * @ring:	of io_uring, if @has_ring
 * @map:	of the ring of messages, or NULL
 * @compat:	this machine has the system calls of 32 bits
 * @child:	it is one already
 */
struct worker {
	__u64 random;
	struct shared *shared;
	int fds[FILES];
	unsigned char *arena;
	unsigned char *bulk;
	__u64 op_id;
	struct uring ring;
	bool has_ring;
	void *map;
	__u64 ring_bytes;
	bool compat;
	bool child;
};

#define BULK_BYTES	(5 * PAGE)

/* splitmix64 */
static inline __u64 random_bits(struct worker *w)
{
	__u64 z = w->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static inline unsigned int random_below(struct worker *w, unsigned int n)
{
	return random_bits(w) % n;
}

static inline bool one_in(struct worker *w, unsigned int n)
{
	return !random_below(w, n);
}

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ANY_OF(w, array) ((array)[random_below(w, ARRAY_SIZE(array))])

/* One that somebody may have forgotten. */
static inline __u64 wild_number(struct worker *w)
{
	static const __u64 numbers[] = {
		0, 1, ~0ull, ~0ull - 1, 1ull << 63, (1ull << 63) - 1, 1ull << 48, (1ull << 48) - 1,
		1ull << 32, (1ull << 32) - 1, 1ull << 31, 4096, 8193,
	};

	return one_in(w, 3) ? random_bits(w) : ANY_OF(w, numbers);
}

static inline int random_fd(struct worker *w)
{
	return w->fds[random_below(w, FILES)];
}

void broken(struct worker *w, const char *format, ...)
	__attribute__((noreturn, format(printf, 2, 3)));
void count_call(struct worker *w, enum hostile_call call, long got);
void raise_to(__u64 *value, __u64 to);
__u64 wild_pointer(struct worker *w);
void worker_begin(struct worker *w);
void worker_files(struct worker *w);
bool compat_works(void);

void hostile_ioctl(struct worker *w);
void hostile_call(struct worker *w);

#endif /* VRSEQ_HOSTILE_H */
