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

#include "vr_checkpoint.h"
#include "vr_log.h"
#include "vr_prng.h"
#include "vr_replica.h"
#include "vr_sm.h"
#include "vr_timer.h"

/**
 * struct vr_vote - a DO_VIEW_CHANGE as it was said (R7); of a RECOVERING replica
 *		    a RECOVERY_RESPONSE (R15)
 * @valid:	said in the current view, or in answer to the current attempt
 * @log_view:	of a RECOVERY_RESPONSE the sender's view
 * @hashes:	of entries @commit .. @op
 * @hash_count:	0 in the RECOVERY_RESPONSE of a backup
 * @vector:	of our own vote: part of the statement that is repeated (D19)
 */
struct vr_vote {
	bool valid;
	u64 log_view;
	u64 op;
	u64 commit;
	u32 hash_count;
	u64 hashes[VR_HASHES_MAX];
	u64 vector[VR_REPLICAS_MAX];
};

/**
 * struct vr_install - a log that is being made ours (R8, R9, R12)
 * @active:	there is one
 * @source:	who is asked for it
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

#define VR_SAMPLES_MAX	8	/* of the round trip to a peer */

/** struct vr_peer - what we know of another replica; our own slot is used too */
struct vr_peer {
	u8 status;		/* as PING said, VR_STATUS_COUNT = never heard */
	bool members_differ;
	bool older;		/* it said so in an earlier generation */
	bool recorded;		/* it has a record that can be counted on */
	u8 version;		/* newest of the wire format it is known to speak, 0 = none */
	u8 say;			/* what is said to it (R34): never above @version, or ours */
	bool too_old;		/* it needs what its version cannot say */
	u64 nonce;		/* of the life that said so */
	u64 version_ns;		/* when it was last heard in that version, or a newer one */
	u64 heard_ns;
	u64 acked;		/* PREPARE_OK of this view */
	u64 echo_ns;		/* newest time of ours it has sent back in this view */
	u64 exit_view_ns;	/* when it last wanted to leave this view, 0 = not */
	u64 round_trip_ns;	/* 0 = not measured */
	u64 samples_ns[VR_SAMPLES_MAX]; /* of it, newest first */
	u64 sampled_ns;		/* when the newest was taken */
	u64 pong_ns;		/* when it last showed that it hears us */
	u8 sample_count;
	u64 read_id;		/* GET_INDEX to be answered, 0 = none */
	u64 read_index;
	u64 read_stamp;		/* confirmed by an echo of this time or a later one */
};

/**
 * struct vr_pending - a request of a local session under way
 * @active:	there is one
 * @exposed:	it has left this member or is in our log: it may be applied
 * @sent:	the primary of this view has been given it
 * @unsure:	entries were skipped since it was exposed (checkpoint): if its
 *		session is not there any more we cannot know what became of it
 * @read:	enum vr_read
 * @sent_ns:	when
 * @read_id:	question of GET_INDEX that covers it, 0 = none yet
 * @read_index:	answered when this is applied, U64_MAX = not known yet; at a client
 *		BARRIER: when all messages before this one are here, 0 = not known yet
 * @entry:	what it will be in the log, but for op, view and hash
 * @previous:	handle submitted before it, of those that are active
 * @next:	handle submitted after it
 * @chain:	next handle of the hash bucket, by session
 */
struct vr_pending {
	bool active;
	bool exposed;
	bool sent;
	bool unsure;
	u8 read;
	u64 sent_ns;
	u64 submitted_ns;
	u64 read_id;
	u64 read_index;
	struct vr_entry entry;
	u32 previous;
	u32 next;
	u32 chain;
};

/**
 * struct vr_pendings - the requests under way, in the order of their submission
 * @table:	by handle
 * @buckets:	heads of chains by session, as many as handles
 * @first:	oldest active one, VR_NO_HANDLE = none
 * @last:	newest
 * @unsent:	oldest that the primary of this view has not been given
 * @count:	active ones
 * @read_count:	of them, those that are no entries of the log
 */
struct vr_pendings {
	struct vr_pending *table;
	u32 *buckets;
	u32 first;
	u32 last;
	u32 unsent;
	u32 count;
	u32 read_count;
};

