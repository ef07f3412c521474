// SPDX-License-Identifier: GPL-2.0
/*
 * Endpoints in and out of netlink messages, and a sentence for each address that
 * can be nobody's.
 */
#include "endpoint.h"

#include <linux/inetdevice.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <net/netlink.h>

#include "compat.h"

static const char *wrong_ipv4(__be32 address)
{
	if (ipv4_is_zeronet(address) || ipv4_is_multicast(address) || ipv4_is_lbcast(address))
		return "address: that of one machine is needed";
	return NULL;
}

static const char *wrong_ipv6(const struct in6_addr *address)
{
	if (ipv6_addr_any(address))
		return "address: :: stands for none, that of one machine is needed";
	if (ipv6_addr_is_multicast(address))
		return "address: a multicast address is that of many, one of one machine is needed";
	if (ipv6_addr_v4mapped(address))
		return "address: one of IPv4 that is mapped into IPv6, give it as what it is";
	/* It would be good for one link only, and none is configured. */
	if (ipv6_addr_type(address) & IPV6_ADDR_LINKLOCAL)
		return "address: a link-local one means nothing without a link, take a global one";
	return NULL;
}

/**
 * vrseq_endpoint_take - an endpoint as netlink names it
 * @at:		receives it
 * @ipv4:	attribute of 4 bytes, whose length has been checked, or NULL
 * @ipv6:	of 16 bytes, likewise; there is one of the two
 * @port:	attribute, u16
 * @extack:	told why not
 *
 * Return: 0, -EINVAL, or -EAFNOSUPPORT: no IPv6 in this kernel.
 */
int vrseq_endpoint_take(struct vrseq_endpoint *at, const struct nlattr *ipv4,
			const struct nlattr *ipv6, const struct nlattr *port,
			struct netlink_ext_ack *extack)
{
	const struct nlattr *address = ipv6 ?: ipv4;
	const char *wrong;

	if (ipv4 && ipv6) {
		NL_SET_ERR_MSG_ATTR(extack, ipv6, "address: either of IPv4 or of IPv6, not both");
		return -EINVAL;
	}
	if (ipv6 && !ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, ipv6, "address: this kernel runs without IPv6");
		return -EAFNOSUPPORT;
	}
	if (ipv6) {
		at->address = nla_get_in6_addr(ipv6);
		wrong = wrong_ipv6(&at->address);
	} else {
		ipv6_addr_set_v4mapped(nla_get_in_addr(ipv4), &at->address);
		wrong = wrong_ipv4(vrseq_endpoint_address4(at));
	}
	if (wrong) {
		NL_SET_BAD_ATTR(extack, address);
		NL_SET_ERR_MSG_FMT(extack, "%s", wrong);
		return -EINVAL;
	}
	at->port = htons(nla_get_u16(port));
	return 0;
}

/**
 * vrseq_endpoint_put - tell netlink of an endpoint
 * @skb:	message
 * @at:		the endpoint
 * @ipv4:	attribute for its address, or
 * @ipv6:	if it is one of IPv6, this one
 * @port:	attribute for its port
 *
 * Return: 0 or -EMSGSIZE.
 */
int vrseq_endpoint_put(struct sk_buff *skb, const struct vrseq_endpoint *at, int ipv4, int ipv6,
		       int port)
{
	int error;

	if (vrseq_endpoint_ipv4(at))
		error = nla_put_in_addr(skb, ipv4, vrseq_endpoint_address4(at));
	else
		error = nla_put_in6_addr(skb, ipv6, &at->address);
	return error ?: nla_put_u16(skb, port, ntohs(at->port));
}
