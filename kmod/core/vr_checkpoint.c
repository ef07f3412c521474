// SPDX-License-Identifier: GPL-2.0
/*
 * The bytes of a checkpoint, all integers little-endian:
 *
 *   head      magic 8 | op 8 | hash of entry op 8 | base 8 | counter 8 |
 *             counters 4 | sessions 4 | messages 4 | 0 4 |
 *             first message's number 8 | where its body starts 8
 *   counter   value 8 | name_bytes 1 | name
 *   session   row 4 | origin 2 | 0 2 | id 8 | nonce 8 | number 8 | view 8 |
 *             active_op 8 | request 8 | answer_count 8 | answers
 *   answer    request 8 | error 8 | index 8 | view 8 | first 8 | last 8
 *   message   op 8 | view 8 | session 8 | request 8 | argument 8 |
 *             kind 1 | 0 1 | body_bytes 2 | topic 4 | origin 2 | 0 6 | body
 *
 * Rows keep their places and bodies their offsets: what comes next is decided
 * by them, and must be decided alike at every replica.
 */
#include "vr_bytes.h"
#include "vr_checkpoint.h"

#define MAGIC		0x3254504b43525656ull	/* "VVRCKPT2" */
#define HEAD_BYTES	72
#define COUNTER_BYTES	9
#define SESSION_BYTES	64
#define ANSWER_BYTES	48
#define MESSAGE_BYTES	56

size_t vr_checkpoint_size_max(u32 counters_max, u32 sessions_max, u32 messages,
			      u32 message_bytes)
{
	return HEAD_BYTES + (size_t)counters_max * (COUNTER_BYTES + VR_NAME_BYTES_MAX) +
	       (size_t)sessions_max * (SESSION_BYTES + VR_WINDOW * ANSWER_BYTES) +
	       (size_t)messages * MESSAGE_BYTES + message_bytes;
}

u64 vr_bytes_hash(const u8 *bytes, u32 count, u64 hash)
{
	u32 i;

	for (i = 0; i + 8 <= count; i += 8)
		hash = vr_hash_mix(hash, vr_get64(bytes + i));
	for (; i < count; i++)
		hash = vr_hash_mix(hash, bytes[i]);
	return vr_hash_mix(hash, count);
}

/* ---- writing: the room is enough for all there can be ------------------- */

static u8 *put64(u8 *at, u64 value)
{
	vr_put64(at, value);
	return at + 8;
}

static u8 *put32(u8 *at, u32 value)
{
	vr_put32(at, value);
	return at + 4;
}

static u8 *put_bytes(u8 *at, const u8 *bytes, u32 count)
{
	if (count)
		memcpy(at, bytes, count);
	return at + count;
}

static u8 *put_counter(u8 *at, const struct vr_counter *counter)
{
	at = put64(at, counter->value);
	*at++ = counter->name_bytes;
	return put_bytes(at, counter->name, counter->name_bytes);
}

static u32 answers_kept(u64 answer_count)
{
	return vr_min(answer_count, VR_WINDOW);
}

static u8 *put_session(u8 *at, const struct vr_session *s, u32 row)
{
	u32 i;

	at = put32(at, row);
	at = put32(at, s->origin);
	at = put64(at, s->id);
	at = put64(at, s->nonce);
	at = put64(at, s->number);
	at = put64(at, s->view);
	at = put64(at, s->active_op);
	at = put64(at, s->request);
	at = put64(at, s->answer_count);
	for (i = 0; i < answers_kept(s->answer_count); i++) {
		const struct vr_answer *a = &s->answers[i];

		at = put64(at, a->request);
		at = put64(at, (u64)a->result.error);
		at = put64(at, a->result.index);
		at = put64(at, a->result.view);
		at = put64(at, a->result.first);
		at = put64(at, a->result.last);
	}
	return at;
}

static u8 *put_message(u8 *at, const struct vr_entry *e)
{
	at = put64(at, e->op);
	at = put64(at, e->view);
	at = put64(at, e->session);
	at = put64(at, e->request);
	at = put64(at, e->argument);
	at = put64(at, (u64)e->kind | (u64)e->body_bytes << 16 | (u64)e->topic << 32);
	at = put64(at, e->origin);
	return put_bytes(at, e->body, e->body_bytes);
}

/* A session, too, is of a member that not all versions of the wire format know (R34). */
static u8 origin_version(u16 origin)
{
	return vr_is_client(origin) ? VR_WIRE_VERSION_CLIENTS : VR_WIRE_VERSION_MIN;
}

