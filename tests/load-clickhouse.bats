#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Against two private servers on loopback, which are a cluster.

load helper

have_server() {
	command -v clickhouse-client >/dev/null && { command -v clickhouse-server >/dev/null || [ -x /usr/sbin/clickhouse-server ]; }
}

setup_file() {
	have_server || return 0
	PATH=$PATH:/usr/sbin
	S=$BATS_FILE_TMPDIR
	read -r p1 p2 i1 i2 h1 h2 < <(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*(x.getsockname()[1] for x in s))')
	for n in 1 2; do
		port=p$n inter=i$n http=h$n
		mkdir -p "$S/$n/data" "$S/$n/tmp"
		cat >"$S/$n/config.xml" <<-E
		<yandex>
		<logger><level>warning</level><log>$S/$n/log</log><errorlog>$S/$n/err</errorlog></logger>
		<tcp_port>${!port}</tcp_port><http_port>${!http}</http_port><interserver_http_port>${!inter}</interserver_http_port>
		<interserver_http_host>127.0.0.1</interserver_http_host><listen_host>127.0.0.1</listen_host>
		<path>$S/$n/data/</path><tmp_path>$S/$n/tmp/</tmp_path><users_config>$S/$n/users.xml</users_config>
		<default_profile>default</default_profile><default_database>default</default_database>
		<mark_cache_size>134217728</mark_cache_size>
		<remote_servers><pair>
		<shard><replica><host>127.0.0.1</host><port>$p1</port></replica></shard>
		<shard><replica><host>127.0.0.1</host><port>$p2</port></replica></shard>
		</pair></remote_servers>
		</yandex>
		E
		cat >"$S/$n/users.xml" <<-'E'
		<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
		<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>
		E
		(cd "$S/$n" && exec clickhouse-server --config-file="$S/$n/config.xml") >"$S/$n/out" 2>&1 3>&- &
		echo $! >"$S/$n/pid"
		disown
		echo "${!port}" >"$S/$n/port"
	done
	for n in 1 2; do
		for _ in $(seq 200); do
			clickhouse-client --host 127.0.0.1 --port "$(cat "$S/$n/port")" --query 'select 1' >/dev/null 2>&1 && break
			sleep 0.1
		done
	done
	for name in postgres smoke; do
		lttng-convert "$(trace $name)/trace" | spans >"$S/$name.tskv" 2>/dev/null
	done
	to-sqlite -a "$S/spans.db" <"$S/postgres.tskv" 2>/dev/null
	to-sqlite -a "$S/spans.db" <"$S/smoke.tskv" 2>/dev/null
}

teardown_file() {
	for n in 1 2; do
		[ ! -e "$BATS_FILE_TMPDIR/$n/pid" ] || kill -KILL "$(cat "$BATS_FILE_TMPDIR/$n/pid")"
	done
}

setup() {
	have_server || skip "ClickHouse's server is not installed"
	need sqlite3 python3
	S=$BATS_FILE_TMPDIR
	port=$(cat "$S/1/port")
	db=t$BATS_TEST_NUMBER
}

# loaded ARGUMENT...: load-clickhouse, into this test's database.
loaded() {
	try load-clickhouse --host 127.0.0.1 --port "$port" --database "$db" "$@"
}
ask() {
	clickhouse-client --host 127.0.0.1 --port "$port" --database "$db" "$@"
}
question() {
	ask --multiquery <"$TESTS/../sql/clickhouse/$1.sql"
}

# quantiles FIELDS WHERE: of SQLite's rows, `GROUP count sum min max p50 p95 p99` by type 7, sorted, those with most first.
quantiles() {
	sqlite3 -separator $'\t' "$S/spans.db" "select $1, dur_ns from $2 where dur_ns is not null" | python3 -c '
import sys
from collections import defaultdict
groups = defaultdict(list)
for line in sys.stdin:
	*key, value = line.rstrip("\n").split("\t")
	groups[tuple(key)].append(int(value))
for key, v in sorted(groups.items(), key=lambda g: (-sum(g[1]), g[0]))[:'"$3"']:
	v.sort()
	q = []
	for p in 50, 95, 99:
		h = (len(v) - 1) * p / 100
		q.append(v[int(h)] + (h - int(h)) * (v[min(int(h) + 1, len(v) - 1)] - v[int(h)]))
	print("\t".join(key), len(v), sum(v), v[0], v[-1], *("%.3f" % x for x in q), sep="\t")'
}

