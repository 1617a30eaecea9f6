/* SPDX-License-Identifier: MIT */
/*
 * Loss is data: `ev=lost` records say that events are missing. Every program that reads records
 * counts them with this, passes them on, and says at the end that its figures are incomplete.
 */
#ifndef WEIR_LOSS_H
#define WEIR_LOSS_H

#include "records/reader.h"

struct loss {
	uint64_t records;	/* ev=lost seen */
	uint64_t events;	/* sum of their n */
	bool unknown;		/* one of them has n=? */
	struct lookup ev, n;
};
#define LOSS { .ev = LOOKUP("ev"), .n = LOOKUP("n") }

/* True when the record is an ev=lost; it has been counted then. Costs one comparison. */
bool loss_is(struct loss *loss, const struct record *record);

/*
 * Says on stderr what was lost, if anything was: `prog: N events were lost: WHAT is incomplete`.
 * Returns the exit status: EXIT_LOSS when STRICT and something was lost, else EXIT_COMPLETE.
 */
int loss_report(struct loss *loss, const char *what, bool strict);

#endif
