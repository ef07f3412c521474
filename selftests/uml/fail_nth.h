/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fail_nth.c asks for by netlink. Each call is one message and its answer, all of it in the
 * calling thread, so that allocations it makes are the thread's; 0 or -errno.
 */
#ifndef VRSEQ_FAIL_NTH_H
#define VRSEQ_FAIL_NTH_H

#include <stdbool.h>
#include <linux/vrseq_netlink.h>

#define PORT		7400
#define PORT_WALKED	7410
#define RECORD		"/run/fail_nth.record"

void netlink_open(void);
int group_command(int command, const char *name);
/* With a key, and if @whole with a record and room for clients, too. */
int group_add(const char *name, int id, int port, bool whole);
int group_peer(const char *name, int command, int id, int port, bool client);
int group_key(const char *name, int key);

#endif /* VRSEQ_FAIL_NTH_H */
