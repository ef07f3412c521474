/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One source of test bodies, two worlds: a userspace program that prints TAP
 * (selftests/core/main.c) and KUnit suites (selftests/kunit/vrt_kunit.c). Owns
 * what a test may ask of its world, and refuses it anything else: no libc, no
 * floating point, no large stack frame.
 *
 *	static void adds(struct vrt *t)
 *	{
 *		VRT_EXPECT_EQUAL(t, 1 + 1, 2);
 *	}
 *
 *	static struct vrt_case cases[] = {
 *		{ adds, "one and one is two" },
 *		{ }
 *	};
 *
 *	VRT_SUITE(arithmetic, cases);
 *
 * EXPECT notes a failure and goes on, ASSERT ends the test.
 */
#ifndef VRT_H
#define VRT_H

#ifdef __KERNEL__

#include <kunit/test.h>

#define vrt kunit
#define vrt_case kunit_case

#define VRT_SUITE(suite_name, suite_cases) \
	static struct kunit_suite vrt_suite = { \
		.name = "vr_" #suite_name, \
		.test_cases = suite_cases, \
	}; \
	kunit_test_suite(vrt_suite)

#else

#include "vr_platform.h"

struct vrt;

struct vrt_case {
	void (*run_case)(struct vrt *t);
	const char *name;
};

struct vrt_suite {
	const char *name;
	const struct vrt_case *cases;
	struct vrt_suite *next;
};

void vrt_register(struct vrt_suite *suite);

#define VRT_SUITE(suite_name, suite_cases) \
	static struct vrt_suite vrt_suite = { \
		.name = #suite_name, \
		.cases = suite_cases, \
	}; \
	__attribute__((constructor)) static void vrt_suite_register(void) \
	{ \
		vrt_register(&vrt_suite); \
	} \
	struct vrt_suite

#endif

/** vrt_alloc - zeroed memory of exactly this size, freed when the test ends */
void *vrt_alloc(struct vrt *t, size_t bytes);

/* What the macros below call: out of line, to keep stack frames small. */
bool vrt_holds(struct vrt *t, bool holds, const char *file, int line, const char *what);
bool vrt_equal(struct vrt *t, u64 is, u64 should, const char *file, int line,
	       const char *what);
void vrt_end(struct vrt *t);

#define VRT_EXPECT(t, x) \
	((void)vrt_holds(t, x, __FILE__, __LINE__, #x))

#define VRT_EXPECT_EQUAL(t, is, should) \
	((void)vrt_equal(t, is, should, __FILE__, __LINE__, #is))

#define VRT_ASSERT(t, x) \
	(vrt_holds(t, x, __FILE__, __LINE__, #x) ? (void)0 : vrt_end(t))

#define VRT_ASSERT_EQUAL(t, is, should) \
	(vrt_equal(t, is, should, __FILE__, __LINE__, #is) ? (void)0 : vrt_end(t))

#endif /* VRT_H */
