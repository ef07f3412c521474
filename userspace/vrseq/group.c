// SPDX-License-Identifier: GPL-2.0
/* vrseq group: a group's member on this machine, set up and taken down. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "show.h"

static void put_u64_given(struct nlmsghdr *nlh, const struct arg *arg,
			  uint16_t type)
{
	if (arg->given)
		mnl_attr_put_u64(nlh, type, *(uint64_t *)arg->value);
}

static void put_u32_given(struct nlmsghdr *nlh, const struct arg *arg,
			  uint16_t type)
{
	if (arg->given)
		mnl_attr_put_u32(nlh, type, *(uint64_t *)arg->value);
}

#define MODULE_PATH_MAX 255

/* The module takes an absolute path. Return: 0, or -1 if it has no room for it. */
static int absolute(const char *file, char *path, size_t room)
{
	char here[PATH_MAX] = "";

	if (*file != '/' && !getcwd(here, sizeof(here)))
		return -1;
	return (size_t)snprintf(path, room, "%s%s%s", here, *here ? "/" : "", file) >
	       MODULE_PATH_MAX ? -1 : 0;
}

int group_add(int argc, char **argv)
{
	enum { NAME, SELF, LISTEN, INSECURE, KEY, KEY_NAME, UUID, HEARTBEAT, VIEW_TIMEOUT, LEASE,
	       RECORD_MAX, LOG_ENTRIES, LOG_BYTES, MESSAGES, MESSAGE_BYTES, RECORD, ROLE, CLIENTS,
	       NODE_LEASE, FILES, GID, WIRE, DURABILITY, JOURNAL_SIZE };
	enum { MEMORY, JOURNAL };
	static const char *const durabilities[] = { "memory", "journal", NULL };
	static const char hint[] = "vrseq group help";
	uint64_t self, heartbeat_ns, timeout_ns, lease_ns, log_entries, log_bytes;
	uint64_t messages, message_bytes, record_max, clients, node_lease_ns, files, wire;
	uint64_t journal_bytes;
	uint32_t role = VRSEQ_ROLE_VOTER, durability = MEMORY, gid;
	uint8_t uuid[UUID_BYTES];
	struct endpoint listen;
	const char *name, *key_file, *key_name, *record, *journal;
	uint8_t key[KEY_BYTES];
	char path[PATH_MAX], journal_path[PATH_MAX];
	struct arg args[] = {
		[NAME] = ARG("name", ARG_STRING, &name, .positional = true, .required = true),
		[SELF] = ARG_IN("self", ARG_COUNT, &self, 1, UINT16_MAX, .required = true),
		[LISTEN] = ARG("listen", ARG_ENDPOINT, &listen, .required = true),
		[INSECURE] = ARG("insecure", ARG_FLAG, NULL),
		[KEY] = ARG("key", ARG_STRING, &key_file),
		[KEY_NAME] = ARG("key-name", ARG_STRING, &key_name),
		[UUID] = ARG("uuid", ARG_UUID, uuid),
		[HEARTBEAT] = ARG_IN("heartbeat", ARG_TIME, &heartbeat_ns, 1, UINT64_MAX),
		[VIEW_TIMEOUT] = ARG_IN("view-timeout", ARG_TIME, &timeout_ns, 1, UINT64_MAX),
		[LEASE] = ARG_IN("lease", ARG_TIME, &lease_ns, 0, UINT64_MAX),
		[RECORD_MAX] = ARG_IN("record-max", ARG_SIZE, &record_max, 1, UINT32_MAX),
		[LOG_ENTRIES] = ARG_IN("log-entries", ARG_COUNT, &log_entries, 1, UINT32_MAX),
		[LOG_BYTES] = ARG_IN("log-bytes", ARG_SIZE, &log_bytes, 1, UINT32_MAX),
		[MESSAGES] = ARG_IN("messages", ARG_COUNT, &messages, 1, UINT32_MAX),
		[MESSAGE_BYTES] = ARG_IN("message-bytes", ARG_SIZE, &message_bytes, 1, UINT32_MAX),
		[RECORD] = ARG("record", ARG_STRING, &record),
		[ROLE] = ARG("role", ARG_CHOICE, &role, .words = roles),
		[CLIENTS] = ARG_IN("clients", ARG_COUNT, &clients, 0, UINT32_MAX),
		[NODE_LEASE] = ARG_IN("node-lease", ARG_TIME, &node_lease_ns, 1, UINT64_MAX),
		[FILES] = ARG_IN("files", ARG_COUNT, &files, 1, UINT32_MAX),
		[GID] = ARG("gid", ARG_GID, &gid),
		[WIRE] = ARG_IN("wire", ARG_COUNT, &wire, 1, UINT8_MAX),
		[DURABILITY] = ARG("durability", ARG_CHOICE, &durability, .words = durabilities,
				   .of = &journal),
		[JOURNAL_SIZE] = ARG_IN("journal-size", ARG_SIZE, &journal_bytes, 1, UINT64_MAX),
		{ 0 },
	};
	struct nlmsghdr *nlh;
	struct nl nl;
	int code;

	code = args_parse(argc, argv, args, hint);
	if (code)
		return code;
	if (args[RECORD].given && absolute(record, path, sizeof(path)))
		return usage_error("a shorter path", "The path of the record is too long: %s",
				   record);
	if (durability == JOURNAL && absolute(journal, journal_path, sizeof(journal_path)))
		return usage_error("a shorter path", "The path of the journal is too long: %s",
				   journal);
	if (args[JOURNAL_SIZE].given && durability != JOURNAL)
		return usage_error(hint, "journal-size needs durability journal");
	if (args[INSECURE].given + args[KEY].given + args[KEY_NAME].given != 1)
		return usage_error("add key FILE (vrseq genkey), or the word insecure if only trusted machines can reach it",
				   "One of key, key-name and insecure is needed: without a key whoever can send to the listen address can forge the group's traffic");
	code = args[KEY].given ? key_read(key_file, key) : EXIT_OK;
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_GROUP_ADD, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
	mnl_attr_put_u16(nlh, VRSEQ_A_SELF_ID, self);
	nl_put_endpoint(nlh, &listen, VRSEQ_A_ADDRESS_IPV4, VRSEQ_A_ADDRESS_IPV6, VRSEQ_A_PORT);
	if (args[INSECURE].given)
		mnl_attr_put(nlh, VRSEQ_A_INSECURE, 0, NULL);
	if (args[KEY].given)
		mnl_attr_put(nlh, VRSEQ_A_KEY, sizeof(key), key);
	if (args[KEY_NAME].given)
		mnl_attr_put_strz(nlh, VRSEQ_A_KEY_NAME, key_name);
	explicit_bzero(key, sizeof(key));
	if (args[UUID].given)
		mnl_attr_put(nlh, VRSEQ_A_UUID, sizeof(uuid), uuid);
	if (args[RECORD].given)
		mnl_attr_put_strz(nlh, VRSEQ_A_RECORD, path);
	if (durability == JOURNAL)
		mnl_attr_put_strz(nlh, VRSEQ_A_JOURNAL, journal_path);
	put_u64_given(nlh, &args[JOURNAL_SIZE], VRSEQ_A_JOURNAL_BYTES);
	put_u64_given(nlh, &args[HEARTBEAT], VRSEQ_A_HEARTBEAT_NS);
	put_u64_given(nlh, &args[VIEW_TIMEOUT], VRSEQ_A_VIEW_TIMEOUT_NS);
	put_u64_given(nlh, &args[LEASE], VRSEQ_A_LEASE_NS);
	put_u32_given(nlh, &args[RECORD_MAX], VRSEQ_A_RECORD_MAX);
	put_u32_given(nlh, &args[LOG_ENTRIES], VRSEQ_A_LOG_ENTRIES);
	put_u32_given(nlh, &args[LOG_BYTES], VRSEQ_A_LOG_BYTES);
	put_u32_given(nlh, &args[MESSAGES], VRSEQ_A_MESSAGES);
	put_u32_given(nlh, &args[MESSAGE_BYTES], VRSEQ_A_MESSAGE_BYTES);
	mnl_attr_put_u8(nlh, VRSEQ_A_ROLE, role);
	put_u32_given(nlh, &args[CLIENTS], VRSEQ_A_CLIENTS_MAX);
	put_u64_given(nlh, &args[NODE_LEASE], VRSEQ_A_NODE_LEASE_NS);
	put_u32_given(nlh, &args[FILES], VRSEQ_A_FILES_MAX);
	if (args[GID].given)
		mnl_attr_put_u32(nlh, VRSEQ_A_GID, gid);
	if (args[WIRE].given)
		mnl_attr_put_u8(nlh, VRSEQ_A_WIRE, wire);
	code = nl_command(&nl, nlh, hint, "group add", name);
	nl_close(&nl);
	return code;
}

