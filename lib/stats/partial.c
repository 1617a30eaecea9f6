// SPDX-License-Identifier: MIT
#include "stats/partial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/order.h"

enum part {
	COUNT, SUM, SQUARES, MIN, MAX,
	REALS, REAL_SUM, REAL_REST, REAL_MEAN, REAL_MEAN_REST, REAL_SQUARES, REAL_SQUARES_REST, REAL_MIN, REAL_MAX,
	OTHERS, VALUES, REAL_VALUES, BELOW, ZEROS, ABOVE, FIRST_TS, FIRST, LAST_TS, LAST, HASHES, PARTS,
};

static const char *const names[PARTS] = {
	"count", "sum", "squares", "min", "max",
	"reals", "real_sum", "real_rest", "real_mean", "real_mean_rest", "real_squares", "real_squares_rest",
	"real_min", "real_max",
	"others", "values", "real_values", "below", "zeros", "above", "first_ts",
	"first", "last_ts", "last", "hashes",
};

struct partial {
	struct key key[PARTS];
	struct lookup lookup[PARTS];
};

struct partial *partial_new(struct slice field)
{
	struct partial *partial = memory_zeroed(sizeof *partial);

	for (int i = 0; i < PARTS; i++) {
		size_t room = field.len + 40;
		char *text = memory_get(room);
		int n = snprintf(text, room, "\tstate.%.*s%s%s=", (int)field.len, field.at,
				 field.len ? "." : "", names[i]);

		partial->key[i] = (struct key){ text, (size_t)n };
		partial->lookup[i].key = (struct slice){ text + 1, (size_t)n - 2 };
	}
	return partial;
}

void partial_free(struct partial *partial)
{
	for (int i = 0; partial && i < PARTS; i++) {
		lookup_free(&partial->lookup[i]);
		free((void *)(uintptr_t)partial->key[i].at);
	}
	free(partial);
}

/* Writing */

static void put_whole(struct writer *w, struct key key, __int128 value)
{
	char text[CELL_TEXT_MAX];

	writer_raw(w, key, (struct slice){ text, cell_put_whole(text, value) });
}

/* The next item of a list; FIRST: its key goes before it. */
static void put_item(struct writer *w, struct key key, bool first, struct slice item)
{
	writer_raw(w, first ? key : (struct key){ ",", 1 }, item);
}

static void put_side(struct writer *w, struct key key, const struct sketch_side *side)
{
	bool first = true;

	for (uint32_t i = 0; i < side->n; i++) {
		char text[2 * NUMBER_TEXT];
		size_t n;

		if (side->count[i] == 0)
			continue;
		n = number_put_u64(text, side->low + i);
		text[n++] = ':';
		n += number_put_u64(text + n, side->count[i]);
		put_item(w, key, first, (struct slice){ text, n });
		first = false;
	}
}

static void put_kept(struct writer *w, const struct key *key, const struct figures *f)
{
	char text[NUMBER_TEXT];

	for (uint32_t i = 0; i < f->n; i++)
		put_item(w, key[VALUES], i == 0, (struct slice){ text, number_put_i64(text, f->value[i]) });
	for (uint32_t i = 0; f->reals && i < f->reals->keys; i++)
		put_item(w, key[REAL_VALUES], i == 0,
			 (struct slice){ text, number_put_real(text, order_real(f->reals->key[i])) });
}

static void put_integers(struct writer *w, const struct key *key, const struct figures *f)
{
	char text[64];
	int n = snprintf(text, sizeof text, "0x%016llx%016llx%016llx", (unsigned long long)f->squares[2],
			 (unsigned long long)f->squares[1], (unsigned long long)f->squares[0]);

	put_whole(w, key[SUM], f->sum);
	writer_raw(w, key[SQUARES], (struct slice){ text, (size_t)n });
	put_whole(w, key[MIN], f->min);
	put_whole(w, key[MAX], f->max);
}

