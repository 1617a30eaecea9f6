#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lib/ctf: what CTF 1.8.3 and CTF 2 say, one small trace for each rule; damage; hostile input.
# The traces are written bit by bit by tests/ctf/*.py, which know nothing of lib/ctf.

load helper

setup_file() {
	export CTF=$BATS_FILE_TMPDIR
	"$BATS_TEST_DIRNAME/ctf/build" "$CTF"
	"$BATS_TEST_DIRNAME/ctf/cases.py" "$CTF/cases"
	"$BATS_TEST_DIRNAME/ctf/cases.py" "$CTF/random" 0 300
	"$BATS_TEST_DIRNAME/ctf/wrong.py" "$CTF/wrong"
}

# The part that needs json-c is in the library.
has_json() {
	nm "$(dirname "$WEIR_BIN")/libweir.a" 2>/dev/null | grep -q 'T ctf_metadata_parse_json'
}

need_json() {
	has_json || skip "this build is without json-c"
}

# read_all DIRECTORY VERSION LEAST: each trace there gives exactly its records, and there are more than LEAST.
read_all() {
	local trace bad=0 n=0
	for trace in "$1"/*/; do
		[ -d "$trace$2" ] || continue
		n=$((n + 1))
		try "$CTF/decode" "$trace$2"
		if [ "$status" != 0 ] || ! cmp -s "$T/try.out" "${trace}records"; then
			bad=$((bad + 1))
			echo "$trace$2: status $status $err"
			diff "$T/try.out" "${trace}records" | head -n 4
		fi
	done
	echo "$bad of $n wrong"
	[ "$bad" = 0 ] && [ "$n" -gt "$3" ]
}

@test "CTF 1.8.3, rule by rule" {
	read_all "$CTF/cases" 1 110
}

@test "CTF 2: the same bits with metadata as JSON, and types of its own" {
	need_json
	read_all "$CTF/cases" 2 130
}

@test "random types and values, version 1.8" {
	read_all "$CTF/random" 1 290
}

@test "random types and values, version 2" {
	need_json
	read_all "$CTF/random" 2 290
}

@test "the same records with several threads" {
	local trace
	for trace in "$CTF"/cases/several_*/; do
		JOBS=3 "$CTF/decode" "${trace}1" | cmp - "${trace}records"
	done
}

# What libbabeltrace2 cannot read, or has other words for:
# a stream's id without one in the packets' header; names in scopes before, and in the packets' header; `const` in
# a typedef; absolute tags; counters that wrap, or that the first packet counts from 0.
DIFFERENT='packet_header_none|packet_header_of_a_magic|sequences_by_names_in_scopes_before|sequences_by_packet_header'
DIFFERENT+='|typedef_const|variants_by_.*|discarded_events-[2-4]'

@test "libbabeltrace2 gives the same records, and the same is said of them" {
	need lttng-convert
	local trace bad=0 n=0 said=0
	for trace in "$CTF"/cases/*/1 "$CTF"/random/random-?/1 "$CTF"/random/random-1??/1; do
		[[ ! $trace =~ /cases/($DIFFERENT)/ ]] || continue
		n=$((n + 1))
		lttng-convert --reader fast "$trace" 2>"$T/want" >/dev/null
		if ! lttng-convert --reader babeltrace "$trace" 2>"$T/err" | cmp - "$trace/../records" ||
			! diff "$T/want" "$T/err"; then
			echo "$trace: $(cat "$T/err")"
			bad=$((bad + 1))
		fi
		[ ! -s "$T/err" ] || said=$((said + 1))
	done
	echo "$bad of $n wrong"
	[ "$bad" = 0 ] && [ "$n" -gt 200 ] && [ "$said" -ge 5 ]
}

@test "lttng-convert gives what lib/ctf gives" {
	need lttng-convert
	local trace
	for trace in "$CTF"/cases/{header_compact-0,several_streams,packets_empty}/1; do
		lttng-convert --reader fast "$trace" | cmp - "$trace/../records"
	done
	need_json
	lttng-convert --reader fast "$CTF/cases/header_compact-0/2" | cmp - "$CTF/cases/header_compact-0/records"
}

# A field of each kind of event in the trace, taken from another place in each: what is passed over is of all kinds.
@test "one field alone is what it is among all, random types and values" {
	need lttng-convert
	local trace key bad=0 n=0
	for trace in "$CTF"/random/*/; do
		n=$((n + 1))
		key=$(awk -F'\t' -v n=$n 'NF > 2 { split($(3 + n % (NF - 2)), f, "="); key = f[1]; sub(/\.[0-9].*/, "", key) } END { print key }' "${trace}records")
		awk -F'\t' -v key="$key" '{
			line = $1 "\t" $2
			for (i = 3; i <= NF; i++)
				if ($2 == "ev=lost" || index($i, key "=") == 1 || index($i, key ".") == 1) line = line "\t" $i
			print line
		}' "${trace}records" >"$T/want"
		if ! lttng-convert --reader fast -f "${key:-none}" "${trace}1" 2>"$T/err" | cmp - "$T/want"; then
			echo "$trace: -f $key: $(cat "$T/err")"
			bad=$((bad + 1))
		fi
	done
	echo "$bad of $n wrong"
	[ "$bad" = 0 ] && [ "$n" -gt 290 ]
}

