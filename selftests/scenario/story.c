// SPDX-License-Identifier: GPL-2.0
/*
 * The words of a script, one per line. Times end in ms or s; a LINK is FROM>TO,
 * and * stands for any member, type or link.
 *
 *	replicas N			the first word
 *	form R				the operator says so at R; it takes time
 *	run TIME			let time go by
 *	until R WORD VALUE ...		let it go by until this is so, a minute at most
 *	crash R, restart R		without memory
 *	drop TYPE LINK			from now on; of a cut nothing is said
 *	lose TYPE LINK [N]		the next ones only
 *	hold TYPE LINK			from now on, until released
 *	release TYPE LINK		what is held arrives now
 *	pass TYPE LINK			forget the rules about these
 *	cut R, heal			drop all from and to R, pass everything
 *	keep NAME TYPE LINK		the newest such message, to
 *	replay NAME			arrive once more
 *	show TYPE, hide TYPE		say when it is sent
 *	begin C R			client C of member R begins its session
 *	next C, append C TEXT		it asks for a number, sends a message
 *	again C				it asks for the result of its last request
 *	burst C N			it draws N numbers, one after the other
 *	expect R WORD VALUE ...		status, refusal, view, log_view, op, commit, quorum
 *	answer C OUTCOME [WORD VALUE]	first, last, error, or the outcome NONE
 *
 * What is printed: a member's new status or view when it happens, its log at
 * the end of the command, messages by rule, answers.
 */
#include <stdarg.h>

#include "scenario.h"

#define TRANSIT_NS	SIM_NS_PER_MS
#define UNTIL_NS	(60 * SIM_NS_PER_S)
#define WORDS_MAX	16
#define NEVER		(~0ull)

static const char * const outcome_names[] = { "UNKNOWN", "APPLIED", "NOT_APPLIED" };
static const char * const refusal_names[VR_REFUSAL_COUNT] = { "none", "memory_lost", "behind" };

struct story *story;

void story_say(const char *format, ...)
{
	va_list arguments;

	fputs("    ", story->out);
	va_start(arguments, format);
	vfprintf(story->out, format, arguments);
	va_end(arguments);
	fputc('\n', story->out);
}

__attribute__((format(printf, 1, 2)))
static bool wrong(const char *format, ...)
{
	va_list arguments;

	fputs("    ! ", story->out);
	va_start(arguments, format);
	vfprintf(story->out, format, arguments);
	va_end(arguments);
	fputc('\n', story->out);
	story->failed = true;
	return false;
}

static unsigned long long count_of(u64 number)
{
	return number & VR_COUNT_MASK;
}

/* --- what happened --- */

static void tell(const struct sim_node *node)
{
	const struct vr_info *info = &node->info;
	char more[32] = "";

	if (info->status == VR_STATUS_RECOVERING)
		snprintf(more, sizeof(more), " (%s)", refusal_names[info->refusal]);
	else if (info->last_normal_view != info->view)
		snprintf(more, sizeof(more), " of log view %llu",
			 (unsigned long long)info->last_normal_view);
	story_say("%u: %s view %llu, op %llu%s, commit %llu", node->slot,
		  sim_status_name(info->status), (unsigned long long)info->view,
		  count_of(info->op), more, count_of(info->commit));
	story->told[node->slot] = *info;
}

static void on_step(struct sim *sim, const struct sim_node *node, const struct vr_effects *fx)
{
	static const char * const errors[VR_FORM_COUNT] = {
		"formed", "not blank here", "unreachable", "not blank", "busy", "members differ",
	};
	const struct vr_info *told = &story->told[node->slot];

	(void)sim;
	if (node->info.status != told->status || node->info.view != told->view ||
	    node->info.last_normal_view != told->last_normal_view)
		tell(node);
	if (fx->form_done)
		story_say("%u: the form ends: %s, member %u", node->slot, errors[fx->form_error],
			  fx->form_slot);
}

static void tell_logs(void)
{
	u32 i;

	for (i = 0; i < story->sim.options.replica_count; i++) {
		const struct sim_node *node = &story->sim.nodes[i];

		if (node->up && (node->info.op != story->told[i].op ||
				 node->info.commit != story->told[i].commit))
			tell(node);
	}
}

