// SPDX-License-Identifier: GPL-2.0
/*
 * What holds of every message of a type, whatever the state of its receiver.
 * Names of types and drop reasons live here too, so that they stand beside
 * each other once.
 */
#include "vr_message.h"

static bool batch_invalid(const struct vr_message *m)
{
	u32 i;

	for (i = 0; i < m->entry_count; i++) {
		const struct vr_entry *e = m->entries[i];

		if (!e->kind || e->kind >= VR_KIND_COUNT || e->view > m->view)
			return true;
		if (e->topic && e->kind != VR_KIND_APPEND)
			return true;
	}
	return false;
}

/* The suffix runs from commit to op, both ends included. */
static bool suffix_invalid(const struct vr_message *m)
{
	return m->commit > m->op || m->hash_count != m->op - m->commit + 1;
}

/* An incarnation for each replica of a group and no more, ours among them. */
static bool vector_invalid(const struct vr_message *m, u8 replica_count)
{
	u32 slot;

	for (slot = 0; slot < VR_REPLICAS_MAX; slot++) {
		bool wanted = slot < replica_count;

		if (wanted != !!m->vector[slot] || m->vector[slot] > VR_NUMBER_MAX)
			return true;
	}
	return m->vector[m->from] != m->incarnation;
}

/* Before it knows its incarnation a replica asks without one (R15, phase 1). */
static bool recovery_invalid(const struct vr_message *m, u8 replica_count)
{
	if (!m->nonces[0])
		return true;
	return m->incarnation && vector_invalid(m, replica_count);
}

static bool response_invalid(const struct vr_message *m, u8 replica_count)
{
	if (!m->nonces[0] || !m->incarnation || vector_invalid(m, replica_count))
		return true;
	if (m->from != m->view % replica_count)
		return m->hash_count;
	return suffix_invalid(m);
}

static bool chunk_invalid(const struct vr_message *m)
{
	return !m->chunk_bytes || m->chunk_bytes > VR_CHUNK_BYTES_MAX || !m->op ||
	       m->offset > m->total_bytes || m->chunk_bytes > m->total_bytes - m->offset;
}

/* A nonce for each replica and no more. */
static bool nonces_invalid(const struct vr_message *m, u8 replica_count)
{
	u32 slot;

	for (slot = 0; slot < VR_REPLICAS_MAX; slot++) {
		bool wanted = slot < replica_count;

		if (wanted != !!m->nonces[slot])
			return true;
	}
	return false;
}

/* Its ballot names who began, who asks and is answered. */
static bool cold_invalid(const struct vr_message *m)
{
	bool asks = m->type == VR_COLD_PREPARE || m->type == VR_COLD_ACCEPT;
	u8 beginner = m->ballot & ((1u << VR_BALLOT_SLOT_BITS) - 1);

	if (m->ballot >> VR_BALLOT_SLOT_BITS == 0 || m->ballot > VR_NUMBER_MAX ||
	    m->promised > VR_NUMBER_MAX || m->cold_generation > VR_GENERATION_MAX ||
	    beginner != (asks ? m->from : m->to))
		return true;
	if (m->type == VR_COLD_REFUSED)
		return !m->status || m->status >= VR_COLD_COUNT;
	if (m->type == VR_COLD_ACCEPT && !m->cold_generation)
		return true;
	return m->status > (m->type != VR_COLD_ACCEPTED);
}

/* A client asks for itself, and for nothing that only a primary may. */
static bool request_invalid(const struct vr_message *m)
{
	const struct vr_entry *e = m->entries[0];

	if (m->entry_count != 1 || !e->kind || e->kind >= VR_KIND_NODE_END ||
	    e->origin != m->from)
		return true;
	if (e->kind == VR_KIND_SESSION_BEGIN)
		return e->session || e->argument != m->life;
	return !e->session || e->session > VR_NUMBER_MAX;
}

static bool read_invalid(const struct vr_message *m)
{
	const struct vr_entry *e = m->entries[0];

	return m->entry_count != 1 || e->kind != VR_KIND_GET || e->origin != m->from ||
	       e->body_bytes > VR_NAME_BYTES_MAX || !m->read_id ||
	       m->status == VR_READ_LOG || m->status > VR_READ_LOCAL;
}

