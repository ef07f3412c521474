/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The replica's state, and what the phase files call of each other. Included
 * by the phase files and vr_check.c only.
 *
 * R1..R25 are the rules, I1.. the invariants, D1.. the known defects they
 * answer: Documentation/protocol.rst and invariants.rst have them by number.
 */
#ifndef VR_REPLICA_PRIVATE_H
#define VR_REPLICA_PRIVATE_H

#include "vr_log.h"
#include "vr_prng.h"
#include "vr_replica.h"
#include "vr_sm.h"
#include "vr_timer.h"

/**
 * struct vr_vote - a DO_VIEW_CHANGE as it was said (R7)
 * @valid:	said in the current view; all votes go at each view entry (D3)
 *
 * @hashes are of entries @commit .. @op.
 */
struct vr_vote {
	bool valid;
	u64 log_view;
	u64 op;
	u64 commit;
	u32 hash_count;
	u64 hashes[VR_HASHES_MAX];
};

/**
 * struct vr_install - a log that is being made ours (R8, R9, R12)
 * @active:	there is one
 * @source:	who holds it
 * @log_view:	view in which it was, or will be, normal
 * @op:		its newest entry
 * @base:	@hashes are of entries @base .. @op
 * @commit:	committed for certain; entries up to here are adopted at once,
 *		those above are staged until all are here
 * @matched:	our own log agrees with it through this entry
 */
struct vr_install {
	bool active;
	u8 source;
	u64 log_view;
	u64 op;
	u64 base;
	u64 commit;
	u64 matched;
	u64 hashes[VR_HASHES_MAX];
};

/** struct vr_peer - what we know of another replica; our own slot is used too */
struct vr_peer {
	u8 status;		/* as PING said, VR_STATUS_COUNT = never heard */
	bool members_differ;
	u64 heard_ns;
	u64 incarnation;
	u64 acked;		/* PREPARE_OK of this view */
	u64 echo_ns;		/* newest time of ours it has sent back */
	u64 exit_view_ns;	/* when it last wanted to leave this view, 0 = not */
};

/**
 * struct vr_pending - a request of a local session under way
 * @active:	there is one
 * @exposed:	it has left this member or is in our log: it may be applied
 * @sent:	the primary of this view has been given it
 * @sent_ns:	when
 * @entry:	what it will be in the log, but for op, view and hash
 */
struct vr_pending {
	bool active;
	bool exposed;
	bool sent;
	u64 sent_ns;
	u64 submitted_ns;
	struct vr_entry entry;
};

/** struct vr_form - the one forming we promised to */
struct vr_form {
	u64 id;
	u8 initiator;
	u8 ok_mask;
	u16 generation;
	u64 give_up_ns;
	u64 nonces[VR_REPLICAS_MAX];
};

struct vr_replica {
	struct vr_config cfg;
	struct vr_prng prng;
	struct vr_timers timers;
	u64 now_ns;
	struct vr_effects *fx;		/* of the step under way */

	u8 status;
	u8 refusal;
	u8 halt;
	u8 quorum;
	bool had_quorum;
	u16 generation;
	u64 incarnation;
	u64 view;
	u64 last_normal_view;
	u64 normal_since_ns;
	u32 failed_views;		/* since a view lasted: back-off (R20) */
	u64 view_changes;

	struct vr_log log;
	u64 commit;
	u64 log_epoch;
	u64 op_durable;
	struct vr_sm sm;

	/* primary */
	u64 op_prepared;		/* newest entry sent in a PREPARE */
	u64 batch_ends[VR_PREPARES_MAX]; /* of PREPAREs in flight, oldest first */
	u32 batch_count;
	bool abdicated;			/* no quorum answers: silent (R21) */
	u8 commit_mask;			/* who waits for the commit of this step */

	/* backup */
	u64 heartbeat_ns;		/* newest time of the primary's */

	u64 quorum_ns;			/* when a quorum was last known to be there */

	/* view change */
	struct vr_vote votes[VR_REPLICAS_MAX];
	struct vr_install install;
	struct vr_ring stage;

	/* repair */
	u64 repair_op;			/* we know there are entries up to here */
	bool repair_asked;
	u64 probe_ns;			/* not before this time again */

	struct vr_form form;
	struct vr_peer peers[VR_REPLICAS_MAX];

	struct vr_pending *pending;	/* by handle */
	u8 *pending_bodies;
	u32 pending_active;
	u32 pending_unsent;
	u32 pending_turn;		/* who is looked at first: nobody starves */

	u64 drops[VR_DROP_COUNT];
	u64 received[VR_TYPE_COUNT];
	u64 sent[VR_TYPE_COUNT];
};

/* What may be above a commit number: a pipeline, and the batch beyond. */
static_assert((VR_PIPELINE_MAX + VR_BATCH_MAX) < VR_DONE_MAX,
	      "a step may end every request it commits");
static_assert((2 * VR_PIPELINE_MAX + VR_BATCH_MAX) < VR_ENTRIES_MIN,
	      "the log holds what is uncommitted and more");

