// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation of an open file is: begun once, joined as often as one
 * likes, waited for with a deadline. The order of a session is kept here; the
 * order of the group is the core's.
 */
#include "call.h"

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "engine.h"

#define TURN	0

/** vrseq_calls_create - all slots of a group at once, so that none fails later */
int vrseq_calls_create(struct vrseq_calls *calls)
{
	u32 handle;

	calls->table = kvcalloc(VRSEQ_FILES_MAX, sizeof(*calls->table), GFP_KERNEL);
	if (!calls->table)
		return -ENOMEM;
	for (handle = 0; handle < VRSEQ_FILES_MAX; handle++)
		init_waitqueue_head(&calls->table[handle].wait);
	return 0;
}

/** vrseq_calls_destroy - free the slots; no file has one any more */
void vrseq_calls_destroy(struct vrseq_calls *calls)
{
	kvfree(calls->table);
}

/**
 * vrseq_calls_take - a free slot for a file that attaches
 * @calls: slots
 *
 * Return: its handle, or -EDQUOT.
 */
int vrseq_calls_take(struct vrseq_calls *calls)
{
	struct vrseq_call *call;
	u32 handle;

	do {
		handle = find_first_zero_bit(calls->taken, VRSEQ_FILES_MAX);
		if (handle >= VRSEQ_FILES_MAX)
			return -EDQUOT;
	} while (test_and_set_bit_lock(handle, calls->taken));

	call = &calls->table[handle];
	call->state = VRSEQ_CALL_IDLE;
	call->op_id = 0;
	call->evicted = false;
	call->closing = false;
	call->begun = false;
	call->begin_request = atomic64_inc_return(&calls->begin_last);
	call->session = 0;
	return handle;
}

static void release(struct vrseq_calls *calls, u32 handle)
{
	clear_bit_unlock(handle, calls->taken);
}

/** vrseq_call_flying - is an operation under way? */
bool vrseq_call_flying(const struct vrseq_call *call)
{
	/* Pairs with the release in end(): the result is there if we say no. */
	return smp_load_acquire(&call->state) == VRSEQ_CALL_FLYING;
}

/* ---- engine's side: under core_lock, while FLYING or closing ----------- */

/**
 * vrseq_call_submit - say what a session wants of the core next
 * @calls:	slots
 * @handle:	slot
 * @submit:	receives it
 */
void vrseq_call_submit(struct vrseq_calls *calls, u32 handle, struct vr_submit *submit)
{
	struct vrseq_call *call = &calls->table[handle];

	memset(submit, 0, sizeof(*submit));
	submit->handle = handle;
	submit->session = call->session;
	if (!call->session) {
		submit->again = call->begun;
		call->begun = true;
		submit->kind = VR_KIND_SESSION_BEGIN;
		submit->request = call->begin_request;
	} else if (call->closing) {
		submit->kind = VR_KIND_SESSION_END;
		submit->request = call->op_id + 1;
	} else {
		submit->again = call->outcome == VR_OUTCOME_UNKNOWN;
		submit->kind = call->kind;
		submit->request = call->op_id;
		submit->argument = call->argument;
		submit->body = call->body;
		submit->body_bytes = call->body_bytes;
	}
	call->flying_kind = submit->kind;
	call->flying_request = submit->request;
	WRITE_ONCE(call->state, VRSEQ_CALL_FLYING);
}

/* The operation is over as far as the engine goes; the file may look. */
static void end(struct vrseq_call *call, u8 outcome, const struct vr_result *result)
{
	call->outcome = outcome;
	call->result = *result;
	if (result->error == -ESTALE)
		call->evicted = true;
	/* Pairs with the acquire in vrseq_call_flying(). */
	smp_store_release(&call->state, VRSEQ_CALL_DONE);
}

/* A session could not be begun, and so the operation was not even tried. */
static void end_unbegun(struct vrseq_call *call, const struct vr_done *done)
{
	struct vr_result result = { .error = done->result.error };

	call->begun = done->outcome == VR_OUTCOME_UNKNOWN;
	end(call, VR_OUTCOME_NOT_APPLIED, &result);
}

/* There is no file to tell: try again when there is a quorum, or let it be. */
static void end_closing(struct vrseq_calls *calls, u32 handle, const struct vr_done *done)
{
	struct vrseq_call *call = &calls->table[handle];
	bool may_be_there = call->session || done->outcome == VR_OUTCOME_UNKNOWN;

	if (done->result.error == -EHOSTUNREACH && may_be_there)
		__set_bit(handle, calls->parked);
	else
		release(calls, handle);
}