/**
 * struct vr_client - a client, as a voter knows it
 * @id:		its member id, 0 = free row
 * @life:	its nonce, as it last said
 * @life_ns:	when another life of it was first heard
 * @heard_ns:	when it last said anything
 * @want:	sequence to send as soon as there is one, 0 = none
 * @read_id:	question to be answered, 0 = none
 * @read_index:	once this is applied
 * @read_stamp:	and a quorum has sent back this time or a later one
 * @next:	row of the same hash bucket, or free
 * @want_next:	row that waits for messages behind it
 * @read_next:	row whose question came after
 * @wanting:	in that queue
 * @reading:	in that queue
 * @name_bytes:	of
 * @name:	the counter that is asked for
 *
 * All there is of a client at a voter, but for its sessions.
 */
struct vr_client {
	u64 life;
	u64 life_ns;
	u64 heard_ns;
	u64 want;
	u64 read_id;
	u64 read_index;
	u64 read_stamp;
	u32 next;
	u32 want_next;
	u32 read_next;
	u16 id;
	bool wanting;
	bool reading;
	u8 name_bytes;
	u8 name[VR_NAME_BYTES_MAX];
};

/** struct vr_queue - rows in the order they came, VR_NO_ROW = none */
struct vr_queue {
	u32 first;
	u32 last;
};

/**
 * struct vr_clients - the clients of a voter
 * @rows:	cfg.clients_max of them
 * @buckets:	as many, heads of chains by id
 * @free:	first free row
 * @count:	rows in use
 * @wants:	caught up, and to be told of the next message
 * @reads:	questions for the primary
 * @unsaid:	a question came after the newest heartbeat
 * @said_ns:	the newest heartbeat that was said for a question
 * @swept:	next row of the client table to be looked at (R32)
 * @since_ns:	no lease began before
 * @ended:	leases we ended
 */
struct vr_clients {
	struct vr_client *rows;
	u32 *buckets;
	u32 free;
	u32 count;
	struct vr_queue wants;
	struct vr_queue reads;
	bool unsaid;
	u64 said_ns;
	u32 swept;
	u64 since_ns;
	u64 ended;
};

/**
 * struct vr_question - a read that a client asks of a voter; one at a time of a kind
 * @id:		of it
 * @asked_ns:	when, the first time
 * @again_ns:	the last time
 * @asked:	it is not answered yet
 */
struct vr_question {
	u64 id;
	u64 asked_ns;
	u64 again_ns;
	bool asked;
};

/**
 * struct vr_link - what a client knows of its group
 * @unanswered:	PINGs since the primary last answered
 * @delay_ns:	to the next one
 * @node_lease_ns: as the primary said
 * @lease_ns:	newest time of ours that a primary sent back
 * @bound:	we have been told something that holds for ever
 * @subscribed:	somebody reads messages
 * @source:	voter that is asked for them
 * @asked:	it owes us an answer
 * @heard_last:	newest message known of, anywhere
 * @behind_ns:	since when we lack it, 0 = we do not
 * @local:	voter that is asked for VR_READ_LOCAL
 * @older:	by voter: those that keep us from being served, it says (R34)
 * @linearizable: question to the primary
 * @stale:	question to @local
 * @id:		of the newest question
 */
struct vr_link {
	u32 unanswered;
	u64 delay_ns;
	u64 node_lease_ns;
	u64 lease_ns;
	bool subscribed;
	bool bound;
	u8 source;
	bool asked;
	u64 heard_last;
	u64 behind_ns;
	u8 older[VR_REPLICAS_MAX];
	u8 local;
	struct vr_question linearizable;
	struct vr_question stale;
	u64 id;
};

/**
 * struct vr_recovery - getting our memory back (R15)
 * @nonce:	names this life to those who answer
 * @attempt:	and this each question of it, so that no answer counts twice (D10)
 * @ask_count:	times it was asked, or looked at in vain
 * @progress:	of what is fetched, changes when anything comes
 */
struct vr_recovery {
	u64 nonce;
	u64 attempt;
	u32 ask_count;
	u64 progress;
	bool waits;		/* for the record to know this life */
};

/** struct vr_form - the one forming we promised to */
struct vr_form {
	u64 id;
	u8 initiator;
	u8 ok_mask;
	u8 forgot_mask;			/* in the group, and do not remember it */
	u16 generation;
	bool decided;			/* all have promised: the record is to know */
	u64 give_up_ns;
	u64 nonces[VR_REPLICAS_MAX];
};

/** struct vr_keep - writes of the record; a number for each content wanted */
struct vr_keep {
	u64 wanted;
	u64 flying;			/* 0 = none under way */
	u64 held;
	u64 writes;
	s32 error;			/* of the last one */
};

