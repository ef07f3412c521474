// SPDX-License-Identifier: GPL-2.0
/*
 * Run to completion: enter() takes the lock, run() steps until the core and the
 * sessions have nothing more to say, leave() drops the lock and performs.
 *
 * Bottom halves stay off from the step until all datagrams are out. On loopback
 * and veth those are received on this CPU when they are switched on again, so
 * that a group on one machine has committed before its caller looks.
 */
#include "engine.h"

#include <linux/bitmap.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/random.h>

#include "vmgen.h"

/* What is left to do when the lock is dropped, or between two steps. */
struct todo {
	struct sk_buff_head datagrams;
	DECLARE_BITMAP(wake, VRSEQ_FILES_MAX);
	DECLARE_BITMAP(submit, VRSEQ_FILES_MAX);
	bool wakes;		/* most steps wake nobody, and submit nothing */
	bool submits;
	bool readable;
	bool status_changed;
	bool record;
	bool journal;
};

/* Nobody who takes a group down waits longer for a hand-over. */
#define LEFT_NS_MAX	NSEC_PER_SEC

/* ---- one event, with core_lock held -------------------------------------- */

/* Boot time, as a member that slept was silent for its peers; never backwards. */
static u64 clock_ns(struct vrseq_engine *e)
{
	e->now_ns = max(e->now_ns, ktime_get_boottime_ns());
	return e->now_ns;
}

static void encode_to(struct vrseq_engine *e, const struct vr_message *m, u16 member,
		      struct todo *todo)
{
	u32 bytes = vr_wire_bytes(m);
	struct sk_buff *skb = vrseq_udp_alloc(&e->udp, member, bytes);

	if (!skb)
		return;
	vr_wire_encode(skb_put(skb, bytes), m, member,
		       vr_replica_version_to(e->replica, m, member), &e->group);
	__skb_queue_tail(&todo->datagrams, skb);
}

static void encode(struct vrseq_engine *e, const struct vr_send *send, struct todo *todo)
{
	u8 slot;

	if (send->client)
		encode_to(e, &send->message, send->client, todo);
	for (slot = 0; slot < VR_REPLICAS_MAX; slot++) {
		if (send->to_mask & BIT(slot))
			encode_to(e, &send->message, slot, todo);
	}
}

static u64 new_nonce(void)
{
	u64 nonce;

	do {
		nonce = get_random_u64();
	} while (!nonce);
	return nonce;
}

static void end_form(struct vrseq_engine *e)
{
	struct vrseq_form *form = e->form;

	if (!form)
		return;
	e->form = NULL;
	form->error = e->fx.form_error;
	form->slot = e->fx.form_slot;
	complete(&form->done);
}

static void will_submit(struct todo *todo, u32 slot)
{
	__set_bit(slot, todo->submit);
	todo->submits = true;
}

static void will_wake(struct todo *todo, u32 slot)
{
	__set_bit(slot, todo->wake);
	todo->wakes = true;
}

/* The caller has looked at the clock. */
static void step_once(struct vrseq_engine *e, struct vr_event *ev, struct todo *todo)
{
	struct vr_effects *fx = &e->fx;
	u32 i;

	vr_step(e->replica, ev, fx);

	for (i = 0; i < fx->send_count; i++)
		encode(e, &fx->sends[i], todo);
	for (i = 0; i < fx->done_count; i++) {
		const struct vr_done *done = &fx->done[i];
		u32 slot = done->handle / VRSEQ_CALLS;

		if (vrseq_session_done(&e->sessions, done))
			will_submit(todo, slot);
		else
			will_wake(todo, slot);
	}
	if (fx->record) {
		e->record_number = fx->record_write;
		e->record_content = *fx->record_content;
		todo->record = true;
	}
	/* What is not to be trusted any more the journal says, too, and that is no entry. */
	todo->journal |= e->journal && (fx->persist || fx->status_changed);
	if (fx->form_done)
		end_form(e);
	if (fx->left)
		complete_all(&e->left);
	todo->readable |= fx->readable;
	todo->status_changed |= fx->status_changed;
	e->deadline_ns = fx->deadline_ns;
}

