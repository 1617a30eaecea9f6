#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Held against Google's decoder of Protocol Buffers, with a schema of our own: tests/perfetto-check.

load helper

decoder() {
	need protoc
	for python in python3 /usr/bin/python3 ''; do
		[ -n "$python" ] || skip "no python3 has protobuf (python3-protobuf)"
		"$python" -c 'import google.protobuf' 2>/dev/null && break
	done
	protoc --python_out="$T" -I"$TESTS" "$TESTS/perfetto.proto"
}

check() { "$python" "$TESTS/perfetto-check" "$T" "$@"; }

@test "smoke: each span is a slice with exact times, thread and arguments; nothing is made up; arrows" {
	decoder
	need_trace smoke
	lttng-convert "$trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
	to-perfetto -o "$T/out" "$T/spans"
	run check "$T/out" "$T/spans"
	[ "$output" = '17229 slices, 20 arrows, 18 of 18 instants' ] || { echo "$output"; false; }
}

@test "redis: the same, 60,000 spans" {
	decoder
	need_trace redis
	lttng-convert "$trace" 2>/dev/null | spans 2>/dev/null | head -n 60000 >"$T/spans"
	to-perfetto <"$T/spans" >"$T/out"
	check "$T/out" "$T/spans"
}

@test "what each kind becomes: tracks, names, arguments, instants, counters" {
	decoder
	{
		record ts=1000 ev=fork cpu=0 pid=5 tid=5 comm=sh child_pid=7 child_tid=7 child_comm=sh
		record ts=1010 ev=exec cpu=0 pid=7 tid=7 comm=ls path=/bin/ls argv='ls -l'
		record ts=1020 ev=softirq cpu=1 pid=0 tid=0 comm=swapper/1 vec=1 name=TIMER dur_ns=5
		record ts=1030 ev=block cpu=0 dev=8:0 sector=18446744073709551615 bytes=4096 op=WS dur_ns=30
		record ts=1040 ev=block cpu=0 dev=8:0 sector=8 bytes=4096 op=R dur_ns=30
		record ts=1050 ev=rss pid=7 comm=ls bytes=8192
		record ts=1060 ev=usage pid=7 comm=ls cpu_ns=77 rss_bytes=9000
		record ts=1070 ev=http url=http://a/ status=200 dur_ns=60
		record ts=1080 ev=tcp pid=7 tid=8 comm=ls role=client daddr=::1 dport=80 dur_ns=20 share=0.5
		record ts=1090 ev=period tid=9 name=boot dur_ns=40
		record ts=1100 ev=sched_wakeup cpu=1 pid=0 tid=0 comm=swapper/1 mask=0xff
		record ts=1110 ev=exit cpu=0 pid=7 tid=7 comm=ls code=0 dur_ns=110
		record ts=1120 ev=lost n=12 source=ch0
		record ts=1130 ev=oncpu cpu=1 pid=7 tid=7 comm=ls dur_ns=10 why=exit unfinished=1
		record ts=1140 ev=mark
	} | { try to-perfetto -o "$T/out"; printf '%s\n' "$err"; } | grep -qx 'to-perfetto: 12 events were lost in 1 place: the trace is incomplete'
	try check "$T/out"
	expect 0 "$(sed 's/  */\t/; s/  */\t/' <<-'END'
		1000 0 sh 5/sh 5: fork: fork cpu=0 child_pid=7 child_tid=7 child_comm='sh'
		1000 30 Disks/8:0: block: WS cpu=0 dev='8:0' sector=18446744073709551615 bytes=4096 op='WS'
		1010 0 ls 7/ls 7: exec: exec cpu=0 path='/bin/ls' argv='ls -l'
		1010 30 Disks/8:0: block: R cpu=0 dev='8:0' sector=8 bytes=4096 op='R'
		1010 60 http: http: http://a/ url='http://a/' status=200
		1015 5 CPUs/CPU 1/softirq: softirq: TIMER cpu=1 pid=0 tid=0 comm='swapper/1' vec=1
		1050 40 Threads of unknown processes/ [9]/boot: period: boot
		1060 20 ls 7/ls 8/tcp: tcp: ::1:80 role='client' daddr='::1' dport=80 share=0.5
		1100 0 CPUs/CPU 1: sched_wakeup: sched_wakeup cpu=1 pid=0 tid=0 comm='swapper/1' mask=255
		1110 0 ls 7/ls 7: exit: exit cpu=0 code=0 dur_ns=110
		1120 0 Lost events: lost: 12 events lost n=12 source='ch0'
		1120 10 CPUs/CPU 1: oncpu: ls [7] cpu=1 pid=7 tid=7 comm='ls' why='exit' unfinished=1
		1120 10 ls 7/ls 7/State: oncpu: Running cpu=1
		1140 0 Events: mark: mark
		1050 counter ls 7/rss: 8192 (3)
		1060 counter ls 7/rss: 9000 (3)
		1060 counter ls 7/CPU time: 77 (1)
	END
	)" ''
	[ "$(to-perfetto --strict -o "$T/out" < <(record ts=1 ev=lost n=2) 2>/dev/null; echo $?)" = 3 ]
}

