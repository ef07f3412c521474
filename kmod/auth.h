/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who may speak: keys of a group, sessions with its members, and what opens or
 * seals a datagram. Owns all that is secret. Knows no socket, no message and no
 * clock but the one it is told; answers nothing by itself.
 *
 * A group has a key of 32 bytes that all its members were given. For each other
 * member a member draws a nonce; two nonces and the key make a session, with one
 * key for each direction:
 *
 *	A					B
 *	HELLO(nonce a)			--->
 *				<---	HELLO(nonce b, echo a)		remembers nothing
 *	INIT(nonce a, sealed in a,b)	--->	opens: the session is the one
 *				<---	DATA(sealed in a,b)
 *	opens: the session is the one
 *	DATA				<-->	DATA
 *
 * A HELLO changes nothing at who answers it: only what was sealed with a nonce
 * that B has never used before does. B draws another nonce for A then, as A does
 * when it is answered, so that neither what A's earlier lives sent nor what was
 * sent to B's can ever be opened again. No clock, nothing stored. The same as
 * WireGuard's handshake in shape; with a shared key instead of key pairs, hence
 * without secrecy of old traffic once the key is known.
 *
 * Locks: vrseq_auth.lock and vrseq_auth_peer.lock are leaves; never both.
 */
#ifndef VRSEQ_AUTH_H
#define VRSEQ_AUTH_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include "envelope.h"
#include "replay.h"

#define VRSEQ_KEY_BYTES		32
#define VRSEQ_GROUP_ID_BYTES	16
#define VRSEQ_KEYS		2	/* the one to seal with, the one that opens, too */

/* A HELLO is said, or answered, this often at most to each member. */
#define VRSEQ_HELLO_NS		(50ull * 1000 * 1000)
/* Who answers nothing for so long is asked, once in the same time, if it still can. */
#define VRSEQ_SILENT_NS		(1000ull * 1000 * 1000)
/* How long a session may be tried without an answer. */
#define VRSEQ_CANDIDATE_NS	(1000ull * 1000 * 1000)
/* Datagrams that take a derivation to see that they are false: so many at once ... */
#define VRSEQ_TRIES_MAX		32
/* ... and one more after this time. */
#define VRSEQ_TRY_NS		(5ull * 1000 * 1000)
/* The same for those of a known session whose counter is far ahead of it. */
#define VRSEQ_FAR_MAX		64
#define VRSEQ_FAR_NS		(1000ull * 1000)

/**
 * struct vrseq_key - one key of a group
 * @set:	there is one
 * @tag:	tells keys apart, by a hash
 * @bytes:	the key
 */
struct vrseq_key {
	bool set;
	u8 tag;
	u8 bytes[VRSEQ_KEY_BYTES];
};

/**
 * struct vrseq_auth - what a group knows of keys
 * @lock:	protects @keys
 * @keys:	the first seals, all open
 * @group:	the group's uuid
 * @group_tag:	its short form
 * @self:	our member id
 */
struct vrseq_auth {
	spinlock_t lock;	/* keys */
	struct vrseq_key keys[VRSEQ_KEYS];
	u8 group[VRSEQ_GROUP_ID_BYTES];
	u32 group_tag;
	u16 self;
};

/**
 * struct vrseq_auth_session - what two nonces and a key make
 * @valid:	there is one
 * @key:	tag of the key it was made with
 * @send_id:	tells what it seals from what other sessions do
 * @receive_id:	the same, of what it opens
 * @own_nonce:	ours
 * @peer_nonce:	the other member's
 * @send_key:	seals
 * @receive_key: opens
 * @counter:	of the next datagram sent
 * @replay:	counters received
 */
struct vrseq_auth_session {
	bool valid;
	u8 key;
	u16 send_id;
	u16 receive_id;
	u8 own_nonce[VRSEQ_NONCE_BYTES];
	u8 peer_nonce[VRSEQ_NONCE_BYTES];
	u8 send_key[VRSEQ_KEY_BYTES];
	u8 receive_key[VRSEQ_KEY_BYTES];
	u64 counter;
	struct vrseq_replay replay;
};

/**
 * struct vrseq_bucket - how often something was done of late
 * @used:	so often, less what time has given back
 * @since_ns:	@used is of then
 */
struct vrseq_bucket {
	u32 used;
	u64 since_ns;
};

