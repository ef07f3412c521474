// SPDX-License-Identifier: GPL-2.0
/*
 * usage: hostile_netlink SECONDS SEED | hostile_netlink --refused COUNT SEED
 *
 * Messages to the generic netlink family "vrseq", right ones and what becomes of them when bytes
 * change: from processes that share a network namespace, one of them without privileges, and are
 * killed at any time. Each message is answered, and who has no privilege changes nothing. With
 * --refused nobody has any, and the namespace is the caller's.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vrseq_netlink.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../lib/testlib.h"
#include "hostile.h"

#define PROCESSES	4
#define BUFFER_BYTES	65536
#define ANSWER_S	60		/* form and reform take 5 s, each for itself */
#define NOBODY		65534
#define EARNEST_S	5		/* in less there may not be time for all commands */

/**
 * struct counts - between all processes
 * @accepted:	changes that were made, of each command
 * @refused:	that were not
 * @denied:	for want of privilege
 * @shown:	answers to GET
 * @damaged:	messages that were sent with bytes changed
 */
struct counts {
	__u64 accepted[VRSEQ_CMD_MAX + 1];
	__u64 refused[VRSEQ_CMD_MAX + 1];
	__u64 denied;
	__u64 shown;
	__u64 damaged;
};

/**
 * struct speaker - a process
 * @w:		for its random numbers
 * @nlh:	message under construction, in @buffer
 * @damaged:	its bytes were changed
 * @huge:	it may not be damaged: it has numbers that mean memory
 */
struct speaker {
	struct worker w;
	struct counts *counts;
	struct mnl_socket *socket;
	unsigned int family;
	unsigned int seq;
	bool privileged;
	bool damaged;
	bool huge;
	struct nlmsghdr *nlh;
	char buffer[BUFFER_BYTES];
	char reply[BUFFER_BYTES];
};

static bool is_change(unsigned int command)
{
	return command != VRSEQ_CMD_GROUP_GET && command != VRSEQ_CMD_STATS_GET;
}

/* ---- messages that are right, more or less --------------------------------------------------- */

static void begin(struct speaker *s, unsigned int family, unsigned int command, int flags)
{
	struct genlmsghdr *genl;

	s->nlh = mnl_nlmsg_put_header(s->buffer);
	s->nlh->nlmsg_type = family;
	s->nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	s->nlh->nlmsg_seq = ++s->seq;
	genl = mnl_nlmsg_put_extra_header(s->nlh, sizeof(*genl));
	genl->cmd = command;
	genl->version = VRSEQ_GENL_VERSION;
}

static void put_name(struct speaker *s)
{
	static const char * const names[] = { "a", "b", "c", "a", "b", "", "no such", "x.y-z" };

	mnl_attr_put_strz(s->nlh, VRSEQ_A_NAME, ANY_OF(&s->w, names));
}

static void put_address(struct speaker *s, int attribute)
{
	static const __u32 addresses[] = { 0x7f000001, 0x7f000001, 0x7f000002, 0, 0xe0000001,
		0xffffffff, 0x0a000001 };

	mnl_attr_put_u32(s->nlh, attribute, htobe32(ANY_OF(&s->w, addresses)));
}

static void put_security(struct speaker *s)
{
	unsigned char key[32];
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = one_in(&s->w, 100) ? 0 : random_below(&s->w, 3);
	if (one_in(&s->w, 2))
		mnl_attr_put(s->nlh, VRSEQ_A_INSECURE, 0, NULL);
	if (one_in(&s->w, 3))
		mnl_attr_put(s->nlh, VRSEQ_A_KEY, sizeof(key), key);
	if (one_in(&s->w, 10))
		mnl_attr_put_strz(s->nlh, VRSEQ_A_KEY_NAME, "vrseq:none");
}

