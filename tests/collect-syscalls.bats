#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live system calls, against strace and a program's own counts.

load helper

setup() {
	need_bpf collect-syscalls
	calls=$(build calls)
}

teardown() {
	local pid
	for pid in $(jobs -p); do kill "$pid" 2>/dev/null || true; done
}

# count FILE EXPRESSION...
count() {
	where "${@:2}" <"$1" | wc -l
}

@test "exactly the calls that strace counts, with their errors" {
	need strace
	collect-syscalls -o "$T/r" -- "$calls" 101 53 7 3 2>"$T/err"
	grep -q '^collect-syscalls: [0-9]* events in [0-9.]* s, 0 lost; BPF programs: [0-9.]* s in [0-9]* runs; collector: [0-9.]* s of CPU$' "$T/err"
	strace -f -c -o "$T/strace" "$calls" 101 53 7 3
	# strace does not count the calls that threads die in: exit_group.
	awk '$NF ~ /^[a-z_0-9]+$/ && $1 ~ /^[0-9]/ && $NF != "total" { print $NF, $4, NF == 6 ? $5 : 0 }' "$T/strace" |
		sort >"$T/want"
	awk -F'\t' '!/unfinished=1/ {
		name = ""; bad = 0
		for (i = 1; i <= NF; i++) { if ($i ~ /^name=/) name = substr($i, 6); if ($i ~ /^errno=/) bad = 1 }
		n[name]++; e[name] += bad
	} END { for (k in n) print k, n[k], e[k] }' "$T/r" | sort >"$T/have"
	diff "$T/want" "$T/have"
	[ "$(count "$T/r" unfinished)" = 4 ] && [ "$(count "$T/r" unfinished name=exit_group '!ret')" = 4 ]
}

