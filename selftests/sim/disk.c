// SPDX-License-Identifier: GPL-2.0
/*
 * The file of a member with a journal, and the disk under it. The journal is the
 * core's own code; the disk does what disks may do: takes its time, loses or tears
 * in a crash what was not made stable yet, fails, and forgets. Knows what must be
 * there when a member comes back.
 */
#include "sim.h"

#define BLOCK		512

static void disk_new(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	struct vr_journal *j = &disk->journal;
	struct vr_config largest = node->config;

	/* The largest log there is in a seed: a life may draw another one. */
	largest.log_entries = VR_ENTRIES_MIN * SIM_LOG_TIMES_MAX;
	vr_journal_shape_for(&largest, 0, BLOCK, &disk->shape);
	disk->bytes = vr_journal_file_bytes(&disk->shape);
	disk->cache = sim_allocate(disk->bytes);
	disk->stable = sim_allocate(disk->bytes);
	j->frame = sim_allocate(VR_JOURNAL_WRITE_BYTES_MAX);
	j->checkpoint = sim_allocate(disk->shape.checkpoint_bytes);
	disk->buffer = sim_allocate(VR_JOURNAL_WRITE_BYTES_MAX);
}

void disk_free(struct sim *sim)
{
	u32 i;

	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		struct sim_disk *disk = &sim->disks[i];

		free(disk->cache);
		free(disk->stable);
		free(disk->journal.frame);
		free(disk->journal.checkpoint);
		free(disk->buffer);
	}
}

/* --- writing --- */

static void write_part(struct sim *sim, struct sim_disk *disk, const struct vr_part *part)
{
	struct sim_dirty *dirty = &disk->dirty[disk->dirty_count];

	if (!part->count)
		return;
	if (part->offset + part->count > disk->bytes || disk->dirty_count == SIM_DIRTY_MAX) {
		sim_fail(sim, "J0: a journal writes beyond its file, or never makes it stable");
		return;
	}
	memcpy(disk->cache + part->offset, part->bytes, part->count);
	dirty->offset = part->offset;
	dirty->count = part->count;
	disk->dirty_count++;
}

static void make_stable(struct sim_disk *disk)
{
	u32 i;

	for (i = 0; i < disk->dirty_count; i++)
		memcpy(disk->stable + disk->dirty[i].offset, disk->cache + disk->dirty[i].offset,
		       disk->dirty[i].count);
	disk->dirty_count = 0;
}

static void write_now(struct sim *sim, struct sim_disk *disk, const struct vr_write *w)
{
	write_part(sim, disk, &w->parts[0]);
	write_part(sim, disk, &w->parts[1]);
}

static bool next(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];

	if (vr_journal_next(&disk->journal, node->replica, &disk->write))
		return true;
	if (disk->journal.full)
		sim_fail(sim, "J0: the ring of replica %u is full", node->slot);
	/* Nothing more comes for a while, or so the shell thinks. */
	if (random_below(&sim->random_node, 4))
		return false;
	vr_journal_close(&disk->journal);
	return vr_journal_next(&disk->journal, node->replica, &disk->write);
}

/* The writer: one write at a time, and what gathers meanwhile is the next one. */
void disk_work(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	struct sim_event event = { .kind = SIM_DISK, .slot = node->slot };
	u64 delay_ns = 0;

	if (!sim->options.journal || disk->busy || disk->failed || !node->up || sim->failed ||
	    !next(sim, node))
		return;
	write_now(sim, disk, &disk->write);
	disk->busy = true;
	disk->writes_life = node->info.incarnation;
	event.number = node->life;
	event.memory = node->memories;
	event.epoch = disk->write.epoch;
	event.op = disk->write.op;
	event.promise = disk->write.promise;
	if (disk->write.durable)
		node_entries(node, &event, event.op);
	if (sim->phase == PHASE_FAULTY && disk->write.sync)
		delay_ns = random_below(&sim->random_node, sim->options.disk_ns);
	sim_post(sim, &event, delay_ns);
}

/*
 * Who did not get to write that its memory is lost, nor the one that it was given, is
 * restored to it once more, until somebody tells it of the life that it had begun (R16).
 */
static void note_stale(struct sim *sim, const struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	u64 life = node->info.incarnation;
	u8 status = node->info.status;
	/* Of lives that have a number those that were not restored are these. */
	bool recovered = life && !(life & VR_RESTARTS_MAX) && life > disk->life;

	if ((recovered || status == VR_STATUS_RECOVERING || status == VR_STATUS_AMNESIA) &&
	    disk->journal.super.formed && !disk->journal.super.lost)
		disk->stale = true;
}

static void fail(struct sim *sim, struct sim_node *node)
{
	struct vr_event event = { .type = VR_EVENT_DISK_FAILED };

	note_stale(sim, node);
	sim_trace(sim, node, "DISK FAILS");
	sim_mark(sim, MARK_DISK_FAILED);
	sim->disks[node->slot].failed = true;
	node_step(sim, node, &event);
	if (!sim->failed)
		fault_disk_failed(sim, node);
}

