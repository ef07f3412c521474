// SPDX-License-Identifier: GPL-2.0
/* Each finding of vrseq doctor, provoked by an answer of the kernel or by a machine of files. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../lib/kselftest_harness.h"
#undef ARRAY_SIZE	/* the tool has its own */
#include "../../userspace/vrseq/doctor.h"
#include "answer.h"

#define MS NS_PER_MS

struct options options;

/* --- groups --- */

enum trouble {
	NEVER_HEARD	= 1 << 0,
	SILENT		= 1 << 1,
	OTHER_KEY	= 1 << 2,
	OTHER_LIST	= 1 << 3,
	FAR		= 1 << 4,
	NO_RECORD	= 1 << 5,
	INSECURE	= 1 << 6,
	SECOND_KEY	= 1 << 7,
	RECORD_ERROR	= 1 << 8,
	LEASE		= 1 << 9,
	CLIENT		= 1 << 10,
	NOT_RECORDED	= 1 << 11,
};

struct patient {
	unsigned int members;
	unsigned int trouble;
	unsigned int whose;	/* those of a member: of the last so many */
	uint8_t state;
	bool no_quorum;
	uint8_t halt;
};

static void put_member(struct nlmsghdr *nlh, const struct patient *patient, uint16_t id)
{
	unsigned int trouble = patient->trouble;
	struct nlattr *nest = mnl_attr_nest_start(nlh, VRSEQ_A_MEMBER);

	if (id == 1 || id + patient->whose <= patient->members)
		trouble = 0;
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_ID, id);
	mnl_attr_put_u16(nlh, VRSEQ_A_MEMBER_PORT, 7400);
	mnl_attr_put_u8(nlh, VRSEQ_A_MEMBER_TRUST, trouble & OTHER_KEY ? VRSEQ_TRUST_OTHER_KEY :
			VRSEQ_TRUST_PROVED);
	if (id == 1 && !(patient->trouble & CLIENT))
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_SELF, 0, NULL);
	if (trouble & OTHER_LIST)
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_DIFFERS, 0, NULL);
	if (!(trouble & NEVER_HEARD))
		/* silent is who was not heard for 200 ms + 24 * 20 ms; 681 ms is */
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_HEARD_AGE_NS,
				 trouble & SILENT ? (uint64_t)id * 1000 * MS + 400 * MS :
				 id == 1 ? 0 : 680 * MS);
	if (id > 1)
		mnl_attr_put_u64(nlh, VRSEQ_A_MEMBER_ROUND_TRIP_NS,
				 trouble & FAR ? 51 * MS : 50 * MS);
	if (!(trouble & NOT_RECORDED))
		mnl_attr_put(nlh, VRSEQ_A_MEMBER_RECORDED, 0, NULL);
	mnl_attr_nest_end(nlh, nest);
}

static struct group *group_of(const struct patient *patient)
{
	unsigned int trouble = patient->trouble, i;
	struct answer answer;
	struct nlmsghdr *nlh;

	start(&answer);
	nlh = answer.nlh;
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, "fence");
	mnl_attr_put_u16(nlh, VRSEQ_A_PORT, 7400);
	mnl_attr_put_u8(nlh, VRSEQ_A_ROLE, trouble & CLIENT ? VRSEQ_ROLE_CLIENT :
			VRSEQ_ROLE_VOTER);
	if (trouble & INSECURE)
		mnl_attr_put(nlh, VRSEQ_A_INSECURE, 0, NULL);
	else
		mnl_attr_put_u8(nlh, VRSEQ_A_KEY_TAG, 0xa7);
	if (trouble & SECOND_KEY)
		mnl_attr_put_u8(nlh, VRSEQ_A_KEY_TAG_SECOND, 0x0b);
	mnl_attr_put_u64(nlh, VRSEQ_A_HEARTBEAT_NS, 20 * MS);
	mnl_attr_put_u64(nlh, VRSEQ_A_VIEW_TIMEOUT_NS, 200 * MS);
	mnl_attr_put_u64(nlh, VRSEQ_A_LEASE_NS, trouble & LEASE ? 90 * MS : 0);
	mnl_attr_put_u8(nlh, VRSEQ_A_STATE, patient->state);
	mnl_attr_put_u8(nlh, VRSEQ_A_HAS_QUORUM, !patient->no_quorum);
	mnl_attr_put_u8(nlh, VRSEQ_A_QUORUM_COUNT, patient->members / 2 + 1);
	mnl_attr_put_u64(nlh, VRSEQ_A_VIEW, 12);
	mnl_attr_put_u16(nlh, VRSEQ_A_GENERATION, 3);
	if (!(trouble & NO_RECORD)) {
		mnl_attr_put_strz(nlh, VRSEQ_A_RECORD, "/var/lib/vrseq/fence");
		mnl_attr_put_u32(nlh, VRSEQ_A_RECORD_ERROR, trouble & RECORD_ERROR ? ENOSPC : 0);
	}
	if (patient->halt)
		mnl_attr_put_u8(nlh, VRSEQ_A_HALT, patient->halt);
	for (i = 1; i <= patient->members; i++)
		put_member(nlh, patient, i);
	return group_decode(nlh);
}

