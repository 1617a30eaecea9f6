// SPDX-License-Identifier: MIT
#include "charts/panel.h"

#include <math.h>

enum { NAME_LIMIT = 26, PANEL_NAME_LIMIT = 11, TEXT_NAME_LIMIT = 16, TIC_CHARACTERS = 14 };

/* Many lines over each other are read more easily when each is less ragged. */
enum { LINES_COLUMNS = 200 };

#define LOST_COLOUR "#f7c9c9"

const char *panel_colour(const struct panel *panel, int series)
{
	return panel->sample->series[series].is_other ? GNUPLOT_GREY :
	       gnuplot_colours[series % GNUPLOT_COLOURS];
}

void panel_group_name(char *to, size_t size, const struct panel *panel, struct slice name)
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

void panel_other_name(char *to, size_t size, uint64_t groups)
{
	char count[AXIS_TEXT];

	snprintf(to, size, "other (%s)", axis_count(groups, count));
}

void panel_series_name(char *to, size_t size, const struct panel *panel, int series)
{
	const struct series *s = &panel->sample->series[series];

	if (s->is_other)
		panel_other_name(to, size, panel->sample->in_other);
	else
		panel_group_name(to, size, panel, s->name);
}

const char *panel_quantile(const struct panel *panel, int series, double q, char *text)
{
	double value = sample_quantile(panel->sample, series, q);

	return panel->sample->exact ? axis_text(value, panel->y_unit, text) : axis_estimate(value, panel->y_unit, text);
}

size_t panel_name_limit(const struct panel *panel)
{
	return panel->text ? TEXT_NAME_LIMIT : panel->width < 1 ? PANEL_NAME_LIMIT : NAME_LIMIT;
}

