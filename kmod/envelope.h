/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stands before the core's bytes in a datagram: who speaks to whom, under
 * which key, and which part of a message this is. All of it is little-endian and
 * authenticated, none of it is secret.
 *
 *   byte 0      1       2      3     4        6      7        8
 *        +------+-------+------+-----+--------+------+--------+
 *        | 'V'  |version| type | key | session| part | parts  |
 *        +------+-------+------+-----+--------+------+--------+
 *      8 | group (u32) | from (u16)  | to (u16)  |
 *     16 | counter (u64)                         |
 *     24 | INIT, HELLO: the sender's nonce (16 bytes)
 *
 * PLAIN	parts of a message, nothing protects them (insecure groups)
 * DATA		sealed, in a session that both ends know
 * INIT		sealed, in a session that the receiver need not know yet
 * HELLO	asks for, or says, a nonce; authenticated by a MAC, carries nothing:
 *
 *     40 | echo (16 bytes): the receiver's nonce, 0 = not known
 *     56 | zero (8 bytes)
 *     64 | MAC (16 bytes)
 *
 * Part p of a message has counter c + p, c that of part 0: a message needs no
 * other name.
 */
#ifndef VRSEQ_ENVELOPE_H
#define VRSEQ_ENVELOPE_H

#include "vr_bytes.h"

#define VRSEQ_ENVELOPE_MAGIC	'V'
#define VRSEQ_ENVELOPE_VERSION	1
#define VRSEQ_ENVELOPE_BYTES	24
#define VRSEQ_NONCE_BYTES	16
#define VRSEQ_TAG_BYTES		16
#define VRSEQ_INIT_BYTES	(VRSEQ_ENVELOPE_BYTES + VRSEQ_NONCE_BYTES)
#define VRSEQ_HELLO_BYTES	80
#define VRSEQ_HELLO_MAC		(VRSEQ_HELLO_BYTES - VRSEQ_TAG_BYTES)
/* Room a datagram takes beyond the core's bytes, at most. */
#define VRSEQ_OVERHEAD_BYTES	(VRSEQ_INIT_BYTES + VRSEQ_TAG_BYTES)

/** enum vrseq_envelope_type - numbers are part of the wire format */
enum vrseq_envelope_type {
	VRSEQ_PLAIN	= 1,
	VRSEQ_DATA	= 2,
	VRSEQ_INIT	= 3,
	VRSEQ_HELLO	= 4,
};

/**
 * struct vrseq_envelope - the first 24 bytes, in host order
 * @type:	enum vrseq_envelope_type
 * @key:	tells keys apart, see struct vrseq_key
 * @session:	tells sessions of two members apart
 * @part:	which part of a message, below @parts
 * @parts:	of the message, 1 or more
 * @group:	tells groups apart before anything is opened
 * @from:	sender's member id
 * @to:		receiver's member id
 * @counter:	of the session, of PLAIN of the sender's messages to this receiver
 */
struct vrseq_envelope {
	u8 type;
	u8 key;
	u16 session;
	u8 part;
	u8 parts;
	u32 group;
	u16 from;
	u16 to;
	u64 counter;
};

static inline void vrseq_envelope_write(u8 *p, const struct vrseq_envelope *e)
{
	p[0] = VRSEQ_ENVELOPE_MAGIC;
	p[1] = VRSEQ_ENVELOPE_VERSION;
	p[2] = e->type;
	p[3] = e->key;
	vr_put16(p + 4, e->session);
	p[6] = e->part;
	p[7] = e->parts;
	vr_put32(p + 8, e->group);
	vr_put16(p + 12, e->from);
	vr_put16(p + 14, e->to);
	vr_put64(p + 16, e->counter);
}

/**
 * vrseq_envelope_read - the first 24 bytes, if they can be those of a datagram
 * @e:		receives them
 * @p:		datagram
 * @bytes:	its length
 *
 * Return: false if no member ever sent that.
 */
static inline bool vrseq_envelope_read(struct vrseq_envelope *e, const u8 *p, u32 bytes)
{
	u32 least;

	if (bytes < VRSEQ_ENVELOPE_BYTES || p[0] != VRSEQ_ENVELOPE_MAGIC ||
	    p[1] != VRSEQ_ENVELOPE_VERSION)
		return false;
	e->type = p[2];
	e->key = p[3];
	e->session = vr_get16(p + 4);
	e->part = p[6];
	e->parts = p[7];
	e->group = vr_get32(p + 8);
	e->from = vr_get16(p + 12);
	e->to = vr_get16(p + 14);
	e->counter = vr_get64(p + 16);
	switch (e->type) {
	case VRSEQ_PLAIN:
		least = VRSEQ_ENVELOPE_BYTES;
		break;
	case VRSEQ_DATA:
		least = VRSEQ_ENVELOPE_BYTES + VRSEQ_TAG_BYTES;
		break;
	case VRSEQ_INIT:
		least = VRSEQ_INIT_BYTES + VRSEQ_TAG_BYTES;
		break;
	case VRSEQ_HELLO:
		return bytes == VRSEQ_HELLO_BYTES && e->part == 0 && e->parts == 1;
	default:
		return false;
	}
	return bytes > least && e->part < e->parts && e->counter >= e->part;
}

#endif /* VRSEQ_ENVELOPE_H */
