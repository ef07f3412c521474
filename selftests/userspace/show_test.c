// SPDX-License-Identifier: GPL-2.0
/* Answers of the kernel, decoded and printed by the vrseq tool. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/kselftest_harness.h"
#undef ARRAY_SIZE	/* the tool has its own */
#include "../../userspace/vrseq/show.h"
#include "answer.h"

struct options options;

static void put_member(struct nlmsghdr *nlh, uint16_t id, bool self, bool heard)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, VRSEQ_A_MEMBER);

	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_ID, id);
	mnl_attr_put_u32(nlh, VRSEQ_A_MEMBER_ADDRESS_IPV4, htonl(0x0a000000 + id));
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_PORT, 7400);
	mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_ROLE, VRSEQ_ROLE_VOTER);
	if (self)
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_SELF, 0, NULL);
	if (heard) {
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_PRIMARY, 0, NULL);
		mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_STATE, VRSEQ_STATE_VIEW_CHANGE);
		/* as the kernel aligns them */
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_PAD, 0, NULL);
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_HEARD_AGE_NS, 5);
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_OP, 48113);
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_INCARNATION, 4);
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_ROUND_TRIP_NS, 210999);
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_RECORDED, 0, NULL);
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_DIFFERS, 0, NULL);
		mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_WIRE, 4);
	}
	mnl_attr_nest_end(nlh, nest);
}

static const uint8_t uuid[] = {
	0xa1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x00,
};

static void put_group(struct nlmsghdr *nlh)
{
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, "fence");
	mnl_attr_put(nlh, VRSEQ_A_UUID, sizeof(uuid), uuid);
	mnl_attr_put_u16(nlh, VRSEQ_A_SELF_ID, 1);
	mnl_attr_put_u32(nlh, VRSEQ_A_ADDRESS_IPV4, htonl(0x0a000001));
	mnl_attr_put_u16(nlh, VRSEQ_A_PORT, 7400);
	mnl_attr_put(nlh, VRSEQ_A_INSECURE, 0, NULL);
	mnl_attr_put_u64(nlh, VRSEQ_A_HEARTBEAT_NS, 20000000);
	mnl_attr_put_u64(nlh, VRSEQ_A_VIEW_TIMEOUT_NS, 200000000);
	mnl_attr_put_u64(nlh, VRSEQ_A_LEASE_NS, 90000000);
	mnl_attr_put_u32(nlh, VRSEQ_A_RECORD_MAX, 8192);
	mnl_attr_put_u32(nlh, VRSEQ_A_LOG_ENTRIES, 4096);
	mnl_attr_put_u32(nlh, VRSEQ_A_LOG_BYTES, 4194304);
	mnl_attr_put_u32(nlh, VRSEQ_A_MESSAGES, 1024);
	mnl_attr_put_u32(nlh, VRSEQ_A_MESSAGE_BYTES, 65536);
	mnl_attr_put_u8(nlh, VRSEQ_A_ROLE, VRSEQ_ROLE_VOTER);
	mnl_attr_put_u32(nlh, VRSEQ_A_CLIENTS_MAX, 1000);
	mnl_attr_put_u32(nlh, VRSEQ_A_CLIENTS, 17);
	mnl_attr_put_u64(nlh, VRSEQ_A_NODE_LEASE_NS, 2000000000);
	mnl_attr_put_u64(nlh, VRSEQ_A_NODE_ENDS, 5);
	mnl_attr_put_u32(nlh, VRSEQ_A_FILES_MAX, 256);
	mnl_attr_put_u32(nlh, VRSEQ_A_GID, 4242);
	mnl_attr_put_u8(nlh, VRSEQ_A_WIRE, 4);
	mnl_attr_put_u64(nlh, VRSEQ_A_MEMORY_BYTES, 5000000);
	mnl_attr_put_u16(nlh, VRSEQ_A_GENERATION, 0);
	mnl_attr_put_u8(nlh, VRSEQ_A_STATE, VRSEQ_STATE_NORMAL);
	mnl_attr_put_strz(nlh, VRSEQ_A_STATUS_TEXT, "all \"well\"");
	mnl_attr_put_u8(nlh, VRSEQ_A_HAS_QUORUM, 1);
	mnl_attr_put_u8(nlh, VRSEQ_A_QUORUM_COUNT, 2);
	mnl_attr_put_u64(nlh, VRSEQ_A_VIEW, 12);
	mnl_attr_put_u64(nlh, VRSEQ_A_LAST_NORMAL_VIEW, 12);
	mnl_attr_put_u16(nlh, VRSEQ_A_PRIMARY_ID, 1);
	mnl_attr_put_u64(nlh, VRSEQ_A_OP, 48113);
	mnl_attr_put_u64(nlh, VRSEQ_A_COMMIT, 48112);
	mnl_attr_put_u64(nlh, VRSEQ_A_COMMIT_HASH, UINT64_MAX);
	mnl_attr_put_u64(nlh, VRSEQ_A_SEQUENCE_FIRST, 3);
	mnl_attr_put_u64(nlh, VRSEQ_A_SEQUENCE_LAST, 9);
	mnl_attr_put_u64(nlh, VRSEQ_A_INCARNATION, 4);
	mnl_attr_put_u64(nlh, VRSEQ_A_CHECKPOINT_OP, 47104);
	mnl_attr_put_u64(nlh, VRSEQ_A_RECOVERIES, 3);
	mnl_attr_put_u64(nlh, VRSEQ_A_TRANSFERS, 1);
	mnl_attr_put_strz(nlh, VRSEQ_A_RECORD, "/var/lib/vrseq/fence");
	mnl_attr_put_u32(nlh, VRSEQ_A_RECORD_ERROR, 28);
	mnl_attr_put_u8(nlh, VRSEQ_A_HALT, VRSEQ_HALT_TWO_LOGS);
	mnl_attr_put_strz(nlh, VRSEQ_A_JOURNAL, "/var/lib/vrseq/log");
	mnl_attr_put_u64(nlh, VRSEQ_A_JOURNAL_BYTES, 67108864);
	mnl_attr_put_u64(nlh, VRSEQ_A_JOURNAL_WRITES, 70);
	mnl_attr_put_u64(nlh, VRSEQ_A_JOURNAL_FSYNCS, 60);
	mnl_attr_put_u32(nlh, VRSEQ_A_JOURNAL_ERROR, EIO);
	mnl_attr_put_u32(nlh, VRSEQ_A_FILES, 2);
	put_member(nlh, 1, true, true);
	put_member(nlh, 2, false, false);
}

