/* SPDX-License-Identifier: GPL-2.0 */
/* What native_bench.c asks of native_loop.c: to do something many times, in the kernel. */
#ifndef VRSEQ_BENCH_NATIVE_H
#define VRSEQ_BENCH_NATIVE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct native_run - so many, one after the other
 * @next:	address of a struct vrseq_next, filled in by the caller
 * @fd:		an attached /dev/vrseq; not for the echo
 * @count:	how many
 */
struct native_run {
	__aligned_u64	next;
	__s32		fd;
	__u32		count;
};

#define NATIVE_COMMITS	_IOW('N', 1, struct native_run)
#define NATIVE_ECHOES	_IOW('N', 2, struct native_run)

#endif /* VRSEQ_BENCH_NATIVE_H */
