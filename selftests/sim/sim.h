/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulator: one process, one seed, virtual time. Real replicas, and a
 * model of everything around them: network, clocks, disks, operators, clients.
 *
 * All chance comes from the seed, all order from the event queue, all time
 * from the queue's head. No pointer, clock or address decides anything: a seed
 * is a run, byte for byte, on every machine.
 *
 *	main.c		seeds over processes, verdicts		report.c  words
 *	run.c		one seed and its phases			options.c what it is
 *	node.c		the shell of one replica		life.c    its fate
 *	disk.c		its journal			record.h  its record, in three files
 *	fault.c		who breaks what, when			net.c     datagrams
 *	client.c	processes, sessions, requests		world.c   chance, queue
 *	checker.c	what must hold after every step		votes.c   of votes
 *	answer.c	what clients may be told		model.c   results
 *	era.c		generations			remote.c  client nodes
 *	version.c	modules of two versions
 *	shrink.c	a failing seed, made small
 */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>
#include <stdlib.h>

#include "lin.h"
#include "record.h"
#include "vr_journal_write.h"
#include "vr_replica.h"
#include "vr_restore.h"
#include "vr_wire.h"

#define SIM_CLIENTS_MAX		24	/* threads of most seeds */
#define SIM_CROWD		160	/* of some: more than a pipeline or a step's effects hold */
#define SIM_CLIENTS_ROOM	(SIM_CROWD + 64)	/* and those at restarted members */
#define SIM_REMOTES_MAX		3	/* client nodes; their slot is their member id */
#define SIM_NODES		(VR_CLIENT_MIN + SIM_REMOTES_MAX)
#define SIM_HANDLES		256	/* of a replica, more than clients can use */
#define SIM_COUNTER_NAMES	6
#define SIM_REPLAYS_MAX		48	/* old datagrams kept for a late replay */
#define SIM_WITHHELD_MAX	64	/* datagrams that arrive when lives have ended */
#define SIM_HELD_MAX		96	/* datagrams a paused node's socket holds */
#define SIM_NONCES_MAX		32	/* of one life, the newest */
#define SIM_VIEWS_MAX		4096	/* views the checker has room for */
#define SIM_DURABLE_MAX		512	/* power of 2, more than are ever uncommitted */
#define SIM_DIRTY_MAX		1024	/* writes of a journal between two flushes */
#define SIM_LOG_TIMES_MAX	4	/* power of 2, of the smallest log */
#define SIM_ERAS_MAX		32	/* generations of a seed */
#define SIM_CHECKPOINTS_MAX	64	/* power of 2, of the newest ones */
#define SIM_NS_PER_MS		1000000ull
#define SIM_NS_PER_S		1000000000ull
#define SIM_MILLION		1000000u

#ifdef __SANITIZE_ADDRESS__
#define SIM_SANITIZED		1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SIM_SANITIZED		1
#endif
#endif
#ifndef SIM_SANITIZED
#define SIM_SANITIZED		0
#endif

/* --- chance --- */

struct sim_random {
	u64 state[4];
};

void random_seed(struct sim_random *r, u64 seed, u64 stream);
u64 random_u64(struct sim_random *r);
/** random_below - 0 .. @bound - 1 */
u64 random_below(struct sim_random *r, u64 bound);
/** random_between - @low .. @high */
u64 random_between(struct sim_random *r, u64 low, u64 high);
/** random_spread - @low .. @high, every power of two equally likely */
u64 random_spread(struct sim_random *r, u64 low, u64 high);
/** random_ppm - true @ppm times in a million */
bool random_ppm(struct sim_random *r, u32 ppm);

/* --- what a seed is --- */

