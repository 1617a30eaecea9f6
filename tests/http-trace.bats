#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# http-monitor --trace on services that are slow for a known reason.

load helper

setup() {
	local program
	for program in collect-sched collect-syscalls collect-tcp; do need_bpf "$program"; done
	[ -x "$WEIR_BIN/demo-service" ] && [ -x "$WEIR_BIN/probe-http" ] || skip "demo-service or probe-http was not built"
	need python3 gnuplot zstd ss taskset
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
}

teardown() {
	[ -z "${noise:-}" ] || kill "$noise" 2>/dev/null || true
}

# explained: the requests of $T/dir, explained, are in $T/explained. Their parts are those of all of their time.
explained() {
	zstd -dcq "$T/dir/trace.tskv.zst" >"$T/trace"
	sort -sc -t $'\t' -k1,1 "$T/trace"
	explain --by http 'dur_ns>=0' 'sport>0' "$T/trace" >"$T/explained"
	grep -c $'\tev=http\t' "$T/dir/monitor.tskv" | grep -qx "$(wc -l <"$T/explained")"
	python3 - "$T/explained" <<-'E'
	import sys
	served = 0
	for line in open(sys.argv[1]):
	    f = dict(x.split('=', 1) for x in line.rstrip('\n').split('\t'))
	    n = lambda key: int(f.get(key, 0))
	    assert n('run_ns') + n('irq_ns') + n('runq_ns') + n('throttled_ns') + n('blocked_ns') + n('outside_ns') + n('unknown_ns') == n('dur_ns'), f
	    assert sum(n(k) for k in f if k.startswith('blocked_') and k != 'blocked_ns') == n('blocked_ns'), f
	    by = sum(n('runq_by.%d.dur_ns' % i) for i in range(3))
	    assert by + n('runq_idle_ns') + n('runq_others_ns') == n('runq_ns'), f
	    parts = sum(n('outside_%s_ns' % x) for x in ('dns', 'connect', 'tls'))
	    assert parts <= n('outside_ns') and (parts == 0 or parts <= sum(n(x) for x in ('dns_ns', 'connect_ns', 'tls_ns'))), f
	    if 'server.tid' in f:
	        served += 1
	        assert n('server.dur_ns') + n('outside_ns') == n('dur_ns'), f
	    assert n('blocked_ns') >= 0 and n('outside_ns') >= 0 and n('unknown_ns') >= 0, f
	assert served >= 8
	E
}

# sum KEY: of what is explained.
sum() {
	stats -o tskv -a sum "$1" <"$T/explained" | grep -o 'sum=[0-9]*' | cut -d= -f2
}

@test "a busy neighbour on the CPU: runnable, and its name; the thread is the one that served" {
	# So many that they are among the three that took most of some request, whoever else is at work here.
	taskset -c 0 cpu-hog -n 8 >/dev/null 2>&1 &
	noise=$!
	try timeout 180 http-monitor -o "$T/dir" --trace --slowest 3 -i 0.3 -n 12 "http://127.0.0.1:$port/compute?n=20000000" -- \
		taskset -c 0 demo-service --port "$port" --database "$T/service.db" --requests
	[ "$status" = 0 ]
	[[ $out == *"The slowest requests"*"runnable ("*" ran)"* ]]
	explained
	[ "$(sum runq_ns)" -gt "$(sum run_ns)" ]
	grep -q $'\trunq_by\.[0-2]\.comm=cpu-hog\t' "$T/explained"
	# The service itself says which thread served which requests, and when.
	grep ev=served "$T/dir/service.log" >"$T/served"
	python3 - "$T/served" "$T/explained" <<-'E'
	import sys
	def rows(path):
	    return [dict(x.split('=', 1) for x in line.rstrip('\n').split('\t')) for line in open(path)]
	served = rows(sys.argv[1])
	for row in rows(sys.argv[2]):
	    if 'server.tid' in row:
	        begin, end = int(row['ts']) - int(row['dur_ns']), int(row['ts'])
	        inside = [s for s in served if s['tid'] == row['server.tid'] and begin < int(s['ts']) - int(s['dur_ns']) < end]
	        assert len(inside) == 1, (row, inside)
	E
}

