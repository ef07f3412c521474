// SPDX-License-Identifier: GPL-2.0
/*
 * GROUP_GET: the answers, decoded and printed. The two tables are the JSON
 * that the tool promises: a key is its attribute's name in lower case.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show.h"

#define UUID_TEXT_BYTES sizeof("01234567-0123-0123-0123-0123456789ab")
#define ENDPOINT_TEXT_BYTES (INET6_ADDRSTRLEN + sizeof("[]:65535"))

enum field_kind {
	FIELD_STRING,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_FLAG,
	FIELD_BOOL,		/* u8 */
	FIELD_ADDRESS,
	FIELD_STATE,		/* u8 */
	FIELD_ROLE,		/* u8 */
	FIELD_TRUST,		/* u8 */
	FIELD_HALT,		/* u8 */
	FIELD_UUID,
};

struct field {
	uint16_t attr;
	enum field_kind kind;
	const char *key;
};

#define WIRE_NEWEST	5	/* of the module that came with this tool */

static const struct field group_fields[] = {
	{ VRSEQ_A_NAME, FIELD_STRING, "name" },
	{ VRSEQ_A_UUID, FIELD_UUID, "uuid" },
	{ VRSEQ_A_SELF_ID, FIELD_U16, "self_id" },
	{ VRSEQ_A_ADDRESS_IPV4, FIELD_ADDRESS, "address" },
	{ VRSEQ_A_PORT, FIELD_U16, "port" },
	{ VRSEQ_A_INSECURE, FIELD_FLAG, "insecure" },
	{ VRSEQ_A_KEY_TAG, FIELD_U8, "key_tag" },
	{ VRSEQ_A_KEY_TAG_SECOND, FIELD_U8, "key_tag_second" },
	{ VRSEQ_A_HEARTBEAT_NS, FIELD_U64, "heartbeat_ns" },
	{ VRSEQ_A_VIEW_TIMEOUT_NS, FIELD_U64, "view_timeout_ns" },
	{ VRSEQ_A_LEASE_NS, FIELD_U64, "lease_ns" },
	{ VRSEQ_A_RECORD_MAX, FIELD_U32, "record_max" },
	{ VRSEQ_A_LOG_ENTRIES, FIELD_U32, "log_entries" },
	{ VRSEQ_A_LOG_BYTES, FIELD_U32, "log_bytes" },
	{ VRSEQ_A_MESSAGES, FIELD_U32, "messages" },
	{ VRSEQ_A_MESSAGE_BYTES, FIELD_U32, "message_bytes" },
	{ VRSEQ_A_ROLE, FIELD_ROLE, "role" },
	{ VRSEQ_A_CLIENTS_MAX, FIELD_U32, "clients_max" },
	{ VRSEQ_A_CLIENTS, FIELD_U32, "clients" },
	{ VRSEQ_A_NODE_LEASE_NS, FIELD_U64, "node_lease_ns" },
	{ VRSEQ_A_NODE_ENDS, FIELD_U64, "node_ends" },
	{ VRSEQ_A_FILES_MAX, FIELD_U32, "files_max" },
	{ VRSEQ_A_GID, FIELD_U32, "gid" },
	{ VRSEQ_A_WIRE, FIELD_U8, "wire" },
	{ VRSEQ_A_MEMORY_BYTES, FIELD_U64, "memory_bytes" },
	{ VRSEQ_A_GENERATION, FIELD_U16, "generation" },
	{ VRSEQ_A_STATE, FIELD_STATE, "state" },
	{ VRSEQ_A_STATUS_TEXT, FIELD_STRING, "status_text" },
	{ VRSEQ_A_HAS_QUORUM, FIELD_BOOL, "has_quorum" },
	{ VRSEQ_A_QUORUM_COUNT, FIELD_U8, "quorum_count" },
	{ VRSEQ_A_VIEW, FIELD_U64, "view" },
	{ VRSEQ_A_LAST_NORMAL_VIEW, FIELD_U64, "last_normal_view" },
	{ VRSEQ_A_PRIMARY_ID, FIELD_U16, "primary_id" },
	{ VRSEQ_A_OP, FIELD_U64, "op" },
	{ VRSEQ_A_COMMIT, FIELD_U64, "commit" },
	{ VRSEQ_A_COMMIT_HASH, FIELD_U64, "commit_hash" },
	{ VRSEQ_A_SEQUENCE_FIRST, FIELD_U64, "sequence_first" },
	{ VRSEQ_A_SEQUENCE_LAST, FIELD_U64, "sequence_last" },
	{ VRSEQ_A_INCARNATION, FIELD_U64, "incarnation" },
	{ VRSEQ_A_CHECKPOINT_OP, FIELD_U64, "checkpoint_op" },
	{ VRSEQ_A_RECOVERIES, FIELD_U64, "recoveries" },
	{ VRSEQ_A_TRANSFERS, FIELD_U64, "transfers" },
	{ VRSEQ_A_RECORD, FIELD_STRING, "record" },
	{ VRSEQ_A_RECORD_ERROR, FIELD_U32, "record_error" },
	{ VRSEQ_A_HALT, FIELD_HALT, "halt" },
	{ VRSEQ_A_JOURNAL, FIELD_STRING, "journal" },
	{ VRSEQ_A_JOURNAL_BYTES, FIELD_U64, "journal_bytes" },
	{ VRSEQ_A_JOURNAL_WRITES, FIELD_U64, "journal_writes" },
	{ VRSEQ_A_JOURNAL_FSYNCS, FIELD_U64, "journal_fsyncs" },
	{ VRSEQ_A_JOURNAL_ERROR, FIELD_U32, "journal_error" },
	{ VRSEQ_A_FILES, FIELD_U32, "files" },
};

