#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The views that to-sqlite adds, against counts by hand on small streams, and awk and python on a real one.

load helper

setup() {
	need sqlite3 python3
	cd "$T" || return 1
}

sql() { sqlite3 -batch -noheader "$@"; }

# store: the records on stdin, into out.db.
store() { rm -f out.db; to-sqlite out.db 2>err; }

# gives QUERY EXPECTED: on out.db.
gives() { diff <(sql out.db "$1") <(printf '%s' "${2:+$2$'\n'}"); }

views() { sql out.db "select name from sqlite_schema where type = 'view' order by name" | tr '\n' ' '; }

# call TS TID NAME DUR_NS RET [FIELD...]: a system call of `app` (pid 7).
call() { record "ts=$1" ev=syscall cpu=0 pid=7 "tid=$2" comm=app "name=$3" "dur_ns=$4" "ret=$5" "${@:6}"; }

# slept TS TID DUR_NS [FIELD...], waited, ran: spans of a thread.
slept() { record "ts=$1" ev=blocked cpu=0 "pid=$2" "tid=$2" "comm=c$2" "dur_ns=$3" state=S "${@:4}"; }
waited() { record "ts=$1" ev=runq cpu=0 "pid=$2" "tid=$2" "comm=c$2" "dur_ns=$3" why=wakeup "${@:4}"; }
ran() { record "ts=$1" ev=oncpu cpu=0 "pid=$2" "tid=$2" "comm=c$2" "dur_ns=$3" why=sleep next_tid=0 next_comm=swapper; }

path='select begin_ts, end_ts, dur_ns, tid, state, call, depth, waiting_tid, by_tid from critical_path'

# All spans of the postgres trace, in pg.db, made once for this file.
postgres() {
	local dir=$BATS_FILE_TMPDIR
	need_trace postgres
	(
		flock 9
		[ -e "$dir/pg.db" ] || {
			lttng-convert --no-progress "$trace/trace" 2>/dev/null | spans 2>/dev/null >"$dir/pg.tskv"
			to-sqlite "$dir/pg.db" <"$dir/pg.tskv" 2>/dev/null
		}
	) 9>"$dir/lock"
	cp "$dir/pg.db" out.db
	ln -s "$dir/pg.tskv" pg.tskv
	[ "$(sql out.db 'select count(*) from oncpu')" -gt 10000 ]
}

# by_key EV 'KEY,...' FIELD: count and sum of FIELD for each value of the keys, by awk, sorted.
by_key() {
	awk -F'\t' -v ev="ev=$1" -v keys="$2" -v field="$3" '$2 == ev {
		delete v
		for (i = 1; i <= NF; i++) { at = index($i, "="); v[substr($i, 1, at - 1)] = substr($i, at + 1) }
		n = split(keys, k, ","); group = v[k[1]]
		for (i = 2; i <= n; i++) group = group "|" v[k[i]]
		count[group]++; sum[group] += v[field]
	} END { for (g in count) printf "%s|%d|%d\n", g, count[g], sum[g] }' pg.tskv | sort
}

