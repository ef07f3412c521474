// SPDX-License-Identifier: GPL-2.0
/*
 * VRSEQ_READ_LEASE in a group that has one of $LEASE_MS. Links have a delay of
 * $DELAY_MS each way; the member in namespace $OPEN_IN is the primary, and $CUT
 * takes its quorum away. Whoever else could lead then may do so after the lease:
 * before that it must have stopped answering.
 */
#include "../lib/kselftest_harness.h"
#include "../lib/testlib.h"
#include "dev.h"

FIXTURE(lease) {
	int fd;
	__u64 delay_ns;
	__u64 lease_ns;
	struct vrseq_next next;
	struct vrseq_get get;
};

FIXTURE_SETUP(lease)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	self->delay_ns = strtoull(getenv("DELAY_MS"), NULL, 10) * MS;
	self->lease_ns = strtoull(getenv("LEASE_MS"), NULL, 10) * MS;
	enter_netns(getenv("OPEN_IN"));
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
}

FIXTURE_TEARDOWN(lease)
{
	close(self->fd);
}

static __u64 took_ns(struct __test_metadata *_metadata, struct _test_data_lease *self, __u32 mode)
{
	__u64 before = dev_now_ns();

	EXPECT_EQ(0, dev_read_counter(self->fd, "", mode, &self->get));
	EXPECT_EQ(self->next.last, self->get.value);
	EXPECT_EQ(0, self->get.age_ns);
	return dev_now_ns() - before;
}

TEST_F(lease, answers_alone)
{
	__u64 with, without;

	with = took_ns(_metadata, self, VRSEQ_READ_LEASE);
	without = took_ns(_metadata, self, VRSEQ_READ_INDEX);
	TH_LOG("by lease %llu us, by index %llu us", with / 1000, without / 1000);
	EXPECT_LT(with, self->delay_ns);
	EXPECT_GE(without, 2 * self->delay_ns);
}

TEST_F(lease, runs_out)
{
	__u64 start, now, last = 0;
	int answers = 0;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	ASSERT_EQ(0, system(getenv("CUT")));
	start = dev_now_ns();
	do {
		now = dev_now_ns();
		if (!dev_read_counter(self->fd, "", VRSEQ_READ_LEASE, &self->get)) {
			last = now;
			answers++;
		}
		usleep(2000);
	} while (now < start + 2 * self->lease_ns);
	TH_LOG("%d answers after the cut, the last after %llu ms", answers,
	       last ? (last - start) / MS : 0);
	/* It was there, or this test shows nothing; what was heard last was sent before. */
	EXPECT_GT(answers, 0);
	EXPECT_LT(last, start + self->lease_ns);
	/* And goes on as a question to those who are not there. */
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	self->get.hdr.deadline_ns = dev_now_ns() + 500 * MS;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_GET, &self->get));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->get.hdr.outcome);
}

TEST_HARNESS_MAIN
