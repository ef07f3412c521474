// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vrseq as a file: write() appends, read() returns records, poll(),
 * O_NONBLOCK, signals, dup and fork; on a group of one member that nobody else
 * uses.
 */
#include "../lib/kselftest_harness.h"
#include "dev.h"

#define BUFFER_BYTES (1 << 20)

FIXTURE(file) {
	int fd;
	unsigned char *buffer;
	struct vrseq_info info;
};

static void drain(int fd, void *buffer)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (read(fd, buffer, BUFFER_BYTES) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

FIXTURE_SETUP(file)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	self->buffer = malloc(BUFFER_BYTES);
	ASSERT_NE(NULL, self->buffer);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_INFO, &self->info));
	ASSERT_LE(self->info.record_bytes_max, BUFFER_BYTES);
	/* Each test begins behind what the others wrote. */
	drain(self->fd, self->buffer);
}

FIXTURE_TEARDOWN(file)
{
	free(self->buffer);
	close(self->fd);
}

/* One record with this message at @at; returns its size. */
static size_t expect_record(struct __test_metadata *_metadata, const unsigned char *at,
			    ssize_t room, const void *message, size_t bytes, __u64 sequence)
{
	struct vrseq_record record;
	size_t i;

	ASSERT_GE(room, (ssize_t)sizeof(record));
	memcpy(&record, at, sizeof(record));
	EXPECT_EQ(VRSEQ_RECORD_MESSAGE, record.type);
	EXPECT_EQ(bytes, record.bytes);
	EXPECT_EQ(0, record.topic);
	EXPECT_EQ(1, record.member_id);
	EXPECT_EQ(sequence, record.sequence);
	EXPECT_GT(record.index, 0);
	EXPECT_EQ((sizeof(record) + bytes + 7) / 8 * 8, record.size);
	ASSERT_LE((ssize_t)record.size, room);
	EXPECT_EQ(0, memcmp(at + sizeof(record), message, bytes));
	for (i = sizeof(record) + bytes; i < record.size; i++)
		EXPECT_EQ(0, at[i]);
	return record.size;
}

TEST_F(file, write_then_read)
{
	struct vrseq_append append;
	struct vrseq_status status;
	struct vrseq_record record;
	ssize_t bytes;

	ASSERT_EQ(0, dev_append(self->fd, "first", 5, &append));
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, append.hdr.outcome);
	ASSERT_EQ(5, dev_write(self->fd, "hello", 5));
	memset(self->buffer, 0xff, BUFFER_BYTES);
	bytes = dev_read(self->fd, self->buffer, sizeof(record) + 8);
	ASSERT_EQ(sizeof(record) + 8, bytes);
	expect_record(_metadata, self->buffer, bytes, "first", 5, append.sequence);
	memcpy(&record, self->buffer, sizeof(record));
	EXPECT_EQ(append.hdr.index, record.index);
	EXPECT_EQ(append.hdr.view, record.view);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(status.session, record.session);
	EXPECT_NE(0, record.session);
	EXPECT_EQ(append.sequence + 1, status.read_next);
	EXPECT_EQ(append.sequence + 1, status.sequence_last);
	bytes = dev_read(self->fd, self->buffer, BUFFER_BYTES);
	expect_record(_metadata, self->buffer, bytes, "hello", 5, append.sequence + 1);
}

TEST_F(file, many_records_in_one_read)
{
	struct vrseq_append append;
	char message[64];
	size_t at = 0;
	ssize_t bytes;
	__u64 first = 0;
	int i;

	memset(message, 'm', sizeof(message));
	for (i = 0; i < 40; i++) {
		ASSERT_EQ(0, dev_append(self->fd, message, 1 + i, &append));
		if (!i)
			first = append.sequence;
	}
	bytes = dev_read(self->fd, self->buffer, BUFFER_BYTES);
	for (i = 0; i < 40; i++)
		at += expect_record(_metadata, self->buffer + at, bytes - at, message, 1 + i,
				    first + i);
	EXPECT_EQ(bytes, at);
}