@test "thread and process: counts by hand" {
	{
		record ts=100 ev=fork cpu=0 pid=1 tid=1 comm=init child_pid=7 child_tid=7 child_comm=init
		record ts=110 ev=exec cpu=0 pid=7 tid=7 comm=app path=/bin/app 'argv=app -x'
		record ts=150 ev=oncpu cpu=0 pid=7 tid=7 comm=app dur_ns=30 why=sleep next_tid=0 next_comm=swapper
		record ts=160 ev=fork cpu=0 pid=7 tid=7 comm=app child_pid=7 child_tid=8 child_comm=app
		record ts=170 ev=runq cpu=1 pid=7 tid=8 comm=app dur_ns=5 why=new
		call 180 7 read 4 10
		call 190 7 sendto 2 3
		call 195 8 write 1 -11
		record ts=200 ev=oncpu cpu=1 pid=7 tid=8 comm=worker dur_ns=30 why=exit next_tid=0 next_comm=swapper
		record ts=210 ev=blocked cpu=0 pid=7 tid=7 comm=app dur_ns=60 state=S waker_tid=8 waker_comm=worker
		record ts=220 ev=oncpu cpu=0 tid=9 comm=lost dur_ns=1 why=sleep next_tid=0 next_comm=swapper
		record ts=230 ev=exit cpu=0 pid=7 tid=7 comm=app code=3 dur_ns=130 cpu_ns=30
	} | store
	gives 'select * from thread' \
		'1|7|7|app|100|230|30|1|||60|2|6|10|3|1|1|3
1|7|8|worker|160|200|30|1|5|||1|1|||7|7|
1||9|lost|219|220|1|1||||||||||'
	gives 'select * from process' \
		'1||lost|219|220|1|1|||||||
1|7|app|100|230|2|60|3|10|3|1|3|/bin/app|app -x'
	gives 'select * from command_cpu order by command' '1|app -x|1|60|60.0
1|lost|1|1|1.0'
	# Runs are kept apart.
	record ts=500 ev=oncpu cpu=0 pid=7 tid=7 comm=other dur_ns=2 why=sleep | to-sqlite -a out.db 2>/dev/null
	gives 'select run, tid, comm, cpu_ns from thread where tid = 7' '1|7|app|30
2|7|other|2'
}

@test "cpu, syscall_stats, wake_edges: counts by hand" {
	{
		ran 100 5 40
		record ts=130 ev=oncpu cpu=1 pid=6 tid=6 comm=c6 dur_ns=30 why=sleep
		ran 150 6 10
		record ts=160 ev=irq cpu=0 irq=1 name=disk dur_ns=3 ret=1
		record ts=170 ev=softirq cpu=0 vec=3 name=NET_RX dur_ns=4
		record ts=175 ev=softirq cpu=0 vec=3 name=NET_RX dur_ns=5
		call 180 7 read 4 10
		call 190 7 read 8 -11
		call 191 8 mmap 1 140000000000000
		call 192 8 mmap 1 0xffff
		slept 200 5 50 waker_tid=6 waker_comm=c6
		slept 300 5 70 waker_tid=6 waker_comm=c6
		slept 310 5 9 waker_tid=6 waker_comm=c6 waker_irq=1
		slept 320 5 1 waker_tid=0 waker_comm=swapper waker_irq=1
		slept 330 5 2
	} | store
	gives 'select * from cpu' '1|0|60|175|2|50|1|3|2|9
1|1|100|130|1|30||||'
	gives 'select * from syscall_stats' '1|app|mmap|2|0|2|1.0|1|1
1|app|read|2|1|12|6.0|4|8'
	gives 'select * from wake_edges' '1|||1|5|c5|2|10|5.0|9
1|6|c6|0|5|c5|2|120|60.0|70'
}

