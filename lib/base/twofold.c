// SPDX-License-Identifier: MIT
#include "base/twofold.h"

#include <math.h>

/* A + B; A is not the smaller one. */
static struct twofold ordered(double a, double b)
{
	double sum = a + b;

	return (struct twofold){ sum, b - (sum - a) };
}

static struct twofold sum(double a, double b)
{
	double sum = a + b, of_b = sum - a;

	return (struct twofold){ sum, (a - (sum - of_b)) + (b - of_b) };
}

struct twofold twofold_of(double value)
{
	return (struct twofold){ value, 0 };
}

struct twofold twofold_whole(__int128 value)
{
	unsigned __int128 left = value < 0 ? 0 - (unsigned __int128)value : (unsigned __int128)value;
	struct twofold whole = { 0 };

	if (left < 1ull << 53)
		return twofold_of((double)(int64_t)value);
	for (double scale = value < 0 ? -1 : 1; left; left >>= 32, scale *= 0x1p32)
		whole = twofold_add(whole, twofold_of((double)(uint32_t)left * scale));
	return whole;
}

struct twofold twofold_add(struct twofold a, struct twofold b)
{
	struct twofold high = sum(a.high, b.high), low = sum(a.low, b.low);

	high = ordered(high.high, high.low + low.high);
	return ordered(high.high, high.low + low.low);
}

struct twofold twofold_less(struct twofold a, struct twofold b)
{
	return twofold_add(a, (struct twofold){ -b.high, -b.low });
}

struct twofold twofold_times(struct twofold a, struct twofold b)
{
	double product = a.high * b.high;

	return ordered(product, fma(a.high, b.high, -product) + (a.high * b.low + a.low * b.high));
}

/* Long division: two digits, each a double. */
struct twofold twofold_over(struct twofold a, struct twofold b)
{
	struct twofold digit = twofold_of(a.high / b.high);

	a = twofold_less(a, twofold_times(b, digit));
	return ordered(digit.high, a.high / b.high);
}

struct twofold twofold_root(struct twofold a)
{
	struct twofold root = twofold_of(sqrt(a.high)), left;

	if (!(a.high > 0))
		return (struct twofold){ 0 };
	left = twofold_less(a, twofold_times(root, root));
	return twofold_add(root, twofold_of(left.high / (2 * root.high)));
}
