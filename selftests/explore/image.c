// SPDX-License-Identifier: GPL-2.0
/*
 * Images: the memory of a replica, in one form for all that is one state. What
 * counts or times without deciding anything is set to what it was at first;
 * what is not in use is cleared. Whatever is not named here stays as it is: a
 * field forgotten costs states and hides none.
 *
 * Kept is only what differs from the first image of the slot.
 */
#include <stdlib.h>

#include "explore.h"
#include "vr_replica_private.h"

#define WORD		sizeof(u64)
#define ARMED_NS	(EXPLORE_NOW_NS + 1000 * VR_NS_PER_MS)

/** struct run - @count words that differ, behind @skip that do not */
struct run {
	u16 skip;
	u16 count;
	u32 zero;
};

static u64 *memories[VR_REPLICAS_MAX];
static u64 *first[VR_REPLICAS_MAX];
static u64 *packed;
static size_t words;
static struct intern images;

static struct vr_replica *replica(u32 slot)
{
	/* It lies at the beginning of its memory. */
	return (struct vr_replica *)memories[slot];
}

static void clear_ring(struct vr_ring *ring)
{
	u64 used = ring->last + 1 - ring->first, i;

	for (i = used; i < ring->slot_count; i++)
		memset(&ring->slots[(ring->first + i) & (ring->slot_count - 1)], 0,
		       sizeof(*ring->slots));
}

/*
 * Timers that run. Some do whenever there is what they are for, which is not
 * told apart from when they were set; opinions (R6) are kept by nobody, so that
 * of their timers the first runs always.
 */
static u32 armed(const struct vr_replica *r)
{
	u32 timers = 0, t;

	for (t = 0; t < VR_TIMER_COUNT; t++)
		timers |= (u32)vr_timer_runs(r, t) << t;
	timers &= 1u << VR_TIMER_REPAIR | 1u << VR_TIMER_PENDING;
	timers |= 1u << VR_TIMER_PING;
	if (vr_is_recovering(r))
		timers |= 1u << VR_TIMER_RECOVERY;
	if (r->status == VR_STATUS_VIEW_CHANGE)
		timers |= 1u << VR_TIMER_GIVE_UP | 1u << VR_TIMER_RESEND;
	if (r->status != VR_STATUS_NORMAL)
		return timers;
	if (!vr_is_primary(r))
		return timers | 1u << VR_TIMER_SILENCE;
	timers |= 1u << VR_TIMER_HEARTBEAT | 1u << VR_TIMER_ABDICATE;
	if (r->commit < r->log.ring.last)
		timers |= 1u << VR_TIMER_RESEND;
	return timers;
}

/*
 * Those whose firing can matter. PING tells nothing that other messages do not;
 * a request that is given again to the primary of one view is the same datagram.
 */
u32 image_timers(const struct vr_replica *r)
{
	return armed(r) & ~(1u << VR_TIMER_PING | 1u << VR_TIMER_PENDING);
}

static void clear_sessions(struct vr_sessions *t)
{
	u32 i;

	for (i = 0; i < t->max; i++) {
		if (!t->rows[i].id)
			memset(&t->rows[i], 0, sizeof(t->rows[i]));
	}
}

static void clear_pendings(struct vr_pendings *all, u32 max)
{
	u32 i;

	for (i = 0; i < max; i++) {
		struct vr_pending *p = &all->table[i];

		p->sent_ns = 0;
		p->submitted_ns = 0;
		if (!p->active)
			memset(p, 0, sizeof(*p));
	}
}

static void clear_checkpoint(struct vr_checkpoint *c)
{
	c->taken = 0;
	c->end = 0;
	c->came = false;
	memset(c->bytes + c->size, 0, c->size_max - c->size);
	if (!c->fetching)
		memset(c->chunks, 0, vr_checkpoint_chunk_count(c->size_max) / 8 + 1);
}

/* Times: it is always now, and nothing was late, measured or leased. */
static void clear_times(struct vr_replica *r)
{
	u32 timers = armed(r), i;

	r->prng.state = 1;
	for (i = 0; i < VR_TIMER_COUNT; i++)
		r->timers.at_ns[i] = timers & (1u << i) ? ARMED_NS : VR_NEVER;
	r->timers.first_ns = 0;
	r->now_ns = EXPLORE_NOW_NS;
	r->stamp_ns = EXPLORE_NOW_NS;
	r->quorum_ns = EXPLORE_NOW_NS;
	r->had_quorum = true;
	r->normal_since_ns = 0;
	r->lease_ns = 0;
	r->promise_ns = 0;
	r->fresh_ns = 0;
	r->fresher_ns = 0;
	r->fresher_op = 0;
	r->heartbeat_ns = 0;
	r->probe_ns = 0;
	r->round_trip_ns = 0;
	r->late = false;
	r->failed_views = 0;
	r->recovery.ask_count = 0;
	r->recovery.progress = 0;
}

