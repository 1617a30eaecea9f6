/* SPDX-License-Identifier: MIT */
/*
 * The bins of a histogram of all values of a sample: evenly spaced, or evenly on a logarithmic axis. Some
 * 4 cbrt(n) of them, 12 to 64, with whole counts that sum up to n. When the sample is not exact, its own
 * finer bins are shared out in proportion.
 */
#ifndef WEIR_CHART_BINS_H
#define WEIR_CHART_BINS_H

#include "charts/axis.h"
#include "charts/sample.h"

struct bins {
	size_t n;
	double *edge;		/* n + 1: where each begins, and the last ends */
	uint64_t *count;
	uint64_t zeros;		/* on a logarithmic scale: those that stand by themselves */
};

/* For values on AXIS, at most MOST of them; bins_free() it. */
struct bins bins_of(const struct sample *sample, const struct axis *axis, size_t most);
void bins_free(struct bins *bins);

#endif
