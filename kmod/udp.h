/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages between the members of a group, over UDP, each of them one
 * datagram or, if the path takes no such long ones, several. Owns the socket; knows
 * members as the core does, voters by slot and clients by id, and bytes by their
 * number, not what is in them. All that arrives, and is opened by auth.c if the
 * group has a key, goes to the engine.
 */
#ifndef VRSEQ_UDP_H
#define VRSEQ_UDP_H

#include <linux/skbuff.h>
#include <linux/types.h>
#include <linux/vrseq_netlink.h>

#include "auth.h"
#include "peers.h"
#include "segment.h"
#include "stats.h"

struct net;
struct netlink_ext_ack;
struct sock;

/**
 * struct vrseq_udp - the socket of a group
 * @sk:		NULL once the group is gone; RCU
 * @peers:	RCU, replaced under vrseq_groups_lock
 * @clients:	whom a voter listens to besides
 * @stats:	the engine's
 * @secure:	the group has a key: nothing else is sent or taken
 * @auth:	its keys
 * @messages:	number of the next message of several parts, without a key
 * @segments:	messages of voters of which not all parts are here
 */
struct vrseq_udp {
	struct sock __rcu *sk;
	struct vrseq_peers __rcu *peers;
	struct vrseq_clients clients;
	struct vrseq_stats *stats;
	bool secure;
	struct vrseq_auth auth;
	atomic64_t messages;
	struct vrseq_segments segments;
};

int vrseq_udp_init(void);
void vrseq_udp_exit(void);

int vrseq_udp_create(struct vrseq_udp *udp, struct vrseq_stats *stats);
void vrseq_udp_destroy(struct vrseq_udp *udp);

int vrseq_udp_open(struct vrseq_udp *udp, struct net *net, const struct vrseq_endpoint *listen,
		   struct netlink_ext_ack *extack);
void vrseq_udp_close(struct vrseq_udp *udp);
struct vrseq_peers *vrseq_udp_replace_peers(struct vrseq_udp *udp, struct vrseq_peers *peers);

u16 vrseq_udp_member_id(const struct vrseq_udp *udp, u16 member);
enum vrseq_trust vrseq_udp_trust(struct vrseq_udp *udp, u8 slot, u64 now_ns);
void vrseq_udp_renew(struct vrseq_udp *udp);
void vrseq_udp_set_key(struct vrseq_udp *udp, int slot, const u8 *bytes);
bool vrseq_udp_swap_keys(struct vrseq_udp *udp);

struct sk_buff *vrseq_udp_alloc(struct vrseq_udp *udp, u16 member, u32 bytes);
void vrseq_udp_xmit(struct vrseq_udp *udp, struct sk_buff *skb);

#endif /* VRSEQ_UDP_H */
