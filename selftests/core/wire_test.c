// SPDX-License-Identifier: GPL-2.0
/*
 * The datagram format. Every datagram is decoded at the very end of an exactly
 * sized allocation, so that a sanitizer sees a read of one byte too many.
 */
#include "sample.h"
#include "vr_bytes.h"
#include "vr_prng.h"

#define AT_VERSION	4
#define AT_TYPE		5
#define AT_GROUP	8
#define AT_MEMBERS	16
#define AT_BYTES	42
#define AT_FIELDS	48
#define VECTOR_BYTES	(8 * VR_REPLICAS_MAX)

struct wire {
	struct vrt *t;
	struct sample *sample;
	struct vr_wire_scratch *scratch;
	u8 *end;		/* of a VR_DATAGRAM_BYTES_MAX buffer */
	u8 *again;		/* where it is encoded once more */
	u8 *datagram;		/* @bytes before @end */
	u32 bytes;
	bool members_differ;
};

static struct wire *wire_new(struct vrt *t)
{
	struct wire *w = vrt_alloc(t, sizeof(*w));

	w->t = t;
	w->sample = sample_new(t);
	w->scratch = vrt_alloc(t, sizeof(*w->scratch));
	w->end = vrt_alloc(t, VR_DATAGRAM_BYTES_MAX);
	w->end += VR_DATAGRAM_BYTES_MAX;
	w->again = vrt_alloc(t, VR_DATAGRAM_BYTES_MAX);
	return w;
}

static void encode(struct wire *w, u8 type, u32 count, u16 body_bytes)
{
	struct vr_message *m = &w->sample->message;

	sample_fill(w->sample, type, count, body_bytes);
	w->bytes = vr_wire_bytes(m);
	VRT_ASSERT(w->t, w->bytes >= VR_WIRE_HEAD_BYTES &&
		   w->bytes <= VR_DATAGRAM_BYTES_MAX);
	w->datagram = w->end - w->bytes;
	VRT_ASSERT_EQUAL(w->t, vr_wire_encode(w->datagram, m, m->to, VR_WIRE_VERSION,
					      &sample_group), w->bytes);
}

/* Garbage before each decoding: nothing may be left over from the last one. */
static enum vr_drop decode_at(struct wire *w, const u8 *datagram, u32 bytes)
{
	memset(w->scratch, 0xa5, sizeof(*w->scratch));
	return vr_wire_decode(w->scratch, datagram, bytes, &sample_group,
			      &w->members_differ);
}

static enum vr_drop decode(struct wire *w)
{
	return decode_at(w, w->datagram, w->bytes);
}

/* The first @bytes of the datagram, claiming to be that long. */
static enum vr_drop decode_cut(struct wire *w, u32 bytes, bool adjust)
{
	u8 *at = w->end - bytes;

	memmove(at, w->datagram, bytes);
	if (adjust && bytes >= AT_BYTES + 2)
		vr_put16(at + AT_BYTES, bytes);
	return decode_at(w, at, bytes);
}

static void same_entry(struct vrt *t, const struct vr_entry *a, const struct vr_entry *b)
{
	VRT_EXPECT_EQUAL(t, a->op, b->op);
	VRT_EXPECT_EQUAL(t, a->view, b->view);
	VRT_EXPECT_EQUAL(t, a->session, b->session);
	VRT_EXPECT_EQUAL(t, a->request, b->request);
	VRT_EXPECT_EQUAL(t, a->argument, b->argument);
	VRT_EXPECT_EQUAL(t, a->kind, b->kind);
	VRT_EXPECT_EQUAL(t, a->origin, b->origin);
	VRT_ASSERT_EQUAL(t, a->body_bytes, b->body_bytes);
	VRT_EXPECT(t, !memcmp(a->body, b->body, b->body_bytes));
}

static bool has_vector(u8 type)
{
	return type == VR_DO_VIEW_CHANGE || type == VR_START_VIEW || type == VR_RECOVERY ||
	       type == VR_RECOVERY_RESPONSE;
}

