/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a member listens: an address of either family, and a port. Owns the one
 * form that both are kept in, and what netlink says and is told of it; knows no
 * socket and no group.
 */
#ifndef VRSEQ_ENDPOINT_H
#define VRSEQ_ENDPOINT_H

#include <linux/types.h>
#include <net/ipv6.h>

struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/**
 * struct vrseq_endpoint - where a member listens
 * @address:	of IPv6; one of IPv4 is mapped (::ffff:a.b.c.d), so that nobody who
 *		compares asks for a family. No member of IPv6 has such a one
 * @port:	UDP
 */
struct vrseq_endpoint {
	struct in6_addr address;
	__be16 port;
};

/** vrseq_endpoint_ipv4 - is it one of IPv4? Where the kernel has no IPv6 it is */
static inline bool vrseq_endpoint_ipv4(const struct vrseq_endpoint *at)
{
	return !IS_ENABLED(CONFIG_IPV6) || ipv6_addr_v4mapped(&at->address);
}

/** vrseq_endpoint_address4 - the address of an endpoint of IPv4 */
static inline __be32 vrseq_endpoint_address4(const struct vrseq_endpoint *at)
{
	return at->address.s6_addr32[3];
}

/** vrseq_endpoint_equal - is it the same place? */
static inline bool vrseq_endpoint_equal(const struct vrseq_endpoint *a,
					const struct vrseq_endpoint *b)
{
	return a->port == b->port && ipv6_addr_equal(&a->address, &b->address);
}

int vrseq_endpoint_take(struct vrseq_endpoint *at, const struct nlattr *ipv4,
			const struct nlattr *ipv6, const struct nlattr *port,
			struct netlink_ext_ack *extack);
int vrseq_endpoint_put(struct sk_buff *skb, const struct vrseq_endpoint *at, int ipv4, int ipv6,
		       int port);

#endif /* VRSEQ_ENDPOINT_H */
