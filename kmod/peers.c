// SPDX-License-Identifier: GPL-2.0
/*
 * The table of voters and the list of clients. Changes come one at a time, under
 * vrseq_groups_lock; datagrams look at both under RCU.
 */
#include "peers.h"

#include <linux/jhash.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>
#include <linux/slab.h>

/* ---- voters ------------------------------------------------------------------- */

static struct vrseq_auth_peer *auth_of(const struct vrseq_peers *peers, u16 id)
{
	u8 slot;

	for (slot = 0; peers && slot < peers->count; slot++) {
		if (peers->member[slot].id == id)
			return peers->auth[slot];
	}
	return NULL;
}

/**
 * vrseq_peers_create - a table of voters with empty route caches
 * @members:	sorted by id
 * @count:	0 .. VR_REPLICAS_MAX
 * @self:	our slot, VR_NOBODY if we are a client
 * @from:	where we listen
 * @secure:	the group has a key
 * @old:	what was agreed with its members goes on, NULL for none
 *
 * Return: the table, or NULL without memory.
 */
struct vrseq_peers *vrseq_peers_create(const struct vrseq_member *members, u8 count, u8 self,
				       const struct vrseq_endpoint *from, bool secure,
				       const struct vrseq_peers *old)
{
	struct vrseq_peers *peers = kzalloc(sizeof(*peers), GFP_KERNEL_ACCOUNT);
	u8 slot;

	if (!peers)
		return NULL;
	peers->count = count;
	peers->self = self;
	peers->from = *from;
	for (slot = 0; slot < count; slot++) {
		peers->member[slot] = members[slot];
		if (dst_cache_init(&peers->route[slot], GFP_KERNEL))
			goto err_members;
		if (!secure || slot == self)
			continue;
		peers->auth[slot] = auth_of(old, members[slot].id);
		if (peers->auth[slot])
			continue;
		peers->auth[slot] = kzalloc(sizeof(*peers->auth[slot]), GFP_KERNEL_ACCOUNT);
		if (!peers->auth[slot])
			goto err_members;
		vrseq_auth_peer_init(peers->auth[slot], members[slot].id);
	}
	return peers;

err_members:
	vrseq_peers_destroy(peers, old);
	return NULL;
}

/**
 * vrseq_peers_destroy - free a table that nobody can see any more
 * @peers:	table, or NULL
 * @next:	another one that keeps what it has of the same members, or NULL
 */
void vrseq_peers_destroy(struct vrseq_peers *peers, const struct vrseq_peers *next)
{
	u8 slot;

	if (!peers)
		return;
	for (slot = 0; slot < peers->count; slot++) {
		dst_cache_destroy(&peers->route[slot]);
		if (peers->auth[slot] != auth_of(next, peers->member[slot].id))
			kfree_sensitive(peers->auth[slot]);
	}
	kfree(peers);
}

/* ---- clients ------------------------------------------------------------------ */

static u32 address_hash(const struct vrseq_endpoint *at)
{
	return __ipv6_addr_jhash(&at->address, (__force u32)at->port);
}

static size_t auth_bytes(const struct vrseq_clients *clients)
{
	return clients->auth ? clients->max * sizeof(*clients->auth) : 0;
}

/* One block: the places, and room for what waits in them. */
static struct vrseq_segments *segments_create(void)
{
	struct vrseq_segments *segments;

	segments = kvmalloc(sizeof(*segments) + VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX,
			    GFP_KERNEL_ACCOUNT);
	if (segments)
		vrseq_segments_init(segments, (u8 *)(segments + 1));
	return segments;
}

/**
 * vrseq_clients_create - room for clients
 * @clients:	zeroed
 * @max:	how many, 0 = none
 * @secure:	the group has a key
 *
 * Return: 0 or -ENOMEM; then there is nothing to destroy.
 */
