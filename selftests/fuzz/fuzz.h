/* SPDX-License-Identifier: GPL-2.0 */
/* What libFuzzer calls; it brings no header for C. */
#ifndef FUZZ_H
#define FUZZ_H

#include "vr_platform.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif /* FUZZ_H */