/* Whoever else is the same image has the same random numbers, but another id. */
static void demote(struct vrseq_engine *e, enum vrseq_stat reason, u64 now_ns,
		   struct todo *todo)
{
	struct vr_event ev = {
		.type = VR_EVENT_DEMOTE,
		.now_ns = now_ns,
		/* Asleep, nobody wrote to the disk; put back in time, the record may be too. */
		.rolled_back = reason != VRSEQ_STAT_DEMOTED_SLEEP,
	};

	e->vmgen_id = vrseq_vmgen_id();
	ev.nonce = (new_nonce() ^ e->vmgen_id) ?: 1;
	vrseq_stat_count(&e->stats, reason);
	step_once(e, &ev, todo);
}

/*
 * R25: a replica that is not what it was is told before anything else, whatever
 * else woke it up. The core has a deadline soon as long as there is a group, so
 * that a late one tells how long nothing happened here.
 */
static void step(struct vrseq_engine *e, struct vr_event *ev, struct todo *todo)
{
	ev->now_ns = clock_ns(e);
	if (unlikely(vrseq_vmgen_id() != e->vmgen_id))
		demote(e, VRSEQ_STAT_DEMOTED_ROLLBACK, ev->now_ns, todo);
	else if (ev->now_ns > e->deadline_ns &&
		 vrseq_vmgen_doubts(ev->now_ns - e->deadline_ns) && e->gap_demotes)
		demote(e, VRSEQ_STAT_DEMOTED_GAP, ev->now_ns, todo);
	step_once(e, ev, todo);
}

/* All that the sessions in todo->submit want, and what they then want. */
static void step_sessions(struct vrseq_engine *e, struct todo *todo)
{
	struct vr_event ev = { .type = VR_EVENT_SUBMIT };

	while (todo->submits) {
		u32 slot = find_first_bit(todo->submit, VRSEQ_FILES_MAX);

		if (slot >= VRSEQ_FILES_MAX)
			todo->submits = false;
		else if (vrseq_session_submit(&e->sessions, slot, &ev.submit))
			step(e, &ev, todo);
		else
			__clear_bit(slot, todo->submit);
	}
}

/* For those who poll: only what a user can do anything about. */
static void note_state(struct vrseq_engine *e)
{
	vr_replica_describe(e->replica, &e->info);
	if (e->info.status == e->state && e->info.has_quorum == e->has_quorum)
		return;
	e->state = e->info.status;
	e->has_quorum = e->info.has_quorum;
	WRITE_ONCE(e->state_changes, e->state_changes + 1);
}

/* All that follows from an event, or from todo->submit alone. */
static void run(struct vrseq_engine *e, struct vr_event *ev, struct todo *todo)
{
	if (ev)
		step(e, ev, todo);
	step_sessions(e, todo);
	/* Sessions whose files are gone may find the quorum they missed, once. */
	if (todo->status_changed && !bitmap_empty(e->sessions.parked, VRSEQ_FILES_MAX)) {
		vrseq_sessions_unpark(&e->sessions, todo->submit);
		todo->submits = true;
		step_sessions(e, todo);
	}
	if (todo->readable && vrseq_ring_mapped(&e->ring))
		vrseq_engine_feed_locked(e);
	if (todo->status_changed) {
		note_state(e);
		vrseq_ring_end(&e->ring, vrseq_engine_stopped(e));
	}
}

static void arm(struct vrseq_engine *e)
{
	if (e->deadline_ns >= e->armed_ns)
		return;
	e->armed_ns = e->deadline_ns;
	hrtimer_start(&e->timer, ns_to_ktime(min_t(u64, e->armed_ns, KTIME_MAX)),
		      HRTIMER_MODE_ABS_SOFT);
}

/* ---- around it ------------------------------------------------------------ */

static void enter(struct vrseq_engine *e, struct todo *todo)
	__acquires(&e->core_lock)
{
	__skb_queue_head_init(&todo->datagrams);
	local_bh_disable();
	spin_lock(&e->core_lock);
}

