// SPDX-License-Identifier: GPL-2.0
/* What is wrong with a group and its members, by what the kernel answers; no more than that. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "stats.h"

/*
 * PING comes every eight heartbeats or so, and two of them may be lost: the
 * kernel's own sentence goes by the same rule.
 */
#define SILENT_HEARTBEATS 24

/* A view change is two round trips, and what is late is late by one or two more. */
#define ROUND_TRIPS_MIN 4

/* --- members --- */

static bool is_client(const struct group *group)
{
	return attr_u64(group->attr[VRSEQ_A_ROLE]) == VRSEQ_ROLE_CLIENT;
}

static bool has_other_key(const struct nlattr *const *member)
{
	return attr_u64(member[VRSEQ_A_MEMBER_TRUST]) == VRSEQ_TRUST_OTHER_KEY;
}

static bool is_silent(const struct group *group, const struct nlattr *const *member)
{
	uint64_t after = attr_u64(group->attr[VRSEQ_A_VIEW_TIMEOUT_NS]) +
			 SILENT_HEARTBEATS * attr_u64(group->attr[VRSEQ_A_HEARTBEAT_NS]);

	return !member[VRSEQ_A_MEMBER_SELF] &&
	       (!member[VRSEQ_A_MEMBER_HEARD_AGE_NS] ||
		attr_u64(member[VRSEQ_A_MEMBER_HEARD_AGE_NS]) > after);
}

static const struct nlattr *const *member_at(const struct group *group, unsigned int i)
{
	return (const struct nlattr *const *)group->members[i];
}

/* A member that is somebody else's fault explains what is counted because of it. */
static bool somebody_is_away(const struct group *group)
{
	unsigned int i;

	for (i = 0; i < group->member_count; i++) {
		if (is_silent(group, member_at(group, i)) ||
		    has_other_key(member_at(group, i)))
			return true;
	}
	return false;
}

static void look_at_member(struct doctor *doctor, const struct group *group,
			   const struct nlattr *const *member)
{
	const struct nlattr *age = member[VRSEQ_A_MEMBER_HEARD_AGE_NS];
	uint64_t id = attr_u64(member[VRSEQ_A_MEMBER_ID]);
	struct finding *finding = NULL;
	char text[32] = "";

	if (age)
		time_text(attr_u64(age), text, sizeof(text));
	if (has_other_key(member)) {
		finding = find(doctor, group, SEVERITY_WARNING, "member-other-key",
			       "member %" PRIu64 " has another key: ours is %02" PRIx64 "%s%s", id,
			       attr_u64(group->attr[VRSEQ_A_KEY_TAG]),
			       age ? "; last heard before that " : "", text);
		advise(finding, "compare with the key that vrseq group show prints there, and add "
		       "the wrong one again with the key of the others");
	} else if (is_silent(group, member) && !age) {
		finding = find(doctor, group, SEVERITY_WARNING, "member-never-heard",
			       "member %" PRIu64 " was never heard", id);
		advise(finding, "is the group added there, with this address, uuid and port %"
		       PRIu64 "/udp open both ways?", attr_u64(member[VRSEQ_A_MEMBER_PORT]));
	} else if (is_silent(group, member)) {
		finding = find(doctor, group, SEVERITY_WARNING, "member-silent",
			       "member %" PRIu64 " is silent for %s", id, text);
		advise(finding, "is its machine up, and port %" PRIu64 "/udp open both ways? "
		       "Ask there: vrseq doctor", attr_u64(member[VRSEQ_A_MEMBER_PORT]));
	} else if (member[VRSEQ_A_MEMBER_DIFFERS]) {
		finding = find(doctor, group, SEVERITY_WARNING, "member-other-list",
			       "member %" PRIu64 " was given another list of members", id);
		advise(finding, "compare vrseq member show here and there: ids, addresses and "
		       "ports are the same at all members");
	}
	if (!finding)
		return;
	finding->member = id;
	if (age)
		set_age(finding, attr_u64(age));
}

