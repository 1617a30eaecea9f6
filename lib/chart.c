// SPDX-License-Identifier: MIT
#include "chart.h"

#include <math.h>
#include <stdlib.h>

#include "memory.h"

enum { NAME_LIMIT = 26, BAR_NAME_LIMIT = 36, PANEL_NAME_LIMIT = 11, PANEL_BAR_NAME_LIMIT = 17,
       TEXT_NAME_LIMIT = 16 };

/* Many lines over each other are read more easily when each is less ragged. */
enum { LINES_COLUMNS = 200 };

/* One panel of a picture: the chart, and where in the picture it goes. */
struct panel {
	FILE *script;
	const struct chart *chart;
	struct sample *sample;
	double width, height;	/* parts of the canvas, 0 to 1 */
	int number;		/* makes the names of data blocks unique */
	bool text;		/* drawn with characters */
	bool titled;		/* a panel of a dashboard that has a title of its own */
	enum unit y_unit, x_unit;
};

unsigned chart_wants(enum kind kind, bool with_y)
{
	switch (kind) {
	case TIMESERIES:
		return with_y ? SAMPLE_COLUMNS : SAMPLE_RATE;
	case HEATMAP:
		return SAMPLE_COLUMNS;
	case HISTOGRAM:
		return SAMPLE_SPREAD | SAMPLE_LINEAR;
	case CDF:
	case TABLE:
		return SAMPLE_SPREAD;
	case USAGE:
		return SAMPLE_USAGE;
	case TIMELINE:
		return SAMPLE_FIRST;
	case DASHBOARD:
		return SAMPLE_COLUMNS | SAMPLE_SPREAD | SAMPLE_LINEAR;
	default:
		return 0;
	}
}

static const char *colour(const struct panel *panel, int series)
{
	return panel->sample->series[series].is_other ? GNUPLOT_GREY :
	       gnuplot_colours[series % GNUPLOT_COLOURS];
}

/* A group's name as people read it: `ok=1` rather than `1`, something rather than nothing. */
static void group_name(char *to, size_t size, const struct panel *panel, struct slice name)
{
	struct slice key = panel->chart->group;
	bool number = name.len > 0;

	for (size_t i = 0; i < name.len; i++)
		number = number && ((name.at[i] >= '0' && name.at[i] <= '9') || name.at[i] == '-');
	if (number || name.len == 0)
		snprintf(to, size, "%.*s=%.*s", key.len > 64 ? 64 : (int)key.len, key.at,
			 name.len > 64 ? 64 : (int)name.len, name.at);
	else
		snprintf(to, size, "%.*s", name.len > 512 ? 512 : (int)name.len, name.at);
}

static void other_name(char *to, size_t size, uint64_t groups)
{
	char count[AXIS_TEXT];

	snprintf(to, size, "other (%s)", axis_count(groups, count));
}

static void series_name(char *to, size_t size, const struct panel *panel, int series)
{
	const struct series *s = &panel->sample->series[series];

	if (s->is_other)
		other_name(to, size, panel->sample->in_other);
	else
		group_name(to, size, panel, s->name);
}

static size_t name_limit(const struct panel *panel)
{
	return panel->text ? TEXT_NAME_LIMIT : panel->width < 1 ? PANEL_NAME_LIMIT : NAME_LIMIT;
}

/*
 * Leaves room for the key at the right of the picture: for the names of the series and EXTRA characters, or for
 * LEAST. Returns the part of the canvas that is left. (gnuplot's own guess of widths is far off in SVG.)
 */
static double leave_room_for_key(const struct panel *panel, size_t extra, size_t least)
{
	size_t longest = least;
	double right;
	char name[600];

	if (panel->text || panel->width < 1)
		return panel->width;
	for (int s = 0; panel->sample->grouped && s < panel->sample->n_series; s++) {
		size_t n;

		series_name(name, sizeof name, panel, s);
		n = gnuplot_columns(slice_of(name), NAME_LIMIT) + extra +
		    (panel->sample->series[s].partial ? 7 : 0);
		longest = n > longest ? n : longest;
	}
	if (panel->sample->marks && longest < 11)
		longest = 11;
	right = 1 - gnuplot_part(&panel->chart->canvas, longest ? (double)longest + 9 : 4);
	right = right < 0.5 ? 0.5 : right;
	fprintf(panel->script, "set rmargin at screen %.4f\n", right);
	return right;
}

/* ` title "..."`, empty without groups. */
static void write_series_title(const struct panel *panel, int series, const char *tail)
{
	char name[600];

	if (!panel->sample->grouped || panel->sample->joined) {
		fputs(*tail ? " title " : " notitle", panel->script);
		if (*tail)
			gnuplot_text(panel->script, slice_of(tail), 60);
		return;
	}
	series_name(name, sizeof name, panel, series);
	fputs(" title ", panel->script);
	gnuplot_text(panel->script, slice_of(name), name_limit(panel));
	if (panel->sample->series[series].partial)
		fputs(".\" (part)\"", panel->script);
	if (*tail)
		fprintf(panel->script, ".\" %s\"", tail);
}

static void begin_panel(const struct panel *panel)
{
	fputs("unset label\nunset object\nunset arrow\nunset colorbox\nset xlabel\nset ylabel\nset title\n",
	      panel->script);
}

/* Title and note over the whole width, where gnuplot's own title has that of the axes. */
static void write_heading(const struct panel *panel, const char *title)
{
	const struct canvas *canvas = &panel->chart->canvas;

	fputs("set label ", panel->script);
	gnuplot_text(panel->script, slice_of(title), gnuplot_fits(canvas, 0.9));
	fprintf(panel->script, " at screen 0.5, screen %.4f center\nset label ", 1 - gnuplot_lines(canvas, 1));
	gnuplot_text(panel->script, slice_of(panel->chart->note), gnuplot_fits(canvas, 1));
	fprintf(panel->script, " at screen 0.5, screen %.4f center textcolor rgb \"#666666\"\n",
		1 - gnuplot_lines(canvas, 2));
	if (panel->chart->kind != DASHBOARD)
		fprintf(panel->script, "set tmargin at screen %.4f\n", 1 - gnuplot_lines(canvas, 3.2));
}

