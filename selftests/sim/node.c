// SPDX-License-Identifier: GPL-2.0
/*
 * The shell of one replica: hands it events, performs its effects, keeps its
 * clock, timer and disk. Does to the core everything the contract in
 * vr_replica.h allows a shell to do, and nothing else.
 */
#include "sim.h"

/* A replica that wants to be woken at once, over and over, is spinning. */
#define SAME_TIME_STEPS_MAX	20000
#define CHECK_EVERY		61
#define POISON			0xa5

static u64 clock_at(const struct sim_node *node, u64 time_ns)
{
	int64_t run = time_ns - node->frozen_ns;

	return node->clock_offset_ns + run + run * node->clock_ppm / (int64_t)SIM_MILLION;
}

/* The first time at which the node's clock has reached @clock_ns. */
static u64 time_of(const struct sim *sim, const struct sim_node *node, u64 clock_ns)
{
	u64 clock = clock_at(node, sim->now_ns);
	u64 time = sim->now_ns;

	if (clock_ns <= clock)
		return time;
	time += (clock_ns - clock) * SIM_MILLION / (SIM_MILLION + node->clock_ppm);
	while (clock_at(node, time) < clock_ns)
		time++;
	return time;
}

static void post_timer(struct sim *sim, struct sim_node *node, u64 at_ns)
{
	struct sim_event event = { .kind = SIM_TIMER, .slot = node->slot };

	if (sim->options.late_ns && sim->phase == PHASE_FAULTY)
		at_ns += random_below(&sim->random_node, sim->options.late_ns);
	event.number = ++node->timer;
	node->timer_ns = at_ns;
	sim_post(sim, &event, at_ns - sim->now_ns);
}

/* One timer event is under way; it is only replaced by an earlier one. */
static void set_timer(struct sim *sim, struct sim_node *node)
{
	u64 at_ns;

	if (node->deadline_ns == U64_MAX)
		return;
	at_ns = time_of(sim, node, node->deadline_ns);
	if (!node->timer_ns || at_ns < node->timer_ns)
		post_timer(sim, node, at_ns);
}

/* What the disk is given: the hashes of all entries it does not have yet. */
static void write_entries(struct sim_node *node, struct sim_event *event, u64 op_last)
{
	u64 first = op_last + 1;
	u64 hashes[SIM_DURABLE_MAX];
	const struct vr_entry *entry;

	while (op_last - first + 1 < SIM_DURABLE_MAX) {
		entry = vr_replica_entry(node->replica, first - 1);
		if (!entry || check_is_durable(node, entry->op, entry->hash))
			break;
		first--;
		hashes[op_last - first] = entry->hash;
	}
	event->byte_count = (op_last - first + 1) * sizeof(*hashes);
	event->bytes = malloc(event->byte_count + 1);
	if (!event->bytes)
		abort();
	memcpy(event->bytes, hashes, event->byte_count);
}

static void persist(struct sim *sim, struct sim_node *node, const struct vr_effects *fx)
{
	struct sim_event event = { .kind = SIM_DURABLE, .slot = node->slot };
	u64 at_ns = sim->now_ns;

	if (fx->persist_op > node->info.op) {
		sim_fail(sim, "S7: replica %u wants op %llu made durable and has only %llu",
			 node->slot, (unsigned long long)fx->persist_op,
			 (unsigned long long)node->info.op);
		return;
	}
	node->persist_epoch = fx->persist_epoch;
	event.number = node->life;
	event.epoch = fx->persist_epoch;
	event.op = fx->persist_op;
	write_entries(node, &event, fx->persist_op);
	if (sim->phase == PHASE_FAULTY)
		at_ns += random_below(&sim->random_node, sim->options.disk_ns);
	/* A disk keeps its order; a shell with several of them need not. */
	if (!sim->options.shuffle || random_below(&sim->random_node, 4))
		at_ns = vr_max(at_ns, node->disk_free_ns);
	node->disk_free_ns = vr_max(at_ns, node->disk_free_ns);
	sim_post(sim, &event, at_ns - sim->now_ns);
}

