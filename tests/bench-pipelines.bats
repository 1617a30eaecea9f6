#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Captures of private servers under load: what the load generator counted is what the records show, and nothing is
# left. Each server is recorded for less than some seconds.

load helper
load sessiond

all=(redis nginx apache mysql postgresql docker fileops custom)

setup() {
	# The servers do not run as root: their directory is where all may enter.
	export TMPDIR
	TMPDIR=$(mktemp -d /tmp/weir-bench-test-XXXXXX)
	chmod 755 "$TMPDIR"
}
teardown() {
	sessiond_stop
	rm -rf "$TMPDIR"
}

# nothing_left: no file, and no process that was told one of ours, or has our environment.
nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] || { ls -A "$TMPDIR"; return 1; }
	local pid
	for pid in /proc/[0-9]*; do
		if grep -qsF "$TMPDIR" "$pid/cmdline" "$pid/environ" && ! grep -qsx grep "$pid/comm"; then
			echo "left: $(tr '\0' ' ' <"$pid/cmdline")"
			return 1
		fi
	done
}

# capture NAME OPTION...: by eBPF. Leaves the records in $T/records, those of the load phase in $T/load; $dir.
capture() {
	local one
	need zstd gnuplot setpriv sqlite3
	need_bpf collect-sched
	need_bpf collect-syscalls
	for one in $(bench-list | sed -n "s/^$1 *missing .*(\(.*\))$/\1/p"); do skip "bench-$1: $one"; done
	try "bench-$1" --backend bpf --traces "$T/traces" "${@:2}"
	[ "$status" = 0 ] || { echo "status $status: $err"; return 1; }
	dir=$T/traces/latest
	[ "$(head -n 1 <<<"$out")" = "$(readlink -f "$dir")" ]
	[ ! -e "$dir/report" ] || run ! grep -E 'not in this trace|INCOMPLETE' "$dir/report/summary.txt"
	zstd -dcq "$dir/records.tskv.zst" >"$T/records"
	read -r begin end < <(awk -F'\t' '$3 == "name=load" { ts = substr($1, 4); dur = substr($4, 8)
		system("echo $((" ts " - " dur ")) " ts) }' "$dir/load.tskv")
	where -f "$T/records" "ts>=$begin" "ts<=$end" >"$T/load"
	metadata_is_whole "$1"
	nothing_left
}

# metadata_is_whole NAME: the keys that users know, with their types, and ours.
metadata_is_whole() {
	python3 - "$dir/metadata.json" "$1" <<-'E'
	import json, sys
	m = json.load(open(sys.argv[1]))
	text = ["session_name", "timestamp", "command", "description", "start_time", "end_time", "backend", "kernel"]
	assert all(m[k] and isinstance(m[k], str) for k in text), m
	assert all(isinstance(m[k], list) for k in ["setup_commands", "test_commands", "capture_commands", "collectors"])
	assert all(isinstance(m[k], bool) for k in ["success", "fd_capture_enabled", "fork_tracking_enabled"])
	assert m["application"] == sys.argv[2] and m["success"] == (m["return_code"] == 0) == ("error" not in m)
	assert 0 < m["trace_duration"] < m["execution_time"] < 120
	assert m["start_time"] < m["end_time"] and m["lost_events"] == 0 and m["versions"]["weir"]
	assert m["session_name"] == "app_%s_%s" % (m["application"], m["timestamp"])
	E
}

# counted KEY: of all that the load generator counted, by its records; generator: their number.
counted() {
	awk -F'\t' -v key="$1=" '$2 == "ev=generator" { for (i = 3; i <= NF; i++) if (index($i, key) == 1) sum += substr($i, length(key) + 1) }
		END { print sum + 0 }' "$dir/load.tskv"
}

# answers COMM: how often a process of this name sent on a socket after it had received on it: by another program
# than the one that the report uses.
answers() {
	python3 - "$T/load" "$1" <<-'E'
	import sys
	before, n = {}, 0
	for line in open(sys.argv[1], errors="surrogateescape"):
	    r = dict(f.split("=", 1) for f in line.rstrip("\n").split("\t"))
	    if r["ev"] != "syscall" or r["comm"] != sys.argv[2] or not r.get("path", "").startswith(("tcp:", "unix:", "socket:")):
	        continue
	    if not r.get("ret", "-").isdigit() or r["ret"] == "0":
	        continue
	    at = r["pid"], r["fd"]
	    if r["name"] in ("read", "recvfrom", "recvmsg", "readv"):
	        before[at] = "receive"
	    elif r["name"] in ("write", "writev", "sendto", "sendmsg", "sendfile", "sendfile64"):
	        n += before.get(at) == "receive"
	        before[at] = "send"
	    elif r["name"].startswith("accept"):
	        before[r["pid"], r["ret"]] = "accept"
	print(n)
	E
}

