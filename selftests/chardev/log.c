// SPDX-License-Identifier: GPL-2.0
/*
 * The log as a reader chooses it: places, topics, losses, streams, and what
 * expects, waits for or polls it; on a group of one that keeps 64 messages and
 * that nobody else uses.
 */
#include <sys/epoll.h>
#include <sys/uio.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"

#define KEPT 64			/* messages */
#define RECORD sizeof(struct vrseq_record)

FIXTURE(log) {
	int fd;
	__u64 next;		/* sequence of the next message */
	union {
		struct vrseq_record record;
		unsigned char bytes[1 << 16];
	};
};

static __u64 append_topic(int fd, const char *text, __u32 topic)
{
	struct vrseq_append append = {
		.data = (unsigned long)text, .bytes = strlen(text), .topic = topic,
	};

	return dev_ioctl(fd, VRSEQ_IOC_APPEND, &append) ? 0 : append.sequence;
}

static int seek(int fd, struct vrseq_seek what, __u64 *position)
{
	int error = dev_ioctl(fd, VRSEQ_IOC_SEEK, &what);

	if (position)
		*position = what.position;
	return error;
}

#define SEEK(...) ((struct vrseq_seek){ __VA_ARGS__ })

static long go(int fd, off_t offset, int whence)
{
	off_t at = lseek(fd, offset, whence);

	return at < 0 ? -errno : at;
}

FIXTURE_SETUP(log)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	self->next = append_topic(self->fd, "mark", 0) + 1;
	ASSERT_GT(self->next, 1);
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_NEXT), NULL));
}

FIXTURE_TEARDOWN(log)
{
	close(self->fd);
}

/* All of the message, or the error, or "short". */
static const char *read_text(struct _test_data_log *self, int fd)
{
	ssize_t got = dev_read(fd, self->bytes, RECORD + 4096);

	if (got < 0)
		return strerrorname_np(-got);
	if (got < (ssize_t)RECORD || self->record.type != VRSEQ_RECORD_MESSAGE)
		return "no message";
	self->bytes[RECORD + self->record.bytes] = 0;
	return (char *)self->bytes + RECORD;
}

/* Just one, so that what follows stays. */
static __u64 read_one(struct _test_data_log *self)
{
	return dev_read(self->fd, self->bytes, RECORD + 8) > 0 ? self->record.sequence : 0;
}

