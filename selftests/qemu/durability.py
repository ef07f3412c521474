# SPDX-License-Identifier: GPL-2.0
"""What members keep on disks, when all machines lose power at once and when disks fail.

The tests of cluster.py that need a disk. The power of a machine is cut by SIGKILL to its QEMU: what
its page cache held is gone, what its disk was given is there. Does not know how a disk is made to
fail.
"""
import json
import time

import disk
from members import (DELETE_AND_UNLOAD, OP_LAST, PATIENCE, RECOVERY, SLOW_WORK, SPARSE_WORK, TIMERS,
                     check, note, numbers)

RECORD = f"{TIMERS} record {disk.PLACE}/record"
# Small enough for the disk and a lap or two of the ring, and all messages can be read in the end.
JOURNAL_WORDS = ("log-entries 256 log-bytes 1M messages 4096 message-bytes 2M "
                 f"durability journal {disk.PLACE}/journal")
JOURNAL = f"{TIMERS} {JOURNAL_WORDS}"
BLANK, NORMAL, RECOVERING, HALTED, AMNESIA = 0, 2, 4, 5, 6  # enum vrseq_state
AMNESIA_EXIT = "7"          # of the tool: ENOTRECOVERABLE, or halted
SILENT_MS = 6000            # nobody waits longer for a disk that is not its own


def base(generation):
    return generation << 48


def on_disk(options, features=disk.USUAL):
    """A test of members that keep something on disks of their own."""
    def mark(test):
        test.options = options
        test.disk = features
        return test
    return mark


def say(run, node, command, status, words):
    """It ends with that status and says all of these words."""
    said = " ".join(run.group.expect(node, command + " 2>&1", status))
    for word in words if isinstance(words, (list, tuple)) else (words,):
        check(word in said, f"node {node}: {command}: no word of '{word}': {said}")
    return said


def draw(run, node, counter="mark"):
    """A number. Nobody who is recorded uses that counter."""
    return int(run.group.expect(node, f"vrseq counter next {counter} timeout 60s")[-1])


def generation_begins(run, generation, seconds=RECOVERY):
    """All are in it and can work."""
    group = run.group

    def all_are():
        return all(group.status(node)["state"] == NORMAL and
                   group.show(node)["generation"] == generation for node in group.ids)
    group.eventually(seconds, f"generation {generation}", all_are)
    group.well()


def in_state(run, node, state, seconds=RECOVERY):
    run.group.eventually(seconds, f"node {node} in state {state}",
                         lambda: run.group.status(node)["state"] == state)


def mend(run, node):
    """The member is taken away, its file system is mounted again, and it comes back."""
    run.group.expect(node, DELETE_AND_UNLOAD)
    run.group.expect(node, f"{disk.AWAY}")
    run.group.configure(node)
    run.group.well(node)


# --- all power lost, memory and a record ---

def loaded_cut(run):
    """Some load, and the power of all machines is gone."""
    run.group.work(options=SLOW_WORK)
    run.progress(run.group.ids)
    time.sleep(run.random.random() * 2)
    run.net.power_cut(*run.group.ids)


@on_disk(RECORD)
def power_loss_recorded(run):
    """all lose power, time and again: each time the next generation, and numbers only rise"""
    group = run.group
    mark = 0
    seconds = []
    for generation in range(run.losses + 1):
        generation_begins(run, generation)
        for node in group.ids:
            number = draw(run, node)
            check(number > mark, f"node {node} got {number} after {mark}")
            mark = number
        check(mark == base(generation) + len(group.ids), f"{mark} in generation {generation}")
        if generation == run.losses:
            break
        loaded_cut(run)
        group.linearizable(1, generation)
        mark = max([mark] + [op[OP_LAST] for op in numbers(group.operations())])
        group.forget()
        last = run.random.choice(group.ids)
        group.boot(*group.ids)
        for node in group.others(last):
            group.join(node)
        for node in group.others(last):
            in_state(run, node, AMNESIA)
            say(run, node, "vrseq counter next mark timeout 1s", AMNESIA_EXIT, "")
            say(run, node, "vrseq health", AMNESIA_EXIT, f"member {last} ")
        begin = time.monotonic()
        group.join(last)
        generation_begins(run, generation + 1)
        seconds.append(time.monotonic() - begin)
    # Who goes on reading where it was is told what is lost.
    group.work(options=SPARSE_WORK)
    run.progress(group.ids)
    first = base(run.losses) + 1
    group.eventually(PATIENCE, "a message", lambda: group.status(1)["sequence_last"] >= first)
    for node in group.ids:
        wanted = base(run.losses - 1) + 3
        say(run, node, f"lin_reader -g t -c 0 -f {wanted} -u {first} -T 30 -o /run/gap; "
            "rm /run/gap", "0", f": lost {wanted} to {base(run.losses)}")
    group.work_stop()
    group.linearizable(10, run.losses)
    note(f"{run.losses} times all power lost; after the last one was back it took "
         f"{max(seconds):.1f} s at most")


