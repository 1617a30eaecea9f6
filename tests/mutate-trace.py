#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mutate-trace.py TRACE SCRATCH N SEED: N broken copies of a trace, each given to lttng-convert.

Whatever it is given, lttng-convert ends by itself with status 0 or 1, says something on stderr when it is 1,
writes whole records that `where` can read, and leaves no process and no temporary directory.
"""
import os
import random
import shutil
import subprocess
import sys

LIMIT = 120  # seconds; libbabeltrace2's own hangs are ended after seconds of computing


def load(trace):
    files = {}
    for directory, _, names in os.walk(trace):
        for name in names:
            path = os.path.join(directory, name)
            with open(path, 'rb') as file:
                files[os.path.relpath(path, trace)] = file.read()
    return files


def mutate(rng, data):
    data, kind = bytearray(data), rng.choice(['bits', 'bytes', 'zeros', 'cut', 'repeat', 'foreign'])
    for _ in range(rng.randint(1, 4)):
        # Headers are where it hurts most.
        at = rng.randrange(min(len(data), rng.choice([200, len(data)])))
        if kind == 'bits':
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 'bytes':
            data[at:at + 8] = rng.randbytes(8)
        elif kind == 'zeros':
            data[at:at + 64] = bytes(len(data[at:at + 64]))
        elif kind == 'repeat':
            data[at:at] = data[at:at + 100]
    if kind == 'cut':
        del data[rng.randrange(len(data)):]
    if kind == 'foreign':
        data = rng.choice([b'', b'hello\n' * 100, rng.randbytes(5000)])
    return kind, bytes(data)


def check(directory, tmp):
    run = subprocess.run(['lttng-convert', f'-j{1 + len(os.listdir(tmp)) % 3}', directory], timeout=LIMIT,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, 'TMPDIR': tmp})
    if run.returncode not in (0, 1):
        return f'status {run.returncode}'
    if run.returncode == 1 and not run.stderr:
        return 'status 1 without a message'
    if any(c < 0x20 and c != 10 for c in run.stderr):
        return 'control characters on stderr'
    read = subprocess.run(['where', 'ts'], input=run.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if read.returncode or read.stdout != run.stdout:
        return f'its records cannot be read: {read.stderr}'
    if os.listdir(tmp):
        return 'a temporary directory is left'
    return None


def main():
    trace, scratch, n, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    files, rng, bad = load(trace), random.Random(seed), 0
    names = sorted(files)
    weights = [1 if 'index' in name else 4 for name in names]
    tmp = os.path.join(scratch, 'tmp')
    os.makedirs(tmp)
    for i in range(n):
        directory = os.path.join(scratch, 'trace')
        shutil.rmtree(directory, ignore_errors=True)
        name = rng.choices(names, weights)[0]
        kind, data = mutate(rng, files[name])
        for path in names:
            whole = os.path.join(directory, path)
            os.makedirs(os.path.dirname(whole), exist_ok=True)
            with open(whole, 'wb') as file:
                file.write(data if path == name else files[path])
        try:
            error = check(directory, tmp)
        except subprocess.TimeoutExpired:
            error = 'it does not end'
        if error:
            bad += 1
            kept = os.path.join(scratch, f'bad-{i}')
            shutil.copytree(directory, kept)
            print(f'mutation {i} ({name}, {kind}): {error}; see {kept}')
    print(f'{n - bad} of {n} are well')
    sys.exit(bad != 0)


main()
