// SPDX-License-Identifier: GPL-2.0
/* See sample.h. */
#include "sample.h"

const struct vr_wire_group sample_group = {
	.group = 0x0123456789abcdefull,
	.members = 0xfedcba9876543210ull,
};

static void fill_entries(struct sample *s, u32 count, u16 body_bytes)
{
	struct vr_message *m = &s->message;
	u32 i;

	for (i = 0; i < VR_BODY_BYTES_MAX; i++)
		s->body[i] = i * 7 + 1;
	for (i = 0; i < count; i++) {
		struct vr_entry *e = &s->entries[i];

		e->op = m->op + 1 + i;
		e->view = SAMPLE_VIEW - i % 2;
		e->session = 0x1111111100ull + i;
		e->request = 0x2222222200ull + i;
		e->argument = 0x3333333300ull + i;
		e->kind = 1 + i % (VR_KIND_COUNT - 1);
		e->topic = e->kind == VR_KIND_APPEND ? 0xabcdef01u + i : 0;
		e->origin = m->from;
		e->body = s->body;
		e->body_bytes = body_bytes;
		m->entries[i] = e;
	}
	m->entry_count = count;
}

static void fill_hashes(struct sample *s, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		s->hashes[i] = 0x4444444444444400ull + i;
	s->message.hashes = s->hashes;
	s->message.hash_count = count;
	s->message.commit = 1000;
	s->message.op = 1000 + count - 1;
}

static void fill_client(struct sample *s, u8 type, u32 count, u16 body_bytes)
{
	struct vr_message *m = &s->message;
	u32 i;

	m->life = 0xacacacacacacacacull;
	if (vr_type_to_client(type)) {
		m->to = SAMPLE_CLIENT;
	} else {
		m->from = SAMPLE_CLIENT;
		m->incarnation = 0;
	}
	switch (type) {
	case VR_CLIENT_PING:
		m->heartbeat_ns = 0x9999999999999999ull;
		break;
	case VR_CLIENT_REQUEST:
		m->after = 0xeeeeeeeeeeeeeeeeull;
		fill_entries(s, 1, body_bytes);
		s->entries[0].kind = VR_KIND_APPEND;
		break;
	case VR_CLIENT_READ:
		m->read_id = 0xfefefefefefefefeull;
		m->status = VR_READ_LEASE;
		fill_entries(s, 1, vr_min(body_bytes, VR_NAME_BYTES_MAX));
		s->entries[0].kind = VR_KIND_GET;
		break;
	case VR_SUBSCRIBE:
		m->op = 0x0666666666666666ull;
		m->flag = true;
		break;
	case VR_CLIENT_PONG:
		m->heartbeat_ns = 0x9999999999999999ull;
		m->age_ns = 0x0123012301230123ull;
		m->sequence_first = 0x0555555555555555ull;
		m->sequence_last = 0x0666666666666666ull;
		m->status = VR_STATUS_VIEW_CHANGE;
		m->older = 0x55;
		m->flag = true;
		break;
	case VR_REPLY:
		m->session = 0x1111111100ull;
		m->request = 0x2222222200ull;
		m->status = VR_KIND_NEXT;
		m->result.error = -EOVERFLOW;
		m->result.index = 0x0666666666666666ull;
		m->result.view = SAMPLE_VIEW - 1;
		m->result.first = 0x0777777777777777ull;
		m->result.last = 0x0888888888888888ull;
		break;
	case VR_RECORDS:
		m->op = 0x0666666666666666ull;
		m->commit = 0x0777777777777777ull;
		m->sequence_first = 0x0555555555555555ull;
		m->sequence_last = 0x0777777777777777ull;
		m->flag = true;
		fill_entries(s, count, body_bytes);
		for (i = 0; i < count; i++) {
			s->entries[i].op = 0x0444444444444444ull + 3 * i;
			s->entries[i].kind = VR_KIND_APPEND;
		}
		break;
	}
}