enum sim_fault {
	FAULT_LOSS,
	FAULT_DUPLICATE,
	FAULT_DELAY,
	FAULT_SIZE,		/* large datagrams are lost */
	FAULT_TYPE,		/* some types of messages are lost */
	FAULT_PARTITION,
	FAULT_HUNT,		/* whoever is primary is cut off */
	FAULT_REPLAY,		/* datagrams come again, much later */
	FAULT_GARBAGE,		/* damaged, foreign and misdirected datagrams */
	FAULT_CRASH,		/* for good */
	FAULT_RESTART,		/* without memory */
	FAULT_PAUSE,
	FAULT_SLOW_DISK,
	FAULT_LATE_TIMER,
	FAULT_CLOCK,		/* clocks run at different rates */
	FAULT_FORM,		/* faults from the start, not after forming */
	FAULT_ABANDON,		/* clients leave in the middle */
	FAULT_OLD_LIFE,		/* votes and the like come after a restart */
	FAULT_DEMOTE,		/* a shell does not trust its replica's memory */
	FAULT_ROLLBACK,		/* a machine goes back to a snapshot of itself */
	FAULT_LEAVE,		/* orderly stops */
	FAULT_BLACKOUT,		/* once, more lose their memory than may */
	FAULT_POWER,		/* of members with a journal more go down than may */
	FAULT_DISK,		/* a journal fails, or rots */
	FAULT_REMOTE,		/* client nodes stop, stand still, and are cut off */
	FAULT_OUTAGE,		/* of members with a record any number lose power */
	FAULT_RECORD,		/* writes of records hang, fail, break off; records are gone */
	FAULT_REFORM,		/* operators give up what is left */
	FAULT_EXCHANGE,		/* modules are exchanged for those of another version */
	FAULT_COUNT
};

struct sim_options {
	u64 seed;
	u8 replica_count;
	u8 remote_count;		/* client nodes */
	u64 node_lease_ns;
	u32 faults;			/* mask of enum sim_fault */
	bool memory_is_durable;
	bool journal;
	u8 records;			/* mask of members that keep one */
	u64 record_ns;			/* of a write of one slot */
	u64 lease_ns;
	u64 faulty_ns;			/* length of the safety phase */
	u64 heartbeat_ns;
	u64 view_timeout_ns;
	u16 generation;
	u32 sessions_max;
	u32 counters_max;
	u32 messages;
	u32 message_bytes;
	u32 client_count;		/* threads */
	u32 process_threads;		/* of one process, most */
	bool one_home;			/* all of them are at one member */
	u32 client_budget;		/* operations of a client */
	u32 read_percent;		/* of GETs that are no entries */
	u64 think_ns;
	u32 body_bytes;			/* largest message of a client */
	u32 body_bytes_max;		/* that a member takes */
	u32 loss_ppm;
	u32 duplicate_ppm;
	u32 size_ppm;
	u32 size_bytes;
	u64 type_mask;
	u32 type_ppm;
	u64 delay_ns;			/* network, shortest */
	u64 jitter_ns;
	u32 spike_ppm;
	u64 spike_ns;
	u32 replay_ppm;
	u32 withhold_ppm;
	u32 garbage_ppm;
	u64 fault_gap_ns;		/* mean time between crashes, cuts, pauses */
	u64 disk_ns;
	u64 late_ns;
	u32 clock_ppm;
	bool shuffle;			/* perform effects in any order */
	bool check_every_step;
	bool racing_forms;
	bool alike;			/* all members the same, with the smallest rings */
};

/** struct sim_limits - what is left of a seed that is made small */
struct sim_limits {
	u32 faults;		/* mask of those that may be */
	u32 clients;		/* at most so many threads */
};

/* --- what is counted over a whole run --- */

