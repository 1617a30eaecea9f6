/* SPDX-License-Identifier: MIT */
/* The cumulative distribution: which share of the values is at most so large, a line for each series. */
#ifndef WEIR_CHART_CDF_H
#define WEIR_CHART_CDF_H

#include "charts/panel.h"

/* Exact for an exact sample; else a step for each bin of its spreads. */
void cdf_draw(const struct panel *panel);

#endif
