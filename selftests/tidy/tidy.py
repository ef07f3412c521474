#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: tidy.py [TREE] - the project's own rules, as TAP.

A finding is printed as file:line: reason. Each rule is a function that yields (path, line, reason).
What compilers, sparse and checkpatch see is left to them. tidy_test.py shows each rule a tree that
breaks it.
"""
import fnmatch
import os
import re
import subprocess
import sys

SOURCE = (".c", ".h", ".sh", ".py", ".mk")
ERRNO = re.compile(r"\bE(?:[A-Z]{2,}|2BIG)\b")

# Taken from the kernel as they are.
VENDORED = {"selftests/lib/kselftest.h", "selftests/lib/kselftest_harness.h"}

# Kernel-internal, never seen by a user: restart codes and such, and what of other parts of the
# kernel is translated (sockets: ENFILE, ENOBUFS).
ERRNO_INTERNAL = {"ERESTARTSYS", "ENOIOCTLCMD", "EIOCBQUEUED", "ETIME", "ENFILE", "ENOBUFS"}

# What core objects may import: plain memory, WARN, and what the compiler puts in by itself.
CORE_IMPORTS = {
    "memset", "memcpy", "memmove", "memcmp", "__warn_printk", "__fentry__",
    "__x86_return_thunk", "__stack_chk_fail", "fortify_panic", "__fortify_panic",
    "__ubsan_handle_out_of_bounds", "strscpy", "sized_strscpy", "strnlen", "memchr_inv",
}

IMPURE = re.compile(r"\b(jiffies|ktime\w*|k[mzv]+alloc\w*|kcalloc|kfree|printk\w*|pr_\w+|GFP_\w+|"
                    r"spin_\w+|mutex_\w+|rcu_\w+|get_random\w*|schedule\w*|msleep|udelay)\b")


class Tree:
    """The files of a tree: those git knows, or all of them where there is no git."""

    def __init__(self, top):
        self.top = top
        listing = subprocess.run(["git", "ls-files", "-z", "-c", "-o", "--exclude-standard"],
                                 cwd=top, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 text=True)
        if listing.returncode == 0:
            names = listing.stdout.split("\0")[:-1]
        else:
            names = [os.path.relpath(os.path.join(base, name), top)
                     for base, _, files in os.walk(top) for name in files]
        self.names = sorted(name for name in names if os.path.isfile(os.path.join(top, name)))
        self.texts = {}

    def text(self, name):
        if name not in self.texts:
            with open(os.path.join(self.top, name), errors="replace") as file:
                self.texts[name] = file.read()
        return self.texts[name]

    def lines(self, name):
        return enumerate(self.text(name).split("\n"), 1)

    def code(self, name):
        """Lines of C with comments and strings blanked, so that words about code are not code."""
        def blank(match):
            return re.sub(r"[^\n]", " ", match[0])
        text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, self.text(name), flags=re.S)
        return enumerate(text.split("\n"), 1)

    def under(self, *directories, endings=(".c", ".h")):
        return [name for name in self.names
                if name.startswith(tuple(directory + "/" for directory in directories))
                and name.endswith(endings)]


def rule_core_is_pure(tree):
    """kmod/core has no clock, lock, allocation, entropy or printk"""
    for name in tree.under("kmod/core"):
        for number, line in tree.code(name):
            for match in IMPURE.finditer(line):
                yield name, number, f"{match[0]} in the pure core"


def rule_includes(tree):
    """includes point one way"""
    for name in tree.under("kmod"):
        base = os.path.basename(name)
        core = name.startswith("kmod/core/")
        for number, line in tree.lines(name):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
            if not match:
                continue
            kind, target = match.groups()
            if core and kind == "<" and base != "vr_platform.h":
                yield name, number, "only vr_platform.h includes from outside the core"
            if core and kind == '"' and "kmod/core/" + target not in tree.names:
                yield name, number, f"the core includes {target}, which is not of the core"
            if core and target == "vr_wire.h" and not base.startswith("vr_wire"):
                yield name, number, "protocol phases see messages, not bytes: no vr_wire.h"
            if not core and target == "vr_replica.h" and base not in ("engine.c", "engine.h"):
                yield name, number, "only the engine knows the replica"
            if not core and target == "vr_replica_private.h":
                yield name, number, "private to the core"


def rule_one_compat(tree):
    """kernel versions are known to kmod/compat.h alone"""
    for name in tree.under("kmod"):
        if name == "kmod/compat.h":
            continue
        for number, line in tree.lines(name):
            if re.search(r"LINUX_VERSION_CODE|KERNEL_VERSION\(", line):
                yield name, number, "kernel versions belong in kmod/compat.h"


def rule_core_imports(tree):
    """core objects import nothing but plain memory functions"""
    for kernel in ("6.1", "6.12"):
        directory = os.path.join(tree.top, "build", kernel, "kmod/core")
        if not os.path.isdir(directory):
            continue
        # An object outlives the source it came from.
        objects = sorted(name for name in os.listdir(directory) if name.endswith(".o")
                         and f"kmod/core/{name[:-2]}.c" in tree.names)
        defined, imported = set(), {}
        for name in objects:
            listing = subprocess.run(["nm", os.path.join(directory, name)], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout
            for line in listing.splitlines():
                kind, symbol = line.split()[-2:]
                if kind == "U":
                    imported.setdefault(symbol, f"build/{kernel}/kmod/core/{name}")
                else:
                    defined.add(symbol)
        for symbol in sorted(set(imported) - defined - CORE_IMPORTS):
            yield imported[symbol], 0, f"imports {symbol}"


def rule_no_bug(tree):
    """no BUG()"""
    for name in tree.under("kmod"):
        for number, line in tree.code(name):
            if re.search(r"\bBUG(_ON)?\s*\(|\bpanic\s*\(", line):
                yield name, number, "a broken invariant halts a replica, never the machine"


def rule_spdx(tree):
    """every source says its licence first"""
    for name in tree.names:
        base = os.path.basename(name)
        source = name.endswith(SOURCE) or base in ("Makefile", "Kbuild", "run", "tally")
        text = tree.text(name) if source else ""
        if text and "SPDX-License-Identifier:" not in "\n".join(text.split("\n", 3)[:3]):
            yield name, 1, "no SPDX-License-Identifier"


def rule_line_length(tree):
    """no line is longer than 100 columns"""
    for name in tree.names:
        if not name.endswith(SOURCE) and os.path.basename(name) not in ("Makefile", "Kbuild"):
            continue
        for number, line in tree.lines(name):
            columns = len(line.expandtabs(8))
            # A message stays in one piece, so that it can be searched for; help in a Makefile too.
            excused = "## " in line or name.endswith((".c", ".h")) and \
                len(re.sub(r'"(\\.|[^"\\])*"', '""', line).expandtabs(8)) <= 80
            if columns > 100 and not excused:
                yield name, number, f"{columns} columns"


def rule_nothing_unfinished(tree):
    """nothing unfinished"""
    for name in tree.names:
        if not name.endswith(SOURCE) or name.startswith("selftests/tidy/") or name in VENDORED:
            continue
        for number, line in tree.lines(name):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                yield name, number, "unfinished: an issue, or nothing"


def rule_no_workplace(tree):
    """nothing names the machine it was written on, or a registry"""
    pattern = re.compile(r"(?<![\w/.-])" + re.escape(os.path.abspath(tree.top)) + r"\b|\bhttps?://"
                         r"(deb|security|archive|snapshot|registry|pypi|proxy)\.")
    for name in tree.names:
        if name.startswith("selftests/tidy/"):
            continue
        for number, line in tree.lines(name):
            if pattern.search(line):
                yield name, number, "a path of one machine, or a registry"


def rule_errno_table(tree):
    """every errno of the module is in the table of uapi/linux/vrseq.h"""
    if "uapi/linux/vrseq.h" not in tree.names:
        return
    table = set()
    for comment in re.findall(r"/\*.*?\*/", tree.text("uapi/linux/vrseq.h"), re.S):
        table.update(ERRNO.findall(comment))
    for name in tree.under("kmod"):
        for number, line in tree.code(name):
            for match in re.finditer(r"-(E[A-Z0-9]+)\b", line):
                if match[1] not in table | ERRNO_INTERNAL:
                    yield name, number, f"{match[1]} is not in the errno table"


def rule_everything_is_built(tree):
    """every .c is built by something"""
    kbuild = tree.text("Kbuild") if "Kbuild" in tree.names else ""
    makefile = tree.text("Makefile") if "Makefile" in tree.names else ""
    fragments = "\n".join(tree.text(name) for name in tree.names
                          if name.startswith("selftests/") and (name.endswith((".mk", "Kbuild"))))
    for name in tree.names:
        if not name.endswith(".c"):
            continue
        directory, base = os.path.split(name)
        if name.startswith("kmod/"):
            built = name[:-2] + ".o" in kbuild.split()
        elif name.startswith("userspace/"):
            built = f"$(wildcard {directory}/*.c)" in makefile or name in fragments
        else:
            stem = re.escape(base[:-2])
            patterns = re.findall(rf"{re.escape(directory)}/[*%]\w*\.c", fragments)
            built = re.search(rf"\b{stem}\b", fragments) or \
                any(fnmatch.fnmatch(name, pattern.replace("%", "*")) for pattern in patterns)
        if not built:
            yield name, 1, "nobody builds this file"


def rule_drops_are_tested(tree):
    """every reason to drop a datagram is provoked by a test"""
    if "kmod/core/vr_types.h" not in tree.names:
        return
    tests = "\n".join(tree.text(name) for name in tree.under("selftests", endings=(
        ".c", ".h", ".sh", ".py", ".txt")) if not name.startswith("selftests/tidy/"))
    for name in tree.under("kmod/core", endings=(".h",)):
        for number, line in tree.code(name):
            match = re.match(r"\s*(VR_DROP_\w+)\s*(=[^,]*)?,", line)
            if match and match[1] != "VR_DROP_NONE" and not re.search(rf"\b{match[1]}\b", tests):
                yield name, number, f"no test names {match[1]}"


def rule_defects(tree):
    """every known defect has a story and a mutant that it sees, or a reason to have none"""
    name = "Documentation/testing.rst"
    if name not in tree.names:
        return
    told = {}
    for number, line in tree.lines(name):
        match = re.match(r"(D\d+) {2,}(.*)", line)
        if not match:
            continue
        told[match[1]] = number
        if match[2].startswith("does not apply: "):
            continue
        story, mutant = match[2].split()[-2:]
        patch = f"selftests/mutants/{mutant}.patch"
        if f"selftests/scenario/{story}.txt" not in tree.names:
            yield name, number, f"no story {story}"
        elif patch not in tree.names:
            yield name, number, f"no mutant {mutant}"
        elif not re.search(rf"^(Story|Told): {story}$", tree.text(patch), re.M):
            yield name, number, f"{mutant} is not told as {story}"
    for number in range(1, 30):
        if f"D{number}" not in told:
            yield name, 1, f"nothing is said of D{number}"


def rule_rules_are_told(tree):
    """every rule of the protocol is told as a story"""
    name = "Documentation/protocol.rst"
    if name not in tree.names:
        return
    told = set()
    for story in tree.under("selftests/scenario", endings=(".txt",)):
        for _, line in tree.lines(story):
            if line.startswith("#"):
                told.update(re.findall(r"\bR\d+\b", line))
    lines = tree.text(name).split("\n")
    for number, line in enumerate(lines, 1):
        if re.fullmatch(r"R\d+", line) and line not in told and \
                not lines[number].startswith("    *Not in the code yet"):
            yield name, number, f"no story names {line}"


RULES = [value for key, value in sorted(globals().items()) if key.startswith("rule_")]


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else ".")
    print(f"1..{len(RULES)}")
    failed = 0
    for number, rule in enumerate(RULES, 1):
        findings = list(rule(tree))
        for path, line, reason in findings:
            print(f"# {path}:{line}: {reason}")
        print(f"{'not ok' if findings else 'ok'} {number} - tidy: {rule.__doc__}")
        failed += bool(findings)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
