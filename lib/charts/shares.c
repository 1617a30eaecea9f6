// SPDX-License-Identifier: MIT
#include "charts/shares.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { BAR_NAME_LIMIT = 36, PANEL_BAR_NAME_LIMIT = 17, TEXT_BAR_NAME_LIMIT = 22 };

/* The groups that have a bar or a slice of their own, then all others together. */
struct share {
	char name[PANEL_NAME];
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
			panel_group_name(share[shares].name, sizeof share->name, panel,
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
		panel_other_name(rest.name, sizeof rest.name, groups);
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

void shares_draw_bars(const struct panel *panel)
{
	struct share *share = memory_zeroed((CHART_BARS + 1) * sizeof *share);
	int most = panel->text ? panel->chart->canvas.height - 8 : panel->height < 1 ? 8 : CHART_BARS, n;
	enum unit unit = panel->sample->by_sum ? panel->y_unit : UNIT_COUNT;
	size_t limit = panel->width < 1 ? PANEL_BAR_NAME_LIMIT :
		       panel->text ? TEXT_BAR_NAME_LIMIT : BAR_NAME_LIMIT, longest = 0;
	const char *half = panel->text ? "0" : "0.36";	/* the thickness of a bar */
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
	panel_title(panel, text);
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
	fprintf(panel->script, "END\nset yrange [%d.5:-0.5]\nset grid noytics\n",
		n < 6 && !panel->text ? 5 : n - 1);
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
		"fillcolor rgb \"%s\" fillstyle solid 1 %s notitle, $bars%d using ($2<0?0:$2):1:3 with "
		"labels left offset character 0.7,0 notitle\nset key\n%s", panel->number, half, half,
		gnuplot_colours[0], panel->text ? "" : "noborder", panel->number,
		panel->text ? "" : "set grid ytics\n");
	free(share);
}

/* What stands behind the name in the key: its size and part. */
static void say_share(const struct panel *panel, const struct share *share, double total, char to[64])
{
	char size[AXIS_TEXT];

	if (panel->sample->by_sum)
		axis_text(share->size, panel->y_unit, size);
	else
		axis_count((uint64_t)share->size, size);
	if (share->size < 0)
		snprintf(to, 64, ": %s (no slice)", size);
	else
		snprintf(to, 64, ": %s (%.3g %%)", size, total > 0 ? share->size / total * 100 : 0);
}

void shares_draw_pie(const struct panel *panel)
{
	struct share *share = memory_zeroed((SAMPLE_DRAWN + 1) * sizeof *share);
	double total, from = 90;
	int n = make_shares(panel, share, SAMPLE_DRAWN, &total);
	char text[200], size[SAMPLE_DRAWN + 1][64];
	size_t longest = 0;

	title_of_shares(panel, text, sizeof text);
	panel_title(panel, text);
	total = 0;
	for (int i = 0; i < n; i++)
		total += fmax(share[i].size, 0);
	for (int i = 0; i < n; i++) {
		size_t columns;

		say_share(panel, &share[i], total, size[i]);
		columns = gnuplot_columns(slice_of(share[i].name), panel_name_limit(panel)) + strlen(size[i]);
		longest = columns > longest ? columns : longest;
	}
	if (panel->width == 1)
		fprintf(panel->script, "set rmargin at screen %.4f\n",
			fmax(0.4, fmin(0.65, 1 - gnuplot_part(&panel->chart->canvas, (double)longest + 9))));
	fputs("set size ratio -1\nunset border\nunset tics\nset xrange [-1.1:1.1]\nset yrange [-1.1:1.1]\n",
	      panel->script);
	for (int i = 0; i < n; i++) {
		double part = total > 0 && share[i].size > 0 ? share[i].size / total : 0;
		double to = from - part * 360, middle = (from + to) / 2 / 180 * M_PI;
		const char *fill = share[i].is_other ? GNUPLOT_GREY : gnuplot_colours[i % GNUPLOT_COLOURS];

		/* gnuplot takes an arc of 360 degrees for one of none. */
		if (part >= 0.9999)
			fprintf(panel->script, "set object circle at first 0,0 size first 1 "
				"fillcolor rgb \"%s\" fillstyle solid 1 noborder front\n", fill);
		else if (part > 0)
			fprintf(panel->script, "set object circle at first 0,0 size first 1 arc [%.6f:%.6f] "
				"fillcolor rgb \"%s\" fillstyle solid 1 border "
				"linecolor rgb \"#ffffff\" front\n", to + 360, from + 360, fill);
		if (part >= 0.04)
			fprintf(panel->script, "set label \"%.3g \\045\" at first %.4f,%.4f center front "
				"textcolor rgb \"%s\"\n", part * 100, part >= 0.9999 ? 0 : 0.7 * cos(middle),
				part >= 0.9999 ? 0 : 0.7 * sin(middle),
				share[i].is_other || (i >= 3 && i <= 5) ? "#000000" : "#ffffff");
		from = to;
	}
	fputs("plot -9 notitle", panel->script);
	for (int i = 0; i < n; i++) {
		fprintf(panel->script, ", keyentry with boxes fillcolor rgb \"%s\" fillstyle solid 1 title ",
			share[i].is_other ? GNUPLOT_GREY : gnuplot_colours[i % GNUPLOT_COLOURS]);
		gnuplot_text(panel->script, slice_of(share[i].name), panel_name_limit(panel));
		fputc('.', panel->script);
		gnuplot_text(panel->script, slice_of(size[i]), 60);
	}
	fputs("\nset size noratio\nset border\nset tics\n", panel->script);
	free(share);
}
