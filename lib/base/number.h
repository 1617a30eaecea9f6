/* SPDX-License-Identifier: MIT */
/*
 * Numbers, durations, sizes and moments: from text and to text.
 *
 * Parsing takes the whole slice or fails: no leading blanks, no rest. Nothing depends on the locale.
 */
#ifndef WEIR_NUMBER_H
#define WEIR_NUMBER_H

#include "base/slice.h"

enum { NUMBER_TEXT = 32 };	/* bytes that hold any number written here */

/* Decimal integers, `-` allowed for i64. Leading zeros are taken. False when not one, or out of range. */
bool number_u64(struct slice text, uint64_t *value);
bool number_i64(struct slice text, int64_t *value);

/* Whether a decimal integer is written as records write it: no leading zeros, not -0. TEXT is not empty. */
static inline bool number_plain(struct slice text)
{
	size_t sign = text.at[0] == '-';

	return text.len - sign > 1 ? text.at[sign] != '0' : !sign || text.at[text.len - 1] != '0';
}

/*
 * number_i64() for the hot path: TEXT lies in a buffer where 8 bytes from any of its bytes on may be
 * read (as RECORD_PADDING in reader.h promises). Takes 8 digits at a time.
 */
static inline bool number_padded_i64(struct slice text, int64_t *value);

/*
 * The 64 bits of an integer as tracers write it: decimal with or without `-`, or 0x… with digits in lower
 * case. False for anything else.
 */
bool number_bits(struct slice text, uint64_t *value);

/*
 * Any number a record can hold: decimal integers, decimal fractions with an optional exponent, 0x….
 * Rounded to nearest. False for anything else, `inf` and `nan` included.
 */
bool number_real(struct slice text, double *value);

/*
 * A duration to nanoseconds: `10ms`, `1.5s`, `250us`, `3m`, `2h`, `1d`, `7ns`. A bare number counts
 * in UNIT nanoseconds (1, 1000000 for ms, 1000000000 for s); UNIT 0 refuses bare numbers.
 */
bool number_duration(struct slice text, uint64_t unit, uint64_t *ns);

/* A size to bytes: a number and k, M, G or T (powers of 1024), `KiB` or `kB` forms too. */
bool number_size(struct slice text, uint64_t *bytes);

/*
 * Writes the decimal digits of VALUE at TO (at least 24 bytes, all of which may change); returns how many.
 * No NUL.
 */
size_t number_put_u64(char *to, uint64_t value);
size_t number_put_i64(char *to, int64_t value);

/* Writes VALUE, below 10^9, as nine digits, leading zeros and all. */
void number_put_nine(char *to, uint32_t value);

/*
 * number_put_i64() for the times of a stream, in nanoseconds: the digits of the second, which are mostly those
 * of the time before, are kept in LAST. Zero-initialize it.
 */
struct number_second {
	int64_t second;
	char digits[24];
};
size_t number_put_ns(struct number_second *last, char *to, int64_t ts);

/*
 * Writes the shortest decimal text that reads back as VALUE (at most NUMBER_TEXT bytes); integers
 * below 2^53 without fraction or exponent. Returns its length. `nan`, `inf`, `-inf` as such. No NUL.
 */
size_t number_put_real(char *to, double value);

/*
 * True when TEXT is a number as number_put_real() writes it: kept as a double and written again, it is the
 * same text. Integers below 2^53, fractions and exponents in their shortest form; not 007, +1, -0, 1.50.
 */
bool number_canonical(struct slice text);

/*
 * A moment as `--begin` and `--end` take it:
 *   1795225110481469996 (nanoseconds since the epoch; 16 or more digits), 1795225110.48 (seconds),
 *   2026-11-21T01:41:35.5Z (UTC; the zone may be left out), 01:41:35.5 (UTC, on the day of the first
 *   event), +2.5s (after the first event; any duration).
 */
struct moment {
	enum { MOMENT_EPOCH, MOMENT_OF_DAY, MOMENT_AFTER_FIRST } from;
	int64_t ns;
};
bool number_moment(struct slice text, struct moment *moment);

/* The moment in nanoseconds since the epoch, given the first event's time. */
int64_t number_moment_ns(struct moment moment, int64_t first_ts);

/* The same of number_bits(). */
static inline bool number_padded_bits(struct slice text, uint64_t *value);

static inline bool number_padded_i64(struct slice text, int64_t *value)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const char *p = text.at;
	size_t left = text.len;
	uint64_t v = 0, bad = 0;

	/* Up to 19 digits fit 64 bits; a sign is a bad digit, and sends it to the slow way. */
	if (__builtin_expect(left - 1 < 19, 1)) {
		size_t part = ((left - 1) & 7) + 1;

		for (; left; p += part, left -= part, part = 8) {
			const size_t shift = 8 * (8 - part);
			uint64_t word;

			/* The digits end up in the upper bytes, zeros before them. */
			memcpy(&word, p, 8);
			word = word << shift ^ 0x3030303030303030u << shift;
			bad |= (word + 0x7676767676767676u) | word;
			word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffu;
			word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffu;
			word = (word * 10000 + (word >> 32)) & 0xffffffffu;
			v = v * 100000000 + word;
		}
		*value = (int64_t)v;
		if (__builtin_expect((bad & 0x8080808080808080u) == 0 && v <= INT64_MAX, 1))
			return true;
	}
#endif
	return number_i64(text, value);
}

static inline bool number_padded_bits(struct slice text, uint64_t *value)
{
	int64_t number;

	if ((text.len > 1 && text.at[1] == 'x') || !number_padded_i64(text, &number))
		return number_bits(text, value);
	*value = (uint64_t)number;
	return true;
}

#endif
