// SPDX-License-Identifier: MIT
#include "contention/matrix.h"

#include <stdlib.h>

#include "base/memory.h"
#include "spans/occupancy.h"

/* A time takes 7 columns, and 2 are between. Besides victim and culprits there are runnable, got, others, idle, and unknown. */
enum { MATRIX_CULPRITS = 5, MATRIX_WIDTH = 120, TIME_WIDTH = 9, UNKNOWN_WIDTH = 11,
       OTHERS_WIDTH = 10 + TIME_WIDTH + 10 + TIME_WIDTH };

static size_t width(const struct document *d, const struct rival *rival)
{
	char name[DOCUMENT_TEXT];
	size_t bytes = strlen(document_rival(d, name, rival));

	return bytes + 2 < TIME_WIDTH ? TIME_WIDTH : bytes + 2;
}

/*
 * The columns of the matrix: those who took most time of the victims that are shown, their own included; as many
 * as fit a terminal. UNKNOWN: whether of some victim it is not known who ran.
 */
static size_t choose_culprits(const struct document *d, const struct pressure *r, uint32_t *chosen, bool *unknown)
{
	size_t n, k = 0, used, victim = 0;
	uint32_t rivals, victims = 0;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	uint64_t *took = memory_zeroed((rivals + 1) * sizeof *took);

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || share[i].victim != share[i - 1].victim)
			victims++;
		if (!document_lists(d, &all[share[i].victim], victims - 1))
			break;
		*unknown |= share[i].culprit == OCCUPANCY_UNKNOWN && share[i].ns;
		if (share[i].culprit < OCCUPANCY_UNKNOWN)
			took[share[i].culprit] += share[i].ns;
		if (width(d, &all[share[i].victim]) > victim)
			victim = width(d, &all[share[i].victim]);
	}
	used = victim + OTHERS_WIDTH + (*unknown ? UNKNOWN_WIDTH : 0);
	for (; k < MATRIX_CULPRITS; k++) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < rivals; i++)
			if (took[i] > took[most])
				most = i;
		if (rivals == 0 || took[most] == 0)
			break;
		used += width(d, &all[most]);
		if (k > 0 && used > MATRIX_WIDTH)
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
	bool unknown = false;
	size_t n, culprits_n = choose_culprits(d, r, chosen, &unknown), others = culprits_n + 3;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	char names[MATRIX_CULPRITS][DOCUMENT_TEXT], victim[DOCUMENT_TEXT];
	struct column column[MATRIX_CULPRITS + 6] = { { { "victim", 6 }, COLUMN_TEXT }, { { "runnable", 8 }, COLUMN_NS },
						      { { "got", 3 }, COLUMN_NS } };
	struct rows *rows;

	for (size_t k = 0; k < culprits_n; k++) {
		document_rival(d, names[k], &all[chosen[k]]);
		column[3 + k] = (struct column){ slice_of(names[k]), COLUMN_NS };
	}
	column[others] = (struct column){ SLICE("(others)"), COLUMN_NS };
	column[others + 1] = (struct column){ SLICE("(idle)"), COLUMN_NS };
	column[others + 2] = (struct column){ SLICE("(unknown)"), COLUMN_NS };
	rows = document_rows(d, column, others + 2 + unknown);
	for (size_t i = 0; i < n && document_lists(d, &all[share[i].victim], victims); victims++) {
		const struct rival *v = &all[share[i].victim];
		struct cell cells[MATRIX_CULPRITS + 6];

		cells[0] = cell_text(slice_of(document_rival(d, victim, v)));
		cells[1] = cell_whole((__int128)pressure_wanted(v));
		cells[2] = cell_whole((__int128)v->got_ns);
		for (size_t k = 3; k < others + 3; k++)
			cells[k] = cell_whole(0);
		for (uint32_t of = share[i].victim; i < n && share[i].victim == of; i++) {
			size_t k = 0;

			while (k < culprits_n && chosen[k] != share[i].culprit)
				k++;
			k = share[i].culprit == OCCUPANCY_IDLE ? others + 1 :
			    share[i].culprit == OCCUPANCY_UNKNOWN ? others + 2 : 3 + k;
			cells[k].whole += (__int128)share[i].ns;
		}
		rows_put(rows, 0, SLICE("matrix"), cells);
	}
	rows_close(rows);
}
