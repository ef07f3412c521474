#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: switch.py DIR COUNT SEED - an Ethernet switch between QEMU guests, and what goes wrong
in it.

Guest i has -netdev dgram with its end at DIR/li and ours at DIR/ri; a datagram is a frame. Learns
addresses as any switch does; a guest that is dead or slow loses frames and delays nobody.

Each directed link has its own faults and its own random numbers, drawn from SEED, so what happens
to the n-th frame of a link depends on nothing else. DIR/control takes lines of JSON,
{"links": [[FROM, TO], ...], FAULT: VALUE, ...}, and answers each with one of counts:

  cut         nothing passes                     drop        probability to lose a frame
  delay_ms    added to each frame                jitter_ms   added at random: frames overtake others
  duplicate   probability of a second one, late  corrupt     probability that one bit of the payload
                                                             changes, UDP's checksum left out, so
                                                             that the receiver's own must notice
  replay      send so many of the latest frames again, now: once, not a state
  heal        forget all faults of these links
  record      PATH: write down each frame that is taken in, from now on; "" = no more
  play        PATH: send all that was written down there again, as fast as it is taken; done when
              an answer says so: left, of all that is played

No links are all links; record writes down what goes over any link, play heeds no fault. In such a
file a frame follows three numbers of 16 bits: from, to, its length.
"""
import collections
import heapq
import json
import os
import random
import select
import socket
import struct
import sys
import time

QUEUE_FRAMES = 1000
KEPT_FRAMES = 500       # for replay
LATE_MS = 50            # a duplicate comes up to so much later
PAYLOAD = 14 + 20 + 8   # Ethernet, IPv4 without options, UDP
PLAYED_AHEAD = 16       # frames of those played that wait for a guest
HEAD = struct.Struct("<HHH")


def recorded(path):
    """What is written down there: from, to, frame."""
    with open(path, "rb") as file:
        while head := file.read(HEAD.size):
            source, target, count = HEAD.unpack(head)
            yield source, target, file.read(count)


class Port:
    """Two sockets: one that is connected, so that poll() tells when the guest takes more, would
    hear nobody else, and so not the next guest of that number."""

    def __init__(self, directory, number):
        self.number = number
        self.peer = os.path.join(directory, f"l{number}")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(directory, f"r{number}"))
        self.sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for each in (self.socket, self.sender):
            each.setblocking(False)
        self.queue = collections.deque(maxlen=QUEUE_FRAMES)
        self.connected = False

    def fileno(self):
        return self.socket.fileno()

    def flush(self):
        """Send what the guest takes."""
        while self.queue:
            was_connected = self.connected
            try:
                if not self.connected:
                    self.sender.connect(self.peer)
                    self.connected = True
                self.sender.send(self.queue[0])
                self.queue.popleft()
            except BlockingIOError:
                return
            except OSError:     # no such guest, not yet or no more
                self.connected = False
                # There may be another one.
                if not was_connected:
                    self.queue.clear()


class Link:
    """What happens to frames from one guest to another."""

    def __init__(self, seed, source, target):
        self.random = random.Random(f"{seed} {source} {target}")
        self.kept = collections.deque(maxlen=KEPT_FRAMES)
        self.counts = collections.Counter()
        self.faults = {}

    def chance(self, fault):
        return self.random.random() < self.faults.get(fault, 0)

    def corrupted(self, frame):
        if len(frame) <= PAYLOAD or frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or \
                frame[23] != 17:
            return frame
        bit = self.random.randrange(PAYLOAD * 8, len(frame) * 8)
        frame = bytearray(frame)
        frame[bit // 8] ^= 1 << bit % 8
        frame[PAYLOAD - 2:PAYLOAD] = b"\0\0"
        return bytes(frame)

    def pass_on(self, frame):
        """Pairs of seconds from now and a frame."""
        self.counts["frames"] += 1
        if not self.faults:
            self.kept.append(frame)
            return [(0, frame)]
        if self.faults.get("cut") or self.chance("drop"):
            self.counts["lost"] += 1
            return []
        self.kept.append(frame)
        out = [(self.delay(), frame)]
        if self.chance("duplicate"):
            self.counts["duplicates"] += 1
            out.append((self.delay() + self.random.random() * LATE_MS / 1000, frame))
        if self.chance("corrupt"):
            self.counts["corrupted"] += 1
            out[0] = (out[0][0], self.corrupted(frame))
        return out

    def delay(self):
        return (self.faults.get("delay_ms", 0) +
                self.faults.get("jitter_ms", 0) * self.random.random()) / 1000


class Switch:
    def __init__(self, directory, count, seed):
        self.ports = [Port(directory, number) for number in range(1, count + 1)]
        self.links = {(a, b): Link(seed, a, b) for a in range(1, count + 1)
                      for b in range(1, count + 1) if a != b}
        self.learned = {}
        self.record = None      # file
        self.playing = collections.deque()
        self.late = []          # heap of (when, serial, port, frame)
        self.serial = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(os.path.join(directory, "control"))
        self.listener.listen(1)
        self.control = None
        self.rest = b""

    def send(self, port, frame, seconds):
        if seconds <= 0:
            port.queue.append(frame)
            return
        self.serial += 1
        heapq.heappush(self.late, (time.monotonic() + seconds, self.serial, port, frame))

    def forward(self, source, frame):
        self.learned[frame[6:12]] = source
        target = self.learned.get(frame[0:6])
        for port in [target] if target else self.ports:
            if port is source:
                continue
            if self.record:
                self.record.write(HEAD.pack(source.number, port.number, len(frame)) + frame)
            for seconds, out in self.links[source.number, port.number].pass_on(frame):
                self.send(port, out, seconds)

    def command(self, line):
        faults = json.loads(line)
        pairs = faults.pop("links", None) or self.links
        replay = faults.pop("replay", 0)
        heal = faults.pop("heal", False)
        if "record" in faults:
            self.record_to(faults.pop("record"))
        if "play" in faults:
            self.playing.extend(recorded(faults.pop("play")))
        counts = collections.Counter({"left": len(self.playing)})
        for pair in map(tuple, pairs):
            link = self.links[pair]
            if heal:
                link.faults = {}
            for frame in list(link.kept)[-replay:] if replay else []:
                link.counts["replayed"] += 1
                self.send(self.ports[pair[1] - 1], frame, 0)
            link.faults.update(faults)
            counts.update(link.counts)
        return json.dumps(counts).encode() + b"\n"

    def record_to(self, path):
        if self.record:
            self.record.close()
        self.record = open(path, "wb") if path else None

    def play(self):
        """As much as waits for no guest for long."""
        while self.playing:
            _, target, frame = self.playing[0]
            queue = self.ports[target - 1].queue
            if len(queue) >= PLAYED_AHEAD:
                return
            queue.append(frame)
            self.playing.popleft()

    def serve(self):
        try:
            data = self.control.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.control.close()
            self.control = None
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.control.sendall(self.command(line))

    def turn(self):
        now = time.monotonic()
        while self.late and self.late[0][0] <= now:
            _, _, port, frame = heapq.heappop(self.late)
            port.queue.append(frame)
        self.play()
        for port in self.ports:
            if port.queue:
                port.flush()
        sources = self.ports + [self.control or self.listener]
        wait = max(0, self.late[0][0] - time.monotonic()) if self.late else None
        if self.playing and not any(len(port.queue) >= PLAYED_AHEAD for port in self.ports):
            wait = 0
        readable, _, _ = select.select(sources, [port.sender for port in self.ports if port.queue],
                                       [],
                                       wait)
        for source in readable:
            if source is self.listener:
                self.control, _ = self.listener.accept()
            elif source is self.control:
                self.serve()
            else:
                self.receive(source)

    def receive(self, port):
        for _ in range(64):
            try:
                frame = port.socket.recv(65536)
            except OSError:
                return
            self.forward(port, frame)


def main():
    switch = Switch(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    print("ready", flush=True)
    while True:
        switch.turn()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
