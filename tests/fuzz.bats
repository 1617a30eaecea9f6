#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every fuzz target for a short time; `tests/fuzz/run TARGET SECONDS` runs one for longer.

load helper

setup() {
	need make clang
}

# fuzz TARGET: no input of the corpus, and none that the fuzzer makes of it, fails.
fuzz() {
	status=0
	out=$("$TESTS/fuzz/run" "$1" "${FUZZ_SECONDS:-8}" 2>&1) || status=$?
	if [ "$status" != 0 ]; then
		tail -n 50 <<<"$out"
		return 1
	fi
	[[ $out == *'Done '[0-9]*' runs'* ]] || skip "$(tail -n 1 <<<"$out")"
}

@test "the record reader" {
	fuzz reader
}

@test "babeltrace's text" {
	fuzz babeltext
}

@test "numbers and lists of options" {
	fuzz number
}

@test "perf script's text" {
	fuzz perfscript
}

@test "folded stacks, and the picture of them" {
	fuzz folded
}

@test "traces in CTF and the index of their packets, by our own reader" {
	fuzz ctf
}
