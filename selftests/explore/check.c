// SPDX-License-Identifier: GPL-2.0
/*
 * What must never be. Within one replica: its own invariants, that nobody halts,
 * that what is applied is applied once. Between replicas, and between what was
 * then and is now: facts, which once shown stay true, and of which no two in
 * one run may contradict each other. A1, A2 and A4 are those of invariants.rst.
 */
#include <stdlib.h>

#include "explore.h"
#include "vr_replica_private.h"

enum fact_kind {
	FACT_WRONG,	/* an answer contradicts the replica that gave it */
	FACT_APPLIED,	/* entry @hash at @op was applied */
	FACT_COMMITTED,	/* and that was known in view @view, in normal status */
	FACT_STARTED,	/* @view began with the log that ends in @op, @hash */
	FACT_LED,	/* its primary gave @op to entry @hash */
	FACT_ANSWERED,	/* request @op of session @view was, by entry @hash */
	FACT_REFUSED,	/* request @op of session @view never will be */
};

struct fact {
	u64 kind;
	u64 view;
	u64 op;
	u64 hash;
};

/** struct link - an entry of any log there ever was, by its hash */
struct link {
	u64 hash;
	u64 previous;
	u64 op;
	u64 session;
	u64 request;
};

#define FACTS_MAX 256	/* shown by one step */

static struct intern facts;
static struct intern texts;
static struct link *links;
static u32 link_max;
static u32 link_count = 1;
static struct map link_by_hash;
static struct map verdicts;

static struct {
	u32 numbers[FACTS_MAX];
	u32 count;
} shown;

u32 check_say(const char *text)
{
	return intern(&texts, text, strlen(text) + 1);
}

const char *check_text(u32 broken)
{
	return interned(&texts, broken, NULL);
}

static void show(enum fact_kind kind, u64 view, u64 op, u64 hash)
{
	struct fact fact = { .kind = kind, .view = view, .op = op, .hash = hash };

	if (shown.count == FACTS_MAX)
		abort();
	shown.numbers[shown.count++] = intern(&facts, &fact, sizeof(fact));
}

static u64 hash_at(const struct vr_replica *r, u64 op)
{
	u64 hash = 0;

	vr_log_hash(&r->log, op, &hash);
	return hash;
}

static const struct link *link_of(u64 hash)
{
	return &links[map_get(&link_by_hash, hash)];
}

/* Entries are known by their hash long after a log has lost them. */
static void learn_log(const struct vr_replica *r)
{
	u64 op;

	for (op = r->log.ring.first; op <= r->log.ring.last; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		if (map_get(&link_by_hash, e->hash))
			continue;
		while (link_count >= link_max)
			links = grow(links, &link_max, sizeof(*links));
		links[link_count] = (struct link){
			.hash = e->hash,
			.previous = hash_at(r, op - 1),
			.op = op,
			.session = e->session,
			.request = e->request,
		};
		map_put(&link_by_hash, e->hash, link_count++);
	}
}

/* Facts that a step of @r, which looked like @before, has shown. */
u32 check_step(const struct face *before, const struct vr_replica *r)
{
	bool normal = r->status == VR_STATUS_NORMAL;
	bool leads = normal && vr_is_primary(r);
	bool led = leads && before->leads && before->view == r->view;
	u64 op;

	shown.count = 0;
	learn_log(r);
	if (leads && !led)
		show(FACT_STARTED, r->view, r->log.ring.last, hash_at(r, r->log.ring.last));
	for (op = before->op + 1; led && op <= r->log.ring.last; op++)
		show(FACT_LED, r->view, op, hash_at(r, op));
	for (op = vr_max(before->commit + 1, r->log.ring.first); op <= r->commit; op++)
		show(normal ? FACT_COMMITTED : FACT_APPLIED, normal ? r->view : 0, op,
		     hash_at(r, op));
	return set_of(shown.numbers, shown.count);
}

u32 check_done(u32 slot, const struct vr_replica *r, const struct vr_effects *fx)
{
	u32 i;

	shown.count = 0;
	learn_log(r);
	for (i = 0; i < fx->done_count; i++) {
		const struct vr_done *done = &fx->done[i];
		const struct vr_entry *e = vr_replica_entry(r, done->result.index);

		if (done->outcome == VR_OUTCOME_NOT_APPLIED) {
			show(FACT_REFUSED, slot + 1, done->request, 0);
		} else if (done->outcome == VR_OUTCOME_APPLIED) {
			if (!e || e->session != slot + 1 ||
			    e->request != done->request || e->op > r->commit)
				show(FACT_WRONG, 0, 0, 0);
			else
				show(FACT_ANSWERED, slot + 1, done->request, e->hash);
		}
	}
	return set_of(shown.numbers, shown.count);
}

/* The counter has counted as many requests as there are, of those committed. */
static bool applied_once(const struct vr_replica *r)
{
	u64 op, earlier, count = 0;

	for (op = r->log.ring.first; op <= r->commit; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		for (earlier = r->log.ring.first; earlier < op; earlier++) {
			const struct vr_entry *other = vr_log_get(&r->log, earlier);

			if (other->session == e->session && other->request == e->request)
				break;
		}
		count += e->kind == VR_KIND_NEXT && earlier == op;
	}
	return r->sm.counter.value == count;
}

