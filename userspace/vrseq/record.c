// SPDX-License-Identifier: GPL-2.0
/* vrseq record: what a member keeps without memory, read where no member uses it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../kmod/core/vr_record.h"
#include "json.h"
#include "tool.h"

static void uuid_text(const uint8_t *uuid, char text[37])
{
	int i, at = 0;

	for (i = 0; i < VR_UUID_BYTES; i++)
		at += sprintf(text + at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ?
			      "-" : "", uuid[i]);
}

/* Of the first bytes of @file; negative errno. */
static int read_file(const char *file, uint8_t *bytes)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK), count = 0;
	struct stat stat;
	ssize_t got;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) || (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	do {
		got = read(fd, bytes + count, VR_RECORD_BYTES - count);
		if (got > 0)
			count += got;
	} while (got > 0 && count < VR_RECORD_BYTES);
	if (got < 0)
		count = -errno;
	close(fd);
	return count;
}

static void print_json(const char *file, enum vr_record_verdict verdict,
		       const struct vr_record *record)
{
	struct json json = { .file = stdout, .pretty = options.pretty };
	char uuid[37];

	json_open(&json, NULL, '{');
	json_string(&json, "file", file);
	json_string(&json, "verdict", vr_record_verdict_text(verdict));
	json_bool(&json, "valid", verdict <= VR_RECORD_HALF);
	if (verdict <= VR_RECORD_HALF) {
		uuid_text(record->uuid, uuid);
		json_string(&json, "uuid", uuid);
		json_u64(&json, "self_id", record->member_id);
		json_bool(&json, "formed", record->formed);
		json_u64(&json, "generation", record->generation);
		json_u64(&json, "instance", record->instance);
		json_u64(&json, "incarnation", record->incarnation);
		json_u64(&json, "ballot", record->ballot);
		json_u64(&json, "accepted", record->accepted);
		json_u64(&json, "accepted_generation", record->accepted_generation);
		json_bool(&json, "doubtful", record->doubtful);
		json_u64(&json, "writes", record->sequence);
	}
	json_close(&json, '}');
}

static void print_text(const char *file, enum vr_record_verdict verdict,
		       const struct vr_record *record)
{
	char uuid[37];

	printf("%s: %s\n", file, vr_record_verdict_text(verdict));
	if (verdict > VR_RECORD_HALF)
		return;
	uuid_text(record->uuid, uuid);
	printf("  member %u of group %s  writes %" PRIu64 "\n", record->member_id, uuid,
	       record->sequence);
	if (!record->formed) {
		printf("  in no formed group yet\n");
		return;
	}
	printf("  generation %u  instance %08x  incarnation %" PRIu64 "\n", record->generation,
	       record->instance, record->incarnation);
	printf("  promised ballot %" PRIu64, record->ballot);
	if (record->accepted)
		printf("  accepted ballot %" PRIu64 ", of generation %u", record->accepted,
		       record->accepted_generation);
	printf("\n");
	if (record->doubtful)
		printf("  its machine went back in time: it is not counted on\n");
}

int record_show(int argc, char **argv)
{
	uint8_t bytes[VR_RECORD_BYTES] = { 0 };
	struct vr_record record = { 0 };
	enum vr_record_verdict verdict;
	const char *file;
	struct arg args[] = {
		ARG("file", ARG_STRING, &file, .positional = true, .required = true),
		{ 0 },
	};
	int code, count;

	code = args_parse(argc, argv, args, "vrseq record help");
	if (code)
		return code;
	count = read_file(file, bytes);
	if (count < 0)
		return fail(EXIT_FAILED, strerror(-count), NULL, "Cannot read %s", file);
	verdict = vr_record_decode(bytes, count, &record);
	if (options.json)
		print_json(file, verdict, &record);
	else
		print_text(file, verdict, &record);
	return verdict <= VR_RECORD_BLANK ? EXIT_OK : EXIT_FAILED;
}
