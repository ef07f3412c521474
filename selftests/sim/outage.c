// SPDX-License-Identifier: GPL-2.0
/*
 * Groups that lose more than they may, and have records: power cuts, records that are
 * gone after them, operators who reform at the right time and at the wrong one. Says
 * what must come of it once faults stop. Knows R18 as an operator does.
 */
#include "sim.h"

#define AGAIN_IN	3	/* power cuts, one is followed by another */
#define AWAY_IN		8	/* members, one stays away for long */

static u8 slot_drawn(struct sim *sim)
{
	return random_below(&sim->random_record, sim->options.replica_count);
}

static void post(struct sim *sim, u8 kind, u8 slot, u64 longest_ns)
{
	struct sim_event event = { .kind = kind, .slot = slot };

	sim_post(sim, &event, random_spread(&sim->random_record, 1000, longest_ns));
}

static void post_operator(struct sim *sim, u8 slot)
{
	post(sim, SIM_REFORM, slot, 8 * sim->options.view_timeout_ns);
}

/* The power of one is gone; it comes back soon, or a while before faults stop. */
static void cut_power(struct sim *sim, struct sim_node *node)
{
	u64 left_ns = vr_max(sim->options.faulty_ns, sim->now_ns) - sim->now_ns;

	if (!node->up)
		return;
	fault_lose(sim, node);
	if (left_ns > 1000 && !random_below(&sim->random_record, AWAY_IN))
		post(sim, SIM_RESTART, node->slot, left_ns);
	else
		fault_restart(sim, node);
}

/*
 * Without power nobody is in the middle of anything: then, and only then, may a record
 * go without harm, as if its member were gone for good.
 */
static void lose_records(struct sim *sim)
{
	struct sim_random *r = &sim->random_record;
	u32 dice = random_below(r, 16), i;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].up)
			return;
	}
	if (dice < 3)
		record_lose(sim, slot_drawn(sim), dice ? RECORD_MISSING : RECORD_DAMAGED);
	for (i = 0; i < sim->options.replica_count && dice == 3; i++)
		record_lose(sim, i, RECORD_MISSING);
	for (i = 0; i < sim->options.replica_count && dice > 10; i++)
		record_lose(sim, i, RECORD_ROTS);
	if (dice <= 3)
		sim_mark(sim, dice < 3 ? MARK_RECORD_GONE : MARK_RECORDS_GONE);
}

/* All of them mostly; a cut that only some suffer is one in four. */
void outage_all(struct sim *sim)
{
	u8 spared = random_below(&sim->random_record, 4) ? 0 :
		    random_below(&sim->random_record, 1u << sim->options.replica_count);
	u32 i;

	if (!sim->checker.formed)
		return;
	sim->blacked_out = true;
	sim_trace(sim, NULL, "POWER CUT");
	sim_mark(sim, MARK_OUTAGE);
	for (i = 0; i < sim->options.replica_count; i++) {
		if (!(spared >> i & 1))
			cut_power(sim, &sim->nodes[i]);
	}
	if (sim_has(sim, FAULT_RECORD))
		lose_records(sim);
	if (!random_below(&sim->random_record, AGAIN_IN))
		post(sim, SIM_OUTAGE, 0, 8 * sim->options.view_timeout_ns);
	if (sim_has(sim, FAULT_REFORM) && random_below(&sim->random_record, 2))
		post_operator(sim, slot_drawn(sim));
}

/*
 * Those who are left forget, and a minority that remembers is out of reach for so long
 * that people give it up. Then it comes back.
 */
