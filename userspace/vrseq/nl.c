// SPDX-License-Identifier: GPL-2.0
/* Generic netlink over libmnl, with extended acknowledgments. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nl.h"
#include "tool.h"

struct exchange {
	struct nl *nl;
	mnl_cb_t answer;
	void *data;
};

/* The sentence among the attributes after the fixed part of an ack. */
static int find_why(const struct nlattr *attr, void *data)
{
	struct nl *nl = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		snprintf(nl->why, sizeof(nl->why), "%.*s",
			 (int)mnl_attr_get_payload_len(attr),
			 mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static void take_why(struct nl *nl, const struct nlmsghdr *nlh, size_t offset)
{
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    offset <= mnl_nlmsg_get_payload_len(nlh))
		mnl_attr_parse(nlh, offset, find_why, nl);
}

static int on_error(const struct nlmsghdr *nlh, void *data)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	struct exchange *exchange = data;
	size_t offset = sizeof(*error);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error)) {
		errno = EPROTO;
		return MNL_CB_ERROR;
	}
	if (!error->error)
		return MNL_CB_STOP;
	/* without NLM_F_CAPPED the whole request stands before the attributes */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	take_why(exchange->nl, nlh, offset);
	errno = -error->error;
	return MNL_CB_ERROR;
}

/* The end of a dump, which can have failed. */
static int on_done(const struct nlmsghdr *nlh, void *data)
{
	const int *error = mnl_nlmsg_get_payload(nlh);
	struct exchange *exchange = data;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*error) || *error >= 0)
		return MNL_CB_STOP;
	take_why(exchange->nl, nlh, sizeof(*error));
	errno = -*error;
	return MNL_CB_ERROR;
}

static int on_answer(const struct nlmsghdr *nlh, void *data)
{
	struct exchange *exchange = data;

	return exchange->answer ? exchange->answer(nlh, exchange->data) : MNL_CB_OK;
}

static mnl_cb_t control[NLMSG_MIN_TYPE] = {
	[NLMSG_ERROR] = on_error,
	[NLMSG_DONE] = on_done,
};

int nl_talk(struct nl *nl, struct nlmsghdr *request, mnl_cb_t answer, void *data)
{
	struct exchange exchange = { nl, answer, data };
	unsigned int port = mnl_socket_get_portid(nl->socket);
	ssize_t bytes;
	int state;

	nl->why[0] = '\0';
	if (mnl_socket_sendto(nl->socket, request, request->nlmsg_len) < 0)
		return -errno;
	do {
		bytes = mnl_socket_recvfrom(nl->socket, nl->reply, sizeof(nl->reply));
		if (bytes < 0)
			return -errno;
		state = mnl_cb_run2(nl->reply, bytes, request->nlmsg_seq, port,
				    on_answer, &exchange, control,
				    ARRAY_SIZE(control));
	} while (state == MNL_CB_OK);
	return state == MNL_CB_ERROR ? -errno : 0;
}

static struct nlmsghdr *start(struct nl *nl, uint16_t type, uint8_t command,
			      uint8_t version, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl->request);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++nl->sequence;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = version;
	return nlh;
}

struct nlmsghdr *nl_request(struct nl *nl, uint8_t command, uint16_t flags)
{
	return start(nl, nl->family, command, VRSEQ_GENL_VERSION, flags);
}

static int find_family(const struct nlattr *attr, void *data)
{
	struct nl *nl = data;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) >= 0)
		nl->family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int on_family(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), find_family, data);
}

static int resolve(struct nl *nl)
{
	struct nlmsghdr *nlh;
	int error;

	nlh = start(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VRSEQ_GENL_NAME);
	error = nl_talk(nl, nlh, on_family, nl);
	if (!error && !nl->family)
		error = -ENOENT;
	return error;
}

int nl_connect(struct nl *nl)
{
	int on = 1;
	int error;

	memset(nl, 0, offsetof(struct nl, request));
	nl->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->socket)
		return -errno;
	if (mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		error = -errno;
		goto err_close;
	}
	/* niceties: a kernel without them still answers with an errno */
	mnl_socket_setsockopt(nl->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nl->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	error = resolve(nl);
	if (!error)
		return 0;

err_close:
	nl_close(nl);
	return error;
}

int nl_open(struct nl *nl)
{
	int error = nl_connect(nl);

	if (!error)
		return EXIT_OK;
	if (error == -ENOENT)
		return fail(EXIT_NOT_YET, "The module is not loaded",
			    "modprobe vrseq", "No netlink family vrseq");
	return fail(EXIT_FAILED, strerror(-error), NULL, "Cannot use netlink");
}

void nl_close(struct nl *nl)
{
	mnl_socket_close(nl->socket);
}

const char *nl_why(const struct nl *nl, int error)
{
	return nl->why[0] ? nl->why : vrseq_strerror(error);
}

void nl_put_endpoint(struct nlmsghdr *nlh, const struct endpoint *endpoint, uint16_t ipv4,
		     uint16_t ipv6, uint16_t port)
{
	mnl_attr_put(nlh, endpoint->ipv6 ? ipv6 : ipv4,
		     endpoint->ipv6 ? IPV6_BYTES : IPV4_BYTES, endpoint->address);
	mnl_attr_put_u16(nlh, port, endpoint->port);
}

int nl_command(struct nl *nl, struct nlmsghdr *request, const char *hint,
	       const char *what, const char *name)
{
	int error = nl_talk(nl, request, NULL, NULL);

	if (!error)
		return EXIT_OK;
	return fail(exit_code_of(error), nl_why(nl, error), hint, "%s %s failed",
		    what, name);
}

int nl_command_group(uint8_t command, const char *what, const char *group)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	int code;

	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, command, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, group);
	code = nl_command(&nl, nlh, "vrseq group show", what, group);
	nl_close(&nl);
	return code;
}
