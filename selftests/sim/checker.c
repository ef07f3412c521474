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
 *	A7  what was said not to be applied is in no log
 */
#include "sim.h"

u64 check_newest(const struct sim *sim)
{
	return sim->checker.base + sim->checker.entry_count;
}

const struct sim_entry *check_entry(const struct sim *sim, u64 op)
{
	if (op <= sim->checker.base || op > check_newest(sim))
		return NULL;
	return &sim->checker.entries[op - sim->checker.base - 1];
}

/* --- the committed log --- */

static void *grow(void *array, u64 count, u64 *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 512;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

bool check_is_durable(const struct sim_node *node, u64 op, u64 hash)
{
	return node->durable_hash[op & (SIM_DURABLE_MAX - 1)] == hash;
}

/* R4, seen from outside: those who lost their memory since get the benefit. */
static void check_quorum(struct sim *sim, const struct vr_entry *entry)
{
	u32 holders = 0;
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		holders += sim->nodes[i].life ||
			   check_is_durable(&sim->nodes[i], entry->op, entry->hash);
	if (holders < sim_quorum(sim))
		sim_fail(sim, "R4: op %llu is committed, and %u of %u hold it",
			 (unsigned long long)entry->op, holders, sim->options.replica_count);
}

static void commit_first(struct sim *sim, const struct sim_node *node, const struct vr_entry *entry)
{
	struct sim_checker *c = &sim->checker;
	struct sim_entry *e;

	c->entries = grow(c->entries, c->entry_count, &c->entry_room, sizeof(*c->entries));
	e = &c->entries[c->entry_count++];
	memset(e, 0, sizeof(*e));
	e->hash = entry->hash;
	e->view = entry->view;
	e->commit_view = node->info.view;
	e->session = entry->session;
	e->request = entry->request;
	e->argument = entry->argument;
	e->kind = entry->kind;
	e->origin = entry->origin;
	e->body_bytes = entry->body_bytes;
	e->body = malloc(entry->body_bytes + 1);
	if (!e->body)
		abort();
	if (entry->body_bytes)
		memcpy(e->body, entry->body, entry->body_bytes);
	check_quorum(sim, entry);
	model_apply(&sim->model, e, entry->op, &e->result);
	if (e->result.error == -ENOSPC)
		sim_mark(sim, MARK_COUNTERS_FULL);
	if (e->result.error == -EOVERFLOW)
		sim_mark(sim, MARK_OVERFLOW);
}

static bool entries_equal(const struct sim_entry *a, const struct vr_entry *b)
{
	return a->hash == b->hash && a->view == b->view && a->session == b->session &&
	       a->request == b->request && a->argument == b->argument && a->kind == b->kind &&
	       a->origin == b->origin && a->body_bytes == b->body_bytes &&
	       (!a->body_bytes || !memcmp(a->body, b->body, a->body_bytes));
}

static void check_commits(struct sim *sim, struct sim_node *node)
{
	u64 op;

	for (op = node->checked_commit + 1; op <= node->info.commit && !sim->failed; op++) {
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
	node->checked_commit = node->info.commit;
}

/* --- one replica over time --- */

static void check_monotone(struct sim *sim, const struct sim_node *node,
			   const struct vr_info *before)
{
	const struct vr_info *now = &node->info;

	if (now->status == VR_STATUS_HALTED)
		sim_fail(sim, "I0: replica %u halted, reason %u", node->slot, now->halt);
	else if (now->view < before->view)
		sim_fail(sim, "I3: replica %u went back to view %llu", node->slot,
			 (unsigned long long)now->view);
	else if (now->last_normal_view < before->last_normal_view)
		sim_fail(sim, "I3: replica %u went back to last normal view %llu", node->slot,
			 (unsigned long long)now->last_normal_view);
	else if (now->commit < before->commit)
		sim_fail(sim, "I6: the commit number of replica %u went back to %llu",
			 node->slot, (unsigned long long)now->commit);
	else if (now->status == VR_STATUS_NORMAL && now->view != now->last_normal_view)
		sim_fail(sim, "I3: replica %u is NORMAL in view %llu, last normal view %llu",
			 node->slot, (unsigned long long)now->view,
			 (unsigned long long)now->last_normal_view);
	else if (now->commit > now->op)
		sim_fail(sim, "I1: replica %u has op %llu and commit %llu", node->slot,
			 (unsigned long long)now->op, (unsigned long long)now->commit);
}

/* Ground truth for a refusal: does somebody else really not hold what we miss? */
static bool really_behind(const struct sim *sim, const struct sim_node *node)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *other = &sim->nodes[i];

		if (other != node && other->up && other->info.op_first > node->info.op + 1)
			return true;
		if (other != node && other->up && other->info.op_first > node->info.commit + 1)
			return true;
	}
	return false;
}

