// SPDX-License-Identifier: MIT
/*
 * share: how much of a window of time spans take, by group; spans that cross its edges are cut there.
 *
 *	$ where ev=oncpu < spans.tskv | share -g cpu --begin 01:41:40 --end 01:41:45
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/keylist.h"
#include "records/loss.h"
#include "records/match.h"
#include "records/ranking.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"
#include "stats/groups.h"

enum { GROUPS_MAX = 1 << 22 };

struct sum {
	uint64_t n;		/* spans */
	__int128 ns;
};

struct share {
	struct keylist keys;
	struct lookup ts, dur;
	struct match *only;
	size_t only_n;
	struct moment begin, end;
	bool has_begin, has_end, started;
	int64_t begin_ns, end_ns;	/* given, or of the spans so far */
	uint64_t top, left_out;

	struct groups *groups;
	struct sum *sums;	/* by group */
	size_t room;
	struct slice values[GROUPS_KEYS_MAX];

	struct column *column;
	struct cell *cells;
	struct rows *rows;
	struct reader *in;
};

/* Whether any of the conditions on each key holds: those on the same key are alternatives. */
static bool wanted(struct share *s, const struct record *record)
{
	for (size_t i = 0, next; i < s->only_n; i = next) {
		bool holds = false;

		for (next = i; next < s->only_n && slice_equal(s->only[next].key.key, s->only[i].key.key); next++)
			holds = holds || match_holds(&s->only[next], record);
		if (!holds)
			return false;
	}
	return true;
}

static int by_key(const void *a, const void *b)
{
	return slice_compare(((const struct match *)a)->key.key, ((const struct match *)b)->key.key);
}

static void parse_only(struct share *s, const struct option_list *list)
{
	s->only = memory_zeroed((list->count + 1) * sizeof *s->only);
	for (; s->only_n < list->count; s->only_n++)
		if (!match_parse(&s->only[s->only_n], list->items[s->only_n]))
			message_usage("cannot use '%.200s': it is not KEY=VALUE", list->items[s->only_n]);
	qsort(s->only, s->only_n, sizeof *s->only, by_key);
}

static void start(struct share *s, int64_t first)
{
	s->started = true;
	s->begin_ns = s->has_begin ? number_moment_ns(s->begin, first) : INT64_MAX;
	s->end_ns = s->has_end ? number_moment_ns(s->end, first) : INT64_MIN;
	if (s->has_begin && s->has_end && s->begin_ns >= s->end_ns)
		message_die("cannot share the window: it %s",
			    s->begin_ns == s->end_ns ? "has no length" : "ends before it begins");
}

static void add(struct share *s, const struct record *record)
{
	int64_t ts, dur, from;
	struct sum *sum;
	uint32_t group;

	if (!lookup_value(&s->dur, record))
		return;
	if (!lookup_i64(&s->ts, record, &ts) || !lookup_i64(&s->dur, record, &dur) || dur < 0 ||
	    __builtin_sub_overflow(ts, dur, &from)) {
		reader_complain(s->in, "dur_ns", "it or ts is not a time");
		return;
	}
	if (!s->started)
		start(s, from);
	if (s->has_begin)
		from = from < s->begin_ns ? s->begin_ns : from;
	else
		s->begin_ns = from < s->begin_ns ? from : s->begin_ns;
	if (s->has_end)
		ts = ts > s->end_ns ? s->end_ns : ts;
	else
		s->end_ns = ts > s->end_ns ? ts : s->end_ns;
	if (ts < from || (ts == from && dur) || !wanted(s, record))	/* outside, or others */
		return;
	keylist_values(&s->keys, record, s->values);
	group = groups_id(s->groups, s->values);
	if (group >= GROUPS_MAX)
		message_die("cannot sum more than %d groups: group by fewer keys, or select with where",
			    GROUPS_MAX);
	if (group >= s->room) {
		size_t was = s->room;

		s->sums = memory_grow(s->sums, &s->room, group + 1, sizeof *s->sums);
		memset(s->sums + was, 0, (s->room - was) * sizeof *s->sums);
	}
	sum = &s->sums[group];
	sum->n++;
	sum->ns += ts - from;
}

static int by_time(const void *context, uint32_t a, uint32_t b)
{
	const struct share *s = context;

	if (s->sums[a].ns != s->sums[b].ns)
		return s->sums[a].ns > s->sums[b].ns ? -1 : 1;
	return groups_compare(s->groups, a, b);
}

