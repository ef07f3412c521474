// SPDX-License-Identifier: GPL-2.0
/*
 * NEXT and APPEND as commands of io_uring, from one thread, at a member that is
 * $DELAY_MS away from its primary, so that they are under way for a while.
 */
#include <sys/wait.h>

#include "../lib/kselftest_harness.h"
#include "../lib/uring.h"
#include "dev.h"

#define WINDOW 16

FIXTURE(uring) {
	int fd;
	__u64 delay_ns;
	struct uring ring;
	struct vrseq_next nexts[WINDOW + 1];
	struct vrseq_append appends[WINDOW];
};

FIXTURE_SETUP(uring)
{
	struct vrseq_info info;
	int i;

	self->delay_ns = atoi(getenv("DELAY_MS")) * MS;
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, dev_attach(self->fd, ""));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_INFO, &info));
	ASSERT_EQ(WINDOW, info.window);
	ASSERT_EQ(0, uring_open(&self->ring, 2 * WINDOW, 0));
	memset(self->nexts, 0, sizeof(self->nexts));
	memset(self->appends, 0, sizeof(self->appends));
	for (i = 0; i <= WINDOW; i++)
		self->nexts[i].count = 1;
}

FIXTURE_TEARDOWN(uring)
{
	close(self->ring.fd);
	close(self->fd);
}

static void next(struct _test_data_uring *self, int i)
{
	uring_command(&self->ring, self->fd, VRSEQ_IOC_NEXT, &self->nexts[i], i);
}

/* The result of the next completion; @i receives whose it is. */
static int reap(struct __test_metadata *_metadata, struct _test_data_uring *self, __u64 *i)
{
	struct io_uring_cqe *cqe;
	int res;

	ASSERT_EQ(0, uring_enter(&self->ring, 1));
	cqe = uring_peek(&self->ring);
	ASSERT_NE(NULL, cqe);
	if (i)
		*i = cqe->user_data;
	res = cqe->res;
	uring_seen(&self->ring);
	return res;
}

/* All at once from one thread; each is applied once, in the order they were submitted. */
TEST_F(uring, a_window_of_numbers)
{
	__u64 before = dev_now_ns(), i;
	int n;

	for (n = 0; n < WINDOW; n++)
		next(self, n);
	ASSERT_EQ(0, uring_enter(&self->ring, 0));
	/* Whoever submits does not wait. */
	EXPECT_EQ(NULL, uring_peek(&self->ring));
	for (n = 0; n < WINDOW; n++) {
		ASSERT_EQ(0, reap(_metadata, self, &i));
		ASSERT_LT(i, WINDOW);
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->nexts[i].hdr.outcome);
		EXPECT_EQ(i + 1, self->nexts[i].hdr.op_id);
		EXPECT_GT(self->nexts[i].hdr.index, 0);
	}
	EXPECT_GE(dev_now_ns() - before, 2 * self->delay_ns);
	for (n = 1; n < WINDOW; n++) {
		EXPECT_EQ(self->nexts[0].first + n, self->nexts[n].first);
		EXPECT_EQ(self->nexts[n].first, self->nexts[n].last);
	}
	/* Not one after the other: that would take WINDOW round trips. */
	EXPECT_LT(dev_now_ns() - before, WINDOW * 2 * self->delay_ns);
	/* The window has moved on. */
	self->nexts[0].hdr.op_id = 0;
	next(self, 0);
	ASSERT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(WINDOW + 1, self->nexts[0].hdr.op_id);
}

TEST_F(uring, one_too_many)
{
	__u64 i;
	int n;

	for (n = 0; n <= WINDOW; n++)
		next(self, n);
	self->nexts[WINDOW].hdr.op_id = 0;
	EXPECT_EQ(-EAGAIN, reap(_metadata, self, &i));
	EXPECT_EQ(WINDOW, i);
	EXPECT_EQ(NULL, uring_peek(&self->ring));
	for (n = 0; n < WINDOW; n++)
		EXPECT_EQ(0, reap(_metadata, self, NULL));
	next(self, WINDOW);
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(self->nexts[WINDOW - 1].last + 1, self->nexts[WINDOW].first);
}

