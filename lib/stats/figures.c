// SPDX-License-Identifier: MIT
#include "stats/figures.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"

enum {
	BUFFER = 256,		/* values that wait for being summed, where none is kept */
	SMALL = 1024,		/* values that a figure may keep however little memory is left */
};

typedef unsigned __int128 u128;

bool figures_parse(const char *name, struct figure *figure)
{
	static const struct {
		const char *name;
		struct figure is;
	} named[] = {
		{ "count", { FIGURE_COUNT, 0, 0 } }, { "sum", { FIGURE_SUM, 0, 0 } },
		{ "mean", { FIGURE_MEAN, 0, 0 } }, { "stddev", { FIGURE_STDDEV, 0, 0 } },
		{ "min", { FIGURE_MIN, 0, 0 } }, { "max", { FIGURE_MAX, 0, 0 } },
		{ "median", { FIGURE_QUANTILE, 1, 2 } }, { "rate", { FIGURE_RATE, 0, 0 } },
		{ "first", { FIGURE_FIRST, 0, 0 } }, { "last", { FIGURE_LAST, 0, 0 } },
		{ "distinct", { FIGURE_DISTINCT, 0, 0 } },
	};
	struct figure p = { .kind = FIGURE_QUANTILE, .of = 100 };
	const char *digit = name + 1;

	for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
		if (strcmp(named[i].name, name) == 0) {
			*figure = named[i].is;
			return true;
		}
	}
	/* As a fraction of whole numbers, so that no rounding moves a rank. */
	for (; *name == 'p' && *digit >= '0' && *digit <= '9' && p.rank <= 100; digit++)
		p.rank = p.rank * 10 + (uint64_t)(*digit - '0');
	if (digit == name + 1)
		return false;
	if (*digit == '.' && digit[1])
		for (digit++; *digit >= '0' && *digit <= '9' && p.of < 100000000000; digit++) {
			p.rank = p.rank * 10 + (uint64_t)(*digit - '0');
			p.of *= 10;
		}
	*figure = p;
	return *digit == '\0' && p.rank <= p.of;
}

void figures_start(struct figures_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		enum figure_kind kind = plan->figure[i].kind;

		plan->numbers |= kind >= FIGURE_SUM && kind <= FIGURE_QUANTILE;
		plan->quantiles |= kind == FIGURE_QUANTILE;
		plan->ends |= kind == FIGURE_FIRST || kind == FIGURE_LAST;
		plan->distinct |= kind == FIGURE_DISTINCT;
	}
}

/* Adds the square of a magnitude to a number of 192 bits. */
static inline void add_square(uint64_t *squares, uint64_t magnitude)
{
	u128 square = (u128)magnitude * magnitude, low = (u128)squares[1] << 64 | squares[0];

	low += square;
	squares[0] = (uint64_t)low;
	squares[1] = (uint64_t)(low >> 64);
	squares[2] += low < square;
}

static void sum_values(struct figures *f)
{
	int64_t min = INT64_MAX, max = INT64_MIN;
	uint64_t squares[3] = { 0 };
	uint32_t new = f->n - f->summed;
	__int128 sum = 0;

	if (new == 0)
		return;
	for (const int64_t *v = f->value + f->summed, *end = f->value + f->n; v < end; v++) {
		sum += *v;
		add_square(squares, *v < 0 ? 0 - (uint64_t)*v : (uint64_t)*v);
		min = *v < min ? *v : min;
		max = *v > max ? *v : max;
	}
	if (f->count == 0 || min < f->min)
		f->min = min;
	if (f->count == 0 || max > f->max)
		f->max = max;
	f->sum += sum;
	for (int i = 0, carry = 0; i < 3; i++) {
		u128 limb = (u128)f->squares[i] + squares[i] + (u128)carry;

		f->squares[i] = (uint64_t)limb;
		carry = (int)(limb >> 64);
	}
	f->count += new;
	f->summed = f->n;
}

static uint32_t kept(const struct figures *f)
{
	return f->n + (f->reals ? f->reals->keys : 0);
}

