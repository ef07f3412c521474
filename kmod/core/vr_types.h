/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The words of the protocol: identifiers, statuses, limits, the log entry and
 * the result of an operation. Knows no message, no handler, no state.
 *
 * Numbers. op numbers, and with them session ids, start at generation << 48;
 * so do the counters and the message sequence. What is printed as 1, 2, 3 in
 * generation 0 can never be repeated by a later generation.
 */
#ifndef VR_TYPES_H
#define VR_TYPES_H

#include "vr_platform.h"

#define VR_COUNT_BITS		48	/* of a number; the rest is the generation */
#define VR_COUNT_MASK		((1ull << VR_COUNT_BITS) - 1)
#define VR_GENERATION_MAX	0x7fff	/* so that numbers fit a signed 64-bit integer */
/* No honest number is above it; far from where arithmetic would wrap. */
#define VR_NUMBER_MAX		(U64_MAX >> 1)
#define VR_NAME_BYTES_MAX	63	/* of a named counter */
#define VR_FRAME_BYTES		1408	/* of a datagram that fits one Ethernet frame */

/* Bounds; an exhaustive search makes them small. */
#ifndef VR_REPLICAS_MAX
#define VR_REPLICAS_MAX		7
#define VR_BODY_BYTES_MAX	8192	/* of one entry: a message or a name */
#define VR_PIPELINE_MAX		64	/* entries the primary holds uncommitted */
#define VR_PREPARES_MAX		4	/* PREPARE datagrams it has in flight */
#define VR_BATCH_MAX		24	/* entries in one datagram */
#define VR_PENDING_MAX		8192	/* local requests under way, upper bound */
#define VR_WINDOW		16	/* requests of a session under way, results kept */
#define VR_ENTRIES_MIN		256	/* smallest ring; larger than any backlog */
#define VR_CHUNK_BYTES_MAX	1280	/* of a checkpoint, in one datagram */
#endif

#define VR_ERRNO_MAX		4095	/* of the errors in a result */
/* Batches end at a frame; what one large entry makes, IP sends in pieces. */
#define VR_DATAGRAM_BYTES_MAX	(VR_FRAME_BYTES + VR_BODY_BYTES_MAX)

#define VR_NOBODY		0xff	/* instead of a slot */
#define VR_BALLOT_SLOT_BITS	3	/* of a cold start: who began it */

/*
 * An incarnation of a member with a journal is recoveries << 16 | restarts: who
 * recovers knows of its recoveries for certain, as others do, but not how often
 * it was restored in between.
 */
#define VR_RESTARTS_MAX		0xffffull

/*
 * A member, in messages and as the origin of entries: a voter by its slot, a
 * client by its member id, which is this or more.
 */
#define VR_CLIENT_MIN		8

/*
 * Versions of the wire format (R34). All that is new in a version is in one of
 * these; everything else is the same in all of them but for the version's byte.
 */
#define VR_WIRE_VERSION_MIN	4
#define VR_WIRE_VERSION_CLIENTS	5	/* clients: their messages, and entries of theirs */
#define VR_WIRE_VERSION		5

/** enum vr_status - what a replica is doing; same numbers as enum vrseq_state */
enum vr_status {
	VR_STATUS_BLANK,	/* no group yet, or no memory of it */
	VR_STATUS_FORMING,	/* promised to a FORM, waits for FORMED */
	VR_STATUS_NORMAL,
	VR_STATUS_VIEW_CHANGE,
	VR_STATUS_RECOVERING,	/* has no memory yet, enum vr_refusal says why */
	VR_STATUS_HALTED,	/* takes no part, enum vr_halt says why */
	VR_STATUS_AMNESIA,	/* RECOVERING, and too many others have no memory either */
	VR_STATUS_COUNT
};

/** enum vr_refusal - why a replica is RECOVERING */
enum vr_refusal {
	VR_REFUSAL_NONE,
	VR_REFUSAL_MEMORY_LOST,	/* the group was formed, we remember nothing */
	VR_REFUSAL_DEMOTED,	/* the shell, or a peer, told us not to trust our memory */
	VR_REFUSAL_FENCED,	/* a later generation has begun, or is to begin */
	VR_REFUSAL_COUNT
};