static void perform_send(struct sim *sim, struct sim_node *node, const struct vr_send *send)
{
	u8 to;

	if (!send->to_mask || send->to_mask >> sim->options.replica_count) {
		sim_fail(sim, "S1: replica %u sends %s to the slots %x", node->slot,
			 vr_type_name(send->message.type), send->to_mask);
		return;
	}
	for (to = 0; to < sim->options.replica_count && !sim->failed; to++) {
		if (send->to_mask >> to & 1)
			net_send(sim, node->slot, &send->message, to);
	}
}

static void perform(struct sim *sim, struct sim_node *node, const struct vr_effects *fx)
{
	u32 first = 0;
	u32 i;

	if (fx->send_count > VR_SENDS_MAX || fx->done_count > VR_DONE_MAX) {
		sim_fail(sim, "I10: replica %u overran its effects", node->slot);
		return;
	}
	/* What was said is checked in its order, and sent in any. */
	for (i = 0; i < fx->send_count && !sim->failed; i++)
		check_send(sim, node, &fx->sends[i].message);
	if (sim->options.shuffle)
		first = random_below(&sim->random_node, fx->send_count);
	for (i = 0; i < fx->send_count && !sim->failed; i++)
		perform_send(sim, node, &fx->sends[(first + i) % fx->send_count]);
	for (i = 0; i < fx->done_count && !sim->failed; i++)
		client_done(sim, node, &fx->done[i]);
	if (fx->persist)
		persist(sim, node, fx);
	if (fx->form_done)
		sim_mark(sim, fx->form_error ? MARK_FORM_REFUSED : MARK_FORMED);
	node->deadline_ns = fx->deadline_ns;
	set_timer(sim, node);
}

void node_step(struct sim *sim, struct sim_node *node, struct vr_event *event)
{
	struct vr_effects *fx = sim->effects;
	u64 now = clock_at(node, sim->now_ns);
	const char *broken = NULL;

	node->before = node->info;
	if (now > node->clock_ns)
		node->same_time_steps = 0;
	node->clock_ns = vr_max(node->clock_ns, now);
	event->now_ns = node->clock_ns;
	if (sim->options.check_every_step)
		memset(fx, POISON, sizeof(*fx));

	sim_digest(sim, sim->now_ns);
	sim_digest(sim, (u64)node->slot << 8 | event->type);
	vr_step(node->replica, event, fx);
	vr_replica_describe(node->replica, &node->info);
	sim_digest(sim, fx->deadline_ns);
	sim_digest(sim, (u64)fx->send_count << 32 | fx->done_count);
	sim_digest(sim, node->info.commit_hash);
	sim->totals.steps++;
	node->steps++;
	if (sim->trace)
		sim_trace_step(sim, node, event, fx);
	if (sim->on_step)
		sim->on_step(sim, node, fx);

	if (sim->options.check_every_step || !(node->steps % CHECK_EVERY))
		broken = vr_replica_check(node->replica);
	if (broken) {
		sim_fail(sim, "replica %u broke an invariant: %s", node->slot, broken);
		return;
	}
	if (++node->same_time_steps > SAME_TIME_STEPS_MAX) {
		sim_fail(sim, "L3: replica %u makes time stand still", node->slot);
		return;
	}
	check_step(sim, node);
	if (!sim->failed)
		perform(sim, node, fx);
}

void node_timer(struct sim *sim, struct sim_node *node, u32 number)
{
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	if (!node->up || number != node->timer)
		return;
	node->timer_ns = 0;
	if (node->paused)
		return;
	if (clock_at(node, sim->now_ns) < node->deadline_ns)
		set_timer(sim, node);
	else
		node_step(sim, node, &event);
}

/* Writes may end in any order; of two at one op the later one is what is read back. */
static void write_down(struct sim_node *node, const struct sim_event *event, u32 i)
{
	u32 place = (event->op - i) & (SIM_DURABLE_MAX - 1);

	if (event->epoch < node->durable_epoch[place])
		return;
	node->durable_epoch[place] = event->epoch;
	memcpy(&node->durable_hash[place], event->bytes + i * sizeof(u64), sizeof(u64));
}

