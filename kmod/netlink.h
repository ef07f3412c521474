/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VRSEQ_NETLINK_H_
#define VRSEQ_NETLINK_H_

int vrseq_netlink_init(void);
void vrseq_netlink_exit(void);

#endif /* VRSEQ_NETLINK_H_ */
