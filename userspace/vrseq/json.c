// SPDX-License-Identifier: GPL-2.0
/* A writer of JSON; the contract is json.h. */
#include <inttypes.h>
#include <string.h>

#include "json.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void indent(struct json *json)
{
	unsigned int i;

	if (!json->pretty)
		return;
	putc('\n', json->file);
	for (i = 0; i < json->depth; i++)
		fputs("    ", json->file);
}

/*
 * Bytes of the UTF-8 character at @s, 0 if it is none: overlong forms,
 * surrogates and what lies beyond U+10FFFF are none.
 */
static size_t utf8_bytes(const unsigned char *s, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t bytes, i;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		bytes = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		bytes = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		bytes = 4;
	else
		return 0;
	if (left < bytes)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < bytes; i++) {
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	}
	return bytes;
}

/* False if some of it was not UTF-8. */
static bool quote(FILE *file, const unsigned char *s, size_t count)
{
	static const char *const escapes[] = {
		['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n",
		['\r'] = "\\r", ['\t'] = "\\t",
	};
	const unsigned char *end = s + count;
	bool valid = true;
	size_t bytes;

	putc('"', file);
	for (; s < end; s += bytes) {
		bytes = utf8_bytes(s, end - s);
		if (!bytes) {
			fputs("\\ufffd", file);
			valid = false;
			bytes = 1;
		} else if (*s == '"' || *s == '\\') {
			fprintf(file, "\\%c", *s);
		} else if (*s < ARRAY_SIZE(escapes) &&
			   escapes[*s]) {
			fputs(escapes[*s], file);
		} else if (*s < 0x20 || *s == 0x7f) {
			fprintf(file, "\\u%04x", *s);
		} else {
			fwrite(s, 1, bytes, file);
		}
	}
	putc('"', file);
	return valid;
}

static void begin(struct json *json, const char *key)
{
	if (json->filled)
		putc(',', json->file);
	if (json->depth)
		indent(json);
	if (key) {
		quote(json->file, (const unsigned char *)key, strlen(key));
		fputs(json->pretty ? ": " : ":", json->file);
	}
}

static void end(struct json *json)
{
	json->filled = json->depth > 0;
	if (!json->depth)
		putc('\n', json->file);
}

void json_open(struct json *json, const char *key, char bracket)
{
	begin(json, key);
	putc(bracket, json->file);
	json->depth++;
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		indent(json);
	putc(bracket, json->file);
	end(json);
}

void json_string(struct json *json, const char *key, const char *text)
{
	begin(json, key);
	quote(json->file, (const unsigned char *)text, strlen(text));
	end(json);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	begin(json, key);
	fprintf(json->file, "%" PRIu64, value);
	end(json);
}

void json_bool(struct json *json, const char *key, bool value)
{
	begin(json, key);
	fputs(value ? "true" : "false", json->file);
	end(json);
}

void json_null(struct json *json, const char *key)
{
	begin(json, key);
	fputs("null", json->file);
	end(json);
}

static void base64(FILE *file, const unsigned char *s, size_t count)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits;
	size_t i, n;

	putc('"', file);
	for (i = 0; i < count; i += 3) {
		n = count - i < 3 ? count - i : 3;
		bits = s[i] << 16;
		if (n > 1)
			bits |= s[i + 1] << 8;
		if (n > 2)
			bits |= s[i + 2];
		putc(digits[bits >> 18], file);
		putc(digits[bits >> 12 & 63], file);
		putc(n > 1 ? digits[bits >> 6 & 63] : '=', file);
		putc(n > 2 ? digits[bits & 63] : '=', file);
	}
	putc('"', file);
}

void json_bytes(struct json *json, const char *key, const char *base64_key,
		const void *bytes, size_t count)
{
	bool valid;

	begin(json, key);
	valid = quote(json->file, bytes, count);
	end(json);
	if (valid)
		return;
	begin(json, base64_key);
	base64(json->file, bytes, count);
	end(json);
}