int group_form(int argc, char **argv)
{
	uint64_t generation;
	const char *name;
	struct arg args[] = {
		ARG("name", ARG_STRING, &name, .positional = true, .required = true),
		ARG_IN("generation", ARG_COUNT, &generation, 0, INT16_MAX),
		{ 0 },
	};
	struct nlmsghdr *nlh;
	struct nl nl;
	int code;

	code = args_parse(argc, argv, args, "vrseq group help");
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_GROUP_FORM, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
	if (args[1].given)
		mnl_attr_put_u16(nlh, VRSEQ_A_GENERATION, generation);
	code = nl_command(&nl, nlh, "vrseq member show", "group form", name);
	nl_close(&nl);
	return code;
}

static int send_name(int argc, char **argv, uint8_t command, const char *what)
{
	const char *name;
	struct arg args[] = {
		ARG("name", ARG_STRING, &name, .positional = true, .required = true),
		{ 0 },
	};
	int code = args_parse(argc, argv, args, "vrseq group help");

	return code ? code : nl_command_group(command, what, name);
}

int group_resign(int argc, char **argv)
{
	return send_name(argc, argv, VRSEQ_CMD_GROUP_RESIGN, "group resign");
}

/* What is there to be lost, and who says so. */
static void print_loss(const struct group *group)
{
	const char *name = attr_string(group->attr[VRSEQ_A_NAME]);
	unsigned int i;

	fprintf(stderr, "Group %s, generation %" PRIu64 ": %s\n", name,
		attr_u64(group->attr[VRSEQ_A_GENERATION]),
		attr_string(group->attr[VRSEQ_A_STATUS_TEXT]));
	for (i = 0; i < group->member_count; i++) {
		const struct nlattr *const *member = group->members[i];

		fprintf(stderr, "  member %" PRIu64 "  %s%s\n",
			attr_u64(member[VRSEQ_A_MEMBER_ID]),
			member[VRSEQ_A_MEMBER_STATE] ?
				state_name(member[VRSEQ_A_MEMBER_STATE]) : "never heard",
			member[VRSEQ_A_MEMBER_RECORDED] ? "  with a record" : "");
	}
	fprintf(stderr, "Lost for good, here and at all members, those that are silent now too:\n"
		"  all messages of the log (readers are told of the gap), the newest value of\n"
		"  each counter (numbers go on above all that were ever drawn), all open\n"
		"  sessions, and what became of operations whose outcome is not known yet\n");
}

