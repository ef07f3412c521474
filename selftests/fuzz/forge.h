/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A member that has the key and lies: messages of every type which nobody sent, with
 * numbers that make sense at their receiver, nearly do, or do not at all. Made of the
 * fuzzer's input, as datagrams. Knows the core by its public headers and the bytes of
 * a checkpoint.
 */
#ifndef FORGE_H
#define FORGE_H

#include "cluster.h"
#include "fuzz.h"

#define FORGE_KNOWN 32

/**
 * struct forge - who lies to whom
 * @in:		says what
 * @from:	who it claims to be
 * @to:		who is told
 * @known:	numbers that mean something to the receiver
 */
struct forge {
	struct input *in;
	struct cluster *c;
	u8 from;
	u8 to;
	u64 known[FORGE_KNOWN];
};

/** forge_message - one message, delivered */
void forge_message(struct cluster *c, struct input *in);

/** forge_checkpoint - a whole checkpoint, as the receiver asked for it or not, delivered */
void forge_checkpoint(struct cluster *c, struct input *in);

#endif /* FORGE_H */
