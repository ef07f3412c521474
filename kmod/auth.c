// SPDX-License-Identifier: GPL-2.0
/*
 * Keys, sessions, sealing and opening; auth.h draws the handshake. The crypto is
 * the kernel's library: BLAKE2s to derive and to authenticate, ChaCha20-Poly1305
 * for what is sealed, with the counter for its nonce, which a key never sees
 * twice, as a pair of nonces makes a session once.
 */
#include "auth.h"

#include <crypto/algapi.h>
#include <crypto/blake2s.h>
#include <crypto/chacha20poly1305.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/string.h>

static_assert(VRSEQ_KEY_BYTES == CHACHA20POLY1305_KEY_SIZE);
static_assert(VRSEQ_TAG_BYTES == CHACHA20POLY1305_AUTHTAG_SIZE);

/* ---- deriving --------------------------------------------------------------- */

/* What is hashed says what for; each label has this length. */
#define LABEL_BYTES	16
static const u8 label_tag[LABEL_BYTES] = "vrseq1 key tag";
static const u8 label_id[LABEL_BYTES] = "vrseq1 id";
static const u8 label_hello[LABEL_BYTES] = "vrseq1 hello";
static const u8 label_data[LABEL_BYTES] = "vrseq1 data";

static void hash(u8 *out, size_t out_bytes, const u8 *key, const u8 *in, size_t in_bytes)
{
	blake2s(out, in, key, out_bytes, in_bytes, VRSEQ_KEY_BYTES);
}

/* The key of what @from seals for @to. */
static void derive_direction(const struct vrseq_auth *auth, const u8 *key, u16 from, u16 to,
			     const u8 *from_nonce, const u8 *to_nonce, u8 *out, u16 *id)
{
	u8 in[LABEL_BYTES + VRSEQ_GROUP_ID_BYTES + 4 + 2 * VRSEQ_NONCE_BYTES], short_id[2];
	u8 *p = in;

	memcpy(p, label_data, LABEL_BYTES);
	p += LABEL_BYTES;
	memcpy(p, auth->group, VRSEQ_GROUP_ID_BYTES);
	p += VRSEQ_GROUP_ID_BYTES;
	vr_put16(p, from);
	vr_put16(p + 2, to);
	p += 4;
	memcpy(p, from_nonce, VRSEQ_NONCE_BYTES);
	memcpy(p + VRSEQ_NONCE_BYTES, to_nonce, VRSEQ_NONCE_BYTES);
	hash(out, VRSEQ_KEY_BYTES, key, in, sizeof(in));
	hash(short_id, sizeof(short_id), out, label_id, LABEL_BYTES);
	*id = vr_get16(short_id);
}

static void derive(struct vrseq_auth_session *s, const struct vrseq_auth *auth,
		   const struct vrseq_key *key, u16 peer, const u8 *own_nonce,
		   const u8 *peer_nonce)
{
	memset(s, 0, sizeof(*s));
	s->valid = true;
	s->key = key->tag;
	memcpy(s->own_nonce, own_nonce, VRSEQ_NONCE_BYTES);
	memcpy(s->peer_nonce, peer_nonce, VRSEQ_NONCE_BYTES);
	derive_direction(auth, key->bytes, auth->self, peer, own_nonce, peer_nonce,
			 s->send_key, &s->send_id);
	derive_direction(auth, key->bytes, peer, auth->self, peer_nonce, own_nonce,
			 s->receive_key, &s->receive_id);
}

static void hello_mac(const struct vrseq_key *key, const u8 *datagram, u8 *mac)
{
	u8 hello_key[VRSEQ_KEY_BYTES];

	hash(hello_key, sizeof(hello_key), key->bytes, label_hello, LABEL_BYTES);
	hash(mac, VRSEQ_TAG_BYTES, hello_key, datagram, VRSEQ_HELLO_MAC);
	memzero_explicit(hello_key, sizeof(hello_key));
}

/* ---- keys ------------------------------------------------------------------- */

/**
 * vrseq_auth_init - a group without a key
 * @auth:	receives it
 * @group:	VRSEQ_GROUP_ID_BYTES, the same at all members, of no other group
 * @self:	our member id
 */
