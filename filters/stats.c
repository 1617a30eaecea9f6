// SPDX-License-Identifier: MIT
/*
 * stats: counts, sums, means and quantiles of fields, by group and by interval of time.
 *
 *	$ stats -g comm,name dur_ns < spans.tskv
 */
#include <stdlib.h>
#include <unistd.h>

#include "figures.h"
#include "groups.h"
#include "loss.h"
#include "memory.h"
#include "message.h"
#include "options.h"
#include "order.h"
#include "partial.h"
#include "progress.h"
#include "reader.h"
#include "rows.h"
#include "writer.h"

enum {
	EXACT = 65536,		/* values of a group that are kept for exact quantiles */
	PARTIAL_VALUES = 500000,	/* fit a record, as decimal numbers */
};

/* What to sort rows by. */
struct sort {
	bool given, falling;
	size_t column;		/* of the row */
};

struct stats {
	/* What was asked for */
	struct figures_plan plan;
	struct lookup *key, *field;
	size_t keys, fields;	/* fields 0: records are counted */
	size_t states;		/* figures of each group: one for each field, or one */
	uint64_t interval;	/* ns; 0: the whole stream is one */
	uint64_t top, memory;
	bool merge, partial;
	struct sort sort;
	size_t ev_key;		/* the group key that is `ev`; SIZE_MAX: none is */

	/* What comes out */
	struct column *column;
	size_t columns;
	struct cell *cells;	/* of a row */
	struct rows *rows;
	struct writer *out;
	struct partial **state;
	struct key *group_key;

	/* What was found */
	struct lookup ts, first_ts, last_ts, interval_ns, ev;
	struct groups *groups;	/* by the keys; when merging intervals, by their end and the keys */
	struct figures *figures;	/* of group 0, of group 1, ... */
	size_t figures_room;
	uint32_t known;		/* groups that have figures */
	bool timed;		/* some record had a ts */
	int64_t begin_ts, end_ts;	/* the earliest and the latest record */
	int64_t interval_start, interval_end;	/* of the interval at hand; end INT64_MIN: none */
	uint64_t late, timeless, left_out, sketched, estimated;
	uint64_t *others;	/* by field: values that were not numbers */
	bool *seen;		/* by field: some record has it */
};

/* Names */

static bool is_among(const char *name, char **names)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static void check_keys(char **names, const char *what)
{
	for (char **name = names; *name; name++) {
		struct key key = key_of(slice_of(*name));

		if (strlen(*name) != key.len - 2 || memcmp(key.at + 1, *name, key.len - 2) != 0)
			message_usage("cannot use the %s '%.100s': a key is letters, digits, _ and .", what,
				      *name);
		if (is_among(*name, name + 1))
			message_usage("cannot use the %s '%.100s' twice", what, *name);
		free((void *)(uintptr_t)key.at);
	}
}

static void lookups_of(char **names, struct lookup **lookups, size_t *n)
{
	for (*n = 0; names[*n]; ++*n)
		;
	*lookups = memory_zeroed(*n * sizeof **lookups);
	for (size_t i = 0; i < *n; i++)
		(*lookups)[i].key = slice_of(names[i]);
}

static void parse_figures(struct stats *s, char **names)
{
	struct figure *figure = memory_zeroed(FIGURES_MAX * sizeof *figure);

	s->plan.figure = figure;
	for (; names[s->plan.n]; s->plan.n++) {
		const char *name = names[s->plan.n];

		if (s->plan.n == FIGURES_MAX)
			message_usage("cannot compute more than %d figures at once", FIGURES_MAX);
		if (!figures_parse(name, &figure[s->plan.n]))
			message_usage("cannot compute '%.100s': figures are count sum mean stddev min max median "
				      "rate first last distinct, and p0 to p100 as in p99.9", name);
		if (is_among(name, names + s->plan.n + 1))
			message_usage("cannot compute '%.100s' twice", name);
		if (s->fields == 0 && figure[s->plan.n].kind != FIGURE_COUNT &&
		    figure[s->plan.n].kind != FIGURE_RATE)
			message_usage("cannot compute %.100s: of which FIELD?", name);
	}
	figures_start(&s->plan);
}

static bool ends_with(struct slice name, const char *end)
{
	size_t n = strlen(end);

	return name.len >= n && memcmp(name.at + name.len - n, end, n) == 0;
}

