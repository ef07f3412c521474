// SPDX-License-Identifier: GPL-2.0
/*
 * Clients, as a voter serves them (protocol.rst, "Clients"): it takes their
 * requests and says what became of them, answers their reads, sends them the
 * messages they ask for, and as primary ends the sessions of those that have
 * been silent for their lease. Rules R30-R33.
 *
 * Owns one row for each client it has heard of. Who may be a client, and where
 * it is, the shell knows.
 */
#include "vr_replica_private.h"

#define PUSHES_MAX	16	/* clients told of new messages in one step */
#define BURST_MAX	4	/* datagrams that answer one SUBSCRIBE */
#define SWEEPS		8	/* steps in which all of the client table is looked at */
#define SWEEP_LEASES	32	/* so many of them in a lease */

void vr_clients_reset(struct vr_replica *r)
{
	struct vr_clients *all = &r->clients;
	u32 i;

	for (i = 0; i < r->cfg.clients_max; i++) {
		all->buckets[i] = VR_NO_ROW;
		all->rows[i].next = i + 1 < r->cfg.clients_max ? i + 1 : VR_NO_ROW;
	}
	all->free = r->cfg.clients_max ? 0 : VR_NO_ROW;
	all->wants.first = VR_NO_ROW;
	all->reads.first = VR_NO_ROW;
}

static u32 *bucket(const struct vr_replica *r, u16 id)
{
	return &r->clients.buckets[id % r->cfg.clients_max];
}

static struct vr_client *find(const struct vr_replica *r, u16 id)
{
	u32 row = r->cfg.clients_max ? *bucket(r, id) : VR_NO_ROW;

	while (row != VR_NO_ROW && r->clients.rows[row].id != id)
		row = r->clients.rows[row].next;
	return row == VR_NO_ROW ? NULL : &r->clients.rows[row];
}

static struct vr_client *add(struct vr_replica *r, u16 id)
{
	u32 row = r->clients.free, *chain;
	struct vr_client *c;

	if (row == VR_NO_ROW)
		return NULL;
	c = &r->clients.rows[row];
	r->clients.free = c->next;
	memset(c, 0, sizeof(*c));
	chain = bucket(r, id);
	c->id = id;
	c->next = *chain;
	*chain = row;
	r->clients.count++;
	return c;
}

/* What it says shows that it lives; a life unheard of, that another one may not. */
static struct vr_client *hear(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_client *c = find(r, m->from);

	if (!c)
		c = add(r, m->from);
	if (!c)
		return NULL;
	if (c->life != m->life) {
		c->life = m->life;
		c->life_ns = r->now_ns;
		c->want = 0;
		c->read_id = 0;
	}
	c->heard_ns = r->now_ns;
	return c;
}

/* ---- queues: in the order they came ---------------------------------------- */

static void want_enqueue(struct vr_replica *r, struct vr_client *c)
{
	struct vr_queue *q = &r->clients.wants;
	u32 row = c - r->clients.rows;

	if (c->wanting)
		return;
	c->wanting = true;
	c->want_next = VR_NO_ROW;
	if (q->first == VR_NO_ROW)
		q->first = row;
	else
		r->clients.rows[q->last].want_next = row;
	q->last = row;
}

static struct vr_client *want_dequeue(struct vr_replica *r)
{
	struct vr_client *c = &r->clients.rows[r->clients.wants.first];

	r->clients.wants.first = c->want_next;
	c->wanting = false;
	return c;
}

static void read_enqueue(struct vr_replica *r, struct vr_client *c)
{
	struct vr_queue *q = &r->clients.reads;
	u32 row = c - r->clients.rows;

	if (c->reading)
		return;
	c->reading = true;
	c->read_next = VR_NO_ROW;
	if (q->first == VR_NO_ROW)
		q->first = row;
	else
		r->clients.rows[q->last].read_next = row;
	q->last = row;
}

static struct vr_client *read_dequeue(struct vr_replica *r)
{
	struct vr_client *c = &r->clients.rows[r->clients.reads.first];

	r->clients.reads.first = c->read_next;
	c->reading = false;
	return c;
}

/* Its place is needed by others: it leaves the queues, and is forgotten. */
void vr_serve_gone(struct vr_replica *r, u16 id)
{
	struct vr_client *c = find(r, id);
	u32 rows, *chain;

	if (!c)
		return;
	for (rows = c->wanting ? r->clients.count : 0; rows && c->wanting; rows--) {
		struct vr_client *first = want_dequeue(r);

		if (first != c)
			want_enqueue(r, first);
	}
	for (rows = c->reading ? r->clients.count : 0; rows && c->reading; rows--) {
		struct vr_client *first = read_dequeue(r);

		if (first != c)
			read_enqueue(r, first);
	}
	for (chain = bucket(r, id); &r->clients.rows[*chain] != c;)
		chain = &r->clients.rows[*chain].next;
	*chain = c->next;
	c->id = 0;
	c->next = r->clients.free;
	r->clients.free = c - r->clients.rows;
	r->clients.count--;
}

