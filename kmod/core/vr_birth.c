// SPDX-License-Identifier: GPL-2.0
/*
 * Birth of a replica: which configuration one may have, how its memory is laid
 * out, and what it is before its first event. Knows no message and no phase.
 */
#include "vr_replica_private.h"

static u32 bodies_min(const struct vr_config *cfg)
{
	return 2 * VR_PIPELINE_MAX * cfg->body_bytes_max;
}

static bool is_power_of_2(u32 n)
{
	return n && !(n & (n - 1));
}

/* What a client needs, and a voter too. */
static const char *client_invalid(const struct vr_config *cfg)
{
	if (!is_power_of_2(cfg->messages) || cfg->messages < 2)
		return "a power of 2 of messages must be kept, 2 or more";
	if (!is_power_of_2(cfg->body_bytes_max) || cfg->body_bytes_max > VR_BODY_BYTES_MAX)
		return "a message must be limited to a power of 2 of bytes, 8 KiB at most";
	if (!is_power_of_2(cfg->message_bytes) ||
	    cfg->message_bytes < 2 * cfg->body_bytes_max)
		return "a power of 2 of message bytes must be kept, 2 messages or more";
	if (!cfg->pending_max || cfg->pending_max > VR_PENDING_MAX)
		return "there must be 1 to 8192 handles";
	return NULL;
}

static const char *version_invalid(const struct vr_config *cfg)
{
	if (!cfg->wire_version)
		return NULL;
	if (cfg->wire_version < VR_WIRE_VERSION_MIN || cfg->wire_version > VR_WIRE_VERSION)
		return "the wire version must be 4 or 5";
	if (cfg->client && cfg->wire_version < VR_WIRE_VERSION_CLIENTS)
		return "wire version 4 knows no clients";
	return NULL;
}

const char *vr_config_invalid(const struct vr_config *cfg)
{
	const char *wrong = version_invalid(cfg);

	if (wrong)
		return wrong;
	if ((!cfg->replica_count && !cfg->client) || cfg->replica_count > VR_REPLICAS_MAX)
		return "a group has 1 to 7 voters";
	if (cfg->client ? !vr_is_client(cfg->client) : cfg->self >= cfg->replica_count)
		return "this member is not in the list";
	if (!cfg->heartbeat_ns || cfg->view_timeout_ns < 4 * cfg->heartbeat_ns)
		return "the view timeout must be four heartbeats or more";
	if (cfg->client)
		return client_invalid(cfg);
	if (!is_power_of_2(cfg->log_entries) || cfg->log_entries < VR_ENTRIES_MIN)
		return "the log must have a power of 2 of entries, 256 or more";
	if (!is_power_of_2(cfg->body_bytes_max) || cfg->body_bytes_max > VR_BODY_BYTES_MAX)
		return "a message must be limited to a power of 2 of bytes, 8 KiB at most";
	if (!is_power_of_2(cfg->log_bytes) || cfg->log_bytes < bodies_min(cfg))
		return "the log must have a power of 2 of bytes, 128 messages or more";
	if (cfg->journal && cfg->memory_is_durable)
		return "a journal is of no use where memory is durable";
	if (!cfg->sessions_max || !cfg->counters_max)
		return "there must be room for sessions and counters";
	if (cfg->lease_ns > cfg->view_timeout_ns / 2)
		return "the lease must be half the view timeout or less";
	if (cfg->clients_max && cfg->node_lease_ns < cfg->view_timeout_ns)
		return "the node lease must be a view timeout or more";
	return client_invalid(cfg);
}

/* Cuts one block into the replica and its arrays; NULL memory only measures. */
struct carver {
	u8 *memory;
	size_t used;
};

static void *carve(struct carver *c, size_t bytes)
{
	void *at = c->memory ? c->memory + c->used : NULL;

	c->used += (bytes + 15) & ~(size_t)15;
	return at;
}

static void carve_ring(struct carver *c, struct vr_ring *ring, u32 slots, u32 bytes)
{
	ring->slots = carve(c, (size_t)slots * sizeof(*ring->slots));
	ring->arena = carve(c, bytes);
	ring->slot_count = slots;
	ring->arena_bytes = bytes;
}

