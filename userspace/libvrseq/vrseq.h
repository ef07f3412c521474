/* SPDX-License-Identifier: LGPL-2.1-or-later OR MIT */
/*
 * libvrseq - fencing tokens and an ordered log from /dev/vrseq
 *
 * A handle is an open file, which is a session of the group: what it began
 * ends with vrseq_close() or with the process. The library keeps no thread,
 * no global and no lock. It refuses to know how a group is set up: that is
 * netlink, and vrseq(8).
 *
 * Calls on one handle may run in as many threads at once as one likes, and
 * nothing orders them but the op_ids the kernel gives. vrseq_info.window of a
 * handle's operations are under way at the same time, and share datagrams; one
 * more waits until the one that leaves the window for it has ended.
 *
 * Every call returns 0 (or what it says) or a negative errno; errno itself is
 * left alone. The errnos are the table at the top of <linux/vrseq.h>, and
 * vrseq_strerror() has a sentence for each. All times are nanoseconds of
 * CLOCK_MONOTONIC.
 *
 * Deadlines, signals and O_NONBLOCK can end a call before its operation ends.
 * struct vrseq_result then holds the operation's op_id and what is known of
 * its outcome. The _join calls take that op_id, with the same arguments, and
 * wait for the same operation; it is never applied twice. vrseq_result() settles
 * what became of it. Both know the newest vrseq_info.window op_ids of the handle.
 */
#ifndef VRSEQ_LIBRARY_H
#define VRSEQ_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

#include <linux/vrseq.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A flag of vrseq_open(): calls join again by themselves after a signal. */
#define VRSEQ_RESTART		0x40000000

#define VRSEQ_NO_DEADLINE	((uint64_t)0)

struct vrseq;

/**
 * struct vrseq_result - what became of an operation
 * @first:	next: first number of the range; get: the counter's value;
 *		append: the message's sequence
 * @last:	next: last number of the range; otherwise equal to @first
 * @index:	where in the group's total order it was committed; get, but for
 *		VRSEQ_READ_LOG: newest entry the answer takes account of
 * @view:	the view in which it was given that index
 * @op_id:	its id, for the _join calls and vrseq_result(); 0 = it was never
 *		begun, or is a get other than VRSEQ_READ_LOG
 * @age_ns:	get with VRSEQ_READ_LOCAL: the answer was true that long ago or
 *		later; otherwise 0
 * @outcome:	enum vrseq_outcome
 * @kind:	enum vrseq_kind: what was asked for
 * @error:	what the call returned; vrseq_result(): the negative errno the
 *		operation ended with, 0 = none
 * @reserved:	zero
 *
 * On failure only @op_id, @outcome and @error mean something: UNKNOWN says that
 * it may have been applied, or will be; NOT_APPLIED that it never will.
 */
struct vrseq_result {
	uint64_t first;
	uint64_t last;
	uint64_t index;
	uint64_t view;
	uint64_t op_id;
	uint64_t age_ns;
	uint32_t outcome;
	uint32_t kind;
	int32_t error;
	uint32_t reserved;
};

/**
 * struct vrseq_reader - a caller's buffer for vrseq_read()
 * @buffer:	set by the caller; any alignment
 * @bytes:	set by the caller: its size; vrseq_info.record_bytes_max fits
 *		every record, more lets one system call bring several
 * @filled:	bytes of records in it; 0 at the start, then the library's
 * @offset:	where the next record begins; 0 at the start, then the library's
 */
struct vrseq_reader {
	void *buffer;
	size_t bytes;
	size_t filled;
	size_t offset;
};

/**
 * vrseq_open - open /dev/vrseq and attach to a group
 * @group:	name of a group in this network namespace; NULL or "" = the
 *		only one there is
 * @flags:	O_NONBLOCK, O_CLOEXEC, VRSEQ_RESTART, or 0
 * @handle:	where to put the handle; untouched on failure
 *
 * With VRSEQ_RESTART a call that a signal interrupts goes on by itself, up to
 * its deadline. Without it the call returns -EINTR and can be joined; choose
 * that if signal handlers ask the program to stop.
 *
 * Return: 0, -ENOENT no such device (the module is not loaded), -EACCES
 * (it, or the group, is for others),
 * -ENOTCONN no such group (or none, or several, if @group is empty), -EDQUOT,
 * -EINVAL, -ENOMEM, and what open(2) gives.
 */
