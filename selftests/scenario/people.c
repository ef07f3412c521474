// SPDX-License-Identifier: GPL-2.0
/*
 * The clients of a story: what they ask and how they are answered.
 *
 *	begin C R			client C of member R begins its session
 *	thread C D			client C shares the session of client D
 *	next C [REQUEST]		it asks for a number
 *	append C TEXT			it sends a message
 *	get C MODE			it reads: LOG, INDEX, LEASE or LOCAL
 *	again C				it asks for the result of its last request
 *	settle C			it asks what became of it (RESULT)
 *	end C				it ends its session
 *	burst C N			it draws N numbers, one after the other
 *	answer C OUTCOME [WORD VALUE]	first, last, error, or the outcome NONE
 */
#include "scenario.h"

static const char * const outcome_names[] = { "UNKNOWN", "APPLIED", "NOT_APPLIED" };
static const char * const read_names[VR_READ_COUNT] = { "LOG", "INDEX", "LEASE", "LOCAL" };

/* --- answers --- */

static bool is_read(const struct sim_client *client)
{
	return client->kind == VR_KIND_GET && client->read != VR_READ_LOG;
}

static bool here_alone(const struct vr_done *done)
{
	return done->result.error == -EHOSTUNREACH || done->result.error == -EIO ||
	       done->result.error == -ENOTRECOVERABLE;
}

static struct sim_client *who_asked(struct sim *sim, const struct sim_node *node, u32 handle)
{
	u32 i;

	for (i = 0; i < sim->client_count; i++) {
		struct sim_client *client = &sim->clients[i];

		if (client->slot == node->slot && client->life == node->life &&
		    ((client->waiting && client->handle == handle) ||
		     (client->settling && client->settler == handle)))
			return client;
	}
	return NULL;
}

static void say_answer(const struct sim_client *client, const struct vr_done *done)
{
	const struct vr_result *result = &done->result;
	u32 number = client - story->sim.clients;
	const char *settled = done->handle == client->settler ? "settled " : "";
	const char *outcome = outcome_names[done->outcome];

	if (result->error)
		story_say("client %u: %s%s, %s", number, settled, outcome,
			  strerror(-result->error));
	else if (is_read(client) && client->read == VR_READ_LOCAL)
		story_say("client %u: %s as of op %llu: %llu, %llu ms old", number, outcome,
			  story_count(result->index), story_count(result->last),
			  (unsigned long long)(result->first / SIM_NS_PER_MS));
	else if (is_read(client))
		story_say("client %u: %s as of op %llu: %llu", number, outcome,
			  story_count(result->index), story_count(result->last));
	else
		story_say("client %u: %s%s at op %llu: %llu..%llu", number, settled, outcome,
			  story_count(result->index), story_count(result->first),
			  story_count(result->last));
}

static void settled(struct sim *sim, struct sim_client *client, const struct vr_done *done)
{
	client->settling = false;
	if (here_alone(done))
		return;
	check_settled(sim, client, done);
	if (done->result.error == -ESTALE)
		return;
	/* The request itself, if it is under way, must be answered alike. */
	client->last = done->result;
	client->again = true;
}

/* The shell of a replica says that a request ended. */
void client_done(struct sim *sim, struct sim_node *node, const struct vr_done *done)
{
	struct sim_client *client = who_asked(sim, node, done->handle);

	if (!client) {
		sim_fail(sim, "A3: replica %u answers handle %u, which did not ask", node->slot,
			 done->handle);
		return;
	}
	story->answers[client - sim->clients] = *done;
	say_answer(client, done);
	if (done->handle == client->settler) {
		settled(sim, client, done);
		return;
	}
	client->waiting = false;
	if (here_alone(done)) {
		if (done->outcome == VR_OUTCOME_NOT_APPLIED)
			check_refused(sim, client);
		return;
	}
	check_answer(sim, client, done);
	if (client->kind == VR_KIND_SESSION_BEGIN)
		client->session = done->result.index;
	client->last = done->result;
	client->again = true;
	client->answered = true;
}

