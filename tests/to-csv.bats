#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

setup() { need python3; }

records() {
	record ts=1 ev=syscall comm=nginx name=read dur_ns=5
	record ts=2 ev=oncpu comm='a,b' dur_ns= why='say "x"'
	record ts=3 ev=oncpu why='a\nb\r\tc' dur_ns=007
}

@test "-f: these columns, in this order; absent is nothing, empty is \"\"" {
	try to-csv -f dur_ns,comm,none,ts < <(records)
	expect 0 $'dur_ns,comm,none,ts\n5,nginx,,1\n"","a,b",,2\n007,,,3' ''
	try to-csv --no-header --fields ts < <(records)
	expect 0 $'1\n2\n3' ''
	# A line is never empty: many readers would skip it.
	try to-csv --no-header -f why < <(records)
	expect 0 $'""\n"say ""x"""\n"a\nb\r\tc"' ''
}

@test "without -f: all fields in the order of appearance, from a file, a pipe, several files" {
	records >"$T/in"
	want=$'ts,ev,comm,name,dur_ns,why\n1,syscall,nginx,read,5,\n2,oncpu,"a,b",,"","say ""x"""\n3,oncpu,,,007,"a\nb\r\tc"'
	try to-csv "$T/in"
	expect 0 "$want" ''
	try to-csv <"$T/in"
	expect 0 "$want" ''
	try to-csv < <(cat "$T/in")
	expect 0 "$want" ''
	head -n 1 "$T/in" >"$T/a"
	tail -n 2 "$T/in" >"$T/b"
	try to-csv "$T/a" "$T/b"
	expect 0 "$want" ''
	try to-csv "$T/a" - < <(cat "$T/b")
	expect 0 "$want" ''
	# stdin is read from where it stands.
	try to-csv < <(exec 3<"$T/in"; head -c 0 <&3; cat <&3)
	expect 0 "$want" ''
	try bash -c '{ read -r line; to-csv; } <"$1"' - "$T/in"
	[ "$(head -n 1 <<<"$out")" = ts,ev,comm,dur_ns,why ]
	try to-csv </dev/null
	expect 0 '' ''
}

@test "a bad line and a missing file are said once; what was good before is written" {
	{ records; echo bad; records; } >"$T/bad"
	records >"$T/good"
	try to-csv -f ts "$T/bad" "$T/none" "$T/good"
	expect 1 $'ts\n1\n2\n3\n1\n2\n3' "to-csv: $T/bad:4: not a record: no '=' in the field 'bad'
to-csv: cannot open $T/none: No such file or directory"
	try to-csv "$T/bad" "$T/good"
	[ "$status" = 1 ] && [ "$(wc -l <<<"$err")" = 1 ] && [ "$(grep -c '^[123],' <<<"$out")" = 6 ]
	try to-csv < <(cat "$T/bad")
	[ "$status" = 1 ] && [ "$(wc -l <<<"$err")" = 1 ] && [ "$(grep -c '^[123],' <<<"$out")" = 3 ]
}

@test "python reads what the records say, every byte with --exact" {
	python3 - "$T/in" <<-'PYTHON'
		import random, sys
		random.seed(3)
		named = {9: b"\\t", 10: b"\\n", 13: b"\\r", 0: b"\\0", 92: b"\\\\"}
		def escape(b):
		    return b"".join(named.get(c) or (b"\\x%02x" % c if c < 32 or c == 127 else bytes([c])) for c in b)
		with open(sys.argv[1], "wb") as out:
		    for i in range(5000):
		        values = [bytes(random.choices(b' ,"\n\r\t\\abc0x\x1b\xff\x7f\xc3\xa9', k=random.randint(0, 40))) for _ in range(4)]
		        out.write(b"ts=%d\tev=x" % i + b"".join(b"\tk%d=%s" % (n, escape(v)) for n, v in enumerate(values)) + b"\n")
		        with open(sys.argv[1] + ".want", "ab") as want:
		            want.write(repr([b"%d" % i, b"x"] + values).encode() + b"\n")
	PYTHON
	for form in '' --crlf; do
		# shellcheck disable=SC2086
		to-csv --exact $form "$T/in" >"$T/out"
		python3 - "$T/out" >"$T/got" <<-'PYTHON'
			import csv, sys
			rows = csv.reader(open(sys.argv[1], newline="", encoding="latin-1"), strict=True)
			assert next(rows) == ["ts", "ev", "k0", "k1", "k2", "k3"]
			for row in rows: print([v.encode("latin-1") for v in row])
		PYTHON
		cmp "$T/got" "$T/in.want"
	done
	# Without --exact no byte drives a terminal; tab and line feed are in quotes.
	[ "$(to-csv "$T/in" | grep -caP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')" = 0 ]
	try to-csv --no-header -f a < <(record ts=1 ev=x a='\0\x1b\x7f\x07c')
	expect 0 '"\x00\x1b\x7f\x07c"' ''
}

