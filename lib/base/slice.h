/* SPDX-License-Identifier: MIT */
/* A slice: bytes that somebody else owns. Never NUL-terminated, may hold any byte. */
#ifndef WEIR_SLICE_H
#define WEIR_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *at;
	size_t len;
};

/* A slice over a string literal, or over a NUL-terminated string. */
#define SLICE(literal) ((struct slice){ literal, sizeof(literal) - 1 })

static inline struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static inline bool slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool slice_starts(struct slice text, struct slice with)
{
	return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

/* Byte order, the shorter first where one begins with the other: what `LC_ALL=C sort` does. */
static inline int slice_compare(struct slice a, struct slice b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n ? memcmp(a.at, b.at, n) : 0;

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* The N bytes at P, 1 to 7, the first one lowest in memory, zeros behind. */
static inline uint64_t slice_word(const char *p, size_t n)
{
	uint64_t word = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	uint32_t four, last_four;
	uint16_t two, last_two;

	/* Two loads that overlap: a call of memcpy for so few would be most of the cost. */
	if (n >= 4) {
		memcpy(&four, p, 4);
		memcpy(&last_four, p + n - 4, 4);
		return four | (uint64_t)last_four << (8 * (n - 4));
	}
	if (n >= 2) {
		memcpy(&two, p, 2);
		memcpy(&last_two, p + n - 2, 2);
		return two | (uint64_t)last_two << (8 * (n - 2));
	}
#endif
	memcpy(&word, p, n);
	return word;
}

/*
 * 64-bit hash of the bytes (wyhash-like mixing of 8-byte words; not for secrets). O(len). What is long is mixed in
 * two lanes, which a CPU does at once.
 */
static inline uint64_t slice_hash(struct slice s)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ s.len, lane = h, word;
	const char *p = s.at;
	size_t n = s.len;

	if (n >= 32) {
		for (; n >= 16; p += 16, n -= 16) {
			memcpy(&word, p, 8);
			h = (h ^ word) * 0xff51afd7ed558ccdu;
			h ^= h >> 32;
			memcpy(&word, p + 8, 8);
			lane = (lane ^ word) * 0xff51afd7ed558ccdu;
			lane ^= lane >> 32;
		}
		h ^= lane << 31 | lane >> 33;
	}
	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	if (n) {
		word = slice_word(p, n);
		h = (h ^ word) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	h *= 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 29);
}

#endif
