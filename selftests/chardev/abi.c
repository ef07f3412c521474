// SPDX-License-Identifier: GPL-2.0
/*
 * The operations of /dev/vrseq, their arguments and their refusals, on a group
 * of one member (t, id 1) that nobody else uses.
 */
#include "../lib/kselftest_harness.h"
#include "dev.h"

FIXTURE(dev) {
	int fd;
	struct vrseq_next next;
};

FIXTURE_SETUP(dev)
{
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
}

FIXTURE_TEARDOWN(dev)
{
	close(self->fd);
}

TEST_F(dev, info)
{
	struct vrseq_info info;
	unsigned int i;

	memset(&info, 0xff, sizeof(info));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_INFO, &info));
	EXPECT_EQ(0, info.features);
	EXPECT_GE(info.message_bytes_max, 1024);
	EXPECT_GT(info.counters_max, 0);
	EXPECT_GT(info.sessions_max, 0);
	EXPECT_GT(info.files_max, 0);
	EXPECT_GE(info.record_bytes_max, sizeof(struct vrseq_record) + info.message_bytes_max);
	EXPECT_EQ(0, info.record_bytes_max % 8);
	EXPECT_GT(info.wire_version, 0);
	EXPECT_EQ(16, info.window);
	EXPECT_GT(info.ring_bytes, 0);
	for (i = 0; i < ARRAY_SIZE(info.reserved); i++)
		EXPECT_EQ(0, info.reserved[i]);
}

TEST_F(dev, status)
{
	struct vrseq_status status;
	unsigned int i;

	memset(&status, 0xff, sizeof(status));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	EXPECT_EQ(VRSEQ_STATE_NORMAL, status.state);
	EXPECT_EQ(1, status.has_quorum);
	EXPECT_EQ(1, status.member_count);
	EXPECT_EQ(1, status.quorum_count);
	EXPECT_EQ(1, status.self_id);
	EXPECT_EQ(1, status.primary_id);
	EXPECT_EQ(status.op, status.commit);
	EXPECT_NE(0, status.incarnation);
	EXPECT_LE(status.checkpoint_op, status.commit);
	EXPECT_EQ(0, status.lost_first);
	EXPECT_EQ(0, status.lost_last);
	EXPECT_EQ(1, status.members[0].id);
	EXPECT_EQ(VRSEQ_STATE_NORMAL, status.members[0].state);
	EXPECT_EQ(VRSEQ_MEMBER_SELF | VRSEQ_MEMBER_PRIMARY, status.members[0].flags);
	EXPECT_EQ(0, status.members[0].heard_age_ns);
	EXPECT_EQ(0, status.members[0].reserved);
	for (i = sizeof(status.members[0]); i < sizeof(status.members); i++)
		EXPECT_EQ(0, ((unsigned char *)status.members)[i]);
	for (i = 0; i < ARRAY_SIZE(status.reserved); i++)
		EXPECT_EQ(0, status.reserved[i]);
	EXPECT_LT(strnlen(status.text, sizeof(status.text)), sizeof(status.text));
	EXPECT_GT(strnlen(status.text, sizeof(status.text)), 0);
	/* Nothing of the kernel's memory after the sentence. */
	for (i = strnlen(status.text, sizeof(status.text)); i < sizeof(status.text); i++)
		EXPECT_EQ(0, status.text[i]);
}

TEST_F(dev, attach_by_name_or_not)
{
	struct vrseq_attach attach = { 0 };

	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_ATTACH, &attach));
	EXPECT_STREQ("t", attach.group);
	EXPECT_EQ(1, attach.member_id);
	/* To the same once more, by name and without. */
	EXPECT_EQ(0, dev_attach(self->fd, "t"));
	EXPECT_EQ(0, dev_attach(self->fd, ""));
}

TEST_F(dev, attach_refused)
{
	struct vrseq_attach attach = { .group = "t" };
	unsigned int i;

	PROVOKE(ENOTCONN, dev_attach(self->fd, "nobody"));
	for (i = 0; i < 32; i++) {
		attach.flags = 1u << i;
		PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_ATTACH, &attach));
	}
	attach.flags = 0;
	for (i = 0; i < sizeof(attach.reserved); i++) {
		((char *)attach.reserved)[i] = 1;
		PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_ATTACH, &attach));
		((char *)attach.reserved)[i] = 0;
	}
	/* A name without an end. */
	memset(attach.group, 'x', sizeof(attach.group));
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_ATTACH, &attach));
	EXPECT_EQ(0, dev_attach(self->fd, "t"));
}

