// SPDX-License-Identifier: MIT
/*
 * compare: did a figure get worse from one recording to another? Medians and tails by group, with
 * intervals, a test of significance, and an exit status for gates.
 *
 *	$ compare -g comm,name base.tskv new.tskv dur_ns
 */
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/message.h"
#include "base/number.h"
#include "base/options.h"
#include "base/progress.h"
#include "records/loss.h"
#include "records/reader.h"
#include "records/rows.h"
#include "records/writer.h"
#include "stats/contrast.h"
#include "stats/groups.h"
#include "stats/reservoir.h"

enum { EXIT_WORSE = 5 };
enum { BASE = CONTRAST_BASE, NEW = CONTRAST_NEW, SIDES = CONTRAST_SIDES };
static const char *const sides[] = { "BASE", "NEW" };

/* By enum contrast_verdict. */
static const char *const verdicts[] = { "worse", "better", "same", "few", "no-ratio", "only-base",
					"only-new" };

enum { VERDICT, BASE_N, NEW_N, BASE_MEDIAN, NEW_MEDIAN, RATIO, RATIO_LOW, RATIO_HIGH, P, P_HOLM, EFFECT,
       BASE_P99, NEW_P99, P99_RATIO, P99_LOW, P99_HIGH, TEST, DEPENDENCE, BASE_BLOCKS, NEW_BLOCKS, COLUMNS };

struct group {
	struct reservoir side[SIDES];
};

struct compare {
	/* What was asked for */
	char **keys;
	size_t n_keys;
	struct slice field;
	struct contrast_plan plan;
	uint64_t limit, block_ns, memory;
	enum rows_form form;

	/* What was found */
	struct groups *groups;
	struct group *group;	/* by id */
	struct contrast *contrast;	/* by id */
	size_t room;
	uint32_t known;
	uint64_t bytes;		/* of reservoirs */
	uint64_t others;	/* values that are no numbers */
	bool seen[SIDES];	/* some record has the field */
	int64_t last_ts;	/* of NEW; of BASE when that is empty */
};

/* Reading */

static struct group *group_of(struct compare *c, const struct slice *values)
{
	uint32_t id = groups_id(c->groups, values), n = groups_count(c->groups);

	if (n > c->known) {
		c->group = memory_grow(c->group, &c->room, n, sizeof *c->group);
		memset(&c->group[c->known], 0, sizeof *c->group);
		for (unsigned side = 0; side < SIDES; side++)
			c->group[c->known].side[side].random =
				random_start(c->plan.seed, 3ull * c->known + side);
		c->known = n;
	}
	return &c->group[id];
}

static void check_memory(const struct compare *c)
{
	if (c->bytes + groups_bytes(c->groups) + c->room * sizeof *c->group > c->memory)
		message_die("cannot hold %u groups in %llu MiB: group by fewer keys, keep smaller samples "
			    "(--sample), or give more --memory", c->known,
			    (unsigned long long)(c->memory >> 20));
}

struct keys {
	struct lookup *group, field, ts;
};

static void take(struct compare *c, int side, struct keys *keys, const struct record *record)
{
	const struct slice *text = lookup_value(&keys->field, record);
	struct slice values[GROUPS_KEYS_MAX];
	struct reservoir *reservoir;
	int64_t ts = 0;
	size_t bytes;
	double value;
	bool timed;

	if (!text)
		return;
	timed = lookup_i64(&keys->ts, record, &ts);
	if (timed && (!c->seen[side] || ts > c->last_ts))
		c->last_ts = ts;
	c->seen[side] = true;
	if (!number_real(*text, &value) || !isfinite(value) || (c->block_ns && !timed)) {
		c->others++;
		return;
	}
	for (size_t k = 0; k < c->n_keys; k++) {
		const struct slice *found = lookup_value(&keys->group[k], record);

		values[k] = found ? *found : (struct slice){ NULL, 0 };
	}
	reservoir = &group_of(c, values)->side[side];
	bytes = reservoir_bytes(reservoir);
	/* Blocks begin at multiples of their length; those before 1970 would round the wrong way. */
	reservoir_add(reservoir, c->limit, value, c->block_ns != 0,
		      c->block_ns ? ts / (int64_t)c->block_ns - (ts % (int64_t)c->block_ns < 0) : 0);
	c->bytes += reservoir_bytes(reservoir) - bytes;
}

