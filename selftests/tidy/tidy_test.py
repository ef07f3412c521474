#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows each rule of tidy.py a tree that breaks it in one place, and one that breaks nothing."""
import os
import sys
import tempfile

import tidy

SPDX = "// SPDX-License-Identifier: GPL-2.0\n"

GOOD = {
    "Kbuild": "# SPDX-License-Identifier: GPL-2.0\nvrseq-y := kmod/core/vr_log.o kmod/engine.o\n",
    "Makefile": "# SPDX-License-Identifier: GPL-2.0\ntool := $(wildcard userspace/vrseq/*.c)\n",
    "uapi/linux/vrseq.h": SPDX + "/*\n *   EIO   this member halted\n */\n",
    "kmod/compat.h": SPDX + "#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)\n#endif\n",
    "kmod/engine.c": SPDX + '#include <linux/slab.h>\n#include "vr_replica.h"\nint f(void)\n{\n'
                            '\treturn -EIO;\n}\n',
    "kmod/core/vr_platform.h": SPDX + "#include <linux/types.h>\n",
    "kmod/core/vr_types.h": SPDX + "enum vr_drop {\n\tVR_DROP_NONE,\n\tVR_DROP_SHORT,\n};\n",
    "kmod/core/vr_replica.h": SPDX + '#include "vr_types.h"\n',
    "kmod/core/vr_log.c": SPDX + '#include "vr_types.h"\n/* no jiffies here, no BUG() */\n',
    "userspace/vrseq/main.c": SPDX,
    "selftests/core/rules.mk": "# SPDX-License-Identifier: GPL-2.0\nbuild/log_test: log_test.c\n",
    "selftests/core/log_test.c": SPDX + "int drop = VR_DROP_SHORT;\n",
}

# A row for each defect, the first with a story and its mutant.
DEFECTS = "D1   a vote  d01  01-vote\n" + "".join(
    f"D{number}  does not apply: no disk\n" for number in range(2, 30))
GOOD["Documentation/testing.rst"] = DEFECTS
GOOD["Documentation/protocol.rst"] = "R1\n    Words.\nR2\n    *Not in the code yet:* more.\n"
GOOD["selftests/scenario/d01.txt"] = "# D1, R1: a story\n"
GOOD["selftests/mutants/01-vote.patch"] = "D1\n\nTold: d01\n"

LONG = "x" * 101

# rule: what to put in which file, and the file found; each is a tree of its own
BAD = [
    ("rule_core_is_pure", {"kmod/core/vr_log.c": SPDX + "u64 now = ktime_get_ns();\n"}),
    ("rule_core_is_pure", {"kmod/core/vr_log.c": SPDX + "p = kvzalloc(n, GFP_KERNEL);\n"}),
    ("rule_includes", {"kmod/core/vr_log.c": SPDX + "#include <linux/slab.h>\n"}),
    ("rule_includes", {"kmod/core/vr_log.c": SPDX + '#include "engine.h"\n'}),
    ("rule_includes", {"kmod/core/vr_log.c": SPDX + '#include "vr_wire.h"\n'}),
    ("rule_includes", {"kmod/udp.c": SPDX + '#include "vr_replica.h"\n'}),
    ("rule_includes", {"kmod/engine.c": SPDX + '#include "vr_replica_private.h"\n'}),
    ("rule_one_compat", {"kmod/engine.c": SPDX + "#if LINUX_VERSION_CODE > 3\n#endif\n"}),
    ("rule_no_bug", {"kmod/engine.c": SPDX + "BUG_ON(x);\n"}),
    ("rule_spdx", {"userspace/vrseq/main.c": "int main(void);\n"}),
    ("rule_line_length", {"userspace/vrseq/main.c": SPDX + LONG + "\n"}),
    ("rule_nothing_unfinished", {"userspace/vrseq/main.c": SPDX + "/* FIXME */\n"}),
    ("rule_no_workplace", {"userspace/vrseq/main.c": SPDX + 'char *p = "TOP/build";\n'}),
    ("rule_no_workplace", {"Makefile": "# SPDX-License-Identifier: GPL-2.0\n"
                                       "# $(wildcard userspace/vrseq/*.c)\n"
                                       "u := http://deb.example.org/\n"}),
    ("rule_errno_table", {"kmod/engine.c": SPDX + "return -ENXIO;\n"}),
    ("rule_everything_is_built", {"kmod/core/vr_form.c": SPDX}),
    ("rule_everything_is_built", {"selftests/core/lost_test.c": SPDX}),
    ("rule_rules_are_told", {"Documentation/protocol.rst": "R1\n    Words.\nR3\n    More.\n"}),
    ("rule_defects", {"Documentation/testing.rst": DEFECTS.replace("d01", "d99")}),
    ("rule_defects", {"Documentation/testing.rst": DEFECTS.replace("01-vote", "02-vote")}),
    ("rule_defects", {"Documentation/testing.rst": DEFECTS.replace("D29  ", "")}),
    ("rule_drops_are_tested", {"kmod/core/vr_types.h": SPDX + "enum {\n\tVR_DROP_NEW,\n};\n"}),
]


def findings(files):
    with tempfile.TemporaryDirectory() as top:
        for name, text in files.items():
            os.makedirs(os.path.join(top, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(top, name), "w") as file:
                file.write(text.replace("TOP", top))
        tree = tidy.Tree(top)
        return {rule.__name__: list(rule(tree)) for rule in tidy.RULES}


def core_imports_are_seen():
    """An object that imports what it may not, as the build leaves it."""
    with tempfile.TemporaryDirectory() as top:
        directory = os.path.join(top, "build/6.1/kmod/core")
        os.makedirs(directory)
        os.makedirs(os.path.join(top, "kmod/core"))
        source = os.path.join(top, "kmod/core/vr_log.c")
        with open(source, "w") as file:
            file.write("void *kmalloc_it(void); void *f(void) { return kmalloc_it(); }\n")
        if os.system(f"gcc -O2 -c -o {directory}/vr_log.o {source}"):
            return False
        return bool(list(tidy.rule_core_imports(tidy.Tree(top))))


def main():
    wrong = [f"flags a clean tree: {name}: {found}"
             for name, found in findings(GOOD).items() if found]
    for rule, change in BAD:
        found = findings({**GOOD, **change})[rule]
        if {path for path, _, _ in found} != set(change):
            wrong.append(f"{rule} on {change}: found {found}")
    if not core_imports_are_seen():
        wrong.append("rule_core_imports found nothing")
    untested = {rule.__name__ for rule in tidy.RULES} - {rule for rule, _ in BAD}
    if untested != {"rule_core_imports"}:
        wrong.append(f"rules without a bad tree: {untested}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
