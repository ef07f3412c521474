// SPDX-License-Identifier: GPL-2.0
/*
 * One seed from birth to verdict: draws what the seed is, owns the phases. Knows
 * no protocol and no fault by itself.
 *
 *	FAULTY   anything goes, until the time is over
 *	HEALED   all faults stop; a majority that never lost its memory must
 *		 serve every client of its members and agree, within a bound
 *	QUIET    everything is done: some more time, in which no view may change
 */
#include "sim.h"

/* After healing: time for everyone to finish, in view time-outs. */
#define HEAL_TIMEOUTS_MAX	150
#define QUIET_TIMEOUTS		6
#define STEPS_MAX		400000u
#define POLL_NS			(5 * SIM_NS_PER_MS)

/* --- what a seed is: a random subset of the faults, each at a random rate --- */

static void draw_shape(struct sim_options *o, struct sim_random *r)
{
	static const u8 counts[] = { 1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7 };

	o->replica_count = counts[random_below(r, sizeof(counts))];
	o->heartbeat_ns = random_spread(r, 2 * SIM_NS_PER_MS, 40 * SIM_NS_PER_MS);
	o->view_timeout_ns = o->heartbeat_ns * random_between(r, 4, 10);
	o->faulty_ns = o->view_timeout_ns * random_spread(r, 20, 200);
	o->generation = random_below(r, 4) ? 0 : random_below(r, 1 << random_below(r, 16));
	o->sessions_max = random_below(r, 3) ? 64 : random_between(r, 1, 12);
	o->counters_max = random_below(r, 2) ? 16 : random_between(r, 1, 4);
	o->client_count = random_spread(r, 1, SIM_CLIENTS_MAX);
	o->client_budget = random_spread(r, 8, 400);
	o->think_ns = random_spread(r, 1000, o->heartbeat_ns * 4);
	if (o->seed % 32 == 5) {
		o->client_count = SIM_CROWD;
		o->client_budget = 8;
		o->think_ns = 1000;
	}
	o->body_bytes = random_below(r, 2) ? 40 : VR_BODY_BYTES_MAX;
	o->delay_ns = random_spread(r, 2000, o->heartbeat_ns / 16 + 4000);
	o->jitter_ns = random_spread(r, 1000, o->delay_ns);
	o->shuffle = random_below(r, 2);
	o->racing_forms = !random_below(r, 4);
	o->check_every_step = SIM_SANITIZED || !(o->seed % 16);
}

static void draw_faults(struct sim_options *o, struct sim_random *r)
{
	u32 fault;

	/* One seed in sixteen is calm: what fails there fails everywhere. */
	for (fault = 0; fault < FAULT_COUNT && o->seed % 16 != 1; fault++)
		o->faults |= (u32)random_below(r, 2) << fault;
	if (random_below(r, 3))
		o->faults &= ~(1u << FAULT_FORM);

	o->fault_gap_ns = o->view_timeout_ns * random_spread(r, 1, 16);
	if (o->faults >> FAULT_LOSS & 1)
		o->loss_ppm = random_spread(r, 500, 300000);
	if (o->faults >> FAULT_DUPLICATE & 1)
		o->duplicate_ppm = random_spread(r, 500, 300000);
	if (o->faults >> FAULT_DELAY & 1) {
		o->jitter_ns = random_spread(r, 1000, o->heartbeat_ns * 2);
		o->spike_ppm = random_spread(r, 100, 50000);
		o->spike_ns = random_spread(r, o->heartbeat_ns, o->view_timeout_ns * 8);
	}
	if (o->faults >> FAULT_SIZE & 1) {
		o->size_ppm = random_spread(r, 10000, 1000000);
		o->size_bytes = random_between(r, 100, 1200);
	}
	if (o->faults >> FAULT_TYPE & 1) {
		o->type_mask = 1u << random_between(r, 1, VR_TYPE_COUNT - 1) |
			       1u << random_between(r, 1, VR_TYPE_COUNT - 1);
		o->type_ppm = random_spread(r, 100000, 1000000);
	}
	if (o->faults >> FAULT_REPLAY & 1)
		o->replay_ppm = random_spread(r, 1000, 50000);
	if (o->faults >> FAULT_GARBAGE & 1)
		o->garbage_ppm = random_spread(r, 1000, 50000);
	if (o->faults >> FAULT_SLOW_DISK & 1)
		o->disk_ns = random_spread(r, 1000, o->view_timeout_ns);
	if (o->faults >> FAULT_LATE_TIMER & 1)
		o->late_ns = random_spread(r, 1000, o->heartbeat_ns * 2);
	if (o->faults >> FAULT_CLOCK & 1)
		o->clock_ppm = random_spread(r, 10, 50000);
}