void vrseq_auth_init(struct vrseq_auth *auth, const u8 *group, u16 self)
{
	memset(auth, 0, sizeof(*auth));
	spin_lock_init(&auth->lock);
	memcpy(auth->group, group, VRSEQ_GROUP_ID_BYTES);
	auth->group_tag = vr_get32(group) ^ vr_get32(group + 4) ^ vr_get32(group + 8) ^
			  vr_get32(group + 12);
	auth->self = self;
}

/** vrseq_auth_tag - what datagrams name a key of VRSEQ_KEY_BYTES by */
u8 vrseq_auth_tag(const u8 *bytes)
{
	u8 tag;

	hash(&tag, 1, bytes, label_tag, LABEL_BYTES);
	return tag;
}

/**
 * vrseq_auth_set_key - put a key into a slot
 * @auth:	group
 * @slot:	0 = the one to seal with, 1 = one more that opens
 * @bytes:	VRSEQ_KEY_BYTES, or NULL for none
 */
void vrseq_auth_set_key(struct vrseq_auth *auth, int slot, const u8 *bytes)
{
	struct vrseq_key key = { .set = bytes };

	if (bytes) {
		memcpy(key.bytes, bytes, VRSEQ_KEY_BYTES);
		key.tag = vrseq_auth_tag(bytes);
	}
	spin_lock_bh(&auth->lock);
	auth->keys[slot] = key;
	spin_unlock_bh(&auth->lock);
	memzero_explicit(&key, sizeof(key));
}

/** vrseq_auth_swap_keys - seal with the other key; vrseq_auth_peer_rekey() is to follow */
void vrseq_auth_swap_keys(struct vrseq_auth *auth)
{
	spin_lock_bh(&auth->lock);
	swap(auth->keys[0], auth->keys[1]);
	spin_unlock_bh(&auth->lock);
}

/**
 * vrseq_auth_has_key - is there a key in a slot?
 * @auth:	group
 * @slot:	0 or 1
 * @tag:	receives what tells it from others, for people to compare
 */
bool vrseq_auth_has_key(struct vrseq_auth *auth, int slot, u8 *tag)
{
	bool set;

	spin_lock_bh(&auth->lock);
	set = auth->keys[slot].set;
	*tag = auth->keys[slot].tag;
	spin_unlock_bh(&auth->lock);
	return set;
}

/** vrseq_auth_wipe - forget all keys */
void vrseq_auth_wipe(struct vrseq_auth *auth)
{
	memzero_explicit(auth->keys, sizeof(auth->keys));
}

/* Copies, as a key may be taken away at any time. Wipe the copy. */
static bool key_of_tag(struct vrseq_auth *auth, u8 tag, struct vrseq_key *key)
{
	bool found = false;
	int slot;

	spin_lock_bh(&auth->lock);
	for (slot = 0; slot < VRSEQ_KEYS && !found; slot++) {
		found = auth->keys[slot].set && auth->keys[slot].tag == tag;
		if (found)
			*key = auth->keys[slot];
	}
	spin_unlock_bh(&auth->lock);
	return found;
}

/* ---- the other member ------------------------------------------------------- */

static void renew_locked(struct vrseq_auth_peer *peer)
{
	memzero_explicit(&peer->current_session, sizeof(peer->current_session));
	memzero_explicit(&peer->candidate, sizeof(peer->candidate));
	get_random_bytes(peer->nonce, sizeof(peer->nonce));
	peer->hello_ns = 0;
	peer->answer_ns = 0;
	peer->asked_ns = 0;
}

/** vrseq_auth_peer_init - a member nothing was heard of */
void vrseq_auth_peer_init(struct vrseq_auth_peer *peer, u16 id)
{
	memset(peer, 0, sizeof(*peer));
	spin_lock_init(&peer->lock);
	peer->id = id;
	renew_locked(peer);
}

/**
 * vrseq_auth_peer_renew - forget all sessions with it
 * @peer: the member
 *
 * For a machine that was copied, rolled back or asleep: nothing may be sealed
 * again with a counter that another copy of us used.
 */
void vrseq_auth_peer_renew(struct vrseq_auth_peer *peer)
{
	spin_lock_bh(&peer->lock);
	renew_locked(peer);
	spin_unlock_bh(&peer->lock);
}

