// SPDX-License-Identifier: GPL-2.0
/*
 * libvrseq against a device that is played here: the linker sends the
 * library's system calls to the __wrap functions. What is shown is the
 * library's half of the contract: what it passes on, when it joins, what it
 * believes of an answer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../lib/kselftest_harness.h"
#include "wrap.h"
#include <vrseq.h>

#define FOREVER_NS 10000000000u

static struct {
	int open_flags;
	int open_count;
	int close_count;
	int errors[4];			/* of the ioctls to come; 0 = success */
	unsigned int ioctl_count;	/* without ATTACH */
	int attach_error;
	struct vrseq_attach attach;
	struct vrseq_next next;		/* as the last one came in */
	struct vrseq_get get;
	struct vrseq_barrier barrier;
	struct vrseq_append append;
	struct vrseq_op_result of;
	struct vrseq_op_result answer;	/* of RESULT, but for its op_id */
	uint64_t op_id;
	unsigned int crowd;		/* threads to be inside before any returns */
	unsigned int inside;
	const void *records;
	ssize_t record_bytes;		/* negative errno; or what read() brings */
	unsigned int read_count;
	bool full;			/* nothing is begun any more */
	bool blocking[4];		/* was the file so, at each ioctl */
} device;

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/vrseq")) {
		errno = ENOENT;
		return -1;
	}
	device.open_flags = flags;
	device.open_count++;
	return eventfd(0, flags & O_NONBLOCK ? EFD_NONBLOCK : 0);
}

int __wrap_close(int fd)
{
	device.close_count++;
	return __real_close(fd);
}

static pthread_mutex_t crowd_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t crowd_complete = PTHREAD_COND_INITIALIZER;

/* Each draws the number of its arrival, when all have arrived. */
static int meet(struct vrseq_next *next)
{
	pthread_mutex_lock(&crowd_lock);
	next->first = ++device.inside;
	next->last = next->first;
	next->hdr.op_id = next->first;
	next->hdr.outcome = VRSEQ_OUTCOME_APPLIED;
	if (device.inside == device.crowd)
		pthread_cond_broadcast(&crowd_complete);
	while (device.inside < device.crowd)
		pthread_cond_wait(&crowd_complete, &crowd_lock);
	pthread_mutex_unlock(&crowd_lock);
	return 0;
}

static void answer(struct vrseq_op_hdr *hdr, int error)
{
	if (!hdr->op_id)
		hdr->op_id = ++device.op_id;
	hdr->outcome = error ? VRSEQ_OUTCOME_UNKNOWN : VRSEQ_OUTCOME_APPLIED;
	hdr->index = error ? 0 : 100;
	hdr->view = error ? 0 : 7;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct vrseq_op_result *of;
	struct vrseq_barrier *barrier;
	struct vrseq_append *append;
	struct vrseq_status *status;
	struct vrseq_next *next;
	struct vrseq_get *get;
	va_list arguments;
	void *argument;
	int error;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (request == VRSEQ_IOC_ATTACH) {
		device.attach = *(struct vrseq_attach *)argument;
		strcpy(((struct vrseq_attach *)argument)->group, "fence");
		errno = device.attach_error;
		return errno ? -1 : 0;
	}
	if (device.crowd)
		return meet(argument);
	if (device.full) {
		errno = EAGAIN;
		return -1;
	}
	if (device.ioctl_count < ARRAY_SIZE(device.blocking))
		device.blocking[device.ioctl_count] = !(fcntl(fd, F_GETFL) & O_NONBLOCK);
	error = device.ioctl_count < ARRAY_SIZE(device.errors) ?
		device.errors[device.ioctl_count] : 0;
	device.ioctl_count++;
	switch (request) {
	case VRSEQ_IOC_NEXT:
		next = argument;
		device.next = *next;
		answer(&next->hdr, error);
		next->first = 41;
		next->last = 41 + next->count - 1;
		break;
	case VRSEQ_IOC_GET:
		get = argument;
		device.get = *get;
		answer(&get->hdr, error);
		get->value = 40;
		get->age_ns = 1500;
		break;
	case VRSEQ_IOC_BARRIER:
		barrier = argument;
		device.barrier = *barrier;
		answer(&barrier->hdr, error);
		barrier->sequence = 17;
		break;
	case VRSEQ_IOC_APPEND:
		append = argument;
		device.append = *append;
		answer(&append->hdr, error);
		append->sequence = 9;
		break;
	case VRSEQ_IOC_RESULT:
		of = argument;
		device.of = *of;
		*of = device.answer;
		of->hdr.op_id = device.of.hdr.op_id;
		break;
	case VRSEQ_IOC_STATUS:
		status = argument;
		memset(status, 0, sizeof(*status));
		status->state = VRSEQ_STATE_AMNESIA;
		status->incarnation = 3;
		status->checkpoint_op = 512;
		break;
	default:
		error = ENOTTY;
	}
	errno = error;
	return error ? -1 : 0;
}

