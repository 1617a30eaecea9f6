#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# A small stream: two programs, an absent key, a value that is no number.
small() {
	record ts=1000000000 ev=syscall comm=nginx name=read dur_ns=100 ret=5
	record ts=1500000000 ev=syscall comm=nginx name=write dur_ns=300 ret=-11
	record ts=2000000000 ev=syscall comm=redis name=read dur_ns=1000 ret=7
	record ts=2250000000 ev=syscall comm=nginx name=read dur_ns=200 ret=?
	record ts=3000000000 ev=syscall name=read dur_ns=5 ret=0
}

# One field of the last line of $out.
field() {
	sed -nE "\$s/.*\t$1=([^\t]*).*/\1/p" <<<"$out"
}

# values N...: records with x=N.
values() {
	local i=0
	for v; do record ts=$((++i)) ev=e "x=$v"; done
}

@test "the default figures, exactly" {
	try stats -g comm dur_ns < <(small)
	expect 0 $'ts=3000000000\tev=stats\tcount=1\tsum=5\tmean=5\tmin=5\tp50=5\tp95=5\tp99=5\tmax=5\tquantiles=exact
ts=3000000000\tev=stats\tcomm=nginx\tcount=3\tsum=600\tmean=200\tstddev=100\tmin=100\tp50=200\tp95=290\tp99=298\tmax=300\tquantiles=exact
ts=3000000000\tev=stats\tcomm=redis\tcount=1\tsum=1000\tmean=1000\tmin=1000\tp50=1000\tp95=1000\tp99=1000\tmax=1000\tquantiles=exact' ''
}

@test "without a FIELD: how many records, and how often" {
	try stats -g comm < <(small)
	expect 0 $'ts=3000000000\tev=stats\tcount=1\trate=0.5
ts=3000000000\tev=stats\tcomm=nginx\tcount=3\trate=1.5
ts=3000000000\tev=stats\tcomm=redis\tcount=1\trate=0.5' ''
}

@test "several FIELDs: FIELD.NAME; what is no number is counted and said" {
	try stats -a count,max,first,last,distinct dur_ns ret < <(small)
	expect 0 $'ts=3000000000\tev=stats\tdur_ns.count=5\tdur_ns.max=1000\tdur_ns.first=100\tdur_ns.last=5\tdur_ns.distinct=5\tdur_ns.distinct_is=exact\tret.count=4\tret.max=7\tret.first=5\tret.last=0\tret.distinct=5\tret.distinct_is=exact' \
		'stats: 1 value of ret was not a number'
}

@test "figures of text: nothing is complained of, all values are counted" {
	try stats -a count,distinct,first,last comm < <(small)
	expect 0 $'ts=2250000000\tev=stats\tcount=4\tdistinct=2\tfirst=nginx\tlast=nginx\tdistinct_is=exact' ''
}

@test "first and last go by time, not by arrival" {
	try stats -a first,last x < <(record ts=5 ev=e x=b; record ts=9 ev=e x=c; record ts=2 ev=e x=a; record ts=9 ev=e x=d)
	expect 0 $'ts=9\tev=stats\tfirst=a\tlast=d' ''
}

@test "grouped by ev: it is the row's ev; other keys of records are refused or prefixed" {
	{ small; record ts=3000000001 ev=runq comm=nginx dur_ns=7; } >"$T/in"
	try stats -g comm,ev -a count dur_ns <"$T/in"
	expect 0 $'ts=3000000001\tev=syscall\tcount=1
ts=3000000001\tev=runq\tcomm=nginx\tcount=1
ts=3000000001\tev=syscall\tcomm=nginx\tcount=3
ts=3000000001\tev=syscall\tcomm=redis\tcount=1' ''
	try stats -g count -a count,max x < <(record ts=1 ev=e count=7 x=3)
	expect 0 $'ts=1\tev=stats\tcount=7\tx.count=1\tx.max=3' ''
	try stats -g ts dur_ns <"$T/in"
	expect 2 '' "stats: cannot write two fields 'ts' in a row: it is the name of a group key, of a figure or of the row's time; see 'stats --help'"
	try stats -g count <"$T/in"
	[ "$status" = 2 ] && [ -z "$out" ]
}

