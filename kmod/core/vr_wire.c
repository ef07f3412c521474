// SPDX-License-Identifier: GPL-2.0
/*
 * The datagram format, type by type. All integers little-endian; "0" is a
 * reserved field and must be zero. After the 48 bytes of vr_wire.h:
 *
 *   REQUEST         after 8 | entry
 *   PREPARE         op 8 | commit 8 | hash 8 | heartbeat_ns 8 | durable 8 |
 *                   count 4 | 0 4 | count entries
 *   NEW_STATE       op 8 | commit 8 | hash 8 | log_view 8 | 0 8 |
 *                   count 4 | 0 4 | count entries
 *   PREPARE_OK      op 8 | hash 8 | heartbeat_ns 8
 *   COMMIT          commit 8 | heartbeat_ns 8
 *   EXIT_VIEW       nothing
 *   DO_VIEW_CHANGE  log_view 8 | vector 7 x 8 | op 8 | commit 8 |
 *                   count 4 | 0 4 | count hashes 8
 *   START_VIEW      vector 7 x 8 | op 8 | commit 8 | count 4 | 0 4 | count hashes 8
 *   GET_STATE       log_view 8 | op 8
 *   GET_CHECKPOINT  op 8 | hash 8 | offset 4 | 0 4
 *   CHECKPOINT      op 8 | hash 8 | offset 4 | total_bytes 4 |
 *                   chunk_bytes 2 | 0 2 | 0 4 | chunk
 *   GET_INDEX       read_id 8
 *   NEW_INDEX       read_id 8 | op 8
 *   PING            nonce 8 | op 8 | commit 8 | heartbeat_ns 8 | status 1 |
 *                   recorded 1 | 0 6
 *   PONG            nonce 8 | heartbeat_ns 8 | op 8 | age_ns 8
 *   FORM            form_id 8
 *   FORM_OK         form_id 8 | nonce 8
 *   FORM_REFUSED    form_id 8 | error 1 | 0 7
 *   FORMED          form_id 8 | nonces 7 x 8, unused ones zero
 *   RECOVERY        nonces 2 x 8 | vector 7 x 8, all zero in phase 1
 *   RECOVERY_RESPONSE  nonces 2 x 8 | vector 7 x 8 | op 8 | commit 8 |
 *                   count 4 | 0 4 | count hashes 8
 *   COLD_*          ballot 8 | promised 8 | generation 2 | status 1 | 0 5
 *
 *   entry           view 8 | session 8 | request 8 | argument 8 |
 *                   kind 1 | 0 1 | body_bytes 2 | topic 4 | origin 2 | 0 6 | body
 *
 * The entries of a datagram are consecutive: the first has number op + 1, and
 * hash is that of entry op, from which the receiver continues the chain.
 */
#include "vr_wire.h"
#include "vr_wire_private.h"

#define LARGEST_BATCH (VR_WIRE_BATCH_BYTES + VR_WIRE_ENTRY_BYTES + VR_BODY_BYTES_MAX)
#define VECTOR_BYTES	(8 * VR_REPLICAS_MAX)
#define LONGEST_SUFFIX (VR_WIRE_HEAD_BYTES + VECTOR_BYTES + 40 + 8 * VR_HASHES_MAX)
#define LARGEST_CHUNK (VR_WIRE_HEAD_BYTES + 32 + VR_CHUNK_BYTES_MAX)

static_assert((VR_WIRE_HEAD_BYTES + 48) == VR_WIRE_BATCH_BYTES, "as drawn above");
static_assert(VR_WIRE_TAKE_MAX >= VR_WIRE_HEAD_BYTES && VR_WIRE_TAKE_MAX >= VR_WIRE_ENTRY_BYTES,
	      "what is missing of either reads as zero");
static_assert(LARGEST_BATCH <= VR_DATAGRAM_BYTES_MAX, "an entry fits a datagram");
static_assert(LARGEST_CHUNK <= VR_FRAME_BYTES, "a chunk fits a frame");
static_assert(LONGEST_SUFFIX <= VR_FRAME_BYTES, "a suffix fits a frame");

