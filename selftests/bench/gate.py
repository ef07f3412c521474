#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A commit costs what it cost: in instructions, against those that are committed here.

usage: gate.py [--commit] KVER...
Runs the first rows of run.sh under each kernel and compares their medians with selftests/bench/
committed/KVER.json. A row that is more than 5 % off, to either side, fails, and the functions that
made it so are named: what was gained is to be committed as well. --commit writes down what is
found, by which the next run is judged. Prints TAP. A kernel release or compiler other than that of
the committed figures gives other figures: its rows are skipped, and that says so.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import subprocess
import sys

import functions
import report

TOLERANCE = 0.05
LEAST = 100                 # instructions of a function that are worth a line
CHANGES = 12                # functions named
HERE = os.path.join(functions.TOP, "selftests/bench")
COMMITTED = os.path.join(HERE, "committed")


def made_with(kver):
    """What the figures depend on that is not ours."""
    compiler = subprocess.run(["gcc", "-dumpfullversion"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()
    return {"kernel": functions.rig.Kernel(kver).release, "gcc": compiler}


def directory_of(kver):
    return os.path.join(functions.TOP, "build/bench/gate-" + kver)


def run(command):
    """A program whose results are not ours: nothing is said of those if it ends well."""
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if ended.returncode:
        for line in ended.stdout.splitlines():
            print("# " + line)
        raise SystemExit(f"# {command[0]}: {ended.returncode}")


def measure(kver):
    """The median of each row that measures one operation after the other."""
    directory = directory_of(kver)
    run([os.path.join(functions.TOP, "selftests/qemu/guest.sh"), "-D", "-n", "-k", kver,
         "-e", "GATE=yes", "-o", directory, os.path.join(HERE, "run.sh")])
    costs = report.read_costs(os.path.join(directory, "costs"))
    return {name: round(cost["p50"]) for name, cost in costs.items() if "p50" in cost}


def trace(kver):
    """The functions of each of these rows, and their own instructions. Takes several times as
    long, and is a run of its own."""
    directory = directory_of(kver) + "-traced"
    run([sys.executable, os.path.join(HERE, "functions.py"), "-k", kver, "-g", "-o", directory])
    return {name: {function: round(profile.per_round(insns))
                   for function, insns in sorted(profile.own.items())
                   if profile.per_round(insns) >= LEAST}
            for name, profile in functions.profiles(directory)}


def in_each(kernels, work):
    """What @work gives for each kernel; the guests run beside each other."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(kernels, pool.map(work, kernels)))


def commit(kernels):
    costs = in_each(kernels, measure)
    traces = in_each(kernels, trace)
    os.makedirs(COMMITTED, exist_ok=True)
    for kver in kernels:
        with open(os.path.join(COMMITTED, kver + ".json"), "w") as file:
            json.dump({"of": made_with(kver), "instructions": costs[kver],
                       "functions": traces[kver]}, file, indent=1)
            file.write("\n")


def changes(before, now):
    """The functions that made the difference, the largest first."""
    difference = collections.Counter(now)
    difference.subtract(before)
    largest = sorted(difference.items(), key=lambda item: -abs(item[1]))[:CHANGES]
    return [f"{insns:+7d}  {function}" for function, insns in largest if abs(insns) >= LEAST]


def judge(kver, committed, costs):
    """Prints a result for each committed row. How many were not met."""
    traced = None
    failed = 0
    for name, before in committed["instructions"].items():
        after = costs[name]
        words = (f"{name} on {kver}: {after} instructions, {(after - before) / before * 100:+.1f} %"
                 f" of the committed {before}")
        if abs(after - before) <= TOLERANCE * before:
            print(f"ok {next(numbers)} - {words}")
            continue
        failed += 1
        traced = traced or trace(kver)
        for line in changes(committed["functions"][name], traced[name]):
            print("# " + line)
        print(f"not ok {next(numbers)} - {words}", flush=True)
    return failed


numbers = itertools.count(1)


def main():
    if sys.argv[1:2] == ["--commit"]:
        commit(sys.argv[2:])
        return 0
    failed = 0
    committed = {}
    for kver in sys.argv[1:]:
        with open(os.path.join(COMMITTED, kver + ".json")) as file:
            committed[kver] = json.load(file)
        if committed[kver]["of"] != made_with(kver):
            print(f"ok {next(numbers)} - instructions on {kver} # SKIP committed of "
                  f"{committed[kver].pop('of')}, here is {made_with(kver)}")
    costs = in_each([kver for kver in committed if "of" in committed[kver]], measure)
    for kver in costs:
        failed += judge(kver, committed[kver], costs[kver])
    print(f"1..{next(numbers) - 1}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
