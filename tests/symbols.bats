#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Names for addresses (lib/stacks/symbols.h): tests/unit/symbols.c asks for them, addr2line, llvm-symbolizer and nm know them too.

load helper

# flags FILE...: what compiles and links it, as the Makefile does it, against the library beside the programs.
flags() {
	local out
	out=$(dirname "$WEIR_BIN")
	[[ $out != */san ]] || printf '%s ' -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all
	[[ $out != */coverage ]] || echo --coverage
	echo "-std=gnu11 -D_GNU_SOURCE -O1 -g -I$TESTS/../lib -pthread"
	echo "$* $out/libweir.a -liberty $(pkg-config --cflags --libs libdw libelf zlib) -lm"
}

setup_file() {
	export BUILT=$BATS_FILE_TMPDIR
	pkg-config --exists libdw libelf zlib 2>/dev/null || return 0
	# shellcheck disable=SC2046
	"${CC:-cc}" -o "$BUILT/symbols" $(flags "$TESTS/unit/symbols.c") || return 0
	command -v g++ >/dev/null || return 0
	g++ -O2 -g -o "$BUILT/pie" -fPIE -pie "$TESTS/symbols/known.cc"
	g++ -O2 -g -o "$BUILT/fixed" -fno-pie -no-pie "$TESTS/symbols/known.cc"
	g++ -O2 -o "$BUILT/plain" "$TESTS/symbols/known.cc"
	strip -o "$BUILT/stripped" "$BUILT/pie"
	gcc -O2 -fomit-frame-pointer -o "$BUILT/burn" "$TESTS/symbols/burn.c"
}

setup() {
	[ -x "$BUILT/symbols" ] || skip "libdw, libelf, zlib or libiberty is not here"
	PATH=$BUILT:$PATH
}

teardown() {
	[ -z "${known:-}" ] || kill "$known" 2>/dev/null || true
}

# instructions ELF: their addresses, in hexadecimal.
instructions() {
	objdump -d --no-show-raw-insn "$1" | awk '/^ +[0-9a-f]+:/ { sub(":", "", $1); print $1 }'
}

# start PROGRAM [ARGUMENT...]: runs known.cc, sets $pid, $main, $global, $made, $vdso; `echo >&8` lets it go on.
start() {
	need g++
	mkfifo "$T/in.$1" "$T/out.$1"
	"$BUILT/$1" "${@:2}" <"$T/in.$1" >"$T/out.$1" 3>&- &
	known=$!
	exec 8>"$T/in.$1" 9<"$T/out.$1"
	local line
	read -r line <&9
	for word in $line; do
		printf -v "${word%%=*}" %s "${word#*=}"
	done
}

# ask REQUEST...: the answers on $answer, one line each.
ask() {
	try symbols < <(printf '%s\n' "$@")
	answer=$out
}

@test "every instruction has the names that addr2line and llvm-symbolizer give it: inlined, static, C++, Rust" {
	need g++ addr2line llvm-symbolizer objdump nm python3
	for elf in pie fixed plain; do
		instructions "$BUILT/$elf" >"$T/at"
		sed 's/^/saved /' "$T/at" | symbols -e "$BUILT/$elf" 2>/dev/null | paste -d ' ' "$T/at" - >"$T/ours"
		grep -q ' mycrate::module::new$' "$T/ours"
		grep -q ' mycrate::module::old$' "$T/ours"
		grep -q ' plain_static$' "$T/ours"
		[ "$elf" = plain ] || grep -q ' int space::thing::go<long>(long);middle;innermost$' "$T/ours"
		"$TESTS/symbols/compare-symbolizer.py" "$BUILT/$elf" "$T/ours" >"$T/differ"
		cat "$T/differ"
		[ "$(wc -l <"$T/differ")" = 1 ]
		grep -qE '^compared [1-9][0-9]+ ' "$T/differ"
	done
}

