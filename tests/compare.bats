#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The oracles are Python with formulas of its own, and examples of textbooks.

load helper

# values FILE NUMBER...: a file of records with these values of v.
values() {
	local file=$1 i=0 v
	shift
	for v; do
		record ts=$((++i)) ev=x v="$v"
	done >"$file"
}

# field KEY: the values of a key in $out, one a line.
field() {
	grep -oP "\t$1=\K[^\t]*" <<<"$out"
}

# simulate PYTHON: runs it with functions that write records and run compare.
simulate() {
	need python3
	{
		cat <<-'E'
		import math, random, subprocess, sys
		def write(path, rows):
		    with open(path, "w") as f:
		        f.write("".join("ts=%d\tev=x\tg=%s\tv=%s\n" % r for r in rows))
		def compare(*args):
		    done = subprocess.run(["compare", "-o", "tskv", *args], capture_output=True, text=True)
		    return done.returncode, [dict(x.split("=", 1) for x in line.split("\t")) for line in done.stdout.splitlines()]
		E
		cat
	} >"$T/simulate.py"
	(cd "$T" && python3 simulate.py)
}

@test "permeability of the chorioamnion: the example of Hollander and Wolfe (1973), p. 69" {
	values "$T/term" 1.15 0.88 0.90 0.74 1.21
	values "$T/weeks" 0.80 0.83 1.89 1.04 1.45 1.38 1.91 1.64 0.73 1.46
	try compare -o tskv "$T/term" "$T/weeks" v
	[ "$status" = 0 ]
	# W = 35 of 50 pairs; one tail is 0.1272.
	[ "$(field effect)" = 0.7 ] && [ "$(field test)" = exact ]
	[[ $(field p) == 0.254412* ]]
}

@test "tortoises and hares: 25 of 36 pairs" {
	# T H H H H H T T T T T H: the values are the places.
	values "$T/hares" 2 3 4 5 6 12
	values "$T/tortoises" 1 7 8 9 10 11
	try compare -o tskv "$T/hares" "$T/tortoises" v
	# By hand: 286 of the 924 ways to divide 12 places are as uneven.
	awk -v a="$(field effect)" -v p="$(field p)" 'BEGIN { exit !(a == 25 / 36 && p == 286 / 924) }'
}

@test "small samples with ties: p is that of all ways to divide the values" {
	simulate <<-'E'
	from itertools import combinations
	random.seed(7)
	rows = ([], [])
	want = {}
	for g in range(40):
	    na, nb = random.randint(1, 7), random.randint(1, 7)
	    values = [random.randint(1, 6) for _ in range(na + nb)]
	    for i, v in enumerate(values):
	        rows[i >= na].append((i, "g%d" % g, v))
	    u2 = lambda a, b: sum((y > x) * 2 + (y == x) for x in a for y in b)
	    got = u2(values[:na], values[na:])
	    all = [u2([values[i] for i in range(na + nb) if i not in c], [values[i] for i in c]) for c in combinations(range(na + nb), nb)]
	    tails = sum(x <= got for x in all), sum(x >= got for x in all)
	    want["g%d" % g] = min(1, 2 * min(tails) / len(all)), got / 2 / na / nb
	write("a", rows[0]); write("b", rows[1])
	status, got = compare("-g", "g", "a", "b", "v")
	assert len(got) == 40
	for r in got:
	    p, effect = want[r["g"]]
	    assert abs(float(r["p"]) - p) < 1e-9 and abs(float(r["effect"]) - effect) < 1e-9, (r, want[r["g"]])
	E
}

@test "large samples: normal approximation with ties and continuity; quantiles; Holm" {
	simulate <<-'E'
	import statistics
	random.seed(8)
	rows, data = ([], []), {}
	for g in range(12):
	    a = [int(random.lognormvariate(3, 1)) for _ in range(random.randint(30, 400))]
	    b = [int(random.lognormvariate(3 + g / 20, 1)) for _ in range(random.randint(30, 400))]
	    data["g%d" % g] = a, b
	    for side, values in enumerate((a, b)):
	        rows[side].extend((i, "g%d" % g, v) for i, v in enumerate(values))
	write("a", rows[0]); write("b", rows[1])
	status, got = compare("-g", "g", "a", "b", "v")
	close = lambda x, y: math.isclose(float(x), y, rel_tol=1e-9, abs_tol=1e-12)
	for r in got:
	    a, b = data[r["g"]]
	    n, na, nb = len(a) + len(b), len(a), len(b)
	    u = sum((y > x) + (y == x) / 2 for x in a for y in b)
	    ties = sum((a + b).count(v) ** 3 - (a + b).count(v) for v in set(a + b))
	    sigma = math.sqrt(na * nb / 12 * (n + 1 - ties / n / (n - 1)))
	    z = max(0, abs(u - na * nb / 2) - 0.5) / sigma
	    assert r["test"] == "normal" and close(r["p"], math.erfc(z / math.sqrt(2))), r
	    assert close(r["effect"], u / na / nb)
	    assert close(r["base_median"], statistics.median(a)) and close(r["new_median"], statistics.median(b))
	    q = lambda v: statistics.quantiles(v, n=100, method="inclusive")[98]
	    assert close(r["base_p99"], q(a)) and close(r["new_p99"], q(b))
	    assert close(r["ratio"], statistics.median(b) / statistics.median(a))
	least, worse = 0, 0
	for k, r in enumerate(sorted(got, key=lambda r: float(r["p"]))):
	    least = max(least, min(1, (len(got) - k) * float(r["p"])))
	    assert close(r["p_holm"], least), r
	    want = "worse" if least <= 0.05 and float(r["ratio"]) > 1.05 else "same"
	    assert r["verdict"] == want, r
	    worse += want == "worse"
	assert worse >= 3 and status == 5
	E
}

