/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file, or block device, in which a member keeps its record (vr_record.h).
 * Owns the open file and the writes; what a record says is the core's business.
 */
#ifndef VRSEQ_RECORD_H
#define VRSEQ_RECORD_H

#include "vr_record.h"

struct netlink_ext_ack;
struct vrseq_engine;
struct vrseq_record;

#define VRSEQ_RECORD_PATH_BYTES	256

int vrseq_records_init(void);
void vrseq_records_exit(void);

struct vrseq_record *vrseq_record_open(const char *path, const u8 *uuid, u16 member_id,
				       struct vr_record *found,
				       struct netlink_ext_ack *extack);
void vrseq_record_attach(struct vrseq_record *record, struct vrseq_engine *engine);
void vrseq_record_stop(struct vrseq_record *record);
void vrseq_record_put(struct vrseq_record *record);

/* From engine.c, bottom halves off. */
void vrseq_record_write(struct vrseq_record *record, u64 number,
			const struct vr_record *content, u64 members);

#endif /* VRSEQ_RECORD_H */
