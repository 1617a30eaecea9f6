#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The pipelines that answer one question each.

load helper

# Each with the mode and options that it needs.
all=(cputop schedstats schedtop schedlog schedfreq syscallstats 'iolatency stats' 'iolatency top' 'iolatency log'
	'iolatency freq' iousagetop irqstats irqlog irqfreq 'memtop pages' 'memtop rss'
	'periods stats --start sched_waking --stop sched_switch --key payload.tid=next_tid'
	syscalls cpu-usage process-info io-analysis)

# lines FORMAT KEY...: of records, the values of the keys in an awk printf.
lines() {
	awk -F'\t' -v format="$1" -v keys="${*:2}" '{
		delete f
		for (i = 1; i <= NF; i++) { p = index($i, "="); f[substr($i, 1, p - 1)] = substr($i, p + 1) }
		n = split(keys, key, " ")
		line = ""
		for (i = 1; i <= n; i++) line = line (i > 1 ? " " : "") f[key[i]]
		print line
	}'
}

setup_file() {
	trace=$(trace postgres) || return 0
	lttng-convert "$trace/trace" >"$BATS_FILE_TMPDIR/raw"
	spans "$BATS_FILE_TMPDIR/raw" >"$BATS_FILE_TMPDIR/spans" 2>/dev/null
}

# need_peer COMMAND: skip where lttng-analyses is not installed or cannot run.
need_peer() {
	need "$1"
	"$1" --version >/dev/null 2>&1 || skip "$1 does not run here"
}
peer() {
	PYTHONIOENCODING=utf8 "$1" --no-progress --skip-validation "${@:2}"
}

@test "every pipeline tells its version, by its own name" {
	for file in "$TESTS"/../pipelines/*; do
		name=${file##*/}
		[ -f "$file" ] && [[ $name != *.* ]] || continue
		try "$name" --version
		[ "$status" = 0 ] && [[ $out == "$name (weir) "* ]] && [ -z "$err" ] || { echo "$name: $out$err"; false; }
	done
}

@test "each says its question, usage and how to read the answer" {
	for command in "${all[@]}"; do
		name=${command%% *}
		try "$name" --help
		[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == "$name: "*"?"*"usage: $name "*--begin*--process*"How to read it: "*examples:* ]] ||
			{ echo "$name: $out"; false; }
		[[ $(sed -n 1p <<<"$out") == *'?' ]]
		run ! grep -qx '\[options\]' <<<"$out"
		try "$name" --version
		[ "$status" = 0 ] && [[ $out == "$name (weir) "* ]]
	done
}

@test "each: wrong usage has status 2, one line, nothing on stdout" {
	for command in "${all[@]}"; do
		for wrong in --frobnicate 'a b' '--end='; do
			# shellcheck disable=SC2086
			try $command $wrong </dev/null
			[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "${command%% *}: "*"--help'" ]] ||
				{ echo "$command $wrong: $status $out $err"; false; }
		done
		# shellcheck disable=SC2086
		try $command "$T/none"
		expect 1 '' "${command%% *}: cannot open $T/none: No such file or directory"
	done
	for command in iolatency memtop periods; do
		try $command "$T"
		[ "$status" = 2 ] && [[ $err == "$command: it begins with one of "* ]]
	done
	for wrong in '--top x' '--top 0' '--pid 1,x' '--begin never' '--begin +x' '--begin +1s' --process '--by 1a' '-o xml'; do
		# shellcheck disable=SC2086
		try cputop $wrong </dev/null
		[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "cputop: "*"--help'" ]] ||
			{ echo "$wrong: $status $out $err"; false; }
	done
	try periods stats --start a </dev/null
	[ "$status" = 2 ]
	# A value may be attached to its option, as the C programs take it.
	echo 'ts=1 ev=oncpu cpu=0 pid=1 tid=1 comm=a dur_ns=1 why=sleep' | tr ' ' '\t' >"$T/one.tskv"
	try cputop -o csv --top 1 "$T/one.tskv"
	want=$out
	try cputop -ocsv --top=1 "$T/one.tskv"
	[ "$status" = 0 ] && [ "$out" = "$want" ]
	for one in 'batch -j0 x' 'batch --retries=0 x' 'http-monitor --slowest=0 x' 'monitor-demo -d0' 'report -o' 'top-live -i0' \
		'load-clickhouse --port=0 x' 'job-monitor --usage=x true' 'http-flame -d'; do
		# shellcheck disable=SC2086
		try $one
		[ "$status" = 2 ] && [[ $err != *'unknown option'* ]] || { echo "$one: $status $err"; false; }
	done
	try cputop -o xml </dev/null
	expect 2 '' "cputop: cannot write 'xml': there are table, tskv, csv and json; see 'cputop --help'"
	try cputop "$T" --top 3
	expect 2 '' "cputop: cannot take --top behind '$T': options come first; see 'cputop --help'"
	try syscalls -o csv </dev/null
	expect 2 '' "syscalls: cannot write 'csv': there are table and tskv; see 'syscalls --help'"
}