/* In what a figure of a field is shown. */
static enum column_role role_of(const struct figure *figure, struct slice field)
{
	switch (figure->kind) {
	case FIGURE_COUNT:
	case FIGURE_DISTINCT:
		return COLUMN_NUMBER;
	case FIGURE_RATE:
		return COLUMN_PER_SECOND;
	default:
		return ends_with(field, "_ns") ? COLUMN_NS : ends_with(field, "bytes") ? COLUMN_BYTES :
							      COLUMN_NUMBER;
	}
}

static void add_column(struct stats *s, struct slice field, bool prefix, const char *name,
		       enum column_role role)
{
	size_t len = strlen(name), n = prefix ? field.len + 1 : 0;
	char *text = memory_get(n + len + 1);

	if (n) {
		memcpy(text, field.at, field.len);
		text[n - 1] = '.';
	}
	memcpy(text + n, name, len + 1);
	s->column[s->columns++] = (struct column){ { text, n + len }, role };
}

/* The columns of FIELD.NAME, or of NAME where PREFIX is false. */
static void name_figures(struct stats *s, char **names, bool prefix)
{
	s->columns = s->keys;
	for (size_t f = 0; f < s->states; f++) {
		struct slice field = s->fields ? s->field[f].key : SLICE("");

		for (size_t i = 0; i < s->plan.n; i++)
			add_column(s, field, prefix, names[i], role_of(&s->plan.figure[i], field));
		if (s->plan.distinct)
			add_column(s, field, prefix, "distinct_is", COLUMN_NOTE);
		if (s->plan.quantiles)
			add_column(s, field, prefix, "quantiles", COLUMN_NOTE);
	}
}

/* The first column that has the name of an earlier one, or of ts; NULL: none has. */
static const struct column *same_name(const struct stats *s)
{
	for (size_t i = 0; i < s->columns; i++) {
		if (slice_equal(s->column[i].name, SLICE("ts")) ||
		    (slice_equal(s->column[i].name, SLICE("ev")) && s->column[i].role != COLUMN_EV))
			return &s->column[i];
		for (size_t k = 0; k < i; k++)
			if (slice_equal(s->column[i].name, s->column[k].name))
				return &s->column[i];
	}
	return NULL;
}

static void free_figure_names(struct stats *s)
{
	for (size_t i = s->keys; i < s->columns; i++)
		free((void *)(uintptr_t)s->column[i].name.at);
}

static void name_columns(struct stats *s, char **names)
{
	bool prefix = s->fields > 1;
	const struct column *same;

	s->column = memory_zeroed((s->keys + s->states * (s->plan.n + 2)) * sizeof *s->column);
	s->ev_key = SIZE_MAX;
	for (size_t i = 0; i < s->keys; i++) {
		bool is_ev = slice_equal(s->key[i].key, SLICE("ev"));

		s->column[i] = (struct column){ s->key[i].key, is_ev ? COLUMN_EV : COLUMN_TEXT };
		if (is_ev)
			s->ev_key = i;
	}
	name_figures(s, names, prefix);
	if (same_name(s) && !prefix && s->fields) {
		free_figure_names(s);
		name_figures(s, names, true);
	}
	same = same_name(s);
	if (same)
		message_usage("cannot write two fields '%.100s' in a row: it is the name of a group key, of a "
			      "figure or of the row's time", same->name.at);
	s->cells = memory_zeroed((s->columns + 1) * sizeof *s->cells);
}

static void parse_sort(struct stats *s, const char *text)
{
	struct slice name = slice_of(text);
	bool sign = *text == '-' || *text == '+';

	name.at += sign;
	name.len -= sign;
	while (s->sort.column < s->columns && !slice_equal(s->column[s->sort.column].name, name))
		s->sort.column++;
	if (s->sort.column == s->columns)
		message_usage("cannot sort by '%.100s': it is neither a group key nor one of the figures that "
			      "are asked for%s", text, s->fields > 1 ? " (FIELD.NAME)" : "");
	s->sort.given = true;
	s->sort.falling = sign ? *text == '-' : s->sort.column >= s->keys;
}

/* Rows */

static struct figures *figures_of(struct stats *s, uint32_t group)
{
	return s->figures + (size_t)group * s->states;
}

/* Merged intervals are the first key of their groups. */
static bool by_interval(const struct stats *s)
{
	return s->merge && s->interval;
}

