#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# demo-service against curl, python and sqlite3; cpu-hog against the kernel's own account.

load helper

setup() {
	live
	[ -x "$WEIR_BIN/demo-service" ] || skip "demo-service was not built"
	need curl jq sqlite3
	cd "$T" || return
}

teardown() {
	[ -z "${service:-}" ] || kill "$service" 2>/dev/null || true
}

# serve ARGUMENTS...: a service on a free port; sets $url and $service.
serve() {
	demo-service --port 0 -d 60 --database "$T/database.db" "$@" >"$T/service.out" 2>"$T/service.err" &
	service=$!
	for _ in $(seq 200); do
		grep -q ev=listening "$T/service.out" && break
		sleep 0.05
	done
	url=$(sed -n '1s/.*	url=\([^	]*\).*/\1/p' "$T/service.out")
	[ -n "$url" ]
}

# stop: ends the service, and fails unless it exits with 0.
stop() {
	kill -TERM "$service"
	wait "$service"
	service=
}

# get PATH: the answer, then its status on a line.
get() {
	curl -s -g -m 20 -w '%{http_code}\n' "$url$1"
}

sql() {
	sqlite3 "$T/database.db" "$1"
}

@test "pages answer in JSON; what they say is so" {
	serve
	[ "$(get /health)" = $'{"status":"ok"}\n200' ]
	[ "$(curl -s "$url/" | jq -r '.pages | keys[]' | grep -c /)" = 10 ]
	[ "$(curl -s "$url/info" | jq .pid)" = "$service" ]
	[ "$(curl -s "$url/compute" | jq .result)" = "$((100000 * 99999 / 2))" ]
	[ "$(curl -s "$url/compute?n=0" | jq .result)" = 0 ]
	[ "$(get /fail | tail -n 1)" = 500 ]
	[ "$(get '/fail?rate=0' | tail -n 1)" = 200 ]
	[ "$(get /none | tail -n 1)" = 404 ]
	[ "$(get /healthy | tail -n 1)" = 404 ]
	[ "$(get /upstream/users/0 | tail -n 1)" = 404 ]
	curl -s "$url/upstream/users/7" | jq -e '.id == 7 and .email == "user7@example.org"'
	[ "$(curl -s -o "$T/body" -w '%{http_code} %header{allow}' -X POST -d x=1 "$url/process")" = '405 GET, HEAD' ]
	[ "$(curl -sI "$url/health" | tr -d '\r' | sed -n '1p; s/^Content-Length: //p' | tail -n 2)" = $'HTTP/1.1 200 OK\n16' ]
	# Milliseconds, by curl's clock: not earlier, and no more than 50 ms later.
	curl -s -o "$T/body" -w '%{time_total}\n' "$url/slow?ms=150" | awk '{ exit !($1 >= 0.150 && $1 < 0.200) }'
	stop
	[[ $(cat "$T/service.err") == *"demo-service: listening on $url"*"demo-service: stopped after 14 requests, 1 of which failed" ]]
}

@test "/process: two calls, each with its own latency, in the answer and in the database" {
	# The upstream is slow; each call takes its 60 ms, the chain twice that.
	serve --fault-path /upstream --latency 60ms
	curl -s "$url/process" >"$T/answer"
	jq -e '.status == "ok" and .post.id == 1 and .user.id == .post.userId and (.calls | length) == 2' "$T/answer"
	jq -e '[.calls[].latency_ms] | all(. >= 60 and . < 110)' "$T/answer"
	jq -e '(.total_latency_ms - ([.calls[].latency_ms] | add)) | . >= 0 and . < 50' "$T/answer"
	[ "$(jq -r '.calls[] | "\(.source) \(.status_code) \(.attempts)"' "$T/answer")" = $'posts/1 200 1\nusers/1 200 1' ]
	stop
	[ "$(sql 'select id, source, status_code, latency_ms between 60 and 110 from api_calls')" = \
		$'1|posts/1|200|1\n2|users/1|200|1' ]
	[ "$(sql 'select count(*), min(id), max(id) from users')" = '1000|1|1000' ]
	[ "$(sql "select name, email from users where id = 1")" = 'User 1|user1@example.org' ]
	[ "$(sql 'select count(*) from logs')" = 0 ]
	[ "$(sql "select count(*) from api_calls where timestamp glob '20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z' and abs(julianday(timestamp) - julianday('now')) < 0.01")" = 2 ]
	# The columns of the original.
	[ "$(sql "select group_concat(name) from pragma_table_info('users')")" = id,name,email ]
	[ "$(sql "select group_concat(name) from pragma_table_info('logs')")" = id,timestamp,message ]
	[ "$(sql "select group_concat(name) from pragma_table_info('api_calls')")" = id,timestamp,source,status_code,latency_ms ]
}

