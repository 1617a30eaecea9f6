#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# plot-data: its data is checked in the script that it writes, against awk and python; its pictures by what
# reads them.

load helper

setup_file() {
	export INPUTS=$BATS_FILE_TMPDIR
	# 60000 spans of three groups, many decades, with a pause: more than are kept as they are.
	awk 'BEGIN { srand(5); t = 481469996
		for (i = 0; i < 60000; i++) {
			t += int(rand() * 20000) + 1; if (i == 30000) t += 150000000
			printf "ts=1795225%012d\tev=oncpu\tcomm=%s\tdur_ns=%d\n", t + 110000000000,
				i % 5 ? (i % 3 ? "redis" : "nginx") : "postgres", exp(rand() * 14) + (i % 100 ? 0 : -1) } }' \
		>"$INPUTS/many.tskv"
	# Few: a probe each second, a pause, failures, lost events.
	awk 'BEGIN { srand(6); for (i = 0; i < 90; i++) printf "ts=%d469996000\tev=http\tok=%d\tdur_ns=%d\n",
			1795225110 + i + (i > 60 ? 30 : 0), i % 30 != 7, 2000000 + int(rand() * 30000000)
		print "ts=1795225160000000000\tev=lost\tn=12\tsource=x\tfirst_ts=1795225150000000000\tlast_ts=1795225160000000000" }' \
		>"$INPUTS/few.tskv"
	mkdir "$INPUTS/scratch"
	{
		printf 'ts=%d\tev=x\tcomm=%s\tdur_ns=%d\n' \
			1795225110481469996 "\`touch $INPUTS/scratch/x1\`" 5 \
			1795225110481470096 "\$(touch $INPUTS/scratch/x2)" 6 \
			1795225110481470196 '{/Symbol a}_b^c &{d}~e{.8f}' 70 \
			1795225110481470296 "@GPVAL_TERM\" . system(\"touch $INPUTS/scratch/x3\") . \"" 8 \
			1795225110481470396 "' . system('touch $INPUTS/scratch/x4') . '" 9 \
			1795225110481470496 '</title><script>alert(1)</script>&amp;' 10 \
			1795225110481470596 '%s%n50%' 11 \
			1795225110481470696 $'\xff\xfe\xc3\xa9\xe4\xb8\xad\xe2\x80\xae\xef\xbf\xbe' 12 \
			1795225110481470796 '\x1b[31m' 12 \
			1795225110481470896 "$(printf 'x%.0s' {1..300})" 12 \
			1795225110481470996 '' 13
	} >"$INPUTS/hostile.tskv"
}

# block NAME: the lines of one data block of the script on stdin.
block() {
	sed -n "/^\\\$$1 << END\$/,/^END\$/p" | sed '1d;$d'
}

@test "small inputs: the script, word for word" {
	need gnuplot
	head -n 12 "$INPUTS/few.tskv" | sed 's/dur_ns=.*/dur_ns=3000000/' >"$T/in"
	tail -n 1 "$INPUTS/few.tskv" >>"$T/in"
	golden plot-timeseries.gp plot-data -y dur_ns -g ok --script "$T/in"
	golden plot-rate.gp plot-data --script --format png --title Probes "$T/in"
	grep -av "$INPUTS" "$INPUTS/hostile.tskv" >"$T/hostile"
	golden plot-bar.gp plot-data --kind bar -g comm --script --format svg "$T/hostile"
	golden plot-usage.gp plot-data --kind usage -g ok --script -o x.svg "$T/in"
}

@test "text, character for character" {
	need gnuplot
	golden plot-text-timeseries plot-data -y dur_ns --format text "$INPUTS/few.tskv"
	golden plot-text-bar plot-data --kind pie -g comm --format text --size 60x16 "$INPUTS/many.tskv"
	golden plot-text-table plot-data --kind table -y dur_ns -g ok -o "$T/x.txt" "$INPUTS/few.tskv"
	diff "$TESTS/golden/plot-text-table.txt" "$T/x.txt" || { [ "${WEIR_GOLDEN:-}" = write ] && cp "$T/x.txt" "$TESTS/golden/plot-text-table.txt"; }
}

