// SPDX-License-Identifier: GPL-2.0
/*
 * Reading: as many messages as there are, fit and are wanted, formatted under
 * core_lock into a buffer of the reader's own and copied to the process without
 * it. The cursor moves when that has succeeded, never before. Whoever is slow
 * keeps nobody: the log goes on without it, and it is told what it lost.
 */
#include "reader.h"

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/uio.h>

#define RECORD_BYTES(message_bytes) ALIGN(sizeof(struct vrseq_record) + (message_bytes), 8)

/* Of records on their way: the largest one and more, little enough for a lock. */
#define ROOM_BYTES	(2 * VR_BODY_BYTES_MAX)

static_assert(RECORD_BYTES(VR_BODY_BYTES_MAX) <= ROOM_BYTES);

/**
 * struct copy - what one look at the log gives
 * @reader:	whose; its lock is held
 * @engine:	of the group
 * @room:	what fits
 * @used:	of it
 * @part:	of a stream: where the next message starts
 * @short_of_room: there was a message, and it did not fit
 */
struct copy {
	struct vrseq_reader *reader;
	struct vrseq_engine *engine;
	u32 room;
	u32 used;
	u32 part;
	bool short_of_room;
};

/** vrseq_reader_init - at the oldest message, all topics */
void vrseq_reader_init(struct vrseq_reader *r)
{
	mutex_init(&r->lock);
}

/** vrseq_reader_free - its file is gone */
void vrseq_reader_free(struct vrseq_reader *r)
{
	kvfree(r->bytes);
}

/* ---- records and streams ---------------------------------------------------- */

static bool take_record(void *reader, u64 sequence, const struct vr_entry *entry)
{
	struct copy *copy = reader;
	struct vrseq_record record;
	u8 *at = copy->reader->bytes + copy->used;

	vrseq_engine_head(copy->engine, entry, sequence, &record);
	if (record.size > copy->room - copy->used) {
		copy->short_of_room = true;
		return false;
	}
	memcpy(at, &record, sizeof(record));
	memcpy(at + sizeof(record), entry->body, record.bytes);
	memset(at + sizeof(record) + record.bytes, 0,
	       record.size - sizeof(record) - record.bytes);
	copy->used += record.size;
	return true;
}

/* Of a stream a message may be left in the middle. */
static bool take_bytes(void *reader, u64 sequence, const struct vr_entry *entry)
{
	struct copy *copy = reader;
	u32 left = entry->body_bytes - copy->part;
	u32 bytes = min(left, copy->room - copy->used);

	memcpy(copy->reader->bytes + copy->used, entry->body + copy->part, bytes);
	copy->used += bytes;
	copy->part = bytes < left ? copy->part + bytes : 0;
	return bytes == left;
}

static void lose(struct vrseq_reader *r, const struct vrseq_cursor *cursor)
{
	r->lost_first = cursor->next;
	r->lost_last = cursor->first - 1;
	r->part = 0;
	WRITE_ONCE(r->cursor.next, cursor->first);
}

/* The reader is told once, and goes on with the oldest message there is. */
static ssize_t tell_loss(struct vrseq_reader *r, struct vrseq_engine *e,
			 const struct vrseq_cursor *cursor, struct iov_iter *to, bool first)
{
	struct {
		struct vrseq_record record;
		u64 last;
	} gap = {
		.record = {
			.size = sizeof(gap),
			.type = VRSEQ_RECORD_GAP,
			.sequence = cursor->next,
			.bytes = sizeof(gap.last),
		},
		.last = cursor->first - 1,
	};

	if (r->flags & VRSEQ_SEEK_GAPS) {
		if (iov_iter_count(to) < sizeof(gap))
			return -EINVAL;
		if (copy_to_iter(&gap, sizeof(gap), to) != sizeof(gap))
			return -EFAULT;
	}
	if (!first && !(r->flags & VRSEQ_SEEK_GAPS))
		return -EAGAIN;		/* by a call of its own */
	vrseq_stat_count(&e->stats, VRSEQ_STAT_READER_OVERRUN);
	lose(r, cursor);
	return r->flags & VRSEQ_SEEK_GAPS ? sizeof(gap) : -EPIPE;
}

/* One look at the log: what it gives, or why it gives nothing. */
static ssize_t read_batch(struct vrseq_reader *r, struct vrseq_engine *e, struct iov_iter *to,
			  bool first)
{
	struct copy copy = {
		.reader = r,
		.engine = e,
		.room = min_t(size_t, iov_iter_count(to), ROOM_BYTES),
		.part = r->part,
	};
	bool raw = r->flags & VRSEQ_SEEK_RAW;
	struct vrseq_cursor cursor = r->cursor;
	int ret;

	do {
		ret = vrseq_engine_read(e, &cursor, raw ? take_bytes : take_record, &copy);
		cond_resched();
		/* Of a stream empty messages are nothing to return for. */
	} while (ret == 1 || (!ret && !copy.used && !copy.short_of_room));
	if (ret == -EPIPE)
		return tell_loss(r, e, &cursor, to, first);
	if (!ret && !copy.used)
		return -EINVAL;
	if (copy.used && copy_to_iter(r->bytes, copy.used, to) != copy.used)
		return -EFAULT;
	/* What is not wanted is passed over also if there is nothing else. */
	r->part = copy.part;
	WRITE_ONCE(r->cursor.next, cursor.next);
	return copy.used ? (ssize_t)copy.used : ret;
}

