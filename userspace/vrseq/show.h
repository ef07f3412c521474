/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups as the kernel describes them: asked for, checked once, then printed
 * by whoever wants a part of it.
 */
#ifndef VRSEQ_SHOW_H
#define VRSEQ_SHOW_H

#include "json.h"
#include "nl.h"
#include "tool.h"

/* One GROUP_GET answer; the attributes point into @message, its own copy. */
struct group {
	struct group *next;
	const struct nlattr *attr[VRSEQ_A_MAX + 1];
	const struct nlattr *members[VRSEQ_MEMBERS_MAX][VRSEQ_A_MEMBER_MAX + 1];
	unsigned int member_count;
	char message[];
};

/* All groups, or the one of @name. Prints its error. Return: exit code. */
int groups_get(const char *name, struct group **groups);
void groups_free(struct group *groups);

/* The same, but prints nothing. Return: 0 or a negative errno. */
int groups_ask(struct nl *nl, const char *name, struct group **groups);

/* For tests: an answer to a group; NULL with errno set if it is malformed. */
struct group *group_decode(const struct nlmsghdr *nlh);

/* Absent attributes read as 0 and "". */
uint64_t attr_u64(const struct nlattr *attr);
const char *attr_string(const struct nlattr *attr);
const char *state_name(const struct nlattr *state);

/* Ready, or why not; the exit code of "vrseq health". */
enum exit_code group_health(const struct group *group);

/* The same in a word or two, in capitals. */
const char *group_headline(const struct group *group);

/* Entries a member lacks of the newest that is known of; it must have said what it holds. */
uint64_t member_behind(const struct group *group, const struct nlattr *const *member);

const char *time_text(uint64_t ns, char *text, size_t bytes);
void messages_print(uint64_t first, uint64_t last);
void group_print_json(struct json *json, const struct group *group);
void group_print(const struct group *group);
void members_print_json(struct json *json, const struct group *group);
void members_print(const struct group *group);

/** roles - by enum vrseq_role, NULL-terminated */
extern const char *const roles[];

#endif /* VRSEQ_SHOW_H */