/* Nobody waits for what a member that is gone owed. */
void client_node_died(struct sim *sim, const struct sim_node *node)
{
	u32 i;

	for (i = 0; i < sim->client_count; i++) {
		if (sim->clients[i].slot == node->slot)
			sim->clients[i].waiting = false;
	}
}

/* --- questions --- */

static struct sim_client *read_client(const char *word)
{
	u64 number;

	if (story_number(word, &number) && number < story->sim.client_count)
		return &story->sim.clients[number];
	story_wrong("%s is no client", word ? word : "nothing");
	return NULL;
}

/* Newest request number of the session, which threads share. */
static u64 *newest(const struct sim_client *client)
{
	return &story->requests[client->process];
}

static void submit(struct sim_client *client, bool again)
{
	struct sim *sim = &story->sim;
	struct vr_event event = { .type = VR_EVENT_SUBMIT };
	bool sessionless = client->kind == VR_KIND_SESSION_BEGIN || is_read(client);

	client->waiting = true;
	event.submit.handle = client->handle;
	event.submit.kind = client->kind;
	event.submit.read = client->read;
	event.submit.session = sessionless ? 0 : client->session;
	event.submit.request = client->request;
	event.submit.argument = client->argument;
	event.submit.again = again;
	event.submit.body = client->body;
	event.submit.body_bytes = client->body_bytes;
	check_asked_again(sim, client);
	node_step(sim, &sim->nodes[client->slot], &event);
}

static bool ask(struct sim_client *client, u8 kind, u8 read, u64 request, const char *text)
{
	struct sim *sim = &story->sim;

	if (!client)
		return false;
	if (client->waiting || !sim->nodes[client->slot].up)
		return story_wrong("this client waits, or its member is down");
	client->kind = kind;
	client->read = read;
	client->request = request;
	client->argument = kind == VR_KIND_NEXT;
	free(client->body);
	client->body = (u8 *)strdup(text);
	client->body_bytes = strlen(text);
	client->record = 0;
	client->again = false;
	client->answered = false;
	client->index_floor = check_floor(sim);
	if (kind == VR_KIND_NEXT || (kind == VR_KIND_GET && read != VR_READ_LOCAL))
		check_question(sim, client, 0);
	submit(client, false);
	return true;
}

/* The next request of the client's session. */
static bool ask_next(const char *word, u8 kind, const char *text)
{
	struct sim_client *client = read_client(word);

	if (!client)
		return false;
	if (!client->session)
		return story_wrong("this client has no session");
	return ask(client, kind, VR_READ_LOG, ++*newest(client), text);
}

static struct sim_client *add_client(const char *word)
{
	struct sim *sim = &story->sim;
	struct sim_client *client = &sim->clients[sim->client_count];
	u64 number;

	if (!story_number(word, &number) || number != sim->client_count ||
	    number >= STORY_CLIENTS_MAX) {
		story_wrong("the next client is %u of %u", sim->client_count,
			    STORY_CLIENTS_MAX);
		return NULL;
	}
	client->handle = sim->client_count;
	client->settler = STORY_CLIENTS_MAX + sim->client_count;
	client->process = sim->client_count++;
	return client;
}

bool people_begin(char **words)
{
	struct sim_client *client = add_client(words[0]);
	struct sim_node *node = story_node(words[1]);

	if (!client || !node)
		return false;
	client->slot = node->slot;
	client->life = node->life;
	return ask(client, VR_KIND_SESSION_BEGIN, VR_READ_LOG, ++node->begin_request, "");
}

bool people_thread(char **words)
{
	struct sim_client *client = add_client(words[0]), *other = read_client(words[1]);

	if (!client || !other)
		return false;
	if (!other->session)
		return story_wrong("that client has no session");
	client->slot = other->slot;
	client->life = other->life;
	client->session = other->session;
	client->process = other->process;
	return true;
}

