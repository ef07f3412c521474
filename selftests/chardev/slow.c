// SPDX-License-Identifier: GPL-2.0
/*
 * Operations that take long: deadlines, signals, O_NONBLOCK, and joining what
 * one of them cut short. On a group of three whose links have a delay of
 * $DELAY_MS each way; this member is not the primary.
 */
#include <pthread.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"

FIXTURE(slow) {
	int fd;
	__u64 delay_ns;
	struct vrseq_next next;
};

FIXTURE_SETUP(slow)
{
	self->delay_ns = strtoull(getenv("DELAY_MS"), NULL, 10) * MS;
	ASSERT_GT(self->delay_ns, 0);
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	memset(&self->next, 0, sizeof(self->next));
	self->next.count = 1;
}

FIXTURE_TEARDOWN(slow)
{
	close(self->fd);
}

/* Joins self->next until it is answered. */
#define JOIN() do { \
	__u64 op_id = self->next.hdr.op_id; \
	self->next.hdr.deadline_ns = dev_now_ns() + 20000 * MS; \
	ASSERT_NE(0, op_id); \
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next)); \
	EXPECT_EQ(op_id, self->next.hdr.op_id); \
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->next.hdr.outcome); \
} while (0)

TEST_F(slow, deadline_then_join)
{
	__u64 before = dev_now_ns(), took;

	self->next.hdr.deadline_ns = before + self->delay_ns / 2;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	took = dev_now_ns() - before;
	EXPECT_GE(took, self->delay_ns / 2);
	EXPECT_LT(took, 2 * self->delay_ns);
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
	JOIN();
	/* Nothing but this one was counted. */
	EXPECT_EQ(self->next.last, dev_get(self->fd, ""));
}

static void on_signal(int number)
{
	(void)number;
}

struct pest {
	pthread_t victim;
	unsigned int after_us;
};

static void *pester(void *argument)
{
	struct pest *pest = argument;

	usleep(pest->after_us);
	pthread_kill(pest->victim, SIGUSR1);
	return NULL;
}

static int interrupted(int fd, unsigned long command, void *request, unsigned int after_us,
		       int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	struct pest pest = { pthread_self(), after_us };
	pthread_t thread;
	int err;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, pester, &pest);
	err = dev_ioctl(fd, command, request);
	pthread_join(thread, NULL);
	return err;
}

TEST_F(slow, signal_then_join)
{
	__u64 before = dev_get(self->fd, "");

	PROVOKE(EINTR, interrupted(self->fd, VRSEQ_IOC_NEXT, &self->next,
				   self->delay_ns / 2000, 0));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
	JOIN();
	EXPECT_EQ(before + 1, self->next.first);
}

/*
 * The kernel does not restart the call: it could not know whether the caller
 * wants to. The operation is there to be joined all the same.
 */
TEST_F(slow, signal_with_sa_restart)
{
	__u64 before = dev_get(self->fd, "");
	int err = interrupted(self->fd, VRSEQ_IOC_NEXT, &self->next, self->delay_ns / 2000,
			      SA_RESTART);

	EXPECT_TRUE(err == -EINTR || !err);
	if (err)
		JOIN();
	EXPECT_EQ(before + 1, self->next.first);
	EXPECT_EQ(before + 1, dev_get(self->fd, ""));
}

TEST_F(slow, append_interrupted_then_joined)
{
	struct vrseq_append append = { .data = (unsigned long)"once", .bytes = 4 };
	struct vrseq_append second;

	PROVOKE(EINTR, interrupted(self->fd, VRSEQ_IOC_APPEND, &append, self->delay_ns / 2000, 0));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, append.hdr.outcome);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	ASSERT_EQ(0, dev_append(self->fd, "next", 4, &second));
	EXPECT_EQ(append.sequence + 1, second.sequence);
}

