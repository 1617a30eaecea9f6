// SPDX-License-Identifier: MIT
#include "http/dashboard.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "charts/axis.h"

enum { BINS = 60, BARS = 8, TEXT_ROWS = 9 };

#define BLUE "#0072b2"
#define SKY "#56b4e9"
#define RED "#d55e00"
#define GREEN "#009e73"
#define STALL "#f7c9c9"
#define THROTTLE "#fdeccb"

struct drawing {
	FILE *script;
	struct monitor *monitor;
	const struct canvas *canvas;
	double raw[MONITOR_FIGURES], corrected[MONITOR_FIGURES];
	const char *title;
	bool text;
};

static void heading(const struct drawing *d, const char *text)
{
	fputs("unset label\nunset object\nunset key\nset xlabel\nset ylabel\nset title ", d->script);
	gnuplot_text(d->script, slice_of(text), 70);
	fputs(" offset 0,0.3\n", d->script);
}

static const char *ms(double ns, char *text)
{
	return isnan(ns) ? "-" : axis_text(ns, UNIT_NS, text);
}

/* The range of the latencies that are drawn. */
static struct axis latency_axis(const struct drawing *d, bool only_good)
{
	double low = INFINITY, high = 0, least = INFINITY;
	bool zeros = false;

	for (size_t i = 0; i < d->monitor->n; i++) {
		const struct monitor_point *p = &d->monitor->points[i];
		double v = (double)p->dur;

		if (only_good && !p->ok)
			continue;
		low = fmin(low, v);
		high = fmax(high, v);
		if (v > 0)
			least = fmin(least, v);
		zeros = zeros || p->dur <= 0;
	}
	if (isinf(low))
		return axis_for(UNIT_NS, 0, 1e6, 1e3, false, true);
	return axis_for(UNIT_NS, low, high, isinf(least) ? 0 : least, zeros, true);
}

static void bands(const struct drawing *d, const struct axis *x, const struct monitor_band *band, size_t n,
		  const char *colour)
{
	for (size_t i = 0; i < n; i++) {
		double from = fmax((double)(band[i].from - x->origin) / 1e9, x->low);
		double to = fmin((double)(band[i].to - x->origin) / 1e9, x->high);

		if (from < to)
			fprintf(d->script, "set object rectangle from first %.9f, graph 0 to first %.9f, graph 1 "
				"fillcolor rgb \"%s\" fillstyle solid noborder behind\n", from, to, colour);
	}
}

static void points(const struct drawing *d, const struct axis *x, const char *name, bool ok)
{
	fprintf(d->script, "%s << END\n", name);
	for (size_t i = 0; i < d->monitor->n; i++) {
		const struct monitor_point *p = &d->monitor->points[i];

		if (p->ok != ok)
			continue;
		axis_write_x(d->script, x, p->due, 0);
		fprintf(d->script, " %lld\n", (long long)(p->dur > 0 ? p->dur : 0));
	}
	fputs("END\n", d->script);
}

static void level(const struct drawing *d, const char *name, double value, const char *look)
{
	char text[AXIS_TEXT];

	if (!isnan(value))
		fprintf(d->script, ", at_y(%.15g) with lines %s title \"%s %s\"", value, look, name, ms(value, text));
}