ssize_t __wrap_read(int fd, void *buffer, size_t bytes)
{
	(void)fd;
	device.read_count++;
	if (device.record_bytes < 0) {
		errno = -device.record_bytes;
		return -1;
	}
	if ((size_t)device.record_bytes > bytes) {
		errno = EINVAL;
		return -1;
	}
	memcpy(buffer, device.records, device.record_bytes);
	return device.record_bytes;
}

FIXTURE(library) {
	struct vrseq *handle;
	struct vrseq_result result;
};

FIXTURE_SETUP(library)
{
	memset(&device, 0, sizeof(device));
	ASSERT_EQ(vrseq_open("fence", 0, &self->handle), 0);
	memset(&self->result, 0xff, sizeof(self->result));
}

FIXTURE_TEARDOWN(library)
{
	vrseq_close(self->handle);
}

static void reopen(struct vrseq **handle, int flags)
{
	vrseq_close(*handle);
	if (vrseq_open(NULL, flags, handle))
		abort();
}

TEST_F(library, open_attaches)
{
	EXPECT_EQ(device.open_flags, O_RDWR);
	EXPECT_STREQ(device.attach.group, "fence");
	EXPECT_STREQ(vrseq_group(self->handle), "fence");
	EXPECT_GE(vrseq_fd(self->handle), 0);

	reopen(&self->handle, O_NONBLOCK | O_CLOEXEC | VRSEQ_RESTART);
	EXPECT_EQ(device.open_flags, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	EXPECT_STREQ(device.attach.group, "");
	EXPECT_EQ(device.attach.flags, 0);
}

TEST_F(library, open_refuses)
{
	struct vrseq *const untouched = (struct vrseq *)1;
	struct vrseq *handle = untouched;

	EXPECT_EQ(vrseq_open(NULL, O_APPEND, &handle), -EINVAL);
	EXPECT_EQ(vrseq_open("a name that is one byte too long", 0, &handle), -EINVAL);
	device.attach_error = ENOTCONN;
	EXPECT_EQ(vrseq_open("nope", 0, &handle), -ENOTCONN);
	EXPECT_EQ(handle, untouched);
	EXPECT_EQ(device.close_count, device.open_count - 1);
}

TEST_F(library, next)
{
	static const struct vrseq_op_hdr fresh = { .deadline_ns = 5 };

	ASSERT_EQ(vrseq_next(self->handle, "apples", 3, 5, &self->result), 0);
	EXPECT_EQ(memcmp(&device.next.hdr, &fresh, sizeof(fresh)), 0);
	EXPECT_STREQ(device.next.counter, "apples");
	EXPECT_EQ(device.next.count, 3);
	EXPECT_EQ(self->result.first, 41);
	EXPECT_EQ(self->result.last, 43);
	EXPECT_EQ(self->result.index, 100);
	EXPECT_EQ(self->result.view, 7);
	EXPECT_EQ(self->result.op_id, 1);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_APPLIED);
	/* the own counter, and nobody asks for the result */
	EXPECT_EQ(vrseq_next(self->handle, NULL, 1, 0, NULL), 0);
	EXPECT_STREQ(device.next.counter, "");
}