/* ---- where the group is ------------------------------------------------------ */

static void send_pong(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_message *pong = vr_send_client(r, VR_CLIENT_PONG, m->from);

	if (!pong)
		return;
	pong->life = m->life;
	pong->heartbeat_ns = m->heartbeat_ns;
	pong->age_ns = r->cfg.node_lease_ns;
	pong->sequence_first = r->sm.messages.first;
	pong->sequence_last = r->sm.messages.last;
	pong->status = r->status;
	pong->older = vr_has_memory(r) ? vr_keeps_from_clients(r) : 0;
	pong->flag = vr_is_serving(r) && !pong->older;
}

/* ---- requests ------------------------------------------------------------------ */

static void send_reply(struct vr_replica *r, u16 client, u64 life, const struct vr_entry *e,
		       u64 request, const struct vr_result *result)
{
	struct vr_message *reply = vr_send_client(r, VR_REPLY, client);

	if (!reply)
		return;
	reply->life = life;
	reply->status = e->kind;
	reply->session = e->session;
	reply->request = request;
	reply->result = *result;
}

/*
 * The life of the client that waits for this entry, 0 if nobody does: asked
 * before it is applied, as that may end its session.
 */
u64 vr_serve_life(const struct vr_replica *r, const struct vr_entry *e)
{
	const struct vr_session *s;
	const struct vr_client *c;

	if (!vr_is_client(e->origin) || !vr_is_serving(r) || e->kind == VR_KIND_NODE_END)
		return 0;
	if (e->kind == VR_KIND_SESSION_BEGIN)
		return e->argument;
	s = vr_session_find(&r->sm.sessions, e->session);
	if (s)
		return s->nonce;
	c = find(r, e->origin);
	return c ? c->life : 0;
}

/* R30: it is committed, and its client is told, whoever took the request. */
void vr_serve_applied(struct vr_replica *r, const struct vr_entry *e, u64 life,
		      const struct vr_result *result)
{
	send_reply(r, e->origin, life, e, e->request, result);
}

/*
 * What a request that comes again, or too late, has become, if that is known:
 * all that is said here is committed.
 */
static bool is_known(const struct vr_replica *r, const struct vr_entry *e,
		     struct vr_result *result)
{
	const struct vr_session *s;

	memset(result, 0, sizeof(*result));
	if (e->kind == VR_KIND_SESSION_BEGIN) {
		s = vr_session_begun(&r->sm.sessions, e);
		if (!s)
			return false;
		result->index = s->id;
		result->view = s->view;
		return true;
	}
	s = vr_session_find(&r->sm.sessions, e->session);
	if (s && (e->kind == VR_KIND_SESSION_END || e->request > s->request))
		return false;
	/* Begun by an entry that is not applied here yet; of no other group's log. */
	if (!s && e->session > r->commit && e->session <= r->log.ring.last)
		return false;
	if (s)
		vr_session_recall(s, e->request, result);
	else if (e->kind != VR_KIND_SESSION_END)
		result->error = -ESTALE;
	return true;
}

/* A session is used by the life that began it and by nobody else. */
static bool is_foreign(const struct vr_replica *r, const struct vr_message *m)
{
	const struct vr_entry *e = m->entries[0];
	const struct vr_session *s = vr_session_find(&r->sm.sessions, e->session);

	return e->kind != VR_KIND_SESSION_BEGIN && s &&
	       (s->origin != m->from || s->nonce != m->life);
}