/** enum vr_halt - the broken invariant that made a replica stop for good */
enum vr_halt {
	VR_HALT_NONE,
	VR_HALT_COMMITTED_CONFLICT,	/* I6: another entry at a committed op */
	VR_HALT_LOG_GAP,		/* I2 */
	VR_HALT_LOG_FULL,		/* a named bound was exceeded */
	VR_HALT_TWO_LOGS,		/* two logs claim the same view and op */
	VR_HALT_DISK,			/* the journal cannot be written any more */
	VR_HALT_LIVES,			/* no number is left for its next life */
	VR_HALT_COUNT
};

/** enum vr_kind - what an entry asks of the state machine */
enum vr_kind {
	VR_KIND_SESSION_BEGIN	= 1,	/* argument: origin's nonce; request: its number */
	VR_KIND_SESSION_END	= 2,
	VR_KIND_NEXT		= 3,	/* argument: count; body: counter's name */
	VR_KIND_GET		= 4,	/* body: counter's name */
	VR_KIND_APPEND		= 5,	/* argument: its sequence, 0 = any; body: the message */
	VR_KIND_RESULT		= 6,	/* request: the one whose end is asked for */
	VR_KIND_NODE_END	= 7,	/* argument: nonce of the client whose lease is over */
	VR_KIND_COUNT
};

/** enum vr_read - how a GET is answered; but for the last, same numbers as VRSEQ_READ_* */
enum vr_read {
	VR_READ_LOG,		/* as an entry of the log: linearizable */
	VR_READ_INDEX,		/* at an index that a quorum confirms: linearizable */
	VR_READ_LEASE,		/* by the primary's lease, else as INDEX: linearizable */
	VR_READ_LOCAL,		/* what is applied here; the result says how old */
	VR_READ_BARRIER,	/* as INDEX, once all messages up to there can be read here */
	VR_READ_COUNT
};

/**
 * struct vr_entry - one slot of the log
 * @op:		number of the entry
 * @view:	view in which a primary gave it that number
 * @session:	id of the session, 0 for SESSION_BEGIN
 * @request:	request number within the session, from 1
 * @argument:	see enum vr_kind
 * @hash:	of this entry and, through the previous hash, of all before
 * @body:	@body_bytes bytes, owned by whoever holds the entry
 * @topic:	APPEND: what its readers may choose by, else 0
 * @body_bytes:	0 .. VR_BODY_BYTES_MAX
 * @kind:	enum vr_kind
 * @origin:	member whose session it is
 *
 * Two logs that agree on one entry's hash agree on all entries before.
 */
struct vr_entry {
	u64 op;
	u64 view;
	u64 session;
	u64 request;
	u64 argument;
	u64 hash;
	const u8 *body;
	u32 topic;
	u16 body_bytes;
	u16 origin;
	u8 kind;
};

/**
 * struct vr_result - what applying an entry gave; the same at every replica
 * @error:	0 or a negative errno; if negative nothing was changed
 * @index:	op number of the entry, for SESSION_BEGIN the session's id
 * @view:	view of the entry
 * @first:	NEXT: first number of the range; GET by VR_READ_LOCAL: its age in ns
 * @last:	NEXT: last number; GET: newest number given; APPEND: sequence, with
 *		-EEXIST the newest one there was
 *
 * A GET that is no entry has the commit number it was answered at as @index, and on
 * its way to a client, but by VR_READ_LOCAL, the newest message there was as @first.
 */
struct vr_result {
	s32 error;
	u64 index;
	u64 view;
	u64 first;
	u64 last;
};

/** enum vr_outcome - same numbers as enum vrseq_outcome */
enum vr_outcome {
	VR_OUTCOME_UNKNOWN,
	VR_OUTCOME_APPLIED,
	VR_OUTCOME_NOT_APPLIED,
};