void node_durable(struct sim *sim, struct sim_node *node, struct sim_event *sim_event)
{
	struct vr_event event = { .type = VR_EVENT_DURABLE };
	struct sim_event again = *sim_event;
	u32 i;

	if (!node->up || node->life != sim_event->number)
		return;
	if (node->paused) {
		sim_event->bytes = NULL;
		sim_post(sim, &again, node->resume_ns - sim->now_ns);
		return;
	}
	for (i = 0; i < sim_event->byte_count / sizeof(u64); i++)
		write_down(node, sim_event, i);
	if (sim_event->epoch != node->persist_epoch)
		sim_mark(sim, MARK_STALE_DURABLE);
	event.log_epoch = sim_event->epoch;
	event.op = sim_event->op;
	node_step(sim, node, &event);
}

static void draw_config(struct sim *sim, struct sim_node *node)
{
	const struct sim_options *o = &sim->options;
	struct vr_config *cfg = &node->config;
	struct sim_random *r = &sim->random_node;

	memset(cfg, 0, sizeof(*cfg));
	cfg->replica_count = o->replica_count;
	cfg->self = node->slot;
	cfg->nonce = random_u64(r) | 1;
	cfg->seed = random_u64(r);
	cfg->heartbeat_ns = o->heartbeat_ns;
	cfg->view_timeout_ns = o->view_timeout_ns;
	cfg->log_entries = VR_ENTRIES_MIN;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * VR_BODY_BYTES_MAX;
	cfg->messages = 2;
	cfg->message_bytes = 2 * VR_BODY_BYTES_MAX;
	if (!o->alike) {
		cfg->log_entries <<= random_below(r, 4) ? 0 : random_below(r, 3);
		cfg->messages <<= random_below(r, 8);
		cfg->message_bytes <<= random_below(r, 4);
	}
	/* These may not differ from member to member. */
	cfg->sessions_max = o->sessions_max;
	cfg->counters_max = o->counters_max;
	cfg->pending_max = SIM_CROWD + VR_REPLICAS_MAX;
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
	memory = calloc(1, vr_replica_size(&node->config));
	if (!memory)
		abort();
	node->replica = vr_replica_init(memory, &node->config);
	if ((void *)node->replica != memory)
		sim_fail(sim, "S3: the replica does not live where it was told to");
	sim_trace(sim, node, "BOOT life %u", life);
	node_step(sim, node, &event);
}

/* What a replica counted is added up when its life ends. */
void node_collect(struct sim *sim, struct sim_node *node)
{
	u32 i;

	for (i = 0; i < VR_DROP_COUNT; i++)
		sim->totals.drops[i] += node->info.drops[i];
	for (i = 0; i < VR_TYPE_COUNT; i++) {
		sim->totals.sent[i] += node->info.sent[i];
		sim->totals.received[i] += node->info.received[i];
	}
	if (node->info.op_first > sim->checker.base + 1)
		sim_mark(sim, MARK_RING_WRAPPED);
}

void node_kill(struct sim *sim, struct sim_node *node)
{
	node_collect(sim, node);
	free(node->replica);
	node->replica = NULL;
	node->up = false;
	node->life++;
	node->timer++;
	node->paused = false;
}

void node_pause(struct sim *sim, struct sim_node *node, u64 length_ns, bool freezes)
{
	struct sim_event event = { .kind = SIM_RESUME, .slot = node->slot };

	node->paused = true;
	node->pause_freezes = freezes;
	node->paused_ns = sim->now_ns;
	node->resume_ns = sim->now_ns + length_ns;
	node->held = 0;
	sim_trace(sim, node, "PAUSE");
	sim_post(sim, &event, length_ns);
}

void node_resume(struct sim *sim, struct sim_node *node)
{
	node->paused = false;
	if (node->pause_freezes)
		node->frozen_ns += sim->now_ns - node->paused_ns;
	sim_trace(sim, node, "RESUME");
	node->timer_ns = 0;
	set_timer(sim, node);
}
