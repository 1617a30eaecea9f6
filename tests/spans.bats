#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# Raw records as lttng-convert writes them. who CPU TID COMM: the context that the next ones have.
who() {
	if [ "$2" = - ]; then context="cpu=$1"; else context="cpu=$1"$'\t'"pid=$2"$'\t'"tid=$2"$'\t'"comm=$3"; fi
}
raw() {
	record "ts=$1" "ev=$2" "$context" "${@:3}"
}
# switch TS FROM COMM STATE TO COMM
switch() {
	raw "$1" sched_switch "prev_comm=$3" "prev_tid=$2" prev_prio=20 "prev_state=$4" "next_comm=$6" "next_tid=$5" next_prio=20
}
# wake TS EV TID COMM CPU
wake() {
	raw "$1" "$2" "payload.comm=$4" "payload.tid=$3" prio=20 "target_cpu=$5"
}

# gives OPTIONS... -- EXPECTED: spans over $T/in gives these lines, without ts= and TABs, and says $said.
said=
gives() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	try spans "${options[@]}" "$T/in"
	expect "${want_status:-0}" "$(sed -E 's/ +/\t/g; /./s/^/ts=/' <<<"$2")" "$said"
}

@test "slices, waits and sleeps: where they begin and end" {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 7 a
		who 0 7 a; switch 200 7 a 1 0 swapper/0
		who 1 9 b; wake 300 sched_waking 7 a 0
		who 0 0 swapper/0; wake 310 sched_wakeup 7 a 0
		who 0 0 swapper/0; switch 330 0 swapper/0 0 7 a
		who 0 7 a; wake 340 sched_waking 8 c 0; wake 350 sched_wakeup 8 c 0
		who 0 7 a; switch 400 7 a 256 8 c
		who 0 8 c; switch 500 8 c 2 7 a
		who 1 9 b; raw 600 some_event x=1
	} >"$T/in"
	gives -- '200 ev=oncpu cpu=0 pid=7 tid=7 comm=a dur_ns=100 why=sleep next_tid=0 next_comm=swapper/0
310 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=110 state=S waker_tid=9 waker_comm=b
330 ev=runq cpu=0 pid=7 tid=7 comm=a dur_ns=20 why=wakeup
400 ev=oncpu cpu=0 pid=7 tid=7 comm=a dur_ns=70 why=preempt next_tid=8 next_comm=c
400 ev=runq cpu=0 tid=8 comm=c dur_ns=50 why=wakeup by_tid=7 by_comm=a
500 ev=oncpu cpu=0 pid=8 tid=8 comm=c dur_ns=100 why=sleep next_tid=7 next_comm=a
500 ev=runq cpu=0 pid=7 tid=7 comm=a dur_ns=100 why=preempt by_tid=8 by_comm=c
600 ev=oncpu cpu=0 pid=7 tid=7 comm=a dur_ns=100 unfinished=1
600 ev=blocked cpu=0 pid=8 tid=8 comm=c dur_ns=100 state=D unfinished=1'
	# The same without contexts: the thread is the one that was switched to.
	sed -E 's/\tpid=[0-9]*\ttid=[0-9]*\tcomm=[^\t]*//' -i "$T/in"
	gives -- '200 ev=oncpu cpu=0 tid=7 comm=a dur_ns=100 why=sleep next_tid=0 next_comm=swapper/0
310 ev=blocked cpu=0 tid=7 comm=a dur_ns=110 state=S
330 ev=runq cpu=0 tid=7 comm=a dur_ns=20 why=wakeup
400 ev=oncpu cpu=0 tid=7 comm=a dur_ns=70 why=preempt next_tid=8 next_comm=c
400 ev=runq cpu=0 tid=8 comm=c dur_ns=50 why=wakeup by_tid=7 by_comm=a
500 ev=oncpu cpu=0 tid=8 comm=c dur_ns=100 why=sleep next_tid=7 next_comm=a
500 ev=runq cpu=0 tid=7 comm=a dur_ns=100 why=preempt by_tid=8 by_comm=c
600 ev=oncpu cpu=0 tid=7 comm=a dur_ns=100 unfinished=1
600 ev=blocked cpu=0 tid=8 comm=c dur_ns=100 state=D unfinished=1'
}

