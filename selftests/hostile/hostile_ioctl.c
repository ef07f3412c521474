// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of /dev/vrseq with structures that are right, wrong, or not there. What the kernel
 * may write is known of each: anything else of the page must be as it was before.
 */
#include <sys/mman.h>
#include <sys/wait.h>

#include "hostile.h"

struct range {
	unsigned short offset;
	unsigned short bytes;
};

#define OUT(type, member) { offsetof(struct type, member), sizeof(((struct type *)0)->member) }
#define RANGES 4

/**
 * struct command - an ioctl
 * @code:	its number
 * @bytes:	of the structure
 * @has_hdr:	it begins with a header, written whatever became of it
 * @out:	what else may be written
 */
static const struct command {
	unsigned int code;
	unsigned int bytes;
	bool has_hdr;
	struct range out[RANGES];
} commands[] = {
	[CALL_INFO] = { VRSEQ_IOC_INFO, sizeof(struct vrseq_info), false,
		{ { 0, sizeof(struct vrseq_info) } } },
	[CALL_ATTACH] = { VRSEQ_IOC_ATTACH, sizeof(struct vrseq_attach), false,
		{ OUT(vrseq_attach, group), OUT(vrseq_attach, member_id) } },
	[CALL_STATUS] = { VRSEQ_IOC_STATUS, sizeof(struct vrseq_status), false,
		{ { 0, sizeof(struct vrseq_status) } } },
	[CALL_NEXT] = { VRSEQ_IOC_NEXT, sizeof(struct vrseq_next), true,
		{ OUT(vrseq_next, first), OUT(vrseq_next, last) } },
	[CALL_GET] = { VRSEQ_IOC_GET, sizeof(struct vrseq_get), true,
		{ OUT(vrseq_get, value), OUT(vrseq_get, age_ns) } },
	[CALL_RESULT] = { VRSEQ_IOC_RESULT, sizeof(struct vrseq_op_result), true,
		{ OUT(vrseq_op_result, kind), OUT(vrseq_op_result, error),
		  OUT(vrseq_op_result, first), OUT(vrseq_op_result, last) } },
	[CALL_APPEND] = { VRSEQ_IOC_APPEND, sizeof(struct vrseq_append), true,
		{ OUT(vrseq_append, sequence) } },
	[CALL_SEEK] = { VRSEQ_IOC_SEEK, sizeof(struct vrseq_seek), false,
		{ OUT(vrseq_seek, position) } },
	[CALL_BARRIER] = { VRSEQ_IOC_BARRIER, sizeof(struct vrseq_barrier), true,
		{ OUT(vrseq_barrier, sequence) } },
	[CALL_RING_WAIT] = { VRSEQ_IOC_RING_WAIT, sizeof(struct vrseq_ring_wait), false, {} },
};

static const struct range hdr_out[] = {
	OUT(vrseq_op_hdr, outcome), OUT(vrseq_op_hdr, op_id), OUT(vrseq_op_hdr, index),
	OUT(vrseq_op_hdr, view),
};

union argument {
	struct vrseq_op_hdr hdr;
	struct vrseq_info info;
	struct vrseq_attach attach;
	struct vrseq_status status;
	struct vrseq_next next;
	struct vrseq_get get;
	struct vrseq_op_result result;
	struct vrseq_append append;
	struct vrseq_seek seek;
	struct vrseq_barrier barrier;
	struct vrseq_ring_wait wait;
	unsigned char bytes[PAGE / 4];
	__u64 words[PAGE / 32];
};

/* What the group can end calls with while it is there and well; nothing else may be told. */
static const int errnos[] = {
	ENOTCONN, EAGAIN, EHOSTUNREACH, ETIMEDOUT, EINTR, ESTALE, ECANCELED, EOVERFLOW, EMSGSIZE,
	EPIPE, EEXIST, ENXIO, ESPIPE, EINVAL, ENOTTY, EFAULT, EPERM, ENOSPC, EDQUOT, EBUSY,
	ENOMEM,
};

