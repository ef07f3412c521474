/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Datagrams: little-endian bytes to messages and back. Owns the format, knows
 * no protocol. Every read is bounded by what is left, every reserved byte must
 * be zero, and nothing may follow the last field.
 *
 *   byte 0       4       5      6      7      8
 *        +-------+-------+------+------+------+
 *        | magic |version| type | from |  to  |
 *        +-------+-------+------+------+------+
 *      8 | group (u64)                        |
 *     16 | members (u64): digest of the list  |
 *     24 | incarnation (u64) of the sender    |
 *     32 | view (u64)                         |
 *     40 | generation (u16) | bytes (u16) | instance (u32) |
 *     48 | the fields of the type, see vr_wire.c    |
 *
 * version is VR_WIRE_VERSION_MIN .. VR_WIRE_VERSION; vr_message.h has what is new in
 * each. bytes is the length of the whole datagram. from and to are slots, or 255 for a
 * client, whose member id then begins the fields.
 */
#ifndef VR_WIRE_H
#define VR_WIRE_H

#include "vr_message.h"

#define VR_WIRE_MAGIC		0x51535256u	/* "VRSQ" */
#define VR_WIRE_HEAD_BYTES	48

/** struct vr_wire_group - what all datagrams of a group share */
struct vr_wire_group {
	u64 group;
	u64 members;
};

/**
 * struct vr_wire_scratch - room for what a decoded message points to
 *
 * Bodies of entries point into the datagram itself; both must outlive the
 * message.
 */
struct vr_wire_scratch {
	struct vr_message message;
	struct vr_entry entries[VR_BATCH_MAX];
	u64 hashes[VR_HASHES_MAX];
};

/**
 * vr_wire_bytes - length of the datagram a message encodes to
 * @m: message
 *
 * Return: bytes, VR_WIRE_HEAD_BYTES .. VR_DATAGRAM_BYTES_MAX.
 */
u32 vr_wire_bytes(const struct vr_message *m);

/**
 * vr_wire_encode - write a message as a datagram
 * @buffer:	room for vr_wire_bytes(@m)
 * @m:		message; only the fields of its type are used
 * @to:		receiver, instead of m->to
 * @version:	of the format, vr_message_version(@m) or more
 * @group:	identity of the group
 *
 * Return: bytes written.
 */
u32 vr_wire_encode(u8 *buffer, const struct vr_message *m, u16 to, u8 version,
		   const struct vr_wire_group *group);

/**
 * vr_wire_decode - read a datagram
 * @scratch:	receives the message
 * @buffer:	datagram
 * @bytes:	its length
 * @group:	identity the datagram must have; FORM, FORM_OK, FORM_REFUSED and
 *		PING are accepted with another member list, so that it can be
 *		named, and then have members_differ set
 * @members_differ: set if the member list is not ours
 *
 * Return: VR_DROP_NONE, or why it is no message for this group.
 */
enum vr_drop vr_wire_decode(struct vr_wire_scratch *scratch, const u8 *buffer,
			    u32 bytes, const struct vr_wire_group *group,
			    bool *members_differ);

/**
 * vr_wire_group_matches - is this a datagram for the given group?
 * @buffer: datagram
 * @bytes:  its length
 * @group:  id
 *
 * For a shell that must choose among groups before decoding.
 */
bool vr_wire_group_matches(const u8 *buffer, u32 bytes, u64 group);

#endif /* VR_WIRE_H */
