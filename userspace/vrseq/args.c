// SPDX-License-Identifier: GPL-2.0
/*
 * The words of a command, from a table to typed values. Strict: the whole text
 * must be the value, nothing may overflow, a word may come once. Knows the
 * grammar and no command.
 *
 * A token that is a word of the table is that word. Any other token is the
 * next positional argument; to give one a value that is also a word, write
 * the positional's own word before it (counter next name count).
 */
#include <arpa/inet.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit time_units[] = {
	{ "ns", 1 }, { "us", 1000 }, { "ms", NS_PER_MS }, { "s", NS_PER_SECOND },
};

static const struct unit size_units[] = {
	{ "", 1 }, { "K", 1ull << 10 }, { "M", 1ull << 20 }, { "G", 1ull << 30 },
};

/* Digits at *@text; moves it past them. */
static bool parse_digits(const char **text, uint64_t *value)
{
	const char *start = *text;
	unsigned int digit;

	*value = 0;
	for (; **text >= '0' && **text <= '9'; (*text)++) {
		digit = **text - '0';
		if (__builtin_mul_overflow(*value, 10, value) ||
		    __builtin_add_overflow(*value, digit, value))
			return false;
	}
	return *text != start;
}

static bool parse_units(const char *text, uint64_t *value,
			const struct unit *units, size_t count)
{
	size_t i;

	if (!parse_digits(&text, value))
		return false;
	for (i = 0; i < count; i++) {
		if (!strcmp(text, units[i].name))
			return !__builtin_mul_overflow(*value, units[i].factor,
						       value);
	}
	return false;
}

bool parse_count(const char *text, uint64_t *value)
{
	return parse_digits(&text, value) && !*text;
}

bool parse_time(const char *text, uint64_t *ns)
{
	if (!strcmp(text, "0")) {
		*ns = 0;
		return true;
	}
	return parse_units(text, ns, time_units, ARRAY_SIZE(time_units));
}

bool parse_size(const char *text, uint64_t *bytes)
{
	return parse_units(text, bytes, size_units, ARRAY_SIZE(size_units));
}

/* ADDRESS:PORT of IPv4, [ADDRESS]:PORT of IPv6. */
bool parse_endpoint(const char *text, struct endpoint *endpoint)
{
	bool ipv6 = *text == '[';
	const char *start = text + ipv6, *end = strchr(start, ipv6 ? ']' : ':');
	char address[INET6_ADDRSTRLEN];
	uint64_t port;

	if (!end || (size_t)(end - start) >= sizeof(address))
		return false;
	memcpy(address, start, end - start);
	address[end - start] = '\0';
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address, endpoint->address) != 1)
		return false;
	end += ipv6;
	if (*end != ':' || !parse_count(end + 1, &port) || !port || port > UINT16_MAX)
		return false;
	endpoint->ipv6 = ipv6;
	endpoint->port = port;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Hyphens stand before these bytes and nowhere else. */
