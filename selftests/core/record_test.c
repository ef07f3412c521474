// SPDX-License-Identifier: GPL-2.0
/* The two slots of a record: what any damage to them can do, and cannot. */
#include "vr_record.h"
#include "vrt.h"

static struct vr_record sample(u64 sequence)
{
	struct vr_record record = {
		.members = 0x1122334455667788ull,
		.sequence = sequence,
		.member_id = 513,
		.formed = true,
		.generation = 7,
		.accepted_generation = 8,
		.instance = 0xdeadbeef,
		.incarnation = 5,
		.ballot = 0x1234567890ull + sequence,
		.accepted = 0x1234567888ull,
	};
	u32 i;

	for (i = 0; i < VR_UUID_BYTES; i++)
		record.uuid[i] = 0xa0 + i;
	return record;
}

static bool equal(const struct vr_record *a, const struct vr_record *b)
{
	return !memcmp(a->uuid, b->uuid, VR_UUID_BYTES) && a->members == b->members &&
	       a->sequence == b->sequence && a->member_id == b->member_id &&
	       a->formed == b->formed && a->doubtful == b->doubtful &&
	       a->generation == b->generation &&
	       a->accepted_generation == b->accepted_generation &&
	       a->instance == b->instance && a->incarnation == b->incarnation &&
	       a->ballot == b->ballot && a->accepted == b->accepted;
}

static void write_both(u8 *bytes, const struct vr_record *record)
{
	vr_record_encode(bytes, record);
	vr_record_encode(bytes + VR_RECORD_SLOT_BYTES, record);
}

static void comes_back(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record is, should = sample(3);

	write_both(bytes, &should);
	VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is), VR_RECORD_WHOLE);
	VRT_EXPECT(t, equal(&is, &should));
	should = (struct vr_record){ .sequence = 1, .member_id = 2, .doubtful = true };
	write_both(bytes, &should);
	VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is), VR_RECORD_WHOLE);
	VRT_EXPECT(t, equal(&is, &should));
}

static void blank(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record is;
	u32 count;

	for (count = 0; count <= VR_RECORD_BYTES; count++)
		VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, count, &is), VR_RECORD_BLANK);
	for (count = 0; count < VR_RECORD_BYTES; count++) {
		bytes[count] = 1;
		VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is),
				 VR_RECORD_DAMAGED);
		VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, count + 1, &is),
				 VR_RECORD_DAMAGED);
		bytes[count] = 0;
	}
}

/* Any byte, any bit of it: the other slot is used, and no lie is believed. */
static void flipped(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record is, should = sample(3);
	u32 at, bit;

	for (at = 0; at < VR_RECORD_BYTES; at++) {
		for (bit = 0; bit < 8; bit++) {
			write_both(bytes, &should);
			bytes[at] ^= 1u << bit;
			VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is),
					 VR_RECORD_HALF);
			VRT_EXPECT(t, equal(&is, &should));
		}
	}
	for (at = 0; at < VR_RECORD_SLOT_BYTES; at++) {
		for (bit = 0; bit < 8; bit++) {
			write_both(bytes, &should);
			bytes[at] ^= 1u << bit;
			bytes[VR_RECORD_BYTES - 1 - at] ^= 1u << bit;
			VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is),
					 VR_RECORD_DAMAGED);
		}
	}
}

/* Power fails after any byte of the write: the old record or the new one. */
static void torn(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	u8 *slot = vrt_alloc(t, VR_RECORD_SLOT_BYTES);
	struct vr_record is, old = sample(3), new = sample(4);
	enum vr_record_verdict verdict;
	u32 written;

	vr_record_encode(slot, &new);
	for (written = 0; written <= VR_RECORD_BYTES; written++) {
		u32 first = vr_min(written, VR_RECORD_SLOT_BYTES);

		write_both(bytes, &old);
		memcpy(bytes, slot, first);
		memcpy(bytes + VR_RECORD_SLOT_BYTES, slot, written - first);
		verdict = vr_record_decode(bytes, VR_RECORD_BYTES, &is);
		VRT_EXPECT(t, verdict <= VR_RECORD_HALF);
		VRT_EXPECT(t, equal(&is, written >= VR_RECORD_SLOT_BYTES ? &new : &old) ||
			   (written > VR_RECORD_SLOT_BYTES - 8 && equal(&is, &new)));
	}
	/* The very first one, in a file that grows with it. */
	for (written = 1; written < VR_RECORD_BYTES; written++) {
		write_both(bytes, &new);
		verdict = vr_record_decode(bytes, written, &is);
		VRT_EXPECT_EQUAL(t, verdict, written < VR_RECORD_SLOT_BYTES ?
				 VR_RECORD_DAMAGED : VR_RECORD_HALF);
	}
}

static void newest(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record is, old = sample(3), new = sample(4);

	vr_record_encode(bytes, &new);
	vr_record_encode(bytes + VR_RECORD_SLOT_BYTES, &old);
	VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is), VR_RECORD_HALF);
	VRT_EXPECT(t, equal(&is, &new));
	/* Slots that changed places are as good. */
	vr_record_encode(bytes, &old);
	vr_record_encode(bytes + VR_RECORD_SLOT_BYTES, &new);
	VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is), VR_RECORD_HALF);
	VRT_EXPECT(t, equal(&is, &new));
}

/* Fields that no writer of ours ever wrote, under a good checksum. */
static void nonsense(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record is, bad[] = {
		sample(0), sample(3), sample(3), sample(3), sample(3),
	};
	u32 i;

	bad[1].generation = VR_GENERATION_MAX + 1;
	bad[2].accepted_generation = VR_GENERATION_MAX + 1;
	bad[3].instance = 0;
	bad[4].accepted = bad[4].ballot + 1;
	for (i = 0; i < VR_ARRAY_COUNT(bad); i++) {
		write_both(bytes, &bad[i]);
		VRT_EXPECT_EQUAL(t, vr_record_decode(bytes, VR_RECORD_BYTES, &is),
				 VR_RECORD_DAMAGED);
	}
}

/* What is written first is never what would be read. */
static void begins(struct vrt *t)
{
	u8 *bytes = vrt_alloc(t, VR_RECORD_BYTES);
	struct vr_record old = sample(5), new = sample(6), newest = sample(7);
	u8 *second = bytes + VR_RECORD_SLOT_BYTES;

	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, 0), 0);
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_BYTES), 0);
	vr_record_encode(second, &old);
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_BYTES), 0);
	vr_record_encode(bytes, &new);
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_BYTES), 1);
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_SLOT_BYTES), 1);
	vr_record_encode(second, &newest);
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_BYTES), 0);
	second[100] ^= 1;
	VRT_EXPECT_EQUAL(t, vr_record_slot(bytes, VR_RECORD_BYTES), 1);
}

static struct vrt_case cases[] = {
	{ comes_back, "what is written is read" },
	{ blank, "zeroes of any length are blank, anything else is not" },
	{ flipped, "a flipped bit costs a slot, never a lie" },
	{ torn, "a write that breaks off leaves the old record or the new one" },
	{ newest, "the newest slot is believed, wherever it is" },
	{ begins, "a write begins where it can do no harm" },
	{ nonsense, "a checksum does not make nonsense a record" },
	{ }
};

VRT_SUITE(record, cases);
