// SPDX-License-Identifier: GPL-2.0
/*
 * What an operation of an open file is: begun once, joined as often as one
 * likes, never tried again once its end was told. The order of a session is
 * kept here; the order of the group is the core's.
 */
#include "session.h"

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "engine.h"

#define WINDOW	GENMASK(VR_WINDOW - 1, 0)
#define READS	GENMASK(VRSEQ_CONTROL - 1, VR_WINDOW)

static_assert(BIT(5) == VRSEQ_CALLS && VRSEQ_CALLS == VRSEQ_CONTROL + 1);
static_assert(VRSEQ_HANDLES <= VR_PENDING_MAX);
static_assert(VRSEQ_OP_ID_MAX < VR_NUMBER_MAX);

static_assert(VRSEQ_SMALL_BYTES >= VR_NAME_BYTES_MAX);

/* ---- buffers ---------------------------------------------------------------- */

/**
 * vrseq_buffer_make - see to it that there is room
 * @buffer:	kept if it has enough
 * @bytes:	needed, VR_BODY_BYTES_MAX at most
 *
 * Return: false without memory, and then there is no buffer.
 */
bool vrseq_buffer_make(struct vrseq_buffer *buffer, u32 bytes)
{
	if (bytes <= buffer->room)
		return true;
	vrseq_buffer_free(buffer);
	bytes = roundup_pow_of_two(bytes);
	buffer->bytes = kmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (buffer->bytes)
		buffer->room = bytes;
	return buffer->bytes;
}

/** vrseq_buffer_free - there is none any more, in whatever context */
void vrseq_buffer_free(struct vrseq_buffer *buffer)
{
	kfree(buffer->bytes);
	buffer->bytes = NULL;
	buffer->room = 0;
}

/* ---- slots ------------------------------------------------------------------ */

/** vrseq_sessions_create - all slots of a group at once, so that none fails later */
int vrseq_sessions_create(struct vrseq_sessions *sessions, u32 max)
{
	u32 slot;

	sessions->max = max;
	sessions->table = kvcalloc(max, sizeof(*sessions->table), GFP_KERNEL_ACCOUNT);
	if (!sessions->table)
		return -ENOMEM;
	for (slot = 0; slot < max; slot++)
		init_waitqueue_head(&sessions->table[slot].wait);
	return 0;
}

static void free_buffers(struct vrseq_session *s)
{
	u32 i;

	for (i = 0; i < VR_WINDOW; i++)
		vrseq_buffer_free(&s->calls[i].buffer);
}

/** vrseq_sessions_destroy - free the slots; no file has one any more */
void vrseq_sessions_destroy(struct vrseq_sessions *sessions)
{
	u32 slot;

	for (slot = 0; sessions->table && slot < sessions->max; slot++)
		free_buffers(&sessions->table[slot]);
	kvfree(sessions->table);
}

/**
 * vrseq_sessions_take - a free slot for a file that attaches
 * @sessions: slots
 *
 * Return: its number, or -EDQUOT.
 */
int vrseq_sessions_take(struct vrseq_sessions *sessions)
{
	struct vrseq_session *s;
	u32 slot, i;

	do {
		slot = find_first_zero_bit(sessions->taken, sessions->max);
		if (slot >= sessions->max)
			return -EDQUOT;
	} while (test_and_set_bit_lock(slot, sessions->taken));

	s = &sessions->table[slot];
	for (i = 0; i < VRSEQ_CALLS; i++) {
		s->calls[i].state = VRSEQ_CALL_IDLE;
		s->calls[i].op_id = 0;
	}
	s->submit = 0;
	s->abandoned = 0;
	s->left = 0;
	s->flying = 0;
	s->evicted = false;
	s->closing = false;
	s->ended = false;
	s->begun = false;
	s->newest = 0;
	s->begin_request = atomic64_inc_return(&sessions->begin_last);
	s->id = 0;
	return slot;
}

/* The slot is free as soon as the core has none of its handles. */
static void release(struct vrseq_sessions *sessions, struct vrseq_session *s)
{
	s->ended = true;
	free_buffers(s);
	if (!READ_ONCE(s->reads))
		clear_bit_unlock(s - sessions->table, sessions->taken);
}

static u32 index_of(const struct vrseq_session *s, const struct vrseq_call *call)
{
	return call - s->calls;
}

