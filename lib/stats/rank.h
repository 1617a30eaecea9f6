/* SPDX-License-Identifier: MIT */
/*
 * Do two samples come from the same distribution? The rank test of Mann and Whitney (On a test of whether
 * one of two random variables is stochastically larger than the other, Ann. Math. Stat. 18, 1947), which
 * assumes no shape of the distribution, only that the values are independent.
 */
#ifndef WEIR_RANK_H
#define WEIR_RANK_H

#include "base/slice.h"

enum { RANK_EXACT = 30 };	/* values of both samples for which p is exact */

struct rank_test {
	double u;		/* pairs in which the second sample's value is larger; ties count a half */
	double effect;		/* u / pairs, Vargha and Delaney's A; 0.5: neither is larger */
	double p;		/* two-sided */
	bool exact;
};

/*
 * Compares two samples, each sorted, with at least one value each. Up to RANK_EXACT values in all, p is
 * that of all ways to divide the values met (ties included) into two samples of these sizes, twice the
 * smaller tail; beyond, it is by the normal approximation with the corrections for ties and continuity.
 * O(na + nb); exact: up to 50 us.
 */
struct rank_test rank_compare(const double *a, size_t na, const double *b, size_t nb);

/*
 * Holm's correction (A simple sequentially rejective multiple test procedure, Scand. J. Stat. 6, 1979) of N
 * values of p, in place: when all that are at most alpha count as findings, the chance that any of these
 * is a false one is at most alpha. O(n log n).
 */
void rank_holm(double *p, size_t n);

#endif
