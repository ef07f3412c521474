#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: wire.py capture DEVICE FILE | replay DEVICE FILE [COUNT] | damage DEVICE FILE

Somebody on the wire of a cluster: writes down the frames that carry its datagrams (until SIGTERM,
or until its parent is gone), or sends them again; or damaged, one bit of each, once with the
checksum that it had and once with none. Runs in the namespace of the bridge. What sends junk is
selftests/hostile/hostile_udp.c.
"""
import os
import random
import signal
import socket
import struct
import sys

PORT = 7400
ETHERNET_BYTES = 14
UDP = 17


def raw(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    sock.bind((device, 0))
    return sock


def is_ipv6(frame):
    return frame[12:14] == b"\x86\xdd"


def udp_at(frame):
    """Where the UDP header begins, in IPv4 or IPv6 without anything between."""
    return ETHERNET_BYTES + (40 if is_ipv6(frame) else 20)


def payload_at(frame):
    return udp_at(frame) + 8


def is_ours(frame):
    if len(frame) <= payload_at(frame):
        return False
    if not is_ipv6(frame) and frame[12:14] != b"\x08\x00":
        return False
    return (frame[20 if is_ipv6(frame) else 23] == UDP and
            struct.unpack_from("!H", frame, udp_at(frame) + 2)[0] == PORT)


def capture(device, path):
    sock = raw(device)
    running = True

    def stop(_signal, _frame):
        nonlocal running
        running = False
    signal.signal(signal.SIGTERM, stop)
    sock.settimeout(0.1)
    parent = os.getppid()
    with open(path, "wb") as file:
        while running and os.getppid() == parent:
            try:
                frame = sock.recv(65536)
            except TimeoutError:
                file.flush()
                continue
            if is_ours(frame):
                file.write(struct.pack("!H", len(frame)) + frame)


def frames_of(path):
    frames = []
    with open(path, "rb") as file:
        while head := file.read(2):
            frames.append(file.read(struct.unpack("!H", head)[0]))
    return frames


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def with_payload(frame, payload):
    """The same sender and receiver, other bytes, right lengths and checksums."""
    udp_bytes = 8 + len(payload)
    ip = bytearray(frame[ETHERNET_BYTES:udp_at(frame)])
    if is_ipv6(frame):
        ip[4:6] = struct.pack("!H", udp_bytes)
        addresses = bytes(ip[8:40])
    else:
        ip[2:4] = struct.pack("!H", len(ip) + udp_bytes)
        ip[10:12] = b"\0\0"
        ip[10:12] = struct.pack("!H", checksum(bytes(ip)))
        addresses = bytes(ip[12:20])
    udp = frame[udp_at(frame):udp_at(frame) + 4] + struct.pack("!HH", udp_bytes, 0)
    # The sum is the same for both families: zeroes count nothing.
    pseudo = addresses + struct.pack("!HH", UDP, udp_bytes)
    total = checksum(pseudo + udp + payload) or 0xffff
    return frame[:ETHERNET_BYTES] + bytes(ip) + udp[:6] + struct.pack("!H", total) + payload


def damaged(frame, chance):
    """The frame with another bit in its payload, as its checksum tells, and without one."""
    whole = with_payload(frame, frame[payload_at(frame):])
    at = payload_at(whole)
    bit = chance.randrange(at * 8, len(whole) * 8)
    other = bytearray(whole)
    other[bit // 8] ^= 1 << bit % 8
    yield bytes(other)
    other[at - 2:at] = b"\0\0"
    yield bytes(other)


def send(sock, frame):
    try:
        sock.send(frame)
    except OSError:     # the queue is full: it is lost, like any other
        pass


def main():
    command, device = sys.argv[1:3]
    if command == "capture":
        capture(device, sys.argv[3])
    else:
        sock = raw(device)
        frames = frames_of(sys.argv[3])
        if command == "damage":
            chance = random.Random(4711)
            for frame in frames:
                for each in damaged(frame, chance):
                    send(sock, each)
            print(len(frames))
            return
        for frame in frames[:int(sys.argv[4]) if len(sys.argv) > 4 else None]:
            send(sock, with_payload(frame, frame[payload_at(frame):]))
        print(len(frames))


main()