@test "false alarms: at most 5 % of runs, whatever the number of groups; p is uniform" {
	simulate <<-'E'
	random.seed(20261121)
	alarms = runs = small = tests = 0
	for run in range(240):
	    rows = ([], [])
	    for g in range(5):
	        for side in 0, 1:
	            rows[side].extend((i, g, "%.6f" % random.lognormvariate(g, 1)) for i in range(random.randint(8, 80)))
	    write("a", rows[0]); write("b", rows[1])
	    status, got = compare("--threshold", "0", "--replicates", "100", "-g", "g", "a", "b", "v")
	    assert status in (0, 5) and len(got) == 5
	    either = any(float(r["p_holm"]) <= 0.05 for r in got)
	    runs += 1; alarms += either
	    tests += 5; small += sum(float(r["p"]) <= 0.05 for r in got)
	print("alarms, either way:", alarms, "of", runs, "- p <= 0.05:", small, "of", tests)
	assert alarms <= 0.05 * runs and 0.03 * tests <= small <= 0.06 * tests
	E
}

@test "what got worse by a fifth is found; intervals hold the true ratio as often as they say" {
	simulate <<-'E'
	random.seed(5)
	rows, groups = ([], []), 400
	for g in range(groups):
	    n = random.randint(60, 200)
	    for side in 0, 1:
	        rows[side].extend((i, g, "%.6f" % random.lognormvariate(0.1823 * side, 0.5)) for i in range(n))
	write("a", rows[0]); write("b", rows[1])
	status, got = compare("-g", "g", "a", "b", "v")
	held = sum(float(r["ratio_low"]) <= math.exp(0.1823) <= float(r["ratio_high"]) for r in got)
	print("held", held, "of", groups)
	assert 0.92 * groups <= held <= 0.98 * groups
	rows = ([], [])
	for side in 0, 1:
	    rows[side].extend((i, 0, "%.6f" % random.lognormvariate(0.1823 * side, 0.5)) for i in range(400))
	write("a", rows[0]); write("b", rows[1])
	status, got = compare("a", "b", "v")
	assert status == 5 and got[0]["verdict"] == "worse", got
	status, got = compare("b", "a", "v")
	assert status == 0 and got[0]["verdict"] == "better", got
	status, got = compare("--lower-is-worse", "b", "a", "v")
	assert status == 5 and got[0]["verdict"] == "worse", got
	status, got = compare("--threshold", "60", "a", "b", "v")
	assert status == 0 and got[0]["verdict"] == "same", got
	E
}

@test "the interval equals that of a bootstrap that really draws" {
	simulate <<-'E'
	import statistics
	random.seed(6)
	a = [random.lognormvariate(0, 1) for _ in range(61)]
	b = [random.lognormvariate(0, 1) for _ in range(80)]
	write("a", [(i, 0, repr(v)) for i, v in enumerate(a)]); write("b", [(i, 0, repr(v)) for i, v in enumerate(b)])
	status, (r,) = compare("--replicates", "40000", "--confidence", "90", "a", "b", "v")
	q = {"ratio": statistics.median, "p99": lambda v: statistics.quantiles(v, n=100, method="inclusive")[98]}
	for name, f in q.items():
	    drawn = sorted(f(random.choices(b, k=80)) / f(random.choices(a, k=61)) for _ in range(8000))
	    for end, at in ("low", 0.05), ("high", 0.95):
	        # Between the ends at nearby places of the drawn ratios.
	        got, at = float(r["%s_%s" % (name, end)]), int(at * 8000)
	        assert drawn[at - 120] <= got <= drawn[at + 120], (name, end, got, drawn[at])
	E
}