static void perform(struct vrseq_engine *e, struct todo *todo)
{
	struct sk_buff *skb;
	u32 slot;

	while ((skb = __skb_dequeue(&todo->datagrams)))
		vrseq_udp_xmit(&e->udp, skb);
	if (todo->record)
		vrseq_record_write(e->record, e->record_number, &e->record_content,
				   e->group.members);
	if (todo->journal)
		vrseq_journal_kick(e->journal);
	for_each_set_bit(slot, todo->wake, todo->wakes ? VRSEQ_FILES_MAX : 0) {
		wait_queue_head_t *wait = &e->sessions.table[slot].wait;

		if (wq_has_sleeper(wait))
			wake_up_interruptible(wait);
	}
	if ((todo->readable || todo->status_changed) && wq_has_sleeper(&e->readers))
		wake_up_interruptible_poll(&e->readers,
					   EPOLLIN | EPOLLRDNORM |
					   (todo->status_changed ? EPOLLPRI : 0));
}

static void leave(struct vrseq_engine *e, struct todo *todo)
	__releases(&e->core_lock)
{
	if (e->running)
		arm(e);
	spin_unlock(&e->core_lock);
	perform(e, todo);
	local_bh_enable();
}

/* ---- events --------------------------------------------------------------- */

/**
 * vrseq_engine_receive - a datagram came
 * @e:		engine
 * @member:	whose address it came from, as the core knows it
 * @data:	its bytes
 * @bytes:	how many
 */
void vrseq_engine_receive(struct vrseq_engine *e, u16 member, const u8 *data, u32 bytes)
{
	struct vr_event ev = {
		.type = VR_EVENT_RECEIVE,
		.message = &e->scratch.message,
	};
	enum vr_drop drop;
	struct todo todo = { };

	enter(e, &todo);
	if (!e->running)
		goto out;
	drop = vr_wire_decode(&e->scratch, data, bytes, &e->group, &ev.members_differ);
	if (drop)
		e->drops[drop]++;
	else if (e->scratch.message.from != member)
		vrseq_stat_count(&e->stats, VRSEQ_STAT_DROP_ADDRESS);
	else
		run(e, &ev, &todo);
out:
	leave(e, &todo);
}

static enum hrtimer_restart expire(struct hrtimer *timer)
{
	struct vrseq_engine *e = container_of(timer, struct vrseq_engine, timer);
	struct vr_event ev = { .type = VR_EVENT_TIMEOUT };
	struct todo todo = { };
	u64 now_ns;

	enter(e, &todo);
	e->armed_ns = U64_MAX;
	now_ns = clock_ns(e);
	if (e->running && now_ns >= e->deadline_ns) {
		if (now_ns - e->deadline_ns > e->heartbeat_ns)
			vrseq_stat_count(&e->stats, VRSEQ_STAT_TIMER_LATE);
		run(e, &ev, &todo);
	}
	leave(e, &todo);
	return HRTIMER_NORESTART;
}

/**
 * vrseq_engine_ask - begin or join what a file asks for
 * @e:		engine
 * @slot:	of its session
 * @rq:		what it asks for
 *
 * Return: as vrseq_session_ask() does, -ENETDOWN if the group is gone.
 */
int vrseq_engine_ask(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq)
{
	struct vrseq_session *s = &e->sessions.table[slot];
	int verdict = -ENETDOWN;
	struct todo todo = { };

	rq->outcome = rq->op_id ? VR_OUTCOME_UNKNOWN : VR_OUTCOME_NOT_APPLIED;
	enter(e, &todo);
	if (e->running) {
		verdict = vrseq_session_ask(s, rq);
		if (s->submit) {
			will_submit(&todo, slot);
			run(e, NULL, &todo);
		}
	}
	leave(e, &todo);
	return verdict;
}

/**
 * vrseq_engine_abandon - whoever asked goes without having been told the end
 * @e:		engine
 * @slot:	of his session
 * @rq:		what he asked for
 *
 * Return: false if it has ended in the meantime.
 */
bool vrseq_engine_abandon(struct vrseq_engine *e, u32 slot, const struct vrseq_request *rq)
{
	bool flying;

	spin_lock_bh(&e->core_lock);
	flying = vrseq_session_abandon(&e->sessions.table[slot], rq);
	spin_unlock_bh(&e->core_lock);
	return flying;
}

/**
 * vrseq_engine_close - the file of a session is gone
 * @e:		engine
 * @slot:	of the session, free again when that has ended
 */
