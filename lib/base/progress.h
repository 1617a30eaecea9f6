/* SPDX-License-Identifier: MIT */
/*
 * One line on stderr that tells how far long work is: `prog: 42 %, 1.3 M records/s, 12 s left`.
 * Shown when stderr is a terminal, at most 5 times a second, and erased at the end.
 */
#ifndef WEIR_PROGRESS_H
#define WEIR_PROGRESS_H

#include "base/slice.h"

struct progress {
	const char *unit;	/* what is counted: "records", "events" */
	bool shown;
	uint64_t start_ns, next_ns, checks;
};

/* The two options of every program that shows progress. */
#define PROGRESS_OPTIONS(force, none) \
	{ .name = "progress", .help = "show progress even where stderr is no terminal", \
	  .kind = OPTION_FLAG, .to = &(force) }, \
	{ .name = "no-progress", .help = "show no progress", .kind = OPTION_FLAG, .to = &(none) }

void progress_start(struct progress *progress, const char *unit, bool force, bool none);

/*
 * DONE of TOTAL bytes (or whatever the work is measured in; TOTAL 0: not known) and COUNT units so
 * far. Cheap enough for every record: it looks at the clock once in 1024 calls.
 */
void progress_at(struct progress *progress, uint64_t done, uint64_t total, uint64_t count);

/* The same, looking at the clock on every call: for callers that come seldom. */
void progress_now(struct progress *progress, uint64_t done, uint64_t total, uint64_t count);

void progress_end(struct progress *progress);

#endif
