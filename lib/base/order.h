/* SPDX-License-Identifier: MIT */
/* Order statistics: the values that sorting would bring to given places, without sorting all. */
#ifndef WEIR_ORDER_H
#define WEIR_ORDER_H

#include "base/slice.h"

/*
 * Rearranges VALUES so that each of the RANKS (ascending, below N) has the value that it would have
 * in sorted order. O(n log ranks) on average; never worse than sorting all.
 */
void order_select(int64_t *values, size_t n, const size_t *ranks, size_t ranks_n);

/* A double as an integer of the same order (-0 below 0), and back. */
static inline int64_t order_of_real(double value)
{
	int64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits ^ (int64_t)((uint64_t)(bits >> 63) >> 1);
}

static inline double order_real(int64_t key)
{
	double value;

	key ^= (int64_t)((uint64_t)(key >> 63) >> 1);
	memcpy(&value, &key, sizeof value);
	return value;
}

#endif
