// SPDX-License-Identifier: GPL-2.0
/*
 * One sentence for people: what this member is doing, and if it can do nothing,
 * who is silent and for how long. Device and netlink show the same one.
 */
#include "group.h"

#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/math64.h>

struct sentence {
	char *text;
	int bytes;
};

static __printf(2, 3) void say(struct sentence *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	s->bytes += vscnprintf(s->text + s->bytes, VRSEQ_STATUS_TEXT_BYTES - s->bytes,
			       format, args);
	va_end(args);
}

/* PING comes every eight heartbeats or so; two of them may be lost. */
static bool is_silent(const struct vrseq_group *group, const struct vrseq_snapshot *look,
		      u8 slot)
{
	u64 silent_ns = group->config.view_timeout_ns + 24 * group->config.heartbeat_ns;
	u64 heard_ns = look->info.peers[slot].heard_ns;

	return slot != look->self && (!heard_ns || look->now_ns - heard_ns > silent_ns);
}

static void say_peers(struct sentence *s, const struct vrseq_group *group,
		      const struct vrseq_snapshot *look)
{
	u8 slot;

	for (slot = 0; slot < look->member_count; slot++) {
		const struct vr_peer_info *peer = &look->info.peers[slot];
		u16 id = look->members[slot].id;
		u64 tenths;

		if (look->trust[slot] == VRSEQ_TRUST_OTHER_KEY) {
			say(s, "; member %u has another key", id);
			continue;
		}
		if (!is_silent(group, look, slot)) {
			if (peer->members_differ)
				say(s, "; member %u has another list of members", id);
			continue;
		}
		if (!peer->heard_ns) {
			say(s, "; member %u never heard", id);
			continue;
		}
		tenths = div_u64(look->now_ns - peer->heard_ns, NSEC_PER_SEC / 10);
		say(s, "; member %u silent %llu.%llu s", id, tenths / 10, tenths % 10);
	}
}

/* What a client's processes hold is there for as long as this says. */
static void say_client(struct sentence *s, const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;

	say(s, "client: ");
	if (info->status == VR_STATUS_BLANK)
		say(s, look->member_count ? "no voter answers for a formed group yet" :
					    "add the voters with vrseq member add");
	else if (info->node_lease_until_ns && info->node_lease_until_ns <= look->now_ns)
		say(s, "its node lease may be over, and with it all that its files held; ");
}

static void say_members(struct sentence *s, const struct vrseq_snapshot *look, u8 mask)
{
	const char *before = "";
	u8 slot;

	for (slot = 0; slot < look->member_count; slot++) {
		if (!(mask & BIT(slot)))
			continue;
		say(s, "%s%u", before, look->members[slot].id);
		before = ", ";
	}
}

/* R34: who is kept from what by modules that are older. */
static void say_versions(struct sentence *s, const struct vrseq_group *group,
			 const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;

	if (info->behind_mask) {
		say(s, "; too old for the log, exchange its module: member ");
		say_members(s, look, info->behind_mask);
	} else if (info->older_mask && (group->config.client || look->client_count)) {
		say(s, "; clients are not served: not known to be of wire version %u: member ",
		    VR_WIRE_VERSION_CLIENTS);
		say_members(s, look, info->older_mask);
	}
}

static void say_transfer(struct sentence *s, const struct vr_info *info)
{
	if (info->transfer_bytes_total)
		say(s, "; fetching a checkpoint, %u of %u bytes", info->transfer_bytes,
		    info->transfer_bytes_total);
}

static void say_lost(struct sentence *s, const struct vrseq_snapshot *look)
{
	say(s, "amnesia: no memory at member ");
	say_members(s, look, look->info.lost_mask);
}

static void say_quorum(struct sentence *s, const struct vrseq_group *group,
		       const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;
	u8 slot, reached = 0;

	for (slot = 0; slot < look->member_count; slot++)
		reached += !is_silent(group, look, slot);
	if (info->has_quorum || (group->config.client && info->primary != VR_NOBODY))
		say(s, "member %u is primary of view %llu",
		    look->members[info->primary % VR_REPLICAS_MAX].id, info->view);
	else if (group->config.client)
		say(s, "looks for the primary, of view %llu or later", info->view);
	else if (reached < info->quorum)
		say(s, "no quorum: reach %u of %u, need %u", reached, look->member_count,
		    info->quorum);
	else
		say(s, "no quorum yet: changing to view %llu", info->view);
}

