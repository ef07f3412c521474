// SPDX-License-Identifier: GPL-2.0
/*
 * The log of a replica as its readers see it: looked at under core_lock, copied to
 * the ring, never changed. Knows positions and topics; who reads, and into what, is
 * reader.c's.
 */
#include "engine.h"

#include <linux/errno.h>
#include <linux/vrseq.h>

/**
 * vrseq_engine_stopped - is this the end of the log here?
 * @e:	engine; core_lock is held
 *
 * Return: a negative error if so. Before the group is formed, or while it has no
 * quorum, one can wait for its messages: 0.
 */
int vrseq_engine_stopped(const struct vrseq_engine *e)
{
	int refusal = vr_replica_refusal(e->replica);

	return refusal == -EHOSTUNREACH ? 0 : refusal;
}

/**
 * vrseq_engine_head - the head of a message, as readers get it
 * @e:		engine
 * @entry:	the message
 * @sequence:	its number
 * @record:	receives it
 */
void vrseq_engine_head(const struct vrseq_engine *e, const struct vr_entry *entry, u64 sequence,
		       struct vrseq_record *record)
{
	*record = (struct vrseq_record) {
		.size = vrseq_ring_record_bytes(entry->body_bytes),
		.type = VRSEQ_RECORD_MESSAGE,
		.member_id = vrseq_udp_member_id(&e->udp, entry->origin),
		.index = entry->op,
		.sequence = sequence,
		.view = entry->view,
		.session = entry->session,
		.bytes = entry->body_bytes,
		.topic = entry->topic,
	};
}

/**
 * vrseq_engine_feed_locked - what can be read and is not in the ring goes there
 * @e:	engine; core_lock is held
 *
 * The only way into it. Of more than half a ring the newest half, which is never
 * the case for one step that commits, but after a checkpoint or a time without
 * readers.
 */
void vrseq_engine_feed_locked(struct vrseq_engine *e)
{
	u64 last = vr_replica_sequence_last(e->replica), next = last + 1;
	u64 first = max(vr_replica_sequence_first(e->replica), e->ring.next);
	u32 bytes = 0;

	for (; next > first; next--) {
		const struct vr_entry *entry = vr_replica_message(e->replica, next - 1);

		bytes += vrseq_ring_record_bytes(entry->body_bytes);
		if (bytes > VRSEQ_RING_FEED_BYTES)
			break;
	}
	if (next <= last)
		vrseq_ring_skip(&e->ring, next);
	for (; next <= last; next++) {
		const struct vr_entry *entry = vr_replica_message(e->replica, next);
		struct vrseq_record record;

		vrseq_engine_head(e, entry, next, &record);
		vrseq_ring_put(&e->ring, &record, entry->body);
	}
}

/** vrseq_engine_feed - bring the ring up to date, for who just mapped it */
void vrseq_engine_feed(struct vrseq_engine *e)
{
	vrseq_engine_subscribe(e);
	spin_lock_bh(&e->core_lock);
	if (e->running) {
		vrseq_engine_feed_locked(e);
		vrseq_ring_end(&e->ring, vrseq_engine_stopped(e));
	}
	spin_unlock_bh(&e->core_lock);
}

/* What "now" is to a reader of a replica that knows what there is. */
static u64 resolve(struct vrseq_engine *e, u64 next)
{
	if (next != VRSEQ_NOW)
		return next ?: vr_replica_sequence_first(e->replica);
	/* No message can have been missed of a log that has not begun. */
	vr_replica_describe(e->replica, &e->info);
	switch (e->info.status) {
	case VR_STATUS_BLANK:
	case VR_STATUS_FORMING:
		/* A client that knows no group is not one whose group has no log. */
		return e->client ? VRSEQ_NOW : vr_replica_sequence_first(e->replica);
	case VR_STATUS_RECOVERING:
	case VR_STATUS_AMNESIA:
		return VRSEQ_NOW;
	default:
		/* At a client there are more than it has been sent yet. */
		return e->info.sequence_last + 1;
	}
}

/* A reader that wants little must not keep the lock for all that there is. */
#define LOOKS_MAX	256

/* Positive if there may be more, see vrseq_engine_read(). */
static int read_locked(struct vrseq_engine *e, struct vrseq_cursor *c, vrseq_take_t *take,
		       void *reader)
{
	u64 last = vr_replica_sequence_last(e->replica);
	bool taken = false;
	u32 looks;

	for (looks = 0; looks < LOOKS_MAX && c->next <= last; looks++) {
		const struct vr_entry *entry = vr_replica_message(e->replica, c->next);

		if (!((entry->topic ^ c->topic) & c->topic_mask)) {
			if (!take(reader, c->next, entry))
				return 0;
			taken = true;
		}
		c->next++;
	}
	if (taken)
		return 0;
	if (c->next <= last)
		return 1;
	return vrseq_engine_stopped(e) ?: -EAGAIN;
}

