// SPDX-License-Identifier: GPL-2.0
/*
 * usage: ring
 *
 * The mapped ring, through the library: what cannot be mapped, and what readers
 * find while others write; on a group of one member that nobody else uses.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../lib/kselftest_harness.h"
#include "dev.h"
#include "vrseq.h"

#define READERS	4
#define MESSAGES 4000	/* of each of two writers */

FIXTURE(ring) {
	struct vrseq *handle;
	struct vrseq_info info;
	size_t bytes;
	int fd;
};

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, vrseq_open(NULL, O_CLOEXEC, &self->handle));
	ASSERT_EQ(0, vrseq_info(self->handle, &self->info));
	self->bytes = self->info.ring_bytes;
	self->fd = vrseq_fd(self->handle);
	ASSERT_GT(self->bytes, sizeof(struct vrseq_ring_header));
}

FIXTURE_TEARDOWN(ring)
{
	vrseq_close(self->handle);
}

static int append(struct vrseq *handle, const void *message, size_t bytes, __u64 *sequence)
{
	struct vrseq_result result;
	int error = vrseq_append(handle, message, bytes, VRSEQ_NO_DEADLINE, &result);

	if (!error && sequence)
		*sequence = result.first;
	return error;
}

static void *map(int fd, size_t bytes, int prot, int flags, off_t offset)
{
	return mmap(NULL, bytes, prot, flags, fd, offset);
}

#define EXPECT_NO_MAP(error, bytes, prot, flags, offset) do {			\
	errno = 0;								\
	EXPECT_EQ(MAP_FAILED, map(self->fd, bytes, prot, flags, offset));	\
	EXPECT_EQ(error, errno);						\
} while (0)

/* All of it, to be read, and nothing else. */
TEST_F(ring, other_mappings_are_refused)
{
	const size_t bytes = self->bytes;

	EXPECT_NO_MAP(EPERM, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	EXPECT_NO_MAP(EPERM, bytes, PROT_WRITE, MAP_SHARED, 0);
	EXPECT_NO_MAP(EPERM, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, 0);
	EXPECT_NO_MAP(EINVAL, bytes, PROT_READ, MAP_PRIVATE, 0);
	EXPECT_NO_MAP(EINVAL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);
	EXPECT_NO_MAP(EINVAL, bytes + 4096, PROT_READ, MAP_SHARED, 0);
	EXPECT_NO_MAP(EINVAL, bytes - 4096, PROT_READ, MAP_SHARED, 0);
	EXPECT_NO_MAP(EINVAL, bytes, PROT_READ, MAP_SHARED, 4096);
	EXPECT_NO_MAP(EINVAL, bytes, PROT_READ, MAP_SHARED, (off_t)1 << 40);
	EXPECT_NO_MAP(EINVAL, 4096, PROT_READ, MAP_SHARED, bytes);
}

TEST_F(ring, reading_needs_the_right_to_read)
{
	int fd = dev_open(O_WRONLY);

	errno = 0;
	EXPECT_EQ(MAP_FAILED, map(fd, self->bytes, PROT_READ, MAP_SHARED, 0));
	EXPECT_EQ(EACCES, errno);
	close(fd);
	fd = dev_open(O_RDONLY);
	EXPECT_NE(MAP_FAILED, map(fd, self->bytes, PROT_READ, MAP_SHARED, 0));
	close(fd);
}

/* By mprotect, by a debugger's way into memory, or by being made longer. */
TEST_F(ring, a_mapping_stays_what_it_is)
{
	char *at = map(self->fd, self->bytes, PROT_READ, MAP_SHARED, 0);
	struct vrseq_ring_header before;
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	char byte = 1;

	ASSERT_NE(MAP_FAILED, (void *)at);
	memcpy(&before, at, sizeof(before));
	EXPECT_EQ(VRSEQ_RING_MAGIC, before.magic);
	EXPECT_EQ(self->bytes, before.data_offset + before.data_bytes);
	EXPECT_EQ(-1, mprotect(at, self->bytes, PROT_READ | PROT_WRITE));
	EXPECT_EQ(EACCES, errno);
	EXPECT_EQ(-1, mprotect(at, 4096, PROT_WRITE));
	EXPECT_EQ(-1, mprotect(at, self->bytes, PROT_READ | PROT_EXEC));
	EXPECT_EQ(MAP_FAILED, mremap(at, self->bytes, self->bytes + 4096, MREMAP_MAYMOVE));
	ASSERT_GE(memory, 0);
	EXPECT_EQ(-1, pwrite(memory, &byte, 1, (off_t)(uintptr_t)at));
	EXPECT_EQ(0, memcmp(&before, at, sizeof(before)));
	close(memory);
	munmap(at, self->bytes);
}

/* Cut, moved, inherited, unmapped in any order: what is left goes on being fed. */
TEST_F(ring, parts_of_a_mapping)
{
	const struct vrseq_ring_header *header, *moved;
	char *at = map(self->fd, self->bytes, PROT_READ, MAP_SHARED, 0);
	int fd = self->fd, status;
	__u64 head;
	pid_t child;

	ASSERT_NE(MAP_FAILED, (void *)at);
	ASSERT_EQ(0, munmap(at + 64 * 4096, 4096));
	header = (void *)at;
	head = header->head;
	ASSERT_EQ(0, append(self->handle, "x", 1, NULL));
	EXPECT_LT(head, header->head);
	/* Move the half with the header away; the other half goes first. */
	moved = mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
		       mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	ASSERT_NE(MAP_FAILED, (void *)moved);
	ASSERT_EQ(0, munmap(at, self->bytes));
	head = moved->head;
	ASSERT_EQ(0, append(self->handle, "x", 1, NULL));
	EXPECT_LT(head, moved->head);

	/* The parent's goes, the child's stays. */
	child = fork();
	if (!child) {
		head = moved->head;
		usleep(200000);
		_exit(append(self->handle, "x", 1, NULL) || moved->head == head);
	}
	munmap((void *)moved, 4096);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);

	/* Nobody is left: nothing is written, until somebody maps it again. */
	header = map(fd, self->bytes, PROT_READ, MAP_SHARED, 0);
	ASSERT_NE(MAP_FAILED, (void *)header);
	head = header->head;
	munmap((void *)header, self->bytes);
	ASSERT_EQ(0, append(self->handle, "while nobody looks", 18, NULL));
	header = map(fd, self->bytes, PROT_READ, MAP_SHARED, 0);
	EXPECT_EQ(head + sizeof(struct vrseq_record) + 24, header->head);
	munmap((void *)header, self->bytes);
}