TEST(json)
{
	static const char expected[] =
		"{\"name\":\"fence\",\"uuid\":\"a1234567-89ab-cdef-fedc-ba9876543200\","
		"\"self_id\":1,\"address\":\"10.0.0.1\",\"port\":7400,"
		"\"insecure\":true,\"key_tag\":null,\"key_tag_second\":null,"
		"\"heartbeat_ns\":20000000,\"view_timeout_ns\":200000000,"
		"\"lease_ns\":90000000,\"record_max\":8192,\"log_entries\":4096,"
		"\"log_bytes\":4194304,\"messages\":1024,"
		"\"message_bytes\":65536,\"role\":\"voter\",\"clients_max\":1000,"
		"\"clients\":17,\"node_lease_ns\":2000000000,\"node_ends\":5,"
		"\"files_max\":256,\"gid\":4242,\"wire\":4,\"memory_bytes\":5000000,"
		"\"generation\":0,"
		"\"state\":\"normal\",\"status_text\":\"all \\\"well\\\"\",\"has_quorum\":true,"
		"\"quorum_count\":2,\"view\":12,\"last_normal_view\":12,\"primary_id\":1,"
		"\"op\":48113,\"commit\":48112,\"commit_hash\":18446744073709551615,"
		"\"sequence_first\":3,\"sequence_last\":9,\"incarnation\":4,"
		"\"checkpoint_op\":47104,\"recoveries\":3,\"transfers\":1,"
		"\"record\":\"/var/lib/vrseq/fence\",\"record_error\":28,\"halt\":\"two-logs\","
		"\"journal\":\"/var/lib/vrseq/log\",\"journal_bytes\":67108864,"
		"\"journal_writes\":70,\"journal_fsyncs\":60,\"journal_error\":5,"
		"\"files\":2,\"members\":["
		"{\"id\":1,\"address\":\"10.0.0.1\",\"port\":7400,\"role\":\"voter\","
		"\"self\":true,\"primary\":true,\"state\":\"view-change\",\"heard_age_ns\":5,"
		"\"op\":48113,\"incarnation\":4,\"round_trip_ns\":210999,\"recorded\":true,"
		"\"trust\":null,\"differs\":true,\"wire\":4},"
		"{\"id\":2,\"address\":\"10.0.0.2\",\"port\":7400,\"role\":\"voter\","
		"\"self\":false,\"primary\":false,\"state\":null,\"heard_age_ns\":null,"
		"\"op\":null,\"incarnation\":null,\"round_trip_ns\":null,\"recorded\":false,"
		"\"trust\":null,\"differs\":false,\"wire\":null}]}\n";
	struct answer answer;
	struct group *group;
	char *text;

	start(&answer);
	put_group(answer.nlh);
	/* what a later version may add */
	mnl_attr_put_u32(answer.nlh, VRSEQ_A_MAX + 7, 1);
	group = group_decode(answer.nlh);
	ASSERT_NE(group, NULL);
	text = CAPTURED(json, group_print_json(&json, group));
	EXPECT_STREQ(expected, text);
	free(text);
	groups_free(group);
}

