/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between the members of a group, over UDP and IPv4, each of them one
 * datagram or, if the path takes no such long ones, several. Owns the socket, the
 * members' addresses and their routes; knows members by slot and bytes by their
 * number, not what is in them. All that arrives, and is opened by auth.c if the
 * group has a key, goes to the engine.
 */
#ifndef VRSEQ_UDP_H
#define VRSEQ_UDP_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/vrseq_netlink.h>
#include <net/dst_cache.h>

#include "auth.h"
#include "segment.h"
#include "stats.h"
#include "vr_types.h"

struct net;
struct netlink_ext_ack;
struct sock;

/** struct vrseq_endpoint - where a member listens */
struct vrseq_endpoint {
	__be32 address;
	__be16 port;
};

/** struct vrseq_member - one member as it was configured */
struct vrseq_member {
	u16 id;
	u8 role;
	struct vrseq_endpoint endpoint;
};

/**
 * struct vrseq_peers - all members, oneself included; the index is the slot
 * @count:	valid elements of @member and @route
 * @self:	our slot
 * @member:	sorted by id
 * @route:	to each of them
 * @auth:	what was agreed with each of them, NULL in a group without a key;
 *		goes on from table to table
 *
 * Never changed once it is published, only replaced as a whole.
 */
struct vrseq_peers {
	u8 count;
	u8 self;
	struct vrseq_member member[VR_REPLICAS_MAX];
	struct dst_cache route[VR_REPLICAS_MAX];
	struct vrseq_auth_peer *auth[VR_REPLICAS_MAX];
};

/**
 * struct vrseq_udp - the socket of a group
 * @sk:		NULL once the group is gone; RCU
 * @peers:	RCU, replaced under groups_lock
 * @stats:	the engine's
 * @secure:	the group has a key: nothing else is sent or taken
 * @auth:	its keys
 * @messages:	number of the next message of several parts, without a key
 * @segments:	messages of which not all parts are here
 */
struct vrseq_udp {
	struct sock __rcu *sk;
	struct vrseq_peers __rcu *peers;
	struct vrseq_stats *stats;
	bool secure;
	struct vrseq_auth auth;
	atomic64_t messages;
	struct vrseq_segments segments;
};

int vrseq_udp_init(void);
void vrseq_udp_exit(void);

struct vrseq_peers *vrseq_peers_create(const struct vrseq_member *members, u8 count, u8 self,
				       bool secure, const struct vrseq_peers *old);
void vrseq_peers_destroy(struct vrseq_peers *peers, const struct vrseq_peers *next);

int vrseq_udp_create(struct vrseq_udp *udp, struct vrseq_stats *stats);
void vrseq_udp_destroy(struct vrseq_udp *udp);

int vrseq_udp_open(struct vrseq_udp *udp, struct net *net, struct vrseq_endpoint listen,
		   struct netlink_ext_ack *extack);
void vrseq_udp_close(struct vrseq_udp *udp);
struct vrseq_peers *vrseq_udp_replace_peers(struct vrseq_udp *udp, struct vrseq_peers *peers);

u16 vrseq_udp_member_id(const struct vrseq_udp *udp, u8 slot);
enum vrseq_trust vrseq_udp_trust(struct vrseq_udp *udp, u8 slot, u64 now_ns);
void vrseq_udp_renew(struct vrseq_udp *udp);
void vrseq_udp_set_key(struct vrseq_udp *udp, int slot, const u8 *bytes);
bool vrseq_udp_swap_keys(struct vrseq_udp *udp);

struct sk_buff *vrseq_udp_alloc(struct vrseq_udp *udp, u8 slot, u32 bytes);
void vrseq_udp_xmit(struct vrseq_udp *udp, struct sk_buff *skb);

#endif /* VRSEQ_UDP_H */
