// SPDX-License-Identifier: GPL-2.0
/*
 * The process that asks: it waits for its call or for room, until a deadline
 * or a signal. What is begun or joined is decided in session.c.
 */
#include "call.h"

#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>

#include "engine.h"

/**
 * vrseq_waiter_is_over - its call has ended; or, blocked, it may well find room now
 * @waiter: look at it before and after it is in the queue
 */
bool vrseq_waiter_is_over(const struct vrseq_waiter *waiter)
{
	const struct vrseq_call *call = waiter->rq->call;

	if (!call)
		return READ_ONCE(waiter->session->reads) != BIT(VRSEQ_READS) - 1;
	if (!waiter->rq->blocker)
		return !vrseq_call_flying(call);
	return READ_ONCE(call->op_id) != waiter->rq->blocker ||
	       (!vrseq_call_flying(call) && !atomic_read(&call->users));
}

/* One queue for all that wait for the session; only who is meant is woken. */
static int wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	const struct vrseq_waiter *waiter = container_of(entry, struct vrseq_waiter, entry);

	if (!vrseq_waiter_is_over(waiter) && vrseq_engine_running(waiter->engine))
		return 0;
	return autoremove_wake_function(entry, mode, flags, key);
}

static int sleep(struct vrseq_waiter *waiter)
{
	const struct vrseq_request *rq = waiter->rq;
	bool has_deadline = rq->deadline_ns && rq->deadline_ns < KTIME_MAX;
	ktime_t deadline = ns_to_ktime(has_deadline ? rq->deadline_ns : 0);
	wait_queue_head_t *queue = &waiter->session->wait;
	bool late = false;
	int error = 0;

	init_wait(&waiter->entry);
	waiter->entry.func = wake;
	for (;;) {
		prepare_to_wait(queue, &waiter->entry, TASK_INTERRUPTIBLE);
		if (vrseq_waiter_is_over(waiter))
			break;
		if (!vrseq_engine_running(waiter->engine))
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
	finish_wait(queue, &waiter->entry);
	return error;
}

/*
 * What ended inline costs one look: on one machine a commit is usually complete
 * before we come here.
 */
static int wait_for(struct vrseq_engine *e, struct vrseq_session *s,
		    const struct vrseq_request *rq)
{
	struct vrseq_waiter waiter = { .engine = e, .session = s, .rq = rq };

	if (vrseq_waiter_is_over(&waiter))
		return 0;
	if (!vrseq_engine_running(e))
		return -ENETDOWN;
	if (rq->nonblock)
		return -EAGAIN;
	return sleep(&waiter);
}

/* The thread has no more business with its call; somebody may wait for that. */
static void leave(struct vrseq_session *s, struct vrseq_request *rq)
{
	if (rq->read == VR_READ_LOG)
		atomic_dec_return_release(&rq->call->users);
	else
		clear_bit_unlock(rq->call - s->calls - VR_WINDOW, &s->reads);
	if (wq_has_sleeper(&s->wait))
		wake_up_interruptible(&s->wait);
}

static int take_result(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq)
{
	const struct vrseq_call *call = rq->call;
	int error = call->result.error;

	rq->outcome = call->outcome;
	rq->result = call->result;
	if (rq->outcome == VR_OUTCOME_UNKNOWN) {
		if (rq->read != VR_READ_LOG)	/* changes nothing, whatever it met */
			rq->outcome = VR_OUTCOME_NOT_APPLIED;
		else if (rq->from_write)
			vrseq_engine_abandon(e, slot, rq);
	} else if (rq->kind == VR_KIND_RESULT) {
		error = 0;
	}
	rq->kind = call->kind;
	return error;
}

/**
 * vrseq_call_end - whoever waited for a call has no more business with it
 * @e:		engine
 * @slot:	of the session
 * @rq:		what was waited for; receives outcome and result
 * @error:	why the wait ended, 0 = with the call
 *
 * Return: how the operation ended; @error if it goes on.
 */
int vrseq_call_end(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq, int error)
{
	struct vrseq_session *s = &e->sessions.table[slot];

	if (error && vrseq_engine_abandon(e, slot, rq)) {
		/* A read that stays under way frees itself. */
		if (rq->read == VR_READ_LOG)
			leave(s, rq);
		return error;
	}
	error = take_result(e, slot, rq);
	leave(s, rq);
	return error;
}

/**
 * vrseq_call - begin an operation or join it, and wait for its end
 * @e:		engine
 * @slot:	of the session
 * @rq:		what to do; receives op_id, outcome and result
 *
 * Return: 0 or a negative errno of the table in uapi/linux/vrseq.h.
 */
int vrseq_call(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq)
{
	struct vrseq_session *s = &e->sessions.table[slot];
	int error;

	for (;;) {
		error = vrseq_engine_ask(e, slot, rq);
		if (error != VRSEQ_BLOCKED)
			break;
		error = wait_for(e, s, rq);
		if (error)
			return error;
	}
	if (error != VRSEQ_WAITS)
		return error;

	return vrseq_call_end(e, slot, rq, wait_for(e, s, rq));
}