static const struct field member_fields[] = {
	{ VRSEQ_A_MEMBER_ID, FIELD_U16, "id" },
	{ VRSEQ_A_MEMBER_ADDRESS_IPV4, FIELD_ADDRESS, "address" },
	{ VRSEQ_A_MEMBER_PORT, FIELD_U16, "port" },
	{ VRSEQ_A_MEMBER_ROLE, FIELD_ROLE, "role" },
	{ VRSEQ_A_MEMBER_SELF, FIELD_FLAG, "self" },
	{ VRSEQ_A_MEMBER_PRIMARY, FIELD_FLAG, "primary" },
	{ VRSEQ_A_MEMBER_STATE, FIELD_STATE, "state" },
	{ VRSEQ_A_MEMBER_HEARD_AGE_NS, FIELD_U64, "heard_age_ns" },
	{ VRSEQ_A_MEMBER_OP, FIELD_U64, "op" },
	{ VRSEQ_A_MEMBER_INCARNATION, FIELD_U64, "incarnation" },
	{ VRSEQ_A_MEMBER_ROUND_TRIP_NS, FIELD_U64, "round_trip_ns" },
	{ VRSEQ_A_MEMBER_RECORDED, FIELD_FLAG, "recorded" },
	{ VRSEQ_A_MEMBER_TRUST, FIELD_TRUST, "trust" },
	{ VRSEQ_A_MEMBER_DIFFERS, FIELD_FLAG, "differs" },
	{ VRSEQ_A_MEMBER_WIRE, FIELD_U8, "wire" },
};

static enum mnl_attr_data_type data_type(enum field_kind kind)
{
	switch (kind) {
	case FIELD_STRING:
		return MNL_TYPE_NUL_STRING;
	case FIELD_U16:
		return MNL_TYPE_U16;
	case FIELD_U32:
		return MNL_TYPE_U32;
	case FIELD_U64:
		return MNL_TYPE_U64;
	case FIELD_FLAG:
		return MNL_TYPE_FLAG;
	case FIELD_UUID:
	case FIELD_ADDRESS:
		return MNL_TYPE_BINARY;
	default:
		return MNL_TYPE_U8;
	}
}

/* --- decoding --- */

static int validate(const struct nlattr *attr, enum field_kind kind)
{
	if (kind == FIELD_UUID)
		return mnl_attr_validate2(attr, data_type(kind), UUID_BYTES);
	if (kind == FIELD_ADDRESS && mnl_attr_get_payload_len(attr) != IPV4_BYTES)
		return mnl_attr_validate2(attr, data_type(kind), IPV6_BYTES);
	return mnl_attr_validate(attr, data_type(kind));
}

struct decoder {
	const struct field *fields;
	size_t field_count;
	const struct nlattr **attr;
	uint16_t type_max;
	uint16_t ipv4;		/* attribute whose place one of */
	uint16_t ipv6;		/* this type takes: the length tells them apart */
	struct group *group;
};

static int decode_member(struct group *group, const struct nlattr *nest);

