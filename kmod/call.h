/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VRSEQ_CALL_H
#define VRSEQ_CALL_H

#include <linux/types.h>

struct vrseq_engine;
struct vrseq_request;

int vrseq_call(struct vrseq_engine *e, u32 slot, struct vrseq_request *rq);

#endif /* VRSEQ_CALL_H */
