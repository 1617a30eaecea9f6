/* SPDX-License-Identifier: MIT */
/*
 * Faults that a service is told to have: answers that come late, fail, or all stop for a while. The same
 * seed gives the same faults, in the order in which they are asked for. Any thread may ask.
 */
#ifndef WEIR_SERVICE_FAULT_H
#define WEIR_SERVICE_FAULT_H

#include "base/slice.h"

struct fault_plan {
	const char *latency;	/* see fault_new(); NULL: none */
	double error_rate;	/* the share of the answers that fail, 0 to 1 */
	/* Nothing is answered for stall_ns (0: no stall), after_ns after the start, then every_ns (0: once). */
	uint64_t stall_ns, after_ns, every_ns;
	uint64_t seed;
};

struct fault;

/*
 * The latency is one of (durations without a unit are milliseconds)
 *	20ms  uniform:10ms,50ms  normal:MEAN,STDDEV  exponential:MEAN  lognormal:MEDIAN,P99
 * Exits with EXIT_USAGE when it is none of them. The stalls' time runs from BEGIN (clock_monotonic()).
 */
struct fault *fault_new(const struct fault_plan *plan, uint64_t begin);
void fault_free(struct fault *fault);

/* How long the next answer is held back, in ns: at most FAULT_LONGEST. */
#define FAULT_LONGEST 600000000000u
uint64_t fault_latency(struct fault *fault);

/* Whether the next answer fails. */
bool fault_error(struct fault *fault);

/* True once in 1/RATE times: for faults that a request asks for. */
bool fault_happens(struct fault *fault, double rate);

/* When the stall that is under way at NOW ends; 0: there is none. O(1). */
uint64_t fault_stall_end(const struct fault *fault, uint64_t now);

#endif