@test "each: nothing in, nothing out; that nothing was found is said" {
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		try $command </dev/null
		[ "$status" = 0 ] && [ -z "$out" ] && [[ $err == "${command%% *}: nothing found: "* && $err != *$'\n'* ]] ||
			{ echo "$command: $status $out $err"; false; }
	done
	# Of other events: the same, once.
	record ts=1 ev=app:other n=1 >"$T/other"
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		try $command "$T/other"
		[ "$status" = 0 ] && [ -z "$out" ] && [[ $err == "${command%% *}: nothing found: "* && $err != *$'\n'* ]] ||
			{ echo "$command: $status $out $err"; false; }
	done
	# It may be there, but not within what was asked for.
	try cputop --process nobody --end 2026-11-22T00:00:00 </dev/null
	expect 0 '' 'cputop: nothing found: no sched_switch event is there, or none is left by --end and --process'
}

@test "traces without contexts, by each awk: who it was is not known, and nothing else is wrong" {
	need_trace smoke
	lttng-convert "$trace/trace" 2>/dev/null |
		sed 's/\tcomm=[^\t]*//; s/\tpid=[0-9]*//; s/\t\(prev\|next\|payload.\|child\|parent\)_\?comm=[^\t]*//g' >"$T/bare"
	mkdir "$T/bin"
	for awk in mawk gawk; do
		command -v $awk >/dev/null || continue
		ln -sf "$(command -v $awk)" "$T/bin/awk"
		for command in syscalls cpu-usage process-info io-analysis; do
			PATH=$T/bin:$PATH try "$command" "$T/bare"
			[ "$status" = 0 ] && ! grep -qv '^spans: ' <<<"$err" || { echo "$awk $command: $status $err"; false; }
			printf '%s\n' "$out" >"$T/$command.$awk"
		done
	done
	[ ! -e "$T/cpu-usage.gawk" ] || [ ! -e "$T/cpu-usage.mawk" ] || diff "$T/cpu-usage.mawk" "$T/cpu-usage.gawk"
}

@test "cpu-usage: what a thread did before its process was known is its process's" {
	need_trace postgres
	cpu-usage "$trace/trace" 2>/dev/null >"$T/out"
	sed -n '/Summary/,$p' "$T/out" >"$T/summary"
	run ! grep -q "TID:" "$T/summary"
	[ "$(awk '{ for (i = 1; i < NF; i++) if ($i == "waited") s += $(i + 1) } END { printf "%.0f", s }' "$T/summary")" = \
		"$(lttng-convert "$trace/trace" 2>/dev/null | spans -e runq 2>/dev/null | stats -a sum -o tskv dur_ns | grep -o '[0-9]*$')" ]
}

