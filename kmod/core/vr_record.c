// SPDX-License-Identifier: GPL-2.0
/* The bytes of a record; see vr_record.h. */
#include "vr_bytes.h"
#include "vr_record.h"

static const u8 magic[8] = { 'V', 'R', 'S', 'E', 'Q', 'R', 'E', 'C' };
#define CHECKSUM_AT	(VR_RECORD_SLOT_BYTES - 8)
#define USED_BYTES	80

enum slot_state { SLOT_ZERO, SLOT_BAD, SLOT_NEW, SLOT_GOOD };

/* Each step can be undone, so two slots that differ in one word never agree. */
static u64 checksum(const u8 *slot)
{
	u64 hash = vr_get64(magic);
	u32 at;

	for (at = 0; at < CHECKSUM_AT; at += 8)
		hash = vr_hash_mix(hash, vr_get64(slot + at));
	return hash;
}

void vr_record_encode(u8 *slot, const struct vr_record *record)
{
	memset(slot, 0, VR_RECORD_SLOT_BYTES);
	memcpy(slot, magic, sizeof(magic));
	vr_put32(slot + 8, VR_RECORD_VERSION);
	slot[12] = record->formed;
	slot[13] = record->doubtful;
	vr_put16(slot + 14, record->member_id);
	vr_put64(slot + 16, record->sequence);
	memcpy(slot + 24, record->uuid, VR_UUID_BYTES);
	vr_put64(slot + 40, record->members);
	vr_put16(slot + 48, record->generation);
	vr_put16(slot + 50, record->accepted_generation);
	vr_put32(slot + 52, record->instance);
	vr_put64(slot + 56, record->incarnation);
	vr_put64(slot + 64, record->ballot);
	vr_put64(slot + 72, record->accepted);
	vr_put64(slot + CHECKSUM_AT, checksum(slot));
}

static bool is_zero(const u8 *bytes, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static enum slot_state decode(const u8 *slot, struct vr_record *record)
{
	if (is_zero(slot, VR_RECORD_SLOT_BYTES))
		return SLOT_ZERO;
	if (memcmp(slot, magic, sizeof(magic)) || vr_get64(slot + CHECKSUM_AT) != checksum(slot))
		return SLOT_BAD;
	if (vr_get32(slot + 8) > VR_RECORD_VERSION)
		return SLOT_NEW;
	if (vr_get32(slot + 8) != VR_RECORD_VERSION || slot[12] > 1 || slot[13] > 1 ||
	    !is_zero(slot + USED_BYTES, CHECKSUM_AT - USED_BYTES))
		return SLOT_BAD;
	record->formed = slot[12];
	record->doubtful = slot[13];
	record->member_id = vr_get16(slot + 14);
	record->sequence = vr_get64(slot + 16);
	memcpy(record->uuid, slot + 24, VR_UUID_BYTES);
	record->members = vr_get64(slot + 40);
	record->generation = vr_get16(slot + 48);
	record->accepted_generation = vr_get16(slot + 50);
	record->instance = vr_get32(slot + 52);
	record->incarnation = vr_get64(slot + 56);
	record->ballot = vr_get64(slot + 64);
	record->accepted = vr_get64(slot + 72);
	if (!record->sequence || record->generation > VR_GENERATION_MAX ||
	    record->accepted_generation > VR_GENERATION_MAX ||
	    record->formed != !!record->instance || record->accepted > record->ballot)
		return SLOT_BAD;
	return SLOT_GOOD;
}

enum vr_record_verdict vr_record_decode(const u8 *bytes, u32 count, struct vr_record *record)
{
	struct vr_record other;
	enum slot_state first = SLOT_ZERO, second = SLOT_ZERO;

	if (count >= VR_RECORD_SLOT_BYTES)
		first = decode(bytes, record);
	else if (!is_zero(bytes, count))
		first = SLOT_BAD;
	if (count >= VR_RECORD_BYTES)
		second = decode(bytes + VR_RECORD_SLOT_BYTES, &other);
	else if (count > VR_RECORD_SLOT_BYTES &&
		 !is_zero(bytes + VR_RECORD_SLOT_BYTES, count - VR_RECORD_SLOT_BYTES))
		second = SLOT_BAD;

	/* What a newer version says may be newer than all that can be read here. */
	if (first == SLOT_NEW || second == SLOT_NEW)
		return VR_RECORD_VERSION_NEW;
	if (second == SLOT_GOOD && (first != SLOT_GOOD || other.sequence > record->sequence)) {
		*record = other;
		return VR_RECORD_HALF;
	}
	if (first == SLOT_GOOD)
		return second == SLOT_GOOD && other.sequence == record->sequence ?
		       VR_RECORD_WHOLE : VR_RECORD_HALF;
	return first == SLOT_ZERO && second == SLOT_ZERO ? VR_RECORD_BLANK : VR_RECORD_DAMAGED;
}

u32 vr_record_slot(const u8 *bytes, u32 count)
{
	struct vr_record first, second;

	if (count < VR_RECORD_SLOT_BYTES || decode(bytes, &first) != SLOT_GOOD)
		return 0;
	return count < VR_RECORD_BYTES ||
	       decode(bytes + VR_RECORD_SLOT_BYTES, &second) != SLOT_GOOD ||
	       second.sequence <= first.sequence;
}

const char *vr_record_verdict_text(enum vr_record_verdict verdict)
{
	static const char * const texts[VR_RECORD_COUNT] = {
		[VR_RECORD_WHOLE] = "whole",
		[VR_RECORD_HALF] = "whole in one of its two slots",
		[VR_RECORD_BLANK] = "blank",
		[VR_RECORD_DAMAGED] = "damaged",
		[VR_RECORD_VERSION_NEW] = "of a newer version",
	};

	return verdict < VR_RECORD_COUNT ? texts[verdict] : "?";
}
