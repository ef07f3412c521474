// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the window of counters (kmod/replay.h), against a list of all that it
 * was given: none is accepted twice, each that is new and not too old is accepted.
 */
#include <errno.h>

#include "fuzz.h"
#include "replay.h"

#define COUNTERS_MAX 4096

struct model {
	u64 accepted[COUNTERS_MAX];
	u32 count;
	u64 newest;
};

static bool was_accepted(const struct model *m, u64 counter)
{
	u32 i;

	for (i = 0; i < m->count; i++) {
		if (m->accepted[i] == counter)
			return true;
	}
	return false;
}

/* U64_MAX is never sent: the one after it would be no more. */
static bool is_fresh(const struct model *m, u64 counter)
{
	if (counter == U64_MAX || was_accepted(m, counter))
		return false;
	return !m->count || counter > m->newest ||
	       m->newest - counter < VRSEQ_REPLAY_WINDOW;
}

/* Near the newest one, near an end of the window or of a word, or anywhere. */
static u64 choose(struct input *in, const struct model *m)
{
	u8 how = take(in);

	switch (how % 8) {
	case 0:
		return take64(in);
	case 1:
		return m->newest - VRSEQ_REPLAY_WINDOW - 4 + take(in) % 8;
	case 2:
		return m->newest + (take(in) << how / 8 % 8);
	case 3:
		return m->newest - (take(in) << how / 8 % 8);
	case 4:
		return (m->newest | 63) + take(in) % 3 - 1 + 64 * (how / 8);
	case 5:
		return m->count ? m->accepted[(how / 8 + take(in)) % m->count] : 0;
	case 6:
		return U64_MAX - take(in);
	default:
		return m->newest + 1;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct model model;
	struct vrseq_replay replay = { 0 };
	struct input in = { data, size };
	struct model *m = &model;

	m->count = 0;
	m->newest = 0;
	while (in.size && m->count < COUNTERS_MAX) {
		u64 counter = choose(&in, m);
		bool fresh = is_fresh(m, counter);

		must(vrseq_replay_fresh(&replay, counter) == fresh);
		/* What does not prove to be authentic leaves no trace. */
		if (!fresh || take(&in) % 16 == 0)
			continue;
		vrseq_replay_accept(&replay, counter);
		m->newest = m->count ? vr_max(m->newest, counter) : counter;
		m->accepted[m->count++] = counter;
		must(!vrseq_replay_fresh(&replay, counter));
	}
	return 0;
}
