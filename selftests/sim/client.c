// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of local processes: begin, ask, ask again when the outcome is not
 * known, leave politely or in the middle. Knows what it asked for and when;
 * whether an answer is right is the checker's business.
 */
#include "sim.h"

/* Counter of this number is drawn in huge steps, until it overflows. */
#define COUNTER_HUGE	(SIM_COUNTER_NAMES - 1)

static const char * const counter_names[SIM_COUNTER_NAMES] = {
	"", "a", "locks/fence",
	"a name that is exactly as long as a name of a counter ever can be",
	"b", "huge",
};

const u8 *client_counter_name(u32 name, u16 *bytes)
{
	*bytes = vr_min(strlen(counter_names[name]), VR_NAME_BYTES_MAX);
	return (const u8 *)counter_names[name];
}

static struct sim_node *home(struct sim *sim, const struct sim_client *client)
{
	return &sim->nodes[client->slot];
}

static void wake_in(struct sim *sim, struct sim_client *client, u64 delay_ns)
{
	struct sim_event event = { .kind = SIM_CLIENT, .slot = client->slot };

	event.number = client - sim->clients;
	event.epoch = ++client->wakeup;
	sim_post(sim, &event, delay_ns);
}

static void think(struct sim *sim, struct sim_client *client)
{
	wake_in(sim, client, random_between(&sim->random_client, 1,
					    2 * sim->options.think_ns));
}

static void retry(struct sim *sim, struct sim_client *client)
{
	wake_in(sim, client, random_between(&sim->random_client, 1000,
					    sim->options.view_timeout_ns));
}

void client_add(struct sim *sim, u8 slot, u32 budget)
{
	struct sim_client *client = &sim->clients[sim->client_count];
	u32 others = 0;
	u32 i;

	memset(client, 0, sizeof(*client));
	for (i = 0; i < sim->client_count; i++)
		others += sim->clients[i].slot == slot &&
			  sim->clients[i].life == sim->nodes[slot].life;
	client->slot = slot;
	client->life = sim->nodes[slot].life;
	client->handle = others;
	client->budget = budget;
	client->body = malloc(VR_BODY_BYTES_MAX);
	if (!client->body)
		abort();
	sim->client_count++;
	wake_in(sim, client, random_below(&sim->random_client,
					  2 * sim->options.view_timeout_ns));
}

void client_node_died(struct sim *sim, const struct sim_node *node)
{
	u32 i;

	for (i = 0; i < sim->client_count; i++) {
		struct sim_client *client = &sim->clients[i];

		if (client->slot == node->slot && client->life == node->life)
			client->state = CLIENT_FINISHED;
	}
}

/* --- asking --- */

static void submit(struct sim *sim, struct sim_client *client)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT };
	u8 *body = NULL;

	client->waiting = true;
	event.submit.handle = client->handle;
	event.submit.kind = client->kind;
	event.submit.session = client->kind == VR_KIND_SESSION_BEGIN ? 0 : client->session;
	event.submit.request = client->request;
	event.submit.argument = client->argument;
	event.submit.again = client->submitted;
	event.submit.body_bytes = client->body_bytes;
	/* Its own exact copy, gone right after: the core must have made one. */
	if (client->body_bytes) {
		body = malloc(client->body_bytes);
		if (!body)
			abort();
		memcpy(body, client->body, client->body_bytes);
	}
	event.submit.body = body;
	client->submitted = true;
	sim_digest(sim, (u64)client->handle << 8 | client->kind);
	sim_digest(sim, client->request);
	node_step(sim, home(sim, client), &event);
	if (body)
		memset(body, 0xa5, client->body_bytes);
	free(body);
}

static void ask(struct sim *sim, struct sim_client *client, u8 kind, u64 request)
{
	client->kind = kind;
	client->request = request;
	client->again = false;
	client->submitted = false;
	client->record = 0;
	client->index_floor = sim->checker.index_done;
	client->argument = 0;
	client->body_bytes = 0;
}

static void ask_message(struct sim *sim, struct sim_client *client)
{
	u64 words[2] = { client - sim->clients, ++client->written };
	u16 i;

	client->body_bytes = random_below(&sim->random_client, sim->options.body_bytes + 1);
	if (!random_below(&sim->random_client, 16))
		client->body_bytes = sim->options.body_bytes;
	for (i = 0; i < client->body_bytes; i++)
		client->body[i] = i < sizeof(words) ? ((u8 *)words)[i] : i * client->written;
}

static void ask_next_thing(struct sim *sim, struct sim_client *client)
{
	struct sim_random *r = &sim->random_client;
	u32 dice = random_below(r, 100);
	u32 name = random_below(r, 2) ? 0 : random_below(r, SIM_COUNTER_NAMES);
	const u8 *text;
	u8 kind = dice < 55 ? VR_KIND_NEXT : dice < 70 ? VR_KIND_GET : VR_KIND_APPEND;

	ask(sim, client, kind, client->request + 1);
	client->state = CLIENT_BUSY;
	if (kind == VR_KIND_APPEND) {
		ask_message(sim, client);
	} else {
		text = client_counter_name(name, &client->body_bytes);
		memcpy(client->body, text, client->body_bytes);
	}
	if (kind == VR_KIND_NEXT)
		client->argument = random_below(r, 4) ? 1 : random_between(r, 2, 50);
	if (kind == VR_KIND_NEXT && name == COUNTER_HUGE)
		client->argument = random_below(r, VR_COUNT_MASK) | 1ull << 46;
	if (kind != VR_KIND_APPEND && name != COUNTER_HUGE)
		check_question(sim, client, name);
}

