/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of a group share, and nobody else sees: group.c has the list and the
 * lives, member.c who is in a group, storage.c what it keeps on disks.
 */
#ifndef VRSEQ_GROUP_PRIVATE_H
#define VRSEQ_GROUP_PRIVATE_H

#include <linux/mutex.h>

#include "group.h"

/* group.c */
extern struct mutex vrseq_groups_lock;

struct vrseq_group *vrseq_group_find(struct net *net, const char *name,
				     struct netlink_ext_ack *extack);

/* member.c */
int vrseq_group_configure(const struct vrseq_group *group, const struct vrseq_member *members,
			  u8 count, struct vr_wire_group *identity, struct vr_config *cfg,
			  struct netlink_ext_ack *extack);
int vrseq_group_install(struct vrseq_group *group, const struct vrseq_member *members,
			u8 count, struct netlink_ext_ack *extack);

/* storage.c */
int vrseq_group_open_storage(struct vrseq_group *group, const struct vrseq_member *self,
			     struct netlink_ext_ack *extack);
bool vrseq_group_journal_is_of(const struct vrseq_group *group, const u16 *ids, u8 count);
int vrseq_group_check_restored(struct vrseq_group *group, const struct vr_config *cfg,
			       struct netlink_ext_ack *extack);

#endif /* VRSEQ_GROUP_PRIVATE_H */
