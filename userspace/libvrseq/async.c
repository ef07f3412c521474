// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Many operations of one thread: begun without waiting, and reaped later. Made
 * of the other calls alone: O_NONBLOCK begins an operation and leaves it to the
 * kernel, joining it has its end. Refuses to know how many fit; the kernel says.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#pragma GCC visibility push(default)
#include "vrseq.h"
#pragma GCC visibility pop

static bool is_nonblocking(const struct vrseq *handle)
{
	return fcntl(vrseq_fd(handle), F_GETFL) & O_NONBLOCK;
}

static void set_nonblocking(const struct vrseq *handle, bool on)
{
	int flags = fcntl(vrseq_fd(handle), F_GETFL);

	fcntl(vrseq_fd(handle), F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

/* Without an op_id it was never begun; otherwise its end may have come at once. */
static int begun(struct vrseq_operation *operation, int error)
{
	return operation->result.op_id ? 0 : error;
}

int vrseq_submit_next(struct vrseq *handle, const char *counter, uint64_t count,
		      struct vrseq_operation *operation)
{
	if (!is_nonblocking(handle))
		return -EINVAL;
	*operation = (struct vrseq_operation){
		.kind = VRSEQ_KIND_NEXT, .argument = counter, .amount = count,
	};
	return begun(operation, vrseq_next(handle, counter, count, VRSEQ_NO_DEADLINE,
					   &operation->result));
}

int vrseq_submit_append(struct vrseq *handle, const void *message, size_t bytes,
			struct vrseq_operation *operation)
{
	if (!is_nonblocking(handle))
		return -EINVAL;
	*operation = (struct vrseq_operation){
		.kind = VRSEQ_KIND_APPEND, .argument = message, .amount = bytes,
	};
	return begun(operation, vrseq_append(handle, message, bytes, VRSEQ_NO_DEADLINE,
					     &operation->result));
}

static int join(struct vrseq *handle, struct vrseq_operation *operation, uint64_t deadline_ns)
{
	struct vrseq_result *result = &operation->result;

	if (operation->kind == VRSEQ_KIND_NEXT)
		return vrseq_next_join(handle, result->op_id, operation->argument,
				       operation->amount, deadline_ns, result);
	return vrseq_append_join(handle, result->op_id, operation->argument,
				 operation->amount, deadline_ns, result);
}

int vrseq_reap(struct vrseq *handle, struct vrseq_operation *operation, uint64_t deadline_ns,
	       struct vrseq_result *result)
{
	int error = operation->result.error;

	if (!operation->result.op_id)
		return -EINVAL;
	if (operation->result.outcome == VRSEQ_OUTCOME_UNKNOWN)
		error = join(handle, operation, VRSEQ_NO_DEADLINE);
	if (error == -EAGAIN) {
		/* only a call that may wait has a deadline */
		set_nonblocking(handle, false);
		error = join(handle, operation, deadline_ns);
		set_nonblocking(handle, true);
	}
	if (result)
		*result = operation->result;
	return error;
}
