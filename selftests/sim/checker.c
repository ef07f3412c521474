// SPDX-License-Identifier: GPL-2.0
/*
 * What must hold after every step, seen from outside: of one replica over
 * time, of all replicas together, of what clients were told. Reads replicas
 * only through the contract.
 *
 *	A1  no two replicas commit different entries at one op
 *	A2  at most one replica is NORMAL as primary of a view
 *	A3  results are those of the model; the history is linearizable
 *	A4  what is committed in a view is in the log of every later one's primary
 *	A5  what a replica acknowledged in a view it holds in that view
 *	A6  readers see the same messages, none missing, none twice
 *	A7  what was said not to be applied never is
 *	A8  replicas with a checkpoint of one op have the same checkpoint
 *
 * What is numbered is of one generation; of several of them record.c and answer.c speak.
 */
#include "sim.h"

/* --- the committed log --- */

bool check_is_durable(const struct sim_node *node, u64 op, u64 hash)
{
	const struct sim_block *block = &node->disk[op & (SIM_DURABLE_MAX - 1)];

	return node->config.memory_is_durable || (block->op == op && block->hash == hash);
}

/* A member says to others that it holds @op; by the chain that is all before, too. */
static void give_word(const struct sim_node *node, u64 op)
{
	struct sim_word *words = node->era->words[node->slot];
	u64 oldest = op > SIM_DURABLE_MAX ? op - SIM_DURABLE_MAX : 0;
	const struct vr_entry *entry;
	struct sim_word *word;

	for (; op > oldest; op--) {
		entry = vr_replica_entry(node->replica, op);
		word = &words[op & (SIM_DURABLE_MAX - 1)];
		if (!entry || (word->op == op && word->hash == entry->hash &&
			       word->incarnation == node->info.incarnation))
			return;
		word->op = op;
		word->hash = entry->hash;
		word->incarnation = node->info.incarnation;
	}
}

/* R4, R5, seen from outside: those who said so, and are not known to have died since. */
static void check_quorum(struct sim *sim, const struct sim_node *node, const struct vr_entry *entry)
{
	u32 holders = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_word *word =
			&node->era->words[i][entry->op & (SIM_DURABLE_MAX - 1)];

		if (i == node->slot)
			holders += check_is_durable(node, entry->op, entry->hash);
		else
			holders += word->op == entry->op && word->hash == entry->hash &&
				   word->incarnation >= node->info.peers[i].incarnation;
	}
	if (holders < sim_quorum(sim))
		sim_fail(sim, "R4: op %llu is committed by replica %u, and %u of %u hold it",
			 (unsigned long long)entry->op, node->slot, holders,
			 sim->options.replica_count);
}

static void commit_first(struct sim *sim, const struct sim_node *node, const struct vr_entry *entry)
{
	struct sim_era *era = node->era;
	struct sim_entry *e;

	era->entries = sim_room(era->entries, era->entry_count, &era->entry_room,
				sizeof(*era->entries));
	e = &era->entries[era->entry_count++];
	memset(e, 0, sizeof(*e));
	e->hash = entry->hash;
	e->view = entry->view;
	e->commit_view = node->info.view;
	e->session = entry->session;
	e->request = entry->request;
	e->argument = entry->argument;
	e->topic = entry->topic;
	e->kind = entry->kind;
	e->origin = entry->origin;
	e->body_bytes = entry->body_bytes;
	e->body = sim_allocate(entry->body_bytes);
	if (entry->body_bytes)
		memcpy(e->body, entry->body, entry->body_bytes);
	check_quorum(sim, node, entry);
	model_apply(&era->model, e, entry->op, &e->result);
	sim_trace(sim, node, "COMMITS %llu: %s session %llu request %llu: error %d, %llu..%llu",
		  (unsigned long long)(entry->op & VR_COUNT_MASK), sim_kind_name(e->kind),
		  (unsigned long long)(e->session & VR_COUNT_MASK), (unsigned long long)e->request,
		  e->result.error, (unsigned long long)(e->result.first & VR_COUNT_MASK),
		  (unsigned long long)(e->result.last & VR_COUNT_MASK));
	if (era->model.broken_promise)
		sim_fail(sim, "A7: op %llu applies request %llu of session %llu, of which was said that it is not",
			 (unsigned long long)entry->op, (unsigned long long)e->request,
			 (unsigned long long)e->session);
	if (node->info.primary != node->slot)
		sim_mark(sim, MARK_DONE_EARLY);
	if (e->result.error == -ENOSPC)
		sim_mark(sim, MARK_COUNTERS_FULL);
	if (e->result.error == -EOVERFLOW)
		sim_mark(sim, MARK_OVERFLOW);
	if (e->result.error == -EEXIST)
		sim_mark(sim, MARK_NOT_NEXT);
}

