#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Live exchanges on TCP connections, against what clients and servers themselves measured and counted.

load helper

setup() {
	need_bpf collect-tcp
	need python3
	peers=$TESTS/exchanges.py
}

teardown() {
	[ -z "${held:-}" ] || kill "$held" 2>/dev/null || true
}

# values FIELD FILTER...: the values of a field of the records that pass, a line each; `-` where there is none.
values() {
	where -f "$T/r" "${@:2}" | awk -F'\t' -v key="$1=" '{ v = "-"
		for (i = 1; i <= NF; i++) if (index($i, key) == 1) v = substr($i, length(key) + 1)
		print v }'
}

# check: the records $T/r against the peers' own, $T/expected, by what the kernel could tell ($T/err).
check() {
	! grep -q '^collect-tcp: this kernel does not tell all sends and receives' "$T/err" || local -x COUNTED=1
	python3 "$peers" check "$T/r" "$T/expected"
}

@test "every exchange, its bytes, and its times within what client and server measured" {
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" run >"$T/expected" 2>"$T/err"
	check
	grep -q ' 0 lost;' "$T/err"
	# A connection that nothing was sent on has none, and the time between two has not either.
	[ "$(wc -l <"$T/r")" = 38 ]
}

@test "a threshold lets pass what lasts as long, and 100 ms is the default" {
	collect-tcp -t 25 -o "$T/r" -- python3 "$peers" run >"$T/expected" 2>/dev/null
	[ -s "$T/r" ]
	[ "$(where -f "$T/r" 'dur_ns<25000000' | wc -l)" = 0 ]
	# The server waited that long for 10 of them at least.
	[ "$(where -f "$T/r" role=client | wc -l)" -ge 10 ]
	collect-tcp -o "$T/r" -- python3 "$peers" run >"$T/expected" 2>/dev/null
	[ "$(where -f "$T/r" 'dur_ns<100000000' | wc -l)" = 0 ]
}

@test "method, path and status whichever system calls carry them" {
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" calls >"$T/paths" 2>/dev/null
	for role in client server; do
		diff "$T/paths" <(values http_path role=$role)
		[ "$(values http_method role=$role | sort -u)" = GET ]
		[ "$(values http_status role=$role | sort -u)" = 200 ]
	done
}

@test "no HTTP is no HTTP; a path is bounded, escaped, and without its query" {
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" odd >"$T/paths" 2>/dev/null
	for role in client server; do
		diff "$T/paths" <(values http_path role=$role)
		[ "$(values http_status role=$role | tr '\n' ' ')" = "- - - - - - - - - - 404 404 204 " ]
	done
}

@test "an interim answer is none: the exchange is one, with the status of the answer" {
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" interim >"$T/expected" 2>/dev/null
	for role in client server; do
		diff "$T/expected" <(paste -d ' ' <(values http_method role=$role) <(values http_path role=$role) \
			<(values http_status role=$role))
	done
	[ "$(where -f "$T/r" unfinished | wc -l)" = 0 ]
	# Both answers and both parts of the question are in its bytes, and its first byte is the last answer's.
	[ "$(values tx_bytes role=client http_path=/continue)" = $((48 + 45)) ]
	[ "$(values rx_bytes role=client http_path=/continue)" = $((25 + 24)) ]
	[ "$(values ttfb_ns http_path=/continue)" = "$(values dur_ns http_path=/continue)" ]
}

@test "threads that send and receive on one connection at once: no byte is counted twice or not at all" {
	collect-tcp -t 0 --connections -o "$T/r" -- python3 "$peers" duplex >"$T/bytes" 2>/dev/null
	read -r there back <"$T/bytes"
	[ "$(values tx_bytes ev=conn role=client) $(values rx_bytes ev=conn role=client)" = "$there $back" ]
	[ "$(values tx_bytes ev=conn role=server) $(values rx_bytes ev=conn role=server)" = "$back $there" ]
	for way in tx_bytes rx_bytes; do
		exchanged=$(where -f "$T/r" ev=tcp role=client | stats -a sum -o tskv "$way" | grep -o '[0-9]*$')
		[ "$exchanged" -le "$(values $way ev=conn role=client)" ]
	done
}