int vrseq_open(const char *group, int flags, struct vrseq **handle);

/**
 * vrseq_close - end the session and free the handle
 * @handle:	may be NULL
 *
 * An operation that did not return may still be applied. The session lives on
 * while a dup()ed or inherited descriptor is open.
 */
void vrseq_close(struct vrseq *handle);

/**
 * vrseq_fd - the file descriptor, for poll(2)
 * @handle:	the handle, which stays its owner
 *
 * POLLIN says that vrseq_read() has a record (once vrseq_reader holds none),
 * POLLOUT that no operation of the handle is under way any more.
 *
 * Return: the descriptor.
 */
int vrseq_fd(const struct vrseq *handle);

/**
 * vrseq_group - the name of the group attached to
 * @handle:	the handle
 *
 * Return: a string that lives as long as the handle.
 */
const char *vrseq_group(const struct vrseq *handle);

/**
 * vrseq_info - the module's fixed limits
 * @handle:	the handle
 * @info:	where to put them
 *
 * Return: 0, -EFAULT.
 */
int vrseq_info(struct vrseq *handle, struct vrseq_info *info);

/**
 * vrseq_status - one consistent look at this member of the group
 * @handle:	the handle
 * @status:	where to put it; .text is a sentence for people
 *
 * Never waits. .state RECOVERING passes by itself, the member gets its memory
 * back from the others; AMNESIA is when too many of those have none either, and
 * .text names them. .incarnation counts how often this member lost its memory.
 *
 * Return: 0, -ENETDOWN, -EFAULT, -ENOMEM.
 */
int vrseq_status(struct vrseq *handle, struct vrseq_status *status);

/**
 * vrseq_next - draw numbers nobody else ever got
 * @handle:	the handle
 * @counter:	name, 1 to 63 bytes; NULL or "" = the group's own counter
 * @count:	how many, 1 or more
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 * @result:	first and last number, index, view; may be NULL
 *
 * Linearizable. Every number is larger than every number of this counter that
 * was given out before the call began: a fencing token.
 *
 * Return: 0, and on failure:
 * not applied, and never will be: -EOVERFLOW, -ENOSPC (no room for another named
 * counter), -EINVAL, -ESTALE (the group evicted the session: open anew),
 * -ECANCELED (a later operation of this handle was applied before this one
 * arrived, or vrseq_result() settled it);
 * see @result->outcome: -EHOSTUNREACH (for some time no quorum, still
 * recovering, not formed), -ETIMEDOUT, -EINTR, -ENOTRECOVERABLE (too many
 * members lost their memory), -EIO (this member halted), -ENETDOWN (the group
 * is gone). After each of them but -ENETDOWN it can be joined;
 * -EAGAIN only with O_NONBLOCK: @result->op_id is 0 if the window is full and
 * nothing was begun; otherwise the operation goes on, join it after POLLOUT.
 */
int vrseq_next(struct vrseq *handle, const char *counter, uint64_t count,
	       uint64_t deadline_ns, struct vrseq_result *result);

/**
 * vrseq_next_join - wait for an operation of vrseq_next() again
 * @handle:	the handle it was begun on
 * @op_id:	its vrseq_result.op_id; a larger one than any used on this
 *		handle begins a new operation with that id
 * @counter:	as before
 * @count:	as before
 * @deadline_ns: a new one
 * @result:	as in vrseq_next()
 *
 * Return: as vrseq_next(); -ESTALE also if @op_id is below the window, and then
 * the outcome is UNKNOWN; -EINVAL if the arguments are not those of @op_id, it is
 * 0, or it is in the window and was never used.
 */
