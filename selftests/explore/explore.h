/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An exhaustive search over the real core, within bounds. What its parts share:
 * the bounds, what one replica can do, and what is known about each state.
 *
 * A replica is flat memory at an address of its own; its image, brought into
 * one form (image.c), has a number. What a replica does next depends on its
 * image and the action alone, so each step of the core is made once (world.c).
 * With what the slot has ever sent, an image is a local state; a state of the
 * group is one local state for each slot and what they have shown (search.c). Messages are
 * never taken away: any may arrive at any later time, as often as it likes, or
 * never. That is loss, delay, duplication and reordering in one.
 */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "intern.h"
#include "vr_replica.h"

#define EXPLORE_NOW_NS	(1000000 * VR_NS_PER_MS)	/* time stands still */

/** struct bounds - what is explored
 * @replicas:	members of the group
 * @ops:	operations asked for
 * @views:	newest view that may be entered
 * @crashes:	losses of memory, all members together
 * @retries:	attempts to get memory back that are begun anew, all members together
 * @only_group:	what a replica finds wrong with itself is no failure, not even that
 *		it halts: only what the group shows is (A1 to A4)
 * @keep_idle:	do not drop messages that can do nothing any more
 * @keep_answers: nor answers to questions that are not asked any more
 * @every:	visit every state, not only those that no other covers
 * @tell_levels: say how far it is
 * @journal:	entries become durable when the shell says so, not when they are held
 * @backups_ask: operations may be asked for at any member, not at a primary only
 */
struct bounds {
	u32 replicas;
	u32 ops;
	u32 views;
	u32 crashes;
	u32 retries;
	bool only_group;
	bool keep_idle;
	bool keep_answers;
	bool every;
	bool tell_levels;
	bool journal;
	bool backups_ask;
};

extern struct bounds bounds;

/*
 * An action is a number: what, at whom, and which message, timer, operation or
 * life it is about.
 */
enum action_type {
	ACTION_DELIVER = 1,
	ACTION_TIMER,
	ACTION_SUBMIT,
	ACTION_CRASH,
	ACTION_RETRY,
	ACTION_DURABLE,
};

static inline u32 action_make(enum action_type type, u32 slot, u32 about)
{
	return (u32)type << 28 | slot << 24 | about;
}

static inline enum action_type action_type(u32 action)
{
	return action >> 28;
}

static inline u32 action_slot(u32 action)
{
	return action >> 24 & 15;
}

static inline u32 action_about(u32 action)
{
	return action & 0xffffff;
}

/** struct face - what of an image the search must know */
struct face {
	u8 slot;
	u8 status;
	bool leads;		/* is the normal primary of its view */
	u32 timers;		/* that may fire, bit by bit */
	u64 view;
	u64 last_normal_view;
	u64 op;
	u64 commit;
	u64 durable;
	u64 question[2];	/* name of the one for its memory, 0 = has it */
	u64 vector[VR_REPLICAS_MAX];
	u8 voted;		/* whose votes it has, bit by bit */
};

/**
 * struct outcome - what a step leads to
 * @image:	after it, 0 = beyond the bounds
 * @broken:	number of a text in check.c, 0 = all is well
 * @facts:	set: what was not known before and will stay true, see check.c
 * @sends:	by slot, set of messages
 */
struct outcome {
	u32 image;
	u32 broken;
	u32 facts;
	u32 sends[VR_REPLICAS_MAX];
};

/* world.c: what the core does */
void world_begin(void);
u32 world_image(u32 slot);	/* at the start, when the group was formed */
const struct outcome *world_step(u32 image, u32 action);
const struct face *world_face(u32 image);
bool world_hash(u32 image, u64 op, u64 *hash);
const struct vr_message *world_message(u32 message);
void world_counts(u32 *images, u32 *messages, u32 *steps);

/* image.c: one form for what is one state */
void image_begin(u32 slot, u8 *memory, size_t size);
u32 image_save(u32 slot);
void image_load(u32 image);
u32 image_timers(const struct vr_replica *r);
u32 image_count(void);

/* idle.c: which messages can do nothing any more */
u32 idle_horizon(u32 image, bool remembers);
u32 idle_drop(u32 messages, u32 horizon, const u64 *question);
u32 idle_wrong(u32 every, u64 *tried);

/* check.c: what must never be */
u32 check_step(const struct face *before, const struct vr_replica *r);
u32 check_done(u32 slot, const struct vr_replica *r, const struct vr_effects *fx);
u32 check_broken(const struct vr_replica *r);
u32 check_say(const char *text);
u32 check_facts(u32 known, u32 shown, u32 *broken);
const char *check_text(u32 broken);

/* search.c: where it leads */

/** struct local - one slot: an image, and all it ever sent */
struct local {
	u32 image;
	u32 broken;
	u32 out[VR_REPLICAS_MAX];	/* sets of messages, by addressee */
	u32 ops;
	u32 crashes;
	u32 retries;
};

/** struct group - a state: a local state for each slot, and what was ever shown */
struct group {
	u32 locals[VR_REPLICAS_MAX];
	u32 facts;
};

#define ACTIONS_MAX 4096

/** struct listing - actions that may do something */
struct listing {
	u32 actions[ACTIONS_MAX];
	u32 count;
};

/**
 * struct report - what a search has come to
 * @states:	found
 * @transitions: between them, those to a state known before too
 * @beyond:	transitions left out because they leave the bounds
 * @locals:	local states
 * @combinations: of replicas in them, whatever they have sent
 * @depth:	actions from the first state to the last one
 * @exhausted:	there are no more states
 * @broken:	what is wrong in the last state found, see check.c; 0 = nothing
 */
struct report {
	u64 states;
	u64 transitions;
	u64 beyond;
	u32 combinations;
	u32 locals;
	u32 depth;
	bool exhausted;
	u32 broken;
};

void search(struct report *report, size_t bytes_max);
const struct local *search_local(u32 number);
u32 search_apply(u32 local, u32 action);
bool search_only_sends(u32 image, u32 action);
void search_start(struct group *g);
void search_settle(struct group *g, void (*tell)(u32 action, u32 before, u32 after));

/* states.c: which states there are, and which is next */
void states_add(const struct group *g, u32 parent, u32 action, bool broken);
u32 states_next(void);
u32 states_count(void);
u32 states_combinations(void);
const struct group *states_group(u32 state);
u32 states_depth(u32 state);
void states_path(u32 state, struct group *groups, u32 *actions);

/* trace.c: how it got there */
void trace_print(u64 state);
void trace_message(u32 message);

#endif /* EXPLORE_H */
