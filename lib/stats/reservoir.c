// SPDX-License-Identifier: MIT
#include "stats/reservoir.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"

void reservoir_free(struct reservoir *r)
{
	free(r->value);
	free(r->tag);
	*r = (struct reservoir){ 0 };
}

/* Sums of distances from the first value: so the sums of squares do not cancel. */
static void note_order(struct reservoir *r, double value)
{
	/* The bits of a double approximate its logarithm: exponent and, linearly, mantissa. */
	double x = copysign((double)(order_of_real(1 + fabs(value)) - order_of_real(1)) * 0x1p-52, value);

	if (r->seen == 0)
		r->first = x;
	x -= r->first;
	r->sum += x;
	r->squares += x * x;
	if (r->seen)
		r->products += x * r->last;
	r->last = x;
}

void reservoir_add(struct reservoir *r, size_t limit, double value, bool tagged, int64_t tag)
{
	size_t place = r->n;

	note_order(r, value);
	r->seen++;
	if (r->n < limit) {
		r->n++;
		r->value = memory_grow(r->value, &r->value_room, r->n, sizeof *r->value);
		if (tagged)
			r->tag = memory_grow(r->tag, &r->tag_room, r->n, sizeof *r->tag);
	} else {
		uint64_t drawn = random_below(&r->random, r->seen);

		if (drawn >= limit)
			return;
		place = (size_t)drawn;
	}
	r->value[place] = value;
	if (tagged)
		r->tag[place] = tag;
}

struct tagged {
	double value;
	int64_t tag;
};

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int by_value_and_tag(const void *a, const void *b)
{
	const struct tagged *x = a, *y = b;
	int order = by_value(&x->value, &y->value);

	return order ? order : (x->tag > y->tag) - (x->tag < y->tag);
}

void reservoir_sort(struct reservoir *r)
{
	struct tagged *pairs;

	if (!r->tag) {
		if (r->n)
			qsort(r->value, r->n, sizeof *r->value, by_value);
		return;
	}
	pairs = memory_get(r->n * sizeof *pairs);
	for (size_t i = 0; i < r->n; i++)
		pairs[i] = (struct tagged){ r->value[i], r->tag[i] };
	qsort(pairs, r->n, sizeof *pairs, by_value_and_tag);
	for (size_t i = 0; i < r->n; i++) {
		r->value[i] = pairs[i].value;
		r->tag[i] = pairs[i].tag;
	}
	free(pairs);
}

double reservoir_dependence(const struct reservoir *r)
{
	double n = (double)r->seen, mean = r->sum / n, variance, covariance;

	if (r->seen < 3)
		return 0;
	variance = r->squares / n - mean * mean;
	/* The sum without the last, plus the sum without the first, whose x is 0. */
	covariance = (r->products - mean * (2 * r->sum - r->last) + (n - 1) * mean * mean) / n;
	return variance > 0 ? covariance / variance : 0;
}

size_t reservoir_bytes(const struct reservoir *r)
{
	return r->value_room * sizeof *r->value + r->tag_room * sizeof *r->tag;
}
