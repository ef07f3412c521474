// SPDX-License-Identifier: GPL-2.0
/*
 * Operations as commands of io_uring: begun by who submits them, ended in
 * softirq, answered in the submitter's task. Owns the commands that a file has
 * under way. What an operation is lives in session.c, and nothing here blocks:
 * a command waits as an entry in the queue of its session.
 *
 * Life of a command that does not end at once:
 *
 *	begin() --> parked in the queue --> claimed --> end() --> done
 *
 * It is claimed once, by whoever takes it out of the queue, under the queue's
 * lock: wake() when the call has ended or the group is gone, expire() at the
 * deadline, vrseq_uring_cancel() when its ring goes, or park() itself if there is
 * nothing to wait for any more. The first two have the task call end(), as the
 * answer is written to its memory.
 */
#include "uring.h"

#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vrseq.h>

#include "call.h"
#include "compat.h"
#include "group.h"
#include "operation.h"

static_assert(sizeof(struct vrseq_uring_cmd) == 16);	/* what every entry has */

/**
 * struct vrseq_uring_op - a command and the operation it waits for
 * @waiter:	in the queue of the session while it is parked
 * @timer:	of its deadline
 * @uring:	of the file
 * @cmd:	set while it is parked, and until it ends
 * @mm:		of the submitter, to compare with, never to look into
 * @slot:	of the session
 * @error:	what ended the wait, 0 = the call or the group has ended
 * @kind:	enum vr_kind
 * @fetched:	@next or @append is what the user gave, and he gets it back
 * @rq:		the request
 * @user:	where the structure came from
 * @next:	it, of a NEXT
 * @append:	it, of an APPEND
 */
struct vrseq_uring_op {
	struct vrseq_waiter waiter;
	struct hrtimer timer;
	struct vrseq_uring *uring;
	struct io_uring_cmd *cmd;
	const struct mm_struct *mm;
	u32 slot;
	int error;
	u8 kind;
	bool fetched;
	struct vrseq_request rq;
	void __user *user;
	union {
		struct vrseq_next next;
		struct vrseq_append append;
	};
};

/**
 * struct vrseq_uring - the commands of a file
 * @busy:	those of @ops in use; atomic bit operations
 * @ops:	as many as the session's window has
 * @body_lock:	for @spare
 * @spare:	for the next message, see struct vrseq_buffer
 */
struct vrseq_uring {
	unsigned long busy;
	struct vrseq_uring_op ops[VR_WINDOW];
	struct mutex body_lock;		/* for spare */
	struct vrseq_buffer spare;
};

static enum hrtimer_restart expire(struct hrtimer *timer);

/** vrseq_uring_create - for a file, at its first command; NULL: no memory */
struct vrseq_uring *vrseq_uring_create(void)
{
	struct vrseq_uring *uring = kvzalloc(sizeof(*uring), GFP_KERNEL_ACCOUNT);
	u32 i;

	if (!uring)
		return NULL;
	mutex_init(&uring->body_lock);
	for (i = 0; i < VR_WINDOW; i++) {
		struct vrseq_uring_op *op = &uring->ops[i];

		op->uring = uring;
		INIT_LIST_HEAD(&op->waiter.entry.entry);
		hrtimer_init(&op->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
		op->timer.function = expire;
	}
	return uring;
}

/*
 * vrseq_uring_destroy - the file is gone, or never used it
 *
 * Nothing points here any more. Each command holds the file until it is done, so
 * that this is called after the last io_uring_cmd_done(): end() has canceled its
 * timer before, and it was claimed, so no queue has it; and end() touches nothing
 * of ours afterwards.
 *
 * And that moment comes. A command that is parked is claimed at the latest
 *  - when its operation ends. The core ends each one: when its entry is applied,
 *    or with an errno, once the member halts, loses its memory, or has been without
 *    a quorum for 8 view timeouts (vr_pending.c);
 *  - at its deadline;
 *  - when the group goes, with its namespace: vrseq_engine_stop() wakes the queues
 *    of all sessions after running was cleared, and whoever is parked after that
 *    sees it. The group cannot be deleted otherwise, nor the module be unloaded,
 *    while the command holds the file;
 *  - on kernels that cancel, when the ring goes. Others wait for one of the above:
 *    a process that was killed leaves its file, and with it its session, behind
 *    until then.
 * From there the task calls end(), or if it has died, a thread of the kernel's.
 */
void vrseq_uring_destroy(struct vrseq_uring *uring)
{
	if (uring)
		vrseq_buffer_free(&uring->spare);
	kvfree(uring);
}

static struct vrseq_uring_op *take(struct vrseq_uring *uring)
{
	u32 i;