@test "on a terminal it draws text, of the terminal's size" {
	need gnuplot script
	script -qec "stty cols 100 rows 30; plot-data --no-progress -y dur_ns $INPUTS/few.tskv" /dev/null >"$T/out" 2>&1
	grep -q 'dur_ns over time' "$T/out"
	[ "$(tr -d '\r' <"$T/out" | sed 's/ *$//' | awk '{ if (length > n) n = length } END { print (n > 85), (n < 100) }')" = '1 1' ]
}

@test "few values are drawn as they are, gaps are gaps, lost events are marked" {
	plot-data -y dur_ns --script "$INPUTS/few.tskv" >"$T/gp" 2>"$T/err"
	[ "$(cat "$T/err")" = 'plot-data: 12 events were lost in 1 place: the picture is incomplete' ]
	block points0_0 <"$T/gp" | awk 'NF { print $2 }' >"$T/got"
	sed -n 's/.*\tdur_ns=//p' "$INPUTS/few.tskv" | cmp - "$T/got"
	# The one pause of 30 seconds among those of one second.
	[ "$(block points0_0 <"$T/gp" | grep -c '^$')" = 1 ]
	[ "$(block points0_0 <"$T/gp" | sed -n '/^$/{=}')" = 62 ]
	grep -q 'set object rectangle from first 39.530004000, graph 0 to first 49.530004000, graph 1' "$T/gp"
	try plot-data -y dur_ns --strict -o "$T/x.svg" "$INPUTS/few.tskv"
	expect 3 '' 'plot-data: 12 events were lost in 1 place: the picture is incomplete'
}

@test "columns: minimum, maximum and count are exact, quantiles to 1 %" {
	need python3
	plot-data -y dur_ns --script "$INPUTS/many.tskv" | block columns0_0 >"$T/got"
	python3 - "$INPUTS/many.tskv" "$T/got" <<-'EOF'
		import sys
		rows = []
		for line in open(sys.argv[1]):
		    f = dict(p.split("=", 1) for p in line.rstrip("\n").split("\t"))
		    rows.append((int(f["ts"]), int(f["dur_ns"])))
		start = min(r[0] for r in rows)
		lines = [l.split() for l in open(sys.argv[2]) if l.strip()]
		got = [[int(l[0].replace(".", ""))] + [float(v) for v in l[1:5]] + [int(l[5])] for l in lines]
		assert 400 < len(got) <= 900, len(got)
		assert sum(g[5] for g in got) == len(rows)
		width = min(b[0] - a[0] for a, b in zip(got, got[1:]))
		assert width & (width - 1) == 0
		def quantile(v, q):
		    h = (len(v) - 1) * q; i = int(h)
		    return v[i] + (h - i) * (v[min(i + 1, len(v) - 1)] - v[i])
		for x, low, median, p99, high, n in got:
		    left = start + x - width // 2
		    assert left % width == 0
		    v = sorted(d for t, d in rows if left <= t < left + width)
		    assert (len(v), v[0], v[-1]) == (n, low, high), (x, n, len(v))
		    for q, value in ((0.5, median), (0.99, p99)):
		        assert abs(value - quantile(v, q)) <= 0.01 * quantile(v, q) + 0.5, (x, q, value, quantile(v, q))
	EOF
	# The pause is a gap.
	[ "$(grep -c '^$' "$T/got")" = 1 ]
}