TEST_F(log, expected)
{
	struct vrseq_append append = { .data = (unsigned long)"x", .bytes = 1 };
	struct vrseq_op_result result;
	__u64 op_id;

	append.expected = self->next;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	EXPECT_EQ(self->next, append.sequence);
	/* The place is taken; who asks is told what is there. */
	append.hdr = (struct vrseq_op_hdr){ 0 };
	PROVOKE(EEXIST, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, append.hdr.outcome);
	EXPECT_EQ(self->next, append.sequence);
	/* And for ever: by joining and by asking. */
	op_id = append.hdr.op_id;
	PROVOKE(EEXIST, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	ASSERT_EQ(0, dev_result(self->fd, op_id, &result));
	EXPECT_EQ(EEXIST, result.error);
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, result.hdr.outcome);
	EXPECT_EQ(self->next, result.last);
	append.hdr = (struct vrseq_op_hdr){ 0 };
	append.expected = self->next + 2;
	PROVOKE(EEXIST, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	append.hdr = (struct vrseq_op_hdr){ 0 };
	append.expected = ~0ull;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	/* Nothing of all that is in the log. */
	append.hdr = (struct vrseq_op_hdr){ 0 };
	append.expected = self->next + 1;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	EXPECT_EQ(self->next + 1, append.sequence);
}

TEST_F(log, empty_messages)
{
	struct vrseq_append append;

	EXPECT_EQ(0, dev_write(self->fd, "", 0));
	ASSERT_EQ(0, dev_append(self->fd, NULL, 0, &append));
	EXPECT_EQ(self->next, append.sequence);
	ASSERT_EQ(RECORD, dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	EXPECT_EQ(0, self->record.bytes);
	EXPECT_EQ(RECORD, self->record.size);
	EXPECT_EQ(0, dev_read(self->fd, self->bytes, 0));
}

TEST_F(log, vectors)
{
	struct iovec out[] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
	struct iovec in[] = { { self->bytes, 10 }, { self->bytes + 10, RECORD - 10 },
			      { self->bytes + RECORD, RECORD + 16 } };
	struct vrseq_record second;

	ASSERT_EQ(5, writev(self->fd, out, 3));
	ASSERT_EQ(1, dev_write(self->fd, "f", 1));
	ASSERT_EQ(2 * RECORD + 16, readv(self->fd, in, 3));
	EXPECT_EQ(5, self->record.bytes);
	EXPECT_EQ(0, memcmp(self->bytes + RECORD, "abcde", 5));
	memcpy(&second, self->bytes + RECORD + 8, RECORD);
	EXPECT_EQ(self->next + 1, second.sequence);
}

/* One buffer as short as it can be, and one byte: nothing moves. */
TEST_F(log, short_buffers)
{
	ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	PROVOKE(EINVAL, dev_read(self->fd, self->bytes, 1));
	PROVOKE(EINVAL, dev_read(self->fd, self->bytes, RECORD));
	PROVOKE(EINVAL, dev_read(self->fd, self->bytes, RECORD + 7));
	EXPECT_EQ(self->next, read_one(self));
	/* Also if there is nothing to be too long for it. */
	PROVOKE(EINVAL, dev_read(self->fd, self->bytes, 1));
}

TEST_F(log, places)
{
	__u64 position, index[4], i;
	struct vrseq_append append;

	for (i = 0; i < 4; i++) {
		struct vrseq_next next;

		ASSERT_EQ(0, dev_append(self->fd, "x", 1, &append));
		index[i] = append.hdr.index;
		ASSERT_EQ(0, dev_next(self->fd, "", 1, &next));
	}
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_SEQUENCE,
					 .position = self->next + 2), &position));
	EXPECT_EQ(self->next + 2, position);
	EXPECT_EQ(self->next + 2, read_one(self));
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_CURRENT), &position));
	EXPECT_EQ(self->next + 3, position);
	/* By index: that of a message, and one between two of them. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_INDEX,
						 .position = index[i]), &position));
		EXPECT_EQ(self->next + i, position);
		ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_INDEX,
						 .position = index[i] + 1), &position));
		EXPECT_EQ(self->next + i + 1, position);
	}
	PROVOKE(ENXIO, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_INDEX,
					   .position = index[3] + 3), NULL));
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_NEXT), &position));
	EXPECT_EQ(self->next + 4, position);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	PROVOKE(EAGAIN, dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	for (i = 0; i < KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "y", 1));
	PROVOKE(ENXIO, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_INDEX,
					   .position = index[3]), NULL));
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_OLDEST), &position));
	EXPECT_EQ(self->next + 4, position);
	EXPECT_EQ(self->next + 4, read_one(self));
}

TEST_F(log, refused_places)
{
	__u64 position;

	ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.whence = 5), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.whence = ~0u), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_SEQUENCE), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_SEQUENCE,
					    .position = ~0ull), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_NEXT, .position = 1), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.flags = 4), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.flags = 3), NULL));
	PROVOKE(EINVAL, seek(self->fd, SEEK(.topic = 3, .topic_mask = 2), NULL));
	PROVOKE(EFAULT, dev_ioctl(self->fd, VRSEQ_IOC_SEEK, NULL));
	ASSERT_EQ(0, seek(self->fd, SEEK(.whence = VRSEQ_SEEK_CURRENT), &position));
	EXPECT_EQ(self->next, position);
}

TEST_F(log, lseek)
{
	__u64 oldest, i;

	for (i = 0; i < KEPT + 6; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	oldest = self->next + 6;
	EXPECT_EQ(self->next, go(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(oldest + 3, go(self->fd, oldest + 3, SEEK_SET));
	EXPECT_EQ(oldest + 3, read_one(self));
	EXPECT_EQ(oldest + 4, go(self->fd, 0, SEEK_CUR));
	EXPECT_EQ(oldest + 2, go(self->fd, -2, SEEK_CUR));
	EXPECT_EQ(oldest + 2, read_one(self));
	EXPECT_EQ(oldest + KEPT, go(self->fd, 0, SEEK_END));
	EXPECT_EQ(oldest + KEPT - 1, go(self->fd, -1, SEEK_END));
	EXPECT_EQ(oldest + KEPT - 1, read_one(self));
	EXPECT_EQ(oldest, go(self->fd, 1, SEEK_DATA));
	EXPECT_EQ(oldest, read_one(self));
	EXPECT_EQ(oldest + 9, go(self->fd, oldest + 9, SEEK_DATA));
	EXPECT_EQ(oldest + KEPT, go(self->fd, oldest, SEEK_HOLE));
	EXPECT_EQ(oldest - 1, go(self->fd, oldest - 1, SEEK_HOLE));
	PROVOKE(ENXIO, go(self->fd, oldest + KEPT, SEEK_DATA));
	PROVOKE(ENXIO, go(self->fd, oldest + KEPT, SEEK_HOLE));
	PROVOKE(EINVAL, go(self->fd, -1, SEEK_SET));
	PROVOKE(EINVAL, go(self->fd, -(long)(oldest + KEPT), SEEK_END));
	PROVOKE(EINVAL, go(self->fd, 0, 17));
	/* The beginning is whatever the oldest is then. */
	EXPECT_EQ(0, go(self->fd, 0, SEEK_SET));
	ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	EXPECT_EQ(oldest + 1, read_one(self));
	EXPECT_EQ(-1, pread(self->fd, self->bytes, sizeof(self->bytes), 0));
	EXPECT_EQ(ESPIPE, errno);
}

