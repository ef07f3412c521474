// SPDX-License-Identifier: GPL-2.0
/*
 * Every call but ioctl() that a file of /dev/vrseq can see, with arguments that are right or wrong.
 */
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "hostile.h"

#define PATTERN 0x5a

static long result(long got)
{
	return got < 0 ? -errno : got;
}

static size_t random_bytes(struct worker *w)
{
	static const size_t sizes[] = {
		0, 1, 7, 8, 55, 56, 64, 4095, 4096, 8191, 8192, 8193, 8248, 4 * PAGE,
	};

	return one_in(w, 2) ? random_below(w, 200) : ANY_OF(w, sizes);
}

/* ---- reading and writing --------------------------------------------------------------------- */

/* Nothing behind what was read has been touched; nothing at all, if nothing was. */
static void check_behind(struct worker *w, const unsigned char *at, size_t bytes, long got)
{
	size_t from = got > 0 ? got : 0, to = from + 64, i;

	if (got > (long)bytes)
		broken(w, "read(%zu) returned %ld", bytes, got);
	for (i = from; i < to && at + i < w->bulk + BULK_BYTES; i++) {
		if (at[i] != PATTERN)
			broken(w, "read(%zu) returned %ld and wrote at %zu", bytes, got, i);
	}
}

static long random_read(struct worker *w)
{
	size_t bytes = random_bytes(w);
	unsigned char *at = w->bulk;
	struct iovec parts[3];
	long got;

	if (one_in(w, 4))
		at += BULK_BYTES - bytes;
	memset(w->bulk, PATTERN, BULK_BYTES);
	switch (random_below(w, 8)) {
	case 0:
		return result(read(random_fd(w), (void *)wild_pointer(w), bytes | 1));
	case 1:			/* into nothing */
		return result(read(random_fd(w), w->bulk + BULK_BYTES - random_below(w, 64),
				   8192));
	case 2:
		got = result(pread(random_fd(w), at, bytes, random_below(w, 100)));
		if (got >= 0)
			broken(w, "pread() returned %ld", got);
		return got;
	case 3:
		parts[0] = (struct iovec) { w->bulk, random_below(w, 100) };
		parts[1] = (struct iovec) { (void *)wild_pointer(w), random_below(w, 2) * 64 };
		parts[2] = (struct iovec) { w->bulk + PAGE, bytes };
		return result(readv(random_fd(w), parts, random_below(w, 4)));
	default:
		got = result(read(random_fd(w), at, bytes));
		check_behind(w, at, bytes, got);
		return got;
	}
}

static long random_write(struct worker *w)
{
	size_t bytes = random_bytes(w);
	struct iovec parts[3];
	long got;

	switch (random_below(w, 8)) {
	case 0:
		return result(write(random_fd(w), (void *)wild_pointer(w), bytes | 1));
	case 1:
		return result(write(random_fd(w), w->bulk + BULK_BYTES - random_below(w, 64),
				    100));
	case 2:
		got = result(pwrite(random_fd(w), w->bulk, bytes, random_below(w, 100)));
		if (got >= 0)
			broken(w, "pwrite() returned %ld", got);
		return got;
	case 3:
		parts[0] = (struct iovec) { w->bulk, random_below(w, 100) };
		parts[1] = (struct iovec) { (void *)wild_pointer(w), random_below(w, 2) * 64 };
		parts[2] = (struct iovec) { w->bulk + PAGE, bytes };
		return result(writev(random_fd(w), parts, random_below(w, 4)));
	case 4:
		return result(write(random_fd(w), w->bulk, wild_number(w)));
	default:
		got = result(write(random_fd(w), w->bulk, bytes));
		if (got >= 0 && got != (long)bytes)
			broken(w, "write(%zu) returned %ld", bytes, got);
		return got;
	}
}

static long random_lseek(struct worker *w)
{
	static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE, 7, -1 };
	off_t offset = one_in(w, 3) ? (off_t)wild_number(w) : random_below(w, 300);

	return result(lseek(random_fd(w), one_in(w, 4) ? -offset : offset, ANY_OF(w, whences)));
}

/* ---- waiting --------------------------------------------------------------------------------- */