TEST_F(library, counter_names)
{
	char name[65];

	memset(name, 'x', 64);
	name[64] = '\0';
	EXPECT_EQ(vrseq_next(self->handle, name, 1, 0, &self->result), -EINVAL);
	EXPECT_EQ(vrseq_get(self->handle, name, VRSEQ_READ_LOG, 0, &self->result), -EINVAL);
	EXPECT_EQ(device.ioctl_count, 0);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_NOT_APPLIED);
	EXPECT_EQ(self->result.op_id, 0);
	name[63] = '\0';
	EXPECT_EQ(vrseq_next(self->handle, name, 1, 0, &self->result), 0);
	EXPECT_STREQ(device.next.counter, name);
}

TEST_F(library, get_and_append)
{
	ASSERT_EQ(vrseq_get(self->handle, "apples", VRSEQ_READ_LOG, 6, &self->result), 0);
	EXPECT_STREQ(device.get.counter, "apples");
	EXPECT_EQ(device.get.mode, VRSEQ_READ_LOG);
	EXPECT_EQ(device.get.hdr.deadline_ns, 6);
	EXPECT_EQ(self->result.first, 40);
	EXPECT_EQ(self->result.last, 40);
	EXPECT_EQ(self->result.kind, VRSEQ_KIND_GET);

	ASSERT_EQ(vrseq_append(self->handle, "hello", 5, 8, &self->result), 0);
	EXPECT_EQ(memcmp((void *)(uintptr_t)device.append.data, "hello", 5), 0);
	EXPECT_EQ(device.append.bytes, 5);
	EXPECT_EQ(device.append.hdr.deadline_ns, 8);
	EXPECT_EQ(self->result.first, 9);

	EXPECT_EQ(vrseq_append(self->handle, "", (size_t)UINT32_MAX + 1, 0, &self->result),
		  -EMSGSIZE);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_NOT_APPLIED);
	EXPECT_EQ(device.ioctl_count, 2);
}

TEST_F(library, get_modes)
{
	uint32_t mode;

	for (mode = VRSEQ_READ_LOG; mode <= VRSEQ_READ_LOCAL; mode++) {
		ASSERT_EQ(vrseq_get(self->handle, NULL, mode, 0, &self->result), 0);
		EXPECT_EQ(device.get.mode, mode);
		EXPECT_EQ(device.get.hdr.op_id, 0);
		EXPECT_EQ(device.get.reserved, 0);
		EXPECT_EQ(self->result.age_ns, 1500);
	}
	/* an age of nothing is not told */
	device.ioctl_count = 0;
	device.errors[0] = EHOSTUNREACH;
	EXPECT_EQ(vrseq_get(self->handle, NULL, VRSEQ_READ_LOCAL, 0, &self->result), -EHOSTUNREACH);
	EXPECT_EQ(self->result.age_ns, 0);
	EXPECT_EQ(self->result.error, -EHOSTUNREACH);
	EXPECT_EQ(vrseq_get(self->handle, NULL, VRSEQ_READ_LOCAL, 0, NULL), 0);
}

TEST_F(library, barrier)
{
	ASSERT_EQ(vrseq_barrier(self->handle, 7, &self->result), 0);
	EXPECT_EQ(device.barrier.hdr.deadline_ns, 7);
	EXPECT_EQ(device.barrier.hdr.op_id, 0);
	EXPECT_EQ(device.barrier.reserved, 0);
	EXPECT_EQ(self->result.first, 17);
	EXPECT_EQ(self->result.kind, 0);
	device.ioctl_count = 0;
	device.errors[0] = EHOSTUNREACH;
	EXPECT_EQ(vrseq_barrier(self->handle, 0, &self->result), -EHOSTUNREACH);
	EXPECT_EQ(self->result.error, -EHOSTUNREACH);
	EXPECT_EQ(vrseq_barrier(self->handle, 0, NULL), 0);
}