# forced NAME...: without these programs, exchanges, what carries them and bytes are the same; $T/check has --check's lines.
forced() {
	WEIR_WITHOUT=$(IFS=, && echo "$*")
	export WEIR_WITHOUT
	collect-tcp --check >"$T/check"
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" run >"$T/expected" 2>"$T/err"
	check
	collect-tcp -t 0 -o "$T/r" -- python3 "$peers" calls >"$T/paths" 2>/dev/null
	diff "$T/paths" <(values http_path role=client)
	diff "$T/paths" <(values http_path role=server)
	collect-tcp -t 0 --connections -o "$T/r" -- python3 "$peers" duplex >"$T/bytes" 2>/dev/null
	read -r there back <"$T/bytes"
	[ "$(values tx_bytes ev=conn role=client) $(values rx_bytes ev=conn role=client)" = "$there $back" ]
	[ "$(values tx_bytes ev=conn role=server) $(values rx_bytes ev=conn role=server)" = "$back $there" ]
}

@test "where a kernel has no tracepoints for it, the functions that send and receive tell the same" {
	WEIR_WITHOUT=on_sent collect-tcp --check | grep -q '^on_sent_fexit  *ok: ' ||
		skip "this kernel lets no functions be traced"
	forced on_sent on_received on_sending
	grep -q '^on_received_fexit  *ok: ' "$T/check"
	grep -q '^on_received_bytes  *not needed: ' "$T/check"
}

@test "where a kernel tells neither sends nor receives, the connections' own counts do" {
	forced on_sent on_sent_fexit on_received on_received_fexit on_sending on_sending_fentry
	grep -qx 'collect-tcp: this kernel does not tell all sends and receives: they are seen by the counts of connections' "$T/err"
	grep -q '^on_received_fexit  *missing: .*; instead: on_received_bytes' "$T/check"
	grep -q '^on_received_bytes  *ok: ' "$T/check"
}

@test "where a kernel tells sends only, or receives only, the counts do for the others, and nothing is counted twice" {
	forced on_received on_received_fexit
	forced on_sent on_sent_fexit
}

@test "connections open at the start and end: who opened them, bytes as ss counts them, an exchange under way" {
	need ss
	mkfifo "$T/in"
	: >"$T/out"
	python3 "$peers" hold <"$T/in" >"$T/out" &
	held=$!
	exec 9>"$T/in"
	until read -r client server <"$T/out"; do sleep 0.05; done
	lines() { until [ "$(wc -l <"$T/out")" -ge "$1" ]; do sleep 0.02; done; }
	# What was before the recording.
	echo 7 >&9
	lines 2
	collect-tcp -t 0 --connections -P $held -o "$T/r" 2>/dev/null &
	until [ -e "$T/r" ] && grep -q '^CapEff:.*0000000000000000$' /proc/$!/status; do sleep 0.05; done
	sleep 0.1
	echo 100 >&9
	echo 1000 >&9
	lines 4
	ss -Htin "sport = :$client and dport = :$server" >"$T/ss"
	kill -INT $!
	wait $!
	exec 9>&-
	[ "$(values sport ev=conn role=client clipped=1 unfinished=1)" = "$client" ]
	[ "$(values sport ev=conn role=server clipped=1 unfinished=1)" = "$server" ]
	[ "$(values first_state ev=conn | sort -u) $(values last_state ev=conn | sort -u)" = "ESTABLISHED ESTABLISHED" ]
	sent=$(grep -oP 'bytes_sent:\K[0-9]*' "$T/ss") received=$(grep -oP 'bytes_received:\K[0-9]*' "$T/ss")
	[ "$(values tx_bytes ev=conn role=client)" = $((sent - 21)) ]
	[ "$(values rx_bytes ev=conn role=client)" = $((received - 28)) ]
	[ "$(values tx_bytes ev=tcp role=client | tr '\n' ' ')" = "300 3000 " ]
	# The kernel smooths it in eighths of a microsecond, ss prints thousandths of a millisecond.
	python3 - "$(grep -oP ' rtt:\K[0-9.]*' "$T/ss")" "$(values rtt_ns ev=conn role=client)" <<-'E'
	import sys
	assert abs(float(sys.argv[1]) * 1e6 - float(sys.argv[2])) <= 1001, sys.argv
	E
}

