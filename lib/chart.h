/* SPDX-License-Identifier: MIT */
/* Charts: a sample as a gnuplot script that has its data. */
#ifndef WEIR_CHART_H
#define WEIR_CHART_H

#include "axis.h"
#include "gnuplot.h"
#include "sample.h"

enum kind { TIMESERIES, HISTOGRAM, CDF, HEATMAP, USAGE, BAR, PIE, TABLE, DASHBOARD, TIMELINE };

enum { CHART_BARS = 20, CHART_ROWS = 60 };	/* groups that have a bar, a row of a time line, of their own */

struct chart {
	enum kind kind;
	const char *title;	/* NULL: one is made up */
	struct slice x, y, group;	/* keys; y and group may be empty */
	const char *note;	/* below the title: what was drawn, and what not */
	struct sample *sample;	/* finished; drawing makes its columns wider where the canvas asks for it */
	struct canvas canvas;
};

/* What a sample must have for a chart of this kind; WITH_Y: the chart has values. */
unsigned chart_wants(enum kind kind, bool with_y);

/* Writes the script. FILE (may be NULL: stdout) is where gnuplot writes the picture. */
void chart_write(FILE *script, const struct chart *chart, const char *file);

#endif