@test "slices that overlap are on tracks of their own, as few as it takes" {
	decoder
	# Requests in the order of their end; the most that are open at one moment is what is needed.
	"$python" - >"$T/in" 2>"$T/most" <<-'PYTHON'
		import random, sys
		random.seed(7)
		spans = sorted((b + d, d) for b, d in ((random.randrange(9000), random.choice([0, 1, 9, 90, 900])) for _ in range(3000)))
		for end, dur in spans:
		    print(f"ts={end}\tev=tcp\tpid=1\ttid=1\tcomm=x\tdur_ns={dur}")
		moments = sorted([(e - d, 1) for e, d in spans if d] + [(e, -1) for e, d in spans if d])
		now = most = 0
		for _, step in moments:
		    now += step
		    most = max(most, now)
		print(most, file=sys.stderr)
	PYTHON
	to-perfetto -o "$T/out" "$T/in"
	check "$T/out" >"$T/shown"	# which fails where two slices of a track overlap
	diff <(cut -f 1,2 "$T/shown" | sort) <(tr '=\t' '  ' <"$T/in" | awk '{ print $2 - $12 "\t" $12 }' | sort)
	[ "$(protoc --decode_raw <"$T/out" | grep -c '^    2: "tcp"')" = "$(cat "$T/most")" ]
}

@test "a number that is used again is another process and thread; a thread that is renamed stays" {
	decoder
	{
		record ts=100 ev=a pid=7 tid=7 comm=old
		record ts=110 ev=a pid=7 tid=7 comm=new
		record ts=120 ev=a pid=7 tid=8 comm=worker
		record ts=130 ev=fork pid=1 tid=1 comm=init child_pid=7 child_tid=7 child_comm=init
		record ts=140 ev=a pid=7 tid=7 comm=again
	} | to-perfetto -o "$T/out"
	check "$T/out" >"$T/shown"
	[ "$(cut -f 3 "$T/shown" | cut -d: -f 1 | tr '\n' ,)" = 'new 7/new 7,new 7/new 7,new 7/worker 8,init 1/init 1,again 7/again 7,' ]
}

@test "every byte of names and values: text is UTF-8, what is not shows as \\xHH" {
	decoder
	long=$(printf 'x%.0s' {1..300})
	record ts=100 ev=a pid=1 tid=1 comm=$'b\xff\xc3\xa9' v='a\n\0\x1b"<b>' w=$'\xc3' none= long="$long" zeros=007 \
		big=-9223372036854775808 huge=99999999999999999999 "$long=1" | to-perfetto -o "$T/out"
	try check "$T/out"
	expect 0 "$(printf '100\t0\tb\\xffé 1/b\\xffé 1: a: a %s' "v='a\\n\\x00\\x1b\"<b>' w='\\\\xc3' none='' long='$long' zeros='007' \
big=-9223372036854775808 huge='99999999999999999999' $long=1")" ''
}

@test "70,000 texts: the numbers start anew, and a decoder follows" {
	decoder
	awk 'BEGIN { for (i = 0; i < 140000; i++) printf "ts=%d\tev=e\ttid=1\tpid=1\tv=t%d\n", i, i % 70000 }' >"$T/in"
	to-perfetto -o "$T/out" "$T/in"
	check "$T/out" | cut -f 3 | sed "s/.*v='t//; s/'//" | cmp - <(seq 0 69999; seq 0 69999)
}

@test "wrong times and records are said; the rest is there" {
	decoder
	{
		record ts=100 ev=a
		record ts=now ev=a
		record ts=100 ev=oncpu cpu=0 tid=1 dur_ns=101
		record ev=a
		record ts=200 ev=b
	} >"$T/in"
	try to-perfetto -o "$T/out" "$T/in"
	expect 1 '' "to-perfetto: $T/in:2: cannot use ts: it is no time in nanoseconds since 1970
to-perfetto: $T/in:3: cannot use dur_ns: it is no time that ended at ts
to-perfetto: $T/in:4: cannot use ts: it is no time in nanoseconds since 1970"
	try check "$T/out"
	expect 0 $'100\t0\tEvents: a: a\n100\t0\tThreads of unknown processes/ [1]: oncpu: oncpu cpu=0 dur_ns=101\n200\t0\tEvents: b: b' ''
}

@test "more slices at a time than tracks: instants, and it is said" {
	awk 'BEGIN { for (i = 0; i < 4098; i++) printf "ts=%d\tev=x\tdur_ns=5000\n", 10000 + i }' >"$T/in"
	try to-perfetto -o "$T/out" "$T/in"
	expect 1 '' 'to-perfetto: 2 slices became instants: more than 4096 overlapped on one track (are the records in the order of their time? LC_ALL=C sort puts them so)'
}

@test "a full disk, a closed pipe, a terminal, no records" {
	decoder
	awk 'BEGIN { for (i = 0; i < 100000; i++) printf "ts=%d\tev=x\n", i }' >"$T/in"
	status=0
	err=$(to-perfetto "$T/in" 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [ "$err" = 'to-perfetto: cannot write stdout: No space left on device' ] || { echo "$err"; false; }
	try to-perfetto -o "$T/none/out" "$T/in"
	[ "$status" = 1 ] && [[ $err == "to-perfetto: cannot write $T/none/out: No such file or directory" ]] || { echo "$err"; false; }
	err=$( { to-perfetto "$T/in" 2>&3 | head -c 10 >/dev/null; } 3>&1 )
	[ -z "$err" ]
	need script
	script -qec "$(command -v to-perfetto) $T/in" /dev/null </dev/null >"$T/typed" || true
	grep -q 'cannot write to a terminal: a trace is binary' "$T/typed"
	to-perfetto -o "$T/empty" </dev/null
	[ -z "$(check "$T/empty")" ] && [ -s "$T/empty" ]
}
