#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What every program promises (man pages, exit statuses, hostile and broken input, full disks, closed
# pipes), checked on all of them. A new program needs one line in contract.args.

load helper

# each FUNCTION [KIND...]: calls FUNCTION NAME KIND INPUT ARGUMENTS... for every program of these kinds.
each() {
	local function=$1 bad=0 name kind input args
	shift
	while read -r name kind input args; do
		[ $# = 0 ] || [[ " $* " == *" $kind "* ]] || continue
		[ -x "$WEIR_BIN/$name" ] || continue
		[ "$kind" != live ] || [ $# = 0 ] || "$WEIR_BIN/$name" --check >/dev/null 2>&1 || continue
		rm -rf "$T/work"
		mkdir "$T/work"
		args=${args//'$TESTS'/$TESTS}
		args=${args//'$T'/$T/work}
		# The arguments are words of our own file.
		# shellcheck disable=SC2086
		"$function" "$name" "$kind" "$TESTS/data/$input" $args || { echo "failed: $name $args"; bad=1; }
	done < <(grep -v '^#' "$TESTS/contract.args")
	return $bad
}

programs() {
	local source
	for source in "$TESTS"/../{collectors,filters,workloads}/*.c; do
		[ -e "$source" ] && basename "$source" .c
	done
}

@test "every program has a line in contract.args" {
	for name in $(programs); do
		grep -q "^${name}[[:space:]]" "$TESTS/contract.args" || { echo "$name has none"; false; }
	done
}

help_and_page() {
	local page=$TESTS/../man/$1.1 help
	try "$WEIR_BIN/$1" --help
	[ "$status" = 0 ] && [ -z "$err" ] && [[ $out == "$1: "*"usage: $1"* ]] || return 1
	[ -f "$page" ] || { echo "no man page"; return 1; }
	mandoc -Tlint -W warning "$page" || return 1
	# Every option of the one is in the other.
	diff <(sed -n '/^usage:/,/^examples:/p' <<<"$out" | grep -E '^  ( |-)' |
		grep -oE '^  (-[A-Za-z0-9])?,? *(--[a-z0-9-]+)?' | grep -oE -- '--?[A-Za-z0-9][a-z0-9-]*' | sort -u) \
	     <(grep -E '^\.It Fl' "$page" | sed -E 's/"[^"]*"//g; s/^\.It //' | tr ',' '\n' |
		sed -nE 's/^ *(Fl |-)(-?[A-Za-z0-9][-A-Za-z0-9]*).*/-\1\2/p' | sed 's/^-Fl /-/' | sort -u) || return 1
	for section in NAME SYNOPSIS DESCRIPTION FIELDS MEMORY 'EXIT STATUS' EXAMPLES; do
		grep -q "^\.Sh $section\$" "$page" || { echo "no section $section"; return 1; }
	done
	[ "$2" != live ] || grep -q '^\.Sh OVERHEAD$' "$page" || { echo "no section OVERHEAD"; return 1; }
}
@test "--help and the man page name the same options; the page has every section" {
	need mandoc
	each help_and_page
}

version() {
	try "$WEIR_BIN/$1" --version
	[ "$status" = 0 ] && [[ $out == "$1 (weir) "* ]] && [ -z "$err" ]
}
@test "--version" {
	each version
}

bad_option() {
	try "$WEIR_BIN/$1" --no-such-option </dev/null
	[ "$status" = 2 ] && [ -z "$out" ] && [ "$(wc -l <<<"$err")" = 1 ] && [[ $err == "$1: "* ]] || return 1
	try "$WEIR_BIN/$1" -'?' </dev/null
	[ "$status" = 2 ] && [ -z "$out" ] && [[ $err == "$1: "*"see '$1 --help'" ]]
}
@test "a wrong option: status 2, one line on stderr, nothing on stdout" {
	each bad_option
}

full_disk() {
	status=0
	err=$("$WEIR_BIN/$1" "${@:4}" <"$3" 2>&1 >/dev/full) || status=$?
	[ "$status" = 1 ] && [[ $err == *"No space left on device"* ]] || { echo "status $status: $err"; return 1; }
}
@test "an option behind the operands is no file" {
	for command in "spans $T/x -e oncpu" 'stats dur_ns --group=comm' 'where a=1 -v' "to-sqlite $T/x.db -a"; do
		# shellcheck disable=SC2086
		try $command </dev/null
		[ "$status" = 2 ] && [[ $err == *': cannot take -'*' behind '*': options come first; see '* ]] || { echo "$err"; false; }
	done
}

@test "a full disk behind stdout: status 1, and it is said" {
	each full_disk records document text live picture source
}

closed_stdout() {
	status=0
	err=$("$WEIR_BIN/$1" "${@:4}" <"$3" 2>&1 >&-) || status=$?
	[ "$status" = 1 ] && [ -n "$err" ] || { echo "status $status: $err"; return 1; }
}
@test "a closed stdout: status 1, and it is said" {
	each closed_stdout records document text live picture source
}

closed_pipe() {
	# Endless input: only the closed pipe can end this.
	err=$( { while cat "$3" 2>/dev/null; do :; done | timeout 60 "$WEIR_BIN/$1" "${@:4}" 2>&3 | head -n 1 >/dev/null; } 3>&1 )
	[ -z "${err//*" lost in "*/}" ] || { echo "$err"; return 1; }
}
@test "a closed pipe ends it at once, silently" {
	each closed_pipe records text live
}

empty_input() {
	try "$WEIR_BIN/$1" "${@:4}" </dev/null
	[ "$status" = 0 ] || { echo "status $status: $err"; return 1; }
}
@test "empty input is fine" {
	each empty_input records document text file database picture
}

cut_line() {
	head -c -3 "$3" >"$T/cut"
	try "$WEIR_BIN/$1" "${@:4}" <"$T/cut"
	[ "$status" = 1 ] && [[ $err == *"$1: "*"cut"* ]] || { echo "status $status: $err"; return 1; }
}
@test "a cut last line: status 1, and it is said" {
	each cut_line records document file
}

bad_line() {
	{ head -n 5 "$3"; echo 'no record'; head -n 5 "$3"; } >"$T/bad"
	try "$WEIR_BIN/$1" "${@:4}" <"$T/bad"
	[ "$status" = 1 ] && [[ $err == *"$1: stdin:6: not a record"* ]] || { echo "status $status: $err"; return 1; }
}
@test "a line that is no record: status 1, file and line are said" {
	each bad_line records document file
}

hostile() {
	grep -a 'ev=hostile' "$3" >"$T/hostile"
	try "$WEIR_BIN/$1" "${@:4}" <"$T/hostile"
	[ "$status" = 0 ] || { echo "status $status: $err"; return 1; }
	# Nothing on either stream may drive a terminal, and nothing may have been executed.
	! grep -qaP '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]' "$T/try.out" "$T/try.err" || return 1
	[ -z "$(find "$T/work" -newer "$T/hostile" -name 'x*')" ]
}
@test "hostile values do no harm" {
	each hostile records document file
}

missing_file() {
	try "$WEIR_BIN/$1" "${@:4}" <"$T"
	[ "$status" = 1 ] && [[ $err == *"$1: cannot read stdin: it is a directory; if it holds a trace, lttng-convert makes records of it"* ]] || { echo "status $status: $err"; return 1; }
}
@test "input that cannot be read: status 1, and it is said" {
	each missing_file records document file
}
