// SPDX-License-Identifier: GPL-2.0
/*
 * What the service promises, written a second time and as plainly as possible:
 * arrays, linear search, no limits but the promised ones. Fed with the
 * committed entries it says what each must have given, and what a counter was
 * after any of them.
 */
#include "sim.h"

void model_init(struct sim_model *model, u64 base, u32 sessions_max, u32 counters_max)
{
	memset(model, 0, sizeof(*model));
	model->base = base;
	model->sessions_max = sessions_max;
	model->counters_max = counters_max + 1;
	model->rows = sim_allocate(sessions_max * sizeof(*model->rows));
	model->counters = sim_allocate(model->counters_max * sizeof(*model->counters));
	model->counters[0].last = base;
	model->counter_count = 1;
}

void model_free(struct sim_model *model)
{
	while (model->row_count)
		free(model->rows[--model->row_count].kept);
	while (model->counter_count)
		free(model->counters[--model->counter_count].values);
	free(model->rows);
	free(model->counters);
	free(model->messages);
}

/* --- sessions --- */

struct sim_row *model_row(const struct sim_model *model, u64 session)
{
	u32 i;

	for (i = 0; i < model->row_count; i++) {
		if (model->rows[i].session == session)
			return &model->rows[i];
	}
	return NULL;
}

static void remove_row(struct sim_model *model, struct sim_row *row)
{
	free(row->kept);
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
			result->view = row->view;
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
	row->view = e->view;
	row->origin = e->origin;
}

/* A request is settled by its own end or by that of a later one. */
void model_recall(const struct sim_row *row, u64 request, struct vr_result *result)
{
	u64 oldest = row->kept_count > VR_WINDOW ? row->kept_count - VR_WINDOW : 0;
	u64 i;

	for (i = oldest; i < row->kept_count; i++) {
		if (row->kept[i].request == request) {
			*result = row->kept[i].result;
			return;
		}
	}
	memset(result, 0, sizeof(*result));
	result->error = -ECANCELED;
	if (row->kept_count >= VR_WINDOW && request < row->kept[oldest].request)
		result->error = -ESTALE;
}

static void keep(struct sim_row *row, u64 request, const struct vr_result *result)
{
	row->kept = sim_room(row->kept, row->kept_count, &row->kept_room, sizeof(*row->kept));
	row->kept[row->kept_count].request = request;
	row->kept[row->kept_count++].result = *result;
	row->request = request;
}

/* --- counters --- */

static struct sim_counter *find_counter(const struct sim_model *model, const u8 *name,
					u16 name_bytes)
{
	u32 i;

	for (i = 0; i < model->counter_count; i++) {
		struct sim_counter *c = &model->counters[i];

		if (c->name_bytes == name_bytes && !memcmp(c->name, name, name_bytes))
			return c;
	}
	return NULL;
}

static void set_counter(struct sim_counter *c, u64 op, u64 last)
{
	c->values = sim_room(c->values, c->value_count, &c->value_room, sizeof(*c->values));
	c->values[c->value_count].op = op;
	c->values[c->value_count++].last = last;
	c->last = last;
}

static void next(struct sim_model *model, const struct sim_entry *e, u64 op,
		 struct vr_result *result)
{
	struct sim_counter *c = find_counter(model, e->body, e->body_bytes);
	u64 value = c ? c->last : model->base;

	if (e->body_bytes > VR_NAME_BYTES_MAX || !e->argument) {
		result->error = -EINVAL;
		return;
	}
	if (e->argument > model->base + VR_COUNT_MASK - value) {
		result->error = -EOVERFLOW;
		return;
	}
	if (!c && model->counter_count == model->counters_max) {
		result->error = -ENOSPC;
		return;
	}
	if (!c) {
		c = &model->counters[model->counter_count++];
		memcpy(c->name, e->body, e->body_bytes);
		c->name_bytes = e->body_bytes;
	}
	result->first = value + 1;
	result->last = value + e->argument;
	set_counter(c, op, result->last);
}

/* What a counter was after entry @op. */
u64 model_value(const struct sim_model *model, const u8 *name, u16 name_bytes, u64 op)
{
	const struct sim_counter *c = find_counter(model, name, name_bytes);
	u64 i = c ? c->value_count : 0;

	while (i && c->values[i - 1].op > op)
		i--;
	return i ? c->values[i - 1].last : model->base;
}

/* --- entries --- */

static void append(struct sim_model *model, const struct sim_entry *e, u64 op,
		   struct vr_result *result)
{
	result->last = model->base + model->message_count;
	if (e->argument && e->argument != result->last + 1) {
		result->error = -EEXIST;
		return;
	}
	model->messages = sim_room(model->messages, model->message_count, &model->message_room,
				   sizeof(*model->messages));
	model->messages[model->message_count++] = op;
	result->last++;
}

static void execute(struct sim_model *model, const struct sim_entry *e, u64 op,
		    struct vr_result *result)
{
	const struct sim_counter *c;

	switch (e->kind) {
	case VR_KIND_NEXT:
		next(model, e, op, result);
		break;
	case VR_KIND_GET:
		c = find_counter(model, e->body, e->body_bytes);
		result->last = c ? c->last : model->base;
		break;
	case VR_KIND_APPEND:
		append(model, e, op, result);
		break;
	case VR_KIND_RESULT:
		result->error = -ECANCELED;
		break;
	default:
		result->error = -EINVAL;
	}
}

static bool is_denied(const struct sim_row *row, u64 request)
{
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(row->denied); i++) {
		if (row->denied[i] == request)
			return true;
	}
	return false;
}

static void end_node(struct sim_model *model, const struct sim_entry *e)
{
	u32 i = 0;

	while (i < model->row_count) {
		struct sim_row *row = &model->rows[i];

		if (row->origin == e->origin && row->nonce == e->argument)
			remove_row(model, row);
		else
			i++;
	}
}

void model_apply(struct sim_model *model, const struct sim_entry *e, u64 op,
		 struct vr_result *result)
{
	struct sim_row *row = model_row(model, e->session);

	memset(result, 0, sizeof(*result));
	result->index = op;
	result->view = e->view;
	if (e->kind == VR_KIND_NODE_END) {
		end_node(model, e);
	} else if (e->kind == VR_KIND_SESSION_BEGIN) {
		begin(model, e, op, result);
	} else if (!row) {
		result->error = -ESTALE;
	} else if (e->kind == VR_KIND_SESSION_END) {
		remove_row(model, row);
	} else if (e->request > row->request) {
		if (e->kind != VR_KIND_RESULT && is_denied(row, e->request))
			model->broken_promise = true;
		execute(model, e, op, result);
		row->active_op = op;
		keep(row, e->request, result);
	} else {
		model_recall(row, e->request, result);
	}
}