@test "inlined functions of libc are those of llvm-symbolizer, from /usr/lib/debug" {
	need llvm-symbolizer python3 nm readelf
	local libc
	libc=$(ldd "$(command -v bash)" | awk '/libc.so/ { print $3 }')
	id=$(readelf -n "$libc" | awk '/Build ID/ { print $3 }')
	debug=/usr/lib/debug/.build-id/${id:0:2}/${id:2}.debug
	[ -f "$debug" ] || skip "no debug file of libc is here"
	nm -S --defined-only "$debug" | python3 -c '
import random, sys
random.seed(5)
functions = [(int(s[0], 16), int(s[1], 16)) for s in map(str.split, sys.stdin) if len(s) == 4 and s[2] in "tT"]
for i in range(2000):
	start, size = random.choice(functions)
	print("%x" % (start + random.randrange(size)))' >"$T/at"
	sed 's/^/saved /' "$T/at" | symbols -e "$libc" >"$T/names"
	# The outermost may have other names there: this compares those inlined into it.
	paste -d ' ' "$T/at" <(sed 's/^[^;]*//' "$T/names") >"$T/ours"
	sed 's/^/0x/' "$T/at" | llvm-symbolizer -a -i -f -C -e "$debug" | python3 -c '
import sys
stacks = []
for line in sys.stdin.read().split("\n"):
	if line.startswith("0x"):
		stacks.append([])
		name = True
	elif line:
		if name:
			stacks[-1].insert(0, line)
		name = not name
for stack in stacks:
	print("".join(";" + frame for frame in stack[1:]))' | paste -d ' ' "$T/at" - >"$T/theirs"
	diff "$T/theirs" "$T/ours" | head -n 20
	cmp "$T/theirs" "$T/ours"
	[ "$(grep -c ';' "$T/ours")" -ge 50 ]
}

@test "a stripped file: its name and the offset; names again from a debug file beside it" {
	need g++ objcopy nm
	at=$(nm "$BUILT/pie" | awk '$3 == "plain_global" { sub(/^0*/, "", $1); print $1 }')
	try symbols -e "$BUILT/stripped" <<<"saved $at"
	expect 0 "[stripped+0x$at]" 'symbols: 1 of 1 frames (100.0 %) have no name'
	mkdir "$T/beside"
	objcopy --only-keep-debug "$BUILT/pie" "$T/beside/known.debug"
	objcopy --strip-all --remove-section=.note.gnu.build-id --add-gnu-debuglink="$T/beside/known.debug" \
		"$BUILT/pie" "$T/beside/linked"
	try symbols -e "$T/beside/linked" <<<"saved $at"
	[ "$out" = plain_global ]
}

@test "a live process, position-independent or not, its vdso; then when it ended and its file is gone" {
	need g++
	for elf in pie fixed; do
		cp "$BUILT/$elf" "$BUILT/gone-$elf"
		start "gone-$elf"
		mkfifo "$T/step-$elf"
		printf '%s\n' "$pid $global" "$pid $vdso" wait "$pid $main" "$pid 10" |
			symbols 3<"$T/step-$elf" >"$T/answer" 2>"$T/error" &
		asking=$!
		exec 7>"$T/step-$elf"
		sleep 0.3
		rm "$BUILT/gone-$elf"
		cp "$BUILT/stripped" "$BUILT/gone-$elf"
		echo >&8
		wait "$known"
		echo >&7
		exec 7>&-
		wait "$asking"
		[ "$(cat "$T/answer")" = "$(printf '%s\n' plain_global clock_gettime main '[unmapped+0x10]')" ]
	done
}

@test "a process that ended before it was heard of; one that is no process" {
	start pie
	echo >&8
	wait "$known"
	ask "$pid $main" "0 $main"
	[ "$answer" = "$(printf '%s\n' "[unmapped+0x$main]" "[unmapped+0x$main]")" ]
	[ "$status" = 0 ]
}