static void same_message(struct vrt *t, const struct vr_message *a,
			 const struct vr_message *b)
{
	u32 i;

	VRT_EXPECT_EQUAL(t, a->type, b->type);
	VRT_EXPECT_EQUAL(t, a->from, b->from);
	VRT_EXPECT_EQUAL(t, a->to, b->to);
	VRT_EXPECT_EQUAL(t, a->version, b->version);
	VRT_EXPECT_EQUAL(t, a->older, b->older);
	VRT_EXPECT_EQUAL(t, a->status, b->status);
	VRT_EXPECT_EQUAL(t, a->generation, b->generation);
	VRT_EXPECT_EQUAL(t, a->incarnation, b->incarnation);
	VRT_EXPECT_EQUAL(t, a->instance, b->instance);
	VRT_EXPECT_EQUAL(t, a->view, b->view);
	VRT_EXPECT_EQUAL(t, a->log_view, b->log_view);
	VRT_EXPECT_EQUAL(t, a->commit, b->commit);
	VRT_EXPECT_EQUAL(t, a->hash, b->hash);
	VRT_EXPECT_EQUAL(t, a->durable, b->durable);
	VRT_EXPECT_EQUAL(t, a->heartbeat_ns, b->heartbeat_ns);
	VRT_EXPECT_EQUAL(t, a->age_ns, b->age_ns);
	VRT_EXPECT_EQUAL(t, a->after, b->after);
	VRT_EXPECT_EQUAL(t, a->read_id, b->read_id);
	VRT_EXPECT_EQUAL(t, a->form_id, b->form_id);
	VRT_EXPECT(t, !memcmp(a->nonces, b->nonces, sizeof(a->nonces)));
	if (has_vector(b->type))
		VRT_EXPECT(t, !memcmp(a->vector, b->vector, sizeof(a->vector)));
	VRT_EXPECT_EQUAL(t, a->offset, b->offset);
	VRT_EXPECT_EQUAL(t, a->total_bytes, b->total_bytes);
	VRT_ASSERT_EQUAL(t, a->chunk_bytes, b->chunk_bytes);
	VRT_EXPECT(t, !b->chunk_bytes || !memcmp(a->chunk, b->chunk, b->chunk_bytes));
	/* A request has no number yet. */
	if (b->type != VR_REQUEST)
		VRT_EXPECT_EQUAL(t, a->op, b->op);
	VRT_ASSERT_EQUAL(t, a->hash_count, b->hash_count);
	for (i = 0; i < b->hash_count; i++)
		VRT_EXPECT_EQUAL(t, a->hashes[i], b->hashes[i]);
	VRT_ASSERT_EQUAL(t, a->entry_count, b->entry_count);
	for (i = 0; i < b->entry_count; i++)
		same_entry(t, a->entries[i], b->entries[i]);
}

static void round_trip_of(struct wire *w, u8 type, u32 count, u16 body_bytes)
{
	encode(w, type, count, body_bytes);
	VRT_ASSERT_EQUAL(w->t, decode(w), VR_DROP_NONE);
	VRT_EXPECT(w->t, !w->members_differ);
	same_message(w->t, &w->scratch->message, &w->sample->message);
}

static void round_trip(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++)
		round_trip_of(w, type, 2, 5);
}

static void round_trip_limits(struct vrt *t)
{
	struct wire *w = wire_new(t);

	round_trip_of(w, VR_REQUEST, 1, 0);
	round_trip_of(w, VR_REQUEST, 1, 1);
	round_trip_of(w, VR_REQUEST, 1, VR_BODY_BYTES_MAX);
	round_trip_of(w, VR_PREPARE, 1, VR_BODY_BYTES_MAX);
	round_trip_of(w, VR_PREPARE, VR_BATCH_MAX, 0);
	round_trip_of(w, VR_PREPARE, VR_BATCH_MAX, 14);
	round_trip_of(w, VR_NEW_STATE, 0, 0);
	round_trip_of(w, VR_NEW_STATE, VR_BATCH_MAX, 14);
	round_trip_of(w, VR_DO_VIEW_CHANGE, 1, 0);
	round_trip_of(w, VR_DO_VIEW_CHANGE, VR_HASHES_MAX, 0);
	round_trip_of(w, VR_START_VIEW, VR_HASHES_MAX, 0);
	round_trip_of(w, VR_RECOVERY_RESPONSE, 0, 0);
	round_trip_of(w, VR_RECOVERY_RESPONSE, VR_HASHES_MAX, 0);
	round_trip_of(w, VR_CHECKPOINT, 0, 1);
	round_trip_of(w, VR_CHECKPOINT, 0, VR_CHUNK_BYTES_MAX);
}

