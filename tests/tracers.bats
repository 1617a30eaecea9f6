#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# CTF of other tracers than LTTng, made here: by perf, and by tracers that barectf generates.

load helper

# both TRACE: both readers of lttng-convert give the same bytes and say the same. Leaves $T/records and $T/events,
# those without ev=lost.
both() {
	local reader
	for reader in fast babeltrace; do
		try lttng-convert --reader $reader "$1"
		[ "$status" = 0 ] || { echo "$reader: status $status, $err"; return 1; }
		mv "$T/try.out" "$T/$reader.out"
		mv "$T/try.err" "$T/$reader.err"
	done
	cmp "$T/fast.out" "$T/babeltrace.out"
	diff "$T/fast.err" "$T/babeltrace.err"
	take
}
take() {
	mv "$T/fast.out" "$T/records"
	grep -av $'\tev=lost\t' "$T/records" >"$T/events" || true
}

# barectf NAME FEATURES STREAM-FEATURES MEMBERS FLAGS [EVENTS]: a trace in $T/NAME/trace by a tracer that is made and
# run here; what it wrote in $T/NAME/records, how much it discarded in $T/NAME/lost.
barectf_trace() {
	need barectf gcc
	local native
	native=$(python3 -c 'import sys; print({"little": "le", "big": "be"}[sys.byteorder])')
	mkdir -p "$T/$1/trace"
	cd "$T/$1" || return
	cp "$TESTS/data/barectf/"* .
	cat >config.yaml <<-END
		--- !<tag:barectf.org,2020/3/config>
		trace:
		  environment: {hostname: board}
		  type:
		    \$include: [stdint.yaml, stdreal.yaml, stdmisc.yaml]
		    native-byte-order: $native
		    uuid: auto
		    \$features: {$2}
		    clock-types:
		      tick: {frequency: 1000000, offset: {seconds: 1795000000}, \$c-type: uint64_t}
		    data-stream-types:
		      main:
		        \$is-default: true
		        \$default-clock-type-name: tick
		        \$features: {$(tr -s '\n\t' '  ' <<<"$3")}
		        packet-context-field-type-extra-members: [$4]
		        \$include: [${6:-plain.yaml, many.yaml}]
	END
	barectf generate -I . -m trace config.yaml
	# The flags are words of our own.
	# shellcheck disable=SC2086
	gcc -I. -DCLOCK=uint64_t $5 -o main main.c barectf.c
	./main 5000 512 trace/stream >records 2>lost
}

# as_sent: the events are those that were sent; as many are said to be lost as were discarded.
as_sent() {
	cmp "$T/events" records
	[ "$(wc -l <records)" -gt 4000 ]
	[ "$(sed -nE 's/.*\tev=lost\t.*\bn=([0-9]+).*/\1/p' "$T/records" | awk '{ n += $1 } END { print n }')" = "$(cat lost)" ]
}

bits() { echo "{class: uint, size: $1, alignment: ${2:-8}}"; }
NOTHING='magic-field-type: false, uuid-field-type: false, data-stream-type-id-field-type: false'

@test "barectf: as it is without features named" {
	barectf_trace default '' '' 'cpu_id: uint8' '-DCPU=,0 -DCPU_FIELD="\tcpu=0"'
	both trace
	as_sent
	babeltrace2 trace 2>/dev/null | wc -l | diff - <(wc -l <records)
}

@test "barectf: fields of a byte or two; times of 8 bits that wrap; a counter of 8 bits; no uuid" {
	barectf_trace small "uuid-field-type: false, data-stream-type-id-field-type: $(bits 8)" "
		packet: {total-size-field-type: $(bits 16), content-size-field-type: $(bits 16),
			 discarded-event-records-counter-snapshot-field-type: $(bits 8),
			 sequence-number-field-type: $(bits 32)},
		event-record: {type-id-field-type: $(bits 8), timestamp-field-type: $(bits 8)}" '' '-DCPU= -DCPU_FIELD=""'
	both trace
	as_sent
}

