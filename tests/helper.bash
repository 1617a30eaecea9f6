# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What all tests share: load it with `load helper`.

bats_require_minimum_version 1.5.0
export LC_ALL=C TZ=UTC

TESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
WEIR_BIN=${WEIR_BIN:-$(dirname "$TESTS")/out/bin}
# Larger recorded traces, if they are there; tests that want one skip without.
WEIR_TRACES=${WEIR_TRACES:-$(dirname "$TESTS")/../shared/traces}
PATH=$WEIR_BIN:$PATH
T=$BATS_TEST_TMPDIR

# trace NAME: prints the directory of a recorded trace (NAME/trace, NAME/TRUTH.txt), unpacked once for all
# tests. Looks in tests/data first, then among the larger ones; fails when neither has it.
trace() {
	local archive=$TESTS/data/$1.tar.zst unpacked=$TESTS/../out/data
	[ -f "$archive" ] || archive=$WEIR_TRACES/$1.tar.zst
	[ -f "$archive" ] || return 1
	mkdir -p "$unpacked"
	(
		flock 9
		if [ ! -f "$unpacked/$1/.whole" ]; then
			rm -rf "${unpacked:?}/$1"
			tar --zstd -C "$unpacked" -xf "$archive" && touch "$unpacked/$1/.whole"
		fi
	) 9>"$unpacked/.lock-$1" || return 1
	(cd "$unpacked/$1" && pwd)
}

# need_trace NAME: trace(), or skip the test with the reason. Sets $trace.
need_trace() {
	trace=$(trace "$1") || skip "trace $1 is not here (WEIR_TRACES=$WEIR_TRACES)"
}

# need PROGRAM...: skip the test where one of them is not installed.
need() {
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

# try COMMAND...: runs it and keeps $out, $err and $status; never fails itself.
try() {
	status=0
	"$@" >"$T/try.out" 2>"$T/try.err" || status=$?
	out=$(cat "$T/try.out") err=$(cat "$T/try.err")
}

# expect STATUS STDOUT STDERR: what the last try() gave, all three exactly.
expect() {
	if [ "$status" != "$1" ] || [ "$out" != "$2" ] || [ "$err" != "$3" ]; then
		printf 'expected status %s, got %s\n' "$1" "$status"
		diff <(printf '%s\n' "$2") <(printf '%s\n' "$out") | sed 's/^/stdout: /'
		diff <(printf '%s\n' "$3") <(printf '%s\n' "$err") | sed 's/^/stderr: /'
		return 1
	fi
}

# golden NAME COMMAND...: status, stderr and stdout of the command together equal tests/golden/NAME.
# WEIR_GOLDEN=write rewrites the file (review it by git diff); a missing one fails.
golden() {
	local file=$TESTS/golden/$1
	shift
	try "$@"
	{
		echo "status $status"
		sed 's/^/stderr /' "$T/try.err"
		cat "$T/try.out"
	} >"$T/golden"
	if [ "${WEIR_GOLDEN:-}" = write ]; then
		mkdir -p "$(dirname "$file")"
		cp "$T/golden" "$file"
	fi
	diff "$file" "$T/golden"
}

# record KEY=VALUE...: prints one record.
record() {
	local IFS=$'\t'
	printf '%s\n' "$*"
}

# live: the test watches a running machine, where others run too: if it fails it is tried once more, which is said.
live() {
	BATS_TEST_RETRIES=1
	[ "$BATS_TEST_TRY_NUMBER" = 1 ] || echo "# tried again: ${BATS_TEST_FILENAME##*/} $BATS_TEST_NUMBER $BATS_TEST_DESCRIPTION" >&3
}

# need_bpf COLLECTOR: skip the test where the collector is not built or the kernel refuses its programs. The test is live().
need_bpf() {
	[ "$BATS_TEST_RETRIES" = 1 ] || live
	[ -x "$WEIR_BIN/$1" ] || skip "$1 is not built: no libbpf, clang or bpftool"
	"$WEIR_BIN/$1" --check >/dev/null 2>&1 || skip "the kernel refuses BPF programs"
}

# build NAME: compiles tests/NAME.c once for all tests and prints where it is.
build() {
	local to=$TESTS/../out/tests-bin/$1
	mkdir -p "${to%/*}"
	[ "$to" -nt "$TESTS/$1.c" ] || { cc -O1 -o "$to.$$" "$TESTS/$1.c" -pthread && mv "$to.$$" "$to"; } || return 1
	echo "$to"
}

# on_screen PATTERN: until a line of the test's terminal matches; goes on after 15 s, to what the test says of it.
# What the terminal showed then is in the file $T/screen.
on_screen() {
	for _ in {1..150}; do
		tmux -L "weir-$$" capture-pane -p >"$T/screen"
		grep -q "$1" "$T/screen" && return
		sleep 0.1
	done
	return 0
}

# wait_for FILE: until there is something in it; fails after 10 s.
wait_for() {
	for _ in {1..200}; do
		[ -s "$1" ] && return
		sleep 0.05
	done
	echo "$1 stays empty"
	return 1
}