@test "--crlf ends lines with CR LF, and changes nothing else" {
	records >"$T/in"
	to-csv --crlf -f ts,comm "$T/in" | od -c | head -n 1 | grep -q 't   s   ,   c   o   m   m  \\r  \\n   1'
	[ "$(to-csv --crlf -f ts,comm "$T/in" | tr -d '\r')" = "$(to-csv -f ts,comm "$T/in")" ]
}

@test "Miller and the sqlite3 shell read a real stream alike" {
	need mlr sqlite3
	awk 'BEGIN { srand(4); for (i = 0; i < 20000; i++) { printf "ts=%d\tev=%s\tcomm=c%d", i, (i % 3 ? "a" : "b"), i % 9
		if (rand() < 0.5) printf "\tdur_ns=%d", rand() * 100000; if (i % 3) printf "\tpath=/a b/%d", i; print "" } }' >"$T/in"
	to-csv -f ts,comm,path "$T/in" | cmp - <(mlr --idkvp --ifs tab --ocsv unsparsify -f ts,comm,path 'then' cut -o -f ts,comm,path "$T/in")
	to-csv "$T/in" >"$T/out.csv"
	[ "$(head -n 1 "$T/out.csv")" = ts,ev,comm,path,dur_ns ] || [ "$(head -n 1 "$T/out.csv")" = ts,ev,comm,dur_ns,path ]
	sum=$(sqlite3 :memory: '.mode csv' ".import $T/out.csv t" "select sum(cast(dur_ns as integer)), count(nullif(path, '')) from t" | tr , ' ')
	[ "$sum" = "$(awk -F'\t' '{ for (i = 1; i <= NF; i++) { if ($i ~ /^dur_ns=/) s += substr($i, 8); if ($i ~ /^path=/) n++ } } END { printf "%d %d\n", s, n }' "$T/in")" ]
}

@test "loss is a row, and is said; --strict makes the status 3" {
	{ record ts=1 ev=x a=1; record ts=2 ev=lost n=5 source=ch0; } >"$T/in"
	try to-csv -f ts,ev,a "$T/in"
	expect 0 $'ts,ev,a\n1,x,1\n2,lost,' 'to-csv: 5 events were lost in 1 place: the output is incomplete'
	try to-csv --strict "$T/in"
	expect 3 $'ts,ev,a,n,source\n1,x,1,,\n2,lost,,5,ch0' 'to-csv: 5 events were lost in 1 place: the output is incomplete'
}

@test "-f streams: a row is there before the input ends" {
	mkfifo "$T/pipe"
	to-csv -f ts <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	record ts=1 ev=x >&7
	for _ in $(seq 100); do [ "$(wc -l <"$T/out")" = 2 ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = $'ts\n1' ]
	exec 7>&-
	wait $!
}

@test "the temporary file is where TMPDIR says, and is gone afterwards" {
	mkdir "$T/tmp"
	records | TMPDIR=$T/tmp to-csv | cmp - <(records >"$T/in"; to-csv "$T/in")
	[ -z "$(ls -A "$T/tmp")" ]
	try env TMPDIR="$T/none" to-csv < <(records)
	expect 1 '' "to-csv: cannot create a temporary file in $T/none: No such file or directory (TMPDIR chooses another place; with -f none is needed)"
}

@test "wrong fields" {
	try to-csv -f ts,ts
	[ "$status" = 2 ] && [[ $err == *"'ts' comes twice"* ]]
	try to-csv -f 'ts,a b'
	[ "$status" = 2 ] && [[ $err == *"'a b' is not a key"* ]]
	try to-csv -f ''
	[ "$status" = 2 ]
}
