// SPDX-License-Identifier: GPL-2.0
/*
 * The states of the group that were found, how each was first reached, and which
 * is to be looked at next.
 *
 * Of every state (bounds.every): in the order they were found, so that the first
 * one that is broken has a shortest trace.
 *
 * Else of those that no other covers. A state covers another one if its replicas
 * are the same, and have sent and shown no less. Who gets a message can do what he
 * could do without it, for he may never see it, and nothing that was shown becomes
 * untrue: so to each step from the covered state there is the same one from the
 * other, to a state that covers where it leads. What is broken beyond the one is
 * broken beyond the other, and the covered one need not be looked at. (Abdulla,
 * Cerans, Jonsson, Tsay, "General decidability theorems for infinite-state
 * systems", 1996; Finkel and Schnoebelen, "Well-structured transition systems
 * everywhere!", 2001.)
 *
 * Covering pays if the covering state is found first. So those go first whose
 * replicas have done little: what is to come of a group of images from others has
 * mostly come when its turn comes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "explore.h"

#define RANKS		4096
#define LATEST		(RANKS / VR_REPLICAS_MAX - 1)
#define COVERED		U32_MAX
#define TELL_EVERY	(1u << 20)

/**
 * struct state - one, and how it was first reached
 * @group:	what it is
 * @parent:	from which one, 0 = it is the first
 * @action:	by what
 * @next:	with the same replicas, found before; COVERED if another covers it
 */
struct state {
	struct group group;
	u32 parent;
	u32 action;
	u32 next;
};

/** struct list - numbers of states, the last one goes first */
struct list {
	u32 *states;
	u32 max;
	u32 count;
};

static struct state *states;
static u32 state_count;
static u32 state_max;

/* all states by what they are, if every one counts */
static u32 *table;
static u32 table_size;
static u32 looked_at;
static u32 level_end = 1;
static u32 depth;

/* the newest state of each combination of replicas, else */
static struct intern replicas;
static struct intern combinations;
static u32 *newest;
static u32 newest_max;
static u32 *replica_of;
static u32 replica_max;
static struct list waiting[RANKS];
static u32 waiting_count;
static u32 lowest;
static u32 *rank_of;
static u32 rank_max;

/* A place in an array that grows with zeroes. */
static u32 *place(u32 **array, u32 *max, u32 number)
{
	while (number >= *max) {
		u32 before = *max;

		*array = grow(*array, max, sizeof(**array));
		memset(*array + before, 0, (*max - before) * sizeof(**array));
	}
	return &(*array)[number];
}

/* --- replicas without what they have sent --- */

static u32 replica(u32 local)
{
	u32 *number = place(&replica_of, &replica_max, local);

	if (!*number) {
		struct local l = *search_local(local);

		memset(l.out, 0, sizeof(l.out));
		*number = intern(&replicas, &l, sizeof(l));
	}
	return *number;
}

static u32 combination(const struct group *g)
{
	u32 of[VR_REPLICAS_MAX] = { 0 }, slot;

	for (slot = 0; slot < bounds.replicas; slot++)
		of[slot] = replica(g->locals[slot]);
	return intern(&combinations, of, sizeof(of));
}

u32 states_combinations(void)
{
	return combinations.count;
}

/* --- who covers whom --- */

/* Has @a sent all that @b has? They are the same replica. */
static bool sent_no_less(u32 a, u32 b)
{
	const struct local *x, *y;
	u32 to;

	if (a == b)
		return true;
	x = search_local(a);
	y = search_local(b);
	for (to = 0; to < bounds.replicas; to++) {
		if (!set_has_all(x->out[to], y->out[to]))
			return false;
	}
	return true;
}

static bool shown_no_less(u32 a, u32 b)
{
	u32 broken;

	return a == b || (check_facts(a, b, &broken) == a && !broken);
}

/* Of two states with the same replicas. */
static bool covers(const struct group *a, const struct group *b)
{
	u32 slot;

	for (slot = 0; slot < bounds.replicas; slot++) {
		if (!sent_no_less(a->locals[slot], b->locals[slot]))
			return false;
	}
	return shown_no_less(a->facts, b->facts);
}

/* Returns false if @g is covered; what it covers is taken out. */
static bool make_way(u32 *first, const struct group *g)
{
	u32 *link = first;

	while (*link) {
		struct state *other = &states[*link];

		if (covers(&other->group, g))
			return false;
		if (covers(g, &other->group)) {
			*link = other->next;
			other->next = COVERED;
		} else {
			link = &other->next;
		}
	}
	return true;
}

