#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: restart.py [KVER [RESTARTS]] - three machines that lose their memory, one at a time under
load, over and over; then two at once. TEST=name runs only that.

Each restart is the module unloaded and loaded again, or the machine's power cut. Clients draw
tokens at all members all the while: no token may come twice, none may be smaller than one its
client saw before, and each member must be well again soon. selftests/netns does the same in one
machine, where there is one clock, and so histories can be checked whole. Prints TAP.
"""
import os
import signal
import sys
import time

import network

NODES = (1, 2, 3)
PATIENCE = 180          # seconds, for anything
RECOVERY = 30           # seconds until a member is well again, three machines on two cores; or as
                        # many as they took to boot, where the cores are busy with more
GENERATION = 1 << 48

CONFIGURE = ["insmod $VRSEQ_KO",
             "vrseq group add t self {node} listen 10.0.0.{node}:7400 insecure"]
MEMBER = "vrseq member add {other} 10.0.0.{other}:7400 group t"
# A draw may be refused for a moment; what ends it is SIGKILL from STOP.
# Paced: more would only be a test of how many machines two processors can emulate.
DRAW = ("echo $$ >/run/loop; while :; do stdbuf -oL vrseq counter next repeat 50 & "
        "echo $! >/run/draw; wait $!; sleep 0.5; done")
STOP = "kill -9 $(cat /run/loop) 2>/dev/null; kill -9 $(cat /run/draw) 2>/dev/null; "
UNLOAD = "for i in 1 2 3 4 5 6 7 8 9; do rmmod vrseq && break; sleep 0.1; done"
WELL = "until vrseq health >/dev/null 2>&1; do sleep 0.02; done"


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def note(text):
    print("# " + text, flush=True)


class Cluster:
    def __init__(self, net, restart_count):
        self.net = net
        self.restart_count = restart_count
        self.recovery = RECOVERY
        self.tokens = []        # every token ever seen
        self.drawing = {}       # node -> its channel, while it draws

    def expect(self, node, command, status="0", timeout=PATIENCE):
        got, lines = self.net.run(node, command, timeout)
        check(got == status, f"node {node}: {command}: exit status {got}, not {status}: "
                             f"{' / '.join(lines[-3:])}")
        return lines

    def configure(self, node):
        """A blank member: what a machine's boot does."""
        commands = CONFIGURE + [MEMBER.replace("{other}", str(other))
                                for other in NODES if other != node]
        self.expect(node, " && ".join(commands).replace("{node}", str(node)))

    def boot(self):
        begin = time.monotonic()
        for node in NODES:
            check(self.net.ready(node, PATIENCE), f"node {node} does not come up")
        self.recovery = max(self.recovery, time.monotonic() - begin)
        for node in NODES:
            self.configure(node)
        self.form("")

    def form(self, words):
        self.expect(1, "vrseq group form t" + words)
        for node in NODES:
            self.well(node)

    def well(self, node):
        """Wait until the member takes part again. Seconds it took."""
        begin = time.monotonic()
        self.expect(node, WELL, timeout=self.recovery)
        return time.monotonic() - begin

    def draw(self, node):
        channel = self.net.channels[node][1]
        channel.start(DRAW)
        self.drawing[node] = channel

    def take(self, node):
        """What a node has drawn: in the order it came it must ascend."""
        channel = self.drawing.pop(node)
        tokens = [int(text) for _, text in channel.stamped() if text.isdigit()]
        check(all(a < b for a, b in zip(tokens, tokens[1:])),
              f"node {node} saw its tokens go backwards")
        self.tokens += tokens
        return len(tokens)

    def stop(self, node):
        """End a node's clients, in the middle of whatever they do."""
        self.expect(node, STOP + "true")
        self.drawing[node].wait(PATIENCE)
        return self.take(node)

    def reload(self, node):
        """The member's memory is lost with the module, its clients with SIGKILL."""
        self.stop(node)
        self.expect(node, UNLOAD)
        self.configure(node)
        seconds = self.well(node)
        self.draw(node)
        return seconds

    def cut_power(self, node):
        self.net.power_cut(node)
        if node in self.drawing:
            self.take(node)

    def power_on(self, node):
        self.net.boot(node)
        check(self.net.ready(node, PATIENCE), f"node {node} does not come up again")
        self.configure(node)

    def all_different(self):
        check(len(set(self.tokens)) == len(self.tokens), "a token was handed out twice")
        check(len(self.tokens) > 0, "no token at all")

    def no_complaint(self):
        for node in NODES:
            splats = self.net.guests[node].splats()
            check(not splats, f"the kernel of node {node} complained: " + " / ".join(splats[:9]))


