#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Where the instructions of one operation go, function by function.

Runs run.sh in a guest that counts instructions, with trace_plugin.so in its QEMU, and reads the
traces of the rows that measure round trips one at a time: for each, its functions by their own
instructions, and the calls with all they call. The first rounds of a row are looked at.
usage: functions.py [-k 6.1|6.12] [-o DIRECTORY] [-n FUNCTIONS] [-g] [TEST]
TEST is as for run.sh; -g: the rows that gate.py judges.
"""
import argparse
import array
import bisect
import collections
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "selftests/qemu"))
import rig  # noqa: E402

CALL, RETURN, IRET, SYSRET = 1, 2, 3, 5
KERNEL = 1 << 63
USER = "(the caller, in user space)"
ENTRIES = ("entry_SYSCALL", "asm_", "common_interrupt_return")

# What a function is for, by its name: the first that matches.
AREAS = [
    ("vrseq: core", r"\[vrseq\] vr_"),
    ("vrseq: engine, sessions, device, datagrams", r"\[vrseq\]"),
    ("cryptography", r"chacha|poly1305|hchacha|crypto|aead|siphash"),
    ("locks, bottom halves, RCU", r"lock|local_bh|rcu|preempt|mutex"),
    ("memory and skbs", r"kmem|slab|kmalloc|kfree|skb|page|memcg|alloc|memset|memcpy|obj_cgroup"),
    ("UDP", r"udp"),
    ("IP, routes, netfilter", r"^ip_|^ip6|ipv4|fib_|dst_|^rt_|nf_|inet|iptunnel|neigh|arp|__ip"),
    ("bridge and veth", r"^br_|veth|bridge|\[bridge\]|\[veth\]"),
    ("devices and softirq", r"dev_|netif|napi|net_rx|softirq|backlog|loopback|eth_|qdisc|xmit|"
     r"validate_|gro"),
    ("sockets", r"sock|import_|iov|iter|sys_send|sys_recv|msg"),
    ("scheduler, waits", r"sched|wake|task|switch|update_|pick|enqueue|dequeue|cfs|rq|wait|fair"),
    ("time", r"ktime|clock|timer|tsc|timekeep"),
    ("entry and exit", r"entry|syscall|exit_to|ioctl|fget|fdget|fput|__x64|fpregs|copy_"),
    ("user space", r"^\(the caller"),
]


class Symbols:
    """Names of the guest's code by address, out of its kallsyms."""

    def __init__(self, path):
        entries = []
        with open(path) as file:
            for line in file:
                words = line.split()
                if words[1] in "tTwW":
                    module = words[3] + " " if len(words) > 3 else ""
                    entries.append((int(words[0], 16), module + words[2]))
        entries.sort()
        self.starts = [address for address, _ in entries]
        self.names = [name for _, name in entries]
        self.cache = {}

    def find(self, address):
        """Name of the function, and whether this is its first instruction."""
        if address < KERNEL:
            return USER, False
        found = self.cache.get(address)
        if found is None:
            number = bisect.bisect_right(self.starts, address) - 1
            name = re.sub(r"\.(cold|part\.\d+|isra\.\d+|constprop\.\d+)", "", self.names[number])
            found = self.cache[address] = (name, self.starts[number] == address)
        return found


