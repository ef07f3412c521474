// SPDX-License-Identifier: GPL-2.0
/* What holds of every message of a type: each rule, broken alone. */
#include "sample.h"

static enum vr_drop verdict(const struct sample *s)
{
	return vr_message_invalid(&s->message, SAMPLE_REPLICAS);
}

static void samples_are_valid(struct vrt *t)
{
	struct sample *s = sample_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		sample_fill(s, type, 3, 4);
		VRT_EXPECT_EQUAL(t, verdict(s), VR_DROP_NONE);
	}
}

/* Breaks one thing in a message of @type, and says what must come of it. */
#define BROKEN(t, s, type, change, drop) do { \
		sample_fill(s, type, 3, 4); \
		(s)->message.change; \
		VRT_EXPECT_EQUAL(t, verdict(s), drop); \
	} while (0)

#define BROKEN_ENTRY(t, s, type, change, drop) do { \
		sample_fill(s, type, 3, 4); \
		(s)->entries[(s)->message.entry_count - 1].change; \
		VRT_EXPECT_EQUAL(t, verdict(s), drop); \
	} while (0)

static void slots(struct vrt *t)
{
	struct sample *s = sample_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		BROKEN(t, s, type, from = SAMPLE_REPLICAS, VR_DROP_SLOT);
		/* Which is a client's id as well. */
		if (!vr_type_of_client(type) || vr_type_to_client(type))
			BROKEN(t, s, type, from = VR_NOBODY, VR_DROP_SLOT);
		BROKEN(t, s, type, from = s->message.to, VR_DROP_SLOT);
		BROKEN(t, s, type, to = SAMPLE_REPLICAS, VR_DROP_SLOT);
		BROKEN(t, s, type, to = s->message.from, VR_DROP_SLOT);
	}
}

static void origins(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN_ENTRY(t, s, VR_REQUEST, origin = SAMPLE_REPLICAS, VR_DROP_SLOT);
	BROKEN_ENTRY(t, s, VR_PREPARE, origin = SAMPLE_REPLICAS, VR_DROP_SLOT);
	BROKEN_ENTRY(t, s, VR_NEW_STATE, origin = VR_REPLICAS_MAX, VR_DROP_SLOT);
	BROKEN_ENTRY(t, s, VR_NEW_STATE, origin = SAMPLE_CLIENT, VR_DROP_NONE);
	BROKEN_ENTRY(t, s, VR_REQUEST, origin = SAMPLE_CLIENT, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_REQUEST, origin = SAMPLE_CLIENT + 1, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_READ, origin = SAMPLE_CLIENT + 1, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_RECORDS, origin = SAMPLE_REPLICAS, VR_DROP_SLOT);
	BROKEN_ENTRY(t, s, VR_REQUEST, origin = 0, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_PREPARE, origin = 0, VR_DROP_NONE);
}

/* What a client says is for itself, and what it is told is possible. */
static void clients(struct vrt *t)
{
	struct sample *s = sample_new(t);
	u8 type;

	for (type = VR_CLIENT_PING; type < VR_TYPE_COUNT; type++) {
		BROKEN(t, s, type, life = 0, VR_DROP_FIELD);
		if (!vr_type_to_client(type))
			BROKEN(t, s, type, incarnation = 1, VR_DROP_FIELD);
	}
	BROKEN_ENTRY(t, s, VR_CLIENT_REQUEST, kind = VR_KIND_NODE_END, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_REQUEST, kind = 0, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_REQUEST, kind = VR_KIND_SESSION_BEGIN, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_REQUEST, session = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_CLIENT_READ, status = VR_READ_LOG, VR_DROP_FIELD);
	BROKEN(t, s, VR_CLIENT_READ, status = VR_READ_COUNT, VR_DROP_FIELD);
	BROKEN(t, s, VR_CLIENT_READ, read_id = 0, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_READ, kind = VR_KIND_NEXT, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_CLIENT_READ, body_bytes = VR_NAME_BYTES_MAX + 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_SUBSCRIBE, op = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_CLIENT_PONG, status = VR_STATUS_COUNT, VR_DROP_FIELD);
	BROKEN(t, s, VR_REPLY, status = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_REPLY, status = VR_KIND_NODE_END, VR_DROP_FIELD);
	BROKEN(t, s, VR_REPLY, result.error = 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_REPLY, result.error = -VR_ERRNO_MAX - 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_RECORDS, sequence_first = s->message.op + 2, VR_DROP_FIELD);
	BROKEN(t, s, VR_RECORDS, sequence_last = s->message.op, VR_DROP_FIELD);
	BROKEN(t, s, VR_RECORDS, sequence_last = U64_MAX, VR_DROP_FIELD);
	BROKEN(t, s, VR_RECORDS, commit = 1, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_RECORDS, kind = VR_KIND_NEXT, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_RECORDS, op = 1, VR_DROP_FIELD);
}