/* What there is to do about it. */
static void say_way_out(struct sentence *s, const struct vrseq_group *group,
			const struct vrseq_snapshot *look)
{
	const struct vr_info *info = &look->info;
	unsigned int all = BIT(look->member_count) - 1;
	bool counted = info->recorded_mask & BIT(look->self);

	if (!info->keeps_record)
		say(s, "; no record here: form it again with a higher generation");
	else if (!counted)
		say(s, "; the record here cannot be counted on");
	else if (info->lost_mask != all)
		say(s, "; waits for the others, or vrseq group reform %s", group->config.name);
	else if (info->recorded_mask != all)
		say(s, "; a record is missing: vrseq group reform %s", group->config.name);
	else
		say(s, "; begins generation %u",
		    max(info->record.generation, info->record.accepted_generation) + 1);
}

static void say_record(struct sentence *s, const struct vr_info *info)
{
	if (info->record_error)
		say(s, "; record cannot be written: error %d", -info->record_error);
}

/* A disk may take its time; that it takes long is worth a word. */
static void say_journal(struct sentence *s, const struct vrseq_snapshot *look)
{
	const struct vrseq_journal_state *journal = &look->journal;
	u64 tenths;

	if (journal->error)
		say(s, "; error %d of its disk", -journal->error);
	if (journal->damaged && (look->info.status == VR_STATUS_RECOVERING ||
				 look->info.status == VR_STATUS_AMNESIA))
		say(s, "; the journal was damaged");
	if (!journal->busy_ns || look->now_ns < journal->busy_ns + NSEC_PER_SEC)
		return;
	tenths = div_u64(look->now_ns - journal->busy_ns, NSEC_PER_SEC / 10);
	say(s, "; the disk of the journal silent %llu.%llu s", tenths / 10, tenths % 10);
}

/**
 * vrseq_status_describe - the sentence that goes with a look at a group
 * @group:	the group
 * @look:	all of it but @look->text, which receives the sentence
 */
void vrseq_status_describe(const struct vrseq_group *group, struct vrseq_snapshot *look)
{
	static const char * const refusals[VR_REFUSAL_COUNT] = {
		[VR_REFUSAL_NONE] = "recovers",
		[VR_REFUSAL_MEMORY_LOST] = "lost its memory of the group and recovers",
		[VR_REFUSAL_DEMOTED] = "does not trust its memory and recovers",
		[VR_REFUSAL_FENCED] = "is of an earlier generation and recovers",
	};
	static const char * const halts[VR_HALT_COUNT] = {
		[VR_HALT_NONE] = "no reason",
		[VR_HALT_COMMITTED_CONFLICT] = "another entry at a committed place",
		[VR_HALT_LOG_GAP] = "a gap in the log",
		[VR_HALT_LOG_FULL] = "the log is full",
		[VR_HALT_TWO_LOGS] = "two logs in one view",
		[VR_HALT_DISK] = "its journal cannot be written",
		[VR_HALT_LIVES] = "no number is left for its next life",
	};
	const struct vr_info *info = &look->info;
	struct sentence s = { .text = look->text };

	if (group->config.client)
		say_client(&s, look);
	switch (info->status) {
	case VR_STATUS_BLANK:
		if (look->journal_differs)
			say(&s, "the journal is of a group of other members: add them");
		else if (info->keeps_record && info->record.formed)
			say(&s, "the record is of a group of other members: add them");
		else if (!group->config.client)
			say(&s, "not formed: run vrseq group form %s", group->config.name);
		break;
	case VR_STATUS_FORMING:
		say(&s, "being formed: waiting for the promise of all members");
		break;
	case VR_STATUS_RECOVERING:
		say(&s, "this member %s: %u of %u answers",
		    refusals[info->refusal % VR_REFUSAL_COUNT], info->answers,
		    info->answers_needed);
		break;
	case VR_STATUS_AMNESIA:
		say_lost(&s, look);
		say_way_out(&s, group, look);
		break;
	case VR_STATUS_HALTED:
		say(&s, "this member halted: %s", halts[info->halt % VR_HALT_COUNT]);
		break;
	default:
		say_quorum(&s, group, look);
	}
	if (info->instance)
		say_versions(&s, group, look);
	say_transfer(&s, info);
	say_record(&s, info);
	say_journal(&s, look);
	if (!group->config.client || info->status != VR_STATUS_NORMAL)
		say_peers(&s, group, look);
	if (!group->config.secure)
		say(&s, "; insecure");
}
