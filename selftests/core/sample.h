/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A valid message of every type, for tests of the wire format and of the rules
 * among fields. Knows no replica.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "vr_wire.h"
#include "vrt.h"

#define SAMPLE_REPLICAS 3
#define SAMPLE_CLIENT 0x4321
#define SAMPLE_VIEW 7		/* whose primary is slot 1 */

/** struct sample - a message and what it points to */
struct sample {
	struct vr_message message;
	struct vr_entry entries[VR_BATCH_MAX];
	u64 hashes[VR_HASHES_MAX];
	u8 body[VR_BODY_BYTES_MAX];
};

extern const struct vr_wire_group sample_group;

static inline struct sample *sample_new(struct vrt *t)
{
	return vrt_alloc(t, sizeof(struct sample));
}

/**
 * sample_fill - make a message, different in every field it has
 * @s:		receives it
 * @type:	enum vr_type
 * @count:	entries, or hashes, if the type has them; REQUEST has one
 * @body_bytes:	of each entry
 */
void sample_fill(struct sample *s, u8 type, u32 count, u16 body_bytes);

#endif /* SAMPLE_H */
