// SPDX-License-Identifier: GPL-2.0
/* See intern.h. */
#include <stdlib.h>

#include "intern.h"

#define CHUNK_BYTES	(4u << 20)
#define HEAD_BYTES	8u

size_t bytes_used;

static struct intern sets;
static struct map unions;

static void *need(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void *grow(void *things, u32 *count, size_t size)
{
	u32 old = *count;

	*count = old ? 2 * old : 1024;
	things = need(realloc(things, *count * size));
	memset((u8 *)things + old * size, 0, (*count - old) * size);
	bytes_used += (*count - old) * size;
	return things;
}

/* The finaliser is that of MurmurHash3 (Appleby, public domain). */
static u64 mix(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0xff51afd7ed558ccdull;
	hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53ull;
	return hash ^ (hash >> 33);
}

u64 hash_bytes(const void *bytes, size_t size)
{
	const u8 *at = bytes;
	u64 hash = size, word;

	for (; size >= 8; size -= 8, at += 8) {
		memcpy(&word, at, 8);
		hash = mix(hash, word);
	}
	word = 0;
	memcpy(&word, at, size);
	return mix(hash, word);
}

const void *interned(const struct intern *t, u32 number, u32 *size)
{
	const u8 *at = t->at[number];

	if (size)
		memcpy(size, at - HEAD_BYTES, sizeof(*size));
	return at;
}

static u32 *find(const struct intern *t, const void *bytes, u32 size)
{
	u32 i = hash_bytes(bytes, size) & (t->slot_count - 1);

	for (; t->slots[i]; i = (i + 1) & (t->slot_count - 1)) {
		u32 other;
		const void *there = interned(t, t->slots[i], &other);

		if (other == size && !memcmp(there, bytes, size))
			break;
	}
	return &t->slots[i];
}

static void rehash(struct intern *t)
{
	u32 number, size;

	free(t->slots);
	t->slots = NULL;
	t->slots = grow(t->slots, &t->slot_count, sizeof(*t->slots));
	memset(t->slots, 0, t->slot_count * sizeof(*t->slots));
	for (number = 1; number <= t->count; number++) {
		const void *bytes = interned(t, number, &size);

		*find(t, bytes, size) = number;
	}
}

u32 intern(struct intern *t, const void *bytes, u32 size)
{
	u32 room = HEAD_BYTES + ((size + 7) & ~7u);
	u32 *slot;

	if (2 * (t->count + 1) >= t->slot_count)
		rehash(t);
	slot = find(t, bytes, size);
	if (*slot)
		return *slot;

	if (t->room < room) {
		t->room = vr_max(CHUNK_BYTES, room);
		t->next = need(calloc(1, t->room));
		bytes_used += t->room;
	}
	if (t->count + 1 >= t->at_max)
		t->at = grow(t->at, &t->at_max, sizeof(*t->at));
	memcpy(t->next, &size, sizeof(size));
	t->at[++t->count] = t->next + HEAD_BYTES;
	if (size)
		memcpy(t->at[t->count], bytes, size);
	t->next += room;
	t->room -= room;
	*slot = t->count;
	return t->count;
}

static u32 place(const struct map *m, u64 key)
{
	u32 i = mix(0, key) & (m->slot_count - 1);

	while (m->keys[i] && m->keys[i] != key)
		i = (i + 1) & (m->slot_count - 1);
	return i;
}

u32 map_get(const struct map *m, u64 key)
{
	u32 i;

	if (!m->count)
		return 0;
	i = place(m, key);
	return m->keys[i] ? m->values[i] : 0;
}

void map_put(struct map *m, u64 key, u32 value)
{
	u32 i;

	if (3 * (m->count + 1) >= 2 * m->slot_count) {
		struct map old = *m;
		u32 slots = old.slot_count;

		m->slot_count = slots;
		m->keys = grow(NULL, &m->slot_count, sizeof(*m->keys));
		m->slot_count = slots;
		m->values = grow(NULL, &m->slot_count, sizeof(*m->values));
		memset(m->keys, 0, m->slot_count * sizeof(*m->keys));
		for (i = 0; i < slots; i++) {
			u32 at;

			if (!old.keys[i])
				continue;
			at = place(m, old.keys[i]);
			m->keys[at] = old.keys[i];
			m->values[at] = old.values[i];
		}
		free(old.keys);
		free(old.values);
	}
	i = place(m, key);
	m->count += !m->keys[i];
	m->keys[i] = key;
	m->values[i] = value;
}

const u32 *set_members(u32 set, u32 *count)
{
	const u32 *members;

	*count = 0;
	if (!set)
		return NULL;
	members = interned(&sets, set, count);
	*count /= sizeof(*members);
	return members;
}

static int compare(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

u32 set_of(const u32 *members, u32 count)
{
	u32 *sorted, i, kept = 0, set;

	if (!count)
		return 0;
	sorted = need(malloc(count * sizeof(*sorted)));
	memcpy(sorted, members, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare);
	for (i = 0; i < count; i++) {
		if (!kept || sorted[kept - 1] != sorted[i])
			sorted[kept++] = sorted[i];
	}
	set = intern(&sets, sorted, kept * sizeof(*sorted));
	free(sorted);
	return set;
}

u32 set_union(u32 a, u32 b)
{
	const u32 *x, *y;
	u32 *both, x_count, y_count, set;

	if (!a || !b || a == b)
		return a ? a : b;
	set = map_get(&unions, map_key(a, b));
	if (set)
		return set;
	x = set_members(a, &x_count);
	y = set_members(b, &y_count);
	both = need(malloc((x_count + y_count) * sizeof(*both)));
	memcpy(both, x, x_count * sizeof(*both));
	memcpy(both + x_count, y, y_count * sizeof(*both));
	set = set_of(both, x_count + y_count);
	free(both);
	map_put(&unions, map_key(a, b), set);
	return set;
}

/* As long as it takes: remembered for pairs it would need more room than all else. */
bool set_has_all(u32 set, u32 others)
{
	const u32 *x, *y;
	u32 x_count, y_count, i, at = 0;

	if (set == others)
		return true;
	x = set_members(set, &x_count);
	y = set_members(others, &y_count);
	for (i = 0; i < y_count; i++) {
		if (x_count - at < y_count - i)
			return false;
		while (at < x_count && x[at] < y[i])
			at++;
		if (at == x_count || x[at] != y[i])
			return false;
	}
	return true;
}

bool set_has(u32 set, u32 member)
{
	u32 count;
	const u32 *members = set_members(set, &count);

	return count && bsearch(&member, members, count, sizeof(member), compare);
}