bool people_next(char **words)
{
	struct sim_client *client = read_client(words[0]);
	u64 request;

	if (!client || !words[1])
		return ask_next(words[0], VR_KIND_NEXT, "");
	if (!story_number(words[1], &request))
		return story_wrong("%s is no request", words[1]);
	*newest(client) = vr_max(*newest(client), request);
	return ask(client, VR_KIND_NEXT, VR_READ_LOG, request, "");
}

bool people_append(char **words)
{
	return ask_next(words[0], VR_KIND_APPEND, words[0] && words[1] ? words[1] : "");
}

bool people_end(char **words)
{
	return ask_next(words[0], VR_KIND_SESSION_END, "");
}

bool people_get(char **words)
{
	u8 read;

	for (read = 0; words[1] && read < VR_READ_COUNT; read++) {
		if (strcmp(words[1], read_names[read]))
			continue;
		if (read == VR_READ_LOG)
			return ask_next(words[0], VR_KIND_GET, "");
		return ask(read_client(words[0]), VR_KIND_GET, read, 0, "");
	}
	return story_wrong("that is no way to read");
}

bool people_again(char **words)
{
	struct sim_client *client = read_client(words[0]);

	if (!client || client->waiting || !client->kind)
		return story_wrong("there is nothing to ask again");
	submit(client, true);
	return true;
}

bool people_settle(char **words)
{
	struct sim_client *client = read_client(words[0]);
	struct vr_event event = { .type = VR_EVENT_SUBMIT };

	if (!client || client->settling || !client->request)
		return story_wrong("there is nothing to settle");
	client->settling = true;
	event.submit.handle = client->settler;
	event.submit.kind = VR_KIND_RESULT;
	event.submit.session = client->session;
	event.submit.request = client->request;
	node_step(&story->sim, &story->sim.nodes[client->slot], &event);
	return true;
}

bool people_burst(char **words)
{
	struct sim_client *client = read_client(words[0]);
	u64 count, end_ns;
	FILE *out = story->out;

	if (!client || !story_number(words[1], &count))
		return story_wrong("which client, and how many");
	/* What would be said of each is said of the last. */
	story->out = fopen("/dev/null", "w");
	if (!story->out)
		abort();
	while (count-- && !story->failed) {
		end_ns = story->sim.now_ns + STORY_UNTIL_NS;
		if (!ask_next(words[0], VR_KIND_NEXT, ""))
			break;
		while (client->waiting && story_step(end_ns))
			;
	}
	fclose(story->out);
	story->out = out;
	if (story->failed || client->waiting)
		return story_wrong("%llu are still to do", (unsigned long long)count + 1);
	story_say("client %s: drew up to %llu", words[0],
		  story_count(story->answers[client - story->sim.clients].result.last));
	return true;
}

bool people_answer(char **words)
{
	const struct sim_client *client = read_client(words[0]);
	const struct vr_done *done;
	const char *is;
	u64 number;

	if (!client || !words[1])
		return story_wrong("answer CLIENT OUTCOME");
	done = &story->answers[client - story->sim.clients];
	is = client->waiting || client->settling ? "NONE" : outcome_names[done->outcome];
	if (strcmp(is, words[1]))
		return story_wrong("the answer is %s", is);
	for (words += 2; *words; words += 2) {
		if (!words[1])
			return story_wrong("%s has no value", words[0]);
		if (!strcmp(words[0], "error")) {
			if (strcmp(words[1], strerrorname_np(-done->result.error)))
				return story_wrong("the error is %s",
						   strerrorname_np(-done->result.error));
			continue;
		}
		if (!story_number(words[1], &number) ||
		    number != story_count(strcmp(words[0], "first") ? done->result.last :
								      done->result.first))
			return story_wrong("it is %llu..%llu", story_count(done->result.first),
					   story_count(done->result.last));
	}
	return true;
}

/* Stories have no journals. */
bool fault_disk_fails(struct sim *sim, struct sim_node *node)
{
	(void)sim;
	(void)node;
	return false;
}

void fault_disk_failed(struct sim *sim, struct sim_node *node)
{
	(void)sim;
	(void)node;
}
