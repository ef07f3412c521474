// SPDX-License-Identifier: GPL-2.0
/*
 * Each byte that the kernel hands out is one that it meant to: whatever is not the value of a
 * field is zero, and nothing that it is to write is left as it was. By 64 and by 32 bits. On a
 * group of one member that nobody else uses; what memory held before is poison there.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"

#define BUFFER_BYTES	4096
#define POISON		0xa5
#define MESSAGES	64

FIXTURE(bytes) {
	int fd;
	unsigned char *low;		/* a page that 32 bits can say the address of */
	unsigned char buffer[BUFFER_BYTES];
};

FIXTURE_VARIANT(bytes) {
	bool compat;
};

FIXTURE_VARIANT_ADD(bytes, native) {
};

FIXTURE_VARIANT_ADD(bytes, compat) {
	.compat = true,
};

static int by_int80(int fd, unsigned int code, void *argument)
{
	long got = -EBADF;

#ifdef __x86_64__
	asm volatile("int $0x80" : "=a" (got)
		     : "a" (54l), "b" ((long)fd), "c" ((long)code), "d" ((long)argument)
		     : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)got;
}

/* A kernel without these calls kills who tries. */
static bool compat_works(void)
{
	int status = 1;
	pid_t child = fork();

	if (!child)
		_exit(by_int80(-1, 0, NULL) != -EBADF);
	waitpid(child, &status, 0);
	return !status;
}

FIXTURE_SETUP(bytes)
{
	if (variant->compat && !compat_works())
		SKIP(return, "no system calls of 32 bits");
	self->fd = dev_open(O_RDWR);
	ASSERT_GE(self->fd, 0);
	self->low = mmap(NULL, BUFFER_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, self->low);
}

FIXTURE_TEARDOWN(bytes)
{
	close(self->fd);
}

/* The structure @a as if it were at the end of a page, poison all around. */
static int call(struct _test_data_bytes *self, const struct _fixture_variant_bytes *variant,
		unsigned int code, void *a, size_t bytes)
{
	unsigned char *at = self->low + BUFFER_BYTES - bytes - 8;
	size_t i;
	int got;

	memset(self->low, POISON, BUFFER_BYTES);
	memcpy(at, a, bytes);
	got = variant->compat ? by_int80(self->fd, code, at) : dev_ioctl(self->fd, code, at);
	memcpy(a, at, bytes);
	memset(at, POISON, bytes);
	for (i = 0; i < BUFFER_BYTES; i++) {
		if (self->low[i] != POISON)
			return -ERANGE;
	}
	return got;
}

#define CALL(code, a) call(self, variant, code, &(a), sizeof(a))
#define EXPECT_ZERO(field) EXPECT_TRUE(is_zero(&(field), sizeof(field)))
/* A text, and nothing behind it. */
#define EXPECT_TEXT(field) EXPECT_TRUE(ends_in_zeroes(field, sizeof(field)))
/* Nobody has 2^62 of anything here: poison and pointers look like that. */
#define EXPECT_SMALL(field) EXPECT_LT((__u64)(field), 1ull << 62)

static bool is_zero(const void *at, size_t bytes)
{
	const unsigned char *p = at;

	while (bytes--) {
		if (*p++)
			return false;
	}
	return true;
}

static bool ends_in_zeroes(const char *text, size_t room)
{
	size_t bytes = strnlen(text, room);

	return bytes < room && is_zero(text + bytes, room - bytes);
}

