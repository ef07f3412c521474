// SPDX-License-Identifier: GPL-2.0
/*
 * usage: crowd SECONDS
 *
 * Many threads on few files of one member, all in a hurry: deadlines shorter
 * than an operation takes, then the same op_id again, or RESULT, until the end
 * is known. Meanwhile the script that runs it breaks and heals the group. In the
 * end each number was given out once, and as many as were told to be applied.
 */
#include <pthread.h>

#include "../lib/testlib.h"
#include "dev.h"

#define FILES		3
#define THREADS		24
#define NUMBERS_MAX	200000

static int fds[FILES];
static __u64 until_ns;
static unsigned char given[NUMBERS_MAX];	/* how often */
static __u64 applied, lost, refused, settled, reads;

static void fail(const char *what, int error)
{
	die("%s: %s", what, strerror(-error));
}

static void count(__u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void note(__u64 number)
{
	if (!number || number >= NUMBERS_MAX)
		die("number %llu", (unsigned long long)number);
	if (__atomic_fetch_add(&given[number], 1, __ATOMIC_RELAXED))
		die("number %llu was given out twice", (unsigned long long)number);
	count(&applied);
}

/* The end of an operation by RESULT; -EAGAIN: not known yet. */
static int settle(int fd, __u64 op_id)
{
	struct vrseq_op_result result = { .hdr.op_id = op_id };
	int error;

	result.hdr.deadline_ns = dev_now_ns() + 20 * MS;
	error = dev_ioctl(fd, VRSEQ_IOC_RESULT, &result);
	if (error)
		return error;
	if (result.hdr.outcome == VRSEQ_OUTCOME_UNKNOWN)
		return -EAGAIN;
	count(&settled);
	if (result.hdr.outcome == VRSEQ_OUTCOME_APPLIED)
		note(result.first);
	else
		count(&refused);
	return 0;
}

static int repeat(int fd, struct vrseq_next *next)
{
	int error;

	next->hdr.deadline_ns = dev_now_ns() + 20 * MS;
	error = dev_ioctl(fd, VRSEQ_IOC_NEXT, next);
	if (!error) {
		note(next->first);
		return 0;
	}
	if (next->hdr.outcome == VRSEQ_OUTCOME_NOT_APPLIED) {
		count(&refused);
		return 0;
	}
	return error;
}

/* One number, or for certain none; unless the others of the file left us behind. */
static void draw(int fd, unsigned int *seed)
{
	struct vrseq_next next = { .count = 1 };
	int error;

	next.hdr.deadline_ns = dev_now_ns() + rand_r(seed) % 10000 * 1000;
	error = dev_ioctl(fd, VRSEQ_IOC_NEXT, &next);
	if (!error) {
		note(next.first);
		return;
	}
	while (next.hdr.outcome == VRSEQ_OUTCOME_UNKNOWN) {
		switch (error) {
		case -ESTALE:
			count(&lost);
			return;
		case -EAGAIN:
		case -ETIMEDOUT:
		case -EHOSTUNREACH:
			break;
		default:
			fail("operation", error);
		}
		error = rand_r(seed) % 2 ? repeat(fd, &next) : settle(fd, next.hdr.op_id);
		if (!error)
			return;
	}
	if (error != -ETIMEDOUT && error != -EHOSTUNREACH && error != -ECANCELED)
		fail("refused", error);
	count(&refused);
}

/* Never less than what was known before it was asked. */
static void look(int fd, unsigned int *seed)
{
	__u64 floor = __atomic_load_n(&applied, __ATOMIC_RELAXED);
	struct vrseq_get get = { .mode = VRSEQ_READ_INDEX };
	int error;

	get.hdr.deadline_ns = dev_now_ns() + rand_r(seed) % 10000 * 1000;
	error = dev_ioctl(fd, VRSEQ_IOC_GET, &get);
	if (error && error != -ETIMEDOUT && error != -EHOSTUNREACH)
		fail("read", error);
	if (!error && get.value < floor)
		die("read %llu when %llu were known", (unsigned long long)get.value,
		    (unsigned long long)floor);
	if (!error)
		count(&reads);
}

static void *work(void *argument)
{
	unsigned int seed = (unsigned long)argument;
	int fd = fds[seed % FILES];

	while (dev_now_ns() < until_ns) {
		if (rand_r(&seed) % 4)
			draw(fd, &seed);
		else
			look(fd, &seed);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];
	__u64 value;
	long i;

	if (argc != 2)
		die("usage: crowd SECONDS");
	until_ns = dev_now_ns() + strtoull(argv[1], NULL, 10) * 1000 * MS;
	for (i = 0; i < FILES; i++) {
		fds[i] = dev_open(O_RDWR);
		if (fds[i] < 0)
			die("/dev/vrseq: %s", strerror(errno));
	}
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < 60; i++) {
		value = dev_get(fds[0], "");
		if (value != ~0ull)
			break;
		sleep(1);
	}
	printf("%llu applied, %llu refused, %llu lost sight of, %llu settled, %llu reads; counter %llu\n",
	       (unsigned long long)applied, (unsigned long long)refused,
	       (unsigned long long)lost, (unsigned long long)settled,
	       (unsigned long long)reads, (unsigned long long)value);
	if (value < applied || value > applied + lost)
		die("the counter does not fit");
	if (!applied || !refused || !settled || !reads)
		die("there was nothing to see");
	return 0;
}