@test "a service that sleeps: blocked on a timer; one that runs already is found by its port" {
	demo-service --port "$port" --database "$T/service.db" --latency 40ms 2>"$T/service.log" >"$T/listening" &
	noise=$!
	for _ in $(seq 50); do [ ! -s "$T/listening" ] || break; sleep 0.1; done
	try timeout 180 http-monitor -o "$T/dir" --trace -i 0.1 -n 12 "http://localhost:$port/process"
	[ "$status" = 0 ]
	[[ $out == *"blocked on a timer"* ]]
	explained
	where 'server.tid>0' 'blocked_timer_ns>=39.5ms' <"$T/explained" | wc -l | {
		read -r n
		[ "$n" -ge 8 ] && [ "$n" = "$(where 'server.tid>0' <"$T/explained" | wc -l)" ]
	}
	kill -0 "$noise"
}

@test "a service that ends while it is traced: that is said" {
	demo-service --port "$port" --database "$T/service.db" >/dev/null 2>&1 &
	noise=$!
	for _ in {1..100}; do ! (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break; sleep 0.05; done
	(wait_for "$T/dir/monitor.tskv"; kill "$noise") 3>&- &
	try timeout 180 http-monitor -o "$T/dir" --trace -i 0.1 -d 2 "http://127.0.0.1:$port/"
	[ "$status" = 0 ]
	grep -qx "http-monitor: the service's process $noise ended meanwhile: what another one answered after it was not traced" <<<"$err"
}

@test "a limit of CPUs: throttled, by name of its cgroup" {
	[ "$(id -u)" = 0 ] || skip "cgroups want root"
	try timeout 180 http-monitor -o "$T/dir" --trace --limit-cpu 0.05 -i 0.4 -n 10 "http://127.0.0.1:$port/compute?n=30000000" -- \
		demo-service --port "$port" --database "$T/service.db"
	[[ $err != *"cannot limit "* ]] || skip "${err##*$'\n'}"
	[ "$status" = 0 ]
	where ev=throttle 'throttled>0' 'throttled_ns>0' <"$T/dir/monitor.tskv" >"$T/throttled"
	[ -s "$T/throttled" ]
	# The sum, as said; a period in which it was not throttled adds no time.
	periods=$(where ev=throttle <"$T/dir/monitor.tskv" | stats -o tskv -a sum throttled | grep -o 'sum=[0-9]*')
	[[ $out == *$'\n'"Throttled in ${periods#sum=} of the "*" (--limit-cpu 0.05)"$'\n'* ]]
	explained
	grep -q ev=throttle "$T/trace"
	if ! collect-sched --check | grep -q '^tells_throttling *ok'; then
		[ "$(sum runq_ns)" -gt $((2 * $(sum run_ns))) ]
		skip "the kernel does not tell who is throttled: it is runnable meanwhile"
	fi
	[ "$(sum throttled_ns)" -gt $((2 * $(sum run_ns))) ]
	[[ $out == *" % throttled (/"*"weir-"*")"* ]]
	# 0.05 CPUs: the quota takes most of a request's time; others may take as much where the machine is busy.
	grep -q $'\tmain=throttled\t' "$T/explained"
	[ "$(grep -oP '\trun_ns=\K[0-9]+|\tthrottled_ns=\K[0-9]+' "$T/explained" | paste - - | awk '$2 > $1' | wc -l)" -ge 6 ]
	# Nobody is to blame for it.
	contention -o tskv -p demo-service "$T/trace" | grep ev=verdict | grep -oP '\tthrottled_ns=\K[0-9]*' >"$T/held"
	[ "$(cat "$T/held")" -ge "$(sum throttled_ns)" ]
}

@test "what cannot be traced is said before anything starts" {
	try http-monitor -o "$T/dir" --trace -n 1 "http://127.0.0.1:$port/"
	expect 1 '' "http-monitor: cannot trace the service: no process is seen here that listens on port $port"
	try http-monitor -o "$T/dir" --trace -n 1 http://192.0.2.1/
	expect 1 '' "http-monitor: cannot trace the service: 192.0.2.1 is not this machine"
	try http-monitor --trace --slowest 0 http://127.0.0.1/
	[ "$status" = 2 ]
	need setpriv
	try setpriv --bounding-set=-all --inh-caps=-all http-monitor -o "$T/dir" --trace -n 1 "http://127.0.0.1:$port/" -- true
	expect 1 '' "http-monitor: cannot trace: collect-sched cannot run here; be root, or have CAP_BPF and CAP_PERFMON ('collect-sched --check' says what is missing)"
	[ ! -e "$T/dir" ]
}