static void on_request(struct vr_replica *r, const struct vr_message *m)
{
	const struct vr_entry *e = m->entries[0];
	struct vr_result result;
	enum vr_drop drop;

	if (!vr_is_serving(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		send_pong(r, m);
		return;
	}
	if (is_foreign(r, m)) {
		vr_drop(r, VR_DROP_FIELD);
		return;
	}
	if (is_known(r, e, &result)) {
		send_reply(r, m->from, m->life, e, e->request, &result);
		return;
	}
	drop = vr_accept(r, e, m->after);
	if (drop)
		vr_drop(r, drop);
}

/* ---- reads ----------------------------------------------------------------------- */

/* @first: how old it is if it may be, else the newest message there is. */
static void answer_read(struct vr_replica *r, struct vr_client *c, u64 id, u64 first)
{
	struct vr_entry get = {
		.kind = VR_KIND_GET,
		.body = c->name,
		.body_bytes = c->name_bytes,
	};
	struct vr_result result;

	memset(&result, 0, sizeof(result));
	result.index = r->commit;
	result.view = r->last_normal_view;
	vr_sm_read(&r->sm, &get, &result);
	result.first = first;
	send_reply(r, c->id, c->life, &get, id, &result);
}

/* R31: as a voter's own question, but that a client is no voter. */
static void on_read(struct vr_replica *r, struct vr_client *c, const struct vr_message *m)
{
	const struct vr_entry *e = m->entries[0];

	if (m->status != VR_READ_LOCAL && !vr_is_serving(r)) {
		vr_drop(r, VR_DROP_NOT_PRIMARY);
		send_pong(r, m);
		return;
	}
	if (m->status != VR_READ_LOCAL && c->read_id == m->read_id)
		return;
	c->name_bytes = e->body_bytes;
	if (e->body_bytes)
		memcpy(c->name, e->body, e->body_bytes);
	if (m->status == VR_READ_LOCAL) {
		/* The question that this client may have asked before goes on anew. */
		c->read_id = 0;
		answer_read(r, c, m->read_id, r->cfg.replica_count == 1 ? 0 :
						vr_since(r, r->fresh_ns));
		return;
	}
	c->read_id = m->read_id;
	c->read_index = r->log.ring.last;
	c->read_stamp = r->stamp_ns + 1;
	if (r->cfg.replica_count == 1 ||
	    (m->status == VR_READ_LEASE && vr_read_lease_holds(r)))
		c->read_stamp = 0;
	else
		r->clients.unsaid = true;
	read_enqueue(r, c);
}

static void flush_reads(struct vr_replica *r)
{
	while (r->clients.reads.first != VR_NO_ROW) {
		struct vr_client *c = &r->clients.rows[r->clients.reads.first];
		u64 id = c->read_id;

		if (id && (c->read_stamp > r->lease_ns || c->read_index > r->commit))
			break;
		if (id && r->fx->send_count + VR_SENDS_KEPT >= VR_SENDS_MAX)
			return;
		read_dequeue(r);
		c->read_id = 0;
		if (id)
			answer_read(r, c, id, r->sm.messages.last);
	}
	/* One heartbeat is under way for all that asked before it was said. */
	if (!r->clients.unsaid || r->clients.said_ns > r->lease_ns)
		return;
	vr_send_heartbeat(r);
	r->clients.said_ns = r->stamp_ns;
}

/* Questions are of a view; who asked will ask again. */
void vr_serve_reset(struct vr_replica *r)
{
	while (r->clients.reads.first != VR_NO_ROW)
		read_dequeue(r)->read_id = 0;
	r->clients.unsaid = false;
	r->clients.said_ns = 0;
}

/* ---- messages --------------------------------------------------------------------- */

/* As many as a datagram takes, from @sequence on. Returns the one behind them. */
static u64 send_records(struct vr_replica *r, struct vr_client *c, u64 sequence)
{
	struct vr_message *m = vr_send_client(r, VR_RECORDS, c->id);
	const struct vr_ring *messages = &r->sm.messages;
	u32 bytes = VR_WIRE_RECORDS_BYTES;

	if (!m)
		return 0;
	/* Those before are not kept any more: the gap is between op and what it asked. */
	sequence = vr_max(sequence, messages->first);
	m->life = c->life;
	m->op = sequence - 1;
	m->sequence_first = messages->first;
	m->sequence_last = messages->last;
	for (; sequence <= messages->last && m->entry_count < VR_BATCH_MAX; sequence++) {
		const struct vr_entry *e = vr_ring_get(messages, sequence);

		bytes += VR_WIRE_RECORD_BYTES + e->body_bytes;
		if (m->entry_count && bytes > VR_FRAME_BYTES)
			break;
		m->entries[m->entry_count++] = e;
	}
	return sequence;
}

static void on_subscribe(struct vr_replica *r, struct vr_client *c, const struct vr_message *m)
{
	u64 next = m->op, last = r->sm.messages.last;
	u32 i;

	c->want = 0;
	if (next > last + 1) {
		/* We are behind it ourselves: another voter may not be. */
		vr_drop(r, VR_DROP_GAP);
		return;
	}
	if (next == last + 1) {
		c->want = next;
		want_enqueue(r, c);
		if (m->flag)
			send_records(r, c, next);
		return;
	}
	for (i = 0; i < BURST_MAX && next && next <= last; i++) {
		next = send_records(r, c, next);
		if (next && i + 1 < BURST_MAX && next <= last)
			r->fx->sends[r->fx->send_count - 1].message.flag = true;
	}
}

/* R33: who waits is told, a few at a time, so that no step gets long. */
static void flush_wants(struct vr_replica *r)
{
	u32 i;

	for (i = 0; r->clients.wants.first != VR_NO_ROW; i++) {
		struct vr_client *c = &r->clients.rows[r->clients.wants.first];

		if (c->want && c->want > r->sm.messages.last)
			return;
		if (i == PUSHES_MAX || (c->want && !send_records(r, c, c->want))) {
			vr_timer_set(r, VR_TIMER_PUSH, 0);
			return;
		}
		want_dequeue(r);
		c->want = 0;
	}
}

void vr_serve_flush(struct vr_replica *r)
{
	if (!r->clients.count)
		return;
	if (vr_is_serving(r))
		flush_reads(r);
	flush_wants(r);
}

/* ---- what comes ----------------------------------------------------------------------- */

void vr_serve(struct vr_replica *r, const struct vr_message *m)
{
	enum vr_drop drop = vr_message_invalid(m, r->cfg.replica_count);
	struct vr_client *c;

	if (!drop && (vr_type_to_client(m->type) || m->to != r->cfg.self))
		drop = VR_DROP_SLOT;
	if (!drop && m->entry_count && m->entries[0]->body_bytes > r->cfg.body_bytes_max)
		drop = VR_DROP_BOUND;
	c = drop ? NULL : hear(r, m);
	if (!c) {
		vr_drop(r, drop ? drop : VR_DROP_CLIENT);
		return;
	}
	r->received[m->type]++;
	if (m->type == VR_CLIENT_PING) {
		send_pong(r, m);
		return;
	}
	if (!vr_has_memory(r)) {
		vr_drop(r, VR_DROP_STATUS);
		return;
	}
	if (m->generation != r->generation || m->instance != r->instance) {
		vr_drop(r, VR_DROP_GENERATION);
		send_pong(r, m);
		return;
	}
	/*
	 * R34: what it would have done is in no log before all voters can follow. To
	 * read changes no log.
	 */
	if (m->type == VR_CLIENT_REQUEST && vr_keeps_from_clients(r)) {
		vr_drop(r, VR_DROP_VERSION);
		send_pong(r, m);
		return;
	}
	switch (m->type) {
	case VR_CLIENT_REQUEST:
		on_request(r, m);
		break;
	case VR_CLIENT_READ:
		on_read(r, c, m);
		break;
	case VR_SUBSCRIBE:
		on_subscribe(r, c, m);
		break;
	}
}

/* ---- leases of nodes ------------------------------------------------------------------- */

/*
 * R32: never sooner than a lease after we began to lead, or were stopped, or
 * heard of the life that its session is of: before that others may have heard it.
 */
static bool is_over(const struct vr_replica *r, const struct vr_session *s)
{
	const struct vr_client *c = find(r, s->origin);
	u64 heard_ns = vr_max(r->normal_since_ns, r->clients.since_ns);

	if (c)
		heard_ns = vr_max(heard_ns, c->life == s->nonce ? c->heard_ns : c->life_ns);
	return vr_since(r, heard_ns) >= r->cfg.node_lease_ns;
}

static bool ends_already(const struct vr_replica *r, const struct vr_entry *end)
{
	u64 op;

	for (op = r->commit + 1; op <= r->log.ring.last; op++) {
		const struct vr_entry *e = vr_log_get(&r->log, op);

		if (e->kind == VR_KIND_NODE_END && e->origin == end->origin &&
		    e->argument == end->argument)
			return true;
	}
	return false;
}

static void end_node(struct vr_replica *r, const struct vr_session *s)
{
	struct vr_entry end = {
		.kind = VR_KIND_NODE_END,
		.origin = s->origin,
		.argument = s->nonce,
	};

	if (ends_already(r, &end))
		return;
	if (vr_accept(r, &end, 0))
		return;		/* the next time */
	r->clients.ended++;
}

/* A part of the client table at a time: all of it in a quarter of a lease. */
void vr_on_nodes_timer(struct vr_replica *r)
{
	struct vr_sessions *t = &r->sm.sessions;
	u32 i;

	if (!vr_is_serving(r))
		return;
	for (i = 0; i < t->max / SWEEPS + 1; i++) {
		struct vr_session *s = &t->rows[r->clients.swept++ % t->max];

		if (s->id && vr_is_client(s->origin) && is_over(r, s))
			end_node(r, s);
	}
	vr_timer_set(r, VR_TIMER_NODES, r->cfg.node_lease_ns / SWEEP_LEASES);
}