void vr_checkpoint_take(struct vr_checkpoint *c, const struct vr_sm *sm, u64 op,
			u64 entry_hash)
{
	const struct vr_ring *messages = &sm->messages;
	u32 sessions = 0, i;
	u8 *at = c->bytes, version = VR_WIRE_VERSION_MIN;
	u64 number;

	for (i = 0; i < sm->sessions.max; i++)
		sessions += !!sm->sessions.rows[i].id;

	at = put64(at, MAGIC);
	at = put64(at, op);
	at = put64(at, entry_hash);
	at = put64(at, sm->base);
	at = put64(at, sm->counter.value);
	at = put32(at, sm->counter_count);
	at = put32(at, sessions);
	at = put32(at, messages->last - messages->first + 1);
	at = put32(at, 0);
	at = put64(at, messages->first);
	at = put64(at, vr_ring_start(messages));

	for (i = 0; i < sm->counter_count; i++)
		at = put_counter(at, &sm->counters[i]);
	for (i = 0; i < sm->sessions.max; i++) {
		const struct vr_session *s = &sm->sessions.rows[i];

		if (!s->id)
			continue;
		at = put_session(at, s, i);
		version = vr_max(version, origin_version(s->origin));
	}
	for (number = messages->first; number <= messages->last; number++) {
		const struct vr_entry *e = vr_ring_get(messages, number);

		at = put_message(at, e);
		version = vr_max(version, vr_entry_version(e));
	}

	c->version = version;
	c->size = at - c->bytes;
	c->here = c->size;
	c->op = op;
	c->op_last = op;
	c->hashed = false;
	c->body_bytes = 0;
	c->taken++;
}

/* ---- fetching, chunks in any order ---------------------------------------- */

void vr_checkpoint_expect(struct vr_checkpoint *c, u64 op, u64 hash, u32 size)
{
	c->op = op;
	c->wanted_hash = hash;
	c->size = size;
	c->here = 0;
	c->hashed = false;
	memset(c->chunks, 0, (vr_checkpoint_chunk_count(size) + 7) / 8);
}

static bool has_chunk(const struct vr_checkpoint *c, u32 chunk)
{
	return c->chunks[chunk / 8] >> chunk % 8 & 1;
}

bool vr_checkpoint_put(struct vr_checkpoint *c, u32 offset, const u8 *chunk, u32 count)
{
	u32 number = offset / VR_CHUNK_BYTES_MAX;

	if (offset % VR_CHUNK_BYTES_MAX || offset >= c->size ||
	    count != vr_min(c->size - offset, VR_CHUNK_BYTES_MAX) || has_chunk(c, number))
		return false;
	memcpy(c->bytes + offset, chunk, count);
	c->chunks[number / 8] |= 1u << number % 8;
	while (c->here < c->size && has_chunk(c, c->here / VR_CHUNK_BYTES_MAX))
		c->here = vr_min(c->here + VR_CHUNK_BYTES_MAX, c->size);
	return true;
}

/* ---- hash ------------------------------------------------------------------ */

u64 vr_checkpoint_hash(struct vr_checkpoint *c)
{
	if (!c->hashed)
		c->hash = vr_bytes_hash(c->bytes, c->size, 0);
	c->hashed = true;
	return c->hash;
}

/* ---- reading: bounded by what is there, the first mistake sticks --------- */

struct cursor {
	const u8 *at;
	u32 left;
	bool broken;
	u64 op;			/* of the newest message read */
	u8 version;
};

static const u8 *take(struct cursor *c, u32 bytes)
{
	static const u8 zeros[8];
	const u8 *at = c->at;

	if (c->left < bytes) {
		c->broken = true;
		c->left = 0;
		return zeros;
	}
	c->at += bytes;
	c->left -= bytes;
	return at;
}

static u64 get64(struct cursor *c)
{
	return vr_get64(take(c, 8));
}

static u32 get32(struct cursor *c)
{
	return vr_get32(take(c, 4));
}

static void check(struct cursor *c, bool good)
{
	if (!good)
		c->broken = true;
}

struct head {
	u64 op;
	u64 entry_hash;
	u64 base;
	u64 counter;
	u32 counters;
	u32 sessions;
	u32 messages;
	u64 message_first;
	u64 message_start;
	u8 version;
};

static void get_head(struct cursor *c, struct head *h)
{
	check(c, get64(c) == MAGIC);
	h->op = get64(c);
	h->entry_hash = get64(c);
	h->base = get64(c);
	h->counter = get64(c);
	h->counters = get32(c);
	h->sessions = get32(c);
	h->messages = get32(c);
	check(c, !get32(c));
	h->message_first = get64(c);
	h->message_start = get64(c);
}

static void get_counter(struct cursor *c, struct vr_sm *sm, bool keep)
{
	u64 value = get64(c);
	u8 name_bytes = *take(c, 1);
	const u8 *name;

	check(c, name_bytes && name_bytes <= VR_NAME_BYTES_MAX && name_bytes <= c->left);
	if (c->broken)
		return;
	name = take(c, name_bytes);
	if (keep)
		vr_sm_restore_counter(sm, name, name_bytes, value);
}