/* The shell of a replica says that a request ended. */
void client_done(struct sim *sim, struct sim_node *node, const struct vr_done *done)
{
	bool here_alone = done->result.error == -EHOSTUNREACH || done->result.error == -EIO ||
			  done->result.error == -ENOTRECOVERABLE;
	struct sim_client *client;
	u32 i;

	for (i = 0; i < sim->client_count; i++) {
		client = &sim->clients[i];
		if (client->slot == node->slot && client->life == node->life && client->waiting &&
		    client->handle == done->handle)
			break;
	}
	if (i == sim->client_count) {
		sim_fail(sim, "A3: replica %u answers handle %u, which did not ask", node->slot,
			 done->handle);
		return;
	}
	client->waiting = false;
	story->answers[i] = *done;
	if (done->result.error)
		story_say("client %u: %s, %s", i, outcome_names[done->outcome],
			  strerror(-done->result.error));
	else
		story_say("client %u: %s at op %llu: %llu..%llu", i,
			  outcome_names[done->outcome], count_of(done->result.index),
			  count_of(done->result.first), count_of(done->result.last));
	if (!here_alone)
		check_answer(sim, client, done);
	else if (done->outcome == VR_OUTCOME_NOT_APPLIED)
		check_refused(sim, client);
	if (!here_alone && client->kind == VR_KIND_SESSION_BEGIN)
		client->session = done->result.index;
	client->last = done->result;
}

/* --- time --- */

static void dispatch(struct sim_event *event)
{
	struct sim *sim = &story->sim;
	struct sim_node *node = &sim->nodes[event->slot];

	if (event->kind == SIM_DELIVER)
		net_deliver(sim, event);
	else if (event->kind == SIM_TIMER)
		node_timer(sim, node, event->number);
	else if (event->kind == SIM_DURABLE)
		node_durable(sim, node, event);
}

/* One event, unless it comes after @end_ns. */
static bool step(u64 end_ns)
{
	struct sim *sim = &story->sim;
	struct sim_event event;

	if (sim->failed || !sim->queue.count || sim->queue.heap[0].at_ns > end_ns)
		return false;
	event = sim_next(sim);
	dispatch(&event);
	free(event.bytes);
	return true;
}

static void run(u64 length_ns)
{
	u64 end_ns = story->sim.now_ns + length_ns;

	while (step(end_ns))
		;
	story->sim.now_ns = end_ns;
}

/* --- reading words --- */

static bool read_number(const char *word, u64 *number)
{
	char *end;

	if (!word)
		return false;
	*number = strtoull(word, &end, 10);
	return *word && !*end;
}

static bool read_time(const char *word, u64 *time_ns)
{
	char *end;

	if (!word)
		return false;
	*time_ns = strtoull(word, &end, 10);
	*time_ns *= strcmp(end, "s") ? SIM_NS_PER_MS : SIM_NS_PER_S;
	return end != word && (!strcmp(end, "ms") || !strcmp(end, "s"));
}

static struct sim_node *read_node(const char *word)
{
	u64 slot;

	if (!read_number(word, &slot) || slot >= story->sim.options.replica_count) {
		wrong("%s is no member", word ? word : "nothing");
		return NULL;
	}
	return &story->sim.nodes[slot];
}

static bool read_slot(char digit, u8 *slot)
{
	*slot = digit == '*' ? STORY_ANY : digit - '0';
	return *slot == STORY_ANY || *slot < story->sim.options.replica_count;
}

static bool read_type(const char *word, u8 *type)
{
	*type = STORY_ANY;
	if (!strcmp(word, "*"))
		return true;
	for (*type = 1; *type < VR_TYPE_COUNT; (*type)++) {
		if (!strcmp(word, vr_type_name(*type)))
			return true;
	}
	return false;
}

static bool read_match(char **words, struct match *match)
{
	const char *link = words[1];

	if (!words[0] || !link || !read_type(words[0], &match->type))
		return wrong("that is no TYPE and LINK");
	if (!strcmp(link, "*"))
		link = "*>*";
	if (strlen(link) != 3 || link[1] != '>' || !read_slot(link[0], &match->from) ||
	    !read_slot(link[2], &match->to))
		return wrong("%s is no link", link);
	return true;
}

/* --- what members are expected to be --- */

