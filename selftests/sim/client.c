// SPDX-License-Identifier: GPL-2.0
/*
 * Processes with an open file each, that is a session, and threads that use it
 * at once: begin, ask, ask again when the outcome is not known, have it settled,
 * leave politely or in the middle. Keeps what vr_replica.h asks of those who
 * submit. Knows what it asked for and when; whether an answer is right is
 * answer.c's business.
 */
#include "sim.h"

/* Counter of this number is drawn in huge steps, until it overflows. */
#define COUNTER_HUGE	(SIM_COUNTER_NAMES - 1)
#define POISON		0xa5
#define NO_HANDLE	U32_MAX

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

static struct sim_process *process_of(struct sim *sim, const struct sim_client *client)
{
	return &sim->processes[client->process];
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

void client_add(struct sim *sim, u8 slot, u32 threads, u32 budget)
{
	struct sim_process *process = &sim->processes[sim->process_count];
	u32 i;

	if (sim->client_count + threads > SIM_CLIENTS_ROOM)
		return;
	memset(process, 0, sizeof(*process));
	process->first = sim->client_count;
	process->count = threads;
	for (i = 0; i < threads; i++) {
		struct sim_client *client = &sim->clients[sim->client_count++];

		memset(client, 0, sizeof(*client));
		client->slot = slot;
		client->life = sim->nodes[slot].life;
		client->process = sim->process_count;
		client->budget = budget;
		client->handle = NO_HANDLE;
		client->settler = NO_HANDLE;
		client->body = sim_allocate(VR_BODY_BYTES_MAX);
		wake_in(sim, client, random_below(&sim->random_client,
						  2 * sim->options.view_timeout_ns));
	}
	sim->process_count++;
}

/* --- handles, and what the core may look at while it has one --- */

static u32 take_handle(struct sim *sim, struct sim_client *client)
{
	struct sim_node *node = home(sim, client);
	u32 start = random_below(&sim->random_client, SIM_HANDLES);
	u32 i;

	for (i = 0; i < SIM_HANDLES; i++) {
		u32 handle = (start + i) % SIM_HANDLES;

		if (node->owner[handle] == OWNER_FREE) {
			node->owner[handle] = client - sim->clients + 1;
			return handle;
		}
	}
	return NO_HANDLE;
}

/* Who looks at it later is found out: by the address sanitizer, or by the log. */
static void take_back(struct sim_client *client)
{
	if (client->given && client->given != client->body)
		free(client->given);
	client->given = NULL;
}

static const u8 *give(struct sim *sim, struct sim_client *client)
{
	take_back(client);
	if (!client->body_bytes)
		return NULL;
	/* A machine that goes back in time finds its memory where it was. */
	if (sim_has(sim, FAULT_ROLLBACK)) {
		client->given = client->body;
	} else {
		client->given = sim_allocate(client->body_bytes);
		memcpy(client->given, client->body, client->body_bytes);
	}
	return client->given;
}

static void free_handle(struct sim *sim, struct sim_client *client, u32 *handle)
{
	home(sim, client)->owner[*handle] = OWNER_FREE;
	*handle = NO_HANDLE;
}

/* Its processes are gone; what they asked for may still be answered. */
void client_node_died(struct sim *sim, const struct sim_node *node)
{
	struct sim_node *home = &sim->nodes[node->slot];
	u32 i;

	for (i = 0; i < SIM_HANDLES; i++) {
		if (home->owner[i] != OWNER_FREE)
			home->owner[i] = OWNER_NOBODY;
	}
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
	bool sessionless = client->kind == VR_KIND_SESSION_BEGIN ||
			   (client->kind == VR_KIND_GET && client->read != VR_READ_LOG);

	client->state = CLIENT_BUSY;
	client->handle = take_handle(sim, client);
	if (client->handle == NO_HANDLE) {
		retry(sim, client);
		return;
	}
	client->waiting = true;
	event.submit.handle = client->handle;
	event.submit.kind = client->kind;
	event.submit.read = client->read;
	event.submit.session = sessionless ? 0 : client->session;
	event.submit.request = client->request;
	event.submit.argument = client->argument;
	event.submit.topic = client->topic;
	event.submit.again = client->submitted;
	event.submit.body_bytes = client->body_bytes;
	event.submit.body = give(sim, client);
	check_asked_again(sim, client);
	client->submitted = true;
	client->asked_ns = sim->now_ns;
	sim_digest(sim, (u64)client->handle << 8 | client->kind);
	sim_digest(sim, client->request);
	node_step(sim, home(sim, client), &event);
}

/* What became of the request, whether it is under way or given up? */
static void settle(struct sim *sim, struct sim_client *client)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT };

	client->settler = take_handle(sim, client);
	if (client->settler == NO_HANDLE) {
		retry(sim, client);
		return;
	}
	client->settling = true;
	client->state = CLIENT_BUSY;
	event.submit.handle = client->settler;
	event.submit.kind = VR_KIND_RESULT;
	event.submit.session = client->session;
	event.submit.request = client->request;
	sim_digest(sim, (u64)client->settler << 8 | VR_KIND_RESULT);
	node_step(sim, home(sim, client), &event);
}

