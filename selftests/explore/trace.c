// SPDX-License-Identifier: GPL-2.0
/*
 * How a state came about, to be read. The search does at once whatever only
 * sends; of all that, a trace shows what somebody later received.
 */
#include <stdio.h>
#include <stdlib.h>

#include "explore.h"
#include "vr_timer.h"

static const char * const status_names[VR_STATUS_COUNT] = {
	[VR_STATUS_BLANK] = "BLANK",
	[VR_STATUS_FORMING] = "FORMING",
	[VR_STATUS_NORMAL] = "NORMAL",
	[VR_STATUS_VIEW_CHANGE] = "VIEW_CHANGE",
	[VR_STATUS_RECOVERING] = "RECOVERING",
	[VR_STATUS_HALTED] = "HALTED",
	[VR_STATUS_AMNESIA] = "AMNESIA",
};

/** struct step - one action, @kept if it is to be shown */
struct step {
	u32 action;
	u32 before;
	u32 after;
	bool kept;
};

static struct step *steps;
static u32 step_max;
static u32 step_count;

static void log_step(u32 action, u32 before, u32 after, bool kept)
{
	while (step_count + 1 >= step_max)
		steps = grow(steps, &step_max, sizeof(*steps));
	steps[step_count++] = (struct step){ action, before, after, kept };
}

/* What search.c does at once. */
static void log_sending(u32 action, u32 before, u32 after)
{
	log_step(action, before, after, false);
}

static bool sends(const struct step *step, u32 to, u32 message)
{
	return set_has(search_local(step->after)->out[to], message) &&
	       !set_has(search_local(step->before)->out[to], message);
}

/* Back from the end: who received it needs whoever sent it first. */
static void keep_senders(void)
{
	u32 i = step_count, j;

	while (i--) {
		const struct step *step = &steps[i];

		if (!step->kept || action_type(step->action) != ACTION_DELIVER)
			continue;
		for (j = 0; j < i; j++) {
			if (sends(&steps[j], action_slot(step->action),
				  action_about(step->action)))
				break;
		}
		steps[j].kept = true;
	}
}

static unsigned long long number(u64 value)
{
	return value;
}

static void print_vector(const u64 *vector)
{
	u32 i;

	printf(", vector");
	for (i = 0; i < bounds.replicas; i++)
		printf(" %llu", number(vector[i]));
}

void trace_message(u32 message)
{
	const struct vr_message *m = world_message(message);

	printf("%u>%u %s(view %llu", m->from, m->to, vr_type_name(m->type), number(m->view));
	switch (m->type) {
	case VR_PREPARE:
	case VR_NEW_STATE:
		printf(", ops %llu..%llu, commit %llu", number(m->op + 1),
		       number(m->op + m->entry_count), number(m->commit));
		break;
	case VR_PREPARE_OK:
		printf(", op %llu", number(m->op));
		break;
	case VR_COMMIT:
		printf(", commit %llu", number(m->commit));
		break;
	case VR_DO_VIEW_CHANGE:
		printf(", log view %llu, op %llu, commit %llu", number(m->log_view),
		       number(m->op), number(m->commit));
		print_vector(m->vector);
		break;
	case VR_START_VIEW:
		printf(", op %llu, commit %llu", number(m->op), number(m->commit));
		print_vector(m->vector);
		break;
	case VR_GET_STATE:
		if (m->op)
			printf(", log view %llu, from %llu", number(m->log_view),
			       number(m->op));
		break;
	case VR_RECOVERY:
		printf(", question %llx/%llu", number(m->nonces[0]), number(m->nonces[1]));
		print_vector(m->vector);
		break;
	case VR_RECOVERY_RESPONSE:
		printf(", question %llx/%llu", number(m->nonces[0]), number(m->nonces[1]));
		if (m->hash_count)
			printf(", op %llu, commit %llu", number(m->op), number(m->commit));
		print_vector(m->vector);
		break;
	default:
		break;
	}
	if (m->incarnation > 1)
		printf(", life %llu", number(m->incarnation));
	printf(")");
}

static void print_action(u32 action)
{
	static const char * const timers[] = {
		[VR_TIMER_HEARTBEAT] = "shows that it lives",
		[VR_TIMER_ABDICATE] = "has heard of no quorum for too long",
		[VR_TIMER_RESEND] = "sends again what was not answered",
		[VR_TIMER_SILENCE] = "has not heard the primary for too long",
		[VR_TIMER_GIVE_UP] = "gives up this view change",
		[VR_TIMER_REPAIR] = "asks again for what it lacks",
		[VR_TIMER_RECOVERY] = "asks again for its memory",
	};
	u32 slot = action_slot(action), about = action_about(action);

	switch (action_type(action)) {
	case ACTION_DELIVER:
		trace_message(about);
		printf(" arrives");
		break;
	case ACTION_TIMER:
		printf("%u %s", slot, timers[about]);
		break;
	case ACTION_SUBMIT:
		printf("%u is asked for an operation", slot);
		break;
	case ACTION_CRASH:
		printf("%u crashes, and starts again without memory", slot);
		break;
	case ACTION_DURABLE:
		printf("%u is told that op %u is durable", slot, about);
		break;
	case ACTION_RETRY:
		printf("%u gives up asking so, and begins anew", slot);
		break;
	}
	printf("\n");
}

static void print_face(u32 local)
{
	const struct face *face = world_face(search_local(local)->image);

	printf("#          %u: %s view %llu, op %llu", face->slot, status_names[face->status],
	       number(face->view), number(face->op));
	if (face->last_normal_view != face->view)
		printf(" of log view %llu", number(face->last_normal_view));
	printf(", commit %llu\n", number(face->commit));
}

static bool received_later(u32 to, u32 message)
{
	u32 i;

	for (i = 0; i < step_count; i++) {
		if (steps[i].kept && steps[i].action == action_make(ACTION_DELIVER, to, message))
			return true;
	}
	return false;
}

static void print_sends(const struct step *step)
{
	const struct local *l = search_local(step->after);
	u32 to, i, count;

	for (to = 0; to < bounds.replicas; to++) {
		const u32 *messages = set_members(l->out[to], &count);

		for (i = 0; i < count; i++) {
			if (!sends(step, to, messages[i]) || !received_later(to, messages[i]))
				continue;
			printf("#          sends ");
			trace_message(messages[i]);
			printf("\n");
		}
	}
}

static void print_steps(void)
{
	u32 i, shown = 0;

	for (i = 0; i < step_count; i++) {
		const struct step *step = &steps[i];

		if (!step->kept)
			continue;
		printf("#    %2u.  ", ++shown);
		print_action(step->action);
		if (!search_only_sends(search_local(step->before)->image, step->action) &&
		    search_local(step->after)->image)
			print_face(step->after);
		print_sends(step);
	}
}

void trace_print(u64 state)
{
	u32 depth = states_depth(state), i;
	struct group *groups = calloc(depth + 1, sizeof(*groups)), g;
	u32 *actions = calloc(depth + 1, sizeof(*actions));

	if (!groups || !actions)
		abort();
	states_path(state, groups, actions);
	search_start(&g);
	for (i = 0; i < depth; i++) {
		u32 slot = action_slot(actions[i]), before;

		search_settle(&g, log_sending);
		if (memcmp(&g, &groups[i], sizeof(g)))
			abort();
		before = g.locals[slot];
		g.locals[slot] = search_apply(before, actions[i]);
		g.facts = groups[i + 1].facts;
		log_step(actions[i], before, g.locals[slot], true);
	}
	keep_senders();
	print_steps();
	free(groups);
	free(actions);
}
