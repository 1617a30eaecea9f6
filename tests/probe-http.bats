#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# probe-http against a server of ours (tests/http-server), nginx, curl's figures and numpy's.

load helper

setup() {
	live
	need python3
	cd "$T" || return 1
	servers=()
	unset http_proxy https_proxy all_proxy no_proxy
	serve
}

teardown() {
	local server
	for server in "${servers[@]}"; do
		kill "$server" 2>/dev/null
	done
	wait
}

# serve OPTION...: starts a server and sets $port, and $url of its plain form.
serve() {
	rm -f port
	"$TESTS/http-server" "$@" >port 2>server.err 3>&- &
	servers+=($!)
	for _ in $(seq 200); do
		[ -s port ] && break
		sleep 0.05
	done
	port=$(cat port) url=http://127.0.0.1:$port
}

# numbers: the records of stdin without what differs from run to run.
numbers() {
	sed -E 's/^ts=[0-9]{19}\t/ts=T\t/; s/(intended_ts|[a-z]+_ns)=[0-9]+/\1=N/g; s/127.0.0.1:[0-9]+/HOST/g'
}

# column KEY: its values, one in a line.
column() {
	sed -nE "s/.*\t$1=([^\t]*).*/\1/p"
}

# peak COMMAND...: runs it, and sets $peak to the KiB of memory that it took.
peak() {
	peak=$(python3 -c 'import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=open("peak.out", "w"), stderr=open("peak.err", "w"))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)' "$@")
}

@test "a record for each request, every field in its place" {
	probe-http -n 2 -i 50ms "$url/x?y=1" >rows 2>/dev/null
	ends=$'\tsaddr=127.0.0.1\tsport=N\tdaddr=127.0.0.1\tdport=N'
	[ "$(numbers <rows | sed 's/port=[0-9]*/port=N/g')" = "$(printf '%s\n' \
		$'ts=T\tev=http\turl=http://HOST/x?y=1\tstatus=200\tok=1\tintended_ts=N\twait_ns=N\tdns_ns=N\tconnect_ns=N\tttfb_ns=N\tdur_ns=N\tcorrected_ns=N\trx_bytes=40\tattempt=1\treused=0'"$ends" \
		$'ts=T\tev=http\turl=http://HOST/x?y=1\tstatus=200\tok=1\tintended_ts=N\twait_ns=N\tttfb_ns=N\tdur_ns=N\tcorrected_ns=N\trx_bytes=40\tattempt=1\treused=1'"$ends")" ] || { numbers <rows; false; }
	# One connection, from this side.
	[ "$(column sport <rows | uniq | wc -l)" = 1 ] && [ "$(column dport <rows | uniq)" = "${url##*:}" ]
}

@test "times of a row agree with each other, and the schedule does not drift" {
	probe-http -n 200 -i 5ms "$url/" >rows 2>/dev/null
	need mlr
	mlr --idkvp --ifs tab --onidx filter '$ts - $intended_ts == $corrected_ns && $wait_ns + $dur_ns == $corrected_ns
		&& $ttfb_ns <= $dur_ns' rows >good
	[ "$(wc -l <good)" = 200 ]
	# Intended times are exact multiples of the interval.
	column intended_ts <rows | sort -n | awk '{ n = substr($1, 8) + 0; if (NR > 1 && n - last != 5000000) exit 1; last = n }'
	[ "$(column intended_ts <rows | sort -u | wc -l)" = 200 ]
}

@test "a rate is a schedule as well; -d ends it; several URLs take turns" {
	probe-http -r 300 -d 0.5 "$url/a" "$url/b" "$url/c" >rows 2>/dev/null
	[ "$(wc -l <rows)" = 150 ]
	for path in a b c; do
		[ "$(grep -c "url=$url/$path	" rows)" = 50 ]
	done
	# A third of a second holds 100 intervals, however they are rounded.
	column intended_ts <rows | sort -n | awk 'NR == 1 { a = substr($1, 8) + 0 } NR == 101 { d = substr($1, 8) - a }
		END { exit !(d >= 333333332 && d <= 333333334) }'
}