@test "bench-list: a line each, with what is missing" {
	try bench-list
	[ "$status" = 0 ] && [ -z "$err" ]
	[ "$(awk '{ print $1 }' <<<"$out" | sort | paste -sd' ')" = "$(printf '%s\n' "${all[@]}" | sort | paste -sd' ')" ]
	[ "$(grep -cE '^[a-z]+ +(installed|missing  ) ' <<<"$out")" = 8 ]
	try bench-list x
	expect 2 '' "bench-list: it takes no arguments; see 'bench-list --help'"
}

@test "each: help, version, wrong usage" {
	for name in "${all[@]}"; do
		try "bench-$name" --help
		[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == "bench-$name: "*"usage: bench-$name "*--backend*--dry-run*examples:* ]] ||
			{ echo "$name: $out"; false; }
		run ! grep -qx '\[options\]' <<<"$out"
		try "bench-$name" --version
		[ "$status" = 0 ] && [[ $out == "bench-$name (weir) "* ]]
		for wrong in --frobnicate '--backend dtrace' '--duration x' '--traces=' 'a b'; do
			# shellcheck disable=SC2086
			try "bench-$name" $wrong
			[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "bench-$name: "*"--help'" ]] ||
				{ echo "$name $wrong: $status $out $err"; false; }
		done
	done
	nothing_left
}

@test "--dry-run prints the commands of every backend, and does nothing" {
	for name in "${all[@]}"; do
		operand=()
		[ "$name" != custom ] || operand=("echo 'a b' | cat")
		for backend in lttng bpf ust; do
			try "bench-$name" --dry-run --backend $backend --traces "$TMPDIR/traces" "${operand[@]}"
			[ "$status" = 0 ] && [ -z "$err" ] || { echo "$name $backend: $err"; false; }
			case $backend in
			lttng)
				for word in "create app_${name}_" 'enable-channel -k .* --subbuf-size=8M --num-subbuf=4 kernel_channel' \
					'add-context -k .* -t '{pid,tid,ppid,procname,vpid,vtid}'$' \
					'enable-event -k .* --syscall --all$' "start app_${name}_" "stop app_${name}_" "destroy app_${name}_"; do
					[ "$(grep -cE "^lttng -n $word" <<<"$out")" = 1 ] || { echo "$name: $word"; false; }
				done
				;;
			bpf) [ "$(grep -c '^collect-sched .*| zstd > ' <<<"$out")" = 1 ] ;;
			ust) [ "$(grep -cE "^lttng -n enable-event -u .* '\*'\$" <<<"$out")" = 1 ] ;;
			esac
			[ "$(tail -n 1 <<<"$out" | cut -d' ' -f1)" = report ]
		done
	done
	# What is printed for the user's command is what a shell takes.
	[ "$(eval "$(grep "^setpriv.*bash -c" <<<"$out")")" = 'a b' ]
	nothing_left
}

