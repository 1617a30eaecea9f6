/* SPDX-License-Identifier: MIT */
/* The slowest of many explained spans, and the table of them. Zero-initialize but for `max`. */
#ifndef WEIR_SLOWEST_H
#define WEIR_SLOWEST_H

#include "explain/explained.h"

struct slowest {
	size_t max;		/* how many are kept */
	struct explained **heap;	/* the least of them first */
	size_t n, room;
};

/*
 * Takes over the item if it is one of the slowest so far, of those as slow one of the first, and gives back
 * what is kept no more: another one, the item itself, or NULL. O(log max).
 */
struct explained *slowest_keep(struct slowest *slowest, struct explained *item);

/* Writes the table, the slowest first. Nothing can be kept after that. */
void slowest_print(struct slowest *slowest, struct writer *out, const struct history *history,
		   struct slice by);

void slowest_free(struct slowest *slowest);

#endif
