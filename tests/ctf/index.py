#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""LTTng's packet index, written and falsified.

index.py make STREAM...       writes the index of LTTng's stream files, beside them, by the packets' headers
index.py lies                 prints the names of ways to falsify one
index.py lie NAME INDEX...    does so; random-SEED changes some bytes
index.py check DECODE N       a small trace, read by the program DECODE within several times: with its index, with one
                              falsified in each of these ways, and in N random ones, all is as without any"""

import os
import random
import struct
import subprocess
import sys
import tempfile

import ctf

HEAD = struct.Struct('>4I')
ENTRY = struct.Struct('>9Q')
OFFSET, SIZE, CONTENT, BEGIN, END, DISCARDED, STREAM, INSTANCE, SEQUENCE = range(9)


def index(entries, length=ENTRY.size, magic=0xC1F1DCC1, major=1):
    return HEAD.pack(magic, major, 1, length) + b''.join(ENTRY.pack(*e)[:length].ljust(length, b'\7') for e in entries)


def make(path):
    with open(path, 'rb') as file:
        data = file.read()
    entries, at = [], 0
    while at < len(data):
        stream, instance, begin, end, content, size, sequence, discarded = struct.unpack_from('<IQ6Q', data, at + 20)
        entries.append([at, size, content, begin, end, discarded, stream, instance, sequence])
        at += size // 8
    os.makedirs(os.path.join(os.path.dirname(path), 'index'), exist_ok=True)
    with open(os.path.join(os.path.dirname(path), 'index', os.path.basename(path) + '.idx'), 'wb') as file:
        file.write(index(entries))


def read(data):
    length = HEAD.unpack_from(data)[3]
    return [list(ENTRY.unpack_from(data, at)) for at in range(HEAD.size, len(data), length)]


def change(field, by, which=slice(None)):
    """Adds BY to the field of the entries WHICH; by so many eighths of them where that is a pair."""
    def lie(data):
        entries = read(data)
        chosen = which
        if isinstance(which, tuple):
            chosen = slice(len(entries) * which[0] // 8, len(entries) * which[1] // 8)
        for e in entries[chosen]:
            e[field] = (e[field] + by) % (1 << 64)
        return index(entries)
    return lie


def merged(data):
    """Two packets as one, everywhere."""
    out = []
    for i, e in enumerate(read(data)):
        if i % 2 == 0:
            out.append(e)
        else:
            out[-1][SIZE] += e[SIZE]
            out[-1][END] = e[END]
    return index(out)


def split(data):
    """The packets in the middle as two halves, of which the first says what the packet does."""
    entries = read(data)
    out = entries[:len(entries) // 3]
    for e in entries[len(out):]:
        half = e[SIZE] // 16 * 8
        out.append(e[:])
        out[-1][SIZE] = half
        out[-1][CONTENT] = min(e[CONTENT], half)
        out.append(e[:])
        out[-1][OFFSET] += half // 8
        out[-1][SIZE] -= half
        out[-1][CONTENT] = min(e[CONTENT], e[SIZE] - half)
    return index(out)


def hidden(data):
    """The packets from the middle on are from before it, but for the last ones."""
    entries = read(data)
    for e in entries[len(entries) // 2:-4]:
        e[BEGIN] = e[END] = entries[len(entries) // 2 - 1][END]
    return index(entries)


def shifted(data):
    """Each packet has the times of another."""
    entries = read(data)
    times = [e[BEGIN:END + 1] for e in entries]
    for e, other in zip(entries, times[1:] + times[:1]):
        e[BEGIN:END + 1] = other
    return index(entries)


LIES = {
    'empty': lambda data: b'',
    'head_cut': lambda data: data[:7],
    'head_alone': lambda data: data[:HEAD.size],
    'entry_cut': lambda data: data[:-5],
    'half': lambda data: data[:HEAD.size + len(read(data)) // 2 * ENTRY.size],
    'magic': lambda data: index(read(data), magic=0xC1F1DCC2),
    'major': lambda data: index(read(data), major=2),
    'length_0': lambda data: HEAD.pack(0xC1F1DCC1, 1, 1, 0) + data[HEAD.size:],
    'length_48': lambda data: index(read(data), 48),
    'length_57': lambda data: HEAD.pack(0xC1F1DCC1, 1, 1, 57) + data[HEAD.size:],
    'length_huge': lambda data: HEAD.pack(0xC1F1DCC1, 1, 1, 0xFFFFFFF8) + data[HEAD.size:],
    'little_endian': lambda data: b''.join(data[i:i + 8][::-1] for i in range(0, len(data), 8)),
    'more': lambda data: data + data[HEAD.size:],
    'noise': lambda data: random.Random(1).randbytes(len(data)),
    'offsets': change(OFFSET, 8),
    'offset_last': change(OFFSET, 1 << 40, slice(-1, None)),
    'sizes': change(SIZE, 8),
    'sizes_0': lambda data: index([[*e[:SIZE], 0, 0, *e[BEGIN:]] for e in read(data)]),
    'sizes_huge': change(SIZE, 0xFFFFFFFF00000000),
    'size_odd': change(SIZE, 1),
    'contents': change(CONTENT, -8),
    'contents_huge': change(CONTENT, 1 << 40),
    'merged': merged,
    'split': split,
    'early': change(BEGIN, -1),
    'late': change(END, 1),
    'begins_0': lambda data: index([[*e[:BEGIN], 0, *e[END:]] for e in read(data)]),
    'ends_huge': change(END, 1 << 62),
    'times': shifted,
    'times_hidden': hidden,
    'time_of_some': change(END, 1, (3, 4)),
    'discarded': change(DISCARDED, 1),
    'discarded_of_some': change(DISCARDED, 1 << 63, (3, 4)),
    'stream': change(STREAM, 7),
    'instance': change(INSTANCE, 1),
    'sequence': change(SEQUENCE, 1),
    'sequence_of_some': change(SEQUENCE, 1, (3, 4)),
    # These are no lies.
    'version_1_0': lambda data: index(read(data), 56),
    'longer_entries': lambda data: index(read(data), 96),
}


def noise(seed):
    def lie(data):
        dice, out = random.Random(seed), bytearray(data)
        for _ in range(dice.randint(1, 3)):
            at, kind = dice.randrange(len(out)), dice.randrange(3)
            if kind == 0:
                out[at] ^= 1 << dice.randrange(8)
            elif kind == 1:
                out[at] = dice.choice([0, 1, 0x7f, 0x80, 0xff])
            elif dice.randrange(4) == 0:
                del out[at:at + dice.randint(1, 100)]
            else:
                out[at:at + 8] = dice.choice([bytes(8), b'\xff' * 8, dice.randbytes(8), out[at - 72:at - 64]])
        return bytes(out)
    return lie


def small_trace():
    """Forty packets as LTTng has them: events are lost, a counter is 0 once, numbers are missing, a time is idle."""
    dice, event = random.Random(8), ctf.Event('e', ctf.Struct([('x', ctf.U32)]))
    context = ctf.packet_context()
    context.fields.insert(4, ('packet_seq_num', ctf.U64))
    header = ctf.Struct([*ctf.HEADER.fields, ('stream_instance_id', ctf.U64)])
    packets, at, discarded = [], 1000, 0
    for i in range(40):
        begin = at
        events = []
        for _ in range(dice.randint(0, 5)):
            at += dice.randint(0, 50)
            events.append((event, [0, at], [], [], [dice.randrange(1 << 32)], at))
        at += dice.randint(0, 30)
        discarded += 3 if i == 21 else dice.choice([0, 0, 0, 3])
        sequence = i + (i > 30) * 2
        packets.append(ctf.Packet([begin, at, None, None, sequence, 0 if i == 11 else discarded, 0], events,
                                  padding=dice.randint(0, 20)))
        at += 5000 if i == 20 else dice.choice([0, 1, 10])
    return ctf.Trace([event], {'s': packets}, streams=[ctf.Stream(packet=context)], header=header)


def check(decode, count):
    trace, bad = small_trace(), 0
    with tempfile.TemporaryDirectory() as directory:
        trace.write(directory, 1)
        path = directory + '/index/s.idx'
        make(directory + '/s')
        with open(path, 'rb') as file:
            true = file.read()
        times = [t for e in read(true) for t in e[BEGIN:END + 1]]
        windows = [(0, 1 << 40), (times[10], times[11]), (times[40], times[44]), (times[41] + 9, times[41] + 99),
                   (times[60], 1 << 40), (0, times[24]), (times[24], 1 << 40), (times[26], 1 << 40),
                   (times[-1] + 1, 1 << 40), (0, 1)]

        def said():
            runs = [subprocess.run([decode, directory], capture_output=True, env={
                **os.environ, 'BEGIN': str(1795000000000000000 + a), 'END': str(1795000000000000000 + b)})
                for a, b in windows]
            return [(run.returncode, run.stdout, run.stderr) for run in runs]
        os.remove(path)
        want = said()
        lies = {'truth': lambda data: data, **LIES, **{'random-%d' % i: noise(i) for i in range(count)}}
        for name, lie in lies.items():
            with open(path, 'wb') as file:
                file.write(lie(true))
            if said() != want:
                bad += 1
                print(name)
    print('%d of %d wrong, %d outputs' % (bad, len(lies), len({out for _, out, _ in want})))
    return bad


def main():
    what, *rest = sys.argv[1:]
    if what == 'check':
        sys.exit(check(rest[0], int(rest[1])) != 0)
    elif what == 'make':
        for path in rest:
            make(path)
    elif what == 'lies':
        print('\n'.join(LIES))
    else:
        name = rest[0]
        lie = noise(int(name[7:])) if name.startswith('random-') else LIES[name]
        for path in rest[1:]:
            with open(path, 'rb') as file:
                data = file.read()
            with open(path, 'wb') as file:
                file.write(lie(data))


if __name__ == '__main__':
    main()