static void put_groups(struct share *s)
{
	uint32_t n = groups_count(s->groups);
	struct ranked *ranked = memory_get((n + 1) * sizeof *ranked);
	struct ranking ranking = { .falling = true, .exact = by_time, .context = s };
	__int128 window = s->started ? (__int128)s->end_ns - s->begin_ns : 0;

	for (uint32_t i = 0; i < n; i++) {
		struct cell cell = cell_whole(s->sums[i].ns);

		ranked[i] = ranking_of(&cell, i);
	}
	ranking_sort(&ranking, ranked, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct sum *sum = &s->sums[ranked[i].row];
		struct cell *cell = s->cells;

		if (s->top && i >= s->top) {
			s->left_out++;
			continue;
		}
		for (size_t k = 0; k < s->keys.n; k++)
			*cell++ = cell_text(groups_value(s->groups, ranked[i].row, k));
		*cell++ = cell_whole(sum->n);
		*cell++ = cell_whole(sum->ns);
		*cell++ = window > 0 ? cell_real(100 * (double)sum->ns / (double)window) : (struct cell){ 0 };
		*cell++ = cell_whole(window);
		rows_put(s->rows, s->end_ns, SLICE("share"), s->cells);
	}
	free(ranked);
	free(s->sums);
}

static void name_columns(struct share *s)
{
	static const struct column own[] = {
		{ { "count", 5 }, COLUMN_NUMBER }, { { "time_ns", 7 }, COLUMN_NS },
		{ { "percent", 7 }, COLUMN_PERCENT }, { { "window_ns", 9 }, COLUMN_NOTE },
	};
	size_t n = s->keys.n;

	s->column = memory_zeroed((n + 4) * sizeof *s->column);
	s->cells = memory_zeroed((n + 4) * sizeof *s->cells);
	for (size_t i = 0; i < n; i++) {
		struct slice key = s->keys.lookup[i].key;

		for (size_t k = 0; k < 4; k++)
			if (slice_equal(key, own[k].name) || slice_equal(key, SLICE("ts")) ||
			    slice_equal(key, SLICE("ev")))
				message_usage("cannot group by '%.*s': each row has one of its own",
					      (int)key.len, key.at);
		s->column[i] = (struct column){ key, COLUMN_TEXT };
	}
	memcpy(s->column + n, own, sizeof own);
}

int main(int argc, char **argv)
{
	struct share s = { .ts = LOOKUP("ts"), .dur = LOOKUP("dur_ns") };
	struct option_list only = { 0 };
	const char *keys = NULL;
	bool strict = false;
	int form = -1, status;
	const struct option options[] = {
		{ 'g', "group", "KEY,...", "one row for each combination of the values of these keys",
		  OPTION_TEXT, .to = &keys },
		{ 'e', "only", "KEY=VALUE", "sum only these spans; the window stays that of all; may be repeated: "
		  "with the same KEY, either", OPTION_LIST, .to = &only },
		{ 'n', "top", "COUNT", "only the first COUNT rows", OPTION_COUNT, .to = &s.top, .min = 1 },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = rows_forms },
		{ 0, "begin", "TIME", "the window's begin (that of the earliest span)", OPTION_MOMENT,
		  .to = &s.begin, .seen = &s.has_begin },
		{ 0, "end", "TIME", "the window's end (that of the last span)", OPTION_MOMENT, .to = &s.end,
		  .seen = &s.has_end },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "share",
		.does = "sum the time of spans within a window, by group, and its share of the window",
		.operands = "[FILE...]",
		.options = options,
		.examples = "  where ev=oncpu < spans.tskv | share -g pid,comm -n 10\n",
	};
	char **files = options_parse(&program, argv);
	const struct record *record;
	struct loss loss = LOSS;
	struct writer *out;

	(void)argc;
	s.keys = keylist_parse(keys, "group key");
	if (s.keys.n > GROUPS_KEYS_MAX)
		message_usage("cannot group by more than %d keys", GROUPS_KEYS_MAX);
	name_columns(&s);
	parse_only(&s, &only);
	form = (int)rows_form_of(form);
	s.groups = groups_new(s.keys.n);
	out = writer_stdout();
	s.rows = rows_open(out, (enum rows_form)form, s.column, s.keys.n + 4, false);
	s.in = reader_open(files, out);
	while ((record = reader_next(s.in))) {
		if (!loss_is(&loss, record))
			add(&s, record);
		else if (form == ROWS_RECORDS)
			writer_bytes(out, record->line, record->len);
	}
	put_groups(&s);
	status = reader_close(s.in) ? EXIT_COMPLETE : EXIT_FAILED;
	rows_close(s.rows);
	writer_close(out);
	if (form == ROWS_TABLE)
		rows_left_out(s.left_out, "row", s.top);
	if (loss_report(&loss, "the shares are", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	groups_free(s.groups);
	keylist_free(&s.keys);
	for (size_t i = 0; i < s.only_n; i++)
		lookup_free(&s.only[i].key);
	free(s.only);
	free(only.items);
	lookup_free(&s.ts);
	lookup_free(&s.dur);
	free(s.column);
	free(s.cells);
	return status;
}