@test "histogram: counts of few values are exact, those of many sum up" {
	seq 1 100 | awk '{ printf "ts=%d\tev=x\ta=%d\n", $1, $1 * $1 % 97 + 100 }' >"$T/in"
	plot-data --kind histogram -y a --script "$T/in" | block bins0 >"$T/bins"
	awk -F= '{ print $4 }' "$T/in" | awk 'NR == FNR { low[NR] = $1; high[NR] = $2; n[NR] = $3; bins = NR; next }
		{ for (i = 1; i <= bins; i++) if ($1 >= low[i] && $1 < high[i]) n[i]-- }
		END { for (i = 1; i <= bins; i++) if (n[i]) { print "bin " i ": " n[i]; bad = 1 } exit bad || bins < 5 }' "$T/bins" -
	plot-data --kind histogram -y dur_ns --script "$INPUTS/many.tskv" >"$T/gp"
	zeros=$(grep -c 'dur_ns=0$' "$INPUTS/many.tskv") || true
	[ "$zeros" -gt 0 ]
	[ "$(block zeros0 <"$T/gp" | awk '{ print $3 }')" = "$zeros" ]
	[ "$(block bins0 <"$T/gp" | awk '{ n += $3 } END { print n }')" = $((60000 - zeros)) ]
	# Many, evenly: 8192 equal bins of values would be needed to hold them; counts stay exact.
	seq 0 29999 | awk '{ printf "ts=%d\tev=x\ta=%.2f\n", $1, 5000 + $1 / 10 }' >"$T/in"
	plot-data --kind histogram -y a --script "$T/in" | block bins0 >"$T/bins"
	awk -F'a=' 'NR == FNR { split($0, f, " "); low[NR] = f[1]; high[NR] = f[2]; n[NR] = f[3]; bins = NR; next }
		{ for (i = 1; i <= bins; i++) if ($2 >= low[i] && $2 < high[i]) n[i]-- }
		END { for (i = 1; i <= bins; i++) if (n[i]) { print "bin " i ": " n[i]; bad = 1 } exit bad || bins < 20 }' "$T/bins" "$T/in"
}

@test "heatmap: the cells hold every value" {
	for input in many few; do
		plot-data --kind heatmap -y dur_ns --script "$INPUTS/$input.tskv" >"$T/gp" 2>/dev/null
		all=$(grep -vc ev=lost "$INPUTS/$input.tskv")
		zeros=$(block zeros0 <"$T/gp" | awk '{ n += $2 } END { print n + 0 }')
		[ "$zeros" = "$(grep -c 'dur_ns=0$' "$INPUTS/$input.tskv")" ]
		[ "$(block cells0 <"$T/gp" | awk '{ for (i = 1; i <= NF; i++) n += $i } END { print n + '"$zeros"' }')" = "$all" ]
	done
}

@test "usage: the time of each group, to the nanosecond" {
	plot-data --kind usage -g comm --script "$INPUTS/many.tskv" >"$T/gp"
	for s in 0 1 2; do block flow0_$s <"$T/gp" | awk '{ n += $3 } END { printf "%d\n", n }'; done >"$T/got"
	awk -F'[\t=]' '{ n[$6] += $8 } END { for (c in n) printf "%d\n", n[c] }' "$INPUTS/many.tskv" | sort -rn | cmp - "$T/got"
	# One span over many columns, one within: two CPUs where they overlap.
	{ record ts=2000000000 ev=oncpu comm=a dur_ns=1000000000; record ts=1500000000 ev=oncpu comm=b dur_ns=100000000; } >"$T/in"
	plot-data --kind usage -g comm --script "$T/in" >"$T/gp"
	[ "$(block flow0_0 <"$T/gp" | awk '{ n += $3; if ($5 > 1.000001 || (NF && $3 && $5 < 0.99999)) bad = 1 } END { printf "%d %d", n, bad }')" = '1000000000 0' ]
	[ "$(block flow0_1 <"$T/gp" | awk '{ n += $3; if ($5 > max) max = $5 } END { printf "%d %.6f", n, max }')" = '100000000 2.000000' ]
}

