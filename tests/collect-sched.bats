#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live scheduling, against the kernel's own counters of programs with known numbers of sleeps, yields, children.

load helper

setup() {
	need_bpf collect-sched
	naps=$(build naps)
}

count() {
	where -f "$1" "${@:2}" | wc -l
}

# cpu_group QUOTA_US PERIOD_US: makes a cgroup that has so much CPU time, $group, or skips.
cpu_group() {
	"$WEIR_BIN/collect-sched" --check | grep -q '^tells_throttling *ok' || skip "the kernel does not tell who is throttled"
	[ -x "$WEIR_BIN/cpu-hog" ] || skip "cpu-hog was not built"
	need python3
	local mount
	mount=$(awk '$3 == "cgroup" && ("," $4 ",") ~ /,cpu,/ { print $2; exit }' /proc/mounts)
	if [ -z "$mount" ]; then
		mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
		grep -qw cpu "$mount/cgroup.subtree_control" 2>/dev/null || skip "no cgroup has the cpu controller here"
	fi
	group=$mount/weir-test-$BATS_TEST_NUMBER-$$
	mkdir "$group" 2>/dev/null || skip "no cgroup can be made here"
	if [ -e "$group/cpu.max" ]; then
		echo "$1 $2" >"$group/cpu.max"
	else
		echo "$2" >"$group/cpu.cfs_period_us" && echo "$1" >"$group/cpu.cfs_quota_us"
	fi 2>/dev/null || { rmdir "$group"; skip "the kernel limits no cgroup's CPU time"; }
}

# hidden: whether the kernel hid events from the recording, as the collector says: of some threads it may, and more where
# others have to wait for them.
hidden() {
	grep -q -e 'the kernel hid some' -e 'without a wakeup' "$T/err"
}

throttled_so_far() {
	awk '$1 == "throttled_time" { n = $2 } $1 == "throttled_usec" { n = $2 * 1000 } END { printf "%.0f\n", n }' "$group/cpu.stat"
}

# throttles IN OPTION... -- COMMAND...: records COMMAND, which runs in the cgroup IN, to $T/r, and holds it against what the
# kernel counted of $group.
throttles() {
	local in=$1 options=() counted
	shift
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	# Before Linux 6.18 a wait may be throttled several times, which is told as once.
	if grep -q ' throttle_cfs_rq_work$' /proc/kallsyms; then each=100000; else each=10000000; fi
	for _ in {1..4}; do
		counted=$(throttled_so_far)
		# shellcheck disable=SC2016
		collect-sched "${options[@]}" -o "$T/r" -- sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$in" "$@" >/dev/null 2>"$T/err"
		counted=$(($(throttled_so_far) - counted))
		# Where others have the CPUs, it cannot use its quota up.
		[ "$counted" -gt 0 ] || continue
		! python3 "$TESTS/throttled.py" "$T/r" "$counted" "$each" || return 0
		hidden || return 1
	done
	skip "the kernel held nobody back, or hid events, in four recordings: $(grep 'the kernel\|wakeup' "$T/err")"
}