static void draw_time(const struct drawing *d)
{
	const struct monitor *m = d->monitor;
	bool failed = m->total > m->good, good = m->good || !failed;
	int64_t first = INT64_MAX, last = 0;
	struct axis x, y = latency_axis(d, false);
	char note[AXIS_NOTE], label[AXIS_NOTE + 8];

	for (size_t i = 0; i < m->n; i++) {
		first = m->points[i].due < first ? m->points[i].due : first;
		last = m->points[i].due > last ? m->points[i].due : last;
	}
	x = axis_of_x(UNIT_TIME, first, last, d->text ? 4 : 6);
	heading(d, d->text ? "Latency of each request, at the time it was due" : "");
	if (!d->text) {
		fputs("set label ", d->script);
		gnuplot_text(d->script, slice_of(d->title), gnuplot_fits(d->canvas, 0.9));
		fprintf(d->script, " at screen 0.5, screen %.4f center\n", 1 - gnuplot_lines(d->canvas, 1.2));
		fputs("set ylabel \"latency of each request, when it was due\"\n", d->script);
	}
	y.tics = d->text ? 4 : 6;
	axis_write(d->script, "x", &x);
	axis_write(d->script, "y", &y);
	axis_note(&x, note);
	snprintf(label, sizeof label, "%s%s", *note ? "time, " : "time", note);
	fputs("set xlabel ", d->script);
	gnuplot_text(d->script, slice_of(label), 60);
	fputs("\n", d->script);
	if (!d->text) {
		bands(d, &x, m->throttle, m->throttles, THROTTLE);
		bands(d, &x, m->stall, m->stalls, STALL);
		fputs("set key at graph 1,1.01 right bottom horizontal Left reverse samplen 1.5\n", d->script);
	} else {
		fputs("set key outside center bottom horizontal\n", d->script);
	}
	points(d, &x, "$good", true);
	points(d, &x, "$bad", false);
	fputs("plot ", d->script);
	if (good)
		fprintf(d->script, "$good using 1:(at_y($2)) with %s linecolor rgb \"" BLUE "\" title \"succeeded\"",
			d->text ? "points pointtype \"*\"" : m->n <= 2000 ? "points pointtype 7 pointsize 0.45" :
			"points pointtype 7 pointsize 0.25");
	if (failed)
		fprintf(d->script, "%s$bad using 1:(at_y($2)) with points pointtype %s linecolor rgb \"" RED
			"\" title \"failed\"", good ? ", " : "", d->text ? "\"x\"" : "2 linewidth 1.8 pointsize 0.9");
	level(d, "mean", d->raw[MONITOR_MEAN], "dashtype 2 linewidth 1.6 linecolor rgb \"#444444\"");
	level(d, "p95", d->raw[MONITOR_P95], "dashtype 4 linewidth 1.6 linecolor rgb \"#cc79a7\"");
	if (!d->text && m->stalls)
		fputs(", keyentry with boxes fillcolor rgb \"" STALL "\" fillstyle solid title \"no answers\"", d->script);
	if (!d->text && m->throttles)
		fputs(", keyentry with boxes fillcolor rgb \"" THROTTLE "\" fillstyle solid title \"CPU throttled\"",
		      d->script);
	fputc('\n', d->script);
}

static void draw_spread(const struct drawing *d)
{
	struct axis x = latency_axis(d, true), y;
	uint64_t count[BINS] = { 0 }, most = 0;
	double low = INFINITY, high = -INFINITY, width;
	char text[AXIS_TEXT];

	for (size_t i = 0; i < d->monitor->n; i++)
		if (d->monitor->points[i].ok) {
			double at = axis_place(&x, (double)d->monitor->points[i].dur);

			low = fmin(low, at);
			high = fmax(high, at);
		}
	heading(d, "Distribution of latency");
	if (isinf(low)) {
		fputs("unset border\nunset tics\nset label 1 \"no request succeeded\" at graph 0.5, graph 0.5 center\n"
		      "plot [0:1] [0:1] NaN notitle\nset border 3\nset tics\n", d->script);
		return;
	}
	/* Of one value, a bin around it whose width a person can read off. */
	width = high > low ? (high - low) / BINS : x.log ? 0.01 : fmax(high / 50, 1);
	low -= high > low ? 0 : width / 2;
	for (size_t i = 0; i < d->monitor->n; i++)
		if (d->monitor->points[i].ok) {
			double at = (axis_place(&x, (double)d->monitor->points[i].dur) - low) / width;
			size_t bin = at >= BINS ? BINS - 1 : (size_t)at;

			most = ++count[bin] > most ? count[bin] : most;
		}
	if (!x.log) {
		x.low = fmax(low - 2 * width, 0);
		x.high = high + 2 * width;
	}
	x.tics = 5;
	axis_write(d->script, "x", &x);
	y = axis_for(UNIT_COUNT, 0, (double)most * 1.05, 0, false, true);
	y.tics = 5;
	axis_write(d->script, "y", &y);
	fputs("set key inside right top vertical Left reverse samplen 2\nset xlabel \"latency\"\nset ylabel \"requests\"\n"
	      "$bins << END\n", d->script);
	for (int i = 0; i < BINS; i++)
		fprintf(d->script, "%.15g %.15g %llu\n", low + width * i, low + width * (i + 1),
			(unsigned long long)(count[i] * d->monitor->step));
	fputs("END\nplot $bins using (($1+$2)/2):(0):1:2:(0):3 with boxxyerror fillcolor rgb \"" SKY "\" fillstyle solid 1 "
	      "border linecolor rgb \"#ffffff\" notitle", d->script);
	fprintf(d->script, ", \"+\" using (%.15g):(0):(0):(%.15g) every ::::0 with vectors nohead dashtype 2 linewidth 1.8 "
		"linecolor rgb \"" RED "\" title \"mean %s\"", axis_place(&x, d->raw[MONITOR_MEAN]), y.high,
		ms(d->raw[MONITOR_MEAN], text));
	fprintf(d->script, ", \"+\" using (%.15g):(0):(0):(%.15g) every ::::0 with vectors nohead linewidth 1.8 "
		"linecolor rgb \"" BLUE "\" title \"median %s\"\n", axis_place(&x, d->raw[MONITOR_MEDIAN]), y.high,
		ms(d->raw[MONITOR_MEDIAN], text));
}

