#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

# dom URL: the page as headless Chromium has it once its scripts have run.
dom() {
	mkdir -p "$T/profile"
	timeout 60 chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$T/profile" --dump-dom "$1" 2>/dev/null
}

# drive SVG [SCRIPT]: what the script (drive.js) says of it, one line each, as a picture of its own.
drive() {
	{
		sed '$d' "$1"
		echo '<script><![CDATA['
		cat "$TESTS/flame/${2:-drive.js}"
		echo ']]></script></svg>'
	} >"$T/driven.svg"
	dom "file://$T/driven.svg" | said
}

said() {
	python3 -c 'import html, re, sys; print(html.unescape(re.search("data-said=\"([^\"]*)\"", sys.stdin.read())[1]).replace("|", "\n"))'
}

sample() {
	printf '%s\n' 't;main;beta;gamma 1' 't;main;beta;op(x) 2' 't;main;delta 4'
}

# frames SVG: depth, x, width and name of each frame, from the picture's own attributes.
frames() {
	python3 - "$1" <<-'E'
	import sys, xml.etree.ElementTree as tree
	n = "{http://www.w3.org/2000/svg}"
	for depth, row in enumerate(tree.parse(sys.argv[1]).iter(n + "g")):
	    pass
	rows = [g for g in tree.parse(sys.argv[1]).iter(n + "g") if g.get("class") == "row"]
	for depth, row in enumerate(rows):
	    for g in row.findall(n + "g"):
	        rect = g.find(n + "rect")
	        print(depth, g.get("data-x"), g.get("data-w"), rect.get("x"), rect.get("width"),
	              ascii(g.find(n + "title").text.split("\n")[0]))
	E
}

@test "frames: weights, places and widths are exact" {
	need python3
	sample | plot-flame >"$T/x.svg"
	try frames "$T/x.svg"
	expect 0 "0 0 7 0% 100% 'all'
1 0 7 0% 100% 't'
2 0 7 0% 100% 'main'
3 0 3 0% 42.85714% 'beta'
3 3 4 42.85714% 57.14286% 'delta'
4 0 1 0% 14.28571% 'gamma'
4 1 2 14.28571% 28.57143% 'op(x)'" ''
}

# FlameGraph's own, which Debian has beside a profiler of Perl, or the reason why not. Sets $flamegraph.
need_flamegraph() {
	local place
	for place in "${FLAMEGRAPH:-/}" $(perl -e 'print map { "$_/Devel/NYTProf " } @INC'); do
		flamegraph=$place/flamegraph.pl
		[ ! -f "$flamegraph" ] || return 0
	done
	flamegraph=$(command -v flamegraph.pl) || skip 'flamegraph.pl is not installed (FLAMEGRAPH=DIRECTORY)'
}

@test "flamegraph.pl draws the same frames, as wide, at the same places" {
	need perl python3
	need_flamegraph
	python3 - >"$T/random" <<-'E'
	import random
	random.seed(5)
	for n in range(3000):
	    print(";".join(random.choice("abc") + random.choice("xyz<>&") for _ in range(6)), random.randint(1, 99))
	E
	fold-stacks "$T/random" >"$T/random.folded"
	fold-stacks "$TESTS/data/perf-script.txt" >"$T/perf.folded" 2>/dev/null
	for which in random perf; do
		plot-flame --min-width 0 "$T/$which.folded" >"$T/ours.svg"
		perl "$flamegraph" --minwidth 0 --width 100000 "$T/$which.folded" >"$T/theirs.svg"
		python3 - "$T" "$which" <<-'E'
		import html, re, sys
		place, which = sys.argv[1:]
		theirs, ours = open(place + "/theirs.svg").read(), open(place + "/ours.svg").read()
		def name(text):  # theirs shows no angle brackets and undoes no escapes
		    text = re.sub(r"\\x(..)", lambda m: chr(int(m[1], 16)), html.unescape(text))
		    return text.translate({ord("<"): "(", ord(">"): ")"})
		found = re.findall(r'<title>(.*) \(([\d,]+) samples, [^<]*</title><rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"', theirs)
		assert len(found) == theirs.count("<title>")
		pixels = max(float(f[4]) for f in found)
		base = max(float(f[3]) for f in found)
		frames = [(int((base - float(y)) / 16), name(title), int(n.replace(",", "")), float(x) - 10, float(width))
		          for title, n, x, y, width in found]
		mine = []
		for depth, row in enumerate(ours.split('<g class="row"')[1:]):
		    for x, w, title in re.findall(r'data-x="(\d+)" data-w="(\d+)"><title>(.*)\n', row):
		        mine.append((depth, name(title), int(w), int(x), int(w)))
		scale = pixels / mine[0][2]
		assert len(mine) == len(frames) > (100 if which == "perf" else 3000)
		for a, b in zip(sorted(mine), sorted(frames)):
		    assert a[:3] == b[:3] and abs(a[4] * scale - b[4]) < 0.2, (a, b)
		    # What a frame has itself is on its left there, on its right here: perf's places differ.
		    assert which == "perf" or abs(a[3] * scale - b[3]) < 0.2, (a, b)
		E
	done
}