teardown() {
	[ -z "${group:-}" ] || { rmdir "$group"/* "$group" || true; } 2>/dev/null
}

# record_naps [OPTION...] -- COUNT...: until the kernel hid no events from the recording.
record_naps() {
	local options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	for _ in {1..10}; do
		collect-sched "${options[@]}" -o "$T/r" -- "$naps" "$@" >"$T/kernel" 2>"$T/err"
		hidden || return 0
	done
	skip "the kernel hid events from ten recordings: $(head -n 1 "$T/err")"
}

@test "a thread's switches, CPU time and waits are what the kernel counted of it" {
	record_naps -- 101 53 7
	read -r voluntary involuntary run waited began <"$T/kernel"
	tid=$(where -f "$T/r" ev=blocked comm=naps state=S | stats -g tid -s count -n 1 -o tskv | grep -oP '\ttid=\K[0-9]*')
	where -f "$T/r" "tid=$tid" >"$T/own"
	# Sleeps: the naps, waits for children that did not end first, and one for the recording to begin.
	sleeps=$(count "$T/own" ev=blocked state=S)
	[ "$sleeps" -ge 102 ] && [ "$sleeps" -le 109 ]
	[ "$(count "$T/own" ev=blocked)" = "$voluntary" ]
	# The last switch, at exit, comes after the program has looked at its counters.
	[ "$(count "$T/own" ev=oncpu why=preempt,yield)" -ge $((involuntary - 3)) ]
	[ "$(count "$T/own" ev=oncpu why=exit)" = 1 ]
	# Time on CPU up to the look at schedstat: within what the last slice may be.
	python3 - "$T/own" "$run" "$waited" "$began" <<-'E'
	import sys
	on = wait = 0
	rows = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1])]
	rows = [r for r in rows if int(r["ts"]) > int(sys.argv[4])]
	for r in rows:
	    if r["ev"] == "oncpu": on += int(r["dur_ns"])
	    if r["ev"] == "runq": wait += int(r["dur_ns"])
	run, waited, n = int(sys.argv[2]), int(sys.argv[3]), len(rows)
	# Between the switch's own clock and the run queue's lie some microseconds a slice.
	assert run * 0.9 - 2e6 < on < run * 1.1 + n * 20e3 + 5e6, (on, run)
	assert waited * 0.7 - n * 20e3 < wait < waited * 1.3 + n * 20e3, (wait, waited)
	E
}

@test "every thread's stretches join to the nanosecond, from the start to the end" {
	record_naps -- 23 5 11
	python3 "$TESTS/stretches.py" "$T/r" >"$T/sums" || { cat "$T/sums"; false; }
	# The job: naps and 11 children.
	[ "$(where -f "$T/r" ev=oncpu why=exit comm=naps | wc -l)" = 12 ]
	grep -q ' 0 lost;' "$T/err"
	[ "$(grep -c clipped=1 "$T/r")" = 1 ]
}

@test "raw records through spans give the spans of the collector itself" {
	record_naps --raw --spans -- 97 31 13
	where -f "$T/r" ev=oncpu,runq,blocked comm=naps '!clipped' '!unfinished' >"$T/live"
	where -f "$T/r" -v ev=oncpu,runq,blocked | spans 2>/dev/null | where comm=naps '!unfinished' >"$T/saved"
	[ "$(wc -l <"$T/live")" -gt 300 ]
	# A child has its first wait before any record tells which process it belongs to.
	diff <(sed 's/\tpid=[0-9]*//' "$T/live") <(sed 's/\tpid=[0-9]*//' "$T/saved")
}

@test "--aggregate: the kernel's figures are those of the events" {
	record_naps --aggregate 100ms -- 211 101 17
	mv "$T/r" "$T/sums"
	stats -f "$T/sums" --merge -g ev -a count -o csv dur_ns | grep -v '^lost' >"$T/counts"
	# Sleeps of naps and its children are known; so is that each ends in a slice on a CPU.
	blocked=$(stats -f "$T/sums" --merge -g ev,comm -a count -o tskv dur_ns | where ev=blocked | stats -a sum -o tskv count | grep -o '[0-9]*$')
	[ "$blocked" -ge 211 ] && [ "$blocked" -le 240 ]
	# Where a state has one duration, its square, least, greatest and bucket follow from the sum.
	python3 - "$T/sums" <<-'E'
	import struct, sys
	seen = 0
	for line in open(sys.argv[1]):
	    r = dict(f.split("=", 1) for f in line.rstrip("\n").split("\t"))
	    p = "state.dur_ns."
	    n, s, q = int(r[p+"count"]), int(r[p+"sum"]), int(r[p+"squares"], 16)
	    low, high = int(r[p+"min"]), int(r[p+"max"])
	    buckets = {int(a): int(b) for a, b in (x.split(":") for x in r.get(p+"above", "").split(",") if x)}
	    assert sum(buckets.values()) + int(r[p+"zeros"]) == n
	    number = lambda v: struct.unpack("<Q", struct.pack("<d", v))[0] >> 46
	    assert number(low) == min(buckets) and number(high) == max(buckets)
	    if n == 1: assert q == s * s and low == high == s; seen += 1
	    if n == 2: assert s == low + high and q == low**2 + high**2; seen += 1
	    assert n * low <= s <= n * high and q * n >= s * s and q <= n * high**2
	assert seen > 2
	E
}

@test "--aggregate and --all exclude each other: sums have no role" {
	for program in collect-sched collect-syscalls; do
		try "$program" --aggregate 1 --all -- true
		expect 2 '' "$program: --aggregate does not go with --all: sums have no role; see '$program --help'"
	done
}

@test "--aggregate: more groups than there is room for are counted, and what helps is no ring" {
	lives=$(build lives)
	collect-sched --aggregate 1000 -o "$T/sums" -- "$lives" 34000 0 0 0 >/dev/null 2>"$T/err"
	lost=$(where -f "$T/sums" ev=lost source=aggregate | grep -oP '\tn=\K[0-9]*')
	[ "$lost" -gt 0 ]
	grep -qx "collect-sched: $lost events were lost: what was recorded is incomplete" "$T/err"
	grep -qx 'collect-sched: an interval has more groups than there is room for: a shorter --aggregate helps' "$T/err"
}

@test "filters: name, prefix, expression, process, cgroup; a name too long is an error" {
	"$naps" 100000 0 0 >/dev/null &
	other=$!
	cp "$naps" "$T/nap-other"
	"$T/nap-other" 100000 0 0 >/dev/null &
	for filter in "-p naps" "--prefix nap" "--regex ^nap.$" "-P $other" "-p nap-other -p naps -P $other"; do
		# shellcheck disable=SC2086
		collect-sched $filter -d 0.2 >"$T/r" 2>"$T/err"
		[ -s "$T/r" ] || { echo "$filter: nothing"; false; }
		case $filter in
		"--prefix nap") want="nap-other naps" ;;
		*) want="naps" ;;
		esac
		[ "$(grep -oP '\tcomm=\K[^\t]*' "$T/r" | sort -u | tr '\n' ' ')" = "$want " ] || {
			echo "$filter:"; grep -oP '\tcomm=\K[^\t]*' "$T/r" | sort | uniq -c; false; }
	done
	kill %1 %2
	try collect-sched -p 0123456789abcdef
	expect 2 "" "collect-sched: cannot filter by the name '0123456789abcdef': the kernel keeps 1 to 15 bytes of a name; try --prefix; see 'collect-sched --help'"
	try collect-sched -P 12x
	[ "$status" = 2 ] && [[ $err == *"it is no process id"* ]]
}

