// SPDX-License-Identifier: GPL-2.0
/* vrseq log: append messages to the group's log, and read them back. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "json.h"
#include "tool.h"

/* A buffer for many records, so that catching up takes few system calls. */
#define READ_BYTES (256 * 1024)

static int append_one(struct vrseq *handle, const char *message, size_t bytes,
		      uint64_t timeout_ns)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	struct vrseq_result result;
	int error;

	error = vrseq_append(handle, message, bytes,
			     device_deadline(timeout_ns), &result);
	if (error)
		return device_fail(handle, error, &result, "log append");
	if (!options.json) {
		printf("%" PRIu64 "\n", result.first);
		return EXIT_OK;
	}
	json_open(&json, NULL, '{');
	json_u64(&json, "sequence", result.first);
	json_u64(&json, "index", result.index);
	json_u64(&json, "view", result.view);
	json_close(&json, '}');
	return EXIT_OK;
}

static int input_failed(void)
{
	return fail(EXIT_FAILED, strerror(errno), NULL, "Cannot read standard input");
}

static int append_lines(struct vrseq *handle, uint64_t timeout_ns)
{
	uint64_t number = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t bytes;
	int code = EXIT_OK;

	while (!code && (bytes = getline(&line, &room, stdin)) >= 0) {
		number++;
		if (line[bytes - 1] == '\n')
			bytes--;
		if (bytes)
			code = append_one(handle, line, bytes, timeout_ns);
		else
			code = fail(EXIT_FAILED, "A message has one byte at least",
				    NULL, "Line %" PRIu64 " is empty", number);
	}
	if (!code && ferror(stdin))
		code = input_failed();
	free(line);
	return code;
}

/* All of the input is one message. */
static int append_input(struct vrseq *handle, uint64_t timeout_ns)
{
	struct vrseq_info info;
	char *message;
	size_t bytes;
	int code;

	code = vrseq_info(handle, &info);
	if (code)
		return device_fail(handle, code, NULL, "log append");
	/* one more than fits, for the kernel to refuse what is too large */
	message = malloc((size_t)info.message_bytes_max + 1);
	if (!message)
		return fail(EXIT_FAILED, vrseq_strerror(ENOMEM), NULL, "log append failed");
	bytes = fread(message, 1, (size_t)info.message_bytes_max + 1, stdin);
	if (ferror(stdin))
		code = input_failed();
	else if (!bytes)
		code = fail(EXIT_FAILED, "A message has one byte at least", NULL,
			    "Standard input is empty");
	else
		code = append_one(handle, message, bytes, timeout_ns);
	free(message);
	return code;
}

int log_append(int argc, char **argv)
{
	uint64_t timeout_ns = TIMEOUT_DEFAULT_NS;
	const char *message = NULL, *group = NULL;
	struct arg args[] = {
		ARG("message", ARG_STRING, &message, .positional = true),
		ARG_IN("timeout", ARG_TIME, &timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &group),
		{ 0 },
	};
	struct vrseq *handle;
	int code;

	code = args_parse(argc, argv, args, "vrseq log help");
	if (code)
		return code;
	if (message && !*message)
		return usage_error("vrseq log help", "A message has one byte at least");
	code = device_open(group, 0, &handle);
	if (code)
		return code;
	if (!message)
		code = append_lines(handle, timeout_ns);
	else if (!strcmp(message, "-"))
		code = append_input(handle, timeout_ns);
	else
		code = append_one(handle, message, strlen(message), timeout_ns);
	vrseq_close(handle);
	return code;
}

/* To be sent what is there already. */
#define PATIENCE_NS	(5ull * 1000 * 1000 * 1000)

struct tail {
	struct vrseq *handle;
	struct vrseq_reader reader;
	bool follow;
	uint64_t from;
	uint64_t until;		/* last sequence wanted */
	uint64_t left;		/* messages wanted */
	uint64_t deadline_ns;
	bool awaited;		/* there is more than has been read */
	bool hung;		/* poll came back without a record */
};

static void print_record(const struct vrseq_record *record, const void *message)
{
	/* one record is one line, whatever -p says: it is a stream */
	struct json json = { .file = stdout };

	if (!options.json) {
		fwrite(message, 1, record->bytes, stdout);
		putchar('\n');
		return;
	}
	json_open(&json, NULL, '{');
	json_u64(&json, "index", record->index);
	json_u64(&json, "sequence", record->sequence);
	json_u64(&json, "view", record->view);
	json_u64(&json, "member_id", record->member_id);
	json_u64(&json, "session", record->session);
	json_bytes(&json, "message", "message_base64", message, record->bytes);
	json_close(&json, '}');
}

static int warn_lost(struct tail *tail)
{
	struct vrseq_status status;
	int error = vrseq_status(tail->handle, &status);

	if (error)
		return device_fail(tail->handle, error, NULL, "log tail");
	fflush(stdout);
	fprintf(stderr,
		"Warning: messages %" PRIu64 " to %" PRIu64
		" were overwritten before they were read. Going on after them.\n",
		(uint64_t)status.lost_first, (uint64_t)status.lost_last);
	return EXIT_OK;
}

