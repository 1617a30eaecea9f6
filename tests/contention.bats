#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The oracles: Python that divides every wait by brute force, the log of the traced program itself (TRUTH.txt),
# stats, and examples small enough to check by hand.

load helper

# spans_of NAME: makes the spans of a recorded trace once for all tests; sets $spans and $trace.
spans_of() {
	need lttng-convert spans
	need_trace "$1"
	spans=$BATS_FILE_TMPDIR/$1.tskv
	[ -f "$spans" ] || lttng-convert "$trace/trace" | spans 2>/dev/null >"$spans"
	[ -s "$spans" ]
}

# us RECORD-FIELDS...: a record whose ts and dur_ns are given in us.
us() {
	record "$@" | awk -F'\t' -v OFS='\t' '{
		for (i = 1; i <= NF; i++) { split($i, f, "="); if (f[1] == "ts" || f[1] == "dur_ns") $i = f[1] "=" f[2] * 1000 }
		print }'
}

# shares: BY's tid=NS of each share in $out, in one line for each victim
shares() {
	grep ev=share <<<"$out" | sed -E 's/.*\ttid=([0-9]+)\tby=([a-z]+)(.*\tby_tid=([0-9]+))?\twait_ns=([0-9]+)/\1 \2\4=\5/; s/thread//' |
		awk '{ row[$1] = row[$1] " " $2 } END { for (v in row) print v ":" row[v] }' | sort
}

# One CPU; tid 1 and 2 are of process 1, tid 3 is of process 3. Times in us.
small() {
	us ts=1000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=1000 why=preempt next_tid=2
	us ts=1300 ev=runq cpu=0 pid=3 tid=3 comm=c dur_ns=700 why=wakeup
	us ts=1300 ev=oncpu cpu=0 pid=1 tid=2 comm=b dur_ns=300 why=preempt next_tid=3
	us ts=2000 ev=oncpu cpu=0 pid=3 tid=3 comm=c dur_ns=700 why=sleep next_tid=0
	us ts=2500 ev=runq cpu=0 pid=1 tid=1 comm=a dur_ns=1500 why=preempt
	us ts=3000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=500 why=sleep next_tid=2
	us ts=3500 ev=runq cpu=0 pid=1 tid=2 comm=b dur_ns=2200 why=preempt
	us ts=4000 ev=oncpu cpu=0 pid=1 tid=2 comm=b dur_ns=500 why=sleep next_tid=0
	us ts=5000 ev=runq cpu=1 pid=3 tid=3 comm=c dur_ns=100 why=wakeup
	us ts=5500 ev=runq pid=3 tid=3 comm=c dur_ns=50 why=wakeup
	us ts=6000 ev=runq cpu=0 pid=3 tid=3 comm=c dur_ns=1000 why=wakeup unfinished=1
}

