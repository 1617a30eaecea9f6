// SPDX-License-Identifier: MIT
#include "traces/discards.h"

#include "records/writer.h"

bool discards_absurd(uint64_t n, bool timed, int64_t first, int64_t last)
{
	uint64_t span = timed && last > first ? (uint64_t)last - (uint64_t)first : 0;

	return n > (timed ? span + 1000 : (uint64_t)1 << 48);
}

uint64_t discards_count(struct discards *discards, uint64_t n, unsigned bits, bool timed, int64_t first,
			int64_t last)
{
	uint64_t mask = bits && bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
	uint64_t both = (discards->kept + n) & mask;

	n &= mask;
	if (!discards_absurd(both, timed, first, last))
		n = both;
	else if (discards_absurd(n, timed, first, last))	/* else the counter began anew */
		n = LOST_UNKNOWN;
	discards->kept = n == LOST_UNKNOWN ? both : 0;
	return n;
}