/* As much as a machine of 1 GiB has for three groups, or more than there can be. */
static void put_sizes(struct speaker *s)
{
	static const int attributes[] = { VRSEQ_A_LOG_ENTRIES, VRSEQ_A_LOG_BYTES, VRSEQ_A_MESSAGES,
		VRSEQ_A_MESSAGE_BYTES, VRSEQ_A_RECORD_MAX, VRSEQ_A_CLIENTS_MAX, VRSEQ_A_FILES_MAX,
		VRSEQ_A_GID };
	static const __u32 sizes[] = { 0, 1, 2, 64, 255, 256, 257, 1024, 4096, 65536, 1 << 17,
		0x80000000, 0xffffffff, 0x7fffffff };

	s->huge = true;
	while (one_in(&s->w, 2))
		mnl_attr_put_u32(s->nlh, ANY_OF(&s->w, attributes), ANY_OF(&s->w, sizes));
}

static void put_times(struct speaker *s)
{
	static const int attributes[] = { VRSEQ_A_HEARTBEAT_NS, VRSEQ_A_VIEW_TIMEOUT_NS,
		VRSEQ_A_LEASE_NS, VRSEQ_A_NODE_LEASE_NS };

	while (one_in(&s->w, 2))
		mnl_attr_put_u64(s->nlh, ANY_OF(&s->w, attributes), one_in(&s->w, 2) ?
				 wild_number(&s->w) : random_below(&s->w, 1000) * MS);
}

static void put_record(struct speaker *s)
{
	static const char * const paths[] = { "/run/hostile.a", "/run/hostile.b", "/run", "/",
		"relative", "", "/dev/null", "/dev/vrseq", "/proc/self/mem", "/no/such" };

	mnl_attr_put_strz(s->nlh, VRSEQ_A_RECORD, ANY_OF(&s->w, paths));
}

static void put_group(struct speaker *s)
{
	unsigned char uuid[16];
	unsigned int i;

	if (!one_in(&s->w, 20))
		mnl_attr_put_u16(s->nlh, VRSEQ_A_SELF_ID, random_below(&s->w, 10));
	if (!one_in(&s->w, 20))
		put_address(s, VRSEQ_A_ADDRESS_IPV4);
	if (!one_in(&s->w, 20))
		mnl_attr_put_u16(s->nlh, VRSEQ_A_PORT, 7400 + random_below(&s->w, 4));
	put_security(s);
	if (one_in(&s->w, 3))
		put_times(s);
	if (one_in(&s->w, 3))
		put_sizes(s);
	if (one_in(&s->w, 10))
		put_record(s);
	if (one_in(&s->w, 5))
		mnl_attr_put_u8(s->nlh, VRSEQ_A_ROLE, random_below(&s->w, 3));
	for (i = 0; i < sizeof(uuid); i++)
		uuid[i] = i % 8 ? 0 : random_below(&s->w, 2);
	if (one_in(&s->w, 4))
		mnl_attr_put(s->nlh, VRSEQ_A_UUID, sizeof(uuid), uuid);
}

static void put_member(struct speaker *s)
{
	struct nlattr *nest = mnl_attr_nest_start(s->nlh, VRSEQ_A_MEMBER);

	if (one_in(&s->w, 4))
		nest->nla_type &= ~NLA_F_NESTED;
	if (!one_in(&s->w, 20))
		mnl_attr_put_u16(s->nlh, VRSEQ_A_MEMBER_ID, random_below(&s->w, 12));
	if (!one_in(&s->w, 20))
		put_address(s, VRSEQ_A_MEMBER_ADDRESS_IPV4);
	if (!one_in(&s->w, 20))
		mnl_attr_put_u16(s->nlh, VRSEQ_A_MEMBER_PORT, 7400 + random_below(&s->w, 20));
	if (one_in(&s->w, 3))
		mnl_attr_put_u8(s->nlh, VRSEQ_A_MEMBER_ROLE, random_below(&s->w, 3));
	mnl_attr_nest_end(s->nlh, nest);
}

