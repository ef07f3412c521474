// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of a replica's machine: it starts, dies, stands still, goes back
 * in time, stops in good order. Knows what the shell must tell the core then;
 * when it happens is fault.c's business.
 */
#include "sim.h"

static void draw_config(struct sim *sim, struct sim_node *node)
{
	const struct sim_options *o = &sim->options;
	struct vr_config *cfg = &node->config;
	struct sim_random *r = &sim->random_node;

	memset(cfg, 0, sizeof(*cfg));
	cfg->replica_count = o->replica_count;
	if (sim_is_remote(node)) {
		cfg->self = VR_NOBODY;
		cfg->client = node->slot;
	} else {
		cfg->self = node->slot;
		cfg->clients_max = o->remote_count;
		cfg->node_lease_ns = o->node_lease_ns;
	}
	cfg->wire_version = sim->versions[node->slot];
	cfg->memory_is_durable = o->memory_is_durable;
	cfg->journal = o->journal && !sim_is_remote(node);
	cfg->nonce = random_u64(r) | 1;
	cfg->seed = random_u64(r);
	cfg->heartbeat_ns = o->heartbeat_ns;
	cfg->view_timeout_ns = o->view_timeout_ns;
	cfg->lease_ns = o->lease_ns;
	cfg->log_entries = VR_ENTRIES_MIN;
	cfg->body_bytes_max = o->body_bytes_max;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * o->body_bytes_max;
	cfg->messages = 2;
	cfg->message_bytes = 2 * o->body_bytes_max;
	if (!o->alike) {
		/* The log may differ from member to member, what a checkpoint holds not. */
		if (!random_below(r, 4))
			cfg->log_entries *= SIM_LOG_TIMES_MAX >> random_below(r, 3);
		cfg->messages = o->messages;
		cfg->message_bytes = o->message_bytes;
	}
	cfg->sessions_max = o->sessions_max;
	cfg->counters_max = o->counters_max;
	cfg->pending_max = SIM_HANDLES;
	record_boot(sim, node);
}

/* A new life: nothing is left of an earlier one but the datagrams it sent. */
void node_boot(struct sim *sim, struct sim_node *node)
{
	struct vr_event event = { .type = VR_EVENT_START };
	u8 slot = node->slot;
	u32 life = node->life;
	u32 timer = node->timer;
	const char *invalid;
	void *memory;

	if (sim->failed || node->up)
		return;
	memset(node, 0, sizeof(*node));
	node->slot = slot;
	node->life = life;
	node->timer = timer;
	node->up = true;
	node->clock_offset_ns = random_below(&sim->random_node, 1ull << 40);
	node->frozen_ns = sim->now_ns;
	if (sim->options.clock_ppm)
		node->clock_ppm = (s32)random_below(&sim->random_node,
						    2 * sim->options.clock_ppm + 1) -
				  (s32)sim->options.clock_ppm;
	draw_config(sim, node);
	invalid = vr_config_invalid(&node->config);
	if (invalid) {
		sim_fail(sim, "S2: the configuration is refused: %s", invalid);
		node->up = false;
		return;
	}
	memory = sim_allocate(vr_replica_size(&node->config));
	node->replica = vr_replica_init(memory, &node->config);
	if ((void *)node->replica != memory)
		sim_fail(sim, "S3: the replica does not live where it was told to");
	sim_trace(sim, node, "BOOT life %u", life);
	if (!sim_is_remote(node))
		disk_boot(sim, node);
	if (!sim->failed)
		node_step(sim, node, &event);
	if (!sim_is_remote(node) || sim->failed)
		return;
	event.type = VR_EVENT_SUBSCRIBE;
	node_step(sim, node, &event);
}

/* What a replica counted is added up when its life ends. */
static void collect(struct sim *sim, const struct sim_node *node)
{
	u32 i;

	for (i = 0; i < VR_DROP_COUNT; i++)
		sim->totals.drops[i] += node->info.drops[i];
	for (i = 0; i < VR_TYPE_COUNT; i++) {
		sim->totals.sent[i] += node->info.sent[i];
		sim->totals.received[i] += node->info.received[i];
	}
}

static void forget_snapshot(struct sim *sim, struct sim_node *node)
{
	u32 i;

	if (!node->snapshot)
		return;
	for (i = 0; i < sim->client_count; i++)
		free(node->snapshot->bodies[i]);
	free(node->snapshot->memory);
	free(node->snapshot);
	node->snapshot = NULL;
}

void node_kill(struct sim *sim, struct sim_node *node)
{
	collect(sim, node);
	disk_crash(sim, node);
	record_crash(sim, node);
	forget_snapshot(sim, node);
	free(node->replica);
	node->replica = NULL;
	node->up = false;
	node->life++;
	node->timer++;
	node->paused = false;
	node->leaving = false;
}

bool node_has_memory(const struct sim_node *node)
{
	return node->up && !node->demoted_next && !node->leaving &&
	       (node->info.status == VR_STATUS_NORMAL ||
		node->info.status == VR_STATUS_VIEW_CHANGE);
}

/* --- standing still --- */