void figures_to_sketch(struct figures_plan *plan, struct figures *f)
{
	struct reals *reals = f->reals;
	size_t before;

	sum_values(f);
	if (!f->sketch) {
		f->sketch = sketch_new();
		plan->memory += sketch_bytes(f->sketch);
	}
	before = sketch_bytes(f->sketch);
	sketch_add_whole(f->sketch, f->value, f->n);
	for (uint32_t i = 0; reals && i < reals->keys; i++)
		sketch_add(f->sketch, order_real(reals->key[i]));
	plan->memory += sketch_bytes(f->sketch) - before;
	f->n = f->summed = 0;
	if (f->room > BUFFER) {
		plan->memory -= (f->room - BUFFER) * sizeof *f->value;
		f->value = memory_resize(f->value, BUFFER * sizeof *f->value);
		f->room = BUFFER;
	}
	if (reals && reals->room) {
		plan->memory -= reals->room * sizeof *reals->key;
		free(reals->key);
		reals->key = NULL;
		reals->keys = reals->room = 0;
	}
}

static void resize_values(struct figures_plan *plan, struct figures *f, uint32_t room)
{
	plan->memory += (room - f->room) * sizeof *f->value;
	f->value = memory_resize(f->value, room * sizeof *f->value);
	f->room = room;
}

/* Whether one value more may be kept for exact quantiles. */
static bool may_keep(const struct figures_plan *plan, const struct figures *f)
{
	return !f->sketch && kept(f) < plan->exact && (f->n < SMALL || plan->memory < plan->memory_kept);
}

void figures_make_room(struct figures_plan *plan, struct figures *f)
{
	uint32_t room = f->room ? f->room * 2 : 4;

	if (plan->quantiles && may_keep(plan, f)) {
		resize_values(plan, f, room < plan->exact ? room : plan->exact);
		return;
	}
	if (room <= BUFFER) {
		resize_values(plan, f, room);
		return;
	}
	if (plan->quantiles) {
		figures_to_sketch(plan, f);
		return;
	}
	sum_values(f);
	f->n = f->summed = 0;
}

struct reals *figures_reals(struct figures *f)
{
	if (!f->reals)
		f->reals = memory_zeroed(sizeof *f->reals);
	return f->reals;
}

struct ends *figures_ends(struct figures *f)
{
	if (!f->ends)
		f->ends = memory_zeroed(sizeof *f->ends);
	return f->ends;
}

struct distinct *figures_distinct(struct figures *f)
{
	if (!f->distinct)
		f->distinct = memory_zeroed(sizeof *f->distinct);
	return f->distinct;
}

void figures_keep_real(struct figures_plan *plan, struct figures *f, double value)
{
	struct reals *reals = figures_reals(f);
	size_t room = reals->room;

	if (!plan->quantiles)
		return;
	if (!may_keep(plan, f)) {
		size_t before;

		figures_to_sketch(plan, f);
		before = sketch_bytes(f->sketch);
		sketch_add(f->sketch, value);
		plan->memory += sketch_bytes(f->sketch) - before;
		return;
	}
	reals->key = memory_grow(reals->key, &room, reals->keys + 1, sizeof *reals->key);
	plan->memory += (room - reals->room) * sizeof *reals->key;
	reals->room = (uint32_t)room;
	reals->key[reals->keys++] = order_of_real(value);
}

/* Neumaier's step: what the addition of VALUE rounds away goes to the rest. */
static void add_compensated(double *sum, double *rest, double value)
{
	volatile double total = *sum + value;	/* no wider arithmetic, no reordering */

	if (fabs(*sum) >= fabs(value))
		*rest += (*sum - total) + value;
	else
		*rest += (value - total) + *sum;
	*sum = total;
}

void figures_join_reals(struct reals *to, const struct reals *from)
{
	struct twofold n = twofold_whole((__int128)to->n + from->n), share, apart, squares;

	if (from->n == 0)
		return;
	if (to->n == 0 || from->min < to->min)
		to->min = from->min;
	if (to->n == 0 || from->max > to->max)
		to->max = from->max;
	add_compensated(&to->sum, &to->rest, from->sum);
	add_compensated(&to->sum, &to->rest, from->rest);
	if (to->n == 0) {
		to->mean = from->mean;
		to->squares = from->squares;
	} else {
		share = twofold_over(twofold_whole(from->n), n);
		apart = twofold_less(from->mean, to->mean);
		squares = twofold_times(twofold_times(apart, apart), twofold_times(twofold_whole(to->n), share));
		to->mean = twofold_add(to->mean, twofold_times(apart, share));
		to->squares = twofold_add(twofold_add(to->squares, from->squares), squares);
	}
	to->n += from->n;
}

