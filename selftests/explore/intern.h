/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Numbers instead of things: strings of bytes are kept once and named by a
 * number, sets of numbers likewise, and small facts are remembered by pairs of
 * numbers. What is interned stays where it is. Knows nothing of replicas.
 */
#ifndef EXPLORE_INTERN_H
#define EXPLORE_INTERN_H

#include "vr_platform.h"

/**
 * struct intern - strings of bytes numbered from 1
 * @at:		by number; before each lies its length
 * @slots:	hash table of numbers, 0 = free
 * @room:	what is left of the newest chunk, at @next
 */
struct intern {
	u8 **at;
	u32 *slots;
	u8 *next;
	size_t room;
	u32 count;
	u32 at_max;
	u32 slot_count;
};

/** intern - the number of these @size bytes, the same for the same bytes */
u32 intern(struct intern *t, const void *bytes, u32 size);

/** interned - the bytes with this number, aligned to 8; @size may be NULL */
const void *interned(const struct intern *t, u32 number, u32 *size);

/** struct map - from u64, not 0, to u32, not 0 */
struct map {
	u64 *keys;
	u32 *values;
	u32 slot_count;
	u32 count;
};

/** map_get - the value of @key, 0 = none yet */
u32 map_get(const struct map *m, u64 key);

void map_put(struct map *m, u64 key, u32 value);

static inline u64 map_key(u32 a, u32 b)
{
	return (u64)a << 32 | b;
}

/* Sets of u32, by number; 0 is the empty one. */

/** set_members - in ascending order */
const u32 *set_members(u32 set, u32 *count);

u32 set_of(const u32 *members, u32 count);
u32 set_union(u32 a, u32 b);

/** set_has - is @member in it? */
bool set_has(u32 set, u32 member);

/** set_has_all - are all members of @others in it? */
bool set_has_all(u32 set, u32 others);

/** bytes_used - by everything here, and by what grow() was asked for */
extern size_t bytes_used;

/** grow - realloc for @count things of @size bytes, twice as many as before */
void *grow(void *things, u32 *count, size_t size);

u64 hash_bytes(const void *bytes, size_t size);

#endif /* EXPLORE_INTERN_H */
