// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family of uapi/linux/vrseq_netlink.h: its commands, each with a
 * sentence for each refusal. netlink_config.c takes what a new group is to be,
 * netlink_show.c shows what there is. Decides nothing.
 */
#include "netlink_private.h"

#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/vrseq_netlink.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>

#include "compat.h"
#include "group.h"
#include "netlink.h"

#define NAME_POLICY { .type = NLA_NUL_STRING, .len = VRSEQ_GROUP_NAME_BYTES - 1 }

#define KEY_NAME_POLICY { .type = NLA_NUL_STRING, .len = VRSEQ_KEY_NAME_BYTES - 1 }

static const struct nla_policy name_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
};

static const struct nla_policy group_add_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_SELF_ID] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_ADDRESS_IPV4] = NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[VRSEQ_A_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_INSECURE] = { .type = NLA_FLAG },
	[VRSEQ_A_HEARTBEAT_NS] = { .type = NLA_U64 },
	[VRSEQ_A_VIEW_TIMEOUT_NS] = { .type = NLA_U64 },
	[VRSEQ_A_LOG_ENTRIES] = { .type = NLA_U32 },
	[VRSEQ_A_LOG_BYTES] = { .type = NLA_U32 },
	[VRSEQ_A_MESSAGES] = { .type = NLA_U32 },
	[VRSEQ_A_MESSAGE_BYTES] = { .type = NLA_U32 },
	[VRSEQ_A_UUID] = NLA_POLICY_EXACT_LEN(UUID_SIZE),
	[VRSEQ_A_LEASE_NS] = { .type = NLA_U64 },
	[VRSEQ_A_RECORD_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_RECORD] = { .type = NLA_NUL_STRING, .len = VRSEQ_RECORD_PATH_BYTES - 1 },
	[VRSEQ_A_KEY] = NLA_POLICY_EXACT_LEN(VRSEQ_KEY_BYTES),
	[VRSEQ_A_KEY_NAME] = KEY_NAME_POLICY,
	[VRSEQ_A_ROLE] = { .type = NLA_U8 },
	[VRSEQ_A_CLIENTS_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_NODE_LEASE_NS] = { .type = NLA_U64 },
	[VRSEQ_A_FILES_MAX] = { .type = NLA_U32 },
	[VRSEQ_A_ADDRESS_IPV6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
	[VRSEQ_A_GID] = { .type = NLA_U32 },
	[VRSEQ_A_WIRE] = { .type = NLA_U8 },
	[VRSEQ_A_JOURNAL] = { .type = NLA_NUL_STRING, .len = VRSEQ_JOURNAL_PATH_BYTES - 1 },
	[VRSEQ_A_JOURNAL_BYTES] = { .type = NLA_U64 },
};

static const struct nla_policy key_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_KEY] = NLA_POLICY_EXACT_LEN(VRSEQ_KEY_BYTES),
	[VRSEQ_A_KEY_NAME] = KEY_NAME_POLICY,
};

static const struct nla_policy group_form_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_GENERATION] = NLA_POLICY_MAX(NLA_U16, VR_GENERATION_MAX),
};

static const struct nla_policy member_policy[] = {
	[VRSEQ_A_MEMBER_ID] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_MEMBER_ADDRESS_IPV4] = NLA_POLICY_EXACT_LEN(sizeof(__be32)),
	[VRSEQ_A_MEMBER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[VRSEQ_A_MEMBER_ROLE] = { .type = NLA_U8 },
	[VRSEQ_A_MEMBER_ADDRESS_IPV6] = NLA_POLICY_EXACT_LEN(sizeof(struct in6_addr)),
};

static const struct nla_policy group_member_policy[] = {
	[VRSEQ_A_NAME] = NAME_POLICY,
	[VRSEQ_A_MEMBER] = NLA_POLICY_NESTED(member_policy),
};

/** vrseq_netlink_refuse_missing - explain that an attribute is */
int vrseq_netlink_refuse_missing(struct genl_info *info, const char *what)
{
	NL_SET_ERR_MSG_FMT(info->extack, "%s is missing", what);
	return -EINVAL;
}

