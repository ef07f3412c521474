#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: switch.py DIR COUNT - an Ethernet switch between QEMU guests, in userspace.

Guest i has -netdev dgram with its end at DIR/li and ours at DIR/ri; a datagram is a frame. Learns
addresses as any switch does; a guest that is dead or slow loses frames and delays nobody.
"""
import collections
import os
import select
import socket
import sys

QUEUE_FRAMES = 1000


class Port:
    def __init__(self, directory, number):
        self.peer = os.path.join(directory, f"l{number}")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(directory, f"r{number}"))
        self.socket.setblocking(False)
        self.queue = collections.deque(maxlen=QUEUE_FRAMES)
        self.connected = False

    def fileno(self):
        return self.socket.fileno()

    def flush(self):
        """Send what the guest takes; connected, so that poll() tells when it takes more."""
        try:
            if not self.connected:
                self.socket.connect(self.peer)
                self.connected = True
            while self.queue:
                self.socket.send(self.queue[0])
                self.queue.popleft()
        except BlockingIOError:
            pass
        except OSError:     # no such guest, not yet or no more
            self.connected = False
            self.queue.clear()


def main():
    directory, count = sys.argv[1], int(sys.argv[2])
    ports = [Port(directory, number) for number in range(1, count + 1)]
    learned = {}
    print("ready", flush=True)
    while True:
        readable, writable, _ = select.select(ports, [port for port in ports if port.queue], [])
        for port in readable:
            for _ in range(64):
                try:
                    frame = port.socket.recv(65536)
                except OSError:
                    break
                learned[frame[6:12]] = port
                target = learned.get(frame[0:6])
                for other in [target] if target else ports:
                    if other is not port:
                        other.queue.append(frame)
        for port in ports:
            if port.queue:
                port.flush()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
