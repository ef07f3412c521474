// SPDX-License-Identifier: GPL-2.0
/*
 * usage: hold NETNS FILES [MORE]
 *
 * Holds what a process can of a group's memory: FILES attached files, each with the buffer of a
 * reader, and a mapping of the ring; says "held". When a line comes on stdin it begins on each
 * file as many of the longest messages as are let under way, says "pending", and goes on so with
 * MORE other files, one after the other; says "all". Then it waits to be killed.
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include "../chardev/dev.h"
#include "../lib/testlib.h"

#define FILES_MAX 256

static struct vrseq_info info;
static int fds[FILES_MAX];
static int files;
static char message[1 << 16];

static void say(const char *what)
{
	printf("%s\n", what);
	fflush(stdout);
}

static void open_one(void)
{
	int fd = dev_open(O_RDWR | O_NONBLOCK), error;

	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	error = dev_attach(fd, "t");
	if (error)
		die("file %d: %s", files, strerrorname_np(-error));
	error = dev_read(fd, message, sizeof(message));
	if (error < 0 && error != -EAGAIN)
		die("read: %s", strerrorname_np(-error));
	fds[files++] = fd;
}

static void begin_all(int fd)
{
	struct vrseq_append append;
	int error;

	do {
		error = dev_append(fd, message, info.message_bytes_max, &append);
		if (error && error != -EAGAIN && error != -EHOSTUNREACH)
			die("append: %s", strerrorname_np(-error));
		/* A window that is full begins nothing. */
	} while (!error || (error == -EAGAIN && append.hdr.op_id));
}

int main(int argc, char **argv)
{
	struct rlimit limit = { 2 * FILES_MAX, 2 * FILES_MAX };
	int i, more;

	if (argc < 3)
		die("usage: hold NETNS FILES [MORE]");
	setrlimit(RLIMIT_NOFILE, &limit);
	enter_netns(argv[1]);
	while (files < atoi(argv[2]))
		open_one();
	if (dev_ioctl(fds[0], VRSEQ_IOC_INFO, &info))
		die("INFO: %s", strerror(errno));
	if (mmap(NULL, info.ring_bytes, PROT_READ, MAP_SHARED, fds[0], 0) == MAP_FAILED)
		die("ring: %s", strerror(errno));
	say("held");
	if (getchar() == EOF)
		pause();
	for (i = 0; i < files; i++)
		begin_all(fds[i]);
	say("pending");
	for (more = argc > 3 ? atoi(argv[3]) : 0; more; more--) {
		open_one();
		begin_all(fds[files - 1]);
	}
	say("all");
	pause();
	return 0;
}
