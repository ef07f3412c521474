#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run one script in a guest with a stock kernel; its output and exit status are this program's.

The guest has the host's root (read-only, under an overlay), this repository at the same path as
the working directory, and in the environment:
  KVER       6.1, 6.12 or kcsan
  VRSEQ_KO   the module built for it
  VRSEQ_OUT  a directory shared with the host: what is written there stays
The modules a test network needs are loaded (veth, bridge, sch_netem, cls_flower, udp_tunnel); vrseq
is not. Exit status 124: timeout, 125: the guest died, 126: the script passed but the kernel
complained.
"""
import argparse
import os
import shutil
import sys

import rig


def main():
    parser = argparse.ArgumentParser(prog="guest.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-k", dest="kver", default=os.environ.get("KVER", "6.12").split()[0],
                        choices=["6.1", "6.12", "kcsan"], help="kernel series")
    parser.add_argument("-s", dest="smp", type=int, default=2, help="processors")
    parser.add_argument("-m", dest="memory", default="1G")
    parser.add_argument("-t", dest="timeout", type=float, default=300, help="seconds")
    parser.add_argument("-e", dest="environment", action="append", default=[],
                        metavar="NAME=VALUE")
    parser.add_argument("-o", dest="out", help="directory for VRSEQ_OUT, kept (default: one that "
                        "is removed if the script passes)")
    parser.add_argument("-D", dest="deterministic", action="store_true",
                        help="count instructions: one processor, time moves only with them")
    parser.add_argument("-n", dest="debug", action="store_false",
                        help="no slab debugging (for measurements)")
    parser.add_argument("script")
    parser.add_argument("args", nargs=argparse.REMAINDER)
    options = parser.parse_args()

    out = options.out or os.path.join(
        rig.TOP, "build/guest",
        f"{os.path.basename(options.script)}-{options.kver}-{os.getpid()}")
    environment = dict(item.split("=", 1) for item in options.environment)
    for name in ("TEST", "SEEDS", "FIRST", "SECONDS"):
        if name in os.environ:
            environment.setdefault(name, os.environ[name])
    guest = rig.Guest(rig.Kernel(options.kver), out,
                      [os.path.abspath(options.script)] + options.args, environment,
                      smp=options.smp, memory=options.memory,
                      deterministic=options.deterministic, debug=options.debug)
    try:
        status = guest.wait(options.timeout)
    finally:
        guest.kill()
    reason = {124: f"no end after {options.timeout:g} s", 125: "the guest died",
              126: "the kernel complained"}.get(status)
    if status:
        for line in guest.splats() or (guest.log()[-20:] if status in (124, 125) else []):
            print("# kernel:", line)
        if reason:
            print(f"# guest {options.kver}: {reason}; see {os.path.relpath(out, rig.TOP)}")
    elif not options.out:
        shutil.rmtree(out)
    return status


if __name__ == "__main__":
    sys.exit(main())
