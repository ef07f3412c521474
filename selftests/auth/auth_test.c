// SPDX-License-Identifier: GPL-2.0
/*
 * Two members and whoever sits between them: what is sealed is opened once, by
 * whom it is for, in the life it was sealed for, and not otherwise.
 */
#include "auth.h"
#include "vr_prng.h"
#include "vrt.h"

#define BYTES_MAX	256
#define KEPT		512

struct datagram {
	u8 bytes[BYTES_MAX];
	u32 count;
};

/* A member, as the other one's peer and with it for its own. */
struct end {
	struct vrseq_auth auth;
	struct vrseq_auth_peer peer;
};

/**
 * struct world - two members of one group
 * @end:	their ids are 1 and 2
 * @now_ns:	the time
 * @opened:	what was opened last
 * @data:	its bytes
 * @kept:	datagrams that somebody wrote down
 * @wrote_unasked: an answer was made that was not to be sent
 */
struct world {
	struct end end[2];
	u64 now_ns;
	struct vrseq_opened opened;
	u8 data[BYTES_MAX];
	struct datagram kept[KEPT];
	bool wrote_unasked;
};

static const u8 group[VRSEQ_GROUP_ID_BYTES] = "a group";
static const u8 key_a[VRSEQ_KEY_BYTES] = "the first key";
static const u8 key_b[VRSEQ_KEY_BYTES] = "the second key";

static void boot(struct world *w, int who, const u8 *key)
{
	struct end *end = &w->end[who];

	vrseq_auth_init(&end->auth, group, who + 1);
	vrseq_auth_set_key(&end->auth, 0, key);
	vrseq_auth_peer_init(&end->peer, 2 - who);
}

static struct world *world(struct vrt *t)
{
	struct world *w = vrt_alloc(t, sizeof(*w));

	w->now_ns = 1000000000;
	boot(w, 0, key_a);
	boot(w, 1, key_a);
	return w;
}

/* Seal a number for the other one. False if there is no session; @hello: HELLO is due. */
static bool seal(struct world *w, int from, u64 number, struct datagram *d, bool *hello)
{
	struct end *end = &w->end[from];
	struct vrseq_ticket ticket;
	u8 room[BYTES_MAX];
	u32 head;

	if (!vrseq_auth_reserve(&end->auth, &end->peer, 1, w->now_ns, &ticket, hello))
		return false;
	vr_put64(room + VRSEQ_INIT_BYTES, number);
	head = vrseq_auth_seal(&ticket, 0, room + VRSEQ_INIT_BYTES, 8);
	d->count = head + 8 + VRSEQ_TAG_BYTES;
	memcpy(d->bytes, room + VRSEQ_INIT_BYTES - head, d->count);
	return true;
}

static void hello(struct world *w, int from, struct datagram *d)
{
	vrseq_auth_hello(&w->end[from].auth, &w->end[from].peer, d->bytes);
	d->count = VRSEQ_HELLO_BYTES;
}

static bool is_hello(const struct datagram *d)
{
	return d->count == VRSEQ_HELLO_BYTES && d->bytes[2] == VRSEQ_HELLO;
}

/* Give a datagram to @to; an answer, if there is one, goes to @answer, and nothing else does. */
static enum vrseq_auth_error give(struct world *w, int to, const struct datagram *d,
				  struct datagram *answer)
{
	struct end *end = &w->end[to];
	static const struct datagram untouched = { .bytes = { 0x5a, 0x17 } };
	enum vrseq_auth_error error;
	bool answers = false;

	*answer = untouched;
	if (!is_hello(d))
		return vrseq_auth_open(&end->auth, &end->peer, d->bytes, d->count, w->now_ns,
				       w->data, &w->opened);
	error = vrseq_auth_on_hello(&end->auth, &end->peer, d->bytes, w->now_ns, answer->bytes,
				    &answers);
	if (answers)
		answer->count = VRSEQ_HELLO_BYTES;
	else
		w->wrote_unasked |= memcmp(answer, &untouched, sizeof(untouched)) != 0;
	return error;
}