@test "a server that stalls for a second: the open schedule shows it, the closed loop hides it" {
	serve --stall 1
	sleep 0.5
	probe-http -i 10ms -d 3 --summary open.sum "$url/" >open 2>/dev/null
	serve --stall 1
	sleep 0.5
	probe-http --closed -i 10ms -d 3 --summary closed.sum "$url/" >closed 2>/dev/null
	serve --stall 1
	sleep 0.5
	probe-http -c 1 -i 10ms -d 3 --summary one.sum "$url/" >one 2>/dev/null
	# A third of what was due meets the stall: 100 requests, of which half waited for half of it.
	[ "$(wc -l <open)" = 300 ]
	[ "$(where 'corrected_ns>500ms' <open | wc -l)" -ge 40 ]
	[ "$(where ev=stats latency=corrected 'p99>800000000' <open.sum | wc -l)" = 1 ]
	[ "$(where 'corrected_ns>500ms' <closed | wc -l)" = 1 ]
	[ "$(where ev=stats latency=corrected 'p99<500000000' <closed.sum | wc -l)" = 1 ]
	# With one connection, the requests wait in the prober: only the corrected figures have it.
	[ "$(wc -l <one)" = 300 ] && [ "$(where 'dur_ns>500ms' <one | wc -l)" = 1 ]
	[ "$(where 'corrected_ns>500ms' <one | wc -l)" -ge 40 ]
	[ "$(where ev=stats latency=corrected 'p99>800000000' <one.sum | wc -l)" = 1 ]
	[ "$(where ev=stats latency=raw 'p99<500000000' <one.sum | wc -l)" = 1 ]
	[ "$(where ev=stats 'max>800000000' <closed.sum | wc -l)" = 2 ]
}

@test "a delay is never measured too short" {
	probe-http -n 30 -i 30ms "$url/slow/20" >rows 2>/dev/null
	[ "$(where ok=1 'dur_ns>=20ms' 'ttfb_ns>=20ms' <rows | wc -l)" = 30 ]
}

# Of many, the best is as good on a busy machine: a bias or a drift would be in all of them.
@test "an injected delay is measured, and the schedule kept, within 1 ms" {
	[ -x "$WEIR_BIN/demo-service" ] || skip "demo-service was not built"
	demo-service --port 0 --database service.db >listening 2>service.log 3>&- &
	servers+=($!)
	wait_for listening
	service=$(grep -o 'url=[^[:blank:]]*' listening)
	for ms in 5 50; do
		probe-http -n 100 -i 20ms "${service#url=}/slow?ms=$ms" >rows 2>/dev/null
		[ "$(where ok=1 "dur_ns>=${ms}ms" <rows | wc -l)" = 100 ]
		[ "$(where "dur_ns<$((ms + 1))ms" <rows | wc -l)" -gt 0 ]
		# The last are sent when they are due, as the first were.
		sort -t= -k 2,2n rows | tail -n 30 | where 'wait_ns<1ms' >last
		[ -s last ]
	done
}

@test "what cannot be sent in time is a row, and so is each of the others" {
	try probe-http -c 2 -i 20ms -n 50 --timeout 0.3 --summary sum "$url/hang"
	cp try.out rows
	[ "$status" = 0 ] && [ "$(wc -l <rows)" = 50 ] && [ "$(where ok=0 <rows | wc -l)" = 50 ]
	late=$(where error=late <rows | wc -l) timeout=$(where error=timeout <rows | wc -l)
	[ $((late + timeout)) = 50 ] && [ "$late" -gt 30 ] && [ "$timeout" -ge 4 ]
	[[ $err == *"errors: timeout $timeout, late $late"* ]]
	[ "$(where ev=summary "error.late=$late" "error.timeout=$timeout" requests=50 "attempts=$timeout" <sum | wc -l)" = 1 ]
	[ "$(where error=late 'wait_ns>=300ms' '!dur_ns' '!reused' <rows | wc -l)" = "$late" ]
	[ "$(where error=timeout 'dur_ns>=300ms' <rows | wc -l)" = "$timeout" ]
}