def all_off(run):
    """Some numbers, then nothing has power any more. The largest of the numbers."""
    mark = max(draw(run, node) for node in run.group.ids)
    run.net.power_cut(*run.group.ids)
    run.group.boot(*run.group.ids)
    return mark


def rises(run, mark):
    for node in run.group.ids:
        number = draw(run, node)
        check(number > mark, f"node {node} got {number} after {mark}")
        mark = number
    return mark


def one_record(run, spoil, why):
    """Of the records one does not vouch for anything: nobody goes on, until somebody says so."""
    group = run.group
    mark = all_off(run)
    victim = run.random.choice(group.ids)
    group.expect(victim, spoil)
    others = group.others(victim)
    for node in others:
        group.join(node)
    if why:
        say(run, victim, group.add(victim), "1", ["record: " + why, f"{disk.PLACE}/record"])
        for node in others:
            in_state(run, node, AMNESIA)
            say(run, node, "vrseq health", AMNESIA_EXIT,
                [f"member {victim} never heard", "vrseq group reform t"])
        # A new one vouches for nothing.
        group.expect(victim, f"rm {disk.PLACE}/record")
    group.join(victim)
    for node in group.ids:
        in_state(run, node, AMNESIA)
    # They do not make it up among themselves, however long they have.
    time.sleep(2)
    say(run, others[0], "vrseq health", AMNESIA_EXIT, "a record is missing")
    for node in group.ids:
        say(run, node, "vrseq counter next mark timeout 1s", AMNESIA_EXIT, "")
    group.expect(others[1], "vrseq group reform t confirm t")
    generation_begins(run, 1)
    rises(run, mark)


def all_records(run, spoil, why):
    """No record is left: only the operator knows the generation."""
    group = run.group
    mark = all_off(run)
    for node in group.ids:
        group.expect(node, spoil)
        if why:
            say(run, node, group.add(node), "1", ["record: " + why, f"{disk.PLACE}/record"])
            group.expect(node, f"rm {disk.PLACE}/record")
        group.join(node)
    time.sleep(2)
    for node in group.ids:
        in_state(run, node, BLANK)
        check(run.net.run(node, "vrseq counter next mark timeout 1s")[0] != "0",
              f"node {node} gives a number")
    say(run, group.ids[0], "vrseq group reform t confirm t", AMNESIA_EXIT, "no record here")
    group.form(" generation 7")
    generation_begins(run, 7)
    rises(run, mark)


MISSING = f"rm {disk.PLACE}/record"
# Both slots.
CORRUPT = " && ".join(f"printf x | dd of={disk.PLACE}/record bs=1 seek={at} conv=notrunc"
                      for at in (30, 600))


@on_disk(RECORD)
def power_loss_record_missing(run):
    """all lose power and one its record: named, refused, reformed by command"""
    one_record(run, MISSING, None)


@on_disk(RECORD)
def power_loss_record_corrupt(run):
    """all lose power and one record is damaged: its member is not added, by name"""
    one_record(run, CORRUPT, "damaged")


@on_disk(RECORD)
def power_loss_no_record(run):
    """all lose power and all their records: blank, until formed in a generation that is said"""
    all_records(run, MISSING, None)


