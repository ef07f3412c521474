#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: wire.py capture DEVICE FILE | replay DEVICE FILE [COUNT] | junk DEVICE SEED COUNT FRAME...

Somebody on the wire of a cluster: writes down the frames that carry its datagrams (until SIGTERM,
or until its parent is gone), sends them again, or sends what only looks like them: random bytes,
pieces and flipped bits of the frames in FRAME, which are files that capture wrote. Runs in the
namespace of the bridge.
"""
import os
import random
import signal
import socket
import struct
import sys

PORT = 7400
ETHERNET_BYTES = 14
HEAD_BYTES = ETHERNET_BYTES + 20 + 8


def raw(device):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    sock.bind((device, 0))
    return sock


def is_ours(frame):
    return (len(frame) > HEAD_BYTES and frame[12:14] == b"\x08\x00" and frame[23] == 17 and
            struct.unpack("!H", frame[36:38])[0] == PORT)


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
    ip = bytearray(frame[ETHERNET_BYTES:ETHERNET_BYTES + 20])
    ip[2:4] = struct.pack("!H", 28 + len(payload))
    ip[10:12] = b"\0\0"
    ip[10:12] = struct.pack("!H", checksum(bytes(ip)))
    udp = frame[34:38] + struct.pack("!HH", 8 + len(payload), 0)
    pseudo = bytes(ip[12:20]) + struct.pack("!BBH", 0, 17, 8 + len(payload))
    total = checksum(pseudo + udp + payload) or 0xffff
    return frame[:ETHERNET_BYTES] + bytes(ip) + udp[:6] + struct.pack("!H", total) + payload


def send(sock, frame):
    try:
        sock.send(frame)
    except OSError:     # the queue is full: it is lost, like any other
        pass


def junk(device, seed, count, paths):
    rng = random.Random(seed)
    sock = raw(device)
    frames = [frame for path in paths for frame in frames_of(path)]
    for _ in range(count):
        frame = rng.choice(frames)
        payload = bytearray(frame[HEAD_BYTES:])
        kind = rng.randrange(4)
        if kind == 0:
            payload = rng.randbytes(rng.randrange(1472))
        elif kind == 1:
            payload = payload[:rng.randrange(len(payload))]
        elif kind == 2:
            payload += rng.randbytes(rng.randrange(1, 64))
        else:
            for _ in range(rng.randrange(1, 9)):
                payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(8)
        send(sock, with_payload(frame, bytes(payload)))


def main():
    command, device = sys.argv[1:3]
    if command == "capture":
        capture(device, sys.argv[3])
    elif command == "replay":
        sock = raw(device)
        frames = frames_of(sys.argv[3])
        for frame in frames[:int(sys.argv[4]) if len(sys.argv) > 4 else None]:
            send(sock, with_payload(frame, frame[HEAD_BYTES:]))
        print(len(frames))
    else:
        junk(device, int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])


main()
