# SPDX-License-Identifier: GPL-2.0
"""A group of members, one in each guest of a network, at work and under test.

Owns: how a member is configured, asked and restarted, who works there, the histories of it all.
Does not know why something is done to a member.
"""
import json
import os
import struct
import subprocess
import time

import disk
import network

PATIENCE = 900          # seconds, for anything that has no bound of its own
RECOVERY = 30           # until a member is well again: machines emulated on two loaded cores
WELL = "until vrseq health >/dev/null 2>&1; do sleep 0.05; done"
TIMERS = "heartbeat 20ms view-timeout 120ms"
# A view timeout that nobody could mistake for a hand-over, even on a slow machine.
SLOW_TIMERS = "heartbeat 100ms view-timeout 8s"
# More would only be a test of how many machines two processors can emulate, and fill the histories.
SLOW_WORK = "-t 2 -p 80000 -i 300 -x 3 -m 0"
# For many restarts: the reader of each life reads all there is, and a history has an end.
SPARSE_WORK = "-t 2 -p 400000 -i 300 -x 3 -m 0"
UNLOAD = ("for i in 1 2 3 4 5 6 7 8 9; do rmmod vrseq && break; sleep 0.1; done; "
          "! grep -q ^vrseq /proc/modules")
# A journal that is being written holds the module, which under load it always is.
DELETE_AND_UNLOAD = ("for i in 1 2 3 4 5 6 7 8 9; do vrseq group del t && break; sleep 0.1; done; "
                     + UNLOAD)
OP = struct.Struct("=QQQQQQIIIHBB")
NEXT, GET, APPEND = 1, 2, 3
APPLIED = 1
OP_LAST = 3             # where in an operation its last number is


