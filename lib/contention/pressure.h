/* SPDX-License-Identifier: MIT */
/*
 * How hard threads press for CPUs in a recording: measures and a verdict, and what changed between two
 * recordings. contention(1) says what the measures are and why their limits are these.
 */
#ifndef WEIR_PRESSURE_H
#define WEIR_PRESSURE_H

#include "contention/demand.h"
#include "contention/measure.h"
#include "contention/rivals.h"

enum {
	PRESSURE_WAIT_SHARE, PRESSURE_SWITCHES, PRESSURE_CALL, PRESSURE_SLICE, PRESSURE_FAIRNESS,
	PRESSURE_PREEMPTIONS, PRESSURE_RUNQ_P50, PRESSURE_RUNQ_P95, PRESSURE_RUNQ_P99,
	PRESSURE_FAIRNESS_THREADS, PRESSURE_IO_WAIT, PRESSURE_MEASURES
};

/* What is judged, and how. */
struct pressure_plan {
	enum rivals_by by;
	struct option_list names;	/* of those who are judged: see rivals_new() */
	struct measure limits[PRESSURE_MEASURES + 1];
	double score;			/* contended from this score up */
	double min_runnable, min_spans;	/* ns, slices and waits: with less, no verdict */
};

/* The limits that are the default; the rest of PLAN too, but for `by` and `names`. */
void pressure_defaults(struct pressure_plan *plan);

struct pressure {
	struct rivals *rivals;
	struct rival sum;		/* of the judged */
	uint64_t time_ns;
	int64_t last_ts;
	size_t cpus;
	bool gaps;			/* events were lost: what was counted is a lower bound */
	struct measure measure[PRESSURE_MEASURES + 1];
	double score;			/* NAN: nothing could be measured */
	enum pressure_verdict { PRESSURE_UNKNOWN, PRESSURE_CALM, PRESSURE_CONTENDED } verdict;
};

/* Measures and judges what a finished DEMAND has; that must outlive the pressure. */
void pressure_find(struct pressure *pressure, const struct demand *demand, const struct pressure_plan *plan);
void pressure_free(struct pressure *pressure);

/* The time in which it had or wanted a CPU. */
static inline uint64_t pressure_wanted(const struct rival *rival)
{
	return rival->got_ns + rival->waited_ns;
}

/* OF / ALL; NAN when ALL is 0. */
double pressure_part(uint64_t of, uint64_t all);

/* The quantile Q of a rival's waits in ns; NAN when it had none. */
double pressure_wait(const struct rival *rival, double q);

enum pressure_change { PRESSURE_WORSE, PRESSURE_ALIKE, PRESSURE_BETTER };

/*
 * A measure changed when its score did by 0.1, or when its value did by a quarter (where it has limits: to or
 * from beyond the calm one).
 */
enum pressure_change pressure_change(const struct measure *base, const struct measure *new);

/* Those of one name in two recordings, base and new. */
struct pressure_pair {
	struct slice comm;
	const struct rival *side[2];	/* NULL: not there */
	double waited[2], took[2];	/* as parts of all CPU time there was */
};

/* Pairs the rivals by name, those whose waiting grew most first: N pairs; free() them. */
struct pressure_pair *pressure_pairs(const struct pressure *base, const struct pressure *new, size_t *n);

/* The part of its runnable time that it waited; NAN: it is not there. */
double pressure_pair_share(const struct pressure_pair *pair, int side);

/* It waits for 0.5 % of all CPU time more, or less, and for 5 points more, or less, of its own time. */
enum pressure_change pressure_pair_change(const struct pressure_pair *pair);

#endif
