// SPDX-License-Identifier: MIT
#include "charts/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

enum { OTHER, FIRST_SLOT };

void sample_init(struct sample *sample, unsigned wants, bool grouped, bool by_sum)
{
	*sample = (struct sample){
		.wants = wants,
		.grouped = grouped,
		.by_sum = by_sum,
		.exact = true,
		.names = intern_new(),
		.groups = memory_zeroed((SAMPLE_GROUPS + 1) * sizeof *sample->groups),
	};
	for (int s = 0; s < COLUMNS_SERIES; s++)
		sample->slot_group[s] = -1;
}

static uint32_t group_id(struct sample *sample, struct slice name)
{
	uint32_t id;

	if (!sample->grouped)
		return 0;
	if (name.len > SAMPLE_NAME)
		name.len = SAMPLE_NAME;
	if (intern_count(sample->names) < SAMPLE_GROUPS)
		return intern_id(sample->names, name);
	id = intern_find(sample->names, name);
	return id == UINT32_MAX ? SAMPLE_GROUPS : id;
}

static double weight(const struct sample *sample, uint32_t group)
{
	const struct group *g = &sample->groups[group];

	return sample->by_sum ? g->sum : (double)g->count;
}

static void take_slot(struct sample *sample, uint32_t group, int slot, bool partial)
{
	sample->groups[group].slot = slot;
	sample->slot_group[slot] = (int)group;
	sample->slot_partial[slot] = partial;
}

static void merge_slot(struct sample *sample, int into, int from)
{
	spread_merge(&sample->spread[into], &sample->spread[from], &sample->pool);
	columns_merge(&sample->columns, &sample->pool, into, from);
	flows_merge(&sample->flows, into, from);
}

/*
 * The slot for a group that has none. A free one is its own; a taken one becomes so when the group has
 * grown by a quarter larger than the smallest that has one, which keeps them from taking turns.
 */
static int contest(struct sample *sample, uint32_t group)
{
	const struct group *g = &sample->groups[group];
	int smallest = 0;
	double least = HUGE_VAL;

	if (group == SAMPLE_GROUPS)
		return OTHER;
	for (int s = FIRST_SLOT; s < COLUMNS_SERIES; s++) {
		if (sample->slot_group[s] < 0) {
			take_slot(sample, group, s, g->count > 1);
			return s;
		}
		if (weight(sample, (uint32_t)sample->slot_group[s]) < least) {
			least = weight(sample, (uint32_t)sample->slot_group[s]);
			smallest = s;
		}
	}
	if (weight(sample, group) < 1.25 * least)
		return OTHER;
	sample->groups[sample->slot_group[smallest]].slot = OTHER;
	merge_slot(sample, OTHER, smallest);
	take_slot(sample, group, smallest, true);
	return smallest;
}

static inline int slot_of(struct sample *sample, uint32_t group)
{
	int slot = sample->groups[group].slot;

	return slot != OTHER ? slot : contest(sample, group);
}

static void reduce(struct sample *sample, int64_t x, double y, uint32_t group)
{
	int slot = slot_of(sample, group);

	if (sample->wants & SAMPLE_COLUMNS)
		columns_add(&sample->columns, &sample->pool, x, slot, y);
	if (sample->wants & SAMPLE_SPREAD)
		spread_add(&sample->spread[slot], &sample->pool, y);
	if ((sample->wants & SAMPLE_SPREAD) && sample->grouped)
		spread_add(&sample->all, &sample->pool, y);
	if (sample->wants & SAMPLE_LINEAR)
		linear_add(&sample->linear, y);
}

/* Groups by weight, descending, then by name. */
static struct sample *ranked;
static int by_weight(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	double wx = weight(ranked, x), wy = weight(ranked, y);

	if (wx != wy)
		return wx > wy ? -1 : 1;
	return slice_compare(intern_text(ranked->names, x), intern_text(ranked->names, y));
}

uint32_t *sample_rank(struct sample *sample, uint32_t *n)
{
	uint32_t *order;

	*n = sample->grouped ? intern_count(sample->names) : 1;
	order = memory_get(*n * sizeof *order);
	for (uint32_t i = 0; i < *n; i++)
		order[i] = i;
	ranked = sample;
	if (*n > 1)
		qsort(order, *n, sizeof *order, by_weight);
	return order;
}