static long random_poll(struct worker *w)
{
	struct pollfd fds[2] = {
		{ .fd = random_fd(w), .events = random_bits(w) },
		{ .fd = random_fd(w), .events = POLLIN | POLLOUT | POLLPRI },
	};
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLET };
	long got;
	int set;

	if (!one_in(w, 4)) {
		got = result(poll(fds, one_in(w, 20) ? 1u << 30 : 2, random_below(w, 4)));
		if (got > 0 && (fds[0].revents | fds[1].revents) & POLLHUP)
			broken(w, "poll() says that the group is gone");
		return got;
	}
	/* The file may go while it is in the set, and the set while it is waited for. */
	set = epoll_create1(EPOLL_CLOEXEC);
	if (set < 0)
		return -errno;
	got = result(epoll_ctl(set, EPOLL_CTL_ADD, fds[0].fd, &event));
	if (!got)
		got = result(epoll_wait(set, &event, 1, random_below(w, 4)));
	close(set);
	return got;
}

static long random_sync(struct worker *w)
{
	switch (random_below(w, 4)) {
	case 0:
		return result(fdatasync(random_fd(w)));
	case 1:
		return result(sync_file_range(random_fd(w), 0, wild_number(w), 7));
	default:
		return result(fsync(random_fd(w)));
	}
}

/* ---- the ring -------------------------------------------------------------------------------- */

static void spoil_map(struct worker *w)
{
	size_t bytes = PAGE * (1 + random_below(w, 8));

	switch (random_below(w, 6)) {
	case 0:
		if (!mprotect(w->map, bytes, PROT_READ | PROT_WRITE))
			broken(w, "the ring was made writable");
		break;
	case 1:
		if (!mprotect(w->map, bytes, PROT_READ | PROT_EXEC))
			broken(w, "the ring was made executable");
		break;
	case 2:
		if (mremap(w->map, w->ring_bytes, w->ring_bytes + bytes, MREMAP_MAYMOVE) !=
		    MAP_FAILED)
			broken(w, "the ring was made longer");
		break;
	case 3:
		madvise(w->map + bytes, bytes, one_in(w, 2) ? MADV_DONTNEED : MADV_DONTFORK);
		break;
	default:
		/* A hole first, or its beginning. */
		if (one_in(w, 2))
			munmap(w->map + random_below(w, 4) * PAGE, bytes);
		munmap(w->map, w->ring_bytes);
		w->map = NULL;
		break;
	}
}

static long map_ring(struct worker *w)
{
	struct vrseq_ring_header *header;

	if (w->map)
		munmap(w->map, w->ring_bytes);
	w->map = NULL;
	header = mmap(NULL, w->ring_bytes, PROT_READ, MAP_SHARED, random_fd(w), 0);
	if (header == MAP_FAILED)
		return -errno;
	if (header->magic != VRSEQ_RING_MAGIC || header->head < header->tail)
		broken(w, "what was mapped is no ring");
	w->map = header;
	return 0;
}

static long random_map(struct worker *w)
{
	static const int flag_sets[] = {
		MAP_SHARED, MAP_SHARED, MAP_PRIVATE, MAP_SHARED_VALIDATE, MAP_SHARED | MAP_POPULATE,
		MAP_SHARED | MAP_LOCKED, MAP_SHARED | MAP_32BIT,
	};
	size_t bytes = one_in(w, 3) ? w->ring_bytes : PAGE * (1 + random_below(w, 2000));
	off_t offset = one_in(w, 3) ? PAGE * random_below(w, 1000) : 0;
	int prot = random_below(w, 8), flags = ANY_OF(w, flag_sets);
	void *map;

	if (w->map && !one_in(w, 4)) {
		spoil_map(w);
		return 0;
	}
	if (one_in(w, 3))
		return map_ring(w);
	map = mmap(NULL, bytes, prot, flags, random_fd(w), offset);
	if (map == MAP_FAILED)
		return -errno;
	if (bytes != w->ring_bytes || offset || prot & (PROT_WRITE | PROT_EXEC) ||
	    (flags & MAP_TYPE) == MAP_PRIVATE)
		broken(w, "mapped %zu bytes at %ld, prot %d flags %#x", bytes, (long)offset, prot,
		       flags);
	munmap(map, bytes);
	return 0;
}

/* ---- files and processes --------------------------------------------------------------------- */

static int random_open(struct worker *w)
{
	static const int modes[] = { O_RDWR, O_RDWR, O_RDONLY, O_WRONLY, O_RDWR | O_APPEND };
	int flags = ANY_OF(w, modes) | O_CLOEXEC | (one_in(w, 2) ? O_NONBLOCK : 0);

	return open(one_in(w, 4) ? "/dev/vrseq-raw" : "/dev/vrseq", flags);
}

