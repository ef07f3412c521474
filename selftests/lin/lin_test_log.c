// SPDX-License-Identifier: GPL-2.0
/*
 * The log and order checks against legal histories and each way of being wrong.
 */
#include <stdio.h>
#include <string.h>

#include "lin.h"
#include "lin_file.h"

#define APPENDS 60
#define READERS 3
#define STEPS (APPENDS + 2)

struct history {
	struct lin_op ops[APPENDS];
	size_t op_count;
	struct lin_delivery steps[READERS * STEPS];	/* reader by reader */
	size_t step_count;
};

static uint64_t *rng;

static uint64_t below(uint64_t n)
{
	return lin_random(rng) % n;
}

/* Four clients append; three readers see all of it; a few answers got lost. */
static void make(struct history *history)
{
	uint64_t busy[4] = { 0 }, number[4] = { 0 }, now = 100, sequence = 0;
	int i, r;

	memset(history, 0, sizeof(*history));
	for (i = 0; i < APPENDS; i++) {
		struct lin_op *op = &history->ops[history->op_count++];
		unsigned int client = below(4);

		now += 1 + below(4);
		sequence++;
		if (now <= busy[client])
			now = busy[client] + 1;
		*op = (struct lin_op){ .kind = LIN_APPEND, .outcome = LIN_APPLIED,
			.client = client, .number = ++number[client], .start_ns = now - below(3),
			.end_ns = now + below(20), .index = now, .first = sequence,
			.last = sequence, .hash = lin_random(rng) };
		if (op->start_ns <= busy[client])
			op->start_ns = busy[client] + 1;
		busy[client] = op->end_ns;
	}
	for (r = 0; r < READERS; r++) {
		uint64_t at = 0;

		for (i = 0; i < APPENDS; i++) {
			const struct lin_op *op = &history->ops[i];

			if (at < op->index)
				at = op->index;
			at += below(10);
			history->steps[history->step_count++] = (struct lin_delivery){
				.kind = LIN_DELIVERY, .reader = r, .time_ns = at,
				.first = op->first, .last = op->first, .index = op->index,
				.hash = op->hash, .client = op->client, .number = op->number };
		}
		history->steps[history->step_count++] = (struct lin_delivery){
			.kind = LIN_COMPLETE, .reader = r, .time_ns = at };
	}
	for (i = 0; i < 5; i++) {
		struct lin_op *op = &history->ops[below(APPENDS)];

		op->outcome = LIN_UNKNOWN;
		op->end_ns = 0;
		op->first = 0;
		op->last = 0;
		op->index = 0;
	}
}

static struct lin_delivery *step(struct history *history, int reader, size_t sequence)
{
	return &history->steps[reader * (APPENDS + 1) + sequence - 1];
}

static void cut(struct history *history, struct lin_delivery *from, size_t count)
{
	struct lin_delivery *end = history->steps + history->step_count;

	memmove(from, from + count, (char *)end - (char *)(from + count));
	history->step_count -= count;
}

static struct lin_op *applied(struct history *history)
{
	struct lin_op *op;

	do
		op = &history->ops[below(APPENDS)];
	while (op->outcome != LIN_APPLIED);
	return op;
}

static void none(struct history *history)
{
	(void)history;
}

static void payload_bit(struct history *history)
{
	int r, s = 1 + below(APPENDS);

	for (r = 0; r < READERS; r++)
		step(history, r, s)->hash ^= 1;
}

static void one_reader_other_bytes(struct history *history)
{
	step(history, below(READERS), 1 + below(APPENDS))->hash ^= 1;
}

static void one_reader_swapped(struct history *history)
{
	size_t s = 1 + below(APPENDS - 1);
	int r = below(READERS);
	struct lin_delivery *a = step(history, r, s), *b = step(history, r, s + 1), t = *a;

	a->client = b->client;
	a->number = b->number;
	a->hash = b->hash;
	b->client = t.client;
	b->number = t.number;
	b->hash = t.hash;
}

static void skipped(struct history *history)
{
	cut(history, step(history, below(READERS), 2 + below(APPENDS - 2)), 1);
}

static void skipped_silently_at_start(struct history *history)
{
	cut(history, step(history, below(READERS), 1), 1 + below(10));
}

/* Being told is legal. */
static void skipped_and_told(struct history *history)
{
	struct lin_delivery *at = step(history, READERS - 1, 5 + below(20));

	at->kind = LIN_LOST;
	at->last = at->first + 9;
	at->time_ns = at[9].time_ns;
	cut(history, at + 1, 9);
}

