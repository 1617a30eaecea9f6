/* SPDX-License-Identifier: MIT */
/*
 * Folded stacks: each distinct stack on a line, root first, and what it weighs:
 *
 *	redis-server;main;aeMain;aeProcessEvents;epoll_wait 4711
 *
 * Frames are escaped (stack.h) so that neither `;` nor spaces are in them, and weights are whole numbers:
 * what takes a line apart at its last space, at its first one, or into words, finds the same.
 */
#ifndef WEIR_FOLDED_H
#define WEIR_FOLDED_H

#include "base/slice.h"
#include "records/writer.h"

struct folded;

struct folded *folded_new(void);
void folded_free(struct folded *folded);

/*
 * Adds WEIGHT to what STACK weighs; its text is in its folded form, without control bytes. O(length).
 * Memory: the text, and 60 bytes, of each distinct stack; the program ends when there are 2^32 of them.
 */
void folded_add(struct folded *folded, struct slice stack, uint64_t weight);

struct folded_sum {
	uint32_t stacks;
	uint32_t light;		/* of them, how many were left out: less than half a unit */
	unsigned __int128 weight;	/* of all, before it was divided */
};

/*
 * Writes all in the order of their bytes, weights in units of UNIT, each rounded once: the exact sum of
 * its stack, to the nearest. O(n log n).
 */
struct folded_sum folded_write(const struct folded *folded, uint64_t unit, struct writer *out);

/*
 * A line, as any program may have written it: the text before the last blank is the stack, what follows is
 * its weight. Returns NULL, or why the line is none: a text of unlimited life.
 */
const char *folded_parse(struct slice line, struct slice *stack, uint64_t *weight);

#endif