@test "any stacks, in any order: each frame weighs what its lines do (seed 3)" {
	need python3
	python3 - "$T" <<-'E'
	import collections, random, sys
	random.seed(3)
	weight = collections.Counter()
	lines = []
	for n in range(4000):
	    stack = [random.choice("abcd") + random.choice(["", "1", "\\x20x"]) for _ in range(random.randint(1, 7))]
	    w = random.randint(1, 1000)
	    lines.append("%s %d" % (";".join(stack), w))
	    stack = ["all"] + [f.replace("\\x20", " ") for f in stack]
	    for d in range(len(stack)):
	        weight[tuple(stack[:d + 1])] += w
	open(sys.argv[1] + "/in", "w").write("\n".join(lines) + "\n")
	# Laid out as the definition says: children by name, side by side.
	out, place = [], {("all",): 0}
	by_parent = collections.defaultdict(list)
	for path in weight:
	    by_parent[path[:-1]].append(path)
	for path in sorted(weight, key=len):
	    x = place[path]
	    out.append((len(path) - 1, x, weight[path], path[-1]))
	    for child in sorted(by_parent[path], key=lambda p: p[-1]):
	        place[child] = x
	        x += weight[child]
	with open(sys.argv[1] + "/want", "w") as f:
	    for row in sorted(out):
	        print(*row[:3], ascii(row[3]), file=f)
	E
	plot-flame --min-width 0 "$T/in" >"$T/x.svg"
	frames "$T/x.svg" | cut -d' ' -f1-3,6- >"$T/got"
	cmp "$T/got" "$T/want"
	sort -R --random-source=<(yes) "$T/in" | plot-flame --min-width 0 | cmp - "$T/x.svg"
}

@test "narrow frames are left out, and it is said" {
	{ echo 'a;wide 1000000'; echo 'a;thin 1'; echo 'a;wide;deep 3'; } | plot-flame >"$T/x.svg"
	grep -q '1,000,004 samples, 2 frames (2 narrower than 0.1 px are left out)' "$T/x.svg"
	run ! grep -q '<title>thin$' "$T/x.svg"
	{ echo 'a;wide 1000000'; echo 'a;thin 1'; } | plot-flame --min-width 0 >"$T/x.svg"
	grep -q '<title>thin$' "$T/x.svg"
	run ! grep -q 'left out' "$T/x.svg"
}

@test "units and titles" {
	echo 'a;b 1234567' | plot-flame -u us --title 'a <b> & "c"' >"$T/x.svg"
	grep -q '>1.23 s, 2 frames<' "$T/x.svg" && grep -q '>a &lt;b&gt; &amp; &quot;c&quot;<' "$T/x.svg"
	echo 'a;b 1234567' | plot-flame -u faults | grep -q '>1,234,567 faults, 2 frames<'
	echo 'a;b 2097152' | plot-flame -u bytes | grep -q '>2.00 MiB, 2 frames<'
}

