// SPDX-License-Identifier: GPL-2.0
/* See vr_sm.h. */
#include "vr_sm.h"

void vr_sm_reset(struct vr_sm *sm, u64 base)
{
	u32 i;

	sm->base = base;
	sm->counter.value = base;
	sm->counter_count = 0;
	for (i = 0; i < sm->counters_max; i++)
		sm->buckets[i] = U32_MAX;
	vr_ring_reset(&sm->messages, base + 1);
	vr_sessions_reset(&sm->sessions);
}

/* FNV-1a (Fowler, Noll, Vo): names are short. */
static u32 *name_bucket(const struct vr_sm *sm, const u8 *name, u32 name_bytes)
{
	u32 hash = 2166136261u, i;

	for (i = 0; i < name_bytes; i++)
		hash = (hash ^ name[i]) * 16777619u;
	return &sm->buckets[hash % sm->counters_max];
}

static struct vr_counter *counter_find(struct vr_sm *sm, const struct vr_entry *e)
{
	u32 i;

	if (!e->body_bytes)
		return &sm->counter;
	for (i = *name_bucket(sm, e->body, e->body_bytes); i != U32_MAX;
	     i = sm->counters[i].next) {
		struct vr_counter *c = &sm->counters[i];

		if (c->name_bytes == e->body_bytes &&
		    !memcmp(c->name, e->body, e->body_bytes))
			return c;
	}
	return NULL;
}

void vr_sm_restore_counter(struct vr_sm *sm, const u8 *name, u8 name_bytes, u64 value)
{
	struct vr_counter *c = &sm->counters[sm->counter_count];
	u32 *link = name_bucket(sm, name, name_bytes);

	c->value = value;
	c->name_bytes = name_bytes;
	memcpy(c->name, name, name_bytes);
	c->next = *link;
	*link = sm->counter_count++;
}

static void apply_next(struct vr_sm *sm, const struct vr_entry *e,
		       struct vr_result *result)
{
	struct vr_counter *c;

	if (!e->argument || e->body_bytes > VR_NAME_BYTES_MAX) {
		result->error = -EINVAL;
		return;
	}
	c = counter_find(sm, e);
	if (e->argument > VR_COUNT_MASK - ((c ? c->value : sm->base) & VR_COUNT_MASK)) {
		result->error = -EOVERFLOW;
		return;
	}
	if (!c && sm->counter_count == sm->counters_max) {
		result->error = -ENOSPC;
		return;
	}
	if (!c) {
		vr_sm_restore_counter(sm, e->body, e->body_bytes, sm->base);
		c = &sm->counters[sm->counter_count - 1];
	}
	result->first = c->value + 1;
	c->value += e->argument;
	result->last = c->value;
}

void vr_sm_read(struct vr_sm *sm, const struct vr_entry *e, struct vr_result *result)
{
	struct vr_counter *c;

	if (e->body_bytes > VR_NAME_BYTES_MAX) {
		result->error = -EINVAL;
		return;
	}
	c = counter_find(sm, e);
	result->last = c ? c->value : sm->base;
}

static void apply_append(struct vr_sm *sm, const struct vr_entry *e,
			 struct vr_result *result)
{
	result->last = sm->messages.last;
	if (e->argument && e->argument != sm->messages.last + 1) {
		result->error = -EEXIST;
		return;
	}
	while (!vr_ring_fits(&sm->messages, e->body_bytes))
		vr_ring_drop_first(&sm->messages);
	vr_ring_append(&sm->messages, e);
	result->last = sm->messages.last;
}

static void execute(struct vr_sm *sm, const struct vr_entry *e,
		    struct vr_result *result)
{
	switch (e->kind) {
	case VR_KIND_NEXT:
		apply_next(sm, e, result);
		break;
	case VR_KIND_GET:
		vr_sm_read(sm, e, result);
		break;
	case VR_KIND_APPEND:
		apply_append(sm, e, result);
		break;
	case VR_KIND_RESULT:
		/* Not applied until now, and never after. */
		result->error = -ECANCELED;
		break;
	default:
		result->error = -EINVAL;
	}
}

struct vr_session *vr_sm_apply(struct vr_sm *sm, const struct vr_entry *e,
			       struct vr_result *result)
{
	struct vr_session *s;

	memset(result, 0, sizeof(*result));
	result->index = e->op;
	result->view = e->view;

	if (e->kind == VR_KIND_SESSION_BEGIN) {
		s = vr_session_begin(&sm->sessions, e);
		result->index = s->id;
		result->view = s->view;
		return s;
	}
	if (e->kind == VR_KIND_NODE_END) {
		vr_sessions_end_node(&sm->sessions, e->origin, e->argument);
		return NULL;
	}
	s = vr_session_find(&sm->sessions, e->session);
	if (!s) {
		result->error = -ESTALE;
		return NULL;
	}
	if (e->kind == VR_KIND_SESSION_END) {
		vr_session_end(&sm->sessions, s);
		return NULL;
	}
	if (e->request > s->request) {
		execute(sm, e, result);
		s->active_op = e->op;
		vr_session_keep(s, e->request, result);
	} else {
		vr_session_recall(s, e->request, result);	/* once is enough */
	}
	return s;
}
