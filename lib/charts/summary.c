// SPDX-License-Identifier: MIT
#include "charts/summary.h"

static void cell(const struct panel *panel, double x, double y, const char *align, struct slice text,
		 size_t limit)
{
	fputs("set label ", panel->script);
	gnuplot_text(panel->script, text, limit);
	fprintf(panel->script, " at graph %.4f,%.4f %s\n", x, y, align);
}

enum { FIGURES = 8 };
static const char *const figure_names[FIGURES] = {
	"count", "mean", "median", "min", "max", "std. dev.", "p95", "p99",
};

static void figures(const struct panel *panel, int series, char (*text)[AXIS_TEXT])
{
	struct spread spread = sample_spread(panel->sample, series);
	static const double quantile[FIGURES] = { [2] = 0.5, [6] = 0.95, [7] = 0.99 };
	const double value[FIGURES] = { [1] = spread.mean, [3] = spread.min, spread.max, spread_deviation(&spread) };

	axis_count(spread.count, text[0]);
	for (int i = 1; i < FIGURES; i++)
		if (quantile[i] > 0)
			panel_quantile(panel, series, quantile[i], text[i]);
		else
			axis_text(value[i], panel->y_unit, text[i]);
}

static void row_line(const struct panel *panel, double y, const char *colour)
{
	if (!panel->text)
		fprintf(panel->script, "set arrow from graph 0,%.4f to graph 1,%.4f nohead "
			"linecolor rgb \"%s\"\n", y, y, colour);
}

/* Where the column of a figure ends; false when it is left out, as some are for want of characters. */
static bool column_of(const struct panel *panel, int figure, double *x)
{
	static const int among_characters[FIGURES] = { 1, 2, 3, 0, 4, 0, 0, 5 };

	*x = panel->text ? 0.22 + 0.15 * among_characters[figure] : 0.36 + 0.09 * figure;
	return !panel->text || among_characters[figure];
}

void summary_draw(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	char text[FIGURES][AXIS_TEXT], name[PANEL_NAME];
	bool by_group = sample->grouped && panel->chart->kind == TABLE;
	int rows = by_group ? sample->n_series + 2 : FIGURES + 1;
	double step = 1.0 / (rows < 10 ? 10 : rows), x;

	panel_title_of_y(panel, "Figures of ", "");
	fputs("unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\nunset key\n", panel->script);
	for (int r = 0; !by_group && r < FIGURES; r++) {
		if (r == 0)
			figures(panel, -1, text);
		cell(panel, 0.1, 1 - (r + 1) * step, "left", slice_of(figure_names[r]), 40);
		cell(panel, 0.9, 1 - (r + 1) * step, "right", slice_of(text[r]), 40);
		row_line(panel, 1 - (r + 1.5) * step, "#dddddd");
	}
	for (int f = 0; by_group && f < FIGURES; f++)
		if (column_of(panel, f, &x))
			cell(panel, x, 1 - 0.5 * step, "right", slice_of(figure_names[f]), 12);
	if (by_group) {
		cell(panel, 0, 1 - 0.5 * step, "left", panel->chart->group, 22);
		row_line(panel, 1 - step, "#666666");
	}
	for (int s = 0; by_group && s <= sample->n_series; s++) {
		bool all = s == sample->n_series;
		double y = 1 - (s + 1.5) * step;

		if (all)
			snprintf(name, sizeof name, "all");
		else
			panel_series_name(name, sizeof name, panel, s);
		figures(panel, all ? -1 : s, text);
		cell(panel, 0, y, "left", slice_of(name), panel->text ? 14 : 22);
		for (int f = 0; f < FIGURES; f++)
			if (column_of(panel, f, &x))
				cell(panel, x, y, "right", slice_of(text[f]), 20);
		row_line(panel, y - 0.5 * step, s + 1 == sample->n_series ? "#666666" : "#dddddd");
	}
	fputs("plot -9 notitle\nset border\nset tics\nset key\n", panel->script);
}
