// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU: writes down which code a guest with one processor runs between the marks of
 * bench.h, block by block, so that every instruction of a round trip can be told where it went.
 * usage: -plugin trace_plugin.so,out=DIRECTORY
 *
 * Each pair of marks START and STOP makes a file trace.0, trace.1 ... of struct block: what ran
 * between ROUND and END of the first rounds, with a block of no bytes before each round. A block
 * that is left by a fault in its middle counts as a whole.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_plugin.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;

#define ROUNDS_MAX	64
#define BLOCKS_MAX	4194304

/* How a block ends; functions.py has the same. */
enum end { END_OTHER, END_CALL, END_RETURN, END_IRET, END_SYSCALL, END_SYSRET };

struct block {
	uint64_t at;
	uint32_t bytes;
	uint16_t insns;
	uint16_t end;
};

/* nopl MARK_...(%rax): bench.h has the same. */
enum mark { MARK_START = 0x71737201, MARK_ROUND, MARK_END, MARK_STOP };

static struct block *trace;
static unsigned int blocks, rounds, windows;
static bool open_window, recording;
static const char *directory = ".";

static void save(void)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/trace.%u", directory, windows++);
	out = fopen(path, "w");
	if (!out || fwrite(trace, sizeof(*trace), blocks, out) != blocks || fclose(out)) {
		perror(path);
		exit(1);
	}
}

static void on_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	switch ((uintptr_t)data) {
	case MARK_START:
		blocks = 0;
		rounds = 0;
		open_window = true;
		break;
	case MARK_ROUND:
		if (!open_window || rounds == ROUNDS_MAX || blocks >= BLOCKS_MAX / 2)
			break;
		rounds++;
		recording = true;
		trace[blocks++] = (struct block) { 0 };
		break;
	case MARK_END:
		recording = false;
		break;
	case MARK_STOP:
		if (open_window)
			save();
		open_window = false;
		break;
	}
}

static void on_block(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (recording && blocks < BLOCKS_MAX)
		trace[blocks++] = *(const struct block *)data;
}

static enum end end_of(const uint8_t *code, size_t bytes)
{
	while (bytes > 1 && (*code == 0xf2 || *code == 0xf3 || *code == 0x66 ||
			     (*code & 0xf0) == 0x40)) {
		code++;
		bytes--;
	}
	if (*code == 0xe8 || (bytes > 1 && *code == 0xff && (code[1] & 0x38) == 0x10))
		return END_CALL;
	if (*code == 0xc3 || *code == 0xc2)
		return END_RETURN;
	if (*code == 0xcf)
		return END_IRET;
	if (bytes > 1 && *code == 0x0f && code[1] == 0x05)
		return END_SYSCALL;
	if (bytes > 1 && *code == 0x0f && code[1] == 0x07)
		return END_SYSRET;
	return END_OTHER;
}

static uint32_t mark_of(const uint8_t *code, size_t bytes)
{
	uint32_t mark;

	if (bytes != 7 || memcmp(code, "\x0f\x1f\x80", 3))
		return 0;
	memcpy(&mark, code + 3, sizeof(mark));
	return mark >= MARK_START && mark <= MARK_STOP ? mark : 0;
}

static void on_translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb), bytes = 0, i;
	struct block *block = calloc(1, sizeof(*block));

	(void)id;
	if (!block)
		abort();
	for (i = 0; i < count; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		uint32_t mark;

		bytes = qemu_plugin_insn_size(insn);
		mark = mark_of(code, bytes);
		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
							       QEMU_PLUGIN_CB_NO_REGS,
							       (void *)(uintptr_t)mark);
		block->bytes += bytes;
		if (i == count - 1)
			block->end = end_of(code, bytes);
	}
	block->at = qemu_plugin_tb_vaddr(tb);
	block->insns = count;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS, block);
}

EXPORTED int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			directory = strdup(argv[i] + 4);
	}
	trace = malloc(BLOCKS_MAX * sizeof(*trace));
	if (!trace || !directory)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translated);
	return 0;
}