/** vrseq_auth_peer_rekey - make a session with the newest key; until then keep this one */
void vrseq_auth_peer_rekey(struct vrseq_auth_peer *peer)
{
	spin_lock_bh(&peer->lock);
	peer->rekey = true;
	spin_unlock_bh(&peer->lock);
}

/** vrseq_auth_peer_forget_key - end sessions made with a key that is no more */
void vrseq_auth_peer_forget_key(struct vrseq_auth_peer *peer, u8 tag)
{
	spin_lock_bh(&peer->lock);
	if (peer->current_session.key == tag || peer->candidate.key == tag)
		renew_locked(peer);
	spin_unlock_bh(&peer->lock);
}

/* It proved to know both nonces: whatever was agreed before is over. */
static void promote_locked(struct vrseq_auth_peer *peer, const struct vrseq_auth_session *s)
{
	peer->current_session = *s;
	memzero_explicit(&peer->candidate, sizeof(peer->candidate));
	get_random_bytes(peer->nonce, sizeof(peer->nonce));
	peer->rekey = false;
	peer->life++;
}

/* May we do it once more? At most @max times at once, and then every @ns. */
static bool take(struct vrseq_bucket *bucket, u32 max, u64 ns, u64 now_ns)
{
	u64 back = (now_ns - bucket->since_ns) / ns;

	if (back) {
		bucket->used -= min_t(u64, back, bucket->used);
		bucket->since_ns = now_ns;
	}
	if (bucket->used >= max)
		return false;
	bucket->used++;
	return true;
}

/* May we spend a derivation on what may be false? */
static bool may_try_locked(struct vrseq_auth_peer *peer, u64 now_ns)
{
	return take(&peer->tries, VRSEQ_TRIES_MAX, VRSEQ_TRY_NS, now_ns);
}

/*
 * Is a datagram of a session that we have worth the AEAD? Those that a member sends
 * now always are, or somebody in its name could keep it from being heard: no bucket
 * for them. A counter that is far ahead is that of a member we did not hear for
 * long, once; or a guess.
 */
static enum vrseq_auth_error worth_opening_locked(struct vrseq_auth_peer *peer,
						  const struct vrseq_replay *replay,
						  u64 counter, u64 now_ns)
{
	if (!vrseq_replay_fresh(replay, counter))
		return VRSEQ_AUTH_REPLAY;
	if (counter >= replay->next && counter - replay->next >= VRSEQ_REPLAY_WINDOW &&
	    !take(&peer->far, VRSEQ_FAR_MAX, VRSEQ_FAR_NS, now_ns))
		return VRSEQ_AUTH_BUSY;
	return VRSEQ_AUTH_OKAY;
}

static enum vrseq_auth_error failed(struct vrseq_auth_peer *peer, u64 now_ns,
				    enum vrseq_auth_error error)
{
	spin_lock_bh(&peer->lock);
	peer->failed_ns = now_ns;
	spin_unlock_bh(&peer->lock);
	return error;
}

/* ---- sealing ---------------------------------------------------------------- */

/**
 * vrseq_auth_reserve - the right to seal a message
 * @auth:	group
 * @peer:	receiver
 * @parts:	of the message, 1 or more
 * @now_ns:	the time
 * @ticket:	receives it; to be wiped by the caller
 * @hello:	set if a HELLO is to be sent, whatever is returned
 *
 * Return: false if there is no session yet: the message is lost.
 */
