// SPDX-License-Identifier: GPL-2.0
/*
 * The log: what readers saw against what was appended; and the total order of
 * all operations along their index.
 *
 * Owns no state between calls; knows neither counters' gaps nor the device.
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"

/* One sequence of the log, as everybody has to see it. */
struct entry {
	uint64_t sequence;
	uint64_t end_ns;		/* first seen, or append answered */
	const struct lin_op *op;
	const struct lin_delivery *delivery;
};

static bool verdict_log(struct lin_verdict *verdict, enum lin_rule rule, uint64_t value,
			const struct lin_op *a, const struct lin_op *b,
			const struct lin_delivery *c, const struct lin_delivery *d)
{
	*verdict = (struct lin_verdict){ .rule = rule, .value = value,
					 .op = { a, b }, .delivery = { c, d } };
	return rule == LIN_OK;
}

static bool verdict_ok(struct lin_verdict *verdict)
{
	return verdict_log(verdict, LIN_OK, 0, NULL, NULL, NULL, NULL);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_name(uint32_t client_a, uint32_t number_a, uint32_t client_b,
			uint32_t number_b)
{
	int c = compare_u64(client_a, client_b);

	return c ? c : compare_u64(number_a, number_b);
}

/* The address decides last: qsort() is not stable, and order matters here. */
static int by_reader(const void *x, const void *y)
{
	const struct lin_delivery *a = *(const struct lin_delivery *const *)x;
	const struct lin_delivery *b = *(const struct lin_delivery *const *)y;
	int c = compare_u64(a->reader, b->reader);

	return c ? c : a < b ? -1 : a > b;
}

static int by_sequence(const void *x, const void *y)
{
	const struct lin_delivery *a = *(const struct lin_delivery *const *)x;
	const struct lin_delivery *b = *(const struct lin_delivery *const *)y;
	int c = compare_u64(a->first, b->first);

	return c ? c : compare_u64(a->time_ns, b->time_ns);
}

static int by_entry_name(const void *x, const void *y)
{
	const struct lin_delivery *a = ((const struct entry *)x)->delivery;
	const struct lin_delivery *b = ((const struct entry *)y)->delivery;

	return compare_name(a->client, a->number, b->client, b->number);
}

static int by_entry_sequence(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = compare_u64(a->sequence, b->sequence);

	/* What was delivered first, so that its double finds it. */
	return c ? c : !!b->delivery - !!a->delivery;
}

static int by_name(const void *x, const void *y)
{
	const struct lin_op *a = *(const struct lin_op *const *)x;
	const struct lin_op *b = *(const struct lin_op *const *)y;

	return compare_name(a->client, a->number, b->client, b->number);
}

/* Each reader: no hole, nothing twice; and who says complete had better be. */
static bool check_readers(const struct lin_delivery **d, size_t count, uint64_t acked_max,
			  const struct lin_op *acked, bool *complete,
			  struct lin_verdict *verdict)
{
	uint64_t next = 0, begin = 0;
	bool lost = false;
	size_t i;

	qsort(d, count, sizeof(*d), by_reader);
	for (i = 0; i < count; i++) {
		const struct lin_delivery *step = d[i];

		if (!i || step->reader != d[i - 1]->reader) {
			next = 0;
			begin = step->first;
			lost = false;
		}
		if (step->kind == LIN_COMPLETE) {
			*complete |= !lost;
			if (next && begin != 1)
				return verdict_log(verdict, LIN_HOLE, 1, NULL, NULL, step, NULL);
			if ((next ? next : 1) <= acked_max)
				return verdict_log(verdict, LIN_VANISHED, acked_max, acked, NULL,
						   step, NULL);
			continue;
		}
		if ((next && step->first != next) || step->last < step->first)
			return verdict_log(verdict, LIN_HOLE, next, NULL, NULL,
					   step, i ? d[i - 1] : NULL);
		next = step->last + 1;
		lost |= step->kind == LIN_LOST;
	}
	return verdict_ok(verdict);
}

/* All readers: one message for one sequence; leaves one entry for each. */
static bool make_entries(const struct lin_delivery **d, size_t count, struct entry *entries,
			 size_t *entry_count, struct lin_verdict *verdict)
{
	struct entry *entry = NULL;
	size_t i;

	qsort(d, count, sizeof(*d), by_sequence);
	*entry_count = 0;
	for (i = 0; i < count; i++) {
		const struct lin_delivery *step = d[i], *same;

		if (step->kind != LIN_DELIVERY)
			continue;
		if (!entry || entry->sequence != step->first) {
			if (entry && entry->delivery->index && step->index &&
			    entry->delivery->index >= step->index)
				return verdict_log(verdict, LIN_ORDER, step->first, NULL, NULL,
						   entry->delivery, step);
			entry = &entries[(*entry_count)++];
			*entry = (struct entry){ .sequence = step->first, .delivery = step,
						 .end_ns = step->time_ns };
			continue;
		}
		same = entry->delivery;
		if (same->client != step->client || same->number != step->number ||
		    same->hash != step->hash || same->index != step->index)
			return verdict_log(verdict, LIN_DISAGREE, step->first, NULL, NULL,
					   same, step);
	}
	return verdict_ok(verdict);
}

/* Each entry: appended once, before it was seen, with these bytes. */
static bool check_integrity(struct entry *entries, size_t entry_count,
			    const struct lin_op **ops, size_t op_count,
			    struct lin_verdict *verdict)
{
	size_t i, o = 0;

	qsort(entries, entry_count, sizeof(*entries), by_entry_name);
	qsort(ops, op_count, sizeof(*ops), by_name);
	for (i = 0; i < entry_count; i++) {
		const struct lin_delivery *seen = entries[i].delivery;
		const struct lin_op *op;

		if (i && !by_entry_name(&entries[i - 1], &entries[i]))
			return verdict_log(verdict, LIN_DUPLICATE, seen->first, NULL, NULL,
					   entries[i - 1].delivery, seen);
		/* One client's messages: in the log in the order it sent them. */
		if (i && entries[i - 1].delivery->client == seen->client &&
		    entries[i - 1].sequence > entries[i].sequence)
			return verdict_log(verdict, LIN_FIFO, seen->first, NULL, NULL,
					   entries[i - 1].delivery, seen);
		while (o < op_count && compare_name(ops[o]->client, ops[o]->number,
						    seen->client, seen->number) < 0)
			o++;
		if (o == op_count || compare_name(ops[o]->client, ops[o]->number,
						  seen->client, seen->number))
			return verdict_log(verdict, LIN_CREATED, seen->first, NULL, NULL,
					   seen, NULL);
		op = ops[o];
		if (op->hash != seen->hash)
			return verdict_log(verdict, LIN_CORRUPT, seen->first, op, NULL, seen, NULL);
		if (op->outcome == LIN_NOT_APPLIED)
			return verdict_log(verdict, LIN_REVIVED, seen->first, op, NULL, seen, NULL);
		if (op->start_ns > seen->time_ns)
			return verdict_log(verdict, LIN_CREATED, seen->first, op, NULL, seen, NULL);
		if (op->outcome == LIN_APPLIED) {
			if (op->first != seen->first ||
			    (op->index && seen->index && op->index != seen->index))
				return verdict_log(verdict, LIN_DISAGREE, seen->first, op, NULL,
						   seen, NULL);
			if (op->end_ns < entries[i].end_ns)
				entries[i].end_ns = op->end_ns;
		}
		entries[i].op = op;
	}
	return verdict_ok(verdict);
}

/* Along the log: acknowledged is there, and nothing overtook in real time. */
static bool check_entries(struct entry *entries, size_t entry_count, bool complete,
			  struct lin_verdict *verdict)
{
	const struct lin_op *latest = NULL;
	uint64_t holder = 0;		/* of the sequence before this one */
	const struct entry *held = NULL;
	size_t i;

	qsort(entries, entry_count, sizeof(*entries), by_entry_sequence);
	for (i = 0; i < entry_count; i++) {
		const struct entry *entry = &entries[i];

		if (held && holder == entry->sequence) {
			/* What was seen and the answer to its append are one. */
			if (held->op == entry->op)
				continue;
			return verdict_log(verdict, held->delivery ? LIN_DISAGREE : LIN_DUPLICATE,
					   holder, held->op, entry->op, held->delivery, NULL);
		}
		held = entry;
		holder = entry->sequence;
		if (complete && !entry->delivery)
			return verdict_log(verdict, LIN_VANISHED, entry->sequence, entry->op, NULL,
					   NULL, NULL);
		if (latest && entry->end_ns < latest->start_ns)
			return verdict_log(verdict, LIN_STALE, entry->sequence, latest, entry->op,
					   entry->delivery, NULL);
		if (!latest || entry->op->start_ns > latest->start_ns)
			latest = entry->op;
	}
	return verdict_ok(verdict);
}

bool lin_check_log(const struct lin_op *ops, size_t count,
		   const struct lin_delivery *deliveries, size_t delivery_count,
		   struct lin_verdict *verdict)
{
	const struct lin_delivery **d = calloc(delivery_count + 1, sizeof(*d));
	const struct lin_op **appends = calloc(count + 1, sizeof(*appends));
	struct entry *entries = calloc(count + delivery_count + 1, sizeof(*entries));
	size_t append_count = 0, entry_count = 0, d_count = 0, i;
	const struct lin_op *acked = NULL;
	bool complete = false, ok = false;

	if (!d || !appends || !entries) {
		verdict_log(verdict, LIN_NOMEM, 0, NULL, NULL, NULL, NULL);
		goto out;
	}
	for (i = 0; i < count; i++) {
		const struct lin_op *op = &ops[i];

		if (op->kind != LIN_APPEND)
			continue;
		appends[append_count++] = op;
		if (op->outcome != LIN_APPLIED)
			continue;
		if (op->end_ns < op->start_ns || !op->first) {
			verdict_log(verdict, LIN_SHAPE, op->first, op, NULL, NULL, NULL);
			goto out;
		}
		if (!acked || op->first > acked->first)
			acked = op;
	}
	for (i = 0; i < delivery_count; i++)
		if (deliveries[i].kind == LIN_DELIVERY || deliveries[i].kind == LIN_LOST ||
		    deliveries[i].kind == LIN_COMPLETE)
			d[d_count++] = &deliveries[i];
	if (!check_readers(d, d_count, acked ? acked->first : 0, acked, &complete, verdict) ||
	    !make_entries(d, d_count, entries, &entry_count, verdict) ||
	    !check_integrity(entries, entry_count, appends, append_count, verdict))
		goto out;
	for (i = 0; i < append_count; i++)
		if (appends[i]->outcome == LIN_APPLIED)
			entries[entry_count++] = (struct entry){ .sequence = appends[i]->first,
				.op = appends[i], .end_ns = appends[i]->end_ns };
	ok = check_entries(entries, entry_count, complete, verdict);
out:
	free(d);
	free(appends);
	free(entries);
	return ok;
}

static int by_index(const void *x, const void *y)
{
	const struct lin_op *a = *(const struct lin_op *const *)x;
	const struct lin_op *b = *(const struct lin_op *const *)y;

	return compare_u64(a->index, b->index);
}

/* The log, or one of the counters. */
static int compare_object(const struct lin_op *a, const struct lin_op *b)
{
	bool log_a = a->kind == LIN_APPEND, log_b = b->kind == LIN_APPEND;

	return log_a != log_b ? log_a - log_b : compare_u64(a->counter, b->counter);
}

static int by_object_index(const void *x, const void *y)
{
	const struct lin_op *a = *(const struct lin_op *const *)x;
	const struct lin_op *b = *(const struct lin_op *const *)y;
	int c = compare_object(a, b);

	return c ? c : by_index(x, y);
}

static bool check_index_time(const struct lin_op **ops, size_t count,
			     struct lin_verdict *verdict)
{
	const struct lin_op *latest = NULL;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct lin_op *op = ops[i];

		if (i && op->index == ops[i - 1]->index)
			return verdict_log(verdict, LIN_DUPLICATE, op->index, ops[i - 1], op,
					   NULL, NULL);
		if (latest && op->end_ns < latest->start_ns)
			return verdict_log(verdict, LIN_STALE, op->index, latest, op, NULL, NULL);
		if (!latest || op->start_ns > latest->start_ns)
			latest = op;
	}
	return verdict_ok(verdict);
}