@test "more files than are kept open: one that was replaced meanwhile gives no wrong names" {
	need g++ nm python3
	at=$((0x$(nm "$BUILT/pie" | awk '$3 == "plain_global" { print $1 }')))
	mkdir "$T/many"
	for i in $(seq 300); do cp "$BUILT/pie" "$T/many/$i"; done
	mkfifo "$T/mapped" "$T/step"
	python3 -c '
import mmap, os, sys
kept = []
for i in range(1, 301):
	fd = os.open("%s/%d" % (sys.argv[1], i), os.O_RDONLY)
	kept.append(mmap.mmap(fd, 1 << 13, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC))
	os.close(fd)
print(os.getpid(), flush=True)
sys.stdin.read()' "$T/many" >"$T/mapped" < <(exec sleep 20) 3>&- &
	known=$!
	read -r pid <"$T/mapped"
	sed -n "s|^\\([0-9a-f]*\\)-.* $T/many/.*|\\1|p" "/proc/$pid/maps" | while read -r start; do
		printf '%s %x\n' "$pid" $((0x$start + at))
	done >"$T/asked"
	{ head -n 1 "$T/asked" && echo wait && cat "$T/asked"; } | symbols 3<"$T/step" >"$T/answer" 2>"$T/error" &
	asking=$!
	exec 7>"$T/step"
	sleep 0.5
	# Another program in their place, where the same offset lies in another function.
	for i in $(seq 300); do cp "$BUILT/burn" "$T/new" && mv "$T/new" "$T/many/$i"; done
	echo >&7
	exec 7>&-
	wait "$asking"
	[ "$(wc -l <"$T/answer")" = 301 ]
	[ "$(grep -c '^plain_global$' "$T/answer")" -ge 100 ]
	replaced=$(grep -cE '^\[[0-9]+\+0x' "$T/answer")
	[ "$replaced" -ge 20 ]
	run ! grep -qvE '^(plain_global|\[[0-9]+\+0x[0-9a-f]+\])$' "$T/answer"
	grep -q "^symbols: $replaced frames have no name because their file was replaced$" "$T/error"
}

@test "another program by exec" {
	start pie "$BUILT/fixed"
	mkfifo "$T/step"
	fixed_main=$(nm "$BUILT/fixed" | awk '$3 == "main" { print $1 }')
	printf '%s\n' "$pid/1 $main" wait "$pid/2 $fixed_main" "$pid/1 $main" |
		symbols 3<"$T/step" >"$T/answer" 2>"$T/error" &
	asking=$!
	exec 7>"$T/step"
	sleep 0.3
	echo >&8
	read -r line <&9
	echo >&7
	exec 7>&-
	wait "$asking"
	[ "$(cat "$T/answer")" = "$(printf 'main\nmain\nmain')" ]
}

@test "functions made at run time: by the process's own perf map and no other" {
	start pie
	map=/tmp/perf-$pid.map
	offset=$(printf '%x' $((0x$made + 0x110)))
	unknown="[anon+0x110]"
	ask "$pid $offset"
	[ "$answer" = "$unknown" ]
	{
		printf '%x 40 old;name of\x1b\\it\n' $((0x$made + 0x100))
		printf '0x%x 0x100 before\n' "0x$made"
		echo 'no line of a map'
		printf '%x 0 nothing\n' $((0x$made + 0x300))
		printf '%x zz bad\n' $((0x$made + 0x100))
		printf '%x 40 a;b \x1b\\_ZN2ns1fEv\n' $((0x$made + 0x100))
		printf '%x 40 half a li' $((0x$made + 0x100))
	} >"$map"
	ask "$pid $offset" "$pid $(printf '%x' $((0x$made + 0x140)))" "$pid $(printf '%x' $((0x$made + 0xff)))"
	[ "$answer" = "$(printf '%s\n' 'a\\x3bb \x1b\\_ZN2ns1fEv' '[anon+0x140]' before)" ]
	touch -d '1 hour ago' "$map"
	ask "$pid $offset"
	[ "$answer" = "$unknown" ]
	touch "$map"
	mv "$map" "$T/elsewhere"
	ln -s "$T/elsewhere" "$map"
	ask "$pid $offset"
	rm "$map"
	[ "$answer" = "$unknown" ]
	mkfifo "$map"
	ask "$pid $offset"
	rm "$map"
	[ "$answer" = "$unknown" ]
	if [ "$(id -u)" = 0 ]; then
		cp "$T/elsewhere" "$map"
		chown 65534 "$map"
		ask "$pid $offset"
		rm "$map"
		[ "$answer" = "$unknown" ]
	fi
}

@test "a process with other mounts and pids: its own files and perf map" {
	need unshare mount
	unshare -pfm --mount-proc true 2>/dev/null || skip "namespaces are refused"
	mkfifo "$T/in" "$T/out"
	# shellcheck disable=SC2016
	unshare -pfm --mount-proc sh -c 'exec 5<"$1" && mount -t tmpfs none /tmp && cat <&5 >/tmp/inner &&
		chmod 755 /tmp/inner && exec /tmp/inner 5<&-' sh "$BUILT/pie" <"$T/in" >"$T/out" 3>&- &
	exec 8>"$T/in" 9<"$T/out"
	read -r line <&9
	for word in $line; do
		printf -v "inner_${word%%=*}" %s "${word#*=}"
	done
	outer=$(pgrep -f '^/tmp/inner$' -n)
	known=$outer
	printf '%s 100 within\n' "$inner_made" >"/proc/$outer/root/tmp/perf-$inner_pid.map"
	ask "$outer $inner_global" "$outer $inner_made"
	[ "$answer" = "$(printf 'plain_global\nwithin')" ]
	[ "$inner_pid" != "$outer" ]
}

