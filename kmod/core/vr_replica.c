// SPDX-License-Identifier: GPL-2.0
/*
 * The one entry point vr_step(), and what all phases share: sending, dropping,
 * halting, quorums, committing. Phases decide; nothing here knows a message's
 * meaning beyond which phase it belongs to.
 */
#include "vr_replica_private.h"

void vr_drop(struct vr_replica *r, enum vr_drop reason)
{
	r->drops[reason]++;
}

static struct vr_message *next_send(struct vr_replica *r, u8 type, u8 to_mask, u16 client)
{
	struct vr_effects *fx = r->fx;
	struct vr_message *m;

	if (fx->send_count == VR_SENDS_MAX)
		return NULL;
	fx->sends[fx->send_count].to_mask = to_mask;
	fx->sends[fx->send_count].client = client;
	m = &fx->sends[fx->send_count++].message;
	memset(m, 0, offsetof(struct vr_message, entries));
	m->type = type;
	m->from = vr_self(r);
	m->to = client;
	m->generation = r->generation;
	m->instance = r->instance;
	m->incarnation = r->incarnation;
	m->view = r->view;
	m->commit = r->commit;
	r->sent[type]++;
	return m;
}

/*
 * A message to be filled in by the caller. NULL if this step has said enough:
 * that is a lost datagram, and everything is resent until answered (R20).
 */
struct vr_message *vr_send(struct vr_replica *r, u8 type, u8 to_mask)
{
	return to_mask ? next_send(r, type, to_mask, 0) : NULL;
}

/* The same to a client, who does not take the room of what voters need. */
struct vr_message *vr_send_client(struct vr_replica *r, u8 type, u16 client)
{
	if (r->fx->send_count + VR_SENDS_KEPT > VR_SENDS_MAX)
		return NULL;
	return next_send(r, type, 0, client);
}

void vr_stop(struct vr_replica *r, enum vr_status status)
{
	u32 i;

	r->status = status;
	r->install.active = false;
	r->checkpoint.fetching = false;
	for (i = 0; i < VR_TIMER_COUNT; i++)
		vr_timer_stop(r, i);
	r->fx->send_count = 0;
	r->fx->persist = false;
	if (status != VR_STATUS_HALTED && !vr_record_is_held(r))
		vr_timer_set(r, VR_TIMER_RECORD, r->cfg.heartbeat_ns);
	if (status != VR_STATUS_HALTED && r->cold.phase)
		vr_timer_set(r, VR_TIMER_COLD, r->cfg.heartbeat_ns);
	r->fx->status_changed = true;
}

/* Fail-stop: whatever is wrong with our state must not reach anybody else. */
void vr_halt(struct vr_replica *r, enum vr_halt reason)
{
	if (r->status == VR_STATUS_HALTED)
		return;
	r->halt = reason;
	vr_stop(r, VR_STATUS_HALTED);
	vr_pending_fail(r);
}

/* A belief with a safe way out: true if it does not hold, and we have halted. */
bool vr_never(struct vr_replica *r, bool broken, enum vr_halt reason)
{
	if (broken)
		vr_halt(r, reason);
	return broken;
}

void vr_persist(struct vr_replica *r)
{
	r->fx->persist = true;
	r->fx->persist_epoch = r->log_epoch;
	r->fx->persist_op = r->log.ring.last;
	r->fx->persist_promise = r->promises;
}

/* Something others will rely on. Returns its number; 0 where nothing is ever restored. */
u64 vr_promise(struct vr_replica *r)
{
	if (!r->cfg.journal)
		return 0;
	r->promises++;
	vr_persist(r);
	return r->promises;
}

/* The largest value that @quorum of the values reach. Reorders @values. */
u64 vr_quorum_max(u64 *values, u32 count, u32 quorum)
{
	u32 i, j;

	for (i = 1; i < count; i++) {
		u64 value = values[i];

		for (j = i; j && values[j - 1] < value; j--)
			values[j] = values[j - 1];
		values[j] = value;
	}
	return values[quorum - 1];
}

