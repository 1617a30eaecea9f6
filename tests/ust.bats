#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Traces of LTTng-UST, recorded here: both readers of lttng-convert, against babeltrace2 and what was sent.
# $as is words: a command and its arguments.
# shellcheck disable=SC2086

load helper
load sessiond

# One daemon for all tests, started by the first: setup_file() cannot skip.
setup() {
	[ -f "$BATS_FILE_TMPDIR/daemon" ] || {
		sessiond_start
		printf 'home=%q as=%q\n' "$home" "$as" >"$BATS_FILE_TMPDIR/daemon"
	}
	# shellcheck disable=SC1091
	. "$BATS_FILE_TMPDIR/daemon"
	session=s$BATS_TEST_NUMBER
	trace=$home/traces/$session
}
teardown_file() {
	# shellcheck disable=SC1091
	[ ! -f "$BATS_FILE_TMPDIR/daemon" ] || . "$BATS_FILE_TMPDIR/daemon"
	sessiond_stop
}

lttng() {
	$as lttng -q "$@" >"$T/lttng" 2>&1 || { cat "$T/lttng"; return 1; }
}

# create OPTION...: makes the session; channel OPTION...: its channel; start: starts it.
create() {
	lttng create "$session" --output="$trace" "$@"
}
channel() {
	lttng enable-channel -u -s "$session" channel "$@"
	context vpid
	context vtid
}
context() {
	lttng add-context -u -s "$session" -c channel -t "$1"
}
start() {
	lttng enable-event -u -s "$session" -c channel 'weir_test:*'
	lttng start "$session"
}

# send N [BYTES]: the program emits N events. Three do so at once with send3.
send() {
	$as "$home/app" "$@"
}
send3() {
	local pids=() pid
	for _ in 1 2 3; do
		send "$@" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do wait "$pid"; done
}

# agree [TRACE]: both readers give the same bytes and messages, also of a window in time, sorted, and as many
# events as babeltrace2; all that was lost is counted. Leaves the records in $T/records.
agree() {
	local of=${1:-$trace} window='' reader
	chmod -R a+rX "$home/traces"
	for _ in whole window; do
		for reader in fast babeltrace; do
			try lttng-convert --reader $reader $window "$of"
			[ "$status" = 0 ] || { echo "$reader: status $status"; echo "$err"; return 1; }
			mv "$T/try.out" "$T/$reader.out"
			mv "$T/try.err" "$T/$reader.err"
		done
		cmp "$T/fast.out" "$T/babeltrace.out"
		diff "$T/fast.err" "$T/babeltrace.err"
		[ -z "$window" ] || break
		mv "$T/fast.out" "$T/records"
		mv "$T/fast.err" "$T/said"
		window=$(cut -f1 "$T/records" | awk 'NR == 1 { first = last = $0 } { last = $0 } { line[NR] = $0 } END {
			print "--begin", substr(line[int(NR / 3) + 1], 4), "--end", substr(line[int(NR / 2) + 1], 4) }')
	done
	cut -f1 "$T/records" | sort -c
	[ "$(grep -avc $'\tev=lost\t' "$T/records")" = "$(babeltrace2 "$of" 2>/dev/null | wc -l)" ]
	[ "$(grep -ac $'\tev=lost\t' "$T/records")" = "$(sed -nE 's/.* lost in ([0-9]+) place.*/\1/p' "$T/said" | grep . || echo 0)" ]
}

# gaps N: what ust-gaps says: sets $seen, $missing, $lost, $before, $unexplained.
gaps() {
	local words word
	words=$("$TESTS/ust-gaps" "$1" <"$T/records")
	echo "$words"
	for word in $words; do declare -g "$word"; done
}

# all_told N: what is there and what is lost are all N that were sent; or less, where the last that is said of a
# stream's loss is that it is not known: its counter was torn, and no packet came behind it.
all_told() {
	if grep -a $'\tev=lost\t' "$T/records" | tac | sort -s -u -t $'\t' -k5,5 | grep -qF $'\tn=?\t'; then
		[ $((seen + lost)) -le "$1" ]
	else
		[ $((seen + lost)) = "$1" ]
	fi
}

@test "three programs, a ring that discards: what is there and what is lost is what was sent" {
	create
	channel --subbuf-size=4K --num-subbuf=4
	start
	send3 20000 20
	lttng destroy "$session"
	agree
	gaps 20000
	[ "$lost" -gt 0 ] && [ "$unexplained" = 0 ]
	all_told 60000
}

@test "a ring that overwrites: each gap is said, as packets" {
	create
	channel --overwrite --subbuf-size=4K --num-subbuf=2
	start
	send 30000 20
	lttng destroy "$session"
	agree
	gaps 30000
	[ "$missing" -gt 0 ] && [ "$unexplained" = 0 ]
	grep -qaE $'\tev=lost\tcpu=[0-9]+\tn=\\?\t.*\tpackets=[0-9]+$' "$T/records"
}

