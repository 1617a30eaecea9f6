// SPDX-License-Identifier: MIT
#include "charts/flow.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* How much of column COLUMN the data covers: the first and the last are not whole. */
static uint64_t covered(const struct sample *sample, const struct window *window, int column)
{
	int64_t from = window_start(window, column);
	uint64_t width = (uint64_t)1 << window->shift, skipped = 0, left;

	if (sample->x_min > from) {
		skipped = (uint64_t)sample->x_min - (uint64_t)from;
		from = sample->x_min;
	}
	left = (uint64_t)sample->x_max - (uint64_t)from;
	width -= skipped;
	return left && left < width ? left : width;
}

/*
 * For each column and series: where the column begins and ends, its sum, and the sum divided by the
 * covered width (times PER), stacked upon the series before when STACKED. Returns the largest.
 */
static double write_flows(const struct panel *panel, const struct axis *x, double per, bool stacked)
{
	struct sample *sample = panel->sample;
	const struct window *window = &sample->flows.window;
	int low = (int)(window->low - window->first), high = (int)(window->high - window->first);
	double largest = 0, *base = memory_zeroed(WINDOW_COLUMNS * sizeof *base);

	fputs("# begin end sum from to\n", panel->script);
	for (int s = 0; s < sample->n_series; s++) {
		fprintf(panel->script, "$flow%d_%d << END\n", panel->number, s);
		for (int c = low; c <= high; c++) {
			uint64_t sum = sample->flows.at[c].sum[sample->series[s].slot];
			uint64_t width = (uint64_t)1 << window->shift, part = covered(sample, window, c);
			int64_t from = window_start(window, c);
			double value = (double)sum / (double)part * per;
			int beside = c == low ? c + 1 : c - 1;

			/* A sliver at an end says nothing by itself: it is taken with its neighbour. */
			if (part < width / 4 && beside >= low && beside <= high)
				value = (double)(sum + sample->flows.at[beside].sum[sample->series[s].slot]) /
					((double)part + (double)covered(sample, window, beside)) * per;

			if (from < sample->x_min) {
				width -= (uint64_t)sample->x_min - (uint64_t)from;
				from = sample->x_min;
			}
			axis_write_x(panel->script, x, from, 0);
			fputc(' ', panel->script);
			axis_write_x(panel->script, x, from, 2 * (part < width ? part : width));
			fprintf(panel->script, " %llu %.9g %.9g\n", (unsigned long long)sum, base[c],
				base[c] + value);
			largest = fmax(largest, base[c] + value);
			if (c == high) {	/* steps end where the next would begin */
				axis_write_x(panel->script, x, from, 2 * (part < width ? part : width));
				fputc(' ', panel->script);
				axis_write_x(panel->script, x, from, 2 * (part < width ? part : width));
				fprintf(panel->script, " 0 %.9g %.9g\n", base[c], base[c] + value);
			}
			if (stacked)
				base[c] += value;
		}
		fputs("END\n", panel->script);
	}
	free(base);
	return largest;
}

static void write_flow_axis(const struct panel *panel, double largest, const char *label)
{
	struct axis y = axis_for(UNIT_COUNT, 0, largest, 0, false, true);

	if (panel->text)
		y.tics = 4;
	axis_write(panel->script, "y", &y);
	panel_label(panel, "y", slice_of(label), "");
}

void flow_draw_rate(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = panel_x_axis(panel, panel_make_room(panel, 0, 0));
	bool timed = panel->x_unit == UNIT_TIME;
	uint64_t enough = sample->count / 8 + 20;
	uint64_t fit = (uint64_t)panel_line_columns(panel);
	double largest;

	flows_coarsen(&sample->flows, panel_shift(&sample->flows.window, (int)(enough < fit ? enough : fit)));
	largest = write_flows(panel, &x, timed ? 1e9 : 1, false);
	write_flow_axis(panel, largest, timed ? "events per second" : "events per step of x");
	panel_title(panel, "Events over time");
	fputs("plot ", panel->script);
	if (sample->n_series == 1 && !panel->text)
		fprintf(panel->script, "$flow%d_0 using 1:5 with fillsteps fillcolor rgb \"#cfe2f1\" "
			"notitle, ", panel->number);
	for (int s = 0; s < sample->n_series; s++) {
		fprintf(panel->script, "%s$flow%d_%d using 1:5 with steps linecolor rgb \"%s\" linewidth 1.3",
			s ? ", " : "", panel->number, s, panel_colour(panel, s));
		panel_series_title(panel, s, "");
	}
	panel_mark_key(panel);
	fputc('\n', panel->script);
}

void flow_draw_usage(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = panel_x_axis(panel, panel_make_room(panel, 0, 0));
	int fit = panel_columns(panel);
	double largest;

	flows_coarsen(&sample->flows, panel_shift(&sample->flows.window, fit < 256 ? fit : 256));
	largest = write_flows(panel, &x, 1, true);
	write_flow_axis(panel, largest, slice_equal(panel->chart->y, SLICE("dur_ns")) ? "CPUs in use" :
			"in use at once");
	panel_title(panel, "Use over time");
	fputs("plot ", panel->script);
	/* Each is drawn from the ground up, over those above it: no seams, and the key is in their order. */
	for (int s = sample->n_series - 1; s >= 0; s--) {
		fprintf(panel->script, "%s$flow%d_%d using %s with %s", s < sample->n_series - 1 ? ", " : "",
			panel->number, s, panel->text ? "(($1+$2)/2):5" : "1:5",
			panel->text ? "impulses" : "fillsteps");
		if (!panel->text)
			fprintf(panel->script, " fillcolor rgb \"%s\"", panel_colour(panel, s));
		panel_series_title(panel, s, "");
	}
	panel_mark_key(panel);
	fputc('\n', panel->script);
}