static void put_reals(struct writer *w, const struct key *key, const struct reals *reals)
{
	writer_u64(w, key[REALS], reals->n);
	writer_real(w, key[REAL_SUM], reals->sum);
	writer_real(w, key[REAL_REST], reals->rest);
	writer_real(w, key[REAL_MEAN], reals->mean.high);
	writer_real(w, key[REAL_MEAN_REST], reals->mean.low);
	writer_real(w, key[REAL_SQUARES], reals->squares.high);
	writer_real(w, key[REAL_SQUARES_REST], reals->squares.low);
	writer_real(w, key[REAL_MIN], reals->min);
	writer_real(w, key[REAL_MAX], reals->max);
}

void partial_write(struct partial *partial, struct figures_plan *plan, struct figures *f, struct writer *w)
{
	const struct key *key = partial->key;
	char text[NUMBER_TEXT];
	bool first = true, estimated;

	figures_settle(plan, f);
	writer_u64(w, key[COUNT], f->count);
	if (plan->numbers && f->count)
		put_integers(w, key, f);
	if (f->reals && f->reals->n)
		put_reals(w, key, f->reals);
	if (f->others)
		writer_u64(w, key[OTHERS], f->others);
	if (f->sketch) {
		put_side(w, key[BELOW], &f->sketch->below);
		writer_u64(w, key[ZEROS], f->sketch->zeros);
		put_side(w, key[ABOVE], &f->sketch->above);
	} else if (plan->quantiles) {
		put_kept(w, key, f);
	}
	if (f->ends) {
		writer_i64(w, key[FIRST_TS], f->ends->first_ts);
		writer_raw(w, key[FIRST], (struct slice){ f->ends->first, f->ends->first_len });
		writer_i64(w, key[LAST_TS], f->ends->last_ts);
		writer_raw(w, key[LAST], (struct slice){ f->ends->last, f->ends->last_len });
	}
	if (!f->distinct)
		return;
	distinct_count(f->distinct, &estimated);	/* leaves no more than are needed */
	for (size_t i = 0; i < f->distinct->slots; i++) {
		if (f->distinct->slot[i] == 0)
			continue;
		put_item(w, key[HASHES], first,
			 (struct slice){ text, number_put_u64(text, f->distinct->slot[i]) });
		first = false;
	}
}

/* Reading: each returns false when the part is not as it is written above. */

static const struct slice *part_of(struct partial *partial, const struct record *record, enum part part)
{
	return lookup_value(&partial->lookup[part], record);
}

static bool get_u64(const struct slice *text, uint64_t *value)
{
	return text && number_u64(*text, value);
}

static bool get_whole(const struct slice *text, __int128 *value)
{
	return text && cell_get_whole(*text, value);
}

static bool get_real(const struct slice *text, double *value)
{
	return text && number_real(*text, value);
}

static bool get_squares(const struct slice *text, uint64_t *squares)
{
	if (!text || text->len != 50 || memcmp(text->at, "0x", 2) != 0)
		return false;
	for (int i = 0; i < 3; i++) {
		char part[17], *end;

		memcpy(part, text->at + 2 + 16 * i, 16);
		part[16] = '\0';
		if (part[0] == '-' || part[0] == '+' || part[0] == ' ')
			return false;
		squares[2 - i] = strtoull(part, &end, 16);
		if (*end)
			return false;
	}
	return true;
}

/* Takes the next item off a list; false at its end. */
static bool next_item(struct slice *list, struct slice *item)
{
	const char *comma;

	if (list->len == 0)
		return false;
	comma = memchr(list->at, ',', list->len);
	*item = (struct slice){ list->at, comma ? (size_t)(comma - list->at) : list->len };
	list->at += item->len + (comma != NULL);
	list->len -= item->len + (comma != NULL);
	return true;
}