static void truncation(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u32 bytes;
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		encode(w, type, 3, 9);
		for (bytes = 0; bytes < w->bytes; bytes++) {
			/* Each cut moves the bytes to the end: encode anew. */
			encode(w, type, 3, 9);
			VRT_EXPECT_EQUAL(t, decode_cut(w, bytes, true), VR_DROP_SHORT);
			encode(w, type, 3, 9);
			VRT_EXPECT_EQUAL(t, decode_cut(w, bytes, false),
					 bytes < VR_WIRE_HEAD_BYTES ? VR_DROP_SHORT :
								      VR_DROP_BOUND);
		}
	}
}

static void one_byte_more(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		encode(w, type, 3, 9);
		w->bytes++;
		memmove(w->datagram - 1, w->datagram, w->bytes - 1);
		w->datagram--;
		w->datagram[w->bytes - 1] = 0;
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
		vr_put16(w->datagram + AT_BYTES, w->bytes);
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_LONG);
	}
}

/* All bits of the bytes [from, from + count) of the datagram, one at a time. */
static void is_reserved(struct wire *w, u32 from, u32 count)
{
	u32 i, bit;

	for (i = from; i < from + count; i++) {
		for (bit = 1; bit < 0x100; bit <<= 1) {
			VRT_ASSERT_EQUAL(w->t, w->datagram[i], 0);
			w->datagram[i] = bit;
			VRT_EXPECT_EQUAL(w->t, decode(w), VR_DROP_RESERVED);
			w->datagram[i] = 0;
		}
	}
}

static void reserved(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u8 type;

	encode(w, VR_REQUEST, 1, 5);
	is_reserved(w, AT_FIELDS + 8 + 33, 1);
	is_reserved(w, AT_FIELDS + 8 + 42, 6);
	for (type = VR_PREPARE; type <= VR_NEW_STATE; type += VR_NEW_STATE - VR_PREPARE) {
		encode(w, type, 2, 5);
		is_reserved(w, AT_FIELDS + 44, 4);
		is_reserved(w, AT_FIELDS + 48 + 33, 1);
		is_reserved(w, AT_FIELDS + 48 + 42, 6);
		is_reserved(w, AT_FIELDS + 48 + 48 + 5 + 33, 1);
		is_reserved(w, AT_FIELDS + 48 + 48 + 5 + 42, 6);
	}
	encode(w, VR_NEW_STATE, 2, 5);
	is_reserved(w, AT_FIELDS + 32, 8);
	encode(w, VR_DO_VIEW_CHANGE, 2, 0);
	is_reserved(w, AT_FIELDS + VECTOR_BYTES + 28, 4);
	encode(w, VR_START_VIEW, 2, 0);
	is_reserved(w, AT_FIELDS + VECTOR_BYTES + 20, 4);
	encode(w, VR_RECOVERY_RESPONSE, 2, 0);
	is_reserved(w, AT_FIELDS + 16 + VECTOR_BYTES + 20, 4);
	encode(w, VR_GET_CHECKPOINT, 0, 0);
	is_reserved(w, AT_FIELDS + 20, 4);
	encode(w, VR_CHECKPOINT, 0, 5);
	is_reserved(w, AT_FIELDS + 26, 6);
	encode(w, VR_PING, 0, 0);
	is_reserved(w, AT_FIELDS + 34, 6);
	encode(w, VR_COLD_PROMISE, 0, 0);
	is_reserved(w, AT_FIELDS + 19, 5);
	encode(w, VR_FORM_REFUSED, 0, 0);
	is_reserved(w, AT_FIELDS + 9, 7);
	for (type = VR_CLIENT_PING; type < VR_TYPE_COUNT; type++) {
		encode(w, type, 2, 5);
		is_reserved(w, AT_FIELDS + 2, 6);
	}
	encode(w, VR_CLIENT_READ, 1, 0);
	is_reserved(w, AT_FIELDS + 25, 7);
	encode(w, VR_SUBSCRIBE, 0, 0);
	is_reserved(w, AT_FIELDS + 25, 7);
	encode(w, VR_CLIENT_PONG, 0, 0);
	w->datagram[AT_FIELDS + 49] = 0;
	is_reserved(w, AT_FIELDS + 50, 6);
	is_reserved(w, AT_FIELDS + 57, 7);
	encode(w, VR_REPLY, 0, 0);
	is_reserved(w, AT_FIELDS + 33, 7);
	encode(w, VR_RECORDS, 2, 5);
	is_reserved(w, AT_FIELDS + 53, 3);
}

