/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The replica's timers: absolute times by name, folded into the one deadline
 * the shell is told. Knows what they are called, not what they do.
 */
#ifndef VR_TIMER_H
#define VR_TIMER_H

#include "vr_platform.h"

enum vr_timer {
	VR_TIMER_HEARTBEAT,	/* primary: show life */
	VR_TIMER_ABDICATE,	/* primary: has a quorum answered lately? */
	VR_TIMER_RESEND,	/* PREPARE, or DO_VIEW_CHANGE in a view change */
	VR_TIMER_SILENCE,	/* backup: the primary was silent too long */
	VR_TIMER_EXIT_VIEW,	/* repeat the opinion */
	VR_TIMER_GIVE_UP,	/* the view change takes too long */
	VR_TIMER_REPAIR,	/* GET_STATE, GET_CHECKPOINT, SUBSCRIBE was not answered */
	VR_TIMER_RECOVERY,	/* RECOVERY was not answered by enough */
	VR_TIMER_PENDING,	/* local requests: resend or give up */
	VR_TIMER_PING,
	VR_TIMER_NODES,		/* primary: has a client been silent for its lease? */
	VR_TIMER_PUSH,		/* clients wait for messages, and a step was not enough */
	VR_TIMER_FORM,		/* repeat FORM or FORM_OK, or give up */
	VR_TIMER_COLD,		/* begin again, ask again, or give up */
	VR_TIMER_RECORD,	/* the record could not be written: try again */
	VR_TIMER_COUNT
};

#define VR_NEVER U64_MAX

/**
 * struct vr_timers - when each is due
 * @at_ns:	VR_NEVER = it does not run
 * @first_ns:	the earliest of them, 0 = to be looked for: most steps move none
 */
struct vr_timers {
	u64 at_ns[VR_TIMER_COUNT];
	u64 first_ns;
};

static inline void vr_timers_put(struct vr_timers *t, enum vr_timer timer, u64 at_ns)
{
	if (at_ns <= t->first_ns)
		t->first_ns = at_ns;
	else if (t->at_ns[timer] == t->first_ns)
		t->first_ns = 0;
	t->at_ns[timer] = at_ns;
}

static inline u64 vr_timers_look(const struct vr_timers *t)
{
	u64 first = VR_NEVER;
	u32 i;

	for (i = 0; i < VR_TIMER_COUNT; i++)
		first = vr_min(first, t->at_ns[i]);
	return first;
}

static inline u64 vr_timers_first(struct vr_timers *t)
{
	if (!t->first_ns)
		t->first_ns = vr_timers_look(t);
	return t->first_ns;
}

#endif /* VR_TIMER_H */
