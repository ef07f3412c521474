// SPDX-License-Identifier: GPL-2.0
/* The state machine: counters, messages, at most once. */
#include "vr_sm.h"
#include "vrt.h"

#define COUNTERS 3
#define ROWS 4
#define MESSAGES 8
#define MESSAGE_BYTES 64

struct machine {
	struct vrt *t;
	struct vr_sm sm;
	u64 op;
	u64 session;
	u64 request;
	struct vr_result result;
};

static struct machine *machine_new(struct vrt *t, u64 base)
{
	struct machine *m = vrt_alloc(t, sizeof(*m));
	struct vr_sm *sm = &m->sm;

	m->t = t;
	m->op = base;
	sm->counters_max = COUNTERS;
	sm->counters = vrt_alloc(t, COUNTERS * sizeof(*sm->counters));
	sm->buckets = vrt_alloc(t, COUNTERS * sizeof(*sm->buckets));
	sm->messages.slot_count = MESSAGES;
	sm->messages.slots = vrt_alloc(t, MESSAGES * sizeof(*sm->messages.slots));
	sm->messages.arena_bytes = MESSAGE_BYTES;
	sm->messages.arena = vrt_alloc(t, MESSAGE_BYTES);
	sm->sessions.max = ROWS;
	sm->sessions.rows = vrt_alloc(t, ROWS * sizeof(*sm->sessions.rows));
	sm->sessions.buckets = vrt_alloc(t, ROWS * sizeof(*sm->sessions.buckets));
	vr_sm_reset(sm, base);
	return m;
}

static struct vr_session *apply(struct machine *m, u8 kind, u64 argument, const char *text)
{
	struct vr_entry e = {
		.op = ++m->op,
		.view = 5,
		.session = kind == VR_KIND_SESSION_BEGIN ? 0 : m->session,
		.request = m->request,
		.argument = argument,
		.body = (const u8 *)text,
		.body_bytes = strlen(text),
		.kind = kind,
		.origin = 1,
	};

	memset(&m->result, 0xa5, sizeof(m->result));
	return vr_sm_apply(&m->sm, &e, &m->result);
}

static void begin(struct machine *m, u64 number)
{
	m->request = number;
	VRT_ASSERT(m->t, apply(m, VR_KIND_SESSION_BEGIN, 99, ""));
	m->session = m->result.index;
	m->request = 0;
}

static s32 next(struct machine *m, u64 count, const char *name)
{
	m->request++;
	apply(m, VR_KIND_NEXT, count, name);
	return m->result.error;
}

static u64 get(struct machine *m, const char *name)
{
	m->request++;
	apply(m, VR_KIND_GET, 0, name);
	VRT_EXPECT_EQUAL(m->t, m->result.error, 0);
	return m->result.last;
}

static struct machine *machine_in_session(struct vrt *t, u64 base)
{
	struct machine *m = machine_new(t, base);

	begin(m, 1);
	return m;
}

static void ranges(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, get(m, ""), 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 1);
	VRT_EXPECT_EQUAL(t, m->result.last, 1);
	VRT_EXPECT_EQUAL(t, next(m, 10, ""), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 2);
	VRT_EXPECT_EQUAL(t, m->result.last, 11);
	VRT_EXPECT_EQUAL(t, m->result.index, m->op);
	VRT_EXPECT_EQUAL(t, m->result.view, 5);
	VRT_EXPECT_EQUAL(t, get(m, ""), 11);
	VRT_EXPECT_EQUAL(t, next(m, 0, ""), (u64)-EINVAL);
	VRT_EXPECT_EQUAL(t, get(m, ""), 11);
}

static void names(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, 5, "a"), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 1);
	VRT_EXPECT_EQUAL(t, next(m, 7, "ab"), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 1);
	VRT_EXPECT_EQUAL(t, next(m, 2, ""), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 1);
	VRT_EXPECT_EQUAL(t, get(m, "a"), 5);
	VRT_EXPECT_EQUAL(t, get(m, "ab"), 7);
	VRT_EXPECT_EQUAL(t, get(m, ""), 2);
	VRT_EXPECT_EQUAL(t, get(m, "abc"), 0);
}

