#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# http-flame, with a program whose functions and exchanges are known.

load helper

setup() {
	need_bpf collect-tcp
	need gcc python3
	gcc -O1 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls -o "$T/nova" \
		"$TESTS/asker.c" 2>/dev/null || skip "this compiler has other options"
	flame=$(dirname "$TESTS")/pipelines/http-flame
}

# Starts it with the arguments, and runs nova once it records.
record_nova() {
	"$flame" "$@" >"$T/out" 2>"$T/err" &
	pid=$!
	# It has dropped its rights when it records.
	until collector=$(pgrep -P $pid -x collect-tcp) && ! grep -q '^CapEff:.*ffff$' "/proc/$collector/status"; do
		kill -0 $pid
		sleep 0.05
	done
	sleep 0.3
	"$T/nova"
}

@test "blocks, folded stacks, picture and lines have the values of the records" {
	need pgrep
	record_nova -t 20 -p nova -o "$T/dir"
	"$T/nova"
	kill -TERM $pid
	wait $pid
	[ "$(tail -n 1 "$T/err")" = "http-flame: $T/dir/flamegraph.svg" ]
	python3 - "$T/dir" "$T/out" <<-'E'
	import re, sys, xml.etree.ElementTree
	directory = sys.argv[1]
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(directory + "/records.tskv")]
	assert len(rows) == 8 and all(r["ev"] == "tcp" for r in rows)
	blocks = open(directory + "/stack_traces.txt").read().split("\n\n")
	assert blocks.pop() == "" and len(blocks) == len(rows)
	ids, folded = {}, {}
	for row, block, line in zip(rows, blocks, open(sys.argv[2])):
	    lines = block.split("\n")
	    pid, comm, ident, time = re.fullmatch(r"PID: (\d+), Comm: (\S+), Stack ID: (\d+), Time: (.*)", lines[0]).groups()
	    ms, size = re.fullmatch(r"Duration: (\d+\.\d\d) ms, Size: (\d+) bytes", lines[1]).groups()
	    client = row["role"] == "client"
	    assert (pid, comm) == (row["pid"], "nova") and ids.setdefault(ident, row["stack"]) == row["stack"]
	    assert abs(float(ms) - int(row["dur_ns"]) / 1e6) <= 0.0051 and float(ms) >= 30 and size == "19"
	    assert lines[2] == ("Src IP: 127.0.0.1, Dst IP: 127.0.0.1, Dst Port: %s, Src Port: %s, Role: %s, HTTP: GET /stacked 200"
	                        % (row["dport"], row["sport"], row["role"]))
	    assert lines[3] == "Stack trace:" and [l[:4] for l in lines[4:]] == ["    "] * len(lines[4:])
	    assert ";".join(l[4:] for l in reversed(lines[4:])) == row["stack"]
	    assert row["stack"].endswith("main;ask;send_text" if client else "main;take")
	    assert line == ("%s PID: %s, Comm: nova, Duration: %s ms, Size: 19 bytes, 127.0.0.1:%s -> 127.0.0.1:%s, %s, GET /stacked 200\n"
	                    % (time, pid, ms, row["sport"], row["dport"], row["role"]))
	    folded[row["stack"]] = folded.get(row["stack"], 0) + int(row["dur_ns"])
	assert len(ids) == 2
	lines = [l.rsplit(" ", 1) for l in open(directory + "/stacks.folded")]
	assert {s: int(n) for s, n in lines} .keys() == {"nova;" + s for s in folded}
	for stack, n in lines:
	    assert abs(int(n) - folded[stack[5:]] / 1000) <= 8
	xml.etree.ElementTree.parse(directory + "/flamegraph.svg")
	E
}

@test "nothing slow, a directory that is there, no name, a name too long" {
	try "$flame" -t 20 -p nova -d 0.1 -o "$T/dir"
	[ "$status" = 0 ] && [ "$out" = "" ]
	[ "$(tail -n 1 <<<"$err")" = "http-flame: nothing was slow: no exchange of 20 ms or longer" ]
	[ ! -s "$T/dir/stack_traces.txt" ] && [ ! -e "$T/dir/flamegraph.svg" ]
	try "$flame" -p nova -o "$T/dir"
	expect 1 "" "http-flame: cannot write $T/dir: it is there already; name another with -o"
	try "$flame" -t 20
	expect 2 "" "http-flame: of which process? name it with -p or -P; see 'http-flame --help'"
	try "$flame" -p 0123456789abcdef -o "$T/other"
	[ "$status" = 2 ] && [ ! -e "$T/other" ]
}