@test "what began before the trace is not invented" {
	{
		who 0 7 a; raw 100 some_event
		switch 200 7 a 1 8 b
		who 1 9 c; wake 250 sched_wakeup 6 d 1
		who 1 9 c; switch 300 9 c 0 6 d
		# 5 is woken while it runs: that is no wait.
		who 1 6 d; wake 310 sched_wakeup 5 e 2
		who 2 5 e; switch 320 5 e 1 0 swapper/2
		# 4 is woken, and nothing more is heard of it.
		who 1 6 d; wake 330 sched_wakeup 4 f 3
	} >"$T/in"
	gives -- '300 ev=runq cpu=1 tid=6 comm=d dur_ns=50 why=wakeup by_tid=9 by_comm=c
330 ev=blocked cpu=2 pid=5 tid=5 comm=e dur_ns=10 state=S unfinished=1
330 ev=oncpu cpu=1 pid=6 tid=6 comm=d dur_ns=30 unfinished=1
330 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=130 state=S unfinished=1
330 ev=oncpu cpu=0 tid=8 comm=b dur_ns=130 unfinished=1
330 ev=runq cpu=1 pid=9 tid=9 comm=c dur_ns=30 why=preempt unfinished=1'
}

# state TEXT: how a thread that leaves its CPU with this prev_state goes on.
state() {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 7 a
		who 0 7 a; switch 200 7 a "$1" 0 swapper/0
		who 1 9 b; raw 300 end
	} | spans | cut -f2,8-
}
@test "every form of prev_state" {
	local form
	for form in 0 256 1024 2048 4096 TASK_RUNNING TASK_REPORT_MAX R R+; do
		[ "$(state "$form" | sed -n 1p)" = $'ev=oncpu\twhy=preempt\tnext_tid=0\tnext_comm=swapper/0' ] || { echo "$form"; false; }
		[ "$(state "$form" | sed -n 2p)" = $'ev=runq\twhy=preempt\tunfinished=1' ] || { echo "$form"; false; }
	done
	while read -r form letter; do
		[ "$(state "$form" | sed -n 1p)" = $'ev=oncpu\twhy=sleep\tnext_tid=0\tnext_comm=swapper/0' ] || { echo "$form"; false; }
		[ "$(state "$form" | sed -n 2p)" = $'ev=blocked\tstate='"$letter"$'\tunfinished=1' ] || { echo "$form"; false; }
	done <<-EOF
		1 S
		2 D
		4 T
		8 t
		64 P
		128 I
		1026 I
		258 D
		257 S
		TASK_INTERRUPTIBLE S
		TASK_UNINTERRUPTIBLE D
		TASK_UNINTERRUPTIBLE|TASK_WAKEKILL D
		D|K D
		TASK_UNINTERRUPTIBLE|TASK_NOLOAD I
		TASK_KILLABLE D
		__TASK_STOPPED T
		TASK_TRACED t
		TASK_PARKED P
		TASK_IDLE I
	EOF
	for form in 16 32 EXIT_ZOMBIE EXIT_DEAD X Z; do
		[ "$(state "$form")" = $'ev=oncpu\twhy=exit\tnext_tid=0\tnext_comm=swapper/0' ] || { echo "$form"; false; }
	done
	try spans < <(who 0 7 a; switch 100 7 a TASK_WHAT 8 b)
	expect 1 '' 'spans: stdin:1: cannot use prev_state: it is no state of a thread'
}

@test "yield: a switch within sched_yield" {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 7 a
		who 0 7 a; raw 110 syscall_entry_sched_yield; switch 120 7 a 0 8 b
		who 0 8 b; switch 130 8 b 1 7 a
		who 0 7 a; raw 140 syscall_exit_sched_yield ret=0
	} >"$T/in"
	gives -e oncpu,runq,syscall -- '120 ev=oncpu cpu=0 pid=7 tid=7 comm=a dur_ns=20 why=yield next_tid=8 next_comm=b
130 ev=oncpu cpu=0 pid=8 tid=8 comm=b dur_ns=10 why=sleep next_tid=7 next_comm=a
130 ev=runq cpu=0 pid=7 tid=7 comm=a dur_ns=10 why=yield by_tid=8 by_comm=b
140 ev=syscall cpu=0 pid=7 tid=7 comm=a name=sched_yield dur_ns=30 ret=0
140 ev=oncpu cpu=0 pid=7 tid=7 comm=a dur_ns=10 unfinished=1'
}

@test "a trace with sched_waking only; a sleep without any wakeup" {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 7 a
		who 0 7 a; switch 110 7 a 1 0 swapper/0
		who 1 9 b; wake 120 sched_waking 7 a 0
		who 0 0 swapper/0; switch 130 0 swapper/0 0 7 a
		who 0 7 a; switch 140 7 a 1 0 swapper/0
		who 1 9 b; wake 150 sched_waking 7 a 0
		who 0 0 swapper/0; switch 160 0 swapper/0 0 7 a
		who 0 7 a; switch 170 7 a 1 0 swapper/0
		who 0 0 swapper/0; switch 180 0 swapper/0 0 7 a
	} >"$T/in"
	said='spans: unpaired: 2 sleeps without wakeup'
	gives -e runq,blocked -- '130 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=20 state=S waker_tid=9 waker_comm=b
