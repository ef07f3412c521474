// SPDX-License-Identifier: GPL-2.0
/*
 * usage: fail_nth calls | fail_nth load MODULE
 *
 * Each call of the interface, again and again: its first allocation of memory fails, its second,
 * and so on, until one comes through in which none failed (/proc/thread-self/fail-nth). A call that
 * fails says why, with an errno it may have; after it the same call works; and whatever fails, no
 * number is given out twice. Says of each how many allocations failed.
 *
 * "calls" wants a network namespace of its own; "load" is that with the module itself.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../lib/testlib.h"
#include "../lib/uring.h"
#include "../chardev/dev.h"
#include "fail_nth.h"

#define LARGE_BYTES	8192
#define HANG_S		120
#define FAULTS_MAX	20000

static unsigned char large[LARGE_BYTES];
static char message[2 * LARGE_BYTES];
static int fail_nth = -1;
static int file = -1, other = -1;
static struct uring ring;
static __u64 newest;			/* number ever given out */
static void *mapped = MAP_FAILED;
static size_t ring_bytes;

/* ---- one allocation fails -------------------------------------------------------------------- */

static void put(unsigned int n)
{
	char text[16];
	int bytes = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(fail_nth, text, bytes, 0) != bytes)
		die("fail-nth: %s", strerror(errno));
}

/* How many allocations more would have been needed for one to fail. */
static unsigned int left(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 1)
		die("fail-nth: %s", strerror(errno));
	put(0);
	return atoi(text);
}

static void find_fail_nth(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		die("this kernel has no fault injection");
}

/**
 * struct call - one to be walked through
 * @name:	for people
 * @prepare:	the state it needs, without faults; NULL = none
 * @run:	the call; 0 or more, or -errno
 * @finish:	without faults again: waits for the end, looks at what came, and
 *		cleans up. Receives what @run returned; the result is what counts
 * @floor:	allocations it is known to make
 * @errors:	that it may end with besides ENOMEM, ends with 0
 */
struct call {
	const char *name;
	void (*prepare)(void);
	int (*run)(void);
	int (*finish)(int result);
	unsigned int floor;
	int errors[4];
};

static bool may_end_with(const struct call *call, int result)
{
	const int *error;

	if (result >= 0 || result == -ENOMEM)
		return true;
	for (error = call->errors; *error; error++) {
		if (result == -*error)
			return true;
	}
	return false;
}

/* Once, with the nth allocation failing, 0 = none; returns its result. */
static int once(const struct call *call, unsigned int nth, bool *failed)
{
	int result;

	alarm(HANG_S);
	if (call->prepare)
		call->prepare();
	put(nth);
	result = call->run();
	*failed = !left() && nth;
	if (call->finish)
		result = call->finish(result);
	alarm(0);
	return result;
}

static void walk(const struct call *call)
{
	unsigned int nth, refused = 0;
	bool failed;
	int result;

	/* What is made once is made, and pages are there. */
	result = once(call, 0, &failed);
	if (result < 0)
		die("%s: %s without a fault", call->name, strerror(-result));
	for (nth = 1; nth < FAULTS_MAX; nth++) {
		result = once(call, nth, &failed);
		if (!failed)
			break;
		if (!may_end_with(call, result))
			die("%s: fault %u: %s", call->name, nth, strerror(-result));
		if (result >= 0)
			continue;
		refused++;
		result = once(call, 0, &failed);
		if (result < 0)
			die("%s: %s after fault %u", call->name, strerror(-result), nth);
	}
	if (result < 0)
		die("%s: %s, nothing failed", call->name, strerror(-result));
	printf("%-22s %4u allocations failed, %4u times the call\n", call->name, nth - 1, refused);
	fflush(stdout);
	if (nth - 1 < call->floor)
		die("%s: %u allocations, it makes %u", call->name, nth - 1, call->floor);
}

/* ---- netlink --------------------------------------------------------------------------------- */

static const char * const trio[] = { "a", "b", "c" };

static void need(int result, const char *what)
{
	if (result < 0)
		die("%s: %s", what, strerror(-result));
}

static void no_group(void)
{
	int error = group_command(VRSEQ_CMD_GROUP_DEL, "w");

	if (error != -ENOENT)
		need(error, "group del");
	unlink(RECORD);
}

static void blank_group(void)
{
	no_group();
	need(group_add("w", 1, PORT_WALKED, true), "group add");
}

static void formed_group(void)
{
	blank_group();
	need(group_command(VRSEQ_CMD_GROUP_FORM, "w"), "group form");
}

static void second_key(void)
{
	blank_group();
	need(group_key("w", 2), "key set");
}