@test "io_call, file, socket, io_by_file: counts by hand; addresses are no bytes" {
	{
		call 100 7 openat 10 3 fd=3 path=/etc/passwd
		call 110 7 read 5 100 fd=3 path=/etc/passwd bytes=100
		call 120 7 read 5 0 fd=3 path=/etc/passwd bytes=0
		call 125 7 pwrite64 1 7 fd=3 path=/etc/passwd
		call 130 7 openat 10 -2 path=/etc/none errno=ENOENT
		call 140 7 mmap 1 140000000000000 fd=3 path=/etc/passwd
		call 150 7 close 1 0 fd=3 path=/etc/passwd
		call 160 7 newfstatat 2 0 path=/etc/passwd
		call 200 7 socket 1 4 fd=4 path=tcp:
		call 210 7 connect 9 -115 fd=4 path=tcp:127.0.0.1:80
		call 220 7 write 1 20 fd=4 path=tcp:127.0.0.1:80 bytes=20
		call 230 7 recvfrom 1 30 fd=4 path=tcp:127.0.0.1:80 bytes=30
		call 235 7 recvmmsg 1 2 fd=4 path=tcp:127.0.0.1:80
		call 240 8 read 1 8 fd=5 path=eventfd: bytes=8
		call 250 8 write 1 1 fd=9
		call 260 8 write 1 1 fd=6 path=dir/tcp:x
		call 270 8 sched_yield 1 0
	} | store
	gives 'select operation, type, target, count(*), sum(failed), sum(bytes) from io_call group by 1, 2, 3' \
		'close|file|/etc/passwd|1|0|
mmap|file|/etc/passwd|1|0|
open|file|/etc/none|1|1|
open|file|/etc/passwd|1|0|
other|file|/etc/passwd|1|0|
read|eventfd|eventfd:|1|0|8
read|file|/etc/passwd|2|0|100
socket|socket|tcp:|1|0|
socket|socket|tcp:127.0.0.1:80|1|1|
socket_recv|socket|tcp:127.0.0.1:80|2|0|30
socket_send|socket|tcp:127.0.0.1:80|1|0|20
write||fd:9|1|0|1
write|file|/etc/passwd|1|0|7
write|file|dir/tcp:x|1|0|1'
	gives 'select * from file' '1|/etc/none|file|120|130|1|1|0|0|||1|10
1|/etc/passwd|file|90|160|7|1|2|1|100|7|0|25
1|dir/tcp:x|file|259|260|1|0|0|1||1|0|1
1|eventfd:|eventfd|239|240|1|0|1|0|8||0|1'
	gives 'select * from socket' '1|7|tcp:|199|200|1|0|0|||0|1
1|7|tcp:127.0.0.1:80|201|235|4|1|2|20|30|1|12'
	gives "select * from io_by_file where operation in ('read', 'socket_recv')" \
		'1|app|read|/etc/passwd|file|2|0|100|10|5.0|5
1|app|read|eventfd:|eventfd|1|0|8|1|1.0|1
1|app|socket_recv|tcp:127.0.0.1:80|socket|2|0|30|2|1.0|1'
}

@test "sequences: gaps by hand, and both settable" {
	ms=1000000
	{
		# Ends at 10, 110 (begins 109: a gap of 99), 211 (begins 210: 100), 312 (begins 311.000001: more).
		call $((10 * ms)) 7 read $ms 5 fd=3 path=/a bytes=5
		call $((20 * ms)) 8 read $ms 5 fd=3 path=/a bytes=5
		call $((30 * ms)) 7 read $ms 6 fd=4 path=/b bytes=6
		call $((40 * ms)) 7 write $ms 7 fd=3 path=/a bytes=7
		call $((110 * ms)) 7 read $ms 5 fd=3 path=/a bytes=5
		call $((211 * ms)) 7 read $ms -5 fd=3 path=/a
		call $((312 * ms + 1)) 7 read $ms 5 fd=3 path=/a bytes=5
		call $((400 * ms)) 7 sendto $ms 1 fd=5 path=unix: bytes=1
		call $((451 * ms)) 7 write $ms 1 fd=5 path=unix: bytes=1
		call $((503 * ms)) 7 sendto $ms 1 fd=5 path=unix: bytes=1
		call $((504 * ms)) 7 openat $ms 6 fd=6 path=/c
		call $((505 * ms)) 7 openat $ms 7 fd=7 path=/c
		call $((506 * ms)) 7 close $ms 0 fd=7 path=/c
		call $((507 * ms)) 7 close $ms 0 fd=6 path=/c
		call $((508 * ms)) 7 fstat $ms 0 fd=6 path=/c
	} | store
	runs='select seq, tid, operation, target, begin_ts / 1000000, end_ts / 1000000, dur_ns / 1000000, calls, busy_ns / 1000000, bytes, errors from sequences order by seq'
	gives "$runs" '1|7|read|/a|9|211|202|3|3|10|1
2|8|read|/a|19|20|1|1|1|5|0
3|7|read|/b|29|30|1|1|1|6|0
4|7|write|/a|39|40|1|1|1|7|0
7|7|read|/a|311|312|1|1|1|5|0
8|7|socket_send|unix:|399|451|52|2|2|2|0
10|7|socket_send|unix:|502|503|1|1|1|1|0
11|7|open|/c|503|504|1|1|1||0
12|7|open|/c|504|505|1|1|1||0
13|7|close|/c|505|506|1|1|1||0
14|7|close|/c|506|507|1|1|1||0'
	sql out.db "update settings set value = 200000000 where name = 'sequence_gap_ns';
		update settings set value = 49999999 where name = 'socket_gap_ns'"
	gives "select calls from sequences where operation in ('read', 'socket_send') order by seq" '4
1
1
1
1
1'
	# What was set stays when more is added.
	call $((600 * ms)) 7 read $ms 5 fd=3 path=/a bytes=5 | to-sqlite -a out.db 2>/dev/null
	gives "select name, value from settings where name glob '*gap_ns'" 'sequence_gap_ns|200000000
socket_gap_ns|49999999'
}

