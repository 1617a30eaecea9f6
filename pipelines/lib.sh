# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What pipelines share. A pipeline's help text is the comment at its top, from its name to the first
# line that is none.

set -u -o pipefail
export LC_ALL=C

pipeline=$(basename "$0")
pipelines=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# The programs: named by WEIR_BIN, built in the source tree, or installed beside lib/weir.
for bin in "${WEIR_BIN:-}" "$pipelines/../out/bin" "$pipelines/../../bin"; do
	if [ -n "$bin" ] && [ -x "$bin/where" ]; then
		PATH=$(cd "$bin" && pwd):$PATH
		break
	fi
done

# say TEXT...: a message; control characters cannot drive the terminal.
say() {
	printf '%s: %s' "$pipeline" "$*" | tr '\000-\037\177' '?' >&2
	echo >&2
}

die() {
	say "$@"
	exit 1
}

usage_error() {
	say "$*; see '$pipeline --help'"
	exit 2
}

# The comment at the top of the pipeline; its line `[options]` stands for the options that it shares.
help() {
	sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0" | while IFS= read -r line; do
		if [ "$line" = '[options]' ]; then help_options; else printf '%s\n' "$line"; fi
	done
	exit 0
}
say_version() {
	printf '%s %s\n' "$pipeline" "$(where --version | cut -d' ' -f2-)"
	exit 0
}
help_options() {
	cat <<-E
	The input is a directory with LTTng traces at any depth, a file of records (raw or spans; also .zst, .gz),
	babeltrace's text, or records on stdin (-, or none). Times are UTC. The options are:

	$( [ ${#forms[@]} -eq 0 ] || echo "  -o, --output FORM   table (default), tskv (records)${forms[2]:+, csv, json}" )
	  --begin T, --end T  only this part: what ended within it$( [ -z "${clips-}" ] || echo "; what crosses its edges is cut there" )
	                      (T: 01:41:35.5, +2.5s after the first event, a date and time, epoch seconds or ns)
	  --process NAME      only processes whose name (comm) is NAME, exactly
	  --pid PID,...       only these processes
	E
	[ -z "${top+there}" ] || printf '  --top N             only the %s (default: %s)\n' "${top_are:-first N rows}" "${top:-all}"
	[ -z "${by+there}" ] || printf '  --by KEY,...        a row for each combination of these fields (default: %s)\n' "$by"
	cat <<-E
	  --strict            exit with status 3 when events were lost
	  --help, --version
	E
	[ ${#live[@]} -eq 0 ] || cat <<-E

	In place of a trace, --live records what happens now (root; ${live[0]}(1)), until Ctrl-C, or:
	  -d TIME             for so long (a bare number is seconds)
	  -p NAME, -P PID     only threads or processes of this name, only this process; --children: its descendants too
	  --cgroup PATH, --container NAME
	                      only what runs there
	  -- COMMAND...       run COMMAND, and record it and what it starts until it ends; pass on its exit status
	E
}

# split_option ARGUMENTS...: the arguments to the array split, the first, --name=VALUE or -xVALUE, as two.
split_option() {
	case $1 in
	--*) split=("${1%%=*}" "${1#*=}") ;;
	*) split=("${1:0:2}" "${1:2}") ;;
	esac
	split+=("${@:2}")
}

# need PROGRAM REMEDY: die when the program is not there.
need() {
	command -v "$1" >/dev/null || die "cannot find $1: $2"
}

# A scratch directory in $scratch, gone at the end, however that comes. What was started with `job`
# and still runs then is ended, by its pid.
declare -A jobs=()
scratch=
cleanup() {
	local pid
	for pid in "${!jobs[@]}"; do
		kill "$pid" 2>/dev/null
	done
	[ -z "$scratch" ] || rm -rf "$scratch"
}
make_scratch() {
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-$pipeline.XXXXXX") || die "cannot make a scratch directory in ${TMPDIR:-/tmp}"
}

# job NAME COMMAND...: runs it in the background; wait_jobs tells whose work failed.
job() {
	local what=$1
	shift
	"$@" &
	jobs[$!]=$what
}

# wait_jobs: waits for all jobs; their worst exit status. Each program has said itself what it met.
wait_jobs() {
	local pid worst=0 status
	for pid in "${!jobs[@]}"; do
		status=0
		wait "$pid" || status=$?
		[ "$status" = 0 ] || say "${jobs[$pid]} failed (status $status)"
		[ "$status" -le "$worst" ] || worst=$status
		unset "jobs[$pid]"
	done
	return "$worst"
}

# open_records INPUT: writes the records of a trace's directory, a file of records (also zstd's, gzip's)
# or babeltrace's text, or of stdin (-) or a named pipe (records), to stdout. Further arguments go to lttng-convert.
open_records() {
	local input=$1
	shift
	case $input in
	net://* | net4://*) lttng-convert "$@" "$input" ;;
	-) cat ;;
	*.zst) zstd -dcq <"$input" ;;	# named, a symbolic link is passed over
	*.gz) gzip -dc <"$input" ;;
	*)
		if [ -p "$input" ]; then
			cat -- "$input"
		elif [ -f "$input" ] && [ "$(head -c 3 -- "$input")" = ts= ]; then
			cat -- "$input"
		else
			lttng-convert "$@" -- "$input"
		fi
		;;
	esac
}

