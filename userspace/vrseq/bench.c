// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq bench: how long operations take here, and how many there are in a
 * second. What it shows is wall clock of this machine, and it says so.
 *
 * Each thread has an open file of its own and one operation under way. The main
 * thread looks at the clock, and draws the bar. Knows nothing of how a group
 * works, and measures only what any program could.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "json.h"
#include "tool.h"

#define THREADS_MAX	256
#define DURATION_MAX_NS	(86400 * NS_PER_SECOND)
#define LOOK_NS		(100 * NS_PER_MS)
#define READ_BYTES	(256 * 1024)
/* How long a reader waits for what was appended, once nothing more is. */
#define STRAGGLER_NS	(2 * NS_PER_SECOND)

/* A message of "bench tail": whose it is, and when its append began. */
#define STAMP		"vrseq bench %016" PRIx64 " %016" PRIx64
#define STAMP_BYTES	(sizeof("vrseq bench ") - 1 + 16 + 1 + 16)

enum bench_kind {
	BENCH_NEXT,
	BENCH_APPEND,
	BENCH_TAIL,
};

static const char *const bench_names[] = {
	[BENCH_NEXT] = "next", [BENCH_APPEND] = "append", [BENCH_TAIL] = "tail",
};

struct bench {
	enum bench_kind kind;
	const char *group;
	const char *counter;
	uint64_t threads;
	uint64_t duration_ns;
	uint64_t timeout_ns;
	uint64_t count;			/* numbers of one draw */
	uint64_t bytes;			/* of a message */
	uint64_t nonce;			/* of this bench's messages */
	pthread_barrier_t barrier;	/* all are ready; all began */
	bool told_to_stop;
	bool over;			/* nothing is appended any more */
	uint64_t appended;		/* by all, valid when over */
};

struct worker {
	pthread_t thread;
	struct bench *bench;
	struct vrseq *handle;
	struct histogram latency;
	struct vrseq_result result;
	int error;			/* negative errno that ended it */
	uint64_t done;			/* operations so far, for the bar */
	char *buffer;
	size_t buffer_bytes;
};

/* ^C ends the bench, and shows what there is so far. */
static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static bool is_set(const bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_ACQUIRE);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_RELEASE);
}

/* --- those who draw or append --- */

static void stamp(struct worker *worker, uint64_t time_ns)
{
	const struct bench *bench = worker->bench;
	char text[STAMP_BYTES + 1];

	snprintf(text, sizeof(text), STAMP, bench->nonce, time_ns);
	memcpy(worker->buffer, text,
	       bench->bytes < STAMP_BYTES ? bench->bytes : STAMP_BYTES);
}

static int operate(struct worker *worker)
{
	const struct bench *bench = worker->bench;
	uint64_t deadline_ns = device_deadline(bench->timeout_ns);

	if (bench->kind == BENCH_NEXT)
		return vrseq_next(worker->handle, bench->counter, bench->count,
				  deadline_ns, &worker->result);
	stamp(worker, now_ns());
	return vrseq_append(worker->handle, worker->buffer, bench->bytes,
			    deadline_ns, &worker->result);
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct bench *bench = worker->bench;
	uint64_t begin;

	/* the first operation begins the session, and is not counted */
	worker->error = operate(worker);
	pthread_barrier_wait(&bench->barrier);
	pthread_barrier_wait(&bench->barrier);
	while (!worker->error && !is_set(&bench->told_to_stop)) {
		begin = now_ns();
		worker->error = operate(worker);
		if (worker->error)
			break;
		histogram_add(&worker->latency, now_ns() - begin);
		__atomic_fetch_add(&worker->done, 1, __ATOMIC_RELAXED);
	}
	if (worker->error)
		set(&bench->told_to_stop);
	return NULL;
}

/* --- the one that reads --- */

/* When the append of our message began; 0 = it is another one. */
static uint64_t stamped(const struct bench *bench, const struct vrseq_record *record,
			const void *message)
{
	char text[STAMP_BYTES + 1], ours[STAMP_BYTES + 1];
	uint64_t time_ns;

	if (record->type != VRSEQ_RECORD_MESSAGE || record->bytes < STAMP_BYTES)
		return 0;
	memcpy(text, message, STAMP_BYTES);
	text[STAMP_BYTES] = '\0';
	time_ns = strtoull(text + STAMP_BYTES - 16, NULL, 16);
	snprintf(ours, sizeof(ours), STAMP, bench->nonce, time_ns);
	return strcmp(text, ours) ? 0 : time_ns;
}

