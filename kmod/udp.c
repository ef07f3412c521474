// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams in and out, all of it in softirq or with bottom halves off. Loss is
 * a fact of life here: no memory and no route are just that, and are counted.
 */
#include "udp.h"

#include <linux/ip.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "engine.h"

#define HEADROOM (LL_MAX_HEADER + sizeof(struct iphdr) + sizeof(struct udphdr))

/* Ours until the IP layer takes the datagram over. */
struct datagram {
	u8 slot;
};

static struct datagram *datagram(struct sk_buff *skb)
{
	return (struct datagram *)skb->cb;
}

/**
 * vrseq_peers_create - a table of members with empty route caches
 * @members:	sorted by id
 * @count:	1 .. VR_REPLICAS_MAX
 * @self:	our slot
 *
 * Return: the table, or NULL without memory.
 */
struct vrseq_peers *vrseq_peers_create(const struct vrseq_member *members, u8 count, u8 self)
{
	struct vrseq_peers *peers = kzalloc(sizeof(*peers), GFP_KERNEL);
	u8 slot;

	if (!peers)
		return NULL;
	peers->count = count;
	peers->self = self;
	for (slot = 0; slot < count; slot++) {
		peers->member[slot] = members[slot];
		if (dst_cache_init(&peers->route[slot], GFP_KERNEL))
			goto err_routes;
	}
	return peers;

err_routes:
	vrseq_peers_destroy(peers);
	return NULL;
}

/** vrseq_peers_destroy - free a table that nobody can see any more */
void vrseq_peers_destroy(struct vrseq_peers *peers)
{
	u8 slot;

	if (!peers)
		return;
	for (slot = 0; slot < peers->count; slot++)
		dst_cache_destroy(&peers->route[slot]);
	kfree(peers);
}

/**
 * vrseq_udp_replace_peers - publish a new table of members
 * @udp:	socket
 * @peers:	new table, NULL for none
 *
 * The caller holds groups_lock and waits for a grace period before it destroys
 * what is returned. A datagram that was on its way between the two tables may
 * go to the wrong member, which drops it.
 *
 * Return: the old table, or NULL.
 */
struct vrseq_peers *vrseq_udp_replace_peers(struct vrseq_udp *udp, struct vrseq_peers *peers)
{
	return rcu_replace_pointer(udp->peers, peers, true);
}

/** vrseq_udp_member_id - id of the member in a slot, 0 = none */
u16 vrseq_udp_member_id(const struct vrseq_udp *udp, u8 slot)
{
	const struct vrseq_peers *peers;
	u16 id = 0;

	rcu_read_lock();
	peers = rcu_dereference(udp->peers);
	if (peers && slot < peers->count)
		id = peers->member[slot].id;
	rcu_read_unlock();
	return id;
}

static int slot_of(const struct vrseq_peers *peers, __be32 address, __be16 port)
{
	u8 slot;

	for (slot = 0; slot < peers->count; slot++) {
		const struct vrseq_endpoint *at = &peers->member[slot].endpoint;

		if (at->address == address && at->port == port)
			return slot;
	}
	return -ENOENT;
}

/* The encap_rcv hook: the checksum is verified, data begins at the UDP header. */
static int receive(struct sock *sk, struct sk_buff *skb)
{
	struct vrseq_engine *e = rcu_dereference_sk_user_data(sk);
	struct vrseq_peers *peers;
	int slot;

	if (!e)
		goto drop;
	peers = rcu_dereference(e->udp.peers);
	slot = peers ? slot_of(peers, ip_hdr(skb)->saddr, udp_hdr(skb)->source) : -ENOENT;
	if (slot < 0) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_ADDRESS);
		goto drop;
	}
	if (skb->len > sizeof(struct udphdr) + VR_DATAGRAM_BYTES_MAX) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_SIZE);
		goto drop;
	}
	if (skb_linearize(skb)) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_NO_MEMORY);
		goto drop;
	}
	vrseq_engine_receive(e, slot, skb->data + sizeof(struct udphdr),
			     skb->len - sizeof(struct udphdr));
	consume_skb(skb);
	return 0;

drop:
	kfree_skb(skb);
	return 0;
}

/**
 * vrseq_udp_open - listen
 * @udp:	socket, whose engine is ready to receive
 * @net:	where; not referenced, see vrseq_udp_close()
 * @listen:	our own endpoint
 * @extack:	told why not
 *
 * Return: 0, -EADDRNOTAVAIL, -EADDRINUSE, or another errno of the socket layer.
 */
