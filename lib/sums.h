/* SPDX-License-Identifier: MIT */
/*
 * The user's side of bpf/sums.h: figures that the kernel kept, as states that stats --merge joins
 * (ev=partial, partial.h), one record for each group and interval.
 */
#ifndef WEIR_SUMS_H
#define WEIR_SUMS_H

#include "../bpf/sums.h"
#include "collect.h"

struct sums_reader;

/* Before collect_start(): makes room for the sums in the kernel; INTERVAL_NS is the length of intervals. */
struct sums_reader *sums_reader_new(struct bpfobject *object, uint64_t interval_ns);
void sums_reader_free(struct sums_reader *reader);

/*
 * Writes what was counted when an interval is over, that is when the time TS reaches a multiple of it; with
 * LAST, in any case. NAMES tells of a `what` the group's own fields (`group.ev=oncpu`); `group.pid` and
 * `group.comm` are added. Sorted by pid and what. Returns how many durations found no room in the kernel since
 * the last time; *COUNTED becomes how many did.
 */
typedef void sums_names(void *state, struct writer *out, uint32_t what);
uint64_t sums_reader_pass(struct sums_reader *reader, struct writer *out, int64_t ts, bool last, sums_names *names,
			  void *state, uint64_t *counted);

#endif