@test "a cgroup's processes only" {
	for mount in /sys/fs/cgroup/unified /sys/fs/cgroup /sys/fs/cgroup/cpu; do
		group=$mount/weir-test-$$
		mkdir "$group" 2>/dev/null && break
		group=
	done
	[ -n "$group" ] || skip "no cgroup can be made here"
	sh -c "echo \$\$ > $group/cgroup.procs && exec $naps 100000 0 0" >/dev/null &
	in=$!
	"$naps" 100000 0 0 >/dev/null &
	sleep 0.1
	collect-sched --cgroup "$group" -d 0.1 >"$T/r" 2>"$T/err"
	collect-sched --cgroup "${group#"${mount%/*}"/}" -d 0.1 >"$T/r2" 2>"$T/err" || true
	kill %1 %2
	wait || true
	rmdir "$group"
	[ "$(grep -oP '\tpid=\K[0-9]*' "$T/r" | sort -u)" = "$in" ]
	try collect-sched --cgroup /tmp
	[ "$status" = 1 ] && [ "$err" = "collect-sched: cannot find the cgroup '/tmp': it is no directory of a cgroup file system" ]
}

@test "the command's exit status, stdout and signals; --all tells job from background" {
	try collect-sched -o "$T/r" -- sh -c 'echo out; exit 7'
	[ "$status" = 7 ] && [ "$out" = out ]
	try collect-sched -o "$T/r" -- sh -c 'kill -9 $$'
	[ "$status" = 137 ]
	try collect-sched -- sh -c 'echo out'
	[ "$status" = 0 ] && [[ $err == out$'\n'* ]] && [[ $out == ts=* ]]
	cd "$T"
	try collect-sched -o - -- sh -c 'echo out'
	[ "$status" = 0 ] && [[ $err == out$'\n'* ]] && [[ $out == ts=* ]] && [ ! -e - ]
	try collect-sched -- /nonexistent/program
	expect 127 "" "collect-sched: cannot run '/nonexistent/program': No such file or directory"
	try collect-sched -- /etc/passwd
	expect 126 "" "collect-sched: cannot run '/etc/passwd': Permission denied"
	printf 'echo "by a shell: $1"\nexit 6\n' >"$T/script"
	chmod +x "$T/script"
	try collect-sched -o "$T/r" -- "$T/script" out
	[ "$status" = 6 ] && [ "$out" = 'by a shell: out' ]
	try collect-sched -o "$T/r" --
	expect 2 "" "collect-sched: -- wants COMMAND; see 'collect-sched --help'"
	collect-sched --all -o "$T/r" -- "$naps" 50 0 3 >/dev/null 2>&1
	[ "$(where -f "$T/r" comm=naps | stats -g role -o tskv | grep -oP '\trole=\K[a-z]*')" = job ]
	[ "$(count "$T/r" role=background)" -gt 0 ]
}

@test "a tiny ring: what is missing is said, in the stream and at the end, to the last event" {
	"$naps" 100000 0 0 >/dev/null &
	other=$!
	collect-sched --ring 4096 -P $other -o "$T/r" 2>"$T/err" &
	wait_for "$T/r"
	# Nobody empties the ring meanwhile.
	kill -STOP $!
	sleep 0.3
	kill -CONT $!
	sleep 0.1
	kill -INT $!
	wait $!
	kill $other
	lost=$(where -f "$T/r" ev=lost | grep -oP '\tn=\K[0-9]*' | awk '{ n += $1 } END { print n + 0 }')
	[ "$lost" -gt 0 ]
	grep -q "^collect-sched: $lost events were lost: what was recorded is incomplete; a larger --ring holds more\$" "$T/err"
	seen=$(sed -nE 's/^collect-sched: ([0-9]+) events in .* '"$lost"' lost;.*/\1/p' "$T/err")
	[ "$seen" = "$(grep -v unfinished=1 "$T/r" | grep -vc ev=lost)" ]
}

@test "nothing is left behind: 48 runs started and stopped in all ways" {
	# Other tests run collectors meanwhile: each process that is there has one such program at most.
	settled() {
		[ "$(bpftool prog list 2>/dev/null | grep -c 'name on_switch')" -le \
			"$(pgrep -c -x 'collect-sched|collect-proc')" ]
	}
	need bpftool
	for _ in 1 2 3 4 5 6 7 8; do
		collect-sched -d 0.01 >/dev/null 2>&1
		collect-sched 2>/dev/null | head -n 1 >/dev/null
		collect-sched -- true >/dev/null 2>&1
		: >"$T/out"
		collect-sched >"$T/out" 2>/dev/null &
		wait_for "$T/out"
		kill -INT $!
		wait $!
		for signal in TERM KILL; do
			: >"$T/out"
			collect-sched -- sleep 77 >"$T/out" 2>/dev/null &
			wait_for "$T/out"
			kill -$signal $!
			wait $! || true
		done
	done
	for _ in $(seq 100); do
		! settled || break
		sleep 0.1
	done
	settled
	run ! pgrep -x -f 'sleep 77'
}

@test "in a PID namespace of its own: the command, -P by its number there, and neither itself nor its readers" {
	need unshare
	cp "$WEIR_BIN/collect-sched" "$T/wt-sched"
	cp "$(command -v cat)" "$T/wt-cat"
	cat >"$T/inside" <<-'E'
	collect-sched -o "$T/command" -- sh -c 'sleep 0.01; :' 2>"$T/said"
	sh -c 'while :; do sleep 0.01; done' & job=$!
	collect-sched --children -P $job -d 0.3 -o "$T/pid" 2>/dev/null
	"$T/wt-sched" -d 0.3 2>/dev/null | "$T/wt-cat" >"$T/all"
	kill $job
	collect-stacks --unwind dwarf -o "$T/stacks" -- bash -c 'for ((i = 0; i < 100000; i++)); do :; done' 2>/dev/null
	E
	unshare --pid --fork --mount-proc env T="$T" bash "$T/inside" || skip "no PID namespace can be made"
	[ "$(grep -c 'PID namespace' "$T/said")" = 1 ]
	[ "$(where -f "$T/command" ev=oncpu comm=sleep why=exit | wc -l)" = 1 ]
	[ "$(where -f "$T/pid" comm=sleep | wc -l)" -gt 0 ]
	[ "$(where -f "$T/pid" comm!=sleep comm!=sh | wc -l)" = 0 ]
	[ -s "$T/all" ] && ! grep -q $'\tcomm=wt-' "$T/all"
	grep -q ';execute_command' "$T/stacks"
}

@test "rights are dropped when it records; without them it says what to do" {
	collect-sched >"$T/r" 2>/dev/null &
	wait_for "$T/r"
	grep -q '^CapEff:.*0000000000000000$' /proc/$!/status
	kill -INT $!
	wait $!
	need setpriv
	try setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups "$WEIR_BIN/collect-sched" -d 0.1
	[ "$status" = 1 ] && [ "$(wc -l <<<"$err")" = 1 ]
	[ "$err" = 'collect-sched: cannot load the BPF programs: Operation not permitted; run as root, or with the capabilities CAP_BPF and CAP_PERFMON' ] ||
		{ echo "$err"; false; }
	try setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups "$WEIR_BIN/collect-sched" --check
	[ "$status" = 1 ] && [[ $out == *'rights                   missing: run as root, or with CAP_BPF and CAP_PERFMON' ]]
	(ulimit -n 32 && try collect-sched -d 0.1 && [ "$status" = 1 ] && [[ $err == *'Too many open files'*'; allow it more files: ulimit -n 256' ]])
}

@test "--check: what takes the place of a program that works is not needed" {
	collect-sched --check >"$T/check"
	grep -q '^on_switch  *ok: ' "$T/check" || skip "this kernel wants the other one"
	grep -q '^on_switch_without_state  *not needed: ' "$T/check"
}

@test "--stacks: where a sleep began, from the program to the kernel" {
	cat >"$T/sleeper.c" <<-'E'
	#include <time.h>
	#include <unistd.h>
	__attribute__((noinline)) static void inner_nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, 0); }
	__attribute__((noinline)) static void outer_nap(void) { inner_nap(); }
	int main(void) { for (int i = 0; i < 47; i++) outer_nap(); return 0; }
	E
	cc -O0 -g -fno-omit-frame-pointer -o "$T/sleeper" "$T/sleeper.c"
	collect-sched --stacks -o "$T/r" -- "$T/sleeper" 2>"$T/err"
	# libc keeps no frame pointers: its own frame may be missing, and hide its caller.
	# A nap whose time is over before the thread gets to sleep, as where others have the CPU, is none.
	where -f "$T/r" ev=blocked comm=sleeper 'stack=~hrtimer_nanosleep' >"$T/naps"
	[ "$(wc -l <"$T/naps")" -ge 40 ] && [ "$(wc -l <"$T/naps")" -le 47 ]
	try where -f "$T/naps" -v 'stack=~;main;outer_nap;.*hrtimer_nanosleep.*;schedule;__schedule$'
	expect 0 '' ''
	where -f "$T/r" ev=blocked comm=sleeper | fold-stacks -w dur_ns >"$T/folded"
	grep -q '^sleeper;.*;main;outer_nap;' "$T/folded"
	# One sleep, then it ends: seen when it fell asleep.
	sed 's/i < 47/i < 1/; s/5000000/300000000/' "$T/sleeper.c" | cc -O0 -g -fno-omit-frame-pointer -o "$T/once" -x c -
	collect-sched --stacks -o "$T/r" -- "$T/once" 2>/dev/null
	where -f "$T/r" ev=blocked comm=once 'dur_ns>=300ms' | grep -q ';main;outer_nap;'
}