@test "-i: a row for each interval, at its end; none for empty ones; late records are counted and said" {
	{
		record ts=999999999 ev=e x=1
		record ts=1000000000 ev=e x=2
		record ts=1000000001 ev=e x=3
		record ts=900000000 ev=e x=4
		record ts=5000000000 ev=e x=5
		record ev=e x=6
	} >"$T/in"
	try stats -i 1s -a count,sum,rate x <"$T/in"
	expect 0 $'ts=1000000000\tev=stats\tcount=1\tsum=1\trate=1
ts=2000000000\tev=stats\tcount=3\tsum=9\trate=3
ts=6000000000\tev=stats\tcount=1\tsum=5\trate=1' \
		$'stats: 1 record came after the rows of their interval: they are counted in a later one
stats: 1 record is without a time (ts): they are in no interval'
	try stats -i 500ms -g x -a count x < <(record ts=-1 ev=e x=b; record ts=0 ev=e x=a)
	expect 0 $'ts=0\tev=stats\tx=b\tcount=1\nts=500000000\tev=stats\tx=a\tcount=1' ''
}

@test "-i: rows come while the stream runs" {
	mkfifo "$T/pipe"
	stats -i 1s <"$T/pipe" >"$T/out" &
	exec 7>"$T/pipe"
	printf 'ts=1\tev=x\nts=1000000000\tev=x\n' >&7
	for _ in $(seq 100); do [ -s "$T/out" ] && break; sleep 0.05; done
	[ "$(cat "$T/out")" = $'ts=1000000000\tev=stats\tcount=1\trate=1' ]
	exec 7>&-
	wait $!
	[ "$(tail -n 1 "$T/out")" = $'ts=2000000000\tev=stats\tcount=1\trate=1' ]
}

@test "the order of rows: numbers as numbers, -s by a figure or key, -n the first ones" {
	for k in 10 9 b -5 a 1e1 ''; do record ts=1 ev=e "k=$k" x="${#k}"; done >"$T/in"
	keys() { stats -g k -a count,max "$@" x <"$T/in" | cut -f3 | tr '\n' ' '; }
	[ "$(keys)" = 'k=-5 k=9 k=10 k=1e1 k= k=a k=b ' ]
	[ "$(keys -s k)" = "$(keys)" ]
	[ "$(keys -s -k)" = 'k=b k=a k= k=1e1 k=10 k=9 k=-5 ' ]
	[ "$(keys -s max)" = 'k=1e1 k=-5 k=10 k=9 k=a k=b k= ' ]
	[ "$(keys -s +max -n 3)" = 'k= k=9 k=a ' ]
	try stats -o table -g k -a max -s max -n 2 x <"$T/in"
	expect 0 $'k    max\n1e1    3\n-5     2' 'stats: 5 rows are left out (-n 2)'
	try stats -s p99 -a max x <"$T/in"
	expect 2 '' "stats: cannot sort by 'p99': it is neither a group key nor one of the figures that are asked for; see 'stats --help'"
}

