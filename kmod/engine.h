/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place where concurrency meets the protocol, and the only caller of
 * the core: events come in from softirq, from processes and from the timer,
 * each is stepped to completion under one lock where it arrives, and what the
 * step wants done is done after the lock is dropped.
 *
 * Whoever includes this gets the core's plain structures to look at, never the
 * replica.
 */
#ifndef VRSEQ_ENGINE_H
#define VRSEQ_ENGINE_H

#include <linux/completion.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "journal.h"
#include "record.h"
#include "ring.h"
#include "session.h"
#include "stats.h"
#include "udp.h"
#include "vr_replica.h"
#include "vr_wire.h"

/** struct vrseq_form - the operator waits for the forming of the group */
struct vrseq_form {
	struct completion done;
	u8 error;
	u8 slot;
};

/**
 * struct vrseq_engine - one replica at work
 * @core_lock:	protects all up to @armed_ns, and the sessions; taken with bottom
 *		halves off, nothing nests inside
 * @running:	cleared once, when the group goes
 * @replica:	NULL when not running
 * @memory_bytes: of the replica
 * @group:	what all datagrams of the group share
 * @form:	who waits for the forming, or reforming, NULL = nobody
 * @record:	on stable storage, NULL = none is kept; constant
 * @record_number: of the write that was asked for last
 * @record_content: what it is to say; nobody changes it before that write ended
 * @journal:	what was acknowledged is there, NULL = none is kept; constant
 * @left:	the hand-over that was asked for last is done
 * @fx:		of the last step
 * @scratch:	of the last decoded datagram
 * @info:	room for a look at the replica
 * @drops:	by the decoder
 * @vmgen_id:	of the machine whose memory this is, see vmgen.h
 * @gap_demotes: nobody could give a group of one its memory back
 * @state:	of the replica, and whether it had a quorum, when last looked
 * @has_quorum:	at
 * @state_changes: of the two; read without the lock
 * @ring:	what readers have mapped
 * @now_ns:	time of the last step
 * @deadline_ns: when the core wants its TIMEOUT
 * @armed_ns:	when @timer expires, U64_MAX = not armed; never later than
 *		@deadline_ns, often earlier, as moving it costs more than looking
 * @timer:	expires in softirq
 * @heartbeat_ns: what counts as late
 * @view_timeout_ns: how long a hand-over may take
 * @client:	we are one
 * @subscribed:	the core knows that somebody reads
 * @readers:	wait for messages
 * @udp:	socket
 * @sessions:	local sessions
 * @stats:	what the shell counts
 */
struct vrseq_engine {
	spinlock_t core_lock;		/* all up to armed_ns, and sessions */
	bool running;
	struct vr_replica *replica;
	size_t memory_bytes;
	struct vr_wire_group group;
	struct vrseq_form *form;
	struct vrseq_record *record;
	u64 record_number;
	struct vr_record record_content;
	struct vrseq_journal *journal;
	struct completion left;
	struct vr_effects fx;
	struct vr_wire_scratch scratch;
	struct vr_info info;
	u64 drops[VR_DROP_COUNT];
	u64 vmgen_id;
	bool gap_demotes;
	u8 state;
	bool has_quorum;
	u32 state_changes;
	struct vrseq_ring ring;
	u64 now_ns;
	u64 deadline_ns;
	u64 armed_ns;

	struct hrtimer timer;
	u64 heartbeat_ns;
	u64 view_timeout_ns;
	bool client;
	bool subscribed;
	wait_queue_head_t readers;
	struct vrseq_udp udp;
	struct vrseq_sessions sessions;
	struct vrseq_stats stats;
};

int vrseq_engine_create(struct vrseq_engine *e, u32 files_max);
void vrseq_engine_destroy(struct vrseq_engine *e);
struct vr_replica *vrseq_engine_birth(const struct vr_config *cfg);
int vrseq_engine_configure(struct vrseq_engine *e, const struct vr_config *cfg,
			   const struct vr_wire_group *group, const u16 *ids,
			   struct vr_replica **restored);
void vrseq_engine_stop(struct vrseq_engine *e);
void vrseq_engine_quiesce(struct vrseq_engine *e);

