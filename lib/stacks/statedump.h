/* SPDX-License-Identifier: MIT */
/*
 * What LTTng-UST says of the files that a process has mapped (lttng_ust_statedump:*, lttng_ust_dl:*), so that its
 * addresses have names without being told where from. A file on this machine counts as the one that was mapped when
 * its build id is the one of the trace. (pkg-config: libdw libelf)
 */
#ifndef WEIR_STATEDUMP_H
#define WEIR_STATEDUMP_H

#include "records/reader.h"
#include "stacks/spaces.h"

struct statedump;

struct statedump *statedump_new(struct spaces *spaces);
void statedump_free(struct statedump *statedump);

/* Takes RECORD, an event EV of process PID (-1: not known, then it is of no use). False: it is no such event. */
bool statedump_take(struct statedump *statedump, const struct record *record, struct slice ev, int64_t pid);

/* Says on stderr how many files are not here as they were, if there are such. */
void statedump_report(const struct statedump *statedump);

#endif
