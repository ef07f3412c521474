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
	/* Once it is done, the same bytes are another message. */
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

/* Two threads on one file: each gets an answer of its own. */
static void *draw(void *argument)
{
	struct vrseq_next *next = argument;
	int fd = next->last;

	if (dev_next(fd, "", 1, next))
		next->first = 0;
	return NULL;
}

TEST_F(slow, two_threads_one_file)
{
	struct vrseq_next a = { .last = self->fd }, b = { .last = self->fd };
	pthread_t threads[2];

	pthread_create(&threads[0], NULL, draw, &a);
	pthread_create(&threads[1], NULL, draw, &b);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	EXPECT_NE(0, a.first);
	EXPECT_NE(0, b.first);
	EXPECT_NE(a.first, b.first);
	EXPECT_NE(a.hdr.op_id, b.hdr.op_id);
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