static void too_many_counters(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, 1, "a"), 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, "b"), 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, "c"), 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, "d"), (u64)-ENOSPC);
	/* Asking makes no counter; the old ones go on. */
	VRT_EXPECT_EQUAL(t, get(m, "d"), 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, "b"), 0);
	VRT_EXPECT_EQUAL(t, m->result.last, 2);
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	VRT_EXPECT_EQUAL(t, m->sm.counter_count, COUNTERS);
}

static void name_bounds(struct vrt *t)
{
	/* 64 bytes, one too many */
	static const char name[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, 1, name + 1), 0);
	VRT_EXPECT_EQUAL(t, get(m, name + 1), 1);
	VRT_EXPECT_EQUAL(t, next(m, 1, name), (u64)-EINVAL);
	m->request++;
	apply(m, VR_KIND_GET, 0, name);
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-EINVAL);
}

static void overflow(struct vrt *t)
{
	u64 base = 3ull << 48;
	struct machine *m = machine_in_session(t, base);

	VRT_EXPECT_EQUAL(t, next(m, VR_COUNT_MASK + 1, ""), (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, next(m, U64_MAX, ""), (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, next(m, VR_COUNT_MASK - 1, ""), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, base + 1);
	VRT_EXPECT_EQUAL(t, next(m, 2, ""), (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	VRT_EXPECT_EQUAL(t, m->result.last, base + VR_COUNT_MASK);
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, get(m, ""), base + VR_COUNT_MASK);
	/* A counter that would be new is not made for nothing. */
	VRT_EXPECT_EQUAL(t, next(m, VR_COUNT_MASK + 1, "a"), (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, m->sm.counter_count, 0);
}

static void generations(struct vrt *t)
{
	u64 base = (u64)VR_GENERATION_MAX << 48;
	struct machine *m = machine_in_session(t, base);

	VRT_EXPECT_EQUAL(t, m->session, base + 1);
	VRT_EXPECT_EQUAL(t, get(m, ""), base);
	VRT_EXPECT_EQUAL(t, get(m, "a"), base);
	VRT_EXPECT_EQUAL(t, next(m, 2, "a"), 0);
	VRT_EXPECT_EQUAL(t, m->result.first, base + 1);
	m->request++;
	apply(m, VR_KIND_APPEND, 0, "x");
	VRT_EXPECT_EQUAL(t, m->result.last, base + 1);
}

static s32 append_at(struct machine *m, u64 expected)
{
	m->request++;
	apply(m, VR_KIND_APPEND, expected, "m");
	return m->result.error;
}

static void expected(struct vrt *t)
{
	u64 base = vr_number_base(3);
	struct machine *m = machine_in_session(t, base);
	struct vr_result late;

	VRT_EXPECT_EQUAL(t, append_at(m, base + 2), -EEXIST);
	VRT_EXPECT_EQUAL(t, m->result.last, base);
	VRT_EXPECT_EQUAL(t, append_at(m, base + 1), 0);
	VRT_EXPECT_EQUAL(t, append_at(m, base + 1), -EEXIST);
	late = m->result;
	VRT_EXPECT_EQUAL(t, late.last, base + 1);
	VRT_EXPECT_EQUAL(t, append_at(m, 0), 0);
	VRT_EXPECT_EQUAL(t, append_at(m, base + 3), 0);
	VRT_EXPECT_EQUAL(t, m->result.last, base + 3);
	VRT_EXPECT_EQUAL(t, m->sm.messages.last, base + 3);
	/* Asked again when its time would have come, it stays refused. */
	m->request = 3;
	apply(m, VR_KIND_APPEND, base + 4, "m");
	VRT_EXPECT_EQUAL(t, m->result.error, -EEXIST);
	VRT_EXPECT_EQUAL(t, m->result.last, late.last);
	VRT_EXPECT_EQUAL(t, m->sm.messages.last, base + 3);
}

static void at_most_once(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	struct vr_result first;

	VRT_EXPECT_EQUAL(t, next(m, 3, ""), 0);
	first = m->result;
	apply(m, VR_KIND_NEXT, 3, "");
	VRT_EXPECT_EQUAL(t, m->result.error, 0);
	VRT_EXPECT_EQUAL(t, m->result.first, first.first);
	VRT_EXPECT_EQUAL(t, m->result.last, first.last);
	VRT_EXPECT_EQUAL(t, m->result.index, first.index);
	VRT_EXPECT_EQUAL(t, get(m, ""), 3);
}

/* The last VR_WINDOW of a session are remembered; what is older is not known. */
static void window_of_results(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u64 first = m->request, i;

	for (i = 0; i < VR_WINDOW + 1; i++)
		VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	for (i = 2; i <= VR_WINDOW + 1; i++) {
		m->request = first + i;
		apply(m, VR_KIND_NEXT, 1, "");
		VRT_EXPECT_EQUAL(t, m->result.error, 0);
		VRT_EXPECT_EQUAL(t, m->result.first, i);
	}
	m->request = first + 1;
	apply(m, VR_KIND_NEXT, 1, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-ESTALE);
	VRT_EXPECT_EQUAL(t, m->result.index, 0);
	m->request = first + VR_WINDOW + 1;
	VRT_EXPECT_EQUAL(t, get(m, ""), VR_WINDOW + 1);
}

/* One that a later one overtook is never applied, and that is known of it. */
static void passed_over(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u64 first;

	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	first = m->request;
	m->request += 2;
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	m->request = first + 1;
	apply(m, VR_KIND_NEXT, 1, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-ECANCELED);
	m->request = first + 3;
	VRT_EXPECT_EQUAL(t, get(m, ""), 2);
}

/* RESULT settles: what was not applied by then never is, what was is told. */
static void result_settles(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, 5, ""), 0);
	apply(m, VR_KIND_RESULT, 0, "");
	VRT_EXPECT_EQUAL(t, m->result.error, 0);
	VRT_EXPECT_EQUAL(t, m->result.first, 1);
	VRT_EXPECT_EQUAL(t, m->result.last, 5);
	m->request++;
	apply(m, VR_KIND_RESULT, 0, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-ECANCELED);
	apply(m, VR_KIND_NEXT, 5, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-ECANCELED);
	VRT_EXPECT_EQUAL(t, get(m, ""), 5);
}

static void refusals_are_remembered(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, U64_MAX, ""), (u64)-EOVERFLOW);
	apply(m, VR_KIND_NEXT, 1, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-EOVERFLOW);
	VRT_EXPECT_EQUAL(t, get(m, ""), 0);
}