/**
 * vrseq_call_done - the core is done with what was submitted
 * @calls:	slots
 * @done:	how it ended
 *
 * Return: whether the session wants to submit something else now.
 */
bool vrseq_call_done(struct vrseq_calls *calls, const struct vr_done *done)
{
	struct vrseq_call *call = &calls->table[done->handle];

	/* The answer to what SESSION_END has replaced in the meantime. */
	if (done->request != call->flying_request)
		return false;

	if (call->flying_kind == VR_KIND_SESSION_BEGIN &&
	    done->outcome == VR_OUTCOME_APPLIED && !done->result.error) {
		WRITE_ONCE(call->session, done->result.index);
		return true;
	}
	if (call->closing)
		end_closing(calls, done->handle, done);
	else if (call->flying_kind == VR_KIND_SESSION_BEGIN)
		end_unbegun(call, done);
	else
		end(call, done->outcome, &done->result);
	return false;
}

/**
 * vrseq_call_refuse - the core will not answer: it was replaced
 * @calls:	slots
 * @handle:	slot
 * @error:	what to say instead
 */
void vrseq_call_refuse(struct vrseq_calls *calls, u32 handle, int error)
{
	struct vrseq_call *call = &calls->table[handle];
	struct vr_done done = {
		.handle = handle,
		.outcome = VR_OUTCOME_NOT_APPLIED,
		.request = call->flying_request,
		.result.error = error,
	};

	if (vrseq_call_flying(call))
		vrseq_call_done(calls, &done);
}

/**
 * vrseq_call_close - the file is gone
 * @calls:	slots
 * @handle:	slot; freed as soon as the session has ended
 *
 * Return: whether the session wants to submit something now.
 */
bool vrseq_call_close(struct vrseq_calls *calls, u32 handle)
{
	struct vrseq_call *call = &calls->table[handle];

	call->closing = true;
	if (call->evicted || !call->begun) {
		release(calls, handle);
		return false;
	}
	if (vrseq_call_flying(call) && call->flying_kind == VR_KIND_SESSION_BEGIN)
		return false;	/* SESSION_END will follow it */
	return true;
}

/* ---- file's side -------------------------------------------------------- */

static bool has_turn(struct vrseq_call *call)
{
	return !test_and_set_bit_lock(TURN, &call->turn);
}

static bool has_landed(struct vrseq_call *call)
{
	return !vrseq_call_flying(call);
}

/*
 * Wait until @ready says yes. What ended inline costs one look: on one machine
 * a commit is usually complete before we come here.
 */
static int wait_until(struct vrseq_engine *e, struct vrseq_call *call,
		      const struct vrseq_request *rq, bool (*ready)(struct vrseq_call *call))
{
	bool has_deadline = rq->deadline_ns && rq->deadline_ns < KTIME_MAX;
	ktime_t deadline = ns_to_ktime(has_deadline ? rq->deadline_ns : 0);
	bool late = false;
	DEFINE_WAIT(wait);
	int error = 0;

	if (ready(call))
		return 0;
	if (!vrseq_engine_running(e))
		return -ENETDOWN;
	if (rq->nonblock)
		return -EAGAIN;

	for (;;) {
		prepare_to_wait(&call->wait, &wait, TASK_INTERRUPTIBLE);
		if (ready(call))
			break;
		if (!vrseq_engine_running(e))
			error = -ENETDOWN;
		else if (late)
			error = -ETIMEDOUT;
		else if (signal_pending(current))
			error = -ERESTARTSYS;
		if (error)
			break;
		late = !schedule_hrtimeout_range(has_deadline ? &deadline : NULL, 0,
						 HRTIMER_MODE_ABS);
	}
	finish_wait(&call->wait, &wait);
	return error;
}

/**
 * vrseq_call_enter - wait for the turn: a session has one operation at a time
 * @e:		engine
 * @handle:	slot
 * @rq:		what is going to be asked
 *
 * Return: 0, -EAGAIN, -ETIMEDOUT, -ERESTARTSYS or -ENETDOWN; @rq->outcome set.
 */
int vrseq_call_enter(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq)
{
	/* Whoever has the turn may be working on the very op_id that we name. */
	rq->outcome = rq->op_id ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED;
	return wait_until(e, &e->calls.table[handle], rq, has_turn);
}

