// SPDX-License-Identifier: GPL-2.0
/*
 * One seed from birth to verdict: owns the phases. Knows no protocol and no
 * fault by itself.
 *
 *	FAULTY   anything goes, until the time is over
 *	LOST     all faults stop, and too few have their memory; some may be
 *		 about to get it back
 *	DOOMED   they are not: nobody is served, and everybody is told so
 *	HEALED   all faults stop; a quorum with its memory, and some of those
 *		 without, must all become NORMAL, serve every client of theirs
 *		 and agree, within a bound
 *	QUIET    everything is done: some more time, in which no view may change
 */
#include "sim.h"

/* After healing: time for everyone to finish, in view time-outs. */
#define HEAL_TIMEOUTS_MAX	150
#define QUIET_TIMEOUTS		6
#define LOST_TIMEOUTS		24
#define DOOMED_TIMEOUTS		60
#define CURE_NS			(15 * SIM_NS_PER_S)	/* and HEAL_TIMEOUTS_MAX */
#define STEPS_MAX		400000u
#define POLL_NS			(5 * SIM_NS_PER_MS)

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

		if (!node->up || node->info.status == VR_STATUS_RECOVERING ||
		    node->info.status == VR_STATUS_AMNESIA)
			return false;
	}
	return true;
}

/*
 * Choose who must be well from now on: a quorum of those with their memory, and
 * any of the others that are up. The rest is cut off, or well too, by the toss
 * of a coin.
 */
static void choose_core(struct sim *sim)
{
	struct sim_random *r = &sim->random_fault;
	u8 healthy = healthy_mask(sim), core = 0;
	bool forming = !sim->checker.formed;
	u32 i, j;
	bool alone;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (outage_strands(sim, &sim->nodes[i]))
			sim_mark(sim, MARK_STRANDED);
		else
			core |= (sim->nodes[i].up && version_counts(sim, i)) << i;
		/* While some have not heard that all promised, nobody is to be missed. */
		forming |= sim->nodes[i].up && sim->nodes[i].info.status == VR_STATUS_FORMING;
		/* Who is told of a later life of his will want his memory from the others. */
		healthy &= ~(sim->disks[i].stale << i);
	}
	for (i = 0; i < sim->options.replica_count && !forming; i++) {
		u8 less = core & ~(1u << random_below(r, sim->options.replica_count));

		if (random_below(r, 2) &&
		    __builtin_popcount(less & healthy) >= sim_quorum(sim))
			core = less;
	}
	sim->core_mask = core;
	alone = random_below(r, 2) && !forming &&
		__builtin_popcount(core & healthy) >= sim_quorum(sim);
	for (i = 0; alone && i < sim->options.replica_count; i++) {
		/* Who is about to hand over may be about to be cut off. */
		sim->nodes[i].eased = false;
		for (j = 0; j < sim->options.replica_count; j++)
			sim->net.cut[i][j] = (core >> i & 1) != (core >> j & 1);
	}
	if (!sim->checker.formed)
		sim->core_mask = (1u << sim->options.replica_count) - 1;
}

static bool has_quorum(const struct sim *sim)
{
	return !sim->checker.formed ||
	       __builtin_popcount(healthy_mask(sim)) >= sim_quorum(sim);
}

/* From here on the clock of the liveness check runs. */
static void expect_progress(struct sim *sim)
{
	u32 i;

	sim->phase = PHASE_HEALED;
	sim->healed_ns = sim->now_ns;
	choose_core(sim);
	/* A view that was being entered counts as one of before. */
	for (i = 0; i < sim->options.replica_count; i++)
		sim->healed_view = vr_max(sim->healed_view, sim->nodes[i].info.view);
}