static inline u8 vr_primary(const struct vr_replica *r, u64 view)
{
	return view % r->cfg.replica_count;
}

static inline bool vr_is_primary(const struct vr_replica *r)
{
	return vr_primary(r, r->view) == r->cfg.self;
}

static inline u8 vr_others(const struct vr_replica *r)
{
	return ((1u << r->cfg.replica_count) - 1) & ~(1u << r->cfg.self);
}

static inline void vr_timer_set(struct vr_replica *r, enum vr_timer t, u64 delay_ns)
{
	r->timers.at_ns[t] = r->now_ns + delay_ns;
}

static inline void vr_timer_stop(struct vr_replica *r, enum vr_timer t)
{
	r->timers.at_ns[t] = VR_NEVER;
}

static inline bool vr_timer_runs(const struct vr_replica *r, enum vr_timer t)
{
	return r->timers.at_ns[t] != VR_NEVER;
}

/* vr_replica.c: effects, statuses, quorums */
void vr_drop(struct vr_replica *r, enum vr_drop reason);
struct vr_message *vr_send(struct vr_replica *r, u8 type, u8 to_mask);
void vr_halt(struct vr_replica *r, enum vr_halt reason);
void vr_refuse(struct vr_replica *r, enum vr_refusal reason);
void vr_persist(struct vr_replica *r);
bool vr_never(struct vr_replica *r, bool broken, enum vr_halt reason);
u64 vr_quorum_max(u64 *values, u32 count, u32 quorum);
bool vr_has_quorum(const struct vr_replica *r);
void vr_commit_through(struct vr_replica *r, u64 op);
void vr_log_truncate(struct vr_replica *r, u64 last);
const struct vr_entry *vr_log_take(struct vr_replica *r, const struct vr_entry *entry);

/* vr_normal.c */
void vr_enter_normal(struct vr_replica *r);
void vr_on_request(struct vr_replica *r, const struct vr_message *m);
void vr_on_prepare(struct vr_replica *r, const struct vr_message *m);
void vr_on_prepare_ok(struct vr_replica *r, const struct vr_message *m);
void vr_on_commit(struct vr_replica *r, const struct vr_message *m);
void vr_on_durable(struct vr_replica *r, u64 epoch, u64 op);
void vr_on_heartbeat_timer(struct vr_replica *r);
void vr_on_abdicate_timer(struct vr_replica *r);
void vr_on_prepare_timer(struct vr_replica *r);
bool vr_accept(struct vr_replica *r, const struct vr_entry *entry);
void vr_flush(struct vr_replica *r);
void vr_fill_batch(struct vr_replica *r, struct vr_message *m, u64 op_first, u64 op_last);
bool vr_take_entries(struct vr_replica *r, const struct vr_message *m);
void vr_newer_view(struct vr_replica *r, u64 view);

/* vr_view_change.c */
void vr_enter_view_change(struct vr_replica *r, u64 view);
void vr_on_exit_view(struct vr_replica *r, const struct vr_message *m);
void vr_on_do_view_change(struct vr_replica *r, const struct vr_message *m);
void vr_on_start_view(struct vr_replica *r, const struct vr_message *m);
void vr_on_silence_timer(struct vr_replica *r);
void vr_on_exit_view_timer(struct vr_replica *r);
void vr_on_give_up_timer(struct vr_replica *r);
void vr_on_vote_timer(struct vr_replica *r);
void vr_want_exit(struct vr_replica *r);
void vr_withdraw_exit(struct vr_replica *r);
void vr_send_start_view(struct vr_replica *r, u8 to_mask);
void vr_install_ask(struct vr_replica *r);
void vr_install_entries(struct vr_replica *r, const struct vr_message *m);

/* vr_repair.c */
void vr_repair_through(struct vr_replica *r, u64 op);
void vr_repair_ask(struct vr_replica *r);
void vr_on_get_state(struct vr_replica *r, const struct vr_message *m);
void vr_on_new_state(struct vr_replica *r, const struct vr_message *m);
void vr_on_repair_timer(struct vr_replica *r);

/* vr_form.c */
void vr_on_form_event(struct vr_replica *r, u16 generation, u64 form_id);
void vr_on_form(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_ok(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_refused(struct vr_replica *r, const struct vr_message *m);
void vr_on_formed(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_timer(struct vr_replica *r);
void vr_on_ping(struct vr_replica *r, const struct vr_message *m);
void vr_on_ping_timer(struct vr_replica *r);

/* vr_pending.c */
void vr_on_submit(struct vr_replica *r, const struct vr_submit *s);
void vr_pending_applied(struct vr_replica *r, const struct vr_entry *entry,
			struct vr_session *session, const struct vr_result *result);
void vr_pending_flush(struct vr_replica *r);
void vr_pending_renew(struct vr_replica *r);
void vr_pending_fail(struct vr_replica *r);
void vr_on_pending_timer(struct vr_replica *r);

#endif /* VR_REPLICA_PRIVATE_H */
