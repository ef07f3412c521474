/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations as userspace writes them: checked, made requests, and answered.
 * The same for an ioctl and for io_uring; knows neither.
 */
#ifndef VRSEQ_OPERATION_H
#define VRSEQ_OPERATION_H

#include <linux/types.h>
#include <linux/vrseq.h>

struct vrseq_request;

int vrseq_check_header(const struct vrseq_op_hdr *hdr);
int vrseq_check_counter(const char *name);

void vrseq_request_init(struct vrseq_request *rq, const struct vrseq_op_hdr *hdr, u8 kind);
int vrseq_request_next(struct vrseq_request *rq, const struct vrseq_next *next);
int vrseq_request_append(struct vrseq_request *rq, const struct vrseq_append *append,
			 u32 message_max);

int vrseq_answer(int error, const struct vrseq_request *rq, void __user *user,
		 struct vrseq_op_hdr *hdr, size_t bytes);
int vrseq_answer_next(int error, const struct vrseq_request *rq, void __user *user,
		      struct vrseq_next *next);
int vrseq_answer_append(int error, const struct vrseq_request *rq, void __user *user,
			struct vrseq_append *append);

#endif /* VRSEQ_OPERATION_H */