int vrseq_next_join(struct vrseq *handle, uint64_t op_id, const char *counter,
		    uint64_t count, uint64_t deadline_ns,
		    struct vrseq_result *result);

/**
 * vrseq_get - read a counter
 * @handle:	the handle
 * @counter:	name; NULL or "" = the group's own counter
 * @mode:	enum vrseq_read:
 *		VRSEQ_READ_LOG: as an entry of the log. Linearizable; costs as
 *		much as vrseq_next(), and is ordered with the other operations
 *		of this handle
 *		VRSEQ_READ_INDEX: once a quorum confirms who is primary.
 *		Linearizable; all reads that wait share one question to it
 *		VRSEQ_READ_LEASE: by the primary alone while its lease holds,
 *		otherwise as INDEX. Linearizable unless a clock runs wrong by
 *		more than an eighth, or stands unnoticed
 *		VRSEQ_READ_LOCAL: what this member knows now, without a
 *		datagram; may be old, and @result->age_ns says how old at most
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 * @result:	@first is the newest number given out, 0 (of the generation)
 *		if none was; may be NULL
 *
 * Changes nothing, so it may simply be called again. With O_NONBLOCK a read that
 * needs another member fails with -EAGAIN each time, but for VRSEQ_READ_LOG,
 * which goes on: vrseq_result() has the value after POLLOUT.
 *
 * Return: as vrseq_next(), but -EOVERFLOW and -ENOSPC.
 */
int vrseq_get(struct vrseq *handle, const char *counter, uint32_t mode,
	      uint64_t deadline_ns, struct vrseq_result *result);

/**
 * vrseq_barrier - wait until all that was committed is readable here
 * @handle:	the handle
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 * @result:	@first is the newest message that can be read here, 0 (of the
 *		generation) = none; @index the newest entry that was waited for; @kind
 *		is 0; may be NULL
 *
 * What was committed anywhere, by anybody, before the call began can be read at this
 * member when it returns. Changes nothing, so it may simply be called again; with
 * O_NONBLOCK it fails with -EAGAIN where it would have to wait, each time.
 *
 * Return: as vrseq_get() with VRSEQ_READ_INDEX.
 */
int vrseq_barrier(struct vrseq *handle, uint64_t deadline_ns, struct vrseq_result *result);

/**
 * vrseq_append - append one message to the ordered log
 * @handle:	the handle
 * @message:	any bytes
 * @bytes:	how many, 1 to vrseq_info.message_bytes_max
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 * @result:	@first is its sequence; may be NULL
 *
 * Return: as vrseq_next(), but -EOVERFLOW and -ENOSPC; -EMSGSIZE: not applied.
 */
int vrseq_append(struct vrseq *handle, const void *message, size_t bytes,
		 uint64_t deadline_ns, struct vrseq_result *result);

/**
 * vrseq_append_join - wait for an operation of vrseq_append() again
 * @handle:	the handle it was begun on
 * @op_id:	its vrseq_result.op_id, see vrseq_next_join()
 * @message:	the same bytes
 * @bytes:	as before
 * @deadline_ns: a new one
 * @result:	as in vrseq_append()
 *
 * Return: as vrseq_append(), and -ESTALE and -EINVAL as vrseq_next_join().
 */
int vrseq_append_join(struct vrseq *handle, uint64_t op_id, const void *message,
		      size_t bytes, uint64_t deadline_ns,
		      struct vrseq_result *result);

/**
 * vrseq_result - what became of an operation, once and for all
 * @handle:	the handle it was begun on
 * @op_id:	its vrseq_result.op_id
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 * @result:	of that operation, all of it; @error is what it ended with
 *
 * If the call returns 0 and @result->outcome is UNKNOWN the operation is still
 * under way, and is left alone. Otherwise the outcome is settled, APPLIED or
 * NOT_APPLIED, and stays so: an operation whose outcome was not known is never
 * applied after this said NOT_APPLIED. That takes an entry of the log and can
 * fail as an operation does; settled or not, it can be asked again.
 *
 * Return: 0; -EINVAL no operation of this handle had @op_id; -ESTALE it is below
 * the window, or the group evicted the session, and the outcome stays unknown;
 * -EHOSTUNREACH, -ETIMEDOUT, -EINTR, -ENOTRECOVERABLE, -EIO, -ENETDOWN and
 * -EAGAIN (O_NONBLOCK) as vrseq_next().
 */
