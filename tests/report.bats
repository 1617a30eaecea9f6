#!/usr/bin/env bats
# SPDX-License-Identifier: MIT

load helper

setup_file() {
	trace=$(trace postgres) || return 0
	report -o "$BATS_FILE_TMPDIR/report" "$trace/trace" >"$BATS_FILE_TMPDIR/out" 2>"$BATS_FILE_TMPDIR/err"
	echo $? >"$BATS_FILE_TMPDIR/status"
	lttng-convert "$trace/trace" >"$BATS_FILE_TMPDIR/raw"
	spans "$BATS_FILE_TMPDIR/raw" >"$BATS_FILE_TMPDIR/spans" 2>/dev/null
}

setup() {
	R=$BATS_FILE_TMPDIR/report
}

@test "a report: status 0, the page's name on stdout, all its files" {
	[ "$(cat "$BATS_FILE_TMPDIR/status")" = 0 ]
	[ "$(cat "$BATS_FILE_TMPDIR/out")" = "$R/index.html" ]
	for file in index.html summary.txt trace.db cpu-usage.png runq-latency.png syscall-latency.png; do
		[ -s "$R/$file" ] || { echo "no $file"; false; }
	done
}

@test "the pictures are whole PNGs of 1200 x 800" {
	need python3
	for picture in "$R"/*.png; do
		python3 - "$picture" <<-'E'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND", "cut"
		assert struct.unpack(">II", data[16:24]) == (1200, 800)
		E
	done
}

@test "the summary tells what trace, where, when, how many events" {
	grep -q '^weir report: postgres$' "$R/summary.txt"
	grep -q 'ltvm' "$R/summary.txt"
	grep -q '6.1.0-56-amd64' "$R/summary.txt"
	grep -q '193,638 events' "$R/summary.txt"
	grep -q '2026-11-21 01:41:35' "$R/summary.txt"
}

@test "its figures are those of the records" {
	# The most frequent event, the process with most CPU time, and a system call, each counted by awk.
	awk -F'\t' '{ n[$2]++ } END { for (e in n) print n[e], substr(e, 4) }' "$BATS_FILE_TMPDIR/raw" |
		sort -rn | head -n 1 | {
		read -r count event
		grep -qE "^$event +$count " "$R/summary.txt"
	}
	awk -F'\t' '$2 == "ev=oncpu" { for (i = 3; i <= NF; i++) { p = index($i, "="); f[substr($i, 1, p - 1)] = substr($i, p + 1) }
		n[f["pid"] " " f["comm"]]++; s[f["pid"] " " f["comm"]] += f["dur_ns"] }
		END { for (g in s) print s[g], n[g], g }' "$BATS_FILE_TMPDIR/spans" | sort -rn | head -n 1 | {
		read -r _ slices pid comm
		grep -qE "^$pid +$comm +$slices " <(sed -n '/^CPU time/,/^Run-queue/p' "$R/summary.txt" | sed -n 5p)
	}
}

@test "the database has every span" {
	need sqlite3
	want=$(cut -f2 "$BATS_FILE_TMPDIR/spans" | sort | uniq -c | awk '{ sub("ev=", "", $2); print $2 "|" $1 }')
	got=$(for table in $(cut -d'|' -f1 <<<"$want"); do
		echo "$table|$(sqlite3 "$R/trace.db" "select count(*) from \"$table\"")"
	done)
	[ "$got" = "$want" ]
}

@test "records, compressed records and text give the same figures" {
	need zstd babeltrace2
	report -o "$T/records" "$BATS_FILE_TMPDIR/raw" >/dev/null
	zstd -q "$BATS_FILE_TMPDIR/raw" -o "$T/postgres.tskv.zst"
	report -o "$T/zst" "$T/postgres.tskv.zst" >/dev/null
	babeltrace2 --clock-seconds "$(trace postgres)/trace" >"$T/text"
	report -o "$T/from-text" "$T/text" >/dev/null
	for other in records zst; do
		diff <(sed -n '/^CPU time/,$p' "$R/summary.txt") <(sed -n '/^CPU time/,$p' "$T/$other/summary.txt")
	done
	# babeltrace2 2.0.4 prints an earlier text where a string is empty, so that a path may differ.
	diff <(sed -n '/^CPU time/,/^I.O by file/p; /^Critical/,$p' "$R/summary.txt") \
		<(sed -n '/^CPU time/,/^I.O by file/p; /^Critical/,$p' "$T/from-text/summary.txt")
}

@test "a report is never overwritten" {
	try report -o "$R" "$(trace postgres)/trace"
	expect 1 '' "report: cannot write $R: it holds a report already; remove it or name another with -o"
}

@test "what cannot be read: said, status 1, no empty report" {
	try report -o "$T/none" "$T/no-such-trace"
	expect 1 '' "report: cannot open $T/no-such-trace: No such file or directory"
	[ ! -e "$T/none" ]
	try report -o "$T/usage" a b
	expect 2 '' "report: it takes one trace, file or directory; see 'report --help'"
	try report --frobnicate a
	expect 2 '' "report: unknown option '--frobnicate'; see 'report --help'"
}

@test "the page: the summary, its headings as such, the pictures below what they are about" {
	need python3
	python3 - "$R" <<-'E'
	import html.parser, sys
	class Page(html.parser.HTMLParser):
	    text, tags, within, heads, pictures = "", [], None, [], {}
	    def handle_starttag(self, tag, attributes):
	        self.within = tag
	        if tag == "h2": self.heads.append("")
	        if tag == "img": self.pictures[self.heads[-1]] = dict(attributes)["src"]
	    def handle_endtag(self, tag): self.within = None
	    def handle_data(self, data):
	        if self.within == "h2": self.heads[-1] += data
	        if self.within in ("h2", "pre"): self.text += data + " "
	page = Page()
	page.feed(open(sys.argv[1] + "/index.html").read())
	summary = open(sys.argv[1] + "/summary.txt").read()
	lines = summary.split("\n")
	heads = [lines[i - 1] for i, l in enumerate(lines) if l and not l.strip("-")]
	assert page.heads == heads and len(heads) > 7, page.heads
	assert page.text.split() == [w for w in summary.split() if w.strip("-") or len(w) == 1]
	assert page.pictures == {"CPU time by process": "cpu-usage.png", "Run-queue latency by process": "runq-latency.png",
	                         "System calls by process": "syscall-latency.png"}
	E
	[ "$(sed -n '/^CPU contention/,/^CPU time/p' "$R/summary.txt" | wc -L)" -le 120 ]
}

@test "what a trace does not have, as one of user space, is no table and no picture but a list" {
	record ts=1795225295760917458 ev=lost n=1 source=c_0 >"$T/ust"
	record ts=1795225295760917458 ev=app:request cpu=0 n=1 >>"$T/ust"
	report -o "$T/report" "$T/ust" >/dev/null
	run ! grep -E '^(none|verdict.*)$' "$T/report/summary.txt"
	grep -qF 'LOST:    1 events in 1 place:' "$T/report/summary.txt"
	run ! grep '<img' "$T/report/index.html"
	sed -n '/^Not in this trace/,$p' "$T/report/summary.txt" | diff - <(printf '%s\n' 'Not in this trace' '-----------------' '' \
		'CPU time by process' 'Run-queue latency by process' 'System calls by process' 'I/O by file: calls that move bytes' \
		Interrupts)
}

@test "a broken trace is reported as far as it goes: status 1" {
	cp -r "$(trace smoke)/trace" "$T/broken"
	chmod -R u+w "$T/broken"
	truncate -s -100000 "$T/broken/kernel/ch0_1"
	rm -rf "$T/broken/kernel/index"
	try report -o "$T/report" "$T/broken"
	[ "$status" = 1 ] && [ -n "$err" ]
	[ -s "$T/report/index.html" ] && [ -s "$T/report/cpu-usage.png" ]
	grep -q 'sched_switch' "$T/report/summary.txt"
}

@test "a trace with a hostile name harms neither page nor terminal" {
	name=$T/$'<script>alert(1)</script>`touch x`$(touch y)\033[31m'
	mkdir -p "${name%/*}"
	ln -s "$(trace smoke)/trace" "$name"
	(cd "$T" && report -o "$T/report" "$name" >/dev/null)
	[ ! -e "$T/x" ] && [ ! -e "$T/y" ]
	run ! grep -q '<script>' "$T/report/index.html"
	run ! grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$T/report/index.html" "$T/report/summary.txt"
}

@test "--begin and --end" {
	report -o "$T/part" --begin 01:41:44 --end 01:41:45 "$(trace postgres)/trace" >/dev/null
	grep -q '2026-11-21 01:41:44' "$T/part/summary.txt"
	run ! grep -q '01:41:46' "$T/part/summary.txt"
	# Of records the same, in another form.
	lttng-convert "$(trace postgres)/trace" >"$T/part.tskv"
	report -o "$T/same" --begin 1795225304 --end 1795225305 "$T/part.tskv" >/dev/null
	diff <(sed '/^[a-z]*: /d; 1,/^$/d' "$T/part/summary.txt") <(sed '/^[a-z]*: /d; 1,/^$/d' "$T/same/summary.txt")
	[ "$(grep -E '^(time|events):' "$T/part/summary.txt")" = "$(grep -E '^(time|events):' "$T/same/summary.txt")" ]
}

@test "a full disk behind stdout: status 1, and it is said" {
	status=0
	err=$(report -o "$T/full" "$(trace smoke)/trace" 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [[ $err == *'No space left on device'* ]]
}

@test "a full disk in front of a report: what met it is said, and where" {
	[ "$(id -u)" = 0 ] || skip "mounting takes root"
	mkdir "$BATS_TEST_TMPDIR/full"
	mount -t tmpfs -o size=64k tmpfs "$BATS_TEST_TMPDIR/full" || skip "cannot mount"
	try report -o "$BATS_TEST_TMPDIR/full/r" "$(trace smoke)/trace"
	umount "$BATS_TEST_TMPDIR/full"
	[ "$status" = 1 ]
	[[ $err == *"to-sqlite: cannot write $BATS_TEST_TMPDIR/full/r/trace.db: "*full* ]]
	[[ $err == *"plot-data: cannot write $BATS_TEST_TMPDIR/full/r/cpu-usage.png.tmp: No space left on device"* ]]
}

@test "--help" {
	try report --help
	[ "$status" = 0 ] && [[ $out == 'report: what happened in a recorded trace'* ]] && [ -z "$err" ]
}

@test "off the CPUs: kernel threads that wait for work are left out, those that wait for a disk are not" {
	trace=$(trace callstack) || skip "trace callstack is not here"
	kallsyms=$(dirname "$WEIR_TRACES/x")/kallsyms.gz
	[ -e "$kallsyms" ] || skip "kallsyms.gz is not here"
	T=$BATS_TEST_TMPDIR
	flame --kind off-cpu --kallsyms "$kallsyms" --by comm,tid -o "$T/most" "$trace/trace" >/dev/null
	grep -q '^jbd2/vda-8;tid=[0-9]*;ret_from_fork;kthread;' "$T/most/stacks.folded"
	run ! grep -qE '^(ksoftirqd|migration|kcompactd)|;state=' "$T/most/stacks.folded"
	LC_ALL=C sort -c "$T/most/stacks.folded"
	# Nothing else is gone, and who asks for such a thread gets it.
	lttng-convert "$trace/trace" | spans -e blocked | where '!unfinished' 'state!=I' |
		fold-stacks --kallsyms "$kallsyms" -g comm,tid -w dur_ns >"$T/all"
	diff "$T/all" "$T/most/stacks.folded" | grep -v ';smpboot_thread_fn;\|;kcompactd;\|^[0-9]' | grep '^[<>]' && false
	flame --kind off-cpu --kallsyms "$kallsyms" --process ksoftirqd/0 "$trace/trace" | grep -q smpboot_thread_fn
}

@test "a trace with call stacks: its page has the flame graph of where threads slept" {
	trace=$(trace callstack) || skip "trace callstack is not here"
	need chromium python3
	T=$BATS_TEST_TMPDIR
	report -o "$T/report" --elf "contend=$trace/truth/contend.elf" --elf "$trace/truth/contend.elf" "$trace/trace" >/dev/null
	grep -q '^worker-3;start_thread;worker;unit;__lll_lock_wait;' "$T/report/off-cpu/stacks.folded"
	chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
		--disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$T/profile" --dump-dom "file://$T/report/index.html" >"$T/dom" 2>/dev/null
	grep -q '<title>__lll_lock_wait$' "$T/dom"
	# Its script ran: the picture is as wide as the page's text, not as it was written.
	width=$(sed -n 's/.*<svg[^>]* class="weir-flame" width="\([0-9]*\)".*/\1/p' "$T/dom")
	[ -n "$width" ] && [ "$width" != 1200 ]
	[ "$(grep -c 'class="weir-flame"' "$BATS_FILE_TMPDIR/report/index.html")" = 0 ]
}

@test "names for call stacks that are not there: that is said" {
	head -n 500 "$BATS_FILE_TMPDIR/raw" >"$BATS_TEST_TMPDIR/raw"
	try report -o "$BATS_TEST_TMPDIR/report" --elf x "$BATS_TEST_TMPDIR/raw"
	[ "$status" = 0 ] && [[ $err == *'--elf is of no use: the input has no call stacks'* ]]
}

@test "a directory without a trace: one line, and nothing is left behind" {
	mkdir "$T/empty"
	try report -o "$T/none" "$T/empty"
	expect 1 '' "lttng-convert: cannot find a trace in $T/empty: no metadata file with streams beside it is there or below"
	[ ! -e "$T/none" ]
}
