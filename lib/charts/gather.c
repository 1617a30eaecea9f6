// SPDX-License-Identifier: MIT
#include "charts/gather.h"

#include "base/number.h"
#include "base/progress.h"
#include "charts/axis.h"

/* The value to draw; false when the record has none. */
static bool take_value(struct lookup *y, const struct record *record, double *value,
		       struct gather_misses *misses)
{
	const struct slice *text = lookup_value(y, record);

	if (!text)
		return false;
	if (number_real(*text, value))
		return true;
	misses->not_number++;
	return false;
}

static bool take_x(struct lookup *x, const struct record *record, int64_t *value, bool is_time,
		   struct gather_misses *misses)
{
	if (lookup_i64(x, record, value) && !(is_time && *value < 0))
		return true;
	misses->no_x++;
	return false;
}

static void mark_loss(struct sample *sample, struct lookup *ts, struct lookup *first, struct lookup *last,
		      const struct record *record)
{
	int64_t from, to;

	if (!lookup_i64(ts, record, &to))
		return;
	from = to;
	lookup_i64(last, record, &to);
	if (!lookup_i64(first, record, &from))
		from = to;
	if (from >= 0 && to >= 0)
		sample_mark(sample, from, to);
}

void gather_records(const struct gather *gather, struct reader *in, struct sample *sample, struct loss *loss,
		    struct gather_misses *misses)
{
	struct lookup x = { .key = gather->x }, y = { .key = gather->y }, group = { .key = gather->group };
	struct lookup first = LOOKUP("first_ts"), last = LOOKUP("last_ts"), ts = LOOKUP("ts");
	bool is_time = axis_unit(x.key) == UNIT_TIME;
	bool has_x = sample->wants & (SAMPLE_COLUMNS | SAMPLE_RATE | SAMPLE_USAGE | SAMPLE_FIRST);
	const struct record *record;
	struct progress progress;

	progress_start(&progress, "records", gather->progress, gather->no_progress);
	while ((record = reader_next(in))) {
		const struct slice *name = NULL;
		int64_t at = 0;
		double value = 0;

		progress_at(&progress, reader_bytes(in), reader_size(in), misses->records);
		if (loss_is(loss, record)) {
			mark_loss(sample, &ts, &first, &last, record);
			continue;
		}
		misses->records++;
		if (y.key.at && !take_value(&y, record, &value, misses))
			continue;
		if (has_x && !take_x(&x, record, &at, is_time, misses))
			continue;
		if (group.key.at)
			name = lookup_value(&group, record);
		if ((sample->wants & (SAMPLE_USAGE | SAMPLE_FIRST)) && !(value >= 0 && value <= (double)at))
			misses->not_number++;
		else if (!(sample->wants & SAMPLE_USAGE))
			sample_add(sample, at, value, name ? *name : SLICE("(none)"));
		else
			sample_span(sample, at - (int64_t)value, at, name ? *name : SLICE("(none)"));
	}
	progress_end(&progress);
	lookup_free(&x);
	lookup_free(&y);
	lookup_free(&group);
	lookup_free(&first);
	lookup_free(&last);
	lookup_free(&ts);
}
