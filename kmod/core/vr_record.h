/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a member must not forget even without memory, in two slots of 512 bytes:
 * which group it is in, the generation it may have acted in, and what it has
 * promised and accepted of the next one (R18). Owns the bytes; knows no disk and
 * no protocol.
 *
 * A slot, little-endian; what is not named is zero:
 *
 *	  0	magic 8: "VRSEQREC"
 *	  8	version 4 | formed 1 | doubtful 1 | member id 2
 *	 16	sequence 8: of the write
 *	 24	uuid 16 of the group
 *	 40	members 8: digest of the list
 *	 48	generation 2 | accepted generation 2 | instance 4
 *	 56	incarnation 8
 *	 64	ballot 8: promised
 *	 72	ballot 8: accepted
 *	504	checksum 8 of the 504 bytes before
 *
 * Each write goes to both slots, one after the other, each with a flush: first to
 * the one that holds nothing newer (vr_record_slot()), and after a write that failed
 * to the one that it may have torn. So one of the two is whole at any moment, and once
 * a write has ended both say the same, so that one that rots loses nothing.
 */
#ifndef VR_RECORD_H
#define VR_RECORD_H

#include "vr_types.h"

#define VR_RECORD_SLOT_BYTES	512
#define VR_RECORD_SLOTS		2
#define VR_RECORD_BYTES		(VR_RECORD_SLOTS * VR_RECORD_SLOT_BYTES)
#define VR_RECORD_VERSION	1
#define VR_UUID_BYTES		16

/**
 * struct vr_record - what a slot says
 * @uuid:		of the group
 * @members:		digest of the list of members, as datagrams carry it
 * @sequence:		of the write, from 1
 * @member_id:		whose record it is
 * @formed:		it is, or was about to be, a member of a formed group; if not,
 *			the fields below say nothing
 * @doubtful:		its machine went back in time: it may have said more than
 *			this record knows, and must not be counted on
 * @generation:		it may have acted in this one, and never in a later one
 * @instance:		of the forming, see struct vr_message
 * @incarnation:	newest life it took in that generation
 * @ballot:		it answers no cold start below this one
 * @accepted:		ballot of the cold start it accepted last, 0 = none
 * @accepted_generation: which that was to begin
 */
struct vr_record {
	u8 uuid[VR_UUID_BYTES];
	u64 members;
	u64 sequence;
	u16 member_id;
	bool formed;
	bool doubtful;
	u16 generation;
	u16 accepted_generation;
	u32 instance;
	u64 incarnation;
	u64 ballot;
	u64 accepted;
};

/** enum vr_record_verdict - what two slots hold */
enum vr_record_verdict {
	VR_RECORD_WHOLE,	/* a record, in both */
	VR_RECORD_HALF,		/* a record; the other slot is older, torn or rotten */
	VR_RECORD_BLANK,	/* nothing but zeroes, or nothing */
	VR_RECORD_DAMAGED,	/* something, and no record in it */
	VR_RECORD_VERSION_NEW,	/* a record of a version that is not known here */
	VR_RECORD_COUNT
};

/**
 * vr_record_encode - write a slot
 * @slot:	receives VR_RECORD_SLOT_BYTES
 * @record:	what it shall say
 */
void vr_record_encode(u8 *slot, const struct vr_record *record);

/**
 * vr_record_decode - read both slots
 * @bytes:	what the file begins with
 * @count:	how many bytes of it there are, at most VR_RECORD_BYTES are looked at
 * @record:	receives the newest whole slot, if there is one
 *
 * Return: enum vr_record_verdict; @record is valid with the first two.
 */
enum vr_record_verdict vr_record_decode(const u8 *bytes, u32 count,
					struct vr_record *record);

/**
 * vr_record_slot - where the next write has to begin
 * @bytes:	what the file begins with
 * @count:	how many bytes of it there are
 *
 * Return: the slot that vr_record_decode() does not take its record from.
 */
u32 vr_record_slot(const u8 *bytes, u32 count);

/** vr_record_verdict_text - the verdict in words */
const char *vr_record_verdict_text(enum vr_record_verdict verdict);

#endif /* VR_RECORD_H */
