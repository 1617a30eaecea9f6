// SPDX-License-Identifier: MIT
/* A counter of discarded events, some of whose values are torn: what is counted adds up to what it says at last. */
#include "check.h"
#include "records/writer.h"
#include "traces/discards.h"

/* As many packets of 1 ms, up to 1000 events lost in each; BITS wide; every eighth value, about, is torn. */
static void add_up(unsigned bits)
{
	uint64_t mask = bits < 64 ? (1ull << bits) - 1 : UINT64_MAX;
	uint64_t lost = mask / 2, before = lost, sum = 0, start = lost;
	struct discards discards = { 0 };

	for (unsigned i = 0; i < 10000; i++) {
		int64_t first = (int64_t)i * 1000000;
		uint64_t now, n;

		lost += random_bits() % 1000;
		/* The last one is sound. */
		now = i < 9999 && random_bits() % 8 == 0 ? 0 : lost & mask;
		if ((now - before) & mask) {
			n = discards_count(&discards, now - before, bits, true, first, first + 1000000);
			sum += n == LOST_UNKNOWN ? 0 : n;
		}
		before = now;
	}
	CHECK(sum == lost - start);
}

int main(void)
{
	struct discards discards = { 0 };

	/* Where the counter began anew, what it says from then on is new. */
	CHECK(discards_count(&discards, 5000, 64, true, 0, 10000) == 5000);
	CHECK(discards_count(&discards, -5000ull, 64, true, 10000, 20000) == LOST_UNKNOWN);
	CHECK(discards_count(&discards, 70, 64, true, 20000, 30000) == 70);
	CHECK(discards_count(&discards, 5, 64, true, 30000, 40000) == 5);
	/* All that was lost had been counted. */
	CHECK(discards_count(&discards, -75ull, 64, true, 40000, 50000) == LOST_UNKNOWN);
	CHECK(discards_count(&discards, 75, 64, true, 50000, 60000) == 0);
	/* A counter that wraps. */
	CHECK(discards_count(&discards, 3 - 0xfffffffeull, 32, true, 60000, 70000) == 5);
	/* Without times, what a tracer may have lost in all is the bound. */
	CHECK(discards_count(&discards, 1ull << 40, 64, false, 0, 0) == 1ull << 40);
	CHECK(discards_count(&discards, 1ull << 60, 64, false, 0, 0) == LOST_UNKNOWN);
	add_up(64);
	add_up(32);
	return 0;
}
