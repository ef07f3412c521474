// SPDX-License-Identifier: GPL-2.0
/*
 * Operations whose outcome is unknown, and RESULT. $CUT takes the quorum of the
 * member in namespace $OPEN_IN away and $HEAL gives it back; $EXPECT is applied
 * if what it sends after $CUT still reaches the others, otherwise cancelled.
 */
#include "../lib/kselftest_harness.h"
#include "../lib/testlib.h"
#include "dev.h"

#define WINDOW 16
/* Each call that finds no quorum takes eight view timeouts. */
#define SECONDS 90

FIXTURE(settle) {
	int fd;
	bool applied;
	struct vrseq_next before;
	struct vrseq_next next;
	struct vrseq_op_result result;
	struct vrseq_get get;
};

FIXTURE_SETUP(settle)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	enter_netns(getenv("OPEN_IN"));
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->before));
	ASSERT_EQ(0, setns(home, CLONE_NEWNET));
	self->applied = !strcmp(getenv("EXPECT"), "applied");
	ASSERT_EQ(0, system(getenv("CUT")));
	memset(&self->next, 0, sizeof(self->next));
	self->next.count = 1;
}

FIXTURE_TEARDOWN(settle)
{
	close(self->fd);
	/* Whatever failed, the next test begins with a whole group. */
	ASSERT_EQ(0, system(getenv("HEAL")));
	sleep(2);
}

static void heal(struct __test_metadata *_metadata, struct _test_data_settle *self, __u64 op_id)
{
	__u64 until = dev_now_ns() + 20000 * MS;
	int err;

	ASSERT_EQ(0, system(getenv("HEAL")));
	do {
		err = dev_result(self->fd, op_id, &self->result);
	} while (err == -EHOSTUNREACH && dev_now_ns() < until);
	ASSERT_EQ(0, err);
}

static void expect_settled(struct __test_metadata *_metadata, struct _test_data_settle *self)
{
	if (self->applied) {
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->result.hdr.outcome);
		EXPECT_EQ(0, self->result.error);
		EXPECT_EQ(self->before.last + 1, self->result.first);
		EXPECT_GT(self->result.hdr.index, self->before.hdr.index);
	} else {
		EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->result.hdr.outcome);
		EXPECT_EQ(ECANCELED, self->result.error);
	}
	EXPECT_EQ(VRSEQ_KIND_NEXT, self->result.kind);
}

/* Nobody knows, until RESULT can be asked; and then it stays as it is. */
TEST_F_TIMEOUT(settle, unknown_then_settled, SECONDS)
{
	int i;

	PROVOKE(EHOSTUNREACH, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
	PROVOKE(EHOSTUNREACH, dev_result(self->fd, self->next.hdr.op_id, &self->result));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->result.hdr.outcome);

	/* What is known here can be read, what others would have to confirm cannot. */
	ASSERT_EQ(0, dev_read_counter(self->fd, "", VRSEQ_READ_LOCAL, &self->get));
	EXPECT_EQ(self->before.last, self->get.value);
	EXPECT_GT(self->get.age_ns, 1000 * MS);
	PROVOKE(EHOSTUNREACH, dev_read_counter(self->fd, "", VRSEQ_READ_INDEX, &self->get));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->get.hdr.outcome);
	PROVOKE(EHOSTUNREACH, dev_read_counter(self->fd, "", VRSEQ_READ_LEASE, &self->get));

	heal(_metadata, self, self->next.hdr.op_id);
	for (i = 0; i < 3; i++) {
		expect_settled(_metadata, self);
		if (self->applied) {
			ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
			EXPECT_EQ(self->before.last + 1, self->next.first);
		} else {
			PROVOKE(ECANCELED, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
			EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
		}
		ASSERT_EQ(0, dev_result(self->fd, self->next.hdr.op_id, &self->result));
	}
	EXPECT_EQ(self->before.last + self->applied, dev_get(self->fd, ""));
}

/* Repeated instead of settled: it is applied after all, and once. */
TEST_F_TIMEOUT(settle, unknown_then_repeated, SECONDS)
{
	__u64 until;
	int err;

	PROVOKE(EHOSTUNREACH, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
	ASSERT_EQ(0, system(getenv("HEAL")));
	until = dev_now_ns() + 20000 * MS;
	do {
		err = dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next);
	} while (err == -EHOSTUNREACH && dev_now_ns() < until);
	ASSERT_EQ(0, err);
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->next.hdr.outcome);
	EXPECT_EQ(self->before.last + 1, self->next.first);
	EXPECT_EQ(self->before.last + 1, dev_get(self->fd, ""));
}

/* A window full of them: room is made by settling the oldest. */
TEST_F_TIMEOUT(settle, window_of_unknown, SECONDS)
{
	struct pollfd pollfd = { .fd = self->fd, .events = POLLOUT };
	struct vrseq_next nexts[WINDOW];
	__u64 applied = 0;
	int i, err;

	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	for (i = 0; i < WINDOW; i++)
		PROVOKE(EAGAIN, dev_next(self->fd, "", 1, &nexts[i]));
	EXPECT_EQ(1, poll(&pollfd, 1, 20000));
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR));
	PROVOKE(EHOSTUNREACH, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	EXPECT_EQ(0, self->next.hdr.op_id);

	heal(_metadata, self, nexts[0].hdr.op_id);
	expect_settled(_metadata, self);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(nexts[0].hdr.op_id + WINDOW, self->next.hdr.op_id);
	for (i = 1; i < WINDOW; i++) {
		err = dev_result(self->fd, nexts[i].hdr.op_id, &self->result);
		ASSERT_EQ(0, err);
		EXPECT_NE(VRSEQ_OUTCOME_UNKNOWN, self->result.hdr.outcome);
		applied += self->result.hdr.outcome == VRSEQ_OUTCOME_APPLIED;
	}
	EXPECT_EQ(self->applied ? WINDOW - 1 : 0, applied);
	EXPECT_EQ(self->before.last + 1 + self->applied + applied, dev_get(self->fd, ""));
}

TEST_HARNESS_MAIN
