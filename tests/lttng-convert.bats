#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lttng-convert, against babeltrace2.
# $as and $damage are words: a command and its arguments.
# shellcheck disable=SC2086

load helper
load sessiond

# copy NAME: a writable copy of a recorded trace in $T/NAME. Sets $trace.
copy() {
	need_trace "$1"
	cp -r "$trace/trace" "$T/$1"
	chmod -R u+w "$T/$1"
	trace=$T/$1
}

# names: how many of each, of babeltrace2's text (--no-delta --clock-seconds) and of records.
names_of_text() {
	sed -nE 's/^\[[0-9.]+\] (\S+ )?(\S+): .*/\2/p' | sort | uniq -c
}
names_of_records() {
	grep -av $'\tev=lost\t' | cut -f2 | cut -c4- | sort | uniq -c
}

# serves_spans NAME [ARGUMENTS]: --for spans, and --bare with it, change nothing of what spans writes and says, and
# save most bytes; --bare has each event.
serves_spans() {
	need_trace "$1"
	local directory=$trace/trace all least form
	shift
	lttng-convert "$@" "$directory" >"$T/all" 2>/dev/null || true
	spans "$T/all" >"$T/want" 2>"$T/want.err"
	sed -i 's/^spans: [^ ]*:[0-9]*: /spans: /' "$T/want.err"
	all=$(stat -c %s "$T/all")
	for form in '' --bare; do
		lttng-convert --for spans $form "$@" "$directory" >"$T/for" 2>/dev/null || true
		spans "$T/for" 2>"$T/got.err" | cmp - "$T/want"
		sed -i 's/^spans: [^ ]*:[0-9]*: /spans: /' "$T/got.err"
		diff "$T/want.err" "$T/got.err"
		least=$(stat -c %s "$T/for")
		[ "$((least * 3))" -lt "$((all * 2))" ] || { echo "$least bytes of $all"; return 1; }
	done
	diff <(cut -f1,2 "$T/all") <(cut -f1,2 "$T/for")
}

@test "--for spans: the same spans: smoke" { serves_spans smoke; }
@test "--for spans: the same spans: contend" { serves_spans contend; }
@test "--for spans: the same spans: postgres" { serves_spans postgres; }
@test "--for spans: the same spans: redis" { serves_spans redis; }
@test "--for spans: the same spans: nginx" { serves_spans nginx; }
@test "--for spans: the same spans: tinybuf, which has lost events" { serves_spans tinybuf; }
@test "--for spans: the same spans: of some events, within a time" {
	serves_spans postgres -e 'sched_*' -e 'irq_*' -e 'timer_*' -x '*raise' --begin +1s --end +2.5s
}

@test "--for spans tells when the last event was, where that is left out" {
	need_trace smoke
	local last
	last=$(lttng-convert -e 'sched_switch' -e 'timer_*' "$trace/trace" | tail -n 1 | cut -f1)
	[ "$(lttng-convert -e 'timer_*' --for spans "$trace/trace" | cut -f2 | sort | uniq -c | xargs)" = '1 ev=end' ]
	run -0 lttng-convert -e 'sched_switch' -e 'timer_*' --for spans "$trace/trace"
	[ "$(cut -f1 <<<"${lines[-1]}")" = "$last" ]
	run -2 lttng-convert --for spans -f cpu "$trace/trace"
	[ "$output" = "lttng-convert: cannot use --fields with --for, which chooses them; see 'lttng-convert --help'" ]
	run -2 lttng-convert --bare "$trace/trace"
}

@test "--for spans: libbabeltrace2 and text leave out nothing" {
	need_trace smoke
	lttng-convert --reader babeltrace --for spans "$trace/trace" | cmp - <(lttng-convert "$trace/trace")
	babeltrace2 "$trace/trace" >"$T/text"
	lttng-convert --for spans "$T/text" | cmp - <(lttng-convert "$T/text")
}

