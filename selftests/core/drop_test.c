// SPDX-License-Identifier: GPL-2.0
/* Every reason a replica has to drop a message: reached, counted, harmless. */
#include "cluster.h"

/* The draft is dropped for this reason, once, and changes no log or view. */
static void dropped(struct cluster *c, enum vr_drop drop)
{
	u8 to = c->draft.to, i;
	struct vr_info *before = vrt_alloc(c->t, sizeof(*before));
	const struct vr_info *after;

	vr_replica_describe(c->replicas[to], before);
	cluster_receive(c);
	after = cluster_info(c, to);
	for (i = 0; i < VR_DROP_COUNT; i++)
		VRT_EXPECT_EQUAL(c->t, after->drops[i], before->drops[i] + (i == drop));
	VRT_EXPECT_EQUAL(c->t, after->view, before->view);
	VRT_EXPECT_EQUAL(c->t, after->op, before->op);
	VRT_EXPECT_EQUAL(c->t, after->commit, before->commit);
	VRT_EXPECT_EQUAL(c->t, after->status, before->status);
}

static void envelope(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_COMMIT, 0, 1);
	c->draft.from = 5;
	dropped(c, VR_DROP_SLOT);
	EXPECT_DROPS(c, 1, VR_DROP_SLOT, 1);

	cluster_draft(c, VR_COMMIT, 0, 1)->instance++;
	dropped(c, VR_DROP_GENERATION);

	cluster_draft(c, VR_COMMIT, 0, 1)->view = 1;
	dropped(c, VR_DROP_FIELD);

	cluster_draft(c, VR_COMMIT, 0, 1)->incarnation = 2;
	cluster_receive(c);
	cluster_draft(c, VR_COMMIT, 0, 1);
	dropped(c, VR_DROP_INCARNATION);
}

static void misdirected(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct vr_event event = { .type = VR_EVENT_RECEIVE, .message = &c->draft };

	cluster_draft(c, VR_COMMIT, 0, 2);
	cluster_step(c, 1, &event);
	EXPECT_DROPS(c, 1, VR_DROP_SLOT, 1);
}

static void members(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);
	struct vr_event event = {
		.type = VR_EVENT_RECEIVE,
		.message = &c->draft,
		.members_differ = true,
	};

	cluster_form(c, 0, 0, 5);
	cluster_draft(c, VR_FORM_OK, 1, 0)->form_id = 5;
	cluster_step(c, 0, &event);
	EXPECT_DROPS(c, 0, VR_DROP_MEMBERS, 1);
	EXPECT_STATUS(c, 0, VR_STATUS_FORMING);
}

static void statuses(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_EXIT_VIEW, 0, 1)->view = 3;
	cluster_receive(c);
	EXPECT_STATUS(c, 1, VR_STATUS_VIEW_CHANGE);
	cluster_draft(c, VR_COMMIT, 0, 1);
	dropped(c, VR_DROP_STATUS);

	cluster_draft(c, VR_DO_VIEW_CHANGE, 1, 0);
	c->draft.view = 3;
	c->draft.hash_count = 1;
	cluster_receive(c);
	EXPECT_STATUS(c, 0, VR_STATUS_NORMAL);
	cluster_draft(c, VR_DO_VIEW_CHANGE, 2, 0);
	c->draft.hash_count = 1;
	dropped(c, VR_DROP_STATUS);
}

static void forming_status(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_form(c, 0, 0, 1);
	cluster_draft(c, VR_COMMIT, 1, 0)->view = 1;
	dropped(c, VR_DROP_STATUS);
}

static void stale_views(struct vrt *t)
{
	static const u8 types[] = {
		VR_PREPARE, VR_PREPARE_OK, VR_COMMIT, VR_EXIT_VIEW,
		VR_DO_VIEW_CHANGE, VR_START_VIEW, VR_GET_STATE,
	};
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	/* Normal in view 4, whose primary is 1; view 3 was of 0. */
	cluster_draft(c, VR_EXIT_VIEW, 2, 1)->view = 4;
	cluster_receive(c);
	cluster_run(c);
	EXPECT_STATUS(c, 1, VR_STATUS_NORMAL);
	for (i = 0; i < VR_ARRAY_COUNT(types); i++) {
		cluster_forget(c);
		cluster_draft(c, types[i], 0, 1);
		c->draft.view = 3;
		c->draft.hash_count = 1;
		if (types[i] == VR_PREPARE)
			cluster_draft_entry(c, 1, 1);
		dropped(c, VR_DROP_STALE_VIEW);
		/* Who is late is told what is the case. */
		VRT_EXPECT_EQUAL(t, c->sent[1][VR_START_VIEW], types[i] != VR_START_VIEW);
	}
}

