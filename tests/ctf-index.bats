#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# LTTng's packet index: it changes nothing of what is sound, whatever is in it, and helps where headers are damaged.
# What it means for small generated traces, some without magic numbers, is in tests/ctf/wrong.py.
# $window and $arguments are words: options and their values.
# shellcheck disable=SC2086

load helper

# copy NAME: a writable copy of a recorded trace. Sets $trace.
copy() {
	need python3
	need_trace "$1"
	cp -r "$trace/trace" "$T/$1"
	chmod -R u+w "$T/$1"
	trace=$T/$1
}

# said ARGUMENTS...: all that lttng-convert says and returns.
said() {
	status=0
	lttng-convert --reader fast "$@" >"$T/said.out" 2>"$T/said.err" || status=$?
	echo "status $status" | cat - "$T/said.err" "$T/said.out" | md5sum
}

# said_within WINDOWS DIRECTORY...: the same within each of these times.
said_within() {
	local windows=$1 window
	shift
	while read -r window; do said $window "$@"; done <<<"$windows"
}

# unmoved_by "LIE..." WINDOWS DIRECTORY...: each of these ways to falsify the indexes leaves all as it is without.
unmoved_by() {
	local lies=$1 windows=$2 lie index
	shift 2
	find "$@" -name '*.idx' | while read -r index; do mv "$index" "$index.true"; done
	said_within "$windows" "$@" >"$T/want"
	[ "$(sort -u "$T/want" | wc -l)" = "$(wc -l <<<"$windows")" ]
	for lie in $lies; do
		find "$@" -name '*.idx.true' | while read -r index; do
			cp "$index" "${index%.true}"
			[ "$lie" = truth ] || "$TESTS/ctf/index.py" lie "$lie" "${index%.true}"
		done
		said_within "$windows" "$@" | diff "$T/want" - || { echo "$lie"; return 1; }
	done
}

@test "an index changes nothing, be it true, a lie or cut: a small trace" {
	"$TESTS/ctf/build" "$T"
	run -0 "$TESTS/ctf/index.py" check "$T/decode" "${WEIR_MUTATIONS:-100}"
	[[ ${lines[0]} == '0 of '*' wrong, 9 outputs' ]]
}

@test "an index changes nothing: many packets, some with counters that are 0" {
	copy tinybuf
	unmoved_by 'truth half split merged times random-3' \
		"$(printf '%s\n' '-e sched_p*' '-e irq* --begin +5s --end +6s' '--begin +17s')" "$trace"
}

@test "an index changes nothing: one packet, and rotated files" {
	copy smoke
	copy rotated
	unmoved_by 'truth split times' "$(printf '%s\n' '-e sched_p*' '--begin 01:49:30 --end 01:49:31')" \
		"$T/smoke" "$T/rotated"
}

@test "an index that is a directory, a fifo, or may not be read" {
	copy smoke
	want=$(said "$trace")
	rm "$trace/kernel/index/ch0_0.idx" "$trace/kernel/index/ch0_1.idx"
	mkdir "$trace/kernel/index/ch0_0.idx"
	mkfifo "$trace/kernel/index/ch0_1.idx"
	[ "$(said "$trace")" = "$want" ]
	chmod 0 "$trace/kernel/index"
	[ "$(said "$trace")" = "$want" ]
	chmod 700 "$trace/kernel/index"
}

@test "packets that are in several files: the same with their indexes, within any time" {
	copy postgres
	rm -r "$trace/kernel/index"
	mv "$trace/kernel/ch0_0" "$T/whole"
	bytes=$(($(od -A n -t u8 -j 56 -N 8 "$T/whole") / 8))
	part() { dd if="$T/whole" of="$trace/kernel/part_$1" bs="$bytes" skip="$2" count="$3" status=none; }
	part 0 0 3
	part 1 1 2
	part 2 2 9
	"$TESTS/ctf/index.py" make "$trace"/kernel/part_? "$trace/kernel/ch0_1"
	windows=$(printf '%s\n' '-e sched_s*' '--begin +3s' '--begin +3.5s' '--end +100ms' '--begin +2s --end +2001ms')
	unmoved_by 'truth version_1_0 longer_entries' "$windows" "$trace"
}

# damage OFFSET BYTES: of the sixth packet of ch0_0.
damage() {
	printf %b "$2" | dd of="$trace/kernel/ch0_0" bs=1 seek=$((5 * 16384 + $1)) conv=notrunc status=none
}

# lost_here REASON LOST: with the index all events are out, beside the one record of the damage, which is between the
# last event before the packet and the packet's beginning. Without the index, LOST events are not.
lost_here() {
	local said="$1; it is read by the index" events
	try lttng-convert --reader fast "$trace"
	[ "$status" = 1 ] && [ "$(head -n 1 "$T/try.err")" = "lttng-convert: $trace/kernel/ch0_0, byte 81920: $said" ]
	grep -a $'\treason=' "$T/try.out" >"$T/record"
	record ts=1795225673829052320 ev=lost cpu=0 n='?' source=ch0_0 first_ts=1795225673829052320 \
		last_ts=1795225673856124394 reason="$said" offset=81920 | diff - "$T/record"
	grep -av $'\treason=' "$T/try.out" | cmp - "$T/all"
	mv "$trace/kernel/index" "$T/index"
	try lttng-convert --reader fast "$trace"
	mv "$T/index" "$trace/kernel"
	events=$(grep -avc $'\tev=lost\t' "$T/try.out")
	[ $((all - events)) = "$2" ] || { echo "without the index $((all - events)) are lost"; return 1; }
}

@test "damaged headers: with the index every event is out, one ev=lost says where" {
	copy tinybuf
	lttng-convert --reader fast "$trace" >"$T/all" 2>/dev/null
	all=$(grep -avc $'\tev=lost\t' "$T/all")
	cp "$trace/kernel/ch0_0" "$T/whole"
	while IFS='|' read -r at bytes events reason; do
		cp "$T/whole" "$trace/kernel/ch0_0"
		damage "$at" "$bytes"
		lost_here "$reason" "$events"
	done <<-'END'
		0|\0|269|no packet begins here: it has not the magic number 0xc1fc1fc1
		7|\377|269|a packet of another trace: its uuid is not the metadata's
		52|\1|269|a packet of 131072 bits with a content of 4295097992
		58|\0|269|a packet of 0 bits with a content of 130696
		58|\6|551|a packet of 393216 bits, of which the index has 131072
		61|\1|0|a packet of 1099511758848 bits, of which the index has 131072
	END
}

@test "what is outside of the wanted time is passed over by the index: damage there is not looked for" {
	copy tinybuf
	lttng-convert --reader fast --begin +10s --end +11s "$trace" >"$T/want" 2>"$T/want.err"
	damage 0 '\0'
	for index in with without; do
		[ $index = with ] || rm -r "$trace/kernel/index"
		try lttng-convert --reader fast --begin +10s --end +11s "$trace"
		cmp "$T/try.out" "$T/want"
		if [ $index = with ]; then
			[ "$status" = 0 ] && diff "$T/try.err" "$T/want.err"
		else
			[ "$status" = 1 ] && grep -q 'ch0_0, byte 81920: no packet begins here' "$T/try.err"
		fi
	done
}
