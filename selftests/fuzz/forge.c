// SPDX-License-Identifier: GPL-2.0
/* See forge.h. */
#include "forge.h"
#include "vr_checkpoint.h"
#include "vr_log.h"

#define EDITS_MAX 16

/** struct lie - a message and what it points to */
struct lie {
	struct vr_message message;
	struct vr_entry entries[VR_BATCH_MAX];
	u64 hashes[VR_HASHES_MAX];
	struct letter letter;
};

static const u8 body[VR_BODY_BYTES_MAX] = "a body";

static u8 pick_voter(const struct forge *f)
{
	return take(f->in) % f->c->count;
}

/* A voter may lie to itself, which nobody does: it must be dropped. */
static u8 pick_client(const struct forge *f)
{
	u8 place = take(f->in);

	return f->c->clients ? CLUSTER_CLIENT + place % f->c->clients : place;
}

static u64 life_of(const struct forge *f, u8 place)
{
	return place < CLUSTER_PLACES ? f->c->config[place].nonce : place;
}

static u64 hash_at(const struct forge *f, u64 op)
{
	const struct vr_info *info = cluster_info(f->c, f->to);
	const struct vr_entry *e;

	if (info->op_first <= info->op) {
		e = vr_replica_entry(f->c->replicas[f->to], op);
		if (e)
			return e->hash;
	}
	return op == info->commit ? info->commit_hash : 0;
}

static void know(struct forge *f)
{
	const struct vr_info *info = cluster_info(f->c, f->to);
	const struct answer *answers = f->c->answers[f->to];
	u64 known[] = {
		info->view, info->last_normal_view, info->op, info->commit, info->op_durable,
		info->op_first, info->checkpoint_op, info->commit_hash, info->checkpoint_hash,
		info->incarnation, info->peers[f->from % VR_REPLICAS_MAX].incarnation,
		info->sequence_first, info->sequence_last, info->record.ballot,
		info->record.accepted, info->generation, info->instance, f->c->now_ns,
		life_of(f, f->to), life_of(f, f->from), answers[0].done.result.index,
		answers[0].done.request, answers[4].done.result.index, answers[4].done.request,
		f->c->form_slot[f->to],
	};

	memset(f->known, 0, sizeof(f->known));
	memcpy(f->known, known, sizeof(known));
	f->known[31] = hash_at(f, f->known[2]);
}

static u64 number(const struct forge *f)
{
	u8 how = take(f->in);
	u64 known = f->known[how % FORGE_KNOWN];

	switch (how / FORGE_KNOWN) {
	case 2:
		return known + take(f->in);
	case 3:
		return known - take(f->in);
	case 4:
		return take(f->in);
	case 5:
		return take64(f->in);
	case 6:
		return VR_NUMBER_MAX - take(f->in);
	case 7:
		return 1ull << take(f->in) % 64;
	default:
		return known;
	}
}

/* What a liar has at @op: the same whenever it is asked in one view. */
static void plan(const struct forge *f, struct vr_entry *e, u64 op, u64 view)
{
	memset(e, 0, sizeof(*e));
	e->op = op;
	e->view = view;
	e->session = f->known[20];
	e->request = op & VR_COUNT_MASK;
	e->argument = 1 + op % 3;
	e->kind = 1 + op % (VR_KIND_COUNT - 1);
	e->topic = e->kind == VR_KIND_APPEND ? op : 0;
	e->body = body;
	e->body_bytes = e->kind == VR_KIND_APPEND ? 300 : op % 8;
	e->origin = f->from;
}

static void plan_entries(const struct forge *f, struct lie *l, u32 count)
{
	struct vr_message *m = &l->message;
	u32 i;

	for (i = 0; i < count; i++) {
		plan(f, &l->entries[i], m->op + 1 + i, m->view);
		m->entries[i] = &l->entries[i];
	}
	m->entry_count = count;
}

/* The receiver's hashes, then those of what it was never told. */
static void plan_hashes(const struct forge *f, struct lie *l)
{
	struct vr_message *m = &l->message;
	u64 hash = hash_at(f, m->commit - 1), op = m->commit;
	struct vr_entry e;
	u32 i;

	m->hash_count = vr_min(m->op - m->commit, VR_HASHES_MAX - 1) + 1;
	for (i = 0; i < m->hash_count; i++, op++) {
		u64 held = hash_at(f, op);

		plan(f, &e, op, m->view);
		hash = held ? held : vr_entry_hash(&e, hash);
		l->hashes[i] = hash;
	}
}