void outage_maroon(struct sim *sim)
{
	struct sim_random *r = &sim->random_record;
	u8 n = sim->options.replica_count, away = 0, first = slot_drawn(sim);
	u32 count = random_between(r, 1, vr_max(n - sim_quorum(sim), 1)), i;

	if (!sim->checker.formed || n < 3)
		return;
	for (i = 0; i < count; i++)
		away |= 1u << (first + i) % n;
	sim->blacked_out = true;
	sim_trace(sim, NULL, "MAROON %x", away);
	sim_mark(sim, MARK_MAROON);
	net_part(sim, away, random_spread(r, 4 * sim->options.view_timeout_ns,
					  64 * sim->options.view_timeout_ns));
	for (i = 0; i < n; i++) {
		if (away >> i & 1)
			continue;
		if (sim->nodes[i].up) {
			fault_lose(sim, &sim->nodes[i]);
			fault_restart(sim, &sim->nodes[i]);
		}
		if (random_below(r, 2))
			post_operator(sim, i);
	}
}

/* Whenever it comes to his mind; and another one's, elsewhere. */
void outage_reform(struct sim *sim)
{
	u8 slot = slot_drawn(sim);

	outage_operator(sim, slot);
	if (!random_below(&sim->random_record, 3))
		post(sim, SIM_REFORM, slot_drawn(sim), 4 * sim->options.delay_ns);
}

static u16 newest_generation(const struct sim *sim)
{
	const struct sim_era *latest = check_latest(sim);
	u16 newest = latest ? latest->generation : 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		newest = vr_max(newest, sim->records[i].held.generation);
		newest = vr_max(newest, sim->records[i].held.accepted_generation);
	}
	return newest;
}

/* Nothing is left anywhere: the group has to be formed anew. */
static bool is_gone(const struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		if (!sim->nodes[i].up || sim->records[i].held.formed ||
		    (sim->nodes[i].info.status != VR_STATUS_BLANK &&
		     sim->nodes[i].info.status != VR_STATUS_FORMING))
			return false;
	}
	return true;
}

void outage_operator(struct sim *sim, u8 slot)
{
	struct sim_node *node = &sim->nodes[slot];
	struct vr_event event = { .type = VR_EVENT_REFORM };

	if (!sim->checker.formed || !node->up || node->paused || node->leaving ||
	    sim->phase > PHASE_LOST)
		return;
	if (is_gone(sim) && newest_generation(sim) < VR_GENERATION_MAX) {
		event.type = VR_EVENT_FORM;
		event.generation = newest_generation(sim) + 1;
		event.form_id = random_u64(&sim->random_record) | 1;
		sim_mark(sim, MARK_FORMED_ANEW);
	}
	node->reforming = true;
	node_step(sim, node, &event);
}

static u8 remember_mask(const struct sim *sim)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		mask |= node_has_memory(&sim->nodes[i]) << i;
	return mask;
}

static u8 good_mask(const struct sim *sim)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		mask |= (sim->nodes[i].up && (sim->nodes[i].info.recorded_mask >> i & 1)) << i;
	return mask;
}

/* No more than a quorum of records is needed, unless enough remember to do without. */
bool outage_is_curable(struct sim *sim)
{
	u32 needed = sim->options.replica_count - sim_quorum(sim) + 1;

	if (!record_keepers(sim) || !sim->checker.formed ||
	    newest_generation(sim) >= VR_GENERATION_MAX)
		return false;
	return is_gone(sim) ||
	       (__builtin_popcount(remember_mask(sim)) < (int)needed &&
		__builtin_popcount(good_mask(sim)) >= sim_quorum(sim));
}

/* What must not happen by itself an operator does, now that all faults are over. */
void outage_cure(struct sim *sim)
{
	u8 good = good_mask(sim), slot = slot_drawn(sim);
	u32 i;

	if (good == (1u << sim->options.replica_count) - 1 && !remember_mask(sim))
		return;
	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].up && sim->nodes[i].reforming)
			return;
	}
	if (good >> slot & 1 || is_gone(sim))
		outage_operator(sim, slot);
}

/* Known limit of R18: it accepted what was never chosen, and the group went on without it. */
bool outage_strands(const struct sim *sim, const struct sim_node *node)
{
	const struct sim_era *latest = check_latest(sim);

	return record_keepers(sim) && latest &&
	       node->info.record.accepted_generation > latest->generation;
}
