// SPDX-License-Identifier: GPL-2.0
/*
 * Records and cold starts under random faults: datagrams lost, doubled and late,
 * power cuts of any number of members at any moment, writes of records that are
 * late, fail, or break off at the cut; operators that reform at the wrong time. One
 * seed is one run. What must hold: no number is given out twice, and one that was
 * asked for after another was given out is larger, across all generations.
 */
#include "cluster.h"
#include "vr_prng.h"

#define STEPS		1200
#define NUMBERS_MAX	4096

struct given {
	u64 number;
	u64 asked;		/* in events: nothing happens at the same time */
	u64 got;
};

struct storm {
	struct cluster *c;
	struct vr_prng chance;
	u64 events;
	u64 session[VR_REPLICAS_MAX];
	u64 request[VR_REPLICAS_MAX];
	u64 asked[VR_REPLICAS_MAX];
	bool begins[VR_REPLICAS_MAX];
	u64 begun;
	struct given *given;
	u32 given_count;
	u64 newest;		/* number given out */
	u32 cold_starts;
	struct letter copy;	/* under way to its receiver; too large for a stack */
};

static u32 below(struct storm *s, u32 bound)
{
	return vr_prng_next(&s->chance) % bound;
}

/* A client at each member, with one request: it begins a session, then draws. */
static void ask(struct storm *s, u8 slot)
{
	struct cluster *c = s->c;
	struct answer *a = &c->answers[slot][0];

	a->count = 0;
	s->asked[slot] = ++s->events;
	s->begins[slot] = !s->session[slot];
	if (s->begins[slot])
		cluster_submit(c, slot, 0, VR_KIND_SESSION_BEGIN, 0, ++s->begun, 0, NULL);
	else
		cluster_submit(c, slot, 0, VR_KIND_NEXT, s->session[slot],
			       ++s->request[slot], 1, NULL);
}

/* Who asked after all that were given out before must get more than they did. */
static void check_number(struct storm *s, u64 number, u64 asked)
{
	u32 i;

	for (i = 0; i < s->given_count; i++) {
		const struct given *g = &s->given[i];

		VRT_ASSERT(s->c->t, g->number != number);
		if (g->got < asked)
			VRT_ASSERT(s->c->t, g->number < number);
	}
	VRT_ASSERT(s->c->t, s->given_count < NUMBERS_MAX);
	s->given[s->given_count].number = number;
	s->given[s->given_count].asked = asked;
	s->given[s->given_count++].got = ++s->events;
	s->newest = vr_max(s->newest, number);
}

static void look(struct storm *s, u8 slot)
{
	struct answer *a = &s->c->answers[slot][0];

	if (!s->asked[slot] || !a->count)
		return;
	if (a->done.outcome != VR_OUTCOME_APPLIED || a->done.result.error)
		s->session[slot] = 0;
	else if (s->begins[slot])
		s->session[slot] = a->done.result.index;
	else
		check_number(s, a->done.result.first, s->asked[slot]);
	if (!s->session[slot])
		s->request[slot] = 0;
	s->asked[slot] = 0;
}

/* The write under way when power fails is on the disk, or is not. */
static void power_fails(struct storm *s, u8 slot)
{
	struct cluster *c = s->c;

	if (c->record_wanted[slot] && below(s, 2))
		c->record[slot] = c->record_content[slot];
	c->record_wanted[slot] = false;
	c->down |= 1u << slot;
	s->asked[slot] = 0;
	s->session[slot] = 0;
	s->request[slot] = 0;
}

static void fault(struct storm *s)
{
	struct cluster *c = s->c;
	u8 slot = below(s, c->count), i;

	switch (below(s, 12)) {
	case 0:	/* all, or all but one */
		for (i = 0; i < c->count; i++) {
			if (i != slot || below(s, 3))
				power_fails(s, i);
		}
		break;
	case 1:
		power_fails(s, slot);
		break;
	case 2:
	case 3:
	case 4:
		for (i = 0; i < c->count; i++) {
			if (c->down & (1u << i) && below(s, 8))
				cluster_restart(c, i);
		}
		break;
	case 5:
		c->slow_record[slot] = !below(s, 4);
		break;
	case 6:
		c->record_error[slot] = below(s, 6) ? 0 : -EIO;
		break;
	case 7:
		if (!(c->down & (1u << slot)) && !below(s, 3))
			cluster_reform(c, slot);
		break;
	case 8:
		c->cut[slot] = below(s, 4) ? 0 : below(s, 1u << c->count);
		break;
	default:
		cluster_record(c, slot);
	}
}