/* ---- readers ---------------------------------------------------------------- */

struct message {
	__u32 writer;
	__u32 number;
	unsigned char rest[1000];
};

/* A message of its own length and bytes. */
static size_t make(struct message *message, __u32 writer, __u32 number)
{
	size_t rest = (number * 37 + writer * 11) % sizeof(message->rest);

	message->writer = writer;
	message->number = number;
	memset(message->rest, number + writer, rest);
	return offsetof(struct message, rest) + rest;
}

static int is_whole(const struct vrseq_record *record, const void *bytes)
{
	struct message got, want;

	if (record->bytes < offsetof(struct message, rest) || record->bytes > sizeof(got))
		return 0;
	memcpy(&got, bytes, record->bytes);
	return make(&want, got.writer, got.number) == record->bytes &&
	       !memcmp(&want, &got, record->bytes);
}

static void *write_all(void *argument)
{
	__u32 writer = (uintptr_t)argument, i;
	struct message message;
	struct vrseq *handle;

	if (vrseq_open(NULL, 0, &handle))
		return "open";
	for (i = 0; i < MESSAGES; i++) {
		size_t bytes = make(&message, writer, i);

		if (append(handle, &message, bytes, NULL))
			return "append";
	}
	vrseq_close(handle);
	return NULL;
}

struct reader {
	pthread_t thread;
	struct vrseq_ring *ring;
	__u64 first, last;	/* what it was to read */
	__u64 got, lost;
	const char *wrong;
};

/* Dense numbers, whole messages, and whatever is missing was told to be. */
static void *read_all(void *argument)
{
	struct reader *reader = argument;
	__u64 next = reader->first;
	uint64_t first, last;
	struct vrseq_record record;
	const void *message;

	while (next <= reader->last) {
		int error = vrseq_ring_read(reader->ring, &record, &message);

		if (error == -EAGAIN) {
			error = vrseq_ring_wait(reader->ring, vrseq_deadline(30000 * MS));
		} else if (error == -EPIPE) {
			vrseq_ring_lost(reader->ring, &first, &last);
			if (first != next || last < first)
				reader->wrong = "lost something else";
			reader->lost += last + 1 - first;
			next = last + 1;
			error = 0;
		} else if (!error) {
			if (record.sequence != next)
				reader->wrong = "not the next number";
			if (!is_whole(&record, message))
				reader->wrong = "a damaged message";
			reader->got++;
			next++;
		}
		if (error)
			reader->wrong = strerror(-error);
		if (reader->wrong)
			break;
	}
	return NULL;
}