/* Attributes of a later version are skipped. */
static int decode_attr(const struct nlattr *attr, void *data)
{
	uint16_t type = mnl_attr_get_type(attr);
	struct decoder *decoder = data;
	size_t i;

	if (type > decoder->type_max)
		return MNL_CB_OK;
	if (decoder->fields == group_fields && type == VRSEQ_A_MEMBER)
		return decode_member(decoder->group, attr);
	if (type == decoder->ipv6)
		type = decoder->ipv4;
	for (i = 0; i < decoder->field_count; i++) {
		if (decoder->fields[i].attr != type)
			continue;
		if (validate(attr, decoder->fields[i].kind) < 0)
			return MNL_CB_ERROR;
		decoder->attr[type] = attr;
	}
	return MNL_CB_OK;
}

static int decode_member(struct group *group, const struct nlattr *nest)
{
	struct decoder decoder = {
		.fields = member_fields,
		.field_count = ARRAY_SIZE(member_fields),
		.type_max = VRSEQ_A_MEMBER_MAX,
		.ipv4 = VRSEQ_A_MEMBER_ADDRESS_IPV4,
		.ipv6 = VRSEQ_A_MEMBER_ADDRESS_IPV6,
		.group = group,
	};

	if (mnl_attr_validate(nest, MNL_TYPE_NESTED) < 0)
		return MNL_CB_ERROR;
	if (group->member_count == VRSEQ_MEMBERS_MAX) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	decoder.attr = group->members[group->member_count++];
	return mnl_attr_parse_nested(nest, decode_attr, &decoder);
}

struct group *group_decode(const struct nlmsghdr *nlh)
{
	struct group *group = calloc(1, sizeof(*group) + nlh->nlmsg_len);
	struct decoder decoder = {
		.fields = group_fields,
		.field_count = ARRAY_SIZE(group_fields),
		.type_max = VRSEQ_A_MAX,
		.ipv4 = VRSEQ_A_ADDRESS_IPV4,
		.ipv6 = VRSEQ_A_ADDRESS_IPV6,
		.group = group,
	};

	if (!group)
		return NULL;
	memcpy(group->message, nlh, nlh->nlmsg_len);
	decoder.attr = group->attr;
	if (mnl_attr_parse((const struct nlmsghdr *)group->message,
			   sizeof(struct genlmsghdr), decode_attr, &decoder) < 0) {
		free(group);
		return NULL;
	}
	return group;
}

static int take_group(const struct nlmsghdr *nlh, void *data)
{
	struct group *group = group_decode(nlh);
	struct group ***tail = data;

	if (!group)
		return MNL_CB_ERROR;
	**tail = group;
	*tail = &group->next;
	return MNL_CB_OK;
}

void groups_free(struct group *groups)
{
	struct group *next;

	for (; groups; groups = next) {
		next = groups->next;
		free(groups);
	}
}

static int ask(struct nl *nl, const char *name, struct group **groups)
{
	struct group **tail = groups;
	struct nlmsghdr *nlh;
	int error;

	*groups = NULL;
	nlh = nl_request(nl, VRSEQ_CMD_GROUP_GET, name ? NLM_F_ACK : NLM_F_DUMP);
	if (name)
		mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
	error = nl_talk(nl, nlh, take_group, &tail);
	if (error)
		groups_free(*groups);
	return error;
}

int groups_ask(struct nl *nl, const char *name, struct group **groups)
{
	int error;

	do {
		error = ask(nl, name, groups);
	} while (error == -EINTR);
	return error;
}

int groups_get(const char *name, struct group **groups)
{
	struct nl nl;
	int code, error;

	code = nl_open(&nl);
	if (code)
		return code;
	error = groups_ask(&nl, name, groups);
	if (error)
		code = fail(exit_code_of(error), nl_why(&nl, error),
			    name ? "vrseq group show" : NULL,
			    "Cannot show %s%s", name ? "group " : "groups",
			    name ? name : "");
	nl_close(&nl);
	return code;
}

/* --- values --- */

uint64_t attr_u64(const struct nlattr *attr)
{
	if (!attr)
		return 0;
	switch (mnl_attr_get_payload_len(attr)) {
	case sizeof(uint8_t):
		return mnl_attr_get_u8(attr);
	case sizeof(uint16_t):
		return mnl_attr_get_u16(attr);
	case sizeof(uint32_t):
		return mnl_attr_get_u32(attr);
	default:
		return mnl_attr_get_u64(attr);
	}
}

