/* SPDX-License-Identifier: MIT */
/*
 * Merging the records of several rings by time; at the same time, by their source's number. What comes
 * out does not depend on how the sources are spread over the rings, nor on who is faster.
 */
#ifndef WEIR_MERGE_H
#define WEIR_MERGE_H

#include "babeltrace/ring.h"

struct merge {
	struct ring **rings;
	size_t n;
	struct bell *bell;
	struct writer *out;
	void (*idle)(void *data);	/* called now and then, often */
	void *data;
};

/*
 * Until all rings are over and empty; nothing may have been taken from them. A record costs a comparison with
 * each ring, and one copy.
 */
void merge_run(struct merge *merge);

#endif