static void bar(const struct drawing *d, size_t row, const char *name, uint64_t count, const char *colour)
{
	double share = d->monitor->total ? (double)count / (double)d->monitor->total : 0;
	char number[AXIS_TEXT], text[100];

	fprintf(d->script, "set object rectangle from 0,%.2f to %.9f,%.2f fillcolor rgb \"%s\" fillstyle solid noborder\n",
		-(double)row - 0.32, share > 0 ? fmax(share, 0.004) : 0, -(double)row + 0.32, colour);
	fputs("set label ", d->script);
	gnuplot_text(d->script, slice_of(name), 16);
	fprintf(d->script, " at -0.02,%d right\nset label ", -(int)row);
	snprintf(text, sizeof text, "%s  (%.2f %%)", axis_count(count, number), 100 * share);
	gnuplot_text(d->script, slice_of(text), 40);
	/* Within a long bar, in white; behind a short one. */
	fprintf(d->script, " at %.9f,%d %s\n", share > 0.6 ? share - 0.02 : fmax(share, 0.004) + 0.02, -(int)row,
		share > 0.6 ? "right textcolor rgb \"#ffffff\" front" : "left");
}

static void draw_kinds(const struct drawing *d)
{
	const struct monitor *m = d->monitor;
	size_t rows = m->kinds < BARS ? m->kinds : BARS;
	uint64_t rest = 0;

	heading(d, "Success, and failures by kind");
	bar(d, 0, "succeeded", m->good, GREEN);
	for (size_t i = 0; i < rows; i++)
		bar(d, i + 1, m->kind[i].name, m->kind[i].count, RED);
	for (size_t i = rows; i < m->kinds; i++)
		rest += m->kind[i].count;
	if (rest)
		bar(d, ++rows, "others", rest, GNUPLOT_GREY);
	fprintf(d->script, "unset border\nunset tics\nplot [-0.3:1] [%.1f:0.8] NaN notitle\nset border 3\n"
		"set tics nomirror out scale 0.5\nset grid xtics ytics\n", -fmax((double)rows, 4) - 0.6);
}

/* The nine rows: their names, and the figures of raw and corrected latencies. */
static const struct {
	const char *name;
	int figure;
} rows[TEXT_ROWS] = {
	{ "Total Requests", -1 }, { "Success Rate", -2 }, { "Average Latency", MONITOR_MEAN },
	{ "Median Latency", MONITOR_MEDIAN }, { "Min Latency", MONITOR_MIN }, { "Max Latency", MONITOR_MAX },
	{ "Std Deviation", MONITOR_STDDEV }, { "P95 Latency", MONITOR_P95 }, { "P99 Latency", MONITOR_P99 },
};

static void row_text(const struct drawing *d, int figure, char *raw, char *corrected)
{
	const struct monitor *m = d->monitor;

	*corrected = '\0';
	if (figure == -1)
		axis_count(m->total, raw);
	else if (figure == -2)
		snprintf(raw, AXIS_TEXT, "%.2f %%", m->total ? 100 * (double)m->good / (double)m->total : 0);
	else {
		char text[AXIS_TEXT];

		snprintf(raw, AXIS_TEXT, "%s", ms(d->raw[figure], text));
		snprintf(corrected, AXIS_TEXT, "%s", ms(d->corrected[figure], text));
	}
}