static bool get_integers(struct partial *p, const struct record *record, struct figures *f, uint64_t count)
{
	uint64_t squares[3], carry = 0;
	__int128 sum, min, max;

	if (!get_whole(part_of(p, record, SUM), &sum) || !get_squares(part_of(p, record, SQUARES), squares) ||
	    !get_whole(part_of(p, record, MIN), &min) || !get_whole(part_of(p, record, MAX), &max) ||
	    min < INT64_MIN || max > (__int128)UINT64_MAX || min > max ||
	    __builtin_add_overflow(f->sum, sum, &f->sum))
		return false;
	for (int i = 0; i < 3; i++) {
		unsigned __int128 limb = (unsigned __int128)f->squares[i] + squares[i] + carry;

		f->squares[i] = (uint64_t)limb;
		carry = (uint64_t)(limb >> 64);
	}
	if (f->count == 0 || min < f->min)
		f->min = min;
	if (f->count == 0 || max > f->max)
		f->max = max;
	return !__builtin_add_overflow(f->count, count, &f->count) && carry == 0;
}

static bool get_reals(struct partial *p, const struct record *record, struct figures *f, uint64_t *count)
{
	struct reals reals = { 0 };

	*count = 0;
	if (!part_of(p, record, REALS))
		return true;
	if (!get_u64(part_of(p, record, REALS), &reals.n) || reals.n == 0 || reals.n > UINT64_MAX / 4 ||
	    !get_real(part_of(p, record, REAL_SUM), &reals.sum) ||
	    !get_real(part_of(p, record, REAL_REST), &reals.rest) ||
	    !get_real(part_of(p, record, REAL_MEAN), &reals.mean.high) ||
	    !get_real(part_of(p, record, REAL_MEAN_REST), &reals.mean.low) ||
	    !get_real(part_of(p, record, REAL_SQUARES), &reals.squares.high) ||
	    !get_real(part_of(p, record, REAL_SQUARES_REST), &reals.squares.low) ||
	    !get_real(part_of(p, record, REAL_MIN), &reals.min) ||
	    !get_real(part_of(p, record, REAL_MAX), &reals.max))
		return false;
	figures_join_reals(figures_reals(f), &reals);
	*count = reals.n;
	return true;
}

/* The kept values, which are in the sums already; there have to be COUNT. */
static bool get_kept(struct partial *p, struct figures_plan *plan, const struct record *record,
		     struct figures *f, uint64_t count)
{
	const struct slice *values = part_of(p, record, VALUES), *reals = part_of(p, record, REAL_VALUES);
	struct slice list = values ? *values : (struct slice){ 0 }, item;
	int64_t whole;
	double real;

	f->summed = f->n;
	while (next_item(&list, &item)) {
		if (!number_i64(item, &whole))
			return false;
		if (f->n == f->room)
			figures_make_room(plan, f);
		f->value[f->n++] = whole;
		f->summed = f->n;
		count--;
	}
	list = reals ? *reals : (struct slice){ 0 };
	while (next_item(&list, &item)) {
		if (!number_real(item, &real))
			return false;
		figures_keep_real(plan, f, real);
		count--;
	}
	return count == 0;
}

/* A side of the sketch; its values are taken off *COUNT. */
static bool get_side(struct figures *f, struct sketch_side *side, const struct slice *text, uint64_t *count)
{
	struct slice list = text ? *text : (struct slice){ 0 }, item;

	while (next_item(&list, &item)) {
		const char *colon = memchr(item.at, ':', item.len);
		struct slice left, right;
		uint64_t number, times;

		if (!colon)
			return false;
		left = (struct slice){ item.at, (size_t)(colon - item.at) };
		right = (struct slice){ colon + 1, item.len - left.len - 1 };
		if (!number_u64(left, &number) || number >= SKETCH_NUMBERS || !number_u64(right, &times) ||
		    times > *count)
			return false;
		sketch_add_bucket(f->sketch, side, (uint32_t)number, times);
		*count -= times;
	}
	return true;
}

