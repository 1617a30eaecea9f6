// SPDX-License-Identifier: MIT
/*
 * stats: counts, sums, means and quantiles of fields, by group and by interval of time.
 *
 *	$ stats -g comm,name dur_ns < spans.tskv
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/options.h"
#include "base/progress.h"
#include "records/input.h"
#include "records/loss.h"
#include "records/ranking.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"
#include "stats/tally.h"

enum { EXACT = 65536 };	/* values of a group that are kept for exact quantiles */

/* What to sort rows by. */
struct sort {
	bool given, falling;
	size_t column;		/* of the row */
};

struct stats {
	struct tally tally;

	/* What was asked for */
	uint64_t top;
	bool partial;
	struct sort sort;
	size_t ev_key;		/* the group key that is `ev`; SIZE_MAX: none is */

	/* What comes out */
	struct column *column;
	size_t columns;
	struct cell *cells;	/* of a row */
	struct rows *rows;
	struct writer *out;
	uint64_t left_out, sketched, estimated;	/* rows */
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

static void parse_figures(struct stats *s, char **names)
{
	struct figure *figure = memory_zeroed(FIGURES_MAX * sizeof *figure);

	s->tally.plan.figure = figure;
	for (; names[s->tally.plan.n]; s->tally.plan.n++) {
		const char *name = names[s->tally.plan.n];

		if (s->tally.plan.n == FIGURES_MAX)
			message_usage("cannot compute more than %d figures at once", FIGURES_MAX);
		if (!figures_parse(name, &figure[s->tally.plan.n]))
			message_usage("cannot compute '%.100s': figures are count sum mean stddev min max "
				      "median rate first last distinct, and p0 to p100 as in p99.9", name);
		if (is_among(name, names + s->tally.plan.n + 1))
			message_usage("cannot compute '%.100s' twice", name);
		if (s->tally.fields == 0 && figure[s->tally.plan.n].kind != FIGURE_COUNT &&
		    figure[s->tally.plan.n].kind != FIGURE_RATE)
			message_usage("cannot compute %.100s: of which FIELD?", name);
	}
	figures_start(&s->tally.plan);
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
	s->columns = s->tally.keys;
	for (size_t f = 0; f < s->tally.states; f++) {
		struct slice field = s->tally.fields ? s->tally.field[f].key : SLICE("");

		for (size_t i = 0; i < s->tally.plan.n; i++)
			add_column(s, field, prefix, names[i], role_of(&s->tally.plan.figure[i], field));
		if (s->tally.plan.distinct)
			add_column(s, field, prefix, "distinct_is", COLUMN_NOTE);
		if (s->tally.plan.quantiles)
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
	for (size_t i = s->tally.keys; i < s->columns; i++)
		free((void *)(uintptr_t)s->column[i].name.at);
}

static void name_columns(struct stats *s, char **keys, char **names)
{
	size_t n = s->tally.keys + s->tally.states * (s->tally.plan.n + 2);
	bool prefix = s->tally.fields > 1;
	const struct column *same;

	s->column = memory_zeroed(n * sizeof *s->column);
	s->ev_key = SIZE_MAX;
	for (size_t i = 0; i < s->tally.keys; i++) {
		bool is_ev = strcmp(keys[i], "ev") == 0;

		s->column[i] = (struct column){ slice_of(keys[i]), is_ev ? COLUMN_EV : COLUMN_TEXT };
		if (is_ev)
			s->ev_key = i;
	}
	name_figures(s, names, prefix);
	if (same_name(s) && !prefix && s->tally.fields) {
		free_figure_names(s);
		name_figures(s, names, true);
	}
	same = same_name(s);
	if (same)
		message_usage("cannot write two fields '%.100s' in a row: it is the name of a group key, "
			      "of a figure or of the row's time", same->name.at);
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
		message_usage("cannot sort by '%.100s': it is neither a group key nor one of the figures "
			      "that are asked for%s", text, s->tally.fields > 1 ? " (FIELD.NAME)" : "");
	s->sort.given = true;
	s->sort.falling = sign ? *text == '-' : s->sort.column >= s->tally.keys;
}

/* Rows */

/* Fills the cells of the group's row; the notes are of all its fields. */
static struct figures_notes fill_cells(struct stats *s, uint32_t group)
{
	struct figures_plan *plan = &s->tally.plan;
	struct figures *figures = tally_figures(&s->tally, group);
	struct figures_notes all = { 0 };
	struct cell *cell = s->cells;

	for (size_t k = 0; k < s->tally.keys; k++)
		*cell++ = cell_text(tally_value(&s->tally, group, k));
	for (size_t f = 0; f < s->tally.states; f++) {
		struct figures_notes notes;

		figures_get(plan, &figures[f], tally_span(&s->tally), cell, &notes);
		cell += plan->n;
		if (plan->distinct)
			*cell++ = cell_text(notes.estimated ? SLICE("estimate") : SLICE("exact"));
		if (plan->quantiles)
			*cell++ = cell_text(notes.sketched ? SLICE("sketch") : SLICE("exact"));
		all.sketched |= notes.sketched;
		all.estimated |= notes.estimated;
	}
	return all;
}

static void put_row(struct stats *s, uint32_t group)
{
	struct figures_notes notes = fill_cells(s, group);
	struct slice ev = SLICE("stats");

	s->sketched += notes.sketched;
	s->estimated += notes.estimated;
	if (s->ev_key != SIZE_MAX && s->cells[s->ev_key].kind == CELL_TEXT)
		ev = s->cells[s->ev_key].text;
	rows_put(s->rows, tally_time(&s->tally, group), ev, s->cells);
}

/* The groups at hand in the order of their rows: what that needs to know of them. */
struct order {
	struct stats *stats;
	struct cell *by;	/* by group: the figure to sort by; NULL: none is */
};

static struct cell sort_cell(const struct order *order, uint32_t group)
{
	const struct stats *s = order->stats;

	return order->by ? order->by[group] : cell_text(tally_value(&s->tally, group, s->sort.column));
}

/* What is sorted by; a row that lacks it comes last, whichever way. */
static int by_asked(const struct order *order, uint32_t x, uint32_t y)
{
	struct cell a = sort_cell(order, x), b = sort_cell(order, y);

	if (a.kind == CELL_NONE || b.kind == CELL_NONE)
		return (a.kind == CELL_NONE) - (b.kind == CELL_NONE);
	return order->stats->sort.falling ? cell_compare(&b, &a) : cell_compare(&a, &b);
}

static int by_all(const void *context, uint32_t a, uint32_t b)
{
	const struct order *order = context;
	const struct tally *tally = &order->stats->tally;
	int asked = 0;

	if (tally_time(tally, a) != tally_time(tally, b))
		return tally_time(tally, a) < tally_time(tally, b) ? -1 : 1;
	if (order->stats->sort.given)
		asked = by_asked(order, a, b);
	return asked ? asked : tally_compare(tally, a, b);
}

static struct ranked *rank_groups(struct stats *s, uint32_t n)
{
	bool by_interval = tally_by_interval(&s->tally), asked = s->sort.given && !by_interval;
	struct ranked *ranked = memory_get(n * sizeof *ranked);
	struct order order = { .stats = s };
	struct ranking ranking = { asked && s->sort.falling, asked, by_all, &order };

	if (s->sort.given && s->sort.column >= s->tally.keys)
		order.by = memory_get(n * sizeof *order.by);
	for (uint32_t group = 0; group < n; group++) {
		struct cell cell = { 0 };

		if (order.by) {
			fill_cells(s, group);
			order.by[group] = s->cells[s->sort.column];
		}
		if (by_interval)
			cell = cell_whole(tally_time(&s->tally, group));
		else if (asked)
			cell = sort_cell(&order, group);
		else if (s->tally.keys)
			cell = cell_text(tally_value(&s->tally, group, 0));
		ranked[group] = ranking_of(&cell, group);
	}
	ranking_sort(&ranking, ranked, n);
	free(order.by);
	return ranked;
}

/* Writes the groups at hand and forgets them. */
static void put_groups(void *context)
{
	struct stats *s = context;
	uint32_t n = tally_groups(&s->tally);
	struct ranked *ranked = rank_groups(s, n);
	int64_t time = 0;
	uint64_t rows = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t group = ranked[i].row;

		if (i == 0 || tally_time(&s->tally, group) != time) {
			rows_end_block(s->rows);
			rows = 0;
		}
		time = tally_time(&s->tally, group);
		if (s->partial)
			tally_write(&s->tally, group, s->out);
		else if (s->top == 0 || rows++ < s->top)
			put_row(s, group);
		else
			s->left_out++;
	}
	rows_end_block(s->rows);
	free(ranked);
	tally_clear(&s->tally);
}

/* Reporting */

static void report(const struct stats *s, uint64_t records, enum rows_form form)
{
	const struct tally *tally = &s->tally;

	for (size_t f = 0; f < tally->fields; f++) {
		struct slice name = tally->field[f].key;
		unsigned long long others = tally->others[f];

		if (others)
			message("%llu value%s of %.*s %s", others, others == 1 ? "" : "s", (int)name.len,
				name.at, others == 1 ? "was not a number" : "were not numbers");
		if (records && !tally->join && !tally->seen[f])
			message("no record has the field %.*s", (int)name.len, name.at);
	}
	if (s->tally.late)
		message("%llu record%s came after the rows of their interval: they are counted in a later "
			"one",
			(unsigned long long)s->tally.late, s->tally.late == 1 ? "" : "s");
	if (s->tally.timeless)
		message("%llu record%s without a time (ts): they are in no interval",
			(unsigned long long)s->tally.timeless, s->tally.timeless == 1 ? " is" : "s are");
	if (form != ROWS_TABLE || s->partial)
		return;
	if (s->sketched)
		message("quantiles are within 1 %% in %llu row%s (more than %lu values%s), exact in others",
			(unsigned long long)s->sketched, s->sketched == 1 ? "" : "s",
			(unsigned long)s->tally.plan.exact, s->tally.join ? ", or states without their values" : "");
	if (s->estimated)
		message("distinct is estimated, with a standard error of 0.8 %%, in %llu row%s",
			(unsigned long long)s->estimated, s->estimated == 1 ? "" : "s");
	rows_left_out(s->left_out, "row", s->top);
}

static void prepare(struct stats *s, char **keys, const char *aggregates, char **fields, const char *sort)
{
	struct tally *tally = &s->tally;
	size_t n = 0;
	char **names;

	check_keys(keys, "group key");
	check_keys(fields, "field");
	while (keys[n])
		n++;
	if (n > TALLY_KEYS_MAX)
		message_usage("cannot group by more than %d keys", TALLY_KEYS_MAX);
	tally->interval_ended = put_groups;
	tally->context = s;
	tally_start(tally, keys, fields);
	if (!aggregates)
		aggregates = tally->fields ? "count,sum,mean,stddev,min,p50,p95,p99,max" : "count,rate";
	names = options_split(aggregates);
	parse_figures(s, names);
	name_columns(s, keys, names);
	free(names);
	if (sort)
		parse_sort(s, sort);
	if ((s->partial || tally->join) && tally->plan.quantiles &&
	    tally->states * tally->plan.exact > TALLY_PARTIAL_VALUES)
		message_usage("cannot write or join partial states of %lu values for %lu fields: their "
			      "product may be %d (--exact)", (unsigned long)tally->plan.exact,
			      (unsigned long)tally->states, TALLY_PARTIAL_VALUES);
}

static void finish(struct stats *s)
{
	free_figure_names(s);
	free((void *)(uintptr_t)s->tally.plan.figure);
	free(s->column);
	free(s->cells);
	tally_free(&s->tally);
}

int main(int argc, char **argv)
{
	struct stats s = { .tally = TALLY };
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
		  .to = &s.tally.interval, .min = 1, .max = INT64_MAX },
		{ 's', "sort", "KEY", "sort by a figure (largest first) or key; -KEY: falling, +KEY: rising",
		  OPTION_TEXT, .to = &sort },
		{ 'n', "top", "COUNT", "only the first COUNT rows (of each interval)", OPTION_COUNT,
		  .to = &s.top, .min = 1 },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = rows_forms },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST,
		  .to = &files },
		{ 0, "exact", "COUNT", "exact quantiles of up to COUNT values a group (65536)", OPTION_COUNT,
		  .to = &exact, .max = 1 << 28 },
		{ 0, "memory", "SIZE", "take no more memory than this (1G)", OPTION_SIZE,
		  .to = &s.tally.memory, .min = 1 << 20 },
		{ 0, "partial", NULL, "write the states of the figures, to be merged", OPTION_FLAG,
		  .to = &s.partial },
		{ 0, "merge", NULL, "read such states instead of records", OPTION_FLAG, .to = &s.tally.join },
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
	s.tally.plan.exact = (uint32_t)exact;
	input_no_files(fields);
	prepare(&s, key_names, aggregates, fields, sort);
	form = form < 0 && s.partial ? ROWS_RECORDS : (int)rows_form_of(form);
	if (s.partial && form != ROWS_RECORDS)
		message_usage("cannot write partial states as %s: they are records", rows_forms[form]);
	if (s.partial && (s.top || s.sort.given))
		message_usage("cannot sort or cut partial states: -s and -n are for the merge");
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;

	s.out = writer_stdout();
	s.rows = rows_open(s.out, (enum rows_form)form, s.column, s.columns, s.tally.interval != 0);
	in = reader_open((char **)(uintptr_t)files.items, s.out);
	progress_start(&progress, "records", progress_forced, no_progress);
	while ((record = reader_next(in))) {
		records++;
		if (progress.shown)
			progress_at(&progress, reader_bytes(in), reader_size(in), records);
		if (loss_is(&loss, record)) {
			if (form == ROWS_RECORDS)
				writer_bytes(s.out, record->line, record->len);
		} else if (s.tally.join) {
			tally_join(&s.tally, record, in);
		} else {
			tally_count(&s.tally, record);
		}
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
