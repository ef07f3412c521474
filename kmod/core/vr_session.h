/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The client table (VR Revisited, section 4): what each session asked for last
 * and what it got, so that no request is applied twice. Part of the replicated
 * state: all but the fields marked local is the same at every replica.
 */
#ifndef VR_SESSION_H
#define VR_SESSION_H

#include "vr_types.h"

#define VR_NO_ROW	U32_MAX

/** struct vr_answer - what became of a request */
struct vr_answer {
	u64 request;
	struct vr_result result;
};

/**
 * struct vr_session - a row of the client table
 * @id:		op number of the entry that began it, 0 = free row
 * @nonce:	life of the member it was begun at, and
 * @number:	its number there: begin once, however often it is asked for
 * @origin:	that member
 * @view:	of the entry that began it
 * @active_op:	newest entry of the session
 * @request:	newest request applied or settled
 * @answer_count: answers ever kept; the newest VR_WINDOW of them are in
 * @answers:	one after the other, round and round
 * @accepted:	local: newest request in the log of this primary's view
 * @next:	local: next row of the hash bucket
 */
struct vr_session {
	u64 id;
	u64 nonce;
	u64 number;
	u64 view;
	u64 active_op;
	u64 request;
	u64 answer_count;
	struct vr_answer answers[VR_WINDOW];
	u64 accepted;
	u32 next;
	u16 origin;
};

/** struct vr_sessions - the table: @max rows, chained by id in @max buckets */
struct vr_sessions {
	struct vr_session *rows;
	u32 *buckets;
	u32 max;
};

void vr_sessions_reset(struct vr_sessions *t);

/** vr_session_find - the row of session @id, NULL = never was or is no more */
struct vr_session *vr_session_find(const struct vr_sessions *t, u64 id);

/**
 * vr_session_begin - add a row for an entry of kind SESSION_BEGIN
 * @t:		the table
 * @entry:	the entry; if its (argument, request) began a session that still
 *		is, that one is returned
 *
 * If the table is full the session whose newest entry is oldest ends.
 */
struct vr_session *vr_session_begin(struct vr_sessions *t, const struct vr_entry *entry);

/** vr_session_begun - the row that an entry of kind SESSION_BEGIN began, NULL = none */
struct vr_session *vr_session_begun(const struct vr_sessions *t, const struct vr_entry *entry);

void vr_session_end(struct vr_sessions *t, struct vr_session *session);

/** vr_sessions_end_node - end all sessions of a life of a member */
void vr_sessions_end_node(struct vr_sessions *t, u16 origin, u64 nonce);

/** vr_session_restore - make @row, whose id is set and new, one that can be found */
void vr_session_restore(struct vr_sessions *t, struct vr_session *row);

/** vr_session_keep - keep what became of a request newer than all before it */
void vr_session_keep(struct vr_session *s, u64 request, const struct vr_result *result);

/**
 * vr_session_recall - what became of request @request, at most @s->request
 * @s:		the session
 * @request:	its number
 * @result:	receives it; with -ECANCELED if it was passed over and never will
 *		be applied, with -ESTALE if that is not known any more
 */
void vr_session_recall(const struct vr_session *s, u64 request, struct vr_result *result);

#endif /* VR_SESSION_H */
