// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family of uapi/linux/vrseq_netlink.h: attributes in,
 * attributes out, a sentence for each refusal. Decides nothing but whether a
 * number is in its range.
 */
#include "netlink.h"

#include <linux/ctype.h>
#include <linux/key.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vrseq_netlink.h>
#include <keys/user-type.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "group.h"

#define HEARTBEAT_NS_MIN	NSEC_PER_MSEC
#define HEARTBEAT_NS_MAX	NSEC_PER_SEC
#define HEARTBEAT_NS		(20ull * NSEC_PER_MSEC)
#define VIEW_TIMEOUT_NS_MAX	(60ull * NSEC_PER_SEC)
#define VIEW_TIMEOUT_NS		(120ull * NSEC_PER_MSEC)
#define RECORD_MAX_MIN		64	/* a counter's name is one, too */
#define LOG_ENTRIES		SZ_64K
#define LOG_BYTES		SZ_4M
#define MESSAGES		SZ_16K
#define MESSAGE_BYTES		SZ_4M
#define NODE_LEASE_NS		(2ull * NSEC_PER_SEC)
#define NODE_LEASE_NS_MAX	(3600ull * NSEC_PER_SEC)

static_assert(VRSEQ_HALT_DISK == (int)VR_HALT_COUNT - 1);

static struct genl_family family;

/* ---- in --------------------------------------------------------------------- */

#define NAME_POLICY { .type = NLA_NUL_STRING, .len = VRSEQ_GROUP_NAME_BYTES - 1 }

#define KEY_NAME_POLICY { .type = NLA_NUL_STRING, .len = VRSEQ_KEY_NAME_BYTES - 1 }

static const struct nla_policy name_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
};

static const struct nla_policy group_add_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_SELF_ID] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_ADDRESS_IPV4] = NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[VRSEQ_A_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_INSECURE] = { .type = NLA_FLAG },
	[VRSEQ_A_HEARTBEAT_NS] = { .type = NLA_U64 },
	[VRSEQ_A_VIEW_TIMEOUT_NS] = { .type = NLA_U64 },
	[VRSEQ_A_LOG_ENTRIES] = { .type = NLA_U32 },
	[VRSEQ_A_LOG_BYTES] = { .type = NLA_U32 },
	[VRSEQ_A_MESSAGES] = { .type = NLA_U32 },
	[VRSEQ_A_MESSAGE_BYTES] = { .type = NLA_U32 },
	[VRSEQ_A_UUID] = NLA_POLICY_EXACT_LEN(UUID_SIZE),
	[VRSEQ_A_LEASE_NS] = { .type = NLA_U64 },
	[VRSEQ_A_RECORD_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_RECORD] = { .type = NLA_NUL_STRING, .len = VRSEQ_RECORD_PATH_BYTES - 1 },
	[VRSEQ_A_KEY] = NLA_POLICY_EXACT_LEN(VRSEQ_KEY_BYTES),
	[VRSEQ_A_KEY_NAME] = KEY_NAME_POLICY,
	[VRSEQ_A_ROLE] = { .type = NLA_U8 },
	[VRSEQ_A_CLIENTS_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_NODE_LEASE_NS] = { .type = NLA_U64 },
	[VRSEQ_A_FILES_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_ADDRESS_IPV6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[VRSEQ_A_GID] = { .type = NLA_U32 },
	[VRSEQ_A_WIRE] = { .type = NLA_U8 },
	[VRSEQ_A_JOURNAL] = { .type = NLA_NUL_STRING, .len = VRSEQ_JOURNAL_PATH_BYTES - 1 },
	[VRSEQ_A_JOURNAL_BYTES] = { .type = NLA_U64 },
};

static const struct nla_policy key_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_KEY] = NLA_POLICY_EXACT_LEN(VRSEQ_KEY_BYTES),
	[VRSEQ_A_KEY_NAME] = KEY_NAME_POLICY,
};

static const struct nla_policy group_form_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_GENERATION] = NLA_POLICY_MAX(NLA_U16, VR_GENERATION_MAX),
};

static const struct nla_policy member_policy[] = {
	[VRSEQ_A_MEMBER_ID] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_MEMBER_ADDRESS_IPV4] = NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[VRSEQ_A_MEMBER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_MEMBER_ROLE] = { .type = NLA_U8 },
	[VRSEQ_A_MEMBER_ADDRESS_IPV6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
};

static const struct nla_policy group_member_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_MEMBER] = NLA_POLICY_NESTED(member_policy),
};

static int refuse_missing(struct genl_info *info, const char *what)
{
	NL_SET_ERR_MSG_FMT(info->extack, "%s is missing", what);
	return -EINVAL;
}

static int refuse_range(struct genl_info *info, int attribute, const char *range)
{
	NL_SET_BAD_ATTR(info->extack, info->attrs[attribute]);
	NL_SET_ERR_MSG_FMT(info->extack, "%s", range);
	return -EINVAL;
}

