// SPDX-License-Identifier: GPL-2.0
/*
 * Seeds over processes. Each worker takes the next seed that is left, so a
 * crash of the core costs one seed and is blamed on it. Half of the seeds go to
 * a build with small bounds, some to one with sanitizers, some are run twice, and
 * the first that fails is made small.
 *
 *	sim --first N --seeds N [-j N] [--small PROGRAM] [--sanitized PROGRAM]
 *	    [--trace] [--coverage] [--until-failure] [--faults MASK] [--clients N]
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define JOBS_MAX	16
#define FAILURES_SHOWN	32
#define SANITIZED_EVERY	32	/* seeds */
#define TWICE_EVERY	64
#define SHARED_FD	9

enum pool {
	POOL_PLAIN,
	POOL_SMALL,
	POOL_SANITIZED,
	POOL_COUNT
};

struct failure {
	u64 seed;
	char text[512];
};

/** struct shared - what workers, of any build, and their parent share */
struct shared {
	u64 first;
	u64 count;
	bool there[POOL_COUNT];	/* builds */
	bool until_failure;	/* the first one ends it */
	struct sim_limits limits;
	u64 taken[POOL_COUNT];	/* seeds looked at by each pool */
	u64 failure_count;
	u64 diverged;
	struct failure failures[FAILURES_SHOWN];
	u64 running[JOBS_MAX];	/* seed under way, plus one */
	struct sim_totals totals;
};

static void add_failure(struct shared *shared, u64 seed, const char *text)
{
	u64 place = __atomic_fetch_add(&shared->failure_count, 1, __ATOMIC_SEQ_CST);

	if (place >= FAILURES_SHOWN)
		return;
	shared->failures[place].seed = seed;
	snprintf(shared->failures[place].text, sizeof(shared->failures[place].text), "%s", text);
}

static void add_totals(struct shared *shared, const struct sim_totals *totals)
{
	const u64 *from = (const u64 *)totals;
	u64 *to = (u64 *)&shared->totals;
	size_t i;

	for (i = 0; i < sizeof(*totals) / sizeof(u64); i++) {
		u64 *most = &to[i];

		if (most == &shared->totals.heal_timeouts_max ||
		    most == &shared->totals.views_after_heal_max ||
		    most == &shared->totals.leave_trips_max ||
		    most == &shared->totals.cure_timeouts_max)
			*most = vr_max(*most, from[i]);
		else
			__atomic_fetch_add(most, from[i], __ATOMIC_RELAXED);
	}
}

static u64 cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * SIM_NS_PER_S + t.tv_nsec;
}

static void run_seed(struct shared *shared, u64 seed)
{
	static struct sim sim;
	u64 start_ns = cpu_ns();
	u64 digest;

	sim_run(&sim, seed, &shared->limits, false);
	digest = sim.digest;
	if (sim.failed)
		add_failure(shared, seed, sim.failure);
	sim_free(&sim);
	if (!(seed % TWICE_EVERY)) {
		struct sim_totals totals = sim.totals;

		sim_run(&sim, seed, &shared->limits, false);
		if (sim.digest != digest) {
			__atomic_fetch_add(&shared->diverged, 1, __ATOMIC_SEQ_CST);
			add_failure(shared, seed, "the same seed gave another run");
		}
		sim_free(&sim);
		totals.marks[MARK_TWICE]++;
		sim.totals = totals;
	}
	sim.totals.cpu_ns = cpu_ns() - start_ns;
	add_totals(shared, &sim.totals);
}

static enum pool pool_of(const struct shared *shared, u64 seed)
{
	if (shared->there[POOL_SANITIZED] && seed % SANITIZED_EVERY == SANITIZED_EVERY - 1)
		return POOL_SANITIZED;
	return shared->there[POOL_SMALL] && !(seed % 2) ? POOL_SMALL : POOL_PLAIN;
}

static bool is_over(const struct shared *shared)
{
	return shared->until_failure && shared->failure_count;
}

