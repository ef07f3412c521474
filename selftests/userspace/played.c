// SPDX-License-Identifier: GPL-2.0
/*
 * A device for the vrseq tool to talk to where there is none: linked into it
 * with --wrap. One process, one group, no protocol; what goes wrong is said by
 *
 *   PLAY_ERRNO=n      operations fail with this errno
 *   PLAY_OUTCOME=n    and this outcome
 *   PLAY_MESSAGES=n   messages in the log at the start, "message 1" ...
 *   PLAY_LOST=n       of which the first n were overwritten
 *   PLAY_STATE=n      the member is in this state, otherwise normal
 *   PLAY_OPEN_ERRNO=n open fails
 *   PLAY_QUIET=1      what is appended is not shown on standard error
 *
 * What is appended can be read back, the newest KEPT messages of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "wrap.h"
#include <vrseq.h>

#define MESSAGE_BYTES_MAX 64
#define KEPT 4096

static struct {
	uint64_t value;
	uint64_t index;
	uint64_t sequence;
	uint64_t cursor;
	uint64_t appended_first;	/* sequence; 0 = nothing was appended */
	struct {
		uint32_t bytes;
		char text[MESSAGE_BYTES_MAX];
	} kept[KEPT];
} group;

static pthread_mutex_t group_lock = PTHREAD_MUTEX_INITIALIZER;

static int play(const char *what)
{
	const char *text = getenv(what);

	return text ? atoi(text) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
	(void)path;
	(void)flags;
	errno = play("PLAY_OPEN_ERRNO");
	if (errno)
		return -1;
	group.sequence = play("PLAY_MESSAGES");
	group.index = group.sequence;
	group.cursor = 1;
	group.appended_first = 0;
	return eventfd(0, EFD_CLOEXEC);
}

static int attach(struct vrseq_attach *attach)
{
	if (*attach->group && strcmp(attach->group, "played")) {
		errno = ENOTCONN;
		return -1;
	}
	strcpy(attach->group, "played");
	return 0;
}

static int status(struct vrseq_status *status)
{
	uint64_t lost = play("PLAY_LOST");

	memset(status, 0, sizeof(*status));
	status->state = getenv("PLAY_STATE") ? play("PLAY_STATE") : VRSEQ_STATE_NORMAL;
	status->sequence_first = lost + 1;
	status->sequence_last = group.sequence;
	status->lost_first = lost ? 1 : 0;
	status->lost_last = lost;
	strcpy(status->text, "played by a test");
	return 0;
}

static int begin(struct vrseq_op_hdr *hdr)
{
	hdr->op_id = 1;
	errno = play("PLAY_ERRNO");
	hdr->outcome = errno ? play("PLAY_OUTCOME") : VRSEQ_OUTCOME_APPLIED;
	if (errno)
		return -1;
	hdr->index = ++group.index;
	hdr->view = 7;
	return 0;
}

static int append(struct vrseq_append *append)
{
	if (append->bytes > MESSAGE_BYTES_MAX) {
		append->hdr.outcome = VRSEQ_OUTCOME_NOT_APPLIED;
		errno = EMSGSIZE;
		return -1;
	}
	if (begin(&append->hdr))
		return -1;
	if (!play("PLAY_QUIET"))
		fprintf(stderr, "appended %u: %.*s\n", append->bytes, (int)append->bytes,
			(const char *)(uintptr_t)append->data);
	append->sequence = ++group.sequence;
	if (!group.appended_first)
		group.appended_first = append->sequence;
	group.kept[append->sequence % KEPT].bytes = append->bytes;
	memcpy(group.kept[append->sequence % KEPT].text, (const void *)(uintptr_t)append->data,
	       append->bytes);
	return 0;
}

static int next(struct vrseq_next *next)
{
	if (begin(&next->hdr))
		return -1;
	next->first = group.value + 1;
	group.value += next->count;
	next->last = group.value;
	return 0;
}

static int get(struct vrseq_get *get)
{
	if (begin(&get->hdr))
		return -1;
	get->value = strcmp(get->counter, "apples") ? 0 : 12;
	get->age_ns = get->mode == VRSEQ_READ_LOCAL ? 1500 : 0;
	fprintf(stderr, "read in mode %u\n", get->mode);
	return 0;
}

