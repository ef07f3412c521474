// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq doctor: what is wrong here, since when, and what to do about it. It only
 * looks: at what the kernel tells of groups, at two moments for what is counted,
 * at the device and at the machine. It changes nothing and sends no datagram.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "doctor.h"
#include "stats.h"

#define WATCH_DEFAULT_NS NS_PER_SECOND
#define WATCH_MAX_NS (3600 * NS_PER_SECOND)

static const char *const severities[SEVERITY_COUNT] = {
	[SEVERITY_SERIOUS] = "serious",
	[SEVERITY_WARNING] = "warning",
	[SEVERITY_NOTE] = "note",
};

/* --- findings --- */

struct finding *find(struct doctor *doctor, const struct group *group,
		     enum severity severity, const char *what, const char *format, ...)
{
	struct finding *finding = calloc(1, sizeof(*finding));
	va_list arguments;

	if (!finding)
		exit(fail(EXIT_FAILED, strerror(ENOMEM), NULL, "Cannot keep what was found"));
	finding->severity = severity;
	finding->what = what;
	finding->code = severity == SEVERITY_NOTE ? EXIT_OK : EXIT_FAILED;
	if (group)
		snprintf(finding->group, sizeof(finding->group), "%s",
			 attr_string(group->attr[VRSEQ_A_NAME]));
	va_start(arguments, format);
	vsnprintf(finding->text, sizeof(finding->text), format, arguments);
	va_end(arguments);
	if (!doctor->last)
		doctor->last = &doctor->first;
	*doctor->last = finding;
	doctor->last = &finding->next;
	return finding;
}

void advise(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(finding->advice, sizeof(finding->advice), format, arguments);
	va_end(arguments);
}

void set_age(struct finding *finding, uint64_t age_ns)
{
	finding->has_age = true;
	finding->age_ns = age_ns;
}

enum exit_code doctor_code(const struct doctor *doctor)
{
	const struct finding *finding;
	enum exit_code code = EXIT_OK;

	for (finding = doctor->first; finding; finding = finding->next) {
		if (finding->code > code)
			code = finding->code;
	}
	return code;
}

void doctor_free(struct doctor *doctor)
{
	struct finding *next;

	for (; doctor->first; doctor->first = next) {
		next = doctor->first->next;
		free(doctor->first);
	}
}

/* --- the device and the machine --- */

void doctor_device(struct doctor *doctor, const char *root)
{
	struct finding *finding;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/vrseq", root);
	if (!faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS))
		return;
	if (errno == EACCES || errno == EPERM) {
		finding = find(doctor, NULL, SEVERITY_WARNING, "device-permission",
			       "whoever runs this may not use /dev/vrseq");
		advise(finding, "join the unix group vrseq, or be root");
		return;
	}
	finding = find(doctor, NULL, SEVERITY_SERIOUS, "device-missing",
		       "the module is there, and no /dev/vrseq: %s", strerror(errno));
	finding->code = EXIT_NOT_YET;
	advise(finding, "is devtmpfs mounted at /dev, and is the device let into this container?");
}

enum answer {
	ANSWER_NO,
	ANSWER_YES,
	ANSWER_UNKNOWN,		/* there was nothing to look at */
};

/* Does the first line of a file that begins with @begin, or any line, have @word? */
static enum answer file_has(const char *root, const char *path, const char *begin,
			    const char *word)
{
	enum answer answer = ANSWER_UNKNOWN;
	char *line = NULL, full[PATH_MAX];
	size_t bytes = 0;
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "re");
	if (!file)
		return ANSWER_UNKNOWN;
	while (answer == ANSWER_UNKNOWN && getline(&line, &bytes, file) > 0) {
		if (!strncmp(line, begin, strlen(begin)))
			answer = strcasestr(line, word) ? ANSWER_YES : ANSWER_NO;
	}
	free(line);
	fclose(file);
	return answer;
}

/* What the processor says counts most: it is what the module goes by. */
static enum answer is_virtual(const char *root)
{
	static const char *const vendors[] = {
		"QEMU", "KVM", "Xen", "VMware", "VirtualBox", "innotek", "Amazon EC2",
		"Google Compute", "OpenStack", "Virtual Machine", "Parallels",
	};
	enum answer answer = file_has(root, "/proc/cpuinfo", "flags", " hypervisor");
	size_t i;

