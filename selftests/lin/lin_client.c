// SPDX-License-Identifier: GPL-2.0
/*
 * Load on /dev/vrseq, recorded: threads that draw numbers, read counters and
 * append messages, are hit by signals and deadlines, join what they began or
 * walk away from it. Writes a history file for lin_check.
 *
 * Knows what the device promises and nothing of what is legal over all.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vrseq.h>

#include "../lib/testlib.h"
#include "lin_file.h"

#define THREADS_MAX 64
#define MESSAGE_BYTES_MAX 4096

static const char usage[] =
	"usage: lin_client -o FILE -c CLIENT [option]...\n"
	"  -n NETNS   open the device in this network namespace (of ip netns)\n"
	"  -g GROUP   attach to this group (the only one there is)\n"
	"  -t N       threads, each an open file (1)\n"
	"  -N N       operations of each thread (no end)\n"
	"  -d S       seconds (no end)\n"
	"  -s SEED    of what is done when\n"
	"  -a PERCENT appends (20)      -r PERCENT reads of counters (15)\n"
	"  -R PERCENT of ranges (5)     -C N  named counters besides the group's own (2)\n"
	"  -D MS      usual deadline (2000), -x PERCENT much shorter deadlines (0)\n"
	"  -i MS      mean time between signals to a thread (0 = none)\n"
	"  -l PERCENT of unfinished operations that are left unknown (20)\n"
	"  -p US      pause between operations, at most (0)\n"
	"  -b BYTES   largest message (256)\n"
	"  -m MINIMUM exit 1 unless so many operations were applied in all (1)\n";

static struct options {
	const char *netns;
	const char *group;
	uint64_t client;
	uint64_t threads;
	uint64_t operations;
	uint64_t seconds;
	uint64_t seed;
	uint64_t append_percent, get_percent, range_percent, leave_percent, hurry_percent;
	uint64_t counters;
	uint64_t deadline_ms, signal_ms, pause_us;
	uint64_t message_bytes_max;
	uint64_t minimum;
} options = {
	.group = "", .threads = 1, .operations = UINT64_MAX, .seed = 1, .append_percent = 20,
	.get_percent = 15, .range_percent = 5, .leave_percent = 20, .counters = 2,
	.deadline_ms = 2000, .message_bytes_max = 256, .minimum = 1,
};

static struct lin_file file;
static int home_netns;
static atomic_bool stopping;
static atomic_uint running;
static pthread_t main_thread;
static atomic_ulong errors[4096];	/* by errno */
static atomic_ulong outcomes[3], joins, settled;

struct worker {
	pthread_t thread;
	int fd;
	uint64_t rng;
	uint32_t client;	/* of this open file */
	uint32_t client_step;
	uint32_t number;
	unsigned char message[MESSAGE_BYTES_MAX];
};

static unsigned int below(struct worker *worker, uint64_t n)
{
	return lin_random(&worker->rng) % n;
}

static bool chance(struct worker *worker, uint64_t percent)
{
	return below(worker, 100) < percent;
}

/*
 * A new open file is a new session, and so a new client to the checker. Only the
 * open is done in the namespace: nothing but the open file may point there.
 */
