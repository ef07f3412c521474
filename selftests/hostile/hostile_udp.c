// SPDX-License-Identifier: GPL-2.0
/*
 * usage: hostile_udp DEVICE VICTIM STRANGER FRAMES COUNT SEED
 *
 * Datagrams to the port of the member VICTIM, which is behind DEVICE: random bytes, pieces, flipped
 * bits and replays of what others sent it (FRAMES, by wire.py capture), from their addresses, from
 * other ports of theirs, and from STRANGER, where nobody is. HELLOs are left out: an old one is a
 * fair question, and is answered now and then.
 *
 * Prints how many were sent, how many of them this machine lost on the way, and how many frames
 * came back that no member was sent.
 */
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <time.h>

#include "../lib/testlib.h"
#include "hostile.h"

#define PORT		7400
#define FRAME_BYTES	1514
#define HEAD_BYTES	(sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr))
#define PAYLOAD_BYTES	(FRAME_BYTES - HEAD_BYTES)
#define FRAMES		4096
#define BATCH		32
#define TYPE_BYTE	2		/* see kmod/envelope.h */
#define TYPE_HELLO	4

struct frame {
	unsigned int bytes;
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct udphdr udp;
		unsigned char payload[PAYLOAD_BYTES];
	} __attribute__((packed)) data;
};

static struct frame captured[FRAMES];
static unsigned int captured_count;
static struct worker w;

static void read_frames(const char *path, __be32 victim)
{
	FILE *file = fopen(path, "r");
	unsigned char head[2];

	if (!file)
		die("%s: %s", path, strerror(errno));
	while (captured_count < FRAMES && fread(head, sizeof(head), 1, file)) {
		struct frame *frame = &captured[captured_count];

		frame->bytes = head[0] << 8 | head[1];
		if (frame->bytes > sizeof(frame->data) ||
		    !fread(&frame->data, frame->bytes, 1, file))
			die("%s: no frames", path);
		if (frame->data.ip.daddr == victim && frame->bytes > HEAD_BYTES + TYPE_BYTE &&
		    frame->data.payload[TYPE_BYTE] != TYPE_HELLO)
			captured_count++;
	}
	fclose(file);
	if (captured_count < 10)
		die("%s: only %u frames", path, captured_count);
}

/* ---- out ------------------------------------------------------------------------------------ */

static __u16 checksum(const struct iphdr *ip)
{
	const __u16 *words = (const void *)ip;
	unsigned int sum = 0, i;

	for (i = 0; i < sizeof(*ip) / sizeof(*words); i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16));
}

static void fill(unsigned char *at, unsigned int bytes)
{
	__u64 bits;

	for (; bytes >= sizeof(bits); at += sizeof(bits), bytes -= sizeof(bits)) {
		bits = random_bits(&w);
		memcpy(at, &bits, sizeof(bits));
	}
	bits = random_bits(&w);
	memcpy(at, &bits, bytes);
}

static unsigned int junk(unsigned char *payload, unsigned int bytes)
{
	unsigned int i;

	switch (random_below(&w, 8)) {
	case 0:
		bytes = random_below(&w, one_in(&w, 4) ? PAYLOAD_BYTES : 128);
		fill(payload, bytes);
		break;
	case 1:
		bytes = random_below(&w, bytes);
		break;
	case 2:
		i = 1 + random_below(&w, 64);
		if (bytes + i > PAYLOAD_BYTES)
			i = PAYLOAD_BYTES - bytes;
		fill(payload + bytes, i);
		bytes += i;
		break;
	case 3:
		break;			/* as it was: again */
	default:
		for (i = 1 + random_below(&w, 8); i; i--)
			payload[random_below(&w, one_in(&w, 2) ? 40 : bytes)] ^=
				1 << random_below(&w, 8);
		break;
	}
	return bytes;
}

