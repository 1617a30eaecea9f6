#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cases.py DIRECTORY: one small trace for each rule of CTF 1.8.3, as DIRECTORY/NAME/{1,2}/ (the metadata as
TSDL, and as JSON where CTF 2 can say the same), with DIRECTORY/NAME/records, what comes of it."""

import os
import random
import sys

from ctf import (Array, Clock, Enum, Event, Float, HEADER, Int, Json, Named, Optional, Packet, Str, Stream, Struct,
                 Trace, U8, U16, U32, U64, UUID, Variant, MAGIC, escape, event_header, packet, packet_context, simple)

CASES = {}
ONLY_1, ONLY_2 = set(), set()      # what the other version cannot say


def case(function):
    CASES[function.__name__] = function
    return function


def only_1(function):
    ONLY_1.add(function.__name__)
    return case(function)


def only_2(function):
    ONLY_2.add(function.__name__)
    return case(function)


def extremes(size, signed):
    low, high = (-(1 << size - 1), (1 << size - 1) - 1) if signed else (0, (1 << size) - 1)
    some = 0x5a3c96e1f0d2b487 & high
    return [low, high, some, low // 2]


# 4.1.5, 4.1.6: integers of all sizes, at all places within bytes, in both byte orders
def all_integers(order, signed):
    rows, fields = [], []
    for size in range(1, 65):
        fields.append(('f%d' % size, Int(size, align=1, signed=signed)))
    for k in range(4):
        rows.append([extremes(size, signed)[k] for size in range(1, 65)])
    # Eight beginnings: an integer of 1 to 8 bits before all others.
    return [simple([('pad', Int(shift, align=1))] + fields, [[shift % 2] + row for row in rows], order=order)
            for shift in range(1, 9)]


@case
def integers_le_unsigned():
    return all_integers('le', False)


@case
def integers_le_signed():
    return all_integers('le', True)


@case
def integers_be_unsigned():
    return all_integers('be', False)


@case
def integers_be_signed():
    return all_integers('be', True)


@case
def integers_aligned():
    fields, row = [], []
    for align in (1, 2, 4, 8, 16, 32, 64, 128):
        for size in (3, 8, 13, 16, 32, 64):
            fields.append(('a%d_%d' % (align, size), Int(size, align=align)))
            row.append(extremes(size, False)[2])
    return [simple(fields, [row, row[::-1] and row], order=order) for order in ('le', 'be')]


@case
def integers_of_the_other_order():
    fields = [('n%d' % size, Int(size, order=order, signed=signed))
              for size in (8, 16, 32, 64) for signed in (False, True) for order in ('le', 'be')]
    fields = [('%s_%d' % (n, i), t) for i, (n, t) in enumerate(fields)]
    return [simple(fields, [[extremes(t.size, t.signed)[k] for _, t in fields] for k in range(4)], order=order)
            for order in ('le', 'be')]


@case
def integers_of_all_bases():
    fields = [('b%d_%d_%s' % (base, size, signed), Int(size, base=base, signed=signed))
              for base in (2, 8, 10, 16) for size in (7, 8, 16, 32, 64) for signed in (False, True)]
    return [simple(fields, [[extremes(t.size, t.signed)[k] for _, t in fields] for k in range(4)])]


LABELS = [('zero', 0, 0), ('one', 1, 1), ('some', 2, 9), ('of two words', 11, 12), ('also', 8, 20)]


@case
def enumerations():
    return [simple([('e', Enum(LABELS, size, order=order))], [[v] for v in (0, 1, 2, 8, 9, 10, 12, 20, 21)])
            for size, order in ((5, None), (8, None), (16, 'be'), (64, 'le'))]


@case
def enumerations_signed():
    labels = [('low', -128, -100), ('minus', -1, -1), ('zero', 0, 0), ('high', 100, 127)]
    return [simple([('e', Enum(labels, 8, signed=True))], [[v] for v in (-128, -100, -99, -1, 0, 99, 127)])]


@case
def enumerations_implicit():
    labels = [('a', 0, 0), ('b', 1, 1), ('c', 7, 7), ('d', 8, 8), ('e', 10, 12), ('f', 13, 13)]
    return [simple([('e', Enum(labels, 8, implicit=True))], [[v] for v in range(15)])]


@case
def enumerations_64():
    big = (1 << 64) - 1
    labels = [('top', big, big), ('half', 1 << 63, big - 1)]
    return [simple([('e', Enum(labels, 64))], [[v] for v in (0, 1 << 63, big - 1, big)])]


@case
def enumerations_many():
    labels = [('l%d' % i, 3 * i, 3 * i + 1) for i in range(300)]
    random.Random(1).shuffle(labels)
    return [simple([('e', Enum(labels, 16))], [[v] for v in range(0, 910, 7)])]


@case
def floats():
    values = [0.0, 1.0, -1.0, 0.5, -0.25, 1234.5, 16777216.0, 3.0517578125e-05]
    return [simple([('f', Float(32, order=order)), ('d', Float(64, order=order))], [[v, v] for v in values],
                   order=trace) for order in (None, 'le', 'be') for trace in ('le', 'be')]


@case
def floats_unaligned():
    return [simple([('p', Int(3)), ('f', Float(32, align=1)), ('d', Float(64, align=1))], [[5, 1.5, -2.75]],
                   order=order) for order in ('le', 'be')]


@case
def strings():
    return [simple([('p', Int(3)), ('s', Str()), ('t', Str()), ('n', U8)],
                   [[1, b'', b'abc', 7], [2, b'with blanks\tand\\more\n', 'ä€'.encode(), 8],
                    [3, b'x' * 300, bytes(range(1, 128)), 9]])]


TEXT = Int(8, text=True)


@case
def text_arrays():
    return [simple([('p', Int(5)), ('a', Array(TEXT, 8)), ('n', U8), ('b', Array(TEXT, 'n'))],
                   [[1, list(b'abcdefgh'), 3, list(b'xyz')], [2, list(b'ab\0\0\0\0\0\0'), 0, []],
                    [3, list(b'\0bcdefgh'), 5, list(b'a\tb\0c')]])]


@case
def structures():
    inner = Struct([('a', U8), ('b', U16)])
    return [simple([('x', Int(3)), ('s', inner), ('y', Int(2)), ('t', Struct([('u', inner), ('v', Int(1))]))],
                   [[1, [2, 3], 1, [[4, 5], 1]]])]


@case
def structures_aligned():
    return [simple([('x', Int(3)), ('s', Struct([('a', Int(5)), ('b', Int(7))], align=align)), ('y', Int(2)),
                    ('z', Struct([('q', Int(16, align=32))]))], [[1, [2, 3], 1, [9]]])
            for align in (1, 2, 8, 16, 64)]


@case
def structures_empty():
    return [simple([('s', Struct([])), ('x', U8), ('t', Struct([('in', Struct([], align=32))])), ('y', U8)],
                   [[[], 1, [[]], 2]])]


@case
def arrays():
    return [simple([('p', Int(1)), ('a', Array(Int(3), 5)), ('b', Array(U16, 3)), ('z', Array(U8, 0)),
                    ('c', Array(Array(U8, 2), 3)), ('s', Array(Struct([('x', U8), ('y', Int(4))]), 2)),
                    ('t', Array(Str(), 2))],
                   [[1, [1, 2, 3, 4, 5], [7, 8, 9], [], [[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4]], [b'a', b'']]])]


@case
def arrays_aligned():
    return [simple([('p', Int(1)), ('a', Array(Int(5, align=16), 3)),
                    ('b', Array(Struct([('x', Int(3))], align=8), 3)), ('q', Int(2))],
                   [[1, [1, 2, 3], [[1], [2], [3]], 3]])]


@case
def sequences():
    return [simple([('n', Int(5)), ('a', Array(Int(3), 'n')), ('m', U8), ('b', Array(Str(), 'm')),
                    ('c', Array(Array(U8, 2), 'm'))],
                   [[0, [], 2, [b'x', b'y'], [[1, 2], [3, 4]]], [4, [1, 2, 3, 4], 0, [], []]])]


@case
def sequences_nested():
    row = Struct([('k', U8), ('v', Array(U8, 'k', path=(None, 'k')))])
    return [simple([('n', U8), ('rows', Array(row, 'n'))],
                   [[2, [[1, [5]], [2, [6, 7]]]], [3, [[0, []], [0, []], [1, [9]]]]])]


@case
def sequences_of_sequences():
    return [simple([('n', U8), ('m', U8), ('a', Array(Array(U16, 'm'), 'n'))],
                   [[2, 3, [[1, 2, 3], [4, 5, 6]]], [0, 4, []], [2, 0, [[], []]]])]


@case
def sequences_by_absolute_names():
    inner = Struct([('n', U8)])
    return [simple([('s', inner), ('a', Array(U8, 'event.fields.s.n')), ('b', Array(U8, 's.n', path=(None, 's', 'n')))],
                   [[[2], [1, 2], [3, 4]]])]


@case
def sequences_by_the_innermost_name():
    inner = Struct([('n', U8), ('a', Array(U8, 'n'))])
    return [simple([('n', U8), ('s', inner), ('b', Array(U8, 'n'))], [[1, [2, [1, 2]], [7]]])]


def scoped(reference, fields, common=None, own=None, header=None, context=None):
    """An event whose payload's sequence has its length elsewhere."""
    event = Event('e', Struct(fields), context=own)
    stream = Stream(context=common, header=header, packet=context)
    return event, stream