static void write_title(const struct panel *panel, const char *made_up)
{
	bool whole = panel->chart->kind != DASHBOARD || panel->text;
	const char *title = panel->chart->title && whole ? panel->chart->title : made_up;

	/* In a dashboard the axes say it, and the key stands where the title would. */
	if (!whole && !panel->titled)
		return;
	if (whole && !panel->text) {
		write_heading(panel, title);
		return;
	}
	fputs("set title ", panel->script);
	gnuplot_text(panel->script, slice_of(title), gnuplot_fits(&panel->chart->canvas, panel->width) * 9 / 10);
	if (whole && *panel->chart->note) {
		fputs(".\"\\n\".", panel->script);
		gnuplot_text(panel->script, slice_of(panel->chart->note),
			     gnuplot_fits(&panel->chart->canvas, panel->width));
	}
	fputc('\n', panel->script);
}

static void write_label(const struct panel *panel, const char *which, struct slice key, const char *note)
{
	char text[300];

	snprintf(text, sizeof text, "%.*s%s%s%s", key.len > 100 ? 100 : (int)key.len, key.at,
		 *note ? " (" : "", note, *note ? ")" : "");
	fprintf(panel->script, "set %slabel ", which);
	gnuplot_text(panel->script, slice_of(text), 80);
	fputc('\n', panel->script);
}

/* The x axis of the charts over time, with what was lost on the way. */
static struct axis write_x_axis(const struct panel *panel, double width)
{
	const struct sample *sample = panel->sample;
	int tics = (int)((double)gnuplot_fits(&panel->chart->canvas, width * 0.9) / 14);	/* characters */
	struct axis axis = axis_of_x(panel->x_unit, sample->x_min, sample->x_max,
				     tics < 2 ? 2 : tics > 10 ? 10 : tics);
	double narrow = (axis.high - axis.low) / 600;
	char note[AXIS_NOTE];

	axis_write(panel->script, "x", &axis);
	axis_note(&axis, note);
	write_label(panel, "x", slice_equal(panel->chart->x, SLICE("ts")) ? SLICE("time") : panel->chart->x, note);
	for (size_t i = 0; i < sample->marks; i++) {
		const struct mark *mark = &sample->mark[i];
		double from = (double)((__int128)mark->first - axis.origin) / 1e9;
		double to = (double)((__int128)mark->last - axis.origin) / 1e9;

		if (panel->x_unit != UNIT_TIME || to < axis.low || from > axis.high)
			continue;
		from = fmax(from, axis.low);
		to = fmin(fmax(to, from + narrow), axis.high);
		fprintf(panel->script, "set object rectangle from first %.9f, graph 0 to first %.9f, graph 1 "
				       "fillcolor rgb \"#f7c9c9\" fillstyle solid noborder behind\n", from, to);
	}
	return axis;
}

static void write_mark_key(const struct panel *panel)
{
	if (panel->sample->marks && panel->x_unit == UNIT_TIME)
		fputs(", keyentry with boxes fillcolor rgb \"#f7c9c9\" fillstyle solid title \"events lost\"",
		      panel->script);
}

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

/* How many columns the panel can show. */
static int columns_that_fit(const struct panel *panel)
{
	int width = (int)(panel->chart->canvas.width * panel->width);

	width = panel->text ? width - 12 : width * 3 / 4;
	return width < 16 ? 16 : width;
}

static int coarser(const struct window *window, int limit)
{
	int shift = window->shift;

	while (window->any && (window->high >> (shift - window->shift)) -
	       (window->low >> (shift - window->shift)) >= limit)
		shift++;
	return shift;
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
		int next = c + 1;

		if (!spread)
			continue;
		if (last >= 0 && (uint64_t)(c - last) > limit)
			fputc('\n', panel->script);
		while (next <= high && !columns->at[next].series[slot])
			next++;
		write_column(panel, x, spread, window_start(window, c), width, spread->count);
		/* A column alone would be a line of no length: its right edge makes it one. */
		if ((last < 0 || (uint64_t)(c - last) > limit) && (next > high || (uint64_t)(next - c) > limit))
			write_column(panel, x, spread, window_start(window, c), 2 * width, 0);
		last = c;
	}
	fputs("END\n", panel->script);
}

static struct axis write_y_axis(const struct panel *panel, const char *which, bool from_zero)
{
	const struct sample *sample = panel->sample;
	struct axis axis = axis_for(panel->y_unit, sample->y_min, sample->y_max, sample->y_least,
				    sample->zeros > 0, from_zero);

	if (panel->text)
		axis.tics = 4;
	else if (*which == 'x')
		axis.tics = (int)(gnuplot_fits(&panel->chart->canvas, panel->width) / 14);
	else if (panel->height < 1)
		axis.tics = 5;
	axis_write(panel->script, which, &axis);
	write_label(panel, which, panel->chart->y, "");
	return axis;
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
			s ? ", " : "", panel->number, s, few ? "linespoints" : "points", colour(panel, s));
		if (!panel->text)
			fprintf(panel->script, " linewidth 1.2 pointtype 7 pointsize %s notitle", few ? "0.5" : "0.3");
		/* In the key, points are large enough to have a colour. */
		if (!panel->text && sample->grouped && !sample->joined)
			fprintf(panel->script, ", keyentry with points pointtype 7 linecolor rgb \"%s\"",
				colour(panel, s));
		if (panel->text || (sample->grouped && !sample->joined))
			write_series_title(panel, s, "");
	}
	if (*tail) {
		fprintf(panel->script, ", at_y(%.15g) with lines dashtype 2 linecolor rgb \"#444444\"",
			sample_spread(sample, 0).mean);
		fprintf(panel->script, " title \"%s\"", tail);
	}
	write_mark_key(panel);
	fputc('\n', panel->script);
}