static bool contents_equal(const struct sim_entry *a, const struct vr_entry *b)
{
	return a->view == b->view && a->session == b->session &&
	       a->request == b->request && a->argument == b->argument && a->kind == b->kind &&
	       a->topic == b->topic && a->origin == b->origin && a->body_bytes == b->body_bytes &&
	       (!a->body_bytes || !memcmp(a->body, b->body, a->body_bytes));
}

static bool entries_equal(const struct sim_entry *a, const struct vr_entry *b)
{
	return a->hash == b->hash && contents_equal(a, b);
}

/* Entries that came within a checkpoint are known by the hash of the newest. */
static bool skipped(const struct sim *sim, const struct sim_node *node, u64 op)
{
	return op < node->info.op_first && check_entry(sim, op);
}

static void check_commits(struct sim *sim, struct sim_node *node)
{
	bool is_primary = node->info.primary == node->slot;
	const struct sim_entry *newest;
	u64 op = node->checked_commit + 1;

	while (op <= node->info.commit && skipped(sim, node, op))
		op++;
	for (; op <= node->info.commit && !sim->failed; op++) {
		const struct vr_entry *entry = vr_replica_entry(node->replica, op);
		const struct sim_entry *first = check_entry(sim, op);

		if (!entry)
			sim_fail(sim, "A1: replica %u committed op %llu and does not hold it",
				 node->slot, (unsigned long long)op);
		else if (entry->op != op)
			sim_fail(sim, "A1: replica %u calls entry %llu by the name %llu",
				 node->slot, (unsigned long long)op,
				 (unsigned long long)entry->op);
		else if (!first)
			commit_first(sim, node, entry);
		else if (!entries_equal(first, entry))
			sim_fail(sim, "A1: replica %u commits another entry at op %llu",
				 node->slot, (unsigned long long)op);
	}
	if (sim->failed || node->info.commit == node->checked_commit)
		return;
	newest = check_entry(sim, node->info.commit);
	if (newest && newest->hash != node->info.commit_hash)
		sim_fail(sim, "A1: replica %u is at op %llu with another hash", node->slot,
			 (unsigned long long)node->info.commit);
	for (op = node->info.commit; is_primary && op > node->era->base; op--) {
		struct sim_entry *e = &node->era->entries[op - node->era->base - 1];

		if (e->primary_ns)
			break;
		e->primary_ns = sim->now_ns;
	}
	node->checked_commit = node->info.commit;
}

static void check_checkpoint(struct sim *sim, const struct sim_node *node)
{
	const struct vr_info *now = &node->info;
	struct sim_word *known;
	u64 hash;

	if (!now->checkpoint_op || now->checkpoint_op == node->before.checkpoint_op)
		return;
	hash = vr_replica_checkpoint_hash(node->replica);
	known = &node->era->checkpoints[now->checkpoint_op & (SIM_CHECKPOINTS_MAX - 1)];
	if (now->checkpoint_op > now->commit) {
		sim_fail(sim, "R13: replica %u has a checkpoint of op %llu, which is not committed",
			 node->slot, (unsigned long long)now->checkpoint_op);
	} else if (known->op == now->checkpoint_op) {
		sim_mark(sim, MARK_CHECKPOINTS_MET);
		if (known->hash != hash)
			sim_fail(sim, "A8: replica %u has another checkpoint of op %llu",
				 node->slot, (unsigned long long)now->checkpoint_op);
	} else {
		known->op = now->checkpoint_op;
		known->hash = hash;
	}
	if (now->checkpoints > node->before.checkpoints)
		sim_mark(sim, MARK_CHECKPOINT);
	if (now->transfers > node->before.transfers)
		sim_mark(sim, node->before.status == VR_STATUS_RECOVERING ?
			      MARK_CHECKPOINT_RECOVERED : MARK_CHECKPOINT_FETCHED);
}

/* --- one replica over time --- */

static bool has_memory(u8 status)
{
	return status == VR_STATUS_NORMAL || status == VR_STATUS_VIEW_CHANGE;
}