/**
 * enum vr_drop - why a datagram or a part of it was not acted upon
 *
 * Each has a counter. A drop is never an error of ours: the network, a stale
 * peer or a stranger sent it, and resending or ignoring it is the answer.
 */
enum vr_drop {
	VR_DROP_NONE,
	/* the bytes (vr_wire.c) */
	VR_DROP_SHORT,			/* ends before its fields do */
	VR_DROP_LONG,			/* bytes after its fields */
	VR_DROP_MAGIC,
	VR_DROP_VERSION,
	VR_DROP_TYPE,
	VR_DROP_RESERVED,		/* a reserved byte is not zero */
	VR_DROP_BOUND,			/* a count or size above its named bound */
	/* the envelope (vr_message.c) */
	VR_DROP_GROUP,			/* another group */
	VR_DROP_MEMBERS,		/* another member list */
	VR_DROP_GENERATION,
	VR_DROP_SLOT,			/* not from a peer or not to us */
	VR_DROP_INCARNATION,		/* an earlier life of the sender */
	VR_DROP_FIELD,			/* fields contradict each other or a bound */
	/* the state (handlers) */
	VR_DROP_STATUS,			/* not in this status */
	VR_DROP_STALE_VIEW,
	VR_DROP_NEWER_VIEW,		/* noted: we ask for the newer view */
	VR_DROP_NOT_PRIMARY,		/* meant for, or from, the primary */
	VR_DROP_DUPLICATE,
	VR_DROP_GAP,			/* entries missing before it: we ask */
	VR_DROP_PIPELINE_FULL,
	VR_DROP_UNWANTED,		/* answers a question we no longer have */
	VR_DROP_FORM,			/* of another forming */
	VR_DROP_CHAIN,			/* hash does not continue our log */
	VR_DROP_ORDER,			/* a request before the one that goes before it */
	VR_DROP_PROMISE,		/* we promised the primary to wait (lease) */
	VR_DROP_CHECKPOINT,		/* a checkpoint that is damaged or of no use */
	VR_DROP_BALLOT,			/* of a cold start that has no place here */
	VR_DROP_CLIENT,			/* there is no room for this client */
	VR_DROP_COUNT
};

/** enum vr_form_error - why a form, or a reform, was refused; 0 = done */
enum vr_form_error {
	VR_FORM_OKAY,
	VR_FORM_NOT_BLANK_HERE,
	VR_FORM_UNREACHABLE,	/* the member did not answer in time */
	VR_FORM_NOT_BLANK,	/* the member is in a group already */
	VR_FORM_BUSY,		/* the member promised to another form */
	VR_FORM_MEMBERS,	/* the member has another member list */
	VR_FORM_RECORD,		/* the record here cannot be written */
	VR_FORM_LIVES,		/* that member has memory, and enough others do */
	VR_FORM_NO_RECORD,	/* no record here to vouch for the generation */
	VR_FORM_FEW_RECORDS,	/* only so many members with a record answer */
	VR_FORM_RACED,		/* somebody else is beginning again */
	VR_FORM_GENERATION,	/* there is no higher one */
	VR_FORM_COUNT
};

/** enum vr_cold_refusal - why a member does not follow a cold start */
enum vr_cold_refusal {
	VR_COLD_NONE,
	VR_COLD_NO_RECORD,	/* it has none to promise by */
	VR_COLD_MEMORY,		/* it remembers the group */
	VR_COLD_LIVES,		/* and has a quorum */
	VR_COLD_BALLOT,		/* it promised another one */
	VR_COLD_COUNT
};

static inline bool vr_is_client(u16 member)
{
	return member >= VR_CLIENT_MIN;
}

/* First version of the wire format that has such an entry. */
static inline u8 vr_entry_version(const struct vr_entry *e)
{
	return vr_is_client(e->origin) || e->kind == VR_KIND_NODE_END ?
	       VR_WIRE_VERSION_CLIENTS : VR_WIRE_VERSION_MIN;
}

static inline u64 vr_number_base(u16 generation)
{
	return (u64)generation << VR_COUNT_BITS;
}

#endif /* VR_TYPES_H */