@test "command_time: from the last exec to the exit, or from the fork" {
	{
		record ts=100 ev=exec cpu=0 pid=7 tid=7 comm=sh path=/bin/sh 'argv=sh -c x'
		record ts=150 ev=exec cpu=0 pid=7 tid=7 comm=app path=/bin/app 'argv=app -x'
		record ts=160 ev=exit cpu=0 pid=7 tid=8 comm=app code=0 dur_ns=5 'argv=app -x'
		record ts=250 ev=exit cpu=0 pid=7 tid=7 comm=app code=0 dur_ns=200 'argv=app -x'
		# The number again: a fork without exec; one whose exec has no argv; one that began before the trace.
		record ts=400 ev=exit cpu=0 pid=7 tid=7 comm=app code=0 dur_ns=100
		record ts=450 ev=exec cpu=0 pid=9 tid=9 comm=ls path=/bin/ls
		record ts=470 ev=exit cpu=0 pid=9 tid=9 comm=ls code=0
		record ts=480 ev=exit cpu=0 pid=10 tid=10 comm=ls code=0
		record ts=490 ev=exec cpu=0 pid=11 tid=11 comm=app path=/bin/app 'argv=app -x'
		record ts=500 ev=exit cpu=0 pid=11 tid=11 comm=app code=0
	} | store
	gives 'select * from command_time' '1|/bin/ls|1|1|20.0|20|20|20
1|app|1|1|100.0|100|100|100
1|app -x|2|2|55.0|10|100|110
1|ls|1|0||||'
}

@test "critical_path: a server, its disk, and the window, by hand" {
	{
		ran 100 10 100
		slept 120 20 120 waker_tid=10 waker_comm=c10
		waited 130 20 10 by_tid=10 by_comm=c10
		ran 200 20 70
		slept 300 20 100 waker_tid=0 waker_comm=swapper waker_irq=1
		record ts=302 ev=syscall cpu=0 pid=20 tid=20 comm=c20 name=fdatasync dur_ns=110 ret=0
		waited 310 20 10
		slept 400 10 300 waker_tid=20 waker_comm=c20
		ran 405 20 95
		waited 410 10 10 by_tid=20 by_comm=c20
		ran 500 10 90
	} | store
	whole='0|100|100|10|running||0||
100|120|20|20|blocked||1|10|10
120|130|10|20|runq||1|10|10
130|200|70|20|running||1|10|
200|300|100|20|interrupt|fdatasync|1|10|
300|310|10|20|runq||1|10|
310|400|90|20|running||1|10|
400|410|10|10|runq||0||20
410|500|90|10|running||0||'
	# Thread 10 has the most CPU time: 190.
	gives "$path" "$whole"
	set_to() { sql out.db "update settings set value = $2 where name = 'critical_$1'"; }
	set_to tid 10
	gives "$path" "$whole"
	set_to depth 0
	gives "$path" '0|100|100|10|running||0||
100|400|300|10|blocked||0||20
400|410|10|10|runq||0||20
410|500|90|10|running||0||'
	set_to depth 32
	# A window that cuts: slices, sleeps, and what is known.
	set_to begin 50
	set_to end 250
	gives "$path" '50|100|50|10|running||0||
100|120|20|20|blocked||1|10|10
120|130|10|20|runq||1|10|10
130|200|70|20|running||1|10|
200|250|50|20|interrupt|fdatasync|1|10|'
	set_to begin 490
	set_to end 600
	gives "$path" '490|500|10|10|running||0||
500|600|100||unknown||||'
	# As text, as a shell script may give it; a thread that is not there.
	set_to end "'495'"
	gives "$path" '490|495|5|10|running||0||'
	set_to tid 99
	gives "$path" '490|495|5||unknown||||'
	set_to begin NULL
	set_to end NULL
	gives "$path" ''
}

