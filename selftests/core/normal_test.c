// SPDX-License-Identifier: GPL-2.0
/* Normal operation: order, quorums, batches, bounds, repair, abdication. */
#include "cluster.h"

#define PIPELINE VR_PIPELINE_MAX

static u64 commit_of(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->commit;
}

static void submit_next(struct cluster *c, u8 slot, u32 handle, u64 session, u64 request)
{
	cluster_submit(c, slot, handle, VR_KIND_NEXT, session, request, 1, NULL);
}

static void round_trip(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0);

	cluster_forget(c);
	submit_next(c, 0, 0, session, 1);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2);
	EXPECT_ANSWER(c, 0, 0, 1, VR_OUTCOME_APPLIED, 0);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_PREPARE_OK], 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	EXPECT_ANSWER(c, 0, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[0][0].done.result.last, 1);
	/* Replica 2 was not needed, nor another datagram. */
	VRT_EXPECT(t, cluster_find(c, VR_PREPARE, 0, 2));
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 0);
}

static void from_a_backup(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 2, 0);

	cluster_forget(c);
	submit_next(c, 2, 0, session, 1);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_REQUEST], 1);
	cluster_deliver(c, cluster_take(c, VR_REQUEST, 2, 0));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	/* Told at once, not with the next heartbeat; the third is not. */
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 2));
	EXPECT_ANSWER(c, 2, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT], 1);
}

static void alone(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 1);
	u64 session = cluster_begin(c, 0, 0);

	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, 1), 1);
	cluster_wait(c, 100 * CLUSTER_TIMEOUT_NS);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	VRT_EXPECT(t, cluster_info(c, 0)->has_quorum);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, 2), 2);
}

static void readers_everywhere(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 session = cluster_begin(c, 3, 0);
	const struct vr_entry *e;
	u8 slot;

	cluster_submit(c, 3, 0, VR_KIND_APPEND, session, 1, 0, "hello");
	cluster_run(c);
	EXPECT_ANSWER(c, 3, 0, 2, VR_OUTCOME_APPLIED, 0);
	for (slot = 0; slot < 5; slot++) {
		VRT_EXPECT_EQUAL(t, c->readable[slot], 1);
		VRT_EXPECT_EQUAL(t, vr_replica_sequence_first(c->replicas[slot]), 1);
		VRT_EXPECT_EQUAL(t, vr_replica_sequence_last(c->replicas[slot]), 1);
		e = vr_replica_message(c->replicas[slot], 1);
		VRT_ASSERT(t, e);
		VRT_EXPECT(t, e->body_bytes == 5 && !memcmp(e->body, "hello", 5));
		VRT_EXPECT_EQUAL(t, e->op, 2);
		VRT_EXPECT(t, !vr_replica_message(c->replicas[slot], 2));
	}
}

static void five_need_three(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 session = cluster_begin(c, 0, 0);

	cluster_forget(c);
	submit_next(c, 0, 0, session, 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 4));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 4, 0));
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 2));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 2, 0));
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 2);
}

static void same_vote_twice(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);
	u64 session = cluster_begin(c, 0, 0);
	struct letter *ok;
	u32 i;

	cluster_forget(c);
	submit_next(c, 0, 0, session, 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 4));
	ok = cluster_take(c, VR_PREPARE_OK, 4, 0);
	for (i = 0; i < 4; i++)
		cluster_deliver(c, ok);
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 1);
}

static void durable_first(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->slow_disk = true;
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_run(c);
	VRT_EXPECT(t, c->persist[0] && c->persist[1] && c->persist[2]);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_PREPARE_OK] + c->sent[2][VR_PREPARE_OK], 0);
	/* One backup's disk and not yet ours: no quorum. */
	cluster_disk(c, 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op_durable, 0);
	cluster_disk(c, 0);
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 1);
	EXPECT_ANSWER(c, 0, 0, 1, VR_OUTCOME_APPLIED, 0);
}

static void durable_without_the_primary(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->slow_disk = true;
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_run(c);
	cluster_disk(c, 1);
	cluster_disk(c, 2);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), 1);
}

