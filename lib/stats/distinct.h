/* SPDX-License-Identifier: MIT */
/*
 * How many different values there were, in bounded memory: exact up to DISTINCT_EXACT, estimated
 * beyond from the DISTINCT_EXACT smallest hashes ("k minimum values": Bar-Yossef and others, Counting
 * distinct elements in a data stream, RANDOM 2002), with a standard error of 1/sqrt(k) = 0.8 %.
 * What is kept of a whole equals what is kept of the union of its parts.
 */
#ifndef WEIR_DISTINCT_H
#define WEIR_DISTINCT_H

#include "base/slice.h"

enum { DISTINCT_EXACT = 1 << 14 };

struct distinct {
	uint64_t *slot;		/* open addressing, 0: free */
	size_t slots, n;
	uint64_t below;		/* hashes from here up are no longer taken; 0: all are */
};

/* Adds the hash (slice_hash()) of a value. O(1) amortized. Zero-initialize the set first. */
void distinct_add(struct distinct *distinct, uint64_t hash);

/* The number of different values; *ESTIMATED: it is not exact. */
uint64_t distinct_count(struct distinct *distinct, bool *estimated);

void distinct_free(struct distinct *distinct);

#endif