TEST(text)
{
	struct answer answer;
	struct group *group;
	char *text;

	start(&answer);
	put_group(answer.nlh);
	group = group_decode(answer.nlh);
	ASSERT_NE(group, NULL);
	text = CAPTURED(json, group_print(group));
	EXPECT_NE(strstr(text, "group fence  10.0.0.1:7400/udp  view 12  primary 1  "
			 "commit 48112  READY  INSECURE\n"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  uuid a1234567-89ab-cdef-fedc-ba9876543200\n"), NULL) {
		TH_LOG("%s", text);
	}
	EXPECT_NE(strstr(text, "10.0.0.2:7400"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "never heard\n"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  life 4   here, round trip 210us, wire 4\n"), NULL) {
		TH_LOG("%s", text);
	}
	EXPECT_NE(strstr(text, "  incarnation 4  checkpoint 47104  recoveries 3  transfers 1\n"),
		  NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  clients 17 of 1000  node lease 2.0s  leases ended 5\n"
			 "  wire 4\n"), NULL) {
		TH_LOG("%s", text);
	}
	EXPECT_NE(strstr(text, "  record /var/lib/vrseq/fence\n"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  journal /var/lib/vrseq/log  64.0M  writes 70  fsyncs 60  FAILED: "
			       "Input/output error\n"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  view timeout 200ms  lease 90ms  uuid "), NULL) {
		TH_LOG("%s", text);
	}
	free(text);
	groups_free(group);
}

/* An address of IPv6 is under the same key, and in brackets before a port. */
TEST(ipv6)
{
	static const uint8_t address[IPV6_BYTES] = { 0xfd, [15] = 1 };
	struct answer answer;
	struct nlattr *nest;
	struct group *group;
	char *text;

	start(&answer);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_NAME, "six");
	mnl_attr_put(answer.nlh, VRSEQ_A_ADDRESS_IPV6, sizeof(address), address);
	mnl_attr_put_u16(answer.nlh, VRSEQ_A_PORT, 7400);
	nest = mnl_attr_nest_start(answer.nlh, VRSEQ_A_MEMBER);
	mnl_attr_put(answer.nlh, VRSEQ_A_MEMBER_ADDRESS_IPV6, sizeof(address), address);
	mnl_attr_put_u16(answer.nlh, VRSEQ_A_MEMBER_PORT, 7401);
	mnl_attr_nest_end(answer.nlh, nest);
	group = group_decode(answer.nlh);
	ASSERT_NE(group, NULL);
	text = CAPTURED(json, (group_print(group), group_print_json(&json, group)));
	EXPECT_NE(strstr(text, "group six  [fd00::1]:7400/udp  view"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, " [fd00::1]:7401 "), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"address\":\"fd00::1\",\"port\":7400,"), NULL) {
		TH_LOG("%s", text);
	}
	EXPECT_NE(strstr(text, "\"address\":\"fd00::1\",\"port\":7401,"), NULL) {
		TH_LOG("%s", text);
	}
	free(text);
	groups_free(group);
}