const char *attr_string(const struct nlattr *attr)
{
	return attr ? mnl_attr_get_str(attr) : "";
}

static const char *name_of(const struct nlattr *attr, const char *const *names,
			   size_t count)
{
	uint64_t value = attr_u64(attr);

	return value < count ? names[value] : "unknown";
}

const char *state_name(const struct nlattr *state)
{
	static const char *const names[] = {
		[VRSEQ_STATE_BLANK] = "blank",
		[VRSEQ_STATE_FORMING] = "forming",
		[VRSEQ_STATE_NORMAL] = "normal",
		[VRSEQ_STATE_VIEW_CHANGE] = "view-change",
		[VRSEQ_STATE_RECOVERING] = "recovering",
		[VRSEQ_STATE_HALTED] = "halted",
		[VRSEQ_STATE_AMNESIA] = "amnesia",
	};

	return name_of(state, names, ARRAY_SIZE(names));
}

const char *const roles[] = {
	[VRSEQ_ROLE_VOTER] = "voter",
	[VRSEQ_ROLE_CLIENT] = "client",
	NULL
};

static const char *role_name(const struct nlattr *role)
{
	return name_of(role, roles, ARRAY_SIZE(roles) - 1);
}

static const char *trust_name(const struct nlattr *trust)
{
	static const char *const names[] = {
		[VRSEQ_TRUST_ANYBODY] = "anybody",
		[VRSEQ_TRUST_SILENT] = "silent",
		[VRSEQ_TRUST_PROVED] = "proved",
		[VRSEQ_TRUST_OTHER_KEY] = "other-key",
	};

	return name_of(trust, names, ARRAY_SIZE(names));
}

static const char *halt_name(const struct nlattr *halt)
{
	static const char *const names[] = {
		[VRSEQ_HALT_NONE] = "none",
		[VRSEQ_HALT_COMMITTED_CONFLICT] = "committed-conflict",
		[VRSEQ_HALT_LOG_GAP] = "log-gap",
		[VRSEQ_HALT_LOG_FULL] = "log-full",
		[VRSEQ_HALT_TWO_LOGS] = "two-logs",
		[VRSEQ_HALT_DISK] = "disk",
		[VRSEQ_HALT_LIVES] = "lives",
	};

	return name_of(halt, names, ARRAY_SIZE(names));
}

static bool is_ipv6(const struct nlattr *address)
{
	return mnl_attr_get_payload_len(address) == IPV6_BYTES;
}

/* @text has room for INET6_ADDRSTRLEN. */
static const char *address_text(const struct nlattr *address, char *text)
{
	return inet_ntop(is_ipv6(address) ? AF_INET6 : AF_INET, mnl_attr_get_payload(address),
			 text, INET6_ADDRSTRLEN);
}

/* @text has room for ENDPOINT_TEXT_BYTES. */
static const char *endpoint_text(const struct nlattr *address, const struct nlattr *port,
				 char *text)
{
	char host[INET6_ADDRSTRLEN];

	if (!address)
		return "-";
	snprintf(text, ENDPOINT_TEXT_BYTES, is_ipv6(address) ? "[%s]:%u" : "%s:%u",
		 address_text(address, host), (uint16_t)attr_u64(port));
	return text;
}

static const char *uuid_text(const struct nlattr *attr, char *text)
{
	const uint8_t *b = mnl_attr_get_payload(attr);

	snprintf(text, UUID_TEXT_BYTES,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7],
		 b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
	return text;
}

enum exit_code group_health(const struct group *group)
{
	if (!group->attr[VRSEQ_A_STATE])
		return EXIT_HALTED;
	switch (attr_u64(group->attr[VRSEQ_A_STATE])) {
	case VRSEQ_STATE_BLANK:
	case VRSEQ_STATE_FORMING:
	case VRSEQ_STATE_RECOVERING:
		return EXIT_NOT_YET;
	case VRSEQ_STATE_NORMAL:
		return attr_u64(group->attr[VRSEQ_A_HAS_QUORUM]) ?
			EXIT_OK : EXIT_NO_QUORUM;
	case VRSEQ_STATE_VIEW_CHANGE:
		return EXIT_NO_QUORUM;
	default:
		return EXIT_HALTED;
	}
}

/* --- JSON --- */

