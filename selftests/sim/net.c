// SPDX-License-Identifier: GPL-2.0
/*
 * The network: datagrams, always as bytes, each in a heap buffer of exactly
 * its size, so that the sanitizers see a read past the end. Loses, doubles,
 * delays, reorders, damages and repeats them as the seed says.
 */
#include "sim.h"

#define POISON 0xa5

/* Where the fields that garbage() damages are; see vr_wire.h. */
#define AT_MAGIC	0
#define AT_VERSION	4
#define AT_TYPE		5
#define AT_FROM		6
#define AT_TO		7
#define AT_GROUP	8
#define AT_MEMBERS	16
#define AT_INCARNATION	24
#define AT_GENERATION	40
#define AT_BYTES	42
#define AT_INSTANCE	44

static u8 *copy(const u8 *bytes, u32 count)
{
	u8 *to = sim_allocate(count);

	memcpy(to, bytes, count);
	return to;
}

static u64 transit_ns(struct sim *sim)
{
	struct sim_options *o = &sim->options;
	struct sim_random *r = &sim->random_net;
	u64 delay = o->delay_ns;

	if (sim->phase != PHASE_FAULTY)
		return delay + random_below(r, vr_min(o->jitter_ns, o->heartbeat_ns / 16));
	delay += random_below(r, o->jitter_ns);
	if (random_ppm(r, o->spike_ppm))
		delay += random_spread(r, o->delay_ns, o->spike_ns);
	return delay;
}

static void post(struct sim *sim, u8 to, const u8 *bytes, u32 count, u64 delay_ns)
{
	struct sim_event event = { .kind = SIM_DELIVER, .slot = to };

	event.bytes = copy(bytes, count);
	event.byte_count = count;
	sim_post(sim, &event, delay_ns);
}

static void write_random(struct sim *sim, u8 *at, u32 count)
{
	while (count--)
		*at++ = random_u64(&sim->random_net);
}

/*
 * A later generation of the group, in another instance: that is what a cold start
 * looks like (R18), and only a forger says it of none. To whoever has no memory two
 * damaged datagrams may say it together, so a seed has damage of one kind or the other;
 * where there are several generations one says it alone, and there is neither.
 */
static bool may_damage(struct sim *sim, u32 place)
{
	if (!sim->net.damaged)
		sim->net.damaged = place;
	return sim->net.damaged == place && !record_keepers(sim);
}

/*
 * Bytes that no correct peer sends, or not to this one: none may do harm. What
 * only a forger makes is not among them; keeping forgers out is not the core's.
 */
static void garbage(struct sim *sim, u8 to, const u8 *good, u32 count)
{
	struct sim_random *r = &sim->random_net;
	u8 *bytes = sim_allocate(count + 8);
	u32 length = count;

	memcpy(bytes, good, count);
	switch (random_below(r, 14)) {
	case 0:
		length = random_below(r, count);
		break;
	case 1:	/* cut short, and says so */
		length = VR_WIRE_HEAD_BYTES + random_below(r, count - VR_WIRE_HEAD_BYTES);
		bytes[AT_BYTES] = length;
		bytes[AT_BYTES + 1] = length >> 8;
		break;
	case 2:
		length = count + random_between(r, 1, 8);
		bytes[AT_BYTES] = length;
		bytes[AT_BYTES + 1] = length >> 8;
		break;
	case 3:
		write_random(sim, bytes + AT_MAGIC, 1);
		break;
	case 4:
		bytes[AT_VERSION] += random_between(r, 1, 255);
		break;
	case 5:
		bytes[AT_TYPE] = random_between(r, VR_TYPE_COUNT, 255);
		break;
	case 6:
		bytes[AT_FROM] = random_between(r, sim->options.replica_count, 255);
		break;
	case 7:
		bytes[AT_TO] = random_below(r, sim->options.replica_count);
		break;
	case 8:
		if (!memcmp(bytes + AT_INSTANCE, bytes + count, 4) ||
		    !may_damage(sim, AT_INSTANCE))
			break;
		bytes[AT_INSTANCE + random_below(r, 4)] += random_between(r, 1, 255);
		break;
	case 9:
		write_random(sim, bytes + AT_GROUP, 8);
		break;
	case 10:
		write_random(sim, bytes + AT_MEMBERS, 8);
		break;
	case 11:
		memset(bytes + AT_INCARNATION, 0, 8);
		break;
	case 12:	/* what these end with is to be zero */
		if (bytes[AT_TYPE] == VR_PING || bytes[AT_TYPE] == VR_FORM_REFUSED)
			bytes[count - random_between(r, 1, 7)] = random_between(r, 1, 255);
		break;
	case 13:
		if (bytes[AT_TYPE] >= VR_PING || !may_damage(sim, AT_GENERATION))
			break;
		bytes[AT_GENERATION] += random_between(r, 1, 255);
		break;
	}
	post(sim, to, bytes, length, transit_ns(sim));
	free(bytes);
}

