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
	VR_REQUEST		= 1,
	VR_PREPARE		= 2,
	VR_PREPARE_OK		= 3,
	VR_COMMIT		= 4,
	VR_EXIT_VIEW		= 5,
	VR_DO_VIEW_CHANGE	= 6,
	VR_START_VIEW		= 7,
	VR_GET_STATE		= 8,
	VR_NEW_STATE		= 9,
	VR_PING			= 10,
	VR_FORM			= 11,
	VR_FORM_OK		= 12,
	VR_FORM_REFUSED		= 13,
	VR_FORMED		= 14,
	VR_TYPE_COUNT
};

#define VR_HASHES_MAX (VR_PIPELINE_MAX + 1)

/* What a batch takes in a datagram: vr_wire.c draws it, the sender must know. */
#define VR_WIRE_BATCH_BYTES	96	/* PREPARE, NEW_STATE without entries */
#define VR_WIRE_ENTRY_BYTES	40	/* an entry without its body */

/* No honest number is above it; far from where arithmetic would wrap. */
#define VR_NUMBER_MAX		(U64_MAX >> 1)

/**
 * struct vr_message - any message, in host order
 * @type:	enum vr_type
 * @from:	sender's slot
 * @to:		receiver's slot
 * @status:	PING: sender's enum vr_status; FORM_REFUSED: enum vr_form_error
 * @generation:	sender's; of FORM: the one to be
 * @incarnation: which life of the sender this is, 0 = not in a group
 * @view:	sender's view; GET_STATE, NEW_STATE: the view asked about
 * @log_view:	last normal view: DO_VIEW_CHANGE the sender's, GET_STATE and
 *		NEW_STATE of the log that is asked for
 * @op:		PREPARE, NEW_STATE: op before the first entry; PREPARE_OK,
 *		DO_VIEW_CHANGE, START_VIEW, PING: newest entry; GET_STATE: first
 *		entry wanted, 0 = START_VIEW wanted
 * @commit:	sender's commit number
 * @hash:	PREPARE, NEW_STATE: hash of entry @op; PREPARE_OK: of entry @op
 * @heartbeat_ns: PREPARE, COMMIT: primary's time; PREPARE_OK: the newest such
 *		time received, echoed; only ever compared by the primary
 * @form_id:	FORM*: random number of this forming
 * @nonces:	FORMED: of all members; FORM_OK: of the sender, in its slot
 * @hashes:	DO_VIEW_CHANGE, START_VIEW: of entries @commit .. @op
 * @hash_count:	@op - @commit + 1
 * @entries:	REQUEST (one), PREPARE, NEW_STATE: consecutive entries
 * @entry_count: 0 .. VR_BATCH_MAX
 */
struct vr_message {
	u8 type;
	u8 from;
	u8 to;
	u8 status;
	u16 generation;
	u64 incarnation;
	u64 view;
	u64 log_view;
	u64 op;
	u64 commit;
	u64 hash;
	u64 heartbeat_ns;
	u64 form_id;
	u64 nonces[VR_REPLICAS_MAX];
	const u64 *hashes;
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

/** vr_type_name - "PREPARE" and so on, "?" for what is no type */
const char *vr_type_name(u8 type);

/** vr_drop_name - the reason in lower case, as statistics show it */
const char *vr_drop_name(enum vr_drop drop);

#endif /* VR_MESSAGE_H */