static bool is_without(u8 status)
{
	return status == VR_STATUS_RECOVERING || status == VR_STATUS_AMNESIA;
}

/* A new life owes nothing to what an old one knew or said. */
void check_forget(struct sim_node *node)
{
	node->memories++;
	memset(node->disk, 0, sizeof(node->disk));
	memset(&node->heard, 0, sizeof(node->heard));
	node->checked_commit = 0;
	node->checked_sequence = 0;
	node->acked = false;
	node->voted = false;
	node->was_formed = false;
	node->was_forming = false;
}

/* R15, R16: nobody comes back as the primary, or as the life, it was. */
static void check_recovered(struct sim *sim, struct sim_node *node)
{
	u64 *incarnation = &node->era->incarnations[node->slot];

	sim_mark(sim, MARK_RECOVERED);
	if (node->recovered)
		sim_mark(sim, MARK_RECOVERED_TWICE);
	node->recovered = true;
	sim->disks[node->slot].stale = false;
	if (node->info.incarnation <= *incarnation)
		sim_fail(sim, "R16: replica %u recovers as life %llu after life %llu", node->slot,
			 (unsigned long long)node->info.incarnation,
			 (unsigned long long)*incarnation);
	*incarnation = node->info.incarnation;
	if (node->info.primary == node->slot && sim->options.replica_count > 1 &&
	    node->info.cold_starts == node->before.cold_starts)
		sim_fail(sim, "R15: replica %u recovers as primary of view %llu", node->slot,
			 (unsigned long long)node->info.view);
	net_release(sim, node->slot);
}

static void check_monotone(struct sim *sim, const struct sim_node *node,
			   const struct vr_info *before)
{
	const struct vr_info *now = &node->info;

	if (now->status == VR_STATUS_HALTED && sim->disks[node->slot].failed)
		return;
	if (now->status == VR_STATUS_HALTED) {
		sim_fail(sim, "I0: replica %u halted, reason %u", node->slot, now->halt);
		return;
	}
	if (now->status == VR_STATUS_NORMAL && now->view != now->last_normal_view)
		sim_fail(sim, "I3: replica %u is NORMAL in view %llu, last normal view %llu",
			 node->slot, (unsigned long long)now->view,
			 (unsigned long long)now->last_normal_view);
	if (now->commit > now->op)
		sim_fail(sim, "I1: replica %u has op %llu and commit %llu", node->slot,
			 (unsigned long long)now->op, (unsigned long long)now->commit);
	/* Without memory there is nothing to be true to. */
	if (!has_memory(before->status) || !has_memory(now->status))
		return;
	if (now->generation != before->generation)
		sim_fail(sim, "R18: replica %u goes from generation %u to %u with its memory",
			 node->slot, before->generation, now->generation);
	if (now->view < before->view)
		sim_fail(sim, "I3: replica %u went back to view %llu", node->slot,
			 (unsigned long long)now->view);
	if (now->last_normal_view < before->last_normal_view)
		sim_fail(sim, "I3: replica %u went back to last normal view %llu", node->slot,
			 (unsigned long long)now->last_normal_view);
	if (now->commit < before->commit)
		sim_fail(sim, "I6: the commit number of replica %u went back to %llu",
			 node->slot, (unsigned long long)now->commit);
	if (now->incarnation != before->incarnation)
		sim_fail(sim, "R16: replica %u changes from life %llu to life %llu", node->slot,
			 (unsigned long long)before->incarnation,
			 (unsigned long long)now->incarnation);
}

/* Who may come to which status, besides staying. */
static bool may_become(u8 from, u8 to)
{
	static const u8 next[VR_STATUS_COUNT] = {
		[VR_STATUS_BLANK] = 1u << VR_STATUS_FORMING | 1u << VR_STATUS_NORMAL |
				    1u << VR_STATUS_RECOVERING | 1u << VR_STATUS_AMNESIA,
		[VR_STATUS_FORMING] = 1u << VR_STATUS_BLANK | 1u << VR_STATUS_NORMAL |
				      1u << VR_STATUS_RECOVERING | 1u << VR_STATUS_AMNESIA,
		[VR_STATUS_NORMAL] = 1u << VR_STATUS_VIEW_CHANGE,
		[VR_STATUS_VIEW_CHANGE] = 1u << VR_STATUS_NORMAL,
		[VR_STATUS_RECOVERING] = 1u << VR_STATUS_NORMAL | 1u << VR_STATUS_AMNESIA,
		[VR_STATUS_AMNESIA] = 1u << VR_STATUS_NORMAL | 1u << VR_STATUS_RECOVERING,
	};

	return from == to || (next[from] >> to & 1);
}

