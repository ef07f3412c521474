// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink family "vrseq", raw: every command with every argument left
 * out, out of bounds or malformed. Each refusal must have the right errno and
 * a sentence.
 *
 * Owns its messages; does not use the tool, which would not let them through.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vrseq_netlink.h>
#include <sched.h>
#include <sys/socket.h>

#include "../lib/kselftest_harness.h"
#include "../chardev/dev.h"

#define BUFFER_BYTES 8192
#define PORT 7400
#define LOOPBACK 0x7f000001
#define UUID_BYTES 16
#define KEY_BYTES 32
#define IPV6_BYTES 16

FIXTURE(netlink) {
	struct mnl_socket *socket;
	unsigned int family;
	char buffer[BUFFER_BYTES];
	char reply[1 << 16];
	char sentence[256];
	struct nlmsghdr *nlh;
	unsigned int objects;		/* of a dump or a get */
	__u64 value[VRSEQ_A_MAX + 1];	/* of the last one's numbers, ~0 = absent */
	bool dirty;			/* a reply had bytes that are nothing's */
	unsigned int round_trips;	/* members whose distance is known */
	__u8 uuid[UUID_BYTES];
	__u8 ipv6[IPV6_BYTES];
	__u8 member_ipv6[IPV6_BYTES];	/* of the last one that has such an address */
};

