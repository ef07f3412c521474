// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams in and out, all of it in softirq or with bottom halves off. Loss is
 * a fact of life here: no memory and no route are just that, and are counted.
 */
#include "udp.h"

#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include "engine.h"
#include "path.h"

#define HEADROOM (LL_MAX_HEADER + VRSEQ_PATH_HEADER_BYTES_MAX + VRSEQ_INIT_BYTES)
/* What a datagram of ours can be at most, behind the UDP header. */
#define DATAGRAM_BYTES_MAX (VRSEQ_MESSAGE_BYTES_MAX + VRSEQ_OVERHEAD_BYTES)
/* A path that takes less than this is none; it bounds the parts of a message. */
#define PART_BYTES_MIN DIV_ROUND_UP(VRSEQ_MESSAGE_BYTES_MAX, VRSEQ_PARTS_MAX)
/* Every IPv4 host takes datagrams of 576 bytes (RFC 791), of IPv6 1280 (RFC 8200). */
static_assert(sizeof(struct iphdr) + sizeof(struct udphdr) + VRSEQ_OVERHEAD_BYTES +
	      PART_BYTES_MIN <= 576);
/* Who did not prove anything for so long is silent. */
#define TRUST_NS (2ull * NSEC_PER_SEC)

/*
 * Where what was sealed is opened, and messages of several parts are whole: on
 * each CPU for the datagram it receives, with bottom halves off. The datagram
 * itself is not ours to write to: others may look at it, too.
 */
struct scratch {
	u8 opened[DATAGRAM_BYTES_MAX];
	u8 whole[VRSEQ_MESSAGE_BYTES_MAX];
};

static struct scratch __percpu *scratches;

/** vrseq_udp_init - room for what is received */
int __init vrseq_udp_init(void)
{
	scratches = alloc_percpu(struct scratch);
	return scratches ? 0 : -ENOMEM;
}

/** vrseq_udp_exit - all sockets are closed */
void vrseq_udp_exit(void)
{
	free_percpu(scratches);
}

/* Ours until the IP layer takes the datagram over. */
struct datagram {
	u16 member;
};

static struct datagram *datagram(struct sk_buff *skb)
{
	return (struct datagram *)skb->cb;
}

/**
 * vrseq_udp_create - all but the socket
 * @udp:	zeroed
 * @stats:	the engine's
 *
 * Return: 0 or -ENOMEM.
 */
int vrseq_udp_create(struct vrseq_udp *udp, struct vrseq_stats *stats)
{
	u8 *bytes = kvmalloc(VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX, GFP_KERNEL_ACCOUNT);

	if (!bytes)
		return -ENOMEM;
	udp->stats = stats;
	vrseq_segments_init(&udp->segments, bytes);
	/* Not the numbers of an earlier life, whose parts may still be on their way. */
	atomic64_set(&udp->messages, get_random_u32() * 1ll << 24);
	return 0;
}

/** vrseq_udp_destroy - free what vrseq_udp_create() made, forget clients and keys */
void vrseq_udp_destroy(struct vrseq_udp *udp)
{
	vrseq_clients_destroy(&udp->clients);
	vrseq_auth_wipe(&udp->auth);
	kvfree(udp->segments.bytes);
}

/**
 * vrseq_udp_replace_peers - publish a new table of members
 * @udp:	socket
 * @peers:	new table, NULL for none
 *
 * The caller holds vrseq_groups_lock and waits for a grace period before it destroys
 * what is returned. A datagram that was on its way between the two tables may
 * go to the wrong member, which drops it.
 *
 * Return: the old table, or NULL.
 */
struct vrseq_peers *vrseq_udp_replace_peers(struct vrseq_udp *udp, struct vrseq_peers *peers)
{
	return rcu_replace_pointer(udp->peers, peers, true);
}