/* Let the core have it, after SESSION_BEGIN if there is no session yet. */
static void fly(struct vrseq_session *s, struct vrseq_call *call)
{
	struct vrseq_call *control = &s->calls[VRSEQ_CONTROL];
	u32 bit = BIT(index_of(s, call));

	WRITE_ONCE(call->state, VRSEQ_CALL_FLYING);
	s->submit |= bit;
	if (!(bit & WINDOW))
		return;
	WRITE_ONCE(s->flying, s->flying | bit);
	if (!s->id && control->state != VRSEQ_CALL_FLYING)
		fly(s, control);
}

/* ---- what a file asks for ----------------------------------------------------- */

static struct vrseq_call *call_of(struct vrseq_session *s, u64 op_id)
{
	return &s->calls[op_id % VR_WINDOW];
}

/* An operation of the window, or -ESTALE, or -EINVAL if there was none. */
static struct vrseq_call *find(struct vrseq_session *s, struct vrseq_request *rq)
{
	struct vrseq_call *call = call_of(s, rq->op_id);

	if (rq->op_id && call->op_id == rq->op_id)
		return call;
	rq->outcome = VR_OUTCOME_NOT_APPLIED;
	if (!rq->op_id || rq->op_id > s->newest || s->newest - rq->op_id < VR_WINDOW)
		return ERR_PTR(-EINVAL);
	/* Of an op_id that is history we do not know the end any more. */
	rq->outcome = VR_OUTCOME_UNKNOWN;
	return ERR_PTR(-ESTALE);
}

static bool is_same(const struct vrseq_call *call, const struct vrseq_request *rq)
{
	return call->kind == rq->kind && call->argument == rq->argument &&
	       call->topic == rq->topic && call->body_bytes == rq->body_bytes &&
	       !memcmp(call->body, rq->body, rq->body_bytes);
}

/* Slots of @mask from the oldest op_id on: how far the first one is. */
static u32 oldest_of(const struct vrseq_session *s, u32 mask)
{
	u32 oldest = (s->newest + 1) % VR_WINDOW;

	return (oldest + __ffs(ror16(mask, oldest))) % VR_WINDOW;
}

/* What a write() with these bytes began and was not told the end of. */
static struct vrseq_call *find_abandoned(struct vrseq_session *s, const struct vrseq_request *rq)
{
	u32 left = s->abandoned;

	while (left) {
		u32 i = oldest_of(s, left);

		if (is_same(&s->calls[i], rq))
			return &s->calls[i];
		left &= ~BIT(i);
	}
	return NULL;
}

/* Was its end decided for good, or can it be tried again under the same number? */
static bool is_final(const struct vrseq_session *s, const struct vrseq_call *call)
{
	if (call->final || s->evicted || call->outcome == VR_OUTCOME_APPLIED)
		return true;
	if (call->outcome == VR_OUTCOME_UNKNOWN)
		return false;
	switch (call->result.error) {
	case -ECANCELED:
	case -EEXIST:
	case -EINVAL:
	case -ENOSPC:
	case -EOVERFLOW:
	case -ESTALE:
		return true;
	default:
		/* Not in front of those that were begun later. */
		return call->op_id != s->newest;
	}
}

/* Nobody has looked away yet: whoever asks now could have asked before it ended. */
static bool has_users(const struct vrseq_call *call)
{
	/* Pairs with the decrement in call.c: they have read the result. */
	return atomic_read_acquire(&call->users);
}

static int wait_for(struct vrseq_call *call, struct vrseq_request *rq)
{
	atomic_inc(&call->users);
	rq->call = call;
	rq->blocker = 0;
	rq->outcome = VR_OUTCOME_UNKNOWN;
	return VRSEQ_WAITS;
}

static int join(struct vrseq_session *s, struct vrseq_call *call, struct vrseq_request *rq)
{
	if (!vrseq_call_flying(call) && !is_final(s, call) && !has_users(call))
		fly(s, call);
	s->abandoned &= ~BIT(index_of(s, call));
	return wait_for(call, rq);
}

static int blocked(struct vrseq_call *call, struct vrseq_request *rq)
{
	rq->call = call;
	rq->blocker = call ? call->op_id : 0;
	return VRSEQ_BLOCKED;
}

static void settle(struct vrseq_session *s, struct vrseq_call *call)
{
	call->settling = true;
	fly(s, call);
}