int vrseq_udp_open(struct vrseq_udp *udp, struct net *net, struct vrseq_endpoint listen,
		   struct netlink_ext_ack *extack)
{
	struct udp_port_cfg port = {
		.family = AF_INET,
		.local_ip.s_addr = listen.address,
		.local_udp_port = listen.port,
		.use_udp_checksums = true,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = container_of(udp, struct vrseq_engine, udp),
		.encap_type = 1,
		.encap_rcv = receive,
	};
	struct socket *sock;
	int error;

	if (inet_addr_type(net, listen.address) != RTN_LOCAL) {
		NL_SET_ERR_MSG(extack, "listen address: not an address of this machine");
		return -EADDRNOTAVAIL;
	}
	error = udp_sock_create(net, &port, &sock);
	if (error) {
		if (error == -EADDRINUSE)
			NL_SET_ERR_MSG(extack, "listen address: the port is taken");
		else
			NL_SET_ERR_MSG(extack, "listen address: cannot bind to it");
		return error;
	}
	sock->sk->sk_allocation = GFP_ATOMIC;
	setup_udp_tunnel_sock(net, sock, &tunnel);
	rcu_assign_pointer(udp->sk, sock->sk);
	return 0;
}

/**
 * vrseq_udp_close - nothing is received or sent any more when this returns
 * @udp: socket; closing it again does nothing
 *
 * The socket does not hold its network namespace; whoever owns the group closes
 * it before the namespace is gone.
 */
void vrseq_udp_close(struct vrseq_udp *udp)
{
	struct sock *sk = rcu_replace_pointer(udp->sk, NULL, true);

	if (!sk)
		return;
	/*
	 * Takes the hook's pointer away too, and waits for a grace period before
	 * it releases: who is in receive() or vrseq_udp_xmit() may finish.
	 */
	udp_tunnel_sock_release(sk->sk_socket);
}

/**
 * vrseq_udp_alloc - an empty datagram
 * @udp:	socket
 * @slot:	receiver
 * @bytes:	size of what will be put into it
 *
 * Return: the datagram, or NULL without memory, which is counted.
 */
struct sk_buff *vrseq_udp_alloc(struct vrseq_udp *udp, u8 slot, u32 bytes)
{
	struct sk_buff *skb = alloc_skb(HEADROOM + bytes, GFP_ATOMIC | __GFP_NOWARN);

	if (!skb) {
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_MEMORY);
		return NULL;
	}
	skb_reserve(skb, HEADROOM);
	datagram(skb)->slot = slot;
	return skb;
}

static struct rtable *route_to(struct sock *sk, struct dst_cache *cache,
			       const struct vrseq_endpoint *from,
			       const struct vrseq_endpoint *to)
{
	__be32 source;
	struct rtable *rt = dst_cache_get_ip4(cache, &source);
	struct flowi4 flow = {
		.saddr = from->address,
		.daddr = to->address,
		.fl4_sport = from->port,
		.fl4_dport = to->port,
		.flowi4_proto = IPPROTO_UDP,
	};

	if (rt)
		return rt;
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
	rt = ip_route_output_flow(sock_net(sk), &flow, sk);
	if (IS_ERR(rt))
		return NULL;
	dst_cache_set_ip4(cache, &rt->dst, flow.saddr);
	return rt;
}

/**
 * vrseq_udp_xmit - send a datagram, or lose it
 * @udp:	socket
 * @skb:	from vrseq_udp_alloc(), filled; consumed
 *
 * Bottom halves are off and no lock is held. On loopback and veth the receiver
 * runs when they are switched on again, not before.
 */
void vrseq_udp_xmit(struct vrseq_udp *udp, struct sk_buff *skb)
{
	struct vrseq_peers *peers = rcu_dereference_bh(udp->peers);
	struct sock *sk = rcu_dereference_bh(udp->sk);
	const struct vrseq_endpoint *from, *to;
	u8 slot = datagram(skb)->slot;
	struct rtable *rt;

	if (!sk || !peers || slot >= peers->count) {
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_PEER);
		kfree_skb(skb);
		return;
	}
	from = &peers->member[peers->self].endpoint;
	to = &peers->member[slot].endpoint;
	rt = route_to(sk, &peers->route[slot], from, to);
	if (!rt) {
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_ROUTE);
		kfree_skb(skb);
		return;
	}
	udp_tunnel_xmit_skb(rt, sk, skb, from->address, to->address, 0,
			    ip4_dst_hoplimit(&rt->dst), 0, from->port, to->port,
			    false, false);
}