/* The name of the group, or an error that has been explained. */
static const char *name_of(struct genl_info *info)
{
	const struct nlattr *attribute = info->attrs[VRSEQ_A_NAME];
	const char *name, *c;

	if (!attribute)
		return ERR_PTR(refuse_missing(info, "name"));
	name = nla_data(attribute);
	for (c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.-", *c)))
			break;
	}
	if (c == name || *c)
		return ERR_PTR(refuse_range(info, VRSEQ_A_NAME,
					    "name: 1 to 31 letters, digits and _ . -"));
	return name;
}

static int take_uuid(struct genl_info *info, struct vrseq_group_config *config)
{
	const struct nlattr *uuid = info->attrs[VRSEQ_A_UUID];

	if (!uuid) {
		vrseq_group_name_uuid(config->name, &config->uuid);
		return 0;
	}
	import_uuid(&config->uuid, nla_data(uuid));
	if (uuid_is_null(&config->uuid))
		return refuse_range(info, VRSEQ_A_UUID, "uuid: the one of all zeroes is nobody's");
	return 0;
}

static int take_times(struct genl_info *info, struct vrseq_group_config *config)
{
	struct nlattr **attrs = info->attrs;

	config->heartbeat_ns = HEARTBEAT_NS;
	if (attrs[VRSEQ_A_HEARTBEAT_NS])
		config->heartbeat_ns = nla_get_u64(attrs[VRSEQ_A_HEARTBEAT_NS]);
	if (config->heartbeat_ns < HEARTBEAT_NS_MIN || config->heartbeat_ns > HEARTBEAT_NS_MAX)
		return refuse_range(info, VRSEQ_A_HEARTBEAT_NS, "heartbeat: 1 ms to 1 s");

	config->view_timeout_ns = max_t(u64, VIEW_TIMEOUT_NS, 6 * config->heartbeat_ns);
	if (attrs[VRSEQ_A_VIEW_TIMEOUT_NS])
		config->view_timeout_ns = nla_get_u64(attrs[VRSEQ_A_VIEW_TIMEOUT_NS]);
	if (config->view_timeout_ns < 4 * config->heartbeat_ns ||
	    config->view_timeout_ns > VIEW_TIMEOUT_NS_MAX)
		return refuse_range(info, VRSEQ_A_VIEW_TIMEOUT_NS,
				    "view-timeout: 4 heartbeats to 60 s");

	if (attrs[VRSEQ_A_LEASE_NS])
		config->lease_ns = nla_get_u64(attrs[VRSEQ_A_LEASE_NS]);
	if (config->lease_ns > config->view_timeout_ns / 2) {
		refuse_range(info, VRSEQ_A_LEASE_NS, "lease: at most half of the view timeout");
		return -ERANGE;
	}
	return 0;
}

/* A number that is rounded up to a power of two. */
static int take_ring(struct genl_info *info, int attribute, u32 preset, u32 min, u32 max,
		     u32 *value, const char *range)
{
	*value = preset;
	if (!info->attrs[attribute])
		return 0;
	*value = nla_get_u32(info->attrs[attribute]);
	if (*value < min || *value > max)
		return refuse_range(info, attribute, range);
	*value = roundup_pow_of_two(*value);
	return 0;
}

static int take_rings(struct genl_info *info, struct vrseq_group_config *config)
{
	return take_ring(info, VRSEQ_A_RECORD_MAX, VR_BODY_BYTES_MAX, RECORD_MAX_MIN,
			 VR_BODY_BYTES_MAX, &config->record_max,
			 "record-max: 64 bytes to 8 KiB") ?:
	       take_ring(info, VRSEQ_A_LOG_ENTRIES, LOG_ENTRIES, VR_ENTRIES_MIN,
			 VRSEQ_RING_COUNT_MAX, &config->log_entries,
			 "log-entries: 256 to 1048576") ?:
	       take_ring(info, VRSEQ_A_LOG_BYTES, LOG_BYTES,
			 2 * VR_PIPELINE_MAX * config->record_max,
			 VRSEQ_RING_BYTES_MAX, &config->log_bytes,
			 "log-bytes: 128 times record-max to 256 MiB") ?:
	       take_ring(info, VRSEQ_A_MESSAGES, MESSAGES, 2,
			 VRSEQ_RING_COUNT_MAX, &config->messages,
			 "messages: 2 to 1048576") ?:
	       take_ring(info, VRSEQ_A_MESSAGE_BYTES, MESSAGE_BYTES, 2 * config->record_max,
			 VRSEQ_RING_BYTES_MAX, &config->message_bytes,
			 "message-bytes: twice record-max to 256 MiB");
}

