// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever arrives at a member with a key: the input is a list of datagrams, each
 * of them either bytes of its own or one that was really sent, changed a little.
 * Only what was sent, as it was sent, opens, and it does so once; nothing else is
 * answered. What opens goes on into a message of several parts.
 */
#include "auth.h"
#include "fuzz.h"
#include "segment.h"

#define SENT_MAX 64
#define BYTES_MAX 160

struct sent {
	u8 bytes[BYTES_MAX];
	u32 count;
	bool opened;
};

struct world {
	struct vrseq_auth auth[2];
	struct vrseq_auth_peer peer[2];
	struct sent sent[SENT_MAX];
	u32 sent_count;
	struct vrseq_segments segments;
	u8 places[VRSEQ_PLACES * VRSEQ_MESSAGE_BYTES_MAX];
	u64 now_ns;
};

static const u8 group[VRSEQ_GROUP_ID_BYTES] = "a group";
static const u8 key[VRSEQ_KEY_BYTES] = "a key";

static struct sent *next_sent(struct world *w)
{
	struct sent *s = &w->sent[w->sent_count++ % SENT_MAX];

	memset(s, 0, sizeof(*s));
	return s;
}

/* Member 1 has something to say, or to ask. */
static void speak(struct world *w, u8 parts, u8 part)
{
	u8 room[BYTES_MAX] = { 0 };
	struct vrseq_ticket ticket;
	struct sent *s;
	bool hello;
	u32 head;

	if (vrseq_auth_reserve(&w->auth[0], &w->peer[0], parts, w->now_ns, &ticket, &hello)) {
		head = vrseq_auth_seal(&ticket, part, room + VRSEQ_INIT_BYTES, 40);
		s = next_sent(w);
		s->count = head + 40 + VRSEQ_TAG_BYTES;
		memcpy(s->bytes, room + VRSEQ_INIT_BYTES - head, s->count);
	}
	if (hello) {
		s = next_sent(w);
		s->count = VRSEQ_HELLO_BYTES;
		vrseq_auth_hello(&w->auth[0], &w->peer[0], s->bytes);
	}
}

static bool was_sent(struct world *w, const u8 *bytes, u32 count, bool opens)
{
	u32 i;

	for (i = 0; i < VR_ARRAY_COUNT(w->sent); i++) {
		struct sent *s = &w->sent[i];

		if (s->count != count || memcmp(s->bytes, bytes, count))
			continue;
		if (opens) {
			must(!s->opened);
			s->opened = true;
		}
		return true;
	}
	return false;
}

static void arrive(struct world *w, const u8 *bytes, u32 count)
{
	u8 answer[VRSEQ_HELLO_BYTES], data[2048], whole[VRSEQ_MESSAGE_BYTES_MAX];
	u8 *exact = malloc(count ? count : 1);
	struct vrseq_opened opened;
	bool answers;

	must(exact);
	memcpy(exact, bytes, count);
	if (count == VRSEQ_HELLO_BYTES && exact[2] == VRSEQ_HELLO) {
		if (!vrseq_auth_on_hello(&w->auth[1], &w->peer[1], exact, w->now_ns, answer,
					 &answers)) {
			must(was_sent(w, exact, count, false));
			if (answers)
				vrseq_auth_on_hello(&w->auth[0], &w->peer[0], answer, w->now_ns,
						    data, &answers);
		} else {
			must(!answers);
		}
	} else if (!vrseq_auth_open(&w->auth[1], &w->peer[1], exact, count, w->now_ns, data,
				    &opened)) {
		const struct vrseq_place of = {
			.parts = opened.parts,
			.life = opened.life,
			.message = opened.message,
		};

		must(was_sent(w, exact, count, true));
		must(opened.bytes == 40);
		vrseq_segments_put(&w->segments, &of, opened.part, data, opened.bytes, whole);
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));
	int i;

	must(w);
	w->now_ns = 1000000000;
	for (i = 0; i < 2; i++) {
		vrseq_auth_init(&w->auth[i], group, i + 1);
		vrseq_auth_set_key(&w->auth[i], 0, key);
		vrseq_auth_peer_init(&w->peer[i], 2 - i);
	}
	vrseq_segments_init(&w->segments, w->places);
	while (size >= 4) {
		const u8 what = data[0] % 8, a = data[1], b = data[2], c = data[3];
		u8 bytes[BYTES_MAX];
		struct sent *s;
		u32 count;

		data += 4;
		size -= 4;
		w->now_ns += (u64)b << 20;
		switch (what) {
		case 0:
		case 1:
			speak(w, 1 + a % 4, c % (1 + a % 4));
			continue;
		case 2:
			vrseq_auth_peer_renew(&w->peer[a & 1]);
			continue;
		case 3:
			count = a % BYTES_MAX;
			if (count > size)
				count = size;
			memcpy(bytes, data, count);
			data += count;
			size -= count;
			break;
		default:
			s = &w->sent[a % SENT_MAX];
			count = s->count;
			memcpy(bytes, s->bytes, count);
			if (what > 5 && count)
				bytes[c % count] ^= b;
			if (what == 7)
				count = count * c / 256;
		}
		arrive(w, bytes, count);
	}
	free(w);
	return 0;
}
