#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

@test "stacks of records are counted, or weighed exactly, below their comm" {
	{
		record ts=1 ev=cpu pid=1 comm=a dur_ns=1499 'stack=main;f'
		record ts=2 ev=cpu pid=1 comm=b dur_ns=1 'stack=main;f'
		record ts=3 ev=cpu pid=1 comm=a dur_ns=1001 'stack=main;f'
		record ts=4 ev=cpu pid=2 comm=a dur_ns=700 'stack=main'
	} >"$T/in"
	try fold-stacks "$T/in"
	expect 0 $'a;main 1\na;main;f 2\nb;main;f 1' ''
	# The sum of a;main;f is 2500 ns: rounded once, not 1 and 1.
	try fold-stacks -w dur_ns "$T/in"
	expect 0 $'a;main 1\na;main;f 3' 'fold-stacks: left out 1 of 3 stacks that weigh less than half a unit (-u ns has them)'
	try fold-stacks -w dur_ns -u ns -g '' "$T/in"
	expect 0 $'main 700\nmain;f 2501' ''
	try fold-stacks -g pid,comm "$T/in"
	expect 0 $'pid=1;a;main;f 2\npid=1;b;main;f 1\npid=2;a;main 1' ''
	try fold-stacks -w pid "$T/in"
	expect 0 $'a;main 2\na;main;f 2\nb;main;f 1' ''
}

@test "sums beyond 64 bits are whole" {
	{
		record ts=1 ev=cpu n=18446744073709551615 stack=f
		record ts=2 ev=cpu n=18446744073709551615 stack=f
	} >"$T/in"
	try fold-stacks -w n "$T/in"
	expect 0 '-;f 36893488147419103230' ''
}