@case
def sequences_by_stream_context():
    common = Struct([('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'stream.event.context.n'))]))
    rows = [(event, [0, 1000 + i], [i], None, [list(range(i))], 1000 + i) for i in range(4)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(context=common)])]


@case
def sequences_by_event_context():
    own = Struct([('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'event.context.n'))]), context=own)
    rows = [(event, [0, 1000 + i], None, [i], [list(range(i))], 1000 + i) for i in range(4)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]})]


@case
def contexts_that_come_again():
    """Several kinds of event, what is behind the contexts aligned in one of them by an empty context of its own."""
    common = Struct([('n', Int(16, align=16)), ('h', Int(32, base=16)), ('s', Int(8, signed=True))])
    kinds = [Event('p', Struct([('x', U8)])), Event('q', Struct([('y', U8)]), id=1, context=Struct([], align=64)),
             Event('r', Struct([('z', U8)]), id=2, context=Struct([('own', U8)]))]
    rows = []
    for i in range(60):
        kind = kinds[i * i % 7 % 3]
        own = None if kind.id == 0 else [] if kind.id == 1 else [i % 3]
        rows.append((kind, [kind.id, 1000 + i], [i // 7, 0xabc, -(i // 13)], own, [i], 1000 + i))
    return [Trace(kinds, {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(context=common)])]


@case
def sequences_by_event_header():
    header = Struct(event_header().fields + [('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'stream.event.header.n'))]))
    rows = [(event, [0, 1000 + i, i], None, None, [list(range(i))], 1000 + i) for i in range(4)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(header=header)])]


@case
def sequences_by_packet_context():
    context = Struct(packet_context().fields + [('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'stream.packet.context.n'))]))
    packets = [Packet([1000 * k, 1000 * k + 9, None, None, 0, 1, k],
                      [(event, [0, 1000 * k + i], None, None, [list(range(k))], 1000 * k + i) for i in range(3)])
               for k in range(1, 4)]
    return [Trace([event], {'s': packets}, streams=[Stream(packet=context)])]


@case
def sequences_by_packet_header():
    header = Struct(HEADER.fields + [('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'trace.packet.header.n'))]),
                  context=Struct([('b', Array(U8, 'trace.packet.header.n'))]))
    packets = [Packet([1000 * k, 1000 * k + 9, None, None, 0, 1],
                      [(event, [0, 1000 * k + i], None, [[i] * k], [list(range(k))], 1000 * k + i)
                       for i in range(3)], header=[MAGIC, list(UUID), 0, k]) for k in range(1, 4)]
    return [Trace([event], {'s': packets}, header=header)]


@only_1
def sequences_by_names_in_scopes_before():
    common = Struct([('n', U8)])
    event = Event('e', Struct([('a', Array(U8, 'n'))]))
    rows = [(event, [0, 1000 + i], [i], None, [list(range(i))], 1000 + i) for i in range(4)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(context=common)])]


TAG = Enum([('a', 0, 0), ('b', 1, 3), ('c', 4, 4), ('b', 7, 7)], 8)


def choice(tag, path=None):
    return Variant(tag, [('a', U32), ('b', Str()), ('c', Struct([('x', U8), ('y', Int(4))]))], path=path, enum=TAG)


ROWS = [(0, ('a', 77)), (1, ('b', b'text')), (3, ('b', b'')), (4, ('c', [1, 2])), (7, ('b', b'seven'))]


@case
def variants():
    return [simple([('tag', TAG), ('v', choice('tag')), ('n', U8)], [[t, v, 9] for t, v in ROWS])]


@case
def variants_nested():
    second = Enum([('p', 0, 0), ('q', 1, 1)], 8)
    inner = Struct([('t2', second), ('w', Variant('t2', [('p', U8), ('q', U16)], enum=second))])
    outer = Variant('tag', [('a', inner), ('b', Str())], enum=TAG)
    return [simple([('tag', TAG), ('v', outer)], [[0, ('a', [0, ('p', 5)])], [0, ('a', [1, ('q', 600)])],
                                                  [1, ('b', b's')]])]


@case
def variants_in_arrays():
    element = Struct([('tag', TAG), ('v', choice('tag'))])
    return [simple([('list', Array(element, 5))], [[[[t, v] for t, v in ROWS]]])]


@case
def variants_by_absolute_names():
    return [simple([('s', Struct([('tag', TAG)])), ('v', choice('event.fields.s.tag'))], [[[t], v] for t, v in ROWS])]


@case
def variants_by_stream_context():
    event = Event('e', Struct([('v', choice('stream.event.context.tag'))]))
    rows = [(event, [0, 1000 + i], [t], None, [v], 1000 + i) for i, (t, v) in enumerate(ROWS)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]},
                  streams=[Stream(context=Struct([('tag', TAG)]))])]


@case
def variants_by_event_header():
    header = Struct(event_header().fields + [('tag', TAG)])
    event = Event('e', Struct([('v', choice('stream.event.header.tag'))]))
    rows = [(event, [0, 1000 + i, t], None, None, [v], 1000 + i) for i, (t, v) in enumerate(ROWS)]
    return [Trace([event], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(header=header)])]


# 7.3: names of types
def named(before, text, of, rows):
    return [simple([('x', Named(text, of)), ('y', U8)], [[r, 1] for r in rows], before=before)]


@case
def typealias():
    return named('typealias integer { size = 12; align = 4; } := u12;\n', 'u12', Int(12, align=4), [1, 4095])


@case
def typealias_of_several_words():
    return named('typealias integer { size = 64; align = 8; signed = true; } := long long int;\n', 'long long int',
                 Int(64, signed=True), [-5, 5])


@case
def typealias_of_a_pointer():
    return named('typealias integer { size = 64; align = 8; base = 16; } := void *;\n', 'void *', Int(64, base=16),
                 [0xdeadbeef])


@case
def typedef():
    return named('typedef integer { size = 8; align = 8; } byte;\ntypedef byte row[3];\n', 'row', Array(U8, 3),
                 [[1, 2, 3]])


@case
def typedef_const():
    return named('typedef integer { size = 8; align = 8; } byte;\n', 'const byte', U8, [3])


@case
def named_structure():
    return named('struct pair { integer { size = 8; } a; integer { size = 16; } b; };\n', 'struct pair',
                 Struct([('a', U8), ('b', U16)]), [[1, 2]])


@case
def named_enumeration():
    return named('enum colour : integer { size = 8; } { RED, GREEN = 5 ... 7, BLUE };\n', 'enum colour',
                 Enum([('RED', 0, 0), ('GREEN', 5, 7), ('BLUE', 8, 8)], 8), [0, 5, 8, 9])


@case
def enumeration_of_int():
    return named('typealias integer { size = 32; align = 8; signed = true; } := int;\n', 'enum { a, b = -1 }',
                 Enum([('a', 0, 0), ('b', -1, -1)], 32, signed=True), [0, -1, 1])


@case
def named_variant():
    before = ('enum tags : integer { size = 8; } { a, b = 1 ... 3, c = 4, b = 7 };\n'
              'variant choices { integer { size = 32; align = 8; } a; string b; '
              'struct { integer { size = 8; } x; integer { size = 4; } y; } c; };\n')
    return [simple([('tag', Named('enum tags', TAG)), ('v', Named('variant choices <tag>', choice('tag')))],
                   [[t, v] for t, v in ROWS], before=before)]


@case
def inner_names_hide_outer_ones():
    text = 'struct { typealias integer { size = 16; align = 8; } := t; t a; }'
    before = 'typealias integer { size = 8; align = 8; } := t;\n'
    return [simple([('s', Named(text, Struct([('a', U16)]))), ('b', Named('t', U8))], [[[500], 7]], before=before)]


@case
def reserved_words_behind_underscores():
    return [simple([('_event', U8), ('_stream', U8), ('_integer', U8)], [[1, 2, 3]])]


@case
def comments_and_numbers():
    before = '/* a * b ** / */ // line } {\ntypealias integer { size = 0x10; align = 010; } := t;\n'
    return named(before, 't', U16, [65535])


# 6: packets and events
@case
def header_of_only_an_id():
    e, f = Event('e', Struct([('x', U8)]), id=3), Event('f', Struct([('y', U16)]), id=200)
    header = Struct([('id', Int(8, roles=['event-record-class-id']))])
    rows = [(e, [3], None, None, [1], None), (f, [200], None, None, [2], None), (e, [3], None, None, [3], None)]
    return [Trace([e, f], {'s': [Packet([None, None], rows)]}, clocks=[],
                  streams=[Stream(header=header, clock=None,
                                  packet=Struct([('content_size', Int(32, roles=['packet-content-length'])),
                                                 ('packet_size', Int(32, roles=['packet-total-length']))]))])]


@case
def header_of_only_a_time():
    e = Event('e', Struct([('x', U8)]))
    header = Struct([('timestamp', Int(64, clock='c', roles=['default-clock-timestamp']))])
    rows = [(e, [1000 + i], None, None, [i], 1000 + i) for i in range(3)]
    return [Trace([e], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(header=header)])]


def lttng_header(bits, size, tag_align):
    """LTTng's compact and large headers."""
    tag = Enum([('compact', 0, (1 << bits) - 2), ('extended', (1 << bits) - 1, (1 << bits) - 1)], bits,
               align=tag_align, roles=['event-record-class-id'])
    short = Struct([('timestamp', Int(size, align=tag_align, clock='c', roles=['default-clock-timestamp']))])
    full = Struct([('id', Int(32, roles=['event-record-class-id'])),
                   ('timestamp', Int(64, clock='c', roles=['default-clock-timestamp']))])
    return Struct([('id', tag), ('v', Variant('id', [('compact', short), ('extended', full)], enum=tag))], align=8)


def lttng_events(bits, size, order, tag_align=1):
    e, f = Event('e', Struct([('x', U8)]), id=2), Event('f', Struct([('y', U16)]), id=70000)
    mask, top, rows, time = (1 << size) - 1, (1 << bits) - 1, [], (1 << size) - 3
    begin = time
    for i in range(12):
        time += 1 << (size - 2) if i % 4 == 3 else 1        # passes the end of the short form twice
        if i % 3 == 2:
            rows.append((f, [top, ('extended', [70000, time])], None, None, [i], time))
        else:
            rows.append((e, [2, ('compact', [time & mask])], None, None, [i], time))
    return Trace([e, f], {'s': [Packet([begin, time, None, None, 0, 1], rows, padding=8)]}, order=order,
                 streams=[Stream(header=lttng_header(bits, size, tag_align))])


@case
def header_compact():
    return [lttng_events(5, 27, order) for order in ('le', 'be')]


@case
def header_large():
    return [lttng_events(16, 32, order, 8) for order in ('le', 'be')]


@case
def header_of_other_widths():
    return [lttng_events(3, 13, order) for order in ('le', 'be')]


@case
def packet_header_without_uuid():
    header = Struct([('magic', Int(32, roles=['packet-magic-number'])),
                     ('stream_id', Int(8, roles=['data-stream-class-id']))])
    return [simple([('x', U8)], [[1], [2]], header=header)]


@case
def packet_header_of_a_stream_id():
    return [simple([('x', U8)], [[1], [2]], header=Struct([('stream_id', Int(8, roles=['data-stream-class-id']))]))]


@case
def packet_header_of_a_magic():
    return [simple([('x', U8)], [[1], [2]], header=Struct([('magic', Int(32, roles=['packet-magic-number']))]))]


@case
def packet_header_none():
    return [simple([('x', U8)], [[1], [2]], header=None)]


@case
def packet_context_none():
    e = Event('e', Struct([('x', U8)]))
    stream = Stream()
    stream.packet = None
    rows = [(e, [0, 1000 + i], None, None, [i], 1000 + i) for i in range(3)]
    return [Trace([e], {'s': [Packet([], rows)]}, streams=[stream])]


@case
def packet_context_of_sizes():
    e = Event('e', Struct([('x', U8)]))
    context = Struct([('packet_size', Int(32, roles=['packet-total-length'])),
                      ('content_size', Int(32, roles=['packet-content-length']))])
    packets = [Packet([None, None], [(e, [0, 1000 + 10 * k + i], None, None, [i], 1000 + 10 * k + i)
                                     for i in range(3)], padding=5) for k in range(3)]
    return [Trace([e], {'s': packets}, streams=[Stream(packet=context)])]


@case
def packets_empty():
    e = Event('e', Struct([('x', U8)]))
    return [Trace([e], {'s': [packet([], 1000, 1100), packet([(e, [1], 1200)], 1200, 1300),
                              packet([], 1300, 1400, padding=100), packet([(e, [2], 1450)], 1400, 1500)]})]


@case
def several_streams():
    e, f = Event('e', Struct([('x', U8)]), stream=1), Event('f', Struct([('y', U32)]), stream=7)
    one = [packet([(e, [i], 1000 + 7 * i) for i in range(5)], 1000, 2000, cpu=1, stream=1)]
    two = [packet([(f, [i], 1001 + 5 * i) for i in range(5)], 1000, 2000, cpu=2, stream=7)]
    return [Trace([e, f], {'a': one, 'b': two}, streams=[Stream(id=1), Stream(id=7)])]


@case
def several_clocks():
    e, f = Event('e', Struct([('x', U8)]), stream=1), Event('f', Struct([('y', U32)]), stream=7)
    one = [packet([(e, [i], 1000 + 7 * i) for i in range(5)], 1000, 2000, stream=1)]
    two = [packet([(f, [i], 1001 + 5 * i) for i in range(5)], 1000, 2000, stream=7)]
    return [Trace([e, f], {'a': one, 'b': two}, clocks=[Clock('k'), Clock('l', freq=2000000000, offset=1234)],
                  streams=[Stream(id=1, clock='k'), Stream(id=7, clock='l')])]


@case
def clock_frequencies():
    return [simple([('x', U8)], [[1], [2], [3]], clocks=[Clock(freq=freq, offset_s=seconds, offset=offset)])
            for freq, seconds, offset in ((1000000000, 1795000000, 123456789), (1000, 1795000000, 0),
                                          (2500000000, 1795000000, 7), (3, 1795000000, 4), (1000000, 0, 0),
                                          (1000000000, 0, 1795000000123456789), (32768, 1795000000, 5 * 32768 + 1))]


@case
def times_that_do_not_fit():
    """An event whose time does not fit has that of the one before; the first one, 0."""
    last = (1 << 63) // 1000000000 - 2  # second
    clock = Clock(offset_s=last)
    e = Event('e', Struct([('x', U8)]))
    times = [(1 << 62) + 5, 2854775807, 2854775808, 10, (1 << 63) + 7, 20]
    shown = [0, clock.ns(2854775807), clock.ns(2854775807), clock.ns(10), clock.ns(10), clock.ns(20)]
    events = [(e, [i], time) for i, time in enumerate(times)]
    trace = Trace([e], {'s': [packet(events, 0, 100)]}, clocks=[clock])
    trace.records = lambda: ''.join('ts=%d\tev=e\tcpu=0\tx=%d\n' % (ts, i) for i, ts in enumerate(shown)).encode()
    return [trace]


@case
def times_wrap_across_packets():
    e = Event('e', Struct([('x', U8)]))
    header = Struct([('id', Int(8, roles=['event-record-class-id'])),
                     ('timestamp', Int(8, clock='c', roles=['default-clock-timestamp']))])
    packets, time = [], 1000
    for k in range(4):
        begin, rows = time, []
        for i in range(5):
            time += 150
            rows.append((e, [0, time & 255], None, None, [i], time))
        packets.append(Packet([begin, time, None, None, 0, 1], rows))
    return [Trace([e], {'s': packets}, streams=[Stream(header=header)])]


@case
def contexts():
    common, own = Struct([('_cpu_cycles', U64), ('_prio', Int(32, signed=True))]), Struct([('ip', Int(64, base=16))])
    e = Event('e', Struct([('x', U8)]), context=own)
    rows = [(e, [0, 1000 + i], [10 * i, -i], [0xffff0000 + i], [i], 1000 + i) for i in range(3)]
    return [Trace([e], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(context=common)])]


@case
def contexts_of_other_alignments():
    common, own = Struct([('a', Int(3)), ('b', Int(16, align=32))]), Struct([('s', Str()), ('c', Int(5))])
    e = Event('e', Struct([('x', Int(2)), ('y', Int(32, align=64))]), context=own)
    rows = [(e, [0, 1000 + i], [i, 100 + i], [b'text%d' % i, i], [i, i], 1000 + i) for i in range(3)]
    return [Trace([e], {'s': [Packet([1000, 2000, None, None, 0, 1], rows)]}, streams=[Stream(context=common)])]


# CTF 2, 5.3: types that CTF 1.8 does not have
def bits_of(size, order, value):
    return lambda bits, v: bits.put(value(v), size, order)


def flip(value, size):
    return int(bin(value)[2:].zfill(size)[::-1], 2)


@only_2
def bit_arrays():
    def bit_array(size, order, bit_order=None, align=1):
        json = {'type': 'fixed-length-bit-array', 'length': size, 'alignment': align,
                'byte-order': 'little-endian' if order == 'le' else 'big-endian'}
        turned = False
        if bit_order:
            json['bit-order'] = bit_order
            turned = bit_order != ('first-to-last' if order == 'le' else 'last-to-first')
        return Json(json, lambda bits, v: bits.put(flip(v, size) if turned else v, size, order), hex, align)
    fields = [('a%d_%s_%s' % (size, order, (bits or 'none')[:4]), bit_array(size, order, bits, align))
              for size, align in ((1, 8), (13, 8), (16, 8), (64, 32)) for order in ('le', 'be')
              for bits in (None, 'first-to-last', 'last-to-first')]
    return [simple(fields, [[0x5a3c96e1f0d2b483 & ((1 << t.text['length']) - 1) for _, t in fields]])]


@only_2
def integers_of_the_other_bit_order():
    def turned(size, order, signed, align):
        json = Int(size, align=align, signed=signed, order=order).json(None)
        json['bit-order'] = 'last-to-first' if order == 'le' else 'first-to-last'
        return Json(json, lambda bits, v: bits.put(flip(v & ((1 << size) - 1), size), size, order), str, align)
    fields = [('a%d_%s_%s' % (size, order, signed), turned(size, order, signed, align))
              for size, align in ((5, 8), (8, 8), (32, 8)) for order in ('le', 'be') for signed in (False, True)]
    return [simple(fields, [[3] * len(fields), [9] * len(fields)])]


@only_2
def bit_maps():
    json = {'type': 'fixed-length-bit-map', 'length': 12, 'byte-order': 'little-endian',
            'flags': {'low': [[0, 0]], 'some': [[1, 3], [8, 8]], 'top': [[11, 11]]}}

    def show(v):
        names = [n for n, mask in (('low', 1), ('some', 0x10e), ('some', 0), ('top', 0x800)) if v & mask]
        return '|'.join(names) if names else hex(v)
    return [simple([('m', Json(json, lambda bits, v: bits.put(v, 12, 'le'), show))],
                   [[v] for v in (0, 1, 2, 0x10, 0x801, 0x100)])]


def boolean(size, align=1):
    return Json({'type': 'fixed-length-boolean', 'length': size, 'byte-order': 'little-endian', 'alignment': align},
                lambda bits, v: bits.put(v, size, 'le'), lambda v: str(int(v != 0)), align)


@only_2
def booleans():
    return [simple([('a', boolean(1)), ('b', boolean(7)), ('c', boolean(32, 8))], [[0, 0, 0], [1, 64, 0x10000]])]


def leb(signed=False, base=10, roles=None):
    def pack(bits, v):
        while True:
            byte = v & 0x7f
            v >>= 7
            more = v != 0 if not signed else not ((v == 0 and not byte & 0x40) or (v == -1 and byte & 0x40))
            bits.put(byte | (0x80 if more else 0), 8, 'le')
            if not more:
                return
    json = {'type': 'variable-length-%s-integer' % ('signed' if signed else 'unsigned'),
            'preferred-display-base': base}
    if roles:
        json['roles'] = roles
    return Json(json, pack, (lambda v: '0x%x' % (v & 0xffffffffffffffff)) if base == 16 else str, 8)


@only_2
def variable_length_integers():
    values = [0, 1, 63, 64, 127, 128, 300, 16383, 16384, (1 << 32) - 1, (1 << 63) - 1]
    fields = [('p', Int(3)), ('u', leb()), ('s', leb(True)), ('x', leb(base=16)), ('y', leb(True, 16))]
    rows = [[1, v, v if i % 2 else -v, v, -v] for i, v in enumerate(values)]
    return [simple(fields, rows + [[1, (1 << 64) - 1, -(1 << 63), (1 << 64) - 1, -1]])]


@only_2
def variable_length_lengths():
    return [simple([('n', leb()), ('a', Array(U8, 'n'))], [[0, []], [3, [1, 2, 3]]])]


@only_2
def variable_length_headers():
    header = Struct([('id', leb(roles=['event-record-class-id'])), ('t', leb(roles=['default-clock-timestamp']))])
    e, f = Event('e', Struct([('x', U8)]), id=3), Event('f', Struct([('y', U8)]), id=300)
    rows, time = [], 1000
    for i in range(8):
        time += 300
        # The low bits alone, where they say enough: 14 of them.
        rows.append((e if i % 2 else f, [3 if i % 2 else 300, time & 0x3fff | 0x2000 if False else time], None, None,
                     [i], time))
    return [Trace([e, f], {'s': [Packet([1000, time, None, None, 0, 1], rows)]}, streams=[Stream(header=header)])]


ENCODINGS = ('utf-8', 'utf-16be', 'utf-16le', 'utf-32be', 'utf-32le')
TEXTS = ('', 'plain', 'ä€😀', 'tab\tand\\n')


def shown(text):
    return escape(text.encode())


@only_2
def strings_of_all_encodings():
    def ended(encoding):
        return Json({'type': 'null-terminated-string', 'encoding': encoding},
                    lambda bits, v: [bits.put(b, 8, 'le') for b in (v + '\0').encode(encoding)], shown, 8)
    return [simple([(e.replace('-', ''), ended(e)) for e in ENCODINGS] + [('end', U8)],
                   [[t] * len(ENCODINGS) + [7] for t in TEXTS])]


@only_2
def strings_of_static_length():
    def static(encoding, n):
        return Json({'type': 'static-length-string', 'encoding': encoding, 'length': n},
                    lambda bits, v: [bits.put(b, 8, 'le') for b in v.encode(encoding).ljust(n, b'\0')], shown, 8)
    return [simple([(e.replace('-', ''), static(e, 48)) for e in ENCODINGS] + [('end', U8)],
                   [[t] * len(ENCODINGS) + [7] for t in TEXTS])]


@only_2
def strings_of_dynamic_length():
    def dynamic(encoding):
        return Json({'type': 'dynamic-length-string', 'encoding': encoding, 'length-field-location': {'path': ['n']}},
                    lambda bits, v: [bits.put(b, 8, 'le') for b in v.encode(encoding)], shown, 8)
    return [simple([('n', U8), ('s', dynamic(e)), ('end', U8)], [[len(t.encode(e)), t, 9] for t in TEXTS])
            for e in ENCODINGS]


@only_2
def blobs():
    def put(bits, v):
        for b in v:
            bits.put(b, 8, 'le')
    return [simple([('p', Int(1)), ('a', Json({'type': 'static-length-blob', 'length': 3, 'media-type': 'x/y'}, put,
                                               bytes.hex, 8)), ('n', U8),
                    ('b', Json({'type': 'dynamic-length-blob', 'length-field-location': {'path': ['n']}}, put,
                               bytes.hex, 8))],
                   [[1, b'\0\x01\xff', 0, b''], [0, b'abc', 4, b'\xde\xad\xbe\xef']])]


@only_2
def optionals():
    return [simple([('has', boolean(8)), ('x', Optional(U16, ['has'])), ('sel', Int(8, signed=True)),
                    ('y', Optional(Str(), ['sel'], [[-12, -12], [-5, 0], [15, 35]])), ('z', U8)],
                   [[0, None, 1, None, 1], [2, 500, -12, b'a', 2], [1, 1, -3, b'b', 3], [0, None, 35, b'c', 4],
                    [0, None, 36, None, 5]])]


@only_2
def variants_by_integers():
    json = {'type': 'variant', 'selector-field-location': {'path': ['sel']},
            'options': [{'field-class': {'type': 'null-terminated-string'}, 'selector-field-ranges': [[-5, 5]]},
                        {'field-class': U32.json(Trace([], {})), 'selector-field-ranges': [[6, 6], [10, 20]]}]}

    def pack(bits, v):
        if isinstance(v, bytes):
            Str().pack(bits, v, Trace([], {}))
        else:
            U32.pack(bits, v, Trace([], {}))
    return [simple([('sel', Int(8, signed=signed)), ('v', Json(json, pack, lambda v: v.decode() if isinstance(v, bytes)
                                                               else str(v)))], rows)
            for signed, rows in ((True, [[-5, b'x'], [0, b'y'], [6, 7], [20, 8]]), (False, [[0, b'y'], [5, b'z'], [10, 3]]))]


@only_2
def locations_in_structures_further_out():
    inner = Struct([('a', Array(U8, 'n', path=(None, None, None, 'n'))),
                    ('b', Array(U8, 'n', path=(None, None, 'm', 'n')))])
    return [simple([('n', U8), ('s', Struct([('m', Struct([('n', U8)])), ('t', Array(inner, 2))]))],
                   [[1, [[2], [[[5], [6, 7]], [[8], [9, 10]]]]]])]


@only_2
def aliases_and_names_of_all_kinds():
    trace = simple([('x', U8), ('my field', U8), ('2nd', U8)], [[1, 2, 3]])
    text = trace.json().decode()
    one = json_of(U8)
    alias = '\x1e{"type": "field-class-alias", "name": "byte", "field-class": %s}\n' % one
    alias += '\x1e{"type": "field-class-alias", "name": "u8", "field-class": "byte"}\n'
    first, rest = text.split('\n', 1)
    trace.metadata = (first + '\n' + alias + rest.replace(one, '"u8"')).encode()
    trace.records = lambda: b'ts=1795000000000001000\tev=e\tcpu=0\tx=1\tmy_field=2\t_2nd=3\n'
    return [trace]


def json_of(t):
    import json
    return json.dumps(t.json(Trace([], {})))


@only_2
def attributes_are_passed_over():
    trace = simple([('x', U8)], [[1]])
    trace.metadata = trace.json().replace(b'"length": 8,', b'"length": 8, "attributes": {"a.b": [1, null, {}]},')
    return [trace]


# Counters of what was lost: records tells it between the packets
def counters(bits, packets, losses, sequence=False):
    """packets: (number, discarded, sequence number); losses: packet it comes before -> its fields."""
    e = Event('e', Struct([('x', U8)]))
    fields = packet_context().fields[:4] + [
        ('events_discarded', Int(bits, roles=['discarded-event-record-counter-snapshot'])), ('cpu_id', Int(32))]
    if sequence:
        fields.append(('packet_seq_num', Int(64, roles=['packet-sequence-number'])))
    made, lines = [], ''
    for k, discarded, number in packets:
        made.append(Packet([1000 * k, 1000 * k + 900, None, None, discarded, 1] + [number] * sequence,
                           [(e, [0, 1000 * k + i], None, None, [i], 1000 * k + i) for i in range(2)]))
        if k in losses:
            since, until, n, rest = losses[k]
            ts = 'ts=17950000000000%05d' % since
            lines += '%s\tev=lost\tcpu=1\tn=%s\tsource=s\tfirst_%s\tlast_ts=17950000000000%05d%s\n' % (
                ts, n, ts, until, rest)
        lines += ''.join('ts=17950000000000%05d\tev=e\tcpu=1\tx=%d\n' % (1000 * k + i, i) for i in range(2))
    trace = Trace([e], {'s': made}, streams=[Stream(packet=Struct(fields))])
    trace.records = lines.encode
    return trace


@case
def discarded_events():
    two = [(1, 0, 0), (2, 5, 1), (3, 5, 2)]
    return [counters(64, two, {2: (1900, 2900, 5, '')}),
            counters(64, two, {2: (1900, 2900, 5, '')}, True),
            counters(32, [(1, (1 << 32) - 2, 7), (2, 3, 8)], {1: (1000, 1900, '?', ''), 2: (1900, 2900, 5, '')}, True),
            counters(16, [(1, 65530, 7), (2, 4, 8)], {1: (1000, 1900, '?', ''), 2: (1900, 2900, 10, '')}),
            counters(64, [(1, 3, 0), (2, 3, 1)], {1: (1000, 1900, 3, '')}, True),
            counters(64, [(1, 3, 4), (2, 3, 5)], {1: (1000, 1900, '?', '')}, True),
            counters(64, [(1, 0, 0), (4, 0, 3)], {4: (1900, 4000, '?', '\tpackets=2')}, True),
            counters(64, [(1, 0, 5), (2, 0, 1), (3, 0, 2)], {2: (1900, 2000, '?', '')}, True),
            # A counter that is torn; one that begins anew; one that is torn, and nothing was lost.
            counters(64, [(1, 0, 0), (2, 5, 1), (3, 0, 2), (4, 9, 3)],
                     {2: (1900, 2900, 5, ''), 3: (2900, 3900, '?', ''), 4: (3900, 4900, 4, '')}, True),
            counters(64, [(1, 0, 0), (2, 500, 1), (3, 0, 2), (4, 9, 3)],
                     {2: (1900, 2900, 500, ''), 3: (2900, 3900, '?', ''), 4: (3900, 4900, 9, '')}, True),
            counters(64, [(1, 0, 0), (2, 5, 1), (3, 0, 2), (4, 5, 3)],
                     {2: (1900, 2900, 5, ''), 3: (2900, 3900, '?', '')}, True)]


def random_type(dice, depth, names, path):
    """A type, and a function that makes a value; names: enumerations and lengths seen before."""
    kind = dice.choice(['int'] * 4 + ['enum', 'float', 'str', 'text'] + (['struct', 'array', 'seq', 'variant'] * 2
                                                                         if depth < 3 else []))
    if kind == 'int':
        size = dice.randint(1, 64)
        t = Int(size, align=dice.choice([None, 1, 8, 16, 64]), signed=dice.random() < .5,
                base=dice.choice([2, 8, 10, 16]))
        return t, lambda: dice.choice(extremes(size, t.signed))
    if kind == 'enum':
        size = dice.randint(4, 32)
        low = 0
        labels = []
        for k in range(dice.randint(1, 6)):
            low += dice.randint(0, 2)
            labels.append(('L%d' % k, low, low + dice.randint(0, 3)))
        t = Enum(labels, size, align=dice.choice([1, 8]))
        return t, lambda: dice.randint(0, 15)
    if kind == 'float':
        t = Float(dice.choice([32, 64]), align=dice.choice([1, 8, 32]))
        return t, lambda: dice.randint(-8000, 8000) / 8
    if kind == 'str':
        return Str(), lambda: bytes(dice.randint(1, 255) for _ in range(dice.randint(0, 40)))
    if kind == 'text':
        n = dice.randint(0, 20)
        return Array(TEXT, n), lambda: [dice.randint(0, 255) for _ in range(n)]
    if kind == 'struct':
        return random_struct(dice, depth + 1, dice.choice([1, 8, 32]))
    if kind == 'array':
        element, make = random_type(dice, depth + 1, names, path)
        n = dice.randint(0, 4)
        return (Array(element, n), lambda: [make() for _ in range(n)])
    if kind == 'seq':
        element, make = random_type(dice, depth + 1, names, path)
        n = dice.randint(2, 8)
        t = Struct([('n', Int(n, align=dice.choice([1, 8]))), ('v', Array(element, 'n'))])

        def value():
            k = dice.randint(0, 3)
            return [k, [make() for _ in range(k)]]
        return t, value
    tag = Enum([('o%d' % k, 2 * k, 2 * k + 1) for k in range(3)], 8)
    options, makes = [], []
    for k in range(3):
        element, make = random_type(dice, depth + 1, names, path)
        options.append(('o%d' % k, element))
        makes.append(make)
    t = Struct([('t', tag), ('v', Variant('t', options, enum=tag))])

    def selected():
        k = dice.randint(0, 5)
        return [k, ('o%d' % (k // 2), makes[k // 2]())]
    return t, selected


def random_struct(dice, depth, align=1):
    fields, makes = [], []
    for i in range(dice.randint(1, 6)):
        t, make = random_type(dice, depth, [], [])
        fields.append(('f%d' % i, t))
        makes.append(make)
    return Struct(fields, align), lambda: [make() for make in makes]


def random_trace(seed):
    dice = random.Random(seed)
    t, make = random_struct(dice, 0)
    return simple(t, [make() for _ in range(dice.randint(1, 8))], order=dice.choice(['le', 'be']))


def write(directory, name, trace):
    for version in (1, 2):
        if name.split('-')[0] not in (ONLY_2 if version == 1 else ONLY_1):
            trace.write('%s/%s/%d' % (directory, name, version), version)
    with open('%s/%s/records' % (directory, name), 'wb') as file:
        file.write(trace.records())


def main():
    directory = sys.argv[1]
    if len(sys.argv) > 2:       # random ones: FROM TO
        for seed in range(int(sys.argv[2]), int(sys.argv[3])):
            write(directory, 'random-%d' % seed, random_trace(seed))
        return
    for name, make in CASES.items():
        traces = make()
        for i, trace in enumerate(traces):
            write(directory, name if len(traces) == 1 else '%s-%d' % (name, i), trace)


if __name__ == '__main__':
    os.umask(0o22)
    main()