static void with_member(void)
{
	blank_group();
	need(group_peer("w", VRSEQ_CMD_MEMBER_ADD, 2, PORT_WALKED + 1, false), "member add");
}

static void with_client(void)
{
	blank_group();
	need(group_peer("w", VRSEQ_CMD_MEMBER_ADD, 9, PORT_WALKED + 1, true), "client add");
}

static int add(void)
{
	return group_add("w", 1, PORT_WALKED, true);
}

static int form(void)
{
	return group_command(VRSEQ_CMD_GROUP_FORM, "w");
}

static int del(void)
{
	return group_command(VRSEQ_CMD_GROUP_DEL, "w");
}

static int show(void)
{
	return group_command(VRSEQ_CMD_GROUP_GET, "w");
}

static int stats(void)
{
	return group_command(VRSEQ_CMD_STATS_GET, "w");
}

static int resign(void)
{
	return group_command(VRSEQ_CMD_GROUP_RESIGN, "a");
}

static int member_add(void)
{
	return group_peer("w", VRSEQ_CMD_MEMBER_ADD, 2, PORT_WALKED + 1, false);
}

static int member_del(void)
{
	return group_peer("w", VRSEQ_CMD_MEMBER_DEL, 2, PORT_WALKED + 1, false);
}

static int client_add(void)
{
	return group_peer("w", VRSEQ_CMD_MEMBER_ADD, 9, PORT_WALKED + 1, true);
}

static int client_del(void)
{
	return group_peer("w", VRSEQ_CMD_MEMBER_DEL, 9, PORT_WALKED + 1, true);
}

static int key_set(void)
{
	return group_key("w", 3);
}

static int key_swap(void)
{
	return group_command(VRSEQ_CMD_KEY_SWAP, "w");
}

static int key_del(void)
{
	return group_command(VRSEQ_CMD_KEY_DEL, "w");
}

/* ---- the device ------------------------------------------------------------------------------ */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void nothing_open(void)
{
	shut(&file);
}

static void opened(void)
{
	shut(&file);
	file = dev_open(O_RDWR);
	if (file < 0)
		die("open: %s", strerror(errno));
}

static void attached(void)
{
	opened();
	need(dev_attach(file, "a"), "attach");
}

/* Of which the session has begun. */
static void begun(void)
{
	struct vrseq_next next;

	attached();
	need(dev_next(file, "", 1, &next), "next");
	if (next.first <= newest)
		die("%llu was given out before %llu", newest, next.first);
	newest = next.last;
}

static int close_after(int result)
{
	shut(&file);
	return result;
}

static int run_open(void)
{
	file = dev_open(O_RDWR);
	return file < 0 ? -errno : 0;
}

static int run_attach(void)
{
	return dev_attach(file, "a");
}

static int run_attach_twice(void)
{
	return dev_attach(file, "");
}

static int run_close(void)
{
	int result = close(file) ? -errno : 0;

	file = -1;
	return result;
}

static struct vrseq_next next;
static struct vrseq_append append;
static struct vrseq_get get;
static struct vrseq_op_result result_of;
static struct vrseq_barrier barrier;
static struct vrseq_status status;
static enum vrseq_read mode;

static int run_next(void)
{
	return dev_next(file, "", 1, &next);
}

/* What failed for want of memory was not applied, and says so. */
static int check_outcome(const struct vrseq_op_hdr *hdr, int result)
{
	if (result == -ENOMEM && hdr->outcome != VRSEQ_OUTCOME_NOT_APPLIED)
		die("ENOMEM with outcome %u", hdr->outcome);
	if (result >= 0 && hdr->outcome != VRSEQ_OUTCOME_APPLIED)
		die("success with outcome %u", hdr->outcome);
	return close_after(result);
}

static int finish_next(int result)
{
	if (result >= 0) {
		if (next.first <= newest)
			die("%llu was given out before %llu", newest, next.first);
		newest = next.last;
	}
	return check_outcome(&next.hdr, result);
}

static int run_append(void)
{
	return dev_append(file, large, 8, &append);
}

static int run_append_large(void)
{
	return dev_append(file, large, LARGE_BYTES, &append);
}

static int finish_append(int result)
{
	return check_outcome(&append.hdr, result);
}

static int run_write(void)
{
	return dev_write(file, large, LARGE_BYTES);
}

static int run_get(void)
{
	return dev_read_counter(file, "", mode, &get);
}

static int finish_get(int result)
{
	if (result >= 0 && mode != VRSEQ_READ_LOCAL && get.value != newest)
		die("counter at %llu, read %llu", newest, get.value);
	return close_after(result);
}

static int run_result(void)
{
	return dev_result(file, 1, &result_of);
}

