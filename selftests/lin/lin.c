// SPDX-License-Identifier: GPL-2.0
/*
 * Counters: the exact check of increment-and-get histories.
 *
 * Every applied operation carries its place in the order: NEXT its numbers, GET
 * the last number it saw. So the order is forced, up to reads of one value, and
 * a history is legal iff no operation ended before one ordered ahead of it
 * began, and every number owned by nobody can be given to an operation of
 * unknown outcome that began early enough.
 *
 * Owns no state between calls and knows neither log nor device.
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"

/* After so many attempts at fitting unknown ranges of unequal counts, give up. */
#define FIT_STEPS_MAX 4000000

static const struct {
	const char *name;
	const char *text;
} rules[LIN_RULE_COUNT] = {
	[LIN_OK] = { "OK", "linearizable" },
	[LIN_NOMEM] = { "NOMEM", "the checker is out of memory" },
	[LIN_UNDECIDED] = { "UNDECIDED", "gave up fitting unknown ranges into gaps" },
	[LIN_SHAPE] = { "SHAPE", "ends before it starts, or not the count asked for" },
	[LIN_RANGE] = { "RANGE", "not above the initial value" },
	[LIN_DUPLICATE] = { "DUPLICATE", "given out twice" },
	[LIN_TORN] = { "TORN", "a read saw the middle of a range" },
	[LIN_PHANTOM] = { "PHANTOM", "no operation explains this burned number" },
	[LIN_PHANTOM_TIME] = { "PHANTOM_TIME",
			       "all that could have burned this number began too late" },
	[LIN_STALE] = { "STALE", "ended before one that is ordered ahead of it began" },
	[LIN_CREATED] = { "CREATED", "delivered before or without an append" },
	[LIN_CORRUPT] = { "CORRUPT", "delivered with other bytes than were appended" },
	[LIN_REVIVED] = { "REVIVED", "delivered, though reported as not applied" },
	[LIN_DISAGREE] = { "DISAGREE", "one sequence holds two messages" },
	[LIN_HOLE] = { "HOLE", "a reader skipped, repeated or went back" },
	[LIN_VANISHED] = { "VANISHED", "acknowledged, and not in the log" },
	[LIN_FIFO] = { "FIFO", "one client's messages are out of order" },
	[LIN_ORDER] = { "ORDER", "numbers do not ascend along the total order" },
};

const char *lin_rule_name(enum lin_rule rule)
{
	return rule < LIN_RULE_COUNT ? rules[rule].name : "?";
}

const char *lin_rule_text(enum lin_rule rule)
{
	return rule < LIN_RULE_COUNT ? rules[rule].text : "?";
}

uint64_t lin_hash(const void *data, size_t bytes)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325ull;

	while (bytes--)
		hash = (hash ^ *p++) * 0x100000001b3ull;
	return hash;
}

static bool verdict_op(struct lin_verdict *verdict, enum lin_rule rule, uint64_t value,
		       const struct lin_op *a, const struct lin_op *b)
{
	*verdict = (struct lin_verdict){ .rule = rule, .value = value, .op = { a, b } };
	return rule == LIN_OK;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By last number; a read of n comes after the increment that gave n. */
static int compare_known(const void *x, const void *y)
{
	const struct lin_op *a = *(const struct lin_op *const *)x;
	const struct lin_op *b = *(const struct lin_op *const *)y;
	int c = compare_u64(a->last, b->last);

	if (c)
		return c;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return compare_u64(a->start_ns, b->start_ns);
}

/* The fitting wants one run per count, and in each the earliest first. */
static int compare_unknown(const void *x, const void *y)
{
	const struct lin_op *a = *(const struct lin_op *const *)x;
	const struct lin_op *b = *(const struct lin_op *const *)y;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return compare_u64(a->start_ns, b->start_ns);
}

/* A run of numbers owned by nobody; a read inside splits it. */
struct gap {
	uint64_t first;
	uint64_t last;
	uint64_t start_max;	/* who burned it began at or before that */
	const struct lin_op *before;	/* the operation that tells so */
};

/* Unknown operations that asked for the same count. */
struct supply {
	uint64_t size;
	const struct lin_op **ops;	/* ascending start */
	size_t op_count;
	size_t used;
};

struct fit {
	const struct gap *gaps;
	size_t gap_count;
	struct supply *supplies;
	size_t supply_count;
	bool timeless;		/* ignore when they began */
	unsigned int steps;
	size_t deepest;		/* first gap that could never be filled */
};

static size_t fit_available(const struct fit *fit, const struct supply *supply,
			    uint64_t start_max)
{
	size_t low = supply->used, high = supply->op_count;

	if (fit->timeless)
		return high - low;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (supply->ops[middle]->start_ns <= start_max)
			low = middle + 1;
		else
			high = middle;
	}
	return low - supply->used;
}

