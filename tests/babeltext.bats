#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Text that babeltrace printed, as input of lttng-convert.

load helper

CONVERT() { lttng-convert -; }

# becomes RECORD LINE...: the lines, on stdin, become these records and nothing is said.
becomes() {
	local want=$1
	shift
	try CONVERT < <(printf '%s\n' "$@")
	expect 0 "$want" ''
}

# loses RECORD LINE...: the same, where the program has to say that something was lost.
loses() {
	local want=$1
	shift
	try CONVERT < <(printf '%s\n' "$@")
	[[ $err == 'lttng-convert: '*' lost in '* ]] || [ "$err" = '' ]
	expect 0 "$want" "$err"
}

# fields TEXT BRACES: an event with only these braces as payload has these fields (TAB is a blank here).
fields() {
	becomes $'ts=1\tev=e\tcpu=0'"${1:+	${1// /	}}" "[0.000000001] (+0.000000001) h e: { cpu_id = 0 }, $2"
}

RECORD=$'ts=1795225023309383307\tev=sched_waking\tcpu=1\tpid=7\ttid=8\tcomm=a b\tprio=20'
BRACES='{ cpu_id = 1 }, { pid = 7, tid = 8, procname = "a b" }, { prio = 20 }'

@test "every form of the header" {
	stamp=1795225023.309383307 delta='(+0.000949211)'
	becomes "$RECORD" "[$stamp] $delta ltvm sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] ltvm sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] (+?.?????????) ltvm sched_waking: $BRACES"
	becomes "$RECORD" "[2026-11-21 01:37:03.309383307] $delta ltvm sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] $delta sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] $delta box:my proc:(77) sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] $delta box:my proc:77 sched_waking: $BRACES"
	becomes "$RECORD" "[$stamp] $delta /a/trace dir box:ust:TRACE_DEBUG_LINE (13):http://x/y sched_waking: $BRACES"
	becomes "$RECORD" "timestamp = $stamp, delta = +?.?????????, trace:hostname = ltvm, name = sched_waking, $BRACES"
	becomes "$RECORD" "timestamp = 2026-11-21 01:37:03.309383307, name = sched_waking, $BRACES"
	becomes "$RECORD" "timestamp = $stamp, trace = /a b/c, , trace:hostname = h, loglevel = TRACE_INFO (6), name = sched_waking, stream.packet.context = { cpu_id = 1 }, stream.event.context = { pid = 7, tid = 8, procname = \"a b\" }, event.fields = { prio = 20 }"
	becomes "$RECORD" "[$stamp] $delta ltvm sched_waking: $BRACES"$'\r'
	becomes "$RECORD"$'\n'"$RECORD" "[$stamp] one sched_waking: $BRACES" "[$stamp] two.lan sched_waking: $BRACES"
	becomes "$RECORD" 'Trace directory: /root/lttng-traces/x' '' "[$stamp] $delta ltvm sched_waking: $BRACES"
}

@test "colours" {
	e=$'\033'
	becomes "$RECORD" "[${e}[1m${e}[1m${e}[33m1795225023.309383307${e}[0m] (+?.?????????) ltvm ${e}[1m${e}[35msched_waking${e}[0m: { ${e}[36mcpu_id${e}[0m = ${e}[1m1${e}[0m }, { ${e}[36mpid${e}[0m = ${e}[1m7${e}[0m, ${e}[36mtid${e}[0m = ${e}[1m8${e}[0m, ${e}[36mprocname${e}[0m = ${e}[1m\"a b\"${e}[0m }, { ${e}[36mprio${e}[0m = ${e}[1m20${e}[0m }"
}

@test "stamps without a date count days at midnight; dates follow the calendar" {
	becomes $'ts=86399999999000\tev=e
ts=86400000001000\tev=e
ts=172799999999999\tev=e
ts=172800000000000\tev=e' '[23:59:59.999999000] e: { }' '[00:00:00.000001000] e: { }' '[23:59:59.999999999] e: { }' \
		'[00:00:00.000000000] e: { }'
	becomes $'ts=1709164799999999999\tev=e\nts=1709164800000000000\tev=e' \
		'[2024-02-28 23:59:59.999999999] e: { }' '[2024-02-29 00:00:00.000000000] e: { }'
	# A little back is no midnight: merged streams may do that.
	becomes $'ts=3600000000002\tev=e\nts=3600000000001\tev=e' '[01:00:00.000000002] e: { }' '[01:00:00.000000001] e: { }'
	becomes $'ts=62388448124\tev=e' '[00000000062388448124] (+????????????) e: { }'
	becomes $'ts=-1500000000\tev=e' '[-1.500000000] e: { }'
}