@test "differences: shares of the whole, signed; what is gone is told" {
	need python3
	printf '%s\n' 'm;a 10' 'm;b 10' 'm;gone 20' >"$T/before"
	printf '%s\n' 'm;a 150' 'm;b 50' >"$T/after"
	plot-flame --diff "$T/before" "$T/after" >"$T/x.svg"
	grep -A2 '<title>a$' "$T/x.svg" | grep -q '^+50.00 points: it was 10 samples, 25.00 %</title>'
	grep -A2 '<title>b$' "$T/x.svg" | grep -q '^+0.00 points: it was 10 samples, 25.00 %</title>'
	grep -q '; 50.00 % of before was in frames that are gone<' "$T/x.svg"
	# a: red. b: no difference. More of a means less of others only where those are drawn.
	grep -A2 '<title>a$' "$T/x.svg" | grep -q 'fill="#ee5a4a"'
	grep -A2 '<title>b$' "$T/x.svg" | grep -q 'fill="#e4e4e4"'
	plot-flame --diff "$T/after" "$T/before" | grep -A2 '<title>a$' | grep -q 'fill="#5b90f0"'
	plot-flame --absolute --diff "$T/before" "$T/after" | grep -A2 '<title>b$' | grep -q '^40 samples: it was 10 samples'
	# Nothing changed: nothing has a colour.
	plot-flame --diff "$T/after" "$T/after" >"$T/same.svg"
	[ "$(grep -o '<rect x="[0-9.]*%" [^>]*fill="#[0-9a-f]*"' "$T/same.svg" | grep -o 'fill=.*' | sort -u)" = 'fill="#e4e4e4"' ]
	try plot-flame --absolute "$T/after"
	[ "$status" = 2 ]
}

@test "refused lines are counted, the others drawn; weights have a bound" {
	printf 'a 1\nnothing\nb x\n' >"$T/in"
	try plot-flame "$T/in"
	[ "$status" = 1 ] && [[ $out == *'<title>a'* ]]
	[ "$err" = "plot-flame: refused 2 of 3 lines: it does not end in a number (first $T/in:2)" ]
	printf 'a 9223372036854775807\nb 1\n' >"$T/in"
	try plot-flame "$T/in"
	[ "$status" = 1 ] && [[ $err == *'refused 1 of 2 lines: the weights together pass 2^63'* ]]
	try plot-flame </dev/null
	[ "$status" = 0 ] && [[ $out == *'no stacks'* ]] && [ "$err" = 'plot-flame: no stacks: the picture is empty' ]
}

@test "in a browser: hover, zoom, search, keys; alone and within a page" {
	need chromium python3
	sample | plot-flame >"$T/x.svg"
	cat >"$T/want" <<-'E'
	hover=beta  ·  3 samples, 42.86 %
	zoomed=100% main 100%
	inside=0% 33.33333333333333%
	others=true true
	reset=42.857142857142854% false
	found=matched: 71.43 % (2 frames) 2
	literal=matched: 28.57 % (1 frames)
	cleared=0
	selected=delta  ·  4 samples, 57.14 %
	beside=beta  ·  3 samples, 42.86 %
	entered=beta
	pwned=false
	E
	drive "$T/x.svg" >"$T/got"
	diff <(cat "$T/want"; echo alone=true) "$T/got"
	sample | plot-flame --icicle >"$T/icicle.svg"
	# The same page may hold several: each minds its own frames.
	{
		echo '<!doctype html><meta charset="utf-8"><title>page</title><p>A page.</p>'
		sed 1d "$T/x.svg"
		sed 1d "$T/icicle.svg"
		echo '<script>'
		cat "$TESTS/flame/drive.js"
		echo '</script>'
	} >"$T/page.html"
	dom "file://$T/page.html" | said >"$T/got"
	diff <(cat "$T/want"; echo alone=false) "$T/got"
}

@test "taller than the window: it opens at its root, and head and foot stay in sight" {
	need chromium python3
	printf 'a%s 1\n' "$(printf ';f%s' {1..90})" >"$T/in"
	for form in '' --icicle; do
		# shellcheck disable=SC2086
		plot-flame $form "$T/in" >"$T/x.svg"
		try drive "$T/x.svg" tall.js
		expect 0 $'true\ntrue\ntrue\ntrue' ''
	done
}

@test "hostile names are text: nothing runs, nothing breaks out, nothing is hidden" {
	need chromium python3
	{
		printf '%s 5\n' '<script>window.pwned=true</script>;]]></title><script>window.pwned=true</script>' \
			'x"_onload="window.pwned=true;a\x3bb;\x1b[31mred\x00' $'bad\xff\xfe;rtl\xe2\x80\xae;\xef\xbf\xbe;\xe6\x97\xa5' \
			"<img/src=x/onerror='window.pwned=true'>;&lt\x3bamp&amp\x3b"
		sample
	} >"$T/in"
	plot-flame --title '</title><script>window.pwned=true</script>' "$T/in" >"$T/x.svg"
	frames "$T/x.svg" | cut -d' ' -f6- | sort -u >"$T/names"
	for name in "'<script>window.pwned=true</script>'" "']]></title><script>window.pwned=true</script>'" "'a;b'" \
		"'\\\\x1b[31mred\\\\x00'" "'bad\\\\xff\\\\xfe'" "'rtl\\\\xe2\\\\x80\\\\xae'" "'\\\\xef\\\\xbf\\\\xbe'" "'\\u65e5'" "'&lt;amp&amp;'"; do
		grep -qxF -- "$name" "$T/names" || { echo "not there: $name"; cat "$T/names"; false; }
	done
	run ! grep -qaP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]' "$T/x.svg"
	drive "$T/x.svg" | grep -x pwned=false
	# One script element: ours.
	[ "$(grep -c '<script' "$T/x.svg")" = 1 ]
	{ echo '<!doctype html><meta charset="utf-8">'; sed 1d "$T/x.svg"; echo '<script>'; cat "$TESTS/flame/drive.js"; echo '</script>'; } >"$T/page.html"
	dom "file://$T/page.html" | said | grep -x pwned=false
}
