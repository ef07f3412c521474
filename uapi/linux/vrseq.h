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
 * Operations. NEXT, GET, APPEND and BARRIER begin with struct vrseq_op_hdr. Each
 * of them is one operation with an op_id and an outcome. Calling again with the
 * op_id of an operation joins it, across signals, deadlines and view changes;
 * it is never applied twice. write() is APPEND without the header: writing
 * the same bytes again after EINTR, ETIMEDOUT or EAGAIN joins the append.
 *
 * Window. Threads that share an open file share its session; each has an
 * operation of its own, vrseq_info.window of them are under way at once, and
 * they are applied in the order of their op_ids. The newest vrseq_info.window
 * op_ids can be joined, and RESULT tells what became of them. One more
 * operation waits until the one that leaves the window for it has ended; if
 * its outcome is unknown, it is settled first, as RESULT does.
 *
 * The log. write() appends one message; it returns when the message is
 * committed and readable here. Writing 0 bytes appends nothing. read() returns
 * as many whole records as are there and fit. lseek() moves the reader to a
 * message by its sequence: SEEK_SET that one, 0 = the oldest there is; SEEK_CUR
 * and SEEK_END from the next one to be read or to be appended; SEEK_DATA the
 * oldest from there on that is still there, SEEK_HOLE the end of those. It
 * returns the sequence. A new reader begins at the oldest message there is, of
 * a file opened with O_APPEND at the next one to come.
 * VRSEQ_IOC_SEEK does the same and more: an index, a topic, gaps as records.
 * fsync() is VRSEQ_IOC_BARRIER without an answer.
 *
 * /dev/vrseq-raw is the same device for programs that know nothing of records:
 * read() returns the bytes of the messages and nothing else, as a stream.
 *
 * Poll. POLLIN: read() does not wait. POLLOUT: one more operation does not wait
 * for others of this file, and none that somebody left before its end is under
 * way any more. POLLPRI: this member lost or found its quorum or changed its
 * state since STATUS was asked last, or messages were lost that read() has not
 * told of. POLLHUP and POLLERR: the group is gone.
 *
 * Errors. "Applied?" tells whether the operation may have taken effect; "see
 * outcome" means that vrseq_op_hdr.outcome says so.
 *
 *   errno           meaning                                       applied?
 *   ENOTCONN        not attached, or no such group here           no
 *   EAGAIN          O_NONBLOCK would wait; window full            no *
 *   EHOSTUNREACH    for some time no quorum, or still recovering;
 *                   not formed; STATUS says more                  see outcome
 *   ETIMEDOUT       the deadline passed                           see outcome
 *   EINTR           a signal came; repeat to join                 see outcome
 *   ESTALE          op_id below the window, or session evicted    no **
 *   ECANCELED       not applied when its outcome was settled, or
 *                   when a later one of this file was applied     no
 *   EOVERFLOW       the counter's range is exhausted              no
 *   EMSGSIZE        message larger than message_bytes_max         no
 *   EPIPE           reader overrun: told once, STATUS has the
 *                   lost range, the next read goes on             -
 *   ENOTRECOVERABLE too many members lost their memory for the
 *                   others to give it back; STATUS names them     see outcome
 *   EIO             this member halted; STATUS says why           see outcome
 *   ENETDOWN        the group or its network namespace is gone    see outcome
 *   EEXIST          APPEND: another message has the expected
 *                   sequence; netlink: such a group or member is
 *                   there                                         no
 *   ENXIO           the log has no such place (any more)          -
 *   ESPIPE          lseek() of a stream: /dev/vrseq-raw           -
 *   EINVAL          bad argument: unknown flag, non-zero reserved
 *                   byte, buffer too short for the next record,
 *                   op_id joined with other arguments, or within
 *                   the window and never used                     no
 *   ENOTTY          no such ioctl                                 no
 *   EFAULT          bad pointer                                   no ***
 *   EPERM           mmap: writable or executable; netlink:
 *                   CAP_NET_ADMIN is missing                      no
 *   EACCES          the group is for files opened by a Unix group
 *                   that the opener was not in                    no
 *   ENOSPC          the group holds counters_max named counters   no
 *   EDQUOT          this member holds files_max attached files    no
 *   EBUSY           already attached to another group; group
 *                   in use or formed already (netlink)            no
 *   ENOMEM          out of memory                                 no
 *   ERANGE          netlink: a number outside of its range        no
 *   ENOENT          netlink: no such group or member              no
 *   EADDRINUSE      netlink: the listen address is taken          no
 *   EADDRNOTAVAIL   netlink: the listen address is not local      no
 *   EAFNOSUPPORT    netlink: an address of a family that the
 *                   group, or the kernel, does not have           no
 *   EOPNOTSUPP      netlink: not in this version                  no
 *
 *   *   a started operation goes on: poll for POLLOUT and repeat to join it.
 *   **  this one; of operations begun earlier ESTALE says nothing, and what
 *       names one of them by its op_id has outcome UNKNOWN.
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
 *		operation; one of the newest vrseq_info.window op_ids = join
 *		that operation
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
 * @message_bytes_max:	out: largest message of write() and APPEND; of the group if
 *			the file is attached, otherwise of any
 * @counters_max:	out: named counters a group can hold
 * @sessions_max:	out: sessions a group remembers, the idlest go first
 * @files_max:		out: attached files at one member of a group
 * @record_bytes_max:	out: a read() buffer of this size fits every record
 * @wire_version:	out: version of the datagram format
 * @window:		out: operations of a file that can be under way at once,
 *			and how many of the newest op_ids can be joined
 * @ring_bytes:		out: length of the mapping, see struct vrseq_ring_header
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
	__u32		window;
	__u32		ring_bytes;
	__aligned_u64	reserved[3];
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
 * EBUSY attached to another group already, EACCES the file was opened by nobody of the
 * Unix group that the group is for, EDQUOT.
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
	VRSEQ_STATE_RECOVERING	= 4,	/* gets its memory back from others */
	VRSEQ_STATE_HALTED	= 5,	/* an invariant broke, see text */
	VRSEQ_STATE_AMNESIA	= 6,	/* too many have no memory, see text */
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
 * @incarnation:	out: which life of this member it is, 0 = in no group yet
 * @checkpoint_op:	out: newest entry of the newest checkpoint, 0 = none yet
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
	__aligned_u64	incarnation;
	__aligned_u64	checkpoint_op;
	__aligned_u64	reserved[2];
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