#define COUNT(doctor) ({						\
	unsigned int count_ = 0;					\
	for (struct finding *f_ = (doctor)->first; f_; f_ = f_->next)	\
		count_++;						\
	count_;								\
})

TEST(nothing)
{
	static const struct patient well = { .members = 3, .state = VRSEQ_STATE_NORMAL };
	struct doctor doctor = { 0 };
	struct group *group = group_of(&well);
	char *text;

	ASSERT_NE(group, NULL);
	doctor_group(&doctor, group);
	EXPECT_EQ(COUNT(&doctor), 0);
	EXPECT_EQ(doctor_code(&doctor), EXIT_OK);
	text = CAPTURED(json, doctor_print(&doctor));
	EXPECT_STREQ(text, "nothing wrong\n");
	free(text);
	text = CAPTURED(json, doctor_print_json(&doctor, &json));
	EXPECT_STREQ(text, "[]\n");
	free(text);
	groups_free(group);
}

#define NORMAL .state = VRSEQ_STATE_NORMAL
#define STATE(state_) .state = VRSEQ_STATE_ ## state_

static const struct {
	struct patient patient;
	const char *what;
	enum severity severity;
	enum exit_code code;
	uint64_t age_ms;	/* 0 = none */
	const char *text;	/* part of it */
	const char *advice;	/* part of it */
} cases[] = {
	{ { 3, SILENT, 1, NORMAL }, "member-silent", SEVERITY_WARNING, EXIT_FAILED, 3400,
	  "member 3 is silent for 3.4s", "port 7400/udp" },
	{ { 3, NEVER_HEARD, 1, NORMAL }, "member-never-heard", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "member 3 was never heard", "group added there" },
	{ { 3, OTHER_KEY, 1, NORMAL }, "member-other-key", SEVERITY_WARNING, EXIT_FAILED, 680,
	  "member 3 has another key: ours is a7", "vrseq group show" },
	{ { 3, OTHER_KEY | SILENT, 1, NORMAL }, "member-other-key", SEVERITY_WARNING, EXIT_FAILED,
	  3400, "last heard before that 3.4s", "vrseq group show" },
	{ { 3, OTHER_KEY | NEVER_HEARD, 1, NORMAL }, "member-other-key", SEVERITY_WARNING,
	  EXIT_FAILED, 0, "ours is a7", "vrseq group show" },
	{ { 3, OTHER_LIST, 1, NORMAL }, "member-other-list", SEVERITY_WARNING, EXIT_FAILED, 680,
	  "member 3 was given another list", "vrseq member show" },
	{ { 3, 0, 0, NORMAL, .no_quorum = true }, "no-quorum", SEVERITY_SERIOUS, EXIT_NO_QUORUM, 0,
	  "primary of view 12", "wait" },
	{ { 3, 0, 0, STATE(VIEW_CHANGE) }, "no-quorum", SEVERITY_SERIOUS, EXIT_NO_QUORUM, 0,
	  "no quorum yet", "wait" },
	{ { 3, SILENT, 2, NORMAL, .no_quorum = true }, "no-quorum", SEVERITY_SERIOUS,
	  EXIT_NO_QUORUM, 2400, "reach 1 of 3, need 2, for 2.4s", "bring the members back" },
	{ { 5, SILENT, 3, STATE(VIEW_CHANGE), .no_quorum = true }, "no-quorum", SEVERITY_SERIOUS,
	  EXIT_NO_QUORUM, 3400, "reach 2 of 5, need 3, for 3.4s", "bring the members back" },
	{ { 3, NEVER_HEARD, 2, NORMAL, .no_quorum = true }, "no-quorum", SEVERITY_SERIOUS,
	  EXIT_NO_QUORUM, 0, "reach 1 of 3, need 2", "bring the members back" },
	{ { 3, 0, 0, STATE(BLANK) }, "not-formed", SEVERITY_SERIOUS, EXIT_NOT_YET, 0,
	  "not formed", "vrseq group form fence" },
	{ { 3, CLIENT, 0, STATE(BLANK) }, "not-formed", SEVERITY_SERIOUS, EXIT_NOT_YET, 0,
	  "no voter of a formed group answers", "this client added there" },
	{ { 3, 0, 0, STATE(FORMING) }, "forming", SEVERITY_SERIOUS, EXIT_NOT_YET, 0,
	  "being formed", "wait" },
	{ { 3, 0, 0, STATE(RECOVERING) }, "recovering", SEVERITY_SERIOUS, EXIT_NOT_YET, 0,
	  "gets it back", "wait" },
	{ { 3, 0, 0, STATE(AMNESIA) }, "amnesia", SEVERITY_SERIOUS, EXIT_HALTED, 0,
	  "too many members lost their memory", "vrseq group reform fence" },
	{ { 3, NO_RECORD, 0, STATE(AMNESIA) }, "amnesia", SEVERITY_SERIOUS, EXIT_HALTED, 0,
	  "too many members lost their memory", "generation higher than 3" },
	{ { 3, 0, 0, STATE(HALTED), .halt = VRSEQ_HALT_TWO_LOGS }, "halted", SEVERITY_SERIOUS,
	  EXIT_HALTED, 0, "two logs in one view", "kernel's log" },
	{ { 3, 0, 0, STATE(HALTED), .halt = VRSEQ_HALT_DISK }, "halted", SEVERITY_SERIOUS,
	  EXIT_HALTED, 0, "its journal cannot be written", "kernel's log" },
	{ { 3, 0, 0, STATE(HALTED), .halt = VRSEQ_HALT_LIVES }, "halted", SEVERITY_SERIOUS,
	  EXIT_HALTED, 0, "no number is left for its next life", "kernel's log" },
	{ { 3, 0, 0, STATE(HALTED), .halt = 200 }, "halted", SEVERITY_SERIOUS,
	  EXIT_HALTED, 0, "a reason unknown here", "kernel's log" },
	{ { 3, INSECURE, 0, NORMAL }, "insecure", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "who reaches port 7400/udp", "vrseq genkey" },
	{ { 3, SECOND_KEY, 0, NORMAL }, "second-key", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "a7 seals, and 0b opens, too", "vrseq key del" },
	{ { 3, NO_RECORD, 0, NORMAL }, "no-record", SEVERITY_NOTE, EXIT_OK, 0,
	  "no record is kept here", "record FILE" },
	{ { 3, RECORD_ERROR, 0, NORMAL }, "record-failing", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "/var/lib/vrseq/fence cannot be written: No space left", "disk" },
	{ { 3, NOT_RECORDED, 1, NORMAL }, "record-missing", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "member 3 has no record to count on", "record FILE" },
	{ { 3, FAR, 1, NORMAL }, "short-view-timeout", SEVERITY_WARNING, EXIT_FAILED, 0,
	  "200ms, is less than 4 round trips to member 3, of 51ms", "longer view-timeout" },
	{ { 3, LEASE, 0, NORMAL }, "lease", SEVERITY_NOTE, EXIT_OK, 0, "believes clocks", "lease" },
	{ { 4, 0, 0, NORMAL }, "even-voters", SEVERITY_NOTE, EXIT_OK, 0,
	  "4 voters survive no more losses than 3", "odd" },
};

