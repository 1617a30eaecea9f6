/* SPDX-License-Identifier: MIT */
/*
 * Values over time as cells: the darker, the more values (on a logarithmic scale). Values that are zero
 * have a row of their own where the axis is logarithmic. Memory: at most 300 by 100 cells.
 */
#ifndef WEIR_CHART_HEATMAP_H
#define WEIR_CHART_HEATMAP_H

#include "charts/panel.h"

void heatmap_draw(const struct panel *panel);

#endif
