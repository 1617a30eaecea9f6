// SPDX-License-Identifier: MIT
#include "charts/heatmap.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* A heat map's cells: COLUMNS by ROWS counts, and a row for zeros. */
struct grid {
	int columns, rows;
	int64_t from;		/* x of the left edge */
	uint64_t width;		/* of a column */
	double low, step;	/* of rows: in places of the axis */
	const struct axis *axis;
	uint64_t *count, *zeros;
	int column;		/* that grid_put() fills */
};

static void grid_put(void *context, double low, double high, uint64_t count)
{
	struct grid *grid = context;
	double from = axis_place(grid->axis, low), to = axis_place(grid->axis, high);
	int row;

	if (grid->axis->log && low == 0 && high == 0) {
		grid->zeros[grid->column] += count;
		return;
	}
	/* A bin is narrower than a row, or nearly: all of it goes where its middle is. */
	row = (int)floor(((from + to) / 2 - grid->low) / grid->step);
	row = row < 0 ? 0 : row >= grid->rows ? grid->rows - 1 : row;
	grid->count[(size_t)row * (size_t)grid->columns + (size_t)grid->column] += count;
}

static void fill_grid(const struct panel *panel, struct grid *grid)
{
	struct sample *sample = panel->sample;
	const struct window *window = &sample->columns.window;
	int64_t first = window->low - window->first;
	int slot = sample->series[0].slot;

	for (uint64_t i = 0; sample->exact && i < sample->count; i++) {
		const struct point *p = &sample->points[i];

		grid->column = (int)(((uint64_t)p->x - (uint64_t)grid->from) / grid->width);
		grid_put(grid, p->y, p->y, 1);
	}
	for (int c = 0; !sample->exact && c < grid->columns; c++) {
		const struct spread *spread = sample->columns.at[first + c].series[slot];

		grid->column = c;
		if (spread)
			spread_bins(spread, grid_put, grid);
	}
}

static struct grid make_grid(const struct panel *panel, const struct axis *axis, int columns, int rows)
{
	struct sample *sample = panel->sample;
	struct grid grid = { .axis = axis };
	double low = axis_place(axis, axis->log ? sample->y_least : sample->y_min);
	double high = axis_place(axis, sample->y_max);
	double finest = axis->log ? log10(1 + 1.0 / SPREAD_SUB) : 0;

	if (sample->exact) {
		uint64_t range = (uint64_t)sample->x_max - (uint64_t)sample->x_min;

		grid.from = sample->x_min;
		grid.width = range / (uint64_t)columns + 1;
		/* All at one time: a cell that can be seen. */
		if (range == 0 && panel->x_unit == UNIT_TIME)
			grid.width = 20000000;
		grid.columns = (int)(range / grid.width) + 1;
		/* gnuplot does not draw a single column: it would not know how wide it is. */
		grid.columns += grid.columns == 1;
	} else {
		const struct window *window = &sample->columns.window;

		columns_coarsen(&sample->columns, &sample->pool, panel_shift(window, columns));
		grid.columns = window_used(window);
		grid.width = (uint64_t)1 << window->shift;
		grid.from = window_start(window, (int)(window->low - window->first));
	}
	if (high - low < finest || high == low) {
		double pad = fmax(finest, axis->log ? 0 : fabs(low) / 100 + 0.5);

		low -= pad;
		high += pad;
	}
	if (finest > 0 && (high - low) / finest < rows)
		rows = (int)((high - low) / finest) + 1;
	grid.rows = rows;
	grid.low = low;
	grid.step = (high - low) / rows;
	grid.count = memory_zeroed((size_t)grid.rows * (size_t)grid.columns * sizeof *grid.count);
	grid.zeros = memory_zeroed((size_t)grid.columns * sizeof *grid.zeros);
	fill_grid(panel, &grid);
	return grid;
}

static void write_colour_scale(const struct panel *panel, uint64_t most)
{
	double top = most < 10 ? 10 : (double)most;
	bool first = true;
	char text[AXIS_TEXT];

	gnuplot_palette(panel->script);
	fprintf(panel->script, "set colorbox\nset logscale cb\nset cbrange [1:%.15g]\n"
		"set cblabel \"values per cell\"\nset cbtics (", top);
	for (double tic = 1; tic <= top; tic *= 10, first = false)
		fprintf(panel->script, "%s\"%s\" %.15g", first ? "" : ", ",
			axis_text(tic, UNIT_NONE, text), tic);
	fputs(")\n", panel->script);
}

