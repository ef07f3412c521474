// SPDX-License-Identifier: GPL-2.0
/*
 * The medium of a record: the bytes are the core's own, written as kmod/record.c does,
 * one slot, then the other, each stable before the next step. Takes its time, hangs,
 * fails, and tears the slot that is being written when that breaks off. Knows no
 * protocol.
 */
#include "sim.h"

#define FAILS_IN	16	/* writes, one does */
#define HANGS_IN	16
#define BREAKS_IN	8	/* starts, in the middle of their write */

bool record_is_kept(const struct sim *sim, u8 slot)
{
	return sim->options.records >> slot & 1;
}

bool record_keepers(const struct sim *sim)
{
	return sim->options.records;
}

static bool is_faulty(const struct sim *sim)
{
	return sim_has(sim, FAULT_RECORD) && sim->phase == PHASE_FAULTY;
}

/* What a member would find if it started now. */
static enum vr_record_verdict look(struct sim_record *record)
{
	enum vr_record_verdict verdict;

	memset(&record->held, 0, sizeof(record->held));
	verdict = vr_record_decode(record->bytes, VR_RECORD_BYTES, &record->held);
	if (verdict != VR_RECORD_WHOLE && verdict != VR_RECORD_HALF)
		memset(&record->held, 0, sizeof(record->held));
	return verdict;
}

static u8 *slot_of(struct sim_record *record, u32 slot)
{
	return record->bytes + slot * VR_RECORD_SLOT_BYTES;
}

/* A write that does not come to its end: nothing of it is there, or all, or some. */
static void tear(struct sim *sim, struct sim_record *record)
{
	struct sim_random *r = &sim->random_record;
	u32 from = random_below(r, VR_RECORD_SLOT_BYTES + 1), count = VR_RECORD_SLOT_BYTES - from;

	switch (random_below(r, 4)) {
	case 0:
		return;
	case 1:
		from = 0;
		count = VR_RECORD_SLOT_BYTES;
		break;
	case 2:
		count = from;
		from = 0;
		break;
	}
	memcpy(slot_of(record, record->slot) + from, record->next + from, count);
	sim_mark(sim, MARK_RECORD_TORN);
	look(record);
}

static void write_slot(struct sim_record *record)
{
	memcpy(slot_of(record, record->slot), record->next, VR_RECORD_SLOT_BYTES);
	record->slot = (record->slot + 1) % VR_RECORD_SLOTS;
	record->whole = true;
	look(record);
}

static void post(struct sim *sim, const struct sim_node *node)
{
	struct sim_event event = { .kind = SIM_RECORD, .slot = node->slot, .number = node->life };
	struct sim_random *r = &sim->random_record;
	u64 delay_ns = 0;

	if (sim->phase == PHASE_FAULTY)
		delay_ns = random_below(r, sim->options.record_ns);
	if (is_faulty(sim) && !random_below(r, HANGS_IN))
		delay_ns = random_spread(r, sim->options.heartbeat_ns,
					 16 * sim->options.view_timeout_ns);
	sim_post(sim, &event, delay_ns);
}

void record_write(struct sim *sim, struct sim_node *node, const struct vr_effects *fx)
{
	struct sim_record *record = &sim->records[node->slot];
	struct vr_record content = *fx->record_content;

	if (!record_is_kept(sim, node->slot) || record->busy) {
		sim_fail(sim, "S8: replica %u writes a record it has not, or two at once",
			 node->slot);
		return;
	}
	content.sequence = ++record->sequence;
	content.members = sim->group.members;
	vr_record_encode(record->next, &content);
	record->busy = true;
	record->number = fx->record_write;
	record->left = VR_RECORD_SLOTS;
	post(sim, node);
}

/*
 * A machine is as it was, and so is what it was about to write; the medium, too, if it
 * is part of the image.
 */
void record_roll_back(struct sim *sim, struct sim_node *node)
{
	struct sim_record *record = &sim->records[node->slot], now = *record;

	if (!record_is_kept(sim, node->slot))
		return;
	*record = node->snapshot->record;
	record->rotten = now.rotten;
	record->slot = vr_record_slot(now.bytes, VR_RECORD_BYTES);
	record->acted = now.acted;
	record->named = now.named;
	if (random_below(&sim->random_record, 2))
		memcpy(record->bytes, now.bytes, sizeof(now.bytes));
	else
		record->forgets = memcmp(record->bytes, now.bytes, sizeof(now.bytes));
	look(record);
	if (record->busy)
		post(sim, node);
}