@test "events per second: every event is counted" {
	plot-data -g comm --script "$INPUTS/many.tskv" >"$T/gp"
	for s in 0 1 2; do block flow0_$s <"$T/gp" | awk '{ n += $3 } END { print n }'; done >"$T/got"
	sed 's/.*comm=\([a-z]*\).*/\1/' "$INPUTS/many.tskv" | sort | uniq -c | sort -rn | awk '{ print $1 }' | cmp - "$T/got"
}

@test "cumulative distribution: the shares of few values are exact" {
	plot-data --kind cdf -y dur_ns --script "$INPUTS/few.tskv" 2>/dev/null | block shares0_0 >"$T/got"
	sed -n 's/.*\tdur_ns=//p' "$INPUTS/few.tskv" | sort -n |
		awk 'NR == 1 { print $1, 0 } { printf "%s %.9g\n", $1, NR / 90 }' | cmp - "$T/got"
}

@test "table: the figures are datamash's, those of many values to 1 %" {
	need datamash
	plot-data --kind table -y dur_ns --script "$INPUTS/few.tskv" 2>/dev/null |
		sed -n 's/^set label "\([0-9.,]*\)[^"]*" at graph 0.9.*/\1/p' >"$T/got"
	sed -n 's/.*\tdur_ns=//p' "$INPUTS/few.tskv" |
		datamash count 1 mean 1 median 1 min 1 max 1 sstdev 1 perc:95 1 perc:99 1 | tr '\t' '\n' >"$T/want"
	[ "$(wc -l <"$T/got")" = 8 ]
	paste "$T/got" "$T/want" | awk 'NR > 1 { $2 /= 1e6 } { d = $1 - $2; if (d < 0) d = -d; if (d > $2 * 0.001) { print; bad = 1 } } END { exit bad }'
	plot-data --kind table -y n --script <(sed 's/dur_ns/n/' "$INPUTS/many.tskv") |
		sed -n 's/≈//; s/^set label "\([0-9.,]*\)\( [kMG]\)*" at graph 0.9.*/\1\2/p' | tr -d , >"$T/got"
	sed -n 's/.*\tdur_ns=//p' "$INPUTS/many.tskv" |
		datamash count 1 mean 1 median 1 min 1 max 1 sstdev 1 perc:95 1 perc:99 1 | tr '\t' '\n' >"$T/want"
	paste -d ' ' "$T/want" "$T/got" | awk '{ v = $2; if ($3 == "k") v *= 1e3; if ($3 == "M") v *= 1e6; d = v - $1; if (d < 0) d = -d
		if (d > $1 * (NR == 3 || NR > 6 ? 0.013 : 0.001)) { print; bad = 1 } } END { exit bad || NR != 8 }'
}

@test "top 8 groups and the rest: none is dropped" {
	awk 'BEGIN { for (g = 0; g < 300; g++) for (i = 0; i <= g; i++) printf "ts=%d\tev=x\tg=name%d\ta=%d\n", ++t, g, g }' >"$T/in"
	plot-data --kind bar -g g --script "$T/in" >"$T/gp"
	[ "$(block bars0 <"$T/gp" | head -n 1)" = '0 300 "300"' ]
	[ "$(block bars0 <"$T/gp" | awk '{ n += $2 } END { print NR, n }')" = "21 45150" ]
	grep -q '"other (280)" 20' "$T/gp"
	# 45150 values are not kept: groups that grow late say so.
	try plot-data -y a -g g --script "$T/in"
	[ "$status" = 0 ]
	[[ $err == *"more than 64 groups: the first values of 'name299' are drawn with the others"* ]]
	[ "$(for s in 0 1 2 3 4 5 6 7 8; do block columns0_$s <<<"$out"; done | awk '{ n += $6 } END { print n }')" = 45150 ]
}