@test "saved mappings: a file counts only when it is the one that was mapped" {
	need g++ nm
	at=$((0x$(nm "$BUILT/pie" | awk '$3 == "plain_global" { print $1 }')))
	inode=$(stat -c %i "$BUILT/pie")
	maps() { printf '%x-%x r-xp 00000000 fe:00 %s    %s\n' "$1" $(($1 + 0x100000)) "$2" "$3"; }
	{
		maps $((0x10000000)) "$inode" "$BUILT/pie"
		maps $((0x20000000)) $((inode + 1)) "$BUILT/pie"
		maps $((0x30000000)) 5 '/a b/lib;x y.so\012z (deleted)'
		maps $((0x40000000)) 0 '[vdso]'
		printf '50000000-50001000 r-xp 00000000 00:00 0 \n'
		printf '60000000-60001000 r-xp 00000000 00:00 0\n'
		printf '70000000-70001000 rw-p 00000000 00:00 0 [heap]\n'
	} >"$T/maps"
	requests=$(for base in 1 2 3 4; do printf 'saved %x\n' $((base * 0x10000000 + at)); done
		printf 'saved %x\n' 0x50000001 0x60000001 0x70000001)
	try symbols -m "$T/maps" <<<"$requests"
	off=$(printf '%x' $at)
	expect 0 "plain_global
[pie+0x$off]
[lib\\\\x3bx y.so\\\\012z+0x$off]
[vdso+0x$off]
[anon+0x1]
[anon+0x1]
[unmapped+0x70000001]" 'symbols: 6 of 7 frames (85.7 %) have no name'
	# A file that is named counts for all mappings of its name.
	try symbols -m "$T/maps" -e "$BUILT/pie" <<<"$requests"
	[ "$(head -n 2 "$T/try.out")" = "$(printf 'plain_global\nplain_global')" ]
	# None has its name: it is where it is said to be.
	try symbols -m "$T/maps" -e "$BUILT/plain@0x90000000" <<<"saved $(printf '%x' $((0x90000000 +
		0x$(nm "$BUILT/plain" | awk '$3 == "main" { print $1 }'))))"
	expect 0 main ''
}

@test "files that are none: the message names them" {
	printf 'x\n' >"$T/x"
	try symbols -e "$T/x"
	expect 1 '' "symbols: cannot read $T/x: it is no ELF program or library"
	try symbols -e "$T/absent"
	expect 1 '' "symbols: cannot read $T/absent: No such file or directory"
	try symbols -m "$T/absent"
	expect 1 '' "symbols: cannot open $T/absent: No such file or directory"
	printf '10-20 r-xp 0 00:00 0\n20-10 r-xp 0 00:00 0\n' >"$T/x"
	try symbols -m "$T/x"
	expect 1 '' "symbols: $T/x, line 2: no line of /proc/PID/maps"
	try symbols -k "$T/x"
	expect 1 '' "symbols: cannot read $T/x: it is no list of kernel symbols"
	printf '0000000000000000 T startup_64\n' >"$T/x"
	try symbols -k "$T/x"
	expect 1 '' "symbols: cannot name the kernel's functions: $T/x shows no addresses; copy it as root"
	mkfifo "$T/fifo"
	try timeout 5 symbols -e "$T/fifo"
	expect 1 '' "symbols: cannot read $T/fifo: Invalid argument"
}

