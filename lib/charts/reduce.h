/* SPDX-License-Identifier: MIT */
/*
 * Reducing a stream of values, of any length, to what a picture can show, in bounded memory and in one
 * pass. The resolution follows the data: what outgrows its range is merged with its neighbour.
 */
#ifndef WEIR_REDUCE_H
#define WEIR_REDUCE_H

#include "base/slice.h"

/*
 * A spread: the distribution of values. Counts in bins that are a 64th of an octave wide (1.1 to 1.6 % of
 * the value), so every quantile is off by at most 0.8 %; count, minimum and maximum are exact, mean and
 * variance are as good as Welford's method (1962) makes them. Magnitudes below 2^-34 and above 2^66 share
 * the outermost bins. A bin holds up to 2^32-1 values and saturates. Zero-initialize. About 280 bytes for
 * each octave met, taken from a pool.
 */
enum { SPREAD_SUB = 64 };

struct page {			/* one octave */
	struct page *next;
	int32_t octave;		/* sign and exponent: ascending with the value */
	uint32_t count[SPREAD_SUB];
};

struct pool {			/* where pages come from; zero-initialize */
	struct page *unused;
	struct pool_block *blocks;
	size_t used;		/* pages that are in use */
};
void pool_free(struct pool *pool);

struct spread {
	uint64_t count, zeros;
	double min, max, mean, m2;
	bool fractions;		/* a value that was not whole was seen */
	struct page *pages;
};

/* O(1), about 10 ns. VALUE is finite. */
void spread_add(struct spread *spread, struct pool *pool, double value);

/* Moves all of FROM into INTO; FROM is empty then. O(octaves). */
void spread_merge(struct spread *into, struct spread *from, struct pool *pool);

/* The quantile Q in [0, 1], type 7 (Hyndman and Fan 1996), to 0.8 %; 0 when empty. O(octaves * 64). */
double spread_quantile(const struct spread *spread, double q);

/* The standard deviation, with n - 1. 0 for fewer than two values. */
double spread_deviation(const struct spread *spread);

/* Calls TAKE for every bin that is not empty, in ascending order: values in [LOW, HIGH), COUNT of them. */
void spread_bins(const struct spread *spread,
		 void (*take)(void *context, double low, double high, uint64_t count), void *context);

/*
 * Linear bins: counts in bins of equal width, a power of two that doubles when the range outgrows them.
 * Counts are exact. Zero-initialize.
 */
enum { LINEAR_BINS = 4096 };

struct linear {
	uint64_t total;
	int exponent;		/* bins are 2^exponent wide */
	int64_t first;		/* bin 0 begins at first * 2^exponent */
	int64_t low, high;	/* the outermost bins in use, in units of the width */
	uint64_t *count;	/* LINEAR_BINS; free() it */
};
void linear_add(struct linear *linear, double value);

/*
 * A window of WINDOW_COLUMNS equal columns over whole numbers (times). The width is 2^shift and doubles
 * when the range outgrows the window. Only the index arithmetic; what the columns hold is their owner's.
 */
enum { WINDOW_COLUMNS = 1024 };

struct window {
	bool any;
	int shift;
	int64_t first;		/* column 0 begins at first << shift */
	int64_t low, high;	/* the outermost columns in use, counted as `first` is */
};

/* The column of X, or -1 when the window must be fitted first. */
static inline int window_column(struct window *window, int64_t x)
{
	int64_t at = x >> window->shift;
	uint64_t column = (uint64_t)at - (uint64_t)window->first;

	if (!window->any || column >= WINDOW_COLUMNS)
		return -1;
	if (at < window->low)
		window->low = at;
	if (at > window->high)
		window->high = at;
	return (int)column;
}

/* The window that has room for X too. Then window_map() says where the old columns went. O(64). */
struct window window_fit(const struct window *old, int64_t x);
/* The window with columns of at least 2^SHIFT. */
struct window window_coarser(const struct window *old, int shift);
static inline int window_map(const struct window *old, const struct window *new, int column)
{
	return (int)(((old->first + column) >> (new->shift - old->shift)) - new->first);
}
static inline int window_used(const struct window *window)
{
	return window->any ? (int)(window->high - window->low + 1) : 0;
}
/* Where column COLUMN begins; it may lie below the first value met. */
static inline int64_t window_start(const struct window *window, int column)
{
	return (int64_t)((uint64_t)(window->first + column) << window->shift);
}

/*
 * Columns: for each column of time and each of COLUMNS_SERIES series, the spread of its values. When the
 * pool exceeds COLUMNS_BUDGET pages the columns become wider, so memory stays below some 64 MiB.
 */
enum { COLUMNS_SERIES = 65, COLUMNS_BUDGET = 240000 };

struct column {
	struct spread *series[COLUMNS_SERIES];	/* NULL: nothing there */
};

struct columns {
	struct window window;
	struct column *at;	/* WINDOW_COLUMNS of them */
};
void columns_add(struct columns *columns, struct pool *pool, int64_t x, int series, double value);
void columns_coarsen(struct columns *columns, struct pool *pool, int shift);
/* Series FROM becomes part of INTO. */
void columns_merge(struct columns *columns, struct pool *pool, int into, int from);
void columns_free(struct columns *columns);

/*
 * Flows: for each column and series a sum: of counts that happen at a time, or of time that passes from
 * one moment to another and is spread over the columns between. Sums are exact.
 */
struct flows {
	struct window window;
	struct flow *at;	/* WINDOW_COLUMNS of them */
};
struct flow {
	uint64_t sum[COLUMNS_SERIES];
	int64_t open[COLUMNS_SERIES];	/* change in the number of spans that fill this column and on */
};
void flows_count(struct flows *flows, int64_t x, int series);
/* BEGIN <= END. O(1). */
void flows_span(struct flows *flows, int64_t begin, int64_t end, int series);
/* What is open goes into the sums; call it before these are read. O(columns * series). */
void flows_settle(struct flows *flows);
void flows_coarsen(struct flows *flows, int shift);
void flows_merge(struct flows *flows, int into, int from);
void flows_free(struct flows *flows);

#endif