static void put_words(struct writer *w, const u64 *words, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		put64(w, words[i]);
}

static void put_batch(struct writer *w, const struct vr_message *m, u64 fourth, u64 fifth)
{
	u32 i;

	put64(w, m->op);
	put64(w, m->commit);
	put64(w, m->hash);
	put64(w, fourth);
	put64(w, fifth);
	put32(w, m->entry_count);
	put32(w, 0);
	for (i = 0; i < m->entry_count; i++)
		put_entry(w, m->entries[i]);
}

static void put_hashes(struct writer *w, const struct vr_message *m)
{
	put64(w, m->op);
	put64(w, m->commit);
	put32(w, m->hash_count);
	put32(w, 0);
	put_words(w, m->hashes, m->hash_count);
}

static void put_chunk(struct writer *w, const struct vr_message *m)
{
	put64(w, m->op);
	put64(w, m->hash);
	put32(w, m->offset);
	put32(w, m->total_bytes);
	put16(w, m->chunk_bytes);
	put16(w, 0);
	put32(w, 0);
	memcpy(w->at, m->chunk, m->chunk_bytes);
	w->at += m->chunk_bytes;
}

u32 vr_wire_bytes(const struct vr_message *m)
{
	switch (m->type) {
	case VR_REQUEST:
		return VR_WIRE_HEAD_BYTES + 8 + vr_entries_bytes(m);
	case VR_PREPARE:
	case VR_NEW_STATE:
		return VR_WIRE_BATCH_BYTES + vr_entries_bytes(m);
	case VR_PREPARE_OK:
	case VR_GET_CHECKPOINT:
	case VR_COLD_PREPARE:
	case VR_COLD_PROMISE:
	case VR_COLD_ACCEPT:
	case VR_COLD_ACCEPTED:
	case VR_COLD_REFUSED:
		return VR_WIRE_HEAD_BYTES + 24;
	case VR_PONG:
		return VR_WIRE_HEAD_BYTES + 32;
	case VR_PING:
		return VR_WIRE_HEAD_BYTES + 40;
	case VR_CHECKPOINT:
		return VR_WIRE_HEAD_BYTES + 32 + m->chunk_bytes;
	case VR_NEW_INDEX:
	case VR_COMMIT:
	case VR_GET_STATE:
	case VR_FORM_OK:
	case VR_FORM_REFUSED:
		return VR_WIRE_HEAD_BYTES + 16;
	case VR_DO_VIEW_CHANGE:
		return VR_WIRE_HEAD_BYTES + VECTOR_BYTES + 32 + 8 * m->hash_count;
	case VR_START_VIEW:
		return VR_WIRE_HEAD_BYTES + VECTOR_BYTES + 24 + 8 * m->hash_count;
	case VR_RECOVERY:
		return VR_WIRE_HEAD_BYTES + 16 + VECTOR_BYTES;
	case VR_RECOVERY_RESPONSE:
		return VR_WIRE_HEAD_BYTES + 16 + VECTOR_BYTES + 24 + 8 * m->hash_count;
	case VR_GET_INDEX:
	case VR_FORM:
		return VR_WIRE_HEAD_BYTES + 8;
	case VR_FORMED:
		return VR_WIRE_HEAD_BYTES + 8 + 8 * VR_REPLICAS_MAX;
	default:
		return VR_WIRE_HEAD_BYTES + vr_wire_client_bytes(m);
	}
}