@test "redis: the requests that redis-benchmark counted, and their latency, are seen on the sockets" {
	capture redis --requests 1000 --clients 10 --tests set,get,incr
	[ "$(counted requests)" = 3000 ]
	# It asks for two settings besides.
	n=$(answers redis-server)
	[ "$n" -ge 3000 ] && [ "$n" -le 3002 ]
	sed -n '/^Redis: requests, as the sockets/,/^Redis: latency/p' "$dir/report/summary.txt" | grep -qE "^redis-server +[0-9]+ +$n "
	# Latency: the mean of all requests, by redis-benchmark and by the client's own calls, within a quarter.
	sed -n '/^Redis: latency/,/^Redis: bytes/p' "$dir/report/summary.txt" | grep -qE "^answer +redis-benchmark +$n "
	python3 - "$dir" "$T/load" <<-'E'
	import sys
	theirs = [dict(f.split("=", 1) for f in l.rstrip("\n").split("\t")) for l in open(sys.argv[1] + "/load.tskv")]
	theirs = [float(r["mean_ns"]) for r in theirs if r["ev"] == "generator"]
	began, seen = {}, []
	for line in open(sys.argv[2], errors="surrogateescape"):
	    r = dict(f.split("=", 1) for f in line.rstrip("\n").split("\t"))
	    if r["ev"] != "syscall" or r["comm"] != "redis-benchmark" or r.get("ret", "-1").startswith("-"):
	        continue
	    if r["name"] in ("sendto", "write"):
	        began[r["fd"]] = int(r["ts"]) - int(r["dur_ns"])
	    elif r["name"] in ("recvfrom", "read") and r.get("fd") in began:
	        seen.append(int(r["ts"]) - began.pop(r["fd"]))
	a, b = sum(theirs) / len(theirs), sum(seen) / len(seen)
	assert 0.75 < a / b < 1.33, (a, b)
	E
	sed -n '/^Redis: pages/,/^Redis: forks/p' "$dir/report/summary.txt" | grep -qE '^redis-server +[0-9]+ +[1-9][0-9]+ +[1-9][0-9]+ +-?[0-9]+$'
	# The save is a fork of the server, which wrote the file.
	sed -n '/^Redis: forks/,/^Redis: what/p' "$dir/report/summary.txt" | grep -qE '^redis-server +[0-9]+ '
	[ "$(sqlite3 "$dir/report/trace.db" "select count(*) from syscall where name in ('fsync', 'fdatasync') and path glob '*.rdb'")" = 1 ]
	grep -qE '^redis-server +(fsync|fdatasync) ' "$dir/report/summary.txt"
	# All three forms of the trace.
	[ "$(wc -l <"$T/records")" -gt 5000 ] && cmp -s "$T/records" "$dir/trace_output.txt"
	python3 -c "import json, sys; sys.exit(json.load(open('$dir/metadata.json'))['versions']['redis-server'].split()[0] != 'Redis')"
}

@test "nginx: requests, files and workers" {
	need ab
	capture nginx --by ab --requests 300 --clients 6 --no-text
	[ "$(counted requests)" = 900 ] && [ "$(counted failed)" = 0 ]
	[ "$(answers nginx)" = 900 ]
	for page in page.html style.css picture.bin; do
		[ "$(where -f "$T/load" ev=syscall comm=nginx name=openat "path=~/www/$page\$" | wc -l)" = 300 ]
	done
	[ "$(sed -n '/^Web: files/,/^Web: each/p' "$dir/report/summary.txt" | grep -cE ' 300 +0 ')" = 3 ]
	# The workers' shares are all.
	[ "$(sed -n "/^Web: each worker/,/^CPU cont/p" "$dir/report/summary.txt" | awk '$1 == "nginx" { n += $4 } END { print n }')" = 900 ]
	[ ! -e "$dir/trace_output.txt" ]
}

@test "nginx by curl: a connection for itself" {
	need curl
	capture nginx --by curl --requests 50 --no-report --no-text
	[ "$(counted requests)" = 150 ] && [ "$(counted failed)" = 0 ]
	[ "$(answers nginx)" = 150 ]
	[ ! -e "$dir/report" ]
}

@test "apache: a connection for each request" {
	need ab
	capture apache --by ab --keepalive no --requests 100 --clients 4 --no-text
	[ "$(counted requests)" = 300 ] && [ "$(counted failed)" = 0 ]
	server=$(where -f "$T/load" ev=syscall 'name~accept*' 'ret>0' | head -n 1 | sed 's/.*\tcomm=\([^\t]*\).*/\1/')
	[ "$(answers "$server")" = 300 ]
	# ab connects once more than it needs, or not.
	n=$(where -f "$T/load" ev=syscall "comm=$server" 'name~accept*' 'ret>0' | wc -l)
	[ "$n" -ge 300 ] && [ "$n" -le 312 ]
	[ "$(sed -n '/^Web: connections/,/^Web: files/p' "$dir/report/summary.txt" | awk -v s="$server" '$1 == s { n += $2 } END { print n }')" -ge 290 ]
}

@test "mysql: queries, and syncs of the log" {
	capture mysql --queries 400 --clients 4 --no-text
	[ "$(counted requests)" = 400 ]
	server=$(where -f "$T/records" ev=syscall name=accept4,accept 'ret>0' | head -n 1 | sed 's/.*\tcomm=\([^\t]*\).*/\1/')
	# mysqlslap makes its table and fills it besides: some hundred statements.
	n=$(answers "$server")
	[ "$n" -ge 400 ] && [ "$n" -le 560 ]
	[ "$(where -f "$T/load" ev=syscall 'name=fsync,fdatasync' 'path=~ib_(logfile|redo)' | wc -l)" -gt 20 ]
	grep -qE '^log +sync +[0-9]+ ' "$dir/report/summary.txt"
}