@test "barectf: packets without times" {
	barectf_trace untimed '' "
		packet: {beginning-timestamp-field-type: false, end-timestamp-field-type: false,
			 sequence-number-field-type: $(bits 8)},
		event-record: {timestamp-field-type: $(bits 32)}" '' '-DCPU= -DCPU_FIELD=""'
	both trace
	as_sent
}

# Without the stream's id in the packets libbabeltrace2 refuses what barectf writes.

@test "barectf: no header of packets, times of 40 and of 13 bits, ids of 3 bits" {
	barectf_trace bits "$NOTHING" "
		packet: {total-size-field-type: $(bits 32), content-size-field-type: $(bits 32),
			 discarded-event-records-counter-snapshot-field-type: $(bits 32),
			 beginning-timestamp-field-type: $(bits 40 16), end-timestamp-field-type: $(bits 40 16)},
		event-record: {type-id-field-type: $(bits 3 1), timestamp-field-type: $(bits 13 1)}" '' '-DCPU= -DCPU_FIELD=""'
	lttng-convert trace >"$T/fast.out"
	take
	as_sent
}

@test "barectf: one kind of event, without id; nothing counts what is lost" {
	barectf_trace bare "$NOTHING" "
		packet: {total-size-field-type: $(bits 16), content-size-field-type: $(bits 16),
			 discarded-event-records-counter-snapshot-field-type: false},
		event-record: {type-id-field-type: false, timestamp-field-type: $(bits 16)}" '' \
		'-DPLAIN -DCPU= -DCPU_FIELD=""' plain.yaml
	try lttng-convert trace
	[ "$status" = 0 ] && [ -z "$err" ]
	cmp "$T/try.out" records
	[ "$(wc -l <records)" -gt 4000 ]
}

# perf_trace EVENT...: records all CPUs for a moment and converts that; skips where perf may not, or cannot.
perf_trace() {
	need perf
	perf record -q -o "$T/perf.data" -a "$@" -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do sleep 0.01; done' >"$T/said" 2>&1 ||
		skip "perf does not record: $(head -n 1 "$T/said")"
	perf data convert -i "$T/perf.data" --all --to-ctf "$T/perf" >"$T/said" 2>&1 ||
		skip "perf does not write CTF: $(head -n 1 "$T/said")"
	both "$T/perf"
	[ "$(wc -l <"$T/events")" = "$(babeltrace2 "$T/perf" 2>/dev/null | wc -l)" ]
}

# as_script NAME: cpu, pid, tid and time of the samples of event NAME are those that perf script tells.
as_script() {
	perf script -i "$T/perf.data" --ns -F pid,tid,cpu,time,event |
		sed -nE 's,^ *(-?[0-9]+)/(-?[0-9]+) +\[0*([0-9]+)\] +([0-9]+)\.([0-9]{9}): +([^ ]+): *$,\6 cpu=\3 pid=\1 tid=\2 ts=\4\5,p' |
		grep "^$1 " | cut -d' ' -f2- | sort >"$T/want"
	[ -s "$T/want" ]
	sed -nE "s/^(ts=[0-9]+)\tev=$2\t(cpu=[0-9]+)\t(pid=[0-9-]+)\t(tid=[0-9-]+)\t.*/\2 \3 \4 \1/p" "$T/events" | sort |
		diff "$T/want" -
}

@test "perf data convert --to-ctf: samples of the clock" {
	perf_trace -e cpu-clock -g
	as_script cpu-clock cpu-clock
}

@test "perf data convert --to-ctf: a tracepoint" {
	perf_trace -e sched:sched_switch
	as_script sched:sched_switch sched_switch
	grep -qa $'\tev=sched_switch\t.*\tnext_tid=\|\tev=sched_switch\t.*\tnext_pid=' "$T/events"
}
