// SPDX-License-Identifier: GPL-2.0
/*
 * What uapi/linux/vrseq.h promises of an operation's arguments and its answer.
 * Copies structures and no messages; knows no file.
 */
#include "operation.h"

#include <linux/string.h>
#include <linux/uaccess.h>

#include "engine.h"

/** vrseq_check_header - 0, or -EINVAL if something reserved is not zero */
int vrseq_check_header(const struct vrseq_op_hdr *hdr)
{
	if (hdr->flags || hdr->reserved16 || memchr_inv(hdr->reserved, 0, sizeof(hdr->reserved)))
		return -EINVAL;
	return 0;
}

/**
 * vrseq_check_counter - the length of a counter's name
 * @name:	VRSEQ_COUNTER_NAME_BYTES, padded with NUL to the end
 *
 * Return: it, or -EINVAL.
 */
int vrseq_check_counter(const char *name)
{
	int bytes = strnlen(name, VRSEQ_COUNTER_NAME_BYTES), i;

	if (bytes == VRSEQ_COUNTER_NAME_BYTES ||
	    memchr_inv(name + bytes, 0, VRSEQ_COUNTER_NAME_BYTES - bytes))
		return -EINVAL;
	for (i = 0; i < bytes; i++) {
		u8 c = name[i];

		if (c < 0x20 || c == 0x7f)
			return -EINVAL;
	}
	return bytes;
}

/** vrseq_request_init - a request of @kind, as far as the header says what it is */
void vrseq_request_init(struct vrseq_request *rq, const struct vrseq_op_hdr *hdr, u8 kind)
{
	*rq = (struct vrseq_request) {
		.kind = kind,
		.op_id = hdr->op_id,
		.deadline_ns = hdr->deadline_ns,
		.outcome = VR_OUTCOME_NOT_APPLIED,
	};
}

/**
 * vrseq_request_next - what struct vrseq_next asks for
 * @rq:		receives it; points into @next
 * @next:	from userspace
 *
 * Return: 0 or -EINVAL; in any case @rq can be answered.
 */
int vrseq_request_next(struct vrseq_request *rq, const struct vrseq_next *next)
{
	int bytes = vrseq_check_counter(next->counter);
	int error = vrseq_check_header(&next->hdr);

	vrseq_request_init(rq, &next->hdr, VR_KIND_NEXT);
	if (bytes < 0 || !next->count)
		error = -EINVAL;
	if (error)
		return error;
	rq->argument = next->count;
	rq->body = next->counter;
	rq->body_bytes = bytes;
	return 0;
}

/**
 * vrseq_request_append - what struct vrseq_append asks for
 * @rq:		receives it, but for @body
 * @append:	from userspace
 * @message_max: largest message of the group
 *
 * Return: 0, -EINVAL or -EMSGSIZE; in any case @rq can be answered.
 */
int vrseq_request_append(struct vrseq_request *rq, const struct vrseq_append *append,
			 u32 message_max)
{
	int error = vrseq_check_header(&append->hdr);

	vrseq_request_init(rq, &append->hdr, VR_KIND_APPEND);
	if (append->expected > VR_NUMBER_MAX)
		error = -EINVAL;
	if (!error && append->bytes > message_max)
		error = -EMSGSIZE;
	if (error)
		return error;
	rq->argument = append->expected;
	rq->topic = append->topic;
	rq->body_bytes = append->bytes;
	return 0;
}

/**
 * vrseq_answer - give the caller his structure back
 * @error:	how the operation ended
 * @rq:		the operation
 * @user:	where the structure goes
 * @hdr:	its head, and the rest behind it
 * @bytes:	of it; after an error the head alone is written
 *
 * If it cannot be written, the operation can be joined with the op_id, but only
 * if the caller knows it.
 *
 * Return: @error or -EFAULT.
 */
int vrseq_answer(int error, const struct vrseq_request *rq, void __user *user,
		 struct vrseq_op_hdr *hdr, size_t bytes)
{
	hdr->op_id = rq->op_id;
	hdr->outcome = rq->outcome;
	hdr->index = rq->result.index;
	hdr->view = rq->result.view;
	if (copy_to_user(user, hdr, error ? sizeof(*hdr) : bytes))
		return -EFAULT;
	return error;
}

/** vrseq_answer_next - vrseq_answer() for a struct vrseq_next */
int vrseq_answer_next(int error, const struct vrseq_request *rq, void __user *user,
		      struct vrseq_next *next)
{
	next->first = rq->result.first;
	next->last = rq->result.last;
	return vrseq_answer(error, rq, user, &next->hdr, sizeof(*next));
}

/** vrseq_answer_append - vrseq_answer() for a struct vrseq_append */
int vrseq_answer_append(int error, const struct vrseq_request *rq, void __user *user,
			struct vrseq_append *append)
{
	append->sequence = rq->result.last;
	/* Who was too late is told what is there. */
	if (error == -EEXIST)
		return vrseq_answer(0, rq, user, &append->hdr, sizeof(*append)) ?: error;
	return vrseq_answer(error, rq, user, &append->hdr, sizeof(*append));
}