/* A message may be gone, or be another one, as soon as its command is submitted. */
TEST_F(uring, messages)
{
	unsigned char buffer[WINDOW * 256];
	struct vrseq_record record;
	size_t at, n = 0;
	char message[64];
	ssize_t bytes;
	int i;

	fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	while (read(self->fd, buffer, sizeof(buffer)) > 0)
		;
	fcntl(self->fd, F_SETFL, O_RDWR);
	for (i = 0; i < WINDOW; i++) {
		memset(message, 'a' + i, sizeof(message));
		self->appends[i].data = (unsigned long)message;
		self->appends[i].bytes = 1 + i;
		uring_command(&self->ring, self->fd, VRSEQ_IOC_APPEND, &self->appends[i], i);
		ASSERT_EQ(0, uring_enter(&self->ring, 0));
	}
	memset(message, 0, sizeof(message));
	for (i = 0; i < WINDOW; i++)
		EXPECT_EQ(0, reap(_metadata, self, NULL));
	for (i = 1; i < WINDOW; i++)
		EXPECT_EQ(self->appends[0].sequence + i, self->appends[i].sequence);
	while (n < WINDOW) {
		bytes = dev_read(self->fd, buffer, sizeof(buffer));
		ASSERT_GT(bytes, 0);
		for (at = 0; at < bytes; at += record.size, n++) {
			memcpy(&record, buffer + at, sizeof(record));
			EXPECT_EQ(self->appends[n].sequence, record.sequence);
			EXPECT_EQ(n + 1, record.bytes);
			EXPECT_EQ('a' + n, buffer[at + sizeof(record)]);
			EXPECT_EQ('a' + n, buffer[at + sizeof(record) + n]);
		}
	}
}

/* The end of waiting is not the end of the operation: it can be joined, here or there. */
TEST_F(uring, deadline_then_join)
{
	struct vrseq_next *mine = &self->nexts[0];

	mine->hdr.deadline_ns = dev_now_ns() + self->delay_ns / 2;
	next(self, 0);
	EXPECT_EQ(-ETIMEDOUT, reap(_metadata, self, NULL));
	EXPECT_GE(dev_now_ns(), mine->hdr.deadline_ns);
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, mine->hdr.outcome);
	EXPECT_EQ(1, mine->hdr.op_id);
	mine->hdr.deadline_ns = 0;
	self->nexts[1] = *mine;
	next(self, 0);
	next(self, 1);
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(mine->first, self->nexts[1].first);
	EXPECT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->nexts[1]));
	EXPECT_EQ(mine->first, self->nexts[1].first);
	/* One that has passed begins nothing. */
	self->nexts[2].hdr.deadline_ns = 1;
	next(self, 2);
	EXPECT_EQ(-ETIMEDOUT, reap(_metadata, self, NULL));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->nexts[2].hdr.outcome);
}

/* One that is not reached leaves nothing behind. */
TEST_F(uring, deadline_in_time)
{
	int i;

	for (i = 0; i < WINDOW; i++) {
		self->nexts[i].hdr.deadline_ns = dev_now_ns() + 100 * self->delay_ns;
		next(self, i);
	}
	for (i = 0; i < WINDOW; i++)
		EXPECT_EQ(0, reap(_metadata, self, NULL));
}

TEST_F(uring, refusals)
{
	struct io_uring_sqe *sqe;

	uring_command(&self->ring, self->fd, VRSEQ_IOC_GET, &self->nexts[0], 0);
	EXPECT_EQ(-ENOTTY, reap(_metadata, self, NULL));
	uring_command(&self->ring, self->fd, 0, &self->nexts[0], 0);
	EXPECT_EQ(-ENOTTY, reap(_metadata, self, NULL));
	sqe = uring_command(&self->ring, self->fd, VRSEQ_IOC_NEXT, &self->nexts[0], 0);
	sqe->cmd[8] = 1;
	EXPECT_EQ(-EINVAL, reap(_metadata, self, NULL));
	uring_command(&self->ring, self->fd, VRSEQ_IOC_NEXT, NULL, 0);
	EXPECT_EQ(-EFAULT, reap(_metadata, self, NULL));
	self->nexts[0].count = 0;
	self->nexts[0].hdr.outcome = 77;
	next(self, 0);
	EXPECT_EQ(-EINVAL, reap(_metadata, self, NULL));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->nexts[0].hdr.outcome);
	self->appends[0].bytes = 1 << 20;
	uring_command(&self->ring, self->fd, VRSEQ_IOC_APPEND, &self->appends[0], 0);
	EXPECT_EQ(-EMSGSIZE, reap(_metadata, self, NULL));
	self->appends[0].bytes = 1;
	uring_command(&self->ring, self->fd, VRSEQ_IOC_APPEND, &self->appends[0], 0);
	EXPECT_EQ(-EFAULT, reap(_metadata, self, NULL));
	/* None of them took a number, or room. */
	next(self, 1);
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(1, self->nexts[1].hdr.op_id);
}

