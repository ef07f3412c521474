// SPDX-License-Identifier: GPL-2.0
/*
 * Chance, memory, time and order: the generators, the event queue, and the
 * digest that tells whether two runs were the same. Knows nothing of what the
 * events are.
 */
#include "sim.h"

/* --- chance: xoshiro256**, seeded by splitmix64 --- */

static u64 splitmix(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

void random_seed(struct sim_random *r, u64 seed, u64 stream)
{
	u64 state = seed * 0x2545f4914f6cdd1dull + stream;
	u32 i;

	for (i = 0; i < 4; i++)
		r->state[i] = splitmix(&state);
}

static u64 rotate(u64 x, u32 bits)
{
	return x << bits | x >> (64 - bits);
}

u64 random_u64(struct sim_random *r)
{
	u64 *s = r->state;
	u64 result = rotate(s[1] * 5, 7) * 9;
	u64 t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

u64 random_below(struct sim_random *r, u64 bound)
{
	return bound ? random_u64(r) % bound : 0;
}

u64 random_between(struct sim_random *r, u64 low, u64 high)
{
	return low + random_below(r, high - low + 1);
}

u64 random_spread(struct sim_random *r, u64 low, u64 high)
{
	u32 doublings = 0;
	u64 from;

	while (low << (doublings + 1) <= high)
		doublings++;
	from = low << random_below(r, doublings + 1);
	return vr_min(from + random_below(r, from), high);
}

bool random_ppm(struct sim_random *r, u32 ppm)
{
	return ppm && random_below(r, SIM_MILLION) < ppm;
}

/* --- memory --- */

/* Zeroed; there is always enough, or no simulator. */
void *sim_allocate(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		abort();
	return memory;
}

/* Room for one more element behind @count of them. */
void *sim_room(void *array, u64 count, u64 *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 32;
	array = realloc(array, *room * size);
	if (!array)
		abort();
	return array;
}

/* --- the queue: a binary heap by time, then by order of posting --- */

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void queue_push(struct sim_queue *q, const struct sim_event *event)
{
	u32 i;

	q->heap = sim_room(q->heap, q->count, &q->room, sizeof(*q->heap));
	for (i = q->count++; i && earlier(event, &q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = *event;
}

static struct sim_event queue_pop(struct sim_queue *q)
{
	struct sim_event first = q->heap[0];
	struct sim_event last = q->heap[--q->count];
	u32 i = 0;
	u32 child;

	while ((child = 2 * i + 1) < q->count) {
		if (child + 1 < q->count && earlier(&q->heap[child + 1], &q->heap[child]))
			child++;
		if (!earlier(&q->heap[child], &last))
			break;
		q->heap[i] = q->heap[child];
		i = child;
	}
	if (q->count)
		q->heap[i] = last;
	return first;
}

void sim_post(struct sim *sim, struct sim_event *event, u64 delay_ns)
{
	event->at_ns = sim->now_ns + delay_ns;
	event->order = sim->queue.order++;
	queue_push(&sim->queue, event);
}

/* Takes the first event, and the time with it. */
struct sim_event sim_next(struct sim *sim)
{
	struct sim_event event = queue_pop(&sim->queue);

	sim->now_ns = event.at_ns;
	return event;
}

void sim_digest(struct sim *sim, u64 value)
{
	sim->digest = rotate((sim->digest ^ value) * 0x9fb21c651e98df25ull, 29);
}

void sim_digest_bytes(struct sim *sim, const void *bytes, size_t count)
{
	const u8 *at = bytes;
	u64 word;

	sim_digest(sim, count);
	for (; count >= 8; at += 8, count -= 8) {
		memcpy(&word, at, 8);
		sim_digest(sim, word);
	}
	word = 0;
	memcpy(&word, at, count);
	sim_digest(sim, word);
}

u8 sim_quorum(const struct sim *sim)
{
	return sim->options.replica_count / 2 + 1;
}
