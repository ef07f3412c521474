/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A group as it is configured at this member: its name, its members, its life
 * in a network namespace. Owns the engine, hands it to whoever has a reference;
 * knows nothing of the protocol but a sentence about its state.
 *
 * Locks
 *	vrseq_groups_lock (mutex)	the list of groups, each one's configuration
 *	  file->attach_lock (mutex)	is taken before it, see chardev.c
 *	core_lock (spinlock, per group)	a leaf; softirq takes it too
 *	reader->lock (mutex)		a file's reader; nothing but core_lock inside
 *	file->spare_lock (spinlock)	a leaf
 *	segments.lock, auth.lock, auth_peer.lock (spinlocks)	leaves; bottom halves too,
 *					never one inside another or inside core_lock
 *
 * RCU: udp.sk, udp.peers.
 */
#ifndef VRSEQ_GROUP_H
#define VRSEQ_GROUP_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sizes.h>
#include <linux/uidgid.h>
#include <linux/uuid.h>
#include <linux/vrseq.h>

#include "engine.h"

struct file;
struct net;
struct netlink_ext_ack;

#define VRSEQ_SESSIONS_MAX	4096
#define VRSEQ_CLIENTS_MAX	4096
#define VRSEQ_COUNTERS_MAX	1024
#define VRSEQ_RING_COUNT_MAX	SZ_1M	/* entries, messages */
#define VRSEQ_RING_BYTES_MAX	SZ_256M	/* of their bodies */
#define VRSEQ_MEMORY_BYTES_MAX	SZ_1G	/* of a group */

/**
 * struct vrseq_group_config - what GROUP_ADD says
 * @name:	of the group, in its namespace
 * @uuid:	of the group, at all members
 * @self_id:	id of this member
 * @listen:	where it listens
 * @record_max:	bytes of a message
 * @record:	path of the record, "" = none
 * @journal:	path of the journal, "" = none: durability is memory
 * @journal_bytes: of a new one, 0 = the smallest that works well
 * @secure:	it has a key; otherwise anybody can forge anything
 * @client:	this member is one
 * @files_max:	files that can be attached here
 * @gid:	whose files can be, if @restricted
 * @restricted:	not those of everybody who can open the device
 * @wire_version: newest version of the wire format that this member speaks
 * @clients_max: clients that a voter has room for
 * @node_lease_ns: silence of one of them that ends its sessions
 * @heartbeat_ns: see struct vr_config; so are the others
 */
struct vrseq_group_config {
	char name[VRSEQ_GROUP_NAME_BYTES];
	uuid_t uuid;
	u16 self_id;
	bool client;
	u32 files_max;
	kgid_t gid;
	bool restricted;
	u8 wire_version;
	u32 clients_max;
	u64 node_lease_ns;
	struct vrseq_endpoint listen;
	char record[VRSEQ_RECORD_PATH_BYTES];
	char journal[VRSEQ_JOURNAL_PATH_BYTES];
	u64 journal_bytes;
	bool secure;
	u64 heartbeat_ns;
	u64 view_timeout_ns;
	u64 lease_ns;
	u32 record_max;
	u32 log_entries;
	u32 log_bytes;
	u32 messages;
	u32 message_bytes;
};

/**
 * struct vrseq_group - one group at one member
 * @kref:	held by the list, by each attached file and by who looks
 * @list:	in groups; vrseq_groups_lock
 * @net_cookie:	its network namespace, which it does not hold
 * @config:	never changes
 * @found:	what the record said when the group was added
 * @restored:	what the journal's members will go on with; vrseq_groups_lock
 * @restored_vmgen_id: of the machine when that was read
 * @restored_old: it slept since, or may have been put back; vrseq_groups_lock
 * @file_count:	attached files; vrseq_groups_lock
 * @members:	the voters, sorted by id; vrseq_groups_lock, others look at engine.udp.peers
 * @member_count: valid elements
 * @engine:	what it does
 */
struct vrseq_group {
	struct kref kref;
	struct list_head list;
	u64 net_cookie;
	struct vrseq_group_config config;
	struct vr_record found;
	struct vr_replica *restored;
	u64 restored_vmgen_id;
	bool restored_old;
	u32 file_count;
	struct vrseq_member members[VR_REPLICAS_MAX];
	u8 member_count;
	struct vrseq_engine engine;
};

/**
 * struct vrseq_snapshot - one look at a group, for those who show it
 * @info:	what the replica says
 * @now_ns:	the time to compare heard_ns with
 * @self:	our slot, VR_NOBODY if we are a client
 * @self_id:	our id
 * @client_count: clients in the list
 * @member_count: valid elements of @members
 * @members:	by slot
 * @trust:	by slot: enum vrseq_trust
 * @journal:	what the journal says, if there is one
 * @journal_differs: it is of other members
 * @text:	one sentence for people
 */
struct vrseq_snapshot {
	struct vr_info info;
	u64 now_ns;
	u8 self;
	u16 self_id;
	u32 client_count;
	u8 member_count;
	struct vrseq_member members[VR_REPLICAS_MAX];
	u8 trust[VR_REPLICAS_MAX];
	struct vrseq_journal_state journal;
	bool journal_differs;
	char text[VRSEQ_STATUS_TEXT_BYTES];
};

/* group.c */
int vrseq_groups_init(void);
void vrseq_groups_exit(void);
void vrseq_groups_hand_over(void);
void vrseq_groups_demote(enum vrseq_stat reason);

void vrseq_group_name_uuid(const char *name, uuid_t *uuid);
int vrseq_group_add(struct net *net, const struct vrseq_group_config *config,
		    const u8 *key, struct netlink_ext_ack *extack);
int vrseq_group_del(struct net *net, const char *name, struct netlink_ext_ack *extack);
int vrseq_group_resign(struct net *net, const char *name, struct netlink_ext_ack *extack);

int vrseq_group_attach(u64 net_cookie, const struct file *opened, const char *name,
		       struct vrseq_group **group);
void vrseq_group_detach(struct vrseq_group *group, u32 slot);
struct vrseq_group *vrseq_group_hold(struct net *net, const char *name,
				     struct netlink_ext_ack *extack);
struct vrseq_group *vrseq_group_hold_nth(struct net *net, u32 skip);
void vrseq_group_put(struct vrseq_group *group);

int vrseq_group_look(struct vrseq_group *group, struct vrseq_snapshot *s);
u64 vrseq_group_memory_bytes(const struct vrseq_group *group);

/* member.c */
int vrseq_member_add(struct net *net, const char *name, const struct vrseq_member *member,
		     struct netlink_ext_ack *extack);
int vrseq_member_del(struct net *net, const char *name, u16 id,
		     struct netlink_ext_ack *extack);

/* forming.c */
int vrseq_group_form(struct net *net, const char *name, u16 generation,
		     struct netlink_ext_ack *extack);
int vrseq_group_reform(struct net *net, const char *name, struct netlink_ext_ack *extack);

/* keys.c */
int vrseq_group_set_key(struct net *net, const char *name, const u8 *key,
			struct netlink_ext_ack *extack);
int vrseq_group_swap_keys(struct net *net, const char *name, struct netlink_ext_ack *extack);

/* status.c */
void vrseq_status_describe(const struct vrseq_group *group, struct vrseq_snapshot *look);

#endif /* VRSEQ_GROUP_H */
