// SPDX-License-Identifier: GPL-2.0
/*
 * The messages of fail_nth.c. Owns the socket; knows nothing of faults but that an answer may be
 * lost to one, which netlink says with ENOBUFS.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <sys/socket.h>

#include "../lib/testlib.h"
#include "fail_nth.h"

#define KEY_BYTES	32
#define UUID_BYTES	16
#define ANSWER_S	60

static struct mnl_socket *socket_of;
static unsigned int family, seq;
static char buffer[4096], reply[32768];
static struct nlmsghdr *nlh;

static void begin(unsigned int type, int command)
{
	struct genlmsghdr *genl;

	nlh = mnl_nlmsg_put_header(buffer);
	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = VRSEQ_GENL_VERSION;
}

static void begin_group(int command, const char *name)
{
	begin(family, command);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
}

static int finish(void)
{
	const struct nlmsghdr *answer;
	int bytes;

	if (mnl_socket_sendto(socket_of, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		bytes = mnl_socket_recvfrom(socket_of, reply, sizeof(reply));
		if (bytes < 0)
			return -errno;
		for (answer = (void *)reply; mnl_nlmsg_ok(answer, bytes);
		     answer = mnl_nlmsg_next(answer, &bytes)) {
			if (answer->nlmsg_seq == seq && answer->nlmsg_type == NLMSG_ERROR)
				return *(const int *)mnl_nlmsg_get_payload(answer);
		}
	}
}

void netlink_open(void)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	const struct nlattr *attr;

	socket_of = mnl_socket_open(NETLINK_GENERIC);
	if (!socket_of || mnl_socket_bind(socket_of, 0, MNL_SOCKET_AUTOPID))
		die("netlink: %s", strerror(errno));
	setsockopt(mnl_socket_get_fd(socket_of), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	begin(GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	nlh->nlmsg_flags = NLM_F_REQUEST;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VRSEQ_GENL_NAME);
	if (mnl_socket_sendto(socket_of, nlh, nlh->nlmsg_len) < 0 ||
	    mnl_socket_recvfrom(socket_of, reply, sizeof(reply)) < 0)
		die("netlink: %s", strerror(errno));
	mnl_attr_for_each(attr, (struct nlmsghdr *)reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			family = mnl_attr_get_u16(attr);
	}
	if (!family)
		die("netlink: no family " VRSEQ_GENL_NAME);
}

int group_command(int command, const char *name)
{
	begin_group(command, name);
	return finish();
}

static void put_key(int key)
{
	unsigned char bytes[KEY_BYTES];

	memset(bytes, key, sizeof(bytes));
	mnl_attr_put(nlh, VRSEQ_A_KEY, sizeof(bytes), bytes);
}

int group_add(const char *name, int id, int port, bool whole)
{
	unsigned char uuid[UUID_BYTES];

	memset(uuid, whole ? 2 : 1, sizeof(uuid));
	begin_group(VRSEQ_CMD_GROUP_ADD, name);
	mnl_attr_put_u16(nlh, VRSEQ_A_SELF_ID, id);
	mnl_attr_put_u32(nlh, VRSEQ_A_ADDRESS_IPV4, htonl(INADDR_LOOPBACK));
	mnl_attr_put_u16(nlh, VRSEQ_A_PORT, port);
	mnl_attr_put(nlh, VRSEQ_A_UUID, sizeof(uuid), uuid);
	put_key(1);
	/* Small, as each page of it may be one that fails. */
	mnl_attr_put_u32(nlh, VRSEQ_A_LOG_ENTRIES, 256);
	mnl_attr_put_u32(nlh, VRSEQ_A_LOG_BYTES, 1 << 20);
	mnl_attr_put_u32(nlh, VRSEQ_A_MESSAGES, 64);
	mnl_attr_put_u32(nlh, VRSEQ_A_MESSAGE_BYTES, 1 << 18);
	if (whole) {
		mnl_attr_put_strz(nlh, VRSEQ_A_RECORD, RECORD);
		mnl_attr_put_u32(nlh, VRSEQ_A_CLIENTS_MAX, 16);
	}
	return finish();
}

int group_peer(const char *name, int command, int id, int port, bool client)
{
	struct nlattr *nest;

	begin_group(command, name);
	nest = mnl_attr_nest_start(nlh, VRSEQ_A_MEMBER);
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_ID, id);
	if (command == VRSEQ_CMD_MEMBER_ADD) {
		mnl_attr_put_u32(nlh, VRSEQ_A_MEMBER_ADDRESS_IPV4, htonl(INADDR_LOOPBACK));
		mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_PORT, port);
	}
	if (client)
		mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_ROLE, VRSEQ_ROLE_CLIENT);
	mnl_attr_nest_end(nlh, nest);
	return finish();
}

int group_key(const char *name, int key)
{
	begin_group(VRSEQ_CMD_KEY_SET, name);
	put_key(key);
	return finish();
}