static void numbers(struct vrt *t)
{
	struct sample *s = sample_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		BROKEN(t, s, type, view = VR_NUMBER_MAX + 1, VR_DROP_FIELD);
		BROKEN(t, s, type, incarnation = VR_NUMBER_MAX + 1, VR_DROP_FIELD);
		BROKEN(t, s, type, op = U64_MAX, VR_DROP_FIELD);
		BROKEN(t, s, type, commit = U64_MAX, VR_DROP_FIELD);
		BROKEN(t, s, type, generation = VR_GENERATION_MAX + 1, VR_DROP_FIELD);
	}
}

static void strangers(struct vrt *t)
{
	struct sample *s = sample_new(t);
	u8 type;

	/* Who has no memory may ask for it, but not answer (R15). */
	for (type = 1; type < VR_TYPE_COUNT; type++) {
		BROKEN(t, s, type, incarnation = 0,
		       type < VR_PING || type == VR_RECOVERY_RESPONSE ? VR_DROP_FIELD :
									VR_DROP_NONE);
		BROKEN(t, s, type, instance = 0,
		       type < VR_PING || (vr_type_of_client(type) && type != VR_CLIENT_PING &&
					  type != VR_CLIENT_PONG) ? VR_DROP_FIELD :
								    VR_DROP_NONE);
	}
}

/* Of every member of the group, of nobody else, and the sender's own among them. */
static void vectors(struct vrt *t)
{
	static const u8 with_vector[] = {
		VR_DO_VIEW_CHANGE, VR_START_VIEW, VR_RECOVERY, VR_RECOVERY_RESPONSE,
	};
	struct sample *s = sample_new(t);
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(with_vector); i++) {
		u8 type = with_vector[i];

		BROKEN(t, s, type, vector[0] = 0, VR_DROP_FIELD);
		BROKEN(t, s, type, vector[2] = 0, VR_DROP_FIELD);
		BROKEN(t, s, type, vector[SAMPLE_REPLICAS] = 1, VR_DROP_FIELD);
		BROKEN(t, s, type, vector[VR_REPLICAS_MAX - 1] = 1, VR_DROP_FIELD);
		BROKEN(t, s, type, vector[0] = VR_NUMBER_MAX, VR_DROP_NONE);
		BROKEN(t, s, type, vector[0] = VR_NUMBER_MAX + 1, VR_DROP_FIELD);
		BROKEN(t, s, type, vector[1]++, VR_DROP_FIELD);
		BROKEN(t, s, type, incarnation++, VR_DROP_FIELD);
	}
	/* Phase 1 knows none: what stands there is not looked at. */
	BROKEN(t, s, VR_RECOVERY, incarnation = 0, VR_DROP_NONE);
}

static void recoveries(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_RECOVERY, nonces[0] = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_RECOVERY_RESPONSE, nonces[0] = 0, VR_DROP_FIELD);
	/* Only the primary of the view says what its log is. */
	BROKEN(t, s, VR_RECOVERY_RESPONSE, view++, VR_DROP_FIELD);
	sample_fill(s, VR_RECOVERY_RESPONSE, 3, 4);
	s->message.view++;
	s->message.hash_count = 0;
	VRT_EXPECT_EQUAL(t, verdict(s), VR_DROP_NONE);
}

static void chunks(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_CHECKPOINT, chunk_bytes = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, chunk_bytes = VR_CHUNK_BYTES_MAX, VR_DROP_NONE);
	BROKEN(t, s, VR_CHECKPOINT, chunk_bytes = VR_CHUNK_BYTES_MAX + 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, op = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, offset = s->message.total_bytes - 4, VR_DROP_NONE);
	BROKEN(t, s, VR_CHECKPOINT, offset = s->message.total_bytes - 3, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, offset = U32_MAX, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, total_bytes = s->message.offset + 3, VR_DROP_FIELD);
	BROKEN(t, s, VR_CHECKPOINT, total_bytes = s->message.offset - 1, VR_DROP_FIELD);
}

static void indices(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_GET_INDEX, read_id = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_NEW_INDEX, read_id = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_GET_INDEX, view++, VR_DROP_FIELD);
	BROKEN(t, s, VR_NEW_INDEX, view++, VR_DROP_FIELD);
}