# Text as it may stand in HTML. A page's beginning, with its TITLE; its end.
html() {
	sed -e 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}
page_top() {
	local title
	title=$(html <<<"$1")
	cat <<-E
	<!doctype html>
	<html lang="en">
	<meta charset="utf-8">
	<meta name="viewport" content="width=device-width">
	<title>weir: $title</title>
	<style>
	:root { color-scheme: light dark; --text: #222; --page: #fff; --code: #f6f7f8; --line: #ddd; --bad: #b00020 }
	@media (prefers-color-scheme: dark) {
		:root { --text: #ddd; --page: #181a1b; --code: #222527; --line: #444; --bad: #ff7b86 }
	}
	body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); max-width: 1240px; margin: 2em auto; padding: 0 1em }
	h2 { font-size: 1.2em; margin: 2em 0 .5em }
	img { max-width: 100%; height: auto; border: 1px solid var(--line); background: #fff; margin: .5em 0 }
	pre { font: 13px/1.45 ui-monospace, monospace; background: var(--code); padding: 1em; margin: 0; overflow-x: auto }
	table { border-collapse: collapse; font-size: 13px }
	th, td { text-align: right; padding: .4em .6em; border-bottom: 1px solid var(--line); white-space: nowrap }
	th:first-child, td:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 11em }
	td img { width: 150px; max-width: none; margin: 0; display: block }
	.bad { color: var(--bad) }
	</style>
	<h1>$title</h1>
	E
}
page_end() {
	printf '</html>\n'
}

