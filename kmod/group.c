// SPDX-License-Identifier: GPL-2.0
/*
 * Groups come by netlink and go by netlink, with their network namespace or
 * with the module. A group is found by the cookie of its namespace, never by a
 * pointer to it: files may outlive the namespace they were opened in.
 */
#include "group_private.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/vrseq_netlink.h>
#include <net/net_namespace.h>

#include "compat.h"

DEFINE_MUTEX(vrseq_groups_lock);	/* see group.h */
static LIST_HEAD(groups);

/* ---- finding and holding ---------------------------------------------------- */

static struct vrseq_group *find(u64 net_cookie, const char *name)
{
	struct vrseq_group *group;

	lockdep_assert_held(&vrseq_groups_lock);
	list_for_each_entry(group, &groups, list) {
		if (group->net_cookie == net_cookie && !strcmp(group->config.name, name))
			return group;
	}
	return NULL;
}

/**
 * vrseq_group_find - a group, for as long as vrseq_groups_lock is held
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Return: the group, or NULL.
 */
struct vrseq_group *vrseq_group_find(struct net *net, const char *name,
				     struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = find(net->net_cookie, name);

	if (!group)
		NL_SET_ERR_MSG(extack, "name: no such group in this network namespace");
	return group;
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

	mutex_lock(&vrseq_groups_lock);
	group = vrseq_group_find(net, name, extack);
	if (group)
		kref_get(&group->kref);
	mutex_unlock(&vrseq_groups_lock);
	return group;
}

/**
 * vrseq_group_hold_nth - hold one after the other, to look at all
 * @net:	where
 * @skip:	how many groups of @net to pass over
 *
 * Return: the group, to be given back with vrseq_group_put(), or NULL.
 */
struct vrseq_group *vrseq_group_hold_nth(struct net *net, u32 skip)
{
	struct vrseq_group *group, *found = NULL;

	mutex_lock(&vrseq_groups_lock);
	list_for_each_entry(group, &groups, list) {
		if (group->net_cookie == net->net_cookie && !skip--) {
			kref_get(&group->kref);
			found = group;
			break;
		}
	}
	mutex_unlock(&vrseq_groups_lock);
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

	mutex_lock(&vrseq_groups_lock);
	*group = find_meant(net_cookie, name);
	if (*group)
		slot = may_attach(*group, opened) ?
			vrseq_sessions_take(&(*group)->engine.sessions) : -EACCES;
	if (slot >= 0) {
		kref_get(&(*group)->kref);
		(*group)->file_count++;
	}
	mutex_unlock(&vrseq_groups_lock);
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
	mutex_lock(&vrseq_groups_lock);
	group->file_count--;
	mutex_unlock(&vrseq_groups_lock);
	vrseq_group_put(group);
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
 * without vrseq_groups_lock. It has handed over, or could not: that saves the others
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
	error = vrseq_group_open_storage(group, &self, extack);
	if (error) {
		destroy(group);
		return error;
	}

	mutex_lock(&vrseq_groups_lock);
	if (find(net->net_cookie, config->name)) {
		NL_SET_ERR_MSG(extack, "name: there is such a group");
		error = -EEXIST;
		goto err_unlock;
	}
	error = vrseq_udp_open(&group->engine.udp, net, &config->listen, extack);
	if (error)
		goto err_unlock;
	error = vrseq_group_install(group, &self, !config->client, extack);
	if (error)
		goto err_unlock;
	list_add_tail(&group->list, &groups);
	mutex_unlock(&vrseq_groups_lock);
	return 0;

err_unlock:
	mutex_unlock(&vrseq_groups_lock);
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

	mutex_lock(&vrseq_groups_lock);
	group = vrseq_group_find(net, name, extack);
	if (group && group->file_count) {
		NL_SET_ERR_MSG_FMT(extack, "name: %u open files are attached to the group",
				   group->file_count);
		error = -EBUSY;
	} else if (group) {
		list_move(&group->list, &gone);
		error = 0;
	}
	mutex_unlock(&vrseq_groups_lock);
	destroy_all(&gone);
	return error;
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
	mutex_lock(&vrseq_groups_lock);
	hand_over(&groups);
	mutex_unlock(&vrseq_groups_lock);
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

	mutex_lock(&vrseq_groups_lock);
	list_for_each_entry(group, &groups, list) {
		vrseq_udp_renew(&group->engine.udp);
		group->restored_old = true;
		if (group->member_count > 1 || reason == VRSEQ_STAT_DEMOTED_ROLLBACK)
			vrseq_engine_demote(&group->engine, reason);
	}
	mutex_unlock(&vrseq_groups_lock);
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

	mutex_lock(&vrseq_groups_lock);
	list_for_each_entry_safe(group, next, &groups, list) {
		if (group->net_cookie == net->net_cookie)
			list_move(&group->list, &gone);
	}
	mutex_unlock(&vrseq_groups_lock);
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