TEST_F(dev, two_groups)
{
	int other = dev_open(O_RDWR);

	ASSERT_EQ(0, dev_attach(self->fd, "t"));
	ASSERT_EQ(0, system("$VRSEQ group add u self 1 listen 127.0.0.1:7999 insecure"));
	PROVOKE(EBUSY, dev_attach(self->fd, "u"));
	EXPECT_EQ(0, dev_attach(self->fd, "t"));
	/* Which of the two? */
	PROVOKE(ENOTCONN, dev_next(other, "", 1, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	PROVOKE(ENOTCONN, dev_attach(other, ""));
	EXPECT_EQ(0, dev_attach(other, "u"));
	close(other);
	ASSERT_EQ(0, system("$VRSEQ group del u"));
	EXPECT_EQ(0, dev_next(self->fd, "", 1, &self->next));
}

TEST_F(dev, next_counts)
{
	__u64 first, index, op_id;

	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
	first = self->next.first;
	index = self->next.hdr.index;
	op_id = self->next.hdr.op_id;
	EXPECT_EQ(first, self->next.last);
	EXPECT_GT(first, 0);
	EXPECT_GT(index, 0);
	EXPECT_GT(op_id, 0);
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, self->next.hdr.outcome);

	ASSERT_EQ(0, dev_next(self->fd, "", 10, &self->next));
	EXPECT_EQ(first + 1, self->next.first);
	EXPECT_EQ(first + 10, self->next.last);
	EXPECT_GT(self->next.hdr.index, index);
	EXPECT_GT(self->next.hdr.op_id, op_id);
	EXPECT_EQ(first + 10, dev_get(self->fd, ""));
}

TEST_F(dev, named_counters)
{
	char longest[VRSEQ_COUNTER_NAME_BYTES] = { 0 };

	memset(longest, 'n', sizeof(longest) - 1);
	ASSERT_EQ(0, dev_next(self->fd, longest, 3, &self->next));
	EXPECT_EQ(1, self->next.first);
	EXPECT_EQ(3, self->next.last);
	longest[sizeof(longest) - 2] = 'm';
	EXPECT_EQ(0, dev_get(self->fd, longest));
	ASSERT_EQ(0, dev_next(self->fd, longest, 1, &self->next));
	EXPECT_EQ(1, self->next.first);
	longest[sizeof(longest) - 2] = 'n';
	EXPECT_EQ(3, dev_get(self->fd, longest));
	EXPECT_EQ(0, dev_get(self->fd, "never drawn"));
	ASSERT_EQ(0, dev_next(self->fd, "gr\xc3\xbc\xc3\x9f", 1, &self->next));
	EXPECT_EQ(1, self->next.first);
}

TEST_F(dev, bad_names)
{
	struct vrseq_get get = { 0 };
	int c;

	for (c = 1; c < 0x20; c++) {
		const char name[] = { 'a', c, 0 };

		PROVOKE(EINVAL, dev_next(self->fd, name, 1, &self->next));
		EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	}
	PROVOKE(EINVAL, dev_next(self->fd, "\x7f", 1, &self->next));
	/* No NUL at the end. */
	memset(get.counter, 'x', sizeof(get.counter));
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
	/* Something after the NUL. */
	memset(get.counter, 0, sizeof(get.counter));
	for (c = 1; c < VRSEQ_COUNTER_NAME_BYTES; c++) {
		get.counter[c] = 'x';
		PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
		get.counter[c] = 0;
	}
	EXPECT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
}

TEST_F(dev, range_exhausted)
{
	const __u64 count_max = (1ull << 48) - 1;

	PROVOKE(EINVAL, dev_next(self->fd, "full", 0, &self->next));
	PROVOKE(EOVERFLOW, dev_next(self->fd, "full", count_max + 1, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	PROVOKE(EOVERFLOW, dev_next(self->fd, "full", ~0ull, &self->next));
	EXPECT_EQ(0, dev_get(self->fd, "full"));
	ASSERT_EQ(0, dev_next(self->fd, "full", count_max - 1, &self->next));
	EXPECT_EQ(1, self->next.first);
	EXPECT_EQ(count_max - 1, self->next.last);
	PROVOKE(EOVERFLOW, dev_next(self->fd, "full", 2, &self->next));
	ASSERT_EQ(0, dev_next(self->fd, "full", 1, &self->next));
	EXPECT_EQ(count_max, self->next.first);
	PROVOKE(EOVERFLOW, dev_next(self->fd, "full", 1, &self->next));
	PROVOKE(EOVERFLOW, dev_next(self->fd, "full", ~0ull, &self->next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, self->next.hdr.outcome);
	EXPECT_EQ(count_max, dev_get(self->fd, "full"));
}

/* Every byte that has to be zero, set; and nothing is counted. */
static void reserved_bytes(struct __test_metadata *_metadata, int fd, unsigned long command,
			   void *request, size_t bytes, size_t from, size_t to)
{
	unsigned char copy[256];
	size_t i;

	ASSERT_LE(bytes, sizeof(copy));
	for (i = from; i < to; i++) {
		memcpy(copy, request, bytes);
		copy[i] = 0x80;
		PROVOKE(EINVAL, dev_ioctl(fd, command, copy)) {
			TH_LOG("byte %zu of %#lx", i, command);
		}
	}
}

#define RESERVED(type, field, command, request) \
	reserved_bytes(_metadata, self->fd, command, &(request), sizeof(request), \
		       offsetof(type, field), \
		       offsetof(type, field) + sizeof(((type *)NULL)->field))

TEST_F(dev, reserved)
{
	struct vrseq_next next = { .count = 1 };
	struct vrseq_get get = { 0 };
	char byte = 'x';
	struct vrseq_append append = { .data = (unsigned long)&byte, .bytes = 1 };
	struct vrseq_barrier barrier = { .sequence = 0 };
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_CURRENT };
	struct vrseq_op_result result = { .hdr.op_id = 1 };
	struct vrseq_status before, after;

	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
	ASSERT_EQ(1, self->next.hdr.op_id);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &before));
	RESERVED(struct vrseq_next, hdr.flags, VRSEQ_IOC_NEXT, next);
	RESERVED(struct vrseq_next, hdr.reserved16, VRSEQ_IOC_NEXT, next);
	RESERVED(struct vrseq_next, hdr.reserved, VRSEQ_IOC_NEXT, next);
	RESERVED(struct vrseq_get, hdr.flags, VRSEQ_IOC_GET, get);
	RESERVED(struct vrseq_get, hdr.reserved16, VRSEQ_IOC_GET, get);
	RESERVED(struct vrseq_get, hdr.reserved, VRSEQ_IOC_GET, get);
	RESERVED(struct vrseq_get, mode, VRSEQ_IOC_GET, get);
	RESERVED(struct vrseq_get, reserved, VRSEQ_IOC_GET, get);
	RESERVED(struct vrseq_op_result, hdr.flags, VRSEQ_IOC_RESULT, result);
	RESERVED(struct vrseq_op_result, hdr.reserved16, VRSEQ_IOC_RESULT, result);
	RESERVED(struct vrseq_op_result, hdr.reserved, VRSEQ_IOC_RESULT, result);
	RESERVED(struct vrseq_append, hdr.flags, VRSEQ_IOC_APPEND, append);
	RESERVED(struct vrseq_append, hdr.reserved16, VRSEQ_IOC_APPEND, append);
	RESERVED(struct vrseq_append, hdr.reserved, VRSEQ_IOC_APPEND, append);
	RESERVED(struct vrseq_barrier, hdr.flags, VRSEQ_IOC_BARRIER, barrier);
	RESERVED(struct vrseq_barrier, hdr.reserved, VRSEQ_IOC_BARRIER, barrier);
	RESERVED(struct vrseq_barrier, reserved, VRSEQ_IOC_BARRIER, barrier);
	RESERVED(struct vrseq_seek, position, VRSEQ_IOC_SEEK, seek);
	RESERVED(struct vrseq_seek, reserved, VRSEQ_IOC_SEEK, seek);
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &after));
	EXPECT_EQ(before.op, after.op);
}

