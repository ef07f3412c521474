// SPDX-License-Identifier: GPL-2.0
/*
 * Read history files, say whether what they hold was linearizable.
 *
 *	lin_check [-d] [-g GENERATION] [-i INITIAL] [-q] FILE...
 *
 * -d prints the records, -g names the generation all of them are of (0), -i the
 * number after which counter 0 began (0), -q prints nothing but a violation. Exit
 * 0 legal, 1 not (the two offending operations are printed), 2 could not tell.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lin_file.h"

static const char *const outcomes[] = { "unknown", "applied", "not applied" };

static void print_op(const char *lead, const struct lin_op *op)
{
	static const char *const kinds[] = { "?", "next", "get", "append" };

	printf("%s%s client %" PRIx32 " number %" PRIu32 " [%" PRIu64 ", ", lead,
	       op->kind <= LIN_APPEND ? kinds[op->kind] : "?", op->client, op->number,
	       op->start_ns);
	if (op->outcome == LIN_UNKNOWN)
		printf("...) ");
	else
		printf("%" PRIu64 "] ns ", op->end_ns);
	printf("%s", op->outcome <= LIN_NOT_APPLIED ? outcomes[op->outcome] : "?");
	if (op->kind == LIN_NEXT)
		printf(" counter %u count %" PRIu32 " -> %" PRIu64 "..%" PRIu64,
		       op->counter, op->count, op->first, op->last);
	else if (op->kind == LIN_GET)
		printf(" counter %u -> %" PRIu64, op->counter, op->last);
	else
		printf(" hash %016" PRIx64 " -> sequence %" PRIu64, op->hash, op->first);
	printf(" index %" PRIu64 "\n", op->index);
}

static void print_delivery(const char *lead, const struct lin_delivery *step)
{
	printf("%sreader %" PRIx32 " at %" PRIu64 " ns: ", lead, step->reader, step->time_ns);
	if (step->kind == LIN_COMPLETE)
		printf("read everything\n");
	else if (step->kind == LIN_LOST)
		printf("was told it lost %" PRIu64 "..%" PRIu64 "\n", step->first, step->last);
	else
		printf("sequence %" PRIu64 " index %" PRIu64 " hash %016" PRIx64
		       " of client %" PRIx32 " number %" PRIu32 "\n", step->first, step->index,
		       step->hash, step->client, step->number);
}

static int report(const char *what, const struct lin_verdict *verdict)
{
	int i;

	printf("lin_check: %s: %s at %" PRIu64 ": %s\n", what, lin_rule_name(verdict->rule),
	       verdict->value, lin_rule_text(verdict->rule));
	for (i = 0; i < 2; i++)
		if (verdict->op[i])
			print_op("  ", verdict->op[i]);
	for (i = 0; i < 2; i++)
		if (verdict->delivery[i])
			print_delivery("  ", verdict->delivery[i]);
	return verdict->rule == LIN_NOMEM || verdict->rule == LIN_UNDECIDED ? 2 : 1;
}

/*
 * Counters, sequences and places all begin anew behind generation << 48, so what is
 * above that is what the rules are about. What is of another generation is a lie.
 */
static void strip(uint64_t *number, uint64_t generation, const char *path, size_t record)
{
	if (*number >> 48 != generation) {
		printf("lin_check: generation: %s: record %zu: %" PRIu64 " is of generation %"
		       PRIu64 ", not %" PRIu64 "\n", path, record, *number, *number >> 48,
		       generation);
		exit(1);
	}
	*number -= generation << 48;
}

struct history {
	struct lin_op *ops;
	size_t op_count;
	struct lin_delivery *deliveries;
	size_t delivery_count;
	bool counters[1 << 16];
};

