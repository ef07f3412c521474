// SPDX-License-Identifier: GPL-2.0
/*
 * The words of a script, one per line. Times end in us, ms or s; a LINK is FROM>TO,
 * and * stands for any member, type or link. What clients do is people.c's.
 *
 *	durable, lease TIME		of the group to come: memory is durable
 *	records				and each member keeps one
 *	replicas N			the first word after those
 *	form R				the operator says so at R; it takes time
 *	run TIME			let time go by
 *	until R WORD VALUE ...		let it go by until this is so, a minute at most
 *	crash R, restart R		without memory, but for what a journal has
 *	wire R VERSION			its next life has a module of that version
 *	rot R				a bit of R's journal flips; R is down
 *	demote R			its shell does not trust its memory
 *	leave R				it is about to be stopped
 *	pause R TIME, freeze R TIME	it stands still, its clock too
 *	disk R stops, disk R works	nothing gets durable at R meanwhile, records too
 *	record R fails			its next write does
 *	reform R			the operator says so at R
 *	roll_back R			its shell knows that its machine went back in time
 *	drop TYPE LINK			from now on; of a cut nothing is said
 *	lose TYPE LINK [N]		the next ones only
 *	hold TYPE LINK			from now on, until released
 *	release TYPE LINK		what is held arrives now
 *	pass TYPE LINK			forget the rules about these
 *	cut R, heal			drop all from and to R, pass everything
 *	keep NAME TYPE LINK		the newest such message, to
 *	replay NAME			arrive once more, whoever lives there now
 *	show TYPE, hide TYPE		say when it is sent
 *	expect R WORD VALUE ...		status, refusal, view, log_view, op, commit, quorum,
 *					life, checkpoint, transfers, recoveries, lost,
 *					record (written or failed); on it: generation,
 *					accepted, doubtful
 *
 * What is printed: a member's new status, view or life when it happens, its log
 * at the end of the command, messages by rule, answers.
 */
#include <stdarg.h>

#include "scenario.h"

#define TRANSIT_NS	SIM_NS_PER_MS
#define WORDS_MAX	16
#define NEVER		(~0ull)

static const char * const refusal_names[VR_REFUSAL_COUNT] = {
	"none", "memory_lost", "demoted", "fenced",
};

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

bool story_wrong(const char *format, ...)
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

unsigned long long story_count(u64 number)
{
	return number & VR_COUNT_MASK;
}

/* --- what happened --- */

static void tell(const struct sim_node *node)
{
	const struct vr_info *info = &node->info;
	char more[32] = "", life[32] = "";

	if (info->refusal)
		snprintf(more, sizeof(more), " (%s)", refusal_names[info->refusal]);
	else if (info->last_normal_view != info->view)
		snprintf(more, sizeof(more), " of log view %llu",
			 (unsigned long long)info->last_normal_view);
	if (info->incarnation > 1)
		snprintf(life, sizeof(life), ", life %llu",
			 (unsigned long long)info->incarnation);
	story_say("%u: %s view %llu, op %llu%s, commit %llu%s", node->slot,
		  sim_status_name(info->status), (unsigned long long)info->view,
		  story_count(info->op), more, story_count(info->commit), life);
	story->told[node->slot] = *info;
}