@test "critical_path and thread: waits that were throttled" {
	{
		ran 100 10 100
		waited 150 10 50 throttled_ns=30 cgroup=/q by_tid=7 by_comm=c7
		ran 160 10 10
		waited 170 10 10 throttled_ns=4 throttled_after_ns=6 by_tid=7 by_comm=c7
		ran 180 10 10
		slept 190 10 10 waker_tid=0
	} | store
	gives "$path" '0|100|100|10|running||0||
100|150|50|10|throttled||0||
150|160|10|10|running||0||
160|170|10|10|runq||0||7
170|180|10|10|running||0||
180|190|10|10|blocked||0||0'
	gives 'select tid, cpu_ns, runq_ns, throttled_ns, blocked_ns from thread' '10|120|60|34|10'
}

@test "critical_path: wakers of wakers, births, and wakeups on their way, by hand" {
	{
		ran 10 2 10
		record ts=15 ev=fork cpu=0 pid=3 tid=3 comm=c3 child_pid=4 child_tid=4 child_comm=c4
		ran 20 3 20
		waited 25 4 8 by_tid=3 by_comm=c3
		ran 70 4 45
		slept 60 2 50 waker_tid=4 waker_comm=c4
		waited 65 2 5
		ran 95 2 30
		slept 100 1 100 waker_tid=2 waker_comm=c2
		slept 130 2 35 waker_tid=77 waker_comm=nobody
		ran 150 1 50
		ran 160 2 30
	} | store
	sql out.db "update settings set value = 1 where name = 'critical_tid'"
	gives "$path" '0|10|10|2|running||1|1|
10|17|7|3|running||3|2|
17|25|8|4|runq||2|2|3
25|60|35|4|running||2|2|
60|65|5|2|runq||1|1|
65|95|30|2|running||1|1|
95|100|5|2|wakeup||1|1|77
100|150|50|1|running||0||'
	sql out.db "update settings set value = 2 where name = 'critical_tid'"
	gives "$path where begin_ts >= 65" '65|95|30|2|running||0||
95|130|35|2|blocked||0||77
130|160|30|2|running||0||'
}

@test "critical_path: threads that are said to have woken each other come to an end" {
	{
		for t in 1 2 3; do ran 5 $t 5; done
		for i in $(seq 10 10 300); do
			for t in 1 2 3; do
				slept $((i + 5)) $t 10 waker_tid=$((t % 3 + 1)) waker_comm=x
				ran $((i + 5)) $t 1
			done
		done
	} | store
	[ "$(timeout 60 sqlite3 out.db 'select count(*) > 0 from critical_path')" = 1 ]
}

@test "a real trace: threads, CPUs, calls and wakeups as awk counts them" {
	postgres
	sorted() { sql out.db "$1" | sort; }
	diff <(by_key oncpu tid dur_ns) <(sorted 'select tid, slices, cpu_ns from thread where slices')
	diff <(by_key runq tid dur_ns | cut -d'|' -f1,3) <(sorted 'select tid, runq_ns from thread where runq_ns not null')
	diff <(by_key blocked tid dur_ns | cut -d'|' -f1,3) <(sorted 'select tid, blocked_ns from thread where blocked_ns not null')
	diff <(by_key syscall tid dur_ns) <(sorted 'select tid, syscalls, syscall_ns from thread where syscalls')
	diff <(by_key oncpu cpu dur_ns) <(sorted 'select cpu, slices, busy_ns from cpu')
	diff <(by_key softirq cpu dur_ns) <(sorted 'select cpu, softirqs, softirq_ns from cpu')
	diff <(by_key syscall comm,name dur_ns) <(sorted 'select comm, name, count, sum_ns from syscall_stats')
	diff <(grep -v waker_irq pg.tskv | grep waker_tid >w; ln -sf w pg.tskv; by_key blocked waker_tid,tid,comm dur_ns) \
		<(sorted 'select waker_tid, tid, comm, sum(wakeups), sum(slept_ns) from wake_edges where irq = 0 group by 1, 2, 3')
	gives 'select sum(cpu_ns) = (select sum(dur_ns) from oncpu), sum(threads) = (select count(*) from thread) from process' '1|1'
	gives 'select count(*) = (select sum(calls) from sequences) from io_call where operation <> '"'other'" 1
	gives "select sum(ended) from command_time" "$(grep -c . <(awk -F'\t' '$2 == "ev=exit" { p = $4; t = $5; sub("pid=", "", p); sub("tid=", "", t); if (p == t) print }' "$BATS_FILE_TMPDIR/pg.tskv"))"
	# What a trace of 2026 on two CPUs can have: no view sums up addresses or clocks.
	gives 'select max(bytes) < 100000000 and min(bytes) >= 0 from sequences' 1
}