enum sim_mark {
	MARK_FORMED,
	MARK_FORM_REFUSED,
	MARK_FORM_RACE,
	MARK_UNFORMABLE,
	MARK_CRASH,
	MARK_RESTART,
	MARK_RESTART_UNFORMED,
	MARK_BLACKOUT,
	MARK_PAUSE,
	MARK_FREEZE,
	MARK_DEMOTE,
	MARK_ROLLBACK,
	MARK_LEAVE,
	MARK_LEFT,
	MARK_PARTITION,
	MARK_ONE_WAY,
	MARK_HUNT,
	MARK_CHAIN,
	MARK_REPLAY,
	MARK_WITHHELD,
	MARK_MEMORY_LOST,
	MARK_RECOVERED,
	MARK_RECOVERED_TWICE,
	MARK_AMNESIA,
	MARK_AMNESIA_OVER,
	MARK_DOOMED,
	MARK_CHECKPOINT,
	MARK_CHECKPOINTS_MET,
	MARK_CHECKPOINT_FETCHED,
	MARK_CHECKPOINT_RECOVERED,
	MARK_RING_WRAPPED,
	MARK_READER_OVERRUN,
	MARK_MEMBERS_DIFFER,
	MARK_DONE_APPLIED,
	MARK_DONE_NOT_APPLIED,
	MARK_DONE_UNKNOWN,
	MARK_DONE_AT_BACKUP,
	MARK_DONE_EARLY,
	MARK_JOIN,
	MARK_ASKED_AGAIN,
	MARK_ABANDONED,
	MARK_TAKEN_BACK,
	MARK_WINDOW_FULL,
	MARK_PASSED_OVER,
	MARK_SETTLED_APPLIED,
	MARK_SETTLED_NOT,
	MARK_READ_INDEX,
	MARK_READ_LEASE,
	MARK_READ_LOCAL,
	MARK_READ_LOCAL_OLD,
	MARK_EVICTED,
	MARK_COUNTERS_FULL,
	MARK_OVERFLOW,
	MARK_NOT_NEXT,
	MARK_BATCH,
	MARK_PIPELINE_DEEP,
	MARK_LOG_REPLACED,
	MARK_SUFFIX_FETCHED,
	MARK_STALE_DURABLE,
	MARK_VIEW_SKIPPED,
	MARK_POWER,
	MARK_TORN,
	MARK_RESTORED,
	MARK_RESTORED_TORN,
	MARK_DISK_FAILED,
	MARK_ROT,
	MARK_DAMAGED,
	MARK_JOURNAL_BASE,
	MARK_OUTAGE,
	MARK_MAROON,
	MARK_RECORD_TORN,
	MARK_RECORD_FAILED,
	MARK_RECORD_HALF,
	MARK_RECORD_DAMAGED,
	MARK_RECORD_GONE,
	MARK_RECORDS_GONE,
	MARK_COLD_NAMED,
	MARK_COLD_REFUSED,
	MARK_COLD_STARTED,
	MARK_COLD_JOINED,
	MARK_REFORM_NAMED,
	MARK_REFORMED,
	MARK_REFORM_REFUSED,
	MARK_FORMED_ANEW,
	MARK_FENCED,
	MARK_STRANDED,
	MARK_TWICE,
	MARK_DONE_REMOTE,
	MARK_REMOTE_MESSAGE,
	MARK_REMOTE_GAP,
	MARK_REMOTE_RESTART,
	MARK_NODE_END,
	MARK_UPGRADE,
	MARK_DOWNGRADE,
	MARK_WITHHELD_SERVICE,
	MARK_TOO_OLD,
	MARK_COUNT
};

/** struct sim_totals - sums; only u64, so that adding is a loop */
struct sim_totals {
	u64 seeds;
	u64 steps;
	u64 virtual_ns;
	u64 cpu_ns;
	u64 operations;
	u64 view_changes;
	u64 heal_timeouts_max;
	u64 views_after_heal_max;
	u64 leave_trips_max;		/* round trips, where nothing else happens */
	u64 cure_timeouts_max;		/* until a group without memory had one again */
	u64 marks[MARK_COUNT];
	u64 transitions[VR_STATUS_COUNT * VR_STATUS_COUNT]; /* from * COUNT + to */
	u64 drops[VR_DROP_COUNT];
	u64 sent[VR_TYPE_COUNT];
	u64 received[VR_TYPE_COUNT];
};

/* --- the parts --- */

enum sim_event_kind {
	SIM_DELIVER,
	SIM_TIMER,
	SIM_DURABLE,
	SIM_DISK,		/* a write of a journal ends */
	SIM_CLIENT,
	SIM_FAULT,
	SIM_RESUME,
	SIM_RESTART,
	SIM_STOP,		/* one that leaves has had its time */
	SIM_MEND,		/* a partition ends */
	SIM_OPERATOR,		/* says: form */
	SIM_HEAL,
	SIM_POLL,
	SIM_RECORD,		/* a slot of a record is written */
	SIM_OUTAGE,		/* power fails once more */
	SIM_REFORM,		/* an operator says: reform */
};