/**
 * struct vrseq_auth_peer - one other member
 * @lock:	protects all of it
 * @id:		member id, never changes
 * @nonce:	ours, for the next session with it
 * @life:	number of @current_session
 * @current_session: the one that it opened or sealed in last
 * @candidate:	the one that we seal in, and that it has not answered in yet
 * @candidate_ns: since when it was used, 0 = not yet
 * @hello_ns:	a HELLO may be said again from then on
 * @answer_ns:	and answered
 * @rekey:	a session with the newest key is wanted
 * @tries:	of VRSEQ_TRIES_MAX
 * @far:	of VRSEQ_FAR_MAX
 * @asked_ns:	since when nothing was opened though we speak, 0 = all was answered
 * @opened_ns:	when it last proved to have the key, 0 = never
 * @failed_ns:	when something came from its address that no key of ours opens
 */
struct vrseq_auth_peer {
	spinlock_t lock;	/* all */
	u16 id;
	u32 life;
	u8 nonce[VRSEQ_NONCE_BYTES];
	struct vrseq_auth_session current_session;
	struct vrseq_auth_session candidate;
	u64 candidate_ns;
	u64 hello_ns;
	u64 answer_ns;
	bool rekey;
	struct vrseq_bucket tries;
	struct vrseq_bucket far;
	u64 asked_ns;
	u64 opened_ns;
	u64 failed_ns;
};

/**
 * struct vrseq_ticket - the right to seal some parts of one message
 * @envelope:	of part 0
 * @nonce:	of INIT
 * @key:	seals
 */
struct vrseq_ticket {
	struct vrseq_envelope envelope;
	u8 nonce[VRSEQ_NONCE_BYTES];
	u8 key[VRSEQ_KEY_BYTES];
};

/**
 * struct vrseq_opened - what was in a datagram
 * @bytes:	how much
 * @part:	which part of a message, below @parts
 * @parts:	of the message
 * @message:	names the message among all that the member ever sends to us,
 *		together with
 * @life:	which session with it this is
 */
struct vrseq_opened {
	u32 bytes;
	u8 part;
	u8 parts;
	u64 message;
	u32 life;
};

/** enum vrseq_auth_error - why a datagram is not opened */
enum vrseq_auth_error {
	VRSEQ_AUTH_OKAY,
	VRSEQ_AUTH_FORMAT,	/* not what any member sends to us */
	VRSEQ_AUTH_KEY,		/* no key of ours has this tag */
	VRSEQ_AUTH_SESSION,	/* of a session we do not have: over, or never was */
	VRSEQ_AUTH_FORGED,	/* does not open: another key, or damaged */
	VRSEQ_AUTH_REPLAY,	/* came before, or is very old */
	VRSEQ_AUTH_BUSY,	/* too many false ones of late */
	VRSEQ_AUTH_COUNT
};

void vrseq_auth_init(struct vrseq_auth *auth, const u8 *group, u16 self);
u8 vrseq_auth_tag(const u8 *bytes);
void vrseq_auth_set_key(struct vrseq_auth *auth, int slot, const u8 *bytes);
void vrseq_auth_swap_keys(struct vrseq_auth *auth);
bool vrseq_auth_has_key(struct vrseq_auth *auth, int slot, u8 *tag);
void vrseq_auth_wipe(struct vrseq_auth *auth);

void vrseq_auth_peer_init(struct vrseq_auth_peer *peer, u16 id);
void vrseq_auth_peer_renew(struct vrseq_auth_peer *peer);
void vrseq_auth_peer_rekey(struct vrseq_auth_peer *peer);
void vrseq_auth_peer_forget_key(struct vrseq_auth_peer *peer, u8 tag);

bool vrseq_auth_reserve(struct vrseq_auth *auth, struct vrseq_auth_peer *peer, u8 parts,
			u64 now_ns, struct vrseq_ticket *ticket, bool *hello);
u32 vrseq_auth_seal(const struct vrseq_ticket *ticket, u8 part, u8 *data, u32 bytes);
enum vrseq_auth_error vrseq_auth_open(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
				      const u8 *datagram, u32 bytes, u64 now_ns, u8 *data,
				      struct vrseq_opened *opened);

void vrseq_auth_hello(struct vrseq_auth *auth, struct vrseq_auth_peer *peer, u8 *datagram);
enum vrseq_auth_error vrseq_auth_on_hello(struct vrseq_auth *auth, struct vrseq_auth_peer *peer,
					  const u8 *datagram, u64 now_ns, u8 *answer,
					  bool *answers);

#endif /* VRSEQ_AUTH_H */