/* Those that wait for others are rare, as nobody is there. */
static unsigned int random_command(struct speaker *s)
{
	static const unsigned int commands[] = {
		VRSEQ_CMD_GROUP_ADD, VRSEQ_CMD_GROUP_ADD, VRSEQ_CMD_GROUP_ADD, VRSEQ_CMD_GROUP_DEL,
		VRSEQ_CMD_GROUP_DEL, VRSEQ_CMD_GROUP_GET, VRSEQ_CMD_STATS_GET, VRSEQ_CMD_MEMBER_ADD,
		VRSEQ_CMD_MEMBER_DEL, VRSEQ_CMD_KEY_SET, VRSEQ_CMD_KEY_SWAP, VRSEQ_CMD_KEY_DEL,
	};
	static const unsigned int slow[] = {
		VRSEQ_CMD_GROUP_FORM, VRSEQ_CMD_GROUP_FORM, VRSEQ_CMD_GROUP_RESIGN,
		VRSEQ_CMD_GROUP_REFORM,
	};

	return one_in(&s->w, 12) ? ANY_OF(&s->w, slow) : ANY_OF(&s->w, commands);
}

static unsigned int make(struct speaker *s)
{
	unsigned int command = random_command(s);

	s->huge = false;
	begin(s, s->family, command, 0);
	if (!one_in(&s->w, 30))
		put_name(s);
	switch (command) {
	case VRSEQ_CMD_GROUP_ADD:
		put_group(s);
		break;
	case VRSEQ_CMD_GROUP_FORM:
		if (one_in(&s->w, 3))
			mnl_attr_put_u16(s->nlh, VRSEQ_A_GENERATION, random_bits(&s->w));
		break;
	case VRSEQ_CMD_GROUP_GET:
	case VRSEQ_CMD_STATS_GET:
		if (one_in(&s->w, 2))
			s->nlh->nlmsg_flags |= NLM_F_DUMP;
		break;
	case VRSEQ_CMD_MEMBER_ADD:
	case VRSEQ_CMD_MEMBER_DEL:
		put_member(s);
		break;
	case VRSEQ_CMD_KEY_SET:
		put_security(s);
		break;
	default:
		break;
	}
	return command;
}

static void put_self(struct speaker *s, unsigned int port)
{
	mnl_attr_put_u16(s->nlh, VRSEQ_A_SELF_ID, 1);
	mnl_attr_put_u32(s->nlh, VRSEQ_A_ADDRESS_IPV4, htonl(INADDR_LOOPBACK));
	mnl_attr_put_u16(s->nlh, VRSEQ_A_PORT, port);
}

/* Of one group, in which each of them is right in its turn. */
static unsigned int make_member(struct speaker *s)
{
	static const unsigned int commands[] = {
		VRSEQ_CMD_GROUP_ADD, VRSEQ_CMD_MEMBER_ADD, VRSEQ_CMD_MEMBER_DEL, VRSEQ_CMD_KEY_SET,
		VRSEQ_CMD_KEY_SWAP, VRSEQ_CMD_KEY_DEL,
	};
	unsigned int command = one_in(&s->w, 30) ? VRSEQ_CMD_GROUP_DEL : ANY_OF(&s->w, commands);
	unsigned char key[32];
	struct nlattr *nest;

	memset(key, 1 + random_below(&s->w, 255), sizeof(key));
	begin(s, s->family, command, 0);
	mnl_attr_put_strz(s->nlh, VRSEQ_A_NAME, "right");
	if (command == VRSEQ_CMD_GROUP_ADD)
		put_self(s, 7450);
	if (command == VRSEQ_CMD_GROUP_ADD || command == VRSEQ_CMD_KEY_SET)
		mnl_attr_put(s->nlh, VRSEQ_A_KEY, sizeof(key), key);
	if (command == VRSEQ_CMD_MEMBER_ADD || command == VRSEQ_CMD_MEMBER_DEL) {
		nest = mnl_attr_nest_start(s->nlh, VRSEQ_A_MEMBER);
		mnl_attr_put_u16(s->nlh, VRSEQ_A_MEMBER_ID, 2);
		mnl_attr_put_u32(s->nlh, VRSEQ_A_MEMBER_ADDRESS_IPV4, htonl(INADDR_LOOPBACK));
		mnl_attr_put_u16(s->nlh, VRSEQ_A_MEMBER_PORT, 7451);
		mnl_attr_nest_end(s->nlh, nest);
	}
	return command;
}