/* One message with all that it takes, nothing lost. */
static bool tell(struct world *w, int from, u64 number)
{
	struct datagram d, answer;
	bool due;
	int i;

	for (i = 0; i < 3; i++) {
		if (seal(w, from, number, &d, &due))
			return !give(w, !from, &d, &answer) && w->opened.bytes == 8 &&
			       vr_get64(w->data) == number;
		w->now_ns += VRSEQ_HELLO_NS;
		if (!due)
			continue;
		hello(w, from, &d);
		give(w, !from, &d, &answer);
		if (answer.count)
			give(w, from, &answer, &d);
	}
	return false;
}

static void handshake(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	bool due;

	/* No session: it asks, once in a while. */
	VRT_EXPECT(t, !seal(w, 0, 1, &d, &due));
	VRT_EXPECT(t, due);
	VRT_EXPECT(t, !seal(w, 0, 1, &d, &due));
	VRT_EXPECT(t, !due);

	hello(w, 0, &d);
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, answer.count, VRSEQ_HELLO_BYTES);
	VRT_EXPECT(t, !w->end[1].peer.current_session.valid);
	VRT_EXPECT(t, !w->end[1].peer.candidate.valid);
	VRT_EXPECT_EQUAL(t, give(w, 0, &answer, &d), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, d.count, 0);

	VRT_ASSERT(t, seal(w, 0, 1, &d, &due));
	VRT_EXPECT_EQUAL(t, d.bytes[2], VRSEQ_INIT);
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, vr_get64(w->data), 1);
	VRT_ASSERT(t, seal(w, 1, 2, &d, &due));
	VRT_EXPECT_EQUAL(t, d.bytes[2], VRSEQ_DATA);
	VRT_EXPECT_EQUAL(t, give(w, 0, &d, &answer), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, vr_get64(w->data), 2);
	VRT_ASSERT(t, seal(w, 0, 3, &d, &due));
	VRT_EXPECT_EQUAL(t, d.bytes[2], VRSEQ_DATA);
	VRT_EXPECT(t, !due);
}

static void both_ask(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram ask[2], answer[2], d;
	bool due;

	hello(w, 0, &ask[0]);
	hello(w, 1, &ask[1]);
	give(w, 0, &ask[1], &answer[0]);
	give(w, 1, &ask[0], &answer[1]);
	give(w, 0, &answer[1], &d);
	give(w, 1, &answer[0], &d);
	VRT_ASSERT(t, seal(w, 0, 1, &ask[0], &due));
	VRT_ASSERT(t, seal(w, 1, 2, &ask[1], &due));
	VRT_EXPECT_EQUAL(t, give(w, 0, &ask[1], &d), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, give(w, 1, &ask[0], &d), VRSEQ_AUTH_OKAY);
	VRT_EXPECT(t, tell(w, 0, 3));
	VRT_EXPECT(t, tell(w, 1, 4));
	VRT_EXPECT_EQUAL(t, w->end[0].peer.life, 1);
	VRT_EXPECT_EQUAL(t, w->end[1].peer.life, 1);
}

static void damaged(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, bad, answer;
	u32 i, kind;
	bool due;

	for (kind = 0; kind < 3; kind++) {
		if (kind == 0)
			hello(w, 0, &d);
		else
			VRT_ASSERT(t, seal(w, 0, kind, &d, &due));
		for (i = 0; i < d.count * 8; i++) {
			bad = d;
			bad.bytes[i / 8] ^= 1 << i % 8;
			w->now_ns += VRSEQ_TRY_NS;
			VRT_ASSERT(t, give(w, 1, &bad, &answer) != VRSEQ_AUTH_OKAY);
			VRT_ASSERT_EQUAL(t, answer.count, 0);
		}
		for (i = 0; i < d.count; i++) {
			bad = d;
			bad.count = i;
			w->now_ns += VRSEQ_TRY_NS;
			VRT_ASSERT(t, give(w, 1, &bad, &answer) != VRSEQ_AUTH_OKAY);
		}
		w->now_ns += VRSEQ_TRY_NS;
		VRT_ASSERT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
		if (kind == 0)
			give(w, 0, &answer, &bad);
		else
			VRT_ASSERT(t, tell(w, 1, kind));
	}
}

