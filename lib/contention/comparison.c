// SPDX-License-Identifier: MIT
#include "contention/comparison.h"

#include <math.h>
#include <stdlib.h>

#include "contention/verdict.h"

static const char *const changes[] = { "worse", "alike", "better" };

static void put_measure_changes(struct document *d, const struct pressure *pressure)
{
	static const struct column column[] = {
		{ { "measure", 7 }, COLUMN_TEXT }, { { "base", 4 }, COLUMN_NUMBER },
		{ { "new", 3 }, COLUMN_NUMBER }, { { "base_score", 10 }, COLUMN_NUMBER },
		{ { "new_score", 9 }, COLUMN_NUMBER }, { { "change", 6 }, COLUMN_TEXT },
	};
	struct rows *rows = document_rows(d, column, 6);
	char text[2][DOCUMENT_TEXT];

	for (size_t i = 0; i < PRESSURE_MEASURES; i++) {
		const struct measure *base = &pressure[0].measure[i], *new = &pressure[1].measure[i];
		double old_score = measure_score(base, base->value), score = measure_score(new, new->value);
		const struct cell cells[] = {
			cell_text(slice_of(base->name)),
			document_value_cell(d, text[0], base->unit, base->value),
			document_value_cell(d, text[1], new->unit, new->value),
			cell_real(d->table ? round(old_score * 100) / 100 : old_score),
			cell_real(d->table ? round(score * 100) / 100 : score),
			cell_text(slice_of(changes[pressure_change(base, new)])),
		};

		rows_put(rows, pressure[1].last_ts, SLICE("measure"), cells);
	}
	rows_close(rows);
}

static void put_pairs(struct document *d, int64_t ts, const struct pressure_pair *pair, size_t n)
{
	static const struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT }, { { "base_wait_share", 15 }, COLUMN_NUMBER },
		{ { "new_wait_share", 14 }, COLUMN_NUMBER }, { { "base_waited", 11 }, COLUMN_NUMBER },
		{ { "new_waited", 10 }, COLUMN_NUMBER }, { { "base_took", 9 }, COLUMN_NUMBER },
		{ { "new_took", 8 }, COLUMN_NUMBER }, { { "change", 6 }, COLUMN_TEXT },
	};
	struct rows *rows = document_rows(d, column, 8);
	char text[6][DOCUMENT_TEXT];

	for (size_t i = 0; i < n && (!d->table || d->top == 0 || i < d->top); i++) {
		const struct cell cells[] = {
			cell_text(pair[i].comm),
			document_value_cell(d, text[0], MEASURE_SHARE, pressure_pair_share(&pair[i], 0)),
			document_value_cell(d, text[1], MEASURE_SHARE, pressure_pair_share(&pair[i], 1)),
			document_value_cell(d, text[2], MEASURE_SHARE, pair[i].waited[0]),
			document_value_cell(d, text[3], MEASURE_SHARE, pair[i].waited[1]),
			document_value_cell(d, text[4], MEASURE_SHARE, pair[i].took[0]),
			document_value_cell(d, text[5], MEASURE_SHARE, pair[i].took[1]),
			cell_text(slice_of(changes[pressure_pair_change(&pair[i])])),
		};

		rows_put(rows, ts, SLICE("rival"), cells);
	}
	rows_close(rows);
}

static void say_worse(struct document *d, const struct pressure *pressure, const struct pressure_pair *pair,
		      size_t n)
{
	const char *before = "worse: ";
	const struct pressure_pair *culprit = NULL;
	char text[3][DOCUMENT_TEXT];

	for (size_t i = 0; i < PRESSURE_MEASURES; i++) {
		const struct measure *base = &pressure[0].measure[i], *new = &pressure[1].measure[i];

		if (pressure_change(base, new) != PRESSURE_WORSE)
			continue;
		document_say(d, "%s%s (%s, was %s)\n", before, new->name,
			     document_value(text[0], new->unit, new->value),
			     document_value(text[1], base->unit, base->value));
		before = "       ";
	}
	if (*before != ' ')
		document_say(d, "worse: no measure\n");
	before = "waits more: ";
	for (size_t i = 0; i < n; i++) {
		if (!culprit || pair[i].took[1] - pair[i].took[0] > culprit->took[1] - culprit->took[0])
			culprit = &pair[i];
		if (pressure_pair_change(&pair[i]) != PRESSURE_WORSE || i >= 8)
			continue;
		document_say(d, pair[i].side[0] ? "%s%s (%s of its time, was %s)\n" :
						  "%s%s (%s of its time, is new)\n",
			     before, document_rival(d, text[0], pair[i].side[1]),
			     document_value(text[1], MEASURE_SHARE, pressure_pair_share(&pair[i], 1)),
			     document_value(text[2], MEASURE_SHARE, pressure_pair_share(&pair[i], 0)));
		before = "            ";
	}
	if (culprit && culprit->side[1] && culprit->took[1] >= culprit->took[0] + 0.005)
		document_say(d, "takes more: %s (%s of all CPU time, from others that waited; was %s)\n",
			     document_rival(d, text[0], culprit->side[1]),
			     document_value(text[1], MEASURE_SHARE, culprit->took[1]),
			     document_value(text[2], MEASURE_SHARE, culprit->took[0]));
}

void comparison_show(struct document *d, const struct pressure *pressure)
{
	size_t n;
	struct pressure_pair *pair = pressure_pairs(&pressure[0], &pressure[1], &n);

	for (size_t i = 0; i < 2; i++) {
		if (d->table)
			document_say(d, i ? "NEW\n" : "BASE\n");
		if (d->table)
			verdict_say(d, &pressure[i]);
		else
			verdict_put(d, &pressure[i]);
	}
	if (d->table)
		say_worse(d, pressure, pair, n);
	put_measure_changes(d, pressure);
	put_pairs(d, pressure[1].last_ts, pair, n);
	free(pair);
}
