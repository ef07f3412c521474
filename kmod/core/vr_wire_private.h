/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Cursors over the bytes of a datagram, for vr_wire.c and vr_wire_client.c: one
 * writes where there is room, one reads and never passes the end.
 */
#ifndef VR_WIRE_PRIVATE_H
#define VR_WIRE_PRIVATE_H

#include "vr_bytes.h"
#include "vr_wire.h"

/* Writing: the caller gave room for vr_wire_bytes(). */
struct writer {
	u8 *at;
};

static inline void put8(struct writer *w, u8 value)
{
	*w->at++ = value;
}

static inline void put16(struct writer *w, u16 value)
{
	vr_put16(w->at, value);
	w->at += 2;
}

static inline void put32(struct writer *w, u32 value)
{
	vr_put32(w->at, value);
	w->at += 4;
}

static inline void put64(struct writer *w, u64 value)
{
	vr_put64(w->at, value);
	w->at += 8;
}

static inline void put_entry(struct writer *w, const struct vr_entry *e)
{
	put64(w, e->view);
	put64(w, e->session);
	put64(w, e->request);
	put64(w, e->argument);
	put8(w, e->kind);
	put8(w, 0);
	put16(w, e->body_bytes);
	put32(w, e->topic);
	put64(w, e->origin);
	if (e->body_bytes)
		memcpy(w->at, e->body, e->body_bytes);
	w->at += e->body_bytes;
}

static inline u32 vr_entries_bytes(const struct vr_message *m)
{
	u32 i, bytes = 0;

	for (i = 0; i < m->entry_count; i++)
		bytes += VR_WIRE_ENTRY_BYTES + m->entries[i]->body_bytes;
	return bytes;
}

/* Reading: a cursor that never passes the end; the first error sticks. */
struct reader {
	const u8 *at;
	u32 left;
	enum vr_drop drop;
};

static inline void fail(struct reader *r, enum vr_drop drop)
{
	if (!r->drop)
		r->drop = drop;
	r->left = 0;
}

#define VR_WIRE_TAKE_MAX	48

/* The next bytes of the datagram, VR_WIRE_TAKE_MAX at most; or zeros if it ends before. */
static inline const u8 *take(struct reader *r, u32 bytes)
{
	static const u8 zeros[VR_WIRE_TAKE_MAX];
	const u8 *at = r->at;

	if (r->left < bytes) {
		fail(r, VR_DROP_SHORT);
		return zeros;
	}
	r->at += bytes;
	r->left -= bytes;
	return at;
}

static inline u16 get16(struct reader *r)
{
	return vr_get16(take(r, 2));
}

static inline u32 get32(struct reader *r)
{
	return vr_get32(take(r, 4));
}

static inline u64 get64(struct reader *r)
{
	return vr_get64(take(r, 8));
}

static inline void get_zero32(struct reader *r)
{
	if (get32(r))
		fail(r, VR_DROP_RESERVED);
}

static inline void get_zero16(struct reader *r)
{
	if (get16(r))
		fail(r, VR_DROP_RESERVED);
}

static inline void get_words(struct reader *r, u64 *words, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		words[i] = get64(r);
}

/* A byte and the seven reserved ones behind it. */
static inline u8 get8_zero56(struct reader *r)
{
	u64 value = get64(r);

	if (value >> 8)
		fail(r, VR_DROP_RESERVED);
	return value;
}

static inline void get_entry(struct reader *r, struct vr_entry *e, u64 op)
{
	const u8 *at = take(r, VR_WIRE_ENTRY_BYTES);
	u64 origin = vr_get64(at + 40);

	e->op = op;
	e->hash = 0;
	e->view = vr_get64(at);
	e->session = vr_get64(at + 8);
	e->request = vr_get64(at + 16);
	e->argument = vr_get64(at + 24);
	e->kind = at[32];
	e->body_bytes = vr_get16(at + 34);
	e->topic = vr_get32(at + 36);
	e->origin = origin;
	if (at[33] || origin > U16_MAX)
		fail(r, VR_DROP_RESERVED);
	if (e->body_bytes > VR_BODY_BYTES_MAX)
		fail(r, VR_DROP_BOUND);
	else if (e->body_bytes > r->left)
		fail(r, VR_DROP_SHORT);
	if (r->drop)
		return;
	e->body = r->at;
	r->at += e->body_bytes;
	r->left -= e->body_bytes;
}

static inline void get_entries(struct reader *r, struct vr_wire_scratch *s, u32 count)
{
	struct vr_message *m = &s->message;
	u32 i;

	if (count > VR_BATCH_MAX) {
		fail(r, VR_DROP_BOUND);
		return;
	}
	for (i = 0; i < count && !r->drop; i++) {
		get_entry(r, &s->entries[i], m->op + 1 + i);
		m->entries[i] = &s->entries[i];
	}
	m->entry_count = count;
}

/* vr_wire_client.c */
u32 vr_wire_client_bytes(const struct vr_message *m);
void vr_wire_put_client(struct writer *w, const struct vr_message *m, u16 to);
void vr_wire_get_client(struct reader *r, struct vr_wire_scratch *s);

#endif /* VR_WIRE_PRIVATE_H */