static void told_less_than_lost(struct history *history)
{
	skipped_and_told(history);
	for (size_t i = 0; i < history->step_count; i++)
		if (history->steps[i].kind == LIN_LOST)
			history->steps[i].last--;
}

static void went_back(struct history *history)
{
	struct lin_delivery *at = step(history, below(READERS), 2 + below(APPENDS - 2));

	at[0] = at[-1];
}

static void truncated(struct history *history)
{
	/* Acknowledged at the very end, and one replica does not have it. */
	history->ops[APPENDS - 1].outcome = LIN_APPLIED;
	history->ops[APPENDS - 1].end_ns = step(history, 0, APPENDS)->index;
	history->ops[APPENDS - 1].first = APPENDS;
	history->ops[APPENDS - 1].last = APPENDS;
	cut(history, step(history, below(READERS), APPENDS), 1);
}

static void vanished_everywhere(struct history *history)
{
	int r;

	truncated(history);
	for (r = READERS - 1; r >= 0; r--)
		for (size_t i = 0; i < history->step_count; i++)
			if (history->steps[i].first == APPENDS)
				cut(history, &history->steps[i], 1);
}

static void twice_in_log(struct history *history)
{
	size_t a = 1 + below(APPENDS / 2), b = a + 1 + below(APPENDS / 2 - 2);
	int r;

	for (r = 0; r < READERS; r++) {
		step(history, r, b)->client = step(history, r, a)->client;
		step(history, r, b)->number = step(history, r, a)->number;
		step(history, r, b)->hash = step(history, r, a)->hash;
	}
}

static void from_nowhere(struct history *history)
{
	size_t s = 1 + below(APPENDS);
	int r;

	for (r = 0; r < READERS; r++)
		step(history, r, s)->client = 77;
}

static void before_append(struct history *history)
{
	struct lin_op *op = &history->ops[APPENDS / 2 + below(APPENDS / 2)];
	struct lin_delivery *seen = step(history, 1, op - history->ops + 1);

	seen->time_ns = op->start_ns - 1;
}

static void denied(struct history *history)
{
	applied(history)->outcome = LIN_NOT_APPLIED;
}

static void answered_other_sequence(struct history *history)
{
	struct lin_op *op = applied(history);

	op->first += 1;
	op->last += 1;
}

static void answered_other_index(struct history *history)
{
	applied(history)->index += 1;
}

/* Swap two entries everywhere: all agree, yet real time or the client objects. */
static void swap_everywhere(struct history *history, struct lin_op *a, struct lin_op *b)
{
	size_t x = a - history->ops + 1, y = b - history->ops + 1;
	int r;

	for (r = 0; r < READERS; r++) {
		struct lin_delivery *p = step(history, r, x), *q = step(history, r, y), t = *p;

		p->client = q->client;
		p->number = q->number;
		p->hash = q->hash;
		q->client = t.client;
		q->number = t.number;
		q->hash = t.hash;
	}
	a->outcome = LIN_APPLIED;
	b->outcome = LIN_APPLIED;
	a->end_ns = a->end_ns ? a->end_ns : a->start_ns;
	b->end_ns = b->end_ns ? b->end_ns : b->start_ns;
	a->first = y;
	a->last = y;
	b->first = x;
	b->last = x;
	a->index = step(history, 0, y)->index;
	b->index = step(history, 0, x)->index;
}

static void client_overtook_itself(struct history *history)
{
	struct lin_op *a, *b;

	do {
		a = &history->ops[below(APPENDS)];
		b = &history->ops[below(APPENDS)];
	} while (a >= b || a->client != b->client);
	swap_everywhere(history, a, b);
	a->outcome = LIN_UNKNOWN;
	/* Seen early enough, so that only the order is wrong. */
	for (int r = 0; r < READERS; r++)
		for (size_t s = a - history->ops + 1; s <= APPENDS; s++)
			step(history, r, s)->time_ns += 10000;
}

static void overtook(struct history *history)
{
	struct lin_op *a, *b;

	do {
		a = applied(history);
		b = applied(history);
	} while (a->client == b->client || a->end_ns >= b->start_ns || b - a > 12);
	/* Other clients, so that nobody's own order is touched. */
	for (size_t i = 0; i < APPENDS; i++) {
		struct lin_op *op = &history->ops[i];

		op->client = i;
		op->number = 1;
		for (int r = 0; r < READERS; r++) {
			step(history, r, i + 1)->client = i;
			step(history, r, i + 1)->number = 1;
			step(history, r, i + 1)->time_ns += 10000;
		}
	}
	swap_everywhere(history, a, b);
}