void disk_done(struct sim *sim, struct sim_node *node, struct sim_event *event)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	struct sim_event again = *event;

	if (!node->up || node->life != event->number)
		return;
	if (node->paused) {
		event->bytes = NULL;
		sim_post(sim, &again, node->resume_ns - sim->now_ns);
		return;
	}
	if (fault_disk_fails(sim, node)) {
		fail(sim, node);
		return;
	}
	disk->busy = false;
	if (disk->write.sync)
		make_stable(disk);
	if (disk->write.durable && disk->write.parts[0].offset < VR_JOURNAL_HEAD_BYTES)
		sim_mark(sim, MARK_JOURNAL_BASE);
	vr_journal_done(&disk->journal, &disk->write);
	if (disk->write.durable) {
		disk->life = disk->writes_life;
		node_durable(sim, node, event);
	}
	if (!sim->failed)
		disk_work(sim, node);
}

/* What is committed is in every log that follows, whether it is said again or not. */
void disk_acked(struct sim *sim, const struct sim_node *node, const struct vr_message *m)
{
	struct sim_disk *disk = &sim->disks[node->slot];

	if (m->op <= node->info.commit || m->view < disk->acked_view ||
	    (m->view == disk->acked_view && m->op <= disk->acked_op))
		return;
	disk->acked_view = m->view;
	disk->acked_op = m->op;
	disk->acked_hash = m->hash;
}

/* What it promised before, a memory that is lost need not remember (R16). */
void disk_forget(struct sim *sim, const struct sim_node *node)
{
	sim->disks[node->slot].vote_view = 0;
	sim->disks[node->slot].acked_view = 0;
	sim->disks[node->slot].acked_op = 0;
}

/* --- crashing --- */

/* Of a write that was not stable any blocks may be there, the last one in part. */
static void tear(struct sim *sim, struct sim_disk *disk, const struct sim_dirty *dirty)
{
	struct sim_random *r = &sim->random_fault;
	u64 at = dirty->offset, end = dirty->offset + dirty->count, whole = random_below(r, 3);

	while (at < end) {
		u64 bytes = vr_min(end - at, BLOCK);

		if (!whole && random_below(r, 2))
			bytes = random_below(r, bytes + 1);
		if (whole == 1 || (!whole && random_below(r, 2)))
			memcpy(disk->stable + at, disk->cache + at, bytes);
		at += vr_min(end - at, BLOCK);
	}
}

void disk_crash(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	u32 i;

	if (!sim->options.journal)
		return;
	note_stale(sim, node);
	if (disk->dirty_count)
		sim_mark(sim, MARK_TORN);
	for (i = 0; i < disk->dirty_count; i++)
		tear(sim, disk, &disk->dirty[i]);
	/* Everywhere else the cache is what is stable. */
	for (i = 0; i < disk->dirty_count; i++)
		memcpy(disk->cache + disk->dirty[i].offset, disk->stable + disk->dirty[i].offset,
		       disk->dirty[i].count);
	disk->dirty_count = 0;
	disk->busy = false;
	disk->failed = false;
	if (node->voted && node->vote_view > disk->vote_view)
		disk->vote_view = node->vote_view;
}

static void scan(struct sim_disk *disk)
{
	u64 offset;
	u32 bytes;
	u8 *into;

	vr_scan_begin(&disk->scan, disk->buffer, disk->bytes);
	while (vr_scan_wants(&disk->scan, &offset, &bytes, &into)) {
		memcpy(into, disk->stable + offset, bytes);
		vr_scan_took(&disk->scan);
	}
}

/* A bit of the frames in use turns over; whether that matters is the scan's to say. */
void disk_rot(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	const struct vr_journal_scan *s = &disk->scan;
	u64 at;

	scan(disk);
	/* What no later frame guards nobody can tell from a torn write. */
	if (s->verdict != VR_JOURNAL_WHOLE || s->state.synced <= s->super.start)
		return;
	at = s->super.start +
	     random_below(&sim->random_fault, s->state.synced - s->super.start);
	at = vr_journal_offset(&disk->shape, at);
	disk->stable[at] ^= 1 << random_below(&sim->random_fault, 8);
	disk->cache[at] = disk->stable[at];
	disk->rotten = true;
	sim_mark(sim, MARK_ROT);
}

/* --- coming back --- */

static const char *replay(struct sim *sim, struct sim_disk *disk, struct sim_node *node)
{
	struct vr_journal_scan *s = &disk->scan;
	const char *wrong = vr_restore_begin(node->replica, s);
	u64 offset;
	u32 bytes;
	u8 *into;

	while (!wrong && vr_scan_wants(s, &offset, &bytes, &into)) {
		memcpy(into, disk->stable + offset, bytes);
		vr_scan_took(s);
		wrong = vr_restore_took(node->replica, s, sim->effects);
	}
	return wrong ? wrong : vr_restore_end(node->replica, s);
}

