/* SPDX-License-Identifier: MIT */
/*
 * Quantiles of any number of values in bounded memory, each within 1 % of the true one: a DDSketch
 * (Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error
 * guarantees, PVLDB 12(12), 2019).
 *
 * Values are counted in buckets whose ends are at most the factor 1 + 1/64 apart. A value x that is
 * estimated by the harmonic mean 2ab/(a+b) of the ends a <= x < b of its bucket is missed by at most
 * (b-a)/(b+a) of itself: at most (1/64) / (2 + 1/64) = 1/129 = 0.78 %. Where the paper's definition takes
 * the bucket's number as the logarithm of x to the base b/a, this takes, as the paper's fast variants do,
 * the approximation of the logarithm that an IEEE double is: exponent and upper 6 bits of the mantissa,
 * one shift. The bound is the same, for 1.44 times the buckets.
 *
 * There are SKETCH_BUCKETS for each sign, 64 powers of two. Where values of one sign span more, those
 * nearest to 0 are counted in the last bucket: the bound holds for all quantiles beyond them only.
 * A sketch of a whole equals the sum of the sketches of its parts, bucket by bucket, in any order.
 */
#ifndef WEIR_SKETCH_H
#define WEIR_SKETCH_H

#include "base/slice.h"

enum {
	SKETCH_BITS = 6,	/* of the mantissa */
	SKETCH_BUCKETS = 64 << SKETCH_BITS,
};

/* The buckets of one sign: count[i] is that of the bucket number low + i. */
struct sketch_side {
	uint64_t *count;
	uint32_t low, n;	/* n 0: no bucket is there */
	uint32_t top;		/* the highest number met */
};

struct sketch {
	uint64_t n;		/* values in all */
	uint64_t zeros;		/* 0, and what is nearer to it than the smallest normal double */
	struct sketch_side above, below;	/* positive; negative, by their absolute value */
};

struct sketch *sketch_new(void);
void sketch_free(struct sketch *sketch);

/* Adds a finite value; an array of integers (about 2 ns each). */
void sketch_add(struct sketch *sketch, double value);
void sketch_add_whole(struct sketch *sketch, const int64_t *values, size_t n);

/* Adds COUNT values of the bucket NUMBER, which is below SKETCH_NUMBERS: how parts are joined. */
enum { SKETCH_NUMBERS = 2047 << SKETCH_BITS };
void sketch_add_bucket(struct sketch *sketch, struct sketch_side *side, uint32_t number, uint64_t count);

/* An estimate of the value of rank RANK < n, 0 being the smallest. O(buckets). */
double sketch_at(const struct sketch *sketch, uint64_t rank);

/* The bytes it takes. */
size_t sketch_bytes(const struct sketch *sketch);

#endif
