/* SPDX-License-Identifier: MIT */
/*
 * Numbers, durations, sizes and moments: from text and to text.
 *
 * Parsing takes the whole slice or fails: no leading blanks, no rest. Nothing depends on the locale.
 */
#ifndef WEIR_NUMBER_H
#define WEIR_NUMBER_H

#include "slice.h"

enum { NUMBER_TEXT = 32 };	/* bytes that hold any number written here */

/* Decimal integers, `-` allowed for i64. Leading zeros are taken. False when not one, or out of range. */
bool number_u64(struct slice text, uint64_t *value);
bool number_i64(struct slice text, int64_t *value);

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

/* Writes the decimal digits of VALUE at TO (at least 20 bytes); returns how many. No NUL. */
size_t number_put_u64(char *to, uint64_t value);
size_t number_put_i64(char *to, int64_t value);

/*
 * Writes the shortest decimal text that reads back as VALUE (at most NUMBER_TEXT bytes); integers
 * below 2^53 without fraction or exponent. Returns its length. `nan`, `inf`, `-inf` as such. No NUL.
 */
size_t number_put_real(char *to, double value);

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

#endif