void vrseq_engine_close(struct vrseq_engine *e, u32 slot)
{
	struct todo todo = { };

	enter(e, &todo);
	if (e->running && vrseq_session_close(&e->sessions, slot)) {
		will_submit(&todo, slot);
		run(e, NULL, &todo);
	}
	leave(e, &todo);
}

static int form_and_wait(struct vrseq_engine *e, struct vr_event *ev, struct vrseq_form *form)
{
	int error = 0;
	struct todo todo = { };
	long left;

	init_completion(&form->done);
	enter(e, &todo);
	if (!e->running) {
		error = -ENETDOWN;
	} else if (e->form) {
		error = -EBUSY;
	} else {
		e->form = form;
		run(e, ev, &todo);
	}
	leave(e, &todo);
	if (error)
		return error;

	left = wait_for_completion_interruptible_timeout(&form->done, 5 * HZ);
	if (left > 0)
		return vrseq_engine_running(e) ? 0 : -ENETDOWN;

	/* @form is on our caller's stack: nobody may find it any more. */
	spin_lock_bh(&e->core_lock);
	if (e->form == form)
		e->form = NULL;
	spin_unlock_bh(&e->core_lock);
	return left ? -EINTR : -ETIMEDOUT;
}

/**
 * vrseq_engine_form - form the group and wait until that has ended
 * @e:		engine
 * @generation:	in which numbers start
 * @form:	receives enum vr_form_error and the slot it is about
 *
 * Return: 0 if @form is valid; -EBUSY another one waits already, -ENETDOWN,
 * -ETIMEDOUT, -EINTR. After the last two the forming may still succeed.
 */
int vrseq_engine_form(struct vrseq_engine *e, u16 generation, struct vrseq_form *form)
{
	struct vr_event ev = {
		.type = VR_EVENT_FORM,
		.generation = generation,
		.form_id = get_random_u64() ?: 1,
	};

	return form_and_wait(e, &ev, form);
}

/**
 * vrseq_engine_reform - give up what is left and begin the next generation
 * @e:		engine
 * @form:	receives enum vr_form_error and the slot it is about
 *
 * Return: as vrseq_engine_form().
 */
int vrseq_engine_reform(struct vrseq_engine *e, struct vrseq_form *form)
{
	struct vr_event ev = { .type = VR_EVENT_REFORM };

	return form_and_wait(e, &ev, form);
}

/**
 * vrseq_engine_post - an event, and all that follows from it
 * @e:	engine; nothing happens if the group is gone
 * @ev:	what happened
 */
void vrseq_engine_post(struct vrseq_engine *e, struct vr_event *ev)
{
	struct todo todo = { };

	enter(e, &todo);
	if (e->running)
		run(e, ev, &todo);
	leave(e, &todo);
}

/**
 * vrseq_engine_recorded - a write of the record ended
 * @e:		engine
 * @number:	of the write
 * @error:	0 if it is on stable storage
 */
void vrseq_engine_recorded(struct vrseq_engine *e, u64 number, int error)
{
	struct vr_event ev = {
		.type = VR_EVENT_RECORDED,
		.record_write = number,
		.record_error = error,
	};

	vrseq_engine_post(e, &ev);
}

/**
 * vrseq_engine_leave - ask for a hand-over: we may be about to stop
 * @e: engine; vrseq_engine_left() tells how it went
 */
void vrseq_engine_leave(struct vrseq_engine *e)
{
	struct vr_event ev = { .type = VR_EVENT_LEAVE };

	reinit_completion(&e->left);
	vrseq_engine_post(e, &ev);
}

/**
 * vrseq_engine_left - wait for the hand-over
 * @e:		engine
 * @since:	jiffies when vrseq_engine_leave() was called
 *
 * Return: 0 if nothing depends on us any more, -ETIMEDOUT after a view timeout,
 * 1 s at most, or if the caller is killed.
 */
int vrseq_engine_left(struct vrseq_engine *e, unsigned long since)
{
	u64 wait_ns = min_t(u64, e->view_timeout_ns, LEFT_NS_MAX);
	long left = nsecs_to_jiffies(wait_ns) + 1 - (jiffies - since);

	if (!vrseq_engine_running(e) ||
	    wait_for_completion_killable_timeout(&e->left, max(left, 0L)) > 0)
		return 0;
	return -ETIMEDOUT;
}

