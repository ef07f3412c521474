// SPDX-License-Identifier: GPL-2.0
/* The kernel's world of vrt.h. The suites register themselves. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <kunit/resource.h>

#include "vrt.h"

static int take(struct kunit_resource *resource, void *bytes)
{
	resource->data = kvzalloc(*(size_t *)bytes, GFP_KERNEL);
	return resource->data ? 0 : -ENOMEM;
}

static void give_back(struct kunit_resource *resource)
{
	kvfree(resource->data);
}

/* A group in hand is more than kmalloc() gives at once. */
void *vrt_alloc(struct vrt *t, size_t bytes)
{
	void *memory = kunit_alloc_resource(t, take, give_back, GFP_KERNEL, &bytes);

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
