// SPDX-License-Identifier: GPL-2.0
/* The small parts: integers in bytes, jitter, timers. */
#include "vr_bytes.h"
#include "vr_prng.h"
#include "vr_timer.h"
#include "vrt.h"

static void little_endian(struct vrt *t)
{
	static const u8 bytes[8] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 };
	u8 out[8];

	VRT_EXPECT_EQUAL(t, vr_get16(bytes), 0x7788);
	VRT_EXPECT_EQUAL(t, vr_get32(bytes), 0x55667788);
	VRT_EXPECT_EQUAL(t, vr_get64(bytes), 0x1122334455667788ull);
	vr_put64(out, 0x1122334455667788ull);
	VRT_EXPECT(t, !memcmp(out, bytes, 8));
	memset(out, 0, 8);
	vr_put32(out, 0x55667788);
	VRT_EXPECT(t, !memcmp(out, bytes, 4) && !out[4]);
	memset(out, 0, 8);
	vr_put16(out, 0x7788);
	VRT_EXPECT(t, !memcmp(out, bytes, 2) && !out[2]);
}

static void any_alignment(struct vrt *t)
{
	u8 *at = vrt_alloc(t, 16);
	u32 shift;

	for (shift = 0; shift < 8; shift++) {
		vr_put64(at + shift, 0xfedcba9876543210ull + shift);
		VRT_EXPECT_EQUAL(t, vr_get64(at + shift), 0xfedcba9876543210ull + shift);
		vr_put32(at + shift, 0xfedcba98u + shift);
		VRT_EXPECT_EQUAL(t, vr_get32(at + shift), 0xfedcba98u + shift);
		vr_put16(at + shift, 0xfedc + shift);
		VRT_EXPECT_EQUAL(t, vr_get16(at + shift), 0xfedc + shift);
	}
}

static void high_bits(struct vrt *t)
{
	u8 *at = vrt_alloc(t, 8);

	memset(at, 0xff, 8);
	VRT_EXPECT_EQUAL(t, vr_get16(at), 0xffff);
	VRT_EXPECT_EQUAL(t, vr_get32(at), 0xffffffffu);
	VRT_EXPECT_EQUAL(t, vr_get64(at), U64_MAX);
}

static void jitter_is_bounded(struct vrt *t)
{
	struct vr_prng p;
	u64 low = U64_MAX, high = 0, value;
	u32 i;

	vr_prng_seed(&p, 7);
	for (i = 0; i < 10000; i++) {
		value = vr_prng_jitter(&p, 1000000);
		low = vr_min(low, value);
		high = vr_max(high, value);
	}
	VRT_EXPECT(t, low >= 1000000 && low < 1010000);
	VRT_EXPECT(t, high <= 1250000 && high > 1240000);
	VRT_EXPECT_EQUAL(t, vr_prng_jitter(&p, 0), 0);
}

static void seeds_decide(struct vrt *t)
{
	struct vr_prng a, b, c, zero;

	vr_prng_seed(&a, 1);
	vr_prng_seed(&b, 1);
	vr_prng_seed(&c, 2);
	vr_prng_seed(&zero, 0);
	VRT_EXPECT_EQUAL(t, vr_prng_next(&a), vr_prng_next(&b));
	VRT_EXPECT(t, vr_prng_next(&a) != vr_prng_next(&c));
	VRT_EXPECT(t, vr_prng_next(&zero));
}

/* Whatever is set, moved or stopped, and whether or not somebody looked between. */
static void first_timer(struct vrt *t)
{
	struct vr_timers timers = { .first_ns = 0 };
	struct vr_prng prng = { .state = 4711 };
	u32 i;

	for (i = 0; i < VR_TIMER_COUNT; i++)
		vr_timers_put(&timers, i, VR_NEVER);
	VRT_EXPECT_EQUAL(t, vr_timers_first(&timers), VR_NEVER);
	for (i = 0; i < VR_TIMER_COUNT; i++) {
		vr_timers_put(&timers, i, 1000 - i);
		VRT_EXPECT_EQUAL(t, vr_timers_first(&timers), 1000 - i);
	}
	for (i = 0; i < 10000; i++) {
		u64 drawn = vr_prng_next(&prng);

		vr_timers_put(&timers, drawn % VR_TIMER_COUNT,
			      drawn >> 32 & 3 ? drawn >> 40 & 15 : VR_NEVER);
		if (drawn >> 36 & 1)
			VRT_EXPECT_EQUAL(t, vr_timers_first(&timers), vr_timers_look(&timers));
	}
}

static struct vrt_case cases[] = {
	{ little_endian, "integers are little-endian and touch no byte beyond" },
	{ any_alignment, "integers survive at every alignment" },
	{ high_bits, "high bits are not sign bits" },
	{ jitter_is_bounded, "jitter adds up to a quarter and uses all of it" },
	{ seeds_decide, "the same seed gives the same numbers, and 0 is a seed" },
	{ first_timer, "the deadline is the first of the timers" },
	{ }
};

VRT_SUITE(bytes, cases);