static void ask(struct sim *sim, struct sim_client *client, u8 kind, u64 request)
{
	client->kind = kind;
	client->read = VR_READ_LOG;
	client->request = request;
	client->session = process_of(sim, client)->session;
	client->again = false;
	client->answered = false;
	client->submitted = false;
	client->record = 0;
	client->index_floor = check_floor(sim);
	client->argument = 0;
	client->topic = 0;
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
	client->topic = random_below(&sim->random_client, 4);
	/* What comes next as far as is known here, or a little later. */
	if (!random_below(&sim->random_client, 4))
		client->argument = home(sim, client)->info.sequence_last + 1 +
				   random_below(&sim->random_client, 2);
}

static u8 draw_read(struct sim *sim)
{
	if (random_below(&sim->random_client, 100) >= sim->options.read_percent)
		return VR_READ_LOG;
	return random_between(&sim->random_client, VR_READ_INDEX, VR_READ_LOCAL);
}

static void ask_next_thing(struct sim *sim, struct sim_client *client)
{
	struct sim_process *process = process_of(sim, client);
	struct sim_random *r = &sim->random_client;
	u32 dice = random_below(r, 100);
	u32 name = random_below(r, 2) ? 0 : random_below(r, SIM_COUNTER_NAMES);
	u8 kind = dice < 45 ? VR_KIND_NEXT : dice < 70 ? VR_KIND_GET : VR_KIND_APPEND;
	u8 read = kind == VR_KIND_GET ? draw_read(sim) : VR_READ_LOG;
	const u8 *text;

	ask(sim, client, kind, read == VR_READ_LOG ? ++process->request : 0);
	client->read = read;
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
	if (kind != VR_KIND_APPEND && name != COUNTER_HUGE && read != VR_READ_LOCAL)
		check_question(sim, client, name);
}

/* --- sessions --- */

/* Has it a request of its session whose outcome is not known? */
static bool is_unsettled(const struct sim_client *client)
{
	return client->state == CLIENT_BUSY && client->kind != VR_KIND_SESSION_BEGIN &&
	       client->kind != VR_KIND_SESSION_END &&
	       (client->kind != VR_KIND_GET || client->read == VR_READ_LOG);
}

/* May the session number one more request, however the older ones end? */
static bool has_window(const struct sim *sim, const struct sim_process *process)
{
	u64 oldest = process->request + 1;
	u32 i;

	for (i = 0; i < process->count; i++) {
		const struct sim_client *client = &sim->clients[process->first + i];

		if (is_unsettled(client))
			oldest = vr_min(oldest, client->request);
	}
	return process->request + 1 < oldest + VR_WINDOW;
}

/* Is another thread in this state? */
static bool others_are(const struct sim *sim, const struct sim_client *self,
		       enum sim_client_state state)
{
	const struct sim_process *process = &sim->processes[self->process];
	u32 i;

	for (i = 0; i < process->count; i++) {
		const struct sim_client *client = &sim->clients[process->first + i];

		if (client != self && client->state == state)
			return true;
	}
	return false;
}

static void ask_begin(struct sim *sim, struct sim_client *client)
{
	process_of(sim, client)->state = PROCESS_BEGINNING;
	ask(sim, client, VR_KIND_SESSION_BEGIN, ++home(sim, client)->begin_request);
	submit(sim, client);
}

