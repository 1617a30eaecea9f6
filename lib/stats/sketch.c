// SPDX-License-Identifier: MIT
#include "stats/sketch.h"

#include <stdlib.h>

#include "base/memory.h"

enum { SHIFT = 52 - SKETCH_BITS, SLACK = 32 };

struct sketch *sketch_new(void)
{
	return memory_zeroed(sizeof(struct sketch));
}

void sketch_free(struct sketch *s)
{
	if (!s)
		return;
	free(s->above.count);
	free(s->below.count);
	free(s);
}

/* The number of the bucket of a positive double; those of subnormal ones are below FIRST. */
enum { FIRST = 1 << SKETCH_BITS };

static inline uint32_t number_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof bits);
	return (uint32_t)(bits >> SHIFT);
}

/* The lower end of a bucket. */
static double end_of(uint32_t number)
{
	uint64_t bits = (uint64_t)number << SHIFT;
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static double estimate(uint32_t number)
{
	double a = end_of(number), b = number + 1 < SKETCH_NUMBERS ? end_of(number + 1) : a;

	/* Not 2ab/(a+b), which may overflow. */
	return a + (b - a) * (a / b) / (1 + a / b);
}

/*
 * Makes the buckets from LOW to HIGH, both included, present, unless that would be too many: then the
 * lowest are folded into one.
 */
static void cover(struct sketch_side *side, uint32_t low, uint32_t high)
{
	uint64_t *count;
	uint32_t n;

	if (side->n) {
		low = low < side->low ? low : side->low;
		high = high > side->low + side->n - 1 ? high : side->low + side->n - 1;
	}
	if (high - low >= SKETCH_BUCKETS) {
		/* What is above the highest value met is slack, not data. */
		high = high > side->top ? side->top : high;
		if (high - low >= SKETCH_BUCKETS)
			low = high - SKETCH_BUCKETS + 1;
	}
	n = high - low + 1;
	count = memory_zeroed(n * sizeof *count);
	for (uint32_t i = 0; i < side->n; i++) {
		uint32_t number = side->low + i;

		if (number <= high)
			count[number > low ? number - low : 0] += side->count[i];
	}
	free(side->count);
	*side = (struct sketch_side){ .count = count, .low = low, .n = n, .top = side->top };
}

static void add_outside(struct sketch_side *side, uint32_t number, uint64_t times)
{
	if (number > side->top)
		side->top = number;
	if (side->n && number < side->low && side->top - side->low + 1 >= SKETCH_BUCKETS) {
		side->count[0] += times;
		return;
	}
	cover(side, number > SLACK ? number - SLACK : 0,
	      number < SKETCH_NUMBERS - SLACK ? number + SLACK : SKETCH_NUMBERS - 1);
	side->count[number > side->low ? number - side->low : 0] += times;
}

static inline void add_to(struct sketch_side *side, uint32_t number, uint64_t times)
{
	if (number > side->top)
		side->top = number;
	if (__builtin_expect(number - side->low < side->n, 1))
		side->count[number - side->low] += times;
	else
		add_outside(side, number, times);
}

void sketch_add_bucket(struct sketch *s, struct sketch_side *side, uint32_t number, uint64_t count)
{
	add_to(side, number, count);
	s->n += count;
}

void sketch_add(struct sketch *s, double value)
{
	uint32_t number = number_of(value < 0 ? -value : value);

	s->n++;
	if (value == 0 || number < FIRST)
		s->zeros++;
	else
		add_to(value < 0 ? &s->below : &s->above, number, 1);
}

void sketch_add_whole(struct sketch *s, const int64_t *values, size_t n)
{
	s->n += n;
	for (size_t i = 0; i < n; i++) {
		int64_t v = values[i];

		if (__builtin_expect(v > 0, 1))
			add_to(&s->above, number_of((double)v), 1);
		else if (v < 0)
			add_to(&s->below, number_of(-(double)v), 1);
		else
			s->zeros++;
	}
}

double sketch_at(const struct sketch *s, uint64_t rank)
{
	uint64_t before = 0;

	for (uint32_t i = s->below.n; i-- > 0;) {
		before += s->below.count[i];
		if (rank < before)
			return -estimate(s->below.low + i);
	}
	before += s->zeros;
	if (rank < before)
		return 0;
	for (uint32_t i = 0; i < s->above.n; i++) {
		before += s->above.count[i];
		if (rank < before)
			return estimate(s->above.low + i);
	}
	return 0;
}

size_t sketch_bytes(const struct sketch *s)
{
	return sizeof *s + ((size_t)s->above.n + s->below.n) * sizeof(uint64_t);
}
