/* SPDX-License-Identifier: MIT */
/*
 * How many events a tracer has discarded, from the differences of its counter.
 *
 * LTTng writes, now and then, a packet whose counter is 0 between packets whose counters go on (seen with
 * 2.13 in both domains). The difference to it is absurd, and the one behind it counts once more what had been
 * counted. So an absurd difference is kept, and added to the next one.
 */
#ifndef WEIR_DISCARDS_H
#define WEIR_DISCARDS_H

#include <stdbool.h>
#include <stdint.h>

struct discards {
	uint64_t kept;	/* the sum of absurd differences, modulo the counter's range */
};

/*
 * What a difference of N means, of a counter of BITS, between the times FIRST and LAST (where TIMED): the
 * number of events, 0 when all of them had been counted, LOST_UNKNOWN (writer.h) when nothing can be said.
 */
uint64_t discards_count(struct discards *discards, uint64_t n, unsigned bits, bool timed, int64_t first,
			int64_t last);

/* More than can have happened in that time: one in a nanosecond. */
bool discards_absurd(uint64_t n, bool timed, int64_t first, int64_t last);

#endif
