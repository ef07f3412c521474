// SPDX-License-Identifier: GPL-2.0
/*
 * The interface is the same for 64-bit and 32-bit programs, C and C++: compiled
 * as each of them, never run.
 */
#include <linux/vrseq.h>
#include <linux/vrseq_netlink.h>

#ifdef __cplusplus
#define ASSERT(x) static_assert(x, #x)
#else
#define ASSERT(x) _Static_assert(x, #x)
#endif
#define AT(type, field, offset) ASSERT(__builtin_offsetof(struct type, field) == (offset))
#define BYTES(type, bytes) ASSERT(sizeof(struct type) == (bytes))

BYTES(vrseq_op_hdr, 64);
AT(vrseq_op_hdr, op_id, 8);
AT(vrseq_op_hdr, reserved, 40);
BYTES(vrseq_info, 64);
AT(vrseq_info, window, 32);
AT(vrseq_info, reserved, 40);
BYTES(vrseq_attach, 56);
AT(vrseq_attach, reserved, 40);
BYTES(vrseq_status_member, 16);
AT(vrseq_status, view, 8);
AT(vrseq_status, session, 88);
AT(vrseq_status, incarnation, 96);
AT(vrseq_status, reserved, 112);
AT(vrseq_status, members, 128);
AT(vrseq_status, text, 240);
BYTES(vrseq_status, 496);
AT(vrseq_next, counter, 64);
AT(vrseq_next, count, 128);
BYTES(vrseq_next, 152);
AT(vrseq_get, mode, 128);
AT(vrseq_get, value, 136);
AT(vrseq_get, age_ns, 144);
BYTES(vrseq_get, 152);
AT(vrseq_op_result, kind, 64);
AT(vrseq_op_result, first, 72);
BYTES(vrseq_op_result, 88);
AT(vrseq_append, data, 64);
AT(vrseq_append, topic, 76);
AT(vrseq_append, expected, 80);
AT(vrseq_append, sequence, 88);
BYTES(vrseq_append, 96);
AT(vrseq_seek, position, 16);
BYTES(vrseq_seek, 48);
AT(vrseq_barrier, sequence, 64);
BYTES(vrseq_barrier, 80);
BYTES(vrseq_record, 48);
AT(vrseq_record, bytes, 40);
AT(vrseq_record, topic, 44);
ASSERT(VRSEQ_IOC_INFO == 0x8040bf00);
ASSERT(VRSEQ_IOC_ATTACH == 0xc038bf01);
ASSERT(VRSEQ_IOC_STATUS == 0x81f0bf02);
ASSERT(VRSEQ_IOC_NEXT == 0xc098bf11);
ASSERT(VRSEQ_IOC_GET == 0xc098bf12);
ASSERT(VRSEQ_IOC_RESULT == 0xc058bf13);
ASSERT(VRSEQ_IOC_APPEND == 0xc060bf31);
ASSERT(VRSEQ_IOC_SEEK == 0xc030bf32);
ASSERT(VRSEQ_IOC_BARRIER == 0xc050bf33);