@test "waits are divided among those who ran: by hand" {
	small >"$T/in"
	try contention -o tskv -g tid "$T/in"
	# tid 3 waited 600-1300: 1 until 1000, 2 until 1300; 100 and 50 on CPUs of which nothing is known; 5000-6000
	# nobody ran. tid 1 waited 1000-2500: 2 until 1300, 3 until 2000, then nobody. tid 2 waited 1300-3500: 3 until
	# 2000, nobody until 2500, 1 until 3000; until 3500 somebody who has no span.
	[ "$(shares)" = "\
1: 3=700000 idle=500000 2=300000
2: 3=700000 1=500000 unknown=500000 idle=500000
3: idle=1000000 1=400000 2=300000 unknown=150000" ] || { shares; false; }
	try contention -o tskv "$T/in"
	# In its own process 300 + 500.
	grep -qP '\tpid=1\tjudged=1\tgot_ns=2300000\t.*\town_ns=800000\tothers_ns=1400000\tidle_ns=1000000\tunknown_ns=500000\ttook_ns=700000\t' <<<"$out"
	grep -qP '\tpid=3\tjudged=1\tgot_ns=700000\t.*\town_ns=0\tothers_ns=700000\tidle_ns=1000000\tunknown_ns=150000\ttook_ns=1400000\t' <<<"$out"
	try contention -o tskv -g comm -p c "$T/in"
	# Only c's waits are judged.
	[ "$(grep -c ev=share <<<"$out")" = 4 ]
	grep -qP 'ev=verdict\t.*\twaited_ns=1850000\town_ns=0\tothers_ns=700000\t' <<<"$out"
}

@test "the document: exactly" {
	small >"$T/in"
	printf '%s\n' '# ours' '' 'min_runnable=1ms' 'min_spans=4' 'slice_ns.contended=50us' >"$T/limits"
	try contention -l "$T/limits" "$T/in"
	# fairness: 2.3 of 6.0 and 0.7 of 2.55; the score: (5 + log10(8.33)) / 8.
	expect 4 "\
verdict: contended (score 0.74; contended from 0.50 up)
6.00 ms on 1 CPU that was 50 % busy
runnable threads waited 5.55 ms for a CPU, 64.9 % of their time; meanwhile it had
  a thread of their own kind 800 us, another 2.10 ms, nobody 2.00 ms, unknown 650 us
culprits: c (3) 1.40 ms (most of it from a (1))
          a (1) 700 us (most of it from c (3))

measure             value     calm  contended  score  weight
wait_share         64.9 %   10.0 %     20.0 %      1       5
switches            833/s    100/s     1000/s   0.92       1
call_ns                 -  10.0 us     100 us      -       1
slice_ns           600 us   100 us    50.0 us      0       1
fairness           97.3 %   95.0 %     80.0 %      0       1
preemptions         333/s        -          -      -       -
runq_p50_ns        852 us        -          -      -       -
runq_p95_ns       2.03 ms        -          -      -       -
runq_p99_ns       2.18 ms        -          -      -       -
fairness_threads   91.1 %        -          -      -       -
io_wait            0.00 %        -          -      -       -

comm  pid      got  cpu_share   waited  wait_share  runq_p99     own   others     took   slice  lock
a       1  2.30 ms     76.7 %  3.70 ms      61.7 %   2.20 ms  800 us  1.40 ms   700 us  575 us  0 ns
c       3   700 us     23.3 %  1.85 ms      72.5 %    994 us    0 ns   700 us  1.40 ms  700 us  0 ns

Who ran while a victim waited (with what it got itself, a row sums to its runnable time):

victim  runnable      got   a (1)    c (3)  (others)   (idle)  (unknown)
a (1)    6.00 ms  2.30 ms  800 us  1.40 ms      0 ns  1.00 ms     500 us
c (3)    2.55 ms   700 us  700 us     0 ns      0 ns  1.00 ms     150 us" ''
}

@test "the document fits 120 columns; each row of its matrix sums to the runnable time" {
	for name in contend contend-quiet postgres; do
		spans_of "$name"
		try contention "$spans"
		[ "$(wc -L <<<"$out")" -le 120 ]
		sed -n '/^victim/,$p' <<<"$out" | awk '
			function ns(at) { return $at * ($(at + 1) == "s" ? 1e9 : $(at + 1) == "ms" ? 1e6 : $(at + 1) == "us" ? 1e3 : 1) }
			NR > 1 {
				sub(/^.*\([0-9]+\) +/, "")
				sum = 0
				for (i = 3; i < NF; i += 2) sum += ns(i)
				if (sum < ns(1) * 0.98 || sum > ns(1) * 1.02) { print; bad = 1 }
			}
			END { exit bad || NR < 5 }'
	done
}

@test "conservation: every row of every real matrix sums to the waiting time, to the nanosecond" {
	for name in contend contend-quiet postgres; do
		spans_of "$name"
		for by in comm pid tid; do
			contention -o tskv -g $by "$spans" >"$T/out" 2>"$T/err" || [ $? = 4 ]
			grep ev=rival "$T/out" | mlr --idkvp --ifs tab --ojson cat >"$T/rivals"
			grep ev=share "$T/out" | mlr --idkvp --ifs tab --ojson cat >"$T/shares"
			python3 - "$T/rivals" "$T/shares" <<-'E'
			import json, sys, collections
			rivals, shares = (json.load(open(p)) for p in sys.argv[1:])
			key = lambda r: (r.get("comm"), r.get("pid"), r.get("tid"))
			row = collections.Counter()
			for s in shares:
			    row[key(s)] += s["wait_ns"]
			assert len(rivals) > 20
			for r in rivals:
			    assert row[key(r)] == r["waited_ns"] == r["own_ns"] + r["others_ns"] + r["idle_ns"] + r["unknown_ns"], r
			assert sum(r["took_ns"] for r in rivals) == sum(r["others_ns"] for r in rivals) > 0
			E
		done
		# And to what the spans say.
		[ "$(grep ev=verdict "$T/out" | grep -oP 'waited_ns=\K\d+')" = \
			"$(where ev=runq <"$spans" | mlr --idkvp --ifs tab --onidx stats1 -a sum -f dur_ns)" ]
		[ "$(grep ev=verdict "$T/out" | grep -oP 'got_ns=\K\d+')" = \
			"$(where ev=oncpu <"$spans" | mlr --idkvp --ifs tab --onidx stats1 -a sum -f dur_ns)" ]
	done
}

@test "who took whose CPU: brute force over all slices agrees" {
	need python3
	for name in contend contend-quiet; do
		spans_of "$name"
		contention -o tskv -g tid "$spans" >"$T/out" || [ $? = 4 ]
		python3 - "$spans" "$T/out" <<-'E'
		import collections, sys
		read = lambda p: (dict(x.split("=", 1) for x in l.rstrip("\n").split("\t")) for l in open(p, errors="replace"))
		slices, waits = collections.defaultdict(list), []
		for r in read(sys.argv[1]):
		    if r["ev"] in ("oncpu", "runq"):
		        end = int(r["ts"]); begin = end - int(r["dur_ns"])
		        if r["ev"] == "oncpu":
		            slices[r["cpu"]].append((begin, end, r["tid"], r.get("next_tid")))
		        else:
		            waits.append((begin, end, r["tid"], r["cpu"]))
		want = collections.Counter()
		for cpu in slices.values():
		    cpu.sort()
		for begin, end, victim, cpu in waits:
		    known = 0
		    for i, (b, e, who, then) in enumerate(slices[cpu]):
		        ran = max(0, min(e, end) - max(b, begin))
		        want[victim, who] += ran
		        idle = 0
		        if then == "0":
		            until = slices[cpu][i + 1][0] if i + 1 < len(slices[cpu]) else 1 << 63
		            idle = max(0, min(until, end) - max(e, begin))
		            want[victim, "idle"] += idle
		        known += ran + idle
		    want[victim, "unknown"] += end - begin - known
		got = {(r["tid"], r.get("by_tid", r["by"])): int(r["wait_ns"]) for r in read(sys.argv[2]) if r["ev"] == "share"}
		want = {k: v for k, v in want.items() if v}
		assert want == got, (set(want.items()) ^ set(got.items()))
		assert len(got) > 100
		E
	done
}

@test "contend against contend-quiet: contended against calm, and who did it" {
	spans_of contend-quiet
	try contention "$spans"
	[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == 'verdict: calm (score 0.11; '* ]]
	try contention -p contend "$spans"
	[ "$status" = 0 ] && [[ $out == 'verdict: calm '* ]]
	spans_of contend
	try contention "$spans"
	[ "$status" = 4 ] && [ -z "$err" ] && [[ $out == 'verdict: contended (score 0.67; '* ]]
	grep -q '^ .* noisegen (289) 276 ms (most of it from contend (288))$' <<<"$out"
	# Of those that make the main process wait, noisegen is the first by far.
	try contention -o tskv -p contend "$spans"
	[ "$status" = 4 ]
	grep ev=rival <<<"$out" | mlr --idkvp --ifs tab --onidx --ofs ' ' sort -nr took_ns 'then' head -n 2 'then' cut -o -f comm,took_ns >"$T/took"
	read -r comm most <"$T/took"
	read -r _ second < <(tail -n 1 "$T/took")
	[ "$comm" = noisegen ] && [ "$most" -gt $((5 * second)) ]
	grep -qP 'ev=rival\tcomm=contend\tpid=288\tjudged=1' <<<"$out"
}