150 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=10 state=S waker_tid=9 waker_comm=b
160 ev=runq cpu=0 pid=7 tid=7 comm=a dur_ns=10 why=wakeup
180 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=10 state=S'
}

@test "system calls: pairs, and what has no partner" {
	{
		who 0 7 a
		raw 100 syscall_exit_read ret=5		# began before the trace
		raw 110 syscall_entry_write fd=1
		raw 120 syscall_exit_write ret=-9
		raw 130 syscall_entry_read fd=1		# its exit is missing
		raw 140 syscall_entry_close fd=1
		raw 150 syscall_exit_open ret=3		# neither of the two has a partner
		raw 160 compat_syscall_entry_open
		raw 170 compat_syscall_exit_open ret=4
		raw 180 syscall_entry_unknown id=158
		raw 190 syscall_exit_unknown id=158 ret=0
		raw 200 syscall_entry_unknown id=15	# rt_sigreturn: its exit is not traced
		raw 210 syscall_entry_rt_sigreturn
		raw 220 syscall_entry_poll
		who 1 8 b
		raw 230 syscall_exit_clone ret=0	# the child's return
		raw 240 syscall_exit_unknown id=435 ret=0
		raw 250 syscall_entry_futex
		who 1 9 ''
		raw 260 syscall_exit_clone ret=17
	} >"$T/in"
	said='spans: unpaired: 2 exits of system calls that began before the trace or a gap, 1 exits of system calls without entry, 2 entries of system calls without exit'
	gives -- '120 ev=syscall cpu=0 pid=7 tid=7 comm=a name=write dur_ns=10 ret=-9 fd=1 errno=EBADF
170 ev=syscall cpu=0 pid=7 tid=7 comm=a name=open dur_ns=10 ret=4 fd=4
190 ev=syscall cpu=0 pid=7 tid=7 comm=a name=unknown id=158 dur_ns=10 ret=0
260 ev=syscall cpu=0 pid=7 tid=7 comm=a name=poll dur_ns=40 unfinished=1
260 ev=syscall cpu=1 pid=8 tid=8 comm=b name=futex dur_ns=10 unfinished=1'
}

@test "interrupts nest" {
	{
		who 0 7 a
		raw 100 irq_softirq_entry vec=3
		raw 110 irq_handler_entry irq=25 name=virtio0
		raw 120 irq_handler_entry irq=4 name=ttyS0
		raw 125 sched_wakeup payload.tid=9 payload.comm=b target_cpu=0
		raw 130 irq_handler_exit irq=4 ret=1
		raw 140 irq_handler_exit irq=25 ret=0
		raw 150 irq_softirq_exit vec=3
		who 1 0 swapper/1
		raw 160 irq_softirq_exit vec=1
		raw 170 irq_softirq_entry vec=TIMER
		raw 180 irq_handler_entry irq=9 name=acpi
		raw 190 irq_softirq_exit vec=1
		raw 200 irq_softirq_entry vec=77
	} >"$T/in"
	said='spans: unpaired: 1 ends of interrupt handlers without begin, 1 begins of interrupt handlers without end'
	gives -- '130 ev=irq cpu=0 pid=7 tid=7 comm=a irq=4 name=ttyS0 dur_ns=10 ret=1
140 ev=irq cpu=0 pid=7 tid=7 comm=a irq=25 name=virtio0 dur_ns=30 ret=0
150 ev=softirq cpu=0 pid=7 tid=7 comm=a vec=3 name=NET_RX dur_ns=50
190 ev=softirq cpu=1 pid=0 tid=0 comm=swapper/1 vec=1 name=TIMER dur_ns=20
200 ev=softirq cpu=1 pid=0 tid=0 comm=swapper/1 vec=77 dur_ns=0 unfinished=1'
}