# A trace's NAME for people, of its path: a session's directory is often called `kernel` or `trace`; the one
# above has its name.
name_of() {
	local path name
	path=$(realpath -m -- "$1")
	name=${path##*/}
	while [[ $name == trace || $name == kernel || $name == ust || $name == records.tskv* ]]; do
		path=${path%/*} name=${path##*/}
	done
	name=${name%%.tskv*}
	printf '%s' "${name%.t[agx][rz]*}"
}

# For a text of several tables: a heading; the figures of a file of states (stats --partial), with the number of
# rows that are left out.
heading() {
	printf '\n%s\n%s\n\n' "$1" "${1//?/-}"
}
has_states() {
	grep -q -m 1 -P '\tev=partial\t' "$1"
}
merged() {
	local state=$1
	shift
	has_states "$state" || { echo 'none'; return; }
	{ stats --merge -o table "$@" <"$state" 2>&1 >&3 |
		sed -n 's|^stats: \([0-9]* rows\{0,1\} .*left out\).*|(\1; states/'"${state##*/}"' has them)|p'; } 3>&1
}

# What follows is for pipelines that answer one question with one table:
#
#	events=('sched_*')  make=(spans -e runq)  choose=(ev=runq)
#	options "$@"
#	answer figures
#
# reads the trace's EVENTS (all: none given) with the FIELDS, or those that the FILTER reads (all), makes spans of them, chooses those for
# which the expressions of where(1) hold, and gives them to a command that writes rows.

form=table
forms=(table tskv csv json)	# of its output
declare -A own=()	# the pipeline's own options: name -> variable
begin='' end='' process='' pid='' strict=() fields='' clips='' filter='' nothing='no such event is there'
events=() make=() choose=()
live=()			# the collector that brings such events live: its command
is_live='' live_options=()

# options ARGUMENTS...: the shared options and the pipeline's own; sets $input. --top and --by are options of
# pipelines that have set the variable (top='': all; top_are: what of its rows are first).
options() {
	local name
	while [ $# -gt 0 ]; do
		case $1 in
		--help) help ;;
		--version) say_version ;;
		--strict)
			strict=(--strict)
			shift
			continue
			;;
		--live)
			[ ${#live[@]} -gt 0 ] || usage_error "unknown option '$1'"
			is_live=1
			shift
			continue
			;;
		--children)
			live_options+=("$1")
			shift
			continue
			;;
		--)
			[ -z "$is_live" ] || break
			shift
			break
			;;
		--*=* | -[a-zA-Z]?*)
			split_option "$@"
			set -- "${split[@]}"
			continue
			;;
		-o | --output)
			[ ${#forms[@]} -gt 0 ] || usage_error "unknown option '$1'"
			name=form
			;;
		--begin | --end | --process | --pid) name=${1#--} ;;
		--top | --by)
			name=${1#--}
			[ -n "${!name+there}" ] || usage_error "unknown option '$1'"
			;;
		-d | --duration | -p | -P | --cgroup | --container | --ring)
			[ $# -ge 2 ] || usage_error "$1 wants an argument"
			live_options+=("$1" "$2")
			shift 2
			continue
			;;
		-?*)
			[ -n "${own[$1]:-}" ] || usage_error "unknown option '$1'"
			name=${own[$1]}
			;;
		*) break ;;
		esac
		[ $# -ge 2 ] || usage_error "$1 wants an argument"
		[ -n "$2" ] || usage_error "$1 wants an argument that is not empty"
		printf -v "$name" %s "$2"
		shift 2
	done
	if [ -n "$is_live" ]; then
		[ $# -eq 0 ] || [ "$1" = -- ] || usage_error "it takes no trace with --live; a command goes behind --"
		[ $# -eq 0 ] || is_live='command'
		live_options+=("$@")
		set -- -
	fi
	[ -n "$is_live" ] || [ ${#live_options[@]} -eq 0 ] || usage_error "${live_options[0]} goes with --live"
	[[ $# -le 1 || ${2-} != -?* ]] || usage_error "cannot take $2 behind '$1': options come first"
	[ $# -le 1 ] || usage_error "it takes one trace, file or directory"
	input=${1:--}
	[ -n "${1-}" ] || [ ! -t 0 ] || usage_error "it takes a trace, or records on stdin"
	check_options
	begin=$(moment --begin "$begin") || exit
	end=$(moment --end "$end") || exit
}

# one_of A B C: `A, B and C`.
one_of() {
	local first
	printf -v first '%s, ' "${@:1:$#-1}"
	printf '%s and %s' "${first%, }" "${!#}"
}

check_options() {
	[[ " table ${forms[*]} " == *" $form "* ]] || usage_error "cannot write '$form': there are $(one_of "${forms[@]}")"
	[[ ${top:-1} =~ ^[1-9][0-9]{0,6}$ ]] || usage_error "--top wants a number from 1 to 9999999, not '$top'"
	[[ ${pid:-1} =~ ^[0-9]{1,10}(,[0-9]{1,10})*$ ]] || usage_error "--pid wants numbers, not '$pid'"
	local key='[A-Za-z_][A-Za-z0-9_.]*'
	[[ ${by:-ev} =~ ^$key(,$key)*$ ]] || usage_error "--by wants keys with commas between, not '$by'"
	check_input
}

# Whether there is $input, and it is no archive: what unpacks one into a pipe would give its names, too.
check_input() {
	[ "$input" = - ] || [[ $input == net*://* ]] || [ -e "$input" ] ||
		die "cannot open $input: No such file or directory"
	case $input in
	*.tar | *.tar.* | *.tgz)
		[ -d "$input" ] || die "cannot read $input: it is an archive; unpack it by 'tar -xf' and name what was in it"
		;;
	esac
}

# moment OPTION T: the moment T, as where(1) compares ts with it: +5s, 01:41:35 and seconds are made absolute.
moment() {
	local t=$2 first
	if [[ $t =~ ^([0-9]{1,10})(\.([0-9]{1,9}))?$ ]]; then
		first=${BASH_REMATCH[3]}000000000
		t=$((10#${BASH_REMATCH[1]}${first:0:9}))
	fi
	if [[ $t == +* || $t =~ ^[0-9]{1,2}:[0-9] ]]; then
		[ "$input" != - ] || usage_error "$1 wants a date and time when records come on stdin"
		first=$(open_records "$input" 2>/dev/null | head -n 1 | sed -n 's/^ts=\([0-9]*\).*/\1/p')
		[ "${#first}" -gt 9 ] || first=0000000000
		if [[ $t == +* ]]; then
			t=$(after "$first" "${t#+}") || usage_error "$1: '$2' is not a time"
		else
			t=$(date -u -d "@${first:0:-9}" +%Y-%m-%d 2>/dev/null)T$t
		fi
	fi
	[ -z "$t" ] || where "ts>=$t" </dev/null 2>/dev/null || usage_error "$1: '$2' is not a time"
	printf '%s' "$t"
}

# after NS DURATION: NS plus the duration, a number with a unit (without: seconds), in ns.
after() {
	local number rest unit
	[[ $2 =~ ^([0-9]{1,9})(\.([0-9]{1,9}))?(ns|us|ms|s|m|h|d)?$ ]] || return 1
	number=${BASH_REMATCH[1]} rest=${BASH_REMATCH[3]}000000000
	case ${BASH_REMATCH[4]} in
	ns) unit=1 ;;
	us) unit=1000 ;;
	ms) unit=1000000 ;;
	m) unit=60000000000 ;;
	h) unit=3600000000000 ;;
	d) unit=86400000000000 ;;
	*) unit=1000000000 ;;
	esac
	echo $(($1 + 10#$number * unit + (10#${rest:0:9} * (unit / 1000) + 500000) / 1000000))
}

# A value of an expression of where(1), which has lists with commas.
literal() {
	local value=${1//\\/\\\\}
	printf '%s' "${value//,/\\,}"
}

read_events() {
	local arguments=() glob
	[ -z "$is_live" ] || exec "${live[@]}" "${live_options[@]}"
	for glob in "${events[@]}"; do arguments+=(-e "$glob"); done
	[ -z "$fields" ] || arguments+=(-f "$fields")
	[ -z "$filter" ] || arguments+=(--for "$filter")
	[ -z "$end" ] || [ -n "$clips" ] || arguments+=(--end "$end")
	open_records "$input" "${arguments[@]}"
}

# What has ended within the window, of the process asked for. Of what had not ended with the input, the time
# is not known: that counts only where its time is cut to the window anyway.
select_records() {
	local tests=(ev "${choose[@]}")
	[ -n "$clips" ] || tests+=('!unfinished')
	[ -z "$begin" ] || [ -n "$clips" ] || tests+=("ts>=$begin")
	[ -z "$end" ] || [ -n "$clips" ] || tests+=("ts<=$end")
	[ -z "$process" ] || [ -n "$clips" ] || tests+=("comm=$(literal "$process")")
	[ -z "$pid" ] || [ -n "$clips" ] || tests+=("pid=$pid")
	where "${strict[@]}" "${tests[@]}"
}

# The rows as they come; 4 when none came.
show() {
	local first
	IFS= read -r first || return 4
	printf '%s\n' "$first"
	exec cat
}

say_nothing_found() {
	local option chosen=''
	for option in begin end process pid; do
		[ -z "${!option}" ] || chosen+="${chosen:+ and }--$option"
	done
	say "nothing found: $nothing${chosen:+, or none is left by $chosen}"
}

# redraw TEXT: in place of what is on the terminal, in one piece: cleared first, it would flicker.
redraw() {
	printf '\033[H\033[J%s\n' "$1"
}

# Messages of a pipeline's programs: loss is said once, not by each of them; and the fields that they miss are not
# the user's choice, who is told what the trace misses.
messages() {
	awk '/ events? (was|were) lost/ && lost++ { next } /^stats: no record has the field / { next } { print; fflush() }' >&2
}

# verdict STATUS...: the status of a pipeline by that of its stages. 141 is a closed pipe: the reader had enough.
# The first is that of a command, where one was recorded: it is the pipeline's when all else is well.
verdict() {
	local status result=0 commands=0
	[ "$is_live" != command ] || { commands=$1 && shift; }
	for status; do
		case $status in
		0 | 141) ;;
		3) [ "$result" = 1 ] || result=3 ;;
		*) result=1 ;;
		esac
	done
	[ "$result" != 0 ] || result=$commands
	return "$result"
}

answer_stages() {
	local stages
	read_events | "${make[@]}" | select_records | "$@" | show
	stages=("${PIPESTATUS[@]}")
	if [ "${stages[4]}" = 4 ]; then
		stages[4]=0
		if [ -z "$is_live" ]; then
			[ "${stages[0]}${stages[1]}" != 00 ] || say_nothing_found
		elif [ "${stages[0]}" = 0 ]; then
			say 'nothing found: no such event came'
		fi
	fi
	verdict "${stages[@]}"
}

# answer COMMAND...: the rows of COMMAND on stdout, and the exit status of the pipeline. Ends the script.
# answer_lines RECORDS LINES: the same of the command LINES, which writes text for people, or of RECORDS (-o tskv).
answer() {
	[ ${#make[@]} -gt 0 ] || make=(cat)
	# Ctrl-C ends the recording; what tells of it goes on.
	[ -z "$is_live" ] || trap '' INT
	{
		answer_stages "$@" 2>&1 >&3 3>&- | messages 3>&-
		status=${PIPESTATUS[0]}
	} 3>&1
	exit "$status"
}

answer_lines() {
	if [ "$form" = tskv ]; then answer "$1"; else answer "$2"; fi
}

# Commands for answer: figures by group; the longest; all; how many of which length.
figures() {
	stats -o "$form" "${strict[@]}" -g "$by" -a count,sum,min,mean,max,stddev,p50,p95,p99 -s sum ${top:+-n "$top"} dur_ns
}
longest() {
	list -o "$form" "${strict[@]}" -f "begin_ts,dur_ns,$details" -s dur_ns -n "$top"
}
every() {
	list -o "$form" "${strict[@]}" -f "begin_ts,dur_ns,$details" ${top:+-n "$top"}
}
spread() {
	histogram -o "$form" "${strict[@]}" -g "$by" ${top:+-n "$top"} dur_ns
}
# The records as they are.
passed() {
	if [ -n "$top" ]; then head -n "$top"; else cat; fi
}

# by_mode MODE: runs the command above of that name.
by_mode() {
	case $1 in
	stats) answer figures ;;
	top) answer longest ;;
	log) answer every ;;
	freq) answer spread ;;
	esac
}

# The events, and their fields, that tell which thread is on a CPU and which one waits; that tell of system
# calls; and the calls by what they do.
# shellcheck disable=SC2034
{
	scheduling=('sched_switch' 'sched_wak*' 'sched_process_*')
	scheduling_fields=cpu,pid,tid,comm,prev_tid,prev_state,prev_comm,next_tid,next_comm,payload.tid,payload.comm
	scheduling_fields+=,target_cpu,child_pid,child_tid,child_comm,parent_pid,parent_tid,parent_comm,filename,old_tid
	calling=('syscall_*' 'sched_switch' 'sched_wak*' 'sched_process_*' 'lttng_statedump_*')
	reads=read,pread64,pread,readv,preadv,preadv2,recvfrom,recvmsg,recvmmsg
	writes=write,pwrite64,pwrite,writev,pwritev,pwritev2,sendto,sendmsg,sendmmsg
	opens=open,openat,openat2,creat,socket,accept,accept4,dup,dup2,dup3
	syncs=sync,syncfs,fsync,fdatasync,sync_file_range,msync
	copies=sendfile,sendfile64,splice,tee,vmsplice,copy_file_range
}

# For awk programs: fields() puts the record's fields into f; plain(VALUE) is the value without what a terminal
# might obey beyond the escapes that it has (C1 controls, marks that turn the direction of writing); clock(TS) is
# the date and time of a ts. A field that may be absent is passed on as text, f["key"] "": gawk 5.2 frees an
# element that is not there twice when one function passes it to another.
# shellcheck disable=SC2034
awk_records='
function fields(  i, p) {
	delete f
	for (i = 1; i <= NF; i++) {
		p = index($i, "=")
		f[substr($i, 1, p - 1)] = substr($i, p + 1)
	}
}
function plain(value) {
	gsub(/\302[\200-\237]|\342\200[\213-\217\250-\256]|\342\201[\240-\257]|\357\273\277/, "?", value)
	return value
}
function clock(ts,  days, seconds, era, of_era, year, of_year, month) {
	seconds = substr(ts, 1, length(ts) - 9) + 0
	if (seconds == clock_seconds) return clock_text
	clock_seconds = seconds
	days = int(seconds / 86400)
	seconds -= days * 86400
	# Days to a date of the Gregorian calendar, years beginning in March: H. Hinnant, civil_from_days.
	days += 719468
	era = int(days / 146097)
	of_era = days - era * 146097
	year = int((of_era - int(of_era / 1460) + int(of_era / 36524) - int(of_era / 146096)) / 365)
	of_year = of_era - (365 * year + int(year / 4) - int(year / 100))
	month = int((5 * of_year + 2) / 153)
	clock_text = sprintf("%04d-%02d-%02d %02d:%02d:%02d", year + era * 400 + (month >= 10),
		month < 10 ? month + 3 : month - 9, of_year - int((153 * month + 2) / 5) + 1,
		int(seconds / 3600), int(seconds % 3600 / 60), seconds % 60)
	return clock_text
}'
