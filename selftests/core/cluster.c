// SPDX-License-Identifier: GPL-2.0
/* See cluster.h. */
#include "cluster.h"

#define STEPS_MAX 20000		/* of one call: more is a livelock */

static struct vr_wire_group group_of(const struct cluster *c, u8 slot)
{
	return (struct vr_wire_group){ .group = 7, .members = c->members[slot] };
}

static void post(struct cluster *c, const struct vr_message *m, u8 to)
{
	const struct vr_wire_group group = group_of(c, m->from);
	struct letter *l = &c->letters[c->last % CLUSTER_LETTERS];
	u8 version;

	c->sent[m->from][m->type]++;
	/* To a client that somebody made up, or one that is not reached. */
	if (to >= CLUSTER_PLACES || ((c->cut[m->from] | c->down) & (1u << to)))
		return;
	VRT_ASSERT(c->t, c->last - c->first < CLUSTER_LETTERS);
	VRT_ASSERT(c->t, vr_wire_bytes(m) <= sizeof(l->data));
	l->there = true;
	l->type = m->type;
	l->from = m->from;
	l->to = to;
	version = vr_replica_version_to(c->replicas[m->from], m, to);
	/* Nobody is ever told what its version does not have (R34). */
	VRT_ASSERT(c->t, version >= vr_message_version(m));
	l->version = version;
	l->bytes = vr_wire_encode(l->data, m, to, version, &group);
	c->last++;
}

/* I12; and who has halted says nothing, and wants nothing kept. */
static void check_effects(struct cluster *c, u8 slot)
{
	const struct vr_effects *fx = c->fx;
	u32 i;

	VRT_ASSERT(c->t, fx->send_count <= VR_SENDS_MAX && fx->done_count <= VR_DONE_MAX);
	for (i = 0; i < fx->send_count; i++) {
		VRT_ASSERT(c->t, !(fx->sends[i].to_mask >> c->count));
		VRT_ASSERT(c->t, !(fx->sends[i].to_mask & 1u << slot));
	}
	if (fx->deadline_ns == U64_MAX && cluster_status(c, slot) == VR_STATUS_HALTED)
		VRT_ASSERT(c->t, !fx->send_count && !fx->persist);
}

static void perform(struct cluster *c, u8 slot)
{
	struct vr_effects *fx = c->fx;
	u32 i, to;

	check_effects(c, slot);
	for (i = 0; i < fx->send_count; i++) {
		if (fx->sends[i].client)
			post(c, &fx->sends[i].message, fx->sends[i].client);
		for (to = 0; to < c->count; to++) {
			if (fx->sends[i].to_mask & (1u << to))
				post(c, &fx->sends[i].message, to);
		}
	}
	for (i = 0; i < fx->done_count; i++) {
		struct answer *a = &c->answers[slot][fx->done[i].handle];

		a->count++;
		a->done = fx->done[i];
	}
	c->deadline_ns[slot] = fx->deadline_ns;
	if (fx->form_done) {
		c->form_count[slot]++;
		c->form_error[slot] = fx->form_error;
		c->form_slot[slot] = fx->form_slot;
	}
	c->left[slot] += fx->left;
	c->readable[slot] += fx->readable;
	if (fx->record) {
		VRT_EXPECT(c->t, !c->record_wanted[slot]);
		c->record_wanted[slot] = true;
		c->record_number[slot] = fx->record_write;
		c->record_content[slot] = *fx->record_content;
	}
	if (fx->persist) {
		c->persist[slot] = true;
		c->persist_epoch[slot] = fx->persist_epoch;
		c->persist_op[slot] = fx->persist_op;
		c->persist_promise[slot] = fx->persist_promise;
	}
}

void cluster_step(struct cluster *c, u8 slot, struct vr_event *event)
{
	const char *broken;

	event->now_ns = c->now_ns;
	memset(c->fx, 0xa5, sizeof(*c->fx));
	vr_step(c->replicas[slot], event, c->fx);
	perform(c, slot);
	broken = vr_replica_check(c->replicas[slot]);
	VRT_ASSERT(c->t, vrt_holds(c->t, !broken, __FILE__, __LINE__, broken));
	if (c->persist[slot] && !c->slow_disk)
		cluster_disk(c, slot);
	if (c->record_wanted[slot] && !c->slow_record[slot])
		cluster_record(c, slot);
}