/** worker_files - open them all */
void worker_files(struct worker *w)
{
	struct vrseq_info info;
	int i;

	for (i = 0; i < FILES; i++) {
		w->fds[i] = i ? random_open(w) : dev_open(O_RDWR);
		if (w->fds[i] < 0)
			broken(w, "/dev/vrseq: %s", strerror(errno));
	}
	if (ioctl(w->fds[0], VRSEQ_IOC_INFO, &info))
		broken(w, "INFO: %s", strerror(errno));
	w->ring_bytes = info.ring_bytes;
}

static long random_file(struct worker *w)
{
	unsigned int i = random_below(w, FILES);
	int fd;

	switch (random_below(w, 4)) {
	case 0:
		return result(fcntl(w->fds[i], F_SETFL, random_bits(w) & (O_NONBLOCK | O_APPEND |
									  O_ASYNC | O_DIRECT)));
	case 1:
		fd = dup(w->fds[i]);
		break;
	default:
		fd = random_open(w);
		break;
	}
	if (fd < 0)
		return -errno;
	i = random_below(w, FILES);
	close(w->fds[i]);
	w->fds[i] = fd;
	return 0;
}

/* A child with the same files and the same mapping; it ends, or is killed, or is left alone. */
static long random_fork(struct worker *w)
{
	int i, status;
	pid_t child;

	while (waitpid(-1, &status, WNOHANG) > 0) {
		if (status && status != SIGKILL)
			broken(w, "a child's status is %#x", status);
	}
	if (w->child)
		return -EAGAIN;
	child = fork();
	if (child < 0)
		return -errno;
	if (!child) {
		w->child = true;
		w->has_ring = false;	/* it is the parent's: its queue has one writer */
		worker_begin(w);
		for (i = random_below(w, 40); i; i--)
			hostile_call(w);
		_exit(0);
	}
	random_bits(w);			/* not what the child does */
	if (one_in(w, 2))
		kill(child, SIGKILL);
	return 0;
}

/* What files have and this one does not: whatever it answers, it answers. */
static long random_foreign(struct worker *w)
{
	int ends[2], fd = random_fd(w);
	struct stat stat;
	long got;

	switch (random_below(w, 8)) {
	case 0:
		return result(ftruncate(fd, random_below(w, 100)));
	case 1:
		return result(fallocate(fd, 0, 0, 100));
	case 2:
		return result(sendfile(fd, random_fd(w), NULL, 100));
	case 3:
		return result(copy_file_range(fd, NULL, random_fd(w), NULL, 100, 0));
	case 4:
		return result(readahead(fd, 0, 100));
	case 5:
		return result(flock(fd, LOCK_UN));
	case 6:
		return result(fstat(fd, &stat));
	default:
		if (pipe2(ends, O_NONBLOCK | O_CLOEXEC))
			return -errno;
		if (one_in(w, 2))
			got = result(splice(fd, NULL, ends[1], NULL, 100, SPLICE_F_NONBLOCK));
		else
			got = result(write(ends[1], "hostile", 7)) < 0 ? -errno :
			      result(splice(ends[0], NULL, fd, NULL, 7, SPLICE_F_NONBLOCK));
		close(ends[0]);
		close(ends[1]);
		return got;
	}
}

/* ---- io_uring -------------------------------------------------------------------------------- */

#define ENTRIES 8

/* Answers may come late: to places that nothing else is looked at. */
static union {
	struct vrseq_next next;
	struct vrseq_append append;
} slots[2 * ENTRIES];
static unsigned char late[BULK_BYTES];

static bool open_ring(struct worker *w)
{
	static const unsigned int flags[] = {
		0, 0, IORING_SETUP_CQE32, IORING_SETUP_SQE128, IORING_SETUP_SQPOLL,
		IORING_SETUP_IOPOLL, IORING_SETUP_COOP_TASKRUN,
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
	};

	w->has_ring = !uring_open(&w->ring, ENTRIES, ANY_OF(w, flags)) ||
		      !uring_open(&w->ring, ENTRIES, 0);
	return w->has_ring;
}

/* With commands under way, or without; what is mapped holds the ring as well. */
static void close_ring(struct worker *w)
{
	munmap((void *)((unsigned long)w->ring.sq_tail & ~(PAGE - 1)), PAGE);
	munmap(w->ring.sqes, PAGE);
	close(w->ring.fd);
	w->has_ring = false;
}

