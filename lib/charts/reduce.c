// SPDX-License-Identifier: MIT
#include "charts/reduce.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

/* Exponents of 2 that bins tell apart, and what makes them positive. */
enum { LOWEST = -34, HIGHEST = 66, ABOVE_ZERO = 64 };

enum { POOL_BLOCK = 256 };

struct pool_block {
	struct pool_block *next;
	struct page pages[POOL_BLOCK];
};

static struct page *pool_get(struct pool *pool)
{
	struct page *page;

	if (!pool->unused) {
		struct pool_block *block = memory_get(sizeof *block);

		block->next = pool->blocks;
		pool->blocks = block;
		for (int i = 0; i < POOL_BLOCK; i++) {
			block->pages[i].next = pool->unused;
			pool->unused = &block->pages[i];
		}
	}
	page = pool->unused;
	pool->unused = page->next;
	pool->used++;
	memset(page, 0, sizeof *page);
	return page;
}

static void pool_put(struct pool *pool, struct page *page)
{
	page->next = pool->unused;
	pool->unused = page;
	pool->used--;
}

void pool_free(struct pool *pool)
{
	for (struct pool_block *next; pool->blocks; pool->blocks = next) {
		next = pool->blocks->next;
		free(pool->blocks);
	}
	*pool = (struct pool){ 0 };
}

/* The octave of VALUE, which is not 0, and the bin within: both stand in the bits of a double. */
static int32_t octave_of(double value, uint32_t *sub)
{
	uint64_t bits;
	int exponent;

	memcpy(&bits, &value, sizeof bits);
	exponent = (int)(bits >> 52 & 0x7ff) - 1023;
	*sub = (uint32_t)(bits >> 46) & (SPREAD_SUB - 1);
	if (exponent < LOWEST) {
		exponent = LOWEST;
		*sub = 0;
	} else if (exponent > HIGHEST) {
		exponent = HIGHEST;
		*sub = SPREAD_SUB - 1;
	}
	exponent += ABOVE_ZERO;
	return bits >> 63 ? -exponent : exponent;
}

static struct page *page_of(struct spread *spread, struct pool *pool, int32_t octave)
{
	struct page **link = &spread->pages, *page;

	for (; *link && (*link)->octave != octave; link = &(*link)->next)
		;
	page = *link;
	if (page) {
		*link = page->next;
	} else {
		page = pool_get(pool);
		page->octave = octave;
	}
	/* The next value is likely of the same size: its page is met first. */
	page->next = spread->pages;
	spread->pages = page;
	return page;
}

static void count(uint32_t *bin, uint64_t n)
{
	if (__builtin_add_overflow(*bin, n, bin))
		*bin = UINT32_MAX;
}

void spread_add(struct spread *spread, struct pool *pool, double value)
{
	double delta = value - spread->mean;

	if (spread->count++ == 0) {
		spread->min = spread->max = value;
	} else {
		if (value < spread->min)
			spread->min = value;
		if (value > spread->max)
			spread->max = value;
	}
	spread->mean += delta / (double)spread->count;
	spread->m2 += delta * (value - spread->mean);
	if (fabs(value) < 0x1p52 && value != (double)(int64_t)value)
		spread->fractions = true;
	if (value == 0) {
		spread->zeros++;
	} else {
		uint32_t sub;
		int32_t octave = octave_of(value, &sub);
		struct page *page = spread->pages;

		if (!page || page->octave != octave)
			page = page_of(spread, pool, octave);
		count(&page->count[sub], 1);
	}
}

/* Chan, Golub and LeVeque (1979): mean and variance of two parts together. */
void spread_merge(struct spread *into, struct spread *from, struct pool *pool)
{
	double n = (double)into->count, m = (double)from->count, delta = from->mean - into->mean;

	if (from->count == 0)
		return;
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (into->count == 0 || from->max > into->max)
		into->max = from->max;
	into->mean += delta * (m / (n + m));
	into->m2 += from->m2 + delta * delta * (n * m / (n + m));
	into->count += from->count;
	into->zeros += from->zeros;
	into->fractions |= from->fractions;
	for (struct page *page = from->pages, *next; page; page = next) {
		struct page *to = page_of(into, pool, page->octave);

		for (int i = 0; i < SPREAD_SUB; i++)
			count(&to->count[i], page->count[i]);
		next = page->next;
		pool_put(pool, page);
	}
	*from = (struct spread){ 0 };
}

