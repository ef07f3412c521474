// SPDX-License-Identifier: GPL-2.0
/*
 * The core, one step at a time: from an image by an action to another image,
 * what was sent and what was shown. Each such step is made once and remembered.
 */
#include <stdio.h>
#include <stdlib.h>

#include "explore.h"
#include "vr_replica_private.h"
#include "vr_wire.h"

#define SENDS_MAX	512	/* of one action */

static const struct vr_wire_group group = { .group = 1, .members = 1 };

static struct vr_replica *replicas[VR_REPLICAS_MAX];
static u8 *memories[VR_REPLICAS_MAX];
static struct vr_config configs[VR_REPLICAS_MAX];
static size_t size;
static u32 start_images[VR_REPLICAS_MAX];

static struct intern messages;
static struct intern outcomes;
static struct map steps;
static struct face *faces;
static u32 face_max;
static u32 step_count;

static struct vr_effects fx;
static struct vr_wire_scratch scratch;

/* of the action under way */
static u32 sent[VR_REPLICAS_MAX][SENDS_MAX];
static u32 sent_count[VR_REPLICAS_MAX];
static u32 done_facts;
static bool answers_phase_1;

static u64 life_nonce(u32 slot, u32 life)
{
	return 0x100 + 0x10 * life + slot;
}

/*
 * Time stands still, so whatever tells one time from another says nothing. And
 * of an answer to RECOVERY is left what its receiver looks at: of one to who
 * does not know its incarnation yet the vector, of a backup's not its log.
 */
static void without_idle(struct vr_message *m)
{
	if (m->type == VR_PREPARE_OK)
		m->heartbeat_ns = 0;
	else if (m->type == VR_COMMIT || m->type == VR_PREPARE)
		m->heartbeat_ns = EXPLORE_NOW_NS;
	if (m->type != VR_RECOVERY_RESPONSE)
		return;
	if (answers_phase_1) {
		/* A view in which the sender need not tell its log. */
		m->view = m->from + 1;
		m->hash_count = 0;
	}
	if (!m->hash_count) {
		m->op = 0;
		m->commit = 0;
	}
}

static void keep_sends(u32 slot)
{
	u8 buffer[VR_DATAGRAM_BYTES_MAX];
	u32 i, to, bytes;

	for (i = 0; i < fx.send_count; i++) {
		struct vr_message *m = &fx.sends[i].message;

		if (m->type == VR_PING || m->type == VR_PONG)
			continue;
		without_idle(m);
		for (to = 0; to < bounds.replicas; to++) {
			if (to == slot || !(fx.sends[i].to_mask & (1u << to)))
				continue;
			bytes = vr_wire_encode(buffer, m, to,
					       vr_replica_version_to(replicas[slot], m, to),
					       &group);
			if (sent_count[to] == SENDS_MAX)
				abort();
			sent[to][sent_count[to]++] = intern(&messages, buffer, bytes);
		}
	}
}

static void step(u32 slot, struct vr_event *event)
{
	struct vr_replica *r = replicas[slot];

	if (!event->now_ns)
		event->now_ns = EXPLORE_NOW_NS;
	vr_step(r, event, &fx);
	step_count++;
	keep_sends(slot);
	done_facts = set_union(done_facts, check_done(slot, r, &fx));
}

static void fire(u32 slot, enum vr_timer timer)
{
	struct vr_event event = { .type = VR_EVENT_TIMEOUT };

	vr_timers_put(&replicas[slot]->timers, timer, EXPLORE_NOW_NS);
	if (timer == VR_TIMER_ABDICATE)
		replicas[slot]->quorum_ns = 0;
	step(slot, &event);
}

/* The timer by which a replica comes to want another view. */
static enum vr_timer impatience(const struct vr_replica *r)
{
	if (r->status == VR_STATUS_VIEW_CHANGE)
		return VR_TIMER_GIVE_UP;
	return vr_is_primary(r) ? VR_TIMER_ABDICATE : VR_TIMER_SILENCE;
}

static const struct vr_message *open_message(u32 message, struct vr_wire_scratch *room)
{
	u32 bytes;
	const u8 *datagram = interned(&messages, message, &bytes);
	bool differ;

	if (vr_wire_decode(room, datagram, bytes, &group, &differ))
		abort();
	return &room->message;
}

/*
 * An opinion (R6) is of no use but together with others, can be had at any time
 * from whoever is in the view, and is forgotten with the view. So nobody keeps
 * one: who is told of another's has one of its own at once.
 */