@test "a question without an answer at the end is unfinished; so is none that was answered" {
	python3 "$peers" unanswered &
	held=$!
	collect-tcp -t 0 -P $held -d 1 >"$T/r" 2>/dev/null
	[ "$(values unfinished role=client | tr '\n' ' ')" = "- 1 " ]
	[ "$(values tx_bytes role=client | tr '\n' ' ')" = "1 3 " ]
	[ "$(values ttfb_ns role=client unfinished=1)" = - ]
	# Nobody has read the server's second question.
	[ "$(values unfinished role=server)" = - ]
}

@test "connections that fail, that are reset, and that carry nothing end as the kernel says" {
	collect-tcp --connections -o "$T/r" -- python3 "$peers" failing 2>/dev/null
	[ "$(values last_state role=client | tr '\n' ' ')" = "ESTABLISHED FIN_WAIT2 SYN_SENT " ]
	# Who has found nothing to receive is known too.
	[ "$(values last_state role=server | tr '\n' ' ')" = "ESTABLISHED LAST_ACK " ]
}

@test "filters: a name is the whole name; with --all, \`of\` tells the job" {
	collect-tcp -t 0 -p python -d 1 >"$T/r" 2>/dev/null &
	collector=$!
	sleep 0.5
	python3 "$peers" calls >/dev/null
	wait $collector
	[ ! -s "$T/r" ]
	collect-tcp -t 0 --all -o "$T/r" -- python3 "$peers" calls >/dev/null 2>&1
	# Other tests may have exchanges of their own meanwhile.
	run ! grep -qvx -e job -e background <(values of | sort -u)
	[ "$(values role of=job comm=python3 | sort | uniq -c | tr -s ' \n' ' ')" = " 5 client 5 server " ]
}

@test "--stacks: where it was asked and where the answer ended, of a program that has ended" {
	need gcc
	gcc -O1 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls -o "$T/asker" \
		"$TESTS/asker.c" 2>/dev/null || skip "this compiler has other options"
	collect-tcp -t 20 --stacks -o "$T/r" -- "$T/asker" 2>"$T/err"
	where -f "$T/r" ev=tcp | wc -l >"$T/n"
	[ "$(cat "$T/n")" = 4 ]
	[ "$(values stack role=client | sed 's/.*;main;/main;/' | sort -u)" = "main;ask;send_text" ]
	[ "$(values end_stack role=client | sed 's/.*;main;/main;/' | sort -u)" = "main;take" ]
	[ "$(values stack role=server | sed 's/.*;main;/main;/' | sort -u)" = "main;take" ]
	[ "$(values end_stack role=server | sed 's/.*;main;/main;/' | sort -u)" = "main;answer;send_text" ]
	# The kernel's are between the program's and the tracepoint.
	collect-tcp -t 20 --stacks -k -o "$T/r" -- "$T/asker" 2>/dev/null
	values stack role=client | grep -q ';main;ask;send_text;.*vfs_write;.*sock'
	values end_stack role=client | grep -q ';main;take;.*vfs_read;.*sock'
	try collect-tcp -k
	expect 2 "" "collect-tcp: -k goes with --stacks; see 'collect-tcp --help'"
}
