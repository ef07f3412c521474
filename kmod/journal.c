// SPDX-License-Identifier: GPL-2.0
/*
 * Writes of a journal, by a work item, so that softirq never waits for a disk: it
 * only says that there may be something to write. The work asks the core what that
 * is, under the engine's lock, and does it without: all that gathered while the
 * disk was busy is the next write, so that one fsync does for all who wait.
 *
 * Written through the page cache, then vfs_fsync() of the data: the core decides
 * which writes need one, so O_DSYNC on each would be more of them, and direct I/O
 * would ask for alignment that not all file systems grant. A write or an fsync that
 * fails is never tried again: what the page cache holds afterwards need not be what
 * the disk does. For the same reason a journal that is opened is read from the disk.
 *
 * A disk that hangs delays what waits for it and nothing else. Taking the group away
 * waits a second for a write under way and then leaves it to itself: it keeps the
 * file, its buffers and the module until it ends, so that unloading is refused
 * (EBUSY) and the file is nobody else's meanwhile.
 */
#include "journal.h"

#include <linux/backing-dev.h>
#include <linux/completion.h>
#include <linux/dcache.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/pagemap.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "disk.h"
#include "engine.h"
#include "vr_journal_write.h"
#include "vr_restore.h"

#define BLOCK_BYTES		4096	/* a write of one never touches another */
#define CLOSE_WAIT_JIFFIES	HZ
#define GUARD_JIFFIES		HZ	/* without a write, see vr_journal_close() */

/**
 * struct vrseq_journal - an open journal
 * @kref:	held by the group, and by the work while a write is under way
 * @disk:	stays open
 * @bytes:	of the file
 * @buffer_bytes: of @j's two buffers; constant
 * @scan:	what was found when it was opened; constant after that
 * @engine:	whose replica it is; NULL once the group has gone; engine_lock
 * @engine_lock: held while the engine is asked or told; nothing waits for a disk inside
 * @lock:	protects the next two; a leaf
 * @closed:	no write begins any more
 * @running:	the work is under way, and holds @kref and the module
 * @idle:	it is not
 * @work:	writes
 * @j:		what is written: core_lock, or nobody else is there yet
 * @write:	the work's: what it is at
 * @unguarded:	the work's: something was written since the last vr_journal_close()
 * The rest is the work's to write and anybody's to read:
 * @error:	no write begins after this
 * @busy_ns:	when the write under way began
 * @writes:	ended
 * @fsyncs:	ended
 * @bytes_written: by all those
 */
struct vrseq_journal {
	struct kref kref;
	struct vrseq_disk disk;
	u64 bytes;
	u64 buffer_bytes;
	struct vr_journal_scan scan;
	struct vrseq_engine *engine;
	struct mutex engine_lock;	/* engine */
	spinlock_t lock;		/* closed, running */
	bool closed;
	bool running;
	struct completion idle;
	struct delayed_work work;
	struct vr_journal j;
	struct vr_write write;
	bool unguarded;
	s32 error;
	u64 busy_ns;
	u64 writes;
	u64 fsyncs;
	u64 bytes_written;
};

static struct workqueue_struct *queue;

static void release(struct kref *kref)
{
	struct vrseq_journal *journal = container_of(kref, struct vrseq_journal, kref);

	vrseq_disk_close(&journal->disk);
	kvfree(journal->j.checkpoint);
	kvfree(journal->j.frame);
	kfree(journal);
}

/* ---- writing -------------------------------------------------------------------- */

static int write_part(struct vrseq_journal *journal, const struct vr_part *part)
{
	const u8 *bytes = part->bytes;
	size_t left = part->count;
	loff_t at = part->offset;

	while (left) {
		ssize_t written = kernel_write(journal->disk.file, bytes, left, &at);

		if (written <= 0)
			return written ?: -EIO;
		bytes += written;
		left -= written;
	}
	if (part->count)
		WRITE_ONCE(journal->writes, journal->writes + 1);
	WRITE_ONCE(journal->bytes_written, journal->bytes_written + part->count);
	return 0;
}

static int perform(struct vrseq_journal *journal, const struct vr_write *w)
{
	int error;

	WRITE_ONCE(journal->busy_ns, ktime_get_boottime_ns());
	error = write_part(journal, &w->parts[0]) ?: write_part(journal, &w->parts[1]);
	if (!error && w->sync) {
		error = vfs_fsync(journal->disk.file, 1);
		WRITE_ONCE(journal->fsyncs, journal->fsyncs + 1);
	}
	WRITE_ONCE(journal->busy_ns, 0);
	return error;
}