static ssize_t read_locked(struct vrseq_reader *r, struct vrseq_engine *e, struct iov_iter *to)
{
	size_t least = r->flags & VRSEQ_SEEK_RAW ? 1 : sizeof(struct vrseq_record);
	ssize_t bytes = 0, ret;

	if (iov_iter_count(to) < least)
		return -EINVAL;
	if (!r->bytes)
		r->bytes = kvmalloc(ROOM_BYTES, GFP_KERNEL_ACCOUNT);
	if (!r->bytes)
		return -ENOMEM;
	do {
		ret = read_batch(r, e, to, !bytes);
		if (ret > 0)
			bytes += ret;
	} while (ret > 0 && iov_iter_count(to) >= least && !signal_pending(current));
	return bytes ?: ret;
}

/**
 * vrseq_reader_read - what is there and fits
 * @r:		reader
 * @e:		engine of its group
 * @to:		where to
 *
 * Return: bytes, at least of one record; -EAGAIN if none is there; -EINVAL if the
 * next one does not fit; -EPIPE, once, if messages were lost; and what
 * vrseq_engine_read() says. Nothing has moved if it is an error but EPIPE.
 */
ssize_t vrseq_reader_read(struct vrseq_reader *r, struct vrseq_engine *e, struct iov_iter *to)
{
	ssize_t ret;

	if (mutex_lock_interruptible(&r->lock))
		return -ERESTARTSYS;
	ret = read_locked(r, e, to);
	mutex_unlock(&r->lock);
	return ret;
}

/* ---- is there something? ------------------------------------------------------ */

/**
 * vrseq_reader_may_read - is it worth a try? Without the lock, for wait_event()
 * @r:	reader
 * @e:	engine of its group
 *
 * Another thread of the file may read it first, and its topic may not be wanted.
 */
bool vrseq_reader_may_read(struct vrseq_reader *r, struct vrseq_engine *e)
{
	return vrseq_engine_readable(e, READ_ONCE(r->cursor.next));
}

static bool take_nothing(void *reader, u64 sequence, const struct vr_entry *entry)
{
	return false;
}

/* Pass over what is not wanted, so that nobody looks at it twice. */
static bool look_locked(struct vrseq_reader *r, struct vrseq_engine *e)
{
	struct vrseq_cursor cursor = r->cursor;
	int ret;

	do {
		ret = vrseq_engine_read(e, &cursor, take_nothing, NULL);
		cond_resched();
	} while (ret == 1);
	if (ret != -EPIPE)
		WRITE_ONCE(r->cursor.next, cursor.next);
	return ret != -EAGAIN;
}

/**
 * vrseq_reader_readable - for poll(): would a read not wait?
 * @r:	reader
 * @e:	engine of its group
 */
bool vrseq_reader_readable(struct vrseq_reader *r, struct vrseq_engine *e)
{
	bool readable;

	/* Also if nothing is wanted of what is there, this must not be missed. */
	if (!vrseq_reader_may_read(r, e))
		return false;
	if (!READ_ONCE(r->cursor.topic_mask) && READ_ONCE(r->cursor.next) != VRSEQ_NOW)
		return true;
	/* Whoever has it may be waiting for a page that another process is to give him. */
	if (mutex_lock_killable(&r->lock))
		return false;
	readable = look_locked(r, e);
	mutex_unlock(&r->lock);
	return readable;
}

/* ---- going elsewhere ------------------------------------------------------------ */

static int position(struct vrseq_engine *e, const struct vrseq_seek *seek, u64 *next)
{
	if (seek->whence != VRSEQ_SEEK_SEQUENCE && seek->whence != VRSEQ_SEEK_INDEX &&
	    seek->position)
		return -EINVAL;
	switch (seek->whence) {
	case VRSEQ_SEEK_CURRENT:
		return 0;
	case VRSEQ_SEEK_SEQUENCE:
		*next = seek->position;
		return *next && *next <= VR_NUMBER_MAX ? 0 : -EINVAL;
	case VRSEQ_SEEK_OLDEST:
		*next = VRSEQ_OLDEST;
		return 0;
	case VRSEQ_SEEK_NEXT:
		*next = VRSEQ_NOW;
		return 0;
	case VRSEQ_SEEK_INDEX:
		return vrseq_engine_seek_index(e, seek->position, next);
	default:
		return -EINVAL;
	}
}

