#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What run.sh and native.sh measured, as a table for people, as JSON, and as plots.

usage: report.py DIRECTORY
       report.py --native DIRECTORY
Reads DIRECTORY/KVER/costs of each kernel, DIRECTORY/native/costs and DIRECTORY/failover; writes
table.txt, results.json and *.svg there, and prints the table. With --native it prints what
native.sh measured, and that is all. Judges nothing; says which goal is met.
"""
import json
import os
import subprocess
import sys

OFFERED = (1000, 5000, 10000, 20000, 40000)

# What is in the table, in its order: (row, words), or a heading.
ROWS = [
    "one operation after the other",
    ("echo-loopback", "UDP echo of two processes, loopback"),
    ("echo-veth", "UDP echo of two processes, veth"),
    ("commit-alone", "commit, group of one"),
    ("commit-primary-loopback", "commit at the primary of 3, loopback"),
    ("commit-backup-loopback", "commit at a backup of 3, loopback"),
    ("commit-primary-loopback-keyed", "commit at the primary, with a key, loopback"),
    ("commit-primary", "commit at the primary of 3, veth"),
    ("commit-backup", "commit at a backup of 3, veth"),
    ("commit-primary-keyed", "the same at the primary, with a key"),
    ("commit-backup-keyed", "the same at a backup, with a key"),
    ("commit-primary-of-five", "commit at the primary of 5, veth"),
    ("commit-primary-of-seven", "commit at the primary of 7, veth"),
    ("range-1-alone", "NEXT of 1, group of one"),
    ("range-64-alone", "NEXT of 64, group of one"),
    ("range-4096-alone", "NEXT of 4096, group of one"),
    ("range-64", "NEXT of 64, primary of 3, veth"),
    ("range-4096", "NEXT of 4096, primary of 3, veth"),
    ("append-64", "APPEND of 64 bytes, primary of 3, veth"),
    ("append-1024", "APPEND of 1024 bytes, primary of 3, veth"),
    ("append-8192", "APPEND of 8192 bytes, primary of 3, veth"),
    "reads at the primary and at a backup of 3, veth",
    ("get-log-primary", "GET as an entry of the log, primary"),
    ("get-index-primary", "GET at a confirmed index, primary"),
    ("get-lease-primary", "GET by the lease, primary"),
    ("get-local-primary", "GET of what is known here, primary"),
    ("get-log-backup", "GET as an entry of the log, backup"),
    ("get-index-backup", "GET at a confirmed index, backup"),
    ("get-lease-backup", "GET by the lease, backup"),
    ("get-local-backup", "GET of what is known here, backup"),
    ("barrier-backup", "BARRIER, backup"),
    "several callers at the primary of 3, loopback, for one operation",
    ("callers-8", "8 callers"),
    ("callers-64", "64 callers"),
    ("callers-8-per-prepare", "entries in a PREPARE, 8 callers"),
    ("callers-64-per-prepare", "entries in a PREPARE, 64 callers"),
    ("twin-callers-8", "8 callers of the twin"),
    ("twin-callers-64", "64 callers of the twin"),
    ("twin-callers-8-per-prepare", "entries in a PREPARE of the twin, 8 callers"),
    ("twin-callers-64-per-prepare", "entries in a PREPARE of the twin, 64 callers"),
    "the same over veth, 50 us away; the time in which all wait left out",
    ("delayed-1-busy", "the only caller"),
    ("delayed-8-busy", "8 callers"),
    ("delayed-64-busy", "64 callers"),
    ("delayed-8-per-prepare", "entries in a PREPARE, 8 callers"),
    ("delayed-64-per-prepare", "entries in a PREPARE, 64 callers"),
    ("delayed-1", "ns until the only caller has its number"),
    ("delayed-64", "ns for each number of 64 callers"),
    "ns from when a number is wanted until it is there, so many wanted each second, at random",
    *((f"offered-{rate}-{part}", f"{rate} each second, {words}")
      for rate in OFFERED for part, words in (("p50", "half of them within"),
                                              ("p99", "99 % of them within"))),
    "with journals on ext4, on a disk that flushes at once",
    ("journal-1-alone", "commit, group of one"),
    ("journal-64-alone", "the same, one of 64 callers"),
    ("journal-1", "commit at the primary of 3, veth"),
    ("journal-64", "the same, one of 64 callers"),
    ("journal-1-alone-fsyncs", "fsyncs for a commit, group of one"),
    ("journal-64-alone-fsyncs", "fsyncs for a commit, group of one, 64 callers"),
    ("journal-1-fsyncs", "fsyncs for a commit at the primary of 3"),
    ("journal-64-fsyncs", "the same, 64 callers"),
    "with journals on tmpfs, where there is nothing to flush",
    ("journal-1-alone-tmpfs", "commit, group of one"),
    ("journal-64-alone-tmpfs", "the same, one of 64 callers"),
    ("journal-1-tmpfs", "commit at the primary of 3, veth"),
    ("journal-64-tmpfs", "the same, one of 64 callers"),
    "delivery of 64 bytes; io_uring, 16 at a time",
    ("alone-read-one", "read(), one record"),
    ("alone-read-batch", "read(), as many as fit"),
    ("alone-read-uring", "io_uring, 16 reads at a time"),
    ("alone-read-uring-nonblock", "the same of a file that is O_NONBLOCK"),
    ("alone-ring", "the mapped ring"),
    ("alone-append-no-ring", "APPEND while nobody maps the ring"),
    ("alone-append-with-ring", "APPEND while somebody does"),
    ("alone-next-ioctl", "NEXT, by ioctl, group of one"),
    ("alone-next-uring", "NEXT, by io_uring, group of one"),
    ("three-next-ioctl", "NEXT, by ioctl, primary of 3"),
    ("three-next-uring", "NEXT, by io_uring, primary of 3"),
    "beside it, in the same boot",
    ("twin-primary-loopback", "userspace twin, primary of 3, loopback"),
    ("twin-backup-loopback", "userspace twin, backup of 3, loopback"),
    ("twin-primary", "userspace twin, primary of 3, veth"),
    ("twin-backup", "userspace twin, backup of 3, veth"),
    ("redis-incr", "redis INCR, one server, loopback"),
    ("redis-incr-16", "redis INCR, 16 at once, each"),
    ("etcd-put", "etcd put at the leader of 3, veth"),
    ("etcd-get", "etcd linearizable read, leader of 3, veth"),
    ("zookeeper-set", "ZooKeeper setData at the leader of 3, veth"),
    ("corosync-cpg", "corosync, a message to all of 3, veth"),
    "how many",
    ("allocations-per-commit", "allocations in a commit, primary of 3"),
]

# (words, row, row it is divided by, goal, whether the goal is a ceiling)
RATIOS = [
    ("commit / echo, loopback", "commit-primary-loopback", "echo-loopback", 0.9, True),
    ("commit with a key / echo, loopback", "commit-primary-loopback-keyed", "echo-loopback", 1.3,
     True),
    ("commit / echo, veth", "commit-primary", "echo-veth", 1.1, True),
    ("commit with a key / echo, veth", "commit-primary-keyed", "echo-veth", 1.4, True),
    ("commit at a backup / echo, loopback", "commit-backup-loopback", "echo-loopback", None, True),
    ("commit at a backup / echo, veth", "commit-backup", "echo-veth", None, True),
    ("commit with a key / without", "commit-primary-keyed", "commit-primary", None, True),
    ("userspace twin / commit, loopback", "twin-primary-loopback", "commit-primary-loopback", 3,
     False),
    ("userspace twin / commit, veth", "twin-primary", "commit-primary", 3, False),
    ("twin at a backup / commit there, veth", "twin-backup", "commit-backup", None, False),
    ("redis INCR / commit, loopback", "redis-incr", "commit-primary-loopback", 1.4, False),
    ("etcd put / commit, veth", "etcd-put", "commit-primary", 30, False),
    ("ZooKeeper setData / commit, veth", "zookeeper-set", "commit-primary", 20, False),
    ("corosync message / APPEND of 64 bytes, veth", "corosync-cpg", "append-64", None, False),
    ("etcd read / GET at an index, veth", "etcd-get", "get-index-primary", None, False),
    ("one of 64 callers / the only one", "callers-64", "commit-primary-loopback", 0.25, True),
    ("the same, members 50 us apart", "delayed-64-busy", "delayed-1-busy", 0.25, True),
    ("mapped ring, one record", "alone-ring", None, 300, True),
]

FAILOVER = ["replicas", "heartbeat", "view_timeout", "p50", "p99", "max"]
FAILOVER_GOAL = 250     # ms, of the p99 with the default timers, which come first

NATIVE = [
    ("echo-loopback", "UDP echo of two sockets, loopback"),
    ("commit-alone", "commit, group of one"),
    ("commit-primary-loopback", "commit at the primary of 3, loopback"),
    ("commit-primary-loopback-keyed", "the same, with a key"),
    ("commit-primary", "commit at the primary of 3, veth"),
    ("commit-primary-keyed", "the same, with a key"),
]

NATIVE_RATIOS = [
    ("commit / echo, loopback", "commit-primary-loopback", "echo-loopback"),
    ("commit with a key / without, loopback", "commit-primary-loopback-keyed",
     "commit-primary-loopback"),
    ("commit with a key / without, veth", "commit-primary-keyed", "commit-primary"),
]

# Of sequential commits at the primary of 3, loopback.
NATIVE_GOAL_PER_S = 300000


def read_costs(path):
    rows = {}
    with open(path) as file:
        for line in file:
            name, *numbers = line.split()
            keys = ["p50", "p90", "p99", "max"] if len(numbers) == 4 else ["mean"]
            rows[name] = dict(zip(keys, map(float, numbers)))
    return rows


def read_failover(path):
    rows = []
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                if not line.startswith("#"):
                    rows.append(dict(zip(FAILOVER, map(float, line.split()))))
    for row in rows:
        if row["view_timeout"] == rows[0]["view_timeout"]:
            row["goal_p99"] = FAILOVER_GOAL
    return rows


def failover_lines(kernels, failover):
    """(words, (p50, p99, max), goal) of ours, and of etcd's, which is measured in the guests."""
    found = [(f"{row['replicas']:.0f} replicas, heartbeat {row['heartbeat']:.0f}, view timeout "
              f"{row['view_timeout']:.0f}", [row[part] for part in ("p50", "p99", "max")],
              goal_text([row["p99"]], row.get("goal_p99"), True)) for row in failover]
    for kver, rows in kernels.items():
        parts = [value(rows, f"etcd-failover-{part}") for part in ("p50", "p99", "max")]
        if None not in parts:
            found.append((f"etcd, three members, its defaults, {kver}",
                          [ns / 1e6 for ns in parts], ""))
    return found


