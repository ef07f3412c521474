/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file, or block device, in which one group at one member keeps what it must not
 * forget. Knows that nobody else here may have it, and not what is in it.
 */
#ifndef VRSEQ_DISK_H
#define VRSEQ_DISK_H

#include <linux/list.h>

struct file;
struct netlink_ext_ack;

/**
 * struct vrseq_disk - an open file that no other group here has
 * @list:	in disks; disks_lock
 * @file:	NULL if it is not open
 */
struct vrseq_disk {
	struct list_head list;
	struct file *file;
};

int vrseq_disk_open(struct vrseq_disk *disk, const char *noun, const char *path, bool device,
		    struct netlink_ext_ack *extack);
void vrseq_disk_close(struct vrseq_disk *disk);
int vrseq_disk_refuse(struct netlink_ext_ack *extack, int error, const char *noun,
		      const char *reason, const char *path);

#endif /* VRSEQ_DISK_H */