@test "gnuplot accepts every kind in every format, silently" {
	need gnuplot
	for input in many few hostile; do
		for kind in timeseries histogram cdf heatmap usage bar pie table dashboard timeline; do
			group='-g comm'
			case $kind in histogram|heatmap) group= ;; esac
			for format in svg text; do
				# shellcheck disable=SC2086
				plot-data --kind $kind -y dur_ns $group --format $format --script "$INPUTS/$input.tskv" >"$T/gp" 2>/dev/null
				LC_ALL=C.UTF-8 gnuplot -d - <"$T/gp" >"$T/picture" 2>"$T/err"
				[ -s "$T/picture" ] && [ ! -s "$T/err" ] || { echo "$input $kind $format: $(cat "$T/err")"; return 1; }
			done
		done
	done
}

@test "PNG has the size asked for, PDF and SVG are whole" {
	need gnuplot python3
	for kind in timeseries heatmap dashboard; do
		plot-data --kind $kind -y dur_ns --size 640x480 -o "$T/x.png" "$INPUTS/many.tskv"
		python3 -c 'import struct, sys
d = open(sys.argv[1], "rb").read()
assert d[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", d[16:24]) == (640, 480) and b"IEND" in d[-12:]' "$T/x.png"
		plot-data --kind $kind -y dur_ns -o "$T/x.pdf" "$INPUTS/many.tskv"
		[ "$(head -c 5 "$T/x.pdf")" = %PDF- ] && tail -c 10 "$T/x.pdf" | grep -q %%EOF
		plot-data --kind $kind -y dur_ns -o - "$INPUTS/many.tskv" >"$T/x.svg"
		python3 -c 'import sys, xml.dom.minidom
assert xml.dom.minidom.parse(sys.argv[1]).documentElement.getAttribute("viewBox") == "0 0 1200 800"' "$T/x.svg"
	done
}

@test "hostile names and titles do not evaluate, and leave SVG well-formed" {
	need gnuplot python3
	for kind in timeseries usage cdf bar pie table dashboard timeline; do
		for format in svg png pdf text; do
			try plot-data --kind $kind -y dur_ns -g comm --format $format --title "\`touch $INPUTS/scratch/t\`\" . system('touch $INPUTS/scratch/t') . \"" \
				"$INPUTS/hostile.tskv"
			[ "$status" = 0 ] && [ -z "$err" ] || { echo "$kind $format: $err"; return 1; }
			case $format in
			svg) python3 -c 'import sys, xml.dom.minidom; d = xml.dom.minidom.parse(sys.argv[1])
assert not d.getElementsByTagName("script")' "$T/try.out" ;;
			text) run ! grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$T/try.out" ;;
			esac
		done
	done
	[ -z "$(ls "$INPUTS/scratch")" ]
	plot-data --kind bar -g comm --script "$INPUTS/hostile.tskv" >"$T/gp"
	run ! grep -q '[`@$'"'"']touch\|@GPVAL\|{/Symbol' "$T/gp"
}

@test "a file name is no command" {
	need gnuplot
	(cd "$T" && plot-data -y dur_ns --script -o '|touch x.svg' "$INPUTS/few.tskv" 2>/dev/null | LC_ALL=C.UTF-8 gnuplot -d -)
	[ -s "$T/|touch x.svg" ] && [ ! -e "$T/x.svg" ]
}

