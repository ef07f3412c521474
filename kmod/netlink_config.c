// SPDX-License-Identifier: GPL-2.0
/*
 * What GROUP_ADD says of a group: each attribute taken, held to its range, or given its
 * preset. Keys are taken here, wherever they come from, and kept nowhere.
 */
#include "netlink_private.h"

#include <linux/key.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/vrseq_netlink.h>
#include <keys/user-type.h>
#include <net/genetlink.h>

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

static int take_uuid(struct genl_info *info, struct vrseq_group_config *config)
{
	const struct nlattr *uuid = info->attrs[VRSEQ_A_UUID];

	if (!uuid) {
		vrseq_group_name_uuid(config->name, &config->uuid);
		return 0;
	}
	import_uuid(&config->uuid, nla_data(uuid));
	if (uuid_is_null(&config->uuid))
		return vrseq_netlink_refuse(info, VRSEQ_A_UUID, "uuid: the one of all zeroes is nobody's");
	return 0;
}

static int take_times(struct genl_info *info, struct vrseq_group_config *config)
{
	struct nlattr **attrs = info->attrs;

	config->heartbeat_ns = HEARTBEAT_NS;
	if (attrs[VRSEQ_A_HEARTBEAT_NS])
		config->heartbeat_ns = nla_get_u64(attrs[VRSEQ_A_HEARTBEAT_NS]);
	if (config->heartbeat_ns < HEARTBEAT_NS_MIN || config->heartbeat_ns > HEARTBEAT_NS_MAX)
		return vrseq_netlink_refuse(info, VRSEQ_A_HEARTBEAT_NS, "heartbeat: 1 ms to 1 s");

	config->view_timeout_ns = max_t(u64, VIEW_TIMEOUT_NS, 6 * config->heartbeat_ns);
	if (attrs[VRSEQ_A_VIEW_TIMEOUT_NS])
		config->view_timeout_ns = nla_get_u64(attrs[VRSEQ_A_VIEW_TIMEOUT_NS]);
	if (config->view_timeout_ns < 4 * config->heartbeat_ns ||
	    config->view_timeout_ns > VIEW_TIMEOUT_NS_MAX)
		return vrseq_netlink_refuse(info, VRSEQ_A_VIEW_TIMEOUT_NS,
					    "view-timeout: 4 heartbeats to 60 s");

	if (attrs[VRSEQ_A_LEASE_NS])
		config->lease_ns = nla_get_u64(attrs[VRSEQ_A_LEASE_NS]);
	if (config->lease_ns > config->view_timeout_ns / 2) {
		vrseq_netlink_refuse(info, VRSEQ_A_LEASE_NS, "lease: at most half of the view timeout");
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
		return vrseq_netlink_refuse(info, attribute, range);
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
		vrseq_netlink_refuse(info, VRSEQ_A_KEY_NAME,
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
		vrseq_netlink_refuse(info, VRSEQ_A_KEY_NAME, "key-name: a key of 32 bytes is needed");
	return error;
}

/**
 * vrseq_netlink_take_key - the key, wherever it is
 * @info:	request
 * @key:	receives VRSEQ_KEY_BYTES, to be wiped
 *
 * Return: 1 if there is one, 0 if none was given, or an error that has been explained.
 */
int vrseq_netlink_take_key(struct genl_info *info, u8 *key)
{
	if (info->attrs[VRSEQ_A_KEY] && info->attrs[VRSEQ_A_KEY_NAME])
		return vrseq_netlink_refuse(info, VRSEQ_A_KEY_NAME, "key: either bytes or a name");
	if (info->attrs[VRSEQ_A_KEY]) {
		memcpy(key, nla_data(info->attrs[VRSEQ_A_KEY]), VRSEQ_KEY_BYTES);
		/* The message lives on in the socket's buffers: not with the key in it. */
		memzero_explicit(nla_data(info->attrs[VRSEQ_A_KEY]), VRSEQ_KEY_BYTES);
		if (memchr_inv(key, 0, VRSEQ_KEY_BYTES))
			return 1;
		return vrseq_netlink_refuse(info, VRSEQ_A_KEY, "key: all zeroes is none");
	}
	if (info->attrs[VRSEQ_A_KEY_NAME])
		return take_key_of_ring(info, key) ?: 1;
	return 0;
}

static int take_security(struct genl_info *info, struct vrseq_group_config *config, u8 *key)
{
	bool insecure = nla_get_flag(info->attrs[VRSEQ_A_INSECURE]);
	int has_key = vrseq_netlink_take_key(info, key);

	if (has_key < 0)
		return has_key;
	if (has_key && insecure)
		return vrseq_netlink_refuse(info, VRSEQ_A_INSECURE,
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
		return vrseq_netlink_refuse(info, VRSEQ_A_JOURNAL, "journal: a path is needed");
	/* What each of them would have to say of the other nobody has shown yet. */
	if (*config->record && *config->journal)
		return vrseq_netlink_refuse(info, VRSEQ_A_RECORD,
					    "record: not beside a journal in this version");
	if (config->client && *config->journal)
		return vrseq_netlink_refuse(info, VRSEQ_A_JOURNAL,
					    "journal: a client has nothing that one could keep");
	if (!attrs[VRSEQ_A_JOURNAL_BYTES])
		return 0;
	config->journal_bytes = nla_get_u64(attrs[VRSEQ_A_JOURNAL_BYTES]);
	if (!*config->journal)
		return vrseq_netlink_refuse(info, VRSEQ_A_JOURNAL_BYTES,
					    "journal-size: there is no journal");
	if (!config->journal_bytes || config->journal_bytes > VRSEQ_JOURNAL_BYTES_MAX)
		return vrseq_netlink_refuse(info, VRSEQ_A_JOURNAL_BYTES, "journal-size: at most 1 TiB");
	return 0;
}

/* What there are clients for, or what makes us one. */
static int take_clients(struct genl_info *info, struct vrseq_group_config *config)
{
	struct nlattr **attrs = info->attrs;
	u8 role = attrs[VRSEQ_A_ROLE] ? nla_get_u8(attrs[VRSEQ_A_ROLE]) : VRSEQ_ROLE_VOTER;

	if (role != VRSEQ_ROLE_VOTER && role != VRSEQ_ROLE_CLIENT)
		return vrseq_netlink_refuse(info, VRSEQ_A_ROLE, "role: voter or client");
	config->client = role == VRSEQ_ROLE_CLIENT;
	if (config->client && *config->record)
		return vrseq_netlink_refuse(info, VRSEQ_A_RECORD,
					    "record: a client has nothing that one could keep");
	if (config->client && !vr_is_client(config->self_id))
		return vrseq_netlink_refuse(info, VRSEQ_A_SELF_ID, "self: the id of a client is 8 or more");

	config->files_max = VRSEQ_FILES_MAX;
	if (attrs[VRSEQ_A_FILES_MAX])
		config->files_max = nla_get_u32(attrs[VRSEQ_A_FILES_MAX]);
	if (!config->files_max || config->files_max > VRSEQ_FILES_MAX)
		return vrseq_netlink_refuse(info, VRSEQ_A_FILES_MAX, "files: 1 to 256");

	if (attrs[VRSEQ_A_CLIENTS_MAX])
		config->clients_max = nla_get_u32(attrs[VRSEQ_A_CLIENTS_MAX]);
	if (config->clients_max > (config->client ? 0 : VRSEQ_CLIENTS_MAX))
		return vrseq_netlink_refuse(info, VRSEQ_A_CLIENTS_MAX,
					    config->client ? "clients: a client serves none" :
						     "clients: at most 4096");

	config->node_lease_ns = max(NODE_LEASE_NS, config->view_timeout_ns);
	if (attrs[VRSEQ_A_NODE_LEASE_NS])
		config->node_lease_ns = nla_get_u64(attrs[VRSEQ_A_NODE_LEASE_NS]);
	if (config->node_lease_ns < config->view_timeout_ns ||
	    config->node_lease_ns > NODE_LEASE_NS_MAX)
		return vrseq_netlink_refuse(info, VRSEQ_A_NODE_LEASE_NS,
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
		return vrseq_netlink_refuse(info, VRSEQ_A_GID, "gid: no Unix group can have this number");
	return 0;
}

/* Held at an older one, until all members are of this module or while none is any more. */
static int take_wire(struct genl_info *info, struct vrseq_group_config *config)
{
	config->wire_version = VR_WIRE_VERSION;
	if (info->attrs[VRSEQ_A_WIRE])
		config->wire_version = nla_get_u8(info->attrs[VRSEQ_A_WIRE]);
	if (config->wire_version < VR_WIRE_VERSION_MIN || config->wire_version > VR_WIRE_VERSION)
		return vrseq_netlink_refuse(info, VRSEQ_A_WIRE, "wire: 4 or 5");
	if (config->client && config->wire_version < VR_WIRE_VERSION_CLIENTS)
		return vrseq_netlink_refuse(info, VRSEQ_A_WIRE, "wire: version 4 knows no clients");
	return 0;
}

/**
 * vrseq_netlink_take_config - a new group's configuration
 * @info:	request, whose name was taken before
 * @config:	has that name, receives the rest
 * @key:	receives VRSEQ_KEY_BYTES if it is to have a key; to be wiped
 *
 * Return: 0, or an error that has been explained.
 */
int vrseq_netlink_take_config(struct genl_info *info, struct vrseq_group_config *config, u8 *key)
{
	struct nlattr **attrs = info->attrs;

	if (!attrs[VRSEQ_A_SELF_ID])
		return vrseq_netlink_refuse_missing(info, "self: the id of this member");
	if ((!attrs[VRSEQ_A_ADDRESS_IPV4] && !attrs[VRSEQ_A_ADDRESS_IPV6]) || !attrs[VRSEQ_A_PORT])
		return vrseq_netlink_refuse_missing(info, "listen: an address and a port");
	if (attrs[VRSEQ_A_RECORD])
		nla_strscpy(config->record, attrs[VRSEQ_A_RECORD], sizeof(config->record));
	config->self_id = nla_get_u16(attrs[VRSEQ_A_SELF_ID]);
	return vrseq_endpoint_take(&config->listen, attrs[VRSEQ_A_ADDRESS_IPV4],
				   attrs[VRSEQ_A_ADDRESS_IPV6], attrs[VRSEQ_A_PORT],
				   info->extack) ?:
	       take_uuid(info, config) ?:
	       take_times(info, config) ?:
	       take_clients(info, config) ?:
	       take_gid(info, config) ?:
	       take_wire(info, config) ?:
	       take_journal(info, config) ?:
	       take_rings(info, config) ?:
	       take_security(info, config, key);
}
