// SPDX-License-Identifier: GPL-2.0
/* How the tool says no: one line on stderr, and an exit code. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

enum exit_code exit_code_of(int error)
{
	switch (error < 0 ? -error : error) {
	case 0:
		return EXIT_OK;
	case EHOSTUNREACH:
		return EXIT_NO_QUORUM;
	case ENOTCONN:
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return EXIT_NOT_YET;
	case ENOTRECOVERABLE:
	case EIO:
		return EXIT_HALTED;
	default:
		return EXIT_FAILED;
	}
}

/* With a full stop, unless @text ends as a sentence does. */
static void sentence(const char *text)
{
	size_t bytes = text ? strlen(text) : 0;

	if (bytes)
		fprintf(stderr, " %s%s", text, strchr(".?!", text[bytes - 1]) ? "" : ".");
}

static void say(const char *why, const char *hint, const char *format,
		va_list arguments)
{
	fflush(stdout);
	fputs("Error: ", stderr);
	vfprintf(stderr, format, arguments);
	putc('.', stderr);
	sentence(why);
	if (hint)
		fprintf(stderr, " Hint: %s", hint);
	putc('\n', stderr);
}

int fail(enum exit_code code, const char *why, const char *hint,
	 const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(why, hint, format, arguments);
	va_end(arguments);
	return code;
}

int usage_error(const char *hint, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(NULL, hint, format, arguments);
	va_end(arguments);
	return EXIT_USAGE;
}