static int on_error_attr(const struct nlattr *attr, void *data)
{
	struct _test_data_netlink *self = data;

	if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_MSG)
		snprintf(self->sentence, sizeof(self->sentence), "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static __u64 number_of(const struct nlattr *attr)
{
	switch (mnl_attr_get_payload_len(attr)) {
	case 1:
		return mnl_attr_get_u8(attr);
	case 2:
		return mnl_attr_get_u16(attr);
	case 4:
		return mnl_attr_get_u32(attr);
	case 8:
		return mnl_attr_get_u64(attr);
	default:
		return ~0ull;
	}
}

static int on_member_attr(const struct nlattr *attr, void *data)
{
	struct _test_data_netlink *self = data;

	if (mnl_attr_get_type(attr) == VRSEQ_A_MEMBER_ROUND_TRIP_NS && number_of(attr))
		self->round_trips++;
	if (mnl_attr_get_type(attr) == VRSEQ_A_MEMBER_ADDRESS_IPV6 &&
	    mnl_attr_get_payload_len(attr) == IPV6_BYTES)
		memcpy(self->member_ipv6, mnl_attr_get_payload(attr), IPV6_BYTES);
	return MNL_CB_OK;
}

static int on_group_attr(const struct nlattr *attr, void *data)
{
	struct _test_data_netlink *self = data;
	unsigned int type = mnl_attr_get_type(attr);

	if (type > VRSEQ_A_MAX)
		return MNL_CB_OK;
	self->value[type] = number_of(attr);
	if (type == VRSEQ_A_MEMBER)
		mnl_attr_parse_nested(attr, on_member_attr, self);
	if (type == VRSEQ_A_UUID && mnl_attr_get_payload_len(attr) == UUID_BYTES)
		memcpy(self->uuid, mnl_attr_get_payload(attr), UUID_BYTES);
	if (type == VRSEQ_A_ADDRESS_IPV6 && mnl_attr_get_payload_len(attr) == IPV6_BYTES)
		memcpy(self->ipv6, mnl_attr_get_payload(attr), IPV6_BYTES);
	return MNL_CB_OK;
}

static void begin(struct _test_data_netlink *self, unsigned int family, int command, int flags)
{
	struct genlmsghdr *genl;

	memset(self->buffer, 0, sizeof(self->buffer));
	self->nlh = mnl_nlmsg_put_header(self->buffer);
	self->nlh->nlmsg_type = family;
	self->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	self->nlh->nlmsg_seq = 1;
	genl = mnl_nlmsg_put_extra_header(self->nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = VRSEQ_GENL_VERSION;
}

/* Attributes fill up to four bytes: with nothing. */
static bool is_padded(const void *at, unsigned int bytes)
{
	const struct nlattr *attr = at;
	const unsigned char *p, *end;

	for (; bytes >= sizeof(*attr); bytes -= MNL_ALIGN(attr->nla_len), attr = (void *)end) {
		end = (void *)mnl_attr_next(attr);
		if (attr->nla_len < sizeof(*attr) || MNL_ALIGN(attr->nla_len) > bytes)
			return false;
		for (p = (void *)attr + attr->nla_len; p < end; p++) {
			if (*p)
				return false;
		}
		if ((attr->nla_type & NLA_F_NESTED) &&
		    !is_padded(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr)))
			return false;
	}
	return !bytes;
}

/* 0 or -errno; what came back is left in the fixture. */
static int finish(struct _test_data_netlink *self)
{
	const struct nlmsghdr *nlh;
	int bytes;

	self->sentence[0] = '\0';
	self->objects = 0;
	if (mnl_socket_sendto(self->socket, self->nlh, self->nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		bytes = mnl_socket_recvfrom(self->socket, self->reply, sizeof(self->reply));
		if (bytes < 0)
			return -errno;
		for (nlh = (void *)self->reply; mnl_nlmsg_ok(nlh, bytes);
		     nlh = mnl_nlmsg_next(nlh, &bytes)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
			unsigned int skip = sizeof(*error);

			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type != NLMSG_ERROR) {
				self->objects++;
				memset(self->value, 0xff, sizeof(self->value));
				self->round_trips = 0;
				self->dirty |= !is_padded(mnl_nlmsg_get_payload_offset(nlh,
						sizeof(struct genlmsghdr)),
						mnl_nlmsg_get_payload_len(nlh) -
						sizeof(struct genlmsghdr));
				mnl_attr_parse(nlh, sizeof(struct genlmsghdr), on_group_attr,
					       self);
				continue;
			}
			if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
				skip += error->msg.nlmsg_len - sizeof(error->msg);
			if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
				mnl_attr_parse(nlh, skip, on_error_attr, self);
			return error->error;
		}
	}
}

FIXTURE_SETUP(netlink)
{
	int one = 1;
	struct timeval patience = { .tv_sec = 10 };

	/* Of its own for each test, so that nothing is left behind. */
	ASSERT_EQ(0, unshare(CLONE_NEWNET));
	ASSERT_EQ(0, system("ip link set lo up"));
	self->socket = mnl_socket_open(NETLINK_GENERIC);
	ASSERT_NE(NULL, self->socket);
	ASSERT_EQ(0, mnl_socket_bind(self->socket, 0, MNL_SOCKET_AUTOPID));
	mnl_socket_setsockopt(self->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(self->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	/* Which number the family has. */
	begin(self, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(self->nlh, CTRL_ATTR_FAMILY_NAME, VRSEQ_GENL_NAME);
	ASSERT_GT(mnl_socket_sendto(self->socket, self->nlh, self->nlh->nlmsg_len), 0);
	ASSERT_GT(mnl_socket_recvfrom(self->socket, self->reply, sizeof(self->reply)), 0);
	const struct nlattr *attr;

	mnl_attr_for_each(attr, (struct nlmsghdr *)self->reply, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			self->family = mnl_attr_get_u16(attr);
	ASSERT_NE(0, self->family);
	/* GETFAMILY without NLM_F_ACK: one message, all of it read. */
}

FIXTURE_TEARDOWN(netlink)
{
	EXPECT_FALSE(self->dirty);
	mnl_socket_close(self->socket);
}

/* ---- requests, whole but for what a test leaves out or changes ---- */

static void put_ipv6(struct nlmsghdr *nlh, int attribute, const char *text, unsigned int bytes)
{
	__u8 address[2 * IPV6_BYTES] = { 0 };

	inet_pton(AF_INET6, text, address);
	mnl_attr_put(nlh, attribute, bytes, address);
}

struct add {
	const char *name;
	int self_id;
	unsigned int address;
	const char *ipv6;
	unsigned int ipv6_bytes;
	int port;
	bool insecure;
	const void *key;
	unsigned int key_bytes;
	const char *key_name;
	const void *uuid;
	unsigned int uuid_bytes;
	__u64 heartbeat_ns;
	__u64 view_timeout_ns;
	__u64 lease_ns;
	__u32 record_max;
	__u32 log_entries;
	__u32 log_bytes;
	__u32 messages;
	__u32 message_bytes;
	int role;
	__u32 clients_max;
	__u64 node_lease_ns;
	int files_max;
	__s64 gid;
	int wire;
};

#define ADD(...) ((struct add){ .name = "g", .self_id = 1, .address = LOOPBACK, .port = PORT, \
	.insecure = true, .key_bytes = KEY_BYTES, .uuid_bytes = UUID_BYTES, .role = -1, \
	.ipv6_bytes = IPV6_BYTES, .files_max = -1, .gid = -1, .wire = -1, ##__VA_ARGS__ })
#define ADD6(...) ADD(.address = 0, .ipv6 = "::1", ##__VA_ARGS__)

static void put_add(struct _test_data_netlink *self, struct add add)
{
	begin(self, self->family, VRSEQ_CMD_GROUP_ADD, NLM_F_ACK);
	if (add.name)
		mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, add.name);
	if (add.self_id >= 0)
		mnl_attr_put_u16(self->nlh, VRSEQ_A_SELF_ID, add.self_id);
	if (add.address)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_ADDRESS_IPV4, htonl(add.address));
	if (add.ipv6)
		put_ipv6(self->nlh, VRSEQ_A_ADDRESS_IPV6, add.ipv6, add.ipv6_bytes);
	if (add.port >= 0)
		mnl_attr_put_u16(self->nlh, VRSEQ_A_PORT, add.port);
	if (add.insecure)
		mnl_attr_put(self->nlh, VRSEQ_A_INSECURE, 0, NULL);
	if (add.key)
		mnl_attr_put(self->nlh, VRSEQ_A_KEY, add.key_bytes, add.key);
	if (add.key_name)
		mnl_attr_put_strz(self->nlh, VRSEQ_A_KEY_NAME, add.key_name);
	if (add.uuid)
		mnl_attr_put(self->nlh, VRSEQ_A_UUID, add.uuid_bytes, add.uuid);
	if (add.heartbeat_ns)
		mnl_attr_put_u64(self->nlh, VRSEQ_A_HEARTBEAT_NS, add.heartbeat_ns);
	if (add.view_timeout_ns)
		mnl_attr_put_u64(self->nlh, VRSEQ_A_VIEW_TIMEOUT_NS, add.view_timeout_ns);
	if (add.lease_ns)
		mnl_attr_put_u64(self->nlh, VRSEQ_A_LEASE_NS, add.lease_ns);
	if (add.record_max)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_RECORD_MAX, add.record_max);
	if (add.log_entries)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_LOG_ENTRIES, add.log_entries);
	if (add.log_bytes)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_LOG_BYTES, add.log_bytes);
	if (add.messages)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_MESSAGES, add.messages);
	if (add.message_bytes)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_MESSAGE_BYTES, add.message_bytes);
	if (add.role >= 0)
		mnl_attr_put_u8(self->nlh, VRSEQ_A_ROLE, add.role);
	if (add.clients_max)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_CLIENTS_MAX, add.clients_max);
	if (add.node_lease_ns)
		mnl_attr_put_u64(self->nlh, VRSEQ_A_NODE_LEASE_NS, add.node_lease_ns);
	if (add.files_max >= 0)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_FILES_MAX, add.files_max);
	if (add.gid >= 0)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_GID, add.gid);
	if (add.wire >= 0)
		mnl_attr_put_u8(self->nlh, VRSEQ_A_WIRE, add.wire);
}

static int add(struct _test_data_netlink *self, struct add what)
{
	put_add(self, what);
	return finish(self);
}

