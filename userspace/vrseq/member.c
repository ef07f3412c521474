// SPDX-License-Identifier: GPL-2.0
/* vrseq member: who is in a group. */
#include <inttypes.h>
#include <stdio.h>

#include "show.h"

static const char hint[] = "vrseq member help";

static int send_member(struct nl *nl, struct nlmsghdr *nlh, struct nlattr *nest,
		       const char *what, uint64_t id)
{
	char name[24];
	int code;

	mnl_attr_nest_end(nlh, nest);
	snprintf(name, sizeof(name), "%" PRIu64, id);
	code = nl_command(nl, nlh, "vrseq group show", what, name);
	nl_close(nl);
	return code;
}

int member_add(int argc, char **argv)
{
	struct endpoint endpoint;
	uint32_t role = VRSEQ_ROLE_VOTER;
	const char *group;
	uint64_t id;
	struct arg args[] = {
		ARG_IN("id", ARG_COUNT, &id, 1, UINT16_MAX, .positional = true, .required = true),
		ARG("address", ARG_ENDPOINT, &endpoint, .positional = true, .required = true),
		ARG("role", ARG_CHOICE, &role, .words = roles),
		ARG("group", ARG_STRING, &group, .required = true),
		{ 0 },
	};
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	struct nl nl;
	int code;

	code = args_parse(argc, argv, args, hint);
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_MEMBER_ADD, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, group);
	nest = mnl_attr_nest_start(nlh, VRSEQ_A_MEMBER);
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_ID, id);
	nl_put_endpoint(nlh, &endpoint, VRSEQ_A_MEMBER_ADDRESS_IPV4, VRSEQ_A_MEMBER_ADDRESS_IPV6,
			VRSEQ_A_MEMBER_PORT);
	mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_ROLE, role);
	return send_member(&nl, nlh, nest, "member add", id);
}

int member_del(int argc, char **argv)
{
	const char *group;
	uint64_t id;
	struct arg args[] = {
		ARG_IN("id", ARG_COUNT, &id, 1, UINT16_MAX, .positional = true, .required = true),
		ARG("group", ARG_STRING, &group, .required = true),
		{ 0 },
	};
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	struct nl nl;
	int code;

	code = args_parse(argc, argv, args, hint);
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_MEMBER_DEL, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, group);
	nest = mnl_attr_nest_start(nlh, VRSEQ_A_MEMBER);
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_ID, id);
	return send_member(&nl, nlh, nest, "member del", id);
}

int member_show(int argc, char **argv)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	struct group *groups, *group;
	const char *name = NULL;
	struct arg args[] = {
		ARG("group", ARG_STRING, &name),
		{ 0 },
	};
	int code;

	code = args_parse(argc, argv, args, hint);
	if (code)
		return code;
	code = groups_get(name, &groups);
	if (code)
		return code;
	if (options.json)
		json_open(&json, NULL, '[');
	for (group = groups; group; group = group->next) {
		if (options.json) {
			json_open(&json, NULL, '{');
			json_string(&json, "name", attr_string(group->attr[VRSEQ_A_NAME]));
			members_print_json(&json, group);
			json_close(&json, '}');
		} else {
			printf("group %s\n", attr_string(group->attr[VRSEQ_A_NAME]));
			members_print(group);
		}
	}
	if (options.json)
		json_close(&json, ']');
	groups_free(groups);
	return EXIT_OK;
}
