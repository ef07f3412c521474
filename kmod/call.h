/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for an operation: a thread does, in call.c, or a command of io_uring,
 * in uring.c. Both are an entry in the queue of the session.
 */
#ifndef VRSEQ_CALL_H
#define VRSEQ_CALL_H

#include <linux/types.h>
#include <linux/wait.h>

struct vrseq_engine;
struct vrseq_request;
struct vrseq_session;

/**
 * struct vrseq_waiter - who waits
 * @entry:	in the queue of the session
 * @engine:	of the group
 * @session:	whose
 * @rq:		what it waits for
 */
struct vrseq_waiter {
	struct wait_queue_entry entry;
	struct vrseq_engine *engine;
	struct vrseq_session *session;
	const struct vrseq_request *rq;
};

bool vrseq_waiter_is_over(const struct vrseq_waiter *waiter);

int vrseq_call(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq);
int vrseq_call_end(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq, int error);

#endif /* VRSEQ_CALL_H */