@test "the life of a process: fork, first wait, exec, exit" {
	{
		who 0 7 bash
		raw 100 sched_process_fork parent_comm=bash parent_tid=7 parent_pid=7 child_comm=bash child_tid=8 child_pid=8
		raw 110 sched_wakeup_new payload.comm=bash payload.tid=8 prio=20 target_cpu=1
		who 1 0 swapper/1; switch 130 0 swapper/1 0 8 bash
		who 1 8 bash; raw 140 syscall_exit_clone ret=0
		raw 150 syscall_entry_execve filename=/bin/ls
		who 1 8 ls; raw 170 sched_process_exec filename=/bin/ls payload.tid=8 old_tid=8
		raw 180 syscall_exit_execve ret=0
		switch 200 8 ls 256 9 x
		who 1 9 x; switch 220 9 x 1 8 ls
		who 1 8 ls; raw 230 syscall_entry_exit_group error_code=257
		raw 250 sched_process_exit payload.comm=ls payload.tid=8 prio=20
		switch 260 8 ls 32 0 swapper/1
		# The number is used again.
		who 0 7 bash
		raw 300 sched_process_fork parent_comm=bash parent_tid=7 parent_pid=7 child_comm=bash child_tid=8 child_pid=7
		who 1 8 bash; raw 310 sched_process_exit payload.comm=bash payload.tid=8 prio=20
	} >"$T/in"
	gives -- '100 ev=fork cpu=0 pid=7 tid=7 comm=bash child_pid=8 child_tid=8 child_comm=bash
130 ev=runq cpu=1 pid=8 tid=8 comm=bash dur_ns=20 why=new
170 ev=exec cpu=1 pid=8 tid=8 comm=ls path=/bin/ls
180 ev=syscall cpu=1 pid=8 tid=8 comm=ls name=execve dur_ns=30 ret=0 path=/bin/ls
200 ev=oncpu cpu=1 pid=8 tid=8 comm=ls dur_ns=70 why=preempt next_tid=9 next_comm=x
220 ev=oncpu cpu=1 pid=9 tid=9 comm=x dur_ns=20 why=sleep next_tid=8 next_comm=ls
220 ev=runq cpu=1 pid=8 tid=8 comm=ls dur_ns=20 why=preempt by_tid=9 by_comm=x
250 ev=exit cpu=1 pid=8 tid=8 comm=ls code=1 dur_ns=150 cpu_ns=100 path=/bin/ls
260 ev=oncpu cpu=1 pid=8 tid=8 comm=ls dur_ns=40 why=exit next_tid=0 next_comm=swapper/1
260 ev=syscall cpu=1 pid=8 tid=8 comm=ls name=exit_group dur_ns=30 unfinished=1
300 ev=fork cpu=0 pid=7 tid=7 comm=bash child_pid=7 child_tid=8 child_comm=bash
310 ev=exit cpu=1 pid=8 tid=8 comm=bash dur_ns=10
310 ev=blocked cpu=1 pid=9 tid=9 comm=x dur_ns=90 state=S unfinished=1'
}

@test "exec by another thread than the first gives it the number of the process" {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 8 t
		record ts=110 ev=syscall_entry_execve cpu=0 pid=7 tid=8 comm=t filename=/bin/ls
		record ts=120 ev=sched_process_exec cpu=0 pid=7 tid=7 comm=ls filename=/bin/ls payload.tid=7 old_tid=8
		record ts=130 ev=syscall_exit_execve cpu=0 pid=7 tid=7 comm=ls ret=0
		who 0 7 ls; switch 140 7 ls 1 0 swapper/0
	} >"$T/in"
	gives -- '120 ev=exec cpu=0 pid=7 tid=7 comm=ls path=/bin/ls
130 ev=syscall cpu=0 pid=7 tid=7 comm=ls name=execve dur_ns=20 ret=0 path=/bin/ls
140 ev=oncpu cpu=0 pid=7 tid=7 comm=ls dur_ns=40 why=sleep next_tid=0 next_comm=swapper/0
140 ev=blocked cpu=0 pid=7 tid=7 comm=ls dur_ns=0 state=S unfinished=1'
}