int vrseq_result(struct vrseq *handle, uint64_t op_id, uint64_t deadline_ns,
		 struct vrseq_result *result);

/**
 * struct vrseq_operation - an operation that was begun and not reaped yet
 * @result:	what is known of it; the library's
 * @argument:	counter or message; stays the caller's, and as it is, until the
 *		operation was reaped
 * @amount:	count or bytes
 * @kind:	enum vrseq_kind
 * @reserved:	zero
 *
 * The caller's memory, filled in by vrseq_submit_next() or vrseq_submit_append().
 */
struct vrseq_operation {
	struct vrseq_result result;
	const void *argument;
	uint64_t amount;
	uint32_t kind;
	uint32_t reserved;
};

/**
 * vrseq_submit_next - begin to draw numbers, without waiting
 * @handle:	opened with O_NONBLOCK, and of this thread alone
 * @counter:	as of vrseq_next(); stays as it is until @operation was reaped
 * @count:	as of vrseq_next()
 * @operation:	where to keep it, for vrseq_reap()
 *
 * vrseq_info.window operations of a handle can be under way at once, and are
 * applied in the order in which they were begun.
 *
 * Return: 0, it was begun, and goes on by itself; -EAGAIN the window is full:
 * reap the oldest first; -EINVAL, also if the handle is not O_NONBLOCK; -ESTALE;
 * -ENETDOWN. After any error nothing was begun.
 */
int vrseq_submit_next(struct vrseq *handle, const char *counter, uint64_t count,
		      struct vrseq_operation *operation);

/**
 * vrseq_submit_append - begin to append a message, without waiting
 * @handle:	opened with O_NONBLOCK, and of this thread alone
 * @message:	as of vrseq_append(); stays as it is until @operation was reaped
 * @bytes:	as of vrseq_append()
 * @operation:	where to keep it, for vrseq_reap()
 *
 * Return: as vrseq_submit_next(), and -EMSGSIZE.
 */
int vrseq_submit_append(struct vrseq *handle, const void *message, size_t bytes,
			struct vrseq_operation *operation);

/**
 * vrseq_reap - wait for the end of an operation that was submitted
 * @handle:	the handle it was begun on; O_NONBLOCK is off while this waits
 * @operation:	the oldest that was not reaped, or any other one
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE; vrseq_deadline(0) only
 *		looks
 * @result:	as of vrseq_next() or vrseq_append(); may be NULL
 *
 * If the outcome in @result is UNKNOWN the operation can be reaped again, as one
 * joins it, or settled by vrseq_result() with the op_id in there.
 *
 * Return: what the operation ended with: as vrseq_next_join() or
 * vrseq_append_join(), but -EAGAIN; -ETIMEDOUT it has not ended yet; -EINVAL
 * @operation was not begun.
 */
int vrseq_reap(struct vrseq *handle, struct vrseq_operation *operation, uint64_t deadline_ns,
	       struct vrseq_result *result);

/**
 * vrseq_read - the next record of the log
 * @handle:	the handle; its cursor begins at the oldest message kept
 * @reader:	the caller's buffer; one per handle, or records get lost
 * @record:	where to put the record's head; skip an unknown .type
 * @message:	set to its .bytes bytes inside @reader->buffer, valid until the
 *		next call; any alignment
 *
 * Waits for a record unless the handle is O_NONBLOCK. Every reader on every
 * member gets the same messages in the same order.
 *
 * Return: 0; -EPIPE the group's memory for messages went round before this
 * reader came: vrseq_status() has the lost range, the next call goes on after
 * it; -EAGAIN nothing to read (O_NONBLOCK); -EINTR; -EINVAL the buffer is too
 * small for the next record, which stays; -ENOTRECOVERABLE; -EIO; -ENETDOWN;
 * -EPROTO the module speaks a later version of this interface.
 */