struct sim_event {
	u64 at_ns;
	u64 order;
	u8 kind;
	u8 slot;
	u32 number;		/* timer, client, fault or life */
	u64 epoch;
	u64 op;
	u64 promise;
	u8 *bytes;
	u32 byte_count;
	u32 memory;		/* DURABLE, DISK: how many were lost before it */
};

struct sim_queue {
	struct sim_event *heap;
	u32 count;
	u64 room;
	u64 order;
};

/** struct sim_vote - the log that a DO_VIEW_CHANGE offers, and who says so */
struct sim_vote {
	bool valid;
	u32 order;		/* of its arrival */
	u64 log_view;
	u64 op;
	u64 hash;
	u64 incarnation;
	u64 vector[VR_REPLICAS_MAX];
};

/** struct sim_hearing - the votes of others for one view that reached a replica */
struct sim_hearing {
	u64 view;		/* the newest it heard of */
	u32 count;
	bool revoked;		/* one of them was of a life that ended */
	struct sim_vote votes[VR_REPLICAS_MAX];
};

/** struct sim_word - a member's word that it holds an entry, and all before */
struct sim_word {
	u64 op;
	u64 hash;
	u64 incarnation;
};

/** struct sim_block - an entry on the disk, and the write that put it there */
struct sim_block {
	u64 op;
	u64 hash;
	u64 epoch;
};

/** struct sim_snapshot - a machine as it was */
struct sim_snapshot {
	u8 *memory;
	u8 *bodies[SIM_CLIENTS_ROOM];	/* that the core has pointers to */
	u16 body_bytes[SIM_CLIENTS_ROOM];
	u64 records[SIM_CLIENTS_ROOM];	/* of what was under way */
	u16 owner[SIM_HANDLES];
	struct sim_record record;
};

/* Who gets the answer of a handle, if no client does. */
#define OWNER_FREE	0
#define OWNER_NOBODY	0xffff	/* a process that is no more */

/** struct sim_node - one replica and the machine it lives on */
struct sim_node {
	u8 slot;
	bool up;
	u32 life;		/* 0 = the first */
	struct vr_replica *replica;
	struct vr_config config;
	struct vr_info info;	/* after the last step */
	struct vr_info before;	/* before it */
	u64 begin_request;	/* newest SESSION_BEGIN number of this life */
	u32 timer;		/* number of the timer event that counts */
	u64 timer_ns;		/* when it comes; 0 = there is none */
	u64 deadline_ns;	/* on the node's clock */
	u64 clock_offset_ns;
	s32 clock_ppm;
	u64 frozen_ns;		/* how much the clock lost in pauses */
	u64 clock_ns;		/* last time told to the replica */
	bool paused;
	bool pause_freezes;
	u64 paused_ns;
	u64 resume_ns;
	bool pause_loses;	/* datagrams; else the socket holds them */
	bool demoted_now;	/* by this step */
	bool demoted_next;	/* what happens to it is going to be noticed */
	bool reforming;		/* an operator waits */
	bool leaving;
	bool left;
	bool eased;		/* all others are well, and nothing else happens */
	u64 leave_ns;
	u64 leave_under_way;
	u32 held;
	u64 thawed_ns;		/* end of the last pause that froze the clock */
	u64 old_nonces[SIM_NONCES_MAX];	/* before it was demoted */
	u32 demotions;
	struct sim_snapshot *snapshot;	/* of this life, or NULL */
	u16 owner[SIM_HANDLES];	/* client + 1, or OWNER_ */
	u64 disk_free_ns;
	u64 same_time_steps;
	u64 steps;
	/* the checker's memory */
	struct sim_era *era;	/* the generation it acts in, or acted in last */
	u64 checked_commit;
	u64 checked_sequence;
	u64 persist_epoch;
	u32 memories;			/* lost */
	struct sim_block disk[SIM_DURABLE_MAX];	/* by op */
	bool acked;
	u64 acked_view;
	u64 acked_op;
	u64 acked_hash[SIM_DURABLE_MAX];	/* of what it acknowledged, by op */
	bool voted;
	u64 vote_view;
	u64 vote_digest;
	struct sim_vote vote;			/* its own */
	struct sim_hearing heard;
	bool was_formed;
	bool was_forming;
	bool recovered;				/* once in this life */
	u64 remote_heard_ns[SIM_REMOTES_MAX];	/* when a client's datagram came */
	u8 heard_version[VR_REPLICAS_MAX];	/* newest it has heard each voter in */
};

