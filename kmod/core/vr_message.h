/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages in host order: what handlers read and write. Bytes are vr_wire.h's
 * business, what a message means is the handlers'.
 */
#ifndef VR_MESSAGE_H
#define VR_MESSAGE_H

#include "vr_types.h"

/** enum vr_type - message types; Documentation/protocol.rst has the table */
enum vr_type {
	/* within the group, by those who remember it */
	VR_REQUEST		= 1,
	VR_PREPARE		= 2,
	VR_PREPARE_OK		= 3,
	VR_COMMIT		= 4,
	VR_EXIT_VIEW		= 5,
	VR_DO_VIEW_CHANGE	= 6,
	VR_START_VIEW		= 7,
	VR_GET_STATE		= 8,
	VR_NEW_STATE		= 9,
	VR_GET_CHECKPOINT	= 10,
	VR_CHECKPOINT		= 11,
	VR_GET_INDEX		= 12,
	VR_NEW_INDEX	= 13,
	/* also by those who do not */
	VR_PING			= 14,
	VR_PONG			= 15,
	VR_FORM			= 16,
	VR_FORM_OK		= 17,
	VR_FORM_REFUSED		= 18,
	VR_FORMED		= 19,
	VR_RECOVERY		= 20,
	VR_RECOVERY_RESPONSE	= 21,
	VR_COLD_PREPARE		= 22,
	VR_COLD_PROMISE		= 23,
	VR_COLD_ACCEPT		= 24,
	VR_COLD_ACCEPTED	= 25,
	VR_COLD_REFUSED		= 26,
	/* of clients, which have no vote and no log: to a voter, */
	VR_CLIENT_PING		= 27,
	VR_CLIENT_REQUEST	= 28,
	VR_CLIENT_READ		= 29,
	VR_SUBSCRIBE		= 30,
	/* and back */
	VR_CLIENT_PONG		= 31,
	VR_REPLY		= 32,
	VR_RECORDS		= 33,
	VR_TYPE_COUNT
};

/* Said by, or to, a client. */
static inline bool vr_type_of_client(u8 type)
{
	return type >= VR_CLIENT_PING && type < VR_TYPE_COUNT;
}

static inline bool vr_type_to_client(u8 type)
{
	return type >= VR_CLIENT_PONG && type < VR_TYPE_COUNT;
}

#define VR_HASHES_MAX (VR_PIPELINE_MAX + 1)

/* What a batch takes in a datagram: vr_wire.c draws it, the sender must know. */
#define VR_WIRE_BATCH_BYTES	96	/* PREPARE, NEW_STATE without entries */
#define VR_WIRE_ENTRY_BYTES	48	/* an entry without its body */
#define VR_WIRE_RECORDS_BYTES	104	/* RECORDS without entries */
#define VR_WIRE_RECORD_BYTES	56	/* an entry of it, which says its op */

