// SPDX-License-Identifier: GPL-2.0
/*
 * How long the group is without service when its primary dies, in virtual time:
 * the real core, a network that only takes time, a client at a backup that asks
 * for one number after the other. From the crash to the first number given after
 * it, over many seeds. Measures; the simulator in selftests/sim is what tests.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "vr_replica.h"
#include "vr_wire.h"

#define REPLICAS_MAX	VR_REPLICAS_MAX
#define RUNS		100
#define HANDLE		0
#define LINK_DELAY_NS	(50 * 1000ull)
#define FORM_AT_NS	(500 * VR_NS_PER_MS)
#define CRASH_AT_NS	(2000 * VR_NS_PER_MS)
#define GIVE_UP_AT_NS	(60000 * VR_NS_PER_MS)

struct timers {
	u32 heartbeat_ms, view_timeout_ms;
};

/* The defaults; and for a network and machines that are never late by as much. */
static const struct timers each_timers[] = { { 20, 120 }, { 5, 30 } };

struct datagram {
	struct datagram *next;
	u64 at_ns;
	u8 to;
	u32 bytes;
	u8 data[VR_DATAGRAM_BYTES_MAX];
};

struct world {
	u32 count;
	u64 now_ns;
	struct vr_replica *replica[REPLICAS_MAX];
	struct vr_effects *effects[REPLICAS_MAX];
	u64 deadline_ns[REPLICAS_MAX];
	bool dead[REPLICAS_MAX];
	struct datagram *first, **last;
	/* the client, at the last replica, which is a backup in view 0 and 1 */
	u64 session, request;
	bool idle;
	u64 served_ns;	/* first number after the crash */
};

static const struct vr_wire_group group = { .group = 1, .members = 1 };

static u8 client_at(const struct world *w)
{
	return w->count - 1;
}

static void send(struct world *w, u8 from, const struct vr_send *s)
{
	u32 to;

	for (to = 0; to < w->count; to++) {
		struct datagram *d;

		if (!(s->to_mask & 1u << to))
			continue;
		d = malloc(sizeof(*d));
		if (!d)
			abort();
		d->next = NULL;
		d->at_ns = w->now_ns + LINK_DELAY_NS;
		d->to = to;
		d->bytes = vr_wire_encode(d->data, &s->message, to,
					  vr_replica_version_to(w->replica[from], &s->message, to),
					  &group);
		*w->last = d;
		w->last = &d->next;
	}
}

static void served(struct world *w, const struct vr_done *done)
{
	if (done->result.error) {
		fprintf(stderr, "an operation failed: %d\n", done->result.error);
		exit(1);
	}
	if (!w->session)
		w->session = done->result.index;
	else if (w->now_ns > CRASH_AT_NS && !w->served_ns)
		w->served_ns = w->now_ns;
	w->request++;
	w->idle = true;
}

static void step(struct world *w, u8 at, struct vr_event ev)
{
	struct vr_effects *fx = w->effects[at];
	u32 i;

	do {
		ev.now_ns = w->now_ns;
		vr_step(w->replica[at], &ev, fx);
		w->deadline_ns[at] = fx->deadline_ns;
		for (i = 0; i < fx->send_count; i++)
			send(w, at, &fx->sends[i]);
		for (i = 0; i < fx->done_count; i++)
			served(w, &fx->done[i]);
		ev = (struct vr_event) { .type = VR_EVENT_DURABLE,
					 .log_epoch = fx->persist_epoch,
					 .op = fx->persist_op,
					 .promise = fx->persist_promise };
	} while (fx->persist);
}

static void ask(struct world *w)
{
	struct vr_event ev = { .type = VR_EVENT_SUBMIT };

	w->idle = false;
	ev.submit.handle = HANDLE;
	ev.submit.kind = w->session ? VR_KIND_NEXT : VR_KIND_SESSION_BEGIN;
	ev.submit.session = w->session;
	ev.submit.request = w->session ? w->request : 1;
	ev.submit.argument = 1;
	step(w, client_at(w), ev);
}

static void deliver(struct world *w)
{
	struct datagram *d = w->first;
	struct vr_wire_scratch scratch;
	struct vr_event ev = { .type = VR_EVENT_RECEIVE, .message = &scratch.message };

	w->first = d->next;
	if (!w->first)
		w->last = &w->first;
	w->now_ns = d->at_ns;
	if (!w->dead[d->to]) {
		if (vr_wire_decode(&scratch, d->data, d->bytes, &group, &ev.members_differ))
			abort();
		step(w, d->to, ev);
	}
	free(d);
}

