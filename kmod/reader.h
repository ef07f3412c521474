/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The reader of an open file: where it is, what it wants, what it lost. Makes
 * records or a stream of what the engine shows it; knows nothing of sessions.
 */
#ifndef VRSEQ_READER_H
#define VRSEQ_READER_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/vrseq.h>

#include "engine.h"

struct iov_iter;

/**
 * struct vrseq_reader - the log as one open file sees it
 * @lock:	protects all of it; held while records are copied to the process,
 *		never while waiting for some
 * @cursor:	where it goes on; @cursor.next is read without the lock
 * @flags:	VRSEQ_SEEK_*
 * @part:	of a stream: bytes of the next message that were read already
 * @lost_first:	what the reader was told to have lost, at last
 * @lost_last:	its end
 * @state_seen:	engine.state_changes when STATUS was asked
 * @bytes:	room for records on their way out, made by the first read
 */
struct vrseq_reader {
	struct mutex lock;	/* see above */
	struct vrseq_cursor cursor;
	u32 flags;
	u32 part;
	u64 lost_first;
	u64 lost_last;
	u32 state_seen;
	u8 *bytes;
};

void vrseq_reader_init(struct vrseq_reader *r);
void vrseq_reader_free(struct vrseq_reader *r);

ssize_t vrseq_reader_read(struct vrseq_reader *r, struct vrseq_engine *e, struct iov_iter *to);
void vrseq_reader_start_now(struct vrseq_reader *r, struct vrseq_engine *e);
bool vrseq_reader_may_read(struct vrseq_reader *r, struct vrseq_engine *e);
bool vrseq_reader_readable(struct vrseq_reader *r, struct vrseq_engine *e);
int vrseq_reader_seek(struct vrseq_reader *r, struct vrseq_engine *e, struct vrseq_seek *seek);
loff_t vrseq_reader_llseek(struct vrseq_reader *r, struct vrseq_engine *e, loff_t offset,
			   int whence);
int vrseq_reader_status(struct vrseq_reader *r, struct vrseq_status *status);

#endif /* VRSEQ_READER_H */