@test "TRUTH: each thread's CPU time and waits for the lock, by its own clock" {
	need python3
	for name in contend contend-quiet; do
		spans_of "$name"
		contention -o tskv -g tid "$spans" >"$T/out" || [ $? = 4 ]
		python3 - "$trace/TRUTH.txt" "$T/out" <<-'E'
		import re, sys
		got = {}
		for line in open(sys.argv[2]):
		    r = dict(x.split("=", 1) for x in line.rstrip("\n").split("\t"))
		    if r["ev"] == "rival":
		        got[int(r["tid"])] = r
		cpu, lock, tid = {}, {}, {}
		for line in open(sys.argv[1]):
		    if m := re.match(r"thread (\d+) tid (\d+) cpu_ns (\d+) vol \d+ nvol (\d+)", line):
		        tid[m[1]] = int(m[2]); cpu[m[1]] = int(m[3]), int(m[4])
		    elif m := re.match(r"unit (\d+) .* lockwait_ns (\d+)", line):
		        lock[m[1]] = lock.get(m[1], 0) + int(m[2])
		assert len(cpu) in (2, 4)
		for n in cpu:
		    r = got[tid[n]]
		    print("thread", n, "CPU", cpu[n][0], r["got_ns"], "lock", lock[n], r["lock_ns"], "preempted", cpu[n][1], r["preempted"])
		    assert abs(int(r["got_ns"]) - cpu[n][0]) < 0.03 * cpu[n][0]
		    # 400 measurements of some 2 us each are in the program's own sum.
		    assert 0 <= lock[n] - int(r["lock_ns"]) < 0.01 * lock[n] + 1e6
		    assert abs(int(r["preempted"]) - cpu[n][1]) <= 3
		E
	done
}

