/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: dying with a reason, entering a namespace.
 */
#ifndef VRSEQ_TESTLIB_H
#define VRSEQ_TESTLIB_H

#ifndef _GNU_SOURCE
#error "define _GNU_SOURCE on the command line"
#endif
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void __attribute__((noreturn, format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	exit(3);
}

/* Moves this thread into a namespace of "ip netns"; false: there is none. */
static inline bool try_netns(const char *name)
{
	char path[256];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	done = !setns(fd, CLONE_NEWNET);
	close(fd);
	return done;
}

static inline void enter_netns(const char *name)
{
	if (!try_netns(name))
		die("network namespace %s: %s", name, strerror(errno));
}

#endif /* VRSEQ_TESTLIB_H */
