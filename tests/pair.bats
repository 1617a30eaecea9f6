#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

event() { record "ts=$1" "ev=$2" "${@:3}"; }

@test "a start and its end, by key: whose it is, how long, captured fields" {
	{
		event 100 begin cpu=0 pid=7 tid=8 comm='a b' id=1 url=/x
		event 110 begin cpu=1 pid=7 tid=9 comm=c id=2
		event 150 end cpu=1 pid=7 tid=9 comm=c id=1 status=200
		event 170 end id=2 url=/y status=404
	} >"$T/in"
	try pair -s begin -e end -k id -c url,status -n request "$T/in"
	expect 0 "$(
		event 150 period cpu=0 pid=7 tid=8 comm='a b' name=request dur_ns=50 id=1 url=/x status=200
		event 170 period cpu=1 pid=7 tid=9 comm=c name=request dur_ns=60 id=2 url=/y status=404
	)" ''
}

@test "the key of the start and that of the end have different names; several keys" {
	{
		event 1 waking tid=1 payload.tid=5 cpu=0 n=a
		event 3 switch tid=1 next_tid=5 cpu=1 n=b
		event 4 switch tid=1 next_tid=5 cpu=0 n=a
	} >"$T/in"
	try pair -s waking -e switch -k payload.tid=next_tid,cpu "$T/in"
	expect 0 "$(event 4 period cpu=0 tid=1 name=waking dur_ns=3 payload.tid=5)" 'pair: unpaired: 0 starts, 1 end'
}

@test "conditions, with commas and escapes in values" {
	{
		event 1 call tid=1 op='a,b'
		event 2 call tid=2 op='x\ty'
		event 5 return tid=1
		event 6 return tid=2
	} >"$T/in"
	try pair -s 'call,op=a\,b' -e return "$T/in"
	expect 0 "$(event 5 period tid=1 name=call dur_ns=4)" 'pair: unpaired: 0 starts, 1 end'
	try pair -s $'call,op=x\ty' -e return "$T/in"
	expect 0 "$(event 6 period tid=2 name=call dur_ns=4)" 'pair: unpaired: 0 starts, 1 end'
}

@test "a start while one is open: anew, or the same" {
	{
		event 1 b tid=1
		event 3 b tid=1
		event 7 e tid=1
	} >"$T/in"
	try pair -s b -e e "$T/in"
	expect 0 "$(event 7 period tid=1 name=b dur_ns=4)" 'pair: unpaired: 1 start, 0 ends'
	try pair -s b -e e --first "$T/in"
	expect 0 "$(event 7 period tid=1 name=b dur_ns=6)" ''
}

@test "an event that ends one period begins the next" {
	{
		event 1 tick tid=1
		event 3 tick tid=1
		event 8 tick tid=1
	} >"$T/in"
	try pair -s tick -e tick "$T/in"
	expect 0 "$(event 3 period tid=1 name=tick dur_ns=2; event 8 period tid=1 name=tick dur_ns=5)" \
		'pair: unpaired: 1 start, 1 end'
}

@test "no period crosses a loss; it passes, and is said" {
	{
		event 1 b tid=1
		event 2 lost n=5 source=x
		event 3 e tid=1
		event 4 b tid=1
		event 6 e tid=1
	} >"$T/in"
	try pair -s b -e e "$T/in"
	[ "$out" = "$(event 2 lost n=5 source=x; event 6 period tid=1 name=b dur_ns=2)" ] && [ "$status" = 0 ]
	[[ $err == *'5 events were lost'* ]]
	try pair --strict -s b -e e "$T/in"
	[ "$status" = 3 ]
}

@test "what begins within a gap is not known to be open: its end, or another start, may be missing" {
	{
		event 1 lost n=5 source=x first_ts=1 last_ts=10
		event 5 b tid=1
		event 6 e tid=1
		event 10 b tid=1
		event 11 e tid=1
		event 12 b tid=1
		event 13 e tid=1
	} >"$T/in"
	try pair -s b -e e "$T/in"
	expect 0 "$(event 1 lost n=5 source=x first_ts=1 last_ts=10; event 13 period tid=1 name=b dur_ns=1)" \
		'pair: unpaired: 2 starts, 2 ends
pair: 5 events were lost in 1 place: what the periods tell is incomplete'
}

@test "--keep passes everything, each before its period" {
	{
		event 1 b tid=1
		event 2 other tid=1
		event 3 e tid=1
	} >"$T/in"
	try pair --keep -s b -e e "$T/in"
	expect 0 "$(cat "$T/in"; event 3 period tid=1 name=b dur_ns=2)" ''
}

@test "starts and ends without a key are counted" {
	{
		event 1 b id=1
		event 2 b
		event 3 e
	} >"$T/in"
	try pair -s b -e e -k id "$T/in"
	expect 0 '' $'pair: unpaired: 1 start, 0 ends\npair: 2 starts or ends lack a key'
}

@test "wrong usage" {
	for arguments in '' '-s a' '-s a -e b -k 1x' '-s a,b -e c' '-s , -e c' '-s a -e b -c dur_ns' '-s a -e b -c tid' \
		'-s a -e b -k x -c x' '-s a -e b -k x,x'; do
		# shellcheck disable=SC2086
		try pair $arguments </dev/null
		[ "$status" = 2 ] && [ -z "$out" ] && [[ $err == 'pair: '*"see 'pair --help'" ]] || { echo "$arguments: $err"; false; }
	done
}

@test "a real trace: raise to entry of soft interrupts, as awk has it" {
	need_trace smoke
	lttng-convert -e 'irq_softirq_*' "$trace/trace" >"$T/raw"
	pair -s irq_softirq_raise -e irq_softirq_entry -k cpu,vec --first "$T/raw" 2>/dev/null |
		sed 's/.*dur_ns=\([0-9]*\).*vec=\([0-9]*\).*/\2 \1/' >"$T/ours"
	awk -F'\t' '{
		for (i = 1; i <= NF; i++) { p = index($i, "="); f[substr($i, 1, p - 1)] = substr($i, p + 1) }
		k = f["cpu"] " " f["vec"]
		t = substr(f["ts"], 6) + 0
		if (f["ev"] == "irq_softirq_raise") { if (!(k in at)) at[k] = t }
		else if (f["ev"] == "irq_softirq_entry" && k in at) { print f["vec"], t - at[k]; delete at[k] }
	}' "$T/raw" >"$T/theirs"
	[ "$(wc -l <"$T/ours")" -gt 1000 ]
	diff "$T/ours" "$T/theirs"
}
