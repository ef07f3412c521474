// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on a group of three, and maybe a client. The input is a script: deliver,
 * lose, duplicate, wait, submit, read, settle, cut, restart, demote, leave, form,
 * begin again; and, if its first byte is odd, lie as a member that has the key can.
 * After every step the invariants of who took it hold, or it has halted and says
 * nothing; no step takes long; and what is sent is what its receiver takes for a
 * message. As long as nobody lies no two replicas commit different entries, nobody
 * halts, and who asks after an answer sees what it was about.
 */
#include <stdio.h>
#include <time.h>

#include "forge.h"

#define REPLICAS 3
#define CLIENT REPLICAS		/* after the replicas, in tables of who asks */
#define PLACES (CLIENT + 1)
#define SESSIONS 2		/* of a replica */
#define THREADS 4		/* of a session */
#define ASKERS (SESSIONS * THREADS)
#define SETTLER ASKERS		/* handles of RESULT, one for each session */
#define READER (SETTLER + SESSIONS)
#define READERS 4
#define HANDLES (READER + READERS)
#define OPS_MAX 4096
#define LETTERS_MAX 300		/* the network loses the oldest beyond */
#define ACT_SECONDS_MAX 2	/* of processor time */

/* ---- the world of vrt.h: what does not hold is a crash to report ------- */

