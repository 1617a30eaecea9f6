# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A session daemon of LTTng for a test's own, without the kernel's tracer: `load helper`, then `load sessiond`.

# sessiond_start: starts it, not as root, with all its files in $home, and builds $home/app (tests/data/ust).
# Skips with the reason where it cannot. Sets $home and $as, the words to run its commands with.
sessiond_start() {
	need lttng lttng-sessiond gcc setpriv
	home=$(mktemp -d "${TMPDIR:-/tmp}/weir-ust-XXXXXX")
	cp "$TESTS/data/ust/"* "$home"
	(cd "$home" && gcc -I. -o app main.c -llttng-ust -ldl 2>gcc) ||
		skip "no liblttng-ust to build with: $(head -n 1 "$home/gcc")"
	chmod -R a+rwX "$home"
	as="env HOME=$home LTTNG_HOME=$home"
	[ "$(id -u)" != 0 ] || as="setpriv --reuid=65534 --regid=65534 --clear-groups $as"
	# shellcheck disable=SC2086
	$as lttng-sessiond --no-kernel --daemonize --pidfile="$home/pid" >"$home/said" 2>&1 ||
		skip "lttng-sessiond does not start: $(head -n 1 "$home/said")"
}

# sessiond_stop: ends it, if it runs, and removes its files.
sessiond_stop() {
	[ -n "${home:-}" ] || return 0
	local pid
	pid=$(cat "$home/pid" 2>/dev/null) || true
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	for _ in $(seq 50); do
		[ -n "$pid" ] && kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	rm -rf "$home"
}