/* What is there to do, if the group is there still. */
static bool ask(struct vrseq_journal *journal)
{
	bool more = false;

	mutex_lock(&journal->engine_lock);
	if (journal->engine)
		more = vrseq_engine_journal_next(journal->engine, &journal->j, &journal->write);
	mutex_unlock(&journal->engine_lock);
	return more;
}

static void tell(struct vrseq_journal *journal, int error)
{
	WRITE_ONCE(journal->error, error);
	mutex_lock(&journal->engine_lock);
	if (journal->engine)
		vrseq_engine_journal_done(journal->engine, &journal->j, &journal->write, error);
	mutex_unlock(&journal->engine_lock);
}

/* All there is to write, until nothing is left or the disk fails. Was there any? */
static bool write_all(struct vrseq_journal *journal)
{
	bool any = false;

	while (!journal->error && ask(journal)) {
		tell(journal, perform(journal, &journal->write));
		any = true;
		cond_resched();
	}
	/* Of a shape that was made for it this never happens; to wait would not help. */
	if (!journal->error && journal->j.full)
		tell(journal, -ENOSPC);
	return any;
}

/* Nothing came for a while: what is newest is guarded by a frame behind it. */
static void write_guard(struct vrseq_journal *journal)
{
	journal->unguarded = false;
	mutex_lock(&journal->engine_lock);
	if (journal->engine)
		vrseq_engine_journal_close(journal->engine, &journal->j);
	mutex_unlock(&journal->engine_lock);
	write_all(journal);
}

static bool begin(struct vrseq_journal *journal)
{
	bool runs;

	spin_lock_bh(&journal->lock);
	/* While the module is on its way out its groups are, too: nobody waits for this. */
	runs = !journal->closed && try_module_get(THIS_MODULE);
	if (runs) {
		kref_get(&journal->kref);
		journal->running = true;
		reinit_completion(&journal->idle);
	}
	spin_unlock_bh(&journal->lock);
	return runs;
}

static void end(struct vrseq_journal *journal)
{
	spin_lock_bh(&journal->lock);
	journal->running = false;
	if (!journal->closed && journal->unguarded && !journal->error)
		queue_delayed_work(queue, &journal->work, GUARD_JIFFIES);
	spin_unlock_bh(&journal->lock);
	complete_all(&journal->idle);
	kref_put(&journal->kref, release);
	module_put(THIS_MODULE);
}

static void write_work(struct work_struct *work)
{
	struct vrseq_journal *journal =
		container_of(to_delayed_work(work), struct vrseq_journal, work);

	if (!begin(journal))
		return;
	if (write_all(journal))
		journal->unguarded = true;
	else if (journal->unguarded)
		write_guard(journal);
	end(journal);
}

/**
 * vrseq_journal_kick - there may be something to write
 * @journal:	journal
 *
 * Does not sleep, and waits for nobody.
 */
void vrseq_journal_kick(struct vrseq_journal *journal)
{
	spin_lock_bh(&journal->lock);
	if (!journal->closed && !READ_ONCE(journal->error))
		mod_delayed_work(queue, &journal->work, 0);
	spin_unlock_bh(&journal->lock);
}

/**
 * vrseq_journal_name - whose members the journal is of, when it is written next
 * @journal:	journal
 * @ids:	of the members, by slot
 * @count:	of them
 */
void vrseq_journal_name(struct vrseq_journal *journal, const u16 *ids, u8 count)
{
	struct vr_journal_owner *owner = &journal->j.owner;

	memset(owner->member_ids, 0, sizeof(owner->member_ids));
	memcpy(owner->member_ids, ids, count * sizeof(*ids));
	owner->member_count = count;
}

/* ---- opening ---------------------------------------------------------------------- */

static int refuse(struct netlink_ext_ack *extack, int error, const char *reason,
		  const char *path)
{
	return vrseq_disk_refuse(extack, error, "journal", reason, path);
}

/*
 * What is in the page cache may be what a failed write left there, and not be on the
 * disk: read from that. Where there is no disk there is nothing to compare with.
 */
static int forget_cache(struct file *file)
{
	struct address_space *mapping = file->f_mapping;
	int error = vfs_fsync(file, 0);

	if (error || !mapping_can_writeback(mapping))
		return error;
	return invalidate_inode_pages2(mapping);
}

/* What the disk says it cannot give is damage; what we cannot ask for now is not. */
static bool is_damage(ssize_t got)
{
	return got >= 0 || got == -EIO;
}

