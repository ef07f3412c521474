#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: crowd.py VOTERS CLIENTS KEY - a node for each client, in a network namespace of its own

Runs in a guest that has the voters vr1 .., with the key in the file KEY, and the bridge of
cluster.sh. Makes the namespaces vr11 .., links them, makes a client of the group t in each, and
lets all of them work at once: two numbers and one message each. All numbers must be different and
without a hole, and every message must be read once, in the same order, at a client and at a voter.
Prints what each step took.
"""
import base64
import ctypes
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

FIRST = 11
PORT = 7400
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)

# linux/netlink.h, linux/genetlink.h, linux/sockios.h
NLM_F_REQUEST, NLM_F_ACK = 1, 4
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, IFF_UP = 0x8914, 0x8916, 0x891c, 1

# linux/vrseq_netlink.h
GROUP_ADD, MEMBER_ADD = 1, 5
A_NAME, A_SELF_ID, A_ADDRESS, A_PORT = 2, 3, 4, 5
NLA_F_NESTED = 0x8000


def header(name):
    """The value of an enumerator of linux/vrseq_netlink.h, which is in the tree."""
    value = -1
    with open("uapi/linux/vrseq_netlink.h") as text:
        inside = False
        for line in text:
            if line.startswith("enum vrseq_attr") or line.startswith("enum vrseq_cmd"):
                inside, value = True, -1
            elif line.startswith("}"):
                inside = False
            elif inside and line.strip():
                value += 1
                if line.split(",")[0].split()[0] == name:
                    return value
    raise KeyError(name)


def enter(name):
    """This thread goes to a network namespace; what it opens from now on is there."""
    with open(f"/run/netns/{name}") as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {name}")


def attribute(kind, payload):
    data = struct.pack("=HH", 4 + len(payload), kind) + payload
    return data + bytes(-len(data) % 4)


def text(value):
    return value.encode() + b"\0"


class Netlink:
    """A generic netlink socket of the present namespace, one request at a time."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.socket.bind((0, 0))
        reply = self.send(GENL_ID_CTRL, CTRL_CMD_GETFAMILY,
                          attribute(CTRL_ATTR_FAMILY_NAME, text("vrseq")), 0)
        self.family = None
        at = 20
        while at < len(reply):
            size, kind = struct.unpack_from("=HH", reply, at)
            if kind == CTRL_ATTR_FAMILY_ID:
                self.family = struct.unpack_from("=H", reply, at + 4)[0]
            at += (size + 3) & ~3

    def send(self, family, command, payload, flags=NLM_F_ACK):
        head = struct.pack("=IHHII", 20 + len(payload), family, NLM_F_REQUEST | flags, 1, 0)
        self.socket.send(head + struct.pack("=BBH", command, 1, 0) + payload)
        reply = self.socket.recv(65536)
        if struct.unpack_from("=H", reply, 4)[0] == 2:
            error = struct.unpack_from("=i", reply, 16)[0]
            if error:
                raise OSError(-error, f"command {command}: {reply[36:]!r}")
        return reply

    def command(self, command, payload):
        self.send(self.family, command, payload)

    def close(self):
        self.socket.close()


def address(number):
    return socket.inet_aton(f"10.77.{number >> 8}.{number & 255}")


def member(number, client):
    return attribute(A_NAME, text("t")) + attribute(
        header("VRSEQ_A_MEMBER") | NLA_F_NESTED,
        attribute(2, struct.pack("=H", number)) + attribute(3, address(number)) +
        attribute(4, struct.pack("=H", PORT)) + attribute(5, struct.pack("=B", client)))


def interface_up(name, number=None):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        def ask(what, payload):
            fcntl.ioctl(any_socket, what, struct.pack("=16s24s", name.encode(), payload))

        def inet(packed):
            return struct.pack("=HH4s8x", socket.AF_INET, 0, packed)

        if number:
            ask(SIOCSIFADDR, inet(address(number)))
            ask(SIOCSIFNETMASK, inet(socket.inet_aton("255.255.255.0")))
        ask(SIOCSIFFLAGS, struct.pack("=H", IFF_UP))


def batch(lines, *options):
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                   check=True)


def client_up(number, voters, key):
    enter(f"vr{number}")
    interface_up("lo")
    interface_up("eth0", number)
    netlink = Netlink()
    netlink.command(GROUP_ADD, b"".join([
        attribute(A_NAME, text("t")), attribute(A_SELF_ID, struct.pack("=H", number)),
        attribute(A_ADDRESS, address(number)), attribute(A_PORT, struct.pack("=H", PORT)),
        attribute(header("VRSEQ_A_KEY"), key),
        attribute(header("VRSEQ_A_HEARTBEAT_NS"), struct.pack("=Q", 20_000_000)),
        attribute(header("VRSEQ_A_VIEW_TIMEOUT_NS"), struct.pack("=Q", 1_000_000_000)),
        attribute(header("VRSEQ_A_MESSAGES"), struct.pack("=I", 512)),
        attribute(header("VRSEQ_A_MESSAGE_BYTES"), struct.pack("=I", 1 << 15)),
        attribute(header("VRSEQ_A_ROLE"), b"\1"),
        attribute(header("VRSEQ_A_FILES_MAX"), struct.pack("=I", 2))]))
    for voter in range(1, voters + 1):
        netlink.command(MEMBER_ADD, member(voter, 0))
    netlink.close()


