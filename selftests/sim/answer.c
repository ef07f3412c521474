// SPDX-License-Identifier: GPL-2.0
/*
 * What clients may be told: each answer against the model, the questions that
 * were answered before it was asked, and in the end all of them as a history.
 * Knows what was asked and what is committed, not how it came to be.
 */
#include "sim.h"

static long number_of(const struct sim *sim, const struct sim_client *client)
{
	return client - sim->clients;
}

static bool is_read(const struct sim_client *client)
{
	return client->kind == VR_KIND_GET && client->read != VR_READ_LOG;
}

/* Every op up to here, and none above, may have been answered: what is asked now is later. */
u64 check_floor(const struct sim *sim)
{
	const struct sim_era *latest = check_latest(sim);

	return vr_max(sim->checker.index_done, latest ? latest->base : 0);
}

/* A6: what is asked after a generation has begun is of no earlier one. */
static const char *order_rule(u64 index, u64 floor)
{
	return index >> VR_COUNT_BITS < floor >> VR_COUNT_BITS ? "A6" : "A3";
}

static struct sim_row *row_of(const struct sim *sim, u64 session)
{
	struct sim_era *era = check_era(sim, session);

	return era ? model_row(&era->model, session) : NULL;
}

/* As the client's member sees it: of an earlier generation than its own it knows none. */
static struct sim_row *row_at_home(const struct sim *sim, const struct sim_client *client)
{
	const struct sim_node *node = &sim->nodes[client->slot];

	if (client->session >> VR_COUNT_BITS != node->info.generation)
		return NULL;
	return row_of(sim, client->session);
}

/* An operation is put to the service for the first time: counter @number. */
void check_question(struct sim *sim, struct sim_client *client, u32 number)
{
	struct sim_checker *c = &sim->checker;
	struct lin_op *op;

	c->history = sim_room(c->history, c->history_count, &c->history_room,
			      sizeof(*c->history));
	op = &c->history[c->history_count++];
	memset(op, 0, sizeof(*op));
	client->record = c->history_count;
	client->index_floor = check_floor(sim);
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
	/* Reads that are no entries share the index of one. */
	op->index = is_read(client) ? 0 : done->result.index;
	if (sim->phase == PHASE_DOOMED && client->record > sim->doomed_question &&
	    done->outcome == VR_OUTCOME_APPLIED)
		sim_fail(sim, "R15: client %ld is served by a group that has lost its memory",
			 number_of(sim, client));
}

static bool results_equal(const struct vr_result *a, const struct vr_result *b)
{
	return a->error == b->error && a->index == b->index && a->view == b->view &&
	       a->first == b->first && a->last == b->last;
}

static bool is_life(const struct sim_node *node, u64 nonce)
{
	u32 i;

	for (i = 0; i < SIM_NONCES_MAX; i++) {
		if (nonce == node->old_nonces[i])
			return true;
	}
	return nonce == node->config.nonce;
}

static bool answers_question(const struct sim *sim, const struct sim_client *client,
			     const struct sim_entry *e)
{
	const struct sim_node *node = &sim->nodes[client->slot];

	if (e->kind != client->kind || e->origin != client->slot || e->request != client->request)
		return false;
	if (e->kind == VR_KIND_SESSION_BEGIN)
		return !e->session && is_life(node, e->argument);
	return e->session == client->session && e->argument == client->argument &&
	       e->topic == client->topic && e->body_bytes == client->body_bytes &&
	       (!e->body_bytes || !memcmp(e->body, client->body, e->body_bytes));
}

/* --- answers of a replica alone --- */

static void deny(const struct sim *sim, const struct sim_client *client)
{
	struct sim_row *row = row_of(sim, client->session);
	u32 i;

	if (!row || client->kind == VR_KIND_SESSION_BEGIN || client->kind == VR_KIND_SESSION_END)
		return;
	/* Of those that were passed over the client table speaks. */
	for (i = 0; i < VR_ARRAY_COUNT(row->denied); i++) {
		if (row->denied[i] <= row->request) {
			row->denied[i] = client->request;
			return;
		}
	}
}

/* The client asks once more for what it was told is not applied: now it may be. */
void check_asked_again(struct sim *sim, const struct sim_client *client)
{
	struct sim_row *row = row_of(sim, client->session);
	u32 i;

	for (i = 0; row && i < VR_ARRAY_COUNT(row->denied); i++) {
		if (row->denied[i] == client->request)
			row->denied[i] = 0;
	}
}

/*
 * A machine goes back in time: what it was told meanwhile is not known there any
 * more, and what was refused may be asked for again.
 */
void check_undone(struct sim *sim, const struct sim_node *node)
{
	struct lin_op *op;
	u32 i, j;

	for (i = 0; i < sim->checker.era_count; i++) {
		const struct sim_model *model = &sim->checker.eras[i]->model;

		for (j = 0; j < model->row_count; j++) {
			if (model->rows[j].origin == node->slot)
				memset(model->rows[j].denied, 0, sizeof(model->rows[j].denied));
		}
	}
	for (i = 0; i < sim->client_count; i++) {
		if (!node->snapshot->records[i])
			continue;
		op = &sim->checker.history[node->snapshot->records[i] - 1];
		if (op->outcome == LIN_NOT_APPLIED)
			op->outcome = LIN_UNKNOWN;
	}
}

