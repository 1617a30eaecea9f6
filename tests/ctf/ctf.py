# SPDX-License-Identifier: MIT
"""Writes traces bit by bit: types as TSDL (CTF 1.8) and as JSON (CTF 2), values as bits, and as the fields
of a record. Nothing of lib/ctf is used, so that each can be held against the other."""

import json
import os

UUID = bytes(range(16, 32))
MAGIC = 0xC1FC1FC1


class Bits:
    """A growing string of bits; a byte order says at which end of a byte bits begin."""

    def __init__(self):
        self.bytes = bytearray()
        self.at = 0

    def align(self, n):
        self.room((n - self.at % n) % n)
        self.at += (n - self.at % n) % n

    def room(self, n):
        while len(self.bytes) * 8 < self.at + n:
            self.bytes.append(0)

    def put(self, value, size, order):
        self.room(size)
        value &= (1 << size) - 1
        for i in range(size):
            byte, bit = divmod(self.at + i, 8)
            if order == 'le':
                self.bytes[byte] |= (value >> i & 1) << bit
            else:
                self.bytes[byte] |= (value >> (size - 1 - i) & 1) << (7 - bit)
        self.at += size

    def put_at(self, at, value, size, order):
        """Overwrites bits that were put as zeros."""
        now, self.at = self.at, at
        self.put(value, size, order)
        self.at = now


def escape(raw):
    out = ''
    for byte in raw:
        special = {92: '\\\\', 9: '\\t', 10: '\\n', 13: '\\r', 0: '\\0'}
        if byte in special:
            out += special[byte]
        elif byte < 0x20 or byte == 0x7f:
            out += '\\x%02x' % byte
        else:
            out += bytes([byte]).decode('latin-1')
    return out


def bare(name):
    return name[1:] if len(name) > 1 and name[0] == '_' else name


class Type:
    align = 1

    def order_of(self, trace):
        return getattr(self, 'order', None) or trace.order

    def place(self, bits):
        bits.align(self.align)


class Int(Type):
    def __init__(self, size, align=None, signed=False, order=None, base=10, clock=None, text=False, roles=()):
        self.size, self.signed, self.order, self.base = size, signed, order, base
        self.align = align or (8 if size % 8 == 0 else 1)
        self.clock, self.text, self.roles = clock, text, list(roles)

    def tsdl(self):
        words = ['size = %d' % self.size, 'align = %d' % self.align, 'signed = %s' % str(self.signed).lower()]
        if self.order:
            words.append('byte_order = %s' % self.order)
        if self.base != 10:
            words.append('base = %d' % self.base)
        if self.text:
            words.append('encoding = UTF8')
        if self.clock:
            words.append('map = clock.%s.value' % self.clock)
        return 'integer { %s; }' % '; '.join(words)

    def json(self, trace):
        out = {'type': 'fixed-length-%s-integer' % ('signed' if self.signed else 'unsigned'), 'length': self.size,
               'byte-order': {'le': 'little-endian', 'be': 'big-endian'}[self.order_of(trace)],
               'alignment': self.align}
        if self.base != 10:
            out['preferred-display-base'] = self.base
        if self.roles:
            out['roles'] = self.roles
        return out

    def pack(self, bits, value, trace):
        self.place(bits)
        bits.put(value, self.size, self.order_of(trace))

    def text_of(self, value):
        return '0x%x' % (value & ((1 << self.size) - 1)) if self.base == 16 else str(value)

    def show(self, key, value):
        return ['%s=%s' % (key, self.text_of(value))]


class Enum(Int):
    """labels: (label, low, high) in order; `implicit` leaves values out where they are what would follow."""

    def __init__(self, labels, size, implicit=False, **rest):
        super().__init__(size, **rest)
        self.labels, self.implicit = labels, implicit

    def tsdl(self):
        words, following = [], 0
        for label, low, high in self.labels:
            if not (label.isidentifier()):
                label = '"%s"' % label.replace('\\', '\\\\').replace('"', '\\"')
            if self.implicit and low == high == following:
                words.append(label)
            elif low == high:
                words.append('%s = %d' % (label, low))
            else:
                words.append('%s = %d ... %d' % (label, low, high))
            following = high + 1
        return 'enum : %s { %s }' % (super().tsdl(), ', '.join(words))

    def json(self, trace):
        out = super().json(trace)
        out['mappings'] = {}
        for label, low, high in self.labels:
            out['mappings'].setdefault(label, []).append([low, high])
        return out

    def show(self, key, value):
        names = [escape(label.encode()) for label, low, high in self.labels if low <= value <= high]
        return ['%s=%s' % (key, '|'.join(names) if names else value)]


