/* SPDX-License-Identifier: MIT */
/*
 * Exact times from the entries and exits of functions: how long each call path ran itself, without what it
 * called, and how often it was called.
 *
 * Time passes into the path that a thread is in, from each of its events to the next. Before its first event,
 * and from a loss of events to the next entry from which the path is known again, it is in none.
 */
#ifndef WEIR_CALLPATHS_H
#define WEIR_CALLPATHS_H

#include "base/slice.h"

enum { CALLPATHS_DEPTH = 4096 };	/* deeper calls count for the path at this depth */

struct callpaths {
	/* For the caller's report: */
	uint64_t unentered;	/* exits of functions whose entry was not seen */
	uint64_t contradictions;	/* exits of another function than the last one entered; times that fall */

	struct callpaths_node *node;	/* [0] is no path at all */
	size_t nodes, room;
	struct table *children;	/* by parent and frame */
	struct table *threads;
};

/* Memory: some 60 bytes for each distinct path, and for each thread. */
struct callpaths *callpaths_new(void);
void callpaths_free(struct callpaths *paths);

/*
 * THREAD enters FRAME, a number that the caller gives each function; ROOT is the frame that the paths of the
 * thread begin with. Leaving: FRAME is UINT32_MAX where the event does not tell it. TS in ns. O(1), or the
 * depth where exits are missing.
 */
void callpaths_enter(struct callpaths *paths, uint64_t thread, uint32_t root, uint32_t frame, int64_t ts);
void callpaths_leave(struct callpaths *paths, uint64_t thread, uint32_t frame, int64_t ts);

/* Events were lost: where the threads are is not known any more. */
void callpaths_forget(struct callpaths *paths);

/*
 * Visits each path: its frames from the root on, its own ns, how often it was called. In an order that depends
 * on the input only.
 */
void callpaths_each(const struct callpaths *paths, void visit(void *data, const uint32_t *frame, size_t n,
							       uint64_t ns, uint64_t calls), void *data);

#endif
