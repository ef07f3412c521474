// SPDX-License-Identifier: GPL-2.0
/*
 * The injector: takes members down, stops and separates them, turns them back.
 * But for the one blackout of some seeds it never takes so many that the group
 * may rightly be dead: a quorum always has its memory. Everything else is fair.
 */
#include "sim.h"

/* May this member be one of those the group's life depends on? */
static bool is_healthy(const struct sim *sim, const struct sim_node *node)
{
	if (!sim->checker.formed)
		return node->up && node->info.status != VR_STATUS_RECOVERING;
	return node_has_memory(node) && version_counts(sim, node->slot) &&
	       vr_number_base(node->info.generation) == check_latest(sim)->base;
}

u8 healthy_mask(const struct sim *sim)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		mask |= is_healthy(sim, &sim->nodes[i]) << i;
	return mask;
}

static struct sim_node *pick(struct sim *sim)
{
	return &sim->nodes[random_below(&sim->random_fault, sim->options.replica_count)];
}

/* While the group is being formed, any member may be one that counts. */
bool fault_may_lose(struct sim *sim, const struct sim_node *node)
{
	u8 rest = healthy_mask(sim) & ~(1u << node->slot);
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		rest &= ~(sim->disks[i].stale << i);

	if (!node->up || node->paused || node->leaving)
		return false;
	if (!sim->checker.formed && !sim_has(sim, FAULT_FORM))
		return false;
	if (!sim->checker.formed)
		return sim->lives_lost_unformed <
		       (u32)(sim->options.replica_count - sim_quorum(sim));
	return __builtin_popcount(rest) >= sim_quorum(sim);
}

void fault_restart(struct sim *sim, const struct sim_node *node)
{
	struct sim_event event = { .kind = SIM_RESTART, .slot = node->slot };

	sim_post(sim, &event, random_spread(&sim->random_fault, 1000,
					    sim->options.view_timeout_ns * 4));
	/* A process at a member that has to remember first: it has to wait. */
	if (random_below(&sim->random_fault, 2))
		client_add(sim, node->slot, random_below(&sim->random_fault, 2) + 1, 4);
}

void fault_lose(struct sim *sim, struct sim_node *node)
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
	if (!sim->checker.formed || !fault_may_lose(sim, node))
		return;
	sim_trace(sim, node, "CRASH");
	sim_mark(sim, MARK_CRASH);
	fault_lose(sim, node);
}

static void restart(struct sim *sim)
{
	struct sim_node *node = pick(sim);

	if (!fault_may_lose(sim, node))
		return;
	sim_trace(sim, node, "RESTART");
	sim_mark(sim, MARK_RESTART);
	fault_lose(sim, node);
	fault_restart(sim, node);
}

/* A power cut, or whatever takes many at once. Some seeds have one. */
static void black_out(struct sim *sim)
{
	u8 n = sim->options.replica_count;
	u8 first = random_below(&sim->random_fault, n);
	u8 count = random_between(&sim->random_fault, n - sim_quorum(sim) + 1, n);
	u8 i;

	if (!sim->checker.formed || sim->blacked_out)
		return;
	sim->blacked_out = true;
	sim_trace(sim, NULL, "BLACKOUT");
	sim_mark(sim, MARK_BLACKOUT);
	for (i = 0; i < count; i++) {
		struct sim_node *node = &sim->nodes[(first + i) % n];

		if (!node->up)
			continue;
		fault_lose(sim, node);
		fault_restart(sim, node);
	}
}

/* All of them may go down if what they said is on their disks (R17). */
static void power_cut(struct sim *sim)
{
	u8 n = sim->options.replica_count;
	u8 first = random_below(&sim->random_fault, n);
	u8 count = random_below(&sim->random_fault, 3) ? n :
		   random_between(&sim->random_fault, 1, n);
	u8 i;

	if (!sim->checker.formed || !disks_know_group(sim))
		return;
	sim_trace(sim, NULL, "POWER CUT");
	sim_mark(sim, MARK_POWER);
	for (i = 0; i < count; i++) {
		struct sim_node *node = &sim->nodes[(first + i) % n];

		if (!node->up)
			continue;
		fault_lose(sim, node);
		fault_restart(sim, node);
	}
}