counts_agree() {
	need_trace "$1"
	babeltrace2 --clock-seconds --no-delta "$trace/trace" 2>/dev/null | names_of_text >"$T/want"
	lttng-convert "$trace/trace" 2>/dev/null | names_of_records >"$T/got"
	[ -s "$T/want" ]
	diff "$T/want" "$T/got"
}

@test "as many events of each name as babeltrace2: smoke" { counts_agree smoke; }
@test "as many events of each name as babeltrace2: contend" { counts_agree contend; }
@test "as many events of each name as babeltrace2: contend-quiet" { counts_agree contend-quiet; }
@test "as many events of each name as babeltrace2: postgres" { counts_agree postgres; }
@test "as many events of each name as babeltrace2: redis" { counts_agree redis; }
@test "as many events of each name as babeltrace2: nginx" { counts_agree nginx; }
@test "as many events of each name as babeltrace2: callstack" { counts_agree callstack; }
@test "as many events of each name as babeltrace2: tinybuf" { counts_agree tinybuf; }
@test "as many events of each name as babeltrace2: rotated" { counts_agree rotated; }

fields_agree() {
	need python3
	need_trace "$1"
	babeltrace2 --clock-seconds --no-delta "$trace/trace" 2>/dev/null >"$T/text"
	lttng-convert "$trace/trace" >"$T/records"
	try "$TESTS/compare-text.py" "$T/text" "$T/records"
	expect 0 "$(wc -l <"$T/text")" ''
}

@test "every field is what babeltrace2 prints: smoke" { fields_agree smoke; }
@test "every field is what babeltrace2 prints: callstack" { fields_agree callstack; }

@test "a record, exactly" {
	need_trace smoke
	try lttng-convert -e sched_waking --end +60ms "$trace/trace"
	[ "$status" = 0 ] && [ -z "$err" ]
	[ "$(head -n 1 <<<"$out")" = "$(record ts=1795225023368069205 ev=sched_waking cpu=0 pid=311 tid=320 \
		comm='Client manageme' ppid=1 vpid=311 vtid=320 payload.comm=lttng-consumerd \
		payload.tid=344 prio=20 target_cpu=0)" ] || { head -n 1 <<<"$out"; false; }
}

@test "the same bytes for every -j" {
	need_trace contend
	lttng-convert -j1 "$trace/trace" >"$T/1"
	for j in 2 3 7; do
		lttng-convert -j$j "$trace/trace" | cmp - "$T/1"
		lttng-convert -j$j -x 'timer_*' --begin +1s --end +2s "$trace/trace" >"$T/window"
		lttng-convert -j1 -x 'timer_*' --begin +1s --end +2s "$trace/trace" | cmp - "$T/window"
		[ -s "$T/window" ]
	done
}

@test "both readers give the same bytes, and say the same" {
	for name in smoke contend-quiet postgres tinybuf callstack rotated; do
		trace=$(trace "$name") || continue
		for arguments in '' '-e sched_* -f cpu,comm,next_comm' '--begin +100ms --end +300ms' '-x *hrtimer* -f callstack_kernel.1,tid'; do
			# The arguments are words of our own.
			# shellcheck disable=SC2086
			for reader in fast babeltrace; do
				try lttng-convert --reader $reader $arguments "$trace/trace"
				cp "$T/try.out" "$T/$reader.out"
				echo "status $status" | cat - "$T/try.err" >"$T/$reader.err"
			done
			cmp "$T/fast.out" "$T/babeltrace.out"
			diff "$T/fast.err" "$T/babeltrace.err"
		done
	done
}

@test "both readers say the same of larger traces" {
	for name in contend nginx redis; do
		need_trace "$name"
		for reader in fast babeltrace; do
			try lttng-convert --reader $reader -e 'sched_process_*' -e 'syscall_entry_f*' "$trace/trace"
			cp "$T/try.out" "$T/$reader.out"
			echo "status $status" | cat - "$T/try.err" >"$T/$reader.err"
		done
		cmp "$T/fast.out" "$T/babeltrace.out"
		diff "$T/fast.err" "$T/babeltrace.err"
	done
}

