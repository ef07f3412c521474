// SPDX-License-Identifier: GPL-2.0
/* See disk.h. */
#include "disk.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/netlink.h>

#include "compat.h"

static DEFINE_MUTEX(disks_lock);	/* disks; a leaf */
static LIST_HEAD(disks);

/**
 * vrseq_disk_refuse - say why a group cannot have it
 * @extack:	told
 * @error:	to be returned
 * @noun:	what it is for
 * @reason:	comes before @path: the sentence may be cut where that is long
 * @path:	as it was given
 *
 * Return: @error.
 */
int vrseq_disk_refuse(struct netlink_ext_ack *extack, int error, const char *noun,
		      const char *reason, const char *path)
{
	NL_SET_ERR_MSG_FMT(extack, "%s: %s: %s", noun, reason, path);
	return error;
}

/* Hard links and mounts are many, what is behind them is one. */
static int enlist(struct vrseq_disk *disk)
{
	struct vrseq_disk *other;
	int error = 0;

	mutex_lock(&disks_lock);
	list_for_each_entry(other, &disks, list) {
		if (other->file->f_mapping == disk->file->f_mapping)
			error = -EBUSY;
	}
	if (!error)
		list_add_tail(&disk->list, &disks);
	mutex_unlock(&disks_lock);
	return error;
}

/**
 * vrseq_disk_open - open a file, or make an empty one
 * @disk:	zeroes
 * @noun:	what it is for, in a sentence for people
 * @path:	absolute, as the caller sees it, and with what the caller may
 * @device:	a block device will do, too
 * @extack:	told why not
 *
 * Return: 0; -EINVAL, -EBUSY if a group here has it, or what the file system said.
 */
int vrseq_disk_open(struct vrseq_disk *disk, const char *noun, const char *path, bool device,
		    struct netlink_ext_ack *extack)
{
	const int flags = O_RDWR | O_LARGEFILE | O_NOCTTY | O_NONBLOCK;
	struct file *file;
	umode_t mode;

	if (*path != '/')
		return vrseq_disk_refuse(extack, -EINVAL, noun, "needs an absolute path", path);
	file = filp_open(path, flags, 0);
	if (PTR_ERR_OR_ZERO(file) == -ENOENT)
		file = filp_open(path, flags | O_CREAT | O_EXCL, 0600);
	if (IS_ERR(file))
		return vrseq_disk_refuse(extack, PTR_ERR(file), noun, "cannot be opened or made",
					 path);
	mode = file_inode(file)->i_mode;
	if (!S_ISREG(mode) && !(device && S_ISBLK(mode))) {
		filp_close(file, NULL);
		return vrseq_disk_refuse(extack, -EINVAL, noun, device ?
					 "must be a file or a block device" : "must be a file",
					 path);
	}
	disk->file = file;
	if (enlist(disk)) {
		disk->file = NULL;
		filp_close(file, NULL);
		return vrseq_disk_refuse(extack, -EBUSY, noun, "of another group here", path);
	}
	return 0;
}

/** vrseq_disk_close - somebody else may have it; nothing happens if it is not open */
void vrseq_disk_close(struct vrseq_disk *disk)
{
	if (!disk->file)
		return;
	mutex_lock(&disks_lock);
	list_del(&disk->list);
	mutex_unlock(&disks_lock);
	fput(disk->file);
	disk->file = NULL;
}