/* Keeps a sample of all that was ever sent, evenly over time. */
static void remember(struct sim *sim, u8 to, const u8 *bytes, u32 count)
{
	struct sim_net *net = &sim->net;
	u64 place = net->old_seen++;

	if (place >= SIM_REPLAYS_MAX) {
		/* The newest get in half of the time, so that both ages are there. */
		place = random_below(&sim->random_net, 2 * SIM_REPLAYS_MAX);
		if (place >= SIM_REPLAYS_MAX)
			return;
		free(net->old[place].bytes);
	}
	net->old[place].to = to;
	net->old[place].bytes = copy(bytes, count);
	net->old[place].byte_count = count;
}

void net_replay(struct sim *sim)
{
	struct sim_net *net = &sim->net;
	u64 kept = vr_min(net->old_seen, SIM_REPLAYS_MAX);
	struct sim_datagram *old;

	if (!kept)
		return;
	old = &net->old[random_below(&sim->random_net, kept)];
	sim_mark(sim, MARK_REPLAY);
	post(sim, old->to, old->bytes, old->byte_count, transit_ns(sim));
}

/* What a forgotten promise may be in, or what answers a question of a life that ended. */
static bool is_weighty(u8 type)
{
	const u64 weighty = 1ull << VR_EXIT_VIEW | 1ull << VR_DO_VIEW_CHANGE |
			    1ull << VR_START_VIEW | 1ull << VR_RECOVERY |
			    1ull << VR_RECOVERY_RESPONSE | 1ull << VR_PREPARE_OK |
			    1ull << VR_GET_INDEX | 1ull << VR_NEW_INDEX | 1ull << VR_PONG |
			    1ull << VR_COLD_PROMISE | 1ull << VR_COLD_ACCEPT |
			    1ull << VR_COLD_ACCEPTED | 1ull << VR_CLIENT_REQUEST | 1ull << VR_REPLY;

	return weighty >> type & 1;
}

/* Kept out of sight until somebody's life has ended; the oldest give way. */
static void withhold(struct sim *sim, u8 from, u8 to, const u8 *bytes, u32 count)
{
	struct sim_net *net = &sim->net;
	struct sim_datagram *d = &net->withheld[net->withheld_count % SIM_WITHHELD_MAX];

	net->withheld_count++;
	free(d->bytes);
	d->from = from;
	d->to = to;
	d->bytes = copy(bytes, count);
	d->byte_count = count;
}

/* Lives have ended, and are forgotten: what they were sent and said arrives. */
void net_release(struct sim *sim, u8 slot)
{
	struct sim_random *r = &sim->random_net;
	u32 i;

	for (i = 0; i < SIM_WITHHELD_MAX; i++) {
		struct sim_datagram *d = &sim->net.withheld[i];

		if (!d->bytes || (d->from != slot && d->to != slot) || !random_below(r, 4))
			continue;
		sim_mark(sim, MARK_WITHHELD);
		post(sim, d->to, d->bytes, d->byte_count,
		     random_spread(r, sim->options.delay_ns, sim->options.view_timeout_ns * 4));
		free(d->bytes);
		d->bytes = NULL;
	}
}

/* A later generation begins: what was said in the earlier ones comes again. */
void net_old_generation(struct sim *sim)
{
	u32 i;

	for (i = 0; i < sim->options.replica_count; i++)
		net_release(sim, i);
	for (i = 0; sim_has(sim, FAULT_REPLAY) && i < SIM_REPLAYS_MAX / 2; i++)
		net_replay(sim);
}

