// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold of votes, seen from outside: as they are said, as they reach
 * a replica, and of the view that they start. Knows what a replica was given,
 * not what it made of it.
 */
#include "sim.h"

static bool is_better(const struct sim_vote *a, const struct sim_vote *b)
{
	return a->log_view != b->log_view ? a->log_view > b->log_view : a->op > b->op;
}

static struct sim_vote offer(const struct vr_message *m)
{
	struct sim_vote vote = { .valid = true, .log_view = m->log_view, .op = m->op };

	if (m->hash_count)
		vote.hash = m->hashes[m->hash_count - 1];
	vote.incarnation = m->incarnation;
	memcpy(vote.vector, m->vector, sizeof(vote.vector));
	return vote;
}

static u64 digest_vote(const struct vr_message *m)
{
	u64 digest = m->log_view * 0x9e3779b97f4a7c15ull + m->op;
	u32 i;

	digest = digest * 0x9e3779b97f4a7c15ull + m->commit;
	for (i = 0; i < m->hash_count; i++)
		digest = (digest ^ m->hashes[i]) * 0x9fb21c651e98df25ull;
	return digest;
}

/* R7, R10, D19: one statement for one view, about the log as it is. */
void check_vote(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	u64 digest = digest_vote(m);

	/* A step may enter a view change, vote, and be past it, all at once. */
	if (m->view > node->info.view || m->view < node->before.view ||
	    (m->view == node->before.view && node->info.status != VR_STATUS_VIEW_CHANGE))
		sim_fail(sim, "R7: replica %u votes for view %llu in status %s", node->slot,
			 (unsigned long long)m->view, sim_status_name(node->info.status));
	if (m->log_view != node->before.last_normal_view)
		sim_fail(sim, "R10: replica %u votes with log view %llu", node->slot,
			 (unsigned long long)m->log_view);
	if (node->voted && m->view < node->vote_view)
		sim_fail(sim, "R7: replica %u votes for view %llu after view %llu", node->slot,
			 (unsigned long long)m->view, (unsigned long long)node->vote_view);
	if (node->voted && node->vote_view == m->view && node->vote_digest != digest)
		sim_fail(sim, "D19: replica %u votes twice and differently for view %llu",
			 node->slot, (unsigned long long)m->view);
	node->voted = true;
	node->vote_view = m->view;
	node->vote_digest = digest;
	node->vote = offer(m);
}

/* Called before the step that hears it, which may start the view. */
void check_heard(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	struct sim_hearing *heard = &node->heard;
	struct sim_vote *vote = &heard->votes[m->from];

	if (m->view < heard->view || m->to != node->slot ||
	    vr_message_invalid(m, sim->options.replica_count) ||
	    m->generation != node->info.generation ||
	    m->incarnation < node->info.peers[m->from].incarnation)
		return;
	if (m->view > heard->view)
		memset(heard, 0, sizeof(*heard));
	heard->view = m->view;
	if (vote->valid && vote->incarnation == m->incarnation)
		return;
	heard->revoked |= vote->valid;
	*vote = offer(m);
	vote->order = heard->count++;
}

/* Was the vote dropped after all? Called after the step. */
bool check_overheard(const struct sim_node *node)
{
	return memcmp(node->info.drops, node->before.drops, sizeof(node->info.drops));
}

/*
 * Lives with one memory: a journal brings back what the life before it promised, so
 * that its vote stands (R17). Who recovers instead counts on in the upper part.
 */
static u64 memory_of(const struct sim *sim, u64 incarnation)
{
	return sim->options.journal ? incarnation & ~VR_RESTARTS_MAX : incarnation;
}

/* R16: a vote of a memory that the replica, or another vote, knows to be lost is none. */
static bool counts(const struct sim *sim, const struct sim_node *node, u8 slot)
{
	const struct sim_vote *vote = &node->heard.votes[slot];
	u64 newest = node->info.peers[slot].incarnation;
	u32 i;

	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		if (node->heard.votes[i].valid)
			newest = vr_max(newest, node->heard.votes[i].vector[slot]);
	}
	return vote->valid && memory_of(sim, vote->incarnation) >= memory_of(sim, newest);
}

/* The best of our own vote and the first @count we heard. True if it is another's. */
static bool best_of(const struct sim *sim, const struct sim_node *node, u32 count,
		    struct sim_vote *best)
{
	bool is_others = false;
	u32 i;

	for (i = 0; node->heard.view == node->info.view && i < VR_REPLICAS_MAX; i++) {
		const struct sim_vote *vote = &node->heard.votes[i];

		if (!counts(sim, node, i) || vote->order >= count || !is_better(vote, best))
			continue;
		*best = *vote;
		is_others = true;
	}
	return is_others;
}

/* Is the log of the view the one that so many votes call for? */
static bool follows_from(const struct sim *sim, const struct sim_node *node, u32 count,
			 struct sim_vote *best)
{
	const struct vr_entry *chosen;

	if (!best_of(sim, node, count, best) || best->op <= node->era->base ||
	    best->op < node->info.op_first)
		return true;
	chosen = vr_replica_entry(node->replica, best->op);
	return chosen && chosen->hash == best->hash;
}

/*
 * R8: a quorum voted for the view, and its best log is that of the view. With a
 * quorum the choice is made, and later votes do not change it. But our own vote
 * counts when the disk knows the view (D18), and by then more than a quorum may have
 * come: so with a journal it is the best of the first so many, a quorum or more.
 */
void check_votes(struct sim *sim, struct sim_node *node, const struct vr_info *before)
{
	struct sim_vote own = { .log_view = before->last_normal_view, .op = before->op };
	struct sim_vote best = own;
	bool revoked = node->heard.revoked;
	u64 view = node->info.view;
	u8 mask = 1u << node->slot;
	u32 i, count, most;

	if (node->voted && node->vote_view == view)
		own = node->vote;
	for (i = 0; node->heard.view == view && i < VR_REPLICAS_MAX; i++) {
		const struct sim_vote *vote = &node->heard.votes[i];

		/* A vote of an ended life may have been dropped before the choice was made. */
		revoked |= vote->valid && vote->incarnation < node->info.peers[i].incarnation;
		if (counts(sim, node, i))
			mask |= 1u << i;
		else
			revoked |= vote->valid;
	}
	if (view && __builtin_popcount(mask) < sim_quorum(sim)) {
		sim_fail(sim, "R8: view %llu starts at replica %u with the votes of %x only",
			 (unsigned long long)view, node->slot, mask);
		return;
	}
	if (!view || revoked)
		return;
	count = sim_quorum(sim) - 1;
	most = sim->options.journal ? vr_max(count, node->heard.count) : count;
	for (; count <= most; count++) {
		best = own;
		if (follows_from(sim, node, count, &best))
			return;
	}
	sim_fail(sim, "R8: view %llu starts at replica %u without op %llu of log view %llu",
		 (unsigned long long)view, node->slot, (unsigned long long)best.op,
		 (unsigned long long)best.log_view);
}

/* D3: a replica that moves because of a higher view moves to that view. */
void check_adopted(struct sim *sim, const struct sim_node *node, const struct vr_message *m)
{
	if (node->info.view > node->before.view && node->info.view < m->view)
		sim_fail(sim, "D3: a message of view %llu took replica %u to view %llu",
			 (unsigned long long)m->view, node->slot,
			 (unsigned long long)node->info.view);
}