def tell(number):
    """How a client and the voters see it."""
    for who in (number, 1, 2, 3):
        for words in (["group", "show", "t"], ["stats", "group", "t"]):
            subprocess.run(["build/vrseq", "-n", f"vr{who}", *words], check=False)
    for words in (["neigh"], ["-s", "link", "show", "eth0"]):
        subprocess.run(["ip", "-n", f"vr{number}", *words], check=False)
    subprocess.run(["ip", "-n", "vr1", "neigh", "show", f"10.77.0.{number}"], check=False)
    subprocess.run(["cat", "/proc/net/stat/arp_cache", "/proc/net/softnet_stat"], check=False)


class File:
    """/dev/vrseq as it is opened in the present namespace."""

    NEXT = struct.Struct("=IHHQQQQ24x64sQQQ")

    def __init__(self, number):
        self.number = number
        self.descriptor = os.open("/dev/vrseq", os.O_RDWR)

    def next(self):
        """A number, as soon as this client has found its group."""
        request = 3 << 30 | self.NEXT.size << 16 | 0xBF << 8 | 0x11
        end = time.monotonic() + 60
        while True:
            data = bytearray(self.NEXT.pack(0, 0, 0, 0, 0, 0, 0, b"", 1, 0, 0))
            try:
                fcntl.ioctl(self.descriptor, request, data)
                return self.NEXT.unpack(data)[-1]
            except OSError:
                if time.monotonic() > end:
                    tell(self.number)
                    raise
                time.sleep(0.1)

    def messages(self, count):
        """That many messages of the log, from the oldest on."""
        found = []
        while len(found) < count:
            if not select.select([self.descriptor], [], [], 60)[0]:
                raise TimeoutError(f"{len(found)} of {count} messages")
            data = os.read(self.descriptor, 1 << 16)
            while data:
                size, kind, who = struct.unpack_from("=IHH", data)
                length = struct.unpack_from("=I", data, 40)[0]
                if kind == 1:
                    found.append((who, data[48:48 + length]))
                data = data[size:]
        return found


def main():
    voters, clients = int(sys.argv[1]), int(sys.argv[2])
    with open(sys.argv[3], encoding="ascii") as file:
        key = base64.b64decode(file.read())
    numbers = range(FIRST, FIRST + clients)
    began = time.monotonic()
    # All namespaces share one table of neighbours: beyond the first two limits those that were not
    # used for 5 s are looked for again, each time in a frame to all; beyond the third nobody is.
    for limit in ("gc_thresh1", "gc_thresh2", "gc_thresh3"):
        with open(f"/proc/sys/net/ipv4/neigh/default/{limit}", "w", encoding="ascii") as file:
            file.write(str(16 * clients + 1024))

    def took(what):
        print(f"# {what}: {time.monotonic() - began:.1f} s", flush=True)

    batch([f"netns add vr{number}" for number in numbers])
    batch([f"link add v{number} type veth peer name eth0 netns vr{number}\n"
           f"link set v{number} master br0 up" for number in numbers], "-n", "vrsw")
    took(f"{clients} namespaces")
    for voter in range(1, voters + 1):
        enter(f"vr{voter}")
        netlink = Netlink()
        for number in numbers:
            netlink.command(MEMBER_ADD, member(number, 1))
        netlink.close()
    for number in numbers:
        client_up(number, voters, key)
    took("a client in each")

    files = []
    for number in numbers:
        enter(f"vr{number}")
        files.append(File(number))
    tokens = [one.next() for one in files]
    took("a number at each")
    for number, one in zip(numbers, files):
        os.write(one.descriptor, f"from {number}".encode())
    tokens += [one.next() for one in files]
    took("a message and a number at each")
    if sorted(tokens) != list(range(1, 2 * clients + 1)):
        raise ValueError(f"tokens are not 1 to {2 * clients}: {sorted(tokens)}")

    enter("vr1")
    voter = File(1)
    want = voter.messages(clients)
    if sorted(want) != [(number, f"from {number}".encode()) for number in numbers]:
        raise ValueError(f"the voter has other messages: {want}")
    for place in (0, clients // 2, clients - 1):
        if files[place].messages(clients) != want:
            raise ValueError(f"client {numbers[place]} reads another log")
    took("the whole log at three clients")


main()
