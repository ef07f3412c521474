/* SPDX-License-Identifier: GPL-2.0 */
/* An answer of the kernel that a test makes up, and what the tool prints of it. */
#ifndef VRSEQ_ANSWER_H
#define VRSEQ_ANSWER_H

#include <stdio.h>
#include <string.h>

#include "../../userspace/vrseq/nl.h"

struct answer {
	char bytes[8192];
	struct nlmsghdr *nlh;
};

static inline void start(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->nlh = mnl_nlmsg_put_header(answer->bytes);
	mnl_nlmsg_put_extra_header(answer->nlh, sizeof(struct genlmsghdr));
}

/* Runs @code with stdout, or a JSON writer, going to a string. */
#define CAPTURED(json, code) ({						\
	static char *text_;						\
	size_t size_;							\
	FILE *stdout_ = stdout;						\
	struct json json = { .file = open_memstream(&text_, &size_) };	\
									\
	stdout = json.file;						\
	code;								\
	stdout = stdout_;						\
	fclose(json.file);						\
	text_;								\
})

#endif /* VRSEQ_ANSWER_H */
