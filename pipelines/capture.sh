# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The backends of bench.sh. NAME_lacks prints what is missing for it, a line each, with the remedy; NAME_begin begins
# to record into $dir what descends from the process $workload; NAME_end ends it, and leaves the records of what was
# lost in $scratch/lost. Commands are told (told), so that --dry-run prints them.

collectors() {
	local one
	for one in sched syscalls proc; do
		command -v "collect-$one" >/dev/null && echo "$one"
	done
}

bpf_lacks() {
	local said
	if ! command -v collect-sched >/dev/null; then
		echo "collect-sched is not built: see what 'make' skipped, and 'make deps'"
	elif ! said=$(collect-sched --check 2>&1); then
		if [ "$(id -u)" = 0 ]; then
			echo "the kernel refuses BPF programs: collect-sched --check tells which: $(tail -n 1 <<<"$said")"
		else
			echo "no right to load BPF programs: run $pipeline as root"
		fi
	fi
}

bpf_begin() {
	local one scope
	for one in $(collectors); do
		scope=(-P "${workload:-PID}" --children)
		[ "$one" != sched ] || scope+=(--all)
		[ -z "$machine_wide" ] || scope=()
		# As LTTng records them: spans(1) then finds the paths of descriptors.
		[ "$one" != syscalls ] || scope+=(--raw)
		[ "$one" != proc ] || scope+=(--pages 1)
		streams+=("$one")
		told "collect-$one" "${scope[@]}" --ring "$ring" '|' zstd '>' "$dir/.$one.zst" ||
			job "collect-$one" stream "$one" "${scope[@]}" --ring "$ring"
	done
	[ -n "$dry" ] && return
	for one in "${streams[@]}"; do
		until [ -e "$dir/.$one.first" ]; do
			[ ! -e "$scratch/$one.failed" ] || return 1
			sleep 0.05
		done
	done
}