bool vr_has_quorum(const struct vr_replica *r)
{
	if (r->status != VR_STATUS_NORMAL)
		return false;
	return r->cfg.client || r->cfg.replica_count == 1 || (!r->abdicated &&
	       vr_since(r, r->quorum_ns) <= vr_view_timeout(r) + r->cfg.heartbeat_ns);
}

/*
 * The time as we say it to others: each time greater than the last, whatever the
 * clock does, so that what comes back was said after something or before it.
 */
u64 vr_stamp(struct vr_replica *r)
{
	r->stamp_ns = vr_max(r->now_ns, r->stamp_ns + 1);
	return r->stamp_ns;
}

/*
 * R16: there is a newer life of @slot. What earlier ones said, in votes, answers,
 * acknowledgements or opinions, they did not know to keep: it counts no more.
 */
void vr_learn(struct vr_replica *r, u8 slot, u64 incarnation)
{
	struct vr_peer *peer = &r->peers[slot];

	if (incarnation <= r->vector[slot])
		return;
	r->vector[slot] = incarnation;
	r->life_promise = vr_promise(r);
	if (slot == r->cfg.self) {
		/* So we are the earlier life, rolled back or thought dead. */
		if (r->incarnation)
			vr_recover(r, VR_REFUSAL_DEMOTED);
		return;
	}
	r->votes[slot].valid = false;
	peer->acked = 0;
	peer->echo_ns = 0;
	peer->exit_view_ns = 0;
	peer->read_id = 0;
	/* Whatever the primary held it holds no more (R5). */
	if (slot == vr_primary(r, r->view)) {
		r->primary_durable = 0;
		r->primary_lost = true;
	}
}

void vr_learn_vector(struct vr_replica *r, const u64 *vector)
{
	u8 slot;

	for (slot = 0; slot < r->cfg.replica_count; slot++)
		vr_learn(r, slot, vector[slot]);
}

/*
 * Checkpoints lie at the same ops everywhere: where depends on the entries and
 * the sizes of the rings alone. Half a ring of entries, or a quarter of their
 * room, keeps the entries since the last one in the log (R14).
 */
static void take_checkpoint(struct vr_replica *r, const struct vr_entry *e)
{
	struct vr_checkpoint *c = &r->checkpoint;

	c->body_bytes += e->body_bytes;
	if (e->op - c->op_last < r->cfg.log_entries / 2 &&
	    c->body_bytes < r->cfg.log_bytes / 4)
		return;
	if (c->fetching) {
		/* The room is taken by the one that will replace all this. */
		c->op_last = e->op;
		c->body_bytes = 0;
	} else {
		vr_checkpoint_take(c, &r->sm, e->op, e->hash);
	}
}

/* Returns false if it is not there, and we have halted. */
static bool commit_next(struct vr_replica *r)
{
	const struct vr_entry *e = vr_log_get(&r->log, r->commit + 1);
	struct vr_result result;
	u64 life;

	if (vr_never(r, !e, VR_HALT_LOG_GAP))
		return false;
	r->commit++;
	life = vr_serve_life(r, e);
	vr_sm_apply(&r->sm, e, &result);
	if (e->kind == VR_KIND_APPEND && !result.error) {
		r->fx->readable = true;
		r->commit_mask = vr_others(r);
	}
	if (life)
		vr_serve_applied(r, e, life, &result);
	if (!vr_is_client(e->origin))
		r->commit_mask |= 1u << e->origin;
	if (e->origin == r->cfg.self)
		vr_pending_applied(r, e, &result);
	take_checkpoint(r, e);
	return true;
}

/* What vr_commit_through() does if anything is new: @op is held. */
void vr_commit_new(struct vr_replica *r, u64 op)
{
	while (r->commit < op) {
		if (!commit_next(r))
			return;
	}
	vr_read_applied(r);
}