/* A cell as a character, by the logarithm of its count. */
static void write_text_cells(const struct panel *panel, const struct grid *grid, const struct axis *x,
			     uint64_t most)
{
	static const char shades[] = ".:-=+*#%@";
	double top = log((double)most + 1);

	fprintf(panel->script, "$cells%d << END\n", panel->number);
	for (int r = -1; r < grid->rows; r++) {
		for (int c = 0; c < grid->columns; c++) {
			uint64_t n = r < 0 ? grid->zeros[c] : grid->count[r * grid->columns + c];
			int shade;

			if (n == 0)
				continue;
			shade = (int)(log((double)n) / top * 9);
			axis_write_x(panel->script, x, (int64_t)((uint64_t)grid->from +
								 (uint64_t)c * grid->width), grid->width);
			fprintf(panel->script, " %.9g \"%c\"\n", r < 0 ? axis_place(grid->axis, 0) :
				grid->low + (r + 0.5) * grid->step, shades[shade > 8 ? 8 : shade]);
		}
	}
	fprintf(panel->script, "END\nplot $cells%d using 1:2:3 with labels notitle\n", panel->number);
}

static void write_cells(const struct panel *panel, const struct grid *grid, const struct axis *x)
{
	double width = (double)grid->width / (panel->x_unit == UNIT_TIME ? 1e9 : 1);
	double left = panel->x_unit == UNIT_TIME ? (double)((__int128)grid->from - x->origin) / 1e9 :
		      (double)grid->from, zero = axis_place(grid->axis, 0);
	bool zeros = false;

	fprintf(panel->script, "# a line for each row of cells, from the lowest\n$cells%d << END\n",
		panel->number);
	for (int r = 0; r < grid->rows; r++) {
		for (int c = 0; c < grid->columns; c++) {
			uint64_t n = grid->count[r * grid->columns + c];

			fprintf(panel->script, "%s%llu", c ? " " : "", (unsigned long long)n);
		}
		fputc('\n', panel->script);
	}
	fprintf(panel->script, "END\n# zeros: x count\n$zeros%d << END\n", panel->number);
	for (int c = 0; c < grid->columns; c++) {
		if (grid->zeros[c])
			fprintf(panel->script, "%.15g %llu\n", left + c * width,
				(unsigned long long)grid->zeros[c]);
		zeros = zeros || grid->zeros[c];
	}
	fprintf(panel->script, "END\nplot $cells%d matrix using (%.15g+$1*%.15g):(%.15g+$2*%.15g):"
		"($3>0?$3:NaN) with image %snotitle", panel->number, left + width / 2, width,
		grid->low + grid->step / 2, grid->step,
		panel->chart->canvas.picture == PICTURE_PNG ? "" : "pixels ");
	if (zeros)
		fprintf(panel->script, ", $zeros%d using ($1+%.15g/2):(%.15g):1:($1+%.15g):(%.15g):(%.15g):2 "
			"with boxxyerror fillcolor palette fillstyle solid 1 noborder notitle", panel->number,
			width, zero, width, zero - grid->step / 2, zero + grid->step / 2);
	panel_mark_key(panel);
	fputc('\n', panel->script);
}

void heatmap_draw(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = panel_x_axis(panel, 0.85), y;
	uint64_t by_count = sample->count / 20 + 20, most = 0;
	int columns = panel_columns(panel), rows = panel->text ? panel->chart->canvas.height - 7 : 100;
	struct grid grid;

	columns = columns > 300 ? 300 : columns;
	if (sample->exact && by_count < (uint64_t)columns)
		columns = (int)by_count;
	/* Bins are logarithmic, so the axis is, unless there are values below zero. */
	y = axis_for(panel->y_unit, sample->y_min, sample->y_max, sample->y_least, sample->zeros > 0, false);
	if (sample->y_min >= 0 && sample->y_least > 0 && !y.log) {
		y.log = true;
		y.zero = sample->zeros > 0;
		y.low = sample->y_least / 1.1;
		y.high = sample->y_max * 1.1;
	}
	if (panel->text)
		y.tics = 4;
	grid = make_grid(panel, &y, columns, rows < 4 ? 4 : rows);
	axis_write(panel->script, "y", &y);
	panel_label(panel, "y", panel->chart->y, "");
	panel_title_of_y(panel, "", " over time");
	for (int i = 0; i < grid.rows * grid.columns; i++)
		most = grid.count[i] > most ? grid.count[i] : most;
	for (int c = 0; c < grid.columns; c++)
		most = grid.zeros[c] > most ? grid.zeros[c] : most;
	if (panel->text) {
		write_text_cells(panel, &grid, &x, most);
	} else {
		write_colour_scale(panel, most);
		write_cells(panel, &grid, &x);
	}
	free(grid.count);
	free(grid.zeros);
}