class Profile:
    """What became of the rounds of one trace."""

    def __init__(self, path, symbols):
        self.rounds = 0
        self.own = collections.Counter()
        self.calls = collections.Counter()
        self.all = collections.Counter()
        self.tree = collections.Counter()
        self.entered = collections.Counter()
        self._read(path, symbols)

    def _read(self, path, symbols):
        words = array.array("Q")
        with open(path, "rb") as file:
            words.frombytes(file.read())
        stack = []  # (function, where it returns to)
        end = 0
        for i in range(0, len(words), 2):
            at, rest = words[i], words[i + 1]
            size, insns = rest & 0xffffffff, rest >> 32 & 0xffff
            if not size:
                self.rounds += 1
                stack, end = [(USER, None)], 0
                continue
            name, first = symbols.find(at)
            stack = self._follow(stack, end, at, name, first)
            end = rest >> 48
            if end == CALL:
                stack.append((None, at + size))
            path_now = tuple(frame for frame, _ in stack if frame)
            self.own[name] += insns
            self.tree[path_now] += insns
            for frame in set(path_now):
                self.all[frame] += insns

    def _follow(self, stack, end, at, name, first):
        """The stack when the block at @at of function @name runs, after one that ended so."""
        if name == USER:
            return [(USER, None)]
        if end == CALL:
            returns = stack.pop()[1] if stack[-1][0] is None else None
            stack.append((name, returns))
            self._count(stack, name)
            return stack
        if end in (RETURN, IRET):
            for depth in range(len(stack) - 1, 0, -1):
                if stack[depth][1] == at:
                    stack = stack[:depth]
                    break
            else:
                # An interrupt is over, or another thread goes on.
                for depth in range(len(stack) - 1, -1, -1):
                    if stack[depth][0] == name:
                        stack = stack[:depth + 1]
                        break
        if not stack:
            return [(name, None)]
        if stack[-1][0] != name:
            if name.startswith(ENTRIES) and first:
                stack = stack + [(name, None)]
            else:
                stack = stack[:-1] + [(name, stack[-1][1])]
            self._count(stack, name)
        return stack

    def _count(self, stack, name):
        self.calls[name] += 1
        self.entered[tuple(frame for frame, _ in stack if frame)] += 1

    def per_round(self, number):
        return number / self.rounds

    def total(self):
        return self.per_round(sum(self.own.values()))

    def print_functions(self, count, out):
        total = self.total()
        print(f"{'own':>8} {'%':>5} {'calls':>6} {'with all':>9}  function", file=out)
        for name, own in self.own.most_common(count):
            print(f"{self.per_round(own):8.0f} {self.per_round(own) / total * 100:5.1f} "
                  f"{self.per_round(self.calls[name]):6.1f} {self.per_round(self.all[name]):9.0f}"
                  f"  {name}", file=out)

    def print_areas(self, out):
        areas = collections.Counter()
        for name, own in self.own.items():
            area = next((area for area, pattern in AREAS if re.search(pattern, name)), "the rest")
            areas[area] += own
        for area, own in areas.most_common():
            print(f"{self.per_round(own):8.0f} {self.per_round(own) / self.total() * 100:5.1f}"
                  f"  {area}", file=out)

    def print_tree(self, out, least=0.01):
        """Every path of calls that takes @least of the whole, with all below it."""
        below = collections.Counter()
        for path, insns in self.tree.items():
            for depth in range(1, len(path) + 1):
                below[path[:depth]] += insns
        limit = least * sum(self.own.values())
        children = collections.defaultdict(list)
        for path, insns in below.items():
            if insns >= limit:
                children[path[:-1]].append(path)

        def show(path):
            print(f"{self.per_round(below[path]):8.0f} {self.per_round(self.tree[path]):7.0f} "
                  f"{self.per_round(self.entered[path]):6.1f}  {' ' * (len(path) - 1)}{path[-1]}",
                  file=out)
            for child in sorted(children[path], key=lambda child: -below[child]):
                show(child)

        print(f"{'with all':>8} {'own':>7} {'calls':>6}  path", file=out)
        for path in sorted(children[()], key=lambda path: -below[path]):
            show(path)


class Guest(rig.Guest):
    """One whose QEMU writes traces into its directory."""

    def _command_line(self, *args):
        plugin = os.path.join(TOP, "build/selftests/trace_plugin.so")
        return super()._command_line(*args) + ["-plugin", f"{plugin},out={self.directory}"]


def run(kver, directory, environment, timeout):
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        if name.startswith("trace."):
            os.unlink(os.path.join(directory, name))
    guest = Guest(rig.Kernel(kver), directory, [os.path.join(TOP, "selftests/bench/run.sh")],
                  dict(environment, PROFILE="yes"), deterministic=True, debug=False)
    try:
        status = guest.wait(timeout)
    finally:
        guest.kill()
    if status:
        print("\n".join(guest.splats() or guest.log()[-20:]))
        sys.exit(f"functions.py: the guest ended with {status}")


def profiles(directory):
    """What the directory has the traces of, row by row."""
    symbols = Symbols(os.path.join(directory, "kallsyms"))
    with open(os.path.join(directory, "traced")) as file:
        rows = file.read().split()
    for number, row in enumerate(rows):
        yield row, Profile(os.path.join(directory, f"trace.{number}"), symbols)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", dest="kver", default="6.12", choices=["6.1", "6.12"])
    parser.add_argument("-o", dest="out")
    parser.add_argument("-n", dest="count", type=int, default=40)
    parser.add_argument("-t", dest="timeout", type=float, default=600)
    parser.add_argument("-g", dest="gate", action="store_true", help="what gate.py judges")
    parser.add_argument("-r", dest="read_only", action="store_true",
                        help="read the traces that are there")
    parser.add_argument("test", nargs="?", default="")
    options = parser.parse_args()
    directory = options.out or os.path.join(TOP, "build/bench/profile-" + options.kver)

    if not options.read_only:
        environment = {"TEST": options.test, "GATE": "yes" if options.gate else ""}
        run(options.kver, directory, environment, options.timeout)
    for row, profile in profiles(directory):
        with open(os.path.join(directory, row + ".txt"), "w") as out:
            print(f"{row} on {options.kver}: {profile.total():.0f} instructions, the mean of "
                  f"{profile.rounds}\n", file=out)
            profile.print_areas(out)
            print(file=out)
            profile.print_functions(options.count, out)
            print(file=out)
            profile.print_tree(out)
        print(f"{row}: {profile.total():.0f} instructions, see "
              f"{os.path.relpath(directory, TOP)}/{row}.txt")


if __name__ == "__main__":
    main()