/* The value that @word names, as it is and as it should be. */
static bool read_state(const struct sim_node *node, const char *word, const char *value,
		       char *is, char *should)
{
	const struct vr_info *info = &node->info;
	u64 number;

	snprintf(should, 32, "%s", value);
	if (!node->up)
		snprintf(is, 32, "crashed");
	else if (!strcmp(word, "status"))
		snprintf(is, 32, "%s", sim_status_name(info->status));
	else if (!strcmp(word, "refusal"))
		snprintf(is, 32, "%s", refusal_names[info->refusal]);
	else if (!strcmp(word, "quorum"))
		snprintf(is, 32, "%s", info->has_quorum ? "yes" : "no");
	else if (!read_number(value, &number))
		return false;
	else if (!strcmp(word, "view"))
		snprintf(is, 32, "%llu", (unsigned long long)info->view);
	else if (!strcmp(word, "log_view"))
		snprintf(is, 32, "%llu", (unsigned long long)info->last_normal_view);
	else if (!strcmp(word, "op"))
		snprintf(is, 32, "%llu", count_of(info->op));
	else if (!strcmp(word, "commit"))
		snprintf(is, 32, "%llu", count_of(info->commit));
	else
		return false;
	return true;
}

static bool is_as_expected(char **words, bool say)
{
	const struct sim_node *node = read_node(*words++);
	char is[32], should[32];

	if (!node || !*words)
		return wrong("nothing is expected");
	for (; *words; words += 2) {
		if (!words[1] || !read_state(node, words[0], words[1], is, should))
			return wrong("%s is nothing to expect", words[0]);
		if (strcmp(is, should)) {
			if (say)
				wrong("%u: %s is %s", node->slot, words[0], is);
			return false;
		}
	}
	return true;
}

static bool until(char **words)
{
	u64 end_ns = story->sim.now_ns + UNTIL_NS;

	while (!is_as_expected(words, false)) {
		if (story->failed || !step(end_ns))
			return wrong("it never is");
	}
	return true;
}

/* --- clients --- */

static struct sim_client *read_client(const char *word)
{
	u64 number;

	if (read_number(word, &number) && number < story->sim.client_count)
		return &story->sim.clients[number];
	wrong("%s is no client", word ? word : "nothing");
	return NULL;
}

static void submit(struct sim_client *client, bool again)
{
	struct sim *sim = &story->sim;
	struct vr_event event = { .type = VR_EVENT_SUBMIT };

	client->waiting = true;
	event.submit.handle = client->handle;
	event.submit.kind = client->kind;
	event.submit.session = client->kind == VR_KIND_SESSION_BEGIN ? 0 : client->session;
	event.submit.request = client->request;
	event.submit.argument = client->argument;
	event.submit.again = again;
	event.submit.body = client->body;
	event.submit.body_bytes = client->body_bytes;
	node_step(sim, &sim->nodes[client->slot], &event);
}

static bool ask(struct sim_client *client, u8 kind, const char *text)
{
	struct sim *sim = &story->sim;

	if (!client)
		return false;
	if (client->waiting || !sim->nodes[client->slot].up)
		return wrong("this client waits, or its member is down");
	client->kind = kind;
	client->request = kind == VR_KIND_SESSION_BEGIN ?
		++sim->nodes[client->slot].begin_request : client->request + 1;
	client->argument = kind == VR_KIND_NEXT;
	free(client->body);
	client->body = (u8 *)strdup(text);
	client->body_bytes = strlen(text);
	client->record = 0;
	client->index_floor = sim->checker.index_done;
	if (kind == VR_KIND_NEXT)
		check_question(sim, client, 0);
	submit(client, false);
	return true;
}

static bool begin(char **words)
{
	struct sim *sim = &story->sim;
	struct sim_client *client = &sim->clients[sim->client_count];
	struct sim_node *node;
	u64 number;

	if (!read_number(words[0], &number) || number != sim->client_count ||
	    number >= STORY_CLIENTS_MAX)
		return wrong("the next client is %u of %u", sim->client_count, STORY_CLIENTS_MAX);
	node = read_node(words[1]);
	if (!node)
		return false;
	client->slot = node->slot;
	client->life = node->life;
	client->handle = sim->client_count++;
	if (!ask(client, VR_KIND_SESSION_BEGIN, ""))
		return false;
	return true;
}

/* The request numbers of a session are its own; BEGIN has one of the member's. */
static bool next_thing(const char *word, u8 kind, const char *text)
{
	struct sim_client *client = read_client(word);

	if (client && client->kind == VR_KIND_SESSION_BEGIN) {
		if (!client->session)
			return wrong("this client has no session");
		client->request = 0;
	}
	return ask(client, kind, text);
}

static bool ask_again(const char *word)
{
	struct sim_client *client = read_client(word);

	if (!client || client->waiting || !client->kind)
		return wrong("there is nothing to ask again");
	submit(client, true);
	return true;
}