static void print_field(struct json *json, const struct field *field,
			const struct nlattr *attr)
{
	char text[INET6_ADDRSTRLEN];	/* a uuid is shorter */

	if (field->kind == FIELD_FLAG) {
		json_bool(json, field->key, attr);
		return;
	}
	if (!attr) {
		json_null(json, field->key);
		return;
	}
	switch (field->kind) {
	case FIELD_STRING:
		json_string(json, field->key, mnl_attr_get_str(attr));
		break;
	case FIELD_BOOL:
		json_bool(json, field->key, mnl_attr_get_u8(attr));
		break;
	case FIELD_ADDRESS:
		json_string(json, field->key, address_text(attr, text));
		break;
	case FIELD_STATE:
		json_string(json, field->key, state_name(attr));
		break;
	case FIELD_ROLE:
		json_string(json, field->key, role_name(attr));
		break;
	case FIELD_TRUST:
		json_string(json, field->key, trust_name(attr));
		break;
	case FIELD_HALT:
		json_string(json, field->key, halt_name(attr));
		break;
	case FIELD_UUID:
		json_string(json, field->key, uuid_text(attr, text));
		break;
	default:
		json_u64(json, field->key, attr_u64(attr));
	}
}

void members_print_json(struct json *json, const struct group *group)
{
	unsigned int i;
	size_t f;

	json_open(json, "members", '[');
	for (i = 0; i < group->member_count; i++) {
		json_open(json, NULL, '{');
		for (f = 0; f < ARRAY_SIZE(member_fields); f++)
			print_field(json, &member_fields[f],
				    group->members[i][member_fields[f].attr]);
		json_close(json, '}');
	}
	json_close(json, ']');
}

void group_print_json(struct json *json, const struct group *group)
{
	size_t f;

	json_open(json, NULL, '{');
	for (f = 0; f < ARRAY_SIZE(group_fields); f++)
		print_field(json, &group_fields[f],
			    group->attr[group_fields[f].attr]);
	members_print_json(json, group);
	json_close(json, '}');
}

/* --- text --- */

const char *time_text(uint64_t ns, char *text, size_t bytes)
{
	if (ns >= NS_PER_SECOND)
		snprintf(text, bytes, "%" PRIu64 ".%" PRIu64 "s",
			 ns / NS_PER_SECOND, ns / (NS_PER_SECOND / 10) % 10);
	else if (ns >= NS_PER_MS)
		snprintf(text, bytes, "%" PRIu64 "ms", ns / NS_PER_MS);
	else
		snprintf(text, bytes, "%" PRIu64 "us", ns / 1000);
	return text;
}

static const char *size_text(uint64_t size, char *text, size_t bytes)
{
	if (size >= 1 << 20)
		snprintf(text, bytes, "%" PRIu64 ".%" PRIu64 "M", size >> 20,
			 (size >> 10) % 1024 * 10 / 1024);
	else
		snprintf(text, bytes, "%" PRIu64 "K", (size + 1023) >> 10);
	return text;
}

/* Newest entry any member is known to hold. */
static uint64_t newest_op(const struct group *group)
{
	uint64_t op, newest = attr_u64(group->attr[VRSEQ_A_OP]);
	unsigned int i;

	for (i = 0; i < group->member_count; i++) {
		op = attr_u64(group->members[i][VRSEQ_A_MEMBER_OP]);
		if (op > newest)
			newest = op;
	}
	return newest;
}

uint64_t member_behind(const struct group *group, const struct nlattr *const *member)
{
	return newest_op(group) - attr_u64(member[VRSEQ_A_MEMBER_OP]);
}