static void net_pass(struct sim *sim, u8 from, u8 to, const u8 *bytes, u32 count)
{
	struct sim_options *o = &sim->options;
	struct sim_random *r = &sim->random_net;
	bool faulty = sim->phase == PHASE_FAULTY;

	/* Forming is hard enough; most seeds want a group to break. */
	if (!sim->checker.formed && !sim_has(sim, FAULT_FORM))
		faulty = false;
	if (faulty && sim_has(sim, FAULT_REPLAY)) {
		if (random_ppm(r, 50000))
			remember(sim, to, bytes, count);
		if (random_ppm(r, o->replay_ppm))
			net_replay(sim);
	}
	if (faulty && random_ppm(r, o->garbage_ppm))
		garbage(sim, to, bytes, count);
	if (faulty && o->withhold_ppm && is_weighty(bytes[AT_TYPE]) &&
	    random_ppm(r, o->withhold_ppm)) {
		withhold(sim, from, to, bytes, count);
		return;
	}
	if (sim->net.cut[from][to])
		return;
	if (faulty && random_ppm(r, o->loss_ppm))
		return;
	if (faulty && count > o->size_bytes && random_ppm(r, o->size_ppm))
		return;
	if (faulty && (o->type_mask >> bytes[AT_TYPE] & 1) && random_ppm(r, o->type_ppm))
		return;
	if (faulty && random_ppm(r, o->duplicate_ppm))
		post(sim, to, bytes, count, transit_ns(sim));
	post(sim, to, bytes, count, transit_ns(sim));
}

/* V1, V2: in a version that has it, and that its receiver has shown to speak. */
u8 net_version(struct sim *sim, const struct vr_message *m, u8 to)
{
	const struct sim_node *node = &sim->nodes[m->from];
	u8 version = vr_replica_version_to(node->replica, m, to);

	if (version < vr_message_version(m))
		sim_fail(sim, "V1: replica %u says %s in version %u, which has it not", m->from,
			 vr_type_name(m->type), version);
	if (m->type != VR_PING && !vr_type_of_client(m->type) &&
	    version > vr_max(node->heard_version[to], VR_WIRE_VERSION_MIN))
		sim_fail(sim, "V2: replica %u says %s in version %u to %u, heard in %u", m->from,
			 vr_type_name(m->type), version, to, node->heard_version[to]);
	return version;
}

void net_send(struct sim *sim, u8 from, const struct vr_message *m, u8 to)
{
	u32 count = vr_wire_bytes(m);
	u8 *bytes;
	u32 written;

	if (count < VR_WIRE_HEAD_BYTES || count > VR_DATAGRAM_BYTES_MAX || m->from != from) {
		sim_fail(sim, "S4: replica %u makes a %s of %u bytes from %u", from,
			 vr_type_name(m->type), count, m->from);
		return;
	}
	bytes = sim_allocate(count);
	written = vr_wire_encode(bytes, m, to, net_version(sim, m, to), &sim->group);
	if (written != count)
		sim_fail(sim, "S5: %s encodes to %u bytes instead of %u",
			 vr_type_name(m->type), written, count);
	sim_digest_bytes(sim, bytes, count);
	if (!sim->on_send || sim->on_send(sim, from, to, m))
		net_pass(sim, from, to, bytes, count);
	free(bytes);
}

void net_deliver(struct sim *sim, const struct sim_event *sim_event)
{
	struct sim_node *node = &sim->nodes[sim_event->slot];
	struct vr_event event = { .type = VR_EVENT_RECEIVE };
	enum vr_drop drop;
	struct sim_hearing heard;
	bool is_vote;

	if (!node->up)
		return;
	if (node->paused) {
		if (!node->pause_loses && node->held++ < SIM_HELD_MAX)
			post(sim, node->slot, sim_event->bytes, sim_event->byte_count,
			     node->resume_ns - sim->now_ns);
		return;
	}
	drop = vr_wire_decode(sim->scratch, sim_event->bytes, sim_event->byte_count,
			      &sim->group, &event.members_differ);
	if (drop) {
		sim->totals.drops[drop]++;
		sim_trace(sim, node, "DROP %s (%u bytes)", vr_drop_name(drop),
			  sim_event->byte_count);
		return;
	}
	if (event.members_differ)
		sim_mark(sim, MARK_MEMBERS_DIFFER);
	event.message = &sim->scratch->message;
	if (event.message->from < VR_REPLICAS_MAX)
		node->heard_version[event.message->from] =
			vr_max(node->heard_version[event.message->from], event.message->version);
	remote_heard(sim, node, event.message);
	is_vote = event.message->type == VR_DO_VIEW_CHANGE;
	if (is_vote) {
		heard = node->heard;
		check_heard(sim, node, event.message);
	}
	node_step(sim, node, &event);
	if (is_vote && check_overheard(node))
		node->heard = heard;
	check_adopted(sim, node, event.message);
	/* Nothing of an event may be kept. */
	if (sim->options.check_every_step)
		memset(sim->scratch, POISON, sizeof(*sim->scratch));
	memset(sim_event->bytes, POISON, sim_event->byte_count);
}