/* How long ago so many members had been heard that they were a quorum; false = never. */
static bool quorum_age(const struct group *group, uint64_t *age_ns)
{
	uint64_t quorum = attr_u64(group->attr[VRSEQ_A_QUORUM_COUNT]), age, heard;
	const struct nlattr *const *member;
	unsigned int i, j;

	for (i = 0; i < group->member_count; i++) {
		member = member_at(group, i);
		age = attr_u64(member[VRSEQ_A_MEMBER_HEARD_AGE_NS]);
		if (!member[VRSEQ_A_MEMBER_SELF] && !member[VRSEQ_A_MEMBER_HEARD_AGE_NS])
			continue;
		for (heard = 0, j = 0; j < group->member_count; j++) {
			member = member_at(group, j);
			heard += member[VRSEQ_A_MEMBER_SELF] ||
				 (member[VRSEQ_A_MEMBER_HEARD_AGE_NS] &&
				  attr_u64(member[VRSEQ_A_MEMBER_HEARD_AGE_NS]) <= age);
		}
		if (heard >= quorum && age < *age_ns)
			*age_ns = age;
	}
	return *age_ns != UINT64_MAX;
}

static void find_no_quorum(struct doctor *doctor, const struct group *group)
{
	uint64_t age_ns = UINT64_MAX, quorum = attr_u64(group->attr[VRSEQ_A_QUORUM_COUNT]);
	unsigned int reached = 0, i;
	struct finding *finding;
	char text[32];

	for (i = 0; i < group->member_count; i++)
		reached += !is_silent(group, member_at(group, i));
	if (reached >= quorum) {
		finding = find(doctor, group, SEVERITY_SERIOUS, "no-quorum",
			       "no quorum yet: looks for the primary of view %" PRIu64,
			       attr_u64(group->attr[VRSEQ_A_VIEW]));
		advise(finding, "wait; if it stays so, see what the other members find");
	} else {
		finding = find(doctor, group, SEVERITY_SERIOUS, "no-quorum",
			       "no quorum: reach %u of %u, need %" PRIu64, reached,
			       group->member_count, quorum);
		if (quorum_age(group, &age_ns)) {
			set_age(finding, age_ns);
			snprintf(finding->text + strlen(finding->text),
				 sizeof(finding->text) - strlen(finding->text), ", for %s",
				 time_text(age_ns, text, sizeof(text)));
		}
		advise(finding, "bring the members back that are silent or have another key");
	}
	finding->code = EXIT_NO_QUORUM;
}

/* --- the group --- */

static void find_halted(struct doctor *doctor, const struct group *group)
{
	static const char *const reasons[] = {
		[VRSEQ_HALT_NONE] = "no reason is known",
		[VRSEQ_HALT_COMMITTED_CONFLICT] = "another entry at a committed place",
		[VRSEQ_HALT_LOG_GAP] = "a gap in the log",
		[VRSEQ_HALT_LOG_FULL] = "the log is full",
		[VRSEQ_HALT_TWO_LOGS] = "two logs in one view",
		[VRSEQ_HALT_DISK] = "its journal cannot be written",
		[VRSEQ_HALT_LIVES] = "no number is left for its next life",
	};
	uint64_t halt = attr_u64(group->attr[VRSEQ_A_HALT]);
	struct finding *finding;

	finding = find(doctor, group, SEVERITY_SERIOUS, "halted", "this member halted: %s",
		       halt < ARRAY_SIZE(reasons) ? reasons[halt] : "of a reason unknown here");
	finding->code = EXIT_HALTED;
	advise(finding, "keep the kernel's log, report it; then delete the group here and add it "
	       "again: the others give it its memory back");
}

