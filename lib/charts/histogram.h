/* SPDX-License-Identifier: MIT */
/* How often which values occur, all groups together, with their mean and median. */
#ifndef WEIR_CHART_HISTOGRAM_H
#define WEIR_CHART_HISTOGRAM_H

#include "charts/panel.h"

void histogram_draw(const struct panel *panel);

#endif
