// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <time.h>

uint64_t clock_monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t clock_epoch(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_monotonic_epoch(void)
{
	uint64_t best = UINT64_MAX;
	int64_t epoch = 0;

	for (int i = 0; i < 10; i++) {
		uint64_t before = clock_monotonic();
		int64_t now = clock_epoch();
		uint64_t took = clock_monotonic() - before;

		if (took < best) {
			best = took;
			epoch = now - (int64_t)(before + took / 2);
		}
	}
	return epoch;
}