@test "our reader: a stream that is cut off: all that is before the cut" {
	copy smoke
	lttng-convert "$trace" >"$T/all"
	truncate -s 900000 "$trace/kernel/ch0_0"
	try lttng-convert "$trace"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: $trace/kernel/ch0_0, byte "* ]]
	grep -a $'\tcpu=1\t' "$T/all" | cmp - <(grep -a $'\tcpu=1\t' "$T/try.out")
	grep -a $'\tcpu=0\t' "$T/try.out" | grep -v 'ev=lost' >"$T/cut"
	[ "$(wc -l <"$T/cut")" -ge 15621 ]
	grep -a $'\tcpu=0\t' "$T/all" | head -n "$(wc -l <"$T/cut")" | cmp - "$T/cut"
}

@test "our reader: rubbish within a packet: what is before it, the rest of the streams, and where it is" {
	copy postgres
	lttng-convert "$trace" >"$T/all"
	printf '\377%.0s' $(seq 100) | dd of="$trace/kernel/ch0_0" bs=1 seek=700000 conv=notrunc 2>/dev/null
	try lttng-convert "$trace"
	[ "$status" = 1 ] && [[ $err == *"$trace/kernel/ch0_0, byte "* ]]
	grep -a $'\tcpu=1\t' "$T/all" | cmp - <(grep -a $'\tcpu=1\t' "$T/try.out")
	# All that is written is of the whole trace, in its order, but for the event that the rubbish begins
	# in and one made of it; and the end of the stream is there again.
	grep -av $'\tev=lost\t' "$T/try.out" >"$T/events"
	[ "$(diff "$T/all" "$T/events" | grep -c '^>')" -le 2 ]
	cmp <(tail -n 100 "$T/all") <(tail -n 100 "$T/events")
}

@test "our reader: metadata that it cannot use is said, with the line; libbabeltrace2 is tried" {
	copy smoke
	babeltrace2 -o ctf-metadata "$trace/kernel" >"$T/text"
	last=$(($(wc -l <"$T/text") + 1))
	{ cat "$T/text"; echo 'gibberish { };'; } >"$trace/kernel/metadata"
	try lttng-convert --reader fast "$trace"
	expect 1 '' "lttng-convert: cannot read $trace/kernel: line $last: unknown block 'gibberish'"
	try lttng-convert "$trace"
	[ "$status" = 1 ] && [[ $err == *"line $last: unknown block 'gibberish'; reading it with libbabeltrace2"* ]]
	cp "$T/text" "$trace/kernel/metadata"
	try lttng-convert "$trace"
	[ "$status" = 0 ] && [ -z "$err" ] && [ "$(wc -l <"$T/try.out")" = 39015 ]
}

@test "--info: what a trace says of itself" {
	need_trace smoke
	try lttng-convert --info "$trace/trace"
	expect 0 "$(record ts=1795225023309383307 ev=trace path="$trace/trace/kernel" streams=2 size_bytes=2293760 hostname=ltvm \
		domain=kernel sysname=Linux kernel_release=6.1.0-56-amd64 \
		'kernel_version=#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)' tracer_name=lttng-modules tracer_major=2 \
		tracer_minor=13 tracer_patchlevel=9 trace_buffering_scheme=global trace_name=smoke \
		trace_creation_datetime=20261121T013652+0000)" ''
}

@test "-e, -x, -f: as much as of the whole" {
	need_trace smoke
	lttng-convert "$trace/trace" >"$T/all"
	lttng-convert -e 'sched_*' -e irq_handler_entry -x '*wak*' "$trace/trace" >"$T/got"
	grep -aP '^ts=\d+\tev=(sched_|irq_handler_entry\t)' "$T/all" | grep -avP '^ts=\d+\tev=\S*wak' | cmp - "$T/got"
	[ -s "$T/got" ]
	lttng-convert -e 'sched_switch' -f cpu,next_tid,vpid "$trace/trace" >"$T/got"
	grep -aP '\tev=sched_switch\t' "$T/all" | sed -E 's/\t(pid|tid|comm|ppid|vtid|prev_[a-z]+|next_comm|next_prio)=[^\t]*//g' |
		cmp - "$T/got"
	try lttng-convert -e nothing "$trace/trace"
	expect 0 '' ''
}

