// SPDX-License-Identifier: MIT
#include "charts/chart.h"

#include "charts/cdf.h"
#include "charts/flow.h"
#include "charts/gantt.h"
#include "charts/heatmap.h"
#include "charts/histogram.h"
#include "charts/panel.h"
#include "charts/shares.h"
#include "charts/summary.h"
#include "charts/timeseries.h"

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

static void draw_nothing(const struct panel *panel)
{
	panel_title(panel, "");
	fputs("unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\nunset key\n"
	      "set label \"no data\" at graph 0.5,0.5 center textcolor rgb \"#666666\"\nplot -9 notitle\n",
	      panel->script);
}

static void draw(const struct panel *panel, enum kind kind)
{
	static void (*const drawings[])(const struct panel *) = {
		[TIMESERIES] = timeseries_draw, [HISTOGRAM] = histogram_draw, [CDF] = cdf_draw,
		[HEATMAP] = heatmap_draw, [USAGE] = flow_draw_usage, [BAR] = shares_draw_bars,
		[PIE] = shares_draw_pie, [TABLE] = summary_draw, [TIMELINE] = gantt_draw,
	};

	panel_begin(panel);
	if (panel->chart->kind == DASHBOARD && !panel->text && panel->number == 0)
		panel_heading(panel, panel->chart->title ? panel->chart->title : "Dashboard");
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
		fprintf(panel->script, "set multiplot layout 2,2 margins 0.08,0.97,%.4f,%.4f "
			"spacing 0.1,%.4f\nset key spacing 1.1\n", gnuplot_lines(canvas, 3),
			1 - gnuplot_lines(canvas, 6.5), gnuplot_lines(canvas, 7.5));
	}
	for (panel->number = 0; panel->number < 4; panel->number++) {
		enum kind kind = kinds[panel->number];

		panel->titled = kind != TIMESERIES && kind != HISTOGRAM;
		if (!panel->text)
			fprintf(panel->script, "set key at graph %s samplen 1.5\n",
				kind == PIE ? "1.08,0.95 left top vertical maxrows auto" :
				kind == CDF ? "1,0.03 right bottom vertical maxrows auto" :
				"1,1.02 right bottom horizontal maxrows 4");
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
