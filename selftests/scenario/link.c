// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to a message: passed on, lost, held back, kept to come again.
 * Knows types and links, not what a message means.
 */
#include "scenario.h"

static bool fits(const struct match *match, u8 type, u8 from, u8 to)
{
	return (match->type == STORY_ANY || match->type == type) &&
	       (match->from == STORY_ANY || match->from == from) &&
	       (match->to == STORY_ANY || match->to == to);
}

static void pack(struct parcel *parcel, const struct vr_message *m, u8 to)
{
	parcel->used = true;
	parcel->type = m->type;
	parcel->from = m->from;
	parcel->to = to;
	parcel->byte_count = vr_wire_bytes(m);
	free(parcel->bytes);
	parcel->bytes = malloc(parcel->byte_count);
	if (!parcel->bytes)
		abort();
	vr_wire_encode(parcel->bytes, m, to, net_version(&story->sim, m, to), &story->sim.group);
}

static void deliver(const struct parcel *parcel)
{
	struct sim_event event = { .kind = SIM_DELIVER, .slot = parcel->to };

	event.byte_count = parcel->byte_count;
	event.bytes = malloc(parcel->byte_count);
	if (!event.bytes)
		abort();
	memcpy(event.bytes, parcel->bytes, parcel->byte_count);
	sim_post(&story->sim, &event, 0);
}

static struct rule *rule_for(u8 type, u8 from, u8 to)
{
	u32 i;

	for (i = story->rule_count; i; i--) {
		struct rule *rule = &story->rules[i - 1];

		if (fits(&rule->match, type, from, to) &&
		    (rule->action != RULE_LOSE || rule->count))
			return rule;
	}
	return NULL;
}

bool link_on_send(struct sim *sim, u8 from, u8 to, const struct vr_message *m)
{
	struct rule *rule = rule_for(m->type, from, to);
	const char *fate = "";
	char text[160];

	(void)sim;
	pack(&story->last[m->type][from][to], m, to);
	if (rule && rule->action == RULE_LOSE) {
		rule->count--;
		fate = ": lost";
	} else if (rule && rule->action == RULE_HOLD) {
		fate = ": held";
		if (story->held_count == STORY_HELD_MAX) {
			story_say("! more than %u messages are held", STORY_HELD_MAX);
			story->failed = true;
			return false;
		}
		pack(&story->held[story->held_count++], m, to);
	}
	if (story->shown[m->type] || *fate)
		story_say("%u>%u %s%s", from, to, sim_message_text(m, text, sizeof(text)), fate);
	return !rule;
}

bool link_add_rule(const struct match *match, enum rule_action action, u32 count)
{
	struct rule *rule = &story->rules[story->rule_count];

	if (story->rule_count == STORY_RULES_MAX)
		return false;
	story->rule_count++;
	rule->match = *match;
	rule->action = action;
	rule->count = count;
	return true;
}

/* Rules that are covered by this go; one that is wider stays. */
void link_pass(const struct match *match)
{
	u32 i, left = 0;

	for (i = 0; i < story->rule_count; i++) {
		const struct match *m = &story->rules[i].match;

		if (!fits(match, m->type, m->from, m->to))
			story->rules[left++] = story->rules[i];
	}
	story->rule_count = left;
}

u32 link_release(const struct match *match)
{
	u32 i, left = 0, released;

	for (i = 0; i < story->held_count; i++) {
		struct parcel *parcel = &story->held[i];

		if (fits(match, parcel->type, parcel->from, parcel->to)) {
			deliver(parcel);
			free(parcel->bytes);
		} else {
			story->held[left++] = *parcel;
		}
	}
	released = story->held_count - left;
	memset(&story->held[left], 0, released * sizeof(story->held[0]));
	story->held_count = left;
	return released;
}

bool link_keep(const struct match *match, const char *name)
{
	const struct parcel *last;
	u32 i;

	if (match->type == STORY_ANY || match->from == STORY_ANY || match->to == STORY_ANY)
		return false;
	last = &story->last[match->type][match->from][match->to];
	if (!last->used)
		return false;
	for (i = 0; i < STORY_KEPT_MAX; i++) {
		struct parcel *kept = &story->kept[i];

		if (kept->used)
			continue;
		*kept = *last;
		snprintf(kept->name, sizeof(kept->name), "%s", name);
		kept->bytes = malloc(kept->byte_count);
		if (!kept->bytes)
			abort();
		memcpy(kept->bytes, last->bytes, kept->byte_count);
		return true;
	}
	return false;
}

bool link_replay(const char *name)
{
	u32 i;

	for (i = 0; i < STORY_KEPT_MAX; i++) {
		if (story->kept[i].used && !strcmp(story->kept[i].name, name)) {
			deliver(&story->kept[i]);
			return true;
		}
	}
	return false;
}

void link_free(void)
{
	struct parcel *last = &story->last[0][0][0];
	u32 i;

	for (i = 0; i < sizeof(story->last) / sizeof(*last); i++)
		free(last[i].bytes);
	for (i = 0; i < story->held_count; i++)
		free(story->held[i].bytes);
	for (i = 0; i < STORY_KEPT_MAX; i++)
		free(story->kept[i].bytes);
}