/* DEL, FORM, GET, STATS_GET, RESIGN: a name and no more. */
static int by_name(struct _test_data_netlink *self, int command, const char *name)
{
	begin(self, self->family, command, NLM_F_ACK);
	if (name)
		mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, name);
	return finish(self);
}

static int dump(struct _test_data_netlink *self, int command)
{
	begin(self, self->family, command, NLM_F_DUMP);
	return finish(self);
}

struct member {
	int id;
	unsigned int address;
	const char *ipv6;
	unsigned int ipv6_bytes;
	int port;
	int role;
};

static int member(struct _test_data_netlink *self, int command, const char *name,
		  struct member member)
{
	struct nlattr *nest;

	begin(self, self->family, command, NLM_F_ACK);
	if (name)
		mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, name);
	nest = mnl_attr_nest_start(self->nlh, VRSEQ_A_MEMBER);
	if (member.id >= 0)
		mnl_attr_put_u16(self->nlh, VRSEQ_A_MEMBER_ID, member.id);
	if (member.address)
		mnl_attr_put_u32(self->nlh, VRSEQ_A_MEMBER_ADDRESS_IPV4, htonl(member.address));
	if (member.ipv6)
		put_ipv6(self->nlh, VRSEQ_A_MEMBER_ADDRESS_IPV6, member.ipv6, member.ipv6_bytes);
	if (member.port >= 0)
		mnl_attr_put_u16(self->nlh, VRSEQ_A_MEMBER_PORT, member.port);
	if (member.role >= 0)
		mnl_attr_put_u8(self->nlh, VRSEQ_A_MEMBER_ROLE, member.role);
	mnl_attr_nest_end(self->nlh, nest);
	return finish(self);
}

#define MEMBER(...) ((struct member){ .id = 2, .address = LOOPBACK, .port = PORT + 1, \
	.ipv6_bytes = IPV6_BYTES, .role = -1, ##__VA_ARGS__ })
#define MEMBER6(...) MEMBER(.address = 0, .ipv6 = "::1", ##__VA_ARGS__)

/* Refused with this errno, and with a sentence: not a word, not two lines. */
#define REFUSE(error, call) do { \
	PROVOKE(error, call) { \
		TH_LOG("it said: %s", self->sentence); \
	} \
	EXPECT_GT(strlen(self->sentence), 10) { \
		TH_LOG("no sentence for %s", #call); \
	} \
	EXPECT_NE(NULL, strchr(self->sentence, ' ')); \
	EXPECT_EQ(NULL, strchr(self->sentence, '\n')); \
} while (0)

/* The kernel does not know yet how much is received at a time. */
TEST_F(netlink, first_on_a_socket)
{
	struct mnl_socket *used = self->socket;

	ASSERT_EQ(0, add(self, ADD()));
	self->socket = mnl_socket_open(NETLINK_GENERIC);
	ASSERT_NE(NULL, self->socket);
	ASSERT_EQ(0, mnl_socket_bind(self->socket, 0, MNL_SOCKET_AUTOPID));
	EXPECT_EQ(0, dump(self, VRSEQ_CMD_STATS_GET));
	EXPECT_EQ(1, self->objects);
	mnl_socket_close(self->socket);
	self->socket = used;
}

TEST_F(netlink, add_get_del)
{
	ASSERT_EQ(0, add(self, ADD()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(1, self->objects);
	EXPECT_EQ(VRSEQ_STATE_BLANK, self->value[VRSEQ_A_STATE]);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_STATS_GET, "g"));
	EXPECT_EQ(1, self->objects);
	ASSERT_EQ(0, add(self, ADD(.name = "h", .port = PORT + 1)));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(2, self->objects);
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_STATS_GET));
	EXPECT_EQ(2, self->objects);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "h"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "h"));
	EXPECT_EQ(VRSEQ_STATE_NORMAL, self->value[VRSEQ_A_STATE]);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "h"));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);
}

TEST_F(netlink, add_refused)
{
	static const char *const bad_names[] = {
		"", "with space", "slash/", "new\nline", "gr\xc3\xbc\xc3\x9f", "a*",
		"0123456789012345678901234567890x",
	};
	unsigned int i;

	for (i = 0; i < sizeof(bad_names) / sizeof(*bad_names); i++)
		REFUSE(EINVAL, add(self, ADD(.name = bad_names[i])));
	REFUSE(EINVAL, add(self, ADD(.name = NULL)));
	REFUSE(EINVAL, add(self, ADD(.self_id = -1)));
	REFUSE(ERANGE, add(self, ADD(.self_id = 0)));
	REFUSE(EINVAL, add(self, ADD(.address = 0)));
	REFUSE(EINVAL, add(self, ADD(.port = -1)));
	REFUSE(ERANGE, add(self, ADD(.port = 0)));
	REFUSE(EINVAL, add(self, ADD(.insecure = false)));
	REFUSE(EINVAL, add(self, ADD(.heartbeat_ns = 999999)));
	REFUSE(EINVAL, add(self, ADD(.heartbeat_ns = 1000000001)));
	REFUSE(EINVAL, add(self, ADD(.heartbeat_ns = ~0ull)));
	REFUSE(EINVAL, add(self, ADD(.heartbeat_ns = 20 * MS, .view_timeout_ns = 80 * MS - 1)));
	REFUSE(EINVAL, add(self, ADD(.view_timeout_ns = 60000 * MS + 1)));
	REFUSE(EINVAL, add(self, ADD(.view_timeout_ns = ~0ull)));
	REFUSE(EINVAL, add(self, ADD(.record_max = 63)));
	REFUSE(EINVAL, add(self, ADD(.record_max = 8193)));
	REFUSE(EINVAL, add(self, ADD(.record_max = 64, .log_bytes = 128 * 64 - 1)));
	REFUSE(EINVAL, add(self, ADD(.log_bytes = 1 << 19)));
	REFUSE(EINVAL, add(self, ADD(.log_entries = 1)));
	REFUSE(EINVAL, add(self, ADD(.log_entries = ~0u)));
	REFUSE(EINVAL, add(self, ADD(.log_bytes = 1)));
	REFUSE(EINVAL, add(self, ADD(.messages = ~0u)));
	REFUSE(EINVAL, add(self, ADD(.message_bytes = 1)));
	/* 198.51.100.0/24 is for documentation: nobody has it. */
	REFUSE(EADDRNOTAVAIL, add(self, ADD(.address = 0xc6336401)));
	REFUSE(EINVAL, add(self, ADD(.address = 0xffffffff)));
	REFUSE(EINVAL, add(self, ADD(.address = 0xe0000001)));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);
}

