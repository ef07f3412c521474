// SPDX-License-Identifier: GPL-2.0
/*
 * Messages that can do nothing any more. States that differ in nothing else are
 * one; which messages those are is said here, and at the end of a search each is
 * tried at each image of its addressee (idle_wrong()), so that a core to which
 * one of them does matter is found out.
 *
 * Forever idle: an answer to a question that is not asked any more, unless it is
 * the answer of a later life than the first, and what asked it without knowing
 * its incarnation, as no question has the name of another (D10).
 *
 * Idle while the addressee keeps its memory, and so when the bound of crashes is
 * reached: what is of an earlier life or an earlier view than it knows, and what
 * its log, its commit number or its votes in this view have already, if it
 * tells of no newer life. View, log of a view, commit number, vector and status
 * within a view only grow. What an idle message still has somebody say has been
 * said before it is dropped (search.c); START_VIEW for a straggler is asked for
 * by its EXIT_VIEW, which is never idle.
 */
#include "explore.h"
#include "vr_log.h"

/** struct horizon - what decides which messages to a replica are idle */
struct horizon {
	u64 view;
	u64 commit;
	u64 vector[VR_REPLICAS_MAX];
	u64 question[2];
	u8 slot;
	u8 status;
	u8 voted;
	bool leads;
	bool remembers;
};

static struct intern horizons;
static struct intern keys;
static struct map kept;

/* @remembers: no member can lose its memory any more. */
u32 idle_horizon(u32 image, bool remembers)
{
	const struct face *face = world_face(image);
	struct horizon h;
	u32 i;

	memset(&h, 0, sizeof(h));
	h.slot = face->slot;
	h.remembers = remembers;
	memcpy(h.question, face->question, sizeof(h.question));
	for (i = 0; i < VR_REPLICAS_MAX && remembers; i++)
		h.vector[i] = face->vector[i];
	if (remembers) {
		h.view = face->view;
		h.commit = face->commit;
		h.status = face->status;
		h.voted = face->voted;
		h.leads = face->leads;
	}
	return intern(&horizons, &h, sizeof(h));
}

static bool has_memory(u8 status)
{
	return status == VR_STATUS_NORMAL || status == VR_STATUS_VIEW_CHANGE;
}

static bool tells_of_lives(const struct vr_message *m, const struct horizon *h)
{
	u32 i;

	if (m->incarnation > h->vector[m->from])
		return true;
	if (m->type != VR_DO_VIEW_CHANGE && m->type != VR_START_VIEW && m->type != VR_RECOVERY)
		return false;
	for (i = 0; i < bounds.replicas; i++) {
		if (m->vector[i] > h->vector[i])
			return true;
	}
	return false;
}

static bool idle_in_view(const struct vr_message *m, const struct horizon *h)
{
	bool normal = h->status == VR_STATUS_NORMAL;

	switch (m->type) {
	case VR_PREPARE:
	case VR_NEW_STATE:
		return normal && m->op + m->entry_count <= h->commit && m->commit <= h->commit;
	case VR_PREPARE_OK:
		return normal && m->op <= h->commit;
	case VR_COMMIT:
		return normal && m->commit <= h->commit;
	case VR_START_VIEW:
		return normal;
	case VR_DO_VIEW_CHANGE:
		return m->view % bounds.replicas != h->slot || h->voted & (1u << m->from);
	default:
		return false;
	}
}

static bool is_idle(const struct vr_message *m, const struct horizon *h, bool asked)
{
	bool new_life = m->incarnation > 1 && m->incarnation > h->vector[m->from];

	if (bounds.keep_answers &&
	    (m->type == VR_RECOVERY_RESPONSE || m->type == VR_RECOVERY))
		return false;
	if (m->type == VR_RECOVERY_RESPONSE)
		return !new_life && (m->nonces[0] != h->question[0] ||
				     m->nonces[1] != h->question[1]);
	if (m->type == VR_RECOVERY && !m->incarnation)
		return !asked;
	if (!h->remembers || !has_memory(h->status))
		return false;
	if (m->incarnation && m->incarnation < h->vector[m->from])
		return true;
	if (m->type == VR_EXIT_VIEW || m->type == VR_REQUEST || tells_of_lives(m, h))
		return false;
	if (m->type == VR_RECOVERY)
		return !asked;
	return m->view < h->view || (m->view == h->view && idle_in_view(m, h));
}

/* Of @messages, from a slot that asks @question, those not idle at @horizon. */
u32 idle_drop(u32 messages, u32 horizon, const u64 *question)
{
	static u32 members[65536];
	u32 count, i, left = 0, key;
	struct {
		u64 question[2];
		u32 horizon;
		u32 unused;
	} both = { .question = { question[0], question[1] }, .horizon = horizon };
	const struct horizon *h = interned(&horizons, horizon, NULL);
	const u32 *all;
	u32 number;

	if (!messages)
		return 0;
	key = intern(&keys, &both, sizeof(both));
	number = map_get(&kept, map_key(key, messages));
	if (number)
		return number - 1;
	all = set_members(messages, &count);
	for (i = 0; i < count; i++) {
		const struct vr_message *m = world_message(all[i]);
		bool asked = m->nonces[0] == question[0] && m->nonces[1] == question[1];

		if (!is_idle(m, h, asked))
			members[left++] = all[i];
	}
	number = set_of(members, left);
	map_put(&kept, map_key(key, messages), number + 1);
	return number;
}

/*
 * Of messages that no run brings to this image, as they are of another log of the
 * same view, nothing is to be learnt.
 */
static bool other_run(u32 image, const struct vr_message *m)
{
	u64 hash, op = m->op;
	u32 i;

	if (m->type == VR_START_VIEW) {
		for (i = 0; i < m->hash_count; i++) {
			if (world_hash(image, m->commit + i, &hash) && hash != m->hashes[i])
				return true;
		}
	}
	if (m->type != VR_PREPARE && m->type != VR_NEW_STATE)
		return false;
	if (world_hash(image, op, &hash) && hash != m->hash)
		return true;
	for (i = 0; i < m->entry_count; i++) {
		u64 next = vr_entry_hash(m->entries[i], hash);

		if (!world_hash(image, ++op, &hash) || hash != next)
			return true;
	}
	return false;
}

static bool does_nothing(u32 image, u32 message)
{
	u32 slot = world_face(image)->slot;
	const struct outcome *o = world_step(image, action_make(ACTION_DELIVER, slot, message));

	return o->image == image && !o->facts && !o->broken;
}

/* Try @every nth image with all that is idle there; returns a message that is not, or 0. */
u32 idle_wrong(u32 every, u64 *tried)
{
	u32 images, messages, steps, image, message, last;

	world_counts(&images, &messages, &steps);
	last = images;
	for (image = 1; image <= last; image += every) {
		u32 horizon = idle_horizon(image, true);
		const struct horizon *h = interned(&horizons, horizon, NULL);

		for (message = 1; message <= messages; message++) {
			const struct vr_message *m = world_message(message);

			if (m->to != h->slot || !is_idle(m, h, false) || other_run(image, m))
				continue;
			(*tried)++;
			if (!does_nothing(image, message))
				return message;
		}
	}
	return 0;
}