TEST_F(library, result_of_next)
{
	device.answer = (struct vrseq_op_result){
		.hdr = { .outcome = VRSEQ_OUTCOME_APPLIED, .index = 100, .view = 7 },
		.kind = VRSEQ_KIND_NEXT, .first = 41, .last = 43,
	};
	ASSERT_EQ(vrseq_result(self->handle, 5, 6, &self->result), 0);
	EXPECT_EQ(device.of.hdr.op_id, 5);
	EXPECT_EQ(device.of.hdr.deadline_ns, 6);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_APPLIED);
	EXPECT_EQ(self->result.kind, VRSEQ_KIND_NEXT);
	EXPECT_EQ(self->result.error, 0);
	EXPECT_EQ(self->result.first, 41);
	EXPECT_EQ(self->result.last, 43);
	EXPECT_EQ(self->result.index, 100);
	EXPECT_EQ(self->result.view, 7);
	EXPECT_EQ(self->result.op_id, 5);
	EXPECT_EQ(vrseq_result(self->handle, 5, 6, NULL), 0);
}

TEST_F(library, result_has_one_number_of_others)
{
	device.answer = (struct vrseq_op_result){
		.hdr.outcome = VRSEQ_OUTCOME_APPLIED, .kind = VRSEQ_KIND_APPEND, .last = 9,
	};
	ASSERT_EQ(vrseq_result(self->handle, 5, 0, &self->result), 0);
	EXPECT_EQ(self->result.kind, VRSEQ_KIND_APPEND);
	EXPECT_EQ(self->result.first, 9);
	EXPECT_EQ(self->result.last, 9);
}

/* The operation's errno is told, the call did not fail. */
TEST_F(library, result_of_failure)
{
	device.answer = (struct vrseq_op_result){
		.hdr.outcome = VRSEQ_OUTCOME_NOT_APPLIED, .kind = VRSEQ_KIND_NEXT,
		.error = ECANCELED,
	};
	ASSERT_EQ(vrseq_result(self->handle, 5, 0, &self->result), 0);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_NOT_APPLIED);
	EXPECT_EQ(self->result.error, -ECANCELED);
}

/* The call failed, and that says nothing of the operation. */
TEST_F(library, result_fails)
{
	reopen(&self->handle, VRSEQ_RESTART);
	device.answer.hdr.outcome = VRSEQ_OUTCOME_UNKNOWN;
	device.errors[0] = EINTR;
	device.errors[1] = EHOSTUNREACH;
	EXPECT_EQ(vrseq_result(self->handle, 5, 0, &self->result), -EHOSTUNREACH);
	EXPECT_EQ(device.ioctl_count, 2);
	EXPECT_EQ(device.of.hdr.op_id, 5);
	EXPECT_EQ(self->result.op_id, 5);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_UNKNOWN);
	EXPECT_EQ(self->result.error, -EHOSTUNREACH);
}

TEST_F(library, status)
{
	struct vrseq_status status;

	ASSERT_EQ(vrseq_status(self->handle, &status), 0);
	EXPECT_EQ(status.state, VRSEQ_STATE_AMNESIA);
	EXPECT_EQ(status.incarnation, 3);
	EXPECT_EQ(status.checkpoint_op, 512);
}

#define THREADS 16

static void *draw(void *argument)
{
	struct vrseq *handle = argument;
	struct vrseq_result result;

	if (vrseq_next(handle, "many", 1, 0, &result))
		return NULL;
	return (void *)(uintptr_t)result.first;
}

/* The device answers when all are inside, so a library that waits never ends. */
TEST_F_TIMEOUT(library, threads_are_inside_at_once, 20)
{
	pthread_t threads[THREADS];
	uint32_t seen = 0;
	void *first;
	int i;

	device.crowd = THREADS;
	for (i = 0; i < THREADS; i++)
		ASSERT_EQ(pthread_create(&threads[i], NULL, draw, self->handle), 0);
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(pthread_join(threads[i], &first), 0);
		ASSERT_GE((uintptr_t)first, 1);
		ASSERT_LE((uintptr_t)first, THREADS);
		seen |= 1u << ((uintptr_t)first - 1);
	}
	EXPECT_EQ(seen, (1u << THREADS) - 1);
}