TEST_F(file, whole_records_only)
{
	const size_t one = sizeof(struct vrseq_record) + 8;
	struct vrseq_append append;
	ssize_t bytes;
	size_t room;

	ASSERT_EQ(0, dev_append(self->fd, "one", 3, &append));
	ASSERT_EQ(3, dev_write(self->fd, "two", 3));
	/* Too short for the next record: nothing moves. */
	for (room = 0; room < one; room++) {
		self->buffer[0] = 0xee;
		if (room)
			PROVOKE(EINVAL, dev_read(self->fd, self->buffer, room));
		EXPECT_EQ(0xee, self->buffer[0]);
	}
	/* One and a half fit: one comes. */
	bytes = dev_read(self->fd, self->buffer, one + one - 1);
	ASSERT_EQ(one, bytes);
	expect_record(_metadata, self->buffer, bytes, "one", 3, append.sequence);
	/* A pointer that cannot be written: nothing moves. */
	PROVOKE(EFAULT, dev_read(self->fd, NULL, BUFFER_BYTES));
	bytes = dev_read(self->fd, self->buffer, one);
	ASSERT_EQ(one, bytes);
	expect_record(_metadata, self->buffer, bytes, "two", 3, append.sequence + 1);
}

TEST_F(file, message_sizes)
{
	const __u32 max = self->info.message_bytes_max;
	unsigned char *message = malloc(max + 1);
	struct vrseq_append append;
	ssize_t bytes;
	__u32 i;

	ASSERT_NE(NULL, message);
	for (i = 0; i <= max; i++)
		message[i] = i * 7;
	PROVOKE(EMSGSIZE, dev_append(self->fd, message, max + 1, &append));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, append.hdr.outcome);
	PROVOKE(EMSGSIZE, dev_append(self->fd, message, ~0u, &append));
	PROVOKE(EMSGSIZE, dev_write(self->fd, message, max + 1));
	ASSERT_EQ(8192, max);
	ASSERT_EQ(0, dev_append(self->fd, message, max, &append));
	ASSERT_EQ(max, dev_write(self->fd, message, max));
	bytes = dev_read(self->fd, self->buffer, self->info.record_bytes_max);
	expect_record(_metadata, self->buffer, bytes, message, max, append.sequence);
	bytes = dev_read(self->fd, self->buffer, self->info.record_bytes_max);
	expect_record(_metadata, self->buffer, bytes, message, max, append.sequence + 1);
	free(message);
}

TEST_F(file, own_cursor_of_each_open)
{
	struct vrseq_append append;
	int other;
	ssize_t bytes;

	ASSERT_EQ(0, dev_append(self->fd, "for all", 7, &append));
	other = dev_open(O_RDWR);
	ASSERT_GE(other, 0);
	bytes = dev_read(self->fd, self->buffer, BUFFER_BYTES);
	expect_record(_metadata, self->buffer, bytes, "for all", 7, append.sequence);
	/* A new reader begins at the oldest message that is kept. */
	do {
		bytes = dev_read(other, self->buffer,
				 sizeof(struct vrseq_record) + self->info.message_bytes_max + 7);
		ASSERT_GT(bytes, 0);
	} while (bytes != sizeof(struct vrseq_record) + 8 ||
		 memcmp(self->buffer + sizeof(struct vrseq_record), "for all", 7));
	close(other);
}

TEST_F(file, dup_and_fork_share)
{
	struct vrseq_append append;
	int copy = dup(self->fd), status;
	ssize_t bytes;
	pid_t child;

	ASSERT_EQ(0, dev_append(self->fd, "1", 1, &append));
	ASSERT_EQ(1, dev_write(copy, "2", 1));
	child = fork();
	if (!child) {
		bytes = dev_read(self->fd, self->buffer, sizeof(struct vrseq_record) + 8);
		_exit(bytes == sizeof(struct vrseq_record) + 8 &&
		      self->buffer[sizeof(struct vrseq_record)] == '1' ? 0 : 1);
	}
	waitpid(child, &status, 0);
	EXPECT_EQ(0, status);
	bytes = dev_read(copy, self->buffer, BUFFER_BYTES);
	expect_record(_metadata, self->buffer, bytes, "2", 1, append.sequence + 1);
	close(copy);
	EXPECT_EQ(1, dev_write(self->fd, "3", 1));
}

