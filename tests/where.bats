#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# passes EXPECTED EXPR...: where, over a small fixed input, passes the records with these ts.
passes() {
	local want=$1 got
	shift
	got=$(
		{
			record ts=1 ev=syscall pid=7 comm=nginx dur_ns=9999999 path=/etc/passwd
			record ts=2 ev=syscall pid=8 comm=nginx dur_ns=10000000 rx_bytes=4096
			record ts=3 ev=oncpu pid=007 comm='a\tb' dur_ns=10000001
			record ts=4 ev=oncpu comm='\x1b[31m' n=18446744073709551615
			record ts=5 ev=oncpu comm= n=18446744073709551614 x=-5 y=0.5
		} | where "$@" | sed -nE 's/^ts=([0-9]+)\t.*/\1/p' | tr '\n' ' '
	)
	[ "${got% }" = "$want" ] || { echo "where $*: got '$got', want '$want'"; return 1; }
}

@test "comparisons" {
	passes '1 2' comm=nginx
	passes '3 4 5' comm!=nginx
	passes '1 3' pid=7
	passes '1 2 3' pid=7,8
	passes '2' pid!=7
	passes '2 3' 'dur_ns>=10ms'
	passes '3' 'dur_ns>10ms'
	passes '1' 'dur_ns<10ms'
	passes '1 2' 'dur_ns<=0.01s'
	passes '2' 'rx_bytes=4k'
	passes '5' 'x<0'
	passes '5' 'y<1' 'y>0.25'
}

@test "64-bit numbers are compared exactly" {
	passes '4' 'n>18446744073709551614'
	passes '5' n=18446744073709551614
}

@test "presence, absence, inversion" {
	passes '1' path
	passes '2 3 4 5' '!path'
	passes '2 3 4 5' -v path
	passes '4 5' '!pid'
	passes '1' ev=syscall path
	passes '2 3 4 5' -v ev=syscall path
}

@test "globs and regular expressions" {
	passes '1' 'path~/etc/*'
	passes '1 2' 'comm~ng?nx'
	passes '3 4 5' 'comm!~ng*'
	passes '1' 'path=~^/etc'
	passes '' 'path=~^etc'
	passes '1 2' 'comm=~(ng|x)inx'
	passes '3 4 5' 'comm!=~n'
}

@test "text is compared with its escapes undone" {
	passes '3' comm="$(printf 'a\tb')"
	passes '4' "comm=~$(printf '\033')"
	passes '5' comm=
}

@test "a comma in a value is escaped" {
	try where 'comm=a\,b' < <(record ts=1 ev=x comm=a,b; record ts=2 ev=x comm=a)
	expect 0 $'ts=1\tev=x\tcomm=a,b' ''
}

@test "ev=lost always passes, and the loss is said" {
	{ record ts=1 ev=x a=1; record ts=2 ev=lost n=5 source=ch0; } >"$T/in"
	try where a=2 <"$T/in"
	expect 0 $'ts=2\tev=lost\tn=5\tsource=ch0' 'where: 5 events were lost in 1 place: what passed is incomplete'
	try where --strict a=2 <"$T/in"
	expect 3 $'ts=2\tev=lost\tn=5\tsource=ch0' 'where: 5 events were lost in 1 place: what passed is incomplete'
}

@test "records pass byte for byte" {
	where ev <"$TESTS/data/contract.tskv" 2>/dev/null | cmp - "$TESTS/data/contract.tskv"
}

@test "several files; the good ones are read when one is not there" {
	record ts=1 ev=x >"$T/a"
	record ts=2 ev=x >"$T/b"
	try where -f "$T/a" -f "$T/none" -f "$T/b" ev=x
	expect 1 $'ts=1\tev=x\nts=2\tev=x' "where: cannot open $T/none: No such file or directory"
}

@test "wrong expressions" {
	try where
	expect 2 '' "where: cannot filter: no expression is given; see 'where --help'"
	try where '=x'
	expect 2 '' "where: cannot use '=x': an expression begins with a key; see 'where --help'"
	try where 'dur_ns>=10parsecs'
	[ "$status" = 2 ] && [[ $err == *"'10parsecs' is not a number (units"* ]]
	try where 'pid>10ms'
	[ "$status" = 2 ]
	try where 'a=~('
	[ "$status" = 2 ] && [[ $err == *'Unmatched ('* ]]
	try where 'a b'
	[ "$status" = 2 ]
}

@test "--to: what passes goes to a file, all of it to stdout" {
	cp "$TESTS/data/contract.tskv" "$T/in"
	where --to "$T/to" name=read <"$T/in" >"$T/out" 2>/dev/null
	cmp "$T/out" "$T/in"
	where name=read <"$T/in" 2>/dev/null | cmp - "$T/to"
	where --to "$T/all" <"$T/in" >"$T/out" 2>/dev/null
	cmp "$T/out" "$T/in" && cmp "$T/all" "$T/in"
	try where --to "$T/none/x" name=read <"$T/in"
	expect 1 '' "where: cannot write $T/none/x: No such file or directory"
	try where --to /dev/full name=read <"$T/in"
	[ "$status" = 1 ] && [[ $err == *'cannot write /dev/full: No space left on device'* ]]
}

@test "--to: a reader of TO that goes away is an error, not a quiet end" {
	yes "$(record ts=1 ev=x)" | head -n 200000 >"$T/in"
	mkfifo "$T/to"
	head -n 1 "$T/to" >/dev/null &
	try where --to "$T/to" <"$T/in"
	[ "$status" = 1 ] && [[ $err == "where: cannot write $T/to: Broken pipe" ]]
}

@test "awk agrees on a large generated stream of mixed shapes" {
	awk 'BEGIN { srand(42); for (i = 0; i < 50000; i++) {
		printf "ts=%d\tev=%s", i, (i % 3 ? "a" : "b")
		for (k = 0; k < 6; k++) if (rand() < 0.6) printf "\tkey_%s_%d=%d", (rand() < 0.2 ? "with_a_long_name" : "s"), k, rand() * 10
		print "" } }' >"$T/in"
	where key_s_3=7 <"$T/in" >"$T/got"
	awk -F'\t' '{ for (i = 1; i <= NF; i++) if ($i == "key_s_3=7") { print; next } }' "$T/in" >"$T/want"
	[ -s "$T/want" ]
	cmp "$T/got" "$T/want"
}

@test "a file among expressions or fields, which other programs take there, is wrong usage: no wait for stdin" {
	record ts=1 ev=a addr.0=1 >"$T/spans.tskv"
	cd "$T"
	for command in 'where ev=a spans.tskv' 'stats -g ev addr.0 spans.tskv' 'histogram spans.tskv'; do
		# shellcheck disable=SC2086
		try timeout 5 $command < <(sleep 6)
		expect 2 '' "${command%% *}: cannot take 'spans.tskv' for a field: it is a file, which -f reads; see '${command%% *} --help'"
	done
	try where -f spans.tskv addr.0
	expect 0 "$(cat spans.tskv)" ''
}