@test "a real trace: files as awk counts them" {
	postgres
	grep -q '	path=.*	bytes=' pg.tskv || skip 'spans tells no paths'
	awk -F'\t' '$2 == "ev=syscall" {
		name = path = bytes = ""
		for (i = 3; i <= NF; i++) {
			if ($i ~ /^name=/) name = substr($i, 6)
			if ($i ~ /^path=/) path = substr($i, 6)
			if ($i ~ /^bytes=/) bytes = substr($i, 7)
		}
		if (path ~ /^\// && name ~ /^p?(read|write)(v|64)?$/)
			if (name ~ /read/) { reads[path]++; got[path] += bytes; all[path] } else { writes[path]++; put[path] += bytes; all[path] }
	} END { for (p in all) printf "%s|%d|%d|%d|%d\n", p, reads[p], writes[p], got[p], put[p] }' pg.tskv | sort >want
	[ -s want ]
	diff want <(sql out.db "select path, reads, writes, ifnull(read_bytes, 0), ifnull(written_bytes, 0) from file where path glob '/*' and reads + writes > 0" | sort)
	[ "$(sql out.db 'select count(*) > 0 from socket')" = 1 ]
}

@test "a real trace: the critical path fills its window, as another program finds it" {
	postgres
	cat >path.py <<-'PYTHON'
		import bisect, sys
		spans, first_fork = {}, {}
		for line in open("pg.tskv", errors="surrogateescape"):
		    f = dict(x.split("=", 1) for x in line.rstrip("\n").split("\t"))
		    if f["ev"] in ("oncpu", "runq", "blocked"):
		        end, dur = int(f["ts"]), int(f["dur_ns"])
		        if dur:
		            spans.setdefault(int(f["tid"]), []).append((end - dur, end, f))
		    elif f["ev"] == "fork":
		        first_fork[int(f["child_tid"])] = (int(f["ts"]), int(f["tid"]))
		for s in spans.values():
		    s.sort(key=lambda x: x[:2])
		ends = {tid: [x[1] for x in s] for tid, s in spans.items()}
		def of(tid, lo, hi):
		    for i in range(bisect.bisect_right(ends.get(tid, []), lo), len(spans.get(tid, []))):
		        if spans[tid][i][0] >= hi:
		            break
		        yield spans[tid][i]
		rows = []
		def explain(tid, lo, hi, depth, cut):
		    if tid in first_fork and lo < first_fork[tid][0] < hi:
		        born, parent = first_fork[tid]
		        first = [b for b, e, f in of(tid, born, 1 << 63) if f["ev"] == "runq"][:1] or [born]
		        explain(parent, lo, min(hi, first[0]), depth + 1, False)
		    for b, e, f in of(tid, lo, hi):
		        part = max(b, lo), min(e, hi)
		        if f["ev"] == "oncpu":
		            rows.append((*part, tid, "running", depth))
		        elif e > hi and not cut:
		            rows.append((*part, tid, "wakeup", depth))
		        elif f["ev"] == "runq":
		            rows.append((*part, tid, "runq", depth))
		        elif f.get("waker_irq") == "1":
		            rows.append((*part, tid, "interrupt", depth))
		        elif any(x[2]["ev"] == "oncpu" for x in of(int(f.get("waker_tid", -1)), *part)):
		            explain(int(f["waker_tid"]), *part, depth + 1, cut and e > hi)
		        else:
		            rows.append((*part, tid, "blocked", depth))
		tid = int(sys.argv[1])
		explain(tid, spans[tid][0][0], spans[tid][-1][1], 0, True)
		for r in sorted(rows):
		    print(*r, sep="|")
	PYTHON
	for tid in 223 319 323; do
		sql out.db "update settings set value = $tid where name = 'critical_tid'"
		gives 'select count(*) > 10, sum(dur_ns) = max(end_ts) - min(begin_ts), min(dur_ns) > 0 from critical_path' '1|1|1'
		# Each row begins where the one before ends.
		gives 'select count(*) from (select begin_ts - lag(end_ts) over (order by begin_ts) as gap from critical_path) where gap <> 0' 0
		diff <(python3 path.py $tid) <(sql out.db "select begin_ts, end_ts, tid, state, depth from critical_path where state <> 'unknown' order by 1, 2, 3")
	done
	# What the thread itself did is all of its time on CPUs.
	gives "select sum(dur_ns) = (select cpu_ns from thread where tid = 323) from critical_path where depth = 0 and state = 'running'" 1
}

