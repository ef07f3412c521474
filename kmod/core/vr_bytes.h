/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Little-endian integers in bytes of any alignment. Spelled out, since that is
 * what compilers turn into one load or store; a loop they leave a loop.
 */
#ifndef VR_BYTES_H
#define VR_BYTES_H

#include "vr_platform.h"

static inline void vr_put16(u8 *p, u16 v)
{
	p[0] = v;
	p[1] = v >> 8;
}

static inline void vr_put32(u8 *p, u32 v)
{
	p[0] = v & 0xff;
	p[1] = v >> 8 & 0xff;
	p[2] = v >> 16 & 0xff;
	p[3] = v >> 24;
}

static inline void vr_put64(u8 *p, u64 v)
{
	p[0] = v;
	p[1] = v >> 8;
	p[2] = v >> 16;
	p[3] = v >> 24;
	p[4] = v >> 32;
	p[5] = v >> 40;
	p[6] = v >> 48;
	p[7] = v >> 56;
}

static inline u16 vr_get16(const u8 *p)
{
	return (u16)(p[0] | p[1] << 8);
}

static inline u32 vr_get32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static inline u64 vr_get64(const u8 *p)
{
	return (u64)p[0] | (u64)p[1] << 8 | (u64)p[2] << 16 | (u64)p[3] << 24 |
	       (u64)p[4] << 32 | (u64)p[5] << 40 | (u64)p[6] << 48 | (u64)p[7] << 56;
}

/*
 * Not a cryptographic hash: it must tell apart logs that crash faults and our
 * own mistakes make, not those an attacker makes; who may speak is decided
 * below the core. The finaliser is that of MurmurHash3 (Appleby, public domain).
 */
static inline u64 vr_hash_mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ull;
	return hash ^ (hash >> 33);
}

#endif /* VR_BYTES_H */
