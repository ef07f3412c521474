// SPDX-License-Identifier: GPL-2.0
/*
 * What a seed is: the shape of the group and its load, a random subset of the
 * faults, each at a random rate. All is drawn before anything is taken away
 * again, so that a seed made smaller is the same seed otherwise.
 */
#include "sim.h"

#define RECORDS_IN	10	/* seeds, one has groups with records */

const struct sim_limits sim_unlimited = { .faults = U32_MAX, .clients = U32_MAX };

static void draw_times(struct sim_options *o, struct sim_random *r)
{
	o->heartbeat_ns = random_spread(r, 2 * SIM_NS_PER_MS, 40 * SIM_NS_PER_MS);
	/* To begin again takes seconds, whatever the heartbeat is. */
	if (o->records)
		o->heartbeat_ns = vr_max(o->heartbeat_ns, 16 * SIM_NS_PER_MS);
	o->view_timeout_ns = o->heartbeat_ns * random_between(r, 4, 10);
	o->faulty_ns = o->view_timeout_ns * random_spread(r, 16, 128);
	o->delay_ns = random_spread(r, 2000, o->heartbeat_ns / 16 + 4000);
	o->jitter_ns = random_spread(r, 1000, o->delay_ns);
	if (!random_below(r, 4))
		o->lease_ns = random_between(r, o->heartbeat_ns, o->view_timeout_ns / 2);
	o->fault_gap_ns = o->view_timeout_ns * random_spread(r, 1, 16);
}

static void draw_load(struct sim_options *o, struct sim_random *r)
{
	u32 dice;

	o->client_count = random_spread(r, 1, SIM_CLIENTS_MAX);
	o->process_threads = random_below(r, 2) ? 1 : random_spread(r, 1, 2 * VR_WINDOW - 1);
	o->client_budget = random_spread(r, 8, 256);
	o->think_ns = random_spread(r, 1000, o->heartbeat_ns * 4);
	o->read_percent = random_below(r, 2) ? random_below(r, 101) : 50;
	if (o->seed % 32 == 5) {
		o->client_count = SIM_CROWD;
		o->one_home = random_below(r, 2);
		o->client_budget = 8;
		o->think_ns = 1000;
	}
	dice = random_below(r, 8);
	o->body_bytes_max = dice < 7 ? vr_min(1024, VR_BODY_BYTES_MAX) : VR_BODY_BYTES_MAX;
	o->body_bytes = dice < 4 ? 40 : o->body_bytes_max;
}

static void draw_shape(struct sim_options *o, struct sim_random *r)
{
	static const u8 counts[] = { 1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7 };

	o->replica_count = counts[random_below(r, sizeof(counts))];
	o->generation = random_below(r, 4) ? 0 : random_below(r, 1 << random_below(r, 16));
	o->memory_is_durable = random_below(r, 3);
	o->messages = 2u << random_below(r, 8);
	o->message_bytes = 2 * o->body_bytes_max << random_below(r, 4);
	o->sessions_max = random_below(r, 3) ? 64 : random_between(r, 1, 12);
	o->counters_max = random_below(r, 2) ? 16 : random_between(r, 1, 4);
	o->shuffle = random_below(r, 2);
	o->racing_forms = !random_below(r, 4);
	o->check_every_step = SIM_SANITIZED || !(o->seed % 64);
}

static u32 draw_faults(const struct sim_options *o, struct sim_random *r)
{
	u32 faults = random_u64(r) & ((1u << FAULT_OUTAGE) - 1);

	if (random_below(r, 3))
		faults &= ~(1u << FAULT_FORM);
	if (random_below(r, 8))
		faults &= ~(1u << FAULT_BLACKOUT);
	/* One seed in sixteen is calm: what fails there fails everywhere. */
	if (o->seed % 16 == 1)
		return 0;
	/* In some all that happens is that members leave, one after the other. */
	if (o->seed % 32 == 9)
		return 1u << FAULT_LEAVE;
	return faults;
}

/* Does it have records? That is drawn apart, so that all else is as it is without. */
static void draw_records(struct sim *sim)
{
	struct sim_options *o = &sim->options;

	random_seed(&sim->random_record, o->seed, 6);
	o->records = random_below(&sim->random_record, RECORDS_IN) ? 0 : 0xff;
}