enum vr_cold_phase {
	VR_COLD_IDLE,
	VR_COLD_ASKING,			/* for promises */
	VR_COLD_NAMED,			/* the generation: asks to accept it */
	VR_COLD_CHOSEN,			/* it is to be, once our record knows */
};

/** struct vr_cold - beginning again in the next generation (R18) */
struct vr_cold {
	u8 phase;
	bool forced;			/* by the operator */
	bool ready;			/* our own record knows of the phase */
	u8 promised;			/* masks of who did */
	u8 accepted;
	u8 answered;			/* that they have no record */
	u8 remember;			/* that they have memory */
	u8 failures;
	u16 generation;			/* newest known of, then the one to begin */
	u32 instance;
	u32 ask_count;
	u64 ballot;
	u64 ballot_seen;
	u64 judge_ns;
	u64 give_up_ns;

	u8 owes;			/* type of an answer that waits for the record */
	u8 owes_to;
	u64 owes_ballot;
	u64 lively;			/* promised by this life, without memory since */
	u64 lost_ns;			/* when memory was lost: of leases promised before */
	bool joins;			/* waits for its record to come into a generation */
	u32 join_instance;
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
	u32 instance;			/* of the forming, see struct vr_message */
	u64 incarnation;		/* 0 = not known, or not in a group */
	u64 vector[VR_REPLICAS_MAX];	/* newest incarnations known (R16) */
	u64 view;
	u64 last_normal_view;
	u64 normal_since_ns;
	u32 failed_views;		/* since a view lasted: back-off (R20) */
	u64 view_changes;

	bool ping_older;		/* it is the turn of the older version */
	u8 log_version;			/* of the wire format, to say all that was in it */
	bool too_old;			/* it goes on with what our version cannot say */
	struct vr_log log;
	u64 commit;
	u64 log_epoch;
	u64 op_durable;

	/* What a journal must have before it is acted upon (D18); all 0 without one. */
	bool restored;			/* from a journal, before the first step */
	bool lost;			/* it should have been, and could not */
	u64 promises;			/* views entered and lives heard of */
	u64 promises_durable;
	u64 view_promise;		/* that of this view */
	u64 life_promise;		/* that of the life we heard of last */
	struct vr_sm sm;
	struct vr_checkpoint checkpoint;
	struct vr_recovery recovery;

	/* primary */
	u64 op_prepared;		/* newest entry sent in a PREPARE */
	u64 durable_said;		/* by a PREPARE to all: durable here through this */
	u64 batch_ends[VR_PREPARES_MAX]; /* of PREPAREs in flight, oldest first */
	u32 batch_count;
	u32 came_eighths;		/* entries that come while one is in flight, times 8 */
	bool abdicated;			/* no quorum answers: silent (R21) */
	bool leaving;			/* handing over (R23) */
	u64 progress_ns;		/* nothing waited for others, or some of it ended */
	u64 stamp_ns;			/* newest time we have said, each one once */
	u64 lease_ns;			/* newest of them a quorum has sent back */
	u8 commit_mask;			/* who waits for the commit of this step */

	/* backup */
	u64 heartbeat_ns;		/* newest time of the primary's */
	u64 primary_durable;		/* what is durable there in this view */
	bool primary_lost;		/* the life that leads this view has ended */
	u64 promise_ns;			/* we help no other primary before (lease) */
	u64 fresh_ns;			/* all that was committed then is applied */
	u64 fresher_ns;			/* and then, once fresher_op is; 0 = unknown */
	u64 fresher_op;

	u64 read_id;			/* of our newest question */
	bool read_asked;		/* it is not answered yet */

	u64 round_trip_ns;		/* that a quorum keeps */
	bool late;			/* timers came late, and peers may yet be heard */
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
	struct vr_record record;	/* as it should be on stable storage */
	struct vr_keep keep;
	struct vr_cold cold;
	u64 cold_starts;
	struct vr_peer peers[VR_REPLICAS_MAX];

	struct vr_pendings pendings;
	struct vr_clients clients;
	struct vr_link link;		/* if we are a client */
	u64 recoveries;
	u64 transfers;

	u64 drops[VR_DROP_COUNT];
	u64 received[VR_TYPE_COUNT];
	u64 sent[VR_TYPE_COUNT];
};

