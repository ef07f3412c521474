/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Requests to the netlink family "vrseq" and the kernel's sentence when it
 * refuses one. Knows messages, not groups.
 */
#ifndef VRSEQ_NL_H
#define VRSEQ_NL_H

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <linux/vrseq_netlink.h>

struct endpoint;

#define NL_REQUEST_BYTES 1024
#define NL_REPLY_BYTES 32768	/* as much as the kernel puts in one datagram */

struct nl {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t sequence;
	char why[256];			/* what the kernel said to a refusal */
	char request[NL_REQUEST_BYTES];
	char reply[NL_REPLY_BYTES];
};

/* Return: 0, -ENOENT if the module is not loaded, another negative errno. */
int nl_connect(struct nl *nl);

/* The same, but prints its error. Return: exit code. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);

/* A request in nl->request; @flags: NLM_F_ACK or NLM_F_DUMP. */
struct nlmsghdr *nl_request(struct nl *nl, uint8_t command, uint16_t flags);

/*
 * Sends it and hands each answer to @answer, which returns MNL_CB_OK, or
 * MNL_CB_ERROR with errno set.
 *
 * Return: 0, -EINTR if a dump is not of one moment and must be asked again, a
 * negative errno: then nl->why is the kernel's sentence or empty.
 */
int nl_talk(struct nl *nl, struct nlmsghdr *request, mnl_cb_t answer, void *data);

/* An endpoint of either family; each attribute is for the part its name says. */
void nl_put_endpoint(struct nlmsghdr *nlh, const struct endpoint *endpoint, uint16_t ipv4,
		     uint16_t ipv6, uint16_t port);

/* For a request that has no answer but yes or no. Prints. Return: exit code. */
int nl_command(struct nl *nl, struct nlmsghdr *request, const char *hint,
	       const char *what, const char *name);

/* The same for a command that takes the name of a group and nothing else. */
int nl_command_group(uint8_t command, const char *what, const char *group);

/* Why a request failed: the kernel's sentence, or the errno's. */
const char *nl_why(const struct nl *nl, int error);

#endif /* VRSEQ_NL_H */