/* What is for one member is for nobody else: not for its sender, not in another group. */
static void redirected(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1));
	VRT_ASSERT(t, tell(w, 1, 2));
	VRT_ASSERT(t, seal(w, 0, 3, &d, &due));
	VRT_EXPECT_EQUAL(t, give(w, 0, &d, &answer), VRSEQ_AUTH_FORMAT);
	/* Even if it says that it is. */
	vr_put16(d.bytes + 12, 2);
	vr_put16(d.bytes + 14, 1);
	VRT_EXPECT(t, give(w, 0, &d, &answer) != VRSEQ_AUTH_OKAY);

	VRT_ASSERT(t, seal(w, 0, 4, &d, &due));
	w->end[1].auth.group_tag++;
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_FORMAT);
	hello(w, 0, &d);
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_FORMAT);
}

static void other_key(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u8 key[VRSEQ_KEY_BYTES] = "key number 0";
	u64 i;

	boot(w, 1, key_b);
	hello(w, 0, &d);
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_KEY);
	VRT_EXPECT_EQUAL(t, answer.count, 0);
	VRT_EXPECT_EQUAL(t, w->end[1].peer.failed_ns, w->now_ns);
	VRT_EXPECT_EQUAL(t, w->end[1].peer.opened_ns, 0);

	/* A key with the same tag is another key all the same. */
	for (i = 0; i < 10000; i++) {
		vr_put64(key + 16, i);
		boot(w, 1, key);
		if (w->end[1].auth.keys[0].tag == w->end[0].auth.keys[0].tag)
			break;
	}
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_FORGED);
	VRT_EXPECT_EQUAL(t, answer.count, 0);
	VRT_EXPECT_EQUAL(t, w->end[1].peer.failed_ns, w->now_ns);
}

/* All that was ever sent, again: in the same life and after either end began another. */
static void replayed(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u32 kept = 0, i;
	int life, who;
	bool due;

	for (life = 0; life < 6; life++) {
		/* Whoever forgot the session asks for another when it has to speak. */
		VRT_ASSERT(t, tell(w, (life + 2) % 3 % 2, 1));
		for (i = 0; i < 4; i++) {
			for (who = 0; who < 2; who++) {
				VRT_ASSERT(t, tell(w, who, i));
				hello(w, who, &w->kept[kept++]);
				if (seal(w, who, i, &d, &due)) {
					VRT_ASSERT_EQUAL(t, give(w, !who, &d, &answer),
							 VRSEQ_AUTH_OKAY);
					w->kept[kept++] = d;
				}
			}
		}
		if (life % 3 < 2)
			boot(w, life % 3, key_a);
		for (i = 0; i < kept; i++) {
			const struct datagram *old = &w->kept[i];
			int to = vr_get16(old->bytes + 14) - 1;

			w->now_ns += VRSEQ_HELLO_NS;
			if (is_hello(old))
				give(w, to, old, &answer);
			else
				VRT_ASSERT(t, give(w, to, old, &answer) != VRSEQ_AUTH_OKAY);
		}
	}
	/* And it did not keep anybody from speaking. */
	VRT_EXPECT(t, tell(w, 0, 1));
	VRT_EXPECT(t, tell(w, 1, 2));
}

