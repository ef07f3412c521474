// SPDX-License-Identifier: GPL-2.0
/*
 * From each state of the group to all that come after it, see states.c.
 *
 * A local state is an image and all the slot has ever sent, in all its lives; a
 * state is one local state for each slot, and so holds the whole network, and
 * what all have ever shown. States are compared as they are, not by a hash.
 *
 * What only sends, and changes nothing else, is done at once and
 * is no state of its own. The state after it is reached anyway, and can do all
 * that the state before it can: a message more forbids nothing to anybody. So
 * nothing is lost, and traces still say who sent what, and when (trace.c). After
 * that, messages that can do nothing any more are dropped (idle.c).
 */
#include <stdlib.h>

#include "explore.h"

/**
 * struct reactions - what an image does with a set of messages, or by itself
 * @says:	set of messages by addressee: of all steps that only send
 * @beyond:	steps that leave the bounds
 * @list:	all other steps that do anything
 */
struct reactions {
	u32 says[VR_REPLICAS_MAX];
	u32 beyond;
	u32 count;
	u32 list[];
};

static struct intern locals;
static struct intern reaction_lists;
static struct map reactions_of_set;

const struct local *search_local(u32 number)
{
	return interned(&locals, number, NULL);
}

/* Before anything is said. */
void search_start(struct group *g)
{
	u32 slot;

	memset(g, 0, sizeof(*g));
	for (slot = 0; slot < bounds.replicas; slot++) {
		struct local l = { .image = world_image(slot) };

		g->locals[slot] = intern(&locals, &l, sizeof(l));
	}
}

/* The local state after an action, 0 = beyond the bounds. */
u32 search_apply(u32 local, u32 action)
{
	struct local l = *search_local(local);
	const struct outcome *o = world_step(l.image, action);
	u32 to;

	l.image = o->image;
	l.broken = o->broken;
	for (to = 0; to < VR_REPLICAS_MAX; to++)
		l.out[to] = set_union(l.out[to], o->sends[to]);
	l.ops += action_type(action) == ACTION_SUBMIT;
	l.crashes += action_type(action) == ACTION_CRASH;
	l.retries += action_type(action) == ACTION_RETRY;
	return l.image || l.broken ? intern(&locals, &l, sizeof(l)) : 0;
}

/* --- what a local state can do --- */

static void list_action(struct listing *l, u32 action)
{
	if (l->count == VR_ARRAY_COUNT(l->actions))
		abort();
	l->actions[l->count++] = action;
}

/* Deliveries of @messages; with none the timers. */
static void list_steps(struct listing *list, u32 image, u32 messages)
{
	const struct face *face = world_face(image);
	u32 count, i;
	const u32 *members = set_members(messages, &count);
	u64 op;

	list->count = 0;
	for (i = 0; i < count; i++)
		list_action(list, action_make(ACTION_DELIVER, face->slot, members[i]));
	for (op = face->durable + 1; bounds.journal && !messages && op <= face->op &&
	     face->status == VR_STATUS_NORMAL; op++)
		list_action(list, action_make(ACTION_DURABLE, face->slot, op));
	for (i = 0; i < 32 && !messages; i++) {
		if (face->timers & (1u << i))
			list_action(list, action_make(ACTION_TIMER, face->slot, i));
	}
}

/* What the bounds of the group allow, and maybe not yet. */
static void list_faults(struct listing *list, u32 local)
{
	const struct local *l = search_local(local);
	const struct face *face = world_face(l->image);

	list->count = 0;
	if (l->ops < bounds.ops && face->status == VR_STATUS_NORMAL &&
	    (face->leads || bounds.backups_ask))
		list_action(list, action_make(ACTION_SUBMIT, face->slot, l->ops));
	if (l->crashes < bounds.crashes)
		list_action(list, action_make(ACTION_CRASH, face->slot, l->crashes + 1));
	if (l->retries < bounds.retries && face->status == VR_STATUS_RECOVERING)
		list_action(list, action_make(ACTION_RETRY, face->slot, 0));
}

bool search_only_sends(u32 image, u32 action)
{
	const struct outcome *o = world_step(image, action);

	return o->image == image && !o->facts && !o->broken &&
	       (action_type(action) == ACTION_DELIVER || action_type(action) == ACTION_TIMER);
}

static u32 react(u32 image, u32 messages)
{
	static struct listing list;
	static struct {
		struct reactions reactions;
		u32 list[ACTIONS_MAX];
	} room;
	struct reactions *r = &room.reactions;
	u32 i, to;

	memset(r, 0, sizeof(*r));
	list_steps(&list, image, messages);
	for (i = 0; i < list.count; i++) {
		const struct outcome *o = world_step(image, list.actions[i]);

		if (!o->image && !o->broken) {
			r->beyond++;
		} else if (!search_only_sends(image, list.actions[i])) {
			room.list[r->count++] = list.actions[i];
		} else {
			for (to = 0; to < bounds.replicas; to++)
				r->says[to] = set_union(r->says[to], o->sends[to]);
		}
	}
	return intern(&reaction_lists, &room,
		      offsetof(struct reactions, list) + r->count * sizeof(u32));
}

static const struct reactions *reactions_of(u32 image, u32 messages)
{
	u64 key = map_key(image, messages);
	u32 number = map_get(&reactions_of_set, key);

	if (!number) {
		number = react(image, messages);
		map_put(&reactions_of_set, key, number);
	}
	return interned(&reaction_lists, number, NULL);
}