static void check_status(struct sim *sim, struct sim_node *node, const struct vr_info *before)
{
	const struct vr_info *now = &node->info;

	if (now->status == before->status || sim->disks[node->slot].failed)
		return;
	sim->totals.transitions[before->status * VR_STATUS_COUNT + now->status]++;
	node->was_forming |= now->status == VR_STATUS_FORMING;
	/* A journal of before a recovery that had not come to an end. */
	if (!node->demoted_now && !may_become(before->status, now->status) &&
	    now->refusal != VR_REFUSAL_FENCED &&
	    !(sim->options.journal && now->refusal == VR_REFUSAL_DEMOTED))
		sim_fail(sim, "R15: replica %u was %s and is %s", node->slot,
			 sim_status_name(before->status), sim_status_name(now->status));
	if (is_without(now->status) && !is_without(before->status)) {
		sim_mark(sim, MARK_MEMORY_LOST);
		/* Who was ready to be formed may be told, also later, that it was without it. */
		if (!node->life && !node->demotions && !node->was_forming &&
		    now->refusal == VR_REFUSAL_MEMORY_LOST)
			sim_fail(sim, "R15: replica %u lost no memory", node->slot);
		check_forget(node);
		disk_forget(sim, node);
	}
	if (now->status == VR_STATUS_AMNESIA)
		sim_mark(sim, MARK_AMNESIA);
	if (before->status == VR_STATUS_AMNESIA && now->status != VR_STATUS_AMNESIA)
		sim_mark(sim, MARK_AMNESIA_OVER);
	if (is_without(before->status) && now->status == VR_STATUS_NORMAL)
		check_recovered(sim, node);
	if (now->status == VR_STATUS_BLANK && node->was_formed)
		sim_fail(sim, "R19: replica %u forgot its group", node->slot);
	if (now->status == VR_STATUS_NORMAL && !node->was_formed) {
		node->was_formed = true;
		node->era->incarnations[node->slot] = now->incarnation;
		node->checked_commit = vr_number_base(now->generation);
		node->checked_sequence = node->checked_commit;
	}
}

/* A4: said when the view starts, not when the loss shows. */
static void check_leader(struct sim *sim, const struct sim_node *node)
{
	u64 op;

	for (op = node->info.op_first; op <= node->era->base + node->era->entry_count; op++) {
		const struct sim_entry *e = check_entry(sim, op);
		const struct vr_entry *own = vr_replica_entry(node->replica, op);

		if (!e || e->commit_view >= node->info.view)
			continue;
		if (!own || own->hash != e->hash) {
			sim_fail(sim, "A4: view %llu starts at replica %u without op %llu, committed in view %llu",
				 (unsigned long long)node->info.view, node->slot,
				 (unsigned long long)op, (unsigned long long)e->commit_view);
			return;
		}
	}
}

static void check_primary(struct sim *sim, struct sim_node *node,
			  const struct vr_info *before)
{
	struct sim_era *c = node->era;
	u64 view = node->info.view;

	if (node->info.status != VR_STATUS_NORMAL)
		return;
	c->view_max = vr_max(c->view_max, view);
	if (view % sim->options.replica_count != node->slot)
		return;
	if (view >= SIM_VIEWS_MAX) {
		sim_fail(sim, "L4: %u view changes", SIM_VIEWS_MAX);
		return;
	}
	if (c->primary_seen[view] && c->primary_seen[view] != node->info.incarnation) {
		sim_fail(sim, "A2: two lives of replica %u are primary of view %llu",
			 node->slot, (unsigned long long)view);
		return;
	}
	c->primary_seen[view] = node->info.incarnation;
	if (before->status != VR_STATUS_NORMAL || before->view != view) {
		check_leader(sim, node);
		check_votes(sim, node, before);
	}
	if (node->info.op - node->info.commit > VR_PIPELINE_MAX / 2)
		sim_mark(sim, MARK_PIPELINE_DEEP);
}

static u64 *acked_hash(struct sim_node *node, u64 op)
{
	return &node->acked_hash[op & (SIM_DURABLE_MAX - 1)];
}