static void on_step(struct sim *sim, const struct sim_node *node, const struct vr_effects *fx)
{
	static const char * const errors[VR_FORM_COUNT] = {
		"formed", "not blank here", "unreachable", "not blank", "busy", "members differ",
		"no write", "others remember", "no record", "few records", "raced", "the last one",
	};
	const struct vr_info *told = &story->told[node->slot];

	(void)sim;
	if (node->info.status != told->status || node->info.view != told->view ||
	    node->info.last_normal_view != told->last_normal_view ||
	    node->info.incarnation != told->incarnation)
		tell(node);
	if (node->info.transfers > node->before.transfers)
		story_say("%u: has the checkpoint of op %llu", node->slot,
			  story_count(node->info.checkpoint_op));
	if (fx->left)
		story_say("%u: may go", node->slot);
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

/* --- time --- */

/* What the disk was given stays there. */
static void look_again(struct sim_event *event)
{
	struct sim_event again = *event;

	event->bytes = NULL;
	sim_post(&story->sim, &again, SIM_NS_PER_MS);
}

static void dispatch(struct sim_event *event)
{
	struct sim *sim = &story->sim;
	struct sim_node *node = &sim->nodes[event->slot];

	if (event->kind == SIM_DELIVER)
		net_deliver(sim, event);
	else if (event->kind == SIM_TIMER)
		node_timer(sim, node, event->number);
	else if ((event->kind == SIM_DURABLE || event->kind == SIM_DISK ||
		  event->kind == SIM_RECORD) && story->disk_stopped[event->slot])
		look_again(event);
	else if (event->kind == SIM_DURABLE)
		node_durable(sim, node, event);
	else if (event->kind == SIM_DISK)
		disk_done(sim, node, event);
	else if (event->kind == SIM_RECORD)
		record_done(sim, node, event->number);
	else if (event->kind == SIM_RESUME && node->up && node->paused)
		node_resume(sim, node);
}

/* One event, unless it comes after @end_ns. */
bool story_step(u64 end_ns)
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

	while (story_step(end_ns))
		;
	story->sim.now_ns = end_ns;
}

/* --- reading words --- */

bool story_number(const char *word, u64 *number)
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
	if (!strcmp(end, "s"))
		*time_ns *= SIM_NS_PER_S;
	else if (!strcmp(end, "ms"))
		*time_ns *= SIM_NS_PER_MS;
	else if (!strcmp(end, "us"))
		*time_ns *= SIM_NS_PER_MS / 1000;
	else
		return false;
	return end != word;
}

/* Voters are numbered from 0, client nodes from 8. */
static bool is_member(u64 slot)
{
	const struct sim_options *o = &story->sim.options;

	return slot < o->replica_count ||
	       (slot >= VR_CLIENT_MIN && slot - VR_CLIENT_MIN < o->remote_count);
}

struct sim_node *story_node(const char *word)
{
	u64 slot;

	if (!story_number(word, &slot) || !is_member(slot)) {
		story_wrong("%s is no member", word ? word : "nothing");
		return NULL;
	}
	return &story->sim.nodes[slot];
}

static bool read_slot(char digit, u8 *slot)
{
	*slot = digit == '*' ? STORY_ANY : digit - '0';
	return *slot == STORY_ANY || is_member(*slot);
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
		return story_wrong("that is no TYPE and LINK");
	if (!strcmp(link, "*"))
		link = "*>*";
	if (strlen(link) != 3 || link[1] != '>' || !read_slot(link[0], &match->from) ||
	    !read_slot(link[2], &match->to))
		return story_wrong("%s is no link", link);
	return true;
}

/* --- what members are expected to be --- */