/* --- partitions --- */

static void cut_between(struct sim *sim, u8 group, bool one_way)
{
	u8 i, j;

	for (i = 0; i < sim->options.replica_count; i++) {
		for (j = 0; j < sim->options.replica_count; j++) {
			if ((group >> i & 1) && !(group >> j & 1)) {
				sim->net.cut[i][j] = true;
				sim->net.cut[j][i] |= !one_way;
			}
		}
	}
}

void net_mend_in(struct sim *sim, u64 length_ns)
{
	struct sim_event event = { .kind = SIM_MEND };

	event.number = ++sim->net.cut_number;
	sim_post(sim, &event, length_ns);
}

void net_part(struct sim *sim, u8 group, u64 length_ns)
{
	memset(sim->net.cut, 0, sizeof(sim->net.cut));
	cut_between(sim, group, false);
	net_mend_in(sim, length_ns);
}

/* In both directions, or only one of them. */
void net_cut_off(struct sim *sim, u8 slot, u64 length_ns)
{
	u8 self = 1u << slot;
	u8 others = ((1u << sim->options.replica_count) - 1) & ~self;
	u64 dice = random_below(&sim->random_fault, 4);

	memset(sim->net.cut, 0, sizeof(sim->net.cut));
	cut_between(sim, dice == 1 ? others : self, dice < 2);
	sim_trace(sim, &sim->nodes[slot], "CUT OFF");
	net_mend_in(sim, length_ns);
}

/* Each hears its neighbours only: A - B - C, and A and C not each other. */
static void cut_to_chain(struct sim *sim)
{
	u8 n = sim->options.replica_count;
	u8 start = random_below(&sim->random_fault, n);
	u8 i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < n; j++) {
			u8 a = (i + start) % n, b = (j + start) % n;

			sim->net.cut[i][j] = a > b + 1 || b > a + 1;
		}
	}
	sim_mark(sim, MARK_CHAIN);
}

void net_cut(struct sim *sim, u64 length_ns)
{
	struct sim_random *r = &sim->random_fault;
	u8 n = sim->options.replica_count;
	u32 links;
	u8 i, j;

	memset(sim->net.cut, 0, sizeof(sim->net.cut));
	switch (random_below(r, 6)) {
	case 0:	/* two sides */
		cut_between(sim, random_below(r, 1u << n), false);
		break;
	case 1:	/* one member alone */
		cut_between(sim, 1u << random_below(r, n), false);
		break;
	case 2:	/* one member mute */
		cut_between(sim, 1u << random_below(r, n), true);
		sim_mark(sim, MARK_ONE_WAY);
		break;
	case 3:	/* one side deaf */
		cut_between(sim, random_below(r, 1u << n), true);
		sim_mark(sim, MARK_ONE_WAY);
		break;
	case 4:
		cut_to_chain(sim);
		break;
	default: /* some links, some of them in one direction */
		for (links = random_between(r, 1, 2 * n); links; links--) {
			i = random_below(r, n);
			j = random_below(r, n);
			sim->net.cut[i][j] = true;
			if (random_below(r, 2))
				sim->net.cut[j][i] = true;
		}
	}
	remote_cut(sim);
	sim_mark(sim, MARK_PARTITION);
	sim_trace(sim, NULL, "PARTITION");
	net_mend_in(sim, length_ns);
}

void net_mend(struct sim *sim, u32 number)
{
	if (number != sim->net.cut_number || sim->phase != PHASE_FAULTY)
		return;
	memset(sim->net.cut, 0, sizeof(sim->net.cut));
	sim_trace(sim, NULL, "MEND");
}

void net_heal(struct sim *sim)
{
	memset(sim->net.cut, 0, sizeof(sim->net.cut));
}

void net_free(struct sim *sim)
{
	u64 kept = vr_min(sim->net.old_seen, SIM_REPLAYS_MAX);

	u32 i;

	while (kept)
		free(sim->net.old[--kept].bytes);
	for (i = 0; i < SIM_WITHHELD_MAX; i++)
		free(sim->net.withheld[i].bytes);
}
