/* SPDX-License-Identifier: MIT */
/*
 * Two samples set against each other: medians and tails, how sure their ratios are, whether a difference is
 * one, and what that means for a gate. By the means of rank.h and bootstrap.h.
 */
#ifndef WEIR_CONTRAST_H
#define WEIR_CONTRAST_H

#include "stats/bootstrap.h"
#include "stats/rank.h"
#include "stats/reservoir.h"

enum { CONTRAST_BASE, CONTRAST_NEW, CONTRAST_SIDES };

struct contrast_plan {
	double threshold;	/* a median that got worse by a smaller part than this is no matter */
	double confidence;	/* of intervals, and that no finding of all is false: 0.95 */
	bool lower_is_worse;
	bool blocks;		/* the reservoirs' tags are blocks; only these are independent */
	uint64_t seed;
	size_t replicates;	/* of the bootstrap */
};

struct contrast {
	struct sample sample[CONTRAST_SIDES];	/* of the reservoir's values; n 0: there are none */
	double median[CONTRAST_SIDES], p99[CONTRAST_SIDES];
	/* Where both sides have values: */
	struct rank_test test;	/* with blocks, u and p are those of the medians of blocks */
	double holm;		/* p, corrected for all contrasts */
	double ratio, p99_ratio;	/* new by base; infinite for a base of 0 */
	struct interval range, p99_range;
	/* In the order in which they are worth being told. */
	enum contrast_verdict {
		CONTRAST_WORSE, CONTRAST_BETTER,
		CONTRAST_SAME,		/* no difference was found, or a small one */
		CONTRAST_FEW,		/* none can be found in so few values */
		CONTRAST_NO_RATIO,	/* some values are below 0; there are no ratios */
		CONTRAST_ONLY_BASE, CONTRAST_ONLY_NEW,
	} verdict;
};

/*
 * Fills in a contrast but for `holm` and the final verdict. Sorts the reservoirs, which outlive it. STREAM
 * tells it from others with the same seed. O(n log n + replicates), with blocks O(n * replicates).
 */
void contrast_measure(struct contrast *contrast, struct reservoir side[CONTRAST_SIDES],
		      const struct contrast_plan *plan, uint64_t stream);

/* Judges N contrasts, all there are, together. */
void contrast_judge(struct contrast *contrasts, size_t n, const struct contrast_plan *plan);

/* Frees what contrast_measure() allocated. */
void contrast_free(struct contrast *contrast);

#endif