static void draw_columns(const struct panel *panel, const struct axis *x)
{
	struct sample *sample = panel->sample;

	int fit = columns_that_fit(panel);

	if (sample->n_series > 1 && fit > LINES_COLUMNS)
		fit = LINES_COLUMNS;
	columns_coarsen(&sample->columns, &sample->pool, coarser(&sample->columns.window, fit));
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
			fprintf(panel->script, "%s$columns%d_%d using 1:(at_y($3)) with lines linecolor rgb \"%s\" "
				"linewidth 1.6", s ? ", " : "", panel->number, s, colour(panel, s));
			write_series_title(panel, s, "");
			if (!panel->text)
				fprintf(panel->script, ", $columns%d_%d using 1:(at_y($4)) with lines "
					"linecolor rgb \"%s\" linewidth 0.6 notitle", panel->number, s,
					colour(panel, s));
		}
		if (!panel->text)
			fputs(", keyentry with lines linecolor rgb \"#444444\" linewidth 1.6 title \"median\", "
			      "keyentry with lines linecolor rgb \"#444444\" linewidth 0.6 title \"p99\"",
			      panel->script);
	}
	write_mark_key(panel);
	fputc('\n', panel->script);
}

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

			/* A sliver at an end says nothing by itself: it is taken together with its neighbour. */
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
	write_label(panel, "y", slice_of(label), "");
}

static void draw_rate(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = write_x_axis(panel, leave_room_for_key(panel, 0, 0));
	bool timed = panel->x_unit == UNIT_TIME;
	uint64_t enough = sample->count / 8 + 20;
	int fit = columns_that_fit(panel);
	double largest;

	if (sample->n_series > 1 && fit > LINES_COLUMNS)
		fit = LINES_COLUMNS;
	flows_coarsen(&sample->flows, coarser(&sample->flows.window, enough < (uint64_t)fit ? (int)enough : fit));
	largest = write_flows(panel, &x, timed ? 1e9 : 1, false);
	write_flow_axis(panel, largest, timed ? "events per second" : "events per step of x");
	write_title(panel, "Events over time");
	fputs("plot ", panel->script);
	if (sample->n_series == 1 && !panel->text)
		fprintf(panel->script, "$flow%d_0 using 1:5 with fillsteps fillcolor rgb \"#cfe2f1\" notitle, ",
			panel->number);
	for (int s = 0; s < sample->n_series; s++) {
		fprintf(panel->script, "%s$flow%d_%d using 1:5 with steps linecolor rgb \"%s\" linewidth 1.3",
			s ? ", " : "", panel->number, s, colour(panel, s));
		write_series_title(panel, s, "");
	}
	write_mark_key(panel);
	fputc('\n', panel->script);
}

static void draw_usage(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = write_x_axis(panel, leave_room_for_key(panel, 0, 0));
	int fit = columns_that_fit(panel);
	double largest;

	flows_coarsen(&sample->flows, coarser(&sample->flows.window, fit < 256 ? fit : 256));
	largest = write_flows(panel, &x, 1, true);
	write_flow_axis(panel, largest, slice_equal(panel->chart->y, SLICE("dur_ns")) ? "CPUs in use" :
			"in use at once");
	write_title(panel, "Use over time");
	fputs("plot ", panel->script);
	/* Each is drawn from the ground up, over those above it: no seams, and the key in the order of the stack. */
	for (int s = sample->n_series - 1; s >= 0; s--) {
		fprintf(panel->script, "%s$flow%d_%d using %s with %s", s < sample->n_series - 1 ? ", " : "",
			panel->number, s, panel->text ? "(($1+$2)/2):5" : "1:5",
			panel->text ? "impulses" : "fillsteps");
		if (!panel->text)
			fprintf(panel->script, " fillcolor rgb \"%s\"", colour(panel, s));
		write_series_title(panel, s, "");
	}
	write_mark_key(panel);
	fputc('\n', panel->script);
}

/* Where the bins of a histogram begin: n + 1 edges. */
struct bins {
	size_t n;
	double *edge;
	uint64_t *count;
	uint64_t zeros;		/* on a logarithmic scale: those that stand by themselves */
};

static struct bins log_bins(const struct sample *sample, int per_decade)
{
	double low = floor(log10(sample->y_least) * per_decade), high = log10(sample->y_max) * per_decade;
	struct bins bins = { .zeros = sample->zeros };

	bins.n = (size_t)(floor(high) - low) + 1;
	bins.edge = memory_get((bins.n + 2) * sizeof *bins.edge);
	/* Rounding must not put the extremes outside. */
	for (size_t i = 0; i <= bins.n + 1; i++)
		bins.edge[i] = pow(10, (low + (double)i) / per_decade);
	while (bins.edge[bins.n] <= sample->y_max)
		bins.edge[++bins.n] = sample->y_max * 1.000001;
	if (bins.edge[0] > sample->y_least)
		bins.edge[0] = sample->y_least;
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	return bins;
}

/* So close together that numbers in a script would not tell them apart. */
static bool is_one_value(const struct sample *sample)
{
	return sample->y_max / 2 - sample->y_min / 2 <= 1e-12 * fmax(fabs(sample->y_min), fabs(sample->y_max));
}

static struct bins even_bins(const struct sample *sample, size_t about)
{
	double span = sample->y_max / 2 - sample->y_min / 2, step, from;
	struct bins bins = { 0 };

	step = !is_one_value(sample) ? span * 2 / (double)about : fmax(fabs(sample->y_min) / 10, 1);
	step = exp2(ceil(log2(step)));
	from = floor(sample->y_min / step) * step;
	bins.n = (size_t)floor((sample->y_max - from) / step) + 1;
	bins.edge = memory_get((bins.n + 1) * sizeof *bins.edge);
	for (size_t i = 0; i <= bins.n; i++)
		bins.edge[i] = from + (double)i * step;
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	return bins;
}

/* Puts COUNT values of [LOW, HIGH) into the bins that overlap it, in proportion, whole numbers that sum up. */
static void put(void *context, double low, double high, uint64_t count)
{
	struct bins *bins = context;
	size_t first = 0, last = bins->n;
	double before = 0;

	if (low == 0 && high == 0 && bins->zeros)
		return;
	while (last - first > 1) {
		size_t middle = (first + last) / 2;

		if (bins->edge[middle] <= low)
			first = middle;
		else
			last = middle;
	}
	for (size_t b = first; count > 0; b++) {
		double share = high > low ? (fmin(high, bins->edge[b + 1]) - low) / (high - low) : 1;
		uint64_t n = b + 1 == bins->n || bins->edge[b + 1] >= high ? count :
			     (uint64_t)llround((share - before) / (1 - before) * (double)count);

		if (n > count)
			n = count;
		bins->count[b] += n;
		count -= n;
		before = share;
	}
}