struct sim_dirty {
	u64 offset;
	u32 count;
};

/** struct sim_disk - the file of a member's journal, whatever becomes of the member */
struct sim_disk {
	struct vr_journal journal;
	struct vr_journal_shape shape;
	struct vr_journal_scan scan;
	struct vr_write write;		/* under way if busy */
	u8 *cache;			/* what reads see */
	u8 *stable;			/* what survives */
	u8 *buffer;
	u64 bytes;
	struct sim_dirty dirty[SIM_DIRTY_MAX];
	u32 dirty_count;
	bool busy;
	bool failed;
	bool rotten;			/* since it was last read */
	bool stale;			/* of before a recovery whose end is not on it */
	u64 life;			/* that it was last made whole in */
	u64 writes_life;		/* that the write under way is of */
	/* what lives that ended had said */
	u64 vote_view;
	u64 acked_view;
	u64 acked_op;
	u64 acked_hash;
};

struct sim_datagram {
	u8 from;
	u8 to;
	u8 *bytes;
	u32 byte_count;
};

struct sim_net {
	bool cut[SIM_NODES][SIM_NODES];			/* [from][to] */
	u32 cut_number;					/* of the partition in force */
	struct sim_datagram old[SIM_REPLAYS_MAX];
	u64 old_seen;
	struct sim_datagram withheld[SIM_WITHHELD_MAX];
	u32 withheld_count;
	u32 damaged;		/* the one of two fields that garbage damages in this seed */
};

enum sim_process_state {
	PROCESS_IDLE,		/* no session */
	PROCESS_BEGINNING,
	PROCESS_OPEN,
	PROCESS_ENDING,
	PROCESS_OVER,
};

/** struct sim_process - an open file: one session, used by some threads */
struct sim_process {
	enum sim_process_state state;
	u32 first;		/* client */
	u32 count;
	u64 session;
	u64 request;		/* newest number of the session */
	bool stale;		/* the session is known to have ended */
};

enum sim_client_state {
	CLIENT_IDLE,
	CLIENT_BUSY,		/* has a question, asked or to be asked again */
	CLIENT_FINISHED,
};

/** struct sim_client - a thread of a process: one request after the other */
struct sim_client {
	u8 slot;
	u32 life;
	u32 process;
	u32 handle;
	u32 settler;		/* handle that asks for the result of the request */
	enum sim_client_state state;
	bool waiting;		/* the replica owes an answer */
	bool submitted;		/* this request, once before */
	bool again;		/* this asks for a result it already has */
	bool settling;		/* a RESULT is under way */
	bool answered;		/* the request was, while its RESULT was under way */
	u32 budget;
	u32 wakeup;		/* number of the wake-up that counts */
	u64 session;
	u64 request;
	u8 kind;
	u8 read;
	u64 argument;
	u32 topic;
	u8 *body;
	u8 *given;		/* the copy that the core may look at */
	u16 body_bytes;
	u64 index_floor;	/* every op up to here was answered before */
	u64 record;		/* number in the history, plus one */
	u64 asked_ns;
	struct vr_result last;
	u64 written;		/* messages so far, names them */
};

/** struct sim_entry - what was committed at one op, whoever was first */
struct sim_entry {
	u64 hash;
	u64 view;
	u64 commit_view;	/* of the replica that committed it first */
	u64 primary_ns;		/* when the first primary committed it, 0 = none yet */
	u64 session;
	u64 request;
	u64 argument;
	u32 topic;
	u8 kind;
	u16 origin;
	u16 body_bytes;
	u8 *body;
	struct vr_result result;
};

struct sim_kept {
	u64 request;
	struct vr_result result;
};

struct sim_row {		/* the model's client table */
	u64 session;
	u64 nonce;
	u64 number;
	u64 view;
	u16 origin;
	u64 request;
	u64 active_op;
	struct sim_kept *kept;	/* all of the session, oldest first */
	u64 kept_count;
	u64 kept_room;
	u64 denied[2 * VR_WINDOW]; /* requests a client was told are not applied */
};

