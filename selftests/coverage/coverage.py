#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: coverage.py [--seeds N] DIRECTORY - what of kmod/core do its tests reach? As TAP.

DIRECTORY holds the programs unit, scenario and sim, whose core is instrumented by clang. Each is
run; whether its tests pass is told by other stages. What nothing reaches is written to
DIRECTORY/missed.txt. unreachable.txt, beside this file, names the lines that nothing can reach, and
why: they do not count. A line that is named there and is reached, or is no more, fails the stage.
"""
import argparse
import collections
import glob
import os
import re
import shutil
import subprocess
import sys

CORE = "kmod/core"
LINES_MIN = 95.0
BRANCHES_MIN = 90.0
PROGRAMS = ("unit", "scenario", "sim")
UNREACHABLE = os.path.join(os.path.dirname(__file__), "unreachable.txt")
LINE = re.compile(r"^ *(\d+)\| *([0-9.]+[kMG]?)?\|(.*)$")
BRANCH = re.compile(r"^ *\|  Branch \((\d+):(\d+)\): \[True: ([^,]+), False: ([^\]]+)\]")


class File:
    """A source of the core: lines that are code, and both ways of each branch."""

    def __init__(self):
        self.lines = {}         # number -> reached
        self.text = {}          # number -> source
        self.ways = {}          # (line, column, way) -> reached


def tool(name):
    """The tool of the same release as the compiler."""
    version = subprocess.run(["clang", "-dumpversion"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.split(".")[0]
    return shutil.which(f"{name}-{version}") or name


def run(directory, seeds):
    """Runs the programs; returns the profile of all of them."""
    raw = os.path.join(directory, "raw")
    shutil.rmtree(raw, ignore_errors=True)
    os.makedirs(raw)
    # %m: processes that end at the same moment, as the simulator's do, add to one file, under lock.
    environment = dict(os.environ, LLVM_PROFILE_FILE=f"{raw}/%m.profraw")
    arguments = {
        "unit": [],
        "scenario": sorted(glob.glob("selftests/scenario/*.txt")),
        "sim": ["--seeds", str(seeds), "-j", str(os.cpu_count() or 1)],
    }
    for program in PROGRAMS:
        with open(os.path.join(directory, f"{program}.log"), "w") as log:
            status = subprocess.run([os.path.join(directory, program)] + arguments[program],
                                    stdout=log, stderr=subprocess.STDOUT, env=environment,
                                    check=False).returncode
        if status:
            print(f"# {program} ended with status {status}: {directory}/{program}.log")
    profile = os.path.join(directory, "profile")
    subprocess.run([tool("llvm-profdata"), "merge", "-o", profile] +
                   glob.glob(f"{raw}/*.profraw"), check=True)
    shutil.rmtree(raw)
    return profile


def read(directory, profile):
    """What of each file was reached."""
    objects = [os.path.join(directory, program) for program in PROGRAMS]
    text = subprocess.run(
        [tool("llvm-cov"), "show", "-show-branches=count", "-show-instantiations=false",
         f"-instr-profile={profile}", objects[0]] + [f"-object={o}" for o in objects[1:]] +
        sorted(glob.glob(f"{CORE}/*.[ch]")),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    files = collections.defaultdict(File)
    file = None
    for line in text.split("\n"):
        if line.endswith(":") and CORE in line and "|" not in line:
            file = files[os.path.basename(line[:-1])]
            continue
        match = LINE.match(line)
        if match and file:
            number = int(match[1])
            file.text[number] = match[3]
            if match[2] is not None:
                file.lines[number] = match[2] != "0"
            continue
        match = BRANCH.match(line)
        if match and file:
            for way, count in (("true", match[3]), ("false", match[4])):
                key = (int(match[1]), int(match[2]), way)
                file.ways[key] = file.ways.get(key, False) or count != "0"
    return files


def excuse(files):
    """Takes out what cannot be reached; returns what is wrong with the list."""
    wrong = []
    with open(UNREACHABLE) as listing:
        entries = [line.rstrip("\n") for line in listing if line.strip() and line[0] != "#"]
    for entry in entries:
        name, _, rest = entry.partition(": ")
        source, _, reason = rest.partition(" # ")
        file = files.get(name)
        found = [n for n, text in file.text.items() if text.strip() == source] if file else []
        if not reason or not found:
            wrong.append(f"no such line, or no reason: {entry}")
        for number in found:
            ways = [key for key in file.ways if key[0] == number]
            if file.lines.get(number, True) and all(file.ways[key] for key in ways):
                wrong.append(f"is reached: {entry}")
            file.lines.pop(number, None)
            for key in ways:
                del file.ways[key]
    return wrong


def share(reached):
    return 100.0 * sum(reached) / len(reached) if reached else 100.0


def report(files, directory):
    """Prints what each file has; writes down what is missed."""
    with open(os.path.join(directory, "missed.txt"), "w") as missed:
        for name, file in sorted(files.items()):
            print(f"# {name:22} lines {share(file.lines.values()):5.1f} %"
                  f"  branches {share(file.ways.values()):5.1f} %")
            ways = collections.defaultdict(list)
            for (line, _, way), reached in sorted(file.ways.items()):
                if not reached:
                    ways[line].append(way)
            for line in sorted(file.text):
                if not file.lines.get(line, True):
                    missed.write(f"{name}:{line}: never: {file.text[line].strip()}\n")
                elif line in ways:
                    missed.write(f"{name}:{line}: never {', '.join(ways[line])}: "
                                 f"{file.text[line].strip()}\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=600)
    parser.add_argument("directory")
    options = parser.parse_args()
    print("1..3", flush=True)
    files = read(options.directory, run(options.directory, options.seeds))
    wrong = excuse(files)
    report(files, options.directory)
    lines = share([reached for file in files.values() for reached in file.lines.values()])
    ways = share([reached for file in files.values() for reached in file.ways.values()])
    print(f"# what nothing reaches: {options.directory}/missed.txt")
    for number, (good, text) in enumerate((
            (lines >= LINES_MIN, f"lines reached: {lines:.1f} % of at least {LINES_MIN:.0f} %"),
            (ways >= BRANCHES_MIN,
             f"ways of branches taken: {ways:.1f} % of at least {BRANCHES_MIN:.0f} %"),
            (not wrong, "what cannot be reached is there, and is not")), 1):
        print(f"{'' if good else 'not '}ok {number} - {text}")
    for problem in wrong:
        print(f"# unreachable.txt: {problem}")
    return 0 if lines >= LINES_MIN and ways >= BRANCHES_MIN and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
