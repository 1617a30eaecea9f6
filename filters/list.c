// SPDX-License-Identifier: MIT
/*
 * list: chosen fields of records as rows for people, CSV or JSON: all of them, or the first by a field.
 *
 *	$ where ev=syscall < spans.tskv | list -f begin_ts,dur_ns,comm,name -s dur_ns -n 10
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/keylist.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"

enum { TOP_MAX = 10000000 };

/* A row that is kept: its texts are one behind the other in `text`. */
struct kept {
	int64_t ts;
	uint64_t order;		/* of arrival */
	struct cell by;		/* what is sorted by */
	char *text;
	struct slice *value;	/* the fields, then ev, then what is sorted by */
};

struct list {
	struct keylist fields;
	struct lookup ts, ev, dur, by;
	size_t begin;		/* the field begin_ts; SIZE_MAX: it is not wanted */
	bool sorted, rising;
	uint64_t top;

	struct column *column;
	struct cell *cells;
	struct rows *rows;
	struct slice *value;	/* of the record at hand, and then its ev and what is sorted by */
	char begin_text[NUMBER_TEXT];

	struct kept *kept;	/* a heap: the one to be given up first is at 0 */
	size_t n, room;
	uint64_t order, left_out, without;
};

static void put(struct list *l, int64_t ts, const struct slice *value)
{
	for (size_t i = 0; i < l->fields.n; i++)
		l->cells[i] = cell_text(value[i]);
	rows_put(l->rows, ts, value[l->fields.n], l->cells);
}

/* Whether A comes before B in what is written: by the field, then in the order of arrival. */
static bool before(const struct list *l, const struct kept *a, const struct kept *b)
{
	int order = cell_compare(&a->by, &b->by);

	if (order == 0)
		return a->order < b->order;
	return l->rising ? order < 0 : order > 0;
}

static void swap(struct kept *a, struct kept *b)
{
	struct kept c = *a;

	*a = *b;
	*b = c;
}

static void sink(struct list *l, size_t n)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(l, &l->kept[child], &l->kept[child + 1]))
			child++;
		if (!before(l, &l->kept[i], &l->kept[child]))
			return;
		swap(&l->kept[i], &l->kept[child]);
	}
}

static void rise(struct list *l)
{
	for (size_t i = l->n - 1; i && before(l, &l->kept[(i - 1) / 2], &l->kept[i]); i = (i - 1) / 2)
		swap(&l->kept[i], &l->kept[(i - 1) / 2]);
}

static struct kept copy(const struct list *l, int64_t ts)
{
	size_t n = l->fields.n + 2, size = n * sizeof(struct slice);
	struct kept kept = { .ts = ts, .order = l->order };
	char *to;

	for (size_t i = 0; i < n; i++)
		size += l->value[i].len;
	kept.text = memory_get(size);
	kept.value = (struct slice *)(void *)kept.text;
	to = kept.text + n * sizeof(struct slice);
	for (size_t i = 0; i < n; i++) {
		kept.value[i] = (struct slice){ l->value[i].at ? to : NULL, l->value[i].len };
		if (l->value[i].len)
			memcpy(to, l->value[i].at, l->value[i].len);
		to += l->value[i].len;
	}
	kept.by = cell_text(kept.value[n - 1]);
	return kept;
}

static void keep(struct list *l, int64_t ts)
{
	struct kept fresh = { .order = l->order, .by = cell_text(l->value[l->fields.n + 1]) };

	if (l->top && l->n == l->top) {
		l->left_out++;
		if (!before(l, &fresh, &l->kept[0]))
			return;
		free(l->kept[0].text);
		l->kept[0] = copy(l, ts);
		sink(l, l->n);
		return;
	}
	l->kept = memory_grow(l->kept, &l->room, l->n + 1, sizeof *l->kept);
	l->kept[l->n++] = copy(l, ts);
	rise(l);
}

static void put_kept(struct list *l)
{
	for (size_t n = l->n; n > 1; n--) {
		swap(&l->kept[0], &l->kept[n - 1]);
		sink(l, n - 1);
	}
	for (size_t i = 0; i < l->n; i++) {
		put(l, l->kept[i].ts, l->kept[i].value);
		free(l->kept[i].text);
	}
	free(l->kept);
}