bool vrseq_auth_reserve(struct vrseq_auth *auth, struct vrseq_auth_peer *peer, u8 parts,
			u64 now_ns, struct vrseq_ticket *ticket, bool *hello)
{
	struct vrseq_auth_session *s;
	bool silent, valid;

	spin_lock_bh(&peer->lock);
	/* From its first use on: who speaks seldom may not have used it yet. */
	if (peer->candidate.valid && !peer->candidate_ns) {
		peer->candidate_ns = now_ns;
	} else if (peer->candidate.valid && now_ns - peer->candidate_ns > VRSEQ_CANDIDATE_NS) {
		/* Another nonce: the same two must not make a session twice. */
		memzero_explicit(&peer->candidate, sizeof(peer->candidate));
		get_random_bytes(peer->nonce, sizeof(peer->nonce));
	}
	s = peer->candidate.valid ? &peer->candidate : &peer->current_session;
	if (!peer->asked_ns)
		peer->asked_ns = now_ns;
	/* One that is silent may not have the session any more, or another key. */
	silent = s->valid && now_ns - peer->asked_ns > VRSEQ_SILENT_NS;
	*hello = (!s->valid || ((peer->rekey || silent) && !peer->candidate.valid)) &&
		 now_ns >= peer->hello_ns;
	if (*hello)
		peer->hello_ns = now_ns + (silent ? VRSEQ_SILENT_NS : VRSEQ_HELLO_NS);
	valid = s->valid;
	if (valid) {
		ticket->envelope = (struct vrseq_envelope) {
			.type = peer->candidate.valid ? VRSEQ_INIT : VRSEQ_DATA,
			.key = s->key,
			.session = s->send_id,
			.parts = parts,
			.group = auth->group_tag,
			.from = auth->self,
			.to = peer->id,
			.counter = s->counter,
		};
		s->counter += parts;
		memcpy(ticket->nonce, s->own_nonce, VRSEQ_NONCE_BYTES);
		memcpy(ticket->key, s->send_key, VRSEQ_KEY_BYTES);
	}
	spin_unlock_bh(&peer->lock);
	return valid;
}

/**
 * vrseq_auth_seal - make part of a message a datagram
 * @ticket:	from vrseq_auth_reserve()
 * @part:	which part, each once
 * @data:	the bytes, with VRSEQ_INIT_BYTES of room before them and
 *		VRSEQ_TAG_BYTES behind
 * @bytes:	how many
 *
 * Return: how many bytes before @data the datagram begins; it ends
 * VRSEQ_TAG_BYTES behind the data.
 */
u32 vrseq_auth_seal(const struct vrseq_ticket *ticket, u8 part, u8 *data, u32 bytes)
{
	struct vrseq_envelope e = ticket->envelope;
	u32 head = e.type == VRSEQ_INIT ? VRSEQ_INIT_BYTES : VRSEQ_ENVELOPE_BYTES;

	e.part = part;
	e.counter += part;
	vrseq_envelope_write(data - head, &e);
	if (e.type == VRSEQ_INIT)
		memcpy(data - VRSEQ_NONCE_BYTES, ticket->nonce, VRSEQ_NONCE_BYTES);
	chacha20poly1305_encrypt(data, data, bytes, data - head, head, e.counter, ticket->key);
	return head;
}

/* ---- opening ---------------------------------------------------------------- */

static bool is_ours(const struct vrseq_auth *auth, const struct vrseq_auth_peer *peer,
		    const struct vrseq_envelope *e)
{
	return e->group == auth->group_tag && e->to == auth->self && e->from == peer->id;
}

static bool matches(const struct vrseq_auth_session *s, const struct vrseq_envelope *e,
		    const u8 *nonce)
{
	return s->valid && s->receive_id == e->session &&
	       (!nonce || !memcmp(s->peer_nonce, nonce, VRSEQ_NONCE_BYTES));
}

/* A copy of the session that a datagram says it is of; or why there is none. */
static enum vrseq_auth_error session_of(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
					const struct vrseq_envelope *e, const u8 *nonce,
					u64 now_ns, struct vrseq_auth_session *s)
{
	enum vrseq_auth_error error = VRSEQ_AUTH_OKAY;
	u8 own_nonce[VRSEQ_NONCE_BYTES];
	struct vrseq_key key;
	bool found = true;

	spin_lock_bh(&peer->lock);
	if (matches(&peer->current_session, e, nonce))
		*s = peer->current_session;
	else if (matches(&peer->candidate, e, nonce))
		*s = peer->candidate;
	else
		found = false;
	if (found)
		error = worth_opening_locked(peer, &s->replay, e->counter, now_ns);
	else if (!nonce)
		error = VRSEQ_AUTH_SESSION;
	else if (!may_try_locked(peer, now_ns))
		error = VRSEQ_AUTH_BUSY;
	memcpy(own_nonce, peer->nonce, sizeof(own_nonce));
	spin_unlock_bh(&peer->lock);
	if (found || error)
		return error;

	if (!key_of_tag(auth, e->key, &key))
		return failed(peer, now_ns, VRSEQ_AUTH_KEY);
	derive(s, auth, &key, peer->id, own_nonce, nonce);
	memzero_explicit(&key, sizeof(key));
	return s->receive_id == e->session ? VRSEQ_AUTH_OKAY : VRSEQ_AUTH_SESSION;
}

