// SPDX-License-Identifier: MIT
#include "stats/tally.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/message.h"

static void lookups_of(char **names, struct lookup **lookups, size_t *n)
{
	for (*n = 0; names[*n]; ++*n)
		;
	*lookups = memory_zeroed(*n * sizeof **lookups);
	for (size_t i = 0; i < *n; i++)
		(*lookups)[i].key = slice_of(names[i]);
}

/* Where the keys and the parts of a group's state are in partial records. */
static void name_partials(struct tally *t)
{
	t->state = memory_zeroed(t->states * sizeof(struct partial *));
	for (size_t f = 0; f < t->states; f++)
		t->state[f] = partial_new(t->fields ? t->field[f].key : SLICE(""));
	t->group_key = memory_zeroed(t->keys * sizeof *t->group_key);
	for (size_t k = 0; k < t->keys; k++) {
		struct slice name = t->key[k].key;
		char *text = memory_get(name.len + 6);

		memcpy(text, "group.", 6);
		memcpy(text + 6, name.at, name.len);
		t->group_key[k] = key_of((struct slice){ text, name.len + 6 });
		free(text);
		if (t->join)
			t->key[k].key = (struct slice){ t->group_key[k].at + 1, t->group_key[k].len - 2 };
	}
}

void tally_start(struct tally *t, char **keys, char **fields)
{
	lookups_of(keys, &t->key, &t->keys);
	lookups_of(fields, &t->field, &t->fields);
	t->states = t->fields ? t->fields : 1;
	name_partials(t);
	t->plan.memory_kept = t->memory / 2;
	t->interval_end = INT64_MIN;
	t->others = memory_zeroed(t->states * sizeof *t->others);
	t->seen = memory_zeroed(t->states * sizeof *t->seen);
	t->groups = groups_new(t->keys + tally_by_interval(t));
}

/* The groups at hand */

uint32_t tally_groups(const struct tally *t)
{
	return groups_count(t->groups);
}

struct slice tally_value(const struct tally *t, uint32_t group, size_t k)
{
	return groups_value(t->groups, group, k + tally_by_interval(t));
}

struct figures *tally_figures(const struct tally *t, uint32_t group)
{
	return t->figures + (size_t)group * t->states;
}

int64_t tally_time(const struct tally *t, uint32_t group)
{
	int64_t end = 0;

	if (tally_by_interval(t))
		number_i64(groups_value(t->groups, group, 0), &end);
	else if (t->interval)
		end = t->interval_end;
	else if (t->timed)
		end = t->end_ts;
	return end;
}

double tally_span(const struct tally *t)
{
	if (t->interval)
		return (double)t->interval;
	return t->timed ? (double)((__int128)t->end_ts - t->begin_ts) : 0;
}

int tally_compare(const struct tally *t, uint32_t a, uint32_t b)
{
	return groups_compare(t->groups, a, b);
}

void tally_clear(struct tally *t)
{
	for (uint32_t group = 0; group < tally_groups(t); group++) {
		for (size_t f = 0; f < t->states; f++) {
			struct figures *figures = tally_figures(t, group) + f;

			t->others[f] += figures->others;
			figures_free(&t->plan, figures);
		}
	}
	groups_clear(t->groups);
	t->known = 0;
}

void tally_free(struct tally *t)
{
	struct lookup *single[] = { &t->ts, &t->first_ts, &t->last_ts, &t->interval_ns, &t->ev };

	tally_clear(t);
	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		lookup_free(single[i]);
	for (size_t k = 0; k < t->keys; k++) {
		lookup_free(&t->key[k]);
		free((void *)(uintptr_t)t->group_key[k].at);
	}
	for (size_t f = 0; f < t->states; f++)
		partial_free(t->state[f]);
	for (size_t f = 0; f < t->fields; f++)
		lookup_free(&t->field[f]);
	groups_free(t->groups);
	free(t->key);
	free(t->field);
	free(t->group_key);
	free(t->state);
	free(t->figures);
	free(t->others);
	free(t->seen);
}

/* Reading */

static struct figures *group_of(struct tally *t, const struct slice *values)
{
	uint32_t group = groups_id(t->groups, values);

	if (__builtin_expect(group == t->known, 0)) {
		size_t n = (size_t)++t->known * t->states;

		t->figures = memory_grow(t->figures, &t->figures_room, n, sizeof *t->figures);
		memset(tally_figures(t, group), 0, t->states * sizeof *t->figures);
	}
	return tally_figures(t, group);
}

static void check_memory(const struct tally *t)
{
	uint64_t used = t->plan.memory + groups_bytes(t->groups) + t->figures_room * sizeof *t->figures;

	if (used > t->memory)
		message_die("cannot keep %lu groups in %llu MiB: group by fewer keys, choose fewer records "
			    "or figures, or give more --memory", (unsigned long)groups_count(t->groups),
			    (unsigned long long)(t->memory >> 20));
}

/* The interval of TS: the row's time is its end, which belongs to the next one. */
static void interval_of(const struct tally *t, int64_t ts, int64_t *start, int64_t *end)
{
	int64_t length = (int64_t)t->interval, into = ts % length;

	if (into < 0)
		into += length;
	if (__builtin_sub_overflow(ts, into, start))
		*start = INT64_MIN;
	if (__builtin_add_overflow(*start, length, end))
		*end = INT64_MAX;
}

