/* SPDX-License-Identifier: MIT */
/* What each group has of all, by number or by sum: the largest by themselves, the others together. */
#ifndef WEIR_CHART_SHARES_H
#define WEIR_CHART_SHARES_H

#include "charts/panel.h"

/* At most CHART_BARS bars. */
void shares_draw_bars(const struct panel *panel);

/* Negative sums have no slice; the others are parts of their own sum. */
void shares_draw_pie(const struct panel *panel);

#endif
