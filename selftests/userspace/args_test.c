// SPDX-License-Identifier: GPL-2.0
/* The parser of the vrseq tool: values and the grammar of a command. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <string.h>

#include "../lib/kselftest_harness.h"
#undef ARRAY_SIZE	/* the tool has its own */
#include "../../userspace/vrseq/tool.h"

#define ACCEPTS(parse, text, expected) do {				\
	uint64_t value_ = 77;						\
	EXPECT_TRUE(parse(text, &value_)) { TH_LOG("%s", text); }	\
	EXPECT_EQ(value_, (uint64_t)(expected)) { TH_LOG("%s", text); }	\
} while (0)

#define REFUSES(parse, text) do {					\
	uint64_t value_;						\
	EXPECT_FALSE(parse(text, &value_)) { TH_LOG("'%s'", text); }	\
} while (0)

TEST(count)
{
	ACCEPTS(parse_count, "0", 0);
	ACCEPTS(parse_count, "7", 7);
	ACCEPTS(parse_count, "007", 7);
	ACCEPTS(parse_count, "18446744073709551615", UINT64_MAX);
	REFUSES(parse_count, "18446744073709551616");
	REFUSES(parse_count, "99999999999999999999999");
	REFUSES(parse_count, "");
	REFUSES(parse_count, " 1");
	REFUSES(parse_count, "1 ");
	REFUSES(parse_count, "1x");
	REFUSES(parse_count, "+1");
	REFUSES(parse_count, "-1");
	REFUSES(parse_count, "0x10");
	REFUSES(parse_count, "1.5");
	REFUSES(parse_count, "1K");
}

TEST(time)
{
	ACCEPTS(parse_time, "0", 0);
	ACCEPTS(parse_time, "5ns", 5);
	ACCEPTS(parse_time, "500us", 500000);
	ACCEPTS(parse_time, "20ms", 20000000);
	ACCEPTS(parse_time, "3s", 3000000000);
	ACCEPTS(parse_time, "18446744073s", 18446744073000000000u);
	REFUSES(parse_time, "18446744074s");
	REFUSES(parse_time, "20");
	REFUSES(parse_time, "ms");
	REFUSES(parse_time, "20 ms");
	REFUSES(parse_time, "20msx");
	REFUSES(parse_time, "20MS");
	REFUSES(parse_time, "1.5s");
	REFUSES(parse_time, "-1s");
	REFUSES(parse_time, "");
}

TEST(size)
{
	ACCEPTS(parse_size, "4096", 4096);
	ACCEPTS(parse_size, "64K", 65536);
	ACCEPTS(parse_size, "16M", 16777216);
	ACCEPTS(parse_size, "3G", 3221225472);
	ACCEPTS(parse_size, "17179869183G", 18446744072635809792u);
	REFUSES(parse_size, "17179869184G");
	REFUSES(parse_size, "K");
	REFUSES(parse_size, "64k");
	REFUSES(parse_size, "64KB");
	REFUSES(parse_size, "");
}

TEST(endpoint)
{
	static const char *const bad[] = {
		"", ":", "10.0.0.1", "10.0.0.1:", ":7400", "10.0.0.1:0",
		"10.0.0.1:65536", "10.0.0.1:7400x", "10.0.0.1:-1", "10.0.0.1: 7",
		"10.0.0:7400", "10.0.0.256:7400", "10.0.0.1.1:7400",
		"localhost:7400", "::1:7400", "::1", "[::1", "[::1]", "[::1]:", "[::1]7400",
		"[::1]:0", "[::1]:65536", "[::1]]:7400", "[[::1]]:7400", "[]:7400", "[:1]:7400",
		"[::g]:7400", "[fe80::1%lo]:7400", "[10.0.0.1]:7400", "[::1] :7400",
		"1000000000000000000000.0.0.1:7400",
		"[fd00:0000:0000:0000:0000:0000:255.255.255.2550]:7400",
	};
	static const uint8_t ipv4[IPV4_BYTES] = { 10, 0, 0, 1 };
	static const uint8_t ipv6[IPV6_BYTES] = { 0xfd, [14] = 0x12, [15] = 0x34 };
	struct endpoint endpoint;
	size_t i;

	ASSERT_TRUE(parse_endpoint("10.0.0.1:7400", &endpoint));
	EXPECT_FALSE(endpoint.ipv6);
	EXPECT_EQ(memcmp(endpoint.address, ipv4, IPV4_BYTES), 0);
	EXPECT_EQ(endpoint.port, 7400);
	ASSERT_TRUE(parse_endpoint("[fd00::1234]:7401", &endpoint));
	EXPECT_TRUE(endpoint.ipv6);
	EXPECT_EQ(memcmp(endpoint.address, ipv6, IPV6_BYTES), 0);
	EXPECT_EQ(endpoint.port, 7401);
	ASSERT_TRUE(parse_endpoint("255.255.255.255:65535", &endpoint));
	EXPECT_EQ(endpoint.port, 65535);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_FALSE(parse_endpoint(bad[i], &endpoint)) {
			TH_LOG("bad[%zu]", i);
		}
}

