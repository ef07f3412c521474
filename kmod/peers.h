/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whom a member speaks to: the voters in a table, by slot, that is replaced as a
 * whole, and at a voter its clients, who come and go one by one. Owns addresses,
 * routes and what was agreed with each of them; knows no socket and no message.
 */
#ifndef VRSEQ_PEERS_H
#define VRSEQ_PEERS_H

#include <linux/list.h>
#include <linux/types.h>
#include <net/dst_cache.h>

#include "auth.h"
#include "endpoint.h"
#include "segment.h"
#include "vr_types.h"

/** struct vrseq_member - one member as it was configured */
struct vrseq_member {
	u16 id;
	u8 role;
	struct vrseq_endpoint endpoint;
};

/**
 * struct vrseq_peers - all voters, oneself included if one is; the index is the slot
 * @count:	valid elements of @member and @route
 * @self:	our slot, VR_NOBODY if we are a client
 * @from:	where we listen
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
	struct vrseq_endpoint from;
	struct vrseq_member member[VR_REPLICAS_MAX];
	struct dst_cache route[VR_REPLICAS_MAX];
	struct vrseq_auth_peer *auth[VR_REPLICAS_MAX];
};

/**
 * struct vrseq_client - a client in the list of a voter
 * @id:		its member id, 0 = free row
 * @endpoint:	where it listens
 * @by_id:	in vrseq_clients.by_id; RCU
 * @by_address:	in vrseq_clients.by_address; RCU
 */
struct vrseq_client {
	u16 id;
	struct vrseq_endpoint endpoint;
	struct hlist_node by_id;
	struct hlist_node by_address;
};

/**
 * struct vrseq_clients - the clients in the list of a voter
 * @rows:	@max of them
 * @auth:	what was agreed with each, by row; NULL in a group without a key
 * @by_id:	@mask + 1 chains
 * @by_address:	@mask + 1 chains
 * @mask:	a power of two less one
 * @max:	how many there can be, 0 = none
 * @count:	how many there are; vrseq_groups_lock, as all changes are
 * @segments:	long messages of all of them: not those of voters, whose places
 *		they cannot take; NULL if there can be none
 *
 * All memory is taken when the group is added, so that a client costs what it
 * costs before it is there, and nothing a client says makes it more.
 */
struct vrseq_clients {
	struct vrseq_client *rows;
	struct vrseq_auth_peer *auth;
	struct hlist_head *by_id;
	struct hlist_head *by_address;
	u32 mask;
	u32 max;
	u32 count;
	struct vrseq_segments *segments;
};

/**
 * struct vrseq_remote - one other member, looked up under RCU and good as long
 * @member:	as the core knows it: slot of a voter, id of a client
 * @id:		its member id
 * @endpoint:	where it listens
 * @route:	to it; NULL = looked up each time, as caches for all clients on
 *		all CPUs would cost more
 * @auth:	what was agreed with it, NULL without a key
 */
struct vrseq_remote {
	u16 member;
	u16 id;
	struct vrseq_endpoint endpoint;
	struct dst_cache *route;
	struct vrseq_auth_peer *auth;
};

struct vrseq_peers *vrseq_peers_create(const struct vrseq_member *members, u8 count, u8 self,
				       const struct vrseq_endpoint *from, bool secure,
				       const struct vrseq_peers *old);
void vrseq_peers_destroy(struct vrseq_peers *peers, const struct vrseq_peers *next);

int vrseq_clients_create(struct vrseq_clients *clients, u32 max, bool secure);
void vrseq_clients_destroy(struct vrseq_clients *clients);
int vrseq_clients_add(struct vrseq_clients *clients, u16 id,
		      const struct vrseq_endpoint *endpoint);
bool vrseq_clients_del(struct vrseq_clients *clients, u16 id);
const struct vrseq_client *vrseq_clients_by_id(const struct vrseq_clients *clients, u16 id);
const struct vrseq_client *vrseq_clients_by_address(const struct vrseq_clients *clients,
						    const struct vrseq_endpoint *at);
size_t vrseq_clients_bytes(const struct vrseq_clients *clients);

bool vrseq_remote_find(struct vrseq_remote *remote, struct vrseq_peers *peers,
		       const struct vrseq_clients *clients, u16 member);
bool vrseq_remote_at(struct vrseq_remote *remote, struct vrseq_peers *peers,
		     const struct vrseq_clients *clients, const struct vrseq_endpoint *at);

/* Numbers below this are those of vrseq_auth_number(). */
static inline u32 vrseq_auth_count(const struct vrseq_clients *clients)
{
	return VR_REPLICAS_MAX + (clients->auth ? clients->max : 0);
}

struct vrseq_auth_peer *vrseq_auth_number(const struct vrseq_peers *peers,
					  const struct vrseq_clients *clients, u32 number);

#endif /* VRSEQ_PEERS_H */