@test "the measures, one by one, by other means" {
	need python3
	for name in contend postgres; do
		spans_of "$name"
		contention -o tskv "$spans" >"$T/out" || [ $? = 4 ]
		where ev=runq <"$spans" | stats -o tskv -a p50,p95,p99 dur_ns >"$T/quantiles"
		python3 - "$spans" "$T/out" "$T/quantiles" <<-'E'
		import collections, sys
		read = lambda p: [dict(x.split("=", 1) for x in l.rstrip("\n").split("\t")) for l in open(p, errors="replace")]
		spans, out, (quantiles,) = map(read, sys.argv[1:])
		m = {r["measure"]: float(r["value"]) for r in out if r["ev"] == "measure"}
		dur = lambda r: int(r["dur_ns"])
		of = lambda ev: [r for r in spans if r["ev"] == ev]
		on, wait = of("oncpu"), of("runq")
		whole = [r for r in on if "unfinished" not in r]
		seconds = (max(int(r["ts"]) for r in on + wait) - min(int(r["ts"]) - dur(r) for r in on + wait)) / 1e9
		cpus = len({r["cpu"] for r in on})
		got, waited = sum(map(dur, on)), sum(map(dur, wait))
		disk = sum(dur(r) for r in of("blocked") if r["state"][0] == "D")
		naps, calls = collections.defaultdict(list), []
		for r in spans:
		    end = int(r["ts"])
		    if r["ev"] == "blocked":
		        naps[r["tid"]].append((end - dur(r), end))
		    elif r["ev"] == "syscall" and "unfinished" not in r:
		        calls.append(dur(r) - sum(e - b for b, e in naps[r["tid"]] if end - dur(r) <= b and e <= end))
		def fairness(key):
		    g, w = collections.Counter(), collections.Counter()
		    for r in on: g[key(r)] += dur(r); w[key(r)] += dur(r)
		    for r in wait: w[key(r)] += dur(r)
		    x = [g[k] / w[k] for k in w if w[k] >= (got + waited) / 100]
		    return sum(x) ** 2 / len(x) / sum(v * v for v in x)
		pid = {r["tid"]: r["pid"] for r in spans if "pid" in r}
		want = {
		    "wait_share": waited / (waited + got), "switches": len(whole) / seconds / cpus,
		    "call_ns": sum(calls) / len(calls), "slice_ns": sum(map(dur, whole)) / len(whole),
		    "fairness": fairness(lambda r: r.get("pid", pid.get(r["tid"], -int(r["tid"])))),
		    "fairness_threads": fairness(lambda r: r["tid"]),
		    "preemptions": sum(r["why"] == "preempt" for r in whole) / seconds / cpus,
		    "io_wait": disk / (disk + got + waited),
		}
		for k, v in want.items():
		    assert abs(m[k] - v) <= 1e-9 * v, (k, m[k], v)
		for q in "50", "95", "99":
		    exact = float(quantiles["p" + q])
		    assert abs(m["runq_p%s_ns" % q] - exact) < 0.008 * exact, (q, m, exact)
		E
	done
}