@test "a quota: the time in which it held threads back is what the kernel counted; its cgroup is named" {
	cpu_group 10000 50000
	throttles "$group" -- cpu-hog -n 3 -d 1.5
	# No other group held them back, and nothing but a quota did.
	[ "$(grep -c $'\tthrottled_ns=' "$T/r")" -gt 20 ]
	[ "$(grep $'\tthrottled_ns=' "$T/r" | grep -oP '\tcgroup=\K[^\t]*' | sort -u)" = "/${group##*/}" ]
	[ "$(where -f "$T/r" ev=runq 'throttled_ns>0' | wc -l)" = "$(grep -c $'\tthrottled_ns=' "$T/r")" ]
}

@test "a quota of the group above; threads that sleep and wake; raw records give the same spans" {
	cpu_group 8000 20000
	mkdir "$group/below" 2>/dev/null && { [ ! -e "$group/cgroup.subtree_control" ] || echo +cpu >"$group/cgroup.subtree_control"; }
	throttles "$group/below" --raw --spans -- cpu-hog -n 4 --duty 70 --period 7ms -d 1
	[ "$(grep -v next_cgroup "$T/r" | grep -oP '\tcgroup=\K[^\t]*' | sort -u)" = "/${group##*/}" ]
	where -f "$T/r" ev=oncpu,runq,blocked comm=cpu-hog '!clipped' '!unfinished' >"$T/live"
	where -f "$T/r" -v ev=oncpu,runq,blocked | spans 2>/dev/null | where comm=cpu-hog '!unfinished' >"$T/saved"
	grep -q throttled_ns= "$T/saved"
	diff <(grep throttled_ns "$T/live" | sed 's/\tpid=[0-9]*//') <(grep throttled_ns "$T/saved" | sed 's/\tpid=[0-9]*//')
}