static void newer_views(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_PREPARE, 0, 1)->view = 3;
	cluster_draft_entry(c, 1, 1);
	dropped(c, VR_DROP_NEWER_VIEW);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_GET_STATE], 1);
	/* Asked now and then, not for each. */
	cluster_draft(c, VR_COMMIT, 0, 1)->view = 3;
	dropped(c, VR_DROP_NEWER_VIEW);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_GET_STATE], 1);
	cluster_draft(c, VR_GET_STATE, 0, 1)->view = 3;
	dropped(c, VR_DROP_NEWER_VIEW);
	cluster_draft(c, VR_PREPARE_OK, 0, 1)->view = 4;
	dropped(c, VR_DROP_NEWER_VIEW);
}

static void not_primary(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_REQUEST, 2, 1);
	cluster_draft_entry(c, 1, 1);
	dropped(c, VR_DROP_NOT_PRIMARY);
	cluster_draft(c, VR_PREPARE_OK, 2, 1);
	dropped(c, VR_DROP_NOT_PRIMARY);
	cluster_draft(c, VR_EXIT_VIEW, 0, 2)->view = 1;
	cluster_receive(c);
	cluster_draft(c, VR_DO_VIEW_CHANGE, 0, 2)->hash_count = 1;
	dropped(c, VR_DROP_NOT_PRIMARY);
}

static void duplicates(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_PREPARE, 0, 1);
	cluster_draft_entry(c, 0, 1)->kind = VR_KIND_SESSION_BEGIN;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 1);
	cluster_forget(c);
	dropped(c, VR_DROP_DUPLICATE);
	/* The PREPARE_OK may be what was lost. */
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_PREPARE_OK], 1);
}

static void duplicate_state(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	struct letter *state;

	c->cut[0] = 1 << 1;
	cluster_begin(c, 0, 0);
	cluster_begin(c, 0, 1);
	c->cut[0] = 0;
	cluster_wait(c, CLUSTER_HEARTBEAT_NS - 1);
	c->cut[0] = 1 << 2;
	while (!cluster_find(c, VR_NEW_STATE, 0, 1)) {
		VRT_ASSERT(t, cluster_info(c, 1)->op < 2);
		if (!cluster_find(c, VR_GET_STATE, 1, 0))
			cluster_timeout(c, 0);
		cluster_deliver(c, cluster_take(c, cluster_find(c, VR_GET_STATE, 1, 0) ?
						VR_GET_STATE : VR_COMMIT,
						CLUSTER_ANY, CLUSTER_ANY));
	}
	state = cluster_take(c, VR_NEW_STATE, 0, 1);
	cluster_deliver(c, state);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 1)->op, 2);
	cluster_deliver(c, state);
	EXPECT_DROPS(c, 1, VR_DROP_UNWANTED, 1);
}

static void gaps(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_PREPARE, 0, 1)->op = 9;
	cluster_draft_entry(c, 1, 1);
	dropped(c, VR_DROP_GAP);
	VRT_EXPECT_EQUAL(t, c->sent[1][VR_GET_STATE], 1);
	/* No answer: asked again. */
	cluster_forget(c);
	c->down = 1;
	cluster_wait(c, 2 * CLUSTER_HEARTBEAT_NS);
	VRT_EXPECT(t, c->sent[1][VR_GET_STATE]);
}

static void full(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);
	u32 i;

	for (i = 0; i < VR_PIPELINE_MAX; i++)
		cluster_submit(c, 0, i, VR_KIND_SESSION_BEGIN, 0, 1 + i, 0, NULL);
	cluster_draft(c, VR_REQUEST, 2, 0);
	cluster_draft_entry(c, 0, 1)->kind = VR_KIND_SESSION_BEGIN;
	dropped(c, VR_DROP_PIPELINE_FULL);
}

