/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What kmod/auth.c and kmod/segment.c use of the kernel, for a userspace program
 * with one thread. The other headers of this directory only lead here.
 */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#include <assert.h>
#include <stdlib.h>

#include "vr_platform.h"

#undef static_assert
#define static_assert(x) _Static_assert(x, #x)
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))
#define swap(a, b) do { __typeof__(a) __swap = (a); (a) = (b); (b) = __swap; } while (0)

struct shim_lock {
	bool held;
};

#define spinlock_t struct shim_lock

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->held = false;
}

static inline void spin_lock_bh(spinlock_t *lock)
{
	assert(!lock->held);
	lock->held = true;
}

static inline void spin_unlock_bh(spinlock_t *lock)
{
	assert(lock->held);
	lock->held = false;
}

static inline void memzero_explicit(void *p, size_t bytes)
{
	memset(p, 0, bytes);
}

/* crypto.c */
void get_random_bytes(void *p, size_t bytes);
int crypto_memneq(const void *a, const void *b, size_t bytes);
void blake2s(u8 *out, const u8 *in, const u8 *key, const size_t outlen, const size_t inlen,
	     const size_t keylen);
void chacha20poly1305_encrypt(u8 *dst, const u8 *src, const size_t src_len, const u8 *ad,
			      const size_t ad_len, const u64 nonce, const u8 *key);
bool chacha20poly1305_decrypt(u8 *dst, const u8 *src, const size_t src_len, const u8 *ad,
			      const size_t ad_len, const u64 nonce, const u8 *key);

#define CHACHA20POLY1305_KEY_SIZE	32
#define CHACHA20POLY1305_AUTHTAG_SIZE	16

#endif /* SHIM_TYPES_H */
