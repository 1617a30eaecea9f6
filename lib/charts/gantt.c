// SPDX-License-Identifier: MIT
#include "charts/gantt.h"

#include <stdlib.h>

enum { NAME_LIMIT = 36, TEXT_NAME_LIMIT = 22 };

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

/* The rows that have room: those of the longest time, by their beginnings. *ALL: how many there are. */
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

void gantt_draw(const struct panel *panel)
{
	int most = panel->text ? panel->chart->canvas.height - 8 : panel->chart->canvas.height / 18, rows;
	size_t limit = panel->text ? TEXT_NAME_LIMIT : NAME_LIMIT, longest = 0;
	const char *half = panel->text ? "0" : "0.36";	/* the thickness of a bar */
	struct sample *sample = panel->sample;
	struct row row[CHART_ROWS];
	char name[PANEL_NAME], note[AXIS_NOTE], text[AXIS_NOTE + 50];
	struct axis x;
	uint32_t all;

	rows = make_rows(sample, row, most < 1 ? 1 : most > CHART_ROWS ? CHART_ROWS : most, &all);
	x = axis_of_x(panel->x_unit, row[0].begin, sample->x_max, panel->text ? 3 : 6);
	axis_write(panel->script, "x", &x);
	panel_title(panel, "Time line");
	axis_note(&x, note);
	snprintf(text, sizeof text, "%s", note);
	if ((uint32_t)rows < all)
		snprintf(text, sizeof text, "%s%sthe longest %d of %u rows", note, *note ? "; " : "", rows, all);
	panel_label(panel, "x", slice_equal(panel->chart->x, SLICE("ts")) ? SLICE("time") : panel->chart->x,
		    text);
	write_spans(panel, &x, row, rows);
	fprintf(panel->script, "set yrange [%d.5:-0.5]\nset grid noytics\n",
		rows < 6 && !panel->text ? 5 : rows - 1);
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < rows; i++) {
			panel_group_name(name, sizeof name, panel, intern_text(sample->names, row[i].group));
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
		"fillcolor rgb \"%s\" fillstyle solid 1 border rgb \"%s\" notitle\nset key\n",
		panel->number, half, half, gnuplot_colours[0], gnuplot_colours[0]);
}