/* Seldom enough to cost nothing, often enough that little is taken in between. */
static inline void count_and_check(struct tally *t)
{
	if ((++t->records & 1023) == 0)
		check_memory(t);
}

static void enter_interval(struct tally *t, int64_t ts)
{
	if (ts >= t->interval_start && ts < t->interval_end)
		return;
	if (t->interval_end != INT64_MIN && ts < t->interval_start) {
		t->late++;	/* counted where it came, so that the rows add up to the whole */
		return;
	}
	if (t->interval_end != INT64_MIN)
		t->interval_ended(t->context);
	interval_of(t, ts, &t->interval_start, &t->interval_end);
}

static void note_time(struct tally *t, int64_t ts)
{
	if (__builtin_expect(!t->timed, 0))
		t->begin_ts = t->end_ts = ts;
	t->timed = true;
	if (__builtin_expect(ts > t->end_ts, 1))
		t->end_ts = ts;
	else if (ts < t->begin_ts)
		t->begin_ts = ts;
}

void tally_count(struct tally *t, const struct record *record)
{
	struct slice key[GROUPS_KEYS_MAX];
	const struct slice *ts_text;
	struct figures *figures;
	int64_t ts = t->end_ts;
	size_t found = 0;

	for (size_t f = 0; f < t->fields; f++)
		found += lookup_index(&t->field[f], record->shape) >= 0;
	if (t->fields && !found)
		return;
	count_and_check(t);
	ts_text = lookup_value(&t->ts, record);
	if (__builtin_expect(ts_text && number_padded_i64(*ts_text, &ts), 1)) {
		note_time(t, ts);
	} else if (t->interval) {
		t->timeless++;
		return;
	}
	if (t->interval)
		enter_interval(t, ts);
	for (size_t k = 0; k < t->keys; k++) {
		int at = lookup_index(&t->key[k], record->shape);

		key[k] = at < 0 ? (struct slice){ 0 } : record->value[at];
	}
	figures = group_of(t, key);
	if (t->fields == 0)
		figures_add(&t->plan, figures, SLICE(""), ts);
	for (size_t f = 0; f < t->fields; f++) {
		int at = lookup_index(&t->field[f], record->shape);

		if (at < 0)
			continue;
		t->seen[f] = true;
		figures_add(&t->plan, figures + f, record->value[at], ts);
	}
}

/* The end of a partial record's interval as a value of a group; false: it does not fit ours. */
static bool interval_key(struct tally *t, const struct record *record, char *space, struct slice *key)
{
	int64_t length, ts, start, end;

	if (!lookup_i64(&t->interval_ns, record, &length) || length <= 0 ||
	    (int64_t)t->interval % length != 0 || !lookup_i64(&t->ts, record, &ts) || ts == INT64_MIN)
		return false;
	interval_of(t, ts - 1, &start, &end);	/* ts is the end, and the first moment of the next */
	*key = (struct slice){ space, number_put_i64(space, end) };
	return true;
}

void tally_join(struct tally *t, const struct record *record, struct reader *in)
{
	const struct slice *ev = lookup_value(&t->ev, record);
	struct slice key[GROUPS_KEYS_MAX + 1];
	char space[64] = { 0 };
	struct figures *figures;
	int64_t ts;

	if (!ev || !slice_equal(*ev, SLICE("partial"))) {
		reader_complain(in, "the record", "--merge wants what --partial wrote (ev=partial)");
		return;
	}
	if (t->interval && !interval_key(t, record, space, &key[0])) {
		reader_complain(in, "interval_ns",
				"--partial was given no -i, or one that does not divide this");
		return;
	}
	for (size_t k = 0; k < t->keys; k++) {
		const struct slice *value = lookup_value(&t->key[k], record);

		key[k + tally_by_interval(t)] = value ? *value : (struct slice){ 0 };
	}
	count_and_check(t);
	if (lookup_i64(&t->first_ts, record, &ts))
		note_time(t, ts);
	if (lookup_i64(&t->last_ts, record, &ts))
		note_time(t, ts);
	figures = group_of(t, key);
	for (size_t f = 0; f < t->states; f++)
		if (!partial_read(t->state[f], &t->plan, figures + f, record, in))
			return;
}

void tally_write(struct tally *t, uint32_t group, struct writer *writer)
{
	writer_begin(writer, tally_time(t, group), SLICE("partial"));
	for (size_t k = 0; k < t->keys; k++) {
		struct slice value = tally_value(t, group, k);

		if (value.at)
			writer_raw(writer, t->group_key[k], value);
	}
	if (t->interval)
		writer_u64(writer, KEY("interval_ns"), t->interval);
	if (t->timed) {
		writer_i64(writer, KEY("first_ts"), t->begin_ts);
		writer_i64(writer, KEY("last_ts"), t->end_ts);
	}
	for (size_t f = 0; f < t->states; f++)
		partial_write(t->state[f], &t->plan, tally_figures(t, group) + f, writer);
	writer_end(writer);
}
