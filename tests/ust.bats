#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Traces of LTTng-UST, recorded here: both readers of lttng-convert, against babeltrace2 and what was sent.
# $as is words: a command and its arguments.
# shellcheck disable=SC2086

load helper
load sessiond

# One daemon for all tests. A skip in setup_file() would say nothing of the reason.
setup_file() {
	sessiond_start
	export home as
}
teardown_file() {
	sessiond_stop
}
setup() {
	home=$BATS_FILE_TMPDIR
}

lttng() {
	$as lttng -q "$@" >"$T/lttng" 2>&1 || { cat "$T/lttng"; return 1; }
}

# session CHANNEL-OPTION...: makes a session that writes to $trace, with one channel.
session() {
	name=s$BATS_TEST_NUMBER trace=$home/traces/$name
	lttng create "$name" --output="$trace"
	channel "$@"
}
channel() {
	lttng enable-channel -u -s "$name" channel "$@"
	lttng add-context -u -s "$name" -c channel -t vpid -t vtid
	lttng enable-event -u -s "$name" -c channel 'weir_test:*'
	lttng start "$name"
}

# send N [BYTES [EACH]]: the program emits N events.
send() {
	$as "$home/app" "$@" >/dev/null
}

# agree [TRACE]: both readers give the same bytes and messages, as many events as babeltrace2 does, and what
# is in files that are read once is in them once. Leaves the records in $T/records.
agree() {
	local reader of=${1:-$trace}
	for reader in fast babeltrace; do
		try lttng-convert --reader $reader "$of"
		cp "$T/try.out" "$T/$reader.out"
		echo "status $status" | cat - "$T/try.err" >"$T/$reader.err"
	done
	cmp "$T/fast.out" "$T/babeltrace.out"
	diff "$T/fast.err" "$T/babeltrace.err"
	grep -qx 'status 0' "$T/fast.err"
	mv "$T/fast.out" "$T/records"
	events "$T/records" >"$T/events"
	[ "$(wc -l <"$T/events")" = "$(babeltrace2 "$of" 2>/dev/null | wc -l)" ]
	cut -f1 "$T/records" | sort -c
}
events() {
	grep -av $'\tev=lost\t' "$@" || true
}

# sum KEY: of all ev=lost.
sum() {
	grep -a $'\tev=lost\t' "$T/records" | sed -nE "s/.*\t$1=([0-9]+).*/\1/p" | awk '{ n += $1 } END { print n + 0 }'
}