static void clear_counts(struct vr_replica *r)
{
	r->view_changes = 0;
	r->recoveries = 0;
	r->transfers = 0;
	memset(r->drops, 0, sizeof(r->drops));
	memset(r->received, 0, sizeof(r->received));
	memset(r->sent, 0, sizeof(r->sent));
}

static void clear_peer(struct vr_replica *r, struct vr_peer *peer)
{
	bool leads = r->status == VR_STATUS_NORMAL && vr_is_primary(r);

	/* Who has acknowledged no more than is committed decides nothing. */
	u64 acked = leads ? vr_max(peer->acked, r->commit) : 0;

	memset(peer, 0, sizeof(*peer));
	peer->status = VR_STATUS_COUNT;
	peer->say = VR_WIRE_VERSION_MIN;
	peer->acked = acked;
}

/*
 * Of an answer to RECOVERY counts, at first, only that it came (R15, phase 1),
 * and when what is to be fetched is decided nothing at all.
 */
static void clear_vote(const struct vr_replica *r, struct vr_vote *vote)
{
	bool valid = vote->valid && !(vr_is_recovering(r) && r->install.active);

	if (!valid || (vr_is_recovering(r) && !r->incarnation)) {
		memset(vote, 0, sizeof(*vote));
		vote->valid = valid;
	}
	if (vote->hash_count < VR_HASHES_MAX)
		memset(&vote->hashes[vote->hash_count], 0,
		       (VR_HASHES_MAX - vote->hash_count) * sizeof(vote->hashes[0]));
}

static void clear_install(struct vr_replica *r)
{
	struct vr_install *in = &r->install;
	u64 used = in->op - in->base + 1;

	if (!in->active) {
		memset(in, 0, sizeof(*in));
		vr_ring_reset(&r->stage, 1);
	} else {
		memset(&in->hashes[used], 0, (VR_HASHES_MAX - used) * sizeof(in->hashes[0]));
	}
	clear_ring(&r->stage);
}

/* What a primary, or a backup, knows is of no use to anybody else. */
static void clear_roles(struct vr_replica *r)
{
	bool normal = r->status == VR_STATUS_NORMAL, leads = normal && vr_is_primary(r);

	r->abdicated = false;	/* whoever says so goes on serving, or not */
	r->commit_mask = 0;
	if (!leads) {
		r->op_prepared = 0;
		r->durable_said = 0;
		r->batch_count = 0;
		r->came_eighths = 0;
	}
	while (r->batch_count && r->batch_ends[0] <= r->commit) {
		r->batch_count--;
		memmove(r->batch_ends, r->batch_ends + 1,
			r->batch_count * sizeof(r->batch_ends[0]));
	}
	memset(&r->batch_ends[r->batch_count], 0,
	       (VR_PREPARES_MAX - r->batch_count) * sizeof(r->batch_ends[0]));
	if (!normal || leads || r->primary_durable <= r->commit)
		r->primary_durable = 0;
	if (r->repair_op <= r->log.ring.last)
		r->repair_op = 0;
}

static void normalise(struct vr_replica *r)
{
	u32 i;

	r->fx = NULL;
	r->log_epoch = 0;	/* DURABLE comes with the step it belongs to */
	clear_times(r);
	clear_counts(r);
	clear_roles(r);
	clear_install(r);
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		clear_peer(r, &r->peers[i]);
		clear_vote(r, &r->votes[i]);
	}
	clear_ring(&r->log.ring);
	clear_ring(&r->sm.messages);
	clear_sessions(&r->sm.sessions);
	clear_checkpoint(&r->checkpoint);
	clear_pendings(&r->pendings, r->cfg.pending_max);
}

void image_begin(u32 slot, u8 *memory, size_t size)
{
	memories[slot] = (u64 *)memory;
	words = size / WORD;
	first[slot] = malloc(size);
	packed = realloc(packed, 2 * size + WORD);
	if (!first[slot] || !packed)
		abort();
	normalise(replica(slot));
	memcpy(first[slot], memory, size);
}

u32 image_save(u32 slot)
{
	const u64 *now = memories[slot], *then = first[slot];
	size_t at = 0, end = 1;

	normalise(replica(slot));
	packed[0] = slot;
	for (;;) {
		struct run run = { 0 };

		for (; at < words && now[at] == then[at]; at++)
			run.skip++;
		if (at == words)
			break;
		for (; at < words && now[at] != then[at]; at++)
			packed[end + 1 + run.count++] = now[at];
		memcpy(&packed[end], &run, sizeof(run));
		end += 1 + run.count;
	}
	return intern(&images, packed, end * WORD);
}

void image_load(u32 image)
{
	u32 bytes;
	const u64 *kept = interned(&images, image, &bytes);
	const u64 *end = kept + bytes / WORD;
	u32 slot = *kept++;
	u64 *at = memories[slot];
	struct run run;

	memcpy(at, first[slot], words * WORD);
	while (kept < end) {
		memcpy(&run, kept++, sizeof(run));
		at += run.skip;
		memcpy(at, kept, run.count * WORD);
		at += run.count;
		kept += run.count;
	}
}

u32 image_count(void)
{
	return images.count;
}