@test "postgresql: seven messages a transaction, a sync of the WAL for each commit at most" {
	capture postgresql --transactions 50 --clients 2 --no-text
	[ "$(counted requests)" = 100 ] && [ "$(counted failed)" = 0 ]
	# Two connections, and the first one that asks for the scale.
	n=$(answers postgres)
	[ "$n" -ge 700 ] && [ "$n" -le 710 ]
	n=$(where -f "$T/load" ev=syscall 'name=fsync,fdatasync' 'path=~pg_wal/' | wc -l)
	[ "$n" -ge 50 ] && [ "$n" -le 104 ]
	grep -qE "^log +sync +$n " "$dir/report/summary.txt"
}

@test "fileops: the files that find found were opened by grep, and copied" {
	capture fileops --files 60 --size 4 --no-text
	[ "$(counted requests)" = 60 ]
	[ "$(where -f "$T/load" ev=syscall comm=grep 'name=openat' 'path=~/copy/file[0-9]+$|^file[0-9]+$' 'ret>=0' | wc -l)" = 60 ]
	# dd wrote 4 MiB with one sync.
	[ "$(where -f "$T/load" ev=syscall comm=dd name=write 'path=~/large$' | stats -o tskv -a sum bytes | sed 's/.*\tsum=\([0-9]*\).*/\1/')" = $((4 << 20)) ]
	[ "$(where -f "$T/load" ev=syscall comm=dd name=fsync | wc -l)" = 1 ]
}

@test "custom: repeated until the time is over; a command that fails is recorded, status 1" {
	capture custom --duration 1 --no-report --no-text 'cat /etc/hostname; sleep 0.2'
	n=$(grep -c . "$dir/load.txt")
	[ "$n" -ge 2 ] && [ "$n" -le 6 ]
	got=$(where -f "$T/load" ev=syscall comm=cat name=openat path=/etc/hostname | wc -l)
	[ "$got" = "$n" ]
	sleep 1
	try bench-custom --backend bpf --traces "$T/traces" --no-report --no-text 'echo "no \"way\"" >&2; exit 7'
	[ "$status" = 1 ] && [[ $err == *'bench-custom: the load failed (status 7): no "way"' ]] || { echo "$err"; false; }
	python3 - "$T/traces/latest/metadata.json" <<-'E'
	import json, sys
	m = json.load(open(sys.argv[1]))
	assert m["success"] is False and m["return_code"] == 7, m
	assert m["error"] == 'the load failed with status 7: no "way"', m
	E
	nothing_left
}

# interrupted SIGNAL [-] BACKEND: bench-nginx under load gets it, or (-) all its processes, as by a terminal; nothing is left.
interrupted() {
	need nginx ab setpriv
	# A shell's background job ignores SIGINT, and what it starts.
	setsid env --default-signal=INT bench-nginx --backend "$3" --by ab --duration 60 --traces "$TMPDIR/traces" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	for _ in $(seq 300); do
		[ -n "$(find "$TMPDIR/traces" -name load.txt -size +0 2>/dev/null)" ] && break
		sleep 0.05
	done
	kill -s "$1" -- "$2$pid"
	status=0
	wait $pid || status=$?
	[ ! -s "$T/out" ]
	[ "$1" != KILL ] || for _ in $(seq 40); do nothing_left >/dev/null && break; sleep 0.1; done
	nothing_left
}

@test "Ctrl-C: no process, no file left" {
	need_bpf collect-sched
	interrupted INT - bpf
	[ "$status" = 130 ]
}

@test "Ctrl-C while LTTng records the kernel: no process, no file, no session left" {
	live
	[ "$(id -u)" = 0 ] && modinfo lttng-tracer >/dev/null 2>&1 || skip "LTTng cannot trace the kernel here"
	interrupted INT - lttng
	[ "$status" = 130 ]
	run ! grep app_nginx <(lttng --no-sessiond list 2>&1)
}

@test "Ctrl-C while the report is made: the trace stays, without half a report" {
	need setpriv gnuplot sqlite3
	need_bpf collect-sched
	setsid env --default-signal=INT bench-custom 'find /usr/bin' --backend bpf --traces "$T/traces" >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	for _ in $(seq 1000); do
		[ ! -d "$T/traces/latest/report/states" ] || break
		sleep 0.01
	done
	kill -s INT -- -$pid
	status=0
	wait $pid || status=$?
	[ "$status" = 130 ]
	[ "$(ls "$T/traces/latest")" = $'load.tskv\nload.txt\nmetadata.json\nrecords.tskv.zst\nserver.log\ntrace_output.txt' ]
	nothing_left
}