/**
 * struct vr_message - any message, in host order
 * @type:	enum vr_type
 * @version:	received: of the datagram; to be sent: 0 = the newest that the
 *		receiver is known to speak
 * @from:	sender: its slot, of a client its member id
 * @to:		receiver, likewise
 * @status:	PING, CLIENT_PONG: sender's enum vr_status; FORM_REFUSED: enum
 *		vr_form_error; CLIENT_READ: enum vr_read; REPLY: enum vr_kind of what
 *		it answers; COLD_PREPARE, COLD_ACCEPT: 1 = by the operator's word;
 *		COLD_PROMISE: 1 = the sender has memory; COLD_REFUSED: enum
 *		vr_cold_refusal
 * @older:	CLIENT_PONG: voters that keep clients from being served (R34)
 * @flag:	CLIENT_PONG: sender is primary and serves; SUBSCRIBE: answer even if
 *		there is nothing new; RECORDS: more of this answer follows
 * @recorded:	PING: the sender has a record that can be counted on
 * @generation:	sender's; of FORM: the one to be
 * @instance:	tells apart what was formed under one name and generation; 0 = none
 * @incarnation: which life of the sender this is, 0 = not in a group
 * @view:	sender's view; GET_STATE, NEW_STATE: the view asked about
 * @log_view:	last normal view: DO_VIEW_CHANGE the sender's, GET_STATE and
 *		NEW_STATE of the log that is asked for
 * @op:		PREPARE, NEW_STATE: op before the first entry; PREPARE_OK,
 *		DO_VIEW_CHANGE, START_VIEW, RECOVERY_RESPONSE, PING, PONG: newest
 *		entry;
 *		GET_STATE: first entry wanted, 0 = START_VIEW wanted; GET_CHECKPOINT,
 *		CHECKPOINT: newest entry it contains, 0 = any;
 *		NEW_INDEX: the index; SUBSCRIBE: sequence wanted next; RECORDS:
 *		sequence before that of the first entry
 * @commit:	sender's commit number; RECORDS: what is applied there
 * @hash:	PREPARE, NEW_STATE: hash of entry @op; PREPARE_OK: of entry @op;
 *		CHECKPOINT: of the whole checkpoint
 * @durable:	PREPARE: newest entry that is durable at the primary
 * @heartbeat_ns: PREPARE, COMMIT, PING: sender's time, greater each time it is
 *		said; PREPARE_OK, PONG: the newest such time received, echoed;
 *		only ever compared by who said it; CLIENT_PING, CLIENT_PONG likewise
 * @age_ns:	PONG of a primary: since a quorum last showed that it leads;
 *		VR_NUMBER_MAX of anybody else; CLIENT_PONG: the node lease
 * @after:	REQUEST: the request of its session that goes before it, 0 = none
 * @read_id:	GET_INDEX, NEW_INDEX, CLIENT_READ: of this question, never used for
 *		another
 * @life:	of the client that says it or is told: its nonce
 * @session:	REPLY: of the request, 0 = SESSION_BEGIN or a read
 * @request:	REPLY: its number; of a read the read_id
 * @sequence_first: CLIENT_PONG, RECORDS: oldest message kept there
 * @sequence_last: CLIENT_PONG, RECORDS: newest
 * @result:	REPLY
 * @form_id:	FORM*: random number of this forming, not 0
 * @ballot:	COLD_*: of this attempt; its lowest bits are the slot of who began it
 * @promised:	COLD_*: newest ballot the sender has promised
 * @cold_generation: COLD_ACCEPT: the one to begin; else newest the sender knows of
 * @nonces:	FORMED: of all members; FORM_OK: of the sender, in its slot;
 *		RECOVERY, RECOVERY_RESPONSE: the first two name the attempt; PING:
 *		the first is that of the sender's life, PONG: and comes back
 * @vector:	incarnations the sender knows of: DO_VIEW_CHANGE, START_VIEW,
 *		RECOVERY, RECOVERY_RESPONSE (R16)
 * @hashes:	DO_VIEW_CHANGE, START_VIEW, RECOVERY_RESPONSE of a primary: of
 *		entries @commit .. @op
 * @hash_count:	@op - @commit + 1; RECOVERY_RESPONSE of a backup: 0
 * @entries:	REQUEST, CLIENT_REQUEST, CLIENT_READ (one), PREPARE, NEW_STATE:
 *		consecutive entries; RECORDS: of consecutive messages
 * @entry_count: 0 .. VR_BATCH_MAX
 * @offset:	GET_CHECKPOINT: first byte wanted; CHECKPOINT: of the first of @chunk
 * @total_bytes: CHECKPOINT: of the whole checkpoint
 * @chunk:	CHECKPOINT: @chunk_bytes bytes of it
 */
struct vr_message {
	u8 type;
	u8 version;
	u8 status;
	u8 older;
	bool flag;
	u16 from;
	u16 to;
	u16 generation;
	u16 chunk_bytes;
	u16 cold_generation;
	bool recorded;
	u32 instance;
	u32 offset;
	u32 total_bytes;
	u64 incarnation;
	u64 view;
	u64 log_view;
	u64 op;
	u64 commit;
	u64 hash;
	u64 durable;
	u64 heartbeat_ns;
	u64 age_ns;
	u64 after;
	u64 read_id;
	u64 form_id;
	u64 ballot;
	u64 promised;
	u64 life;
	u64 session;
	u64 request;
	u64 sequence_first;
	u64 sequence_last;
	struct vr_result result;
	u64 nonces[VR_REPLICAS_MAX];
	u64 vector[VR_REPLICAS_MAX];
	const u64 *hashes;
	const u8 *chunk;
	u32 hash_count;
	u32 entry_count;
	const struct vr_entry *entries[VR_BATCH_MAX];
};

/**
 * vr_message_invalid - check the fields against each other
 * @m:			decoded message
 * @replica_count:	replicas of the group
 *
 * What a correct sender never sends is refused here once, so that handlers
 * need not look for it.
 *
 * Return: VR_DROP_NONE, VR_DROP_SLOT or VR_DROP_FIELD.
 */
enum vr_drop vr_message_invalid(const struct vr_message *m, u8 replica_count);

/** vr_message_version - first version of the wire format that can say @m */
u8 vr_message_version(const struct vr_message *m);

/** vr_type_name - "PREPARE" and so on, "?" for what is no type */
const char *vr_type_name(u8 type);

/** vr_drop_name - the reason in lower case, as statistics show it */
const char *vr_drop_name(enum vr_drop drop);

#endif /* VR_MESSAGE_H */