static int by_octave(const void *a, const void *b)
{
	int32_t x = (*(struct page *const *)a)->octave, y = (*(struct page *const *)b)->octave;

	return (x > y) - (x < y);
}

void spread_bins(const struct spread *spread,
		 void (*take)(void *context, double low, double high, uint64_t count), void *context)
{
	struct page *page[2 * (HIGHEST - LOWEST + 1)];
	size_t n = 0;
	bool zero_is_due = spread->zeros > 0;

	for (struct page *p = spread->pages; p; p = p->next)
		page[n++] = p;
	if (n)
		qsort(page, n, sizeof *page, by_octave);
	for (size_t i = 0; i < n; i++) {
		bool negative = page[i]->octave < 0;
		double unit = ldexp(1.0 / SPREAD_SUB, abs(page[i]->octave) - ABOVE_ZERO);

		if (!negative && zero_is_due) {
			take(context, 0, 0, spread->zeros);
			zero_is_due = false;
		}
		for (int k = 0; k < SPREAD_SUB; k++) {
			int sub = negative ? SPREAD_SUB - 1 - k : k;
			double near = unit * (SPREAD_SUB + sub), far = near + unit;

			if (page[i]->count[sub])
				take(context, negative ? -far : near, negative ? -near : far,
				     page[i]->count[sub]);
		}
	}
	if (zero_is_due)
		take(context, 0, 0, spread->zeros);
}

/* The value of rank `rank`, as if those of a bin lay evenly in it. */
struct seek {
	const struct spread *spread;
	uint64_t rank, before;
	bool found;
	double value;
};

static void seek_in_bin(void *context, double low, double high, uint64_t n)
{
	struct seek *seek = context;
	double value;

	if (seek->found)
		return;
	if (seek->before + n <= seek->rank) {
		seek->before += n;
		return;
	}
	value = low + (high - low) * ((double)(seek->rank - seek->before) + 0.5) / (double)n;
	if (!seek->spread->fractions) {
		value = floor(value);
		if (value < low)
			value = ceil(low);
	}
	seek->value = fmin(fmax(value, seek->spread->min), seek->spread->max);
	seek->found = true;
}

static double ranked(const struct spread *spread, uint64_t rank)
{
	struct seek seek = { .spread = spread, .rank = rank, .value = spread->max };

	if (rank == 0)
		return spread->min;
	if (rank + 1 < spread->count)
		spread_bins(spread, seek_in_bin, &seek);
	return seek.value;
}

double spread_quantile(const struct spread *spread, double q)
{
	double h = q * (double)(spread->count - 1), whole = floor(h), low, high;

	if (spread->count == 0)
		return 0;
	low = ranked(spread, (uint64_t)whole);
	if (h == whole)
		return low;
	high = ranked(spread, (uint64_t)whole + 1);
	return low + (h - whole) * (high - low);
}

double spread_deviation(const struct spread *spread)
{
	return spread->count < 2 ? 0 : sqrt(spread->m2 / (double)(spread->count - 1));
}

/* floor(value / 2^exponent), kept where an int64 can hold it and its neighbours. */
static int64_t linear_at(double value, int exponent)
{
	return (int64_t)floor(ldexp(value, -exponent));
}