/* Give up the entries above @last, none of which can be committed. */
void vr_log_truncate(struct vr_replica *r, u64 last)
{
	if (last >= r->log.ring.last)
		return;
	if (vr_never(r, last < r->commit, VR_HALT_COMMITTED_CONFLICT))
		return;
	vr_ring_truncate(&r->log.ring, last);
	r->op_durable = vr_min(r->op_durable, last);
	r->log_epoch++;
}

const struct vr_entry *vr_log_take(struct vr_replica *r, const struct vr_entry *entry)
{
	const struct vr_entry *copy = vr_log_append(&r->log, entry, r->commit);

	vr_never(r, !copy, VR_HALT_LOG_FULL);
	r->log_version = vr_max(r->log_version, vr_entry_version(entry));
	return copy;
}

static bool before_group(u8 type)
{
	return type >= VR_PING;
}

static enum vr_drop unfit(const struct vr_replica *r, const struct vr_message *m)
{
	enum vr_drop drop = vr_message_invalid(m, r->cfg.replica_count);
	u32 i;

	if (drop)
		return drop;
	/* Whoever sent it was configured otherwise: we have no room for that. */
	for (i = 0; i < m->entry_count; i++) {
		if (m->entries[i]->body_bytes > r->cfg.body_bytes_max)
			return VR_DROP_BOUND;
	}
	if (m->to != r->cfg.self)
		return VR_DROP_SLOT;
	/* Our record is of other members: nobody but them is to hear of us. */
	if (r->cfg.record_differs && m->type != VR_PING && m->type != VR_PONG)
		return VR_DROP_STATUS;
	return VR_DROP_NONE;
}

static enum vr_drop ignore(const struct vr_replica *r, const struct vr_message *m)
{
	bool compares = !r->instance || m->generation == r->generation;

	if (compares && m->incarnation && m->incarnation < r->vector[m->from])
		return VR_DROP_INCARNATION;
	if (before_group(m->type))
		return VR_DROP_NONE;
	if (r->incarnation && (m->generation != r->generation || m->instance != r->instance))
		return VR_DROP_GENERATION;
	return VR_DROP_NONE;
}

static void on_message_before_group(struct vr_replica *r, const struct vr_message *m)
{
	switch (m->type) {
	case VR_PING:
		vr_on_ping(r, m);
		break;
	case VR_PONG:
		vr_on_pong(r, m);
		break;
	case VR_FORM:
		vr_on_form(r, m);
		break;
	case VR_FORM_OK:
		vr_on_form_ok(r, m);
		break;
	case VR_FORM_REFUSED:
		vr_on_form_refused(r, m);
		break;
	case VR_FORMED:
		vr_on_formed(r, m);
		break;
	case VR_RECOVERY:
		vr_on_recovery(r, m);
		break;
	case VR_RECOVERY_RESPONSE:
		vr_on_recovery_response(r, m);
		break;
	default:
		vr_on_cold(r, m);
	}
}

static void on_message_in_group(struct vr_replica *r, const struct vr_message *m)
{
	switch (m->type) {
	case VR_REQUEST:
		vr_on_request(r, m);
		break;
	case VR_PREPARE:
		vr_on_prepare(r, m);
		break;
	case VR_PREPARE_OK:
		vr_on_prepare_ok(r, m);
		break;
	case VR_COMMIT:
		vr_on_commit(r, m);
		break;
	case VR_EXIT_VIEW:
		vr_on_exit_view(r, m);
		break;
	case VR_DO_VIEW_CHANGE:
		vr_on_do_view_change(r, m);
		break;
	case VR_START_VIEW:
		vr_on_start_view(r, m);
		break;
	case VR_GET_STATE:
		vr_on_get_state(r, m);
		break;
	case VR_NEW_STATE:
		vr_on_new_state(r, m);
		break;
	case VR_GET_CHECKPOINT:
		vr_on_get_checkpoint(r, m);
		break;
	case VR_CHECKPOINT:
		vr_on_checkpoint(r, m);
		break;
	case VR_GET_INDEX:
		vr_on_get_index(r, m);
		break;
	case VR_NEW_INDEX:
		vr_on_new_index(r, m);
		break;
	}
}