/* write() has no op_id: the same bytes again join. */
TEST_F(slow, write_interrupted_then_repeated)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct pest pest = { pthread_self(), self->delay_ns / 2000 };
	struct vrseq_append before, after;
	pthread_t thread;

	ASSERT_EQ(0, dev_append(self->fd, "before", 6, &before));
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, pester, &pest);
	PROVOKE(EINTR, dev_write(self->fd, "the same", 8));
	pthread_join(thread, NULL);
	ASSERT_EQ(8, dev_write(self->fd, "the same", 8));
	ASSERT_EQ(0, dev_append(self->fd, "after", 5, &after));
	EXPECT_EQ(before.sequence + 2, after.sequence);
	/* Told once, the same bytes are another message. */
	ASSERT_EQ(8, dev_write(self->fd, "the same", 8));
	ASSERT_EQ(8, dev_write(self->fd, "the same", 8));
	ASSERT_EQ(0, dev_append(self->fd, "end", 3, &before));
	EXPECT_EQ(after.sequence + 3, before.sequence);
}

TEST_F(slow, nonblocking_then_poll_then_join)
{
	__u64 before = dev_get(self->fd, "");

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	PROVOKE(EAGAIN, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
	EXPECT_FALSE(dev_poll(self->fd, 0) & POLLOUT);
	/* Joined too early. */
	PROVOKE(EAGAIN, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	struct pollfd pollfd = { .fd = self->fd, .events = POLLOUT };

	EXPECT_EQ(1, poll(&pollfd, 1, 10000));
	EXPECT_EQ(POLLOUT, pollfd.revents);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(before + 1, self->next.first);
}

TEST_F(slow, nonblocking_write)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLOUT };
	struct vrseq_append before, after;

	ASSERT_EQ(0, dev_append(self->fd, "before", 6, &before));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	PROVOKE(EAGAIN, dev_write(self->fd, "pushed", 6));
	EXPECT_EQ(1, poll(&pollfd, 1, 10000));
	ASSERT_EQ(6, dev_write(self->fd, "pushed", 6));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	ASSERT_EQ(0, dev_append(self->fd, "after", 5, &after));
	EXPECT_EQ(before.sequence + 2, after.sequence);
}

/* An append that was cut short is joined though others were begun since. */
TEST_F(slow, write_repeated_after_others)
{
	struct vrseq_append before, after;
	int i;

	ASSERT_EQ(0, dev_append(self->fd, "before", 6, &before));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	PROVOKE(EAGAIN, dev_write(self->fd, "cut short", 9));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	for (i = 0; i < 3; i++)
		ASSERT_EQ(5, dev_write(self->fd, "other", 5));
	ASSERT_EQ(9, dev_write(self->fd, "cut short", 9));
	ASSERT_EQ(0, dev_append(self->fd, "after", 5, &after));
	EXPECT_EQ(before.sequence + 5, after.sequence);
}

/* ---- threads that share a file ---- */

#define WINDOW 16

struct client {
	pthread_t thread;
	int fd;
	int error;
	struct vrseq_next next;
	const char *message;
};

static void *draw(void *argument)
{
	struct client *client = argument;

	client->error = dev_next(client->fd, "", 1, &client->next);
	return NULL;
}

static void *push(void *argument)
{
	struct client *client = argument;

	client->error = dev_write(client->fd, client->message, strlen(client->message));
	return NULL;
}

static void *look(void *argument)
{
	struct client *client = argument;
	struct vrseq_get get;

	client->error = dev_read_counter(client->fd, "", VRSEQ_READ_INDEX, &get);
	client->next.first = get.value;
	return NULL;
}

static void run_all(struct client *clients, int count, int fd, void *(*work)(void *argument))
{
	int i;

	for (i = 0; i < count; i++) {
		clients[i].fd = fd;
		pthread_create(&clients[i].thread, NULL, work, &clients[i]);
	}
	for (i = 0; i < count; i++)
		pthread_join(clients[i].thread, NULL);
}

/* How long one operation takes; the session is there after it. */
static __u64 one_ns(int fd)
{
	struct vrseq_next next;
	__u64 before;

	dev_next(fd, "", 1, &next);
	before = dev_now_ns();
	dev_next(fd, "", 1, &next);
	return dev_now_ns() - before;
}

