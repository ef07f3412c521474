// SPDX-License-Identifier: GPL-2.0
/*
 * What a replica knows of the others whatever it is doing itself: who is there,
 * in which status, how far away. PING asks, PONG sends the time back; time-outs
 * adapt to what that takes (R22).
 */
#include "vr_replica_private.h"

#define PING_HEARTBEATS	8
#define BURST_HEARTBEATS (PING_HEARTBEATS / 2)
#define FORGET_HEARTBEATS (4 * PING_HEARTBEATS)	/* three PINGs, stretched */
#define STRETCH_MAX	16	/* a time-out grows to this many times its configured length */

/*
 * What waited in a queue while a link was down comes in one burst, and says how
 * long that was, not how far the peer is: it counts as one sample.
 */
static void keep_sample(struct vr_replica *r, struct vr_peer *peer, u64 sample_ns)
{
	u64 *samples = peer->samples_ns;
	bool burst = peer->sample_count &&
		     vr_since(r, peer->sampled_ns) < BURST_HEARTBEATS * r->cfg.heartbeat_ns;

	sample_ns = vr_max(vr_min(sample_ns, STRETCH_MAX * r->cfg.view_timeout_ns), 1);
	if (burst) {
		samples[0] = vr_min(samples[0], sample_ns);
		return;
	}
	memmove(samples + 1, samples, (VR_SAMPLES_MAX - 1) * sizeof(samples[0]));
	samples[0] = sample_ns;
	peer->sample_count = vr_min(peer->sample_count + 1, VR_SAMPLES_MAX);
	peer->sampled_ns = r->now_ns;
}

/*
 * The round trip is what three quarters of the latest samples exceed: neither
 * the best case nor one that a burst or a pause of anybody made. A quorum keeps
 * that of the farthest of the nearest.
 */
static void note_round_trip(struct vr_replica *r, struct vr_peer *peer, u64 sample_ns)
{
	u64 sorted[VR_SAMPLES_MAX], keeps[VR_REPLICAS_MAX];
	u32 i;

	keep_sample(r, peer, sample_ns);
	memcpy(sorted, peer->samples_ns, sizeof(sorted));
	peer->round_trip_ns = vr_quorum_max(sorted, peer->sample_count,
					    peer->sample_count - peer->sample_count / 4);

	/* Who never answered is far; complements turn the smallest into the largest. */
	for (i = 0; i < r->cfg.replica_count; i++) {
		u64 round_trip_ns = r->peers[i].round_trip_ns;

		keeps[i] = round_trip_ns ? ~round_trip_ns : 0;
	}
	keeps[r->cfg.self] = U64_MAX;
	r->round_trip_ns = ~vr_quorum_max(keeps, r->cfg.replica_count, r->quorum);
	if (r->round_trip_ns == U64_MAX)
		r->round_trip_ns = 0;
}

/* How long the primary, or a quorum, may be silent. */
u64 vr_view_timeout(const struct vr_replica *r)
{
	return vr_min(r->cfg.view_timeout_ns + 2 * r->round_trip_ns,
		      STRETCH_MAX * r->cfg.view_timeout_ns);
}

/* When to say it again, each time a bit different (R20, D29). */
u64 vr_resend_delay(struct vr_replica *r)
{
	u64 delay_ns = vr_max(r->cfg.heartbeat_ns, 2 * r->round_trip_ns);

	return vr_prng_jitter(&r->prng, vr_min(delay_ns, STRETCH_MAX * r->cfg.heartbeat_ns));
}

/* ---- versions (R34) ----------------------------------------------------------- */

static void know_version(struct vr_replica *r, struct vr_peer *peer, u8 version)
{
	if (peer->version != version)
		r->fx->status_changed = true;
	peer->version = version;
	peer->version_ns = r->now_ns;
	peer->say = vr_max(vr_min(version, r->cfg.wire_version), VR_WIRE_VERSION_MIN);
	peer->too_old = false;
}

/*
 * Whoever says something in a version speaks it. It may say other things in an older
 * one, as long as it does not know that we speak that version, too: but then its PINGs
 * come in both. So what is known stays, until another life of it says otherwise (its
 * nonce tells that at once) or it says nothing in the newer version any more.
 */
void vr_note_version(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];
	bool reborn = m->type == VR_PING && m->nonces[0] != peer->nonce;

	if (m->version == peer->version && !reborn) {
		peer->version_ns = r->now_ns;
		return;
	}
	if (reborn)
		peer->nonce = m->nonces[0];
	if (reborn || m->version > peer->version ||
	    vr_since(r, peer->version_ns) > vr_view_timeout(r) +
					    FORGET_HEARTBEATS * r->cfg.heartbeat_ns)
		know_version(r, peer, m->version);
}

u8 vr_replica_version_to(const struct vr_replica *r, const struct vr_message *m, u16 to)
{
	if (m->version)
		return m->version;
	return vr_type_of_client(m->type) ? r->cfg.wire_version : r->peers[to].say;
}

/* Other voters that are not known to speak @version. */
u8 vr_older_voters(const struct vr_replica *r, u8 version)
{
	u8 mask = 0;
	u32 i;

	for (i = 0; i < r->cfg.replica_count; i++) {
		if (i != r->cfg.self && r->peers[i].version < version)
			mask |= 1u << i;
	}
	return mask;
}

/*
 * Voters for whose sake clients are not served, as what these do could not be said to
 * them. Once it is in the log to stop would help nobody: who comes back with an older
 * version cannot follow, and the others go on.
 */
