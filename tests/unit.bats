#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Small programs that check parts of lib/ against models and libc.

load helper

# unit NAME [ARGUMENT...]: builds tests/unit/NAME.c against the library beside the programs, and runs it.
unit() {
	local name=$1 out
	out=$(dirname "$WEIR_BIN")
	shift
	[ -f "$out/libweir.a" ] || skip "$out/libweir.a is not there"
	# The library of a build with sanitizers wants them too.
	local flags=()
	[[ $out != */san ]] || flags=(-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all)
	[[ $out != */coverage ]] || flags=(--coverage)
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -g -I"$TESTS/../lib" -pthread "${flags[@]}" -o "$T/$name" \
		"$TESTS/unit/$name.c" "$out/libweir.a" -lm
	"$T/$name" "$@"
}

@test "tables do what an array does" {
	unit table
}

@test "interned strings keep their ids and bytes" {
	unit intern
}

@test "every byte is escaped and read back" {
	unit escape
}

@test "a million numbers are written as libc does, and read back" {
	unit number
}

@test "a torn counter of what was discarded" {
	unit discards
}

@test "moments: python's calendar agrees" {
	need python3
	python3 -c '
import datetime, random, sys
random.seed(7)
epoch = datetime.datetime(1970, 1, 1)
with open(sys.argv[1], "w") as lines, open(sys.argv[2], "w") as want:
	for i in range(20000):
		seconds = random.randrange(0, 9214646400)	# up to 2261-12-31
		ns = random.choice([0, random.randrange(10**9)])
		day = epoch + datetime.timedelta(seconds=seconds)
		text = day.strftime("%Y-%m-%d") + random.choice("T ") + day.strftime("%H:%M:%S")
		if ns:
			text += ".%09d" % ns
		print(text + random.choice(["", "Z"]), file=lines)
		print(0, seconds * 10**9 + ns, file=want)
		print(day.strftime("%H:%M:%S") + ".5", file=lines)
		print(1, seconds % 86400 * 10**9 + 500000000, file=want)
	for text in ["2026-02-30", "2026-13-01", "2026-00-10", "2025-02-29", "24:00:00", "12:60", "2026-11-21T", "",
		     "1969-12-31", "12", "+", "2026-11-2", "2026-11-21x", "01:02:03.", "1e18", "-5", "5s"]:
		print(text, file=lines)
		# A fraction without digits, and 12 seconds, are taken.
		print({"01:02:03.": "1 3723000000000", "12": "0 12000000000"}.get(text, "-"), file=want)' "$T/lines" "$T/want"
	unit number moments <"$T/lines" >"$T/got"
	paste -d '|' "$T/lines" "$T/want" "$T/got" | awk -F '|' '$2 != $3' >"$T/differ"
	head -n 20 "$T/differ"
	[ ! -s "$T/differ" ]
}

@test "schedules: exact after years, as many requests as they say" {
	unit schedule
}

@test "latencies beyond what is kept exactly" {
	unit latency
}

@test "lib's folders use each other in one direction" {
	cd "$TESTS/../lib"
	grep -o '^#include "[a-z]*/' ./*/*.[ch] | sed 's|^\./\([a-z]*\)/.*"\([a-z]*\)/|\1 \2|' | awk '$1 != $2' | sort -u >"$T/uses"
	[ "$(wc -l <"$T/uses")" -gt 20 ]
	tsort "$T/uses" >/dev/null
}