/* Opened to append, a file is read from now on. */
TEST_F(log, from_now)
{
	int now = dev_open(O_RDWR | O_APPEND), oldest = dev_open(O_RDONLY);

	ASSERT_EQ(3, dev_write(self->fd, "now", 3));
	EXPECT_STREQ("now", read_text(self, now));
	ASSERT_GT(dev_read(oldest, self->bytes, RECORD + 4096), 0);
	EXPECT_LT(self->record.sequence, self->next);
	close(now);
	close(oldest);
}

TEST_F(log, topics)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLIN };
	int i;

	append_topic(self->fd, "a", 0x10001);
	append_topic(self->fd, "b", 0x20001);
	append_topic(self->fd, "c", 0x10002);
	ASSERT_EQ(1, dev_write(self->fd, "d", 1));
	ASSERT_EQ(0, seek(self->fd, SEEK(.topic = 0x10000, .topic_mask = 0xffff0000), NULL));
	ASSERT_EQ(RECORD + 8, dev_read(self->fd, self->bytes, RECORD + 8));
	EXPECT_EQ(0x10001, self->record.topic);
	ASSERT_EQ(RECORD + 8, dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	EXPECT_EQ(0x10002, self->record.topic);
	EXPECT_EQ(self->next + 2, self->record.sequence);
	/* What is not wanted is nothing to poll for, however much comes. */
	EXPECT_EQ(0, poll(&pollfd, 1, 0));
	for (i = 0; i < 3 * KEPT; i++) {
		append_topic(self->fd, "e", 0x30000);
		EXPECT_EQ(0, poll(&pollfd, 1, 0));
	}
	append_topic(self->fd, "f", 0x10003);
	EXPECT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_STREQ("f", read_text(self, self->fd));
	/* Topic 0 is one, too; mask 0 is all of them. */
	append_topic(self->fd, "g", 1);
	append_topic(self->fd, "h", 0);
	ASSERT_EQ(0, seek(self->fd, SEEK(.topic_mask = ~0u), NULL));
	EXPECT_STREQ("h", read_text(self, self->fd));
	append_topic(self->fd, "i", 1);
	ASSERT_EQ(0, seek(self->fd, SEEK(0), NULL));
	EXPECT_STREQ("i", read_text(self, self->fd));
}

/* A reader that waits for a topic sleeps through all others. */
TEST_F(log, topic_wakes)
{
	pid_t child;

	ASSERT_EQ(0, seek(self->fd, SEEK(.topic = 7, .topic_mask = ~0u), NULL));
	child = fork();
	if (!child) {
		int fd = dev_open(O_RDWR), i;

		for (i = 0; i < 10; i++) {
			append_topic(fd, "no", 8);
			usleep(10000);
		}
		_exit(!append_topic(fd, "yes", 7));
	}
	EXPECT_STREQ("yes", read_text(self, self->fd));
	waitpid(child, NULL, 0);
}