static void pour(struct sample *sample)
{
	uint32_t n, *order = sample_rank(sample, &n);

	sample->exact = false;
	for (uint32_t i = 0; i < n && i < COLUMNS_SERIES - FIRST_SLOT; i++)
		take_slot(sample, order[i], FIRST_SLOT + (int)i, false);
	for (uint64_t i = 0; i < SAMPLE_EXACT; i++)
		reduce(sample, sample->points[i].x, sample->points[i].y, sample->points[i].group);
	free(sample->points);
	sample->points = NULL;
	free(order);
}

static uint32_t note(struct sample *sample, int64_t x, double y, struct slice name)
{
	uint32_t group = group_id(sample, name);

	if (sample->count++ == 0) {
		sample->x_min = sample->x_max = x;
		sample->y_min = sample->y_max = y;
	}
	if (x < sample->x_min)
		sample->x_min = x;
	if (x > sample->x_max)
		sample->x_max = x;
	if (y < sample->y_min)
		sample->y_min = y;
	if (y > sample->y_max)
		sample->y_max = y;
	if (y > 0 && (sample->y_least == 0 || y < sample->y_least))
		sample->y_least = y;
	sample->zeros += y == 0;
	sample->groups[group].count++;
	sample->groups[group].sum += y;
	return group;
}

void sample_add(struct sample *sample, int64_t x, double y, struct slice name)
{
	uint32_t group = note(sample, x, y, name);

	if (sample->wants & SAMPLE_RATE)
		flows_count(&sample->flows, x, slot_of(sample, group));
	if (!(sample->wants & (SAMPLE_COLUMNS | SAMPLE_SPREAD | SAMPLE_LINEAR | SAMPLE_FIRST)))
		return;
	if ((sample->wants & SAMPLE_FIRST) && sample->count > SAMPLE_EXACT)
		return;
	if (sample->exact && sample->count > SAMPLE_EXACT)
		pour(sample);
	if (!sample->exact) {
		reduce(sample, x, y, group);
		return;
	}
	sample->points = memory_grow(sample->points, &sample->points_room, sample->count,
				     sizeof *sample->points);
	sample->points[sample->count - 1] = (struct point){ x, y, group };
}

void sample_span(struct sample *sample, int64_t begin, int64_t end, struct slice name)
{
	uint32_t group = note(sample, end, (double)((uint64_t)end - (uint64_t)begin), name);

	if (begin < sample->x_min)
		sample->x_min = begin;
	flows_span(&sample->flows, begin, end, slot_of(sample, group));
}