/* R17: what its earlier lives promised and acknowledged it knows. */
static void check_restored(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	const struct vr_info *info = &node->info;
	const struct vr_entry *entry;
	u64 op, view = disk->acked_view;

	if (info->view < disk->vote_view)
		sim_fail(sim, "R17: replica %u forgot that it voted for view %llu", node->slot,
			 (unsigned long long)disk->vote_view);
	if (info->last_normal_view < view)
		sim_fail(sim, "R17: replica %u acknowledged in view %llu and forgot that it was in it",
			 node->slot, (unsigned long long)view);
	entry = vr_replica_entry(node->replica, disk->acked_op);
	if (disk->acked_op && info->last_normal_view == view && disk->acked_op >= info->op_first &&
	    (!entry || entry->hash != disk->acked_hash))
		sim_fail(sim, "R17: replica %u forgot op %llu, which it acknowledged in view %llu",
			 node->slot, (unsigned long long)disk->acked_op, (unsigned long long)view);
	node->era = check_era(sim, vr_number_base(info->generation));
	if (info->incarnation <= node->era->incarnations[node->slot] && !disk->stale)
		sim_fail(sim, "R17: replica %u comes back as life %llu after life %llu", node->slot,
			 (unsigned long long)info->incarnation,
			 (unsigned long long)node->era->incarnations[node->slot]);
	node->era->incarnations[node->slot] = vr_max(info->incarnation,
						     node->era->incarnations[node->slot]);
	node->was_formed = true;
	node->checked_commit = node->era->base;
	node->checked_sequence = info->sequence_last;
	for (op = info->op_first; op <= info->op; op++) {
		struct sim_block *block = &node->disk[op & (SIM_DURABLE_MAX - 1)];

		block->op = op;
		block->hash = vr_replica_entry(node->replica, op)->hash;
	}
}

static void come_back(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	const char *wrong;

	scan(disk);
	sim_trace(sim, node, "JOURNAL %s", vr_journal_verdict_name(disk->scan.verdict));
	switch (disk->scan.verdict) {
	case VR_JOURNAL_WHOLE:
		wrong = replay(sim, disk, node);
		if (wrong) {
			sim_fail(sim, "R17: replica %u: %s", node->slot, wrong);
			return;
		}
		vr_journal_open(&disk->journal, &disk->scan, node->replica);
		vr_replica_describe(node->replica, &node->info);
		sim_mark(sim, disk->scan.torn_bytes ? MARK_RESTORED_TORN : MARK_RESTORED);
		check_restored(sim, node);
		break;
	case VR_JOURNAL_BLANK:
		if (disk->acked_op && !disk->rotten)
			sim_fail(sim, "R17: the journal of replica %u is blank", node->slot);
		vr_journal_open(&disk->journal, &disk->scan, NULL);
		break;
	case VR_JOURNAL_DAMAGED:
		if (!disk->rotten)
			sim_fail(sim, "R17: the journal of replica %u is damaged at %llu, and nothing was done to it",
				 node->slot, (unsigned long long)disk->scan.damage);
		sim_mark(sim, MARK_DAMAGED);
		__attribute__((__fallthrough__));
	case VR_JOURNAL_LOST:
		vr_restore_lost(node->replica);
		vr_journal_open(&disk->journal, &disk->scan, NULL);
		disk_forget(sim, node);
		break;
	default:
		sim_fail(sim, "R17: the file of replica %u is no journal", node->slot);
	}
	/* Until it says so itself a damaged one stays damaged. */
	if (disk->scan.verdict != VR_JOURNAL_DAMAGED)
		disk->rotten = false;
}

/* Before the first step: the file is made, or read, and a new life written down. */
void disk_boot(struct sim *sim, struct sim_node *node)
{
	struct sim_disk *disk = &sim->disks[node->slot];
	struct vr_journal fresh = { .frame = NULL };

	if (!sim->options.journal)
		return;
	if (!disk->bytes) {
		disk_new(sim, node);
		vr_journal_create(&disk->journal, &disk->shape, &disk->write);
		write_now(sim, disk, &disk->write);
		make_stable(disk);
		vr_journal_done(&disk->journal, &disk->write);
		return;
	}
	fresh.frame = disk->journal.frame;
	fresh.checkpoint = disk->journal.checkpoint;
	disk->journal = fresh;
	come_back(sim, node);
	if (disk->scan.verdict != VR_JOURNAL_WHOLE)
		return;
	while (!sim->failed && vr_journal_next(&disk->journal, node->replica, &disk->write)) {
		write_now(sim, disk, &disk->write);
		if (disk->write.sync)
			make_stable(disk);
		vr_journal_done(&disk->journal, &disk->write);
	}
	disk->life = node->info.incarnation;
}

/* Is the group written down everywhere, so that all may go down? */
bool disks_know_group(const struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_disk *disk = &sim->disks[i];

		if (!disk->journal.super.formed || disk->journal.super.lost)
			return false;
	}
	return true;
}