static void primaries(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_PREPARE, view++, VR_DROP_FIELD);
	BROKEN(t, s, VR_COMMIT, view++, VR_DROP_FIELD);
	BROKEN(t, s, VR_START_VIEW, view++, VR_DROP_FIELD);
	BROKEN(t, s, VR_PREPARE, view += SAMPLE_REPLICAS, VR_DROP_NONE);
	BROKEN(t, s, VR_NEW_STATE, view++, VR_DROP_NONE);
	BROKEN(t, s, VR_DO_VIEW_CHANGE, view++, VR_DROP_NONE);
}

static void batches(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_REQUEST, entry_count = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_PREPARE, entry_count = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_NEW_STATE, entry_count = 0, VR_DROP_NONE);
	BROKEN_ENTRY(t, s, VR_REQUEST, kind = 0, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_PREPARE, kind = 0, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_PREPARE, kind = VR_KIND_COUNT, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_NEW_STATE, kind = 255, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_REQUEST, view = SAMPLE_VIEW + 1, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_PREPARE, view = SAMPLE_VIEW + 1, VR_DROP_FIELD);
	BROKEN_ENTRY(t, s, VR_NEW_STATE, view = SAMPLE_VIEW + 1, VR_DROP_FIELD);
}

static void suffixes(struct vrt *t)
{
	static const u8 with_hashes[] = {
		VR_DO_VIEW_CHANGE, VR_START_VIEW, VR_RECOVERY_RESPONSE,
	};
	struct sample *s = sample_new(t);
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(with_hashes); i++) {
		BROKEN(t, s, with_hashes[i], commit = s->message.op + 1, VR_DROP_FIELD);
		BROKEN(t, s, with_hashes[i], hash_count--, VR_DROP_FIELD);
		BROKEN(t, s, with_hashes[i], hash_count++, VR_DROP_FIELD);
		BROKEN(t, s, with_hashes[i], op++, VR_DROP_FIELD);
		BROKEN(t, s, with_hashes[i], commit = 0, VR_DROP_FIELD);
		/* As large as numbers get, and still no wrap. */
		BROKEN(t, s, with_hashes[i], op = VR_NUMBER_MAX, VR_DROP_FIELD);
	}
}

static void log_views(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_DO_VIEW_CHANGE, log_view = SAMPLE_VIEW, VR_DROP_FIELD);
	BROKEN(t, s, VR_GET_STATE, log_view = SAMPLE_VIEW, VR_DROP_NONE);
	BROKEN(t, s, VR_GET_STATE, log_view = SAMPLE_VIEW + 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_NEW_STATE, log_view = SAMPLE_VIEW, VR_DROP_NONE);
	BROKEN(t, s, VR_NEW_STATE, log_view = SAMPLE_VIEW + 1, VR_DROP_FIELD);
}

static void nonces(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_FORM_OK, nonces[s->message.from] = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORMED, nonces[0] = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORMED, nonces[SAMPLE_REPLICAS] = 1, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORM, form_id = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORM_OK, form_id = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORM_REFUSED, form_id = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORMED, form_id = 0, VR_DROP_FIELD);
}

static void statuses(struct vrt *t)
{
	struct sample *s = sample_new(t);

	BROKEN(t, s, VR_PING, status = VR_STATUS_COUNT - 1, VR_DROP_NONE);
	BROKEN(t, s, VR_PING, status = VR_STATUS_COUNT, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORM_REFUSED, status = 0, VR_DROP_FIELD);
	BROKEN(t, s, VR_FORM_REFUSED, status = VR_FORM_COUNT, VR_DROP_FIELD);
}

static struct vrt_case cases[] = {
	{ samples_are_valid, "a correct message of every type is accepted" },
	{ slots, "sender and receiver are two different members" },
	{ clients, "what a client says is its own, what it is told can be" },
	{ origins, "an entry is of a member, a request of its sender" },
	{ numbers, "views, op numbers and generations are bounded" },
	{ strangers, "only a member of the group takes part in it" },
	{ vectors, "a vector has a life for each member, the sender's own as it is" },
	{ recoveries, "an answer to RECOVERY names the attempt, the primary's its log" },
	{ chunks, "a chunk lies within its checkpoint" },
	{ indices, "a question of an index goes to the primary of the view" },
	{ primaries, "only the primary of a view leads it" },
	{ batches, "entries have a kind, and a view no later than their message" },
	{ suffixes, "a suffix has a hash for each entry from commit to op" },
	{ log_views, "a log was normal before, or in, the view it is offered for" },
	{ nonces, "a nonce is of a member, and each has one" },
	{ statuses, "a status or an error is one that exists" },
	{ }
};

VRT_SUITE(message, cases);
