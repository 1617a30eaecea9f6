/* SPDX-License-Identifier: MIT */
/*
 * Who ran on each CPU of late, so that a wait for a CPU can be divided among those who had it meanwhile.
 */
#ifndef WEIR_OCCUPANCY_H
#define WEIR_OCCUPANCY_H

#include "base/slice.h"

struct occupancy;

enum {
	OCCUPANCY_CPUS = 4096,		/* others are not known */
	OCCUPANCY_SLICES = 65536,	/* that are kept of each CPU: 24 bytes each */
};

/* Who had the CPU: a number of the caller's, or one of these. */
#define OCCUPANCY_IDLE UINT32_MAX	/* nobody */
#define OCCUPANCY_UNKNOWN (UINT32_MAX - 1)

struct occupancy *occupancy_new(void);
void occupancy_free(struct occupancy *occupancy);

/*
 * WHO had the CPU from BEGIN to END. THEN_IDLE: nobody had it until its next slice. Slices of a CPU come
 * by their end; O(1) amortized, one that comes late costs a move of those after it.
 */
void occupancy_add(struct occupancy *occupancy, uint64_t cpu, int64_t begin, int64_t end, uint32_t who,
		   bool then_idle);

/* Events were lost: on no CPU is it known who has it until its next slice. */
void occupancy_gap(struct occupancy *occupancy);

/* How many CPUs had a slice. */
size_t occupancy_cpus(const struct occupancy *occupancy);

/*
 * Divides the time from BEGIN to END (not before BEGIN) on a CPU: calls PART for each piece, in order of
 * time. The pieces' NS are above 0 and their sum is END - BEGIN, whatever was added: where two slices
 * claim a time, the one that ended first has it. O(log n + pieces).
 */
void occupancy_split(const struct occupancy *occupancy, uint64_t cpu, int64_t begin, int64_t end,
		     void (*part)(void *context, uint32_t who, uint64_t ns), void *context);

#endif
