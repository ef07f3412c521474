/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The floor under the core: the only file in kmod/core that knows whether it is
 * compiled into the kernel or into a userspace program, and the only one that
 * includes anything from outside. What is not offered here the core cannot use.
 */
#ifndef VR_PLATFORM_H
#define VR_PLATFORM_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/types.h>

/* A belief costs nothing in production; vr_never() is the one that stays. */
#define vr_assert(x) do { if (0) (void)(x); } while (0)

#else /* userspace: simulator, unit tests, fuzzers */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;

#define U16_MAX UINT16_MAX
#define U32_MAX UINT32_MAX
#define U64_MAX UINT64_MAX

#define vr_assert(x) assert(x)

#endif

#define VR_ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#define VR_NS_PER_MS 1000000ull

static inline u64 vr_min(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 vr_max(u64 a, u64 b)
{
	return a > b ? a : b;
}

#endif /* VR_PLATFORM_H */
