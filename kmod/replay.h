/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which counters of a sender have been seen (RFC 6479, the window as a ring of
 * words). Pure: no lock, no allocation; whoever owns one serialises.
 */
#ifndef VRSEQ_REPLAY_H
#define VRSEQ_REPLAY_H

#include <linux/string.h>
#include <linux/types.h>

#define VRSEQ_REPLAY_WORDS	32	/* a power of 2 */
/* The word that is being filled does not count: what it held before is gone. */
#define VRSEQ_REPLAY_WINDOW	((VRSEQ_REPLAY_WORDS - 1) * 64)

/**
 * struct vrseq_replay - counters seen
 * @next:	greatest counter accepted, plus 1; 0 = none yet
 * @seen:	a bit for each counter of the window
 */
struct vrseq_replay {
	u64 next;
	u64 seen[VRSEQ_REPLAY_WORDS];
};

/**
 * vrseq_replay_fresh - may a datagram with this counter be new?
 * @replay:	what was seen
 * @counter:	its counter
 *
 * Return: false if it was seen, or is so old that nobody can say.
 */
static inline bool vrseq_replay_fresh(const struct vrseq_replay *replay, u64 counter)
{
	u64 word = counter / 64;

	if (counter >= replay->next)
		return counter < U64_MAX;
	if (replay->next - counter > VRSEQ_REPLAY_WINDOW)
		return false;
	return !(replay->seen[word % VRSEQ_REPLAY_WORDS] & (1ull << counter % 64));
}

/** vrseq_replay_accept - a fresh counter whose datagram proved to be authentic */
static inline void vrseq_replay_accept(struct vrseq_replay *replay, u64 counter)
{
	u64 word = counter / 64;

	if (counter >= replay->next) {
		u64 newest = replay->next ? (replay->next - 1) / 64 : 0;
		u64 cleared;

		if (word - newest >= VRSEQ_REPLAY_WORDS)
			memset(replay->seen, 0, sizeof(replay->seen));
		else
			for (cleared = newest + 1; cleared <= word; cleared++)
				replay->seen[cleared % VRSEQ_REPLAY_WORDS] = 0;
		replay->next = counter + 1;
	}
	replay->seen[word % VRSEQ_REPLAY_WORDS] |= 1ull << counter % 64;
}

#endif /* VRSEQ_REPLAY_H */
