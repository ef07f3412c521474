/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VRSEQ_POWER_H
#define VRSEQ_POWER_H

int vrseq_power_init(void);
void vrseq_power_exit(void);

#endif /* VRSEQ_POWER_H */
