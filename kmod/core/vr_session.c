// SPDX-License-Identifier: GPL-2.0
/* See vr_session.h. */
#include "vr_session.h"

static u32 *bucket(const struct vr_sessions *t, u64 id)
{
	/* ids are op numbers: the low bits differ, the high ones are alike */
	return &t->buckets[(u32)id % t->max];
}

void vr_sessions_reset(struct vr_sessions *t)
{
	u32 i;

	for (i = 0; i < t->max; i++) {
		t->rows[i].id = 0;
		t->buckets[i] = VR_NO_ROW;
	}
}

struct vr_session *vr_session_find(const struct vr_sessions *t, u64 id)
{
	u32 i = *bucket(t, id);

	while (i != VR_NO_ROW && t->rows[i].id != id)
		i = t->rows[i].next;
	return i == VR_NO_ROW ? NULL : &t->rows[i];
}

void vr_session_end(struct vr_sessions *t, struct vr_session *session)
{
	u32 *link = bucket(t, session->id);

	while (&t->rows[*link] != session)
		link = &t->rows[*link].next;
	*link = session->next;
	session->id = 0;
}

void vr_sessions_end_node(struct vr_sessions *t, u16 origin, u64 nonce)
{
	struct vr_session *s;

	for (s = t->rows; s < t->rows + t->max; s++) {
		if (s->id && s->origin == origin && s->nonce == nonce)
			vr_session_end(t, s);
	}
}

static bool began(const struct vr_session *s, const struct vr_entry *entry)
{
	return s->nonce == entry->argument && s->number == entry->request &&
	       s->origin == entry->origin;
}

struct vr_session *vr_session_begun(const struct vr_sessions *t, const struct vr_entry *entry)
{
	struct vr_session *s;

	for (s = t->rows; s < t->rows + t->max; s++) {
		if (s->id && began(s, entry))
			return s;
	}
	return NULL;
}

struct vr_session *vr_session_begin(struct vr_sessions *t, const struct vr_entry *entry)
{
	struct vr_session *free = NULL, *idlest = NULL, *s;

	for (s = t->rows; s < t->rows + t->max; s++) {
		if (!s->id) {
			free = free ? free : s;
			continue;
		}
		if (began(s, entry))
			return s;
		if (!idlest || s->active_op < idlest->active_op)
			idlest = s;
	}
	if (!free) {
		vr_session_end(t, idlest);
		free = idlest;
	}

	memset(free, 0, sizeof(*free));
	free->id = entry->op;
	free->nonce = entry->argument;
	free->number = entry->request;
	free->origin = entry->origin;
	free->view = entry->view;
	free->active_op = entry->op;
	vr_session_restore(t, free);
	return free;
}

void vr_session_restore(struct vr_sessions *t, struct vr_session *row)
{
	u32 *link = bucket(t, row->id);

	row->next = *link;
	*link = row - t->rows;
}

void vr_session_keep(struct vr_session *s, u64 request, const struct vr_result *result)
{
	struct vr_answer *answer = &s->answers[s->answer_count++ % VR_WINDOW];

	answer->request = request;
	answer->result = *result;
	s->request = request;
}

void vr_session_recall(const struct vr_session *s, u64 request, struct vr_result *result)
{
	u64 kept = vr_min(s->answer_count, VR_WINDOW), i;
	u64 oldest = 0;

	for (i = 1; i <= kept; i++) {
		const struct vr_answer *answer = &s->answers[(s->answer_count - i) % VR_WINDOW];

		if (answer->request == request) {
			*result = answer->result;
			return;
		}
		oldest = answer->request;
	}
	memset(result, 0, sizeof(*result));
	result->error = kept == VR_WINDOW && request < oldest ? -ESTALE : -ECANCELED;
}