@test "what cannot be folded is counted, and said why" {
	{
		record ts=1 ev=cpu comm=a dur_ns=5 stack=f
		record ts=2 ev=cpu comm=a stack=f
		record ts=3 ev=cpu comm=a dur_ns=1.5 stack=f
		record ts=4 ev=cpu comm=a dur_ns=-1 stack=f
		record ts=5 ev=cpu comm=a dur_ns=1
	} >"$T/in"
	try fold-stacks -u ns -w dur_ns "$T/in"
	expect 0 'a;f 5' "fold-stacks: refused 2 of 5 records: what is to weigh it is no whole number from 0 up (first $T/in:3)
fold-stacks: refused 1 of 5 records: it lacks the field to weigh it by (first $T/in:2)
fold-stacks: refused 1 of 5 records: it has no stack (first $T/in:5)"
	printf 'a;b 3\nno number\na;b 1.5\na -4\n7\n\na;b 4' >"$T/in"
	try fold-stacks "$T/in"
	[ "$status" = 1 ] && [ "$out" = 'a;b 7' ]
	[ "$err" = "fold-stacks: refused 1 of 7 lines: it does not end in a number (first $T/in:2)
fold-stacks: refused 1 of 7 lines: its number is not whole, or beyond 64 bits (first $T/in:3)
fold-stacks: refused 1 of 7 lines: its number is below 0 (first $T/in:4)
fold-stacks: refused 1 of 7 lines: there is no stack before the number (first $T/in:5)
fold-stacks: refused 1 of 7 lines: it is empty (first $T/in:6)" ] || { echo "$err"; false; }
	try fold-stacks <<<'this is nothing'
	expect 1 '' "fold-stacks: cannot tell what stdin is: neither records, perf script's text nor folded stacks (--from)"
}

@test "loss is said" {
	{ record ts=1 ev=cpu comm=a stack=f; record ts=2 ev=lost n=3 source=x; } >"$T/in"
	try fold-stacks --strict "$T/in"
	expect 3 'a;f 1' 'fold-stacks: 3 events were lost in 1 place: what the stacks tell is incomplete'
}

@test "frames with ; spaces, backslashes and controls: every reader finds the same, and they come back" {
	# The frames: operator new(unsigned long) | a;b | App\Foo | \x41 \x20 as text | ESC TAB | bytes that are no UTF-8
	printf '%s\n' 'ts=1	ev=cpu	comm=my prog	stack=operator new(unsigned long);a\\x3bb;App\\Foo;\\x41;\x1b\t;'$'\xff\xc3' >"$T/in"
	try fold-stacks "$T/in"
	expect 0 'my\x20prog;operator\x20new(unsigned\x20long);a\x3bb;App\Foo;\x41;\x1b\x09;'$'\xff\xc3'' 1' ''
	cp "$T/try.out" "$T/folded"
	# Two words on the line, six frames and the comm.
	[ "$(awk '{ print NF, split($1, f, ";") }' "$T/folded")" = '2 7' ]
	fold-stacks --unfold "$T/folded" >"$T/again"
	[ "$(cut -f3- "$T/again")" = "$(sed 's/\tstack=/\tweight=1\tstack=/' "$T/in" | cut -f3-)" ]
	fold-stacks -w weight "$T/again" | cmp - "$T/folded"
	# A producer that let the record's escape alone hide the semicolon means the same.
	record ts=1 ev=cpu comm=c 'stack=x\x3by;z' | fold-stacks | grep -Fx 'c;x\x3by;z 1'
}

@test "a frame with ; survives a filter that undoes escapes and writes them anew" {
	record ts=1 ev=cpu comm=c 'stack=<[T\\x3b 4]>::f;z' >"$T/in"
	to-sqlite "$T/db" <"$T/in"
	from-sqlite "$T/db" 'select ts, ev, comm, stack from cpu' >"$T/again"
	diff "$T/in" "$T/again"
	fold-stacks "$T/again" | grep -Fx 'c;<[T\x3b\x204]>::f;z 1'
	fold-stacks "$T/in" | fold-stacks --unfold | grep -Fx "$(cut -f2,3 "$T/in" | sed 's/^/ts=0\t/; s/$/\tweight=1/')	$(cut -f4 "$T/in")"
}

@test "any frames survive folding and unfolding (generated, seed 7)" {
	need python3
	python3 - "$T" <<-'E'
	import random, sys
	random.seed(7)
	def frame():
	    return bytes(random.choice(b"ab \\x3b;20c5\t\x1b\x7f\xc3\xa4'<") for _ in range(random.randint(1, 9)))
	def put(b):  # as a folded stack: each byte that matters as \xHH
	    return b"".join(b"\\x%02x" % c if c <= 32 or c in b";\x7f\\" else bytes([c]) for c in b)
	with open(sys.argv[1] + "/in", "wb") as f:
	    for n in range(3000):
	        f.write(b";".join(put(frame()) for _ in range(random.randint(2, 6))) + b" %d\n" % random.randint(1, 9))
	E
	fold-stacks "$T/in" >"$T/folded"
	fold-stacks --unfold "$T/folded" | fold-stacks -w weight | cmp - "$T/folded"
	LC_ALL=C sort -c "$T/folded"
	[ "$(awk '{ s += $NF } END { print s }' "$T/folded")" = "$(awk '{ s += $NF } END { print s }' "$T/in")" ]
	[ "$(awk '{ print $1 }' "$T/folded" | sort | uniq -d)" = '' ]
}

@test "perf script's text: another folding of the same samples agrees" {
	need python3
	for options in '' '-g comm,event' '-w period -g comm,event'; do
		# shellcheck disable=SC2086
		fold-stacks $options "$TESTS/data/perf-script.txt" >"$T/got" 2>"$T/err"
		"$TESTS/fold-perf-oracle" ${options:+event} ${options:+$([[ $options != -w* ]] || echo period)} \
			<"$TESTS/data/perf-script.txt" | sort >"$T/want"
		[ -s "$T/want" ]
		cmp "$T/got" "$T/want"
	done
	try fold-stacks "$TESTS/data/perf-script.txt"
	[ "$status" = 0 ] && [ "$err" = 'fold-stacks: samples of 2 events are counted together: -g event,comm keeps them apart' ]
	fold-stacks --unfold "$TESTS/data/perf-script.txt" | fold-stacks -w weight >"$T/got"
	fold-stacks -w period "$TESTS/data/perf-script.txt" 2>/dev/null | cmp - "$T/got"
}

# sums FILE: folded stacks as FlameGraph's stackcollapse-perf.pl or perf's stackcollapse.py name frames, in order.
sums() {
	python3 - "$@" <<-'E'
	import collections, re, sys
	file, which = sys.argv[1:]
	sums = collections.Counter()
	for line in open(file):
	    stack, n = line.rsplit(" ", 1)
	    comm, *frames = stack.split(";")
	    frames = [re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), f) for f in [comm] + frames]
	    comm, *frames = [f.replace(";", ":") for f in frames]
	    if which == "perf":  # it does not name the module
	        frames = ["[unknown]" if f[:1] == "[" else f for f in frames]
	    else:
	        frames = [re.sub(r"\((?!anonymous namespace\)).*", "", f).translate(dict.fromkeys(map(ord, "'\""))) for f in frames]
	    sums[";".join([comm.replace(" ", "_")] + frames)] += int(n)
	for stack in sorted(sums):
	    print(stack, sums[stack])
	E
}