static void deliver(u32 slot, u32 message)
{
	const struct vr_replica *r = replicas[slot];
	struct vr_event event = { .type = VR_EVENT_RECEIVE };

	event.message = open_message(message, &scratch);
	answers_phase_1 = event.message->type == VR_RECOVERY && !event.message->incarnation;
	if (event.message->type == VR_EXIT_VIEW && event.message->view == r->view &&
	    (r->status == VR_STATUS_NORMAL || r->status == VR_STATUS_VIEW_CHANGE))
		fire(slot, impatience(r));
	step(slot, &event);
}

static void submit(u32 slot, u32 number)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT };

	event.submit.handle = number;
	event.submit.kind = VR_KIND_NEXT;
	event.submit.session = slot + 1;
	event.submit.request = number + 1;
	event.submit.argument = 1;
	step(slot, &event);
}

/*
 * A member that starts blank hears of its group from whoever is there, and of
 * which forming it is. Until then it does nothing but ask, so that this is
 * part of its restart.
 */
static void hear_of_group(u32 slot)
{
	struct vr_replica *r = replicas[slot];
	struct vr_event event = { .type = VR_EVENT_RECEIVE };
	struct vr_message *m = &scratch.message;
	u32 i;

	memset(m, 0, sizeof(*m));
	m->type = VR_PING;
	m->from = (slot + 1) % bounds.replicas;
	m->to = slot;
	m->status = VR_STATUS_NORMAL;
	event.message = m;
	step(slot, &event);

	memset(sent_count, 0, sizeof(sent_count));
	m->type = VR_RECOVERY_RESPONSE;
	m->instance = 1;
	m->incarnation = 1;
	m->view = m->from + 1;
	m->nonces[0] = r->recovery.nonce;
	m->nonces[1] = r->recovery.attempt;
	for (i = 0; i < bounds.replicas; i++)
		m->vector[i] = 1;
	step(slot, &event);
}

static void boot(u32 slot, u32 life)
{
	struct vr_event event = { .type = VR_EVENT_START };

	memset(memories[slot], 0, size);
	configs[slot].nonce = life_nonce(slot, life);
	replicas[slot] = vr_replica_init(memories[slot], &configs[slot]);
	step(slot, &event);
	if (life)
		hear_of_group(slot);
}

/* Of a journal that was asked for later entries, too, or is a bit behind. */
static void make_durable(u32 slot, u64 op)
{
	struct vr_event event = {
		.type = VR_EVENT_DURABLE,
		.log_epoch = replicas[slot]->log_epoch,
		.op = op,
	};

	step(slot, &event);
}

static void act(u32 slot, u32 action)
{
	u32 about = action_about(action);

	switch (action_type(action)) {
	case ACTION_DELIVER:
		deliver(slot, about);
		break;
	case ACTION_TIMER:
		fire(slot, about);
		break;
	case ACTION_SUBMIT:
		submit(slot, about);
		break;
	case ACTION_RETRY:
		replicas[slot]->recovery.ask_count = U32_MAX - 1;
		fire(slot, VR_TIMER_RECOVERY);
		break;
	case ACTION_DURABLE:
		make_durable(slot, about);
		break;
	case ACTION_CRASH:
		boot(slot, about);
		break;
	}
}

static void note_face(u32 image, u32 slot)
{
	const struct vr_replica *r = replicas[slot];
	struct face *face;
	u32 i;

	while (image >= face_max)
		faces = grow(faces, &face_max, sizeof(*faces));
	face = &faces[image];
	face->slot = slot;
	face->status = r->status;
	face->leads = r->status == VR_STATUS_NORMAL && vr_is_primary(r);
	face->timers = image_timers(r);
	face->view = r->view;
	face->last_normal_view = r->last_normal_view;
	face->op = r->log.ring.last;
	face->commit = r->commit;
	face->durable = r->op_durable;
	memcpy(face->vector, r->vector, sizeof(face->vector));
	face->question[0] = vr_is_recovering(r) ? r->recovery.nonce : 0;
	face->question[1] = vr_is_recovering(r) ? r->recovery.attempt : 0;
	face->voted = 0;
	for (i = 0; i < bounds.replicas; i++)
		face->voted |= r->votes[i].valid << i;
}

const struct face *world_face(u32 image)
{
	return &faces[image];
}

static bool has_memory(u8 status)
{
	return status == VR_STATUS_NORMAL || status == VR_STATUS_VIEW_CHANGE;
}