void cluster_record(struct cluster *c, u8 slot)
{
	struct vr_event event = {
		.type = VR_EVENT_RECORDED,
		.record_write = c->record_number[slot],
		.record_error = c->record_error[slot],
	};

	if (!c->record_wanted[slot])
		return;
	c->record_wanted[slot] = false;
	if (!event.record_error) {
		c->record[slot] = c->record_content[slot];
		c->record_writes[slot]++;
	}
	cluster_step(c, slot, &event);
}

void cluster_disk(struct cluster *c, u8 slot)
{
	struct vr_event event = {
		.type = VR_EVENT_DURABLE,
		.log_epoch = c->persist_epoch[slot],
		.op = c->persist_op[slot],
		.promise = c->persist_promise[slot],
	};

	c->persist[slot] = false;
	cluster_step(c, slot, &event);
}

static void configure(struct cluster *c, u8 slot)
{
	struct vr_config *cfg = &c->config[slot];

	cfg->replica_count = c->count;
	cfg->self = slot;
	cfg->nonce = 0x1000 + slot;
	cfg->seed = 1 + slot;
	cfg->heartbeat_ns = CLUSTER_HEARTBEAT_NS;
	cfg->view_timeout_ns = CLUSTER_TIMEOUT_NS;
	cfg->log_entries = VR_ENTRIES_MIN;
	cfg->body_bytes_max = CLUSTER_BODY_BYTES_MAX;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * CLUSTER_BODY_BYTES_MAX;
	cfg->messages = 16;
	cfg->message_bytes = 4 * CLUSTER_BODY_BYTES_MAX;
	cfg->sessions_max = 8;
	cfg->counters_max = 4;
	cfg->pending_max = CLUSTER_HANDLES;
}

static void configure_client(struct cluster *c, u8 place)
{
	struct vr_config *cfg = &c->config[place];

	cfg->replica_count = c->count;
	cfg->self = VR_NOBODY;
	cfg->client = place;
	cfg->nonce = 0x1000 + place;
	cfg->seed = 1 + place;
	cfg->heartbeat_ns = CLUSTER_HEARTBEAT_NS;
	cfg->view_timeout_ns = CLUSTER_TIMEOUT_NS;
	cfg->body_bytes_max = CLUSTER_BODY_BYTES_MAX;
	cfg->messages = 8;
	cfg->message_bytes = 4 * CLUSTER_BODY_BYTES_MAX;
	cfg->pending_max = CLUSTER_HANDLES;
}

static void boot(struct cluster *c, u8 slot)
{
	struct vr_event event = { .type = VR_EVENT_START };
	const struct vr_config *cfg = &c->config[slot];

	VRT_ASSERT(c->t, !vr_config_invalid(cfg));
	c->replicas[slot] = vr_replica_init(vrt_alloc(c->t, vr_replica_size(cfg)), cfg);
	cluster_step(c, slot, &event);
}

u8 cluster_client(struct cluster *c)
{
	u8 place = CLUSTER_CLIENT + c->clients++;

	VRT_ASSERT(c->t, c->clients <= CLUSTER_CLIENTS_MAX);
	c->members[place] = 0x77;
	configure_client(c, place);
	boot(c, place);
	return place;
}

static struct cluster *new_tuned(struct vrt *t, u8 count, void (*tune)(struct vr_config *cfg))
{
	struct cluster *c = vrt_alloc(t, sizeof(*c));
	u8 slot;