static bool get_sketch(struct partial *p, struct figures_plan *plan, const struct record *record,
		       struct figures *f, uint64_t count)
{
	uint64_t zeros;
	size_t before;
	bool good;

	figures_to_sketch(plan, f);
	before = sketch_bytes(f->sketch);
	good = get_side(f, &f->sketch->below, part_of(p, record, BELOW), &count) &&
	       get_side(f, &f->sketch->above, part_of(p, record, ABOVE), &count) &&
	       get_u64(part_of(p, record, ZEROS), &zeros) && zeros == count;
	plan->memory += sketch_bytes(f->sketch) - before;
	if (good) {
		f->sketch->zeros += zeros;
		f->sketch->n += zeros;
	}
	return good;
}

static bool get_ends(struct partial *p, struct figures_plan *plan, const struct record *record,
		     struct figures *f)
{
	const struct slice *first = part_of(p, record, FIRST), *last = part_of(p, record, LAST);
	struct figures_plan ends = { .ends = true };
	int64_t first_ts, last_ts;

	if (!first && !last)
		return true;
	if (!first || !last || !lookup_i64(&p->lookup[FIRST_TS], record, &first_ts) ||
	    !lookup_i64(&p->lookup[LAST_TS], record, &last_ts) || last_ts < first_ts)
		return false;
	figures_add_text(&ends, f, *first, first_ts);
	figures_add_text(&ends, f, *last, last_ts);
	plan->memory += ends.memory;
	return true;
}

static bool get_hashes(struct partial *p, struct figures_plan *plan, const struct record *record,
		       struct figures *f)
{
	const struct slice *hashes = part_of(p, record, HASHES);
	struct slice list = hashes ? *hashes : (struct slice){ 0 }, item;
	size_t before = figures_distinct(f)->slots;
	uint64_t hash;

	while (next_item(&list, &item)) {
		if (!number_u64(item, &hash))
			return false;
		distinct_add(f->distinct, hash);
	}
	plan->memory += (f->distinct->slots - before) * sizeof *f->distinct->slot;
	return true;
}

bool partial_read(struct partial *p, struct figures_plan *plan, struct figures *f,
		  const struct record *record, struct reader *reader)
{
	const struct slice *others = part_of(p, record, OTHERS);
	uint64_t count, reals = 0, others_n = 0;
	const char *reason = "it is not what --partial writes";
	enum part part = COUNT;
	struct slice name;
	char key[200];

	if (!part_of(p, record, COUNT)) {
		reason = "the record has no such state: -g, -a and FIELDs have to be those of --partial";
		goto wrong;
	}
	if (!get_u64(part_of(p, record, COUNT), &count) || count > UINT64_MAX / 4)
		goto wrong;
	part = OTHERS;
	if (others && (!number_u64(*others, &others_n) ||
		       __builtin_add_overflow(f->others, others_n, &f->others)))
		goto wrong;
	part = SUM;
	/* What is new has to be in the sums before more is joined to them. */
	figures_settle(plan, f);
	if (plan->numbers && count) {
		if (!get_integers(p, record, f, count))
			goto wrong;
	} else if (__builtin_add_overflow(f->count, count, &f->count)) {
		goto wrong;
	}
	part = REALS;
	if (plan->numbers && !get_reals(p, record, f, &reals))
		goto wrong;
	part = VALUES;
	if (plan->quantiles && !(part_of(p, record, ZEROS) ? get_sketch(p, plan, record, f, count + reals) :
							     get_kept(p, plan, record, f, count + reals)))
		goto wrong;
	part = FIRST;
	if (plan->ends && !get_ends(p, plan, record, f))
		goto wrong;
	part = HASHES;
	if (plan->distinct && !get_hashes(p, plan, record, f))
		goto wrong;
	return true;
wrong:
	name = p->lookup[part].key;
	snprintf(key, sizeof key, "%.*s", name.len < sizeof key ? (int)name.len : 0, name.at);
	reader_complain(reader, *key ? key : "the state", reason);
	return false;
}