static bool burst(char **words)
{
	u64 count, end_ns;
	u32 number;
	FILE *out = story->out;

	if (!read_number(words[1], &count) || !read_client(words[0]))
		return wrong("which client, and how many");
	number = read_client(words[0]) - story->sim.clients;
	/* What would be said of each is said of the last. */
	story->out = fopen("/dev/null", "w");
	if (!story->out)
		abort();
	while (count-- && !story->failed) {
		end_ns = story->sim.now_ns + UNTIL_NS;
		if (!next_thing(words[0], VR_KIND_NEXT, ""))
			break;
		while (story->sim.clients[number].waiting && step(end_ns))
			;
	}
	fclose(story->out);
	story->out = out;
	if (story->failed || story->sim.clients[number].waiting)
		return wrong("%llu are still to do", (unsigned long long)count + 1);
	story_say("client %u: drew up to %llu", number,
		  count_of(story->answers[number].result.last));
	return true;
}

static bool check_answered(char **words)
{
	const struct sim_client *client = read_client(words[0]);
	const struct vr_done *done;
	const char *is;
	u64 number;

	if (!client || !words[1])
		return wrong("answer CLIENT OUTCOME");
	done = &story->answers[client - story->sim.clients];
	is = client->waiting ? "NONE" : outcome_names[done->outcome];
	if (strcmp(is, words[1]))
		return wrong("the answer is %s", is);
	for (words += 2; *words; words += 2) {
		if (!words[1])
			return wrong("%s has no value", words[0]);
		if (!strcmp(words[0], "error")) {
			if (strcmp(words[1], strerrorname_np(-done->result.error)))
				return wrong("the error is %s",
					     strerrorname_np(-done->result.error));
			continue;
		}
		if (!read_number(words[1], &number) ||
		    number != count_of(strcmp(words[0], "first") ? done->result.last :
								   done->result.first))
			return wrong("it is %llu..%llu", count_of(done->result.first),
				     count_of(done->result.last));
	}
	return true;
}

/* --- the group --- */

