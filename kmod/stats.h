/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the shell of a group counts; what the core counts is in struct vr_info.
 * Only what is rare is counted here, so plain atomics are cheap enough.
 */
#ifndef VRSEQ_STATS_H
#define VRSEQ_STATS_H

#include <linux/atomic.h>

/** enum vrseq_stat - netlink.c has the names */
enum vrseq_stat {
	VRSEQ_STAT_DROP_ADDRESS,	/* not sent from its member's address */
	VRSEQ_STAT_DROP_SIZE,		/* longer than any datagram of ours */
	VRSEQ_STAT_DROP_CHECKSUM,	/* has none, and no key makes up for it */
	VRSEQ_STAT_DROP_NO_MEMORY,	/* received, but scattered and no memory */
	VRSEQ_STAT_SEND_NO_MEMORY,
	VRSEQ_STAT_SEND_NO_ROUTE,
	VRSEQ_STAT_SEND_NO_PEER,	/* the member or the socket is gone */
	VRSEQ_STAT_TIMER_LATE,		/* by more than a heartbeat */
	VRSEQ_STAT_READER_OVERRUN,
	VRSEQ_STAT_DEMOTED_ROLLBACK,	/* the hypervisor says this is another life */
	VRSEQ_STAT_DEMOTED_GAP,		/* stood still too long to know */
	VRSEQ_STAT_DEMOTED_SLEEP,	/* memory was on a disk */
	VRSEQ_STAT_SEND_NO_SESSION,	/* the handshake is under way */
	VRSEQ_STAT_HELLO_SENT,
	VRSEQ_STAT_HELLO_ANSWERED,
	VRSEQ_STAT_DROP_ENVELOPE,	/* not what a member sends to us */
	VRSEQ_STAT_DROP_KEY,		/* under a key that we do not have */
	VRSEQ_STAT_DROP_SESSION,	/* of a session that we do not have */
	VRSEQ_STAT_DROP_FORGED,		/* does not open */
	VRSEQ_STAT_DROP_REPLAY,		/* came before, or is very old */
	VRSEQ_STAT_DROP_BUSY,		/* too many handshakes, or guesses, at once */
	VRSEQ_STAT_COUNT
};

struct vrseq_stats {
	atomic64_t value[VRSEQ_STAT_COUNT];
};

static inline void vrseq_stat_count(struct vrseq_stats *stats, enum vrseq_stat stat)
{
	atomic64_inc(&stats->value[stat]);
}

#endif /* VRSEQ_STATS_H */