static int64_t end_of(struct stats *s, uint32_t group)
{
	int64_t end = 0;

	if (by_interval(s))
		number_i64(groups_value(s->groups, group, 0), &end);
	else if (s->interval)
		end = s->interval_end;
	else if (s->timed)
		end = s->end_ts;
	return end;
}

/* The time that rates are of, in ns; 0: not known. */
static double time_of(const struct stats *s)
{
	if (s->interval)
		return (double)s->interval;
	return s->timed ? (double)((__int128)s->end_ts - s->begin_ts) : 0;
}

static void fill_cells(struct stats *s, uint32_t group, bool *sketched, bool *estimated)
{
	struct cell *cell = s->cells;

	*sketched = *estimated = false;
	for (size_t k = 0; k < s->keys; k++)
		*cell++ = cell_text(groups_value(s->groups, group, k + by_interval(s)));
	for (size_t f = 0; f < s->states; f++) {
		struct figures_notes notes;

		figures_get(&s->plan, figures_of(s, group) + f, time_of(s), cell, &notes);
		cell += s->plan.n;
		if (s->plan.distinct)
			*cell++ = cell_text(notes.estimated ? SLICE("estimate") : SLICE("exact"));
		if (s->plan.quantiles)
			*cell++ = cell_text(notes.sketched ? SLICE("sketch") : SLICE("exact"));
		*sketched |= notes.sketched;
		*estimated |= notes.estimated;
	}
}

static void put_row(struct stats *s, uint32_t group)
{
	bool sketched, estimated;
	struct slice ev = SLICE("stats");

	fill_cells(s, group, &sketched, &estimated);
	s->sketched += sketched;
	s->estimated += estimated;
	if (s->ev_key != SIZE_MAX && s->cells[s->ev_key].kind == CELL_TEXT)
		ev = s->cells[s->ev_key].text;
	rows_put(s->rows, end_of(s, group), ev, s->cells);
}

static void put_partial(struct stats *s, uint32_t group)
{
	writer_begin(s->out, end_of(s, group), SLICE("partial"));
	for (size_t k = 0; k < s->keys; k++) {
		struct slice value = groups_value(s->groups, group, k + by_interval(s));

		if (value.at)
			writer_raw(s->out, s->group_key[k], value);
	}
	if (s->interval)
		writer_u64(s->out, KEY("interval_ns"), s->interval);
	if (s->timed) {
		writer_i64(s->out, KEY("first_ts"), s->begin_ts);
		writer_i64(s->out, KEY("last_ts"), s->end_ts);
	}
	for (size_t f = 0; f < s->states; f++)
		partial_write(s->state[f], &s->plan, figures_of(s, group) + f, s->out);
	writer_end(s->out);
}

/*
 * A group and where it goes, roughly: by the interval, else by what is asked for, else by the first
 * key. Most comparisons need no more, and do not fetch the group.
 */
struct ranked {
	uint64_t order;
	uint32_t group;
	enum { NUMBER, TEXT, NOTHING } class;
};

struct ranking {
	struct stats *stats;
	struct cell *by;	/* by group: the figure to sort by; NULL: none is */
};

static struct cell key_cell(struct stats *s, uint32_t group, size_t k)
{
	return cell_text(groups_value(s->groups, group, k + by_interval(s)));
}

static struct cell sort_cell(const struct ranking *r, uint32_t group)
{
	return r->by ? r->by[group] : key_cell(r->stats, group, r->stats->sort.column);
}

/* The order of cells, rounded: of those that are not the same here, it is the order of the cells. */
static struct ranked roughly(const struct cell *cell, uint32_t group)
{
	struct ranked ranked = { .group = group, .class = NOTHING };
	double number;

	if (cell_number(cell, &number)) {
		ranked.class = NUMBER;
		ranked.order = (uint64_t)order_of_real(number == 0 ? 0 : number) ^ 1ull << 63;
	} else if (cell->kind == CELL_TEXT) {
		ranked.class = TEXT;
		for (size_t i = 0; i < 8; i++)
			ranked.order = ranked.order << 8 |
				       (i < cell->text.len ? (unsigned char)cell->text.at[i] : 0);
	}
	return ranked;
}

/* What is sorted by; a row that lacks it comes last, whichever way. */
static int by_asked(const struct ranking *r, uint32_t x, uint32_t y)
{
	struct cell a = sort_cell(r, x), b = sort_cell(r, y);

	if (a.kind == CELL_NONE || b.kind == CELL_NONE)
		return (a.kind == CELL_NONE) - (b.kind == CELL_NONE);
	return r->stats->sort.falling ? cell_compare(&b, &a) : cell_compare(&a, &b);
}

