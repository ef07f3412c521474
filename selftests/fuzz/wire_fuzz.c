// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on the decoder: whatever it accepts means exactly those bytes, and
 * vr_message_invalid() can look at it. The fuzzer's buffer has the exact size.
 */
#include "fuzz.h"
#include "sample.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct vr_wire_scratch scratch;
	static u8 again[VR_DATAGRAM_BYTES_MAX];
	struct vr_wire_group group = sample_group;
	const struct vr_message *m = &scratch.message;
	bool members_differ;
	u8 count;

	memset(&scratch, 0xa5, sizeof(scratch));
	vr_wire_group_matches(data, size, sample_group.group);
	if (vr_wire_decode(&scratch, data, size, &sample_group, &members_differ))
		return 0;

	must(m->type && m->type < VR_TYPE_COUNT);
	must(m->entry_count <= VR_BATCH_MAX && m->hash_count <= VR_HASHES_MAX);
	for (count = 1; count <= VR_REPLICAS_MAX; count++)
		vr_message_invalid(m, count);
	/* A voter alone has nobody to speak with but its clients. */
	must(vr_type_of_client(m->type) || vr_message_invalid(m, 1) == VR_DROP_SLOT);

	/* A nonce is told by its sender's slot, which must be one. */
	if (m->type == VR_FORM_OK && m->from >= VR_REPLICAS_MAX)
		return 0;
	/* Larger than what a sender sends, so there is no room to encode it. */
	if (size > VR_DATAGRAM_BYTES_MAX)
		return 0;
	must(vr_wire_bytes(m) == size);
	group.members = vr_get64(data + 16);
	must(members_differ == (group.members != sample_group.members));
	must(vr_message_version(m) <= m->version);
	must(vr_wire_encode(again, m, m->to, m->version, &group) == size);
	must(!memcmp(again, data, size));
	return 0;
}
