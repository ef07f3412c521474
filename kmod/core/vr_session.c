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

struct vr_session *vr_session_begin(struct vr_sessions *t, const struct vr_entry *entry)
{
	struct vr_session *free = NULL, *idlest = NULL, *s;
	u32 *link;

	for (s = t->rows; s < t->rows + t->max; s++) {
		if (!s->id) {
			free = free ? free : s;
			continue;
		}
		if (s->nonce == entry->argument && s->number == entry->request &&
		    s->origin == entry->origin)
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
	free->handle = VR_NO_HANDLE;
	link = bucket(t, free->id);
	free->next = *link;
	*link = free - t->rows;
	return free;
}