TEST(nothing_but_a_name)
{
	struct answer answer;
	struct group *group;
	char *text;

	start(&answer);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_NAME, "bare");
	group = group_decode(answer.nlh);
	ASSERT_NE(group, NULL);
	EXPECT_EQ(group_health(group), EXIT_HALTED);
	text = CAPTURED(json, (group_print(group), group_print_json(&json, group)));
	EXPECT_EQ(strstr(text, "  uuid"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "  lease off\n"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"uuid\":null"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"record\":null"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"journal\":null"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"view\":null"), NULL) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, "\"members\":[]"), NULL) { TH_LOG("%s", text); }
	free(text);
	groups_free(group);
}

TEST(malformed)
{
	struct answer answer;
	unsigned int i;

	start(&answer);
	mnl_attr_put_u32(answer.nlh, VRSEQ_A_VIEW, 1);
	EXPECT_EQ(group_decode(answer.nlh), NULL);

	start(&answer);
	mnl_attr_put(answer.nlh, VRSEQ_A_NAME, 3, "abc");
	EXPECT_EQ(group_decode(answer.nlh), NULL);

	for (i = sizeof(uuid) - 1; i <= sizeof(uuid) + 1; i += 2) {
		start(&answer);
		mnl_attr_put(answer.nlh, VRSEQ_A_UUID, i, "0123456789abcdef");
		EXPECT_EQ(group_decode(answer.nlh), NULL);
	}

	for (i = IPV6_BYTES - 1; i <= IPV6_BYTES + 1; i += 2) {
		start(&answer);
		mnl_attr_put(answer.nlh, VRSEQ_A_ADDRESS_IPV6, i, "0123456789abcdef");
		EXPECT_EQ(group_decode(answer.nlh), NULL);
	}

	start(&answer);
	for (i = 0; i <= VRSEQ_MEMBERS_MAX; i++)
		put_member(answer.nlh, i + 1, false, true);
	EXPECT_EQ(group_decode(answer.nlh), NULL);
}

TEST(health)
{
	static const struct {
		uint8_t state;
		uint8_t has_quorum;
		enum exit_code code;
		const char *headline;
		const char *name;
	} cases[] = {
		{ VRSEQ_STATE_NORMAL, 1, EXIT_OK, "READY", "normal" },
		{ VRSEQ_STATE_NORMAL, 0, EXIT_NO_QUORUM, "NO QUORUM", "normal" },
		{ VRSEQ_STATE_VIEW_CHANGE, 1, EXIT_NO_QUORUM, "NO QUORUM", "view-change" },
		{ VRSEQ_STATE_VIEW_CHANGE, 0, EXIT_NO_QUORUM, "NO QUORUM", "view-change" },
		{ VRSEQ_STATE_BLANK, 0, EXIT_NOT_YET, "NOT FORMED", "blank" },
		{ VRSEQ_STATE_FORMING, 0, EXIT_NOT_YET, "NOT FORMED", "forming" },
		{ VRSEQ_STATE_RECOVERING, 0, EXIT_NOT_YET, "RECOVERING", "recovering" },
		{ VRSEQ_STATE_HALTED, 0, EXIT_HALTED, "REFUSES", "halted" },
		{ VRSEQ_STATE_AMNESIA, 0, EXIT_HALTED, "REFUSES", "amnesia" },
		{ 200, 1, EXIT_HALTED, "REFUSES", "unknown" },
	};
	struct answer answer;
	struct group *group;
	char *text, line[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		start(&answer);
		mnl_attr_put_u8(answer.nlh, VRSEQ_A_STATE, cases[i].state);
		mnl_attr_put_u8(answer.nlh, VRSEQ_A_HAS_QUORUM, cases[i].has_quorum);
		group = group_decode(answer.nlh);
		ASSERT_NE(group, NULL);
		EXPECT_EQ(group_health(group), cases[i].code) {
			TH_LOG("state %u", cases[i].state);
		}
		EXPECT_STREQ(state_name(group->attr[VRSEQ_A_STATE]), cases[i].name);
		text = CAPTURED(json, group_print(group));
		snprintf(line, sizeof(line), "  %s\n", cases[i].headline);
		EXPECT_NE(strstr(text, line), NULL) { TH_LOG("%s", text); }
		free(text);
		groups_free(group);
	}
}

TEST_HARNESS_MAIN
