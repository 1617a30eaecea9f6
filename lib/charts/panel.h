/* SPDX-License-Identifier: MIT */
/*
 * One panel of a picture, and what the charts of all kinds have in common: names, titles, axes, the key.
 * Each call writes commands for gnuplot to the panel's script; nothing is allocated, and nothing fails (who
 * owns the script looks at ferror() in the end). Text of records is cut, and goes through gnuplot_text().
 */
#ifndef WEIR_CHART_PANEL_H
#define WEIR_CHART_PANEL_H

#include "charts/chart.h"

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

/* Forgets the labels, objects and arrows of the panel before. */
void panel_begin(const struct panel *panel);

/* The title, or MADE_UP where the user gave none. In a dashboard, only panels that are `titled` have one. */
void panel_title(const struct panel *panel, const char *made_up);

/* The same, made up of the name of y: BEFORE Y AFTER. */
void panel_title_of_y(const struct panel *panel, const char *before, const char *after);

/* TITLE and the chart's note over the whole width, where gnuplot's own title has that of the axes. */
void panel_heading(const struct panel *panel, const char *title);

/* The axis of charts over time, and what was lost on the way. WIDTH: the part of the canvas that it has. */
struct axis panel_x_axis(const struct panel *panel, double width);

/* The axis of the values: WHICH is "x" or "y". */
struct axis panel_y_axis(const struct panel *panel, const char *which, bool from_zero);

/* The label of an axis: KEY, or KEY (NOTE). */
void panel_label(const struct panel *panel, const char *which, struct slice key, const char *note);

/* Part of a plot command: a line of the key for the stretches that panel_x_axis() marks as lost, if any. */
void panel_mark_key(const struct panel *panel);

/*
 * Leaves room for the key at the right of the picture: for the names of the series and EXTRA characters, or
 * for LEAST. Returns the part of the canvas that is left. (gnuplot's own guess of widths is far off in SVG.)
 */
double panel_make_room(const struct panel *panel, size_t extra, size_t least);

/* Part of a plot command: ` title "NAME TAIL"`; without groups, TAIL alone. */
void panel_series_title(const struct panel *panel, int series, const char *tail);

/* The quantile Q of SERIES (-1: of all) for people; marked where it is an estimate. TEXT holds AXIS_TEXT bytes. */
const char *panel_quantile(const struct panel *panel, int series, double q, char *text);

/* How many characters of a name the key shows. */
size_t panel_name_limit(const struct panel *panel);

const char *panel_colour(const struct panel *panel, int series);

/* Room for a name as people read it; longer ones are cut. */
enum { PANEL_NAME = 600 };

/* A group's name: `ok=1` rather than `1`, something rather than nothing. */
void panel_group_name(char *to, size_t size, const struct panel *panel, struct slice name);
void panel_series_name(char *to, size_t size, const struct panel *panel, int series);

/* The name of GROUPS groups together. */
void panel_other_name(char *to, size_t size, uint64_t groups);

/* How many columns of data the panel can show; of lines, fewer where there are several. */
int panel_columns(const struct panel *panel);
int panel_line_columns(const struct panel *panel);

/* The shift at which WINDOW has at most LIMIT columns. */
int panel_shift(const struct window *window, int limit);

#endif