static bool is_documented(long got)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errnos); i++) {
		if (got == -errnos[i])
			return true;
	}
	return got == 0;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static __u64 random_deadline(struct worker *w)
{
	switch (random_below(w, 6)) {
	case 0:
		return dev_now_ns() + random_below(w, 5000000);
	case 1:
		return dev_now_ns() - random_below(w, 5000000);
	case 2:
		return wild_number(w);
	default:
		return 0;
	}
}

static void random_name(struct worker *w, char *name)
{
	static const char * const names[] = { "", "", "", "a", "b", "hostile" };
	unsigned int i;

	if (!one_in(w, 200)) {
		strncpy(name, ANY_OF(w, names), VRSEQ_COUNTER_NAME_BYTES - 1);
		return;
	}
	/* One of many, as long as they can be. */
	for (i = 0; i < VRSEQ_COUNTER_NAME_BYTES - 1; i++)
		name[i] = 'a' + random_below(w, 26);
}

static void make_hdr(struct worker *w, struct vrseq_op_hdr *hdr)
{
	hdr->deadline_ns = random_deadline(w);
	if (one_in(w, 4))
		hdr->op_id = random_below(w, 2000);
}

static void make(struct worker *w, enum hostile_call call, union argument *a)
{
	memset(a, 0, sizeof(*a));
	if (commands[call].has_hdr)
		make_hdr(w, &a->hdr);
	switch (call) {
	case CALL_ATTACH:
		strcpy(a->attach.group, one_in(w, 4) ? "other" : one_in(w, 2) ? "t" : "");
		break;
	case CALL_NEXT:
		random_name(w, a->next.counter);
		a->next.count = 1 + random_below(w, 4);
		break;
	case CALL_GET:
		random_name(w, a->get.counter);
		a->get.mode = random_below(w, 4);
		break;
	case CALL_RESULT:
		a->result.hdr.op_id = one_in(w, 2) ? w->op_id : random_below(w, 300);
		break;
	case CALL_APPEND:
		a->append.data = (unsigned long)w->bulk;
		a->append.bytes = random_below(w, one_in(w, 4) ? 9000 : 100);
		a->append.topic = random_below(w, 3);
		if (one_in(w, 8))
			a->append.expected = w->shared->sequence + random_below(w, 3);
		if (one_in(w, 8))
			a->append.data = wild_pointer(w);
		break;
	case CALL_SEEK:
		a->seek.whence = random_below(w, 6);
		a->seek.flags = one_in(w, 4) ? random_below(w, 4) : 0;
		a->seek.topic_mask = random_below(w, 4);
		a->seek.topic = a->seek.topic_mask & random_below(w, 4);
		if (one_in(w, 2))
			a->seek.position = random_below(w, w->shared->sequence + 10);
		break;
	case CALL_RING_WAIT:
		a->wait.position = one_in(w, 2) ? 0 : wild_number(w);
		a->wait.deadline_ns = random_deadline(w);
		break;
	default:
		break;
	}
}

static void mutate(struct worker *w, unsigned int bytes, union argument *a)
{
	unsigned int i;

	switch (random_below(w, 4)) {
	case 0:
		for (i = 1 + random_below(w, 4); i; i--)
			a->bytes[random_below(w, bytes)] ^= 1 << random_below(w, 8);
		break;
	case 1:
		a->words[random_below(w, bytes / 8)] = wild_number(w);
		break;
	case 2:
		for (i = 0; i < bytes; i++)
			a->bytes[i] = random_bits(w);
		break;
	default:		/* mostly reserved, as it is at the end */
		a->bytes[bytes - 1 - random_below(w, 24)] = 1 + random_below(w, 255);
		break;
	}
}

/* Half of the group's numbers at once would be its end: too many are asked for, or few. */
static void moderate(union argument *a)
{
	if (!*a->next.counter && a->next.count > 4 && a->next.count < 1ull << 60)
		a->next.count |= 1ull << 60;
}

