// SPDX-License-Identifier: MIT
/*
 * histogram: how often a field has values of which size, by group: buckets, with bars in tables.
 *
 *	$ where ev=runq < spans.tskv | histogram -g comm -o table dur_ns
 */
#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "records/input.h"
#include "records/keylist.h"
#include "records/loss.h"
#include "records/ranking.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"
#include "stats/groups.h"

enum { BAR = 40, GROUPS_MAX = 1 << 16, RESOLUTION_MAX = 64 };

/* The counts of a group: of the buckets from `first` on. */
struct counts {
	uint64_t *n;
	size_t first, buckets;
	int64_t ts;		/* of its latest record */
};

struct histogram {
	struct keylist keys;
	struct lookup field, ts;
	uint64_t resolution;	/* buckets for each factor of 2 */
	unsigned steps;		/* its logarithm */
	uint64_t top;		/* only so many groups; 0: all */

	struct groups *groups;
	struct counts *counts;	/* by group */
	size_t room;
	struct slice values[GROUPS_KEYS_MAX];
	uint64_t others, negative;

	struct column *column;
	struct cell *cells;
	char *from_name, *to_name;
	struct rows *rows;
	bool bars;
};

/*
 * Buckets whose width doubles with each factor of 2, as in HdrHistogram (Tene): the values below the
 * resolution each have one of their own.
 */
static size_t bucket_of(const struct histogram *h, uint64_t value)
{
	unsigned shift;

	if (value < h->resolution)
		return (size_t)value;
	shift = 63 - (unsigned)__builtin_clzll(value) - h->steps;
	return (size_t)(h->resolution * shift + (value >> shift));
}

/* The smallest value of a bucket. */
static __int128 bucket_from(const struct histogram *h, size_t bucket)
{
	size_t shift = bucket / h->resolution;

	if (shift < 2)
		return (__int128)bucket;
	return (__int128)(bucket % h->resolution + h->resolution) << (shift - 1);
}

static bool value_of(struct histogram *h, struct slice text, uint64_t *value)
{
	int64_t whole;
	double real;

	if (number_padded_i64(text, &whole)) {
		h->negative += whole < 0;
		*value = (uint64_t)whole;
		return whole >= 0;
	}
	if (number_u64(text, value))
		return true;
	if (!number_real(text, &real) || real >= 0x1p64) {
		h->others++;
		return false;
	}
	h->negative += real < 0;
	*value = real < 0 ? 0 : (uint64_t)real;
	return real >= 0;
}

static void count(struct histogram *h, const struct record *record)
{
	const struct slice *text = lookup_value(&h->field, record);
	struct counts *counts;
	uint64_t value;
	uint32_t group;
	size_t bucket;
	int64_t ts = 0;

	if (!text || !value_of(h, *text, &value))
		return;
	keylist_values(&h->keys, record, h->values);
	group = groups_id(h->groups, h->values);
	if (group >= GROUPS_MAX)
		message_die("cannot count more than %d groups: group by fewer keys, or select with where",
			    GROUPS_MAX);
	if (group >= h->room) {
		size_t was = h->room;

		h->counts = memory_grow(h->counts, &h->room, group + 1, sizeof *h->counts);
		memset(h->counts + was, 0, (h->room - was) * sizeof *h->counts);
	}
	counts = &h->counts[group];
	bucket = bucket_of(h, value);
	if (counts->buckets == 0)
		counts->first = bucket;
	if (bucket < counts->first || bucket - counts->first >= counts->buckets) {
		size_t first = bucket < counts->first ? bucket : counts->first,
		       end = counts->first + counts->buckets;
		uint64_t *wider;

		end = bucket >= end ? bucket + 1 : end;
		wider = memory_zeroed((end - first) * sizeof *wider);
		if (counts->buckets)
			memcpy(wider + (counts->first - first), counts->n, counts->buckets * sizeof *wider);
		free(counts->n);
		*counts = (struct counts){ wider, first, end - first, counts->ts };
	}
	counts->n[bucket - counts->first]++;
	if (lookup_i64(&h->ts, record, &ts) && ts > counts->ts)
		counts->ts = ts;
}

