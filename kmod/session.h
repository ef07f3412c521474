/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions of attached files as the engine knows them: one slot for each file,
 * made with the group, with the calls that the core knows by their handles. A
 * slot may outlive its file by the commit that ends the session. Decides what
 * an operation begins, joins or is refused; knows nothing of waiting.
 *
 * Calls of a session, and with the slot's number the core's handles:
 *
 *	0 .. 15		window: the call of op_id is op_id modulo VR_WINDOW
 *	16 .. 30	reads that need no session
 *	31		control: SESSION_BEGIN, SESSION_END
 *
 * Life of a session, seen from here:
 *
 *	free --take--> no session --first operation--> SESSION_BEGIN --> session
 *	  ^                |                                |               |
 *	  +----- close ----+                              close           close
 *	  |                                                 v               v
 *	  +-------------------- done --------------------- SESSION_END <----+
 *
 * Life of a call in the window: it is asked for, FLYING until the core is done,
 * DONE, and free for another op_id once its outcome is known and nobody who
 * waited for it still has to look at it.
 *
 * All of it is written under core_lock. A call that is DONE does not change
 * while it has users, so they look without the lock.
 */
#ifndef VRSEQ_SESSION_H
#define VRSEQ_SESSION_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "vr_types.h"

#define VRSEQ_FILES_MAX	256	/* of a group at a member, where it is not told less */
#define VRSEQ_CALLS	32	/* of a session */
#define VRSEQ_CONTROL	31
#define VRSEQ_READS	(VRSEQ_CONTROL - VR_WINDOW)
#define VRSEQ_HANDLES	(VRSEQ_FILES_MAX * VRSEQ_CALLS)
/* A number of the protocol; leaves room for the one of SESSION_END. */
#define VRSEQ_OP_ID_MAX	((U64_MAX >> 1) - 1)

#define VRSEQ_SMALL_BYTES 64	/* of a body that needs no buffer: any name */

struct vr_done;
struct vr_submit;

/**
 * struct vrseq_buffer - room for a message
 * @bytes:	NULL = none
 * @room:	of them
 *
 * Made by whoever asks, in a process; the call takes it in exchange for the one
 * it had, so that nothing is allocated or copied under core_lock, and after the
 * first messages of a file nothing is allocated at all.
 */
struct vrseq_buffer {
	u8 *bytes;
	u32 room;
};

/** enum vrseq_call_state */
enum vrseq_call_state {
	VRSEQ_CALL_IDLE,	/* never used */
	VRSEQ_CALL_FLYING,	/* the core has it, or what must go before it */
	VRSEQ_CALL_DONE,
};

/**
 * struct vrseq_call - an operation, a read or the control of a session
 * @state:	enum vrseq_call_state
 * @kind:	enum vr_kind
 * @read:	enum vr_read
 * @outcome:	enum vr_outcome
 * @from_write:	came from write(), which has no op_id to join by
 * @settling:	FLYING to have its outcome settled, not to be applied
 * @final:	its outcome was settled and must stay as it is
 * @orphan:	a read whose reader has gone
 * @body_bytes:	of @body
 * @users:	threads that wait for it or look at it
 * @op_id:	also the request number of the session; 0 = none yet
 * @argument:	count of NEXT, sequence expected by APPEND
 * @topic:	of APPEND
 * @result:	valid when DONE
 * @body:	the message or the counter's name, in one of the next two; the core
 *		looks at it too
 * @buffer:	for a large one; kept until the session has ended
 * @small:	for a small one
 */
struct vrseq_call {
	u8 state;
	u8 kind;
	u8 read;
	u8 outcome;
	bool from_write;
	bool settling;
	bool final;
	bool orphan;
	u16 body_bytes;
	atomic_t users;
	u64 op_id;
	u64 argument;
	u32 topic;
	struct vr_result result;
	const u8 *body;
	struct vrseq_buffer buffer;
	u8 small[VRSEQ_SMALL_BYTES];
};

/**
 * struct vrseq_session - a slot
 * @wait:	for a call, for room, in poll()
 * @calls:	see above
 * @submit:	calls that the core is to be given
 * @abandoned:	calls of write() that ended without telling anybody: the same
 *		bytes join them
 * @left:	calls that somebody left while they were FLYING
 * @reads:	reads in use; set under core_lock, cleared without
 * @flying:	calls of the window that are FLYING
 * @evicted:	the group has forgotten the session
 * @closing:	the file is gone, only SESSION_END is left to do
 * @ended:	and that is done, too
 * @begun:	a SESSION_BEGIN was submitted whose outcome may be a session
 * @newest:	op_id of the newest operation, 0 = none yet
 * @begin_request: request number of SESSION_BEGIN
 * @id:		of the session, 0 = not known
 */
