/* SPDX-License-Identifier: MIT */
/*
 * Numbers of some 31 digits, each the sum of two doubles that do not overlap (Dekker, Numerische Mathematik 18,
 * 1971; Knuth, The Art of Computer Programming 2, 4.2.2). They are the same to the last bit on every machine; a
 * long double has 64 bits on one, 113 on another. Results are within a few units of the 104th bit; their range is
 * that of a double, and what exceeds it is not finite. Costs 3 to 20 ns an operation.
 */
#ifndef WEIR_TWOFOLD_H
#define WEIR_TWOFOLD_H

#include <stdint.h>

/* `high` is the double next to the number. */
struct twofold {
	double high, low;
};

struct twofold twofold_of(double value);
struct twofold twofold_whole(__int128 value);	/* exactly, up to 2^96 */

struct twofold twofold_add(struct twofold a, struct twofold b);
struct twofold twofold_less(struct twofold a, struct twofold b);	/* a - b */
struct twofold twofold_times(struct twofold a, struct twofold b);
struct twofold twofold_over(struct twofold a, struct twofold b);	/* a / b */
struct twofold twofold_root(struct twofold a);	/* of what is below 0: 0 */

#endif