static void unwanted(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_begin(c, 0, 0);
	cluster_draft(c, VR_NEW_STATE, 0, 1);
	dropped(c, VR_DROP_UNWANTED);
	cluster_draft(c, VR_NEW_STATE, 0, 1)->view = 3;
	dropped(c, VR_DROP_UNWANTED);
	/* A log we have not, and entries we have not. */
	cluster_draft(c, VR_GET_STATE, 1, 0)->op = 2;
	dropped(c, VR_DROP_UNWANTED);
	cluster_draft(c, VR_EXIT_VIEW, 1, 0)->view = 4;
	cluster_receive(c);
	cluster_draft(c, VR_GET_STATE, 1, 0);
	c->draft.op = 1;
	c->draft.log_view = 3;
	dropped(c, VR_DROP_UNWANTED);
}

static void other_forms(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_draft(c, VR_FORM, 1, 0)->form_id = 5;
	dropped(c, VR_DROP_FORM);
	VRT_EXPECT_EQUAL(t, c->sent[0][VR_FORM_REFUSED], 1);
	cluster_draft(c, VR_FORM_OK, 1, 0)->form_id = 5;
	dropped(c, VR_DROP_FORM);
	cluster_draft(c, VR_FORM_REFUSED, 1, 0)->form_id = 5;
	c->draft.status = VR_FORM_BUSY;
	dropped(c, VR_DROP_FORM);
	cluster_draft(c, VR_FORMED, 1, 0)->form_id = 5;
	dropped(c, VR_DROP_FORM);
}

static void refusal_of_a_bystander(struct vrt *t)
{
	struct cluster *c = cluster_new(t, 3);

	cluster_form(c, 0, 0, 5);
	cluster_deliver(c, cluster_take(c, VR_FORM, 0, 1));
	cluster_draft(c, VR_FORM_REFUSED, 2, 1)->form_id = 5;
	c->draft.status = VR_FORM_BUSY;
	dropped(c, VR_DROP_FORM);
	EXPECT_STATUS(c, 1, VR_STATUS_FORMING);
}

static void other_chains(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	cluster_submit(c, 0, 0, VR_KIND_SESSION_BEGIN, 0, 1, 0, NULL);
	cluster_draft(c, VR_PREPARE_OK, 1, 0);
	c->draft.op = 1;
	c->draft.hash = 1;
	dropped(c, VR_DROP_CHAIN);
	c->draft.op = 2;
	dropped(c, VR_DROP_CHAIN);
	c->draft.op = 1;
	c->draft.hash = vr_replica_entry(c->replicas[0], 1)->hash;
	cluster_receive(c);
	VRT_EXPECT_EQUAL(t, cluster_info(c, 0)->commit, 1);
}

static void wrong_state(struct vrt *t)
{
	struct cluster *c = cluster_formed(t, 3);

	/* The entries of a log being fetched must be those its hashes name. */
	cluster_draft(c, VR_START_VIEW, 1, 2);
	c->draft.view = 1;
	c->draft.op = 1;
	c->draft.hash_count = 2;
	c->draft_hashes[1] = 99;
	cluster_receive(c);
	EXPECT_STATUS(c, 2, VR_STATUS_VIEW_CHANGE);
	cluster_draft(c, VR_NEW_STATE, 1, 2)->log_view = 1;
	cluster_draft_entry(c, 0, 1);
	dropped(c, VR_DROP_CHAIN);
}

static struct vrt_case cases[] = {
	{ envelope, "a message in the wrong envelope is dropped" },
	{ misdirected, "a message to somebody else is dropped" },
	{ members, "a promise given to another member list is dropped" },
	{ statuses, "a message that does not fit the status is dropped" },
	{ forming_status, "who is not in the group yet takes no part in it" },
	{ stale_views, "a message of an old view is dropped, its sender told" },
	{ newer_views, "a message of a later view is dropped, the view asked for" },
	{ not_primary, "what is meant for a primary is dropped by others" },
	{ duplicates, "a PREPARE that came before is acknowledged again" },
	{ duplicate_state, "a NEW_STATE that came before is dropped" },
	{ gaps, "entries behind a gap are dropped and asked for, again and again" },
	{ full, "a request beyond the pipeline is dropped" },
	{ unwanted, "answers and questions that fit no log are dropped" },
	{ other_forms, "messages of another forming are dropped" },
	{ refusal_of_a_bystander, "only the initiator takes a FORM back" },
	{ other_chains, "a PREPARE_OK of another log counts for nothing" },
	{ wrong_state, "entries that the chain does not continue with are dropped" },
	{ }
};

VRT_SUITE(drop, cases);