/* Something goes wrong where nobody looks, and then the member restarts. */
static void rot(struct sim *sim)
{
	struct sim_node *node = pick(sim);

	if (!sim->checker.formed || !fault_may_lose(sim, node))
		return;
	sim_trace(sim, node, "ROT");
	fault_lose(sim, node);
	disk_rot(sim, node);
	fault_restart(sim, node);
}

bool fault_disk_fails(struct sim *sim, struct sim_node *node)
{
	return sim_has(sim, FAULT_DISK) && sim->phase == PHASE_FAULTY && sim->checker.formed &&
	       !random_below(&sim->random_fault, 64) && fault_may_lose(sim, node);
}

/* Somebody gives it another disk, with what could be read of this one. */
void fault_disk_failed(struct sim *sim, struct sim_node *node)
{
	fault_lose(sim, node);
	fault_restart(sim, node);
}

/* A clock that stood still breaks leases, and is noticed then (R25). */
static void pause_node(struct sim *sim)
{
	struct sim_random *r = &sim->random_fault;
	struct sim_node *node = pick(sim);
	u64 longest = sim->options.view_timeout_ns * 8;
	bool freezes = random_below(r, 2);
	bool notices = freezes && (sim->options.lease_ns || sim_has(sim, FAULT_DEMOTE));

	if (!node->up || node->paused || node->leaving ||
	    (!sim->checker.formed && !sim_has(sim, FAULT_FORM)))
		return;
	if (notices && (!sim->checker.formed || !fault_may_lose(sim, node))) {
		notices = false;
		freezes = false;
	}
	sim_mark(sim, freezes ? MARK_FREEZE : MARK_PAUSE);
	node->demoted_next = notices;
	node->pause_loses = random_below(r, 2);
	node_pause(sim, node, random_spread(r, SIM_NS_PER_MS, longest), freezes);
}

static void demote(struct sim *sim)
{
	struct sim_node *node = pick(sim);

	if (sim->checker.formed && fault_may_lose(sim, node)) {
		sim_trace(sim, node, "DEMOTE");
		node_demote(sim, node, random_below(&sim->random_record, 2));
	}
}

static void roll_back(struct sim *sim)
{
	struct sim_node *node = pick(sim);

	if (!sim->checker.formed || !fault_may_lose(sim, node))
		return;
	if (!node->snapshot) {
		node_remember(sim, node);
		return;
	}
	client_node_died(sim, node);
	node_roll_back(sim, node);
}

static void leave(struct sim *sim)
{
	struct sim_node *node = pick(sim);
	u32 i;

	/* The primary's leaving is what there is to see. */
	for (i = 0; i < sim->options.replica_count && random_below(&sim->random_fault, 4); i++) {
		node = &sim->nodes[i];
		if (node->up && node->info.status == VR_STATUS_NORMAL &&
		    node->info.primary == node->slot)
			break;
	}
	if (!sim->checker.formed || !fault_may_lose(sim, node))
		return;
	client_node_died(sim, node);
	node_leave(sim, node);
}

