/* SPDX-License-Identifier: MIT */
/*
 * Charts: a sample as a gnuplot script that has its data. Here is what kinds there are, and the dashboard of
 * four; each kind is drawn beside it, upon panel: timeseries, flow (events over time, and usage),
 * histogram, cdf, heatmap, shares (bars and pie), summary (table).
 */
#ifndef WEIR_CHART_H
#define WEIR_CHART_H

#include "charts/axis.h"
#include "charts/gnuplot.h"
#include "charts/sample.h"

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

/*
 * Writes the script; who owns it looks at ferror(). FILE (may be NULL: stdout) is where gnuplot writes the
 * picture. O(n log n) for an exact sample, else O(1); as bounded as the sample.
 */
void chart_write(FILE *script, const struct chart *chart, const char *file);

#endif
