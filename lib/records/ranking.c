// SPDX-License-Identifier: MIT
#include "records/ranking.h"

#include <stdlib.h>

#include "base/order.h"

struct ranked ranking_of(const struct cell *cell, uint32_t row)
{
	struct ranked ranked = { .row = row, .class = RANKED_NOTHING };
	double number;

	if (cell_number(cell, &number)) {
		ranked.class = RANKED_NUMBER;
		/* Not -0, which is the same as 0. */
		ranked.order = (uint64_t)order_of_real(number == 0 ? 0 : number) ^ 1ull << 63;
	} else if (cell->kind == CELL_TEXT) {
		ranked.class = RANKED_TEXT;
		for (size_t i = 0; i < 8; i++)
			ranked.order = ranked.order << 8 |
				       (i < cell->text.len ? (unsigned char)cell->text.at[i] : 0);
	}
	return ranked;
}

static int by_rank(const void *a, const void *b, void *context)
{
	const struct ranked *x = a, *y = b;
	const struct ranking *ranking = context;
	int order = 0;

	if (x->class != y->class) {
		if (x->class == RANKED_NOTHING || y->class == RANKED_NOTHING)
			return (x->class == RANKED_NOTHING) == ranking->nothing_last ? 1 : -1;
		order = x->class < y->class ? -1 : 1;
	} else if (x->order != y->order) {
		order = x->order < y->order ? -1 : 1;
	}
	if (order)
		return ranking->falling ? -order : order;
	return ranking->exact(ranking->context, x->row, y->row);
}

void ranking_sort(const struct ranking *ranking, struct ranked *rows, size_t n)
{
	qsort_r(rows, n, sizeof *rows, by_rank, (void *)(uintptr_t)ranking);
}
