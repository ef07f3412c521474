/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Is this machine still the one it was, or was it put back to an earlier state?
 * Knows what hypervisors say about that and what a stop of the clock can mean;
 * nothing of groups.
 */
#ifndef VRSEQ_VMGEN_H
#define VRSEQ_VMGEN_H

#include <linux/compiler.h>
#include <linux/time64.h>
#include <linux/types.h>

/*
 * Where nobody would tell us of a rollback, standing still for so long is taken
 * for one. Shorter than the age of any snapshot that is worth keeping; longer
 * than hypervisors stop a machine to make one, or to migrate it, and than a host
 * is out of breath: if it stops a majority of a group at once, and all of them
 * then give up what they hold, it is lost.
 */
#define VRSEQ_GAP_NS	(10ull * NSEC_PER_SEC)

struct vrseq_vmgen {
	const u64 *id;		/* 16 bytes the hypervisor writes, NULL = it has none */
	bool doubtful;		/* a virtual machine without them */
};

extern struct vrseq_vmgen vrseq_vmgen;

/**
 * vrseq_vmgen_id - names the life of this machine, as the hypervisor tells it
 *
 * A hypervisor that starts a machine from an image writes another one before the
 * machine executes anything, so whoever compares needs no notice and can never
 * be too late. Two loads from memory that is in the cache.
 *
 * Return: 0 for ever where there is none.
 */
static inline u64 vrseq_vmgen_id(void)
{
	const u64 *id = vrseq_vmgen.id;

	return id ? READ_ONCE(id[0]) ^ READ_ONCE(id[1]) * 3 : 0;
}

/** vrseq_vmgen_doubts - may a stop of so long be all there is to see of a rollback? */
static inline bool vrseq_vmgen_doubts(u64 gap_ns)
{
	return unlikely(gap_ns > VRSEQ_GAP_NS) && vrseq_vmgen.doubtful;
}

void vrseq_vmgen_init(void);
void vrseq_vmgen_exit(void);

#endif /* VRSEQ_VMGEN_H */
