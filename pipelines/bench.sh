# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the pipelines bench-NAME share: a private server is started, loaded and stopped while the kernel is
# recorded, and a report is made of it. A bench-NAME sets what describes it, redefines the functions below that
# it needs, and ends with `bench "$@"`:
#
#	describes=TEXT		one line
#	programs=(NAME:PACKAGE ...)	what must be installed (`NAME|OTHER`: one of them), and the Debian package that has it
#	sections=(FILE.sql ...)	what `report --section` shows of it
#	own[--NAME]=VARIABLE	options of its own, and
#	check			looks whether they are good; lacks_more prints what else is missing, a line each
#	prepare			makes data directories and the like; not recorded
#	start, ready, fill, load, after	are recorded: `ready` is asked until it succeeds, `load` repeated for --duration
#	tidy			removes what `start` has made outside of $home, also after an error
#	counts			makes records (ev=generator) of what `load` printed, on stdin
#
# In them, commands are run by `run` (as the server's user), `serve` (in the background, to be stopped by its
# pid) or `quiet` (run, its output thrown away), and files written by `put FILE`, so that --dry-run can print
# all of them. $home is a directory of the server's own.

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/capture.sh"

help_options() {
	cat <<-'E'
	  --backend NAME      lttng (its kernel tracer), bpf (collect-sched, collect-syscalls, collect-proc), ust
	                      (tracepoints within the application), auto: the first of lttng and bpf that works here
	  --duration S        repeat the load until S seconds are over (default: once)
	  --traces DIR        where the trace goes (default: traces)
	  --no-report         make no report of it
	  --no-text           write no trace_output.txt
	  --dry-run           print the commands, and end
	  --installed         say whether all that it needs is here, and end
	  --ring SIZE         bpf: memory for events on their way from the kernel (default: 64M)
	  --subbuf-size SIZE  lttng, ust: of the buffers of each CPU (default: 8M), of which there are
	  --num-subbuf N      so many (default: 4)
	  --all-events        lttng: all tracepoints, not only those that reports are made of
	  --ust PATTERN       ust: which tracepoints (default: *)
	  --help, --version

	The server is an instance of its own: its own data directory and socket or port, only for this machine; as root
	it runs as `nobody`. It, its load and its recording end with the pipeline, also by Ctrl-C or an error.

	DIR/NAME_YYYYmmdd_HHMMSS has, and DIR/latest points to it:

	  kernel/, ust/       LTTng's trace; or, by bpf,
	  records.tskv.zst    the records of all collectors in the order of time
	  trace_output.txt    the same as text: babeltrace2's, or the records
	  metadata.json       what was run, when, with what success; versions; events lost
	  load.txt            what the load generator printed
	  load.tskv           that and the phases start, fill, load, after, stop as records: ev=generator, ev=phase;
	                      by lttng also the pages of memory that each process took: ev=pages
	  server.log          what the server printed
	  report/             the report: see report

	By bpf, scheduling is recorded of all processes, system calls and lives only of the benchmark's; sockets have no
	addresses there.

	exit status: 0 done; 1 failed, or the load failed; 2 wrong usage
	E
}

# The benchmark's own; these do nothing.
describes='' programs=() sections=()
check() { :; }
lacks_more() { :; }
prepare() { :; }
start() { :; }
ready() { :; }
fill() { :; }
load() { :; }
after() { :; }
tidy() { :; }
counts() { :; }
stop_signal=TERM
operands_max=0
as_caller=	# set: run as who calls, also as root
machine_wide=	# set: record the system calls of all processes, as for what a daemon does on request

backend=auto duration='' traces=traces ring=64M subbuf_size=8M num_subbuf=4 ust='*'
report=yes text=yes dry='' all_events='' installed=''
own=([--backend]=backend [--duration]=duration [--traces]=traces [--ring]=ring [--ust]=ust
	[--subbuf-size]=subbuf_size [--num-subbuf]=num_subbuf)