@test "each broken rule is named, and what is sound is out" {
	local broken bad=0 n=0
	for broken in "$CTF"/wrong/*/; do
		case $broken in */json_*) has_json || continue ;; esac
		n=$((n + 1))
		cd "$broken/trace"
		try "$CTF/decode" .
		sed 's/^decode: //; s,\./,,' "$T/try.err" >"$T/message"
		[ -f ../records ] || : >../records
		if [ "$status" != 1 ] || ! diff "$T/message" ../message || ! diff "$T/try.out" ../records; then
			echo "$broken: status $status"
			bad=$((bad + 1))
		fi
	done
	echo "$bad of $n wrong"
	[ "$bad" = 0 ] && [ "$n" -gt 60 ]
}

@test "random damage: an end in time, and all events before it" {
	run -0 env NO_MEMORY_LIMIT=1 "$BATS_TEST_DIRNAME/ctf/mutate.py" "$CTF/decode" 400 7
	[ "${lines[0]}" = "0 of 400 wrong" ]
}

@test "a long way of nothing, and lengths of 2^64, take neither time nor memory" {
	mkdir "$T/huge"
	cat >"$T/huge/metadata" <<-'END'
		trace { major = 1; minor = 8; byte_order = le; };
		typealias integer { size = 64; } := u64;
		stream { };
		event { name = "e"; fields := struct {
			u64 n; struct { } nothing[n][n][n]; struct { } also[1000000000][1000000000]; u64 end;
		}; };
	END
	printf '\377\377\377\377\377\377\377\377\7\0\0\0\0\0\0\0' >"$T/huge/s"
	[[ $(uname -m) != x86_64 ]] || [ -n "${NO_MEMORY_LIMIT:-}" ] || nm "$CTF/decode" | grep -q __asan || ulimit -v 262144
	run -0 timeout 5 "$CTF/decode" "$T/huge"
	[[ ${lines[0]} == *$'\tn=18446744073709551615'* && ${lines[0]} == *$'\tend=7' ]]
}

@test "a file that is cut while it is read ends its reading, and nothing else" {
	mkdir "$T/cut"
	cp "$CTF/cases/packets_empty/1/metadata" "$T/cut"
	python3 - "$CTF/cases/packets_empty/1/s" "$T/cut/s" <<-'END'
		import sys
		data = open(sys.argv[1], 'rb').read()
		open(sys.argv[2], 'wb').write(data * 20000)
	END
	# The reader waits for the pipe when the file is cut: most of it is not mapped in yet.
	mkfifo "$T/pipe"
	"$CTF/decode" "$T/cut" >"$T/pipe" 2>"$T/err" &
	local decode=$! status=0
	exec 7<"$T/pipe"
	read -r -u 7 line
	[[ $line == ts=* ]]
	truncate -s 8192 "$T/cut/s"
	cat <&7 >"$T/out"
	wait $decode || status=$?
	cat "$T/err"
	[ "$status" = 1 ]
	grep -q 'byte [0-9]*: the file was cut while it was read' "$T/err"
	grep -q $'^ts=.*\tev=lost\t.*reason=the file was cut while it was read\toffset=' "$T/out"
}

@test "what is no file is no stream" {
	mkdir "$T/odd"
	cp "$CTF/cases/arrays/1/metadata" "$T/odd"
	mkfifo "$T/odd/pipe"
	mkdir "$T/odd/directory"
	try "$CTF/decode" "$T/odd"
	expect 1 "" "decode: cannot read $T/odd/directory: it is not a file
decode: cannot read $T/odd/pipe: it is not a file"
}

@test "real traces: as many events as babeltrace2 counts, of the same kinds" {
	need babeltrace2
	need_trace smoke
	babeltrace2 "$trace/trace" | sed 's/^[^)]*) [^ ]* \([^:]*\): .*/\1/' | sort | uniq -c >"$T/want"
	"$CTF/decode" "$trace/trace/kernel" | sed 's/^[^\t]*\tev=\([^\t]*\).*/\1/' | sort | uniq -c | diff - "$T/want"
}