/* It has left, or has had its time. */
void fault_stop(struct sim *sim, struct sim_node *node)
{
	sim_trace(sim, node, "STOP");
	if (!node->left && node->eased)
		sim_fail(sim, "R23: replica %u may not leave a group in which nothing is wrong",
			 node->slot);
	fault_lose(sim, node);
	fault_restart(sim, node);
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

/* What was kept from somebody comes, whatever became of those it is about. */
static void let_go(struct sim *sim)
{
	net_release(sim, random_below(&sim->random_fault, sim->options.replica_count));
}

static struct sim_node *pick_remote(struct sim *sim)
{
	return &sim->nodes[VR_CLIENT_MIN +
			   random_below(&sim->random_fault, sim->options.remote_count)];
}

static void restart_remote(struct sim *sim, struct sim_node *node)
{
	struct sim_event event = { .kind = SIM_RESTART, .slot = node->slot };
	u64 longest = vr_max(2 * sim->options.node_lease_ns, 2000);

	sim_trace(sim, node, "RESTART");
	sim_mark(sim, MARK_REMOTE_RESTART);
	client_node_died(sim, node);
	node_kill(sim, node);
	sim_post(sim, &event, random_spread(&sim->random_fault, 1000, longest));
	client_add(sim, node->slot, 1, 4);
}

/* It is lost, stopped, or alone; whoever it is, the group goes on. */
static void strike_remote(struct sim *sim)
{
	struct sim_random *r = &sim->random_fault;
	struct sim_node *node;
	u8 i;

	if (!sim->options.remote_count || !sim->checker.formed)
		return;
	node = pick_remote(sim);
	if (!node->up || node->paused)
		return;
	switch (random_below(r, 3)) {
	case 0:
		restart_remote(sim, node);
		break;
	case 1:
		node->pause_loses = random_below(r, 2);
		node_pause(sim, node, random_spread(r, SIM_NS_PER_MS,
						    vr_max(2 * sim->options.node_lease_ns,
							   2 * SIM_NS_PER_MS)), false);
		break;
	default:
		/* Until the next partition of the voters is mended. */
		for (i = 0; i < sim->options.replica_count; i++) {
			sim->net.cut[i][node->slot] = random_below(r, 2);
			sim->net.cut[node->slot][i] = random_below(r, 2);
		}
		net_mend_in(sim, random_spread(r, SIM_NS_PER_MS,
					       vr_max(2 * sim->options.node_lease_ns,
						      2 * SIM_NS_PER_MS)));
	}
}

struct striker {
	enum sim_fault fault;
	void (*strike)(struct sim *sim);
	u32 rarity;		/* times the mean gap of the seed */
};

static const struct striker strikers[] = {
	{ FAULT_CRASH,		crash,		4 },
	{ FAULT_RESTART,	restart,	1 },
	{ FAULT_PAUSE,		pause_node,	1 },
	{ FAULT_PARTITION,	partition,	1 },
	{ FAULT_HUNT,		hunt,		1 },
	{ FAULT_OLD_LIFE,	let_go,		16 },
	{ FAULT_DEMOTE,		demote,		2 },
	{ FAULT_ROLLBACK,	roll_back,	1 },
	{ FAULT_LEAVE,		leave,		2 },
	{ FAULT_BLACKOUT,	black_out,	8 },
	{ FAULT_POWER,		power_cut,	2 },
	{ FAULT_DISK,		rot,		2 },
	{ FAULT_OUTAGE,		outage_all,	8 },
	{ FAULT_REFORM,		outage_maroon,	16 },
	{ FAULT_REFORM,		outage_reform,	4 },
	{ FAULT_REMOTE,		strike_remote,	1 },
	{ FAULT_EXCHANGE,	version_exchange, 1 },
};

static void post_next(struct sim *sim, u32 place)
{
	struct sim_event event = { .kind = SIM_FAULT, .number = place };
	u64 gap_ns = sim->options.fault_gap_ns * strikers[place].rarity;

	/* A group is formed in no time, and once. */
	if (!sim->checker.formed && sim_has(sim, FAULT_FORM))
		gap_ns = sim->options.heartbeat_ns;
	sim_post(sim, &event, random_between(&sim->random_fault, 1000, 2 * gap_ns));
}

void fault_strike(struct sim *sim, u32 place)
{
	strikers[place].strike(sim);
	post_next(sim, place);
}

void fault_start(struct sim *sim)
{
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(strikers); i++) {
		if (sim_has(sim, strikers[i].fault))
			post_next(sim, i);
	}
}