static int by_rank(const void *a, const void *b, void *context)
{
	const struct ranked *x = a, *y = b;
	const struct ranking *r = context;
	bool asked = r->stats->sort.given && !by_interval(r->stats);
	int order = 0;

	if (x->class != y->class) {
		/* Absent comes first among keys, last where it is asked to sort by it. */
		if (x->class == NOTHING || y->class == NOTHING)
			return (x->class == NOTHING) == asked ? 1 : -1;
		order = x->class < y->class ? -1 : 1;
	} else if (x->order != y->order) {
		order = x->order < y->order ? -1 : 1;
	}
	if (order)
		return asked && r->stats->sort.falling ? -order : order;
	if (r->stats->sort.given)
		order = by_asked(r, x->group, y->group);
	return order ? order : groups_compare(r->stats->groups, x->group, y->group);
}

static struct ranked *rank_groups(struct stats *s, uint32_t n)
{
	struct ranked *ranked = memory_zeroed(n * sizeof *ranked);
	struct ranking r = { .stats = s };
	bool sketched, estimated;

	if (s->sort.given && s->sort.column >= s->keys)
		r.by = memory_get(n * sizeof *r.by);
	for (uint32_t group = 0; group < n; group++) {
		struct cell cell = { 0 };

		if (r.by) {
			fill_cells(s, group, &sketched, &estimated);
			r.by[group] = s->cells[s->sort.column];
		}
		if (s->sort.given)
			cell = sort_cell(&r, group);
		else if (s->keys)
			cell = key_cell(s, group, 0);
		ranked[group] = roughly(&cell, group);
		if (by_interval(s))
			ranked[group] = (struct ranked){ (uint64_t)end_of(s, group) ^ 1ull << 63, group, NUMBER };
	}
	qsort_r(ranked, n, sizeof *ranked, by_rank, &r);
	free(r.by);
	return ranked;
}

/* Writes the groups at hand and forgets them. */
static void put_groups(struct stats *s)
{
	uint32_t n = groups_count(s->groups);
	struct ranked *ranked = rank_groups(s, n);
	uint64_t rows = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t group = ranked[i].group;

		if (by_interval(s) && i && end_of(s, group) != end_of(s, ranked[i - 1].group)) {
			rows_end_block(s->rows);
			rows = 0;
		}
		if (s->partial)
			put_partial(s, group);
		else if (s->top == 0 || rows++ < s->top)
			put_row(s, group);
		else
			s->left_out++;
		for (size_t f = 0; f < s->states; f++) {
			struct figures *figures = figures_of(s, group) + f;

			s->others[s->fields ? f : 0] += figures->others;
			figures_free(&s->plan, figures);
		}
	}
	rows_end_block(s->rows);
	free(ranked);
	groups_clear(s->groups);
	s->known = 0;
}

/* Reading */

static struct figures *group_of(struct stats *s, const struct slice *values)
{
	uint32_t group = groups_id(s->groups, values);

	if (__builtin_expect(group == s->known, 0)) {
		size_t n = (size_t)++s->known * s->states;

		s->figures = memory_grow(s->figures, &s->figures_room, n, sizeof *s->figures);
		memset(figures_of(s, group), 0, s->states * sizeof *s->figures);
	}
	return figures_of(s, group);
}

static void check_memory(const struct stats *s)
{
	uint64_t used = s->plan.memory + groups_bytes(s->groups) + s->figures_room * sizeof *s->figures;

	if (used > s->memory)
		message_die("cannot keep %lu groups in %llu MiB: group by fewer keys, choose fewer records or "
			    "figures, or give more --memory", (unsigned long)groups_count(s->groups),
			    (unsigned long long)(s->memory >> 20));
}

/* The interval of TS: the row's time is its end, which belongs to the next one. */
static void interval_of(const struct stats *s, int64_t ts, int64_t *start, int64_t *end)
{
	int64_t length = (int64_t)s->interval, into = ts % length;

	if (into < 0)
		into += length;
	if (__builtin_sub_overflow(ts, into, start))
		*start = INT64_MIN;
	if (__builtin_add_overflow(*start, length, end))
		*end = INT64_MAX;
}