	do {
		i = find_first_zero_bit(&uring->busy, VR_WINDOW);
		if (i == VR_WINDOW)
			return NULL;
	} while (test_and_set_bit_lock(i, &uring->busy));
	return &uring->ops[i];
}

static void give_back(struct vrseq_uring_op *op)
{
	op->cmd = NULL;
	clear_bit_unlock(op - op->uring->ops, &op->uring->busy);
}

static struct vrseq_uring_op **op_of(struct io_uring_cmd *cmd)
{
	static_assert(sizeof(struct vrseq_uring_op *) <= sizeof(cmd->pdu));
	return (struct vrseq_uring_op **)cmd->pdu;
}

/* ---- the end ------------------------------------------------------------------ */

/*
 * To the memory of who asked, and to nobody else's: what runs for a task that has
 * died has no memory, or another one. Then nobody is left to read it.
 */
static int answer(struct vrseq_uring_op *op, int error)
{
	if (!op->fetched || current->mm != op->mm)
		return error;
	if (op->kind == VR_KIND_NEXT)
		return vrseq_answer_next(error, &op->rq, op->user, &op->next);
	return vrseq_answer_append(error, &op->rq, op->user, &op->append);
}

static u64 number_of(const struct vrseq_uring_op *op)
{
	return op->kind == VR_KIND_NEXT ? op->rq.result.first : op->rq.result.last;
}

static void finish(struct vrseq_uring_op *op, struct io_uring_cmd *cmd, int error,
		   unsigned int issue_flags)
{
	u64 number;

	error = answer(op, error);
	number = error ? 0 : number_of(op);
	give_back(op);
	/* The file may go with the command, and all of ours with the file. */
	io_uring_cmd_done(cmd, error, number, issue_flags);
}

/* It was claimed. In the task of who asked, or for a task that has died. */
static void end(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct vrseq_uring_op *op = *op_of(cmd);
	int error = op->error;

	hrtimer_cancel(&op->timer);
	if (!error && !vrseq_waiter_is_over(&op->waiter))
		error = -ENETDOWN;
	error = vrseq_call_end(op->waiter.engine, op->slot, &op->rq, error);
	finish(op, cmd, error, issue_flags);
}

/* With the lock of the queue held: is it ours to end? */
static bool claim(struct vrseq_uring_op *op, int error)
{
	if (list_empty(&op->waiter.entry.entry))
		return false;
	list_del_init(&op->waiter.entry.entry);
	op->error = error;
	return true;
}

/*
 * The lock of the queue is held. What io_uring may wake from here, tasks and
 * eventfds, never takes it: only the engine, and those who leave a call, do.
 */
static int wake(struct wait_queue_entry *entry, unsigned int mode, int flags, void *key)
{
	struct vrseq_uring_op *op = container_of(entry, struct vrseq_uring_op, waiter.entry);

	if (!vrseq_waiter_is_over(&op->waiter) && vrseq_engine_running(op->waiter.engine))
		return 0;
	if (claim(op, 0))
		io_uring_cmd_complete_in_task(op->cmd, end);
	return 1;
}

static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct vrseq_uring_op *op = container_of(timer, struct vrseq_uring_op, timer);
	wait_queue_head_t *queue = &op->waiter.session->wait;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	if (claim(op, -ETIMEDOUT))
		io_uring_cmd_complete_in_task(op->cmd, end);
	spin_unlock_irqrestore(&queue->lock, flags);
	return HRTIMER_NORESTART;
}

/**
 * vrseq_uring_cancel - the ring of a command goes
 * @cmd:	command
 * @issue_flags: from io_uring
 *
 * Return: false if that is not what io_uring wants. The operation goes on, as
 * after a signal; the session ends with the file, which nobody else may hold.
 */
bool vrseq_uring_cancel(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct vrseq_uring_op *op = *op_of(cmd);
	wait_queue_head_t *queue;
	bool claimed;

	if (!(issue_flags & VRSEQ_URING_CANCEL))
		return false;
	queue = &op->waiter.session->wait;
	spin_lock_irq(&queue->lock);
	/* It may have ended, and @op be another command of the same file. */
	claimed = op->cmd == cmd && claim(op, -EINTR);
	spin_unlock_irq(&queue->lock);
	if (claimed)
		end(cmd, issue_flags);
	return true;
}

/* ---- the beginning ------------------------------------------------------------- */

/* Wait without a thread; whoever ends the call sees us, or we see that it ended. */
static int park(struct vrseq_uring_op *op, struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	wait_queue_head_t *queue = &op->waiter.session->wait;
	u64 deadline_ns = op->rq.deadline_ns;
	bool claimed = false;

	*op_of(cmd) = op;
	io_uring_cmd_mark_cancelable(cmd, issue_flags);

	spin_lock_irq(&queue->lock);
	op->cmd = cmd;
	__add_wait_queue(queue, &op->waiter.entry);
	/* Pairs with wq_has_sleeper(). */
	smp_mb();
	if (vrseq_waiter_is_over(&op->waiter) || !vrseq_engine_running(op->waiter.engine))
		claimed = claim(op, 0);
	else if (deadline_ns && deadline_ns < KTIME_MAX)
		hrtimer_start(&op->timer, ns_to_ktime(deadline_ns), HRTIMER_MODE_ABS_SOFT);
	spin_unlock_irq(&queue->lock);
	if (claimed)
		end(cmd, issue_flags);
	return -EIOCBQUEUED;
}