/*
 * R16, R17: a journal from before a recovery whose end it did not get to write makes
 * the life before come back. Nothing that it says counts, and in a view that lasts
 * nothing would tell it so.
 */
static void tell_old_life(struct vr_replica *r, u8 slot)
{
	if (r->status == VR_STATUS_NORMAL && vr_primary(r, r->view) == r->cfg.self)
		vr_send_start_view(r, 1u << slot);
}

static void on_receive(struct vr_replica *r, const struct vr_event *ev)
{
	const struct vr_message *m = ev->message;
	struct vr_peer *peer = &r->peers[m->from % VR_REPLICAS_MAX];
	enum vr_drop drop = unfit(r, m);

	if (!drop) {
		vr_hear_of_generation(r, m);
		drop = ignore(r, m);
	}
	if (drop) {
		vr_drop(r, drop);
		if (drop == VR_DROP_INCARNATION && m->type == VR_PING)
			tell_old_life(r, m->from);
		return;
	}
	r->received[m->type]++;
	peer->heard_ns = r->now_ns;
	peer->members_differ = ev->members_differ;
	vr_note_version(r, m);
	if (r->incarnation && m->incarnation && m->generation == r->generation &&
	    m->instance == r->instance)
		vr_learn(r, m->from, m->incarnation);
	vr_note_memory(r, m);

	if (before_group(m->type)) {
		on_message_before_group(r, m);
		return;
	}
	switch (r->status) {
	case VR_STATUS_NORMAL:
	case VR_STATUS_VIEW_CHANGE:
		on_message_in_group(r, m);
		break;
	case VR_STATUS_BLANK:
		/* Somebody knows us as a member of a group: we forgot it (R19). */
		vr_drop(r, VR_DROP_STATUS);
		vr_hear_of_group(r, m->from);
		break;
	case VR_STATUS_RECOVERING:
	case VR_STATUS_AMNESIA:
		if (r->incarnation && (m->type == VR_NEW_STATE || m->type == VR_CHECKPOINT))
			on_message_in_group(r, m);
		else
			vr_drop(r, VR_DROP_STATUS);
		break;
	default:
		vr_drop(r, VR_DROP_STATUS);
	}
}

static void on_timer(struct vr_replica *r, enum vr_timer timer)
{
	switch (timer) {
	case VR_TIMER_HEARTBEAT:
		vr_on_heartbeat_timer(r);
		break;
	case VR_TIMER_ABDICATE:
		vr_on_abdicate_timer(r);
		break;
	case VR_TIMER_RESEND:
		if (r->status == VR_STATUS_NORMAL)
			vr_on_prepare_timer(r);
		else
			vr_on_vote_timer(r);
		break;
	case VR_TIMER_SILENCE:
		vr_on_silence_timer(r);
		break;
	case VR_TIMER_EXIT_VIEW:
		vr_on_exit_view_timer(r);
		break;
	case VR_TIMER_GIVE_UP:
		vr_on_give_up_timer(r);
		break;
	case VR_TIMER_REPAIR:
		vr_on_repair_timer(r);
		break;
	case VR_TIMER_RECOVERY:
		vr_on_recovery_timer(r);
		break;
	case VR_TIMER_PENDING:
		vr_on_pending_timer(r);
		break;
	case VR_TIMER_PING:
		vr_on_ping_timer(r);
		break;
	case VR_TIMER_NODES:
		vr_on_nodes_timer(r);
		break;
	case VR_TIMER_FORM:
		vr_on_form_timer(r);
		break;
	case VR_TIMER_COLD:
		vr_on_cold_timer(r);
		break;
	case VR_TIMER_RECORD:
		vr_on_record_timer(r);
		break;
	default:
		break;
	}
}

