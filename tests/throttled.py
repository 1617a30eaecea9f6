#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""throttled.py FILE KERNEL_NS [EACH_NS]: the time in which threads were held back by a quota, as the spans in FILE tell it, must
be what the kernel counted of their cgroup. The kernel's figure is, for each CPU, the time in which it held back at least one
thread: the union of the spans' throttled parts by the CPU that the thread had left. Allowed is EACH_NS (100000) for each
of them, as the clocks are not read at once (more where several times in one wait are told as one), and, where the kernel hid switches (there are gaps), the time of the gaps."""
import sys

last, parts, gaps, n, total = {}, {}, 0, 0, 0
for line in open(sys.argv[1], encoding="utf-8", errors="surrogateescape"):
    r = dict(f.split("=", 1) for f in line.rstrip("\n").split("\t"))
    if r["ev"] not in ("oncpu", "runq", "blocked"):
        continue
    end, dur = int(r["ts"]), int(r["dur_ns"])
    before = last.get(r["tid"])
    if before and before[0] < end - dur:
        gaps += end - dur - before[0]
    if "throttled_ns" in r:
        assert r["ev"] == "runq" and 0 < int(r["throttled_ns"]), line
        assert r.get("cgroup", "/").startswith("/"), line
        # Of the first span of a thread it is not known which CPU it had left: that it gets will do.
        cpu = before[1] if before else r["cpu"]
        begin = end - dur + int(r.get("throttled_after_ns", 0))
        assert begin + int(r["throttled_ns"]) <= end, line
        parts.setdefault(cpu, []).append((begin, begin + int(r["throttled_ns"])))
        total += int(r["throttled_ns"])
        n += 1
    last[r["tid"]] = (end, r["cpu"])
union = 0
for cpu in parts:
    end = 0
    for a, b in sorted(parts[cpu]):
        union += max(0, b - max(a, end))
        end = max(end, b)
kernel, each = int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 100000
print("waits throttled:", n, "sum:", total, "union:", union, "kernel:", kernel, "gaps:", gaps)
if not (n and union - n * each <= kernel <= union + n * each + gaps):
    sys.exit("not what the kernel counted: off by %d ns" % (kernel - union))