TEST_F(dev, join)
{
	struct vrseq_next next = { .count = 5 };
	__u64 first, index;

	next.hdr.op_id = 1000;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(1000, next.hdr.op_id);
	first = next.first;
	index = next.hdr.index;

	/* The same operation again: the same answer, nothing counted. */
	next.first = 0;
	next.last = 0;
	next.hdr.index = 0;
	next.hdr.outcome = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(first, next.first);
	EXPECT_EQ(first + 4, next.last);
	EXPECT_EQ(index, next.hdr.index);
	EXPECT_EQ(1000, next.hdr.op_id);
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, next.hdr.outcome);

	/* A larger id is a new one. */
	next.hdr.op_id = 1001;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(first + 5, next.first);

	/* The one before is still there; one between the two never was. */
	next.hdr.op_id = 1000;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(first, next.first);
	EXPECT_EQ(index, next.hdr.index);
	next.hdr.op_id = 999;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, next.hdr.outcome);

	/* Below the window it is too old, whether it was ever used or not. */
	next.hdr.op_id = 5;
	PROVOKE(ESTALE, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, next.hdr.outcome);

	/* The kernel goes on from the largest. */
	next.hdr.op_id = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_GT(next.hdr.op_id, 1001);
	EXPECT_EQ(first + 10, next.first);
	EXPECT_EQ(first + 14, dev_get(self->fd, ""));
}

