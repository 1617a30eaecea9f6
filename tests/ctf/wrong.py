#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""wrong.py DIRECTORY: traces that break one rule each, as DIRECTORY/NAME/trace, with DIRECTORY/NAME/message,
the rule that is named, and for damaged packets DIRECTORY/NAME/records, what must come out all the same."""

import os
import sys

from ctf import (Array, Enum, Event, Int, Packet, Str, Stream, Struct, Trace, U8, U16, U32, UUID, Variant, MAGIC,
                 packet, simple)
from index import index as packet_index

TRACE = 'trace { major = 1; minor = 8; byte_order = le; };\n'
U = 'integer { size = 8; }'


def event(fields):
    return TRACE + 'stream { };\nevent { name = "e"; fields := struct { %s }; };\n' % fields


# name: (metadata, message)
METADATA = {
    'no_trace': ('clock { name = c; };', "line 1: no trace block that tells the byte order"),
    'version': ('trace { major = 1; minor = 9; byte_order = le; };', "line 1: this is not version 1.8 of CTF"),
    'byte_order': ('trace { byte_order = middle; };', "line 1: a byte order is le, be, network or native"),
    'byte_order_native': ('trace { byte_order = native; };', "line 1: the trace's byte order is le or be"),
    'uuid': ('trace { byte_order = le; uuid = "12-34"; };', "line 1: a uuid has 32 hexadecimal digits"),
    'unknown_block': (TRACE + 'tracer { };', "line 2: unknown block 'tracer'"),
    'unclosed': (TRACE + 'stream { id = 0;', "line 2: expected a name"),
    'comment': (TRACE + '/* for ever', "line 2: a comment without end"),
    'string': (TRACE + 'event { name = "e; };', "line 2: a string without end"),
    'number': (event('integer { size = 18446744073709551616; } x;'), "line 3: the number needs more than 64 bits"),
    'character': (event('integer { size = 8 @ } x;'), "line 3: a character that TSDL does not have"),
    'integer_without_size': (event('integer { align = 8; } x;'), "line 3: an integer without size"),
    'integer_of_0': (event('integer { size = 0; } x;'), "line 3: an integer of 0 bits"),
    'integer_of_65': (event('integer { size = 65; } x;'), "line 3: 'size' takes a number up to 64"),
    'alignment': (event('integer { size = 8; align = 3; } x;'), "line 3: an alignment is a power of two"),
    'alignment_0': (event('struct { } align(0) x;'), "line 3: an alignment is a power of two"),
    'base': (event('integer { size = 8; base = 7; } x;'), "line 3: a base is 2, 8, 10 or 16"),
    'signed': (event('integer { size = 8; signed = maybe; } x;'), "line 3: expected true or false"),
    'float': (event('floating_point { exp_dig = 5; mant_dig = 11; } x;'),
              "line 3: a floating point number has exp_dig 8 and mant_dig 24, or 11 and 53"),
    'unknown_type': (event('uint33_t x;'), "line 3: no type is called 'uint33_t'"),
    'unknown_struct': (event('struct s x;'), "line 3: no type is called 's'"),
    'field_twice': (event(U + ' x; ' + U + ' x;'), "line 3: field 'x' comes twice"),
    'type_twice': (TRACE + 'typealias %s := t;\ntypealias %s := t;' % (U, U), "line 3: 't' is named twice"),
    'type_of_inner_scope': (event('struct { typealias %s := t; t a; } s; t b;' % U), "line 3: no type is called 't'"),
    'enum_of_string': (event('enum : struct { } { a } x;'), "line 3: the container of an enumeration is an integer"),
    'enum_range': (event('enum : %s { a = 5 ... 4 } x;' % U), "line 3: a range that ends before it begins"),
    'enum_negative': (event('enum : %s { a = -1 } x;' % U),
                      "line 3: a negative value in an enumeration of unsigned integers"),
    'length_unknown': (event(U + ' a[n];'), "event e: nothing recorded before is called 'n'"),
    'length_later': (event(U + ' a[n]; ' + U + ' n;'), "event e: nothing recorded before is called 'n'"),
    'length_is_text': (event('string n; ' + U + ' a[n];'), "event e: nothing recorded before is called 'n'"),
    'length_signed': (event('integer { size = 8; signed = true; } n; ' + U + ' a[n];'),
                      "event e: the length 'n' is not an unsigned integer"),
    'length_negative': (event(U + ' a[-1];'), "line 3: expected a name"),
    'dimensions': (event(U + ' a[1][1][1][1][1][1][1][1][1];'), "line 3: an array of more than 8 dimensions"),
    'tag_missing': (event('variant { %s a; } v;' % U), "event e: a variant without a tag"),
    'tag_unknown': (event('variant <t> { %s a; } v;' % U), "event e: nothing recorded before is called 't'"),
    'tag_integer': (event(U + ' t; variant <t> { %s a; } v;' % U),
                    "event e: the tag of a variant is not an enumeration"),
    'clock_unknown': (event('integer { size = 8; map = clock.c.value; } x;'), "line 3: no clock is called 'c'"),
    'clock_nameless': (TRACE + 'clock { freq = 1; };', "line 2: a clock without name"),
    'clock_frequency': (TRACE + 'clock { name = c; freq = 0; };', "line 2: a clock's frequency is not 0"),
    'clock_twice': (TRACE + 'clock { name = c; };\nclock { name = c; };', "line 3: two clocks are called 'c'"),
    'stream_twice': (TRACE + 'stream { };\nstream { };', "line 3: two streams have the id 0"),
    'event_twice': (event('') + 'event { name = "f"; fields := struct { }; };', "two events have the id 0"),
    'header_twice': (TRACE + 'stream { event.header := struct { }; event.header := struct { }; };',
                     "line 2: 'event.header' comes twice"),
    'header_integer': (TRACE + 'stream { event.header := %s; };' % U, "line 2: 'event.header' is not a structure"),
    'nesting': (event('struct { ' * 40 + U + ' x;' + ' } s;' * 40), "line 3: types nest deeper than 32"),
    'nesting_by_names': (TRACE + 'typealias %s := t0;\n' % U +
                         ''.join('typealias struct { t%d x; } := t%d;\n' % (i, i + 1) for i in range(40)),
                         "line 34: types nest deeper than 32"),
    'multiplying': (TRACE + 'typealias struct { } := t0;\n' +
                    ''.join('typealias struct { t%d a; t%d b; } := t%d;\n' % (i, i, i + 1) for i in range(30)) +
                    'stream { };\nevent { name = "e"; fields := struct { t30 x; }; };',
                    "event e: more than 8192 fields"),
    'event_id': (TRACE + 'stream { };\nevent { name = "e"; id = 4294967295; };', "an event's id is 4294967295"),
    'json_cut': ('\x1e{"type": "preamble", "ver', "fragment 1: it is cut, or empty"),
    'json_syntax': ('\x1e{"type": "preamble" "version": 2}',
                    "fragment 1: object value separator ',' expected"),
    'json_version': ('\x1e{"type": "preamble", "version": 3}', "fragment 1: this is not version 2 of CTF"),
    'json_preamble': ('\x1e{"type": "trace-class"}', "fragment 1: the preamble comes first, and once"),
    'json_extensions': ('\x1e{"type": "preamble", "version": 2, "extensions": {"a": {"b": 1}}}',
                        "fragment 1: extensions are declared, and none is known here"),
}
FRAGMENTS = {
    'json_type': ('"u8"', "fragment 3: no type is called 'u8'"),
    'json_kind': ('{"type": "fixed-length-thing", "length": 8, "byte-order": "little-endian"}',
                  "fragment 3: no type is called 'fixed-length-thing'"),
    'json_length': ('{"type": "fixed-length-unsigned-integer", "byte-order": "little-endian"}',
                    "fragment 3: 'length' is missing"),
    'json_order': ('{"type": "fixed-length-unsigned-integer", "length": 8, "byte-order": "middle"}',
                   "fragment 3: 'byte-order' is big-endian or little-endian"),
    'json_alignment': ('{"type": "fixed-length-boolean", "length": 8, "byte-order": "little-endian", "alignment": 12}',
                       "fragment 3: 'alignment' is a power of two"),
    'json_string': ('{"type": "static-length-string", "length": -1}',
                    "fragment 3: 'length' takes a number up to 18446744073709551615"),
    'json_encoding': ('{"type": "null-terminated-string", "encoding": "ebcdic"}',
                      "fragment 3: no encoding is called 'ebcdic'"),
    'json_location': ('{"type": "dynamic-length-string", "length-field-location": {"path": ["n"]}}',
                      "event e: nothing recorded before is called 'n'"),
    'json_path': ('{"type": "dynamic-length-string", "length-field-location": {"path": ["n", null]}}',
                  "fragment 3: a path has names, and nulls before them"),
    'json_origin': ('{"type": "dynamic-length-blob", "length-field-location": {"origin": "moon", "path": ["n"]}}',
                    "fragment 3: no origin is called 'moon'"),
    'json_variant': ('{"type": "variant", "options": [], "selector-field-location": {"path": ["n"]}}',
                     "fragment 3: a variant without options"),
    'json_range': ('{"type": "variable-length-unsigned-integer", "mappings": {"a": [[2, 1]]}}',
                   "fragment 3: a range that ends before it begins"),
    'json_flag': ('{"type": "fixed-length-bit-map", "length": 4, "byte-order": "little-endian", "flags": '
                  '{"a": [[4, 4]]}}', "fragment 3: a flag of bit 4 in 4 bits"),
    'json_clock': ('{"type": "fixed-length-unsigned-integer", "length": 8, "byte-order": "little-endian", '
                   '"roles": ["default-clock-timestamp"]}', "fragment 3: a timestamp in a stream without a clock"),
}
for name, (text, message) in FRAGMENTS.items():
    METADATA[name] = ('\x1e{"type": "preamble", "version": 2}\n\x1e{"type": "data-stream-class"}\n'
                      '\x1e{"type": "event-record-class", "name": "e", "payload-field-class": {"type": "structure", '
                      '"member-classes": [{"name": "x", "field-class": %s}]}}' % text, message)


# Damage: three packets, of which the second is changed.
def three(event=None, values=None):
    e = event or Event('e', Struct([('x', U8), ('s', Str())]))
    return e, [packet([(e, v, 1000 * k + 10 * i) for i, v in enumerate(values or [[1, b'a'], [2, b'bc']])],
                      1000 * k, 1000 * k + 99, padding=16) for k in (1, 2, 3)]


def line(k, i, rest):
    return 'ts=17950000000000%05d\tev=e\tcpu=0%s\n' % (1000 * k + 10 * i, rest)


def lost(since, until, reason, offset):
    times = '\tfirst_ts=17950000000000%05d\tlast_ts=17950000000000%05d' % (since, until)
    return 'ts=17950000000000%05d\tev=lost\tcpu=0\tn=?\tsource=s%s\treason=%s\toffset=%d\n' % (since, times, reason,
                                                                                               offset)


def damage():
    """name: (trace, the stream's bytes, records, byte and reason)"""
    e, packets = three()
    trace = Trace([e], {'s': packets})
    whole = [trace.pack(p) for p in packets]
    size = len(whole[0])
    begin = 24 + 44             # header and context
    good = {k: line(k, 0, '\tx=1\ts=a') + line(k, 1, '\tx=2\ts=bc') for k in (1, 2, 3)}
    out = {}

    def changed(name, at, new, records, where, reason):
        second = whole[1][:at] + new + whole[1][at + len(new):]
        out[name] = (trace, whole[0] + second + whole[2], records, where, reason)

    skipped = '%%s; %d bytes are skipped' % size
    for name, at, new, reason in (
            ('magic', 0, b'\0\0\0\0', 'no packet begins here: it has not the magic number 0xc1fc1fc1'),
            ('uuid_of_another', 4, b'\xff', "a packet of another trace: its uuid is not the metadata's"),
            ('stream_unknown', 20, b'\5', 'the metadata has no stream 5'),
            ('content_beyond_packet', 24 + 16, (8 * size + 8).to_bytes(8, 'little'),
             'a packet of %d bits with a content of %d' % (8 * size, 8 * size + 8)),
            ('content_of_0', 24 + 16, (0).to_bytes(8, 'little'),
             'a packet of %d bits with a content of 0' % (8 * size)),
            ('packet_of_0', 24 + 24, (0).to_bytes(8, 'little'),
             'a packet of 0 bits with a content of %d' % (8 * (size - 16)))):
        reason = skipped % reason
        changed(name, at, new, good[1] + lost(1010, 3000, reason, size) + good[3], size, reason)
    reason = 'the metadata has no event of this id'
    changed('event_unknown', begin, b'\7', good[1] + lost(1010, 2099, reason, size + begin) + good[3], size + begin,
            reason)
    reason = 'the event is cut, or an impossible length'
    at = begin + 10 + 1 + 2 + 10 + 1            # the second event's text, without its NUL
    changed('string_endless', at, b'xyz', good[1] + line(2, 0, '\tx=1\ts=a') +
            lost(2010, 2099, reason, size + begin + 13) + good[3], size + begin + 13, reason)
    reason = "the packet is cut: %d of its %d bytes are here" % (begin + 15, size)
    out['file_cut'] = (trace, whole[0] + whole[1] + whole[2][:begin + 15], good[1] + good[2] +
                       line(3, 0, '\tx=1\ts=a') + lost(3000, 3099, reason, 2 * size + begin + 13),
                       2 * size + begin + 13, reason)
    reason = "the packet's header is cut; 7 bytes are skipped up to the end"
    out['file_cut_in_header'] = (trace, whole[0] + whole[1][:7],
                                 good[1] + 'ts=1795000000000001010\tev=lost\tcpu=0\tn=?\tsource=s\treason=%s\toffset=%d\n'
                                 % (reason, size), size, reason)
    # The size says that a second packet is part of the first.
    first = whole[0][:24 + 24] + (1 << 40).to_bytes(8, 'little') + whole[0][24 + 32:]
    reason = 'the packet is cut: %d of its %d bytes are here' % (size, (1 << 40) // 8)
    out['packet_beyond_file'] = (trace, first + whole[1] + whole[2], good[1] +
                                 lost(1010, 1099, reason, size - 16) + good[2] + good[3], size - 16, reason)

    e, packets = three(Event('e', Struct([('n', U32), ('a', Array(U8, 'n'))])), [[1, [7]], [2, [8, 9]]])
    trace = Trace([e], {'s': packets})
    whole = [trace.pack(p) for p in packets]
    size, at = len(whole[0]), begin + 15 + 10
    good = {k: line(k, 0, '\tn=1\ta.0=7') + line(k, 1, '\tn=2\ta.0=8\ta.1=9') for k in (1, 2, 3)}
    reason = 'the event is cut, or an impossible length'
    changed('sequence_endless', at, b'\xff\xff\xff\xff', good[1] + line(2, 0, '\tn=1\ta.0=7') +
            lost(2010, 2099, reason, size + begin + 15) + good[3], size + begin + 15, reason)

    tag = Enum([('a', 0, 0), ('b', 1, 1)], 8)
    e, packets = three(Event('e', Struct([('t', tag), ('v', Variant('t', [('a', U8), ('b', U16)], enum=tag))])),
                       [[0, ('a', 5)], [1, ('b', 6)]])
    trace = Trace([e], {'s': packets})
    whole = [trace.pack(p) for p in packets]
    size, at = len(whole[0]), begin + 12 + 10
    good = {k: line(k, 0, '\tt=a\tv=5') + line(k, 1, '\tt=b\tv=6') for k in (1, 2, 3)}
    changed('tag_unselected', at, b'\2', good[1] + line(2, 0, '\tt=a\tv=5') +
            lost(2010, 2099, reason, size + begin + 12) + good[3], size + begin + 12, reason)

    e = Event('e', Struct([]))
    stream = Stream(header=Struct([]), packet=Struct([('packet_size', U32), ('content_size', U32)]))
    trace = Trace([e], {'s': []}, streams=[stream])
    header = [MAGIC, list(UUID), 0]
    whole = trace.pack(Packet([256, None], [], header=header, padding=0)) + b''
    whole = whole[:28] + (8 * 40).to_bytes(4, 'little') + b'\0' * 8
    whole = whole[:24] + (8 * 40).to_bytes(4, 'little') + whole[28:]
    reason = 'an event of no bits, which would come again for ever'
    out['event_of_no_bits'] = (trace, whole, 'ts=0\tev=e\nts=0\tev=lost\tn=?\tsource=s\treason=%s\toffset=32\n'
                               % reason, 32, reason)
    return out


def indexed():
    """The same, with what the index says of the packets."""
    out = {}
    e, packets = three()
    good = {k: line(k, 0, '\tx=1\ts=a') + line(k, 1, '\tx=2\ts=bc') for k in (1, 2, 3)}

    def changed(name, trace, which, changes, lines, reason):
        """The packet WHICH is changed; LINES comes of it and what is behind."""
        whole = [bytearray(trace.pack(p)) for p in packets]
        size = len(whole[0])
        entries = [[k * size, 8 * size, 8 * (size - 16), 1000 * k + 1000, 1000 * k + 1099, 0, 0, 0, 0]
                   for k in range(3)]
        for at, new in changes.items():
            whole[which - 1][at:at + len(new)] = new
        reason = reason.replace('SIZE', str(size))
        until, records = lines
        before = ''.join(good[k] for k in range(1, which))
        records = before + lost(1000 * which - 990, until, reason, (which - 1) * size) + records
        out[name] = (trace, b''.join(whole), records, (which - 1) * size, reason, packet_index(entries, 56))

    def bits(value):
        return value.to_bytes(8, 'little')

    trace, size = Trace([e], {'s': packets}), len(Trace([e], {'s': packets}).pack(packets[0]))
    by_index = '; it is read by the index'
    magic = 'no packet begins here: it has not the magic number 0xc1fc1fc1'
    taken_in = 'a packet of %d bits, of which the index has %d' + by_index
    rest = (2000, good[2] + good[3])
    changed('index_magic', trace, 2, {0: b'\0'}, rest, magic + by_index)
    changed('index_uuid', trace, 2, {4: b'\xff'}, rest,
            "a packet of another trace: its uuid is not the metadata's" + by_index)
    changed('index_sizes', trace, 2, {40: bits(0)}, rest,
            'a packet of %d bits with a content of 0' % (8 * size) + by_index)
    changed('index_size_of_two', trace, 2, {48: bits(16 * size)}, rest, taken_in % (16 * size, 8 * size))
    changed('index_size_beyond_file', trace, 3, {48: bits(16 * size)}, (3000, good[3]),
            taken_in % (16 * size, 8 * size))
    # A header that says something else besides does not make the index right.
    skipped = '; SIZE bytes are skipped'
    for name, at in (('begin', 24), ('end', 32), ('discarded', 56)):
        changed('index_and_other_' + name, trace, 2, {0: b'\0', at: b'\1'}, (3000, good[3]), magic + skipped)
    # No magic number tells where the next packet begins.
    bare = Trace([e], {'s': packets}, header=Struct([('stream_id', U32)]), uuid=False)
    changed('index_alone', bare, 2, {0: b'\5'}, (3000, good[3]), 'the metadata has no stream 5' + skipped)
    changed('index_alone_size', bare, 2, {28: bits(0)}, rest,
            'a packet of 0 bits with a content of %d' % (8 * (size - 20 - 16)) + by_index)
    return out


def put(path, data):
    with open(path, 'wb') as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def main():
    directory = sys.argv[1]
    for name, (text, message) in METADATA.items():
        os.makedirs('%s/%s/trace' % (directory, name))
        put('%s/%s/trace/metadata' % (directory, name), text)
        put('%s/%s/trace/s' % (directory, name), b'\0' * 64)
        put('%s/%s/message' % (directory, name), 'cannot read metadata: %s\n' % message)
    for name, (trace, data, records, where, reason, *entries) in {**damage(), **indexed()}.items():
        os.makedirs('%s/%s/trace' % (directory, name))
        put('%s/%s/trace/metadata' % (directory, name), trace.tsdl())
        put('%s/%s/trace/s' % (directory, name), data)
        if entries:
            os.makedirs('%s/%s/trace/index' % (directory, name))
            put('%s/%s/trace/index/s.idx' % (directory, name), entries[0])
        put('%s/%s/message' % (directory, name), 's, byte %d: %s\n' % (where, reason))
        put('%s/%s/records' % (directory, name), records)


if __name__ == '__main__':
    main()