/** vrseq_udp_member_id - id of a member that the core calls so, 0 = none */
u16 vrseq_udp_member_id(const struct vrseq_udp *udp, u16 member)
{
	const struct vrseq_peers *peers;
	u16 id = 0;

	if (vr_is_client(member))
		return member;
	rcu_read_lock();
	peers = rcu_dereference(udp->peers);
	if (peers && member < peers->count)
		id = peers->member[member].id;
	rcu_read_unlock();
	return id;
}

/* ---- keys ------------------------------------------------------------------- */

/**
 * vrseq_udp_trust - what a member has proved
 * @udp:	socket
 * @slot:	the member
 * @now_ns:	the time
 */
enum vrseq_trust vrseq_udp_trust(struct vrseq_udp *udp, u8 slot, u64 now_ns)
{
	enum vrseq_trust trust = VRSEQ_TRUST_SILENT;
	const struct vrseq_peers *peers;
	struct vrseq_auth_peer *auth;

	if (!udp->secure)
		return VRSEQ_TRUST_ANYBODY;
	rcu_read_lock();
	peers = rcu_dereference(udp->peers);
	if (peers && slot == peers->self)
		trust = VRSEQ_TRUST_PROVED;
	auth = peers && slot < peers->count ? peers->auth[slot] : NULL;
	if (auth) {
		u64 since_ns = now_ns > TRUST_NS ? now_ns - TRUST_NS : 0;

		spin_lock_bh(&auth->lock);
		if (auth->opened_ns && auth->opened_ns >= since_ns)
			trust = VRSEQ_TRUST_PROVED;
		else if (auth->failed_ns && auth->failed_ns >= since_ns)
			trust = VRSEQ_TRUST_OTHER_KEY;
		spin_unlock_bh(&auth->lock);
	}
	rcu_read_unlock();
	return trust;
}

static void each_auth(struct vrseq_udp *udp, void (*what)(struct vrseq_auth_peer *peer))
{
	const struct vrseq_peers *peers;
	u32 i;

	rcu_read_lock();
	peers = rcu_dereference(udp->peers);
	for (i = 0; peers && i < vrseq_auth_count(&udp->clients); i++) {
		struct vrseq_auth_peer *auth = vrseq_auth_number(peers, &udp->clients, i);

		if (auth)
			what(auth);
	}
	rcu_read_unlock();
}

/**
 * vrseq_udp_renew - this machine was copied, or slept: agree with all anew
 * @udp: socket
 */
void vrseq_udp_renew(struct vrseq_udp *udp)
{
	each_auth(udp, vrseq_auth_peer_renew);
}

/**
 * vrseq_udp_set_key - put a key into a slot
 * @udp:	socket of a group with a key
 * @slot:	0 = the one to seal with, 1 = one more that opens
 * @bytes:	VRSEQ_KEY_BYTES, NULL = take it away, and end sessions made with it
 */
void vrseq_udp_set_key(struct vrseq_udp *udp, int slot, const u8 *bytes)
{
	const struct vrseq_peers *peers;
	bool had;
	u8 tag;
	u32 i;

	had = vrseq_auth_has_key(&udp->auth, slot, &tag);
	vrseq_auth_set_key(&udp->auth, slot, bytes);
	if (!had)
		return;
	rcu_read_lock();
	peers = rcu_dereference(udp->peers);
	for (i = 0; peers && i < vrseq_auth_count(&udp->clients); i++) {
		struct vrseq_auth_peer *auth = vrseq_auth_number(peers, &udp->clients, i);

		if (auth)
			vrseq_auth_peer_forget_key(auth, tag);
	}
	rcu_read_unlock();
}

/**
 * vrseq_udp_swap_keys - seal with the other key
 * @udp: socket
 *
 * Sessions go on until there are new ones. Return: false if there is no other key.
 */
bool vrseq_udp_swap_keys(struct vrseq_udp *udp)
{
	u8 tag;

	if (!vrseq_auth_has_key(&udp->auth, 1, &tag))
		return false;
	vrseq_auth_swap_keys(&udp->auth);
	each_auth(udp, vrseq_auth_peer_rekey);
	return true;
}

