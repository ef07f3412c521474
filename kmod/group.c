// SPDX-License-Identifier: GPL-2.0
/*
 * Groups come by netlink and go by netlink, with their network namespace or
 * with the module. A group is found by the cookie of its namespace, never by a
 * pointer to it: files may outlive the namespace they were opened in.
 */
#include "group.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/vrseq_netlink.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "vmgen.h"
#include "vr_restore.h"

static DEFINE_MUTEX(groups_lock);
static LIST_HEAD(groups);

/* ---- finding and holding ---------------------------------------------------- */

static struct vrseq_group *find(u64 net_cookie, const char *name)
{
	struct vrseq_group *group;

	lockdep_assert_held(&groups_lock);
	list_for_each_entry(group, &groups, list) {
		if (group->net_cookie == net_cookie && !strcmp(group->config.name, name))
			return group;
	}
	return NULL;
}

/* The same for netlink, which says why not. */
static struct vrseq_group *find_for(struct net *net, const char *name,
				    struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = find(net->net_cookie, name);

	if (!group)
		NL_SET_ERR_MSG(extack, "name: no such group in this network namespace");
	return group;
}

static int refuse_formed(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "name: the group is formed, its members are fixed");
	return -EBUSY;
}

/**
 * vrseq_group_get - hold a group, for a look at it
 * @net:	where
 * @name:	which, or NULL
 * @skip:	without @name: how many groups of @net to pass over
 *
 * Return: the group, to be given back with vrseq_group_put(), or NULL.
 */
struct vrseq_group *vrseq_group_get(struct net *net, const char *name, u32 skip)
{
	struct vrseq_group *group, *found = NULL;

	mutex_lock(&groups_lock);
	if (name) {
		found = find(net->net_cookie, name);
	} else {
		list_for_each_entry(group, &groups, list) {
			if (group->net_cookie == net->net_cookie && !skip--) {
				found = group;
				break;
			}
		}
	}
	if (found)
		kref_get(&found->kref);
	mutex_unlock(&groups_lock);
	return found;
}

static void release(struct kref *kref)
{
	struct vrseq_group *group = container_of(kref, struct vrseq_group, kref);

	vrseq_engine_destroy(&group->engine);
	vrseq_record_put(group->engine.record);
	vrseq_journal_put(group->engine.journal);
	kvfree(group->restored);
	kvfree(group);
}

/** vrseq_group_put - the last one frees it */
void vrseq_group_put(struct vrseq_group *group)
{
	kref_put(&group->kref, release);
}

/* The group an attaching file means; without a name, the only one there is. */
static struct vrseq_group *find_meant(u64 net_cookie, const char *name)
{
	struct vrseq_group *group, *only = NULL;

	if (*name)
		return find(net_cookie, name);
	list_for_each_entry(group, &groups, list) {
		if (group->net_cookie != net_cookie)
			continue;
		if (only)
			return NULL;
		only = group;
	}
	return only;
}

/*
 * Is the file one of the group's Unix group? It is who opened it that counts, not who
 * happens to use it first: that may be somebody with more rights, who writes a message
 * to what he was given for stderr.
 */
static bool may_attach(const struct vrseq_group *group, const struct file *opened)
{
	const struct cred *own;
	bool may;

	if (!group->config.restricted || file_ns_capable(opened, &init_user_ns, CAP_NET_ADMIN))
		return true;
	own = override_creds(opened->f_cred);
	may = in_egroup_p(group->config.gid);
	revert_creds(own);
	return may;
}

/**
 * vrseq_group_attach - a file takes a slot of a group
 * @net_cookie:	of the namespace it was opened in
 * @opened:	the file
 * @name:	of the group, or "" for the only one
 * @group:	receives it, held
 *
 * Return: the number of the slot, -ENOTCONN, -EACCES or -EDQUOT.
 */
int vrseq_group_attach(u64 net_cookie, const struct file *opened, const char *name,
		       struct vrseq_group **group)
{
	int slot = -ENOTCONN;

	mutex_lock(&groups_lock);
	*group = find_meant(net_cookie, name);
	if (*group)
		slot = may_attach(*group, opened) ?
			vrseq_sessions_take(&(*group)->engine.sessions) : -EACCES;
	if (slot >= 0) {
		kref_get(&(*group)->kref);
		(*group)->file_count++;
	}
	mutex_unlock(&groups_lock);
	return slot;
}

/**
 * vrseq_group_detach - the file is gone; its session ends by itself
 * @group:	from vrseq_group_attach()
 * @slot:	from there too
 */