static void sessions_end(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	m->request++;
	VRT_EXPECT(t, !apply(m, VR_KIND_SESSION_END, 0, ""));
	VRT_EXPECT_EQUAL(t, m->result.error, 0);
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), (u64)-ESTALE);
	VRT_EXPECT(t, !apply(m, VR_KIND_SESSION_END, 0, ""));
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-ESTALE);
	begin(m, 2);
	VRT_EXPECT_EQUAL(t, get(m, ""), 1);
}

static void begin_again(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u64 session = m->session;

	begin(m, 1);
	VRT_EXPECT_EQUAL(t, m->session, session);
	VRT_EXPECT_EQUAL(t, m->result.view, 5);
	begin(m, 2);
	VRT_EXPECT(t, m->session != session);
}

static void evicted(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u64 session = m->session, i;

	for (i = 2; i <= ROWS + 1; i++)
		begin(m, i);
	m->session = session;
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), (u64)-ESTALE);
}

static void use_keeps(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u64 session = m->session, i;

	for (i = 2; i <= ROWS; i++)
		begin(m, i);
	m->session = session;
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
	begin(m, ROWS + 1);
	m->session = session;
	m->request = 1;
	VRT_EXPECT_EQUAL(t, next(m, 1, ""), 0);
}

static void append(struct machine *m, const char *text)
{
	m->request++;
	apply(m, VR_KIND_APPEND, 0, text);
	VRT_EXPECT_EQUAL(m->t, m->result.error, 0);
}

