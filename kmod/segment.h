/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that are longer than a datagram may be, put together from their
 * parts. Owns a fixed number of places; a part that finds none takes the one
 * that waited longest, whose message is lost, as datagrams are. Only what was
 * authenticated, if anything is, comes here.
 */
#ifndef VRSEQ_SEGMENT_H
#define VRSEQ_SEGMENT_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "vr_types.h"

#define VRSEQ_PARTS_MAX		24	/* of a message: the largest in datagrams of 576 bytes */
#define VRSEQ_PLACES		16	/* messages that are being put together */
#define VRSEQ_MESSAGE_BYTES_MAX	VR_DATAGRAM_BYTES_MAX

/**
 * struct vrseq_place - a message of which some parts are here
 * @from:	slot of its sender
 * @parts:	it has, 0 = this place is free
 * @here:	bit mask of those that are here
 * @life:	session, and
 * @message:	number of the message in it
 * @part_bytes:	of all parts but the last, 0 = none of them is here
 * @last_bytes:	of the last part
 * @age:	when it was begun
 */
struct vrseq_place {
	u16 from;
	u8 parts;
	u32 here;
	u32 life;
	u64 message;
	u32 part_bytes;
	u32 last_bytes;
	u64 age;
};

/**
 * struct vrseq_segments - the places of a group
 * @lock:	protects all of it; a leaf
 * @places:	what is where
 * @bytes:	room of VRSEQ_MESSAGE_BYTES_MAX for each
 * @begun:	messages begun
 * @lost:	that gave their place away
 */
struct vrseq_segments {
	spinlock_t lock;	/* all */
	struct vrseq_place places[VRSEQ_PLACES];
	u8 *bytes;
	u64 begun;
	u64 lost;
};

void vrseq_segments_init(struct vrseq_segments *s, u8 *bytes);
u32 vrseq_segments_put(struct vrseq_segments *s, const struct vrseq_place *of, u8 part,
		       const u8 *data, u32 bytes, u8 *message);

/** vrseq_parts - datagrams that a message of @bytes bytes takes, @room in each */
static inline u32 vrseq_parts(u32 bytes, u32 room)
{
	return (bytes + room - 1) / room;
}

#endif /* VRSEQ_SEGMENT_H */