static int run_barrier(void)
{
	memset(&barrier, 0, sizeof(barrier));
	return dev_ioctl(file, VRSEQ_IOC_BARRIER, &barrier);
}

static int run_fsync(void)
{
	return fsync(file) ? -errno : 0;
}

static int run_status(void)
{
	return dev_ioctl(file, VRSEQ_IOC_STATUS, &status);
}

static int run_seek(void)
{
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_OLDEST };

	return dev_ioctl(file, VRSEQ_IOC_SEEK, &seek);
}

static void mappable(void)
{
	struct vrseq_info info;

	attached();
	need(dev_ioctl(file, VRSEQ_IOC_INFO, &info), "info");
	ring_bytes = info.ring_bytes;
}

static int run_mmap(void)
{
	mapped = mmap(NULL, ring_bytes, PROT_READ, MAP_SHARED, file, 0);
	return mapped == MAP_FAILED ? -errno : 0;
}

static int finish_mmap(int result)
{
	const struct vrseq_ring_header *header = mapped;

	if (mapped != MAP_FAILED) {
		if (header->magic != VRSEQ_RING_MAGIC)
			die("no ring where one is mapped");
		munmap(mapped, ring_bytes);
		mapped = MAP_FAILED;
	}
	return close_after(result);
}

/* There is certainly something to be read, at this member. */
static void readable(void)
{
	attached();
	need(dev_append(file, large, LARGE_BYTES, &append), "append");
	opened();
	need(dev_attach(file, "a"), "attach");
	while (!(dev_poll(file, -1) & POLLIN))
		;
}

static int run_read(void)
{
	int got = dev_read(file, message, sizeof(message));

	return got ? got : -ENODATA;
}

static int run_poll(void)
{
	return dev_poll(file, -1) & POLLIN ? 0 : -ENODATA;
}

/* ---- io_uring -------------------------------------------------------------------------------- */

static void ring_opened(void)
{
	begun();
	if (ring.fd > 0)
		uring_close(&ring);
	need(uring_open(&ring, 4, 0), "io_uring_setup");
}

static int run_uring_next(void)
{
	memset(&next, 0, sizeof(next));
	next.count = 1;
	uring_command(&ring, file, VRSEQ_IOC_NEXT, &next, 1);
	return uring_enter(&ring, 0);
}

static int run_uring_append(void)
{
	memset(&append, 0, sizeof(append));
	append.data = (unsigned long)large;
	append.bytes = LARGE_BYTES;
	uring_command(&ring, file, VRSEQ_IOC_APPEND, &append, 1);
	return uring_enter(&ring, 0);
}

/* io_uring may not even have taken it: then it does so now, and what counts is that it had. */
static int completion(int entered)
{
	struct io_uring_cqe *cqe;
	int result;

	if (entered != 0 && entered != -EAGAIN && entered != -ENOMEM)
		die("io_uring_enter: %s", strerror(-entered));
	need(uring_enter(&ring, 1), "io_uring_enter again");
	cqe = uring_peek(&ring);
	if (!cqe)
		die("io_uring: nothing came back");
	result = cqe->res;
	uring_seen(&ring);
	return result;
}

static int finish_uring_next(int entered)
{
	return finish_next(completion(entered));
}

