// SPDX-License-Identifier: GPL-2.0
/*
 * What other services take for one operation, asked in their own language over one connection that
 * stays open, with nothing in between: no client library that would be counted as theirs.
 * usage: peer_bench NAME NETNS OPERATION ADDRESS PORT [ROUNDS]
 *
 * OPERATION: incr (redis), incr16 (sixteen of them at once, printed per one), put or get (etcd, by
 * gRPC; get is linearizable), set (ZooKeeper's setData).
 */
#include "bench.h"
#include "grpc.h"

#define PIPELINE 16

static int fd;

/* ---- redis: RESP -------------------------------------------------------------- */

#define INCR "*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n"

/* So many answers of one line each, ":NUMBER". */
static void read_numbers(int count)
{
	static char buffer[4096];
	ssize_t got, i;

	while (count) {
		got = recv(fd, buffer, sizeof(buffer), 0);
		if (got <= 0)
			die("redis: %s", got ? strerror(errno) : "closed");
		if (buffer[0] == '-')
			die("redis: %.*s", (int)got, buffer);
		for (i = 0; i < got; i++)
			count -= buffer[i] == '\n';
	}
}

static void incr(void)
{
	send_all(fd, INCR, sizeof(INCR) - 1);
	read_numbers(1);
}

static void incr16(void)
{
	static char many[PIPELINE * (sizeof(INCR) - 1)];
	int i;

	if (!many[0]) {
		for (i = 0; i < PIPELINE; i++)
			memcpy(many + i * (sizeof(INCR) - 1), INCR, sizeof(INCR) - 1);
	}
	send_all(fd, many, sizeof(many));
	read_numbers(PIPELINE);
}

/* ---- etcd: gRPC ---------------------------------------------------------------- */

static struct grpc etcd;
static struct grpc_request etcd_request;

static void call(void)
{
	grpc_send(&etcd, &etcd_request);
	if (!grpc_wait(&etcd, -1))
		die("etcd: an error, no answer");
}

/* ---- ZooKeeper: jute, numbers with their highest byte first, a length before all --- */

enum jute_operation {
	JUTE_CREATE = 1,
	JUTE_SET_DATA = 5,
};

#define JUTE_NODE_EXISTS	(-110)

static unsigned char request[512];

static unsigned char *put_number(unsigned char *at, int32_t number)
{
	uint32_t bytes = htonl(number);

	memcpy(at, &bytes, sizeof(bytes));
	return at + sizeof(bytes);
}

static unsigned char *put_text(unsigned char *at, const char *text)
{
	at = put_number(at, strlen(text));
	memcpy(at, text, strlen(text));
	return at + strlen(text);
}

static void receive_all(void *bytes, size_t count)
{
	if (recv(fd, bytes, count, MSG_WAITALL) != (ssize_t)count)
		die("ZooKeeper: closed, or %s", strerror(errno));
}

/* Says what is in so many bytes from request + 4 on. Returns the length of the answer. */
static size_t ask_zookeeper(const unsigned char *end, unsigned char *answer, size_t room)
{
	uint32_t bytes;

	put_number(request, end - request - 4);
	send_all(fd, request, end - request);
	receive_all(&bytes, sizeof(bytes));
	bytes = ntohl(bytes);
	if (bytes > room)
		die("ZooKeeper: an answer of %u bytes", bytes);
	receive_all(answer, bytes);
	return bytes;
}

/* An answer begins with the number of the question, that of a transaction, and an error. */
static int error_of_zookeeper(const unsigned char *end)
{
	unsigned char answer[512];
	uint32_t error;

	if (ask_zookeeper(end, answer, sizeof(answer)) < 16)
		die("ZooKeeper: a short answer");
	memcpy(&error, answer + 12, sizeof(error));
	return ntohl(error);
}

static unsigned char *set_end;

static void set_data(void)
{
	int error = error_of_zookeeper(set_end);

	if (error)
		die("setData: error %d", error);
}

static void begin_zookeeper(void)
{
	unsigned char answer[512], *at = request + 4;
	int error;

	/* Version 0, nothing seen, 30 s, no session, no password, may not be read-only. */
	memset(request, 0, sizeof(request));
	at = put_number(at + 4 + 8, 30000);
	at = put_number(at + 8, 16);
	ask_zookeeper(at + 16 + 1, answer, sizeof(answer));

	at = put_number(put_number(request + 4, 1), JUTE_CREATE);
	at = put_text(put_text(at, "/n"), "12345678");
	at = put_text(put_text(put_number(put_number(at, 1), 31), "world"), "anyone");
	error = error_of_zookeeper(put_number(at, 0));
	if (error && error != JUTE_NODE_EXISTS)
		die("create: error %d", error);

	/* Whatever version it is of. */
	at = put_number(put_number(request + 4, 2), JUTE_SET_DATA);
	set_end = put_number(put_text(put_text(at, "/n"), "12345678"), -1);
}

/* ---- which -------------------------------------------------------------------- */

static void (*begin(const char *operation))(void)
{
	static const char key_value[] = "\x0a\x01n\x12\x08" "12345678", key[] = "\x0a\x01n";

	if (!strcmp(operation, "incr"))
		return incr;
	if (!strcmp(operation, "incr16"))
		return incr16;
	if (!strcmp(operation, "set")) {
		begin_zookeeper();
		return set_data;
	}
	if (!strcmp(operation, "put"))
		grpc_make(&etcd_request, "/etcdserverpb.KV/Put", key_value,
			  sizeof(key_value) - 1);
	else if (!strcmp(operation, "get"))
		grpc_make(&etcd_request, "/etcdserverpb.KV/Range", key, sizeof(key) - 1);
	else
		die("no operation %s", operation);
	grpc_begin(&etcd, fd);
	return call;
}

int main(int argc, char **argv)
{
	void (*round_trip)(void);

	if (argc < 6 || argc > 7)
		die("usage: peer_bench NAME NETNS OPERATION ADDRESS PORT [ROUNDS]");
	enter_netns(argv[2]);
	fd = tcp_connect(argv[4], argv[5]);
	round_trip = begin(argv[3]);
	bench_run_rounds(argv[1], round_trip, argc > 6 ? atoi(argv[6]) : ROUNDS,
			 round_trip == incr16 ? PIPELINE : 1);
	return 0;
}