@test "results, errors by name, bytes, descriptors and paths" {
	collect-syscalls -o "$T/r" -- "$calls" 101 53 7 3 2>/dev/null
	[ "$(count "$T/r" name=getpid)" = 101 ]
	[ "$(where name=write <"$T/r" | stats -a count,sum -o tskv bytes | cut -f3-)" = $'count=104\tsum=5154' ]
	[ "$(count "$T/r" name=close ret=-9 errno=EBADF '!fd')" = 53 ]
	[ "$(where name=openat errno=ENOENT 'path~/nonexistent/*' <"$T/r" | grep -oP '\tpath=\K[^\t]*' | sort -u | wc -l)" = 7 ]
	at="at"	# younger machines have no mkdir, only mkdirat
	[ "$(uname -m)" != x86_64 ] || at=
	for call in mkdir$at=/nonexistent/directory unlink$at=/nonexistent/link rename$at=/nonexistent/old symlink$at=/nonexistent/name; do
		[ "$(count "$T/r" "name=${call%=*}" "path=${call#*=}" errno=ENOENT)" = 1 ] || { echo "$call"; false; }
	done
	[ "$(count "$T/r" name=memfd_create path=memfd:paths ret fd)" = 1 ]
	[ "$(count "$T/r" name=execve "path=$calls" ret=0)" = 1 ]
	# Of pipe the reading end is told, which the children read.
	fd=$(where name=pipe2 ret=0 <"$T/r" | grep -oP '\tfd=\K[0-9]*')
	[ "$(count "$T/r" name=read "fd=$fd" bytes=1)" = 3 ]
	[ "$(count "$T/r" name=mmap)" = "$(grep -c $'\tname=mmap\t.*\tret=0x[0-9a-f]*' "$T/r")" ]
}

@test "the path of an exec that the parent's memory does not show at the entry" {
	collect-syscalls -s execve -o "$T/r" -- bash -c 'for i in 1 2 3 4 5; do /usr/bin/true; done; /nonexistent/program; true' 2>/dev/null
	[ "$(count "$T/r" name=execve path=/usr/bin/true ret=0 comm=true)" = 5 ]
	[ "$(count "$T/r" name=execve '!path')" = 0 ]
}

@test "-s, --failed, --args, -t" {
	collect-syscalls -s write,close -s getpid -o "$T/r" -- "$calls" 101 53 7 3 2>/dev/null
	[ "$(grep -oP '\tname=\K[^\t]*' "$T/r" | sort -u | tr '\n' ' ')" = "close getpid write " ]
	[ "$(count "$T/r" name=getpid)" = 101 ]
	collect-syscalls --failed -o "$T/r" -- "$calls" 101 53 7 3 2>/dev/null
	[ "$(count "$T/r" '!errno')" = 0 ]
	[ "$(count "$T/r" name=close)" = 53 ] && [ "$(count "$T/r" name=getpid)" = 0 ]
	collect-syscalls --args -s write,openat -o "$T/r" -- "$calls" 101 53 7 3 2>/dev/null
	[ "$(count "$T/r" name=write 'arg2>60')" = 41 ]
	[ "$(count "$T/r" name=openat 'path~/nonexistent/*' arg2=0)" = 7 ]
	collect-syscalls -t 1ms -o "$T/r" -- sleep 0.05 2>/dev/null
	[ "$(count "$T/r" name=clock_nanosleep 'dur_ns>=50ms')" = 1 ]
	[ "$(count "$T/r" 'dur_ns<1ms')" = 0 ]
	try collect-syscalls -s frobnicate
	expect 2 "" "collect-syscalls: cannot record the system call 'frobnicate': there is none of this name; see 'collect-syscalls --help'"
}

@test "raw records through spans give the spans of the collector itself" {
	need python3
	collect-syscalls --raw --spans -o "$T/r" -- bash -c "$calls 101 53 7 3; ls -l / | cat; "'
		trap : USR1; kill -USR1 $$; cat <(echo x); cd /; cat etc/hostname; mkdir /nonexistent/x' >/dev/null 2>&1 || true
	where ev=syscall <"$T/r" >"$T/live"
	where -v ev=syscall <"$T/r" | spans -e syscall 2>"$T/err" >"$T/saved"
	# The first return is that of the read in which the command waited for its start.
	[ "$(grep unpaired "$T/err")" = "spans: unpaired: 1 exits of system calls that began before the trace or a gap" ]
	read -r n given < <(python3 "$TESTS/calls-compare.py" "$T/live" "$T/saved")
	[ "$n" -gt 500 ] && [ "$given" -gt 30 ]
	grep -q $'name=rt_sigreturn\tdur_ns=[0-9]*$' "$T/live"
}

@test "32-bit calls have their own names" {
	[ "$(uname -m)" = x86_64 ] || skip "not x86-64"
	compat=$(build compat)
	"$compat" 1 || skip "the kernel has no 32-bit calls"
	collect-syscalls -o "$T/r" -- "$compat" 43 2>/dev/null
	[ "$(count "$T/r" name=getpid)" = 43 ] && [ "$(count "$T/r" name=writev)" = 0 ]
	[ "$(count "$T/r" name=open path=/nonexistent/32 errno=ENOENT)" = 1 ]
	collect-syscalls --raw -s getpid -o "$T/r" -- "$compat" 43 2>/dev/null
	[ "$(count "$T/r" ev=compat_syscall_entry_getpid)" = 43 ]
	[ "$(spans "$T/r" 2>/dev/null | count /dev/stdin name=getpid)" = 43 ]
}

@test "--aggregate: counts and sums are those of the events" {
	collect-syscalls --aggregate 50ms -o "$T/sums" -- "$calls" 1009 53 7 3 2>"$T/err"
	stats --merge -g comm,name -a count -o tskv dur_ns <"$T/sums" | where comm=calls >"$T/counts"
	collect-syscalls -o "$T/r" -- "$calls" 1009 53 7 3 2>/dev/null
	where comm=calls '!unfinished' <"$T/r" | stats -g comm,name -a count -o tskv dur_ns >"$T/want"
	# The exec is counted by the name that the process had when its interval began.
	diff <(cut -f2- "$T/want" | grep -v execve) <(cut -f2- "$T/counts" | grep -v execve)
	grep -q $'name=getpid\tcount=1009' "$T/counts"
	# The last line tells of as many.
	[ "$(sed -n 's/^collect-syscalls: \([0-9]*\) events in .*/\1/p' "$T/err")" = \
		"$(stats --merge -a count -o tskv dur_ns <"$T/sums" | grep -o '[0-9]*$')" ]
	# More groups than there are places in a CPU's array.
	collect-syscalls --aggregate 5 -o "$T/sums" -- bash -c 'for i in {1..40}; do ls / >/dev/null; done' 2>/dev/null
	[ "$(stats --merge -g name -a count -o tskv dur_ns <"$T/sums" | where name=getdents64 | grep -o '[0-9]*$')" = 80 ]
	[ "$(grep -c ev=lost "$T/sums")" = 0 ]
	# Intervals without any.
	collect-syscalls --aggregate 50ms -s execveat -o "$T/sums" -- sleep 0.2 2>"$T/err"
	[ ! -s "$T/sums" ] && grep -q '^collect-syscalls: 0 events in ' "$T/err"
}

@test "calls under way: at the start none is invented, at the end they are unfinished" {
	mkfifo "$T/fifo"
	sleep 100 3>&- &
	old=$!
	: >"$T/r"
	(until [ -s "$T/r" ]; do sleep 0.05; done; exec cat "$T/fifo") 3>&- &
	new=$!
	sleep 0.1
	collect-syscalls -d 1 -P $old -P $new >"$T/r" 2>/dev/null
	kill $old $new
	[ "$(count "$T/r" "pid=$old")" = 0 ]
	[ "$(where unfinished "pid=$new" <"$T/r" | grep -oP '\tname=\K[^\t]*|\tpath=\K[^\t]*' | tr '\n' ' ')" = "openat $T/fifo " ]
	[ "$(count "$T/r" unfinished ret)" = 0 ]
}

@test "a tiny ring: seen and lost are all that were sent" {
	collect-syscalls --ring 4096 -s getpid -o "$T/r" -- "$calls" 50021 0 0 0 2>"$T/err"
	lost=$(where ev=lost <"$T/r" | grep -oP '\tn=\K[0-9]*' | awk '{ n += $1 } END { print n + 0 }')
	seen=$(grep -c name=getpid "$T/r")
	[ "$lost" -gt 0 ]
	[ $((seen + lost)) = 50021 ]
	grep -q "^collect-syscalls: $lost events were lost: what was recorded is incomplete; a larger --ring holds more\$" "$T/err"
}

@test "neither itself nor its readers are recorded" {
	for program in cat tee sort; do cp "$(command -v $program)" "$T/wt-$program"; done
	cp "$WEIR_BIN/collect-syscalls" "$T/wt-collect"
	# On a machine where nobody else does anything there would be nothing to record.
	timeout 20 sh -c 'while sleep 0.02; do :; done' &
	"$T/wt-collect" -d 0.5 2>/dev/null | "$T/wt-cat" | "$T/wt-tee" "$T/r" | "$T/wt-sort" >/dev/null
	kill $!
	[ -s "$T/r" ] && ! grep -q $'\tcomm=wt-' "$T/r"
}

@test "filters: name, process, children" {
	"$calls" 7 0 0 20000 3>&- &
	other=$!
	collect-syscalls -p calls -d 0.3 >"$T/r" 2>/dev/null
	[ -s "$T/r" ] && [ "$(grep -oP '\tcomm=\K[^\t]*' "$T/r" | sort -u)" = calls ]
	collect-syscalls -P $other -d 0.3 >"$T/r" 2>/dev/null
	[ "$(grep -oP '\tpid=\K[^\t]*' "$T/r" | sort -u)" = $other ]
	collect-syscalls -P $other --children -d 0.3 >"$T/r" 2>/dev/null
	[ "$(grep -oP '\tpid=\K[^\t]*' "$T/r" | sort -u | wc -l)" -gt 10 ]
	kill $other
}

@test "many runs: the kernel measures the first ones only, and it is said" {
	collect-syscalls --aggregate 1 -o /dev/null -- "$calls" 300007 0 0 0 2>"$T/err"
	grep -q 'BPF programs: about [0-9.]* s in [0-9]* runs, from the first [0-9]*; ' "$T/err"
	read -r all first < <(sed -nE 's/.* in ([0-9]+) runs, from the first ([0-9]+);.*/\1 \2/p' "$T/err")
	[ "$all" -ge 1200028 ] && [ "$first" -ge 262144 ] && [ "$first" -lt "$all" ]
}

@test "pipelines --live answer of a command, with the same filters as of a trace" {
	syscalls --live -- "$calls" 101 53 7 3 2>/dev/null >"$T/out"
	grep -qx 'calls  getpid  101' "$T/out" && grep -qx 'calls  close  56' "$T/out"
	syscalls --live --top 1 --process calls -- "$calls" 211 0 0 0 2>/dev/null >"$T/out"
	[ "$(sed -n 2p "$T/out")" = "calls  write  211" ] || [ "$(sed -n 2p "$T/out")" = "calls  getpid  211" ]
	io-analysis --live -- cat "$TESTS/helper.bash" 2>/dev/null >"$T/out"
	grep -q "read() $TESTS/helper.bash\$" "$T/out"
	process-info --live -- bash -c '/usr/bin/true; exit 0' 2>/dev/null >"$T/out"
	grep -q 'New program: true (PID:[0-9]*) runs /usr/bin/true$' "$T/out"
	grep -q 'Process exit: true (PID:[0-9]*) with code 0' "$T/out"
	cpu-usage --live -- sleep 0.01 2>/dev/null | grep -q '^sleep (PID:[0-9]*)  ran '
	try syscalls -d 1
	expect 2 "" "syscalls: -d goes with --live; see 'syscalls --help'"
	try cputop --live
	expect 2 "" "cputop: unknown option '--live'; see 'cputop --help'"
	for question in syscalls process-info io-analysis cpu-usage; do
		try "$question" --live -- sh -c 'exit 5'
		[ "$status" = 5 ] && [ -n "$out" ]
	done
	try syscalls --live -- no-such-program
	expect 127 "" "collect-syscalls: cannot run 'no-such-program': there is no such program in PATH"
	try syscalls --live -d 0.2 -p no-such-program
	[ "$status" = 0 ] && [ -z "$out" ] && [[ $err == *'syscalls: nothing found: no such event came' ]]
}

@test "without rights, --live says so in one line, and no answer" {
	need setpriv
	for question in syscalls contention; do
		try setpriv --bounding-set=-all --inh-caps=-all "$question" --live -d 1
		[ "$status" = 1 ] && [ -z "$out" ] && [ "$(wc -l <"$T/try.err")" = 1 ] || { cat "$T/try.err"; false; }
		[[ $err == collect-*': cannot load the BPF programs: Operation not permitted; run as root'* ]]
	done
}

@test "contention --live judges a command that fills the CPUs" {
	try contention --live -- bash -c 'for i in {1..6}; do (for j in {1..150000}; do :; done) & done; wait'
	[ "$status" = 4 ] && [[ $out == "verdict: contended"* ]] || { echo "$out"; false; }
	try contention -d 1 /dev/null
	expect 2 "" "contention: -d goes with --live; see 'contention --help'"
}

@test "top-live: a table for each interval; on a terminal in place of one another, and the terminal is put back" {
	top-live -i 300ms -d 1 --top 3 >"$T/out" 2>/dev/null
	grep -q '^comm  *name  *count' "$T/out"
	need tmux
	tmux -L "weir-$$" new-session -d -x 70 -y 20 "exec bash --norc"
	tmux -L "weir-$$" send-keys "'$WEIR_BIN/top-live' -i 300ms; echo status \$?" Enter
	on_screen '^comm'
	mv "$T/screen" "$T/table"
	tmux -L "weir-$$" send-keys C-c
	on_screen '^status'
	modes=$(tmux -L "weir-$$" display-message -p '#{cursor_flag} #{alternate_on} #{wrap_flag}')
	tmux -L "weir-$$" kill-server
	grep -q '^comm  *name  *count' "$T/table" && grep -qx 'status 0' "$T/screen" && [ "$modes" = "1 0 1" ]
	# Too narrow for the table: lines are cut, and its head stays.
	[[ $(head -n 1 "$T/table") =~ ^[0-9:]{8}$ ]] || { cat "$T/table"; false; }
	grep -q '^collect-syscalls: .* lost; BPF programs: ' "$T/screen"
}