@test "-f takes an array by its name, or one element of it" {
	need_trace callstack
	lttng-convert -e sched_waking -f callstack_kernel "$trace/trace" >"$T/all"
	grep -qP '^ts=\d+\tev=sched_waking\tcallstack_kernel\.0=0x[0-9a-f]+\tcallstack_kernel\.1=0x' "$T/all"
	lttng-convert -e sched_waking -f callstack_kernel.1 "$trace/trace" >"$T/one"
	cut -f1,2,4 "$T/all" | cmp - "$T/one"
}

@test "--begin and --end: by the clock, by the day, from the first event; both ends belong to it" {
	need_trace smoke
	lttng-convert "$trace/trace" >"$T/all"
	first=$(head -n 1 "$T/all" | sed -E 's/^ts=([0-9]+).*/\1/')
	awk -F'\t' 'NR == 1000 || NR == 2000 { print substr($1, 4) }' "$T/all" >"$T/times"
	{ read -r begin; read -r end; } <"$T/times"
	# awk counts in doubles; text of the same length compares as well.
	awk -F'\t' -v b="ts=$begin" -v e="ts=$end" '$1 >= b && $1 <= e' "$T/all" >"$T/want"
	[ "$(wc -l <"$T/want")" -ge 1001 ]
	lttng-convert --begin "$begin" --end "$end" "$trace/trace" | cmp - "$T/want"
	lttng-convert --begin "+$((begin - first))ns" --end "+$((end - first))ns" "$trace/trace" | cmp - "$T/want"
	day=$(date -u -d "@${begin%?????????}" +%FT%T).${begin: -9}
	lttng-convert --begin "$day" --end "$end" "$trace/trace" | cmp - "$T/want"
	lttng-convert --begin "${day#*T}" --end "$end" "$trace/trace" | cmp - "$T/want"
	try lttng-convert --begin 2031-01-01 "$trace/trace"
	expect 0 '' ''
}

@test "--list: names, counts, fields" {
	need_trace smoke
	lttng-convert --list "$trace/trace" >"$T/list"
	lttng-convert "$trace/trace" | names_of_records | awk '{ print "ev=" $2 "\tcount=" $1 }' >"$T/want"
	cut -f1,2 "$T/list" | diff "$T/want" -
	grep -q $'^ev=sched_waking\tcount=[0-9]*\tfields=cpu,pid,tid,comm,ppid,vpid,vtid,payload.comm,payload.tid,prio,target_cpu$' "$T/list"
	need_trace callstack
	lttng-convert --list -e sched_waking "$trace/trace" | grep -q 'fields=.*,callstack_kernel.N,'
}