@test "odd values: one, equal, negative, zero, huge, far apart, out of order" {
	need gnuplot
	local cases=(
		'1:5' '1:0' '1:0 2:0' '1:7 2:7 3:7' '1:-5 2:5' '1:-1e300 2:1e300' '1:1e-300 2:1e300 3:0' '5:1 3:2 4:3 1:9'
		'7:1 7:2 7:3' '0:1 9223372036854775807:2' '1:nan 2:1' '1:0x10 2:1' '1:1e308 2:1e308' '1:-3 2:-3'
	)
	for values in "${cases[@]}"; do
		for pair in $values; do record "ts=${pair%%:*}" ev=x "a=${pair#*:}"; done >"$T/in"
		# The same, so many that none is kept.
		awk '{ line[NR] = $0 } END { for (i = 0; i < 20001; i++) print line[i % NR + 1] }' "$T/in" >"$T/in.many"
		for kind in timeseries histogram cdf heatmap table dashboard; do
			for in in "$T/in" "$T/in.many"; do
				plot-data --kind $kind -y a --format text -o "$T/x" "$in" 2>"$T/err" || { echo "$values $kind: $(cat "$T/err")"; return 1; }
				run ! grep -v 'not drawn' "$T/err"
			done
		done
	done
}

@test "no data is said in the picture; nothing usable is an error" {
	need gnuplot
	try plot-data --kind heatmap -y dur_ns --format text </dev/null
	[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == *"no data"* ]]
	try plot-data -y dur_nss --format text "$INPUTS/few.tskv"
	[ "$status" = 1 ] && [[ $out == *"no data"* ]]
	[ "${err%%$'\n'*}" = 'plot-data: nothing to draw: of 90 records none has a number in dur_nss' ]
	try plot-data -y a --format text <<<$'ts=1\tev=x\ta=1\nts=2\tev=x\ta=NaN\nts=x\tev=x\ta=3'
	[ "$status" = 0 ] && [ "$err" = 'plot-data: not drawn: 1 records without a number in a, 1 without ts' ]
}

@test "a missing gnuplot, a failing one, a killed one: said, and the old picture stays" {
	mkdir "$T/bin"
	echo old >"$T/x.svg"
	try env PATH="$T/bin" "$WEIR_BIN/plot-data" -y dur_ns -o "$T/x.svg" "$INPUTS/many.tskv"
	expect 1 '' 'plot-data: cannot run gnuplot: it is not installed, or not in PATH; install gnuplot-nox (Debian), gnuplot (Fedora)'
	printf '#!/bin/sh\necho half\nkill -9 $$\n' >"$T/bin/gnuplot"
	chmod +x "$T/bin/gnuplot"
	try env PATH="$T/bin:$PATH" plot-data -y dur_ns -o "$T/x.svg" "$INPUTS/many.tskv"
	expect 1 '' 'plot-data: cannot draw: gnuplot ended with killed by signal 9: '
	printf '#!/bin/sh\necho half\necho oops >&2\nexit 5\n' >"$T/bin/gnuplot"
	try env PATH="$T/bin:$PATH" plot-data -y dur_ns -o "$T/x.svg" "$INPUTS/many.tskv"
	expect 1 '' 'plot-data: cannot draw: gnuplot ended with exit status 5: oops'
	[ "$(cat "$T/x.svg")" = old ] && [ ! -e "$T/x.svg.tmp" ]
}

@test "a full disk leaves no half picture; a directory that is not there is said" {
	need gnuplot
	try plot-data -y dur_ns --format svg -o /dev/full "$INPUTS/few.tskv"
	[ "$status" = 1 ] && [[ $err == *'cannot write /dev/full: No space left on device'* ]]
	(ulimit -f 8; trap '' XFSZ; try plot-data -y dur_ns -o "$T/x.svg" "$INPUTS/many.tskv"
	[ "$status" = 1 ] && [ "$err" = "plot-data: cannot write $T/x.svg.tmp: File too large" ])
	[ ! -e "$T/x.svg" ] && [ ! -e "$T/x.svg.tmp" ]
	try plot-data -y dur_ns -o "$T/none/x.svg" "$INPUTS/many.tskv"
	expect 1 '' "plot-data: cannot create $T/none/x.svg.tmp: No such file or directory"
}

