#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# http-monitor and plot-monitor on a service with known faults, against python and sqlite3.

load helper

setup() {
	live
	[ -x "$WEIR_BIN/demo-service" ] && [ -x "$WEIR_BIN/probe-http" ] || skip "demo-service or probe-http was not built"
	need python3 sqlite3 gnuplot
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# monitor ARGUMENTS... -- SERVICE-ARGUMENTS...: http-monitor on /process of a service of its own, in $T/dir.
monitor() {
	local port arguments=()
	port=$(free_port)
	while [ "$1" != -- ]; do arguments+=("$1"); shift; done
	shift
	try timeout 180 http-monitor -o "$T/dir" "${arguments[@]}" "http://127.0.0.1:$port/process" -- \
		demo-service --port "$port" --database "$T/service.db" "$@"
}

@test "CSV, table and figures hold the same requests, in the old forms; old files are kept" {
	monitor -i 0.02 -d 2 --svg -- --error-rate 0.1
	[ "$status" = 0 ]
	[ "$(head -n 1 "$T/dir/monitor_log.csv")" = timestamp,latency_ms,success,status_code ]
	[ "$(sqlite3 "$T/dir/database.db" "select sql from sqlite_master where name = 'monitor_stats'" | tr -s ' \n\t' ' ' | sed 's/ $//')" = \
		'CREATE TABLE monitor_stats(id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, latency_ms REAL NOT NULL, success INTEGER NOT NULL, status_code INTEGER)' ]
	python3 - "$T/dir" "$T/try.out" <<-'E'
	import csv, re, sqlite3, statistics, sys, datetime
	rows = list(csv.DictReader(open(sys.argv[1] + '/monitor_log.csv')))
	table = sqlite3.connect(sys.argv[1] + '/database.db').execute(
	    'select timestamp, latency_ms, success, status_code from monitor_stats order by id').fetchall()
	records = [dict(f.split('=', 1) for f in l.rstrip('\n').split('\t')) for l in open(sys.argv[1] + '/monitor.tskv')]
	assert len(rows) == len(table) == len(records) == 100, (len(rows), len(table), len(records))
	for row, entry, record in zip(rows, table, records):
	    print(row, entry, record)
	    assert row['timestamp'] == entry[0] and re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}', entry[0])
	    at = datetime.datetime.fromisoformat(entry[0] + '+00:00')
	    assert round(at.timestamp() * 1e6) == int(record['ts']) // 1000
	    assert float(row['latency_ms']) == entry[1] == int(record['dur_ns']) / 1e6
	    assert (row['success'] == 'True') == (entry[2] == 1) == (entry[3] == 200) and row['status_code'] == str(entry[3])
	good = sorted(r[1] for r in table if r[2])
	assert len(good) < 100
	text = open(sys.argv[2]).read()
	def said(name):
	    value, unit = re.search(name + r' +([0-9.]+) (\S+)', text).groups()
	    return float(value) * {'ns': 1e-6, 'µs': 1e-3, 'ms': 1, 's': 1e3, '%': 1}[unit]
	def close(name, want):
	    assert abs(said(name) - want) <= 6e-4 * want, (name, said(name), want)
	def quantile(p):
	    at = (len(good) - 1) * p
	    low = int(at)
	    return good[low] + (good[min(low + 1, len(good) - 1)] - good[low]) * (at - low)
	assert re.search(r'Total Requests +100\n', text)
	close('Success Rate', len(good))
	close('Average Latency', statistics.mean(good))
	close('Median Latency', statistics.median(good))
	close('Min Latency', good[0])
	close('Max Latency', good[-1])
	close('Std Deviation', statistics.stdev(good))
	close('P95 Latency', quantile(.95))
	close('P99 Latency', quantile(.99))
	assert re.search(r'Failed: +status +%d\n' % (100 - len(good)), text)
	E
	# A PNG of the default size, an SVG that is XML.
	python3 -c 'import struct, sys
b = open(sys.argv[1], "rb").read()
assert b[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", b[16:24]) == (1600, 1000) and len(b) > 20000' "$T/dir/monitor_plots.png"
	python3 -c 'import sys, xml.dom.minidom as x; t = x.parse(sys.argv[1]).toxml(); assert "Total Requests" in t and "succeeded" in t' \
		"$T/dir/monitor_plots.svg"
	sum=$(cksum <"$T/dir/monitor.tskv")
	monitor -n 3 -i 0.05 --
	[ "$status" = 0 ] && [[ $err == *"the files of an earlier run are now in $T/dir/old-"* ]]
	[ "$(cat "$T"/dir/old-*/monitor.tskv | cksum)" = "$sum" ]
	[ "$(wc -l <"$T/dir/monitor.tskv")" = 3 ] && [ "$(sqlite3 "$T/dir/database.db" 'select count(*) from monitor_stats')" = 3 ]
}

@test "limits: the service is throttled, the records say so, and no cgroup is left" {
	[ "$(id -u)" = 0 ] || skip "cgroups want root"
	monitor -i 0.05 -d 2.5 --timeout 2 --limit-cpu 0.05 --limit-mem 256m --
	[[ $err != *"cannot limit "* ]] || skip "${err##*$'\n'}"
	[ "$status" = 0 ]
	where ev=throttle <"$T/dir/monitor.tskv" >"$T/throttle"
	[ "$(wc -l <"$T/throttle")" -ge 1 ]
	where 'memory_bytes>0' 'memory_bytes<=256M' 'periods>0' <"$T/throttle" | cmp - "$T/throttle"
	where ev=http <"$T/dir/monitor.tskv" | wc -l | grep -qx 50
	LC_ALL=C sort -c -t= -k2,2n "$T/dir/monitor.tskv"
	[ -z "$(find /sys/fs/cgroup -maxdepth 6 -name 'weir-*' 2>/dev/null)" ]
}

@test "limits: from within a session, whose cgroup has processes (version 2)" {
	[ "$(id -u)" = 0 ] || skip "cgroups want root"
	grep -qsw cpu /sys/fs/cgroup/cgroup.controllers || skip "no cgroups of version 2 with the cpu controller"
	port=$(free_port)
	session=/sys/fs/cgroup/weir-test-$$
	mkdir "$session"
	# shellcheck disable=SC2016
	run bash -c 'echo $BASHPID >"$1/cgroup.procs" && shift && exec "$@"' - "$session" http-monitor -o "$T/dir" -n 3 -i 0.05 \
		--limit-cpu 0.5 --limit-mem 64m "http://127.0.0.1:$port/" -- sh -c "cat /proc/self/cgroup; exec demo-service --port $port"
	rmdir "$session"
	[ "$status" = 0 ] || { echo "$output"; false; }
	grep -qE '^0::/weir-[0-9]+$' "$T/dir/service.log"
	[ ! -e "$(sed -n 's,^0::,/sys/fs/cgroup,p' "$T/dir/service.log")" ]
}

@test "what cannot be done is said: a command that ends, one that does not listen, wrong options" {
	try http-monitor -o "$T/dir" http://127.0.0.1:1/ -- false
	[ "$status" = 1 ] && [[ $err == *"cannot start false: it ended; $T/dir/service.log has what it said"* ]]
	try http-monitor -o "$T/dir" --limit-cpu 0.5 http://127.0.0.1:1/
	[ "$status" = 2 ] && [[ $err == "http-monitor: limits want a command to limit: -- CMD..."* ]]
	try http-monitor --limit-cpu half http://127.0.0.1:1/ -- true
	[ "$status" = 2 ]
	try http-monitor 'file:///etc/passwd'
	[ "$status" = 2 ]
	try http-monitor -o "$T/refused" -i 0.01 -n 5 http://127.0.0.1:1/
	[ "$status" = 0 ] && [[ $out == *"Success Rate"*"0.00 %"*"Average Latency"*" -"*"refused"*5* ]]
	# What probe-http does not take is said before old files are moved, and the service is started.
	try http-monitor -o "$T/wrong" -d 0 http://127.0.0.1:1/ -- touch "$T/started"
	expect 2 '' "probe-http: cannot use '0' for -d: it takes a duration such as 10ms or 5s; see 'probe-http --help'"
	[ ! -e "$T/wrong" ] && [ ! -e "$T/started" ]
}

http() {
	record ts=$((1795225295000000000 + $1 * 1000000)) ev=http ok="$2" intended_ts=$((1795225295000000000 + $3 * 1000000)) \
		dur_ns=$((($1 - $3) * 1000000)) "${@:4}"
}

@test "plot-monitor: stalls are found; a kind of failure cannot drive the terminal or gnuplot" {
	local i
	for i in $(seq 0 50 1000); do http $((i + 5)) 1 "$i"; done >"$T/in"
	# Nothing for 600 ms, then all at once.
	for i in $(seq 1050 50 1600); do http $((1650 + i / 100)) 1 "$i"; done >>"$T/in"
	for i in $(seq 1650 50 2500); do http $((i + 5)) 1 "$i"; done >>"$T/in"
	try plot-monitor --format summary "$T/in"
	[ "$status" = 0 ] && [[ $out == *"Total Requests                  51"*"No answers for a while           1" ]]
	# A pause in which nothing was due is none.
	for i in $(seq 0 50 1000) $(seq 3000 50 4000); do http $((i + 5)) 1 "$i"; done >"$T/pause"
	try plot-monitor --format summary "$T/pause"
	[[ $out != *"No answers"* ]]
	http 5000 0 4000 'error=`touch x`\x1b[2J' >>"$T/in"
	cd "$T"
	try plot-monitor --format svg --title '"`touch x`<script>' "$T/in"
	[ "$status" = 0 ] && [ ! -e x ] && ! grep -q '<script>' "$T/try.out"
	try plot-monitor --format text "$T/in"
	[ "$status" = 0 ] && ! grep -qaP '[\x00-\x08\x0b-\x1f]' "$T/try.out"
	try plot-monitor </dev/null
	[ "$status" = 0 ]
}

@test "monitor-demo: two measurements and a comparison" {
	try timeout 180 monitor-demo -o "$T/demo" -d 2
	[[ " 0 4 5 6 7 " == *" $status "* ]]
	[ "$(wc -l <"$T/demo/calm/monitor.tskv")" = 100 ] && [ "$(wc -l <"$T/demo/contended/monitor.tskv")" = 100 ]
	[ "$(where ev=usage 'cpu_ns>0' <"$T/demo/cpu-hog.tskv" | wc -l)" = $((2 * $(nproc))) ]
	[[ $out == *"calm against contended"* ]]
	if [ -e "$T/demo/calm/trace.tskv.zst" ]; then
		[[ $out == *"The slowest requests"*"The slowest requests"*"Did the service have to wait for CPUs?"*"verdict: "* ]]
	else
		[[ $err == *"monitor-demo: not traced: "* ]]
	fi
	[ ! -e "$T/demo/service.db-wal" ]
	try monitor-demo -o "$T/demo"
	[ "$status" = 1 ]
}

@test "plot-monitor: one request, and requests that all failed, are pictures without a warning" {
	need gnuplot
	record ts=1795225295728753687 ev=http url=http://x/ status=200 ok=1 intended_ts=1795225295000000000 dur_ns=728753687 >"$T/one"
	try plot-monitor --format svg "$T/one"
	[ "$status" = 0 ] && [ -z "$err" ]
	# The axis of the distribution has numbers that people read.
	[[ $out == *'720 ms'* && $out != *728.75* ]]
	sed 's/ok=1/ok=0\terror=status/; s/=200/=500/' "$T/one" >"$T/failed"
	try plot-monitor --format svg "$T/failed"
	[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == *'no request succeeded'* ]]
}

@test "--live: the picture's top and the first figures are on a terminal of 24 lines" {
	need tmux
	port=$(free_port)
	tmux -L "weir-$$" new-session -d -x 80 -y 24 "exec bash --norc"
	tmux -L "weir-$$" send-keys "PATH='$PATH' TMPDIR='$BATS_TEST_TMPDIR' http-monitor --live -d 30 -i 20ms -o '$T/dir'" \
		" http://127.0.0.1:$port/process -- demo-service --port $port --database '$T/service.db'" Enter
	on_screen 'Max Latency'
	tmux -L "weir-$$" send-keys C-c
	for _ in {1..100}; do
		[ ! -s "$T/dir/monitor_plots.png" ] || break
		sleep 0.1
	done
	tmux -L "weir-$$" kill-server
	head -n 5 "$T/screen" | grep -q 'Latency of each request'
	grep -q '^Total Requests  *[0-9]' "$T/screen"
	[ -s "$T/dir/monitor_plots.png" ]
}