/* As one who is in the same group, view and generation would say it. */
static void begin(const struct forge *f, struct lie *l, u8 type)
{
	const struct vr_info *info = cluster_info(f->c, f->to);
	struct vr_message *m = &l->message;
	u32 slot;

	memset(l, 0, sizeof(*l));
	m->type = type;
	m->from = f->from;
	m->to = f->to;
	m->generation = info->generation;
	m->instance = info->instance ? info->instance : 42;
	m->view = info->view;
	m->log_view = info->last_normal_view;
	m->op = info->op;
	m->commit = info->commit;
	m->hash = f->known[31];
	m->hashes = l->hashes;
	m->chunk = body;
	m->chunk_bytes = 1;
	m->total_bytes = 1;
	m->read_id = life_of(f, f->from) | 1;
	m->life = life_of(f, vr_type_to_client(type) ? f->to : f->from);
	m->status = 1;
	m->sequence_first = info->sequence_first;
	m->sequence_last = info->sequence_last;
	m->form_id = 42;
	m->heartbeat_ns = f->c->now_ns;
	for (slot = 0; slot < f->c->count; slot++) {
		m->nonces[slot] = f->c->config[slot].nonce;
		m->vector[slot] = slot == f->to ? info->incarnation :
						  info->peers[slot].incarnation;
		m->vector[slot] = vr_max(m->vector[slot], 1);
	}
	if (f->from < f->c->count)
		m->incarnation = m->vector[f->from];
	if (type == VR_DO_VIEW_CHANGE)
		m->view++;
}

static void edit_entry(const struct forge *f, struct vr_entry *e)
{
	switch (take(f->in) % 9) {
	case 0:
		e->view = number(f);
		break;
	case 1:
		e->session = number(f);
		break;
	case 2:
		e->request = number(f);
		break;
	case 3:
		e->argument = number(f);
		break;
	case 4:
		e->kind = take(f->in);
		break;
	case 5:
		e->origin = take(f->in);
		break;
	case 6:
		e->body_bytes = take(f->in) << take(f->in) % 6;
		break;
	case 7:
		e->topic = take(f->in);
		break;
	case 8:
		e->op = number(f);
		break;
	}
}

static void edit(const struct forge *f, struct lie *l)
{
	struct vr_message *m = &l->message;
	u64 *words[] = {
		&m->incarnation, &m->view, &m->log_view, &m->op, &m->commit, &m->hash,
		&m->durable, &m->heartbeat_ns, &m->age_ns, &m->after, &m->read_id,
		&m->form_id, &m->ballot, &m->promised, &m->life, &m->session, &m->request,
		&m->sequence_first, &m->sequence_last, &m->result.index, &m->result.view,
		&m->result.first, &m->result.last,
	};
	u8 what = take(f->in) % 36;

	if (what < VR_ARRAY_COUNT(words)) {
		*words[what] = number(f);
		return;
	}
	switch (what) {
	case 23:
		m->status = take(f->in);
		break;
	case 24:
		m->flag = !m->flag;
		m->recorded = !m->recorded;
		break;
	case 25:
		m->generation = number(f);
		break;
	case 26:
		m->cold_generation = number(f);
		break;
	case 27:
		m->instance = number(f);
		break;
	case 28:
		m->result.error = -(s32)take(f->in);
		break;
	case 29:
		m->nonces[take(f->in) % VR_REPLICAS_MAX] = number(f);
		break;
	case 30:
		m->vector[take(f->in) % VR_REPLICAS_MAX] = number(f);
		break;
	case 31:
		l->hashes[take(f->in) % VR_HASHES_MAX] = number(f);
		break;
	case 32:
		m->hash_count = take(f->in) % (VR_HASHES_MAX + 1);
		break;
	case 33:
		if (m->entry_count)
			edit_entry(f, &l->entries[take(f->in) % m->entry_count]);
		break;
	case 34:
		m->offset = take(f->in) * VR_CHUNK_BYTES_MAX;
		m->total_bytes = m->offset + (take(f->in) << take(f->in) % 9);
		break;
	case 35:
		m->chunk_bytes = vr_min(m->total_bytes, VR_CHUNK_BYTES_MAX);
		break;
	}
}

/* By a member's own key, so it is opened; what it says is looked at as any other. */
static void deliver(const struct forge *f, struct lie *l)
{
	const struct vr_wire_group group = { .group = 7, .members = f->c->members[f->from] };
	/* In either version, if the older one can say it. */
	u8 version = vr_max(vr_message_version(&l->message),
			    VR_WIRE_VERSION - ((l->message.op ^ l->message.view) & 1));
	struct letter *letter = &l->letter;

	if (vr_wire_bytes(&l->message) > sizeof(letter->data))
		return;
	letter->to = f->to;
	letter->bytes = vr_wire_encode(letter->data, &l->message, f->to, version, &group);
	cluster_deliver(f->c, letter);
}

static void choose(struct forge *f, u8 type)
{
	f->to = vr_type_to_client(type) ? pick_client(f) : pick_voter(f);
	f->from = vr_type_of_client(type) && !vr_type_to_client(type) ? pick_client(f) :
								      pick_voter(f);
	if (f->to >= CLUSTER_PLACES || !f->c->replicas[f->to])
		f->to = 0;
	f->from %= CLUSTER_PLACES;
	know(f);
}