def value(rows, name):
    return rows[name].get("p50", rows[name].get("mean")) if name in rows else None


def ratio(rows, over, under):
    a = value(rows, over)
    b = value(rows, under) if under else 1
    return a / b if a and b else None


def goal_text(results, goal, ceiling):
    if goal is None:
        return ""
    known = [result for result in results if result is not None]
    met = all(result <= goal if ceiling else result >= goal for result in known)
    verdict = "MISSED" if not met else "met" if len(known) == len(results) else "not measured"
    return f"{'<=' if ceiling else '>='} {goal:g} {verdict}"


def number(x):
    return "-" if x is None else f"{x:.2f}" if x < 100 and x != int(x) else f"{x:.0f}"


def native_table(rows):
    """By the clock, in ns: the median of all batches, and the one that was disturbed least."""
    both = [rows, {name: rows[name + "-least"] for name in rows if name + "-least" in rows}]
    lines = [f"{'native, in one UML kernel: ns':<46}{'median':>10}{'least':>10}"]

    def line(words, values):
        lines.append(f"  {words:<44}" + "".join(f"{number(x):>10}" for x in values))

    for name, words in NATIVE:
        line(words, [value(costs, name) for costs in both])
    for words, over, under in NATIVE_RATIOS:
        line(words, [ratio(costs, over, under) for costs in both])
    ns = [value(costs, "commit-primary-loopback") for costs in both]
    per_s = [1e9 / x if x else None for x in ns]
    line("commits each second, primary of 3, loopback", per_s)
    lines[-1] += f"  {goal_text(per_s[:1], NATIVE_GOAL_PER_S, False)}"
    return lines