@test "a call's sleep is not its time; locks are calls of futex that slept" {
	{
		us ts=100 ev=blocked cpu=0 pid=1 tid=1 comm=a dur_ns=50 state=D
		us ts=1000 ev=blocked cpu=0 pid=1 tid=1 comm=a dur_ns=800 state=S
		us ts=1100 ev=syscall cpu=0 pid=1 tid=1 comm=a name=epoll_wait dur_ns=910
		us ts=1200 ev=blocked cpu=0 pid=1 tid=1 comm=a dur_ns=60 state=S
		us ts=1250 ev=syscall cpu=0 pid=1 tid=1 comm=a name=futex dur_ns=120
		us ts=1300 ev=syscall cpu=0 pid=1 tid=1 comm=a name=futex dur_ns=30
		us ts=1310 ev=syscall cpu=0 pid=1 tid=1 comm=a name=read dur_ns=10 unfinished=1
		us ts=2000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=700 why=sleep next_tid=0
	} >"$T/in"
	try contention -o tskv "$T/in"
	grep -qP '\tcalls=3\tcall_ns=66666.666\d*\tlock_ns=120000\tdisk_ns=50000$' <<<"$out"
}

@test "a quota's time is not waited for anybody: no culprit, no score, told by itself" {
	{
		us ts=1000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=1000 why=preempt next_tid=2
		us ts=9000 ev=oncpu cpu=0 pid=2 tid=2 comm=b dur_ns=8000 why=preempt next_tid=1
		us ts=9000 ev=runq cpu=0 pid=1 tid=1 comm=a dur_ns=8000 why=preempt by_tid=2 by_comm=b throttled_ns=7000 cgroup=/q
		us ts=10000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=1000 why=preempt next_tid=0
		us ts=14000 ev=runq cpu=0 pid=1 tid=1 comm=a dur_ns=4000 why=preempt throttled_ns=4000 cgroup=/q unfinished=1
	} | sed -E 's/throttled_ns=([0-9]+)/throttled_ns=\1000/' >"$T/in"
	try contention -o tskv "$T/in"
	[ "$(grep ev=share <<<"$out" | cut -f5-)" = $'by=thread\tby_comm=b\tby_pid=2\twait_ns=1000000' ]
	grep -qP 'ev=verdict\t.*\twaited_ns=1000000\t.*\tthrottled_ns=11000000$' <<<"$out"
	grep -qP '\tpid=1\t.*\twaited_ns=1000000\t.*\twaits=1\t.*\ttook_ns=0\tthrottled_ns=11000000\t' <<<"$out"
	grep -qP 'measure=wait_share\tvalue=0.0909' <<<"$out"
	try contention "$T/in"
	[[ $out == *$'\n'"a CPU quota held threads back for 11.0 ms (throttled)"* ]]
	[ "$(grep -c ' throttled ' <<<"$out")" = 1 ]
	# In the midst of the wait: 1 ms before, of which b had all, though that is told 7 ms later.
	sed 's/throttled_ns=7000000/throttled_ns=6000000\tthrottled_after_ns=1000000/' "$T/in" | contention -o tskv >"$T/midst" || true
	[ "$(grep ev=share "$T/midst" | cut -f5-)" = $'by=thread\tby_comm=b\tby_pid=2\twait_ns=2000000' ]
	# Where there is none, nothing is said of it.
	sed -i 's/\tthrottled_ns=[0-9]*//' "$T/in"
	[[ $(contention "$T/in") != *throttled* ]]
}