TEST_F(library, failure_keeps_what_is_known)
{
	device.errors[0] = ETIMEDOUT;
	EXPECT_EQ(vrseq_next(self->handle, NULL, 1, 5, &self->result), -ETIMEDOUT);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_UNKNOWN);
	EXPECT_EQ(self->result.op_id, 1);
	/* a new call is a new operation, a join is the old one */
	EXPECT_EQ(vrseq_next_join(self->handle, 1, NULL, 1, 6, &self->result), 0);
	EXPECT_EQ(device.next.hdr.op_id, 1);
	EXPECT_EQ(vrseq_next(self->handle, NULL, 1, 6, &self->result), 0);
	EXPECT_EQ(device.next.hdr.op_id, 0);
	EXPECT_EQ(vrseq_append_join(self->handle, 2, "x", 1, 6, &self->result), 0);
	EXPECT_EQ(device.append.hdr.op_id, 2);
}

TEST_F(library, join_never_begins_by_accident)
{
	EXPECT_EQ(vrseq_next_join(self->handle, 0, NULL, 1, 0, &self->result), -EINVAL);
	EXPECT_EQ(vrseq_append_join(self->handle, 0, "x", 1, 0, &self->result), -EINVAL);
	EXPECT_EQ(device.ioctl_count, 0);
}

TEST_F(library, signal_returns)
{
	device.errors[0] = EINTR;
	EXPECT_EQ(vrseq_next(self->handle, NULL, 1, 0, &self->result), -EINTR);
	EXPECT_EQ(device.ioctl_count, 1);
	EXPECT_EQ(self->result.op_id, 1);
}

TEST_F(library, signal_joins_with_restart)
{
	reopen(&self->handle, VRSEQ_RESTART);
	device.errors[0] = EINTR;
	device.errors[1] = EINTR;
	EXPECT_EQ(vrseq_next(self->handle, NULL, 1, 0, &self->result), 0);
	EXPECT_EQ(device.ioctl_count, 3);
	EXPECT_EQ(device.next.hdr.op_id, 1);
	EXPECT_EQ(self->result.op_id, 1);
	EXPECT_EQ(device.op_id, 1);
}

/* Begun without waiting, looked for without waiting, and only then waited for. */
TEST_F(library, submit_and_reap)
{
	struct vrseq_operation next, append;

	reopen(&self->handle, O_NONBLOCK);
	device.errors[0] = EAGAIN;
	device.errors[1] = EAGAIN;
	device.errors[2] = EAGAIN;
	ASSERT_EQ(vrseq_submit_next(self->handle, "apples", 3, &next), 0);
	ASSERT_EQ(vrseq_submit_append(self->handle, "hello", 5, &append), 0);
	EXPECT_EQ(device.ioctl_count, 2);
	EXPECT_EQ(next.result.outcome, VRSEQ_OUTCOME_UNKNOWN);
	EXPECT_EQ(next.result.op_id, 1);
	EXPECT_EQ(append.result.op_id, 2);

	ASSERT_EQ(vrseq_reap(self->handle, &next, 6, &self->result), 0);
	EXPECT_EQ(device.ioctl_count, 4);
	EXPECT_FALSE(device.blocking[1]);
	EXPECT_FALSE(device.blocking[2]);
	EXPECT_TRUE(device.blocking[3]);
	EXPECT_EQ(device.next.hdr.op_id, 1);
	EXPECT_EQ(device.next.hdr.deadline_ns, 6);
	EXPECT_STREQ(device.next.counter, "apples");
	EXPECT_EQ(device.next.count, 3);
	EXPECT_EQ(self->result.first, 41);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_APPLIED);
	/* and the file is as it was */
	EXPECT_TRUE(fcntl(vrseq_fd(self->handle), F_GETFL) & O_NONBLOCK);

	/* one that has ended meanwhile is not waited for */
	ASSERT_EQ(vrseq_reap(self->handle, &append, 6, &self->result), 0);
	EXPECT_EQ(device.ioctl_count, 5);
	EXPECT_EQ(device.append.hdr.op_id, 2);
	EXPECT_EQ(device.append.bytes, 5);
	EXPECT_EQ(self->result.first, 9);
	/* what is known is not asked for */
	ASSERT_EQ(vrseq_reap(self->handle, &append, 6, NULL), 0);
	EXPECT_EQ(device.ioctl_count, 5);
}