static void member_print(const struct group *group,
			 const struct nlattr *const *attr)
{
	const struct nlattr *age = attr[VRSEQ_A_MEMBER_HEARD_AGE_NS];
	bool self = attr[VRSEQ_A_MEMBER_SELF];
	bool primary = attr[VRSEQ_A_MEMBER_PRIMARY];
	char text[32], endpoint[ENDPOINT_TEXT_BYTES];
	const struct nlattr *round_trip = attr[VRSEQ_A_MEMBER_ROUND_TRIP_NS];
	char behind[32] = "-", life[32] = "-";

	/* only a primary hears what the others hold; 0 is not to have heard it */
	if (attr_u64(attr[VRSEQ_A_MEMBER_OP]))
		snprintf(behind, sizeof(behind), "%" PRIu64 " behind",
			 member_behind(group, attr));
	if (attr_u64(attr[VRSEQ_A_MEMBER_INCARNATION]))
		snprintf(life, sizeof(life), "life %" PRIu64,
			 attr_u64(attr[VRSEQ_A_MEMBER_INCARNATION]));
	printf("  %-3" PRIu64 " %-21s  %-12s  %-11s  %-12s  %-7s  ",
	       attr_u64(attr[VRSEQ_A_MEMBER_ID]),
	       endpoint_text(attr[VRSEQ_A_MEMBER_ADDRESS_IPV4], attr[VRSEQ_A_MEMBER_PORT],
			     endpoint),
	       self && primary ? "self,primary" :
	       self ? "self" : primary ? "primary" : "-",
	       attr[VRSEQ_A_MEMBER_STATE] ?
			state_name(attr[VRSEQ_A_MEMBER_STATE]) : "-", behind, life);
	if (self)
		fputs("here", stdout);
	else if (age)
		printf("heard %s ago", time_text(attr_u64(age), text, sizeof(text)));
	else
		fputs("never heard", stdout);
	if (attr_u64(attr[VRSEQ_A_MEMBER_TRUST]) == VRSEQ_TRUST_OTHER_KEY)
		fputs(", HAS ANOTHER KEY", stdout);
	if (round_trip)
		printf(", round trip %s",
		       time_text(attr_u64(round_trip), text, sizeof(text)));
	if (attr[VRSEQ_A_MEMBER_WIRE] && attr_u64(attr[VRSEQ_A_MEMBER_WIRE]) < WIRE_NEWEST)
		printf(", wire %" PRIu64, attr_u64(attr[VRSEQ_A_MEMBER_WIRE]));
	putchar('\n');
}

void members_print(const struct group *group)
{
	unsigned int i;

	for (i = 0; i < group->member_count; i++)
		member_print(group, (const struct nlattr *const *)group->members[i]);
}

const char *group_headline(const struct group *group)
{
	switch (group_health(group)) {
	case EXIT_OK:
		return "READY";
	case EXIT_NO_QUORUM:
		return "NO QUORUM";
	case EXIT_NOT_YET:
		return attr_u64(group->attr[VRSEQ_A_STATE]) == VRSEQ_STATE_RECOVERING ?
			"RECOVERING" : "NOT FORMED";
	default:
		return "REFUSES";
	}
}

static void keys_print(const struct nlattr *const *attr)
{
	if (!attr[VRSEQ_A_KEY_TAG])
		return;
	printf("  key %02" PRIx64, attr_u64(attr[VRSEQ_A_KEY_TAG]));
	if (attr[VRSEQ_A_KEY_TAG_SECOND])
		printf(", second key %02" PRIx64, attr_u64(attr[VRSEQ_A_KEY_TAG_SECOND]));
	putchar('\n');
}

static void journal_print(const struct nlattr *const *attr)
{
	char text[32];

	if (!attr[VRSEQ_A_JOURNAL])
		return;
	printf("  journal %s  %s  writes %" PRIu64 "  fsyncs %" PRIu64,
	       attr_string(attr[VRSEQ_A_JOURNAL]),
	       size_text(attr_u64(attr[VRSEQ_A_JOURNAL_BYTES]), text, sizeof(text)),
	       attr_u64(attr[VRSEQ_A_JOURNAL_WRITES]), attr_u64(attr[VRSEQ_A_JOURNAL_FSYNCS]));
	if (attr[VRSEQ_A_JOURNAL_ERROR])
		printf("  FAILED: %s", strerror(attr_u64(attr[VRSEQ_A_JOURNAL_ERROR])));
	putchar('\n');
}

void messages_print(uint64_t first, uint64_t last)
{
	if (last && last >= first)
		printf("%" PRIu64 " to %" PRIu64 "\n", first, last);
	else
		puts("none");
}

static void clients_print(const struct nlattr *const *attr)
{
	char text[32];

	if (!attr_u64(attr[VRSEQ_A_CLIENTS_MAX]))
		return;
	printf("  clients %" PRIu64 " of %" PRIu64 "  node lease %s  leases ended %" PRIu64 "\n",
	       attr_u64(attr[VRSEQ_A_CLIENTS]), attr_u64(attr[VRSEQ_A_CLIENTS_MAX]),
	       time_text(attr_u64(attr[VRSEQ_A_NODE_LEASE_NS]), text, sizeof(text)),
	       attr_u64(attr[VRSEQ_A_NODE_ENDS]));
}