@test "what the original got wrong: first line, UST names, dates, cut strings, who wins the name" {
	fields 'filename=/tmp/a,b}c' '{ filename = "/tmp/a,b}c" }'
	becomes $'ts=1\tev=lttng_ust_tracef:event\tmsg=a:b: c' '[0.000000001] (+?.?????????) h lttng_ust_tracef:event: { msg = "a:b: c" }'
	# power_cpu_idle's cpu_id is not the CPU it ran on, kill's pid not the caller.
	becomes $'ts=1\tev=power_cpu_idle\tcpu=3\tstate=1\tcpu_id=7' '[0.000000001] h power_cpu_idle: { cpu_id = 3 }, { state = 1, cpu_id = 7 }'
	becomes $'ts=1\tev=syscall_entry_kill\tcpu=0\tpid=5\ttid=6\tpayload.pid=4242\tsig=9' \
		'[0.000000001] h syscall_entry_kill: { cpu_id = 0 }, { pid = 5, tid = 6 }, { pid = 4242, sig = 9 }'
	becomes $'ts=1\tev=syscall_entry_kill\tcpu=0\tpayload.pid=4242\tsig=9' \
		'[0.000000001] h syscall_entry_kill: { cpu_id = 0 }, { pid = 4242, sig = 9 }'
}

@test "contexts: order, vpid for a missing pid, event contexts, collisions" {
	becomes $'ts=1\tev=e\tcpu=0\tpid=1\ttid=2\tcomm=x\tppid=3\tvpid=4\tvtid=5\ta=6' \
		'[0.000000001] h e: { cpu_id = 0 }, { ppid = 3, vpid = 4, vtid = 5, procname = "x", tid = 2, pid = 1 }, { a = 6 }'
	becomes $'ts=1\tev=e\tcpu=0\tpid=4\ttid=5\ta=6\tpayload.vpid=7' \
		'[0.000000001] h e: { cpu_id = 0 }, { vpid = 4, vtid = 5 }, { a = 6, vpid = 7 }'
	becomes $'ts=1\tev=e\tcpu=0\tpid=4\tip=0x7f\tn=1\tpayload.n=2\tpayload.comm=y' \
		'[0.000000001] h e: { cpu_id = 0 }, { vpid = 4 }, { ip = 0x7F, n = 1 }, { n = 2, comm = "y" }'
	becomes $'ts=1\tev=e\tpid=4\ta=1' '[0.000000001] h e: { vpid = 4 }, { a = 1 }'
	becomes $'ts=1\tev=e\tcpu=4' '[0.000000001] h e: { cpu_id = 4 }'
	becomes $'ts=1\tev=e\tcpu=0\tpid=4\ttid=3\tperf_ip=0x1' '[0.000000001] h e: { cpu_id = 0 }, { perf_ip = 0x1, perf_tid = 3, perf_pid = 4 }'
	# The same event with and without contexts, in turn.
	becomes $'ts=1\tev=e\tcpu=0\ta=1\nts=1\tev=e\tcpu=0\tpid=2\ta=1\nts=1\tev=e\tcpu=0\ta=1' \
		'[0.000000001] h e: { cpu_id = 0 }, { a = 1 }' '[0.000000001] h e: { cpu_id = 0 }, { pid = 2 }, { a = 1 }' \
		'[0.000000001] h e: { cpu_id = 0 }, { a = 1 }'
}

