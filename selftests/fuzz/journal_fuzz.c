// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the scan and on what is made of it: any file gets a verdict, reading
 * only what is asked for, and a replica that is restored from one keeps its
 * invariants or is refused with a sentence. Checksums would keep the fuzzer out, so
 * the first byte says how the rest is meant: as the file itself, or as superblocks
 * and frames that are sealed here.
 */
#include "fuzz.h"
#include "vr_journal_write.h"
#include "vr_restore.h"

#define BLOCK		256
#define RING_BLOCKS	16
#define FILE_BYTES	(VR_JOURNAL_HEAD_BYTES + 2 * BLOCK + RING_BLOCKS * BLOCK)

static u8 file[FILE_BYTES];

static void seal_super(struct input *in, u64 sequence)
{
	struct vr_journal_super super = {
		.sequence = sequence,
		.shape = { BLOCK, BLOCK, RING_BLOCKS * BLOCK },
		.owner = { .self_id = 1, .member_count = 3, .member_ids = { 1, 2, 3 } },
		.formed = take(in) % 8,
		.lost = !(take(in) % 16) && sequence == 2,
		.checkpoint_op = take(in) % 4 ? 0 : take(in),
		.start = (u64)(take(in) % 4 ? 0 : take(in)) * BLOCK,
	};

	vr_journal_put_super(file + (sequence & 1) * VR_JOURNAL_SUPER_BYTES, &super);
}

/* Returns the checksum, as the next frame's chain. */
static u64 seal_frame(struct input *in, u64 *position, u64 *op, u64 chain)
{
	u8 frame[8 * BLOCK] = { 0 }, *at = frame + VR_JOURNAL_FRAME_BYTES;
	u64 offset = *position % (RING_BLOCKS * BLOCK), count, left;
	struct vr_frame f = {
		.flags = take(in) % 4 | (*position ? 0 : VR_FRAME_BASE),
		.position = *position,
		.synced = take(in) % 4 ? *position : take(in) * BLOCK,
		.chain = take(in) % 16 ? chain : take(in),
		.replica_count = take(in) % 8 ? 3 : take(in),
		.instance = 1,
		.incarnation = take(in) % 8 ? 1 : take(in),
		.last_normal_view = take(in) % 4,
		.commit = take(in),
		.op_before = take(in) % 4 ? *op : take(in),
		.vector = { 1, 1, 1 },
	};
	u32 entries = take(in) % 4, i;
	u8 body[255];

	f.view = f.last_normal_view + take(in) % 2;
	*op = f.op_before;
	for (i = 0; i < sizeof(body); i++)
		body[i] = i;
	for (i = 0; i < entries; i++) {
		struct vr_entry e = {
			.view = take(in) % 2, .session = take(in) % 4, .request = take(in) % 8,
			.argument = take(in), .kind = take(in) % 8, .origin = take(in) % 4,
			.body = body, .body_bytes = take(in) % (take(in) % 8 ? 32 : sizeof(body)),
		};

		at = vr_journal_put_entry(at, &e);
		(*op)++;
	}
	f.entry_count = take(in) % 16 ? entries : take(in);
	f.bytes = at - frame;
	chain = vr_journal_seal(frame, &f);
	count = vr_journal_round(f.bytes, BLOCK);
	left = vr_min(count, RING_BLOCKS * BLOCK - offset);
	memcpy(file + VR_JOURNAL_HEAD_BYTES + 2 * BLOCK + offset, frame, left);
	memcpy(file + VR_JOURNAL_HEAD_BYTES + 2 * BLOCK, frame + left, count - left);
	*position += count;
	return chain;
}

static void compose(struct input *in)
{
	u64 position = 0, op = 0, chain = 0;

	memset(file, 0, sizeof(file));
	seal_super(in, 1);
	seal_super(in, 2);
	while (in->size && position < 2 * RING_BLOCKS * BLOCK)
		chain = seal_frame(in, &position, &op, chain);
}

static void restore(struct vr_journal_scan *s, u64 size)
{
	static struct vr_effects fx;
	struct vr_config cfg = {
		.replica_count = 3, .journal = true, .nonce = 1, .seed = 1,
		.heartbeat_ns = 10 * VR_NS_PER_MS, .view_timeout_ns = 50 * VR_NS_PER_MS,
		.log_entries = VR_ENTRIES_MIN,
		.body_bytes_max = 64, .log_bytes = 2 * VR_PIPELINE_MAX * 64, .messages = 2,
		.message_bytes = 2 * 64, .sessions_max = 4, .counters_max = 4,
		.pending_max = 4,
	};
	struct vr_event event = { .type = VR_EVENT_START, .now_ns = 1 };
	struct vr_replica *r = vr_replica_init(calloc(1, vr_replica_size(&cfg)), &cfg);
	const char *wrong = vr_restore_begin(r, s);
	u64 offset;
	u32 bytes;
	u8 *into;

	while (!wrong && vr_scan_wants(s, &offset, &bytes, &into)) {
		must(offset + bytes <= size);
		memcpy(into, file + offset, bytes);
		vr_scan_took(s);
		wrong = vr_restore_took(r, s, &fx);
	}
	if (!wrong)
		wrong = vr_restore_end(r, s);
	if (!wrong) {
		vr_step(r, &event, &fx);
		must(!vr_replica_check(r));
	}
	free(r);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 buffer[VR_JOURNAL_WRITE_BYTES_MAX];
	struct input in = { data, size };
	struct vr_journal_scan s;
	u64 offset, length = sizeof(file);
	u32 bytes, reads = 0;
	u8 *into;

	if (take(&in) % 4) {
		compose(&in);
	} else {
		length = vr_min(in.size, sizeof(file));
		memcpy(file, in.data, length);
	}
	vr_scan_begin(&s, buffer, length);
	while (vr_scan_wants(&s, &offset, &bytes, &into)) {
		must(bytes && offset + bytes <= length);
		must(into >= buffer && into + bytes <= buffer + sizeof(buffer));
		must(++reads < 10000);
		memcpy(into, file + offset, bytes);
		vr_scan_took(&s);
	}
	must(s.verdict < VR_JOURNAL_VERDICT_COUNT);
	vr_journal_verdict_name(s.verdict);
	if (s.verdict == VR_JOURNAL_WHOLE)
		restore(&s, length);
	return 0;
}