@test "loss: what could be changed by missing events is dropped, the rest goes on" {
	# At the loss, 7 runs on CPU 0 and 8 on CPU 1, both in system calls; 9 sleeps in one, 6 waits.
	{
		who 0 9 c; raw 90 syscall_entry_poll; switch 100 9 c 1 7 a
		who 1 6 d; switch 100 6 d 256 8 b
		who 0 7 a; raw 110 syscall_entry_read; raw 111 irq_handler_entry irq=1 name=x
		who 1 8 b; raw 110 syscall_entry_read; raw 111 irq_handler_entry irq=2 name=y
	} >"$T/before"
	{
		who 1 8 b; raw 220 irq_handler_exit irq=2 ret=1; raw 225 syscall_exit_read ret=1
		who 0 7 a; raw 230 irq_handler_exit irq=1 ret=1; raw 231 syscall_exit_read ret=1
		switch 240 7 a 1 9 c
		who 0 9 c; raw 245 syscall_exit_poll ret=1
		raw 246 syscall_entry_poll; raw 247 syscall_exit_poll ret=1
		who 1 8 b; switch 250 8 b 1 6 d
		who 1 6 d; switch 260 6 d 1 0 swapper/1
		who 0 9 c; switch 270 9 c 1 0 swapper/0
	} >"$T/after"
	{ cat "$T/before"; record ts=200 ev=lost cpu=0 n=5 source=ch0_0; cat "$T/after"; } >"$T/in"
	said='spans: unpaired: 2 exits of system calls that began before the trace or a gap, 1 ends of interrupt handlers without begin
spans: 5 events were lost in 1 place: what the spans tell is incomplete'
	gives -- '200 ev=lost cpu=0 n=5 source=ch0_0
220 ev=irq cpu=1 pid=8 tid=8 comm=b irq=2 name=y dur_ns=109 ret=1
225 ev=syscall cpu=1 pid=8 tid=8 comm=b name=read dur_ns=115 ret=1 bytes=1
247 ev=syscall cpu=0 pid=9 tid=9 comm=c name=poll dur_ns=1 ret=1
250 ev=oncpu cpu=1 pid=8 tid=8 comm=b dur_ns=150 why=sleep next_tid=6 next_comm=d
260 ev=oncpu cpu=1 pid=6 tid=6 comm=d dur_ns=10 why=sleep next_tid=0 next_comm=swapper/1
270 ev=oncpu cpu=0 pid=9 tid=9 comm=c dur_ns=30 why=sleep next_tid=0 next_comm=swapper/0
270 ev=blocked cpu=1 pid=6 tid=6 comm=d dur_ns=10 state=S unfinished=1
270 ev=blocked cpu=0 pid=7 tid=7 comm=a dur_ns=30 state=S unfinished=1
270 ev=blocked cpu=1 pid=8 tid=8 comm=b dur_ns=20 state=S unfinished=1
270 ev=blocked cpu=0 pid=9 tid=9 comm=c dur_ns=0 state=S unfinished=1'
	# A gap up to 245: what begins on CPU 0, or off the CPUs, before that is not known either.
	{ cat "$T/before"; record ts=200 ev=lost cpu=0 n=5 source=ch0_0 first_ts=200 last_ts=245; cat "$T/after"; } >"$T/in"
	said='spans: unpaired: 2 exits of system calls that began before the trace or a gap
spans: 5 events were lost in 1 place: what the spans tell is incomplete'
	gives -- '200 ev=lost cpu=0 n=5 source=ch0_0 first_ts=200 last_ts=245
220 ev=irq cpu=1 pid=8 tid=8 comm=b irq=2 name=y dur_ns=109 ret=1
225 ev=syscall cpu=1 pid=8 tid=8 comm=b name=read dur_ns=115 ret=1 bytes=1
247 ev=syscall cpu=0 pid=9 tid=9 comm=c name=poll dur_ns=1 ret=1
250 ev=oncpu cpu=1 pid=8 tid=8 comm=b dur_ns=150 why=sleep next_tid=6 next_comm=d
260 ev=oncpu cpu=1 pid=6 tid=6 comm=d dur_ns=10 why=sleep next_tid=0 next_comm=swapper/1
270 ev=blocked cpu=1 pid=6 tid=6 comm=d dur_ns=10 state=S unfinished=1
270 ev=blocked cpu=1 pid=8 tid=8 comm=b dur_ns=20 state=S unfinished=1
270 ev=blocked cpu=0 pid=9 tid=9 comm=c dur_ns=0 state=S unfinished=1'
	# No CPU is named: nothing goes on.
	{ cat "$T/before"; record ts=200 ev=lost n=? source=x last_ts=300; cat "$T/after"; } >"$T/in"
	said='spans: unpaired: 3 exits of system calls that began before the trace or a gap
spans: an unknown number of events was lost in 1 place: what the spans tell is incomplete'
	said=${said/3 exits/4 exits}
	gives -- '200 ev=lost n=? source=x last_ts=300'
	want_status=3
	gives --strict -- '200 ev=lost n=? source=x last_ts=300'
}

@test "events that contradict each other: nothing is made of them, and they are counted" {
	{
		who 0 0 swapper/0; switch 100 0 swapper/0 0 7 a
		# The switch from 7 to 8 is missing, and so is the loss of it.
		who 0 8 b; switch 200 8 b 1 9 c
		who 1 0 swapper/1; switch 210 0 swapper/1 0 9 c
		who 1 9 c; switch 220 9 c 1 0 swapper/1
		who 0 0 swapper/0; switch 190 0 swapper/0 0 9 c
	} >"$T/in"
	said='spans: unpaired: 1 sleeps without wakeup, 3 events that contradict earlier ones'
	gives -- '220 ev=oncpu cpu=1 pid=9 tid=9 comm=c dur_ns=10 why=sleep next_tid=0 next_comm=swapper/1
220 ev=blocked cpu=0 pid=8 tid=8 comm=b dur_ns=20 state=S unfinished=1
220 ev=oncpu cpu=0 pid=9 tid=9 comm=c dur_ns=30 unfinished=1'
}

