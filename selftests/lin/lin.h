/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is a recorded history of the sequencer and the log one that a
 * linearizable service could have produced?
 *
 * Arrays in, verdict out. Knows nothing of files, processes or the device; all
 * times come from one clock, whatever its unit. Two operations whose closed
 * intervals touch are concurrent.
 */
#ifndef VRSEQ_LIN_H
#define VRSEQ_LIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lin_kind {
	LIN_NONE = 0,		/* an unused slot of a file */
	LIN_NEXT = 1,
	LIN_GET = 2,
	LIN_APPEND = 3,
	LIN_DELIVERY = 4,
	LIN_LOST = 5,
	LIN_COMPLETE = 6,
};

/* The values of enum vrseq_outcome. */
enum lin_outcome {
	LIN_UNKNOWN = 0,	/* at any time from its start on, or never */
	LIN_APPLIED = 1,
	LIN_NOT_APPLIED = 2,	/* never */
};

/**
 * struct lin_op - one operation of one client
 * @start_ns:	before its first attempt
 * @end_ns:	after its first definite answer; not looked at if unknown
 * @first:	NEXT: first number, GET: value, APPEND: sequence
 * @last:	NEXT: last number, others: as @first
 * @index:	its place in the total order of all operations, 0 = not known
 * @hash:	of the message of an APPEND
 * @client:	who; a client does one operation after the other
 * @number:	its number at that client, ascending; both together are its name
 * @count:	NEXT: how many numbers were asked for
 * @counter:	which counter of the group
 * @kind:	LIN_NEXT, LIN_GET or LIN_APPEND; others are skipped
 * @outcome:	enum lin_outcome
 */
struct lin_op {
	uint64_t start_ns;
	uint64_t end_ns;
	uint64_t first;
	uint64_t last;
	uint64_t index;
	uint64_t hash;
	uint32_t client;
	uint32_t number;
	uint32_t count;
	uint16_t counter;
	uint8_t kind;
	uint8_t outcome;
};

/**
 * struct lin_delivery - one step of one reader, in the order it took them
 * @time_ns:	after the read
 * @first:	DELIVERY: sequence, LOST: first sequence the reader was told it lost
 * @last:	DELIVERY: as @first, LOST: last sequence lost
 * @index:	place in the total order of all operations, 0 = not known
 * @hash:	of the message
 * @reserved:	zero
 * @client:	name of the append, as its message says
 * @number:	the same
 * @reader:	who; one reader is one open file
 * @reserved16:	zero
 * @kind:	LIN_DELIVERY, LIN_LOST, or LIN_COMPLETE: this reader began at the
 *		first message and read all there was after everything had ended
 * @reserved8:	zero
 */
struct lin_delivery {
	uint64_t time_ns;
	uint64_t first;
	uint64_t last;
	uint64_t index;
	uint64_t hash;
	uint64_t reserved;
	uint32_t client;
	uint32_t number;
	uint32_t reader;
	uint16_t reserved16;
	uint8_t kind;
	uint8_t reserved8;
};

enum lin_rule {
	LIN_OK = 0,
	LIN_NOMEM,		/* the checker ran out of memory: no verdict */
	LIN_UNDECIDED,		/* gave up fitting unknown ranges: no verdict */
	LIN_SHAPE,		/* ends before it starts, or not the count asked for */
	LIN_RANGE,		/* a number not above the initial one */
	LIN_DUPLICATE,		/* two own one number, one sequence or one index */
	LIN_TORN,		/* a read saw the middle of a range */
	LIN_PHANTOM,		/* burned numbers that no unknown operation explains */
	LIN_PHANTOM_TIME,	/* the same, but some began too late */
	LIN_STALE,		/* ended before an earlier-ordered one began */
	LIN_CREATED,		/* delivered, never (or not yet) appended */
	LIN_CORRUPT,		/* delivered with other bytes */
	LIN_REVIVED,		/* delivered, though said to be not applied */
	LIN_DISAGREE,		/* one sequence, two messages */
	LIN_HOLE,		/* a reader skipped a sequence or went back */
	LIN_VANISHED,		/* acknowledged, and not in the log */
	LIN_FIFO,		/* one client's messages out of order */
	LIN_ORDER,		/* numbers do not ascend along the total order */
	LIN_RULE_COUNT,
};

/* The two offenders, where there are two; they point into the given arrays. */
struct lin_verdict {
	enum lin_rule rule;
	uint64_t value;		/* the number, sequence or index it is about */
	const struct lin_op *op[2];
	const struct lin_delivery *delivery[2];
};

/*
 * The NEXT and GET operations of one counter whose value was initial. Exact:
 * legal if and only if there is a linearization. O(n log n), but for unknown
 * operations of different counts, which have to be fitted by search.
 */
bool lin_check_counter(const struct lin_op *ops, size_t count, uint16_t counter,
		       uint64_t initial, struct lin_verdict *verdict);

/* The APPEND operations against what the readers saw. O(n log n). */
bool lin_check_log(const struct lin_op *ops, size_t count,
		   const struct lin_delivery *deliveries, size_t delivery_count,
		   struct lin_verdict *verdict);

/* All applied operations along their index: one order for the whole group. */
bool lin_check_order(const struct lin_op *ops, size_t count,
		     struct lin_verdict *verdict);

const char *lin_rule_name(enum lin_rule rule);
const char *lin_rule_text(enum lin_rule rule);

/* FNV-1a, 64 bits: the hash of messages. */
uint64_t lin_hash(const void *data, size_t bytes);

#endif /* VRSEQ_LIN_H */