struct sim_value {		/* of a counter, since entry @op */
	u64 op;
	u64 last;
};

struct sim_counter {
	u8 name[VR_NAME_BYTES_MAX];
	u16 name_bytes;
	u64 last;
	struct sim_value *values;
	u64 value_count;
	u64 value_room;
};

struct sim_model {
	u64 base;
	u32 sessions_max;
	u32 counters_max;
	struct sim_row *rows;
	u32 row_count;
	struct sim_counter *counters;	/* the unnamed one first */
	u32 counter_count;
	u64 *messages;		/* op of each message; the first at [0] */
	u64 message_count;
	u64 message_room;
	bool broken_promise;		/* a request was applied that was said not to be */
};

/** struct sim_era - one generation of the group, as far as anybody acted in it */
struct sim_era {
	u16 generation;
	u32 instance;
	u64 base;
	struct sim_entry *entries;	/* op base + 1 at [0] */
	u64 entry_count;
	u64 entry_room;
	u64 primary_seen[SIM_VIEWS_MAX];	/* its incarnation */
	u64 view_max;
	struct sim_word words[VR_REPLICAS_MAX][SIM_DURABLE_MAX];
	struct sim_word checkpoints[SIM_CHECKPOINTS_MAX];
	u64 incarnations[VR_REPLICAS_MAX];	/* newest that recovered */
	struct sim_model model;
};

struct sim_checker {
	bool formed;
	struct sim_era *eras[SIM_ERAS_MAX];	/* by generation, ascending */
	u32 era_count;
	u64 index_done;			/* newest op any client was answered with */
	struct lin_op *history;		/* as the clients saw it */
	u64 history_count;
	u64 history_room;
};

enum sim_phase {
	PHASE_FAULTY,
	PHASE_LOST,		/* healed, but too many have lost their memory */
	PHASE_DOOMED,		/* and that is for good */
	PHASE_HEALED,
	PHASE_QUIET,		/* all is done; nothing may change any more */
	PHASE_OVER,
};

struct sim {
	struct sim_options options;
	struct sim_random random_net;
	struct sim_random random_fault;
	struct sim_random random_client;
	struct sim_random random_node;
	struct sim_random random_record;
	struct sim_random random_version;
	u8 versions[SIM_NODES];		/* of the wire format, by voter; 0 = the newest */
	bool clients_logged;		/* an entry of one was ever accepted */
	struct sim_queue queue;
	u64 now_ns;
	enum sim_phase phase;
	struct sim_node nodes[SIM_NODES];
	struct sim_disk disks[SIM_NODES];
	struct sim_record records[SIM_NODES];
	struct sim_net net;
	struct sim_client clients[SIM_CLIENTS_ROOM];
	u32 client_count;
	struct sim_process processes[SIM_CLIENTS_ROOM];
	u32 process_count;
	struct sim_checker checker;
	struct sim_totals totals;
	struct vr_effects *effects;
	struct vr_wire_scratch *scratch;
	struct vr_wire_group group;
	u32 lives_lost_unformed;
	bool blacked_out;
	u8 core_mask;			/* the members that must be well after healing */
	u64 healed_ns;
	u64 curable_ns;			/* since when a group without memory must get one */
	u64 healed_view;
	u64 quiet_ns;
	u64 doomed_question;		/* newest one in the history when it was */
	u64 digest;
	bool trace;
	/* Of who tells a story by hand; NULL in a seed. on_send: is it to go on? */
	bool (*on_send)(struct sim *sim, u8 from, u8 to, const struct vr_message *m);
	void (*on_step)(struct sim *sim, const struct sim_node *node,
			const struct vr_effects *fx);
	bool failed;
	char failure[512];
};

/* run.c */
void sim_run(struct sim *sim, u64 seed, const struct sim_limits *limits, bool trace);
void sim_free(struct sim *sim);

/* options.c */
extern const struct sim_limits sim_unlimited;
void options_draw(struct sim *sim, u64 seed, const struct sim_limits *limits);