TEST_F(file, directions)
{
	int reader = dev_open(O_RDONLY), writer = dev_open(O_WRONLY);

	EXPECT_EQ(-EBADF, dev_write(reader, "x", 1));
	EXPECT_EQ(-EBADF, dev_read(writer, self->buffer, BUFFER_BYTES));
	EXPECT_EQ(1, dev_write(writer, "x", 1));
	close(reader);
	close(writer);
}

TEST_F(file, poll_tells)
{
	struct vrseq_append append;

	EXPECT_EQ(POLLOUT, dev_poll(self->fd, 0));
	ASSERT_EQ(0, dev_append(self->fd, "x", 1, &append));
	EXPECT_EQ(POLLIN | POLLOUT, dev_poll(self->fd, 1000));
	dev_read(self->fd, self->buffer, BUFFER_BYTES);
	EXPECT_EQ(POLLOUT, dev_poll(self->fd, 0));
}

TEST_F(file, poll_wakes)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLIN };
	__u64 before = dev_now_ns();
	pid_t child;

	EXPECT_EQ(0, poll(&pollfd, 1, 50));
	EXPECT_GE(dev_now_ns() - before, 50 * MS);
	child = fork();
	if (!child) {
		int fd = dev_open(O_RDWR);

		usleep(100000);
		_exit(write(fd, "wake", 4) == 4 ? 0 : 1);
	}
	EXPECT_EQ(1, poll(&pollfd, 1, 10000));
	EXPECT_EQ(POLLIN, pollfd.revents);
	waitpid(child, NULL, 0);
}

TEST_F(file, nonblocking_read)
{
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	PROVOKE(EAGAIN, dev_read(self->fd, self->buffer, BUFFER_BYTES));
	ASSERT_EQ(1, dev_write(self->fd, "x", 1));
	EXPECT_GT(dev_read(self->fd, self->buffer, BUFFER_BYTES), 0);
	PROVOKE(EAGAIN, dev_read(self->fd, self->buffer, BUFFER_BYTES));
}

TEST_F(file, read_waits)
{
	__u64 before = dev_now_ns();
	ssize_t bytes;
	pid_t child = fork();

	if (!child) {
		int fd = dev_open(O_RDWR);

		usleep(100000);
		_exit(write(fd, "awaited", 7) == 7 ? 0 : 1);
	}
	bytes = dev_read(self->fd, self->buffer, BUFFER_BYTES);
	EXPECT_EQ(sizeof(struct vrseq_record) + 8, bytes);
	EXPECT_GE(dev_now_ns() - before, 90 * MS);
	waitpid(child, NULL, 0);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* A signal every 50 ms while the read waits; a message after 300 ms. */
static ssize_t interrupted_read(int fd, void *buffer, int flags)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = flags };
	pid_t parent = getpid(), child;
	ssize_t bytes;

	signals = 0;
	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (!child) {
		int other = dev_open(O_RDWR), i;

		for (i = 0; i < 6; i++) {
			usleep(50000);
			kill(parent, SIGUSR1);
		}
		_exit(write(other, "x", 1) == 1 ? 0 : 1);
	}
	bytes = dev_read(fd, buffer, BUFFER_BYTES);
	while (waitpid(child, NULL, 0) < 0)
		;
	return bytes;
}

TEST_F(file, signal_ends_read)
{
	PROVOKE(EINTR, interrupted_read(self->fd, self->buffer, 0));
	EXPECT_GT(signals, 0);
	/* Nothing was lost by it. */
	EXPECT_EQ(sizeof(struct vrseq_record) + 8,
		  dev_read(self->fd, self->buffer, BUFFER_BYTES));
}

TEST_F(file, sa_restart_goes_on)
{
	EXPECT_EQ(sizeof(struct vrseq_record) + 8,
		  interrupted_read(self->fd, self->buffer, SA_RESTART));
	EXPECT_EQ(6, signals);
}

TEST_F(file, killed_reader_leaves)
{
	int status;
	pid_t child = fork();

	if (!child) {
		read(self->fd, self->buffer, BUFFER_BYTES);
		_exit(0);
	}
	usleep(50000);
	kill(child, SIGKILL);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
}

TEST_HARNESS_MAIN