/* A key of type logon: nobody can read it but the kernel. */
static int take_key_of_ring(struct genl_info *info, u8 *key)
{
	const char *name = nla_data(info->attrs[VRSEQ_A_KEY_NAME]);
	const struct user_key_payload *payload;
	struct key *found;
	int error = 0;

	found = request_key(&key_type_logon, name, NULL);
	if (IS_ERR(found)) {
		refuse_range(info, VRSEQ_A_KEY_NAME,
			     "key-name: no key of type logon with this description");
		return PTR_ERR(found);
	}
	down_read(&found->sem);
	payload = user_key_payload_locked(found);
	if (payload && payload->datalen == VRSEQ_KEY_BYTES)	/* none: it was revoked */
		memcpy(key, payload->data, VRSEQ_KEY_BYTES);
	else
		error = -EINVAL;
	up_read(&found->sem);
	key_put(found);
	if (error)
		refuse_range(info, VRSEQ_A_KEY_NAME, "key-name: a key of 32 bytes is needed");
	return error;
}

/* The key, wherever it is: 1 if there is one, 0 if none was given. To be wiped. */
static int take_key(struct genl_info *info, u8 *key)
{
	if (info->attrs[VRSEQ_A_KEY] && info->attrs[VRSEQ_A_KEY_NAME])
		return refuse_range(info, VRSEQ_A_KEY_NAME, "key: either bytes or a name");
	if (info->attrs[VRSEQ_A_KEY]) {
		memcpy(key, nla_data(info->attrs[VRSEQ_A_KEY]), VRSEQ_KEY_BYTES);
		/* The message lives on in the socket's buffers: not with the key in it. */
		memzero_explicit(nla_data(info->attrs[VRSEQ_A_KEY]), VRSEQ_KEY_BYTES);
		if (memchr_inv(key, 0, VRSEQ_KEY_BYTES))
			return 1;
		return refuse_range(info, VRSEQ_A_KEY, "key: all zeroes is none");
	}
	if (info->attrs[VRSEQ_A_KEY_NAME])
		return take_key_of_ring(info, key) ?: 1;
	return 0;
}

static int take_security(struct genl_info *info, struct vrseq_group_config *config, u8 *key)
{
	bool insecure = nla_get_flag(info->attrs[VRSEQ_A_INSECURE]);
	int has_key = take_key(info, key);

	if (has_key < 0)
		return has_key;
	if (has_key && insecure)
		return refuse_range(info, VRSEQ_A_INSECURE,
				    "insecure: with a key the group is not");
	if (!has_key && !insecure) {
		NL_SET_ERR_MSG(info->extack,
			       "a group without a key must be created with the word insecure");
		return -EINVAL;
	}
	config->secure = has_key;
	return 0;
}

static int take_journal(struct genl_info *info, struct vrseq_group_config *config)
{
	struct nlattr **attrs = info->attrs;

	if (attrs[VRSEQ_A_JOURNAL])
		nla_strscpy(config->journal, attrs[VRSEQ_A_JOURNAL], sizeof(config->journal));
	if (attrs[VRSEQ_A_JOURNAL] && !*config->journal)
		return refuse_range(info, VRSEQ_A_JOURNAL, "journal: a path is needed");
	/* What each of them would have to say of the other nobody has shown yet. */
	if (*config->record && *config->journal)
		return refuse_range(info, VRSEQ_A_RECORD,
				    "record: not beside a journal in this version");
	if (config->client && *config->journal)
		return refuse_range(info, VRSEQ_A_JOURNAL,
				    "journal: a client has nothing that one could keep");
	if (!attrs[VRSEQ_A_JOURNAL_BYTES])
		return 0;
	config->journal_bytes = nla_get_u64(attrs[VRSEQ_A_JOURNAL_BYTES]);
	if (!*config->journal)
		return refuse_range(info, VRSEQ_A_JOURNAL_BYTES,
				    "journal-size: there is no journal");
	if (!config->journal_bytes || config->journal_bytes > VRSEQ_JOURNAL_BYTES_MAX)
		return refuse_range(info, VRSEQ_A_JOURNAL_BYTES, "journal-size: at most 1 TiB");
	return 0;
}

/* What there are clients for, or what makes us one. */
static int take_clients(struct genl_info *info, struct vrseq_group_config *config)
{
	struct nlattr **attrs = info->attrs;
	u8 role = attrs[VRSEQ_A_ROLE] ? nla_get_u8(attrs[VRSEQ_A_ROLE]) : VRSEQ_ROLE_VOTER;

	if (role != VRSEQ_ROLE_VOTER && role != VRSEQ_ROLE_CLIENT)
		return refuse_range(info, VRSEQ_A_ROLE, "role: voter or client");
	config->client = role == VRSEQ_ROLE_CLIENT;
	if (config->client && *config->record)
		return refuse_range(info, VRSEQ_A_RECORD,
				    "record: a client has nothing that one could keep");
	if (config->client && !vr_is_client(config->self_id))
		return refuse_range(info, VRSEQ_A_SELF_ID, "self: the id of a client is 8 or more");

	config->files_max = VRSEQ_FILES_MAX;
	if (attrs[VRSEQ_A_FILES_MAX])
		config->files_max = nla_get_u32(attrs[VRSEQ_A_FILES_MAX]);
	if (!config->files_max || config->files_max > VRSEQ_FILES_MAX)
		return refuse_range(info, VRSEQ_A_FILES_MAX, "files: 1 to 256");

	if (attrs[VRSEQ_A_CLIENTS_MAX])
		config->clients_max = nla_get_u32(attrs[VRSEQ_A_CLIENTS_MAX]);
	if (config->clients_max > (config->client ? 0 : VRSEQ_CLIENTS_MAX))
		return refuse_range(info, VRSEQ_A_CLIENTS_MAX,
				    config->client ? "clients: a client serves none" :
						     "clients: at most 4096");

	config->node_lease_ns = max(NODE_LEASE_NS, config->view_timeout_ns);
	if (attrs[VRSEQ_A_NODE_LEASE_NS])
		config->node_lease_ns = nla_get_u64(attrs[VRSEQ_A_NODE_LEASE_NS]);
	if (config->node_lease_ns < config->view_timeout_ns ||
	    config->node_lease_ns > NODE_LEASE_NS_MAX)
		return refuse_range(info, VRSEQ_A_NODE_LEASE_NS,
				    "node-lease: a view timeout to 1 h");
	return 0;
}

