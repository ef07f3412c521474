#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows selftests/tally outputs of stages, good and broken, and compares what it counts."""
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

LOADER = importlib.machinery.SourceFileLoader(
    "tally", os.path.join(os.path.dirname(os.path.abspath(__file__)), "../tally"))
sys.dont_write_bytecode = True
tally = importlib.util.module_from_spec(importlib.util.spec_from_loader("tally", LOADER))
LOADER.exec_module(tally)

# output, exit status, (passed, failed, skipped)
CASES = {
    "flat": ("TAP version 13\n1..3\nok 1 - a\n# b\nok 2 - b # SKIP why\nok 3 c\n", 0, (2, 0, 1)),
    "plan last": ("ok 1 - a\nok 2 - b\n1..2\n", 0, (2, 0, 0)),
    "nested": ("[    1.000000] KTAP version 1\n1..2\n    1..2\n    ok 1 - x\n    ok 2 - y\n"
               "ok 1 - s\n    1..1\n    ok 1 - x\nok 2 - t\n", 0, (3, 0, 0)),
    "nested, a leaf fails": ("1..1\n    1..2\n    ok 1 - x\n    not ok 2 - y\nnot ok 1 - s\n", 1,
                             (1, 1, 0)),
    "a suite fails by itself": ("1..1\n    1..1\n    ok 1 - x\nnot ok 1 - s\n", 1, (1, 1, 0)),
    "a nested plan is not kept": ("1..1\n    1..2\n    ok 1 - x\nok 1 - s\n", 0, (1, 1, 0)),
    "two documents": ("1..1\nok 1 - a\n1..2\nok 1 - b\nok 2 - c\n", 0, (3, 0, 0)),
    "two documents, the second plan last": (
        "TAP version 13\n1..1\nok 1 - a\nTAP version 13\nok 1 - b\nok 2 - c\n1..2\n", 0, (3, 0, 0)),
    "two documents, the first cut short": (
        "TAP version 13\n1..2\nok 1 - a\nTAP version 13\n1..1\nok 1 - b\n", 0, (2, 1, 0)),
    "all skipped": ("1..0 # SKIP nothing to do\n", 0, (0, 0, 1)),
    "no test": ("hello\n", 0, (0, 1, 0)),
    "nothing": ("", 0, (0, 1, 0)),
    "no plan": ("ok 1 - a\n", 0, (1, 1, 0)),
    "died early": ("1..3\nok 1 - a\n", 139, (1, 1, 0)),
    "more than planned": ("1..1\nok 1 - a\nok 2 - b\n", 0, (2, 1, 0)),
    "bad exit": ("1..1\nok 1 - a\n", 1, (1, 1, 0)),
    "not ok but exit 0": ("1..1\nnot ok 1 - a\n", 0, (0, 1, 0)),
    "words that are no result": ("1..1\nok, then\nnot okay 1\nok 1 - a\n", 0, (1, 0, 0)),
}


# Two that end only if they run at the same time, each of them once.
BESIDE = """
first last:
\t@printf '1..1\\nok 1 - $@\\n'
one other:
\t@echo >>$@.began; for try in $$(seq 200); do \\
\t\tif [ -e one.began ] && [ -e other.began ]; then \\
\t\t\tprintf "1..1\\nok $$(wc -l <$@.began) - $@\\n"; exit; fi; \\
\t\tsleep 0.05; done; printf '1..1\\nnot ok 1 - $@\\n'
"""


def beside():
    """One that is run beside others is told of in its turn; returns what is wrong, or None."""
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "Makefile"), "w") as makefile:
            makefile.write(BESIDE)
        done = subprocess.run([LOADER.path, "--beside", "other", "first", "one", "other", "last"],
                              cwd=directory, stdout=subprocess.PIPE, text=True, check=False)
    ends = re.findall(r"^(\w+): 1 passed, 0 failed", done.stdout, re.MULTILINE)
    if done.returncode or ends != ["first", "one", "other", "last"]:
        return f"beside: {done.stdout}"
    return None


def main():
    wrong = 0
    text = beside()
    if text:
        print(text)
        wrong = 1
    for name, (output, status, expected) in CASES.items():
        stage = tally.Stage("stage")
        for line in output.splitlines():
            stage.feed(line)
        stage.end(status)
        counted = (stage.passed, stage.failed, stage.skipped)
        if counted != expected:
            print(f"{name}: counted {counted}, not {expected}")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