@test "values that depend on each other: said, and --block keeps false alarms rare" {
	simulate <<-'E'
	random.seed(9)
	groups, rows = 150, ([], [])
	for g in range(groups):
	    for side in 0, 1:
	        x = 0
	        for i in range(1200):
	            x = 0.9 * x + random.gauss(0, 1)
	            rows[side].append((1000000000000000000 + i * 10 ** 7, g, "%.5f" % math.exp(x / 3)))
	write("a", rows[0]); write("b", rows[1])
	status, got = compare("-g", "g", "--replicates", "100", "a", "b", "v")
	naive = sum(float(r["p"]) <= 0.05 for r in got)
	status, got = compare("-g", "g", "--replicates", "200", "--block", "1s", "a", "b", "v")
	blocks = sum(float(r["p"]) <= 0.05 for r in got)
	held = sum(float(r["ratio_low"]) <= 1 <= float(r["ratio_high"]) for r in got)
	assert all(r["base_blocks"] == "12" and r["base_n"] == "1200" for r in got)
	print("p <= 0.05 of equal ones:", naive, "without,", blocks, "with blocks; intervals hold", held, "of", groups)
	assert naive > 0.3 * groups and blocks <= 0.09 * groups and held >= 0.85 * groups
	E
	try compare -g g -o tskv "$T/a" "$T/b" v
	[[ $err == *'values depend on those before in 150 groups (correlation up to 0.9'*'see --block'* ]]
}

@test "blocks of one value each give what no blocks give" {
	simulate <<-'E'
	random.seed(10)
	for name in "ab":
	    write(name, [(i * 10 ** 9, 0, random.randint(100, 200)) for i in range(100)])
	_, (x,) = compare("a", "b", "v")
	_, (y,) = compare("--block", "1s", "a", "b", "v")
	assert x["p"] == y["p"] and x["effect"] == y["effect"] and y["base_blocks"] == "100"
	for k in "ratio_low", "ratio_high":
	    assert abs(float(x[k]) - float(y[k])) < 0.02, (k, x[k], y[k])
	E
}

@test "exact output: verdicts, groups of one side only, order, absent keys" {
	{
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x comm=slower v=$((100 + i)); done
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x comm=faster v=$((200 + i)); done
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x v=$((100 + i)); done
		record ts=9 ev=x comm=gone v=5
		record ts=9 ev=x comm=rare v=5
		record ts=9 ev=x comm=below v=-5
		record ts=9 ev=x comm=none
	} >"$T/a"
	{
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x comm=slower v=$((200 + i)); done
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x comm=faster v=$((100 + i)); done
		for i in 1 2 3 4 5 6 7 8; do record ts=$i ev=x v=$((100 + i)); done
		record ts=9 ev=x comm=rare v=9
		record ts=9 ev=x comm=below v=5
		record ts=9 ev=x comm=born v=5
		record ts=9 ev=x comm=born v=many
	} >"$T/b"
	try compare -o table -g comm "$T/a" "$T/b" v
	expect 5 "\
comm    verdict    base_n  new_n  base_median  new_median  ratio  ratio_low  ratio_high    p_holm  effect  base_p99  new_p99  p99_ratio  p99_low  p99_high
slower  worse           8      8        104.5       204.5  1.957      1.907       2.005  0.000777       1    107.93   207.93      1.927    1.907     1.964
faster  better          8      8        204.5       104.5  0.511      0.499       0.523  0.000777       0    207.93   107.93      0.519    0.508     0.524
-       same            8      8        104.5       104.5      1      0.967       1.034         1     0.5    107.93   107.93          1    0.981     1.019
rare    few             1      1            5           9    1.8        1.8         1.8         1       1         5        9        1.8      1.8       1.8
below   no-ratio        1      1           -5           5      -          -           -         1       1        -5        5          -        -         -
gone    only-base       1      0            5           -      -          -           -         -       -         5        -          -        -         -
born    only-new        0      1            -           5      -          -           -         -       -         -        5          -        -         -" "\
compare: 1 value of v is no number: it is not compared
compare: 1 group has values below 0: there is no ratio, and no verdict
compare: 1 of 5 groups got worse by more than 5 %"
	try compare -o tskv -g comm "$T/a" "$T/b" v
	[ "$(cut -f1-3 <<<"$out" | head -n 3)" = $'ts=9\tev=compare\tcomm=slower\nts=9\tev=compare\tcomm=faster\nts=9\tev=compare\tverdict=same' ]
	try compare -o csv -g comm "$T/a" "$T/b" v
	[[ $out == ts,comm,verdict,base_n,new_n,* ]] && [ "$(wc -l <<<"$out")" = 8 ]
}

