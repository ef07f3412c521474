// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on a group of three. The input is a script: deliver, lose,
 * duplicate, wait, submit, cut, restart, form; and, if its first byte is odd,
 * forge. After every step the replica's invariants hold. As long as nothing is
 * forged no two replicas commit different entries and nobody halts; with forged
 * messages a replica may halt, but not break.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cluster.h"
#include "fuzz.h"
#include "vr_bytes.h"

#define REPLICAS 3
#define HANDLES 4
#define OPS_MAX 4096
#define LETTERS_MAX 300		/* the network loses the oldest beyond */

/* ---- the world of vrt.h: what does not hold is a crash to report ------- */

struct vrt {
	void *blocks[64];
	u32 count;
};

void *vrt_alloc(struct vrt *t, size_t bytes)
{
	void *memory = calloc(1, bytes);

	if (!memory || t->count == VR_ARRAY_COUNT(t->blocks))
		abort();
	t->blocks[t->count++] = memory;
	return memory;
}

void vrt_end(struct vrt *t)
{
	(void)t;
	abort();
}

bool vrt_holds(struct vrt *t, bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return true;
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	vrt_end(t);
	return false;
}

bool vrt_equal(struct vrt *t, u64 is, u64 should, const char *file, int line,
	       const char *what)
{
	return vrt_holds(t, is == should, file, line, what);
}

/* ---- the script -------------------------------------------------------- */

/** struct session - what a client at one handle knows */
struct session {
	bool waiting;
	u32 answered;
	u8 kind;
	u64 id;
	u64 request;
	u64 begun;
};

struct script {
	struct vrt t;
	struct cluster *c;
	const u8 *at;
	const u8 *end;
	bool may_forge;
	bool restarted;
	u64 committed[OPS_MAX];		/* hash by op, 0 = not yet */
	u64 checked[REPLICAS];
	struct session sessions[REPLICAS][HANDLES];
};