/* ---- places --------------------------------------------------------------------------------- */

enum place {
	PLACE_INSIDE,		/* somewhere in a page, aligned or not */
	PLACE_EXACT,		/* its last byte is the last that there is */
	PLACE_IN_READ_ONLY,
	PLACE_INTO_READ_ONLY,	/* crosses the end of what can be written */
	PLACE_INTO_NOTHING,	/* crosses the end of what there is */
	PLACE_WILD,
	PLACE_COUNT,
};

static bool is_good(enum place where)
{
	return where == PLACE_INSIDE || where == PLACE_EXACT;
}

static unsigned char *address_of(struct worker *w, enum place where, unsigned int bytes)
{
	unsigned char *a = w->arena;

	switch (where) {
	case PLACE_INSIDE:
		return a + 64 + random_below(w, PAGE - bytes - 128);
	case PLACE_EXACT:
		return a + 3 * PAGE - bytes;
	case PLACE_IN_READ_ONLY:
		return a + PAGE + random_below(w, PAGE - bytes);
	case PLACE_INTO_READ_ONLY:
		return a + PAGE - 1 - random_below(w, bytes - 1);
	case PLACE_INTO_NOTHING:
		return a + 3 * PAGE - 1 - random_below(w, bytes - 1);
	default:
		return (void *)wild_pointer(w);
	}
}

static void put(struct worker *w, enum place where, unsigned char *at, const union argument *a,
		unsigned int bytes)
{
	unsigned char *read_only = w->arena + PAGE;

	if (where == PLACE_WILD)
		return;
	if (where == PLACE_INTO_NOTHING)
		bytes = w->arena + 3 * PAGE - at;
	mprotect(read_only, PAGE, PROT_READ | PROT_WRITE);
	memset(w->arena, 0xa5, 3 * PAGE);
	memcpy(at, a, bytes);
	mprotect(read_only, PAGE, PROT_READ);
}

static void allow(unsigned char *want, const unsigned char *got, const struct range *out, int count)
{
	for (; count; count--, out++)
		memcpy(want + out->offset, got + out->offset, out->bytes);
}

/* Of the pages that can be written nothing else has changed. */
static void check_writes(struct worker *w, const struct command *c, const unsigned char *at,
			 const union argument *a, long got)
{
	static unsigned char want[3 * PAGE];
	unsigned char *here = want + (at - w->arena);
	unsigned int i;

	memset(want, 0xa5, sizeof(want));
	memcpy(here, a, c->bytes);
	if (c->has_hdr)
		allow(here, at, hdr_out, ARRAY_SIZE(hdr_out));
	if (!got || (c->code == VRSEQ_IOC_APPEND && got == -EEXIST))
		allow(here, at, c->out, RANGES);
	for (i = 0; i < sizeof(want); i++) {
		if (want[i] != w->arena[i])
			broken(w, "ioctl %#x: %ld, and wrote at %ld of its %u bytes", c->code,
			       got, (long)i - (at - w->arena), c->bytes);
	}
}

/* ---- the call ------------------------------------------------------------------------------- */

static long by_int80(int fd, unsigned int code, unsigned long argument)
{
	long got = -1;

#ifdef __x86_64__
	asm volatile("int $0x80" : "=a" (got)
		     : "a" (54l), "b" ((long)fd), "c" ((long)code),
		       "d" (argument & 0xffffffff)
		     : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)got;
}

/** compat_works - of the kernel; one without these calls kills who tries */
bool compat_works(void)
{
	pid_t child = fork();
	int status = 1;

	if (!child)
		_exit(by_int80(-1, 0, 0) != -EBADF);
	waitpid(child, &status, 0);
	return !status;
}

static bool is_command(unsigned int code)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].code == code)
			return true;
	}
	return false;
}

