/* SPDX-License-Identifier: MIT */
/*
 * How sure is a ratio of quantiles? The percentile interval of the bootstrap (Efron, Tibshirani: An
 * introduction to the bootstrap, 1993, chapter 13): samples are drawn anew from the values met, and the
 * interval holds the middle of the ratios that these give.
 *
 * Where values are independent, no sample is drawn: the k-th smallest of n values drawn from n has the place
 * floor(n * X) among them, X being the k-th smallest of n uniform numbers, which is beta distributed. So a
 * ratio costs some 100 ns, whatever n is.
 */
#ifndef WEIR_BOOTSTRAP_H
#define WEIR_BOOTSTRAP_H

#include "base/random.h"
#include "base/slice.h"

/* Values in ascending order; for blocks also the block of each, counted from 0, none of them empty. */
struct sample {
	const double *value;
	const uint32_t *block;
	size_t n, blocks;
};

struct interval {
	double low, high;	/* infinite where the base's quantile was 0 that often */
};

/* The quantile Q, 0 to 1, by linear interpolation between the two values next to (n-1)Q: type 7. n > 0. */
double bootstrap_quantile(const struct sample *sample, double q);

/*
 * The interval that holds the ratio (quantile Q of B) / (quantile Q of A) with the probability CONFIDENCE,
 * 0 to 1. All values are 0 or more, both samples have one at least. 0/0 counts as 1.
 * COUNT ratios are drawn: O(count).
 */
struct interval bootstrap_ratio(struct random *random, const struct sample *a, const struct sample *b,
				double q, double confidence, size_t count);

/*
 * The same where values near each other depend on each other: whole blocks are drawn, so what holds within
 * a block is kept (Carlstein: The use of subseries values for estimating the variance of a general
 * statistic from a stationary sequence, Ann. Stat. 14, 1986). O(count * n).
 */
struct interval bootstrap_ratio_blocks(struct random *random, const struct sample *a, const struct sample *b,
				       double q, double confidence, size_t count);

#endif
