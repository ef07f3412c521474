/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Generic netlink family "vrseq", version 1: configuration and status.
 * Documentation/netlink/specs/vrseq.yaml is its specification; vrseq(8) the
 * tool on top. All but the GET commands need CAP_NET_ADMIN, in the initial user
 * namespace. Each refusal carries an extack sentence, but for the lack of that (EPERM),
 * which generic netlink sees by itself. Groups live in the caller's network namespace.
 *
 * A name is what one namespace calls its member; the UUID is what tells groups
 * apart on the wire: all members of a group have the same, and no other group
 * that can reach them has it. Without UUID it is made of the name, so members
 * with one name need not say it. Members of one group in one namespace need
 * different names and therefore the UUID.
 *
 *   GROUP_ADD     NAME, SELF_ID, one of ADDRESS_IPV4 and ADDRESS_IPV6, PORT, and one
 *                 of INSECURE, KEY and KEY_NAME; [RECORD] [JOURNAL [JOURNAL_BYTES]]
 *                 [UUID] [HEARTBEAT_NS] [VIEW_TIMEOUT_NS]
 *                 [LEASE_NS] [RECORD_MAX] [LOG_ENTRIES] [LOG_BYTES] [MESSAGES]
 *                 [MESSAGE_BYTES] [ROLE] [CLIENTS_MAX] [NODE_LEASE_NS] [FILES_MAX]
 *                 [GID] [WIRE];
 *                 a client's id is 8 or more, it keeps no record and no journal,
 *                 and its list of members is the voters. If no journal is
 *                 named durability is memory
 *   GROUP_DEL     NAME                 EBUSY while files are attached; a
 *                 primary hands over first
 *   GROUP_FORM    NAME [GENERATION]    once in the life of a group, at one
 *                 member, all members reachable and blank; waits, 5 s at most
 *   GROUP_GET     NAME, or a dump of all groups; the reply has
 *     NAME UUID SELF_ID ADDRESS_IPV4 or ADDRESS_IPV6, PORT
 *     INSECURE, or KEY_TAG [KEY_TAG_SECOND]; never a key
 *     HEARTBEAT_NS VIEW_TIMEOUT_NS LEASE_NS RECORD_MAX LOG_ENTRIES LOG_BYTES MESSAGES
 *     MESSAGE_BYTES ROLE CLIENTS_MAX CLIENTS NODE_LEASE_NS NODE_ENDS FILES_MAX [GID]
 *     WIRE MEMORY_BYTES GENERATION STATE STATUS_TEXT HAS_QUORUM
 *     QUORUM_COUNT VIEW LAST_NORMAL_VIEW PRIMARY_ID OP COMMIT COMMIT_HASH
 *     SEQUENCE_FIRST SEQUENCE_LAST INCARNATION CHECKPOINT_OP RECOVERIES
 *     TRANSFERS [RECORD RECORD_ERROR] [HALT] [JOURNAL JOURNAL_BYTES JOURNAL_WRITES
 *     JOURNAL_FSYNCS [JOURNAL_ERROR]] FILES MEMBER (nested, one for each voter)
 *   MEMBER_ADD    NAME, MEMBER { ID, PORT, and the one of ADDRESS_IPV4 and ADDRESS_IPV6
 *                 that this member has, too [ROLE] }; a voter only
 *                 while the group is blank, a client at any time: its id is 8 or
 *                 more, and each voter must be told of it
 *   MEMBER_DEL    NAME, MEMBER { ID }; likewise. The sessions of a client end
 *                 with its node lease
 *   STATS_GET     NAME, or a dump; the reply has NAME and
 *     STAT (nested, many) { NAME, VALUE }: datagrams and drops by reason
 *   KEY_SET       NAME, KEY or KEY_NAME: a second key that opens datagrams, too;
 *                 not one whose tag is that of the first
 *   KEY_SWAP      NAME                 seal with the second key from now on, keep
 *                 the first one for opening; sessions go on until there are new ones
 *   KEY_DEL       NAME                 take the second key away
 *   GROUP_RESIGN  NAME                 a primary hands over and stays as a
 *                 backup; any other member has nothing to do. Waits one view
 *                 timeout, 1 s at most
 *   GROUP_REFORM  NAME                 gives up what a lost majority knew: the
 *                 group begins the next generation, empty. Refused while
 *                 members enough with memory answer, and if fewer than a
 *                 majority with a good record do; waits, 5 s at most
 *
 * All integers are in host order; addresses are as on the wire. All members of a
 * group have addresses of one family, and of IPv6 none that is link-local, or one of
 * IPv4 mapped.
 */
#ifndef _UAPI_LINUX_VRSEQ_NETLINK_H
#define _UAPI_LINUX_VRSEQ_NETLINK_H

#define VRSEQ_GENL_NAME		"vrseq"
#define VRSEQ_GENL_VERSION	1