/* Nothing to read now. Return: false when there never will be. */
static bool await(struct worker *reader, uint64_t *patience_ns)
{
	uint64_t now = now_ns();
	int events;

	if (is_set(&reader->bench->over)) {
		if (!*patience_ns)
			*patience_ns = now + STRAGGLER_NS;
		if (now >= *patience_ns)
			return false;
	}
	events = vrseq_wait(reader->handle, POLLIN, now + LOOK_NS);
	if (events < 0 && events != -ETIMEDOUT)
		reader->error = events;
	return !reader->error;
}

static void *read_log(void *argument)
{
	struct worker *worker = argument;
	struct vrseq_reader reader = { worker->buffer, worker->buffer_bytes, 0, 0 };
	struct bench *bench = worker->bench;
	struct vrseq_record record;
	uint64_t began, patience_ns = 0;
	const void *message;
	int error;

	pthread_barrier_wait(&bench->barrier);
	pthread_barrier_wait(&bench->barrier);
	while (!is_set(&bench->over) || worker->latency.count < bench->appended) {
		error = vrseq_read(worker->handle, &reader, &record, &message);
		if (error == -EAGAIN && await(worker, &patience_ns))
			continue;
		if (error == -EPIPE)
			continue;	/* what is missing at the end was lost */
		if (error) {
			if (error != -EAGAIN)
				worker->error = error;
			break;
		}
		began = stamped(bench, &record, message);
		if (!began)
			continue;
		histogram_add(&worker->latency, now_ns() - began);
		__atomic_fetch_add(&worker->done, 1, __ATOMIC_RELAXED);
	}
	if (worker->error)
		set(&bench->told_to_stop);
	return NULL;
}

/* --- the bar --- */

static void bar(const struct bench *bench, const struct worker *workers, uint64_t count,
		uint64_t elapsed_ns)
{
	char filled[] = "##############################";
	const uint64_t width = sizeof(filled) - 1;
	uint64_t i, done = 0, part;

	for (i = 0; i < count; i++)
		done += __atomic_load_n(&workers[i].done, __ATOMIC_RELAXED);
	part = elapsed_ns >= bench->duration_ns ? width :
		(uint64_t)((double)elapsed_ns / bench->duration_ns * width);
	filled[part] = '\0';
	fprintf(stderr, "\r%s [%-*s] %" PRIu64 " of %" PRIu64 " s, %.0f per second ",
		bench_names[bench->kind], (int)width, filled, elapsed_ns / NS_PER_SECOND,
		bench->duration_ns / NS_PER_SECOND,
		elapsed_ns ? (double)done * NS_PER_SECOND / elapsed_ns : 0.0);
}

/* Until the time is over, an operation failed, or ^C. Return: ns that passed. */
static uint64_t watch(struct bench *bench, const struct worker *workers, uint64_t count)
{
	bool drawn = isatty(STDERR_FILENO) && !options.json;
	uint64_t begin = now_ns(), elapsed = 0, rest;
	struct timespec sleep;

	while (elapsed < bench->duration_ns && !is_set(&bench->told_to_stop) && !interrupted) {
		if (drawn)
			bar(bench, workers, count, elapsed);
		rest = bench->duration_ns - elapsed;
		if (rest > LOOK_NS)
			rest = LOOK_NS;
		sleep.tv_sec = rest / NS_PER_SECOND;
		sleep.tv_nsec = rest % NS_PER_SECOND;
		nanosleep(&sleep, NULL);
		elapsed = now_ns() - begin;
	}
	if (drawn)
		fprintf(stderr, "\r%78s\r", "");
	return elapsed;
}

/* --- results --- */

static const char *duration_text(uint64_t ns, char *text, size_t bytes)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "s", NS_PER_SECOND }, { "ms", NS_PER_MS }, { "us", 1000 }, { "ns", 1 } };
	double value;
	size_t i = 0;

	while (i + 1 < ARRAY_SIZE(units) && ns < units[i].ns)
		i++;
	value = (double)ns / units[i].ns;
	snprintf(text, bytes, "%.*f%s", value < 10 ? 2 : value < 100 ? 1 : 0, value,
		 units[i].unit);
	return text;
}

