/* SPDX-License-Identifier: MIT */
/* Which events of a trace are wanted, in which time, with which fields: -e -x -f --for --begin --end. */
#ifndef WEIR_SELECTION_H
#define WEIR_SELECTION_H

#include "base/number.h"
#include "base/options.h"

/* How much of an event is wanted. */
enum selection_extent { SELECTION_NOTHING, SELECTION_FIELDS, SELECTION_WHOLE };

struct selection {
	struct option_list include, exclude;	/* globs of event names (fnmatch(3)) */
	char **fields;			/* NULL: all; else NULL-terminated keys, ts and ev not needed */
	/* What the filter that the events are for reads of those named EV; NULL: the fields, of all. */
	enum selection_extent (*reads)(struct slice ev);
	bool bare;			/* what it does not read is written, too: as ts and ev */
	bool has_begin, has_end;
	struct moment begin, end;
	/* Set by selection_start(): the window in ns since the epoch, both ends included. */
	int64_t begin_ns, end_ns;
};

/* Whether events of this name are wanted. Costs a glob match: ask once for each name. */
bool selection_event(const struct selection *selection, const char *name);

/*
 * Whether the field is wanted. KEY is the record's key; wanting `addr` is wanting `addr.0` and all else
 * below it. Ask once for each field of an event.
 */
bool selection_field(const struct selection *selection, struct slice key);

/*
 * What is wanted of events that are wanted, EV being their ev: a selection for selection_field(). NULL:
 * nothing at all.
 */
const struct selection *selection_within(const struct selection *selection, struct slice ev);

/* Resolves --begin and --end, given the first event's time. Call before selection_time(). */
void selection_start(struct selection *selection, int64_t first_ts);

static inline bool selection_time(const struct selection *selection, int64_t ts)
{
	return ts >= selection->begin_ns && ts <= selection->end_ns;
}

#endif