@test "fields: numbers, structures, arrays, sequences, enumerations" {
	fields 'a=-5 b=18446744073709551615 c=0' '{ a = -5, b = 18446744073709551615, c = 0 }'
	fields 'a=0xffff8881f9c235c0 b=0x0' '{ a = 0xFFFF8881F9C235C0, b = 0x0 }'
	fields 'a=493 b=0 c=10 d=0' '{ a = 0755, b = 00, c = 0b00001010, d = 0b0 }'
	fields 'a=0.1 b=1000000 c=1e+300 d=nan e=-inf f=-1.5e-05' '{ a = 0.1, b = 1e+06, c = 1e+300, d = nan, e = -inf, f = -1.5e-05 }'
	fields 'a=1 b=0' '{ a = true, b = false }'
	fields 's=' '{ s = "" }'
	fields '' '{ }'
	fields 'a.b=1 a.c.d=2 e=3' '{ a = { b = 1, c = { d = 2 } }, e = 3 }'
	fields 'a.0=1 a.1=0xff b=' '{ a = [ [0] = 1, [1] = 0xFF ], b = [ ] }'
	fields 'ret=1 fds.0.u.fd=34 fds.0.raw=0x1 fds.1.u.fd=35 fds.1.raw=0x4' \
		'{ ret = 1, fds = [ [0] = { u = { fd = 34 }, raw = 0x1 }, [1] = { u = { fd = 35 }, raw = 0x4 } ] }'
	fields 'm.0.0=1 m.0.1=2 m.1.0=3' '{ m = [ [0] = [ [0] = 1, [1] = 2 ], [1] = [ [0] = 3 ] ] }'
	fields 'seq.0=1 txt=x fds_length=0 n=2' '{ _seq_length = 1, seq = [ [0] = 1 ], _txt_length = 1, txt = "x", fds_length = 0, n = 2 }'
	fields '_alone_length=3 x=1' '{ _alone_length = 3, x = 1 }'
	fields 'e=A f=A|B|C g=7 h=A|B' '{ e = ( "A" : container = 3 ), f = ( "A", "B", "C" : container = 1 ), g = ( <unknown> : container = 0x7 ), h = ( { "A", "B" } : container = 3) }'
	fields 'v=42 w.k=1 o=5 x=1' '{ v = { 42 }, w = { { k = 1 } }, o = { 5 }, n = <none>, x = 1 }'
}

@test "keys: cleaned, each once" {
	fields 'a_b=1 _7up=2 x_y.z=3' '{ a-b = 1, 7up = 2, x:y = { z = 3 } }'
	fields 'a=1 a_2=2 a_3=3 a_2_2=4' '{ a = 1, a = 2, a = 3, a_2 = 4 }'
	fields 'a.b=1 a.b_2=2' '{ a = { b = 1 }, a.b = 2 }'
	fields 'payload.ts=1 payload.ev=2 payload.cpu=3 payload.ts_2=4' '{ ts = 1, ev = 2, cpu = 3, payload.ts = 4 }'
	becomes $'ts=1\tev=event.lost\tn=5' '[0.000000001] h lost: { n = 5 }'
}

@test "names of older tracers and of perf" {
	for pair in sys_open=syscall_entry_open exit_syscall=syscall_exit softirq_entry=irq_softirq_entry sched:sched_switch=sched_switch; do
		becomes $'ts=1\tev='"${pair#*=}"$'\ta=1' "[0.000000001] h ${pair%=*}: { a = 1 }"
	done
	becomes $'ts=1\tev=sched:mine\tcpu=0\tpid=3\ta=1' "[0.000000001] h sched:mine: { cpu_id = 0 }, { vpid = 3 }, { a = 1 }"
}

@test "strings: the escapes of babeltrace 2" {
	# shellcheck disable=SC1003  # what is quoted is meant
	fields "s=q\"b\\\\a'?" '{ s = "q\"b\\a\'"'"'\?" }'
	fields 's=\n\t\r\x07\x08\x0c\x0b\x1b\x01\x7f\0' '{ s = "\n\t\r\a\b\f\v\e\x01\x7f\0" }'
	fields 's=é t=2' '{ s = "é", t = 2 }'
	fields 's="_} t="x' '{ s = "\"_}", t = "\"x" }'
}

@test "strings: babeltrace 1 escapes none" {
	line() { printf '[0.000000001] h e: { cpu_id = 0 }, { s = "%s", t = 2 }' "$1"; }
	head=$'ts=1\tev=e\tcpu=0\ts='
	becomes "${head}a\"b	t=2" "$(line 'a"b')"
	becomes "${head}say \"x\", ok	t=2" "$(line 'say "x", ok')"
	becomes "${head}it's	t=2" "$(line "it's")"
	# From what babeltrace 2 would have escaped on, backslashes are taken as they are.
	becomes "${head}?	t=2"$'\n'"${head}C:\\\\new	t=2" "$(line '?')" "$(line 'C:\new')"
	becomes "${head}a\\nb	t=2" "$(line $'a\nb')"
	becomes "${head}a\\n\\nb\\x1b	t=2" "$(line $'a\n\nb\033')"
}

