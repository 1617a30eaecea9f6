// SPDX-License-Identifier: MIT
#include "records/kind.h"

static bool ends(struct slice key, struct slice suffix)
{
	return key.len > suffix.len && memcmp(key.at + key.len - suffix.len, suffix.at, suffix.len) == 0;
}

enum kind kind_of(struct slice key)
{
	static const struct slice texts[] = {
		SLICE("ev"), SLICE("comm"), SLICE("name"), SLICE("path"), SLICE("argv"), SLICE("why"),
		SLICE("state"), SLICE("stack"), SLICE("source"), SLICE("op"), SLICE("url"), SLICE("error"),
		SLICE("role"), SLICE("saddr"), SLICE("daddr"), SLICE("filename"), SLICE("hostname"),
	};

	if (slice_equal(key, SLICE("ts")) || ends(key, SLICE("_ts")))
		return KIND_TIME;
	if (ends(key, SLICE("_comm")))
		return KIND_TEXT;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (slice_equal(key, texts[i]))
			return KIND_TEXT;
	return KIND_OPEN;
}

const char *kind_unit(struct slice key)
{
	static const struct {
		struct slice suffix;
		const char *unit;
	} units[] = {
		{ SLICE("_ns"), "ns" }, { SLICE("_us"), "us" }, { SLICE("_ms"), "ms" }, { SLICE("_s"), "s" },
		{ SLICE("_bytes"), "bytes" }, { SLICE("_pct"), "%" },
	};

	if (kind_of(key) == KIND_TIME)
		return "ns since 1970-01-01";
	if (slice_equal(key, SLICE("bytes")))
		return "bytes";
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (ends(key, units[i].suffix))
			return units[i].unit;
	return NULL;
}