/* Return: 1 if there may be more, 0 at the end, or why it cannot be known. */
static int scan_on(struct vrseq_journal *journal, struct vr_journal_scan *s)
{
	u64 offset;
	u32 bytes;
	ssize_t got;
	loff_t at;
	u8 *into;

	if (!vr_scan_wants(s, &offset, &bytes, &into))
		return 0;
	at = offset;
	got = kernel_read(journal->disk.file, into, bytes, &at);
	if (got == bytes)
		vr_scan_took(s);
	else if (is_damage(got))
		vr_scan_failed(s);
	else
		return got;
	cond_resched();
	return 1;
}

/* The name of a new file must be as stable as what is in it. */
static int sync_directory(const struct file *file)
{
	struct path path = { .mnt = file->f_path.mnt, .dentry = dget_parent(file->f_path.dentry) };
	struct file *directory = dentry_open(&path, O_RDONLY | O_DIRECTORY, current_cred());
	int error;

	dput(path.dentry);
	if (IS_ERR(directory))
		return PTR_ERR(directory);
	error = vfs_fsync(directory, 0);
	fput(directory);
	return error == -EINVAL ? 0 : error;
}

/* All room that it will ever need is taken now, so that there is enough of it later. */
static int create(struct vrseq_journal *journal, const struct vr_journal_shape *shape,
		  const char *path, struct netlink_ext_ack *extack)
{
	int error;

	journal->bytes = vr_journal_file_bytes(shape);
	error = vfs_fallocate(journal->disk.file, 0, 0, journal->bytes);
	if (error == -EOPNOTSUPP)
		return refuse(extack, error, "this file system cannot set room aside", path);
	if (!error) {
		vr_journal_create(&journal->j, shape, &journal->write);
		error = perform(journal, &journal->write);
	}
	error = error ?: vfs_fsync(journal->disk.file, 0) ?: sync_directory(journal->disk.file);
	if (!error) {
		vr_journal_done(&journal->j, &journal->write);
		return 0;
	}
	/* As if we had not been here. */
	vfs_truncate(&journal->disk.file->f_path, 0);
	if (error != -ENOSPC)
		return refuse(extack, error, "cannot be written", path);
	NL_SET_ERR_MSG_FMT(extack, "journal: no room for its %llu bytes: %s", journal->bytes, path);
	return error;
}

static bool members_are_sound(const struct vr_journal_owner *owner)
{
	bool self = false;
	u8 i;

	for (i = 0; i < owner->member_count; i++) {
		if (i && owner->member_ids[i] <= owner->member_ids[i - 1])
			return false;
		self |= owner->member_ids[i] == owner->self_id;
	}
	return self;
}

/* Is what was found this member's, and large enough for it? */
static int check_found(struct vrseq_journal *journal, u64 bytes,
		       const struct vr_journal_shape *needed, const char *path,
		       struct netlink_ext_ack *extack)
{
	const struct vr_journal_super *found = &journal->scan.super;
	const struct vr_journal_owner *owner = &journal->j.owner;
	u64 wanted = vr_journal_file_bytes(needed);
	u64 here = vr_journal_file_bytes(&found->shape);

	if (journal->scan.verdict == VR_JOURNAL_STRANGER)
		return refuse(extack, -EINVAL, "not one, or both superblocks damaged", path);
	if (memcmp(found->owner.uuid, owner->uuid, sizeof(owner->uuid)))
		return refuse(extack, -EINVAL, "of another group: not started", path);
	if (found->owner.self_id != owner->self_id)
		return refuse(extack, -EINVAL, "of another member: not started", path);
	if (found->formed && !members_are_sound(&found->owner))
		return refuse(extack, -EINVAL, "its list of members is none", path);
	if (found->shape.block_bytes < BLOCK_BYTES)
		return refuse(extack, -EINVAL, "made with smaller blocks", path);
	if (bytes && max(wanted, here) - min(wanted, here) >= BLOCK_BYTES)
		return refuse(extack, -EINVAL, "of another size than journal-size", path);
	if (found->shape.ring_bytes >= needed->ring_bytes &&
	    found->shape.checkpoint_bytes >= needed->checkpoint_bytes)
		return 0;
	return refuse(extack, -EINVAL, "made for smaller rings", path);
}

/*
 * A journal that says that it was in no group yet has had one superblock ever. What is
 * left of another one may have said more: nobody is blank who does not know that.
 */
static int check_blank(struct vrseq_journal *journal, const char *path,
		       struct netlink_ext_ack *extack)
{
	u8 *other = journal->j.frame;
	loff_t at = 0;
	ssize_t got;

