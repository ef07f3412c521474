/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The way to a member: the socket, the route and the headers. All that differs
 * between IPv4 (path4.c) and IPv6 (path6.c, left out where the kernel has none)
 * is here; udp.c calls the functions below and never asks for a family.
 */
#ifndef VRSEQ_PATH_H
#define VRSEQ_PATH_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "endpoint.h"

struct dst_cache;
struct dst_entry;
struct net;
struct sock;
struct socket;

#define VRSEQ_PATH_HEADER_BYTES_MAX (sizeof(struct ipv6hdr) + sizeof(struct udphdr))

bool vrseq_path4_is_local(struct net *net, const struct vrseq_endpoint *at);
int vrseq_path4_socket(struct net *net, const struct vrseq_endpoint *at, struct socket **sock);
struct dst_entry *vrseq_path4_route(struct sock *sk, struct dst_cache *cache,
				    const struct vrseq_endpoint *from,
				    const struct vrseq_endpoint *to);
void vrseq_path4_xmit(struct sock *sk, struct dst_entry *route, const struct vrseq_endpoint *from,
		      const struct vrseq_endpoint *to, struct sk_buff *skb);

bool vrseq_path6_is_local(struct net *net, const struct vrseq_endpoint *at);
int vrseq_path6_socket(struct net *net, const struct vrseq_endpoint *at, struct socket **sock);
struct dst_entry *vrseq_path6_route(struct sock *sk, struct dst_cache *cache,
				    const struct vrseq_endpoint *from,
				    const struct vrseq_endpoint *to);
void vrseq_path6_xmit(struct sock *sk, struct dst_entry *route, const struct vrseq_endpoint *from,
		      const struct vrseq_endpoint *to, struct sk_buff *skb);

/** vrseq_path_is_local - is it an address of this machine? */
static inline bool vrseq_path_is_local(struct net *net, const struct vrseq_endpoint *at)
{
	return vrseq_endpoint_ipv4(at) ? vrseq_path4_is_local(net, at) :
					 vrseq_path6_is_local(net, at);
}

/**
 * vrseq_path_socket - a socket of one family, bound, with checksums
 * @net:	where; not referenced
 * @at:		a local endpoint
 * @sock:	receives it
 *
 * Return: 0 or an errno of the socket layer.
 */
static inline int vrseq_path_socket(struct net *net, const struct vrseq_endpoint *at,
				    struct socket **sock)
{
	return vrseq_endpoint_ipv4(at) ? vrseq_path4_socket(net, at, sock) :
					 vrseq_path6_socket(net, at, sock);
}

/** vrseq_path_source - who says to have sent a datagram that came */
static inline void vrseq_path_source(const struct sk_buff *skb, struct vrseq_endpoint *from)
{
	if (skb->protocol == htons(ETH_P_IP))
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &from->address);
	else
		from->address = ipv6_hdr(skb)->saddr;
	from->port = udp_hdr(skb)->source;
}

/** vrseq_path_header_bytes - what stands before our bytes on the way there */
static inline u32 vrseq_path_header_bytes(const struct vrseq_endpoint *to)
{
	return sizeof(struct udphdr) +
	       (vrseq_endpoint_ipv4(to) ? sizeof(struct iphdr) : sizeof(struct ipv6hdr));
}

/**
 * vrseq_path_route - the way to a member
 * @sk:		our socket
 * @cache:	of the routes to it, or NULL
 * @from:	where @sk is bound to
 * @to:		of the same family
 *
 * Bottom halves are off. Return: the route, referenced, or NULL if there is none.
 */
static inline struct dst_entry *vrseq_path_route(struct sock *sk, struct dst_cache *cache,
						 const struct vrseq_endpoint *from,
						 const struct vrseq_endpoint *to)
{
	return vrseq_endpoint_ipv4(to) ? vrseq_path4_route(sk, cache, from, to) :
					 vrseq_path6_route(sk, cache, from, to);
}

/**
 * vrseq_path_xmit - put the headers before a datagram, and send it
 * @sk:		our socket
 * @route:	from vrseq_path_route(); consumed
 * @from:	where @sk is bound to
 * @to:		of the same family
 * @skb:	datagram with room for VRSEQ_PATH_HEADER_BYTES_MAX in front; consumed
 *
 * Nobody on the way takes it apart.
 */
static inline void vrseq_path_xmit(struct sock *sk, struct dst_entry *route,
				   const struct vrseq_endpoint *from,
				   const struct vrseq_endpoint *to, struct sk_buff *skb)
{
	if (vrseq_endpoint_ipv4(to))
		vrseq_path4_xmit(sk, route, from, to, skb);
	else
		vrseq_path6_xmit(sk, route, from, to, skb);
}

#endif /* VRSEQ_PATH_H */