@test "a waker is no interrupt because handlers ended unseen while the programs were attached" {
	need strace
	strace -o "$T/calls" -e trace=bpf -e inject=bpf:delay_exit=20000 \
		collect-sched -o "$T/r" -- sh -c 'for i in 1 2 3 4 5 6 7 8; do echo | cat | cat; done' >/dev/null 2>&1
	[ "$(where ev=blocked waker_comm=cat,sh '!waker_irq' <"$T/r" | wc -l)" -gt 5 ]
}

@test "a quota that is never used up, and none: nobody is throttled" {
	cpu_group 90000 100000
	# shellcheck disable=SC2016
	collect-sched -o "$T/r" -- sh -c 'echo $$ >"$1/cgroup.procs" && exec cpu-hog --duty 20 -d 0.5' sh "$group" >/dev/null 2>&1
	[ "$(count "$T/r" ev=oncpu comm=cpu-hog)" -gt 5 ]
	run ! grep -q throttled "$T/r"
	collect-sched --all -o "$T/r" -- cpu-hog -n 4 -d 0.2 >/dev/null 2>&1
	[ "$(count "$T/r" ev=runq comm=cpu-hog)" -gt 5 ]
	run ! grep -q throttled_ns= <(grep comm=cpu-hog "$T/r")
}
