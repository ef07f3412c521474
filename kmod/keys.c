// SPDX-License-Identifier: GPL-2.0
/*
 * The two keys of a group as its operator sees them: the second comes, becomes the
 * first, goes. What is done with keys is in auth.c.
 */
#include "group.h"

#include <linux/netlink.h>

/**
 * vrseq_group_set_key - give a group its second key, or take it away
 * @net:	where
 * @name:	which
 * @key:	VRSEQ_KEY_BYTES, NULL = none
 * @extack:	told why not
 *
 * Datagrams name their key by its tag, 8 bits of a hash: of two keys with the same
 * one the second would never be tried.
 *
 * Return: 0, -ENOENT, -EEXIST the same tag, or -EOPNOTSUPP: the group is insecure.
 */
int vrseq_group_set_key(struct net *net, const char *name, const u8 *key,
			struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = vrseq_group_hold(net, name, extack);
	int error = 0;
	u8 tag;

	if (!group)
		return -ENOENT;
	if (!group->config.secure) {
		NL_SET_ERR_MSG(extack, "name: the group is insecure, it has no keys");
		error = -EOPNOTSUPP;
	} else if (!key && !vrseq_auth_has_key(&group->engine.udp.auth, 1, &tag)) {
		NL_SET_ERR_MSG(extack, "name: the group has no second key");
		error = -ENOENT;
	} else if (key && vrseq_auth_has_key(&group->engine.udp.auth, 0, &tag) &&
		   vrseq_auth_tag(key) == tag) {
		NL_SET_ERR_MSG(extack, "key: it looks like the first one (same tag), make another");
		error = -EEXIST;
	} else {
		vrseq_udp_set_key(&group->engine.udp, 1, key);
	}
	vrseq_group_put(group);
	return error;
}

/**
 * vrseq_group_swap_keys - seal with the second key, keep the first for opening
 * @net:	where
 * @name:	which
 * @extack:	told why not
 *
 * Return: 0, or -ENOENT: no such group or no second key.
 */
int vrseq_group_swap_keys(struct net *net, const char *name, struct netlink_ext_ack *extack)
{
	struct vrseq_group *group = vrseq_group_hold(net, name, extack);
	int error = 0;

	if (!group)
		return -ENOENT;
	if (!vrseq_udp_swap_keys(&group->engine.udp)) {
		NL_SET_ERR_MSG(extack, "name: the group has no second key");
		error = -ENOENT;
	}
	vrseq_group_put(group);
	return error;
}
