// SPDX-License-Identifier: GPL-2.0
/*
 * What is kept on stable storage, if there is any: the record of this member
 * (vr_record.h). Asks the shell for a write, and lets those who wait for it go on
 * once it is there. What is written, and why, the phases decide; none of them
 * writes on the way of a commit or in a view change.
 */
#include "vr_replica_private.h"

#define AGAIN_HEARTBEATS 8	/* after a write that failed */

/* Without a record nothing is kept, and nobody waits for it. */
bool vr_record_is_held(const struct vr_replica *r)
{
	return !r->cfg.keeps_record || r->keep.held == r->keep.wanted;
}

static void write(struct vr_replica *r)
{
	r->keep.flying = r->keep.wanted;
	r->keep.writes++;
	r->fx->record = true;
	r->fx->record_write = r->keep.flying;
	r->fx->record_content = &r->record;
}

/* r->record has changed: one write is under way at a time, the next one has it all. */
void vr_record_want(struct vr_replica *r)
{
	r->keep.wanted++;
	if (r->cfg.keeps_record && !r->keep.flying)
		write(r);
}

/* May the record be counted on when it is asked what this member has done? */
bool vr_record_is_good(const struct vr_replica *r)
{
	return r->cfg.keeps_record && r->record.formed && !r->record.doubtful;
}

/* The newest generation we must not fall behind. */
u16 vr_record_floor(const struct vr_replica *r)
{
	return vr_max(r->generation, r->record.accepted_generation);
}

static void settle(struct vr_replica *r)
{
	vr_form_settle(r);
	vr_recovery_settle(r);
	vr_cold_settle(r);
}

void vr_on_recorded(struct vr_replica *r, u64 number, s32 error)
{
	if (!r->keep.flying || number != r->keep.flying)
		return;
	r->keep.flying = 0;
	if (r->keep.error != error)
		r->fx->status_changed = true;
	r->keep.error = error;
	if (error) {
		vr_timer_set(r, VR_TIMER_RECORD, AGAIN_HEARTBEATS * r->cfg.heartbeat_ns);
		return;
	}
	r->keep.held = number;
	if (r->keep.wanted > number)
		write(r);
	else if (r->status != VR_STATUS_HALTED)
		settle(r);
}

void vr_on_record_timer(struct vr_replica *r)
{
	if (!r->keep.flying && !vr_record_is_held(r))
		write(r);
}

/* Does the record know of a generation beyond the one a journal brought back? */
bool vr_record_is_newer(const struct vr_replica *r)
{
	return r->cfg.keeps_record && r->record.formed &&
	       vr_max(r->record.generation, r->record.accepted_generation) > r->generation;
}

/*
 * What the shell read before we began: nobody who was in a group is ever blank.
 * False if the record says nothing of that.
 */
bool vr_record_resume(struct vr_replica *r)
{
	if (!r->cfg.keeps_record || !r->record.formed || r->cfg.record_differs)
		return false;
	r->generation = r->record.generation;
	r->instance = r->record.instance;
	r->vector[r->cfg.self] = r->record.incarnation;
	vr_recover(r, VR_REFUSAL_MEMORY_LOST);
	return true;
}
