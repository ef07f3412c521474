// SPDX-License-Identifier: GPL-2.0
/*
 * Client nodes: members that have no vote and no log. What becomes of them, and
 * what must hold for them beyond what all processes are promised: readers see
 * the log of the group, and a lease ends no sooner than it may.
 */
#include "sim.h"

/* Clocks may differ by what options.c draws, and more is not asked of a lease. */
#define LEASE_PARTS	2

/* Where a process is: at a voter, or at a client node if there are any. */
u8 remote_home(struct sim *sim)
{
	const struct sim_options *o = &sim->options;

	if (o->remote_count && random_below(&sim->random_client, 2))
		return VR_CLIENT_MIN + random_below(&sim->random_client, o->remote_count);
	return random_below(&sim->random_client, o->replica_count);
}

/* A partition of the voters is one of the clients too: some hear a side only. */
void remote_cut(struct sim *sim)
{
	u8 i, j;

	for (i = VR_CLIENT_MIN; i < VR_CLIENT_MIN + sim->options.remote_count; i++) {
		for (j = 0; j < sim->options.replica_count; j++) {
			sim->net.cut[i][j] = !random_below(&sim->random_fault, 3);
			sim->net.cut[j][i] = !random_below(&sim->random_fault, 3);
		}
	}
}

/* --- what must hold --- */

void remote_check(struct sim *sim, struct sim_node *node)
{
	const struct vr_info *now = &node->info, *before = &node->before;
	struct sim_era *era;

	if (now->status != VR_STATUS_BLANK && now->status != VR_STATUS_NORMAL &&
	    now->status != VR_STATUS_VIEW_CHANGE)
		sim_fail(sim, "C1: client %u is %s", node->slot, sim_status_name(now->status));
	if (now->instance == before->instance && now->view < before->view)
		sim_fail(sim, "C1: client %u went back to view %llu", node->slot,
			 (unsigned long long)now->view);
	if (sim->failed || !now->instance)
		return;
	era = check_era(sim, vr_number_base(now->generation));
	/* One that was formed again, when nobody had joined it, is followed no more. */
	if (!era || era->instance != now->instance)
		return;
	if (!node->was_formed || node->era != era) {
		node->was_formed = true;
		node->era = era;
		node->checked_sequence = era->base;
	}
	if (vr_replica_sequence_last(node->replica) > node->checked_sequence)
		sim_mark(sim, MARK_REMOTE_MESSAGE);
	check_messages(sim, node);
}

/* What a voter hears of a client, by the clock of nobody. */
void remote_heard(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	u32 place = m->from - VR_CLIENT_MIN;

	if (!vr_type_of_client(m->type) || vr_type_to_client(m->type) ||
	    place >= SIM_REMOTES_MAX || m->to != node->slot ||
	    m->life != sim->nodes[m->from].config.nonce)
		return;
	node->remote_heard_ns[place] = sim->now_ns;
}

/* C2: a primary ends no lease of a life that it heard less than a lease ago. */
void remote_check_lease(struct sim *sim, const struct sim_node *node)
{
	u64 op;

	if (node->info.status != VR_STATUS_NORMAL || node->info.primary != node->slot ||
	    node->info.node_ends == node->before.node_ends)
		return;
	sim_mark(sim, MARK_NODE_END);
	for (op = node->before.op + 1; op <= node->info.op; op++) {
		const struct vr_entry *e = vr_replica_entry(node->replica, op);
		u64 heard_ns;

		if (!e || e->kind != VR_KIND_NODE_END || e->view != node->info.view ||
		    e->argument != sim->nodes[e->origin].config.nonce)
			continue;
		heard_ns = node->remote_heard_ns[e->origin - VR_CLIENT_MIN];
		if (sim->now_ns - heard_ns < sim->options.node_lease_ns / LEASE_PARTS)
			sim_fail(sim, "C2: replica %u ends the lease of client %u, heard %llu ns ago",
				 node->slot, e->origin,
				 (unsigned long long)(sim->now_ns - heard_ns));
	}
}

/* C4: nobody takes anything of clients into a log before it has heard all voters say 5. */
void remote_check_gate(struct sim *sim, const struct sim_node *node)
{
	u32 i;
	u64 op;

	if (node->info.behind_mask)
		sim_mark(sim, MARK_TOO_OLD);
	if (sim->clients_logged || node->info.op <= node->before.op)
		return;
	/* A generation begins far behind the one before. */
	for (op = vr_max(node->before.op + 1, node->info.op_first); op <= node->info.op; op++) {
		const struct vr_entry *e = vr_replica_entry(node->replica, op);

		sim->clients_logged |= e && vr_is_client(e->origin);
	}
	for (i = 0; sim->clients_logged && i < sim->options.replica_count; i++) {
		u8 heard = i == node->slot ? node->info.wire_version : node->heard_version[i];

		if (heard < VR_WIRE_VERSION_CLIENTS)
			sim_fail(sim, "C4: replica %u serves clients and has heard %u in version %u",
				 node->slot, i, heard);
	}
}

/* C3: after healing every client has found its group and has all that was said. */
const char *remote_unfinished(struct sim *sim, char *text, size_t room)
{
	const struct sim_era *era = check_latest(sim);
	u8 i;

	for (i = VR_CLIENT_MIN; i < VR_CLIENT_MIN + sim->options.remote_count; i++) {
		const struct sim_node *node = &sim->nodes[i];
		u64 last = 0;

		if (node->up && era)
			last = vr_replica_sequence_last(node->replica) - era->base;
		if (!node->up)
			snprintf(text, room, "client %u is not back yet", i);
		else if (node->info.status != VR_STATUS_NORMAL)
			snprintf(text, room, "client %u is %s", i,
				 sim_status_name(node->info.status));
		else if (era && last != era->model.message_count)
			snprintf(text, room, "client %u has %llu of %llu messages", i,
				 (unsigned long long)last,
				 (unsigned long long)era->model.message_count);
		else
			continue;
		return text;
	}
	return NULL;
}