/* All of the window can be joined, what is older cannot. */
TEST_F(dev, window)
{
	__u64 first[40], op_id;
	struct vrseq_op_result result;
	int i;

	for (i = 1; i < 40; i++) {
		ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
		ASSERT_EQ(i, self->next.hdr.op_id);
		first[i] = self->next.first;
	}
	for (op_id = 1; op_id < 40; op_id++) {
		self->next = (struct vrseq_next){ .hdr.op_id = op_id, .count = 1 };
		if (op_id + 16 < 40) {
			PROVOKE(ESTALE, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
			EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, self->next.hdr.outcome);
			PROVOKE(ESTALE, dev_result(self->fd, op_id, &result));
			EXPECT_EQ(VRSEQ_OUTCOME_UNKNOWN, result.hdr.outcome);
		} else {
			ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
			EXPECT_EQ(first[op_id], self->next.first);
			ASSERT_EQ(0, dev_result(self->fd, op_id, &result));
			EXPECT_EQ(first[op_id], result.first);
		}
	}
	/* A jump leaves nothing of it behind. */
	self->next = (struct vrseq_next){ .hdr.op_id = 60, .count = 1 };
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(first[39] + 1, self->next.first);
	for (op_id = 24; op_id < 60; op_id++) {
		self->next.hdr.op_id = op_id;
		EXPECT_EQ(op_id + 16 <= 60 ? -ESTALE : -EINVAL,
			  dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	}
	self->next.hdr.op_id = 1ull << 63;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &self->next));
	EXPECT_EQ(first[39] + 1, dev_get(self->fd, ""));
}

/* What became of operations that ended; of others see slow.c and settle.c. */
TEST_F(dev, result_of)
{
	struct vrseq_get get = { .counter = "result" };
	struct vrseq_op_result result;
	struct vrseq_append append;
	struct vrseq_status status;

	PROVOKE(EINVAL, dev_result(self->fd, 0, &result));
	PROVOKE(EINVAL, dev_result(self->fd, 1, &result));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, result.hdr.outcome);

	ASSERT_EQ(0, dev_next(self->fd, "result", 7, &self->next));
	ASSERT_EQ(0, dev_result(self->fd, self->next.hdr.op_id, &result));
	EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, result.hdr.outcome);
	EXPECT_EQ(VRSEQ_KIND_NEXT, result.kind);
	EXPECT_EQ(0, result.error);
	EXPECT_EQ(1, result.first);
	EXPECT_EQ(7, result.last);
	EXPECT_EQ(self->next.hdr.index, result.hdr.index);
	EXPECT_EQ(self->next.hdr.view, result.hdr.view);
	EXPECT_EQ(self->next.hdr.op_id, result.hdr.op_id);

	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
	ASSERT_EQ(0, dev_result(self->fd, get.hdr.op_id, &result));
	EXPECT_EQ(VRSEQ_KIND_GET, result.kind);
	EXPECT_EQ(7, result.last);

	ASSERT_EQ(0, dev_append(self->fd, "result", 6, &append));
	ASSERT_EQ(0, dev_result(self->fd, append.hdr.op_id, &result));
	EXPECT_EQ(VRSEQ_KIND_APPEND, result.kind);
	EXPECT_EQ(append.sequence, result.last);
	ASSERT_EQ(6, dev_write(self->fd, "result", 6));
	ASSERT_EQ(0, dev_result(self->fd, append.hdr.op_id + 1, &result));
	EXPECT_EQ(VRSEQ_KIND_APPEND, result.kind);
	EXPECT_EQ(append.sequence + 1, result.last);

	PROVOKE(EOVERFLOW, dev_next(self->fd, "result", ~0ull, &self->next));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	ASSERT_EQ(0, dev_result(self->fd, self->next.hdr.op_id, &result));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, result.hdr.outcome);
	EXPECT_EQ(VRSEQ_KIND_NEXT, result.kind);
	EXPECT_EQ(EOVERFLOW, result.error);
	/* None of these took an entry of the log. */
	get.mode = VRSEQ_READ_LOCAL;
	get.hdr.op_id = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
	EXPECT_EQ(status.op, get.hdr.index);
	/* Asking begins nothing: the next id is the next one. */
	PROVOKE(EINVAL, dev_result(self->fd, self->next.hdr.op_id + 1, &result));
	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
	EXPECT_EQ(append.hdr.op_id + 3, self->next.hdr.op_id);
}