/* Where completions are large they bring the number, too. */
TEST_F(uring, large_completions)
{
	struct io_uring_cqe *cqe;
	struct uring large;

	ASSERT_EQ(0, uring_open(&large, WINDOW, IORING_SETUP_CQE32));
	uring_command(&large, self->fd, VRSEQ_IOC_NEXT, &self->nexts[0], 7);
	ASSERT_EQ(0, uring_enter(&large, 1));
	cqe = uring_peek(&large);
	ASSERT_NE(NULL, cqe);
	EXPECT_EQ(7, cqe->user_data);
	EXPECT_EQ(0, cqe->res);
	EXPECT_GT(self->nexts[0].first, 0);
	EXPECT_EQ(self->nexts[0].first, cqe->big_cqe[0]);
	close(large.fd);
}

/* From a thread of io_uring's; and on a file that has to attach first. */
TEST_F(uring, in_a_thread)
{
	struct io_uring_sqe *sqe;
	int fd = dev_open(O_RDWR);

	sqe = uring_command(&self->ring, self->fd, VRSEQ_IOC_NEXT, &self->nexts[0], 0);
	sqe->flags |= IOSQE_ASYNC;
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	uring_command(&self->ring, fd, VRSEQ_IOC_NEXT, &self->nexts[1], 1);
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(self->nexts[0].first + 1, self->nexts[1].first);
	close(fd);
}

/* The ring goes, the file stays: so do its operations. */
TEST_F(uring, ring_closed)
{
	struct vrseq_op_result result;
	__u64 until = dev_now_ns() + 10000 * MS;
	int i;

	for (i = 0; i < WINDOW; i++)
		next(self, i);
	ASSERT_EQ(0, uring_enter(&self->ring, 0));
	close(self->ring.fd);
	for (i = 0; i < WINDOW; i++) {
		do {
			ASSERT_EQ(0, dev_result(self->fd, i + 1, &result));
		} while (!result.hdr.outcome && dev_now_ns() < until);
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, result.hdr.outcome);
	}
	/* And there is room for as many again. */
	ASSERT_EQ(0, uring_open(&self->ring, 2 * WINDOW, 0));
	for (i = 0; i < WINDOW; i++) {
		self->nexts[i].hdr.op_id = 0;
		next(self, i);
	}
	for (i = 0; i < WINDOW; i++)
		EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(2 * WINDOW, self->nexts[WINDOW - 1].hdr.op_id);
}

/* Killed with a window of them: what was begun is applied once or never. */
TEST_F(uring, killed)
{
	__u64 before = dev_get(self->fd, ""), after;
	int round, status, i;
	pid_t child;

	for (round = 0; round < 5; round++) {
		child = fork();
		if (!child) {
			struct uring ring;
			int fd = dev_open(O_RDWR);

			if (fd < 0 || uring_open(&ring, WINDOW, 0))
				_exit(1);
			for (i = 0; i < WINDOW; i++)
				uring_command(&ring, fd, VRSEQ_IOC_NEXT, &self->nexts[i], i);
			uring_enter(&ring, WINDOW);
			pause();
		}
		usleep(round * self->delay_ns / 2 / 1000);
		kill(child, SIGKILL);
		ASSERT_EQ(child, waitpid(child, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
	}
	/* What they began goes on without them, for some round trips. */
	do {
		after = dev_get(self->fd, "");
		usleep(8 * self->delay_ns / 1000);
	} while (dev_get(self->fd, "") != after);
	EXPECT_LE(before, after);
	EXPECT_LE(after, before + 5 * WINDOW);
	next(self, 0);
	EXPECT_EQ(0, reap(_metadata, self, NULL));
	EXPECT_EQ(after + 1, self->nexts[0].first);
}

TEST_HARNESS_MAIN
