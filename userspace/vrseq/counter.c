// SPDX-License-Identifier: GPL-2.0
/* vrseq counter: numbers nobody else ever gets. */
#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "tool.h"

/* By enum vrseq_read. */
static const char *const modes[] = {
	[VRSEQ_READ_LOG] = "log",
	[VRSEQ_READ_INDEX] = "index",
	[VRSEQ_READ_LEASE] = "lease",
	[VRSEQ_READ_LOCAL] = "local",
	NULL
};

static int print_next(struct json *json, const char *counter,
		      const struct vrseq_result *result)
{
	if (!options.json) {
		if (result->first == result->last)
			printf("%" PRIu64 "\n", result->first);
		else
			printf("%" PRIu64 " %" PRIu64 "\n", result->first,
			       result->last);
		return EXIT_OK;
	}
	json_open(json, NULL, '{');
	json_string(json, "counter", counter);
	json_u64(json, "first", result->first);
	json_u64(json, "last", result->last);
	json_u64(json, "index", result->index);
	json_u64(json, "view", result->view);
	json_close(json, '}');
	return EXIT_OK;
}

int counter_next(int argc, char **argv)
{
	uint64_t count = 1, repeat = 1, timeout_ns = TIMEOUT_DEFAULT_NS;
	const char *counter = "", *group = NULL;
	struct arg args[] = {
		ARG("name", ARG_STRING, &counter, .positional = true),
		ARG_IN("count", ARG_COUNT, &count, 1, UINT64_MAX),
		ARG_IN("repeat", ARG_COUNT, &repeat, 1, UINT64_MAX),
		ARG_IN("timeout", ARG_TIME, &timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &group),
		{ 0 },
	};
	struct json json = { .file = stdout, .pretty = options.pretty };
	struct vrseq_result result;
	struct vrseq *handle;
	int code, error;

	code = args_parse(argc, argv, args, "vrseq counter help");
	if (code)
		return code;
	code = device_open(group, 0, &handle);
	if (code)
		return code;
	for (; repeat && !code; repeat--) {
		error = vrseq_next(handle, counter, count,
				   device_deadline(timeout_ns), &result);
		if (error)
			code = device_fail(handle, error, &result, "counter next");
		else
			code = print_next(&json, counter, &result);
	}
	vrseq_close(handle);
	return code;
}

static void print_get(const char *counter, uint32_t mode, const struct vrseq_result *result)
{
	struct json json = { .file = stdout, .pretty = options.pretty };

	if (!options.json) {
		printf("%" PRIu64 "\n", result->first);
		return;
	}
	json_open(&json, NULL, '{');
	json_string(&json, "counter", counter);
	json_u64(&json, "value", result->first);
	json_u64(&json, "index", result->index);
	json_u64(&json, "view", result->view);
	json_string(&json, "mode", modes[mode]);
	json_u64(&json, "age_ns", result->age_ns);
	json_close(&json, '}');
}

int counter_get(int argc, char **argv)
{
	uint64_t timeout_ns = TIMEOUT_DEFAULT_NS;
	const char *counter = "", *group = NULL;
	uint32_t mode = VRSEQ_READ_LOG;
	struct arg args[] = {
		ARG("name", ARG_STRING, &counter, .positional = true),
		ARG("mode", ARG_CHOICE, &mode, .words = modes),
		ARG_IN("timeout", ARG_TIME, &timeout_ns, 0, INT64_MAX),
		ARG("group", ARG_STRING, &group),
		{ 0 },
	};
	struct vrseq_result result;
	struct vrseq *handle;
	int code, error;

	code = args_parse(argc, argv, args, "vrseq counter help");
	if (code)
		return code;
	code = device_open(group, 0, &handle);
	if (code)
		return code;
	error = vrseq_get(handle, counter, mode, device_deadline(timeout_ns), &result);
	if (error)
		code = device_fail(handle, error, NULL, "counter get");
	else
		print_get(counter, mode, &result);
	vrseq_close(handle);
	return code;
}
