#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutate.py DECODE N SEED: N damaged copies of small traces, each read by the program DECODE.

It must end with status 0 or 1 within 5 seconds and 256 MiB, and every event before the damage must be out.
Prints what does not hold, and how often each status came."""

import collections
import os
import random
import resource
import subprocess
import sys
import tempfile

import cases
from ctf import Event, Trace, packet


def small_trace(seed):
    """Four packets of random events."""
    dice = random.Random(seed)
    t, make = cases.random_struct(dice, 0)
    e, packets = Event('e', t), []
    for k in range(1, 5):
        n = dice.randint(1, 4)
        packets.append(packet([(e, make(), 1000 * k + i) for i in range(n)], 1000 * k, 1000 * k + 999,
                              padding=dice.randint(0, 20)))
    return Trace([e], {'s': packets}, order=dice.choice(['le', 'be']))


def damage(dice, data):
    """The changed bytes, and the first place that is changed."""
    kind, at = dice.randrange(6), dice.randrange(len(data)) if data else 0
    if kind == 0:
        return data[:at], at
    if kind == 1:
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:], at
    if kind == 2:
        return data[:at] + bytes([dice.choice([0, 1, 0x7f, 0x80, 0xff, dice.randrange(256)])]) + data[at + 1:], at
    n = dice.randint(1, 16)
    if kind == 3:
        return data[:at] + data[at + n:], at
    if kind == 4:
        return data[:at] + dice.randbytes(n) + data[at:], at
    return data[:at] + dice.randbytes(n) + data[at + n:], at


def sound_events(trace, packets, at):
    """How many events end before byte AT of the file."""
    n = begin = 0
    for p, size in packets:
        if at < begin + p.ends[0]:
            break
        n += sum(begin + end <= at for end in p.ends[1:])
        begin += size
    return n


def limits():
    if not os.environ.get('NO_MEMORY_LIMIT'):       # sanitizers reserve terabytes
        resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))


def main():
    decode, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    statuses, bad = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as directory:
        for i in range(count):
            if i % 50 == 0:
                trace = small_trace(seed + i)
                version = 1 + i // 50 % 2
                trace.write(directory, version)
                with open(directory + '/s', 'rb') as file:
                    stream = file.read()
                with open(directory + '/metadata', 'rb') as file:
                    metadata = file.read()
                packets = [(p, len(trace.pack(p))) for p in trace.files['s']]
                lines = trace.records().splitlines(keepends=True)
            in_metadata, expected = i % 4 == 3, 0
            if in_metadata:
                changed, at = damage(dice, metadata)
                with open(directory + '/metadata', 'wb') as file:
                    file.write(changed)
            else:
                changed, at = damage(dice, stream)
                expected = sound_events(trace, packets, at)
            with open(directory + '/s', 'wb') as file:
                file.write(stream if in_metadata else changed)
            try:
                run = subprocess.run([decode, directory], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=5,
                                     preexec_fn=limits)
                status, out = run.returncode, run.stdout
            except subprocess.TimeoutExpired:
                status, out = 'timeout', b''
            statuses[status] += 1
            wrong = status not in (0, 1) or (status == 1 and not run.stderr)
            if wrong or not out.startswith(b''.join(lines[:expected])):
                bad += 1
                kept = '%s-%d' % (os.environ.get('KEEP', '/dev/null'), i)
                print('%d: status %s, %s changed at %d' % (i, status, 'metadata' if in_metadata else 'stream', at))
                if 'KEEP' in os.environ:
                    subprocess.run(['cp', '-r', directory, kept], check=True)
            if in_metadata:
                with open(directory + '/metadata', 'wb') as file:
                    file.write(metadata)
    print('%d of %d wrong' % (bad, count))
    sys.stderr.write('%s\n' % dict(statuses))
    sys.exit(bad != 0)


if __name__ == '__main__':
    main()
