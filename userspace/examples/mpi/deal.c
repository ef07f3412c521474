// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * deal - the ranks of an MPI job draw work items and log what they did
 *
 * usage: mpirun [...] deal [-g GROUP] [-c COUNTER] [-i ITEMS] [-n NETNS]
 *
 * No rank is the master: an item is a number of a counter, drawn by whoever is
 * free, on whichever node. Each rank appends an event for what it finished, and in
 * the end all of them read the same events in the same order and could go on from
 * there. MPI is for what MPI is good at; nothing of the above is sent through it,
 * but for the check that all ranks saw one order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mpi.h>
#include <vrseq.h>

struct job {
	int rank;
	int ranks;
	const char *group;	/* NULL = the only one of this node */
	const char *counter;	/* one job at a time may use it */
	uint64_t items;
	uint64_t base;		/* items are the numbers base + 1 to base + items */
	uint64_t begin;		/* sequence of the event that begins the job */
	uint64_t drawn;		/* items of this rank */
	struct vrseq *handle;
};

/* Ends the whole job: no rank can finish without the others. */
static void die(const struct job *job, const char *what, int error)
{
	fprintf(stderr, "rank %d: %s: %s\n", job->rank, what, vrseq_strerror(error));
	MPI_Abort(MPI_COMM_WORLD, 1);
	exit(1);
}

/*
 * While the group has no quorum it says so every now and then. Joining waits for
 * the very same operation, so no item is drawn twice, or lost, because of that.
 */
static bool join(int error, const struct vrseq_result *result)
{
	return error == -EHOSTUNREACH && result->op_id;
}

static uint64_t draw(struct job *job)
{
	struct vrseq_result result;
	int error;

	error = vrseq_next(job->handle, job->counter, 1, VRSEQ_NO_DEADLINE, &result);
	while (join(error, &result))
		error = vrseq_next_join(job->handle, result.op_id, job->counter, 1,
					VRSEQ_NO_DEADLINE, &result);
	if (error)
		die(job, "draw", error);
	return result.first - job->base;
}

static uint64_t event(struct job *job, const char *text)
{
	struct vrseq_result result;
	int error;

	error = vrseq_append(job->handle, text, strlen(text), VRSEQ_NO_DEADLINE, &result);
	while (join(error, &result))
		error = vrseq_append_join(job->handle, result.op_id, text, strlen(text),
					  VRSEQ_NO_DEADLINE, &result);
	if (error)
		die(job, "append", error);
	return result.first;
}

/* What would be hours: the length of the item's Collatz sequence. */
static unsigned int work(uint64_t item)
{
	unsigned int steps = 0;

	for (; item > 1; steps++)
		item = item % 2 ? 3 * item + 1 : item / 2;
	return steps;
}

static void do_items(struct job *job)
{
	char text[128];
	uint64_t item;

	while ((item = draw(job)) <= job->items) {
		snprintf(text, sizeof(text), "deal %" PRIu64 ": item %" PRIu64 " rank %d result %u",
			 job->begin, item, job->rank, work(item));
		event(job, text);
		job->drawn++;
	}
}

/* One number for all that was read, in its order (FNV-1a). */
static uint64_t digest(uint64_t sum, const void *bytes, size_t count)
{
	const unsigned char *byte = bytes;

	while (count--)
		sum = (sum ^ *byte++) * 0x100000001b3;
	return sum;
}

/*
 * Reads the job's events up to the one that ends it. Return: the digest; each
 * item must have come once.
 */