static int begin_next(struct vrseq_uring_op *op)
{
	int error;

	if (copy_from_user(&op->next, op->user, sizeof(op->next)))
		return -EFAULT;
	op->fetched = true;
	error = vrseq_request_next(&op->rq, &op->next);
	return error ?: vrseq_engine_ask(op->waiter.engine, op->slot, &op->rq);
}

/* A message that is not small goes to the call in a buffer that it keeps. */
static int begin_buffer(struct vrseq_uring_op *op)
{
	struct vrseq_buffer *spare = &op->uring->spare;
	struct vrseq_request *rq = &op->rq;
	int error = -ENOMEM;

	/* Whoever has it may be waiting for a page that another process is to give him. */
	if (mutex_lock_killable(&op->uring->body_lock))
		return -EINTR;
	if (vrseq_buffer_make(spare, rq->body_bytes)) {
		swap(rq->buffer, *spare);
		rq->body = rq->buffer.bytes;
		if (copy_from_user(rq->buffer.bytes, u64_to_user_ptr(op->append.data),
				   rq->body_bytes))
			error = -EFAULT;
		else
			error = vrseq_engine_ask(op->waiter.engine, op->slot, rq);
		swap(rq->buffer, *spare);
	}
	mutex_unlock(&op->uring->body_lock);
	return error;
}

static int begin_append(struct vrseq_uring_op *op, u32 message_max)
{
	u8 small[VRSEQ_SMALL_BYTES];
	int error;

	if (copy_from_user(&op->append, op->user, sizeof(op->append)))
		return -EFAULT;
	op->fetched = true;
	error = vrseq_request_append(&op->rq, &op->append, message_max);
	if (error)
		return error;
	if (op->rq.body_bytes > sizeof(small))
		return begin_buffer(op);
	if (copy_from_user(small, u64_to_user_ptr(op->append.data), op->rq.body_bytes))
		return -EFAULT;
	op->rq.body = small;
	return vrseq_engine_ask(op->waiter.engine, op->slot, &op->rq);
}

static int begin(struct vrseq_uring_op *op, const struct io_uring_cmd *cmd, u32 message_max)
{
	const struct vrseq_uring_cmd *entry = vrseq_uring_sqe(cmd);
	int error;

	op->fetched = false;
	if (READ_ONCE(entry->reserved))
		return -EINVAL;
	op->user = u64_to_user_ptr(READ_ONCE(entry->argument));
	switch (cmd->cmd_op) {
	case VRSEQ_IOC_NEXT:
		op->kind = VR_KIND_NEXT;
		error = begin_next(op);
		break;
	case VRSEQ_IOC_APPEND:
		op->kind = VR_KIND_APPEND;
		error = begin_append(op, message_max);
		break;
	default:
		return -ENOTTY;
	}
	return error == VRSEQ_BLOCKED ? -EAGAIN : error;
}

/**
 * vrseq_uring_command - NEXT or APPEND, without waiting for it
 * @uring:	of the file
 * @group:	of the file
 * @slot:	of the file's session
 * @cmd:	command
 * @issue_flags: from io_uring
 *
 * Sleeps for nothing but the submitter's own pages, and memory for them. If there
 * is no room, in the window or for one more command, the command ends with EAGAIN;
 * returned, that would mean to try again in a thread.
 *
 * Return: -EIOCBQUEUED; the command has ended, or will.
 */
int vrseq_uring_command(struct vrseq_uring *uring, struct vrseq_group *group, u32 slot,
			struct io_uring_cmd *cmd, unsigned int issue_flags)
{
	struct vrseq_uring_op *op = take(uring);
	struct vrseq_engine *e = &group->engine;
	int error;

	if (!op) {
		io_uring_cmd_done(cmd, -EAGAIN, 0, issue_flags);
		return -EIOCBQUEUED;
	}
	op->waiter.engine = e;
	op->waiter.session = &e->sessions.table[slot];
	op->waiter.rq = &op->rq;
	op->waiter.entry.func = wake;
	op->mm = current->mm;
	op->slot = slot;
	memset(&op->rq, 0, sizeof(op->rq));
	error = begin(op, cmd, group->config.record_max);
	if (error == VRSEQ_WAITS) {
		/* On one machine it has usually ended already. */
		if (!vrseq_waiter_is_over(&op->waiter))
			return park(op, cmd, issue_flags);
		error = vrseq_call_end(e, slot, &op->rq, 0);
	}
	finish(op, cmd, error, issue_flags);
	return -EIOCBQUEUED;
}