static void print_json(const struct bench *bench, const struct histogram *latency,
		       uint64_t elapsed_ns, uint64_t lost)
{
	struct json json = { .file = stdout, .pretty = options.pretty };

	json_open(&json, NULL, '{');
	json_string(&json, "bench", bench_names[bench->kind]);
	json_u64(&json, "threads", bench->threads);
	json_u64(&json, "count", bench->kind == BENCH_NEXT ? bench->count : 1);
	json_u64(&json, "bytes", bench->kind == BENCH_NEXT ? 0 : bench->bytes);
	json_u64(&json, "elapsed_ns", elapsed_ns);
	json_u64(&json, "operations", latency->count);
	json_u64(&json, "per_second", elapsed_ns ?
		 (uint64_t)((double)latency->count * NS_PER_SECOND / elapsed_ns) : 0);
	json_u64(&json, "lost", lost);
	json_u64(&json, "min_ns", latency->smallest);
	json_u64(&json, "mean_ns", histogram_mean(latency));
	json_u64(&json, "p50_ns", histogram_quantile(latency, 500, 1000));
	json_u64(&json, "p99_ns", histogram_quantile(latency, 990, 1000));
	json_u64(&json, "p999_ns", histogram_quantile(latency, 999, 1000));
	json_u64(&json, "max_ns", latency->largest);
	json_string(&json, "clock", "wall clock of this machine");
	json_close(&json, '}');
}

static void print_text(const struct bench *bench, const struct histogram *latency,
		       uint64_t elapsed_ns, uint64_t lost)
{
	char text[32];

	printf("%s: %" PRIu64 " %s in %s", bench_names[bench->kind], latency->count,
	       bench->kind == BENCH_TAIL ? "messages read" : "operations",
	       duration_text(elapsed_ns, text, sizeof(text)));
	printf(", %" PRIu64 " thread%s", bench->threads, bench->threads == 1 ? "" : "s");
	if (bench->kind == BENCH_NEXT && bench->count > 1)
		printf(", %" PRIu64 " numbers each", bench->count);
	if (bench->kind != BENCH_NEXT)
		printf(", %" PRIu64 " bytes each", bench->bytes);
	printf(": %.0f per second\n", elapsed_ns ?
	       (double)latency->count * NS_PER_SECOND / elapsed_ns : 0.0);
	printf("  p50 %s", duration_text(histogram_quantile(latency, 500, 1000), text,
					 sizeof(text)));
	printf("  p99 %s", duration_text(histogram_quantile(latency, 990, 1000), text,
					 sizeof(text)));
	printf("  p99.9 %s", duration_text(histogram_quantile(latency, 999, 1000), text,
					   sizeof(text)));
	printf("  longest %s\n", duration_text(latency->largest, text, sizeof(text)));
	if (lost)
		printf("  %" PRIu64 " messages were overwritten before they were read\n", lost);
	puts("  Wall clock of this machine, with all that ran on it meanwhile.");
}

static void print_result(const struct bench *bench, const struct histogram *latency,
			 uint64_t elapsed_ns, uint64_t lost)
{
	if (options.json)
		print_json(bench, latency, elapsed_ns, lost);
	else
		print_text(bench, latency, elapsed_ns, lost);
}

/* --- the whole of it --- */

/* Workers 0 to threads - 1 operate; of "tail" one more reads. */
static uint64_t worker_count(const struct bench *bench)
{
	return bench->threads + (bench->kind == BENCH_TAIL);
}

static bool is_reader(const struct bench *bench, uint64_t number)
{
	return number == bench->threads;
}

static int open_worker(struct bench *bench, struct worker *worker, bool reads)
{
	int code = device_open(bench->group, reads ? O_NONBLOCK : 0, &worker->handle);

	if (code)
		return code;
	worker->bench = bench;
	worker->buffer_bytes = reads ? READ_BYTES : bench->bytes;
	worker->buffer = malloc(worker->buffer_bytes + 1);
	if (!worker->buffer)
		return fail(EXIT_FAILED, vrseq_strerror(ENOMEM), NULL, "bench failed");
	memset(worker->buffer, ' ', worker->buffer_bytes);
	return EXIT_OK;
}

/*
 * A thread that cannot be made would leave the others at the barrier: they are
 * few and small, so that is the end of the program.
 */
static void start(struct bench *bench, struct worker *workers)
{
	uint64_t i;

	for (i = 0; i < worker_count(bench); i++) {
		if (pthread_create(&workers[i].thread, NULL,
				   is_reader(bench, i) ? read_log : work, &workers[i]))
			exit(fail(EXIT_FAILED, vrseq_strerror(ENOMEM), NULL,
				  "Cannot make thread %" PRIu64, i + 1));
	}
}

static int explain(const struct bench *bench, const struct worker *workers)
{
	char what[32];
	uint64_t i;

	snprintf(what, sizeof(what), "bench %s", bench_names[bench->kind]);
	for (i = 0; i < worker_count(bench); i++) {
		if (workers[i].error)
			return device_fail(workers[i].handle, workers[i].error,
					   is_reader(bench, i) ? NULL : &workers[i].result, what);
	}
	return EXIT_OK;
}