/* Refused by its replica alone, which says that it has not been and will not be applied. */
void check_refused(struct sim *sim, const struct sim_client *client)
{
	u64 op;
	u32 i;

	if (is_read(client))
		return;
	for (i = 0; i < sim->checker.era_count; i++) {
		const struct sim_era *era = sim->checker.eras[i];

		op = vr_max(client->index_floor, era->base);
		while (++op <= era->base + era->entry_count) {
			if (answers_question(sim, client, check_entry(sim, op)))
				sim_fail(sim, "A7: client %ld is told that op %llu is not applied",
					 number_of(sim, client), (unsigned long long)op);
		}
	}
	for (i = 0; i < sim->options.replica_count; i++) {
		const struct sim_node *node = &sim->nodes[i];

		for (op = node->info.commit + 1; node->up && op <= node->info.op; op++) {
			const struct vr_entry *e = vr_replica_entry(node->replica, op);

			if (e && e->kind == client->kind && e->origin == client->slot &&
			    e->request == client->request &&
			    (e->session ? e->session == client->session :
			     is_life(&sim->nodes[client->slot], e->argument)))
				sim_fail(sim, "A7: client %ld is told no, and replica %u holds op %llu",
					 number_of(sim, client), i, (unsigned long long)op);
		}
	}
	deny(sim, client);
}

/* --- reads that are no entries --- */

/* The entry that follows op @index, maybe in a later generation. */
static const struct sim_entry *next_entry(const struct sim *sim, u64 index)
{
	const struct sim_entry *next = check_entry(sim, index + 1);
	u32 i;

	for (i = 0; !next && i < sim->checker.era_count; i++) {
		if (sim->checker.eras[i]->base > index)
			next = check_entry(sim, sim->checker.eras[i]->base + 1);
	}
	return next;
}

/* What LOCAL says of its age, on the clock of who says it, must cover what it missed. */
static void check_age(struct sim *sim, const struct sim_client *client, const struct vr_done *done)
{
	const struct sim_node *node = &sim->nodes[client->slot];
	const struct sim_entry *missed = next_entry(sim, done->result.index);
	u64 missing_ns;

	sim_mark(sim, MARK_READ_LOCAL);
	/* Of a client it is on the clocks of two. */
	if (sim_is_remote(node) && (sim_has(sim, FAULT_CLOCK) || sim_has(sim, FAULT_PAUSE)))
		return;
	if (!missed || !missed->primary_ns || missed->primary_ns < node->thawed_ns)
		return;
	sim_mark(sim, MARK_READ_LOCAL_OLD);
#ifdef LOCAL_LENIENT
	return;
#endif
	missing_ns = node_clock(node, sim->now_ns) - node_clock(node, missed->primary_ns);
	if (done->result.first < missing_ns)
		sim_fail(sim, "A3: replica %u calls what it has %llu ns old, and it misses op %llu since %llu ns",
			 node->slot, (unsigned long long)done->result.first,
			 (unsigned long long)done->result.index + 1,
			 (unsigned long long)missing_ns);
}

static void check_read(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	struct sim_checker *c = &sim->checker;
	const struct sim_era *era = check_era(sim, done->result.index);
	unsigned long long index = done->result.index;
	u64 value;

	if (done->outcome != VR_OUTCOME_APPLIED || done->result.error) {
		sim_fail(sim, "A3: a read of client %ld ends with outcome %u, error %d",
			 number_of(sim, client), done->outcome, done->result.error);
		return;
	}
	if (!era || index > era->base + era->entry_count) {
		sim_fail(sim, "A3: a read of client %ld is of op %llu, which nobody committed",
			 number_of(sim, client), index);
		return;
	}
	value = model_value(&era->model, client->body, client->body_bytes, index);
	if (done->result.last != value) {
		sim_fail(sim, "A3: a read of client %ld at op %llu gives %llu and not %llu",
			 number_of(sim, client), index, (unsigned long long)done->result.last,
			 (unsigned long long)value);
		return;
	}
	if (client->read == VR_READ_LOCAL) {
		check_age(sim, client, done);
		return;
	}
	sim_mark(sim, client->read == VR_READ_INDEX ? MARK_READ_INDEX : MARK_READ_LEASE);
	if (index < client->index_floor) {
		sim_fail(sim, "%s: client %ld reads at op %llu, after op %llu had been answered",
			 order_rule(index, client->index_floor), number_of(sim, client), index,
			 (unsigned long long)client->index_floor);
		return;
	}
	c->index_done = vr_max(c->index_done, done->result.index);
	if (client->record)
		record_answer(sim, client, done);
}

/* --- answers that were decided in the log --- */

