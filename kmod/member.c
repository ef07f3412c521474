// SPDX-License-Identifier: GPL-2.0
/*
 * Who is in a group: the list of its voters, which ends when it is formed, its clients,
 * who come and go, and what a replica is told of both. Does not know how a group begins
 * or ends, nor what is on disks.
 */
#include "group_private.h"

#include <linux/netlink.h>
#include <linux/siphash.h>
#include <linux/string.h>
#include <linux/vrseq_netlink.h>

#include "compat.h"

static int refuse_formed(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "name: the group is formed, its members are fixed");
	return -EBUSY;
}

/*
 * What tells groups apart on the wire, the same at all members: the UUID, and
 * the list of the voters' ids and roles. Addresses are each member's own view.
 */
static void identify(const uuid_t *uuid, const struct vrseq_member *members, u8 count,
		     struct vr_wire_group *identity)
{
	static const siphash_key_t key = {{ 0x76727365712d6772ull, 0x6f75702d69642d31ull }};
	__le32 list[VR_REPLICAS_MAX];
	u8 slot;

	for (slot = 0; slot < count; slot++)
		list[slot] = cpu_to_le32((u32)members[slot].role << 16 | members[slot].id);
	identity->group = siphash(uuid, sizeof(*uuid), &key);
	identity->members = siphash(list, count * sizeof(list[0]), &key);
}

static void describe(const struct vrseq_group *group, const struct vrseq_member *members,
		     u8 count, const struct vr_wire_group *identity, struct vr_config *cfg)
{
	const struct vrseq_group_config *config = &group->config;
	u8 slot;

	memset(cfg, 0, sizeof(*cfg));
	cfg->replica_count = count;
	if (config->client) {
		cfg->self = VR_NOBODY;
		cfg->client = config->self_id;
	}
	for (slot = 0; slot < count; slot++) {
		if (members[slot].id == config->self_id)
			cfg->self = slot;
	}
	/* Without a journal PREPARE_OK says that we hold it, and promises no more. */
	cfg->memory_is_durable = !*config->journal;
	cfg->journal = *config->journal;
	cfg->keeps_record = group->engine.record;
	cfg->record = group->found;
	/* The list may not be complete yet. */
	cfg->record_differs = group->found.formed && group->found.members != identity->members;
	cfg->heartbeat_ns = config->heartbeat_ns;
	cfg->view_timeout_ns = config->view_timeout_ns;
	cfg->lease_ns = config->lease_ns;
	cfg->wire_version = config->wire_version;
	cfg->body_bytes_max = config->record_max;
	cfg->log_entries = config->log_entries;
	cfg->log_bytes = config->log_bytes;
	cfg->messages = config->messages;
	cfg->message_bytes = config->message_bytes;
	cfg->sessions_max = VRSEQ_SESSIONS_MAX;
	cfg->counters_max = VRSEQ_COUNTERS_MAX;
	cfg->pending_max = config->files_max * VRSEQ_CALLS;
	cfg->clients_max = config->clients_max;
	cfg->node_lease_ns = config->node_lease_ns;
}

/**
 * vrseq_group_configure - what a replica of the group is to know, with these members
 * @group:	group
 * @members:	the voters, sorted by id
 * @count:	how many
 * @identity:	receives what tells the group apart on the wire
 * @cfg:	receives the rest
 * @extack:	told why not
 *
 * Return: 0 or -EINVAL.
 */
int vrseq_group_configure(const struct vrseq_group *group, const struct vrseq_member *members,
			  u8 count, struct vr_wire_group *identity, struct vr_config *cfg,
			  struct netlink_ext_ack *extack)
{
	const char *reason;

	identify(&group->config.uuid, members, count, identity);
	describe(group, members, count, identity, cfg);
	reason = vr_config_invalid(cfg);
	if (reason) {
		NL_SET_ERR_MSG_FMT(extack, "%s", reason);
		return -EINVAL;
	}
	if (vr_replica_size(cfg) > VRSEQ_MEMORY_BYTES_MAX) {
		NL_SET_ERR_MSG(extack, "log and messages: the group would take more than 1 GiB");
		return -EINVAL;
	}
	return 0;
}

