/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A group of replicas in memory whose network, clock and disk are the test's
 * hands: nothing is delivered, lost or late but by a call. Datagrams pass
 * through the wire format. Every step of every replica is followed by
 * vr_replica_check(). Knows the core by its public headers only.
 */
#ifndef CLUSTER_H
#define CLUSTER_H

#include "vr_replica.h"
#include "vr_wire.h"
#include "vrt.h"

#define CLUSTER_BODY_BYTES_MAX	1024
#define CLUSTER_HEARTBEAT_NS	(10 * VR_NS_PER_MS)
#define CLUSTER_TIMEOUT_NS	(50 * VR_NS_PER_MS)
#define CLUSTER_HANDLES		128
#define CLUSTER_LETTERS		512	/* under way at once */
#define CLUSTER_ANY		0xff

/** struct letter - a datagram under way */
struct letter {
	bool there;
	u8 type;
	u8 from;
	u8 to;
	u8 version;
	u32 bytes;
	u8 data[VR_DATAGRAM_BYTES_MAX];
};

#define CLUSTER_CLIENTS_MAX	3
#define CLUSTER_CLIENT		VR_CLIENT_MIN
#define CLUSTER_PLACES		(CLUSTER_CLIENT + CLUSTER_CLIENTS_MAX)

/** struct answer - how often a handle was answered, and the last time how */
struct answer {
	u32 count;
	struct vr_done done;
};

/**
 * struct cluster - replicas and what is between them
 * @clients:	added by cluster_client(); their places are CLUSTER_CLIENT and behind, and
 *		that is their member id too
 * @down:	mask of those that are not stepped
 * @cut:	by sender: mask of those its datagrams do not reach
 * @slow_disk:	nothing is durable until cluster_disk()
 * @record:	by slot: what is on its disk
 * @record_writes: by slot: writes that ended well
 * @record_error: by slot: what every write of it ends with
 * @slow_record: by slot: no write ends until cluster_record()
 * @record_wanted: by slot: one is under way, @record_number of @record_content
 * @members:	by slot: digest of the member list it was given
 * @sent:	by slot and type: datagrams sent since cluster_forget()
 * @form_count:	by slot: FORMs of the operator that ended
 * @left:	by slot: steps that said that it may go
 * @readable:	by slot: steps that made messages readable
 * @draft:	message for cluster_receive(), see cluster_draft()
 * @draft_entry: its only entry, if it has one
 */
struct cluster {
	struct vrt *t;
	u8 count;
	u8 clients;
	u16 down;
	u16 cut[CLUSTER_PLACES];
	bool slow_disk;
	u64 now_ns;
	struct vr_record record[CLUSTER_PLACES];
	u32 record_writes[CLUSTER_PLACES];
	s32 record_error[CLUSTER_PLACES];
	bool slow_record[CLUSTER_PLACES];
	bool record_wanted[CLUSTER_PLACES];
	u64 record_number[CLUSTER_PLACES];
	struct vr_record record_content[CLUSTER_PLACES];
	u64 members[CLUSTER_PLACES];
	struct vr_config config[CLUSTER_PLACES];
	struct vr_replica *replicas[CLUSTER_PLACES];
	u64 deadline_ns[CLUSTER_PLACES];
	bool persist[CLUSTER_PLACES];
	u64 persist_epoch[CLUSTER_PLACES];
	u64 persist_op[CLUSTER_PLACES];
	u64 persist_promise[CLUSTER_PLACES];
	u32 sent[CLUSTER_PLACES][VR_TYPE_COUNT];
	u32 form_count[CLUSTER_PLACES];
	u8 form_error[CLUSTER_PLACES];
	u8 form_slot[CLUSTER_PLACES];
	u32 left[CLUSTER_PLACES];
	u32 readable[CLUSTER_PLACES];
	struct answer answers[CLUSTER_PLACES][CLUSTER_HANDLES];
	struct letter *letters;
	u32 first;
	u32 last;
	struct vr_effects *fx;
	struct vr_wire_scratch *scratch;
	struct vr_info *info;
	struct vr_message draft;
	struct vr_entry draft_entry;
	u64 draft_hashes[VR_HASHES_MAX];
};

/** cluster_new - @count blank replicas, started */
struct cluster *cluster_new(struct vrt *t, u8 count);

/** cluster_formed - cluster_new(), formed by slot 0: normal in view 0 */
struct cluster *cluster_formed(struct vrt *t, u8 count);

/** cluster_tuned - cluster_formed(), every configuration changed by @tune before */
struct cluster *cluster_tuned(struct vrt *t, u8 count, void (*tune)(struct vr_config *cfg));

/** cluster_begun - cluster_tuned(), or, if it is not @formed, as blank as cluster_new() */
struct cluster *cluster_begun(struct vrt *t, u8 count, bool formed,
			      void (*tune)(struct vr_config *cfg));

/** cluster_client - add a client that knows the voters, started; its place */
u8 cluster_client(struct cluster *c);