TEST_F(dev, ways_to_read)
{
	static const __u32 modes[] = { VRSEQ_READ_INDEX, VRSEQ_READ_LEASE, VRSEQ_READ_LOCAL };
	struct vrseq_status before, after;
	struct vrseq_get get;
	unsigned int i;
	int other = dev_open(O_RDWR);

	ASSERT_EQ(0, dev_next(self->fd, "read", 3, &self->next));
	ASSERT_EQ(0, dev_ioctl(other, VRSEQ_IOC_STATUS, &before));
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ASSERT_EQ(0, dev_read_counter(other, "read", modes[i], &get));
		EXPECT_EQ(3, get.value);
		EXPECT_EQ(VRSEQ_OUTCOME_APPLIED, get.hdr.outcome);
		EXPECT_EQ(0, get.hdr.op_id);
		EXPECT_EQ(before.commit, get.hdr.index);
		EXPECT_EQ(before.view, get.hdr.view);
		EXPECT_LE(get.age_ns, modes[i] == VRSEQ_READ_LOCAL ? 10000 * MS : 0);
		ASSERT_EQ(0, dev_read_counter(other, "never", modes[i], &get));
		EXPECT_EQ(0, get.value);
		/* It has no id to be joined by, and is in time or not at all. */
		get.hdr.op_id = 1;
		PROVOKE(EINVAL, dev_ioctl(other, VRSEQ_IOC_GET, &get));
		EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, get.hdr.outcome);
		get.hdr.op_id = 0;
		get.hdr.deadline_ns = 1;
		PROVOKE(ETIMEDOUT, dev_ioctl(other, VRSEQ_IOC_GET, &get));
		EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, get.hdr.outcome);
	}
	/* No session was begun and no entry made for any of these. */
	ASSERT_EQ(0, dev_ioctl(other, VRSEQ_IOC_STATUS, &after));
	EXPECT_EQ(0, after.session);
	EXPECT_EQ(before.op, after.op);
	ASSERT_EQ(0, dev_read_counter(other, "read", VRSEQ_READ_LOG, &get));
	EXPECT_EQ(3, get.value);
	EXPECT_EQ(1, get.hdr.op_id);
	EXPECT_EQ(0, get.age_ns);
	ASSERT_EQ(0, dev_ioctl(other, VRSEQ_IOC_STATUS, &after));
	EXPECT_NE(0, after.session);
	EXPECT_GT(after.op, before.op);
	PROVOKE(EINVAL, dev_read_counter(other, "read", VRSEQ_READ_LOCAL + 1, &get));
	close(other);
}

TEST_F(dev, join_with_other_arguments)
{
	char byte = 'x';
	struct vrseq_next next = { .count = 2 };
	struct vrseq_get get = { 0 };
	struct vrseq_append append = { .data = (unsigned long)&byte, .bytes = 1 };
	__u64 first;

	next.hdr.op_id = 7;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	first = next.first;
	next.count = 3;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	next.count = 2;
	strcpy(next.counter, "other");
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	next.counter[0] = 0;
	next.counter[1] = 0;
	memset(next.counter, 0, sizeof(next.counter));
	get.hdr.op_id = 7;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_GET, &get));
	append.hdr.op_id = 7;
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	/* It is still there to be joined rightly. */
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(first, next.first);
	EXPECT_EQ(0, dev_get(self->fd, "other"));

	/* An append joined with other bytes, and with as many. */
	append.hdr.op_id = 100;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	first = append.sequence;
	byte = 'y';
	PROVOKE(EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	byte = 'x';
	append.sequence = 0;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_APPEND, &append));
	EXPECT_EQ(first, append.sequence);
}