static void load(struct history *history, const char *path, bool dump, uint64_t generation)
{
	struct lin_file file;
	int err = lin_file_load(&file, path);
	size_t i;

	if (err) {
		fprintf(stderr, "lin_check: %s: %s\n", path, strerror(-err));
		exit(2);
	}
	history->ops = realloc(history->ops, (history->op_count + file.capacity + 1) *
			       sizeof(*history->ops));
	history->deliveries = realloc(history->deliveries,
				      (history->delivery_count + file.capacity + 1) *
				      sizeof(*history->deliveries));
	if (!history->ops || !history->deliveries) {
		fprintf(stderr, "lin_check: out of memory\n");
		exit(2);
	}
	for (i = 0; i < file.capacity; i++) {
		union lin_record record = file.records[i];

		switch (record.op.kind) {
		case LIN_NONE:
			break;
		case LIN_NEXT:
		case LIN_GET:
		case LIN_APPEND:
			if (dump)
				print_op("", &record.op);
			if (record.op.kind != LIN_APPEND)
				history->counters[record.op.counter] = true;
			if (record.op.outcome == LIN_APPLIED) {
				strip(&record.op.first, generation, path, i);
				strip(&record.op.last, generation, path, i);
				if (record.op.index)
					strip(&record.op.index, generation, path, i);
			}
			history->ops[history->op_count++] = record.op;
			break;
		case LIN_DELIVERY:
		case LIN_LOST:
		case LIN_COMPLETE:
			if (dump)
				print_delivery("", &record.delivery);
			if (record.delivery.kind != LIN_COMPLETE) {
				strip(&record.delivery.first, generation, path, i);
				strip(&record.delivery.last, generation, path, i);
				if (record.delivery.index)
					strip(&record.delivery.index, generation, path, i);
			}
			history->deliveries[history->delivery_count++] = record.delivery;
			break;
		default:
			fprintf(stderr, "lin_check: %s: record %zu is none\n", path, i);
			exit(2);
		}
	}
	lin_file_close(&file);
}

static void summary(const struct history *history)
{
	static const char *const kinds[] = { NULL, "next", "get", "append" };
	size_t counts[LIN_APPEND + 1][LIN_NOT_APPLIED + 1] = { 0 };
	size_t i;

	for (i = 0; i < history->op_count; i++)
		if (history->ops[i].outcome <= LIN_NOT_APPLIED)
			counts[history->ops[i].kind][history->ops[i].outcome]++;
	printf("linearizable:");
	for (i = LIN_NEXT; i <= LIN_APPEND; i++)
		printf(" %s %zu applied %zu not %zu unknown,", kinds[i], counts[i][LIN_APPLIED],
		       counts[i][LIN_NOT_APPLIED], counts[i][LIN_UNKNOWN]);
	printf(" deliveries %zu\n", history->delivery_count);
}

int main(int argc, char **argv)
{
	static struct history history;
	bool dump = false, quiet = false;
	struct lin_verdict verdict;
	uint64_t initial = 0, generation = 0;
	unsigned int counter;
	int option, i;

	while ((option = getopt(argc, argv, "dg:i:q")) != -1) {
		switch (option) {
		case 'd':
			dump = true;
			break;
		case 'g':
			generation = strtoull(optarg, NULL, 0);
			break;
		case 'i':
			initial = strtoull(optarg, NULL, 0);
			break;
		case 'q':
			quiet = true;
			break;
		default:
			return 2;
		}
	}
	if (optind == argc) {
		fprintf(stderr, "usage: lin_check [-d] [-g GENERATION] [-i INITIAL] [-q] FILE...\n");
		return 2;
	}
	for (i = optind; i < argc; i++)
		load(&history, argv[i], dump, generation);

	for (counter = 0; counter < 1 << 16; counter++)
		if (history.counters[counter] &&
		    !lin_check_counter(history.ops, history.op_count, counter,
				       counter ? 0 : initial, &verdict))
			return report("counter", &verdict);
	if (!lin_check_log(history.ops, history.op_count, history.deliveries,
			   history.delivery_count, &verdict))
		return report("log", &verdict);
	if (!lin_check_order(history.ops, history.op_count, &verdict))
		return report("order", &verdict);
	/* An empty history proves nothing, and is most likely a broken test. */
	if (!history.op_count) {
		fprintf(stderr, "lin_check: no operation in any of the files\n");
		return 2;
	}
	if (!quiet)
		summary(&history);
	return 0;
}