/* All that happens up to a time, in order; datagrams before timers. */
static void run_until(struct world *w, u64 end_ns)
{
	for (;;) {
		u64 next_ns = end_ns;
		u32 i, who = w->count;

		for (i = 0; i < w->count; i++) {
			if (!w->dead[i] && w->deadline_ns[i] < next_ns) {
				next_ns = w->deadline_ns[i];
				who = i;
			}
		}
		if (w->idle && w->now_ns >= FORM_AT_NS) {
			ask(w);
		} else if (w->first && w->first->at_ns <= next_ns) {
			deliver(w);
		} else if (who < w->count) {
			w->now_ns = next_ns > w->now_ns ? next_ns : w->now_ns;
			step(w, who, (struct vr_event) { .type = VR_EVENT_TIMEOUT });
		} else {
			w->now_ns = end_ns;
			return;
		}
		if (w->served_ns)
			return;
	}
}

static void create(struct world *w, u32 count, const struct timers *timers, u64 seed)
{
	u32 i;

	*w = (struct world) { .count = count, .now_ns = 1, .last = &w->first };
	for (i = 0; i < count; i++) {
		struct vr_config cfg = {
			.replica_count = count, .self = i,
			.nonce = seed * REPLICAS_MAX + i + 1, .seed = seed * REPLICAS_MAX + i + 1,
			.heartbeat_ns = timers->heartbeat_ms * VR_NS_PER_MS,
			.view_timeout_ns = timers->view_timeout_ms * VR_NS_PER_MS,
			.body_bytes_max = 1024,
			.log_entries = 1 << 16, .log_bytes = 1 << 17,
			.messages = 2, .message_bytes = 2048,
			.sessions_max = 8, .counters_max = 1, .pending_max = 1,
		};

		w->replica[i] = vr_replica_init(calloc(1, vr_replica_size(&cfg)), &cfg);
		w->effects[i] = malloc(sizeof(*w->effects[i]));
		if (!w->replica[i] || !w->effects[i])
			abort();
		step(w, i, (struct vr_event) { .type = VR_EVENT_START });
	}
}

static void destroy(struct world *w)
{
	struct datagram *d;
	u32 i;

	while ((d = w->first)) {
		w->first = d->next;
		free(d);
	}
	for (i = 0; i < w->count; i++) {
		free(w->replica[i]);
		free(w->effects[i]);
	}
}

/* Nanoseconds from the crash of the primary to the next number. */
static u64 gap(u32 count, const struct timers *timers, u64 seed)
{
	struct world w;
	u64 ns;

	create(&w, count, timers, seed);
	run_until(&w, FORM_AT_NS);
	step(&w, 0, (struct vr_event) { .type = VR_EVENT_FORM, .form_id = 1 + seed });
	run_until(&w, FORM_AT_NS + 100 * VR_NS_PER_MS);
	w.idle = true;
	run_until(&w, CRASH_AT_NS);
	w.dead[0] = true;
	run_until(&w, GIVE_UP_AT_NS);
	if (!w.served_ns) {
		fprintf(stderr, "no number after the crash, seed %" PRIu64 "\n", seed);
		exit(1);
	}
	ns = w.served_ns - CRASH_AT_NS;
	destroy(&w);
	return ns;
}

static int compare(const void *a, const void *b)
{
	const u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void gaps_of(u32 count, const struct timers *timers)
{
	u64 gaps[RUNS];
	u32 i;

	for (i = 0; i < RUNS; i++)
		gaps[i] = gap(count, timers, i + 1);
	qsort(gaps, RUNS, sizeof(gaps[0]), compare);
	printf("%8u %9u %12u %6.1f %6.1f %6.1f\n", count, timers->heartbeat_ms,
	       timers->view_timeout_ms, gaps[RUNS / 2] / 1e6, gaps[RUNS - 2] / 1e6,
	       gaps[RUNS - 1] / 1e6);
}

int main(void)
{
	u32 count, i;

	puts("# from the primary's crash to the next number, virtual ms");
	puts("#replicas heartbeat view-timeout   p50    p99    max");
	for (i = 0; i < sizeof(each_timers) / sizeof(*each_timers); i++) {
		for (count = 3; count <= REPLICAS_MAX; count += 2)
			gaps_of(count, &each_timers[i]);
	}
	return 0;
}
