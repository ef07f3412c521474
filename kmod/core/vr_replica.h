/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the core and whoever runs it: events in, effects out.
 *
 *  1. vr_step() never sleeps, allocates, reads a clock or entropy; it runs in
 *     bounded time and touches only the replica, the event and the effects.
 *  2. The shell may perform effects in any order and may lose any send. There
 *     is no "persist before send" for the shell to get wrong: the core says
 *     PREPARE_OK only after the DURABLE event that covers the entry (I4).
 *  3. The same initial state and the same events give the same effects, byte
 *     for byte, everywhere.
 *  4. What is wrong with an event from the network is dropped with a counted
 *     enum vr_drop. What is wrong with an event from the shell is a bug.
 *  5. A replica that finds its own state broken halts: from then on it sends
 *     nothing and answers nothing but the error.
 *  6. now_ns never decreases from one step to the next.
 */
#ifndef VR_REPLICA_H
#define VR_REPLICA_H

#include "vr_message.h"
#include "vr_record.h"

struct vr_replica;

/**
 * struct vr_config - what a replica is told at its birth and never again
 * @wire_version:	newest version of the wire format it speaks, VR_WIRE_VERSION_MIN
 *			.. VR_WIRE_VERSION; 0 = the newest there is
 * @replica_count:	1 .. VR_REPLICAS_MAX voters; 0 at a client that knows none yet
 * @self:		our slot, below @replica_count; VR_NOBODY if we are a client
 * @client:		our member id, VR_CLIENT_MIN or more, if we are a client; else 0.
 *			A client needs @messages and @message_bytes, @pending_max and
 *			the two times; it has no log and no state machine
 * @nonce:		random, not 0, never used before: names this life of the replica
 * @memory_is_durable:	entries are as durable as the group promises once they are
 *			held; otherwise the shell says so with DURABLE
 * @journal:		what is durable comes back with the next life (vr_restore.h), so
 *			that what was promised must be durable, too; not with
 *			@memory_is_durable
 * @keeps_record:	this member has a record on stable storage (R18)
 * @record_differs: it, or the journal, is of this group with another list of
 *		members: this member takes part in nothing until it is given that list
 * @record:	what it said
 * @seed:		random: for jitter only
 * @heartbeat_ns:	time between two signs of life of an idle primary
 * @view_timeout_ns:	silence of the primary that makes a backup speak up
 * @lease_ns:		how long a voter that heard the primary helps no other one,
 *			so that the primary may answer VR_READ_LEASE alone; 0 = no
 *			lease; at most half of @view_timeout_ns. Holds if clock
 *			rates differ by less than an eighth and no clock stands
 *			still unnoticed
 * @body_bytes_max:	of an entry; power of 2, enough for a counter's name,
 *			VR_BODY_BYTES_MAX at most
 * @log_entries:	entries kept for those who fell behind; power of 2,
 *			VR_ENTRIES_MIN or more
 * @log_bytes:		room for their bodies; power of 2, at least
 *			2 * VR_PIPELINE_MAX * @body_bytes_max
 * @messages:		messages kept for readers; power of 2, 2 or more
 * @message_bytes:	room for their bodies; power of 2, at least
 *			2 * @body_bytes_max
 * @sessions_max:	rows of the client table
 * @counters_max:	named counters
 * @pending_max:	handles for local requests, at most VR_PENDING_MAX
 * @clients_max:	clients a voter has room for
 * @node_lease_ns:	silence of a client that makes the primary end its sessions
 *
 * @sessions_max and @counters_max must be the same at all replicas of a group,
 * they decide results; and @body_bytes_max, as each must hold what others send.
 */
struct vr_config {
	u8 wire_version;
	u8 replica_count;
	u8 self;
	u16 client;
	bool memory_is_durable;
	bool journal;
	bool keeps_record;
	bool record_differs;
	struct vr_record record;
	u64 nonce;
	u64 seed;
	u64 heartbeat_ns;
	u64 view_timeout_ns;
	u64 lease_ns;
	u32 body_bytes_max;
	u32 log_entries;
	u32 log_bytes;
	u32 messages;
	u32 message_bytes;
	u32 sessions_max;
	u32 counters_max;
	u32 pending_max;
	u32 clients_max;
	u64 node_lease_ns;
};