@test "--names=none: fields are numbered, and it is said" {
	try CONVERT <<<'[0.000000001] h e: { 3 }, { 1234, "x" }, { 1, { 2, 3 }, [ 4, 5 ], ( "A" : container = 0 ) }'
	expect 0 $'ts=1\tev=e\tpacket.0=3\tcontext.0=1234\tcontext.1=x\tpayload.0=1\tpayload.1.0=2\tpayload.1.1=3\tpayload.2.0=4\tpayload.2.1=5\tpayload.3=A' \
		'lttng-convert: stdin: fields have no names (see --names of babeltrace): they are numbered'
}

@test "what was lost becomes ev=lost where it was said, also in the middle of a line" {
	two='WARNING: Tracer discarded 630 events between [00:00:02.000000000] and [00:00:03.000000000] in trace "a/k" (UUID: 44ce31c1-0382-bd43-bea0-4c88d6b63292) within stream "/a/kernel/ch0_1" (stream class ID: 0, stream ID: 1).'
	lost=$'ts=2000000000\tev=lost\tn=630\tsource=ch0_1\tfirst_ts=2000000000\tlast_ts=3000000000'
	before='[00:00:01.000000000] h e: { cpu_id = 0 }, { comm = "a b" }'
	event=$'ts=1000000000\tev=e\tcpu=0\tpayload.comm=a b'
	loses "$event"$'\n'"$lost" "$before" "$two"
	for at in 1 2 15 25 30 40 43 50 52 55 57; do
		loses "$lost"$'\n'"$event" "${before:0:at}$two" "${before:at}"
		loses "$lost"$'\n'"$lost"$'\n'"$event" "${before:0:at}$two" "$two" "${before:at}"
		loses "$lost"$'\n'"$lost"$'\n'"$event" "${before:0:at}$two" "${before:at:1}$two" "${before:at+1}"
	done
	e=$'\033'
	loses "$lost" "${e}[33m${e}[1mWARNING${e}[0m${e}[33m: ${two#*: }${e}[0m"
	loses $'ts=2000000000\tev=lost\tn=7\tsource=ch0_0\tfirst_ts=2000000000\tlast_ts=3000000000' \
		'[warning] Tracer discarded 7 events between [00:00:02.000000000] and [00:00:03.000000000] in trace UUID 44ce31c1382bd43bea04c88d6b63292, at path: "/t/kernel", within stream id 0, at relative path: "ch0_0". You should consider recording a new trace with larger buffers or with fewer events enabled.'
	loses $'ts=0\tev=lost\tn=?\tsource=s' 'WARNING: Tracer may have discarded events (unknown time range) in trace "x" (no UUID) within stream "s" (stream class ID: 0, no stream ID).'
	loses $'ts=2000000000\tev=lost\tn=?\tsource=s\tfirst_ts=2000000000\tlast_ts=3000000000\tpackets=3' \
		'WARNING: Tracer discarded 3 packets between [2.000000000] and [3.000000000] in trace "x" (no UUID) within stream "/d/s" (stream class ID: 0, no stream ID).'
	# A counter that wrapped.
	loses $'ts=2000000000\tev=lost\tn=?\tsource=s\tfirst_ts=2000000000\tlast_ts=3000000000' \
		'WARNING: Tracer discarded 9223372036855001813 events between [2.000000000] and [3.000000000] in trace "x" (no UUID) within stream "/d/s" (stream class ID: 0, no stream ID).'
}

@test "other warnings are passed on, and are no failure" {
	try CONVERT <<<$'[warning] Unknown value 9 in enum.\n[0.000000001] h e: { }'
	expect 0 $'ts=1\tev=e' 'lttng-convert: stdin:1: [warning] Unknown value 9 in enum.'
}

# refuses REASON LINE: the line is refused for that reason, those around it are converted.
refuses() {
	try CONVERT < <(printf '%s\n' '[0.000000001] h e: { a = 1 }' "$2" '[0.000000002] h e: { a = 2 }')
	expect 1 $'ts=1\tev=e\ta=1\nts=2\tev=e\ta=2' "lttng-convert: stdin:2: cannot read this line: $1"
}