static const __u8 uuid_zero[UUID_BYTES + 1];
static const __u8 uuid_one[UUID_BYTES + 1] = { [UUID_BYTES - 1] = 1 };
static const __u8 uuid_two[UUID_BYTES + 1] = { 2 };

TEST_F(netlink, uuid)
{
	/* Two times SipHash-2-4 of "g", and the version and variant of RFC 9562. */
	static const __u8 of_g[UUID_BYTES] = {
		0x69, 0x08, 0x11, 0x2f, 0xb1, 0x66, 0x86, 0xae,
		0xb2, 0x39, 0xe4, 0x84, 0x9d, 0xf6, 0xd8, 0x43,
	};

	REFUSE(EINVAL, add(self, ADD(.uuid = uuid_zero)));
	REFUSE(ERANGE, add(self, ADD(.uuid = uuid_one, .uuid_bytes = UUID_BYTES - 1)));
	REFUSE(ERANGE, add(self, ADD(.uuid = uuid_one, .uuid_bytes = UUID_BYTES + 1)));
	REFUSE(ERANGE, add(self, ADD(.uuid = uuid_one, .uuid_bytes = 0)));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);

	ASSERT_EQ(0, add(self, ADD(.uuid = uuid_one)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(0, memcmp(self->uuid, uuid_one, UUID_BYTES));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));

	/* Made of the name, and of nothing else. */
	ASSERT_EQ(0, add(self, ADD(.name = "h", .self_id = 7)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "h"));
	EXPECT_NE(0, memcmp(self->uuid, uuid_one, UUID_BYTES));
	EXPECT_NE(0, memcmp(self->uuid, of_g, UUID_BYTES));
	ASSERT_EQ(0, add(self, ADD(.port = PORT + 1)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(0, memcmp(self->uuid, of_g, UUID_BYTES));
}

static int key_set(struct _test_data_netlink *self, const char *name, const void *key)
{
	begin(self, self->family, VRSEQ_CMD_KEY_SET, NLM_F_ACK);
	mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, name);
	if (key)
		mnl_attr_put(self->nlh, VRSEQ_A_KEY, KEY_BYTES, key);
	return finish(self);
}

/* What was put in slots of keys; what comes back are tags of 8 bits, and never a key. */
TEST_F(netlink, keys)
{
	static const __u8 zero[KEY_BYTES];
	__u8 key[KEY_BYTES + 1] = { 1 }, other[KEY_BYTES] = { 0 };
	__u64 tag;
	unsigned int i;

	REFUSE(EINVAL, add(self, ADD(.key = key)));
	REFUSE(EINVAL, add(self, ADD(.insecure = false, .key = zero)));
	REFUSE(EINVAL, add(self, ADD(.insecure = false, .key = key, .key_name = "t:k")));
	REFUSE(ERANGE, add(self, ADD(.insecure = false, .key = key,
				     .key_bytes = KEY_BYTES - 1)));
	REFUSE(ERANGE, add(self, ADD(.insecure = false, .key = key,
				     .key_bytes = KEY_BYTES + 1)));
	REFUSE(ENOKEY, add(self, ADD(.insecure = false, .key_name = "vrseq:no-such-key")));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);

	ASSERT_EQ(0, add(self, ADD(.name = "plain")));
	REFUSE(EOPNOTSUPP, key_set(self, "plain", key));
	REFUSE(ENOENT, key_set(self, "none", key));

	ASSERT_EQ(0, add(self, ADD(.port = PORT + 1, .insecure = false, .key = key)));
	REFUSE(EINVAL, key_set(self, "g", NULL));
	REFUSE(EINVAL, key_set(self, "g", zero));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_KEY_SWAP, "g"));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_KEY_DEL, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	tag = self->value[VRSEQ_A_KEY_TAG];
	EXPECT_LE(tag, 0xff);
	EXPECT_EQ(~0ull, self->value[VRSEQ_A_KEY_TAG_SECOND]);
	EXPECT_EQ(NULL, memmem(self->reply, sizeof(self->reply), key, KEY_BYTES));

	/* Datagrams name their key by its tag: one that has the same cannot be told apart. */
	REFUSE(EEXIST, key_set(self, "g", key));
	for (i = 2; i < 1024; i++) {
		other[0] = i;
		other[1] = i >> 8;
		if (key_set(self, "g", other))
			break;
	}
	ASSERT_LT(i, 1024);
	REFUSE(EEXIST, key_set(self, "g", other));
	/* The one before was taken, and stays. */
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_KEY_SWAP, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(tag, self->value[VRSEQ_A_KEY_TAG_SECOND]);
	EXPECT_NE(tag, self->value[VRSEQ_A_KEY_TAG]);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_KEY_DEL, "g"));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_KEY_SWAP, "g"));
}

/* Member id listens on PORT + id and knows the others of three. */
static int add_of_three(struct _test_data_netlink *self, const char *name, int id,
			const void *uuid, __u64 view_timeout_ns)
{
	int other, error;

	error = add(self, ADD(.name = name, .self_id = id, .port = PORT + id, .uuid = uuid,
			      .view_timeout_ns = view_timeout_ns));
	for (other = 1; other <= 3 && !error; other++) {
		if (other != id)
			error = member(self, VRSEQ_CMD_MEMBER_ADD, name,
				       MEMBER(.id = other, .port = PORT + other));
	}
	return error;
}

