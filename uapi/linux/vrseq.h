/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vrseq - a replicated sequencer and an ordered log, through /dev/vrseq
 *
 * An open file is a session of the group. Number, append and read go through
 * one replicated log (Viewstamped Replication), so every process on every
 * member sees one order. vrseq(4) is the manual of this file.
 *
 * Attaching. If exactly one group exists in the network namespace the device
 * was opened in, the file attaches to it at its first operation. Otherwise
 * VRSEQ_IOC_ATTACH names the group first.
 *
 * Numbers. Every number given out (token, index, sequence) is a u64,
 * generation << 48 | count. In generation 0 that is just 1, 2, 3 ... The
 * generation is at most 32767, so numbers fit a signed 64-bit integer.
 *
 * Operations. NEXT, GET and APPEND begin with struct vrseq_op_hdr. Each of
 * them is one operation with an op_id and an outcome. Calling again with the
 * op_id of an operation joins it, across signals, deadlines and view changes;
 * it is never applied twice. write() is APPEND without the header: writing
 * the same bytes again after EINTR, ETIMEDOUT or EAGAIN joins the append.
 *
 * Errors. "Applied?" tells whether the operation may have taken effect; "see
 * outcome" means that vrseq_op_hdr.outcome says so.
 *
 *   errno           meaning                                       applied?
 *   ENOTCONN        not attached, or no such group here           no
 *   EAGAIN          O_NONBLOCK would wait; window full            no *
 *   EHOSTUNREACH    no quorum; STATUS names who is silent         see outcome
 *   ETIMEDOUT       the deadline passed                           see outcome
 *   EINTR           a signal came; repeat to join                 see outcome
 *   ESTALE          op_id below the window, or session evicted    no **
 *   EOVERFLOW       the counter's range is exhausted              no
 *   EMSGSIZE        message larger than message_bytes_max         no
 *   EPIPE           reader overrun: told once, STATUS has the
 *                   lost range, the next read goes on             -
 *   ENOTRECOVERABLE this member lost its memory, or fell behind
 *                   further than the log reaches, and takes no
 *                   part; STATUS says which                       see outcome
 *   EIO             this member halted; STATUS says why           see outcome
 *   ENETDOWN        the group or its network namespace is gone    see outcome
 *   EINVAL          bad argument: unknown flag, non-zero reserved
 *                   byte, buffer too short for the next record,
 *                   op_id joined with other arguments             no
 *   ENOTTY          no such ioctl                                 no
 *   EFAULT          bad pointer                                   no ***
 *   EPERM           netlink: CAP_NET_ADMIN is missing             no
 *   ENOSPC          the group holds counters_max named counters   no
 *   EDQUOT          this member holds files_max attached files    no
 *   EBUSY           already attached to another group; group
 *                   in use or formed already (netlink)            no
 *   ENOMEM          out of memory                                 no
 *   ERANGE          netlink: a number outside of its range        no
 *   EEXIST          netlink: such a group or member is there      no
 *   ENOENT          netlink: no such group or member              no
 *   EADDRINUSE      netlink: the listen address is taken          no
 *   EADDRNOTAVAIL   netlink: the listen address is not local      no
 *   EOPNOTSUPP      netlink: not in this version                  no
 *
 *   *   a started operation goes on: poll for POLLOUT and repeat to join it.
 *   **  ESTALE on an evicted session says nothing of operations sent earlier.
 *   *** if the result cannot be stored, repeat with the same op_id to get it.
 */
#ifndef _UAPI_LINUX_VRSEQ_H
#define _UAPI_LINUX_VRSEQ_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VRSEQ_GROUP_NAME_BYTES	32	/* with the NUL at the end */
#define VRSEQ_COUNTER_NAME_BYTES 64	/* with the NUL at the end */
#define VRSEQ_STATUS_TEXT_BYTES	256	/* with the NUL at the end */
#define VRSEQ_MEMBERS_MAX	7

/** enum vrseq_outcome - what became of an operation */
enum vrseq_outcome {
	VRSEQ_OUTCOME_UNKNOWN		= 0,	/* may be applied, now or later */
	VRSEQ_OUTCOME_APPLIED		= 1,	/* exactly once */
	VRSEQ_OUTCOME_NOT_APPLIED	= 2,	/* and never will be */
};

