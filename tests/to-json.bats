#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# value TEXT: what the field v=TEXT becomes.
value() { record ts=1 ev=x "v=$1" | to-json -f v; }

@test "a record is an object on a line, its fields in their order" {
	try to-json < <(record ts=1 ev=syscall comm=nginx dur_ns=5 ret=-1 x=; record ts=2 ev=7)
	expect 0 '{"ts":"1","ev":"syscall","comm":"nginx","dur_ns":5,"ret":-1,"x":""}
{"ts":"2","ev":"7"}' ''
	try to-json -f ret,ts,none < <(record ts=1 ev=syscall dur_ns=5 ret=-1; record ts=2 ev=x)
	expect 0 '{"ret":-1,"ts":"1"}
{"ts":"2"}' ''
	try to-json -f none < <(record ts=1 ev=x)
	expect 0 '{}' ''
	try to-json </dev/null
	expect 0 '' ''
}

@test "numbers that a double keeps are numbers, all else is a string" {
	for v in 0 1 -1 9007199254740991 -9007199254740991 0.5 -1.25 1e+20 1e-05 0.30000000000000004; do
		[ "$(value "$v")" = "{\"v\":$v}" ] || { value "$v"; false; }
	done
	for v in '' -0 00 007 +1 1.50 5.0 5. .5 0x10 1e400 1e5 1E5 nan inf - 9007199254740992 -9007199254740992 \
		18446744073709551615 1795225110481469996 true null ' 1'; do
		[ "$(value "$v")" = "{\"v\":\"$v\"}" ] || { value "$v"; false; }
	done
	# Times and texts have one type, whatever they look like.
	try to-json < <(record ts=5 ev=6 comm=7 next_comm=8 first_ts=9 n=10)
	expect 0 '{"ts":"5","ev":"6","comm":"7","next_comm":"8","first_ts":"9","n":10}' ''
}

@test "jq changes none of the values" {
	need jq
	{
		for v in 1795225110481469996 9007199254740993 18446744073709551615 9007199254740991 -1 0.1 0.30000000000000004 1.50 007; do
			record ts=1795225110481469996 ev=x "v=$v"
		done
	} >"$T/in"
	to-json "$T/in" | jq -r '"ts=\(.ts)\tev=\(.ev)\tv=\(.v)"' | cmp - "$T/in"
}

@test "python gets every byte back, and the stream is pure UTF-8 without control characters" {
	need python3
	python3 - "$T/in" <<-'PYTHON'
		import random, sys
		random.seed(5)
		named = {9: b"\\t", 10: b"\\n", 13: b"\\r", 0: b"\\0", 92: b"\\\\"}
		def escape(b):
		    return b"".join(named.get(c) or (b"\\x%02x" % c if c < 32 or c == 127 else bytes([c])) for c in b)
		whole = ["é", "中", "😀", "\u2028", "\x85", "\x9b", "\ufeff", "\uffff"]
		broken = [b"\xed\xa0\x80", b"\xed\xb2\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\xf8\x88", b"\x80", b"\xff", b"\xf0\x80\x80\x80"]
		parts = [w.encode() for w in whole] + broken + [bytes([i]) for i in range(256)]
		with open(sys.argv[1], "wb") as out, open(sys.argv[1] + ".want", "w") as want:
		    for i in range(5000):
		        v = b"".join(random.choices(parts, k=random.randint(0, 30)))
		        out.write(b"ts=%d\tev=x\tpath=%s\n" % (i, escape(v)))
		        want.write(repr(v) + "\n")
	PYTHON
	to-json "$T/in" >"$T/out"
	[ "$(grep -caP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$T/out")" = 0 ]
	python3 - "$T/out" >"$T/got" <<-'PYTHON'
		import json, sys
		for line in open(sys.argv[1], encoding="utf-8", newline="\n"):
		    print(repr(json.loads(line)["path"].encode("utf-8", "surrogateescape")))
	PYTHON
	cmp "$T/got" "$T/in.want"
}

@test "Miller agrees on a stream of mixed shapes" {
	need mlr jq
	awk 'BEGIN { srand(4); for (i = 0; i < 20000; i++) { printf "ts=%d\tev=%s\tcomm=c%d", i, (i % 3 ? "a" : "b"), i % 9
		if (rand() < 0.5) printf "\tdur_ns=%d", rand() * 100000; if (i % 3) printf "\tpath=/a \"b\"/%d", i; print "" } }' >"$T/in"
	to-json "$T/in" | jq -c '.ts |= tonumber' | cmp - <(mlr --idkvp --ifs tab --ojsonl cat "$T/in" | jq -c .)
}

@test "loss is an object, whole even with -f, and is said; --strict makes the status 3" {
	{ record ts=1 ev=x a=1; record ts=2 ev=lost n=5 source=ch0; } >"$T/in"
	try to-json -f a "$T/in"
	expect 0 $'{"a":1}\n{"ts":"2","ev":"lost","n":5,"source":"ch0"}' 'to-json: 5 events were lost in 1 place: the output is incomplete'
	try to-json --strict "$T/in"
	[ "$status" = 3 ]
}

@test "several files; the good ones are read when one is not there" {
	record ts=1 ev=x >"$T/a"
	record ts=2 ev=x >"$T/b"
	try to-json "$T/a" "$T/none" - <"$T/b"
	expect 1 $'{"ts":"1","ev":"x"}\n{"ts":"2","ev":"x"}' "to-json: cannot open $T/none: No such file or directory"
}

@test "it streams: an object is there before the input ends" {
	mkfifo "$T/pipe"
	to-json <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	record ts=1 ev=x >&7
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = '{"ts":"1","ev":"x"}' ]
	exec 7>&-
	wait $!
}

@test "ever new keys are written too" {
	need python3
	awk 'BEGIN { for (i = 0; i < 40000; i++) { printf "ts=%d\tev=x", i; for (k = 0; k < 8; k++) printf "\tk%d_%d=%d", i, k, k; print "\tcomm=5" } }' >"$T/in"
	to-json "$T/in" | sed -E 's/^\{"ts":"([0-9]+)","ev":"x",/ts=\1\tev=x\t/; s/"comm":"5"\}/"comm":5}/; s/"([a-z0-9_]+)":([0-9]+)[,}]/\1=\2\t/g; s/\t$//' | cmp - "$T/in"
}