static void ask_begin(struct sim *sim, struct sim_client *client)
{
	client->state = CLIENT_BEGINNING;
	ask(sim, client, VR_KIND_SESSION_BEGIN, ++home(sim, client)->begin_request);
}

static void ask_end(struct sim *sim, struct sim_client *client)
{
	client->state = CLIENT_ENDING;
	ask(sim, client, VR_KIND_SESSION_END, client->request + 1);
}

static bool wants_to_leave(struct sim *sim, const struct sim_client *client)
{
	return sim_has(sim, FAULT_ABANDON) && sim->phase == PHASE_FAULTY &&
	       client->state == CLIENT_BUSY && !random_below(&sim->random_client, 4);
}

void client_wake(struct sim *sim, u32 number, u32 wakeup)
{
	struct sim_client *client = &sim->clients[number];
	struct sim_node *node = home(sim, client);

	if (client->state == CLIENT_FINISHED || wakeup != client->wakeup)
		return;
	if (!node->up || node->paused) {
		retry(sim, client);
		return;
	}
	if (client->waiting) {
		/* A closed file: the end of the session overtakes its request. */
		if (!wants_to_leave(sim, client))
			return;
		sim_mark(sim, MARK_ABANDONED);
		ask_end(sim, client);
	} else if (client->state == CLIENT_IDLE) {
		ask_begin(sim, client);
	} else if (client->state == CLIENT_OPEN && !client->budget) {
		ask_end(sim, client);
	} else if (client->state == CLIENT_OPEN) {
		client->budget--;
		ask_next_thing(sim, client);
	} else if (wants_to_leave(sim, client)) {
		ask_end(sim, client);
	}
	submit(sim, client);
	/* Some look again while they wait, and may lose patience. */
	if (client->waiting && sim_has(sim, FAULT_ABANDON) && client->state == CLIENT_BUSY &&
	    !random_below(&sim->random_client, 8))
		retry(sim, client);
}

/* --- being answered --- */

static void session_is_over(struct sim *sim, struct sim_client *client)
{
	client->session = 0;
	client->request = 0;
	client->state = client->budget ? CLIENT_IDLE : CLIENT_FINISHED;
	if (client->budget)
		think(sim, client);
}

static void answered(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	bool stale = done->result.error == -ESTALE;

	sim->totals.operations++;
	if (client->state == CLIENT_BEGINNING) {
		client->session = done->result.index;
		client->request = 0;
		client->state = CLIENT_OPEN;
		think(sim, client);
	} else if (client->state == CLIENT_ENDING || stale) {
		if (stale && client->state != CLIENT_ENDING)
			sim_mark(sim, MARK_EVICTED);
		session_is_over(sim, client);
	} else if (!client->again && !random_below(&sim->random_client, 16)) {
		/* The answer got lost on the way to the process: once more. */
		sim_mark(sim, MARK_ASKED_AGAIN);
		client->last = done->result;
		client->again = true;
		retry(sim, client);
	} else {
		client->again = false;
		client->state = CLIENT_OPEN;
		think(sim, client);
	}
}

static bool decided_here_alone(const struct vr_done *done)
{
	return done->result.error == -EHOSTUNREACH ||
	       done->result.error == -ENOTRECOVERABLE || done->result.error == -EIO;
}

static void refused(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	const struct sim_node *node = home(sim, client);

	if (done->outcome == VR_OUTCOME_APPLIED) {
		sim_fail(sim, "A3: APPLIED with error %d", done->result.error);
		return;
	}
	if (!done->result.error || done->result.error == -EIO) {
		sim_fail(sim, "A3: outcome %u with error %d", done->outcome, done->result.error);
		return;
	}
	if (done->result.error == -ENOTRECOVERABLE && node->info.status != VR_STATUS_RECOVERING &&
	    node->info.status != VR_STATUS_BLANK && node->info.status != VR_STATUS_FORMING) {
		sim_fail(sim, "A3: replica %u is %s and says ENOTRECOVERABLE", node->slot,
			 sim_status_name(node->info.status));
		return;
	}
	if (done->outcome == VR_OUTCOME_NOT_APPLIED)
		check_refused(sim, client);
	/* A replica that takes no part will never serve this process. */
	if (node->info.status == VR_STATUS_RECOVERING)
		client->state = CLIENT_FINISHED;
	else
		retry(sim, client);
}

void client_done(struct sim *sim, struct sim_node *node, const struct vr_done *done)
{
	struct sim_client *client;
	u32 i;

	for (i = 0; i < sim->client_count; i++) {
		client = &sim->clients[i];
		if (client->slot == node->slot && client->life == node->life &&
		    client->handle == done->handle)
			break;
	}
	if (i == sim->client_count || !client->waiting || client->request != done->request) {
		sim_fail(sim, "A3: replica %u answers handle %u request %llu, which was not asked",
			 node->slot, done->handle, (unsigned long long)done->request);
		return;
	}
	client->waiting = false;
	sim_digest(sim, (u64)done->outcome << 32 | (u32)done->result.error);
	sim_digest(sim, done->result.index);
	sim_mark(sim, done->outcome == VR_OUTCOME_UNKNOWN ? MARK_DONE_UNKNOWN :
		      done->outcome == VR_OUTCOME_APPLIED ? MARK_DONE_APPLIED :
							    MARK_DONE_NOT_APPLIED);
	if (decided_here_alone(done)) {
		if (done->outcome == VR_OUTCOME_UNKNOWN)
			sim_mark(sim, MARK_JOIN);
		refused(sim, client, done);
		return;
	}
	if (node->info.primary != node->slot)
		sim_mark(sim, MARK_DONE_AT_BACKUP);
	check_answer(sim, client, done);
	if (!sim->failed)
		answered(sim, client, done);
}