bool lin_check_order(const struct lin_op *ops, size_t count, struct lin_verdict *verdict)
{
	const struct lin_op **known = calloc(count + 1, sizeof(*known));
	size_t known_count = 0, i;
	bool ok = false;

	if (!known)
		return verdict_log(verdict, LIN_NOMEM, 0, NULL, NULL, NULL, NULL);
	for (i = 0; i < count; i++)
		if (ops[i].outcome == LIN_APPLIED && ops[i].index &&
		    (ops[i].kind == LIN_NEXT || ops[i].kind == LIN_GET ||
		     ops[i].kind == LIN_APPEND))
			known[known_count++] = &ops[i];
	qsort(known, known_count, sizeof(*known), by_index);
	if (!check_index_time(known, known_count, verdict))
		goto out;

	qsort(known, known_count, sizeof(*known), by_object_index);
	for (i = 1; i < known_count; i++) {
		const struct lin_op *a = known[i - 1], *b = known[i];

		if (compare_object(a, b))
			continue;
		if (b->kind == LIN_GET ? b->last < a->last : b->first <= a->last) {
			verdict_log(verdict, LIN_ORDER, b->first, a, b, NULL, NULL);
			goto out;
		}
	}
	ok = verdict_ok(verdict);
out:
	free(known);
	return ok;
}
