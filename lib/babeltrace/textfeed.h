/* SPDX-License-Identifier: MIT */
/* The text that babeltrace prints, converted by a process of its own into a ring. */
#ifndef WEIR_TEXTFEED_H
#define WEIR_TEXTFEED_H

#include <sys/types.h>

#include "babeltrace/ring.h"
#include "traces/selection.h"

struct textfeed {
	pid_t pid;
	struct ring *ring;
	struct textfeed_sum *sum;	/* in shared memory */
};

/* What the text says was lost. */
struct textfeed_sum {
	uint64_t events, places;
	bool unknown;
	_Atomic uint64_t records;
};

/*
 * Starts to convert the file NAME, or `-`, stdin. False, with a message, when it cannot be opened. SOURCE
 * is its place among records of the same time.
 */
bool textfeed_start(struct textfeed *feed, const char *name, struct selection *selection, struct bell *bell,
		    uint32_t source);

/* Once the ring is over: false when not all could be converted, which has been reported. */
bool textfeed_end(struct textfeed *feed);

/* For one whose process died: its ring is closed. */
void textfeed_look_after(struct textfeed *feed);

#endif
