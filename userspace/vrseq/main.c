// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq: the command line of the module. This file owns the options, the
 * table of nouns and verbs, and their help; it knows nothing of what they do.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

#ifndef VRSEQ_VERSION
#define VRSEQ_VERSION "(unreleased)"
#endif

struct options options;

/* An object with commands, or a command. A table ends with one without name. */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);	/* for an object: without a command */
	const char *usage;
	const char *help;
	const struct command *commands;
};

static const struct command group_commands[] = {
	{ "show", group_show, "[NAME]",
	  "What this member knows of the group, or of all groups here.", NULL },
	{ "add", group_add,
	  "NAME self ID listen ADDR:PORT { key FILE | key-name NAME | insecure }\n"
	  "        [uuid UUID] [heartbeat T] [view-timeout T] [lease T] [record-max SIZE]\n"
	  "        [log-entries N] [log-bytes SIZE] [messages N] [message-bytes SIZE]\n"
	  "        [durability { memory | journal FILE }] [journal-size SIZE] [record FILE]\n"
	  "        [role voter|client] [clients N] [node-lease T] [files N] [gid GROUP]\n"
	  "        [wire N]",
	  "A new, blank member of a group, with the id ID. T is like 500us, 20ms, 3s;\n"
	  "SIZE like 4096, 64K, 16M. key: a file that vrseq genkey made, the same at all\n"
	  "members; key-name: the description of a kernel key of type logon; insecure:\n"
	  "datagrams are not authenticated. uuid: of the group, the same at all members;\n"
	  "left out, it is made of the name. lease: for counter get mode lease; off if left\n"
	  "out or 0. durability journal: nothing is acknowledged before a majority has it\n"
	  "on disk; in FILE, of journal-size. record: a file, or a block device, that keeps\n"
	  "the generation across a loss of all power, where durability is memory. role\n"
	  "client: no vote and no log, the voters serve it; they need room for clients, and\n"
	  "end what one held when it was silent for the node lease. files: that can be open\n"
	  "here. gid: the Unix group whose files can be attached here, by name or number;\n"
	  "left out, those of whoever can open the device. wire: the newest version of\n"
	  "datagrams it is to speak, 4 or 5; 5 if left out.", NULL },
	{ "form", group_form, "NAME [generation G]",
	  "Begin the group. Once in its life, at one member, with all members\n"
	  "reachable and blank.", NULL },
	{ "resign", group_resign, "NAME",
	  "If this member is the primary, hand over to another one and stay a backup.", NULL },
	{ "reform", group_reform, "NAME [confirm NAME]",
	  "Give up what a lost majority knew and begin again, empty, in the next\n"
	  "generation. Says what will be lost, and asks.", NULL },
	{ "del", group_del, "NAME",
	  "Take this member down; a primary hands over first. Its memory of the group is\n"
	  "gone, and if it is added again the others give it back.", NULL },
	{ 0 },
};

static const struct command member_commands[] = {
	{ "show", member_show, "[group NAME]", "The members, as this one sees them.", NULL },
	{ "add", member_add, "ID ADDR:PORT [role voter|client] group NAME",
	  "Tell a blank member of another voter; all members need the same list of them.\n"
	  "Tell a voter, at any time, of a client, whose id is 8 or more.", NULL },
	{ "del", member_del, "ID group NAME",
	  "Take one off the list of a blank member, or a client off any.", NULL },
	{ 0 },
};

static const struct command counter_commands[] = {
	{ "next", counter_next, "[NAME] [count N] [repeat R] [timeout T] [group G]",
	  "Draw a number nobody else ever gets, and print it. With count N draw a\n"
	  "range, and print its first and last number. With repeat R do that R times.", NULL },
	{ "get", counter_get,
	  "[NAME] [mode log|index|lease|local] [timeout T] [group G]",
	  "Print the newest number that was drawn, 0 for none. local answers at once and\n"
	  "may be old, -j says how old; the others, log if not given, never are.", NULL },
	{ 0 },
};

static const struct command log_commands[] = {
	{ "append", log_append, "[MSG] [timeout T] [group G]",
	  "Append a message and print its sequence. Without MSG each line of standard\n"
	  "input is a message; if MSG is - all of it is one.", NULL },
	{ "tail", log_tail, "[-f] [-j] [from SEQUENCE] [count N] [timeout T] [group G]",
	  "Print the messages kept, the oldest first, each on a line. With -f go on\n"
	  "with new ones. With -j, here or before log, each is a line of JSON.", NULL },
	{ 0 },
};