/* The linear bins as they were gathered, K of them together. */
static struct bins gathered_bins(const struct linear *linear, size_t about)
{
	struct bins bins = { 0 };
	int shift = 0;

	while ((size_t)((linear->high >> shift) - (linear->low >> shift)) >= about)
		shift++;
	bins.n = (size_t)((linear->high >> shift) - (linear->low >> shift)) + 1;
	bins.edge = memory_get((bins.n + 1) * sizeof *bins.edge);
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	for (size_t i = 0; i <= bins.n; i++)
		bins.edge[i] = ldexp((double)((linear->low >> shift) + (int64_t)i), linear->exponent + shift);
	for (int64_t at = linear->low; at <= linear->high; at++)
		bins.count[(at >> shift) - (linear->low >> shift)] += linear->count[at - linear->first];
	return bins;
}

static struct bins make_bins(const struct panel *panel, const struct axis *axis)
{
	const struct sample *sample = panel->sample;
	double decades = log10(axis->high) - log10(axis->low);
	size_t about = (size_t)(4 * cbrt((double)sample->count));
	struct bins bins;

	about = about < 12 ? 12 : about > 64 ? 64 : about;
	if (panel->text && about > 24)
		about = 24;
	if (axis->log) {
		int per_decade = (int)((double)about / decades);

		bins = log_bins(sample, per_decade < 1 ? 1 : per_decade > 20 ? 20 : per_decade);
	} else if (sample->exact || is_one_value(sample)) {
		bins = even_bins(sample, about);
	} else {
		return gathered_bins(&sample->linear, about);
	}
	if (!sample->exact)
		spread_bins(sample->grouped ? &sample->all : &sample->spread[1], put, &bins);
	for (uint64_t i = 0; sample->exact && i < sample->count; i++)
		put(&bins, sample->points[i].y, sample->points[i].y, 1);
	return bins;
}

static void draw_histogram(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	struct axis x = write_y_axis(panel, "x", false);
	struct bins bins = make_bins(panel, &x);
	uint64_t most = bins.zeros;
	double mean = sample_spread(sample, -1).mean, median = sample_quantile(sample, -1, 0.5);
	double zero = axis_place(&x, 0), half = (axis_place(&x, sample->y_least) - zero) / 4;
	char text[64], mean_text[AXIS_TEXT], median_text[AXIS_TEXT];
	struct axis y;

	for (size_t i = 0; i < bins.n; i++)
		most = bins.count[i] > most ? bins.count[i] : most;
	if (!x.log) {	/* outermost bins reach beyond the values */
		double pad = (bins.edge[bins.n] - bins.edge[0]) / 50;

		x.low = bins.edge[0] - pad;
		x.high = bins.edge[bins.n] + pad;
		axis_write(panel->script, "x", &x);
	}
	y = axis_for(UNIT_COUNT, 0, (double)most, 0, false, true);
	axis_write(panel->script, "y", &y);
	write_label(panel, "y", SLICE("values per bin"), "");
	snprintf(text, sizeof text, "Histogram of %.*s", panel->chart->y.len > 40 ? 40 : (int)panel->chart->y.len,
		 panel->chart->y.at);
	write_title(panel, text);
	leave_room_for_key(panel, 0, 17);
	fprintf(panel->script, "# from to count\n$bins%d << END\n", panel->number);
	for (size_t i = 0; i < bins.n; i++)
		fprintf(panel->script, "%.15g %.15g %llu\n", bins.edge[i], bins.edge[i + 1],
			(unsigned long long)bins.count[i]);
	fputs("END\n", panel->script);
	if (bins.zeros)
		fprintf(panel->script, "# zeros\n$zeros%d << END\n%.15g %.15g %llu\nEND\n", panel->number,
			zero - half, zero + half, (unsigned long long)bins.zeros);
	fprintf(panel->script, "plot $bins%d using ((at_x($1)+at_x($2))/2):(0):(at_x($1)):(at_x($2)):(0):3 "
		"with boxxyerror fillcolor rgb \"#56b4e9\" fillstyle solid 1 border linecolor rgb \"#ffffff\" "
		"notitle", panel->number);
	if (bins.zeros)
		fprintf(panel->script, ", $zeros%d using (($1+$2)/2):(0):1:2:(0):3 with boxxyerror "
			"fillcolor rgb \"#999999\" fillstyle solid 1 noborder title \"zeros\"", panel->number);
	snprintf(text, sizeof text, "mean %s", axis_text(mean, panel->y_unit, mean_text));
	fprintf(panel->script, ", \"+\" using (%.15g):(0):(0):(%.15g) every ::::0 with vectors nohead dashtype 2 "
		"linewidth 1.8 linecolor rgb \"%s\" title ", axis_place(&x, mean), y.high, gnuplot_colours[1]);
	gnuplot_text(panel->script, slice_of(text), 60);
	snprintf(text, sizeof text, "median %s", axis_text(median, panel->y_unit, median_text));
	fprintf(panel->script, ", \"+\" using (%.15g):(0):(0):(%.15g) every ::::0 with vectors nohead linewidth 1.8 "
		"linecolor rgb \"%s\" title ", axis_place(&x, median), y.high, gnuplot_colours[0]);
	gnuplot_text(panel->script, slice_of(text), 60);
	fputc('\n', panel->script);
	free(bins.edge);
	free(bins.count);
}

struct cumulation {
	const struct panel *panel;
	uint64_t so_far, all;
};

static void cumulate(void *context, double low, double high, uint64_t count)
{
	struct cumulation *sum = context;

	(void)low;
	sum->so_far += count;
	fprintf(sum->panel->script, "%.15g %.9g\n", fmin(high, sum->panel->sample->y_max),
		(double)sum->so_far / (double)sum->all);
}