static struct vrseq_ring *ring_now(struct vrseq *handle)
{
	struct vrseq_ring *ring;

	return vrseq_ring_open(handle, VRSEQ_RING_NOW, &ring) ? NULL : ring;
}

TEST_F(ring, readers_while_writers_write)
{
	struct vrseq *handles[READERS];
	struct reader readers[READERS] = {};
	struct vrseq_status status;
	pthread_t writers[2];
	void *wrong;
	int i;

	/* The ring's first number; from here on every reader knows the next one. */
	ASSERT_EQ(0, append(self->handle, "x", 1, NULL));
	ASSERT_EQ(0, vrseq_status(self->handle, &status));
	for (i = 0; i < READERS; i++) {
		ASSERT_EQ(0, vrseq_open(NULL, 0, &handles[i]));
		readers[i].ring = ring_now(handles[i]);
		ASSERT_NE(NULL, readers[i].ring);
		readers[i].first = status.sequence_last + 1;
		readers[i].last = status.sequence_last + 2 * MESSAGES;
		pthread_create(&readers[i].thread, NULL, read_all, &readers[i]);
	}
	for (i = 0; i < 2; i++)
		pthread_create(&writers[i], NULL, write_all, (void *)(uintptr_t)(i + 1));
	for (i = 0; i < 2; i++) {
		pthread_join(writers[i], &wrong);
		EXPECT_EQ(NULL, wrong);
	}
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		EXPECT_EQ(NULL, readers[i].wrong) TH_LOG("%s", readers[i].wrong);
		EXPECT_EQ(2 * MESSAGES, readers[i].got + readers[i].lost);
		TH_LOG("got %llu, lost %llu", readers[i].got, readers[i].lost);
		vrseq_ring_close(readers[i].ring);
		vrseq_close(handles[i]);
	}
}

/* Overrun: told once, with the exact range; then it goes on, and nothing else is missing. */
TEST_F(ring, overrun_is_told_once)
{
	struct vrseq_ring *ring = ring_now(self->handle);
	__u64 first = 0, last = 0, sequence, next;
	uint64_t lost_first, lost_last;
	struct message message;
	struct vrseq_record record;
	const void *at;
	size_t bytes;
	int i;

	ASSERT_NE(NULL, ring);
	/* It has seen this one, so it knows what comes next. */
	ASSERT_EQ(0, append(self->handle, &message, make(&message, 1, 0), &sequence));
	ASSERT_EQ(0, vrseq_ring_read(ring, &record, &at));
	EXPECT_EQ(sequence, record.sequence);
	for (i = 0, bytes = 0; bytes < 2 * self->bytes; i++) {
		bytes += make(&message, 1, i);
		ASSERT_EQ(0, append(self->handle, &message, make(&message, 1, i), &last));
		if (!first)
			first = last;
	}
	EXPECT_EQ(-EPIPE, vrseq_ring_read(ring, &record, &at));
	vrseq_ring_lost(ring, &lost_first, &lost_last);
	EXPECT_EQ(first, lost_first);
	EXPECT_GT(lost_last, lost_first);
	for (next = lost_last + 1; next <= last; next++) {
		ASSERT_EQ(0, vrseq_ring_read(ring, &record, &at));
		ASSERT_EQ(next, record.sequence);
		ASSERT_TRUE(is_whole(&record, at));
	}
	EXPECT_EQ(-EAGAIN, vrseq_ring_read(ring, &record, &at));
	/* What is left is nearly all the ring can hold. */
	EXPECT_GT((last - lost_last) * (bytes / i), self->bytes / 2);
	vrseq_ring_close(ring);
}