struct vrseq_session {
	wait_queue_head_t wait;
	struct vrseq_call calls[VRSEQ_CALLS];
	u32 submit;
	u32 abandoned;
	u32 left;
	unsigned long reads;
	u32 flying;
	bool evicted;
	bool closing;
	bool ended;
	bool begun;
	u64 newest;
	u64 begin_request;
	u64 id;
};

/**
 * struct vrseq_sessions - the slots of a group
 * @table:	@max of them
 * @max:	1 .. VRSEQ_FILES_MAX
 * @taken:	slots in use; atomic bit operations
 * @parked:	closing slots that found no quorum; core_lock
 * @begin_last:	newest number given to a SESSION_BEGIN
 */
struct vrseq_sessions {
	struct vrseq_session *table;
	u32 max;
	DECLARE_BITMAP(taken, VRSEQ_FILES_MAX);
	DECLARE_BITMAP(parked, VRSEQ_FILES_MAX);
	atomic64_t begin_last;
};

/**
 * struct vrseq_request - what a file asks for
 * @kind:	enum vr_kind; RESULT: what became of @op_id; out: of the operation
 * @read:	enum vr_read
 * @nonblock:	do not wait
 * @from_write:	joins by its bytes instead of by @op_id
 * @body_bytes:	of @body
 * @body:	message or counter's name; in @buffer if it is not small
 * @buffer:	out: another one, or none; the caller's
 * @topic:	of APPEND
 * @argument:	count of NEXT, sequence expected by APPEND
 * @op_id:	in: see struct vrseq_op_hdr; out: the id it got
 * @deadline_ns: CLOCK_MONOTONIC, 0 = none
 * @outcome:	out: enum vr_outcome, always
 * @result:	out: valid if the operation ended
 * @call:	session.c: what to wait for, NULL = nothing, or a read to be free
 * @blocker:	session.c: op_id that @call has to be rid of first, 0 = its own
 * @settled:	session.c: op_id that was settled to make room
 */
struct vrseq_request {
	u8 kind;
	u8 read;
	bool nonblock;
	bool from_write;
	u16 body_bytes;
	const u8 *body;
	struct vrseq_buffer buffer;
	u32 topic;
	u64 argument;
	u64 op_id;
	u64 deadline_ns;
	u8 outcome;
	struct vr_result result;
	struct vrseq_call *call;
	u64 blocker;
	u64 settled;
};

/** enum vrseq_verdict - what came of a request, if not an error */
enum vrseq_verdict {
	VRSEQ_ANSWERED,		/* there is nothing to wait for */
	VRSEQ_WAITS,		/* for its call, of which it is a user */
	VRSEQ_BLOCKED,		/* wait for room, then ask again */
};

bool vrseq_buffer_make(struct vrseq_buffer *buffer, u32 bytes);
void vrseq_buffer_free(struct vrseq_buffer *buffer);

int vrseq_sessions_create(struct vrseq_sessions *sessions, u32 max);
void vrseq_sessions_destroy(struct vrseq_sessions *sessions);
int vrseq_sessions_take(struct vrseq_sessions *sessions);

/** vrseq_call_flying - is it under way? */
static inline bool vrseq_call_flying(const struct vrseq_call *call)
{
	/* Pairs with the release in end(): the result is there if we say no. */
	return smp_load_acquire(&call->state) == VRSEQ_CALL_FLYING;
}

/* For the engine, with its core_lock held. */
bool vrseq_session_has_room(const struct vrseq_session *s);
int vrseq_session_ask(struct vrseq_session *s, struct vrseq_request *rq);
bool vrseq_session_abandon(struct vrseq_session *s, const struct vrseq_request *rq);
bool vrseq_session_submit(struct vrseq_sessions *sessions, u32 slot, struct vr_submit *submit);
bool vrseq_session_done(struct vrseq_sessions *sessions, const struct vr_done *done);
bool vrseq_session_close(struct vrseq_sessions *sessions, u32 slot);
void vrseq_sessions_unpark(struct vrseq_sessions *sessions, unsigned long *submit);

#endif /* VRSEQ_SESSION_H */
