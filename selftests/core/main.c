// SPDX-License-Identifier: GPL-2.0
/*
 * The userspace world of vrt.h: runs all suites that are linked in and prints
 * TAP, a result for each case. usage: PROGRAM [WORD] - only cases whose name
 * has WORD in it.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include "vrt.h"

struct block {
	struct block *next;
	max_align_t memory[];
};

struct vrt {
	bool failed;
	jmp_buf end;
	struct block *blocks;
};

static struct vrt_suite *first_suite;
static struct vrt_suite **last_link = &first_suite;

void vrt_register(struct vrt_suite *suite)
{
	*last_link = suite;
	last_link = &suite->next;
}

void *vrt_alloc(struct vrt *t, size_t bytes)
{
	struct block *b = calloc(1, sizeof(*b) + bytes);

	if (!b) {
		printf("Bail out! no memory\n");
		exit(1);
	}
	b->next = t->blocks;
	t->blocks = b;
	return b->memory;
}

void vrt_end(struct vrt *t)
{
	longjmp(t->end, 1);
}

bool vrt_holds(struct vrt *t, bool holds, const char *file, int line, const char *what)
{
	if (holds)
		return true;
	t->failed = true;
	printf("# %s:%d: not so: %s\n", file, line, what);
	return false;
}

bool vrt_equal(struct vrt *t, u64 is, u64 should, const char *file, int line,
	       const char *what)
{
	if (is == should)
		return true;
	t->failed = true;
	printf("# %s:%d: %s is %lld (%#llx), should be %lld (%#llx)\n", file, line, what,
	       (long long)is, (long long)is, (long long)should, (long long)should);
	return false;
}

static bool run(const struct vrt_case *c)
{
	struct vrt t = { .failed = false };
	struct block *b;

	if (!setjmp(t.end))
		c->run_case(&t);
	while (t.blocks) {
		b = t.blocks;
		t.blocks = b->next;
		free(b);
	}
	return !t.failed;
}

/* Calls run() or only counts. Returns how many failed, or how many there are. */
static int each(const char *word, bool count_only)
{
	int number = 0, failed = 0;
	char name[256];

	for (const struct vrt_suite *s = first_suite; s; s = s->next) {
		for (const struct vrt_case *c = s->cases; c->name; c++) {
			snprintf(name, sizeof(name), "%s: %s", s->name, c->name);
			if (!strstr(name, word))
				continue;
			number++;
			if (count_only)
				continue;
			if (run(c)) {
				printf("ok %d - %s\n", number, name);
			} else {
				printf("not ok %d - %s\n", number, name);
				failed++;
			}
		}
	}
	return count_only ? number : failed;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	/* A sanitizer's last word must not overtake what led to it. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%d\n", each(word, true));
	return each(word, false) ? 1 : 0;
}