static int take_gid(struct genl_info *info, struct vrseq_group_config *config)
{
	if (!info->attrs[VRSEQ_A_GID])
		return 0;
	config->restricted = true;
	config->gid = make_kgid(current_user_ns(), nla_get_u32(info->attrs[VRSEQ_A_GID]));
	if (!gid_valid(config->gid))
		return refuse_range(info, VRSEQ_A_GID, "gid: no Unix group can have this number");
	return 0;
}

/* Held at an older one, until all members are of this module or while none is any more. */
static int take_wire(struct genl_info *info, struct vrseq_group_config *config)
{
	config->wire_version = VR_WIRE_VERSION;
	if (info->attrs[VRSEQ_A_WIRE])
		config->wire_version = nla_get_u8(info->attrs[VRSEQ_A_WIRE]);
	if (config->wire_version < VR_WIRE_VERSION_MIN || config->wire_version > VR_WIRE_VERSION)
		return refuse_range(info, VRSEQ_A_WIRE, "wire: 4 or 5");
	if (config->client && config->wire_version < VR_WIRE_VERSION_CLIENTS)
		return refuse_range(info, VRSEQ_A_WIRE, "wire: version 4 knows no clients");
	return 0;
}

static int group_add(struct sk_buff *skb, struct genl_info *info)
{
	struct vrseq_group_config config = { .self_id = 0 };
	u8 key[VRSEQ_KEY_BYTES];
	struct nlattr **attrs = info->attrs;
	const char *name = name_of(info);
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	if (!attrs[VRSEQ_A_SELF_ID])
		return refuse_missing(info, "self: the id of this member");
	if ((!attrs[VRSEQ_A_ADDRESS_IPV4] && !attrs[VRSEQ_A_ADDRESS_IPV6]) || !attrs[VRSEQ_A_PORT])
		return refuse_missing(info, "listen: an address and a port");
	strscpy(config.name, name, sizeof(config.name));
	if (attrs[VRSEQ_A_RECORD])
		nla_strscpy(config.record, attrs[VRSEQ_A_RECORD], sizeof(config.record));
	config.self_id = nla_get_u16(attrs[VRSEQ_A_SELF_ID]);
	error = vrseq_endpoint_take(&config.listen, attrs[VRSEQ_A_ADDRESS_IPV4],
				    attrs[VRSEQ_A_ADDRESS_IPV6], attrs[VRSEQ_A_PORT],
				    info->extack) ?:
		take_uuid(info, &config) ?:
		take_times(info, &config) ?:
		take_clients(info, &config) ?:
		take_gid(info, &config) ?:
		take_wire(info, &config) ?:
		take_journal(info, &config) ?:
		take_rings(info, &config) ?:
		take_security(info, &config, key) ?:
		vrseq_group_add(genl_info_net(info), &config, key, info->extack);
	memzero_explicit(key, sizeof(key));
	return error;
}

static int key_set(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);
	u8 key[VRSEQ_KEY_BYTES];
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = take_key(info, key);
	if (!error)
		error = refuse_missing(info, "key, or its name");
	if (error > 0)
		error = vrseq_group_set_key(genl_info_net(info), name, key, info->extack);
	memzero_explicit(key, sizeof(key));
	return error;
}

static int key_swap(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_swap_keys(genl_info_net(info), name, info->extack);
}

static int key_del(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_set_key(genl_info_net(info), name, NULL, info->extack);
}

static int group_del(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_del(genl_info_net(info), name, info->extack);
}

static int group_resign(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_resign(genl_info_net(info), name, info->extack);
}

static int group_reform(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_reform(genl_info_net(info), name, info->extack);
}