@test "a channel that blocks: what LTTng loses all the same is said" {
	create
	channel --subbuf-size=64K --num-subbuf=2 --blocking-timeout=inf
	start
	export LTTNG_UST_ALLOW_BLOCKING=1
	send3 4000 20
	lttng destroy "$session"
	agree
	gaps 4000
	[ "$unexplained" = 0 ]
	all_told 12000
}

@test "a buffer for each process" {
	create
	channel --buffers-pid
	start
	send3 1000 20
	send 1000
	lttng destroy "$session"
	agree
	[ "$(find "$trace" -name metadata | wc -l)" = 4 ]
	gaps 1000
	[ "$seen" = 4000 ] && [ "$missing" = 0 ]
}

@test "a buffer for each process, without contexts: the trace tells whose its events are" {
	create
	lttng enable-channel -u -s "$session" channel --buffers-pid
	context vtid
	start
	send3 10
	cp "$home/app" "$home/a b: (7) c"
	$as "$home/a b: (7) c" 5
	lttng destroy "$session"
	agree
	babeltrace2 --no-delta "$trace" |
		sed -E 's/^\[[^]]*\] [^:]*:(.*):\(([0-9]+)\) weir.*vtid = ([0-9]+) .*/pid=\2\ttid=\3\tcomm=\1/' | sort >"$T/wanted"
	cut -f4-6 "$T/records" | sort | diff "$T/wanted" -
	[ "$(sort -u "$T/wanted" | wc -l)" = 4 ]
	# Its text tells as much; a name has two parts all the same.
	for form in '' '--fields=all --names=all' '--clock-seconds --no-delta'; do
		babeltrace2 $form "$trace" | lttng-convert | cut -f2- | diff <(cut -f2- "$T/records") -
	done
	lttng-convert -f pid "$trace" | cut -f3- | sort -u | diff <(cut -f1 "$T/wanted" | sort -u) -
	cmp <(lttng-convert -f comm --reader fast "$trace") <(lttng-convert -f comm --reader babeltrace "$trace")
}

@test "snapshots that overlap are read once; what was overwritten between them is said" {
	create --snapshot
	channel --overwrite --subbuf-size=4K --num-subbuf=8
	start
	for n in 100 100 2000 300; do
		send "$n" 20
		lttng snapshot record -s "$session"
	done
	lttng destroy "$session"
	agree
	gaps 2000
	[ "$(grep -ac 'number=0' "$T/records")" -ge 2 ]
	[ "$seen" = "$(grep -a weir_test:step "$T/records" | sort -u | wc -l)" ]
	# Each snapshot, and each two of them.
	for one in "$trace"/snapshot-*; do
		agree "$one"
		for two in "$trace"/snapshot-*; do
			lttng-convert --reader fast "$one" "$two" | cmp - <(lttng-convert --reader babeltrace "$one" "$two")
		done
	done
}

