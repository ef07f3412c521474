// SPDX-License-Identifier: GPL-2.0
/* The kernel's world of vrt.h. The suites register themselves. */
#include <linux/module.h>

#include "vrt.h"

void *vrt_alloc(struct vrt *t, size_t bytes)
{
	void *memory = kunit_kzalloc(t, bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(t, memory);
	return memory;
}

void vrt_end(struct vrt *t)
{
	kunit_try_catch_throw(&t->try_catch);
}

bool vrt_holds(struct vrt *t, bool holds, const char *file, int line, const char *what)
{
	if (!holds)
		KUNIT_FAIL(t, "%s:%d: not so: %s", file, line, what);
	return holds;
}

bool vrt_equal(struct vrt *t, u64 is, u64 should, const char *file, int line,
	       const char *what)
{
	if (is != should)
		KUNIT_FAIL(t, "%s:%d: %s is %lld (%#llx), should be %lld (%#llx)",
			   file, line, what, is, is, should, should);
	return is == should;
}

MODULE_DESCRIPTION("Unit tests of the vrseq core");
MODULE_LICENSE("GPL");