	c->t = t;
	c->count = count;
	c->now_ns = 1000 * VR_NS_PER_MS;
	c->letters = vrt_alloc(t, CLUSTER_LETTERS * sizeof(*c->letters));
	c->fx = vrt_alloc(t, sizeof(*c->fx));
	c->scratch = vrt_alloc(t, sizeof(*c->scratch));
	c->info = vrt_alloc(t, sizeof(*c->info));
	for (slot = 0; slot < count; slot++) {
		c->members[slot] = 0x77;
		configure(c, slot);
		if (tune)
			tune(&c->config[slot]);
		boot(c, slot);
	}
	return c;
}

struct cluster *cluster_new(struct vrt *t, u8 count)
{
	return new_tuned(t, count, NULL);
}

static void keeps_record(struct vr_config *cfg)
{
	cfg->keeps_record = true;
}

struct cluster *cluster_recorded(struct vrt *t, u8 count)
{
	return new_tuned(t, count, keeps_record);
}

struct cluster *cluster_begun(struct vrt *t, u8 count, bool formed,
			      void (*tune)(struct vr_config *cfg))
{
	return formed ? cluster_tuned(t, count, tune) : new_tuned(t, count, tune);
}

struct cluster *cluster_tuned(struct vrt *t, u8 count, void (*tune)(struct vr_config *cfg))
{
	struct cluster *c = new_tuned(t, count, tune);
	u8 slot;

	cluster_form(c, 0, 0, 42);
	cluster_run(c);
	for (slot = 0; slot < count; slot++)
		VRT_ASSERT_EQUAL(t, cluster_status(c, slot), VR_STATUS_NORMAL);
	/* Nobody waits for a FORM any more; PING has told who is there. */
	cluster_wait(c, CLUSTER_HEARTBEAT_NS / 2);
	cluster_forget(c);
	return c;
}

struct cluster *cluster_formed(struct vrt *t, u8 count)
{
	return cluster_tuned(t, count, NULL);
}

void cluster_restart(struct cluster *c, u8 slot)
{
	c->config[slot].nonce += 0x100;
	c->persist[slot] = false;
	c->record_wanted[slot] = false;
	c->config[slot].record = c->record[slot];
	c->down &= ~(1u << slot);
	boot(c, slot);
}

void cluster_recovers(struct cluster *c, u8 slot)
{
	cluster_restart(c, slot);
	cluster_wait(c, 20 * CLUSTER_TIMEOUT_NS);
	VRT_ASSERT_EQUAL(c->t, cluster_status(c, slot), VR_STATUS_NORMAL);
	VRT_ASSERT_EQUAL(c->t, cluster_info(c, slot)->recoveries, 1);
	cluster_forget(c);
}

void cluster_demote(struct cluster *c, u8 slot)
{
	struct vr_event event = { .type = VR_EVENT_DEMOTE };

	c->config[slot].nonce += 0x100;
	event.nonce = c->config[slot].nonce;
	cluster_step(c, slot, &event);
}

void cluster_leave(struct cluster *c, u8 slot)
{
	struct vr_event event = { .type = VR_EVENT_LEAVE };

	cluster_step(c, slot, &event);
}

void cluster_form(struct cluster *c, u8 slot, u16 generation, u64 form_id)
{
	struct vr_event event = {
		.type = VR_EVENT_FORM,
		.generation = generation,
		.form_id = form_id,
	};

	cluster_step(c, slot, &event);
}

void cluster_reform(struct cluster *c, u8 slot)
{
	struct vr_event event = { .type = VR_EVENT_REFORM };

	cluster_step(c, slot, &event);
}

void cluster_timeout(struct cluster *c, u8 slot)
{
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	/* One that halted has no deadline, and is not woken any more. */
	if (c->deadline_ns[slot] == U64_MAX)
		return;
	c->now_ns = vr_max(c->now_ns, c->deadline_ns[slot]);
	cluster_step(c, slot, &event);
}

static void submit(struct cluster *c, u8 slot, const struct vr_submit *submitted)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT, .submit = *submitted };

	cluster_step(c, slot, &event);
}

void cluster_submit(struct cluster *c, u8 slot, u32 handle, u8 kind, u64 session,
		    u64 request, u64 argument, const char *text)
{
	struct vr_submit s = {
		.handle = handle,
		.kind = kind,
		.session = session,
		.request = request,
		.argument = argument,
		.body = (const u8 *)text,
		.body_bytes = text ? strlen(text) : 0,
	};

	submit(c, slot, &s);
}