static void rotation(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	bool due;
	u64 i;
	int who, other;
	u8 tag;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	for (who = 0; who < 2; who++)
		vrseq_auth_set_key(&w->end[who].auth, 1, key_b);
	VRT_ASSERT(t, tell(w, 0, 3) && tell(w, 1, 4));
	for (who = 0; who < 2; who++) {
		vrseq_auth_swap_keys(&w->end[who].auth);
		vrseq_auth_peer_rekey(&w->end[who].peer);
		/* Nothing is lost between the two: the old session goes on until then. */
		for (i = 0; i < 6; i++) {
			other = i % 2;
			w->now_ns += VRSEQ_HELLO_NS;
			VRT_ASSERT(t, seal(w, other, i, &d, &due));
			VRT_ASSERT_EQUAL(t, give(w, !other, &d, &answer), VRSEQ_AUTH_OKAY);
			if (!due)
				continue;
			hello(w, other, &d);
			VRT_ASSERT_EQUAL(t, give(w, !other, &d, &answer), VRSEQ_AUTH_OKAY);
			VRT_ASSERT_EQUAL(t, give(w, other, &answer, &d), VRSEQ_AUTH_OKAY);
		}
		VRT_EXPECT(t, !w->end[who].peer.rekey);
	}
	for (who = 0; who < 2; who++) {
		VRT_ASSERT(t, vrseq_auth_has_key(&w->end[who].auth, 1, &tag));
		vrseq_auth_set_key(&w->end[who].auth, 1, NULL);
		vrseq_auth_peer_forget_key(&w->end[who].peer, tag);
		VRT_EXPECT(t, w->end[who].peer.current_session.valid);
	}
	VRT_EXPECT(t, tell(w, 0, 5) && tell(w, 1, 6));
	/* Who missed it is not heard any more. */
	boot(w, 1, key_a);
	VRT_EXPECT(t, !tell(w, 1, 7));
	VRT_EXPECT_EQUAL(t, w->end[0].peer.failed_ns != 0, true);
}

static void candidate_given_up(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u8 nonce[VRSEQ_NONCE_BYTES];
	bool due;

	hello(w, 0, &d);
	give(w, 1, &d, &answer);
	give(w, 0, &answer, &d);
	memcpy(nonce, w->end[0].peer.nonce, sizeof(nonce));
	VRT_ASSERT(t, seal(w, 0, 1, &d, &due));
	/* Nobody answers; the nonce is spent, or a counter would be used again. */
	w->now_ns += VRSEQ_CANDIDATE_NS + 1;
	VRT_EXPECT(t, !seal(w, 0, 2, &d, &due));
	VRT_EXPECT(t, due);
	VRT_EXPECT(t, memcmp(nonce, w->end[0].peer.nonce, sizeof(nonce)));
	VRT_EXPECT(t, tell(w, 0, 3));
}

static void machine_copied(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	vrseq_auth_peer_renew(&w->end[0].peer);
	VRT_EXPECT(t, !seal(w, 0, 3, &d, &due));
	/* What the other one still seals for the old session is not for us any more. */
	VRT_ASSERT(t, seal(w, 1, 4, &d, &due));
	VRT_EXPECT_EQUAL(t, give(w, 0, &d, &answer), VRSEQ_AUTH_SESSION);
	VRT_EXPECT(t, tell(w, 0, 5));
	VRT_EXPECT(t, tell(w, 1, 6));
}

static void flood(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u32 i, answered = 0, busy = 0;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	/* True HELLOs, one each microsecond for a second: at most 21 answers. */
	hello(w, 0, &d);
	for (i = 0; i < 1000000; i += 100) {
		w->now_ns += 100 * 1000;
		give(w, 1, &d, &answer);
		answered += answer.count != 0;
	}
	VRT_EXPECT(t, answered >= 1 && answered <= 21);
	/* False ones cost nothing after the first few. */
	d.bytes[VRSEQ_HELLO_MAC] ^= 1;
	for (i = 0; i < 1000; i++)
		busy += give(w, 1, &d, &answer) == VRSEQ_AUTH_BUSY;
	VRT_EXPECT(t, busy >= 1000 - VRSEQ_TRIES_MAX);
	VRT_EXPECT(t, !w->wrote_unasked);
	/* And whoever has a session does not notice. */
	VRT_ASSERT(t, seal(w, 0, 3, &d, &due));
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
}

