// SPDX-License-Identifier: GPL-2.0
/* The JSON writer of the vrseq tool. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "../lib/kselftest_harness.h"
#include "../../userspace/vrseq/json.h"

static char *text;
static size_t size;

static struct json start(bool pretty)
{
	return (struct json){ .file = open_memstream(&text, &size), .pretty = pretty };
}

#define WROTE(json, expected) do {		\
	fclose((json).file);			\
	EXPECT_STREQ(expected, text);		\
	free(text);				\
} while (0)

static void write_all(struct json *json)
{
	json_open(json, NULL, '{');
	json_u64(json, "max", UINT64_MAX);
	json_bool(json, "yes", true);
	json_bool(json, "no", false);
	json_null(json, "nothing");
	json_open(json, "empty", '[');
	json_close(json, ']');
	json_open(json, "list", '[');
	json_string(json, NULL, "a");
	json_open(json, NULL, '{');
	json_close(json, '}');
	json_open(json, NULL, '{');
	json_u64(json, "b", 0);
	json_close(json, '}');
	json_close(json, ']');
	json_string(json, "last", "");
	json_close(json, '}');
}

TEST(compact)
{
	struct json json = start(false);

	write_all(&json);
	WROTE(json, "{\"max\":18446744073709551615,\"yes\":true,\"no\":false,"
	      "\"nothing\":null,\"empty\":[],\"list\":[\"a\",{},{\"b\":0}],"
	      "\"last\":\"\"}\n");
}

TEST(pretty)
{
	struct json json = start(true);

	write_all(&json);
	WROTE(json,
	      "{\n"
	      "    \"max\": 18446744073709551615,\n"
	      "    \"yes\": true,\n"
	      "    \"no\": false,\n"
	      "    \"nothing\": null,\n"
	      "    \"empty\": [],\n"
	      "    \"list\": [\n"
	      "        \"a\",\n"
	      "        {},\n"
	      "        {\n"
	      "            \"b\": 0\n"
	      "        }\n"
	      "    ],\n"
	      "    \"last\": \"\"\n"
	      "}\n");
}

TEST(one_line_for_each_value)
{
	struct json json = start(false);
	int i;

	for (i = 0; i < 2; i++) {
		json_open(&json, NULL, '{');
		json_u64(&json, "i", i);
		json_close(&json, '}');
	}
	WROTE(json, "{\"i\":0}\n{\"i\":1}\n");
}

TEST(escapes)
{
	struct json json = start(false);

	json_string(&json, NULL, "\"\\/\b\f\n\r\t\x01\x1f\x7f\u00e9\U0001f600");
	WROTE(json, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\u00e9\U0001f600\"\n");
}

static void bytes_of(struct json *json, const void *bytes, size_t count)
{
	json_open(json, NULL, '{');
	json_bytes(json, "m", "b", bytes, count);
	json_close(json, '}');
}

#define BYTES(literal, expected) do {				\
	struct json json_ = start(false);			\
								\
	bytes_of(&json_, literal, sizeof(literal) - 1);		\
	WROTE(json_, expected "\n");				\
} while (0)

TEST(bytes_that_are_text)
{
	BYTES("", "{\"m\":\"\"}");
	BYTES("plain", "{\"m\":\"plain\"}");
	BYTES("a\0b", "{\"m\":\"a\\u0000b\"}");
	BYTES("\xc2\x80", "{\"m\":\"\xc2\x80\"}");
	BYTES("\xdf\xbf", "{\"m\":\"\xdf\xbf\"}");
	BYTES("\xe0\xa0\x80", "{\"m\":\"\xe0\xa0\x80\"}");
	BYTES("\xed\x9f\xbf", "{\"m\":\"\xed\x9f\xbf\"}");
	BYTES("\xee\x80\x80", "{\"m\":\"\xee\x80\x80\"}");
	BYTES("\xf0\x90\x80\x80", "{\"m\":\"\xf0\x90\x80\x80\"}");
	BYTES("\xf4\x8f\xbf\xbf", "{\"m\":\"\xf4\x8f\xbf\xbf\"}");
}

TEST(bytes_that_are_not)
{
	/* base64 of 1, 2 and 3 bytes, and each way to be wrong */
	BYTES("\xff", "{\"m\":\"\\ufffd\",\"b\":\"/w==\"}");
	BYTES("a\xff", "{\"m\":\"a\\ufffd\",\"b\":\"Yf8=\"}");
	BYTES("a\xff" "b", "{\"m\":\"a\\ufffdb\",\"b\":\"Yf9i\"}");
	BYTES("a\xff" "bcd", "{\"m\":\"a\\ufffdbcd\",\"b\":\"Yf9iY2Q=\"}");
	/* a character that is cut off, a lone continuation */
	BYTES("\xc3", "{\"m\":\"\\ufffd\",\"b\":\"ww==\"}");
	BYTES("\xe2\x82", "{\"m\":\"\\ufffd\\ufffd\",\"b\":\"4oI=\"}");
	BYTES("\x80", "{\"m\":\"\\ufffd\",\"b\":\"gA==\"}");
	/* overlong, a surrogate, beyond U+10FFFF */
	BYTES("\xc0\xaf", "{\"m\":\"\\ufffd\\ufffd\",\"b\":\"wK8=\"}");
	BYTES("\xe0\x9f\xbf", "{\"m\":\"\\ufffd\\ufffd\\ufffd\",\"b\":\"4J+/\"}");
	BYTES("\xed\xa0\x80", "{\"m\":\"\\ufffd\\ufffd\\ufffd\",\"b\":\"7aCA\"}");
	BYTES("\xf0\x8f\xbf\xbf", "{\"m\":\"\\ufffd\\ufffd\\ufffd\\ufffd\",\"b\":\"8I+/vw==\"}");
	BYTES("\xf4\x90\x80\x80", "{\"m\":\"\\ufffd\\ufffd\\ufffd\\ufffd\",\"b\":\"9JCAgA==\"}");
	BYTES("\xf5\x80", "{\"m\":\"\\ufffd\\ufffd\",\"b\":\"9YA=\"}");
}

TEST_HARNESS_MAIN