@test "perf's own stackcollapse counts the same, of a recording made now" {
	need perf python3
	perf version --build-options 2>&1 | grep -q 'libpython: \[ on' || skip 'perf has no Python here'
	perf record -q -F 4999 -g -o "$T/data" python3 -c 'sum(i * i for i in range(2000000))' 2>"$T/err" ||
		skip "perf cannot record here: $(head -1 "$T/err")"
	perf script --no-inline -i "$T/data" 2>/dev/null | fold-stacks >"$T/ours"
	sums "$T/ours" perf >"$T/got"
	script=$(find /usr/lib* /usr/libexec -path '*perf*/scripts/python/stackcollapse.py' 2>/dev/null | head -n 1)
	[ -n "$script" ] || skip "perf's stackcollapse.py is not here"
	perf script --no-inline -s "$script" -i "$T/data" >"$T/theirs" 2>/dev/null
	sums "$T/theirs" perf >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 10 ]
	diff "$T/got" "$T/want"
}

@test "FlameGraph's stackcollapse-perf.pl counts the same" {
	need perl python3
	script=${FLAMEGRAPH:-}/stackcollapse-perf.pl
	[ -f "$script" ] || script=$(command -v stackcollapse-perf.pl) ||
		skip 'stackcollapse-perf.pl is not installed (FLAMEGRAPH=DIRECTORY)'
	# Its versions differ in what they count where samples have periods, or are of several events; none of them
	# understands a process whose name is one letter, or has a number in it.
	sed -E '/^[^[:space:]#]/s/: +[0-9]+ +[a-z-]+: *$/: cycles: /; s/^([a-z]) +[0-9]/\1\1 1/; s/; 12 man/ man/' \
		"$TESTS/data/perf-script.txt" >"$T/in"
	fold-stacks "$T/in" >"$T/ours"
	sums "$T/ours" perl >"$T/got"
	perl "$script" "$T/in" >"$T/theirs"
	sums "$T/theirs" perl >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 10 ]
	diff "$T/got" "$T/want"
}