/* The counter of @d is @counter; it cannot be opened then. */
static enum vrseq_auth_error give_forged(struct world *w, int to, const struct datagram *d,
					 u64 counter)
{
	struct datagram forged = *d, answer;

	vr_put64(forged.bytes + 16, counter);
	forged.bytes[forged.count - 1] ^= 1;
	return give(w, to, &forged, &answer);
}

/* False ones of a session that there is, in the name of a member that goes on to speak. */
static void forged_session(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u32 i, forged = 0, busy = 0;
	u64 counter;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	VRT_ASSERT(t, seal(w, 0, 3, &d, &due));
	/* He guesses: what is not next costs no more than so many AEADs in a second. */
	for (i = 0; i < 100000; i++) {
		enum vrseq_auth_error error = give_forged(w, 1, &d, 1000000 + i);

		w->now_ns += 10000;
		forged += error == VRSEQ_AUTH_FORGED;
		busy += error == VRSEQ_AUTH_BUSY;
	}
	VRT_EXPECT_EQUAL(t, forged + busy, 100000);
	VRT_EXPECT(t, forged >= 1000 && forged <= VRSEQ_FAR_MAX + 1000);
	/* He sees the wire, and takes the next numbers: each is tried, and the true one opens. */
	for (i = 0; i < 1000; i++) {
		counter = vr_get64(d.bytes + 16);
		VRT_ASSERT_EQUAL(t, give_forged(w, 1, &d, counter), VRSEQ_AUTH_FORGED);
		VRT_ASSERT_EQUAL(t, give_forged(w, 1, &d, counter + VRSEQ_REPLAY_WINDOW - 1),
				 VRSEQ_AUTH_FORGED);
		give_forged(w, 1, &d, counter + VRSEQ_REPLAY_WINDOW);
		VRT_ASSERT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
		VRT_ASSERT_EQUAL(t, vr_get64(w->data), i ? i : 3);
		/* Late is not far. */
		VRT_ASSERT_EQUAL(t, give_forged(w, 1, &d, counter), VRSEQ_AUTH_REPLAY);
		VRT_ASSERT(t, seal(w, 0, i + 1, &d, &due));
	}
	/* A member that was not heard for long has one try, and is back. */
	w->now_ns += VRSEQ_FAR_MAX * VRSEQ_FAR_NS;
	for (i = 0; i < 2 * VRSEQ_REPLAY_WINDOW; i++)
		VRT_ASSERT(t, seal(w, 0, i, &d, &due));
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
	VRT_EXPECT_EQUAL(t, w->end[1].peer.far.used, 1);
	/* Also in the middle of guesses, if he waits for as long as one is given back. */
	VRT_ASSERT(t, seal(w, 0, 5, &d, &due));
	for (i = 0; i < 2 * VRSEQ_FAR_MAX; i++)
		give_forged(w, 1, &d, 1000000 + i);
	for (i = 0; i < 2 * VRSEQ_REPLAY_WINDOW; i++)
		VRT_ASSERT(t, seal(w, 0, i, &d, &due));
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_BUSY);
	w->now_ns += VRSEQ_FAR_NS;
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
}