	if (journal->scan.verdict != VR_JOURNAL_BLANK)
		return 0;
	got = kernel_read(journal->disk.file, other, VR_JOURNAL_SUPER_USED, &at);
	if (got < 0)
		return refuse(extack, got, "cannot be read", path);
	if (got != VR_JOURNAL_SUPER_USED || memchr_inv(other, 0, VR_JOURNAL_SUPER_USED))
		return refuse(extack, -EINVAL, "a superblock is damaged: not started", path);
	return 0;
}

static int scan(struct vrseq_journal *journal, u64 bytes, const struct vr_journal_shape *shape,
		const char *path, struct netlink_ext_ack *extack)
{
	int more;

	if (i_blocksize(file_inode(journal->disk.file)) > BLOCK_BYTES)
		return refuse(extack, -EINVAL, "on a file system with too large blocks", path);
	more = forget_cache(journal->disk.file);
	if (more)
		return refuse(extack, more, "cannot be read anew", path);
	journal->bytes = i_size_read(file_inode(journal->disk.file));
	vr_scan_begin(&journal->scan, journal->j.frame, journal->bytes);
	do {
		more = scan_on(journal, &journal->scan);
	} while (more > 0);
	if (more)
		return refuse(extack, more, "cannot be read", path);
	if (journal->scan.verdict == VR_JOURNAL_EMPTY)
		return create(journal, shape, path, extack);
	more = check_found(journal, bytes, shape, path, extack) ?:
	       check_blank(journal, path, extack);
	/* A whole one goes on with the replica that it is restored to. */
	if (!more && journal->scan.verdict != VR_JOURNAL_WHOLE)
		vr_journal_open(&journal->j, &journal->scan, NULL);
	return more;
}

/**
 * vrseq_journal_open - open a journal, or make a blank one
 * @path:	absolute, as the caller sees it
 * @bytes:	of the file, 0 = the smallest that works well, or what is there
 * @cfg:	what there must be room for
 * @uuid:	of the group it must be of
 * @member_id:	of the member it must be of
 * @extack:	told why not
 *
 * In the context of whoever adds the group, who waits for the disk himself.
 *
 * Return: the journal; -EINVAL, also if what is there is not what was expected,
 * -EBUSY, -ENOMEM, or what the file system said.
 */
struct vrseq_journal *vrseq_journal_open(const char *path, u64 bytes,
					 const struct vr_config *cfg, const u8 *uuid,
					 u16 member_id, struct netlink_ext_ack *extack)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct vrseq_journal *journal;
	struct vr_journal_shape shape;
	int error = -ENOMEM;

	if (!vr_journal_shape_for(cfg, bytes, BLOCK_BYTES, &shape)) {
		NL_SET_ERR_MSG_FMT(extack, "journal-size: these rings need %llu bytes",
				   vr_journal_file_bytes(&shape));
		return ERR_PTR(-EINVAL);
	}
	journal = kzalloc(sizeof(*journal), GFP_KERNEL);
	if (!journal)
		goto err_memory;
	kref_init(&journal->kref);
	mutex_init(&journal->engine_lock);
	spin_lock_init(&journal->lock);
	init_completion(&journal->idle);
	complete_all(&journal->idle);
	INIT_DELAYED_WORK(&journal->work, write_work);
	memcpy(journal->j.owner.uuid, uuid, sizeof(journal->j.owner.uuid));
	journal->j.owner.self_id = member_id;
	vrseq_journal_name(journal, &member_id, 1);
	journal->buffer_bytes = VR_JOURNAL_WRITE_BYTES_MAX + shape.checkpoint_bytes;
	journal->j.frame = kvzalloc(VR_JOURNAL_WRITE_BYTES_MAX, gfp);
	journal->j.checkpoint = kvzalloc(shape.checkpoint_bytes, gfp);
	if (!journal->j.frame || !journal->j.checkpoint)
		goto err_memory;
	error = vrseq_disk_open(&journal->disk, "journal", path, false, extack) ?:
		scan(journal, bytes, &shape, path, extack);
	if (error)
		goto err_journal;
	return journal;

err_memory:
	NL_SET_ERR_MSG(extack, "journal: there is not enough memory");
err_journal:
	vrseq_journal_put(journal);
	return ERR_PTR(error);
}

/**
 * vrseq_journal_members - of which group this is a memory
 * @journal:	journal, as it was opened
 *
 * Return: whose it is; NULL if it was in no group yet.
 */
const struct vr_journal_owner *vrseq_journal_members(const struct vrseq_journal *journal)
{
	return journal->scan.super.formed ? &journal->scan.super.owner : NULL;
}