/* No byte between the fields of a structure that is given out: all of it is fields. */
#define FIELDS(type, bytes) \
	_Static_assert(sizeof(struct type) == (bytes), #type " has bytes that are no field's")
FIELDS(vrseq_op_hdr, 4 + 2 + 2 + 4 * 8 + 3 * 8);
FIELDS(vrseq_info, 8 + 8 * 4 + 3 * 8);
FIELDS(vrseq_attach, VRSEQ_GROUP_NAME_BYTES + 2 * 4 + 2 * 8);
FIELDS(vrseq_status_member, 2 + 1 + 1 + 4 + 8);
FIELDS(vrseq_status, 4 + 2 * 2 + 13 * 8 + 2 * 8 + 7 * 16 + VRSEQ_STATUS_TEXT_BYTES);
FIELDS(vrseq_next, 64 + VRSEQ_COUNTER_NAME_BYTES + 3 * 8);
FIELDS(vrseq_get, 64 + VRSEQ_COUNTER_NAME_BYTES + 2 * 4 + 2 * 8);
FIELDS(vrseq_op_result, 64 + 2 * 4 + 2 * 8);
FIELDS(vrseq_append, 64 + 8 + 2 * 4 + 2 * 8);
FIELDS(vrseq_barrier, 64 + 2 * 8);
FIELDS(vrseq_seek, 4 * 4 + 8 + 3 * 8);
FIELDS(vrseq_record, 4 + 2 * 2 + 4 * 8 + 2 * 4);
FIELDS(vrseq_ring_header, 6 * 4 + 5 * 8 + 3 * 8);

/* What is written as a whole: twice, over different poison, the same. */
TEST_F(bytes, looks)
{
	struct vrseq_info info[2];
	struct vrseq_status status[2];
	struct vrseq_attach attach[2];
	__u64 sequence;
	unsigned int i;

	ASSERT_EQ(2, dev_write(self->fd, "it", 2));
	for (i = 0; i < 2; i++) {
		memset(&info[i], i ? 0x5a : POISON, sizeof(info[i]));
		ASSERT_EQ(0, CALL(VRSEQ_IOC_INFO, info[i]));
		EXPECT_ZERO(info[i].reserved);
		EXPECT_ZERO(info[i].features);

		memset(&attach[i], 0, sizeof(attach[i]));
		attach[i].member_id = i ? 0x5a5a5a5a : 0xa5a5a5a5;
		memset(attach[i].group + 4, i ? 0x5a : POISON, sizeof(attach[i].group) - 5);
		strcpy(attach[i].group, "t");
		ASSERT_EQ(0, CALL(VRSEQ_IOC_ATTACH, attach[i]));
		EXPECT_TEXT(attach[i].group);
		EXPECT_ZERO(attach[i].reserved);
		EXPECT_ZERO(attach[i].flags);
		EXPECT_EQ(1, attach[i].member_id);

		memset(&status[i], i ? 0x5a : POISON, sizeof(status[i]));
		ASSERT_EQ(0, CALL(VRSEQ_IOC_STATUS, status[i]));
		EXPECT_ZERO(status[i].reserved);
		EXPECT_TEXT(status[i].text);
		EXPECT_EQ(1, status[i].member_count);
		EXPECT_ZERO(status[i].members[0].reserved);
		EXPECT_TRUE(is_zero(&status[i].members[1], 6 * sizeof(status[i].members[1])));
		sequence = status[i].sequence_last;
		EXPECT_SMALL(sequence);
		EXPECT_SMALL(status[i].session);
		EXPECT_SMALL(status[i].read_next);
		EXPECT_SMALL(status[i].incarnation);
		EXPECT_ZERO(status[i].lost_first);
		EXPECT_ZERO(status[i].lost_last);
	}
	EXPECT_EQ(0, memcmp(&info[0], &info[1], sizeof(info[0])));
	EXPECT_EQ(0, memcmp(&attach[0], &attach[1], sizeof(attach[0])));
	EXPECT_EQ(0, memcmp(&status[0], &status[1], sizeof(status[0])));
}

static void poison_hdr(struct vrseq_op_hdr *hdr)
{
	hdr->outcome = 0xa5a5;
	hdr->index = ~0ull;
	hdr->view = ~0ull;
}

#define EXPECT_HDR(hdr, outcome_) do { \
	EXPECT_EQ(outcome_, (hdr).outcome); \
	EXPECT_ZERO((hdr).flags); \
	EXPECT_ZERO((hdr).reserved16); \
	EXPECT_ZERO((hdr).reserved); \
	EXPECT_ZERO((hdr).deadline_ns); \
	EXPECT_SMALL((hdr).op_id); \
	EXPECT_SMALL((hdr).index); \
	EXPECT_SMALL((hdr).view); \
} while (0)