def table(kernels, native, failover):
    lines = ["instructions, the median (of several callers and of delivery, the mean)", "",
             f"{'row':<46}" + "".join(f"{kver:>10}" for kver in kernels)]
    heading = None
    for row in ROWS:
        if isinstance(row, str):
            heading = ["", row]
            continue
        values = [value(rows, row[0]) for rows in kernels.values()]
        if any(x is not None for x in values):
            lines += heading or []
            heading = None
            lines.append(f"  {row[1]:<44}" + "".join(f"{number(x):>10}" for x in values))
    lines += ["", "ratios, and goals"]
    for words, over, under, goal, ceiling in RATIOS:
        values = [ratio(rows, over, under) for rows in kernels.values()]
        if any(x is not None for x in values):
            lines.append(f"  {words:<44}" + "".join(f"{number(x):>10}" for x in values) +
                         f"  {goal_text(values, goal, ceiling)}".rstrip())
    if native:
        lines += ["", *native_table(native)]
    gaps = failover_lines(kernels, failover)
    if gaps:
        lines += ["", "from the primary's crash to the next number, virtual ms, 100 times",
                  f"  {'':<44}{'p50':>10}{'p99':>10}{'max':>10}"]
        lines += [f"  {words:<44}" + "".join(f"{ms:>10.1f}" for ms in parts) +
                  (goal and f"  p99 {goal}") for words, parts, goal in gaps]
    return "\n".join(lines) + "\n"