/* False when the file could not be read to its end. */
static bool read_side(struct compare *c, int side, char *file, struct loss *loss, bool forced, bool none)
{
	struct keys keys = { .group = memory_zeroed((c->n_keys + 1) * sizeof *keys.group),
			     .field = { .key = c->field }, .ts = LOOKUP("ts") };
	struct reader *in = reader_open((char *[]){ file, NULL }, NULL);
	const struct record *record;
	struct loss lost = LOSS;
	struct progress progress;
	uint64_t records = 0;

	for (size_t k = 0; k < c->n_keys; k++)
		keys.group[k].key = slice_of(c->keys[k]);
	progress_start(&progress, "records", forced, none);
	while ((record = reader_next(in))) {
		records++;
		if (progress.shown)
			progress_at(&progress, reader_bytes(in), reader_size(in), records);
		if (!loss_is(&lost, record))
			take(c, side, &keys, record);
		if ((records & 1023) == 0)
			check_memory(c);
	}
	progress_end(&progress);
	if (records && !c->seen[side])
		message("no record of %s has the field %.*s", sides[side], (int)c->field.len, c->field.at);
	loss->records += lost.records;
	loss->events += lost.events;
	loss->unknown |= lost.unknown;
	lookup_free(&lost.ev);
	lookup_free(&lost.n);
	for (size_t k = 0; k < c->n_keys; k++)
		lookup_free(&keys.group[k]);
	free(keys.group);
	lookup_free(&keys.field);
	lookup_free(&keys.ts);
	return reader_close(in);
}

/* How many groups both sides have; *WORSE: how many of them got worse. */
static size_t judge_all(struct compare *c, size_t *worse)
{
	size_t tested = 0;

	*worse = 0;
	c->contrast = memory_get((c->known + 1) * sizeof *c->contrast);
	for (uint32_t i = 0; i < c->known; i++)
		contrast_measure(&c->contrast[i], c->group[i].side, &c->plan, 3ull * i + 2);
	contrast_judge(c->contrast, c->known, &c->plan);
	for (uint32_t i = 0; i < c->known; i++) {
		tested += c->contrast[i].verdict < CONTRAST_ONLY_BASE;
		*worse += c->contrast[i].verdict == CONTRAST_WORSE;
	}
	return tested;
}

/* Rows */

static bool ends_with(struct slice name, const char *end)
{
	size_t n = strlen(end);

	return name.len >= n && memcmp(name.at + name.len - n, end, n) == 0;
}

static struct column *columns_of(const struct compare *c)
{
	static const char *const names[] = {
		"verdict", "base_n", "new_n", "base_median", "new_median", "ratio", "ratio_low", "ratio_high",
		"p", "p_holm", "effect", "base_p99", "new_p99", "p99_ratio", "p99_low", "p99_high", "test",
		"dependence", "base_blocks", "new_blocks",
	};
	enum column_role unit = ends_with(c->field, "_ns") ? COLUMN_NS :
				ends_with(c->field, "bytes") ? COLUMN_BYTES : COLUMN_NUMBER;
	struct column *column = memory_zeroed((c->n_keys + COLUMNS) * sizeof *column);