enum vrseq_cmd {
	VRSEQ_CMD_UNSPEC,
	VRSEQ_CMD_GROUP_ADD,
	VRSEQ_CMD_GROUP_DEL,
	VRSEQ_CMD_GROUP_FORM,
	VRSEQ_CMD_GROUP_GET,
	VRSEQ_CMD_MEMBER_ADD,
	VRSEQ_CMD_MEMBER_DEL,
	VRSEQ_CMD_STATS_GET,
	VRSEQ_CMD_GROUP_RESIGN,
	VRSEQ_CMD_GROUP_REFORM,
	VRSEQ_CMD_KEY_SET,
	VRSEQ_CMD_KEY_SWAP,
	VRSEQ_CMD_KEY_DEL,
	__VRSEQ_CMD_MAX,
};

#define VRSEQ_CMD_MAX (__VRSEQ_CMD_MAX - 1)

enum vrseq_attr {
	VRSEQ_A_UNSPEC,
	VRSEQ_A_PAD,
	VRSEQ_A_NAME,			/* string, 1..31 of [A-Za-z0-9_.-] */
	VRSEQ_A_SELF_ID,		/* u16, 1..65535 */
	VRSEQ_A_ADDRESS_IPV4,		/* be32 */
	VRSEQ_A_PORT,			/* u16, 1..65535 */
	VRSEQ_A_INSECURE,		/* flag: no key, anyone can forge */
	VRSEQ_A_HEARTBEAT_NS,		/* u64, 1 ms .. 1 s */
	VRSEQ_A_VIEW_TIMEOUT_NS,	/* u64, 4 heartbeats .. 60 s */
	VRSEQ_A_LOG_ENTRIES,		/* u32, entries a member can catch up on */
	VRSEQ_A_LOG_BYTES,		/* u32, bytes of their bodies */
	VRSEQ_A_MESSAGES,		/* u32, messages kept for readers */
	VRSEQ_A_MESSAGE_BYTES,		/* u32, bytes of their bodies */
	VRSEQ_A_MEMORY_BYTES,		/* u64, what the group takes */
	VRSEQ_A_GENERATION,		/* u16, 0..32767 */
	VRSEQ_A_STATE,			/* u8, enum vrseq_state */
	VRSEQ_A_STATUS_TEXT,		/* string */
	VRSEQ_A_HAS_QUORUM,		/* u8, 0 or 1 */
	VRSEQ_A_QUORUM_COUNT,		/* u8 */
	VRSEQ_A_VIEW,			/* u64 */
	VRSEQ_A_LAST_NORMAL_VIEW,	/* u64 */
	VRSEQ_A_PRIMARY_ID,		/* u16, 0 = none known */
	VRSEQ_A_OP,			/* u64 */
	VRSEQ_A_COMMIT,			/* u64 */
	VRSEQ_A_COMMIT_HASH,		/* u64 */
	VRSEQ_A_SEQUENCE_FIRST,		/* u64 */
	VRSEQ_A_SEQUENCE_LAST,		/* u64 */
	VRSEQ_A_FILES,			/* u32, attached files */
	VRSEQ_A_MEMBER,			/* nest of VRSEQ_A_MEMBER_* */
	VRSEQ_A_STAT,			/* nest of VRSEQ_A_STAT_* */
	VRSEQ_A_UUID,			/* binary, 16 bytes, not all 0 */
	VRSEQ_A_LEASE_NS,		/* u64, 0 = off .. half of the view timeout */
	VRSEQ_A_INCARNATION,		/* u64, which life of this member */
	VRSEQ_A_CHECKPOINT_OP,		/* u64, 0 = none yet */
	VRSEQ_A_RECOVERIES,		/* u64, times others gave it its memory */
	VRSEQ_A_TRANSFERS,		/* u64, checkpoints fetched from others */
	VRSEQ_A_RECORD_MAX,		/* u32, bytes of a message, a power of 2, 64 .. 8192 */
	VRSEQ_A_RECORD,			/* string, 1..255, absolute path; absent = none */
	VRSEQ_A_KEY,			/* binary, 32 bytes, only ever sent to the kernel */
	VRSEQ_A_KEY_NAME,		/* string, description of a key of type logon */
	VRSEQ_A_KEY_TAG,		/* u8, 8 bits of a hash of the key that seals */
	VRSEQ_A_KEY_TAG_SECOND,		/* u8, of the other one; absent = none */
	VRSEQ_A_ROLE,			/* u8, enum vrseq_role, of this member */
	VRSEQ_A_CLIENTS_MAX,		/* u32, room for clients, 0 .. 4096 */
	VRSEQ_A_CLIENTS,		/* u32, clients in the list */
	VRSEQ_A_NODE_LEASE_NS,		/* u64, view timeout .. 1 h */
	VRSEQ_A_NODE_ENDS,		/* u64, clients whose lease this member ended */
	VRSEQ_A_FILES_MAX,		/* u32, files that can be attached, 1 .. 256 */
	VRSEQ_A_ADDRESS_IPV6,		/* binary, 16 bytes, in place of ADDRESS_IPV4 */
	VRSEQ_A_GID,			/* u32, Unix group that can attach; absent = all */
	VRSEQ_A_HALT,			/* u8, enum vrseq_halt; absent = it has not */
	VRSEQ_A_RECORD_ERROR,		/* u32, errno of the last write; absent = no record */
	VRSEQ_A_WIRE,			/* u8, newest version of the wire format it speaks, 4..5 */
	VRSEQ_A_JOURNAL,		/* string, 1..255, absolute path; absent = none */
	VRSEQ_A_JOURNAL_BYTES,		/* u64, of the file, at most 1 TiB */
	VRSEQ_A_JOURNAL_WRITES,		/* u64, since it was opened */
	VRSEQ_A_JOURNAL_FSYNCS,		/* u64, since then */
	VRSEQ_A_JOURNAL_ERROR,		/* u32, errno that ended it; absent = none */
	__VRSEQ_A_MAX,
};