static void work(struct shared *shared, enum pool pool, u32 job)
{
	u64 place;

	while (!is_over(shared) &&
	       (place = __atomic_fetch_add(&shared->taken[pool], 1, __ATOMIC_SEQ_CST)) <
	       shared->count) {
		u64 seed = shared->first + place;

		if (pool_of(shared, seed) != pool)
			continue;
		shared->running[job] = seed + 1;
		run_seed(shared, seed);
		shared->running[job] = 0;
	}
}

static pid_t start_worker(struct shared *shared, enum pool pool, u32 job, const char *program)
{
	char numbers[2][16];
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	if (pool == POOL_PLAIN) {
		work(shared, pool, job);
		exit(0);
	}
	snprintf(numbers[0], sizeof(numbers[0]), "%u", pool);
	snprintf(numbers[1], sizeof(numbers[1]), "%u", job);
	execl(program, program, "--worker", numbers[0], numbers[1], (char *)NULL);
	perror(program);
	_exit(127);
}

static struct shared *map_shared(bool create)
{
	struct shared *shared;
	int fd;

	if (create) {
		fd = memfd_create("sim", 0);
		if (fd < 0 || ftruncate(fd, sizeof(*shared)) || dup2(fd, SHARED_FD) < 0)
			abort();
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_FD, 0);
	if (shared == MAP_FAILED)
		abort();
	return shared;
}

/* A worker that dies takes the seed it was running down with it, no other. */
static void bury(struct shared *shared, u32 job, int status)
{
	char text[96];

	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "died of signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "ended with status %d", WEXITSTATUS(status));
	add_failure(shared, shared->running[job] - 1, text);
	shared->running[job] = 0;
}

static bool pool_is_empty(const struct shared *shared, enum pool pool)
{
	return shared->taken[pool] >= shared->count || is_over(shared) || !shared->there[pool];
}

static void run_all(struct shared *shared, u32 jobs, const char * const *programs)
{
	pid_t pids[JOBS_MAX] = { 0 };
	u32 alive = 0;
	u32 job;

	for (;;) {
		for (job = 0; job < jobs; job++) {
			/* The slowest first. */
			int pool = POOL_COUNT - 1;

			while (pool >= 0 && pool_is_empty(shared, pool))
				pool--;
			if (pids[job] || pool < 0)
				continue;
			pids[job] = start_worker(shared, pool, job, programs[pool]);
			alive++;
		}
		if (!alive)
			return;
		while (alive) {
			int status;
			pid_t pid = wait(&status);

			for (job = 0; job < jobs && pids[job] != pid; job++)
				;
			if (job == jobs)
				continue;
			pids[job] = 0;
			alive--;
			bury(shared, job, status);
			break;
		}
	}
}

static void show_replay(const char *what, u64 seed, const struct sim_limits *limits,
			const char *more)
{
	printf("#   %s: make sim SEEDS=1 FIRST=%llu", what, (unsigned long long)seed);
	if (limits->faults != sim_unlimited.faults)
		printf(" FAULTS=0x%x", limits->faults);
	if (limits->clients != sim_unlimited.clients)
		printf(" CLIENTS=%u", limits->clients);
	printf("%s\n", more);
}

/* The first failure is looked into: what is the least that makes it? */
static void show_small(const struct failure *f, const struct sim_limits *limits,
		       const char *program)
{
	struct sim_limits small = shrink_seed(f->seed, f->text, limits, program);
	u32 fault;

	printf("#   enough for that: %u clients and", small.clients);
	for (fault = 0; fault < FAULT_COUNT; fault++) {
		if (small.faults >> fault & 1)
			printf(" %s", sim_fault_name(fault));
	}
	printf("%s\n", small.faults ? "" : " no fault");
	show_replay("replay it small", f->seed, &small, " TRACE=1");
}

static u32 show_failures(const struct shared *shared, const char * const *programs)
{
	u64 i;

	for (i = 0; i < vr_min(shared->failure_count, FAILURES_SHOWN); i++) {
		const struct failure *f = &shared->failures[i];

		printf("# seed %llu: %s\n", (unsigned long long)f->seed, f->text);
		show_replay("replay", f->seed, &shared->limits, "");
		if (!i && !shared->until_failure)
			show_small(f, &shared->limits, programs[pool_of(shared, f->seed)]);
	}
	return shared->failure_count;
}