/* An end that came at once is kept for the one who reaps. */
TEST_F(library, submit_ends_at_once)
{
	struct vrseq_operation operation;

	reopen(&self->handle, O_NONBLOCK);
	ASSERT_EQ(vrseq_submit_next(self->handle, NULL, 1, &operation), 0);
	ASSERT_EQ(vrseq_reap(self->handle, &operation, 0, &self->result), 0);
	EXPECT_EQ(self->result.first, 41);
	EXPECT_EQ(device.ioctl_count, 1);
}

TEST_F(library, submit_refuses)
{
	struct vrseq_operation operation;

	EXPECT_EQ(vrseq_submit_next(self->handle, NULL, 1, &operation), -EINVAL);
	EXPECT_EQ(vrseq_submit_append(self->handle, "x", 1, &operation), -EINVAL);
	EXPECT_EQ(device.ioctl_count, 0);
	reopen(&self->handle, O_NONBLOCK);
	device.full = true;
	EXPECT_EQ(vrseq_submit_next(self->handle, NULL, 1, &operation), -EAGAIN);
	EXPECT_EQ(vrseq_reap(self->handle, &operation, 0, &self->result), -EINVAL);
	EXPECT_EQ(vrseq_submit_append(self->handle, "x", (size_t)UINT32_MAX + 1, &operation),
		  -EMSGSIZE);
}