static void draw_options(struct sim *sim, u64 seed)
{
	struct sim_random r;

	random_seed(&r, seed, 1);
	random_seed(&sim->random_net, seed, 2);
	random_seed(&sim->random_fault, seed, 3);
	random_seed(&sim->random_client, seed, 4);
	random_seed(&sim->random_node, seed, 5);
	sim->options.seed = seed;
	draw_shape(&sim->options, &r);
	draw_faults(&sim->options, &r);
	sim->group.group = random_u64(&r);
	sim->group.members = random_u64(&r);
}

/* --- phases --- */

static void post_operator(struct sim *sim, u64 delay_ns)
{
	struct sim_event event = { .kind = SIM_OPERATOR };

	event.slot = random_below(&sim->random_fault, sim->options.replica_count);
	sim_post(sim, &event, delay_ns);
}

/* The operator at one member asks for a group, until there is one. */
static void operator_forms(struct sim *sim, u8 slot)
{
	struct sim_node *node = &sim->nodes[slot];
	struct vr_event event = { .type = VR_EVENT_FORM };
	u32 i;

	if (sim->checker.formed || sim->phase > PHASE_HEALED)
		return;
	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].info.status == VR_STATUS_FORMING)
			sim_mark(sim, MARK_FORM_RACE);
	}
	if (node->up && !node->paused) {
		event.generation = sim->options.generation;
		event.form_id = random_u64(&sim->random_fault) | 1;
		node_step(sim, node, &event);
	}
	post_operator(sim, random_between(&sim->random_fault, sim->options.view_timeout_ns * 4,
					  sim->options.view_timeout_ns * 12));
}

static bool formable(const struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (!node->up || node->info.status == VR_STATUS_RECOVERING)
			return false;
	}
	return true;
}

/*
 * Choose who must be well from now on: a random majority of those with their
 * memory. The others are cut off, or well too, by the toss of a coin.
 */
static void choose_core(struct sim *sim)
{
	u8 core = healthy_mask(sim);
	bool forming = !sim->checker.formed;
	u32 i, j;
	bool alone;

	/* While some have not heard that all promised, nobody is to be missed. */
	for (i = 0; i < sim->options.replica_count; i++)
		forming |= sim->nodes[i].up && sim->nodes[i].info.status == VR_STATUS_FORMING;
	for (i = 0; i < sim->options.replica_count && !forming; i++) {
		if (__builtin_popcount(core) > sim_quorum(sim) &&
		    random_below(&sim->random_fault, 2))
			core &= ~(1u << random_below(&sim->random_fault,
						     sim->options.replica_count));
	}
	sim->core_mask = core;
	alone = random_below(&sim->random_fault, 2) && !forming;
	for (i = 0; alone && i < sim->options.replica_count; i++) {
		for (j = 0; j < sim->options.replica_count; j++)
			sim->net.cut[i][j] = (core >> i & 1) != (core >> j & 1);
	}
	if (!sim->checker.formed)
		sim->core_mask = (1u << sim->options.replica_count) - 1;
}

static void heal(struct sim *sim)
{
	struct sim_event poll = { .kind = SIM_POLL };
	u32 i;

	sim->phase = PHASE_HEALED;
	sim->healed_ns = sim->now_ns;
	sim_trace(sim, NULL, "HEAL");
	net_heal(sim);
	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].paused)
			node_resume(sim, &sim->nodes[i]);
	}
	if (sim->failed)
		return;
	choose_core(sim);
	if (sim->checker.formed && __builtin_popcount(sim->core_mask) < sim_quorum(sim)) {
		sim_fail(sim, "L0: only %x of the members kept their memory, though never more than the group tolerates was taken",
			 sim->core_mask);
		return;
	}
	/* A view that was being entered counts as one of before. */
	for (i = 0; i < sim->options.replica_count; i++)
		sim->healed_view = vr_max(sim->healed_view, sim->nodes[i].info.view);
	for (i = 0; i < sim->client_count; i++) {
		struct sim_client *client = &sim->clients[i];

		client->budget = vr_min(client->budget, 12);
	}
	sim_post(sim, &poll, POLL_NS);
}

static const char *unfinished(struct sim *sim, char *text, size_t room)
{
	u64 newest = check_newest(sim);
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (!(sim->core_mask >> i & 1))
			continue;
		if (node->info.status != VR_STATUS_NORMAL)
			snprintf(text, room, "replica %u is %s", i,
				 sim_status_name(node->info.status));
		else if (node->info.commit != newest)
			snprintf(text, room, "replica %u has committed %llu of %llu", i,
				 (unsigned long long)node->info.commit,
				 (unsigned long long)newest);
		else
			continue;
		return text;
	}
	for (i = 0; i < sim->client_count; i++) {
		const struct sim_client *client = &sim->clients[i];
		const struct sim_node *node = &sim->nodes[client->slot];

		if (!(sim->core_mask >> client->slot & 1) || client->life != node->life)
			continue;
		if (client->state == CLIENT_FINISHED)
			continue;
		snprintf(text, room, "client %u at replica %u %s %s request %llu", i, client->slot,
			 client->waiting ? "waits for" : "is between requests, last",
			 sim_kind_name(client->kind), (unsigned long long)client->request);
		return text;
	}
	return NULL;
}