/* The local state after all that only sends has been done. */
static u32 say_all(u32 local, u32 messages)
{
	const struct local *before = search_local(local);
	const struct reactions *r = reactions_of(before->image, messages);
	struct local l = *before;
	bool more = false;
	u32 to;

	for (to = 0; to < bounds.replicas; to++) {
		l.out[to] = set_union(l.out[to], r->says[to]);
		more |= l.out[to] != before->out[to];
	}
	return more ? intern(&locals, &l, sizeof(l)) : local;
}

/* The same, one after the other. */
static u32 tell_all(u32 local, u32 messages, void (*tell)(u32, u32, u32))
{
	static struct listing list;
	u32 image = search_local(local)->image, i;

	list_steps(&list, image, messages);
	for (i = 0; i < list.count; i++) {
		u32 after;

		if (!search_only_sends(image, list.actions[i]))
			continue;
		after = search_apply(local, list.actions[i]);
		if (after != local)
			tell(list.actions[i], local, after);
		local = after;
	}
	return local;
}

static u32 crashes_of(const struct group *g)
{
	u32 slot, crashes = 0;

	for (slot = 0; slot < bounds.replicas; slot++)
		crashes += search_local(g->locals[slot])->crashes;
	return crashes;
}

static void drop_idle(struct group *g)
{
	bool remembers = crashes_of(g) == bounds.crashes;
	u32 slot, to;

	for (slot = 0; slot < bounds.replicas; slot++) {
		struct local l = *search_local(g->locals[slot]);
		bool less = false;

		for (to = 0; to < bounds.replicas; to++) {
			u32 image = search_local(g->locals[to])->image, out;

			out = idle_drop(l.out[to], idle_horizon(image, remembers),
					world_face(l.image)->question);
			less |= out != l.out[to];
			l.out[to] = out;
		}
		if (less)
			g->locals[slot] = intern(&locals, &l, sizeof(l));
	}
}

/* Do all that only sends, until there is no more of it; then drop what is idle. */
void search_settle(struct group *g, void (*tell)(u32 action, u32 before, u32 after))
{
	u32 slot, from;
	bool again = true;

	while (again) {
		again = false;
		for (slot = 0; slot < bounds.replicas; slot++) {
			for (from = 0; from < bounds.replicas; from++) {
				u32 messages = from == slot ? 0 :
					       search_local(g->locals[from])->out[slot];
				u32 settled;

				if (from != slot && !messages)
					continue;
				settled = tell ? tell_all(g->locals[slot], messages, tell) :
						 say_all(g->locals[slot], messages);
				again |= settled != g->locals[slot];
				g->locals[slot] = settled;
			}
		}
	}
	if (!bounds.keep_idle)
		drop_idle(g);
}

/* --- states --- */

/* Returns what is wrong in the state that @action leads to, or 0. */
static u32 add(const struct group *from, u32 action, u32 parent)
{
	struct group next = *from;
	u32 slot = action_slot(action), broken = 0;

	if (action) {
		u32 facts = world_step(search_local(from->locals[slot])->image, action)->facts;

		next.locals[slot] = search_apply(from->locals[slot], action);
		if (!next.locals[slot])
			return 0;
		next.facts = check_facts(next.facts, facts, &broken);
		if (!broken)
			broken = search_local(next.locals[slot])->broken;
	}
	if (!broken)
		search_settle(&next, NULL);
	states_add(&next, parent, action, broken);
	return broken;
}

/* Is it within the bounds of what all members do together? */
static bool affords(const struct group *g, u32 action)
{
	u32 slot, ops = 0, retries = 0;

	for (slot = 0; slot < bounds.replicas; slot++) {
		const struct local *l = search_local(g->locals[slot]);

		ops += l->ops;
		retries += l->retries;
	}
	switch (action_type(action)) {
	case ACTION_SUBMIT:
		return ops < bounds.ops;
	case ACTION_CRASH:
		return crashes_of(g) < bounds.crashes;
	case ACTION_RETRY:
		return retries < bounds.retries;
	default:
		return true;
	}
}

static u32 expand_by(const struct group *g, u32 parent, const u32 *actions, u32 count,
		     struct report *report)
{
	u32 i, broken = 0;

	for (i = 0; i < count && !broken; i++) {
		if (!affords(g, actions[i]))
			continue;
		report->transitions++;
		broken = add(g, actions[i], parent);
	}
	return broken;
}

static u32 expand(u32 parent, struct report *report)
{
	static struct listing faults;
	const struct group g = *states_group(parent);
	u32 slot, from, broken;

	for (slot = 0; slot < bounds.replicas; slot++) {
		list_faults(&faults, g.locals[slot]);
		broken = expand_by(&g, parent, faults.actions, faults.count, report);
		for (from = 0; from < bounds.replicas && !broken; from++) {
			u32 messages = from == slot ? 0 : search_local(g.locals[from])->out[slot];
			const struct reactions *r;

			if (from != slot && !messages)
				continue;
			r = reactions_of(search_local(g.locals[slot])->image, messages);
			report->beyond += r->beyond;
			broken = expand_by(&g, parent, r->list, r->count, report);
		}
		if (broken)
			return broken;
	}
	return 0;
}

void search(struct report *report, size_t bytes_max)
{
	u32 parent = 0, broken;
	struct group g;

	search_start(&g);
	broken = add(&g, 0, 0);
	while (!broken && bytes_used < bytes_max) {
		parent = states_next();
		if (!parent)
			break;
		broken = expand(parent, report);
	}
	report->states = states_count();
	report->combinations = states_combinations();
	report->locals = locals.count;
	report->exhausted = !broken && !parent;
	report->broken = broken;
	report->depth = states_depth(states_count());
}