	for (size_t k = 0; k < c->n_keys; k++) {
		bool is_ev = strcmp(c->keys[k], "ev") == 0;

		column[k] = (struct column){ slice_of(c->keys[k]), is_ev ? COLUMN_EV : COLUMN_TEXT };
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		bool value = i == BASE_MEDIAN || i == NEW_MEDIAN || i == BASE_P99 || i == NEW_P99;
		bool note = i == P || i >= TEST;

		for (size_t k = 0; k < c->n_keys; k++)
			if (strcmp(c->keys[k], names[i]) == 0 || strcmp(c->keys[k], "ts") == 0)
				message_usage("cannot group by '%.100s': rows have a field of that name",
					      c->keys[k]);
		column[c->n_keys + i] = (struct column){ slice_of(names[i]),
			i == VERDICT ? COLUMN_TEXT : note ? COLUMN_NOTE : value ? unit : COLUMN_NUMBER };
	}
	return column;
}

/* Tables have three digits behind the point. */
static struct cell shown(const struct compare *c, double value)
{
	return cell_real(c->form == ROWS_TABLE && fabs(value) >= 0.001 ? round(value * 1000) / 1000 :
			 c->form == ROWS_TABLE && value > 0 ? round(value * 1e6) / 1e6 : value);
}

/* A p that a table would show as 0. */
static struct cell shown_p(const struct compare *c, double p)
{
	return c->form == ROWS_TABLE && p < 1e-6 ? cell_text(SLICE("<1e-6")) : shown(c, p);
}

static void fill_side(const struct compare *c, uint32_t id, struct cell *cell, int side)
{
	const struct contrast *contrast = &c->contrast[id];

	cell[BASE_N + side] = cell_whole((__int128)c->group[id].side[side].seen);
	if (contrast->sample[side].n == 0)
		return;
	cell[BASE_MEDIAN + side] = cell_real(contrast->median[side]);
	cell[BASE_P99 + side] = cell_real(contrast->p99[side]);
	if (c->block_ns)
		cell[BASE_BLOCKS + side] = cell_whole((__int128)contrast->sample[side].blocks);
}

static double dependence(const struct compare *c, uint32_t id)
{
	const struct reservoir *side = c->group[id].side;

	return fmax(reservoir_dependence(&side[BASE]), reservoir_dependence(&side[NEW]));
}

static void put_row(const struct compare *c, struct rows *rows, struct cell *cells, uint32_t id)
{
	const struct contrast *contrast = &c->contrast[id];
	struct cell *cell = cells + c->n_keys;
	struct slice ev = SLICE("compare");

	for (size_t i = 0; i < COLUMNS; i++)
		cell[i] = (struct cell){ .kind = CELL_NONE };
	for (size_t k = 0; k < c->n_keys; k++) {
		cells[k] = cell_text(groups_value(c->groups, id, k));
		if (strcmp(c->keys[k], "ev") == 0 && cells[k].kind == CELL_TEXT)
			ev = cells[k].text;
	}
	cell[VERDICT] = cell_text(slice_of(verdicts[contrast->verdict]));
	for (int side = 0; side < SIDES; side++)
		fill_side(c, id, cell, side);
	if (contrast->verdict < CONTRAST_ONLY_BASE) {
		cell[DEPENDENCE] = cell_real(dependence(c, id));
		cell[P] = cell_real(contrast->test.p);
		cell[P_HOLM] = shown_p(c, contrast->holm);
		cell[EFFECT] = shown(c, contrast->test.effect);
		cell[TEST] = cell_text(contrast->test.exact ? SLICE("exact") : SLICE("normal"));
	}
	if (contrast->verdict < CONTRAST_NO_RATIO) {
		cell[RATIO] = shown(c, contrast->ratio);
		cell[RATIO_LOW] = shown(c, contrast->range.low);
		cell[RATIO_HIGH] = shown(c, contrast->range.high);
		cell[P99_RATIO] = shown(c, contrast->p99_ratio);
		cell[P99_LOW] = shown(c, contrast->p99_range.low);
		cell[P99_HIGH] = shown(c, contrast->p99_range.high);
	}
	rows_put(rows, c->last_ts, ev, cells);
}