static bool replicas(const char *word)
{
	struct sim *sim = &story->sim;
	struct sim_options *o = &sim->options;
	u64 count;
	u32 i;

	if (o->replica_count || !read_number(word, &count) || !count || count > VR_REPLICAS_MAX)
		return wrong("there are 1 to %u members, said once", VR_REPLICAS_MAX);
	o->replica_count = count;
	for (i = 0; i < count; i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	return true;
}

static bool form(const char *word)
{
	struct sim_node *node = read_node(word);
	struct vr_event event = { .type = VR_EVENT_FORM };

	if (!node || !node->up)
		return wrong("at which member");
	event.form_id = random_u64(&story->sim.random_fault) | 1;
	node_step(&story->sim, node, &event);
	return true;
}

static bool crash(const char *word, bool restart)
{
	struct sim_node *node = read_node(word);

	if (!node || !node->up)
		return wrong("which member");
	story_say("%u: crashes", node->slot);
	node_kill(&story->sim, node);
	memset(&story->told[node->slot], 0, sizeof(story->told[0]));
	if (restart)
		node_boot(&story->sim, node);
	return true;
}

static bool cut(const char *word)
{
	struct sim_node *node = read_node(word);
	struct match from = { STORY_ANY, STORY_ANY, STORY_ANY }, to = from;

	if (!node)
		return false;
	from.from = node->slot;
	to.to = node->slot;
	return link_add_rule(&from, RULE_DROP, 0) && link_add_rule(&to, RULE_DROP, 0);
}

static bool rule(const char *verb, char **words)
{
	enum rule_action action = !strcmp(verb, "drop") ? RULE_DROP :
				  !strcmp(verb, "hold") ? RULE_HOLD : RULE_LOSE;
	struct match match;
	u64 count = 1;

	if (!read_match(words, &match) || (words[2] && !read_number(words[2], &count)))
		return false;
	if (!link_add_rule(&match, action, count))
		return wrong("more than %u rules", STORY_RULES_MAX);
	return true;
}

static bool perform(const char *verb, char **words)
{
	static const struct match everything = { STORY_ANY, STORY_ANY, STORY_ANY };
	struct match match;
	u64 time_ns;
	u8 type;

	if (!strcmp(verb, "replicas"))
		return replicas(words[0]);
	if (!story->sim.options.replica_count)
		return wrong("a story begins with its replicas");
	if (!strcmp(verb, "form"))
		return form(words[0]);
	if (!strcmp(verb, "run") && read_time(words[0], &time_ns))
		return run(time_ns), true;
	if (!strcmp(verb, "until"))
		return until(words);
	if (!strcmp(verb, "crash") || !strcmp(verb, "restart"))
		return crash(words[0], *verb == 'r');
	if (!strcmp(verb, "drop") || !strcmp(verb, "lose") || !strcmp(verb, "hold"))
		return rule(verb, words);
	if (!strcmp(verb, "release") && read_match(words, &match))
		return link_release(&match) || wrong("no such message is held");
	if (!strcmp(verb, "pass") && read_match(words, &match))
		return link_pass(&match), true;
	if (!strcmp(verb, "cut"))
		return cut(words[0]);
	if (!strcmp(verb, "heal"))
		return link_pass(&everything), true;
	if (!strcmp(verb, "keep") && words[0] && read_match(words + 1, &match))
		return link_keep(&match, words[0]) || wrong("no such message was sent");
	if (!strcmp(verb, "replay") && words[0])
		return link_replay(words[0]) || wrong("no message %s was kept", words[0]);
	if ((!strcmp(verb, "show") || !strcmp(verb, "hide")) && words[0] &&
	    read_type(words[0], &type) && type < VR_TYPE_COUNT) {
		story->shown[type] = *verb == 's';
		return true;
	}
	if (!strcmp(verb, "begin"))
		return begin(words);
	if (!strcmp(verb, "next"))
		return next_thing(words[0], VR_KIND_NEXT, "");
	if (!strcmp(verb, "append"))
		return next_thing(words[0], VR_KIND_APPEND, words[0] && words[1] ? words[1] : "");
	if (!strcmp(verb, "again"))
		return ask_again(words[0]);
	if (!strcmp(verb, "burst"))
		return burst(words);
	if (!strcmp(verb, "expect"))
		return is_as_expected(words, true);
	if (!strcmp(verb, "answer"))
		return check_answered(words);
	return wrong("%s: not understood", verb);
}

bool story_command(char *line)
{
	char *words[WORDS_MAX + 1] = { NULL };
	char *rest = line;
	u32 count = 0;

	while (count < WORDS_MAX && (words[count] = strtok_r(count ? NULL : line, " \t", &rest)))
		count++;
	perform(words[0], words + 1);
	tell_logs();
	if (story->sim.failed && !story->failed)
		wrong("%s", story->sim.failure);
	return !story->failed;
}

void story_begin(FILE *out)
{
	struct sim *sim;

	story = calloc(1, sizeof(*story));
	if (!story)
		abort();
	sim = &story->sim;
	story->out = out;
	sim->effects = malloc(sizeof(*sim->effects));
	sim->scratch = malloc(sizeof(*sim->scratch));
	if (!sim->effects || !sim->scratch)
		abort();
	random_seed(&sim->random_node, 1, 1);
	random_seed(&sim->random_fault, 1, 2);
	sim->group.group = 1;
	sim->group.members = 1;
	sim->options.heartbeat_ns = 10 * SIM_NS_PER_MS;
	sim->options.view_timeout_ns = 60 * SIM_NS_PER_MS;
	sim->options.delay_ns = TRANSIT_NS;
	sim->options.size_bytes = VR_DATAGRAM_BYTES_MAX;
	sim->options.sessions_max = 8;
	sim->options.counters_max = 2;
	sim->options.check_every_step = true;
	sim->options.alike = true;
	sim->healed_view = NEVER;
	sim->on_send = link_on_send;
	sim->on_step = on_step;
}

void story_end(void)
{
	struct sim *sim = &story->sim;
	u32 i;

	if (!story->failed)
		check_end(sim);
	if (sim->failed && !story->failed)
		wrong("%s", sim->failure);
	for (i = 0; i < sim->options.replica_count; i++) {
		if (sim->nodes[i].up)
			node_kill(sim, &sim->nodes[i]);
	}
	while (sim->queue.count)
		free(sim->queue.heap[--sim->queue.count].bytes);
	free(sim->queue.heap);
	for (i = 0; i < sim->client_count; i++)
		free(sim->clients[i].body);
	net_free(sim);
	link_free();
	check_free(sim);
	model_free(&sim->model);
	free(sim->effects);
	free(sim->scratch);
	free(story);
	story = NULL;
}