static void write_cumulation(const struct panel *panel, int series)
{
	const struct sample *sample = panel->sample;
	const struct series *s = &sample->series[series];
	const struct spread *spread = &sample->spread[s->slot];
	struct cumulation sum = { panel, 0, sample->exact ? s->count : spread->count };

	fprintf(panel->script, "# value share\n$shares%d_%d << END\n", panel->number, series);
	fprintf(panel->script, "%.15g 0\n", sample->exact ? sample->sorted[s->first] : spread->min);
	if (!sample->exact)
		spread_bins(spread, cumulate, &sum);
	for (uint64_t i = 0; sample->exact && i < s->count; i++) {
		const double *value = &sample->sorted[s->first + i];

		if (i + 1 == s->count || value[0] != value[1])
			fprintf(panel->script, "%.15g %.9g\n", *value, (double)(i + 1) / (double)s->count);
	}
	fputs("END\n", panel->script);
}

static void draw_cdf(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	char text[80];

	write_y_axis(panel, "x", false);
	leave_room_for_key(panel, 16, 14);
	snprintf(text, sizeof text, "Cumulative distribution of %.*s",
		 panel->chart->y.len > 40 ? 40 : (int)panel->chart->y.len, panel->chart->y.at);
	write_title(panel, text);
	for (int s = 0; s < sample->n_series; s++)
		write_cumulation(panel, s);
	fputs("set ylabel \"share of the values up to here\"\nset yrange [0:1.02]\n"
	      "at_y(v) = v\nset ytics (\"0\" 0, \"25 %%\" 0.25, \"50 %%\" 0.5, \"75 %%\" 0.75, \"90 %%\" 0.9, "
	      "\"100 %%\" 1)\nplot ", panel->script);
	for (int s = 0; s < sample->n_series; s++) {
		char p50[AXIS_TEXT], p99[AXIS_TEXT];

		axis_text(sample_quantile(sample, s, 0.5), panel->y_unit, p50);
		axis_text(sample_quantile(sample, s, 0.99), panel->y_unit, p99);
		snprintf(text, sizeof text, sample->grouped ? "(p99 %s)" : "p99 %s", p99);
		if (sample->grouped && panel->text)
			*text = '\0';
		fprintf(panel->script, "%s$shares%d_%d using (at_x($1)):2 with steps linewidth 1.8 "
			"linecolor rgb \"%s\"", s ? ", " : "", panel->number, s, colour(panel, s));
		write_series_title(panel, s, text);
	}
	fputc('\n', panel->script);
}

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
	int slot = sample->series[0].slot;

	for (uint64_t i = 0; sample->exact && i < sample->count; i++) {
		const struct point *p = &sample->points[i];

		grid->column = (int)(((uint64_t)p->x - (uint64_t)grid->from) / grid->width);
		grid_put(grid, p->y, p->y, 1);
	}
	for (int c = 0; !sample->exact && c < grid->columns; c++) {
		const struct spread *spread = sample->columns.at[window->low - window->first + c].series[slot];

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
		grid.columns = (int)(range / grid.width) + 1;
	} else {
		const struct window *window = &sample->columns.window;

		columns_coarsen(&sample->columns, &sample->pool, coarser(window, columns));
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
	fprintf(panel->script, "set colorbox\nset logscale cb\nset cbrange [1:%.15g]\nset cblabel \"values per cell\"\n"
		"set cbtics (", top);
	for (double tic = 1; tic <= top; tic *= 10, first = false)
		fprintf(panel->script, "%s\"%s\" %.15g", first ? "" : ", ", axis_text(tic, UNIT_NONE, text), tic);
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
			int shade = (int)(log((double)n) / top * 9);

			if (n == 0)
				continue;
			axis_write_x(panel->script, x, (int64_t)((uint64_t)grid->from + (uint64_t)c * grid->width),
				     grid->width);
			fprintf(panel->script, " %.9g \"%c\"\n", r < 0 ? axis_place(grid->axis, 0) :
				grid->low + (r + 0.5) * grid->step, shades[shade > 8 ? 8 : shade]);
		}
	}
	fprintf(panel->script, "END\nplot $cells%d using 1:2:3 with labels notitle\n", panel->number);
}

static void write_cells(const struct panel *panel, const struct grid *grid, const struct axis *x)
{
	double left = 0, width = (double)grid->width / (panel->x_unit == UNIT_TIME ? 1e9 : 1);
	bool zeros = false;

	left = panel->x_unit == UNIT_TIME ? (double)((__int128)grid->from - x->origin) / 1e9 : (double)grid->from;
	fprintf(panel->script, "# a line for each row of cells, from the lowest\n$cells%d << END\n", panel->number);
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
			fprintf(panel->script, "%.15g %llu\n", left + c * width, (unsigned long long)grid->zeros[c]);
		zeros = zeros || grid->zeros[c];
	}
	fprintf(panel->script, "END\nplot $cells%d matrix using (%.15g+$1*%.15g):(%.15g+$2*%.15g):($3>0?$3:NaN) with image "
		"%snotitle", panel->number, left + width / 2, width, grid->low + grid->step / 2, grid->step,
		panel->chart->canvas.picture == PICTURE_PNG ? "" : "pixels ");
	if (zeros)
		fprintf(panel->script, ", $zeros%d using ($1+%.15g/2):(%.15g):1:($1+%.15g):(%.15g):(%.15g):2 "
			"with boxxyerror fillcolor palette fillstyle solid 1 noborder notitle", panel->number, width,
			axis_place(grid->axis, 0), width, axis_place(grid->axis, 0) - grid->step / 2,
			axis_place(grid->axis, 0) + grid->step / 2);
	write_mark_key(panel);
	fputc('\n', panel->script);
}

