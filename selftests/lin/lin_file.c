// SPDX-License-Identifier: GPL-2.0
/*
 * History files and test messages. Knows the record format, not what is legal.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lin_file.h"

static const uint64_t *shared_clock;

static int map(struct lin_file *file, int fd, off_t offset, size_t capacity, int protection,
	       int flags)
{
	void *records = NULL;

	if (capacity) {
		records = mmap(NULL, capacity * sizeof(union lin_record), protection, flags, fd,
			       offset);
		if (records == MAP_FAILED)
			return -errno;
	}
	*file = (struct lin_file){ .records = records, .capacity = capacity };
	return 0;
}

/*
 * A piece of a device that is memory, at an offset that whoever started us chose. It is zero, has
 * room enough, and stays when this machine goes. Its first page is the clock.
 */
static int create_in_device(struct lin_file *file, const char *path, const char *at)
{
	size_t capacity = LIN_DEVICE_BYTES / sizeof(union lin_record);
	char *device = strndup(path, at - path);
	const void *page;
	int err, fd;

	if (!device)
		return -ENOMEM;
	fd = open(device, O_RDWR | O_CLOEXEC);
	free(device);
	if (fd < 0)
		return -errno;
	page = mmap(NULL, getpagesize(), PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED) {
		err = -errno;
	} else {
		shared_clock = page;
		err = map(file, fd, strtoll(at + 1, NULL, 0), capacity, PROT_READ | PROT_WRITE,
			  MAP_SHARED);
	}
	close(fd);
	return err;
}

int lin_file_create(struct lin_file *file, const char *path, size_t capacity)
{
	const char *at = strchr(path, '@');
	int fd, err;

	if (at)
		return create_in_device(file, path, at);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, capacity * sizeof(union lin_record)))
		err = -errno;
	else
		err = map(file, fd, 0, capacity, PROT_READ | PROT_WRITE, MAP_SHARED);
	close(fd);
	return err;
}

int lin_file_load(struct lin_file *file, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t data, end = 0;
	int err;

	if (fd < 0)
		return -errno;
	/* Most of the room was never used, and reading holes would fill them. */
	while ((data = lseek(fd, end, SEEK_DATA)) >= 0)
		end = lseek(fd, data, SEEK_HOLE);
	if (end % sizeof(union lin_record))
		err = -EINVAL;
	else
		err = map(file, fd, 0, end / sizeof(union lin_record), PROT_READ,
			  MAP_PRIVATE);
	close(fd);
	return err;
}

void lin_file_close(struct lin_file *file)
{
	if (file->records)
		munmap(file->records, file->capacity * sizeof(union lin_record));
	*file = (struct lin_file){ 0 };
}

union lin_record *lin_file_add(struct lin_file *file)
{
	size_t slot = __atomic_fetch_add(&file->used, 1, __ATOMIC_RELAXED);

	return slot < file->capacity ? &file->records[slot] : NULL;
}

uint64_t lin_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dull;
}

uint64_t lin_message(void *buffer, uint32_t bytes, uint32_t client, uint32_t number)
{
	struct lin_message head = { LIN_MESSAGE_MAGIC, client, number, bytes };
	uint64_t state = ((uint64_t)client << 32 | number) ^ 0x9e3779b97f4a7c15ull;
	unsigned char *p = buffer;
	uint32_t i;

	memcpy(p, &head, sizeof(head));
	for (i = sizeof(head); i < bytes; i++)
		p[i] = lin_random(&state) >> 56;
	return lin_hash(buffer, bytes);
}

uint64_t lin_now_ns(void)
{
	struct timespec now;

	if (shared_clock)
		return __atomic_load_n(shared_clock, __ATOMIC_SEQ_CST);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}