@on_disk(RECORD)
def power_loss_all_corrupt(run):
    """all lose power and all records are damaged: nobody is added, by name"""
    all_records(run, CORRUPT, "damaged")


# --- all power lost, and a journal ---

def check_journal(run, node, status="0", words=""):
    say(run, node, f"vrseq journal check {disk.PLACE}/journal", status, words)


def trusted(run, *nodes):
    """These had their memory from their journals, and asked nobody for it."""
    for node in nodes or run.group.ids:
        check(run.group.stat(node, "recoveries") == 0, f"node {node} recovered")


@on_disk(JOURNAL)
def power_loss_journal(run):
    """all lose power under load, time and again: nothing acknowledged is lost, nor done twice"""
    group = run.group
    mark = 0
    seconds = []
    for _ in range(run.losses):
        check(draw(run, run.random.choice(group.ids)) == mark + 1, f"not {mark + 1} after {mark}")
        mark += 1
        loaded_cut(run)
        group.boot(*group.ids)
        for node in group.ids:
            check_journal(run, node)
        begin = time.monotonic()
        for node in group.ids:
            group.join(node)
        group.well()
        seconds.append(time.monotonic() - begin)
        trusted(run)
        check(group.show(1)["generation"] == 0, "another generation")
    group.work(options=SPARSE_WORK)
    run.progress(group.ids)
    for node in group.ids:
        mark += 1
        check(draw(run, node) == mark, f"node {node}: not {mark}")
    group.work_stop()
    group.linearizable(run.losses * 10)
    note(f"{run.losses} times all power lost; all three are added and serve within "
         f"{max(seconds):.1f} s")


def journal(run, node, command="check"):
    return json.loads("".join(run.group.expect(
        node, f"vrseq -j journal {command} {disk.PLACE}/journal")))


def ring_offset(run, node, position):
    """Where in the file a position of the ring is."""
    size = int(run.group.expect(node, f"stat -c %s {disk.PLACE}/journal")[-1])
    ring = journal(run, node)["ring_bytes"]
    return size - ring + position % ring


def tear(run, node):
    """A frame that was being written when the power went."""
    at = ring_offset(run, node, journal(run, node)["end"])
    run.group.expect(node, "printf 'VJF1 and then it was dark' | "
                           f"dd of={disk.PLACE}/journal bs=1 seek={at} conv=notrunc 2>/dev/null")
    check_journal(run, node)


def rot(run, node):
    """A bit turns over in the middle: what it takes away was said to be safe."""
    at = ring_offset(run, node, journal(run, node, "dump")["records"][2]["position"]) + 100
    dd = f"dd bs=1 count=1 2>/dev/null if={disk.PLACE}/journal skip={at}"
    byte = int(run.group.expect(node, f"{dd} | od -An -tu1")[-1]) ^ 4
    run.group.expect(node, f"printf '\\{byte:03o}' | dd of={disk.PLACE}/journal bs=1 seek={at} "
                           "conv=notrunc 2>/dev/null")
    check_journal(run, node, "1", "damaged")


def one_journal(run, spoil):
    """All lose power, and one has another journal than it wrote. Its member and the number that
    was drawn last; the others are added."""
    group = run.group
    group.work(options=SPARSE_WORK)
    run.progress(group.ids)
    mark = draw(run, 1)
    # What is newest is guarded a second after it.
    group.work_kill()
    time.sleep(2.5)
    run.net.power_cut(*group.ids)
    group.boot(*group.ids)
    victim = run.random.choice(group.ids)
    spoil(run, victim)
    return victim, mark


@on_disk(JOURNAL)
def disk_torn(run):
    """all lose power, one in the middle of a write: dropped, and its journal trusted"""
    victim, mark = one_journal(run, tear)
    for node in run.group.ids:
        run.group.join(node)
    run.group.well()
    trusted(run)
    check(draw(run, victim) == mark + 1, f"not {mark + 1}")
    run.group.work(options=SPARSE_WORK)
    run.progress(run.group.ids)
    run.group.work_stop()
    run.group.linearizable(10)


