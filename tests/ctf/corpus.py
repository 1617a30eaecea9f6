#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""corpus.py CASES DIRECTORY: the traces below CASES that cases.py wrote, each as an input of fuzz-ctf: with the
index of the stream where there is one."""

import os
import sys

for name in sorted(os.listdir(sys.argv[1])):
    for version in '12':
        trace = os.path.join(sys.argv[1], name, version)
        if not os.path.isdir(trace):
            continue
        with open(trace + '/metadata', 'rb') as file:
            metadata = file.read()
        stream = sorted(n for n in os.listdir(trace) if n not in ('metadata', 'index'))[0]
        with open(os.path.join(trace, stream), 'rb') as file:
            data = file.read()
        if os.path.isdir(trace + '/index'):
            with open('%s/index/%s.idx' % (trace, stream), 'rb') as file:
                data += file.read()
        with open('%s/%s-%s' % (sys.argv[2], name, version), 'wb') as file:
            file.write(len(metadata).to_bytes(4, 'little') + metadata + data)