/* --- which is next --- */

static u32 *rank_at(u32 image)
{
	return place(&rank_of, &rank_max, image);
}

/* The number of steps it takes to @after, on the longest way that is known. */
static void learn_rank(u32 before, u32 after)
{
	u32 rank = *rank_at(before) + 1;

	if (before != after && rank > *rank_at(after) && rank <= LATEST)
		*rank_at(after) = rank;
}

static u32 rank(const struct group *g)
{
	u32 slot, sum = 0;

	for (slot = 0; slot < bounds.replicas; slot++)
		sum += *rank_at(search_local(g->locals[slot])->image);
	return sum;
}

static void wait_for_turn(u32 state)
{
	u32 r = rank(&states[state].group);
	struct list *list = &waiting[r];

	while (list->count >= list->max)
		list->states = grow(list->states, &list->max, sizeof(*list->states));
	list->states[list->count++] = state;
	waiting_count++;
	lowest = vr_min(lowest, r);
}

/* Images may have turned out to be later than they were taken to be. */
static u32 next_uncovered(void)
{
	while (waiting_count) {
		struct list *list = &waiting[lowest];
		u32 state;

		if (!list->count) {
			lowest++;
			continue;
		}
		state = list->states[--list->count];
		waiting_count--;
		if (states[state].next == COVERED)
			continue;
		if (rank(&states[state].group) <= lowest)
			return state;
		wait_for_turn(state);
	}
	return 0;
}

static u32 next_of_every(void)
{
	if (looked_at == state_count)
		return 0;
	if (looked_at++ == level_end) {
		level_end = state_count;
		depth++;
		if (bounds.tell_levels)
			fprintf(stderr, "# depth %u: %u states, %zu MB\n", depth, state_count,
				bytes_used >> 20);
	}
	return looked_at;
}

/* The next state to look at, 0 = there is none. */
u32 states_next(void)
{
	if (bounds.every)
		return next_of_every();
	if (bounds.tell_levels && !(++looked_at % TELL_EVERY))
		fprintf(stderr, "# looked at %u of %u states, %u wait, %zu MB\n", looked_at,
			state_count, waiting_count, bytes_used >> 20);
	return next_uncovered();
}

/* --- all of them --- */

static u32 *find(const struct group *g)
{
	u32 i = hash_bytes(g, sizeof(*g)) & (table_size - 1);

	while (table[i] && memcmp(&states[table[i]].group, g, sizeof(*g)))
		i = (i + 1) & (table_size - 1);
	return &table[i];
}

static void enlarge_table(void)
{
	u32 i;

	if (3 * (u64)(state_count + 1) < 2 * (u64)table_size)
		return;
	free(table);
	table = grow(NULL, &table_size, sizeof(*table));
	memset(table, 0, table_size * sizeof(*table));
	for (i = 1; i <= state_count; i++)
		*find(&states[i].group) = i;
}

static u32 append(const struct group *g, u32 parent, u32 action)
{
	while (state_count + 1 >= state_max)
		states = grow(states, &state_max, sizeof(*states));
	states[++state_count] = (struct state){
		.group = *g,
		.parent = parent,
		.action = action,
	};
	return state_count;
}

/* A state that was reached. One that is @broken is the last. */
void states_add(const struct group *g, u32 parent, u32 action, bool broken)
{
	u32 known, *first, slot = action_slot(action);

	if (parent && !broken && !bounds.every)
		learn_rank(search_local(states[parent].group.locals[slot])->image,
			   search_local(g->locals[slot])->image);
	if (broken) {
		append(g, parent, action);
	} else if (bounds.every) {
		enlarge_table();
		if (*find(g))
			return;
		*find(g) = append(g, parent, action);
		combination(g);
	} else {
		known = combination(g);
		first = place(&newest, &newest_max, known);
		if (!make_way(first, g))
			return;
		known = *first;
		*first = append(g, parent, action);
		states[*first].next = known;
		wait_for_turn(*first);
	}
}

u32 states_count(void)
{
	return state_count;
}

const struct group *states_group(u32 state)
{
	return &states[state].group;
}

u32 states_depth(u32 state)
{
	u32 steps = 0;

	for (; states[state].parent; state = states[state].parent)
		steps++;
	return steps;
}

/* The states from the first to this one, and the actions between them. */
void states_path(u32 state, struct group *groups, u32 *actions)
{
	u32 i = states_depth(state);

	for (;; i--) {
		groups[i] = states[state].group;
		if (!i)
			return;
		actions[i - 1] = states[state].action;
		state = states[state].parent;
	}
}
