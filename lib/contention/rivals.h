/* SPDX-License-Identifier: MIT */
/* Threads, processes or names that compete for CPUs: the tasks of demand.h, grouped. */
#ifndef WEIR_RIVALS_H
#define WEIR_RIVALS_H

#include "base/options.h"
#include "contention/demand.h"

enum rivals_by { RIVALS_COMM, RIVALS_PID, RIVALS_TID };

struct rival {
	struct slice comm;	/* of a process, the last name of its main thread; `at` NULL: unknown */
	int64_t pid, tid;	/* -1: not known, or not what is grouped by */
	bool judged;
	uint64_t got_ns, slices, slices_ns, preempted, disk_ns, lock_ns, calls, calls_ns;
	uint64_t waited_ns, waits;
	uint64_t throttled_ns;	/* besides: held back by a quota */
	struct sketch *wait;	/* NULL: it never waited */
	/* waited_ns = own_ns + others_ns + idle_ns + unknown_ns: who had the CPU meanwhile */
	uint64_t own_ns;	/* its own kind: threads of its process, or of its group */
	uint64_t others_ns;
	uint64_t idle_ns;	/* nobody */
	uint64_t unknown_ns;
	uint64_t took_ns;	/* of the others_ns of judged ones */
};

struct rivals;

/*
 * Groups the tasks of a finished DEMAND, which outlives the rivals. Judged are those that one of the NAMES is
 * for: a pattern (fnmatch(3)) of the last name of the thread or of its process's main thread, or a process
 * id; all, when there are no names. Where that divides a group, it becomes two.
 */
struct rivals *rivals_new(const struct demand *demand, enum rivals_by by, const struct option_list *names);
void rivals_free(struct rivals *rivals);

/* All, those that waited longest first. */
const struct rival *rivals_all(const struct rivals *rivals, uint32_t *n);

/* Who took whose time, among them; by victim, then by size. Victims are judged ones. */
const struct demand_share *rivals_shares(const struct rivals *rivals, size_t *n);

/* The sum of the judged; free its `wait` by sketch_free(). */
struct rival rivals_sum(const struct rivals *rivals);

/*
 * Jain's index (Jain, Chiu, Hawe: A quantitative measure of fairness and discrimination, DEC TR-301, 1984)
 * of what each got of the CPU time that it wanted: 1 when all got the same part, 1/n when one got all.
 * Counts those that wanted 1 % or more of all that was wanted; NAN when these are fewer than two.
 */
double rivals_fairness(const struct rivals *rivals);

#endif