/* A handler may stop or set any timer, so each is looked at when its turn comes. */
static void on_timeout(struct vr_replica *r)
{
	u64 due_ns = vr_timers_first(&r->timers);
	u32 i;

	/*
	 * We were stopped, not the others: what they said meanwhile waits in the
	 * socket and is heard before anybody is called silent.
	 */
	if (vr_since(r, due_ns) > r->cfg.heartbeat_ns && !r->late) {
		r->late = true;
		vr_timer_postpone(r, VR_TIMER_SILENCE);
		vr_timer_postpone(r, VR_TIMER_ABDICATE);
		vr_timer_postpone(r, VR_TIMER_GIVE_UP);
		r->clients.since_ns = r->now_ns;
	} else {
		r->late = false;
	}
	for (i = 0; i < VR_TIMER_COUNT; i++) {
		if (r->timers.at_ns[i] > r->now_ns)
			continue;
		vr_timer_stop(r, i);
		on_timer(r, i);
	}
}

void vr_step(struct vr_replica *r, const struct vr_event *ev, struct vr_effects *fx)
{
	fx->send_count = 0;
	fx->done_count = 0;
	fx->persist = false;
	fx->record = false;
	fx->readable = false;
	fx->status_changed = false;
	fx->form_done = false;
	fx->left = false;
	r->fx = fx;
	r->now_ns = vr_max(r->now_ns, ev->now_ns);
	r->commit_mask = 0;
	if (r->cfg.client) {
		vr_client_step(r, ev);
		goto out;
	}

	switch (ev->type) {
	case VR_EVENT_START:
		vr_timer_set(r, VR_TIMER_PING, 0);
		if (r->restored && !vr_record_is_newer(r))
			vr_rejoin(r);
		else if (!vr_record_resume(r) && r->lost)
			vr_recover(r, VR_REFUSAL_MEMORY_LOST);
		break;
	case VR_EVENT_RECEIVE:
		if (r->status == VR_STATUS_HALTED)
			vr_drop(r, VR_DROP_STATUS);
		else if (ev->message->version > r->cfg.wire_version)
			vr_drop(r, VR_DROP_VERSION);
		else if (vr_type_of_client(ev->message->type))
			vr_serve(r, ev->message);
		else
			on_receive(r, ev);
		break;
	case VR_EVENT_SUBMIT:
		vr_on_submit(r, &ev->submit);
		break;
	case VR_EVENT_TIMEOUT:
		on_timeout(r);
		break;
	case VR_EVENT_DURABLE:
		vr_on_durable(r, ev->log_epoch, ev->op, ev->promise);
		break;
	case VR_EVENT_DISK_FAILED:
		vr_on_disk_failed_event(r);
		break;
	case VR_EVENT_FORM:
		vr_on_form_event(r, ev->generation, ev->form_id);
		break;
	case VR_EVENT_LEAVE:
		vr_on_leave_event(r);
		break;
	case VR_EVENT_DEMOTE:
		vr_on_demote_event(r, ev);
		break;
	case VR_EVENT_RECORDED:
		vr_on_recorded(r, ev->record_write, ev->record_error);
		break;
	case VR_EVENT_REFORM:
		vr_on_reform_event(r);
		break;
	case VR_EVENT_CLIENT_GONE:
		vr_serve_gone(r, ev->client);
		break;
	default:
		break;
	}

	vr_settle_durable(r);
	if (r->status == VR_STATUS_NORMAL)
		vr_flush(r);
	if (vr_has_memory(r))
		vr_serve_flush(r);
out:
	if (r->had_quorum != vr_has_quorum(r)) {
		r->had_quorum = !r->had_quorum;
		fx->status_changed = true;
	}
	fx->deadline_ns = vr_timers_first(&r->timers);
	r->fx = NULL;
}