static void heal(struct sim *sim)
{
	struct sim_event poll = { .kind = SIM_POLL };
	u32 i;

	sim->phase = PHASE_LOST;
	sim->healed_ns = sim->now_ns;
	sim_trace(sim, NULL, "HEAL");
	net_heal(sim);
	for (i = 0; i < sim->options.replica_count; i++) {
		net_release(sim, i);
		if (sim->nodes[i].paused)
			node_resume(sim, &sim->nodes[i]);
	}
	for (i = VR_CLIENT_MIN; i < SIM_NODES; i++) {
		if (sim->nodes[i].paused)
			node_resume(sim, &sim->nodes[i]);
	}
	version_settle(sim);
	if (sim->failed)
		return;
	for (i = 0; i < sim->client_count; i++) {
		struct sim_client *client = &sim->clients[i];

		client->budget = vr_min(client->budget, 12);
	}
	if (has_quorum(sim))
		expect_progress(sim);
	sim_post(sim, &poll, POLL_NS);
}

/* --- too many have lost their memory --- */

static bool knows_nothing(const struct sim_node *node)
{
	return node->info.status == VR_STATUS_BLANK || node->info.status == VR_STATUS_FORMING;
}

/*
 * Those without memory must know it. If nobody has heard of a group there is none;
 * and who has never heard whether the form it promised to went well lost nothing, be it
 * one that was to come after all records had gone.
 */
static void check_doomed(struct sim *sim)
{
	u64 timeout_ns = sim->options.view_timeout_ns;
	u8 n = sim->options.replica_count, knows = 0, up = 0;
	u32 i;

	for (i = 0; i < n; i++) {
		up |= sim->nodes[i].up << i;
		knows |= (sim->nodes[i].up && !knows_nothing(&sim->nodes[i])) << i;
	}
	for (i = 0; i < n; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (!node->up || node_has_memory(node) ||
		    node->info.status == VR_STATUS_AMNESIA ||
		    node->info.status == VR_STATUS_FORMING ||
		    (node->info.status == VR_STATUS_BLANK &&
		     (!knows || !node->life || sim->totals.marks[MARK_FORMED_ANEW])))
			continue;
		/* Whoever is silent for good may have all that is missing. */
		if (__builtin_popcount(up) == n)
			sim_fail(sim, "L6: all of the group are there, %x have their memory, and replica %u is %s",
				 healthy_mask(sim), i, sim_status_name(node->info.status));
	}
	for (i = 0; i < sim->client_count; i++) {
		const struct sim_client *client = &sim->clients[i];

		if (sim->nodes[client->slot].up && client->waiting &&
		    client->life == sim->nodes[client->slot].life &&
		    sim->now_ns - client->asked_ns > DOOMED_TIMEOUTS / 2 * timeout_ns)
			sim_fail(sim, "L6: client %u waits for a group that is no more", i);
	}
}

/* R18: a group that has lost its memory, and has its records, begins again. */
static void await_cure(struct sim *sim)
{
	u64 timeout_ns = sim->options.view_timeout_ns, waited_ns;

	if (!sim->curable_ns)
		sim->curable_ns = sim->now_ns;
	sim->healed_ns = sim->now_ns;
	waited_ns = sim->now_ns - sim->curable_ns;
	sim->totals.cure_timeouts_max = waited_ns / timeout_ns;
	if (waited_ns > HEAL_TIMEOUTS_MAX * timeout_ns + CURE_NS)
		sim_fail(sim, "L7: %llu view time-outs after the last fault no generation has begun",
			 (unsigned long long)(waited_ns / timeout_ns));
	else
		outage_cure(sim);
}

static void poll_lost(struct sim *sim)
{
	u64 waited_ns = sim->now_ns - sim->healed_ns;
	u64 timeout_ns = sim->options.view_timeout_ns;
	u8 needed = sim->options.replica_count - sim_quorum(sim) + 1;

	if (sim->phase == PHASE_LOST && has_quorum(sim)) {
		expect_progress(sim);
	} else if (sim->phase == PHASE_LOST && outage_is_curable(sim)) {
		await_cure(sim);
	} else if (sim->phase == PHASE_LOST && waited_ns > LOST_TIMEOUTS * timeout_ns) {
		if (!sim->blacked_out)
			sim_fail(sim, "L0: only %x of the members have their memory, though never more than the group tolerates was taken",
				 healthy_mask(sim));
		/* Fewer than a quorum may still be enough to help the others. */
		sim->phase = PHASE_OVER;
		if (__builtin_popcount(healthy_mask(sim)) >= needed)
			return;
		sim->phase = PHASE_DOOMED;
		sim->doomed_question = sim->checker.history_count;
		sim_mark(sim, MARK_DOOMED);
	} else if (sim->phase == PHASE_DOOMED &&
		   waited_ns > (LOST_TIMEOUTS + DOOMED_TIMEOUTS) * timeout_ns) {
		check_doomed(sim);
		sim->phase = PHASE_OVER;
	}
}

