#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The record reader, through the simplest filter.

load helper

refuses() {
	try where ev <<<"$1"
	expect 1 '' "where: stdin:1: not a record: $2"
}

@test "what is no record is refused, and told apart" {
	refuses 'novalue' "no '=' in the field 'novalue'"
	refuses $'ts=1\tev=x\tnovalue' "no '=' in the field 'novalue'"
	refuses '' 'empty line'
	refuses $'ts=1\t\tev=x' 'empty field'
	refuses $'ts=1\tev=x\t' 'empty field'
	refuses $'ts=1\tev=x\t7a=1' "the key is not [A-Za-z_][A-Za-z0-9_.]*: '7a'"
	refuses $'ts=1\tev=x\t=1' "the key is not [A-Za-z_][A-Za-z0-9_.]*:"
	refuses $'ts=1\tev=x\ta=1\tb=2\ta=3' "this key comes twice: 'a'"
	refuses $'ts=1\tts=2' "this key comes twice: 'ts'"
}

@test "a bad line ends its file; the lines before it and the next file are read" {
	printf 'ts=1\tev=x\nbad\nts=2\tev=x\n' >"$T/a"
	printf 'ts=3\tev=x\n' >"$T/b"
	try where -f "$T/a" -f "$T/b" ev
	expect 1 $'ts=1\tev=x\nts=3\tev=x' "where: $T/a:2: not a record: no '=' in the field 'bad'"
}

@test "a line of 16 MiB is read, a longer one is refused" {
	{ printf 'ts=1\tev=x\ta='; head -c 16000000 /dev/zero | tr '\0' z; echo; } >"$T/long"
	where ev <"$T/long" | cmp - "$T/long"
	{ printf 'ts=1\tev=x\ta='; head -c 18000000 /dev/zero | tr '\0' z; echo; } >"$T/long"
	try where ev <"$T/long"
	expect 1 '' 'where: stdin:1: the line is longer than 16 MiB'
}

@test "8192 fields are read, more are refused" {
	seq -f 'k%.0f=1' 8192 | paste -sd '\t' >"$T/in"
	where k8192 <"$T/in" | cmp - "$T/in"
	seq -f 'k%.0f=1' 8193 | paste -sd '\t' >"$T/in"
	try where k1 <"$T/in"
	expect 1 '' 'where: stdin:1: not a record: more than 8192 fields'
}

@test "ever new keys neither stop nor slow it, and memory stays bounded" {
	need python3
	python3 -c '
for i in range(60000):
	print("ts=%d\tev=x\t%s" % (i, "\t".join("k%d_%d=%d" % (i, k, k) for k in range(10))))' >"$T/in"
	where ev <"$T/in" | cmp - "$T/in"
	where k59999_9=9 <"$T/in" | cmp - <(tail -n 1 "$T/in")
	printf 'ts=1\tev=x\ta=1\ta=2\n' >>"$T/in"
	try where a=1 <"$T/in"
	expect 1 '' "where: stdin:60001: not a record: this key comes twice: 'a'"
}

@test "input that comes byte by byte gives the same" {
	need python3
	head -c 2000 "$TESTS/data/contract.tskv" | sed '$d' >"$T/in"
	python3 -c '
import sys, os
for byte in open(sys.argv[1], "rb").read(): os.write(1, bytes([byte]))' "$T/in" | where ev | cmp - "$T/in"
}

@test "idle input does not hold back what was found" {
	mkfifo "$T/pipe"
	where ev <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	printf 'ts=1\tev=x\nts=2' >&7
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = $'ts=1\tev=x' ]
	exec 7>&-
	run ! wait $!
}

@test "the first SIGINT is outlived when the input is a pipe" {
	mkfifo "$T/pipe"
	# bash starts background jobs with SIGINT ignored; env gives it back.
	env --default-signal=INT "$WEIR_BIN/where" ev <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	printf 'ts=1\tev=x\n' >&7
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	kill -INT $!
	sleep 0.1
	printf 'ts=2\tev=x\n' >&7
	exec 7>&-
	wait $!
	[ "$(cat "$T/out")" = $'ts=1\tev=x\nts=2\tev=x' ]
}

@test "what is no records: what it is, and what reads it" {
	record ts=1 ev=a x=1 >"$T/in"
	gzip -c "$T/in" >"$T/in.gz"
	zstd -q "$T/in" -o "$T/in.zst"
	tar -C "$T" -cf "$T/in.tar" in
	cp "$(trace smoke)/trace/kernel/metadata" "$T/metadata"
	cp "$(trace smoke)/trace/kernel/ch0_0" "$T/stream"
	to-sqlite "$T/db" <"$T/in" 2>/dev/null
	while read -r file is; do
		for program in spans lttng-convert; do
			try $program "$T/$file"
			expect 1 '' "$program: cannot read $T/$file: it is $is"
		done
	done <<-'E'
	in.gz compressed: unpack it by 'gzip -dc', an archive by 'tar -xf'
	in.zst compressed: unpack it by 'zstd -dc', an archive by 'tar -xf'
	in.tar an archive: unpack it by 'tar -xf'
	metadata the metadata of a trace: lttng-convert takes the directory
	stream one stream of a trace: lttng-convert takes the directory
	db a database: from-sqlite reads it
	E
	try lttng-convert "$T/in"
	expect 1 '' "lttng-convert: cannot read $T/in: it is records already, which all other programs read"
	# One after the other: the rest is read.
	try where -f "$T/in.gz" -f "$T/in" x
	[ "$status" = 1 ] && [ "$out" = "$(cat "$T/in")" ]
	for program in cputop report; do
		try $program "$T/in.tar"
		expect 1 '' "$program: cannot read $T/in.tar: it is an archive; unpack it by 'tar -xf' and name what was in it"
	done
}

@test "a record is one, whatever it begins with or has where an archive has its mark" {
	{
		record BZh=1 ts=2
		printf 'ts=1\tev=x\ta=%s\n' "$(printf '%0245d' 0)ustar"
	} >"$T/in"
	try where -f "$T/in" ts
	expect 0 "$(cat "$T/in")" ''
	sed -n 2p "$T/in" >"$T/in2"
	try where -f "$T/in2" ts
	expect 0 "$(cat "$T/in2")" ''
}