/* What may be above a commit number: a pipeline, and the batch beyond. */
static_assert((VR_PIPELINE_MAX + VR_BATCH_MAX) < VR_DONE_MAX,
	      "a step may end every request it commits");
static_assert((2 * VR_PIPELINE_MAX + VR_BATCH_MAX) < VR_ENTRIES_MIN,
	      "the log holds what is uncommitted and more");

#define VR_NO_HANDLE	U32_MAX
#define VR_NOT_KNOWN	U64_MAX

/* What a step says to others but clients, at most, and has room for. */
#define VR_SENDS_KEPT	8

static_assert((VR_PIPELINE_MAX + VR_SENDS_KEPT) <= VR_SENDS_MAX,
	      "a commit answers every client it is of");

/* As the origin of entries, and on the wire. */
static inline u16 vr_self(const struct vr_replica *r)
{
	return r->cfg.client ? r->cfg.client : r->cfg.self;
}

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

static inline bool vr_has_memory(const struct vr_replica *r)
{
	return !r->cfg.client &&
	       (r->status == VR_STATUS_NORMAL || r->status == VR_STATUS_VIEW_CHANGE);
}

static inline bool vr_is_recovering(const struct vr_replica *r)
{
	return r->status == VR_STATUS_RECOVERING || r->status == VR_STATUS_AMNESIA;
}

/* Time since then; none if then is yet to come. */
static inline u64 vr_since(const struct vr_replica *r, u64 then_ns)
{
	return r->now_ns > then_ns ? r->now_ns - then_ns : 0;
}

static inline void vr_timer_set(struct vr_replica *r, enum vr_timer t, u64 delay_ns)
{
	vr_timers_put(&r->timers, t, r->now_ns + delay_ns);
}

/* If it runs, at least a heartbeat from now. */
static inline void vr_timer_postpone(struct vr_replica *r, enum vr_timer t)
{
	if (r->timers.at_ns[t] != VR_NEVER)
		vr_timers_put(&r->timers, t, vr_max(r->timers.at_ns[t],
						    r->now_ns + r->cfg.heartbeat_ns));
}

static inline void vr_timer_stop(struct vr_replica *r, enum vr_timer t)
{
	vr_timers_put(&r->timers, t, VR_NEVER);
}

static inline bool vr_timer_runs(const struct vr_replica *r, enum vr_timer t)
{
	return r->timers.at_ns[t] != VR_NEVER;
}

/* What is no affair of a view goes on when one ends or begins. */
static inline bool vr_timer_outlives_view(enum vr_timer t)
{
	return t == VR_TIMER_PING || t == VR_TIMER_PENDING || t == VR_TIMER_RECORD ||
	       t == VR_TIMER_COLD;
}

/* vr_replica.c: effects, statuses, quorums */
void vr_drop(struct vr_replica *r, enum vr_drop reason);
struct vr_message *vr_send(struct vr_replica *r, u8 type, u8 to_mask);
struct vr_message *vr_send_client(struct vr_replica *r, u8 type, u16 client);
void vr_halt(struct vr_replica *r, enum vr_halt reason);
bool vr_never(struct vr_replica *r, bool broken, enum vr_halt reason);
void vr_stop(struct vr_replica *r, enum vr_status status);
void vr_persist(struct vr_replica *r);
u64 vr_promise(struct vr_replica *r);
u64 vr_quorum_max(u64 *values, u32 count, u32 quorum);
bool vr_has_quorum(const struct vr_replica *r);
u64 vr_stamp(struct vr_replica *r);
void vr_learn(struct vr_replica *r, u8 slot, u64 incarnation);
void vr_learn_vector(struct vr_replica *r, const u64 *vector);
void vr_commit_new(struct vr_replica *r, u64 op);
void vr_log_truncate(struct vr_replica *r, u64 last);
const struct vr_entry *vr_log_take(struct vr_replica *r, const struct vr_entry *entry);

/* vr_peer.c */
u64 vr_view_timeout(const struct vr_replica *r);
u64 vr_resend_delay(struct vr_replica *r);
void vr_note_version(struct vr_replica *r, const struct vr_message *m);
u8 vr_older_voters(const struct vr_replica *r, u8 version);
u8 vr_keeps_from_clients(const struct vr_replica *r);
u8 vr_client_older(const struct vr_replica *r);
u8 vr_hold_back(struct vr_replica *r, const struct vr_message *m);
void vr_say_prefix(struct vr_replica *r, struct vr_message *m, u8 to);
void vr_note_memory(struct vr_replica *r, const struct vr_message *m);
void vr_on_ping(struct vr_replica *r, const struct vr_message *m);
void vr_on_pong(struct vr_replica *r, const struct vr_message *m);
void vr_on_ping_timer(struct vr_replica *r);