TEST_F(netlink, three_members_of_one_namespace)
{
	static const char *const names[] = { "a", "b", "c" };
	struct vrseq_next next;
	int fds[3], i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, add_of_three(self, names[i], i + 1, uuid_one, 0));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "b"));
	for (i = 0; i < 3; i++) {
		struct vrseq_attach attach = { .group = { *names[i] } };

		fds[i] = dev_open(O_RDWR);
		ASSERT_GE(fds[i], 0);
		ASSERT_EQ(0, dev_ioctl(fds[i], VRSEQ_IOC_ATTACH, &attach));
	}
	for (i = 0; i < 9; i++) {
		ASSERT_EQ(0, dev_next(fds[i % 3], "", 1, &next));
		EXPECT_EQ(i + 1, next.first);
	}
	for (i = 0; i < 3; i++)
		EXPECT_EQ(9, dev_get(fds[i], ""));
	for (i = 0; i < 3; i++) {
		close(fds[i]);
		ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, names[i]));
	}
}

/* Everything fits but the uuid of one: it does not hear the others. */
TEST_F(netlink, three_members_of_two_groups)
{
	ASSERT_EQ(0, add_of_three(self, "a", 1, uuid_one, 0));
	ASSERT_EQ(0, add_of_three(self, "b", 2, uuid_one, 0));
	ASSERT_EQ(0, add_of_three(self, "c", 3, uuid_two, 0));
	REFUSE(EHOSTUNREACH, by_name(self, VRSEQ_CMD_GROUP_FORM, "a"));
	EXPECT_NE(NULL, strstr(self->sentence, "member 3"));
}

/* ---- handing over ---- */

static const char *const three[] = { "a", "b", "c" };

/* A formed group of three, whose view timeout nobody here has the time for. */
static void form_three(struct __test_metadata *_metadata, struct _test_data_netlink *self)
{
	int i;

	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, add_of_three(self, three[i], i + 1, uuid_one, 50000 * MS));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "a"));
}

/* The primary's place in three[], as member @name sees it. */
static int primary_of(struct _test_data_netlink *self, const char *name)
{
	__u64 until = dev_now_ns() + 10000 * MS;

	do {
		if (!by_name(self, VRSEQ_CMD_GROUP_GET, name) &&
		    self->value[VRSEQ_A_HAS_QUORUM] == 1 && self->value[VRSEQ_A_PRIMARY_ID])
			return self->value[VRSEQ_A_PRIMARY_ID] - 1;
		usleep(10000);
	} while (dev_now_ns() < until);
	return -1;
}

/* One number at this member, within two seconds: with no time-out in between. */
static int draw_soon(const char *name, __u64 *number)
{
	struct vrseq_next next = { .count = 1, .hdr.deadline_ns = dev_now_ns() + 2000 * MS };
	int fd = dev_open(O_RDWR), error = dev_attach(fd, name);

	error = error ?: dev_ioctl(fd, VRSEQ_IOC_NEXT, &next);
	*number = next.first;
	close(fd);
	return error;
}

TEST_F(netlink, resign)
{
	int old, other, i;
	__u64 number, view, start;

	form_three(_metadata, self);
	old = primary_of(self, "a");
	ASSERT_GE(old, 0);
	other = (old + 1) % 3;
	ASSERT_EQ(0, draw_soon(three[other], &number));
	EXPECT_EQ(1, number);
	ASSERT_EQ(old, primary_of(self, three[other]));
	view = self->value[VRSEQ_A_VIEW];

	/* A backup has nothing to hand over. */
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_RESIGN, three[other]));
	ASSERT_EQ(old, primary_of(self, three[other]));
	EXPECT_EQ(view, self->value[VRSEQ_A_VIEW]);

	start = dev_now_ns();
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_RESIGN, three[old]));
	EXPECT_LT(dev_now_ns() - start, 1000 * MS);
	EXPECT_NE(old, primary_of(self, three[old]));
	EXPECT_GT(self->value[VRSEQ_A_VIEW], view);
	EXPECT_EQ(VRSEQ_STATE_NORMAL, self->value[VRSEQ_A_STATE]);
	/* It stays in the group: all three go on. */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, draw_soon(three[i], &number));
		EXPECT_EQ(2 + i, number);
	}
}

TEST_F(netlink, resign_refused)
{
	int old, i;

	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_GROUP_RESIGN, NULL));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_GROUP_RESIGN, "a"));
	/* Blank, or alone: nobody depends on it. */
	ASSERT_EQ(0, add(self, ADD()));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_RESIGN, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_RESIGN, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(VRSEQ_STATE_NORMAL, self->value[VRSEQ_A_STATE]);

	form_three(_metadata, self);
	old = primary_of(self, "a");
	ASSERT_GE(old, 0);
	for (i = 1; i < 3; i++)
		ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, three[(old + i) % 3]));
	/* Nobody is left to take over. */
	REFUSE(ETIMEDOUT, by_name(self, VRSEQ_CMD_GROUP_RESIGN, three[old]));
}

/* A deleted primary is not missed, nor is one whose namespace goes: see netns/. */
TEST_F(netlink, del_hands_over)
{
	int old;
	__u64 number;

	form_three(_metadata, self);
	old = primary_of(self, "a");
	ASSERT_GE(old, 0);
	ASSERT_EQ(0, draw_soon(three[old], &number));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, three[old]));
	ASSERT_EQ(0, draw_soon(three[(old + 1) % 3], &number));
	EXPECT_EQ(2, number);
	ASSERT_EQ(0, draw_soon(three[(old + 2) % 3], &number));
	EXPECT_EQ(3, number);
}

