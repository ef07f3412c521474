#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: run.py [-j N] [--seeds N] --sim OBJECT... --story OBJECT... - do tests see planted bugs?

Each patch here is a bug of kmod/core. It is applied to a copy in build/mutants/, the simulator is
linked with the copy and must fail for one of its first seeds, for which the core as it is does not.
What costs time only, which a run of faults forgives, is told as a story: a patch with a line
"Story: NAME" must make selftests/scenario/NAME.txt fail, which holds for the core as it is. One
with a line "Told: NAME" must be seen by both; "First: N" is the seed to begin with, for what few
seeds see. A mutant that survives is a hole in the tests; a patch that does not apply must follow
the core. OBJECT... is the simulator, or the teller of stories, with the core as it is, one per
source below build/mutants/base; what a patch leaves alone is taken from there. CC and CFLAGS
(environment) compile the rest. MUTANT=NN runs one only. TAP.
"""
import argparse
import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

CORE = "kmod/core"
BUILD = "build/mutants"
FAILURE = re.compile(r"^# seed (\d+): (.*)$", re.MULTILINE)
OUT_OF_TIME = f"died of signal {int(signal.SIGXCPU)} "
STORY = re.compile(r"^Story: (.*)$", re.MULTILINE)
TOLD = re.compile(r"^Told: (.*)$", re.MULTILINE)
FIRST = re.compile(r"^First: (\d+)$", re.MULTILINE)
RULE = re.compile(r"\b([A-Z]\d+): ")
CPU_MAX_S = 600         # of one program: how long it takes besides is up to the machine


def say(command, **options):
    """Runs a command; returns its exit status and all it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False, **options)
    return done.returncode, done.stdout


def changed(copy):
    """The sources of the copy that the patch made differ from the core's."""
    names = [os.path.basename(path) for path in glob.glob(f"{copy}/{CORE}/*.[ch]")]
    differ = []
    for name in names:
        with open(f"{CORE}/{name}") as ours, open(f"{copy}/{CORE}/{name}") as theirs:
            if ours.read() != theirs.read():
                differ.append(name)
    if any(name.endswith(".h") for name in differ):
        differ = [name for name in names if name.endswith(".c")]
    return differ


def build(patch, copy):
    """Compiles what the mutant changes; returns None, or what went wrong."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(CORE, f"{copy}/{CORE}")
    status, text = say(["patch", "-s", "-p1", "--no-backup-if-mismatch", "-d", copy,
                        "-i", os.path.abspath(patch)])
    if status:
        return "the patch does not apply", text
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    flags = shlex.split(os.environ.get("CFLAGS", "-O2"))
    for name in changed(copy):
        status, text = say(compiler + [f"-I{copy}/{CORE}"] + flags +
                           ["-c", "-o", f"{copy}/{name[:-2]}.o", f"{copy}/{CORE}/{name}"])
        if status:
            return "the patched core does not compile", text
    return None


def linked(copy, objects):
    """The objects of a program, those of the mutant instead of the core's."""
    mine = {f"{BUILD}/base/{CORE}/{os.path.basename(path)}": path
            for path in glob.glob(f"{copy}/*.o")}
    return [mine.get(path, path) for path in objects]


def link(program, objects):
    """Returns None, or what went wrong."""
    status, text = say(shlex.split(os.environ.get("CC", "gcc")) + ["-o", program] + list(objects))
    return ("does not link", text) if status else None


def tell(copy, story, options):
    """Returns whether a story sees the mutant, and how."""
    wrong = link(f"{copy}/scenario", linked(copy, options.story))
    if wrong:
        return False, wrong[0], wrong[1]
    text = f"selftests/scenario/{story}.txt"
    status, told = say([f"{BUILD}/base/scenario", text])
    if status:
        return False, f"{story} fails without it, too", told
    status, told = say([f"{copy}/scenario", text])
    if status:
        return True, f"killed by the story {story}", ""
    return False, f"the story {story} does not see it", told


def simulate(copy, first, options):
    """Returns whether some seed from the first on sees the mutant, and how."""
    wrong = link(f"{copy}/sim", linked(copy, options.sim))
    if wrong:
        return False, wrong[0], wrong[1]
    status, text = say(["prlimit", f"--cpu={CPU_MAX_S}:{2 * CPU_MAX_S}", f"{copy}/sim", "--first",
                        first, "--seeds", str(options.seeds), "--until-failure", "-j", "1"])
    killed = FAILURE.search(text)
    if killed and OUT_OF_TIME in killed[2]:
        return False, f"survived {CPU_MAX_S} s", ""
    if killed and say([f"{BUILD}/base/sim", "--first", killed[1]])[0]:
        return False, f"seed {killed[1]} fails without it, too", killed[2]
    if killed and status == 1:
        return True, f"killed at seed {killed[1]}", killed[2]
    if status:
        return False, f"the simulator ended with status {status}", text
    return False, f"survived {options.seeds} seeds", ""


def run(patch, options):
    """Returns whether the mutant was killed, and how."""
    with open(patch) as file:
        text = file.read()
    copy = f"{BUILD}/{os.path.basename(patch)[:-len('.patch')]}"
    wrong = build(patch, copy)
    if wrong:
        return False, wrong[0], wrong[1]
    story, told, first = STORY.search(text), TOLD.search(text), FIRST.search(text)
    if story:
        return tell(copy, story[1], options)
    killed, verdict, detail = simulate(copy, first[1] if first else "1", options)
    if not killed or not told:
        return killed, verdict, detail
    seen, how, output = tell(copy, told[1], options)
    return seen, f"{verdict}, {how}", detail if seen else output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-j", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=6000)
    parser.add_argument("--sim", nargs="+", required=True)
    parser.add_argument("--story", nargs="+", required=True)
    options = parser.parse_args()
    only = os.environ.get("MUTANT", "")
    patches = sorted(glob.glob(os.path.join(os.path.dirname(__file__), f"{only}*.patch")))
    failed = 0
    print(f"1..{len(patches)}", flush=True)
    for program, objects in (("sim", options.sim), ("scenario", options.story)):
        wrong = link(f"{BUILD}/base/{program}", objects)
        if wrong:
            sys.exit(f"{program} {wrong[0]}:\n{wrong[1]}")
    with ThreadPoolExecutor(max_workers=options.j) as pool:
        runs = [pool.submit(run, patch, options) for patch in patches]
        for place, (patch, result) in enumerate(zip(patches, runs), 1):
            killed, verdict, detail = result.result()
            failed += not killed
            name = os.path.basename(patch)[3:-len(".patch")]
            rule = RULE.search(detail)
            rule = rule[1] if rule else detail[:60]
            if killed and not detail:
                print(f"ok {place} - {name}: {verdict}", flush=True)
            elif killed:
                print(f"# {detail}")
                print(f"ok {place} - {name}: {verdict} ({rule})", flush=True)
            else:
                print("".join(f"# {line}\n" for line in detail.splitlines()), end="")
                print(f"not ok {place} - {name}: {verdict}", flush=True)
    return 1 if failed or not patches else 0


if __name__ == "__main__":
    sys.exit(main())