/* What only has fields for answers: all of them are written. */
TEST_F(bytes, operations)
{
	struct vrseq_next next = { .count = 7, .first = ~0ull, .last = ~0ull };
	struct vrseq_get get = { .value = ~0ull, .age_ns = ~0ull };
	struct vrseq_append append = { .bytes = 3, .topic = 9, .sequence = ~0ull };
	struct vrseq_op_result result;
	struct vrseq_barrier barrier = { .sequence = ~0ull };
	struct vrseq_seek seek = { .whence = VRSEQ_SEEK_OLDEST };
	__u32 mode;

	poison_hdr(&next.hdr);
	strcpy(next.counter, "c");
	ASSERT_EQ(0, CALL(VRSEQ_IOC_NEXT, next));
	EXPECT_HDR(next.hdr, VRSEQ_OUTCOME_APPLIED);
	EXPECT_TEXT(next.counter);
	EXPECT_EQ(next.first + 6, next.last);
	EXPECT_SMALL(next.last);

	for (mode = VRSEQ_READ_LOG; mode <= VRSEQ_READ_LOCAL; mode++) {
		memset(&get, 0, sizeof(get));
		get.mode = mode;
		get.value = ~0ull;
		get.age_ns = ~0ull;
		poison_hdr(&get.hdr);
		strcpy(get.counter, "c");
		ASSERT_EQ(0, CALL(VRSEQ_IOC_GET, get));
		EXPECT_HDR(get.hdr, VRSEQ_OUTCOME_APPLIED);
		EXPECT_TEXT(get.counter);
		EXPECT_EQ(next.last, get.value);
		EXPECT_SMALL(get.age_ns);
		EXPECT_ZERO(get.reserved);
	}

	poison_hdr(&append.hdr);
	append.data = (unsigned long)strcpy((char *)self->buffer, "msg");
	if (variant->compat) {
		void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

		append.data = (unsigned long)strcpy(low, "msg");
	}
	ASSERT_EQ(0, CALL(VRSEQ_IOC_APPEND, append));
	EXPECT_HDR(append.hdr, VRSEQ_OUTCOME_APPLIED);
	EXPECT_SMALL(append.sequence);
	EXPECT_EQ(9, append.topic);

	memset(&result, 0, sizeof(result));
	result.kind = ~0u;
	result.error = ~0u;
	result.first = ~0ull;
	result.last = ~0ull;
	poison_hdr(&result.hdr);
	result.hdr.op_id = append.hdr.op_id;
	ASSERT_EQ(0, CALL(VRSEQ_IOC_RESULT, result));
	EXPECT_HDR(result.hdr, VRSEQ_OUTCOME_APPLIED);
	EXPECT_EQ(VRSEQ_KIND_APPEND, result.kind);
	EXPECT_ZERO(result.error);
	EXPECT_ZERO(result.first);
	EXPECT_EQ(append.sequence, result.last);

	poison_hdr(&barrier.hdr);
	ASSERT_EQ(0, CALL(VRSEQ_IOC_BARRIER, barrier));
	EXPECT_HDR(barrier.hdr, VRSEQ_OUTCOME_APPLIED);
	EXPECT_ZERO(barrier.hdr.op_id);
	EXPECT_EQ(append.sequence, barrier.sequence);
	EXPECT_ZERO(barrier.reserved);

	ASSERT_EQ(0, CALL(VRSEQ_IOC_SEEK, seek));
	EXPECT_ZERO(seek.reserved);
	EXPECT_SMALL(seek.position);

	/* Refused: an outcome and an op_id, and nothing of another operation. */
	memset(&next, 0, sizeof(next));
	poison_hdr(&next.hdr);
	next.first = 0x1122334455667788ull;
	next.last = 0x1122334455667788ull;
	ASSERT_EQ(-EINVAL, CALL(VRSEQ_IOC_NEXT, next));
	EXPECT_EQ(VRSEQ_OUTCOME_NOT_APPLIED, next.hdr.outcome);
	EXPECT_ZERO(next.hdr.op_id);
	EXPECT_EQ(0x1122334455667788ull, next.first);
	EXPECT_EQ(0x1122334455667788ull, next.last);
}

static bool record_is_clean(const struct vrseq_record *record)
{
	const char *message = (const char *)(record + 1);

	return record->size == ((sizeof(*record) + record->bytes + 7) & ~7ul) &&
	       record->type == VRSEQ_RECORD_MESSAGE && record->member_id == 1 &&
	       record->index < 1ull << 62 && record->sequence < 1ull << 62 &&
	       record->view < 1ull << 62 && record->session < 1ull << 62 &&
	       is_zero(message + record->bytes, record->size - sizeof(*record) - record->bytes);
}

