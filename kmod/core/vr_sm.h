/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state machine: counters, the ordered messages, and with the client table
 * the rule that each request is applied at most once. Deterministic: the same
 * entries give the same state and results at every replica. Knows nothing of
 * views, quorums or who is primary.
 */
#ifndef VR_SM_H
#define VR_SM_H

#include "vr_ring.h"
#include "vr_session.h"

/** struct vr_counter - a named counter; @value is the newest number given */
struct vr_counter {
	u64 value;
	u32 next;		/* of the hash bucket */
	u8 name_bytes;
	u8 name[VR_NAME_BYTES_MAX];
};

/**
 * struct vr_sm - the state machine
 * @base:		what all numbers start from: generation << 48
 * @counter:		the group's own counter, whose name is empty
 * @counters:		@counters_max rows, @counter_count in use, never freed
 * @buckets:		@counters_max heads of chains by name
 * @messages:		newest messages, numbered by sequence
 * @sessions:		the client table
 */
struct vr_sm {
	u64 base;
	struct vr_counter counter;
	struct vr_counter *counters;
	u32 *buckets;
	u32 counters_max;
	u32 counter_count;
	struct vr_ring messages;
	struct vr_sessions sessions;
};

/** vr_sm_reset - the state before the first entry of a generation */
void vr_sm_reset(struct vr_sm *sm, u64 base);

/**
 * vr_sm_apply - apply the next committed entry
 * @sm:		the state machine
 * @entry:	the entry
 * @result:	receives what it gave; of a request applied before what that gave;
 *		-ECANCELED if it was passed over, -ESTALE if its session has ended
 *
 * Return: the session's row if it still is, else NULL.
 */
struct vr_session *vr_sm_apply(struct vr_sm *sm, const struct vr_entry *entry,
			       struct vr_result *result);

/**
 * vr_sm_read - what a GET would give now
 * @sm:		the state machine
 * @entry:	of kind GET
 * @result:	receives it
 */
void vr_sm_read(struct vr_sm *sm, const struct vr_entry *entry,
		struct vr_result *result);

/** vr_sm_restore_counter - add a counter that a checkpoint has; names are not checked */
void vr_sm_restore_counter(struct vr_sm *sm, const u8 *name, u8 name_bytes, u64 value);

#endif /* VR_SM_H */