static bool records_invalid(const struct vr_message *m)
{
	u64 op = 0;
	u32 i;

	if (m->sequence_first > m->sequence_last + 1 || m->sequence_last > VR_NUMBER_MAX)
		return true;
	if (m->entry_count && (m->op + 1 < m->sequence_first ||
			       m->op + m->entry_count > m->sequence_last))
		return true;
	for (i = 0; i < m->entry_count; i++) {
		const struct vr_entry *e = m->entries[i];

		if (e->kind != VR_KIND_APPEND || e->op <= op || e->op > m->commit)
			return true;
		op = e->op;
	}
	return false;
}

/* What a client says, and is told. */
static bool client_invalid(const struct vr_message *m)
{
	if (!m->life)
		return true;
	/* Whoever has not found its group yet may only ask where it is. */
	if (m->type != VR_CLIENT_PING && m->type != VR_CLIENT_PONG && !m->instance)
		return true;
	if (!vr_type_to_client(m->type) && m->incarnation)
		return true;
	switch (m->type) {
	case VR_CLIENT_REQUEST:
		return request_invalid(m);
	case VR_CLIENT_READ:
		return read_invalid(m);
	case VR_SUBSCRIBE:
		return !m->op;
	case VR_CLIENT_PONG:
		return m->status >= VR_STATUS_COUNT || m->sequence_last > VR_NUMBER_MAX;
	case VR_REPLY:
		return !m->status || m->status >= VR_KIND_NODE_END ||
		       m->result.error > 0 || m->result.error < -VR_ERRNO_MAX;
	case VR_RECORDS:
		return records_invalid(m);
	default:
		return false;
	}
}

static bool fields_invalid(const struct vr_message *m, u8 replica_count)
{
	u8 primary = m->view % replica_count;

	if (m->view > VR_NUMBER_MAX || m->op > VR_NUMBER_MAX || m->commit > VR_NUMBER_MAX ||
	    m->incarnation > VR_NUMBER_MAX)
		return true;
	if (m->generation > VR_GENERATION_MAX)
		return true;
	/* Only a member of the group takes part in it. */
	if (m->type < VR_PING && (!m->incarnation || !m->instance))
		return true;
	if (vr_type_of_client(m->type))
		return client_invalid(m);
	switch (m->type) {
	case VR_REQUEST:
		return m->entry_count != 1 || batch_invalid(m) ||
		       m->entries[0]->origin != m->from;
	case VR_PREPARE:
		return !m->entry_count || batch_invalid(m) || m->from != primary;
	case VR_NEW_STATE:
		return batch_invalid(m) || m->log_view > m->view;
	case VR_COMMIT:
		return m->from != primary;
	case VR_START_VIEW:
		return suffix_invalid(m) || m->from != primary ||
		       vector_invalid(m, replica_count);
	case VR_DO_VIEW_CHANGE:
		return suffix_invalid(m) || m->log_view >= m->view ||
		       vector_invalid(m, replica_count);
	case VR_GET_STATE:
		return m->log_view > m->view;
	case VR_CHECKPOINT:
		return chunk_invalid(m);
	case VR_GET_INDEX:
		return !m->read_id || m->to != primary;
	case VR_NEW_INDEX:
		return !m->read_id || m->from != primary;
	case VR_PING:
		return m->status >= VR_STATUS_COUNT;
	case VR_RECOVERY:
		return recovery_invalid(m, replica_count);
	case VR_RECOVERY_RESPONSE:
		return response_invalid(m, replica_count);
	case VR_FORM:
		return !m->form_id;
	case VR_FORM_OK:
		return !m->form_id || !m->nonces[m->from];
	case VR_FORM_REFUSED:
		return !m->form_id || !m->status || m->status >= VR_FORM_COUNT;
	case VR_FORMED:
		return !m->form_id || nonces_invalid(m, replica_count);
	case VR_COLD_PREPARE:
	case VR_COLD_PROMISE:
	case VR_COLD_ACCEPT:
	case VR_COLD_ACCEPTED:
	case VR_COLD_REFUSED:
		return cold_invalid(m);
	default:
		return false;
	}
}

enum vr_drop vr_message_invalid(const struct vr_message *m, u8 replica_count)
{
	bool to_client = vr_type_to_client(m->type);
	u16 voter = to_client ? m->from : m->to, other = to_client ? m->to : m->from;
	u32 i;

	if (voter >= replica_count || voter == other)
		return VR_DROP_SLOT;
	if (vr_type_of_client(m->type) ? !vr_is_client(other) : other >= replica_count)
		return VR_DROP_SLOT;
	for (i = 0; i < m->entry_count; i++) {
		u16 origin = m->entries[i]->origin;

		if (!vr_is_client(origin) && origin >= replica_count)
			return VR_DROP_SLOT;
	}
	if (fields_invalid(m, replica_count))
		return VR_DROP_FIELD;
	return VR_DROP_NONE;
}

