/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the vrseq tool share: options, exit codes, errors, the
 * parser of arguments and the commands themselves. Each noun of the command
 * line is a file of its own; netlink is nl.h, JSON is json.h.
 */
#ifndef VRSEQ_TOOL_H
#define VRSEQ_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vrseq.h>

#define __printf(format, first) __attribute__((__format__(__printf__, format, first)))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_SECOND UINT64_C(1000000000)

struct options {
	bool json;
	bool pretty;
};

extern struct options options;

/* Part of the interface, see vrseq(8). */
enum exit_code {
	EXIT_OK			= 0,
	EXIT_FAILED		= 1,
	EXIT_USAGE		= 2,
	EXIT_NO_QUORUM		= 3,
	EXIT_UNKNOWN_OUTCOME	= 5,
	EXIT_NOT_YET		= 6,	/* no module, no group, not formed, recovering */
	EXIT_HALTED		= 7,
};

/* fail.c: all of them print on stderr and return the exit code */
enum exit_code exit_code_of(int error);
__printf(4, 5)
int fail(enum exit_code code, const char *why, const char *hint,
	 const char *format, ...);
__printf(2, 3)
int usage_error(const char *hint, const char *format, ...);

/* args.c */

/*
 * A part of the command line: a word and its value, or a value alone. A table
 * of them ends with an element without a word.
 */
enum arg_kind {
	ARG_STRING,		/* const char * */
	ARG_COUNT,		/* uint64_t, min to max */
	ARG_TIME,		/* uint64_t ns, min to max; needs a unit but for 0 */
	ARG_SIZE,		/* uint64_t bytes, min to max; K, M, G are 1024s */
	ARG_ENDPOINT,		/* struct endpoint */
	ARG_UUID,		/* uint8_t[UUID_BYTES] */
	ARG_GID,		/* uint32_t: a Unix group, by name or number */
	ARG_WORD,		/* one word: @text; nothing is stored */
	ARG_CHOICE,		/* uint32_t: place of one of @words; the last one takes @of */
	ARG_FLAG,		/* the keyword alone */
	ARG_REFUSED,		/* known, but not in this version: @text says why */
};

#define UUID_BYTES 16
#define IPV4_BYTES 4
#define IPV6_BYTES 16

struct endpoint {
	bool ipv6;
	uint8_t address[IPV6_BYTES]; /* as on the wire */
	uint16_t port;		/* in host order */
};

struct arg {
	const char *word;
	enum arg_kind kind;
	void *value;
	uint64_t min;
	uint64_t max;
	const char *text;
	const char *const *words; /* ends with NULL */
	const char **of;	/* receives the value after the last word, if not NULL */
	bool positional;	/* @word may be left out, in the table's order */
	bool required;
	bool given;		/* out */
};

#define ARG(word_, kind_, value_, ...) \
	{ .word = word_, .kind = kind_, .value = value_, __VA_ARGS__ }
#define ARG_IN(word_, kind_, value_, min_, max_, ...) \
	ARG(word_, kind_, value_, .min = min_, .max = max_, __VA_ARGS__)

bool parse_count(const char *text, uint64_t *value);
bool parse_time(const char *text, uint64_t *ns);
bool parse_size(const char *text, uint64_t *bytes);
bool parse_endpoint(const char *text, struct endpoint *endpoint);
bool parse_gid(const char *text, uint32_t *gid);
bool parse_uuid(const char *text, uint8_t *uuid);
int args_parse(int argc, char **argv, struct arg *args, const char *hint);

/* device.c: what counter and log share */
#define TIMEOUT_DEFAULT_NS (10 * NS_PER_SECOND)

int device_open(const char *group, int flags, struct vrseq **handle);
uint64_t device_deadline(uint64_t timeout_ns);
int device_fail(struct vrseq *handle, int error,
		const struct vrseq_result *result, const char *what);

/* key.c */
#define KEY_BYTES 32

void key_text(const uint8_t *key, char *text);
bool key_parse(const char *text, size_t bytes, uint8_t *key);
int key_read(const char *path, uint8_t *key);

/* The nouns. argv[0] is the first word after the command. */
int group_add(int argc, char **argv);
int group_form(int argc, char **argv);
int group_show(int argc, char **argv);
int group_resign(int argc, char **argv);
int group_reform(int argc, char **argv);
int group_del(int argc, char **argv);
int member_add(int argc, char **argv);
int member_del(int argc, char **argv);
int member_show(int argc, char **argv);
int counter_next(int argc, char **argv);
int counter_get(int argc, char **argv);
int log_append(int argc, char **argv);
int log_tail(int argc, char **argv);
int record_show(int argc, char **argv);
int key_generate(int argc, char **argv);
int key_set(int argc, char **argv);
int key_swap(int argc, char **argv);
int key_del(int argc, char **argv);
int health_show(int argc, char **argv);
int stats_show(int argc, char **argv);
int status_show(int argc, char **argv);
int doctor_show(int argc, char **argv);
int bench_next(int argc, char **argv);
int bench_append(int argc, char **argv);
int bench_tail(int argc, char **argv);
int journal_check(int argc, char **argv);
int journal_dump(int argc, char **argv);

#endif /* VRSEQ_TOOL_H */
