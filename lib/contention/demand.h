/* SPDX-License-Identifier: MIT */
/*
 * Who wanted the CPUs, who got them, and from whom they were taken: figures of threads from the spans
 * oncpu, runq, blocked and syscall.
 */
#ifndef WEIR_DEMAND_H
#define WEIR_DEMAND_H

#include "records/reader.h"
#include "stats/sketch.h"

struct demand;

enum {
	DEMAND_TASKS = 1 << 16,		/* threads that are told apart */
	DEMAND_PAIRS = 1 << 20,		/* of a victim and a culprit */
	DEMAND_LONGEST = 1 << 30,	/* ms: a span that is longer is taken for an error */
};

/* A thread under one name. The task 0 is all those beyond DEMAND_TASKS. */
struct demand_task {
	int64_t tid;
	int64_t pid;		/* -1: no span tells */
	struct slice comm;	/* escaped as in records; `at` NULL: not known */
	uint64_t got_ns;	/* on a CPU */
	uint64_t slices;	/* that ended */
	uint64_t slices_ns;
	uint64_t preempted;	/* slices that ended though the thread could have gone on */
	uint64_t waited_ns;	/* runnable, without a CPU */
	uint64_t throttled_ns;	/* the same, but held back by a quota: not in waited_ns, nor in `wait` */
	uint64_t waits;
	struct sketch *wait;	/* of waits, in ns; NULL: none */
	uint64_t disk_ns;	/* asleep in the state D */
	uint64_t lock_ns;	/* in calls of futex in which it slept: until it had the lock and a CPU */
	uint64_t calls;		/* system calls that ended, and their time without sleep */
	uint64_t calls_ns;
};

/* How much of a victim's waiting went to a culprit: a task, OCCUPANCY_IDLE or OCCUPANCY_UNKNOWN. */
struct demand_share {
	uint32_t victim, culprit;
	uint64_t ns;
};

struct demand *demand_new(void);
void demand_free(struct demand *demand);

/*
 * Takes a record of any kind (those that it does not need cost one comparison). They come by ts. All come
 * from one reader.
 */
void demand_take(struct demand *demand, const struct record *record);

/* Events were lost where the stream is now. */
void demand_gap(struct demand *demand);

/* At the end of the input: call it once, before what follows. */
void demand_finish(struct demand *demand);

const struct demand_task *demand_tasks(const struct demand *demand, uint32_t *n);

/*
 * All shares, by victim, then culprit: for each victim, their sum is its waited_ns. free() it.
 */
struct demand_share *demand_shares(const struct demand *demand, size_t *n);

/* The time that the scheduler's spans cover, in ns; the ts of the latest; how many CPUs had a slice. */
uint64_t demand_time(const struct demand *demand);
int64_t demand_last(const struct demand *demand);
size_t demand_cpus(const struct demand *demand);

/* Whether events were lost: all that is counted and measured is a lower bound then. */
bool demand_gaps(const struct demand *demand);

/* Spans that lack a tid or a sensible duration, and were left out. */
uint64_t demand_unusable(const struct demand *demand);

#endif