static void bounds(struct vrt *t)
{
	struct wire *w = wire_new(t);

	encode(w, VR_PREPARE, 1, 0);
	vr_put32(w->datagram + AT_FIELDS + 40, VR_BATCH_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
	vr_put32(w->datagram + AT_FIELDS + 40, U32_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);

	encode(w, VR_DO_VIEW_CHANGE, 1, 0);
	vr_put32(w->datagram + AT_FIELDS + VECTOR_BYTES + 24, VR_HASHES_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
	vr_put32(w->datagram + AT_FIELDS + VECTOR_BYTES + 24, VR_HASHES_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);

	encode(w, VR_START_VIEW, 1, 0);
	vr_put32(w->datagram + AT_FIELDS + VECTOR_BYTES + 16, U32_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);

	encode(w, VR_RECOVERY_RESPONSE, 1, 0);
	vr_put32(w->datagram + AT_FIELDS + 16 + VECTOR_BYTES + 16, VR_HASHES_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);

	encode(w, VR_CHECKPOINT, 0, 1);
	vr_put16(w->datagram + AT_FIELDS + 24, VR_CHUNK_BYTES_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
	vr_put16(w->datagram + AT_FIELDS + 24, VR_CHUNK_BYTES_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);
	vr_put16(w->datagram + AT_FIELDS + 24, 0);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_LONG);

	encode(w, VR_RECORDS, 1, 0);
	vr_put32(w->datagram + AT_FIELDS + 48, VR_BATCH_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
	vr_put32(w->datagram + AT_FIELDS + 48, VR_BATCH_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);

	encode(w, VR_REQUEST, 1, 0);
	vr_put16(w->datagram + AT_FIELDS + 8 + 34, VR_BODY_BYTES_MAX + 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_BOUND);
	vr_put16(w->datagram + AT_FIELDS + 8 + 34, VR_BODY_BYTES_MAX);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);
	vr_put16(w->datagram + AT_FIELDS + 8 + 34, 1);
	VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);
}

static void foreign(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		bool named = type == VR_PING || type == VR_FORM || type == VR_FORM_OK ||
			     type == VR_FORM_REFUSED;

		encode(w, type, 2, 5);
		w->datagram[0] ^= 1;
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_MAGIC);
		encode(w, type, 2, 5);
		w->datagram[AT_VERSION]++;
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_VERSION);
		w->datagram[AT_VERSION] = VR_WIRE_VERSION_MIN - 1;
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_VERSION);
		encode(w, type, 2, 5);
		w->datagram[AT_GROUP + 7] ^= 1;
		VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_GROUP);
		encode(w, type, 2, 5);
		w->datagram[AT_MEMBERS] ^= 1;
		VRT_EXPECT_EQUAL(t, decode(w), named ? VR_DROP_NONE : VR_DROP_MEMBERS);
		VRT_EXPECT(t, w->members_differ);
	}
}

static void types(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u32 type;

	for (type = 0; type < 256; type++) {
		encode(w, VR_EXIT_VIEW, 0, 0);
		w->datagram[AT_TYPE] = type;
		if (!type || type >= VR_TYPE_COUNT)
			VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_TYPE);
		else if (type != VR_EXIT_VIEW)
			VRT_EXPECT_EQUAL(t, decode(w), VR_DROP_SHORT);
	}
}

/* What was decoded, as bytes: the same ones, or the format has two spellings. */
static bool spelled_alike(struct wire *w)
{
	struct vr_wire_group group = sample_group;
	const struct vr_message *m = &w->scratch->message;

	group.members = vr_get64(w->datagram + AT_MEMBERS);
	return vr_wire_bytes(m) == w->bytes &&
	       vr_wire_encode(w->again, m, m->to, m->version, &group) == w->bytes &&
	       !memcmp(w->again, w->datagram, w->bytes);
}

static void every_bit_counts(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u32 i, bit;
	u8 type;

	for (type = 1; type < VR_TYPE_COUNT; type++) {
		encode(w, type, 2, 5);
		for (i = 0; i < w->bytes; i++) {
			for (bit = 1; bit < 0x100; bit <<= 1) {
				w->datagram[i] ^= bit;
				/* The slot a nonce is put in must exist. */
				if (decode(w) == VR_DROP_NONE &&
				    w->scratch->message.from < VR_REPLICAS_MAX)
					VRT_EXPECT(t, spelled_alike(w));
				w->datagram[i] ^= bit;
			}
		}
	}
}