static bool hyphen_before(size_t byte)
{
	return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

bool parse_uuid(const char *text, uint8_t *uuid)
{
	int high, low;
	size_t i;

	for (i = 0; i < UUID_BYTES; i++) {
		if (hyphen_before(i) && *text++ != '-')
			return false;
		high = hex_digit(*text);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return false;
		uuid[i] = high << 4 | low;
		text += 2;
	}
	return !*text;
}

/* A name of digits is what the system's tools take it for: a name, if there is one. */
bool parse_gid(const char *text, uint32_t *gid)
{
	const struct group *entry = getgrnam(text);
	uint64_t number;

	if (entry) {
		*gid = entry->gr_gid;
		return true;
	}
	/* The largest one says "none" to chown(2) and the like. */
	if (!parse_count(text, &number) || number >= UINT32_MAX)
		return false;
	*gid = number;
	return true;
}

static int parse_number(struct arg *arg, const char *text, const char *hint)
{
	static const struct {
		bool (*parse)(const char *text, uint64_t *value);
		const char *what;
	} kinds[] = {
		[ARG_COUNT] = { parse_count, "a number" },
		[ARG_TIME] = { parse_time, "a time like 500us, 20ms or 3s" },
		[ARG_SIZE] = { parse_size, "a size like 4096, 64K or 16M" },
	};
	uint64_t value;

	if (!kinds[arg->kind].parse(text, &value))
		return usage_error(hint, "%s must be %s, not '%s'", arg->word,
				   kinds[arg->kind].what, text);
	if (value < arg->min || value > arg->max)
		return usage_error(hint, "%s must be %" PRIu64 " to %" PRIu64 "%s, not '%s'",
				   arg->word, arg->min, arg->max,
				   arg->kind == ARG_TIME ? " ns" : "", text);
	*(uint64_t *)arg->value = value;
	return 0;
}

static int parse_choice(struct arg *arg, const char *text, const char *hint)
{
	const char *const *words = arg->words;
	char choice[128] = "";
	size_t i, bytes = 0;

	for (i = 0; words[i]; i++) {
		if (!strcmp(words[i], text)) {
			*(uint32_t *)arg->value = i;
			return 0;
		}
		bytes += snprintf(choice + bytes, sizeof(choice) - bytes, "%s%s",
				  !i ? "" : words[i + 1] ? ", " : " or ", words[i]);
	}
	return usage_error(hint, "%s must be %s, not '%s'", arg->word, choice, text);
}

static int parse_value(struct arg *arg, const char *text, const char *hint)
{
	switch (arg->kind) {
	case ARG_STRING:
		*(const char **)arg->value = text;
		return 0;
	case ARG_WORD:
		if (strcmp(text, arg->text))
			return usage_error(hint, "%s can only be '%s' in this version, not '%s'",
					   arg->word, arg->text, text);
		return 0;
	case ARG_CHOICE:
		return parse_choice(arg, text, hint);
	case ARG_ENDPOINT:
		if (!parse_endpoint(text, arg->value))
			return usage_error(hint,
					   "%s must be ADDRESS:PORT like 10.0.0.1:7400 or [fd00::1]:7400, not '%s'",
					   arg->word, text);
		return 0;
	case ARG_UUID:
		if (!parse_uuid(text, arg->value))
			return usage_error(hint,
					   "%s must be 8-4-4-4-12 hexadecimal digits, not '%s'",
					   arg->word, text);
		return 0;
	case ARG_GID:
		if (!parse_gid(text, arg->value))
			return usage_error("getent group", "%s: there is no Unix group '%s'",
					   arg->word, text);
		return 0;
	default:
		return parse_number(arg, text, hint);
	}
}

static struct arg *find_arg(struct arg *args, const char *token, bool *has_word)
{
	struct arg *arg;

	*has_word = true;
	for (arg = args; arg->word; arg++) {
		if (!strcmp(token, arg->word))
			return arg;
	}
	*has_word = false;
	for (arg = args; arg->word; arg++) {
		if (arg->positional && !arg->given)
			return arg;
	}
	return NULL;
}

/* "journal PATH": the word that takes a value was chosen. */
static bool takes_value(const struct arg *arg)
{
	return arg->kind == ARG_CHOICE && arg->of && !arg->words[*(uint32_t *)arg->value + 1];
}

int args_parse(int argc, char **argv, struct arg *args, const char *hint)
{
	struct arg *arg;
	bool has_word;
	int error;

	while (argc > 0) {
		arg = find_arg(args, *argv, &has_word);
		if (!arg)
			return usage_error(hint, "Did not expect '%s'", *argv);
		if (arg->kind == ARG_REFUSED)
			return usage_error(hint, "%s: %s", arg->word, arg->text);
		if (arg->given)
			return usage_error(hint, "%s was given twice", arg->word);
		arg->given = true;
		if (has_word) {
			argc--;
			argv++;
			if (arg->kind == ARG_FLAG)
				continue;
			if (!argc)
				return usage_error(hint, "%s needs a value", arg->word);
		}
		error = parse_value(arg, *argv, hint);
		if (error)
			return error;
		argc--;
		argv++;
		if (!takes_value(arg))
			continue;
		if (!argc)
			return usage_error(hint, "%s needs a value", argv[-1]);
		*arg->of = *argv;
		argc--;
		argv++;
	}
	for (arg = args; arg->word; arg++) {
		if (arg->required && !arg->given)
			return usage_error(hint, "%s is missing", arg->word);
	}
	return 0;
}