/* The value that @word names, as it is and as it should be. */
static bool read_state(const struct sim_node *node, const char *word, const char *value,
		       char *is, char *should)
{
	const struct vr_record *held = &story->sim.records[node->slot].held;
	const struct vr_info *info = &node->info;
	u64 number;

	snprintf(should, 32, "%s", value);
	if (!node->up)
		snprintf(is, 32, "crashed");
	else if (!strcmp(word, "status"))
		snprintf(is, 32, "%s", sim_status_name(info->status));
	else if (!strcmp(word, "refusal"))
		snprintf(is, 32, "%s", refusal_names[info->refusal]);
	else if (!strcmp(word, "record"))
		snprintf(is, 32, "%s", info->record_error ? "failed" : "written");
	else if (!strcmp(word, "quorum"))
		snprintf(is, 32, "%s", info->has_quorum ? "yes" : "no");
	else if (!story_number(value, &number))
		return false;
	else if (!strcmp(word, "view"))
		snprintf(is, 32, "%llu", (unsigned long long)info->view);
	else if (!strcmp(word, "log_view"))
		snprintf(is, 32, "%llu", (unsigned long long)info->last_normal_view);
	else if (!strcmp(word, "op"))
		snprintf(is, 32, "%llu", story_count(info->op));
	else if (!strcmp(word, "commit"))
		snprintf(is, 32, "%llu", story_count(info->commit));
	else if (!strcmp(word, "life"))
		snprintf(is, 32, "%llu", (unsigned long long)info->incarnation);
	else if (!strcmp(word, "checkpoint"))
		snprintf(is, 32, "%llu", story_count(info->checkpoint_op));
	else if (!strcmp(word, "transfers"))
		snprintf(is, 32, "%llu", (unsigned long long)info->transfers);
	else if (!strcmp(word, "recoveries"))
		snprintf(is, 32, "%llu", (unsigned long long)info->recoveries);
	else if (!strcmp(word, "generation"))
		snprintf(is, 32, "%u", held->generation);
	else if (!strcmp(word, "accepted"))
		snprintf(is, 32, "%u", held->accepted_generation);
	else if (!strcmp(word, "doubtful"))
		snprintf(is, 32, "%u", held->doubtful);
	else if (!strcmp(word, "lost"))
		snprintf(is, 32, "%u", info->lost_mask);
	else
		return false;
	return true;
}

static bool is_as_expected(char **words, bool say)
{
	const struct sim_node *node = story_node(*words++);
	char is[32], should[32];

	if (!node || !*words)
		return story_wrong("nothing is expected");
	for (; *words; words += 2) {
		if (!words[1] || !read_state(node, words[0], words[1], is, should))
			return story_wrong("%s is nothing to expect", words[0]);
		if (strcmp(is, should)) {
			if (say)
				story_wrong("%u: %s is %s", node->slot, words[0], is);
			return false;
		}
	}
	return true;
}