double panel_make_room(const struct panel *panel, size_t extra, size_t least)
{
	size_t longest = least;
	double right;
	char name[PANEL_NAME];

	if (panel->text || panel->width < 1)
		return panel->width;
	for (int s = 0; panel->sample->grouped && s < panel->sample->n_series; s++) {
		size_t n;

		panel_series_name(name, sizeof name, panel, s);
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

void panel_series_title(const struct panel *panel, int series, const char *tail)
{
	char name[PANEL_NAME];

	if (!panel->sample->grouped || panel->sample->joined) {
		fputs(*tail ? " title " : " notitle", panel->script);
		if (*tail)
			gnuplot_text(panel->script, slice_of(tail), 60);
		return;
	}
	panel_series_name(name, sizeof name, panel, series);
	fputs(" title ", panel->script);
	gnuplot_text(panel->script, slice_of(name), panel_name_limit(panel));
	if (panel->sample->series[series].partial)
		fputs(".\" (part)\"", panel->script);
	if (*tail)
		fprintf(panel->script, ".\" %s\"", tail);
}

void panel_begin(const struct panel *panel)
{
	fputs("unset label\nunset object\nunset arrow\nunset colorbox\nset xlabel\nset ylabel\nset title\n",
	      panel->script);
}

void panel_heading(const struct panel *panel, const char *title)
{
	const struct canvas *canvas = &panel->chart->canvas;

	fputs("set label ", panel->script);
	gnuplot_text(panel->script, slice_of(title), gnuplot_fits(canvas, 0.9));
	fprintf(panel->script, " at screen 0.5, screen %.4f center\nset label ",
		1 - gnuplot_lines(canvas, 1));
	gnuplot_text(panel->script, slice_of(panel->chart->note), gnuplot_fits(canvas, 1));
	fprintf(panel->script, " at screen 0.5, screen %.4f center textcolor rgb \"#666666\"\n",
		1 - gnuplot_lines(canvas, 2));
	if (panel->chart->kind != DASHBOARD)
		fprintf(panel->script, "set tmargin at screen %.4f\n", 1 - gnuplot_lines(canvas, 3.2));
}

void panel_title(const struct panel *panel, const char *made_up)
{
	bool whole = panel->chart->kind != DASHBOARD || panel->text;
	const char *title = panel->chart->title && whole ? panel->chart->title : made_up;
	size_t fits = gnuplot_fits(&panel->chart->canvas, panel->width);

	/* In a dashboard the axes say it, and the key stands where the title would. */
	if (!whole && !panel->titled)
		return;
	if (whole && !panel->text) {
		panel_heading(panel, title);
		return;
	}
	fputs("set title ", panel->script);
	gnuplot_text(panel->script, slice_of(title), fits * 9 / 10);
	if (whole && *panel->chart->note) {
		fputs(".\"\\n\".", panel->script);
		gnuplot_text(panel->script, slice_of(panel->chart->note), fits);
	}
	fputc('\n', panel->script);
}

void panel_title_of_y(const struct panel *panel, const char *before, const char *after)
{
	struct slice y = panel->chart->y;
	char text[80];

	snprintf(text, sizeof text, "%s%.*s%s", before, y.len > 40 ? 40 : (int)y.len, y.at, after);
	panel_title(panel, text);
}

void panel_label(const struct panel *panel, const char *which, struct slice key, const char *note)
{
	char text[300];

	snprintf(text, sizeof text, "%.*s%s%s%s", key.len > 100 ? 100 : (int)key.len, key.at,
		 *note ? " (" : "", note, *note ? ")" : "");
	fprintf(panel->script, "set %slabel ", which);
	gnuplot_text(panel->script, slice_of(text), 80);
	fputc('\n', panel->script);
}

struct axis panel_x_axis(const struct panel *panel, double width)
{
	const struct sample *sample = panel->sample;
	int tics = (int)(gnuplot_fits(&panel->chart->canvas, width * 0.9) / TIC_CHARACTERS);
	struct axis axis = axis_of_x(panel->x_unit, sample->x_min, sample->x_max,
				     tics < 2 ? 2 : tics > 10 ? 10 : tics);
	double narrow = (axis.high - axis.low) / 600;
	char note[AXIS_NOTE];

	axis_write(panel->script, "x", &axis);
	axis_note(&axis, note);
	panel_label(panel, "x", slice_equal(panel->chart->x, SLICE("ts")) ? SLICE("time") : panel->chart->x,
		    note);
	for (size_t i = 0; i < sample->marks; i++) {
		const struct mark *mark = &sample->mark[i];
		double from = (double)((__int128)mark->first - axis.origin) / 1e9;
		double to = (double)((__int128)mark->last - axis.origin) / 1e9;

		if (panel->x_unit != UNIT_TIME || to < axis.low || from > axis.high)
			continue;
		from = fmax(from, axis.low);
		to = fmin(fmax(to, from + narrow), axis.high);
		fprintf(panel->script, "set object rectangle from first %.9f, graph 0 to first %.9f, graph 1 "
			"fillcolor rgb \"" LOST_COLOUR "\" fillstyle solid noborder behind\n", from, to);
	}
	return axis;
}

void panel_mark_key(const struct panel *panel)
{
	if (panel->sample->marks && panel->x_unit == UNIT_TIME)
		fputs(", keyentry with boxes fillcolor rgb \"" LOST_COLOUR "\" fillstyle solid "
		      "title \"events lost\"", panel->script);
}

struct axis panel_y_axis(const struct panel *panel, const char *which, bool from_zero)
{
	const struct sample *sample = panel->sample;
	struct axis axis = axis_for(panel->y_unit, sample->y_min, sample->y_max, sample->y_least,
				    sample->zeros > 0, from_zero);

	if (panel->text)
		axis.tics = 4;
	else if (*which == 'x')
		axis.tics = (int)(gnuplot_fits(&panel->chart->canvas, panel->width) / TIC_CHARACTERS);
	else if (panel->height < 1)
		axis.tics = 5;
	axis_write(panel->script, which, &axis);
	panel_label(panel, which, panel->chart->y, "");
	return axis;
}

int panel_columns(const struct panel *panel)
{
	int width = (int)(panel->chart->canvas.width * panel->width);

	width = panel->text ? width - 12 : width * 3 / 4;
	return width < 16 ? 16 : width;
}

int panel_line_columns(const struct panel *panel)
{
	int fit = panel_columns(panel);

	return panel->sample->n_series > 1 && fit > LINES_COLUMNS ? LINES_COLUMNS : fit;
}

int panel_shift(const struct window *window, int limit)
{
	int shift = window->shift;

	while (window->any && (window->high >> (shift - window->shift)) -
	       (window->low >> (shift - window->shift)) >= limit)
		shift++;
	return shift;
}