u32 vr_wire_encode(u8 *buffer, const struct vr_message *m, u16 to, u8 version,
		   const struct vr_wire_group *group)
{
	struct writer w = { .at = buffer };

	put32(&w, VR_WIRE_MAGIC);
	put8(&w, version);
	put8(&w, m->type);
	put8(&w, vr_is_client(m->from) ? VR_NOBODY : m->from);
	put8(&w, vr_is_client(to) ? VR_NOBODY : to);
	put64(&w, group->group);
	put64(&w, group->members);
	put64(&w, m->incarnation);
	put64(&w, m->view);
	put16(&w, m->generation);
	put16(&w, vr_wire_bytes(m));
	put32(&w, m->instance);

	switch (m->type) {
	case VR_REQUEST:
		put64(&w, m->after);
		put_entry(&w, m->entries[0]);
		break;
	case VR_PREPARE:
		put_batch(&w, m, m->heartbeat_ns, m->durable);
		break;
	case VR_NEW_STATE:
		put_batch(&w, m, m->log_view, 0);
		break;
	case VR_PREPARE_OK:
		put64(&w, m->op);
		put64(&w, m->hash);
		put64(&w, m->heartbeat_ns);
		break;
	case VR_COMMIT:
		put64(&w, m->commit);
		put64(&w, m->heartbeat_ns);
		break;
	case VR_DO_VIEW_CHANGE:
		put64(&w, m->log_view);
		put_words(&w, m->vector, VR_REPLICAS_MAX);
		put_hashes(&w, m);
		break;
	case VR_START_VIEW:
		put_words(&w, m->vector, VR_REPLICAS_MAX);
		put_hashes(&w, m);
		break;
	case VR_GET_STATE:
		put64(&w, m->log_view);
		put64(&w, m->op);
		break;
	case VR_GET_CHECKPOINT:
		put64(&w, m->op);
		put64(&w, m->hash);
		put32(&w, m->offset);
		put32(&w, 0);
		break;
	case VR_CHECKPOINT:
		put_chunk(&w, m);
		break;
	case VR_GET_INDEX:
		put64(&w, m->read_id);
		break;
	case VR_NEW_INDEX:
		put64(&w, m->read_id);
		put64(&w, m->op);
		break;
	case VR_PING:
		put64(&w, m->nonces[0]);
		put64(&w, m->op);
		put64(&w, m->commit);
		put64(&w, m->heartbeat_ns);
		put64(&w, m->status | (u64)m->recorded << 8);
		break;
	case VR_PONG:
		put64(&w, m->nonces[0]);
		put64(&w, m->heartbeat_ns);
		put64(&w, m->op);
		put64(&w, m->age_ns);
		break;
	case VR_FORM:
		put64(&w, m->form_id);
		break;
	case VR_FORM_OK:
		put64(&w, m->form_id);
		put64(&w, m->nonces[m->from % VR_REPLICAS_MAX]);
		break;
	case VR_FORM_REFUSED:
		put64(&w, m->form_id);
		put64(&w, m->status);
		break;
	case VR_FORMED:
		put64(&w, m->form_id);
		put_words(&w, m->nonces, VR_REPLICAS_MAX);
		break;
	case VR_RECOVERY:
		put_words(&w, m->nonces, 2);
		put_words(&w, m->vector, VR_REPLICAS_MAX);
		break;
	case VR_RECOVERY_RESPONSE:
		put_words(&w, m->nonces, 2);
		put_words(&w, m->vector, VR_REPLICAS_MAX);
		put_hashes(&w, m);
		break;
	case VR_COLD_PREPARE:
	case VR_COLD_PROMISE:
	case VR_COLD_ACCEPT:
	case VR_COLD_ACCEPTED:
	case VR_COLD_REFUSED:
		put64(&w, m->ballot);
		put64(&w, m->promised);
		put64(&w, m->cold_generation | (u64)m->status << 16);
		break;
	default:
		if (vr_type_of_client(m->type))
			vr_wire_put_client(&w, m, to);
	}
	return w.at - buffer;
}

static void get_cold(struct reader *r, struct vr_message *m)
{
	u64 value;

	m->ballot = get64(r);
	m->promised = get64(r);
	value = get64(r);
	m->cold_generation = value;
	m->status = value >> 16;
	if (value >> 24)
		fail(r, VR_DROP_RESERVED);
}