/* The sequence that a cursor stands for, 0 = not known yet. */
static u64 settle(struct vrseq_reader *r, struct vrseq_engine *e)
{
	u64 first, next = r->cursor.next;
	struct vrseq_cursor cursor = { .next = next };

	if (next == VRSEQ_NOW) {
		vrseq_engine_read(e, &cursor, take_nothing, NULL);
		next = cursor.next;
		WRITE_ONCE(r->cursor.next, next);
	}
	if (next == VRSEQ_OLDEST && !vrseq_engine_range(e, &first, &next))
		return first;
	return next == VRSEQ_NOW ? 0 : next;
}

/**
 * vrseq_reader_start_now - find out what "now" is, as soon as it can be known
 * @r:	reader that nobody else uses yet
 * @e:	engine of its group
 */
void vrseq_reader_start_now(struct vrseq_reader *r, struct vrseq_engine *e)
{
	settle(r, e);
}

/**
 * vrseq_reader_seek - VRSEQ_IOC_SEEK
 * @r:		reader
 * @e:		engine of its group
 * @seek:	where to and how; receives the position
 *
 * Return: 0, -EINVAL, -ENXIO, -ENETDOWN or -ERESTARTSYS; then nothing has changed.
 */
int vrseq_reader_seek(struct vrseq_reader *r, struct vrseq_engine *e, struct vrseq_seek *seek)
{
	u64 next = 0;
	int error;

	if ((seek->flags & ~(VRSEQ_SEEK_RAW | VRSEQ_SEEK_GAPS)) ||
	    seek->flags == (VRSEQ_SEEK_RAW | VRSEQ_SEEK_GAPS) ||
	    (seek->topic & ~seek->topic_mask) ||
	    memchr_inv(seek->reserved, 0, sizeof(seek->reserved)))
		return -EINVAL;
	if (mutex_lock_interruptible(&r->lock))
		return -ERESTARTSYS;
	error = position(e, seek, &next);
	if (error)
		goto out;
	if (seek->whence != VRSEQ_SEEK_CURRENT) {
		WRITE_ONCE(r->cursor.next, next);
		r->part = 0;
	}
	if (!(seek->flags & VRSEQ_SEEK_RAW))
		r->part = 0;
	WRITE_ONCE(r->flags, seek->flags);
	r->cursor.topic = seek->topic;
	WRITE_ONCE(r->cursor.topic_mask, seek->topic_mask);
	seek->position = settle(r, e);
out:
	mutex_unlock(&r->lock);
	return error;
}

/* lseek(2), with sequences for bytes. What it says of the end is of this moment. */
static loff_t llseek_locked(struct vrseq_reader *r, struct vrseq_engine *e, loff_t offset,
			    int whence)
{
	u64 first, next, base;
	int error;

	if (r->flags & VRSEQ_SEEK_RAW)
		return -ESPIPE;
	error = vrseq_engine_range(e, &first, &next);
	if (error)
		return error;
	switch (whence) {
	case SEEK_DATA:
	case SEEK_HOLE:
		if (offset < 0 || offset >= next || first == next)
			return -ENXIO;
		base = whence == SEEK_DATA ? max_t(u64, offset, first) :
					     offset < first ? offset : next;
		break;
	case SEEK_SET:
	case SEEK_CUR:
	case SEEK_END:
		base = whence == SEEK_SET ? 0 : whence == SEEK_END ? next : settle(r, e);
		if (whence == SEEK_CUR && !offset)
			return base;
		if (offset < 0 ? base <= -(u64)offset : base + offset > VR_NUMBER_MAX)
			return -EINVAL;
		base += offset;
		break;
	default:
		return -EINVAL;
	}
	r->part = 0;
	/* 0, the start of a file, is the oldest message whenever that is looked for. */
	WRITE_ONCE(r->cursor.next, base);
	return base;
}

/**
 * vrseq_reader_llseek - lseek()
 * @r:		reader
 * @e:		engine of its group
 * @offset:	a sequence, or a distance in messages
 * @whence:	SEEK_*
 *
 * Return: the new position, -EINVAL, -ENXIO, -ESPIPE, -ENETDOWN or -EINTR.
 */
loff_t vrseq_reader_llseek(struct vrseq_reader *r, struct vrseq_engine *e, loff_t offset,
			   int whence)
{
	loff_t ret;

	if (mutex_lock_interruptible(&r->lock))
		return -EINTR;
	ret = llseek_locked(r, e, offset, whence);
	mutex_unlock(&r->lock);
	return ret;
}

/**
 * vrseq_reader_status - what the reader adds to STATUS
 * @r:		reader
 * @status:	has sequence_first already
 *
 * Return: 0, or -ERESTARTSYS for who is killed.
 */
int vrseq_reader_status(struct vrseq_reader *r, struct vrseq_status *status)
{
	u64 next;

	if (mutex_lock_killable(&r->lock))
		return -ERESTARTSYS;
	next = r->cursor.next;
	if (next == VRSEQ_OLDEST)
		next = status->sequence_first;
	status->read_next = next == VRSEQ_NOW ? 0 : next;
	status->lost_first = r->lost_first;
	status->lost_last = r->lost_last;
	mutex_unlock(&r->lock);
	return 0;
}