int vrseq_clients_create(struct vrseq_clients *clients, u32 max, bool secure)
{
	u32 chains = roundup_pow_of_two(max ?: 1);

	clients->max = max;
	if (!max)
		return 0;
	clients->mask = chains - 1;
	clients->by_id = kvcalloc(chains, sizeof(*clients->by_id), GFP_KERNEL_ACCOUNT);
	clients->by_address = kvcalloc(chains, sizeof(*clients->by_address), GFP_KERNEL_ACCOUNT);
	clients->rows = kvcalloc(max, sizeof(*clients->rows), GFP_KERNEL_ACCOUNT);
	clients->segments = segments_create();
	if (secure)
		clients->auth = kvcalloc(max, sizeof(*clients->auth), GFP_KERNEL_ACCOUNT);
	if (clients->by_id && clients->by_address && clients->rows && clients->segments &&
	    (clients->auth || !secure))
		return 0;
	vrseq_clients_destroy(clients);
	return -ENOMEM;
}

/** vrseq_clients_destroy - forget all; the socket is closed, nobody looks any more */
void vrseq_clients_destroy(struct vrseq_clients *clients)
{
	kvfree_sensitive(clients->auth, auth_bytes(clients));
	kvfree(clients->segments);
	kvfree(clients->rows);
	kvfree(clients->by_address);
	kvfree(clients->by_id);
	memset(clients, 0, sizeof(*clients));
}

/** vrseq_clients_by_id - the client with this id, under RCU or vrseq_groups_lock */
const struct vrseq_client *vrseq_clients_by_id(const struct vrseq_clients *clients, u16 id)
{
	const struct vrseq_client *client;

	if (!clients->max)
		return NULL;
	hlist_for_each_entry_rcu(client, &clients->by_id[id & clients->mask], by_id, true) {
		if (client->id == id)
			return client;
	}
	return NULL;
}

/** vrseq_clients_by_address - the client that listens there, under RCU or vrseq_groups_lock */
const struct vrseq_client *vrseq_clients_by_address(const struct vrseq_clients *clients,
						    const struct vrseq_endpoint *at)
{
	const struct vrseq_client *client;
	struct hlist_head *chain;

	if (!clients->max)
		return NULL;
	chain = &clients->by_address[address_hash(at) & clients->mask];
	hlist_for_each_entry_rcu(client, chain, by_address, true) {
		if (vrseq_endpoint_equal(&client->endpoint, at))
			return client;
	}
	return NULL;
}

/**
 * vrseq_clients_add - listen to one more
 * @clients:	room; vrseq_groups_lock is held
 * @id:		of a client that is not there
 * @endpoint:	where nobody listens that is
 *
 * Return: 0, or -ENOSPC if there is no room.
 */
int vrseq_clients_add(struct vrseq_clients *clients, u16 id,
		      const struct vrseq_endpoint *endpoint)
{
	struct vrseq_client *client = clients->rows;

	if (clients->count >= clients->max)
		return -ENOSPC;
	while (client->id)
		client++;
	client->endpoint = *endpoint;
	if (clients->auth)
		vrseq_auth_peer_init(&clients->auth[client - clients->rows], id);
	/* Whoever sees the id sees the rest. */
	smp_store_release(&client->id, id);
	hlist_add_head_rcu(&client->by_id, &clients->by_id[id & clients->mask]);
	hlist_add_head_rcu(&client->by_address,
			   &clients->by_address[address_hash(endpoint) & clients->mask]);
	WRITE_ONCE(clients->count, clients->count + 1);
	return 0;
}

/**
 * vrseq_clients_del - listen to it no more
 * @clients:	list; vrseq_groups_lock is held
 * @id:		who
 *
 * Waits for a grace period: then nobody is at its row, which is free.
 *
 * Return: false if it is not there.
 */