u8 vr_message_version(const struct vr_message *m)
{
	u8 version = vr_type_of_client(m->type) ? VR_WIRE_VERSION_CLIENTS : VR_WIRE_VERSION_MIN;
	u32 i;

	for (i = 0; i < m->entry_count; i++)
		version = vr_max(version, vr_entry_version(m->entries[i]));
	return version;
}

const char *vr_type_name(u8 type)
{
	static const char * const names[VR_TYPE_COUNT] = {
		[VR_REQUEST] = "REQUEST",
		[VR_PREPARE] = "PREPARE",
		[VR_PREPARE_OK] = "PREPARE_OK",
		[VR_COMMIT] = "COMMIT",
		[VR_EXIT_VIEW] = "EXIT_VIEW",
		[VR_DO_VIEW_CHANGE] = "DO_VIEW_CHANGE",
		[VR_START_VIEW] = "START_VIEW",
		[VR_GET_STATE] = "GET_STATE",
		[VR_NEW_STATE] = "NEW_STATE",
		[VR_GET_CHECKPOINT] = "GET_CHECKPOINT",
		[VR_CHECKPOINT] = "CHECKPOINT",
		[VR_GET_INDEX] = "GET_INDEX",
		[VR_NEW_INDEX] = "NEW_INDEX",
		[VR_PING] = "PING",
		[VR_PONG] = "PONG",
		[VR_FORM] = "FORM",
		[VR_FORM_OK] = "FORM_OK",
		[VR_FORM_REFUSED] = "FORM_REFUSED",
		[VR_FORMED] = "FORMED",
		[VR_RECOVERY] = "RECOVERY",
		[VR_RECOVERY_RESPONSE] = "RECOVERY_RESPONSE",
		[VR_COLD_PREPARE] = "COLD_PREPARE",
		[VR_COLD_PROMISE] = "COLD_PROMISE",
		[VR_COLD_ACCEPT] = "COLD_ACCEPT",
		[VR_COLD_ACCEPTED] = "COLD_ACCEPTED",
		[VR_COLD_REFUSED] = "COLD_REFUSED",
		[VR_CLIENT_PING] = "CLIENT_PING",
		[VR_CLIENT_REQUEST] = "CLIENT_REQUEST",
		[VR_CLIENT_READ] = "CLIENT_READ",
		[VR_SUBSCRIBE] = "SUBSCRIBE",
		[VR_CLIENT_PONG] = "CLIENT_PONG",
		[VR_REPLY] = "REPLY",
		[VR_RECORDS] = "RECORDS",
	};

	return type < VR_TYPE_COUNT && names[type] ? names[type] : "?";
}

const char *vr_drop_name(enum vr_drop drop)
{
	static const char * const names[VR_DROP_COUNT] = {
		[VR_DROP_NONE] = "none",
		[VR_DROP_SHORT] = "short",
		[VR_DROP_LONG] = "long",
		[VR_DROP_MAGIC] = "magic",
		[VR_DROP_VERSION] = "version",
		[VR_DROP_TYPE] = "type",
		[VR_DROP_RESERVED] = "reserved",
		[VR_DROP_BOUND] = "bound",
		[VR_DROP_GROUP] = "group",
		[VR_DROP_MEMBERS] = "members",
		[VR_DROP_GENERATION] = "generation",
		[VR_DROP_SLOT] = "slot",
		[VR_DROP_INCARNATION] = "incarnation",
		[VR_DROP_FIELD] = "field",
		[VR_DROP_STATUS] = "status",
		[VR_DROP_STALE_VIEW] = "stale_view",
		[VR_DROP_NEWER_VIEW] = "newer_view",
		[VR_DROP_NOT_PRIMARY] = "not_primary",
		[VR_DROP_DUPLICATE] = "duplicate",
		[VR_DROP_GAP] = "gap",
		[VR_DROP_PIPELINE_FULL] = "pipeline_full",
		[VR_DROP_UNWANTED] = "unwanted",
		[VR_DROP_FORM] = "form",
		[VR_DROP_CHAIN] = "chain",
		[VR_DROP_ORDER] = "order",
		[VR_DROP_PROMISE] = "promise",
		[VR_DROP_CHECKPOINT] = "checkpoint",
		[VR_DROP_BALLOT] = "ballot",
		[VR_DROP_CLIENT] = "client",
	};

	return drop < VR_DROP_COUNT && names[drop] ? names[drop] : "?";
}