@test "lines that are no events are named and counted, and the rest goes on" {
	refuses 'it has no time stamp' 'hello'
	refuses 'the time stamp is none' '[hello] h e: { a = 1 }'
	refuses 'the time stamp is none' '[25:00:00.000000000] h e: { a = 1 }'
	refuses 'the time stamp is none' '[2026-13-01 00:00:00.000000000] h e: { a = 1 }'
	refuses 'the time stamp is none' '[99999999999.000000000] h e: { a = 1 }'
	refuses 'it has no event name' '[0.000000001] h e { a = 1 }'
	refuses 'the line is cut' '[0.000000001] h e: { a = '
	refuses 'the line is cut' '[0.000000001] h e: { a = 1'
	refuses 'the line is cut' '[0.000000001] h e: { a = 1 }, '
	refuses 'a string does not end' '[0.000000001] h e: { a = "x }'
	refuses 'a value is no number, string or list' '[0.000000001] h e: { a = 1x }'
	refuses 'a value is no number, string or list' '[0.000000001] h e: { a = 0x1G }'
	refuses 'a value is no number, string or list' '[0.000000001] h e: { a = 0x10000000000000000 }'
	refuses 'something stands behind a value' '[0.000000001] h e: { a = 1 ]'
	refuses 'something stands behind the fields' '[0.000000001] h e: { a = 1 } x'
	refuses 'an enumeration does not end' '[0.000000001] h e: { a = ( "x" : container = 1 }'
	try CONVERT < <(printf 'x%d\n' {1..7}; echo '[0.000000002] h e: { a = 2 }')
	expect 1 $'ts=2\tev=e\ta=2' "$(printf 'lttng-convert: stdin:%d: cannot read this line: it has no time stamp\n' {1..5}
		echo 'lttng-convert: cannot read 7 lines of stdin: the first 5 are named above')"
	try CONVERT < <(printf '[0.000000001] h e: { a = 1 }\n[0.000000002] h e: { a')
	expect 1 $'ts=1\tev=e\ta=1' 'lttng-convert: stdin:2: cannot read this line: it has no line feed: the input was cut'
}

@test "limits: 16 MiB a line, 8190 fields, 64 levels, 4 KiB a name" {
	{ printf '[0.000000001] h e: { a = "'; head -c 4000000 /dev/zero | tr '\0' z; echo '" }'; } >"$T/long"
	[ "$(lttng-convert - <"$T/long" | wc -c)" = 4000013 ]
	long() { printf '[0.000000001] h e: { a = 1 }\n[0.000000001] h e: { a = "'; head -c 17000000 /dev/zero | tr '\0' z; printf '" }\n[0.000000002] h e: { a = 2 }\n'; }
	try CONVERT < <(long)
	expect 1 $'ts=1\tev=e\ta=1\nts=2\tev=e\ta=2' 'lttng-convert: stdin:2: cannot read this line: it is longer than 16 MiB'
	many() { seq -f 'k%.0f = 1' "$1" | paste -sd , | sed 's/,/, /g; s/^/[0.000000001] h e: { /; s/$/ }/'; }
	becomes "$(printf 'ts=1\tev=e'; seq -f '	k%.0f=1' 8190 | tr -d '\n')" "$(many 8190)"
	refuses 'it has more than 8190 fields' "$(many 8191)"
	nested() { printf '[0.000000001] h e: {'; for _ in $(seq "$1"); do printf ' a = {'; done; for _ in $(seq "$1"); do printf ' }'; done; printf ' }'; }
	becomes $'ts=1\tev=e' "$(nested 64)"
	refuses 'it is nested more than 64 deep' "$(nested 65)"
	refuses 'a name is too long' "[0.000000001] h e: { $(printf 'a%.0s' {1..5000}) = 1 }"
}