	if (answer != ANSWER_UNKNOWN)
		return answer;
	if (file_has(root, "/sys/hypervisor/type", "", "") == ANSWER_YES)
		return ANSWER_YES;
	for (i = 0; i < ARRAY_SIZE(vendors); i++) {
		if (file_has(root, "/sys/class/dmi/id/sys_vendor", "", vendors[i]) == ANSWER_YES ||
		    file_has(root, "/sys/class/dmi/id/product_name", "", vendors[i]) ==
		    ANSWER_YES)
			return ANSWER_YES;
	}
	return ANSWER_UNKNOWN;
}

/* Under the names by which kmod/vmgen.c looks for it. */
static enum answer has_vmgenid(const char *root)
{
	enum answer answer = ANSWER_NO;
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *devices;

	snprintf(path, sizeof(path), "%s/sys/bus", root);
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return ANSWER_UNKNOWN;
	snprintf(path, sizeof(path), "%s/sys/bus/acpi/devices", root);
	devices = opendir(path);
	if (!devices)
		return errno == ENOENT ? ANSWER_NO : ANSWER_UNKNOWN;
	while (answer == ANSWER_NO && (entry = readdir(devices))) {
		snprintf(path, sizeof(path), "/sys/bus/acpi/devices/%s/modalias", entry->d_name);
		if (file_has(root, path, "", "VM_GEN_COUNTER") == ANSWER_YES ||
		    file_has(root, path, "", "VMGENCTR") == ANSWER_YES)
			answer = ANSWER_YES;
	}
	closedir(devices);
	return answer;
}

void doctor_machine(struct doctor *doctor, const char *root)
{
	enum answer virtual = is_virtual(root);
	enum answer told = virtual == ANSWER_NO ? ANSWER_YES : has_vmgenid(root);
	struct finding *finding;

	if (told == ANSWER_YES)
		return;
	if (virtual == ANSWER_UNKNOWN || told == ANSWER_UNKNOWN) {
		finding = find(doctor, NULL, SEVERITY_NOTE, "rollback-unknown",
			       "could not tell whether this machine would be told that it was put "
			       "back to a snapshot");
		advise(finding, "if it is virtual, see that it has a VM generation id");
		return;
	}
	finding = find(doctor, NULL, SEVERITY_NOTE, "no-vmgenid",
		       "a virtual machine without a VM generation id: nothing tells it that it was "
		       "put back to a snapshot but a stop of more than 10 s");
	advise(finding, "give it one (QEMU: -device vmgenid), and do not go back to snapshots of "
	       "it");
}

/* --- printing --- */

static void print_line(const struct finding *finding)
{
	printf("%s: %s%s%s. Do: %s\n", severities[finding->severity], finding->group,
	       *finding->group ? ": " : "", finding->text, finding->advice);
}

void doctor_print(const struct doctor *doctor)
{
	const struct finding *finding;
	int severity;

	for (severity = 0; severity < SEVERITY_COUNT; severity++) {
		for (finding = doctor->first; finding; finding = finding->next) {
			if ((int)finding->severity == severity)
				print_line(finding);
		}
	}
	if (doctor_code(doctor) == EXIT_OK)
		puts("nothing wrong");
}

static void json_known_u64(struct json *json, const char *key, bool known, uint64_t value)
{
	if (known)
		json_u64(json, key, value);
	else
		json_null(json, key);
}

static void json_known_string(struct json *json, const char *key, const char *text)
{
	if (*text)
		json_string(json, key, text);
	else
		json_null(json, key);
}

static void print_finding_json(struct json *json, const struct finding *finding)
{
	json_open(json, NULL, '{');
	json_string(json, "severity", severities[finding->severity]);
	json_string(json, "finding", finding->what);
	json_known_string(json, "group", finding->group);
	json_known_u64(json, "member_id", finding->member, finding->member);
	json_known_u64(json, "age_ns", finding->has_age, finding->age_ns);
	json_known_u64(json, "count", finding->counted, finding->count);
	json_known_u64(json, "recent", finding->counted, finding->recent);
	json_string(json, "text", finding->text);
	json_string(json, "advice", finding->advice);
	json_close(json, '}');
}

void doctor_print_json(const struct doctor *doctor, struct json *json)
{
	const struct finding *finding;
	int severity;

	json_open(json, NULL, '[');
	for (severity = 0; severity < SEVERITY_COUNT; severity++) {
		for (finding = doctor->first; finding; finding = finding->next) {
			if ((int)finding->severity == severity)
				print_finding_json(json, finding);
		}
	}
	json_close(json, ']');
}

/* --- the command --- */

/* Of each group the counters, once more into the same place. */
struct look {
	struct counters *first;
	bool again;
};

static struct counters *counters_of(struct look *look, const char *group)
{
	struct counters *seen;

