// SPDX-License-Identifier: GPL-2.0
/* The way to a member by IPv4; see path.h. */
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "path.h"

bool vrseq_path4_is_local(struct net *net, const struct vrseq_endpoint *at)
{
	return inet_addr_type(net, vrseq_endpoint_address4(at)) == RTN_LOCAL;
}

int vrseq_path4_socket(struct net *net, const struct vrseq_endpoint *at, struct socket **sock)
{
	struct udp_port_cfg port = {
		.family = AF_INET,
		.local_ip.s_addr = vrseq_endpoint_address4(at),
		.local_udp_port = at->port,
		.use_udp_checksums = true,
	};

	return udp_sock_create(net, &port, sock);
}

struct dst_entry *vrseq_path4_route(struct sock *sk, struct dst_cache *cache,
				    const struct vrseq_endpoint *from,
				    const struct vrseq_endpoint *to)
{
	__be32 source;
	struct rtable *rt = cache ? dst_cache_get_ip4(cache, &source) : NULL;
	struct flowi4 flow = {
		.saddr = vrseq_endpoint_address4(from),
		.daddr = vrseq_endpoint_address4(to),
		.fl4_sport = from->port,
		.fl4_dport = to->port,
		.flowi4_proto = IPPROTO_UDP,
	};

	if (rt)
		return &rt->dst;
	security_sk_classify_flow(sk, flowi4_to_flowi_common(&flow));
	rt = ip_route_output_flow(sock_net(sk), &flow, sk);
	if (IS_ERR(rt))
		return NULL;
	if (cache)
		dst_cache_set_ip4(cache, &rt->dst, flow.saddr);
	return &rt->dst;
}

void vrseq_path4_xmit(struct sock *sk, struct dst_entry *route, const struct vrseq_endpoint *from,
		      const struct vrseq_endpoint *to, struct sk_buff *skb)
{
	udp_tunnel_xmit_skb(container_of(route, struct rtable, dst), sk, skb,
			    vrseq_endpoint_address4(from), vrseq_endpoint_address4(to), 0,
			    ip4_dst_hoplimit(route), htons(IP_DF), from->port, to->port,
			    false, false);
}
