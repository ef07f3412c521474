// SPDX-License-Identifier: GPL-2.0
/*
 * What other services take for one operation, asked in their own language over one connection that
 * stays open, with nothing in between: no client library that would be counted as theirs.
 * usage: peer_bench NAME NETNS OPERATION ADDRESS PORT [ROUNDS]
 *
 * OPERATION: incr (redis), incr16 (sixteen of them at once, printed per one), put or get (etcd, by
 * gRPC; get is linearizable), set (ZooKeeper's setData).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "bench.h"

#define PIPELINE 16

static int fd;

static void send_all(const void *bytes, size_t count)
{
	if (send(fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count)
		die("send: %s", strerror(errno));
}

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
	send_all(INCR, sizeof(INCR) - 1);
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
	send_all(many, sizeof(many));
	read_numbers(PIPELINE);
}

/* ---- etcd: gRPC, of which one call at a time needs little ---------------------- */

enum frame {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_RST = 3,
	FRAME_SETTINGS,
	FRAME_PING = 6,
	FRAME_GOAWAY,
	FRAME_WINDOW,
};

#define ACK		1
#define END_STREAM	1
#define END_HEADERS	4
#define FRAME_HEAD	9

static unsigned char request[512];
static size_t request_bytes, stream_offset[2];
static uint32_t stream = 1;

static size_t put_head(unsigned char *at, uint32_t bytes, uint8_t type, uint8_t flags, uint32_t id)
{
	at[0] = bytes >> 16;
	at[1] = bytes >> 8;
	at[2] = bytes;
	at[3] = type;
	at[4] = flags;
	id = htonl(id);
	memcpy(at + 5, &id, sizeof(id));
	return FRAME_HEAD;
}

/* A header that the other side shall not remember, by names and values that we spell out. */
static size_t put_header(unsigned char *at, const char *name, const char *value)
{
	size_t bytes = 0;

	at[bytes++] = 0;
	at[bytes++] = strlen(name);
	bytes += strlen(strcpy((char *)at + bytes, name));
	at[bytes++] = strlen(value);
	bytes += strlen(strcpy((char *)at + bytes, value));
	return bytes;
}

/* HEADERS and DATA of a call, but for the number of its stream. */
static void make_request(const char *path, const char *message, size_t message_bytes)
{
	unsigned char *at = request + FRAME_HEAD;
	uint32_t length = htonl(message_bytes);

	at += put_header(at, ":method", "POST");
	at += put_header(at, ":scheme", "http");
	at += put_header(at, ":path", path);
	at += put_header(at, ":authority", "etcd");
	at += put_header(at, "content-type", "application/grpc");
	at += put_header(at, "te", "trailers");
	put_head(request, at - request - FRAME_HEAD, FRAME_HEADERS, END_HEADERS, 0);
	stream_offset[0] = 5;
	stream_offset[1] = at - request + 5;
	at += put_head(at, 5 + message_bytes, FRAME_DATA, END_STREAM, 0);
	*at++ = 0;
	memcpy(at, &length, sizeof(length));
	memcpy(at + sizeof(length), message, message_bytes);
	request_bytes = at + sizeof(length) + message_bytes - request;
}

static void begin_grpc(void)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	unsigned char settings[FRAME_HEAD], window[FRAME_HEAD + 4];
	uint32_t more = htonl(1u << 30);

	put_head(settings, 0, FRAME_SETTINGS, 0, 0);
	/* Room for all there will be, so that no update is counted. */
	put_head(window, sizeof(more), FRAME_WINDOW, 0, 0);
	memcpy(window + FRAME_HEAD, &more, sizeof(more));
	send_all(preface, sizeof(preface) - 1);
	send_all(settings, sizeof(settings));
	send_all(window, sizeof(window));
}

static void answer_frame(const unsigned char *frame, uint32_t bytes)
{
	unsigned char pong[FRAME_HEAD + 8];

	if (frame[4] & ACK)
		return;
	if (frame[3] == FRAME_SETTINGS) {
		put_head(pong, 0, FRAME_SETTINGS, ACK, 0);
		send_all(pong, FRAME_HEAD);
	} else if (frame[3] == FRAME_PING && bytes == 8) {
		put_head(pong, 8, FRAME_PING, ACK, 0);
		memcpy(pong + FRAME_HEAD, frame + FRAME_HEAD, 8);
		send_all(pong, sizeof(pong));
	}
}

/* Frames up to the one that ends our stream, which must have brought a message. */
static void read_response(void)
{
	static unsigned char buffer[16384];
	static size_t have;
	bool message = false, over = false;

	while (!over) {
		uint32_t bytes = have < FRAME_HEAD ? 0 :
				 (uint32_t)buffer[0] << 16 | buffer[1] << 8 | buffer[2];

		if (have < FRAME_HEAD || have < FRAME_HEAD + bytes) {
			ssize_t got = recv(fd, buffer + have, sizeof(buffer) - have, 0);

			if (got <= 0)
				die("etcd: %s", got ? strerror(errno) : "closed");
			have += got;
			continue;
		}
		if (buffer[3] == FRAME_GOAWAY || buffer[3] == FRAME_RST)
			die("etcd: it ended the call");
		if (buffer[3] == FRAME_DATA && bytes > 5)
			message = true;
		if (buffer[3] == FRAME_HEADERS && buffer[4] & END_STREAM)
			over = true;
		if (buffer[3] == FRAME_SETTINGS || buffer[3] == FRAME_PING)
			answer_frame(buffer, bytes);
		have -= FRAME_HEAD + bytes;
		memmove(buffer, buffer + FRAME_HEAD + bytes, have);
	}
	if (!message)
		die("etcd: an error, no answer");
}

static void call(void)
{
	uint32_t id = htonl(stream);

	memcpy(request + stream_offset[0], &id, sizeof(id));
	memcpy(request + stream_offset[1], &id, sizeof(id));
	stream += 2;
	send_all(request, request_bytes);
	read_response();
}

/* ---- ZooKeeper: jute, numbers with their highest byte first, a length before all --- */

enum jute_operation {
	JUTE_CREATE = 1,
	JUTE_SET_DATA = 5,
};

#define JUTE_NODE_EXISTS	(-110)

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
	send_all(request, end - request);
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
		make_request("/etcdserverpb.KV/Put", key_value, sizeof(key_value) - 1);
	else if (!strcmp(operation, "get"))
		make_request("/etcdserverpb.KV/Range", key, sizeof(key) - 1);
	else
		die("no operation %s", operation);
	begin_grpc();
	return call;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	void (*round_trip)(void);
	int one = 1;

	if (argc < 6 || argc > 7 || inet_pton(AF_INET, argv[4], &address.sin_addr) != 1)
		die("usage: peer_bench NAME NETNS OPERATION ADDRESS PORT [ROUNDS]");
	address.sin_port = htons(atoi(argv[5]));
	enter_netns(argv[2]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (void *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	round_trip = begin(argv[3]);
	bench_run_rounds(argv[1], round_trip, argc > 6 ? atoi(argv[6]) : ROUNDS,
			 round_trip == incr16 ? PIPELINE : 1);
	return 0;
}