/** enum vrseq_read - how GET finds its answer */
enum vrseq_read {
	VRSEQ_READ_LOG		= 0,	/* as an entry of the log: linearizable */
	VRSEQ_READ_INDEX	= 1,	/* once a quorum confirms: linearizable */
	VRSEQ_READ_LEASE	= 2,	/* by the lease, else as INDEX: linearizable */
	VRSEQ_READ_LOCAL	= 3,	/* what is known here; may be old */
};

/**
 * struct vrseq_get - read a counter
 * @hdr:	see struct vrseq_op_hdr. Only with VRSEQ_READ_LOG it is an
 *		operation of the session: otherwise op_id must be 0 and is 0 in
 *		the answer, nothing can be joined, index is the newest entry that
 *		the answer takes account of, and the outcome is APPLIED if there
 *		is an answer, NOT_APPLIED if not
 * @counter:	in: name as in struct vrseq_next
 * @mode:	in: enum vrseq_read
 * @reserved:	must be zero
 * @value:	out: the newest number given out, 0 (of the generation) = none
 * @age_ns:	out: VRSEQ_READ_LOCAL: the answer was true that long ago or
 *		later; otherwise 0
 *
 * VRSEQ_READ_LOCAL answers at once, with a quorum or without, unless this
 * member is blank or recovering.
 */