TEST_F(dev, op_id_is_of_the_file)
{
	struct vrseq_next next = { .count = 1 };
	int other = dev_open(O_RDWR);
	__u64 first;

	next.hdr.op_id = 50;
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	first = next.first;
	ASSERT_EQ(0, dev_ioctl(other, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(first + 1, next.first);
	close(other);
}

TEST_F(dev, past_deadline)
{
	__u64 before = dev_get(self->fd, "");
	struct vrseq_next next = { .count = 1 };

	next.hdr.deadline_ns = 1;
	PROVOKE(ETIMEDOUT, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, next.hdr.outcome);
	EXPECT_EQ(before, dev_get(self->fd, ""));
}

TEST_F(dev, future_deadline)
{
	struct vrseq_next next = { .count = 1 };

	next.hdr.deadline_ns = dev_now_ns() + 5000 * MS;
	EXPECT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
	next = (struct vrseq_next){ .count = 1 };
	next.hdr.deadline_ns = ~0ull;
	EXPECT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, &next));
}

TEST_F(dev, bad_pointers)
{
	static const unsigned long commands[] = {
		VRSEQ_IOC_INFO, VRSEQ_IOC_ATTACH, VRSEQ_IOC_STATUS, VRSEQ_IOC_NEXT, VRSEQ_IOC_GET,
		VRSEQ_IOC_RESULT, VRSEQ_IOC_APPEND,
	};
	struct vrseq_append append;
	unsigned int i;
	char *page;

	page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_NONE));
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		PROVOKE(EFAULT, dev_ioctl(self->fd, commands[i], NULL));
		PROVOKE(EFAULT, dev_ioctl(self->fd, commands[i], (void *)-4096l));
		/* Its last byte is out of reach. */
		PROVOKE(EFAULT, dev_ioctl(self->fd, commands[i],
					  page + 4096 - _IOC_SIZE(commands[i]) + 1));
	}
	PROVOKE(EFAULT, dev_append(self->fd, NULL, 10, &append));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, append.hdr.outcome);
	PROVOKE(EFAULT, dev_append(self->fd, page + 4090, 10, &append));
	PROVOKE(EFAULT, dev_write(self->fd, NULL, 10));
}

TEST_F(dev, result_cannot_be_stored)
{
	struct vrseq_next *next;
	__u64 before;

	ASSERT_EQ(0, dev_next(self->fd, "", 1, &self->next));
	before = self->next.last;
	next = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, next);
	next->count = 1;
	next->hdr.op_id = self->next.hdr.op_id + 10;
	ASSERT_EQ(0, mprotect(next, 4096, PROT_READ));
	PROVOKE(EFAULT, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, next));
	ASSERT_EQ(0, mprotect(next, 4096, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_NEXT, next));
	EXPECT_EQ(before + 1, next->first);
	EXPECT_EQ(before + 1, dev_get(self->fd, ""));
}

TEST_F(dev, unknown_commands)
{
	unsigned char argument[4096] = { 0 };
	unsigned int number;

	for (number = 0; number < 256; number++) {
		if (number <= 0x02 || (number >= 0x11 && number <= 0x13) || number == 0x31)
			continue;
		PROVOKE(ENOTTY, dev_ioctl(self->fd, _IOWR(VRSEQ_IOC_TYPE, number,
							  struct vrseq_next), argument));
	}
	/* The right number, but not the size, the direction, the type. */
	PROVOKE(ENOTTY, dev_ioctl(self->fd, _IOC(_IOC_READ | _IOC_WRITE, VRSEQ_IOC_TYPE, 0x11,
						 sizeof(struct vrseq_next) - 8), argument));
	PROVOKE(ENOTTY, dev_ioctl(self->fd, _IOC(_IOC_READ, VRSEQ_IOC_TYPE, 0x11,
						 sizeof(struct vrseq_next)), argument));
	PROVOKE(ENOTTY, dev_ioctl(self->fd, _IOWR(0xBE, 0x11, struct vrseq_next), argument));
}

TEST_HARNESS_MAIN