/* What is expected, and beside it nothing but members that are away. */
TEST(each)
{
	const struct finding *finding, *found;
	struct group *group;
	char *text, *json_text, part[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor doctor = { 0 };

		group = group_of(&cases[i].patient);
		ASSERT_NE(group, NULL);
		doctor_group(&doctor, group);
		found = NULL;
		for (finding = doctor.first; finding; finding = finding->next) {
			if (!strcmp(finding->what, cases[i].what))
				found = finding;
			else if (strcmp(finding->what, "no-record") ||
				 !(cases[i].patient.trouble & NO_RECORD))
				EXPECT_EQ(strncmp(finding->what, "member-", 7), 0) {
					TH_LOG("case %zu: %s", i, finding->what);
				}
		}
		ASSERT_NE(found, NULL) { TH_LOG("case %zu: no %s", i, cases[i].what); }
		EXPECT_EQ(found->severity, cases[i].severity) { TH_LOG("case %zu", i); }
		EXPECT_EQ(doctor_code(&doctor), cases[i].code) { TH_LOG("case %zu", i); }
		EXPECT_EQ(found->has_age, cases[i].age_ms != 0) { TH_LOG("case %zu", i); }
		EXPECT_EQ(found->age_ns, cases[i].age_ms * MS) { TH_LOG("case %zu", i); }
		EXPECT_NE(strstr(found->text, cases[i].text), NULL) { TH_LOG("%s", found->text); }
		EXPECT_NE(strstr(found->advice, cases[i].advice), NULL) {
			TH_LOG("%s", found->advice);
		}
		EXPECT_STREQ(found->group, "fence");
		text = CAPTURED(json, doctor_print(&doctor));
		EXPECT_NE(strstr(text, found->text), NULL) { TH_LOG("%s", text); }
		EXPECT_NE(strstr(text, found->advice), NULL) { TH_LOG("%s", text); }
		EXPECT_EQ(!strstr(text, "nothing wrong"), cases[i].code != EXIT_OK) {
			TH_LOG("%s", text);
		}
		json_text = CAPTURED(json, doctor_print_json(&doctor, &json));
		snprintf(part, sizeof(part), "\"finding\":\"%s\"", cases[i].what);
		EXPECT_NE(strstr(json_text, part), NULL) { TH_LOG("%s", json_text); }
		free(text);
		free(json_text);
		doctor_free(&doctor);
		groups_free(group);
	}
}

