/* SPDX-License-Identifier: MIT */
/*
 * The tree of a flame graph: stacks that begin alike share their frames. Children are in the order of their
 * names' bytes, a frame is as wide as what it and its descendants weigh.
 */
#ifndef WEIR_FLAME_H
#define WEIR_FLAME_H

#include "base/slice.h"

enum { FLAME_DEPTH = 8192 };	/* frames of a stack; what is deeper is taken off at the leaf */

struct flame_node {
	uint32_t name, parent;
	uint32_t depth;		/* of the root: 0 */
	uint64_t weight, base;	/* with its descendants: of the stacks, and of those they are compared with */
	uint64_t x;		/* weight to the left of it: set by flame_lay_out() */
};

struct flame {
	struct flame_node *node;	/* [0] is the root, above all stacks */
	size_t nodes, room;
	struct intern *names;		/* not escaped */
	uint32_t depth;			/* of the deepest node */
	uint64_t cut;			/* stacks that were deeper than FLAME_DEPTH */

	/* Its own: */
	struct table *children;
	char *last;			/* the stack that was added last, and the nodes of its frames */
	size_t last_len, last_room;
	uint32_t path[FLAME_DEPTH + 1];
	char *name;
	size_t name_room;
};

struct flame *flame_new(void);
void flame_free(struct flame *flame);

/*
 * Adds a stack in its folded form, to `base` if BASE. O(length), less where it begins like the one before. Memory:
 * 70 bytes for each distinct call path. False when all weights together would pass 2^63: nothing was added.
 */
bool flame_add(struct flame *flame, struct slice stack, uint64_t weight, bool base);

/* Sets the x of all nodes. Returns their ids by row, from the root on, left to right in each; free() them. */
uint32_t *flame_lay_out(struct flame *flame);

#endif
