# SPDX-License-Identifier: MIT
"""calls-compare LIVE SAVED: the same calls, to every field. Of SAVED, spans knows moreover the paths of descriptors,
and where relative ones begin."""
import sys


def rows(file):
    return [dict(field.split("=", 1) for field in line.rstrip("\n").split("\t")) for line in open(file)]


live, saved = rows(sys.argv[1]), rows(sys.argv[2])
if len(live) != len(saved):
    sys.exit(f"{len(live)} calls live, {len(saved)} saved")
given = 0
for a, b in zip(live, saved):
    told, known = a.pop("path", None), b.pop("path", None)
    # An empty path that was not in memory when the call began is known at its end, too late for spans.
    if a["name"] in ("newfstatat", "statx") and told is None and "fd" not in b:
        a.pop("fd", None)
    if a != b:
        sys.exit(f"{a}\n{b}")
    if told is not None:
        given += 1
        if known is None or (known != told and not known.endswith("/" + told)):
            sys.exit(f"{told}, saved: {known}: {a}")
    elif known is not None and "fd" not in a:
        sys.exit(f"no path live, saved: {known}: {a}")
print(len(live), given)