@test "each: the reader that has enough ends it silently; a full disk does not" {
	need_trace smoke
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		err=$({ timeout 60 $command "$trace/trace" 2>&3 | head -n 1 >/dev/null; } 3>&1)
		rest=$(grep -vE 'unpaired|known for|left out|nothing found' <<<"$err") || true
		[ -z "$rest" ] || { echo "$command: $rest"; false; }
	done
	status=0
	err=$(schedlog "$trace/trace" 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [[ $err == *'No space left on device'* ]]
}

@test "each: loss is said once; with --strict the status is 3" {
	need_trace smoke
	# A gap at the end leaves spans to be told.
	{
		lttng-convert "$trace/trace" | sed -n 1,4000p
		record ts=1795225029000000000 ev=lost cpu=0 n=17 source=ch0_0
	} >"$T/raw"
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		try $command "$T/raw"
		[ "$status" = 0 ] && [ "$(grep -c '17 events were lost' <<<"$err")" = 1 ] || { echo "$command: $status $err"; false; }
	done
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		try $command --strict "$T/raw"
		[ "$status" = 3 ] || { echo "$command: $status $err"; false; }
	done
}

@test "each: -o tskv is records; of those whose table is lines, what the lines tell of" {
	need_trace postgres
	for command in "${all[@]}"; do
		# shellcheck disable=SC2086
		$command -o tskv --top 3 "$BATS_FILE_TMPDIR/raw" 2>/dev/null >"$T/got"
		[ "$(where ts ev <"$T/got" | cmp - "$T/got")" = '' ] && [ -s "$T/got" ] ||
			[[ $command = memtop* ]] || { echo "$command"; false; }
	done
	cpu-usage -o tskv --process postgres "$BATS_FILE_TMPDIR/raw" 2>/dev/null >"$T/got"
	where ev=oncpu,runq,blocked '!unfinished' comm=postgres <"$BATS_FILE_TMPDIR/spans" | cmp - "$T/got"
	process-info -o tskv "$BATS_FILE_TMPDIR/raw" 2>/dev/null >"$T/got"
	where ev=fork,exec,exit,syscall '!unfinished' <"$BATS_FILE_TMPDIR/spans" | cmp - "$T/got"
	[ "$(syscalls -o tskv --process postgres "$BATS_FILE_TMPDIR/raw" 2>/dev/null | lines '%s %s' name count | sort)" = \
		"$(syscalls --process postgres "$BATS_FILE_TMPDIR/raw" 2>/dev/null | sed -n '2,/^$/p' | awk 'NF { print $2, $3 }' | sort)" ]
	[ "$(io-analysis -o tskv --process postgres "$BATS_FILE_TMPDIR/raw" 2>/dev/null | wc -l)" = \
		"$(io-analysis --process postgres "$BATS_FILE_TMPDIR/raw" 2>/dev/null | grep -c '^Result: ')" ]
}

@test "each: a broken input has status 1, and what was good is told" {
	need_trace smoke
	lttng-convert "$trace/trace" >"$T/raw"
	{ cat "$T/raw"; echo 'no record'; } >"$T/bad"
	for command in cputop schedstats irqlog 'iolatency stats' cpu-usage; do
		# shellcheck disable=SC2086
		try $command "$T/bad"
		[ "$status" = 1 ] && [ -n "$out" ] && [ "$(grep -c 'not a record' <<<"$err")" = 1 ] || { echo "$command: $status $err"; false; }
	done
}

@test "hostile names reach no shell and no terminal" {
	{
		name='$(touch x1)`touch x2`;touch x3 %s \x1b[31m*'
		t=1795225110000000000
		record ts=$t ev=sched_switch cpu=0 prev_comm=swapper prev_tid=0 prev_state=0 "next_comm=$name" next_tid=5
		record ts=$((t + 10)) ev=syscall_entry_read cpu=0 pid=5 tid=5 "comm=$name" fd=0
		record ts=$((t + 20)) ev=irq_handler_entry cpu=0 pid=5 tid=5 "comm=$name" irq=1 "name=$name"
		record ts=$((t + 30)) ev=irq_handler_exit cpu=0 pid=5 tid=5 "comm=$name" irq=1 ret=1
		record ts=$((t + 40)) ev=syscall_exit_read cpu=0 pid=5 tid=5 "comm=$name" ret=1
		record ts=$((t + 50)) ev=sched_process_fork cpu=0 pid=5 tid=5 "comm=$name" child_tid=6 child_pid=6 "child_comm=$name"
		record ts=$((t + 60)) ev=sched_switch cpu=0 pid=5 tid=5 "comm=$name" "prev_comm=$name" prev_tid=5 prev_state=0 next_comm=$'\xc2\x9b31m' next_tid=7
		record ts=$((t + 70)) ev=sched_switch cpu=0 prev_comm=$'\xc2\x9b31m' prev_tid=7 prev_state=1 "next_comm=$name" next_tid=5
	} >"$T/raw"
	cd "$T"
	for command in "${all[@]}"; do
		for form in table tskv; do
			[ $form = table ] || [[ " cputop schedlog irqstats " == *" $command "* ]] || continue
			case $command in syscalls | cpu-usage | process-info | io-analysis) options=() ;; *) options=(-o "$form") ;; esac
			# shellcheck disable=SC2086
			try $command "${options[@]}" --process '$(touch x4)`touch x5`;touch x6 %s '$'\x1b''[31m*' "$T/raw"
			[ "$status" = 0 ] || { echo "$command: $err"; false; }
			case $command in memtop* | iousage* | periods*) ;; *) run ! grep -q ';touch x3' "$T/try.out" ;; esac
			# shellcheck disable=SC2086
			try $command "${options[@]}" "$T/raw"
			[ "$status" = 0 ] || { echo "$command: $err"; false; }
			run ! grep -qaP '[\x00-\x08\x0b-\x1f\x7f]' "$T/try.out" "$T/try.err"
			[ $form = tskv ] || run ! grep -qa $'\xc2\x9b' "$T/try.out" "$T/try.err"
		done
	done
	[ -z "$(find . -name 'x*')" ]
	# The name is one value, to the byte.
	[ "$(cputop -o tskv --process $'$(touch x1)`touch x2`;touch x3 %s \e[31m*' "$T/raw" | lines %s tid)" = 5 ]
}