static void poll(struct sim *sim)
{
	struct sim_event next = { .kind = SIM_POLL };
	struct sim_options *o = &sim->options;
	u64 waited_ns = sim->now_ns - sim->healed_ns;
	char text[160];
	const char *why;

	if (sim->phase == PHASE_QUIET) {
		if (sim->now_ns - sim->quiet_ns >= QUIET_TIMEOUTS * o->view_timeout_ns)
			sim->phase = PHASE_OVER;
	} else if (!sim->checker.formed && !formable(sim)) {
		sim_mark(sim, MARK_UNFORMABLE);
		sim->phase = PHASE_OVER;
	} else {
		why = sim->checker.formed ? unfinished(sim, text, sizeof(text)) :
					    "the group is not formed";
		if (!why) {
			sim->phase = PHASE_QUIET;
			sim->quiet_ns = sim->now_ns;
			sim->totals.heal_ns_max = waited_ns / o->view_timeout_ns;
			sim_trace(sim, NULL, "QUIET");
		} else if (waited_ns > HEAL_TIMEOUTS_MAX * o->view_timeout_ns) {
			sim_fail(sim, "L1: %u view time-outs after the last fault %s",
				 HEAL_TIMEOUTS_MAX, why);
		}
	}
	if (sim->phase != PHASE_OVER)
		sim_post(sim, &next, POLL_NS);
}

static void dispatch(struct sim *sim, struct sim_event *event)
{
	struct sim_node *node = &sim->nodes[event->slot];

	switch (event->kind) {
	case SIM_DELIVER:
		net_deliver(sim, event);
		break;
	case SIM_TIMER:
		node_timer(sim, node, event->number);
		break;
	case SIM_DURABLE:
		node_durable(sim, node, event);
		break;
	case SIM_CLIENT:
		client_wake(sim, event->number, event->epoch);
		break;
	case SIM_FAULT:
		if (sim->phase == PHASE_FAULTY)
			fault_strike(sim, event->number);
		break;
	case SIM_RESUME:
		if (node->paused && node->resume_ns <= sim->now_ns)
			node_resume(sim, node);
		break;
	case SIM_RESTART:
		node_boot(sim, node);
		break;
	case SIM_MEND:
		net_mend(sim, event->number);
		break;
	case SIM_OPERATOR:
		operator_forms(sim, event->slot);
		break;
	case SIM_HEAL:
		heal(sim);
		break;
	case SIM_POLL:
		poll(sim);
		break;
	}
}

static void populate(struct sim *sim)
{
	struct sim_options *o = &sim->options;
	struct sim_event healing = { .kind = SIM_HEAL };
	u32 i;

	for (i = 0; i < o->replica_count; i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	for (i = 0; i < o->client_count; i++)
		client_add(sim, random_below(&sim->random_client, o->replica_count),
			   o->client_budget);
	post_operator(sim, o->heartbeat_ns);
	if (o->racing_forms)
		post_operator(sim, o->heartbeat_ns +
			      random_below(&sim->random_fault, 4 * o->delay_ns));
	fault_start(sim);
	sim_post(sim, &healing, o->faulty_ns);
}

void sim_run(struct sim *sim, u64 seed, bool trace)
{
	memset(sim, 0, sizeof(*sim));
	sim->trace = trace;
	draw_options(sim, seed);
	sim->effects = malloc(sizeof(*sim->effects));
	sim->scratch = malloc(sizeof(*sim->scratch));
	if (!sim->effects || !sim->scratch)
		abort();
	if (trace)
		report_seed(stdout, sim);
	populate(sim);

	while (!sim->failed && sim->phase != PHASE_OVER && sim->queue.count) {
		struct sim_event event = sim_next(sim);

		dispatch(sim, &event);
		free(event.bytes);
		if (sim->totals.steps > STEPS_MAX)
			sim_fail(sim, "L2: more than %u steps", STEPS_MAX);
	}
	if (!sim->failed)
		check_end(sim);
	sim->totals.seeds = 1;
	sim->totals.virtual_ns = sim->now_ns;
}

void sim_free(struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].up)
			node_kill(sim, &sim->nodes[i]);
	}
	while (sim->queue.count)
		free(sim->queue.heap[--sim->queue.count].bytes);
	free(sim->queue.heap);
	for (i = 0; i < sim->client_count; i++)
		free(sim->clients[i].body);
	net_free(sim);
	check_free(sim);
	model_free(&sim->model);
	free(sim->effects);
	free(sim->scratch);
}