/** enum vr_event_type */
enum vr_event_type {
	VR_EVENT_START,		/* once, first */
	VR_EVENT_RECEIVE,	/* a message passed vr_wire_decode() */
	VR_EVENT_SUBMIT,	/* a local session asks for an operation */
	VR_EVENT_TIMEOUT,	/* now_ns has reached the last deadline_ns */
	VR_EVENT_DURABLE,	/* entries up to op, and promises, are as durable as promised */
	VR_EVENT_DISK_FAILED,	/* nothing will be durable any more */
	VR_EVENT_FORM,		/* the operator says: form the group now */
	VR_EVENT_LEAVE,		/* we are about to stop: hand over (R23) */
	VR_EVENT_DEMOTE,	/* our memory or clock is not to be trusted (R25) */
	VR_EVENT_RECORDED,	/* a write of the record ended */
	VR_EVENT_REFORM,	/* the operator gives up what is left (R18) */
	VR_EVENT_SUBSCRIBE,	/* at a client: somebody reads messages, now or later */
	VR_EVENT_CLIENT_GONE,	/* at a voter: the client is not in the list any more */
	VR_EVENT_COUNT
};

/**
 * struct vr_submit - an operation of a local session
 * @handle:	0 .. pending_max - 1, free; names the operation until it is done
 * @kind:	enum vr_kind. RESULT settles what became of request @request of the
 *		session: if it is not applied by then it never will be.
 *		SESSION_END first takes back all else of the session that is
 *		under way here: those handles are free without a done, and @handle
 *		may be one of them
 * @read:	GET: enum vr_read. All but LOG need no @session and no @request
 * @session:	id that SESSION_BEGIN returned; 0 for SESSION_BEGIN
 * @request:	1 for the first operation of the session, increasing; for
 *		SESSION_BEGIN a number never used by this life of the member.
 *		Submitting a request number again asks for its result
 * @again:	it was submitted before: what is unknown of it stays unknown
 * @argument:	count of NEXT; sequence that APPEND must get, 0 = any; else 0
 * @topic:	of APPEND, else 0
 * @body:	unchanged until the operation is done
 * @body_bytes:	0 .. body_bytes_max
 *
 * Requests of a session are applied in the order of their numbers. A session
 * has VR_WINDOW of them under way at most, and none VR_WINDOW or more requests
 * after one whose outcome is not known: older results are not kept.
 */
struct vr_submit {
	u32 handle;
	u8 kind;
	u8 read;
	bool again;
	u64 session;
	u64 request;
	u64 argument;
	const u8 *body;
	u32 topic;
	u16 body_bytes;
};

/**
 * struct vr_event - something happened
 * @type:		enum vr_event_type
 * @now_ns:		the time
 * @message:		RECEIVE
 * @members_differ:	RECEIVE: as vr_wire_decode() found it
 * @submit:		SUBMIT
 * @log_epoch:		DURABLE: as in the effect it answers
 * @op:			DURABLE: as in the effect it answers
 * @promise:		DURABLE: as in the effect it answers
 * @generation:		FORM: generation the numbers start in, VR_GENERATION_MAX at most
 * @form_id:		FORM: random, not 0
 * @nonce:		DEMOTE: random, as vr_config.nonce
 * @rolled_back:	DEMOTE: memory is older than the record, or both may be
 * @record_write:	RECORDED: number of the write
 * @record_error:	RECORDED: 0 if it is on stable storage, else a negative errno
 * @client:		CLIENT_GONE: its member id
 */
struct vr_event {
	enum vr_event_type type;
	u64 now_ns;
	const struct vr_message *message;
	bool members_differ;
	struct vr_submit submit;
	u64 log_epoch;
	u64 op;
	u64 promise;
	u16 generation;
	u64 form_id;
	u64 nonce;
	bool rolled_back;
	u64 record_write;
	s32 record_error;
	u16 client;
};

#define VR_SENDS_MAX	96
#define VR_DONE_MAX	128

/**
 * struct vr_send - transmit @message
 * @to_mask:	to every slot in this bit mask
 * @client:	to this client, 0 = none
 * @message:	what
 */
struct vr_send {
	u8 to_mask;
	u16 client;
	struct vr_message message;
};