class Float(Type):
    def __init__(self, size, align=8, order=None):
        self.size, self.align, self.order = size, align, order

    def tsdl(self):
        digits = {32: (8, 24), 64: (11, 53)}[self.size]
        order = ' byte_order = %s;' % self.order if self.order else ''
        return 'floating_point { exp_dig = %d; mant_dig = %d; align = %d;%s }' % (*digits, self.align, order)

    def json(self, trace):
        return {'type': 'fixed-length-floating-point-number', 'length': self.size, 'alignment': self.align,
                'byte-order': {'le': 'little-endian', 'be': 'big-endian'}[self.order_of(trace)]}

    def pack(self, bits, value, trace):
        import struct
        self.place(bits)
        raw = struct.pack('>f' if self.size == 32 else '>d', value)
        bits.put(int.from_bytes(raw, 'big'), self.size, self.order_of(trace))

    def show(self, key, value):
        return ['%s=%s' % (key, int(value) if value == int(value) else repr(value))]


class Str(Type):
    align = 8

    def tsdl(self):
        return 'string'

    def json(self, trace):
        return {'type': 'null-terminated-string'}

    def pack(self, bits, value, trace):
        self.place(bits)
        for byte in value + b'\0':
            bits.put(byte, 8, trace.order)

    def show(self, key, value):
        return ['%s=%s' % (key, escape(value))]


class Struct(Type):
    def __init__(self, fields, align=1):
        self.fields, self.least = fields, align
        self.align = max([align] + [t.align for _, t in fields])

    def tsdl(self):
        body = ' '.join(declare(t, name) for name, t in self.fields)
        return 'struct { %s }%s' % (body, ' align(%d)' % self.least if self.least > 1 else '')

    def json(self, trace):
        out = {'type': 'structure', 'member-classes': [{'name': bare(n), 'field-class': t.json(trace)}
                                                       for n, t in self.fields]}
        if self.least > 1:
            out['minimum-alignment'] = self.least
        return out

    def pack(self, bits, value, trace):
        self.place(bits)
        for (_, t), v in zip(self.fields, value):
            t.pack(bits, v, trace)

    def show(self, key, value):
        out = []
        for (name, t), v in zip(self.fields, value):
            out += t.show((key + '.' if key else '') + bare(name), v)
        return out


class Array(Type):
    """length: a number, or the name of the field that holds it; path: where CTF 2 finds that field."""

    def __init__(self, element, length, path=None):
        self.element, self.length, self.path = element, length, path
        self.align = element.align
        self.text = isinstance(element, Int) and element.text

    def tsdl(self):
        raise TypeError('only within declare()')

    def json(self, trace):
        kind = 'static' if isinstance(self.length, int) else 'dynamic'
        if self.text:
            out = {'type': kind + '-length-string'}
        else:
            out = {'type': kind + '-length-array', 'element-field-class': self.element.json(trace)}
        if kind == 'static':
            out['length'] = self.length
        else:
            out['length-field-location'] = location(self.length, self.path)
        return out

    def pack(self, bits, value, trace):
        self.place(bits)
        for v in value:
            self.element.pack(bits, v, trace)

    def show(self, key, value):
        if self.text:
            raw = bytes(value)
            return ['%s=%s' % (key, escape(raw[:raw.index(0)] if 0 in raw else raw))]
        if not value:
            return [key + '=']
        out = []
        for i, v in enumerate(value):
            out += self.element.show('%s.%d' % (key, i), v)
        return out


