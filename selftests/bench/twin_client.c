// SPDX-License-Identifier: GPL-2.0
/*
 * A process that asks a replica of twin.c for one number after the other and sleeps until each is
 * there, as a caller of the module's ioctl does; or several such processes at the same time.
 * usage: twin_client NAME primary|backup CALLERS SOCKET...
 */
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "bench.h"
#include "callers.h"
#include "twin.h"
#include "vr_types.h"

static struct twin_area *area;
static struct twin_slot *slot;
static unsigned int number;
static int replica, self;

static void operate(void)
{
	eventfd_t woken;

	atomic_store_explicit(&slot->done, 0, memory_order_relaxed);
	atomic_fetch_or(&area->asked[number / 64], 1ull << number % 64);
	if (atomic_load(&area->sleeps) && eventfd_write(replica, 1))
		die("eventfd: %s", strerror(errno));
	while (!atomic_load_explicit(&slot->done, memory_order_acquire)) {
		if (eventfd_read(self, &woken))
			die("eventfd: %s", strerror(errno));
	}
	if (slot->error)
		die("operation: %s", strerror(-slot->error));
}

static void map(const char *path)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), fds[3];
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(fds))];
	} control;
	struct iovec iov = { &number, sizeof(number) };
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};

	snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (void *)&local, sizeof(local)))
		die("%s: %s", path, strerror(errno));
	if (recvmsg(fd, &message, 0) != sizeof(number) ||
	    control.head.cmsg_len != CMSG_LEN(sizeof(fds)))
		die("%s: no answer", path);
	close(fd);
	memcpy(fds, CMSG_DATA(&control.head), sizeof(fds));
	area = mmap(NULL, sizeof(*area), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		    fds[0], 0);
	if (area == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	close(fds[0]);
	replica = fds[1];
	self = fds[2];
	slot = &area->slots[number];
}

static void attach(void *path)
{
	map(path);
	slot->kind = VR_KIND_SESSION_BEGIN;
	operate();
	slot->kind = VR_KIND_NEXT;
	slot->argument = 1;
}

/* The replica of that role, once there is one. */
static char *find(bool primary, char **paths, int count)
{
	int i;

	map(paths[0]);
	for (i = 0; i < 100; i++) {
		if (atomic_load(&area->ready))
			return paths[(atomic_load(&area->primary) + !primary) % count];
		usleep(100000);
	}
	die("no group");
}

int main(int argc, char **argv)
{
	int callers = argc > 4 ? atoi(argv[3]) : 0;
	char *path;

	if (callers < 1)
		die("usage: twin_client NAME primary|backup CALLERS SOCKET...");
	path = find(!strcmp(argv[2], "primary"), argv + 4, argc - 4);
	map(path);
	if (callers > 1) {
		uint64_t prepares = atomic_load(&area->prepares);

		bench_callers(argv[1], callers, attach, path, operate);
		prepares = atomic_load(&area->prepares) - prepares;
		/* Each caller began with a session. A backup makes none. */
		if (prepares)
			printf("%s-per-prepare %.2f\n", argv[1],
			       (double)(callers + bench_calls(callers)) / prepares);
		return 0;
	}
	attach(path);
	bench_run(argv[1], operate);
	return 0;
}
