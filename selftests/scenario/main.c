// SPDX-License-Identifier: GPL-2.0
/*
 * Scripts: comments, commands, and below each command, indented, what it made
 * happen when the story was last agreed to. A story passes if it happens so
 * again, if its own expectations are met and if no checker objects.
 *
 *	scenario [--rewrite] FILE...
 *
 * --rewrite writes what happens now into the files, to be read before it is
 * believed; expectations that are not met fail all the same.
 */
#include "scenario.h"

#define INDENT "    "

/** struct text - a file in memory */
struct text {
	char *bytes;
	size_t count;
};

static bool read_text(const char *name, struct text *text)
{
	FILE *file = fopen(name, "r");
	FILE *copy;
	int c;

	if (!file)
		return false;
	copy = open_memstream(&text->bytes, &text->count);
	if (!copy)
		abort();
	while ((c = getc(file)) != EOF)
		putc(c, copy);
	fclose(copy);
	fclose(file);
	return true;
}

/* Tells the story that @script holds; returns the script as it came out. */
static bool tell(const struct text *script, struct text *told)
{
	char *line, *rest = strdup(script->bytes), *at = rest;
	FILE *out = open_memstream(&told->bytes, &told->count);
	bool good = true;

	if (!out || !rest)
		abort();
	story_begin(out);
	while ((line = strsep(&at, "\n"))) {
		if (!strncmp(line, INDENT, strlen(INDENT)) || (!at && !*line))
			continue;
		fprintf(out, "%s\n", line);
		if (good && *line && *line != '#')
			good = story_command(line);
	}
	if (good) {
		story_end();
		fflush(out);
		good = !strstr(told->bytes, INDENT "! ");
	} else {
		story_end();
	}
	fclose(out);
	free(rest);
	return good;
}

/* The first line in which the two differ, and what was said after. */
static void show_difference(const struct text *script, const struct text *told)
{
	const char *a = script->bytes, *b = told->bytes;
	const char *line_a = a, *line_b = b;
	u32 number = 1;

	for (; *a && *a == *b; a++, b++) {
		if (*a == '\n') {
			line_a = a + 1;
			line_b = b + 1;
			number++;
		}
	}
	printf("# line %u was: %.*s\n#      it is now: %.*s\n", number,
	       (int)strcspn(line_a, "\n"), line_a, (int)strcspn(line_b, "\n"), line_b);
}

static void show_failure(const struct text *told)
{
	const char *at = strstr(told->bytes, INDENT "! ");
	const char *line = told->bytes;
	u32 number = 1;

	for (; at && line < at; line++)
		number += *line == '\n';
	if (at)
		printf("# line %u: %.*s\n", number, (int)strcspn(at + 6, "\n"), at + 6);
}

static bool write_text(const char *name, const struct text *text)
{
	FILE *file = fopen(name, "w");
	bool good;

	if (!file)
		return false;
	good = fwrite(text->bytes, 1, text->count, file) == text->count;
	return !fclose(file) && good;
}

static bool run_file(const char *name, bool rewrite)
{
	struct text script = { NULL, 0 }, told = { NULL, 0 };
	bool good;

	if (!read_text(name, &script)) {
		perror(name);
		return false;
	}
	good = tell(&script, &told);
	if (!good)
		show_failure(&told);
	if (rewrite && !write_text(name, &told)) {
		perror(name);
		good = false;
	} else if (!rewrite && good && strcmp(script.bytes, told.bytes)) {
		show_difference(&script, &told);
		good = false;
	}
	free(script.bytes);
	free(told.bytes);
	return good;
}

int main(int argc, char **argv)
{
	bool rewrite = argc > 1 && !strcmp(argv[1], "--rewrite");
	int first = 1 + rewrite, failed = 0;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%d\n", argc - first);
	for (i = first; i < argc; i++) {
		const char *base = strrchr(argv[i], '/');
		bool good = run_file(argv[i], rewrite);

		base = base ? base + 1 : argv[i];
		failed += !good;
		printf("%sok %d - %.*s\n", good ? "" : "not ", i - first + 1,
		       (int)strcspn(base, "."), base);
	}
	return failed || argc == first;
}
