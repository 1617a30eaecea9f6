#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

@test "tables, columns, types, counts, exactly" {
	{
		record ts=5 ev=a comm=7 x=1 y=0.5
		record ts=9 ev=a comm=b x=-2 y=3 z=
		record ts=7 ev=b comm=b x=18446744073709551615
	} >"$T/in"
	try columns "$T/in"
	expect 0 $'ts=9\tev=column\ttable=a\tof=a\tkey=ts\ttype=integer\tcount=2\trows=2
ts=9\tev=column\ttable=a\tof=a\tkey=ev\ttype=text\tcount=2\trows=2
ts=9\tev=column\ttable=a\tof=a\tkey=comm\ttype=text\tcount=2\trows=2
ts=9\tev=column\ttable=a\tof=a\tkey=x\ttype=integer\tcount=2\trows=2
ts=9\tev=column\ttable=a\tof=a\tkey=y\ttype=real\tcount=2\trows=2
ts=9\tev=column\ttable=a\tof=a\tkey=z\ttype=text\tcount=1\trows=2
ts=7\tev=column\ttable=b\tof=b\tkey=ts\ttype=integer\tcount=1\trows=1
ts=7\tev=column\ttable=b\tof=b\tkey=ev\ttype=text\tcount=1\trows=1
ts=7\tev=column\ttable=b\tof=b\tkey=comm\ttype=text\tcount=1\trows=1
ts=7\tev=column\ttable=b\tof=b\tkey=x\ttype=unsigned\tcount=1\trows=1' ''
}

@test "types: what is a number, and what mixtures are" {
	type() {
		for v; do record ts=1 ev=e "x=$v"; done | columns | sed -n 's/.*key=x\ttype=\([a-z]*\).*/\1/p'
	}
	for v in 0 -1 9223372036854775807 -9223372036854775808; do [ "$(type "$v")" = integer ]; done
	for v in 9223372036854775808 18446744073709551615; do [ "$(type "$v" 0)" = unsigned ]; done
	for v in 0.5 -0.25 1e+30 1e-09; do [ "$(type "$v" 7)" = real ] || { echo "$v"; false; }; done
	for v in '' - 007 +1 -0 00 -01 1.50 0x10 inf nan 1e400 18446744073709551616 ' 1' '1,' '\x31' 0e5 00.5; do
		[ "$(type "$v")" = text ] || { echo "$v: $(type "$v")"; false; }
	done
	# No column's numbers lose a digit, or their sign.
	[ "$(type 9223372036854775808 -1)" = text ]
	[ "$(type 9007199254740993 0.5)" = text ]
	[ "$(type 9007199254740992 0.5)" = real ]
	[ "$(type 1 x)" = text ]
}

@test "the types agree with those that SQLite stores" {
	need sqlite3
	spans "$TESTS/data/contract.tskv" 2>/dev/null | cat - <(lttng-convert "$(trace smoke)/trace") >"$T/in"
	to-sqlite "$T/db" <"$T/in" 2>/dev/null
	columns "$T/in" 2>/dev/null | sed -nE 's/.*\ttable=([a-z0-9_]+)\tof=\1\tkey=([^\t]*)\ttype=(integer|real|text)\t.*/\1 \2 \3/p' |
		sort >"$T/got"
	# Mixed types, which SQLite has, are text; so are texts that are no UTF-8.
	sqlite3 -separator ' ' "$T/db" "select \"table\", key, case when types in ('integer', 'real') then types else 'text' end
		from columns join tables on name = \"table\" where ev = name" | sort >"$T/want"
	[ "$(wc -l <"$T/got")" -gt 1000 ]
	comm -23 "$T/got" "$T/want" >"$T/more"
	diff "$T/more" /dev/null
}

@test "--split: every record in the file of its table, none lost, none changed" {
	spans <(lttng-convert "$(trace smoke)/trace") >"$T/in" 2>/dev/null
	try columns --split "$T/split" "$T/in"
	[ "$status" = 0 ]
	awk -F'\t' -v dir="$T/want-" '{ print > (dir substr($2, 4)) }' "$T/in"
	[ "$(find "$T/split" -type f | wc -l)" -gt 8 ]
	for file in "$T"/split/*; do
		name=$(basename "$file" .tskv)
		cmp "$file" "$T/want-$name"
	done
	[ "$(cat "$T"/split/* | wc -l)" = "$(wc -l <"$T/in")" ]
}

@test "--split: escapes in one form; hostile names of tables" {
	{
		record ts=1 ev=e 'a=\N\x41' "b=\\\\N\\'\\x1b" c=$'\xff'
		record ts=1 'ev=../x' a=1
		record ts=1 'ev=a`b"\x27;' a=1
		record ts=1 ev= a=1
		record ts=1 ev=runs a=1
		record ts=1 ev=records a=1
		record ts=1 a=1
		record ts=1 ev=app:request a=1
		record ts=1 "ev=$(printf 'k%.0s' $(seq 300))" a=1
		record ts=1 "ev=$(printf 'k%.0s' $(seq 301))" a=1
	} >"$T/in"
	try columns --split "$T/split" "$T/in"
	[ "$status" = 0 ]
	[ "$(cat "$T/split/e.tskv")" = $'ts=1\tev=e\ta=NA\tb=\\\\N\'\\x1b\tc=\xff' ]
	[ "$(find "$T/split" -type f | wc -l)" = 10 ] && [ -s "$T/split/records.tskv" ] && [ -s "$T/split/app:request.tskv" ]
	run ! grep -vqE '^[A-Za-z0-9_][A-Za-z0-9_:-]*\.tskv$' <(ls "$T/split")
	[ "$(sed -n 's/.*\ttable=\([^\t]*\).*/\1/p' "$T/try.out" | sort -u | wc -l)" = 10 ]
	# The same names in another run, whatever comes first.
	tac "$T/in" >"$T/other"
	columns "$T/other" | cut -f3,4 | sort -u >"$T/names"
	diff "$T/names" <(cut -f3,4 "$T/try.out" | sort -u)
}

@test "more tables than there may be: said, status 1" {
	awk 'BEGIN { for (i = 0; i < 1001; i++) printf "ts=1\tev=e%d\n", i }' >"$T/in"
	try columns <(head -n 1000 "$T/in")
	[ "$status" = 0 ] && [ "$(wc -l <<<"$out")" = 2000 ]
	try columns --split "$T/split" <(head -n 1000 "$T/in")
	[ "$status" = 0 ] && [ "$(find "$T/split" -type f | wc -l)" = 1000 ]
	try columns "$T/in"
	expect 1 '' 'columns: cannot make more than 1000 tables: the records have more different ev'
}

@test "loss is a table, and said" {
	try columns --strict < <(record ts=2 ev=lost n=5 source=ch0)
	[ "$status" = 3 ] && [[ $out == *$'table=lost\tof=lost\tkey=n\ttype=integer'* ]]
	[ "$err" = 'columns: 5 events were lost in 1 place: what the tables hold is incomplete' ]
}
