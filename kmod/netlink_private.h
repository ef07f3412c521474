/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the netlink family share: netlink.c has the commands,
 * netlink_config.c what a new group is to be, netlink_show.c what is shown.
 */
#ifndef VRSEQ_NETLINK_PRIVATE_H
#define VRSEQ_NETLINK_PRIVATE_H

#include <linux/types.h>

struct genl_family;
struct genl_info;
struct netlink_callback;
struct sk_buff;
struct vrseq_group_config;

/* netlink.c */
extern struct genl_family vrseq_netlink_family;

int vrseq_netlink_refuse_missing(struct genl_info *info, const char *what);
int vrseq_netlink_refuse(struct genl_info *info, int attribute, const char *range);
const char *vrseq_netlink_name(struct genl_info *info);

/* netlink_config.c */
int vrseq_netlink_take_config(struct genl_info *info, struct vrseq_group_config *config, u8 *key);
int vrseq_netlink_take_key(struct genl_info *info, u8 *key);

/* netlink_show.c */
int vrseq_netlink_group_get(struct sk_buff *skb, struct genl_info *info);
int vrseq_netlink_dump_start(struct netlink_callback *cb);
int vrseq_netlink_group_dump(struct sk_buff *skb, struct netlink_callback *cb);
int vrseq_netlink_stats_get(struct sk_buff *skb, struct genl_info *info);
int vrseq_netlink_stats_dump(struct sk_buff *skb, struct netlink_callback *cb);

#endif /* VRSEQ_NETLINK_PRIVATE_H */
