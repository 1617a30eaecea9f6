#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# collect-stacks on programs whose functions are known. Skipped where BPF is refused.

load helper

setup_file() {
	export BUILT=$BATS_FILE_TMPDIR
	command -v gcc >/dev/null || return 0
	gcc -O2 -fomit-frame-pointer -o "$BUILT/burn" "$TESTS/symbols/burn.c"
	gcc -O2 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls -fno-shrink-wrap \
		-DDIRECT -o "$BUILT/pointers" "$TESTS/symbols/burn.c" 2>/dev/null || true
	strip -o "$BUILT/stripped" "$BUILT/burn"
}

setup() {
	[ -x "$WEIR_BIN/collect-stacks" ] || skip "collect-stacks was not built"
	collect-stacks --check >/dev/null 2>"$T/check" || skip "BPF is refused: $(head -n 1 "$T/check")"
	need gcc
}

# stacks FILE: how often each was seen, the most frequent first.
stacks() {
	grep $'\tev=cpu\t' "$1" | sed 's/.*\tstack=//' | sort | uniq -c | sort -rn
}

# Nothing but stacks that the pattern matches, and at least N of them.
all_match() {
	local pattern=$1 n=$2
	stacks "$T/out" >"$T/stacks"
	grep -vE "^ *[0-9]+ $pattern\$" "$T/stacks" && return 1
	[ "$(awk '{ n += $1 } END { print n + 0 }' "$T/stacks")" -ge "$n" ]
}

@test "without frame pointers, through libc: every stack is whole and right" {
	try collect-stacks -u -F 499 --unwind dwarf -o "$T/out" -- "$BUILT/burn" 0.5
	[ "$status" = 0 ]
	# The beginning and the end of a program are libc's and the loader's.
	grep -v $'\tstack=.*;main;outer;' "$T/out" >"$T/rest" || true
	[ "$(wc -l <"$T/rest")" -le 5 ]
	grep $'\tstack=.*;main;outer;' "$T/out" >"$T/inside"
	mv "$T/inside" "$T/out"
	all_match '_start;.*;main;outer;qsort.*;compare;middle;(now.*|inner(;now.*|;leaf|;leaf;seldom)?)' 5
}

@test "with frame pointers: every stack is right from main to the leaf" {
	[ -x "$BUILT/pointers" ] || skip "this compiler has other options"
	try collect-stacks -u -F 499 -o "$T/out" -- "$BUILT/pointers" 0.5
	[ "$status" = 0 ]
	# Those that are within the loop: nearly all.
	all=$(wc -l <"$T/out")
	grep -E $';leaf$' "$T/out" >"$T/inside"
	[ "$(wc -l <"$T/inside")" -ge $((all * 8 / 10)) ]
	mv "$T/inside" "$T/out"
	all_match '.*main;outer;compare[^;]*;middle;inner;leaf' 5
}

@test "a stripped program: its name and offsets; functions of libraries keep theirs" {
	try collect-stacks -u -F 499 --unwind dwarf -o "$T/out" -- "$BUILT/stripped" 0.5
	[ "$status" = 0 ]
	[[ $err = *" frames ("*" %) have no name"* ]]
	grep -E $'\tstack=.*qsort.*(;\\[stripped\\+0x[0-9a-f]+\\])+$' "$T/out" >"$T/inside"
	[ "$(wc -l <"$T/inside")" -ge 5 ]
	# The offsets are those that addr2line takes.
	at=$(head -n 1 "$T/inside" | grep -oE '0x[0-9a-f]+\]$' | tr -d ']')
	[[ $(addr2line -f -e "$BUILT/burn" "$at" | head -n 1) =~ ^(leaf|seldom|inner|now)$ ]]
}

# python_program: one that works in inner(), called by outer(), as $T/program.py.
python_program() {
	need python3
	cat >"$T/program.py" <<-'END'
		import time
		def inner(end):
		    n = 0
		    while time.process_time() < end:
		        for i in range(10000): n += i * i
		    return n
		def outer(end):
		    return inner(end) + 1
		outer(time.process_time() + 1)
	END
}

