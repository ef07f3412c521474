// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold of records and generations, seen from outside: what a member says and
 * does its record allows, and a generation begins for a quorum of records, once. Reads
 * what is on the medium, not what the core believes.
 *
 *	I13  nobody acts in a generation that its record, if it keeps one, does not name
 *	R18  nor in one below what the record has accepted, or below one it acted in;
 *	     what depends on a write is said when it is there; a generation is named with
 *	     the promises of enough records, and begins when a quorum has accepted it
 */
#include "sim.h"

static bool acts(const struct vr_info *info)
{
	return info->status == VR_STATUS_NORMAL || info->status == VR_STATUS_VIEW_CHANGE;
}

static bool agree(const struct vr_record *a, const struct vr_record *b)
{
	return a->formed == b->formed && a->doubtful == b->doubtful &&
	       a->generation == b->generation && a->instance == b->instance &&
	       a->accepted_generation == b->accepted_generation &&
	       a->incarnation == b->incarnation && a->ballot == b->ballot &&
	       a->accepted == b->accepted;
}

static void check_acts(struct sim *sim, const struct sim_node *node)
{
	struct sim_record *record = &sim->records[node->slot];
	const struct vr_record *held = &record->held;
	const struct vr_info *info = &node->info;

	if (record_is_kept(sim, node->slot) &&
	    (!held->formed || held->generation != info->generation ||
	     held->instance != info->instance))
		sim_fail(sim, "I13: replica %u acts in generation %u, its record names %u",
			 node->slot, info->generation, held->generation);
	if (held->accepted_generation > info->generation)
		sim_fail(sim, "R18: replica %u acts in generation %u and has accepted %u",
			 node->slot, info->generation, held->accepted_generation);
	if (record->acted > info->generation)
		sim_fail(sim, "R18: replica %u acts in generation %u after generation %u",
			 node->slot, info->generation, record->acted);
	record->acted = vr_max(record->acted, info->generation);
}

void record_check(struct sim *sim, struct sim_node *node)
{
	const struct sim_record *record = &sim->records[node->slot];
	const struct vr_info *info = &node->info, *before = &node->before;

	if (!record_keepers(sim) || info->status == VR_STATUS_HALTED)
		return;
	if (acts(info))
		check_acts(sim, node);
	if (record_is_kept(sim, node->slot) && !record->busy && !sim->effects->record &&
	    !info->record_error && !agree(&record->held, &info->record))
		sim_fail(sim, "R18: the record of replica %u is not as it should be, and nobody writes it",
			 node->slot);
	if (info->drops[VR_DROP_BALLOT] > before->drops[VR_DROP_BALLOT])
		sim_mark(sim, MARK_COLD_REFUSED);
	if (info->cold_starts > before->cold_starts)
		sim_mark(sim, MARK_COLD_JOINED);
	if (acts(before) && !acts(info) && info->refusal == VR_REFUSAL_FENCED)
		sim_mark(sim, MARK_FENCED);
}

/* Once all is well nothing waits to be written, whatever failed before. */
void record_check_end(struct sim *sim, const struct sim_node *node)
{
	const struct sim_record *record = &sim->records[node->slot];

	if (record_is_kept(sim, node->slot) && !record->busy &&
	    !agree(&record->held, &node->info.record))
		sim_fail(sim, "R18: the record of replica %u ends as it should not be", node->slot);
}

static u32 promised(const struct sim *sim, u64 ballot)
{
	u32 i, count = 0;

	for (i = 0; i < sim->options.replica_count; i++)
		count += sim->records[i].held.formed && sim->records[i].held.ballot >= ballot;
	return count;
}

static bool somebody_remembers(const struct sim *sim, u16 generation)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		if (node->up && acts(&node->info) && node->info.generation < generation)
			return true;
	}
	return false;
}

/* A generation is named: by itself only if nobody can hold anything any more. */
static void check_named(struct sim *sim, const struct sim_node *node, const struct vr_message *m)
{
	struct sim_record *record = &sim->records[node->slot];
	bool forced = m->status;

	if (m->ballot <= record->named)
		return;
	record->named = m->ballot;
	sim_mark(sim, forced ? MARK_REFORM_NAMED : MARK_COLD_NAMED);
	if (promised(sim, m->ballot) <
	    (forced ? sim_quorum(sim) : sim->options.replica_count))
		sim_fail(sim, "R18: replica %u names generation %u with the promises of %u records",
			 node->slot, m->cold_generation, promised(sim, m->ballot));
	if (!forced && somebody_remembers(sim, m->cold_generation))
		sim_fail(sim, "R18: replica %u begins generation %u, and somebody remembers",
			 node->slot, m->cold_generation);
}

void record_check_send(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	const struct vr_record *held = &sim->records[node->slot].held;
	bool known = true;

	if (!record_is_kept(sim, node->slot))
		return;
	switch (m->type) {
	case VR_FORMED:
		known = held->formed;
		break;
	case VR_RECOVERY:
		known = !m->incarnation || (held->incarnation >= m->incarnation &&
					    held->generation == m->generation) ||
			held->generation > m->generation;
		break;
	case VR_COLD_PREPARE:
	case VR_COLD_PROMISE:
		known = held->ballot >= m->ballot;
		break;
	case VR_COLD_ACCEPT:
		check_named(sim, node, m);
		known = held->accepted >= m->ballot;
		break;
	case VR_COLD_ACCEPTED:
		known = held->accepted >= m->ballot;
		break;
	}
	if (!known)
		sim_fail(sim, "R18: replica %u says %s before its record has it", node->slot,
			 vr_type_name(m->type));
}

/* The first who acts in a generation that nobody formed: a quorum has accepted it. */
void record_check_begun(struct sim *sim, const struct sim_node *node)
{
	u32 i, accepted = 0;

	if (node->info.cold_starts == node->before.cold_starts)
		return;
	for (i = 0; i < sim->options.replica_count; i++)
		accepted += sim->records[i].held.accepted_generation >= node->info.generation;
	sim_mark(sim, MARK_COLD_STARTED);
	if (accepted < sim_quorum(sim))
		sim_fail(sim, "R18: generation %u begins at replica %u, and %u records have accepted it",
			 node->info.generation, node->slot, accepted);
}
