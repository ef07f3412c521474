// SPDX-License-Identifier: GPL-2.0
/*
 * Generations of the group as they came, each with its log, its model and its lives: who
 * began it, and that it is one and the same for all who act in it. Numbers tell by
 * themselves which one they are of.
 */
#include "sim.h"

struct sim_era *check_latest(const struct sim *sim)
{
	const struct sim_checker *c = &sim->checker;

	return c->era_count ? c->eras[c->era_count - 1] : NULL;
}

struct sim_era *check_era(const struct sim *sim, u64 number)
{
	u32 i = sim->checker.era_count;

	while (i--) {
		if (sim->checker.eras[i]->base == (number & ~VR_COUNT_MASK))
			return sim->checker.eras[i];
	}
	return NULL;
}

u64 check_newest(const struct sim *sim)
{
	const struct sim_era *era = check_latest(sim);

	return era ? era->base + era->entry_count : 0;
}

const struct sim_entry *check_entry(const struct sim *sim, u64 op)
{
	const struct sim_era *era = check_era(sim, op);
	u64 count = op & VR_COUNT_MASK;

	return era && count && count <= era->entry_count ? &era->entries[count - 1] : NULL;
}

/* The first who acts in a generation: one that was formed, or a cold start. */
static struct sim_era *begin_era(struct sim *sim, const struct sim_node *node)
{
	struct sim_checker *c = &sim->checker;
	struct sim_era *era;
	u32 place = c->era_count;

	if (c->era_count == SIM_ERAS_MAX) {
		sim_fail(sim, "L4: %u generations", SIM_ERAS_MAX);
		return NULL;
	}
	if (c->era_count && !record_keepers(sim))
		sim_fail(sim, "R19: replica %u was formed in generation %u", node->slot,
			 node->info.generation);
	era = sim_allocate(sizeof(*era));
	era->generation = node->info.generation;
	era->instance = node->info.instance;
	era->base = vr_number_base(era->generation);
	model_init(&era->model, era->base, sim->options.sessions_max, sim->options.counters_max);
	while (place && c->eras[place - 1]->generation > era->generation) {
		c->eras[place] = c->eras[place - 1];
		place--;
	}
	c->eras[place] = era;
	c->era_count++;
	c->formed = true;
	record_check_begun(sim, node);
	if (c->era_count > 1)
		net_old_generation(sim);
	return era;
}

/* R19: nobody joined the group that was formed first, and nothing was done in it. */
static bool is_formed_again(const struct sim *sim, const struct sim_node *node,
			    const struct sim_era *era)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (node_has_memory(&sim->nodes[i]) &&
		    sim->nodes[i].info.instance == era->instance)
			return false;
	}
	return !era->entry_count && (node->before.status == VR_STATUS_BLANK ||
				     node->before.status == VR_STATUS_FORMING);
}

/* The generation that a member acts in, from its first step on in which it does. */
void era_enter(struct sim *sim, struct sim_node *node)
{
	u64 base = vr_number_base(node->info.generation);
	struct sim_era *era;

	if (node->info.status != VR_STATUS_NORMAL || (node->era && node->era->base == base))
		return;
	era = check_era(sim, base);
	if (!era)
		era = begin_era(sim, node);
	if (sim->failed)
		return;
	if (era->instance != node->info.instance && is_formed_again(sim, node, era))
		era->instance = node->info.instance;
	if (era->instance != node->info.instance)
		sim_fail(sim, "R18: replica %u is in another instance of generation %u",
			 node->slot, era->generation);
	/* Views are counted anew. */
	memset(&node->heard, 0, sizeof(node->heard));
	node->era = era;
}

void check_free(struct sim *sim)
{
	struct sim_checker *c = &sim->checker;

	while (c->era_count) {
		struct sim_era *era = c->eras[--c->era_count];

		while (era->entry_count)
			free(era->entries[--era->entry_count].body);
		free(era->entries);
		model_free(&era->model);
		free(era);
	}
	free(c->history);
}