static void carve_checkpoint(struct carver *c, struct vr_checkpoint *checkpoint,
			     const struct vr_config *cfg)
{
	checkpoint->size_max = vr_checkpoint_size_max(cfg->counters_max, cfg->sessions_max,
						      cfg->messages, cfg->message_bytes);
	checkpoint->body_bytes_max = cfg->body_bytes_max;
	checkpoint->bytes = carve(c, checkpoint->size_max);
	checkpoint->chunks = carve(c, vr_checkpoint_chunk_count(checkpoint->size_max) / 8 + 1);
}

static void carve_pendings(struct carver *c, struct vr_pendings *all,
			   const struct vr_config *cfg)
{
	all->table = carve(c, (size_t)cfg->pending_max * sizeof(*all->table));
	all->buckets = carve(c, cfg->pending_max * sizeof(*all->buckets));
}

static void carve_clients(struct carver *c, struct vr_clients *clients,
			  const struct vr_config *cfg)
{
	clients->rows = carve(c, cfg->clients_max * sizeof(*clients->rows));
	clients->buckets = carve(c, cfg->clients_max * sizeof(*clients->buckets));
}

static struct vr_replica *carve_replica(struct carver *c, const struct vr_config *cfg)
{
	/* Without memory the pointers have nowhere to go but here. */
	struct vr_ring ring;
	struct vr_sm sm;
	struct vr_checkpoint checkpoint;
	struct vr_pendings pendings;
	struct vr_clients clients;
	struct vr_replica *r = carve(c, sizeof(*r));
	struct vr_sm *s = r ? &r->sm : &sm;

	carve_ring(c, &s->messages, cfg->messages, cfg->message_bytes);
	carve_pendings(c, r ? &r->pendings : &pendings, cfg);
	if (cfg->client)
		return r;
	carve_ring(c, r ? &r->log.ring : &ring, cfg->log_entries, cfg->log_bytes);
	carve_ring(c, r ? &r->stage : &ring, VR_PIPELINE_MAX * 2, bodies_min(cfg));
	s->counters = carve(c, cfg->counters_max * sizeof(*s->counters));
	s->buckets = carve(c, cfg->counters_max * sizeof(*s->buckets));
	s->counters_max = cfg->counters_max;
	s->sessions.rows = carve(c, cfg->sessions_max * sizeof(*s->sessions.rows));
	s->sessions.buckets = carve(c, cfg->sessions_max * sizeof(*s->sessions.buckets));
	s->sessions.max = cfg->sessions_max;
	carve_checkpoint(c, r ? &r->checkpoint : &checkpoint, cfg);
	carve_clients(c, r ? &r->clients : &clients, cfg);
	return r;
}

size_t vr_replica_size(const struct vr_config *cfg)
{
	struct carver c = { .memory = NULL };

	carve_replica(&c, cfg);
	return c.used;
}

struct vr_replica *vr_replica_init(void *memory, const struct vr_config *cfg)
{
	struct carver c = { .memory = memory };
	struct vr_replica *r = carve_replica(&c, cfg);
	u32 i;

	r->cfg = *cfg;
	if (!cfg->wire_version)
		r->cfg.wire_version = VR_WIRE_VERSION;
	r->log_version = VR_WIRE_VERSION_MIN;
	r->quorum = cfg->replica_count / 2 + 1;
	r->status = VR_STATUS_BLANK;
	r->record = cfg->record;
	vr_prng_seed(&r->prng, cfg->seed);
	for (i = 0; i < VR_TIMER_COUNT; i++)
		vr_timer_stop(r, i);
	for (i = 0; i < VR_REPLICAS_MAX; i++) {
		r->peers[i].status = VR_STATUS_COUNT;
		r->peers[i].say = VR_WIRE_VERSION_MIN;
	}
	vr_log_reset(&r->log, 1);
	vr_sm_reset(&r->sm, 0);
	vr_ring_reset(&r->stage, 1);
	vr_pendings_reset(r);
	vr_clients_reset(r);
	return r;
}
