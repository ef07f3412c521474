/* SPDX-License-Identifier: GPL-2.0 */
/* An answer to STATS_GET, one counter after the other. */
#ifndef VRSEQ_STATS_H
#define VRSEQ_STATS_H

#include <libmnl/libmnl.h>
#include <stdint.h>

typedef void (*stat_fn)(const char *name, uint64_t value, void *data);

/* The name of the group it is of, "" if it does not say. */
const char *stats_group(const struct nlmsghdr *nlh);

/* Hands each to @take. Return: MNL_CB_OK, or MNL_CB_ERROR with errno set. */
int stats_each(const struct nlmsghdr *nlh, stat_fn take, void *data);

#endif /* VRSEQ_STATS_H */