static void check_status(struct sim *sim, struct sim_node *node, const struct vr_info *before)
{
	const struct vr_info *now = &node->info;

	if (now->status == before->status)
		return;
	if (before->status == VR_STATUS_RECOVERING)
		sim_fail(sim, "R15: replica %u was RECOVERING and is %s", node->slot,
			 sim_status_name(now->status));
	if (now->status == VR_STATUS_RECOVERING && now->refusal == VR_REFUSAL_MEMORY_LOST) {
		sim_mark(sim, MARK_MEMORY_LOST);
		if (!node->life)
			sim_fail(sim, "R15: replica %u lost no memory", node->slot);
	}
	if (now->status == VR_STATUS_RECOVERING && now->refusal == VR_REFUSAL_BEHIND) {
		sim_mark(sim, MARK_BEHIND);
		if (!really_behind(sim, node))
			sim_fail(sim, "R13: replica %u is not behind anybody's window",
				 node->slot);
	}
	if (now->status == VR_STATUS_BLANK && node->was_formed)
		sim_fail(sim, "R19: replica %u forgot its group", node->slot);
	if (now->status == VR_STATUS_NORMAL && !node->was_formed) {
		node->was_formed = true;
		node->checked_commit = vr_number_base(now->generation);
		node->checked_sequence = node->checked_commit;
	}
}