class Failure(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failure(text)


def note(text):
    print("# " + text, flush=True)


def numbers(operations):
    """Those of them that drew numbers, and were told so."""
    return [op for op in operations if op[10] == NEXT and op[11] == APPLIED]


class Members:
    """The members of one group. options: words for `vrseq group add`. key: what is in the key's
    file, None = insecure. disk: features of a file system of its own, at disk.PLACE, or None."""

    def __init__(self, net, ids, options=""):
        self.net = net
        self.ids = list(ids)
        self.options = options
        self.key = None
        self.disk = None
        self.serial = 0         # of clients and readers, over all tests: their names
        self.first_history = 1  # of those that are looked at

    # --- commands ---

    def expect(self, node, command, status="0", timeout=PATIENCE, channel=0):
        got, lines = self.net.run(node, command, timeout, channel)
        check(got == status, f"node {node}: {command}: exit status {got}, not {status}: "
                             f"{' / '.join(lines[-3:])}")
        return lines

    def status(self, node):
        """What the device says of itself: state, view, primary_id, op, commit, commit_hash ..."""
        lines = self.expect(node, "member_status - t")
        return {name[2:]: int(value) for name, value in
                (line.split("=") for line in lines if line.startswith("s_"))}

    def show(self, node):
        """All of `vrseq group show`."""
        return json.loads("".join(self.expect(node, "vrseq -j group show t")))[0]

    def stat(self, node, name):
        """One of `vrseq stats`."""
        lines = self.expect(node, f"vrseq stats | grep ' {name} '")
        return int(lines[0].split()[1])

    def stats(self, node):
        """All of `vrseq stats`."""
        pairs = [line.split() for line in self.expect(node, "vrseq stats")]
        return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}

    def eventually(self, seconds, what, condition):
        """Until the condition holds; the last look decides. What it gave."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            check(time.monotonic() < deadline, f"not within {seconds} s: {what}")
            time.sleep(0.1)

    def others(self, *nodes):
        return [node for node in self.ids if node not in nodes]

    def primary(self, node=None):
        """The id of the primary as this member sees it; 0 if it sees none."""
        status = self.status(node or self.ids[0])
        return status["primary_id"] if status["has_quorum"] else 0

    def agreed_primary(self, nodes=None):
        """All of these see the same primary, which is one of them. Its id."""
        nodes = nodes or self.ids

        def look():
            seen = {self.primary(node) for node in nodes}
            return seen.pop() if len(seen) == 1 and seen <= set(nodes) else 0
        return self.eventually(RECOVERY, f"one primary for {nodes}", look)

    # --- life ---

    def add(self, node):
        """The command that makes a member, without those that name the others."""
        security = "key /run/key" if self.key else "insecure"
        return f"vrseq group add t self {node} listen 10.0.0.{node}:7400 {security} {self.options}"

    def prepare(self, node):
        """All that a boot does before there is a member."""
        self.expect(node, " && ".join(
            ["insmod $VRSEQ_KO"] +
            ([f"(umask 077 && echo '{self.key}' >/run/key)"] if self.key else []) +
            ([disk.MOUNT] if self.disk else [])))

    def join(self, node):
        """A member, with what memory it finds."""
        self.expect(node, " && ".join([self.add(node)] + [
            f"vrseq member add {other} 10.0.0.{other}:7400 group t"
            for other in self.others(node)]))

    def configure(self, node):
        """What a machine's boot does."""
        self.prepare(node)
        self.join(node)

    def well(self, *nodes):
        """Wait until these take part again. Seconds it took."""
        begin = time.monotonic()
        for node in nodes or self.ids:
            self.expect(node, WELL, timeout=RECOVERY)
        return time.monotonic() - begin

    def form(self, words=""):
        self.expect(self.ids[0], "vrseq group form t" + words)
        self.well()

    def away(self):
        """The machines, all of them up, and no group on them; nobody works."""
        self.net.heal()
        for node in self.ids:
            if self.net.guests[node].process.poll() is not None:
                self.net.boot(node)
        for node in self.ids:
            check(self.net.guests[node].up or self.net.ready(node, PATIENCE),
                  f"node {node} does not come up")
        for node in self.ids:
            self.expect(node, f"pkill -9 lin_; grep -q ^vrseq /proc/modules || exit 0; {UNLOAD}")
            if self.disk:
                self.expect(node, disk.blank(self.disk))
        self.net.forget_histories()
        self.first_history = 1

    def begin(self):
        """A group where none is."""
        for node in self.ids:
            self.configure(node)
        self.form()

    def boot(self, *nodes):
        """After the power was cut, up to where something is done with the group."""
        for node in nodes:
            self.net.boot(node)
        for node in nodes:
            check(self.net.ready(node, PATIENCE), f"node {node} does not come up again")
            self.prepare(node)

    def power_on(self, *nodes):
        """What a boot does after the power was cut."""
        self.boot(*nodes)
        for node in nodes:
            self.join(node)

    # --- work ---

    def work(self, *nodes, options="-t 2 -p 20000 -i 200 -x 3 -m 0"):
        """Clients and a reader at each of these, recorded, until work_stop or the machine's end."""
        for node in nodes or self.ids:
            self.serial += 1
            seed = self.net.seed * 1000 + self.serial
            programs = (f"lin_client -g t -c {self.serial} -s {seed} {options}",
                        f"lin_reader -g t -c {self.serial}")
            self.expect(node, "rm -f /run/work; " + "".join(
                f"{program} -o {self.net.history()} >>/run/said 2>&1 & echo $! >>/run/work; "
                for program in programs))

    def work_kill(self, *nodes):
        """The clients and readers are done away with in the middle of what they do."""
        for node in nodes or self.ids:
            self.expect(node, "kill -9 $(cat /run/work); sleep 0.1; true")

    def work_stop(self, *nodes):
        """They end what they are at, then the readers read all there is. What they said."""
        nodes = nodes or self.ids
        wait = "while [ -d /proc/$1 ]; do sleep 0.05; done"
        for node in nodes:
            self.expect(node, f"set -- $(cat /run/work); kill -TERM $1; {wait}")
        self.converged(*nodes)
        said = []
        for node in nodes:
            said += self.expect(node, f"set -- $(cat /run/work); kill -TERM $2; shift; {wait}; "
                                      "cat /run/said; rm /run/said")
        for line in said:
            check(line.startswith("lin_client ") or ": complete up to " in line, line)
        return said

    def converged(self, *nodes):
        """These have committed the same, and all they hold."""
        def same():
            states = [self.status(node) for node in nodes or self.ids]
            return len({(state["op"], state["commit"], state["commit_hash"]) for state in states} |
                       {(state["commit"], state["commit"], state["commit_hash"])
                        for state in states}) == 1 and all(state["state"] == 2 for state in states)
        self.eventually(RECOVERY, "all members come to one state", same)

    # --- what came of it ---

    def forget(self):
        """What was recorded up to now is of no concern any more."""
        self.first_history = self.net.history_count + 1

    def files(self):
        """The histories of the test under way."""
        directory = os.path.join(self.net.out, "histories")
        return self.net.histories(directory)[self.first_history - 1:]

    def operations(self):
        """All recorded operations of clients, as tuples of struct lin_op."""
        out = []
        for path in self.files():
            with open(path, "rb") as file:
                out += [op for op in OP.iter_unpack(file.read()) if op[10] in (NEXT, GET, APPEND)]
        return out

    def linearizable(self, least=1, generation=0):
        """Everything recorded is what one linearizable service could have said, in a generation."""
        files = self.files()
        checker = os.path.join(network.rig.TOP, "build/selftests/lin_check")
        run = subprocess.run([checker, "-g", str(generation)] + files, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        for line in run.stdout.splitlines()[-12:]:
            note(line)
        check(run.returncode == 0, "the history is not linearizable")
        applied = sum(op[11] == APPLIED for op in self.operations())
        check(applied >= least, f"{applied} operations applied in all, fewer than {least}")

    def silence_ms(self, since_ns, until_ns):
        """The longest time in which no client anywhere was told of an operation's end, of those
        that ended after since_ns and began before until_ns."""
        ends = sorted(op[1] for op in self.operations() if op[11] == APPLIED and op[1])
        gaps = [(after - before) / 1e6 for before, after in zip(ends, ends[1:])
                if after > since_ns and before < until_ns]
        check(gaps, "nothing was done afterwards")
        return max(gaps)

    def no_complaint(self):
        for node in self.ids:
            splats = self.net.guests[node].splats()
            check(not splats, f"the kernel of node {node} complained: " + " / ".join(splats[:9]))