/* The build that a seed belongs to tells it. */
static void trace_elsewhere(const struct shared *shared, u64 seed, const char *program, char **argv)
{
	if (pool_of(shared, seed) == POOL_SMALL && strcmp(program, argv[0])) {
		argv[0] = (char *)program;
		execv(program, argv);
		perror(program);
		exit(127);
	}
}

static int trace_seed(u64 seed, const struct sim_limits *limits)
{
	static struct sim sim;
	bool failed;

	sim_run(&sim, seed, limits, true);
	failed = sim.failed;
	if (failed)
		printf("# seed %llu: %s\n", (unsigned long long)seed, sim.failure);
	printf("# digest %016llx\n", (unsigned long long)sim.digest);
	sim_free(&sim);
	return failed;
}

static int verdict(const struct shared *shared, bool coverage, double seconds, u64 failures)
{
	u32 missed = 0;

	report_totals(stdout, &shared->totals);
	printf("# %.1f s of real time\n", seconds);
	printf("%sok 1 - simulator: %llu seeds from %llu, %llu failures\n", failures ? "not " : "",
	       (unsigned long long)shared->count, (unsigned long long)shared->first,
	       (unsigned long long)failures);
	printf("%sok 2 - simulator: %llu seeds run twice are the same byte for byte\n",
	       shared->diverged ? "not " : "",
	       (unsigned long long)shared->totals.marks[MARK_TWICE]);
	if (coverage) {
		missed = report_missed(stdout, &shared->totals);
		printf("%sok 3 - simulator: every message, drop reason and situation was met\n",
		       missed ? "not " : "");
	}
	return failures || shared->diverged || missed;
}

static int explain(void)
{
	fputs("usage: sim --first N --seeds N [-j N] [--small PROGRAM] [--sanitized PROGRAM]\n"
	      "           [--trace] [--coverage] [--until-failure] [--faults MASK] [--clients N]\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct shared *shared;
	const char *programs[POOL_COUNT] = { argv[0] };
	struct sim_limits limits = sim_unlimited;
	struct timespec start, end;
	bool coverage = false, trace = false, until_failure = false;
	u64 first = 1, count = 1;
	u32 jobs = 2;
	int i;

	if (argc == 4 && !strcmp(argv[1], "--worker")) {
		work(map_shared(false), atoi(argv[2]), atoi(argv[3]));
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "--shrink"))
		return shrink_try(argv);
	for (i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (!strcmp(argv[i], "--trace"))
			trace = true;
		else if (!strcmp(argv[i], "--coverage"))
			coverage = true;
		else if (!strcmp(argv[i], "--until-failure"))
			until_failure = true;
		else if (more && !strcmp(argv[i], "--first"))
			first = strtoull(argv[++i], NULL, 0);
		else if (more && !strcmp(argv[i], "--seeds"))
			count = strtoull(argv[++i], NULL, 0);
		else if (more && !strcmp(argv[i], "--sanitized"))
			programs[POOL_SANITIZED] = argv[++i];
		else if (more && !strcmp(argv[i], "--small"))
			programs[POOL_SMALL] = argv[++i];
		else if (more && !strcmp(argv[i], "--faults"))
			limits.faults = strtoul(argv[++i], NULL, 0);
		else if (more && !strcmp(argv[i], "--clients"))
			limits.clients = strtoul(argv[++i], NULL, 0);
		else if (more && !strcmp(argv[i], "-j"))
			jobs = strtoul(argv[++i], NULL, 0);
		else
			return explain();
	}
	shared = map_shared(true);
	for (i = 0; i < POOL_COUNT; i++)
		shared->there[i] = programs[i];
	if (trace) {
		trace_elsewhere(shared, first, programs[POOL_SMALL], argv);
		return trace_seed(first, &limits);
	}
	shared->first = first;
	shared->count = count;
	shared->until_failure = until_failure;
	shared->limits = limits;
	jobs = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", coverage ? 3 : 2);
	clock_gettime(CLOCK_MONOTONIC, &start);
	run_all(shared, jobs, programs);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return verdict(shared, coverage,
		       end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9,
		       show_failures(shared, programs));
}
