/* SPDX-License-Identifier: MIT */
/*
 * When requests are due.
 *
 * An open schedule is fixed beforehand: request K is due at start + K * interval, whatever became of those
 * before it, and each is computed from the start, so that nothing adds up to a drift. A closed one slips: a
 * request is due an interval after the one before it was sent, or when it can be sent, if that is later.
 */
#ifndef WEIR_SCHEDULE_H
#define WEIR_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_NEVER UINT64_MAX

struct schedule {
	uint64_t start_ns;	/* of the clock that the caller goes by */
	long double interval_ns;
	uint64_t count;		/* so many requests at most; UINT64_MAX: no bound */
	uint64_t length_ns;	/* none is due so long after the start; UINT64_MAX: no bound */
	bool closed;
	uint64_t taken;		/* requests so far */
	uint64_t last_ns;	/* when the last one of a closed schedule was taken */
};

/* When the next request is due; SCHEDULE_NEVER: there are no more. */
uint64_t schedule_due(const struct schedule *schedule);

/*
 * Takes the next request, which must be due at NOW, and returns the time that was intended for it: when it
 * was due; of a closed schedule, NOW.
 */
uint64_t schedule_take(struct schedule *schedule, uint64_t now);

/* How many requests the schedule has in all; UINT64_MAX: it has no end, or is closed. */
uint64_t schedule_total(const struct schedule *schedule);

#endif
