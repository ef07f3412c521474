// SPDX-License-Identifier: GPL-2.0
/*
 * One number after the other from a group, by one process or by several at the
 * same time: usage: commit_bench NAME NETNS [GROUP [CALLERS]]
 */
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <linux/vrseq.h>

#include "bench.h"

static int fd;

static void round_trip(void)
{
	struct vrseq_next next = { .count = 1 };

	if (ioctl(fd, VRSEQ_IOC_NEXT, &next))
		die("NEXT: %s", strerror(errno));
}

static void attach(const char *group)
{
	struct vrseq_attach attach = { 0 };

	fd = open("/dev/vrseq", O_RDWR);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	snprintf(attach.group, sizeof(attach.group), "%s", group);
	if (ioctl(fd, VRSEQ_IOC_ATTACH, &attach))
		die("ATTACH: %s", strerror(errno));
}

static void say(int fd)
{
	if (write(fd, "", 1) != 1)
		die("pipe: %s", strerror(errno));
}

static void hear(int fd, int count)
{
	char byte;

	while (count--) {
		if (read(fd, &byte, 1) != 1)
			die("a caller failed");
	}
}

/* Says when it is ready, begins when nobody holds @start, says when it is done. */
static void call(const char *group, int says, int start, int rounds)
{
	char byte;
	int i;

	attach(group);
	for (i = 0; i < WARM_UP / 10; i++)
		round_trip();
	say(says);
	if (read(start, &byte, 1))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < rounds; i++)
		round_trip();
	say(says);
	exit(0);
}

/* Prints "NAME mean", of a number; each caller waits for its own alone. */
static void run_callers(const char *name, const char *group, int callers)
{
	int says[2], start[2], rounds = ROUNDS / callers, i;
	uint64_t took;
	pid_t pid;

	if (pipe(says) || pipe(start))
		die("pipe: %s", strerror(errno));
	for (i = 0; i < callers; i++) {
		pid = fork();
		if (pid < 0)
			die("fork: %s", strerror(errno));
		if (pid)
			continue;
		close(start[1]);
		call(group, says[1], start[0], rounds);
	}
	close(says[1]);
	hear(says[0], callers);
	took = bench_now();
	close(start[1]);
	hear(says[0], callers);
	took = bench_now() - took;
	while (wait(NULL) > 0)
		;
	printf("%s %llu\n", name, (unsigned long long)took / (rounds * callers));
}

int main(int argc, char **argv)
{
	const char *group = argc > 3 ? argv[3] : "";
	int callers = argc > 4 ? atoi(argv[4]) : 1;

	if (argc < 3 || argc > 5 || callers < 1)
		die("usage: commit_bench NAME NETNS [GROUP [CALLERS]]");
	enter_netns(argv[2]);
	if (callers > 1) {
		run_callers(argv[1], group, callers);
		return 0;
	}
	attach(group);
	bench_run(argv[1], round_trip);
	return 0;
}