/* The worst comes first, whatever was found first, and decides. */
TEST(order)
{
	static const struct patient patient = {
		.members = 4, .trouble = SILENT | INSECURE | LEASE, .whose = 3,
		.state = VRSEQ_STATE_NORMAL, .no_quorum = true,
	};
	static const char *const lines[] = {
		"serious: fence: no quorum: reach 1 of 4, need 3, for 3.4s. Do: ",
		"warning: fence: member 2 is silent for 2.4s. Do: ",
		"warning: fence: member 3 is silent for 3.4s. Do: ",
		"warning: fence: member 4 is silent for 4.4s. Do: ",
		"warning: fence: the group is insecure: ",
		"note: fence: the lease, 90ms, ",
		"note: fence: 4 voters ",
	};
	static const char expected[] =
		"[{\"severity\":\"serious\",\"finding\":\"no-quorum\",\"group\":\"fence\","
		"\"member_id\":null,\"age_ns\":3400000000,\"count\":null,\"recent\":null,"
		"\"text\":\"no quorum: reach 1 of 4, need 3, for 3.4s\",\"advice\":\"";
	static const char member[] =
		"{\"severity\":\"warning\",\"finding\":\"member-silent\",\"group\":\"fence\","
		"\"member_id\":2,\"age_ns\":2400000000,\"count\":null,\"recent\":null,"
		"\"text\":\"member 2 is silent for 2.4s\",\"advice\":\"";
	struct doctor doctor = { 0 };
	struct group *group = group_of(&patient);
	char *text, *at;
	size_t i;

	ASSERT_NE(group, NULL);
	doctor_group(&doctor, group);
	EXPECT_EQ(doctor_code(&doctor), EXIT_NO_QUORUM);
	text = CAPTURED(json, doctor_print(&doctor));
	for (i = 0, at = text; i < ARRAY_SIZE(lines); i++) {
		EXPECT_EQ(strncmp(at, lines[i], strlen(lines[i])), 0) { TH_LOG("%s", at); }
		at = strchr(at, '\n');
		ASSERT_NE(at, NULL);
		at++;
	}
	EXPECT_STREQ(at, "");
	free(text);
	text = CAPTURED(json, doctor_print_json(&doctor, &json));
	EXPECT_EQ(strncmp(text, expected, strlen(expected)), 0) { TH_LOG("%s", text); }
	EXPECT_NE(strstr(text, member), NULL) { TH_LOG("%s", text); }
	free(text);
	doctor_free(&doctor);
	groups_free(group);
}