/**
 * vrseq_journal_restore - give a replica back what the journal says, if it is whole
 * @journal:	journal, of the replica's group and list of members
 * @r:		blank replica
 * @fx:		room
 * @extack:	told why not
 *
 * In the context of whoever adds the group. The new life is on the disk then.
 *
 * Return: 0, also if there was nothing to trust and @r will recover; -EINVAL or what
 * the disk said.
 */
int vrseq_journal_restore(struct vrseq_journal *journal, struct vr_replica *r,
			  struct vr_effects *fx, struct netlink_ext_ack *extack)
{
	struct vr_journal_scan *s = &journal->scan;
	const char *wrong;
	int more = 1;

	if (s->verdict != VR_JOURNAL_WHOLE) {
		vr_restore_lost(r);
		return 0;
	}
	wrong = vr_restore_begin(r, s);
	while (!wrong && more > 0) {
		more = scan_on(journal, s);
		if (more > 0)
			wrong = vr_restore_took(r, s, fx);
	}
	if (!wrong && !more)
		wrong = vr_restore_end(r, s);
	if (wrong) {
		NL_SET_ERR_MSG_FMT(extack, "%s", wrong);
		return -EINVAL;
	}
	vr_journal_open(&journal->j, s, r);
	while (!more && vr_journal_next(&journal->j, r, &journal->write)) {
		more = perform(journal, &journal->write);
		if (!more)
			vr_journal_done(&journal->j, &journal->write);
	}
	if (!more && journal->j.full)
		more = -ENOSPC;
	if (more)
		NL_SET_ERR_MSG_FMT(extack, "journal: cannot be read or written, error %d", -more);
	return more;
}

/* ---- life --------------------------------------------------------------------------- */

/**
 * vrseq_journal_attach - whose replica is written down
 * @journal:	journal
 * @engine:	engine, until vrseq_journal_stop()
 */
void vrseq_journal_attach(struct vrseq_journal *journal, struct vrseq_engine *engine)
{
	mutex_lock(&journal->engine_lock);
	journal->engine = engine;
	mutex_unlock(&journal->engine_lock);
}

static bool is_running(struct vrseq_journal *journal)
{
	bool running;

	spin_lock_bh(&journal->lock);
	running = journal->running;
	spin_unlock_bh(&journal->lock);
	return running;
}

/**
 * vrseq_journal_stop - the group goes: nothing is written after this, nobody told
 * @journal:	journal, or NULL
 *
 * Waits for a write under way, a second at most; if the disk hangs, it ends by
 * itself, and until then nobody else can have the file.
 */
void vrseq_journal_stop(struct vrseq_journal *journal)
{
	if (!journal)
		return;
	spin_lock_bh(&journal->lock);
	journal->closed = true;
	spin_unlock_bh(&journal->lock);
	vrseq_journal_attach(journal, NULL);
	wait_for_completion_timeout(&journal->idle, CLOSE_WAIT_JIFFIES);
	/* Whoever runs has what he needs; after him nobody must begin. */
	cancel_delayed_work(&journal->work);
	if (!is_running(journal))
		cancel_delayed_work_sync(&journal->work);
}

/** vrseq_journal_put - the group is gone, and whoever looked at it; NULL is none */
void vrseq_journal_put(struct vrseq_journal *journal)
{
	if (journal)
		kref_put(&journal->kref, release);
}

/** vrseq_journal_memory_bytes - what it takes, with all its buffers */
u64 vrseq_journal_memory_bytes(const struct vrseq_journal *journal)
{
	return sizeof(*journal) + journal->buffer_bytes;
}

/**
 * vrseq_journal_look - how it is
 * @journal:	journal
 * @state:	receives it
 */
void vrseq_journal_look(const struct vrseq_journal *journal, struct vrseq_journal_state *state)
{
	state->bytes = journal->bytes;
	state->damaged = journal->scan.verdict == VR_JOURNAL_DAMAGED;
	state->writes = READ_ONCE(journal->writes);
	state->fsyncs = READ_ONCE(journal->fsyncs);
	state->bytes_written = READ_ONCE(journal->bytes_written);
	state->error = READ_ONCE(journal->error);
	state->busy_ns = READ_ONCE(journal->busy_ns);
}

/** vrseq_journals_init - be ready to write */
int __init vrseq_journals_init(void)
{
	queue = alloc_workqueue("vrseq_journal", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return queue ? 0 : -ENOMEM;
}

/** vrseq_journals_exit - no group is left, and a write under way would hold the module */
void vrseq_journals_exit(void)
{
	destroy_workqueue(queue);
}