/* vr_normal.c */
void vr_enter_normal(struct vr_replica *r);
bool vr_is_serving(const struct vr_replica *r);
enum vr_drop vr_accept(struct vr_replica *r, const struct vr_entry *request, u64 previous);
void vr_fill_batch(struct vr_replica *r, struct vr_message *m, u64 op_first, u64 op_last);
void vr_flush(struct vr_replica *r);
void vr_settle_durable(struct vr_replica *r);
void vr_send_heartbeat(struct vr_replica *r);
bool vr_take_entries(struct vr_replica *r, const struct vr_message *m);
void vr_newer_view(struct vr_replica *r, u64 view);
void vr_on_request(struct vr_replica *r, const struct vr_message *m);
void vr_on_prepare(struct vr_replica *r, const struct vr_message *m);
void vr_on_prepare_ok(struct vr_replica *r, const struct vr_message *m);
void vr_on_commit(struct vr_replica *r, const struct vr_message *m);
void vr_on_durable(struct vr_replica *r, u64 epoch, u64 op, u64 promise);
void vr_on_heartbeat_timer(struct vr_replica *r);
void vr_on_abdicate_timer(struct vr_replica *r);
void vr_on_prepare_timer(struct vr_replica *r);

/* vr_view_change.c */
u32 vr_copy_hashes(const struct vr_replica *r, u64 base, u64 op, u64 *hashes);
void vr_begin_view_change(struct vr_replica *r, u64 view);
void vr_vote_durable(struct vr_replica *r);
void vr_on_disk_failed_event(struct vr_replica *r);
void vr_on_exit_view(struct vr_replica *r, const struct vr_message *m);
void vr_on_do_view_change(struct vr_replica *r, const struct vr_message *m);
void vr_on_start_view(struct vr_replica *r, const struct vr_message *m);
void vr_on_leave_event(struct vr_replica *r);
void vr_on_silence_timer(struct vr_replica *r);
void vr_on_exit_view_timer(struct vr_replica *r);
void vr_on_give_up_timer(struct vr_replica *r);
void vr_on_vote_timer(struct vr_replica *r);
void vr_want_exit(struct vr_replica *r);
void vr_withdraw_exit(struct vr_replica *r);
void vr_send_start_view(struct vr_replica *r, u8 to_mask);

/* vr_install.c */
void vr_install(struct vr_replica *r, const struct vr_message *m);
void vr_install_vote(struct vr_replica *r, u8 slot, u64 commit);
void vr_install_ask(struct vr_replica *r);
void vr_install_entries(struct vr_replica *r, const struct vr_message *m);
void vr_install_resume(struct vr_replica *r);

/* vr_repair.c */
void vr_repair_through(struct vr_replica *r, u64 op);
void vr_on_get_state(struct vr_replica *r, const struct vr_message *m);
void vr_on_new_state(struct vr_replica *r, const struct vr_message *m);
void vr_on_get_checkpoint(struct vr_replica *r, const struct vr_message *m);
void vr_on_checkpoint(struct vr_replica *r, const struct vr_message *m);
void vr_on_repair_timer(struct vr_replica *r);

/* vr_recovery.c */
void vr_recover(struct vr_replica *r, enum vr_refusal reason);
void vr_recovery_reconsider(struct vr_replica *r);
void vr_recovery_settle(struct vr_replica *r);
u8 vr_lost_mask(const struct vr_replica *r);
u8 vr_answers_needed(const struct vr_replica *r);
u8 vr_answer_count(const struct vr_replica *r);
void vr_on_recovery(struct vr_replica *r, const struct vr_message *m);
void vr_on_recovery_response(struct vr_replica *r, const struct vr_message *m);
void vr_on_recovery_timer(struct vr_replica *r);
void vr_on_demote_event(struct vr_replica *r, const struct vr_event *ev);

/* vr_keep.c */
bool vr_record_is_held(const struct vr_replica *r);
bool vr_record_is_good(const struct vr_replica *r);
u16 vr_record_floor(const struct vr_replica *r);
void vr_record_want(struct vr_replica *r);
bool vr_record_is_newer(const struct vr_replica *r);
bool vr_record_resume(struct vr_replica *r);
void vr_on_recorded(struct vr_replica *r, u64 number, s32 error);
void vr_on_record_timer(struct vr_replica *r);