/* The call is needed for a newer op_id, but the older one is not over. */
static int make_room(struct vrseq_session *s, struct vrseq_call *call, struct vrseq_request *rq)
{
	if (!vrseq_call_flying(call) && !has_users(call)) {
		if (rq->settled == call->op_id)
			return call->result.error;
		rq->settled = call->op_id;
		settle(s, call);
	}
	return blocked(call, rq);
}

static bool is_free(const struct vrseq_call *call)
{
	return call->state == VRSEQ_CALL_IDLE ||
	       (call->state == VRSEQ_CALL_DONE && call->outcome != VR_OUTCOME_UNKNOWN &&
		!has_users(call));
}

static void store(struct vrseq_call *call, struct vrseq_request *rq)
{
	call->kind = rq->kind;
	call->read = rq->read;
	call->outcome = VR_OUTCOME_NOT_APPLIED;
	call->from_write = rq->from_write;
	call->settling = false;
	call->final = false;
	call->orphan = false;
	WRITE_ONCE(call->op_id, rq->op_id);
	call->argument = rq->argument;
	call->topic = rq->topic;
	memset(&call->result, 0, sizeof(call->result));
	call->body_bytes = rq->body_bytes;
	if (rq->body_bytes > VRSEQ_SMALL_BYTES) {
		swap(call->buffer, rq->buffer);
		call->body = call->buffer.bytes;
	} else {
		memcpy(call->small, rq->body, rq->body_bytes);
		call->body = call->small;
	}
}

static int begin(struct vrseq_session *s, struct vrseq_request *rq)
{
	u64 op_id = rq->op_id ?: s->newest + 1, id;
	struct vrseq_call *call = NULL;

	rq->outcome = VR_OUTCOME_NOT_APPLIED;
	if (op_id > VRSEQ_OP_ID_MAX)
		return -EINVAL;
	if (s->evicted)
		return -ESTALE;
	if (rq->deadline_ns && rq->deadline_ns <= ktime_get_ns())
		return -ETIMEDOUT;

	/* All calls that leave the window for this one, usually its own. */
	id = max_t(u64, s->newest, op_id < VR_WINDOW ? 0 : op_id - VR_WINDOW);
	while (id++ < op_id) {
		call = call_of(s, id);
		if (!is_free(call))
			return make_room(s, call, rq);
		s->abandoned &= ~BIT(index_of(s, call));
		s->left &= ~BIT(index_of(s, call));
		call->state = VRSEQ_CALL_IDLE;
		WRITE_ONCE(call->op_id, 0);
	}
	rq->op_id = op_id;
	s->newest = op_id;
	store(call, rq);
	fly(s, call);
	return wait_for(call, rq);
}

static int ask_result(struct vrseq_session *s, struct vrseq_request *rq)
{
	struct vrseq_call *call = find(s, rq);

	if (IS_ERR(call))
		return PTR_ERR(call);
	rq->outcome = VR_OUTCOME_UNKNOWN;
	if (vrseq_call_flying(call)) {
		if (call->settling)
			return wait_for(call, rq);
		rq->kind = call->kind;
		return VRSEQ_ANSWERED;
	}
	if (call->outcome != VR_OUTCOME_UNKNOWN) {
		call->final = true;
		return wait_for(call, rq);
	}
	if (s->evicted)
		return -ESTALE;
	if (has_users(call))
		return blocked(call, rq);
	settle(s, call);
	return wait_for(call, rq);
}

static int ask_read(struct vrseq_session *s, struct vrseq_request *rq)
{
	u32 i = find_first_zero_bit(&s->reads, VRSEQ_READS);
	struct vrseq_call *call = &s->calls[VR_WINDOW + i];

	rq->outcome = VR_OUTCOME_NOT_APPLIED;
	if (rq->op_id)
		return -EINVAL;
	if (rq->deadline_ns && rq->deadline_ns <= ktime_get_ns())
		return -ETIMEDOUT;
	if (i == VRSEQ_READS)
		return blocked(NULL, rq);
	/* Pairs with the unlock in call.c: its last reader is through with it. */
	test_and_set_bit_lock(i, &s->reads);
	store(call, rq);
	fly(s, call);
	rq->call = call;
	rq->blocker = 0;
	return VRSEQ_WAITS;
}

/**
 * vrseq_session_ask - begin or join what a file asks for
 * @s:	session
 * @rq:	the request; receives @op_id, @outcome and what to wait for
 *
 * Return: enum vrseq_verdict, or a negative errno of the table in
 * uapi/linux/vrseq.h. Any but the latter may have given the session something
 * to submit.
 */
