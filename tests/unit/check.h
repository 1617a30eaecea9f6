/* SPDX-License-Identifier: MIT */
/* For the unit tests: a check that ends the program, and random numbers that are the same each time. */
#ifndef WEIR_CHECK_H
#define WEIR_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
			exit(1); \
		} \
	} while (0)

/* xorshift64*, by Marsaglia and Vigna. */
static inline uint64_t random_bits(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 2685821657736338717u;
}

#endif