/* world.c */
void *sim_room(void *array, u64 count, u64 *room, size_t size);
void *sim_allocate(size_t bytes);
void sim_post(struct sim *sim, struct sim_event *event, u64 delay_ns);
struct sim_event sim_next(struct sim *sim);
u8 sim_quorum(const struct sim *sim);
void sim_digest(struct sim *sim, u64 value);
void sim_digest_bytes(struct sim *sim, const void *bytes, size_t count);

/* node.c */
u64 node_clock(const struct sim_node *node, u64 time_ns);
void node_set_timer(struct sim *sim, struct sim_node *node);
void node_step(struct sim *sim, struct sim_node *node, struct vr_event *event);
void node_timer(struct sim *sim, struct sim_node *node, u32 number);
void node_durable(struct sim *sim, struct sim_node *node, struct sim_event *event);

void node_entries(struct sim_node *node, struct sim_event *event, u64 op_last);

/* disk.c */
void disk_boot(struct sim *sim, struct sim_node *node);
void disk_work(struct sim *sim, struct sim_node *node);
void disk_done(struct sim *sim, struct sim_node *node, struct sim_event *event);
void disk_acked(struct sim *sim, const struct sim_node *node, const struct vr_message *m);
void disk_forget(struct sim *sim, const struct sim_node *node);
void disk_crash(struct sim *sim, struct sim_node *node);
void disk_rot(struct sim *sim, struct sim_node *node);
bool disks_know_group(const struct sim *sim);
void disk_free(struct sim *sim);

/* life.c */
void node_boot(struct sim *sim, struct sim_node *node);
void node_kill(struct sim *sim, struct sim_node *node);
void node_pause(struct sim *sim, struct sim_node *node, u64 length_ns, bool freezes);
void node_resume(struct sim *sim, struct sim_node *node);
void node_demote(struct sim *sim, struct sim_node *node, bool rolled_back);
void node_remember(struct sim *sim, struct sim_node *node);
void node_roll_back(struct sim *sim, struct sim_node *node);
void node_leave(struct sim *sim, struct sim_node *node);
bool node_has_memory(const struct sim_node *node);

/* net.c */
void net_send(struct sim *sim, u8 from, const struct vr_message *m, u8 to);
u8 net_version(struct sim *sim, const struct vr_message *m, u8 to);
void net_deliver(struct sim *sim, const struct sim_event *event);
void net_replay(struct sim *sim);
void net_release(struct sim *sim, u8 slot);
void net_old_generation(struct sim *sim);
void net_part(struct sim *sim, u8 group, u64 length_ns);
void net_cut(struct sim *sim, u64 length_ns);
void net_cut_off(struct sim *sim, u8 slot, u64 length_ns);
void net_mend_in(struct sim *sim, u64 length_ns);
void net_mend(struct sim *sim, u32 number);
void net_heal(struct sim *sim);
void net_free(struct sim *sim);

/* fault.c */
void fault_start(struct sim *sim);
void fault_strike(struct sim *sim, u32 place);
void fault_stop(struct sim *sim, struct sim_node *node);
void fault_lose(struct sim *sim, struct sim_node *node);
void fault_restart(struct sim *sim, const struct sim_node *node);
bool fault_disk_fails(struct sim *sim, struct sim_node *node);
void fault_disk_failed(struct sim *sim, struct sim_node *node);
u8 healthy_mask(const struct sim *sim);
bool fault_may_lose(struct sim *sim, const struct sim_node *node);

void version_draw(struct sim *sim, const struct sim_limits *limits);
bool version_counts(const struct sim *sim, u8 slot);
void version_exchange(struct sim *sim);
void version_settle(struct sim *sim);
bool version_withholds(struct sim *sim);

/* remote.c */
void remote_cut(struct sim *sim);
u8 remote_home(struct sim *sim);
void remote_check(struct sim *sim, struct sim_node *node);
void remote_check_lease(struct sim *sim, const struct sim_node *node);
void remote_check_gate(struct sim *sim, const struct sim_node *node);
void remote_heard(struct sim *sim, struct sim_node *node, const struct vr_message *m);
const char *remote_unfinished(struct sim *sim, char *text, size_t room);