static const struct command bench_commands[] = {
	{ "next", bench_next,
	  "[NAME] [count N] [threads N] [duration T] [timeout T] [group G]",
	  "How long it takes to draw N numbers, 1 if not given, and how many draws there\n"
	  "are in a second. The counter is \"bench\" if not given.", NULL },
	{ "append", bench_append, "[size SIZE] [threads N] [duration T] [timeout T] [group G]",
	  "The same of messages of SIZE, 64 bytes if not given.", NULL },
	{ "tail", bench_tail, "[size SIZE] [threads N] [duration T] [timeout T] [group G]",
	  "The same, from the begin of an append to when a reader here has the message.", NULL },
	{ 0 },
};

static const struct command journal_commands[] = {
	{ "check", journal_check, "FILE",
	  "What a journal file is worth. Exit code 0 if it is whole, 1 if not. Needs no\n"
	  "module.", NULL },
	{ "dump", journal_dump, "FILE", "The same, and all that is in it.", NULL },
	{ 0 },
};

static const struct command record_commands[] = {
	{ "show", record_show, "FILE", "What the record of a member in FILE says.", NULL },
	{ 0 },
};

static const struct command key_commands[] = {
	{ "set", key_set, "{ FILE | key-name NAME } group NAME",
	  "A second key, with which members may seal, too. First step of changing keys:\n"
	  "at all members.", NULL },
	{ "swap", key_swap, "group NAME",
	  "Seal with the second key from now on. Second step: at one member after the\n"
	  "other, in any order.", NULL },
	{ "del", key_del, "group NAME",
	  "Take the second key, which was the first one, away. Last step: at all members.", NULL },
	{ 0 },
};

static const struct command objects[] = {
	{ "group", group_show, NULL, "groups on this machine", group_commands },
	{ "member", member_show, NULL, "who is in a group", member_commands },
	{ "counter", NULL, NULL, "numbers nobody else ever gets", counter_commands },
	{ "log", NULL, NULL, "messages in one order for all", log_commands },
	{ "record", NULL, NULL, "what a member keeps without memory", record_commands },
	{ "key", NULL, NULL, "change the key of a group", key_commands },
	{ "genkey", key_generate, "", "print a new key", NULL },
	{ "health", health_show, "[group G]",
	  "can operations commit here? Exit code 0 yes, 3 no quorum,\n"
	  "6 recovering, not formed or no group, 7 amnesia or halted", NULL },
	{ "stats", stats_show, "[group G]", "datagrams, drops by reason, and more", NULL },
	{ "status", status_show, "[group G]",
	  "all groups here, a few lines each; exit codes as of health", NULL },
	{ "doctor", doctor_show, "[group G] [watch T]",
	  "what is wrong, since when, and what to do. Exit code 0 nothing,\n"
	  "1 warnings, otherwise as of health. watch: T between two looks\n"
	  "at what is counted, 1s if not given", NULL },
	{ "bench", NULL, NULL, "how fast it is, on the wall clock", bench_commands },
	{ "journal", NULL, NULL, "the file of a member with durability journal",
	  journal_commands },
	{ 0 },
};

static void print_indented(const char *text, const char *first, const char *rest)
{
	size_t bytes = strcspn(text, "\n");

	printf("%s%.*s\n", first, (int)bytes, text);
	if (text[bytes])
		print_indented(text + bytes + 1, rest, rest);
}

static void help_command(const char *object, const struct command *command)
{
	printf("vrseq %s%s%s %s\n", object, *object ? " " : "", command->name,
	       command->usage);
	print_indented(command->help, "    ", "    ");
}

static void help_object(const struct command *object)
{
	const struct command *command;

	if (!object->commands)
		help_command("", object);
	else
		for (command = object->commands; command->name; command++)
			help_command(object->name, command);
	puts("\nvrseq(8) has more.");
}