static void make(struct frame *frame, __be32 stranger)
{
	unsigned int bytes;
	struct iphdr ip;

	*frame = captured[random_below(&w, captured_count)];
	if (frame->bytes < HEAD_BYTES + 40)
		bytes = 0;
	else
		bytes = junk(frame->data.payload, frame->bytes - HEAD_BYTES);
	/* Three of four as if they came from the member itself. */
	switch (random_below(&w, 8)) {
	case 0:
		frame->data.ip.saddr = stranger;
		break;
	case 1:
		frame->data.udp.source = htons(1024 + random_below(&w, 6000));
		break;
	default:
		break;
	}
	frame->bytes = HEAD_BYTES + bytes;
	frame->data.ip.tot_len = htons(sizeof(struct iphdr) + sizeof(struct udphdr) + bytes);
	frame->data.ip.check = 0;
	ip = frame->data.ip;
	frame->data.ip.check = checksum(&ip);
	frame->data.udp.len = htons(sizeof(struct udphdr) + bytes);
	frame->data.udp.check = 0;	/* there is none */
}

static unsigned long send_batch(int fd, unsigned int count, __be32 stranger)
{
	static struct frame frames[BATCH];
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec parts[BATCH];
	unsigned int i;
	int sent;

	for (i = 0; i < count; i++) {
		make(&frames[i], stranger);
		parts[i] = (struct iovec) { &frames[i].data, frames[i].bytes };
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, count, 0);
	if (sent < 0 && errno != ENOBUFS)
		die("sendmmsg: %s", strerror(errno));
	return sent < 0 ? 0 : sent;
}

/* ---- back ----------------------------------------------------------------------------------- */

/* What no member is sent: to the stranger, for his address, to no member's port, and by ICMP. */
static int listen_for_answers(int device, __be32 victim, __be32 stranger)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 38),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(stranger), 9, 10),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 9),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 26),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(victim), 0, 7),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 30),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(stranger), 4, 0),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 23),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 36),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PORT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 64),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { ARRAY_SIZE(code), code };
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = device };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		die("packet socket: %s", strerror(errno));
	at.sll_protocol = htons(ETH_P_ALL);
	if (bind(fd, (void *)&at, sizeof(at)))
		die("bind: %s", strerror(errno));
	return fd;
}

static unsigned long count_answers(int fd)
{
	unsigned char frame[64];
	unsigned long count = 0;

	while (recv(fd, frame, sizeof(frame), 0) > 0)
		count++;
	return count;
}

/* Frames that queues of this machine had no room for. */
static unsigned long lost_in_queues(void)
{
	FILE *file = fopen("/proc/net/softnet_stat", "r");
	unsigned long sum = 0;
	unsigned int dropped;

	if (!file)
		die("softnet_stat: %s", strerror(errno));
	while (fscanf(file, "%*x %x%*[^\n]", &dropped) == 1)
		sum += dropped;
	fclose(file);
	return sum;
}

int main(int argc, char **argv)
{
	unsigned long sent = 0, answers = 0, lost, count;
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	__be32 victim, stranger;
	int out, back;
	__u64 start;

	if (argc != 7)
		die("usage: hostile_udp DEVICE VICTIM STRANGER FRAMES COUNT SEED");
	at.sll_ifindex = if_nametoindex(argv[1]);
	victim = inet_addr(argv[2]);
	stranger = inet_addr(argv[3]);
	read_frames(argv[4], victim);
	count = strtoul(argv[5], NULL, 0);
	w.random = strtoull(argv[6], NULL, 0);
	back = listen_for_answers(at.sll_ifindex, victim, stranger);
	out = socket(AF_PACKET, SOCK_RAW, 0);
	if (out < 0 || bind(out, (void *)&at, sizeof(at)))
		die("%s: %s", argv[1], strerror(errno));
	lost = lost_in_queues();
	start = dev_now_ns();
	while (sent < count) {
		sent += send_batch(out, count - sent < BATCH ? count - sent : BATCH, stranger);
		answers += count_answers(back);
	}
	/* Whoever is woken to answer has had the time of many datagrams by then. */
	usleep(200000);
	answers += count_answers(back);
	printf("sent=%lu lost=%lu answers=%lu ms=%llu\n", sent, lost_in_queues() - lost, answers,
	       (dev_now_ns() - start) / MS);
	return 0;
}