/* ---- in --------------------------------------------------------------------- */

static void count_refusal(struct vrseq_udp *udp, enum vrseq_auth_error error)
{
	static const u8 stats[VRSEQ_AUTH_COUNT] = {
		[VRSEQ_AUTH_FORMAT] = VRSEQ_STAT_DROP_ENVELOPE,
		[VRSEQ_AUTH_KEY] = VRSEQ_STAT_DROP_KEY,
		[VRSEQ_AUTH_SESSION] = VRSEQ_STAT_DROP_SESSION,
		[VRSEQ_AUTH_FORGED] = VRSEQ_STAT_DROP_FORGED,
		[VRSEQ_AUTH_REPLAY] = VRSEQ_STAT_DROP_REPLAY,
		[VRSEQ_AUTH_BUSY] = VRSEQ_STAT_DROP_BUSY,
	};

	vrseq_stat_count(udp->stats, stats[error]);
}

static void emit(struct vrseq_udp *udp, const struct vrseq_endpoint *from,
		 const struct vrseq_remote *to, struct sk_buff *skb);

/* Memory is taken for an answer, never for a question: those may be anybody's. */
static void receive_hello(struct vrseq_udp *udp, const struct vrseq_endpoint *here,
			  const struct vrseq_remote *from, const u8 *data)
{
	u8 answer[VRSEQ_HELLO_BYTES];
	enum vrseq_auth_error error;
	struct sk_buff *skb;
	bool answers;

	error = vrseq_auth_on_hello(&udp->auth, from->auth, data, ktime_get_boottime_ns(),
				    answer, &answers);
	if (error)
		count_refusal(udp, error);
	if (!answers)
		return;
	skb = vrseq_udp_alloc(udp, from->member, VRSEQ_HELLO_BYTES);
	if (!skb)
		return;
	skb_put_data(skb, answer, VRSEQ_HELLO_BYTES);
	vrseq_stat_count(udp->stats, VRSEQ_STAT_HELLO_ANSWERED);
	emit(udp, here, from, skb);
}

/* Without a key nothing is promised: the envelope says which part this is. */
static bool open_plain(const u8 *data, u32 bytes, const u8 **inside, struct vrseq_opened *opened)
{
	struct vrseq_envelope e;

	if (!vrseq_envelope_read(&e, data, bytes) || e.type != VRSEQ_PLAIN)
		return false;
	*inside = data + VRSEQ_ENVELOPE_BYTES;
	*opened = (struct vrseq_opened) {
		.bytes = bytes - VRSEQ_ENVELOPE_BYTES,
		.part = e.part,
		.parts = e.parts,
		.message = e.counter - e.part,
	};
	return true;
}

static void deliver(struct vrseq_engine *e, u16 member, const u8 *data,
		    struct vrseq_opened *opened, u8 *whole)
{
	const struct vrseq_place of = {
		.from = member,
		.parts = opened->parts,
		.life = opened->life,
		.message = opened->message,
	};
	u32 bytes = opened->bytes;

	if (opened->parts > 1) {
		bytes = vrseq_segments_put(vr_is_client(member) ? e->udp.clients.segments :
								  &e->udp.segments,
					   &of, opened->part, data, bytes, whole);
		data = whole;
	}
	if (bytes)
		vrseq_engine_receive(e, member, data, bytes);
}