@test "without fonts it says that the picture has no text" {
	need gnuplot fc-list
	printf '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>' \
		"$T/none" "$T/cache" >"$T/fonts.conf"
	try env FONTCONFIG_FILE="$T/fonts.conf" plot-data --kind table -y dur_ns -o "$T/x.png" "$INPUTS/many.tskv"
	expect 0 '' 'plot-data: no font is installed: the picture has no text (install fonts-dejavu-core, or write .svg)'
	[ -s "$T/x.png" ]
}

@test "a closed pipe ends it silently" {
	need gnuplot
	err=$( { plot-data --kind heatmap -y dur_ns "$INPUTS/many.tskv" 2>&3 | head -c 10 >/dev/null; } 3>&1 )
	[ -z "$err" ]
}

@test "a window needs a display" {
	for also in --show --script; do
		try env -u DISPLAY -u WAYLAND_DISPLAY plot-data --show $also -y dur_ns "$INPUTS/few.tskv"
		expect 1 '' 'plot-data: cannot open a window: there is no display (DISPLAY and WAYLAND_DISPLAY are not set); use -o FILE'
	done
}

@test "timeline: a row for each group by its beginning, a bar for each span" {
	{
		record ts=1795225110000000500 ev=x name=late dur_ns=100
		record ts=1795225110000001000 ev=x name=long dur_ns=900
		record ts=1795225110000001500 ev=x name=late dur_ns=100
		record ts=1795225110000001600 ev=x name=bad dur_ns=-5
	} >"$T/in"
	plot-data --kind timeline -g name --script "$T/in" >"$T/gp" 2>"$T/err"
	grep -q 'set ytics ("long" 0, "late" 1)' "$T/gp"
	[ "$(sed -n '/^\$spans/,/^END/p' "$T/gp" | awk 'NF == 3 && $1 != "$spans0" { printf "%d %.0f; ", $1, ($3 - $2) * 1e9 }')" = "1 100; 0 900; 1 100; " ]
	run -2 plot-data --kind timeline "$T/in"
	# That rows are left out is said, whatever the title is.
	for i in {10..99}; do record "ts=17952251100000010$i" ev=x "name=n$i" dur_ns="$i"; done >"$T/in"
	plot-data --kind timeline -g name --title T --script "$T/in" >"$T/gp" 2>"$T/err"
	grep -q '^set xlabel .*; the longest 44 of 90 rows)' "$T/gp"
}

@test "wrong usage" {
	for args in '--kind histogram' '--kind bar' '--kind histogram -y a -g b' '--kind bar -g a -x b' '-o x.gif' \
		'--size 10x10' '--size 100' '--kind usage -x cpu' '--format gif' '--kind spiral'; do
		# shellcheck disable=SC2086
		try plot-data $args </dev/null
		[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] || { echo "$args: $status $err"; return 1; }
	done
}

@test "real spans of a trace" {
	need gnuplot
	[ -x "$WEIR_BIN/spans" ] && [ -x "$WEIR_BIN/lttng-convert" ] || skip "spans or lttng-convert is not built"
	need_trace smoke
	lttng-convert "$trace/trace" 2>/dev/null | spans 2>/dev/null >"$T/spans"
	where ev=oncpu <"$T/spans" >"$T/oncpu"
	plot-data --kind usage -g comm --script "$T/oncpu" >"$T/gp"
	[ "$(for s in 0 1 2 3 4 5 6 7 8; do block flow0_$s <"$T/gp"; done | awk '{ n += $3 } END { printf "%d", n }')" = \
		"$(sed -n 's/.*\tdur_ns=\([0-9]*\).*/\1/p' "$T/oncpu" | awk '{ n += $1 } END { printf "%d", n }')" ]
	plot-data --kind dashboard -y dur_ns -g comm -o "$T/x.png" "$T/oncpu"
	[ -s "$T/x.png" ]
}