@test "perf script's text in all its forms" {
	cat >"$T/in" <<-'E'
	# a comment
	my prog 12  123/456   [007] 4359.637245:  250000 cycles:ppp:
	        55d0c8a41170 std::map<int, long>::operator()(int) const+0x2f0 (/opt/a b (1)/x.so (deleted))
	            2724a [unknown] (/usr/lib/libc.so.6)
	            2724b [unknown] ([unknown])
	 ffffffff81000000 do_it+0x10 ([kernel.kallsyms])
	 ffffffffc0000000 helper ([nf_nat])
	            1000 inner (inlined)
	            1000 LFunction:~foo /tmp/a.js:3 (/tmp/perf-123.map)

	x 9 [001] 1.5: sched:sched_switch: prev_comm=a (b) ==> next_comm=c
	            4004f6 leaf+0x6 (/bin/x)

	single 7 2.000001: 1 faults: 4004f6 only+0x6 (/bin/x)
	bare 8 3.0: 1 faults: 

	what is this
	   zz no address (x)
	E
	try fold-stacks --kinds -g comm,tid,cpu,event "$T/in"
	[ "$status" = 1 ]
	diff - "$T/try.out" <<-'E'
	my\x20prog\x2012;tid=456;cpu=7;event=cycles;LFunction:~foo\x20/tmp/a.js:3_[j];inner_[i];helper_[k];do_it_[k];[unknown];[libc.so.6];std::map<int,\x20long>::operator()(int)\x20const 1
	single;tid=7;cpu=-;event=faults;only 1
	x;tid=9;cpu=1;event=sched:sched_switch;leaf 1
	E
	[ "$err" = "fold-stacks: 1 samples have no stack, and are left out (perf record -g)
fold-stacks: refused 2 of 18 lines: it is not the beginning of a sample (first $T/in:17)" ] || { echo "$err"; false; }
	try fold-stacks --from perf -w dur_ns "$T/in"
	[ "$status" = 2 ] && [[ $err == *"perf script's text has period"* ]]
}

@test "functions that LTTng traced: exact times of each call path and thread" {
	ev() { record "ts=$1" "ev=lttng_ust_cyg_profile$2" vpid=9 "vtid=$3" procname=p "${@:4}"; }
	{
		ev 1000 :func_entry 1 addr=0x10 call_site=0x1	# f: 1000..9000
		ev 2000 :func_entry 1 addr=0x20 call_site=0x1	# g: 2000..5000
		ev 2500 :func_entry 2 addr=0x20 call_site=0x1	# another thread's g: 2500..2750
		ev 2750 :func_exit 2 addr=0x20 call_site=0x1
		ev 5000 :func_exit 1 addr=0x20 call_site=0x1
		ev 6000 _fast:func_entry 1 addr=0x20		# g again: 6000..6001
		ev 6001 _fast:func_exit 1
		ev 9000 :func_exit 1 addr=0x10 call_site=0x1
		ev 9500 :func_exit 1 addr=0x77 call_site=0x1	# entered before the trace
	} >"$T/in"
	try fold-stacks -u ns "$T/in"
	[ "$status" = 0 ]
	[ "$out" = $'p;[unmapped+0x10] 4999\np;[unmapped+0x10];[unmapped+0x20] 3001\np;[unmapped+0x20] 250' ] || { echo "$out"; false; }
	[[ $err == 'fold-stacks: 1 exits of functions that were entered before the trace or a gap'* ]]
	try fold-stacks -w count "$T/in"
	[ "$out" = $'p;[unmapped+0x10] 1\np;[unmapped+0x10];[unmapped+0x20] 2\np;[unmapped+0x20] 1' ]
	# Nothing is known across a loss: f's time after it is not its own.
	{ head -n 2 "$T/in"; record ts=3000 ev=lost n=1 source=x; tail -n +5 "$T/in"; } >"$T/lossy"
	try fold-stacks -u ns "$T/lossy"
	[ "$out" = $'p;[unmapped+0x10] 1000\np;[unmapped+0x20] 1' ] || { echo "$out"; false; }
	# Nor of calls that begin in a gap: here g of thread 1, and all of thread 2's.
	{ head -n 1 "$T/in"; record ts=1500 ev=lost n=1 source=x first_ts=1500 last_ts=2600; sed 1d "$T/in"; } >"$T/lossy"
	try fold-stacks -u ns "$T/lossy"
	[ "$out" = 'p;[unmapped+0x20] 1' ] || { echo "$out"; false; }
	# A jump out of g and f's end: the exit of f ends both.
	{ head -n 2 "$T/in"; tail -n 2 "$T/in" | head -n 1; } >"$T/jump"
	try fold-stacks -u ns "$T/jump"
	[ "$out" = $'p;[unmapped+0x10] 1000\np;[unmapped+0x10];[unmapped+0x20] 7000' ]
}

@test "addresses of LTTng's contexts, of a program and of the kernel" {
	need nm "${CC:-cc}"
	cat >"$T/p.c" <<-'E'
	int leaf(int n) { return n + 1; }
	int root(int n) { return leaf(n) + 1; }
	int main(void) { return root(1); }
	E
	"${CC:-cc}" -O0 -no-pie -o "$T/p" "$T/p.c"
	at() { printf '0x%x' $((0x$(nm "$T/p" | awk -v f="$1" '$3 == f { print $1 }') + 5)); }
	printf '%s\n' 'ffffffff81000000 T entry' 'ffffffff81001000 T schedule' 'ffffffffc0001000 t __event_probe__sched_switch	[lttng_probe_sched]' \
		'ffffffffc0002000 t lttng_event_reserve	[lttng_ring]' 'ffffffffc0003000 t end	[x]' | gzip >"$T/kallsyms.gz"
	{
		record ts=1 ev=sched_switch pid=7 comm=p callstack_user.0="$(at leaf)" callstack_user.1="$(at root)" \
			callstack_user.2="$(at main)" callstack_kernel.0=0xffffffffc0002010 callstack_kernel.1=0xffffffffc0001010 \
			callstack_kernel.2=0xffffffff81001010 callstack_kernel.3=0xffffffff81000010 prev_tid=7
		record ts=2 ev=sched_switch pid=8 comm=q callstack_user.0="$(at leaf)" callstack_kernel=
		record ts=3 ev=blocked pid=7 comm=p "ustack=$(at main);$(at leaf)" kstack=0xffffffff81000010
		record ts=4 ev=sched_switch pid=0 comm=swapper/0 callstack_user= callstack_kernel=
	} >"$T/in"
	try fold-stacks --elf "7=$T/p" --kallsyms "$T/kallsyms.gz" "$T/in"
	[ "$out" = $'p;main;leaf;entry 1\np;main;root;leaf;entry;schedule 1\nq;[unmapped+'"$(at leaf)"'] 1' ] || { echo "$out"; false; }
	[[ $err == *'refused 1 of 4 records: it has no stack'* ]]
	try fold-stacks --elf "p=$T/p" --elf "$T/p" "$T/in"
	[[ $out == *'q;leaf 1'* ]] && [[ $out == *'p;main;leaf;[kernel+0xffffffff81000010] 1'* ]]
}

@test "spans carries the stack of a switch to the sleep that it begins" {
	{
		record ts=1000 ev=sched_switch cpu=0 pid=7 tid=7 comm=p callstack_user.0=0x1 callstack_user.1=0x2 \
			callstack_kernel.0=0xf prev_comm=p prev_tid=7 prev_state=1 next_comm=q next_tid=8
		record ts=3000 ev=sched_wakeup cpu=0 pid=8 tid=8 comm=q payload.comm=p payload.tid=7 target_cpu=0
		record ts=4000 ev=sched_switch cpu=0 pid=8 tid=8 comm=q callstack_user.0=0x3 prev_comm=q prev_tid=8 prev_state=0 \
			next_comm=p next_tid=7
		record ts=5000 ev=sched_switch cpu=0 pid=7 tid=7 comm=p stack='a;b' prev_comm=p prev_tid=7 prev_state=1 \
			next_comm=q next_tid=8
		record ts=6000 ev=sched_wakeup cpu=0 pid=8 tid=8 comm=q payload.comm=p payload.tid=7 target_cpu=0
	} | spans -e blocked >"$T/got"
	[ "$(grep -c . "$T/got")" = 2 ]
	[[ $(sed -n 1p "$T/got") == *$'\tdur_ns=2000\t'*$'\tustack=0x2;0x1\tkstack=0xf' ]]
	[[ $(sed -n 2p "$T/got") == *$'\tdur_ns=1000\t'*$'\tstack=a;b' ]]
}

@test "the callstack trace: where contend's workers slept, by name" {
	need_trace callstack
	symbols=$WEIR_TRACES/kallsyms.gz
	[ -f "$symbols" ] || skip "kallsyms.gz is not beside the traces"
	lttng-convert "$trace/trace" | spans -e blocked >"$T/spans" 2>/dev/null
	fold-stacks -w dur_ns -u ns --elf "$trace/truth/contend.elf" --kallsyms "$symbols" "$T/spans" >"$T/folded" 2>/dev/null
	grep -q '^worker-3;start_thread;worker;unit;__lll_lock_wait;entry_SYSCALL_64_after_hwframe;do_syscall_64;__x64_sys_futex;.*;schedule;__schedule ' "$T/folded"
	grep -q '^worker-0;start_thread;worker;unit;clock_nanosleep;' "$T/folded"
	run ! grep -q lttng_callstack "$T/folded"
	# Nothing is added and nothing lost.
	[ "$(awk '{ s += $NF } END { printf "%.0f", s }' "$T/folded")" = \
		"$(grep -E 'ustack=|kstack=' "$T/spans" | awk -F'\t' '{ for (i = 1; i <= NF; i++) if ($i ~ /^dur_ns=/) s += substr($i, 8) } END { printf "%.0f", s }')" ]
	flame --elf "$trace/truth/contend.elf" --kallsyms "$symbols" -o "$T/out" "$trace/trace" >"$T/said" 2>/dev/null
	[ "$(cat "$T/said")" = "$T/out/flamegraph.svg" ]
	grep -q '<title>__lll_lock_wait$' "$T/out/flamegraph.svg"
	try flame -o "$T/out" "$trace/trace"
	[ "$status" = 1 ] && [[ $err == *'it holds a flamegraph.svg already'* ]]
}

@test "flame draws samples from a file or a pipe" {
	fold-stacks --unfold "$TESTS/data/perf-script.txt" >"$T/samples.tskv"
	flame "$T/samples.tskv" >"$T/a.svg"
	flame --kind cpu <"$T/samples.tskv" | cmp - "$T/a.svg"
	grep -q 'CPU samples' "$T/a.svg" && grep -q '<title>ext4_readdir$' "$T/a.svg"
	flame --process swapper "$T/samples.tskv" >"$T/b.svg"
	grep -q '<title>do_idle$' "$T/b.svg"
	run ! grep -q ext4 "$T/b.svg"
	try flame <"$T/samples.tskv"
	expect 2 '' "flame: --kind is needed when records come on a pipe; see 'flame --help'"
	try flame --kind functions "$T/samples.tskv"
	expect 1 '' "flame: no stacks: see 'flame --help' for what a trace must have"
}

# worker PROGRAM: builds it: a function that works, and one that sleeps, which calls no library that lacks frame pointers.
worker() {
	need cc
	cc -O1 -fno-omit-frame-pointer -x c -o "$T/$1" - <<-'E'
	#include <sys/syscall.h>
	#include <time.h>
	__attribute__((noinline)) void burn_here(volatile long *n) { for (long i = 0; i < 3000000; i++) ++*n; }
	__attribute__((noinline)) void sleep_here(void)
	{
		struct timespec t = { 0, 5000000 };
		long number = SYS_nanosleep, a = (long)&t, b = 0;
		__asm__ volatile("syscall" : "+a"(number) : "D"(a), "S"(b) : "rcx", "r11", "memory");
	}
	int main(void) { volatile long n = 0; for (;;) { burn_here(&n); sleep_here(); } }
	E
	"$T/$1" &
	worker=$!
}

@test "flame --live: what a program works on and what it sleeps in, by name" {
	need_bpf collect-stacks
	need_bpf collect-sched
	[ "$(uname -m)" = x86_64 ] || skip "the program's system call is that of x86_64"
	worker live-worker
	flame --live -d 2 -p live-worker -o "$T/on" >"$T/said" 2>"$T/err" || { cat "$T/err"; kill "$worker"; false; }
	[ "$(cat "$T/said")" = "$T/on/flamegraph.svg" ]
	flame --live --kind off-cpu -d 2 -P "$worker" -o "$T/off" >"$T/said" 2>"$T/err" || { cat "$T/err"; kill "$worker"; false; }
	kill "$worker"
	grep -qx '.*<title>burn_here' "$T/on/flamegraph.svg"
	# To fall asleep and to wake takes a little of the CPU, where a sample may fall.
	awk '/;burn_here/ { work += $NF } /;sleep_here/ { sleep += $NF } END { exit !(work > 10 * sleep) }' "$T/on/stacks.folded"
	[ "$(cat "$T/said")" = "$T/off/flamegraph.svg" ]
	grep -q '^live-worker;.*main;sleep_here;.*do_nanosleep' "$T/off/stacks.folded"
	run ! grep -q burn_here "$T/off/stacks.folded"
}

@test "flame --live: wrong command lines" {
	try flame --live x
	[ "$status" = 2 ] && [[ $err == *'it takes no trace with --live'* ]]
	try flame -d 1 x
	[ "$status" = 2 ] && [[ $err == *'-d goes with --live'* ]]
	try flame --live --kind functions
	[ "$status" = 2 ] && [[ $err == *'cannot draw functions live'* ]]
	record ts=1 ev=cpu comm=c stack=f >"$T/in"
	try flame --unwind dwarf "$T/in"
	[ "$status" = 2 ] && [[ $err == *'--unwind goes with --live, of kind cpu'* ]]
}