@test "discarded events: what babeltrace2 says, as ev=lost; nonsense is n=?, and nothing is counted twice" {
	need_trace tinybuf
	babeltrace2 --clock-seconds "$trace/trace" 2>"$T/said" >/dev/null
	status=0
	lttng-convert "$trace/trace" >"$T/out" 2>"$T/err" || status=$?
	[ "$status" = 0 ]
	sed -nE 's/.*discarded ([0-9]+) events? between \[([0-9]+)\.([0-9]+)\] and \[([0-9]+)\.([0-9]+)\].*stream "[^"]*\/([^"\/]+)".*/\1 \2\3 \4\5 \6/p' \
		"$T/said" >"$T/raw"
	# Nonsense is a packet whose counter is 0: the next number has all that the stream had lost before, again.
	awk 'length($1) > 15 { $1 = "?"; torn[$4] = sum[$4] }
		$1 != "?" { $1 -= torn[$4]; sum[$4] += $1; torn[$4] = 0 } { print }' "$T/raw" | sort >"$T/want"
	grep -aP '\tev=lost\t' "$T/out" |
		sed -E 's/^ts=([0-9]+)\tev=lost\tcpu=([01])\tn=([0-9?]+)\tsource=(ch0_\2)\tfirst_ts=\1\tlast_ts=([0-9]+)$/\3 \1 \5 \4/' |
		sort >"$T/got"
	[ "$(wc -l <"$T/want")" -ge 150 ] && grep -q '^?' "$T/want"
	diff "$T/want" "$T/got"
	sum=$(awk '$1 != "?" { s += $1 } END { print s }' "$T/want")
	[ "$(cat "$T/err")" = "lttng-convert: at least $sum events were lost in $(wc -l <"$T/want") places: the trace is incomplete" ]
	try lttng-convert --strict -e nothing "$trace/trace"
	[ "$status" = 3 ] && [[ $out == ts=*ev=lost* ]]
}

@test "a rotated session is one trace: its chunks together are what they are one after the other" {
	need_trace rotated
	lttng-convert "$trace/trace" >"$T/all"
	[ "$(wc -l <"$T/all")" = "$(babeltrace2 "$trace/trace" 2>/dev/null | wc -l)" ]
	cut -f1 "$T/all" | sort -c
	# Named twice, read once.
	lttng-convert "$trace/trace" "$trace/trace/archives"/* "$trace/trace" | cmp - "$T/all"
}

@test "packets that are in several files, as snapshots have them, are read once" {
	copy postgres
	lttng-convert "$trace" >"$T/all"
	rm -r "$trace/kernel/index"
	mv "$trace/kernel/ch0_0" "$T/whole"
	bytes=$(($(od -A n -t u8 -j 56 -N 8 "$T/whole") / 8))
	packets=$(($(stat -c %s "$T/whole") / bytes))
	[ "$packets" -ge 3 ]
	part() { dd if="$T/whole" of="$trace/kernel/part_$1" bs="$bytes" skip="$2" count="$3" status=none; }
	part 0 0 2
	part 1 1 1
	part 2 1 "$packets"
	for reader in fast babeltrace; do
		try lttng-convert --reader $reader "$trace"
		expect 0 "$(cat "$T/all")" ''
	done
	# Packets 0 and from 2 on: what is between is lost.
	rm "$trace/kernel/part_"[0-2]
	part 0 0 1
	part 1 2 "$packets"
	lttng-convert --reader fast "$trace" >"$T/fast" 2>"$T/said"
	lttng-convert --reader babeltrace "$trace" 2>"$T/err" | cmp - "$T/fast"
	diff "$T/said" "$T/err"
	[ "$(grep -ac $'\tev=lost\t.*\tsource=part_0\t.*\tpackets=1$' "$T/fast")" = 1 ]
}

@test "several traces are merged by time" {
	need_trace contend
	one=$trace/trace
	need_trace contend-quiet
	lttng-convert "$one" "$trace/trace" >"$T/both"
	LC_ALL=C sort -m -s -k1,1 -t $'\t' <(lttng-convert "$one") <(lttng-convert "$trace/trace") | cmp - "$T/both"
}

@test "the text of babeltrace2, alone and beside a trace" {
	need_trace smoke
	babeltrace2 --clock-date --clock-gmt "$trace/trace" >"$T/text"
	lttng-convert "$trace/trace" >"$T/want"
	# Where a text is empty, babeltrace2 2.0.4 prints the last one that the field had.
	without_texts() { sed -E 's/\t(filename|[a-z]*name)=[^\t]*//g' "$@"; }
	diff -q <(without_texts "$T/want") <(lttng-convert "$T/text" | without_texts)
	lttng-convert <"$T/text" | cmp - <(lttng-convert - <"$T/text")
	lttng-convert "$T/text" "$trace/trace" >"$T/both"
	[ "$(wc -l <"$T/both")" = $((2 * $(wc -l <"$T/want"))) ]
	cut -f1 "$T/both" | sort -c
}

