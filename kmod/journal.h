/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The file in which a member keeps its journal (vr_journal.h). Owns the open file
 * and all that is written to it; what is written, and what it means, is the core's
 * business.
 */
#ifndef VRSEQ_JOURNAL_H
#define VRSEQ_JOURNAL_H

#include <linux/bits.h>

#include "vr_journal.h"

struct netlink_ext_ack;
struct vr_config;
struct vr_effects;
struct vr_replica;
struct vrseq_engine;
struct vrseq_journal;

#define VRSEQ_JOURNAL_PATH_BYTES	256
#define VRSEQ_JOURNAL_BYTES_MAX		BIT_ULL(40)

/**
 * struct vrseq_journal_state - one look at a journal
 * @bytes:	of the file
 * @damaged:	it was when it was opened: nothing of it counts
 * @writes:	to it, since it was opened
 * @fsyncs:	of it
 * @bytes_written: by all those writes
 * @error:	negative errno that ended it, 0 = none did
 * @busy_ns:	boot time when the write or fsync under way began, 0 = none is
 */
struct vrseq_journal_state {
	u64 bytes;
	bool damaged;
	u64 writes;
	u64 fsyncs;
	u64 bytes_written;
	s32 error;
	u64 busy_ns;
};

int vrseq_journals_init(void);
void vrseq_journals_exit(void);

struct vrseq_journal *vrseq_journal_open(const char *path, u64 bytes,
					 const struct vr_config *cfg, const u8 *uuid,
					 u16 member_id, struct netlink_ext_ack *extack);
const struct vr_journal_owner *vrseq_journal_members(const struct vrseq_journal *journal);
int vrseq_journal_restore(struct vrseq_journal *journal, struct vr_replica *r,
			  struct vr_effects *fx, struct netlink_ext_ack *extack);
void vrseq_journal_attach(struct vrseq_journal *journal, struct vrseq_engine *engine);
void vrseq_journal_stop(struct vrseq_journal *journal);
void vrseq_journal_put(struct vrseq_journal *journal);
void vrseq_journal_look(const struct vrseq_journal *journal, struct vrseq_journal_state *state);
u64 vrseq_journal_memory_bytes(const struct vrseq_journal *journal);

/* From engine.c, with core_lock held. */
void vrseq_journal_name(struct vrseq_journal *journal, const u16 *ids, u8 count);

/* From engine.c, bottom halves off. */
void vrseq_journal_kick(struct vrseq_journal *journal);

#endif /* VRSEQ_JOURNAL_H */
