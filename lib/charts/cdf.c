// SPDX-License-Identifier: MIT
#include "charts/cdf.h"

#include <math.h>

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

void cdf_draw(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	char text[80];

	panel_y_axis(panel, "x", false);
	panel_make_room(panel, 18, 16);
	panel_title_of_y(panel, "Cumulative distribution of ", "");
	for (int s = 0; s < sample->n_series; s++)
		write_cumulation(panel, s);
	fputs("set ylabel \"share of the values up to here\"\nset yrange [0:1.02]\n"
	      "at_y(v) = v\nset ytics (\"0\" 0, \"25 %%\" 0.25, \"50 %%\" 0.5, \"75 %%\" 0.75, "
	      "\"90 %%\" 0.9, \"100 %%\" 1)\nplot ", panel->script);
	for (int s = 0; s < sample->n_series; s++) {
		char p99[AXIS_TEXT];

		panel_quantile(panel, s, 0.99, p99);
		snprintf(text, sizeof text, sample->grouped ? "(p99 %s)" : "p99 %s", p99);
		if (sample->grouped && panel->text)
			*text = '\0';
		fprintf(panel->script, "%s$shares%d_%d using (at_x($1)):2 with steps linewidth 1.8 "
			"linecolor rgb \"%s\"", s ? ", " : "", panel->number, s, panel_colour(panel, s));
		panel_series_title(panel, s, text);
	}
	fputc('\n', panel->script);
}
