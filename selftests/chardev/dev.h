/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the device share: calls that return 0 or -errno, and
 * PROVOKE(), which notes in $VRSEQ_ERRNO_LOG that an errno of the interface's
 * table was seen, so that the run can tell that none of them is left untested.
 */
#ifndef VRSEQ_DEV_H
#define VRSEQ_DEV_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE on the command line"
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <linux/vrseq.h>

#define MS 1000000ull

static inline int dev_open(int flags)
{
	return open("/dev/vrseq", flags | O_CLOEXEC);
}

static inline int dev_ioctl(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, command, argument) ? -errno : 0;
}

static inline int dev_next(int fd, const char *counter, __u64 count, struct vrseq_next *next)
{
	memset(next, 0, sizeof(*next));
	strncpy(next->counter, counter, sizeof(next->counter));
	next->count = count;
	return dev_ioctl(fd, VRSEQ_IOC_NEXT, next);
}

static inline int dev_read_counter(int fd, const char *counter, __u32 mode,
				   struct vrseq_get *get)
{
	memset(get, 0, sizeof(*get));
	strncpy(get->counter, counter, sizeof(get->counter));
	get->mode = mode;
	return dev_ioctl(fd, VRSEQ_IOC_GET, get);
}

static inline int dev_result(int fd, __u64 op_id, struct vrseq_op_result *result)
{
	memset(result, 0, sizeof(*result));
	result->hdr.op_id = op_id;
	return dev_ioctl(fd, VRSEQ_IOC_RESULT, result);
}

/* The value alone; ~0 if it cannot be had. */
static inline __u64 dev_get(int fd, const char *counter)
{
	struct vrseq_get get = { .mode = VRSEQ_READ_LOG };

	strncpy(get.counter, counter, sizeof(get.counter));
	return dev_ioctl(fd, VRSEQ_IOC_GET, &get) ? ~0ull : get.value;
}

static inline int dev_append(int fd, const void *data, __u32 bytes, struct vrseq_append *append)
{
	memset(append, 0, sizeof(*append));
	append->data = (unsigned long)data;
	append->bytes = bytes;
	return dev_ioctl(fd, VRSEQ_IOC_APPEND, append);
}

static inline int dev_attach(int fd, const char *group)
{
	struct vrseq_attach attach = { 0 };

	snprintf(attach.group, sizeof(attach.group), "%s", group);
	return dev_ioctl(fd, VRSEQ_IOC_ATTACH, &attach);
}

static inline ssize_t dev_read(int fd, void *buffer, size_t bytes)
{
	ssize_t got = read(fd, buffer, bytes);

	return got < 0 ? -errno : got;
}

static inline ssize_t dev_write(int fd, const void *buffer, size_t bytes)
{
	ssize_t got = write(fd, buffer, bytes);

	return got < 0 ? -errno : got;
}

static inline short dev_poll(int fd, int timeout_ms)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&pollfd, 1, timeout_ms) < 0 ? -1 : pollfd.revents;
}

static inline __u64 dev_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

/* Notes it when @got is -@error, and hands @got on. */
static inline long dev_provoked(long got, int error)
{
	const char *path = getenv("VRSEQ_ERRNO_LOG");
	int fd;

	if (got != -error || !path)
		return got;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd >= 0) {
		dprintf(fd, "%s\n", strerrorname_np(error));
		close(fd);
	}
	return got;
}

#define PROVOKE(error, call) EXPECT_EQ(-(long)(error), dev_provoked(call, error))

#endif /* VRSEQ_DEV_H */
