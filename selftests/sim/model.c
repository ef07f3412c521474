// SPDX-License-Identifier: GPL-2.0
/*
 * What the service promises, written a second time and as plainly as possible:
 * arrays, linear search, no limits but the promised ones. Fed with the
 * committed entries it says what each must have given.
 */
#include "sim.h"

void model_init(struct sim_model *model, u64 base, u32 sessions_max, u32 counters_max)
{
	memset(model, 0, sizeof(*model));
	model->base = base;
	model->unnamed = base;
	model->sessions_max = sessions_max;
	model->counters_max = counters_max;
	model->rows = calloc(sessions_max, sizeof(*model->rows));
	model->counters = calloc(counters_max + 1, sizeof(*model->counters));
	if (!model->rows || !model->counters)
		abort();
}

void model_free(struct sim_model *model)
{
	free(model->rows);
	free(model->counters);
	free(model->messages);
}

static struct sim_row *find_row(const struct sim_model *model, u64 session)
{
	u32 i;

	for (i = 0; i < model->row_count; i++) {
		if (model->rows[i].session == session)
			return &model->rows[i];
	}
	return NULL;
}

bool model_has_session(const struct sim_model *model, u64 session)
{
	return find_row(model, session);
}

static void remove_row(struct sim_model *model, struct sim_row *row)
{
	*row = model->rows[--model->row_count];
}

/* A life of a member begins each of its sessions once, however often it asks. */
static void begin(struct sim_model *model, const struct sim_entry *e, u64 op,
		  struct vr_result *result)
{
	struct sim_row *idlest = NULL;
	struct sim_row *row;

	for (row = model->rows; row < model->rows + model->row_count; row++) {
		if (row->nonce == e->argument && row->number == e->request &&
		    row->origin == e->origin) {
			result->index = row->session;
			return;
		}
		if (!idlest || row->active_op < idlest->active_op)
			idlest = row;
	}
	if (model->row_count == model->sessions_max)
		remove_row(model, idlest);
	row = &model->rows[model->row_count++];
	memset(row, 0, sizeof(*row));
	row->session = op;
	row->active_op = op;
	row->nonce = e->argument;
	row->number = e->request;
	row->origin = e->origin;
}

static u64 *find_counter(struct sim_model *model, const struct sim_entry *e)
{
	u32 i;

	if (!e->body_bytes)
		return &model->unnamed;
	for (i = 0; i < model->counter_count; i++) {
		struct sim_counter *c = &model->counters[i];

		if (c->name_bytes == e->body_bytes && !memcmp(c->name, e->body, e->body_bytes))
			return &c->last;
	}
	return NULL;
}

static void next(struct sim_model *model, const struct sim_entry *e, struct vr_result *result)
{
	u64 *last = find_counter(model, e);
	u64 value = last ? *last : model->base;
	struct sim_counter *c;

	if (e->body_bytes > VR_NAME_BYTES_MAX || !e->argument) {
		result->error = -EINVAL;
	} else if (e->argument > model->base + VR_COUNT_MASK - value) {
		result->error = -EOVERFLOW;
	} else if (!last && model->counter_count == model->counters_max) {
		result->error = -ENOSPC;
	} else {
		if (!last) {
			c = &model->counters[model->counter_count++];
			memcpy(c->name, e->body, e->body_bytes);
			c->name_bytes = e->body_bytes;
			last = &c->last;
		}
		result->first = value + 1;
		result->last = value + e->argument;
		*last = result->last;
	}
}

static void append(struct sim_model *model, u64 op, struct vr_result *result)
{
	if (model->message_count == model->message_room) {
		model->message_room = model->message_room ? 2 * model->message_room : 256;
		model->messages = realloc(model->messages,
					  model->message_room * sizeof(*model->messages));
		if (!model->messages)
			abort();
	}
	model->messages[model->message_count++] = op;
	result->last = model->base + model->message_count;
}

static void execute(struct sim_model *model, const struct sim_entry *e, u64 op,
		    struct vr_result *result)
{
	u64 *last;

	switch (e->kind) {
	case VR_KIND_NEXT:
		next(model, e, result);
		break;
	case VR_KIND_GET:
		last = find_counter(model, e);
		result->last = last ? *last : model->base;
		break;
	case VR_KIND_APPEND:
		append(model, op, result);
		break;
	default:
		result->error = -EINVAL;
	}
}

void model_apply(struct sim_model *model, const struct sim_entry *e, u64 op,
		 struct vr_result *result)
{
	struct sim_row *row = find_row(model, e->session);

	memset(result, 0, sizeof(*result));
	result->index = op;
	result->view = e->view;
	if (e->kind == VR_KIND_SESSION_BEGIN) {
		begin(model, e, op, result);
	} else if (!row) {
		result->error = -ESTALE;
	} else if (e->kind == VR_KIND_SESSION_END) {
		remove_row(model, row);
	} else if (e->request > row->request) {
		execute(model, e, op, result);
		row->request = e->request;
		row->active_op = op;
		row->result = *result;
	} else if (e->request == row->request) {
		*result = row->result;
	} else {
		result->error = -ESTALE;
	}
}