@test "a view is there when its tables are; columns that are missing are NULL" {
	record ts=1 ev=x | store
	[ "$(views)" = '' ]
	call 100 7 read 5 3 | store
	[ "$(views)" = 'command_cpu io_call process sequences syscall_stats thread ' ]
	gives 'select operation, target, type, bytes, path from io_call' 'read|||3|'
	record ts=1 ev=syscall name=read dur_ns=4 | store
	[ "$(views)" = 'command_cpu io_call process sequences syscall_stats thread ' ]
	gives 'select * from thread' ''
	gives 'select seq, tid, calls, bytes, errors from sequences' '1||1||0'
	record ts=1 ev=syscall tid=4 | store
	[ "$(views)" = '' ]
	ran 10 1 10 | store
	[ "$(views)" = 'command_cpu cpu process thread ' ]
	# Added later, in the same run and in another.
	{ ran 10 1 10; yes "$(record ts=11 ev=x)" | head -n 100; slept 20 1 5 waker_tid=2; call 30 1 read 1 1; } >in
	rm -f out.db
	to-sqlite --batch 50 out.db <in 2>/dev/null
	[ "$(views)" = 'command_cpu cpu critical_path io_call process sequences syscall_stats thread wake_edges ' ]
	gives 'select waker_tid, waker_comm, irq from wake_edges' '2||0'
	call 100 7 read 5 3 path=/a | to-sqlite -a out.db 2>/dev/null
	gives 'select path, reads from file' '/a|1'
	gives "select count(*) from sqlite_schema where type = 'view'" 12
	# Every view can be read, and says what it is.
	for view in $(views); do
		sql out.db "select * from $view" >/dev/null
		[[ $(sql out.db "select sql from sqlite_schema where name = '$view'") == *$'\n-- '*';'$'\n'* ]]
	done
}