static int group_form(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *generation = info->attrs[VRSEQ_A_GENERATION];
	const char *name = name_of(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_form(genl_info_net(info), name,
				generation ? nla_get_u16(generation) : 0, info->extack);
}

static int parse_member(struct genl_info *info, struct nlattr **attrs)
{
	if (!info->attrs[VRSEQ_A_MEMBER])
		return refuse_missing(info, "member");
	if (nla_parse_nested(attrs, ARRAY_SIZE(member_policy) - 1, info->attrs[VRSEQ_A_MEMBER],
			     member_policy, info->extack))
		return -EINVAL;
	if (!attrs[VRSEQ_A_MEMBER_ID])
		return refuse_missing(info, "member id");
	return 0;
}

static int member_add(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(member_policy)];
	const char *name = name_of(info);
	struct vrseq_member member = { .role = VRSEQ_ROLE_VOTER };
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = parse_member(info, attrs);
	if (error)
		return error;
	if ((!attrs[VRSEQ_A_MEMBER_ADDRESS_IPV4] && !attrs[VRSEQ_A_MEMBER_ADDRESS_IPV6]) ||
	    !attrs[VRSEQ_A_MEMBER_PORT])
		return refuse_missing(info, "member: its address and port");
	if (attrs[VRSEQ_A_MEMBER_ROLE])
		member.role = nla_get_u8(attrs[VRSEQ_A_MEMBER_ROLE]);
	if (member.role != VRSEQ_ROLE_VOTER && member.role != VRSEQ_ROLE_CLIENT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[VRSEQ_A_MEMBER_ROLE],
				    "member role: voter or client");
		return -EOPNOTSUPP;
	}
	member.id = nla_get_u16(attrs[VRSEQ_A_MEMBER_ID]);
	error = vrseq_endpoint_take(&member.endpoint, attrs[VRSEQ_A_MEMBER_ADDRESS_IPV4],
				    attrs[VRSEQ_A_MEMBER_ADDRESS_IPV6],
				    attrs[VRSEQ_A_MEMBER_PORT], info->extack);
	if (error)
		return error;
	return vrseq_member_add(genl_info_net(info), name, &member, info->extack);
}

static int member_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(member_policy)];
	const char *name = name_of(info);
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = parse_member(info, attrs);
	if (error)
		return error;
	return vrseq_member_del(genl_info_net(info), name,
				nla_get_u16(attrs[VRSEQ_A_MEMBER_ID]), info->extack);
}

/* ---- out -------------------------------------------------------------------- */

static int put_u64(struct sk_buff *skb, int attribute, u64 value)
{
	return nla_put_u64_64bit(skb, attribute, value, VRSEQ_A_PAD);
}

/* What tells keys apart, so that people can compare; never the keys. */
static int put_keys(struct sk_buff *skb, struct vrseq_group *group)
{
	static const int attributes[VRSEQ_KEYS] = { VRSEQ_A_KEY_TAG, VRSEQ_A_KEY_TAG_SECOND };
	int slot, error = 0;
	u8 tag;

	if (!group->config.secure)
		return nla_put_flag(skb, VRSEQ_A_INSECURE);
	for (slot = 0; slot < VRSEQ_KEYS && !error; slot++) {
		if (vrseq_auth_has_key(&group->engine.udp.auth, slot, &tag))
			error = nla_put_u8(skb, attributes[slot], tag);
	}
	return error;
}

static int put_journal(struct sk_buff *skb, struct vrseq_group *group,
		       const struct vrseq_snapshot *look)
{
	const struct vrseq_journal_state *journal = &look->journal;

	if (!*group->config.journal)
		return 0;
	return nla_put_string(skb, VRSEQ_A_JOURNAL, group->config.journal) ?:
	       put_u64(skb, VRSEQ_A_JOURNAL_BYTES, journal->bytes) ?:
	       put_u64(skb, VRSEQ_A_JOURNAL_WRITES, journal->writes) ?:
	       put_u64(skb, VRSEQ_A_JOURNAL_FSYNCS, journal->fsyncs) ?:
	       (journal->error ? nla_put_u32(skb, VRSEQ_A_JOURNAL_ERROR, -journal->error) : 0);
}

static int put_config(struct sk_buff *skb, struct vrseq_group *group)
{
	const struct vrseq_group_config *config = &group->config;

	return nla_put_string(skb, VRSEQ_A_NAME, config->name) ?:
	       nla_put(skb, VRSEQ_A_UUID, UUID_SIZE, &config->uuid) ?:
	       nla_put_u16(skb, VRSEQ_A_SELF_ID, config->self_id) ?:
	       vrseq_endpoint_put(skb, &config->listen, VRSEQ_A_ADDRESS_IPV4,
				  VRSEQ_A_ADDRESS_IPV6, VRSEQ_A_PORT) ?:
	       put_keys(skb, group) ?:
	       (*config->record ? nla_put_string(skb, VRSEQ_A_RECORD, config->record) : 0) ?:
	       put_u64(skb, VRSEQ_A_HEARTBEAT_NS, config->heartbeat_ns) ?:
	       put_u64(skb, VRSEQ_A_VIEW_TIMEOUT_NS, config->view_timeout_ns) ?:
	       put_u64(skb, VRSEQ_A_LEASE_NS, config->lease_ns) ?:
	       nla_put_u32(skb, VRSEQ_A_RECORD_MAX, config->record_max) ?:
	       nla_put_u32(skb, VRSEQ_A_LOG_ENTRIES, config->log_entries) ?:
	       nla_put_u32(skb, VRSEQ_A_LOG_BYTES, config->log_bytes) ?:
	       nla_put_u32(skb, VRSEQ_A_MESSAGES, config->messages) ?:
	       nla_put_u32(skb, VRSEQ_A_MESSAGE_BYTES, config->message_bytes) ?:
	       nla_put_u8(skb, VRSEQ_A_ROLE, config->client ? VRSEQ_ROLE_CLIENT :
							      VRSEQ_ROLE_VOTER) ?:
	       nla_put_u32(skb, VRSEQ_A_FILES_MAX, config->files_max) ?:
	       (config->restricted ?
			nla_put_u32(skb, VRSEQ_A_GID,
				    from_kgid_munged(current_user_ns(), config->gid)) : 0) ?:
	       nla_put_u8(skb, VRSEQ_A_WIRE, config->wire_version) ?:
	       nla_put_u32(skb, VRSEQ_A_CLIENTS_MAX, config->clients_max) ?:
	       put_u64(skb, VRSEQ_A_MEMORY_BYTES, vrseq_group_memory_bytes(group));
}