@test "an upstream that fails is asked again, with growing pauses; in the end it is said" {
	need python3
	# 503, 503, then good: for each path.
	cat >"$T/upstream.py" <<-'E'
	import http.server, json, sys, time, collections
	seen = collections.Counter()
	class H(http.server.BaseHTTPRequestHandler):
	    protocol_version = 'HTTP/1.1'
	    def do_GET(self):
	        seen[self.path] += 1
	        print(time.monotonic(), self.path, flush=True)
	        good = seen[self.path] > 2 and '/bad/' not in self.path
	        body = json.dumps({'id': 5, 'userId': 5, 'name': "x'); DROP TABLE users; --", 'email': 'é' * 400}).encode()
	        if '/garbage/' in self.path: good, body = True, b'{"id": 1} and more'
	        if '/long/' in self.path: good, body = True, b' ' * 300000
	        self.send_response(200 if good else 404 if '/gone/' in self.path else 503)
	        self.send_header('Content-Length', str(len(body)))
	        self.end_headers()
	        self.wfile.write(body)
	    def log_message(self, *a): pass
	s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
	print(s.server_port, flush=True)
	s.serve_forever()
	E
	python3 "$T/upstream.py" >"$T/asked" &
	local upstream=$! port
	for _ in $(seq 100); do [ -s "$T/asked" ] && break; sleep 0.05; done
	port=$(head -n 1 "$T/asked")

	serve --upstream "http://127.0.0.1:$port" --retries 2 --backoff 80ms
	curl -s "$url/process" >"$T/answer"
	stop
	jq -e '.status == "ok" and ([.calls[].attempts] == [3, 3])' "$T/answer"
	[ "$(sql 'select source, status_code from api_calls' | paste -sd' ')" = \
		'posts/1|503 posts/1|503 posts/1|200 users/5|503 users/5|503 users/5|200' ]
	# 40 to 80 ms, then 80 to 160 ms.
	awk 'NR == 2 { a = $1 } NR == 3 { b = $1 } NR == 4 { exit !(b - a >= 0.04 && b - a < 0.12 && $1 - b >= 0.08 && $1 - b < 0.2) }' "$T/asked"
	# Text of another is only text, and bounded between characters.
	[ "$(sql 'select name, length(email) from users where id = 5')" = "x'); DROP TABLE users; --|128" ]

	local base want
	while read -r base want; do
		serve --upstream "http://127.0.0.1:$port/$base" --retries 2 --backoff 1ms
		[ "$(curl -s -w '%{http_code}' "$url/process" | jq -r '.error? // .')" = "$want"$'\n500' ]
		stop
		[ "$(sql 'select message from logs order by id desc limit 1')" = "$want" ]
	done <<-'E'
	bad cannot get posts/1: status 503 (attempts: 3)
	gone/ cannot get posts/1: status 404 (attempts: 1)
	garbage cannot use posts/1: the answer is no object in JSON
	long cannot get posts/1: the answer is longer than 262144 bytes (attempts: 1)
	E
	kill "$upstream"
	wait "$upstream" || true
	# Nobody is there any more.
	serve --upstream "http://127.0.0.1:$port" --retries 1 --backoff 1ms
	[ "$(curl -s "$url/process" | jq -r .error)" = "cannot get posts/1: Couldn't connect to server (attempts: 2)" ]
	stop
	[ "$(sql 'select status_code is null from api_calls order by id desc limit 1')" = 1 ]
}