static void receive_from(struct vrseq_engine *e, const struct vrseq_endpoint *here,
			 const struct vrseq_remote *from, const u8 *data, u32 bytes)
{
	struct scratch *scratch = this_cpu_ptr(scratches);
	struct vrseq_udp *udp = &e->udp;
	struct vrseq_opened opened;
	enum vrseq_auth_error error;

	if (!udp->secure) {
		if (open_plain(data, bytes, &data, &opened))
			deliver(e, from->member, data, &opened, scratch->whole);
		else
			count_refusal(udp, VRSEQ_AUTH_FORMAT);
		return;
	}
	if (bytes == VRSEQ_HELLO_BYTES && data[2] == VRSEQ_HELLO) {
		receive_hello(udp, here, from, data);
		return;
	}
	error = vrseq_auth_open(&udp->auth, from->auth, data, bytes,
				ktime_get_boottime_ns(), scratch->opened, &opened);
	if (error)
		count_refusal(udp, error);
	else
		deliver(e, from->member, scratch->opened, &opened, scratch->whole);
}

/*
 * Without a key the checksum is all that tells a damaged datagram, and each of ours has
 * one, though UDP over IPv4 would do without. On its way within this machine it is yet to
 * be completed, and what stands there may be zero.
 */
static bool is_checked(const struct vrseq_udp *udp, const struct sk_buff *skb)
{
	return udp->secure || skb->ip_summed == CHECKSUM_PARTIAL || udp_hdr(skb)->check;
}

/* The encap_rcv hook: a checksum is verified if there is one, data begins at the UDP header. */
static int receive(struct sock *sk, struct sk_buff *skb)
{
	struct vrseq_engine *e = rcu_dereference_sk_user_data(sk);
	struct vrseq_endpoint at;
	struct vrseq_peers *peers;
	struct vrseq_remote from;

	if (!e)
		goto drop;
	vrseq_path_source(skb, &at);
	peers = rcu_dereference(e->udp.peers);
	if (!peers || !vrseq_remote_at(&from, peers, &e->udp.clients, &at)) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_ADDRESS);
		goto drop;
	}
	if (skb->len > sizeof(struct udphdr) + DATAGRAM_BYTES_MAX) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_SIZE);
		goto drop;
	}
	if (skb_linearize(skb)) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_NO_MEMORY);
		goto drop;
	}
	if (!is_checked(&e->udp, skb)) {
		vrseq_stat_count(e->udp.stats, VRSEQ_STAT_DROP_CHECKSUM);
		goto drop;
	}
	receive_from(e, &peers->from, &from, skb->data + sizeof(struct udphdr),
		     skb->len - sizeof(struct udphdr));
	napi_consume_skb(skb, 1);
	return 0;

drop:
	kfree_skb(skb);
	return 0;
}

/* ---- the socket ------------------------------------------------------------- */

/**
 * vrseq_udp_open - listen
 * @udp:	socket, whose engine is ready to receive
 * @net:	where; not referenced, see vrseq_udp_close()
 * @listen:	our own endpoint
 * @extack:	told why not
 *
 * Return: 0, -EADDRNOTAVAIL, -EADDRINUSE, -ENOMEM, or another errno of bind().
 */
int vrseq_udp_open(struct vrseq_udp *udp, struct net *net, const struct vrseq_endpoint *listen,
		   struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = container_of(udp, struct vrseq_engine, udp),
		.encap_type = 1,
		.encap_rcv = receive,
	};
	struct socket *sock;
	int error;

	if (!vrseq_path_is_local(net, listen)) {
		NL_SET_ERR_MSG(extack, "listen address: not an address of this machine");
		return -EADDRNOTAVAIL;
	}
	error = vrseq_path_socket(net, listen, &sock);
	switch (error) {
	case 0:
		break;
	case -EADDRINUSE:
		NL_SET_ERR_MSG(extack, "listen address: the port is taken");
		return error;
	case -ENFILE:
	case -ENOBUFS:
	case -ENOMEM:
		/* All of them are what a socket says for which there is no memory. */
		NL_SET_ERR_MSG(extack, "there is not enough memory");
		return -ENOMEM;
	default:
		NL_SET_ERR_MSG(extack, "listen address: cannot bind to it");
		return error;
	}
	sock->sk->sk_allocation = GFP_ATOMIC;
	setup_udp_tunnel_sock(net, sock, &tunnel);
	rcu_assign_pointer(udp->sk, sock->sk);
	return 0;
}