static int put_state(struct sk_buff *skb, const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;
	u16 primary = info->primary == VR_NOBODY ? 0 : look->members[info->primary].id;

	return nla_put_u32(skb, VRSEQ_A_CLIENTS, look->client_count) ?:
	       put_u64(skb, VRSEQ_A_NODE_LEASE_NS, info->node_lease_ns) ?:
	       put_u64(skb, VRSEQ_A_NODE_ENDS, info->node_ends) ?:
	       nla_put_u16(skb, VRSEQ_A_GENERATION, info->generation) ?:
	       nla_put_u8(skb, VRSEQ_A_STATE, info->status) ?:
	       nla_put_string(skb, VRSEQ_A_STATUS_TEXT, look->text) ?:
	       nla_put_u8(skb, VRSEQ_A_HAS_QUORUM, info->has_quorum) ?:
	       nla_put_u8(skb, VRSEQ_A_QUORUM_COUNT, info->quorum) ?:
	       put_u64(skb, VRSEQ_A_VIEW, info->view) ?:
	       put_u64(skb, VRSEQ_A_LAST_NORMAL_VIEW, info->last_normal_view) ?:
	       nla_put_u16(skb, VRSEQ_A_PRIMARY_ID, primary) ?:
	       put_u64(skb, VRSEQ_A_OP, info->op) ?:
	       put_u64(skb, VRSEQ_A_COMMIT, info->commit) ?:
	       put_u64(skb, VRSEQ_A_COMMIT_HASH, info->commit_hash) ?:
	       put_u64(skb, VRSEQ_A_SEQUENCE_FIRST, info->sequence_first) ?:
	       put_u64(skb, VRSEQ_A_SEQUENCE_LAST, info->sequence_last) ?:
	       put_u64(skb, VRSEQ_A_INCARNATION, info->incarnation) ?:
	       put_u64(skb, VRSEQ_A_CHECKPOINT_OP, info->checkpoint_op) ?:
	       put_u64(skb, VRSEQ_A_RECOVERIES, info->recoveries) ?:
	       put_u64(skb, VRSEQ_A_TRANSFERS, info->transfers) ?:
	       (info->halt ? nla_put_u8(skb, VRSEQ_A_HALT, info->halt) : 0) ?:
	       (info->keeps_record ?
		nla_put_u32(skb, VRSEQ_A_RECORD_ERROR, -info->record_error) : 0);
}

static int put_member_u64(struct sk_buff *skb, int attribute, u64 value)
{
	return nla_put_u64_64bit(skb, attribute, value, VRSEQ_A_MEMBER_PAD);
}

static int put_heard(struct sk_buff *skb, const struct vrseq_snapshot *look, u8 slot)
{
	const struct vr_peer_info *peer = &look->info.peers[slot];
	u64 age_ns = slot == look->self ? 0 : look->now_ns - peer->heard_ns;

	if (!peer->heard_ns || peer->status == VR_STATUS_COUNT)
		return 0;
	return nla_put_u8(skb, VRSEQ_A_MEMBER_STATE, peer->status) ?:
	       put_member_u64(skb, VRSEQ_A_MEMBER_HEARD_AGE_NS, age_ns);
}