/* One record. False when no more are wanted. */
static bool take(struct list *l, const struct record *record)
{
	const struct slice *ev = lookup_value(&l->ev, record), *by;
	int64_t ts = 0, dur;
	bool timed = lookup_i64(&l->ts, record, &ts);

	if (!l->sorted && l->top && l->order == l->top)
		return false;
	keylist_values(&l->fields, record, l->value);
	if (l->begin != SIZE_MAX && !l->value[l->begin].at && timed &&
	    lookup_i64(&l->dur, record, &dur) && !__builtin_sub_overflow(ts, dur, &dur))
		l->value[l->begin] = (struct slice){ l->begin_text, number_put_i64(l->begin_text, dur) };
	l->value[l->fields.n] = ev ? *ev : SLICE("");
	l->order++;
	if (!l->sorted) {
		put(l, ts, l->value);
		return true;
	}
	by = lookup_value(&l->by, record);
	l->without += !by;
	if (by) {
		l->value[l->fields.n + 1] = *by;
		keep(l, ts);
	}
	return true;
}

static void name_columns(struct list *l)
{
	l->begin = SIZE_MAX;
	l->column = memory_zeroed(l->fields.n * sizeof *l->column);
	l->cells = memory_zeroed(l->fields.n * sizeof *l->cells);
	l->value = memory_zeroed((l->fields.n + 2) * sizeof *l->value);
	for (size_t i = 0; i < l->fields.n; i++) {
		struct slice name = l->fields.lookup[i].key;

		if (slice_equal(name, SLICE("ts")))
			message_usage("cannot list the field 'ts': it is in every row (tables: -t)");
		if (slice_equal(name, SLICE("begin_ts")))
			l->begin = i;
		l->column[i] = (struct column){ name, slice_equal(name, SLICE("ev")) ? COLUMN_EV :
						      rows_role(name, COLUMN_TEXT) };
	}
}

static void parse_sort(struct list *l, const char *sort)
{
	bool sign = *sort == '+' || *sort == '-';

	l->by.key = slice_of(sort + sign);
	if (!keylist_valid(l->by.key))
		message_usage("cannot sort by '%.100s': a key is letters, digits, _ and .", sort);
	l->sorted = true;
	l->rising = *sort == '+';
}

int main(int argc, char **argv)
{
	const char *fields = NULL, *sort = NULL;
	struct list l = { .ts = LOOKUP("ts"), .ev = LOOKUP("ev"), .dur = LOOKUP("dur_ns") };
	bool strict = false, timed = false;
	int form = -1, status;
	const struct option options[] = {
		{ 'f', "fields", "KEY,...", "the columns; begin_ts is ts - dur_ns where a record has none",
		  OPTION_TEXT, .to = &fields },
		{ 's', "sort", "KEY", "the largest of this field first (+KEY: the smallest); equal ones as they come",
		  OPTION_TEXT, .to = &sort },
		{ 'n', "top", "COUNT", "only the first COUNT rows", OPTION_COUNT, .to = &l.top, .min = 1,
		  .max = TOP_MAX },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = rows_forms },
		{ 't', "time", NULL, "tables begin with a column of ts; the other forms always do", OPTION_FLAG,
		  .to = &timed },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "list",
		.does = "list chosen fields of records: all as they come, or the largest first",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  list -f begin_ts,dur_ns,comm,name -s dur_ns -n 10 < spans.tskv\n"
			    "  where ev=exec < spans.tskv | list -t -o table -f pid,comm,path\n",
	};
	char **files = options_parse(&program, argv);
	const struct record *record;
	struct loss loss = LOSS;
	struct reader *in;
	struct writer *out;

	(void)argc;
	if (!fields)
		message_usage("cannot list records: it takes their fields (-f)");
	l.fields = keylist_parse(fields, "field");
	name_columns(&l);
	if (sort)
		parse_sort(&l, sort);
	form = (int)rows_form_of(form);
	out = writer_stdout();
	l.rows = rows_open(out, (enum rows_form)form, l.column, l.fields.n, timed);
	in = reader_open(files, out);
	while ((record = reader_next(in))) {
		if (!loss_is(&loss, record)) {
			if (!take(&l, record))
				break;
		} else if (form == ROWS_RECORDS) {
			writer_bytes(out, record->line, record->len);
		}
	}
	put_kept(&l);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	rows_close(l.rows);
	writer_close(out);
	if (l.without)
		message("%llu record%s without %.*s: they are left out", (unsigned long long)l.without,
			l.without == 1 ? " is" : "s are", (int)l.by.key.len, l.by.key.at);
	if (loss_report(&loss, "the list is", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	keylist_free(&l.fields);
	lookup_free(&l.ts);
	lookup_free(&l.ev);
	lookup_free(&l.dur);
	lookup_free(&l.by);
	free(l.column);
	free(l.cells);
	free(l.value);
	return status;
}
