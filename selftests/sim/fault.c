// SPDX-License-Identifier: GPL-2.0
/*
 * The injector: takes members down, stops and separates them. Never takes so
 * many that the group may rightly be dead: a majority always keeps its memory
 * and stays inside the window of the others' logs. Everything else is fair.
 */
#include "sim.h"

/*
 * How far the others may yet move their logs' windows by what a member said
 * just before it was lost.
 */
#define WINDOW_MARGIN (VR_PIPELINE_MAX + VR_BATCH_MAX)

static u64 newest_first_op(const struct sim *sim)
{
	u64 first = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].up)
			first = vr_max(first, sim->nodes[i].info.op_first);
	}
	return first;
}

/* May this member be one of those the group's life depends on? */
static bool is_healthy(const struct sim *sim, const struct sim_node *node, u64 margin)
{
	const struct vr_info *info = &node->info;
	u64 base = sim->checker.base;

	if (!node->up)
		return false;
	if (!sim->checker.formed)
		return info->status != VR_STATUS_RECOVERING;
	/* Who waits for FORMED will get it, unless we take those who know it. */
	if (info->status != VR_STATUS_NORMAL && info->status != VR_STATUS_VIEW_CHANGE &&
	    (info->status != VR_STATUS_FORMING || margin))
		return false;
	return newest_first_op(sim) == base + 1 ||
	       info->commit + 1 >= newest_first_op(sim) + margin;
}

static u8 mask_of_healthy(const struct sim *sim, u64 margin)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		mask |= is_healthy(sim, &sim->nodes[i], margin) << i;
	return mask;
}

u8 healthy_mask(const struct sim *sim)
{
	return mask_of_healthy(sim, 0);
}

static struct sim_node *pick(struct sim *sim)
{
	return &sim->nodes[random_below(&sim->random_fault, sim->options.replica_count)];
}

/* While the group is being formed, any member may be one that counts. */
static bool may_lose(struct sim *sim, const struct sim_node *node)
{
	u8 rest = mask_of_healthy(sim, WINDOW_MARGIN) & ~(1u << node->slot);

	if (!node->up)
		return false;
	if (!sim->checker.formed && !sim_has(sim, FAULT_FORM))
		return false;
	if (!sim->checker.formed)
		return sim->lives_lost_unformed <
		       (u32)(sim->options.replica_count - sim_quorum(sim));
	return __builtin_popcount(rest) >= sim_quorum(sim) ||
	       node->info.status == VR_STATUS_RECOVERING;
}

static void lose(struct sim *sim, struct sim_node *node)
{
	if (!sim->checker.formed) {
		sim->lives_lost_unformed++;
		sim_mark(sim, MARK_RESTART_UNFORMED);
	}
	client_node_died(sim, node);
	node_kill(sim, node);
}

static void crash(struct sim *sim)
{
	struct sim_node *node = pick(sim);

	/* For good only once there is a group: without all, none can be formed. */
	if (!sim->checker.formed || !may_lose(sim, node))
		return;
	sim_trace(sim, node, "CRASH");
	sim_mark(sim, MARK_CRASH);
	lose(sim, node);
}

static void restart(struct sim *sim)
{
	struct sim_event event = { .kind = SIM_RESTART };
	struct sim_node *node = pick(sim);

	if (!may_lose(sim, node))
		return;
	sim_trace(sim, node, "RESTART");
	sim_mark(sim, MARK_RESTART);
	lose(sim, node);
	event.slot = node->slot;
	sim_post(sim, &event, random_spread(&sim->random_fault, 1000,
					    sim->options.view_timeout_ns * 4));
	/* A process at the blank member must be refused, not served. */
	if (random_below(&sim->random_fault, 2) &&
	    sim->client_count < SIM_CROWD + VR_REPLICAS_MAX)
		client_add(sim, node->slot, 4);
}

static void pause_node(struct sim *sim)
{
	struct sim_node *node = pick(sim);
	u64 longest = sim->options.view_timeout_ns * 8;

	if (!node->up || node->paused || (!sim->checker.formed && !sim_has(sim, FAULT_FORM)))
		return;
	sim_mark(sim, MARK_PAUSE);
	node_pause(sim, node, random_spread(&sim->random_fault, SIM_NS_PER_MS, longest),
		   random_below(&sim->random_fault, 2));
}

static void partition(struct sim *sim)
{
	u64 longest = sim->options.view_timeout_ns * 16;

	if (!sim->checker.formed && !sim_has(sim, FAULT_FORM))
		return;
	net_cut(sim, random_spread(&sim->random_fault, sim->options.heartbeat_ns, longest));
}

/* The next one to lead is the next one to go: what is half done piles up. */
static void hunt(struct sim *sim)
{
	const struct sim_node *primary = NULL;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (node->up && node->info.status == VR_STATUS_NORMAL &&
		    node->info.primary == i &&
		    (!primary || node->info.view > primary->info.view))
			primary = node;
	}
	if (!primary)
		return;
	sim_mark(sim, MARK_HUNT);
	net_cut_off(sim, primary->slot,
		    random_spread(&sim->random_fault, sim->options.view_timeout_ns,
				  sim->options.view_timeout_ns * 8));
}

static void post_next(struct sim *sim, enum sim_fault fault)
{
	struct sim_event event = { .kind = SIM_FAULT, .number = fault };

	sim_post(sim, &event, random_between(&sim->random_fault, 1000,
					     2 * sim->options.fault_gap_ns));
}

void fault_strike(struct sim *sim, enum sim_fault fault)
{
	switch (fault) {
	case FAULT_CRASH:
		crash(sim);
		break;
	case FAULT_RESTART:
		restart(sim);
		break;
	case FAULT_PAUSE:
		pause_node(sim);
		break;
	case FAULT_PARTITION:
		partition(sim);
		break;
	case FAULT_HUNT:
		hunt(sim);
		break;
	default:
		break;
	}
	post_next(sim, fault);
}

void fault_start(struct sim *sim)
{
	static const enum sim_fault struck[] = {
		FAULT_CRASH, FAULT_RESTART, FAULT_PAUSE, FAULT_PARTITION, FAULT_HUNT,
	};
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(struck); i++) {
		if (sim_has(sim, struck[i]))
			post_next(sim, struck[i]);
	}
}