void cluster_ask_again(struct cluster *c, u8 slot, u32 handle, u8 kind, u64 session,
		       u64 request, u64 argument)
{
	struct vr_submit s = {
		.handle = handle,
		.kind = kind,
		.again = true,
		.session = session,
		.request = request,
		.argument = argument,
	};

	submit(c, slot, &s);
}

void cluster_read(struct cluster *c, u8 slot, u32 handle, enum vr_read read)
{
	struct vr_submit s = { .handle = handle, .kind = VR_KIND_GET, .read = read };

	submit(c, slot, &s);
}

static enum vr_drop decode(struct cluster *c, const struct letter *l, bool *members_differ)
{
	const struct vr_wire_group group = group_of(c, l->to);

	return vr_wire_decode(c->scratch, l->data, l->bytes, &group, members_differ);
}

const struct vr_message *cluster_open(struct cluster *c, const struct letter *letter)
{
	bool members_differ;

	VRT_ASSERT_EQUAL(c->t, decode(c, letter, &members_differ), VR_DROP_NONE);
	return &c->scratch->message;
}

void cluster_deliver(struct cluster *c, const struct letter *letter)
{
	struct vr_event event = { .type = VR_EVENT_RECEIVE };

	if (c->down & (1u << letter->to))
		return;
	if (decode(c, letter, &event.members_differ))
		return;
	event.message = &c->scratch->message;
	cluster_step(c, letter->to, &event);
}

/* The step is over before what it sends can come to lie where the letter was. */
static bool deliver_oldest(struct cluster *c)
{
	while (c->first < c->last) {
		struct letter *l = &c->letters[c->first++ % CLUSTER_LETTERS];

		if (l->there) {
			l->there = false;
			cluster_deliver(c, l);
			return true;
		}
	}
	return false;
}

u32 cluster_hop(struct cluster *c)
{
	u32 end = c->last, count = 0;

	while (c->first < end) {
		struct letter *l = &c->letters[c->first++ % CLUSTER_LETTERS];

		if (l->there) {
			l->there = false;
			cluster_deliver(c, l);
			count++;
		}
	}
	return count;
}

void cluster_run(struct cluster *c)
{
	u32 steps = 0;

	while (deliver_oldest(c))
		VRT_ASSERT(c->t, ++steps < STEPS_MAX);
}

/* Slot whose timer is first, CLUSTER_ANY if none is due by @end_ns. */
static u8 first_due(const struct cluster *c, u64 end_ns)
{
	u8 slot, first = CLUSTER_ANY;

	for (slot = 0; slot < CLUSTER_PLACES; slot++) {
		if (!c->replicas[slot])
			continue;
		if (c->down & (1u << slot) || c->deadline_ns[slot] > end_ns)
			continue;
		if (first == CLUSTER_ANY || c->deadline_ns[slot] < c->deadline_ns[first])
			first = slot;
	}
	return first;
}

void cluster_wait(struct cluster *c, u64 ns)
{
	u64 end_ns = c->now_ns + ns;
	u32 steps = 0;
	u8 slot;

	for (;;) {
		cluster_run(c);
		slot = first_due(c, end_ns);
		if (slot == CLUSTER_ANY)
			break;
		cluster_timeout(c, slot);
		VRT_ASSERT(c->t, ++steps < STEPS_MAX);
	}
	c->now_ns = end_ns;
}

void cluster_forget(struct cluster *c)
{
	c->first = c->last;
	memset(c->sent, 0, sizeof(c->sent));
}

struct letter *cluster_find(struct cluster *c, u8 type, u8 from, u8 to)
{
	u32 i;

	for (i = c->first; i < c->last; i++) {
		struct letter *l = &c->letters[i % CLUSTER_LETTERS];

		if (l->there && l->type == type &&
		    (from == CLUSTER_ANY || l->from == from) &&
		    (to == CLUSTER_ANY || l->to == to))
			return l;
	}
	return NULL;
}

