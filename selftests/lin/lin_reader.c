// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the log of one member of a group and records what it saw for lin_check.
 *
 *	lin_reader -o FILE -c READER [-n NETNS] [-g GROUP] [-f SEQUENCE] [-u SEQUENCE]
 *		[-T SECONDS]
 *
 * Runs until SIGTERM, or until it has read SEQUENCE (-u), then reads on to the
 * newest message this member has, and marks its record complete. -T gives up
 * (exit 1) after so many seconds. -f begins there, and says what was lost of it. A
 * byte that is wrong in a record's head or padding is a failure at once (exit 3).
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/vrseq.h>

#include "../lib/testlib.h"
#include "lin_file.h"

static volatile sig_atomic_t stopping;
static struct lin_file file;
static uint32_t reader;
static int fd;
static uint64_t from;

static void on_term(int number)
{
	(void)number;
	stopping = 1;
}

/* Whole, or not at all: we may be killed at any time, and a record without a kind is none. */
static void add(const struct lin_delivery *step)
{
	union lin_record *record = lin_file_add(&file);
	struct lin_delivery most = *step;

	if (!record)
		die("the history file is full");
	most.kind = LIN_NONE;
	if (!most.time_ns)
		most.time_ns = lin_now_ns();
	most.reader = reader;
	record->delivery = most;
	__atomic_store_n(&record->delivery.kind, step->kind, __ATOMIC_RELEASE);
}

static void get_status(struct vrseq_status *status)
{
	if (ioctl(fd, VRSEQ_IOC_STATUS, status))
		die("STATUS: %s", strerror(errno));
}

/* The records of one read(); returns the sequence of the last. */
static uint64_t take(const unsigned char *data, size_t bytes)
{
	uint64_t sequence = 0;

	while (bytes) {
		/* Before all that is done with it: a message seen too early is a lie. */
		uint64_t now_ns = lin_now_ns();
		struct vrseq_record head;
		struct lin_message message;
		uint32_t i;

		if (bytes < sizeof(head))
			die("half a record head: %zu bytes", bytes);
		memcpy(&head, data, sizeof(head));
		if (head.size > bytes || head.size % 8 || head.type != VRSEQ_RECORD_MESSAGE ||
		    !head.bytes || !head.sequence ||
		    head.size != (sizeof(head) + head.bytes + 7) / 8 * 8)
			die("bad record head: size %u type %u bytes %u of %zu", head.size,
			    head.type, head.bytes, bytes);
		for (i = sizeof(head) + head.bytes; i < head.size; i++)
			if (data[i])
				die("padding of sequence %" PRIu64 " is not zero",
				    (uint64_t)head.sequence);
		sequence = head.sequence;
		if (head.bytes < sizeof(message))
			die("sequence %" PRIu64 " is no message of a test", sequence);
		memcpy(&message, data + sizeof(head), sizeof(message));
		if (message.magic != LIN_MESSAGE_MAGIC || message.bytes != head.bytes)
			die("sequence %" PRIu64 " is no message of a test", sequence);
		add(&(struct lin_delivery){
			.kind = LIN_DELIVERY,
			.time_ns = now_ns,
			.first = sequence,
			.last = sequence,
			.index = head.index,
			.hash = lin_hash(data + sizeof(head), head.bytes),
			.client = message.client,
			.number = message.number,
		});
		data += head.size;
		bytes -= head.size;
	}
	return sequence;
}

/* Reads what there is; returns false when there is nothing more now. */
static bool read_some(uint64_t *sequence)
{
	static unsigned char buffer[1 << 18];
	ssize_t bytes = read(fd, buffer, sizeof(buffer));
	struct vrseq_status status;

	if (bytes > 0) {
		*sequence = take(buffer, bytes);
		return true;
	}
	if (!bytes)
		die("read() returned 0");
	switch (errno) {
	case EAGAIN:
	case EINTR:
		return false;
	case EPIPE:
		get_status(&status);
		add(&(struct lin_delivery){
			.kind = LIN_LOST,
			.first = status.lost_first,
			.last = status.lost_last,
		});
		if (from)
			printf("lin_reader %" PRIu32 ": lost %" PRIu64 " to %" PRIu64 "\n", reader,
			       (uint64_t)status.lost_first, (uint64_t)status.lost_last);
		*sequence = status.lost_last;
		return true;
	default:
		die("read: %s", strerror(errno));
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_term };
	struct vrseq_attach attach = { 0 };
	uint64_t until = UINT64_MAX, sequence = 0, seconds = 0, end_ns;
	const char *path = NULL;
	struct vrseq_status status;
	int option, err;

	while ((option = getopt(argc, argv, "o:c:n:g:f:u:T:")) != -1) {
		switch (option) {
		case 'o':
			path = optarg;
			break;
		case 'c':
			reader = strtoul(optarg, NULL, 0);
			break;
		case 'n':
			enter_netns(optarg);
			break;
		case 'g':
			strncpy(attach.group, optarg, sizeof(attach.group) - 1);
			break;
		case 'f':
			from = strtoull(optarg, NULL, 0);
			break;
		case 'u':
			until = strtoull(optarg, NULL, 0);
			break;
		case 'T':
			seconds = strtoull(optarg, NULL, 0);
			break;
		default:
			return 2;
		}
	}
	if (!path || optind != argc) {
		fprintf(stderr, "usage: lin_reader -o FILE -c READER [-n NETNS] [-g GROUP]\n"
			"\t[-f SEQUENCE] [-u SEQUENCE] [-T SECONDS]\n");
		return 2;
	}
	sigaction(SIGTERM, &action, NULL);
	fd = open("/dev/vrseq", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		die("/dev/vrseq: %s", strerror(errno));
	if (ioctl(fd, VRSEQ_IOC_ATTACH, &attach))
		die("ATTACH: %s", strerror(errno));
	if (from) {
		struct vrseq_seek seek = { .whence = VRSEQ_SEEK_SEQUENCE, .position = from };

		if (ioctl(fd, VRSEQ_IOC_SEEK, &seek))
			die("SEEK: %s", strerror(errno));
	}
	err = lin_file_create(&file, path, 1 << 20);
	if (err)
		die("%s: %s", path, strerror(-err));

	end_ns = seconds ? lin_now_ns() + seconds * 1000000000ull : UINT64_MAX;
	while (!stopping && sequence < until) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };

		if (lin_now_ns() > end_ns) {
			fprintf(stderr, "lin_reader: read up to %" PRIu64 " only\n", sequence);
			return 1;
		}
		poll(&pollfd, 1, 1000);
		if (pollfd.revents & (POLLERR | POLLHUP))
			die("poll says %#x", pollfd.revents);
		while (read_some(&sequence) && sequence < until)
			;
	}
	get_status(&status);
	while (sequence < status.sequence_last)
		if (!read_some(&sequence))
			die("STATUS promises %" PRIu64 ", read() ends at %" PRIu64,
			    (uint64_t)status.sequence_last, sequence);
	add(&(struct lin_delivery){ .kind = LIN_COMPLETE });
	printf("lin_reader %" PRIu32 ": complete up to %" PRIu64 "\n", reader, sequence);
	lin_file_close(&file);
	return 0;
}