int vrseq_read(struct vrseq *handle, struct vrseq_reader *reader,
	       struct vrseq_record *record, const void **message);

/**
 * vrseq_wait - wait for events of poll(2), with a deadline
 * @handle:	the handle
 * @events:	POLLIN, POLLOUT
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 *
 * Return: the events that came (> 0), -ETIMEDOUT, -EINTR.
 */
int vrseq_wait(struct vrseq *handle, short events, uint64_t deadline_ns);

/* A flag of vrseq_ring_open(): begin behind the newest message. */
#define VRSEQ_RING_NOW		1

/**
 * struct vrseq_ring - the log in memory, and a reader's place in it
 *
 * All rings of a handle are in the same memory, and each has a place of its own.
 * One is for one thread; see vrseq_ring(3).
 */
struct vrseq_ring;

/**
 * vrseq_ring_open - map the newest messages of the log, to read without system calls
 * @handle:	an open handle; stays open at least as long as the ring
 * @flags:	0 = begin at the oldest message there is in the ring, or
 *		VRSEQ_RING_NOW
 * @ring:	where to put it; untouched on failure
 *
 * Return: 0, -EINVAL, -ENOMEM, -ENETDOWN, -EOPNOTSUPP or -EPROTO the module has no
 * ring, or one of another layout.
 */
int vrseq_ring_open(struct vrseq *handle, int flags, struct vrseq_ring **ring);

/**
 * vrseq_ring_close - end reading
 * @ring:	it; NULL is fine
 */
void vrseq_ring_close(struct vrseq_ring *ring);

/**
 * vrseq_ring_read - the next message; makes no system call
 * @ring:	where
 * @record:	receives its head
 * @message:	receives where its record->bytes bytes are, until the next call
 *
 * Return: 0; -EAGAIN there is none yet; -EPIPE it was overwritten before it was read,
 * told once, vrseq_ring_lost() has the range and the next call goes on after it; when
 * all has been read: -ENETDOWN, -EIO or -ENOTRECOVERABLE; -EPROTO.
 */
int vrseq_ring_read(struct vrseq_ring *ring, struct vrseq_record *record, const void **message);

/**
 * vrseq_ring_wait - sleep until vrseq_ring_read() has something to say
 * @ring:	where
 * @deadline_ns: vrseq_deadline(), or VRSEQ_NO_DEADLINE
 *
 * Return: 0, also if there was something already; -ETIMEDOUT; -EINTR, with
 * VRSEQ_RESTART too; -EAGAIN (O_NONBLOCK); what vrseq_ring_read() would end with.
 */
int vrseq_ring_wait(struct vrseq_ring *ring, uint64_t deadline_ns);

/**
 * vrseq_ring_lost - the numbers of what was lost before the newest -EPIPE
 * @ring:	where
 * @first:	receives the first one, 0 = nothing was lost yet
 * @last:	receives the last one
 */
void vrseq_ring_lost(const struct vrseq_ring *ring, uint64_t *first, uint64_t *last);

/**
 * vrseq_deadline - the deadline that is @timeout_ns away
 * @timeout_ns:	a duration; UINT64_MAX is as good as none
 *
 * Return: now plus @timeout_ns on CLOCK_MONOTONIC; never VRSEQ_NO_DEADLINE.
 */
uint64_t vrseq_deadline(uint64_t timeout_ns);

/**
 * vrseq_strerror - what an errno means here
 * @error:	errno, positive or negative
 *
 * Return: a constant sentence without a full stop; strerror(3)'s words, in
 * English, for an errno that is not in the table of <linux/vrseq.h>.
 */
const char *vrseq_strerror(int error);

#ifdef __cplusplus
}
#endif

#endif /* VRSEQ_LIBRARY_H */