static void draw_heatmap(const struct panel *panel)
{
	struct sample *sample = panel->sample;
	struct axis x = write_x_axis(panel, 0.85), y;
	uint64_t by_count = sample->count / 20 + 20, most = 0;
	int columns = columns_that_fit(panel), rows = panel->text ? panel->chart->canvas.height - 7 : 100;
	struct grid grid;
	char text[80];

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
	write_label(panel, "y", panel->chart->y, "");
	snprintf(text, sizeof text, "%.*s over time", panel->chart->y.len > 40 ? 40 : (int)panel->chart->y.len,
		 panel->chart->y.at);
	write_title(panel, text);
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

/* The groups that have a bar or a slice of their own, then all others together. */
struct share {
	char name[600];
	double size;
	bool is_other;
};

static int make_shares(const struct panel *panel, struct share *share, int most, double *total)
{
	struct sample *sample = panel->sample;
	uint32_t n, *order = sample_rank(sample, &n);
	struct share rest = { .is_other = true };
	uint64_t groups = 0;
	int shares = 0;

	*total = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct group *group = &sample->groups[order[i]];
		double size = sample->by_sum ? group->sum : (double)group->count;

		*total += size;
		if (shares < most) {
			group_name(share[shares].name, sizeof share->name, panel,
				   intern_text(sample->names, order[i]));
			share[shares].size = size;
			share[shares++].is_other = false;
		} else {
			rest.size += size;
			groups++;
		}
	}
	rest.size += sample->by_sum ? sample->groups[SAMPLE_GROUPS].sum :
		     (double)sample->groups[SAMPLE_GROUPS].count;
	*total += sample->by_sum ? sample->groups[SAMPLE_GROUPS].sum :
		  (double)sample->groups[SAMPLE_GROUPS].count;
	if (groups || sample->groups[SAMPLE_GROUPS].count) {
		other_name(rest.name, sizeof rest.name, groups);
		share[shares++] = rest;
	}
	free(order);
	return shares;
}

static void title_of_shares(const struct panel *panel, char *text, size_t size)
{
	const struct chart *chart = panel->chart;

	snprintf(text, size, "%s%.*s by %.*s", panel->sample->by_sum ? "Sum of " : "Events",
		 !panel->sample->by_sum ? 0 : chart->y.len > 40 ? 40 : (int)chart->y.len, chart->y.at,
		 chart->group.len > 40 ? 40 : (int)chart->group.len, chart->group.at);
}

static void draw_bars(const struct panel *panel)
{
	struct share *share = memory_zeroed((CHART_BARS + 1) * sizeof *share);
	int most = panel->text ? panel->chart->canvas.height - 8 : panel->height < 1 ? 8 : CHART_BARS, n;
	enum unit unit = panel->sample->by_sum ? panel->y_unit : UNIT_COUNT;
	size_t limit = panel->width < 1 ? PANEL_BAR_NAME_LIMIT : panel->text ? 22 : BAR_NAME_LIMIT, longest = 0;
	double total, low = 0, high = 0;
	struct axis x;
	char text[200];

	most = most < 1 ? 1 : most > CHART_BARS ? CHART_BARS : most;
	n = make_shares(panel, share, most, &total);
	for (int i = 0; i < n; i++) {
		low = fmin(low, share[i].size);
		high = fmax(high, share[i].size);
	}
	x = axis_for(unit, low, high, 0, false, true);
	x.high += (x.high - x.low) * 0.12;	/* for the text behind the longest bar */
	x.tics = 5;
	axis_write(panel->script, "x", &x);
	title_of_shares(panel, text, sizeof text);
	write_title(panel, text);
	fprintf(panel->script, "# place size text\n$bars%d << END\n", panel->number);
	for (int i = 0; i < n; i++) {
		char size[AXIS_TEXT];

		if (unit == UNIT_COUNT)
			axis_count((uint64_t)share[i].size, size);
		else
			axis_text(share[i].size, unit, size);
		fprintf(panel->script, "%d %.15g \"%s\"\n", i, share[i].size, size);
	}
	/* Few bars need not be thick. */
	fprintf(panel->script, "END\nset yrange [%d.5:-0.5]\nset grid noytics\n", n < 6 && !panel->text ? 5 : n - 1);
	for (int i = 0; i < n; i++) {
		size_t columns = gnuplot_columns(slice_of(share[i].name), limit);

		longest = columns > longest ? columns : longest;
	}
	if (!panel->text)
		fprintf(panel->script, "set lmargin at screen %.4f\n",
			gnuplot_part(&panel->chart->canvas, (double)longest + 4));
	fputs("set ytics (", panel->script);
	for (int i = 0; i < n; i++) {
		fputs(i ? ", " : "", panel->script);
		gnuplot_tic(panel->script, slice_of(share[i].name), limit);
		fprintf(panel->script, " %d", i);
	}
	fprintf(panel->script, ")\nunset key\nplot $bars%d using (0):1:(0):2:($1-%s):($1+%s) with boxxyerror "
		"fillcolor rgb \"%s\" fillstyle solid 1 %s notitle, $bars%d using ($2<0?0:$2):1:3 with labels left "
		"offset character 0.7,0 notitle\nset key\n%s", panel->number, panel->text ? "0" : "0.36",
		panel->text ? "0" : "0.36", gnuplot_colours[0], panel->text ? "" : "noborder", panel->number,
		panel->text ? "" : "set grid ytics\n");
	free(share);
}

/* A row of a time line: a group, and when it is there first. */
struct row {
	int64_t begin;
	uint32_t group;
};

static int by_begin(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->begin != y->begin ? (x->begin > y->begin) - (x->begin < y->begin) :
	       (x->group > y->group) - (x->group < y->group);
}

/* The rows that have room, those of the longest time, in the order of their beginnings. *ALL: how many there are. */
static int make_rows(struct sample *sample, struct row *row, int most, uint32_t *all)
{
	uint32_t *order = sample_rank(sample, all);
	int rows = *all < (uint32_t)most ? (int)*all : most;
	size_t points = sample->count < SAMPLE_EXACT ? (size_t)sample->count : SAMPLE_EXACT;

	for (int i = 0; i < rows; i++)
		row[i] = (struct row){ INT64_MAX, order[i] };
	for (size_t p = 0; p < points; p++)
		for (int i = 0; i < rows; i++)
			if (row[i].group == sample->points[p].group) {
				int64_t begin = sample->points[p].x - (int64_t)sample->points[p].y;

				row[i].begin = begin < row[i].begin ? begin : row[i].begin;
			}
	qsort(row, (size_t)rows, sizeof *row, by_begin);
	free(order);
	return rows;
}