/* Whoever is found out cheaply is found out first: what comes later would say another thing. */
static void cheap_first(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, bad, answer;
	u32 i;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	VRT_ASSERT(t, seal(w, 0, 3, &d, &due));
	for (i = 0; i < 2 * VRSEQ_FAR_MAX; i++)
		give_forged(w, 1, &d, 1000000 + i);
	/* No bucket has anything left: length, group, session and counter come before it, */
	VRT_ASSERT_EQUAL(t, give_forged(w, 1, &d, 1000000), VRSEQ_AUTH_BUSY);
	bad = d;
	vr_put64(bad.bytes + 16, 1000000);
	bad.count = VRSEQ_ENVELOPE_BYTES + VRSEQ_TAG_BYTES;
	VRT_EXPECT_EQUAL(t, give(w, 1, &bad, &answer), VRSEQ_AUTH_FORMAT);
	bad.count = d.count;
	bad.bytes[8] ^= 1;
	VRT_EXPECT_EQUAL(t, give(w, 1, &bad, &answer), VRSEQ_AUTH_FORMAT);
	bad.bytes[8] ^= 1;
	bad.bytes[4] ^= 1;
	VRT_EXPECT_EQUAL(t, give(w, 1, &bad, &answer), VRSEQ_AUTH_SESSION);
	VRT_EXPECT_EQUAL(t, give_forged(w, 1, &d, 0), VRSEQ_AUTH_REPLAY);
	/* and the AEAD after it; the same for what takes a derivation. */
	hello(w, 0, &d);
	for (i = 0; i < 2 * VRSEQ_TRIES_MAX; i++) {
		bad = d;
		bad.bytes[VRSEQ_HELLO_MAC] ^= 1;
		give(w, 1, &bad, &answer);
	}
	VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_BUSY);
	bad = d;
	bad.bytes[3] ^= 1;
	VRT_EXPECT_EQUAL(t, give(w, 1, &bad, &answer), VRSEQ_AUTH_BUSY);
	bad = d;
	bad.bytes[8] ^= 1;
	VRT_EXPECT_EQUAL(t, give(w, 1, &bad, &answer), VRSEQ_AUTH_FORMAT);
	VRT_EXPECT(t, !w->wrote_unasked);
}

/*
 * Two members speak over a network that loses, keeps, repeats and reorders all it
 * likes, and begin new lives now and then. Each number is opened once at most, and
 * none in a life of the receiver after the one it was sealed for.
 */
static void hostile_network(struct vrt *t)
{
	static u8 opened[1 << 16];
	struct world *w = world(t);
	struct datagram d, answer;
	struct vr_prng prng;
	u64 number = 0, first_of_life[2] = { 0, 0 };
	u32 kept = 0, i, told = 0;
	bool due;
	int who;

	memset(opened, 0, sizeof(opened));
	vr_prng_seed(&prng, 11);
	for (i = 0; i < 60000; i++) {
		w->now_ns += vr_prng_next(&prng) % (20 * 1000 * 1000);
		who = vr_prng_next(&prng) % 2;
		if (vr_prng_next(&prng) % 997 == 0) {
			boot(w, who, key_a);
			first_of_life[!who] = number;
		} else if (vr_prng_next(&prng) % 991 == 0) {
			vrseq_auth_peer_renew(&w->end[who].peer);
			first_of_life[!who] = number;
		}
		if (vr_prng_next(&prng) % 2) {
			u32 slot = kept++ % KEPT;

			if (seal(w, who, number, &w->kept[slot], &due))
				number++;
			else
				kept--;
			if (due) {
				slot = kept++ % KEPT;
				hello(w, who, &w->kept[slot]);
			}
			continue;
		}
		if (!kept)
			continue;
		/* Mostly what is new, sometimes anything that was ever sent. */
		d = w->kept[vr_prng_next(&prng) % 4 ?
			    (kept - 1 - vr_prng_next(&prng) % vr_min(kept, 3)) % KEPT :
			    vr_prng_next(&prng) % vr_min(kept, KEPT)];
		who = vr_get16(d.bytes + 14) - 1;
		if (!give(w, who, &d, &answer) && !is_hello(&d)) {
			u64 n = vr_get64(w->data);

			VRT_ASSERT(t, n < sizeof(opened) && !opened[n]);
			VRT_ASSERT(t, n >= first_of_life[!who]);
			opened[n] = 1;
			told++;
		}
		if (answer.count)
			w->kept[kept++ % KEPT] = answer;
	}
	/* It was no silence that kept the promise. */
	VRT_EXPECT(t, told > 3000);
}