@test "records that are not what they should be: status 1, the first is named" {
	{ who 0 7 a; raw 100 sched_switch prev_tid=7 prev_state=0; raw 110 irq_softirq_entry vec=what
	  raw 120 syscall_entry_read; raw 130 syscall_exit_read ret=1; record ts=x ev=sched_switch; record ts=1 x=1; } >"$T/in"
	want_status=1
	said="spans: $T/in:1: cannot use next_tid: the record has none
spans: unpaired: 3 more records that are wrong"
	gives -- '130 ev=syscall cpu=0 pid=7 tid=7 comm=a name=read dur_ns=10 ret=1 bytes=1'
	record ts=1 ev=sched_switch cpu=9999999 tid=0 prev_tid=1 prev_state=0 next_tid=2 >"$T/in"
	said="spans: $T/in:1: cannot use cpu: there are at most 8192 CPUs"
	gives -- ''
}

@test "spans pass unchanged at their place; raw records with --keep; -e chooses" {
	{
		record ts=1 ev=http url=x dur_ns=1
		who 0 7 a; raw 2 syscall_entry_read; raw 3 some_event x='a\tb'
		record ts=3 ev=oncpu pid=1 dur_ns=1 why=odd
		raw 4 syscall_exit_read ret=1
	} >"$T/in"
	gives -- '1 ev=http url=x dur_ns=1
3 ev=oncpu pid=1 dur_ns=1 why=odd
4 ev=syscall cpu=0 pid=7 tid=7 comm=a name=read dur_ns=2 ret=1 bytes=1'
	gives -e irq -- '1 ev=http url=x dur_ns=1
3 ev=oncpu pid=1 dur_ns=1 why=odd'
	spans --keep "$T/in" | sed '$d' | cmp - "$T/in"
	spans "$T/in" | spans | cmp - <(spans "$T/in")
	try spans -e oncpu,what "$T/in"
	expect 2 '' "spans: cannot make spans 'what': there are oncpu,runq,blocked,syscall,irq,softirq,block,fork,exec,exit; see 'spans --help'"
}

@test "names of any bytes pass as they are, long ones are cut at 63 bytes, not within an escape" {
	local long
	long=$(printf 'x%.0s' {1..61})'\x1b'
	{ who 0 7 'a\tb\x1b\\c'; raw 1 syscall_entry_read; raw 2 syscall_exit_read ret=1
	  who 0 8 "$long"; raw 3 syscall_entry_read; raw 4 syscall_exit_read ret=1; } >"$T/in"
	try spans "$T/in"
	expect 0 $'ts=2\tev=syscall\tcpu=0\tpid=7\ttid=7\tcomm=a\\tb\\x1b\\\\c\tname=read\tdur_ns=1\tret=1\tbytes=1\nts=4\tev=syscall\tcpu=0\tpid=8\ttid=8\tcomm='"${long%????}"$'\tname=read\tdur_ns=1\tret=1\tbytes=1' ''
}

@test "more threads than are remembered: the oldest are forgotten, and it is said" {
	seq 300000 | awk '{ printf "ts=%d\tev=syscall_entry_read\tcpu=0\tpid=%d\ttid=%d\tcomm=x\n", $1, $1, $1 }
		END { for (t = 300000; t > 299990; t--) printf "ts=%d\tev=syscall_exit_read\tcpu=0\ttid=%d\tret=1\n", 600000 - t, t }' >"$T/in"
	spans "$T/in" >"$T/out" 2>"$T/err"
	[ "$(grep -c 'name=read.*ret=1' "$T/out")" = 10 ]
	[[ $(cat "$T/err") == 'spans: unpaired: '*' threads too many, and forgotten' ]]
	gone=$(sed -E 's/.*: ([0-9]+) threads.*/\1/' "$T/err")
	[ "$(grep -c unfinished=1 "$T/out")" = $((300000 - 10 - gone)) ]
	[ $((300000 - gone)) -le 262144 ]
}

# law: reads the output of spans --keep; checks that the stretches of each thread join from its first state
# change to its exit or the end of the trace, to the nanosecond, and that exit's cpu_ns is their sum.
law() {
	python3 -c '
import sys
end, first, cpu, born, exits, n, breaks, last, running = {}, {}, {}, {}, {}, 0, 0, 0, 0
for line in sys.stdin.buffer:
	f = dict(x.split(b"=", 1) for x in line.rstrip(b"\n").split(b"\t"))
	ev, ts, t = f[b"ev"], int(f[b"ts"]), f.get(b"tid")
	last = max(last, ts)
	if ev == b"sched_wakeup_new":
		born[f[b"payload.tid"]] = ts
		end.pop(f[b"payload.tid"], None)
	if ev == b"exit" and b"cpu_ns" in f:
		exits[t] = ts, int(f[b"cpu_ns"])
	if ev not in (b"oncpu", b"runq", b"blocked"):
		continue
	start, n = ts - int(f[b"dur_ns"]), n + 1
	if t in born and t not in end and start != born.pop(t):
		breaks += 1
	if end.get(t, start) != start:
		breaks += 1
		print("break", t, end[t], line)
	end[t] = ts
	if ev == b"oncpu":
		if t in exits:
			when, told = exits.pop(t)
			running += 1
			if cpu.get(t, 0) + when - start != told:
				breaks += 1
				print("cpu_ns", t, cpu.get(t, 0) + when - start, told)
		cpu[t] = cpu.get(t, 0) + ts - start
		if f.get(b"why") == b"exit":
			end.pop(t)
			cpu.pop(t)
if any(x != last for x in end.values()):
	breaks += 1
	print("a thread ends before the trace does")
print("%d stretches, %d threads to the end, %d exits, %d breaks" % (n, len(end), running, breaks))'
}