name=${pipeline#bench-}

for directory in /usr/sbin /sbin /usr/local/sbin /usr/lib/postgresql/*/bin; do
	[ ! -d "$directory" ] || PATH=$PATH:$directory
done

bench_options() {
	local variable
	operands=()
	while [ $# -gt 0 ]; do
		case $1 in
		--help) help ;;
		--version) say_version ;;
		--no-report) report= ;;
		--no-text) text= ;;
		--dry-run) dry=yes ;;
		--all-events) all_events=yes ;;
		--installed) installed=yes ;;
		--*=*)
			split_option "$@"
			set -- "${split[@]}"
			continue
			;;
		-?*)
			variable=${own[$1]:-}
			[ -n "$variable" ] || usage_error "unknown option '$1'"
			[ -n "${2-}" ] || usage_error "$1 wants an argument"
			printf -v "$variable" %s "$2"
			shift
			;;
		*) operands+=("$1") ;;
		esac
		shift
	done
	[[ $backend =~ ^(auto|lttng|bpf|ust)$ ]] || usage_error "--backend is lttng, bpf, ust or auto, not '$backend'"
	whole --duration "${duration:-1}" 1 86400
	whole --num-subbuf "$num_subbuf" 2 4096
	[[ $ring$subbuf_size =~ ^[0-9]{1,9}[kKmMgG]?[0-9]{1,9}[kKmMgG]?$ ]] || usage_error "--ring and --subbuf-size want sizes, as 8M"
}

# whole OPTION VALUE MIN MAX: a number.
whole() {
	[[ $2 =~ ^[0-9]{1,9}$ ]] && [ $((10#$2)) -ge "$3" ] && [ $((10#$2)) -le "$4" ] ||
		usage_error "$1 wants a number from $3 to $4, not '$2'"
}

# words ARGUMENT...: as a shell would take them; a single | > & < stays what it is.
words() {
	local one out=()
	for one; do
		if [[ $one =~ ^([A-Za-z0-9_@%+=:,./-]+|[|\>\&\<])$ ]]; then out+=("$one"); else out+=("${one@Q}"); fi
	done
	printf '%s' "${out[*]}"
}

# told COMMAND...: prints it with --dry-run, and succeeds; else keeps it for metadata.json, and fails.
told() {
	if [ -n "$dry" ]; then
		words "$@"
		echo
	else
		{ words "$@"; echo; } >>"$scratch/commands"
		return 1
	fi
}
run() {
	told "${as_server[@]}" "$@" || attend "${as_server[@]}" "$@"
}
quiet() {
	told "${as_server[@]}" "$@" || attend "${as_server[@]}" "$@" >>"$scratch/quiet" 2>&1
}
serve() {
	told "${as_server[@]}" "$@" '&' && return
	"${as_server[@]}" "$@" >>"$dir/server.log" 2>&1 </dev/null &
	servers+=($!)
}
put() {
	told cat '>' "$1" && sed 's/^/	/' && return
	cat >"$1"
}

# attend COMMAND...: runs it so that a signal to us ends it too, at once.
attending=
attend() {
	local status=0
	"$@" &
	attending=$!
	wait "$attending" || status=$?
	attending=
	return "$status"
}

# free_port: prints a port of this machine at which nobody listens.
free_port() {
	local port hex
	while :; do
		port=$((20000 + RANDOM % 12000))
		printf -v hex ':%04X ' "$port"
		grep -qs -- "$hex" /proc/net/tcp /proc/net/tcp6 || break
	done
	echo "$port"
}

# family PID: it and its descendants, at this moment.
family() {
	awk -v root="$1" '
	{
		line = $0
		sub(/^.*\) /, "", line)
		split(line, after, " ")
		split(FILENAME, path, "/")
		parent[path[3]] = after[2]
	}
	END {
		for (pid in parent) {
			for (up = pid; up != "" && up != root; up = parent[up]) ;
			if (up == root) print pid
		}
	}' /proc/[0-9]*/stat 2>/dev/null
}

# gone PID TENTHS: whether the process ends within that time.
gone() {
	local left=$2
	while kill -0 "$1" 2>/dev/null; do
		[ $((left--)) -gt 0 ] || return 1
		sleep 0.1
	done
}

# stop PID SIGNAL: and what it started, if it will not go by itself.
stop() {
	local all
	kill -s "$2" "$1" 2>/dev/null || return 0
	gone "$1" 150 && return
	mapfile -t all < <(family "$1")
	say "$(cat "/proc/$1/comm") (pid $1) does not end by SIG$2: killed"
	kill -s KILL "${all[@]}" 2>/dev/null
}

# now: nanoseconds since the epoch, as in records.
now() {
	date +%s%N
}