static void find_not_formed(struct doctor *doctor, const struct group *group, bool forming)
{
	const char *name = attr_string(group->attr[VRSEQ_A_NAME]);
	struct finding *finding;

	finding = find(doctor, group, SEVERITY_SERIOUS, forming ? "forming" : "not-formed",
		       is_client(group) ? "no voter of a formed group answers" : forming ?
		       "being formed, and not all members have promised yet" :
		       "the group is not formed");
	finding->code = EXIT_NOT_YET;
	if (is_client(group))
		advise(finding, "are the voters added here, and is this client added there?");
	else if (forming)
		advise(finding, "wait; if it stays so, see which member is not heard");
	else
		advise(finding, "once, at one member, when all are added: vrseq group form %s",
		       name);
}

static void find_amnesia(struct doctor *doctor, const struct group *group)
{
	struct finding *finding;

	finding = find(doctor, group, SEVERITY_SERIOUS, "amnesia",
		       "amnesia: too many members lost their memory at once");
	finding->code = EXIT_HALTED;
	if (group->attr[VRSEQ_A_RECORD])
		advise(finding, "bring all members back, with their records; if one stays away: "
		       "vrseq group reform %s", attr_string(group->attr[VRSEQ_A_NAME]));
	else
		advise(finding, "no record here: delete the group at all members, add it again, "
		       "and form it with a generation higher than %" PRIu64,
		       attr_u64(group->attr[VRSEQ_A_GENERATION]));
}

static void look_at_state(struct doctor *doctor, const struct group *group)
{
	uint64_t state = attr_u64(group->attr[VRSEQ_A_STATE]);
	struct finding *finding;

	switch (group_health(group)) {
	case EXIT_OK:
		break;
	case EXIT_NO_QUORUM:
		find_no_quorum(doctor, group);
		break;
	case EXIT_NOT_YET:
		if (state != VRSEQ_STATE_RECOVERING) {
			find_not_formed(doctor, group, state == VRSEQ_STATE_FORMING);
			break;
		}
		finding = find(doctor, group, SEVERITY_SERIOUS, "recovering",
			       "this member has no memory it can trust, and gets it back from the "
			       "others");
		finding->code = EXIT_NOT_YET;
		advise(finding, "wait; a majority has to answer, the primary among it");
		break;
	default:
		if (state == VRSEQ_STATE_AMNESIA)
			find_amnesia(doctor, group);
		else
			find_halted(doctor, group);
	}
}

static void look_at_keys(struct doctor *doctor, const struct group *group)
{
	struct finding *finding;

	if (group->attr[VRSEQ_A_INSECURE]) {
		finding = find(doctor, group, SEVERITY_WARNING, "insecure",
			       "the group is insecure: who reaches port %" PRIu64 "/udp can forge "
			       "anything", attr_u64(group->attr[VRSEQ_A_PORT]));
		advise(finding, "vrseq genkey; add the group again at all members with that key");
	}
	if (group->attr[VRSEQ_A_KEY_TAG_SECOND]) {
		finding = find(doctor, group, SEVERITY_WARNING, "second-key",
			       "a change of keys is not finished: %02" PRIx64 " seals, and %02"
			       PRIx64 " opens, too", attr_u64(group->attr[VRSEQ_A_KEY_TAG]),
			       attr_u64(group->attr[VRSEQ_A_KEY_TAG_SECOND]));
		advise(finding, "when vrseq group show has the same two at all members: vrseq key "
		       "swap where the old one seals, then vrseq key del at all");
	}
}

