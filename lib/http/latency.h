/* SPDX-License-Identifier: MIT */
/*
 * What a run of requests came to: how many succeeded, why others failed, and the figures of the latencies of
 * those that succeeded, twice. Raw is from sending to the end of the answer. Corrected is from the time that
 * was intended for the request: it has the waits that a slow server causes to those behind, too, which a
 * program that waits before it sends does not see ("coordinated omission", as Gil Tene has called it).
 */
#ifndef WEIR_LATENCY_H
#define WEIR_LATENCY_H

#include "http/failure.h"
#include "records/writer.h"
#include "stats/figures.h"

enum { LATENCY_EXACT = 4 << 20 };	/* up to so many values quantiles are exact, then a sketch's */

struct latency {
	uint64_t requests, attempts, succeeded;
	uint64_t failed[FAILURES];	/* attempts */
	uint64_t waited, longest_ns;	/* requests sent more than LATENCY_LATE_NS late; the latest */
	struct figures_plan plan;
	struct figures raw, corrected;
};
#define LATENCY_LATE_NS 1000000

void latency_start(struct latency *latency);

/* An attempt that succeeded. O(1), some 10 ns. */
void latency_add(struct latency *latency, uint64_t raw_ns, uint64_t corrected_ns);

/* One that failed. */
void latency_fail(struct latency *latency, enum failure failure);

/* A first attempt: how long behind its time it was sent, or given up. */
void latency_wait(struct latency *latency, uint64_t ns);

/* Says it on stderr, for people, of a run that took NS. */
void latency_report(struct latency *latency, uint64_t ns);

/* Writes it as records: ev=summary, then ev=stats for each kind. */
void latency_write(struct latency *latency, struct writer *out, int64_t ts, uint64_t ns);

void latency_free(struct latency *latency);

#endif