const struct outcome *world_step(u32 image, u32 action)
{
	u32 slot = faces[image].slot, number = map_get(&steps, map_key(image, action)), to;
	struct face before = faces[image];
	struct outcome outcome;

	if (number)
		return interned(&outcomes, number, NULL);

	memset(&outcome, 0, sizeof(outcome));
	memset(sent_count, 0, sizeof(sent_count));
	done_facts = 0;
	image_load(image);
	act(slot, action);
	outcome.broken = check_broken(replicas[slot]);
	if (!outcome.broken && has_memory(before.status) && vr_is_recovering(replicas[slot]) &&
	    action_type(action) != ACTION_CRASH)
		outcome.broken = check_say("a replica gives up its memory without a crash");
	outcome.facts = set_union(done_facts, check_step(&before, replicas[slot]));
	for (to = 0; to < bounds.replicas; to++)
		outcome.sends[to] = set_of(sent[to], sent_count[to]);
	if (replicas[slot]->view <= bounds.views) {
		outcome.image = image_save(slot);
		note_face(outcome.image, slot);
	}
	number = intern(&outcomes, &outcome, sizeof(outcome));
	map_put(&steps, map_key(image, action), number);
	return interned(&outcomes, number, NULL);
}

/* Hash of entry @op in the log of @image; false if it has none. */
bool world_hash(u32 image, u64 op, u64 *hash)
{
	image_load(image);
	return vr_log_hash(&replicas[faces[image].slot]->log, op, hash);
}

const struct vr_message *world_message(u32 message)
{
	static struct vr_wire_scratch room;

	return open_message(message, &room);
}

u32 world_image(u32 slot)
{
	return start_images[slot];
}

void world_counts(u32 *images, u32 *message_count, u32 *steps_made)
{
	*images = image_count();
	*message_count = messages.count;
	*steps_made = step_count;
}

static void configure(u32 slot)
{
	struct vr_config *cfg = &configs[slot];

	cfg->replica_count = bounds.replicas;
	cfg->self = slot;
	cfg->seed = 1;
	cfg->nonce = life_nonce(slot, 0);
	cfg->heartbeat_ns = 10 * VR_NS_PER_MS;
	cfg->view_timeout_ns = 60 * VR_NS_PER_MS;
	cfg->memory_is_durable = !bounds.journal;
	cfg->log_entries = VR_ENTRIES_MIN;
	cfg->body_bytes_max = VR_BODY_BYTES_MAX;
	cfg->log_bytes = 2 * VR_PIPELINE_MAX * VR_BODY_BYTES_MAX;
	cfg->messages = 2;
	cfg->message_bytes = 2 * VR_BODY_BYTES_MAX;
	cfg->sessions_max = bounds.replicas;
	cfg->counters_max = 1;
	cfg->pending_max = bounds.ops ? bounds.ops : 1;
	if (vr_config_invalid(cfg)) {
		fprintf(stderr, "explore: %s\n", vr_config_invalid(cfg));
		exit(2);
	}
}

/* All that was sent so far arrives, in order, until nobody says anything more. */
static void settle(void)
{
	static u32 next[VR_REPLICAS_MAX];
	u32 to;
	bool any = true;

	while (any) {
		any = false;
		for (to = 0; to < bounds.replicas; to++) {
			if (next[to] == sent_count[to])
				continue;
			deliver(to, sent[to][next[to]++]);
			any = true;
		}
	}
}

/* Member s has session s + 1. */
static void begin_sessions(void)
{
	struct vr_event event = { .type = VR_EVENT_SUBMIT };
	u32 slot, to;

	event.submit.kind = VR_KIND_SESSION_BEGIN;
	event.submit.request = 1;
	for (slot = 0; slot < bounds.replicas; slot++) {
		step(slot, &event);
		settle();
		fire(0, VR_TIMER_HEARTBEAT);
		settle();
		for (to = 0; bounds.journal && to < bounds.replicas; to++)
			make_durable(to, slot + 1);
		settle();
		fire(0, VR_TIMER_HEARTBEAT);
		settle();
	}
}

/* A group that was formed and has sessions; what made it so is forgotten. */
void world_begin(void)
{
	struct vr_event form = { .type = VR_EVENT_FORM, .form_id = 1 };
	u32 slot;

	for (slot = 0; slot < bounds.replicas; slot++) {
		configure(slot);
		size = vr_replica_size(&configs[slot]);
		memories[slot] = calloc(1, size);
		if (!memories[slot])
			abort();
		boot(slot, 0);
	}
	step(0, &form);
	settle();
	begin_sessions();
	for (slot = 0; slot < bounds.replicas; slot++) {
		if (replicas[slot]->status != VR_STATUS_NORMAL ||
		    replicas[slot]->commit != bounds.replicas) {
			fprintf(stderr, "explore: the group is not formed\n");
			exit(2);
		}
		image_begin(slot, memories[slot], size);
		start_images[slot] = image_save(slot);
		note_face(start_images[slot], slot);
	}
}