@test "each way to fail has its name" {
	fails() {
		local want=$1
		shift
		got=$(timeout 20 probe-http --timeout 0.5 -n 1 "$@" 2>/dev/null | column error)
		[ "$got" = "$want" ] || { echo "$*: got '$got', want '$want'"; return 1; }
	}
	fails status "$url/status/404"
	fails status "$url/redirect"
	fails timeout "$url/hang"
	fails timeout "$url/drip"
	fails closed "$url/close"
	fails closed "$url/part"
	fails reset "$url/reset"
	fails protocol "$url/garbage"
	fails protocol "$url/headers"
	fails protocol "$url/line"
	fails protocol "$url/interim"
	fails protocol "$url/chunks"
	fails refused http://127.0.0.1:1/
	fails dns http://no-such-host.invalid/
	fails tls "https://127.0.0.1:$port/"
	fails proxy --proxy http://no-such-host.invalid:1 "$url/"
	# A proxy that refuses to connect is no server that answers.
	fails proxy --proxy "$url" https://example.invalid/
	[ "$(probe-http -n 1 --proxy "$url" https://example.invalid/ 2>/dev/null | where '!ttfb_ns' rx_bytes=0 | wc -l)" = 1 ]
	# One after the other on the same connection, none has the reason of the one before.
	probe-http -c 1 -n 6 -i 1ms "$url/reset" "$url/chunks" "$url/" "$url/chunks" "$url/close" "$url/" 2>/dev/null |
		cut -f3- | sed -nE 's/.*\tok=([01])\t(error=([a-z]*))?.*/\1 \3/p' >got
	diff - got <<<$'0 reset\n0 protocol\n1 \n0 protocol\n0 closed\n1 '
}

@test "a body of 1 GB, and one that does not end: bounded memory, in time" {
	peak probe-http -n 1 "$url/huge/1000000000"
	[ "$(where ok=1 'rx_bytes>=1000000000' <peak.out | wc -l)" = 1 ]
	[ "$peak" -lt 200000 ]
	peak timeout 10 probe-http -c 20 -i 1ms -n 20 --timeout 1 "$url/headers" "$url/line" "$url/huge/100000000000"
	[ "$(wc -l <peak.out)" = 20 ] && [ "$(where ok=0 <peak.out | wc -l)" = 20 ]
	[ "$peak" -lt 200000 ]
}

@test "ten thousand slow connections at a time" {
	[ "$(ulimit -Hn)" = unlimited ] || [ "$(ulimit -Hn)" -gt 10100 ] || skip "only $(ulimit -Hn) files may be open"
	ulimit -n "$(ulimit -Hn)"
	serve
	try timeout 60 probe-http -c 10000 -r 5000 -n 10000 --timeout 5 "$url/hang"
	[ "$status" = 0 ] && [ "$(wc -l <try.out)" = 10000 ]
	[ "$(where ok=0 error=timeout,late <try.out | wc -l)" = 10000 ]
}

@test "TLS: certificates are checked; -k and --cacert" {
	need openssl
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 2>/dev/null
	serve --tls cert.pem key.pem
	url=https://127.0.0.1:$port/
	[ "$(probe-http -n 1 "$url" 2>/dev/null | column error)" = tls ]
	for option in -k "--cacert cert.pem"; do
		# shellcheck disable=SC2086
		probe-http $option -c 1 -n 2 -i 50ms "$url" >rows 2>/dev/null
		[ "$(where ok=1 tls_ns connect_ns reused=0 <rows | wc -l)" = 1 ]
		[ "$(where ok=1 '!tls_ns' reused=1 <rows | wc -l)" = 1 ]
	done
	[ "$(probe-http -k -n 2 -i 50ms --no-reuse "$url" 2>/dev/null | where ok=1 tls_ns reused=0 | wc -l)" = 2 ]
	openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other 2>/dev/null
	[ "$(probe-http --cacert other.pem -n 1 "$url" 2>/dev/null | column error)" = tls ]
}