class Variant(Type):
    """tag: the name of the enumeration that selects; values are (option's name, value)."""

    def __init__(self, tag, options, path=None, enum=None):
        self.tag, self.options, self.path, self.enum = tag, options, path, enum

    def tsdl(self):
        return 'variant <%s> { %s }' % (self.tag, ' '.join(declare(t, n) for n, t in self.options))

    def json(self, trace):
        ranges = {n: [[low, high] for label, low, high in self.enum.labels if label == bare(n) or label == n]
                  for n, _ in self.options}
        return {'type': 'variant', 'selector-field-location': location(self.tag, self.path),
                'options': [{'name': n, 'field-class': t.json(trace), 'selector-field-ranges': ranges[n]}
                            for n, t in self.options if ranges[n]]}

    def pack(self, bits, value, trace):
        dict(self.options)[value[0]].pack(bits, value[1], trace)

    def show(self, key, value):
        return dict(self.options)[value[0]].show(key, value[1])


class Json(Type):
    """A type of CTF 2 alone: its JSON, and what packs and shows its values."""

    def __init__(self, json, pack, show, align=1):
        self.text, self.packs, self.shows, self.align = json, pack, show, align

    def tsdl(self):
        raise TypeError('CTF 1.8 has no such type')

    def json(self, trace):
        return self.text

    def pack(self, bits, value, trace):
        self.place(bits)
        self.packs(bits, value)

    def show(self, key, value):
        text = self.shows(value)
        return [] if text is None else ['%s=%s' % (key, text)]


class Optional(Type):
    def __init__(self, of, path, ranges=None):
        self.of, self.path, self.ranges = of, path, ranges

    def json(self, trace):
        out = {'type': 'optional', 'field-class': self.of.json(trace), 'selector-field-location': {'path': self.path}}
        if self.ranges:
            out['selector-field-ranges'] = self.ranges
        return out

    def pack(self, bits, value, trace):
        if value is not None:
            self.of.pack(bits, value, trace)

    def show(self, key, value):
        return [] if value is None else self.of.show(key, value)


def location(name, path):
    if path:
        return {'origin': path[0], 'path': path[1:]} if path[0] else {'path': path[1:]}
    roots = {'trace.packet.header': 'packet-header', 'stream.packet.context': 'packet-context',
             'stream.event.header': 'event-record-header', 'stream.event.context': 'event-record-common-context',
             'event.context': 'event-record-specific-context', 'event.fields': 'event-record-payload'}
    for root, origin in roots.items():
        if name.startswith(root + '.'):
            return {'origin': origin, 'path': name[len(root) + 1:].split('.')}
    return {'path': name.split('.')}


def declare(t, name):
    tail = ''
    while isinstance(t, Array):
        tail += '[%s]' % t.length
        t = t.element
    return '%s %s%s;' % (t.tsdl(), name, tail)


class Named(Type):
    """Text of TSDL that stands for another type."""

    def __init__(self, text, of):
        self.text, self.of, self.align = text, of, of.align

    def tsdl(self):
        return self.text

    def json(self, trace):
        return self.of.json(trace)

    def pack(self, bits, value, trace):
        self.of.pack(bits, value, trace)

    def show(self, key, value):
        return self.of.show(key, value)


class Event:
    def __init__(self, name, fields, id=0, context=None, stream=0):
        self.name, self.fields, self.id, self.context, self.stream = name, fields, id, context, stream


class Clock:
    def __init__(self, name='c', freq=1000000000, offset_s=1795000000, offset=0):
        self.name, self.freq, self.offset_s, self.offset = name, freq, offset_s, offset

    def ns(self, value):
        whole, rest = divmod(self.offset, self.freq)

        def scale(cycles):
            return cycles if self.freq == 1000000000 else int(1e9 * float(cycles) / float(self.freq))
        return (self.offset_s + whole) * 1000000000 + scale(rest) + scale(value)


U8, U16, U32, U64 = Int(8), Int(16), Int(32), Int(64)
HEADER = Struct([('magic', Int(32, roles=['packet-magic-number'])),
                 ('uuid', Array(U8, 16)),
                 ('stream_id', Int(32, roles=['data-stream-class-id']))])