/** vrseq_netlink_refuse - explain which values an attribute can have */
int vrseq_netlink_refuse(struct genl_info *info, int attribute, const char *range)
{
	NL_SET_BAD_ATTR(info->extack, info->attrs[attribute]);
	NL_SET_ERR_MSG_FMT(info->extack, "%s", range);
	return -EINVAL;
}

/** vrseq_netlink_name - the name of the group, or an error that has been explained */
const char *vrseq_netlink_name(struct genl_info *info)
{
	const struct nlattr *attribute = info->attrs[VRSEQ_A_NAME];
	const char *name, *c;

	if (!attribute)
		return ERR_PTR(vrseq_netlink_refuse_missing(info, "name"));
	name = nla_data(attribute);
	for (c = name; *c; c++) {
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.-", *c)))
			break;
	}
	if (c == name || *c)
		return ERR_PTR(vrseq_netlink_refuse(info, VRSEQ_A_NAME,
						    "name: 1 to 31 letters, digits and _ . -"));
	return name;
}

static int group_add(struct sk_buff *skb, struct genl_info *info)
{
	struct vrseq_group_config config = { .self_id = 0 };
	const char *name = vrseq_netlink_name(info);
	u8 key[VRSEQ_KEY_BYTES];
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	strscpy(config.name, name, sizeof(config.name));
	error = vrseq_netlink_take_config(info, &config, key) ?:
		vrseq_group_add(genl_info_net(info), &config, key, info->extack);
	memzero_explicit(key, sizeof(key));
	return error;
}

static int key_set(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = vrseq_netlink_name(info);
	u8 key[VRSEQ_KEY_BYTES];
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = vrseq_netlink_take_key(info, key);
	if (!error)
		error = vrseq_netlink_refuse_missing(info, "key, or its name");
	if (error > 0)
		error = vrseq_group_set_key(genl_info_net(info), name, key, info->extack);
	memzero_explicit(key, sizeof(key));
	return error;
}

typedef int (*act_fn)(struct net *net, const char *name, struct netlink_ext_ack *extack);

/* A command that takes the name of the group and nothing else. */
static int act_on(struct genl_info *info, act_fn act)
{
	const char *name = vrseq_netlink_name(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return act(genl_info_net(info), name, info->extack);
}

static int key_swap(struct sk_buff *skb, struct genl_info *info)
{
	return act_on(info, vrseq_group_swap_keys);
}

static int key_del(struct sk_buff *skb, struct genl_info *info)
{
	const char *name = vrseq_netlink_name(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_set_key(genl_info_net(info), name, NULL, info->extack);
}

static int group_del(struct sk_buff *skb, struct genl_info *info)
{
	return act_on(info, vrseq_group_del);
}

static int group_resign(struct sk_buff *skb, struct genl_info *info)
{
	return act_on(info, vrseq_group_resign);
}

static int group_reform(struct sk_buff *skb, struct genl_info *info)
{
	return act_on(info, vrseq_group_reform);
}

static int group_form(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *generation = info->attrs[VRSEQ_A_GENERATION];
	const char *name = vrseq_netlink_name(info);

	if (IS_ERR(name))
		return PTR_ERR(name);
	return vrseq_group_form(genl_info_net(info), name,
				generation ? nla_get_u16(generation) : 0, info->extack);
}

static int parse_member(struct genl_info *info, struct nlattr **attrs)
{
	if (!info->attrs[VRSEQ_A_MEMBER])
		return vrseq_netlink_refuse_missing(info, "member");
	if (nla_parse_nested(attrs, ARRAY_SIZE(member_policy) - 1, info->attrs[VRSEQ_A_MEMBER],
			     member_policy, info->extack))
		return -EINVAL;
	if (!attrs[VRSEQ_A_MEMBER_ID])
		return vrseq_netlink_refuse_missing(info, "member id");
	return 0;
}

static int member_add(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(member_policy)];
	const char *name = vrseq_netlink_name(info);
	struct vrseq_member member = { .role = VRSEQ_ROLE_VOTER };
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = parse_member(info, attrs);
	if (error)
		return error;
	if ((!attrs[VRSEQ_A_MEMBER_ADDRESS_IPV4] && !attrs[VRSEQ_A_MEMBER_ADDRESS_IPV6]) ||
	    !attrs[VRSEQ_A_MEMBER_PORT])
		return vrseq_netlink_refuse_missing(info, "member: its address and port");
	if (attrs[VRSEQ_A_MEMBER_ROLE])
		member.role = nla_get_u8(attrs[VRSEQ_A_MEMBER_ROLE]);
	if (member.role != VRSEQ_ROLE_VOTER && member.role != VRSEQ_ROLE_CLIENT) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[VRSEQ_A_MEMBER_ROLE],
				    "member role: voter or client");
		return -EOPNOTSUPP;
	}
	member.id = nla_get_u16(attrs[VRSEQ_A_MEMBER_ID]);
	error = vrseq_endpoint_take(&member.endpoint, attrs[VRSEQ_A_MEMBER_ADDRESS_IPV4],
				    attrs[VRSEQ_A_MEMBER_ADDRESS_IPV6],
				    attrs[VRSEQ_A_MEMBER_PORT], info->extack);
	if (error)
		return error;
	return vrseq_member_add(genl_info_net(info), name, &member, info->extack);
}

