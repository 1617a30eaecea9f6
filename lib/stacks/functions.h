/* SPDX-License-Identifier: MIT */
/*
 * The entries and exits of functions that programs built with -finstrument-functions record through
 * lttng-ust-cyg-profile, as call paths with exact times (callpaths.h).
 */
#ifndef WEIR_FUNCTIONS_H
#define WEIR_FUNCTIONS_H

#include "records/reader.h"
#include "stacks/folded.h"
#include "stacks/spaces.h"

struct functions;

/* SPACES gives the functions their names. Memory: that of callpaths.h, and of each function. */
struct functions *functions_new(struct spaces *spaces);
void functions_free(struct functions *functions);

/* Whether EV is one of these events, and which: `lttng_ust_cyg_profile:func_entry`, `..._fast:func_exit`, ... */
enum functions_event { FUNCTIONS_NONE, FUNCTIONS_ENTRY, FUNCTIONS_EXIT };
enum functions_event functions_event(struct slice ev);

/*
 * Takes such a record, of process PID (-1: not known) and COMM, of thread TID, whose paths begin with ROOT, a folded
 * text. Returns NULL, or why it cannot be used.
 */
const char *functions_take(struct functions *functions, const struct record *record, enum functions_event event,
			   int64_t pid, int64_t tid, struct slice comm, struct slice root);

/* Events were lost, as LOST (ev=lost) says: calls that are open, and those that begin in the gap, are not followed. */
void functions_lost(struct functions *functions, const struct record *lost);

/* Adds each path with its own ns, or with how often it was called. True when there was any event. */
bool functions_fold(struct functions *functions, bool calls, struct folded *folded);

/* Says on stderr which entries and exits did not fit together, if some did not. */
void functions_report(const struct functions *functions);

#endif
