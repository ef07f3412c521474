// SPDX-License-Identifier: GPL-2.0
/*
 * Writes of a record, by a work item, so that softirq never waits for a disk: the
 * core asks for one and is told when it ended. Who waits for the disk is the work
 * and nobody else. A disk that hangs delays what depends on that write; taking
 * the group away waits a second for it and then leaves it to itself: the write
 * keeps the file, its own memory and the module until it ends, so that unloading
 * is refused (EBUSY) meanwhile, and hangs nowhere.
 */
#include "record.h"

#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "disk.h"
#include "engine.h"

#define CLOSE_WAIT_JIFFIES	HZ

/**
 * struct vrseq_record - an open record
 * @kref:	held by the group, and by the work while a write is under way
 * @disk:	stays open
 * @engine:	who is told; NULL once the group has gone; engine_lock
 * @engine_lock: held while it is told; nothing that waits for a disk is done inside
 * @lock:	protects the next four; a leaf
 * @closed:	no write begins any more
 * @wanted:	@content is to be written, as number @number
 * @number:	of the core
 * @content:	what to write
 * @sequence:	of the newest write
 * @idle:	no write is under way
 * @slot:	where the next write begins: the work's, see vr_record.h
 * @work:	writes
 * @bytes:	of a slot; the work's
 */
struct vrseq_record {
	struct kref kref;
	struct vrseq_disk disk;
	struct vrseq_engine *engine;
	struct mutex engine_lock;	/* engine */
	spinlock_t lock;		/* closed .. content */
	bool closed;
	bool wanted;
	u64 number;
	struct vr_record content;
	u64 sequence;
	struct completion idle;
	u32 slot;
	struct work_struct work;
	u8 bytes[VR_RECORD_BYTES];
};

static struct workqueue_struct *queue;

static void release(struct kref *kref)
{
	struct vrseq_record *record = container_of(kref, struct vrseq_record, kref);

	vrseq_disk_close(&record->disk);
	kfree(record);
}

/* One slot, then the other, each on stable storage before the next step. */
static int write_slots(struct vrseq_record *record, const struct vr_record *content)
{
	u32 i;

	vr_record_encode(record->bytes, content);
	for (i = 0; i < VR_RECORD_SLOTS; i++) {
		loff_t at = record->slot * VR_RECORD_SLOT_BYTES;
		ssize_t written = kernel_write(record->disk.file, record->bytes,
					       VR_RECORD_SLOT_BYTES, &at);
		int error;

		if (written < 0)
			return written;
		if (written != VR_RECORD_SLOT_BYTES)
			return -ENOSPC;
		error = vfs_fsync(record->disk.file, 0);
		if (error)
			return error;
		record->slot = (record->slot + 1) % VR_RECORD_SLOTS;
	}
	return 0;
}

static void write_work(struct work_struct *work)
{
	struct vrseq_record *record = container_of(work, struct vrseq_record, work);
	struct vr_record content;
	u64 number;
	int error;

	spin_lock_bh(&record->lock);
	content = record->content;
	number = record->number;
	record->wanted = false;
	spin_unlock_bh(&record->lock);

	content.sequence = ++record->sequence;
	error = write_slots(record, &content);

	/* The next write may be queued from here: it runs when this one has returned. */
	mutex_lock(&record->engine_lock);
	complete_all(&record->idle);
	if (record->engine)
		vrseq_engine_recorded(record->engine, number, error);
	mutex_unlock(&record->engine_lock);
	kref_put(&record->kref, release);
	module_put(THIS_MODULE);
}

/**
 * vrseq_record_write - begin a write; vrseq_engine_recorded() tells how it ended
 * @record:	record, with none under way
 * @number:	to be told then
 * @content:	what it shall say, but for its sequence and list
 * @members:	digest of the list
 *
 * Does not sleep. While the module is on its way out nothing is written any more,
 * and nobody is told: the group is on its way out too.
 */
void vrseq_record_write(struct vrseq_record *record, u64 number,
			const struct vr_record *content, u64 members)
{
	bool queued = false;

	spin_lock_bh(&record->lock);
	if (!record->closed && !record->wanted && try_module_get(THIS_MODULE)) {
		kref_get(&record->kref);
		record->wanted = true;
		record->number = number;
		record->content = *content;
		record->content.members = members;
		reinit_completion(&record->idle);
		queued = true;
	}
	spin_unlock_bh(&record->lock);
	if (queued)
		queue_work(queue, &record->work);
}

/* ---- opening ------------------------------------------------------------------ */

static int refuse(struct netlink_ext_ack *extack, int error, const char *reason,
		  const char *path)
{
	return vrseq_disk_refuse(extack, error, "record", reason, path);
}

