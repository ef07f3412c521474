// SPDX-License-Identifier: GPL-2.0
/*
 * What is shown of a group by netlink: its configuration, its state, its members, its
 * counts. Shows what one look found and changes nothing.
 */
#include "netlink_private.h"

#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/vrseq_netlink.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "group.h"

static_assert(VRSEQ_HALT_LIVES == (int)VR_HALT_COUNT - 1);

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
		[VRSEQ_STAT_DROP_CHECKSUM] = "drop_checksum",
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

/*
 * Room for all there is to say of a group. Statistics take some 4.6 KiB, and
 * NLMSG_GOODSIZE is less; with what an skb needs for itself this is 8 KiB.
 */
#define REPLY_BYTES	(7 * 1024)

typedef int (*put_fn)(struct sk_buff *skb, struct vrseq_group *group,
		      const struct vrseq_snapshot *look);

static int put_reply(struct sk_buff *skb, u32 portid, u32 seq, int flags, u8 command,
		     struct vrseq_group *group, put_fn put)
{
	struct vrseq_snapshot *look = kmalloc(sizeof(*look), GFP_KERNEL);
	void *head = genlmsg_put(skb, portid, seq, &vrseq_netlink_family, flags, command);
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
	const char *name = vrseq_netlink_name(info);
	struct vrseq_group *group;
	struct sk_buff *skb;
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	group = vrseq_group_hold(genl_info_net(info), name, info->extack);
	if (!group)
		return -ENOENT;
	error = -ENOMEM;
	skb = genlmsg_new(REPLY_BYTES, GFP_KERNEL);
	if (skb)
		error = put_reply(skb, info->snd_portid, info->snd_seq, 0,
				  info->genlhdr->cmd, group, put);
	vrseq_group_put(group);
	if (!error)
		return genlmsg_reply(skb, info);
	nlmsg_free(skb);
	WARN_ON_ONCE(error == -EMSGSIZE);
	NL_SET_ERR_MSG(info->extack, "the group is being deleted, or there is no memory");
	return error;
}

/* Without it the first dump on a socket has room for NLMSG_GOODSIZE. */
int vrseq_netlink_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = REPLY_BYTES;
	return 0;
}

static int dump(struct sk_buff *skb, struct netlink_callback *cb, u8 command, put_fn put)
{
	struct vrseq_group *group;
	int error;

	while ((group = vrseq_group_hold_nth(sock_net(skb->sk), cb->args[0]))) {
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

int vrseq_netlink_group_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, put_group);
}

int vrseq_netlink_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, VRSEQ_CMD_GROUP_GET, put_group);
}

int vrseq_netlink_stats_get(struct sk_buff *skb, struct genl_info *info)
{
	return get(info, put_stats);
}

int vrseq_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, VRSEQ_CMD_STATS_GET, put_stats);
}