void sample_fill(struct sample *s, u8 type, u32 count, u16 body_bytes)
{
	struct vr_message *m = &s->message;
	u32 i;

	memset(s, 0, sizeof(*s));
	m->type = type;
	m->version = VR_WIRE_VERSION;
	m->from = 1;
	m->to = 2;
	m->generation = 0x1234;
	m->incarnation = 0x5555555555555551ull;
	m->instance = 0xdddddddd;
	m->view = SAMPLE_VIEW;
	for (i = 0; i < SAMPLE_REPLICAS; i++)
		m->vector[i] = 0x5555555555555550ull + i;
	m->vector[m->from] = m->incarnation;

	switch (type) {
	case VR_REQUEST:
		m->after = 0xeeeeeeeeeeeeeeeeull;
		fill_entries(s, 1, body_bytes);
		break;
	case VR_PREPARE:
	case VR_NEW_STATE:
		m->op = 0x0666666666666666ull;
		m->commit = 0x0777777777777777ull;
		m->hash = 0x8888888888888888ull;
		fill_entries(s, count, body_bytes);
		if (type == VR_PREPARE) {
			m->heartbeat_ns = 0x9999999999999999ull;
			m->durable = 0x0123012301230123ull;
		} else {
			m->log_view = SAMPLE_VIEW - 1;
		}
		break;
	case VR_PREPARE_OK:
		m->op = 0x0666666666666666ull;
		m->hash = 0x8888888888888888ull;
		m->heartbeat_ns = 0x9999999999999999ull;
		break;
	case VR_COMMIT:
		m->commit = 0x0777777777777777ull;
		m->heartbeat_ns = 0x9999999999999999ull;
		break;
	case VR_DO_VIEW_CHANGE:
		m->log_view = SAMPLE_VIEW - 2;
		fill_hashes(s, count);
		break;
	case VR_START_VIEW:
		fill_hashes(s, count);
		break;
	case VR_GET_STATE:
		m->log_view = SAMPLE_VIEW - 2;
		m->op = 0x0666666666666666ull;
		break;
	case VR_PING:
		m->op = 0x0666666666666666ull;
		m->commit = 0x0777777777777777ull;
		m->heartbeat_ns = 0x9999999999999999ull;
		m->status = VR_STATUS_VIEW_CHANGE;
		m->recorded = true;
		break;
	case VR_PONG:
		m->heartbeat_ns = 0x9999999999999999ull;
		break;
	case VR_GET_CHECKPOINT:
		m->op = 0x0666666666666666ull;
		m->hash = 0x8888888888888888ull;
		m->offset = 0x12345678;
		break;
	case VR_CHECKPOINT:
		m->op = 0x0666666666666666ull;
		m->hash = 0x8888888888888888ull;
		m->offset = 0x12345678;
		m->total_bytes = 0x23456789;
		m->chunk = s->body;
		m->chunk_bytes = vr_max(body_bytes, 1);
		break;
	case VR_GET_INDEX:
		m->from = 2;
		m->to = SAMPLE_VIEW % SAMPLE_REPLICAS;
		m->incarnation = m->vector[m->from];
		m->read_id = 0xfefefefefefefefeull;
		break;
	case VR_NEW_INDEX:
		m->read_id = 0xfefefefefefefefeull;
		m->op = 0x0666666666666666ull;
		break;
	case VR_CLIENT_PING:
	case VR_CLIENT_REQUEST:
	case VR_CLIENT_READ:
	case VR_SUBSCRIBE:
	case VR_CLIENT_PONG:
	case VR_REPLY:
	case VR_RECORDS:
		fill_client(s, type, count, body_bytes);
		break;
	case VR_RECOVERY:
		m->nonces[0] = 0xaaaaaaaaaaaaaaaaull;
		m->nonces[1] = 0x0101010101010101ull;
		break;
	case VR_RECOVERY_RESPONSE:
		m->nonces[0] = 0xaaaaaaaaaaaaaaaaull;
		m->nonces[1] = 0x0101010101010101ull;
		fill_hashes(s, count);
		break;
	case VR_FORM_OK:
		m->nonces[m->from] = 0xaaaaaaaaaaaaaaaaull;
		break;
	case VR_FORM_REFUSED:
		m->status = VR_FORM_BUSY;
		break;
	case VR_COLD_PREPARE:
	case VR_COLD_ACCEPT:
		m->ballot = 0x0123012301230100ull + m->from;
		m->promised = m->ballot;
		m->cold_generation = 0x4321;
		m->status = 1;
		break;
	case VR_COLD_PROMISE:
	case VR_COLD_ACCEPTED:
	case VR_COLD_REFUSED:
		m->ballot = 0x0123012301230100ull + m->to;
		m->promised = 0x0234023402340234ull;
		m->cold_generation = 0x4321;
		m->status = type == VR_COLD_REFUSED ? VR_COLD_BALLOT : type == VR_COLD_PROMISE;
		break;
	case VR_FORMED:
		for (i = 0; i < SAMPLE_REPLICAS; i++)
			m->nonces[i] = 0xbbbbbbbbbbbbbb00ull + i;
		break;
	}
	if (type >= VR_FORM && type <= VR_FORMED)
		m->form_id = 0xccccccccccccccccull;
}
