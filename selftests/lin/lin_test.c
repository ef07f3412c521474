// SPDX-License-Identifier: GPL-2.0
/*
 * The checker against an exhaustive search, against legal histories,
 * and against each way of being wrong. TAP; SEED=n for other histories. Owns
 * the reference search; knows nothing of the device.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lin.h"
#include "lin_file.h"

static uint64_t rng;
static int test_count, fail_count;

static uint64_t below(uint64_t n)
{
	return lin_random(&rng) % n;
}

static void result(bool ok, const char *name)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++test_count, name);
	fail_count += !ok;
}

/* ---- the reference: every linearization there is (Wing and Gong) ---- */

static bool search(const struct lin_op *ops, size_t count, unsigned int done, uint64_t value)
{
	unsigned int open = 0;
	size_t i, j;

	for (i = 0; i < count; i++)
		if (!(done & 1u << i) && ops[i].outcome == LIN_APPLIED)
			open |= 1u << i;
	if (!open)
		return true;
	for (i = 0; i < count; i++) {
		uint64_t next = value;

		if (done & 1u << i || ops[i].outcome == LIN_NOT_APPLIED)
			continue;
		for (j = 0; j < count; j++)
			if (open & 1u << j && j != i && ops[j].end_ns < ops[i].start_ns)
				break;
		if (j < count)
			continue;
		if (ops[i].kind == LIN_NEXT) {
			next += ops[i].count;
			if (ops[i].outcome == LIN_APPLIED &&
			    (ops[i].first != value + 1 || ops[i].last != next))
				continue;
		} else if (ops[i].outcome == LIN_APPLIED && ops[i].last != value) {
			continue;
		}
		if (search(ops, count, done | 1u << i, next))
			return true;
	}
	return false;
}

/* ---- random histories: run a counter, then say less, or lie ---- */

struct making {
	size_t count;
	unsigned int clients;
	unsigned int count_max;		/* of one NEXT */
	unsigned int unknown_percent;
	uint64_t initial;
};

/*
 * Each operation takes effect at its own instant, inside an interval that
 * reaches around it; one client's intervals do not overlap.
 */
static void make(struct lin_op *ops, const struct making *how)
{
	uint64_t busy[64] = { 0 }, value = how->initial, now = 10;
	size_t i;

	for (i = 0; i < how->count; i++) {
		unsigned int client = below(how->clients);
		struct lin_op *op = &ops[i];
		uint64_t early = below(4 * how->clients);

		now += 1 + below(3);
		if (now <= busy[client])
			now = busy[client] + 1;
		*op = (struct lin_op){ .client = client, .number = i, .index = i + 1 };
		op->start_ns = now - early > busy[client] && now > early ? now - early :
			       busy[client] + 1;
		op->end_ns = now + below(4 * how->clients);
		busy[client] = op->end_ns;
		op->kind = below(4) ? LIN_NEXT : LIN_GET;
		op->outcome = LIN_APPLIED;
		if (op->kind == LIN_NEXT) {
			op->count = 1 + below(how->count_max);
			op->first = value + 1;
			value += op->count;
		} else {
			op->first = value;
		}
		op->last = value;
		if (below(100) < how->unknown_percent) {
			op->outcome = LIN_UNKNOWN;
			op->first = 0;
			op->last = 0;
			op->index = 0;
			op->end_ns = 0;
			if (below(4) == 0 && op->kind == LIN_NEXT)
				value -= op->count;	/* it never happened */
		}
	}
}

/* Small and without care for what comes out. */
static void spoil(struct lin_op *ops, size_t count)
{
	struct lin_op *op = &ops[below(count)];

	switch (below(6)) {
	case 0:
		op->first += below(3) - 1;
		op->last = op->kind == LIN_NEXT ? op->first + op->count - 1 : op->first;
		break;
	case 1:
		op->start_ns += below(12);
		if (op->outcome == LIN_APPLIED && op->end_ns < op->start_ns)
			op->end_ns = op->start_ns;
		break;
	case 2:
		if (op->outcome == LIN_APPLIED && op->end_ns > op->start_ns)
			op->end_ns -= below(op->end_ns - op->start_ns + 1);
		break;
	case 3:
		op->outcome = LIN_NOT_APPLIED;
		break;
	case 4:
		op->outcome = LIN_UNKNOWN;
		break;
	case 5:
		if (op->kind == LIN_NEXT && op->outcome == LIN_UNKNOWN)
			op->count = 1 + below(3);
		break;
	}
}