static void look_at_record(struct doctor *doctor, const struct group *group)
{
	uint64_t error = attr_u64(group->attr[VRSEQ_A_RECORD_ERROR]);
	const char *record = attr_string(group->attr[VRSEQ_A_RECORD]);
	const struct nlattr *const *member;
	struct finding *finding;
	unsigned int i;

	if (is_client(group))
		return;
	if (!*record) {
		finding = find(doctor, group, SEVERITY_NOTE, "no-record",
			       "no record is kept here: after a loss of all power somebody has to "
			       "know the generation");
		advise(finding, "add the group with record FILE, at one member after the other");
		return;
	}
	if (error) {
		finding = find(doctor, group, SEVERITY_WARNING, "record-failing",
			       "the record %s cannot be written: %s", record, strerror(error));
		advise(finding, "see to its disk; what needs the record waits until it is written");
	}
	if (error || attr_u64(group->attr[VRSEQ_A_STATE]) != VRSEQ_STATE_NORMAL)
		return;
	for (i = 0; i < group->member_count; i++) {
		member = member_at(group, i);
		if (member[VRSEQ_A_MEMBER_RECORDED] || is_silent(group, member))
			continue;
		finding = find(doctor, group, SEVERITY_WARNING, "record-missing",
			       "member %" PRIu64 " has no record to count on after a loss of "
			       "all power", attr_u64(member[VRSEQ_A_MEMBER_ID]));
		finding->member = attr_u64(member[VRSEQ_A_MEMBER_ID]);
		advise(finding, "add the group there with record FILE; if its machine went back in "
		       "time, the record counts from the next generation on");
	}
}

static void look_at_choices(struct doctor *doctor, const struct group *group)
{
	uint64_t timeout_ns = attr_u64(group->attr[VRSEQ_A_VIEW_TIMEOUT_NS]);
	uint64_t slowest_ns = 0, round_trip_ns, slowest = 0;
	char text[2][32];
	struct finding *finding;
	unsigned int i;

	for (i = 0; i < group->member_count; i++) {
		round_trip_ns = attr_u64(member_at(group, i)[VRSEQ_A_MEMBER_ROUND_TRIP_NS]);
		if (round_trip_ns <= slowest_ns)
			continue;
		slowest_ns = round_trip_ns;
		slowest = attr_u64(member_at(group, i)[VRSEQ_A_MEMBER_ID]);
	}
	if (timeout_ns && timeout_ns / ROUND_TRIPS_MIN < slowest_ns) {
		finding = find(doctor, group, SEVERITY_WARNING, "short-view-timeout",
			       "the view timeout, %s, is less than %u round trips to member %"
			       PRIu64 ", of %s", time_text(timeout_ns, text[0], sizeof(text[0])),
			       ROUND_TRIPS_MIN, slowest,
			       time_text(slowest_ns, text[1], sizeof(text[1])));
		finding->member = slowest;
		advise(finding, "add the group again with a longer view-timeout, at one member "
		       "after the other");
	}
	if (attr_u64(group->attr[VRSEQ_A_LEASE_NS]) && !is_client(group)) {
		finding = find(doctor, group, SEVERITY_NOTE, "lease",
			       "the lease, %s, believes clocks: reads of mode lease may be old if "
			       "a machine is paused without its clock",
			       time_text(attr_u64(group->attr[VRSEQ_A_LEASE_NS]), text[0],
					 sizeof(text[0])));
		advise(finding, "leave lease out if virtual machines of the group are ever paused");
	}
	if (group->member_count && group->member_count % 2 == 0) {
		finding = find(doctor, group, SEVERITY_NOTE, "even-voters",
			       "%u voters survive no more losses than %u", group->member_count,
			       group->member_count - 1);
		advise(finding, "have an odd number of them");
	}
}

void doctor_group(struct doctor *doctor, const struct group *group)
{
	unsigned int i;

	look_at_state(doctor, group);
	for (i = 0; i < group->member_count; i++) {
		/* a client talks to one voter, and the others have no reason to talk to it */
		if (!is_client(group) || has_other_key(member_at(group, i)) ||
		    group_health(group) != EXIT_OK)
			look_at_member(doctor, group, member_at(group, i));
	}
	look_at_keys(doctor, group);
	look_at_record(doctor, group);
	look_at_choices(doctor, group);
}

/* --- what is counted --- */