struct vrseq_get {
	struct vrseq_op_hdr hdr;
	char		counter[VRSEQ_COUNTER_NAME_BYTES];
	__u32		mode;
	__u32		reserved;
	__aligned_u64	value;
	__aligned_u64	age_ns;
};

/** enum vrseq_kind - what an operation asked for */
enum vrseq_kind {
	VRSEQ_KIND_NEXT		= 3,
	VRSEQ_KIND_GET		= 4,
	VRSEQ_KIND_APPEND	= 5,	/* also write() */
};

/**
 * struct vrseq_op_result - what became of an operation, once and for all
 * @hdr:	op_id: in: one of the newest vrseq_info.window used on this file.
 *		outcome, index, view: out: of that operation
 * @kind:	out: enum vrseq_kind
 * @error:	out: the errno it ended with, 0 = none
 * @first:	out: NEXT: first number of the range
 * @last:	out: NEXT: last number; GET: the value; APPEND: the sequence
 *
 * While the operation is under way: outcome UNKNOWN, error 0, and it is left
 * alone. If it has ended, RESULT settles it: the outcome is APPLIED or
 * NOT_APPLIED and stays so, even if the op_id is used again. That takes an
 * entry of the log if the outcome was not known, and can then fail as an
 * operation does; settled or not, it can be asked again.
 *
 * Errors: EINVAL no operation had this op_id, ESTALE it is below the window or
 * the session was evicted, and the common ones of the table above.
 */
struct vrseq_op_result {
	struct vrseq_op_hdr hdr;
	__u32		kind;
	__u32		error;
	__aligned_u64	first;
	__aligned_u64	last;
};

/**
 * struct vrseq_append - append one message to the ordered log
 * @hdr:	see struct vrseq_op_hdr
 * @data:	in: address of the message
 * @bytes:	in: its size, 0 to message_bytes_max
 * @topic:	in: a number that readers can choose by
 * @expected:	in: the sequence this message must get, or it is not appended;
 *		0 = any. One more than the newest message its sender has seen:
 *		nobody was faster
 * @sequence:	out: number of the message in the log: 1, 2, 3 without a hole;
 *		with EEXIST the newest one there was instead
 *
 * Errors: EEXIST, EMSGSIZE and the common ones of the table above.
 */
struct vrseq_append {
	struct vrseq_op_hdr hdr;
	__aligned_u64	data;
	__u32		bytes;
	__u32		topic;
	__aligned_u64	expected;
	__aligned_u64	sequence;
};

/**
 * struct vrseq_barrier - wait until all that was committed is readable here
 * @hdr:	as of a GET with VRSEQ_READ_INDEX: no op_id, nothing to join; index
 *		is the newest entry that was waited for
 * @sequence:	out: newest message that can be read here, 0 (of the generation) =
 *		none
 * @reserved:	must be zero
 *
 * What was committed anywhere, by anybody, before the call began can be read
 * at this member when it returns. If it fails it may be called again.
 */
struct vrseq_barrier {
	struct vrseq_op_hdr hdr;
	__aligned_u64	sequence;
	__aligned_u64	reserved;
};

/** enum vrseq_whence - where SEEK goes */
enum vrseq_whence {
	VRSEQ_SEEK_CURRENT	= 0,	/* nowhere */
	VRSEQ_SEEK_SEQUENCE	= 1,	/* to message @position */
	VRSEQ_SEEK_OLDEST	= 2,	/* to the oldest message there is */
	VRSEQ_SEEK_NEXT		= 3,	/* behind the newest message there is here */
	VRSEQ_SEEK_INDEX	= 4,	/* to the first message of index @position or more */
};

#define VRSEQ_SEEK_RAW		(1 << 0) /* read() returns the bytes of messages alone */
#define VRSEQ_SEEK_GAPS		(1 << 1) /* ... and a VRSEQ_RECORD_GAP instead of EPIPE */