static void prepare_ok_is_durable(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	const struct vr_message *m;

	c->slow_disk = true;
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_run(c);
	/* A heartbeat is answered: with what is durable, which is nothing. */
	cluster_forget(c);
	while (!cluster_find(c, VR_COMMIT, 0, 1))
		cluster_timeout(c, 0);
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 1));
	m = cluster_open(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
	VRT_EXPECT_EQUAL(t, m->op, 0);
}

/* The primary is asked for a session: an entry. */
static void begin(struct cluster *c, u32 handle)
{
	cluster_submit(c, 0, handle, VR_KIND_SESSION_BEGIN, 0, 1 + handle, 0, NULL);
}

/* A quorum has what the oldest PREPARE in flight says. */
static void answer_oldest(struct cluster *c)
{
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_PREPARE_OK, 1, 0));
}

static void batches(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	const struct vr_message *m;
	u32 i;

	for (i = 0; i < 2 * VR_PREPARES_MAX; i++)
		begin(c, i);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * VR_PREPARES_MAX);
	/* What waited leaves in one datagram, here when all are answered. */
	for (i = 0; i < VR_PREPARES_MAX; i++) {
		VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * VR_PREPARES_MAX);
		answer_oldest(c);
	}
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * VR_PREPARES_MAX + 2);
	m = cluster_open(c, cluster_take(c, VR_PREPARE, 0, 1));
	VRT_EXPECT_EQUAL(t, m->op, VR_PREPARES_MAX);
	VRT_EXPECT_EQUAL(t, m->entry_count, VR_PREPARES_MAX);
	VRT_EXPECT_EQUAL(t, m->commit, VR_PREPARES_MAX);
}

/* As many as came in the time of one before make the next, others in flight or not. */
static void batch_of_many(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	for (i = 0; i < VR_PREPARES_MAX + 2; i++)
		begin(c, i);
	for (i = 0; i < VR_PREPARES_MAX - 1; i++)
		answer_oldest(c);
	/* Two wait and one is in flight: three more make the five that came. */
	for (i = 0; i < 3; i++) {
		VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * VR_PREPARES_MAX);
		begin(c, VR_PREPARES_MAX + 2 + i);
	}
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * VR_PREPARES_MAX + 2);
	answer_oldest(c);
	VRT_EXPECT_EQUAL(t, cluster_open(c, cluster_take(c, VR_PREPARE, 0, 1))->entry_count, 5);
}

/* Two ask again and again: never does one wait for the other. */
static void two_at_once(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	begin(c, 0);
	for (i = 1; i < 8; i++) {
		begin(c, i);
		VRT_EXPECT_EQUAL(t, c->sent[0][VR_PREPARE], 2 * (i + 1));
		answer_oldest(c);
	}
}

static void batch_bytes(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	char *text = vrt_alloc(t, CLUSTER_BODY_BYTES_MAX + 1);
	u32 i;

	memset(text, 'x', CLUSTER_BODY_BYTES_MAX);
	for (i = 0; i < 6; i++)
		cluster_begin(c, 0, i);
	for (i = 0; i < 6; i++)
		cluster_submit(c, 0, i, VR_KIND_APPEND, 1 + i, 1, 0, text);
	cluster_run(c);
	for (i = 0; i < 6; i++)
		EXPECT_ANSWER(c, 0, i, 2, VR_OUTCOME_APPLIED, 0);
	cluster_wait(c, 3 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, commit_of(c, 1), 12);
	cluster_agrees(c);
}

/* The largest entry there can be makes a datagram of its own; others fill a frame. */
static void largest(struct vr_config *cfg)
{
	cfg->body_bytes_max = VR_BODY_BYTES_MAX;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * VR_BODY_BYTES_MAX;
	cfg->message_bytes = 4 * VR_BODY_BYTES_MAX;
}