void vr_replica_describe(const struct vr_replica *r, struct vr_info *info)
{
	u32 i;

	memset(info, 0, sizeof(*info));
	info->source = VR_NOBODY;
	info->status = r->status;
	info->refusal = r->refusal;
	info->halt = r->halt;
	info->primary = vr_has_memory(r) ? vr_primary(r, r->view) : VR_NOBODY;
	info->has_quorum = vr_has_quorum(r);
	info->quorum = r->quorum;
	info->generation = r->generation;
	info->instance = r->instance;
	info->incarnation = r->incarnation;
	info->view = r->view;
	info->last_normal_view = r->last_normal_view;
	info->op = r->log.ring.last;
	info->op_first = r->log.ring.first;
	info->op_durable = r->op_durable;
	info->commit = r->commit;
	vr_log_hash(&r->log, r->commit, &info->commit_hash);
	if (vr_checkpoint_whole(&r->checkpoint)) {
		info->checkpoint_op = r->checkpoint.op;
		info->checkpoint_hash = r->checkpoint.hashed ? r->checkpoint.hash : 0;
	}
	if (r->checkpoint.fetching) {
		info->transfer_bytes = r->checkpoint.here;
		info->transfer_bytes_total = r->checkpoint.size;
	}
	if (vr_is_recovering(r)) {
		info->answers = vr_answer_count(r);
		info->answers_needed = vr_answers_needed(r);
	}
	info->wire_version = r->cfg.wire_version;
	info->older_mask = r->cfg.client ? vr_client_older(r) : vr_keeps_from_clients(r);
	info->client_count = r->clients.count;
	info->node_ends = r->clients.ended;
	info->node_lease_ns = r->cfg.node_lease_ns;
	info->lost_mask = r->cfg.client ? 0 : vr_lost_mask(r);
	info->sequence_first = r->sm.messages.first;
	info->sequence_last = r->sm.messages.last;
	for (i = 0; i < r->cfg.replica_count; i++) {
		info->peers[i].incarnation = r->vector[i];
		info->peers[i].round_trip_ns = r->peers[i].round_trip_ns;
		info->peers[i].status = r->peers[i].status;
		info->peers[i].members_differ = r->peers[i].members_differ;
		info->peers[i].older = r->peers[i].older;
		info->peers[i].version = r->peers[i].version;
		info->behind_mask |= r->peers[i].too_old << i;
		info->peers[i].heard_ns = r->peers[i].heard_ns;
		info->peers[i].op = r->peers[i].acked;
	}
	if (r->cfg.client) {
		vr_client_describe(r, info);
	} else {
		info->behind_mask |= r->too_old << r->cfg.self;
		info->peers[r->cfg.self].version = r->cfg.wire_version;
		info->peers[r->cfg.self].status = r->status;
		info->peers[r->cfg.self].heard_ns = r->now_ns;
		info->peers[r->cfg.self].op = r->log.ring.last;
		info->peers[r->cfg.self].incarnation = r->incarnation;
	}
	memcpy(info->drops, r->drops, sizeof(info->drops));
	memcpy(info->received, r->received, sizeof(info->received));
	memcpy(info->sent, r->sent, sizeof(info->sent));
	info->view_changes = r->view_changes;
	info->recoveries = r->recoveries;
	info->checkpoints = r->checkpoint.taken;
	info->transfers = r->transfers;
	vr_cold_describe(r, info);
}

const struct vr_entry *vr_replica_message(const struct vr_replica *r, u64 sequence)
{
	return vr_ring_get(&r->sm.messages, sequence);
}

u64 vr_replica_sequence_first(const struct vr_replica *r)
{
	return r->sm.messages.first;
}

u64 vr_replica_sequence_last(const struct vr_replica *r)
{
	return r->sm.messages.last;
}

const struct vr_entry *vr_replica_entry(const struct vr_replica *r, u64 op)
{
	return vr_log_get(&r->log, op);
}

u64 vr_replica_checkpoint_hash(struct vr_replica *r)
{
	return vr_checkpoint_whole(&r->checkpoint) ? vr_checkpoint_hash(&r->checkpoint) : 0;
}