u32 check_broken(const struct vr_replica *r)
{
	static const char * const halts[VR_HALT_COUNT] = {
		[VR_HALT_COMMITTED_CONFLICT] = "a replica halts: I6, another entry is committed",
		[VR_HALT_LOG_GAP] = "a replica halts: I2, a gap in the log",
		[VR_HALT_LOG_FULL] = "a replica halts: a bound was exceeded",
		[VR_HALT_TWO_LOGS] = "a replica halts: A2, one view has two logs",
		[VR_HALT_LIVES] = "a replica halts: it has no number for its next life",
	};
	const char *broken = bounds.only_group ? NULL : vr_replica_check(r);

	if (r->status == VR_STATUS_HALTED && bounds.only_group)
		return 0;
	if (r->status == VR_STATUS_HALTED)
		return check_say(halts[r->halt]);
	if (broken)
		return check_say(broken);
	if ((r->status == VR_STATUS_NORMAL || r->status == VR_STATUS_VIEW_CHANGE) &&
	    r->log.ring.first == 1 && !applied_once(r))
		return check_say("A3: a request is not applied exactly once");
	return 0;
}

/* Does the log that ends in the entry @hash have entry @wanted at @op? */
static bool log_has(u64 hash, u64 op, u64 wanted)
{
	while (hash && link_of(hash)->op > op)
		hash = link_of(hash)->previous;
	return hash == wanted;
}

static const char *contradict(const struct fact *a, const struct fact *b)
{
	bool a_applied = a->kind == FACT_APPLIED || a->kind == FACT_COMMITTED;
	bool b_applied = b->kind == FACT_APPLIED || b->kind == FACT_COMMITTED;

	if (a->kind == FACT_WRONG)
		return "A4: an answer is not that of the log";
	if (a_applied && b_applied && a->op == b->op && a->hash != b->hash)
		return "A1: two entries are committed at one op";
	if (a->kind == FACT_STARTED && b->kind == FACT_STARTED && a->view == b->view &&
	    a->hash != b->hash)
		return "A2: a view starts with two logs";
	if (a->kind == FACT_LED && b->kind == FACT_LED && a->view == b->view &&
	    a->op == b->op && a->hash != b->hash)
		return "A2: a view has two entries at one op";
	if (a->kind == FACT_COMMITTED && b->kind == FACT_STARTED && a->view < b->view &&
	    !log_has(b->hash, a->op, a->hash))
		return "A4: a view starts without what an earlier one committed";
	if (a->kind == FACT_ANSWERED && b->kind == FACT_ANSWERED && a->view == b->view &&
	    a->op == b->op && a->hash != b->hash)
		return "A3: a request has two answers";
	if (a->kind == FACT_REFUSED && b_applied && link_of(b->hash)->session == a->view &&
	    link_of(b->hash)->request == a->op)
		return "A4: what was refused is applied";
	return NULL;
}

static u32 judge(u32 a, u32 b)
{
	u32 a_count, b_count, i, j;
	const u32 *a_facts = set_members(a, &a_count), *b_facts = set_members(b, &b_count);

	for (i = 0; i < a_count; i++) {
		const struct fact *x = interned(&facts, a_facts[i], NULL);

		for (j = 0; j < b_count; j++) {
			const struct fact *y = interned(&facts, b_facts[j], NULL);
			const char *text = contradict(x, y);

			if (!text)
				text = contradict(y, x);
			if (text)
				return check_say(text);
		}
	}
	return 0;
}

/* Whatever @a contradicts, @b does. */
static bool says_more(const struct fact *b, const struct fact *a)
{
	if (a->op != b->op || a->hash != b->hash || b->kind != FACT_COMMITTED)
		return false;
	return a->kind == FACT_APPLIED || (a->kind == FACT_COMMITTED && a->view > b->view);
}

/* Without those that others say as well: states need not differ in them. */
static u32 strongest(u32 set)
{
	u32 count, kept = 0, i, j;
	const u32 *members = set_members(set, &count);
	u32 numbers[FACTS_MAX];

	if (count > FACTS_MAX)
		abort();
	for (i = 0; i < count; i++) {
		const struct fact *x = interned(&facts, members[i], NULL);

		for (j = 0; j < count; j++) {
			if (says_more(interned(&facts, members[j], NULL), x))
				break;
		}
		if (j == count)
			numbers[kept++] = members[i];
	}
	return set_of(numbers, kept);
}

/* What is known when @shown is, too; or in what they contradict each other. */
u32 check_facts(u32 known, u32 shown_now, u32 *broken)
{
	u32 both = map_get(&verdicts, map_key(known, shown_now));

	*broken = 0;
	if (!shown_now)
		return known;
	if (!both) {
		both = set_union(known, shown_now);
		*broken = judge(both, shown_now);
		if (*broken)
			return known;
		both = strongest(both);
		map_put(&verdicts, map_key(known, shown_now), both);
	}
	return both;
}
