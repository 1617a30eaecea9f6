/* SPDX-License-Identifier: MIT */
/*
 * Sums over time: what the flows of a sample have (reduce.h), for each column of time, divided by its
 * width. The columns at both ends are not whole: they are divided by the time that the data covers.
 */
#ifndef WEIR_CHART_FLOW_H
#define WEIR_CHART_FLOW_H

#include "charts/panel.h"

/* Events per second (of other x: per step), a line for each series. */
void flow_draw_rate(const struct panel *panel);

/* How many spans are under way at once - CPUs in use, threads that wait - with the series stacked. */
void flow_draw_usage(const struct panel *panel);

#endif