void figures_add_other(struct figures_plan *plan, struct figures *f, struct slice value)
{
	uint64_t large;
	double real;

	if (number_u64(value, &large)) {	/* above INT64_MAX, or many zeros before a small one */
		if (f->count == 0 || large < f->min)
			f->min = large;
		if (f->count == 0 || large > f->max)
			f->max = large;
		f->count++;
		f->sum += large;
		add_square(f->squares, large);
		figures_keep_real(plan, f, (double)large);
		return;
	}
	if (!number_real(value, &real)) {
		f->others++;
		return;
	}
	figures_join_reals(figures_reals(f), &(struct reals){ .n = 1, .sum = real, .min = real, .max = real,
							     .mean = twofold_of(real) });
	figures_keep_real(plan, f, real);
}

static void replace(char **text, size_t *len, size_t *room, struct slice value)
{
	*text = memory_grow(*text, room, value.len + 1, 1);
	memcpy(*text, value.at, value.len);
	*len = value.len;
}

void figures_add_text(struct figures_plan *plan, struct figures *f, struct slice value, int64_t ts)
{
	if (plan->distinct) {
		struct distinct *distinct = figures_distinct(f);
		size_t slots = distinct->slots;

		distinct_add(distinct, slice_hash(value));
		plan->memory += (distinct->slots - slots) * sizeof *distinct->slot;
	}
	if (plan->ends) {
		struct ends *ends = figures_ends(f);
		size_t room = ends->first_room + ends->last_room;

		if (!ends->any || ts < ends->first_ts) {
			replace(&ends->first, &ends->first_len, &ends->first_room, value);
			ends->first_ts = ts;
		}
		if (!ends->any || ts >= ends->last_ts) {
			replace(&ends->last, &ends->last_len, &ends->last_room, value);
			ends->last_ts = ts;
		}
		ends->any = true;
		plan->memory += ends->first_room + ends->last_room - room;
	}
}

void figures_settle(struct figures_plan *plan, struct figures *f)
{
	sum_values(f);
	if (plan->quantiles && (f->sketch || kept(f) > plan->exact))
		figures_to_sketch(plan, f);
}

/* The product of 256 bits, least first, of two numbers of 64 * N and 64 * M bits. */
static void multiply(const uint64_t *a, int n, const uint64_t *b, int m, uint64_t product[4])
{
	memset(product, 0, 4 * sizeof *product);
	for (int i = 0; i < n; i++) {
		uint64_t carry = 0;

		for (int k = 0; k < m && i + k < 4; k++) {
			u128 limb = (u128)a[i] * b[k] + product[i + k] + carry;

			product[i + k] = (uint64_t)limb;
			carry = (uint64_t)(limb >> 64);
		}
		if (i + m < 4)
			product[i + m] = carry;
	}
}

/* The sum of the squared deviations of the integers from their mean: (n * squares - sum^2) / n. */
static struct twofold deviations(const struct figures *f)
{
	u128 magnitude = f->sum < 0 ? 0 - (u128)f->sum : (u128)f->sum;
	uint64_t sum[2] = { (uint64_t)magnitude, (uint64_t)(magnitude >> 64) };
	uint64_t minuend[4], subtrahend[4], borrow = 0;
	struct twofold result = { 0 };

	if (f->count == 0)
		return result;
	multiply(f->squares, 3, &f->count, 1, minuend);
	multiply(sum, 2, sum, 2, subtrahend);
	for (int i = 0; i < 4; i++) {
		u128 limb = (u128)minuend[i] - subtrahend[i] - borrow;

		minuend[i] = (uint64_t)limb;
		borrow = (uint64_t)(limb >> 64) & 1;
	}
	for (int i = 3; i >= 0; i--)
		result = twofold_add(twofold_times(result, twofold_of(0x1p64)), twofold_whole(minuend[i]));
	return twofold_over(result, twofold_whole(f->count));
}