@on_disk(JOURNAL)
def disk_rotten(run):
    """all lose power, one journal has a bit turned over: no vote from it, and it is repaired"""
    group = run.group
    victim, mark = one_journal(run, rot)
    first, second = group.others(victim)
    group.join(first)
    group.join(victim)
    for _ in range(3):
        for node in (first, victim):
            status, lines = run.net.run(node, "vrseq counter next mark timeout 3s")
            check(status != "0", f"node {node} serves with half a journal: {lines}")
    check(group.status(victim)["state"] != NORMAL, "it takes part")
    health = " ".join(run.net.run(victim, "vrseq health")[1])
    check("the journal was damaged" in health, f"not said: {health}")
    group.join(second)
    group.well()
    check(group.stat(victim, "recoveries") == 1, "it did not recover")
    trusted(run, first, second)
    got = draw(run, victim)
    check(got > mark, f"{got} after {mark}")
    group.work(options=SPARSE_WORK)
    run.progress(group.ids)
    group.work_stop()
    group.linearizable(10)
    # Then its journal is one again.
    time.sleep(2.5)
    run.net.power_cut(victim)
    group.boot(victim)
    check_journal(run, victim)
    group.join(victim)
    group.well(victim)
    trusted(run, victim)


# --- disks that fail ---

def at_work(run, victim=None):
    """Clients everywhere but there."""
    run.group.work(*run.group.others(victim), options=SPARSE_WORK)
    run.progress(run.group.ids)


def all_well(run, victim):
    run.progress(run.group.ids)
    run.group.work_stop(*run.group.others(victim))
    run.group.converged()
    run.group.linearizable(10)


@on_disk(JOURNAL)
def disk_error_writes(run):
    """no write to the primary's disk succeeds: it halts, by name, and the others go on"""
    group = run.group
    victim = group.agreed_primary()
    at_work(run, victim)
    begin_ns = run.now_ns()
    group.expect(victim, disk.becomes(disk.ERROR_WRITES))
    run.progress(group.others(victim))
    in_state(run, victim, HALTED)
    note(f"nothing was answered for {group.silence_ms(begin_ns, run.now_ns()):.0f} ms")
    say(run, victim, "vrseq health", AMNESIA_EXIT, "its journal cannot be written; error ")
    check(run.net.run(victim, "vrseq counter next mark timeout 2s")[0] != "0", "it serves")
    run.progress(group.others(victim))
    group.expect(victim, disk.becomes(disk.SOUND))
    mend(run, victim)
    # What the disk has is whole, and older.
    trusted(run, victim)
    check_journal(run, victim)
    all_well(run, victim)


@on_disk(JOURNAL, disk.NO_JOURNAL)
def disk_drop_writes(run):
    """a disk says that it wrote, and did not; then the power goes: found out, and given back"""
    group = run.group
    victim = run.random.choice(group.ids)
    # Few enough that the file is not begun anew, behind which it would not matter.
    run.progress(group.ids)
    group.expect(victim, disk.becomes(disk.DROP_WRITES))
    run.progress(group.ids)
    group.expect(victim, disk.becomes(disk.SOUND))
    # Later frames, with what was dropped before them.
    run.progress(group.ids)
    mark = draw(run, victim)
    time.sleep(2.5)
    run.net.power_cut(victim)
    group.boot(victim)
    check_journal(run, victim, "1", "damaged")
    group.join(victim)
    group.well(victim)
    check(group.stat(victim, "recoveries") == 1, "it trusts what it read")
    check(draw(run, victim) > mark, f"not above {mark}")
    # With nothing behind it nobody could tell: then it is as if it had been away for as long.
    at_work(run, victim)
    group.expect(victim, disk.becomes(disk.DROP_WRITES))
    run.progress(group.ids)
    mark = draw(run, victim)
    run.net.power_cut(victim)
    group.boot(victim)
    check_journal(run, victim)
    group.join(victim)
    group.well(victim)
    check(draw(run, victim) > mark, f"not above {mark}")
    all_well(run, victim)