TEST_F(slow, window_of_threads)
{
	__u64 alone_ns = one_ns(self->fd), before = dev_get(self->fd, ""), start, took;
	struct client clients[WINDOW] = { 0 };
	int i, j;

	start = dev_now_ns();
	run_all(clients, WINDOW, self->fd, draw);
	took = dev_now_ns() - start;
	TH_LOG("one: %llu ms, sixteen: %llu ms", alone_ns / MS, took / MS);
	/* Side by side: one after the other would take sixteen times as long. */
	EXPECT_LT(took, 5 * alone_ns);
	for (i = 0; i < WINDOW; i++) {
		EXPECT_EQ(0, clients[i].error);
		EXPECT_GT(clients[i].next.first, before);
		EXPECT_LE(clients[i].next.first, before + WINDOW);
		/* Applied in the order of their ids, and so each once. */
		for (j = 0; j < i; j++)
			EXPECT_EQ(clients[i].next.hdr.op_id < clients[j].next.hdr.op_id,
				  clients[i].next.first < clients[j].next.first);
	}
	EXPECT_EQ(before + WINDOW, dev_get(self->fd, ""));
}

/* More than fit: those that do not fit wait for their turn. */
TEST_F(slow, threads_beyond_the_window)
{
	struct client clients[3 * WINDOW] = { 0 };
	__u64 before = dev_get(self->fd, "");
	int i;

	run_all(clients, 3 * WINDOW, self->fd, draw);
	for (i = 0; i < 3 * WINDOW; i++)
		EXPECT_EQ(0, clients[i].error);
	EXPECT_EQ(before + 3 * WINDOW, dev_get(self->fd, ""));
}

/* Two threads that write the same at once mean two messages. */
TEST_F(slow, same_bytes_at_once)
{
	struct client clients[4] = {
		{ .message = "twin" }, { .message = "twin" },
		{ .message = "twin" }, { .message = "twin" },
	};
	struct vrseq_append before, after;
	int i;

	ASSERT_EQ(0, dev_append(self->fd, "before", 6, &before));
	run_all(clients, 4, self->fd, push);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(4, clients[i].error);
	ASSERT_EQ(0, dev_append(self->fd, "after", 5, &after));
	EXPECT_EQ(before.sequence + 5, after.sequence);
}

TEST_F(slow, window_full)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLOUT };
	struct vrseq_op_result result;
	struct vrseq_next nexts[WINDOW];
	__u64 before = dev_get(self->fd, "");
	int i;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < WINDOW; i++) {
		PROVOKE(EAGAIN, dev_next(self->fd, "", 1, &nexts[i]));
		EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, nexts[i].hdr.outcome);
		EXPECT_EQ(nexts[0].hdr.op_id + i, nexts[i].hdr.op_id);
	}
	/* One more does not begin, with an id of the kernel's or of one's own. */
	PROVOKE(EAGAIN, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	EXPECT_EQ(0, self->next.hdr.op_id);
	self->next.hdr.op_id = nexts[0].hdr.op_id + WINDOW;
	PROVOKE(EAGAIN, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	/* In time or not at all. */
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	self->next.hdr.op_id = 0;
	self->next.hdr.deadline_ns = dev_now_ns() + self->delay_ns / 4;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	/* Under way: nobody can say yet, and asking changes nothing. */
	ASSERT_EQ(0, dev_result(self->fd, nexts[3].hdr.op_id, &result));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, result.hdr.outcome);
	EXPECT_EQ(VRSEQ_KIND_NEXT, result.kind);
	EXPECT_EQ(0, result.error);
	EXPECT_FALSE(dev_poll(self->fd, 0) & POLLOUT);
	/* Whoever waits gets in. */
	self->next.hdr.deadline_ns = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(nexts[0].hdr.op_id + WINDOW, self->next.hdr.op_id);
	EXPECT_EQ(before + WINDOW + 1, self->next.first);
	EXPECT_EQ(1, poll(&pollfd, 1, 10000));
	/* That was the end of the first for those who ask now, not of the others. */
	PROVOKE(ESTALE, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &nexts[0]));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, nexts[0].hdr.outcome);
	for (i = 1; i < WINDOW; i++) {
		ASSERT_EQ(0, dev_result(self->fd, nexts[i].hdr.op_id, &result));
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, result.hdr.outcome);
		EXPECT_EQ(before + 1 + i, result.first);
		ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &nexts[i]));
		EXPECT_EQ(before + 1 + i, nexts[i].first);
	}
	EXPECT_EQ(before + WINDOW + 1, dev_get(self->fd, ""));
}

/* ---- reads that are no operations ---- */