@test "a gap is unknown, not idle" {
	{
		us ts=1000 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=1000 why=sleep next_tid=0
		record ts=1500000 ev=lost n=9 source=x
		us ts=3000 ev=runq cpu=0 pid=2 tid=2 comm=b dur_ns=1500 why=wakeup
		us ts=3500 ev=oncpu cpu=0 pid=2 tid=2 comm=b dur_ns=500 why=sleep next_tid=0
		us ts=4000 ev=runq cpu=0 pid=1 tid=1 comm=a dur_ns=400 why=wakeup
	} >"$T/in"
	try contention -o tskv -g tid "$T/in"
	[ "$(shares)" = $'1: idle=400000\n2: unknown=1500000' ] || { shares; false; }
	[[ $err == *"contention: 9 events were lost in 1 place: the verdict's data is incomplete" ]] && [ "$status" = 0 ]
	try contention --strict "$T/in"
	[ "$status" = 3 ] && [[ $out == *' on 1 CPU that was at least '*' busy'* ]]
}

@test "spans that contradict each other, in any order: rows sum all the same" {
	need python3
	python3 - >"$T/in" <<-'E'
	import random
	random.seed(3)
	for i in range(20000):
	    ts = random.randrange(10 ** 9, 2 * 10 ** 9)
	    print("ts=%d\tev=%s\tcpu=%d\tpid=%d\ttid=%d\tcomm=c\tdur_ns=%d\tnext_tid=%d" % (ts, random.choice(["oncpu", "runq"]),
	          random.randrange(3), random.randrange(1, 9), random.randrange(1, 20), random.randrange(10 ** 7), random.randrange(2)))
	E
	contention -o tskv -g tid "$T/in" >"$T/out" || [ $? = 4 ]
	where ev=runq <"$T/in" | mlr --idkvp --ifs tab --ocsv stats1 -a sum -f dur_ns -g tid 'then' sort -nf tid >"$T/want"
	where ev=share <"$T/out" | mlr --idkvp --ifs tab --ocsv stats1 -a sum -f wait_ns -g tid 'then' sort -nf tid 'then' rename wait_ns_sum,dur_ns_sum >"$T/got"
	[ "$(wc -l <"$T/want")" = 20 ] && diff "$T/want" "$T/got"
}