/**
 * vrseq_group_install - give the group a list of members, and a replica that knows it
 * @group:	group, blank
 * @members:	the voters, sorted by id
 * @count:	how many
 * @extack:	told why not
 *
 * Return: 0, -EINVAL, -EBUSY if it was formed just now, or -ENOMEM.
 */
int vrseq_group_install(struct vrseq_group *group, const struct vrseq_member *members,
			u8 count, struct netlink_ext_ack *extack)
{
	struct vr_replica *none = NULL, **restored = &none;
	struct vr_wire_group identity;
	struct vrseq_peers *peers, *old;
	u16 ids[VR_REPLICAS_MAX];
	struct vr_config cfg;
	int error;
	u8 slot;

	lockdep_assert_held(&vrseq_groups_lock);
	error = vrseq_group_configure(group, members, count, &identity, &cfg, extack);
	if (error)
		return error;
	for (slot = 0; slot < count; slot++)
		ids[slot] = members[slot].id;
	if (vrseq_group_journal_is_of(group, ids, count)) {
		restored = &group->restored;
		error = vrseq_group_check_restored(group, &cfg, extack);
		if (error)
			return error;
	} else {
		cfg.record_differs = true;
	}

	old = rcu_dereference_protected(group->engine.udp.peers,
					lockdep_is_held(&vrseq_groups_lock));
	peers = vrseq_peers_create(members, count, cfg.self, &group->config.listen,
				   group->config.secure, old);
	error = peers ? vrseq_engine_configure(&group->engine, &cfg, &identity, ids, restored) :
			-ENOMEM;
	if (error) {
		vrseq_peers_destroy(peers, old);
		if (error == -EBUSY)	/* just now */
			return refuse_formed(extack);
		NL_SET_ERR_MSG(extack, "log and messages: there is not enough memory");
		return error;
	}
	memcpy(group->members, members, count * sizeof(*members));
	group->member_count = count;
	old = vrseq_udp_replace_peers(&group->engine.udp, peers);
	if (old)
		synchronize_net();
	vrseq_peers_destroy(old, peers);
	return 0;
}

/* Of voters and clients alike: one family of addresses, no id twice, no address twice. */
static int check_new(const struct vrseq_group *group, const struct vrseq_member *member,
		     struct netlink_ext_ack *extack)
{
	const struct vrseq_clients *clients = &group->engine.udp.clients;
	const struct vrseq_endpoint *listen = &group->config.listen;
	const struct vrseq_client *client;
	u8 i;

	if (vrseq_endpoint_ipv4(&member->endpoint) != vrseq_endpoint_ipv4(listen)) {
		NL_SET_ERR_MSG_FMT(extack, "member address: IPv%d is needed, as this member's is",
				   vrseq_endpoint_ipv4(listen) ? 4 : 6);
		return -EAFNOSUPPORT;
	}
	if (member->id == group->config.self_id || vrseq_clients_by_id(clients, member->id))
		goto err_id;
	for (i = 0; i < group->member_count; i++) {
		const struct vrseq_member *other = &group->members[i];

		if (other->id == member->id)
			goto err_id;
		if (vrseq_endpoint_equal(&other->endpoint, &member->endpoint)) {
			NL_SET_ERR_MSG_FMT(extack, "member address: member %u listens there",
					   other->id);
			return -EEXIST;
		}
	}
	client = vrseq_clients_by_address(clients, &member->endpoint);
	if (client) {
		NL_SET_ERR_MSG_FMT(extack, "member address: member %u listens there", client->id);
		return -EEXIST;
	}
	if (vrseq_endpoint_equal(listen, &member->endpoint)) {
		NL_SET_ERR_MSG(extack, "member address: this member listens there");
		return -EEXIST;
	}
	return 0;

err_id:
	NL_SET_ERR_MSG_FMT(extack, "member id: %u is in the list already", member->id);
	return -EEXIST;
}

static int add_client(struct vrseq_group *group, const struct vrseq_member *member,
		      struct netlink_ext_ack *extack)
{
	int error;