@test "a database of before the views gets them with -a" {
	{ ran 10 1 10; call 30 1 read 1 1; } | store
	for view in $(views); do sql out.db "drop view $view"; done
	sql out.db 'drop table settings; drop index "oncpu.tid"; create index "oncpu.tid" on oncpu(tid)'
	sql out.db 'create table settings_mine(a)'
	slept 20 1 5 waker_tid=2 | to-sqlite -a out.db 2>err
	[ "$(cat err)" = 'to-sqlite: 1 record into 3 tables of out.db, run 2' ]
	[ "$(views)" = 'command_cpu cpu critical_path io_call process sequences syscall_stats thread wake_edges ' ]
	gives 'select count(*) from settings' 7
	# One whose stream had an ev of that name: what needs the settings is left out.
	for view in $(views); do sql out.db "drop view $view"; done
	sql out.db "drop table settings; create table settings(seq INTEGER PRIMARY KEY, run, ts, ev TEXT);
		insert into tables(name, ev) values('settings', 'settings'); insert into settings values(9, 1, 5, 'settings');
		insert into columns(\"table\", \"column\", key, position) values('settings', 'ts', 'ts', 0), ('settings', 'ev', 'ev', 1)"
	record ts=6 ev=settings | to-sqlite -a out.db 2>err
	[ "$(sed 1q err)" = 'to-sqlite: cannot make the views sequences, critical_path: names that they need are those of other records' ]
	[ "$(views)" = 'command_cpu cpu io_call process syscall_stats thread wake_edges ' ]
	gives 'select ts from settings' '5
6'
}

@test "hostile names: a view gives way, and never reads other records" {
	{ ran 10 1 10; call 30 1 read 1 1; record ts=40 ev=process a=1; record ts=50 ev=Thread b=2; record ts=60 ev=settings c=3; } >in
	store <in
	[ "$(sed 1q err)" = 'to-sqlite: cannot make the views thread, process, command_cpu: names that they need are those of other records' ]
	[ "$(views)" = 'cpu io_call sequences syscall_stats ' ]
	gives 'select a from process' 1
	gives 'select b from thread' 2
	gives 'select c from settings_2' 3
	from-sqlite out.db | cmp - in
	# The same when the views are there already.
	head -n 2 in | store
	tail -n +3 in | to-sqlite -a out.db 2>/dev/null
	[ "$(views)" = 'cpu io_call sequences syscall_stats ' ]
	gives 'select a from process' 1
	from-sqlite out.db | cmp - in
	# Tables and columns that SQLite could take for those that are meant.
	{ record ts=1 ev=Syscall name=x dur_ns=7; call 30 1 read 1 1; } | store
	[ "$(views)" = '' ]
	{ call 30 1 read 1 1 Path=/x; call 31 1 read 1 1 path=/y; } | store
	[ "$(views)" = 'syscall_stats ' ]
	[[ $(sed 1q err) == 'to-sqlite: cannot make the views io_call, '* ]]
	for name in settings Settings; do
		try to-sqlite --table $name no.db </dev/null
		[ "$status" = 2 ]
	done
	# Values are only ever values; columns that views make themselves may be there too.
	{
		record ts=10 ev=oncpu cpu="0'" pid='1;drop table oncpu' tid=$'\\0' comm="'); drop view thread; --" dur_ns=abc lo=1
		record ts=abc ev=blocked tid=-1 dur_ns=-5 waker_tid="' or 1" waker_irq=x
		record ts=30 ev=syscall tid=1 name=read dur_ns=5 ret=x type=1 operation=2 failed=3 begin_ts=4 path='../%s'
	} >in
	store <in
	for view in $(views); do sql out.db "select * from $view" >/dev/null; done
	gives 'select comm from thread where comm is not null' "'); drop view thread; --"
	from-sqlite out.db | cmp - in
}

@test "what a user made in the database stays" {
	{ ran 10 1 10; call 30 1 read 1 1; } | store
	sql out.db "drop view cpu; create view cpu as select 42 as mine; create view my as select 1; update settings set value = 5 where name = 'critical_tid'"
	record ts=40 ev=Cpu | to-sqlite -a out.db 2>err
	[ "$(sed 1q err)" = 'to-sqlite: cannot make the views cpu: names that they need are those of other records' ]
	gives 'select mine from cpu' 42
	gives "select value from settings where name = 'critical_tid'" 5
	gives "select name from tables where ev = 'Cpu'" Cpu_2
}

@test "the examples of the man page" {
	postgres
	page=$TESTS/../man/to-sqlite.1
	# Each literal block of the views is a command, some lines that begin with `>`, and what it prints.
	awk '/^\.S[hs] / { on = $2 == "Views" } !on { next }
		/^\.Bd -literal/ { n++; next } /^\.Ed/ { close(file); next }
		!n { next } { gsub(/\\e/, "\\") }
		sub(/^\$ /, "") { file = "command." n; command = 1 }
		command && !sub(/^> /, "") && file ~ /command/ && lines[n]++ { file = "output." n }
		{ print > file }' "$page"
	cp out.db spans.db
	tried=0
	for command in command.*; do
		bash "$command" >got
		diff "output.${command#command.}" got
		tried=$((tried + 1))
	done
	[ "$tried" -ge 5 ]
}
