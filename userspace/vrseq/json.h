/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A writer of JSON, one value at a time, to a FILE. It trusts its caller to
 * close what it opens and knows nothing of what it writes.
 */
#ifndef VRSEQ_JSON_H
#define VRSEQ_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	bool pretty;		/* indented, over many lines */
	unsigned int depth;
	bool filled;		/* something stands before in this object or array */
};

/* @key is NULL inside an array and at the top, where a newline ends the value. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *text);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/*
 * Bytes that need not be text: a string under @key, and if they are not valid
 * UTF-8 also the bytes in base64 under @base64_key. In the string U+FFFD then
 * stands for each wrong byte.
 */
void json_bytes(struct json *json, const char *key, const char *base64_key,
		const void *bytes, size_t count);

#endif /* VRSEQ_JSON_H */