/* Nobody is ahead of us. */
static int barrier(struct vrseq_barrier *barrier)
{
	barrier->hdr.outcome = VRSEQ_OUTCOME_APPLIED;
	barrier->hdr.index = group.index;
	barrier->sequence = group.sequence;
	return 0;
}

/* Every operation that began was the last one, and a draw. */
static int result(struct vrseq_op_result *of)
{
	of->hdr.outcome = VRSEQ_OUTCOME_APPLIED;
	of->hdr.index = group.index;
	of->kind = VRSEQ_KIND_NEXT;
	of->first = group.value;
	of->last = group.value;
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	struct vrseq_info *info;

	switch (request) {
	case VRSEQ_IOC_ATTACH:
		return attach(argument);
	case VRSEQ_IOC_STATUS:
		return status(argument);
	case VRSEQ_IOC_NEXT:
		return next(argument);
	case VRSEQ_IOC_GET:
		return get(argument);
	case VRSEQ_IOC_BARRIER:
		return barrier(argument);
	case VRSEQ_IOC_APPEND:
		return append(argument);
	case VRSEQ_IOC_RESULT:
		return result(argument);
	case VRSEQ_IOC_INFO:
		info = argument;
		memset(info, 0, sizeof(*info));
		info->message_bytes_max = MESSAGE_BYTES_MAX;
		info->record_bytes_max = sizeof(struct vrseq_record) + MESSAGE_BYTES_MAX;
		return 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	int result;

	(void)fd;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	pthread_mutex_lock(&group_lock);
	result = answer(request, argument);
	pthread_mutex_unlock(&group_lock);
	return result;
}

/* The text of the message at the cursor. */
static uint32_t text_of_next(char *text)
{
	uint64_t sequence = group.cursor;
	uint32_t bytes;

	if (!group.appended_first || sequence < group.appended_first)
		return snprintf(text, MESSAGE_BYTES_MAX, "message %llu",
				(unsigned long long)sequence);
	bytes = group.kept[sequence % KEPT].bytes;
	memcpy(text, group.kept[sequence % KEPT].text, bytes);
	return bytes;
}

/* As many messages were overwritten as the test wants, or as were not kept. */
static uint64_t last_lost(void)
{
	uint64_t lost = play("PLAY_LOST");

	if (group.appended_first && group.sequence > KEPT && group.sequence - KEPT > lost)
		lost = group.sequence - KEPT;
	return lost;
}

static ssize_t read_one(void *buffer, size_t bytes)
{
	struct vrseq_record record = { .type = VRSEQ_RECORD_MESSAGE, .member_id = 2,
				       .view = 7, .session = 5, .topic = 9 };
	char text[MESSAGE_BYTES_MAX] = { 0 };
	uint64_t lost = last_lost();

	errno = play("PLAY_ERRNO");
	if (!errno && group.cursor <= lost) {
		group.cursor = lost + 1;
		errno = EPIPE;
	}
	if (!errno && group.cursor > group.sequence)
		errno = EAGAIN;
	if (errno)
		return -1;
	record.bytes = text_of_next(text);
	record.sequence = group.cursor;
	record.index = group.cursor++;
	record.size = (sizeof(record) + record.bytes + 7) / 8 * 8;
	if (bytes < record.size)
		abort();
	memcpy(buffer, &record, sizeof(record));
	memcpy((char *)buffer + sizeof(record), text, record.size - sizeof(record));
	return record.size;
}

ssize_t __wrap_read(int fd, void *buffer, size_t bytes)
{
	ssize_t result;

	(void)fd;
	pthread_mutex_lock(&group_lock);
	result = read_one(buffer, bytes);
	pthread_mutex_unlock(&group_lock);
	return result;
}

/* Waiting for a message without a deadline makes one. */
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		 const sigset_t *mask)
{
	bool readable;

	(void)count;
	(void)mask;
	pthread_mutex_lock(&group_lock);
	if (group.cursor > group.sequence && !timeout)
		group.sequence++;
	readable = group.cursor <= group.sequence;
	pthread_mutex_unlock(&group_lock);
	if (!readable)
		return 0;
	fds->revents = POLLIN;
	return 1;
}