struct letter *cluster_take(struct cluster *c, u8 type, u8 from, u8 to)
{
	struct letter *copy = vrt_alloc(c->t, sizeof(*copy));
	struct letter *l = cluster_find(c, type, from, to);

	VRT_ASSERT(c->t, l);
	*copy = *l;
	l->there = false;
	return copy;
}

struct vr_message *cluster_draft(struct cluster *c, u8 type, u8 from, u8 to)
{
	const struct vr_info *info = cluster_info(c, to);
	struct vr_message *m = &c->draft;
	u32 slot;

	memset(m, 0, sizeof(*m));
	m->type = type;
	m->version = VR_WIRE_VERSION;
	m->from = from;
	m->to = to;
	m->incarnation = 1;
	m->generation = info->generation;
	m->instance = info->instance ? info->instance : 42;
	m->view = info->view;
	m->commit = info->commit;
	m->hashes = c->draft_hashes;
	for (slot = 0; slot < c->count; slot++) {
		m->nonces[slot] = 1 + slot;
		m->vector[slot] = 1;
	}
	m->read_id = 1;
	return m;
}

struct vr_entry *cluster_draft_entry(struct cluster *c, u64 session, u64 request)
{
	struct vr_entry *e = &c->draft_entry;

	memset(e, 0, sizeof(*e));
	e->op = c->draft.op + 1;
	e->view = c->draft.view;
	e->session = session;
	e->request = request;
	e->argument = 1;
	e->kind = VR_KIND_NEXT;
	e->origin = c->draft.from;
	c->draft.entries[0] = e;
	c->draft.entry_count = 1;
	return e;
}

void cluster_receive(struct cluster *c)
{
	struct vr_event event = {
		.type = VR_EVENT_RECEIVE,
		.message = &c->draft,
	};

	cluster_step(c, c->draft.to, &event);
}

u64 cluster_begin(struct cluster *c, u8 slot, u32 handle)
{
	struct answer *a = &c->answers[slot][handle];
	u32 count = a->count;

	cluster_submit(c, slot, handle, VR_KIND_SESSION_BEGIN, 0, 1000 + handle, 0, NULL);
	cluster_run(c);
	VRT_ASSERT_EQUAL(c->t, a->count, count + 1);
	VRT_ASSERT_EQUAL(c->t, a->done.outcome, VR_OUTCOME_APPLIED);
	return a->done.result.index;
}

u64 cluster_next(struct cluster *c, u8 slot, u32 handle, u64 session, u64 request)
{
	struct answer *a = &c->answers[slot][handle];
	u32 count = a->count;

	cluster_submit(c, slot, handle, VR_KIND_NEXT, session, request, 1, NULL);
	cluster_run(c);
	VRT_ASSERT_EQUAL(c->t, a->count, count + 1);
	VRT_ASSERT_EQUAL(c->t, a->done.outcome, VR_OUTCOME_APPLIED);
	return a->done.result.last;
}

const struct vr_info *cluster_info(struct cluster *c, u8 slot)
{
	vr_replica_describe(c->replicas[slot], c->info);
	return c->info;
}

u8 cluster_status(struct cluster *c, u8 slot)
{
	return cluster_info(c, slot)->status;
}

u64 cluster_drops(struct cluster *c, u8 slot, enum vr_drop drop)
{
	return cluster_info(c, slot)->drops[drop];
}

void cluster_agrees(struct cluster *c)
{
	const struct vr_entry *a, *b;
	u64 op, commit;
	u8 i, j;

	for (i = 1; i < c->count; i++) {
		for (j = 0; j < i; j++) {
			commit = cluster_info(c, i)->commit;
			commit = vr_min(commit, cluster_info(c, j)->commit);
			for (op = c->info->op_first; op <= commit; op++) {
				a = vr_replica_entry(c->replicas[i], op);
				b = vr_replica_entry(c->replicas[j], op);
				if (a && b)
					VRT_EXPECT_EQUAL(c->t, a->hash, b->hash);
			}
		}
	}
}