@test "ever new events and names do not grow the memory" {
	need python3
	seq 150000 | sed 's/.*/[0.000000001] h e&: { cpu_id = 0 }, { a& = 1, b& = { c = [ [0] = & ] } }/' >"$T/in"
	python3 -c '
import resource, subprocess, sys
status = subprocess.call(["lttng-convert", "-"], stdin=open(sys.argv[1]), stdout=open(sys.argv[2], "w"))
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$T/in" "$T/out" >"$T/rss"
	[ "$(tail -n 1 "$T/out")" = $'ts=1\tev=e150000\tcpu=0\ta150000=1\tb150000.c.0=150000' ]
	[ "$(wc -l <"$T/out")" = 150000 ]
	read -r status rss <"$T/rss"
	# KiB. The sanitizers keep what was freed.
	[ "$status" = 0 ]
	[[ $WEIR_BIN == */san/* ]] || [ "$rss" -lt 102400 ]
}

@test "selections" {
	lines() { printf '[00:00:0%d.000000000] h %s: { cpu_id = 0 }, { pid = 1, ppid = 2 }, { a = 1, l = [ [0] = 1, [1] = 2 ], pid = 9 }\n' 1 x 2 y 3 xy; }
	[ "$(lines | lttng-convert -e 'x*' - | cut -f 1,2)" = $'ts=1000000000\tev=x\nts=3000000000\tev=xy' ]
	[ "$(lines | lttng-convert -x 'x*' - | cut -f 1,2)" = $'ts=2000000000\tev=y' ]
	[ "$(lines | lttng-convert -f a,pid,l.1 -e y -)" = $'ts=2000000000\tev=y\tpid=1\ta=1\tl.1=2' ]
	[ "$(lines | lttng-convert -f payload.pid,l,ppid -e y -)" = $'ts=2000000000\tev=y\tppid=2\tl.0=1\tl.1=2\tpayload.pid=9' ]
	[ "$(lines | lttng-convert --begin +1s --end 00:00:02 -f a - | cut -f 1,2)" = $'ts=2000000000\tev=y' ]
}

@test "idle input does not hold back what was found" {
	mkfifo "$T/pipe"
	lttng-convert - <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	printf '[0.000000001] h e: { }\n[0.0' >&7
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = $'ts=1\tev=e' ]
	printf '00000002] h e: { }\n' >&7
	exec 7>&-
	wait $!
	[ "$(tail -n 1 "$T/out")" = $'ts=2\tev=e' ]
}

# same TRACE OPTION...: babeltrace2's text under the options gives what the trace itself gives. What the
# text cannot tell: the CPU of what was lost; and where a string is empty, babeltrace2 2.0 may print an
# earlier one.
same() {
	local trace=$1
	shift
	lttng-convert "$trace" >"$T/direct"
	babeltrace2 "$@" "$trace" 2>/dev/null | lttng-convert - >"$T/text"
	[ -s "$T/direct" ]
	awk -F '\t' -v ts="$ts" 'FNR == NR { want[FNR] = $0; n++; next }
		{
			fields = split(want[FNR], w, FS)
			if (fields != NF) { print "fields: " want[FNR] "\n     got: " $0; exit 1 }
			for (i = ts == "no" ? 2 : 1; i <= NF; i++)
				if ($i != w[i] && w[i] !~ /=$/) { print "want: " want[FNR] "\n got: " $0; exit 1 }
		}
		END { if (FNR != n) { print FNR " records, not " n; exit 1 } }' "$T/direct" "$T/text"
}

@test "the text gives what the trace gives: kernel traces" {
	need babeltrace2
	for name in smoke contend postgres; do
		need_trace $name
		same "$trace/trace" --clock-seconds
	done
	same "$trace/trace" --clock-date --clock-gmt
	same "$trace/trace" --clock-date --no-delta --names=all --fields=all
	ts=no same "$trace/trace"
}

@test "the text gives what the trace gives: every kind of field" {
	need babeltrace2 python3
	"$TESTS/make-ctf" "$T/ctf"
	same "$T/ctf" --clock-seconds
	same "$T/ctf" --clock-date --names=all --fields=all
	same "$T/ctf" --clock-seconds --fields=trace,trace:hostname,trace:domain,trace:procname,trace:vpid,loglevel,emf
	same "$T/ctf" --clock-seconds --names=payload,context,scope --fields=loglevel
	# The one that same() lets pass: babeltrace2 2.0 prints the text before it again.
	[ "$(grep -c 'txt=$' "$T/direct")" = 1 ]
}

@test "babeltrace2 2>&1 of a trace with losses: every event, every loss" {
	need babeltrace2
	need_trace tinybuf
	babeltrace2 --clock-seconds "$trace/trace" >"$T/mixed" 2>&1
	babeltrace2 --clock-seconds "$trace/trace" 2>/dev/null >"$T/clean"
	lttng-convert "$T/mixed" >"$T/all"
	grep -v $'\tev=lost\t' "$T/all" | cmp - <(lttng-convert "$T/clean")
	[ "$(grep -c $'\tev=lost\t' "$T/all")" = "$(grep -ao 'WARNING: Tracer discarded' "$T/mixed" | wc -l)" ]
}
