// SPDX-License-Identifier: GPL-2.0
/* vrseq stats: what was counted, by name. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "json.h"
#include "nl.h"
#include "stats.h"
#include "tool.h"

struct stat_attrs {
	const char *name;
	const struct nlattr *value;
};

static int take_stat_attr(const struct nlattr *attr, void *data)
{
	struct stat_attrs *stat = data;

	if (mnl_attr_get_type(attr) == VRSEQ_A_STAT_NAME &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		stat->name = mnl_attr_get_str(attr);
	if (mnl_attr_get_type(attr) == VRSEQ_A_STAT_VALUE &&
	    mnl_attr_validate(attr, MNL_TYPE_U64) >= 0)
		stat->value = attr;
	return MNL_CB_OK;
}

static int take_stat(const struct nlattr *nest, stat_fn take, void *data)
{
	struct stat_attrs stat = { 0 };

	if (mnl_attr_validate(nest, MNL_TYPE_NESTED) < 0)
		return MNL_CB_ERROR;
	mnl_attr_parse_nested(nest, take_stat_attr, &stat);
	if (!stat.name || !stat.value) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	take(stat.name, mnl_attr_get_u64(stat.value), data);
	return MNL_CB_OK;
}

int stats_each(const struct nlmsghdr *nlh, stat_fn take, void *data)
{
	const struct nlattr *attr;
	int state = MNL_CB_OK;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr)) {
		if (state == MNL_CB_OK && mnl_attr_get_type(attr) == VRSEQ_A_STAT)
			state = take_stat(attr, take, data);
	}
	return state;
}

static int find_name(const struct nlattr *attr, void *data)
{
	const char **name = data;

	if (mnl_attr_get_type(attr) == VRSEQ_A_NAME &&
	    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) >= 0)
		*name = mnl_attr_get_str(attr);
	return MNL_CB_OK;
}

const char *stats_group(const struct nlmsghdr *nlh)
{
	const char *name = "";

	mnl_attr_parse(nlh, sizeof(struct genlmsghdr), find_name, &name);
	return name;
}

static void print_stat(const char *name, uint64_t value, void *data)
{
	if (options.json)
		json_u64(data, name, value);
	else
		printf("  %-32s %" PRIu64 "\n", name, value);
}

static int print_stats(const struct nlmsghdr *nlh, void *data)
{
	struct json *json = data;
	int state;

	if (options.json) {
		json_open(json, NULL, '{');
		json_string(json, "name", stats_group(nlh));
		json_open(json, "stats", '{');
	} else {
		printf("group %s\n", stats_group(nlh));
	}
	state = stats_each(nlh, print_stat, json);
	if (options.json) {
		json_close(json, '}');
		json_close(json, '}');
	}
	return state;
}

int stats_show(int argc, char **argv)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	const char *name = NULL;
	struct arg args[] = {
		ARG("group", ARG_STRING, &name),
		{ 0 },
	};
	struct nlmsghdr *nlh;
	struct nl nl;
	int code, error;

	code = args_parse(argc, argv, args, "vrseq stats help");
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_STATS_GET, name ? NLM_F_ACK : NLM_F_DUMP);
	if (name)
		mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
	if (options.json)
		json_open(&json, NULL, '[');
	error = nl_talk(&nl, nlh, print_stats, &json);
	if (options.json)
		json_close(&json, ']');
	/* a list of groups that changed meanwhile is as good: these are counts */
	if (error && error != -EINTR)
		code = fail(exit_code_of(error), nl_why(&nl, error),
			    "vrseq group show", "Cannot show stats");
	nl_close(&nl);
	return code;
}