void vrseq_group_detach(struct vrseq_group *group, u32 slot)
{
	vrseq_engine_close(&group->engine, slot);
	mutex_lock(&groups_lock);
	group->file_count--;
	mutex_unlock(&groups_lock);
	vrseq_group_put(group);
}

/* ---- members ------------------------------------------------------------------ */

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

static void configure(const struct vrseq_group *group, const struct vrseq_member *members,
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

/* The journal is a memory of these, or of nobody. */
static bool journal_is_of(const struct vrseq_journal *journal, const u16 *ids, u8 count)
{
	const struct vr_journal_owner *owner = journal ? vrseq_journal_members(journal) : NULL;

	return !owner || (owner->member_count == count &&
			  !memcmp(owner->member_ids, ids, count * sizeof(*ids)));
}

/* R25 holds for what was read back and waits, too: it may be older than its file. */
static int check_restored(struct vrseq_group *group, const struct vr_config *cfg,
			  struct netlink_ext_ack *extack)
{
	struct vr_replica *lost;

	if (!group->restored || (!group->restored_old &&
				 group->restored_vmgen_id == vrseq_vmgen_id()))
		return 0;
	lost = vrseq_engine_birth(cfg);
	if (!lost) {
		NL_SET_ERR_MSG(extack, "log and messages: there is not enough memory");
		return -ENOMEM;
	}
	vr_restore_lost(lost);
	kvfree(group->restored);
	group->restored = lost;
	return 0;
}

static int check_config(const struct vr_config *cfg, struct netlink_ext_ack *extack)
{
	const char *reason = vr_config_invalid(cfg);

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

/* Give the group this list of members, with a replica that knows it. */
static int install(struct vrseq_group *group, const struct vrseq_member *members, u8 count,
		   struct netlink_ext_ack *extack)
{
	struct vr_replica *none = NULL, **restored = &none;
	struct vr_wire_group identity;
	struct vrseq_peers *peers, *old;
	u16 ids[VR_REPLICAS_MAX];
	struct vr_config cfg;
	int error;
	u8 slot;

	lockdep_assert_held(&groups_lock);
	identify(&group->config.uuid, members, count, &identity);
	configure(group, members, count, &identity, &cfg);
	for (slot = 0; slot < count; slot++)
		ids[slot] = members[slot].id;
	if (!journal_is_of(group->engine.journal, ids, count))
		cfg.record_differs = true;
	else
		restored = &group->restored;
	error = check_config(&cfg, extack);
	if (!error && restored == &group->restored)
		error = check_restored(group, &cfg, extack);
	if (error)
		return error;

	old = rcu_dereference_protected(group->engine.udp.peers, lockdep_is_held(&groups_lock));
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

	mutex_lock(&groups_lock);
	group = find_for(net, name, extack);
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
	error = install(group, members, group->member_count + 1, extack);
out:
	mutex_unlock(&groups_lock);
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

	mutex_lock(&groups_lock);
	group = find_for(net, name, extack);
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
		error = install(group, members, count, extack);
out:
	mutex_unlock(&groups_lock);
	return error;
}

/* ---- life ------------------------------------------------------------------------ */

/*
 * All groups of a list that nobody else changes hand over, at the same time, within
 * a second in all. In process context; their sockets are open, so one can still be
 * heard.
 */
static void hand_over(struct list_head *list)
{
	unsigned long since = jiffies;
	struct vrseq_group *group;

	list_for_each_entry(group, list, list)
		vrseq_engine_leave(&group->engine);
	list_for_each_entry(group, list, list)
		vrseq_engine_left(&group->engine, since);
}

/*
 * The end of a group that was just taken off the list, in process context and
 * without groups_lock. It has handed over, or could not: that saves the others
 * a view timeout, and nothing here depends on it. Why nothing is left behind,
 * and nobody waits for ever:
 *
 * a) It is off the list: no file attaches, no configuration finds it any more.
 * b) vrseq_engine_stop(): from here on no step begins, so no datagram is made,
 *    the timer is not armed, and each new operation gets ENETDOWN. All who wait
 *    are woken after running was cleared, see that and leave with ENETDOWN.
 * c) vrseq_udp_close(): after its grace period nobody is in the receive hook or
 *    in transmission, and nobody can get there: the pointers are gone. Only now
 *    the socket is released, so the network namespace may go.
 * d) vrseq_engine_quiesce(): the timer is neither armed nor running; with b)
 *    nobody looks at the replica any more, and it is freed.
 * e) vrseq_record_stop(), vrseq_journal_stop(): by b) no write of the record, and
 *    none of the journal, begins any more, and nobody is told of the end of one.
 *    Each waits a second for one under way; a disk that hangs holds that write, its
 *    file and the module, nothing of ours.
 * f) The peers are taken away, and freed with their routes and what was agreed
 *    with them after one more grace period: who holds the group for a look may
 *    still have been at them.
 * g) The reference of the list is dropped. What is left is memory that open
 *    files still point to; the last close frees it.
 */
static void destroy(struct vrseq_group *group)
{
	struct vrseq_peers *peers;

	vrseq_engine_stop(&group->engine);
	vrseq_udp_close(&group->engine.udp);
	vrseq_engine_quiesce(&group->engine);
	vrseq_record_stop(group->engine.record);
	vrseq_journal_stop(group->engine.journal);
	peers = vrseq_udp_replace_peers(&group->engine.udp, NULL);
	synchronize_net();
	vrseq_peers_destroy(peers, NULL);
	vrseq_group_put(group);
}

static void destroy_all(struct list_head *gone)
{
	struct vrseq_group *group, *next;

	hand_over(gone);
	list_for_each_entry_safe(group, next, gone, list) {
		list_del(&group->list);
		destroy(group);
	}
}

/**
 * vrseq_group_name_uuid - the UUID of a group whose members name no other
 * @name:	of the group at all of them
 * @uuid:	receives it: version 8 of RFC 9562, the same on every machine
 */
void vrseq_group_name_uuid(const char *name, uuid_t *uuid)
{
	static const siphash_key_t keys[2] = {
		{{ 0x76727365712d7575ull, 0x69642d686967682dull }},
		{{ 0x76727365712d7575ull, 0x69642d6c6f772d2dull }},
	};
	__be64 halves[2];

	halves[0] = cpu_to_be64(siphash(name, strlen(name), &keys[0]));
	halves[1] = cpu_to_be64(siphash(name, strlen(name), &keys[1]));
	import_uuid(uuid, (const u8 *)halves);
	uuid->b[6] = (uuid->b[6] & 0x0f) | 0x80;
	uuid->b[8] = (uuid->b[8] & 0x3f) | 0x80;
}

static int open_record(struct vrseq_group *group, struct netlink_ext_ack *extack)
{
	const struct vrseq_group_config *config = &group->config;
	struct vrseq_record *record;

	if (!*config->record)
		return 0;
	record = vrseq_record_open(config->record, config->uuid.b, config->self_id,
				   &group->found, extack);
	if (IS_ERR(record))
		return PTR_ERR(record);
	group->engine.record = record;
	vrseq_record_attach(record, &group->engine);
	return 0;
}

/*
 * All that is to be read of the journal is read now, without a lock. Its members are
 * not in our list yet: what it brings back waits until they are.
 */
static int restore(struct vrseq_group *group, struct netlink_ext_ack *extack)
{
	const struct vr_journal_owner *owner = vrseq_journal_members(group->engine.journal);
	struct vrseq_member members[VR_REPLICAS_MAX] = {};
	struct vr_wire_group identity;
	struct vr_replica *replica;
	struct vr_config cfg;
	int error;
	u8 slot;

	if (!owner)
		return 0;
	for (slot = 0; slot < owner->member_count; slot++)
		members[slot].id = owner->member_ids[slot];
	identify(&group->config.uuid, members, owner->member_count, &identity);
	configure(group, members, owner->member_count, &identity, &cfg);
	error = check_config(&cfg, extack);
	if (error)
		return error;
	group->restored_vmgen_id = vrseq_vmgen_id();
	replica = vrseq_engine_restore(&cfg, group->engine.journal, extack);
	if (IS_ERR(replica))
		return PTR_ERR(replica);
	group->restored = replica;
	return 0;
}

static int open_journal(struct vrseq_group *group, const struct vrseq_member *self,
			struct netlink_ext_ack *extack)
{
	const struct vrseq_group_config *config = &group->config;
	struct vr_wire_group identity;
	struct vrseq_journal *journal;
	struct vr_config cfg;
	int error;

	if (!*config->journal)
		return 0;
	identify(&config->uuid, self, 1, &identity);
	configure(group, self, 1, &identity, &cfg);
	error = check_config(&cfg, extack);
	if (error)
		return error;
	journal = vrseq_journal_open(config->journal, config->journal_bytes, &cfg,
				     config->uuid.b, config->self_id, extack);
	if (IS_ERR(journal))
		return PTR_ERR(journal);
	group->engine.journal = journal;
	error = restore(group, extack);
	if (!error)
		vrseq_journal_attach(journal, &group->engine);
	return error;
}

/**
 * vrseq_group_add - a new group, with this member alone, blank
 * @net:	where
 * @config:	checked, rings rounded up to powers of two
 * @key:	VRSEQ_KEY_BYTES, if @config->secure
 * @extack:	told why not
 *
 * Opens record and journal in the context of the caller, who waits for their disks
 * himself.
 *
 * Return: 0, -EEXIST, -EINVAL, -EADDRNOTAVAIL, -EADDRINUSE or -ENOMEM, or what
 * vrseq_record_open() and vrseq_journal_open() say.
 */
int vrseq_group_add(struct net *net, const struct vrseq_group_config *config,
		    const u8 *key, struct netlink_ext_ack *extack)
{
	struct vrseq_member self = { .id = config->self_id, .endpoint = config->listen };
	struct vrseq_group *group;
	int error;

	group = kvzalloc(sizeof(*group), GFP_KERNEL_ACCOUNT);
	error = group ? vrseq_engine_create(&group->engine, config->files_max) : -ENOMEM;
	if (!error) {
		error = vrseq_clients_create(&group->engine.udp.clients, config->clients_max,
					     config->secure);
		if (error)
			vrseq_engine_destroy(&group->engine);
	}
	if (error) {
		NL_SET_ERR_MSG(extack, "there is not enough memory");
		kvfree(group);
		return error;
	}
	kref_init(&group->kref);
	group->net_cookie = net->net_cookie;
	group->config = *config;
	group->engine.udp.secure = config->secure;
	vrseq_auth_init(&group->engine.udp.auth, config->uuid.b, config->self_id);
	if (config->secure)
		vrseq_auth_set_key(&group->engine.udp.auth, 0, key);
	error = open_record(group, extack) ?: open_journal(group, &self, extack);
	if (error) {
		destroy(group);
		return error;
	}

	mutex_lock(&groups_lock);
	if (find(net->net_cookie, config->name)) {
		NL_SET_ERR_MSG(extack, "name: there is such a group");
		error = -EEXIST;
		goto err_unlock;
	}
	error = vrseq_udp_open(&group->engine.udp, net, &config->listen, extack);
	if (error)
		goto err_unlock;
	error = install(group, &self, !config->client, extack);
	if (error)
		goto err_unlock;
	list_add_tail(&group->list, &groups);
	mutex_unlock(&groups_lock);
	return 0;

err_unlock:
	mutex_unlock(&groups_lock);
	destroy(group);
	return error;
}

/**
 * vrseq_group_del - take a group away
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Return: 0, -ENOENT, or -EBUSY while files are attached.
 */
int vrseq_group_del(struct net *net, const char *name, struct netlink_ext_ack *extack)
{
	struct vrseq_group *group;
	int error = -ENOENT;
	LIST_HEAD(gone);

	mutex_lock(&groups_lock);
	group = find_for(net, name, extack);
	if (group && group->file_count) {
		NL_SET_ERR_MSG_FMT(extack, "name: %u open files are attached to the group",
				   group->file_count);
		error = -EBUSY;
	} else if (group) {
		list_move(&group->list, &gone);
		error = 0;
	}
	mutex_unlock(&groups_lock);
	destroy_all(&gone);
	return error;
}

/**
 * vrseq_group_hold - hold a group, to work with it without the lock
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Return: the group, to be given back with vrseq_group_put(), or NULL.
 */
struct vrseq_group *vrseq_group_hold(struct net *net, const char *name,
				     struct netlink_ext_ack *extack)
{
	struct vrseq_group *group;

	mutex_lock(&groups_lock);
	group = find_for(net, name, extack);
	if (group)
		kref_get(&group->kref);
	mutex_unlock(&groups_lock);
	return group;
}

/**
 * vrseq_group_resign - a primary hands over and stays as a backup
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Return: 0, also if we were no primary; -ENOENT or -ETIMEDOUT.
 */
int vrseq_group_resign(struct net *net, const char *name, struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = vrseq_group_hold(net, name, extack);
	unsigned long since = jiffies;
	int error;

	if (!group)
		return -ENOENT;
	vrseq_engine_leave(&group->engine);
	error = vrseq_engine_left(&group->engine, since);
	if (error)
		NL_SET_ERR_MSG(extack, "nobody took over in time, see vrseq group show");
	vrseq_group_put(group);
	return error;
}

/* ---- looking ---------------------------------------------------------------------- */

/** vrseq_group_memory_bytes - what the group takes at this member */
u64 vrseq_group_memory_bytes(const struct vrseq_group *group)
{
	return sizeof(*group) + group->config.files_max * sizeof(struct vrseq_session) +
	       vrseq_clients_bytes(&group->engine.udp.clients) +
	       READ_ONCE(group->engine.memory_bytes) +
	       (group->engine.journal ? vrseq_journal_memory_bytes(group->engine.journal) : 0) +
	       (READ_ONCE(group->engine.ring.header) ? VRSEQ_RING_BYTES : 0);
}

/**
 * vrseq_group_look - one look at a group
 * @group:	held
 * @look:	receives it
 *
 * Return: 0, or -ENETDOWN if the group is gone.
 */
int vrseq_group_look(struct vrseq_group *group, struct vrseq_snapshot *look)
{
	const struct vrseq_peers *peers;
	u8 slot;

	memset(look, 0, sizeof(*look));
	if (!vrseq_engine_describe(&group->engine, &look->info, &look->now_ns))
		return -ENETDOWN;
	rcu_read_lock();
	peers = rcu_dereference(group->engine.udp.peers);
	if (peers) {
		look->self = peers->self;
		look->member_count = peers->count;
		memcpy(look->members, peers->member, sizeof(look->members));
	}
	rcu_read_unlock();
	for (slot = 0; slot < look->member_count; slot++)
		look->trust[slot] = vrseq_udp_trust(&group->engine.udp, slot, look->now_ns);
	look->self_id = group->config.self_id;
	if (group->engine.journal) {
		vrseq_journal_look(group->engine.journal, &look->journal);
		look->journal_differs = READ_ONCE(group->restored);
	}
	look->client_count = READ_ONCE(group->engine.udp.clients.count);
	vrseq_status_describe(group, look);
	return 0;
}

/* ---- the machine --------------------------------------------------------------------- */

/** vrseq_groups_hand_over - the machine is about to stop, or to sleep */
void vrseq_groups_hand_over(void)
{
	mutex_lock(&groups_lock);
	hand_over(&groups);
	mutex_unlock(&groups_lock);
}

/**
 * vrseq_groups_demote - the machine woke up with a memory of unknown age
 * @reason: how we know
 *
 * A group of one owes nobody anything, and nobody could give it its memory back:
 * it goes on with an image, unless it is known to have gone on after it. Whoever
 * has this memory, too, has our keys: no session goes on.
 */
void vrseq_groups_demote(enum vrseq_stat reason)
{
	struct vrseq_group *group;

	mutex_lock(&groups_lock);
	list_for_each_entry(group, &groups, list) {
		vrseq_udp_renew(&group->engine.udp);
		group->restored_old = true;
		if (group->member_count > 1 || reason == VRSEQ_STAT_DEMOTED_ROLLBACK)
			vrseq_engine_demote(&group->engine, reason);
	}
	mutex_unlock(&groups_lock);
}

/* ---- network namespaces ------------------------------------------------------------ */

/*
 * The namespace is going, or the module is. No reference to the namespace is
 * left, so no netlink command of it runs or will run: no new group appears. Its
 * devices are still up: a primary can hand over. Then each group ends as by
 * netlink, see destroy(), whatever files are attached.
 *
 * A device that leaves the namespace alone takes nothing of ours with it. Nobody
 * here holds one: the socket is bound to an address, and of routes in a cache the
 * kernel replaces the device when it goes. While the address is away there is no
 * route, datagrams are lost and counted, and a member without the others says so;
 * when it is back the next datagram finds it.
 */
static void __net_exit pre_exit(struct net *net)
{
	struct vrseq_group *group, *next;
	LIST_HEAD(gone);

	mutex_lock(&groups_lock);
	list_for_each_entry_safe(group, next, &groups, list) {
		if (group->net_cookie == net->net_cookie)
			list_move(&group->list, &gone);
	}
	mutex_unlock(&groups_lock);
	destroy_all(&gone);
}

static struct pernet_operations net_operations = {
	.pre_exit = pre_exit,
};

/** vrseq_groups_init - be told when a network namespace goes */
int __init vrseq_groups_init(void)
{
	return register_pernet_subsys(&net_operations);
}

/** vrseq_groups_exit - all groups go; netlink and the device are gone already */
void vrseq_groups_exit(void)
{
	unregister_pernet_subsys(&net_operations);
}
