/* SPDX-License-Identifier: MIT */
/* A probe's findings as one picture of four panels: a gnuplot script that has its data. */
#ifndef WEIR_DASHBOARD_H
#define WEIR_DASHBOARD_H

#include "charts/gnuplot.h"
#include "http/monitor.h"

/*
 * Latency over time with errors, stalls and throttling; its distribution; what succeeded and what failed
 * of what; the figures. With PICTURE_TEXT, only the first of them: dashboard_table() has the last.
 */
void dashboard_write(FILE *script, struct monitor *monitor, const struct canvas *canvas, const char *title);

/* The nine figures, and failures by kind, as lines of text. */
void dashboard_table(FILE *out, struct monitor *monitor);

#endif
