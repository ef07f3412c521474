// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the corpus the fuzzers begin with. usage: seeds WIRE_DIR STEP_DIR JOURNAL_DIR
 * Datagrams of every type, small and large; scripts in which a group works,
 * changes views and forms, and others in which anything happens.
 */
#include <stdio.h>
#include <stdlib.h>

#include "sample.h"
#include "vr_prng.h"

#define SCRIPT_BYTES 600

void *vrt_alloc(struct vrt *t, size_t bytes)
{
	(void)t;
	return calloc(1, bytes);
}

static void save(const char *directory, const char *name, u32 number, const void *data,
		 size_t bytes)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%u", directory, name, number);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void save_message(const char *directory, u8 type, u32 count, u16 body_bytes)
{
	struct sample *s = sample_new(NULL);
	u8 data[VR_DATAGRAM_BYTES_MAX];
	char name[64];
	u32 bytes;

	sample_fill(s, type, count, body_bytes);
	bytes = vr_wire_encode(data, &s->message, s->message.to, &sample_group);
	snprintf(name, sizeof(name), "%s-%u", vr_type_name(type), body_bytes);
	save(directory, name, count, data, bytes);
	free(s);
}

/* Mostly @often, each followed by what chance adds. */
static void save_script(const char *directory, u32 number, u8 options, const u8 *often,
			u32 often_count)
{
	u8 script[SCRIPT_BYTES];
	struct vr_prng p;
	u32 i;

	vr_prng_seed(&p, 1000 + number);
	script[0] = options;
	for (i = 1; i < SCRIPT_BYTES; i++) {
		script[i] = vr_prng_next(&p) >> 20;
		if (i % 3 == 1 && vr_prng_next(&p) >> 62)
			script[i] = often[(vr_prng_next(&p) >> 20) % often_count];
	}
	save(directory, "script", number, script, sizeof(script));
}

/*
 * See journal_fuzz.c: a superblock, then frames of some entries each, which the
 * fuzzer seals again after it has changed what they say.
 */
static void save_journal(const char *directory, u32 number)
{
	u8 script[64];
	u32 i;

	for (i = 0; i < sizeof(script); i++)
		script[i] = i < 8 ? number >> i & 1 : (number * 7 + i) & 0x1f;
	save(directory, "journal", number, script, sizeof(script));
}

/* See auth_fuzz.c: ask, be answered, then speak and have some of it arrive. */
static void save_datagrams(const char *directory, u32 number)
{
	u8 script[160] = { 0, 0, 60, 0, 4, 0, 0, 0 };
	struct vr_prng p;
	u32 i;

	vr_prng_seed(&p, 1 + number);
	for (i = 8; i < sizeof(script); i += 4) {
		script[i] = vr_prng_next(&p) >> 61;
		script[i + 1] = script[i] < 4 ? vr_prng_next(&p) >> 56 : 1 + (i - 8) / 8;
		script[i + 2] = vr_prng_next(&p) >> 60;
		script[i + 3] = vr_prng_next(&p) >> 56;
	}
	save(directory, "datagrams", number, script, sizeof(script));
}

int main(int argc, char **argv)
{
	/* See act() of step_fuzz.c: deliver in order, submit, time out. */
	static const u8 works[] = { 4, 9, 4, 10, 4, 7, 11, 18, 20 };
	static const u8 changes[] = { 4, 6, 7, 8, 9, 12, 4, 8, 17, 18 };
	static const u8 loses[] = { 4, 7, 8, 9, 13, 4, 16, 4, 8, 19 };
	static const u8 forges[] = { 4, 9, 15, 15, 7, 6, 16, 18 };
	u32 i;
	u8 type;

	if (argc != 5)
		return 1;
	for (type = 1; type < VR_TYPE_COUNT; type++) {
		save_message(argv[1], type, 1, 0);
		save_message(argv[1], type, 3, 9);
	}
	save_message(argv[1], VR_REQUEST, 1, VR_BODY_BYTES_MAX);
	save_message(argv[1], VR_PREPARE, VR_BATCH_MAX, 14);
	save_message(argv[1], VR_NEW_STATE, 0, 0);
	save_message(argv[1], VR_START_VIEW, VR_HASHES_MAX, 0);
	for (i = 0; i < 12; i++) {
		u8 options = (i & 6) | i << 4;

		save_script(argv[2], i, options, works, sizeof(works));
		save_script(argv[2], 100 + i, options, changes, sizeof(changes));
		save_script(argv[2], 200 + i, options | 1, forges, sizeof(forges));
		save_script(argv[2], 300 + i, options, loses, sizeof(loses));
		save_journal(argv[3], i);
		save_datagrams(argv[4], i);
	}
	return 0;
}