u8 vr_keeps_from_clients(const struct vr_replica *r)
{
	if (r->log_version >= VR_WIRE_VERSION_CLIENTS)
		return 0;
	return vr_older_voters(r, VR_WIRE_VERSION_CLIENTS) |
	       (r->cfg.wire_version < VR_WIRE_VERSION_CLIENTS) << r->cfg.self;
}

/*
 * Takes those out of the newest send, of @m, to whom it cannot be said; it is none any
 * more if that is all. Returns them.
 */
u8 vr_hold_back(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_send *send = &r->fx->sends[r->fx->send_count - 1];
	u8 version = VR_WIRE_VERSION_MIN, held = 0;
	u32 i;

	/* Most logs have nothing that is new in any version. */
	if (r->log_version > VR_WIRE_VERSION_MIN)
		version = vr_message_version(m);
	if (version == VR_WIRE_VERSION_MIN)
		return 0;
	for (i = 0; i < r->cfg.replica_count; i++) {
		if (!(send->to_mask & (1u << i)) || r->peers[i].say >= version)
			continue;
		r->peers[i].too_old = true;
		held |= 1u << i;
	}
	send->to_mask &= ~held;
	if (!send->to_mask) {
		r->fx->send_count--;
		r->sent[m->type]--;
	}
	return held;
}

/*
 * Entries up to the first that cannot be said to @to. If there is none the answer
 * begins where it was asked to and is empty, which says just that.
 */
void vr_say_prefix(struct vr_replica *r, struct vr_message *m, u8 to)
{
	u32 i = 0;

	while (i < m->entry_count && vr_entry_version(m->entries[i]) <= r->peers[to].say)
		i++;
	if (!i)
		r->peers[to].too_old = true;
	m->entry_count = i;
}

static void note_status(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];

	if (peer->status != m->status)
		r->fx->status_changed = true;
	peer->status = m->status;
	peer->recorded = m->recorded;
	peer->older = r->instance && m->instance && m->generation < r->generation;
}

/* Who takes part in the group remembers it, whatever its last PING said. */
void vr_note_memory(struct vr_replica *r, const struct vr_message *m)
{
	struct vr_peer *peer = &r->peers[m->from];

	if (m->type >= VR_PING || m->type == VR_GET_STATE || m->type == VR_GET_CHECKPOINT)
		return;
	if (r->instance && m->generation < r->generation)
		return;
	peer->older = false;
	if (peer->status == VR_STATUS_NORMAL || peer->status == VR_STATUS_VIEW_CHANGE)
		return;
	peer->status = VR_STATUS_NORMAL;
	r->fx->status_changed = true;
}

void vr_on_ping(struct vr_replica *r, const struct vr_message *m)
{
	bool formed = m->status != VR_STATUS_BLANK && m->status != VR_STATUS_FORMING;
	struct vr_message *pong;

	note_status(r, m);
	if (r->peers[m->from].members_differ)
		return;
	pong = vr_send(r, VR_PONG, 1u << m->from);
	if (pong) {
		pong->nonces[0] = m->nonces[0];
		pong->heartbeat_ns = m->heartbeat_ns;
		pong->op = r->log.ring.last;
		pong->age_ns = vr_read_age(r);
	}

	switch (r->status) {
	case VR_STATUS_BLANK:
		if (formed)
			vr_hear_of_group(r, m->from);
		break;
	case VR_STATUS_RECOVERING:
	case VR_STATUS_AMNESIA:
		vr_recovery_reconsider(r);
		break;
	case VR_STATUS_NORMAL:
	case VR_STATUS_VIEW_CHANGE:
		if (m->status != VR_STATUS_NORMAL || m->generation != r->generation ||
		    m->instance != r->instance)
			break;
		if (m->view > r->view)
			vr_newer_view(r, m->view);
		else if (m->view == r->view && r->status == VR_STATUS_NORMAL &&
			 m->from == vr_primary(r, r->view) && m->commit > r->log.ring.last)
			vr_repair_through(r, m->commit);
		break;
	default:
		break;
	}
}

void vr_on_pong(struct vr_replica *r, const struct vr_message *m)
{
	/* A time of an earlier life of ours says nothing. */
	if (m->nonces[0] != r->cfg.nonce || m->heartbeat_ns > r->stamp_ns) {
		vr_drop(r, VR_DROP_UNWANTED);
		return;
	}
	r->peers[m->from].pong_ns = r->now_ns;
	note_round_trip(r, &r->peers[m->from], vr_since(r, m->heartbeat_ns));
	vr_read_pong(r, m);
}

static void send_ping(struct vr_replica *r, u8 to_mask, u8 version)
{
	struct vr_message *m = vr_send(r, VR_PING, to_mask);

	if (!m)
		return;
	m->version = version;
	m->op = r->log.ring.last;
	m->status = r->status;
	m->recorded = vr_record_is_good(r);
	m->nonces[0] = r->cfg.nonce;
	m->heartbeat_ns = vr_stamp(r);
}

/* In our own version; who is not known to speak it is asked in both in turn, in it first. */
void vr_on_ping_timer(struct vr_replica *r)
{
	u8 older = r->ping_older ? vr_older_voters(r, r->cfg.wire_version) : 0;

	r->ping_older = !r->ping_older;
	send_ping(r, vr_others(r) & ~older, r->cfg.wire_version);
	send_ping(r, older, VR_WIRE_VERSION_MIN);
	vr_timer_set(r, VR_TIMER_PING,
		     vr_prng_jitter(&r->prng, PING_HEARTBEATS * r->cfg.heartbeat_ns));
}