static bool until(char **words)
{
	u64 end_ns = story->sim.now_ns + STORY_UNTIL_NS;

	while (!is_as_expected(words, false)) {
		if (story->failed || !story_step(end_ns))
			return story_wrong("it never is");
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

	if (o->replica_count || !story_number(word, &count) || !count || count > VR_REPLICAS_MAX)
		return story_wrong("there are 1 to %u members, said once", VR_REPLICAS_MAX);
	o->replica_count = count;
	o->records &= (1u << count) - 1;
	for (i = 0; i < count; i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	for (i = VR_CLIENT_MIN; is_member(i); i++) {
		sim->nodes[i].slot = i;
		node_boot(sim, &sim->nodes[i]);
	}
	return true;
}

static bool form(const char *word)
{
	struct sim_node *node = story_node(word);
	struct vr_event event = { .type = VR_EVENT_FORM };

	if (!node || !node->up)
		return story_wrong("at which member");
	event.form_id = random_u64(&story->sim.random_fault) | 1;
	node_step(&story->sim, node, &event);
	return true;
}

static bool crash(const char *word, bool restart)
{
	struct sim_node *node = story_node(word);

	if (!node || (!node->up && !restart))
		return story_wrong("which member");
	if (node->up) {
		story_say("%u: crashes", node->slot);
		client_node_died(&story->sim, node);
		node_kill(&story->sim, node);
		memset(&story->told[node->slot], 0, sizeof(story->told[0]));
	}
	if (restart)
		node_boot(&story->sim, node);
	return true;
}

static bool cut(const char *word)
{
	struct sim_node *node = story_node(word);
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

	if (!read_match(words, &match) || (words[2] && !story_number(words[2], &count)))
		return false;
	if (!link_add_rule(&match, action, count))
		return story_wrong("more than %u rules", STORY_RULES_MAX);
	return true;
}

/* --- verbs --- */

static bool do_replicas(char **words)
{
	return replicas(words[0]);
}

static bool do_durable(char **words)
{
	(void)words;
	story->sim.options.memory_is_durable = true;
	return true;
}

static bool do_journal(char **words)
{
	(void)words;
	story->sim.options.journal = true;
	return true;
}

static bool do_records(char **words)
{
	(void)words;
	story->sim.options.records = 0xff;
	return true;
}

static bool do_record(char **words)
{
	struct sim_node *node = story_node(words[0]);

	if (!node || !words[1] || strcmp(words[1], "fails"))
		return story_wrong("which record does what");
	story->sim.records[node->slot].fails = true;
	return true;
}

static bool do_reform(char **words)
{
	struct vr_event event = { .type = VR_EVENT_REFORM };
	struct sim_node *node = story_node(words[0]);

	if (!node || !node->up)
		return story_wrong("at which member");
	node_step(&story->sim, node, &event);
	return true;
}

static bool do_roll_back(char **words)
{
	struct sim_node *node = story_node(words[0]);

	if (!node || !node->up)
		return story_wrong("which member");
	node_demote(&story->sim, node, true);
	return true;
}

static bool do_rot(char **words)
{
	struct sim_node *node = story_node(words[0]);

	if (!node || node->up)
		return story_wrong("which member");
	disk_rot(&story->sim, node);
	return true;
}

static bool do_lease(char **words)
{
	return read_time(words[0], &story->sim.options.lease_ns);
}

static bool do_remotes(char **words)
{
	u64 count;

	if (!story_number(words[0], &count) || count > SIM_REMOTES_MAX)
		return story_wrong("there are up to %u client nodes", SIM_REMOTES_MAX);
	story->sim.options.remote_count = count;
	return true;
}

static bool do_form(char **words)
{
	return form(words[0]);
}

static bool do_run(char **words)
{
	u64 time_ns;

	if (!read_time(words[0], &time_ns))
		return story_wrong("for how long");
	run(time_ns);
	return true;
}

static bool do_crash(char **words)
{
	return crash(words[0], false);
}

static bool do_wire(char **words)
{
	struct sim_node *node = story_node(words[0]);
	u64 version;

	if (!node || !story_number(words[1], &version) || version < VR_WIRE_VERSION_MIN ||
	    version > VR_WIRE_VERSION)
		return story_wrong("which member, and which version");
	story->sim.versions[node->slot] = version;
	return true;
}

static bool do_restart(char **words)
{
	return crash(words[0], true);
}

static bool do_demote(char **words)
{
	struct sim_node *node = story_node(words[0]);

	if (!node || !node->up)
		return story_wrong("which member");
	node_demote(&story->sim, node, false);
	return true;
}

static bool do_leave(char **words)
{
	struct sim_node *node = story_node(words[0]);
	struct vr_event event = { .type = VR_EVENT_LEAVE };

	if (!node || !node->up)
		return story_wrong("which member");
	node_step(&story->sim, node, &event);
	return true;
}

static bool stand_still(char **words, bool freezes)
{
	struct sim_node *node = story_node(words[0]);
	u64 time_ns;

	if (!node || !node->up || node->paused || !read_time(words[1], &time_ns))
		return story_wrong("which member, and for how long");
	node_pause(&story->sim, node, time_ns, freezes);
	return true;
}

static bool do_pause(char **words)
{
	return stand_still(words, false);
}

static bool do_freeze(char **words)
{
	return stand_still(words, true);
}

static bool do_disk(char **words)
{
	struct sim_node *node = story_node(words[0]);

	if (!node || !words[1] || (strcmp(words[1], "stops") && strcmp(words[1], "works")))
		return story_wrong("which disk does what");
	story->disk_stopped[node->slot] = !strcmp(words[1], "stops");
	return true;
}

static bool do_drop(char **words)
{
	return rule("drop", words);
}

static bool do_lose(char **words)
{
	return rule("lose", words);
}

static bool do_hold(char **words)
{
	return rule("hold", words);
}

static bool do_release(char **words)
{
	struct match match;

	return read_match(words, &match) &&
	       (link_release(&match) || story_wrong("no such message is held"));
}

static bool do_pass(char **words)
{
	struct match match;

	if (!read_match(words, &match))
		return false;
	link_pass(&match);
	return true;
}

static bool do_cut(char **words)
{
	return cut(words[0]);
}

static bool do_heal(char **words)
{
	static const struct match everything = { STORY_ANY, STORY_ANY, STORY_ANY };

	(void)words;
	link_pass(&everything);
	return true;
}

static bool do_keep(char **words)
{
	struct match match;

	return words[0] && read_match(words + 1, &match) &&
	       (link_keep(&match, words[0]) || story_wrong("no such message was sent"));
}

static bool do_replay(char **words)
{
	return words[0] && (link_replay(words[0]) ||
			    story_wrong("no message %s was kept", words[0]));
}

static bool show(char **words, bool shown)
{
	u8 type;

	if (!words[0] || !read_type(words[0], &type) || type >= VR_TYPE_COUNT)
		return story_wrong("that is no type");
	story->shown[type] = shown;
	return true;
}

static bool do_show(char **words)
{
	return show(words, true);
}

static bool do_hide(char **words)
{
	return show(words, false);
}

static bool do_expect(char **words)
{
	return is_as_expected(words, true);
}

static const struct verb {
	const char *word;
	bool (*perform)(char **words);
} verbs[] = {
	{ "durable", do_durable }, { "journal", do_journal }, { "lease", do_lease },
	{ "records", do_records }, { "remotes", do_remotes },
	{ "replicas", do_replicas }, { "rot", do_rot }, { "reform", do_reform },
	{ "roll_back", do_roll_back }, { "record", do_record },
	{ "form", do_form }, { "run", do_run }, { "until", until },
	{ "crash", do_crash }, { "restart", do_restart }, { "demote", do_demote },
	{ "leave", do_leave }, { "pause", do_pause }, { "freeze", do_freeze },
	{ "disk", do_disk }, { "wire", do_wire },
	{ "drop", do_drop }, { "lose", do_lose }, { "hold", do_hold },
	{ "release", do_release }, { "pass", do_pass }, { "cut", do_cut },
	{ "heal", do_heal }, { "keep", do_keep }, { "replay", do_replay },
	{ "show", do_show }, { "hide", do_hide }, { "expect", do_expect },
	{ "begin", people_begin }, { "thread", people_thread }, { "next", people_next },
	{ "append", people_append }, { "get", people_get }, { "again", people_again },
	{ "settle", people_settle }, { "end", people_end }, { "burst", people_burst },
	{ "answer", people_answer },
};

static bool perform(const char *word, char **words)
{
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(verbs); i++) {
		if (strcmp(word, verbs[i].word))
			continue;
		/* Those about the group to come are the first six. */
		if (i > 5 && !story->sim.options.replica_count)
			return story_wrong("a story begins with its replicas");
		return verbs[i].perform(words) || story->failed ||
		       story_wrong("%s: not understood", word);
	}
	return story_wrong("%s: not understood", word);
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
		story_wrong("%s", story->sim.failure);
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
	sim->options.body_bytes_max = vr_min(1024, VR_BODY_BYTES_MAX);
	sim->options.size_bytes = VR_DATAGRAM_BYTES_MAX;
	sim->options.node_lease_ns = 200 * SIM_NS_PER_MS;
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
		story_wrong("%s", sim->failure);
	for (i = 0; i < SIM_NODES; i++) {
		if (sim->nodes[i].up)
			node_kill(sim, &sim->nodes[i]);
	}
	while (sim->queue.count)
		free(sim->queue.heap[--sim->queue.count].bytes);
	free(sim->queue.heap);
	for (i = 0; i < sim->client_count; i++)
		free(sim->clients[i].body);
	net_free(sim);
	disk_free(sim);
	link_free();
	check_free(sim);
	free(sim->effects);
	free(sim->scratch);
	free(story);
	story = NULL;
}
