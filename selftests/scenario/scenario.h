/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stories: the simulator's replicas, disks and checkers, with the network, the
 * clock and the clients led by hand.
 *
 *	main.c		script files, golden lines, verdicts
 *	story.c		the words of a script
 *	people.c	those about clients
 *	link.c		what happens to messages
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "sim.h"

#define STORY_RULES_MAX		64
#define STORY_HELD_MAX		256
#define STORY_KEPT_MAX		8
#define STORY_CLIENTS_MAX	8
#define STORY_ANY		0xff
#define STORY_UNTIL_NS		(60 * SIM_NS_PER_S)

enum rule_action {
	RULE_DROP,		/* silently: a cut link */
	RULE_LOSE,		/* so many of them, and say so */
	RULE_HOLD,		/* until they are released */
};

/** struct match - a type of message on a link, each STORY_ANY or one of them */
struct match {
	u8 type;
	u8 from;
	u8 to;
};

struct rule {
	struct match match;
	enum rule_action action;
	u32 count;		/* LOSE: how many more */
};

/** struct parcel - a message that is not under way */
struct parcel {
	bool used;
	char name[16];		/* of a kept one */
	u8 type;
	u8 from;
	u8 to;
	u8 *bytes;
	u32 byte_count;
};

struct story {
	struct sim sim;
	FILE *out;		/* what a command makes happen */
	bool failed;		/* an expectation was not met */
	bool shown[VR_TYPE_COUNT];
	struct rule rules[STORY_RULES_MAX];	/* the newest that matches decides */
	u32 rule_count;
	struct parcel held[STORY_HELD_MAX];
	u32 held_count;
	struct parcel kept[STORY_KEPT_MAX];
	struct parcel last[VR_TYPE_COUNT][SIM_NODES][SIM_NODES];
	struct vr_info told[SIM_NODES];	/* as the script was told last */
	struct vr_done answers[STORY_CLIENTS_MAX];
	bool disk_stopped[SIM_NODES];
	u64 requests[STORY_CLIENTS_MAX];	/* newest of a session */
};

/* The one being told: clients' answers come back without a handle to it. */
extern struct story *story;

/* link.c */
bool link_on_send(struct sim *sim, u8 from, u8 to, const struct vr_message *m);
bool link_add_rule(const struct match *match, enum rule_action action, u32 count);
void link_pass(const struct match *match);
u32 link_release(const struct match *match);
bool link_keep(const struct match *match, const char *name);
bool link_replay(const char *name);
void link_free(void);

/* story.c */
void story_begin(FILE *out);
bool story_command(char *line);
void story_end(void);
__attribute__((format(printf, 1, 2)))
void story_say(const char *format, ...);
__attribute__((format(printf, 1, 2)))
bool story_wrong(const char *format, ...);
unsigned long long story_count(u64 number);
bool story_number(const char *word, u64 *number);
struct sim_node *story_node(const char *word);
bool story_step(u64 end_ns);

/* people.c */
bool people_begin(char **words);
bool people_thread(char **words);
bool people_next(char **words);
bool people_append(char **words);
bool people_get(char **words);
bool people_again(char **words);
bool people_settle(char **words);
bool people_end(char **words);
bool people_burst(char **words);
bool people_answer(char **words);

#endif /* SCENARIO_H */