@test "a closed pipe: status 0, nothing said, no process left" {
	need_trace postgres
	{ status=0; lttng-convert "$trace/trace" 2>"$T/err" || status=$?; echo "$status" >"$T/status"; } | head -n 1 >"$T/out"
	[ "$(cat "$T/status")" = 0 ] && [ ! -s "$T/err" ] && [ -s "$T/out" ]
	run ! pgrep -f "lttng-convert $trace"
}

@test "a full disk" {
	need_trace smoke
	status=0
	err=$(lttng-convert "$trace/trace" 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [ "$err" = 'lttng-convert: cannot write stdout: No space left on device' ]
	run ! pgrep -f "lttng-convert $trace"
}

@test "progress: percent, rate, time left; nothing without a terminal" {
	need_trace postgres
	lttng-convert "$trace/trace" 2>"$T/err" >/dev/null
	[ ! -s "$T/err" ]
	# Slow output, so that there is time to show something.
	lttng-convert --progress "$trace/trace" 2>"$T/err" | for _ in 1 2 3 4 5 6; do head -c 3000000; sleep 0.1; done >/dev/null
	grep -qP '\rESC\[Klttng-convert: \d+ %, [0-9.]+ ?[kMG]? events/s, \d+ s left' <(tr '\033' '~' <"$T/err" | sed 's/~/ESC/g')
	lttng-convert --no-progress --progress "$trace/trace" 2>"$T/err" >/dev/null
	[ ! -s "$T/err" ]
}

# ---- what is not as it should be ----

@test "no trace there" {
	mkdir -p "$T/empty/deep"
	try lttng-convert "$T/empty"
	expect 1 '' "lttng-convert: cannot find a trace in $T/empty: no metadata file with streams beside it is there or below"
	try lttng-convert "$T/none"
	expect 1 '' "lttng-convert: cannot open $T/none: No such file or directory"
	smoke=$(trace smoke)/trace
	lttng-convert -e sched_switch "$smoke" >"$T/once"
	try lttng-convert -e sched_switch "$smoke" "$smoke/kernel"
	expect 0 "$(cat "$T/once")" "lttng-convert: $smoke/kernel was named before: it is read once"
	echo stray >"$T/empty/deep/metadata"
	try lttng-convert "$T/empty"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: passing over $T/empty/deep/metadata: no stream with data is beside it"* ]]
}

@test "a stray metadata beside a trace is passed over" {
	copy smoke
	mkdir "$trace/stray"
	echo stray >"$trace/stray/metadata"
	lttng-convert "$trace/kernel" >"$T/want"
	try lttng-convert "$trace"
	[ "$status" = 0 ] && [ "$err" = "lttng-convert: passing over $trace/stray/metadata: no stream with data is beside it" ]
	cmp "$T/try.out" "$T/want"
}

@test "a directory that may not be read" {
	[ "$(id -u)" != 0 ] || command -v setpriv >/dev/null || skip 'root reads everything, and setpriv is not here'
	copy smoke
	mkdir "$trace/private"
	chmod 0 "$trace/private"
	chmod a+rx "$T" "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" 2>/dev/null || true
	as=
	[ "$(id -u)" != 0 ] || as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	chmod -R a+rX "$trace/kernel" "$trace"
	chmod 0 "$trace/private"
	$as test -r "$trace/kernel/metadata" || skip 'the temporary directory is private'
	try $as "$WEIR_BIN/lttng-convert" "$trace"
	[ "$status" = 1 ] && [ "$err" = "lttng-convert: cannot open $trace/private: Permission denied" ]
	[ "$(wc -l <"$T/try.out")" = "$(lttng-convert "$trace/kernel" | wc -l)" ]
}

@test "libbabeltrace2: a stream that is cut off: all that is before the cut" {
	copy smoke
	lttng-convert "$trace" >"$T/all"
	truncate -s 900000 "$trace/kernel/ch0_0"
	for index in with without; do
		[ $index = with ] || rm -r "$trace/kernel/index"
		try lttng-convert --reader babeltrace "$trace"
		[ "$status" = 1 ]
		[ "$(sed 1d <<<"$err")" = "lttng-convert: $trace/kernel/ch0_0: the packet is cut off here, after 15621 messages" ]
		# The other stream is whole; this one is a beginning, as long as the part of it that is there.
		grep -a $'\tcpu=1\t' "$T/all" | cmp - <(grep -a $'\tcpu=1\t' "$T/try.out")
		grep -a $'\tcpu=0\t' "$T/try.out" >"$T/cut"
		[ "$(wc -l <"$T/cut")" = 15621 ]
		grep -a $'\tcpu=0\t' "$T/all" | head -n 15621 | cmp - "$T/cut"
	done
}

@test "libbabeltrace2: zeros or a strange file beside the streams" {
	copy smoke
	lttng-convert "$trace" >"$T/all"
	truncate -s +30000 "$trace/kernel/ch0_0"
	try lttng-convert --reader babeltrace "$trace"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: $trace/kernel/ch0_0: "*"; reading what can be read" ]]
	cmp "$T/try.out" "$T/all"
	truncate -s -30000 "$trace/kernel/ch0_0"
	echo hello >"$trace/kernel/notes.txt"
	try lttng-convert --reader babeltrace "$trace"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: cannot read $trace/kernel/notes.txt: "* ]]
	cmp "$T/try.out" "$T/all"
}

@test "libbabeltrace2: rubbish within a stream ends that stream only" {
	copy smoke
	lttng-convert "$trace" >"$T/all"
	printf '\377%.0s' $(seq 100) | dd of="$trace/kernel/ch0_0" bs=1 seek=700000 conv=notrunc 2>/dev/null
	try lttng-convert --reader babeltrace "$trace"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: $trace/kernel/ch0_0: "*", after 12286 messages" ]]
	grep -a $'\tcpu=1\t' "$T/all" | cmp - <(grep -a $'\tcpu=1\t' "$T/try.out")
	lttng-convert --reader babeltrace -j1 "$trace" 2>/dev/null | cmp - "$T/try.out"
}

@test "libbabeltrace2: broken metadata; the good trace beside it is read" {
	copy smoke
	need_trace contend-quiet
	lttng-convert "$trace/trace" >"$T/want"
	zeros() { dd if=/dev/zero bs=1000 count=1 seek=50 conv=notrunc status=none of="$1"; }
	for damage in 'truncate -s 100000' 'truncate -s 0' 'cp /etc/passwd' zeros; do
		cp -r "$T/smoke" "$T/bad"
		$damage "$T/bad/kernel/metadata"
		try lttng-convert --reader babeltrace "$T/bad" "$trace/trace"
		[ "$status" = 1 ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "lttng-convert: cannot read $T/bad/kernel: "* ]] ||
			{ echo "$damage: status $status, $err"; false; }
		cmp "$T/try.out" "$T/want"
		rm -r "$T/bad"
	done
}

