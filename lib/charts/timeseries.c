// SPDX-License-Identifier: MIT
#include "charts/timeseries.h"

#include <stdlib.h>

#include "base/memory.h"
#include "charts/flow.h"

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * From which distance on two neighbours are not joined by a line: three times what nine in ten of the
 * distances stay below, and a hundredth of the width, so that only what can be seen is a gap. Sorts DISTANCE.
 */
static uint64_t gap_limit(uint64_t *distance, size_t n, uint64_t range)
{
	uint64_t usual;

	if (n < 3)
		return UINT64_MAX;
	qsort(distance, n, sizeof *distance, by_size);
	usual = distance[(n - 1) * 9 / 10];
	if (usual > UINT64_MAX / 3)
		return UINT64_MAX;
	return usual * 3 > range / 100 ? usual * 3 : range / 100;
}

static void write_number(FILE *script, double value)
{
	fprintf(script, "%.15g", value);
}

/* Points of one series in the order of their x. */
static const struct sample *sorting;
static int by_slot_and_x(const void *a, const void *b)
{
	const struct point *x = *(const struct point *const *)a, *y = *(const struct point *const *)b;
	int sx = sorting->groups[x->group].slot, sy = sorting->groups[y->group].slot;

	if (sx != sy)
		return sx < sy ? -1 : 1;
	if (x->x != y->x)
		return x->x < y->x ? -1 : 1;
	return (x > y) - (x < y);
}

/* The points of each series as a data block, with an empty line at each gap. */
static void write_points(const struct panel *panel, const struct axis *x)
{
	const struct sample *sample = panel->sample;
	const struct point **order = memory_get(sample->count * sizeof *order);
	uint64_t *distance = memory_get(sample->count * sizeof *distance);

	for (uint64_t i = 0; i < sample->count; i++)
		order[i] = &sample->points[i];
	sorting = sample;
	qsort(order, sample->count, sizeof *order, by_slot_and_x);
	for (int s = 0; s < sample->n_series; s++) {
		uint64_t first = 0, n = sample->series[s].count, limit;

		while (sample->groups[order[first]->group].slot != sample->series[s].slot)
			first++;
		for (uint64_t i = 1; i < n; i++)
			distance[i - 1] = (uint64_t)order[first + i]->x - (uint64_t)order[first + i - 1]->x;
		limit = gap_limit(distance, n - 1, (uint64_t)sample->x_max - (uint64_t)sample->x_min);
		fprintf(panel->script, "$points%d_%d << END\n", panel->number, s);
		for (uint64_t i = 0; i < n; i++) {
			const struct point *p = order[first + i];

			if (i && (uint64_t)p->x - (uint64_t)order[first + i - 1]->x > limit)
				fputc('\n', panel->script);
			axis_write_x(panel->script, x, p->x, 0);
			fputc(' ', panel->script);
			write_number(panel->script, p->y);
			fputc('\n', panel->script);
		}
		fputs("END\n", panel->script);
	}
	free(order);
	free(distance);
}

static void write_column(const struct panel *panel, const struct axis *x, const struct spread *spread,
			 int64_t at, uint64_t width, uint64_t count)
{
	axis_write_x(panel->script, x, at, width);
	fputc(' ', panel->script);
	write_number(panel->script, spread->min);
	fputc(' ', panel->script);
	write_number(panel->script, spread_quantile(spread, 0.5));
	fputc(' ', panel->script);
	write_number(panel->script, spread_quantile(spread, 0.99));
	fputc(' ', panel->script);
	write_number(panel->script, spread->max);
	fprintf(panel->script, " %llu\n", (unsigned long long)count);
}

/* x, minimum, median, p99, maximum and number of the values in each column of one series. */
static void write_columns(const struct panel *panel, const struct axis *x, int series)
{
	const struct columns *columns = &panel->sample->columns;
	const struct window *window = &columns->window;
	int slot = panel->sample->series[series].slot, n = 0, last = -1;
	int low = (int)(window->low - window->first), high = (int)(window->high - window->first);
	uint64_t distance[WINDOW_COLUMNS], limit, width = (uint64_t)1 << window->shift;

	for (int c = low; c <= high; c++) {
		if (!columns->at[c].series[slot])
			continue;
		if (last >= 0)
			distance[n++] = (uint64_t)(c - last);
		last = c;
	}
	limit = gap_limit(distance, (size_t)n, (uint64_t)(high - low));
	last = -1;
	fprintf(panel->script, "# x min median p99 max count\n$columns%d_%d << END\n", panel->number, series);
	for (int c = low; c <= high; c++) {
		const struct spread *spread = columns->at[c].series[slot];
		bool apart = last < 0 || (uint64_t)(c - last) > limit;
		int next = c + 1;

		if (!spread)
			continue;
		if (last >= 0 && apart)
			fputc('\n', panel->script);
		while (next <= high && !columns->at[next].series[slot])
			next++;
		write_column(panel, x, spread, window_start(window, c), width, spread->count);
		/* A column alone would be a line of no length: its right edge makes it one. */
		if (apart && (next > high || (uint64_t)(next - c) > limit))
			write_column(panel, x, spread, window_start(window, c), 2 * width, 0);
		last = c;
	}
	fputs("END\n", panel->script);
}

