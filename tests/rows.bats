#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# list, histogram, share: the filters that make rows for pipelines.

load helper

span() { record "ts=$1" "ev=$2" "dur_ns=$3" "${@:4}"; }

setup() {
	{
		span 1795225110000000100 oncpu 100 cpu=0 comm=a
		span 1795225110000000150 oncpu 150 cpu=1 comm=b
		span 1795225110000000200 oncpu 50 cpu=0 comm='c d'
		span 1795225110000000300 oncpu 100 cpu=0 comm=a
	} >"$T/in"
}

@test "list: fields in their order, begin_ts, what lacks; all forms" {
	record ts=1795225110000000400 ev=lone comm=e >>"$T/in"
	try list -o csv -f ev,begin_ts,dur_ns,comm "$T/in"
	expect 0 'ts,ev,begin_ts,dur_ns,comm
1795225110000000100,oncpu,1795225110000000000,100,a
1795225110000000150,oncpu,1795225110000000000,150,b
1795225110000000200,oncpu,1795225110000000150,50,c d
1795225110000000300,oncpu,1795225110000000200,100,a
1795225110000000400,lone,,,e' ''
	try list -o table -n 1 -f begin_ts,dur_ns,comm "$T/in"
	expect 0 'begin_ts              dur_ns  comm
2026-11-21T01:38:30Z  100 ns  a' ''
	try list -o tskv -n 1 -f begin_ts,comm,nothing "$T/in"
	expect 0 "$(record ts=1795225110000000100 ev=oncpu begin_ts=1795225110000000000 comm=a)" ''
	try list -o json -n 1 -f dur_ns,nothing "$T/in"
	expect 0 '{"ts":"1795225110000000100","dur_ns":100,"nothing":null}' ''
}

@test "list: the largest, the smallest, equal ones in order" {
	try list -o csv -s dur_ns -n 3 -f dur_ns,comm "$T/in"
	expect 0 'ts,dur_ns,comm
1795225110000000150,150,b
1795225110000000100,100,a
1795225110000000300,100,a' ''
	try list -o csv -s +dur_ns -n 2 -f dur_ns,comm "$T/in"
	expect 0 'ts,dur_ns,comm
1795225110000000200,50,c d
1795225110000000100,100,a' ''
	record ts=1 ev=x >>"$T/in"
	try list -o tskv -s dur_ns -n 1 -f dur_ns "$T/in"
	expect 0 "$(record ts=1795225110000000150 ev=oncpu dur_ns=150)" \
		'list: 1 record is without dur_ns: they are left out'
}

@test "list: the longest of a real trace, as sort has them" {
	need_trace smoke
	lttng-convert "$trace/trace" | spans >"$T/spans" 2>/dev/null
	list -o tskv -f dur_ns -s dur_ns -n 500 <(where dur_ns <"$T/spans") | sed 's/.*dur_ns=//' >"$T/ours"
	sed -n 's/.*\tdur_ns=\([0-9]*\).*/\1/p' "$T/spans" | sort -rn >"$T/sorted"
	diff "$T/ours" <(sed -n 1,500p "$T/sorted")
}

@test "histogram: buckets of powers of 2, empty ones too; bars" {
	for v in 0 1 2 3 3 4 9; do record ts=5 ev=x comm=a v=$v; done >"$T/v"
	record ts=6 ev=x comm=b v=16 >>"$T/v"
	try histogram -o csv -g comm v <"$T/v"
	expect 0 'ts,comm,from,to,count
5,a,0,1,1
5,a,1,2,1
5,a,2,4,3
5,a,4,8,1
5,a,8,16,1
6,b,16,32,1' ''
	try histogram -o csv -r 4 v <"$T/v"
	expect 0 'ts,from,to,count
6,0,1,1
6,1,2,1
6,2,3,1
6,3,4,2
6,4,5,1
6,5,6,0
6,6,7,0
6,7,8,0
6,8,10,1
6,10,12,0
6,12,14,0
6,14,16,0
6,16,20,1' ''
	try histogram -o table -g comm dur_ns <"$T/in"
	expect 0 'comm  from_ns   to_ns  count  bar
a       64 ns  128 ns      2  ########################################
b      128 ns  256 ns      1  ########################################
c d     32 ns   64 ns      1  ########################################' ''
}