/* The end of a session takes back what is under way in it: no answer will come. */
static void ask_end(struct sim *sim, struct sim_client *client)
{
	struct sim_process *process = process_of(sim, client);
	u16 *owner = home(sim, client)->owner;
	u32 taken[2 * VR_WINDOW];
	u32 count = 0, i;

	process->state = PROCESS_ENDING;
	for (i = 0; i < process->count; i++) {
		struct sim_client *other = &sim->clients[process->first + i];

		if (!is_unsettled(other))
			continue;
		if (other->waiting)
			taken[count++] = other->handle;
		if (other->settling)
			taken[count++] = other->settler;
		if (other->waiting || other->settling)
			sim_mark(sim, MARK_TAKEN_BACK);
		other->handle = NO_HANDLE;
		other->settler = NO_HANDLE;
		other->waiting = false;
		other->settling = false;
		other->state = CLIENT_IDLE;
		if (other != client) {
			retry(sim, other);
			take_back(other);
		}
	}
	ask(sim, client, VR_KIND_SESSION_END, ++process->request);
	submit(sim, client);
	while (count--)
		owner[taken[count]] = OWNER_FREE;
}

static void session_is_over(struct sim *sim, struct sim_process *process)
{
	u32 i, budget = 0;

	process->session = 0;
	process->request = 0;
	process->stale = false;
	for (i = 0; i < process->count; i++)
		budget += sim->clients[process->first + i].budget;
	process->state = budget ? PROCESS_IDLE : PROCESS_OVER;
}

static bool wants_to_leave(struct sim *sim)
{
	return sim_has(sim, FAULT_ABANDON) && sim->phase == PHASE_FAULTY &&
	       !random_below(&sim->random_client, 4);
}

/* --- a thread's turn --- */

static void lose_patience(struct sim *sim, struct sim_client *client)
{
	if (client->settling || !is_unsettled(client) || client->again)
		return;
	if (random_below(&sim->random_client, 2)) {
		settle(sim, client);
	} else if (wants_to_leave(sim)) {
		sim_mark(sim, MARK_ABANDONED);
		ask_end(sim, client);
	} else {
		retry(sim, client);
	}
}

static void take_turn(struct sim *sim, struct sim_client *client)
{
	struct sim_process *process = process_of(sim, client);
	bool idle = !others_are(sim, client, CLIENT_BUSY);

	if (process->stale && idle)
		session_is_over(sim, process);
	/* The last one closes the file. */
	if (process->state == PROCESS_OVER ||
	    (!client->budget && (!idle || others_are(sim, client, CLIENT_IDLE)))) {
		client->state = CLIENT_FINISHED;
	} else if (process->state == PROCESS_IDLE) {
		ask_begin(sim, client);
	} else if (process->state != PROCESS_OPEN || process->stale) {
		retry(sim, client);
	} else if (!client->budget) {
		ask_end(sim, client);
	} else if (!has_window(sim, process)) {
		sim_mark(sim, MARK_WINDOW_FULL);
		retry(sim, client);
	} else {
		client->budget--;
		ask_next_thing(sim, client);
		submit(sim, client);
	}
}

void client_wake(struct sim *sim, u32 number, u32 wakeup)
{
	struct sim_client *client = &sim->clients[number];
	struct sim_node *node = home(sim, client);

	if (client->state == CLIENT_FINISHED || wakeup != client->wakeup)
		return;
	if (!node->up || node->paused || node->leaving) {
		retry(sim, client);
		return;
	}
	if (client->waiting || client->settling) {
		lose_patience(sim, client);
		return;
	}
	if (client->state == CLIENT_IDLE) {
		take_turn(sim, client);
	} else if (is_unsettled(client) && wants_to_leave(sim)) {
		ask_end(sim, client);
	} else if (is_unsettled(client) && client->submitted && !client->again &&
		   !random_below(&sim->random_client, 4)) {
		settle(sim, client);
	} else {
		submit(sim, client);
	}
	/* Some look again while they wait, and may lose patience. */
	if (client->waiting && sim_has(sim, FAULT_ABANDON) &&
	    sim->phase == PHASE_FAULTY && !random_below(&sim->random_client, 8))
		retry(sim, client);
}

/* --- being answered --- */

static void become_idle(struct sim *sim, struct sim_client *client)
{
	client->state = CLIENT_IDLE;
	client->again = false;
	think(sim, client);
}