static void print_history(const struct lin_op *ops, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		printf("#   kind %u outcome %u [%" PRIu64 ", %" PRIu64 "] count %u %" PRIu64
		       "..%" PRIu64 "\n", ops[i].kind, ops[i].outcome, ops[i].start_ns,
		       ops[i].end_ns, ops[i].count, ops[i].first, ops[i].last);
}

static void test_agreement(const char *name, unsigned int count_max, unsigned int histories)
{
	unsigned int h, legal = 0, rules[LIN_RULE_COUNT] = { 0 };
	struct lin_verdict verdict;
	bool ok = true;

	for (h = 0; h < histories && ok; h++) {
		struct making how = { .count = 1 + below(7), .clients = 1 + below(4),
				      .count_max = count_max, .initial = below(2) * below(1 << 20),
				      .unknown_percent = below(60) };
		struct lin_op ops[8];
		bool expected, got, ok_rule;
		unsigned int spoils = below(4);

		make(ops, &how);
		while (spoils--)
			spoil(ops, how.count);
		expected = search(ops, how.count, 0, how.initial);
		got = lin_check_counter(ops, how.count, 0, how.initial, &verdict);
		legal += expected;
		rules[verdict.rule]++;
		ok_rule = verdict.rule == LIN_OK;
		if (got != expected || got != ok_rule) {
			printf("# history %u from %" PRIu64 ": search says %d, checker %s\n", h,
			       how.initial, expected, lin_rule_name(verdict.rule));
			print_history(ops, how.count);
			ok = false;
		}
	}
	printf("# %u histories, %u legal:", h, legal);
	for (h = 0; h < LIN_RULE_COUNT; h++)
		if (rules[h])
			printf(" %s %u", lin_rule_name(h), rules[h]);
	printf("\n");
	/* Agreement on one side only would show little. */
	result(ok && legal > histories / 10 && legal < histories - histories / 10, name);
}

#define LONG_COUNT 400

static void test_long_legal(void)
{
	static struct lin_op ops[200000];
	struct making how = { .count = 200000, .clients = 32, .count_max = 1,
			      .unknown_percent = 2 };
	uint64_t before = lin_now_ns();
	struct lin_verdict verdict;
	bool ok;

	make(ops, &how);
	ok = lin_check_counter(ops, how.count, 0, 0, &verdict) &&
	     lin_check_order(ops, how.count, &verdict);
	printf("# 200000 operations in %" PRIu64 " ms: %s\n", (lin_now_ns() - before) / 1000000,
	       lin_rule_name(verdict.rule));
	result(ok, "a long legal history of 32 clients passes");

	how.count = LONG_COUNT;
	how.clients = 6;
	how.count_max = 4;
	for (int i = 0; i < 500 && ok; i++) {
		how.unknown_percent = below(10);
		make(ops, &how);
		ok = lin_check_counter(ops, how.count, 0, 0, &verdict);
	}
	result(ok, "500 legal histories with ranges and unknown ranges pass");
}

/* ---- one mutation each, on top of a legal history ---- */

static struct lin_op *pick(struct lin_op *ops, size_t count, enum lin_kind kind)
{
	struct lin_op *op;

	do
		op = &ops[below(count)];
	while (op->kind != kind || op->outcome != LIN_APPLIED);
	return op;
}

/* Two increments, the second began after the first had ended. */
static void pick_pair(struct lin_op *ops, size_t count, struct lin_op **a, struct lin_op **b)
{
	do {
		*a = pick(ops, count, LIN_NEXT);
		*b = pick(ops, count, LIN_NEXT);
	} while ((*a)->end_ns >= (*b)->start_ns);
}

static void swap_values(struct lin_op *a, struct lin_op *b)
{
	struct lin_op t = *a;

	a->first = b->first;
	a->last = b->last;
	b->first = t.first;
	b->last = t.last;
}

static void mutate_swap(struct lin_op *ops, size_t count)
{
	struct lin_op *a, *b;

	pick_pair(ops, count, &a, &b);
	swap_values(a, b);
}

static void mutate_duplicate(struct lin_op *ops, size_t count)
{
	struct lin_op *a = pick(ops, count, LIN_NEXT), *b;

	do
		b = pick(ops, count, LIN_NEXT);
	while (a == b);
	b->first = a->first;
	b->last = a->last;
}