static void index_falls(struct history *history)
{
	size_t s = 2 + below(APPENDS - 2);
	int r;

	for (r = 0; r < READERS; r++)
		step(history, r, s)->index = 1;
	history->ops[s - 1].index = 0;
}

static int *tests, *fails;

static void result(bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++*tests, name);
	*fails += !ok;
}

static void try(const char *name, void (*mutate)(struct history *history), unsigned int rules)
{
	static struct history history;
	struct lin_verdict verdict;
	bool ok = true;
	int i;

	for (i = 0; i < 300 && ok; i++) {
		make(&history);
		mutate(&history);
		ok = lin_check_log(history.ops, history.op_count, history.steps,
				   history.step_count, &verdict) == (verdict.rule == LIN_OK) &&
		     rules & 1u << verdict.rule;
	}
	if (!ok)
		printf("# round %d: %s at %llu\n", i, lin_rule_name(verdict.rule),
		       (unsigned long long)verdict.value);
	result(ok, name);
}

static void try_order(const char *name, enum lin_rule rule, struct lin_op a, struct lin_op b)
{
	struct lin_op ops[2] = { a, b };
	struct lin_verdict verdict;

	result(lin_check_order(ops, 2, &verdict) == (rule == LIN_OK) && verdict.rule == rule,
	       name);
}

#define RULE(r) (1u << LIN_##r)
#define OP(k, s, e, f, l, i) ((struct lin_op){ .kind = LIN_##k, .outcome = LIN_APPLIED, \
	.start_ns = s, .end_ns = e, .first = f, .last = l, .index = i })

void test_log(uint64_t *seed, int *test_count, int *fail_count);

void test_log(uint64_t *seed, int *test_count, int *fail_count)
{
	rng = seed;
	tests = test_count;
	fails = fail_count;
	try("log: legal histories pass", none, RULE(OK));
	try("log: a reader that was told its loss passes", skipped_and_told, RULE(OK));
	try("log: a bit of a message flipped", payload_bit, RULE(CORRUPT));
	try("log: one reader saw other bytes", one_reader_other_bytes, RULE(DISAGREE));
	try("log: one reader saw two messages swapped", one_reader_swapped, RULE(DISAGREE));
	try("log: a reader skipped one", skipped, RULE(HOLE));
	try("log: a complete reader did not begin at the first", skipped_silently_at_start,
	    RULE(HOLE));
	try("log: a reader lost more than it was told", told_less_than_lost, RULE(HOLE));
	try("log: a reader got one twice", went_back, RULE(HOLE));
	try("log: one replica lost the end", truncated, RULE(VANISHED));
	try("log: an acknowledged message vanished", vanished_everywhere, RULE(VANISHED));
	try("log: one message at two places", twice_in_log, RULE(DUPLICATE) | RULE(FIFO));
	try("log: a message nobody appended", from_nowhere, RULE(CREATED));
	try("log: a message read before it was appended", before_append, RULE(CREATED));
	try("log: a message reported not applied", denied, RULE(REVIVED));
	try("log: a sequence answered wrongly", answered_other_sequence,
	    RULE(DISAGREE) | RULE(VANISHED));
	try("log: an index answered wrongly", answered_other_index, RULE(DISAGREE));
	try("log: a client overtook itself", client_overtook_itself, RULE(FIFO) | RULE(STALE));
	try("log: real time not kept", overtook, RULE(STALE));
	try("log: an index falls", index_falls, RULE(ORDER));

	try_order("order: ascending passes", LIN_OK, OP(NEXT, 1, 2, 1, 1, 5),
		  OP(NEXT, 3, 4, 2, 3, 6));
	try_order("order: a read of the last number passes", LIN_OK, OP(NEXT, 1, 2, 1, 1, 5),
		  OP(GET, 3, 4, 1, 1, 6));
	try_order("order: one index twice", LIN_DUPLICATE, OP(NEXT, 1, 2, 1, 1, 5),
		  OP(APPEND, 1, 2, 1, 1, 5));
	try_order("order: the index goes against real time", LIN_STALE,
		  OP(NEXT, 1, 2, 1, 1, 6), OP(APPEND, 3, 4, 1, 1, 5));
	try_order("order: the numbers go against the index", LIN_ORDER,
		  OP(NEXT, 1, 9, 2, 2, 5), OP(NEXT, 1, 9, 1, 1, 6));
	try_order("order: a read goes against the index", LIN_ORDER,
		  OP(NEXT, 1, 9, 2, 2, 5), OP(GET, 1, 9, 1, 1, 6));
	try_order("order: sequences go against the index", LIN_ORDER,
		  OP(APPEND, 1, 9, 2, 2, 5), OP(APPEND, 1, 9, 1, 1, 6));
}