TEST_F(netlink, what_is_shown)
{
	__u64 until = dev_now_ns() + 10000 * MS, number;

	form_three(_metadata, self);
	ASSERT_EQ(0, draw_soon("a", &number));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "a"));
	EXPECT_NE(0, self->value[VRSEQ_A_INCARNATION]);
	EXPECT_NE(~0ull, self->value[VRSEQ_A_INCARNATION]);
	EXPECT_LE(self->value[VRSEQ_A_CHECKPOINT_OP], self->value[VRSEQ_A_COMMIT]);
	EXPECT_EQ(0, self->value[VRSEQ_A_RECOVERIES]);
	EXPECT_EQ(0, self->value[VRSEQ_A_TRANSFERS]);
	EXPECT_EQ(0, self->value[VRSEQ_A_LEASE_NS]);
	/* Both others are at some distance, once they were asked. */
	while (self->round_trips < 2 && dev_now_ns() < until) {
		usleep(10000);
		ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "a"));
	}
	EXPECT_EQ(2, self->round_trips);
}

/* At most half of the view timeout, whose own value is 120 ms. */
TEST_F(netlink, lease)
{
	REFUSE(ERANGE, add(self, ADD(.lease_ns = 60 * MS + 1)));
	REFUSE(ERANGE, add(self, ADD(.lease_ns = ~0ull)));
	REFUSE(ERANGE, add(self, ADD(.view_timeout_ns = 1000 * MS, .lease_ns = 500 * MS + 1)));
	ASSERT_EQ(0, add(self, ADD(.lease_ns = 60 * MS)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(60 * MS, self->value[VRSEQ_A_LEASE_NS]);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	ASSERT_EQ(0, add(self, ADD(.view_timeout_ns = 1000 * MS, .lease_ns = 500 * MS)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(500 * MS, self->value[VRSEQ_A_LEASE_NS]);
}

TEST_F(netlink, taken)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT + 5),
				       .sin_addr.s_addr = htonl(LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	REFUSE(EADDRINUSE, add(self, ADD(.port = PORT + 5)));
	close(fd);
	ASSERT_EQ(0, add(self, ADD(.port = PORT + 5)));
	REFUSE(EEXIST, add(self, ADD(.port = PORT + 6)));
	REFUSE(EADDRINUSE, add(self, ADD(.name = "h", .port = PORT + 5)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	/* Free at once. */
	ASSERT_EQ(0, add(self, ADD(.name = "h", .port = PORT + 5)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "h"));
}

/* No machine's own, or not without its link; the last one is of another family. */
static const char *const bad_ipv6[] = {
	"::", "ff02::1", "ff0e::7400", "fe80::1", "::ffff:127.0.0.1",
};

TEST_F(netlink, ipv6_add)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(PORT + 5),
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	unsigned int i;

	for (i = 0; i < sizeof(bad_ipv6) / sizeof(*bad_ipv6); i++)
		REFUSE(EINVAL, add(self, ADD6(.ipv6 = bad_ipv6[i])));
	REFUSE(ERANGE, add(self, ADD6(.ipv6_bytes = 0)));
	REFUSE(ERANGE, add(self, ADD6(.ipv6_bytes = 4)));
	REFUSE(ERANGE, add(self, ADD6(.ipv6_bytes = IPV6_BYTES - 1)));
	REFUSE(ERANGE, add(self, ADD6(.ipv6_bytes = IPV6_BYTES + 1)));
	REFUSE(EINVAL, add(self, ADD6(.address = LOOPBACK)));
	REFUSE(EINVAL, add(self, ADD6(.port = -1)));
	REFUSE(ERANGE, add(self, ADD6(.port = 0)));
	/* 2001:db8::/32 is for documentation: nobody has it. */
	REFUSE(EADDRNOTAVAIL, add(self, ADD6(.ipv6 = "2001:db8::1")));
	ASSERT_EQ(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	REFUSE(EADDRINUSE, add(self, ADD6(.port = PORT + 5)));
	close(fd);
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);

	ASSERT_EQ(0, add(self, ADD6()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(0, memcmp(self->ipv6, &in6addr_loopback, IPV6_BYTES));
	EXPECT_EQ(0, memcmp(self->member_ipv6, &in6addr_loopback, IPV6_BYTES));
	EXPECT_EQ(~0ull, self->value[VRSEQ_A_ADDRESS_IPV4]);
	EXPECT_EQ(PORT, self->value[VRSEQ_A_PORT]);
	/* A port of one family is none of the other. */
	ASSERT_EQ(0, add(self, ADD(.name = "h")));
	REFUSE(EADDRINUSE, add(self, ADD6(.name = "i")));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "h"));
}

TEST_F(netlink, ipv6_members)
{
	unsigned int i;

	ASSERT_EQ(0, add(self, ADD6(.clients_max = 2)));
	ASSERT_EQ(0, add(self, ADD(.name = "h")));
	for (i = 0; i < sizeof(bad_ipv6) / sizeof(*bad_ipv6); i++)
		REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
				      MEMBER6(.ipv6 = bad_ipv6[i])));
	REFUSE(ERANGE, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER6(.ipv6_bytes = 4)));
	REFUSE(ERANGE, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			      MEMBER6(.ipv6_bytes = IPV6_BYTES + 1)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER6(.address = LOOPBACK)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER6(.port = -1)));
	/* All of one family: voters and clients. */
	REFUSE(EAFNOSUPPORT, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	REFUSE(EAFNOSUPPORT, member(self, VRSEQ_CMD_MEMBER_ADD, "h", MEMBER6()));
	REFUSE(EAFNOSUPPORT, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
				    MEMBER(.id = 8, .role = VRSEQ_ROLE_CLIENT)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER6(.port = PORT)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER6(.ipv6 = "fd00::2")));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(0xfd, self->member_ipv6[0]);
	EXPECT_EQ(2, self->member_ipv6[IPV6_BYTES - 1]);
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			      MEMBER6(.id = 3, .ipv6 = "fd00::2")));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			    MEMBER6(.id = 8, .ipv6 = "fd00::8", .role = VRSEQ_ROLE_CLIENT)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			      MEMBER6(.id = 9, .ipv6 = "fd00::8", .role = VRSEQ_ROLE_CLIENT)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER6(.id = 8)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "h"));
}

