#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare-symbolizer.py ELF OURS: what OURS (lines `ADDRESS FRAMES`) names differently from others.

The outermost function as addr2line tells it, those inlined there as llvm-symbolizer does: addr2line calls some of
those by the name of the outermost. Only addresses within a function that has a size, as both have names for the
padding between them too. The last line: how many addresses were compared, how many have inlined functions.
"""
import bisect
import subprocess
import sys

elf, ours = sys.argv[1:]
lines = [line.rstrip("\n").split(" ", 1) for line in open(ours)]
addresses = "".join("0x%s\n" % a for a, _ in lines)


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, input=addresses, check=True).stdout.split("\n")


def frames(text):
    """Per address: its functions, the outermost first. Each name is followed by a line of file and line."""
    stacks, is_name = [], True
    for line in text:
        if line.startswith("0x"):
            stacks.append([])
            is_name = True
        elif line:
            if is_name:
                stacks[-1].insert(0, line)
            is_name = not is_name
    return stacks


symbols = [s for s in map(str.split, output("nm", "-S", "--defined-only", elf)) if len(s) == 4]
sized = sorted((int(s[0], 16), int(s[1], 16)) for s in symbols)
starts = [s[0] for s in sized]
outermost = frames(output("addr2line", "-a", "-i", "-f", "-C", "-e", elf))
inlined = frames(output("llvm-symbolizer", "-a", "-i", "-f", "-C", "-e", elf))
assert len(outermost) == len(inlined) == len(lines)

compared = with_inlined = 0
for (address, names), outer, inner in zip(lines, outermost, inlined):
    at = bisect.bisect_right(starts, int(address, 16)) - 1
    if at < 0 or int(address, 16) >= sum(sized[at]):
        continue
    want = ";".join(outer[:1] + inner[1:])
    compared += 1
    with_inlined += ";" in names
    if names != want:
        print("%s: ours %s, theirs %s" % (address, names, want))
print("compared", compared, "inlined", with_inlined)
