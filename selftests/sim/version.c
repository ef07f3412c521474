// SPDX-License-Identifier: GPL-2.0
/*
 * Members of different versions, and the operator who exchanges their modules one
 * after the other, for a newer one and back (R34). Says what may be asked of clients
 * while some voters do not know what a client is.
 */
#include "sim.h"

#define MIXED_IN	4	/* seeds, one has members of different versions */

static bool is_old(const struct sim *sim, u8 slot)
{
	return sim->versions[slot] < VR_WIRE_VERSION_CLIENTS;
}

/*
 * With clients the old ones cannot have what the others remember, and count for
 * nothing: they are as few as may be lost.
 */
bool version_counts(const struct sim *sim, u8 slot)
{
	return !sim->options.remote_count || !is_old(sim, slot);
}

static u32 old_most(const struct sim_options *o)
{
	u32 quorum = o->replica_count / 2 + 1;

	return o->remote_count ? o->replica_count - quorum : o->replica_count;
}

/* Drawn apart, so that all else is as it is without. */
void version_draw(struct sim *sim, const struct sim_limits *limits)
{
	struct sim_options *o = &sim->options;
	struct sim_random *r = &sim->random_version;
	u32 old = 0, i;
	bool mixed;

	random_seed(r, o->seed, 7);
	mixed = !random_below(r, MIXED_IN);
	/* What else loses more members than may be lost leaves none that could be old. */
	if (o->remote_count && (o->records || o->faults >> FAULT_BLACKOUT & 1))
		mixed = false;
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		bool is = random_below(r, 2) && mixed && i < o->replica_count &&
			  old < old_most(o);

		sim->versions[i] = is ? VR_WIRE_VERSION_MIN : VR_WIRE_VERSION;
		old += is;
	}
	if (mixed && o->faults && o->faults != 1u << FAULT_LEAVE)
		o->faults |= limits->faults & 1u << FAULT_EXCHANGE;
}

/* A journal with clients in it is of no use to the older one. */
static bool may_be_old(const struct sim *sim)
{
	u32 old = 0, i;

	for (i = 0; i < sim->options.replica_count; i++)
		old += is_old(sim, i);
	return old < old_most(&sim->options) &&
	       !(sim->options.journal && sim->options.remote_count);
}

/* The module of one is exchanged: unloaded in good order, or not, and another one loaded. */
void version_exchange(struct sim *sim)
{
	u8 slot = random_below(&sim->random_version, sim->options.replica_count);
	bool orderly = random_below(&sim->random_version, 2), old = is_old(sim, slot);
	struct sim_node *node = &sim->nodes[slot];

	if (!sim->checker.formed || (!old && !may_be_old(sim)) || !fault_may_lose(sim, node))
		return;
	sim->versions[slot] = old ? VR_WIRE_VERSION : VR_WIRE_VERSION_MIN;
	sim_trace(sim, node, "EXCHANGE for version %u", sim->versions[slot]);
	sim_mark(sim, old ? MARK_UPGRADE : MARK_DOWNGRADE);
	if (orderly) {
		client_node_died(sim, node);
		node_leave(sim, node);
		return;
	}
	fault_lose(sim, node);
	fault_restart(sim, node);
}

/*
 * Faults are over. Where clients wait the operator goes on until all are new, or, as
 * chance has it, does not: then who is old is not asked for anything.
 */
void version_settle(struct sim *sim)
{
	bool finishes = random_below(&sim->random_version, 3);
	u32 i;

	for (i = 0; i < sim->options.replica_count && sim->options.remote_count; i++) {
		struct sim_node *node = &sim->nodes[i];

		/* Nobody exchanges the one whose memory is needed. */
		if (!is_old(sim, i) || !finishes || (node->up && !fault_may_lose(sim, node)))
			continue;
		sim->versions[i] = VR_WIRE_VERSION;
		if (!node->up)
			continue;
		sim_trace(sim, node, "EXCHANGE for version %u", sim->versions[i]);
		sim_mark(sim, MARK_UPGRADE);
		fault_lose(sim, node);
		node_boot(sim, node);
	}
}

/* Voters that everybody is to know as new: well, and within reach. */
static u8 fit_mask(const struct sim *sim)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		mask |= (sim->nodes[i].up && !is_old(sim, i)) << i;
	return mask & sim->core_mask;
}

/* Who leads, as far as it knows; also one that is old. */
static const struct sim_node *primary_of(const struct sim *sim)
{
	const struct sim_node *primary = NULL;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (node->up && node->info.primary == i && node->info.status == VR_STATUS_NORMAL &&
		    (!primary || node->info.view > primary->info.view))
			primary = node;
	}
	return primary;
}

/*
 * May clients be kept waiting? If the primary does not know what a client is, or has
 * not heard from all voters that they do, and of one of them never will.
 */
bool version_withholds(struct sim *sim)
{
	const struct sim_node *primary = primary_of(sim);

	if (!primary ||
	    !(is_old(sim, primary->slot) || primary->info.older_mask & ~fit_mask(sim)))
		return false;
	sim_mark(sim, MARK_WITHHELD_SERVICE);
	return true;
}