@test "kernel functions: as a search by awk finds them; compressed or not" {
	need python3
	{
		printf '0000000000001000 A per_cpu\n'
		printf 'ffffffff81000000 T _first\nffffffff81000000 t first\nffffffff81000100 T second\n'
		printf 'ffffffff81000180 D data\n'
		printf 'ffffffff81000200 t third\t[module]\n'
	} >"$T/kallsyms"
	gzip -k "$T/kallsyms"
	for file in kallsyms kallsyms.gz; do
		try symbols -k "$T/$file" <<-'END'
			kernel ffffffff81000210 ffffffff81000100 ffffffff810000ff
			!kernel ffffffff81000190 ffffffff80000000
		END
		expect 0 'first;first;third
[truncated];[kernel+0xffffffff80000000];second' 'symbols: 1 of 5 frames (20.0 %) have no name
symbols: 1 of 2 stacks (50.0 %) are truncated'
	done
	[ -f "$WEIR_TRACES/kallsyms.gz" ] || return 0
	gzip -dc "$WEIR_TRACES/kallsyms.gz" | python3 -c '
import bisect, random, sys
random.seed(2)
rows = sorted((int(w[0], 16), len(w[2]) - len(w[2].lstrip("_")), w[2]) for w in map(str.split, sys.stdin)
              if w[1] in "tTwW" and int(w[0], 16) >> 63)
starts = [r[0] for r in rows]
with open(sys.argv[1], "w") as asked, open(sys.argv[2], "w") as wanted:
	for i in range(5000):
		at = random.choice(starts) + random.randrange(64)
		print("kernel %x" % at, file=asked)
		print(rows[bisect.bisect_left(starts, starts[bisect.bisect_right(starts, at) - 1])][2], file=wanted)' \
		"$T/asked" "$T/wanted"
	symbols -k "$WEIR_TRACES/kallsyms.gz" <"$T/asked" >"$T/got"
	cmp "$T/wanted" "$T/got"
}

@test "callers without frame pointers, through libc, of a stopped process" {
	need gcc
	case $(uname -m) in x86_64 | aarch64) ;; *) skip "not for this machine" ;; esac
	burn 0 &
	known=$!
	sleep 0.3
	ask "unwind $known" "unwind $known 2048"
	# By libc's debug information: between main and compare it may name its own functions, or not.
	[[ $(head -n 1 <<<"$answer") =~ ^_start\;.*main\;outer\;qsort.*\;compare\;middle\;inner\;.*pause$ ]]
	# The copy ends within the frame of inner(): what is above it is missing, and said to be.
	[[ $(tail -n 1 <<<"$answer") =~ ^\[truncated\]\;inner\;.*pause$ ]]
	[ "$err" = 'symbols: 1 of 2 stacks (50.0 %) are truncated' ]
}

@test "a return address belongs to the call before it; the innermost is where it is" {
	need g++ nm
	at=$(nm "$BUILT/plain" | awk '$3 == "plain_global" { print $1 }')
	try symbols -e "$BUILT/plain" <<<"saved $at $at"
	[ "${out##*;}" = plain_global ]
	[ "${out%%;*}" != plain_global ]
}

@test "a name that would fill the memory is cut" {
	need gcc
	bomb=$(python3 -c '
print("_Z1fI" + "".join("N1aI%s%sE1bE" % ((s, s)) for s in ["ii"] + ["S%s_" % c for c in [""] + [str(i) for i in range(9)]]) + "Evv")')
	printf '.globl main\nmain: ret\n.globl "%s"\n.type "%s",@function\n"%s": nop; ret\n.size "%s",2\n' \
		"$bomb" "$bomb" "$bomb" "$bomb" >"$T/bomb.s"
	gcc -nostdlib -no-pie -Wl,-e,main -o "$T/bomb" "$T/bomb.s"
	try timeout 10 symbols -e "$T/bomb" <<<"saved $(nm "$T/bomb" | awk '/_Z1f/ { print $1 }')"
	[ "$status" = 0 ]
	[ "${#out}" -le 1100 ]
}

@test "200 damaged ELF files: an answer for each address" {
	need g++ python3
	instructions "$BUILT/pie" | sed 's/^/saved /' >"$T/asked"
	python3 -c '
import random, sys
random.seed(11)
whole = open(sys.argv[1], "rb").read()
for i in range(200):
	data = bytearray(whole)
	for j in range(random.choice([1, 5, 50, 500])):
		data[random.randrange(0 if i % 2 else 64, len(data))] = random.randrange(256)
	if i % 5 == 0:
		del data[random.randrange(100, len(data)):]
	open("%s/damaged.%d" % (sys.argv[2], i), "wb").write(data)' "$BUILT/pie" "$T"
	for i in $(seq 0 199); do
		try timeout 10 symbols -e "$T/damaged.$i" <"$T/asked"
		[ "$status" = 0 ] || [[ $err = *"it is no ELF program or library" ]] || {
			echo "file $i: status $status: $err"
			return 1
		}
	done
}