/* A client talks to one voter; that it does not hear the others is nothing wrong. */
TEST(client)
{
	static const struct patient served = { 3, CLIENT | NEVER_HEARD, 2, NORMAL };
	static const struct patient alone = { 3, CLIENT | NEVER_HEARD, 2, STATE(BLANK) };
	struct doctor doctor = { 0 };
	struct group *group = group_of(&served);

	ASSERT_NE(group, NULL);
	doctor_group(&doctor, group);
	EXPECT_EQ(COUNT(&doctor), 0);
	groups_free(group);
	group = group_of(&alone);
	ASSERT_NE(group, NULL);
	doctor_group(&doctor, group);
	EXPECT_EQ(COUNT(&doctor), 3);
	doctor_free(&doctor);
	groups_free(group);
}

/* Bytes of a kernel that knows more than this tool are no reason to fall. */
TEST(bare)
{
	struct doctor doctor = { 0 };
	struct answer answer;
	struct group *group;

	start(&answer);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_NAME, "bare");
	group = group_decode(answer.nlh);
	ASSERT_NE(group, NULL);
	doctor_group(&doctor, group);
	EXPECT_EQ(doctor_code(&doctor), EXIT_HALTED);
	doctor_free(&doctor);
	groups_free(group);
}

/* --- counters --- */

static const char *const counted[] = {
	"drop_forged", "drop_key", "drop_envelope", "drop_address", "drop_size", "drop_checksum",
	"drop_session", "drop_replay", "drop_busy", "drop_no_memory", "send_no_memory",
	"send_no_route", "send_no_session", "timer_late", "demoted_rollback", "demoted_gap",
	"demoted_sleep", "drop_members", "drop_version", "drop_generation",
};

static int look(uint64_t *values, const char *name, uint64_t value)
{
	struct answer answer;
	struct nlattr *nest;

	start(&answer);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_NAME, "fence");
	nest = mnl_attr_nest_start(answer.nlh, VRSEQ_A_STAT);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_STAT_NAME, "view_changes");
	mnl_attr_put_u64(answer.nlh, VRSEQ_A_STAT_VALUE, 17);
	mnl_attr_nest_end(answer.nlh, nest);
	nest = mnl_attr_nest_start(answer.nlh, VRSEQ_A_STAT);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_STAT_NAME, name);
	mnl_attr_put_u64(answer.nlh, VRSEQ_A_STAT_VALUE, value);
	mnl_attr_nest_end(answer.nlh, nest);
	return counters_take(answer.nlh, values);
}

#define EXAMINED(patient_, name, before_, after_) ({			\
	struct doctor doctor_ = { .watch_ns = NS_PER_SECOND };		\
	struct counters seen_ = { 0 };					\
	struct group *group_ = group_of(patient_);			\
									\
	ASSERT_NE(group_, NULL);					\
	ASSERT_EQ(look(seen_.before, name, before_), MNL_CB_OK);	\
	ASSERT_EQ(look(seen_.after, name, after_), MNL_CB_OK);		\
	doctor_counters(&doctor_, group_, &seen_);			\
	groups_free(group_);						\
	doctor_;							\
})