/* Count, mean and squared deviations of integers and other numbers together. */
static struct reals whole_of(const struct figures *f)
{
	struct reals all = { 0 }, integers = { .n = f->count };

	if (f->count) {
		integers.mean = twofold_over(twofold_whole(f->sum), twofold_whole(f->count));
		integers.squares = deviations(f);
	}
	if (f->reals)
		all = *f->reals;
	if (all.n)
		all.mean = twofold_over(twofold_add(twofold_of(all.sum), twofold_of(all.rest)),
					twofold_whole(all.n));
	figures_join_reals(&all, &integers);
	return all;
}

static struct cell extreme(const struct figures *f, bool max)
{
	double real = !f->reals ? 0 : max ? f->reals->max : f->reals->min;
	__int128 whole = max ? f->max : f->min;

	if (f->reals && f->reals->n &&
	    (f->count == 0 || (max ? real > (double)whole : real < (double)whole)))
		return cell_real(real);
	return f->count ? cell_whole(whole) : (struct cell){ 0 };
}

static struct cell sum_of(const struct figures *f)
{
	const struct reals *reals = f->reals;

	if (!reals || reals->n == 0)
		return cell_whole(f->sum);
	return cell_real(twofold_add(twofold_add(twofold_of(reals->sum), twofold_of(reals->rest)),
				     twofold_whole(f->sum)).high);
}

/* Where quantile Q of N values lies (type 7 of Hyndman and Fan, 1996): between which, and how far. */
struct place {
	uint64_t low;
	struct twofold beyond;
};

static struct place place_of(const struct figure *q, uint64_t n)
{
	u128 product = (u128)(n - 1) * q->rank;

	return (struct place){
		(uint64_t)(product / q->of),
		twofold_over(twofold_whole((__int128)(product % q->of)), twofold_whole(q->of)),
	};
}

static int by_rank(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;

	return (x > y) - (x < y);
}

/* Moves the integers to the other numbers where there are some; the number of values. */
static size_t one_kind(struct figures_plan *plan, struct figures *f)
{
	struct reals *reals = f->reals;
	size_t room;

	if (!reals || reals->keys == 0)
		return f->n;
	room = reals->room;
	reals->key = memory_grow(reals->key, &room, reals->keys + f->n, sizeof *reals->key);
	plan->memory += (room - reals->room) * sizeof *reals->key;
	reals->room = (uint32_t)room;
	for (uint32_t i = 0; i < f->n; i++)
		reals->key[reals->keys++] = order_of_real((double)f->value[i]);
	f->n = f->summed = 0;
	return reals->keys;
}

static void exact_quantiles(struct figures_plan *plan, struct figures *f, struct cell *cells)
{
	size_t n = one_kind(plan, f), rank[2 * FIGURES_MAX], ranks = 0;
	bool real = f->reals && f->reals->keys;
	int64_t *v = real ? f->reals->key : f->value;

	if (n == 0)
		return;
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->figure[i].kind != FIGURE_QUANTILE)
			continue;
		rank[ranks] = place_of(&plan->figure[i], n).low;
		if (rank[ranks++] + 1 < n) {
			rank[ranks] = rank[ranks - 1] + 1;
			ranks++;
		}
	}
	qsort(rank, ranks, sizeof *rank, by_rank);
	order_select(v, n, rank, ranks);
	for (size_t i = 0; i < plan->n; i++) {
		struct place place;
		struct twofold a, b;
		uint64_t next;

		if (plan->figure[i].kind != FIGURE_QUANTILE)
			continue;
		place = place_of(&plan->figure[i], n);
		next = place.low + (place.beyond.high > 0);
		if (v[place.low] == v[next] && !real) {
			cells[i] = cell_whole(v[place.low]);
			continue;
		}
		a = real ? twofold_of(order_real(v[place.low])) : twofold_whole(v[place.low]);
		b = real ? twofold_of(order_real(v[next])) : twofold_whole(v[next]);
		cells[i] = cell_real(twofold_add(a, twofold_times(twofold_less(b, a), place.beyond)).high);
	}
}

/*
 * Of integers, the nearest one to the estimate: exact below 128, where no bucket has two, and at most
 * the middle of the bucket beyond, so missed by no more than 1/128.
 */