@on_disk(JOURNAL)
def disk_full(run):
    """no room for a journal: not added, by name; full later: it goes on, and nothing is lost"""
    group = run.group
    victim = run.random.choice(group.ids)
    at_work(run, victim)
    group.expect(victim, f"vrseq group del t && rm {disk.PLACE}/journal && {disk.FILL}")
    say(run, victim, group.add(victim), "1", ["no room for its", f"{disk.PLACE}/journal"])
    group.expect(victim, f"[ ! -s {disk.PLACE}/journal ] && rm -f {disk.PLACE}/fill && sync")
    group.join(victim)
    group.well(victim)
    for node in group.ids:
        group.expect(node, disk.FILL)
        check(run.net.run(node, f"echo no room >{disk.PLACE}/more")[0] != "0", "not full")
    all_well(run, victim)
    # A lap of the ring and more. Of messages like these no reader of ours knows.
    group.expect(victim, "vrseq bench append size 4K threads 4 duration 4s >/dev/null")
    mark = draw(run, victim)
    run.net.power_cut(*group.ids)
    group.power_on(*group.ids)
    group.well()
    trusted(run)
    check(draw(run, victim) == mark + 1, f"not {mark + 1}")


@on_disk(JOURNAL)
def disk_hangs(run):
    """the disk of a backup hangs, then the primary's: the others go on, and it is said"""
    group = run.group
    for kind in ("backup", "primary"):
        primary = group.agreed_primary()
        victim = primary if kind == "primary" else group.others(primary)[0]
        at_work(run, victim)
        begin_ns = run.now_ns()
        group.expect(victim, disk.STOP)
        run.progress(group.others(victim), 20)
        time.sleep(2)
        begin = time.monotonic()
        say(run, victim, "vrseq group show t", "0", "the disk of the journal silent")
        check(time.monotonic() - begin < SILENT_MS / 1000, "the tool waits for the disk")
        run.progress(group.others(victim), 20)
        silence = group.silence_ms(begin_ns, run.now_ns())
        group.expect(victim, disk.GO_ON)
        note(f"the disk of node {victim}, the {kind}'s, hung: "
             f"nothing was answered for {silence:.0f} ms")
        check(silence < SILENT_MS, "the others waited for it")
        group.well()
        if kind == "backup":
            # Not told to read to the end: it is none.
            run.progress(group.ids)
            group.work_kill(*group.others(victim))
    all_well(run, victim)
    trusted(run)


@on_disk(RECORD)
def disk_record_hangs(run):
    """disks of records hang: operations and views go on; who needs his record waits alone"""
    group = run.group
    at_work(run)
    begin_ns = run.now_ns()
    for node in group.ids:
        group.expect(node, disk.STOP)
    old = group.agreed_primary()
    view = group.status(old)["view"]
    group.expect(old, "vrseq group resign t")
    run.progress(group.ids)
    check(group.status(old)["view"] > view, "no other view")
    silence = group.silence_ms(begin_ns, run.now_ns())
    note(f"all three records hung, another view: nothing was answered for {silence:.0f} ms")
    check(silence < SILENT_MS, "somebody waited for a record")
    for node in group.ids:
        group.expect(node, disk.GO_ON)
    victim = group.others(group.agreed_primary())[0]
    run.net.power_cut(victim)
    group.boot(victim)
    group.expect(victim, f"{group.add(victim)} && {disk.STOP}")
    for other in group.others(victim):
        group.expect(victim, f"vrseq member add {other} 10.0.0.{other}:7400 group t")
    run.progress(group.others(victim))
    time.sleep(2)
    check(group.status(victim)["state"] == RECOVERING, "it lives without its record")
    run.progress(group.others(victim))
    group.expect(victim, disk.GO_ON)
    group.well(victim)
    all_well(run, victim)


TESTS = (power_loss_recorded, power_loss_record_missing, power_loss_record_corrupt,
         power_loss_no_record, power_loss_all_corrupt, power_loss_journal, disk_torn, disk_rotten,
         disk_error_writes, disk_drop_writes, disk_full, disk_hangs, disk_record_hangs)