/**
 * vrseq_engine_read - look at the messages of the log
 * @e:		engine
 * @cursor:	where to begin; receives where to go on
 * @take:	gets those that are wanted, one after the other
 * @reader:	for @take
 *
 * Return: 0 if @take was called, 1 if nothing was wanted yet and there is more;
 * -EAGAIN if it is not there yet, -EPIPE if it is not there any more
 * (@cursor->first is the oldest that is), -ENETDOWN; -ENOTRECOVERABLE or -EIO if
 * it will never come, as this member takes no part any more.
 */
int vrseq_engine_read(struct vrseq_engine *e, struct vrseq_cursor *cursor, vrseq_take_t *take,
		      void *reader)
{
	u64 asked = cursor->next;
	int ret = -ENETDOWN;

	vrseq_engine_subscribe(e);
	spin_lock_bh(&e->core_lock);
	if (e->running) {
		cursor->first = vr_replica_sequence_first(e->replica);
		cursor->next = resolve(e, asked);
		ret = cursor->next < cursor->first ? -EPIPE :
						     read_locked(e, cursor, take, reader);
		/* The oldest may be another one when the reader comes again. */
		if ((asked == VRSEQ_OLDEST || asked == VRSEQ_NOW) &&
		    cursor->next == cursor->first)
			cursor->next = VRSEQ_OLDEST;
	}
	spin_unlock_bh(&e->core_lock);
	return ret;
}

/**
 * vrseq_engine_range - which messages there are
 * @e:		engine
 * @first:	receives the sequence of the oldest
 * @next:	and of the one behind the newest that is known of
 *
 * At a client the newest may be on their way to it, and, when it was never asked for
 * any, all are.
 *
 * Return: 0 or -ENETDOWN.
 */
int vrseq_engine_range(struct vrseq_engine *e, u64 *first, u64 *next)
{
	int error = -ENETDOWN;

	spin_lock_bh(&e->core_lock);
	if (e->running) {
		vr_replica_describe(e->replica, &e->info);
		*first = e->info.sequence_first;
		*next = e->info.sequence_last + 1;
		error = 0;
	}
	spin_unlock_bh(&e->core_lock);
	return error;
}

/**
 * vrseq_engine_newest - the newest message that can be read here
 * @e:		engine
 * @sequence:	receives its sequence, or the one before the first
 *
 * Return: 0 or -ENETDOWN.
 */
int vrseq_engine_newest(struct vrseq_engine *e, u64 *sequence)
{
	int error = -ENETDOWN;

	spin_lock_bh(&e->core_lock);
	if (e->running) {
		*sequence = vr_replica_sequence_last(e->replica);
		error = 0;
	}
	spin_unlock_bh(&e->core_lock);
	return error;
}

static int seek_index_locked(struct vrseq_engine *e, u64 index, u64 *sequence)
{
	u64 low = vr_replica_sequence_first(e->replica);
	u64 high = vr_replica_sequence_last(e->replica) + 1;

	vr_replica_describe(e->replica, &e->info);
	if (index > e->info.commit + 1)
		return -ENXIO;
	/* What was there before the oldest message is not known, if there was any. */
	if (low > vr_number_base(e->info.generation) + 1 &&
	    (low == high || index < vr_replica_message(e->replica, low)->op))
		return -ENXIO;
	while (low < high) {
		u64 middle = low + (high - low) / 2;

		if (vr_replica_message(e->replica, middle)->op < index)
			low = middle + 1;
		else
			high = middle;
	}
	*sequence = low;
	return 0;
}

/**
 * vrseq_engine_seek_index - the first message from an index on
 * @e:		engine
 * @index:	which
 * @sequence:	receives the sequence, of the next message if there is none
 *
 * Return: 0; -ENXIO if the index is not known here yet, or if messages were
 * dropped that may have it; -ENETDOWN.
 */
int vrseq_engine_seek_index(struct vrseq_engine *e, u64 index, u64 *sequence)
{
	int error = -ENETDOWN;

	spin_lock_bh(&e->core_lock);
	if (e->running)
		error = seek_index_locked(e, index, sequence);
	spin_unlock_bh(&e->core_lock);
	return error;
}

/** vrseq_engine_readable - without a choice of topics: would it say anything but EAGAIN? */
bool vrseq_engine_readable(struct vrseq_engine *e, u64 next)
{
	bool readable = true;
	u64 from;

	vrseq_engine_subscribe(e);
	spin_lock_bh(&e->core_lock);
	if (e->running) {
		from = resolve(e, next);
		/* Whoever begins now has to look, to know from then on what that was. */
		readable = from <= vr_replica_sequence_last(e->replica) ||
			   vrseq_engine_stopped(e) || (next == VRSEQ_NOW && from != VRSEQ_NOW);
	}
	spin_unlock_bh(&e->core_lock);
	return readable;
}

/** vrseq_engine_overrun - would vrseq_engine_read() say EPIPE? */
bool vrseq_engine_overrun(struct vrseq_engine *e, u64 next)
{
	bool overrun;

	spin_lock_bh(&e->core_lock);
	overrun = e->running && next != VRSEQ_OLDEST &&
		  next < vr_replica_sequence_first(e->replica);
	spin_unlock_bh(&e->core_lock);
	return overrun;
}
