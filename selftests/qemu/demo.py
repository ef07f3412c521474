#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The whole story in minutes: three machines with a stock Debian kernel form a group, hand out
fencing tokens, agree on a log, lose their primary to a power cut and go on.

Every step is checked; the exit status is not 0 if anything was not as promised. Nothing here
depends on how fast the machine is: limits are generous and only end what would never end.
"""
import json
import os
import signal
import statistics
import sys
import time

import network

NODES = (1, 2, 3)
TOKENS = 1000           # from each node
MESSAGES = 5            # from each node
AFTER_CRASH = 200       # tokens to see from each survivor
PATIENCE = 180          # seconds, for anything
STOP = "/run/demo-stop"

# A shell loop, because a draw may fail while there is no primary: the demo wants the outcome after.
DRAW_UNTIL_STOPPED = (f"rm -f {STOP}; while [ ! -e {STOP} ]; do "
                      "stdbuf -oL vrseq counter next repeat 100 || sleep 0.1; done")


class Failure(Exception):
    pass


def say(text):
    print(text, flush=True)


def detail(text):
    print("    " + text, flush=True)


def check(condition, text):
    if not condition:
        raise Failure(text)


def expect(result, what):
    status, lines = result
    check(status == "0", f"{what}: exit status {status}: {' / '.join(lines[-3:])}")
    return lines


def tokens_of(lines):
    """Numbers among a node's lines; what is not a number is the tool's complaint."""
    return [int(line) for line in lines if line.isdigit()]


class Progress:
    """One line that is rewritten on a terminal, and printed now and then elsewhere."""

    def __init__(self, text):
        self.text = text
        self.terminal = sys.stdout.isatty()
        self.next = time.monotonic() + (0 if self.terminal else 5)

    def show(self, state):
        now = time.monotonic()
        if now >= self.next:
            self.next = now + (0.2 if self.terminal else 5)
            end = "\x1b[K\r" if self.terminal else "\n"
            print(f"    {self.text}: {state}", end=end, flush=True)

    def done(self, state):
        print(f"    {self.text}: {state}" + ("\x1b[K" if self.terminal else ""), flush=True)


class Demo:
    def __init__(self, net):
        self.net = net
        self.tokens = []        # every token ever seen

    def json(self, node, command):
        lines = expect(self.net.run(node, "vrseq -j " + command, PATIENCE), f"node {node}")
        value = json.loads("\n".join(lines))
        value = value[0] if isinstance(value, list) else value
        return {key.lower().replace("_", "-"): item for key, item in value.items()}

    def boot(self):
        release = self.net.kernel.release
        say(f"1. Boot three virtual machines: stock Debian kernel {release}, one CPU each, on one")
        detail("virtual network (10.0.0.1, .2, .3). QEMU emulates them: all times below are of a "
               "slow machine.")
        progress = Progress("booting")
        begin = time.monotonic()
        for node in NODES:
            progress.show(f"waiting for node {node}, {time.monotonic() - begin:.0f} s")
            check(self.net.ready(node, PATIENCE), f"node {node} does not come up")
        progress.done(f"all three are up after {time.monotonic() - begin:.0f} s")

    def form(self):
        say("2. Load the module, configure the group on each node, form it once")
        for node in NODES:
            commands = ["insmod $VRSEQ_KO",
                        f"vrseq group add demo self {node} listen 10.0.0.{node}:7400 insecure"]
            commands += [f"vrseq member add {other} 10.0.0.{other}:7400 group demo"
                         for other in NODES if other != node]
            for command in commands:
                if node == 1:
                    detail("node 1# " + command.replace("$VRSEQ_KO", "vrseq.ko"))
                expect(self.net.run(node, command, PATIENCE), f"node {node}: {command}")
        detail("node 2# and node 3# likewise")
        detail("node 1# vrseq group form demo")
        expect(self.net.run(1, "vrseq group form demo", PATIENCE), "form")
        for node in NODES:
            self.wait_healthy(node)
        group = self.json(1, "group show demo")
        self.primary = int(group["primary-id"])
        check(self.primary in NODES, f"no primary: {group}")
        detail(f"node {self.primary} is the primary of view {group['view']}")

    def wait_healthy(self, node):
        deadline = time.monotonic() + PATIENCE
        while True:
            status, lines = self.net.run(node, "vrseq health", PATIENCE)
            if status == "0":
                return
            check(time.monotonic() < deadline, f"node {node} is not healthy: {lines}")
            time.sleep(0.2)

    def draw(self):
        say(f"3. Draw {TOKENS:,} tokens from each of the three nodes at once")
        detail(f"node N# vrseq counter next repeat {TOKENS}")
        channels = {node: self.net.channels[node][1] for node in NODES}
        begin = time.monotonic()
        for channel in channels.values():
            channel.start(f"stdbuf -oL vrseq counter next repeat {TOKENS}")
        progress = Progress("drawn")
        deadline = begin + 4 * PATIENCE
        while any(channel.status is None and not channel.closed for channel in channels.values()):
            check(time.monotonic() < deadline, "the tokens do not come")
            progress.show(", ".join(f"node {node}: {len(channel.stamped())}"
                                    for node, channel in channels.items()))
            time.sleep(0.1)
        seconds = time.monotonic() - begin
        drawn = []
        for node, channel in channels.items():
            lines = expect(channel.wait(0), f"tokens from node {node}")
            tokens = tokens_of(lines)
            check(len(tokens) == TOKENS, f"node {node} drew {len(tokens)} tokens, not {TOKENS}")
            check(tokens == sorted(tokens), f"node {node} saw its tokens go backwards")
            drawn += tokens
        self.take(drawn)
        progress.done(f"{len(drawn)} in {seconds:.1f} s, {min(drawn)} to {max(drawn)}, none twice")

    def take(self, tokens):
        """Adds tokens drawn after all those before: none may be old, none twice."""
        check(tokens, "no token at all")
        check(len(set(tokens)) == len(tokens), "a token was handed out twice")
        if self.tokens:
            check(min(tokens) > max(self.tokens), "a token is not larger than all before it")
        self.tokens += tokens

    def append(self, nodes, text):
        for node in nodes:
            commands = "; ".join(f"vrseq log append '{text} {number} from node {node}' || exit"
                                 for number in range(1, MESSAGES + 1))
            self.net.channels[node][1].start(commands)
        for node in nodes:
            expect(self.net.channels[node][1].wait(PATIENCE), f"append at node {node}")

    def read(self, nodes, count):
        """The log as each of the nodes reads it: all must be the same."""
        logs = {}
        for node in nodes:
            deadline = time.monotonic() + PATIENCE
            while True:
                logs[node] = expect(self.net.run(node, "vrseq log tail", PATIENCE),
                                    f"log of node {node}")
                if len(logs[node]) >= count:
                    break
                # A backup learns of the last commits with the next heartbeat.
                check(time.monotonic() < deadline,
                      f"node {node} has {len(logs[node])} of {count} messages")
                time.sleep(0.1)
        first, *others = nodes
        check(len(logs[first]) == count, f"{len(logs[first])} messages in the log, not {count}")
        for node in others:
            check(logs[node] == logs[first], f"the logs of nodes {first} and {node} differ")
        return logs[first]

    def agree(self):
        say(f"4. Append {MESSAGES} messages at each node at once, read them on all three")
        self.append(NODES, "hello")
        self.log = self.read(NODES, MESSAGES * len(NODES))
        for node in NODES:
            for number in range(1, MESSAGES + 1):
                text = f"hello {number} from node {node}"
                count = sum(text in line for line in self.log)
                check(count == 1, f"'{text}' is {count} times in the log")
        for line in self.log[:4]:
            detail("| " + line)
        detail(f"| ... {len(self.log)} messages, the same on all three nodes, in the same order")

    def crash(self):
        survivors = [node for node in NODES if node != self.primary]
        say(f"5. Draw tokens at nodes {survivors[0]} and {survivors[1]}, and SIGKILL the machine "
            f"of the primary, node {self.primary}")
        channels = [self.net.channels[node][1] for node in survivors]
        for channel in channels:
            channel.start(DRAW_UNTIL_STOPPED)
        self.wait_tokens(channels, 50, None, "before the crash")
        killed = time.monotonic()
        self.net.power_cut(self.primary)
        detail(f"node {self.primary} is dead")
        self.wait_tokens(channels, AFTER_CRASH, killed, "since the crash")
        for node in survivors:
            expect(self.net.run(node, "touch " + STOP, PATIENCE), "stop")
        for node, channel in zip(survivors, channels):
            expect(channel.wait(PATIENCE), f"tokens from node {node}")

        stamped = [[(when, int(text)) for when, text in channel.stamped() if text.isdigit()]
                   for channel in channels]
        for mine in stamped:
            check([token for _, token in mine] == sorted(token for _, token in mine),
                  "a survivor saw its tokens go backwards")
        every = sorted(item for mine in stamped for item in mine)
        self.take([token for _, token in every])
        self.report_gap([when for when, _ in every], killed)

        group = self.json(survivors[0], "group show demo")
        check(int(group["primary-id"]) in survivors, f"no primary among the survivors: {group}")
        detail(f"node {group['primary-id']} is the primary of view {group['view']} now; "
               f"{len(every)} tokens in this step, none twice")
        return survivors

    def wait_tokens(self, channels, count, since, what):
        progress = Progress("tokens " + what)
        deadline = time.monotonic() + PATIENCE
        while True:
            counts = [sum(text.isdigit() and (since is None or when > since)
                          for when, text in channel.stamped()) for channel in channels]
            state = " and ".join(str(number) for number in counts)
            if min(counts) >= count:
                progress.done(state)
                return
            check(time.monotonic() < deadline, f"tokens {what}: only {state}")
            progress.show(state)
            time.sleep(0.05)

    def report_gap(self, times, killed):
        """The longest silence that ended after the kill: tokens already on their way when the
        primary died may still arrive, so the kill itself need not be its beginning."""
        pairs = list(zip(times, times[1:]))
        gaps = [after - before for before, after in pairs if after > killed]
        usual = statistics.median(after - before for before, after in pairs)
        check(gaps, "no token came after the crash")
        self.gap = max(gaps)
        detail(f"gap: {self.gap * 1000:.0f} ms between the last token before and the first after "
               f"(usually {usual * 1000:.1f} ms)")
        detail("(host's clock, as tokens arrive over an emulated serial line; includes noticing")
        detail("the silence, which is the view timeout, the view change, the first commit after)")

    def aftermath(self, survivors):
        say("6. Append at the survivors, compare the logs again, from the first message on")
        self.append(survivors, "still here")
        log = self.read(survivors, len(self.log) + MESSAGES * len(survivors))
        check(log[:len(self.log)] == self.log, "the log before the crash is not the same any more")
        for line in log[-2:]:
            detail("| " + line)
        detail(f"| {len(log)} messages, the same on both; the first {len(self.log)} as all three "
               "had them before the crash")
        self.log = log
        for node in survivors:
            check(not self.net.guests[node].splats(), f"the kernel of node {node} complained: " +
                  "\n".join(self.net.guests[node].splats()))
        check(len(set(self.tokens)) == len(self.tokens), "a token was handed out twice")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kver = sys.argv[1] if len(sys.argv) > 1 else "6.12"
    begin = time.monotonic()
    with network.Network(kver, len(NODES)) as net:
        demo = Demo(net)
        try:
            demo.boot()
            demo.form()
            demo.draw()
            demo.agree()
            survivors = demo.crash()
            demo.aftermath(survivors)
        except Exception as error:
            say(f"FAILED: {type(error).__name__}: {error}")
            for node in NODES:
                for line in net.guests[node].splats()[:40]:
                    detail(f"node {node} kernel: {line}")
            detail(f"kernel logs: {os.path.relpath(net.out)}/N/console.log")
            return 1
    say(f"Done in {time.monotonic() - begin:.0f} s: {len(demo.tokens):,} tokens, none twice; "
        f"{len(demo.log)} messages, all logs agree; the crash cost {demo.gap * 1000:.0f} ms.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