@test "nginx: HTTP/1.1 and HTTP/2, IPv6; curl counts the same bytes" {
	need nginx curl openssl
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
	mkdir html
	head -c 5000 /dev/zero >html/index.html
	read -r tls h2c plain < <(python3 -c 'import socket
s = [socket.socket(socket.AF_INET6 if i == 1 else socket.AF_INET) for i in range(3)]
for i, x in enumerate(s): x.bind(("::1" if i == 1 else "127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
	cat >nginx.conf <<-EOF
		daemon off; user root; pid $T/pid; error_log $T/nginx.err;
		events { }
		http {
			access_log $T/log; root $T/html;
			client_body_temp_path $T/a; proxy_temp_path $T/b; fastcgi_temp_path $T/c;
			uwsgi_temp_path $T/d; scgi_temp_path $T/e;
			server { listen 127.0.0.1:$plain; listen [::1]:$h2c http2; listen 127.0.0.1:$tls ssl http2;
				ssl_certificate $T/cert.pem; ssl_certificate_key $T/key.pem; }
		}
	EOF
	chmod 711 "$T"
	nginx -p "$T" -c "$T/nginx.conf" 2>nginx.out 3>&- &
	servers+=($!)
	for _ in $(seq 100); do
		curl -s -o curl.out "http://127.0.0.1:$plain/?ready" && break
		sleep 0.05
	done
	[ -s curl.out ] || skip "nginx does not start: $(cat nginx.out nginx.err)"
	{
		probe-http -n 5 -i 10ms "http://127.0.0.1:$plain/"
		probe-http -n 5 -i 10ms -k "https://127.0.0.1:$tls/"
		probe-http -n 5 -i 10ms -k --http 1.1 "https://127.0.0.1:$tls/"
		probe-http -n 5 -i 10ms --http 2 "http://[::1]:$h2c/"
	} >rows 2>/dev/null
	[ "$(where ok=1 status=200 <rows | wc -l)" = 20 ] || { cat rows; false; }
	for _ in $(seq 100); do	# it logs when it has answered
		[ "$(grep -c 'GET / ' log)" = 20 ] && break
		sleep 0.05
	done
	[ "$(grep -oE '"GET / HTTP/[0-9.]+" 200' log | sort | uniq -c | tr -s ' ')" = \
		$' 10 "GET / HTTP/1.1" 200\n 10 "GET / HTTP/2.0" 200' ]
	want=$(curl -s -o curl.out -w '%{size_header}+%{size_download}' "http://127.0.0.1:$plain/")
	[ "$(head -n 1 rows | column rx_bytes)" = $((want)) ]
	kill -0 "${servers[-1]}"
}

@test "a link-local address of IPv6: the interface is the URL's" {
	need ip unshare
	cat >inside <<-'EOF'
		ip link set lo up && ip link add v1 type veth peer name v2 && ip link set v1 up && ip link set v2 up || exit 9
		ip addr add fe80::77/64 dev v1 nodad || exit 9
		"$TESTS/http-server" --host fe80::77%v1 >port6 &
		for _ in $(seq 200); do
			[ -s port6 ] && break
			sleep 0.05
		done
		probe-http -n 1 "http://[fe80::77%25v1]:$(cat port6)/" 2>/dev/null
		probe-http -n 1 "http://[fe80::77%25$(cat /sys/class/net/v1/ifindex)]:$(cat port6)/" 2>/dev/null
		kill $!
	EOF
	TESTS=$TESTS unshare --net --mount sh -c 'mount -t sysfs none /sys && exec bash ./inside' >rows || skip 'no network namespace can be made'
	[ "$(column ok <rows | tr '\n' ' ')" = '1 1 ' ] || { cat rows; false; }
	[[ $(column url <rows | head -n 1) == 'http://[fe80::77%25v1]:'* ]]
	try probe-http 'http://[fe80::77%25none-such]/'
	expect 2 '' "probe-http: cannot use 'http://[fe80::77%25none-such]/' as a URL: no interface has the name behind its %25; see 'probe-http --help'"
}

@test "method, headers and body are those asked for" {
	serve --log log
	printf 'one\0two' >body
	{
		probe-http -n 1 "$url/"
		probe-http -n 1 -X DELETE -H 'X-A: 1' -H 'X-B: two words' -H 'User-Agent:' "$url/d"
		probe-http -n 1 --data a=b "$url/p"
		probe-http -n 1 -X PUT -H 'Content-Type: x/y' --data @body "$url/q"
		probe-http -n 1 -X HEAD "$url/h"
	} >rows 2>/dev/null
	[ "$(where ok=1 <rows | wc -l)" = 5 ]
	sed "s/127.0.0.1:$port/H/; s,probe-http/[0-9.]*,probe-http/V," log >got
	diff - got <<-'EOF'
		GET / {'Host': 'H', 'User-Agent': 'weir-probe-http/V', 'Accept': '*/*'} b''
		DELETE /d {'Host': 'H', 'Accept': '*/*', 'X-A': '1', 'X-B': 'two words'} b''
		POST /p {'Host': 'H', 'User-Agent': 'weir-probe-http/V', 'Accept': '*/*', 'Content-Length': '3', 'Content-Type': 'application/x-www-form-urlencoded'} b'a=b'
		PUT /q {'Host': 'H', 'User-Agent': 'weir-probe-http/V', 'Accept': '*/*', 'Content-Type': 'x/y', 'Content-Length': '7'} b'one\x00two'
		HEAD /h {'Host': 'H', 'User-Agent': 'weir-probe-http/V', 'Accept': '*/*'} b''
	EOF
	# A proxy is asked for the whole URL; a user and a password go to the server, not into the record.
	probe-http -n 1 --proxy "$url" http://user:secret@example.invalid/x >rows 2>/dev/null
	[ "$(column url <rows)" = http://example.invalid/x ]
	grep -q "GET http://example.invalid/x .*'Authorization': 'Basic dXNlcjpzZWNyZXQ='" log
}

@test "--retry: a row for each attempt, the intended time stays; --expect" {
	try probe-http -n 2 -i 1ms -c 1 --retry 3 --backoff 20 --summary sum "$url/flaky/2"
	cp try.out rows
	[ "$(column attempt <rows | tr '\n' ' ')" = '1 2 3 1 2 3 ' ]
	[ "$(where attempt=1,2 status=503 ok=0 error=status <rows | wc -l)" = 4 ]
	[ "$(where attempt=3 status=200 ok=1 '!error' <rows | wc -l)" = 2 ]
	[ "$(column intended_ts <rows | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" = '3 3 ' ]
	[ "$(where attempt=3 'wait_ns>=60ms' 'corrected_ns>=60ms' <rows | wc -l)" = 2 ]
	[ "$(where ev=summary requests=2 attempts=6 succeeded=2 error.status=4 <sum | wc -l)" = 1 ]
	[[ $err == *'2 requests in 6 attempts in '*', 2 succeeded (100.00 %)'* ]]
	[ "$(probe-http -n 1 --retry 2 --backoff 1 "$url/status/500" 2>/dev/null | column attempt | tr '\n' ' ')" = '1 2 3 ' ]
	[ "$(probe-http -n 1 --expect 200,3xx "$url/redirect" 2>/dev/null | column ok)" = 1 ]
	[ "$(probe-http -n 1 --expect 404 "$url/status/404" 2>/dev/null | column ok)" = 1 ]
	[ "$(probe-http -n 1 --expect 3xx "$url/" 2>/dev/null | column error)" = status ]
}

@test "the summary's figures are numpy's, to 1e-9" {
	/usr/bin/python3 -c 'import numpy' 2>/dev/null || skip 'numpy is not installed'
	probe-http -r 700 -n 1501 -c 20 --summary sum "$url/" "$url/slow/3" "$url/status/500" >rows 2>/dev/null
	/usr/bin/python3 - <<-'EOF'
		import numpy
		rows = [dict(f.split("=", 1) for f in line.rstrip("\n").split("\t")) for line in open("rows")]
		total, raw, corrected = [dict(f.split("=", 1) for f in line.rstrip("\n").split("\t")) for line in open("sum")]
		good = [r for r in rows if r["ok"] == "1"]
		assert (int(total["requests"]), int(total["succeeded"])) == (1501, len(good)), total
		assert int(total.get("error.status", 0)) == sum(r.get("error") == "status" for r in rows), total
		assert (raw["latency"], corrected["latency"]) == ("raw", "corrected")
		for got, key in ((raw, "dur_ns"), (corrected, "corrected_ns")):
		    v = numpy.array([int(r[key]) for r in good], dtype=numpy.float64)
		    want = dict(count=len(v), mean=v.mean(), median=numpy.median(v), min=v.min(), max=v.max(),
		                stddev=v.std(ddof=1), p95=numpy.percentile(v, 95), p99=numpy.percentile(v, 99))
		    for name, value in want.items():
		        assert abs(float(got[name]) - value) <= 1e-9 * abs(value), (key, name, got[name], value)
	EOF
	# stats(1), of the same rows, says the same to the last digit.
	where ok=1 <rows | stats -o tskv -a count,mean,median,min,max,stddev,p95,p99 corrected_ns | cut -f3- >want
	where ev=stats latency=corrected <sum | cut -f4- | diff - want
}

@test "--compat monitor: the CSV file and the table of monitor.py" {
	need sqlite3
	export TZ=Asia/Kolkata
	before=$(date +%s)
	probe-http --compat monitor -n 3 -i 50ms "$url/" "$url/status/500" http://127.0.0.1:1/ >rows 2>/dev/null
	to-csv rows >all.csv
	to-csv -f timestamp,latency_ms,success,status_code rows | cmp - all.csv
	sed -E 's/20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{6},[0-9]+\.[0-9]+,/STAMP,MS,/' all.csv >got
	diff - got <<<$'timestamp,latency_ms,success,status_code\nSTAMP,MS,True,200\nSTAMP,MS,False,500\nSTAMP,MS,False,'
	python3 - "$before" <<-'EOF'
		import csv, datetime, sys
		for row in csv.DictReader(open("all.csv")):
		    stamp = datetime.datetime.fromisoformat(row["timestamp"])
		    assert stamp.tzinfo is None and 0 <= stamp.timestamp() - int(sys.argv[1]) < 60
		    assert 0 < float(row["latency_ms"]) < 10000
	EOF
	table='monitor_stats(id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, latency_ms REAL NOT NULL, success INTEGER NOT NULL, status_code INTEGER)'
	sqlite3 database.db 'create table users(id)'
	to-sqlite --into "$table" database.db <rows
	to-sqlite --into monitor_stats database.db <rows
	[ "$(sqlite3 database.db .schema)" = "CREATE TABLE users(id);
CREATE TABLE $table;" ]
	sqlite3 -csv -nullvalue '' database.db "select timestamp, printf('%.6f', latency_ms), iif(success, 'True', 'False'), status_code
		from monitor_stats where id <= 3" | tr -d '"\r' | awk -F, -v OFS=, '{ $2 += 0; print }' >got
	tail -n +2 all.csv | awk -F, -v OFS=, '{ $2 += 0; print }' | diff - got
	[ "$(sqlite3 database.db "select group_concat(id), group_concat(distinct typeof(timestamp) || typeof(latency_ms) || typeof(success))
		from monitor_stats")" = '1,2,3,4,5,6|textrealinteger' ]
}

@test "Ctrl-C: what is in flight ends, the summary comes; a second one ends at once; SIGTERM" {
	for signal in INT TERM; do
		# Not a background job of this shell, for which SIGINT would be ignored.
		python3 -c 'import subprocess, sys, time, signal
p = subprocess.Popen(sys.argv[2:], stdout=open("rows", "w"), stderr=open("err", "w"),
	preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
time.sleep(0.5); p.send_signal(getattr(signal, "SIG" + sys.argv[1])); sys.exit(p.wait(10))' \
			"$signal" probe-http -i 20ms "$url/slow/100"
		n=$(wc -l <rows)
		[ "$n" -gt 5 ] && [ "$(where ok=1 <rows | wc -l)" = "$n" ]
		grep -q "probe-http: $n requests in .*, $n succeeded (100.00 %)" err
		grep -q '^corrected ' err
	done
	status=0
	python3 -c 'import subprocess, sys, time, signal
p = subprocess.Popen(sys.argv[1:], stdout=open("rows", "w"), stderr=open("err", "w"),
	preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
for _ in range(2): time.sleep(0.5); p.send_signal(signal.SIGINT)
sys.exit(p.wait(3))' probe-http -i 20ms --timeout 60 "$url/hang" || status=$?
	[ "$status" = 1 ]
	n=$(wc -l <rows)
	[ "$n" -gt 5 ] && [ "$(where ok=0 error=stopped <rows | wc -l)" = "$n" ]
	grep -q "errors: stopped $n" err
}

@test "records come as answers do, not when a buffer is full" {
	probe-http -i 0.1 -d 20 "$url/" 2>/dev/null | { read -r line && date +%s >first; sleep 0.1; [[ $line == ts=*ok=1* ]]; } &
	begin=$(date +%s)
	wait $!
	[ $(($(cat first) - begin)) -lt 10 ]
}

@test "progress, where it is forced" {
	try probe-http --progress -n 30 -i 20ms "$url/"
	[[ $err == *$'\r\033[K'"probe-http: "*" %, "*" requests/s, "*" s left"* ]]
}

@test "wrong usage" {
	wrong() {
		local want=$1
		shift
		try probe-http "$@"
		expect 2 '' "probe-http: $want; see 'probe-http --help'"
	}
	wrong 'cannot probe: no URL is given'
	wrong "cannot use 'ftp://x/' as a URL: its scheme is not http or https" ftp://x/
	wrong "cannot use 'http://x/\x0aX: y' as a URL: it holds a blank or a control character" $'http://x/\nX: y'
	wrong "cannot use 'A: b\x0d\x0aC: d' as a header: it holds a control character" -H $'A: b\r\nC: d' x
	wrong "cannot use 'A' as a header: it is not 'Name: value'" -H A x
	wrong "cannot use 'G ET' as a method" -X 'G ET' x
	wrong 'cannot use --data with HEAD' -X HEAD --data x x
	wrong "cannot use 'ftp://' for --proxy: it takes http, https, socks4, socks4a, socks5, socks5h" --proxy ftp://y x
	wrong "cannot use '2x' for --expect: it takes statuses, such as 200,3xx" --expect 2x x
	wrong 'cannot use -i and -r together' -i 1 -r 1 x
	wrong 'cannot use a rate of less than one request in a day' -r 0.00001 x
	wrong 'cannot use an interval of 0 without --closed' -i 0 x
	try probe-http --data @nix x
	expect 1 '' 'probe-http: cannot open nix: No such file or directory'
	try probe-http --cacert nix x
	expect 1 '' 'probe-http: cannot read nix: No such file or directory'
	try probe-http -n 1 --summary /dev/full "$url/"
	[ "$status" = 1 ] && [[ $err == *'cannot write /dev/full: No space left on device'* ]]
}
