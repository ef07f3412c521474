// SPDX-License-Identifier: GPL-2.0
/*
 * The way to a member by IPv6; see path.h. There is no flow label, and no scope:
 * link-local addresses are refused. No router takes a datagram apart, and neither
 * do we, as ignore_df is not set.
 */
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_route.h>
#include <net/udp_tunnel.h>

#include "path.h"

/* One whose uniqueness is still being looked into (DAD) is not ours yet. */
bool vrseq_path6_is_local(struct net *net, const struct vrseq_endpoint *at)
{
	return ipv6_chk_addr(net, &at->address, NULL, 0);
}

int vrseq_path6_socket(struct net *net, const struct vrseq_endpoint *at, struct socket **sock)
{
	struct udp_port_cfg port = {
		.family = AF_INET6,
		.local_ip6 = at->address,
		.local_udp_port = at->port,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = true,
		.ipv6_v6only = true,
	};

	return udp_sock_create(net, &port, sock);
}

struct dst_entry *vrseq_path6_route(struct sock *sk, struct dst_cache *cache,
				    const struct vrseq_endpoint *from,
				    const struct vrseq_endpoint *to)
{
	struct in6_addr source;
	struct dst_entry *dst = cache ? dst_cache_get_ip6(cache, &source) : NULL;
	struct flowi6 flow = {
		.saddr = from->address,
		.daddr = to->address,
		.fl6_sport = from->port,
		.fl6_dport = to->port,
		.flowi6_proto = IPPROTO_UDP,
	};

	if (dst)
		return dst;
	/* A look-up of IPv4 refuses a source that is not ours any more, this one does not. */
	if (!vrseq_path6_is_local(sock_net(sk), from))
		return NULL;
	security_sk_classify_flow(sk, flowi6_to_flowi_common(&flow));
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, &flow, NULL);
	if (IS_ERR(dst))
		return NULL;
	if (cache)
		dst_cache_set_ip6(cache, dst, &flow.saddr);
	return dst;
}

void vrseq_path6_xmit(struct sock *sk, struct dst_entry *route, const struct vrseq_endpoint *from,
		      const struct vrseq_endpoint *to, struct sk_buff *skb)
{
	/* Copies, as older kernels do not promise to leave them alone. */
	struct in6_addr source = from->address, destination = to->address;

	udp_tunnel6_xmit_skb(route, sk, skb, NULL, &source, &destination, 0,
			     ip6_dst_hoplimit(route), 0, from->port, to->port, false);
}