def restarts(cluster):
    """restart one member after the other under load, memory lost each time"""
    count = cluster.restart_count
    for node in NODES:
        cluster.draw(node)
    seconds = []
    for number in range(count):
        seconds.append(cluster.reload(NODES[number % 3]))
        if number % 10 == 9:
            note(f"{number + 1} restarts")
    drawn = [cluster.stop(node) for node in NODES]
    check(min(drawn) > 0, f"a member drew nothing after its last restart: {drawn}")
    cluster.all_different()
    note(f"{count} restarts, well again after {max(seconds):.2f} s at most; "
         f"{len(cluster.tokens)} tokens, none twice")


def power_cuts(cluster):
    """cut the power of each member in turn under load, and boot it again"""
    for node in NODES:
        cluster.draw(node)
    for node in NODES:
        cluster.cut_power(node)
        cluster.power_on(node)
        note(f"node {node} well again after {cluster.well(node):.2f} s")
        cluster.draw(node)
    for node in NODES:
        cluster.stop(node)
    cluster.all_different()


def two_at_once(cluster):
    """cut the power of two at once: refused for good, until the group is formed anew"""
    for node in NODES:
        cluster.draw(node)
    time.sleep(2)
    for node in NODES:
        cluster.stop(node)
    largest = max(cluster.tokens)
    for node in (2, 3):
        cluster.cut_power(node)
    cluster.expect(1, "vrseq counter next timeout 30s", "3")        # EHOSTUNREACH
    for node in (2, 3):
        cluster.power_on(node)
    # Nobody knows what the two had promised: no answer, by anyone, whatever is asked how often.
    for _ in range(3):
        for node, status in ((1, "3"), (2, "7"), (3, "7")):         # 7: ENOTRECOVERABLE
            cluster.expect(node, "vrseq counter next timeout 5s", status)
            cluster.expect(node, "vrseq counter get timeout 5s", status)
    note("refused: " + " / ".join(cluster.expect(2, "vrseq health", "7")))
    for node in NODES:
        cluster.expect(node, "vrseq group del t")
    for node in NODES:
        cluster.expect(node, UNLOAD)
        cluster.configure(node)
    cluster.form(" generation 1")
    for node in NODES:
        token = int(cluster.expect(node, "vrseq counter next")[-1])
        check(token > largest and token > GENERATION, f"{token} is not above {largest}")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kver = sys.argv[1] if len(sys.argv) > 1 else "6.12"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    wanted = os.environ.get("TEST", "")
    tests = [test for test in (restarts, power_cuts, two_at_once) if wanted in test.__name__]
    status = 0
    print(f"1..{len(tests)}", flush=True)
    out = os.path.join(network.rig.TOP, "build/guest/restart")
    with network.Network(kver, len(NODES), out=out) as net:
        cluster = Cluster(net, count)
        for number, test in enumerate(tests, 1):
            begin = time.monotonic()
            try:
                if number == 1:
                    cluster.boot()
                    note(f"three machines up after {time.monotonic() - begin:.0f} s")
                test(cluster)
                cluster.no_complaint()
                print(f"ok {number} - {test.__doc__}", flush=True)
            except Exception as error:
                note(f"{type(error).__name__}: {error}")
                note(f"kernel logs: {os.path.relpath(out)}/N/console.log")
                print(f"not ok {number} - {test.__doc__}", flush=True)
                status = 1
            note(f"{time.monotonic() - begin:.0f} s")
            if status:
                break       # what follows needs what failed; the plan tells that it is missing
    return status


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
