// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the two slots of a record: any file gets a verdict; what is believed is
 * what some whole slot says, byte for byte; and the next write spares it, wherever it is
 * torn. Checksums would keep the fuzzer out, so the first byte says which are made good.
 */
#include "fuzz.h"
#include "vr_record.h"

/* The sum is no secret: a record that is encoded has it, and all else is its input. */
static void seal(u8 *slot)
{
	u64 hash = vr_get64((const u8 *)"VRSEQREC");
	u32 at;

	for (at = 0; at < VR_RECORD_SLOT_BYTES - 8; at += 8)
		hash = vr_hash_mix(hash, vr_get64(slot + at));
	vr_put64(slot + VR_RECORD_SLOT_BYTES - 8, hash);
}

static bool says(const u8 *slot, const struct vr_record *record)
{
	u8 again[VR_RECORD_SLOT_BYTES];

	vr_record_encode(again, record);
	return !memcmp(again, slot, sizeof(again));
}

/* The next write begins in a slot, and ends with its first @torn bytes there. */
static void tear(const u8 *bytes, u32 count, const struct vr_record *record, u32 torn)
{
	struct vr_record next = *record, found;
	u8 slot[VR_RECORD_SLOT_BYTES], after[VR_RECORD_BYTES] = { 0 };
	enum vr_record_verdict verdict;

	memcpy(after, bytes, count);
	next.sequence++;
	vr_record_encode(slot, &next);
	memcpy(after + vr_record_slot(bytes, count) * VR_RECORD_SLOT_BYTES, slot, torn);
	verdict = vr_record_decode(after, sizeof(after), &found);
	must(verdict == VR_RECORD_WHOLE || verdict == VR_RECORD_HALF);
	must(found.sequence == (torn == VR_RECORD_SLOT_BYTES ? next.sequence : record->sequence) ||
	     says(slot, &found));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u8 how = take(&in), *bytes;
	u32 torn = (take(&in) | take(&in) << 8) % (VR_RECORD_SLOT_BYTES + 1);
	u32 count = how & 4 ? VR_RECORD_BYTES : vr_min(in.size, VR_RECORD_BYTES), i;
	enum vr_record_verdict verdict;
	struct vr_record record;
	bool whole[2];

	/* Of its exact size: a byte read too far is seen. */
	bytes = malloc(count ? count : 1);
	must(bytes);
	for (i = 0; i < count; i++)
		bytes[i] = take(&in);
	for (i = 0; i < VR_RECORD_SLOTS && (i + 1) * VR_RECORD_SLOT_BYTES <= count; i++) {
		u8 *slot = bytes + i * VR_RECORD_SLOT_BYTES;

		if (how & 8)
			memcpy(slot, "VRSEQREC\1\0\0", 12);
		if (how & 16)
			memset(slot + 80, 0, VR_RECORD_SLOT_BYTES - 88);
		if (how & (1 << i))
			seal(slot);
	}
	verdict = vr_record_decode(bytes, count, &record);
	must(verdict < VR_RECORD_COUNT && *vr_record_verdict_text(verdict) != '?');
	must(vr_record_slot(bytes, count) < VR_RECORD_SLOTS);
	if (verdict == VR_RECORD_WHOLE || verdict == VR_RECORD_HALF) {
		whole[0] = says(bytes, &record);
		whole[1] = count == VR_RECORD_BYTES && says(bytes + VR_RECORD_SLOT_BYTES, &record);
		must(whole[0] || whole[1]);
		must(!whole[vr_record_slot(bytes, count)] || (whole[0] && whole[1]) ||
		     verdict == VR_RECORD_WHOLE);
		if (record.sequence < U64_MAX)
			tear(bytes, count, &record, torn);
	}
	free(bytes);
	return 0;
}
