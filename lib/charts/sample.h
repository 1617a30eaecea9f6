/* SPDX-License-Identifier: MIT */
/*
 * A sample: all that a picture is drawn from, gathered in one pass and bounded memory.
 *
 * Up to SAMPLE_EXACT values are kept as they are; then they are poured into reductions (reduce.h), and
 * all that follow. Groups share a picture: SAMPLE_DRAWN of them, the largest, are series of their own,
 * all others together are the series `other`.
 */
#ifndef WEIR_SAMPLE_H
#define WEIR_SAMPLE_H

#include "base/intern.h"
#include "charts/reduce.h"

enum {
	SAMPLE_EXACT = 20000,
	SAMPLE_DRAWN = 8,
	SAMPLE_GROUPS = 16384,		/* names that are told apart; further ones are `other` */
	SAMPLE_NAME = 1024,		/* bytes of a name that count */
	SAMPLE_MARKS = 256,
};

enum sample_wants {
	SAMPLE_COLUMNS = 1,	/* spreads of the values over time */
	SAMPLE_SPREAD = 2,	/* the spread of all values, by group */
	SAMPLE_LINEAR = 4,	/* linear bins of all values */
	SAMPLE_RATE = 8,	/* a count over time */
	SAMPLE_USAGE = 16,	/* the value is a span's time; it ends at x: time used over time */
	SAMPLE_FIRST = 32,	/* the first SAMPLE_EXACT values as they are, of the others their number and sum */
};

struct point {
	int64_t x;
	double y;
	uint32_t group;
};

struct group {
	uint64_t count;
	double sum;
	int slot;		/* 0: its values go to `other` */
};

/* A stretch of x in which something is missing. */
struct mark {
	int64_t first, last;
};

/* One series of the picture, in the order of their size; `other` is the last. */
struct series {
	struct slice name;	/* as the records have it, escaped; empty when there are no groups */
	bool is_other, partial;	/* partial: some of its first values are in `other` */
	int slot;
	uint64_t count;
	double sum;
	size_t first;		/* its values in `sorted`, when they are exact */
};

struct sample {
	unsigned wants;		/* enum sample_wants, or-ed */
	bool grouped;
	bool joined;		/* sample_join() was called */
	bool by_sum;		/* groups are ranked by the sum of their values, else by their number */

	uint64_t count;
	double y_min, y_max, y_least;	/* y_least: the least above 0, 0 when there is none */
	uint64_t zeros;
	int64_t x_min, x_max;

	bool exact;		/* points has them all */
	struct point *points;
	size_t points_room;
	double *sorted;		/* their values, by series, ascending */
	double *sorted_all;

	struct intern *names;
	struct group *groups;	/* by the id of the name; the last one, SAMPLE_GROUPS, is for the rest */
	int slot_group[COLUMNS_SERIES];	/* -1: free */
	bool slot_partial[COLUMNS_SERIES];

	struct pool pool;
	struct spread spread[COLUMNS_SERIES], all;
	struct linear linear;
	struct columns columns;
	struct flows flows;

	struct mark mark[SAMPLE_MARKS];
	size_t marks;

	struct series series[SAMPLE_DRAWN + 1];	/* set by sample_finish() */
	int n_series;
	int late;		/* of the largest SAMPLE_DRAWN groups: those that were found too late to be drawn */
	uint64_t in_other;	/* groups that are not drawn by themselves */
};

void sample_init(struct sample *sample, unsigned wants, bool grouped, bool by_sum);

/* One value. GROUP counts when the sample is grouped. O(1) amortized. VALUE is finite. */
void sample_add(struct sample *sample, int64_t x, double value, struct slice group);

/* One span for SAMPLE_USAGE, in whole units of x. BEGIN <= END. */
void sample_span(struct sample *sample, int64_t begin, int64_t end, struct slice group);

/* Events are missing between FIRST and LAST. */
void sample_mark(struct sample *sample, int64_t first, int64_t last);

/* No more values: ranks the groups, fills `series`, merges what is `other`. */
void sample_finish(struct sample *sample);

/* The quantile of one series, or of all (SERIES -1): exact, or to 0.8 % when the sample is not exact. */
double sample_quantile(const struct sample *sample, int series, double q);

/* Count, mean, deviation and so on of one series or of all. It has no bins when the sample is exact. */
struct spread sample_spread(const struct sample *sample, int series);

/* The groups by weight, descending, as ids of `names`: *N of them; free() it. For any sample. */
uint32_t *sample_rank(struct sample *sample, uint32_t *n);

/* Makes all series one, for a picture that has no room for them. Call it after sample_finish(). */
void sample_join(struct sample *sample);

void sample_free(struct sample *sample);

#endif
