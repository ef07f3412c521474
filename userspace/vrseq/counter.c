// SPDX-License-Identifier: GPL-2.0
/* vrseq counter: numbers nobody else ever gets. */
#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "tool.h"

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

int counter_get(int argc, char **argv)
{
	uint64_t timeout_ns = TIMEOUT_DEFAULT_NS;
	const char *counter = "", *group = NULL;
	struct arg args[] = {
		ARG("name", ARG_STRING, &counter, .positional = true),
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
	error = vrseq_get(handle, counter, VRSEQ_READ_LOG,
			  device_deadline(timeout_ns), &result);
	if (error) {
		code = device_fail(handle, error, NULL, "counter get");
	} else if (options.json) {
		json_open(&json, NULL, '{');
		json_string(&json, "counter", counter);
		json_u64(&json, "value", result.first);
		json_u64(&json, "index", result.index);
		json_u64(&json, "view", result.view);
		json_close(&json, '}');
	} else {
		printf("%" PRIu64 "\n", result.first);
	}
	vrseq_close(handle);
	return code;
}