static int by_verdict(const void *a, const void *b, void *context)
{
	const struct compare *c = context;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (c->contrast[x].verdict != c->contrast[y].verdict)
		return c->contrast[x].verdict < c->contrast[y].verdict ? -1 : 1;
	return groups_compare(c->groups, x, y);
}

static void put_rows(struct compare *c, const struct column *column, struct writer *out)
{
	struct rows *rows = rows_open(out, c->form, column, c->n_keys + COLUMNS, false);
	struct cell *cells = memory_zeroed((c->n_keys + COLUMNS) * sizeof *cells);
	uint32_t *order = memory_get((c->known + 1) * sizeof *order);

	for (uint32_t i = 0; i < c->known; i++)
		order[i] = i;
	qsort_r(order, c->known, sizeof *order, by_verdict, c);
	for (uint32_t i = 0; i < c->known; i++)
		put_row(c, rows, cells, order[i]);
	rows_close(rows);
	free(order);
	free(cells);
}

static const char *groups_are(size_t n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

/* What a person has to know about the rows. */
static void report(const struct compare *c, size_t tested, size_t worse)
{
	size_t sampled = 0, no_ratio = 0, dependent = 0;
	double most = 0;

	for (uint32_t i = 0; i < c->known; i++) {
		const struct group *g = &c->group[i];
		bool depends = false;

		sampled += g->side[BASE].seen > g->side[BASE].n || g->side[NEW].seen > g->side[NEW].n;
		no_ratio += c->contrast[i].verdict == CONTRAST_NO_RATIO;
		for (int side = 0; side < SIDES && c->contrast[i].verdict < CONTRAST_ONLY_BASE; side++) {
			double r = reservoir_dependence(&g->side[side]);

			/* Beyond what independent values show by chance. */
			depends |= r > 0.1 && r * sqrt((double)g->side[side].seen) > 4;
			most = r > most ? r : most;
		}
		dependent += depends;
	}
	if (c->others)
		message(c->others == 1 ? "%llu value of %.*s is no number%s: it is not compared" :
			"%llu values of %.*s are no numbers%s: they are not compared",
			(unsigned long long)c->others, (int)c->field.len, c->field.at,
			c->block_ns ? ", or without ts" : "");
	if (sampled)
		message("%zu group%s more than %llu values: random samples of these are compared", sampled,
			groups_are(sampled, " has", "s have"), (unsigned long long)c->limit);
	if (no_ratio)
		message("%zu group%s values below 0: there is no ratio, and no verdict", no_ratio,
			groups_are(no_ratio, " has", "s have"));
	if (dependent && !c->block_ns)
		message("values depend on those before in %zu group%s (correlation up to %.2f): p is too "
			"small and the intervals are too narrow; see --block", dependent,
			groups_are(dependent, "", "s"), most);
	if (worse)
		message("%zu of %zu groups got worse by more than %g %%", worse, tested,
			c->plan.threshold * 100);
}

static void finish(struct compare *c)
{
	for (uint32_t i = 0; i < c->known; i++) {
		contrast_free(&c->contrast[i]);
		for (int side = 0; side < SIDES; side++)
			reservoir_free(&c->group[i].side[side]);
	}
	free(c->contrast);
	free(c->group);
	groups_free(c->groups);
}

int main(int argc, char **argv)
{
	static const char *const forms[] = { "table", "tskv", "csv", "json", NULL };
	struct compare c = { .limit = 65536, .memory = 1ull << 30, .plan = { .seed = 1 } };
	bool strict = false, progress_forced = false, no_progress = false, complete;
	double threshold = 5, confidence = 95;
	uint64_t replicates = 2000;
	const char *keys = NULL;
	int form = -1, status = EXIT_COMPLETE;
	const struct option options[] = {
		{ 'g', "group", "KEY,...", "compare each combination of the values of these keys",
		  OPTION_TEXT, .to = &keys },
		{ 't', "threshold", "PCT", "how many percent a median may get worse (5)", OPTION_REAL,
		  .to = &threshold, .max = 1000000 },
		{ 'c', "confidence", "PCT", "of the intervals, and that no alarm is false (95)", OPTION_REAL,
		  .to = &confidence, .min = 50, .max = 100 },
		{ 0, "lower-is-worse", NULL, "the field is a throughput or the like", OPTION_FLAG,
		  .to = &c.plan.lower_is_worse },
		{ 'b', "block", "TIME", "values within this time of each other may depend on each other",
		  OPTION_SECONDS, .to = &c.block_ns, .min = 1, .max = INT64_MAX },
		{ 'o', "output", "FORM", "table (the default on a terminal), tskv (elsewhere), csv or json",
		  OPTION_CHOICE, .to = &form, .choices = forms },
		{ 0, "seed", "NUMBER", "of the random numbers (1)", OPTION_COUNT, .to = &c.plan.seed },
		{ 0, "replicates", "COUNT", "how often the bootstrap draws (2000)", OPTION_COUNT,
		  .to = &replicates, .min = 100, .max = 10000000 },
		{ 0, "sample", "COUNT", "of groups with more values, compare so many (65536)", OPTION_COUNT,
		  .to = &c.limit, .min = 2, .max = 1 << 28 },
		{ 0, "memory", "SIZE", "take no more memory than this (1G)", OPTION_SIZE, .to = &c.memory,
		  .min = 1 << 20 },
		{ 0, "strict", NULL, "exit with status 3 when events were lost, or nothing was compared", OPTION_FLAG,
		  .to = &strict },
		PROGRESS_OPTIONS(progress_forced, no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "compare",
		.does = "tell whether a figure got worse from one recording to another, by group",
		.operands = "BASE NEW FIELD",
		.options = options,
		.examples = "  compare -g comm,name base.tskv new.tskv dur_ns\n"
			    "  compare --threshold 10 --block 1s base.tskv new.tskv dur_ns || exit 1\n",
	};
	char **operands = options_parse(&program, argv);
	struct loss loss = LOSS;
	struct column *column;
	struct writer *out;
	size_t worse, tested;

	(void)argc;
	if (!operands[0] || !operands[1] || !operands[2] || operands[3])
		message_usage("cannot compare: it takes two files and one field");
	if (strcmp(operands[0], "-") == 0 && strcmp(operands[1], "-") == 0)
		message_usage("cannot compare stdin with itself");
	c.keys = options_split(keys ? keys : "");
	while (keys && c.keys[c.n_keys])
		c.n_keys++;
	if (c.n_keys > GROUPS_KEYS_MAX)
		message_usage("cannot group by more than %d keys", GROUPS_KEYS_MAX);
	c.field = slice_of(operands[2]);
	c.plan.threshold = threshold / 100;
	c.plan.confidence = confidence / 100;
	c.plan.replicates = (size_t)replicates;
	c.plan.blocks = c.block_ns != 0;
	c.form = form >= 0 ? (enum rows_form)form : isatty(STDOUT_FILENO) ? ROWS_TABLE : ROWS_RECORDS;
	column = columns_of(&c);
	c.groups = groups_new(c.n_keys);

	complete = read_side(&c, BASE, operands[0], &loss, progress_forced, no_progress);
	complete = read_side(&c, NEW, operands[1], &loss, progress_forced, no_progress) && complete;
	tested = judge_all(&c, &worse);
	out = writer_stdout();
	put_rows(&c, column, out);
	writer_close(out);
	report(&c, tested, worse);
	if (worse)
		status = EXIT_WORSE;
	if (!tested && strict) {
		message("nothing was compared: no group has values in both");
		status = EXIT_LOSS;
	}
	if (loss_report(&loss, "the comparison is", strict))
		status = EXIT_LOSS;
	if (!complete)
		status = EXIT_FAILED;
	finish(&c);
	free(column);
	free(c.keys);
	return status;
}
