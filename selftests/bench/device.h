/* SPDX-License-Identifier: GPL-2.0 */
/* An open device of this network namespace. */
#ifndef VRSEQ_BENCH_DEVICE_H
#define VRSEQ_BENCH_DEVICE_H

#include <sys/ioctl.h>
#include <linux/vrseq.h>

#include "bench.h"

/* "" is the only group there is. */
static inline int bench_attach(const char *group)
{
	struct vrseq_attach attach = { 0 };
	int fd = open("/dev/vrseq", O_RDWR);

	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	snprintf(attach.group, sizeof(attach.group), "%s", group);
	if (ioctl(fd, VRSEQ_IOC_ATTACH, &attach))
		die("ATTACH: %s", strerror(errno));
	return fd;
}

#endif /* VRSEQ_BENCH_DEVICE_H */