static int member_del(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(member_policy)];
	const char *name = vrseq_netlink_name(info);
	int error;

	if (IS_ERR(name))
		return PTR_ERR(name);
	error = parse_member(info, attrs);
	if (error)
		return error;
	return vrseq_member_del(genl_info_net(info), name,
				nla_get_u16(attrs[VRSEQ_A_MEMBER_ID]), info->extack);
}

/* ---- the family ------------------------------------------------------------- */

static const struct genl_ops ops[] = {
	{
		.cmd = VRSEQ_CMD_GROUP_ADD,
		.flags = GENL_ADMIN_PERM,
		.doit = group_add,
		.policy = group_add_policy,
		.maxattr = ARRAY_SIZE(group_add_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = group_del,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_FORM,
		.flags = GENL_ADMIN_PERM,
		.doit = group_form,
		.policy = group_form_policy,
		.maxattr = ARRAY_SIZE(group_form_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_GET,
		.doit = vrseq_netlink_group_get,
		.start = vrseq_netlink_dump_start,
		.dumpit = vrseq_netlink_group_dump,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_MEMBER_ADD,
		.flags = GENL_ADMIN_PERM,
		.doit = member_add,
		.policy = group_member_policy,
		.maxattr = ARRAY_SIZE(group_member_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_MEMBER_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = member_del,
		.policy = group_member_policy,
		.maxattr = ARRAY_SIZE(group_member_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_STATS_GET,
		.doit = vrseq_netlink_stats_get,
		.start = vrseq_netlink_dump_start,
		.dumpit = vrseq_netlink_stats_dump,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_RESIGN,
		.flags = GENL_ADMIN_PERM,
		.doit = group_resign,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_GROUP_REFORM,
		.flags = GENL_ADMIN_PERM,
		.doit = group_reform,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_SET,
		.flags = GENL_ADMIN_PERM,
		.doit = key_set,
		.policy = key_policy,
		.maxattr = ARRAY_SIZE(key_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_SWAP,
		.flags = GENL_ADMIN_PERM,
		.doit = key_swap,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	}, {
		.cmd = VRSEQ_CMD_KEY_DEL,
		.flags = GENL_ADMIN_PERM,
		.doit = key_del,
		.policy = name_policy,
		.maxattr = ARRAY_SIZE(name_policy) - 1,
	},
};

struct genl_family vrseq_netlink_family __ro_after_init = {
	.name = VRSEQ_GENL_NAME,
	.version = VRSEQ_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.ops = ops,
	.n_ops = ARRAY_SIZE(ops),
};

/** vrseq_netlink_init - register the family */
int __init vrseq_netlink_init(void)
{
	return genl_register_family(&vrseq_netlink_family);
}

/** vrseq_netlink_exit - waits for the commands under way */
void vrseq_netlink_exit(void)
{
	genl_unregister_family(&vrseq_netlink_family);
}