static void put_group(struct histogram *h, uint32_t group)
{
	static const char bar[BAR + 1] = "########################################";
	const struct counts *counts = &h->counts[group];
	struct cell *cell = h->cells;
	uint64_t most = 1;

	for (size_t k = 0; k < h->keys.n; k++)
		*cell++ = cell_text(groups_value(h->groups, group, k));
	for (size_t i = 0; i < counts->buckets; i++)
		most = counts->n[i] > most ? counts->n[i] : most;
	for (size_t i = 0; i < counts->buckets; i++) {
		uint64_t n = counts->n[i];
		/* What is there at all shows. */
		size_t len = n ? 1 + (size_t)((double)n / (double)most * (BAR - 1)) : 0;

		cell[0] = cell_whole(bucket_from(h, counts->first + i));
		cell[1] = cell_whole(bucket_from(h, counts->first + i + 1));
		cell[2] = cell_whole(n);
		cell[3] = cell_text((struct slice){ bar, len });
		rows_put(h->rows, counts->ts, SLICE("bucket"), h->cells);
	}
}

static int by_group(const void *context, uint32_t a, uint32_t b)
{
	return groups_compare(context, a, b);
}

static struct cell total(const struct counts *counts)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < counts->buckets; i++)
		sum += counts->n[i];
	return cell_whole(sum);
}

/* Those with most values, if not all, in the order of their keys. */
static void put_groups(struct histogram *h)
{
	uint32_t n = groups_count(h->groups), rest = h->top && n > h->top ? n - (uint32_t)h->top : 0;
	struct ranked *ranked = memory_get((n + 1) * sizeof *ranked);
	struct ranking ranking = { .falling = true, .exact = by_group, .context = h->groups };

	for (uint32_t i = 0; i < n; i++) {
		struct cell cell = total(&h->counts[i]);

		ranked[i] = ranking_of(&cell, i);
	}
	if (rest)
		ranking_sort(&ranking, ranked, n);
	ranking.falling = false;
	for (uint32_t i = 0; i < n - rest; i++) {
		struct cell cell = { 0 };

		if (h->keys.n)
			cell = cell_text(groups_value(h->groups, ranked[i].row, 0));
		ranked[i] = ranking_of(&cell, ranked[i].row);
	}
	ranking_sort(&ranking, ranked, n - rest);
	for (uint32_t i = 0; i < n - rest; i++)
		put_group(h, ranked[i].row);
	for (uint32_t i = 0; i < n; i++)
		free(h->counts[i].n);
	free(ranked);
	free(h->counts);
	rows_left_out(rest, "group", h->top);
}

/* PREFIX and the unit at the end of the field's name: from_ns, to_bytes. */
static char *bound_name(const char *prefix, enum column_role role)
{
	const char *unit = role == COLUMN_NS ? "_ns" : role == COLUMN_BYTES ? "_bytes" : "";
	char *name = memory_get(strlen(prefix) + strlen(unit) + 1);

	strcpy(name, prefix);
	strcat(name, unit);
	return name;
}

static void name_columns(struct histogram *h)
{
	enum column_role role = rows_role(h->field.key, COLUMN_NUMBER);
	size_t n = h->keys.n;

	role = role == COLUMN_TIME ? COLUMN_NUMBER : role;
	h->column = memory_zeroed((n + 4) * sizeof *h->column);
	h->cells = memory_zeroed((n + 4) * sizeof *h->cells);
	h->from_name = bound_name("from", role);
	h->to_name = bound_name("to", role);
	for (size_t i = 0; i < n; i++) {
		struct slice key = h->keys.lookup[i].key;

		if (slice_equal(key, SLICE("ev")) || slice_equal(key, SLICE("ts")) ||
		    slice_equal(key, SLICE("count")) || slice_equal(key, slice_of(h->from_name)) ||
		    slice_equal(key, slice_of(h->to_name)))
			message_usage("cannot group by '%.*s': each row has one of its own", (int)key.len,
				      key.at);
		h->column[i] = (struct column){ key, COLUMN_TEXT };
	}
	h->column[n] = (struct column){ slice_of(h->from_name), role };
	h->column[n + 1] = (struct column){ slice_of(h->to_name), role };
	h->column[n + 2] = (struct column){ SLICE("count"), COLUMN_NUMBER };
	h->column[n + 3] = (struct column){ SLICE("bar"), COLUMN_TEXT };
}