static int measure(struct bench *bench, struct worker *workers)
{
	uint64_t i, elapsed_ns, count = worker_count(bench), lost = 0;
	struct histogram *latency = &workers[bench->threads].latency;

	pthread_barrier_init(&bench->barrier, NULL, count + 1);
	start(bench, workers);
	pthread_barrier_wait(&bench->barrier);
	pthread_barrier_wait(&bench->barrier);
	/* of "tail" what counts is what was read */
	elapsed_ns = watch(bench, bench->kind == BENCH_TAIL ? workers + bench->threads : workers,
			   bench->kind == BENCH_TAIL ? 1 : count);
	set(&bench->told_to_stop);
	for (i = 0; i < bench->threads; i++) {
		pthread_join(workers[i].thread, NULL);
		/* and the one before the clock ran */
		bench->appended += workers[i].done + 1;
	}
	set(&bench->over);
	if (bench->kind == BENCH_TAIL) {
		pthread_join(workers[bench->threads].thread, NULL);
		if (bench->appended > latency->count)
			lost = bench->appended - latency->count;
	} else {
		for (i = 0; i < bench->threads; i++)
			histogram_merge(latency, &workers[i].latency);
	}
	pthread_barrier_destroy(&bench->barrier);
	if (latency->count)
		print_result(bench, latency, elapsed_ns, lost);
	return explain(bench, workers);
}

/* One more worker than threads: its histogram is the result. */
static int run(struct bench *bench)
{
	struct worker *workers = calloc(bench->threads + 1, sizeof(*workers));
	struct sigaction action = { .sa_handler = interrupt };
	int code = EXIT_OK;
	uint64_t i;

	if (!workers)
		return fail(EXIT_FAILED, vrseq_strerror(ENOMEM), NULL, "bench failed");
	if (getrandom(&bench->nonce, sizeof(bench->nonce), 0) < 0)
		bench->nonce = now_ns();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (i = 0; i < worker_count(bench) && !code; i++)
		code = open_worker(bench, &workers[i], is_reader(bench, i));
	if (!code)
		code = measure(bench, workers);
	for (i = 0; i <= bench->threads; i++) {
		vrseq_close(workers[i].handle);
		free(workers[i].buffer);
	}
	free(workers);
	return code;
}

static struct bench bench_of(enum bench_kind kind, uint64_t bytes)
{
	return (struct bench){
		.kind = kind,
		.counter = "bench",
		.threads = 1,
		.count = 1,
		.bytes = bytes,
		.duration_ns = 10 * NS_PER_SECOND,
		.timeout_ns = TIMEOUT_DEFAULT_NS,
	};
}

int bench_next(int argc, char **argv)
{
	struct bench bench = bench_of(BENCH_NEXT, 0);
	struct arg args[] = {
		ARG("name", ARG_STRING, &bench.counter, .positional = true),
		ARG_IN("count", ARG_COUNT, &bench.count, 1, UINT32_MAX),
		ARG_IN("threads", ARG_COUNT, &bench.threads, 1, THREADS_MAX),
		ARG_IN("duration", ARG_TIME, &bench.duration_ns, NS_PER_MS, DURATION_MAX_NS),
		ARG_IN("timeout", ARG_TIME, &bench.timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &bench.group),
		{ 0 },
	};
	int code = args_parse(argc, argv, args, "vrseq bench help");

	return code ? code : run(&bench);
}

static int bench_messages(enum bench_kind kind, uint64_t bytes_min, int argc, char **argv)
{
	struct bench bench = bench_of(kind, 64);
	struct arg args[] = {
		ARG_IN("size", ARG_SIZE, &bench.bytes, bytes_min, 1 << 20),
		ARG_IN("threads", ARG_COUNT, &bench.threads, 1, THREADS_MAX),
		ARG_IN("duration", ARG_TIME, &bench.duration_ns, NS_PER_MS, DURATION_MAX_NS),
		ARG_IN("timeout", ARG_TIME, &bench.timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &bench.group),
		{ 0 },
	};
	int code = args_parse(argc, argv, args, "vrseq bench help");

	return code ? code : run(&bench);
}

int bench_append(int argc, char **argv)
{
	return bench_messages(BENCH_APPEND, 1, argc, argv);
}

int bench_tail(int argc, char **argv)
{
	return bench_messages(BENCH_TAIL, STAMP_BYTES, argc, argv);
}
