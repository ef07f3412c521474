/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels we build for, 6.1 and 6.12, one comment
 * each. The rest of the shell is written for the newest and never asks for a
 * version.
 */
#ifndef VRSEQ_COMPAT_H
#define VRSEQ_COMPAT_H

#include <linux/kernel.h>
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
#endif

#endif /* VRSEQ_COMPAT_H */