static void say_uncounted(uint64_t n, struct slice field, const char *one, const char *many)
{
	if (n)
		message("%llu value%s of %.*s %s", (unsigned long long)n, n == 1 ? "" : "s", (int)field.len,
			field.at, n == 1 ? one : many);
}

int main(int argc, char **argv)
{
	struct histogram h = { .ts = LOOKUP("ts"), .resolution = 1 };
	const char *keys = NULL;
	struct option_list files = { 0 };
	bool strict = false;
	int form = -1, status;
	const struct option options[] = {
		{ 'g', "group", "KEY,...", "one histogram for each combination of the values of these keys",
		  OPTION_TEXT, .to = &keys },
		{ 'r', "resolution", "N", "buckets for each factor of 2: 1 (default), 2, 4, ... 64", OPTION_COUNT,
		  .to = &h.resolution, .min = 1, .max = RESOLUTION_MAX },
		{ 'n', "top", "COUNT", "only the COUNT groups with most values", OPTION_COUNT, .to = &h.top,
		  .min = 1 },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = rows_forms },
		{ 'f', "file", "FILE", "read FILE instead of stdin; may be repeated", OPTION_LIST,
		  .to = &files },
		{ 0, "strict", NULL, "exit with status 3 when events were lost", OPTION_FLAG, .to = &strict },
		{ 0 },
	};
	const struct program program = {
		.name = "histogram",
		.does = "count how often a field has values of which size, by group",
		.operands = "FIELD",
		.options = options,
		.examples = "  where ev=runq < spans.tskv | histogram -g comm -o table dur_ns\n",
	};
	char **fields = options_parse(&program, argv);
	const struct record *record;
	struct loss loss = LOSS;
	struct reader *in;
	struct writer *out;

	(void)argc;
	input_no_files(fields);
	if (!fields[0] || fields[1])
		message_usage("cannot count: it takes one field");
	h.field.key = slice_of(fields[0]);
	if (!keylist_valid(h.field.key))
		message_usage("cannot use the field '%.100s': a key is letters, digits, _ and .", fields[0]);
	if (h.resolution & (h.resolution - 1))
		message_usage("cannot make %llu buckets for each factor of 2: it is a power of 2",
			      (unsigned long long)h.resolution);
	h.steps = (unsigned)__builtin_ctzll(h.resolution);
	h.keys = keylist_parse(keys, "group key");
	if (h.keys.n > GROUPS_KEYS_MAX)
		message_usage("cannot group by more than %d keys", GROUPS_KEYS_MAX);
	name_columns(&h);
	files.items = memory_grow(files.items, &files.room, files.count + 1, sizeof *files.items);
	files.items[files.count] = NULL;
	form = (int)rows_form_of(form);
	h.groups = groups_new(h.keys.n);
	out = writer_stdout();
	h.rows = rows_open(out, (enum rows_form)form, h.column, h.keys.n + (form == ROWS_TABLE ? 4 : 3), false);
	in = reader_open((char **)(uintptr_t)files.items, out);
	while ((record = reader_next(in))) {
		if (!loss_is(&loss, record))
			count(&h, record);
		else if (form == ROWS_RECORDS)
			writer_bytes(out, record->line, record->len);
	}
	put_groups(&h);
	status = reader_close(in) ? EXIT_COMPLETE : EXIT_FAILED;
	rows_close(h.rows);
	writer_close(out);
	say_uncounted(h.others, h.field.key, "was not a number", "were not numbers");
	say_uncounted(h.negative, h.field.key, "was below 0 and has no bucket", "were below 0 and have no bucket");
	if (loss_report(&loss, "the counts are", strict) && status == EXIT_COMPLETE)
		status = EXIT_LOSS;
	groups_free(h.groups);
	keylist_free(&h.keys);
	lookup_free(&h.field);
	lookup_free(&h.ts);
	free(h.column);
	free(h.cells);
	free(h.from_name);
	free(h.to_name);
	free(files.items);
	return status;
}
