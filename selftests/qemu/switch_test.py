#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The switch between guests does what it is told, and with one seed always the same. Prints TAP."""
import json
import os
import socket
import sys
import tempfile

sys.dont_write_bytecode = True
import switch

FRAMES = [bytes([0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1, 8, 0, 0x45]) + bytes(8) + b"\x11" +
          bytes(16) + b"\x12\x34" + number.to_bytes(4, "big") * 20 for number in range(2000)]


def link(faults, seed=1, source=1, target=2):
    new = switch.Link(seed, source, target)
    new.faults = dict(faults)
    return new


def run(**faults):
    """All that comes of the frames, with one seed."""
    some = link(faults)
    return [out for frame in FRAMES for out in some.pass_on(frame)], some.counts


def passes_all():
    out, counts = run()
    return [frame for _, frame in out] == FRAMES and all(late == 0 for late, _ in out) and \
        counts["frames"] == len(FRAMES)


def cuts():
    out, counts = run(cut=True)
    return not out and counts["lost"] == len(FRAMES)


def drops():
    out, counts = run(drop=0.1)
    return 1700 < len(out) < 1900 and counts["lost"] == len(FRAMES) - len(out)


def delays():
    out, _ = run(delay_ms=5, jitter_ms=10)
    late = [seconds for seconds, _ in out]
    return len(out) == len(FRAMES) and min(late) >= 0.005 and max(late) <= 0.015 and \
        late != sorted(late)


def duplicates():
    out, counts = run(duplicate=0.1)
    return len(out) == len(FRAMES) + counts["duplicates"] and 100 < counts["duplicates"] < 300


def corrupts_one_bit():
    out, counts = run(corrupt=0.5)
    changed = 0
    for before, (_, after) in zip(FRAMES, out):
        if before == after:
            continue
        changed += 1
        bits = [bin(a ^ b).count("1") for a, b in zip(before[42:], after[42:])]
        if sum(bits) != 1 or after[40:42] != b"\0\0" or before[:40] != after[:40]:
            return False
    return changed == counts["corrupted"] and 800 < changed < 1200


def leaves_others_whole():
    some = link({"corrupt": 1})
    arp = FRAMES[0][:12] + b"\x08\x06" + FRAMES[0][14:]
    return some.pass_on(arp)[0][1] == arp


def is_seeded():
    faults = {"drop": 0.3, "duplicate": 0.3, "corrupt": 0.3, "jitter_ms": 5}

    def all_of(*where):
        some = link(faults, *where)
        return [out for frame in FRAMES[:300] for out in some.pass_on(frame)]
    return all_of(1, 1, 2) == all_of(1, 1, 2) and all_of(1, 1, 2) != all_of(2, 1, 2) and \
        all_of(1, 1, 2) != all_of(1, 2, 1)


def obeys_commands():
    with tempfile.TemporaryDirectory() as directory:
        some = switch.Switch(directory, 3, 1)

        def tell(**words):
            return json.loads(some.command(json.dumps(words)))
        one, two, three = some.ports
        some.forward(one, FRAMES[0])                # to nobody known: to all others
        if [len(port.queue) for port in some.ports] != [0, 1, 1]:
            return False
        tell(links=[[1, 2]], cut=True)
        some.forward(one, FRAMES[1])
        if len(two.queue) != 1 or len(three.queue) != 2:
            return False
        answer = FRAMES[0][6:12] + FRAMES[0][:6] + FRAMES[0][12:]
        some.forward(two, answer)                   # the other direction is as before
        if list(one.queue) != [answer]:
            return False
        tell(links=None, heal=True)
        some.forward(one, FRAMES[2])                # 2 is known now
        if len(two.queue) != 2 or len(three.queue) != 2:
            return False
        counts = tell(links=[[1, 2]], replay=2)     # what was cut off never came, nor comes again
        return list(two.queue)[-2:] == [FRAMES[0], FRAMES[2]] and counts["replayed"] == 2 and \
            os.path.exists(os.path.join(directory, "control"))


def records_and_plays():
    with tempfile.TemporaryDirectory() as directory:
        some = switch.Switch(directory, 3, 1)
        one, two, three = some.ports
        path = os.path.join(directory, "recorded")
        tell = lambda **faults: json.loads(some.command(json.dumps(faults).encode()))
        some.forward(one, FRAMES[0])
        tell(record=path)
        answer = FRAMES[1][6:12] + FRAMES[1][:6] + FRAMES[1][12:]
        some.forward(two, answer)
        for frame in FRAMES[2:50]:
            some.forward(one, frame)
        tell(record="")
        some.forward(one, FRAMES[50])
        frames = [(2, 1, answer)] + [(1, 2, frame) for frame in FRAMES[2:50]]
        if list(switch.recorded(path)) != frames:
            return False
        for port in some.ports:
            port.queue.clear()
        tell(links=None, cut=True)
        left = tell(play=path)["left"]
        some.play()
        # One waits for its guest: the others wait for it, and nothing is lost.
        if left != 49 or list(one.queue) != [answer] or len(two.queue) != switch.PLAYED_AHEAD:
            return False
        seen = []
        while two.queue:
            seen += two.queue
            two.queue.clear()
            some.play()
        return seen == FRAMES[2:50] and tell()["left"] == 0 and not three.queue


def hears_who_was_reborn():
    with tempfile.TemporaryDirectory() as directory:
        some = switch.Switch(directory, 2, 1)

        def guest(number):
            path = os.path.join(directory, f"l{number}")
            if os.path.exists(path):
                os.unlink(path)
            new = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            new.settimeout(1)
            new.bind(path)
            return new

        def gets_through(source, target):
            source.sendto(FRAMES[0], os.path.join(directory, "r1"))
            some.receive(some.ports[0])
            some.ports[1].flush()
            return target.recv(65536) == FRAMES[0]
        before = guest(1), guest(2)
        if not gets_through(*before):
            return False
        some.send(some.ports[0], FRAMES[1], 0)
        some.ports[0].flush()
        # Both die and live again, and nobody has sent anything to either.
        for one in before:
            one.close()
        after = guest(1), guest(2)
        try:
            return gets_through(*after)
        except OSError:
            return False


TESTS = ((passes_all, "without faults everything arrives, once, at once, in order"),
         (cuts, "a cut link carries nothing"),
         (drops, "frames are lost as often as told"),
         (delays, "delay is a floor, jitter makes frames overtake others"),
         (duplicates, "frames come twice"),
         (corrupts_one_bit, "one bit of UDP's payload changes, and UDP cannot tell"),
         (leaves_others_whole, "frames that are not UDP are not damaged"),
         (is_seeded, "one seed is one fate for each directed link"),
         (obeys_commands, "cut one way, heal, replay, by command"),
         (records_and_plays, "what goes over it is written down, and sent again as it was"),
         (hears_who_was_reborn, "all guests at once may be others, and are heard"))


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, (test, name) in enumerate(TESTS, 1):
        good = test()
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - switch: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
