/* SPDX-License-Identifier: GPL-2.0 */
/* A TCP connection, and as much of gRPC as one call at a time needs. */
#ifndef VRSEQ_BENCH_GRPC_H
#define VRSEQ_BENCH_GRPC_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "../lib/testlib.h"

static inline int tcp_connect(const char *host, const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("%s is no address", host);
	if (connect(fd, (void *)&address, sizeof(address)))
		die("connect: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static inline void send_all(int fd, const void *bytes, size_t count)
{
	if (send(fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count)
		die("send: %s", strerror(errno));
}

enum grpc_frame {
	GRPC_DATA,
	GRPC_HEADERS,
	GRPC_RST = 3,
	GRPC_SETTINGS,
	GRPC_PING = 6,
	GRPC_GOAWAY,
	GRPC_WINDOW,
};

#define GRPC_ACK		1
#define GRPC_END_STREAM		1
#define GRPC_END_HEADERS	4
#define GRPC_CANCEL		8
#define GRPC_FRAME_HEAD		9

/* HEADERS and DATA of a call, but for the number of its stream, which belongs at both offsets. */
struct grpc_request {
	unsigned char bytes[512];
	size_t count, offset[2];
};

/**
 * struct grpc - a connection
 * @stream:	of the latest call
 * @have:	bytes in @buffer
 * @answer:	the message that answered the latest call, until the next one
 * @answer_bytes: of it, 0 as long as there is none
 */
struct grpc {
	int fd;
	uint32_t stream;
	size_t have;
	unsigned char buffer[16384];
	unsigned char answer[512];
	size_t answer_bytes;
};

static inline size_t grpc_head(unsigned char *at, uint32_t bytes, uint8_t type, uint8_t flags,
			       uint32_t stream)
{
	at[0] = bytes >> 16;
	at[1] = bytes >> 8;
	at[2] = bytes;
	at[3] = type;
	at[4] = flags;
	stream = htonl(stream);
	memcpy(at + 5, &stream, sizeof(stream));
	return GRPC_FRAME_HEAD;
}

/* A header that the other side shall not remember, by names and values that we spell out. */
static inline size_t grpc_header(unsigned char *at, const char *name, const char *value)
{
	size_t bytes = 0;

	at[bytes++] = 0;
	at[bytes++] = strlen(name);
	bytes += strlen(strcpy((char *)at + bytes, name));
	at[bytes++] = strlen(value);
	bytes += strlen(strcpy((char *)at + bytes, value));
	return bytes;
}

static inline void grpc_make(struct grpc_request *rq, const char *path, const char *message,
			     size_t message_bytes)
{
	unsigned char *at = rq->bytes + GRPC_FRAME_HEAD;
	uint32_t length = htonl(message_bytes);

	at += grpc_header(at, ":method", "POST");
	at += grpc_header(at, ":scheme", "http");
	at += grpc_header(at, ":path", path);
	at += grpc_header(at, ":authority", "etcd");
	at += grpc_header(at, "content-type", "application/grpc");
	at += grpc_header(at, "te", "trailers");
	grpc_head(rq->bytes, at - rq->bytes - GRPC_FRAME_HEAD, GRPC_HEADERS, GRPC_END_HEADERS, 0);
	rq->offset[0] = 5;
	rq->offset[1] = at - rq->bytes + 5;
	at += grpc_head(at, 5 + message_bytes, GRPC_DATA, GRPC_END_STREAM, 0);
	*at++ = 0;
	memcpy(at, &length, sizeof(length));
	memcpy(at + sizeof(length), message, message_bytes);
	rq->count = at + sizeof(length) + message_bytes - rq->bytes;
}

static inline void grpc_begin(struct grpc *g, int fd)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	unsigned char settings[GRPC_FRAME_HEAD], window[GRPC_FRAME_HEAD + 4];
	uint32_t more = htonl(1u << 30);

	memset(g, 0, sizeof(*g));
	g->fd = fd;
	grpc_head(settings, 0, GRPC_SETTINGS, 0, 0);
	/* Room for all there will be, so that no update is counted. */
	grpc_head(window, sizeof(more), GRPC_WINDOW, 0, 0);
	memcpy(window + GRPC_FRAME_HEAD, &more, sizeof(more));
	send_all(fd, preface, sizeof(preface) - 1);
	send_all(fd, settings, sizeof(settings));
	send_all(fd, window, sizeof(window));
}

static inline void grpc_send(struct grpc *g, struct grpc_request *rq)
{
	uint32_t id;

	g->stream = g->stream ? g->stream + 2 : 1;
	g->answer_bytes = 0;
	id = htonl(g->stream);
	memcpy(rq->bytes + rq->offset[0], &id, sizeof(id));
	memcpy(rq->bytes + rq->offset[1], &id, sizeof(id));
	send_all(g->fd, rq->bytes, rq->count);
}

/* The latest call is given up; what may still come of it is passed over. */
static inline void grpc_cancel(struct grpc *g)
{
	unsigned char reset[GRPC_FRAME_HEAD + 4];
	uint32_t why = htonl(GRPC_CANCEL);

	grpc_head(reset, sizeof(why), GRPC_RST, 0, g->stream);
	memcpy(reset + GRPC_FRAME_HEAD, &why, sizeof(why));
	send_all(g->fd, reset, sizeof(reset));
}

/* True if it ends the latest call. */
static inline bool grpc_take(struct grpc *g, const unsigned char *frame, uint32_t bytes)
{
	unsigned char pong[GRPC_FRAME_HEAD + 8];
	uint32_t stream;

	memcpy(&stream, frame + 5, sizeof(stream));
	if (frame[3] == GRPC_GOAWAY)
		die("gRPC: the connection ends");
	if (frame[3] == GRPC_SETTINGS && !(frame[4] & GRPC_ACK)) {
		grpc_head(pong, 0, GRPC_SETTINGS, GRPC_ACK, 0);
		send_all(g->fd, pong, GRPC_FRAME_HEAD);
	} else if (frame[3] == GRPC_PING && !(frame[4] & GRPC_ACK) && bytes == 8) {
		grpc_head(pong, 8, GRPC_PING, GRPC_ACK, 0);
		memcpy(pong + GRPC_FRAME_HEAD, frame + GRPC_FRAME_HEAD, 8);
		send_all(g->fd, pong, sizeof(pong));
	}
	if (ntohl(stream) != g->stream)
		return false;
	/* Of a byte and a length before the message; ours are small, and come in one frame. */
	if (frame[3] == GRPC_DATA && bytes > 5 && bytes - 5 <= sizeof(g->answer)) {
		g->answer_bytes = bytes - 5;
		memcpy(g->answer, frame + GRPC_FRAME_HEAD + 5, g->answer_bytes);
	}
	return frame[3] == GRPC_RST ||
	       (frame[3] == GRPC_HEADERS && (frame[4] & GRPC_END_STREAM));
}

/*
 * Until the latest call ends, or for so long (-1: for ever). Whether that brought an answer: a
 * refusal has none; a call that is not over yet may be waited for again, or given up.
 */
static inline bool grpc_wait(struct grpc *g, int timeout_ms)
{
	bool over = false;

	while (!over) {
		const unsigned char *b = g->buffer;
		uint32_t bytes = g->have < GRPC_FRAME_HEAD ? 0 : b[0] << 16 | b[1] << 8 | b[2];

		if (g->have < GRPC_FRAME_HEAD || g->have < GRPC_FRAME_HEAD + bytes) {
			struct pollfd ready = { .fd = g->fd, .events = POLLIN };
			ssize_t got;

			if (timeout_ms >= 0 && !poll(&ready, 1, timeout_ms))
				return false;
			got = recv(g->fd, g->buffer + g->have, sizeof(g->buffer) - g->have, 0);
			if (got <= 0)
				die("gRPC: %s", got ? strerror(errno) : "closed");
			g->have += got;
			continue;
		}
		over = grpc_take(g, g->buffer, bytes);
		g->have -= GRPC_FRAME_HEAD + bytes;
		memmove(g->buffer, g->buffer + GRPC_FRAME_HEAD + bytes, g->have);
	}
	return g->answer_bytes;
}

#endif /* VRSEQ_BENCH_GRPC_H */