/**
 * vrseq_udp_close - nothing is received or sent any more when this returns
 * @udp: socket; closing it again does nothing
 *
 * The socket does not hold its network namespace; whoever owns the group closes
 * it before the namespace is gone.
 */
void vrseq_udp_close(struct vrseq_udp *udp)
{
	struct sock *sk = rcu_replace_pointer(udp->sk, NULL, true);

	if (!sk)
		return;
	/*
	 * Takes the hook's pointer away too, and waits for a grace period before
	 * it releases: who is in receive() or vrseq_udp_xmit() may finish.
	 */
	udp_tunnel_sock_release(sk->sk_socket);
}

/* ---- out -------------------------------------------------------------------- */

/*
 * As drivers do it: the head is a fragment of a page that is taken, and cleared, for
 * many at once, and who was received before leaves what the skb itself takes.
 */
static struct sk_buff *alloc(u32 bytes)
{
	u32 room = SKB_HEAD_ALIGN(bytes);
	struct sk_buff *skb;
	void *head;

	if (room > PAGE_SIZE)
		return alloc_skb(bytes, GFP_ATOMIC | __GFP_NOWARN);
	head = napi_alloc_frag(room);
	if (!head)
		return NULL;
	skb = napi_build_skb(head, room);
	if (!skb)
		skb_free_frag(head);
	return skb;
}

/**
 * vrseq_udp_alloc - an empty message
 * @udp:	socket
 * @member:	receiver, as the core knows it
 * @bytes:	size of what will be put into it
 *
 * Bottom halves are off. Return: the message, or NULL without memory, which is counted.
 */
struct sk_buff *vrseq_udp_alloc(struct vrseq_udp *udp, u16 member, u32 bytes)
{
	struct sk_buff *skb = alloc(HEADROOM + bytes + VRSEQ_TAG_BYTES);

	if (!skb) {
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_MEMORY);
		return NULL;
	}
	skb_reserve(skb, HEADROOM);
	datagram(skb)->member = member;
	return skb;
}

static struct dst_entry *find_route(struct vrseq_udp *udp, struct sock *sk,
				    const struct vrseq_endpoint *from,
				    const struct vrseq_remote *to)
{
	struct dst_entry *route = vrseq_path_route(sk, to->route, from, &to->endpoint);

	if (!route)
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_ROUTE);
	return route;
}

static void emit(struct vrseq_udp *udp, const struct vrseq_endpoint *from,
		 const struct vrseq_remote *to, struct sk_buff *skb)
{
	struct sock *sk = rcu_dereference_bh(udp->sk);
	struct dst_entry *route = sk ? find_route(udp, sk, from, to) : NULL;

	if (route)
		vrseq_path_xmit(sk, route, from, &to->endpoint, skb);
	else
		kfree_skb(skb);
}

static void say_hello(struct vrseq_udp *udp, const struct vrseq_endpoint *from,
		      const struct vrseq_remote *to)
{
	struct sk_buff *skb = vrseq_udp_alloc(udp, to->member, VRSEQ_HELLO_BYTES);

	if (!skb)
		return;
	vrseq_auth_hello(&udp->auth, to->auth, skb_put(skb, VRSEQ_HELLO_BYTES));
	vrseq_stat_count(udp->stats, VRSEQ_STAT_HELLO_SENT);
	emit(udp, from, to, skb);
}

/* The envelope of a message without a key, in place of a ticket to seal it. */
static void plain_ticket(struct vrseq_udp *udp, u16 to, u8 parts, struct vrseq_ticket *ticket)
{
	ticket->envelope = (struct vrseq_envelope) {
		.type = VRSEQ_PLAIN,
		.parts = parts,
		.from = udp->auth.self,
		.to = to,
	};
	if (parts > 1)
		ticket->envelope.counter = atomic64_add_return(parts, &udp->messages) - parts;
}