static void write_spans(const struct panel *panel, const struct axis *x, const struct row *row, int rows)
{
	const struct sample *sample = panel->sample;
	size_t points = sample->count < SAMPLE_EXACT ? (size_t)sample->count : SAMPLE_EXACT;

	fprintf(panel->script, "$spans%d << END\n", panel->number);
	for (size_t p = 0; p < points; p++)
		for (int i = 0; i < rows; i++) {
			if (row[i].group != sample->points[p].group)
				continue;
			fprintf(panel->script, "%d ", i);
			axis_write_x(panel->script, x, sample->points[p].x - (int64_t)sample->points[p].y, 0);
			fputc(' ', panel->script);
			axis_write_x(panel->script, x, sample->points[p].x, 0);
			fputc('\n', panel->script);
		}
	fputs("END\n", panel->script);
}

static void draw_timeline(const struct panel *panel)
{
	int most = panel->text ? panel->chart->canvas.height - 8 : panel->chart->canvas.height / 18, rows;
	size_t limit = panel->text ? 22 : BAR_NAME_LIMIT, longest = 0;
	struct sample *sample = panel->sample;
	struct row row[CHART_ROWS];
	char name[600], text[100], note[AXIS_NOTE];
	struct axis x;
	uint32_t all;

	rows = make_rows(sample, row, most < 1 ? 1 : most > CHART_ROWS ? CHART_ROWS : most, &all);
	x = axis_of_x(panel->x_unit, row[0].begin, sample->x_max, panel->text ? 3 : 6);
	axis_write(panel->script, "x", &x);
	if ((uint32_t)rows < all)
		snprintf(text, sizeof text, "Time line: the longest %d of %u", rows, all);
	else
		snprintf(text, sizeof text, "Time line");
	write_title(panel, text);
	axis_note(&x, note);
	write_label(panel, "x", slice_equal(panel->chart->x, SLICE("ts")) ? SLICE("time") : panel->chart->x, note);
	write_spans(panel, &x, row, rows);
	fprintf(panel->script, "set yrange [%d.5:-0.5]\nset grid noytics\n", rows < 6 && !panel->text ? 5 : rows - 1);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < rows; i++) {
			group_name(name, sizeof name, panel, intern_text(sample->names, row[i].group));
			if (pass == 0) {
				size_t columns = gnuplot_columns(slice_of(name), limit);

				longest = columns > longest ? columns : longest;
				continue;
			}
			fputs(i ? ", " : "", panel->script);
			gnuplot_tic(panel->script, slice_of(name), limit);
			fprintf(panel->script, " %d", i);
		}
		if (pass == 0 && !panel->text)
			fprintf(panel->script, "set lmargin at screen %.4f\n",
				gnuplot_part(&panel->chart->canvas, (double)longest + 4));
		fputs(pass == 0 ? "set ytics (" : ")\n", panel->script);
	}
	/* A bar is never too short to be seen: it has a border. */
	fprintf(panel->script, "unset key\nplot $spans%d using 2:1:2:3:($1-%s):($1+%s) with boxxyerror "
		"fillcolor rgb \"%s\" fillstyle solid 1 border rgb \"%s\" notitle\nset key\n", panel->number, panel->text ? "0" : "0.36",
		panel->text ? "0" : "0.36", gnuplot_colours[0], gnuplot_colours[0]);
}

static void draw_pie(const struct panel *panel)
{
	struct share *share = memory_zeroed((SAMPLE_DRAWN + 1) * sizeof *share);
	double total, from = 90;
	int n = make_shares(panel, share, SAMPLE_DRAWN, &total);
	char text[200];

	title_of_shares(panel, text, sizeof text);
	write_title(panel, text);
	if (panel->width == 1)
		fputs("set rmargin at screen 0.65\n", panel->script);
	fputs("set size ratio -1\nunset border\nunset tics\nset xrange [-1.1:1.1]\nset yrange [-1.1:1.1]\n",
	      panel->script);
	for (int i = 0; i < n; i++) {
		double part = total > 0 && share[i].size > 0 ? share[i].size / total : 0;
		double to = from - part * 360, middle = (from + to) / 2 / 180 * M_PI;
		const char *fill = share[i].is_other ? GNUPLOT_GREY : gnuplot_colours[i % GNUPLOT_COLOURS];

		/* gnuplot takes an arc of 360 degrees for one of none. */
		if (part >= 0.9999)
			fprintf(panel->script, "set object circle at first 0,0 size first 1 fillcolor rgb \"%s\" "
				"fillstyle solid 1 noborder front\n", fill);
		else if (part > 0)
			fprintf(panel->script, "set object circle at first 0,0 size first 1 arc [%.6f:%.6f] fillcolor "
				"rgb \"%s\" fillstyle solid 1 border linecolor rgb \"#ffffff\" front\n",
				to + 360, from + 360, fill);
		if (part >= 0.04)
			fprintf(panel->script, "set label \"%.3g \\045\" at first %.4f,%.4f center front "
				"textcolor rgb \"%s\"\n", part * 100, part >= 0.9999 ? 0 : 0.7 * cos(middle),
				part >= 0.9999 ? 0 : 0.7 * sin(middle),
				share[i].is_other || (i >= 3 && i <= 5) ? "#000000" : "#ffffff");
		from = to;
	}
	fputs("plot -9 notitle", panel->script);
	for (int i = 0; i < n; i++) {
		char size[AXIS_TEXT], count[AXIS_TEXT];

		fprintf(panel->script, ", keyentry with boxes fillcolor rgb \"%s\" fillstyle solid 1 title ",
			share[i].is_other ? GNUPLOT_GREY : gnuplot_colours[i % GNUPLOT_COLOURS]);
		gnuplot_text(panel->script, slice_of(share[i].name), name_limit(panel));
		snprintf(text, sizeof text, ": %s (%.3g %%)", panel->sample->by_sum ?
			 axis_text(share[i].size, panel->y_unit, size) :
			 axis_count((uint64_t)share[i].size, count), total > 0 ? share[i].size / total * 100 : 0);
		fputc('.', panel->script);
		gnuplot_text(panel->script, slice_of(text), 60);
	}
	fputs("\nset size noratio\nset border\nset tics\n", panel->script);
	free(share);
}

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
	const struct sample *sample = panel->sample;
	struct spread spread = sample_spread(sample, series);
	const double value[FIGURES] = {
		0, spread.mean, sample_quantile(sample, series, 0.5), spread.min, spread.max,
		spread_deviation(&spread), sample_quantile(sample, series, 0.95),
		sample_quantile(sample, series, 0.99),
	};

	axis_count(spread.count, text[0]);
	for (int i = 1; i < FIGURES; i++)
		axis_text(value[i], panel->y_unit, text[i]);
}

