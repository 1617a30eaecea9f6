/* SPDX-License-Identifier: MIT */
/* From records to the sample that a chart is drawn from. */
#ifndef WEIR_CHART_GATHER_H
#define WEIR_CHART_GATHER_H

#include "charts/sample.h"
#include "records/loss.h"
#include "records/reader.h"

/* What is taken of each record. */
struct gather {
	struct slice x, y, group;	/* keys; `at` NULL: no y, no groups */
	bool progress, no_progress;	/* as the options of these names say */
};

/* How many records there were; how many of them gave nothing, and why. */
struct gather_misses {
	uint64_t records, not_number, no_x;
};

/*
 * Reads IN to its end. A record gives a value of y at x, or counts where there is no y; for SAMPLE_USAGE, a
 * span that took y and ended at x. ev=lost is counted in LOSS, and marks the sample. O(1) amortized each.
 */
void gather_records(const struct gather *gather, struct reader *in, struct sample *sample, struct loss *loss,
		    struct gather_misses *misses);

#endif