static bool take_ticket(struct vrseq_udp *udp, const struct vrseq_endpoint *from,
			const struct vrseq_remote *to, u8 parts, struct vrseq_ticket *ticket)
{
	bool hello, sealed;

	if (!udp->secure) {
		plain_ticket(udp, to->id, parts, ticket);
		return true;
	}
	sealed = vrseq_auth_reserve(&udp->auth, to->auth, parts, ktime_get_boottime_ns(),
				    ticket, &hello);
	if (hello)
		say_hello(udp, from, to);
	if (!sealed)
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_SESSION);
	return sealed;
}

/* Put the envelope around a part, and seal it if there is a key. */
static void wrap(const struct vrseq_ticket *ticket, u8 part, struct sk_buff *skb)
{
	struct vrseq_envelope e = ticket->envelope;
	u32 bytes = skb->len;

	if (e.type != VRSEQ_PLAIN) {
		skb_put(skb, VRSEQ_TAG_BYTES);
		skb_push(skb, vrseq_auth_seal(ticket, part, skb->data, bytes));
		return;
	}
	e.part = part;
	e.counter += part;
	vrseq_envelope_write(skb_push(skb, VRSEQ_ENVELOPE_BYTES), &e);
}

static void emit_parts(struct vrseq_udp *udp, struct sock *sk,
		       const struct vrseq_endpoint *from, const struct vrseq_remote *to,
		       const struct vrseq_ticket *ticket, u32 room, struct sk_buff *message)
{
	struct dst_entry *route;
	struct sk_buff *skb;
	u8 part;

	for (part = 0; part < ticket->envelope.parts; part++) {
		u32 start = part * room, bytes = min(room, message->len - start);

		skb = vrseq_udp_alloc(udp, to->member, bytes);
		if (!skb)
			break;
		skb_put_data(skb, message->data + start, bytes);
		wrap(ticket, part, skb);
		route = find_route(udp, sk, from, to);
		if (!route) {
			kfree_skb(skb);
			break;
		}
		vrseq_path_xmit(sk, route, from, &to->endpoint, skb);
	}
	consume_skb(message);
}

/**
 * vrseq_udp_xmit - send a message, or lose it
 * @udp:	socket
 * @skb:	from vrseq_udp_alloc(), filled; consumed
 *
 * Bottom halves are off and no lock is held. On loopback and veth the receiver
 * runs when they are switched on again, not before.
 */
void vrseq_udp_xmit(struct vrseq_udp *udp, struct sk_buff *skb)
{
	struct vrseq_peers *peers = rcu_dereference_bh(udp->peers);
	struct sock *sk = rcu_dereference_bh(udp->sk);
	struct vrseq_ticket ticket;
	struct dst_entry *route;
	struct vrseq_remote to;
	u32 used, room;
	u8 parts;

	if (!sk || !peers ||
	    !vrseq_remote_find(&to, peers, &udp->clients, datagram(skb)->member)) {
		vrseq_stat_count(udp->stats, VRSEQ_STAT_SEND_NO_PEER);
		goto lost;
	}
	route = find_route(udp, sk, &peers->from, &to);
	if (!route)
		goto lost;
	used = vrseq_path_header_bytes(&to.endpoint) + VRSEQ_OVERHEAD_BYTES;
	room = max_t(u32, dst_mtu(route), used + PART_BYTES_MIN) - used;
	parts = vrseq_parts(skb->len, room);
	if (!take_ticket(udp, &peers->from, &to, parts, &ticket)) {
		dst_release(route);
		goto lost;
	}
	if (parts == 1) {
		wrap(&ticket, 0, skb);
		vrseq_path_xmit(sk, route, &peers->from, &to.endpoint, skb);
	} else {
		dst_release(route);
		emit_parts(udp, sk, &peers->from, &to, &ticket, room, skb);
	}
	if (udp->secure)
		memzero_explicit(&ticket, sizeof(ticket));
	return;

lost:
	kfree_skb(skb);
}