static void queue_command(struct worker *w)
{
	static const unsigned int ops[] = {
		VRSEQ_IOC_NEXT, VRSEQ_IOC_NEXT, VRSEQ_IOC_APPEND, VRSEQ_IOC_GET, VRSEQ_IOC_INFO, 0,
	};
	static const unsigned char opcodes[] = {
		IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FSYNC, IORING_OP_POLL_ADD,
		IORING_OP_POLL_REMOVE, IORING_OP_ASYNC_CANCEL, IORING_OP_READV, IORING_OP_NOP,
		IORING_OP_URING_CMD, 255,
	};
	unsigned int i = random_below(w, 2 * ENTRIES), op = ANY_OF(w, ops);
	struct io_uring_sqe *sqe;

	memset(&slots[i], 0, sizeof(slots[i]));
	if (op == VRSEQ_IOC_APPEND) {
		slots[i].append.data = one_in(w, 4) ? wild_pointer(w) : (unsigned long)w->bulk;
		slots[i].append.bytes = random_bytes(w);
	} else {
		slots[i].next.count = one_in(w, 8) ? 0 : 1;
	}
	if (one_in(w, 4))
		slots[i].next.hdr.deadline_ns = dev_now_ns() + random_below(w, 3000000);
	if (one_in(w, 8))
		slots[i].next.hdr.op_id = random_below(w, 2000);
	sqe = uring_command(&w->ring, random_fd(w), op, &slots[i], i);
	if (!one_in(w, 3))
		return;
	switch (random_below(w, 6)) {
	case 0:
		((struct vrseq_uring_cmd *)sqe->cmd)->argument = wild_pointer(w);
		break;
	case 1:
		((struct vrseq_uring_cmd *)sqe->cmd)->reserved = wild_number(w);
		break;
	case 2:
		sqe->flags = random_bits(w);
		break;
	case 3:
		sqe->fd = one_in(w, 2) ? w->ring.fd : -1;
		break;
	case 4:
		sqe->rw_flags = random_bits(w);
		break;
	default:
		sqe->opcode = ANY_OF(w, opcodes);
		sqe->addr = (unsigned long)late;
		sqe->len = random_bytes(w);
		break;
	}
}

static long random_uring(struct worker *w)
{
	struct io_uring_cqe *cqe;
	long got = -EAGAIN;
	int i, error;

	if (w->has_ring && one_in(w, 30))
		close_ring(w);
	if (!w->has_ring && !open_ring(w))
		return -ENOMEM;
	for (i = random_below(w, ENTRIES); i && w->ring.queued < ENTRIES; i--)
		queue_command(w);
	error = uring_enter(&w->ring, one_in(w, 4));
	if (error)
		got = error;
	while ((cqe = uring_peek(&w->ring))) {
		got = cqe->res;
		if (got == -EIO || got == -ENETDOWN || got == -ENOTRECOVERABLE)
			broken(w, "a command of io_uring ended with %ld", got);
		uring_seen(&w->ring);
		count_call(w, CALL_URING, got);
	}
	/* A ring that was made to choke would do nothing any more. */
	if (w->ring.queued == ENTRIES)
		close_ring(w);
	return got;
}

/* ---- one of all ------------------------------------------------------------------------------ */

/** hostile_call - whatever */
void hostile_call(struct worker *w)
{
	static long (*const calls[CALL_COUNT])(struct worker *w) = {
		[CALL_READ] = random_read,
		[CALL_WRITE] = random_write,
		[CALL_LSEEK] = random_lseek,
		[CALL_POLL] = random_poll,
		[CALL_SYNC] = random_sync,
		[CALL_MMAP] = random_map,
		[CALL_FILE] = random_file,
		[CALL_FORK] = random_fork,
		[CALL_URING] = random_uring,
		[CALL_FOREIGN] = random_foreign,
	};
	enum hostile_call call = random_below(w, CALL_COUNT);
	long got;

	if (!calls[call] || (call == CALL_FORK && !one_in(w, 10))) {
		hostile_ioctl(w);
		return;
	}
	got = calls[call](w);
	if (got == -EIO || got == -ENETDOWN || got == -ENOTRECOVERABLE)
		broken(w, "call %d: %s", call, strerror(-got));
	count_call(w, call, got);
}