static void row_line(const struct panel *panel, double y, const char *style)
{
	if (!panel->text)
		fprintf(panel->script, "set arrow from graph 0,%.4f to graph 1,%.4f nohead linecolor rgb \"%s\"\n",
			y, y, style);
}

/* Where the column of a figure ends; false when it is left out, as some are where characters are the measure. */
static bool column_of(const struct panel *panel, int figure, double *x)
{
	static const int among_characters[FIGURES] = { 1, 2, 3, 0, 4, 0, 0, 5 };

	*x = panel->text ? 0.22 + 0.15 * among_characters[figure] : 0.36 + 0.09 * figure;
	return !panel->text || among_characters[figure];
}

static void draw_table(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	char text[FIGURES][AXIS_TEXT], name[600];
	bool by_group = sample->grouped && panel->chart->kind == TABLE;
	int rows = by_group ? sample->n_series + 2 : FIGURES + 1;
	double step = 1.0 / (rows < 10 ? 10 : rows), x;

	snprintf(name, sizeof name, "Figures of %.*s", panel->chart->y.len > 40 ? 40 : (int)panel->chart->y.len,
		 panel->chart->y.at);
	write_title(panel, name);
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
			series_name(name, sizeof name, panel, s);
		figures(panel, all ? -1 : s, text);
		cell(panel, 0, y, "left", slice_of(name), panel->text ? 14 : 22);
		for (int f = 0; f < FIGURES; f++)
			if (column_of(panel, f, &x))
				cell(panel, x, y, "right", slice_of(text[f]), 20);
		row_line(panel, y - 0.5 * step, s + 1 == sample->n_series ? "#666666" : "#dddddd");
	}
	fputs("plot -9 notitle\nset border\nset tics\nset key\n", panel->script);
}

static void draw_timeseries(const struct panel *panel)
{
	const struct chart *chart = panel->chart;
	struct axis x;
	char text[80];

	if (chart->y.len == 0) {
		draw_rate(panel);
		return;
	}
	x = write_x_axis(panel, leave_room_for_key(panel, 0, panel->sample->grouped ? 6 : 12));
	write_y_axis(panel, "y", true);
	snprintf(text, sizeof text, "%.*s over time", chart->y.len > 40 ? 40 : (int)chart->y.len, chart->y.at);
	write_title(panel, text);
	if (panel->sample->exact)
		draw_points(panel, &x);
	else
		draw_columns(panel, &x);
}

static void draw_nothing(const struct panel *panel)
{
	write_title(panel, "");
	fputs("unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\nunset key\n"
	      "set label \"no data\" at graph 0.5,0.5 center textcolor rgb \"#666666\"\nplot -9 notitle\n",
	      panel->script);
}

static void draw(const struct panel *panel, enum kind kind)
{
	static void (*const drawings[])(const struct panel *) = {
		[TIMESERIES] = draw_timeseries, [HISTOGRAM] = draw_histogram, [CDF] = draw_cdf,
		[HEATMAP] = draw_heatmap, [USAGE] = draw_usage, [BAR] = draw_bars, [PIE] = draw_pie,
		[TABLE] = draw_table, [TIMELINE] = draw_timeline,
	};

	begin_panel(panel);
	if (panel->chart->kind == DASHBOARD && !panel->text && panel->number == 0)
		write_heading(panel, panel->chart->title ? panel->chart->title : "Dashboard");
	/* Circles are no matter for characters: bars say the same. */
	drawings[kind == PIE && panel->text ? BAR : kind](panel);
}

/* Four panels; on a page of characters, one after the other. */
static void draw_dashboard(struct panel *panel)
{
	bool few = panel->sample->grouped && intern_count(panel->sample->names) <= 4;
	const enum kind kinds[4] = {
		TIMESERIES, HISTOGRAM, !panel->sample->grouped ? CDF : few ? PIE : BAR, TABLE,
	};
	const struct canvas *canvas = &panel->chart->canvas;

	/* A key of more has no place there. */
	if (panel->sample->n_series > 4)
		sample_join(panel->sample);
	if (!panel->text) {
		panel->width = panel->height = 0.5;
		fprintf(panel->script, "set multiplot layout 2,2 margins 0.08,0.97,%.4f,%.4f spacing 0.1,%.4f\n"
			"set key spacing 1.1\n", gnuplot_lines(canvas, 3), 1 - gnuplot_lines(canvas, 6.5),
			gnuplot_lines(canvas, 7.5));
	}
	for (panel->number = 0; panel->number < 4; panel->number++) {
		enum kind kind = kinds[panel->number];

		panel->titled = kind != TIMESERIES && kind != HISTOGRAM;
		if (!panel->text)
			fputs(kind == PIE ? "set key at graph 1.08,0.95 left top vertical maxrows auto samplen 1.5\n" :
			      kind == CDF ? "set key at graph 1,0.03 right bottom vertical maxrows auto samplen 1.5\n" :
			      "set key at graph 1,1.02 right bottom horizontal maxrows 4 samplen 1.5\n",
			      panel->script);
		draw(panel, kind);
	}
	if (!panel->text)
		fputs("unset multiplot\n", panel->script);
}

void chart_write(FILE *script, const struct chart *chart, const char *file)
{
	struct panel panel = {
		.script = script,
		.chart = chart,
		.sample = chart->sample,
		.width = 1,
		.height = 1,
		.text = chart->canvas.picture == PICTURE_TEXT,
		.y_unit = axis_unit(chart->y),
		.x_unit = axis_unit(chart->x),
	};

	gnuplot_begin(script, &chart->canvas, file);
	if (chart->sample->count == 0)
		draw_nothing(&panel);
	else if (chart->kind == DASHBOARD)
		draw_dashboard(&panel);
	else
		draw(&panel, chart->kind);
	/* A file is whole only when it is closed. */
	fputs("set output\n", script);
}
