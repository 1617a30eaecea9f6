/* SPDX-License-Identifier: MIT */
/* Lines or records that a program cannot use: how many, why, and where the first of each kind was. */
#ifndef WEIR_REFUSED_H
#define WEIR_REFUSED_H

#include "records/reader.h"

enum { REFUSED_REASONS = 16 };	/* more kinds than any program has */

struct refused {
	uint64_t n;
	size_t reasons;
	struct refused_reason {
		const char *reason;	/* kept, not copied: equal reasons are at equal addresses */
		uint64_t n, line;
		char file[64];
	} reason[REFUSED_REASONS];
};

/* Counts what READER is at as refused for REASON, a text of unlimited life. */
void refused_count(struct refused *refused, const char *reason, const struct reader *reader);

/*
 * Says it on stderr in one line for each reason, most frequent first, if there is anything to say:
 * `prog: refused 3 of 10 WHAT: REASON (first FILE:LINE)`.
 */
void refused_report(struct refused *refused, uint64_t all, const char *what);

#endif
