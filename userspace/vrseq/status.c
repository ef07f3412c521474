// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq status: the whole picture of this node's groups, a few lines each: what
 * somebody who was just woken wants to know. "group show" has all the values.
 */
#include <inttypes.h>
#include <stdio.h>

#include "show.h"

/* Who was not heard for longer than the others wait for a primary is silent. */
static bool is_silent(const struct group *group, const struct nlattr *const *member)
{
	const struct nlattr *age = member[VRSEQ_A_MEMBER_HEARD_AGE_NS];

	if (member[VRSEQ_A_MEMBER_SELF])
		return false;
	return !age || attr_u64(age) > attr_u64(group->attr[VRSEQ_A_VIEW_TIMEOUT_NS]);
}

static void print_member(const struct group *group, const struct nlattr *const *member)
{
	const struct nlattr *age = member[VRSEQ_A_MEMBER_HEARD_AGE_NS];
	const struct nlattr *round_trip = member[VRSEQ_A_MEMBER_ROUND_TRIP_NS];
	char text[32];

	printf(" %" PRIu64, attr_u64(member[VRSEQ_A_MEMBER_ID]));
	if (member[VRSEQ_A_MEMBER_PRIMARY])
		fputs(" primary", stdout);
	if (member[VRSEQ_A_MEMBER_SELF])
		fputs(" here", stdout);
	else if (!age)
		fputs(" NEVER HEARD", stdout);
	else if (is_silent(group, member))
		printf(" SILENT for %s", time_text(attr_u64(age), text, sizeof(text)));
	else if (round_trip)
		printf(" %s away", time_text(attr_u64(round_trip), text, sizeof(text)));
	else
		fputs(" heard", stdout);
	if (attr_u64(member[VRSEQ_A_MEMBER_OP]) && member_behind(group, member))
		printf(" %" PRIu64 " behind", member_behind(group, member));
}

static void print_status(const struct group *group)
{
	const struct nlattr *const *attr = (const struct nlattr *const *)group->attr;
	const char *text = attr_string(attr[VRSEQ_A_STATUS_TEXT]);
	unsigned int i;

	printf("%s: %s%s%s\n", attr_string(attr[VRSEQ_A_NAME]), group_headline(group),
	       *text ? ": " : "", text);
	fputs("  members", stdout);
	for (i = 0; i < group->member_count; i++) {
		if (i)
			putchar(',');
		print_member(group, (const struct nlattr *const *)group->members[i]);
	}
	printf("; quorum %" PRIu64 "\n", attr_u64(attr[VRSEQ_A_QUORUM_COUNT]));
	printf("  commit %" PRIu64 ", %" PRIu64 " open files, messages ",
	       attr_u64(attr[VRSEQ_A_COMMIT]), attr_u64(attr[VRSEQ_A_FILES]));
	messages_print(attr_u64(attr[VRSEQ_A_SEQUENCE_FIRST]),
		       attr_u64(attr[VRSEQ_A_SEQUENCE_LAST]));
}

static void print_member_json(struct json *json, const struct group *group,
			      const struct nlattr *const *member)
{
	json_open(json, NULL, '{');
	json_u64(json, "id", attr_u64(member[VRSEQ_A_MEMBER_ID]));
	json_bool(json, "self", member[VRSEQ_A_MEMBER_SELF]);
	json_bool(json, "primary", member[VRSEQ_A_MEMBER_PRIMARY]);
	json_bool(json, "silent", is_silent(group, member));
	if (member[VRSEQ_A_MEMBER_HEARD_AGE_NS])
		json_u64(json, "heard_age_ns", attr_u64(member[VRSEQ_A_MEMBER_HEARD_AGE_NS]));
	else
		json_null(json, "heard_age_ns");
	if (attr_u64(member[VRSEQ_A_MEMBER_OP]))
		json_u64(json, "behind", member_behind(group, member));
	else
		json_null(json, "behind");
	json_close(json, '}');
}

static void print_status_json(struct json *json, const struct group *group)
{
	const struct nlattr *const *attr = (const struct nlattr *const *)group->attr;
	unsigned int i;

	json_open(json, NULL, '{');
	json_string(json, "name", attr_string(attr[VRSEQ_A_NAME]));
	json_bool(json, "ready", group_health(group) == EXIT_OK);
	json_string(json, "state", state_name(attr[VRSEQ_A_STATE]));
	json_bool(json, "has_quorum", attr_u64(attr[VRSEQ_A_HAS_QUORUM]));
	json_string(json, "status_text", attr_string(attr[VRSEQ_A_STATUS_TEXT]));
	json_bool(json, "insecure", attr[VRSEQ_A_INSECURE]);
	json_u64(json, "self_id", attr_u64(attr[VRSEQ_A_SELF_ID]));
	json_u64(json, "primary_id", attr_u64(attr[VRSEQ_A_PRIMARY_ID]));
	json_u64(json, "view", attr_u64(attr[VRSEQ_A_VIEW]));
	json_u64(json, "quorum_count", attr_u64(attr[VRSEQ_A_QUORUM_COUNT]));
	json_u64(json, "commit", attr_u64(attr[VRSEQ_A_COMMIT]));
	json_u64(json, "sequence_first", attr_u64(attr[VRSEQ_A_SEQUENCE_FIRST]));
	json_u64(json, "sequence_last", attr_u64(attr[VRSEQ_A_SEQUENCE_LAST]));
	json_u64(json, "files", attr_u64(attr[VRSEQ_A_FILES]));
	json_open(json, "members", '[');
	for (i = 0; i < group->member_count; i++)
		print_member_json(json, group, (const struct nlattr *const *)group->members[i]);
	json_close(json, ']');
	json_close(json, '}');
}

int status_show(int argc, char **argv)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	const struct group *group;
	const char *name = NULL;
	struct group *groups;
	struct arg args[] = {
		ARG("group", ARG_STRING, &name),
		{ 0 },
	};
	enum exit_code code;

	code = args_parse(argc, argv, args, "vrseq status help");
	if (code)
		return code;
	code = groups_get(name, &groups);
	if (code)
		return code;
	if (options.json)
		json_open(&json, NULL, '[');
	for (group = groups; group; group = group->next) {
		if (options.json)
			print_status_json(&json, group);
		else
			print_status(group);
		/* the worst of them, as "vrseq health" has it */
		if (group_health(group) > code)
			code = group_health(group);
	}
	if (options.json)
		json_close(&json, ']');
	if (!groups)
		code = fail(EXIT_NOT_YET, NULL, "vrseq group help",
			    "No group in this network namespace");
	groups_free(groups);
	return code;
}