TEST_F(slow, reads_go_round_or_not)
{
	struct vrseq_get get;
	__u64 start, took, value;
	int other = dev_open(O_RDWR);

	ASSERT_EQ(0, dev_next(other, "", 1, &self->next));
	value = self->next.last;
	start = dev_now_ns();
	ASSERT_EQ(0, dev_read_counter(self->fd, "", VRSEQ_READ_INDEX, &get));
	took = dev_now_ns() - start;
	EXPECT_EQ(value, get.value);
	EXPECT_GE(took, self->delay_ns);
	EXPECT_EQ(0, get.age_ns);
	/* No lease here: as INDEX. */
	start = dev_now_ns();
	ASSERT_EQ(0, dev_read_counter(self->fd, "", VRSEQ_READ_LEASE, &get));
	EXPECT_EQ(value, get.value);
	EXPECT_GE(dev_now_ns() - start, self->delay_ns);
	/* At once, and as old as the way here is long. */
	start = dev_now_ns();
	ASSERT_EQ(0, dev_read_counter(self->fd, "", VRSEQ_READ_LOCAL, &get));
	EXPECT_LT(dev_now_ns() - start, self->delay_ns / 2);
	EXPECT_LE(get.value, value);
	EXPECT_GE(get.age_ns, self->delay_ns / 2);
	EXPECT_LT(get.age_ns, 30000 * MS);
	EXPECT_GT(get.hdr.index, 0);
	close(other);
}

TEST_F(slow, reads_of_many_threads)
{
	struct client clients[3 * WINDOW] = { 0 };
	__u64 value = dev_get(self->fd, "");
	int i;

	run_all(clients, 3 * WINDOW, self->fd, look);
	for (i = 0; i < 3 * WINDOW; i++) {
		EXPECT_EQ(0, clients[i].error);
		EXPECT_EQ(value, clients[i].next.first);
	}
}

/* A read that nobody waits for any more is in nobody's way for long. */
TEST_F(slow, reads_left_alone)
{
	struct vrseq_get get;
	int i, refused = 0;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < 10 * WINDOW; i++) {
		PROVOKE(EAGAIN, dev_read_counter(self->fd, "", VRSEQ_READ_INDEX, &get));
		EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, get.hdr.outcome);
		EXPECT_EQ(0, get.hdr.op_id);
		/* They are not what POLLOUT tells of. */
		refused += !(dev_poll(self->fd, 0) & POLLOUT);
	}
	EXPECT_EQ(0, refused);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	memset(&get, 0, sizeof(get));
	get.mode = VRSEQ_READ_INDEX;
	get.hdr.deadline_ns = dev_now_ns() + self->delay_ns / 4;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, get.hdr.outcome);
	ASSERT_EQ(0, dev_read_counter(self->fd, "", VRSEQ_READ_INDEX, &get));
	PROVOKE(EINTR, interrupted(self->fd, VRSEQ_IOC_GET, &get, self->delay_ns / 2000, 0));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, get.hdr.outcome);
}

/* ---- killed ---- */

static void die_with_all_under_way(int fd)
{
	struct client clients[2 * WINDOW] = { 0 };

	pthread_t thread;
	int i;

	for (i = 0; i < 2 * WINDOW; i++) {
		clients[i].fd = fd;
		pthread_create(&thread, NULL, i % 2 ? draw : look, &clients[i]);
	}
	pause();
}

/* The session ends with all it has under way, and the slot is free again. */
TEST_F(slow, killed_with_a_window)
{
	__u64 before = dev_get(self->fd, ""), after;
	int i, status;

	for (i = 0; i < 3; i++) {
		pid_t child = fork();

		if (!child) {
			die_with_all_under_way(dev_open(O_RDWR));
			_exit(0);
		}
		usleep(self->delay_ns / 2000);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	usleep(5 * self->delay_ns / 1000);
	after = dev_get(self->fd, "");
	EXPECT_LE(after, before + 3 * WINDOW);
	usleep(5 * self->delay_ns / 1000);
	EXPECT_EQ(after, dev_get(self->fd, ""));
}

TEST_F(slow, killed_in_the_middle)
{
	int status;
	pid_t child = fork();

	if (!child) {
		dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next);
		_exit(0);
	}
	usleep(self->delay_ns / 2000);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, dev_next(self->fd, "", 1, &self->next));
}

TEST_HARNESS_MAIN
