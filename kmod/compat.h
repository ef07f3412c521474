/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels we build for, 6.1 and 6.12, one comment
 * each. The rest of the shell is written for the newest and never asks for a
 * version.
 */
#ifndef VRSEQ_COMPAT_H
#define VRSEQ_COMPAT_H

#include <linux/io_uring.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/netlink.h>

/*
 * Since 6.3 an extack has room for a formatted sentence; before, it could only
 * point to one. The acknowledgment is sent by the context that set it, right
 * after, so a buffer for each place will do: two administrators refused at the
 * same place at once may see each other's numbers, nothing worse, as the last
 * byte is always NUL.
 */
#ifndef NL_SET_ERR_MSG_FMT
#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) do {			\
	static char __text[80];						\
	struct netlink_ext_ack *__extack = (extack);			\
									\
	scnprintf(__text, sizeof(__text), fmt, ##args);			\
	if (__extack)							\
		__extack->_msg = __text;				\
} while (0)

/* Since 6.3, too, a mapping's flags are not written to directly. */
static inline void vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
}
#endif

/*
 * Since 6.8 what a driver needs of io_uring has a header of its own, and a command
 * is read from its submission entry. Since 6.7 a command can be canceled: before,
 * nothing calls for it, and whoever takes a ring down waits for the command's end.
 */
#ifndef IORING_URING_CMD_MASK
#define VRSEQ_URING_CANCEL	0

static inline const void *vrseq_uring_sqe(const struct io_uring_cmd *cmd)
{
	return cmd->cmd;
}

static inline void io_uring_cmd_mark_cancelable(struct io_uring_cmd *cmd, unsigned int issue_flags)
{
}
#else
#include <linux/io_uring/cmd.h>

#define VRSEQ_URING_CANCEL	IO_URING_F_CANCEL

static inline const void *vrseq_uring_sqe(const struct io_uring_cmd *cmd)
{
	return io_uring_sqe_cmd(cmd->sqe);
}
#endif

#endif /* VRSEQ_COMPAT_H */
