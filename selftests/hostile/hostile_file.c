// SPDX-License-Identifier: GPL-2.0
/*
 * usage: hostile_file SECONDS SEED NETNS...
 *
 * Processes that throw anything at /dev/vrseq, in the members' namespaces, and are killed at any
 * time. What each does follows from SEED; when it is killed does not. They check what they are
 * told. In the end all of them are dead, the group gives a number larger than all before, and its
 * log has no hole and all that was appended.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "../lib/testlib.h"
#include "hostile.h"

#define WORKERS		5
#define KILL_S		30		/* however slow the machine, this long nobody resists */
#define QUORUM_S	20
#define EARNEST_S	5		/* in less there may not be time for all kinds of calls */
#define CALLS_MAX	3000		/* of one process */
#define RECORDS		65536

static const char * const call_names[CALL_COUNT] = {
	[CALL_INFO] = "info", [CALL_ATTACH] = "attach", [CALL_STATUS] = "status",
	[CALL_NEXT] = "next", [CALL_GET] = "get", [CALL_RESULT] = "result",
	[CALL_APPEND] = "append", [CALL_SEEK] = "seek", [CALL_BARRIER] = "barrier",
	[CALL_RING_WAIT] = "ring-wait", [CALL_COMPAT] = "int80", [CALL_READ] = "read",
	[CALL_WRITE] = "write", [CALL_LSEEK] = "lseek", [CALL_POLL] = "poll",
	[CALL_SYNC] = "sync", [CALL_MMAP] = "mmap", [CALL_FILE] = "open", [CALL_FORK] = "fork",
	[CALL_URING] = "io_uring", [CALL_FOREIGN] = "foreign",
};

/** broken - a promise was: say which, and end */
void broken(struct worker *w, const char *format, ...)
{
	char what[WHAT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (!__atomic_fetch_add(&w->shared->broken, 1, __ATOMIC_SEQ_CST))
		memcpy(w->shared->what, what, sizeof(what));
	_exit(9);
}

/** count_call - one more, with what came of it */
void count_call(struct worker *w, enum hostile_call call, long got)
{
	__atomic_fetch_add(got < 0 ? &w->shared->bad[call] : &w->shared->good[call], 1,
			   __ATOMIC_RELAXED);
}

/** raise_to - @value is at least @to */
void raise_to(__u64 *value, __u64 to)
{
	__u64 old = __atomic_load_n(value, __ATOMIC_SEQ_CST);

	while (old < to && !__atomic_compare_exchange_n(value, &old, to, false, __ATOMIC_SEQ_CST,
							__ATOMIC_SEQ_CST))
		;
}

/** wild_pointer - to where nothing of ours is, or not enough */
__u64 wild_pointer(struct worker *w)
{
	static const __u64 pointers[] = {
		0, 1, 8, ~0ull, ~0ull - 4095, 0xffff888000000000ull, 0xffffffff81000000ull,
		0x7ffffffff000ull, 0x800000000000ull, 0x1234567800000000ull,
	};

	if (one_in(w, 2))
		return (unsigned long)w->arena + 3 * PAGE + random_below(w, PAGE / 2);
	return ANY_OF(w, pointers);
}

/* ---- a process ------------------------------------------------------------------------------- */

static void on_alarm(int signal)
{
}

/** worker_begin - signals, so that nothing is waited for very long */
void worker_begin(struct worker *w)
{
	const struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	const struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void map_memory(struct worker *w)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	/* Also 32-bit calls must reach it. */
	w->arena = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, flags | MAP_32BIT, -1, 0);
	w->bulk = mmap(NULL, BULK_BYTES + PAGE, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (w->arena == MAP_FAILED || w->bulk == MAP_FAILED)
		die("no memory");
	mprotect(w->arena + 3 * PAGE, PAGE, PROT_NONE);
	mprotect(w->bulk + BULK_BYTES, PAGE, PROT_NONE);
}

static void __attribute__((noreturn)) work(struct worker *w, const char *netns)
{
	int i;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	enter_netns(netns);
	map_memory(w);
	worker_begin(w);
	worker_files(w);
	for (i = 0; i < CALLS_MAX; i++)
		hostile_call(w);
	_exit(0);
}

/* ---- all of them ----------------------------------------------------------------------------- */

static struct worker parent;
static pid_t workers[WORKERS];
static unsigned int started, killed;

static void start(unsigned int i, __u64 seed, char **netns, int count)
{
	struct worker w = parent;

	w.random = seed * 1000003 + started++;
	workers[i] = fork();
	if (!workers[i])
		work(&w, netns[started % count]);
	if (workers[i] < 0)
		die("fork: %s", strerror(errno));
}

/* Nobody but us may have ended it. */
static void check_death(pid_t pid, int status)
{
	if (parent.shared->broken)
		die("%s", parent.shared->what);
	if (WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) != SIGKILL)
		die("process %d: status %#x", pid, status);
}