TEST(counters)
{
	static const struct patient well = { 3, 0, 0, NORMAL };
	struct doctor doctor;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counted); i++) {
		doctor = EXAMINED(&well, counted[i], 0, 0);
		EXPECT_EQ(COUNT(&doctor), 0) { TH_LOG("%s", counted[i]); }

		/* it grows */
		doctor = EXAMINED(&well, counted[i], 4, 9);
		ASSERT_NE(doctor.first, NULL) { TH_LOG("%s", counted[i]); }
		EXPECT_EQ(COUNT(&doctor), 1);
		EXPECT_STREQ(doctor.first->what, counted[i]);
		EXPECT_EQ(doctor.first->severity, SEVERITY_WARNING);
		EXPECT_EQ(doctor.first->count, 9);
		EXPECT_EQ(doctor.first->recent, 5);
		EXPECT_NE(strstr(doctor.first->text, ": 9 times, 5 in the last 1.0s"), NULL) {
			TH_LOG("%s", doctor.first->text);
		}
		EXPECT_EQ(doctor_code(&doctor), EXIT_FAILED);
		doctor_free(&doctor);

		/* it did */
		doctor = EXAMINED(&well, counted[i], 9, 9);
		ASSERT_NE(doctor.first, NULL);
		EXPECT_EQ(doctor.first->severity, SEVERITY_NOTE);
		EXPECT_EQ(doctor_code(&doctor), EXIT_OK);
		doctor_free(&doctor);
	}
	doctor = EXAMINED(&well, "view_changes", 0, 7);
	EXPECT_EQ(COUNT(&doctor), 0);
}

/* Nobody can have a session with who does not answer. */
TEST(explained)
{
	static const struct patient away = { 3, SILENT, 1, NORMAL };
	struct doctor doctor = EXAMINED(&away, "send_no_session", 4, 9);

	ASSERT_NE(doctor.first, NULL);
	EXPECT_EQ(doctor.first->severity, SEVERITY_NOTE);
	doctor_free(&doctor);
	doctor = EXAMINED(&away, "drop_forged", 4, 9);
	ASSERT_NE(doctor.first, NULL);
	EXPECT_EQ(doctor.first->severity, SEVERITY_WARNING);
	doctor_free(&doctor);
}

TEST(counters_malformed)
{
	uint64_t values[DOCTOR_COUNTERS_MAX];
	struct answer answer;
	struct nlattr *nest;

	start(&answer);
	nest = mnl_attr_nest_start(answer.nlh, VRSEQ_A_STAT);
	mnl_attr_put_strz(answer.nlh, VRSEQ_A_STAT_NAME, "drop_key");
	mnl_attr_nest_end(answer.nlh, nest);
	EXPECT_EQ(counters_take(answer.nlh, values), MNL_CB_ERROR);
}

/* --- machines --- */

FIXTURE(machine) {
	char root[64];
};

FIXTURE_SETUP(machine)
{
	strcpy(self->root, "/tmp/doctor_test.XXXXXX");
	ASSERT_NE(mkdtemp(self->root), NULL);
	ASSERT_EQ(chmod(self->root, 0755), 0);
}

FIXTURE_TEARDOWN(machine)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", self->root);
	EXPECT_EQ(system(command), 0);
}

static bool put_file(const char *root, const char *path, const char *text)
{
	char command[512];
	FILE *file;

	snprintf(command, sizeof(command), "mkdir -p \"$(dirname '%s%s')\"", root, path);
	if (system(command))
		return false;
	snprintf(command, sizeof(command), "%s%s", root, path);
	file = fopen(command, "w");
	if (!file)
		return false;
	fputs(text, file);
	return !fclose(file);
}

#define VIRTUAL "processor\t: 0\nmodel name\t: x\nflags\t\t: fpu vme hypervisor lm\n"
#define METAL "processor\t: 0\nmodel name\t: hypervisor\nflags\t\t: fpu vme lm\n"
#define ARM "processor\t: 0\nFeatures\t: fp asimd\n"
#define ACPI "/sys/bus/acpi/devices/"