static int by_first(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Joins marks that are less than NEAR apart; they are sorted. */
static void join_marks(struct sample *sample, uint64_t near)
{
	size_t n = 0;

	for (size_t i = 1; i < sample->marks; i++) {
		struct mark *last = &sample->mark[n], next = sample->mark[i];

		if (next.first <= last->last || (uint64_t)next.first - (uint64_t)last->last <= near) {
			if (next.last > last->last)
				last->last = next.last;
		} else {
			sample->mark[++n] = next;
		}
	}
	sample->marks = n + 1;
}

void sample_mark(struct sample *sample, int64_t first, int64_t last)
{
	if (last < first)
		last = first;
	if (sample->marks == SAMPLE_MARKS) {
		qsort(sample->mark, sample->marks, sizeof *sample->mark, by_first);
		for (uint64_t near = 1; sample->marks > SAMPLE_MARKS / 2 && near; near *= 2)
			join_marks(sample, near);
		if (sample->marks == SAMPLE_MARKS)	/* all of 2^64: unlikely, and one will do */
			join_marks(sample, UINT64_MAX);
	}
	sample->mark[sample->marks++] = (struct mark){ first, last };
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void sort_values(struct sample *sample)
{
	size_t at = 0;

	sample->sorted = memory_get(sample->count * sizeof *sample->sorted);
	for (int s = 0; s < sample->n_series; s++) {
		struct series *series = &sample->series[s];

		series->first = at;
		for (uint64_t i = 0; i < sample->count; i++)
			if (sample->groups[sample->points[i].group].slot == series->slot)
				sample->sorted[at++] = sample->points[i].y;
		series->count = at - series->first;
		if (series->count > 1)
			qsort(sample->sorted + series->first, series->count, sizeof *sample->sorted, by_value);
	}
	sample->sorted_all = memory_get(sample->count * sizeof *sample->sorted_all);
	for (uint64_t i = 0; i < sample->count; i++)
		sample->sorted_all[i] = sample->points[i].y;
	qsort(sample->sorted_all, sample->count, sizeof *sample->sorted_all, by_value);
}

void sample_finish(struct sample *sample)
{
	bool kept = sample->points != NULL && !(sample->wants & SAMPLE_FIRST);
	uint32_t n, *order;
	struct series other = { .is_other = true, .slot = OTHER };

	if (sample->count == 0)
		return;
	if (sample->marks > 1) {
		qsort(sample->mark, sample->marks, sizeof *sample->mark, by_first);
		join_marks(sample, 0);
	}
	order = sample_rank(sample, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct group *group = &sample->groups[order[i]];
		/* A name of its own needs a slot; when all is exact, slots are given only now. */
		bool drawn = sample->n_series < SAMPLE_DRAWN && (kept || group->slot != OTHER);

		if (drawn) {
			if (kept && !(sample->wants & SAMPLE_RATE))
				take_slot(sample, order[i], FIRST_SLOT + sample->n_series, false);
			sample->series[sample->n_series++] = (struct series){
				.name = sample->grouped ? intern_text(sample->names, order[i]) : SLICE(""),
				.partial = sample->slot_partial[group->slot],
				.slot = group->slot,
				.count = group->count,
				.sum = group->sum,
			};
			continue;
		}
		sample->late += !kept && i < SAMPLE_DRAWN;
		if (group->slot != OTHER) {
			merge_slot(sample, OTHER, group->slot);
			group->slot = OTHER;
		}
		other.count += group->count;
		other.sum += group->sum;
		sample->in_other++;
	}
	other.count += sample->groups[SAMPLE_GROUPS].count;
	other.sum += sample->groups[SAMPLE_GROUPS].sum;
	if (other.count)
		sample->series[sample->n_series++] = other;
	flows_settle(&sample->flows);
	if (kept)
		sort_values(sample);
	free(order);
}

void sample_join(struct sample *sample)
{
	int slot = sample->series[0].slot;

	if (sample->n_series < 2)
		return;
	for (int s = 1; s < sample->n_series; s++)
		merge_slot(sample, slot, sample->series[s].slot);
	for (uint32_t g = 0; g <= SAMPLE_GROUPS; g++)
		sample->groups[g].slot = slot;
	sample->series[0] = (struct series){ .slot = slot, .count = sample->count };
	sample->n_series = 1;
	sample->joined = true;
	if (sample->exact)
		memcpy(sample->sorted, sample->sorted_all, sample->count * sizeof *sample->sorted);
}

static double sorted_quantile(const double *value, size_t n, double q)
{
	double h = q * (double)(n - 1), whole = floor(h);
	size_t at = (size_t)whole;

	return at + 1 < n ? value[at] + (h - whole) * (value[at + 1] - value[at]) : value[n - 1];
}

/* The values of one series or of all, ascending; the sample is exact. */
static const double *sorted(const struct sample *sample, int series, size_t *n)
{
	*n = series < 0 ? sample->count : sample->series[series].count;
	return series < 0 ? sample->sorted_all : sample->sorted + sample->series[series].first;
}

static const struct spread *reduced(const struct sample *sample, int series)
{
	if (series < 0)
		return sample->grouped ? &sample->all : &sample->spread[FIRST_SLOT];
	return &sample->spread[sample->series[series].slot];
}

struct spread sample_spread(const struct sample *sample, int series)
{
	struct spread spread = { 0 };
	struct pool pool = { 0 };
	const double *value;
	size_t n;

	if (!sample->exact)
		return *reduced(sample, series);
	value = sorted(sample, series, &n);
	for (size_t i = 0; i < n; i++)
		spread_add(&spread, &pool, value[i]);
	spread.pages = NULL;
	pool_free(&pool);
	return spread;
}

double sample_quantile(const struct sample *sample, int series, double q)
{
	const double *value;
	size_t n;

	if (!sample->exact)
		return spread_quantile(reduced(sample, series), q);
	value = sorted(sample, series, &n);
	return sorted_quantile(value, n, q);
}

void sample_free(struct sample *sample)
{
	columns_free(&sample->columns);
	flows_free(&sample->flows);
	pool_free(&sample->pool);
	free(sample->linear.count);
	free(sample->points);
	free(sample->sorted);
	free(sample->sorted_all);
	free(sample->groups);
	intern_free(sample->names);
}