/**
 * struct vr_done - the operation of a handle ended; the handle is free again
 * @handle:	as submitted
 * @outcome:	enum vr_outcome
 * @request:	as submitted
 * @result:	valid if @outcome is not UNKNOWN; @result.error always
 *
 * result.error: 0 applied; EOVERFLOW, ENOSPC, EEXIST, ESTALE decided in the log;
 * EHOSTUNREACH, ENOTRECOVERABLE, EIO said by this replica alone.
 */
struct vr_done {
	u32 handle;
	u8 outcome;
	u64 request;
	struct vr_result result;
};

/**
 * struct vr_effects - what the shell shall do now, in any order
 * @send_count:		valid elements of @sends
 * @done_count:		valid elements of @done
 * @deadline_ns:	post TIMEOUT at this time, or anything else before
 * @persist:		make entries up to @persist_op durable as the group
 *			promises, and with them the view, the last normal view, the
 *			crash vector, then post DURABLE with the three numbers
 * @persist_epoch:	changes whenever entries were replaced
 * @persist_promise:	changes whenever a view is entered or a life heard of
 * @readable:		new messages can be read
 * @status_changed:	status, view, quorum or a peer's state changed
 * @record:		write @record_content to stable storage, then post RECORDED
 *			with @record_write; one write is under way at a time
 * @record_write:	number of the write
 * @record_content:	its sequence, group and member are the shell's to fill in
 * @form_done:		the FORM, or REFORM, of the operator ended
 * @form_error:		enum vr_form_error
 * @form_slot:		the member it is about; of FEW_RECORDS how many there are
 * @left:		LEAVE: nothing depends on us any more, or never did. May not
 *			come at all: the shell waits for it a view timeout at most
 *
 * Valid until the next vr_step() of the same replica: messages point into it.
 */
struct vr_effects {
	u32 send_count;
	u32 done_count;
	u64 deadline_ns;
	bool persist;
	u64 persist_epoch;
	u64 persist_op;
	u64 persist_promise;
	bool readable;
	bool status_changed;
	bool record;
	u64 record_write;
	const struct vr_record *record_content;
	bool form_done;
	u8 form_error;
	u8 form_slot;
	bool left;
	struct vr_send sends[VR_SENDS_MAX];
	struct vr_done done[VR_DONE_MAX];
};

/** struct vr_peer_info - one member as this replica knows it */
struct vr_peer_info {
	u8 status;		/* enum vr_status as last heard, VR_STATUS_COUNT = never */
	bool members_differ;	/* it was given another member list */
	bool older;		/* it is of an earlier generation */
	u8 version;		/* newest of the wire format it is known to speak, 0 = none */
	u64 heard_ns;		/* time of the last valid message, 0 = never */
	u64 op;			/* newest entry it is known to hold in this view */
	u64 incarnation;	/* newest life of it we know of */
	u64 round_trip_ns;	/* 0 = not measured yet */
};

/** struct vr_info - one consistent look at a replica */
struct vr_info {
	u8 status;
	u8 refusal;
	u8 halt;
	u8 primary;		/* slot, VR_NOBODY = none known */
	bool has_quorum;
	u8 quorum;
	u16 generation;
	u32 instance;		/* what was formed, 0 = nothing we know of */
	u64 incarnation;
	u64 view;
	u64 last_normal_view;
	u64 op;
	u64 op_first;		/* oldest entry still held */
	u64 op_durable;
	u64 commit;
	u64 commit_hash;
	u64 checkpoint_op;	/* newest checkpoint, 0 = none yet */
	u64 checkpoint_hash;	/* alike where checkpoint_op is; 0 = not computed yet */
	u32 transfer_bytes;	/* of the checkpoint being fetched, here so far */
	u32 transfer_bytes_total; /* 0 = none is being fetched */
	u8 answers;		/* RECOVERING: members that have answered */
	u8 answers_needed;	/* R = n - Q + 1 */
	u8 wire_version;	/* newest it speaks */
	u8 older_mask;		/* voters that keep clients from being served (R34) */
	u8 behind_mask;		/* too old for what is in our log, ourselves included */
	u8 lost_mask;		/* members known to have no memory, ourselves included */
	u64 sequence_first;	/* oldest message kept, first > last = none */
	u64 sequence_last;
	struct vr_peer_info peers[VR_REPLICAS_MAX];
	u64 drops[VR_DROP_COUNT];
	u64 received[VR_TYPE_COUNT];
	u64 sent[VR_TYPE_COUNT];
	u64 view_changes;	/* views this replica was normal in */
	u64 recoveries;		/* times it got its memory back from others */
	u64 checkpoints;	/* taken */
	u64 transfers;		/* checkpoints fetched and made ours */
	u64 cold_starts;	/* times it came into a later generation empty */
	bool keeps_record;
	u8 recorded_mask;	/* members that have a record to count on */
	s32 record_error;	/* of the last write */
	u64 record_writes;	/* asked for */
	struct vr_record record; /* as it is wanted */
	u32 client_count;	/* clients heard of */
	u64 node_ends;		/* leases of clients we have ended */
	u64 node_lease_ns;	/* at a client: as its primary said, 0 = not known yet */
	u64 node_lease_until_ns; /* at a client: its sessions are there until then */
	u8 source;		/* at a client: who is asked for messages, VR_NOBODY = nobody */
};

