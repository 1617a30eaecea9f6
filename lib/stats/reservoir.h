/* SPDX-License-Identifier: MIT */
/*
 * Numbers of a stream of any length in bounded memory: all of them up to a limit, then a random sample of
 * that size in which each has the same chance to be (Vitter's algorithm R: Random sampling with a
 * reservoir, ACM TOMS 11, 1985).
 */
#ifndef WEIR_RESERVOIR_H
#define WEIR_RESERVOIR_H

#include "base/random.h"
#include "base/slice.h"

struct reservoir {
	double *value;
	int64_t *tag;		/* what came with each; NULL where tags are not kept */
	size_t n;
	uint64_t seen;		/* added; n unless that is beyond the limit */
	size_t value_room, tag_room;
	struct random random;
	/* How much a value tells about the next one: see reservoir_dependence(). */
	double first, last, sum, squares, products;
};

/* Zeroed memory is an empty reservoir, once its `random` is set. */
void reservoir_free(struct reservoir *reservoir);

/* Adds a finite value to a reservoir of at most LIMIT values; TAGGED: with TAG. O(1), some 20 ns. */
void reservoir_add(struct reservoir *reservoir, size_t limit, double value, bool tagged, int64_t tag);

/* Sorts by value, tags along. O(n log n). */
void reservoir_sort(struct reservoir *reservoir);

/*
 * The correlation of each value's logarithm with the next one's, of all values added: near 0 where they are
 * independent, 1 where each is like the one before. 0 where it is not defined.
 */
double reservoir_dependence(const struct reservoir *reservoir);

/* The bytes it takes. */
size_t reservoir_bytes(const struct reservoir *reservoir);

#endif