@test "a trace, records, spans, compressed, text, stdin: the same table" {
	need_trace postgres
	need zstd babeltrace2
	schedstats "$trace/trace" >"$T/want" 2>/dev/null
	zstd -q "$BATS_FILE_TMPDIR/raw" -o "$T/raw.zst"
	babeltrace2 --clock-seconds "$trace/trace" >"$T/text"
	for input in "$BATS_FILE_TMPDIR/raw" "$BATS_FILE_TMPDIR/spans" "$T/raw.zst" "$T/text"; do
		diff "$T/want" <(schedstats "$input" 2>/dev/null) || { echo "$input"; false; }
	done
	diff "$T/want" <(schedstats <"$BATS_FILE_TMPDIR/raw" 2>/dev/null)
	diff "$T/want" <(schedstats <(cat "$BATS_FILE_TMPDIR/raw") 2>/dev/null)
}

@test "goldens" {
	need_trace contend
	golden pipelines/cputop cputop --top 5 "$trace/trace"
	golden pipelines/cputop-window cputop --by cpu --begin +1s --end +1.5s -o csv "$trace/trace"
	golden pipelines/schedstats schedstats --process contend "$trace/trace"
	golden pipelines/schedtop schedtop --top 3 -o csv "$trace/trace"
	golden pipelines/syscallstats syscallstats --process contend --by name "$trace/trace"
	golden pipelines/irqstats irqstats "$trace/trace"
	golden pipelines/irqfreq irqfreq --by name -o tskv "$trace/trace"
	golden pipelines/process-info process-info --process bash "$trace/trace"
}

@test "cputop: time by thread is that of sched_switch, by awk" {
	need_trace postgres
	awk -F'\t' '{ last = substr($1, 9) + 0 } $2 == "ev=sched_switch" {
		for (i = 1; i <= NF; i++) { p = index($i, "="); f[substr($i, 1, p - 1)] = substr($i, p + 1) }
		t = substr(f["ts"], 6) + 0; c = f["cpu"]
		if (c in since && f["prev_tid"] != 0) { sum[f["prev_tid"]] += t - since[c] }
		since[c] = t; on[c] = f["next_tid"] }
		END { for (c in since) if (on[c] != 0) sum[on[c]] += last - since[c]; for (k in sum) if (sum[k]) printf "%d %d\n", k, sum[k] }' \
		"$BATS_FILE_TMPDIR/raw" | sort >"$T/want"
	cputop --by tid --top 999 -o tskv "$BATS_FILE_TMPDIR/raw" >"$T/got"
	[ "$(wc -l <"$T/want")" -gt 50 ]
	diff <(lines %s tid time_ns <"$T/got" | sort) "$T/want"
}

@test "cputop: the parts of a window add up, whatever crosses their edges" {
	need_trace postgres
	total=$(cputop --by cpu -o tskv --begin 01:41:40 --end 01:41:46 "$trace/trace" | lines %s cpu time_ns | sort)
	parts=$(for s in 0 1 2 3 4 5; do
		cputop --by cpu -o tskv --begin "01:41:4$s" --end "01:41:4$((s + 1))" "$trace/trace"
	done | lines %s cpu time_ns | awk '{ sum[$1] += $2 } END { for (c in sum) printf "%d %d\n", c, sum[c] }' | sort)
	[ "$total" = "$parts" ]
	# The window is that of all, also where one process is asked for.
	[ "$(cputop --process pgbench -o tskv "$trace/trace" | lines %s tid percent)" = \
		"$(cputop --top 999 -o tskv "$trace/trace" | where comm=pgbench | lines %s tid percent)" ]
}