TEST_F(netlink, no_such_group)
{
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	REFUSE(ENOENT, by_name(self, VRSEQ_CMD_STATS_GET, "g"));
	REFUSE(ENOENT, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	REFUSE(ENOENT, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER()));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_GROUP_GET, NULL));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_GROUP_DEL, NULL));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_GROUP_FORM, NULL));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_STATS_GET, NULL));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, NULL, MEMBER()));
}

/* A voter has room for so many of them, at any time and of their own ids. */
TEST_F(netlink, clients)
{
#define CLIENT(...) MEMBER(.id = 9, .role = VRSEQ_ROLE_CLIENT, ##__VA_ARGS__)
	REFUSE(EINVAL, add(self, ADD(.role = 2)));
	REFUSE(EINVAL, add(self, ADD(.clients_max = 4097)));
	REFUSE(EINVAL, add(self, ADD(.files_max = 0)));
	REFUSE(EINVAL, add(self, ADD(.files_max = 257)));
	REFUSE(EINVAL, add(self, ADD(.wire = 3)));
	REFUSE(EINVAL, add(self, ADD(.wire = 6)));
	REFUSE(EINVAL, add(self, ADD(.node_lease_ns = 119 * MS)));
	REFUSE(EINVAL, add(self, ADD(.node_lease_ns = 3600001 * MS)));
	ASSERT_EQ(0, add(self, ADD()));
	REFUSE(ENOSPC, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));

	ASSERT_EQ(0, add(self, ADD(.clients_max = 2, .node_lease_ns = 200 * MS, .files_max = 1)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.id = 7)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT()));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.port = PORT + 2)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.id = 10)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.id = 10, .port = PORT)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 9, .port = PORT + 2)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	/* Also while the group is formed, which its voters never are again. */
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.id = 10, .port = PORT + 2)));
	REFUSE(ENOSPC, member(self, VRSEQ_CMD_MEMBER_ADD, "g", CLIENT(.id = 11, .port = PORT + 3)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_DEL, "g", CLIENT()));
	REFUSE(EBUSY, member(self, VRSEQ_CMD_MEMBER_DEL, "g", CLIENT()));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			    CLIENT(.id = 65535, .port = PORT + 3)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
#undef CLIENT
}

/* A client knows the voters, serves nobody and forms nothing. */
TEST_F(netlink, client)
{
#define ADD_CLIENT(...) ADD(.self_id = 8, .role = VRSEQ_ROLE_CLIENT, ##__VA_ARGS__)
	REFUSE(EINVAL, add(self, ADD_CLIENT(.self_id = 7)));
	REFUSE(EINVAL, add(self, ADD_CLIENT(.clients_max = 1)));
	ASSERT_EQ(0, add(self, ADD_CLIENT()));
	REFUSE(EOPNOTSUPP, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			      MEMBER(.id = 9, .role = VRSEQ_ROLE_CLIENT)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 8)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.port = PORT)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_RESIGN, "g"));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
#undef ADD_CLIENT
}

TEST_F(netlink, members)
{
	int id;

	ASSERT_EQ(0, add(self, ADD()));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_MEMBER_ADD, "g"));
	REFUSE(EINVAL, by_name(self, VRSEQ_CMD_MEMBER_DEL, "g"));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = -1)));
	REFUSE(ERANGE, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 0)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.address = 0)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.port = -1)));
	REFUSE(ERANGE, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.port = 0)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.address = 0xe0000001)));
	REFUSE(EOPNOTSUPP, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.role = 2)));
	REFUSE(EOPNOTSUPP, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.role = 255)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.role = VRSEQ_ROLE_VOTER)));
	/* Its id, its address; one's own id, one's own address. */
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.port = PORT + 9)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 3)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 1, .port = PORT + 9)));
	REFUSE(EEXIST, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER(.id = 3, .port = PORT)));
	for (id = 3; id <= 7; id++)
		ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
				    MEMBER(.id = id, .port = PORT + id)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_ADD, "g",
			      MEMBER(.id = 8, .port = PORT + 8)));
	REFUSE(ENOENT, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER(.id = 9)));
	REFUSE(EINVAL, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER(.id = 1)));
	ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER(.id = 7)));
	REFUSE(ENOENT, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER(.id = 7)));
	/* Nobody of them is there. */
	REFUSE(EHOSTUNREACH, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	for (id = 2; id <= 6; id++)
		ASSERT_EQ(0, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER(.id = id)));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	REFUSE(EBUSY, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	REFUSE(EBUSY, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	REFUSE(EBUSY, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
}

TEST_F(netlink, del_while_in_use)
{
	int fd;

	ASSERT_EQ(0, add(self, ADD()));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_FORM, "g"));
	fd = dev_open(O_RDWR);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, dev_attach(fd, "g"));
	REFUSE(EBUSY, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
	close(fd);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
}

TEST_F(netlink, generations)
{
	struct vrseq_next next;
	int fd;

	ASSERT_EQ(0, add(self, ADD()));
	begin(self, self->family, VRSEQ_CMD_GROUP_FORM, NLM_F_ACK);
	mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, "g");
	mnl_attr_put_u16(self->nlh, VRSEQ_A_GENERATION, 3);
	ASSERT_EQ(0, finish(self));
	fd = dev_open(O_RDWR);
	ASSERT_EQ(0, dev_next(fd, "", 1, &next));
	EXPECT_EQ((3ull << 48) + 1, next.first);
	EXPECT_EQ(3ull << 48, dev_get(fd, "another"));
	close(fd);
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "g"));
}

TEST_F(netlink, no_memory)
{
	/* Within bounds, and more than this guest has: it is given 448 MiB. */
	REFUSE(ENOMEM, add(self, ADD(.log_bytes = 256u << 20, .message_bytes = 256u << 20)));
	EXPECT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);
}

