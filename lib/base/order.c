// SPDX-License-Identifier: MIT
#include "base/order.h"

#include <stdlib.h>

enum { FEW = 24 };

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void insertion_sort(int64_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int64_t x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

static int64_t middle(int64_t a, int64_t b, int64_t c)
{
	if (a > b) {
		int64_t t = a;

		a = b;
		b = t;
	}
	return c < a ? a : c > b ? b : c;
}

/* A value near the median: of three, of nine where there are many. */
static int64_t pivot_of(const int64_t *v, size_t n)
{
	size_t step = n / 8;

	if (n < 200)
		return middle(v[0], v[n / 2], v[n - 1]);
	return middle(middle(v[0], v[step], v[2 * step]), middle(v[3 * step], v[4 * step], v[5 * step]),
		      middle(v[6 * step], v[7 * step], v[n - 1]));
}

/* Moves what is below PIVOT (or, with EQUAL, not above it) to the front, without branches; how many. */
static size_t partition(int64_t *v, size_t n, int64_t pivot, bool equal)
{
	size_t front = 0;
	int64_t bound = equal ? pivot + 1 : pivot;

	for (size_t i = 0; i < n; i++) {
		int64_t x = v[i];

		v[i] = v[front];
		v[front] = x;
		front += x < bound;
	}
	return front;
}

static void select_within(int64_t *v, size_t n, const size_t *ranks, size_t ranks_n, size_t offset, int depth)
{
	while (ranks_n) {
		size_t front, left = 0;
		int64_t pivot;

		if (n <= FEW) {
			insertion_sort(v, n);
			return;
		}
		if (depth-- == 0) {	/* somebody chose the values against the choice of pivots */
			qsort(v, n, sizeof *v, by_value);
			return;
		}
		pivot = pivot_of(v, n);
		front = partition(v, n, pivot, false);
		if (front == 0) {
			/* The pivot is the smallest: what equals it is in its place, however much it is. */
			if (pivot == INT64_MAX)
				return;
			front = partition(v, n, pivot, true);
			while (ranks_n && *ranks < offset + front) {
				ranks++;
				ranks_n--;
			}
		}
		while (left < ranks_n && ranks[left] < offset + front)
			left++;
		select_within(v, front, ranks, left, offset, depth);
		v += front;
		n -= front;
		offset += front;
		ranks += left;
		ranks_n -= left;
	}
}

void order_select(int64_t *values, size_t n, const size_t *ranks, size_t ranks_n)
{
	int depth = 8;

	for (size_t k = n; k; k >>= 1)
		depth += 2;
	select_within(values, n, ranks, ranks_n, 0, depth);
}