/**
 * struct vrseq_seek - where and how this file's reader goes on
 * @whence:	in: enum vrseq_whence
 * @flags:	in: VRSEQ_SEEK_RAW or VRSEQ_SEEK_GAPS, from now on
 * @topic:	in: read only messages whose topic, ANDed with @topic_mask,
 * @topic_mask:	in: is @topic, from now on; 0 and 0 = all
 * @position:	in: of SEQUENCE, 1 or more, and INDEX; 0 otherwise
 *		out: sequence of the next message that will be looked at; 0 = not
 *		known yet, as this member is recovering
 * @reserved:	must be zero
 *
 * What was lost is not known by topic: EPIPE and GAP name all messages that are
 * not there any more. As a stream a message that does not fit is read in parts;
 * SEEK goes to the beginning of one.
 *
 * Errors: EINVAL; ENXIO the log has no message or entry of that index yet, or
 * not any more; the common ones.
 */
struct vrseq_seek {
	__u32		whence;
	__u32		flags;
	__u32		topic;
	__u32		topic_mask;
	__aligned_u64	position;
	__aligned_u64	reserved[3];
};

/** enum vrseq_record_type - what read() returned */
enum vrseq_record_type {
	VRSEQ_RECORD_MESSAGE	= 1,
	VRSEQ_RECORD_GAP	= 2,	/* messages were lost; see VRSEQ_SEEK_GAPS */
	VRSEQ_RECORD_PAD	= 3,	/* in the ring: skip it */
};

/**
 * struct vrseq_record - head of what read() returns
 * @size:	bytes of this record: head, message and zero padding up to a
 *		multiple of 8
 * @type:	enum vrseq_record_type
 * @member_id:	where it was appended
 * @index:	place in the group's total order over all operations
 * @sequence:	1, 2, 3 ... without a hole over the messages of the log
 *		GAP: the first message that is lost
 * @view:	view in which it was given its index
 * @session:	session that appended it
 * @bytes:	size of the message, which follows this head
 *		GAP: 8, a __u64 follows, the last message that is lost
 * @topic:	as it was appended with
 *
 * Of a GAP all else but @size and @type is zero.
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
	__u32		topic;
};

#define VRSEQ_IOC_TYPE		0xBF
#define VRSEQ_IOC_INFO		_IOR(VRSEQ_IOC_TYPE, 0x00, struct vrseq_info)
#define VRSEQ_IOC_ATTACH	_IOWR(VRSEQ_IOC_TYPE, 0x01, struct vrseq_attach)
#define VRSEQ_IOC_STATUS	_IOR(VRSEQ_IOC_TYPE, 0x02, struct vrseq_status)
#define VRSEQ_IOC_NEXT		_IOWR(VRSEQ_IOC_TYPE, 0x11, struct vrseq_next)
#define VRSEQ_IOC_GET		_IOWR(VRSEQ_IOC_TYPE, 0x12, struct vrseq_get)
#define VRSEQ_IOC_RESULT	_IOWR(VRSEQ_IOC_TYPE, 0x13, struct vrseq_op_result)
#define VRSEQ_IOC_APPEND	_IOWR(VRSEQ_IOC_TYPE, 0x31, struct vrseq_append)
#define VRSEQ_IOC_SEEK		_IOWR(VRSEQ_IOC_TYPE, 0x32, struct vrseq_seek)
#define VRSEQ_IOC_BARRIER	_IOWR(VRSEQ_IOC_TYPE, 0x33, struct vrseq_barrier)

/**
 * struct vrseq_uring_cmd - the command area of an entry of io_uring
 * @argument:	in: address of a struct vrseq_next or struct vrseq_append
 * @reserved:	must be zero
 *
 * IORING_OP_URING_CMD with @cmd_op VRSEQ_IOC_NEXT or VRSEQ_IOC_APPEND is that
 * ioctl, not waited for: a thread can have vrseq_info.window commands of a file
 * under way, and one more ends with EAGAIN at once. The structure has to stay
 * where it is until the completion, whose res is 0 or the negative errno, and in
 * whose second half, if the ring has such, is the first number or the sequence. A
 * message is copied before io_uring_enter() returns, unless the file was not
 * attached yet.
 *
 * Operations are applied in the order in which the commands were submitted. A
 * deadline works as it does elsewhere. Where the kernel can (6.12), a command is
 * canceled when its ring goes, and the operation goes on, as after a signal. Where
 * it cannot (6.1), the ring, the open file and its session stay until all commands
 * have ended, of themselves or at their deadlines: exec() waits for that, exit()
 * does not.
 */
