/* SPDX-License-Identifier: MIT */
/*
 * Values over time. Few are points, joined by lines except over gaps; many are columns: median and 99th
 * percentile of each, and of a single series what lies between minimum and maximum. Without y: flow.h.
 */
#ifndef WEIR_CHART_TIMESERIES_H
#define WEIR_CHART_TIMESERIES_H

#include "charts/panel.h"

/* O(n log n) for points; columns: O(1), they are bounded. */
void timeseries_draw(const struct panel *panel);

#endif