static u8 take(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

static u8 take_slot(struct script *s)
{
	return take(s) % REPLICAS;
}

static void check_commits(struct script *s, u8 slot)
{
	const struct vr_info *info = cluster_info(s->c, slot);
	const struct vr_entry *e;
	u64 op;

	VRT_ASSERT(&s->t, info->status != VR_STATUS_HALTED);
	for (op = s->checked[slot] + 1; op <= info->commit && op < OPS_MAX; op++) {
		e = vr_replica_entry(s->c->replicas[slot], op);
		VRT_ASSERT(&s->t, e);
		VRT_ASSERT(&s->t, !s->committed[op] || s->committed[op] == e->hash);
		s->committed[op] = e->hash;
	}
	s->checked[slot] = info->commit;
}

static void check_answers(struct script *s, u8 slot)
{
	u32 handle;

	for (handle = 0; handle < HANDLES; handle++) {
		const struct answer *a = &s->c->answers[slot][handle];
		struct session *session = &s->sessions[slot][handle];

		if (a->count == session->answered)
			continue;
		/* One answer to one question, and to the last one asked. */
		VRT_ASSERT(&s->t, session->waiting && a->count == session->answered + 1);
		VRT_ASSERT(&s->t, (a->done.outcome == VR_OUTCOME_APPLIED) ==
				  !a->done.result.error);
		VRT_ASSERT_EQUAL(&s->t, a->done.request,
				 session->kind == VR_KIND_SESSION_BEGIN ?
				 session->begun : session->request);
		session->answered = a->count;
		session->waiting = false;
		if (session->kind == VR_KIND_SESSION_END)
			session->id = 0;
		if (session->kind == VR_KIND_SESSION_BEGIN && !a->done.result.error) {
			session->id = a->done.result.index;
			session->request = 0;
		}
	}
}

static void check(struct script *s)
{
	struct cluster *c = s->c;
	u8 slot;

	for (slot = 0; slot < REPLICAS; slot++) {
		if (!s->may_forge)
			check_commits(s, slot);
		check_answers(s, slot);
	}
	if (c->last - c->first > LETTERS_MAX)
		c->first = c->last - LETTERS_MAX;
}

/* A letter under way, or NULL where there is none any more. */
static struct letter *pick(struct script *s)
{
	struct cluster *c = s->c;
	u32 count = c->last - c->first;
	struct letter *l;

	if (!count)
		return NULL;
	l = &c->letters[(c->first + take(s) % count) % CLUSTER_LETTERS];
	return l->there ? l : NULL;
}

static void deliver(struct script *s, struct letter *l, bool keep)
{
	struct letter copy;

	if (!l)
		return;
	copy = *l;
	l->there = keep;
	cluster_deliver(s->c, &copy);
}

static void deliver_oldest(struct script *s, u32 count)
{
	struct cluster *c = s->c;

	while (count && c->first < c->last) {
		struct letter *l = &c->letters[c->first++ % CLUSTER_LETTERS];

		if (l->there) {
			deliver(s, l, false);
			check(s);
			count--;
		}
	}
}

static void forge(struct script *s)
{
	struct letter *l = pick(s), forged;
	u32 count = 1 + take(s) % 3;
	u8 *at;

	if (!l || !s->may_forge)
		return;
	forged = *l;
	while (count--) {
		u8 how = take(s);

		at = forged.data + 8 * (take(s) % (forged.bytes / 8));
		if (how < 64)
			vr_put64(at, vr_get64(at) + take(s) - 128);
		else if (how < 128)
			vr_put64(at, take(s));
		else if (how < 160)
			vr_put64(at, (u64)take(s) << 56 | take(s));
		else if (how < 192)
			at[how % 8] = take(s);
		else if (how < 224)
			forged.data[6 + how % 2] = take_slot(s);
		else
			forged.data[5] = 1 + take(s) % (VR_TYPE_COUNT - 1);
	}
	forged.to = forged.data[7] % REPLICAS;
	cluster_deliver(s->c, &forged);
}

static void submit(struct script *s, bool again)
{
	u8 slot = take_slot(s), handle = take(s) % HANDLES, choice = take(s);
	struct session *session = &s->sessions[slot][handle];
	struct vr_event event = { .type = VR_EVENT_SUBMIT };
	struct vr_submit *sub = &event.submit;
	static const u8 body[VR_BODY_BYTES_MAX];

	if (session->waiting && (!session->id || choice % 8))
		return;
	sub->handle = handle;
	sub->session = session->id;
	sub->body = body;
	if (!session->id) {
		sub->kind = VR_KIND_SESSION_BEGIN;
		again = again && session->begun;
		session->begun += !again;
		sub->request = session->begun;
	} else {
		again = again && session->request && !session->waiting;
		sub->kind = session->waiting || choice % 16 == 0 ? VR_KIND_SESSION_END :
			    choice % 3 ? VR_KIND_NEXT : VR_KIND_APPEND;
		session->request += !again;
		sub->request = session->request;
	}
	sub->again = again;
	if (sub->kind == VR_KIND_NEXT) {
		sub->argument = choice == 255 ? VR_COUNT_MASK : choice;
		sub->body_bytes = choice % 5;
	} else if (sub->kind == VR_KIND_APPEND) {
		sub->body_bytes = choice * 4;
	}
	session->kind = sub->kind;
	session->waiting = true;
	cluster_step(s->c, slot, &event);
}

/* One of them, once: a majority keeps its memory. */
static void restart(struct script *s)
{
	u8 slot = take_slot(s), handle;

	if (s->restarted)
		return;
	s->restarted = true;
	for (handle = 0; handle < HANDLES; handle++) {
		s->sessions[slot][handle].waiting = false;
		s->sessions[slot][handle].id = 0;
	}
	s->checked[slot] = 0;
	cluster_restart(s->c, slot);
}

static void act(struct script *s)
{
	struct cluster *c = s->c;

	switch (take(s) % 16) {
	case 0 ... 2:
		deliver(s, pick(s), false);
		break;
	case 3:
		deliver(s, pick(s), true);
		break;
	case 4:
		deliver_oldest(s, 1 + take(s) % 16);
		break;
	case 5:
		if (c->last - c->first > 4)
			c->first += 1 + take(s) % 4;
		break;
	case 6:
		c->now_ns += take(s) * VR_NS_PER_MS;
		break;
	case 7 ... 8:
		cluster_timeout(c, take_slot(s));
		break;
	case 9 ... 10:
		submit(s, false);
		break;
	case 11:
		submit(s, true);
		break;
	case 12:
		c->cut[take_slot(s)] ^= take(s) % (1u << REPLICAS);
		break;
	case 13:
		if (take(s) % 4 == 0)
			restart(s);
		break;
	case 14:
		cluster_form(c, take_slot(s), 0, 1 + take(s));
		break;
	case 15:
		forge(s);
		break;
	}
	check(s);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct script script;
	struct script *s = &script;
	u8 options;

	memset(s, 0, sizeof(*s));
	s->at = data;
	s->end = data + size;
	options = take(s);
	s->may_forge = options & 1;
	s->c = options & 2 ? cluster_new(&s->t, REPLICAS) : cluster_formed(&s->t, REPLICAS);
	while (s->at < s->end)
		act(s);
	while (s->t.count)
		free(s->t.blocks[--s->t.count]);
	return 0;
}