/* Of one that is formed. */
static unsigned int make_formed(struct speaker *s)
{
	static const unsigned int commands[] = {
		VRSEQ_CMD_GROUP_ADD, VRSEQ_CMD_GROUP_FORM, VRSEQ_CMD_GROUP_RESIGN,
		VRSEQ_CMD_GROUP_DEL,
	};
	unsigned int command = ANY_OF(&s->w, commands);

	begin(s, s->family, command, 0);
	mnl_attr_put_strz(s->nlh, VRSEQ_A_NAME, "formed");
	if (command == VRSEQ_CMD_GROUP_ADD) {
		put_self(s, 7460);
		mnl_attr_put(s->nlh, VRSEQ_A_INSECURE, 0, NULL);
	}
	return command;
}

static unsigned int make_right(struct speaker *s)
{
	s->huge = false;
	return one_in(&s->w, 2) ? make_member(s) : make_formed(s);
}

/* ---- what becomes of them -------------------------------------------------------------------- */

static struct nlattr *random_attribute(struct speaker *s)
{
	struct nlattr *attr, *found = NULL;
	unsigned int seen = 0;

	mnl_attr_for_each(attr, s->nlh, sizeof(struct genlmsghdr)) {
		if (one_in(&s->w, ++seen))
			found = attr;
	}
	return found;
}

/* Nests in nests, as deep as there is room. */
static void put_nests(struct speaker *s)
{
	unsigned int depth = 1 + random_below(&s->w, 500);
	struct nlattr *nests[500];
	unsigned int i;

	for (i = 0; i < depth; i++)
		nests[i] = mnl_attr_nest_start(s->nlh, VRSEQ_A_MEMBER);
	while (i--)
		mnl_attr_nest_end(s->nlh, nests[i]);
}

static void damage(struct speaker *s)
{
	unsigned int bytes = s->nlh->nlmsg_len - NLMSG_HDRLEN, i;
	unsigned char *at = (unsigned char *)s->nlh + NLMSG_HDRLEN;
	struct nlattr *attr = random_attribute(s);

	switch (random_below(&s->w, 8)) {
	case 0:				/* any bit */
		for (i = 1 + random_below(&s->w, 5); i; i--)
			at[random_below(&s->w, bytes)] ^= 1 << random_below(&s->w, 8);
		break;
	case 1:				/* the end is missing, maybe all of it */
		s->nlh->nlmsg_len -= random_below(&s->w, bytes + 1);
		break;
	case 2:				/* a length that is none */
		if (attr)
			attr->nla_len = one_in(&s->w, 2) ? random_below(&s->w, 8) :
				random_bits(&s->w);
		break;
	case 3:				/* one is another */
		if (attr)
			attr->nla_type = random_below(&s->w, VRSEQ_A_MAX + 10) |
				(one_in(&s->w, 4) ? NLA_F_NESTED : 0);
		break;
	case 4:				/* one comes twice, or a thousand times */
		for (i = one_in(&s->w, 4) ? 1000 : 1; attr && i; i--)
			mnl_attr_put_check(s->nlh, BUFFER_BYTES, attr->nla_type,
					   mnl_attr_get_payload_len(attr),
					   mnl_attr_get_payload(attr));
		break;
	case 5:				/* as large as a message can be */
		bytes = random_below(&s->w, BUFFER_BYTES - 2 * PAGE);
		if (s->nlh->nlmsg_len + bytes + PAGE < BUFFER_BYTES) {
			memset(s->buffer + s->nlh->nlmsg_len, random_bits(&s->w), bytes);
			s->nlh->nlmsg_len += NLMSG_ALIGN(bytes);
		}
		break;
	case 6:
		put_nests(s);
		break;
	default:			/* the head */
		at[random_below(&s->w, 4)] = random_bits(&s->w);
		s->nlh->nlmsg_flags |= random_bits(&s->w) & (NLM_F_DUMP | NLM_F_CREATE |
							     NLM_F_EXCL | NLM_F_ECHO);
		break;
	}
	s->damaged = true;
}