/* What was opened in @s is authentic: is it also new, and @s still good? */
static enum vrseq_auth_error accept(struct vrseq_auth_peer *peer,
				    const struct vrseq_auth_session *s, u64 counter, u64 now_ns,
				    struct vrseq_opened *opened)
{
	struct vrseq_auth_session *at = &peer->current_session;
	enum vrseq_auth_error error = VRSEQ_AUTH_OKAY;

	spin_lock_bh(&peer->lock);
	if (!at->valid || memcmp(at->receive_key, s->receive_key, VRSEQ_KEY_BYTES)) {
		bool candidate = peer->candidate.valid &&
				 !memcmp(peer->candidate.receive_key, s->receive_key,
					 VRSEQ_KEY_BYTES);

		/* Not one of ours: its own nonce must be one we did not use yet. */
		if (!candidate && memcmp(s->own_nonce, peer->nonce, VRSEQ_NONCE_BYTES))
			error = VRSEQ_AUTH_SESSION;
		else
			promote_locked(peer, candidate ? &peer->candidate : s);
	}
	if (!error && !vrseq_replay_fresh(&at->replay, counter))
		error = VRSEQ_AUTH_REPLAY;
	if (!error) {
		vrseq_replay_accept(&at->replay, counter);
		peer->opened_ns = now_ns;
		peer->asked_ns = 0;
		opened->life = peer->life;
	}
	spin_unlock_bh(&peer->lock);
	return error;
}

/**
 * vrseq_auth_open - open a datagram
 * @auth:	group
 * @peer:	the member it came from, by its address
 * @datagram:	not a HELLO
 * @bytes:	its length
 * @now_ns:	the time
 * @data:	receives what was sealed, room for @bytes
 * @opened:	receives how much that is, and of what
 *
 * Return: VRSEQ_AUTH_OKAY, or why nothing was opened.
 */
enum vrseq_auth_error vrseq_auth_open(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
				      const u8 *datagram, u32 bytes, u64 now_ns, u8 *data,
				      struct vrseq_opened *opened)
{
	struct vrseq_auth_session s;
	struct vrseq_envelope e;
	enum vrseq_auth_error error;
	const u8 *nonce = NULL;
	u32 head = VRSEQ_ENVELOPE_BYTES;

	if (!vrseq_envelope_read(&e, datagram, bytes) || !is_ours(auth, peer, &e))
		return VRSEQ_AUTH_FORMAT;
	if (e.type == VRSEQ_INIT) {
		nonce = datagram + VRSEQ_ENVELOPE_BYTES;
		head = VRSEQ_INIT_BYTES;
	} else if (e.type != VRSEQ_DATA) {
		return VRSEQ_AUTH_FORMAT;
	}
	error = session_of(auth, peer, &e, nonce, now_ns, &s);
	if (error)
		goto out;
	if (!chacha20poly1305_decrypt(data, datagram + head, bytes - head, datagram, head,
				      e.counter, s.receive_key)) {
		error = failed(peer, now_ns, VRSEQ_AUTH_FORGED);
		goto out;
	}
	opened->bytes = bytes - head - VRSEQ_TAG_BYTES;
	opened->part = e.part;
	opened->parts = e.parts;
	opened->message = e.counter - e.part;
	error = accept(peer, &s, e.counter, now_ns, opened);
out:
	memzero_explicit(&s, sizeof(s));
	return error;
}

/* ---- HELLO ------------------------------------------------------------------ */

static void write_hello(const struct vrseq_auth *auth, const struct vrseq_key *key, u16 to,
			const u8 *nonce, const u8 *echo, u8 *datagram)
{
	const struct vrseq_envelope e = {
		.type = VRSEQ_HELLO,
		.key = key->tag,
		.parts = 1,
		.group = auth->group_tag,
		.from = auth->self,
		.to = to,
	};

	memset(datagram, 0, VRSEQ_HELLO_BYTES);
	vrseq_envelope_write(datagram, &e);
	memcpy(datagram + VRSEQ_ENVELOPE_BYTES, nonce, VRSEQ_NONCE_BYTES);
	if (echo)
		memcpy(datagram + VRSEQ_INIT_BYTES, echo, VRSEQ_NONCE_BYTES);
	hello_mac(key, datagram, datagram + VRSEQ_HELLO_MAC);
}