@test "histogram: what has no bucket is said; the largest number has one" {
	for v in -1 x 18446744073709551615 1.9; do record ts=5 ev=x v=$v; done >"$T/v"
	try histogram -o tskv v <"$T/v"
	[ "$(grep -c . <<<"$out")" = 64 ]
	[ "$(sed -n 1p <<<"$out")" = "$(record ts=5 ev=bucket from=1 to=2 count=1)" ]
	[ "$(sed -n 64p <<<"$out")" = "$(record ts=5 ev=bucket from=9223372036854775808 to=18446744073709551616 count=1)" ]
	[ "$err" = $'histogram: 1 value of v was not a number\nhistogram: 1 value of v was below 0 and has no bucket' ]
}

@test "histogram: every value of a real trace is in its bucket" {
	need_trace smoke
	lttng-convert "$trace/trace" | spans -e syscall 2>/dev/null | where ev=syscall >"$T/spans"
	histogram -o tskv -r 8 dur_ns <"$T/spans" | sed 's/.*from_ns=\([0-9]*\)\tto_ns=\([0-9]*\)\tcount=\([0-9]*\)/\1 \2 \3/' >"$T/buckets"
	sed -n 's/.*\tdur_ns=\([0-9]*\).*/\1/p' "$T/spans" |
		awk 'BEGIN { n = 0 } NR == FNR { from[n] = $1; to[n] = $2; count[n++] = $3; next }
		{ for (i = 0; i < n; i++) if ($1 >= from[i] && $1 < to[i]) count[i]-- }
		END { for (i = 0; i < n; i++) if (count[i] != 0 || (i && from[i] != to[i - 1])) { print from[i], count[i]; bad = 1 }
			exit bad || n < 50 }' "$T/buckets" -
}

@test "a long text in a table shows both of its ends" {
	try list -o table -f stack <<<"$(record ts=1 ev=cpu "stack=main;$(printf 'x%.0s' {1..60});leaf")"
	expect 0 "stack
main;xxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx;leaf" ''
	# Exactly as many columns as there are; two for each of these.
	try list -o table -f a,b <<<"$(record ts=1 ev=e "a=$(printf 'x%.0s' {1..60})" "b=$(printf '漢%.0s' {1..31})")"
	expect 0 "a                                                             b
$(printf 'x%.0s' {1..60})  $(printf '漢%.0s' {1..9})…$(printf '漢%.0s' {1..20})" ''
}

@test "share: time and percent of the window; spans are cut at its edges" {
	try share -o csv -g cpu "$T/in"
	expect 0 'ts,cpu,count,time_ns,percent,window_ns
1795225110000000300,0,3,250,83.33333333333333,300
1795225110000000300,1,1,150,50,300' ''
	try share -o table -g cpu "$T/in"
	expect 0 'cpu  count  time_ns  percent
0        3   250 ns  83.33 %
1        1   150 ns  50.00 %' ''
	try share -o csv -g comm --begin +50ns --end 1795225110000000250 "$T/in"
	expect 0 'ts,comm,count,time_ns,percent,window_ns
1795225110000000250,a,2,100,50,200
1795225110000000250,b,1,100,50,200
1795225110000000250,c d,1,50,25,200' ''
	try share -o csv --begin +50ns -e comm=a -e cpu=0 -e cpu=2 "$T/in"
	expect 0 'ts,count,time_ns,percent,window_ns
1795225110000000300,2,150,60,250' ''
}

@test "share: a window that ends before it begins, and other wrong usage" {
	try share --begin +9s --end +1s "$T/in"
	expect 1 '' 'share: cannot share the window: it ends before it begins'
	try share --begin +1s --end +1s "$T/in"
	expect 1 '' 'share: cannot share the window: it has no length'
	for command in 'share -g ev' 'share -e comm' 'share --begin yesterday' 'list' 'list -f ts' 'list -f a,a' \
		'list -f a -s 1' 'histogram' 'histogram a b' 'histogram -r 3 a' 'histogram -g count a'; do
		# shellcheck disable=SC2086
		try $command </dev/null
		[ "$status" = 2 ] && [ -z "$out" ] && [[ $err == *"see '${command%% *} --help'" ]] || { echo "$command: $err"; false; }
	done
}

@test "loss passes in records, and is said" {
	record ts=2 ev=lost n=3 source=x >>"$T/in"
	for command in 'list --strict -f comm -o tskv' 'share --strict -o tskv' 'histogram --strict -o tskv dur_ns'; do
		# shellcheck disable=SC2086
		try $command <"$T/in"
		[ "$status" = 3 ] && grep -q 'ev=lost' <<<"$out" && [[ $err == *'3 events were lost'* ]] || { echo "$command"; false; }
	done
}