TEST(uuid)
{
	static const uint8_t expected[UUID_BYTES] = {
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
	};
	static const char *const bad[] = {
		"", "-", "0123456789abcdeffedcba9876543210",
		"01234567-89ab-cdef-fedc-ba987654321",
		"01234567-89ab-cdef-fedc-ba98765432100",
		"01234567-89ab-cdef-fedc-ba9876543210 ",
		" 01234567-89ab-cdef-fedc-ba9876543210",
		"01234567-89ab-cdef-fedc-ba987654321g",
		"g1234567-89ab-cdef-fedc-ba9876543210",
		"01234567-89ab-cdef-fedcba98-76543210",
		"0123456-789ab-cdef-fedc-ba9876543210",
		"01234567--89ab-cdef-fedc-ba987654321",
		"01234567-89ab-cdef-fedc_ba9876543210",
		"01234567-89ab-cdef-fedc-ba98765432-0",
		"{01234567-89ab-cdef-fedc-ba9876543210}",
		"01234567-89ab-cdef-fedc-",
		"0x234567-89ab-cdef-fedc-ba9876543210",
		"+1234567-89ab-cdef-fedc-ba9876543210",
	};
	uint8_t uuid[UUID_BYTES];
	size_t i;

	ASSERT_TRUE(parse_uuid("01234567-89ab-cdef-fedc-ba9876543210", uuid));
	EXPECT_EQ(0, memcmp(uuid, expected, sizeof(uuid)));
	memset(uuid, 0, sizeof(uuid));
	ASSERT_TRUE(parse_uuid("01234567-89AB-CDEF-FeDc-bA9876543210", uuid));
	EXPECT_EQ(0, memcmp(uuid, expected, sizeof(uuid)));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_FALSE(parse_uuid(bad[i], uuid)) {
			TH_LOG("bad[%zu]", i);
		}
}

/* A command with one of everything. */
struct command {
	const char *name;
	const char *text;
	uint64_t count;
	uint64_t time_ns;
	uint64_t size;
	struct endpoint endpoint;
	uint8_t uuid[UUID_BYTES];
	uint32_t mode;
	uint32_t kept;
	const char *file;
	bool flag;
};

static int parse(struct command *command, int argc, char **argv)
{
	static const char *const places[] = { "nowhere", "in", NULL };
	static const char *const modes[] = { "slow", "fast", "fastest", NULL };
	struct arg args[] = {
		ARG("name", ARG_STRING, &command->name, .positional = true, .required = true),
		ARG("text", ARG_STRING, &command->text, .positional = true),
		ARG_IN("count", ARG_COUNT, &command->count, 2, 9),
		ARG_IN("time", ARG_TIME, &command->time_ns, 1, UINT64_MAX),
		ARG_IN("size", ARG_SIZE, &command->size, 1, 1024),
		ARG("endpoint", ARG_ENDPOINT, &command->endpoint),
		ARG("uuid", ARG_UUID, command->uuid),
		ARG("role", ARG_WORD, NULL, .text = "voter"),
		ARG("-f", ARG_FLAG, NULL),
		ARG("key", ARG_REFUSED, NULL, .text = "not in this version"),
		ARG("mode", ARG_CHOICE, &command->mode, .words = modes),
		ARG("kept", ARG_CHOICE, &command->kept, .words = places, .of = &command->file),
		{ 0 },
	};
	int code;

	memset(command, 0, sizeof(*command));
	code = args_parse(argc, argv, args, "hint");
	command->flag = args[8].given;
	return code;
}