static void enter_interval(struct stats *s, int64_t ts)
{
	if (ts >= s->interval_start && ts < s->interval_end)
		return;
	if (s->interval_end != INT64_MIN && ts < s->interval_start) {
		s->late++;	/* counted where it came, so that the rows add up to the whole */
		return;
	}
	if (s->interval_end != INT64_MIN)
		put_groups(s);
	interval_of(s, ts, &s->interval_start, &s->interval_end);
}

static void note_time(struct stats *s, int64_t ts)
{
	if (__builtin_expect(!s->timed, 0))
		s->begin_ts = s->end_ts = ts;
	s->timed = true;
	if (__builtin_expect(ts > s->end_ts, 1))
		s->end_ts = ts;
	else if (ts < s->begin_ts)
		s->begin_ts = ts;
}

static void count_record(struct stats *s, const struct record *record)
{
	struct slice key[GROUPS_KEYS_MAX];
	const struct slice *ts_text;
	struct figures *figures;
	int64_t ts = s->end_ts;
	size_t found = 0;

	for (size_t f = 0; f < s->fields; f++)
		found += lookup_index(&s->field[f], record->shape) >= 0;
	if (s->fields && !found)
		return;
	ts_text = lookup_value(&s->ts, record);
	if (__builtin_expect(ts_text && number_padded_i64(*ts_text, &ts), 1)) {
		note_time(s, ts);
	} else if (s->interval) {
		s->timeless++;
		return;
	}
	if (s->interval)
		enter_interval(s, ts);
	for (size_t k = 0; k < s->keys; k++) {
		int at = lookup_index(&s->key[k], record->shape);

		key[k] = at < 0 ? (struct slice){ 0 } : record->value[at];
	}
	figures = group_of(s, key);
	if (s->fields == 0)
		figures_add(&s->plan, figures, SLICE(""), ts);
	for (size_t f = 0; f < s->fields; f++) {
		int at = lookup_index(&s->field[f], record->shape);

		if (at < 0)
			continue;
		s->seen[f] = true;
		figures_add(&s->plan, figures + f, record->value[at], ts);
	}
}

/* The end of a partial record's interval as a value of a group; false: it does not fit ours. */
static bool interval_key(struct stats *s, const struct record *record, char *space, struct slice *key)
{
	int64_t length, ts, start, end;

	if (!lookup_i64(&s->interval_ns, record, &length) || length <= 0 ||
	    (int64_t)s->interval % length != 0 || !lookup_i64(&s->ts, record, &ts) || ts == INT64_MIN)
		return false;
	interval_of(s, ts - 1, &start, &end);	/* ts is the end, and the first moment of the next */
	*key = (struct slice){ space, number_put_i64(space, end) };
	return true;
}

static void join_record(struct stats *s, const struct record *record, struct reader *in)
{
	const struct slice *ev = lookup_value(&s->ev, record);
	struct slice key[GROUPS_KEYS_MAX + 1];
	char space[64] = { 0 };
	struct figures *figures;
	int64_t ts;

	if (!ev || !slice_equal(*ev, SLICE("partial"))) {
		reader_complain(in, "the record", "--merge wants what --partial wrote (ev=partial)");
		return;
	}
	if (s->interval && !interval_key(s, record, space, &key[0])) {
		reader_complain(in, "interval_ns", "--partial was given no -i, or one that does not divide this");
		return;
	}
	for (size_t k = 0; k < s->keys; k++) {
		const struct slice *value = lookup_value(&s->key[k], record);

		key[k + by_interval(s)] = value ? *value : (struct slice){ 0 };
	}
	if (lookup_i64(&s->first_ts, record, &ts))
		note_time(s, ts);
	if (lookup_i64(&s->last_ts, record, &ts))
		note_time(s, ts);
	figures = group_of(s, key);
	for (size_t f = 0; f < s->states; f++)
		if (!partial_read(s->state[f], &s->plan, figures + f, record, in))
			return;
}

/* Reporting */