bool vrseq_clients_del(struct vrseq_clients *clients, u16 id)
{
	const struct vrseq_client *found = vrseq_clients_by_id(clients, id);
	struct vrseq_client *client;

	if (!found)
		return false;
	client = &clients->rows[found - clients->rows];
	hlist_del_rcu(&client->by_id);
	hlist_del_rcu(&client->by_address);
	WRITE_ONCE(clients->count, clients->count - 1);
	synchronize_net();
	WRITE_ONCE(client->id, 0);
	/* Who went through all rows may have found the id still. */
	synchronize_net();
	if (clients->auth)
		memzero_explicit(&clients->auth[client - clients->rows], sizeof(*clients->auth));
	return true;
}

/** vrseq_clients_bytes - memory of the list, all of it taken when the group was added */
size_t vrseq_clients_bytes(const struct vrseq_clients *clients)
{
	if (!clients->max)
		return 0;
	return (clients->mask + 1) * 2 * sizeof(*clients->by_id) +
	       clients->max * sizeof(*clients->rows) + auth_bytes(clients) +
	       sizeof(*clients->segments) + VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX;
}

/* ---- either ------------------------------------------------------------------- */

static void set_voter(struct vrseq_remote *remote, struct vrseq_peers *peers, u8 slot)
{
	*remote = (struct vrseq_remote) {
		.member = slot,
		.id = peers->member[slot].id,
		.endpoint = peers->member[slot].endpoint,
		.route = &peers->route[slot],
		.auth = peers->auth[slot],
	};
}

static void set_client(struct vrseq_remote *remote, const struct vrseq_clients *clients,
		       const struct vrseq_client *client)
{
	*remote = (struct vrseq_remote) {
		.member = client->id,
		.id = client->id,
		.endpoint = client->endpoint,
		.auth = clients->auth ? &clients->auth[client - clients->rows] : NULL,
	};
}

/**
 * vrseq_remote_find - a member by what the core calls it
 * @remote:	receives it
 * @peers:	table of voters
 * @clients:	list of clients
 * @member:	slot of a voter or id of a client
 *
 * Return: false if there is none, or it is ourselves.
 */
bool vrseq_remote_find(struct vrseq_remote *remote, struct vrseq_peers *peers,
		       const struct vrseq_clients *clients, u16 member)
{
	const struct vrseq_client *client;

	if (!vr_is_client(member)) {
		if (member >= peers->count || member == peers->self)
			return false;
		set_voter(remote, peers, member);
		return true;
	}
	client = vrseq_clients_by_id(clients, member);
	if (client)
		set_client(remote, clients, client);
	return client;
}

/**
 * vrseq_remote_at - a member by where it listens
 * @remote:	receives it
 * @peers:	table of voters
 * @clients:	list of clients
 * @at:		the address
 *
 * Return: false if there is none, or it is ourselves.
 */
bool vrseq_remote_at(struct vrseq_remote *remote, struct vrseq_peers *peers,
		     const struct vrseq_clients *clients, const struct vrseq_endpoint *at)
{
	const struct vrseq_client *client;
	u8 slot;

	for (slot = 0; slot < peers->count; slot++) {
		if (!vrseq_endpoint_equal(&peers->member[slot].endpoint, at))
			continue;
		set_voter(remote, peers, slot);
		return slot != peers->self;
	}
	client = vrseq_clients_by_address(clients, at);
	if (client)
		set_client(remote, clients, client);
	return client;
}

/**
 * vrseq_auth_number - what was agreed with one of all others
 * @peers:	table of voters, under RCU
 * @clients:	list of clients
 * @number:	below vrseq_auth_count()
 *
 * Return: NULL if there is nobody with this number, or no key.
 */
struct vrseq_auth_peer *vrseq_auth_number(const struct vrseq_peers *peers,
					  const struct vrseq_clients *clients, u32 number)
{
	if (number < VR_REPLICAS_MAX)
		return number < peers->count ? peers->auth[number] : NULL;
	number -= VR_REPLICAS_MAX;
	/* Pairs with the release in vrseq_clients_add(). */
	return smp_load_acquire(&clients->rows[number].id) ? &clients->auth[number] : NULL;
}
