// SPDX-License-Identifier: GPL-2.0
/* The client table. */
#include "vr_session.h"
#include "vrt.h"

#define ROWS 5

static struct vr_sessions *table_new(struct vrt *t)
{
	struct vr_sessions *table = vrt_alloc(t, sizeof(*table));

	table->max = ROWS;
	table->rows = vrt_alloc(t, ROWS * sizeof(*table->rows));
	table->buckets = vrt_alloc(t, ROWS * sizeof(*table->buckets));
	vr_sessions_reset(table);
	return table;
}

static struct vr_session *begin(struct vr_sessions *table, u64 op, u64 nonce, u64 number,
				u8 origin)
{
	struct vr_entry e = {
		.op = op,
		.view = 9,
		.request = number,
		.argument = nonce,
		.kind = VR_KIND_SESSION_BEGIN,
		.origin = origin,
	};

	return vr_session_begin(table, &e);
}

static u32 live(const struct vr_sessions *table)
{
	u32 i, count = 0;

	for (i = 0; i < table->max; i++)
		count += table->rows[i].id != 0;
	return count;
}

static void begins(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	struct vr_session *s = begin(table, 10, 77, 1, 2);

	VRT_EXPECT(t, vr_session_find(table, 10) == s);
	VRT_EXPECT_EQUAL(t, s->id, 10);
	VRT_EXPECT_EQUAL(t, s->view, 9);
	VRT_EXPECT_EQUAL(t, s->active_op, 10);
	VRT_EXPECT_EQUAL(t, s->request, 0);
	VRT_EXPECT_EQUAL(t, s->accepted, 0);
	VRT_EXPECT_EQUAL(t, s->origin, 2);
	VRT_EXPECT(t, !vr_session_find(table, 11));
	VRT_EXPECT(t, !vr_session_find(table, 10 + ROWS));
}

static void begins_once(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	struct vr_session *s = begin(table, 10, 77, 1, 2);

	s->request = 4;
	VRT_EXPECT(t, begin(table, 11, 77, 1, 2) == s);
	VRT_EXPECT_EQUAL(t, s->id, 10);
	VRT_EXPECT_EQUAL(t, s->request, 4);
	VRT_EXPECT_EQUAL(t, live(table), 1);
	/* Another number, another life, another member: another session. */
	VRT_EXPECT(t, begin(table, 12, 77, 2, 2) != s);
	VRT_EXPECT(t, begin(table, 13, 78, 1, 2) != s);
	VRT_EXPECT(t, begin(table, 14, 77, 1, 1) != s);
	VRT_EXPECT_EQUAL(t, live(table), 4);
}

static void ended_begins_anew(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	struct vr_session *s = begin(table, 10, 77, 1, 2);

	vr_session_end(table, s);
	VRT_EXPECT(t, !vr_session_find(table, 10));
	s = begin(table, 11, 77, 1, 2);
	VRT_EXPECT_EQUAL(t, s->id, 11);
	VRT_EXPECT(t, !vr_session_find(table, 10));
}

static void evicts_the_idlest(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	u64 op;

	for (op = 1; op <= ROWS; op++)
		begin(table, op, 7, op, 0);
	vr_session_find(table, 1)->active_op = 20;
	vr_session_find(table, 3)->active_op = 2;	/* as idle as 2, but later */
	vr_session_find(table, 2)->active_op = 19;
	begin(table, 21, 7, 21, 0);
	VRT_EXPECT(t, !vr_session_find(table, 3));
	begin(table, 22, 7, 22, 0);
	VRT_EXPECT(t, !vr_session_find(table, 4));
	begin(table, 23, 7, 23, 0);
	VRT_EXPECT(t, !vr_session_find(table, 5));
	VRT_EXPECT(t, vr_session_find(table, 1) && vr_session_find(table, 2));
	VRT_EXPECT_EQUAL(t, live(table), ROWS);
}

static void no_eviction_for_a_duplicate(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	u64 op;

	for (op = 1; op <= ROWS; op++)
		begin(table, op, 7, op, 0);
	VRT_EXPECT_EQUAL(t, begin(table, 30, 7, 4, 0)->id, 4);
	for (op = 1; op <= ROWS; op++)
		VRT_EXPECT(t, vr_session_find(table, op));
}

/* Ids that are equal modulo the number of buckets share a chain. */
static void chains(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	u32 victim, i;

	for (victim = 0; victim < ROWS; victim++) {
		vr_sessions_reset(table);
		for (i = 0; i < ROWS; i++)
			begin(table, 3 + i * ROWS, 7, i + 1, 0);
		for (i = 0; i < ROWS; i++)
			VRT_EXPECT(t, vr_session_find(table, 3 + i * ROWS));
		vr_session_end(table, vr_session_find(table, 3 + victim * ROWS));
		for (i = 0; i < ROWS; i++)
			VRT_EXPECT(t, !vr_session_find(table, 3 + i * ROWS) == (i == victim));
		begin(table, 3 + 10 * ROWS, 7, 99, 0);
		VRT_EXPECT(t, vr_session_find(table, 3 + 10 * ROWS));
		VRT_EXPECT_EQUAL(t, live(table), ROWS);
	}
}

static void high_generations(struct vrt *t)
{
	struct vr_sessions *table = table_new(t);
	u64 base = 0x7fffull << 48, i;

	for (i = 1; i <= 3 * ROWS; i++) {
		begin(table, base + i, 7, i, 0);
		VRT_EXPECT(t, vr_session_find(table, base + i));
		VRT_EXPECT(t, !vr_session_find(table, i));
	}
	VRT_EXPECT(t, !vr_session_find(table, base + 2 * ROWS));
	VRT_EXPECT(t, vr_session_find(table, base + 2 * ROWS + 1));
}

static struct vrt_case cases[] = {
	{ begins, "a session begins with nothing applied" },
	{ begins_once, "a session begins once, however often it is asked for" },
	{ ended_begins_anew, "a session that ended is no more" },
	{ evicts_the_idlest, "a full table ends the session that was idle longest" },
	{ no_eviction_for_a_duplicate, "a session that is there already ends no other" },
	{ chains, "sessions of one bucket are found whichever of them ended" },
	{ high_generations, "ids of the last generation work as well" },
	{ }
};

VRT_SUITE(session, cases);