/* A deadline says nothing of the operation: it is reaped again. */
TEST_F(library, reap_again)
{
	struct vrseq_operation operation;

	reopen(&self->handle, O_NONBLOCK);
	device.errors[0] = EAGAIN;
	device.errors[1] = EAGAIN;
	device.errors[2] = ETIMEDOUT;
	ASSERT_EQ(vrseq_submit_next(self->handle, NULL, 1, &operation), 0);
	EXPECT_EQ(vrseq_reap(self->handle, &operation, 6, &self->result), -ETIMEDOUT);
	EXPECT_EQ(self->result.outcome, VRSEQ_OUTCOME_UNKNOWN);
	EXPECT_EQ(self->result.op_id, 1);
	EXPECT_TRUE(fcntl(vrseq_fd(self->handle), F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(vrseq_reap(self->handle, &operation, 6, &self->result), 0);
	EXPECT_EQ(device.next.hdr.op_id, 1);
	EXPECT_EQ(device.op_id, 1);
}

/* Two records as read() may bring them: "hello" and "". */
struct two_records {
	struct vrseq_record first;
	char message[8];
	struct vrseq_record second;
};

static const struct two_records good = {
	.first = { .size = 48 + 8, .type = VRSEQ_RECORD_MESSAGE, .sequence = 1, .bytes = 5 },
	.message = "hello",
	.second = { .size = 48, .type = 77, .sequence = 2 },
};

TEST_F(library, read)
{
	char memory[sizeof(good) + 1];
	struct vrseq_reader reader = { .buffer = memory + 1, .bytes = sizeof(good) };
	struct vrseq_record record;
	const void *message;

	_Static_assert(sizeof(struct vrseq_record) == 48, "head of a record");
	device.records = &good;
	device.record_bytes = sizeof(good);
	ASSERT_EQ(vrseq_read(self->handle, &reader, &record, &message), 0);
	EXPECT_EQ(record.sequence, 1);
	EXPECT_EQ(record.bytes, 5);
	EXPECT_EQ(memcmp(message, "hello", 5), 0);
	ASSERT_EQ(vrseq_read(self->handle, &reader, &record, &message), 0);
	EXPECT_EQ(record.sequence, 2);
	EXPECT_EQ(record.type, 77);
	EXPECT_EQ(device.read_count, 1);
	device.record_bytes = -EPIPE;
	EXPECT_EQ(vrseq_read(self->handle, &reader, &record, &message), -EPIPE);
	device.record_bytes = -EAGAIN;
	EXPECT_EQ(vrseq_read(self->handle, &reader, &record, &message), -EAGAIN);
	device.record_bytes = sizeof(good);
	ASSERT_EQ(vrseq_read(self->handle, &reader, &record, &message), 0);
	EXPECT_EQ(record.sequence, 1);
}

TEST_F(library, read_believes_nothing)
{
	char memory[sizeof(good)];
	struct vrseq_reader reader = { .buffer = memory, .bytes = sizeof(memory) };
	struct two_records bad;
	struct vrseq_record record;
	const void *message;
	static const struct {
		uint32_t size;
		uint32_t bytes;
		ssize_t filled;
	} cases[] = {
		{ 56, 5, 0 },			/* end of file */
		{ 56, 5, 47 },			/* half a head */
		{ 56, 5, 55 },			/* half a message */
		{ 47, 0, 104 },			/* smaller than its head */
		{ 0, 0, 104 },
		{ 56, 9, 104 },			/* message larger than the record */
		{ 56, UINT32_MAX, 104 },
		{ UINT32_MAX, 5, 104 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		bad = good;
		bad.first.size = cases[i].size;
		bad.first.bytes = cases[i].bytes;
		device.records = &bad;
		device.record_bytes = cases[i].filled;
		EXPECT_EQ(vrseq_read(self->handle, &reader, &record, &message), -EPROTO) {
			TH_LOG("case %zu", i);
		}
	}
	/* and it recovers */
	device.records = &good;
	device.record_bytes = sizeof(good);
	EXPECT_EQ(vrseq_read(self->handle, &reader, &record, &message), 0);
}

TEST_F(library, wait)
{
	const uint64_t one = 1;

	EXPECT_EQ(vrseq_wait(self->handle, POLLIN, vrseq_deadline(0)), -ETIMEDOUT);
	EXPECT_EQ(vrseq_wait(self->handle, POLLIN, vrseq_deadline(1000000)), -ETIMEDOUT);
	EXPECT_EQ(vrseq_wait(self->handle, POLLOUT, VRSEQ_NO_DEADLINE), POLLOUT);
	ASSERT_EQ(write(vrseq_fd(self->handle), &one, sizeof(one)), 8);
	EXPECT_EQ(vrseq_wait(self->handle, POLLIN, vrseq_deadline(FOREVER_NS)), POLLIN);
}

TEST(deadline)
{
	uint64_t now = vrseq_deadline(0), later = vrseq_deadline(FOREVER_NS);

	EXPECT_NE(now, VRSEQ_NO_DEADLINE);
	EXPECT_GE(later, now + FOREVER_NS);
	EXPECT_LT(later, now + 2 * FOREVER_NS);
	EXPECT_EQ(vrseq_deadline(UINT64_MAX), (uint64_t)INT64_MAX);
	EXPECT_EQ(vrseq_deadline(INT64_MAX), (uint64_t)INT64_MAX);
}

TEST(sentences)
{
	EXPECT_STREQ(vrseq_strerror(ETIMEDOUT), "The deadline passed");
	EXPECT_STREQ(vrseq_strerror(-ETIMEDOUT), "The deadline passed");
	EXPECT_STREQ(vrseq_strerror(ECANCELED),
		     "Passed over or settled: not applied and never will be");
	EXPECT_STREQ(vrseq_strerror(EXDEV), strerrordesc_np(EXDEV));
	EXPECT_STREQ(vrseq_strerror(99999), "An unknown error");
}

TEST_HARNESS_MAIN
