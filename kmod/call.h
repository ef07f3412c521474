/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations of local sessions: one slot for each attached file, made with the
 * group. A slot is the session as the engine knows it (its index is the core's
 * handle), and may outlive the file by the commit that ends the session.
 *
 * Life of a session, seen from here:
 *
 *	free --take--> no session --first operation--> SESSION_BEGIN --> session
 *	  ^                |                                |               |
 *	  +----- close ----+                              close           close
 *	  |                                                 v               v
 *	  +-------------------- done --------------------- SESSION_END <----+
 *
 * Who writes what. The operation (kind .. body) and its result belong to the
 * thread that has the turn, except while the state is FLYING: then to the
 * engine, under its core_lock. The change of state hands them over.
 */
#ifndef VRSEQ_CALL_H
#define VRSEQ_CALL_H

#include <linux/bitmap.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "vr_types.h"

#define VRSEQ_FILES_MAX	256
/* Leaves room for the request number of SESSION_END. */
#define VRSEQ_OP_ID_MAX	(U64_MAX - 2)

struct vr_done;
struct vr_submit;
struct vrseq_engine;

/** enum vrseq_call_state - of the newest operation of a session */
enum vrseq_call_state {
	VRSEQ_CALL_IDLE,	/* there was none */
	VRSEQ_CALL_FLYING,	/* the engine has it, or what must go before it */
	VRSEQ_CALL_DONE,
};

/**
 * struct vrseq_call - one session and its newest operation
 * @wait:	for the turn, for the operation, in poll()
 * @turn:	bit 0: a thread is in vrseq_call_enter() .. vrseq_call_leave()
 * @state:	enum vrseq_call_state
 * @kind:	enum vr_kind
 * @from_write:	came from write(), which has no op_id to join by
 * @reported:	its final outcome was returned to somebody
 * @outcome:	enum vr_outcome
 * @body_bytes:	of @body
 * @op_id:	also the request number of the session; 0 = none yet
 * @argument:	count of NEXT
 * @result:	valid when DONE
 * @body:	copy of the message or the counter's name
 * @evicted:	the group has forgotten the session
 * @closing:	the file is gone, only SESSION_END is left to do
 * @begun:	a SESSION_BEGIN was submitted whose outcome may be a session
 * @flying_kind: what was last submitted, maybe not the operation itself
 * @flying_request: its request number
 * @begin_request: request number of SESSION_BEGIN
 * @session:	id, 0 = not known
 */
struct vrseq_call {
	wait_queue_head_t wait;
	unsigned long turn;

	u8 state;
	u8 kind;
	bool from_write;
	bool reported;
	u8 outcome;
	u16 body_bytes;
	u64 op_id;
	u64 argument;
	struct vr_result result;
	u8 body[VR_BODY_BYTES_MAX];

	bool evicted;
	bool closing;
	bool begun;
	u8 flying_kind;
	u64 flying_request;
	u64 begin_request;
	u64 session;
};

/**
 * struct vrseq_calls - the slots of a group
 * @table:	VRSEQ_FILES_MAX slots
 * @taken:	slots in use; atomic bit operations
 * @parked:	closing slots that found no quorum; core_lock
 * @begin_last:	newest number given to a SESSION_BEGIN
 */
struct vrseq_calls {
	struct vrseq_call *table;
	DECLARE_BITMAP(taken, VRSEQ_FILES_MAX);
	DECLARE_BITMAP(parked, VRSEQ_FILES_MAX);
	atomic64_t begin_last;
};

/**
 * struct vrseq_request - an operation that a file asks for
 * @kind:	enum vr_kind
 * @nonblock:	do not wait
 * @from_write:	joins by its bytes instead of by @op_id
 * @body_bytes:	of @body
 * @body:	message or counter's name
 * @argument:	count of NEXT
 * @op_id:	in: see struct vrseq_op_hdr; out: the id it got
 * @deadline_ns: CLOCK_MONOTONIC, 0 = none
 * @outcome:	out: enum vr_outcome, always
 * @result:	out: valid if the operation ended
 */
struct vrseq_request {
	u8 kind;
	bool nonblock;
	bool from_write;
	u16 body_bytes;
	const u8 *body;
	u64 argument;
	u64 op_id;
	u64 deadline_ns;
	u8 outcome;
	struct vr_result result;
};

int vrseq_calls_create(struct vrseq_calls *calls);
void vrseq_calls_destroy(struct vrseq_calls *calls);
int vrseq_calls_take(struct vrseq_calls *calls);

int vrseq_call_enter(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq);
int vrseq_call_operate(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq);
void vrseq_call_leave(struct vrseq_engine *e, u32 handle);
bool vrseq_call_flying(const struct vrseq_call *call);

/* For the engine, with its core_lock held. */
void vrseq_call_submit(struct vrseq_calls *calls, u32 handle, struct vr_submit *submit);
bool vrseq_call_done(struct vrseq_calls *calls, const struct vr_done *done);
bool vrseq_call_close(struct vrseq_calls *calls, u32 handle);
void vrseq_call_refuse(struct vrseq_calls *calls, u32 handle, int error);

#endif /* VRSEQ_CALL_H */