@test "SIGTERM: no process, no file left" {
	need_bpf collect-sched
	interrupted TERM '' bpf
	[ "$status" = 143 ]
}

@test "SIGKILL: soon no process, no file left" {
	need_bpf collect-sched
	interrupted KILL '' bpf
	[ "$status" = 137 ]
}

@test "a server that does not start: its last words, status 1, nothing left" {
	need redis-server redis-cli redis-benchmark setpriv
	need_bpf collect-sched
	mkdir "$T/fake"
	printf '#!/bin/sh\necho started >&2\necho "Out of luck" >&2\nexit 3\n' >"$T/fake/redis-server"
	chmod -R a+rx "$T/fake"
	mv "$T/fake" "$TMPDIR.fake"
	PATH=$TMPDIR.fake:$PATH try bench-redis --backend bpf --traces "$TMPDIR/traces"
	rm -r "$TMPDIR.fake"
	expect 1 '' 'bench-redis: the server does not start: Out of luck'
	nothing_left
}

@test "what is missing is said, a line each, before anything starts" {
	need setpriv
	if [ "$(id -u)" = 0 ]; then
		chmod 777 "$TMPDIR"
		chmod a+rx "$WEIR_BIN" 2>/dev/null || true
		setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$WEIR_BIN/collect-sched" || skip 'nobody cannot enter here'
		try setpriv --reuid=65534 --regid=65534 --clear-groups "$WEIR_BIN/bench-custom" --backend bpf --traces "$TMPDIR/traces" true
		expect 1 '' 'bench-custom: no right to load BPF programs: run bench-custom as root'
	fi
	nothing_left
	if [ ! -d /sys/module/lttng_tracer ] && ! modinfo lttng-tracer >/dev/null 2>&1 && command -v lttng babeltrace2 >/dev/null; then
		try bench-custom --backend lttng --traces "$TMPDIR/traces" true
		expect 1 '' "bench-custom: LTTng's kernel modules are not there for Linux $(uname -r): install lttng-modules-dkms"
	fi
	nothing_left
}

@test "events that are lost are counted, and said" {
	need zstd setpriv
	need_bpf collect-syscalls
	try bench-custom --backend bpf --ring 4K --traces "$T/traces" --no-report --no-text 'grep -rl nothing /usr/share/doc /usr/lib/python3 | head -n 1'
	[ "$status" = 0 ]
	n=$(sed -n 's/.*"lost_events": \([0-9]*\),.*/\1/p' "$T/traces/latest/metadata.json")
	[ "$n" -gt 0 ]
	grep -qx "bench-custom: events were lost: $n" <<<"$err"
	grep -q '^collect-.* events* w.* lost: what was recorded is incomplete; a larger --ring holds more$' <<<"$err"
	# All that was counted is in the records, at its place.
	[ "$(zstd -dcq "$T/traces/latest/records.tskv.zst" | where ev=lost | awk -F'\t' '
		{ for (i = 1; i <= NF; i++) if ($i ~ /^n=/) sum += substr($i, 3) } END { print sum }')" = "$n" ]
}

@test "docker, by an engine that fails: what was made is removed" {
	need zstd setpriv
	need_bpf collect-syscalls
	mkdir "$T/fake"
	cat >"$T/fake/docker" <<-E
	#!/bin/bash
	echo "\$*" >>$T/said
	case \$1\$2 in
	create--name)
		[[ \$3 != *-2 ]] || { echo 'no space left' >&2; exit 125; }
		echo "\$3" >>$T/containers
		;;
	inspect*) grep -qx -- "\$2" $T/containers ;;
	rm-f) sed -i "/^\$3\$/d" $T/containers ;;
	esac
	E
	chmod +x "$T/fake/docker"
	PATH=$T/fake:$PATH try bench-docker --backend bpf --containers 3 --traces "$T/traces" --no-report --no-text
	[ "$status" = 1 ] && [[ $err == *"bench-docker: the load failed (status 125): no space left" ]]
	[ ! -s "$T/containers" ]
	mine=$(sed -n 's/^network create //p' "$T/said")
	grep -qx "network rm $mine" "$T/said"
	grep -qx "volume rm $mine" "$T/said"
	grep -qx "rm -f $mine-1" "$T/said"
	nothing_left
}

