// SPDX-License-Identifier: GPL-2.0
/*
 * History files and test messages. Knows the record format, not what is legal.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lin_file.h"

static int map(struct lin_file *file, int fd, size_t capacity, int protection, int flags)
{
	void *records = NULL;

	if (capacity) {
		records = mmap(NULL, capacity * sizeof(union lin_record), protection, flags, fd, 0);
		if (records == MAP_FAILED)
			return -errno;
	}
	*file = (struct lin_file){ .records = records, .capacity = capacity };
	return 0;
}

int lin_file_create(struct lin_file *file, const char *path, size_t capacity)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int err;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, capacity * sizeof(union lin_record)))
		err = -errno;
	else
		err = map(file, fd, capacity, PROT_READ | PROT_WRITE, MAP_SHARED);
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
		err = map(file, fd, end / sizeof(union lin_record), PROT_READ, MAP_PRIVATE);
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

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}
