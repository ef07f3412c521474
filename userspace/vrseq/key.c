// SPDX-License-Identifier: GPL-2.0
/*
 * vrseq genkey, vrseq key: the keys of a group. A key is 32 bytes, in a file as
 * 44 characters of base64 and a newline; it is never an argument, as those are
 * for everybody to see, and never printed but by genkey.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nl.h"
#include "tool.h"

#define OTHERS 0007	/* what everybody may do, of a file's mode */

#define KEY_TEXT_BYTES 44

static const char hint[] = "vrseq key help";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void key_text(const uint8_t *key, char *text)
{
	uint32_t bits;
	size_t i;

	for (i = 0; i < KEY_BYTES; i += 3) {
		bits = (uint32_t)key[i] << 16 | (uint32_t)key[i + 1] << 8 |
		       (i + 2 < KEY_BYTES ? key[i + 2] : 0);
		*text++ = digits[bits >> 18];
		*text++ = digits[bits >> 12 & 63];
		*text++ = digits[bits >> 6 & 63];
		*text++ = i + 2 < KEY_BYTES ? digits[bits & 63] : '=';
	}
	*text = '\0';
}

bool key_parse(const char *text, size_t bytes, uint8_t *key)
{
	uint8_t whole[KEY_BYTES + 1];
	uint32_t bits = 0;
	size_t i;

	while (bytes && (text[bytes - 1] == '\n' || text[bytes - 1] == '\r'))
		bytes--;
	if (bytes != KEY_TEXT_BYTES || text[bytes - 1] != '=')
		return false;
	for (i = 0; i < KEY_TEXT_BYTES; i++) {
		const char *digit = i < KEY_TEXT_BYTES - 1 ? strchr(digits, text[i]) : digits;

		if (!text[i] || !digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 == 3) {
			whole[i / 4 * 3] = bits >> 16;
			whole[i / 4 * 3 + 1] = bits >> 8;
			whole[i / 4 * 3 + 2] = bits;
		}
	}
	memcpy(key, whole, KEY_BYTES);
	explicit_bzero(whole, sizeof(whole));
	/* Two bits that are no part of the key. */
	return !((strchr(digits, text[KEY_TEXT_BYTES - 2]) - digits) & 3);
}

int key_read(const char *path, uint8_t *key)
{
	char text[KEY_TEXT_BYTES + 4];
	struct stat stat;
	ssize_t bytes;
	int fd, code = EXIT_OK;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &stat)) {
		code = fail(EXIT_FAILED, strerror(errno), "vrseq genkey", "Cannot open key file %s",
			    path);
	} else if (S_ISREG(stat.st_mode) && stat.st_mode & OTHERS) {
		code = fail(EXIT_FAILED, "Everybody on this machine can get at it",
			    "chmod o= FILE, and think of who had it",
			    "Will not use key file %s", path);
	} else {
		bytes = read(fd, text, sizeof(text));
		if (bytes < 0)
			code = fail(EXIT_FAILED, strerror(errno), NULL,
				    "Cannot read key file %s", path);
		else if (!key_parse(text, bytes, key))
			code = fail(EXIT_FAILED, "A key is 44 characters of base64 and a newline",
				    "vrseq genkey", "No key in file %s", path);
	}
	if (fd >= 0)
		close(fd);
	explicit_bzero(text, sizeof(text));
	return code;
}

int key_generate(int argc, char **argv)
{
	static const struct arg none[] = { { 0 } };
	char text[KEY_TEXT_BYTES + 1];
	uint8_t key[KEY_BYTES];
	struct stat stat;
	int code;

	code = args_parse(argc, argv, (struct arg *)none, "vrseq genkey help");
	if (code)
		return code;
	if (!fstat(STDOUT_FILENO, &stat) && S_ISREG(stat.st_mode) && stat.st_mode & OTHERS)
		return fail(EXIT_FAILED, "Everybody on this machine can read what is written there",
			    "(umask 077; vrseq genkey >FILE)", "Will not print a key");
	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return fail(EXIT_FAILED, strerror(errno), NULL, "No random bytes");
	key_text(key, text);
	puts(text);
	explicit_bzero(key, sizeof(key));
	explicit_bzero(text, sizeof(text));
	return EXIT_OK;
}

int key_set(int argc, char **argv)
{
	const char *file, *name, *group;
	struct arg args[] = {
		ARG("file", ARG_STRING, &file, .positional = true),
		ARG("key-name", ARG_STRING, &name),
		ARG("group", ARG_STRING, &group, .required = true),
		{ 0 },
	};
	uint8_t key[KEY_BYTES];
	struct nlmsghdr *nlh;
	struct nl nl;
	int code;

	code = args_parse(argc, argv, args, hint);
	if (code)
		return code;
	if (args[0].given == args[1].given)
		return usage_error(hint, "Give the key as a file or by key-name");
	code = args[0].given ? key_read(file, key) : EXIT_OK;
	if (code)
		return code;
	code = nl_open(&nl);
	if (code)
		return code;
	nlh = nl_request(&nl, VRSEQ_CMD_KEY_SET, NLM_F_ACK);
	mnl_attr_put_strz(nlh, VRSEQ_A_NAME, group);
	if (args[0].given)
		mnl_attr_put(nlh, VRSEQ_A_KEY, sizeof(key), key);
	else
		mnl_attr_put_strz(nlh, VRSEQ_A_KEY_NAME, name);
	code = nl_command(&nl, nlh, "vrseq group show", "key set", group);
	explicit_bzero(key, sizeof(key));
	nl_close(&nl);
	return code;
}

static int send_name(int argc, char **argv, uint8_t command, const char *what)
{
	const char *group;
	struct arg args[] = {
		ARG("group", ARG_STRING, &group, .required = true),
		{ 0 },
	};
	int code = args_parse(argc, argv, args, hint);

	return code ? code : nl_command_group(command, what, group);
}

int key_swap(int argc, char **argv)
{
	return send_name(argc, argv, VRSEQ_CMD_KEY_SWAP, "key swap");
}

int key_del(int argc, char **argv)
{
	return send_name(argc, argv, VRSEQ_CMD_KEY_DEL, "key del");
}