@test "tables: units, alignment, text that drives nothing" {
	{
		record ts=1 ev=e 'comm=\x1b[31m' dur_ns=16821 rx_bytes=1536
		record ts=1 ev=e $'comm=\xc2\x9b1m\xe2\x80\xae' dur_ns=1234567 rx_bytes=5
		record ts=1 ev=e $'comm=\xe4\xb8\xadz\xff' dur_ns=999999 rx_bytes=1073741824
		record ts=1 ev=e dur_ns=2500000000
	} >"$T/in"
	try stats -o table -g comm -a count,sum dur_ns rx_bytes <"$T/in"
	expect 0 $'comm                    dur_ns.count  dur_ns.sum  rx_bytes.count  rx_bytes.sum
-                                  1      2.50 s               0           0 B
\\x1b[31m                           1     16.8 us               1      1.50 KiB
\\xc2\\x9b1m\\xe2\\x80\\xae             1     1.23 ms               1           5 B
\xe4\xb8\xadz\\xff                            1     1.00 ms               1      1.00 GiB' ''
	try stats -o table -i 1h -a count,mean,rate x < <(record ts=1795225110481469996 ev=e x=0.5)
	expect 0 $'time                  count  mean           rate
2026-11-21T02:00:00Z      1   0.5  0.000277778/s' ''
	try stats -o table -a p50 --exact 2 x < <(values 1 2 3)
	expect 0 $'p50\n  2' 'stats: quantiles are within 1 % in 1 row (more than 2 values), exact in others'
}

@test "CSV and JSON" {
	need python3
	grep -av ev=lost "$TESTS/data/contract.tskv" >"$T/in"
	stats -o csv -g comm,ev -a count,stddev dur_ns <"$T/in" >"$T/csv"
	[ "$(head -n 1 "$T/csv")" = ts,comm,ev,count,stddev ]
	stats -o json -g comm,ev -a count,stddev dur_ns <"$T/in" >"$T/json"
	stats -o tskv -g comm,ev -a count,stddev dur_ns <"$T/in" >"$T/tskv"
	python3 - "$T" <<'EOF'
import csv, json, sys
dir = sys.argv[1]
rows = [dict(f.split(b"=", 1) for f in l.rstrip(b"\n").split(b"\t")) for l in open(dir + "/tskv", "rb")]
plain = lambda v: v.decode("utf-8", "surrogateescape").encode("latin-1", "backslashreplace")
unescape = lambda v: (v.replace(b"\\\\", b"\0").replace(b"\\t", b"\t").replace(b"\\n", b"\n").replace(b"\\r", b"\r")
	.replace(b"\\0", b"\x01NUL").replace(b"\\x01", b"\x01").replace(b"\\x1b", b"\x1b").replace(b"\\x7f", b"\x7f").replace(b"\0", b"\\").replace(b"\x01NUL", b"\0"))
json_rows = [json.loads(l) for l in open(dir + "/json", encoding="utf-8")]
assert len(json_rows) == len(rows) > 30
for r, j in zip(rows, json_rows):
	comm = str(j["comm"]).encode("utf-8", "surrogateescape")
	assert comm == unescape(r[b"comm"]), (comm, r)
	assert str(j["count"]).encode() == r[b"count"] and j["ts"].encode() == r[b"ts"]
	assert (b"stddev" in r) == (j["stddev"] is not None)
table = list(csv.reader(open(dir + "/csv", encoding="utf-8", errors="surrogateescape", newline="")))[1:]
assert len(table) == len(rows)
for r, c in zip(rows, table):
	assert c[3].encode() == r[b"count"] and c[4].encode() == r.get(b"stddev", b""), (r, c)
EOF
}

@test "values that are spelt with other escapes are one group" {
	try stats -g k -a count x < <(record ts=1 ev=e k=Ab x=1; record ts=2 ev=e 'k=\x41b' x=1; record ts=3 ev=e 'k=\A\b' x=1; record ts=4 ev=e 'k=\x41\x62' x=1)
	expect 0 $'ts=4\tev=stats\tk=A\\x08\tcount=1\nts=4\tev=stats\tk=Ab\tcount=3' ''
}

@test "long and many group values" {
	need python3
	python3 -c '
import random
random.seed(3)
for i in range(20000):
	k = random.randrange(3000)
	print("ts=%d\tev=e\ta=%s\tb=%d\tx=%d" % (i, "k" * (k % 40) + str(k), k % 7, i))' >"$T/in"
	# `then` is Miller's here, no keyword.
	stats -g a,b -a count,sum x <"$T/in" | sed 's/\t/ /g' | cut -d' ' -f3- | sort >"$T/got"
	# shellcheck disable=SC1010
	mlr --idkvp --odkvp --ifs tab --ofs space stats1 -a count,sum -f x -g a,b \
		then rename x_count,count,x_sum,sum "$T/in" | sort >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 2900 ]
	diff "$T/got" "$T/want"
}

@test "large integers are summed and compared exactly" {
	try stats -a count,sum,min,max,p50,mean,stddev x < <(values 18446744073709551615 18446744073709551614 -9223372036854775808)
	[ "$(field sum)" = 27670116110564327421 ] && [ "$(field min)" = -9223372036854775808 ] && [ "$(field max)" = 18446744073709551615 ]
	try stats -a sum,min,max,p0,p50,p100 x < <(values 9223372036854775807 9223372036854775806 9223372036854775805)
	expect 0 $'ts=3\tev=stats\tsum=27670116110564327418\tmin=9223372036854775805\tmax=9223372036854775807\tp0=9223372036854775805\tp50=9223372036854775806\tp100=9223372036854775807\tquantiles=exact' ''
	# The variance of numbers that a double cannot tell apart.
	try stats -a mean,stddev x < <(values 9007199254740993 9007199254740995 9007199254740997)
	[ "$(field stddev)" = 2 ]
	try stats -a sum x < <(values 1e16 1 -1e16 0.5)
	[ "$(field sum)" = 1.5 ]
}

