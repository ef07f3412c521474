// SPDX-License-Identifier: GPL-2.0
/*
 * A failing seed made small: faults and clients are taken away one after the
 * other for as long as the seed still fails by the same rule. Each try is a
 * process of its own, since it may die.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

#define TRY_S	120	/* a try that takes longer has not failed */

/* The other side: one seed, its failure on stdout. */
int shrink_try(char **argv)
{
	struct sim_limits limits;
	static struct sim sim;

	limits.faults = strtoul(argv[3], NULL, 0);
	limits.clients = strtoul(argv[4], NULL, 0);
	alarm(TRY_S);
	sim_run(&sim, strtoull(argv[2], NULL, 0), &limits, false);
	if (sim.failed)
		puts(sim.failure);
	return sim.failed;
}

/* What fails by one rule, or dies, fails alike. */
static bool alike(const char *a, const char *b)
{
	size_t rule = strcspn(a, ":");

	return a[rule] && !strncmp(a, b, rule + 1);
}

static bool fails(u64 seed, const char *failure, const struct sim_limits *limits,
		  const char *program)
{
	char command[256], text[512] = "";
	bool same;
	FILE *pipe;
	int status;

	snprintf(command, sizeof(command), "exec %s --shrink %llu %u %u 2>/dev/null", program,
		 (unsigned long long)seed, limits->faults, limits->clients);
	pipe = popen(command, "r");
	if (!pipe)
		return false;
	same = fgets(text, sizeof(text), pipe) && alike(failure, text);
	status = pclose(pipe);
	/* Died, as it did before: of a signal or by a sanitizer, not of the alarm. */
	return same || (!strchr(failure, ':') && !*text && status && WTERMSIG(status) != SIGALRM);
}

struct sim_limits shrink_seed(u64 seed, const char *failure, const struct sim_limits *limits,
			      const char *program)
{
	static struct sim sim;
	struct sim_limits small, less;
	u32 fault;

	options_draw(&sim, seed, limits);
	small.faults = sim.options.faults;
	small.clients = sim.options.client_count;
	for (fault = 0; fault < FAULT_COUNT; fault++) {
		less = small;
		less.faults &= ~(1u << fault);
		if (less.faults != small.faults && fails(seed, failure, &less, program))
			small = less;
	}
	while (small.clients > 1) {
		less = small;
		less.clients /= 2;
		if (!fails(seed, failure, &less, program))
			break;
		small = less;
	}
	return small;
}