@test "faults: latencies of each distribution, errors at their rate, a stall" {
	need python3
	local name check
	while read -r name check; do
		serve --fault-path /health --latency "$name" --seed 7
		for i in $(seq 60); do echo "url=$url/health"; echo 'output=/dev/null'; done >"$T/config"
		curl -s -Z --parallel-immediate --parallel-max 30 -K "$T/config" -w '%{time_starttransfer}\n' >"$T/times"
		stop
		python3 -c 'import sys, statistics
v = sorted(float(x) * 1000 for x in open(sys.argv[1]))
assert len(v) == 60, len(v)
median, mean, low, high = statistics.median(v), statistics.mean(v), v[0], v[-1]
assert eval(sys.argv[2]), (low, median, mean, high)' "$T/times" "$check"
	done <<-'E'
	30ms low >= 30 and median < 50
	uniform:20ms,80ms low >= 20 and 35 < median < 75 and high - low > 30
	normal:60,10 35 < median < 85 and high - low > 20
	exponential:40ms low < 20 and high > 60 and mean > 20
	lognormal:20ms,200ms 10 < median < 45 and high > 60
	E

	serve --fault-path /health --error-rate 0.25
	for i in $(seq 400); do printf 'url=%s/health\noutput=/dev/null\n' "$url"; done >"$T/config"
	failed=$(curl -s -K "$T/config" -w '%{http_code}\n' | grep -c 500)
	stop
	# 4 standard deviations about 100.
	[ "$failed" -ge 65 ] && [ "$failed" -le 135 ]

	serve --fault-path /health --stall 600ms --stall-after 0.5
	sleep 0.6
	curl -s -o "$T/body" -w '%{time_total}\n' "$url/health" | awk '{ exit !($1 > 0.2 && $1 < 0.65) }'
	# Other paths are as quick as ever, and it does not come again.
	curl -s -o "$T/body" -w '%{time_total}\n' "$url/info" | awk '{ exit !($1 < 0.1) }'
	stop
}

@test "--metrics: what Prometheus' own parser reads, and the counts are right" {
	serve
	for i in 1 2 3; do get /health; done
	get '/slow?ms=30'
	get /fail
	get /process
	curl -s -D "$T/head" "$url/metrics" >"$T/metrics"
	grep -qi '^content-type: text/plain; version=0.0.4' "$T/head"
	grep -qxF 'demo_requests_total{path="/health",status="200"} 3' "$T/metrics"
	grep -qxF 'demo_requests_total{path="/fail",status="500"} 1' "$T/metrics"
	grep -qxF 'demo_upstream_attempts_total{status="2xx"} 2' "$T/metrics"
	grep -qxF 'demo_request_duration_seconds_bucket{path="/slow",le="0.025"} 0' "$T/metrics"
	grep -qxF 'demo_request_duration_seconds_bucket{path="/slow",le="+Inf"} 1' "$T/metrics"
	stop
	/usr/bin/python3 -c 'import prometheus_client' 2>/dev/null || skip "python's prometheus_client is not there"
	/usr/bin/python3 - "$T/metrics" <<-'E'
	import sys
	from prometheus_client.parser import text_string_to_metric_families as parse
	families = {f.name: f for f in parse(open(sys.argv[1]).read())}
	assert families['demo_requests'].type == 'counter' and families['demo_requests'].documentation
	h = families['demo_request_duration_seconds']
	assert h.type == 'histogram'
	by = {}
	for s in h.samples:
	    by.setdefault(s.labels['path'], []).append(s)
	assert '/process' in by and len(by) == 11
	for path, samples in by.items():
	    buckets = [s.value for s in samples if s.name.endswith('_bucket')]
	    count = [s.value for s in samples if s.name.endswith('_count')][0]
	    assert buckets == sorted(buckets) and buckets[-1] == count, path
	assert families['process_resident_memory_bytes'].samples[0].value > 1e6
	E
}

