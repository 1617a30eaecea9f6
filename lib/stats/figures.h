/* SPDX-License-Identifier: MIT */
/*
 * The figures of a field: count, sum, mean, standard deviation, extremes, quantiles and so on of a
 * stream of values.
 *
 * Integers are summed exactly (the sum in 128 bits, the squares in 192), so that their sum, mean and
 * standard deviation are those of exact arithmetic, rounded once, whatever the order of the stream.
 * Other numbers are summed with Neumaier's compensation (Neumaier, ZAMM 54, 1974), and their spread by
 * Welford's recurrence (Technometrics 4, 1962) in twice the digits of a double (twofold.h), joined by the rule of
 * Chan, Golub and LeVeque (1979). Quantiles are exact while the plan's number of values is not exceeded, then
 * those of a sketch (sketch.h).
 */
#ifndef WEIR_FIGURES_H
#define WEIR_FIGURES_H

#include "base/number.h"
#include "base/twofold.h"
#include "records/cell.h"
#include "stats/distinct.h"
#include "stats/sketch.h"

/* A figure that is wanted. */
struct figure {
	enum figure_kind {
		FIGURE_COUNT, FIGURE_SUM, FIGURE_MEAN, FIGURE_STDDEV, FIGURE_MIN, FIGURE_MAX, FIGURE_QUANTILE,
		FIGURE_RATE, FIGURE_FIRST, FIGURE_LAST, FIGURE_DISTINCT,
	} kind;
	uint64_t rank, of;	/* of a quantile: rank / of, from 0 to 1 */
};

/*
 * The figure of a name: count sum mean stddev min max median rate first last distinct, or p and a
 * percentage from 0 to 100 with at most 9 decimals, as in p99.9. False when there is none.
 */
bool figures_parse(const char *name, struct figure *figure);

enum { FIGURES_MAX = 128 };

/* What is wanted of each field, and what it may cost. */
struct figures_plan {
	const struct figure *figure;
	size_t n;		/* at most FIGURES_MAX */
	uint32_t exact;		/* so many values of a group are kept for exact quantiles */
	uint64_t memory;	/* bytes that all values and sketches take now */
	uint64_t memory_kept;	/* when they take more, arrays beyond 1024 values become sketches */
	bool numbers, quantiles, ends, distinct;	/* set by figures_start() */
};

void figures_start(struct figures_plan *plan);

/* Numbers other than integers of 64 bits with a sign. */
struct reals {
	uint64_t n;
	double sum, rest;	/* the sum is that of both */
	double min, max;
	struct twofold mean, squares;	/* of the deviations from the mean */
	int64_t *key;		/* kept for exact quantiles, as order_of_real() */
	uint32_t keys, room;
};

struct ends {
	int64_t first_ts, last_ts;
	char *first, *last;
	size_t first_len, last_len, first_room, last_room;
	bool any;
};

/* One field of one group. Zero-initialize; moving it is allowed. */
struct figures {
	int64_t *value;		/* new ones, and those that are kept for exact quantiles */
	uint32_t n, room;
	uint32_t summed;	/* so many of them are in the sums below */
	uint64_t others;	/* values that were not numbers */
	uint64_t count;		/* of integers; of all values, where no figure wants numbers */
	uint64_t squares[3];	/* least first */
	__int128 sum, min, max;
	struct sketch *sketch;
	struct reals *reals;
	struct ends *ends;
	struct distinct *distinct;
};

void figures_make_room(struct figures_plan *plan, struct figures *figures);
void figures_add_other(struct figures_plan *plan, struct figures *figures, struct slice value);
void figures_add_text(struct figures_plan *plan, struct figures *figures, struct slice value, int64_t ts);

/*
 * Adds a value as it stands in a record (see number_padded_i64()). TS is for the first and the last:
 * they are those of the earliest and the latest record, the first and the last met among equal ones.
 */
static inline void figures_add(struct figures_plan *plan, struct figures *figures, struct slice value,
			       int64_t ts)
{
	int64_t whole;

	if (__builtin_expect(!plan->numbers, 0)) {
		figures->count++;
	} else if (__builtin_expect(number_padded_i64(value, &whole), 1)) {
		if (__builtin_expect(figures->n == figures->room, 0))
			figures_make_room(plan, figures);
		figures->value[figures->n++] = whole;
	} else {
		figures_add_other(plan, figures, value);
	}
	if (__builtin_expect(plan->ends || plan->distinct, 0))
		figures_add_text(plan, figures, value, ts);
}

/* What figures_get() adds to the cells. */
struct figures_notes {
	bool sketched;		/* quantiles are those of a sketch */
	bool estimated;		/* distinct is */
};

/*
 * All figures of the plan, in its order, for values that came within NS nanoseconds (for rates; 0: not
 * known). Text in cells is valid until the figures change.
 */
void figures_get(struct figures_plan *plan, struct figures *figures, double ns, struct cell *cells,
		 struct figures_notes *notes);

/* The state, for those who write or join it (partial.h): sums what is new; turns to a sketch. */
void figures_settle(struct figures_plan *plan, struct figures *figures);
void figures_to_sketch(struct figures_plan *plan, struct figures *figures);

/* Room for one more value that is kept (to be stored at value[n], or as a key of the reals). */
void figures_keep_real(struct figures_plan *plan, struct figures *figures, double value);
struct reals *figures_reals(struct figures *figures);
struct ends *figures_ends(struct figures *figures);
struct distinct *figures_distinct(struct figures *figures);

/* Joins numbers that are not integers into those of the figures; does not touch the keys. */
void figures_join_reals(struct reals *to, const struct reals *from);

void figures_free(struct figures_plan *plan, struct figures *figures);

#endif
