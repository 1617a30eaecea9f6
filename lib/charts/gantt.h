/* SPDX-License-Identifier: MIT */
/* A time line (Gantt chart): a row for each group, with a bar for each of its spans. */
#ifndef WEIR_CHART_GANTT_H
#define WEIR_CHART_GANTT_H

#include "charts/panel.h"

/* At most CHART_ROWS rows, those of the longest time, in the order of their beginnings. O(spans * rows). */
void gantt_draw(const struct panel *panel);

#endif
