// SPDX-License-Identifier: MIT
#include "stats/rank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/*
 * Walks both samples in order. RANKS (NULL: not wanted) gets twice the rank of each value, ties sharing the
 * mean of theirs; *TIES the sum of t^3 - t over the groups of t equal values. Returns twice the sum of the
 * ranks of B.
 */
static double walk(const double *a, size_t na, const double *b, size_t nb, unsigned *ranks, double *ties)
{
	size_t i = 0, k = 0;
	double sum = 0;

	*ties = 0;
	while (i < na || k < nb) {
		double value = k == nb || (i < na && a[i] < b[k]) ? a[i] : b[k];
		size_t first = i + k, of_b = k, n;

		while (i < na && a[i] == value)
			i++;
		while (k < nb && b[k] == value)
			k++;
		n = i + k - first;
		/* The ranks first+1 to first+n: twice their mean is 2 first + n + 1. */
		sum += (double)(k - of_b) * (double)(2 * first + n + 1);
		*ties += (double)n * (double)n * (double)n - (double)n;
		for (size_t r = first; ranks && r < first + n; r++)
			ranks[r] = (unsigned)(2 * first + n + 1);
	}
	return sum;
}

/* The two-sided p of a sum SUM of CHOSEN out of N doubled ranks: by counting all choices. */
static double exact_p(const unsigned *ranks, size_t n, size_t chosen, size_t sum)
{
	size_t most = 0;
	double *ways, below = 0, above = 0, all = 0, p;
	size_t reach = 0;	/* the largest sum so far */

	for (size_t i = 0; i < n; i++)
		most += ranks[i];
	/* ways[c * (most + 1) + s]: choices of c ranks with the sum s; at most C(30, 15). */
	ways = memory_zeroed((chosen + 1) * (most + 1) * sizeof *ways);
	ways[0] = 1;
	for (size_t i = 0; i < n; i++) {
		reach += ranks[i];
		for (size_t c = i < chosen ? i + 1 : chosen; c > 0; c--)
			for (size_t s = ranks[i]; s <= reach; s++)
				ways[c * (most + 1) + s] += ways[(c - 1) * (most + 1) + s - ranks[i]];
	}
	for (size_t s = 0; s <= most; s++) {
		double w = ways[chosen * (most + 1) + s];

		all += w;
		below += s <= sum ? w : 0;
		above += s >= sum ? w : 0;
	}
	free(ways);
	p = 2 * (below < above ? below : above) / all;
	return p < 1 ? p : 1;
}

/* SHIFT: how far u is from what is expected of equal distributions. */
static double normal_p(double shift, double na, double nb, double ties)
{
	double n = na + nb;
	double variance = na * nb / 12 * (n + 1 - ties / (n * (n - 1)));
	double z = fabs(shift) - 0.5;
	char text[32];

	if (variance <= 0 || z <= 0)
		return 1;
	/* The last digits are those of each machine's own erfc(). */
	snprintf(text, sizeof text, "%.10e", erfc(z / sqrt(2 * variance)));
	return strtod(text, NULL);
}

struct rank_test rank_compare(const double *a, size_t na, const double *b, size_t nb)
{
	unsigned ranks[RANK_EXACT];
	struct rank_test test = { .exact = na + nb <= RANK_EXACT };
	double ties, sum = walk(a, na, b, nb, test.exact ? ranks : NULL, &ties);
	double pairs = (double)na * (double)nb;
	double u = sum / 2 - (double)nb * (double)(nb + 1) / 2;

	test.u = u;
	test.effect = u / pairs;
	test.p = test.exact ? exact_p(ranks, na + nb, nb, (size_t)sum) :
			      normal_p(u - pairs / 2, (double)na, (double)nb, ties);
	return test;
}

static int by_p(const void *a, const void *b)
{
	const double *x = *(const double *const *)a, *y = *(const double *const *)b;

	return (*x > *y) - (*x < *y);
}

void rank_holm(double *p, size_t n)
{
	double **sorted = memory_get((n + 1) * sizeof *sorted), least = 0;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &p[i];
	qsort(sorted, n, sizeof *sorted, by_p);
	for (size_t i = 0; i < n; i++) {
		double adjusted = *sorted[i] * (double)(n - i);

		least = adjusted > least ? adjusted : least;
		*sorted[i] = least < 1 ? least : 1;
	}
	free(sorted);
}
