#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# s TS EV TID DUR KEY=VALUE...: a span of a thread of process 7, comm c<TID>, on CPU 0.
s() {
	record "ts=$1" "ev=$2" cpu="${cpu:-0}" pid=7 "tid=$3" "comm=c$3" "${@:5}" "dur_ns=$4"
}
call() { s "$1" syscall "$2" "$3" "name=$4" "${@:5}"; }

# gives OPTIONS... -- EXPECTED: explain over $T/in gives these lines, without TABs, ev=explain, cpu=0 pid=7,
# comm, and fields in _ns that are 0; and says $said.
said=
gives() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	try explain "${options[@]}" "$T/in"
	out=$(sed -E 's/\t[a-z_.]+_ns=0\b//g; s/\t(ev=explain|cpu=0|pid=7|comm=c[0-9]+)//g; y/\t/ /' <<<"$out")
	expect "${want_status:-0}" "$2" "$said"
}

# sleeps STATE WAKER CALL...: the cause that is given for a sleep of 60 ns in such a call (- : in none).
sleeps() {
	local state=$1 waker=() period=100
	[ -z "$2" ] || waker=("$2")
	{
		call 10 9 5 getpid ret=7
		s 20 oncpu 9 15 why=sleep next_tid=0
		[ "$3" != disk ] || s 70 block 9 30 op=read
		s 80 blocked 9 60 "state=$state" "${waker[@]}"
		s 82 runq 9 2 why=wakeup
		[ "$3" = - ] || [ "$3" = disk ] || call 90 9 72 "${@:3}"
		s "$period" period 9 95
		call 110 9 5 getpid ret=7
		s 120 oncpu 9 38 why=sleep next_tid=0
	} >"$T/in"
	out=$(explain --by period "$T/in")
	got=$(grep -o 'sleep.on=[a-z]*' <<<"$out")
	got=${got#sleep.on=}
	[[ $out == *$'\t'"blocked_${got}_ns=60"* ]]
	[[ $out == *$'\t'"blocked_ns=60"* ]]
	# The same as the call itself is explained.
	[ "$3" = - ] || [ "$3" = disk ] ||
		[[ $(explain --by syscall "name=$3" "$T/in") == *"blocked_${got}_ns=60"* ]]
	echo "$got"
}

@test "a call that ran, was preempted, waited and slept: the parts are exact and sum up" {
	{
		s 100 oncpu 9 50 why=preempt next_tid=8
		s 140 oncpu 8 40 why=preempt next_tid=9
		s 140 runq 9 40 why=preempt by_tid=8 by_comm=c8
		s 160 oncpu 9 20 why=sleep next_tid=0
		s 260 blocked 9 100 state=D waker_tid=0 waker_comm=swapper/0 waker_irq=1
		s 265 runq 9 5 why=wakeup
		call 300 9 220 fdatasync ret=0
		s 400 oncpu 9 135 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=300 tid=9 by=syscall name=fdatasync ret=0 dur_ns=220 main=disk run_ns=75 runq_ns=45 runq_idle_ns=5 blocked_ns=100 blocked_disk_ns=100 runq_by.0.tid=8 runq_by.0.comm=c8 runq_by.0.dur_ns=40 sleep.dur_ns=100 sleep.on=disk sleep.call=fdatasync sleep.waker_tid=0 sleep.waker_comm=swapper/0 sleep.waker_irq=1'
}

@test "what a sleep waits for" {
	[ "$(sleeps D '' fsync ret=0)" = disk ]
	[ "$(sleeps S '' fdatasync ret=0)" = disk ]
	[ "$(sleeps D '' read ret=5)" = disk ]
	[ "$(sleeps D '' openat ret=5)" = disk ]
	[ "$(sleeps S '' openat ret=5)" = other ]
	[ "$(sleeps D '' read ret=5 path=/etc/passwd)" = disk ]
	[ "$(sleeps S '' read ret=5 path=/dev/tty)" = other ]
	[ "$(sleeps S '' read ret=5 path=pipe:[1])" = pipe ]
	[ "$(sleeps S '' read ret=5 path=tcp:127.0.0.1:80)" = socket ]
	[ "$(sleeps S '' write ret=5 path=unix:/run/x)" = socket ]
	[ "$(sleeps S '' read ret=5 path=inet:127.0.0.1:80)" = socket ]
	[ "$(sleeps S '' read ret=5 path=vsock:)" = socket ]
	[ "$(sleeps S '' read ret=8 path=timerfd:)" = timer ]
	[ "$(sleeps S '' read ret=8 path=eventfd:)" = fd ]
	[ "$(sleeps S waker_irq=1 read ret=5)" = socket ]
	[ "$(sleeps S '' read ret=5)" = fd ]
	[ "$(sleeps S '' recvfrom ret=5)" = socket ]
	[ "$(sleeps S '' accept4 ret=5)" = socket ]
	[ "$(sleeps S '' sendmsg ret=5)" = socket ]
	[ "$(sleeps S '' connect ret=0)" = socket ]
	[ "$(sleeps S waker_irq=1 epoll_wait ret=1)" = socket ]
	[ "$(sleeps S '' epoll_wait ret=1)" = fd ]
	[ "$(sleeps S waker_irq=1 epoll_wait ret=0)" = timer ]
	[ "$(sleeps S '' poll ret=0)" = timer ]
	[ "$(sleeps S '' io_getevents ret=1)" = disk ]
	[ "$(sleeps S '' io_getevents ret=0)" = timer ]
	[ "$(sleeps S '' futex ret=0)" = lock ]
	[ "$(sleeps S '' futex ret=-110)" = timer ]
	[ "$(sleeps S '' flock ret=0)" = lock ]
	[ "$(sleeps S '' nanosleep ret=0)" = timer ]
	[ "$(sleeps S '' clock_nanosleep ret=0)" = timer ]
	[ "$(sleeps S '' wait4 ret=12)" = child ]
	[ "$(sleeps S '' rt_sigtimedwait ret=-11)" = timer ]
	[ "$(sleeps S '' rt_sigtimedwait ret=14)" = other ]
	[ "$(sleeps D '' mmap ret=14)" = lock ]
	[ "$(sleeps T '' read ret=14)" = stop ]
	[ "$(sleeps D '' ioctl ret=0)" = other ]
	[ "$(sleeps S '' no_such_call ret=0)" = other ]
	[ "$(sleeps D '' -)" = fault ]
	[ "$(sleeps S '' -)" = other ]
	[ "$(sleeps D '' disk)" = fault ]
}

@test "without any system call of the thread, a disk request or state D is the disk" {
	{
		s 20 oncpu 9 15 why=sleep next_tid=0
		s 80 blocked 9 60 state=D
		s 81 runq 9 1 why=wakeup
		s 100 period 9 95
		s 120 oncpu 9 39 why=sleep next_tid=0
	} >"$T/in"
	gives --by period -- 'ts=100 tid=9 by=period dur_ns=95 main=disk run_ns=34 runq_ns=1 runq_idle_ns=1 blocked_ns=60 blocked_disk_ns=60 sleep.dur_ns=60 sleep.on=disk'
}

@test "a disk request during a sleep in a call of memory" {
	{
		s 20 oncpu 9 15 why=sleep next_tid=0
		s 70 block 9 30 dev=8,0 sector=1 bytes=4096 op=read
		s 80 blocked 9 60 state=D
		s 81 runq 9 1 why=wakeup
		call 90 9 80 mmap ret=1
		s 120 oncpu 9 39 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=90 tid=9 by=syscall name=mmap ret=1 dur_ns=80 main=disk run_ns=19 runq_ns=1 runq_idle_ns=1 blocked_ns=60 blocked_disk_ns=60 sleep.dur_ns=60 sleep.on=disk sleep.call=mmap'
}

@test "interrupts are not running; those within others count once; those at edges are cut" {
	{
		s 15 irq 9 10 irq=1
		s 60 irq 9 5 irq=1
		s 70 softirq 9 30 vec=1
		s 85 softirq 9 5 vec=1
		call 90 9 80 read ret=1
		s 95 irq 9 10 irq=1
		s 120 oncpu 9 120 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=90 tid=9 by=syscall name=read ret=1 dur_ns=80 main=irq run_ns=35 irq_ns=45'
}

@test "a period: its own code and its calls, those at its edges cut" {
	{
		call 20 9 15 getpid ret=7
		call 40 9 10 write ret=7
		s 42 irq 9 6 irq=1
		call 60 9 10 write ret=7
		call 80 9 10 read ret=7
		s 110 period 9 100 'name=a b'
		call 120 9 20 sendto ret=7
		s 200 oncpu 9 200 why=sleep next_tid=0
	} >"$T/in"
	gives --by period -- 'ts=110 tid=9 by=period name=a b dur_ns=100 main=run run_ns=94 run_user_ns=48 run_call_ns=46 irq_ns=6 call.0.name=write call.0.n=2 call.0.dur_ns=20 call.0.run_ns=16 call.1.name=getpid call.1.n=1 call.1.dur_ns=10 call.1.run_ns=10 call.2.name=read call.2.n=1 call.2.dur_ns=10 call.2.run_ns=10'
}

@test "who ran: the three with most time, the rest, an idle CPU, and what is not told" {
	{
		s 100 oncpu 9 10 why=preempt next_tid=1
		s 110 oncpu 1 10 why=preempt next_tid=2
		s 130 oncpu 2 20 why=preempt next_tid=3
		s 160 oncpu 3 30 why=preempt next_tid=4
		s 200 oncpu 4 40 why=sleep next_tid=0
		s 250 oncpu 2 30 why=preempt next_tid=77
		cpu=1 s 255 oncpu 99 90 why=preempt next_tid=77
		s 300 oncpu 1 20 why=preempt next_tid=9
		s 300 runq 9 200 why=preempt by_tid=1 by_comm=c1
		call 310 9 215 getpid ret=7
		s 320 oncpu 9 20 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=310 tid=9 by=syscall name=getpid ret=7 dur_ns=215 main=runq run_ns=15 runq_ns=200 runq_idle_ns=20 runq_others_ns=60 runq_by.0.tid=2 runq_by.0.comm=c2 runq_by.0.dur_ns=50 runq_by.1.tid=4 runq_by.1.comm=c4 runq_by.1.dur_ns=40 runq_by.2.tid=1 runq_by.2.comm=c1 runq_by.2.dur_ns=30'
}

@test "without slices of other threads, the one that the wait names" {
	{
		s 300 runq 9 200 why=preempt by_tid=1 by_comm=made
		call 310 9 205 getpid ret=7
		s 320 oncpu 9 20 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=310 tid=9 by=syscall name=getpid ret=7 dur_ns=205 main=runq run_ns=10 runq_ns=195 runq_by.0.tid=1 runq_by.0.comm=made runq_by.0.dur_ns=195'
}

@test "what is not known is unknown, and said" {
	call 310 9 10 getpid ret=7 >"$T/in"
	said='explain: 1 of 1 spans have time of which nothing is known, 100 % of all: the input does not tell all states of their threads, or --reach is too short'
	gives -- 'ts=310 tid=9 by=syscall name=getpid ret=7 dur_ns=10 main=unknown unknown_ns=10'
	{ call 310 9 20 getpid ret=7; s 320 oncpu 9 20 why=sleep next_tid=0; } >"$T/in"
	said=${said/100 %/50 %}
	gives -- 'ts=310 tid=9 by=syscall name=getpid ret=7 dur_ns=20 main=run run_ns=10 unknown_ns=10'
}

@test "--reach: spans that ended before are forgotten, but for the last 32" {
	{
		for i in {1..50}; do s "$((i * 10))" oncpu 9 10 why=preempt next_tid=9; done
		s 510 period 9 510
		s 520 oncpu 9 20 why=sleep next_tid=0
	} >"$T/in"
	gives --by period -- 'ts=510 tid=9 by=period dur_ns=510 main=run run_ns=510'
	said='explain: 1 of 1 spans have time of which nothing is known, 35.3 % of all: the input does not tell all states of their threads, or --reach is too short'
	gives --by period --reach 5ns -- 'ts=510 tid=9 by=period dur_ns=510 main=run run_ns=330 unknown_ns=180'
}

@test "spans come out in the order of their end, each when its slice is known" {
	{
		call 100 9 10 read ret=1
		call 110 8 20 write ret=1
		s 120 oncpu 8 50 why=sleep next_tid=0
		cpu=1 s 130 oncpu 9 50 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=100 tid=9 by=syscall name=read ret=1 dur_ns=10 main=run run_ns=10
ts=110 tid=8 by=syscall name=write ret=1 dur_ns=20 main=run run_ns=20'
}

@test "--threshold and expressions choose what is explained, nothing else" {
	{
		call 50 9 4 write ret=7
		call 60 9 5 write ret=7
		call 70 9 10 read ret=7
		s 200 oncpu 9 200 why=sleep next_tid=0
	} >"$T/in"
	gives -t 5ns name=write -- 'ts=60 tid=9 by=syscall name=write ret=7 dur_ns=5 main=run run_ns=5'
	gives 'name!=write' -- 'ts=70 tid=9 by=syscall name=read ret=7 dur_ns=10 main=run run_ns=10'
	cp "$T/in" "$T/other"
	explain name=read <"$T/in" | cmp - <(explain -f "$T/in" name=read)
	explain name=read <"$T/in" | cmp - <(explain "$T/in" name=read)
	try explain --threshold 1parsec
	[ "$status" = 2 ]
	try explain --by '' name=read
	expect 2 '' "explain: cannot explain spans without an ev: --by is empty; see 'explain --help'"
	try explain '=x'
	expect 2 '' "explain: cannot use '=x': an expression begins with a key; see 'explain --help'"
}

@test "a request: its phases, and the server's side of the same connection" {
	{
		cpu=1 call 40 20 5 accept4 ret=4
		cpu=1 s 60 blocked 20 18 state=S
		cpu=1 s 62 runq 20 2 why=wakeup
		cpu=1 call 70 20 30 read ret=10 path=pipe:1
		# Of another connection, and before the request.
		cpu=1 s 70 tcp 20 60 role=server saddr=10.0.0.1 sport=80 daddr=10.0.0.2 dport=998
		cpu=1 s 5 tcp 20 3 role=server saddr=10.0.0.1 sport=80 daddr=10.0.0.2 dport=999
		cpu=1 s 80 tcp 20 50 role=server saddr=::ffff:10.0.0.1 sport=80 daddr=::ffff:10.0.0.2 dport=999
		cpu=1 call 85 20 10 write ret=10
		cpu=1 s 200 oncpu 20 138 why=sleep next_tid=0
		s 100 http 9 90 url=http://a/ status=200 dns_ns=5 connect_ns=10 tls_ns=0 ttfb_ns=60 saddr=10.0.0.2 sport=999 daddr=10.0.0.1 dport=80
		s 210 oncpu 9 205 why=sleep next_tid=0
	} >"$T/in"
	gives --by http -- 'ts=100 tid=9 by=http url=http://a/ status=200 dns_ns=5 connect_ns=10 ttfb_ns=60 saddr=10.0.0.2 sport=999 daddr=10.0.0.1 dport=80 dur_ns=90 main=run run_ns=90 wait_ns=45 transfer_ns=30 server.pid=7 server.tid=20 server.comm=c20 server.dur_ns=50 server.main=run server.run_ns=18 server.run_user_ns=5 server.run_call_ns=13 server.runq_ns=2 server.runq_others_ns=2 server.blocked_ns=18 server.blocked_pipe_ns=18 server.unknown_ns=12 server.sleep.dur_ns=18 server.sleep.on=pipe server.sleep.call=read server.call.0.name=read server.call.0.n=1 server.call.0.dur_ns=30 server.call.0.run_ns=8 server.call.1.name=accept4 server.call.1.n=1 server.call.1.dur_ns=5 server.call.1.run_ns=0 server.call.2.name=write server.call.2.n=1 server.call.2.dur_ns=5 server.call.2.run_ns=5'
	# From the client's side of the kernel it is the same; a server has no other side.
	sed -i 's/\tev=http\t/\tev=tcp\t/; s/\turl=[^\t]*\tstatus=200\t/\trole=client\t/' "$T/in"
	[[ $(explain --by tcp role=client "$T/in") == *$'\tserver.tid=20\t'* ]]
	[[ $(explain --by tcp role=server "$T/in") != *$'\tserver.'* ]]
}

@test "a request of no thread: the server's, since it was woken for it, and the rest is outside" {
	net='saddr=10.0.0.2 sport=999 daddr=10.0.0.1 dport=80'
	{
		cpu=1 s 20 oncpu 20 10 why=sleep next_tid=8
		cpu=1 s 50 blocked 20 30 state=S
		cpu=1 s 70 oncpu 8 50 why=preempt next_tid=20
		cpu=1 s 70 runq 20 20 why=wakeup
		record ts=130 ev=http url=http://a/ dur_ns=100 "${net// /$'\t'}"
		# Its exchange seems to end after it; a first one on this connection was another request's.
		cpu=1 s 40 tcp 20 20 role=server saddr=10.0.0.1 sport=80 daddr=10.0.0.2 dport=999
		cpu=1 s 131 tcp 20 51 role=server saddr=10.0.0.1 sport=80 daddr=10.0.0.2 dport=999
		record ts=135 ev=http url=http://none/ dur_ns=10 saddr=10.0.0.2 sport=998 daddr=10.0.0.1 dport=80
		cpu=1 s 200 oncpu 20 130 why=sleep next_tid=0
	} >"$T/in"
	said="explain: 1 of 2 spans have time of which nothing is known, 9.09 % of all: the input does not tell all states of their threads, or --reach is too short
explain: 1 of 2 requests have no server's side: no ev=tcp role=server has their connection and time"
	gives --by http -- "ts=130 by=http url=http://a/ dur_ns=100 $net main=run run_ns=60 runq_ns=20 outside_ns=20 runq_by.0.tid=8 runq_by.0.comm=c8 runq_by.0.dur_ns=20 server.pid=7 server.tid=20 server.comm=c20 server.dur_ns=80
ts=135 by=http url=http://none/ dur_ns=10 ${net/999/998} main=unknown unknown_ns=10"
	try explain --by http -n 1 "$T/in"
	[[ $out == *"  http://a/  c20/20  60 % running, 20 % runnable (c8/8 ran), 20 % outside the server" ]]
	# As users have it, where nobody ran.
	sed -i '/\ttid=8\t/d; s/next_tid=8/next_tid=0/' "$T/in"
	[[ $(explain --by http -n 1 "$T/in" 2>/dev/null) == *"20 % runnable (nobody ran)"* ]]
	# Neither thread nor connection: of no use, unless nobody asks for it.
	record ts=300 ev=http url=b dur_ns=10 >>"$T/in"
	try explain --by http url=b "$T/in"
	[ "$status" = 1 ]
	try explain --by http -n 1 'sport>0' "$T/in"
	[ "$status" = 0 ]
}

@test "a wait that was throttled: its begin is, whoever ran there; the rest is runnable" {
	{
		s 100 oncpu 9 50 why=preempt next_tid=8
		s 160 oncpu 8 60 why=preempt next_tid=9
		s 160 runq 9 60 why=preempt by_tid=8 by_comm=c8 throttled_ns=45 cgroup=/docker/abc
		s 170 oncpu 9 10 why=preempt next_tid=0
		s 190 runq 9 20 why=preempt throttled_ns=20 cgroup=/docker/other
		s 192 oncpu 9 2 why=preempt next_tid=0
		# More than the whole is the whole; no cgroup is told.
		s 195 runq 9 3 why=preempt throttled_ns=99
		call 200 9 120 getpid ret=7
		s 210 oncpu 9 15 why=sleep next_tid=0
	} >"$T/in"
	gives -- 'ts=200 tid=9 by=syscall name=getpid ret=7 dur_ns=120 main=throttled run_ns=37 runq_ns=15 throttled_ns=68 runq_by.0.tid=8 runq_by.0.comm=c8 runq_by.0.dur_ns=15 throttled.cgroup=/docker/abc'
	try explain -n 1 "$T/in"
	[[ $out == *"  57 % throttled (/docker/abc), 31 % running, 12 % runnable (c8/8 ran)" ]]
	try explain -s "$T/in"
	[[ $out == *$'
'"throttled  68 ns  56.7 %      1    68 ns"$'
'* ]]
	# A span that begins within: its part.
	sed -i 's/\tdur_ns=120$/\tdur_ns=65/' "$T/in"
	gives -- 'ts=200 tid=9 by=syscall name=getpid ret=7 dur_ns=65 main=throttled run_ns=17 runq_ns=15 throttled_ns=33 runq_by.0.tid=8 runq_by.0.comm=c8 runq_by.0.dur_ns=15 throttled.cgroup=/docker/other'
	# In the midst of the wait: who ran before and after.
	{
		s 50 oncpu 9 50 why=preempt next_tid=8
		s 80 oncpu 8 30 why=preempt next_tid=7
		s 100 oncpu 7 20 why=preempt next_tid=9
		s 100 runq 9 50 why=preempt by_tid=7 by_comm=c7 throttled_ns=15 throttled_after_ns=30
		call 105 9 60 getpid ret=7
		s 110 oncpu 9 10 why=sleep next_tid=0
		s 130 blocked 9 20 state=S
		# As absurd as can be.
		s 140 runq 9 10 why=wakeup throttled_ns=9223372036854775807 throttled_after_ns=4
		s 150 runq 9 10 why=wakeup throttled_ns=5 throttled_after_ns=9223372036854775807
		call 150 9 20 gettid ret=7
		s 160 oncpu 9 10 why=sleep next_tid=0
	} >"$T/midst"
	[ "$(explain name=getpid "$T/midst" | grep -oE '(runq_ns|throttled_ns|by\.[01]\.(tid|dur_ns))=[0-9]+' | tr '\n' ' ')" = \
		'runq_ns=35 throttled_ns=15 by.0.tid=8 by.0.dur_ns=30 by.1.tid=7 by.1.dur_ns=5 ' ]
	[ "$(explain name=gettid "$T/midst" | grep -oE '(runq_ns|throttled_ns|unknown_ns)=[0-9]+' | tr '\n' ' ')" = 'runq_ns=14 throttled_ns=6 unknown_ns=0 ' ]
	# Where a path is long, its end tells most; what it is made of drives nothing.
	long=/a/$(printf 'b%.0s' {1..70})/$(printf 'c%.0s' {1..70})
	sed -i "s|/docker/other|$long|" "$T/in"
	[[ $(explain -n 1 "$T/in") == *"throttled (.../ccccc"*"cccc), "* ]]
	[[ $(explain "$T/in") == *$'\t'"throttled.cgroup=$long"* ]]
}

@test "a request of no thread: what its client knows of the time before the server began" {
	net='saddr=10.0.0.2 sport=999 daddr=10.0.0.1 dport=80'
	{
		cpu=1 s 1070 blocked 20 100 state=S
		cpu=1 s 1150 oncpu 20 80 why=sleep next_tid=0
		record ts=1200 ev=http url=https://a/ intended_ts=950 wait_ns=50 dns_ns=10 connect_ns=20 tls_ns=30 ttfb_ns=180 dur_ns=200 "${net// /$'\t'}"
		cpu=1 s 1145 tcp 20 75 role=server saddr=10.0.0.1 sport=80 daddr=10.0.0.2 dport=999
		cpu=1 s 1300 blocked 20 150 state=S
	} >"$T/in"
	gives --by http -- "ts=1200 by=http url=https://a/ intended_ts=950 dns_ns=10 connect_ns=20 tls_ns=30 ttfb_ns=180 dur_ns=200 $net main=run run_ns=75 outside_ns=125 outside_dns_ns=10 outside_connect_ns=20 outside_tls_ns=30 late_ns=50 wait_ns=120 transfer_ns=20 server.pid=7 server.tid=20 server.comm=c20 server.dur_ns=75"
	try explain --by http -n 1 "$T/in"
	[[ $out == *"  38 % running, 32 % outside the server, 15 % shaking hands (TLS), 10 % connecting; sent 50 ns late" ]]
	# The server was awake before the client says to have been done: what is the server's comes first.
	sed -i 's/dns_ns=10/dns_ns=60/' "$T/in"
	[[ $(explain --by http "$T/in") == *$'\t'outside_ns=125$'\t'outside_dns_ns=60$'\t'outside_connect_ns=10$'\t'unknown_ns=0$'\t'* ]]
	# No server's side: what the client knows is known.
	sed -i '/\tev=tcp\t/d' "$T/in"
	[[ $(explain --by http "$T/in" 2>/dev/null) == *$'\t'main=unknown$'\t'*$'\t'outside_ns=110$'\t'outside_dns_ns=60$'\t'outside_connect_ns=20$'\t'outside_tls_ns=30$'\t'unknown_ns=90$'\t'* ]]
}

@test "a request whose first byte comes after its end, or before what precedes it: no phases" {
	{
		s 100 http 9 90 url=a dns_ns=5 ttfb_ns=91
		s 101 http 9 90 url=b dns_ns=9223372036854775807 connect_ns=9223372036854775807 ttfb_ns=40
		s 210 oncpu 9 205 why=sleep next_tid=0
	} >"$T/in"
	gives --by http -- 'ts=100 tid=9 by=http url=a dns_ns=5 ttfb_ns=91 dur_ns=90 main=run run_ns=90
ts=101 tid=9 by=http url=b dns_ns=9223372036854775807 connect_ns=9223372036854775807 ttfb_ns=40 dur_ns=90 main=run run_ns=90 transfer_ns=50'
}

@test "loss: it is passed on at its place, said, and the spans that it is in are incomplete" {
	{
		s 20 oncpu 9 15 why=sleep next_tid=0
		call 15 9 5 read ret=1
		record ts=25 ev=lost cpu=0 n=3 source=ch0 first_ts=25 last_ts=40
		call 60 9 40 write ret=1
		s 70 oncpu 9 20 why=sleep next_tid=0
		call 80 9 2 getpid ret=1
		s 90 oncpu 9 20 why=sleep next_tid=0
	} >"$T/in"
	said='explain: 1 of 3 spans have time of which nothing is known, 63.8 % of all: the input does not tell all states of their threads, or --reach is too short
explain: 3 events were lost in 1 place: what is explained is incomplete'
	gives -- 'ts=15 tid=9 by=syscall name=read ret=1 dur_ns=5 main=run run_ns=5
ts=25 ev=lost n=3 source=ch0 first_ts=25 last_ts=40
ts=60 tid=9 by=syscall name=write ret=1 dur_ns=40 main=unknown run_ns=10 unknown_ns=30 incomplete=1
ts=80 tid=9 by=syscall name=getpid ret=1 dur_ns=2 main=run run_ns=2'
	said='explain: 3 events were lost in 1 place: what is explained is incomplete'
	want_status=3 gives --strict name=getpid -- "$(sed -n '2p;4p' <<<"$out")"
}

@test "--slowest: a table, the slowest first; --summary: all of them" {
	{
		call 100 9 10 read ret=1
		call 110 9 10 write ret=1
		s 2000120 oncpu 8 2000000 why=preempt next_tid=9
		s 2000120 runq 9 2000000 why=preempt by_tid=8
		call 2000200 9 2000080 futex ret=0
		s 2000300 oncpu 9 180 why=sleep next_tid=0
		s 3000300 blocked 9 1000000 state=S waker_tid=8 waker_comm=c8
		s 3000301 runq 9 1 why=wakeup
		call 3000500 9 1000250 futex ret=0
		s 3000600 oncpu 9 299 why=sleep next_tid=0
		s 120 oncpu 9 120 why=preempt next_tid=8
	} | sort -t= -k2,2n -s >"$T/in"
	try explain --slowest 3 --summary "$T/in"
	expect 0 "time                               took  what   who   where the time went
1970-01-01T00:00:00.002000200Z  2.00 ms  futex  c9/9  100 % runnable (c8/8 ran)
1970-01-01T00:00:00.003000500Z  1.00 ms  futex  c9/9  100 % blocked on a lock (woken by c8/8)
1970-01-01T00:00:00.000000100Z    10 ns  read   c9/9  100 % running

cause                total   share  spans  longest
runnable           2.00 ms  66.7 %      2  2.00 ms
blocked on a lock  1.00 ms  33.3 %      1  1.00 ms
running             349 ns   0.0 %      4   249 ns" ''
	try explain --slowest 1000 name=none "$T/in"
	expect 0 '' "explain: nothing to explain: none of 11 records is an ev=syscall that was asked for"
}

@test "--slowest chooses as sort does" {
	need_trace contend
	lttng-convert "$trace/trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
	[ "$(explain -n 100 --by blocked "$T/spans" | wc -l)" = 101 ]
	explain "$T/spans" | sed -E 's/^ts=([0-9]+).*\ttid=([0-9]+).*\tdur_ns=([0-9]+).*/\3 \1 \2/' |
		sort -k1,1nr -k2,2n -k3,3n | head -n 50 >"$T/want"
	# With a threshold that only these reach, and from records.
	explain -t "$(tail -n 1 "$T/want" | cut -d' ' -f1)ns" "$T/spans" |
		sed -E 's/^ts=([0-9]+).*\ttid=([0-9]+).*\tdur_ns=([0-9]+).*/\3 \1 \2/' | sort -k1,1nr -k2,2n -k3,3n | cmp - "$T/want"
	explain -n 50 "$T/spans" | sed -nE 's@.*/([0-9]+)  +[0-9]+ %.*@\1@p' | cmp - <(cut -d' ' -f3 "$T/want")
}

@test "spans that are out of order are not used, and counted" {
	{
		s 100 oncpu 9 50 why=sleep next_tid=0
		s 60 oncpu 9 50 why=sleep next_tid=0
		call 90 9 40 read ret=1
		s 200 oncpu 9 150 why=sleep next_tid=0
	} >"$T/in"
	said='explain: 2 spans came after one of the same thread that ended later, and were not used'
	gives -- 'ts=90 tid=9 by=syscall name=read ret=1 dur_ns=40 main=run run_ns=40'
}

@test "numbers at the ends of their range, wrong numbers, no thread" {
	{
		record ts=9223372036854775807 ev=oncpu cpu=0 tid=9 comm=a dur_ns=9223372036854775807
		record ts=9223372036854775807 ev=syscall cpu=0 tid=9 comm=a name=x dur_ns=9223372036854775807
		record ts=-9223372036854775807 ev=syscall cpu=0 tid=8 comm=a name=x dur_ns=9
		record ts=5 ev=oncpu cpu=99999999999 tid=7 comm=a dur_ns=5
		record ts=5 ev=syscall cpu=-7 tid=7 comm=a name=x dur_ns=5
		record ts=5 ev=runq cpu=x tid=6 comm=a dur_ns=-5
		record ts=5 ev=blocked tid=99999999999 dur_ns=1
		record ts=7 ev=irq dur_ns=1
	} >"$T/in"
	said="explain: 1 of 2 spans have time of which nothing is known, 0 % of all: the input does not tell all states of their threads, or --reach is too short"
	try explain "$T/in"
	[ "$status" = 0 ] && [[ $out == *$'dur_ns=9223372036854775807\tmain=run\trun_ns=9223372036854775807'* ]]
	record ts=5 ev=syscall cpu=0 comm=a name=x dur_ns=5 >"$T/in"
	try explain "$T/in"
	expect 1 '' "explain: $T/in:1: cannot use tid or dur_ns: to be explained, a span needs both, and ts"
}

@test "fields that a span has of its own are kept, but none comes twice" {
	{
		record ts=50 ev=period tid=9 run_ns=5 main=me by=x dur_ns=10 call.0.name=y 'comm=a\tb' order=7 wait_ns=6 "long=$(printf 'x%.0s' {1..5000})"
		s 90 oncpu 9 90 why=sleep next_tid=0
	} >"$T/in"
	try explain --by period "$T/in"
	[ "$(tr '\t' '\n' <<<"$out" | cut -d= -f1 | sort | uniq -d)" = '' ]
	[[ $out == $'ts=50\tev=explain\ttid=9\tcomm=a\\tb\tby=period\tdur_ns=10\torder=7\tmain=run\trun_ns=10\t'* ]]
	try explain --by period -n 1 "$T/in"
	[[ $out == *'a\tb/9'* ]]
}

@test "too many that wait: the first go without, and it is said" {
	awk 'BEGIN { OFS = "\t"; for (i = 0; i < 65540; i++) print "ts=" 1000 + i, "ev=syscall", "tid=9", "name=x", "dur_ns=1" }' >"$T/in"
	try explain "$T/in"
	[ "$(wc -l <"$T/try.out")" = 65540 ]
	[[ $err == *'explain: 4 spans did not wait for the end of their thread'"'"'s slice: more than 65536 were waiting' ]]
}

@test "many threads that end: memory is bounded" {
	awk 'BEGIN { OFS = "\t"; for (i = 1; i <= 300000; i++) {
		print "ts=" i * 10, "ev=oncpu", "cpu=0", "tid=" i, "comm=t", "dur_ns=10", "why=exit"
		print "ts=" i * 10, "ev=syscall", "cpu=0", "tid=" i, "name=exit", "dur_ns=5", "unfinished=1" } }' >"$T/in"
	(ulimit -v 60000 && explain -s "$T/in") >"$T/out" 2>"$T/err" || [ "${SAN:-}" ] || grep -q Sanitizer "$T/err"
	grep -q Sanitizer "$T/err" || [ "$(tail -n 1 "$T/out")" = 'running  1.50 ms  100.0 %  300000     5 ns' ]
}

# sums: over records of explain, every part and part of a part adds up to its whole.
sums() {
	python3 -c '
import sys
n = 0
for line in sys.stdin.buffer:
	f = {k.decode(): v for k, v in (x.split(b"=", 1) for x in line.rstrip(b"\n").split(b"\t"))}
	v = {k: int(x) for k, x in f.items() if k.endswith("_ns") and x.isdigit()}
	of = lambda *keys: sum(v[k] for k in keys)
	assert of("run_ns", "irq_ns", "runq_ns", "blocked_ns", "unknown_ns") + v.get("throttled_ns", 0) == v["dur_ns"], line
	assert sum(x for k, x in v.items() if k.startswith("blocked_") and k != "blocked_ns") == v["blocked_ns"], line
	assert of("runq_idle_ns", "runq_others_ns") + sum(x for k, x in v.items() if k.startswith("runq_by.")) == v["runq_ns"], line
	assert "run_user_ns" not in v or of("run_user_ns", "run_call_ns") == v["run_ns"], line
	assert min(v.values()) >= 0, line
	assert "unknown_ns=0" in sys.argv and v["unknown_ns"] == 0 or "unknown_ns=0" not in sys.argv, line
	n += 1
print(n)' "$@"
}

# periods: adds made-up ones, from the begin of a thread's system call to the end of its next but one.
periods() {
	awk 'BEGIN { FS = OFS = "\t" }
	{ print }
	$2 == "ev=syscall" {
		for (i = 1; i <= NF; i++) { p = index($i, "="); v[substr($i, 1, p - 1)] = substr($i, p + 1) }
		# Times have 19 digits, a double 15.
		t = v["tid"]; n = ++count[t]
		s[t, n] = substr(v["ts"], 1, 10); ns[t, n] = substr(v["ts"], 11) - v["dur_ns"]
		if (n % 3 == 0)
			printf "ts=%s\tev=period\tpid=%s\ttid=%s\tdur_ns=%d\n", v["ts"], v["pid"], t,
				(substr(v["ts"], 1, 10) - s[t, n - 2]) * 1e9 + substr(v["ts"], 11) - ns[t, n - 2] }' "$@"
}

# add_up: explains all calls of $trace, and periods; all of their time is known.
add_up() {
	lttng-convert "$trace/trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
	[ "$(explain "$T/spans" | sums unknown_ns=0)" = "$(grep -c ev=syscall "$T/spans")" ]
	periods "$T/spans" >"$T/periods"
	[ "$(explain --by period "$T/periods" | sums unknown_ns=0)" = "$(grep -c ev=period "$T/periods")" ]
}

@test "the law of sums on real traces: nothing unknown, nothing twice" {
	need python3
	for name in postgres contend smoke; do
		need_trace "$name"
		add_up
	done
}

@test "the law of sums on a trace of redis" {
	need python3
	need_trace redis
	add_up
}

@test "the law of sums where events were lost" {
	need python3
	need_trace tinybuf
	lttng-convert "$trace/trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
	explain "$T/spans" 2>/dev/null | grep -v ev=lost | sums
	[ "$(explain "$T/spans" 2>/dev/null | grep -c ev=lost)" = "$(grep -c ev=lost "$T/spans")" ]
}

@test "periods that are system calls are explained as those" {
	need_trace contend
	lttng-convert "$trace/trace" 2>/dev/null | spans -k 2>/dev/null |
		pair --keep -s syscall_entry_futex -e syscall_exit_futex >"$T/in" 2>/dev/null
	fields() { sed -E 's/^(ts=[0-9]+)\t.*\t(tid=[0-9]+)\t.*\t(dur_ns=[0-9]+)(\tret=[^\t]*)?(\tmain=[a-z]*\trun_ns=[0-9]+)(\trun_[a-z]+_ns=[0-9]+)*(\tirq_ns.*unknown_ns=[0-9]+).*/\1 \2 \3\5\7/'; }
	explain --by period "$T/in" | fields >"$T/periods"
	explain name=futex "$T/in" | fields >"$T/calls"
	[ "$(wc -l <"$T/calls")" -gt 300 ]
	cmp "$T/periods" "$T/calls"
	# Paired before there are spans: spans(1) passes them.
	lttng-convert "$trace/trace" 2>/dev/null | pair --keep -s syscall_entry_futex -e syscall_exit_futex 2>/dev/null |
		spans 2>/dev/null | explain --by period | fields | cmp - "$T/calls"
}

@test "an oracle that takes another way agrees on real traces" {
	need python3
	for name in postgres contend; do
		need_trace "$name"
		lttng-convert "$trace/trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
		periods "$T/spans" >"$T/periods"
		explain "$T/spans" >"$T/calls"
		explain --by period "$T/periods" >"$T/out"
		where runq_by.0.tid <"$T/calls" >"$T/waits"
		"$TESTS/explain-oracle" "$T/spans" 211 <"$T/calls" >/dev/null
		"$TESTS/explain-oracle" "$T/spans" 37 <"$T/waits" >/dev/null
		"$TESTS/explain-oracle" "$T/periods" 67 <"$T/out" >/dev/null
	done
}