static void report(const struct stats *s, uint64_t records, enum rows_form form)
{
	for (size_t f = 0; f < s->fields; f++) {
		if (s->others[f])
			message("%llu value%s of %.*s %s", (unsigned long long)s->others[f],
				s->others[f] == 1 ? "" : "s", (int)s->field[f].key.len, s->field[f].key.at,
				s->others[f] == 1 ? "was not a number" : "were not numbers");
	}
	for (size_t f = 0; f < s->fields && records && !s->merge; f++)
		if (!s->seen[f])
			message("no record has the field %.*s", (int)s->field[f].key.len, s->field[f].key.at);
	if (s->late)
		message("%llu record%s came after the rows of their interval: they are counted in a later one",
			(unsigned long long)s->late, s->late == 1 ? "" : "s");
	if (s->timeless)
		message("%llu record%s without a time (ts): they are in no interval",
			(unsigned long long)s->timeless, s->timeless == 1 ? " is" : "s are");
	if (form != ROWS_TABLE || s->partial)
		return;
	if (s->sketched)
		message("quantiles are within 1 %% in %llu row%s (more than %lu values), exact in others",
			(unsigned long long)s->sketched, s->sketched == 1 ? "" : "s",
			(unsigned long)s->plan.exact);
	if (s->estimated)
		message("distinct is estimated, with a standard error of 0.8 %%, in %llu row%s",
			(unsigned long long)s->estimated, s->estimated == 1 ? "" : "s");
	if (s->left_out)
		message("%llu row%s left out (-n %llu)", (unsigned long long)s->left_out,
			s->left_out == 1 ? " is" : "s are", (unsigned long long)s->top);
}

/* Where the parts of a group's state and its keys are in partial records. */
static void name_partials(struct stats *s)
{
	s->state = memory_zeroed(s->states * sizeof(struct partial *));
	for (size_t f = 0; f < s->states; f++)
		s->state[f] = partial_new(s->fields ? s->field[f].key : SLICE(""));
	s->group_key = memory_zeroed(s->keys * sizeof *s->group_key);
	for (size_t k = 0; k < s->keys; k++) {
		struct slice name = s->key[k].key;
		char *text = memory_get(name.len + 6);

		memcpy(text, "group.", 6);
		memcpy(text + 6, name.at, name.len);
		s->group_key[k] = key_of((struct slice){ text, name.len + 6 });
		free(text);
		if (s->merge)
			s->key[k].key = (struct slice){ s->group_key[k].at + 1, s->group_key[k].len - 2 };
	}
	if (s->states * s->plan.exact > PARTIAL_VALUES && (s->partial || s->merge) && s->plan.quantiles)
		message_usage("cannot write or join partial states of %lu values for %lu fields: their product "
			      "may be %d (--exact)", (unsigned long)s->plan.exact, (unsigned long)s->states,
			      PARTIAL_VALUES);
}

static void prepare(struct stats *s, char **keys, const char *aggregates, char **fields, const char *sort)
{
	char **names;

	check_keys(keys, "group key");
	check_keys(fields, "field");
	lookups_of(keys, &s->key, &s->keys);
	lookups_of(fields, &s->field, &s->fields);
	if (s->keys + 1 > GROUPS_KEYS_MAX)
		message_usage("cannot group by more than %d keys", GROUPS_KEYS_MAX - 1);
	s->states = s->fields ? s->fields : 1;
	if (!aggregates)
		aggregates = s->fields ? "count,sum,mean,stddev,min,p50,p95,p99,max" : "count,rate";
	names = options_split(aggregates);
	parse_figures(s, names);
	name_columns(s, names);
	free(names);
	if (sort)
		parse_sort(s, sort);
	name_partials(s);
	s->plan.memory_kept = s->memory / 2;
	s->interval_end = INT64_MIN;
	s->others = memory_zeroed(s->states * sizeof *s->others);
	s->seen = memory_zeroed(s->states * sizeof *s->seen);
	s->groups = groups_new(s->keys + by_interval(s));
}

static void finish(struct stats *s)
{
	struct lookup *single[] = { &s->ts, &s->first_ts, &s->last_ts, &s->interval_ns, &s->ev };

	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		lookup_free(single[i]);
	for (size_t k = 0; k < s->keys; k++) {
		lookup_free(&s->key[k]);
		free((void *)(uintptr_t)s->group_key[k].at);
	}
	for (size_t f = 0; f < s->states; f++)
		partial_free(s->state[f]);
	for (size_t f = 0; f < s->fields; f++)
		lookup_free(&s->field[f]);
	free_figure_names(s);
	groups_free(s->groups);
	free((void *)(uintptr_t)s->plan.figure);
	free(s->key);
	free(s->field);
	free(s->group_key);
	free(s->state);
	free(s->column);
	free(s->cells);
	free(s->figures);
	free(s->others);
	free(s->seen);
}