static uint64_t read_events(struct job *job, uint64_t end)
{
	static char buffer[256 * 1024];
	struct vrseq_reader reader = { .buffer = buffer, .bytes = sizeof(buffer) };
	char *seen = calloc(job->items + 1, 1), text[128];
	uint64_t sum = 0xcbf29ce484222325, item, begin, count = 0;
	struct vrseq_record record = { 0 };
	const void *message;
	int error;

	if (!seen)
		die(job, "read", -ENOMEM);
	while (record.sequence < end) {
		error = vrseq_read(job->handle, &reader, &record, &message);
		if (error == -EPIPE)
			die(job, "the group keeps too few messages for this job", error);
		if (error)
			die(job, "read", error);
		if (record.type != VRSEQ_RECORD_MESSAGE || record.sequence < job->begin ||
		    record.bytes >= sizeof(text))
			continue;
		memcpy(text, message, record.bytes);
		text[record.bytes] = '\0';
		if (sscanf(text, "deal %" SCNu64 ": item %" SCNu64, &begin, &item) != 2 ||
		    begin != job->begin)
			continue;
		if (!item || item > job->items || seen[item]++) {
			fprintf(stderr, "rank %d: item %" PRIu64 " came twice\n", job->rank, item);
			MPI_Abort(MPI_COMM_WORLD, 1);
		}
		count++;
		sum = digest(sum, &record.sequence, sizeof(record.sequence));
		sum = digest(sum, text, record.bytes);
	}
	free(seen);
	if (count != job->items) {
		fprintf(stderr, "rank %d: %" PRIu64 " items of %" PRIu64 "\n", job->rank, count,
			job->items);
		MPI_Abort(MPI_COMM_WORLD, 1);
	}
	return sum;
}

/* Rank 0 says where numbers and events begin, before anybody draws. */
static void begin(struct job *job)
{
	struct vrseq_result result;
	int error;

	if (!job->rank) {
		error = vrseq_get(job->handle, job->counter, VRSEQ_READ_LOG, VRSEQ_NO_DEADLINE,
				  &result);
		if (error)
			die(job, "get", error);
		job->base = result.first;
		job->begin = event(job, "deal begins");
	}
	MPI_Bcast(&job->base, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
	MPI_Bcast(&job->begin, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
}

/* Return: 0 if all ranks read the same. */
static int end(struct job *job)
{
	uint64_t last = 0, sum, all[2], mine[3], *everybody = NULL;
	struct vrseq_status status;
	int i;

	/* what was appended before this is before the last event, for every reader */
	MPI_Barrier(MPI_COMM_WORLD);
	if (!job->rank)
		last = event(job, "deal ends");
	MPI_Bcast(&last, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
	sum = read_events(job, last);
	MPI_Allreduce(&sum, &all[0], 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
	MPI_Allreduce(&sum, &all[1], 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
	vrseq_status(job->handle, &status);
	mine[0] = status.self_id;
	mine[1] = job->drawn;
	mine[2] = sum;
	if (!job->rank)
		everybody = calloc(job->ranks, sizeof(mine));
	MPI_Gather(mine, 3, MPI_UINT64_T, everybody, 3, MPI_UINT64_T, 0, MPI_COMM_WORLD);
	for (i = 0; everybody && i < job->ranks; i++)
		printf("rank %d at member %" PRIu64 ": %" PRIu64 " items, order %016" PRIx64 "\n",
		       i, everybody[3 * i], everybody[3 * i + 1], everybody[3 * i + 2]);
	if (everybody && all[0] == all[1])
		printf("%" PRIu64 " items, each drawn once; %d ranks read one order\n", job->items,
		       job->ranks);
	free(everybody);
	if (all[0] != all[1] && !job->rank)
		fprintf(stderr, "the ranks read different orders\n");
	return all[0] != all[1];
}

/* For trying it on one machine: MPI stays where it is, the group is of NETNS. */
static void enter(const struct job *job, const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(job, path, errno);
	close(fd);
}

int main(int argc, char **argv)
{
	struct job job = { .counter = "deal", .items = 100 };
	int error, option, status;

	MPI_Init(&argc, &argv);
	MPI_Comm_rank(MPI_COMM_WORLD, &job.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &job.ranks);
	while ((option = getopt(argc, argv, "g:c:i:n:")) >= 0) {
		switch (option) {
		case 'g':
			job.group = optarg;
			break;
		case 'c':
			job.counter = optarg;
			break;
		case 'i':
			job.items = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			enter(&job, optarg);
			break;
		default:
			MPI_Abort(MPI_COMM_WORLD, 2);
		}
	}
	error = vrseq_open(job.group, O_CLOEXEC | VRSEQ_RESTART, &job.handle);
	if (error)
		die(&job, "/dev/vrseq", error);
	begin(&job);
	do_items(&job);
	status = end(&job);
	vrseq_close(job.handle);
	MPI_Finalize();
	return status;
}
