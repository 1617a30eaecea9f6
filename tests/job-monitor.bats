#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Jobs under job-monitor.

load helper

setup() {
	need_bpf collect-proc
	need sqlite3
	PATH=$TESTS/../workloads:$PATH
}

sql() {
	sqlite3 "$T/job/job.db" "$1"
}

@test "a job with CPU time and a leak: each process once, its cost, its memory, in database, CSV, log and picture" {
	try job-monitor -o "$T/job" -- leaky-job
	[ "$status" = 0 ]
	[ "$(sql "select count(*), sum(end_ts is not null), sum(code = 0) from job_process")" = "9|9|9" ]
	# Of all processes, awk has the most CPU time and memory; its parents wait for it.
	[[ $(sql "select command from job_process order by cpu_ns desc limit 1") == awk* ]]
	[[ $(sql "select command from job_process order by maxrss_bytes desc limit 1") == awk* ]]
	[ "$(sql "select maxrss_bytes > 20e6 and cpu_ns > 50e6 and run_ns >= cpu_ns * 0.9 from job_process where command glob 'awk*'")" = 1 ]
	# The tree: each has the parent that made it; the first one has none of the job.
	[ "$(sql "select count(*) from job_process as p where ppid is null or ppid not in (select pid from job_process)")" = 1 ]
	# Memory over time: it grew.
	[ "$(sql "select max(bytes) > 2 * min(bytes) and count(*) >= 2 from rss where comm glob '*awk'")" = 1 ]
	# What the scheduler says of CPU time is what the process accounting says.
	[ "$(sql "select abs(sum(o.dur_ns) - p.cpu_ns) < p.cpu_ns * 0.2 + 5e6 from oncpu as o join job_process as p using (pid) where p.command glob 'awk*'")" = 1 ]
	[ "$(wc -l <"$T/job/job.csv")" = 10 ]
	mlr --icsv --ojson head -n 1 "$T/job/job.csv" >/dev/null
	[ "$(grep -c ' ends, exit status 0' "$T/job/events.txt")" = 9 ]
	[ "$(grep -c ' runs gzip -c ' "$T/job/events.txt")" = 3 ]
	# In order.
	awk '{ if ($3 + 0 < last) exit 1; last = $3 + 0 }' "$T/job/events.txt"
	[ "$(head -c 8 "$T/job/timeline.png" | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ]
	grep -q '^weir job-monitor: 9 processes' "$T/job/summary.txt"
	[ "$err" != "${err#*weir job-monitor}" ]
	try job-monitor -o "$T/job" -- true
	expect 1 "" "job-monitor: cannot make the directory $T/job: it exists"
}

@test "a job that fails: its status, the stage, the program that is not there; without shells, their children stay" {
	try job-monitor --skip-shells -o "$T/job" -- sh -c 'echo out; env PATH="/nowhere:$PATH" failing-job'
	[ "$status" = 3 ] && [ "$out" = out ]
	grep -qP '^\d+ +grep -q .not there. .*exit status 1$' "$T/job/summary.txt"
	grep -qP 'no-such-program +ENOENT +1$' "$T/job/summary.txt"
	# What a later directory of PATH had did start.
	[ "$(sql "select count(*) from exec where path = '/nowhere/failing-job' and errno = 'ENOENT'")" = 1 ]
	run ! grep -q /nowhere/failing-job "$T/job/summary.txt"
	[ "$(sql 'select count(*) from job_process where not shell')" = 8 ]
	[ "$(wc -l <"$T/job/job.csv")" = 9 ]
	run ! grep -qE ',(/bin/)?sh,' "$T/job/job.csv"
	job-monitor --report "$T/job" 2>"$T/again"
	[ "$(wc -l <"$T/job/job.csv")" -gt 9 ]
	grep -q '/bin/sh .*failing-job  *exit status 3' "$T/again"
}

@test "hostile names and arguments; a signal is passed on" {
	cp /bin/true "$T/it's;drop table"
	try job-monitor -o "$T/job" -- sh -c '"$1" "a'"'"'b" "$(printf "\t\n\033[31m")"; psql --version >/dev/null 2>&1; kill -9 $$' sh "$T/it's;drop table"
	[ "$status" = 137 ]
	[ "$(sql "select signal from job_process where ppid is null")" = 9 ]
	[ "$(sql "select count(*) from job_process where command like '%drop table%' and comm like 'it''s%'")" = 1 ]
	run ! grep -q $'\033' "$T/job/summary.txt" "$T/job/events.txt"
}

@test "Ctrl-C: the job ends, and its results are made" {
	env --default-signal=INT setsid job-monitor -o "$T/job" -- sh -c 'sleep 39; echo no' >"$T/out" 2>"$T/err" 3>&- &
	pid=$!
	for _ in {1..100}; do
		pgrep -s "$pid" -x sleep >/dev/null && break
		sleep 0.1
	done
	sleep 0.3
	kill -INT -- "-$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" = 130 ]
	grep -q '^signal 2  *2$' "$T/job/summary.txt"
	[ "$(sql "select group_concat(signal) from job_process")" = 2,2 ]
	[ -s "$T/job/timeline.png" ] && [ -s "$T/job/job.csv" ]
}

@test "killed with all its programs, what was recorded is in the database; --report makes the results" {
	setsid job-monitor --usage 0.1 -o "$T/job" -- sh -c 'sh -c "exit 59"; sleep 33' >/dev/null 2>&1 &
	for _ in $(seq 100); do
		[ "$(sqlite3 "$T/job/job.db" "select count(*) from exit where code = 59" 2>/dev/null)" = 1 ] && break
		sleep 0.1
	done
	sleep 0.3
	pkill -9 -s "$(ps -o sid= -p $! | tr -d ' ')"
	wait $! || true
	job-monitor --report "$T/job" 2>"$T/err"
	[ "$(sql "select code from job_process where command = 'sh -c ''exit 59'''")" = 59 ]
	[ "$(sql "select count(*) from job_process where command = 'sleep 33' and end_ts is null")" = 1 ]
	[ "$(sql "select count(*) from usage where comm = 'sleep'")" -ge 1 ]
	grep -q 'not seen to end' "$T/job/summary.txt"
}

@test "wrong usage" {
	try job-monitor
	expect 2 "" "job-monitor: it takes a command; see 'job-monitor --help'"
	try job-monitor --usage x -- true
	expect 2 "" "job-monitor: --usage wants a duration, not 'x'; see 'job-monitor --help'"
	try job-monitor --report "$T/nowhere"
	expect 1 "" "job-monitor: cannot report $T/nowhere: there is no job.db in it"
}