static void large_entries(struct vrt *t)
{
	struct cluster *c = cluster_tuned(t, 3, largest);
	char *text = vrt_alloc(t, VR_BODY_BYTES_MAX + 1);
	struct letter *letter;
	u32 i;

	for (i = 0; i < 4; i++)
		cluster_begin(c, 0, i);
	memset(text, 'x', VR_BODY_BYTES_MAX);
	for (i = 0; i < 4; i++) {
		text[i % 2 ? 20 : VR_BODY_BYTES_MAX] = 0;
		cluster_submit(c, 0, i, VR_KIND_APPEND, 1 + i, 1, 0, text);
		text[20] = 'x';
	}
	letter = cluster_find(c, VR_PREPARE, 0, 1);
	VRT_ASSERT(t, letter);
	VRT_EXPECT_EQUAL(t, letter->bytes, VR_WIRE_BATCH_BYTES + VR_WIRE_ENTRY_BYTES +
					   VR_BODY_BYTES_MAX);
	cluster_run(c);
	for (i = 0; i < 4; i++)
		EXPECT_ANSWER(c, 0, i, 2, VR_OUTCOME_APPLIED, 0);
	cluster_wait(c, 3 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, commit_of(c, 1), 8);
	cluster_agrees(c);
}

static void lost(struct vrt *t, u8 type)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0);

	cluster_forget(c);
	c->cut[0] = 1 << 2;
	c->cut[2] = 1;
	submit_next(c, 1, 0, session, 1);
	while (c->first < c->last && !cluster_find(c, type, CLUSTER_ANY, CLUSTER_ANY)) {
		struct letter *l = &c->letters[c->first++ % CLUSTER_LETTERS];

		if (l->there)
			cluster_deliver(c, l);
	}
	cluster_take(c, type, CLUSTER_ANY, CLUSTER_ANY);
	cluster_run(c);
	cluster_wait(c, 4 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 1, 0, 2, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, c->answers[1][0].done.result.last, 1);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->view, 0);
}

static void lost_request(struct vrt *t)
{
	lost(t, VR_REQUEST);
}

static void lost_prepare(struct vrt *t)
{
	lost(t, VR_PREPARE);
}

static void lost_prepare_ok(struct vrt *t)
{
	lost(t, VR_PREPARE_OK);
}

static void lost_commit(struct vrt *t)
{
	lost(t, VR_COMMIT);
}

static void lost_again(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 lost = 0;

	c->down = 1 << 2;
	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	while (lost < 4) {
		if (cluster_find(c, VR_PREPARE, 0, 1)) {
			cluster_take(c, VR_PREPARE, 0, 1);
			lost++;
		}
		cluster_run(c);
		cluster_timeout(c, 0);
	}
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	EXPECT_ANSWER(c, 0, 0, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->view, 0);
}

static void reordered(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *early;
	u32 i;

	for (i = 0; i < 3; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	early = cluster_take(c, VR_PREPARE, 0, 1);
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	cluster_deliver(c, cluster_take(c, VR_PREPARE, 0, 1));
	EXPECT_DROPS(c, 1, VR_DROP_GAP, 2);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 0);
	/* Asked for once, not once for each. */
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_GET_STATE], 1);
	cluster_deliver(c, early);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 3);
	cluster_agrees(c);
}

static void repairs_many(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0), request;

	c->cut[0] = 1 << 2;
	for (request = 1; request <= 100; request++)
		VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, request), request);
	VRT_EXPECT(t, cluster_info(c, 2)->op <= 1);
	c->cut[0] = 0;
	cluster_wait(c, 3 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, commit_of(c, 2), 101);
	VRT_EXPECT(t, c->sent[2][VR_GET_STATE] > 3);
	cluster_agrees(c);
}

static void pipeline_full(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	c->cut[0] = 0x6;
	for (i = 0; i < PIPELINE + 5; i++)
		cluster_submit(c, 1, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, PIPELINE);
	EXPECT_DROPS(c, 0, VR_DROP_PIPELINE_FULL, 5);
	c->cut[0] = 0;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	for (i = 0; i < PIPELINE + 5; i++)
		EXPECT_ANSWER(c, 1, i, 1, VR_OUTCOME_APPLIED, 0);
	VRT_EXPECT_EQUAL(t, commit_of(c, 0), PIPELINE + 5);
	cluster_agrees(c);
}

static void pipeline_full_at_home(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	c->cut[0] = 0x6;
	for (i = 0; i < PIPELINE + 5; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op, PIPELINE);
	c->cut[0] = 0;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	for (i = 0; i < PIPELINE + 5; i++)
		EXPECT_ANSWER(c, 0, i, 1, VR_OUTCOME_APPLIED, 0);
}

