/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Members with a record (R18) in the simulator: the medium that a record is on, what
 * must hold of it, and what becomes of a group that lost more than it may.
 *
 *	record.c	the medium: two slots, written one after the other
 *	fenced.c	what must hold of records and generations after every step
 *	outage.c	power cuts, reforms, and what must come of them
 */
#ifndef SIM_RECORD_H
#define SIM_RECORD_H

#include "vr_replica.h"

struct sim;
struct sim_node;

/** struct sim_record - the record of a member, whatever becomes of the member */
struct sim_record {
	u8 bytes[VR_RECORD_BYTES];	/* what survives */
	struct vr_record held;		/* what could be read of it now; or not formed */
	u64 sequence;			/* of the newest write */
	bool busy;			/* a write is under way: */
	u64 number;			/* of the core's */
	u32 slot;			/* where the next write begins, or this one goes on */
	u32 left;			/* slots of it */
	u8 next[VR_RECORD_SLOT_BYTES];	/* what it will say */
	bool forgets;			/* it went back in time, and does not say so yet */
	bool fails;			/* the next write of a slot */
	bool whole;			/* something has been written since it was new */
	bool rotten;			/* since it was last written */
	u16 acted;			/* newest generation that its member acted in */
	u64 named;			/* newest ballot that its member named a generation by */
};

enum record_loss {
	RECORD_ROTS,		/* one slot of it: nothing is lost */
	RECORD_DAMAGED,		/* both */
	RECORD_MISSING,
};

/* record.c */
bool record_is_kept(const struct sim *sim, u8 slot);
bool record_keepers(const struct sim *sim);
void record_boot(struct sim *sim, struct sim_node *node);
void record_write(struct sim *sim, struct sim_node *node, const struct vr_effects *fx);
void record_roll_back(struct sim *sim, struct sim_node *node);
void record_done(struct sim *sim, struct sim_node *node, u32 life);
void record_crash(struct sim *sim, struct sim_node *node);
void record_lose(struct sim *sim, u8 slot, enum record_loss loss);

/* fenced.c */
void record_check(struct sim *sim, struct sim_node *node);
void record_check_end(struct sim *sim, const struct sim_node *node);
void record_check_send(struct sim *sim, struct sim_node *node, const struct vr_message *m);
void record_check_begun(struct sim *sim, const struct sim_node *node);

/* outage.c */
void outage_all(struct sim *sim);
void outage_maroon(struct sim *sim);
void outage_reform(struct sim *sim);
void outage_operator(struct sim *sim, u8 slot);
bool outage_is_curable(struct sim *sim);
void outage_cure(struct sim *sim);
bool outage_strands(const struct sim *sim, const struct sim_node *node);

#endif /* SIM_RECORD_H */