int main(int argc, char **argv)
{
	static const char *const forms[] = { "table", "tskv", "csv", "json", NULL };
	struct stats s = {
		.ts = LOOKUP("ts"), .first_ts = LOOKUP("first_ts"), .last_ts = LOOKUP("last_ts"),
		.interval_ns = LOOKUP("interval_ns"), .ev = LOOKUP("ev"), .memory = 1 << 30,
	};
	const char *keys = NULL, *aggregates = NULL, *sort = NULL;
	bool strict = false, progress_forced = false, no_progress = false;
	struct option_list files = { 0 };
	uint64_t exact = EXACT, records = 0;
	int form = -1, status;
	const struct option options[] = {
		{ 'g', "group", "KEY,...", "one row for each combination of the values of these keys",
		  OPTION_TEXT, .to = &keys },
		{ 'a', "aggregate", "NAME,...", "these figures: count sum mean stddev min max median p99.9 "
		  "rate first last distinct", OPTION_TEXT, .to = &aggregates },
		{ 'i', "interval", "TIME", "rows for each interval, while the stream runs", OPTION_SECONDS,
		  .to = &s.interval, .min = 1, .max = INT64_MAX },
		{ 's', "sort", "KEY", "sort by a figure (largest first) or group key; -KEY falling, +KEY rising",
		  OPTION_TEXT, .to = &sort },
		{ 'n', "top", "COUNT", "only the first COUNT rows (of each interval)", OPTION_COUNT,
		  .to = &s.top, .min = 1 },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = forms },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST, .to = &files },
		{ 0, "exact", "COUNT", "exact quantiles of up to COUNT values a group (65536)", OPTION_COUNT,
		  .to = &exact, .max = 1 << 28 },
		{ 0, "memory", "SIZE", "take no more memory than this (1G)", OPTION_SIZE, .to = &s.memory,
		  .min = 1 << 20 },
		{ 0, "partial", NULL, "write the states of the figures, to be merged", OPTION_FLAG,
		  .to = &s.partial },
		{ 0, "merge", NULL, "read such states instead of records", OPTION_FLAG, .to = &s.merge },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(progress_forced, no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "stats",
		.does = "count, sum, mean and quantiles of fields, by group and interval",
		.operands = "[FIELD...]",
		.options = options,
		.examples = "  stats -g comm,name dur_ns < spans.tskv\n"
			    "  stats -g comm -a count,p99.9,max -s p99.9 -n 10 dur_ns < spans.tskv\n"
			    "  stats -i 1s -g ev < spans.tskv\n",
	};
	char **fields = options_parse(&program, argv), *none[] = { NULL };
	char **key_names = keys ? options_split(keys) : none;
	const struct record *record;
	struct progress progress;
	struct loss loss = LOSS;
	struct reader *in;

	(void)argc;
	s.plan.exact = (uint32_t)exact;
	prepare(&s, key_names, aggregates, fields, sort);
	if (form < 0)
		form = isatty(STDOUT_FILENO) && !s.partial ? ROWS_TABLE : ROWS_RECORDS;
	if (s.partial && form != ROWS_RECORDS)
		message_usage("cannot write partial states as %s: they are records", forms[form]);
	if (s.partial && (s.top || s.sort.given))
		message_usage("cannot sort or cut partial states: -s and -n are for the merge");
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;

	s.out = writer_stdout();
	s.rows = rows_open(s.out, (enum rows_form)form, s.column, s.columns, s.interval != 0);
	in = reader_open((char **)(uintptr_t)files.items, s.out);
	progress_start(&progress, "records", progress_forced, no_progress);
	while ((record = reader_next(in))) {
		records++;
		if (progress.shown)
			progress_at(&progress, reader_bytes(in), reader_size(in), records);
		if (loss_is(&loss, record)) {
			if (form == ROWS_RECORDS)
				writer_bytes(s.out, record->line, record->len);
		} else if (s.merge) {
			join_record(&s, record, in);
		} else {
			count_record(&s, record);
		}
		if ((records & 1023) == 0)
			check_memory(&s);
	}
	progress_end(&progress);
	put_groups(&s);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	rows_close(s.rows);
	writer_close(s.out);
	report(&s, records, (enum rows_form)form);
	if (loss_report(&loss, "the figures are", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	finish(&s);
	if (key_names != none)
		free(key_names);
	free(files.items);
	return status;
}