/* A status, a flag, and the six reserved bytes behind them. */
static void get_status(struct reader *r, struct vr_message *m)
{
	u64 value = get64(r);

	m->status = value;
	m->recorded = value >> 8 & 1;
	if (value >> 9)
		fail(r, VR_DROP_RESERVED);
}

static void get_batch(struct reader *r, struct vr_wire_scratch *s, u64 *fourth, u64 *fifth)
{
	const u8 *at = take(r, VR_WIRE_BATCH_BYTES - VR_WIRE_HEAD_BYTES);
	struct vr_message *m = &s->message;

	m->op = vr_get64(at);
	m->commit = vr_get64(at + 8);
	m->hash = vr_get64(at + 16);
	*fourth = vr_get64(at + 24);
	*fifth = vr_get64(at + 32);
	if (vr_get32(at + 44))
		fail(r, VR_DROP_RESERVED);
	get_entries(r, s, vr_get32(at + 40));
}

static void get_hashes(struct reader *r, struct vr_wire_scratch *s)
{
	struct vr_message *m = &s->message;

	m->op = get64(r);
	m->commit = get64(r);
	m->hash_count = get32(r);
	get_zero32(r);
	if (m->hash_count > VR_HASHES_MAX) {
		fail(r, VR_DROP_BOUND);
		return;
	}
	get_words(r, s->hashes, m->hash_count);
	m->hashes = s->hashes;
}

static void get_chunk(struct reader *r, struct vr_message *m)
{
	m->op = get64(r);
	m->hash = get64(r);
	m->offset = get32(r);
	m->total_bytes = get32(r);
	m->chunk_bytes = get16(r);
	get_zero16(r);
	get_zero32(r);
	if (m->chunk_bytes > VR_CHUNK_BYTES_MAX)
		fail(r, VR_DROP_BOUND);
	else if (m->chunk_bytes > r->left)
		fail(r, VR_DROP_SHORT);
	if (r->drop)
		return;
	m->chunk = r->at;
	r->at += m->chunk_bytes;
	r->left -= m->chunk_bytes;
}

static void get_fields(struct reader *r, struct vr_wire_scratch *s)
{
	struct vr_message *m = &s->message;
	u64 zero = 0;

	switch (m->type) {
	case VR_REQUEST:
		m->after = get64(r);
		get_entries(r, s, 1);
		break;
	case VR_PREPARE:
		get_batch(r, s, &m->heartbeat_ns, &m->durable);
		break;
	case VR_NEW_STATE:
		get_batch(r, s, &m->log_view, &zero);
		if (zero)
			fail(r, VR_DROP_RESERVED);
		break;
	case VR_PREPARE_OK:
		m->op = get64(r);
		m->hash = get64(r);
		m->heartbeat_ns = get64(r);
		break;
	case VR_COMMIT:
		m->commit = get64(r);
		m->heartbeat_ns = get64(r);
		break;
	case VR_EXIT_VIEW:
		break;
	case VR_DO_VIEW_CHANGE:
		m->log_view = get64(r);
		get_words(r, m->vector, VR_REPLICAS_MAX);
		get_hashes(r, s);
		break;
	case VR_START_VIEW:
		get_words(r, m->vector, VR_REPLICAS_MAX);
		get_hashes(r, s);
		break;
	case VR_GET_STATE:
		m->log_view = get64(r);
		m->op = get64(r);
		break;
	case VR_GET_CHECKPOINT:
		m->op = get64(r);
		m->hash = get64(r);
		m->offset = get32(r);
		get_zero32(r);
		break;
	case VR_CHECKPOINT:
		get_chunk(r, m);
		break;
	case VR_GET_INDEX:
		m->read_id = get64(r);
		break;
	case VR_NEW_INDEX:
		m->read_id = get64(r);
		m->op = get64(r);
		break;
	case VR_PING:
		m->nonces[0] = get64(r);
		m->op = get64(r);
		m->commit = get64(r);
		m->heartbeat_ns = get64(r);
		get_status(r, m);
		break;
	case VR_PONG:
		m->nonces[0] = get64(r);
		m->heartbeat_ns = get64(r);
		m->op = get64(r);
		m->age_ns = get64(r);
		break;
	case VR_FORM:
		m->form_id = get64(r);
		break;
	case VR_FORM_OK:
		m->form_id = get64(r);
		m->nonces[m->from % VR_REPLICAS_MAX] = get64(r);
		break;
	case VR_FORM_REFUSED:
		m->form_id = get64(r);
		m->status = get8_zero56(r);
		break;
	case VR_FORMED:
		m->form_id = get64(r);
		get_words(r, m->nonces, VR_REPLICAS_MAX);
		break;
	case VR_RECOVERY:
		get_words(r, m->nonces, 2);
		get_words(r, m->vector, VR_REPLICAS_MAX);
		break;
	case VR_RECOVERY_RESPONSE:
		get_words(r, m->nonces, 2);
		get_words(r, m->vector, VR_REPLICAS_MAX);
		get_hashes(r, s);
		break;
	case VR_COLD_PREPARE:
	case VR_COLD_PROMISE:
	case VR_COLD_ACCEPT:
	case VR_COLD_ACCEPTED:
	case VR_COLD_REFUSED:
		get_cold(r, m);
		break;
	default:
		if (vr_type_of_client(m->type))
			vr_wire_get_client(r, s);
		else
			fail(r, VR_DROP_TYPE);
	}
}