@test "whatever libbabeltrace2 dies of" {
	copy smoke
	lttng-convert "$trace" | grep -a $'\tcpu=1\t' >"$T/want"
	# The packet's size, in bits: 4, less than a byte, which is read for ever.
	rm -r "$trace/kernel/index"
	printf '\4\0\0\0\0\0\0\0' | dd of="$trace/kernel/ch0_0" bs=1 seek=56 conv=notrunc 2>/dev/null
	try lttng-convert --reader babeltrace "$trace"
	[ "$status" = 1 ] && [[ $err == *"$trace/kernel/ch0_0"* ]] || { echo "status $status: $err"; false; }
	cmp "$T/try.out" "$T/want"
}

@test "mutations: it always ends, with whole records (WEIR_MUTATIONS=1000 for more)" {
	need python3
	need_trace smoke
	"$TESTS/mutate-trace.py" "$trace/trace" "$T/mutations" "${WEIR_MUTATIONS:-200}" 1
}

# ---- user space ----

teardown() {
	[ -z "${relay_pid:-}" ] || kill "$relay_pid" || true
	sessiond_stop
}

# What the program of tests/data/ust emits, without the first fields.
every() {
	record number=$1 whole=$2 mask=$3 small_mask=$4 port=80 real=$5 half=1.5 'text=a\tb\\\x1b[31m' none= pair.0=$1 pair.1=$((-$1)) \
		letters=abc "$6" "$7" paint="$8" payload.pid=77 "$9" payload.cpu=99
}
all_every() {
	every -1 18446744073709551615 0xffffffff 0xff 0 bytes= words= -1 "$1"
	every 1 18446744073709551614 0x1 0x1 0.1 bytes.0=1 words=t 'red|crimson' "$1"
	every 6 18446744073709551613 0x6 0x6 0.2 "$(printf 'bytes.0=1\tbytes.1=2')" words=to blue "$1"
	every 42 18446744073709551612 0x2a 0x2a 0.30000000000000004 "$(printf 'bytes.0=1\tbytes.1=2\tbytes.2=255')" 'words=to\t' 42 "$1"
}