#define VRSEQ_A_MAX (__VRSEQ_A_MAX - 1)

enum vrseq_member_attr {
	VRSEQ_A_MEMBER_UNSPEC,
	VRSEQ_A_MEMBER_PAD,
	VRSEQ_A_MEMBER_ID,		/* u16, 1..65535 */
	VRSEQ_A_MEMBER_ADDRESS_IPV4,	/* be32 */
	VRSEQ_A_MEMBER_PORT,		/* u16, 1..65535 */
	VRSEQ_A_MEMBER_ROLE,		/* u8, enum vrseq_role */
	VRSEQ_A_MEMBER_SELF,		/* flag */
	VRSEQ_A_MEMBER_PRIMARY,		/* flag */
	VRSEQ_A_MEMBER_STATE,		/* u8, enum vrseq_state; absent = never heard */
	VRSEQ_A_MEMBER_HEARD_AGE_NS,	/* u64; absent = never heard */
	VRSEQ_A_MEMBER_OP,		/* u64, entry it is known to hold */
	VRSEQ_A_MEMBER_INCARNATION,	/* u64, newest life of it known of */
	VRSEQ_A_MEMBER_ROUND_TRIP_NS,	/* u64, smoothed; absent = not measured */
	VRSEQ_A_MEMBER_RECORDED,	/* flag: it has a record to count on */
	VRSEQ_A_MEMBER_TRUST,		/* u8, enum vrseq_trust */
	VRSEQ_A_MEMBER_ADDRESS_IPV6,	/* binary, 16 bytes, in place of ADDRESS_IPV4 */
	VRSEQ_A_MEMBER_DIFFERS,		/* flag: it was given another list of members */
	VRSEQ_A_MEMBER_WIRE,		/* u8, newest it is known to speak; absent = none yet */
	__VRSEQ_A_MEMBER_MAX,
};

#define VRSEQ_A_MEMBER_MAX (__VRSEQ_A_MEMBER_MAX - 1)

/** enum vrseq_trust - what a member has proved; in the last 2 s, that is */
enum vrseq_trust {
	VRSEQ_TRUST_ANYBODY	= 0,	/* nothing, the group is insecure */
	VRSEQ_TRUST_SILENT	= 1,	/* nothing yet, or not of late */
	VRSEQ_TRUST_PROVED	= 2,	/* that it has the key */
	VRSEQ_TRUST_OTHER_KEY	= 3,	/* that it has another one */
};

/** enum vrseq_halt - what a member found broken when it halted */
enum vrseq_halt {
	VRSEQ_HALT_NONE			= 0,
	VRSEQ_HALT_COMMITTED_CONFLICT	= 1,	/* another entry at a committed place */
	VRSEQ_HALT_LOG_GAP		= 2,	/* a gap in the log */
	VRSEQ_HALT_LOG_FULL		= 3,	/* the log is full */
	VRSEQ_HALT_TWO_LOGS		= 4,	/* two logs in one view */
	VRSEQ_HALT_DISK			= 5,	/* its journal cannot be written */
	VRSEQ_HALT_LIVES		= 6,	/* no number is left for its next life */
};

#define VRSEQ_KEY_NAME_BYTES	128	/* with its NUL */

enum vrseq_role {
	VRSEQ_ROLE_VOTER	= 0,
	VRSEQ_ROLE_CLIENT	= 1,	/* no vote and no log, the voters serve it */
};

enum vrseq_stat_attr {
	VRSEQ_A_STAT_UNSPEC,
	VRSEQ_A_STAT_PAD,
	VRSEQ_A_STAT_NAME,		/* string */
	VRSEQ_A_STAT_VALUE,		/* u64 */
	__VRSEQ_A_STAT_MAX,
};

#define VRSEQ_A_STAT_MAX (__VRSEQ_A_STAT_MAX - 1)

#endif /* _UAPI_LINUX_VRSEQ_NETLINK_H */