static int check_found(const struct vr_record *found, enum vr_record_verdict verdict,
		       const u8 *uuid, u16 member_id, const char *path,
		       struct netlink_ext_ack *extack)
{
	switch (verdict) {
	case VR_RECORD_BLANK:
		return 0;
	case VR_RECORD_DAMAGED:
		return refuse(extack, -EINVAL, "damaged, or none: not started", path);
	case VR_RECORD_VERSION_NEW:
		return refuse(extack, -EINVAL, "of a newer version: not started", path);
	default:
		break;
	}
	if (memcmp(found->uuid, uuid, VR_UUID_BYTES))
		return refuse(extack, -EINVAL, "of another group: not started", path);
	if (found->member_id == member_id)
		return 0;
	return refuse(extack, -EINVAL, "of another member: not started", path);
}

static int read_and_mark(struct vrseq_record *record, const char *path, const u8 *uuid,
			 u16 member_id, struct vr_record *found, struct netlink_ext_ack *extack)
{
	enum vr_record_verdict verdict;
	loff_t at = 0;
	ssize_t count = kernel_read(record->disk.file, record->bytes, VR_RECORD_BYTES, &at);
	int error;

	if (count < 0)
		return refuse(extack, count, "cannot be read", path);
	memset(found, 0, sizeof(*found));
	verdict = vr_record_decode(record->bytes, count, found);
	error = check_found(found, verdict, uuid, member_id, path, extack);
	if (error)
		return error;
	memcpy(found->uuid, uuid, VR_UUID_BYTES);
	found->member_id = member_id;
	found->sequence++;
	record->sequence = found->sequence;
	record->slot = vr_record_slot(record->bytes, count);
	/* Both slots are made whole, and who cannot write is told now. */
	error = write_slots(record, found);
	return error ? refuse(extack, error, "cannot be written", path) : 0;
}

/**
 * vrseq_record_open - open a record, or make a blank one
 * @path:	absolute, as the caller sees it
 * @uuid:	of the group it must be of
 * @member_id:	of the member it must be of
 * @found:	receives what it says
 * @extack:	told why not
 *
 * In the context of whoever adds the group, who waits for the disk himself.
 *
 * Return: the record; -EINVAL, also if what is there is not what was expected,
 * -EBUSY, or what the file system said.
 */
struct vrseq_record *vrseq_record_open(const char *path, const u8 *uuid, u16 member_id,
				       struct vr_record *found,
				       struct netlink_ext_ack *extack)
{
	struct vrseq_record *record = kzalloc(sizeof(*record), GFP_KERNEL_ACCOUNT);
	int error;

	if (!record) {
		NL_SET_ERR_MSG(extack, "there is not enough memory");
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&record->kref);
	mutex_init(&record->engine_lock);
	spin_lock_init(&record->lock);
	init_completion(&record->idle);
	complete_all(&record->idle);
	INIT_WORK(&record->work, write_work);
	error = vrseq_disk_open(&record->disk, "record", path, true, extack) ?:
		read_and_mark(record, path, uuid, member_id, found, extack);
	if (error)
		goto err_record;
	return record;

err_record:
	vrseq_record_put(record);
	return ERR_PTR(error);
}

/**
 * vrseq_record_attach - whom to tell of writes
 * @record:	record
 * @engine:	engine, until vrseq_record_stop()
 */
void vrseq_record_attach(struct vrseq_record *record, struct vrseq_engine *engine)
{
	mutex_lock(&record->engine_lock);
	record->engine = engine;
	mutex_unlock(&record->engine_lock);
}

/**
 * vrseq_record_stop - the group goes: nobody is told anything after this
 * @record:	record, or NULL
 *
 * Waits for a write under way, a second at most; if the disk hangs, it ends by
 * itself, and until then nobody else can have the file.
 */
void vrseq_record_stop(struct vrseq_record *record)
{
	if (!record)
		return;
	spin_lock_bh(&record->lock);
	record->closed = true;
	spin_unlock_bh(&record->lock);
	vrseq_record_attach(record, NULL);
	wait_for_completion_timeout(&record->idle, CLOSE_WAIT_JIFFIES);
}

/** vrseq_record_put - the group is gone, and whoever looked at it; NULL is none */
void vrseq_record_put(struct vrseq_record *record)
{
	if (record)
		kref_put(&record->kref, release);
}

/** vrseq_records_init - be ready to write */
int __init vrseq_records_init(void)
{
	queue = alloc_workqueue("vrseq_record", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

/** vrseq_records_exit - no group is left, and a write under way would hold the module */
void vrseq_records_exit(void)
{
	destroy_workqueue(queue);
}
