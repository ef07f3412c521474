// SPDX-License-Identifier: GPL-2.0
/*
 * The datagrams of and to clients, as vr_wire.c has the others: after the 48
 * bytes of the head, the member id and the life of the client come first.
 *
 *   CLIENT_PING     client 2 | 0 6 | life 8 | heartbeat_ns 8
 *   CLIENT_REQUEST  client 2 | 0 6 | life 8 | after 8 | entry
 *   CLIENT_READ     client 2 | 0 6 | life 8 | read_id 8 | how 1 | 0 7 | entry
 *   SUBSCRIBE       client 2 | 0 6 | life 8 | sequence 8 | flag 1 | 0 7
 *   CLIENT_PONG     client 2 | 0 6 | life 8 | heartbeat_ns 8 | node_lease_ns 8 |
 *                   sequence_first 8 | sequence_last 8 | status 1 | older 1 | 0 6 |
 *                   flag 1 | 0 7
 *   REPLY           client 2 | 0 6 | life 8 | session 8 | request 8 | kind 1 | 0 7 |
 *                   error 8 | index 8 | view 8 | first 8 | last 8
 *   RECORDS         client 2 | 0 6 | life 8 | sequence 8 | commit 8 |
 *                   sequence_first 8 | sequence_last 8 |
 *                   count 4 | flag 1 | 0 3 | count times: op 8 | entry
 *
 * An entry is drawn in vr_wire.c.
 */
#include "vr_wire_private.h"

#define CLIENT_BYTES	16
#define LARGEST_RECORD (VR_WIRE_RECORDS_BYTES + VR_WIRE_RECORD_BYTES + VR_BODY_BYTES_MAX)

static_assert((VR_WIRE_HEAD_BYTES + CLIENT_BYTES + 40) == VR_WIRE_RECORDS_BYTES, "as drawn above");
static_assert(LARGEST_RECORD <= VR_DATAGRAM_BYTES_MAX, "a record fits a datagram");

static void put_records(struct writer *w, const struct vr_message *m)
{
	u32 i;

	put64(w, m->op);
	put64(w, m->commit);
	put64(w, m->sequence_first);
	put64(w, m->sequence_last);
	put32(w, m->entry_count);
	put32(w, m->flag);
	for (i = 0; i < m->entry_count; i++) {
		put64(w, m->entries[i]->op);
		put_entry(w, m->entries[i]);
	}
}

static void put_result(struct writer *w, const struct vr_result *result)
{
	put64(w, (u64)result->error);
	put64(w, result->index);
	put64(w, result->view);
	put64(w, result->first);
	put64(w, result->last);
}

void vr_wire_put_client(struct writer *w, const struct vr_message *m, u16 to)
{
	put64(w, vr_is_client(to) ? to : m->from);
	put64(w, m->life);
	switch (m->type) {
	case VR_CLIENT_PING:
		put64(w, m->heartbeat_ns);
		break;
	case VR_CLIENT_REQUEST:
		put64(w, m->after);
		put_entry(w, m->entries[0]);
		break;
	case VR_CLIENT_READ:
		put64(w, m->read_id);
		put64(w, m->status);
		put_entry(w, m->entries[0]);
		break;
	case VR_SUBSCRIBE:
		put64(w, m->op);
		put64(w, m->flag);
		break;
	case VR_CLIENT_PONG:
		put64(w, m->heartbeat_ns);
		put64(w, m->age_ns);
		put64(w, m->sequence_first);
		put64(w, m->sequence_last);
		put64(w, m->status | (u64)m->older << 8);
		put64(w, m->flag);
		break;
	case VR_REPLY:
		put64(w, m->session);
		put64(w, m->request);
		put64(w, m->status);
		put_result(w, &m->result);
		break;
	case VR_RECORDS:
		put_records(w, m);
		break;
	}
}

/* All behind the head; 0 of what is no message of a client. */
u32 vr_wire_client_bytes(const struct vr_message *m)
{
	switch (m->type) {
	case VR_CLIENT_PING:
		return CLIENT_BYTES + 8;
	case VR_CLIENT_REQUEST:
		return CLIENT_BYTES + 8 + vr_entries_bytes(m);
	case VR_CLIENT_READ:
		return CLIENT_BYTES + 16 + vr_entries_bytes(m);
	case VR_SUBSCRIBE:
		return CLIENT_BYTES + 16;
	case VR_CLIENT_PONG:
		return CLIENT_BYTES + 48;
	case VR_REPLY:
		return CLIENT_BYTES + 64;
	case VR_RECORDS:
		return CLIENT_BYTES + 40 + 8 * m->entry_count + vr_entries_bytes(m);
	default:
		return 0;
	}
}

static void get_records(struct reader *r, struct vr_wire_scratch *s)
{
	struct vr_message *m = &s->message;
	u32 count, flag, i;

	m->op = get64(r);
	m->commit = get64(r);
	m->sequence_first = get64(r);
	m->sequence_last = get64(r);
	count = get32(r);
	flag = get32(r);
	m->flag = flag;
	if (flag > 1)
		fail(r, VR_DROP_RESERVED);
	if (count > VR_BATCH_MAX) {
		fail(r, VR_DROP_BOUND);
		return;
	}
	for (i = 0; i < count && !r->drop; i++) {
		u64 op = get64(r);

		get_entry(r, &s->entries[i], op);
		m->entries[i] = &s->entries[i];
	}
	m->entry_count = count;
}

static bool get_flag(struct reader *r)
{
	u64 flag = get64(r);

	if (flag > 1)
		fail(r, VR_DROP_RESERVED);
	return flag;
}

static void get_status_older(struct reader *r, struct vr_message *m)
{
	u64 value = get64(r);

	m->status = value;
	m->older = value >> 8;
	if (value >> 16)
		fail(r, VR_DROP_RESERVED);
}

static void get_result(struct reader *r, struct vr_result *result)
{
	u64 error = get64(r);

	result->error = (s32)error;
	if ((u64)result->error != error)
		fail(r, VR_DROP_RESERVED);
	result->index = get64(r);
	result->view = get64(r);
	result->first = get64(r);
	result->last = get64(r);
}

void vr_wire_get_client(struct reader *r, struct vr_wire_scratch *s)
{
	struct vr_message *m = &s->message;
	u64 client = get64(r);

	if (client > U16_MAX)
		fail(r, VR_DROP_RESERVED);
	if ((vr_type_to_client(m->type) ? m->to : m->from) != VR_NOBODY || !vr_is_client(client))
		fail(r, VR_DROP_SLOT);
	if (vr_type_to_client(m->type))
		m->to = client;
	else
		m->from = client;
	m->life = get64(r);
	switch (m->type) {
	case VR_CLIENT_PING:
		m->heartbeat_ns = get64(r);
		break;
	case VR_CLIENT_REQUEST:
		m->after = get64(r);
		get_entries(r, s, 1);
		break;
	case VR_CLIENT_READ:
		m->read_id = get64(r);
		m->status = get8_zero56(r);
		get_entries(r, s, 1);
		break;
	case VR_SUBSCRIBE:
		m->op = get64(r);
		m->flag = get_flag(r);
		break;
	case VR_CLIENT_PONG:
		m->heartbeat_ns = get64(r);
		m->age_ns = get64(r);
		m->sequence_first = get64(r);
		m->sequence_last = get64(r);
		get_status_older(r, m);
		m->flag = get_flag(r);
		break;
	case VR_REPLY:
		m->session = get64(r);
		m->request = get64(r);
		m->status = get8_zero56(r);
		get_result(r, &m->result);
		break;
	case VR_RECORDS:
		get_records(r, s);
		break;
	}
}
