// SPDX-License-Identifier: GPL-2.0
/* The way to a member by IPv4; see path.h. */
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp.h>
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

/*
 * As udp_tunnel_xmit_skb(), without what is for a packet that was somebody else's before,
 * and without a hash for an identification that a datagram with DF has no use for (RFC
 * 6864): it has the one of any other socket's.
 */
void vrseq_path4_xmit(struct sock *sk, struct dst_entry *route, const struct vrseq_endpoint *from,
		      const struct vrseq_endpoint *to, struct sk_buff *skb)
{
	__be32 source = vrseq_endpoint_address4(from), target = vrseq_endpoint_address4(to);
	struct net *net = sock_net(sk);
	struct udphdr *udp;
	struct iphdr *ip;

	udp = skb_push(skb, sizeof(*udp));
	skb_reset_transport_header(skb);
	udp->source = from->port;
	udp->dest = to->port;
	udp->len = htons(skb->len);
	udp_set_csum(false, skb, source, target, skb->len);

	ip = skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip->version = 4;
	ip->ihl = sizeof(*ip) >> 2;
	ip->tos = 0;
	ip->frag_off = ip_mtu_locked(route) ? 0 : htons(IP_DF);
	ip->ttl = ip4_dst_hoplimit(route);
	ip->protocol = IPPROTO_UDP;
	ip->saddr = source;
	ip->daddr = target;
	ip_select_ident(net, skb, sk);

	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_dst_set(skb, route);
	ip_local_out(net, sk, skb);
}