/**
 * vr_config_invalid - check a configuration
 * @cfg: configuration
 *
 * Return: NULL, or a sentence saying what is wrong.
 */
const char *vr_config_invalid(const struct vr_config *cfg);

/** vr_replica_size - bytes of memory a replica of this configuration needs */
size_t vr_replica_size(const struct vr_config *cfg);

/**
 * vr_replica_init - a blank replica
 * @memory:	vr_replica_size(@cfg) bytes, zeroed, aligned as malloc does
 * @cfg:	valid configuration, copied
 *
 * Return: the replica, which lives in @memory and owns nothing else.
 */
struct vr_replica *vr_replica_init(void *memory, const struct vr_config *cfg);

/**
 * vr_step - let a replica deal with one event
 * @r:	replica
 * @ev:	event; nothing of it is kept
 * @fx:	receives the effects; need not be initialised
 */
void vr_step(struct vr_replica *r, const struct vr_event *ev, struct vr_effects *fx);

/**
 * vr_replica_describe - copy out what is worth showing
 * @r:		replica
 * @info:	receives it
 */
void vr_replica_describe(const struct vr_replica *r, struct vr_info *info);

/**
 * vr_replica_message - look at a message of the ordered log
 * @r:		replica
 * @sequence:	number of the message
 *
 * Return: its entry (op = index, request = its sender's request number), valid
 * until the next step; NULL if it is not kept here, any more or yet.
 */
const struct vr_entry *vr_replica_message(const struct vr_replica *r, u64 sequence);

/**
 * vr_replica_refusal - why this replica takes no operation
 * @r: replica
 *
 * Return: 0 if it does, maybe after some time; -EHOSTUNREACH before the group is
 * formed, and at a client while voters are too old to serve one (R34),
 * -ENOTRECOVERABLE in AMNESIA, -EIO if it has halted.
 */
s32 vr_replica_refusal(const struct vr_replica *r);

/**
 * vr_replica_checkpoint_hash - the hash of the newest checkpoint, computed if need be
 * @r: replica
 *
 * For checkers: it walks the whole checkpoint. Return: the hash, 0 if there is none.
 */
u64 vr_replica_checkpoint_hash(struct vr_replica *r);

/**
 * vr_replica_version_to - version of the wire format to say a message in
 * @r:	replica whose effects it is in
 * @m:	message
 * @to:	receiver
 *
 * Return: the version for vr_wire_encode().
 */
u8 vr_replica_version_to(const struct vr_replica *r, const struct vr_message *m, u16 to);

/** vr_replica_sequence_first - oldest message kept; above _last if there is none */
u64 vr_replica_sequence_first(const struct vr_replica *r);

/** vr_replica_sequence_last - newest message */
u64 vr_replica_sequence_last(const struct vr_replica *r);

/**
 * vr_replica_entry - look at an entry of the log, committed or not
 * @r:	replica
 * @op:	number
 *
 * For checkers. Return: the entry, or NULL if it is not held.
 */
const struct vr_entry *vr_replica_entry(const struct vr_replica *r, u64 op);

/**
 * vr_replica_check - verify the invariants of one replica
 * @r: replica
 *
 * Documentation/invariants.rst has them by number. For simulator, unit tests
 * and fuzzers; it walks everything and is slow.
 *
 * Return: NULL, or the invariant that does not hold.
 */
const char *vr_replica_check(const struct vr_replica *r);

#endif /* VR_REPLICA_H */