@test "--begin and --end: a moment in all its forms" {
	local t=1795225110 form
	for form in 1 2 3; do record ts=$((t + form))500000000 ev=oncpu cpu=0 tid=$form comm=x dur_ns=7; done >"$T/in"
	sed s/oncpu/runq/ "$T/in" >"$T/runq"
	for form in "$((t + 2)) $((t + 3))" "$((t + 2)).0 $((t + 2)).5" "$((t + 2))000000000 $((t + 3))000000000" \
		"2026-11-21T01:38:32 2026-11-21T01:38:33Z" "01:38:32 1:38:33" "+0.9s +1.5" "+500ms +1s"; do
		[ "$(schedlog --begin "${form% *}" --end "${form#* }" -o tskv "$T/runq" | lines %s tid)" = 2 ] || { echo "$form"; false; }
		[ "$(cputop --begin "${form% *}" --end "${form#* }" -o tskv "$T/in" | lines %s tid)" = 2 ] || { echo "$form"; false; }
	done
	try schedlog --begin 01:38:32 /dev/null
	expect 0 '' 'schedlog: nothing found: no sched_switch and sched_wakeup events are there, or none is left by --begin'
}

@test "cputop agrees with lttng-cputop, but for what ran before the first switch" {
	need_peer lttng-cputop
	need_trace redis
	peer lttng-cputop --limit 1000 "$trace/trace/kernel" |
		sed -nE 's/.* ([0-9.]+) % .*\(([0-9]+)\).*/\2 \1/p' | sort >"$T/theirs"
	cputop --by tid --top 999 -o tskv "$trace/trace" | lines %s tid time_ns window_ns | sort >"$T/ours"
	# Theirs is a part of the whole trace, rounded to 0.01 %.
	lttng-convert -e sched_switch "$trace/trace" | lines %s cpu prev_tid | awk '!($1 in seen) { seen[$1]; print $2 }' >"$T/before"
	join "$T/theirs" "$T/ours" | awk 'NR == FNR { before[$1]; next } !($1 in before)' "$T/before" - | awk '{ d = $2 - 100 * $3 / $4; if (d < 0) d = -d; if (d > 0.05) { print; bad = 1 } }
		END { exit bad || NR < 20 }'
}

@test "syscallstats: counts, minima and maxima are those of lttng-syscallstats" {
	need_peer lttng-syscallstats
	need_trace postgres
	peer lttng-syscallstats "$trace/trace/kernel" | awk '
		/TID:/ { match($0, /TID: [0-9]+/); tid = substr($0, RSTART + 5, RLENGTH - 5) }
		/^ - / { printf "%s %s %d %.0f %.0f\n", tid, $2, $3, $4 * 1000, $6 * 1000 }' | sort >"$T/theirs"
	syscallstats --by tid,name -o tskv "$trace/trace" 2>/dev/null | lines %s tid name count min max | sort >"$T/ours"
	[ "$(wc -l <"$T/theirs")" -gt 800 ]
	diff "$T/ours" "$T/theirs"
}

@test "iolatency and irqstats: figures are those of lttng-iolatencystats and lttng-irqstats" {
	need_peer lttng-iolatencystats
	need_trace postgres
	peer lttng-iolatencystats "$trace/trace/kernel" |
		awk '/^(Read|Write|Sync|\(254,0\)) / { printf "%s %d %.0f %.0f %.0f %.0f\n", tolower($1), $2, $3 * 1000, $4 * 1000, $5 * 1000, $6 * 1000 }' >"$T/theirs"
	for op in read write sync; do
		iolatency stats --op $op --by ev -o tskv "$trace/trace" 2>/dev/null | lines %s count min mean max stddev |
			awk -v op=$op '{ printf "%s %d %d %.0f %d %.0f\n", op, $1, $2, $3, $4, $5 }'
	done >"$T/ours"
	# Theirs are without requests that move nothing.
	where 'bytes>0' <"$BATS_FILE_TMPDIR/spans" | iolatency stats --op disk --by dev -o tskv |
		lines '%s' count min mean max stddev | awk '{ printf "(254,0) %d %d %.0f %d %.0f\n", $1, $2, $3, $4, $5 }' >>"$T/ours"
	[ "$(wc -l <"$T/theirs")" = 4 ]
	# Theirs is rounded to microseconds' thousandths.
	paste -d' ' "$T/ours" "$T/theirs" | awk '{ for (i = 2; i <= 6; i++) { d = $i - $(i + 6); if (d > 1 || d < -1) { print; exit 1 } } }'
	peer lttng-irqstats "$trace/trace/kernel" |
		sed -nE 's/^([0-9]+): +<.*> +([0-9]+) +([0-9.]+) +[0-9.]+ +([0-9.]+) .*/\1 \2 \3 \4/p' |
		awk '{ printf "%d %d %.0f %.0f\n", $1, $2, $3 * 1000, $4 * 1000 }' | sort >"$T/theirs"
	irqstats -o tskv "$trace/trace" | where ev=irq | lines %s irq count min max | sort >"$T/ours"
	[ "$(wc -l <"$T/theirs")" = 4 ]
	diff "$T/ours" "$T/theirs"
}

@test "schedstats, schedtop, schedlog, schedfreq count the same waits, those of spans" {
	need_trace postgres
	where ev=runq !unfinished <"$BATS_FILE_TMPDIR/spans" >"$T/waits"
	n=$(wc -l <"$T/waits")
	[ "$(schedstats -o tskv "$trace/trace" | lines %s count | awk '{ n += $1 } END { print n }')" = "$n" ]
	[ "$(schedlog -o tskv "$trace/trace" | wc -l)" = "$n" ]
	[ "$(schedfreq -o tskv "$trace/trace" | lines %s count | awk '{ n += $1 } END { print n }')" = "$n" ]
	diff <(schedtop --top 50 -o tskv "$trace/trace" | lines %s dur_ns) <(lines %s dur_ns <"$T/waits" | sort -rn | sed -n 1,50p)
	diff <(schedlog -o tskv --pid 319 --begin +5s --end 01:41:44 "$trace/trace" | lines %s ts dur_ns tid) \
		<(where pid=319 'ts>=1795225300760917458' 'ts<=1795225304000000000' <"$T/waits" | lines %s ts dur_ns tid)
}

@test "iolatency, iousagetop, io-analysis: files, bytes, disks" {
	t=1795225110000000000
	{
		record ts=$((t + 100)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=write dur_ns=50 ret=256 fd=3 path=/a bytes=256
		record ts=$((t + 200)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=read dur_ns=70 ret=100 fd=4 path=/b bytes=100
		record ts=$((t + 250)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=getpid dur_ns=1 ret=42
		record ts=$((t + 300)) ev=block cpu=0 pid=9 tid=9 comm=kworker dev=254:0 sector=8 bytes=4096 op=write dur_ns=900
		record ts=$((t + 310)) ev=block cpu=0 pid=9 tid=9 comm=kworker dev=254:0 sector=8 bytes=512 op=RA dur_ns=900
		record ts=$((t + 320)) ev=block cpu=0 pid=9 tid=9 comm=fstrim dev=254:0 sector=8 bytes=999424 op=DS dur_ns=900
		record ts=$((t + 400)) ev=syscall cpu=0 pid=7 tid=7 comm=nginx name=sendfile dur_ns=5 ret=10 bytes=10
		record ts=$((t + 500)) ev=syscall cpu=0 pid=7 tid=7 comm=nginx name=openat dur_ns=5 ret=-2 path=/none errno=ENOENT
	} >"$T/io"
	try iolatency log -o csv "$T/io"
	expect 0 "ts,begin_ts,dur_ns,ev,name,op,bytes,pid,comm,fd,path,dev
$((t + 100)),$((t + 50)),50,syscall,write,,256,42,python,3,/a,
$((t + 200)),$((t + 130)),70,syscall,read,,100,42,python,4,/b,
$((t + 300)),$((t - 600)),900,block,,write,4096,9,kworker,,,254:0
$((t + 310)),$((t - 590)),900,block,,RA,512,9,kworker,,,254:0
$((t + 320)),$((t - 580)),900,block,,DS,999424,9,fstrim,,,254:0
$((t + 400)),$((t + 395)),5,syscall,sendfile,,10,7,nginx,,,
$((t + 500)),$((t + 495)),5,syscall,openat,,,7,nginx,,/none," ''
	[ "$(iolatency stats --op disk -o tskv "$T/io" | lines %s ev dev count)" = 'block 254:0 3' ]
	[ "$(iolatency stats --op read,copy -o tskv "$T/io" | lines %s name count)" = $'read 1\nsendfile 1' ]
	[ "$(iolatency freq --op write -o tskv "$T/io" | lines %s name from_ns count)" = 'write 32 1' ]
	try iolatency freq --op read,write,disk --by comm --top 2 -o tskv "$T/io"
	[ "$err" = 'histogram: 1 group is left out (-n 2)' ]
	[ "$(lines %s comm <<<"$out" | uniq)" = $'kworker\npython' ]
	try iousagetop -o csv "$T/io"
	expect 0 "ts,pid,comm,total_bytes.sum,read_bytes.sum,write_bytes.sum,disk_read_bytes.sum,disk_write_bytes.sum
$((t + 400)),9,kworker,4608,0,0,512,4096
$((t + 400)),42,python,356,100,256,0,0
$((t + 400)),7,nginx,20,10,10,0,0" ''
	[ "$(iousagetop --by path --top 1 --process python -o tskv "$T/io" | lines %s path total_bytes.sum)" = '/a 256' ]
	try io-analysis "$T/io"
	expect 0 "[2026-11-21 01:38:30] python (PID:42) -> write() /a
Result: 256 bytes
[2026-11-21 01:38:30] python (PID:42) -> read() /b
Result: 100 bytes
[2026-11-21 01:38:30] nginx (PID:7) -> sendfile()
Result: 10 bytes
[2026-11-21 01:38:30] nginx (PID:7) -> openat() /none
Result: error ENOENT

=== I/O Operations Summary ===
nginx  openat  1 calls, 0 bytes, 1 errors
nginx  sendfile  1 calls, 10 bytes, 0 errors
python  read  1 calls, 100 bytes, 0 errors
python  write  1 calls, 256 bytes, 0 errors" ''
}

@test "memtop: pages by order, resident size by member" {
	t=1795225110000000000
	{
		record ts=$((t + 1)) ev=kmem_mm_page_alloc cpu=0 pid=1 tid=1 comm=a page=0x1 pfn=5 order=0
		record ts=$((t + 2)) ev=kmem_mm_page_alloc cpu=0 pid=1 tid=2 comm=a page=0x2 pfn=6 order=3
		record ts=$((t + 3)) ev=kmem_mm_page_free cpu=0 pid=1 tid=1 comm=a page=0x1 pfn=5 order=0
		record ts=$((t + 4)) ev=mm_page_alloc cpu=0 pid=2 tid=2 comm=b page=0x9 pfn=7 order=1
		record ts=$((t + 5)) ev=rss_stat cpu=0 pid=1 tid=1 comm=a mm_id=1 curr=1 member=0 size=4096
		record ts=$((t + 6)) ev=rss_stat cpu=0 pid=1 tid=1 comm=a mm_id=1 curr=1 member=1 size=8192
		record ts=$((t + 7)) ev=rss_stat cpu=0 pid=1 tid=1 comm=a mm_id=1 curr=1 member=2 size=999999
		record ts=$((t + 8)) ev=rss_stat cpu=0 pid=1 tid=1 comm=a mm_id=1 curr=1 member=1 size=4096
		record ts=$((t + 9)) ev=rss_stat cpu=0 pid=2 tid=2 comm=b mm_id=7 curr=0 member=1 size=77
		record ts=$((t + 10)) ev=rss pid=3 tid=3 comm=c bytes=1000
		record ts=$((t + 11)) ev=pages cpu=0 pid=3 tid=3 comm=c alloc_pages=5 free_pages=7
		record ts=$((t + 12)) ev=pages cpu=1 pid=3 tid=3 comm=c alloc_pages=2 free_pages=3
	} >"$T/mem"
	try memtop pages -o csv "$T/mem"
	expect 0 "ts,pid,comm,alloc_pages.sum,free_pages.sum,net_pages.sum
$((t + 12)),1,a,9,1,8
$((t + 12)),3,c,7,10,-3
$((t + 12)),2,b,2,0,2" ''
	try memtop rss -o csv "$T/mem"
	expect 0 "ts,pid,comm,count,first,last,max
$((t + 10)),1,a,3,4096,8192,12288
$((t + 10)),3,c,1,1000,1000,1000" ''
}

@test "periods: keys, captures, groups" {
	t=1795225110000000000
	{
		record ts=$((t + 10)) ev=app:begin tid=1 comm=a id=1 url=/x
		record ts=$((t + 30)) ev=app:begin tid=1 comm=a id=2 url=/y
		record ts=$((t + 40)) ev=app:end tid=2 comm=b id=1 status=200
		record ts=$((t + 90)) ev=app:end tid=2 comm=b id=2 status=500
	} >"$T/app"
	args=(--start app:begin --stop app:end --key id --capture 'url,status')
	try periods log "${args[@]}" -o csv "$T/app"
	expect 0 "ts,begin_ts,dur_ns,cpu,pid,tid,comm,name,id,url,status
$((t + 40)),$((t + 10)),30,,,1,a,app:begin,1,/x,200
$((t + 90)),$((t + 30)),60,,,1,a,app:begin,2,/y,500" ''
	[ "$(periods stats "${args[@]}" --by url -o tskv "$T/app" | lines %s url count max)" = $'/y 1 60\n/x 1 30' ]
	[ "$(periods top "${args[@]}" --top 1 -o tskv "$T/app" | lines %s status)" = 500 ]
	[ "$(periods freq "${args[@]}" -o tskv "$T/app" | lines %s from_ns count)" = $'16 1\n32 1' ]
	try periods stats --start 'app:begin,1x=2' --stop b "$T/app"
	[ "$status" = 2 ]
}

@test "the lines of the old scripts" {
	t=1705315845000000000
	{
		record ts=$((t + 1)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=epoll_wait dur_ns=100 ret=1
		record ts=$((t + 2)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=epoll_wait dur_ns=212 ret=1
		record ts=$((t + 3)) ev=syscall cpu=0 pid=42 tid=42 comm=python name=read dur_ns=1000 ret=5
		record ts=$((t + 4)) ev=fork cpu=0 pid=1 tid=1 comm=init child_pid=42 child_tid=42 child_comm=python
		record ts=$((t + 5)) ev=fork cpu=0 pid=42 tid=42 comm=python child_pid=42 child_tid=43 child_comm=python
		record ts=$((t + 6)) ev=exec cpu=0 pid=42 tid=42 comm=python path=/bin/python
		record ts=$((t + 7)) ev=runq cpu=1 pid=42 tid=42 comm=python dur_ns=5 why=wakeup
		record ts=$((t + 8)) ev=oncpu cpu=1 pid=42 tid=42 comm=python dur_ns=123456789 why=preempt next_tid=7 next_comm=redis
		record ts=$((t + 9)) ev=blocked cpu=1 pid=42 tid=42 comm=python dur_ns=77 state=S waker_tid=7 waker_comm=redis
		record ts=$((t + 10)) ev=exit cpu=0 pid=42 tid=42 comm=python code=3 dur_ns=99
	} >"$T/old"
	try syscalls "$T/old"
	expect 0 '=== System Calls Summary ===
python  epoll_wait  2
python  read  1

=== Average Execution Time (ns) ===
python  read  1000
python  epoll_wait  156' ''
	try cpu-usage "$T/old"
	expect 0 '[2024-01-15 10:50:45] python (PID:42) on CPU 1 after waiting 5 nanoseconds
[2024-01-15 10:50:45] python (PID:42) off CPU after 123456789 nanoseconds
[2024-01-15 10:50:45] python (PID:42) preempted by redis (TID:7)
[2024-01-15 10:50:45] python (PID:42) woken by redis (TID:7) after sleeping 77 nanoseconds

=== CPU Usage Summary ===
python (PID:42)  ran 123456789 ns in 1 slices, waited 5 ns, preempted 1 times' ''
	try process-info "$T/old"
	expect 0 '[2024-01-15 10:50:45] New process: python (PID:42, PPID:1)
[2024-01-15 10:50:45] New thread: python (TID:43, PID:42)
[2024-01-15 10:50:45] New program: python (PID:42) runs /bin/python
[2024-01-15 10:50:45] Process exit: python (PID:42) with code 3 after 99 nanoseconds

=== Process Activity Summary ===
python (PID:42)  3 system calls, started 0 processes, 1 threads
init (PID:1)  0 system calls, started 1 processes, 0 threads' ''
	try syscalls --top 1 "$T/old"
	[ "$(grep -c '^python' <<<"$out")" = 2 ]
	[ "$(date -u -d @1705315845 '+%Y-%m-%d %H:%M:%S')" = '2024-01-15 10:50:45' ]
}