@test "rotation, by hand and by size: the chunks together" {
	create
	channel --subbuf-size=16K --num-subbuf=16
	start
	lttng enable-rotation -s "$session" --size 32K
	for _ in 1 2 3; do
		send 500 20
		# One of --size may be under way.
		for _ in 1 2 3 4 5; do lttng rotate "$session" && break; sleep 0.5; done
	done
	send 500 20
	lttng destroy "$session"
	agree
	[ "$(find "$trace" -name metadata | wc -l)" -ge 4 ]
	gaps 500
	[ "$seen" = 2000 ] && [ "$missing" = 0 ]
	lttng-convert "$trace"/archives/* | cmp - "$T/records"
}

@test "a ring of trace files: what the first ones had is lost" {
	create
	channel --subbuf-size=4K --num-subbuf=256 --tracefile-size=16K --tracefile-count=3
	start
	# On one CPU: a stream that was left early keeps what it has.
	as="taskset -c 0 $as" send 10000 20
	lttng destroy "$session"
	agree
	gaps 10000
	[ "$seen" -gt 300 ] && [ "$before" -gt 1000 ] && [ "$missing" = "$before" ]
	grep -qa 'number=9999' "$T/records"
}

@test "all contexts" {
	create
	channel
	for one in procname pthread_id ip cgroup_ns ipc_ns mnt_ns net_ns pid_ns time_ns user_ns uts_ns vuid vgid; do
		context $one
	done
	# Counters of the CPU may not be there.
	context perf:thread:task-clock || true
	start
	send
	send 3
	lttng destroy "$session"
	agree
	[ "$(wc -l <"$T/records")" = 7 ]
	user=$($as id -u)
	grep -qaP "\tcomm=app\tpthread_id=\d+\tip=\d+\t(.*\t)?pid_ns=\d+\t.*vuid=$user\t" "$T/records"
}

@test "traced functions have their names by the state dump; not by a file that is another one now" {
	local preload buffers
	preload=$(find /usr/lib* -name liblttng-ust-cyg-profile.so -print -quit)
	[ -n "$preload" ] || skip "no liblttng-ust-cyg-profile"
	printf '%s\n' 'static volatile int n; void in(void) { n++; } void out(void) { in(); in(); }' \
		'int main(void) { out(); return 0; }' >"$home/deep.c"
	gcc -Wl,--build-id -fPIE -pie -finstrument-functions -o "$home/deep" "$home/deep.c"
	for buffers in uid pid; do
		session=deep-$buffers trace=$home/traces/deep-$buffers
		create
		lttng enable-channel -u -s "$session" channel --buffers-$buffers
		context vtid
		[ $buffers = pid ] || { context vpid; context procname; }
		lttng enable-event -u -s "$session" -c channel 'lttng_ust_cyg_profile*,lttng_ust_statedump:*,lttng_ust_dl:*'
		lttng start "$session"
		$as env LD_PRELOAD="$preload" "$home/deep"
		lttng destroy "$session"
		chmod -R a+rX "$home/traces"
		diff <(lttng-convert "$trace" | fold-stacks -w count) - <<-'E'
		deep;main 1
		deep;main;out 1
		deep;main;out;in 2
		E
	done
	flame "$trace" >"$T/svg"
	grep -q 'out' "$T/svg"
	run ! grep -q unmapped "$T/svg"
	gcc -O2 -Wl,--build-id -fPIE -pie -finstrument-functions -o "$home/deep" "$home/deep.c"
	try fold-stacks -w count < <(lttng-convert "$trace")
	[ "$status" = 0 ] && [[ $out == *'[unmapped+0x'* && $out != *main* ]]
	[[ $err == 'fold-stacks: 1 mapped file is not here, or is another by its build id: no names from it'* ]]
}

@test "a trace that is being written: what is whole" {
	create
	channel --subbuf-size=4K --num-subbuf=64
	start
	# LTTng writes the metadata once a program has ended, or stopped adding to it.
	send 10 20
	mkfifo "$T/go"
	$as "$home/app" 2000 20 1000 <"$T/go" >"$T/sent" &
	app=$!
	exec 7>"$T/go"
	for _ in $(seq 100); do [ "$(tail -n 1 "$T/sent")" = 1000 ] && break; sleep 0.05; done
	for _ in $(seq 100); do
		[ -n "$(find "$trace" -name 'channel_*' -size +20k)" ] && [ -s "$(find "$trace" -name metadata)" ] && break
		sleep 0.05
	done
	agree
	gaps 1000
	[ "$seen" -gt 300 ] && [ "$seen" -le 1010 ] && [ "$before" = 0 ] && [ "$lost" = 0 ]
	exec 7>&-
	wait $app
	lttng destroy "$session"
	agree
	gaps 2000
	[ "$seen" = 2010 ] && [ "$missing" = 1990 ]
}

# crashed MODE: what lttng-crash finds in the rings after the program and the daemon were killed.
crashed() {
	need lttng-crash
	local all=$home daemon app
	# A daemon of its own, to be killed.
	home=$home/$session
	mkdir "$home"
	cp "$all/app" "$home"
	chmod a+rwX "$home"
	as=${as//$all/$home}
	trace=$all/traces/$session
	$as lttng-sessiond --no-kernel --daemonize --pidfile="$home/pid" 3>&- 4>&-
	lttng create "$session" --snapshot --shm-path="$home/shm"
	channel "$1" --subbuf-size=4K --num-subbuf=8
	start
	mkfifo "$T/go"
	$as "$home/app" 5000 20 5000 <"$T/go" >"$T/sent" &
	app=$!
	exec 7>"$T/go"
	for _ in $(seq 100); do [ -s "$T/sent" ] && break; sleep 0.05; done
	# The program is our child: setpriv and env have become it. The daemon's is the one that empties rings, and
	# removes them when it notices.
	daemon=$(cat "$home/pid")
	kill -KILL $app $(pgrep -P "$daemon") "$daemon"
	wait $app || true
	exec 7>&-
	lttng-crash -x "$trace" "$home/shm"
	home=$all
	agree
	gaps 5000
	[ "$seen" -gt 500 ] && [ "$unexplained" -le 1 ]
}

@test "rings of killed programs, taken out by lttng-crash: overwriting" {
	crashed --overwrite
	grep -qa 'number=4999' "$T/records"
	[ "$unexplained" = 0 ]
}

@test "rings of killed programs, taken out by lttng-crash: discarding" {
	crashed --discard
	grep -qa 'number=0' "$T/records"
}