/* Return: exit code; EXIT_OK if @answer, or who sits there, names the group. */
static int is_meant(const char *name, const char *answer)
{
	char line[64] = "";

	if (!answer) {
		if (!isatty(STDIN_FILENO))
			return usage_error("vrseq group reform NAME confirm NAME",
					   "Nobody is there to be asked");
		fprintf(stderr, "To go on type the name of the group: ");
		if (fgets(line, sizeof(line), stdin))
			line[strcspn(line, "\n")] = '\0';
		answer = line;
	}
	if (strcmp(answer, name))
		return fail(EXIT_FAILED, NULL, NULL, "Nothing was done");
	return EXIT_OK;
}

int group_reform(int argc, char **argv)
{
	const char *name, *answer = NULL;
	struct arg args[] = {
		ARG("name", ARG_STRING, &name, .positional = true, .required = true),
		ARG("confirm", ARG_STRING, &answer),
		{ 0 },
	};
	struct group *group;
	int code;

	code = args_parse(argc, argv, args, "vrseq group help");
	if (code)
		return code;
	code = groups_get(name, &group);
	if (code)
		return code;
	print_loss(group);
	groups_free(group);
	code = is_meant(name, answer);
	if (code)
		return code;
	return nl_command_group(VRSEQ_CMD_GROUP_REFORM, "group reform", name);
}

int group_del(int argc, char **argv)
{
	return send_name(argc, argv, VRSEQ_CMD_GROUP_DEL, "group del");
}

int group_show(int argc, char **argv)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	struct group *groups, *group;
	const char *name = NULL;
	struct arg args[] = {
		ARG("name", ARG_STRING, &name, .positional = true),
		{ 0 },
	};
	int code;

	code = args_parse(argc, argv, args, "vrseq group help");
	if (code)
		return code;
	code = groups_get(name, &groups);
	if (code)
		return code;
	if (options.json)
		json_open(&json, NULL, '[');
	for (group = groups; group; group = group->next) {
		if (options.json) {
			group_print_json(&json, group);
			continue;
		}
		group_print(group);
		if (group->next)
			putchar('\n');
	}
	if (options.json)
		json_close(&json, ']');
	groups_free(groups);
	return EXIT_OK;
}