struct vrseq_uring_cmd {
	__aligned_u64	argument;
	__aligned_u64	reserved;
};

/*
 * The ring. mmap() of the file with PROT_READ, MAP_SHARED, offset 0 and a length
 * of vrseq_info.ring_bytes maps the newest messages of the log: this header, and
 * at @data_offset a ring of records. A reader needs no system call until it wants
 * to sleep. All readers of a group share the pages; none can write them.
 *
 * Positions count bytes on without wrapping; a record lies at @data_offset +
 * position % @data_bytes, in one piece, and begins at a multiple of 8. Records
 * are struct vrseq_record with its message. Besides messages there are
 * VRSEQ_RECORD_GAP, where messages are left out, and VRSEQ_RECORD_PAD, of which
 * only @size and @type exist.
 *
 * Reading, from a position that was @tail once and moves on by @size:
 *
 *	1. head = load-acquire(@head); if it is the position there is nothing yet
 *	2. check that @size is a multiple of 8 and the record ends before head and
 *	   before the ring does; copy it
 *	3. acquire fence, then tail = load(@tail): if the position is below, it was
 *	   overwritten meanwhile, and neither the check nor the copy means anything
 *
 * A reader that was overrun goes on at the new @tail; the numbers of its last
 * record and of the next one tell exactly what it lost. read() may still have it.
 *
 * Sleeping: VRSEQ_IOC_RING_WAIT returns when there is something at the position,
 * at once if there is already, so no wake-up is lost between looking and sleeping.
 * POLLIN is about read() and its cursor, not about the ring.
 */
#define VRSEQ_RING_MAGIC	0x52515356	/* VSQR */
#define VRSEQ_RING_VERSION	1

/**
 * struct vrseq_ring_header - the first bytes of the mapping
 * @magic:	VRSEQ_RING_MAGIC
 * @version:	VRSEQ_RING_VERSION; another one has another layout
 * @data_offset: where records begin, in bytes from here
 * @data_bytes:	of all records together, a power of two
 * @error:	once all is read: 0 = more may come, otherwise the errno that
 *		read() would give: ENETDOWN, EIO, ENOTRECOVERABLE
 * @head:	the position behind the newest record
 * @tail:	the position of the oldest record
 * @sequence_next: number of the next message, 0 = none came yet
 */
struct vrseq_ring_header {
	__u32		magic;
	__u32		version;
	__u32		data_offset;
	__u32		data_bytes;
	__u32		error;
	__u32		reserved32;
	__aligned_u64	reserved[5];
	__aligned_u64	head;		/* in a cache line with what goes with it */
	__aligned_u64	tail;
	__aligned_u64	sequence_next;
};

/**
 * struct vrseq_ring_wait - sleep until there is more in the ring
 * @position:	in: returns as soon as @head is another one
 * @deadline_ns: in: absolute CLOCK_MONOTONIC time in ns, 0 = none
 * @reserved:	must be zero
 *
 * Errors: EINVAL nobody has the ring mapped, ETIMEDOUT, EAGAIN (O_NONBLOCK), EINTR,
 * and what struct vrseq_ring_header.error says, if there is nothing to be read.
 */
struct vrseq_ring_wait {
	__aligned_u64	position;
	__aligned_u64	deadline_ns;
	__aligned_u64	reserved[2];
};

#define VRSEQ_IOC_RING_WAIT	_IOW(VRSEQ_IOC_TYPE, 0x41, struct vrseq_ring_wait)

#endif /* _UAPI_LINUX_VRSEQ_H */