int vrseq_session_ask(struct vrseq_session *s, struct vrseq_request *rq)
{
	struct vrseq_call *call = NULL;

	if (rq->read != VR_READ_LOG)
		return ask_read(s, rq);
	if (rq->kind == VR_KIND_RESULT)
		return ask_result(s, rq);

	if (rq->from_write)
		call = find_abandoned(s, rq);
	else if (rq->op_id && rq->op_id <= s->newest)
		call = find(s, rq);
	if (!call)
		return begin(s, rq);
	if (IS_ERR(call))
		return PTR_ERR(call);
	if (!is_same(call, rq)) {
		rq->outcome = VR_OUTCOME_NOT_APPLIED;
		return -EINVAL;
	}
	rq->op_id = call->op_id;
	return join(s, call, rq);
}

/**
 * vrseq_session_has_room - for POLLOUT
 * @s:	session
 *
 * Return: whether one more operation would not wait for others, and nobody waits
 * for one that he left.
 */
bool vrseq_session_has_room(const struct vrseq_session *s)
{
	/* One of unknown outcome is settled by whoever needs its place. */
	return !(s->left & s->flying) &&
	       !vrseq_call_flying(&s->calls[(s->newest + 1) % VR_WINDOW]);
}

/**
 * vrseq_session_abandon - whoever asked goes without having been told the end
 * @s:	session
 * @rq:	what he asked for
 *
 * Return: false if it has ended in the meantime.
 */
bool vrseq_session_abandon(struct vrseq_session *s, const struct vrseq_request *rq)
{
	bool flying = vrseq_call_flying(rq->call);

	if (rq->from_write && (flying || rq->call->outcome == VR_OUTCOME_UNKNOWN))
		s->abandoned |= BIT(index_of(s, rq->call));
	if (rq->read != VR_READ_LOG)
		rq->call->orphan = flying;
	else if (flying)
		s->left |= BIT(index_of(s, rq->call));
	return flying;
}

/* ---- what the core is asked for ------------------------------------------------ */

static struct vrseq_call *pick(struct vrseq_session *s)
{
	if (s->submit & BIT(VRSEQ_CONTROL))
		return &s->calls[VRSEQ_CONTROL];
	if (s->id && (s->submit & WINDOW))
		return &s->calls[oldest_of(s, s->submit & WINDOW)];
	if (s->submit & READS)
		return &s->calls[__ffs(s->submit & READS)];
	return NULL;
}

static void submit_control(struct vrseq_session *s, struct vr_submit *submit)
{
	if (s->id) {
		submit->kind = VR_KIND_SESSION_END;
		submit->session = s->id;
		submit->request = s->newest + 1;
	} else {
		submit->kind = VR_KIND_SESSION_BEGIN;
		submit->request = s->begin_request;
		submit->again = s->begun;
		s->begun = true;
	}
}

/**
 * vrseq_session_submit - say what a session wants of the core next
 * @sessions:	slots
 * @slot:	whose
 * @submit:	receives it
 *
 * Operations come in the order of their op_ids.
 *
 * Return: false if there is nothing.
 */
bool vrseq_session_submit(struct vrseq_sessions *sessions, u32 slot, struct vr_submit *submit)
{
	struct vrseq_session *s = &sessions->table[slot];
	struct vrseq_call *call = pick(s);
	u32 i;

	if (!call)
		return false;
	i = index_of(s, call);
	s->submit &= ~BIT(i);
	memset(submit, 0, sizeof(*submit));
	submit->handle = slot * VRSEQ_CALLS + i;
	if (i == VRSEQ_CONTROL) {
		submit_control(s, submit);
		return true;
	}
	if (i < VR_WINDOW) {
		submit->session = s->id;
		submit->request = call->op_id;
		submit->again = call->outcome == VR_OUTCOME_UNKNOWN;
	}
	if (call->settling) {
		submit->kind = VR_KIND_RESULT;
		return true;
	}
	submit->kind = call->kind;
	submit->read = call->read;
	submit->argument = call->argument;
	submit->topic = call->topic;
	submit->body = call->body;
	submit->body_bytes = call->body_bytes;
	return true;
}