/* One end lost the session, and has nothing to say: the other one finds out. */
static void silent_peer(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	u32 asked = 0, i;
	bool due;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	boot(w, 1, key_a);
	for (i = 0; i < 30; i++) {
		w->now_ns += VRSEQ_SILENT_NS / 10;
		VRT_ASSERT(t, seal(w, 0, i, &d, &due));
		asked += due;
	}
	VRT_EXPECT(t, asked == 2 || asked == 3);
	w->now_ns += VRSEQ_SILENT_NS;
	VRT_ASSERT(t, seal(w, 0, 1, &d, &due));
	VRT_ASSERT(t, due);
	hello(w, 0, &d);
	give(w, 1, &d, &answer);
	give(w, 0, &answer, &d);
	VRT_EXPECT(t, tell(w, 0, 3));
	VRT_EXPECT(t, tell(w, 1, 4));
}

/* Who speaks less often than a session is tried for, or than silence lasts, as clients do. */
static void speaks_seldom(struct vrt *t)
{
	struct world *w = world(t);
	struct datagram d, answer;
	bool due, heard = false;
	int i;

	VRT_ASSERT(t, tell(w, 0, 1) && tell(w, 1, 2));
	for (i = 0; i < 5; i++) {
		w->now_ns += 2 * VRSEQ_SILENT_NS;
		VRT_ASSERT(t, seal(w, 0, i, &d, &due));
		VRT_EXPECT(t, !due);
		VRT_EXPECT_EQUAL(t, give(w, 1, &d, &answer), VRSEQ_AUTH_OKAY);
		VRT_ASSERT(t, seal(w, 1, i, &d, &due));
		VRT_EXPECT(t, !due);
		VRT_EXPECT_EQUAL(t, give(w, 0, &d, &answer), VRSEQ_AUTH_OKAY);
	}
	VRT_EXPECT_EQUAL(t, w->end[0].peer.life, 1);
	boot(w, 1, key_a);
	for (i = 0; i < 4 && !heard; i++) {
		w->now_ns += 2 * VRSEQ_CANDIDATE_NS;
		VRT_ASSERT(t, seal(w, 0, i, &d, &due));
		heard = give(w, 1, &d, &answer) == VRSEQ_AUTH_OKAY;
		if (!due)
			continue;
		hello(w, 0, &d);
		give(w, 1, &d, &answer);
		give(w, 0, &answer, &d);
	}
	VRT_EXPECT(t, heard);
}

static struct vrt_case cases[] = {
	{ handshake, "three datagrams make a session, a HELLO alone makes nothing" },
	{ both_ask, "two who ask at once have one session" },
	{ damaged, "any bit flipped, any byte missing: refused, not answered" },
	{ redirected, "what is for one member opens at no other" },
	{ other_key, "another key is told apart from silence" },
	{ replayed, "nothing is opened twice, not in any later life of either end" },
	{ rotation, "keys change while members speak, nothing lost" },
	{ candidate_given_up, "a session nobody answers in is given up with its nonce" },
	{ machine_copied, "a machine that was copied seals nothing in its old sessions" },
	{ silent_peer, "a member that forgot its session is asked for another" },
	{ speaks_seldom, "a member that speaks seldom needs no other session, and gets one" },
	{ flood, "a flood of HELLOs is answered 20 times a second, and disturbs no session" },
	{ forged_session, "guesses at a session cost little, and nobody is kept from speaking" },
	{ cheap_first, "length, group, session, counter and bucket come before the crypto" },
	{ hostile_network, "a network that does what it likes" },
	{ }
};

VRT_SUITE(auth, cases);
