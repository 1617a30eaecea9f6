#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What DuckDB itself reads back from the files (tests/duck).

load helper

setup() {
	[ -x "$WEIR_BIN/to-parquet" ] || skip "to-parquet is not built: libduckdb is not here, or npm cannot fetch it (make duckdb)"
	need python3
	library=$(ldd "$WEIR_BIN/to-parquet" | awk '$1 == "libduckdb.so" { print $3 }')
}

duck() { python3 "$TESTS/duck" "$library" "$@"; }

# The files of DIR against the records of FILE: every value, what is absent, the order; the columns' names are keys.
round_trip() {
	python3 - "$1" "$2" "$TESTS/duck" "$library" <<-'PYTHON'
		import collections, csv, io, os, re, subprocess, sys
		directory, records, duck, library = sys.argv[1:]
		csv.field_size_limit(1 << 30)
		named = {"t": 9, "n": 10, "r": 13, "0": 0, "\\": 92, "b": 8, "f": 12, "a": 7, "v": 11, "'": 39}
		def plain(v):
		    v = re.sub(rb"\\(x([0-9a-f]{2})|(.))", lambda m: bytes([int(m[2], 16)]) if m[2] else bytes([named[m[3].decode()]]), v)
		    return re.sub("[\udc80-\udcff]", lambda m: "\\x%02x" % (ord(m[0]) - 0xdc00), v.decode("utf-8", "surrogateescape"))
		want = collections.defaultdict(list)
		for line in open(records, "rb").read().split(b"\n")[:-1]:
		    r = {k.decode(): plain(v) for k, v in (f.split(b"=", 1) for f in line.split(b"\t"))}
		    want[r["ev"]].append(r)
		files = {f[:-8] for f in os.listdir(directory)}
		assert files == set(want), (files, set(want))
		for ev, rows in want.items():
		    path = f"{directory}/{ev}.parquet"
		    types = {c["column_name"]: c["column_type"] for c in csv.DictReader(io.StringIO(subprocess.check_output(
		        [duck, library, f"SELECT * FROM (DESCRIBE FROM '{path}')"], text=True)))}
		    out = subprocess.check_output([duck, library, f"FROM '{path}'"])
		    got = list(csv.reader(io.StringIO(out.decode(), newline="")))
		    keys = list(dict.fromkeys(k for r in rows for k in r))
		    assert got[0] == keys, (got[0], keys)
		    assert len(got) == len(rows) + 1, ev
		    for r, row in zip(rows, got[1:]):
		        for k, v in zip(keys, row):
		            w = r.get(k, "<null>")
		            if types[k] == "DOUBLE" and w != v:
		                assert float(w) == float(v), (ev, k, w, v)
		            elif w.startswith("0x") and types[k] != "VARCHAR":
		                assert int(w, 16) == int(v), (ev, k, w, v)
		            else:
		                assert w == v, (ev, k, w, v)
		print(sum(map(len, want.values())), "records in", len(files), "files")
	PYTHON
}

@test "smoke: what DuckDB reads back is what the records say, spans and raw" {
	need_trace smoke
	lttng-convert "$trace" 2>/dev/null >"$T/raw"
	spans "$T/raw" >"$T/spans" 2>/dev/null
	try to-parquet -o "$T/pq" <"$T/spans"
	expect 0 '' "to-parquet: 16396 records into 10 files in $T/pq"
	run round_trip "$T/pq" "$T/spans"
	[ "$output" = '16396 records in 10 files' ] || { echo "$output"; false; }
	grep -E $'\tev=(sched_switch|syscall_entry_(read|openat|mmap)|timer_hrtimer_start|lttng_statedump_process_state)\t' "$T/raw" >"$T/some"
	to-parquet -o "$T/raw.pq" "$T/some" 2>"$T/err"
	round_trip "$T/raw.pq" "$T/some"
}

