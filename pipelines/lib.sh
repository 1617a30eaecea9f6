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

help() {
	sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0"
	exit 0
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
# or babeltrace's text, or of stdin (-), to stdout. Further arguments go to lttng-convert.
open_records() {
	local input=$1
	shift
	case $input in
	net://* | net4://*) lttng-convert "$@" "$input" ;;
	-) cat ;;
	*.zst) zstd -dcq -- "$input" ;;
	*.gz) gzip -dc -- "$input" ;;
	*)
		if [ -f "$input" ] && [ "$(head -c 3 -- "$input")" = ts= ]; then
			cat -- "$input"
		else
			lttng-convert "$@" -- "$input"
		fi
		;;
	esac
}