/* Exactly one EPIPE with exactly what was lost, then all the rest. */
TEST_F(log, loss)
{
	struct vrseq_status status;
	__u64 i;

	for (i = 0; i < 3 * KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	PROVOKE(EPIPE, dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(self->next, status.lost_first);
	EXPECT_EQ(self->next + 2 * KEPT - 1, status.lost_last);
	for (i = 0; i < KEPT; i++)
		ASSERT_EQ(self->next + 2 * KEPT + i, read_one(self));
}

TEST_F(log, loss_as_record)
{
	struct vrseq_status status;
	struct vrseq_record after;
	__u64 i, last;

	ASSERT_EQ(0, seek(self->fd, SEEK(.flags = VRSEQ_SEEK_GAPS), NULL));
	for (i = 0; i < 2 * KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	PROVOKE(EINVAL, dev_read(self->fd, self->bytes, RECORD + 7));
	ASSERT_EQ((KEPT + 1) * (RECORD + 8),
		  dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	EXPECT_EQ(VRSEQ_RECORD_GAP, self->record.type);
	EXPECT_EQ(RECORD + 8, self->record.size);
	EXPECT_EQ(8, self->record.bytes);
	EXPECT_EQ(self->next, self->record.sequence);
	memcpy(&last, self->bytes + RECORD, sizeof(last));
	EXPECT_EQ(self->next + KEPT - 1, last);
	memcpy(&after, self->bytes + RECORD + 8, sizeof(after));
	EXPECT_EQ(VRSEQ_RECORD_MESSAGE, after.type);
	EXPECT_EQ(last + 1, after.sequence);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(last, status.lost_last);
}

/* Who never reads does no harm: each append finds room at once. */
TEST_F(log, slow_reader)
{
	int readers[8], i;

	for (i = 0; i < 8; i++)
		readers[i] = dev_open(O_RDONLY | O_APPEND);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < 20 * KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	for (i = 0; i < 8; i++) {
		PROVOKE(EPIPE, dev_read(readers[i], self->bytes, sizeof(self->bytes)));
		close(readers[i]);
	}
}

TEST_F(log, stream)
{
	int raw = open("/dev/vrseq-raw", O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC), i;
	char byte[2] = "";

	ASSERT_GE(raw, 0);
	ASSERT_EQ(6, dev_write(raw, "hello\n", 6));
	append_topic(self->fd, "", 0);
	ASSERT_EQ(6, dev_write(self->fd, "world\n", 6));
	/* A byte at a time, across the border of messages; then the rest. */
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(1, dev_read(raw, byte, 1));
		EXPECT_EQ("hello\nw"[i], byte[0]);
	}
	ASSERT_EQ(5, dev_read(raw, self->bytes, sizeof(self->bytes)));
	EXPECT_EQ(0, memcmp(self->bytes, "orld\n", 5));
	PROVOKE(EAGAIN, dev_read(raw, self->bytes, sizeof(self->bytes)));
	PROVOKE(ESPIPE, go(raw, 0, SEEK_CUR));
	/* To be told of a loss is not to read on as if nothing had been. */
	for (i = 0; i < 2 * KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	PROVOKE(EPIPE, dev_read(raw, self->bytes, sizeof(self->bytes)));
	EXPECT_EQ(KEPT, dev_read(raw, self->bytes, sizeof(self->bytes)));
	close(raw);
}

TEST_F(log, shell)
{
	static char line[1 << 16];
	size_t bytes;
	FILE *pipe;

	/*
	 * Both ways of a shell to write, and its own way to read, byte by byte. What
	 * other tests left in the log stands before the first line; who had begun to
	 * read it would be overrun.
	 */
	pipe = popen("echo >/dev/vrseq; echo one >/dev/vrseq; echo two >>/dev/vrseq; "
		     "exec 3</dev/vrseq-raw; while read -r word <&3; do [ \"$word\" != two ] || break; last=$word; done; "
		     "echo \"$last $word\"", "r");
	ASSERT_NE(NULL, pipe);
	bytes = fread(line, 1, sizeof(line) - 1, pipe);
	ASSERT_GE(bytes, 8);
	EXPECT_STREQ("one two\n", line + bytes - 8);
	EXPECT_EQ(0, pclose(pipe));
}

TEST_F(log, barrier)
{
	struct vrseq_barrier barrier = { .sequence = 0 };
	struct vrseq_append append;
	struct vrseq_next next;

	ASSERT_EQ(0, dev_append(self->fd, "x", 1, &append));
	ASSERT_EQ(0, dev_next(self->fd, "", 1, &next));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_BARRIER, &barrier));
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, barrier.hdr.outcome);
	EXPECT_EQ(0, barrier.hdr.op_id);
	EXPECT_GE(barrier.hdr.index, next.hdr.index);
	EXPECT_EQ(append.sequence, barrier.sequence);
	barrier.hdr.op_id = 1;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_BARRIER, &barrier));
	barrier.hdr.op_id = 0;
	barrier.hdr.deadline_ns = 1;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_BARRIER, &barrier));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, fdatasync(self->fd));
}

/* A loss that is not told yet is something to look at; reading takes it away. */
TEST_F(log, poll_loss)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLIN | POLLPRI };
	int i;

	EXPECT_EQ(0, poll(&pollfd, 1, 0));
	for (i = 0; i <= KEPT; i++)
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	ASSERT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_EQ(POLLIN | POLLPRI, pollfd.revents);
	PROVOKE(EPIPE, dev_read(self->fd, self->bytes, sizeof(self->bytes)));
	ASSERT_EQ(1, poll(&pollfd, 1, 0));
	EXPECT_EQ(POLLIN, pollfd.revents);
}

/* Each message is an edge; a reader that drains never misses one. */
TEST_F(log, edges)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), i;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(0, epoll_ctl(epoll, EPOLL_CTL_ADD, self->fd, &event));
	EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(1, dev_write(self->fd, "x", 1));
		ASSERT_EQ(1, epoll_wait(epoll, &event, 1, 1000));
		EXPECT_EQ(EPOLLIN, event.events);
		EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 0));
		if (i)
			while (dev_read(self->fd, self->bytes, sizeof(self->bytes)) > 0)
				;
	}
	close(epoll);
}

TEST_HARNESS_MAIN