	for (seen = look->first; seen; seen = seen->next) {
		if (!strcmp(seen->group, group))
			return seen;
	}
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return NULL;
	snprintf(seen->group, sizeof(seen->group), "%s", group);
	seen->next = look->first;
	look->first = seen;
	return seen;
}

static int take_counters(const struct nlmsghdr *nlh, void *data)
{
	struct look *look = data;
	struct counters *seen = counters_of(look, stats_group(nlh));

	if (!seen)
		return MNL_CB_ERROR;
	return counters_take(nlh, look->again ? seen->after : seen->before);
}

static int look_at_counters(struct nl *nl, const char *name, struct look *look)
{
	struct nlmsghdr *nlh;
	int error;

	nlh = nl_request(nl, VRSEQ_CMD_STATS_GET, name ? NLM_F_ACK : NLM_F_DUMP);
	if (name)
		mnl_attr_put_strz(nlh, VRSEQ_A_NAME, name);
	error = nl_talk(nl, nlh, take_counters, look);
	/* a list of groups that changed meanwhile is as good */
	return error == -EINTR ? 0 : error;
}

static void wait_for(uint64_t ns)
{
	struct timespec left = { ns / NS_PER_SECOND, ns % NS_PER_SECOND };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

static void find_no_group(struct doctor *doctor, const char *name)
{
	struct finding *finding;

	finding = find(doctor, NULL, SEVERITY_SERIOUS, "no-group", name ?
		       "no group %s in this network namespace" :
		       "no group%s in this network namespace", name ? name : "");
	finding->code = EXIT_NOT_YET;
	advise(finding, "vrseq group add; or, with -n NETNS, look into the right one");
}

/* Return: 0, or a negative errno that is no finding. */
static int look_at_groups(struct doctor *doctor, struct nl *nl, const char *name)
{
	const struct group *group;
	struct look look = { 0 };
	struct group *groups;
	struct counters *next;
	int error;

	error = look_at_counters(nl, name, &look);
	if (!error && look.first && doctor->watch_ns)
		wait_for(doctor->watch_ns);
	look.again = true;
	if (!error)
		error = look_at_counters(nl, name, &look);
	if (!error)
		error = groups_ask(nl, name, &groups);
	if (!error) {
		for (group = groups; group; group = group->next) {
			doctor_group(doctor, group);
			for (next = look.first; next; next = next->next) {
				if (!strcmp(next->group, attr_string(group->attr[VRSEQ_A_NAME])))
					doctor_counters(doctor, group, next);
			}
		}
		if (!groups)
			find_no_group(doctor, NULL);
		groups_free(groups);
	}
	for (; look.first; look.first = next) {
		next = look.first->next;
		free(look.first);
	}
	return error;
}

/* Return: EXIT_OK, or the exit code of an error that was printed. */
static int examine(struct doctor *doctor, const char *name)
{
	struct finding *finding;
	struct nl nl;
	int error;

	error = nl_connect(&nl);
	if (error == -ENOENT) {
		finding = find(doctor, NULL, SEVERITY_SERIOUS, "module-missing",
			       "the module is not loaded");
		finding->code = EXIT_NOT_YET;
		advise(finding, "modprobe vrseq");
		return EXIT_OK;
	}
	if (error)
		return fail(EXIT_FAILED, strerror(-error), NULL, "Cannot use netlink");
	doctor_device(doctor, "");
	doctor_machine(doctor, "");
	error = look_at_groups(doctor, &nl, name);
	if (error == -ENOENT) {
		find_no_group(doctor, name);
		error = 0;
	}
	if (error)
		error = fail(exit_code_of(error), nl_why(&nl, error), "vrseq group show",
			     "Cannot look at the groups");
	nl_close(&nl);
	return error;
}

int doctor_show(int argc, char **argv)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	struct doctor doctor = { .watch_ns = WATCH_DEFAULT_NS };
	const char *name = NULL;
	struct arg args[] = {
		ARG("group", ARG_STRING, &name),
		ARG_IN("watch", ARG_TIME, &doctor.watch_ns, 0, WATCH_MAX_NS,
		       .text = "at most 1 h"),
		{ 0 },
	};
	int code;

	code = args_parse(argc, argv, args, "vrseq doctor help");
	if (code)
		return code;
	code = examine(&doctor, name);
	if (!code) {
		if (options.json)
			doctor_print_json(&doctor, &json);
		else
			doctor_print(&doctor);
		code = doctor_code(&doctor);
	}
	doctor_free(&doctor);
	return code;
}