static int put_member(struct sk_buff *skb, const struct vrseq_snapshot *look, u8 slot)
{
	const struct vr_peer_info *peer = &look->info.peers[slot];
	const struct vrseq_member *member = &look->members[slot];
	struct nlattr *nest = nla_nest_start(skb, VRSEQ_A_MEMBER);

	if (!nest)
		return -EMSGSIZE;
	if (nla_put_u16(skb, VRSEQ_A_MEMBER_ID, member->id) ||
	    vrseq_endpoint_put(skb, &member->endpoint, VRSEQ_A_MEMBER_ADDRESS_IPV4,
			       VRSEQ_A_MEMBER_ADDRESS_IPV6, VRSEQ_A_MEMBER_PORT) ||
	    nla_put_u8(skb, VRSEQ_A_MEMBER_ROLE, member->role) ||
	    (slot == look->self && nla_put_flag(skb, VRSEQ_A_MEMBER_SELF)) ||
	    (slot == look->info.primary && nla_put_flag(skb, VRSEQ_A_MEMBER_PRIMARY)) ||
	    (look->info.recorded_mask & BIT(slot) &&
	     nla_put_flag(skb, VRSEQ_A_MEMBER_RECORDED)) ||
	    (look->info.peers[slot].members_differ &&
	     nla_put_flag(skb, VRSEQ_A_MEMBER_DIFFERS)) ||
	    nla_put_u8(skb, VRSEQ_A_MEMBER_TRUST, look->trust[slot]) ||
	    put_heard(skb, look, slot) ||
	    (peer->version && nla_put_u8(skb, VRSEQ_A_MEMBER_WIRE, peer->version)) ||
	    put_member_u64(skb, VRSEQ_A_MEMBER_OP, peer->op) ||
	    put_member_u64(skb, VRSEQ_A_MEMBER_INCARNATION, peer->incarnation) ||
	    (peer->round_trip_ns &&
	     put_member_u64(skb, VRSEQ_A_MEMBER_ROUND_TRIP_NS, peer->round_trip_ns)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_group(struct sk_buff *skb, struct vrseq_group *group,
		     const struct vrseq_snapshot *look)
{
	u8 slot;

	if (put_config(skb, group) || put_journal(skb, group, look) || put_state(skb, look) ||
	    nla_put_u32(skb, VRSEQ_A_FILES, READ_ONCE(group->file_count)))
		return -EMSGSIZE;
	for (slot = 0; slot < look->member_count; slot++) {
		if (put_member(skb, look, slot))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_stat(struct sk_buff *skb, const char *prefix, const char *name, u64 value)
{
	struct nlattr *nest = nla_nest_start(skb, VRSEQ_A_STAT);
	char text[64], *c;

	if (!nest)
		return -EMSGSIZE;
	scnprintf(text, sizeof(text), "%s%s", prefix, name);
	for (c = text; *c; c++)
		*c = isalnum(*c) ? tolower(*c) : '_';
	if (nla_put_string(skb, VRSEQ_A_STAT_NAME, text) ||
	    nla_put_u64_64bit(skb, VRSEQ_A_STAT_VALUE, value, VRSEQ_A_STAT_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_stats(struct sk_buff *skb, struct vrseq_group *group,
		     const struct vrseq_snapshot *look)
{
	static const char * const names[VRSEQ_STAT_COUNT] = {
		[VRSEQ_STAT_DROP_ADDRESS] = "drop_address",
		[VRSEQ_STAT_DROP_SIZE] = "drop_size",
		[VRSEQ_STAT_DROP_NO_MEMORY] = "drop_no_memory",
		[VRSEQ_STAT_SEND_NO_MEMORY] = "send_no_memory",
		[VRSEQ_STAT_SEND_NO_ROUTE] = "send_no_route",
		[VRSEQ_STAT_SEND_NO_PEER] = "send_no_peer",
		[VRSEQ_STAT_TIMER_LATE] = "timer_late",
		[VRSEQ_STAT_READER_OVERRUN] = "reader_overrun",
		[VRSEQ_STAT_DEMOTED_ROLLBACK] = "demoted_rollback",
		[VRSEQ_STAT_DEMOTED_GAP] = "demoted_gap",
		[VRSEQ_STAT_DEMOTED_SLEEP] = "demoted_sleep",
		[VRSEQ_STAT_SEND_NO_SESSION] = "send_no_session",
		[VRSEQ_STAT_HELLO_SENT] = "hello_sent",
		[VRSEQ_STAT_HELLO_ANSWERED] = "hello_answered",
		[VRSEQ_STAT_DROP_ENVELOPE] = "drop_envelope",
		[VRSEQ_STAT_DROP_KEY] = "drop_key",
		[VRSEQ_STAT_DROP_SESSION] = "drop_session",
		[VRSEQ_STAT_DROP_FORGED] = "drop_forged",
		[VRSEQ_STAT_DROP_REPLAY] = "drop_replay",
		[VRSEQ_STAT_DROP_BUSY] = "drop_busy",
	};
	const struct vr_info *info = &look->info;
	int error = nla_put_string(skb, VRSEQ_A_NAME, group->config.name);
	u32 i;

	error = error ?: put_stat(skb, "", "view_changes", info->view_changes) ?:
			 put_stat(skb, "", "recoveries", info->recoveries) ?:
			 put_stat(skb, "", "checkpoints", info->checkpoints) ?:
			 put_stat(skb, "", "transfers", info->transfers) ?:
			 put_stat(skb, "", "cold_starts", info->cold_starts) ?:
			 put_stat(skb, "", "record_writes", info->record_writes) ?:
			 put_stat(skb, "", "journal_writes", look->journal.writes) ?:
			 put_stat(skb, "", "journal_fsyncs", look->journal.fsyncs) ?:
			 put_stat(skb, "", "journal_bytes", look->journal.bytes_written);
	for (i = 1; i < VR_TYPE_COUNT && !error; i++)
		error = put_stat(skb, "sent_", vr_type_name(i), info->sent[i]);
	for (i = 1; i < VR_TYPE_COUNT && !error; i++)
		error = put_stat(skb, "received_", vr_type_name(i), info->received[i]);
	for (i = VR_DROP_NONE + 1; i < VR_DROP_COUNT && !error; i++)
		error = put_stat(skb, "drop_", vr_drop_name(i), info->drops[i]);
	for (i = 0; i < VRSEQ_STAT_COUNT && !error; i++)
		error = put_stat(skb, "", names[i],
				 atomic64_read(&group->engine.stats.value[i]));
	return error;
}

typedef int (*put_fn)(struct sk_buff *skb, struct vrseq_group *group,
		      const struct vrseq_snapshot *look);

static int put_reply(struct sk_buff *skb, u32 portid, u32 seq, int flags, u8 command,
		     struct vrseq_group *group, put_fn put)
{
	struct vrseq_snapshot *look = kmalloc(sizeof(*look), GFP_KERNEL);
	void *head = genlmsg_put(skb, portid, seq, &family, flags, command);
	int error = -EMSGSIZE;

	if (!look)
		error = -ENOMEM;
	else if (head)
		error = vrseq_group_look(group, look) ?: put(skb, group, look);
	if (!error)
		genlmsg_end(skb, head);
	else if (head)
		genlmsg_cancel(skb, head);
	kfree(look);
	return error;
}

static int get(struct genl_info *info, put_fn put)
{
	const char *name = name_of(info);
	struct vrseq_group *group;
	struct sk_buff *skb;
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	group = vrseq_group_get(genl_info_net(info), name, 0);
	if (!group) {
		NL_SET_ERR_MSG(info->extack, "name: no such group in this network namespace");
		return -ENOENT;
	}
	error = -ENOMEM;
	skb = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	if (skb)
		error = put_reply(skb, info->snd_portid, info->snd_seq, 0,
				  info->genlhdr->cmd, group, put);
	vrseq_group_put(group);
	if (!error)
		return genlmsg_reply(skb, info);
	nlmsg_free(skb);
	NL_SET_ERR_MSG(info->extack, "the group is being deleted, or there is no memory");
	return error;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb, u8 command, put_fn put)
{
	struct vrseq_group *group;
	int error;

	while ((group = vrseq_group_get(sock_net(skb->sk), NULL, cb->args[0]))) {
		error = put_reply(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				  NLM_F_MULTI, command, group, put);
		vrseq_group_put(group);
		if (error == -EMSGSIZE)
			return skb->len ?: error;
		if (error && error != -ENETDOWN)
			return error;
		cb->args[0]++;
	}
	return skb->len;
}

static int group_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, put_group);
}

static int group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, VRSEQ_CMD_GROUP_GET, put_group);
}

static int stats_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, put_stats);
}

static int stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, VRSEQ_CMD_STATS_GET, put_stats);
}