static void mutate_drop(struct lin_op *ops, size_t count)
{
	struct lin_op *op;

	do
		op = pick(ops, count, LIN_NEXT);
	while (op->last + 1 >= LONG_COUNT / 2);
	op->kind = LIN_NONE;
}

static void mutate_deny(struct lin_op *ops, size_t count)
{
	struct lin_op *op;

	do
		op = pick(ops, count, LIN_NEXT);
	while (op->last + 1 >= LONG_COUNT / 2);
	op->outcome = LIN_NOT_APPLIED;
}

static void mutate_move(struct lin_op *ops, size_t count)
{
	struct lin_op *op, *last = &ops[count - 1];

	do
		op = pick(ops, count, LIN_NEXT);
	while (op->last >= LONG_COUNT / 2);
	op->start_ns = last->end_ns + 1;
	op->end_ns = op->start_ns + 1;
}

static void mutate_late_unknown(struct lin_op *ops, size_t count)
{
	struct lin_op *op;

	do
		op = pick(ops, count, LIN_NEXT);
	while (op->last >= LONG_COUNT / 2);
	op->outcome = LIN_UNKNOWN;
	op->start_ns = ops[count - 1].end_ns + 1;
}

static void mutate_stale_read(struct lin_op *ops, size_t count)
{
	struct lin_op *read, *op;

	do {
		read = pick(ops, count, LIN_GET);
		op = pick(ops, count, LIN_NEXT);
	} while (op->end_ns >= read->start_ns);
	read->last = op->first - 1;
	read->first = read->last;
}

static void mutate_future_read(struct lin_op *ops, size_t count)
{
	struct lin_op *read, *op;

	do {
		read = pick(ops, count, LIN_GET);
		op = pick(ops, count, LIN_NEXT);
	} while (read->end_ns >= op->start_ns);
	read->last = op->last;
	read->first = op->last;
}

static void mutate_lost_update(struct lin_op *ops, size_t count)
{
	uint64_t lost;
	size_t i, from;

	/* The counter fell back by one in the middle, as after a bad failover. */
	do
		from = count / 4 + below(count / 2);
	while (ops[from].kind != LIN_NEXT);
	lost = ops[from].count;
	for (i = from + 1; i < count; i++) {
		ops[i].first -= lost;
		ops[i].last -= lost;
	}
}

static void mutate_below_initial(struct lin_op *ops, size_t count)
{
	struct lin_op *op = pick(ops, count, LIN_NEXT);

	op->first = 0;
	op->last = op->first + op->count - 1;
}

static void test_mutation(const char *name, void (*mutate)(struct lin_op *ops, size_t count),
			  unsigned int count_max, unsigned int rules)
{
	struct making how = { .count = LONG_COUNT, .clients = 5, .count_max = count_max };
	struct lin_op ops[LONG_COUNT];
	struct lin_verdict verdict;
	bool ok = true;
	int i;

	for (i = 0; i < 200 && ok; i++) {
		make(ops, &how);
		ok = lin_check_counter(ops, how.count, 0, 0, &verdict);
		mutate(ops, how.count);
		ok = ok && !lin_check_counter(ops, how.count, 0, 0, &verdict) &&
		     rules & 1u << verdict.rule && (verdict.op[0] || verdict.op[1]);
	}
	if (!ok)
		printf("# round %d: %s\n", i, lin_rule_name(verdict.rule));
	result(ok, name);
}

#define RULE(r) (1u << LIN_##r)

static void test_mutations(void)
{
	test_mutation("two numbers swapped between two that did not overlap", mutate_swap, 1,
		      RULE(STALE));
	test_mutation("one number given twice", mutate_duplicate, 1, RULE(DUPLICATE));
	test_mutation("ranges that share numbers", mutate_duplicate, 5,
		      RULE(DUPLICATE) | RULE(SHAPE) | RULE(TORN));
	test_mutation("a number burned by nobody", mutate_drop, 1, RULE(PHANTOM));
	test_mutation("a range burned by nobody", mutate_drop, 5, RULE(PHANTOM));
	test_mutation("a number burned by one reported not applied", mutate_deny, 1,
		      RULE(PHANTOM));
	test_mutation("an old number given late", mutate_move, 3, RULE(STALE));
	test_mutation("a number burned by one that began too late", mutate_late_unknown, 1,
		      RULE(PHANTOM_TIME));
	test_mutation("a range burned by one that began too late", mutate_late_unknown, 4,
		      RULE(PHANTOM_TIME));
	test_mutation("a stale read", mutate_stale_read, 1, RULE(STALE));
	test_mutation("a read from the future", mutate_future_read, 1, RULE(STALE));
	test_mutation("a lost update", mutate_lost_update, 1, RULE(DUPLICATE) | RULE(STALE));
	test_mutation("a number not above the initial one", mutate_below_initial, 1,
		      RULE(RANGE));
}