struct vrt {
	void *blocks[4096];
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

/**
 * struct asker - who waits at a handle
 * @floor:	newest op anybody had been answered with when it asked
 * @fresh:	it asked for the first time
 * @unknown:	it was told that it is not known what became of the request
 */
struct asker {
	bool waiting;
	bool fresh;
	bool unknown;
	u8 kind;
	u32 answered;
	u64 request;
	u64 floor;
};

/** struct session - an open file: some threads that share a session */
struct session {
	u64 id;
	u64 request;		/* newest */
	bool over;		/* ended, or known to be no more */
};

struct script {
	struct vrt t;
	struct cluster *c;
	struct input in;
	bool may_forge;
	u32 letters;			/* looked at */
	u8 keeper;			/* never loses its memory */
	bool lost_early;		/* somebody did before it was in the group */
	u64 answered_op;		/* newest anybody was answered with */
	u64 committed[OPS_MAX];		/* hash by op, 0 = not yet */
	u64 checked[REPLICAS];
	u64 begun[PLACES];		/* numbers of SESSION_BEGIN */
	struct session sessions[PLACES][SESSIONS];
	struct asker askers[PLACES][HANDLES];
};

static u8 take_slot(struct script *s)
{
	return take(&s->in) % REPLICAS;
}

/* A replica, or the client if there is one. */
static u8 take_asker(struct script *s)
{
	return take(&s->in) % (REPLICAS + s->c->clients);
}

/* Where the cluster has it. */
static u8 place(u8 asker)
{
	return asker == CLIENT ? CLUSTER_CLIENT : asker;
}

static void check_commits(struct script *s, u8 slot)
{
	const struct vr_info *info = cluster_info(s->c, slot);
	const struct vr_entry *e;
	u64 op = vr_min(s->checked[slot], info->commit);

	VRT_ASSERT(&s->t, info->status != VR_STATUS_HALTED);
	/* What a checkpoint has instead was seen when it was committed. */
	op = vr_max(op + 1, info->op_first);
	for (; op <= info->commit && op < OPS_MAX; op++) {
		e = vr_replica_entry(s->c->replicas[slot], op);
		VRT_ASSERT(&s->t, e);
		VRT_ASSERT(&s->t, !s->committed[op] || s->committed[op] == e->hash);
		s->committed[op] = e->hash;
	}
	s->checked[slot] = info->commit;
}

/* Forget the session as soon as nobody waits for it any more. */
static void check_over(struct script *s, u8 slot, u32 number)
{
	struct session *session = &s->sessions[slot][number];
	struct asker *askers = s->askers[slot];
	bool waiting = askers[SETTLER + number].waiting;
	u32 i;

	for (i = number * THREADS; i < (number + 1) * THREADS; i++)
		waiting |= askers[i].waiting;
	if (!session->over || waiting)
		return;
	memset(session, 0, sizeof(*session));
	/* What it asked is nothing to ask again in the next. */
	for (i = number * THREADS; i < (number + 1) * THREADS; i++) {
		askers[i].unknown = false;
		askers[i].request = 0;
	}
}

/* A session that is no more, evicted or of an earlier generation, ends without an entry. */
static bool ended_before(const struct asker *asker, const struct vr_done *done)
{
	return asker->kind == VR_KIND_SESSION_END && !done->result.index;
}

static void check_answer(struct script *s, u8 slot, u32 handle, const struct vr_done *done)
{
	struct asker *asker = &s->askers[slot][handle];
	u32 number = handle < ASKERS ? handle / THREADS : handle - SETTLER;

	VRT_ASSERT(&s->t, (done->outcome == VR_OUTCOME_APPLIED) == !done->result.error);
	VRT_ASSERT_EQUAL(&s->t, done->request, asker->request);
	/* Asked after another answer, it is of no earlier state. */
	if (!s->may_forge && !done->result.error && asker->fresh &&
	    !ended_before(asker, done))
		VRT_ASSERT(&s->t, handle < READER ? done->result.index > asker->floor :
						    done->result.index >= asker->floor);
	if (!done->result.error)
		s->answered_op = vr_max(s->answered_op, done->result.index);
	if (handle >= READER)
		return;
	asker->unknown = done->outcome == VR_OUTCOME_UNKNOWN;
	if (asker->kind == VR_KIND_SESSION_BEGIN && !done->result.error)
		s->sessions[slot][number].id = done->result.index;
	else if (done->result.error == -ESTALE || asker->kind == VR_KIND_SESSION_END)
		s->sessions[slot][number].over = true;
}

static void check_answers(struct script *s, u8 slot)
{
	u32 handle;

	for (handle = 0; handle < HANDLES; handle++) {
		const struct answer *a = &s->c->answers[place(slot)][handle];
		struct asker *asker = &s->askers[slot][handle];

		if (a->count == asker->answered)
			continue;
		/* One answer to one question. */
		VRT_ASSERT(&s->t, asker->waiting && a->count == asker->answered + 1);
		asker->answered = a->count;
		asker->waiting = false;
		check_answer(s, slot, handle, &a->done);
	}
	for (handle = 0; handle < SESSIONS; handle++)
		check_over(s, slot, handle);
}

/* Whatever it was told, nobody says what its receiver drops for its form. */
static void check_letters(struct script *s)
{
	struct cluster *c = s->c;

	for (; s->letters != c->last; s->letters++) {
		const struct letter *l = &c->letters[s->letters % CLUSTER_LETTERS];
		const struct vr_message *m = cluster_open(c, l);
		enum vr_drop drop = vr_message_invalid(m, REPLICAS);

		if (drop)
			fprintf(stderr, "%s from %u to %u\n", vr_type_name(m->type),
				m->from, m->to);
		VRT_ASSERT_EQUAL(&s->t, drop, VR_DROP_NONE);
	}
}

static void check(struct script *s)
{
	struct cluster *c = s->c;
	u8 slot;

	check_letters(s);
	for (slot = 0; slot < REPLICAS + c->clients; slot++) {
		if (!s->may_forge && slot < REPLICAS)
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
	l = &c->letters[(c->first + take(&s->in) % count) % CLUSTER_LETTERS];
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

/* One that was said, a little changed. */
static void change(struct script *s)
{
	struct letter *l = pick(s), forged;
	struct input *in = &s->in;
	u32 count = 1 + take(in) % 3;
	u8 *at;

	if (!l)
		return;
	forged = *l;
	while (count--) {
		u8 how = take(in);

		at = forged.data + 8 * (take(in) % (forged.bytes / 8));
		if (how < 64)
			vr_put64(at, vr_get64(at) + take(in) - 128);
		else if (how < 128)
			vr_put64(at, take(in));
		else if (how < 160)
			vr_put64(at, (u64)take(in) << 56 | take(in));
		else if (how < 192)
			at[how % 8] = take(in);
		else if (how < 224)
			forged.data[6 + how % 2] = take_slot(s);
		else
			forged.data[5] = 1 + take(in) % (VR_TYPE_COUNT - 1);
	}
	if (forged.data[7] < REPLICAS)
		forged.to = forged.data[7];
	cluster_deliver(s->c, &forged);
}

static void forge(struct script *s)
{
	if (!s->may_forge)
		return;
	switch (take(&s->in) % 4) {
	case 0:
		change(s);
		break;
	case 1:
		forge_checkpoint(s->c, &s->in);
		break;
	default:
		forge_message(s->c, &s->in);
	}
}

static void ask(struct script *s, u8 slot, struct vr_submit *submit)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT, .submit = *submit };
	struct asker *asker = &s->askers[slot][submit->handle];

	asker->waiting = true;
	asker->fresh = !submit->again;
	asker->kind = submit->kind;
	asker->request = submit->request;
	asker->floor = s->answered_op;
	cluster_step(s->c, place(slot), &event);
}

static bool any_waits(struct script *s, u8 slot, u32 number)
{
	bool waits = s->askers[slot][SETTLER + number].waiting;
	u32 i;

	for (i = number * THREADS; i < (number + 1) * THREADS; i++)
		waits |= s->askers[slot][i].waiting;
	return waits;
}

/* None is VR_WINDOW or more requests after one whose outcome is not known. */
static bool has_window(struct script *s, u8 slot, u32 number)
{
	u64 oldest = s->sessions[slot][number].request + 1;
	u32 i;

	for (i = number * THREADS; i < (number + 1) * THREADS; i++) {
		const struct asker *asker = &s->askers[slot][i];

		if (asker->waiting || asker->unknown)
			oldest = vr_min(oldest, asker->request);
	}
	return s->sessions[slot][number].request + 1 < oldest + VR_WINDOW;
}

/* Its end takes back what else is under way in the session. */
static void end_session(struct script *s, u8 slot, u32 number)
{
	struct vr_submit sub = { .handle = number * THREADS, .kind = VR_KIND_SESSION_END };
	struct session *session = &s->sessions[slot][number];
	u32 i;

	for (i = number * THREADS; i < (number + 1) * THREADS; i++)
		s->askers[slot][i].waiting = false;
	s->askers[slot][SETTLER + number].waiting = false;
	sub.session = session->id;
	sub.request = ++session->request;
	ask(s, slot, &sub);
	/* Nothing is asked of it any more, whatever is said. */
	session->over = true;
	check_answers(s, slot);
}

static void submit(struct script *s, bool again)
{
	u8 slot = take_asker(s), handle = take(&s->in) % ASKERS, choice = take(&s->in);
	u32 number = handle / THREADS;
	struct session *session = &s->sessions[slot][number];
	struct asker *asker = &s->askers[slot][handle];
	static const u8 body[VR_BODY_BYTES_MAX];
	struct vr_submit sub = { .handle = handle, .session = session->id, .body = body };

	if (session->over)
		return;
	if (!session->id) {
		if (any_waits(s, slot, number))
			return;
		again = again && asker->unknown;
		sub.kind = VR_KIND_SESSION_BEGIN;
		sub.request = again ? asker->request : ++s->begun[slot];
		sub.again = again;
		ask(s, slot, &sub);
		return;
	}
	if (choice % 16 == 0) {
		end_session(s, slot, number);
		return;
	}
	/* What it does not know it asks again, as it was. */
	again = asker->kind != VR_KIND_SESSION_BEGIN && asker->request &&
		(again || asker->unknown);
	if (asker->waiting || (!again && !has_window(s, slot, number)))
		return;
	sub.kind = again ? asker->kind : choice % 3 ? VR_KIND_NEXT : VR_KIND_APPEND;
	sub.request = again ? asker->request : ++session->request;
	sub.again = again;
	if (sub.kind == VR_KIND_NEXT) {
		sub.argument = choice == 255 ? VR_COUNT_MASK : choice;
		sub.body_bytes = choice % 5;
	} else {
		sub.body_bytes = choice * 4;
	}
	ask(s, slot, &sub);
}

/* What became of a request of a thread, whether it is under way or not? */
static void settle(struct script *s)
{
	u8 slot = take_asker(s), handle = take(&s->in) % ASKERS;
	u32 number = handle / THREADS;
	const struct asker *asker = &s->askers[slot][handle];
	struct vr_submit sub = {
		.handle = SETTLER + number,
		.kind = VR_KIND_RESULT,
		.session = s->sessions[slot][number].id,
		.request = asker->request,
		.again = true,
	};

	if (!sub.session || s->sessions[slot][number].over || !asker->request ||
	    asker->kind == VR_KIND_SESSION_BEGIN || s->askers[slot][sub.handle].waiting)
		return;
	ask(s, slot, &sub);
}

static void read_counter(struct script *s)
{
	u8 slot = take_asker(s), choice = take(&s->in);
	struct vr_submit sub = {
		.handle = READER + choice % READERS,
		.kind = VR_KIND_GET,
		.read = choice & 0x40 ? VR_READ_LEASE : VR_READ_INDEX,
	};

	if (choice & 0x80)
		sub.read = VR_READ_LOCAL;
	if (s->askers[slot][sub.handle].waiting)
		return;
	/* Of what is merely here nothing can be said. */
	sub.again = sub.read == VR_READ_LOCAL;
	ask(s, slot, &sub);
}

/*
 * Any member but one may lose its memory, any time; but only one before that one
 * knows the group: else nobody may remember a group that has worked already.
 */
static bool may_lose_memory(struct script *s, u8 slot)
{
	if (slot == CLIENT)
		return true;
	if (slot == s->keeper)
		return false;
	if (cluster_info(s->c, s->keeper)->instance)
		return true;
	if (s->lost_early)
		return false;
	s->lost_early = true;
	return true;
}

static void restart(struct script *s)
{
	u8 slot = take_asker(s);
	u32 i;

	if (!may_lose_memory(s, slot))
		return;
	memset(s->sessions[slot], 0, sizeof(s->sessions[slot]));
	for (i = 0; i < HANDLES; i++) {
		s->askers[slot][i].waiting = false;
		s->askers[slot][i].unknown = false;
		s->askers[slot][i].request = 0;
	}
	if (slot != CLIENT)
		s->checked[slot] = 0;
	cluster_restart(s->c, place(slot));
}

static void demote(struct script *s)
{
	u8 slot = take_slot(s);

	if (may_lose_memory(s, slot))
		cluster_demote(s->c, slot);
}

/* What only a client is told, and what a voter is told about one. */
static void tell_client(struct script *s)
{
	struct vr_event event = { .type = VR_EVENT_SUBSCRIBE };

	if (!s->c->clients)
		return;
	if (take(&s->in) % 4) {
		cluster_step(s->c, CLUSTER_CLIENT, &event);
		return;
	}
	event.type = VR_EVENT_CLIENT_GONE;
	event.client = CLUSTER_CLIENT;
	cluster_step(s->c, take_slot(s), &event);
}

/* Writes of records that fail, or take their time. */
static void trouble_record(struct script *s)
{
	u8 slot = take_slot(s), what = take(&s->in);

	s->c->record_error[slot] = what % 8 ? 0 : -EIO;
	s->c->slow_record[slot] = what & 0x80;
	cluster_record(s->c, slot);
}

static void act(struct script *s)
{
	struct cluster *c = s->c;
	u8 slot;

	switch (take(&s->in) % 25) {
	case 0 ... 2:
		deliver(s, pick(s), false);
		break;
	case 3:
		deliver(s, pick(s), true);
		break;
	case 4:
		deliver_oldest(s, 1 + take(&s->in) % 16);
		break;
	case 5:
		if (c->last - c->first > 4)
			c->first += 1 + take(&s->in) % 4;
		break;
	case 6:
		c->now_ns += take(&s->in) * VR_NS_PER_MS;
		break;
	case 7 ... 8:
		cluster_timeout(c, place(take_asker(s)));
		break;
	case 9 ... 10:
		submit(s, false);
		break;
	case 11:
		submit(s, true);
		break;
	case 12:
		slot = place(take_asker(s));
		c->cut[slot] ^= take(&s->in) % (1u << REPLICAS);
		c->cut[slot] ^= (take(&s->in) & 1) << CLUSTER_CLIENT;
		break;
	case 13:
		if (take(&s->in) % 8 == 0)
			restart(s);
		break;
	case 14:
		cluster_form(c, take_slot(s), 0, 1 + take(&s->in));
		break;
	case 15:
		forge(s);
		break;
	case 16:
		if (take(&s->in) % 8 == 0)
			demote(s);
		break;
	case 17:
		if (take(&s->in) % 4 == 0)
			cluster_leave(c, take_slot(s));
		break;
	case 18 ... 19:
		read_counter(s);
		break;
	case 20:
		settle(s);
		break;
	case 21:
		c->slow_disk = take(&s->in) % 4 == 0;
		slot = take_slot(s);
		if (c->persist[slot])
			cluster_disk(c, slot);
		break;
	case 22:
		tell_client(s);
		break;
	case 23:
		trouble_record(s);
		break;
	case 24:
		if (take(&s->in) % 4 == 0)
			cluster_reform(c, take_slot(s));
		break;
	}
	check(s);
}

#define WORLD_FORMED	0x01
#define WORLD_DURABLE	0x02
#define WORLD_JOURNAL	0x04
#define WORLD_RECORD	0x08
#define WORLD_CLIENT	0x10

static u8 world;

static void tune(struct vr_config *cfg)
{
	cfg->memory_is_durable = world & WORLD_DURABLE;
	cfg->journal = world & WORLD_JOURNAL && !cfg->memory_is_durable;
	cfg->keeps_record = world & WORLD_RECORD;
	cfg->lease_ns = cfg->memory_is_durable ? CLUSTER_TIMEOUT_NS / 2 : 0;
	if (world & WORLD_CLIENT) {
		cfg->clients_max = 2;
		cfg->node_lease_ns = 40 * CLUSTER_TIMEOUT_NS;
	}
}

static void act_in_time(struct script *s)
{
	clock_t begun = clock();

	act(s);
	VRT_ASSERT(&s->t, clock() - begun < ACT_SECONDS_MAX * CLOCKS_PER_SEC);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct script script;
	struct script *s = &script;
	u8 options;

	memset(s, 0, sizeof(*s));
	s->in.data = data;
	s->in.size = size;
	options = take(&s->in);
	world = take(&s->in);
	s->may_forge = options & 1;
	s->keeper = (options >> 4) % REPLICAS;
	s->c = cluster_begun(&s->t, REPLICAS, world & WORLD_FORMED, tune);
	if (world & WORLD_CLIENT)
		cluster_client(s->c);
	s->letters = s->c->first;
	check(s);
	while (s->in.size)
		act_in_time(s);
	while (s->t.count)
		free(s->t.blocks[--s->t.count]);
	return 0;
}