@test "types: those that SQLite's values have, one for each column" {
	{
		record ts=1 ev=x i=-5 u=18446744073709551615 m=-1 r=0.5 s=a comm=123 h=0xff8f ret=-1 big=9007199254740993 z=007 t_ts=7 e=
		record ts=2 ev=x i=9223372036854775807 u=0 m=18446744073709551615 r=7 s=1 comm=bash h=0x1 ret=0x7f00 big=0.5 z=1 t_ts=8
		record ts=3 ev=x i=-9223372036854775808 r=1e+300
	} >"$T/in"
	to-parquet -o "$T/pq" "$T/in" 2>"$T/err"
	[ "$(duck "SELECT string_agg(column_name || ' ' || column_type, ', ') AS types FROM (DESCRIBE FROM '$T/pq/x.parquet')")" = 'types
"ts BIGINT, ev VARCHAR, i BIGINT, u UBIGINT, m DECIMAL(20,0), r DOUBLE, s VARCHAR, comm VARCHAR, h VARCHAR, ret BIGINT, big VARCHAR, z VARCHAR, t_ts BIGINT, e VARCHAR"' ]
	round_trip "$T/pq" "$T/in"
	# Parquet's own types and compression, not only what DuckDB makes of them.
	[ "$(duck "SELECT DISTINCT compression FROM parquet_metadata('$T/pq/x.parquet')")" = $'compression\nZSTD' ]
}

@test "random values of every kind, columns that come and go: 20,000 records" {
	python3 - >"$T/in" <<-'PYTHON'
		import random, sys
		random.seed(11)
		named = {9: b"\\t", 10: b"\\n", 13: b"\\r", 0: b"\\0", 92: b"\\\\"}
		escape = lambda b: b"".join(named.get(c) or (b"\\x%02x" % c if c < 32 or c == 127 else bytes([c])) for c in b)
		kinds = [lambda: b"%d" % random.randrange(-2**63, 2**63), lambda: b"%d" % random.randrange(2**64),
		    lambda: b"0x%x" % random.getrandbits(random.randint(1, 64)), lambda: b"%r" % (random.randrange(2**20) / 64),
		    lambda: b"%d" % random.randrange(100), lambda: b"-%d" % random.randrange(1, 2**50),
		    lambda: escape(bytes(random.choices(b' ,"\n\r\\a0x\x01\xff\x7f\xc3\xa9', k=random.randint(0, 30))))]
		kinds[3] = lambda: str(random.randrange(2**20) / 64 + 1 / 128).encode()
		plan = {f"k{i}": random.sample(kinds, random.randint(1, 2)) for i in range(30)}
		for i in range(20000):
		    fields = [k for k in plan if random.random() < 0.3]
		    random.shuffle(fields)
		    sys.stdout.buffer.write(b"\t".join([b"ts=%d" % i, b"ev=e%d" % (i % 3)] + [k.encode() + b"=" + random.choice(plan[k])() for k in fields]) + b"\n")
	PYTHON
	to-parquet -o "$T/pq" "$T/in" 2>"$T/err"
	round_trip "$T/pq" "$T/in"
}

@test "sums and counts are SQLite's" {
	need sqlite3
	need_trace contend
	lttng-convert "$trace" 2>/dev/null | spans >"$T/spans" 2>/dev/null
	to-parquet -o "$T/pq" "$T/spans" 2>"$T/err"
	to-sqlite -f "$T/spans" "$T/db" 2>"$T/err"
	query='SELECT comm, name, count(*) AS n, count(errno) AS errors, sum(dur_ns) AS ns, max(ts) AS last FROM syscall GROUP BY 1, 2 ORDER BY 1, 2'
	sqlite3 -csv -header "$T/db" "$query" | tr -d '\r"' >"$T/want"
	duck "${query/FROM syscall/FROM \'$T/pq/syscall.parquet\'}" | tr -d '"' | diff "$T/want" -
	[ "$(wc -l <"$T/want")" -gt 50 ]
}

@test "hostile names of events and keys: files stay in their directory, names are apart" {
	{
		record ts=1 ev=../../evil a=1 A=2 _a=3
		record ts=2 ev='x y:z' a=1
		record ts=3 ev=X_Y_Z a=1
		record ts=4 ev=.hidden a=1
		record ts=5 ev="$(printf 'n%.0s' {1..300})" "$(printf 'k%.0s' {1..300})=1"
		record ts=6 a="'); DROP TABLE x; --"
	} | to-parquet -o "$T/it's" 2>"$T/err"
	[ "$(find "$T/it's" -type f -printf '%P\n' | LC_ALL=C sort | sed 's/n\{50,\}/n/')" = "X_Y_Z_2.parquet
_._.._evil.parquet
_hidden.parquet
n.parquet
records.parquet
x_y_z.parquet" ] || { ls "$T/it's"; false; }
	[ "$(cd "$T" && echo ./* ./..?*)" = "./err ./it's ./..?*" ]
	[ "$(duck "FROM '$T/it''s/_._.._evil.parquet'")" = $'ts,ev,a,A_2,_a\n1,../../evil,1,2,3' ]
	[ "$(duck "SELECT a FROM '$T/it''s/records.parquet'")" = $'a\n\'); DROP TABLE x; --' ]
}

@test "more than 1000 kinds of records: the others are in one file; columns without end are an error" {
	awk 'BEGIN { for (i = 0; i < 1100; i++) printf "ts=%d\tev=e%d\n", i, i }' >"$T/in"
	try to-parquet -o "$T/pq" "$T/in"
	expect 0 '' "to-parquet: 1100 records into 1000 files in $T/pq"
	[ "$(duck "SELECT count(*) AS n, min(ev) AS e FROM '$T/pq/other.parquet'")" = $'n,e\n101,e1000' ]
	awk 'BEGIN { for (i = 0; i < 2001; i++) printf "ts=%d\tev=e\tk%d=1\n", i, i }' >"$T/in"
	try to-parquet -o "$T/wide" "$T/in"
	expect 1 '' "to-parquet: cannot write $T/wide: records of e have more than 2000 keys"
	[ ! -e "$T/wide" ]
}

@test "a directory that is there, a bad line, loss: said; what was read is in files that say so" {
	mkdir "$T/there"
	try to-parquet -o "$T/there" </dev/null
	expect 1 '' "to-parquet: cannot make $T/there: it is there already (remove it, or name another with -o)"
	try to-parquet -o "$T/none/pq" </dev/null
	expect 1 '' "to-parquet: cannot make a directory beside $T/none/pq: No such file or directory"
	try to-parquet -o "$T/pq" "$T/none"
	expect 1 '' "to-parquet: cannot open $T/none: No such file or directory"
	[ ! -e "$T/pq" ]
	{ record ts=1 ev=a x=1; record ts=2 ev=lost n=3; echo bad; } >"$T/in"
	try to-parquet -o "$T/pq" "$T/in"
	expect 1 '' "to-parquet: $T/in:3: not a record: no '=' in the field 'bad'
to-parquet: 2 records into 2 files in $T/pq, which are marked as incomplete
to-parquet: 3 events were lost in 1 place: what was stored is incomplete"
	[ "$(duck "SELECT decode(key) AS k, decode(value) AS v FROM parquet_kv_metadata('$T/pq/a.parquet')")" = $'k,v\ncomplete,0\nlost,3' ]
	record ts=2 ev=lost n=3 >"$T/in"
	try to-parquet --strict -o "$T/lost" "$T/in"
	[ "$status" = 3 ]
	try to-parquet -o "$T/empty" </dev/null
	expect 0 '' "to-parquet: 0 records into 0 files in $T/empty"
	[ -d "$T/empty" ]
}

@test "SIGTERM: what came is in the files; a full disk and a limit leave nothing behind" {
	mkfifo "$T/pipe"
	to-parquet -o "$T/pq" "$T/pipe" 2>"$T/err" &
	pid=$!
	exec 7>"$T/pipe"
	record ts=1 ev=a x=1 >&7
	for _ in $(seq 200); do compgen -G "$T/pq.*" >/dev/null && break; sleep 0.05; done
	sleep 0.3
	kill -TERM $pid
	wait $pid || status=$?
	exec 7>&-
	[ "$status" = 1 ]
	[ "$(cat "$T/err")" = "to-parquet: 1 record into 1 file in $T/pq, which are marked as incomplete" ]
	[ "$(duck "FROM '$T/pq/a.parquet'")" = $'ts,ev,x\n1,a,1' ]
	awk 'BEGIN { srand(1); for (i = 0; i < 200000; i++) printf "ts=%d\tev=e\tx=%.15f\n", i, rand() }' >"$T/in"
	try bash -c 'ulimit -f 1000; exec to-parquet -o "$1" "$2"' - "$T/full" "$T/in"
	[ "$status" = 1 ] && [[ $err == "to-parquet: cannot write $T/full"*'File too large' ]] || { echo "$err"; false; }
	[ -z "$(find "$T" -maxdepth 1 -name 'full*')" ]
	# The records' file is below the limit, DuckDB's is not.
	head -n 100000 "$T/in" >"$T/less"
	size=$(stat -c %s "$T/less")
	try bash -c 'ulimit -f "$3"; exec to-parquet -o "$1" "$2"' - "$T/full" "$T/less" $((size / 1024 / 4))
	[ "$status" = 1 ] && [ -z "$(find "$T" -maxdepth 1 -name 'full*')" ]
}

@test "memory is bounded: three million values of text, long lines" {
	awk 'BEGIN { for (i = 0; i < 300000; i++) { printf "ts=%d\tev=e", i; for (k = 0; k < 10; k++) printf "\tk%d=text %d of %d", k, i * k, k; print "" } }' >"$T/in"
	to-parquet -o "$T/pq" "$T/in" 2>"$T/err"
	[ "$(duck "SELECT count(*) AS n, count(DISTINCT k9) AS d FROM '$T/pq/e.parquet'")" = $'n,d\n300000,300000' ]
	python3 -c 'for i in range(60): print(f"ts={i}\tev=e\ts={i}" + "xyz" * 1000000)' >"$T/long"
	(
		nm -D "$WEIR_BIN/to-parquet" | grep -q __asan || ulimit -v 600000
		to-parquet -o "$T/long.pq" "$T/long" 2>"$T/err"
	)
	[ "$(duck "SELECT sum(length(s)) AS n FROM '$T/long.pq/e.parquet'")" = $'n\n180000110' ]
}

@test "the queries of the man page" {
	{
		record ts=1 ev=exit pid=5 tid=5 comm=make code=0 dur_ns=4000 argv='make all'
		record ts=2 ev=exit pid=6 tid=6 comm=make code=2 dur_ns=2000 argv='make all'
		record ts=3 ev=exit pid=6 tid=7 comm=make code=2 dur_ns=2000 argv='make all'
		record ts=4 ev=exit pid=8 tid=8 comm=ls code=0 dur_ns=10 argv='ls -l'
		record ts=5 ev=usage pid=5 comm=make cpu_ns=2000000 rss_bytes=4096
		record ts=6 ev=usage pid=5 comm=make cpu_ns=3000000 rss_bytes=8192
		record ts=7 ev=usage pid=6 comm=make cpu_ns=1000000 rss_bytes=100
		record ts=8 ev=usage pid=8 comm=ls cpu_ns=500000 rss_bytes=50
		record ts=9 ev=exec pid=5 comm=make path=/usr/bin/make argv='make all'
		record ts=10 ev=rss pid=5 comm=make bytes=9000
	} | to-parquet -o "$T/pq" 2>"$T/err"
	sed -n '/^select/,/;$/p' "$TESTS/../man/to-parquet.1" | sed "s|'records/|'$T/pq/|g" >"$T/queries"
	mapfile -d ';' -t queries < <(tr -d '\n' <"$T/queries")
	[ "${#queries[@]}" = 4 ]
	run duck "${queries[@]}"
	[ "$output" = 'command,mean_ms
make all,0.003
ls -l,1e-05
comm,cpu_ms
make,4.0
ls,0.5
comm,peak_bytes
make,9000
ls,50
ts,pid,type,metric,comm
1,5,EXIT,4000,make
2,6,EXIT,2000,make
4,8,EXIT,10,ls
5,5,CPU,2000000,make
6,5,CPU,3000000,make
7,6,CPU,1000000,make
8,8,CPU,500000,ls
9,5,EXECVE,0,make
10,5,MEM,9000,make' ] || { echo "$output"; false; }
}