/**
 * vrseq_engine_demote - what we remember, and our clock, may not be to be trusted
 * @e:		engine
 * @reason:	why; a rollback that was noticed already is none any more
 */
void vrseq_engine_demote(struct vrseq_engine *e, enum vrseq_stat reason)
{
	struct todo todo = { };

	enter(e, &todo);
	if (e->running && (reason != VRSEQ_STAT_DEMOTED_ROLLBACK || !vrseq_vmgen_id() ||
			   vrseq_vmgen_id() != e->vmgen_id)) {
		demote(e, reason, clock_ns(e), &todo);
		run(e, NULL, &todo);
	}
	leave(e, &todo);
}

/**
 * vrseq_engine_client_gone - a client is not in our list any more
 * @e:	engine of a voter
 * @id:	its member id
 */
void vrseq_engine_client_gone(struct vrseq_engine *e, u16 id)
{
	struct vr_event ev = { .type = VR_EVENT_CLIENT_GONE, .client = id };

	vrseq_engine_post(e, &ev);
}

/**
 * vrseq_engine_subscribe - somebody reads, or is about to
 * @e: engine; a client has messages sent to it from the first time on
 */
void vrseq_engine_subscribe(struct vrseq_engine *e)
{
	struct vr_event ev = { .type = VR_EVENT_SUBSCRIBE };

	if (!e->client || READ_ONCE(e->subscribed))
		return;
	WRITE_ONCE(e->subscribed, true);
	vrseq_engine_post(e, &ev);
}

/* ---- looking -------------------------------------------------------------- */

/**
 * vrseq_engine_describe - one consistent look
 * @e:		engine
 * @info:	receives it
 * @now_ns:	receives the time to compare heard_ns with
 *
 * Return: false if the group is gone.
 */
bool vrseq_engine_describe(struct vrseq_engine *e, struct vr_info *info, u64 *now_ns)
{
	bool running;
	u32 i;

	spin_lock_bh(&e->core_lock);
	running = e->running;
	if (running) {
		*now_ns = clock_ns(e);
		vr_replica_describe(e->replica, info);
		for (i = 0; i < VR_DROP_COUNT; i++)
			info->drops[i] += e->drops[i];
	}
	spin_unlock_bh(&e->core_lock);
	return running;
}

/** vrseq_engine_writable - would one more operation of a session not wait for others? */
bool vrseq_engine_writable(struct vrseq_engine *e, u32 slot)
{
	bool writable;

	spin_lock_bh(&e->core_lock);
	writable = vrseq_session_has_room(&e->sessions.table[slot]);
	spin_unlock_bh(&e->core_lock);
	return writable;
}

/* ---- life ----------------------------------------------------------------- */

/**
 * vrseq_engine_create - all but the replica
 * @e:		engine, zeroed
 * @files_max:	files that can be attached, 1 .. VRSEQ_FILES_MAX
 *
 * Return: 0 or -ENOMEM.
 */
int vrseq_engine_create(struct vrseq_engine *e, u32 files_max)
{
	int error;

	spin_lock_init(&e->core_lock);
	init_waitqueue_head(&e->readers);
	init_completion(&e->left);
	hrtimer_init(&e->timer, CLOCK_BOOTTIME, HRTIMER_MODE_ABS_SOFT);
	e->timer.function = expire;
	e->armed_ns = U64_MAX;
	e->deadline_ns = U64_MAX;
	error = vrseq_udp_create(&e->udp, &e->stats);
	if (!error)
		error = vrseq_sessions_create(&e->sessions, files_max);
	if (error)
		vrseq_udp_destroy(&e->udp);
	return error;
}

/** vrseq_engine_destroy - free what vrseq_engine_create() made */
void vrseq_engine_destroy(struct vrseq_engine *e)
{
	vrseq_sessions_destroy(&e->sessions);
	vrseq_udp_destroy(&e->udp);
}

static bool is_blank_locked(struct vrseq_engine *e)
{
	lockdep_assert_held(&e->core_lock);
	vr_replica_describe(e->replica, &e->info);
	return e->info.status == VR_STATUS_BLANK;
}