/* ---- the family ------------------------------------------------------------- */

static const struct genl_ops ops[] = {
	{
		.cmd = VRSEQ_CMD_GROUP_ADD,
		.flags = GENL_ADMIN_PERM,
		.doit = group_add,
		.policy = group_add_policy,
		.maxattr = ARRAY_SIZE(group_add_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = group_del,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_FORM,
		.flags = GENL_ADMIN_PERM,
		.doit = group_form,
		.policy = group_form_policy,
		.maxattr = ARRAY_SIZE(group_form_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_GET,
		.doit = group_get,
		.dumpit = group_dump,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_MEMBER_ADD,
		.flags = GENL_ADMIN_PERM,
		.doit = member_add,
		.policy = group_member_policy,
		.maxattr = ARRAY_SIZE(group_member_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_MEMBER_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = member_del,
		.policy = group_member_policy,
		.maxattr = ARRAY_SIZE(group_member_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_STATS_GET,
		.doit = stats_get,
		.dumpit = stats_dump,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_RESIGN,
		.flags = GENL_ADMIN_PERM,
		.doit = group_resign,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_REFORM,
		.flags = GENL_ADMIN_PERM,
		.doit = group_reform,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_SET,
		.flags = GENL_ADMIN_PERM,
		.doit = key_set,
		.policy = key_policy,
		.maxattr = ARRAY_SIZE(key_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_SWAP,
		.flags = GENL_ADMIN_PERM,
		.doit = key_swap,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = key_del,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	},
};

static struct genl_family family __ro_after_init = {
	.name = VRSEQ_GENL_NAME,
	.version = VRSEQ_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

/** vrseq_netlink_init - register the family */
int __init vrseq_netlink_init(void)
{
	return genl_register_family(&family);
}

/** vrseq_netlink_exit - waits for the commands under way */
void vrseq_netlink_exit(void)
{
	genl_unregister_family(&family);
}
