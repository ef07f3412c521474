// SPDX-License-Identifier: GPL-2.0
/*
 * The shell of one replica: hands it events, performs its effects, keeps its
 * clock, timer and disk. Does to the core everything the contract in
 * vr_replica.h allows a shell to do, and nothing else.
 */
#include "sim.h"

/* A replica that wants to be woken at once, over and over, is spinning. */
#define SAME_TIME_STEPS_MAX	20000
#define CHECK_EVERY		127
#define CHECK_OFTEN		7
#define LEAVE_TRIPS		2
#define POISON			0xa5

u64 node_clock(const struct sim_node *node, u64 time_ns)
{
	int64_t run = time_ns - node->frozen_ns;

	return node->clock_offset_ns + run + run * node->clock_ppm / (int64_t)SIM_MILLION;
}

/* The first time at which the node's clock has reached @clock_ns. */
static u64 time_of(const struct sim *sim, const struct sim_node *node, u64 clock_ns)
{
	u64 clock = node_clock(node, sim->now_ns);
	u64 time = sim->now_ns;

	if (clock_ns <= clock)
		return time;
	time += (clock_ns - clock) * SIM_MILLION / (SIM_MILLION + node->clock_ppm);
	while (node_clock(node, time) < clock_ns)
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
void node_set_timer(struct sim *sim, struct sim_node *node)
{
	u64 at_ns;

	if (node->deadline_ns == U64_MAX)
		return;
	at_ns = time_of(sim, node, node->deadline_ns);
	if (!node->timer_ns || at_ns < node->timer_ns)
		post_timer(sim, node, at_ns);
}

/* What the disk is given: the hashes of all entries it does not have yet. */
void node_entries(struct sim_node *node, struct sim_event *event, u64 op_last)
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
	event->bytes = sim_allocate(event->byte_count);
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
	event.memory = node->memories;
	event.epoch = fx->persist_epoch;
	event.op = fx->persist_op;
	event.promise = fx->persist_promise;
	node_entries(node, &event, fx->persist_op);
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

	if (send->client && !send->to_mask && send->client < SIM_NODES) {
		net_send(sim, node->slot, &send->message, send->client);
		return;
	}
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

/* The shell waited for this, and only now goes on to stop. */
static void node_stop_soon(struct sim *sim, struct sim_node *node)
{
	struct sim_event event = { .kind = SIM_STOP, .slot = node->slot, .number = node->life };
	u64 trip_ns = 2 * (sim->options.delay_ns + sim->options.jitter_ns);
	u64 trips = (sim->now_ns - node->leave_ns + trip_ns - 1) / trip_ns;

	node->left = true;
	sim_mark(sim, MARK_LEFT);
	sim_post(sim, &event, 0);
	if (!node->eased)
		return;
	sim->totals.leave_trips_max = vr_max(sim->totals.leave_trips_max, trips);
	/* Two, and the fetch of what was under way, of which each may fill a datagram. */
	if (trips > LEAVE_TRIPS + node->leave_under_way)
		sim_fail(sim, "R23: replica %u needs %llu round trips to leave", node->slot,
			 (unsigned long long)trips);
}

static void perform(struct sim *sim, struct sim_node *node, const struct vr_effects *fx)
{
	u32 first = 0;
	u32 i;

	if (fx->send_count > VR_SENDS_MAX || fx->done_count > VR_DONE_MAX) {
		sim_fail(sim, "I12: replica %u overran its effects", node->slot);
		return;
	}
	/* What was said is checked in its order, and sent in any. */
	for (i = 0; i < fx->send_count && !sim->failed; i++)
		check_send(sim, node, &fx->sends[i]);
	if (sim->options.shuffle)
		first = random_below(&sim->random_node, fx->send_count);
	for (i = 0; i < fx->send_count && !sim->failed; i++)
		perform_send(sim, node, &fx->sends[(first + i) % fx->send_count]);
	for (i = 0; i < fx->done_count && !sim->failed; i++)
		client_done(sim, node, &fx->done[i]);
	if (fx->persist) {
		node->persist_epoch = fx->persist_epoch;
		if (!sim->options.journal)
			persist(sim, node, fx);
	}
	if (fx->form_done && sim->checker.era_count > 1)
		sim_mark(sim, fx->form_error ? MARK_REFORM_REFUSED : MARK_REFORMED);
	else if (fx->form_done)
		sim_mark(sim, fx->form_error ? MARK_FORM_REFUSED : MARK_FORMED);
	node->reforming &= !fx->form_done;
	if (fx->record)
		record_write(sim, node, fx);
	if (fx->left && node->leaving)
		node_stop_soon(sim, node);
	node->deadline_ns = fx->deadline_ns;
	node_set_timer(sim, node);
	if (fx->persist)
		disk_work(sim, node);
}

/* The check of all that a replica holds is slow: where much changes, and now and then. */
static bool is_due(const struct sim *sim, const struct sim_node *node)
{
	const struct vr_info *before = &node->before;
	const struct vr_info *now = &node->info;
	u64 every = sim->options.check_every_step ? CHECK_OFTEN : CHECK_EVERY;

	return !(node->steps % every) || now->status != before->status ||
	       now->view != before->view || now->op < before->op ||
	       now->transfers != before->transfers;
}

void node_step(struct sim *sim, struct sim_node *node, struct vr_event *event)
{
	struct vr_effects *fx = sim->effects;
	u64 now = node_clock(node, sim->now_ns);
	const char *broken = NULL;

	node->before = node->info;
	node->demoted_now = event->type == VR_EVENT_DEMOTE;
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

	if (is_due(sim, node))
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
	if (node_clock(node, sim->now_ns) < node->deadline_ns)
		node_set_timer(sim, node);
	else
		node_step(sim, node, &event);
}

/* Writes may end in any order; of two at one op the later one is what is read back. */
static void write_down(struct sim_node *node, const struct sim_event *event, u32 i)
{
	u64 op = event->op - i;
	struct sim_block *block = &node->disk[op & (SIM_DURABLE_MAX - 1)];

	if (block->op > op || (block->op == op && block->epoch > event->epoch))
		return;
	block->op = op;
	block->epoch = event->epoch;
	memcpy(&block->hash, event->bytes + i * sizeof(u64), sizeof(u64));
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
	/* What was under way when the memory was lost went with it, and with what lay below. */
	for (i = 0; node->memories == sim_event->memory &&
	     i < sim_event->byte_count / sizeof(u64); i++)
		write_down(node, sim_event, i);
	if (sim_event->epoch != node->persist_epoch)
		sim_mark(sim, MARK_STALE_DURABLE);
	event.log_epoch = sim_event->epoch;
	event.op = sim_event->op;
	event.promise = sim_event->promise;
	node_step(sim, node, &event);
}