/*
 * Fill @left numbers of gap @g with supplies @s and on, then the gaps after it.
 * What fits in time for one gap fits for all later ones, so operations of one
 * count are interchangeable, and taking the earliest of them is never wrong.
 */
static bool fit_fill(struct fit *fit, size_t g, size_t s, uint64_t left)
{
	struct supply *supply;
	size_t most, n;

	while (!left) {
		if (++g == fit->gap_count)
			return true;
		left = fit->gaps[g].last - fit->gaps[g].first + 1;
		s = 0;
	}
	if (g > fit->deepest)
		fit->deepest = g;
	if (s == fit->supply_count || ++fit->steps > FIT_STEPS_MAX)
		return false;

	supply = &fit->supplies[s];
	most = fit_available(fit, supply, fit->gaps[g].start_max);
	if (most > left / supply->size)
		most = left / supply->size;
	/* The last kind has to fill the rest: one choice. */
	n = s + 1 == fit->supply_count ? most : 0;
	for (; n <= most; n++) {
		size_t take = s + 1 == fit->supply_count ? most : most - n;
		bool done;

		supply->used += take;
		if (s + 1 == fit->supply_count && take * supply->size != left)
			done = false;
		else
			done = fit_fill(fit, g, s + 1, left - take * supply->size);
		if (done)
			return true;
		supply->used -= take;
	}
	return false;
}

static bool fit_all(struct fit *fit, bool timeless)
{
	size_t s;

	for (s = 0; s < fit->supply_count; s++)
		fit->supplies[s].used = 0;
	fit->timeless = timeless;
	fit->steps = 0;
	fit->deepest = 0;
	return !fit->gap_count ||
	       fit_fill(fit, 0, 0, fit->gaps[0].last - fit->gaps[0].first + 1);
}

static bool check_gaps(const struct gap *gaps, size_t gap_count,
		       const struct lin_op **unknown, size_t unknown_count,
		       struct lin_verdict *verdict)
{
	struct fit fit = { .gaps = gaps, .gap_count = gap_count };
	const struct gap *gap;
	enum lin_rule rule;
	size_t i;

	if (!gap_count)
		return verdict_op(verdict, LIN_OK, 0, NULL, NULL);
	fit.supplies = calloc(unknown_count + 1, sizeof(*fit.supplies));
	if (!fit.supplies)
		return verdict_op(verdict, LIN_NOMEM, 0, NULL, NULL);
	qsort(unknown, unknown_count, sizeof(*unknown), compare_unknown);
	for (i = 0; i < unknown_count; i++) {
		if (!i || unknown[i]->count != unknown[i - 1]->count)
			fit.supplies[fit.supply_count++] = (struct supply){
				.size = unknown[i]->count, .ops = unknown + i };
		fit.supplies[fit.supply_count - 1].op_count++;
	}

	if (fit_all(&fit, false)) {
		free(fit.supplies);
		return verdict_op(verdict, LIN_OK, 0, NULL, NULL);
	}
	gap = &gaps[fit.deepest];
	if (fit.steps > FIT_STEPS_MAX) {
		rule = LIN_UNDECIDED;
	} else if (fit_all(&fit, true)) {
		rule = LIN_PHANTOM_TIME;
	} else {
		rule = fit.steps > FIT_STEPS_MAX ? LIN_UNDECIDED : LIN_PHANTOM;
		gap = &gaps[fit.deepest];
	}
	free(fit.supplies);
	return verdict_op(verdict, rule, gap->first, gap->before, NULL);
}