static int finish_uring_append(int entered)
{
	return finish_append(completion(entered));
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct call calls[] = {
	/* ENOSPC is what a file system in memory says of the record. */
	{ "group add", no_group, add, NULL, 60, { ENOBUFS, ENOSPC } },
	{ "member add", blank_group, member_add, NULL, 20, { ENOBUFS } },
	{ "member del", with_member, member_del, NULL, 3, { ENOBUFS } },
	{ "client add", blank_group, client_add, NULL, 2, { ENOBUFS } },
	{ "client del", with_client, client_del, NULL, 2, { ENOBUFS } },
	{ "key set", blank_group, key_set, NULL, 2, { ENOBUFS } },
	{ "key swap", second_key, key_swap, NULL, 2, { ENOBUFS } },
	{ "key del", second_key, key_del, NULL, 2, { ENOBUFS } },
	{ "group form", blank_group, form, NULL, 2, { ENOBUFS } },
	{ "group show", formed_group, show, NULL, 8, { ENOBUFS } },
	{ "stats", formed_group, stats, NULL, 3, { ENOBUFS } },
	{ "group resign", NULL, resign, NULL, 2, { ENOBUFS } },
	{ "group del", formed_group, del, NULL, 2, { ENOBUFS } },

	{ "open", nothing_open, run_open, close_after, 4, { 0 } },
	{ "attach", opened, run_attach, close_after, 0, { 0 } },
	{ "attach again", attached, run_attach_twice, close_after, 0, { 0 } },
	{ "next, a session begins", attached, run_next, finish_next, 0, { 0 } },
	{ "next", begun, run_next, finish_next, 0, { 0 } },
	{ "append", begun, run_append, finish_append, 0, { 0 } },
	{ "append 8 KiB", begun, run_append_large, finish_append, 2, { 0 } },
	{ "write 8 KiB", begun, run_write, close_after, 2, { 0 } },
	{ "result", begun, run_result, close_after, 0, { 0 } },
	{ "barrier", begun, run_barrier, close_after, 0, { 0 } },
	{ "fsync", begun, run_fsync, close_after, 0, { 0 } },
	{ "status", begun, run_status, close_after, 2, { 0 } },
	{ "seek", begun, run_seek, close_after, 0, { 0 } },
	{ "mmap", mappable, run_mmap, finish_mmap, 6, { EAGAIN } },
	{ "poll", readable, run_poll, close_after, 0, { 0 } },
	{ "read", readable, run_read, close_after, 1, { 0 } },
	{ "io_uring next", ring_opened, run_uring_next, finish_uring_next, 1, { EAGAIN } },
	{ "io_uring append", ring_opened, run_uring_append, finish_uring_append, 2, { EAGAIN } },
	{ "close", begun, run_close, NULL, 0, { 0 } },
};

static void form_trio(void)
{
	unsigned int i, k;

	for (i = 0; i < 3; i++)
		need(group_add(trio[i], i + 1, PORT + i, false), "group add");
	for (i = 0; i < 3; i++) {
		for (k = 0; k < 3; k++) {
			if (k != i)
				need(group_peer(trio[i], VRSEQ_CMD_MEMBER_ADD, k + 1, PORT + k,
						false), "member add");
		}
	}
	need(group_command(VRSEQ_CMD_GROUP_FORM, "a"), "group form");
}

/* All members give out numbers, and none that was given out before. */
static void well_at_last(void)
{
	unsigned int i, round;

	for (round = 0; round < 5; round++) {
		for (i = 0; i < 3; i++) {
			other = dev_open(O_RDWR);
			need(dev_attach(other, trio[i]), "attach");
			need(dev_next(other, "", 1, &next), "next");
			if (next.first <= newest)
				die("%llu was given out before %llu", newest, next.first);
			newest = next.last;
			shut(&other);
		}
	}
}

static void walk_calls(void)
{
	const char *only = getenv("CALL");
	unsigned int i;

	memset(large, 7, sizeof(large));
	memset(message, 0, sizeof(message));
	netlink_open();
	form_trio();
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		if (only && !strstr(calls[i].name, only))
			continue;
		walk(&calls[i]);
	}
	for (mode = VRSEQ_READ_LOG; mode <= VRSEQ_READ_LOCAL; mode++) {
		char name[32];
		struct call one = { name, begun, run_get, finish_get, 0, { 0 } };

		snprintf(name, sizeof(name), "get %u", mode);
		if (!only || strstr(name, only))
			walk(&one);
	}
	nothing_open();
	no_group();
	well_at_last();
	printf("numbers up to %llu, none twice\n", newest);
}

/* ---- the module ------------------------------------------------------------------------------ */

static int module_file;

static int run_load(void)
{
	return syscall(SYS_finit_module, module_file, "", 0) ? -errno : 0;
}

static int finish_load(int result)
{
	int tries = 100;

	/* Somebody may look at a device that just came. */
	while (!result && syscall(SYS_delete_module, "vrseq", O_NONBLOCK)) {
		if (errno != EAGAIN && errno != EBUSY && errno != EWOULDBLOCK)
			die("unload: %s", strerror(errno));
		if (!tries--)
			die("it does not unload");
		usleep(100000);
	}
	return result;
}

static void walk_load(const char *path)
{
	static const struct call call = { "load", NULL, run_load, finish_load, 100, { 0 } };

	module_file = open(path, O_RDONLY | O_CLOEXEC);
	if (module_file < 0)
		die("%s: %s", path, strerror(errno));
	walk(&call);
}

static void hung(int signal)
{
	static const char text[] = "fail_nth: a call hangs\n";

	if (write(2, text, sizeof(text) - 1) < 0)
		_exit(5);
	_exit(4);
}

int main(int argc, char **argv)
{
	signal(SIGALRM, hung);
	find_fail_nth();
	if (argc == 2 && !strcmp(argv[1], "calls"))
		walk_calls();
	else if (argc == 3 && !strcmp(argv[1], "load"))
		walk_load(argv[2]);
	else
		die("usage: fail_nth calls | fail_nth load MODULE");
	return 0;
}