/* What is found: NULL = nothing. */
static const char *found_of(const char *root, enum exit_code *code)
{
	static char what[64];
	struct doctor doctor = { 0 };

	doctor_machine(&doctor, root);
	*code = doctor_code(&doctor);
	snprintf(what, sizeof(what), "%s", doctor.first ? doctor.first->what : "");
	doctor_free(&doctor);
	return *what ? what : NULL;
}

TEST_F(machine, of_its_own)
{
	enum exit_code code;

	ASSERT_TRUE(put_file(self->root, "/proc/cpuinfo", METAL));
	EXPECT_EQ(found_of(self->root, &code), NULL);
}

TEST_F(machine, virtual_machine)
{
	enum exit_code code;

	ASSERT_TRUE(put_file(self->root, "/proc/cpuinfo", VIRTUAL));
	/* without /sys nobody can see whether there is one */
	EXPECT_STREQ(found_of(self->root, &code), "rollback-unknown");
	ASSERT_TRUE(put_file(self->root, "/sys/bus/pci/x", ""));
	EXPECT_STREQ(found_of(self->root, &code), "no-vmgenid");
	EXPECT_EQ(code, EXIT_OK);
	ASSERT_TRUE(put_file(self->root, ACPI "PNP0501:00/modalias", "acpi:PNP0501:\n"));
	EXPECT_STREQ(found_of(self->root, &code), "no-vmgenid");
	ASSERT_TRUE(put_file(self->root, ACPI "QEMUVGID:00/modalias",
			     "acpi:QEMUVGID:VM_Gen_Counter:\n"));
	EXPECT_EQ(found_of(self->root, &code), NULL);
}

TEST_F(machine, without_flags)
{
	enum exit_code code;

	ASSERT_TRUE(put_file(self->root, "/proc/cpuinfo", ARM));
	ASSERT_TRUE(put_file(self->root, "/sys/bus/pci/x", ""));
	EXPECT_STREQ(found_of(self->root, &code), "rollback-unknown");
	ASSERT_TRUE(put_file(self->root, "/sys/class/dmi/id/sys_vendor", "Acme\n"));
	EXPECT_STREQ(found_of(self->root, &code), "rollback-unknown");
	ASSERT_TRUE(put_file(self->root, "/sys/class/dmi/id/sys_vendor", "QEMU\n"));
	EXPECT_STREQ(found_of(self->root, &code), "no-vmgenid");
	ASSERT_TRUE(put_file(self->root, "/sys/class/dmi/id/sys_vendor", "Acme\n"));
	ASSERT_TRUE(put_file(self->root, "/sys/hypervisor/type", "xen\n"));
	EXPECT_STREQ(found_of(self->root, &code), "no-vmgenid");
}

TEST_F(machine, knows_nothing)
{
	enum exit_code code;

	EXPECT_STREQ(found_of(self->root, &code), "rollback-unknown");
	EXPECT_EQ(code, EXIT_OK);
}

/* In a process that is not root, which may do anything. */
static int device_as_nobody(const char *root, const char *want, enum exit_code code)
{
	struct doctor doctor = { 0 };
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (!geteuid() && (setegid(65534) || seteuid(65534)))
			_exit(2);
		doctor_device(&doctor, root);
		if (!want)
			_exit(COUNT(&doctor));
		_exit(!doctor.first || strcmp(doctor.first->what, want) ||
		      doctor_code(&doctor) != code);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 3;
}

TEST_F(machine, device)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/dev/vrseq", self->root);
	EXPECT_EQ(device_as_nobody(self->root, "device-missing", EXIT_NOT_YET), 0);
	ASSERT_TRUE(put_file(self->root, "/dev/vrseq", ""));
	ASSERT_EQ(chmod(path, 0444), 0);
	EXPECT_EQ(device_as_nobody(self->root, "device-permission", EXIT_FAILED), 0);
	ASSERT_EQ(chmod(path, 0666), 0);
	EXPECT_EQ(device_as_nobody(self->root, NULL, EXIT_OK), 0);
}

TEST_HARNESS_MAIN
