// SPDX-License-Identifier: MIT
#include "charts/histogram.h"

#include "charts/bins.h"

/* Part of a plot command: an upright line at VALUE, up to HEIGHT, and in the key what it is. */
static void plot_line(const struct panel *panel, const char *name, double value, const char *number,
		      const char *dashes, const char *colour, const struct axis *x, double height)
{
	char text[64];

	snprintf(text, sizeof text, "%s %s", name, number);
	fprintf(panel->script, ", \"+\" using (%.15g):(0):(0):(%.15g) every ::::0 with vectors nohead%s "
		"linewidth 1.8 linecolor rgb \"%s\" title ", axis_place(x, value), height, dashes, colour);
	gnuplot_text(panel->script, slice_of(text), 60);
}

void histogram_draw(const struct panel *panel)
{
	const struct sample *sample = panel->sample;
	struct axis x = panel_y_axis(panel, "x", false);
	struct bins bins = bins_of(sample, &x, panel->text ? 24 : 64);
	uint64_t most = bins.zeros;
	double zero = axis_place(&x, 0), half = (axis_place(&x, sample->y_least) - zero) / 4;
	struct axis y;
	char text[AXIS_TEXT];
	double mean;

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
	panel_label(panel, "y", SLICE("values per bin"), "");
	panel_title_of_y(panel, "Histogram of ", "");
	panel_make_room(panel, 0, 19);
	fprintf(panel->script, "# from to count\n$bins%d << END\n", panel->number);
	for (size_t i = 0; i < bins.n; i++)
		fprintf(panel->script, "%.15g %.15g %llu\n", bins.edge[i], bins.edge[i + 1],
			(unsigned long long)bins.count[i]);
	fputs("END\n", panel->script);
	if (bins.zeros)
		fprintf(panel->script, "# zeros\n$zeros%d << END\n%.15g %.15g %llu\nEND\n", panel->number,
			zero - half, zero + half, (unsigned long long)bins.zeros);
	fprintf(panel->script, "plot $bins%d using ((at_x($1)+at_x($2))/2):(0):(at_x($1)):(at_x($2)):(0):3 "
		"with boxxyerror fillcolor rgb \"#56b4e9\" fillstyle solid 1 border "
		"linecolor rgb \"#ffffff\" notitle", panel->number);
	if (bins.zeros)
		fprintf(panel->script, ", $zeros%d using (($1+$2)/2):(0):1:2:(0):3 with boxxyerror "
			"fillcolor rgb \"#999999\" fillstyle solid 1 noborder title \"zeros\"",
			panel->number);
	mean = sample_spread(sample, -1).mean;
	plot_line(panel, "mean", mean, axis_text(mean, panel->y_unit, text), " dashtype 2", gnuplot_colours[1], &x,
		  y.high);
	plot_line(panel, "median", sample_quantile(sample, -1, 0.5), panel_quantile(panel, -1, 0.5, text), "",
		  gnuplot_colours[0], &x, y.high);
	fputc('\n', panel->script);
	bins_free(&bins);
}