/** vrseq_engine_running - false once the group or its namespace is gone */
static inline bool vrseq_engine_running(const struct vrseq_engine *e)
{
	return READ_ONCE(e->running);
}

/* From udp.c, bottom halves off. */
void vrseq_engine_receive(struct vrseq_engine *e, u16 member, const u8 *data, u32 bytes);

/* From record.c, in a work item. */
void vrseq_engine_recorded(struct vrseq_engine *e, u64 number, int error);

/* engine_journal.c: from journal.c, in its work item. */
struct vr_journal;
struct vr_write;

bool vrseq_engine_journal_next(struct vrseq_engine *e, struct vr_journal *j, struct vr_write *w);
void vrseq_engine_journal_done(struct vrseq_engine *e, struct vr_journal *j,
			       const struct vr_write *w, int error);
void vrseq_engine_journal_close(struct vrseq_engine *e, struct vr_journal *j);

/* engine_journal.c: from storage.c, in the process that adds the group. */
struct vr_replica *vrseq_engine_restore(const struct vr_config *cfg,
					struct vrseq_journal *journal,
					struct netlink_ext_ack *extack);

void vrseq_engine_post(struct vrseq_engine *e, struct vr_event *ev);

/* From call.c and chardev.c, in a process. */
int vrseq_engine_ask(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq);
bool vrseq_engine_abandon(struct vrseq_engine *e, u32 slot, const struct vrseq_request *rq);
void vrseq_engine_close(struct vrseq_engine *e, u32 slot);

int vrseq_engine_form(struct vrseq_engine *e, u16 generation, struct vrseq_form *form);
int vrseq_engine_reform(struct vrseq_engine *e, struct vrseq_form *form);
void vrseq_engine_leave(struct vrseq_engine *e);
int vrseq_engine_left(struct vrseq_engine *e, unsigned long since);
void vrseq_engine_demote(struct vrseq_engine *e, enum vrseq_stat reason);
void vrseq_engine_client_gone(struct vrseq_engine *e, u16 id);
void vrseq_engine_subscribe(struct vrseq_engine *e);
bool vrseq_engine_is_blank(struct vrseq_engine *e);
bool vrseq_engine_describe(struct vrseq_engine *e, struct vr_info *info, u64 *now_ns);

/* Instead of a sequence. */
#define VRSEQ_OLDEST	0
#define VRSEQ_NOW	U64_MAX		/* behind the newest, as soon as that is known */

/**
 * struct vrseq_cursor - where a reader is, and what it wants
 * @next:	sequence of the next message to look at, or one of the above
 * @first:	out: the oldest message there is
 * @topic:	wanted: topics that are equal to it
 * @topic_mask:	in these bits
 */
struct vrseq_cursor {
	u64 next;
	u64 first;
	u32 topic;
	u32 topic_mask;
};

void vrseq_engine_head(const struct vrseq_engine *e, const struct vr_entry *entry, u64 sequence,
		       struct vrseq_record *record);
void vrseq_engine_feed(struct vrseq_engine *e);
void vrseq_engine_feed_locked(struct vrseq_engine *e);
int vrseq_engine_stopped(const struct vrseq_engine *e);

/**
 * typedef vrseq_take_t - a message for a reader
 * @reader:	whose
 * @sequence:	of the message
 * @entry:	its entry, for as long as this takes: core_lock is held
 *
 * Return: false if it finds no room; it comes again.
 */
typedef bool vrseq_take_t(void *reader, u64 sequence, const struct vr_entry *entry);

int vrseq_engine_read(struct vrseq_engine *e, struct vrseq_cursor *cursor, vrseq_take_t *take,
		      void *reader);
int vrseq_engine_newest(struct vrseq_engine *e, u64 *sequence);
int vrseq_engine_seek_index(struct vrseq_engine *e, u64 index, u64 *sequence);
int vrseq_engine_range(struct vrseq_engine *e, u64 *first, u64 *next);
bool vrseq_engine_readable(struct vrseq_engine *e, u64 next);
bool vrseq_engine_overrun(struct vrseq_engine *e, u64 next);
bool vrseq_engine_writable(struct vrseq_engine *e, u32 slot);

#endif /* VRSEQ_ENGINE_H */
