// SPDX-License-Identifier: GPL-2.0
/*
 * A liar on the network: waits for a PREPARE of the primary to VICTIM, and sends
 * it once more in the primary's name, with another hash of the entry before it.
 * Two logs in one view cannot be: a replica that sees it has to stop.
 *
 * Run in the primary's namespace: usage: forge VICTIM_ADDRESS. Speaks the wire
 * format with the core's own encoder.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "../../kmod/core/vr_wire.h"
#include "../../kmod/envelope.h"
#include "../lib/testlib.h"

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	u8 envelope[VRSEQ_ENVELOPE_BYTES];	/* of a group without a key: kept as it is */
	u8 datagram[VR_DATAGRAM_BYTES_MAX];
} __attribute__((packed));

/* The two numbers that every datagram of a group begins with. */
static struct vr_wire_group identity_of(const u8 *datagram)
{
	struct vr_wire_group group = { 0 };
	int i;

	for (i = 7; i >= 0; i--) {
		group.group = group.group << 8 | datagram[8 + i];
		group.members = group.members << 8 | datagram[16 + i];
	}
	return group;
}

/* The length of a PREPARE's datagram to the victim, or 0. */
static u32 prepare_bytes(const struct packet *packet, ssize_t bytes, in_addr_t victim,
			 struct vr_wire_scratch *scratch)
{
	struct vr_wire_group group;
	bool members_differ;
	u32 length;

	if (bytes < (ssize_t)offsetof(struct packet, datagram[VR_WIRE_HEAD_BYTES]) ||
	    packet->ip.protocol != IPPROTO_UDP || packet->ip.daddr != victim)
		return 0;
	length = bytes - offsetof(struct packet, datagram);
	group = identity_of(packet->datagram);
	if (vr_wire_decode(scratch, packet->datagram, length, &group, &members_differ) ||
	    scratch->message.type != VR_PREPARE || !scratch->message.op)
		return 0;
	return length;
}

/* RFC 768: of the addresses, the protocol, the length, and all that follows. */
static u16 checksum(const struct packet *packet, u32 udp_bytes)
{
	const u8 *addresses = (const u8 *)&packet->ip.saddr, *udp = (const u8 *)&packet->udp;
	u32 sum = IPPROTO_UDP + udp_bytes, i;

	for (i = 0; i < 8; i++)
		sum += addresses[i] << (i % 2 ? 0 : 8);
	for (i = 0; i < udp_bytes; i++)
		sum += udp[i] << (i % 2 ? 0 : 8);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16)) & 0xffff;
	return htons(sum ? sum : 0xffff);
}

int main(int argc, char **argv)
{
	static struct packet seen, lie;
	static struct vr_wire_scratch scratch;
	struct sockaddr_in victim = { .sin_family = AF_INET };
	struct vr_wire_group group;
	int tap, raw;
	u32 bytes;

	if (argc != 2 || inet_pton(AF_INET, argv[1], &victim.sin_addr) != 1)
		die("usage: forge VICTIM_ADDRESS");
	tap = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL));
	raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (tap < 0 || raw < 0)
		die("socket: %s", strerror(errno));
	printf("listening\n");
	fflush(stdout);
	do {
		bytes = prepare_bytes(&seen, recv(tap, &seen, sizeof(seen), 0),
				      victim.sin_addr.s_addr, &scratch);
	} while (!bytes);

	scratch.message.hash ^= 1;
	group = identity_of(seen.datagram);
	lie.ip = seen.ip;
	lie.udp = seen.udp;
	memcpy(lie.envelope, seen.envelope, sizeof(lie.envelope));
	bytes = vr_wire_encode(lie.datagram, &scratch.message, scratch.message.to,
			       scratch.message.version, &group);
	bytes += sizeof(lie.udp) + sizeof(lie.envelope);
	lie.udp.check = 0;
	lie.udp.len = htons(bytes);
	lie.udp.check = checksum(&lie, bytes);
	bytes += sizeof(lie.ip);
	lie.ip.tot_len = htons(bytes);
	if (sendto(raw, &lie, bytes, 0, (void *)&victim, sizeof(victim)) != (ssize_t)bytes)
		die("send: %s", strerror(errno));
	printf("forged a PREPARE after op %llu\n", (unsigned long long)scratch.message.op);
	return 0;
}