static bool worker_open(struct worker *worker)
{
	struct vrseq_attach attach = { 0 };

	if (worker->fd >= 0)
		close(worker->fd);
	worker->fd = -1;
	if (options.netns && !try_netns(options.netns))
		return false;
	worker->fd = open("/dev/vrseq", O_RDWR | O_CLOEXEC);
	if (worker->fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	if (options.netns && setns(home_netns, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	strncpy(attach.group, options.group, sizeof(attach.group) - 1);
	if (ioctl(worker->fd, VRSEQ_IOC_ATTACH, &attach)) {
		atomic_fetch_add(&errors[errno], 1);
		close(worker->fd);
		worker->fd = -1;
		return false;
	}
	worker->client += worker->client_step;
	worker->number = 0;
	return true;
}

union request {
	struct vrseq_op_hdr hdr;
	struct vrseq_next next;
	struct vrseq_get get;
	struct vrseq_append append;
};

static unsigned long prepare(struct worker *worker, union request *request, struct lin_op *op)
{
	char *name = NULL;
	uint32_t bytes;

	memset(request, 0, sizeof(*request));
	if (chance(worker, options.append_percent)) {
		bytes = sizeof(struct lin_message) +
			below(worker, options.message_bytes_max - sizeof(struct lin_message) + 1);
		op->hash = lin_message(worker->message, bytes, op->client, op->number);
		op->kind = LIN_APPEND;
		request->append.data = (uintptr_t)worker->message;
		request->append.bytes = bytes;
		return VRSEQ_IOC_APPEND;
	}
	op->counter = below(worker, options.counters + 1);
	if (chance(worker, options.get_percent)) {
		op->kind = LIN_GET;
		/* In all ways that are linearizable; the clock runs on everywhere. */
		request->get.mode = below(worker, VRSEQ_READ_LEASE + 1);
		name = request->get.counter;
	} else {
		op->kind = LIN_NEXT;
		op->count = chance(worker, options.range_percent) ? 2 + below(worker, 9) : 1;
		request->next.count = op->count;
		name = request->next.counter;
	}
	if (op->counter)
		snprintf(name, VRSEQ_COUNTER_NAME_BYTES, "counter %u", op->counter);
	return op->kind == LIN_GET ? VRSEQ_IOC_GET : VRSEQ_IOC_NEXT;
}

static void note(struct lin_op *op, const union request *request, uint64_t end_ns)
{
	const struct vrseq_op_hdr *hdr = &request->hdr;

	op->end_ns = end_ns;
	/* A read that is no entry has the index of another one's. */
	if (op->kind != LIN_GET || request->get.mode == VRSEQ_READ_LOG)
		op->index = hdr->index;
	switch (op->kind) {
	case LIN_NEXT:
		op->first = request->next.first;
		op->last = request->next.last;
		break;
	case LIN_GET:
		op->first = request->get.value;
		op->last = op->first;
		break;
	case LIN_APPEND:
		op->first = request->append.sequence;
		op->last = op->first;
		break;
	}
	__atomic_store_n(&op->outcome, LIN_APPLIED, __ATOMIC_RELEASE);
}

static void set_deadline(struct worker *worker, struct vrseq_op_hdr *hdr)
{
	uint64_t wait_ns = options.deadline_ms * 1000000;

	if (chance(worker, options.hurry_percent))
		wait_ns = 1 + below(worker, 5000000);
	hdr->deadline_ns = lin_now_ns() + wait_ns;
}

static bool answer(struct lin_op *op, const struct vrseq_op_result *result)
{
	switch (result->hdr.outcome) {
	case VRSEQ_OUTCOME_APPLIED:
		op->end_ns = lin_now_ns();
		op->index = result->hdr.index;
		op->last = result->last;
		op->first = op->kind == LIN_NEXT ? result->first : result->last;
		__atomic_store_n(&op->outcome, LIN_APPLIED, __ATOMIC_RELEASE);
		break;
	case VRSEQ_OUTCOME_NOT_APPLIED:
		op->outcome = LIN_NOT_APPLIED;
		break;
	default:
		return false;	/* it is under way still */
	}
	atomic_fetch_add(&outcomes[op->outcome], 1);
	atomic_fetch_add(&settled, 1);
	return true;
}

/*
 * Once and for all: RESULT says what became of an operation, or makes sure that
 * nothing ever will. False: not even that could be had, for some time.
 */
static bool settle(struct worker *worker, struct lin_op *op, uint64_t op_id)
{
	int tries;

	for (tries = 0; tries < 100 && !stopping; tries++) {
		struct vrseq_op_result result = { .hdr.op_id = op_id };

		set_deadline(worker, &result.hdr);
		if (!ioctl(worker->fd, VRSEQ_IOC_RESULT, &result)) {
			if (answer(op, &result))
				return true;
		} else {
			int err = errno;

			atomic_fetch_add(&errors[err], 1);
			if (err != EHOSTUNREACH && err != ETIMEDOUT && err != EINTR)
				return false;
		}
		usleep(1000 + below(worker, 50000));
	}
	return false;
}

/* One operation, with as many calls as it takes. False: the group is gone. */
static bool operate(struct worker *worker)
{
	union lin_record *record = lin_file_add(&file);
	unsigned long command;
	union request request;
	struct lin_op *op;

	if (!record)
		return false;
	op = &record->op;
	op->client = worker->client;
	op->number = ++worker->number;
	command = prepare(worker, &request, op);
	op->start_ns = lin_now_ns();
	for (;;) {
		uint64_t op_id = request.hdr.op_id;
		bool over;
		int err;

		set_deadline(worker, &request.hdr);
		err = ioctl(worker->fd, command, &request) ? errno : 0;
		if (op_id && request.hdr.op_id != op_id)
			die("op_id %" PRIu64 " came back as %" PRIu64, op_id,
			    (uint64_t)request.hdr.op_id);
		if (err)
			atomic_fetch_add(&errors[err], 1);
		if (err ? request.hdr.outcome == VRSEQ_OUTCOME_APPLIED :
			  request.hdr.outcome != VRSEQ_OUTCOME_APPLIED)
			die("%s with outcome %u", strerror(err), request.hdr.outcome);
		if (!err) {
			note(op, &request, lin_now_ns());
			atomic_fetch_add(&outcomes[LIN_APPLIED], 1);
			return true;
		}
		over = err != EHOSTUNREACH && err != EINTR && err != ETIMEDOUT && err != EAGAIN;
		if (err == EHOSTUNREACH)
			usleep(1000 + below(worker, 20000));
		if (request.hdr.outcome == VRSEQ_OUTCOME_NOT_APPLIED) {
			op->outcome = LIN_NOT_APPLIED;
			atomic_fetch_add(&outcomes[LIN_NOT_APPLIED], 1);
			/* Without memory the next one may fare better. */
			return err == ESTALE ? worker_open(worker) : !over || err == ENOMEM;
		}
		if (over) {
			atomic_fetch_add(&outcomes[LIN_UNKNOWN], 1);
			return err == ESTALE && worker_open(worker);
		}
		if (stopping || chance(worker, options.leave_percent)) {
			if (chance(worker, 50) && settle(worker, op, request.hdr.op_id))
				return true;
			atomic_fetch_add(&outcomes[LIN_UNKNOWN], 1);
			/* Half walk away from the session, too. */
			return chance(worker, 50) || worker_open(worker);
		}
		atomic_fetch_add(&joins, 1);
	}
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	uint64_t done;

	for (done = 0; done < options.operations && !stopping; done++) {
		if (worker->fd < 0 && !worker_open(worker))
			break;
		if (!operate(worker))
			break;
		if (options.pause_us)
			usleep(below(worker, options.pause_us));
	}
	if (worker->fd >= 0)
		close(worker->fd);
	/* The last one wakes main(). */
	if (atomic_fetch_sub(&running, 1) == 1)
		pthread_kill(main_thread, SIGUSR1);
	return NULL;
}

static void on_signal(int number)
{
	if (number == SIGTERM)
		stopping = true;
}

/* Sleeps, hits threads with signals, tells when the time is up. */
static void oversee(struct worker *workers)
{
	uint64_t begin_ns = lin_now_ns(), end_ns = begin_ns + options.seconds * 1000000000ull;
	uint64_t between_ns = 2 * options.signal_ms * 1000000 / options.threads + 1;
	uint64_t rng = options.seed * 77 + 1, signal_ns = begin_ns;

	while (running) {
		uint64_t now_ns = lin_now_ns(), wake_ns = now_ns + 1000000000;

		if (options.seconds && now_ns >= end_ns)
			stopping = true;
		if (options.signal_ms && now_ns >= signal_ns) {
			pthread_kill(workers[lin_random(&rng) % options.threads].thread, SIGUSR1);
			signal_ns = now_ns + lin_random(&rng) % between_ns;
		}
		if (options.signal_ms && signal_ns < wake_ns)
			wake_ns = signal_ns;
		if (options.seconds && end_ns > now_ns && end_ns < wake_ns)
			wake_ns = end_ns;
		usleep(wake_ns > now_ns ? (wake_ns - now_ns) / 1000 : 1);
	}
}

/* All options but three are numbers. */
static const struct {
	char letter;
	uint64_t *value;
} numbers[] = {
	{ 'c', &options.client },
	{ 't', &options.threads },
	{ 'N', &options.operations },
	{ 'd', &options.seconds },
	{ 's', &options.seed },
	{ 'a', &options.append_percent },
	{ 'r', &options.get_percent },
	{ 'R', &options.range_percent },
	{ 'C', &options.counters },
	{ 'D', &options.deadline_ms },
	{ 'x', &options.hurry_percent },
	{ 'i', &options.signal_ms },
	{ 'l', &options.leave_percent },
	{ 'p', &options.pause_us },
	{ 'b', &options.message_bytes_max },
	{ 'm', &options.minimum },
};

static bool parse_number(int letter, const char *text)
{
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (numbers[i].letter == letter) {
			*numbers[i].value = strtoull(text, NULL, 0);
			return true;
		}
	}
	return false;
}

static const char *parse(int argc, char **argv)
{
	const char *path = NULL;
	bool good = true;
	int option;

	while ((option = getopt(argc, argv, "n:g:o:c:t:N:d:s:a:r:R:C:D:x:i:l:p:b:m:")) != -1) {
		if (option == 'n')
			options.netns = optarg;
		else if (option == 'g')
			options.group = optarg;
		else if (option == 'o')
			path = optarg;
		else
			good &= parse_number(option, optarg);
	}
	if (!good || !path || optind != argc || !options.threads || options.threads > THREADS_MAX ||
	    options.message_bytes_max < sizeof(struct lin_message) ||
	    options.message_bytes_max > MESSAGE_BYTES_MAX) {
		fputs(usage, stderr);
		exit(2);
	}
	return path;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS_MAX];
	struct sigaction action = { .sa_handler = on_signal };
	const char *path = parse(argc, argv);
	size_t capacity = 1 << 20;
	unsigned int i;
	int err;

	/* No SA_RESTART: a signal has to be seen as EINTR. */
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (options.operations < capacity / options.threads)
		capacity = options.operations * options.threads;
	err = lin_file_create(&file, path, capacity);
	if (err)
		die("%s: %s", path, strerror(-err));

	home_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home_netns < 0)
		die("/proc/self/ns/net: %s", strerror(errno));
	main_thread = pthread_self();
	running = options.threads;
	for (i = 0; i < options.threads; i++) {
		struct worker *worker = &workers[i];

		/* Client ids: base, thread, open files of that thread. */
		worker->fd = -1;
		worker->client = options.client << 20 | i << 14;
		worker->client_step = 1;
		worker->rng = (options.seed << 8 | i) * 0x9e3779b97f4a7c15ull | 1;
		if (pthread_create(&worker->thread, NULL, work, worker))
			die("cannot start a thread");
	}
	oversee(workers);
	for (i = 0; i < options.threads; i++)
		pthread_join(workers[i].thread, NULL);

	printf("lin_client %" PRIu64 ": applied %lu not %lu unknown %lu joins %lu settled %lu",
	       options.client, outcomes[LIN_APPLIED], outcomes[LIN_NOT_APPLIED],
	       outcomes[LIN_UNKNOWN], joins, settled);
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i])
			printf(" %s %lu", strerrorname_np(i), errors[i]);
	printf("\n");
	lin_file_close(&file);
	return outcomes[LIN_APPLIED] >= options.minimum ? 0 : 1;
}
