/* SPDX-License-Identifier: GPL-2.0 */
/* System calls that ld --wrap sends to a test instead of to the kernel. */
#ifndef VRSEQ_WRAP_H
#define VRSEQ_WRAP_H

#include <poll.h>
#include <signal.h>
#include <sys/types.h>
#include <time.h>

int __wrap_open(const char *path, int flags, ...);
int __wrap_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t bytes);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
		 const sigset_t *mask);
int __real_close(int fd);

#endif /* VRSEQ_WRAP_H */