static const char *unfinished(struct sim *sim, char *text, size_t room)
{
	u64 newest = check_newest(sim);
	bool withheld = sim->options.remote_count && version_withholds(sim);
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

		if (!(sim->core_mask >> client->slot & 1) && !sim_is_remote(node))
			continue;
		if (withheld && sim_is_remote(node))
			continue;
		if (client->life != node->life)
			continue;
		if (client->state == CLIENT_FINISHED)
			continue;
		snprintf(text, room, "client %u at replica %u %s %s request %llu", i, client->slot,
			 client->waiting ? "waits for" : "is between requests, last",
			 sim_kind_name(client->kind), (unsigned long long)client->request);
		return text;
	}
	if (!withheld)
		return remote_unfinished(sim, text, room);
	for (i = VR_CLIENT_MIN; i - VR_CLIENT_MIN < sim->options.remote_count; i++) {
		/* Nobody serves it: then it has been told for whose sake. */
		if (!sim->nodes[i].up || sim->nodes[i].info.older_mask)
			continue;
		snprintf(text, room, "client %u does not know that it is not served", i);
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

	if (sim->phase == PHASE_LOST || sim->phase == PHASE_DOOMED) {
		poll_lost(sim);
	} else if (sim->phase == PHASE_QUIET) {
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
			sim->totals.heal_timeouts_max = waited_ns / o->view_timeout_ns;
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
	case SIM_DISK:
		disk_done(sim, &sim->nodes[event->slot], event);
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
	case SIM_STOP:
		if (node->leaving && node->life == event->number)
			fault_stop(sim, node);
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
	case SIM_RECORD:
		record_done(sim, node, event->number);
		break;
	case SIM_OUTAGE:
		if (sim->phase == PHASE_FAULTY)
			outage_all(sim);
		break;
	case SIM_REFORM:
		outage_operator(sim, event->slot);
		break;
	}
}

static void populate(struct sim *sim)
{
	struct sim_options *o = &sim->options;
	struct sim_event healing = { .kind = SIM_HEAL };
	u32 i, threads;
	u8 slot = remote_home(sim);

	for (i = 0; i < o->replica_count; i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	for (i = VR_CLIENT_MIN; i - VR_CLIENT_MIN < o->remote_count; i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	for (i = o->client_count; i; i -= threads) {
		threads = random_between(&sim->random_client, 1,
					 vr_min(i, o->process_threads));
		client_add(sim, slot, threads, o->client_budget);
		if (!o->one_home)
			slot = remote_home(sim);
	}
	post_operator(sim, o->heartbeat_ns);
	if (o->racing_forms)
		post_operator(sim, o->heartbeat_ns +
			      random_below(&sim->random_fault, 4 * o->delay_ns));
	fault_start(sim);
	sim_post(sim, &healing, o->faulty_ns);
}

void sim_run(struct sim *sim, u64 seed, const struct sim_limits *limits, bool trace)
{
	memset(sim, 0, sizeof(*sim));
	sim->trace = trace;
	options_draw(sim, seed, limits);
	sim->effects = sim_allocate(sizeof(*sim->effects));
	sim->scratch = sim_allocate(sizeof(*sim->scratch));
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

	for (i = 0; i < SIM_NODES; i++) {
		if (sim->nodes[i].up)
			node_kill(sim, &sim->nodes[i]);
	}
	while (sim->queue.count)
		free(sim->queue.heap[--sim->queue.count].bytes);
	free(sim->queue.heap);
	for (i = 0; i < sim->client_count; i++) {
		if (sim->clients[i].given != sim->clients[i].body)
			free(sim->clients[i].given);
		free(sim->clients[i].body);
	}
	net_free(sim);
	disk_free(sim);
	check_free(sim);
	free(sim->effects);
	free(sim->scratch);
}