/* client.c */
void client_add(struct sim *sim, u8 slot, u32 threads, u32 budget);
void client_wake(struct sim *sim, u32 number, u32 wakeup);
void client_done(struct sim *sim, struct sim_node *node, const struct vr_done *done);
void client_node_died(struct sim *sim, const struct sim_node *node);
const u8 *client_counter_name(u32 name, u16 *bytes);

/* model.c */
void model_init(struct sim_model *model, u64 base, u32 sessions_max, u32 counters_max);
void model_apply(struct sim_model *model, const struct sim_entry *entry, u64 op,
		 struct vr_result *result);
struct sim_row *model_row(const struct sim_model *model, u64 session);
void model_recall(const struct sim_row *row, u64 request, struct vr_result *result);
u64 model_value(const struct sim_model *model, const u8 *name, u16 name_bytes, u64 op);
void model_free(struct sim_model *model);

/* era.c */
/** check_era - the generation that a number is of, NULL if nobody has acted in it */
struct sim_era *check_era(const struct sim *sim, u64 number);
/** check_latest - the latest generation there is, or NULL */
struct sim_era *check_latest(const struct sim *sim);
const struct sim_entry *check_entry(const struct sim *sim, u64 op);
/** check_newest - the newest op that was committed */
u64 check_newest(const struct sim *sim);
void era_enter(struct sim *sim, struct sim_node *node);
void check_free(struct sim *sim);

/* checker.c */
void check_step(struct sim *sim, struct sim_node *node);
void check_messages(struct sim *sim, struct sim_node *node);
void check_forget(struct sim_node *node);
bool check_is_durable(const struct sim_node *node, u64 op, u64 hash);
void check_send(struct sim *sim, struct sim_node *node, const struct vr_send *send);
void check_end(struct sim *sim);

/* answer.c */
u64 check_floor(const struct sim *sim);
void check_question(struct sim *sim, struct sim_client *client, u32 number);
void check_asked_again(struct sim *sim, const struct sim_client *client);
void check_refused(struct sim *sim, const struct sim_client *client);
void check_undone(struct sim *sim, const struct sim_node *node);
void check_answer(struct sim *sim, struct sim_client *client, const struct vr_done *done);
void check_settled(struct sim *sim, struct sim_client *client, const struct vr_done *done);
void check_history(struct sim *sim);

/* votes.c */
void check_vote(struct sim *sim, struct sim_node *node, const struct vr_message *m);
void check_heard(struct sim *sim, struct sim_node *node, const struct vr_message *m);
bool check_overheard(const struct sim_node *node);
void check_votes(struct sim *sim, struct sim_node *node, const struct vr_info *before);
void check_adopted(struct sim *sim, const struct sim_node *node, const struct vr_message *m);

/* shrink.c */
struct sim_limits shrink_seed(u64 seed, const char *failure, const struct sim_limits *limits,
			      const char *program);
int shrink_try(char **argv);

/* report.c */
__attribute__((format(printf, 2, 3)))
void sim_fail(struct sim *sim, const char *format, ...);
__attribute__((format(printf, 3, 4)))
void sim_trace(struct sim *sim, const struct sim_node *node, const char *format, ...);
void sim_trace_step(struct sim *sim, const struct sim_node *node, const struct vr_event *event,
		    const struct vr_effects *fx);
const char *sim_message_text(const struct vr_message *m, char *text, size_t room);
const char *sim_status_name(u8 status);
const char *sim_kind_name(u8 kind);
const char *sim_mark_name(enum sim_mark mark);
const char *sim_fault_name(enum sim_fault fault);
void report_seed(FILE *out, const struct sim *sim);
void report_totals(FILE *out, const struct sim_totals *totals);
u32 report_missed(FILE *out, const struct sim_totals *totals);

static inline void sim_mark(struct sim *sim, enum sim_mark mark)
{
	sim->totals.marks[mark]++;
}

static inline bool sim_is_remote(const struct sim_node *node)
{
	return node->slot >= VR_CLIENT_MIN;
}

static inline bool sim_has(const struct sim *sim, enum sim_fault fault)
{
	return sim->options.faults >> fault & 1;
}

#endif /* SIM_H */