/*
 * What was acknowledged must stay until a later view's log replaces it, or a
 * committed entry shows that it is on a branch that can never be committed.
 */
static void check_acked(struct sim *sim, struct sim_node *node)
{
	const struct sim_entry *committed;
	const struct vr_entry *entry;
	u64 op;

	if (!node->acked || !has_memory(node->info.status) ||
	    node->info.last_normal_view != node->acked_view ||
	    node->acked_op < node->info.op_first)
		return;
	entry = vr_replica_entry(node->replica, node->acked_op);
	if (entry && entry->hash == *acked_hash(node, node->acked_op))
		return;
	op = vr_min(node->acked_op, node->info.commit);
	committed = check_entry(sim, op);
	if (!committed || committed->hash == *acked_hash(node, op))
		sim_fail(sim, "A5: replica %u acknowledged op %llu in view %llu and holds it no more",
			 node->slot, (unsigned long long)node->acked_op,
			 (unsigned long long)node->acked_view);
}

/* --- readers --- */

void check_messages(struct sim *sim, struct sim_node *node)
{
	u64 newest = vr_replica_sequence_last(node->replica);
	u64 oldest = vr_replica_sequence_first(node->replica);
	const struct sim_era *era = node->era;
	u64 sequence;

	if (newest == node->checked_sequence)
		return;
	if (!sim->effects->readable && has_memory(node->before.status))
		sim_fail(sim, "A6: replica %u has new messages and does not say so", node->slot);
	sequence = node->checked_sequence + 1;
	if (sequence < oldest) {
		sim_mark(sim, sim_is_remote(node) ? MARK_REMOTE_GAP : MARK_READER_OVERRUN);
		sequence = oldest;
	}
	for (; sequence <= newest && !sim->failed; sequence++) {
		const struct vr_entry *message = vr_replica_message(node->replica, sequence);
		const struct sim_entry *e = NULL;

		if (sequence - era->base <= era->model.message_count)
			e = check_entry(sim,
					era->model.messages[sequence - era->base - 1]);
		/* Out of a checkpoint they come without their hashes. */
		if (!message || !e || !contents_equal(e, message))
			sim_fail(sim, "A6: replica %u has another message %llu", node->slot,
				 (unsigned long long)sequence);
	}
	if (newest - era->base > era->model.message_count)
		sim_fail(sim, "A6: replica %u has a message nobody committed", node->slot);
	node->checked_sequence = newest;
}

void check_step(struct sim *sim, struct sim_node *node)
{
	const struct vr_info *before = &node->before;
	const struct vr_info *now = &node->info;

	if (sim_is_remote(node)) {
		remote_check(sim, node);
		return;
	}
	remote_check_lease(sim, node);
	remote_check_gate(sim, node);
	check_monotone(sim, node, before);
	era_enter(sim, node);
	if (!sim->failed)
		check_status(sim, node, before);
	record_check(sim, node);
	if (sim->failed || !sim->checker.formed)
		return;
	if (!node->was_formed || !has_memory(now->status))
		return;
	check_commits(sim, node);
	if (!sim->failed)
		check_primary(sim, node, before);
	check_acked(sim, node);
	check_checkpoint(sim, node);
	if (!sim->failed)
		check_messages(sim, node);
	if (now->op_first > node->era->base + 1 && before->op_first == node->era->base + 1)
		sim_mark(sim, MARK_RING_WRAPPED);
	if (now->view > before->view + 1)
		sim_mark(sim, MARK_VIEW_SKIPPED);
	if (now->op < before->op)
		sim_mark(sim, MARK_LOG_REPLACED);
}

/* --- what is said to others --- */

static void check_ack(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	const struct vr_entry *entry = vr_replica_entry(node->replica, m->op);
	u64 op;

	if (node->info.status != VR_STATUS_NORMAL || m->view != node->info.last_normal_view) {
		sim_fail(sim, "R3: replica %u acknowledges in view %llu, which is not its own",
			 node->slot, (unsigned long long)m->view);
		return;
	}
	if (m->op > node->info.commit && !check_is_durable(node, m->op, m->hash))
		sim_fail(sim, "I4: replica %u acknowledges op %llu, which is not durable",
			 node->slot, (unsigned long long)m->op);
	if (m->op > node->info.op || (entry && entry->hash != m->hash))
		sim_fail(sim, "R3: replica %u acknowledges op %llu, which it does not hold",
			 node->slot, (unsigned long long)m->op);
	give_word(node, m->op);
	disk_acked(sim, node, m);
	if (!entry || (node->acked && node->acked_view == m->view && node->acked_op >= m->op))
		return;
	node->acked = true;
	node->acked_view = m->view;
	node->acked_op = m->op;
	for (op = m->op; entry && m->op - op < SIM_DURABLE_MAX; op--) {
		*acked_hash(node, op) = entry->hash;
		if (op <= node->info.commit)
			break;
		entry = vr_replica_entry(node->replica, op - 1);
	}
}

