// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * libvrseq: system calls to functions, nothing else. The contract is vrseq.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(default)
#include "vrseq.h"
#pragma GCC visibility pop

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_SECOND 1000000000ull

struct vrseq {
	int fd;
	bool restart;
	char group[VRSEQ_GROUP_NAME_BYTES];
};

/*
 * The kernel writes op_id into the argument before it waits, so the same
 * argument again is the same operation.
 */
static int call(struct vrseq *handle, unsigned long request, void *argument)
{
	while (ioctl(handle->fd, request, argument) < 0) {
		if (errno != EINTR || !handle->restart)
			return -errno;
	}
	return 0;
}

static int attach(struct vrseq *handle, const char *group)
{
	struct vrseq_attach attach = { 0 };
	int error;

	if (strlen(group) >= sizeof(attach.group))
		return -EINVAL;
	memcpy(attach.group, group, strlen(group));
	error = call(handle, VRSEQ_IOC_ATTACH, &attach);
	if (error)
		return error;
	memcpy(handle->group, attach.group, sizeof(handle->group) - 1);
	return 0;
}

int vrseq_open(const char *group, int flags, struct vrseq **handle)
{
	struct vrseq *new;
	int error;

	if (flags & ~(O_NONBLOCK | O_CLOEXEC | VRSEQ_RESTART))
		return -EINVAL;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->restart = flags & VRSEQ_RESTART;
	new->fd = open("/dev/vrseq", O_RDWR | (flags & ~VRSEQ_RESTART));
	if (new->fd < 0) {
		error = -errno;
		goto err_free;
	}
	error = attach(new, group ? group : "");
	if (error)
		goto err_close;
	*handle = new;
	return 0;

err_close:
	close(new->fd);
err_free:
	free(new);
	return error;
}

void vrseq_close(struct vrseq *handle)
{
	if (!handle)
		return;
	close(handle->fd);
	free(handle);
}

int vrseq_fd(const struct vrseq *handle)
{
	return handle->fd;
}

const char *vrseq_group(const struct vrseq *handle)
{
	return handle->group;
}

int vrseq_info(struct vrseq *handle, struct vrseq_info *info)
{
	return call(handle, VRSEQ_IOC_INFO, info);
}

int vrseq_status(struct vrseq *handle, struct vrseq_status *status)
{
	return call(handle, VRSEQ_IOC_STATUS, status);
}

/* Also after a failure: then it is the outcome and the op_id that count. */
static int store(struct vrseq_result *result, int error, uint32_t kind,
		 const struct vrseq_op_hdr *hdr, uint64_t first, uint64_t last)
{
	if (!result)
		return error;
	*result = (struct vrseq_result){
		.first = first,
		.last = last,
		.index = hdr->index,
		.view = hdr->view,
		.op_id = hdr->op_id,
		.outcome = hdr->outcome,
		.kind = kind,
		.error = error,
	};
	return error;
}

static int refuse(struct vrseq_result *result, uint32_t kind, int error)
{
	const struct vrseq_op_hdr hdr = { .outcome = VRSEQ_OUTCOME_NOT_APPLIED };

	return store(result, error, kind, &hdr, 0, 0);
}

/* Pads with NUL; false if the name does not fit. */
static bool set_counter(char *field, const char *counter)
{
	size_t bytes = counter ? strlen(counter) : 0;

	if (bytes >= VRSEQ_COUNTER_NAME_BYTES)
		return false;
	memset(field, 0, VRSEQ_COUNTER_NAME_BYTES);
	if (bytes)
		memcpy(field, counter, bytes);
	return true;
}

static int next(struct vrseq *handle, uint64_t op_id, const char *counter,
		uint64_t count, uint64_t deadline_ns,
		struct vrseq_result *result)
{
	struct vrseq_next next = {
		.hdr.op_id = op_id,
		.hdr.deadline_ns = deadline_ns,
		.count = count,
	};
	int error;

	if (!set_counter(next.counter, counter))
		return refuse(result, VRSEQ_KIND_NEXT, -EINVAL);
	error = call(handle, VRSEQ_IOC_NEXT, &next);
	return store(result, error, VRSEQ_KIND_NEXT, &next.hdr, next.first, next.last);
}