/* The call is over as far as the engine goes; the file may look. */
static void end(struct vrseq_session *s, struct vrseq_call *call, u8 outcome,
		const struct vr_result *result)
{
	WRITE_ONCE(s->flying, s->flying & ~BIT(index_of(s, call)));
	call->outcome = outcome;
	call->result = *result;
	call->final |= call->settling && outcome != VR_OUTCOME_UNKNOWN;
	call->settling = false;
	/* Pairs with the acquire in vrseq_call_flying(). */
	smp_store_release(&call->state, VRSEQ_CALL_DONE);
}

/* A session could not be begun, and so no operation was even tried. */
static void end_unbegun(struct vrseq_session *s, const struct vr_done *done)
{
	struct vr_result result = { .error = done->result.error };
	u32 i;

	s->begun = done->outcome == VR_OUTCOME_UNKNOWN;
	s->submit &= ~WINDOW;
	for (i = 0; i < VR_WINDOW; i++) {
		if (s->flying & BIT(i))
			end(s, &s->calls[i], VR_OUTCOME_NOT_APPLIED, &result);
	}
}

/* There is no file to tell: try again when there is a quorum, or let it be. */
static void end_closing(struct vrseq_sessions *sessions, struct vrseq_session *s,
			const struct vr_done *done)
{
	bool may_be_there = s->id || done->outcome == VR_OUTCOME_UNKNOWN;

	if (done->result.error == -EHOSTUNREACH && may_be_there)
		__set_bit(s - sessions->table, sessions->parked);
	else
		release(sessions, s);
}

static bool control_done(struct vrseq_sessions *sessions, struct vrseq_session *s,
			 const struct vr_done *done)
{
	struct vrseq_call *control = &s->calls[VRSEQ_CONTROL];

	control->state = VRSEQ_CALL_DONE;
	if (!s->id && done->outcome == VR_OUTCOME_APPLIED) {
		WRITE_ONCE(s->id, done->result.index);
		if (s->closing)
			fly(s, control);
		return true;
	}
	if (s->closing)
		end_closing(sessions, s, done);
	else
		end_unbegun(s, done);
	return false;
}

static void read_done(struct vrseq_sessions *sessions, struct vrseq_session *s,
		      struct vrseq_call *call)
{
	if (!call->orphan)
		return;
	clear_bit_unlock(index_of(s, call) - VR_WINDOW, &s->reads);
	if (s->ended)
		release(sessions, s);
}

/**
 * vrseq_session_done - the core is done with what was submitted
 * @sessions:	slots
 * @done:	how it ended
 *
 * Return: whether the session wants to submit something else now.
 */
bool vrseq_session_done(struct vrseq_sessions *sessions, const struct vr_done *done)
{
	struct vrseq_session *s = &sessions->table[done->handle / VRSEQ_CALLS];
	u32 i = done->handle % VRSEQ_CALLS;

	if (i == VRSEQ_CONTROL)
		return control_done(sessions, s, done);
	end(s, &s->calls[i], done->outcome, &done->result);
	if (i >= VR_WINDOW)
		read_done(sessions, s, &s->calls[i]);
	else if (done->result.error == -ESTALE)
		s->evicted = true;
	return false;
}

/**
 * vrseq_session_close - the file is gone
 * @sessions:	slots
 * @slot:	freed as soon as the session has ended
 *
 * What else the session has under way is taken back by SESSION_END, or waits
 * for a session and was not submitted yet; of reads only orphans are left.
 *
 * Return: whether the session wants to submit something now.
 */
bool vrseq_session_close(struct vrseq_sessions *sessions, u32 slot)
{
	struct vrseq_session *s = &sessions->table[slot];
	struct vrseq_call *control = &s->calls[VRSEQ_CONTROL];

	s->closing = true;
	s->submit &= ~WINDOW;
	if (!s->begun)
		release(sessions, s);
	else if (control->state != VRSEQ_CALL_FLYING)	/* else END will follow it */
		fly(s, control);
	return s->submit;
}

/**
 * vrseq_sessions_unpark - there may be a quorum: let closing sessions try again
 * @sessions:	slots
 * @submit:	receives those that want to submit something now
 */
void vrseq_sessions_unpark(struct vrseq_sessions *sessions, unsigned long *submit)
{
	u32 slot;

	for_each_set_bit(slot, sessions->parked, VRSEQ_FILES_MAX) {
		struct vrseq_session *s = &sessions->table[slot];

		fly(s, &s->calls[VRSEQ_CONTROL]);
		__set_bit(slot, submit);
	}
	bitmap_zero(sessions->parked, VRSEQ_FILES_MAX);
}