@test "CPython gives whole stacks of the interpreter" {
	python_program
	try collect-stacks -u -F 199 --unwind dwarf --copy 60K -o "$T/out" -- python3 "$T/program.py"
	[ "$status" = 0 ]
	total=$(wc -l <"$T/out")
	whole=$(grep -cE $'\tstack=_start;.*;Py_BytesMain;' "$T/out")
	[ "$total" -ge 5 ]
	[ "$whole" -ge $((total * 8 / 10)) ]
}

@test "CPython with -X perf gives those of Python's functions too" {
	python_program
	python3 -X perf -c 'import sys; sys.exit(not sys.is_stack_trampoline_active())' 2>/dev/null ||
		skip "this Python has no -X perf"
	try collect-stacks -u -F 199 --unwind dwarf --copy 60K -o "$T/out" -- python3 -X perf "$T/program.py"
	grep -qE $'\tstack=.*;py::<module>:[^;]*program.py;.*py::outer:[^;]*;.*py::inner:' "$T/out"
}

@test "programs that end at once have names: captured as they begin" {
	need cat
	head -c 4000000 /dev/urandom >"$T/bytes"
	# shellcheck disable=SC2016
	try collect-stacks -F 999 --unwind dwarf -o "$T/out" -- \
		sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do md5sum "$1"; done >/dev/null' sh "$T/bytes"
	[ "$status" = 0 ]
	total=$(grep -c $'\tcomm=md5sum\t' "$T/out")
	unmapped=$(grep $'\tcomm=md5sum\t' "$T/out" | grep -c unmapped) || true
	[ "$total" -ge 5 ]
	[ "$unmapped" -le $((total / 5)) ]
}

@test "kernel and user frames apart; the kernel's are those of /proc/kallsyms" {
	work=(dd if=/dev/zero of=/dev/null bs=1M count=3000)
	try collect-stacks -k -F 499 -o "$T/out" -- "${work[@]}"
	[ "$status" = 0 ]
	[[ $(grep -v ' 0000000000000000 ' /proc/kallsyms | head -n 1) != 0000000000000000* ]] || skip "no addresses to see"
	sed -n 's/.*\tstack=//p' "$T/out" | tr ';' '\n' | sort -u >"$T/frames"
	[ "$(wc -l <"$T/frames")" -ge 3 ]
	awk '{ print $3 }' /proc/kallsyms | sort -u >"$T/known"
	[ -z "$(comm -23 "$T/frames" "$T/known")" ]
	try collect-stacks -u -F 499 -o "$T/out" -- "${work[@]}"
	sed -n 's/.*\tstack=//p' "$T/out" | tr ';' '\n' | grep -cE '^(entry_SYSCALL_64|el0t_64_sync)' && return 1
	true
}

@test "the rate is what was asked for; each CPU that works is sampled" {
	try collect-stacks -F 99 -u -o "$T/out" -- "$BUILT/burn" 1
	[ "$status" = 0 ]
	# A second of work gives 99 samples, fewer when others take the CPU meanwhile.
	n=$(grep -c $'\tcomm=burn\t' "$T/out")
	[ "$n" -ge 5 ]
	[ "$n" -le 110 ]
	[[ $err = "collect-stacks: 99 samples a second on each CPU, by "c* ]]
}

@test "it ends when it is told to, however many samples come" {
	timeout -s INT -k 15 1 collect-stacks --all -F 10000 -o "$T/out" -P 1 2>"$T/err" || status=$?
	[ "${status:-0}" != 137 ]
	[ "${status:-0}" = 0 ] || [ "${status:-0}" = 124 ]
	grep -qE '^collect-stacks: [0-9]+ events in ' "$T/err"
}

@test "wrong command lines" {
	try collect-stacks -k -u
	expect 2 '' "collect-stacks: -k and -u leave nothing; see 'collect-stacks --help'"
	try collect-stacks --copy 4K
	expect 2 '' "collect-stacks: --copy goes with --unwind dwarf; see 'collect-stacks --help'"
	try collect-stacks --unwind dwarf --copy 61K
	expect 2 '' "collect-stacks: cannot use '61K' for --copy: it takes a size from 1K to 60K; see 'collect-stacks --help'"
	try collect-stacks --ring 2
	expect 2 '' "collect-stacks: cannot use '2' for --ring: it takes a size from 4K to 1G; see 'collect-stacks --help'"
	try collect-stacks -F 0
	[ "$status" = 2 ]
	try collect-stacks -F 10001
	[ "$status" = 2 ]
}