/** vrseq_call_leave - give the turn to whoever waits for it */
void vrseq_call_leave(struct vrseq_engine *e, u32 handle)
{
	struct vrseq_call *call = &e->calls.table[handle];

	clear_bit_unlock(TURN, &call->turn);
	if (wq_has_sleeper(&call->wait))
		wake_up_interruptible(&call->wait);
}

static bool is_same(const struct vrseq_call *call, const struct vrseq_request *rq)
{
	return call->kind == rq->kind && call->argument == rq->argument &&
	       call->body_bytes == rq->body_bytes &&
	       !memcmp(call->body, rq->body, rq->body_bytes);
}

/* Is it the newest operation again (1), a new one (0), or a mistake? */
static int choose(const struct vrseq_call *call, struct vrseq_request *rq)
{
	if (rq->from_write && call->op_id && call->from_write && !call->reported &&
	    is_same(call, rq)) {
		rq->op_id = call->op_id;
		return 1;
	}
	if (rq->op_id && rq->op_id == call->op_id)
		return is_same(call, rq) ? 1 : -EINVAL;
	if (rq->op_id && rq->op_id < call->op_id)
		return -ESTALE;
	if (!rq->op_id)
		rq->op_id = call->op_id + 1;
	return rq->op_id <= VRSEQ_OP_ID_MAX ? 0 : -EINVAL;
}

/* Decided in the log, or can it be tried again under the same number? */
static bool is_final(const struct vrseq_call *call)
{
	if (call->outcome == VR_OUTCOME_APPLIED)
		return true;
	if (call->outcome == VR_OUTCOME_UNKNOWN)
		return call->evicted;
	switch (call->result.error) {
	case -EINVAL:
	case -ENOSPC:
	case -EOVERFLOW:
	case -ESTALE:
		return true;
	default:
		return false;
	}
}

static void store(struct vrseq_call *call, const struct vrseq_request *rq)
{
	call->op_id = rq->op_id;
	call->kind = rq->kind;
	call->argument = rq->argument;
	call->from_write = rq->from_write;
	call->reported = false;
	call->outcome = VR_OUTCOME_NOT_APPLIED;
	memset(&call->result, 0, sizeof(call->result));
	call->body_bytes = rq->body_bytes;
	memcpy(call->body, rq->body, rq->body_bytes);
}

static int start(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq)
{
	struct vrseq_call *call = &e->calls.table[handle];
	int error;

	rq->outcome = VR_OUTCOME_NOT_APPLIED;
	/* An older one that was abandoned goes first. */
	error = wait_until(e, call, rq, has_landed);
	if (error)
		return error;
	if (call->evicted)
		return -ESTALE;
	if (rq->deadline_ns && rq->deadline_ns <= ktime_get_ns())
		return -ETIMEDOUT;
	store(call, rq);
	return vrseq_engine_submit(e, handle) ? 0 : -ENETDOWN;
}

static int join(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq)
{
	struct vrseq_call *call = &e->calls.table[handle];

	rq->outcome = VR_OUTCOME_UNKNOWN;
	if (vrseq_call_flying(call))
		return 0;
	rq->outcome = call->outcome;
	if (is_final(call))
		return 0;
	return vrseq_engine_submit(e, handle) ? 0 : -ENETDOWN;
}

/**
 * vrseq_call_operate - begin an operation or join it, and wait for its end
 * @e:		engine
 * @handle:	slot; the caller has its turn
 * @rq:		what to do; receives op_id, outcome and result
 *
 * Return: 0 or a negative errno of the table in uapi/linux/vrseq.h.
 */
int vrseq_call_operate(struct vrseq_engine *e, u32 handle, struct vrseq_request *rq)
{
	struct vrseq_call *call = &e->calls.table[handle];
	int error = choose(call, rq);

	/* Of an op_id that is history we do not know the end any more. */
	rq->outcome = error == -ESTALE ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED;
	if (error < 0)
		return error;

	error = error ? join(e, handle, rq) : start(e, handle, rq);
	if (error)
		return error;

	rq->outcome = VR_OUTCOME_UNKNOWN;
	error = wait_until(e, call, rq, has_landed);
	if (error)
		return error;

	rq->outcome = call->outcome;
	rq->result = call->result;
	call->reported = call->outcome != VR_OUTCOME_UNKNOWN;
	return call->result.error;
}
