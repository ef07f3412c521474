/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A blank replica gets back what its journal says (R17), before its first step.
 * Knows what a frame means; where the bytes come from is its caller's business.
 */
#ifndef VR_RESTORE_H
#define VR_RESTORE_H

#include "vr_journal.h"
#include "vr_replica.h"

/**
 * vr_restore_begin - begin with a WHOLE journal
 * @r:		blank replica that has not been stepped yet
 * @s:		scan whose first pass is done; begins its second one
 *
 * Then the scan is driven, and after each vr_scan_took() vr_restore_took() called.
 *
 * Return: NULL, or a sentence saying why the journal is not this replica's.
 */
const char *vr_restore_begin(struct vr_replica *r, struct vr_journal_scan *s);

/**
 * vr_restore_took - apply what the scan has just read
 * @r:	the replica
 * @s:	the scan
 * @fx:	room, not to be performed
 *
 * Return: as vr_restore_begin().
 */
const char *vr_restore_took(struct vr_replica *r, struct vr_journal_scan *s,
			    struct vr_effects *fx);

/**
 * vr_restore_end - all was read: this is a new life of who wrote the journal
 * @r:	the replica; with VR_EVENT_START it goes on
 * @s:	the scan
 *
 * What vr_journal_next() wants now must be stable before that event.
 *
 * Return: as vr_restore_begin().
 */
const char *vr_restore_end(struct vr_replica *r, const struct vr_journal_scan *s);

/** vr_restore_lost - there was a memory, and it cannot be restored: it starts RECOVERING */
void vr_restore_lost(struct vr_replica *r);

#endif /* VR_RESTORE_H */
