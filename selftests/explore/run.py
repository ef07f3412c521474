#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: run.py [-j N] [--large] [NAME] - the searches of `make explore`, as TAP.

First the core as it is: all states within each set of bounds are seen or covered by one that is,
and none is broken. Of some bounds every state is visited, too: whatever replicas can be in at one
time must be the same. Then each of defects/*.patch, a bug of kmod/core put into a copy in
build/explore/: the search must find a state that it breaks, and one of every state prints the
shortest way there. A line "explore ARGUMENTS" in a patch says within which bounds. CC and CFLAGS
(environment) compile the copies.
"""
import argparse
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
CORE = "kmod/core"
BUILD = "build/explore"
PROGRAM = "build/selftests/explore/explore"
# What is the same, whether every state was visited or those that no other covers.
SAME = re.compile(r"(\d+) (combinations of replicas|images|messages|steps of the core)")
STEP = re.compile(r"^# +\d+\.  ", re.MULTILINE)

# What is to be exhausted. Where idle messages are not dropped, nothing rests on idle.c; where they
# are, they are tried.
SMALL = [
    "--ops 1 --views 1 --crashes 1 --keep-idle",
    "--ops 1 --views 2 --keep-idle",
    "--ops 2 --views 1 --try-idle 1",
    "--ops 1 --views 1 --crashes 1 --retries 1 --try-idle 1",
    "--ops 1 --views 1 --backups --try-idle 1",
    "--ops 1 --views 1 --journal --try-idle 1",
    "--ops 1 --views 2 --crashes 1 --try-idle 1",
]
LARGE = [
    "--ops 2 --views 2 --try-idle 1",
    "--ops 1 --views 3 --try-idle 1",
    "--ops 1 --views 1 --crashes 1 --journal --try-idle 1",
    "--ops 1 --views 1 --crashes 2 --try-idle 1",
    "--ops 2 --views 1 --crashes 1 --try-idle 1",
    "--ops 1 --views 2 --crashes 2 --try-idle 1",
    "--ops 2 --views 1 --crashes 2 --try-idle 1",
    "--ops 2 --views 2 --crashes 1 --try-idle 1",
]
# Where every state is visited, to compare.
SMALL_EVERY = [
    "--ops 1 --views 1 --crashes 1 --keep-idle",
    "--ops 2 --views 1",
    "--ops 1 --views 1 --crashes 1 --retries 1",
]
LARGE_EVERY = [
    "--ops 2 --views 2",
    "--ops 2 --views 1 --crashes 1",
    "--ops 1 --views 1 --crashes 1 --journal",
    "--ops 1 --views 2 --crashes 1",
]


def say(command, **options):
    """Runs a command; returns its exit status and all it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    return done.returncode, done.stdout


def exhaust(bounds):
    """Returns whether all states were seen and none is broken, a verdict, and the details."""
    status, text = say([PROGRAM] + shlex.split(bounds))
    verdict = {0: "exhausted, nothing is broken", 1: "something is broken",
               3: "not exhausted"}.get(status, f"ended with status {status}")
    return status == 0, f"{bounds}: {verdict}", text


def compare(bounds):
    """Returns whether every state, and those that no other covers, show the same, and the rest."""
    runs = [say([PROGRAM] + shlex.split(bounds) + more) for more in ([], ["--every"])]
    few, every = (dict((name, count) for count, name in SAME.findall(text)) for _, text in runs)
    good = few == every and len(few) == 4 and not any(status for status, _ in runs)
    verdict = "nothing is left out" if good else "covered states are NOT covered"
    return good, f"{bounds}: {verdict}", runs[0][1] + runs[1][1]


def compile_one(source, program_object, include):
    """Returns None, or what went wrong."""
    os.makedirs(os.path.dirname(program_object), exist_ok=True)
    status, text = say(shlex.split(os.environ.get("CC", "gcc")) +
                       shlex.split(os.environ.get("CFLAGS", "-O2")) +
                       [f"-I{include}", f"-I{HERE}", "-c", "-o", program_object, source])
    return text if status else None


def compile_base(jobs):
    """Compiles all there is, without a defect; returns the object of each source."""
    sources = sorted(glob.glob(f"{CORE}/*.c") + glob.glob(f"{HERE}/*.c"))
    objects = {os.path.basename(s): f"{BUILD}/base/{os.path.basename(s)[:-2]}.o" for s in sources}
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for text in pool.map(lambda s: compile_one(s, objects[os.path.basename(s)], CORE),
                             sources):
            if text:
                sys.exit(text)
    return objects


def plant(patch, copy, objects):
    """Builds the program with a defect; returns None, or what went wrong."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(CORE, f"{copy}/{CORE}")
    status, text = say(["patch", "-p1", "--no-backup-if-mismatch", "-d", copy, "-i", patch])
    if status:
        return "the patch does not apply", text
    objects = dict(objects)
    for path in re.findall(r"^patching file (\S+)", text, re.MULTILINE):
        name = os.path.basename(path)
        if name not in objects:
            return "a defect is in .c files only", text
        objects[name] = f"{copy}/{name[:-2]}.o"
        text = compile_one(f"{copy}/{path}", objects[name], f"{copy}/{CORE}")
        if text:
            return "the patched core does not compile", text
    status, text = say(shlex.split(os.environ.get("CC", "gcc")) +
                       ["-o", f"{copy}/explore"] + list(objects.values()))
    return ("the patched core does not link", text) if status else None


def find(patch, objects):
    """Returns whether the defect was found, a verdict, and the trace."""
    name = os.path.basename(patch)[:-len(".patch")]
    copy = f"{BUILD}/{name}"
    with open(patch) as file:
        arguments = re.search(r"^explore (.*)$", file.read(), re.MULTILINE)
    wrong = plant(patch, copy, objects)
    if wrong or not arguments:
        return (False, f"{name}: {wrong[0]}", wrong[1]) if wrong else (False, name, "no bounds")
    for more in ([], ["--every"]):
        status, text = say([f"{copy}/explore"] + shlex.split(arguments[1]) + more)
        if status != 1:
            return False, f"{name}: not found", text
    return True, f"{name}: found, {len(STEP.findall(text))} steps", text


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("name", nargs="?", default="")
    options = parser.parse_args()
    patches = sorted(glob.glob(f"{HERE}/defects/*.patch"))
    bounds = SMALL + LARGE if options.large else SMALL
    every = SMALL_EVERY + LARGE_EVERY if options.large else SMALL_EVERY
    objects = compile_base(options.j)
    jobs = [(exhaust, b) for b in bounds if options.name in b]
    jobs += [(compare, b) for b in every if options.name in b]
    jobs += [(lambda p: find(p, objects), p) for p in patches
             if options.name in os.path.basename(p)]
    failed = 0
    print(f"1..{len(jobs)}", flush=True)
    with ThreadPoolExecutor(max_workers=options.j) as pool:
        runs = [pool.submit(job, argument) for job, argument in jobs]
        for place, result in enumerate(runs, 1):
            good, verdict, text = result.result()
            failed += not good
            print("".join(line if line.startswith("#") else f"# {line}"
                          for line in text.splitlines(keepends=True)), end="")
            print(f"{'ok' if good else 'not ok'} {place} - {verdict}", flush=True)
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
