/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What vrseq doctor finds wrong, apart from how it is asked for and printed: for
 * the command, and for tests, which have answers and machines of their own.
 */
#ifndef VRSEQ_DOCTOR_H
#define VRSEQ_DOCTOR_H

#include "show.h"

/** enum severity - how bad a finding is; in the order in which they are printed */
enum severity {
	SEVERITY_SERIOUS,	/* this member does not work; has an exit code of its own */
	SEVERITY_WARNING,	/* it works, and something is wrong */
	SEVERITY_NOTE,		/* chosen, or over, but good to know; no exit code */
	SEVERITY_COUNT
};

/**
 * struct finding - one line of the doctor's
 * @what:	its name, part of the interface as a JSON key is
 * @code:	exit code it asks for
 * @member:	whose id it is about, 0 = nobody's
 * @has_age:	@age_ns says for how long
 * @counted:	@count says how often since the group was added here, @recent how often
 *		in the time watched
 * @text:	what is wrong
 * @advice:	what to do
 */
struct finding {
	struct finding *next;
	const char *what;
	enum severity severity;
	enum exit_code code;
	char group[VRSEQ_GROUP_NAME_BYTES];
	uint64_t member;
	bool has_age;
	uint64_t age_ns;
	bool counted;
	uint64_t count;
	uint64_t recent;
	char text[256];
	char advice[256];
};

/* Finds things. All zeroes, and freed at the end. */
struct doctor {
	struct finding *first;
	struct finding **last;
	uint64_t watch_ns;	/* between two looks at the counters, 0 = there was one */
};

/*
 * One more. @group: NULL = of the machine. A warning asks for EXIT_FAILED; a serious
 * one too, until the caller says better.
 */
__printf(5, 6)
struct finding *find(struct doctor *doctor, const struct group *group,
		     enum severity severity, const char *what, const char *format, ...);
__printf(2, 3)
void advise(struct finding *finding, const char *format, ...);
void set_age(struct finding *finding, uint64_t age_ns);

/* Two looks at the counters of a group, by their place in the doctor's table. */
#define DOCTOR_COUNTERS_MAX 32

struct counters {
	struct counters *next;
	char group[VRSEQ_GROUP_NAME_BYTES];
	uint64_t before[DOCTOR_COUNTERS_MAX];
	uint64_t after[DOCTOR_COUNTERS_MAX];
};

/* Of one answer to STATS_GET: MNL_CB_OK, or MNL_CB_ERROR with errno set. */
int counters_take(const struct nlmsghdr *nlh, uint64_t *values);

/* Each looks at one thing; @root stands before all paths, "" for this machine. */
void doctor_device(struct doctor *doctor, const char *root);
void doctor_machine(struct doctor *doctor, const char *root);
void doctor_group(struct doctor *doctor, const struct group *group);
void doctor_counters(struct doctor *doctor, const struct group *group,
		     const struct counters *counters);

/* The worst of what was found, as an exit code. */
enum exit_code doctor_code(const struct doctor *doctor);

void doctor_print(const struct doctor *doctor);
void doctor_print_json(const struct doctor *doctor, struct json *json);
void doctor_free(struct doctor *doctor);

#endif /* VRSEQ_DOCTOR_H */