void record_done(struct sim *sim, struct sim_node *node, u32 life)
{
	struct sim_record *record = &sim->records[node->slot];
	struct vr_event event = { .type = VR_EVENT_RECORDED };
	struct sim_event again = { .kind = SIM_RECORD, .slot = node->slot, .number = life };

	if (!node->up || node->life != life || !record->busy)
		return;
	if (node->paused) {
		sim_post(sim, &again, node->resume_ns - sim->now_ns);
		return;
	}
	event.record_write = record->number;
	if (record->fails || (is_faulty(sim) && !random_below(&sim->random_record, FAILS_IN))) {
		record->fails = false;
		tear(sim, record);
		sim_mark(sim, MARK_RECORD_FAILED);
		event.record_error = -EIO;
	} else {
		write_slot(record);
		record->forgets = false;
		if (--record->left) {
			post(sim, node);
			return;
		}
		record->rotten = false;
	}
	record->busy = false;
	node_step(sim, node, &event);
}

void record_crash(struct sim *sim, struct sim_node *node)
{
	struct sim_record *record = &sim->records[node->slot];

	if (record->busy)
		tear(sim, record);
	record->busy = false;
	/* Nothing on it tells that it is old; but people know, and do not use it again. */
	if (record->forgets)
		record_lose(sim, node->slot, RECORD_MISSING);
}

void record_lose(struct sim *sim, u8 slot, enum record_loss loss)
{
	struct sim_record *record = &sim->records[slot];
	struct sim_random *r = &sim->random_record;
	u32 first = random_below(r, VR_RECORD_SLOTS), i;

	if (!record_is_kept(sim, slot))
		return;
	for (i = 0; i < VR_RECORD_SLOTS && loss != RECORD_MISSING; i++) {
		if (i == first || loss == RECORD_DAMAGED)
			slot_of(record, i)[random_below(r, VR_RECORD_SLOT_BYTES)] ^=
				1 << random_below(r, 8);
	}
	if (loss == RECORD_MISSING)
		memset(record, 0, sizeof(*record));
	record->rotten = loss != RECORD_MISSING;
	look(record);
}

/* Both slots are made whole before the member starts; that, too, may break off. */
static bool write_at_start(struct sim *sim, struct sim_record *record)
{
	u32 i;

	record->held.sequence = ++record->sequence;
	vr_record_encode(record->next, &record->held);
	for (i = 0; i < VR_RECORD_SLOTS; i++) {
		if (is_faulty(sim) && !random_below(&sim->random_record, BREAKS_IN)) {
			tear(sim, record);
			return false;
		}
		write_slot(record);
	}
	record->rotten = false;
	return true;
}

/* What the shell does before the core begins. */
void record_boot(struct sim *sim, struct sim_node *node)
{
	struct sim_record *record = &sim->records[node->slot];
	enum vr_record_verdict verdict;

	if (!record_is_kept(sim, node->slot))
		return;
	do {
		verdict = look(record);
		sim_trace(sim, node, "RECORD %s, %sformed, generation %u, accepted %u",
			  vr_record_verdict_text(verdict), record->held.formed ? "" : "not ",
			  record->held.generation, record->held.accepted_generation);
		if (verdict == VR_RECORD_HALF)
			sim_mark(sim, MARK_RECORD_HALF);
		if (verdict == VR_RECORD_DAMAGED && record->whole && !record->rotten)
			sim_fail(sim, "R18: the record of replica %u is damaged, and nothing was done to it",
				 node->slot);
		/* Such a member is not started; somebody takes the record away. */
		if (verdict == VR_RECORD_DAMAGED) {
			sim_mark(sim, MARK_RECORD_DAMAGED);
			record_lose(sim, node->slot, RECORD_MISSING);
		}
		record->held.member_id = node->slot;
		record->held.members = sim->group.members;
		record->sequence = record->held.sequence;
		record->slot = vr_record_slot(record->bytes, VR_RECORD_BYTES);
	} while (!write_at_start(sim, record));
	look(record);
	node->config.keeps_record = true;
	node->config.record = record->held;
}