#define PARSE(command, ...) \
	parse(command, ARRAY_SIZE(((char *[]){ __VA_ARGS__ })), (char *[]){ __VA_ARGS__ })

TEST(gid)
{
	uint32_t gid = 7;

	EXPECT_TRUE(parse_gid("root", &gid));
	EXPECT_EQ(gid, 0);
	EXPECT_TRUE(parse_gid("4242", &gid));
	EXPECT_EQ(gid, 4242);
	EXPECT_TRUE(parse_gid("4294967294", &gid));
	EXPECT_FALSE(parse_gid("4294967295", &gid));
	EXPECT_FALSE(parse_gid("no such group", &gid));
	EXPECT_FALSE(parse_gid("-1", &gid));
	EXPECT_FALSE(parse_gid("", &gid));
}

TEST(choice_with_value)
{
	struct command command;

	EXPECT_EQ(PARSE(&command, "a", "kept", "in", "name", "count", "9"), 0);
	EXPECT_EQ(command.kept, 1);
	EXPECT_STREQ(command.file, "name");
	EXPECT_EQ(command.count, 9);
	EXPECT_EQ(PARSE(&command, "a", "kept", "nowhere", "b"), 0);
	EXPECT_EQ(command.kept, 0);
	EXPECT_EQ(command.file, NULL);
	EXPECT_STREQ(command.text, "b");
	EXPECT_NE(PARSE(&command, "a", "kept", "in"), 0);
	EXPECT_NE(PARSE(&command, "a", "kept", "out", "name"), 0);
}

TEST(grammar)
{
	struct command command;

	ASSERT_EQ(PARSE(&command, "a", "count", "9", "b", "-f", "time", "1ms", "size", "1K",
			"endpoint", "1.2.3.4:5", "role", "voter",
			"uuid", "00000000-0000-0000-0000-000000000009"), 0);
	EXPECT_STREQ(command.name, "a");
	EXPECT_STREQ(command.text, "b");
	EXPECT_EQ(command.count, 9);
	EXPECT_EQ(command.time_ns, NS_PER_MS);
	EXPECT_EQ(command.size, 1024);
	EXPECT_EQ(command.endpoint.port, 5);
	EXPECT_EQ(command.uuid[15], 9);
	EXPECT_TRUE(command.flag);

	ASSERT_EQ(PARSE(&command, "a"), 0);
	EXPECT_EQ(command.text, NULL);
	EXPECT_FALSE(command.flag);
}

TEST(choice)
{
	struct command command;

	ASSERT_EQ(PARSE(&command, "a", "mode", "slow"), 0);
	EXPECT_EQ(command.mode, 0);
	ASSERT_EQ(PARSE(&command, "a", "mode", "fast"), 0);
	EXPECT_EQ(command.mode, 1);
	ASSERT_EQ(PARSE(&command, "a", "mode", "fastest"), 0);
	EXPECT_EQ(command.mode, 2);
	EXPECT_EQ(PARSE(&command, "a", "mode", "fas"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "mode", "fasten"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "mode", ""), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "mode"), EXIT_USAGE);
}

TEST(value_that_is_a_word)
{
	struct command command;

	ASSERT_EQ(PARSE(&command, "name", "count", "text", "-f"), 0);
	EXPECT_STREQ(command.name, "count");
	EXPECT_STREQ(command.text, "-f");
	EXPECT_FALSE(command.flag);
	/* a word alone is the word, not a value */
	EXPECT_EQ(PARSE(&command, "count"), EXIT_USAGE);
}

TEST(refusals)
{
	struct command command;

	EXPECT_EQ(parse(&command, 0, NULL), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "b", "c"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "name", "b"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "count", "2", "count", "2"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "-f", "-f"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "count"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "count", "1"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "count", "10"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "count", "x"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "time", "0"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "time", "5"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "size", "1025"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "endpoint", "1.2.3.4"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "uuid", "0"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "uuid"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "role", "learner"), EXIT_USAGE);
	EXPECT_EQ(PARSE(&command, "a", "key", "file"), EXIT_USAGE);
}

TEST_HARNESS_MAIN