/* vr_cold.c */
void vr_begin_generation(struct vr_replica *r, u16 generation, u32 instance);
void vr_hear_of_generation(struct vr_replica *r, const struct vr_message *m);
void vr_on_cold(struct vr_replica *r, const struct vr_message *m);
void vr_on_cold_timer(struct vr_replica *r);
void vr_on_reform_event(struct vr_replica *r);
void vr_cold_settle(struct vr_replica *r);
void vr_cold_reconsider(struct vr_replica *r);
void vr_cold_forget(struct vr_replica *r);
void vr_cold_doubt(struct vr_replica *r);
void vr_cold_describe(const struct vr_replica *r, struct vr_info *info);

/* vr_restore.c */
void vr_rejoin(struct vr_replica *r);

/* vr_read.c */
void vr_read_submit(struct vr_replica *r, u32 handle);
void vr_read_flush(struct vr_replica *r);
void vr_read_answer(struct vr_replica *r);
void vr_read_echoed(struct vr_replica *r);
void vr_read_stamped(struct vr_replica *r);
void vr_read_pong(struct vr_replica *r, const struct vr_message *m);
u64 vr_read_age(const struct vr_replica *r);
void vr_read_again(struct vr_replica *r);
void vr_read_reset(struct vr_replica *r);
void vr_on_get_index(struct vr_replica *r, const struct vr_message *m);
void vr_on_new_index(struct vr_replica *r, const struct vr_message *m);
bool vr_read_lease_holds(const struct vr_replica *r);

/* Answer what is applied by now. What finds no room is seen by the timer. */
static inline void vr_read_applied(struct vr_replica *r)
{
	if (r->fresher_ns || r->pendings.read_count)
		vr_read_answer(r);
}

/* Apply in order what is known to be committed and held (R4). */
static inline void vr_commit_through(struct vr_replica *r, u64 op)
{
	op = vr_min(op, r->log.ring.last);
	if (r->commit < op)
		vr_commit_new(r, op);
	else
		vr_read_applied(r);
}

/* vr_serve.c: clients, at a voter */
void vr_clients_reset(struct vr_replica *r);
void vr_serve(struct vr_replica *r, const struct vr_message *m);
u64 vr_serve_life(const struct vr_replica *r, const struct vr_entry *e);
void vr_serve_applied(struct vr_replica *r, const struct vr_entry *e, u64 life,
		      const struct vr_result *result);
void vr_serve_flush(struct vr_replica *r);
void vr_serve_reset(struct vr_replica *r);
void vr_serve_gone(struct vr_replica *r, u16 id);
void vr_on_nodes_timer(struct vr_replica *r);

/* vr_client.c: at the client */
void vr_client_step(struct vr_replica *r, const struct vr_event *ev);
void vr_client_describe(const struct vr_replica *r, struct vr_info *info);
const char *vr_client_check(const struct vr_replica *r);

/* vr_form.c */
void vr_on_form_event(struct vr_replica *r, u16 generation, u64 form_id);
void vr_on_form(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_ok(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_refused(struct vr_replica *r, const struct vr_message *m);
void vr_on_formed(struct vr_replica *r, const struct vr_message *m);
void vr_on_form_timer(struct vr_replica *r);
void vr_form_forget(struct vr_replica *r);
void vr_form_settle(struct vr_replica *r);
void vr_form_end(struct vr_replica *r, enum vr_form_error error, u8 slot);
void vr_hear_of_group(struct vr_replica *r, u8 from);

/* vr_pending.c */
void vr_pendings_reset(struct vr_replica *r);
void vr_on_submit(struct vr_replica *r, const struct vr_submit *s);
bool vr_pending_end(struct vr_replica *r, u32 handle, enum vr_outcome outcome,
		    const struct vr_result *result);
void vr_pending_applied(struct vr_replica *r, const struct vr_entry *entry,
			const struct vr_result *result);
void vr_pending_flush(struct vr_replica *r);
void vr_pending_renew(struct vr_replica *r);
void vr_pending_skipped(struct vr_replica *r);
void vr_pending_fail(struct vr_replica *r);
bool vr_pending_overdue(const struct vr_replica *r);
void vr_on_pending_timer(struct vr_replica *r);

#endif /* VR_REPLICA_PRIVATE_H */