static void backlog_of_a_backup(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_message *m;
	u32 i;

	/* A primary that says it has more uncommitted than anybody may have. */
	for (i = 0; i < PIPELINE + 1; i++) {
		m = cluster_draft(c, VR_PREPARE, 0, 1);
		m->op = i;
		m->hash = 0;
		if (i)
			m->hash = vr_replica_entry(c->replicas[1], i)->hash;
		cluster_draft_entry(c, 0, 1 + i)->kind = VR_KIND_SESSION_BEGIN;
		cluster_receive(c);
	}
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, PIPELINE);
	EXPECT_DROPS(c, 1, VR_DROP_PIPELINE_FULL, 1);
}

static void fell_behind(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0), request;

	c->cut[0] = 1 << 2;
	c->cut[1] = 1 << 2;
	for (request = 1; request <= VR_ENTRIES_MIN + 10; request++)
		cluster_next(c, 0, 0, session, request);
	VRT_EXPECT(t, cluster_info(c, 0)->op_first > 3);
	c->cut[0] = 0;
	c->cut[1] = 0;
	cluster_wait(c, 20 * CLUSTER_HEARTBEAT_NS);
	EXPECT_STATUS(c, 2, VR_STATUS_NORMAL);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->transfers, 1);
	VRT_EXPECT_EQUAL(t, cluster_next(c, 0, 0, session, request), request);
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit, cluster_info(c, 0)->commit);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 2)->commit_hash, cluster_info(c, 0)->commit_hash);
}

static void log_wraps(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 1, 0), request;

	for (request = 1; request <= 3 * VR_ENTRIES_MIN; request++)
		VRT_ASSERT_EQUAL(t, cluster_next(c, 1, 0, session, request), request);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->op - c->info->op_first, VR_ENTRIES_MIN - 1);
	cluster_agrees(c);
}

static void abdicates(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u64 session = cluster_begin(c, 0, 0);

	c->cut[1] = 1;
	c->cut[2] = 1;
	cluster_wait(c, 2 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, !cluster_info(c, 0)->has_quorum);
	/* Heard but not answered it would keep others from leading: it is silent. */
	cluster_forget(c);
	submit_next(c, 0, 0, session, 1);
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_COMMIT] + c->sent[0][VR_PREPARE], 0);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, cluster_info(c, 1)->has_quorum || cluster_info(c, 2)->has_quorum);
	VRT_EXPECT(t, cluster_info(c, 1)->view > 0);
}

static void stays_with_a_quorum(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 5);

	c->down = 0x18;
	cluster_wait(c, 50 * CLUSTER_TIMEOUT_NS);
	VRT_EXPECT(t, cluster_info(c, 0)->has_quorum);
	VRT_EXPECT_EQUAL(t, c->info->view, 0);
	VRT_EXPECT_EQUAL(t, c->info->view_changes, 1);
}

static void old_echoes(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *ok;
	u32 i;

	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_forget(c);
	while (!cluster_find(c, VR_COMMIT, 0, 1))
		cluster_timeout(c, 0);
	cluster_deliver(c, cluster_take(c, VR_COMMIT, 0, 1));
	ok = cluster_take(c, VR_PREPARE_OK, 1, 0);
	c->down = 0x6;
	/* The same echo again and again is no new sign of a quorum. */
	for (i = 0; i < 12; i++) {
		cluster_deliver(c, ok);
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	}
	VRT_EXPECT(t, !cluster_info(c, 0)->has_quorum);
}

static void echo_from_the_future(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	c->down = 0x6;
	cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	cluster_draft(c, VR_PREPARE_OK, 1, 0)->heartbeat_ns = U64_MAX;
	cluster_receive(c);
	/* Nor may it make others so that echo nothing. */
	for (i = 0; i < 12; i++) {
		cluster_draft(c, VR_PREPARE_OK, 2, 0);
		cluster_receive(c);
		cluster_wait(c, CLUSTER_HEARTBEAT_NS);
	}
	VRT_EXPECT(t, !cluster_info(c, 0)->has_quorum);
}