static void linear_fit(struct linear *linear, double value)
{
	int exponent = linear->exponent, shift;
	int64_t low, high, first;
	uint64_t *old = linear->count;

	/* Beyond 2^53 widths the index would not be exact. */
	while (fabs(value) >= ldexp(1, exponent + 53))
		exponent++;
	shift = exponent - linear->exponent;
	low = linear->low >> (shift > 62 ? 62 : shift);
	high = linear->high >> (shift > 62 ? 62 : shift);
	for (;; exponent++, shift++, low >>= 1, high >>= 1) {
		int64_t at = linear_at(value, exponent);
		int64_t from = at < low ? at : low, to = at > high ? at : high;

		if (to - from < LINEAR_BINS) {
			low = from;
			high = to;
			break;
		}
	}
	/* Room on both sides, more where the values went. */
	first = low - (LINEAR_BINS - 1 - (high - low)) / 2;
	linear->count = memory_zeroed(LINEAR_BINS * sizeof *old);
	for (int64_t at = linear->low; at <= linear->high; at++)
		linear->count[(at >> (shift > 62 ? 62 : shift)) - first] += old[at - linear->first];
	free(old);
	linear->exponent = exponent;
	linear->first = first;
	linear->low = low;
	linear->high = high;
}

void linear_add(struct linear *linear, double value)
{
	int64_t at;

	if (!linear->count) {
		linear->exponent = value != 0 ? ilogb(value) - 51 : -60;
		if (linear->exponent < -1000)
			linear->exponent = -1000;
		linear->count = memory_zeroed(LINEAR_BINS * sizeof *linear->count);
		linear->low = linear->high = linear_at(value, linear->exponent);
		linear->first = linear->low - LINEAR_BINS / 2;
	}
	if (fabs(value) >= ldexp(1, linear->exponent + 53))
		linear_fit(linear, value);
	at = linear_at(value, linear->exponent);
	if (at < linear->first || at - linear->first >= LINEAR_BINS) {
		linear_fit(linear, value);
		at = linear_at(value, linear->exponent);
	}
	if (at < linear->low)
		linear->low = at;
	if (at > linear->high)
		linear->high = at;
	linear->count[at - linear->first]++;
	linear->total++;
}

struct window window_coarser(const struct window *old, int shift)
{
	struct window new = *old;

	if (shift <= old->shift)
		return new;
	new.shift = shift;
	new.low = old->low >> (shift - old->shift);
	new.high = old->high >> (shift - old->shift);
	new.first = new.low;
	return new;
}

struct window window_fit(const struct window *old, int64_t x)
{
	struct window new = *old;
	int64_t at;

	if (!old->any)
		return (struct window){ .any = true, .first = x, .low = x, .high = x };
	for (;; new = window_coarser(&new, new.shift + 1)) {
		at = x >> new.shift;
		if (at < new.low)
			new.low = at;
		if (at > new.high)
			new.high = at;
		if ((uint64_t)new.high - (uint64_t)new.low < WINDOW_COLUMNS)
			break;
		/* Too far apart at this width: the bounds are computed anew at the next. */
	}
	new.first = new.low;
	return new;
}

static void remap_columns(struct columns *columns, struct pool *pool, struct window new)
{
	struct column *old = columns->at;
	struct window from = columns->window;
	int low = (int)(from.low - from.first), high = (int)(from.high - from.first);

	columns->window = new;
	columns->at = memory_zeroed(WINDOW_COLUMNS * sizeof *columns->at);
	for (int c = low; from.any && c <= high; c++) {
		struct column *to = &columns->at[window_map(&from, &new, c)];

		for (int s = 0; s < COLUMNS_SERIES; s++) {
			struct spread *spread = old[c].series[s];

			if (!spread)
				continue;
			if (!to->series[s]) {
				to->series[s] = spread;
				continue;
			}
			spread_merge(to->series[s], spread, pool);
			free(spread);
		}
	}
	free(old);
}

void columns_coarsen(struct columns *columns, struct pool *pool, int shift)
{
	if (columns->window.any && shift > columns->window.shift)
		remap_columns(columns, pool, window_coarser(&columns->window, shift));
}