static void draw_points(const struct panel *panel, const struct axis *x)
{
	const struct sample *sample = panel->sample;
	char tail[64] = "";

	write_points(panel, x);
	if (sample->n_series == 1 && sample->count > 1) {
		char mean[AXIS_TEXT];

		snprintf(tail, sizeof tail, "mean %s",
			 axis_text(sample_spread(sample, 0).mean, panel->y_unit, mean));
	}
	fputs("plot ", panel->script);
	for (int s = 0; s < sample->n_series; s++) {
		bool few = sample->count <= 500;

		fprintf(panel->script, "%s$points%d_%d using 1:(at_y($2)) with %s linecolor rgb \"%s\"",
			s ? ", " : "", panel->number, s, few ? "linespoints" : "points",
			panel_colour(panel, s));
		if (!panel->text)
			fprintf(panel->script, " linewidth 1.2 pointtype 7 pointsize %s notitle",
				few ? "0.5" : "0.3");
		/* In the key, points are large enough to have a colour. */
		if (!panel->text && sample->grouped && !sample->joined)
			fprintf(panel->script, ", keyentry with points pointtype 7 linecolor rgb \"%s\"",
				panel_colour(panel, s));
		if (panel->text || (sample->grouped && !sample->joined))
			panel_series_title(panel, s, "");
	}
	if (*tail) {
		fprintf(panel->script, ", at_y(%.15g) with lines dashtype 2 linecolor rgb \"#444444\"",
			sample_spread(sample, 0).mean);
		fprintf(panel->script, " title \"%s\"", tail);
	}
	panel_mark_key(panel);
	fputc('\n', panel->script);
}

static void draw_columns(const struct panel *panel, const struct axis *x)
{
	struct sample *sample = panel->sample;

	columns_coarsen(&sample->columns, &sample->pool,
			panel_shift(&sample->columns.window, panel_line_columns(panel)));
	for (int s = 0; s < sample->n_series; s++)
		write_columns(panel, x, s);
	fputs("plot ", panel->script);
	if (sample->n_series == 1) {
		if (panel->text)
			fprintf(panel->script, "$columns%d_0 using 1:(at_y($2)) with dots title \"min\", "
				"$columns%d_0 using 1:(at_y($5)) with dots title \"max\"", panel->number,
				panel->number);
		else
			fprintf(panel->script, "$columns%d_0 using 1:(at_y($2)):(at_y($5)) with filledcurves "
				"fillcolor rgb \"#cfe2f1\" title \"min to max\"", panel->number);
		fprintf(panel->script, ", $columns%d_0 using 1:(at_y($4)) with lines linecolor rgb \"%s\" "
			"linewidth 1.2 title \"p99\", $columns%d_0 using 1:(at_y($3)) with lines "
			"linecolor rgb \"%s\" linewidth 1.5 title \"median\"", panel->number,
			gnuplot_colours[1], panel->number, gnuplot_colours[0]);
	} else {
		for (int s = 0; s < sample->n_series; s++) {
			fprintf(panel->script, "%s$columns%d_%d using 1:(at_y($3)) with lines "
				"linecolor rgb \"%s\" linewidth 1.6", s ? ", " : "", panel->number, s,
				panel_colour(panel, s));
			panel_series_title(panel, s, "");
			if (!panel->text)
				fprintf(panel->script, ", $columns%d_%d using 1:(at_y($4)) with lines "
					"linecolor rgb \"%s\" linewidth 0.6 notitle", panel->number, s,
					panel_colour(panel, s));
		}
		if (!panel->text)
			fputs(", keyentry with lines linecolor rgb \"#444444\" linewidth 1.6 "
			      "title \"median\", keyentry with lines linecolor rgb \"#444444\" "
			      "linewidth 0.6 title \"p99\"", panel->script);
	}
	panel_mark_key(panel);
	fputc('\n', panel->script);
}

void timeseries_draw(const struct panel *panel)
{
	struct axis x;

	if (panel->chart->y.len == 0) {
		flow_draw_rate(panel);
		return;
	}
	x = panel_x_axis(panel, panel_make_room(panel, 0, panel->sample->grouped ? 6 : 12));
	panel_y_axis(panel, "y", true);
	panel_title_of_y(panel, "", " over time");
	if (panel->sample->exact)
		draw_points(panel, &x);
	else
		draw_columns(panel, &x);
}