@test "the law: a thread runs, waits or sleeps, and the three make up its life, to the nanosecond" {
	need python3 lttng-convert
	need_trace contend
	lttng-convert "$trace/trace" | spans --keep >"$T/out"
	[ "$(law <"$T/out")" = '3672 stretches, 19 threads to the end, 10 exits, 0 breaks' ]
	need_trace postgres
	lttng-convert "$trace/trace" | spans --keep >"$T/out"
	[ "$(law <"$T/out")" = '37184 stretches, 26 threads to the end, 30 exits, 0 breaks' ]
}

@test "the kernel's own counters agree: switches exactly, run and wait times within bounds" {
	need python3 lttng-convert
	local name found=
	for name in contend postgres redis nginx; do
		trace=$(trace "$name") || continue
		lttng-convert "$trace/trace" 2>/dev/null | spans 2>/dev/null | "$TESTS/spans-oracle" "$trace"
		found+=" $name"
	done
	[[ $found == *contend* ]]
}

@test "babeltrace2 and awk agree on every system call's count and time" {
	need babeltrace2 awk lttng-convert
	need_trace postgres
	lttng-convert "$trace/trace" | spans -e syscall 2>/dev/null | sed '/unfinished=1/d; s/^ts=....//' |
		awk -F'[\t=]' '{ n[$13]++; for (i = 14; i < NF; i += 2) if ($i == "dur_ns") sum[$13] += $(i + 1) }
			END { for (k in n) print k, n[k], sum[k] }' | sort >"$T/got"
	babeltrace2 --clock-seconds --no-delta "$trace/trace" 2>/dev/null | sed -nE \
		's/^\[....([0-9]+)\.([0-9]+)\] [^ ]+ syscall_(entry|exit)_([^:]*): .* tid = ([0-9]+).*/\1\2 \3 \4 \5/p' |
		awk '$2 == "entry" { at[$4] = $1; name[$4] = $3; next }
			$4 in at && name[$4] == $3 { n[$3]++; sum[$3] += $1 - at[$4] } { delete at[$4] }
			END { for (k in n) print k, n[k], sum[k] }' | sort >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 50 ]
	diff "$T/want" "$T/got"
}

@test "babeltrace2 and awk agree on interrupts, and on the time each CPU was not idle" {
	need babeltrace2 awk lttng-convert
	need_trace contend
	lttng-convert "$trace/trace" | spans -e irq,softirq,oncpu 2>/dev/null >"$T/out"
	{
		awk -F'[\t=]' '$4 ~ /irq/ { n[$4]++; for (i = 5; i < NF; i += 2) if ($i == "dur_ns") sum[$4] += $(i + 1) }
			END { for (k in n) print k, n[k], sum[k] }' "$T/out"
		awk -F'[\t=]' '$4 == "oncpu" { for (i = 5; i < NF; i += 2) if ($i == "dur_ns") sum[$6] += $(i + 1) }
			END { for (k in sum) print "busy", k, sum[k] }' "$T/out"
	} | sort >"$T/got"
	babeltrace2 --clock-seconds --no-delta "$trace/trace" 2>/dev/null | sed -nE \
		-e 's/^\[....([0-9]+)\.([0-9]+)\] [^ ]+ irq_(softirq|handler)_(entry|exit): \{ cpu_id = ([0-9]+).*/\1\2 \3 \4 \5/p' \
		-e 's/^\[....([0-9]+)\.([0-9]+)\] [^ ]+ sched_switch: \{ cpu_id = ([0-9]+).* prev_tid = ([0-9]+).* next_tid = ([0-9]+).*/\1\2 switch \3 \4 \5/p' \
		-e '$s/^\[....([0-9]+)\.([0-9]+)\].*/\1\2 end/p' |
		awk '$2 == "softirq" || $2 == "handler" {
				k = $2 == "handler" ? "irq" : "softirq"
				if ($3 == "entry") at[k, $4] = $1
				else if ((k, $4) in at) { n[k]++; sum[k] += $1 - at[k, $4]; delete at[k, $4] }
			}
			$2 == "switch" { if (since[$3]) busy[$3] += $1 - since[$3]; since[$3] = $5 ? $1 : 0; cpus[$3] }
			END { for (c in cpus) print "busy", c, busy[c] + (since[c] ? $1 - since[c] : 0)
				for (k in n) print k, n[k], sum[k] }' | sort >"$T/want"
	[ "$(wc -l <"$T/want")" = 4 ]
	diff "$T/want" "$T/got"
}