/** vrseq_engine_is_blank - has the group not been formed yet? */
bool vrseq_engine_is_blank(struct vrseq_engine *e)
{
	bool blank;

	spin_lock_bh(&e->core_lock);
	blank = e->running && is_blank_locked(e);
	spin_unlock_bh(&e->core_lock);
	return blank;
}

/**
 * vrseq_engine_birth - a blank replica
 * @cfg:	valid but for nonce and seed, which are ours
 *
 * Return: the replica, which kvfree() frees, or NULL.
 */
struct vr_replica *vrseq_engine_birth(const struct vr_config *cfg)
{
	struct vr_config birth = *cfg;
	void *memory;

	/* Whoever asks for too much is refused, instead of others being killed. */
	memory = kvzalloc(vr_replica_size(cfg),
			  GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!memory)
		return NULL;
	birth.nonce = new_nonce();
	birth.seed = get_random_u64();
	return vr_replica_init(memory, &birth);
}

/**
 * vrseq_engine_configure - start with a replica, or change one that is blank
 * @e:		engine
 * @cfg:	for the new replica; valid but for nonce and seed, which are ours
 * @group:	its identity on the wire
 * @ids:	of its members, by slot
 * @restored:	a replica of this configuration to be taken, *@restored is NULL then;
 *		if it is NULL a blank one is made
 *
 * The new one is made aside and takes the place of the old one in one step, so
 * that nobody ever meets half a replica. A blank one has nothing under way: it
 * refuses whatever it is asked at once.
 *
 * Return: 0, -EBUSY if the old one has a group already, or -ENOMEM.
 */
int vrseq_engine_configure(struct vrseq_engine *e, const struct vr_config *cfg,
			   const struct vr_wire_group *group, const u16 *ids,
			   struct vr_replica **restored)
{
	struct vr_event ev = { .type = VR_EVENT_START };
	struct vr_replica *blank = NULL, *old = NULL;
	int error = 0;
	struct todo todo = { };

	if (!*restored) {
		blank = vrseq_engine_birth(cfg);
		if (!blank)
			return -ENOMEM;
		restored = &blank;
	}

	enter(e, &todo);
	if (e->running && !is_blank_locked(e)) {
		error = -EBUSY;
	} else {
		old = e->replica;
		e->replica = *restored;
		*restored = NULL;
		if (e->journal)
			vrseq_journal_name(e->journal, ids, cfg->replica_count);
		e->memory_bytes = vr_replica_size(cfg);
		e->heartbeat_ns = cfg->heartbeat_ns;
		e->view_timeout_ns = cfg->view_timeout_ns;
		e->group = *group;
		e->vmgen_id = vrseq_vmgen_id();
		e->gap_demotes = cfg->replica_count > 1;
		e->client = cfg->client;
		e->running = true;
		run(e, &ev, &todo);
		ev.type = VR_EVENT_SUBSCRIBE;
		if (e->subscribed)
			run(e, &ev, &todo);
	}
	leave(e, &todo);
	kvfree(old);
	kvfree(blank);
	return error;
}

/**
 * vrseq_engine_stop - no step begins any more; everybody who waits is told
 * @e: engine; stopping it again does nothing
 */
void vrseq_engine_stop(struct vrseq_engine *e)
{
	struct vrseq_form *form;
	u32 slot;

	spin_lock_bh(&e->core_lock);
	WRITE_ONCE(e->running, false);
	vrseq_ring_end(&e->ring, -ENETDOWN);
	form = e->form;
	e->form = NULL;
	if (form)
		complete(&form->done);
	spin_unlock_bh(&e->core_lock);

	for (slot = 0; slot < e->sessions.max; slot++)
		wake_up_all(&e->sessions.table[slot].wait);
	wake_up_poll(&e->readers, EPOLLHUP | EPOLLERR);
}

/**
 * vrseq_engine_quiesce - free the replica
 * @e: engine, stopped, its socket closed
 */
void vrseq_engine_quiesce(struct vrseq_engine *e)
{
	hrtimer_cancel(&e->timer);
	kvfree(e->replica);
	e->replica = NULL;
}