@test "docker, without the image and a way to fetch it: it says so, nothing is made" {
	need zstd setpriv
	need_bpf collect-syscalls
	mkdir "$T/fake"
	cat >"$T/fake/docker" <<-E
	#!/bin/bash
	echo "\$*" >>$T/said
	case \$1\$2 in
	imageinspect) echo "Error: No such image: \$3" >&2; exit 1 ;;
	pull*) echo "Error response from daemon: network is unreachable" >&2; exit 1 ;;
	esac
	E
	chmod +x "$T/fake/docker"
	PATH=$T/fake:$PATH try bench-docker --backend bpf --image tiny:1 --traces "$T/traces"
	expect 1 '' "bench-docker: no image 'tiny:1' is here, and none can be fetched: Error response from daemon: network is unreachable; --image takes another one"
	run ! grep -E '^(network|volume|create)' "$T/said"
	nothing_left
}

@test "redis, as LTTng recorded it: the section's figures are those of redis-benchmark" {
	need_trace redis
	# 12,000 requests and one for the configuration: the trace's TRUTH.txt, its README.
	lttng-convert "$trace/trace" >"$T/raw"
	first=$(head -n 1 "$T/raw" | cut -f1)
	last=$(tail -n 1 "$T/raw" | cut -f1)
	record "$last" ev=phase name=load dur_ns=$((${last#ts=} - ${first#ts=})) >"$T/load.tskv"
	try report --section "$TESTS/../pipelines/bench-redis.sql" --with "$T/load.tskv" -o "$T/report" "$T/raw"
	[ "$status" = 0 ] || { echo "$err"; false; }
	sed -n '/^Redis: latency/,/^Redis: bytes/p' "$T/report/summary.txt" | grep -qE '^answer +redis-benchmark +12001 '
}

@test "ust: an application's own events, with a session daemon that ends with it" {
	need babeltrace2
	TMPDIR='' sessiond_start
	kill "$(cat "$home/pid")"
	for _ in $(seq 50); do kill -0 "$(cat "$home/pid")" 2>/dev/null || break; sleep 0.1; done
	chmod 777 "$TMPDIR"
	for word in $as; do [[ $word != setpriv ]] || $as test -x "$WEIR_BIN/where" || skip 'nobody cannot enter here'; done
	# shellcheck disable=SC2086
	try $as "$WEIR_BIN/bench-custom" --backend ust --ust 'weir_test:*' --traces "$home/traces" "$home/app 300 20"
	[ "$status" = 0 ] || { echo "$err"; false; }
	dir=$home/traces/latest
	metadata_is_whole custom
	[ "$(wc -l <"$dir/trace_output.txt")" = 300 ]
	[ "$(lttng-convert "$dir/ust" | where ev=weir_test:step | wc -l)" = 300 ]
	grep -qE '^weir_test:step +300 ' "$dir/report/summary.txt"
	nothing_left
}

@test "a section is tables by queries; what is wrong in it is said" {
	record ts=1 ev=syscall pid=1 tid=1 name=read dur_ns=5 >"$T/r"
	record ts=2 ev=syscall pid=1 tid=1 name=write dur_ns=7 >>"$T/r"
	record ts=3 ev=mark colour=red >"$T/marks"
	cat >"$T/s.sql" <<-'E'
	WITH call AS (SELECT name, dur_ns FROM syscall)

	--# Calls
	--: Two of them.
	--> list -f name,dur_ns
	SELECT * FROM call ORDER BY name
	--# Marks
	--> stats -g colour -a count
	SELECT colour FROM mark
	--# Nothing
	--> list -f name
	SELECT * FROM call WHERE name = 'none'
	--# Unknown
	--> list -f x
	SELECT x FROM nowhere
	E
	try report --section "$T/s.sql" --with "$T/marks" -o "$T/report" "$T/r"
	[ "$status" = 0 ] || { echo "$err"; false; }
	diff <(sed -n '/^Calls/,/^System calls/p' "$T/report/summary.txt" | sed '$d') - <<-'E'
	Calls
	-----

	Two of them.
	name   dur_ns
	read     5 ns
	write    7 ns

	Marks
	-----

	colour  count
	red         1

	Nothing
	-------

	none

	Unknown
	-------

	not in this trace: nowhere

	E
	printf '%s\n' '--# Bad' '--> rm -rf /' 'SELECT 1 AS a' >"$T/bad.sql"
	try report --section "$T/bad.sql" -o "$T/report2" "$T/r"
	[ "$status" = 1 ] && [[ $err == *"report: cannot show a table of 'Bad' by 'rm': there are list, stats, share and histogram"* ]]
}