def packet_context(clock='c'):
    return Struct([('timestamp_begin', Int(64, clock=clock, roles=['default-clock-timestamp'])),
                   ('timestamp_end', Int(64, clock=clock, roles=['packet-end-default-clock-timestamp'])),
                   ('content_size', Int(64, roles=['packet-content-length'])),
                   ('packet_size', Int(64, roles=['packet-total-length'])),
                   ('events_discarded', Int(64, roles=['discarded-event-record-counter-snapshot'])),
                   ('cpu_id', Int(32))])


def event_header(clock='c'):
    return Struct([('id', Int(16, roles=['event-record-class-id'])),
                   ('timestamp', Int(64, clock=clock, roles=['default-clock-timestamp']))])


class Stream:
    def __init__(self, id=0, packet=None, header=None, context=None, clock='c'):
        self.id, self.context, self.clock = id, context, clock
        self.packet = packet_context(clock) if packet is None else packet
        self.header = event_header(clock) if header is None else header


class Packet:
    """events: (event, header's values, stream context's values, own context's values, payload's values,
    time in cycles for the oracle)."""

    def __init__(self, values, events, stream=0, padding=0, header=None):
        self.values, self.events, self.stream = values, events, stream
        self.padding, self.header = padding, header


class Trace:
    def __init__(self, events, files, order='le', streams=None, clocks=None, header=HEADER, before='', uuid=True):
        self.order, self.events, self.files, self.header = order, events, files, header
        self.streams = [Stream()] if streams is None else streams
        self.clocks = [Clock()] if clocks is None else clocks
        self.before, self.uuid = before, uuid
        self.metadata = None        # other bytes than those that would be right

    def tsdl(self):
        out = '/* CTF 1.8 */\n'
        out += 'trace { major = 1; minor = 8; %sbyte_order = %s;' % (
            'uuid = "%s-%s-%s-%s-%s";' % tuple(UUID.hex()[a:b] for a, b in
                                               ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))
            if self.uuid else '', self.order)
        if self.header:
            out += ' packet.header := %s;' % self.header.tsdl()
        out += ' };\nenv { hostname = "h"; };\n'
        for c in self.clocks:
            out += 'clock { name = %s; freq = %d; offset_s = %d; offset = %d; };\n' % (c.name, c.freq, c.offset_s,
                                                                                        c.offset)
        out += self.before
        for s in self.streams:
            out += 'stream { id = %d;' % s.id
            for key, t in (('packet.context', s.packet), ('event.header', s.header), ('event.context', s.context)):
                if t:
                    out += ' %s := %s;' % (key, t.tsdl())
            out += ' };\n'
        for e in self.events:
            out += 'event { name = "%s"; id = %d; stream_id = %d;' % (e.name, e.id, e.stream)
            if e.context:
                out += ' context := %s;' % e.context.tsdl()
            out += ' fields := %s; };\n' % e.fields.tsdl()
        return out.encode()

    def json(self):
        parts = [{'type': 'preamble', 'version': 2, 'uuid': list(UUID)}]
        top = {'type': 'trace-class', 'environment': {'hostname': 'h'}}
        if self.header:
            top['packet-header-field-class'] = header_json(self.header, self)
        parts.append(top)
        for c in self.clocks:
            parts.append({'type': 'clock-class', 'id': c.name, 'frequency': c.freq, 'origin': 'unix-epoch',
                          'offset-from-origin': {'seconds': c.offset_s + c.offset // c.freq,
                                                 'cycles': c.offset % c.freq}})
        for s in self.streams:
            part = {'type': 'data-stream-class', 'id': s.id}
            if s.clock:
                part['default-clock-class-id'] = s.clock
            for key, t in (('packet-context', s.packet), ('event-record-header', s.header),
                           ('event-record-common-context', s.context)):
                if t:
                    part[key + '-field-class'] = t.json(self)
            parts.append(part)
        for e in self.events:
            part = {'type': 'event-record-class', 'id': e.id, 'data-stream-class-id': e.stream, 'name': e.name,
                    'payload-field-class': e.fields.json(self)}
            if e.context:
                part['specific-context-field-class'] = e.context.json(self)
            parts.append(part)
        return b''.join(b'\x1e' + json.dumps(part).encode() + b'\n' for part in parts)

    def pack(self, packet):
        """The packet's bytes: sizes of 0 in the values are filled in."""
        stream = [s for s in self.streams if s.id == packet.stream][0]
        bits, sizes = Bits(), {}
        if self.header:
            values = packet.header or [{'magic': MAGIC, 'uuid': list(UUID), 'stream_id': packet.stream}.get(n, 0)
                                       for n, _ in self.header.fields]
            self.header.pack(bits, values, self)
        if stream.packet:
            bits.align(stream.packet.align)
            for (name, t), value in zip(stream.packet.fields, packet.values):
                bits.align(t.align)
                if value is None:
                    sizes[name] = (bits.at, t)
                    value = 0
                t.pack(bits, value, self)
        packet.ends = [(bits.at + 7) // 8]      # bytes: of the headers, then of each event
        for event, header, common, own, payload, _ in packet.events:
            for t, value in ((stream.header, header), (stream.context, common), (event.context, own),
                             (event.fields, payload)):
                if t:
                    t.pack(bits, value, self)
            packet.ends.append((bits.at + 7) // 8)
        content = bits.at
        total = (content + 7) // 8 * 8 + packet.padding * 8
        for name, size in (('content_size', content), ('packet_size', total)):
            if name in sizes:
                at, t = sizes[name]
                bits.put_at(at, size, t.size, t.order_of(self))
        return bytes(bits.bytes) + b'\0' * (total // 8 - len(bits.bytes))

    def records(self):
        """What the trace's records are; files in the order of their names, sorted by time, stably."""
        clocks = {c.name: c for c in self.clocks}
        out = []
        for name in sorted(self.files):
            for packet in self.files[name]:
                stream = [s for s in self.streams if s.id == packet.stream][0]
                cpu = ''
                if stream.packet:
                    for (key, _), value in zip(stream.packet.fields, packet.values):
                        if key == 'cpu_id':
                            cpu = '\tcpu=%d' % value
                for event, _, common, own, payload, time in packet.events:
                    ts = clocks[stream.clock].ns(time) if stream.clock else 0
                    fields = []
                    for t, value in ((stream.context, common), (event.context, own), (event.fields, payload)):
                        if t:
                            fields += t.show('', value)
                    out.append((ts, 'ts=%d\tev=%s%s%s\n' % (ts, event.name, cpu,
                                                            ''.join('\t' + f for f in fields))))
        out.sort(key=lambda item: item[0])
        return ''.join(line for _, line in out).encode('latin-1')

    def write(self, directory, version=1):
        os.makedirs(directory, exist_ok=True)
        metadata = self.metadata if self.metadata is not None else self.tsdl() if version == 1 else self.json()
        with open(directory + '/metadata', 'wb') as file:
            file.write(metadata)
        for name, packets in self.files.items():
            with open(directory + '/' + name, 'wb') as file:
                for packet in packets:
                    file.write(packet if isinstance(packet, bytes) else self.pack(packet))


def header_json(header, trace):
    """The packet's header, whose array called uuid is a BLOB with a role in CTF 2."""
    out = header.json(trace)
    for member in out['member-classes']:
        if member['name'] == 'uuid':
            member['field-class'] = {'type': 'static-length-blob', 'length': 16, 'roles': ['metadata-stream-uuid']}
    return out


def packet(events, begin, end, discarded=0, cpu=0, stream=0, padding=0):
    """A packet with the usual context; events: (event, payload, time) with the usual header."""
    return Packet([begin, end, None, None, discarded, cpu],
                  [(e, [e.id, time], None, None, payload, time) for e, payload, time in events], stream, padding)


def simple(fields, rows, **rest):
    """A trace of one kind of event, `e`, with these rows of values."""
    event = Event('e', fields if isinstance(fields, Struct) else Struct(fields))
    events = [(event, row, 1000 + 10 * i) for i, row in enumerate(rows)]
    return Trace([event], {'s': [packet(events, 1000, 1000 + 10 * len(rows), padding=3)]}, **rest)