@test "figures are those of exact arithmetic, rounded once" {
	need python3
	python3 - "$T/in" "$T/want" <<'E'
import math, random, sys
from fractions import Fraction

def root(x):	# the double next to the square root
	scale = 1 << 120
	return float(Fraction(math.isqrt(x.numerator * scale * scale // x.denominator), scale))

random.seed(5)
with open(sys.argv[1], "w") as records, open(sys.argv[2], "w") as want:
	for group in range(4000):
		top = 10 ** random.randrange(3, 18)
		texts = [str(random.randrange(top)) if group % 2 else repr(random.random() * top) for _ in range(random.randrange(3, 30))]
		for text in texts:
			print("ts=1\tev=x\tgroup=%d\tx=%s" % (group, text), file=records)
		v = sorted(Fraction(int(t)) if group % 2 else Fraction(float(t)) for t in texts)
		n, mean = len(v), sum(v) / len(v)
		figures = [float(mean), root(sum((x - mean) ** 2 for x in v) / (n - 1))]
		for q in Fraction(90, 100), Fraction(999, 1000):
			low, beyond = divmod((n - 1) * q, 1)
			figures.append(float(v[low] + (v[min(low + 1, n - 1)] - v[low]) * beyond))
		print(group, *map(repr, figures), file=want)
E
	stats -o tskv -g group -a mean,stddev,p90,p99.9 x <"$T/in" | sed 's/\t[a-z0-9_.]*=/\t/g' | cut -f3-7 >"$T/got"
	python3 - "$T/got" "$T/want" <<'E'
import sys
rows = lambda f: sorted([float(x) for x in l.split()] for l in open(f))
got, want = map(rows, sys.argv[1:])
assert len(got) == 4000
for a, b in zip(got, want):
	assert a == b, (a, b)
E
}

@test "numbers: what is one, and what is not" {
	try stats -a count,min,max x < <(values 1 -2 0.5 1e3 0x10 007 -0 inf nan 1e400 +1 '' ' 1' 1,5 99999999999999999999)
	expect 0 $'ts=15\tev=stats\tcount=8\tmin=-2\tmax=1e+20' 'stats: 7 values of x were not numbers'
}

@test "nothing, one value, none that counts" {
	try stats x </dev/null
	expect 0 '' ''
	try stats -o csv x </dev/null
	expect 0 '' ''
	try stats x < <(values nan)
	expect 0 $'ts=1\tev=stats\tcount=0\tsum=0\tquantiles=exact' 'stats: 1 value of x was not a number'
	try stats y < <(values 1)
	expect 0 '' 'stats: no record has the field y'
	try stats -a count,rate x < <(values 1)
	expect 0 $'ts=1\tev=stats\tcount=1' ''
}

@test "loss passes, is said, and makes the status 3 when asked" {
	{ record ts=1 ev=x a=1; record ts=2 ev=lost n=5 source=ch0 a=7; } >"$T/in"
	try stats -a sum a <"$T/in"
	expect 0 $'ts=2\tev=lost\tn=5\tsource=ch0\ta=7\nts=1\tev=stats\tsum=1' 'stats: 5 events were lost in 1 place: the figures are incomplete'
	try stats --strict -o csv -a sum a <"$T/in"
	expect 3 $'ts,sum\n1,1' 'stats: 5 events were lost in 1 place: the figures are incomplete'
	stats --partial -a sum a <"$T/in" 2>/dev/null >"$T/part"
	try stats --merge -a sum a <"$T/part"
	expect 0 $'ts=2\tev=lost\tn=5\tsource=ch0\ta=7\nts=1\tev=stats\tsum=1' 'stats: 5 events were lost in 1 place: the figures are incomplete'
}

@test "too little memory is said, and nothing is left out silently" {
	need python3
	python3 -c '
for i in range(100000): print("ts=%d\tev=e\tk=%d\tx=%d" % (i, i, i))' >"$T/in"
	try stats --memory 4M -g k x <"$T/in"
	[ "$status" = 1 ] && [ -z "$out" ] && [[ $err == 'stats: cannot keep '*' groups in 4 MiB: group by fewer keys'* ]]
	# Where few groups have many values, they turn to sketches instead.
	try stats --memory 1M --exact 100000 -a count,p50,max x <"$T/in"
	[ "$status" = 0 ] && [ "$(field quantiles)" = sketch ] && [ "$(field count)" = 100000 ]
	try stats --exact 100000 -a p50 x <"$T/in"
	expect 0 $'ts=99999\tev=stats\tp50=49999.5\tquantiles=exact' ''
}

@test "distinct: exact up to its limit, then within 3 standard errors" {
	awk 'BEGIN { for (i = 0; i < 300000; i++) printf "ts=%d\tev=e\tk=%d\tx=v%d\n", i, i % 2, i % 100000 }' >"$T/in"
	try stats -a distinct x < <(head -n 16384 "$T/in")
	expect 0 $'ts=16383\tev=stats\tdistinct=16384\tdistinct_is=exact' ''
	try stats -a distinct x <"$T/in"
	[ "$(field distinct_is)" = estimate ]
	[ "$(field distinct)" -gt 97600 ] && [ "$(field distinct)" -lt 102400 ]
	whole=$out
	split -n r/5 "$T/in" "$T/part."
	for part in "$T"/part.*; do stats --partial -a distinct x <"$part"; done >"$T/parts"
	[ "$(stats --merge -a distinct x <"$T/parts")" = "$whole" ]
}

@test "datamash and Miller agree on a real trace's figures" {
	need datamash mlr python3
	python3 - >"$T/in" <<'EOF'
import random
random.seed(11)
for i in range(30000):
	comm = random.choice(["nginx", "redis-server", "kworker/0:1", "a b"])
	dur = int(random.lognormvariate(9, 2))
	print("ts=%d\tev=syscall\tcomm=%s\tdur_ns=%d\tload=%.6f" % (1795225110481469996 + i * 1000, comm, dur, random.gauss(-3, 40)))
EOF
	for f in 4 5; do
		name=$(head -n 1 "$T/in" | cut -f $f | cut -d= -f1)
		stats -g comm -a count,sum,mean,stddev,median,p95,p99,min,max "$name" <"$T/in" |
			sed 's/\t[a-z0-9_]*=/\t/g' | cut -f3-12 >"$T/got"
		sed 's/\t[a-z_]*=/\t/g' "$T/in" | datamash -s -R 9 -g 3 count $f sum $f mean $f sstdev $f median $f perc:95 $f perc:99 $f min $f max $f >"$T/want"
		[ "$(wc -l <"$T/got")" = 4 ]
		python3 - "$T/got" "$T/want" <<'EOF'
import sys
for a, b in zip(open(sys.argv[1]), open(sys.argv[2])):
	a, b = a.rstrip("\n").split("\t"), b.rstrip("\n").split("\t")
	assert a[0] == b[0] and len(a) == len(b) == 10, (a, b)
	for x, y in zip(a[1:], b[1:]):
		assert abs(float(x) - float(y)) <= 1e-9 * abs(float(y)) + 1e-9, (a, b)
EOF
	done
	stats -g comm -a p10,p90 dur_ns <"$T/in" | sed 's/\t/,/g' | sed -E 's/^[^,]*,[^,]*,//; s/,quantiles.*//' >"$T/got"
	# shellcheck disable=SC1010
	mlr --idkvp --ifs tab --ofmt %.9lf stats1 -i -a p10,p90 -f dur_ns -g comm then sort -f comm \
		then rename -r '^dur_ns_,' then put '$p10 = roundm($p10, 0.000001)' "$T/in" >"$T/want"
	python3 - "$T/got" "$T/want" <<'EOF'
import sys
lines = lambda f: [dict(x.split("=", 1) for x in l.rstrip("\n").split(",")) for l in open(f)]
got, want = map(lines, sys.argv[1:])
assert len(got) == len(want) == 4
for a, b in zip(got, want):
	assert a["comm"] == b["comm"] and all(abs(float(a[k]) - float(b[k])) < 1e-5 for k in ("p10", "p90")), (a, b)
EOF
}

@test "a real trace: sqlite counts and sums the same" {
	need_trace smoke
	need babeltrace2 sqlite3
	babeltrace2 --clock-gmt "$trace/trace" 2>/dev/null |
		sed -nE 's/^\[([0-9:]+)\.([0-9]+)\].* ([a-z_0-9]+): \{ cpu_id = ([0-9]+) .*/\3 \4 \2/p' >"$T/events"
	[ -s "$T/events" ]
	awk '{ printf "ts=%d\tev=%s\tcpu=%s\tx=%d\n", NR, $1, $2, $3 }' "$T/events" >"$T/in"
	stats -g ev,cpu -a count,sum,min,max x <"$T/in" | sed -E 's/\t/|/g; s/[a-z_]+=//g' | cut -d'|' -f2- | sort >"$T/got"
	tr ' ' '|' <"$T/events" >"$T/rows"
	sqlite3 :memory: 'create table e(ev text, cpu text, x int)' ".import $T/rows e" \
		'select ev, cpu, count(*), sum(x), min(x), max(x) from e group by 1, 2' | sort >"$T/want"
	diff "$T/got" "$T/want"
}

@test "exact quantiles equal type 7 to the last digit, for any distribution and order" {
	need python3
	python3 - <<'EOF'
import random, subprocess
from fractions import Fraction
random.seed(5)
names = ["p0", "p1", "p12.5", "p50", "p90", "p99", "p99.9", "p100"]
def type7(v, p):
	h = (len(v) - 1) * Fraction(p) / 100
	low = int(h)
	return v[low] + (h - low) * (v[min(low + 1, len(v) - 1)] - v[low])
kinds = [lambda i: random.randrange(10), lambda i: 7, lambda i: i, lambda i: -i, lambda i: random.randint(-2**62, 2**62),
	lambda i: (i * 7919) % 1000, lambda i: round(random.gauss(0, 9), 3), lambda i: 0.25 if i % 9 == 0 else i]
for n in 1, 2, 3, 24, 25, 100, 1001, 5000:
	for kind in kinds:
		v = [kind(i) for i in range(n)]
		text = "".join("ts=%d\tev=e\tx=%s\n" % (i, x) for i, x in enumerate(v))
		row = subprocess.run(["stats", "-a", ",".join(names), "x"], input=text, capture_output=True, text=True, check=True).stdout
		row = dict(f.split("=") for f in row.strip().split("\t"))
		v = sorted(Fraction(str(x)) for x in v)
		for name in names:
			want, got = type7(v, name[1:]), Fraction(row[name])
			assert abs(want - got) <= abs(want) * Fraction(1, 10**14), (n, name, float(want), row)
		assert row["quantiles"] == "exact"
EOF
}

@test "sketched quantiles are within 1 % (of 0.8 %), whatever the distribution" {
	need python3
	python3 - <<'EOF'
import math, random, subprocess
random.seed(17)
names = ["p0", "p0.1", "p1", "p5", "p25", "p50", "p75", "p95", "p99", "p99.9", "p100"]
kinds = {
	"uniform": lambda: random.randint(1, 1000000), "lognormal": lambda: int(random.lognormvariate(10, 3)),
	"exponential": lambda: random.expovariate(1e-3), "constant": lambda: 12345, "negative": lambda: -int(random.expovariate(1e-6)),
	"mixed": lambda: random.randint(-10**9, 10**9), "huge range": lambda: int(2 ** random.uniform(0, 63)),
	"fractions": lambda: random.random() * 1e-200, "with zeros": lambda: random.choice([0, 0, 0, 5, 1e9, -3]),
	"ends of buckets": lambda: 2 ** random.randint(1, 40) * random.choice([1, 65 / 64]), "beyond 2^63": lambda: random.randint(2**63, 2**64 - 1),
}
worst = 0
for kind, draw in kinds.items():
	for n in 1, 2, 10, 3000:
		v = [draw() for _ in range(n)]
		text = "".join("ts=%d\tev=e\tx=%s\n" % (i, x) for i, x in enumerate(v))
		row = subprocess.run(["stats", "--exact", "0", "-a", ",".join(names), "x"], input=text, capture_output=True, text=True, check=True).stdout
		row = dict(f.split("=") for f in row.strip().split("\t"))
		assert row["quantiles"] == "sketch"
		v.sort()
		for name in names:
			h = (n - 1) * float(name[1:]) / 100
			low = int(h)
			a, b = v[low], v[min(low + 1, n - 1)]
			want, got = a + (h - low) * (b - a), float(row[name])
			size = abs(want) if (a > 0) == (b > 0) or a == b else max(abs(a), abs(b))
			error = abs(got - want) / size if size else abs(got)
			worst = max(worst, error)
			assert error <= 1 / 128 + 1e-12, (kind, n, name, want, got, error)
assert worst > 0.005	# the test does reach the bound
EOF
}

@test "values over more than 64 powers of two: the bound holds for the large ones" {
	need python3
	python3 - <<'EOF'
import random, subprocess
random.seed(23)
v = sorted(10 ** random.uniform(-150, 150) for _ in range(4000))
for order in "as they come", "falling", "rising":
	w = random.sample(v, len(v)) if order[0] == "a" else v[::-1] if order[0] == "f" else v
	text = "".join("ts=%d\tev=e\tx=%r\n" % (i, x) for i, x in enumerate(w))
	row = subprocess.run(["stats", "--exact", "0", "-a", "count,p10,p96,p99", "x"], input=text, capture_output=True, text=True, check=True).stdout
	row = dict(f.split("=") for f in row.strip().split("\t"))
	for p in 96, 99:
		h = (len(v) - 1) * p / 100
		want = v[int(h)] + (h - int(h)) * (v[int(h) + 1] - v[int(h)])
		assert abs(float(row["p%d" % p]) / want - 1) < 0.00776, (order, p, row)
	# What is folded is said to be no more than the smallest that is told apart.
	assert float(row["p10"]) <= v[-1] / 2**63
EOF
}

@test "parts, merged, equal the whole: random splits" {
	need python3
	python3 - "$T" <<'EOF'
import random, subprocess, sys
random.seed(29)
def stats(args, text):
	return subprocess.run(["stats"] + args, input=text, capture_output=True, text=True, check=True).stdout
def rows(text):
	return [dict(f.split("=", 1) for f in l.split("\t")) for l in text.splitlines()]
draws = [lambda: random.randint(-1000, 1000), lambda: int(random.lognormvariate(9, 2)), lambda: random.choice([2**64 - 1, 2**63, -2**63, 1]),
	lambda: round(random.gauss(1e6, 1), 6), lambda: random.choice([1.5, 7, "?", 2**64 - 1, -0.25])]
base = "count,sum,mean,stddev,min,p1,median,p99.9,max,first,last,distinct,rate"
for trial in range(30):
	draw, n, parts, exact = random.choice(draws), random.choice([1, 5, 400, 3000]), random.choice([1, 2, 7]), random.choice(["0", "100", "65536"])
	lines = ["ts=%d\tev=%s\tk=%d\tx=%s\ty=%d\n" % (1795225110481469996 + i * 10**6, random.choice("ab"), random.randrange(3), draw(), i) for i in range(n)]
	args = ["-g", "k,ev", "-a", base, "--exact", exact, "x", "y"]
	interval = random.choice([[], ["-i", "100ms"]])
	split = [[] for _ in range(parts)]
	for line in lines:
		random.choice(split).append(line)
	partial = "".join(stats(["--partial"] + random.choice([interval, interval and ["-i", "50ms"]]) + args, "".join(p)) for p in split)
	if random.random() < 0.5:
		partial = stats(["--merge", "--partial"] + (interval and ["-i", "100ms"]) + args, partial)
	whole, merged = rows(stats(interval + args, "".join(lines))), rows(stats(["--merge"] + interval + args, partial))
	assert len(whole) == len(merged) > 0
	for w, m in zip(whole, merged):
		assert w.keys() == m.keys(), (w, m)
		for key in w:
			if w[key] == m[key]:
				continue
			# Sums of fractions depend on the order, in the last digits.
			assert key.startswith("x.") and "." in str(w["x.sum"]) + w["x.mean"] + w["x.max"], (key, w, m)
			assert abs(float(w[key]) - float(m[key])) <= 1e-12 * abs(float(w[key])), (key, w, m)
EOF
}

@test "1000 random splits: count, sum, min and max exactly, quantiles within their bound" {
	need python3
	python3 - <<'EOF'
# One process makes the states of all parts of all splits, by (split, part); merging by split alone joins them.
import random, subprocess
from fractions import Fraction
random.seed(31)
def stats(args, text):
	return subprocess.run(["stats"] + args, input=text, capture_output=True, text=True, check=True).stdout
draws = [lambda: random.randint(-1000, 1000), lambda: int(random.lognormvariate(9, 3)), lambda: random.randint(0, 2**64 - 1),
	lambda: random.randint(-2**63, 2**63 - 1), lambda: random.choice([0, 0, 7]), lambda: round(random.gauss(5, 100), 3)]
splits, lines, parts = [], [], 0
for split in range(1000):
	draw, n = random.choice(draws), random.choice([1, 2, 10, 300])
	k = random.randint(1, 12)
	values = [draw() for _ in range(n)]
	splits.append(sorted(Fraction(str(v)) for v in values))
	lines += ["ts=1\tev=e\tsplit=%d\tpart=%d\tx=%s\n" % (split, random.randrange(k), v) for v in values]
for exact in "65536", "0":
	figures = ["-a", "count,sum,min,max,p0,p1,p50,p99,p100", "--exact", exact, "x"]
	states = stats(["--partial", "-g", "split,part"] + figures, "".join(lines)).splitlines(keepends=True)
	assert len(states) > 3000
	random.shuffle(states)
	rows = [dict(f.split("=") for f in l.split("\t")) for l in stats(["--merge", "-g", "split"] + figures, "".join(states)).splitlines()]
	assert len(rows) == 1000
	for row in rows:
		v = splits[int(row["split"])]
		n = len(v)
		assert int(row["count"]) == n
		for name, want in ("sum", sum(v)), ("min", v[0]), ("max", v[-1]):
			got = Fraction(row[name])
			assert got == want or want.denominator > 1 and abs(got - want) <= abs(want) / 10**12 + Fraction(1, 10**9), (name, row, want)
		for name in "p0", "p1", "p50", "p99", "p100":
			h = (n - 1) * Fraction(name[1:]) / 100
			a, b = v[int(h)], v[min(int(h) + 1, n - 1)]
			want, got = a + (h - int(h)) * (b - a), Fraction(row[name])
			size = abs(want) if (a > 0) == (b > 0) or a == b else max(abs(a), abs(b))
			assert abs(got - want) <= size * (Fraction(1, 10**12) if row["quantiles"] == "exact" else Fraction(1, 128)), (name, row, want)
		assert row["quantiles"] == ("sketch" if exact == "0" else "exact")
EOF
}

@test "merged intervals come in the order of time, each sorted on its own" {
	for t in 3 1 2; do
		record ts=179522511048146999$t ev=e k=a x=$t
		record ts=179522511048146999$t ev=e k=b x=9
	done >"$T/in"
	while read -r line; do stats --partial -i 1ns -g k -a max x <<<"$line"; done <"$T/in" >"$T/parts"
	try stats --merge -i 1ns -g k -a max -s max -n 1 x <"$T/parts"
	expect 0 $'ts=1795225110481469992\tev=stats\tk=b\tmax=9
ts=1795225110481469993\tev=stats\tk=b\tmax=9
ts=1795225110481469994\tev=stats\tk=b\tmax=9' ''
	try stats --merge -g k -a max -s max x <"$T/parts"
	expect 0 $'ts=1795225110481469993\tev=stats\tk=b\tmax=9
ts=1795225110481469993\tev=stats\tk=a\tmax=3' ''
}

@test "merging refuses what is no such state, and goes on" {
	stats --partial x < <(values 1 2 3) >"$T/part"
	try stats --merge x < <(cat "$T/part"; values 4)
	[ "$status" = 1 ] && [ "$err" = 'stats: stdin:2: cannot use the record: --merge wants what --partial wrote (ev=partial)' ] && [ "$(field count)" = 3 ]
	try stats --merge y <"$T/part"
	[ "$status" = 1 ] && [[ $err == *'cannot use state.y.count: the record has no such state'* ]]
	try stats --merge -i 1s x <"$T/part"
	[ "$status" = 1 ] && [[ $err == *'cannot use interval_ns: --partial was given no -i'* ]]
	for edit in 's/count=3/count=4/' 's/count=3/count=-1/' 's/values=1,/values=1,2,/' 's/values=1/values=a/' 's/0x0/0xg/' 's/min=1/min=9/' 's/\tstate.x.max=3//'; do
		try stats --merge x < <(sed "$edit" "$T/part")
		[ "$status" = 1 ] && [[ $err == *'it is not what --partial writes'* ]] || { echo "$edit: $err"; false; }
	done
	stats --exact 0 --partial x < <(values 1 2 3) >"$T/part"
	for edit in 's/above=[0-9]*:/above=999999999:/' 's/zeros=0/zeros=1/' 's/:1,/:18446744073709551615,/' 's/:1,/,/'; do
		try stats --merge --exact 0 x < <(sed "$edit" "$T/part")
		[ "$status" = 1 ] && [[ $err == *'it is not what --partial writes'* ]] || { echo "$edit: $err"; false; }
	done
}

@test "wrong usage" {
	wrong() {
		try stats "${@:2}" </dev/null
		[ "$status" = 2 ] && [ -z "$out" ] && [[ $err == "stats: $1"*"; see 'stats --help'" ]] || { echo "$*: $status $err"; return 1; }
	}
	wrong "cannot compute 'p101'" -a p101 x
	wrong "cannot compute 'p'" -a p x
	wrong "cannot compute 'p99.'" -a p99. x
	wrong "cannot compute 'p100.1'" -a p100.1 x
	wrong "cannot compute 'avg'" -a avg x
	wrong "cannot compute ''" -a '' x
	wrong "cannot compute mean: of which FIELD?" -a mean
	wrong "cannot use the field 'x' twice" x x
	wrong "cannot use the group key 'k' twice" -g k,k x
	wrong "cannot use the group key 'a b'" -g 'a b' x
	wrong "cannot use the field ''" ''
	wrong "cannot compute 'max' twice" -a max,max x
	wrong "cannot write two fields 'x.max' in a row" -g max,x.max -a max x
	wrong "cannot use '0' for -i: it takes a duration" -i 0 x
	wrong "cannot use 'xml' for -o" -o xml x
	wrong "cannot write partial states as csv" --partial -o csv x
	wrong "cannot sort or cut partial states" --partial -n 3 x
	wrong "cannot write or join partial states of 1000000 values" --partial --exact 1000000 x
}

@test "input that comes byte by byte gives the same" {
	need python3
	small >"$T/in"
	python3 -c '
import sys, os
for byte in open(sys.argv[1], "rb").read(): os.write(1, bytes([byte]))' "$T/in" | stats -g comm,name dur_ns | cmp - <(stats -g comm,name dur_ns <"$T/in")
}

@test "progress is shown when asked for, and erased" {
	try stats --progress -a count dur_ns < <(small)
	[ "$status" = 0 ] && [ "$err" = $'\r\033[K' ]
}

@test "several files; the good ones are counted when one is not there" {
	values 1 2 >"$T/a"
	values 3 >"$T/b"
	try stats -f "$T/a" -f "$T/none" -f "$T/b" -a count,sum x
	expect 1 $'ts=2\tev=stats\tcount=3\tsum=6' "stats: cannot open $T/none: No such file or directory"
}

@test "a terminal gets a table" {
	need python3
	values 1 2 >"$T/in"
	python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])' stats --no-progress -f "$T/in" -a count,sum x </dev/null | tr -d '\r' >"$T/got"
	diff "$T/got" <(printf 'count  sum\n    2    3\n')
}