/* Numbers: owned once, above the initial one, whole ranges; fills @gaps. */
static bool check_numbers(const struct lin_op **known, size_t count,
			  const struct lin_op **first_to_end, uint64_t initial,
			  struct gap *gaps, size_t *gap_count,
			  struct lin_verdict *verdict)
{
	const struct lin_op *increment = NULL, *read = NULL;
	uint64_t covered = initial;
	size_t i;

	*gap_count = 0;
	for (i = 0; i < count; i++) {
		const struct lin_op *op = known[i];
		/* The last number that has to be owned before this one. */
		uint64_t below = op->kind == LIN_NEXT ? op->first - 1 : op->last;

		if (op->kind == LIN_GET ? op->last < initial : op->first <= initial)
			return verdict_op(verdict, LIN_RANGE, op->first, op, NULL);
		if (op->kind == LIN_NEXT && increment && op->first <= increment->last)
			return verdict_op(verdict, LIN_DUPLICATE, op->first, increment, op);
		if (op->kind == LIN_NEXT && read && op->first <= read->last)
			return verdict_op(verdict, LIN_TORN, read->last, op, read);
		if (below > covered) {
			gaps[(*gap_count)++] = (struct gap){
				.first = covered + 1, .last = below,
				.start_max = first_to_end[i]->end_ns,
				.before = first_to_end[i] };
		}
		covered = op->last;
		if (op->kind == LIN_NEXT)
			increment = op;
		else
			read = op;
	}
	return verdict_op(verdict, LIN_OK, 0, NULL, NULL);
}

/* Nobody may have ended before someone of a smaller key began. */
static bool check_real_time(const struct lin_op **known, size_t count,
			    struct lin_verdict *verdict)
{
	const struct lin_op *latest = NULL, *group_latest = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct lin_op *op = known[i];

		if (i && (op->last != known[i - 1]->last || op->kind != known[i - 1]->kind))
			latest = group_latest;
		if (latest && op->end_ns < latest->start_ns)
			return verdict_op(verdict, LIN_STALE, op->last, latest, op);
		if (!group_latest || op->start_ns > group_latest->start_ns)
			group_latest = op;
	}
	return verdict_op(verdict, LIN_OK, 0, NULL, NULL);
}

bool lin_check_counter(const struct lin_op *ops, size_t count, uint16_t counter,
		       uint64_t initial, struct lin_verdict *verdict)
{
	const struct lin_op **known = calloc(count + 1, sizeof(*known));
	const struct lin_op **unknown = calloc(count + 1, sizeof(*unknown));
	const struct lin_op **first_to_end = calloc(count + 1, sizeof(*first_to_end));
	struct gap *gaps = calloc(count + 1, sizeof(*gaps));
	size_t known_count = 0, unknown_count = 0, gap_count, i;
	bool ok = false;

	if (!known || !unknown || !first_to_end || !gaps) {
		verdict_op(verdict, LIN_NOMEM, 0, NULL, NULL);
		goto out;
	}
	for (i = 0; i < count; i++) {
		const struct lin_op *op = &ops[i];

		if ((op->kind != LIN_NEXT && op->kind != LIN_GET) || op->counter != counter ||
		    op->outcome == LIN_NOT_APPLIED)
			continue;
		if (op->outcome == LIN_UNKNOWN) {
			/* A read that nobody saw the answer of says nothing. */
			if (op->kind == LIN_NEXT && op->count)
				unknown[unknown_count++] = op;
			continue;
		}
		if (op->end_ns < op->start_ns || op->last < op->first ||
		    op->last - op->first != (op->kind == LIN_NEXT ? op->count - 1ull : 0)) {
			verdict_op(verdict, LIN_SHAPE, op->first, op, NULL);
			goto out;
		}
		known[known_count++] = op;
	}
	qsort(known, known_count, sizeof(*known), compare_known);
	for (i = known_count; i--; ) {
		first_to_end[i] = known[i];
		if (i + 1 < known_count && first_to_end[i + 1]->end_ns < known[i]->end_ns)
			first_to_end[i] = first_to_end[i + 1];
	}
	ok = check_numbers(known, known_count, first_to_end, initial, gaps, &gap_count, verdict) &&
	     check_real_time(known, known_count, verdict) &&
	     check_gaps(gaps, gap_count, unknown, unknown_count, verdict);
out:
	free(known);
	free(unknown);
	free(first_to_end);
	free(gaps);
	return ok;
}