@test "who is judged: names, patterns, processes; a process is called as its main thread" {
	small >"$T/in"
	waited() {
		try contention -o tskv "$@" "$T/in"
		grep ev=verdict <<<"$out" | grep -oP '\twaited_ns=\K\d+'
	}
	[ "$(waited)" = 5550000 ]
	[ "$(waited -p c)" = 1850000 ]
	[ "$(waited -p 3)" = 1850000 ]
	[ "$(waited -p b)" = 2200000 ]
	# a is the main thread of process 1, so it names it.
	[ "$(waited -p a)" = 3700000 ]
	[ "$(waited -p '[bc]')" = 4050000 ]
	[ "$(waited -p b -p c)" = 4050000 ]
	[ "$(waited -p none)" = 0 ]
}

@test "limits: weights and limits decide; wrong ones are named" {
	spans_of contend
	limits() {
		printf '%s\n' "$@" >"$T/limits"
		try contention --limits "$T/limits" "$spans"
	}
	limits wait_share.calm=30% wait_share.contended=0.5
	[ "$status" = 0 ] && [[ $out == 'verdict: calm (score 0.11; '* ]]
	limits wait_share.weight=0
	[ "$status" = 0 ]
	limits wait_share.weight=0 slice_ns.calm=10ms slice_ns.contended=8ms switches.calm=1/s switches.contended=50
	[ "$status" = 4 ] && [[ $out == 'verdict: contended (score 0.76; '* ]]
	limits score=0.7
	[ "$status" = 0 ] && [[ $out == *'contended from 0.70 up'* ]]
	limits runq_p99_ns.calm=1us runq_p99_ns.contended=1ms runq_p99_ns.weight=1000 score=0.99
	[ "$status" = 4 ]
	limits min_runnable=1d
	[ "$status" = 0 ] && [[ $out == 'verdict: unknown: too little data ('*' runnable in '*' spans; it takes 86400 s in 20)'* ]]
	[ "$err" = 'contention: there is too little data for a verdict: record for longer' ]
	limits '# fine' 'nothing'
	expect 2 '' "contention: cannot use $T/limits:2: a line is NAME=VALUE; see 'contention --help'"
	limits speed.calm=1
	expect 2 '' "contention: cannot use $T/limits:1: there is no limit 'speed.calm'; see 'contention --help'"
	limits call_ns.calm=10
	expect 2 '' "contention: cannot use $T/limits:1: '10' is not a duration such as 10us; see 'contention --help'"
	limits fairness.calm=0.1
	expect 2 '' "contention: cannot use $T/limits: fairness.calm and fairness.contended go together, the larger one is calm; see 'contention --help'"
	limits switches.calm=-1
	[ "$status" = 2 ]
	limits "$(printf 'score=%0300d' 1)"
	[ "$status" = 2 ]
	try contention --limits "$T/none" "$spans"
	expect 1 '' "contention: cannot open $T/none: No such file or directory"
}

@test "two recordings: what got worse, and by whom" {
	spans_of contend-quiet
	quiet=$spans
	spans_of contend
	try contention "$quiet" "$spans"
	[ "$status" = 4 ] && [ -z "$err" ]
	[ "$(sed -n '1p;4p' <<<"$out")" = $'BASE\nNEW' ]
	grep -A 1 '^worse: wait_share (25.1 %, was 3.10 %)$' <<<"$out" | grep -q '^       fairness ('
	grep -A 1 '^waits more: worker-2 (' <<<"$out" | grep -q '^            worker-0 (50.5 % of its time, was 1.06 %)$'
	grep -q '^takes more: noisegen (2.05 % of all CPU time, from others that waited; was 0.00 %)$' <<<"$out"
	try contention -o tskv "$spans" "$quiet"
	[ "$status" = 0 ]
	grep -qP 'ev=measure\tmeasure=wait_share\tbase=0.25\d+\tnew=0.03\d+\t.*\tchange=better$' <<<"$out"
	grep -qP 'ev=rival\tcomm=worker-0\t.*\tchange=better$' <<<"$out"
	run ! grep -q change=worse <<<"$(grep ev=rival <<<"$out")"
	# Both beyond the limit, but more than a quarter apart.
	grep -qP 'ev=measure\tmeasure=call_ns\tbase=15\d+.\d+\tnew=19\d+.\d+\tbase_score=1\tnew_score=1\tchange=worse$' <<<"$out"
	grep -qP 'ev=measure\tmeasure=switches\t.*\tchange=alike$' <<<"$out"
	# Nothing changed.
	try contention -o tskv "$spans" "$spans"
	[ "$status" = 4 ] && ! grep -qE 'change=(worse|better)' <<<"$out"
	try contention "$quiet" "$quiet"
	[ "$status" = 0 ] && grep -q '^worse: no measure$' <<<"$out"
}