@test "hostile requests are bounded, and the service lives" {
	serve --requests
	local path
	for path in '/slow?ms=-1' '/slow?ms=1e3' '/slow?ms=600001' '/slow?ms=' "/slow?ms=1';DROP%20TABLE%20users;--" \
		'/compute?n=99999999999999999999' '/fail?rate=2' '/fail?rate=nan' '/fail?rate=%00'; do
		[ "$(get "$path" | tail -n 1)" = 400 ] || { echo "$path"; false; }
	done
	long=$(head -c 100000 /dev/zero | tr '\0' a)
	printf 'url="%s/%s"\n' "$url" "$long" | curl -s -o "$T/body" -w '%{http_code}\n' -K - | grep -qx 414
	printf 'url="%s/health"\nheader="X: %s"\n' "$url" "$long" | curl -s -o "$T/body" -w '%{http_code}\n' -K - | grep -qx '4[13][34]\|431'
	[ "$(get /%1b%5b2J%09x | tail -n 1)" = 404 ]
	# No HTTP at all, half a request, many of them.
	port=${url##*:}
	printf '\x16\x03\x01garbage\r\n\r\n' | timeout 5 bash -c "cat >/dev/tcp/127.0.0.1/$port"
	for i in $(seq 20); do bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf 'GET /health HTTP/1.1\r\nHo' >&3"; done
	[ "$(get /health | tail -n 1)" = 200 ]
	stop
	# The log of requests is made of records whatever was asked for.
	where ev=served <"$T/service.out" >"$T/served"
	[ "$(where status=400 <"$T/served" | wc -l)" -ge 9 ]
	[ "$(grep -caP '[\x00-\x08\x0b-\x1f]' "$T/service.out")" = 0 ]
	[ "$(sql 'select count(*) from users')" = 1000 ]
}

@test "threads: no more than so many connections at a time; the others wait" {
	serve --threads 2 --requests
	local clients=()
	for i in 1 2 3 4 5; do
		curl -s -o "$T/body.$i" "$url/slow?ms=200" &
		clients+=($!)
	done
	wait "${clients[@]}"
	stop
	# How many were served at the same time, at most: by the service's own records.
	python3 - "$T/service.out" <<-'E'
	import sys
	rows = [dict(f.split('=', 1) for f in l.rstrip('\n').split('\t')) for l in open(sys.argv[1])]
	served = [(int(r['ts']) - int(r['dur_ns']), int(r['ts'])) for r in rows if r['ev'] == 'served']
	assert len(served) == 5 and all(r['status'] == '200' for r in rows if r['ev'] == 'served')
	assert max(sum(a <= at < b for a, b in served) for at, _ in served) == 2
	E
}

@test "a stop is graceful: what is under way ends, or is told; no new connection" {
	serve
	curl -s -o "$T/body" -w '%{http_code} %header{connection}\n' "$url/slow?ms=700" >"$T/code" &
	local client=$!
	sleep 0.3
	kill -INT "$service"
	sleep 0.15
	[ "$(curl -s -o "$T/none" -w '%{exitcode}' "$url/health")" = 7 ]
	wait "$client"
	[ "$(cut -c1-3 "$T/code")" = 200 ]
	wait "$service"

	serve --grace 200ms
	curl -s -w '%{http_code}\n' "$url/slow?ms=60000" >"$T/code" &
	client=$!
	sleep 0.3
	SECONDS=0
	stop
	wait "$client"
	[ "$(cat "$T/code")" = $'{"status":"error","error":"the service stops"}\n503' ]
	[ "$SECONDS" -le 3 ]
	# Nothing is left of a stopped service's database's journal.
	[ -z "$(find "$T" -name 'database.db-*')" ]
	serve -d 300ms
	wait "$service"
	service=
}

@test "a port in use, a wrong address, a locked or unusable database: said at once, status 1" {
	serve
	try demo-service --port "${url##*:}" --database "$T/other.db"
	expect 1 '' "demo-service: cannot listen on 127.0.0.1 port ${url##*:}: Address already in use; name another with --port, or 0 for any that is free"
	[ ! -e "$T/other.db" ]
	stop
	try demo-service --listen no.address
	[ "$status" = 2 ] && [[ $err == "demo-service: cannot listen on 'no.address': it is no address of IPv4 or IPv6"* ]]
	try demo-service --port 0 --database "$T/none/x.db"
	[ "$status" = 1 ] && [[ $err == "demo-service: cannot open $T/none/x.db: "*"No such file or directory"* ]]
	echo 'This is no database, and long enough for that to be seen by all.' >"$T/text.db"
	try demo-service --port 0 --database "$T/text.db"
	[ "$status" = 1 ] && [[ $err == "demo-service: cannot use $T/text.db: file is not a database" ]]
	try demo-service --port 0 --upstream ftp://x --database "$T/x.db"
	[ "$status" = 2 ]
	try demo-service --port 0 --latency normal:5 --database "$T/x.db"
	[ "$status" = 2 ] && [[ $err == "demo-service: cannot use 'normal:5' for --latency: it takes"* ]]
	for wrong in '--duration 0' '--fault-path process'; do
		# shellcheck disable=SC2086
		try timeout 5 demo-service --port 0 --database "$T/x.db" $wrong
		[ "$status" = 2 ]
	done

	need python3
	python3 -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin exclusive")
print(flush=True)
time.sleep(30)' "$T/database.db" >"$T/locked" &
	local locker=$!
	for _ in $(seq 100); do [ -s "$T/locked" ] && break; sleep 0.05; done
	try demo-service --port 0 --database "$T/database.db" --wait 100ms
	kill "$locker"
	[ "$status" = 1 ] && [[ $err == "demo-service: cannot use $T/database.db: database is locked (another program writes it; --wait gives it more time)" ]]
}

@test "a database that is locked later, and a full disk: the request fails, and says why; the service lives" {
	need python3
	serve --wait 100ms
	python3 -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("begin immediate")
print(flush=True)
sys.stdin.read()' "$T/database.db" >"$T/locked" < <(sleep 20) &
	local locker=$!
	for _ in $(seq 100); do [ -s "$T/locked" ] && break; sleep 0.05; done
	curl -s -w '%{http_code}\n' "$url/process" >"$T/answer"
	[ "$(tail -n 1 "$T/answer")" = 500 ]
	[ "$(head -n 1 "$T/answer" | jq -r .error)" = "cannot write $T/database.db: database is locked" ]
	[ "$(get /health | tail -n 1)" = 503 ]
	curl -s "$url/metrics" | grep -qx 'demo_not_stored_total 1'
	kill "$locker"
	wait "$locker" || true
	[ "$(get /process | tail -n 1)" = 200 ]
	[ "$(get /health | tail -n 1)" = 200 ]
	grep -qx "demo-service: cannot write $T/database.db: database is locked" "$T/service.err"
	stop

	[ "$(id -u)" = 0 ] || skip "a small disk wants root"
	mkdir "$T/disk"
	timeout 30 unshare -m bash -c 'mount -t tmpfs -o size=256k tmpfs "$1" 2>/dev/null && cd "$1" || exit
		demo-service --port 0 -d 20 --database full.db --users 100 >"$2/full.out" 2>"$2/full.err" & service=$!
		for _ in $(seq 100); do grep -q ev=listening "$2/full.out" && break; kill -0 $service || exit 77; sleep 0.05; done
		url=$(sed -n "1s/.*	url=\([^	]*\).*/\1/p" "$2/full.out")
		for i in $(seq 3000); do printf "url=%s/process\noutput=/dev/null\n" "$url"; done >"$2/config"
		curl -s -K "$2/config" -w "%{http_code}\n" | sort | uniq -c
		curl -s -w "%{http_code}\n" "$url/info" | tail -n 1
		kill $service; wait $service' - "$T/disk" "$T" >"$T/codes" || skip "no small disk can be mounted here"
	grep -q ' 200$' "$T/codes" && grep -q ' 500$' "$T/codes" && [ "$(tail -n 1 "$T/codes")" = 200 ]
	grep -qx 'demo-service: cannot write full.db: database or disk is full' "$T/full.err"
}

@test "cpu-hog: uses what is asked for, by the kernel's account, and says so" {
	try cpu-hog -n 2 --duty 20 --period 20ms -d 1.5
	[ "$status" = 0 ] && [ "$(where ev=usage comm=cpu-hog <"$T/try.out" | wc -l)" = 2 ]
	[[ $err == "cpu-hog: used "*" of CPU time in 1.5"*" % of a CPU, where 40.0 % was wanted" ]]
	# On a busy machine it may get less, never more: 2 threads of 20 % for 1.5 s, and a period's part each.
	stats -o csv -a sum cpu_ns <"$T/try.out" | tail -n 1 | awk '{ exit !($1 > 100e6 && $1 <= 700e6) }'
	python3 - "$WEIR_BIN/cpu-hog" <<-'E'
	import resource, subprocess, sys
	text = subprocess.run([sys.argv[1], '-n', '1', '-d', '0.7'], capture_output=True, text=True).stdout
	used = resource.getrusage(resource.RUSAGE_CHILDREN)
	said = int(dict(f.split('=', 1) for f in text.rstrip('\n').split('\t'))['cpu_ns']) / 1e9
	assert 0 <= used.ru_utime + used.ru_stime - said < 0.2, (used.ru_utime + used.ru_stime, said)
	E
	# A signal ends it, with the figures.
	cpu-hog --duty 0 >"$T/out" 2>"$T/err" &
	local hog=$!
	sleep 0.2
	kill -TERM "$hog"
	wait "$hog"
	grep -q ev=usage "$T/out"
	try cpu-hog --duty 101
	[ "$status" = 2 ]
}