int vrseq_next(struct vrseq *handle, const char *counter, uint64_t count,
	       uint64_t deadline_ns, struct vrseq_result *result)
{
	return next(handle, 0, counter, count, deadline_ns, result);
}

int vrseq_next_join(struct vrseq *handle, uint64_t op_id, const char *counter,
		    uint64_t count, uint64_t deadline_ns,
		    struct vrseq_result *result)
{
	/* 0 would begin a new one, which is just what a join must not do */
	if (!op_id)
		return refuse(result, VRSEQ_KIND_NEXT, -EINVAL);
	return next(handle, op_id, counter, count, deadline_ns, result);
}

int vrseq_get(struct vrseq *handle, const char *counter, uint32_t mode,
	      uint64_t deadline_ns, struct vrseq_result *result)
{
	struct vrseq_get get = {
		.hdr.deadline_ns = deadline_ns,
		.mode = mode,
	};
	int error;

	if (!set_counter(get.counter, counter))
		return refuse(result, VRSEQ_KIND_GET, -EINVAL);
	error = call(handle, VRSEQ_IOC_GET, &get);
	store(result, error, VRSEQ_KIND_GET, &get.hdr, get.value, get.value);
	if (result && !error)
		result->age_ns = get.age_ns;
	return error;
}

int vrseq_barrier(struct vrseq *handle, uint64_t deadline_ns, struct vrseq_result *result)
{
	struct vrseq_barrier barrier = { .hdr.deadline_ns = deadline_ns };
	int error = call(handle, VRSEQ_IOC_BARRIER, &barrier);

	return store(result, error, 0, &barrier.hdr, barrier.sequence, barrier.sequence);
}

static int append(struct vrseq *handle, uint64_t op_id, const void *message,
		  size_t bytes, uint64_t deadline_ns,
		  struct vrseq_result *result)
{
	struct vrseq_append append = {
		.hdr.op_id = op_id,
		.hdr.deadline_ns = deadline_ns,
		.data = (uintptr_t)message,
		.bytes = bytes,
	};
	int error;

	if (bytes > UINT32_MAX)
		return refuse(result, VRSEQ_KIND_APPEND, -EMSGSIZE);
	error = call(handle, VRSEQ_IOC_APPEND, &append);
	return store(result, error, VRSEQ_KIND_APPEND, &append.hdr, append.sequence,
		     append.sequence);
}

int vrseq_append(struct vrseq *handle, const void *message, size_t bytes,
		 uint64_t deadline_ns, struct vrseq_result *result)
{
	return append(handle, 0, message, bytes, deadline_ns, result);
}

int vrseq_append_join(struct vrseq *handle, uint64_t op_id, const void *message,
		      size_t bytes, uint64_t deadline_ns,
		      struct vrseq_result *result)
{
	if (!op_id)
		return refuse(result, VRSEQ_KIND_APPEND, -EINVAL);
	return append(handle, op_id, message, bytes, deadline_ns, result);
}

int vrseq_result(struct vrseq *handle, uint64_t op_id, uint64_t deadline_ns,
		 struct vrseq_result *result)
{
	struct vrseq_op_result of = {
		.hdr.op_id = op_id,
		.hdr.deadline_ns = deadline_ns,
	};
	int error;

	error = call(handle, VRSEQ_IOC_RESULT, &of);
	if (error)
		return store(result, error, 0, &of.hdr, 0, 0);
	store(result, -(int)of.error, of.kind, &of.hdr,
	      of.kind == VRSEQ_KIND_NEXT ? of.first : of.last, of.last);
	return 0;
}

static int fill(struct vrseq *handle, struct vrseq_reader *reader)
{
	ssize_t bytes;

	reader->filled = 0;
	reader->offset = 0;
	do {
		bytes = read(handle->fd, reader->buffer, reader->bytes);
	} while (bytes < 0 && errno == EINTR && handle->restart);
	if (bytes < 0)
		return -errno;
	reader->filled = bytes;
	return bytes ? 0 : -EPROTO;
}

