/* SPDX-License-Identifier: GPL-2.0 */
/* What libFuzzer calls; it brings no header for C. And its input, taken bit by bit. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdlib.h>

#include "vr_bytes.h"
#include "vr_platform.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* What does not hold is a crash to report. */
static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/** struct input - what is left of it, and zeros after it */
struct input {
	const u8 *data;
	size_t size;
};

static inline u8 take(struct input *in)
{
	u8 byte = in->size ? *in->data : 0;

	if (in->size) {
		in->data++;
		in->size--;
	}
	return byte;
}

static inline u64 take64(struct input *in)
{
	u8 bytes[8];
	u32 i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = take(in);
	return vr_get64(bytes);
}

#endif /* FUZZ_H */