/** cluster_restart - a replica comes back without memory */
void cluster_restart(struct cluster *c, u8 slot);

/** cluster_recovers - a replica restarts and gets its memory back, time going by */
void cluster_recovers(struct cluster *c, u8 slot);

/** cluster_demote - the shell does not trust its memory any more */
void cluster_demote(struct cluster *c, u8 slot);

/** cluster_leave - the shell is about to stop it */
void cluster_leave(struct cluster *c, u8 slot);

/** cluster_step - one event at one replica, at c->now_ns */
void cluster_step(struct cluster *c, u8 slot, struct vr_event *event);

void cluster_form(struct cluster *c, u8 slot, u16 generation, u64 form_id);
void cluster_timeout(struct cluster *c, u8 slot);

/** cluster_record - the write of the record under way ends, if there is one */
void cluster_record(struct cluster *c, u8 slot);

/** cluster_recorded - @count blank replicas with a blank record each, started */
struct cluster *cluster_recorded(struct vrt *t, u8 count);

/** cluster_reform - the operator gives up what is left */
void cluster_reform(struct cluster *c, u8 slot);

/** cluster_disk - what the replica wants durable is so now */
void cluster_disk(struct cluster *c, u8 slot);

/** cluster_submit - session 0 with kind SESSION_BEGIN begins one */
void cluster_submit(struct cluster *c, u8 slot, u32 handle, u8 kind, u64 session,
		    u64 request, u64 argument, const char *text);

/** cluster_ask_again - the same, saying that it was submitted before */
void cluster_ask_again(struct cluster *c, u8 slot, u32 handle, u8 kind, u64 session,
		       u64 request, u64 argument);

/** cluster_read - GET of the unnamed counter, session and request unused */
void cluster_read(struct cluster *c, u8 slot, u32 handle, enum vr_read read);

/** cluster_hop - one message delay: deliver what is under way now; how much it was */
u32 cluster_hop(struct cluster *c);

/** cluster_run - deliver everything, oldest first, until nothing is under way */
void cluster_run(struct cluster *c);

/** cluster_wait - let time pass, delivering at once and firing timers in order */
void cluster_wait(struct cluster *c, u64 ns);

/** cluster_forget - lose everything under way and count sends from 0 again */
void cluster_forget(struct cluster *c);

/** cluster_find - the oldest such datagram under way, NULL if there is none */
struct letter *cluster_find(struct cluster *c, u8 type, u8 from, u8 to);

/** cluster_take - remove it from the network and keep it; it must be there */
struct letter *cluster_take(struct cluster *c, u8 type, u8 from, u8 to);

/** cluster_deliver - hand over a letter, now and as often as it is asked for */
void cluster_deliver(struct cluster *c, const struct letter *letter);

/** cluster_open - what a letter says; valid until the next step */
const struct vr_message *cluster_open(struct cluster *c, const struct letter *letter);

/**
 * cluster_draft - begin a message that nobody sent
 *
 * In the generation, view and commit number of its receiver, incarnation 1.
 * To be changed in c->draft and received by cluster_receive().
 */
struct vr_message *cluster_draft(struct cluster *c, u8 type, u8 from, u8 to);

/** cluster_draft_entry - give the draft one entry, a NEXT of session @session */
struct vr_entry *cluster_draft_entry(struct cluster *c, u64 session, u64 request);

void cluster_receive(struct cluster *c);

/** cluster_begin - a session at a replica, through the whole group; its id */
u64 cluster_begin(struct cluster *c, u8 slot, u32 handle);

/** cluster_next - one NEXT through the whole group; the number */
u64 cluster_next(struct cluster *c, u8 slot, u32 handle, u64 session, u64 request);

/** cluster_info - a look at a replica; valid until the next call */
const struct vr_info *cluster_info(struct cluster *c, u8 slot);

u8 cluster_status(struct cluster *c, u8 slot);
u64 cluster_drops(struct cluster *c, u8 slot, enum vr_drop drop);

/** cluster_agrees - every live, normal replica has the same committed log */
void cluster_agrees(struct cluster *c);

/* Expects the last answer to a handle. */
#define EXPECT_ANSWER(c, slot, handle, answer_count, is_outcome, is_error) do { \
		const struct answer *a_ = &(c)->answers[slot][handle]; \
		VRT_EXPECT_EQUAL((c)->t, a_->count, answer_count); \
		VRT_EXPECT_EQUAL((c)->t, a_->done.outcome, is_outcome); \
		VRT_EXPECT_EQUAL((c)->t, a_->done.result.error, is_error); \
	} while (0)

#define EXPECT_STATUS(c, slot, is_status) \
	VRT_EXPECT_EQUAL((c)->t, cluster_status(c, slot), is_status)

#define EXPECT_DROPS(c, slot, drop, drop_count) \
	VRT_EXPECT_EQUAL((c)->t, cluster_drops(c, slot, drop), drop_count)

#endif /* CLUSTER_H */