/**
 * vrseq_auth_hello - ask a member for its nonce
 * @auth:	group, with a key
 * @peer:	the member
 * @datagram:	receives VRSEQ_HELLO_BYTES
 */
void vrseq_auth_hello(struct vrseq_auth *auth, struct vrseq_auth_peer *peer, u8 *datagram)
{
	u8 nonce[VRSEQ_NONCE_BYTES];
	struct vrseq_key key;

	spin_lock_bh(&auth->lock);
	key = auth->keys[0];
	spin_unlock_bh(&auth->lock);
	spin_lock_bh(&peer->lock);
	memcpy(nonce, peer->nonce, sizeof(nonce));
	spin_unlock_bh(&peer->lock);
	write_hello(auth, &key, peer->id, nonce, NULL, datagram);
	memzero_explicit(&key, sizeof(key));
}

/* It knows our nonce: seal in the session that its own one makes with it. */
static void on_echo_locked(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
			   const struct vrseq_key *key, const u8 *nonce)
{
	struct vrseq_auth_session *s = &peer->candidate;

	/*
	 * One candidate for each nonce of ours: what goes back to an earlier pair
	 * would begin to count anew. A wrong one ends with VRSEQ_CANDIDATE_NS, or
	 * when the peer asks us.
	 */
	if (s->valid)
		return;
	derive(s, auth, key, peer->id, peer->nonce, nonce);
	peer->candidate_ns = 0;
}

/**
 * vrseq_auth_on_hello - a HELLO came
 * @auth:	group
 * @peer:	the member it came from, by its address
 * @datagram:	VRSEQ_HELLO_BYTES, of type HELLO
 * @now_ns:	the time
 * @answer:	receives VRSEQ_HELLO_BYTES, not more than what asked, if @answers
 * @answers:	set if @answer is to be sent
 *
 * Return: VRSEQ_AUTH_OKAY, or why it means nothing to us.
 */
enum vrseq_auth_error vrseq_auth_on_hello(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
					  const u8 *datagram, u64 now_ns, u8 *answer,
					  bool *answers)
{
	const u8 *nonce = datagram + VRSEQ_ENVELOPE_BYTES, *echo = datagram + VRSEQ_INIT_BYTES;
	u8 mac[VRSEQ_TAG_BYTES], own_nonce[VRSEQ_NONCE_BYTES];
	enum vrseq_auth_error error = VRSEQ_AUTH_OKAY;
	struct vrseq_envelope e;
	struct vrseq_key key;
	bool may_try;

	*answers = false;
	if (!vrseq_envelope_read(&e, datagram, VRSEQ_HELLO_BYTES) || e.type != VRSEQ_HELLO ||
	    !is_ours(auth, peer, &e))
		return VRSEQ_AUTH_FORMAT;
	spin_lock_bh(&peer->lock);
	may_try = may_try_locked(peer, now_ns);
	spin_unlock_bh(&peer->lock);
	if (!may_try)
		return VRSEQ_AUTH_BUSY;
	if (!key_of_tag(auth, e.key, &key))
		return failed(peer, now_ns, VRSEQ_AUTH_KEY);
	hello_mac(&key, datagram, mac);
	if (crypto_memneq(mac, datagram + VRSEQ_HELLO_MAC, sizeof(mac))) {
		error = failed(peer, now_ns, VRSEQ_AUTH_FORGED);
		goto out;
	}

	spin_lock_bh(&peer->lock);
	if (!memcmp(echo, peer->nonce, VRSEQ_NONCE_BYTES)) {
		on_echo_locked(auth, peer, &key, nonce);
	} else if (now_ns >= peer->answer_ns) {
		peer->answer_ns = now_ns + VRSEQ_HELLO_NS;
		memcpy(own_nonce, peer->nonce, sizeof(own_nonce));
		*answers = true;
	} else {
		error = VRSEQ_AUTH_BUSY;
	}
	spin_unlock_bh(&peer->lock);
	if (*answers)
		write_hello(auth, &key, peer->id, own_nonce, nonce, answer);
out:
	memzero_explicit(&key, sizeof(key));
	return error;
}
