#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# to-sqlite and from-sqlite, which is its inverse.

load helper

setup() {
	need sqlite3 python3
	cd "$T" || return 1
}

sql() { sqlite3 -batch -noheader "$@"; }

# back FILE: the records of FILE, through a database and back, are the same.
back() {
	rm -f back.db
	to-sqlite back.db <"$1" 2>/dev/null
	from-sqlite back.db | cmp - "$1"
	[ "$(sql back.db 'pragma integrity_check')" = ok ]
}

# wait_for_rows N: until out.db has them, up to 10 s. (The sqlite3 shell would make a file that is not there.)
wait_for_rows() {
	for _ in $(seq 200); do
		[ -e out.db ] && [ "$(sql out.db 'select rows from runs' 2>/dev/null)" = "$1" ] && return
		sleep 0.05
	done
	return 1
}

# many N: N records of two kinds.
many() {
	awk -v n="$1" 'BEGIN { for (i = 1; i <= n; i++) printf "ts=%d\tev=%s\ttid=%d\tcomm=c%d\tdur_ns=%d\n", i,
		(i % 3 ? "oncpu" : "runq"), i % 7, i % 5, i * 10 }'
}

@test "a table for each ev, typed, with units, indexes and the run" {
	{
		record ts=1795225110481469996 ev=syscall tid=7 comm=123 name=read dur_ns=5 ret=-1
		record ts=1795225110481469997 ev=oncpu tid=7 comm=nginx dur_ns=7 share=0.25
		record ts=1795225110481469998 ev=syscall tid=8 comm=nginx name=write dur_ns=9 ret=0 errno=EPERM
		record ts=1795225110481469999 ev=lost n=3 source=ch0
	} >in
	try to-sqlite out.db <in
	expect 0 '' 'to-sqlite: 4 records into 3 tables of out.db, run 1
to-sqlite: 3 events were lost in 1 place: what was stored is incomplete'
	[ "$(sql out.db 'select * from syscall')" = '1|1|1795225110481469996|syscall|7|123|read|5|-1|
3|1|1795225110481469998|syscall|8|nginx|write|9|0|EPERM' ]
	[ "$(sql out.db 'select typeof(ts), typeof(comm), typeof(dur_ns), typeof(errno) from syscall limit 1')" = \
		'integer|text|integer|null' ]
	[ "$(sql out.db 'select typeof(share), sum(share) from oncpu')" = 'real|0.25' ]
	[ "$(sql out.db 'select n, source from lost')" = '3|ch0' ]
	[ "$(sql out.db "select \"column\", unit, types, indexed from columns where \"table\" = 'syscall' order by position")" = \
		'ts|ns since 1970-01-01|integer|1
ev||text|
tid||integer|1
comm||text|
name||text|
dur_ns|ns|integer|
ret||integer|
errno||text|' ]
	[ "$(sql out.db 'select id, source, first_ts, last_ts, first_seq, last_seq, rows, lost, complete, version from runs')" = \
		"1|stdin|1795225110481469996|1795225110481469999|1|4|4|3|1|$(to-sqlite --version | sed 's/.* //')" ]
	[ "$(sql out.db 'select begin_ns/1000000000 - unixepoch() between -60 and 0, end_ns >= begin_ns from runs')" = '1|1' ]
	[ "$(sql out.db "select count(*) from sqlite_schema where type = 'index' and name not like 'sqlite_%'")" = 5 ]
	# One file, without remains.
	[ "$(echo out.db*)" = out.db ]
	from-sqlite out.db | cmp - in
}

@test "--strict: the exit status is 3 after a loss, 0 without one" {
	record ts=1 ev=lost n=3 source=ch0 >in
	try to-sqlite --strict out.db <in
	[ "$status" = 3 ]
	record ts=1 ev=x >in
	try to-sqlite --strict two.db <in
	[ "$status" = 0 ]
}

@test "a number is stored as one only where it comes back as the same text" {
	want() {
		rm -f n.db
		record ts=1 ev=x "v=$1" | to-sqlite n.db 2>/dev/null
		[ "$(sql n.db 'select typeof(v) from x')" = "$2" ] || { echo "$1: $(sql n.db 'select typeof(v) from x')"; false; }
		[ "$(from-sqlite n.db 'select v from x')" = "v=$1" ]
	}
	for v in 0 1 -1 9223372036854775807 -9223372036854775808; do want "$v" integer; done
	for v in 0.5 -1.25 1e-05 1e+20 0.30000000000000004; do want "$v" real; done
	for v in '' -0 00 007 +1 1.50 5.0 5. .5 0x10 1e400 1e5 nan inf - 9223372036854775808 18446744073709551615 ' 1' '1 ' \
		'a\\b' 'a\nb' é NULL; do
		want "$v" text
	done
	want '\0' blob
	want 'a\0b' blob
	want $'\xff' blob
}

@test "what python reads is what the records say" {
	{ sed '$d' "$TESTS/data/contract.tskv"; for i in 1 1.5 007 '' 9223372036854775808; do record ts=1 ev=n "v=$i"; done; } >in
	to-sqlite out.db <in 2>/dev/null
	python3 - <<-'PYTHON'
		import re, sqlite3
		db = sqlite3.connect("out.db")
		def plain(b):
		    named = {b"t": b"\t", b"n": b"\n", b"r": b"\r", b"0": b"\0", b"\\": b"\\"}
		    return re.sub(rb"\\(x(..)|.)", lambda m: bytes([int(m[2], 16)]) if m[2] else named[m[1]], b, flags=re.S)
		rows = {}
		for (table,) in db.execute("select name from tables").fetchall():
		    keys = dict(db.execute('select "column", key from columns where "table" = ?', (table,)))
		    cursor = db.execute('select * from "%s"' % table)
		    names = [c[0] for c in cursor.description]
		    for row in cursor:
		        row = dict(zip(names, row))
		        rows[row["seq"]] = {keys[k]: v for k, v in row.items() if k in keys and v is not None}
		for seq, line in enumerate(open("in", "rb").read().splitlines(), 1):
		    want = {k.decode(): plain(v) for k, v in (f.split(b"=", 1) for f in line.split(b"\t"))}
		    got = {k: v if isinstance(v, bytes) else str(v).encode() for k, v in rows[seq].items()}
		    assert got == want, (seq, got, want)
		print(len(rows))
	PYTHON
	[ "$(wc -l <in)" -gt 60 ]
}

@test "records to SQLite and back lose nothing: real, hostile, wide, out of order" {
	back "$TESTS/data/contract.tskv"
	# Names that collide for SQLite, names of ours, every byte, keys in changing order, no ts, no ev.
	python3 - >in <<-'PYTHON'
		import random, sys
		random.seed(7)
		named = {9: b"\\t", 10: b"\\n", 13: b"\\r", 0: b"\\0", 92: b"\\\\"}
		def escape(b):
		    return b"".join(named.get(c) or (b"\\x%02x" % c if c < 32 or c == 127 else bytes([c])) for c in b)
		evs = [b"syscall", b"Syscall", b"SYSCALL", b"sqlite_master", b"columns", b"runs", b"tables", b"", b"x" * 1000,
		       b"x" * 1001, b'"', b"a'b\"c", b"irq.ts", b"irq", b"feed", b"records", b"other", b"\xff", b"\0", b"select"]
		keys = ["a", "A", "aA", "Aa", "seq", "run", "more", "key_order", "rowid", "select", "x.y", "X.Y", "comm", "Comm",
		        "k" * 300, "K" * 300, "a_2", "A_2", "dur_ns"]
		values = [b"", b"0", b"-0", b"007", b"1", b"1.5", b"1.50", b"1e400", b"0x10", b"9223372036854775808", b"NULL", b"'",
		          b'"', b"\0", b"\xff", bytes(range(256)), b"\\n", b"\\", b"\xef\xbb\xbfx", b"5.0"]
		for i in range(4000):
		    fields = [("ts", b"%d" % i)] if random.random() < .95 else []
		    if random.random() < .95: fields.append(("ev", random.choice(evs)))
		    more = random.sample(keys, random.randint(0, 8))
		    if random.random() < .7: more.sort()
		    fields += [(k, random.choice(values)) for k in more]
		    if random.random() < .05: random.shuffle(fields)
		    fields = fields or [("a", b"")]
		    sys.stdout.buffer.write(b"\t".join(k.encode() + b"=" + escape(v) for k, v in fields) + b"\n")
	PYTHON
	back in
	# Batches, and a second run, change nothing.
	head -n 1000 in >first
	to-sqlite --batch 7 two.db <first 2>/dev/null
	tail -n +1001 in | to-sqlite -a --batch 100 two.db 2>/dev/null
	from-sqlite two.db | cmp - in
	from-sqlite --run 1 two.db | cmp - first
}

@test "names: colliding columns and tables are told apart, and the mapping is recorded" {
	{ record ts=1 ev=E a=1 A=2 seq=3; record ts=2 ev=e b=4; record ts=3 ev=runs; record ts=4 ev=sqlite_x; } >in
	to-sqlite out.db <in 2>/dev/null
	[ "$(sql out.db 'select a, A_2, seq_2 from E')" = '1|2|3' ]
	[ "$(sql out.db "select \"column\", key from columns where \"table\" = 'E' and key not in ('ts', 'ev') order by position")" = \
		'a|a
A_2|A
seq_2|seq' ]
	[ "$(sql out.db 'select name, ev from tables order by name')" = 'E|E
_sqlite_x|sqlite_x
e_2|e
runs_2|runs' ]
	from-sqlite out.db | cmp - in
}

@test "more than SQLite's columns: the rest is kept as text" {
	{
		seq -f 'k%.0f=1' 3000 | paste -sd '\t' | sed 's/^/ts=1\tev=x\t/'
		seq -f 'k%.0f=2' 2 2990 | paste -sd '\t' | sed 's/^/ts=2\tev=x\t/'
		record ts=3 ev=x k2999=5 k5=7 k2998='a\tb'
	} >in
	back in
	[ "$(sql back.db 'select count(*) from pragma_table_info("x")')" -le 2000 ]
	[ "$(sql back.db 'select k5, more, key_order from x where ts = 3')" = $'7|k2999=5\tk2998=a\\tb|ts ev k2999 k5 k2998' ]
}

@test "ever new keys and ever new ev stay bounded" {
	awk 'BEGIN { for (i = 0; i < 6000; i++) { printf "ts=%d\tev=x", i; for (k = 0; k < 5; k++) printf "\tk%d_%d=%d", i, k, k; print "" } }' >in
	back in
	[ "$(sql back.db 'select count(*) from pragma_table_info("x")')" -le 2000 ]
	awk 'BEGIN { for (i = 0; i < 1100; i++) printf "ts=%d\tev=e%d\tname=%d\n", i, i, i }' >in
	to-sqlite --index '' out.db <in 2>/dev/null
	from-sqlite out.db | cmp - in
	[ "$(sql out.db 'select count(*) from tables')" -le 1001 ]
	[ "$(sql out.db 'select count(*) > 0 from other')" = 1 ]
}

@test "--table puts all into one; --index chooses" {
	many 100 >in
	to-sqlite --table 'All "of" it' --index dur_ns,comm out.db <in 2>/dev/null
	[ "$(sql out.db 'select count(*), sum(dur_ns) from "All ""of"" it"')" = '100|50500' ]
	[ "$(sql out.db "select count(*) from sqlite_schema where type = 'index' and name not like 'sqlite_%'")" = 2 ]
	[[ $(sql out.db "explain query plan select * from \"All \"\"of\"\" it\" where comm = 'c1'") == *'USING INDEX'* ]]
	from-sqlite out.db | cmp - in
	for name in runs Columns sqlite_x '' "$(printf 'a\nb')"; do
		try to-sqlite --table "$name" no.db </dev/null
		[ "$status" = 2 ] && [ ! -e no.db ]
	done
}

@test "a database that is there: an error without -a, with -a a second run" {
	many 10 >in
	to-sqlite out.db <in 2>/dev/null
	cp out.db before.db
	try to-sqlite out.db <in
	expect 1 '' 'to-sqlite: cannot create out.db: it exists (-a adds to it)'
	cmp out.db before.db
	record ts=99 ev=oncpu extra=1 | to-sqlite -a out.db 2>/dev/null
	[ "$(sql out.db 'select id, rows, complete from runs')" = '1|10|1
2|1|1' ]
	[ "$(sql out.db 'select run, count(*) from oncpu group by run')" = '1|7
2|1' ]
	[ "$(sql out.db 'select seq, extra from oncpu where run = 2')" = '11|1' ]
	{ cat in; record ts=99 ev=oncpu extra=1; } | cmp - <(from-sqlite out.db)
	[ "$(from-sqlite --run 2 out.db)" = $'ts=99\tev=oncpu\textra=1' ]
}

@test "what is no database of ours is left alone" {
	echo 'some text, long enough to be no SQLite header' >text.db
	try to-sqlite -a text.db </dev/null
	expect 1 '' 'to-sqlite: cannot use text.db: file is not a database'
	[ "$(cat text.db)" = 'some text, long enough to be no SQLite header' ]
	sql user.db 'create table runs(mine); insert into runs values(1)'
	try to-sqlite -a user.db </dev/null
	expect 1 '' 'to-sqlite: cannot add to user.db: to-sqlite did not make it (attach it to a database of its own)'
	[ "$(sql user.db 'select * from runs')" = 1 ]
	mkdir dir.db
	try to-sqlite dir.db </dev/null
	[ "$status" = 1 ] && [[ $err == 'to-sqlite: cannot create dir.db: it exists'* ]]
	try to-sqlite -a dir.db </dev/null
	expect 1 '' 'to-sqlite: cannot open dir.db: Is a directory'
	try to-sqlite /proc/none.db </dev/null
	[ "$status" = 1 ] && [[ $err == 'to-sqlite: cannot create /proc/none.db: '* ]]
	try from-sqlite text.db
	expect 1 '' 'from-sqlite: cannot use text.db: file is not a database'
	try from-sqlite none.db
	[ "$status" = 1 ] && [ ! -e none.db ]
}

@test "a directory that cannot be written: errors, but it can be read" {
	mkdir locked
	if [ "$(id -u)" = 0 ]; then
		mount -t tmpfs -o size=4m tmpfs locked 2>/dev/null || skip 'root may write everywhere, and cannot mount here'
	fi
	many 10 | to-sqlite locked/out.db 2>/dev/null
	if [ "$(id -u)" = 0 ]; then
		mount -o remount,ro locked
		reason='Read-only file system'
	else
		chmod a-w locked locked/out.db
		reason='Permission denied'
	fi
	try to-sqlite locked/new.db </dev/null
	mv try.err create.err
	try to-sqlite -a locked/out.db </dev/null
	from-sqlite locked/out.db >back || true
	[ "$(id -u)" != 0 ] || umount locked
	[ "$(cat create.err)" = "to-sqlite: cannot create locked/new.db: $reason" ]
	expect 1 '' "to-sqlite: cannot open locked/out.db: $reason"
	cmp back <(many 10)
}

@test "a path is a file's name, whatever it looks like" {
	for name in 'file:x.db?mode=memory' ':memory:' 'a b;c"d.db' "it's.db" '-x.db' 'é?#%20.db'; do
		many 10 | to-sqlite -- "$name" 2>/dev/null
		[ -s "./$name" ]
		from-sqlite -- "$name" | cmp - <(many 10)
	done
}

@test "queries: columns become keys, NULL is absent, the database cannot be changed" {
	many 9 | to-sqlite out.db 2>/dev/null
	try from-sqlite out.db "select ts, 'sum' as ev, sum(dur_ns) as \"sum of ns\", NULL as x, 0.5 as y, x'00ff' as z from oncpu"
	expect 0 $'ts=1\tev=sum\tsum_of_ns=270\ty=0.5\tz=\\0\xff' ''
	try from-sqlite out.db 'delete from oncpu'
	[ "$status" = 1 ] && [[ $err == *'readonly'* ]]
	[ "$(sql out.db 'select count(*) from oncpu')" = 6 ]
	try from-sqlite out.db 'select 1 as a; select 2 as b'
	[ "$status" = 2 ]
	try from-sqlite out.db 'select 1 as a, 2 as a'
	[ "$status" = 2 ]
	try from-sqlite out.db 'no sql'
	[ "$status" = 1 ] && [[ $err == 'from-sqlite: cannot use the query: '* ]]
	[ "$(from-sqlite out.db 'select NULL as a')" = '' ]
	sql user.db 'create table t(a)'
	try from-sqlite user.db
	[ "$status" = 1 ] && [[ $err == *'did not make it'* ]]
	many 5000 | to-sqlite -a out.db 2>/dev/null
	status=0
	err=$(from-sqlite out.db 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [[ $err == *'No space left on device' ]]
	from-sqlite out.db 2>err | head -n 1 >/dev/null
	[ ! -s err ]
}

@test "kill -9 at any moment: the database opens, and has every committed batch" {
	many 60000 >in
	local begin=${EPOCHREALTIME/./} us
	to-sqlite --batch 500 whole.db <in 2>/dev/null
	us=$((${EPOCHREALTIME/./} - begin))
	for i in $(seq 20); do
		rm -f k.db*
		to-sqlite --batch 500 k.db <in 2>/dev/null &
		# From before the file is there to the indexes.
		sleep "$(printf '%d.%06d' $((us * i * i / 400 / 1000000)) $((us * i * i / 400 % 1000000)))"
		kill -9 $! 2>/dev/null || true
		wait $! 2>/dev/null || true
		[ -e k.db ] || continue
		# What is there when the schema is not yet: nothing.
		[ "$(sql k.db "select count(*) from sqlite_schema where name = 'runs'")" = 1 ] || continue
		[ "$(sql k.db 'pragma integrity_check')" = ok ]
		rows=$(sql k.db 'select coalesce(max(rows), 0) from runs')
		[ $((rows % 500)) = 0 ]
		from-sqlite k.db | cmp - <(head -n "$rows" in)
		echo "$rows $(sql k.db 'select complete from runs')" >>rows
		# And it can be gone on with.
		many 3 | to-sqlite -a k.db 2>/dev/null
		[ "$(sql k.db "select rows from runs order by id desc limit 1")" = 3 ]
	done
	[ "$(awk '$1 > 0 && $1 < 60000' rows | wc -l)" -gt 0 ] || { cat rows; false; }
}

@test "SIGTERM: what came is committed, and the run is marked as incomplete" {
	mkfifo pipe
	to-sqlite out.db <pipe 2>err &
	exec 7>pipe
	many 100 >&7
	# An input that pauses commits, so the rows can be read already.
	wait_for_rows 100
	[ "$(sql out.db 'select count(*) from oncpu')" = 67 ]
	kill -TERM $!
	status=0
	wait $! || status=$?
	exec 7>&-
	[ "$status" = 1 ]
	[ "$(cat err)" = 'to-sqlite: 100 records into 2 tables of out.db, run 1, which is marked as incomplete' ]
	[ "$(sql out.db 'select rows, complete from runs')" = '100|0' ]
	[ "$(echo out.db*)" = out.db ]
}

@test "the first SIGINT is outlived when the input is a pipe" {
	mkfifo pipe
	env --default-signal=INT "$WEIR_BIN/to-sqlite" out.db <pipe 2>/dev/null &
	exec 7>pipe
	many 100 >&7
	wait_for_rows 100
	kill -INT $!
	sleep 0.1
	many 3 >&7
	exec 7>&-
	wait $!
	[ "$(sql out.db 'select rows, complete from runs')" = '103|1' ]
}

@test "SIGINT stops the reading of files" {
	mkfifo pipe
	env --default-signal=INT "$WEIR_BIN/to-sqlite" -f pipe out.db 2>err &
	exec 7>pipe
	many 100 >&7
	wait_for_rows 100
	kill -INT $!
	status=0
	wait $! || status=$?
	exec 7>&-
	[ "$status" = 1 ]
	[ "$(cat err)" = 'to-sqlite: 100 records into 2 tables of out.db, run 1, which is marked as incomplete' ]
}

@test "a full disk: an error, and the database opens" {
	many 200000 >in
	status=0
	err=$( (ulimit -f 2000; to-sqlite --batch 1000 out.db <in) 2>&1) || status=$?
	[ "$status" = 1 ] && [[ $err == 'to-sqlite: cannot write out.db: '* ]]
	[ "$(sql out.db 'pragma integrity_check')" = ok ]
	rows=$(sql out.db 'select rows from runs where complete = 0')
	[ "$rows" -gt 0 ] && [ "$rows" -lt 200000 ]
	from-sqlite out.db | cmp - <(head -n "$rows" in)
}

@test "a full file system: an error, and the database opens" {
	mkdir disk
	mount -t tmpfs -o size=4m tmpfs disk 2>/dev/null || skip 'this user cannot mount a small file system'
	many 200000 >in
	try to-sqlite --batch 1000 disk/out.db <in
	sqlite3 disk/out.db 'pragma integrity_check' >check || true
	rows=$(sql disk/out.db 'select rows from runs where complete = 0') || true
	from-sqlite disk/out.db >back || true
	umount disk
	[ "$status" = 1 ] && [ "$err" = 'to-sqlite: cannot write disk/out.db: database or disk is full' ]
	[ "$(cat check)" = ok ] && [ "$rows" -gt 0 ]
	cmp back <(head -n "$rows" in)
}

@test "others read while it is written" {
	mkfifo pipe
	to-sqlite --batch 10 out.db <pipe 2>/dev/null &
	exec 7>pipe
	for n in 100 200 300; do
		many 100 >&7
		wait_for_rows "$n"
		[ "$(from-sqlite out.db | wc -l)" = "$n" ]
	done
	exec 7>&-
	wait $!
}

@test "two writers at once: both arrive; a lock that stays is an error that says so" {
	many 3000 >in
	to-sqlite --batch 50 out.db </dev/null 2>/dev/null
	to-sqlite -a --batch 50 out.db <in 2>one & first=$!
	sed 's/$/\tB=1\tb=2/' in | to-sqlite -a --batch 50 out.db 2>two & second=$!
	wait $first
	wait $second
	[ "$(sql out.db 'pragma integrity_check')" = ok ]
	[ "$(sql out.db 'select id, rows, complete from runs')" = '1|0|1
2|3000|1
3|3000|1' ]
	# Each run is whole, whichever of them came first.
	{ from-sqlite --run 2 out.db; from-sqlite --run 3 out.db; } | sort | cmp - <({ cat in; sed 's/$/\tB=1\tb=2/' in; } | sort)
	from-sqlite out.db | sort | cmp - <({ cat in; sed 's/$/\tB=1\tb=2/' in; } | sort)

	mkfifo lock
	sqlite3 out.db <lock >locked &
	exec 7>lock
	echo 'begin immediate; select 1;' >&7
	for _ in $(seq 100); do [ -s locked ] && break; sleep 0.05; done
	try to-sqlite -a --wait 100ms out.db <in
	expect 1 '' 'to-sqlite: cannot use out.db: database is locked (another program writes it; --wait gives it more time)'
	exec 7>&-
	wait
}

@test "bad input: what was good before is stored, and the run is marked as incomplete" {
	{ many 5; echo bad; many 5; } >in
	try to-sqlite -f in -f none out.db
	expect 1 '' "to-sqlite: in:6: not a record: no '=' in the field 'bad'
to-sqlite: cannot open none: No such file or directory
to-sqlite: 5 records into 2 tables of out.db, run 1, which is marked as incomplete"
	[ "$(sql out.db 'select source, rows, complete from runs')" = 'in none|5|0' ]
}

@test "progress is shown when asked for" {
	many 5000 >in
	try to-sqlite --progress out.db < <(cat in; sleep 0.3; cat in)
	[ "$status" = 0 ] && [[ $err == *' records, '*'/s'*'to-sqlite: 10000 records into 2 tables of out.db, run 1' ]]
	try to-sqlite --no-progress two.db < <(cat in; sleep 0.3; cat in)
	expect 0 '' 'to-sqlite: 10000 records into 2 tables of two.db, run 1'
}

@test "memory does not grow with the input" {
	[[ $WEIR_BIN != */san/* ]] || skip 'sanitizers have their own memory'
	many 400000 >in
	# 64 MiB of address space are enough for any number of records.
	(ulimit -v 64000; to-sqlite out.db <in 2>/dev/null) || skip 'this system does not limit it'
	[ "$(sql out.db 'select sum(rows) from runs')" = 400000 ]
}

@test "--into: a table of the user's own, by the types of its columns" {
	record ts=1 ev=x name=007 n=12 good=True share=0.50 'text=a\tb' extra=1 >in
	record ts=2 ev=y good=false n=x extra=2 more=3 >>in
	try to-sqlite --into 't(id INTEGER PRIMARY KEY, name TEXT, n INTEGER, good BOOLEAN NOT NULL, share REAL, text)' out.db <in
	expect 0 '' 'to-sqlite: left out, as t has no such columns: ts, ev, extra, more
to-sqlite: 2 records into t of out.db'
	[ "$(sql -nullvalue NULL out.db 'select *, typeof(name), typeof(n), typeof(good), typeof(share) from t')" = \
		$'1|007|12|1|0.5|a\tb|text|integer|integer|real\n2|NULL|x|0|NULL|NULL|null|text|integer|null' ]
	[ "$(sql out.db "select group_concat(name) from sqlite_schema")" = t ]
	# Again, into what is there now: no declaration is needed.
	try to-sqlite --into t out.db <in
	[ "$status" = 0 ] && [ "$(sql out.db 'select count(*), max(id) from t')" = '4|4' ]
	# What the table does not take is an error, and the batches before it stay.
	record ts=3 ev=x n=1 >>in
	try to-sqlite --batch 2 --into t out.db <in
	expect 1 '' 'to-sqlite: cannot use out.db: NOT NULL constraint failed: t.good'
	[ "$(sql out.db 'select count(*) from t')" = 6 ]
}

@test "--into: what cannot be a table" {
	record ts=1 ev=x a=1 >in
	sql out.db 'create table t(a)'
	try to-sqlite --into u out.db <in
	expect 1 '' "to-sqlite: cannot write out.db: it has no table u (--into 'NAME(COLUMN TYPE, ...)' makes one)"
	try to-sqlite --into t none.db <in
	[ "$status" = 1 ] && [ ! -e none.db ]
	try to-sqlite --into 'u(a); drop table t' out.db <in
	expect 2 '' "to-sqlite: cannot use 'u(a); drop table t' as a table: it is more than one declaration; see 'to-sqlite --help'"
	try to-sqlite --into 'u(' out.db <in
	[ "$status" = 1 ] && [[ $err == 'to-sqlite: cannot create the table in out.db: '* ]]
	try to-sqlite -a --into t out.db <in
	expect 2 '' "to-sqlite: cannot use --into with -a, --table or --index: the table is yours; see 'to-sqlite --help'"
	[ "$(sql out.db .schema)" = 'CREATE TABLE t(a);' ]
}

@test "two that make one database at once: both are in it" {
	record ts=1795270057509914594 ev=a x=1 >"$T/a"
	record ts=1795270057509914594 ev=b x=1 >"$T/b"
	for _ in $(seq 30); do
		rm -f "$T"/x.db*
		to-sqlite -a "$T/x.db" <"$T/a" 2>"$T/err" &
		to-sqlite -a "$T/x.db" <"$T/b" 2>"$T/err2"
		wait $!
		[ "$(sqlite3 "$T/x.db" 'select (select count(*) from a) + (select count(*) from b)')" = 2 ]
	done
}

@test "--into: fractions are the nearest doubles, where SQLite's own reading of texts may be off by a bit" {
	python3 - "$T/values" <<-'E' >in
	import random, sys
	random.seed(5)
	values = [repr(random.random() * 10 ** random.randint(-30, 30)) for _ in range(20000)] + ['0.609597', '1e-05', '-2.5']
	open(sys.argv[1], 'w').write('\n'.join(values))
	for value in values:
	    print(f'ts=1\tev=x\tv={value}\tname={value}')
	E
	try to-sqlite --into 't(v REAL, name TEXT)' out.db <in
	[ "$status" = 0 ]
	python3 - "$T/values" <<-'E'
	import sqlite3, sys
	rows = sqlite3.connect('out.db').execute('select v, name from t order by rowid').fetchall()
	values = open(sys.argv[1]).read().split('\n')
	assert rows == [(float(value), value) for value in values]
	E
}
