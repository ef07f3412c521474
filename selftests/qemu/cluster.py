#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: cluster.py [KVER [long]] - whole machines fail, and what their clients saw must be what
one linearizable service could have said.

Three guests (five for partitions in the long form) on a switch with faults, each with clients and a
reader of the log, recorded with one clock into memory that outlives the guests. Prints TAP.
Environment: TEST=name[,name...] (kill-loop, pause, partition, ...), SEEDS=n FIRST=seed (each seed
is a run of everything wanted: who is killed, what clients do, what the switch does), KILLS=n,
RESTARTS=n, LOSSES=n.
"""
import os
import random
import signal
import subprocess
import sys
import time

import durability
import members
import network
import switch
from members import SLOW_TIMERS, SLOW_WORK, SPARSE_WORK, TIMERS, check, note

LONG_PAUSE = 4              # seconds; several of the longest timeout, and shorter than TICK_GAP
HAND_OVER_MS = 6000
VMGENID = (1, 2)            # who is told of a rollback; 3 is not
TICK_GAP = 10               # seconds, VRSEQ_GAP_NS
GENERATION = 1 << 48


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, len(values) * percent // 100)]


class Run:
    """One network, one seed; what the tests have in common."""

    def __init__(self, net, group, seed, long):
        self.net = net
        self.group = group
        self.random = random.Random(seed)
        self.long = long
        self.restarts = int(os.environ.get("RESTARTS") or 100)
        self.losses = int(os.environ.get("LOSSES") or 10)
        self.kills = int(os.environ.get("KILLS") or (36 if long else 10))

    def now_ns(self):
        return time.monotonic_ns()

    def progress(self, nodes, count=10):
        """Each of these gets so many numbers now."""
        for node in nodes:
            self.group.expect(node, f"vrseq counter next progress repeat {count} timeout 30s "
                                    ">/dev/null")

    def refused(self, node):
        """An operation ends in bounded time, with EHOSTUNREACH, and health says who is silent."""
        begin = time.monotonic()
        lines = self.group.expect(node, "vrseq counter next refused timeout 120s", "3")
        seconds = time.monotonic() - begin
        check(seconds < 30, f"refused only after {seconds:.1f} s")
        health = " ".join(self.group.expect(node, "vrseq health", "3"))
        note(f"node {node} refused after {seconds:.1f} s: {' '.join(lines)[-80:]}; {health}")
        return health


def kill_loop(run):
    """kill -9 of machines under load, one after the other: every history linearizable"""
    group = run.group
    group.work(options=SLOW_WORK)
    run.progress(group.ids)
    failovers = []
    backups = 0
    for number in range(run.kills):
        primary = group.agreed_primary()
        victim = primary if run.random.random() < 0.7 else run.random.choice(group.ids)
        killed_ns = run.now_ns()
        run.net.power_cut(victim)
        survivors = group.others(victim)
        run.progress(survivors)
        if victim == primary:
            failovers.append((killed_ns, run.now_ns()))
        else:
            backups += 1
        group.power_on(victim)
        group.well(victim)
        group.work(victim, options=SLOW_WORK)
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(run.kills * 20)
    gaps = [group.silence_ms(*failover) for failover in failovers]
    check(gaps, "no primary was ever killed: take another seed")
    note(f"{run.kills} kills, {len(gaps)} of a primary; gap from the last answer before to the "
         f"first after, ms ({TIMERS}): p50 {percentile(gaps, 50):.0f} p99 "
         f"{percentile(gaps, 99):.0f} max {max(gaps):.0f}")


def reloads(run):
    """one member after the other loses its memory with its module, over and over"""
    group = run.group
    group.work(options=SPARSE_WORK)
    seconds = []
    for number in range(run.restarts):
        node = group.ids[number % len(group.ids)]
        group.work_kill(node)
        group.expect(node, members.UNLOAD)
        group.configure(node)
        seconds.append(group.well(node))
        group.work(node, options=SPARSE_WORK)
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(run.restarts)
    note(f"{run.restarts} restarts, well again after {max(seconds):.2f} s at most")


def stopped(run, stop, go_on):
    """The primary does nothing for longer than every timeout; then it is asked at once."""
    group = run.group
    group.work(options="-t 3 -p 10000 -r 60 -a 10 -m 0")
    run.progress(group.ids)
    old = group.agreed_primary()
    before = group.status(old)
    stop(old)
    begin = time.monotonic()
    survivors = group.others(old)
    run.progress(survivors)
    time.sleep(max(0, LONG_PAUSE - (time.monotonic() - begin)))
    go_on(old)
    group.well(old)
    run.progress(group.ids)
    after = group.status(old)
    check(after["view"] > before["view"], "the others did not go on without it")
    group.work_stop()
    group.linearizable(100)


def pause(run):
    """the primary is stopped for longer than every timeout: nothing old is served"""
    stopped(run, run.net.pause, run.net.go_on)


def pause_clock(run):
    """the primary and its clock stand still for as long: nothing old is served"""
    stopped(run, run.net.freeze, run.net.thaw)


def minority(run):
    """cut off from a majority: refused, in bounded time, naming who is silent; then it goes on"""
    group = run.group
    group.work()
    run.progress(group.ids)
    old = group.agreed_primary()
    lonely = [old] + run.random.sample(group.others(old), (len(group.ids) - 1) // 2 - 1)
    majority = group.others(*lonely)
    run.net.partition(lonely, majority)
    for node in lonely:
        run.refused(node)
    time.sleep(2)
    for node in lonely:
        health = run.refused(node)
        for other in majority:
            check(f"member {other} silent " in health, f"member {other} is not named: {health}")
    run.progress(majority)
    view = max(group.status(node)["view"] for node in majority)
    run.net.heal()
    group.well(*lonely)
    run.progress(group.ids)
    check(group.status(old)["view"] >= view, "not in the view of the others")
    group.work_stop()
    group.linearizable(100)


def nobody(run):
    """nobody hears anybody: refused everywhere; all go on by themselves when they do again"""
    group = run.group
    group.work()
    run.progress(group.ids)
    run.net.links(None, cut=True)
    for node in group.ids:
        run.refused(node)
    run.net.heal()
    group.well()
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(100)


def one_way(run):
    """links that work in one direction only, and pairs that cannot talk: somebody always serves"""
    group = run.group
    group.work()
    for kind in ("mute", "deaf", "pair"):
        old = group.agreed_primary()
        others = group.others(old)
        pair = run.random.sample(others, 1)
        if kind == "mute":
            run.net.cut([old], others)
        elif kind == "deaf":
            run.net.cut(others, [old])
        else:
            run.net.partition([old], pair)
        served = others if kind != "pair" else group.others(old, *pair)
        run.progress(served)
        run.net.heal()
        group.well()
        run.progress(group.ids)
    group.work_stop()
    group.linearizable(100)


def links(run):
    """every link loses, repeats, reorders and damages datagrams, and old ones come again"""
    group = run.group
    group.work()
    run.net.links(None, drop=0.02, duplicate=0.05, jitter_ms=10, corrupt=0.02)
    for _ in range(4):
        run.progress(group.ids, 20)
        run.net.links(None, replay=100)
    counts = run.net.heal()
    for what in ("lost", "duplicates", "corrupted", "replayed"):
        check(counts.get(what), f"the switch did nothing of the kind: {what}")
    group.well()
    group.work_stop()
    group.linearizable(100)
    note(f"the switch: {counts}")


def upgrade(run, unload):
    """The module is reloaded at one member after the other, under load."""
    group = run.group
    group.work()
    run.progress(group.ids)
    moves = 0
    for node in group.ids * (10 if run.long else 1):
        was_primary = group.agreed_primary() == node
        moves += was_primary
        begin_ns = run.now_ns()
        group.work_kill(node)
        group.expect(node, unload)
        run.progress(group.others(node))
        silence = group.silence_ms(begin_ns, run.now_ns())
        note(f"node {node}{', the primary,' if was_primary else ''} unloaded: "
             f"nothing was answered for {silence:.0f} ms")
        check(silence < HAND_OVER_MS, "the others waited for a timeout")
        group.configure(node)
        group.well(node)
        group.work(node)
    run.progress(group.ids)
    check(moves, "no primary was ever unloaded")
    group.work_stop()
    group.linearizable(100)


def rolling_upgrade(run):
    """the module is reloaded at one member after the other: hand-overs, nothing lost"""
    upgrade(run, members.UNLOAD)


rolling_upgrade.options = SLOW_TIMERS


def rolling_upgrade_journal(run):
    """the same with journals: each comes back with what its own says, and asks nobody"""
    upgrade(run, members.DELETE_AND_UNLOAD)
    durability.trusted(run)


rolling_upgrade_journal.options = f"{SLOW_TIMERS} {durability.JOURNAL_WORDS}"
rolling_upgrade_journal.disk = durability.disk.USUAL


def shutdown(run):
    """the primary is shut down in good order: it hands over, nobody waits for a timeout"""
    group = run.group
    group.work()
    run.progress(group.ids)
    old = group.agreed_primary()
    begin_ns = run.now_ns()
    run.net.channels[old][1].start("exec reboot -f")
    run.progress(group.others(old))
    run.net.guests[old].process.wait(60)
    silence = group.silence_ms(begin_ns, run.now_ns())
    note(f"nothing was answered for {silence:.0f} ms")
    check(silence < HAND_OVER_MS, "the others waited for a timeout")
    group.power_on(old)
    group.well(old)
    group.work(old)
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(100)


shutdown.options = SLOW_TIMERS


def asleep(run, node, begin_ns):
    """While a member that was primary sleeps."""
    group = run.group
    run.progress(group.others(node))
    silence = group.silence_ms(begin_ns, run.now_ns())
    note(f"node {node} asleep: nothing was answered for {silence:.0f} ms")
    check(silence < HAND_OVER_MS, "the others waited for a timeout")


def suspend(run):
    """the primary is suspended to memory under load and wakes up: it hands over, and comes back"""
    group = run.group
    group.work()
    run.progress(group.ids)
    old = group.agreed_primary()
    begin_ns = run.now_ns()
    run.net.channels[old][1].start("echo mem >/sys/power/state")
    run.net.until(old, "suspended")
    asleep(run, old, begin_ns)
    time.sleep(2)
    run.net.wake(old)
    status, lines = run.net.channels[old][1].wait(members.PATIENCE)
    check(status == "0", f"it did not sleep and wake up: {status} {lines}")
    group.well(old)
    run.progress(group.ids)
    # What a hibernation tells everybody, without the image: that takes 5 s.
    before = group.stat(old, "demoted_sleep")
    group.expect(old, "echo freezer >/sys/power/pm_test && { echo disk >/sys/power/state; "
                      "echo none >/sys/power/pm_test; }")
    check(group.stat(old, "demoted_sleep") == before + 1, "it trusts its memory after hibernation")
    group.well(old)
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(100)


suspend.options = SLOW_TIMERS


def stall(run):
    """members stand still for long: who might have been rolled back unseen gives up its memory"""
    group = run.group
    told, other, untold = 1, 2, 3
    group.work(options="-t 2 -p 50000 -m 0 -a 0")
    run.progress(group.ids)
    lives = {node: group.stat(node, "recoveries") for node in (told, untold)}
    for node in (told, untold):
        run.net.pause(node)
    run.refused(other)
    time.sleep(TICK_GAP + 3)
    for node in (told, untold):
        run.net.go_on(node)
    group.well()
    run.progress(group.ids)
    check(group.stat(untold, "demoted_gap") == 1, "it trusts its memory")
    check(group.stat(untold, "recoveries") == lives[untold] + 1, "it did not recover")
    check(group.stat(told, "demoted_gap") == 0, "one that would be told does not trust its memory")
    check(group.stat(told, "recoveries") == lives[told], "one that would be told recovered")
    group.work_stop()
    group.linearizable(50)


DRAW = ("rm -f /run/stop; until [ -e /run/stop ]; do "
        "vrseq counter next own repeat 5; sleep 0.05; done")


def rolled_back(run, victim):
    """One member's machine is put back to an old state, when its memory of what it acknowledged
    would be half of a majority that lost it."""
    group = run.group
    net = run.net
    drawing = net.channels[victim][1]
    drawing.start(DRAW)
    group.eventually(members.PATIENCE, "numbers before the image",
                     lambda: sum(text.isdigit() for _, text in drawing.stamped()) >= 10)
    keeper, behind = group.others(victim)
    limit = []
    image = net.save(victim, lambda: limit.append(
        int(group.expect(keeper, "vrseq counter get own")[-1])))
    run.progress(group.ids)
    run.net.cut([behind], [keeper, victim])
    run.net.cut([keeper, victim], [behind])
    # Only these two know of it, and one of them forgets.
    mark = int(group.expect(keeper, "vrseq counter next mark repeat 20 timeout 60s")[-1])
    net.pause(keeper)
    net.roll_back(victim, image)
    before = [int(text) for _, text in drawing.stamped() if text.isdigit()]
    net.heal()
    net.cut([keeper], [victim, behind])
    for node in (behind, victim):
        status, lines = net.run(node, "vrseq counter next mark timeout 4s", members.PATIENCE)
        check(status != "0", f"node {node} serves out of a memory that is gone: {lines}, {mark}")
    check(group.stat(victim, "demoted_rollback") == 1, "it does not know that it was rolled back")
    net.heal()
    net.go_on(keeper)
    group.well()
    run.progress(group.ids)
    for node in group.ids:
        got = int(group.expect(node, "vrseq counter next mark timeout 30s")[-1])
        check(got > mark, f"node {node} got {got} of a counter that was at {mark}")
        mark = got
    group.expect(victim, "touch /run/stop")
    check(net.channels[victim][1].wait(members.PATIENCE)[0], "the process rolled back does not end")
    after = [int(text) for _, text in net.channels[victim][1].stamped() if text.isdigit()]
    new = [token for token in after if token > limit[0]]
    check(new, "the process that was rolled back with its machine got nothing any more")
    twice = set(new) & set(before)
    check(not twice, f"handed out again after the rollback: {sorted(twice)[:5]}")
    check(new == sorted(set(new)), "not ascending after the rollback")
    net.guests[victim].share()
    note(f"node {victim} rolled back from {max(before)} to {limit[0]}, went on with {min(new)}")


def rollback(run):
    """a machine is put back to an old image: it never serves nor votes from its old memory"""
    group = run.group
    group.work(3)
    run.progress(group.ids)
    for victim in VMGENID:
        rolled_back(run, victim)
    group.work_stop(3)
    group.converged()
    group.linearizable(100)


def power_loss_two(run):
    """two of three lose power: refused, whatever is asked, until the group is formed anew"""
    group = run.group
    group.work()
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(100)
    largest = int(group.expect(1, "vrseq counter next")[-1])
    for node in (2, 3):
        run.net.power_cut(node)
    run.refused(1)
    for node in (2, 3):
        group.power_on(node)
    # Nobody knows what the two had promised: no answer, by anyone, whatever is asked how often.
    for _ in range(3):
        for node, status in ((1, "3"), (2, "7"), (3, "7")):         # 7: ENOTRECOVERABLE
            group.expect(node, "vrseq counter next timeout 5s", status)
            group.expect(node, "vrseq counter get timeout 5s", status)
    note("refused: " + " / ".join(group.expect(2, "vrseq health", "7")))
    for node in group.ids:
        group.expect(node, members.UNLOAD)
    for node in group.ids:
        group.configure(node)
    group.form(" generation 1")
    for node in group.ids:
        token = int(group.expect(node, "vrseq counter next")[-1])
        check(token > largest and token > GENERATION, f"{token} is not above {largest}")


UDP_AT = 14 + 20 + 8        # Ethernet, IPv4 without options, UDP
PORT = 7400
SEALED = {2: "data", 3: "init"}     # types of kmod/envelope.h
HELLO = 4
DROPS = ("drop_replay", "drop_session", "drop_forged", "drop_key", "drop_busy", "drop_envelope",
         "drop_address", "drop_size")


def datagrams(path):
    """Of the group, among all that was written down: from, to, type, frame."""
    for source, target, frame in switch.recorded(path):
        if len(frame) > UDP_AT + 2 and frame[12:14] == b"\x08\x00" and frame[23] == 17 and \
                frame[36:38] == PORT.to_bytes(2, "big"):
            yield source, target, frame[UDP_AT + 2], frame


def write_down(path, frames):
    with open(path, "wb") as file:
        for source, target, _, frame in frames:
            file.write(switch.HEAD.pack(source, target, len(frame)) + frame)


def session_of(frame):
    return frame[UDP_AT + 4:UDP_AT + 6]


def newest_sessions(sealed):
    """What each member seals in for each other one, at the end."""
    return {(source, target): session_of(frame) for source, target, _, frame in sealed}


def hellos_sent(group):
    return sum(group.stats(node)["hello_sent"] for node in group.ids)


def come_again(run, path, sealed, new):
    """All that was sealed is sent again: each is dropped, and counted, as one that was seen or, to
    a pair of members of which one has begun another life, as one of a session that is over."""
    group = run.group
    write_down(path, sealed)
    group.converged()
    newest = newest_sessions(sealed)
    before = {node: (group.status(node), group.stats(node)) for node in group.ids}
    run.net.play(path)
    for node in group.ids:
        mine = [(session_of(frame) != newest[source, target] or source in new or target in new,
                 SEALED[number] == "init")
                for source, target, number, frame in sealed if target == node]
        over = sum(old for old, _ in mine)
        # What takes a derivation is tried so often only.
        handshakes = sum(old and init for old, init in mine)

        def growth():
            stats = group.stats(node)
            return {name: stats[name] - before[node][1][name] for name in DROPS}
        group.eventually(30, f"{len(mine)} drops at node {node}",
                         lambda: sum(growth().values()) >= len(mine))
        drops = growth()
        note(f"restarted {sorted(new)}: {len(mine)} came again to node {node}, {over} of them of "
             f"sessions that are over: { {name: count for name, count in drops.items() if count} }")
        check(sum(drops.values()) == len(mine), "not each is dropped once")
        check(drops["drop_busy"] <= handshakes, "no handshake, and dropped as one")
        check(drops["drop_replay"] + drops["drop_session"] + drops["drop_busy"] == len(mine),
              "dropped for what it is not")
        other = drops["drop_session"] + drops["drop_busy"]
        check(other >= over, f"{over} are of another session, {other} were dropped for it")
        # A machine that stood still for a second may have been asked for a session anew.
        check(other == over or new or run.hellos != hellos_sent(group),
              f"{other} dropped as of another session, {over} are")
        after = group.status(node)
        for name in ("state", "view", "op", "commit", "commit_hash", "sequence_last",
                     "has_quorum", "primary_id"):
            check(after[name] == before[node][0][name],
                  f"node {node}: {name} was {before[node][0][name]}, is {after[name]}")


def replay(run):
    """all that was sent in a whole run is sent again, to whoever restarted or did not: dropped"""
    group = run.group
    words = [f"nobody is to see {run.random.randrange(1 << 62):x}" for _ in range(60)]
    counter = f"hidden{run.random.randrange(1 << 62):x}"
    path = os.path.join(run.net.sockets, "sealed")
    for number, word in enumerate(words):
        node = group.ids[number % len(group.ids)]
        group.expect(node, f"vrseq log append '{word}' && vrseq counter next {counter} && "
                           f"vrseq counter get {counter} mode index")
    last = int(group.expect(1, f"vrseq counter get {counter}")[-1])
    group.converged()
    # Whoever reads gets the words.
    for node in group.ids:
        check(group.expect(node, f"vrseq log tail from 1 count {len(words)}") == words,
              "the log is not what was appended")
    run.net.record("")
    run.hellos = hellos_sent(group)
    frames = list(datagrams(run.recorded))
    sealed = [frame for frame in frames if frame[2] in SEALED]
    hellos = [frame for frame in frames if frame[2] == HELLO]
    check(len(sealed) + len(hellos) == len(frames), "something is neither sealed nor a HELLO")
    check(len(sealed) > 10 * len(words), f"only {len(sealed)} datagrams of {len(words)} messages")
    with open(run.recorded, "rb") as file:
        everything = file.read()
    for word in words + [counter]:
        check(word.encode() not in everything, f"to be read on the wire: {word}")
    note(f"{len(sealed)} sealed datagrams and {len(hellos)} HELLOs written down, "
         f"{len(everything)} bytes, none of {len(words)} messages in them")

    come_again(run, path, sealed, set())
    receiver, sender = group.others(group.agreed_primary())
    new = set()
    for node in (receiver, sender, group.agreed_primary()):
        new.add(node)
        run.net.power_cut(node)
        group.power_on(node)
        group.well()
        # Each pair has spoken, in both directions.
        for other in group.ids:
            group.expect(other, "vrseq counter next timeout 30s")
        come_again(run, path, sealed, new)
    # Who asks may be answered, and nothing comes of that either.
    before = group.status(1)
    write_down(path, hellos)
    run.net.play(path)
    run.progress(group.ids, 1)
    check(group.status(1)["view"] == before["view"], "a HELLO of old changed the view")
    check(int(group.expect(2, f"vrseq counter get {counter}")[-1]) == last,
          "a number was given out")
    for node in group.ids:
        check(group.expect(node, f"vrseq log tail from 1 count {len(words)}") == words,
              "the log is another one")
        check(group.stats(node)["drop_forged"] == 0, "something was taken for forged")


replay.options = SLOW_TIMERS
replay.keyed = True


TESTS = (kill_loop, reloads, power_loss_two, pause, pause_clock, stall, minority, nobody, one_way,
         links, rollback, suspend, shutdown, rolling_upgrade, rolling_upgrade_journal,
         replay) + durability.TESTS
# What a name in TEST= stands for, if not for the functions that have it in their name.
FAMILIES = {"partition": ("minority", "nobody", "one_way", "links"),
            "pause": ("pause", "pause_clock", "stall")}


OF_FIVE = ("kill_loop",) + FAMILIES["partition"]


def wanted_tests():
    names = os.environ.get("TEST", "").replace("-", "_").split(",")

    def wanted(test):
        return any(test.__name__ in FAMILIES[name] if name in FAMILIES else name in test.__name__
                   for name in names)
    return [test for test in TESTS if wanted(test)]


def new_key():
    tool = os.path.join(network.rig.TOP, "build/vrseq")
    return subprocess.run([tool, "genkey"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def run_tests(run, tests, number):
    """How many failed."""
    failed = 0
    for test in tests:
        begin = time.monotonic()
        try:
            run.group.options = getattr(test, "options", TIMERS)
            run.group.disk = getattr(test, "disk", None)
            keyed = getattr(test, "keyed", False)
            run.group.key = new_key() if keyed else None
            # Nobody is left who remembers a group of that name, or says a last word in it.
            run.group.away()
            run.recorded = run.net.record("recorded" if keyed else "")
            run.group.begin()
            note(f"{test.__name__}: a fresh group after {time.monotonic() - begin:.0f} s")
            test(run)
            run.group.no_complaint()
            print(f"ok {number} - {test.__name__}: {test.__doc__}", flush=True)
        except Exception as error:
            failed += 1
            note(f"{type(error).__name__}: {error}")
            for node in run.group.ids:
                for line in run.net.guests[node].splats()[:30]:
                    note(f"node {node} kernel: {line}")
            note(f"kernel logs: {os.path.relpath(run.net.out)}/N/console.log")
            print(f"not ok {number} - {test.__name__}: {test.__doc__}", flush=True)
            # Whatever state the machines are in: the next test begins with others.
            for node in run.group.ids:
                run.net.power_cut(node)
        note(f"{time.monotonic() - begin:.0f} s")
        number += 1
    return failed


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    kver = sys.argv[1] if len(sys.argv) > 1 else "6.12"
    long = sys.argv[2:] == ["long"]
    tests = wanted_tests()
    sizes = [(3, tests)]
    if long:
        sizes.append((5, [test for test in tests if test.__name__ in OF_FIVE]))
    first = int(os.environ.get("FIRST") or 1)
    runs = [(size, some, seed) for seed in range(first, first + int(os.environ.get("SEEDS") or 1))
            for size, some in sizes if some]
    failed = 0
    number = 1
    print(f"1..{sum(len(some) for _, some, _ in runs)}", flush=True)
    for size, some, seed in runs:
        out = os.path.join(network.rig.TOP, "build/guest", f"cluster-{kver}")
        note(f"kernel {kver}, {size} members, seed {seed}")
        begin = time.monotonic()
        with network.Network(kver, size, out=out, seed=seed, qemu_options=lambda node: (
                ["-device", "vmgenid,guid=auto"] if node in VMGENID else [])) as net:
            run = Run(net, members.Members(net, range(1, size + 1)), seed, long)
            failed += run_tests(run, some, number)
        note(f"seed {seed}: {time.monotonic() - begin:.0f} s in all")
        number += len(some)
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