/**
 * struct vrseq_op_hdr - the head of every operation
 * @flags:	in: must be zero
 * @outcome:	out: enum vrseq_outcome, also written when the call fails
 * @reserved16:	must be zero
 * @op_id:	in: 0 = a new operation, the kernel chooses its id; otherwise a
 *		number larger than every op_id used on this file = a new
 *		operation; the newest op_id used = join that operation
 *		out: the id of this operation
 * @deadline_ns: in: absolute CLOCK_MONOTONIC time in ns, 0 = none
 * @index:	out: where in the total order the operation was committed
 * @view:	out: the view in which it was given that index
 * @reserved:	must be zero
 *
 * Out fields are written on success, and outcome and op_id also on failure,
 * wherever the structure is writable.
 */
struct vrseq_op_hdr {
	__u32		flags;
	__u16		outcome;
	__u16		reserved16;
	__aligned_u64	op_id;
	__aligned_u64	deadline_ns;
	__aligned_u64	index;
	__aligned_u64	view;
	__aligned_u64	reserved[3];
};

/**
 * struct vrseq_info - what this module can do, and its fixed limits
 * @features:		out: bits, none defined yet
 * @message_bytes_max:	out: largest message of write() and APPEND
 * @counters_max:	out: named counters a group can hold
 * @sessions_max:	out: sessions a group remembers, the idlest go first
 * @files_max:		out: attached files at one member of a group
 * @record_bytes_max:	out: a read() buffer of this size fits every record
 * @wire_version:	out: version of the datagram format
 * @reserved:		out: zero
 */
struct vrseq_info {
	__aligned_u64	features;
	__u32		message_bytes_max;
	__u32		counters_max;
	__u32		sessions_max;
	__u32		files_max;
	__u32		record_bytes_max;
	__u32		wire_version;
	__aligned_u64	reserved[4];
};

/**
 * struct vrseq_attach - bind the open file to a group
 * @group:	in: name, NUL-terminated; empty = the only group there is
 *		out: the group's name
 * @flags:	in: must be zero
 * @member_id:	out: the id of this member
 * @reserved:	must be zero
 *
 * Errors: ENOTCONN no such group (or none, or several, if @group is empty),
 * EBUSY attached to another group already, EDQUOT.
 */
struct vrseq_attach {
	char		group[VRSEQ_GROUP_NAME_BYTES];
	__u32		flags;
	__u32		member_id;
	__aligned_u64	reserved[2];
};

/** enum vrseq_state - what a member is doing */
enum vrseq_state {
	VRSEQ_STATE_BLANK	= 0,	/* waits for "vrseq group form" */
	VRSEQ_STATE_FORMING	= 1,
	VRSEQ_STATE_NORMAL	= 2,
	VRSEQ_STATE_VIEW_CHANGE	= 3,
	VRSEQ_STATE_RECOVERING	= 4,	/* refuses to take part, see reason */
	VRSEQ_STATE_HALTED	= 5,	/* an invariant broke, see reason */
};

/**
 * struct vrseq_status_member - one member as this one sees it
 * @id:			member id
 * @state:		enum vrseq_state as it last said, 255 = never heard
 * @flags:		VRSEQ_MEMBER_*
 * @reserved:		zero
 * @heard_age_ns:	since its last valid datagram; ~0 = never; 0 for oneself
 */
struct vrseq_status_member {
	__u16		id;
	__u8		state;
	__u8		flags;
	__u32		reserved;
	__aligned_u64	heard_age_ns;
};

#define VRSEQ_MEMBER_SELF	(1 << 0)
#define VRSEQ_MEMBER_PRIMARY	(1 << 1)

/**
 * struct vrseq_status - one consistent look at this member
 * @state:		out: enum vrseq_state
 * @has_quorum:		out: 1 if operations can commit as far as we know
 * @member_count:	out: valid elements of @members
 * @quorum_count:	out: members needed to commit
 * @self_id:		out: this member
 * @primary_id:		out: primary of @view, 0 = none known
 * @view:		out: current view
 * @last_normal_view:	out: last view in which this member was normal
 * @op:			out: newest entry held
 * @commit:		out: newest entry committed and applied here
 * @commit_hash:	out: hash chain over all entries up to @commit; equal at
 *			every member with the same @commit
 * @sequence_first:	out: oldest message that can be read here
 * @sequence_last:	out: newest message that can be read here
 * @read_next:		out: sequence the next read() of this file wants
 * @lost_first:		out: range this file's reader lost at its last EPIPE,
 * @lost_last:		out: 0 and 0 = nothing lost so far
 * @session:		out: id of this file's session, 0 = none yet
 * @reserved:		out: zero
 * @members:		out: all members, this one included
 * @text:		out: one sentence for people
 */