@test "user space: every type of field; vpid and vtid tell who ran where pid and tid do not" {
	sessiond_start
	$as lttng -q create s --output="$home/trace"
	$as lttng -q enable-event -u 'weir_test:*'
	$as lttng -q add-context -u -t vpid -t vtid -t procname
	$as lttng -q start
	$as "$home/app"
	$as lttng -q destroy
	chmod -R a+rX "$home/trace" || true
	try lttng-convert "$home/trace"
	[ "$status" = 0 ] && [ -z "$err" ]
	all_every payload.vtid=88 >"$T/want"
	sed -E 's/^ts=[0-9]{19}\tev=weir_test:every\tcpu=[0-9]+\tpid=([0-9]+)\ttid=\1\tcomm=app\t//' "$T/try.out" | diff "$T/want" -
}

@test "a live session, until it ends" {
	need lttng-relayd
	sessiond_start
	port=$((20000 + $$ % 20000))
	$as lttng-relayd -o "$home/relay" -C tcp://127.0.0.1:$port -D tcp://127.0.0.1:$((port + 1)) \
		-L tcp://127.0.0.1:$((port + 2)) >"$T/relayd" 2>&1 3>&- &
	relay_pid=$!
	sleep 0.5
	kill -0 "$relay_pid" || skip "lttng-relayd does not start: $(head -n 1 "$T/relayd")"
	$as lttng -q create live --live=200000 --set-url=net://127.0.0.1:$port:$((port + 1))
	$as lttng -q enable-event -u 'weir_test:*'
	$as lttng -q start
	$as "$home/app"
	timeout 180 lttng-convert "net://127.0.0.1:$((port + 2))/host/$(hostname)/live" >"$T/out" 2>"$T/err" 3>&- &
	convert=$!
	for _ in $(seq 100); do [ "$(wc -l <"$T/out")" = 4 ] && break; sleep 0.1; done
	[ "$(wc -l <"$T/out")" = 4 ] || { cat "$T/err"; false; }
	$as "$home/app"
	for _ in $(seq 100); do [ "$(wc -l <"$T/out")" = 8 ] && break; sleep 0.1; done
	$as lttng -q destroy
	status=0
	wait $convert || status=$?
	[ "$status" = 0 ] && [ ! -s "$T/err" ]
	{ all_every vtid=88; all_every vtid=88; } >"$T/want"
	sed -E 's/^ts=[0-9]{19}\tev=weir_test:every\tcpu=[0-9]+\t//' "$T/out" | diff "$T/want" -
	try timeout 180 lttng-convert "net://127.0.0.1:$((port + 2))/host/nobody/nothing"
	[ "$status" = 1 ] && [[ $err == "lttng-convert: cannot read net://"* ]]
}