static void ping_tells_of_commits(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	c->cut[0] = 1 << 2;
	cluster_begin(c, 0, 0);
	c->cut[0] = 0;
	cluster_forget(c);
	cluster_draft(c, VR_PING, 0, 2);
	c->draft.status = VR_STATUS_NORMAL;
	c->draft.commit = 1;
	c->draft.op = 1;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, c->sent[2][VR_GET_STATE], 1);
	cluster_run(c);
	VRT_EXPECT_EQUAL(t, commit_of(c, 2), 1);
}

static void configurations(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);
	struct vr_config good = c->config[0], bad;

#define INVALID(field, value) do { \
		bad = good; \
		bad.field = value; \
		VRT_EXPECT(t, vr_config_invalid(&bad)); \
	} while (0)
	VRT_EXPECT(t, !vr_config_invalid(&good));
	INVALID(replica_count, 0);
	INVALID(replica_count, VR_REPLICAS_MAX + 1);
	INVALID(self, 3);
	INVALID(heartbeat_ns, 0);
	INVALID(view_timeout_ns, 4 * CLUSTER_HEARTBEAT_NS - 1);
	INVALID(body_bytes_max, 0);
	INVALID(body_bytes_max, CLUSTER_BODY_BYTES_MAX - 1);
	INVALID(body_bytes_max, 2 * VR_BODY_BYTES_MAX);
	INVALID(log_entries, VR_ENTRIES_MIN / 2);
	INVALID(log_entries, VR_ENTRIES_MIN + 1);
	INVALID(log_bytes, good.log_bytes / 2);
	INVALID(log_bytes, good.log_bytes + 16);
	INVALID(messages, 1);
	INVALID(messages, 3);
	INVALID(message_bytes, CLUSTER_BODY_BYTES_MAX);
	INVALID(message_bytes, 3 * CLUSTER_BODY_BYTES_MAX);
	INVALID(sessions_max, 0);
	INVALID(counters_max, 0);
	INVALID(pending_max, 0);
	INVALID(pending_max, VR_PENDING_MAX + 1);
#undef INVALID
}

static struct vrt_case cases[] = {
	{ round_trip, "a commit takes one round trip to the nearest backup" },
	{ from_a_backup, "a backup's request is answered by its own replica" },
	{ alone, "a group of one commits alone" },
	{ readers_everywhere, "a message can be read at every replica" },
	{ five_need_three, "three of five must hold an entry" },
	{ same_vote_twice, "the same PREPARE_OK counts once" },
	{ durable_first, "an entry that is not durable counts for nothing" },
	{ durable_without_the_primary, "two durable backups commit without the primary's disk" },
	{ prepare_ok_is_durable, "a PREPARE_OK says what is durable, not what is held" },
	{ batches, "what arrives meanwhile leaves in one PREPARE" },
	{ batch_of_many, "a batch is as many as came in the time of one before" },
	{ two_at_once, "two who ask at once do not wait for each other" },
	{ batch_bytes, "a batch of large entries is split into datagrams" },
	{ large_entries, "an entry larger than a frame is sent alone" },
	{ lost_request, "a lost REQUEST is sent again" },
	{ lost_prepare, "a lost PREPARE is sent again" },
	{ lost_again, "a PREPARE is sent until it is acknowledged" },
	{ lost_prepare_ok, "a lost PREPARE_OK is said again" },
	{ lost_commit, "a lost COMMIT is made good by a heartbeat" },
	{ reordered, "reordered entries are taken in order" },
	{ repairs_many, "a backup that missed a hundred entries gets them" },
	{ pipeline_full, "the primary takes no more than a pipeline, and then the rest" },
	{ pipeline_full_at_home, "its own requests wait for the pipeline as well" },
	{ backlog_of_a_backup, "a backup holds no more than a pipeline uncommitted" },
	{ fell_behind, "who needs entries that are gone refuses and says so" },
	{ log_wraps, "the log goes on when its ring is full" },
	{ abdicates, "a primary that nobody answers falls silent and is replaced" },
	{ stays_with_a_quorum, "a primary that a quorum answers stays" },
	{ old_echoes, "an old echo is no sign of a quorum" },
	{ echo_from_the_future, "an echo of a time that was not yet is no sign of a quorum" },
	{ ping_tells_of_commits, "a PING of the primary tells what was missed" },
	{ configurations, "every bound of a configuration is checked" },
	{ }
};

VRT_SUITE(normal, cases);