# stream ONE OPTION...: the first record shows that the collector is attached; zstd reads the rest itself.
stream() {
	# shellcheck disable=SC2016
	setpriv --pdeathsig TERM sh -c 'echo $$ >"$1"; shift; exec "$@"' - "$scratch/$1.collector" \
		"collect-$1" "${@:2}" 2>"$scratch/$1.err" | {
		IFS= read -r first && printf '%s\n' "$first" >"$dir/.$1.first"
		exec zstd -q -1 -f -o "$dir/.$1.zst"
	}
	verdict "${PIPESTATUS[@]}" || {
		: >"$scratch/$1.failed"
		return 1
	}
}
bpf_stop() {
	local one
	for one in "$scratch"/*.collector; do
		[ ! -s "$one" ] || kill "$(cat "$one")" 2>/dev/null
	done
	wait_jobs
}

bpf_end() {
	local one inputs=("${streams[@]/#/$scratch/}") status=0
	told LC_ALL=C sort -m "${streams[@]/#/$dir/.}" '|' zstd -o "$dir/records.tskv.zst" && return
	bpf_stop || status=1
	for one in "${streams[@]}"; do
		grep -v ' 0 lost' "$scratch/$one.err" >&2
		mkfifo "$scratch/$one"
		job "reading what collect-$one wrote" recorded_by "$one"
	done
	sort -m "${inputs[@]}" | where -t "$scratch/lost" ev=lost | plain_text | zstd -q -o "$dir/records.tskv.zst" ||
		status=1
	wait_jobs || status=1
	rm -f "$dir"/.*.first "$dir"/.*.zst
	return "$status"
}

# recorded_by COLLECTOR: writes its records into its pipe, as spans. What collect-proc tells of lives, spans would tell again.
recorded_by() {
	local kinds=syscall
	[[ " ${streams[*]} " == *' proc '* ]] || kinds+=,fork,exec,exit
	{ cat "$dir/.$1.first"; zstd -dcq "$dir/.$1.zst"; } |
		if [ "$1" != syscalls ]; then
			cat
		elif ! spans -e "$kinds" 2>"$scratch/spans"; then
			cat "$scratch/spans" >&2
			return 1
		fi >"$scratch/$1"
}

plain_text() {
	if [ -n "$text" ]; then exec tee "$dir/trace_output.txt"; else exec cat; fi
}

lttng_command() {
	told "${as_lttng[@]}" lttng -n "$@" && return
	"${as_lttng[@]}" lttng -n "$@" >>"$scratch/lttng" 2>&1 || {
		say "lttng $1 failed: $(tail -n 1 "$scratch/lttng")"
		return 1
	}
}

lttng_lacks() {
	if ! command -v lttng >/dev/null || ! command -v lttng-sessiond >/dev/null; then
		echo "LTTng is not installed: lttng and lttng-sessiond are in lttng-tools"
	elif [ ! -d /sys/module/lttng_tracer ] && ! modinfo lttng-tracer >/dev/null 2>&1; then
		echo "LTTng's kernel modules are not there for Linux $(uname -r): install lttng-modules-dkms"
	elif [ "$(id -u)" != 0 ] && ! id -nG | grep -qw tracing; then
		echo "no right to trace the kernel: run $pipeline as root, or be in the group 'tracing'"
	fi
	text_lacks
}

ust_lacks() {
	command -v lttng >/dev/null && command -v lttng-sessiond >/dev/null ||
		echo "LTTng is not installed: lttng and lttng-sessiond are in lttng-tools"
	text_lacks
}

text_lacks() {
	[ -z "$text" ] || command -v babeltrace2 >/dev/null ||
		echo "babeltrace2 is not installed, which makes trace_output.txt: install babeltrace2, or give --no-text"
}

# A daemon of LTTng that runs is used, else one is started, and ended again.
sessiond_begin() {
	lttng --no-sessiond list >/dev/null 2>&1 && return
	told lttng-sessiond --daemonize --pidfile="$scratch/sessiond.pid" "$@" && return
	lttng-sessiond --daemonize --pidfile="$scratch/sessiond.pid" "$@" >>"$scratch/lttng" 2>&1 || {
		say "lttng-sessiond does not start: $(head -n 1 "$scratch/lttng")"
		return 1
	}
}

session_begin() {
	lttng_command create "$session" --output="$dir" || return
	[ -n "$dry" ] || : >"$scratch/session"
}

# channel DOMAIN NAME CONTEXT...
channel() {
	local one domain=$1 channel=$2
	shift 2
	lttng_command enable-channel "$domain" -s "$session" --subbuf-size="$subbuf_size" --num-subbuf="$num_subbuf" \
		"$channel" || return
	for one; do
		lttng_command add-context "$domain" -s "$session" -c "$channel" -t "$one" || return
	done
}

# What reports are made of. The state dump comes with lttng start.
kernel_events=('sched_*' 'irq_*' 'softirq_*' 'block_rq_*' kmem_mm_page_alloc kmem_mm_page_free '*rss_stat' 'lttng_statedump_*')
lttng_begin() {
	local one
	sessiond_begin && session_begin && channel -k kernel_channel pid tid ppid procname vpid vtid || return
	if [ -n "$all_events" ]; then
		lttng_command enable-event -k -s "$session" -c kernel_channel --all || return
	else
		for one in "${kernel_events[@]}"; do
			# A kernel may have some of these only.
			lttng_command enable-event -k -s "$session" -c kernel_channel "$one" || [ "$one" != 'sched_*' ] || return
		done
		lttng_command enable-event -k -s "$session" -c kernel_channel --syscall --all || return
	fi
	lttng_command start "$session"
}

ust_begin() {
	sessiond_begin --no-kernel && session_begin && channel -u ust_channel vpid vtid procname &&
		lttng_command enable-event -u -s "$session" -c ust_channel "$ust" && lttng_command start "$session"
}

lttng_end() {
	lttng_command stop "$session" && lttng_command destroy "$session" || return
	[ -n "$dry" ] || rm -f "$scratch/session"
	sessiond_end
	if [ -n "$text" ]; then
		told babeltrace2 "$dir" '>' "$dir/trace_output.txt" ||
			babeltrace2 "$dir" >"$dir/trace_output.txt" 2>"$scratch/babeltrace" || {
			say "babeltrace2: $(tail -n 1 "$scratch/babeltrace")"
			return 1
		}
	fi
	[ -z "$dry" ] || return 0
	lttng-convert -e none "$dir" 2>/dev/null | where ev=lost >"$scratch/lost"
	# As collect-proc tells them: spans(1) makes none of LTTng's events.
	memtop pages -o tskv --top 1000000 "$dir" 2>/dev/null |
		sed 's/\tev=stats\t/\tev=pages\t/; s/_pages\.sum=/_pages=/g' >>"$dir/load.tskv"
}
ust_end() { lttng_end; }

sessiond_end() {
	local pid
	[ -s "$scratch/sessiond.pid" ] || return 0
	pid=$(cat "$scratch/sessiond.pid")
	rm -f "$scratch/sessiond.pid"
	kill "$pid" 2>/dev/null && { gone "$pid" 100 || kill -s KILL "$pid"; }
}
