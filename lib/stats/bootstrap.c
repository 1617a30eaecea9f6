// SPDX-License-Identifier: MIT
#include "stats/bootstrap.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* LOW where FRACTION is 0, HIGH where it is 1. */
static double between(double low, double high, double fraction)
{
	return fraction == 0 || low == high ? low : low + (high - low) * fraction;
}

static double quantile(const double *value, size_t n, double q)
{
	double place = (double)(n - 1) * q;
	size_t below = (size_t)place;

	return between(value[below], value[below + 1 < n ? below + 1 : below], place - (double)below);
}

double bootstrap_quantile(const struct sample *sample, double q)
{
	return quantile(sample->value, sample->n, q);
}

/* The value at the uniform number X. */
static double value_at(const struct sample *sample, double x)
{
	size_t place = (size_t)((double)sample->n * x);

	return sample->value[place < sample->n ? place : sample->n - 1];
}

/* The quantile of a sample drawn anew. */
static double drawn(struct random *random, const struct sample *sample, double q)
{
	double n = (double)sample->n, place = (n - 1) * q, k = floor(place);
	double x = random_beta(random, k + 1, n - k), low = value_at(sample, x);

	if (place == k)
		return low;
	/* Of the n-k-1 numbers above x, the smallest. */
	x = 1 - (1 - x) * pow(random_unit(random), 1 / (n - k - 1));
	return between(low, value_at(sample, x), place - k);
}

/* The same of whole blocks. WEIGHT has room for sample->blocks. */
static double drawn_blocks(struct random *random, const struct sample *sample, double q, uint32_t *weight)
{
	uint64_t total = 0, seen = 0, below;
	double place, low = 0;
	size_t i = 0;

	memset(weight, 0, sample->blocks * sizeof *weight);
	for (size_t k = 0; k < sample->blocks; k++)
		weight[random_below(random, sample->blocks)]++;
	for (size_t k = 0; k < sample->n; k++)
		total += weight[sample->block[k]];
	place = (double)(total - 1) * q;
	below = (uint64_t)place;
	for (; seen <= below; i++) {
		seen += weight[sample->block[i]];
		low = sample->value[i];
	}
	if (seen > below + 1 || below + 1 >= total)
		return low;
	while (weight[sample->block[i]] == 0)
		i++;
	return between(low, sample->value[i], place - (double)below);
}

static double ratio(double a, double b)
{
	return a == b ? 1 : a == 0 ? INFINITY : b / a;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct interval middle(double *ratios, size_t count, double confidence)
{
	struct interval interval;

	qsort(ratios, count, sizeof *ratios, by_size);
	interval.low = quantile(ratios, count, (1 - confidence) / 2);
	interval.high = quantile(ratios, count, (1 + confidence) / 2);
	free(ratios);
	return interval;
}

struct interval bootstrap_ratio(struct random *random, const struct sample *a, const struct sample *b,
				double q, double confidence, size_t count)
{
	double *ratios = memory_get(count * sizeof *ratios);

	for (size_t i = 0; i < count; i++) {
		double of_a = drawn(random, a, q);

		ratios[i] = ratio(of_a, drawn(random, b, q));
	}
	return middle(ratios, count, confidence);
}

struct interval bootstrap_ratio_blocks(struct random *random, const struct sample *a, const struct sample *b,
				       double q, double confidence, size_t count)
{
	size_t most = a->blocks > b->blocks ? a->blocks : b->blocks;
	double *ratios = memory_get(count * sizeof *ratios);
	uint32_t *weight = memory_get(most * sizeof *weight);

	for (size_t i = 0; i < count; i++) {
		double of_a = drawn_blocks(random, a, q, weight);

		ratios[i] = ratio(of_a, drawn_blocks(random, b, q, weight));
	}
	free(weight);
	return middle(ratios, count, confidence);
}