static void test_torn_read(void)
{
	struct lin_op ops[] = {
		{ .kind = LIN_NEXT, .outcome = LIN_APPLIED, .start_ns = 1, .end_ns = 9,
		  .count = 4, .first = 1, .last = 4 },
		{ .kind = LIN_GET, .outcome = LIN_APPLIED, .start_ns = 1, .end_ns = 9,
		  .first = 2, .last = 2 },
	};
	struct lin_verdict verdict;

	result(!lin_check_counter(ops, 2, 0, 0, &verdict) && verdict.rule == LIN_TORN,
	       "a read of the middle of a range");
}

/* Only 3 + 2 and 1 + 4 fill the two gaps; the greedy 4 first would be wrong. */
static void test_fit(void)
{
	struct lin_op ops[] = {
		{ .kind = LIN_GET, .outcome = LIN_APPLIED, .start_ns = 1, .end_ns = 9,
		  .first = 5, .last = 5 },
		{ .kind = LIN_GET, .outcome = LIN_APPLIED, .start_ns = 1, .end_ns = 9,
		  .first = 10, .last = 10 },
		{ .kind = LIN_NEXT, .start_ns = 1, .count = 4 },
		{ .kind = LIN_NEXT, .start_ns = 1, .count = 3 },
		{ .kind = LIN_NEXT, .start_ns = 1, .count = 2 },
		{ .kind = LIN_NEXT, .start_ns = 1, .count = 1 },
	};
	struct lin_verdict verdict;
	bool ok = lin_check_counter(ops, 6, 0, 0, &verdict);

	ops[5].start_ns = 10;
	result(ok && !lin_check_counter(ops, 6, 0, 0, &verdict) &&
	       verdict.rule == LIN_PHANTOM_TIME, "unknown ranges are fitted into gaps");
}

/* Memory of several machines: a clock, then histories. Last, as it stops our own clock. */
static void test_device(void)
{
	char path[] = "/tmp/lin_test.XXXXXX", at[64], zero[sizeof(union lin_record)] = { 0 };
	uint64_t clock = 4711, found = 0;
	int fd = mkstemp(path);
	union lin_record *record;
	struct lin_file file;
	bool ok;

	snprintf(at, sizeof(at), "%s@%u", path, 2 * LIN_DEVICE_BYTES);
	ok = fd >= 0 && !ftruncate(fd, 4 * LIN_DEVICE_BYTES) &&
	     pwrite(fd, &clock, sizeof(clock), 0) == sizeof(clock) &&
	     !lin_file_create(&file, at, 1);
	result(ok && lin_now_ns() == clock, "the clock of a shared memory is its first number");
	if (!ok)
		return;
	clock++;
	ok = pwrite(fd, &clock, sizeof(clock), 0) == sizeof(clock) && lin_now_ns() == clock;
	result(ok, "and what is written there is the time at once");

	while ((record = lin_file_add(&file)))
		record->op.first = 1;
	ok = file.capacity == LIN_DEVICE_BYTES / sizeof(union lin_record) &&
	     pread(fd, &found, sizeof(found), 3 * LIN_DEVICE_BYTES - sizeof(union lin_record) +
		   offsetof(struct lin_op, first)) == sizeof(found) && found == 1 &&
	     pread(fd, zero, sizeof(zero), 3 * LIN_DEVICE_BYTES) == sizeof(zero) && !zero[0];
	result(ok, "a history there fills its piece and nothing after it");
	lin_file_close(&file);
	close(fd);
	unlink(path);
}

void test_log(uint64_t *seed, int *tests, int *fails);

int main(void)
{
	const char *seed = getenv("SEED");

	rng = (seed ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15ull | 1;
	printf("TAP version 13\n");
	test_agreement("agrees with the search, single increments", 1, 60000);
	test_agreement("agrees with the search, ranges", 3, 60000);
	test_long_legal();
	test_mutations();
	test_torn_read();
	test_fit();
	test_log(&rng, &test_count, &fail_count);
	test_device();
	printf("1..%d\n", test_count);
	return fail_count ? 1 : 0;
}
