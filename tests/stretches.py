#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stretches.py FILE [TID...]: the stretches of each thread must join to the nanosecond (of those TIDs only, if
given). Prints for each thread: TID, how many are on a CPU, and the ns on it, waiting for one, asleep."""
import sys

rows, last, bad = {}, 0, 0
for line in open(sys.argv[1], encoding="utf-8", errors="surrogateescape"):
    r = dict(f.split("=", 1) for f in line.rstrip("\n").split("\t"))
    if int(r["ts"]) < last and r["ev"] != "lost":
        bad = 1
        print("goes back:", line, end="")
    last = int(r["ts"])
    if r["ev"] in ("oncpu", "runq", "blocked"):
        rows.setdefault(r["tid"], []).append(r)
for tid in sys.argv[2:] or sorted(rows, key=int):
    end, sums, n = None, {"oncpu": 0, "runq": 0, "blocked": 0}, 0
    for r in rows.get(tid, []):
        begin, dur = int(r["ts"]) - int(r["dur_ns"]), int(r["dur_ns"])
        if dur < 0 or (end is not None and begin != end):
            bad = 1
            print("gap of", begin - (end or 0), "ns before", r)
        end = int(r["ts"])
        sums[r["ev"]] += dur
        n += r["ev"] == "oncpu"
    print(tid, n, sums["oncpu"], sums["runq"], sums["blocked"])
sys.exit(bad)