void columns_add(struct columns *columns, struct pool *pool, int64_t x, int series, double value)
{
	int c = window_column(&columns->window, x);
	struct spread **spread;

	if (c < 0) {
		remap_columns(columns, pool, window_fit(&columns->window, x));
		c = window_column(&columns->window, x);
	}
	spread = &columns->at[c].series[series];
	if (!*spread)
		*spread = memory_zeroed(sizeof **spread);
	spread_add(*spread, pool, value);
	if (pool->used > COLUMNS_BUDGET && window_used(&columns->window) > 32)
		columns_coarsen(columns, pool, columns->window.shift + 1);
}

void columns_merge(struct columns *columns, struct pool *pool, int into, int from)
{
	for (int c = 0; columns->at && c < WINDOW_COLUMNS; c++) {
		struct spread **series = columns->at[c].series;

		if (!series[from])
			continue;
		if (!series[into]) {
			series[into] = series[from];
		} else {
			spread_merge(series[into], series[from], pool);
			free(series[from]);
		}
		series[from] = NULL;
	}
}

void columns_free(struct columns *columns)
{
	for (int c = 0; columns->at && c < WINDOW_COLUMNS; c++)
		for (int s = 0; s < COLUMNS_SERIES; s++)
			free(columns->at[c].series[s]);
	free(columns->at);
	columns->at = NULL;
}

void flows_settle(struct flows *flows)
{
	int64_t open[COLUMNS_SERIES] = { 0 };

	for (int c = 0; flows->at && c < WINDOW_COLUMNS; c++) {
		struct flow *flow = &flows->at[c];

		for (int s = 0; s < COLUMNS_SERIES; s++) {
			open[s] += flow->open[s];
			flow->open[s] = 0;
			flow->sum[s] += (uint64_t)open[s] << flows->window.shift;
		}
	}
}

static void remap_flows(struct flows *flows, struct window new)
{
	struct flow *old;
	struct window from = flows->window;
	int low = (int)(from.low - from.first), high = (int)(from.high - from.first);

	/* What fills whole columns is counted in columns of the old width. */
	flows_settle(flows);
	old = flows->at;
	flows->window = new;
	flows->at = memory_zeroed(WINDOW_COLUMNS * sizeof *flows->at);
	for (int c = low; from.any && c <= high; c++) {
		struct flow *to = &flows->at[window_map(&from, &new, c)];

		for (int s = 0; s < COLUMNS_SERIES; s++)
			to->sum[s] += old[c].sum[s];
	}
	free(old);
}

static int flows_column(struct flows *flows, int64_t x)
{
	int c = window_column(&flows->window, x);

	if (c >= 0)
		return c;
	remap_flows(flows, window_fit(&flows->window, x));
	return window_column(&flows->window, x);
}

void flows_count(struct flows *flows, int64_t x, int series)
{
	int c = flows_column(flows, x);		/* may move what `at` is */

	flows->at[c].sum[series]++;
}

void flows_span(struct flows *flows, int64_t begin, int64_t end, int series)
{
	int to = flows_column(flows, end), from = flows_column(flows, begin);

	/* Room for the begin may have moved the end. */
	to = window_column(&flows->window, end);
	if (from == to) {
		flows->at[from].sum[series] += (uint64_t)end - (uint64_t)begin;
		return;
	}
	flows->at[from].sum[series] += (uint64_t)window_start(&flows->window, from + 1) - (uint64_t)begin;
	flows->at[to].sum[series] += (uint64_t)end - (uint64_t)window_start(&flows->window, to);
	flows->at[from + 1].open[series]++;
	flows->at[to].open[series]--;
}

void flows_coarsen(struct flows *flows, int shift)
{
	if (flows->window.any && shift > flows->window.shift)
		remap_flows(flows, window_coarser(&flows->window, shift));
}

void flows_merge(struct flows *flows, int into, int from)
{
	for (int c = 0; flows->at && c < WINDOW_COLUMNS; c++) {
		struct flow *flow = &flows->at[c];

		flow->sum[into] += flow->sum[from];
		flow->open[into] += flow->open[from];
		flow->sum[from] = 0;
		flow->open[from] = 0;
	}
}

void flows_free(struct flows *flows)
{
	free(flows->at);
	flows->at = NULL;
}
