#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The tour of the README prints what the README shows. WEIR_GOLDEN=write puts the real output in.

load helper

@test "the tour's commands print what the README shows" {
	need python3
	tar --zstd -C "$T" -xf "$TESTS/data/postgres.tar.zst"
	cd "$T"
	if [ "${WEIR_GOLDEN:-}" = write ]; then
		"$TESTS/tour" --write "$TESTS/../README.md"
	else
		"$TESTS/tour" "$TESTS/../README.md"
	fi
}

@test "the README names every program" {
	for program in "$TESTS"/../{collectors,filters,workloads}/*.c "$TESTS"/../pipelines/*; do
		name=$(basename "$program" .c)
		[ -f "$program" ] && [[ $name != *.* ]] || continue
		grep -q "\`$name\`" "$TESTS/../README.md" || { echo "README.md does not name $name"; false; }
	done
}

@test "the test command of the README is what .ci/run runs" {
	grep -q '^make check' "$TESTS/../README.md"
	grep -q '^exec make check$' "$TESTS/../.ci/run"
}