static const struct counter {
	const char *name;	/* in STATS_GET, and of the finding */
	const char *means;
	const char *advice;
	bool explained;		/* by a member that is silent or has another key */
} counters[] = {
	{ "drop_forged", "datagrams that do not open were dropped: forged, or damaged",
	  "find out who sends them: tcpdump at this port", false },
	{ "drop_key", "datagrams under a key that is not known here were dropped",
	  "compare the keys that vrseq group show prints at the members", false },
	{ "drop_envelope", "datagrams that no member sends were dropped",
	  "who else sends to this port, a member that is insecure or of another version?", false },
	{ "drop_address", "datagrams that did not come from their member's address were dropped",
	  "compare vrseq member show at all members; is there address translation?", false },
	{ "drop_size", "datagrams longer than any of ours were dropped",
	  "find out who sends them: tcpdump at this port", false },
	{ "drop_checksum", "datagrams without a UDP checksum were dropped",
	  "find out who takes it away: tcpdump -v at both ends", false },
	{ "drop_session", "datagrams of a session that is not known here were dropped",
	  "after a restart they end by themselves; otherwise somebody replays old ones", false },
	{ "drop_replay", "datagrams that had come before, or are very old, were dropped",
	  "does the network duplicate? Otherwise somebody replays them", false },
	{ "drop_busy", "handshakes were dropped, as there were too many at once",
	  "find out who begins them: tcpdump at this port", false },
	{ "drop_no_memory", "datagrams were dropped for want of memory",
	  "give this machine more memory, or raise vm.min_free_kbytes", false },
	{ "send_no_memory", "datagrams were not sent for want of memory",
	  "give this machine more memory, or raise vm.min_free_kbytes", false },
	{ "send_no_route", "datagrams were not sent for want of a route",
	  "ip route get, with the members' addresses", false },
	{ "send_no_session", "datagrams were not sent, as no handshake is done",
	  "they end by themselves; otherwise compare the keys", true },
	{ "timer_late", "the timer was late by more than a heartbeat",
	  "this machine is too slow, or was stopped: more processor, a longer heartbeat", false },
	{ "demoted_rollback", "this machine was put back to a snapshot, and the member recovered",
	  "do not go back to snapshots of members", false },
	{ "demoted_gap", "this machine stood still too long, and the member recovered",
	  "do not pause it, or give it a VM generation id", false },
	{ "demoted_sleep", "this machine slept on a disk, and the member recovered",
	  "do not hibernate members", false },
	{ "drop_members", "datagrams of another list of members were dropped",
	  "compare vrseq member show at all members", false },
	{ "drop_version", "datagrams of another version were dropped",
	  "upgrade the members, one after the other, to the same version", false },
	{ "drop_generation", "datagrams of another generation were dropped",
	  "after a reform they end by themselves; otherwise compare vrseq group show", false },
};

_Static_assert(ARRAY_SIZE(counters) <= DOCTOR_COUNTERS_MAX, "too many counters");

static void take_value(const char *name, uint64_t value, void *data)
{
	uint64_t *values = data;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		if (!strcmp(counters[i].name, name))
			values[i] = value;
	}
}

int counters_take(const struct nlmsghdr *nlh, uint64_t *values)
{
	return stats_each(nlh, take_value, values);
}

/* What grows is wrong now; what does not was, and is still worth a line. */
void doctor_counters(struct doctor *doctor, const struct group *group,
		     const struct counters *seen)
{
	uint64_t count, recent;
	struct finding *finding;
	enum severity severity;
	char text[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counters); i++) {
		count = seen->after[i];
		recent = count > seen->before[i] ? count - seen->before[i] : 0;
		if (!count)
			continue;
		severity = recent && !(counters[i].explained && somebody_is_away(group)) ?
			   SEVERITY_WARNING : SEVERITY_NOTE;
		finding = find(doctor, group, severity, counters[i].name, "%s: %" PRIu64
			       " times", counters[i].means, count);
		finding->counted = true;
		finding->count = count;
		finding->recent = recent;
		if (doctor->watch_ns)
			snprintf(finding->text + strlen(finding->text),
				 sizeof(finding->text) - strlen(finding->text),
				 ", %" PRIu64 " in the last %s", recent,
				 time_text(doctor->watch_ns, text, sizeof(text)));
		advise(finding, "%s", counters[i].advice);
	}
}
