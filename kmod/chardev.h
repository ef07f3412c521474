/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VRSEQ_CHARDEV_H
#define VRSEQ_CHARDEV_H

int vrseq_chardev_init(void);
void vrseq_chardev_exit(void);

#endif /* VRSEQ_CHARDEV_H */