/* In most all members have one; and more is lost than a group without them bears. */
static void draw_outages(struct sim *sim)
{
	struct sim_options *o = &sim->options;
	struct sim_random *r = &sim->random_record;
	u32 faults = 1u << FAULT_OUTAGE | 1u << FAULT_RECORD | 1u << FAULT_REFORM;
	u32 not_these = 1u << FAULT_BLACKOUT | 1u << FAULT_POWER | 1u << FAULT_DISK;

	o->records = (1u << o->replica_count) - 1;
	if (!random_below(r, 8))
		o->records = vr_max(o->records & random_u64(r), 1);
	if (random_below(r, 4))
		not_these |= 1u << FAULT_CRASH;
	if (random_below(r, 4))
		not_these |= 1u << FAULT_ROLLBACK | 1u << FAULT_DEMOTE;
	o->record_ns = random_below(r, 2) ? random_spread(r, 1000, o->heartbeat_ns) :
					    random_spread(r, 1000, 4 * o->view_timeout_ns);
	faults &= random_u64(r) | random_u64(r);
	/* The calm ones stay so. */
	if (o->faults && o->faults != 1u << FAULT_LEAVE)
		o->faults = (o->faults & ~not_these) | faults;
	else
		o->records = (1u << o->replica_count) - 1;
}

static void draw_rates(struct sim_options *o, struct sim_random *r)
{
	o->loss_ppm = random_spread(r, 500, 300000);
	o->duplicate_ppm = random_spread(r, 500, 300000);
	o->spike_ppm = random_spread(r, 100, 50000);
	o->spike_ns = random_spread(r, o->heartbeat_ns, o->view_timeout_ns * 8);
	o->size_ppm = random_spread(r, 10000, 1000000);
	o->size_bytes = random_between(r, 100, 1200);
	o->type_mask = 1ull << random_between(r, 1, VR_TYPE_COUNT - 1) |
		       1ull << random_between(r, 1, VR_TYPE_COUNT - 1);
	o->type_ppm = random_spread(r, 100000, 1000000);
	o->replay_ppm = random_spread(r, 1000, 50000);
	o->withhold_ppm = random_spread(r, 1000, 200000);
	o->garbage_ppm = random_spread(r, 1000, 50000);
	o->disk_ns = random_below(r, 2) ? random_spread(r, 1000, o->view_timeout_ns) :
					  random_between(r, o->heartbeat_ns, o->view_timeout_ns);
	o->late_ns = random_spread(r, 1000, o->heartbeat_ns * 2);
	/* A lease trusts in rates that differ by less than an eighth. */
	o->clock_ppm = random_spread(r, 10, o->lease_ns ? 55000 : 300000);
}

static void take_away(struct sim_options *o)
{
	u32 faults = o->faults;

	o->loss_ppm *= faults >> FAULT_LOSS & 1;
	o->duplicate_ppm *= faults >> FAULT_DUPLICATE & 1;
	o->spike_ppm *= faults >> FAULT_DELAY & 1;
	o->size_ppm *= faults >> FAULT_SIZE & 1;
	o->type_mask *= faults >> FAULT_TYPE & 1;
	o->replay_ppm *= faults >> FAULT_REPLAY & 1;
	o->withhold_ppm *= faults >> FAULT_OLD_LIFE & 1;
	o->garbage_ppm *= faults >> FAULT_GARBAGE & 1;
	o->disk_ns *= faults >> FAULT_SLOW_DISK & 1;
	o->late_ns *= faults >> FAULT_LATE_TIMER & 1;
	o->clock_ppm *= faults >> FAULT_CLOCK & 1;
}

void options_draw(struct sim *sim, u64 seed, const struct sim_limits *limits)
{
	struct sim_options *o = &sim->options;
	struct sim_random r;
	u64 slow_jitter_ns;

	random_seed(&r, seed, 1);
	random_seed(&sim->random_net, seed, 2);
	random_seed(&sim->random_fault, seed, 3);
	random_seed(&sim->random_client, seed, 4);
	random_seed(&sim->random_node, seed, 5);
	o->seed = seed;
	draw_records(sim);
	draw_times(o, &r);
	draw_load(o, &r);
	draw_shape(o, &r);
	o->faults = draw_faults(o, &r);
	if (o->records)
		draw_outages(sim);
	o->faults &= limits->faults;
	draw_rates(o, &r);
	slow_jitter_ns = random_spread(&r, 1000, o->heartbeat_ns * 2);
	if (o->faults >> FAULT_DELAY & 1)
		o->jitter_ns = slow_jitter_ns;
	/* Of a journal the machine's own memory is a part; and it makes a blackout bearable. */
	o->journal = !o->memory_is_durable && random_below(&r, 2) && !o->records;
	if (o->journal)
		o->faults &= ~(1u << FAULT_ROLLBACK | 1u << FAULT_BLACKOUT);
	else
		o->faults &= ~(1u << FAULT_POWER | 1u << FAULT_DISK);
	take_away(o);
	o->client_count = vr_min(o->client_count, limits->clients);
	o->remote_count = random_below(&r, 3) ? 0 : random_between(&r, 1, SIM_REMOTES_MAX);
	o->node_lease_ns = random_spread(&r, o->view_timeout_ns, o->view_timeout_ns * 16);
	version_draw(sim, limits);
	sim->group.group = random_u64(&r);
	sim->group.members = random_u64(&r);
}
