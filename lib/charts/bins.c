// SPDX-License-Identifier: MIT
#include "charts/bins.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static struct bins log_bins(const struct sample *sample, int per_decade)
{
	double low = floor(log10(sample->y_least) * per_decade), high = log10(sample->y_max) * per_decade;
	struct bins bins = { .zeros = sample->zeros };

	bins.n = (size_t)(floor(high) - low) + 1;
	bins.edge = memory_get((bins.n + 2) * sizeof *bins.edge);
	/* Rounding must not put the extremes outside. */
	for (size_t i = 0; i <= bins.n + 1; i++)
		bins.edge[i] = pow(10, (low + (double)i) / per_decade);
	while (bins.edge[bins.n] <= sample->y_max)
		bins.edge[++bins.n] = sample->y_max * 1.000001;
	if (bins.edge[0] > sample->y_least)
		bins.edge[0] = sample->y_least;
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	return bins;
}

/* So close together that numbers in a script would not tell them apart. */
static bool is_one_value(const struct sample *sample)
{
	double half = sample->y_max / 2 - sample->y_min / 2;

	return half <= 1e-12 * fmax(fabs(sample->y_min), fabs(sample->y_max));
}

static struct bins even_bins(const struct sample *sample, size_t about)
{
	double span = sample->y_max / 2 - sample->y_min / 2, step, from;
	struct bins bins = { 0 };

	step = !is_one_value(sample) ? span * 2 / (double)about : fmax(fabs(sample->y_min) / 10, 1);
	step = exp2(ceil(log2(step)));
	from = floor(sample->y_min / step) * step;
	bins.n = (size_t)floor((sample->y_max - from) / step) + 1;
	bins.edge = memory_get((bins.n + 1) * sizeof *bins.edge);
	for (size_t i = 0; i <= bins.n; i++)
		bins.edge[i] = from + (double)i * step;
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	return bins;
}

/* Shares COUNT values of [LOW, HIGH) out to the bins that overlap it: whole numbers that sum up. */
static void put(void *context, double low, double high, uint64_t count)
{
	struct bins *bins = context;
	size_t first = 0, last = bins->n;
	double before = 0;

	if (low == 0 && high == 0 && bins->zeros)
		return;
	while (last - first > 1) {
		size_t middle = (first + last) / 2;

		if (bins->edge[middle] <= low)
			first = middle;
		else
			last = middle;
	}
	for (size_t b = first; count > 0; b++) {
		double share = high > low ? (fmin(high, bins->edge[b + 1]) - low) / (high - low) : 1;
		uint64_t n = b + 1 == bins->n || bins->edge[b + 1] >= high ? count :
			     (uint64_t)llround((share - before) / (1 - before) * (double)count);

		if (n > count)
			n = count;
		bins->count[b] += n;
		count -= n;
		before = share;
	}
}

/* The linear bins as they were gathered, K of them together. */
static struct bins gathered_bins(const struct linear *linear, size_t about)
{
	struct bins bins = { 0 };
	int shift = 0;

	while ((size_t)((linear->high >> shift) - (linear->low >> shift)) >= about)
		shift++;
	bins.n = (size_t)((linear->high >> shift) - (linear->low >> shift)) + 1;
	bins.edge = memory_get((bins.n + 1) * sizeof *bins.edge);
	bins.count = memory_zeroed(bins.n * sizeof *bins.count);
	for (size_t i = 0; i <= bins.n; i++)
		bins.edge[i] = ldexp((double)((linear->low >> shift) + (int64_t)i), linear->exponent + shift);
	for (int64_t at = linear->low; at <= linear->high; at++)
		bins.count[(at >> shift) - (linear->low >> shift)] += linear->count[at - linear->first];
	return bins;
}

struct bins bins_of(const struct sample *sample, const struct axis *axis, size_t most)
{
	double decades = log10(axis->high) - log10(axis->low);
	size_t about = (size_t)(4 * cbrt((double)sample->count));
	struct bins bins;

	about = about < 12 ? 12 : about > 64 ? 64 : about;
	if (about > most)
		about = most;
	if (axis->log) {
		int per_decade = (int)((double)about / decades);

		bins = log_bins(sample, per_decade < 1 ? 1 : per_decade > 20 ? 20 : per_decade);
	} else if (sample->exact || is_one_value(sample)) {
		bins = even_bins(sample, about);
	} else {
		return gathered_bins(&sample->linear, about);
	}
	if (!sample->exact)
		spread_bins(sample->grouped ? &sample->all : &sample->spread[1], put, &bins);
	for (uint64_t i = 0; sample->exact && i < sample->count; i++)
		put(&bins, sample->points[i].y, sample->points[i].y, 1);
	return bins;
}

void bins_free(struct bins *bins)
{
	free(bins->edge);
	free(bins->count);
}