@test "a quantile that is an estimate says so, with no more digits than it knows" {
	need awk
	awk 'BEGIN { for (i = 1; i <= 300000; i++) printf "ts=%d\tev=a\tdur_ns=%d\n", 1795225295000000000 + i * 1000, 1000 + i * 7 % 100003 }' >"$T/in"
	head -n 1000 "$T/in" >"$T/few"
	plot-data --kind histogram -y dur_ns --script "$T/in" >"$T/many.gp" 2>/dev/null
	plot-data --kind histogram -y dur_ns --script "$T/few" >"$T/few.gp" 2>/dev/null
	grep -qE 'title "median ≈(50.[5-9]|51|51.[0-4]) µs"' "$T/many.gp"
	grep -qE 'title "mean (50.9[0-9]|51|51.0[0-9]) µs"' "$T/many.gp"
	grep -q 'title "median 4.503 µs"' "$T/few.gp"
	plot-data --kind table -y dur_ns -g ev --script "$T/in" 2>/dev/null | grep -c '"≈' >"$T/marked"
	[ "$(cat "$T/marked")" = 6 ]
}

@test "a heat map of one value shows it" {
	record ts=1795225295000000000 ev=a dur_ns=12345 >"$T/in"
	plot-data --kind heatmap -y dur_ns -o "$T/one.png" "$T/in"
	plot-data --kind heatmap -y dur_ns -o "$T/none.png" /dev/null
	need python3
	# Pixels of the cell: there, and of the least colour of the scale.
	python3 - "$T/one.png" <<-'E'
	import struct, sys, zlib
	data, at, raw = open(sys.argv[1], "rb").read(), 8, b""
	while at < len(data):
	    n, kind = struct.unpack(">I4s", data[at:at + 8])
	    if kind == b"IHDR": width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
	    if kind == b"IDAT": raw += data[at + 8:at + 8 + n]
	    at += n + 12
	size = {2: 3, 6: 4}[colour]
	raw, before, found = zlib.decompress(raw), bytearray(width * size), 0
	for y in range(height):
	    f, line = raw[y * (width * size + 1)], bytearray(raw[y * (width * size + 1) + 1:(y + 1) * (width * size + 1)])
	    for i in range(len(line)):
	        a = line[i - size] if i >= size else 0
	        b, c = before[i], before[i - size] if i >= size else 0
	        p = a + b - c
	        paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
	        line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[f]) & 255
	    found += sum(1 for x in range(int(width * 0.8)) if line[x * size + 2] < 80 and line[x * size + 1] > 150)
	    before = line
	assert found > 50, found
	E
}

@test "a pie: the key is as wide as its names, what is below zero has no slice" {
	record ts=1 ev=a comm=a v=300 >"$T/in"
	record ts=2 ev=a comm=b v=-100 >>"$T/in"
	record ts=3 ev=a comm=c v=100 >>"$T/in"
	plot-data --kind pie -y v -g comm --script "$T/in" >"$T/gp"
	grep -qF '"a".": 300 (75 \045)"' "$T/gp"
	grep -qF '"b".": -100 (no slice)"' "$T/gp"
	margin() { sed -nE 's/^set rmargin at screen ([0-9.]+)$/\1/p' "$1" | tail -n 1; }
	sed 's/comm=a/comm=a-name-of-thirty-characters-now/' "$T/in" | plot-data --kind pie -y v -g comm --script --size 500x400 >"$T/long"
	awk -v short="$(margin "$T/gp")" -v long="$(margin "$T/long")" 'BEGIN { exit !(short == 0.65 && long < 0.6 && long >= 0.4) }'
}

@test "a name is shown as it is: a digit behind a quote or a bracket, too" {
	need gnuplot
	for name in 'x"7' '50%100' 'b[2]3' "it's9"; do record ts=1 ev=a "comm=$name" v=300; done >"$T/in"
	plot-data --kind bar -y v -g comm --format text --size 80x20 -o - "$T/in" >"$T/out"
	for name in 'x"7' '50%100' 'b[2]3' "it's9"; do grep -qF " $name " "$T/out"; done
}