static void answered(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	struct sim_process *process = process_of(sim, client);
	bool is_entry = client->kind != VR_KIND_GET || client->read == VR_READ_LOG;

	sim->totals.operations++;
	client->answered = true;
	if (client->kind == VR_KIND_SESSION_BEGIN) {
		process->session = done->result.index;
		process->request = 0;
		process->state = PROCESS_OPEN;
	} else if (client->kind == VR_KIND_SESSION_END) {
		session_is_over(sim, process);
	} else if (done->result.error == -ESTALE) {
		if (!process->stale)
			sim_mark(sim, MARK_EVICTED);
		process->stale = true;
	} else if (client->settling) {
		client->last = done->result;
		return;
	} else if (is_entry && !client->again && !random_below(&sim->random_client, 16)) {
		/* The answer got lost on the way to the process: once more. */
		sim_mark(sim, MARK_ASKED_AGAIN);
		client->last = done->result;
		client->again = true;
		retry(sim, client);
		return;
	}
	if (!client->settling)
		become_idle(sim, client);
}

static bool decided_here_alone(const struct vr_done *done)
{
	return done->result.error == -EHOSTUNREACH ||
	       done->result.error == -ENOTRECOVERABLE || done->result.error == -EIO;
}

/* False if this refusal is wrong. */
static bool may_refuse(struct sim *sim, const struct sim_node *node, const struct vr_done *done)
{
	u8 status = node->info.status;

	if (done->outcome == VR_OUTCOME_APPLIED ||
	    (done->result.error == -EIO && !sim->disks[node->slot].failed)) {
		sim_fail(sim, "A3: outcome %u with error %d", done->outcome, done->result.error);
		return false;
	}
	if (done->result.error == -ENOTRECOVERABLE && status != VR_STATUS_AMNESIA) {
		sim_fail(sim, "A3: replica %u is %s and says ENOTRECOVERABLE", node->slot,
			 sim_status_name(status));
		return false;
	}
	return true;
}

static void refused(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	if (done->outcome == VR_OUTCOME_UNKNOWN)
		sim_mark(sim, MARK_JOIN);
	else
		check_refused(sim, client);
	/* What is known not to be applied is as if it had never been asked. */
	if (done->outcome == VR_OUTCOME_NOT_APPLIED)
		client->submitted = false;
	if (!client->settling)
		retry(sim, client);
}

static void settled(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	client->settling = false;
	if (decided_here_alone(done)) {
		if (client->answered)
			become_idle(sim, client);
		else if (!client->waiting)
			retry(sim, client);
		return;
	}
	check_settled(sim, client, done);
	if (sim->failed)
		return;
	if (done->result.error == -ESTALE)
		process_of(sim, client)->stale = true;
	/* The request itself, if it is under way, must be answered alike. */
	if (client->waiting) {
		client->last = done->result;
		client->again = !done->result.error;
		return;
	}
	sim->totals.operations += !client->answered;
	become_idle(sim, client);
}

void client_done(struct sim *sim, struct sim_node *node, const struct vr_done *done)
{
	struct sim_client *client;
	u16 owner = done->handle < SIM_HANDLES ? node->owner[done->handle] : OWNER_FREE;

	sim_digest(sim, (u64)done->outcome << 32 | (u32)done->result.error);
	sim_digest(sim, done->result.index);
	if (owner == OWNER_NOBODY) {
		node->owner[done->handle] = OWNER_FREE;
		return;
	}
	client = owner == OWNER_FREE ? NULL : &sim->clients[owner - 1];
	if (!client || client->request != done->request ||
	    (done->handle != client->handle && done->handle != client->settler)) {
		sim_fail(sim, "A3: replica %u answers handle %u request %llu, which was not asked",
			 node->slot, done->handle, (unsigned long long)done->request);
		return;
	}
	sim_mark(sim, done->outcome == VR_OUTCOME_UNKNOWN ? MARK_DONE_UNKNOWN :
		      done->outcome == VR_OUTCOME_APPLIED ? MARK_DONE_APPLIED :
							    MARK_DONE_NOT_APPLIED);
	if (decided_here_alone(done) && !may_refuse(sim, node, done))
		return;
	if (done->handle == client->settler) {
		free_handle(sim, client, &client->settler);
		settled(sim, client, done);
		return;
	}
	free_handle(sim, client, &client->handle);
	client->waiting = false;
	if (decided_here_alone(done)) {
		take_back(client);
		refused(sim, client, done);
		return;
	}
	if (sim_is_remote(node))
		sim_mark(sim, MARK_DONE_REMOTE);
	else if (node->info.primary != node->slot)
		sim_mark(sim, MARK_DONE_AT_BACKUP);
	check_answer(sim, client, done);
	take_back(client);
	if (!sim->failed)
		answered(sim, client, done);
}
