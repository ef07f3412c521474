// SPDX-License-Identifier: GPL-2.0
/*
 * One search, as its bounds say, and what came of it: one line of numbers, and
 * if something is wrong a way there: with --every the shortest.
 *
 *	explore [--replicas N] [--ops N] [--views N] [--crashes N] [--retries N]
 *		[--backups] [--journal] [--only-group] [--keep-idle]
 *		[--keep-answers] [--try-idle N] [--every] [--levels] [--memory MB]
 *
 * Ends with 0 if all states within the bounds were seen, or covered, and none is broken, with
 * 1 if one is, with 3 if memory did not suffice to say.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "explore.h"

struct bounds bounds = { .replicas = 3, .ops = 1, .views = 1 };

static const struct option options[] = {
	{ "replicas", required_argument, NULL, 'n' },
	{ "ops", required_argument, NULL, 'o' },
	{ "views", required_argument, NULL, 'v' },
	{ "crashes", required_argument, NULL, 'c' },
	{ "retries", required_argument, NULL, 'r' },
	{ "backups", no_argument, NULL, 'b' },
	{ "only-group", no_argument, NULL, 'g' },
	{ "keep-idle", no_argument, NULL, 'k' },
	{ "keep-answers", no_argument, NULL, 'w' },
	{ "every", no_argument, NULL, 'e' },
	{ "levels", no_argument, NULL, 'l' },
	{ "journal", no_argument, NULL, 'j' },
	{ "try-idle", required_argument, NULL, 't' },
	{ "memory", required_argument, NULL, 'm' },
	{ NULL, 0, NULL, 0 }
};

static size_t bytes_max = (size_t)4 << 30;
static u32 try_every;

static bool read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (option) {
		case 'n':
			bounds.replicas = atoi(optarg);
			break;
		case 'o':
			bounds.ops = atoi(optarg);
			break;
		case 'v':
			bounds.views = atoi(optarg);
			break;
		case 'c':
			bounds.crashes = atoi(optarg);
			break;
		case 'r':
			bounds.retries = atoi(optarg);
			break;
		case 'b':
			bounds.backups_ask = true;
			break;
		case 'g':
			bounds.only_group = true;
			break;
		case 'k':
			bounds.keep_idle = true;
			break;
		case 'w':
			bounds.keep_answers = true;
			break;
		case 'e':
			bounds.every = true;
			break;
		case 'l':
			bounds.tell_levels = true;
			break;
		case 'j':
			bounds.journal = true;
			break;
		case 't':
			try_every = atoi(optarg);
			break;
		case 'm':
			bytes_max = (size_t)atoi(optarg) << 20;
			break;
		default:
			return false;
		}
	}
	return optind == argc && bounds.replicas >= 1 && bounds.replicas <= VR_REPLICAS_MAX;
}

static double seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_utime.tv_sec + usage.ru_utime.tv_usec / 1e6 +
	       usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

static void print_report(const struct report *report)
{
	u32 images, messages, steps;
	const char *end = "NOT exhausted: out of memory";
	struct rusage usage;

	if (report->broken)
		end = check_text(report->broken);
	else if (report->exhausted)
		end = "exhausted, nothing is broken";
	world_counts(&images, &messages, &steps);
	getrusage(RUSAGE_SELF, &usage);
	printf("# %u replicas, ops %u, views 0..%u, crashes %u, retries %u%s%s: %s\n",
	       bounds.replicas, bounds.ops, bounds.views, bounds.crashes, bounds.retries,
	       bounds.backups_ask ? ", asked at backups too" : "",
	       bounds.journal ? ", durable later" : "", end);
	printf("# %llu states%s, %llu transitions, %u combinations of replicas; ",
	       (unsigned long long)report->states, bounds.every ? "" : " that none before covered",
	       (unsigned long long)report->transitions, report->combinations);
	if (bounds.every || report->broken)
		printf("depth %u; ", report->depth);
	printf("of them %u local states, ", report->locals);
	printf("%u images, %u messages, %u steps of the core; %.1f s, %ld MB\n",
	       images, messages, steps, seconds(), usage.ru_maxrss / 1024);
}

/* Returns whether what idle.c says is idle is. */
static bool idle_is_idle(void)
{
	u64 tried = 0;
	u32 wrong = idle_wrong(try_every, &tried);

	printf("# idle messages were tried %llu times, at 1 of %u images: they %s idle\n",
	       (unsigned long long)tried, try_every, wrong ? "are NOT" : "are");
	if (!wrong)
		return true;
	printf("# ");
	trace_message(wrong);
	printf("\n");
	return false;
}

int main(int argc, char **argv)
{
	struct report report = { 0 };

	if (!read_options(argc, argv)) {
		fprintf(stderr, "explore: the options are at the top of its source\n");
		return 2;
	}
	world_begin();
	search(&report, bytes_max);
	print_report(&report);
	if (report.broken) {
		trace_print(report.states);
		return 1;
	}
	if (try_every && !bounds.keep_idle && !idle_is_idle())
		return 1;
	return report.exhausted ? 0 : 3;
}
