// SPDX-License-Identifier: GPL-2.0
/*
 * What a group and a member hold at most: counters, attached files, messages
 * kept for readers. On a group of one member that keeps 64 messages.
 */
#include <sys/resource.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"

#define MESSAGES_KEPT 64

FIXTURE(limits) {
	int fd;
	struct vrseq_info info;
};

FIXTURE_SETUP(limits)
{
	struct rlimit limit = { 1 << 17, 1 << 17 };

	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_INFO, &self->info));
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &limit));
}

FIXTURE_TEARDOWN(limits)
{
	close(self->fd);
}

TEST_F(limits, counters)
{
	struct vrseq_next next;
	char name[VRSEQ_COUNTER_NAME_BYTES];
	__u32 i;
	int err;

	for (i = 0; i <= self->info.counters_max; i++) {
		snprintf(name, sizeof(name), "counter %u", i);
		err = dev_next(self->fd, name, 1, &next);
		if (err)
			break;
		EXPECT_EQ(1, next.first);
	}
	EXPECT_EQ(self->info.counters_max, i);
	PROVOKE(ENOSPC, dev_next(self->fd, "one more", 1, &next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, next.hdr.outcome);
	EXPECT_EQ(0, dev_get(self->fd, "one more"));
	/* Those that exist, and the group's own, go on. */
	ASSERT_EQ(0, dev_next(self->fd, "counter 0", 1, &next));
	EXPECT_EQ(2, next.first);
	EXPECT_EQ(0, dev_next(self->fd, "", 1, &next));
}

TEST_F(limits, files)
{
	int *fds = calloc(self->info.files_max + 1, sizeof(*fds));
	struct vrseq_next next;
	__u32 count = 0, i;
	int more, err = 0;

	ASSERT_NE(NULL, fds);
	while (count <= self->info.files_max) {
		fds[count] = dev_open(O_RDWR);
		ASSERT_GE(fds[count], 0);
		err = dev_attach(fds[count++], "t");
		if (err)
			break;
	}
	EXPECT_EQ(-EDQUOT, dev_provoked(err, EDQUOT));
	/* The last one is not attached. */
	EXPECT_EQ(self->info.files_max + 1, count);
	PROVOKE(EDQUOT, dev_next(fds[count - 1], "", 1, &next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, next.hdr.outcome);
	EXPECT_EQ(0, dev_next(fds[0], "", 1, &next));
	/* Room for one is room for one. */
	close(fds[0]);
	EXPECT_EQ(0, dev_next(fds[count - 1], "", 1, &next));
	more = dev_open(O_RDWR);
	PROVOKE(EDQUOT, dev_attach(more, "t"));
	close(more);
	for (i = 1; i < count; i++)
		close(fds[i]);
	EXPECT_EQ(0, dev_next(self->fd, "", 1, &next));
	free(fds);
}

/* The idlest sessions go first: one that was used is not among them. */
TEST_F(limits, sessions)
{
	struct vrseq_next next;
	__u32 i;

	for (i = 0; i < self->info.sessions_max + 10; i++) {
		int fd = dev_open(O_RDWR);

		ASSERT_GE(fd, 0);
		ASSERT_EQ(0, dev_next(fd, "", 1, &next)) {
			TH_LOG("session %u: %s", i, strerror(errno));
		}
		close(fd);
	}
	EXPECT_EQ(0, dev_next(self->fd, "", 1, &next));
}

TEST_F(limits, overrun)
{
	const size_t record_bytes = sizeof(struct vrseq_record) + 8;
	struct vrseq_status status;
	struct vrseq_record record;
	struct vrseq_append append;
	unsigned char buffer[1 << 16];
	__u64 next;
	int i, writer = dev_open(O_WRONLY);

	ASSERT_EQ(0, dev_append(writer, "seen", 4, &append));
	do {
		ASSERT_EQ(record_bytes, dev_read(self->fd, buffer, record_bytes));
		memcpy(&record, buffer, sizeof(record));
	} while (record.sequence < append.sequence);
	next = append.sequence + 1;
	for (i = 0; i < 3 * MESSAGES_KEPT; i++)
		ASSERT_EQ(0, dev_append(writer, &i, sizeof(i), &append));

	/* Told once, with the range; then from the oldest that is kept. */
	EXPECT_TRUE(dev_poll(self->fd, 0) & POLLIN);
	PROVOKE(EPIPE, dev_read(self->fd, buffer, sizeof(buffer)));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(next, status.lost_first);
	EXPECT_EQ(status.sequence_first - 1, status.lost_last);
	EXPECT_EQ(status.sequence_first, status.read_next);
	EXPECT_EQ(append.sequence, status.sequence_last);
	EXPECT_GE(status.sequence_last - status.sequence_first + 1, MESSAGES_KEPT);
	for (next = status.lost_last + 1; next <= append.sequence; next++) {
		ASSERT_EQ(record_bytes, dev_read(self->fd, buffer, record_bytes));
		memcpy(&record, buffer, sizeof(record));
		ASSERT_EQ(next, record.sequence);
	}
	fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	PROVOKE(EAGAIN, dev_read(self->fd, buffer, sizeof(buffer)));
	/* The range stays to be asked for. */
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_NE(0, status.lost_first);
	close(writer);
}

TEST_HARNESS_MAIN
