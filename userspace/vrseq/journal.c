// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq journal: what a file that a member writes its journal to is worth, and
 * what is in it. Reads the file alone: needs no module and no group, and changes
 * nothing. The format is the core's, vr_journal.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "tool.h"
#include "vr_journal.h"

struct journal {
	const char *path;
	int fd;
	struct vr_journal_scan scan;
	uint8_t buffer[VR_JOURNAL_WRITE_BYTES_MAX];
	struct json json;
};

static const char *const kinds[VR_KIND_COUNT] = {
	"?", "session-begin", "session-end", "next", "get", "append", "result",
};

static const char *kind_name(uint8_t kind)
{
	return kinds[kind < VR_KIND_COUNT ? kind : 0];
}

/* Short reads are the end of a file that is being cut off under us. */
static bool read_all(int fd, uint8_t *into, size_t bytes, off_t offset)
{
	while (bytes) {
		ssize_t got = pread(fd, into, bytes, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		into += got;
		offset += got;
		bytes -= got;
	}
	return true;
}

static bool advance(struct journal *j)
{
	uint64_t offset;
	uint32_t bytes;
	uint8_t *into;

	if (!vr_scan_wants(&j->scan, &offset, &bytes, &into))
		return false;
	if (read_all(j->fd, into, bytes, offset))
		vr_scan_took(&j->scan);
	else
		vr_scan_failed(&j->scan);
	return true;
}

static int journal_open(struct journal *j, const char *path)
{
	struct stat status;

	memset(j, 0, sizeof(*j));
	j->path = path;
	j->json = (struct json) { .file = stdout, .pretty = options.pretty };
	j->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (j->fd < 0 || fstat(j->fd, &status) < 0)
		return fail(EXIT_FAILED, strerror(errno), NULL, "Cannot read %s", path);
	if (!S_ISREG(status.st_mode))
		return fail(EXIT_FAILED, NULL, NULL, "%s is not a file", path);
	vr_scan_begin(&j->scan, j->buffer, status.st_size);
	while (advance(j))
		;
	return EXIT_OK;
}

static bool is_journal(const struct journal *j)
{
	return j->scan.verdict >= VR_JOURNAL_BLANK;
}

static int verdict_code(const struct journal *j)
{
	return j->scan.verdict == VR_JOURNAL_WHOLE || j->scan.verdict == VR_JOURNAL_BLANK ?
	       EXIT_OK : EXIT_FAILED;
}

static void print_verdict(const struct journal *j)
{
	const struct vr_journal_scan *s = &j->scan;

	printf("%s: ", j->path);
	switch (s->verdict) {
	case VR_JOURNAL_EMPTY:
		puts("empty, nothing was ever written to it");
		break;
	case VR_JOURNAL_STRANGER:
		puts("no journal, or both of its superblocks are lost");
		break;
	case VR_JOURNAL_BLANK:
		printf("journal of member %u, which is in no group yet\n",
		       s->super.owner.self_id);
		break;
	case VR_JOURNAL_WHOLE:
		printf("whole: member %u up to op %" PRIu64 " in view %" PRIu64 "\n",
		       s->super.owner.self_id, s->state.op_before + s->state.entry_count,
		       s->state.view);
		if (s->torn_bytes)
			printf("%" PRIu64 " bytes at the end were being written; they do not count\n",
			       s->torn_bytes);
		break;
	case VR_JOURNAL_LOST:
		printf("of member %u, and not to be trusted, as it says itself\n",
		       s->super.owner.self_id);
		break;
	default:
		printf("damaged: of member %u, %s at position %" PRIu64 " is lost\n",
		       s->super.owner.self_id,
		       s->checkpoint_damaged ? "the checkpoint before the log" : "the log",
		       s->damage);
	}
}

static void json_uuid(struct json *json, const uint8_t *uuid)
{
	char text[40];

	snprintf(text, sizeof(text),
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 uuid[0], uuid[1], uuid[2], uuid[3], uuid[4], uuid[5], uuid[6], uuid[7],
		 uuid[8], uuid[9], uuid[10], uuid[11], uuid[12], uuid[13], uuid[14], uuid[15]);
	json_string(json, "uuid", text);
}

static void json_verdict(struct journal *j)
{
	const struct vr_journal_scan *s = &j->scan;
	struct json *json = &j->json;
	uint32_t i;

	json_string(json, "file", j->path);
	json_string(json, "verdict", vr_journal_verdict_name(s->verdict));
	if (!is_journal(j))
		return;
	json_u64(json, "superblocks", s->super_count);
	json_u64(json, "sequence", s->super.sequence);
	json_uuid(json, s->super.owner.uuid);
	json_u64(json, "member_id", s->super.owner.self_id);
	json_open(json, "members", '[');
	for (i = 0; i < s->super.owner.member_count; i++)
		json_u64(json, NULL, s->super.owner.member_ids[i]);
	json_close(json, ']');
	json_u64(json, "ring_bytes", s->super.shape.ring_bytes);
	json_u64(json, "checkpoint_op", s->super.checkpoint_op);
	json_u64(json, "checkpoint_bytes", s->super.checkpoint_bytes);
	json_u64(json, "start", s->super.start);
	if (s->verdict == VR_JOURNAL_DAMAGED) {
		json_u64(json, "damage", s->damage);
		json_bool(json, "checkpoint_damaged", s->checkpoint_damaged);
	}
	if (s->verdict != VR_JOURNAL_WHOLE)
		return;
	json_u64(json, "end", s->end);
	json_u64(json, "torn_bytes", s->torn_bytes);
	json_u64(json, "frames", s->frame_count);
	json_u64(json, "entries", s->entry_count);
	json_u64(json, "generation", s->state.generation);
	json_u64(json, "incarnation", s->state.incarnation);
	json_u64(json, "view", s->state.view);
	json_u64(json, "last_normal_view", s->state.last_normal_view);
	json_u64(json, "commit", s->state.commit);
	json_u64(json, "op", s->state.op_before + s->state.entry_count);
}

static void json_entries(struct journal *j)
{
	struct vr_frame_reader reader;
	struct vr_entry e;

	json_open(&j->json, "log", '[');
	vr_frame_entries(&reader, j->buffer, &j->scan.frame);
	while (vr_frame_next(&reader, &e)) {
		json_open(&j->json, NULL, '{');
		json_u64(&j->json, "op", e.op);
		json_u64(&j->json, "view", e.view);
		json_string(&j->json, "kind", kind_name(e.kind));
		json_u64(&j->json, "origin", e.origin);
		json_u64(&j->json, "session", e.session);
		json_u64(&j->json, "request", e.request);
		json_u64(&j->json, "argument", e.argument);
		json_u64(&j->json, "body_bytes", e.body_bytes);
		json_close(&j->json, '}');
	}
	json_close(&j->json, ']');
}

static void json_frame(struct journal *j)
{
	const struct vr_frame *f = &j->scan.frame;

	json_open(&j->json, NULL, '{');
	json_u64(&j->json, "position", f->position);
	json_u64(&j->json, "bytes", f->bytes);
	json_u64(&j->json, "synced", f->synced);
	json_bool(&j->json, "end", f->flags & VR_FRAME_END);
	json_bool(&j->json, "base", f->flags & VR_FRAME_BASE);
	json_u64(&j->json, "incarnation", f->incarnation);
	json_u64(&j->json, "view", f->view);
	json_u64(&j->json, "last_normal_view", f->last_normal_view);
	json_u64(&j->json, "commit", f->commit);
	json_u64(&j->json, "op_before", f->op_before);
	json_entries(j);
	json_close(&j->json, '}');
}

static void print_frame(struct journal *j)
{
	const struct vr_frame *f = &j->scan.frame;
	struct vr_frame_reader reader;
	struct vr_entry e;

	printf("frame %" PRIu64 " bytes %u%s%s view %" PRIu64 " last-normal-view %" PRIu64
	       " commit %" PRIu64 " after-op %" PRIu64 "\n", f->position, f->bytes,
	       f->flags & VR_FRAME_BASE ? " base" : "", f->flags & VR_FRAME_END ? " end" : "",
	       f->view, f->last_normal_view, f->commit, f->op_before);
	vr_frame_entries(&reader, j->buffer, f);
	while (vr_frame_next(&reader, &e))
		printf("  op %" PRIu64 " view %" PRIu64 " %s session %" PRIu64 " request %" PRIu64
		       " body %u\n", e.op, e.view, kind_name(e.kind), e.session, e.request,
		       e.body_bytes);
}

static void dump(struct journal *j)
{
	if (options.json)
		json_open(&j->json, "records", '[');
	vr_scan_replay(&j->scan, NULL);
	while (advance(j)) {
		if (!vr_scan_frame(&j->scan))
			continue;
		if (options.json)
			json_frame(j);
		else
			print_frame(j);
	}
	if (options.json)
		json_close(&j->json, ']');
}

static int run(int argc, char **argv, bool all, const char *hint)
{
	const char *path = NULL;
	struct arg args[] = {
		ARG("file", ARG_STRING, &path, .positional = true, .required = true),
		{ 0 },
	};
	struct journal *j;
	int code = args_parse(argc, argv, args, hint);

	if (code)
		return code;
	j = malloc(sizeof(*j));
	if (!j)
		return fail(EXIT_FAILED, strerror(ENOMEM), NULL, "Cannot read %s", path);
	code = journal_open(j, path);
	if (!code) {
		if (options.json) {
			json_open(&j->json, NULL, '{');
			json_verdict(j);
		} else {
			print_verdict(j);
		}
		code = verdict_code(j);
		if (all && j->scan.verdict == VR_JOURNAL_WHOLE)
			dump(j);
		if (options.json)
			json_close(&j->json, '}');
	}
	if (j->fd >= 0)
		close(j->fd);
	free(j);
	return code;
}

int journal_check(int argc, char **argv)
{
	return run(argc, argv, false, "vrseq journal check help");
}

int journal_dump(int argc, char **argv)
{
	return run(argc, argv, true, "vrseq journal dump help");
}