# What ClickHouse answered in the same form.
plain() {
	python3 -c '
import sys
for line in sys.stdin:
	*fields, q = line.rstrip("\n").split("\t")
	print("\t".join(fields), *("%.3f" % float(x) for x in q.strip("[]").split(",")), sep="\t")'
}

agrees_with_sqlite() {
	for table in $(sqlite3 "$S/spans.db" 'select name from tables'); do
		[ "$(ask --query "select count(), sum(ts), sum(cpu) from \`$table\`")" = \
			"$(sqlite3 -separator $'\t' "$S/spans.db" "select count(*), 0, sum(cpu) from \"$table\"" |
			sed "s/\t0\t/\t$(sqlite3 "$S/spans.db" "select ts from \"$table\"" | python3 -c '
import sys
print((sum(map(int, sys.stdin)) + 2**63) % 2**64 - 2**63)')\t/")" ] || { echo "$table"; false; }
	done
	diff <(quantiles comm,name syscall 25) <(question syscalls | plain)
	diff <(quantiles comm runq 15) <(question run-queue | plain)
}

@test "row counts, sums and quantiles are SQLite's" {
	loaded "$S/postgres.tskv" "$S/smoke.tskv"
	expect 0 '' ''
	agrees_with_sqlite
	sqlite3 -separator $'\t' "$S/spans.db" "select comm, path, count(*), sum(bytes), sum(dur_ns), max(dur_ns) from syscall
		where path is not null and bytes is not null group by 1, 2 order by 5 desc, 1, 2 limit 15" >"$T/want"
	diff "$T/want" <(question files)
	sqlite3 -separator $'\t' "$S/spans.db" "select ev, name, count(*), sum(dur_ns), max(dur_ns) from
		(select ev, name, dur_ns from irq union all select ev, name, dur_ns from softirq) group by 1, 2
		order by 4 desc, 1, 2 limit 15" >"$T/want"
	diff "$T/want" <(question interrupts)
	sqlite3 -separator $'\t' "$S/spans.db" "select pid, comm, count(*), sum(dur_ns), max(dur_ns) from oncpu
		group by run, pid, comm order by 4 desc limit 15" | sed 's/^\t/\\N\t/' >"$T/want"
	diff "$T/want" <(question cpu | cut -f2-)
	# The heat map, its buckets by SQLite's shifts.
	sqlite3 -separator $'\t' "$S/spans.db" "with recursive n(n) as (select 0 union all select n + 1 from n where n < 61)
		select ts / 1000000000, 1 << (select max(n) from n where dur_ns >> n > 0), count(*) from runq where dur_ns > 0
		group by run, 1, 2 order by 1, 2" >"$T/want"
	question heat-map | cut -f2-4 | python3 -c '
import sys, datetime
rows = [l.split("\t") for l in sys.stdin]
for t, b, n in sorted((int(datetime.datetime.fromisoformat(t + "+00:00").timestamp()), int(b), int(n)) for t, b, n in rows):
	print(t, b, n, sep="\t")' >"$T/got"
	[ "$(wc -l <"$T/want")" -gt 50 ]
	diff "$T/want" "$T/got"
}

@test "a file is loaded once, whatever it is called; another adds its rows" {
	loaded "$S/smoke.tskv"
	[ "$status" = 0 ]
	cp "$S/smoke.tskv" "$T/again.tskv"
	loaded "$T/again.tskv" "$S/smoke.tskv"
	[ "$status" = 0 ] && [ "$(grep -c 'is loaded already, as run [0-9]*$' <<<"$err")" = 2 ]
	[ "$(ask --query 'select count() from runq')" = "$(grep -c 'ev=runq' "$S/smoke.tskv")" ]
	head -n 100 "$S/smoke.tskv" | zstd -q -o "$T/part.tskv.zst"
	loaded "$T/part.tskv.zst"
	expect 0 '' ''
	[ "$(ask --query 'select records from runs order by records')" = "100
$(wc -l <"$S/smoke.tskv")" ]
}

@test "what comes out is what went in" {
	loaded "$S/smoke.tskv"
	for ev in runq exec; do
		ask --query "select * from $ev order by ts format TSKV" | sed 's/\t[a-z_]*=\\N//g; s/^run=[0-9]*\t//' | sort >"$T/got"
		# Fields in the order of the columns.
		grep "	ev=$ev	" "$S/smoke.tskv" | awk -F'\t' -v want="$(ask --query "select name from system.columns where database = '$db' and table = '$ev'" | tr '\n' ' ')" '{
			n = split(want, key, " "); delete f; line = ""
			for (i = 1; i <= NF; i++) { p = index($i, "="); f[substr($i, 1, p - 1)] = $i }
			for (i = 1; i <= n; i++) if (key[i] in f) line = line "\t" f[key[i]]
			print substr(line, 2) }' | sort >"$T/want"
		[ -s "$T/want" ]
		diff "$T/want" "$T/got"
	done
}

@test "killed at any moment and repeated: everything once" {
	want=$(grep -c 'ev=syscall' "$S/postgres.tskv")
	seen=
	for delay in 0.4 1 1.8; do
		setsid load-clickhouse --host 127.0.0.1 --port "$port" --database "$db" "$S/postgres.tskv" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "$delay"
		kill -KILL -- "-$pid" 2>/dev/null || true
		wait "$pid" || true
		# At no time is a part of a table there.
		count=$(ask --query 'select count() from syscall' 2>/dev/null) || count=0
		[ "$count" = 0 ] || [ "$count" = "$want" ]
		seen+=" $count"
	done
	echo "$seen"
	[[ $seen == " 0"* ]]
	loaded "$S/postgres.tskv"
	[ "$status" = 0 ]
	[ "$(ask --query 'select count(), uniqExact(run) from syscall')" = "$want	1" ]
	[ "$(ask --query 'select count() from runs')" = 1 ]
	loaded "$S/smoke.tskv"
	agrees_with_sqlite
	# Nothing is left over.
	[ -z "$(ask --query "show tables from ${db}_load")" ]
}

@test "a file that is broken counts as nothing, and the others are loaded" {
	{ head -n 50 "$S/smoke.tskv"; echo 'no record'; } >"$T/bad.tskv"
	loaded "$T/bad.tskv" "$T/none.tskv" "$S/smoke.tskv"
	[ "$status" = 1 ] && [[ $err == *"bad.tskv: nothing of it counts"* && $err == *"none.tskv: it is no file of records"* ]] || { echo "$err"; false; }
	[ "$(ask --query 'select source from runs')" = "$S/smoke.tskv" ]
	[ "$(ask --query 'select count() from runq')" = "$(grep -c 'ev=runq' "$S/smoke.tskv")" ]
}

@test "columns that come later, and values that do not fit" {
	record ts=1 ev=e comm=a x=1 y=1 w=5 >"$T/1"
	record ts=2 ev=e comm=b x=0.5 y=text z=18446744073709551615 name=n >"$T/2"
	record ts=3 ev=e x=7 >"$T/3"
	loaded "$T/1" "$T/2" "$T/3"
	expect 0 '' ''
	[ "$(ask --query 'select ts, comm, x, y, w, z, name from e order by ts')" = '1	a	1	1	5	\N	\N
2	b	0.5	text	\N	18446744073709551615	n
3		7	\N	\N	\N	\N' ]
	[ "$(ask --query "select name, type from system.columns where database = '$db' and table = 'e' order by name" | tr '\n\t' ' :')" = \
		'comm:String ev:String name:Nullable(String) run:UInt64 ts:Int64 w:Nullable(Int64) x:Nullable(Float64) y:Nullable(String) z:Nullable(UInt64) ' ]
}

@test "hostile names and values are data" {
	{
		record ts=1 $'ev=e`; DROP DATABASE default; --' comm=a 'x=`\x27;\\N' payload.tid=5
		record ts=2 ev=e "comm='; DROP TABLE e; --" 'x=\N' y=$'\xff\x01'
		record ts=3 ev=runs comm=a
		record ts=4 comm=a
		record ts=5 ev=app:request comm=a
	} >"$T/in"
	name=$T/$'a\'; DROP TABLE runs; --\t\\N\n`touch x`'
	mv "$T/in" "$name"
	loaded "$name"
	expect 0 '' ''
	[ "$(ask --query "select comm, x, hex(y) from e")" = "\\'; DROP TABLE e; --	N	FF01" ]
	[ "$(ask --query "select source = unhex('$(printf %s "$name" | od -An -tx1 | tr -d ' \n')') from runs")" = 1 ]
	[ "$(ask --query 'select comm from `app:request`')$(ask --query 'select comm from records')" = aa ]
	table=$(ask --query 'show tables' | grep '^e_')
	[ "$(ask --query "select x, \`payload.tid\` from \`$table\`")" = "\`\\';\\\\N	5" ]
	[ "$(ask --query 'select count() from system.tables where database = currentDatabase()')" = 6 ]
	for wrong in '--database a;b' '--cluster a-b' '--port x' '--frobnicate' '-j 0' ''; do
		# shellcheck disable=SC2086
		try load-clickhouse $wrong
		[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ]
	done
}

@test "a cluster: each run on one shard, the same answers from both servers" {
	loaded --cluster pair "$S/postgres.tskv" "$S/smoke.tskv"
	expect 0 '' ''
	agrees_with_sqlite
	for port in $(cat "$S/1/port" "$S/2/port"); do
		question syscalls
	done >"$T/answers"
	diff <(head -n 25 "$T/answers") <(tail -n 25 "$T/answers")
	# Enough runs for both shards.
	for i in 1 2 3 4; do
		record ts=$i ev=e comm=a x=$i >"$T/$i.tskv"
	done
	loaded --cluster pair "$T"/?.tskv
	expect 0 '' ''
	for port in $(cat "$S/1/port" "$S/2/port"); do
		ask --query "select run from ${db}_local.e"
		[ "$(ask --query 'select count(), sum(x), uniqExact(run) from e')" = '4	10	4' ]
		[ "$(ask --query "select count() from ${db}_local.e")" -gt 0 ]
	done >"$T/runs"
	[ "$(sort -u "$T/runs" | wc -l)" = 4 ] && [ "$(wc -l <"$T/runs")" = 4 ]
	loaded --cluster pair "$T/3.tskv" "$S/smoke.tskv"
	[ "$status" = 0 ] && [ "$(grep -c 'loaded already' <<<"$err")" = 2 ]
	# A column that comes later is there on every server.
	record ts=9 ev=e comm=a x=9 later=1 >"$T/9.tskv"
	loaded --cluster pair "$T/9.tskv"
	for port in $(cat "$S/1/port" "$S/2/port"); do
		[ "$(ask --query 'select sum(later), sum(x) from e')" = '1	19' ]
	done
	loaded --cluster none "$T/9.tskv"
	[ "$status" = 1 ] && [[ $err == *"cannot load into cluster none: 127.0.0.1 does not know it"* ]]
}

@test "no server: said, status 1" {
	try load-clickhouse --host 127.0.0.1 --port 1 "$S/smoke.tskv"
	[ "$status" = 1 ] && [[ $err == *"load-clickhouse: cannot make database weir on 127.0.0.1, port 1" ]]
}