TEST_F(netlink, malformed)
{
	struct nlattr *nest;

	ASSERT_EQ(0, add(self, ADD(.name = "x", .port = PORT + 7)));
	/* An attribute nobody knows. */
	put_add(self, ADD());
	mnl_attr_put_u32(self->nlh, VRSEQ_A_MAX + 1, 1);
	REFUSE(EINVAL, finish(self));
	/* One that is read only. */
	put_add(self, ADD());
	mnl_attr_put_u64(self->nlh, VRSEQ_A_COMMIT, 1);
	PROVOKE(EINVAL, finish(self));
	/* Of the wrong size. */
	begin(self, self->family, VRSEQ_CMD_GROUP_ADD, NLM_F_ACK);
	mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, "g");
	mnl_attr_put_u8(self->nlh, VRSEQ_A_SELF_ID, 1);
	EXPECT_LT(finish(self), 0);
	/* A name without its NUL, of 32 bytes. */
	begin(self, self->family, VRSEQ_CMD_GROUP_GET, NLM_F_ACK);
	mnl_attr_put(self->nlh, VRSEQ_A_NAME, 32, "01234567890123456789012345678901");
	EXPECT_LT(finish(self), 0);
	/* A nest that is none. */
	begin(self, self->family, VRSEQ_CMD_MEMBER_ADD, NLM_F_ACK);
	mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, "x");
	mnl_attr_put_u32(self->nlh, VRSEQ_A_MEMBER, 0xffffffff);
	EXPECT_EQ(-EINVAL, finish(self));
	/* A nest with strangers inside. */
	begin(self, self->family, VRSEQ_CMD_MEMBER_ADD, NLM_F_ACK);
	mnl_attr_put_strz(self->nlh, VRSEQ_A_NAME, "x");
	nest = mnl_attr_nest_start(self->nlh, VRSEQ_A_MEMBER);
	mnl_attr_put_u16(self->nlh, VRSEQ_A_MEMBER_ID, 2);
	mnl_attr_put_u32(self->nlh, VRSEQ_A_MEMBER_ADDRESS_IPV4, htonl(LOOPBACK));
	mnl_attr_put_u16(self->nlh, VRSEQ_A_MEMBER_PORT, 1);
	mnl_attr_put_u64(self->nlh, VRSEQ_A_MEMBER_MAX + 1, 1);
	mnl_attr_nest_end(self->nlh, nest);
	EXPECT_EQ(-EINVAL, finish(self));
	/* A command nobody knows. */
	begin(self, self->family, 200, NLM_F_ACK);
	PROVOKE(EOPNOTSUPP, finish(self));
	ASSERT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_DEL, "x"));
	ASSERT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(0, self->objects);
}

/* Bytes of good requests changed at random: refused or done, never an oops. */
TEST_F(netlink, noise)
{
	unsigned int seed = 1, i, j, refused = 0;

	for (i = 0; i < 1000; i++) {
		unsigned int changes = 1 + rand_r(&seed) % 4;

		/* Small: what is made in vain here has to be cleared, poisoned and checked. */
		put_add(self, ADD(.port = 20000 + i, .heartbeat_ns = 20 * MS,
				  .view_timeout_ns = 200 * MS, .lease_ns = 1,
				  .record_max = 1024, .log_entries = 256,
				  .log_bytes = 128 << 10, .messages = 2,
				  .message_bytes = 2 << 10));
		if (i & 1)
			((struct genlmsghdr *)mnl_nlmsg_get_payload(self->nlh))->cmd =
				1 + rand_r(&seed) % VRSEQ_CMD_MAX;
		for (j = 0; j < changes; j++)
			self->buffer[NLMSG_HDRLEN + rand_r(&seed) %
				     (self->nlh->nlmsg_len - NLMSG_HDRLEN)] = rand_r(&seed);
		refused += finish(self) < 0;
		by_name(self, VRSEQ_CMD_GROUP_DEL, "g");
	}
	EXPECT_GT(refused, 333);
}

TEST_F(netlink, permission)
{
	static const int commands[] = { VRSEQ_CMD_GROUP_DEL, VRSEQ_CMD_GROUP_FORM,
					VRSEQ_CMD_GROUP_RESIGN };
	unsigned int i;

	ASSERT_EQ(0, add(self, ADD()));
	ASSERT_EQ(0, setuid(65534));
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		PROVOKE(EPERM, by_name(self, commands[i], "g"));
	PROVOKE(EPERM, add(self, ADD(.name = "h", .port = PORT + 1)));
	PROVOKE(EPERM, member(self, VRSEQ_CMD_MEMBER_ADD, "g", MEMBER()));
	PROVOKE(EPERM, member(self, VRSEQ_CMD_MEMBER_DEL, "g", MEMBER()));
	/* Looking is free. */
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_STATS_GET, "g"));
	EXPECT_EQ(0, dump(self, VRSEQ_CMD_GROUP_GET));
	EXPECT_EQ(1, self->objects);
}

/* Whose files can be attached: chardev's rights tries them. */
TEST_F(netlink, unix_group)
{
	ASSERT_EQ(0, add(self, ADD()));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "g"));
	EXPECT_EQ(~0ull, self->value[VRSEQ_A_GID]);
	REFUSE(EINVAL, add(self, ADD(.name = "h", .port = PORT + 1, .gid = 0xffffffff)));
	ASSERT_EQ(0, add(self, ADD(.name = "h", .port = PORT + 1, .gid = 0)));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "h"));
	EXPECT_EQ(0, self->value[VRSEQ_A_GID]);
	ASSERT_EQ(0, add(self, ADD(.name = "i", .port = PORT + 2, .gid = 4242)));
	EXPECT_EQ(0, by_name(self, VRSEQ_CMD_GROUP_GET, "i"));
	EXPECT_EQ(4242, self->value[VRSEQ_A_GID]);
}

/* Of another user namespace, root there, is nobody here. */
TEST_F(netlink, permission_of_user_namespace)
{
	if (unshare(CLONE_NEWUSER))
		SKIP(return, "no user namespaces");
	PROVOKE(EPERM, add(self, ADD(.name = "h", .port = PORT + 1)));
}

TEST_HARNESS_MAIN