/*
 * An empty log of a member that takes no part must not pass for an empty log.
 * With -f a group may still be formed, and memory come back.
 */
static int tail_check(struct tail *tail)
{
	struct vrseq_status status;
	int error;

	error = vrseq_status(tail->handle, &status);
	if (error)
		return device_fail(tail->handle, error, NULL, "log tail");
	switch (status.state) {
	case VRSEQ_STATE_NORMAL:
	case VRSEQ_STATE_VIEW_CHANGE:
		return EXIT_OK;
	case VRSEQ_STATE_BLANK:
	case VRSEQ_STATE_FORMING:
	case VRSEQ_STATE_RECOVERING:
		if (tail->follow)
			return EXIT_OK;
		return device_fail(tail->handle, -EHOSTUNREACH, NULL, "log tail");
	case VRSEQ_STATE_AMNESIA:
		return device_fail(tail->handle, -ENOTRECOVERABLE, NULL, "log tail");
	default:
		return device_fail(tail->handle, -EIO, NULL, "log tail");
	}
}

/*
 * Nothing to read now: wait for more. An error event is for the next read to
 * explain; if that explains nothing, do not spin.
 */
static int tail_wait(struct tail *tail)
{
	bool was_hung = tail->hung;
	int code, events;

	code = tail_check(tail);
	if (code)
		return code;
	events = vrseq_wait(tail->handle, POLLIN, tail->deadline_ns);
	if (events < 0)
		return device_fail(tail->handle, events, NULL, "log tail");
	tail->hung = !(events & POLLIN);
	if (tail->hung && was_hung)
		return device_fail(tail->handle, -ENETDOWN, NULL, "log tail");
	return EXIT_OK;
}

static int tail_read(struct tail *tail)
{
	struct vrseq_record record;
	const void *message;
	int code, error;

	while (tail->left) {
		error = vrseq_read(tail->handle, &tail->reader, &record, &message);
		if (error == -EAGAIN && !tail->awaited)
			break;
		if (error == -EAGAIN)
			code = tail_wait(tail);
		else if (error == -EPIPE)
			code = warn_lost(tail);
		else if (error)
			code = device_fail(tail->handle, error, NULL, "log tail");
		else
			code = EXIT_OK;
		if (code)
			return code;
		if (error || record.type != VRSEQ_RECORD_MESSAGE ||
		    record.sequence < tail->from)
			continue;
		if (record.sequence > tail->until)
			break;
		print_record(&record, message);
		tail->left--;
		if (record.sequence == tail->until)
			break;
	}
	return tail->follow ? EXIT_OK : tail_check(tail);
}

static int tail_start(struct tail *tail)
{
	struct vrseq_status status;
	struct vrseq_info info;
	int error;

	error = vrseq_status(tail->handle, &status);
	if (!error)
		error = vrseq_info(tail->handle, &info);
	if (error)
		return device_fail(tail->handle, error, NULL, "log tail");
	if (!tail->follow) {
		/* what is there now; otherwise a busy log would have no end */
		tail->until = status.sequence_last;
		if (status.sequence_last < tail->from)
			tail->left = 0;
		/* What a client knows of may be on its way to it. */
		tail->awaited = status.sequence_last >= status.sequence_first;
		if (tail->deadline_ns == VRSEQ_NO_DEADLINE)
			tail->deadline_ns = vrseq_deadline(PATIENCE_NS);
	}
	tail->reader.bytes = READ_BYTES;
	if (tail->reader.bytes < info.record_bytes_max)
		tail->reader.bytes = info.record_bytes_max;
	tail->reader.buffer = malloc(tail->reader.bytes);
	if (!tail->reader.buffer)
		return fail(EXIT_FAILED, vrseq_strerror(ENOMEM), NULL, "log tail failed");
	return EXIT_OK;
}

int log_tail(int argc, char **argv)
{
	struct tail tail = { .until = UINT64_MAX, .left = UINT64_MAX };
	uint64_t timeout_ns = 0;
	const char *group = NULL;
	struct arg args[] = {
		ARG("-f", ARG_FLAG, NULL),
		ARG("-j", ARG_FLAG, NULL),
		ARG_IN("from", ARG_COUNT, &tail.from, 0, UINT64_MAX),
		ARG_IN("count", ARG_COUNT, &tail.left, 1, UINT64_MAX),
		ARG_IN("timeout", ARG_TIME, &timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &group),
		{ 0 },
	};
	int code;

	code = args_parse(argc, argv, args, "vrseq log help");
	if (code)
		return code;
	code = device_open(group, O_NONBLOCK, &tail.handle);
	if (code)
		return code;
	tail.follow = args[0].given;
	tail.awaited = tail.follow;
	options.json |= args[1].given;
	tail.deadline_ns = device_deadline(timeout_ns);
	code = tail_start(&tail);
	if (!code)
		code = tail_read(&tail);
	free(tail.reader.buffer);
	vrseq_close(tail.handle);
	return code;
}