	if (group->config.client) {
		NL_SET_ERR_MSG(extack, "member role: a client's own list has the voters only");
		return -EINVAL;
	}
	if (!vr_is_client(member->id)) {
		NL_SET_ERR_MSG(extack, "member id: that of a client is 8 or more");
		return -EINVAL;
	}
	error = check_new(group, member, extack) ?:
		vrseq_clients_add(&group->engine.udp.clients, member->id, &member->endpoint);
	if (error == -ENOSPC)
		NL_SET_ERR_MSG_FMT(extack, "name: the group was added with room for %u clients",
				   group->config.clients_max);
	return error;
}

static int check_member(struct vrseq_group *group, const struct vrseq_member *member,
			struct netlink_ext_ack *extack)
{
	if (!vrseq_engine_is_blank(&group->engine))
		return refuse_formed(extack);
	if (group->member_count == VR_REPLICAS_MAX) {
		NL_SET_ERR_MSG(extack, "member: a group has at most 7 members");
		return -EINVAL;
	}
	return check_new(group, member, extack);
}

/**
 * vrseq_member_add - add a voter to a blank group, or a client to any
 * @net:	where
 * @name:	of the group
 * @member:	who
 * @extack:	told why not
 *
 * Return: 0, -ENOENT, -EEXIST, -EINVAL, -EAFNOSUPPORT, -EBUSY, -ENOSPC or -ENOMEM.
 */
int vrseq_member_add(struct net *net, const char *name, const struct vrseq_member *member,
		     struct netlink_ext_ack *extack)
{
	struct vrseq_member members[VR_REPLICAS_MAX];
	struct vrseq_group *group;
	int error = -ENOENT;
	u8 i, from;

	mutex_lock(&vrseq_groups_lock);
	group = vrseq_group_find(net, name, extack);
	if (!group)
		goto out;
	if (member->role == VRSEQ_ROLE_CLIENT) {
		error = add_client(group, member, extack);
		goto out;
	}
	error = check_member(group, member, extack);
	if (error)
		goto out;
	for (i = 0, from = 0; i <= group->member_count; i++) {
		if (from == i && (from == group->member_count ||
				  group->members[from].id > member->id))
			members[i] = *member;
		else
			members[i] = group->members[from++];
	}
	error = vrseq_group_install(group, members, group->member_count + 1, extack);
out:
	mutex_unlock(&vrseq_groups_lock);
	return error;
}

/**
 * vrseq_member_del - take a voter off a blank group, or a client off any
 * @net:	where
 * @name:	of the group
 * @id:		who
 * @extack:	told why not
 *
 * Return: 0, -ENOENT, -EINVAL, -EBUSY or -ENOMEM.
 */
int vrseq_member_del(struct net *net, const char *name, u16 id,
		     struct netlink_ext_ack *extack)
{
	struct vrseq_member members[VR_REPLICAS_MAX];
	struct vrseq_group *group;
	int error = -ENOENT;
	u8 i, count = 0;

	mutex_lock(&vrseq_groups_lock);
	group = vrseq_group_find(net, name, extack);
	if (!group)
		goto out;
	if (vrseq_clients_del(&group->engine.udp.clients, id)) {
		/* Its sessions end when its lease does. */
		vrseq_engine_client_gone(&group->engine, id);
		error = 0;
		goto out;
	}
	if (!vrseq_engine_is_blank(&group->engine)) {
		error = refuse_formed(extack);
		goto out;
	}
	if (id == group->config.self_id) {
		NL_SET_ERR_MSG(extack, "member id: this is the member here, delete the group");
		error = -EINVAL;
		goto out;
	}
	for (i = 0; i < group->member_count; i++) {
		if (group->members[i].id != id)
			members[count++] = group->members[i];
	}
	if (count == group->member_count)
		NL_SET_ERR_MSG_FMT(extack, "member id: %u is not in the list", id);
	else
		error = vrseq_group_install(group, members, count, extack);
out:
	mutex_unlock(&vrseq_groups_lock);
	return error;
}