static void messages(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	const struct vr_entry *e;

	append(m, "one");
	VRT_EXPECT_EQUAL(t, m->result.last, 1);
	append(m, "");
	VRT_EXPECT_EQUAL(t, m->result.last, 2);
	e = vr_ring_get(&m->sm.messages, 1);
	VRT_ASSERT(t, e);
	VRT_EXPECT(t, e->body_bytes == 3 && !memcmp(e->body, "one", 3));
	VRT_EXPECT_EQUAL(t, e->op, m->op - 1);
	VRT_EXPECT_EQUAL(t, e->session, m->session);
	VRT_EXPECT_EQUAL(t, vr_ring_get(&m->sm.messages, 2)->body_bytes, 0);
	VRT_EXPECT(t, !vr_ring_get(&m->sm.messages, 3));
}

static void messages_overrun(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);
	u32 i;

	for (i = 0; i < 3 * MESSAGES; i++)
		append(m, "x");
	VRT_EXPECT_EQUAL(t, m->sm.messages.last, 3 * MESSAGES);
	VRT_EXPECT_EQUAL(t, m->sm.messages.first, 2 * MESSAGES + 1);
	VRT_EXPECT(t, !vr_ring_get(&m->sm.messages, 2 * MESSAGES));
	/* Bytes run out before slots do. */
	for (i = 0; i < MESSAGES; i++)
		append(m, "0123456789abcdef");
	VRT_EXPECT_EQUAL(t, m->sm.messages.last, 4 * MESSAGES);
	VRT_EXPECT_EQUAL(t, m->sm.messages.first, 4 * MESSAGES - 3);
}

static void unknown_kinds(struct vrt *t)
{
	struct machine *m = machine_in_session(t, 0);

	m->request++;
	apply(m, VR_KIND_COUNT, 0, "");
	VRT_EXPECT_EQUAL(t, m->result.error, (u64)-EINVAL);
}

static void deterministic(struct vrt *t)
{
	struct machine *a = machine_in_session(t, 0), *b = machine_in_session(t, 0);
	static const char * const name[] = { "", "x", "yy", "zzz", "wwww" };
	u32 i;

	for (i = 0; i < 200; i++) {
		next(a, i % 5, name[i % 5]);
		next(b, i % 5, name[i % 5]);
		VRT_EXPECT_EQUAL(t, a->result.error, b->result.error);
		VRT_EXPECT_EQUAL(t, a->result.first, b->result.first);
		VRT_EXPECT_EQUAL(t, a->result.last, b->result.last);
	}
}

static struct vrt_case cases[] = {
	{ ranges, "NEXT gives ranges that follow each other, GET the newest number" },
	{ names, "named counters count for themselves" },
	{ too_many_counters, "a counter too many is ENOSPC and the others go on" },
	{ name_bounds, "a name has up to 63 bytes" },
	{ overflow, "the last number of a generation is given, the one after never" },
	{ generations, "numbers of a generation start above all of the one before" },
	{ expected, "a message gets the sequence it expects or none" },
	{ at_most_once, "a request is applied once" },
	{ window_of_results, "the results of a window are kept, an older one is ESTALE" },
	{ passed_over, "a request that was passed over is ECANCELED, never applied" },
	{ result_settles, "RESULT settles what became of a request" },
	{ refusals_are_remembered, "a refused request stays refused" },
	{ sessions_end, "an ended session is ESTALE, what it did stays" },
	{ begin_again, "a session asked for again is the same one" },
	{ evicted, "a session that lost its row is ESTALE" },
	{ use_keeps, "a session in use keeps its row" },
	{ messages, "messages are numbered from one and kept as they came" },
	{ messages_overrun, "the oldest messages give way, by number and by bytes" },
	{ unknown_kinds, "an operation nobody knows changes nothing" },
	{ deterministic, "the same entries give the same results" },
	{ }
};

VRT_SUITE(sm, cases);
