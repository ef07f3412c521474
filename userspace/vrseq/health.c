// SPDX-License-Identifier: GPL-2.0
/* vrseq health: can operations commit here, as an exit code and a sentence. */
#include <stdio.h>

#include "show.h"

static void print_health(const struct group *group)
{
	struct json json = { .file = stdout, .pretty = options.pretty };

	if (!options.json) {
		printf("%s\n", attr_string(group->attr[VRSEQ_A_STATUS_TEXT]));
		return;
	}
	json_open(&json, NULL, '{');
	json_string(&json, "name", attr_string(group->attr[VRSEQ_A_NAME]));
	json_string(&json, "state", state_name(group->attr[VRSEQ_A_STATE]));
	json_bool(&json, "has_quorum", attr_u64(group->attr[VRSEQ_A_HAS_QUORUM]));
	json_string(&json, "status_text",
		    attr_string(group->attr[VRSEQ_A_STATUS_TEXT]));
	json_bool(&json, "ready", group_health(group) == EXIT_OK);
	json_close(&json, '}');
}

int health_show(int argc, char **argv)
{
	struct group *groups;
	const char *name = NULL;
	struct arg args[] = {
		ARG("group", ARG_STRING, &name),
		{ 0 },
	};
	int code;

	code = args_parse(argc, argv, args, "vrseq health help");
	if (code)
		return code;
	code = groups_get(name, &groups);
	if (code)
		return code;
	if (!groups)
		return fail(EXIT_NOT_YET, NULL, "vrseq group help",
			    "No group in this network namespace");
	if (groups->next) {
		code = usage_error("vrseq health group NAME",
				   "There are several groups in this network namespace");
	} else {
		print_health(groups);
		code = group_health(groups);
	}
	groups_free(groups);
	return code;
}
