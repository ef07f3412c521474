// SPDX-License-Identifier: GPL-2.0
/*
 * How long three members of etcd are without service when their leader is silent at once: it is
 * stopped, as if its machine had gone. From that to the end of the first put that succeeds at
 * another member, 100 times.
 * usage: etcd_failover NETNS NET PORT PID PID PID		member N is at NET followed by N
 *
 * The client has one put under way. One that reaches a member that still believes in the dead
 * leader is passed on to it and lost, and etcd would say so after seven seconds: the client gives
 * it up after 20 ms, far more than one takes, and asks again. One that reaches a member that knows
 * of no leader waits there for the next one.
 *
 * Prints "etcd-failover-WHAT ns" lines.
 */
#include <signal.h>

#include "bench.h"
#include "grpc.h"

#define MEMBERS		3
#define RUNS		100
#define PATIENCE_MS	20

static struct grpc member[MEMBERS];
static struct grpc_request put, status;

/* Until it has succeeded. */
static void put_at(struct grpc *g)
{
	for (;;) {
		grpc_send(g, &put);
		if (grpc_wait(g, PATIENCE_MS))
			return;
		grpc_cancel(g);
	}
}

/* ---- who leads: protobuf, of which a few numbers ------------------------------- */

static uint64_t varint(const unsigned char **at, const unsigned char *end)
{
	uint64_t number = 0;
	int shift = 0;

	while (*at < end) {
		number |= (uint64_t)(**at & 0x7f) << shift;
		shift += 7;
		if (!(*(*at)++ & 0x80))
			break;
	}
	return number;
}

/* A field that is a number; one that is left out is 0. */
static uint64_t field(const unsigned char *at, const unsigned char *end, uint64_t wanted)
{
	while (at < end) {
		uint64_t tag = varint(&at, end), number = varint(&at, end);

		if (tag == wanted << 3)
			return number;
		if (tag & 7)	/* a length, then so many bytes */
			at += number;
	}
	return 0;
}

/* The member that all say leads, or -1. */
static int leader(void)
{
	uint64_t agreed = 0;
	int n, found = -1;

	for (n = 0; n < MEMBERS; n++) {
		const unsigned char *at = member[n].answer, *end;
		uint64_t self, leads;

		grpc_send(&member[n], &status);
		if (!grpc_wait(&member[n], -1))
			return -1;
		end = at + member[n].answer_bytes;
		/* The header comes first, and is shorter than 128 bytes. */
		self = field(at + 2, at + 2 + at[1], 2);
		leads = field(at, end, 4);
		if (n && leads != agreed)
			return -1;
		agreed = leads;
		if (self == leads)
			found = n;
	}
	return found;
}

/* All three are well, and it is a moment between two heartbeats that nobody chose. Who leads? */
static int settled(void)
{
	int n, found;

	for (n = 0; n < MEMBERS; n++)
		put_at(&member[n]);
	do {
		usleep(100000 + random() % 100000);
		found = leader();
	} while (found < 0);
	return found;
}

int main(int argc, char **argv)
{
	static const char key_value[] = "\x0a\x01n\x12\x08" "12345678";
	uint64_t took[RUNS];
	int i, n;

	if (argc != 4 + MEMBERS)
		die("usage: etcd_failover NETNS NET PORT PID PID PID");
	enter_netns(argv[1]);
	grpc_make(&put, "/etcdserverpb.KV/Put", key_value, sizeof(key_value) - 1);
	grpc_make(&status, "/etcdserverpb.Maintenance/Status", "", 0);
	for (n = 0; n < MEMBERS; n++) {
		char host[32];

		snprintf(host, sizeof(host), "%s%d", argv[2], n + 1);
		grpc_begin(&member[n], tcp_connect(host, argv[3]));
	}
	for (i = 0; i < RUNS; i++) {
		int old = settled();
		pid_t pid = atoi(argv[4 + old]);

		took[i] = bench_now();
		if (kill(pid, SIGSTOP))
			die("kill: %s", strerror(errno));
		put_at(&member[(old + 1 + i % 2) % MEMBERS]);
		took[i] = bench_now() - took[i];
		kill(pid, SIGCONT);
	}
	qsort(took, RUNS, sizeof(*took), bench_compare);
	printf("etcd-failover-p50 %llu\netcd-failover-p99 %llu\netcd-failover-max %llu\n",
	       (unsigned long long)took[RUNS / 2], (unsigned long long)took[RUNS * 99 / 100 - 1],
	       (unsigned long long)took[RUNS - 1]);
	return 0;
}