end_workload() {
	local i
	[ -z "$attending" ] || kill "$attending" 2>/dev/null
	[ -z "$started" ] || tidy
	started=
	for ((i = ${#servers[@]} - 1; i >= 0; i--)); do stop "${servers[i]}" "$stop_signal"; done
	servers=()
}

# during PHASE COMMAND...: a phase of the benchmark, which is told in load.tskv.
during() {
	local begin status=0
	begin=$(now)
	"${@:2}" || status=$?
	[ -n "$dry" ] || phase "$1" "$begin"
	return "$status"
}
phase() {
	local end
	end=$(now)
	printf 'ts=%s\tev=phase\tname=%s\tdur_ns=%s\n' "$end" "$1" $((end - $2)) >>"$dir/load.tskv"
}

start_and_wait() {
	local tries=0
	started=yes
	start || return
	# The second look is for a port that somebody else has: it is he who answers.
	until ready && alive; do
		[ $((++tries)) -lt 600 ] && alive || return
		sleep 0.05
	done
}

# remaining: seconds that --duration leaves, at least one.
remaining() {
	local left=$(((until - $(now)) / 1000000000))
	[ -z "$dry" ] || left=$duration
	echo $((left > 0 ? left : 1))
}
load_again() {
	local until
	until=$(($(now) + ${duration:-0} * 1000000000))
	[ -z "$dry" ] || { load; return; }
	: >"$scratch/loading"
	while :; do
		load >>"$dir/load.txt" 2>&1 || return
		[ "$(now)" -lt "$until" ] || return 0
	done
}

# What is recorded: runs in a process of its own, the ancestor of all that belongs to the benchmark.
workload() {
	local status=0
	servers=() started=
	if [ -z "$dry" ]; then
		trap end_workload EXIT
		trap 'exit 143' TERM
		# Collectors show by the first record, of this sleep, that they are ready.
		until [ -e "$scratch/go" ]; do sleep 0.05; done
		[ -n "$as_caller" ] || cd "$home" || exit
	fi
	during start start_and_wait && during fill fill || exit 1
	during load load_again || status=$?
	during after after
	during stop end_workload
	return "$status"
}

# alive: whether no server has ended.
alive() {
	local pid
	for pid in "${servers[@]}"; do kill -0 "$pid" 2>/dev/null || return 1; done
}

# A process of its own, for when we are killed: all ends then too.
guard() {
	trap - EXIT
	setpriv --pdeathsig KILL tail --pid=$$ -f /dev/null
	guard=
	bench_end
}

# At the end, however that comes: what is not whole is removed.
bench_end() {
	[ -z "${guard:-}" ] || kill "$guard" 2>/dev/null
	[ -z "${workload:-}" ] || { kill "$workload" 2>/dev/null && gone "$workload" 300; }
	bpf_stop 2>/dev/null
	[ ! -e "$scratch/session" ] || "${as_lttng[@]}" lttng -n destroy "$session" >/dev/null 2>&1
	sessiond_end
	[ -n "${whole:-}" ] || [ -z "${dir:-}" ] || {
		rm -rf "$dir"
		rmdir "$traces" 2>/dev/null
	}
	[ -z "${half:-}" ] || rm -rf "$half"
	rm -rf "$scratch"
}

# first_of 'NAME|OTHER': that which is installed; the first name where none is.
first_of() {
	local one
	for one in ${1//|/ }; do
		command -v "$one" >/dev/null && echo "$one" && return
	done
	echo "${1%%|*}"
	return 1
}

# lacks: prints what is missing, a line each.
lacks() {
	local one
	for one in "${programs[@]}"; do
		first_of "${one%%:*}" >/dev/null || echo "${one%%[|:]*} is not installed: install ${one#*:}"
	done | grep . || lacks_more
}

choose_backend() {
	local why
	[ "$backend" = auto ] || return 0
	backend=lttng
	[ -n "$(lttng_lacks | grep -v babeltrace2)" ] || return 0
	backend=bpf
	why=$(bpf_lacks)
	[ -z "$why" ] || die "neither LTTng's kernel tracer nor BPF can be used: $(lttng_lacks | head -n 1); $why"
}

# version NAME: the first line of what it says about itself.
version() {
	local option said
	for option in --version -V -v; do
		said=$("$1" "$option" 2>&1 </dev/null) && [ -n "$said" ] && break
	done
	head -n 1 <<<"$said"
}

# json TEXT: a string of JSON. Bytes that are not UTF-8 are left out.
json() {
	local text code c octal escaped
	text=$(printf '%s' "$1" | iconv -c -f UTF-8 -t UTF-8)
	text=${text//\\/\\\\}
	text=${text//\"/\\\"}
	text=${text//$'\n'/\\n}
	text=${text//$'\t'/\\t}
	for code in {1..31} 127; do
		printf -v octal '\\%03o' "$code"
		printf -v escaped '\\u%04x' "$code"
		printf -v c %b "$octal"
		text=${text//"$c"/"$escaped"}
	done
	printf '"%s"' "$text"
}
# json_lines: an array of the lines on stdin.
json_lines() {
	local line comma=
	printf '['
	while IFS= read -r line; do
		printf '%s%s' "$comma" "$(json "$line")"
		comma=', '
	done
	printf ']'
}
json_versions() {
	local one
	printf '{"weir": %s' "$(json "$(where --version)")"
	local one
	for one in "${programs[@]}"; do
		one=$(first_of "${one%%:*}")
		printf ', %s: %s' "$(json "$one")" "$(json "$(version "$one")")"
	done
	[ "$backend" = bpf ] || printf ', "lttng": %s' "$(json "$(version lttng)")"
	printf '}'
}
boolean() {
	if [ -n "$1" ]; then echo true; else echo false; fi
}

# lost_events: how many; null where it is not known of some.
lost_events() {
	awk -F'\t' '
	{
		for (i = 1; i <= NF; i++) {
			if ($i !~ /^n=/) continue
			n = substr($i, 3)
			if (n ~ /^[0-9]+$/) sum += n
			else unknown = 1
		}
	}
	END { if (unknown) print "null"; else printf "%.0f\n", sum }' "$scratch/lost"
}

# metadata STATUS: metadata.json. The keys up to `error` are those of older tools.
metadata() {
	local ended error=
	ended=$(now)
	[ "$1" = 0 ] || error="the load failed with status $1$(load_words)"
	cat <<-E
	{
	  "application": $(json "$name"),
	  "session_name": $(json "$session"),
	  "timestamp": $(json "$timestamp"),
	  "command": $(json "$invocation"),
	  "description": $(json "$describes"),
	  "trace_duration": $(seconds $((ended_ns - began_ns))),
	  "start_time": $(json "$(iso "$began_ns")"),
	  "setup_commands": $(json_lines <"$scratch/commands.setup"),
	  "test_commands": $(json_lines <"$scratch/commands.test"),
	  "success": $([ "$1" = 0 ] && echo true || echo false),
	  "execution_time": $(seconds $((ended - invoked_ns))),
	  "return_code": $1,
	  "fd_capture_enabled": $(boolean "$([ "$backend" = ust ] || echo yes)"),
	  "fork_tracking_enabled": $(boolean "$([ "$backend" = lttng ] || [ ${#streams[@]} -gt 1 ] && echo yes)"),
	  "end_time": $(json "$(iso "$ended_ns")"),$([ -z "$error" ] || printf '\n  "error": %s,' "$(json "$error")")
	  "backend": $(json "$backend"),
	  "collectors": $(printf '%s\n' "${streams[@]/#/collect-}" | sed '/^$/d; /^collect-$/d' | json_lines),
	  "lost_events": $lost,
	  "capture_commands": $(json_lines <"$scratch/commands.capture"),
	  "versions": $(json_versions),
	  "kernel": $(json "$(uname -srvm)"),
	  "hostname": $(json "$(uname -n)"),
	  "cpus": $(getconf _NPROCESSORS_ONLN)
	}
	E
}
seconds() {
	printf '%d.%09d' $(($1 / 1000000000)) $(($1 % 1000000000))
}
iso() {
	date -u -d "@${1:0:-9}" "+%Y-%m-%dT%H:%M:%S.${1: -9:6}Z"
}

# commands_of WHAT: those told since the last call are of this kind.
commands_of() {
	[ -n "$dry" ] && return
	cat "$scratch/commands" >>"$scratch/commands.$1"
	: >"$scratch/commands"
}

bench() {
	local missing one
	invoked_ns=$(now)
	invocation=$(words "$pipeline" "$@")
	bench_options "$@"
	[ ${#operands[@]} -le "$operands_max" ] || usage_error "it takes $([ "$operands_max" = 0 ] && echo no operand || echo one)"
	check
	missing=$(lacks)
	if [ -n "$installed" ]; then
		printf '%-11s %-11s %s\n' "$name" "$([ -z "$missing" ] && echo installed || echo missing)" \
			"$describes${missing:+ ($(paste -sd' ' <<<"$missing" | sed 's/ is not installed: install / needs /g'))}"
		exit 0
	fi
	[ -n "$dry" ] || {
		choose_backend
		missing=$(lacks; "${backend}_lacks")
		[ -z "$missing" ] || { while IFS= read -r one; do say "$one"; done <<<"$missing"; exit 1; }
		if [ "$backend" = bpf ]; then
			for one in syscalls proc; do
				command -v "collect-$one" >/dev/null || say "collect-$one is not built: recording without it"
			done
		fi
	}
	# Without the means for either, --dry-run shows the way of most machines.
	[ "$backend" != auto ] || backend=$(choose_backend 2>/dev/null && echo "$backend") || backend=bpf
	timestamp=$(date -d "@${invoked_ns:0:-9}" +%Y%m%d_%H%M%S)
	session=app_${name}_$timestamp
	streams=() servers=() as_lttng=()
	as_server=(setpriv --pdeathsig TERM)
	[ "$(id -u)" != 0 ] || [ -n "$as_caller" ] || as_server+=(--reuid=65534 --regid=65534 --clear-groups)
	if [ -n "$dry" ]; then
		scratch=/tmp/weir-$pipeline.XXXXXX
	else
		make_scratch
		trap bench_end EXIT
		trap 'exit 129' HUP
		traces=$(mkdir -p -- "$traces" && cd -- "$traces" && pwd) || exit 1
		chmod 711 "$scratch"
		: >"$scratch/commands"
		for one in setup test capture; do : >"$scratch/commands.$one"; done
		: >"$scratch/lost" && : >"$scratch/quiet"
	fi
	dir=$traces/${name}_$timestamp
	home=$scratch/home
	[ -n "$as_caller" ] || as_server+=(env HOME="$home" TMPDIR="$home")
	[ -n "$dry" ] || {
		[ ! -e "$dir" ] || die "cannot write $dir: it is there already; try again in a second"
		mkdir "$dir" "$home" && chmod 700 "$home" || exit 1
		[ "$(id -u)" != 0 ] || chown 65534:65534 "$home"
		: >"$dir/load.txt" && : >"$dir/server.log" || exit 1
		"${as_server[@]}" test -x "$home" ||
			die "the user nobody, as which the server is to run, cannot reach $home: set TMPDIR to a directory that all may enter"
	}
	record
	exit
}

# The procedure.
record() {
	local status=0 captured=0 shown lost
	prepare || die "cannot prepare the server: $(last_words)"
	commands_of setup
	[ -n "$dry" ] || {
		workload &
		workload=$!
		guard &
		guard=$!
	}
	"${backend}_begin" || die "cannot record$(cat "$scratch"/*.err 2>/dev/null | tail -n 1 | sed 's/^/: /')"
	commands_of capture
	began_ns=$(now)
	if [ -n "$dry" ]; then
		workload
	else
		: >"$scratch/go"
		wait "$workload" || status=$?
		workload=
		[ -e "$scratch/loading" ] ||
			die "the server does not start: $(last_words)"
	fi
	ended_ns=$(now)
	commands_of test
	"${backend}_end" || captured=1
	[ -z "$dry" ] || {
		shown_sections
		[ -z "$report" ] || { words report "${shown[@]}" --with "$dir/load.tskv" -o "$dir/report" "$(recorded)"; echo; }
		exit 0
	}
	commands_of capture
	counts <"$dir/load.txt" | sed "s/^/ts=$ended_ns	ev=generator	/" >>"$dir/load.tskv"
	lost=$(lost_events)
	case $lost:$backend in
	0:*) ;;
	*:bpf) say "events were lost: $lost" ;; # by whom, and what helps, the collectors have said
	*) say "${lost/null/an unknown number of} events were lost: a larger --subbuf-size or --num-subbuf may help" ;;
	esac
	metadata "$status" >"$dir/metadata.json" || exit 1
	whole=yes
	ln -sfn "${dir##*/}" "$traces/latest"
	[ "$status" = 0 ] || say "the load failed (status $status)$(load_words)"
	echo "$dir"
	if [ -n "$report" ]; then
		shown_sections
		half=$dir/report
		report "${shown[@]}" --with "$dir/load.tskv" -o "$half" "$(recorded)" || captured=1
		half=
	fi
	[ "$status" = 0 ] && return "$captured"
	return 1
}

# Tables of system calls: not of an application's own tracepoints.
shown_sections() {
	local one
	shown=()
	[ "$backend" = ust ] || for one in "${sections[@]}"; do shown+=(--section "$pipelines/$one"); done
}

# last_words: of the server, or else of what was to make it.
last_words() {
	local words
	words=$(grep . "$dir/server.log" || grep . "$scratch/quiet")
	tail -n 1 <<<"$words"
}

# load_words: the last ones of the load, if it said any.
load_words() {
	grep -v '^[[:space:]]*$' "$dir/load.txt" | tail -n 1 | sed 's/^/: /'
}

# What the report is made of.
recorded() {
	case $backend in
	bpf) echo "$dir/records.tskv.zst" ;;
	lttng) echo "$dir/kernel" ;;
	ust) echo "$dir/ust" ;;
	esac
}