# --- plots ---

def plot(directory, name, commands, data):
    if all(word == "NaN" for line in data.splitlines() for word in line.split()[1:]):
        return      # nothing of it was measured
    script = "\n".join(["set terminal svg size 900,560 font 'sans,13' background 'white'",
                        f"set output '{name}.svg'", "set style fill solid 0.8 noborder",
                        "set grid ytics", "set key top left", *commands]) + "\n"
    with open(os.path.join(directory, name + ".dat"), "w") as out:
        out.write(data)
    subprocess.run(["gnuplot"], input=script, text=True, check=True, cwd=directory)
    os.unlink(os.path.join(directory, name + ".dat"))


def series(kernels, rows, points):
    """Lines "X NUMBER..." of the given (x, row name)s."""
    return "".join(f"{x} " + " ".join(str(value(costs, name) or "NaN")
                                      for costs in kernels.values()) + "\n"
                   for x, name in points if any(name in costs for costs in rows))


def columns(file, kernels, style):
    return "plot " + ", ".join(f"'{file}.dat' using {number + 2}{style} title 'on {kver}'"
                               for number, kver in enumerate(kernels))


def lines(file, kernels):
    return "plot " + ", ".join(
        f"'{file}.dat' using 1:{number + 2} with linespoints lw 2 pt 7 title 'on {kver}'"
        for number, kver in enumerate(kernels))