struct vrseq_status {
	__u8		state;
	__u8		has_quorum;
	__u8		member_count;
	__u8		quorum_count;
	__u16		self_id;
	__u16		primary_id;
	__aligned_u64	view;
	__aligned_u64	last_normal_view;
	__aligned_u64	op;
	__aligned_u64	commit;
	__aligned_u64	commit_hash;
	__aligned_u64	sequence_first;
	__aligned_u64	sequence_last;
	__aligned_u64	read_next;
	__aligned_u64	lost_first;
	__aligned_u64	lost_last;
	__aligned_u64	session;
	__aligned_u64	reserved[4];
	struct vrseq_status_member members[VRSEQ_MEMBERS_MAX];
	char		text[VRSEQ_STATUS_TEXT_BYTES];
};

/**
 * struct vrseq_next - increment a counter and get the new numbers
 * @hdr:	see struct vrseq_op_hdr
 * @counter:	in: name, 0 to 63 bytes without control characters, padded
 *		with NUL; empty = the group's own counter. A new name begins
 *		a new counter
 * @count:	in: how many numbers, 1 or more
 * @first:	out: first number of the range; nobody else ever gets it
 * @last:	out: last number, @first + @count - 1
 *
 * Errors: ENOSPC, EOVERFLOW and the common ones of the table above.
 */
struct vrseq_next {
	struct vrseq_op_hdr hdr;
	char		counter[VRSEQ_COUNTER_NAME_BYTES];
	__aligned_u64	count;
	__aligned_u64	first;
	__aligned_u64	last;
};

/**
 * struct vrseq_get - read a counter
 * @hdr:	see struct vrseq_op_hdr
 * @counter:	in: name as in struct vrseq_next
 * @mode:	in: VRSEQ_READ_LOG
 * @reserved:	must be zero
 * @value:	out: the newest number given out, 0 (of the generation) = none
 */
struct vrseq_get {
	struct vrseq_op_hdr hdr;
	char		counter[VRSEQ_COUNTER_NAME_BYTES];
	__u32		mode;
	__u32		reserved;
	__aligned_u64	value;
};

#define VRSEQ_READ_LOG	0	/* linearizable: the read is an entry of the log */

/**
 * struct vrseq_append - append one message to the ordered log
 * @hdr:	see struct vrseq_op_hdr
 * @data:	in: address of the message
 * @bytes:	in: its size, 1 to message_bytes_max
 * @reserved:	must be zero
 * @sequence:	out: number of the message in the log: 1, 2, 3 without a hole
 */
struct vrseq_append {
	struct vrseq_op_hdr hdr;
	__aligned_u64	data;
	__u32		bytes;
	__u32		reserved;
	__aligned_u64	sequence;
};

/** enum vrseq_record_type - what read() returned */
enum vrseq_record_type {
	VRSEQ_RECORD_MESSAGE	= 1,
};

/**
 * struct vrseq_record - head of what read() returns
 * @size:	bytes of this record: head, message and zero padding up to a
 *		multiple of 8
 * @type:	enum vrseq_record_type
 * @member_id:	where it was appended
 * @index:	place in the group's total order over all operations
 * @sequence:	1, 2, 3 ... without a hole over the messages of the log
 * @view:	view in which it was given its index
 * @session:	session that appended it
 * @bytes:	size of the message, which follows this head
 * @reserved:	zero
 */
struct vrseq_record {
	__u32		size;
	__u16		type;
	__u16		member_id;
	__aligned_u64	index;
	__aligned_u64	sequence;
	__aligned_u64	view;
	__aligned_u64	session;
	__u32		bytes;
	__u32		reserved;
};

#define VRSEQ_IOC_TYPE		0xBF
#define VRSEQ_IOC_INFO		_IOR(VRSEQ_IOC_TYPE, 0x00, struct vrseq_info)
#define VRSEQ_IOC_ATTACH	_IOWR(VRSEQ_IOC_TYPE, 0x01, struct vrseq_attach)
#define VRSEQ_IOC_STATUS	_IOR(VRSEQ_IOC_TYPE, 0x02, struct vrseq_status)
#define VRSEQ_IOC_NEXT		_IOWR(VRSEQ_IOC_TYPE, 0x11, struct vrseq_next)
#define VRSEQ_IOC_GET		_IOWR(VRSEQ_IOC_TYPE, 0x12, struct vrseq_get)
#define VRSEQ_IOC_APPEND	_IOWR(VRSEQ_IOC_TYPE, 0x31, struct vrseq_append)

#endif /* _UAPI_LINUX_VRSEQ_H */