@test "a base of 0" {
	values "$T/a" 0 0 0 0 0 0 0 0 0
	values "$T/b" 1 2 3 4 5 6 7 8 9
	try compare -o tskv "$T/a" "$T/b" v
	[ "$status" = 5 ] && [ "$(field verdict)" = worse ] && [ -z "$(field ratio)" ]
	try compare -o tskv "$T/a" "$T/a" v
	[ "$status" = 0 ] && [ "$(field ratio)" = 1 ] && [ "$(field ratio_high)" = 1 ]
}

@test "the same seed gives the same bytes, another one other intervals" {
	awk 'BEGIN { srand(3); for (i = 0; i < 500; i++) printf "ts=%d\tev=x\tv=%d\n", i, 1000 * rand() }' >"$T/a"
	awk 'BEGIN { srand(4); for (i = 0; i < 500; i++) printf "ts=%d\tev=x\tv=%d\n", i, 1000 * rand() }' >"$T/b"
	compare -o tskv "$T/a" "$T/b" v >"$T/1"
	compare -o tskv "$T/a" "$T/b" v | cmp - "$T/1"
	compare -o tskv --seed 2 "$T/a" "$T/b" v >"$T/2"
	run ! cmp -s "$T/1" "$T/2"
	diff <(tr '\t' '\n' <"$T/1" | grep -v 'low\|high') <(tr '\t' '\n' <"$T/2" | grep -v 'low\|high')
}

@test "large groups are sampled, which is said; memory stays bounded" {
	need python3
	python3 - >"$T/a" <<-'E'
	import random
	random.seed(1)
	for i in range(300000):
	    print("ts=%d\tev=x\tv=%d" % (i, random.uniform(0, 1000000)))
	E
	try compare -o tskv --sample 10000 "$T/a" "$T/a" v
	[ "$status" = 0 ]
	[ "$err" = 'compare: 1 group has more than 10000 values: random samples of these are compared' ]
	[ "$(field base_n)" = 300000 ]
	# Two samples: a median of 10000 is within 1.5 % with 5 sigma here, wherever in the file its values stood.
	awk -v a="$(field base_median)" -v b="$(field new_median)" 'BEGIN {
		exit !(a != b && a > 475000 && a < 525000 && b > 475000 && b < 525000) }'
	try compare -o tskv --memory 1M "$T/a" "$T/a" v
	[ "$status" = 1 ] && [[ $err == 'compare: cannot hold 1 groups in 1 MiB: '*--sample* ]]
}

@test "loss, wrong input, wrong usage" {
	values "$T/a" 1 2 3
	{ cat "$T/a"; record ts=4 ev=lost n=7 source=x; } >"$T/lost"
	try compare --strict -o tskv "$T/a" "$T/lost" v
	[ "$status" = 3 ] && [ "$err" = 'compare: 7 events were lost in 1 place: the comparison is incomplete' ]
	try compare "$T/a" "$T/none" v
	[ "$status" = 1 ] && [[ $err == *"cannot open $T/none: No such file"* ]]
	try compare "$T/a" "$T/a" w
	[ "$status" = 0 ] && [ "$err" = $'compare: no record of BASE has the field w\ncompare: no record of NEW has the field w' ]
	# A gate with a mistyped field, or behind a pipeline that failed.
	for new in "$T/a" /dev/null; do
		try compare --strict "$T/a" "$new" "$([ "$new" = /dev/null ] && echo v || echo w)"
		[ "$status" = 3 ] && [[ $err == *'compare: nothing was compared: no group has values in both' ]] || { echo "$err"; false; }
	done
	for args in '' 'x' 'x y' 'x y z w' '- - v' '-g ts x y z' '-g ratio x y z' '--confidence 101 x y z' '-c 49 x y z'; do
		# These are words of our own.
		# shellcheck disable=SC2086
		try compare $args
		[ "$status" = 2 ] && [ -z "$out" ] || { echo "$args: $status $err"; false; }
	done
	try compare -o tskv - "$T/a" v <"$T/a"
	[ "$status" = 0 ]
}

@test "a real one: run-queue waits without and with a noise process" {
	need lttng-convert spans
	for name in contend-quiet contend; do
		need_trace "$name"
		lttng-convert "$trace/trace" | spans 2>/dev/null | where ev=runq 'comm~worker-[01]' >"$T/$name"
	done
	try compare -o tskv -g comm "$T/contend-quiet" "$T/contend" dur_ns
	[ "$status" = 5 ]
	[ "$(field comm)" = $'worker-0\nworker-1' ] && [ "$(field verdict)" = $'worse\nworse' ]
	[[ $err == *'compare: 2 of 2 groups got worse by more than 5 %' ]]
	# Equal recordings are alike.
	try compare -o tskv -g comm "$T/contend" "$T/contend" dur_ns
	[ "$status" = 0 ] && [ "$(field p)" = $'1\n1' ]
}