@test "what is no recording of spans: what would make one is said" {
	record ts=1 ev=sched_switch prev_tid=1 next_tid=2 >"$T/raw"
	try contention "$T/raw"
	[ "$status" = 0 ] && [[ $out == 'verdict: unknown'* ]]
	[ "$err" = 'contention: there are no spans to judge; of raw events, spans(1) makes them' ]
	try contention "$T"
	[ "$status" = 1 ]
	[ "${err%%$'\n'*}" = "contention: cannot read $T: it is a directory; if it holds a trace, lttng-convert makes records of it" ]
}

@test "too little data is said, and is not calm" {
	small >"$T/in"
	try contention "$T/in"
	[ "$status" = 0 ]
	[ "$(head -n 1 <<<"$out")" = 'verdict: unknown: too little data (8.55 ms runnable in 11 spans; it takes 100 ms in 20)' ]
	[ "$err" = 'contention: there is too little data for a verdict: record for longer' ]
	try contention --strict "$T/in"
	[ "$status" = 3 ]
	try contention -o tskv </dev/null
	[ "$status" = 0 ] && [[ $out == *$'ev=verdict\tverdict=unknown\t'* ]]
}

@test "a process that names itself cleverly drives no terminal" {
	{
		us ts=1000 ev=oncpu cpu=0 pid=1 tid=1 comm='\x1b[2J%s%n' dur_ns=1000 why=preempt next_tid=2
		us ts=1000 ev=runq cpu=0 pid=2 tid=2 comm="$(printf '\302\233')x" dur_ns=700 why=wakeup
	} >"$T/in"
	try contention -p '*x' "$T/in"
	grep -qF 'culprits: \x1b[2J%s%n (1) 700 us (most of it from \xc2\x9bx (2))' <<<"$out"
	run ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2\x9b' <<<"$out"
}

@test "spans that cannot be used are counted" {
	{
		small
		record ts=1 ev=oncpu cpu=0 dur_ns=5
		record ts=1 ev=oncpu cpu=0 tid=4 dur_ns=-5
		record ts=9223372036854775807 ev=runq cpu=0 tid=4 dur_ns=5
		record ts=1 ev=runq cpu=0 tid=99999999999 dur_ns=5
		record ts=1 ev=oncpu cpu=0 tid=4 dur_ns=9223372036854775807
	} >"$T/in"
	try contention "$T/in"
	[[ $err == 'contention: 5 spans lack ts, tid or a duration below 12 days: they are left out'* ]]
}

@test "wrong usage" {
	for args in 'a b c' '- -' '-g pid a b' '-g cpu' '-o csv' '-n x'; do
		# These are words of our own.
		# shellcheck disable=SC2086
		try contention $args
		[ "$status" = 2 ] && [ -z "$out" ] || { echo "$args: $status $err"; false; }
	done
	try contention "$T/none"
	[ "$status" = 1 ] && [[ $err == *"cannot open $T/none: No such file"* ]]
	try contention "$T/records" --strict
	expect 2 '' "contention: cannot take --strict behind '$T/records': options come first; see 'contention --help'"
	try contention --live --
	expect 2 '' "contention: -- wants COMMAND; see 'contention --help'"
}