void node_pause(struct sim *sim, struct sim_node *node, u64 length_ns, bool freezes)
{
	struct sim_event event = { .kind = SIM_RESUME, .slot = node->slot };

	node->paused = true;
	node->pause_freezes = freezes;
	node->paused_ns = sim->now_ns;
	node->resume_ns = sim->now_ns + length_ns;
	node->held = 0;
	sim_trace(sim, node, "PAUSE%s", freezes ? " with its clock" : "");
	sim_post(sim, &event, length_ns);
}

void node_resume(struct sim *sim, struct sim_node *node)
{
	node->paused = false;
	if (node->pause_freezes) {
		node->frozen_ns += sim->now_ns - node->paused_ns;
		node->thawed_ns = sim->now_ns;
	}
	sim_trace(sim, node, "RESUME");
	node->timer_ns = 0;
	if (node->demoted_next)
		node_demote(sim, node, random_below(&sim->random_record, 2));
	if (node->up && !sim->failed)
		node_set_timer(sim, node);
}

/* --- memory that is not to be trusted --- */

void node_demote(struct sim *sim, struct sim_node *node, bool rolled_back)
{
	struct vr_event event = { .type = VR_EVENT_DEMOTE, .rolled_back = rolled_back };

	event.nonce = random_u64(&sim->random_node) | 1;
	node->demoted_next = false;
	node->old_nonces[node->demotions++ % SIM_NONCES_MAX] = node->config.nonce;
	node->config.nonce = event.nonce;
	sim_mark(sim, MARK_DEMOTE);
	node_step(sim, node, &event);
}

void node_remember(struct sim *sim, struct sim_node *node)
{
	size_t bytes = vr_replica_size(&node->config);
	struct sim_snapshot *snapshot;
	u32 i;

	forget_snapshot(sim, node);
	snapshot = sim_allocate(sizeof(*snapshot));
	snapshot->memory = sim_allocate(bytes);
	memcpy(snapshot->memory, node->replica, bytes);
	memcpy(snapshot->owner, node->owner, sizeof(snapshot->owner));
	snapshot->record = sim->records[node->slot];
	for (i = 0; i < sim->client_count; i++) {
		const struct sim_client *client = &sim->clients[i];

		if (client->slot != node->slot || !client->waiting)
			continue;
		snapshot->records[i] = client->record;
		if (!client->given)
			continue;
		snapshot->body_bytes[i] = client->body_bytes;
		snapshot->bodies[i] = sim_allocate(client->body_bytes);
		memcpy(snapshot->bodies[i], client->given, client->body_bytes);
	}
	node->snapshot = snapshot;
	sim_trace(sim, node, "SNAPSHOT");
}

/*
 * A machine is as it was. The processes on it are done away with by its shell:
 * only what they had asked for then is under way again. The first thing the
 * core hears is that it must not trust its memory.
 */
void node_roll_back(struct sim *sim, struct sim_node *node)
{
	struct sim_snapshot *snapshot = node->snapshot;
	u32 i;

	sim_trace(sim, node, "ROLL BACK");
	sim_mark(sim, MARK_ROLLBACK);
	memcpy(node->replica, snapshot->memory, vr_replica_size(&node->config));
	memcpy(node->owner, snapshot->owner, sizeof(node->owner));
	for (i = 0; i < sim->client_count; i++) {
		struct sim_client *client = &sim->clients[i];

		if (snapshot->bodies[i])
			memcpy(client->body, snapshot->bodies[i], snapshot->body_bytes[i]);
	}
	for (i = 0; i < SIM_HANDLES; i++) {
		if (node->owner[i] != OWNER_FREE)
			node->owner[i] = OWNER_NOBODY;
	}
	check_undone(sim, node);
	node->life++;
	vr_replica_describe(node->replica, &node->info);
	check_forget(node);
	record_roll_back(sim, node);
	node_demote(sim, node, true);
}

/* --- going in good order --- */

/* Does nothing stand in the way of a hand-over? */
static bool is_easy(const struct sim *sim, const struct sim_node *node)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *other = &sim->nodes[i];

		if (other != node && (!node_has_memory(other) ||
				      other->info.view != node->info.view))
			return false;
	}
	return sim->options.faults == 1u << FAULT_LEAVE;
}

void node_leave(struct sim *sim, struct sim_node *node)
{
	struct sim_event stop = { .kind = SIM_STOP, .slot = node->slot, .number = node->life };
	struct vr_event event = { .type = VR_EVENT_LEAVE };
	u32 i;

	sim_trace(sim, node, "LEAVE");
	sim_mark(sim, MARK_LEAVE);
	node->leaving = true;
	node->left = false;
	node->eased = is_easy(sim, node);
	/* Who was about to leave may be about to hand over to this one. */
	for (i = 0; i < sim->options.replica_count; i++)
		sim->nodes[i].eased &= &sim->nodes[i] == node;
	node->leave_ns = sim->now_ns;
	node->leave_under_way = node->info.op - node->info.commit;
	sim_post(sim, &stop, sim->options.view_timeout_ns);
	node_step(sim, node, &event);
}