def plots(directory, kernels):
    costs = list(kernels.values())
    beside = [("'UDP\\necho'", "echo-loopback"), ("'commit,\\nprimary'", "commit-primary-loopback"),
              ("'commit,\\nbackup'", "commit-backup-loopback"), ("'redis\\nINCR'", "redis-incr"),
              ("'twin,\\nprimary'", "twin-primary-loopback"),
              ("'twin,\\nbackup'", "twin-backup-loopback"), ("'etcd\\nread'", "etcd-get"),
              ("'coro-\\nsync'", "corosync-cpg"), ("'Zoo-\\nKeeper'", "zookeeper-set"),
              ("'etcd\\nput'", "etcd-put")]
    plot(directory, "beside",
         ["set style data histograms", "set logscale y", "set bmargin 4",
          "set ylabel 'instructions for one operation (logarithmic)'",
          "set title 'One operation at a time, one processor, three replicas'",
          columns("beside", kernels, ":xtic(1)")],
         series(kernels, costs, [(x.replace("'", '"'), name) for x, name in beside]))
    plot(directory, "replicas",
         ["set yrange [0:*]", "set xtics 1,2,7", "set xlabel 'replicas'",
          "set ylabel 'instructions'", "set title 'A commit at the primary, over veth'",
          lines("replicas", kernels)],
         series(kernels, costs, [(1, "commit-alone"), (3, "commit-primary"),
                                 (5, "commit-primary-of-five"), (7, "commit-primary-of-seven")]))
    plot(directory, "append",
         ["set yrange [0:*]", "set logscale x 2", "set xlabel 'bytes of the message'",
          "set ylabel 'instructions'", "set title 'APPEND at the primary of three, over veth'",
          lines("append", kernels)],
         series(kernels, costs, [(size, f"append-{size}") for size in (64, 1024, 8192)]))
    both = {f"{kver}: {who}": {1: value(rows, one), 8: value(rows, prefix + "callers-8"),
                               64: value(rows, prefix + "callers-64")}
            for kver, rows in kernels.items()
            for who, one, prefix in (("the module", "commit-primary-loopback", ""),
                                     ("the twin", "twin-primary-loopback", "twin-"))}
    data = "".join(f"{x} " + " ".join(str(line[x] or "NaN") for line in both.values()) + "\n"
                   for x in (1, 8, 64))
    plot(directory, "callers",
         ["set yrange [0:*]", "set logscale x 2", "set xlabel 'callers at the same time'",
          "set ylabel 'instructions for one number'", "set key top right",
          "set title 'Several callers at the primary of three, over loopback'",
          "plot " + ", ".join(f"'callers.dat' using 1:{number + 2} with linespoints lw 2 pt 7 "
                              f"title '{title}'" for number, title in enumerate(both))], data)

    parts = ("p50", "p99")
    plot(directory, "offered",
         ["set logscale xy", "set xlabel 'numbers wanted each second (logarithmic)'",
          "set ylabel 'us until it is there (logarithmic)'",
          "set title 'At the primary of three, members 50 us apart, one processor'",
          "plot " + ", ".join(
              f"'offered.dat' using 1:(${number + 2}/1000) with linespoints lw 2 pt 7 "
              f"title '{part} on {kver}'"
              for number, (kver, part) in enumerate((k, p) for k in kernels for p in parts))],
         "".join(f"{rate} " + " ".join(str(value(rows, f"offered-{rate}-{part}") or "NaN")
                                       for rows in costs for part in parts) + "\n"
                 for rate in OFFERED if f"offered-{rate}-p50" in costs[0]))


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[1:-1] not in ([], ["--native"]):
        sys.exit(__doc__)
    directory = sys.argv[-1]
    path = os.path.join(directory, "native", "costs")
    native = read_costs(path) if os.path.exists(path) else {}
    if len(sys.argv) == 3:
        print("\n".join(native_table(native)))
        return
    kernels = {}
    for kver in ("6.12", "6.1"):
        path = os.path.join(directory, kver, "costs")
        if os.path.exists(path):
            kernels[kver] = read_costs(path)
    if not kernels:
        sys.exit(f"report.py: nothing was measured in {directory}")
    failover = read_failover(os.path.join(directory, "failover"))
    text = table(kernels, native, failover)
    with open(os.path.join(directory, "table.txt"), "w") as out:
        out.write(text)
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()[0]
    results = {
        "commit": commit, "qemu": qemu, "unit": "instructions", "kernels": kernels,
        "ratios": {kver: {words: ratio(rows, over, under)
                          for words, over, under, _, _ in RATIOS}
                   for kver, rows in kernels.items()},
        "native_ns": native, "failover_virtual_ms": failover,
    }
    with open(os.path.join(directory, "results.json"), "w") as out:
        json.dump(results, out, indent=1)
        out.write("\n")
    plots(directory, kernels)
    print(text, end="")


if __name__ == "__main__":
    main()
