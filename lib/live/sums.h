/* SPDX-License-Identifier: MIT */
/*
 * The user's side of bpf/sums.h: figures that the kernel kept, as states that stats --merge joins
 * (ev=partial, partial.h), one record for each group and interval.
 */
#ifndef WEIR_SUMS_H
#define WEIR_SUMS_H

#include "../bpf/sums.h"
#include "live/collect.h"

struct sums_reader;

/* NAMES tells of a `what` the group's own fields (`group.ev=oncpu`). */
typedef void sums_names(void *state, struct writer *out, uint32_t what);

/* Before collect_start(): makes room for the sums in the kernel; INTERVAL_NS is the length of intervals. */
struct sums_reader *sums_reader_new(struct collect *collect, uint64_t interval_ns, sums_names *names, void *state);
void sums_reader_free(struct sums_reader *reader);

/*
 * Writes what was counted when an interval is over, that is when the time TS reaches a multiple of it; with
 * LAST, in any case. `group.pid` and `group.comm` are added to what NAMES tells. Sorted by pid and what. The
 * collector hears how many durations there were, and how many found no room in the kernel.
 */
void sums_reader_pass(struct sums_reader *reader, int64_t ts, bool last);

#endif
