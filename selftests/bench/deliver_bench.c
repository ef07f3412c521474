// SPDX-License-Identifier: GPL-2.0
/*
 * What a record of 64 bytes costs its reader, in each way to read it, and what an
 * operation costs as a command of io_uring, a window of them at a time.
 * usage: deliver_bench PREFIX NETNS
 *
 * Prints "PREFIX-WAY mean" lines, in ns: instructions where one takes one ns.
 */
#include <sys/ioctl.h>
#include <vrseq.h>

#include "../lib/uring.h"
#include "bench.h"

#define RECORDS	1024
#define BYTES	64
#define WINDOW	16
#define EARLY	4	/* windows that are not counted: what happens once */

static const char *prefix;
static unsigned char message[BYTES];

static void say(const char *way, uint64_t took, unsigned int count)
{
	printf("%s-%s %llu\n", prefix, way, (unsigned long long)took / count);
}

static void must(int error, const char *what)
{
	if (error)
		die("%s: %s", what, strerror(-error));
}

/* All the records there are, with a buffer of so many bytes. */
static void read_with(const char *way, struct vrseq *handle, size_t bytes)
{
	static unsigned char buffer[1 << 16];
	size_t want = RECORDS * (sizeof(struct vrseq_record) + BYTES);
	uint64_t took = bench_now();
	ssize_t got;

	while (want) {
		got = read(vrseq_fd(handle), buffer, bytes);
		if (got <= 0)
			die("read: %s", strerror(errno));
		want -= got;
	}
	say(way, bench_now() - took, RECORDS);
}

/* One record for each, a window of them at a time. */
static void read_uring(const char *way, struct vrseq *handle)
{
	static unsigned char buffers[WINDOW][sizeof(struct vrseq_record) + BYTES];
	struct uring ring;
	uint64_t took = 0;
	int round, i;

	must(uring_open(&ring, WINDOW, 0), "io_uring");
	for (round = -EARLY; round < RECORDS / WINDOW - EARLY; round++) {
		if (!round)
			took = bench_now();
		for (i = 0; i < WINDOW; i++)
			uring_read(&ring, vrseq_fd(handle), buffers[i], sizeof(buffers[i]), i);
		must(uring_enter(&ring, WINDOW), "io_uring_enter");
		for (i = 0; i < WINDOW; i++) {
			if (uring_peek(&ring)->res != sizeof(buffers[i]))
				die("%s: %d", way, uring_peek(&ring)->res);
			uring_seen(&ring);
		}
	}
	say(way, bench_now() - took, RECORDS - EARLY * WINDOW);
	uring_close(&ring);
}

static void read_ring(const char *way, struct vrseq_ring *ring)
{
	uint64_t took = bench_now();
	struct vrseq_record record;
	const void *at;
	int i;

	for (i = 0; i < RECORDS; i++)
		must(vrseq_ring_read(ring, &record, &at), "ring");
	say(way, bench_now() - took, RECORDS);
}

static void deliver(void)
{
	struct vrseq *writer, *one, *many, *window, *ready;
	struct vrseq_result result;
	struct vrseq_ring *ring;
	uint64_t alone = 0, mapped = 0, before;
	int i;

	must(vrseq_open(NULL, 0, &writer), "open");
	must(vrseq_open(NULL, 0, &one), "open");
	must(vrseq_open(NULL, 0, &many), "open");
	must(vrseq_open(NULL, 0, &window), "open");
	must(vrseq_open(NULL, O_NONBLOCK, &ready), "open");
	for (i = 0; i < RECORDS; i++) {
		/* The first half without a ring, for what the ring costs the writer. */
		if (i == RECORDS / 2)
			must(vrseq_ring_open(writer, 0, &ring), "ring");
		before = bench_now();
		must(vrseq_append(writer, message, BYTES, 0, &result), "append");
		*(i < RECORDS / 2 ? &alone : &mapped) += bench_now() - before;
	}
	read_with("read-one", one, sizeof(struct vrseq_record) + BYTES);
	read_with("read-batch", many, 1 << 16);
	read_uring("read-uring", window);
	read_uring("read-uring-nonblock", ready);
	read_ring("ring", ring);
	say("append-no-ring", alone, RECORDS / 2);
	say("append-with-ring", mapped, RECORDS / 2);
	vrseq_ring_close(ring);
	vrseq_close(writer);
	vrseq_close(one);
	vrseq_close(many);
	vrseq_close(window);
	vrseq_close(ready);
}

static struct vrseq_next nexts[WINDOW];
static struct vrseq_append appends[WINDOW];

static void fill(struct uring *ring, int fd, unsigned int op, int i)
{
	memset(&nexts[i], 0, sizeof(nexts[i]));
	memset(&appends[i], 0, sizeof(appends[i]));
	nexts[i].count = 1;
	appends[i].data = (unsigned long)message;
	appends[i].bytes = BYTES;
	if (ring)
		uring_command(ring, fd, op, op == VRSEQ_IOC_NEXT ? (void *)&nexts[i] :
			      (void *)&appends[i], i);
}

/* One at a time by ioctl, or a window of them at a time. */
static void operate(const char *way, unsigned int op, bool by_uring)
{
	struct vrseq *handle;
	struct uring ring;
	uint64_t took = 0;
	int round, i;

	must(vrseq_open(NULL, 0, &handle), "open");
	must(uring_open(&ring, WINDOW, 0), "io_uring");
	for (round = -EARLY; round < RECORDS / WINDOW; round++) {
		if (!round)
			took = bench_now();
		for (i = 0; i < WINDOW; i++) {
			fill(by_uring ? &ring : NULL, vrseq_fd(handle), op, i);
			if (!by_uring && ioctl(vrseq_fd(handle), op, op == VRSEQ_IOC_NEXT ?
					       (void *)&nexts[i] : (void *)&appends[i]))
				die("%s: %s", way, strerror(errno));
		}
		if (!by_uring)
			continue;
		must(uring_enter(&ring, WINDOW), "io_uring_enter");
		for (i = 0; i < WINDOW; i++) {
			must(uring_peek(&ring)->res, way);
			uring_seen(&ring);
		}
	}
	say(way, bench_now() - took, RECORDS);
	close(ring.fd);
	vrseq_close(handle);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: deliver_bench PREFIX NETNS");
	prefix = argv[1];
	enter_netns(argv[2]);
	memset(message, 'm', sizeof(message));
	deliver();
	operate("next-ioctl", VRSEQ_IOC_NEXT, false);
	operate("next-uring", VRSEQ_IOC_NEXT, true);
	operate("append-ioctl", VRSEQ_IOC_APPEND, false);
	operate("append-uring", VRSEQ_IOC_APPEND, true);
	return 0;
}
