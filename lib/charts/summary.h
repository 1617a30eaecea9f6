/* SPDX-License-Identifier: MIT */
/* Count, mean, median, extremes and so on as a table: a row for each series, or for each figure of all. */
#ifndef WEIR_CHART_SUMMARY_H
#define WEIR_CHART_SUMMARY_H

#include "charts/panel.h"

void summary_draw(const struct panel *panel);

#endif