static void cell(const struct drawing *d, double x, size_t row, const char *place, const char *text)
{
	if (!*text)
		return;
	fputs("set label ", d->script);
	gnuplot_text(d->script, slice_of(text), 40);
	fprintf(d->script, " at graph %.3f, graph %.4f %s\n", x, 0.93 - 0.094 * (double)row, place);
}

static void draw_table(const struct drawing *d)
{
	static const char quiet[] = "right textcolor rgb \"#666666\"";

	heading(d, "Figures");
	cell(d, 0.70, 0, quiet, "from sending");
	cell(d, 0.97, 0, quiet, "from when due");
	for (size_t i = 0; i < TEXT_ROWS; i++) {
		char raw[AXIS_TEXT], corrected[AXIS_TEXT];

		if (i % 2 == 0)
			fprintf(d->script, "set object rectangle from graph 0.02, graph %.4f to graph 0.99, graph %.4f "
				"fillcolor rgb \"#f3f5f7\" fillstyle solid noborder behind\n",
				0.93 - 0.094 * (double)(i + 1) - 0.047, 0.93 - 0.094 * (double)(i + 1) + 0.047);
		row_text(d, rows[i].figure, raw, corrected);
		cell(d, 0.05, i + 1, "left", rows[i].name);
		cell(d, 0.70, i + 1, "right", raw);
		cell(d, 0.97, i + 1, "right", corrected);
	}
	fputs("unset border\nunset tics\nplot [0:1] [0:1] NaN notitle\n", d->script);
}

static struct drawing drawing_of(FILE *script, struct monitor *monitor, const struct canvas *canvas,
				 const char *title)
{
	struct drawing d = { .script = script, .monitor = monitor, .canvas = canvas, .title = title };

	d.text = canvas && canvas->picture == PICTURE_TEXT;
	monitor_figures(monitor, false, d.raw);
	monitor_figures(monitor, true, d.corrected);
	return d;
}

void dashboard_write(FILE *script, struct monitor *monitor, const struct canvas *canvas, const char *title)
{
	const struct drawing d = drawing_of(script, monitor, canvas, title);

	gnuplot_begin(script, canvas, NULL);
	if (!monitor->n) {
		fputs("unset border\nunset tics\nset label \"no request was made\" at graph 0.5, graph 0.5 center\n"
		      "plot [0:1] [0:1] NaN notitle\nset output\n", script);
		return;
	}
	if (d.text) {
		draw_time(&d);
		fputs("set output\n", script);
		return;
	}
	fprintf(script, "set multiplot layout 2,2 margins 0.08,0.98,%.4f,%.4f spacing 0.09,%.4f\n",
		gnuplot_lines(canvas, 1.5), 1 - gnuplot_lines(canvas, 4.5), gnuplot_lines(canvas, 6.5));
	draw_time(&d);
	draw_spread(&d);
	draw_kinds(&d);
	draw_table(&d);
	fputs("unset multiplot\nset output\n", script);
}

void dashboard_table(FILE *out, struct monitor *monitor)
{
	const struct drawing d = drawing_of(NULL, monitor, NULL, NULL);

	fprintf(out, "%-18s%16s%16s\n", "MONITORING DATA SUMMARY", "from sending", "from when due");
	for (size_t i = 0; i < TEXT_ROWS; i++) {
		char raw[AXIS_TEXT], corrected[AXIS_TEXT];

		row_text(&d, rows[i].figure, raw, corrected);
		fprintf(out, *corrected ? "%-23s%11s%16s\n" : "%-23s%11s\n", rows[i].name, raw, corrected);
	}
	for (size_t i = 0; i < monitor->kinds; i++)
		fprintf(out, "%-10s%-13s%11llu\n", "Failed:", monitor->kind[i].name,
			(unsigned long long)monitor->kind[i].count);
	if (monitor->stalls)
		fprintf(out, "%-23s%11zu\n", "No answers for a while", monitor->stalls);
}