/* After a time without readers, in which more came than half a ring, the ring has no hole. */
TEST_F(ring, whoever_comes_late)
{
	__u64 last = 0, next = 0;
	struct message message;
	struct vrseq_ring *ring;
	struct vrseq_record record;
	const void *at;
	size_t bytes;
	int i;

	vrseq_ring_close(ring_now(self->handle));
	for (i = 0, bytes = 0; bytes < self->bytes; i++) {
		bytes += make(&message, 1, i);
		ASSERT_EQ(0, append(self->handle, &message, make(&message, 1, i), &last));
	}
	ASSERT_EQ(0, vrseq_ring_open(self->handle, 0, &ring));
	while (!vrseq_ring_read(ring, &record, &at)) {
		if (next)
			ASSERT_EQ(next, record.sequence);
		ASSERT_TRUE(is_whole(&record, at));
		next = record.sequence + 1;
	}
	EXPECT_EQ(last + 1, next);
	vrseq_ring_close(ring);
}

/* While records are there, a reader that would be killed by any system call reads them. */
TEST_F(ring, no_system_call)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = { .len = 4, .filter = program };
	struct vrseq_ring *ring = ring_now(self->handle);
	struct message message;
	int status, i;
	pid_t child;

	ASSERT_NE(NULL, ring);
	for (i = 0; i < 200; i++)
		ASSERT_EQ(0, append(self->handle, &message, make(&message, 1, i), NULL));
	child = fork();
	if (!child) {
		struct vrseq_record record;
		const void *at;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(2);
		for (i = 0; i < 200; i++) {
			if (vrseq_ring_read(ring, &record, &at) || !is_whole(&record, at))
				syscall(__NR_exit, 3);
		}
		syscall(__NR_exit, vrseq_ring_read(ring, &record, &at) == -EAGAIN ? 0 : 4);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	/* And the filter is not idle: going to sleep is a system call. */
	child = fork();
	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
			_exit(2);
		vrseq_ring_wait(ring, VRSEQ_NO_DEADLINE);
		syscall(__NR_exit, 0);
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(SIGSYS, WTERMSIG(status));
	vrseq_ring_close(ring);
}

/* ---- sleeping --------------------------------------------------------------- */

TEST_F(ring, waiting)
{
	struct vrseq_ring_wait wait = { .position = 0 };
	struct vrseq_ring *ring;
	struct vrseq_record record;
	const void *at;
	__u64 before;
	pid_t child;

	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_RING_WAIT, &wait));
	ring = ring_now(self->handle);
	ASSERT_NE(NULL, ring);
	before = dev_now_ns();
	EXPECT_EQ(-ETIMEDOUT, vrseq_ring_wait(ring, vrseq_deadline(50 * MS)));
	EXPECT_GE(dev_now_ns() - before, 50 * MS);
	EXPECT_EQ(-ETIMEDOUT, vrseq_ring_wait(ring, 1));
	child = fork();
	if (!child) {
		usleep(100000);
		_exit(append(self->handle, "wake", 4, NULL) ? 1 : 0);
	}
	EXPECT_EQ(0, vrseq_ring_wait(ring, vrseq_deadline(30000 * MS)));
	EXPECT_EQ(0, vrseq_ring_wait(ring, VRSEQ_NO_DEADLINE));
	EXPECT_EQ(0, vrseq_ring_read(ring, &record, &at));
	EXPECT_EQ(4, record.bytes);
	EXPECT_EQ(0, memcmp(at, "wake", 4));
	waitpid(child, NULL, 0);
	ASSERT_EQ(0, fcntl(self->fd, F_SETFL, O_RDWR | O_NONBLOCK));
	EXPECT_EQ(-EAGAIN, vrseq_ring_wait(ring, VRSEQ_NO_DEADLINE));
	wait.reserved[1] = 1;
	EXPECT_EQ(-EINVAL, dev_ioctl(self->fd, VRSEQ_IOC_RING_WAIT, &wait));
	EXPECT_EQ(-EFAULT, dev_ioctl(self->fd, VRSEQ_IOC_RING_WAIT, NULL));
	vrseq_ring_close(ring);
}

static void on_signal(int number)
{
	(void)number;
}

TEST_F(ring, signals)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct vrseq_ring *ring = ring_now(self->handle);
	pid_t parent = getpid(), child;

	ASSERT_NE(NULL, ring);
	sigaction(SIGUSR1, &action, NULL);
	child = fork();
	if (!child) {
		usleep(100000);
		kill(parent, SIGUSR1);
		_exit(0);
	}
	EXPECT_EQ(-EINTR, vrseq_ring_wait(ring, vrseq_deadline(30000 * MS)));
	while (waitpid(child, NULL, 0) < 0)
		;
	vrseq_ring_close(ring);
}

TEST_HARNESS_MAIN