/* The same, but for its size, its direction or its number. */
static unsigned int spoiled(struct worker *w, unsigned int code)
{
	switch (random_below(w, 3)) {
	case 0:
		code ^= 1u << (_IOC_SIZESHIFT + random_below(w, _IOC_SIZEBITS));
		break;
	case 1:
		code ^= 1u << (_IOC_DIRSHIFT + random_below(w, _IOC_DIRBITS));
		break;
	default:
		code ^= 1u << random_below(w, _IOC_NRBITS);
		break;
	}
	return code;
}

static void check_numbers(struct worker *w, const union argument *asked, const union argument *a)
{
	__u64 n;

	if (*asked->next.counter)
		return;
	if (a->next.last - a->next.first + 1 != asked->next.count)
		broken(w, "asked for %llu numbers, got %llu to %llu", asked->next.count,
		       a->next.first, a->next.last);
	raise_to(&w->shared->largest, a->next.last);
	if (asked->hdr.op_id)
		return;		/* maybe the answer to an earlier operation */
	for (n = a->next.first; n <= a->next.last && n < NUMBERS; n++) {
		if (__atomic_fetch_or(&w->shared->given[n / 8], 1 << n % 8, __ATOMIC_RELAXED) &
		    1 << n % 8)
			broken(w, "number %llu was given out twice", n);
	}
}

static void check_success(struct worker *w, enum hostile_call call, const union argument *asked,
			  const unsigned char *at, __u64 floor)
{
	union argument a;

	memcpy(&a, at, commands[call].bytes);
	if (commands[call].has_hdr)
		w->op_id = a.hdr.op_id;
	switch (call) {
	case CALL_NEXT:
		check_numbers(w, asked, &a);
		break;
	case CALL_GET:
		if (!*asked->get.counter && asked->get.mode != VRSEQ_READ_LOCAL &&
		    !asked->hdr.op_id && a.get.value < floor)
			broken(w, "read %llu when %llu had been given out", a.get.value, floor);
		break;
	case CALL_APPEND:
		raise_to(&w->shared->sequence, a.append.sequence);
		break;
	case CALL_STATUS:
		if (a.status.member_count > VRSEQ_MEMBERS_MAX ||
		    !memchr(a.status.text, 0, sizeof(a.status.text)))
			broken(w, "STATUS is no status");
		break;
	default:
		break;
	}
}

/** hostile_ioctl - one, of any kind */
void hostile_ioctl(struct worker *w)
{
	enum hostile_call call = random_below(w, ARRAY_SIZE(commands));
	enum place where = one_in(w, 3) ? random_below(w, PLACE_COUNT) : PLACE_INSIDE;
	const struct command *c = &commands[call];
	__u64 floor = __atomic_load_n(&w->shared->largest, __ATOMIC_SEQ_CST);
	unsigned int code = one_in(w, 10) ? spoiled(w, c->code) : c->code;
	bool known = is_command(code), compat = w->compat && one_in(w, 4);
	unsigned char *at = address_of(w, where, c->bytes);
	union argument a;
	long got;

	if (known && code != c->code)
		return;
	make(w, call, &a);
	if (one_in(w, 3))
		mutate(w, c->bytes, &a);
	if (call == CALL_NEXT)
		moderate(&a);
	put(w, where, at, &a, c->bytes);
	if (compat)
		got = by_int80(random_fd(w), code, (unsigned long)at);
	else
		got = dev_ioctl(random_fd(w), code, at);

	if (!is_documented(got))
		broken(w, "ioctl %#x: errno %ld", code, -got);
	if (known == (got == -ENOTTY))
		broken(w, "ioctl %#x: %ld", code, got);
	if (!got && (where == PLACE_WILD || where == PLACE_INTO_NOTHING))
		broken(w, "ioctl %#x found something at %p", code, at);
	if (!got && !is_good(where) && c->out[0].bytes)
		broken(w, "ioctl %#x wrote to %p", code, at);
	if (is_good(where)) {
		check_writes(w, c, at, &a, got);
		if (!got)
			check_success(w, call, &a, at, floor);
	}
	count_call(w, call, got);
	if (compat)
		count_call(w, CALL_COMPAT, got);
}