/* A4: said when the view starts, not when the loss shows. */
static void check_leader(struct sim *sim, const struct sim_node *node)
{
	u64 op;

	for (op = node->info.op_first; op <= check_newest(sim); op++) {
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

static void check_primary(struct sim *sim, const struct sim_node *node,
			  const struct vr_info *before)
{
	struct sim_checker *c = &sim->checker;
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
	if (c->primary_seen[view] && c->primary_life[view] != node->life) {
		sim_fail(sim, "A2: two lives of replica %u are primary of view %llu",
			 node->slot, (unsigned long long)view);
		return;
	}
	c->primary_seen[view] = true;
	c->primary_life[view] = node->life;
	if (before->status != VR_STATUS_NORMAL || before->view != view) {
		check_leader(sim, node);
		check_votes(sim, node, before);
	}
	if (node->info.op - node->info.commit > VR_PIPELINE_MAX / 2)
		sim_mark(sim, MARK_PIPELINE_DEEP);
}

static void check_formed(struct sim *sim, const struct sim_node *node)
{
	struct sim_checker *c = &sim->checker;

	if (node->info.status != VR_STATUS_NORMAL)
		return;
	if (!c->formed) {
		c->formed = true;
		c->base = vr_number_base(node->info.generation);
		model_init(&sim->model, c->base, sim->options.sessions_max,
			   sim->options.counters_max);
	}
	if (c->base != vr_number_base(node->info.generation))
		sim_fail(sim, "R19: replica %u was formed in generation %u", node->slot,
			 node->info.generation);
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

	if (!node->acked || node->info.last_normal_view != node->acked_view ||
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

static void check_messages(struct sim *sim, struct sim_node *node)
{
	u64 newest = vr_replica_sequence_last(node->replica);
	u64 oldest = vr_replica_sequence_first(node->replica);
	u64 sequence;

	if (!sim->effects->readable && newest != node->checked_sequence)
		sim_fail(sim, "A6: replica %u has new messages and does not say so", node->slot);
	sequence = node->checked_sequence + 1;
	if (sequence < oldest) {
		sim_mark(sim, MARK_READER_OVERRUN);
		sequence = oldest;
	}
	for (; sequence <= newest && !sim->failed; sequence++) {
		const struct vr_entry *message = vr_replica_message(node->replica, sequence);
		const struct sim_entry *e = NULL;

		if (sequence - sim->checker.base <= sim->model.message_count)
			e = check_entry(sim,
					sim->model.messages[sequence - sim->checker.base - 1]);
		if (!message || !e || !entries_equal(e, message))
			sim_fail(sim, "A6: replica %u has another message %llu", node->slot,
				 (unsigned long long)sequence);
	}
	if (newest - sim->checker.base > sim->model.message_count)
		sim_fail(sim, "A6: replica %u has a message nobody committed", node->slot);
	node->checked_sequence = newest;
}

void check_step(struct sim *sim, struct sim_node *node)
{
	const struct vr_info *before = &node->before;
	const struct vr_info *now = &node->info;

	check_monotone(sim, node, before);
	check_status(sim, node, before);
	check_formed(sim, node);
	if (sim->failed || !sim->checker.formed)
		return;
	if (!node->was_formed)
		return;
	check_commits(sim, node);
	if (!sim->failed)
		check_primary(sim, node, before);
	check_acked(sim, node);
	if (!sim->failed)
		check_messages(sim, node);
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

void check_send(struct sim *sim, struct sim_node *node, const struct vr_message *m)
{
	u8 status = node->info.status;
	bool about_forming = m->type == VR_FORM || m->type == VR_FORM_OK ||
			     m->type == VR_FORM_REFUSED || m->type == VR_FORMED;
	enum vr_drop drop;
	struct vr_message addressed = *m;

	addressed.to = node->slot ? 0 : 1;
	drop = vr_message_invalid(&addressed, sim->options.replica_count);
	if (drop)
		sim_fail(sim, "S6: replica %u sends a %s it would not accept: %s", node->slot,
			 vr_type_name(m->type), vr_drop_name(drop));
	if (m->type != VR_PING && !about_forming && status != VR_STATUS_NORMAL &&
	    status != VR_STATUS_VIEW_CHANGE)
		sim_fail(sim, "R15: replica %u is %s and sends %s", node->slot,
			 sim_status_name(status), vr_type_name(m->type));
	if (m->type == VR_PREPARE_OK)
		check_ack(sim, node, m);
	if (m->type == VR_DO_VIEW_CHANGE)
		check_vote(sim, node, m);
	if (m->type == VR_PREPARE && m->entry_count > 1)
		sim_mark(sim, MARK_BATCH);
	if (m->type == VR_GET_STATE && status == VR_STATUS_VIEW_CHANGE)
		sim_mark(sim, MARK_SUFFIX_FETCHED);
}

/* --- what clients were told --- */

/* An operation is put to the service for the first time: counter @number. */
void check_question(struct sim *sim, struct sim_client *client, u32 number)
{
	struct sim_checker *c = &sim->checker;
	struct lin_op *op;

	c->history = grow(c->history, c->history_count, &c->history_room, sizeof(*c->history));
	op = &c->history[c->history_count++];
	memset(op, 0, sizeof(*op));
	client->record = c->history_count;
	client->index_floor = c->index_done;
	op->start_ns = sim->now_ns;
	op->client = client - sim->clients;
	op->number = c->history_count;
	op->counter = number;
	op->count = client->argument;
	if (client->kind == VR_KIND_NEXT)
		op->kind = LIN_NEXT;
	else if (client->kind == VR_KIND_GET)
		op->kind = LIN_GET;
}

static void record_answer(struct sim *sim, const struct sim_client *client,
			  const struct vr_done *done)
{
	struct lin_op *op = &sim->checker.history[client->record - 1];

	op->end_ns = sim->now_ns;
	op->outcome = done->outcome == VR_OUTCOME_APPLIED ? LIN_APPLIED : LIN_NOT_APPLIED;
	op->first = op->kind == LIN_NEXT ? done->result.first : done->result.last;
	op->last = done->result.last;
	op->index = done->result.index;
}

static bool results_equal(const struct vr_result *a, const struct vr_result *b)
{
	return a->error == b->error && a->index == b->index && a->view == b->view &&
	       a->first == b->first && a->last == b->last;
}

static bool answers_question(const struct sim *sim, const struct sim_client *client,
			     const struct sim_entry *e)
{
	const struct sim_node *node = &sim->nodes[client->slot];

	if (e->kind != client->kind || e->origin != client->slot || e->request != client->request)
		return false;
	if (e->kind == VR_KIND_SESSION_BEGIN)
		return !e->session && e->argument == node->config.nonce;
	return e->session == client->session && e->argument == client->argument &&
	       e->body_bytes == client->body_bytes &&
	       (!e->body_bytes || !memcmp(e->body, client->body, e->body_bytes));
}

/* Refused by its replica alone, which says that it has not been and will not be applied. */
void check_refused(struct sim *sim, const struct sim_client *client)
{
	u64 op;
	u32 i;

	op = vr_max(client->index_floor, sim->checker.base);
	while (++op <= check_newest(sim)) {
		const struct sim_entry *e = check_entry(sim, op);

		if (e && answers_question(sim, client, e))
			sim_fail(sim, "A7: client %ld is told that op %llu is not applied",
				 (long)(client - sim->clients), (unsigned long long)op);
	}
	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		for (op = node->info.commit + 1; node->up && op <= node->info.op; op++) {
			const struct vr_entry *e = vr_replica_entry(node->replica, op);

			if (e && e->kind == client->kind && e->origin == client->slot &&
			    e->request == client->request &&
			    (e->session ? e->session == client->session :
			     e->argument == sim->nodes[client->slot].config.nonce))
				sim_fail(sim, "A7: client %ld is told no, and replica %u holds op %llu",
					 (long)(client - sim->clients), i,
					 (unsigned long long)op);
		}
	}
}

/* An answer that was decided in the log. */
void check_answer(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	struct sim_checker *c = &sim->checker;
	const struct sim_entry *e = check_entry(sim, done->result.index);
	unsigned long long index = done->result.index;

	/* The end of a session that is over, or news that it is. */
	if (done->result.error == -ESTALE ||
	    (client->kind == VR_KIND_SESSION_END && !done->result.index)) {
		if (model_has_session(&sim->model, client->session))
			sim_fail(sim, "A3: client %ld is told that its living session %llu is stale",
				 (long)(client - sim->clients),
				 (unsigned long long)client->session);
		if (client->record && !client->again && done->outcome != VR_OUTCOME_UNKNOWN)
			record_answer(sim, client, done);
		return;
	}
	if (!e || !answers_question(sim, client, e)) {
		sim_fail(sim, "A3: client %ld is answered with op %llu, which is not its own",
			 (long)(client - sim->clients), index);
		return;
	}
	if (!results_equal(&e->result, &done->result)) {
		sim_fail(sim, "A3: op %llu gave %d, view %llu, %llu..%llu and not %d, view %llu, %llu..%llu",
			 index, e->result.error, (unsigned long long)e->result.view,
			 (unsigned long long)e->result.first, (unsigned long long)e->result.last,
			 done->result.error, (unsigned long long)done->result.view,
			 (unsigned long long)done->result.first,
			 (unsigned long long)done->result.last);
		return;
	}
	if (done->result.error ? done->outcome != VR_OUTCOME_NOT_APPLIED :
				 done->outcome != VR_OUTCOME_APPLIED)
		sim_fail(sim, "A3: outcome %u with error %d", done->outcome, done->result.error);
	if (client->again) {
		if (!results_equal(&client->last, &done->result))
			sim_fail(sim, "A3: the same request was answered differently");
		return;
	}
	if (done->result.index <= client->index_floor)
		sim_fail(sim, "A3: op %llu was submitted after op %llu had been answered", index,
			 (unsigned long long)client->index_floor);
	c->index_done = vr_max(c->index_done, done->result.index);
	if (client->record)
		record_answer(sim, client, done);
}

/* --- the end --- */

static void check_history(struct sim *sim)
{
	struct sim_checker *c = &sim->checker;
	struct lin_verdict verdict;
	u32 counter;

	for (counter = 0; counter < SIM_COUNTER_NAMES && !sim->failed; counter++) {
		if (!lin_check_counter(c->history, c->history_count, counter, c->base, &verdict) &&
		    verdict.rule != LIN_UNDECIDED)
			sim_fail(sim, "A3: the history of counter %u is not linearizable: %s (%llu)",
				 counter, lin_rule_text(verdict.rule),
				 (unsigned long long)verdict.value);
	}
	if (!lin_check_order(c->history, c->history_count, &verdict))
		sim_fail(sim, "A3: the history is not in one order: %s (%llu)",
			 lin_rule_text(verdict.rule), (unsigned long long)verdict.value);
}

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
	}
}

void check_end(struct sim *sim)
{
	struct sim_checker *c = &sim->checker;
	u64 views = vr_max(c->view_max, sim->healed_view) - sim->healed_view;

	if (!c->formed)
		return;
	check_converged(sim);
	check_history(sim);
	if (views > 2ull * sim->options.replica_count + 2)
		sim_fail(sim, "L5: %llu view changes after the last fault",
			 (unsigned long long)views);
	sim->totals.views_after_heal_max = views;
	sim->totals.view_changes = c->view_max;
}

void check_free(struct sim *sim)
{
	while (sim->checker.entry_count)
		free(sim->checker.entries[--sim->checker.entry_count].body);
	free(sim->checker.entries);
	free(sim->checker.history);
}