@test "no span covers a gap that may hold its missing events" {
	need python3 lttng-convert
	need_trace tinybuf
	lttng-convert "$trace/trace" 2>/dev/null | spans 2>/dev/null >"$T/out"
	try python3 -c '
import sys
gaps, bad, n = [], [], {}
records = [dict(x.split(b"=", 1) for x in line.rstrip(b"\n").split(b"\t")) for line in open(sys.argv[1], "rb")]
for f in records:
	if f[b"ev"] == b"lost":
		gaps.append((f[b"cpu"], int(f[b"first_ts"]), int(f[b"last_ts"])))
for f in records:
	ev = f[b"ev"]
	if ev in (b"lost", b"exit") or b"dur_ns" not in f:
		continue
	n[ev] = n.get(ev, 0) + 1
	last = int(f[b"ts"])
	first = last - int(f[b"dur_ns"])
	# Off the CPUs, a gap anywhere counts; on one, or in a call, a gap there.
	bad += [f for cpu, a, b in gaps if first < b and last > a and (cpu == f[b"cpu"] or ev in (b"runq", b"blocked"))]
print(len(gaps) > 100, all(n.get(e, 0) > 50 for e in (b"oncpu", b"runq", b"blocked", b"syscall", b"irq", b"softirq")), bad)' "$T/out"
	expect 0 'True True []' ''
}

# with_gaps SEED FILE: the raw records with 60 gaps at random places on either CPU; most of what lies in a gap
# is gone, and ev=lost is there instead.
with_gaps() {
	python3 -c '
import random, sys
random.seed(int(sys.argv[1]))
lines = open(sys.argv[2], "rb").readlines()
first, last = (int(line[3:22]) for line in (lines[0], lines[-1]))
starts = sorted(random.randrange(first, last) for _ in range(60))
gaps = [(a, a + int(random.expovariate(1 / 3e6)), random.choice((b"0", b"1"))) for a in starts]
begun = []
for line in lines:
	ts, cpu = int(line[3:22]), line.split(b"\t", 3)[2][4:]
	while gaps and gaps[0][0] <= ts:
		begun.append(gaps.pop(0))
		a, b, c = begun[-1]
		sys.stdout.buffer.write(b"ts=%d\tev=lost\tcpu=%s\tn=?\tsource=x\tfirst_ts=%d\tlast_ts=%d\n" % (a, c, a, b))
	if not any(c == cpu and ts <= b for _, b, c in begun) or random.random() < 0.3:
		sys.stdout.buffer.write(line)' "$@"
}

@test "whatever is lost, and wherever: a span that is still made is one that is made without the loss" {
	need python3 lttng-convert
	need_trace contend
	lttng-convert "$trace/trace" >"$T/whole"
	for form in whole bare; do
		# bare: as a trace without contexts; then pids, wakers and the threads of handlers may be unknown.
		sed -E 's/\tpid=[0-9]*\ttid=[0-9]*\tcomm=[^\t]*//' "$T/whole" >"$T/bare"
		for seed in 1 2 3; do
			with_gaps "$seed" "$T/$form" >"$T/holes"
			for f in "$form" holes; do
				spans "$T/$f" 2>/dev/null | grep -vE 'ev=(lost|fork|exec|exit)|unfinished=1' |
					sed -E '/ev=((soft)?irq|block)/s/\t(tid|comm)=[^\t]*//g; s/\t(pid|waker_[a-z]*)=[^\t]*//g; s/=pipe:[0-9]+/=pipe:/' |
					sort >"$T/$f.spans"
			done
			# What a descriptor stands for may be unknown after a gap, or be known as a socket only; it is nothing else.
			{
				sed -n '/ev=syscall/s/\tpath=[^\t]*//p' "$T/$form.spans"
				sed -nE '/ev=syscall/s/\tpath=(tcp|udp|unix|netlink):[^\t]*/\tpath=socket:/p' "$T/$form.spans"
			} | sort - "$T/$form.spans" >"$T/may.spans"
			[ "$(wc -l <"$T/holes.spans")" -gt 15000 ]
			[ "$(wc -l <"$T/holes.spans")" -lt "$(wc -l <"$T/$form.spans")" ]
			[ -z "$(comm -13 "$T/may.spans" "$T/holes.spans")" ] ||
				{ comm -13 "$T/may.spans" "$T/holes.spans" | head -5; false; }
		done
	done
}
