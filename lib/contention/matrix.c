// SPDX-License-Identifier: MIT
#include "contention/matrix.h"

#include <stdlib.h>

#include "memory.h"
#include "occupancy.h"

enum { MATRIX_CULPRITS = 5 };

/* The columns of the matrix: those who took most time of the victims that are shown, their own included. */
static size_t choose_culprits(const struct document *d, const struct pressure *r, uint32_t *chosen)
{
	size_t n, k = 0;
	uint32_t rivals, victims = 0;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	uint64_t *took = memory_zeroed((rivals + 1) * sizeof *took);

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || share[i].victim != share[i - 1].victim)
			victims++;
		if (document_lists(d, &all[share[i].victim], victims - 1) &&
		    share[i].culprit < OCCUPANCY_UNKNOWN)
			took[share[i].culprit] += share[i].ns;
	}
	for (; k < MATRIX_CULPRITS; k++) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < rivals; i++)
			if (took[i] > took[most])
				most = i;
		if (rivals == 0 || took[most] == 0)
			break;
		chosen[k] = most;
		took[most] = 0;
	}
	free(took);
	return k;
}

void matrix_put(struct document *d, const struct pressure *r)
{
	uint32_t chosen[MATRIX_CULPRITS], rivals, victims = 0;
	size_t n, culprits_n = choose_culprits(d, r, chosen), columns = culprits_n + 6;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	char names[MATRIX_CULPRITS][DOCUMENT_TEXT], victim[DOCUMENT_TEXT];
	struct column column[MATRIX_CULPRITS + 6] = {
		{ { "victim", 6 }, COLUMN_TEXT }, { { "runnable", 8 }, COLUMN_NS },
		{ { "got", 3 }, COLUMN_NS },
	};
	struct rows *rows;

	for (size_t k = 0; k < culprits_n; k++) {
		document_rival(d, names[k], &all[chosen[k]]);
		column[3 + k] = (struct column){ slice_of(names[k]), COLUMN_NS };
	}
	column[columns - 3] = (struct column){ SLICE("(others)"), COLUMN_NS };
	column[columns - 2] = (struct column){ SLICE("(idle)"), COLUMN_NS };
	column[columns - 1] = (struct column){ SLICE("(unknown)"), COLUMN_NS };
	rows = document_rows(d, column, columns);
	for (size_t i = 0; i < n && document_lists(d, &all[share[i].victim], victims); victims++) {
		const struct rival *v = &all[share[i].victim];
		struct cell cells[MATRIX_CULPRITS + 6];

		cells[0] = cell_text(slice_of(document_rival(d, victim, v)));
		cells[1] = cell_whole((__int128)pressure_wanted(v));
		cells[2] = cell_whole((__int128)v->got_ns);
		for (size_t k = 3; k < columns; k++)
			cells[k] = cell_whole(0);
		for (uint32_t of = share[i].victim; i < n && share[i].victim == of; i++) {
			size_t k = 0;

			while (k < culprits_n && chosen[k] != share[i].culprit)
				k++;
			k = share[i].culprit == OCCUPANCY_IDLE ? columns - 2 :
			    share[i].culprit == OCCUPANCY_UNKNOWN ? columns - 1 : 3 + k;
			cells[k].whole += (__int128)share[i].ns;
		}
		rows_put(rows, 0, SLICE("matrix"), cells);
	}
	rows_close(rows);
}