/* Passed over, forgotten, or of a session that is no more. */
static void check_gone(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	const struct sim_row *row = row_at_home(sim, client);
	struct vr_result expected = { .error = -ESTALE };
	long number = number_of(sim, client);

	if (row && client->request > row->request)
		expected.error = 0;
	else if (row)
		model_recall(row, client->request, &expected);
	/* It was so when the replica said it, which may lag behind all others. */
	if (done->result.error == -ECANCELED && expected.error == -ESTALE)
		expected.error = -ECANCELED;
	if (expected.error != done->result.error)
		sim_fail(sim, "A3: client %ld is told error %d about request %llu of session %llu, and it is %d",
			 number, done->result.error, (unsigned long long)client->request,
			 (unsigned long long)client->session, expected.error);
	if (done->result.error == -ECANCELED)
		sim_mark(sim, MARK_PASSED_OVER);
	if (client->record && !client->again && !client->answered &&
	    done->outcome != VR_OUTCOME_UNKNOWN)
		record_answer(sim, client, done);
}

static void check_entry_answer(struct sim *sim, struct sim_client *client,
			       const struct vr_done *done)
{
	const struct sim_entry *e = check_entry(sim, done->result.index);
	unsigned long long index = done->result.index;

	if (!e || !answers_question(sim, client, e)) {
		sim_fail(sim, "A3: client %ld is answered with op %llu, which is not its own",
			 number_of(sim, client), index);
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
}

void check_answer(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	struct sim_checker *c = &sim->checker;

	if (is_read(client)) {
		check_read(sim, client, done);
		return;
	}
	/* The end of a session that is over. */
	if (client->kind == VR_KIND_SESSION_END &&
	    (!done->result.index || done->result.error == -ESTALE)) {
		if (row_at_home(sim, client))
			sim_fail(sim, "A3: client %ld is told that its living session %llu is over",
				 number_of(sim, client), (unsigned long long)client->session);
		return;
	}
	if (done->result.error == -ESTALE || done->result.error == -ECANCELED) {
		check_gone(sim, client, done);
		return;
	}
	check_entry_answer(sim, client, done);
	if (sim->failed)
		return;
	if (client->again) {
		if (!results_equal(&client->last, &done->result))
			sim_fail(sim, "A3: the same request was answered differently");
		return;
	}
	if (done->result.index <= client->index_floor)
		sim_fail(sim, "%s: op %llu was submitted after op %llu had been answered",
			 order_rule(done->result.index, client->index_floor),
			 (unsigned long long)done->result.index,
			 (unsigned long long)client->index_floor);
	c->index_done = vr_max(c->index_done, done->result.index);
	if (client->record)
		record_answer(sim, client, done);
}

/* What a RESULT says of a request; if it says no, that is for good. */
void check_settled(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	const struct sim_row *row = row_at_home(sim, client);

	/* An ended session tells nothing about what it did. */
	if (done->result.error == -ESTALE && done->outcome != VR_OUTCOME_UNKNOWN) {
		sim_fail(sim, "A3: client %ld is told outcome %u of request %llu of a session that is over",
			 number_of(sim, client), done->outcome,
			 (unsigned long long)client->request);
		return;
	}
	if (done->result.error == -ESTALE || done->result.error == -ECANCELED) {
		if (row && client->request > row->request)
			sim_fail(sim, "A3: client %ld is told that request %llu is settled, and it is not",
				 number_of(sim, client), (unsigned long long)client->request);
		else
			check_gone(sim, client, done);
		sim_mark(sim, MARK_SETTLED_NOT);
		return;
	}
	sim_mark(sim, MARK_SETTLED_APPLIED);
	check_entry_answer(sim, client, done);
	if (client->record && !client->again && !client->answered && !sim->failed)
		record_answer(sim, client, done);
}

/* --- the end --- */

/* A counter begins anew in each generation: what was known to end in another is none of it. */
static void check_counters(struct sim *sim, const struct sim_era *era, struct lin_op *history)
{
	u64 count = sim->checker.history_count, i;
	struct lin_verdict verdict;
	u32 counter;

	for (i = 0; i < count; i++) {
		if (history[i].outcome == LIN_APPLIED && check_era(sim, history[i].last) != era)
			history[i].kind = LIN_NONE;
	}
	for (counter = 0; counter < SIM_COUNTER_NAMES && !sim->failed; counter++) {
		if (!lin_check_counter(history, count, counter, era->base, &verdict) &&
		    verdict.rule != LIN_UNDECIDED)
			sim_fail(sim, "A3: the history of counter %u is not linearizable: %s (%llu)",
				 counter, lin_rule_text(verdict.rule),
				 (unsigned long long)verdict.value);
	}
}

void check_history(struct sim *sim)
{
	struct sim_checker *c = &sim->checker;
	size_t bytes = c->history_count * sizeof(*c->history);
	struct lin_op *copy = sim_allocate(bytes);
	struct lin_verdict verdict;
	u32 i;

	for (i = 0; i < c->era_count && bytes; i++) {
		memcpy(copy, c->history, bytes);
		check_counters(sim, c->eras[i], copy);
	}
	free(copy);
	if (!lin_check_order(c->history, c->history_count, &verdict))
		sim_fail(sim, "A3: the history is not in one order: %s (%llu)",
			 lin_rule_text(verdict.rule), (unsigned long long)verdict.value);
}
