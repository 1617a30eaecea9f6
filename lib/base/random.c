// SPDX-License-Identifier: MIT
#include "base/random.h"

#include <math.h>

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct random random_start(uint64_t seed, uint64_t stream)
{
	uint64_t state = seed;
	struct random random;

	state = splitmix(&state) ^ stream;
	for (int i = 0; i < 4; i++)
		random.state[i] = splitmix(&state);
	return random;
}

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

uint64_t random_bits(struct random *random)
{
	uint64_t *s = random->state, bits = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return bits;
}

uint64_t random_below(struct random *random, uint64_t n)
{
	unsigned __int128 product = (unsigned __int128)random_bits(random) * n;

	if ((uint64_t)product < n) {
		uint64_t least = -n % n;	/* 2^64 mod n: so many products would be one too many */

		while ((uint64_t)product < least)
			product = (unsigned __int128)random_bits(random) * n;
	}
	return (uint64_t)(product >> 64);
}

double random_unit(struct random *random)
{
	return ((double)(random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

/* Standard normal: Marsaglia's polar method. */
static double normal(struct random *random)
{
	double x, y, r;

	do {
		x = 2 * random_unit(random) - 1;
		y = 2 * random_unit(random) - 1;
		r = x * x + y * y;
	} while (r >= 1 || r == 0);
	return x * sqrt(-2 * log(r) / r);
}

static double gamma_variate(struct random *random, double shape)
{
	double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);

	for (;;) {
		double x = normal(random), v = 1 + c * x;

		if (v <= 0)
			continue;
		v = v * v * v;
		if (log(random_unit(random)) < 0.5 * x * x + d - d * v + d * log(v))
			return d * v;
	}
}

double random_beta(struct random *random, double a, double b)
{
	double x = gamma_variate(random, a);

	return x / (x + gamma_variate(random, b));
}
