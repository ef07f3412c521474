#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: python_test.py LIBRARY - the Python package on a library with a device that is played
(played.c): layouts, values, outcomes, signals. Prints TAP."""
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PACKAGE = os.path.join(TOP, "userspace/python")

# What the played device does is said by the environment of this process.
os.environ["VRSEQ_LIBRARY"] = os.path.abspath(sys.argv[1])
os.environ["PLAY_QUIET"] = "1"
sys.path.insert(0, PACKAGE)
sys.dont_write_bytecode = True
import vrseq  # noqa: E402


class Play:
    """The device plays this as long as the block lasts."""

    def __init__(self, **values):
        self.values = {"PLAY_" + name: str(value) for name, value in values.items()}

    def __enter__(self):
        os.environ.update(self.values)

    def __exit__(self, *_):
        for name in self.values:
            del os.environ[name]


def raises(kind, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except kind as error:
        return error
    raise AssertionError(f"{function} did not raise {kind}")


def layouts():
    """Each structure of the package has the size and the offsets of the C one."""
    lines, want = [], []
    for name, structure in vrseq.STRUCTURES.items():
        lines.append(f'printf("%zu\\n", sizeof(struct {name}));')
        want.append(ctypes.sizeof(structure))
        for field, *_ in structure._fields_:
            lines.append(f'printf("%zu\\n", offsetof(struct {name}, {field}));')
            want.append(getattr(structure, field).offset)
    source = "#include <stddef.h>\n#include <stdio.h>\n#include <vrseq.h>\n" \
        "int main(void) { %s return 0; }\n" % "\n".join(lines)
    with tempfile.TemporaryDirectory() as directory:
        program = os.path.join(directory, "layouts")
        subprocess.run(["cc", "-x", "c", "-I", os.path.join(TOP, "uapi"),
                        "-I", os.path.join(TOP, "userspace/libvrseq"), "-o", program, "-"],
                       input=source, text=True, check=True)
        told = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert [int(line) for line in told.split()] == want, told


def names():
    """So do the enums."""
    with open(os.path.join(TOP, "uapi/linux/vrseq.h"), encoding="utf-8") as file:
        header = file.read()
    for enum, prefix in ((vrseq.Outcome, "OUTCOME"), (vrseq.Mode, "READ"), (vrseq.State, "STATE")):
        found = re.findall(rf"^\tVRSEQ_{prefix}_(\w+)\s*= (\d+)", header, re.M)
        assert {name: int(value) for name, value in found} == \
            {item.name: int(item) for item in enum}, (enum, found)


def operations():
    with vrseq.Session() as session:
        assert session.group == "played"
        drawn = session.next("apples", 3)
        assert (drawn.first, drawn.last, drawn.index, drawn.view) == (1, 3, 1, 7)
        assert drawn.outcome is vrseq.Outcome.APPLIED
        assert session.next().first == 4
        assert session.get("apples").first == 12
        assert session.get("apples", vrseq.Mode.LOCAL).age_ns == 1500
        assert session.append("hello").first == 1
        assert session.append(b"\x00\xff").first == 2
        assert session.barrier().first == 2
        assert session.read().message == b"hello"
        record = session.read(timeout=5)
        assert (record.sequence, record.message, record.topic) == (2, b"\x00\xff", 9)
        assert raises(vrseq.Error, session.append, "x" * 65).outcome is vrseq.Outcome.NOT_APPLIED
        status = session.status()
        assert status.state is vrseq.State.NORMAL and status.text == "played by a test"
        assert status.sequence_last == 2
    raises(ValueError, session.next)
    session.close()


def outcomes():
    """What failed says what is known of it, and can be joined."""
    with vrseq.Session() as session:
        with Play(ERRNO=110, OUTCOME=0):
            error = raises(vrseq.Error, session.next, timeout=1)
        assert error.errno == 110 and error.strerror == "The deadline passed"
        assert error.outcome is vrseq.Outcome.UNKNOWN and error.op_id == 1
        assert session.next(op_id=error.op_id).outcome is vrseq.Outcome.APPLIED
        settled = session.result(error.op_id)
        assert settled.outcome is vrseq.Outcome.APPLIED and settled.error == 0
        with Play(ERRNO=75, OUTCOME=2):
            assert raises(vrseq.Error, session.next).outcome is vrseq.Outcome.NOT_APPLIED
    with Play(OPEN_ERRNO=2):
        assert raises(vrseq.Error, vrseq.Session).errno == 2
    assert raises(vrseq.Error, vrseq.Session, "other").errno == 107


def reading():
    with Play(MESSAGES=3):
        with vrseq.Session() as session:
            texts = [record.message.decode() for _, record in zip(range(3), session)]
            assert texts == ["message 1", "message 2", "message 3"], texts
    with Play(MESSAGES=3, LOST=2):
        with vrseq.Session() as session:
            lost = raises(vrseq.Lost, session.read)
            assert (lost.first, lost.last) == (1, 2)
            assert session.read().sequence == 3
            assert raises(vrseq.Error, session.read, timeout=0.01).errno == 110


class Alarm(Exception):
    pass


def signals():
    """A handler runs while a call waits: if it raises the call ends, otherwise it goes on."""
    seen = []

    def note(*_):
        seen.append(True)
        if len(seen) == 3:
            raise Alarm

    with vrseq.Session() as session:
        signal.signal(signal.SIGALRM, note)
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
        with Play(ERRNO=4, OUTCOME=0):
            raises(Alarm, session.next)
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(seen) == 3
        assert session.next(op_id=1).outcome is vrseq.Outcome.APPLIED


def threads():
    """Each number once, although threads share a session."""
    drawn = []
    with vrseq.Session() as session:
        def draw():
            for _ in range(200):
                drawn.append(session.next().first)
        workers = [threading.Thread(target=draw) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert len(set(drawn)) == 800 and max(drawn) - min(drawn) == 799


def fence():
    gate = vrseq.Fence(41)
    assert [gate.admit(token) for token in (40, 41, 43, 42, 43, 0)] == \
        [False, True, True, False, True, False]
    with gate:
        assert gate.admit(44) and gate.largest == 44


def readme():
    """Each program of the README runs as it stands there."""
    with open(os.path.join(PACKAGE, "README.md"), encoding="utf-8") as file:
        programs = re.findall(r"^```python\n(.*?)^```", file.read(), re.S | re.M)
    assert len(programs) == 3
    for program in programs:
        subprocess.run([sys.executable, "-c", program], check=True, timeout=60,
                       stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": PACKAGE})


def main():
    tests = (layouts, names, operations, outcomes, reading, signals, threads, fence, readme)
    failed = 0
    print("TAP version 13")
    print(f"1..{len(tests)}")
    for number, test in enumerate(tests, 1):
        begin, wrong = time.monotonic(), None
        try:
            test()
        except Exception as error:      # whatever it is, the test failed
            wrong = error
            print(f"# {type(error).__name__}: {error} "
                  f"(line {error.__traceback__.tb_next.tb_lineno})")
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - python: {test.__name__}")
        print(f"# {time.monotonic() - begin:.1f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