void group_print(const struct group *group)
{
	const struct nlattr *const *attr = (const struct nlattr *const *)group->attr;
	char a[32], b[32], c[32], endpoint[ENDPOINT_TEXT_BYTES], uuid[UUID_TEXT_BYTES];

	printf("group %s  %s/udp  view %" PRIu64 "  primary ", attr_string(attr[VRSEQ_A_NAME]),
	       endpoint_text(attr[VRSEQ_A_ADDRESS_IPV4], attr[VRSEQ_A_PORT], endpoint),
	       attr_u64(attr[VRSEQ_A_VIEW]));
	if (attr_u64(attr[VRSEQ_A_PRIMARY_ID]))
		printf("%" PRIu64, attr_u64(attr[VRSEQ_A_PRIMARY_ID]));
	else
		putchar('-');
	printf("  commit %" PRIu64 "  %s%s\n", attr_u64(attr[VRSEQ_A_COMMIT]),
	       group_headline(group), attr[VRSEQ_A_INSECURE] ? "  INSECURE" : "");
	if (*attr_string(attr[VRSEQ_A_STATUS_TEXT]))
		printf("  %s\n", attr_string(attr[VRSEQ_A_STATUS_TEXT]));
	members_print(group);
	keys_print(attr);
	printf("  quorum %" PRIu64 " of %u  generation %" PRIu64 "  files %" PRIu64 "  messages ",
	       attr_u64(attr[VRSEQ_A_QUORUM_COUNT]), group->member_count,
	       attr_u64(attr[VRSEQ_A_GENERATION]), attr_u64(attr[VRSEQ_A_FILES]));
	messages_print(attr_u64(attr[VRSEQ_A_SEQUENCE_FIRST]),
		       attr_u64(attr[VRSEQ_A_SEQUENCE_LAST]));
	printf("  memory %s: log of %" PRIu64 " entries in %s, %" PRIu64 " messages in %s, "
	       "each %" PRIu64 " at most\n",
	       size_text(attr_u64(attr[VRSEQ_A_MEMORY_BYTES]), a, sizeof(a)),
	       attr_u64(attr[VRSEQ_A_LOG_ENTRIES]),
	       size_text(attr_u64(attr[VRSEQ_A_LOG_BYTES]), b, sizeof(b)),
	       attr_u64(attr[VRSEQ_A_MESSAGES]),
	       size_text(attr_u64(attr[VRSEQ_A_MESSAGE_BYTES]), c, sizeof(c)),
	       attr_u64(attr[VRSEQ_A_RECORD_MAX]));
	printf("  incarnation %" PRIu64 "  checkpoint %" PRIu64 "  recoveries %" PRIu64
	       "  transfers %" PRIu64 "\n", attr_u64(attr[VRSEQ_A_INCARNATION]),
	       attr_u64(attr[VRSEQ_A_CHECKPOINT_OP]), attr_u64(attr[VRSEQ_A_RECOVERIES]),
	       attr_u64(attr[VRSEQ_A_TRANSFERS]));
	if (attr[VRSEQ_A_GID])
		printf("  gid %" PRIu64 "\n", attr_u64(attr[VRSEQ_A_GID]));
	if (attr[VRSEQ_A_RECORD])
		printf("  record %s\n", attr_string(attr[VRSEQ_A_RECORD]));
	journal_print(attr);
	clients_print(attr);
	if (attr[VRSEQ_A_WIRE] && attr_u64(attr[VRSEQ_A_WIRE]) < WIRE_NEWEST)
		printf("  wire %" PRIu64 "\n", attr_u64(attr[VRSEQ_A_WIRE]));
	printf("  heartbeat %s  view timeout %s  lease %s%s%s\n",
	       time_text(attr_u64(attr[VRSEQ_A_HEARTBEAT_NS]), a, sizeof(a)),
	       time_text(attr_u64(attr[VRSEQ_A_VIEW_TIMEOUT_NS]), b, sizeof(b)),
	       attr_u64(attr[VRSEQ_A_LEASE_NS]) ?
			time_text(attr_u64(attr[VRSEQ_A_LEASE_NS]), c, sizeof(c)) : "off",
	       attr[VRSEQ_A_UUID] ? "  uuid " : "",
	       attr[VRSEQ_A_UUID] ? uuid_text(attr[VRSEQ_A_UUID], uuid) : "");
}