/* Before the group is formed a wrong member list must be seen, to be named. */
static bool type_before_group(u8 type)
{
	return type == VR_PING || type == VR_FORM || type == VR_FORM_OK ||
	       type == VR_FORM_REFUSED;
}

enum vr_drop vr_wire_decode(struct vr_wire_scratch *scratch, const u8 *buffer,
			    u32 bytes, const struct vr_wire_group *group,
			    bool *members_differ)
{
	struct reader r = { .at = buffer, .left = bytes };
	const u8 *head = take(&r, VR_WIRE_HEAD_BYTES);
	struct vr_message *m = &scratch->message;

	memset(m, 0, offsetof(struct vr_message, entries));
	*members_differ = false;
	if (r.drop)
		return r.drop;

	if (vr_get32(head) != VR_WIRE_MAGIC)
		return VR_DROP_MAGIC;
	m->version = head[4];
	if (m->version < VR_WIRE_VERSION_MIN || m->version > VR_WIRE_VERSION)
		return VR_DROP_VERSION;
	m->type = head[5];
	m->from = head[6];
	m->to = head[7];
	if (vr_get64(head + 8) != group->group)
		return VR_DROP_GROUP;
	*members_differ = vr_get64(head + 16) != group->members;
	m->incarnation = vr_get64(head + 24);
	m->view = vr_get64(head + 32);
	m->generation = vr_get16(head + 40);
	if (vr_get16(head + 42) != bytes || bytes > VR_DATAGRAM_BYTES_MAX)
		return VR_DROP_BOUND;
	m->instance = vr_get32(head + 44);
	if (*members_differ && !type_before_group(m->type))
		return VR_DROP_MEMBERS;

	get_fields(&r, scratch);
	/* R34: what its version does not have is no message in it. */
	if (!r.drop && m->version < vr_message_version(m))
		return VR_DROP_TYPE;
	/* Whoever is a client says so in its type. */
	if (!r.drop && !vr_type_of_client(m->type) &&
	    (vr_is_client(m->from) || vr_is_client(m->to)))
		return VR_DROP_SLOT;
	if (!r.drop && vr_type_of_client(m->type) &&
	    vr_is_client(vr_type_to_client(m->type) ? m->from : m->to))
		return VR_DROP_SLOT;
	if (!r.drop && r.left)
		return VR_DROP_LONG;
	return r.drop;
}

bool vr_wire_group_matches(const u8 *buffer, u32 bytes, u64 group)
{
	struct reader r = { .at = buffer, .left = bytes };

	get64(&r);
	return get64(&r) == group && !r.drop;
}