static void mutations(struct vrt *t)
{
	struct wire *w = wire_new(t);
	struct vr_prng p;
	u32 i, decoded = 0;

	vr_prng_seed(&p, 2012);
	for (i = 0; i < 30000; i++) {
		u32 count = 1 + vr_prng_next(&p) % 4, cut;
		u8 type = 1 + vr_prng_next(&p) % (VR_TYPE_COUNT - 1);

		encode(w, type, 1 + vr_prng_next(&p) % 6, vr_prng_next(&p) % 40);
		while (count--) {
			u32 at = vr_prng_next(&p) % (w->bytes - AT_FIELDS + 16);

			/* Mostly behind what is checked first. */
			at = at < 16 ? AT_TYPE : AT_FIELDS - 16 + at;
			w->datagram[at] = vr_prng_next(&p) >> 7;
		}
		cut = vr_prng_next(&p) % 8 ? w->bytes : vr_prng_next(&p) % (w->bytes + 1);
		if (cut < w->bytes) {
			decode_cut(w, cut, true);
		} else if (decode(w) == VR_DROP_NONE &&
			   w->scratch->message.from < VR_REPLICAS_MAX) {
			decoded++;
			VRT_ASSERT(t, spelled_alike(w));
		}
	}
	/* Both ways were gone. */
	VRT_EXPECT(t, decoded > 3000 && decoded < 27000);
}

static void noise(struct vrt *t)
{
	struct wire *w = wire_new(t);
	struct vr_prng p;
	u32 i, j;

	vr_prng_seed(&p, 77);
	for (i = 0; i < 3000; i++) {
		w->bytes = vr_prng_next(&p) % 300;
		w->datagram = w->end - w->bytes;
		for (j = 0; j < w->bytes; j++)
			w->datagram[j] = vr_prng_next(&p) >> 9;
		VRT_EXPECT(t, decode(w) != VR_DROP_NONE);
	}
}

static void chooses_group(struct vrt *t)
{
	struct wire *w = wire_new(t);
	u32 bytes;

	encode(w, VR_EXIT_VIEW, 0, 0);
	VRT_EXPECT(t, vr_wire_group_matches(w->datagram, w->bytes, sample_group.group));
	VRT_EXPECT(t, !vr_wire_group_matches(w->datagram, w->bytes, sample_group.members));
	for (bytes = 0; bytes < AT_GROUP + 8; bytes++) {
		encode(w, VR_EXIT_VIEW, 0, 0);
		memmove(w->end - bytes, w->datagram, bytes);
		VRT_EXPECT(t, !vr_wire_group_matches(w->end - bytes, bytes,
						     sample_group.group));
		VRT_EXPECT(t, bytes >= AT_GROUP ||
			   !vr_wire_group_matches(w->end - bytes, bytes, 0));
	}
}

static void names(struct vrt *t)
{
	u32 i, j;

	for (i = 1; i < VR_TYPE_COUNT; i++) {
		VRT_EXPECT(t, strcmp(vr_type_name(i), "?"));
		for (j = 1; j < i; j++)
			VRT_EXPECT(t, strcmp(vr_type_name(i), vr_type_name(j)));
	}
	VRT_EXPECT(t, !strcmp(vr_type_name(0), "?"));
	VRT_EXPECT(t, !strcmp(vr_type_name(255), "?"));
	for (i = 0; i < VR_DROP_COUNT; i++) {
		VRT_EXPECT(t, strcmp(vr_drop_name(i), "?"));
		for (j = 0; j < i; j++)
			VRT_EXPECT(t, strcmp(vr_drop_name(i), vr_drop_name(j)));
	}
	VRT_EXPECT(t, !strcmp(vr_drop_name(VR_DROP_COUNT), "?"));
}

static struct vrt_case cases[] = {
	{ round_trip, "a message of every type survives the wire" },
	{ round_trip_limits, "the smallest and the largest messages survive the wire" },
	{ truncation, "a datagram cut at any byte is refused" },
	{ one_byte_more, "a datagram with one byte too many is refused" },
	{ reserved, "every bit of every reserved byte must be zero" },
	{ bounds, "no count or size above its bound is believed" },
	{ foreign, "other formats, groups and member lists are told apart" },
	{ types, "every byte that is no type is refused as such" },
	{ every_bit_counts, "every bit of a datagram is either carried or refused" },
	{ mutations, "damaged datagrams are refused or mean what they say" },
	{ noise, "noise is no message" },
	{ chooses_group, "a group is recognised only in a datagram that has one" },
	{ names, "every type and every drop reason has a name of its own" },
	{ }
};

VRT_SUITE(wire, cases);