static void get_answers(struct cursor *c, u64 answer_count, struct vr_session *keep)
{
	u32 i;

	for (i = 0; i < answers_kept(answer_count) && !c->broken; i++) {
		struct vr_answer a;

		memset(&a, 0, sizeof(a));
		a.request = get64(c);
		a.result.error = (s32)get64(c);
		a.result.index = get64(c);
		a.result.view = get64(c);
		a.result.first = get64(c);
		a.result.last = get64(c);
		if (keep)
			keep->answers[i] = a;
	}
}

/*
 * Returns the row after this one's: rows come in order, none twice. That no id
 * comes twice is not seen before there is a table to look it up in.
 */
static u32 get_session(struct cursor *c, struct vr_sm *sm, const struct head *h, u32 row_next,
		       bool keep)
{
	struct vr_sessions *t = &sm->sessions;
	u32 row = get32(c), origin = get32(c);
	u64 id = get64(c), nonce = get64(c), number = get64(c), view = get64(c);
	u64 active_op = get64(c), request = get64(c), answer_count = get64(c);
	struct vr_session *s;

	check(c, id > h->base && id <= active_op && active_op <= h->op && row >= row_next &&
	      row < t->max && origin <= U16_MAX);
	if (c->broken)
		return row_next;
	c->version = vr_max(c->version, origin_version(origin));
	s = &t->rows[row];
	keep = keep && !vr_session_find(t, id);
	if (keep) {
		memset(s, 0, sizeof(*s));
		s->id = id;
		s->nonce = nonce;
		s->number = number;
		s->view = view;
		s->active_op = active_op;
		s->request = request;
		s->answer_count = answer_count;
		s->origin = origin;
		vr_session_restore(t, s);
	}
	get_answers(c, answer_count, keep ? s : NULL);
	return row + 1;
}

/* Its body must fit whatever is made for the largest, the ring first of all. */
static void get_message(struct cursor *c, struct vr_sm *sm, const struct head *h,
			u32 body_bytes_max, bool keep)
{
	struct vr_ring *messages = &sm->messages;
	struct vr_entry e;
	u64 word;

	memset(&e, 0, sizeof(e));
	e.op = get64(c);
	e.view = get64(c);
	e.session = get64(c);
	e.request = get64(c);
	e.argument = get64(c);
	word = get64(c);
	e.kind = word;
	e.body_bytes = word >> 16;
	e.topic = word >> 32;
	check(c, !(word >> 8 & 0xff));
	word = get64(c);
	e.origin = word;
	check(c, word <= U16_MAX && e.body_bytes <= body_bytes_max && e.body_bytes <= c->left &&
	      e.kind == VR_KIND_APPEND && e.op > c->op && e.op <= h->op);
	if (c->broken)
		return;
	c->op = e.op;
	c->version = vr_max(c->version, vr_entry_version(&e));
	e.body = take(c, e.body_bytes);
	if (!keep)
		return;
	while (!vr_ring_fits(messages, e.body_bytes))
		vr_ring_drop_first(messages);
	vr_ring_append(messages, &e);
}

/* Once to see whether it is sound, once more to keep it. */
static bool walk(const struct vr_checkpoint *checkpoint, struct vr_sm *sm, bool keep,
		 struct head *h)
{
	struct cursor c = {
		.at = checkpoint->bytes,
		.left = checkpoint->size,
		.version = VR_WIRE_VERSION_MIN,
	};
	u32 i, row = 0;

	get_head(&c, h);
	check(&c, h->op == checkpoint->op && h->counters <= sm->counters_max &&
	      h->sessions <= sm->sessions.max && h->message_first > h->base &&
	      h->message_first <= VR_NUMBER_MAX && h->message_start <= U32_MAX &&
	      h->op >= h->base);
	if (c.broken)
		return false;
	c.op = h->base;
	if (keep) {
		vr_sm_reset(sm, h->base);
		sm->counter.value = h->counter;
		vr_ring_reset(&sm->messages, h->message_first);
		sm->messages.head = h->message_start;
	}
	for (i = 0; i < h->counters && !c.broken; i++)
		get_counter(&c, sm, keep);
	for (i = 0; i < h->sessions && !c.broken; i++)
		row = get_session(&c, sm, h, row, keep);
	for (i = 0; i < h->messages && !c.broken; i++)
		get_message(&c, sm, h, checkpoint->body_bytes_max, keep);
	h->version = c.version;
	return !c.broken && !c.left;
}

bool vr_checkpoint_read(struct vr_checkpoint *c, struct vr_sm *sm, u64 *entry_hash)
{
	struct head h;
	bool sound = walk(c, sm, false, &h);

	*entry_hash = h.entry_hash;
	c->version = h.version;
	return sound && h.base == sm->base;
}

void vr_checkpoint_restore(const struct vr_checkpoint *c, struct vr_sm *sm)
{
	struct head h;

	walk(c, sm, true, &h);
}