/* Reaps whoever has died, also children of our children. Returns false if nobody is left. */
static bool reap(void)
{
	unsigned int i;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		check_death(pid, status);
		for (i = 0; i < WORKERS; i++) {
			if (workers[i] != pid)
				continue;
			/* Its children go with it. */
			kill(-pid, SIGKILL);
			workers[i] = 0;
		}
	}
	return !pid || errno != ECHILD;
}

static void kill_all(void)
{
	__u64 until = dev_now_ns() + KILL_S * 1000 * MS;
	unsigned int i;

	for (i = 0; i < WORKERS; i++) {
		if (workers[i])
			kill(-workers[i], SIGKILL);
	}
	while (reap()) {
		if (dev_now_ns() > until)
			die("somebody cannot be killed");
		usleep(10000);
	}
	if (parent.shared->broken)
		die("%s", parent.shared->what);
}

static void rampage(unsigned int seconds, __u64 seed, char **netns, int count)
{
	__u64 until = dev_now_ns() + seconds * 1000 * MS, next_kill = 0;
	unsigned int i;

	while (dev_now_ns() < until) {
		for (i = 0; i < WORKERS; i++) {
			if (!workers[i])
				start(i, seed, netns, count);
		}
		if (dev_now_ns() > next_kill) {
			next_kill = dev_now_ns() + (30 + random_below(&parent, 400)) * MS;
			i = random_below(&parent, WORKERS);
			kill(one_in(&parent, 2) ? -workers[i] : workers[i], SIGKILL);
			killed++;
		}
		usleep(5000);
		reap();
	}
	kill_all();
}

/* ---- afterwards ------------------------------------------------------------------------------ */

/* It may have been refused a quorum of late, which passes. */
static void check_next(int fd)
{
	__u64 until = dev_now_ns() + QUORUM_S * 1000 * MS;
	struct vrseq_next next;
	int error;

	do {
		memset(&next, 0, sizeof(next));
		next.count = 1;
		next.hdr.deadline_ns = until;
		error = dev_ioctl(fd, VRSEQ_IOC_NEXT, &next);
	} while (error == -EHOSTUNREACH && dev_now_ns() < until);
	if (error)
		die("no number any more: %s", strerror(-error));
	if (next.first <= parent.shared->largest)
		die("number %llu after %llu", next.first, parent.shared->largest);
	printf("the next number is %llu, the largest before was %llu\n", next.first,
	       parent.shared->largest);
}

static void check_log(int fd)
{
	static unsigned char buffer[RECORDS];
	struct vrseq_record *record;
	__u64 last = 0, messages = 0;
	ssize_t got, at;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (at = 0; at < got; at += record->size, messages++) {
			record = (void *)(buffer + at);
			if (got - at < (ssize_t)sizeof(*record) || record->size % 8 ||
			    record->size < sizeof(*record) + record->bytes ||
			    record->size > got - at || record->type != VRSEQ_RECORD_MESSAGE)
				die("no record after message %llu", last);
			if (last && record->sequence != last + 1)
				die("message %llu after %llu", record->sequence, last);
			last = record->sequence;
		}
	}
	if (errno != EAGAIN)
		die("the log: %s", strerror(errno));
	if (!messages || last < parent.shared->sequence)
		die("the log ends at %llu, message %llu was appended", last,
		    parent.shared->sequence);
	printf("%llu messages in the log, the last is %llu\n", messages, last);
}

/* It was a test only if each call was seen to work and to be refused. */
static void check_calls(unsigned int seconds)
{
	int i;

	for (i = 0; i < CALL_COUNT; i++)
		printf("%s %llu/%llu ", call_names[i], parent.shared->good[i],
		       parent.shared->bad[i]);
	printf("(good/refused)\n%u processes, %u killed\n", started, killed);
	for (i = 0; i < CALL_COUNT && seconds >= EARNEST_S; i++) {
		if (i == CALL_COMPAT && !parent.compat)
			continue;
		/* Nobody is refused a child; only that one of its own has none is counted there. */
		if (!parent.shared->good[i] || (!parent.shared->bad[i] && i != CALL_FORK))
			die("%s was not tried in earnest", call_names[i]);
	}
}

int main(int argc, char **argv)
{
	__u64 seed;
	int fd;

	if (argc < 4)
		die("usage: hostile_file SECONDS SEED NETNS...");
	seed = strtoull(argv[2], NULL, 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	parent.random = seed;
	parent.shared = mmap(NULL, sizeof(*parent.shared), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (parent.shared == MAP_FAILED)
		die("no memory");
	/* Orphans are ours as well. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	parent.compat = compat_works();
	printf("seed %llu, system calls of 32 bits: %s\n", seed, parent.compat ? "yes" : "no");
	rampage(atoi(argv[1]), seed, argv + 3, argc - 3);
	enter_netns(argv[3]);
	fd = dev_open(O_RDWR | O_NONBLOCK);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	fcntl(fd, F_SETFL, 0);
	check_next(fd);
	if (fsync(fd))
		die("fsync: %s", strerror(errno));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	check_log(fd);
	check_calls(atoi(argv[1]));
	return 0;
}