/* Records: head, message, zeroes; what is behind the last one is as it was. */
TEST_F(bytes, records)
{
	static const char letters[MESSAGES] = "0123456789abcdef";
	struct vrseq_seek gaps = { .whence = VRSEQ_SEEK_SEQUENCE, .position = 1,
				   .flags = VRSEQ_SEEK_GAPS };
	struct {
		struct vrseq_record record;
		__u64 last;
	} *gap = (void *)self->buffer;
	struct vrseq_status status;
	ssize_t bytes, at;
	int i, seen = 0;

	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	for (i = 0; i < 4 * MESSAGES || status.sequence_first < 3; i++) {
		struct vrseq_append append;

		ASSERT_EQ(0, dev_append(self->fd, letters, i % 17, &append));
		ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_STATUS, &status));
	}
	ASSERT_EQ(0, CALL(VRSEQ_IOC_SEEK, gaps));
	EXPECT_ZERO(gaps.reserved);
	memset(self->buffer, POISON, sizeof(self->buffer));
	bytes = dev_read(self->fd, self->buffer, sizeof(*gap));
	ASSERT_EQ(sizeof(*gap), bytes);
	EXPECT_EQ(VRSEQ_RECORD_GAP, gap->record.type);
	EXPECT_EQ(1, gap->record.sequence);
	EXPECT_EQ(8, gap->record.bytes);
	EXPECT_GE(gap->last, 2);
	EXPECT_LT(gap->last, status.sequence_last);
	gap->record.size = 0;
	gap->record.type = 0;
	gap->record.sequence = 0;
	gap->record.bytes = 0;
	EXPECT_ZERO(gap->record);

	fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK);
	for (;;) {
		memset(self->buffer, POISON, sizeof(self->buffer));
		bytes = dev_read(self->fd, self->buffer, 1000);
		if (bytes == -EAGAIN)
			break;
		ASSERT_GT(bytes, 0);
		for (at = 0; at < bytes; seen++) {
			const struct vrseq_record *record = (void *)(self->buffer + at);

			ASSERT_TRUE(record_is_clean(record));
			ASSERT_EQ(0, memcmp(record + 1, letters, record->bytes));
			at += record->size;
		}
		ASSERT_EQ(at, bytes);
		for (; at < BUFFER_BYTES; at++)
			ASSERT_EQ(POISON, self->buffer[at]);
	}
	EXPECT_EQ(status.sequence_last - status.sequence_first + 1, seen);
}

/* All pages of a ring: header, records, and nothing of whatever the memory was before. */
TEST_F(bytes, ring)
{
	const struct vrseq_ring_header *header;
	struct vrseq_info info;
	const unsigned char *data;
	unsigned int round;
	__u64 at, count;

	ASSERT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_INFO, &info));
	/* The second time it is another memory: the first one went with its mapping. */
	for (round = 0; round < 2; round++) {
		header = mmap(NULL, info.ring_bytes, PROT_READ, MAP_SHARED, self->fd, 0);
		ASSERT_NE(MAP_FAILED, header);
		ASSERT_EQ(5, dev_write(self->fd, "ring!", 5));
		EXPECT_EQ(0, dev_ioctl(self->fd, VRSEQ_IOC_BARRIER, &(struct vrseq_barrier){}));
		EXPECT_EQ(VRSEQ_RING_MAGIC, header->magic);
		EXPECT_EQ(info.ring_bytes, header->data_offset + header->data_bytes);
		EXPECT_ZERO(header->error);
		EXPECT_ZERO(header->reserved32);
		EXPECT_ZERO(header->reserved);
		EXPECT_TRUE(is_zero((const unsigned char *)header + sizeof(*header),
				    header->data_offset - sizeof(*header)));
		data = (const unsigned char *)header + header->data_offset;
		for (at = header->tail, count = 0; at < header->head; count++) {
			const struct vrseq_record *record = (const void *)(data + at);

			ASSERT_TRUE(record_is_clean(record));
			at += record->size;
		}
		EXPECT_GT(count, 0);
		ASSERT_LT(header->head, header->data_bytes);
		EXPECT_TRUE(is_zero(data + header->head, header->data_bytes - header->head));
		munmap((void *)header, info.ring_bytes);
	}
}

TEST_HARNESS_MAIN
