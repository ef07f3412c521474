// SPDX-License-Identifier: GPL-2.0
/*
 * Parts to messages. All parts but the last have one length, so that a part's
 * number says where it belongs; the last one waits at the end of its place until
 * another tells that length.
 */
#include "segment.h"

#include <linux/string.h>

/**
 * vrseq_segments_init - nothing is here yet
 * @s:		places
 * @bytes:	VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX, the caller's
 */
void vrseq_segments_init(struct vrseq_segments *s, u8 *bytes)
{
	memset(s, 0, sizeof(*s));
	spin_lock_init(&s->lock);
	s->bytes = bytes;
}

static bool same(const struct vrseq_place *a, const struct vrseq_place *b)
{
	return a->from == b->from && a->life == b->life && a->message == b->message &&
	       a->parts == b->parts;
}

/* Where the message is, or may begin: at worst where the oldest one was. */
static u32 find(struct vrseq_segments *s, const struct vrseq_place *of)
{
	u32 i, best = 0;

	for (i = 0; i < VRSEQ_PLACES; i++) {
		if (s->places[i].parts && same(&s->places[i], of))
			return i;
	}
	for (i = 1; i < VRSEQ_PLACES && s->places[best].parts; i++) {
		if (!s->places[i].parts || s->places[i].age < s->places[best].age)
			best = i;
	}
	if (s->places[best].parts)
		s->lost++;
	s->places[best] = *of;
	s->places[best].here = 0;
	s->places[best].part_bytes = 0;
	s->places[best].last_bytes = 0;
	s->places[best].age = s->begun++;
	return best;
}

/* Keep a part; false if it does not go with those that are here. */
static bool keep(struct vrseq_place *place, u8 *at, u8 part, const u8 *data, u32 bytes)
{
	bool is_last = part == place->parts - 1;

	if (is_last)
		place->last_bytes = bytes;
	else if (!place->part_bytes)
		place->part_bytes = bytes;
	else if (place->part_bytes != bytes)
		return false;
	/* So that what waits at the end is never written over. */
	if (place->part_bytes * (place->parts - 1) + place->last_bytes > VRSEQ_MESSAGE_BYTES_MAX)
		return false;
	memcpy(at + (is_last ? VRSEQ_MESSAGE_BYTES_MAX - bytes : bytes * part), data, bytes);
	return true;
}

/**
 * vrseq_segments_put - a part came
 * @s:		places
 * @of:		@from, @parts, @life and @message of its message
 * @part:	which one, below @of->parts
 * @data:	its bytes
 * @bytes:	how many, 1 or more
 * @message:	receives the message when all of it is here, room for
 *		VRSEQ_MESSAGE_BYTES_MAX
 *
 * Return: bytes of the message, 0 if it is not whole yet.
 */
u32 vrseq_segments_put(struct vrseq_segments *s, const struct vrseq_place *of, u8 part,
		       const u8 *data, u32 bytes, u8 *message)
{
	struct vrseq_place *place;
	u32 i, whole = 0, before;
	u8 *at;

	if (of->parts < 2 || of->parts > VRSEQ_PARTS_MAX || part >= of->parts ||
	    bytes > VRSEQ_MESSAGE_BYTES_MAX)
		return 0;
	spin_lock_bh(&s->lock);
	i = find(s, of);
	place = &s->places[i];
	at = s->bytes + i * VRSEQ_MESSAGE_BYTES_MAX;
	if (place->here & 1u << part)
		goto out;
	if (!keep(place, at, part, data, bytes)) {
		place->parts = 0;
		goto out;
	}
	place->here |= 1u << part;
	if (place->here != (1u << place->parts) - 1)
		goto out;
	before = place->part_bytes * (place->parts - 1);
	whole = before + place->last_bytes;
	memcpy(message, at, before);
	memcpy(message + before, at + VRSEQ_MESSAGE_BYTES_MAX - place->last_bytes,
	       place->last_bytes);
	place->parts = 0;
out:
	spin_unlock_bh(&s->lock);
	return whole;
}