static void help_all(void)
{
	const struct command *object;
	char first[16];

	puts("vrseq [-j] [-p] [-n NETNS] OBJECT { COMMAND | help }\n"
	     "vrseq                  show all groups\n");
	for (object = objects; object->name; object++) {
		snprintf(first, sizeof(first), "  %-9s", object->name);
		print_indented(object->help, first, "           ");
	}
	puts("\n"
	     "  -j, --json         machine-readable output\n"
	     "  -p, --pretty       indent it\n"
	     "  -n, --netns NETNS  act in a network namespace of ip-netns(8)\n"
	     "  -V, --version      print the version\n"
	     "  -h, --help         print this\n"
	     "\nvrseq(8) has more.");
}

static bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* The entry of this name, or the only one that begins like it. */
static const struct command *find(const struct command *table, const char *word,
				  bool *ambiguous)
{
	const struct command *found = NULL;

	*ambiguous = false;
	for (; table->name; table++) {
		if (!*word || strncmp(table->name, word, strlen(word)))
			continue;
		if (!strcmp(table->name, word)) {
			*ambiguous = false;
			return table;
		}
		*ambiguous = found;
		found = table;
	}
	return *ambiguous ? NULL : found;
}

static int run_object(const struct command *object, int argc, char **argv)
{
	const struct command *command;
	char hint[64];
	bool ambiguous;

	if (argc && is_help(*argv)) {
		help_object(object);
		return EXIT_OK;
	}
	if (!object->commands)
		return object->run(argc, argv);
	if (!argc && object->run)
		return object->run(0, argv);
	snprintf(hint, sizeof(hint), "vrseq %s help", object->name);
	if (!argc)
		return usage_error(hint, "%s needs a command", object->name);
	command = find(object->commands, *argv, &ambiguous);
	if (!command)
		return usage_error(hint, ambiguous ? "%s '%s' could be several commands" :
				   "%s has no command '%s'", object->name, *argv);
	argc--;
	argv++;
	/* alone: "log append message help" appends the word */
	if (argc == 1 && is_help(*argv)) {
		help_command(object->name, command);
		return EXIT_OK;
	}
	return command->run(argc, argv);
}

static int run(int argc, char **argv)
{
	const struct command *object;
	bool ambiguous;

	if (!argc)
		return group_show(0, argv);
	if (is_help(*argv)) {
		help_all();
		return EXIT_OK;
	}
	object = find(objects, *argv, &ambiguous);
	if (!object)
		return usage_error("vrseq help", ambiguous ? "'%s' could be several objects" :
				   "No object '%s'", *argv);
	return run_object(object, argc - 1, argv + 1);
}

/* As "ip -n" does; a name with a slash is a path, like /proc/PID/ns/net. */
static int enter_netns(const char *name)
{
	static const char *const formats[] = { "/run/netns/%s", "/var/run/netns/%s" };
	char path[PATH_MAX];
	int fd = -1, error;
	size_t i;

	if (!*name)
		return usage_error("vrseq help", "-n needs a name");
	if (strchr(name, '/'))
		fd = open(name, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(formats) && fd < 0 && !strchr(name, '/'); i++) {
		snprintf(path, sizeof(path), formats[i], name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return fail(EXIT_FAILED, strerror(errno), "ip netns list",
			    "No network namespace '%s'", name);
	error = setns(fd, CLONE_NEWNET) ? errno : 0;
	close(fd);
	if (error)
		return fail(EXIT_FAILED, strerror(error), NULL,
			    "Cannot enter network namespace '%s'", name);
	return EXIT_OK;
}

/* Output that could not be written is a failure like any other. */
static int flush(int code)
{
	if (!fflush(stdout) && !ferror(stdout))
		return code;
	return fail(EXIT_FAILED, strerror(errno), NULL, "Cannot write standard output");
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "netns", required_argument, NULL, 'n' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *netns = NULL;
	int code, option;

	/* each result is out before the next operation begins */
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((option = getopt_long(argc, argv, "+jpn:Vh", long_options, NULL)) >= 0) {
		switch (option) {
		case 'j':
			options.json = true;
			break;
		case 'p':
			options.pretty = true;
			break;
		case 'n':
			netns = optarg;
			break;
		case 'V':
			puts("vrseq " VRSEQ_VERSION);
			return flush(EXIT_OK);
		case 'h':
			help_all();
			return flush(EXIT_OK);
		default:
			return EXIT_USAGE;
		}
	}
	if (netns) {
		code = enter_netns(netns);
		if (code)
			return code;
	}
	return flush(run(argc - optind, argv + optind));
}
