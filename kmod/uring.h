/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VRSEQ_URING_H
#define VRSEQ_URING_H

#include <linux/types.h>

struct io_uring_cmd;
struct vrseq_group;
struct vrseq_uring;

struct vrseq_uring *vrseq_uring_create(void);
void vrseq_uring_destroy(struct vrseq_uring *uring);

int vrseq_uring_command(struct vrseq_uring *uring, struct vrseq_group *group, u32 slot,
			struct io_uring_cmd *cmd, unsigned int issue_flags);
bool vrseq_uring_cancel(struct io_uring_cmd *cmd, unsigned int issue_flags);

#endif /* VRSEQ_URING_H */