int vrseq_read(struct vrseq *handle, struct vrseq_reader *reader,
	       struct vrseq_record *record, const void **message)
{
	const char *at;
	size_t left;
	int error;

	if (reader->offset >= reader->filled) {
		error = fill(handle, reader);
		if (error)
			return error;
	}
	at = (const char *)reader->buffer + reader->offset;
	left = reader->filled - reader->offset;
	if (left < sizeof(*record))
		goto malformed;
	memcpy(record, at, sizeof(*record));
	if (record->size > left || record->size < sizeof(*record) ||
	    record->bytes > record->size - sizeof(*record))
		goto malformed;
	reader->offset += record->size;
	*message = at + sizeof(*record);
	return 0;

malformed:
	reader->offset = reader->filled;
	return -EPROTO;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int vrseq_wait(struct vrseq *handle, short events, uint64_t deadline_ns)
{
	struct pollfd pollfd = { .fd = handle->fd, .events = events };
	struct timespec timeout;
	uint64_t now, left;
	int count;

	do {
		now = now_ns();
		left = deadline_ns > now ? deadline_ns - now : 0;
		timeout.tv_sec = left / NS_PER_SECOND;
		timeout.tv_nsec = left % NS_PER_SECOND;
		count = ppoll(&pollfd, 1, deadline_ns ? &timeout : NULL, NULL);
	} while (count < 0 && errno == EINTR && handle->restart);
	if (count < 0)
		return -errno;
	return count ? pollfd.revents : -ETIMEDOUT;
}

uint64_t vrseq_deadline(uint64_t timeout_ns)
{
	uint64_t now = now_ns();

	/* INT64_MAX, 292 years of uptime: the kernel's own end of time */
	return timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
}

static const struct {
	int error;
	const char *sentence;
} sentences[] = {
	{ ENOTCONN, "No such group here; without a name there must be exactly one" },
	{ EAGAIN, "It would have to wait, or too many operations are under way" },
	{ EHOSTUNREACH, "No quorum, or this member does not have its memory back yet" },
	{ ETIMEDOUT, "The deadline passed" },
	{ EINTR, "A signal came" },
	{ ESTALE, "The operation or its session is too old" },
	{ ECANCELED, "Passed over or settled: not applied and never will be" },
	{ EOVERFLOW, "The counter's range is exhausted" },
	{ EMSGSIZE, "The message is larger than the group allows" },
	{ EPIPE, "The reader was too slow and lost messages" },
	{ ENOTRECOVERABLE, "Too many members lost their memory for the others to give it back" },
	{ EIO, "This member halted" },
	{ ENETDOWN, "The group or its network namespace is gone" },
	{ EINVAL, "An argument is not valid" },
	{ ENOTTY, "The module does not know this operation" },
	{ EFAULT, "A bad address" },
	{ EPERM, "This needs CAP_NET_ADMIN" },
	{ EACCES, "No permission to open /dev/vrseq, or to use this group" },
	{ ENOSPC, "The group holds as many named counters as it can" },
	{ EDQUOT, "This member of the group holds as many open files as it can" },
	{ EBUSY, "It is in use, or formed already" },
	{ ENOMEM, "Out of memory" },
	{ ERANGE, "A number is outside of its range" },
	{ EEXIST, "It exists already, or another message has the expected sequence" },
	{ ENXIO, "The log has no such place, not yet or not any more" },
	{ ESPIPE, "A stream has no positions" },
	{ ENOENT, "There is no such thing" },
	{ ENODEV, "The device is gone" },
	{ EADDRINUSE, "The listen address is taken" },
	{ EADDRNOTAVAIL, "The listen address is not an address of this machine" },
	{ EAFNOSUPPORT, "An address of a family that the group, or the kernel, does not have" },
	{ EOPNOTSUPP, "Not in this version" },
	{ EPROTO, "The module speaks another version of its interface" },
};

const char *vrseq_strerror(int error)
{
	const char *text;
	size_t i;

	if (error < 0)
		error = -error;
	for (i = 0; i < ARRAY_SIZE(sentences); i++) {
		if (sentences[i].error == error)
			return sentences[i].sentence;
	}
	text = strerrordesc_np(error);
	return text ? text : "An unknown error";
}