void forge_message(struct cluster *c, struct input *in)
{
	static struct lie lie;
	struct forge f = { .in = in, .c = c };
	u8 type = 1 + take(in) % (VR_TYPE_COUNT - 1), edits;
	struct vr_message *m = &lie.message;

	choose(&f, type);
	begin(&f, &lie, type);
	edits = take(in);
	/* What follows from the numbers is done once they are known. */
	if (edits & 0x10)
		m->op += take(in) % 100;
	if (edits & 0x20)
		m->view += take(in) % 8;
	if (edits & 0x40)
		m->commit += take(in) % 100;
	if (edits & 0x80)
		m->op -= take(in) % 100;
	plan_hashes(&f, &lie);
	if (type == VR_REQUEST || type == VR_CLIENT_REQUEST || type == VR_CLIENT_READ)
		plan_entries(&f, &lie, 1);
	else if (type == VR_PREPARE || type == VR_NEW_STATE || type == VR_RECORDS)
		plan_entries(&f, &lie, take(in) % (VR_BATCH_MAX + 1));
	m->ballot = (f.known[13] & ~(u64)7) + 8 +
		    (type == VR_COLD_PREPARE || type == VR_COLD_ACCEPT ? f.from : f.to);
	m->cold_generation = m->generation + 1;
	for (edits %= EDITS_MAX; edits; edits--)
		edit(&f, &lie);
	deliver(&f, &lie);
}

/* ---- checkpoints: their bytes are drawn in vr_checkpoint.c --------------------- */

static u8 *put(u8 *at, u64 value, u32 bytes)
{
	while (bytes--) {
		*at++ = value;
		value >>= 8;
	}
	return at;
}

static u8 *put_session(const struct forge *f, u8 *at, u32 row, u64 op)
{
	u32 answers = take(f->in) % (VR_WINDOW + 2), i;

	at = put(at, take(f->in) % 16 ? row : take(f->in), 4);
	at = put(at, f->from, 4);
	at = put(at, take(f->in) % 4 ? op - row : number(f), 8);
	at = put(at, life_of(f, f->from), 8);
	at = put(at, 1000 + row, 8);
	at = put(at, f->known[0], 8);
	at = put(at, take(f->in) % 4 ? op : number(f), 8);
	at = put(at, number(f), 8);
	at = put(at, answers, 8);
	for (i = 0; i < 6 * vr_min(answers, VR_WINDOW); i++)
		at = put(at, i % 6 == 1 ? 0 : i, 8);
	return at;
}

static u8 *put_message(const struct forge *f, u8 *at, u64 op)
{
	u16 bytes = take(f->in) << take(f->in) % 7;

	at = put(at, take(f->in) % 8 ? op : number(f), 8);
	at = put(at, f->known[0], 8);
	at = put(at, f->known[20], 8);
	at = put(at, op, 8);
	at = put(at, 0, 8);
	at = put(at, take(f->in) % 8 ? VR_KIND_APPEND : take(f->in), 1);
	at = put(at, 0, 1);
	at = put(at, bytes, 2);
	at = put(at, 5, 4);
	at = put(at, f->from, 8);
	memset(at, 'm', bytes);
	return at + bytes;
}

static u32 compose(const struct forge *f, u8 *bytes, u64 op)
{
	u32 counters = take(f->in) % 6, sessions = take(f->in) % 10, messages = take(f->in) % 4;
	u64 base = vr_number_base(f->known[15]);
	u8 *at = bytes;
	u32 i;

	memcpy(at, "VVRCKPT2", 8);
	at = put(at + 8, op, 8);
	at = put(at, number(f), 8);
	at = put(at, take(f->in) % 16 ? base : number(f), 8);
	at = put(at, number(f), 8);
	at = put(at, counters, 4);
	at = put(at, sessions, 4);
	at = put(at, take(f->in) % 16 ? messages : take(f->in), 4);
	at = put(at, 0, 4);
	at = put(at, take(f->in) % 4 ? base + 1 + take(f->in) : number(f), 8);
	at = put(at, take(f->in) % 4 ? 8 * take(f->in) : number(f), 8);
	for (i = 0; i < counters; i++) {
		at = put(at, number(f), 8);
		at = put(at, 1, 1);
		at = put(at, 'a' + take(f->in) % 4, 1);
	}
	for (i = 0; i < sessions; i++)
		at = put_session(f, at, i, op);
	for (i = 0; i < messages; i++)
		at = put_message(f, at, op - messages + 1 + i);
	return at - bytes;
}

void forge_checkpoint(struct cluster *c, struct input *in)
{
	static u8 bytes[100000];
	static struct lie lie;
	struct forge f = { .in = in, .c = c };
	struct vr_message *m = &lie.message;
	u32 total, offset;
	u64 op, hash;

	choose(&f, VR_CHECKPOINT);
	op = take(in) % 8 ? f.known[2] + take(in) : number(&f);
	total = compose(&f, bytes, op);
	hash = vr_bytes_hash(bytes, total, 0);
	for (offset = 0; offset < total; offset += m->chunk_bytes) {
		begin(&f, &lie, VR_CHECKPOINT);
		m->op = op;
		m->hash = hash;
		m->offset = offset;
		m->total_bytes = total;
		m->chunk = bytes + offset;
		m->chunk_bytes = vr_min(total - offset, VR_CHUNK_BYTES_MAX);
		deliver(&f, &lie);
	}
}
