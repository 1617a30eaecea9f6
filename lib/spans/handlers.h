/* SPDX-License-Identifier: MIT */
/* The interrupt handlers that run on one CPU: one on top of the other, the innermost ends first. */
#ifndef WEIR_HANDLERS_H
#define WEIR_HANDLERS_H

#include "base/label.h"

enum { HANDLERS_MAX = 16 };	/* far more than a CPU nests: a soft one, a hard one, and few more */

struct handler {
	bool soft;
	int64_t number;		/* of the interrupt line, or the vector */
	int64_t since;
	struct label name;
};

struct handlers {
	unsigned n;
	struct handler at[HANDLERS_MAX];
};

/* One begins. False when it is nested too deep to be remembered. */
bool handlers_begin(struct handlers *handlers, bool soft, int64_t number, int64_t ts, struct slice name);

/*
 * One ends: it is copied to ENDED. Those within it whose end was not seen are dropped and added to
 * *DROPPED. False when its begin is not known.
 */
bool handlers_end(struct handlers *handlers, bool soft, int64_t number, struct handler *ended,
		  uint64_t *dropped);

#endif