static double sketched(const struct figures *f, uint64_t rank, bool whole)
{
	double value = sketch_at(f->sketch, rank);

	return whole ? rint(value) : value;
}

static void sketched_quantiles(const struct figures_plan *plan, const struct figures *f, struct cell *cells)
{
	struct cell min = extreme(f, false), max = extreme(f, true);
	bool whole = !f->reals || f->reals->n == 0;
	uint64_t n = f->sketch->n;
	double low = 0, high = 0;

	if (n == 0 || !cell_number(&min, &low) || !cell_number(&max, &high))
		return;
	for (size_t i = 0; i < plan->n; i++) {
		struct place place;
		double a, b;

		if (plan->figure[i].kind != FIGURE_QUANTILE)
			continue;
		place = place_of(&plan->figure[i], n);
		if (place.low == 0 || place.low == n - 1) {	/* these are known */
			cells[i] = place.low ? max : min;
			if (place.low == n - 1 || place.beyond.high == 0)
				continue;
		}
		a = place.low == 0 ? low : sketched(f, place.low, whole);
		b = place.low + 1 == n - 1 ? high : sketched(f, place.low + 1, whole);
		a = a < low ? low : a > high ? high : a;
		b = b < low ? low : b > high ? high : b;
		cells[i] = cell_real(a + (b - a) * place.beyond.high);
	}
}

void figures_get(struct figures_plan *plan, struct figures *f, double ns, struct cell *cells,
		 struct figures_notes *notes)
{
	struct reals all;
	uint64_t n;

	figures_settle(plan, f);
	all = whole_of(f);
	n = all.n;
	*notes = (struct figures_notes){ .sketched = f->sketch != NULL };
	for (size_t i = 0; i < plan->n; i++) {
		struct cell cell = { 0 };

		switch (plan->figure[i].kind) {
		case FIGURE_COUNT:
			cell = cell_whole((__int128)n);
			break;
		case FIGURE_SUM:
			cell = sum_of(f);
			break;
		case FIGURE_MEAN:
			if (n)
				cell = cell_real(all.mean.high);
			break;
		case FIGURE_STDDEV:
			if (n > 1)
				cell = cell_real(twofold_root(twofold_over(all.squares, twofold_whole(n - 1))).high);
			break;
		case FIGURE_MIN:
		case FIGURE_MAX:
			cell = extreme(f, plan->figure[i].kind == FIGURE_MAX);
			break;
		case FIGURE_RATE:
			if (ns > 0)
				cell = cell_real((double)n * 1e9 / ns);
			break;
		case FIGURE_FIRST:
			if (f->ends)
				cell = cell_text((struct slice){ f->ends->first, f->ends->first_len });
			break;
		case FIGURE_LAST:
			if (f->ends)
				cell = cell_text((struct slice){ f->ends->last, f->ends->last_len });
			break;
		case FIGURE_DISTINCT:
			cell = cell_whole(0);
			if (f->distinct)
				cell = cell_whole((__int128)distinct_count(f->distinct, &notes->estimated));
			break;
		case FIGURE_QUANTILE:
			break;	/* all at once below */
		}
		cells[i] = cell;
	}
	if (plan->quantiles && f->sketch)
		sketched_quantiles(plan, f, cells);
	else if (plan->quantiles)
		exact_quantiles(plan, f, cells);
}

void figures_free(struct figures_plan *plan, struct figures *f)
{
	plan->memory -= f->room * sizeof *f->value;
	free(f->value);
	if (f->sketch) {
		plan->memory -= sketch_bytes(f->sketch);
		sketch_free(f->sketch);
	}
	if (f->reals) {
		plan->memory -= f->reals->room * sizeof *f->reals->key;
		free(f->reals->key);
		free(f->reals);
	}
	if (f->ends) {
		plan->memory -= f->ends->first_room + f->ends->last_room;
		free(f->ends->first);
		free(f->ends->last);
		free(f->ends);
	}
	if (f->distinct) {
		plan->memory -= f->distinct->slots * sizeof *f->distinct->slot;
		distinct_free(f->distinct);
		free(f->distinct);
	}
	*f = (struct figures){ 0 };
}