/* What may be said in which status; PING and PONG in any. */
static bool may_say(u8 status, u8 type)
{
	const u64 forming = 1ull << VR_FORM | 1ull << VR_FORM_OK | 1ull << VR_FORM_REFUSED |
			    1ull << VR_FORMED | 1ull << VR_PING | 1ull << VR_PONG |
			    1ull << VR_COLD_REFUSED | 1ull << VR_CLIENT_PING |
			    1ull << VR_CLIENT_PONG;
	const u64 recovering = 1ull << VR_RECOVERY | 1ull << VR_GET_STATE |
			       1ull << VR_GET_CHECKPOINT | 1ull << VR_COLD_PREPARE |
			       1ull << VR_COLD_PROMISE | 1ull << VR_COLD_ACCEPT |
			       1ull << VR_COLD_ACCEPTED;

	switch (status) {
	case VR_STATUS_NORMAL:
	case VR_STATUS_VIEW_CHANGE:
		return true;
	case VR_STATUS_RECOVERING:
	case VR_STATUS_AMNESIA:
		return (forming | recovering) >> type & 1;
	default:
		return forming >> type & 1;
	}
}

void check_send(struct sim *sim, struct sim_node *node, const struct vr_send *send)
{
	const struct vr_message *m = &send->message;
	struct vr_message addressed = *m;
	u8 status = node->info.status;
	enum vr_drop drop;

	addressed.to = send->client ? send->client : __builtin_ctz(send->to_mask | 1u << 31);
	drop = vr_message_invalid(&addressed, sim->options.replica_count);
	if (drop)
		sim_fail(sim, "S6: replica %u sends a %s it would not accept: %s", node->slot,
			 vr_type_name(m->type), vr_drop_name(drop));
	/* A step may come from a status, or go to one, in which it is said. */
	if (!may_say(status, m->type) && !may_say(node->before.status, m->type))
		sim_fail(sim, "R15: replica %u is %s and sends %s", node->slot,
			 sim_status_name(status), vr_type_name(m->type));
	record_check_send(sim, node, m);
	if (m->type == VR_PREPARE_OK)
		check_ack(sim, node, m);
	if (m->type == VR_PREPARE)
		give_word(node, vr_min(m->durable, node->info.op));
	if (m->type == VR_DO_VIEW_CHANGE)
		check_vote(sim, node, m);
	if (m->type == VR_PREPARE && m->entry_count > 1)
		sim_mark(sim, MARK_BATCH);
	if (m->type == VR_GET_STATE && status == VR_STATUS_VIEW_CHANGE)
		sim_mark(sim, MARK_SUFFIX_FETCHED);
}

/* --- the end --- */

static void check_converged(struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];
		const struct sim_entry *newest = check_entry(sim, node->info.commit);
		const char *broken;

		if (!(sim->core_mask >> i & 1))
			continue;
		broken = vr_replica_check(node->replica);
		if (broken)
			sim_fail(sim, "replica %u broke an invariant: %s", i, broken);
		if (newest && node->info.commit_hash != newest->hash)
			sim_fail(sim, "A1: replica %u ends with another log", i);
		record_check_end(sim, node);
	}
}

void check_end(struct sim *sim)
{
	const struct sim_era *era = check_latest(sim);
	u64 views;

	if (!era)
		return;
	views = vr_max(era->view_max, sim->healed_view) - sim->healed_view;
	check_converged(sim);
	check_history(sim);
	if (sim->core_mask && views > 2ull * sim->options.replica_count + 2)
		sim_fail(sim, "L5: %llu view changes after the last fault",
			 (unsigned long long)views);
	if (sim->core_mask)
		sim->totals.views_after_heal_max = views;
	sim->totals.view_changes = era->view_max;
}