/* ---- there and back -------------------------------------------------------------------------- */

/* 0 or -errno, of the answer to what was sent last. */
static int answer(struct speaker *s)
{
	const struct nlmsghdr *nlh;
	int bytes;

	for (;;) {
		bytes = mnl_socket_recvfrom(s->socket, s->reply, sizeof(s->reply));
		if (bytes < 0 && errno == ENOSPC)
			continue;
		if (bytes < 0)
			die("nothing came back: %s", strerror(errno));
		for (nlh = (void *)s->reply; mnl_nlmsg_ok(nlh, bytes);
		     nlh = mnl_nlmsg_next(nlh, &bytes)) {
			if (nlh->nlmsg_seq != s->seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return *(const int *)mnl_nlmsg_get_payload(nlh);
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == s->family)
				__atomic_fetch_add(&s->counts->shown, 1, __ATOMIC_RELAXED);
		}
	}
}

static void open_socket(struct speaker *s)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	int one = 1;

	s->socket = mnl_socket_open(NETLINK_GENERIC);
	if (!s->socket || mnl_socket_bind(s->socket, 0, MNL_SOCKET_AUTOPID))
		die("netlink: %s", strerror(errno));
	mnl_socket_setsockopt(s->socket, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(s->socket, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(mnl_socket_get_fd(s->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
}

static void find_family(struct speaker *s)
{
	const struct nlattr *attr;
	int bytes;

	begin(s, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0);
	s->nlh->nlmsg_flags &= ~NLM_F_ACK;
	mnl_attr_put_strz(s->nlh, CTRL_ATTR_FAMILY_NAME, VRSEQ_GENL_NAME);
	if (mnl_socket_sendto(s->socket, s->nlh, s->nlh->nlmsg_len) < 0)
		die("netlink: %s", strerror(errno));
	bytes = mnl_socket_recvfrom(s->socket, s->reply, sizeof(s->reply));
	if (bytes < 0 || ((struct nlmsghdr *)s->reply)->nlmsg_type == NLMSG_ERROR)
		die("no family vrseq");
	mnl_attr_for_each(attr, (struct nlmsghdr *)s->reply, sizeof(struct genlmsghdr)) {
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			s->family = mnl_attr_get_u16(attr);
	}
}

/* What may not be done is refused before it is looked at, if it can be told what it is. */
static void check_denied(struct speaker *s, unsigned int command, int error)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(s->nlh);

	if (s->damaged) {
		if (!error && s->nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*genl))
			die("a command that was not there was obeyed");
		if (!error && is_change(genl->cmd))
			die("command %u was obeyed", genl->cmd);
		return;
	}
	if (is_change(command) && error != -EPERM)
		die("command %u without privilege: %s", command, strerror(-error));
	if (!is_change(command) && error == -EPERM)
		die("command %u needs privilege", command);
}

static void speak(struct speaker *s)
{
	unsigned int command = one_in(&s->w, 4) ? make_right(s) : make(s);
	__u64 *count;
	int error;

	s->damaged = false;
	if (one_in(&s->w, 2) && !s->huge)
		damage(s);
	if (mnl_socket_sendto(s->socket, s->nlh, s->nlh->nlmsg_len) < 0)
		die("netlink: %s", strerror(errno));
	/* Sometimes nobody waits for what there is to say. */
	if (one_in(&s->w, 50)) {
		mnl_socket_close(s->socket);
		open_socket(s);
		return;
	}
	error = answer(s);
	if (!s->privileged)
		check_denied(s, command, error);
	if (error == -EPERM) {
		if (s->privileged)
			die("command %u is denied to root", command);
		count = &s->counts->denied;
	} else {
		count = error ? &s->counts->refused[command] : &s->counts->accepted[command];
	}
	__atomic_fetch_add(s->damaged ? &s->counts->damaged : count, 1, __ATOMIC_RELAXED);
}

static struct speaker *speaker(struct counts *counts, __u64 seed, bool privileged)
{
	static struct speaker s;

	s.counts = counts;
	s.w.random = seed;
	s.privileged = privileged;
	/* Root of a user namespace of one's own is nobody here. */
	if (!privileged && one_in(&s.w, 2) && unshare(CLONE_NEWUSER))
		die("user namespace: %s", strerror(errno));
	if (!privileged && getuid() != NOBODY && (setgid(NOBODY) || setuid(NOBODY)))
		die("setuid: %s", strerror(errno));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	open_socket(&s);
	find_family(&s);
	return &s;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void check_death(int status)
{
	if (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGKILL)
		die("a process ended with status %#x", status);
}

static void rampage(struct counts *counts, unsigned int seconds, __u64 seed)
{
	__u64 until = dev_now_ns() + seconds * 1000 * MS;
	struct worker random = { .random = seed };
	pid_t processes[PROCESSES] = { 0 };
	unsigned int i, started = 0;
	int status;

	while (dev_now_ns() < until) {
		for (i = 0; i < PROCESSES; i++) {
			if (processes[i])
				continue;
			started++;
			processes[i] = fork();
			if (processes[i])
				continue;
			for (struct speaker *s = speaker(counts, seed * 1000003 + started, i); ;)
				speak(s);
		}
		usleep(50000 + random_below(&random, 500000));
		i = random_below(&random, PROCESSES);
		/* A member that is asked may take its time, and dies of it no more slowly. */
		if (waitpid(processes[i], &status, WNOHANG) == 0) {
			kill(processes[i], SIGKILL);
			waitpid(processes[i], &status, 0);
		}
		check_death(status);
		processes[i] = 0;
	}
	for (i = 0; i < PROCESSES; i++) {
		if (!processes[i])
			continue;
		kill(processes[i], SIGKILL);
		waitpid(processes[i], &status, 0);
		check_death(status);
	}
}

static void report(const struct counts *counts)
{
	unsigned int command;

	printf("%llu damaged, %llu denied, %llu answers to GET; of each command accepted/refused:",
	       counts->damaged, counts->denied, counts->shown);
	for (command = 1; command <= VRSEQ_CMD_MAX; command++)
		printf(" %llu/%llu", counts->accepted[command], counts->refused[command]);
	printf("\n");
}

/* It was a test only if each command was seen to work; what needs other members cannot. */
static void check_counts(const struct counts *counts)
{
	unsigned int command;

	for (command = 1; command <= VRSEQ_CMD_MAX; command++) {
		if (!counts->refused[command] ||
		    (!counts->accepted[command] && command != VRSEQ_CMD_GROUP_REFORM))
			die("command %u was not tried in earnest", command);
	}
	if (!counts->denied || !counts->shown || !counts->damaged)
		die("there was nothing to see");
}

int main(int argc, char **argv)
{
	bool refused = argc == 4 && !strcmp(argv[1], "--refused");
	struct counts *counts;
	struct speaker *s;
	long i;

	if (argc != 3 && !refused)
		die("usage: hostile_netlink SECONDS SEED | --refused COUNT SEED");
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (counts == MAP_FAILED)
		die("no memory");
	printf("seed %s\n", argv[argc - 1]);
	fflush(stdout);
	if (refused) {
		s = speaker(counts, strtoull(argv[3], NULL, 0), false);
		for (i = atol(argv[2]); i; i--)
			speak(s);
		report(counts);
		return counts->denied ? 0 : 1;
	}
	rampage(counts, atoi(argv[1]), strtoull(argv[2], NULL, 0));
	report(counts);
	if (atoi(argv[1]) >= EARNEST_S)
		check_counts(counts);
	return 0;
}
