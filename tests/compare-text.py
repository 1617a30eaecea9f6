#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare-text.py TEXT RECORDS: are these the same events, field by field?

TEXT is what `babeltrace2 --clock-seconds --no-delta` prints, RECORDS what lttng-convert makes of the same
trace. Knows nothing of either program but its documentation. Prints how many events were equal.
"""
import re
import sys

ESCAPES = {'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', 'e': '\x1b', '0': '\0'}
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}(),:=]|[^][{}(),:="\s]+')


def unescape(text):
    return re.sub(r'\\(x[0-9a-f]{2}|.)',
                  lambda m: chr(int(m[1][1:], 16)) if m[1][0] == 'x' and len(m[1]) > 1 else ESCAPES.get(m[1], m[1]), text)


def parse(tokens, prefix, to):
    """One value; scalars go to `to` under their flattened name."""
    token = tokens.pop(0)
    if token == '{':
        while tokens[0] != '}':
            name = tokens.pop(0)
            assert tokens.pop(0) == '=', tokens[:5]
            parse(tokens, f'{prefix}.{name}' if prefix else name, to)
            if tokens[0] == ',':
                tokens.pop(0)
        tokens.pop(0)
    elif token == '[':
        if tokens[0] == ']':
            to[prefix] = ''
        while tokens[0] != ']':
            assert tokens.pop(0) == '['
            index = tokens.pop(0)
            assert tokens.pop(0) == ']' and tokens.pop(0) == '='
            parse(tokens, f'{prefix}.{index}', to)
            if tokens[0] == ',':
                tokens.pop(0)
        tokens.pop(0)
    elif token == '(':
        labels = []
        while tokens[0] != ':':
            labels.append(tokens.pop(0))
        del tokens[:3]
        number = tokens.pop(0)
        assert tokens.pop(0) == ')'
        labels = [unescape(label[1:-1]) for label in labels if label[0] == '"']
        to[prefix] = '|'.join(labels) if labels else number
    elif token[0] == '"':
        to[prefix] = unescape(token[1:-1])
    else:
        to[prefix] = token.lower() if token.startswith('0x') else token


def sections(text):
    tokens, result = TOKEN.findall(text), []
    while tokens:
        if tokens[0] == ',':
            tokens.pop(0)
            continue
        fields = {}
        parse(tokens, '', fields)
        result.append(fields)
    return result


def expected(line):
    m = re.match(r'\[(\d+)\.(\d+)\] (?:\(\S+\) )?(?:\S+ )?(\S+): (.*)', line)
    record = {'ts': m[1] + m[2], 'ev': m[3]}
    parts = sections(m[4])
    packet, contexts, payload = parts[0], {}, parts[-1] if len(parts) > 1 else {}
    for part in parts[1:-1]:
        contexts.update(part)
    record['cpu'] = packet['cpu_id']
    rename = {'pid': 'pid', 'tid': 'tid', 'procname': 'comm'}
    if 'pid' not in contexts:
        rename['vpid'] = 'pid'
    if 'tid' not in contexts:
        rename['vtid'] = 'tid'
    for fields in contexts, payload:
        for name in [n for n in fields if re.fullmatch(r'_(.+)_length', n)]:
            of = name[1:-len('_length')]
            if any(n == of or n.startswith(of + '.') for n in fields):
                del fields[name]
    for name, value in contexts.items():
        record[rename.get(name, name)] = value
    for name, value in payload.items():
        taken = name in ('ts', 'ev', 'cpu', 'pid', 'tid', 'comm') or name in contexts
        record['payload.' + name if taken else name] = value
    return record


def unescape_value(text):
    return re.sub(r'\\(x[0-9a-f]{2}|.)',
                  lambda m: chr(int(m[1][1:], 16)) if m[1][0] == 'x' and len(m[1]) > 1
                  else {'n': '\n', 't': '\t', 'r': '\r', '0': '\0'}.get(m[1], m[1]), text)


def read(path):
    return open(path, encoding='latin-1', newline='\n')


def same(want, got):
    if want.keys() != got.keys():
        return False
    for key, value in want.items():
        # babeltrace2 2.0.4 prints the last text that a field had where it is empty now.
        if value != got[key] and got[key] != '':
            return False
    return True


def main():
    wanted = [expected(line.rstrip('\n')) for line in read(sys.argv[1]) if line.strip()]
    records = [line.rstrip('\n').split('\t') for line in read(sys.argv[2])]
    records = [r for r in records if r[1] != 'ev=lost']
    assert len(wanted) == len(records), f'{len(wanted)} events, {len(records)} records'
    order = [r[0] for r in records]
    assert order == sorted(order), 'the records are not sorted'
    equal = at = 0
    while at < len(wanted):
        # Events of the same time may stand in any order.
        end = at
        while end < len(wanted) and wanted[end]['ts'] == wanted[at]['ts']:
            end += 1
        got = [{k: unescape_value(v) for k, v in (f.split('=', 1) for f in r)} for r in records[at:end]]
        for want in wanted[at:end]:
            match = next((g for g in got if same(want, g)), None)
            if match is None:
                sys.exit(f'wanted {want}\nthere is {got}')
            got.remove(match)
            equal += 1
        at = end
    print(equal)


main()
