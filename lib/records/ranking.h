/* SPDX-License-Identifier: MIT */
/*
 * The order of rows by a cell of each. Sorting looks at a rounded form of the cells, which is kept side
 * by side, and asks for the exact order only where two are the same in that.
 */
#ifndef WEIR_RANKING_H
#define WEIR_RANKING_H

#include "records/cell.h"

struct ranked {
	uint64_t order;
	uint32_t row;
	enum { RANKED_NUMBER, RANKED_TEXT, RANKED_NOTHING } class;
};

struct ranking {
	bool falling;
	bool nothing_last;	/* rows without the cell: last, else first; whatever `falling` says */
	/* The exact order of two rows, `falling` included. */
	int (*exact)(const void *context, uint32_t a, uint32_t b);
	const void *context;
};

/* A row that is to be sorted by this cell. */
struct ranked ranking_of(const struct cell *cell, uint32_t row);

/* Sorts N rows. O(n log n). */
void ranking_sort(const struct ranking *ranking, struct ranked *rows, size_t n);

#endif