/* Anything under way may come next, come twice, or not at all. */
static void deliver(struct storm *s)
{
	struct cluster *c = s->c;
	u32 ahead = c->last - c->first, at;
	struct letter *l;

	if (!ahead)
		return;
	at = below(s, 4) ? 0 : below(s, vr_min(ahead, 20));
	l = &c->letters[(c->first + at) % CLUSTER_LETTERS];
	if (!l->there) {
		if (!at)
			c->first++;
		return;
	}
	s->copy = *l;
	if (below(s, 16))
		l->there = false;
	if (!at)
		c->first++;
	if (below(s, 20))
		cluster_deliver(c, &s->copy);
	look(s, s->copy.to);
}

static void pass_time(struct storm *s)
{
	struct cluster *c = s->c;
	u8 i, next = CLUSTER_ANY;

	for (i = 0; i < c->count; i++) {
		if (!(c->down & (1u << i)) && c->deadline_ns[i] != U64_MAX &&
		    (next == CLUSTER_ANY || c->deadline_ns[i] < c->deadline_ns[next]))
			next = i;
	}
	if (next == CLUSTER_ANY) {
		c->now_ns += CLUSTER_HEARTBEAT_NS;
		return;
	}
	cluster_timeout(c, next);
	look(s, next);
}

/* At the end all are well again, in one generation, above all that was before. */
static void calm(struct storm *s)
{
	struct cluster *c = s->c;
	u64 session, number;
	u8 i;

	memset(c->cut, 0, sizeof(c->cut));
	memset(c->record_error, 0, sizeof(c->record_error));
	memset(c->slow_record, 0, sizeof(c->slow_record));
	cluster_forget(c);
	for (i = 0; i < c->count; i++) {
		power_fails(s, i);
		cluster_restart(c, i);
		s->cold_starts += c->record[i].generation;
	}
	cluster_wait(c, 400 * CLUSTER_TIMEOUT_NS);
	for (i = 0; i < c->count; i++) {
		VRT_ASSERT_EQUAL(c->t, cluster_status(c, i), VR_STATUS_NORMAL);
		VRT_ASSERT_EQUAL(c->t, cluster_info(c, i)->generation,
				 c->record[0].generation);
	}
	session = cluster_begin(c, 0, 1);
	number = cluster_next(c, 0, 1, session, 1);
	VRT_ASSERT(c->t, number > s->newest);
	cluster_agrees(c);
}

static void storms(struct vrt *t, u8 count, u32 first, u32 seeds)
{
	u32 seed, cold_starts = 0, numbers = 0;

	for (seed = first; seed < first + seeds; seed++) {
		struct storm *s = vrt_alloc(t, sizeof(*s));
		u32 step;

		s->given = vrt_alloc(t, NUMBERS_MAX * sizeof(*s->given));
		vr_prng_seed(&s->chance, seed);
		s->c = cluster_recorded(t, count);
		cluster_form(s->c, 0, 0, 42);
		cluster_wait(s->c, 4 * CLUSTER_HEARTBEAT_NS);
		for (step = 0; step < STEPS; step++) {
			u8 slot = below(s, count);

			if (!(s->c->down & (1u << slot)) && !s->asked[slot])
				ask(s, slot);
			look(s, slot);
			for (u32 i = below(s, 40); i; i--)
				deliver(s);
			if (below(s, 3))
				pass_time(s);
			if (!below(s, 12))
				fault(s);
			/* What has been under way for long is lost. */
			if (s->c->last - s->c->first > CLUSTER_LETTERS / 2)
				cluster_forget(s->c);
		}
		calm(s);
		cold_starts += s->cold_starts;
		numbers += s->given_count;
	}
	/* It was about something. */
	VRT_EXPECT(t, cold_starts > seeds / 2);
	VRT_EXPECT(t, numbers > seeds);
}

static void three(struct vrt *t)
{
	storms(t, 3, 1, 60);
}

static void five(struct vrt *t)
{
	storms(t, 5, 1000, 20);
}

static struct vrt_case cases[] = {
	{ three, "three members under random faults: numbers only rise" },
	{ five, "five members under random faults: numbers only rise" },
	{ }
};

VRT_SUITE(cold_storm, cases);
