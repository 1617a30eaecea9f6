/* SPDX-License-Identifier: MIT */
/*
 * The figures of fields of a stream of records, by group, of the whole or of each interval of time;
 * and of parts of streams that were tallied elsewhere, joined.
 *
 *	struct tally tally = TALLY;		plan, interval, memory: set before
 *	tally_start(&tally, keys, fields);
 *	while ((record = reader_next(in)))
 *		tally_count(&tally, record);
 *	for (group = 0; group < tally_groups(&tally); group++)
 *		... tally_value(&tally, group, key), figures_get(..., tally_figures(&tally, group), ...)
 *	tally_free(&tally);
 */
#ifndef WEIR_TALLY_H
#define WEIR_TALLY_H

#include "records/reader.h"
#include "records/writer.h"
#include "stats/figures.h"
#include "stats/groups.h"
#include "stats/partial.h"

enum {
	TALLY_KEYS_MAX = GROUPS_KEYS_MAX - 1,
	/* plan.exact times the fields: what fits a record, where states are written and joined. */
	TALLY_PARTIAL_VALUES = 500000,
};

struct tally {
	/* To be set by the caller */
	struct figures_plan plan;
	uint64_t interval;	/* ns; 0: the whole stream is one */
	uint64_t memory;	/* bytes; the program ends when groups and values take more */
	bool join;		/* records are parts, for tally_join() */
	void (*interval_ended)(void *context);	/* takes the groups, and calls tally_clear() */
	void *context;

	/* To be read */
	struct lookup *key, *field;
	size_t keys, fields;	/* fields 0: records are counted */
	size_t states;		/* figures of each group: one for each field, or one */
	uint64_t *others;	/* by field, of cleared groups: values that were not numbers */
	bool *seen;		/* by field: some record has it */
	uint64_t late;		/* records that came after their interval, counted in a later one */
	uint64_t timeless;	/* records without ts that are in no interval */

	/* Its own */
	struct partial **state;
	struct key *group_key;
	struct lookup ts, first_ts, last_ts, interval_ns, ev;
	struct groups *groups;	/* by the keys; when joining intervals, by their end and the keys */
	struct figures *figures;	/* of group 0, of group 1, ... */
	size_t figures_room;
	uint32_t known;		/* groups that have figures */
	bool timed;		/* some record had a ts */
	int64_t begin_ts, end_ts;	/* the earliest and the latest record */
	int64_t interval_start, interval_end;	/* of the interval at hand; end INT64_MIN: none */
	uint64_t records;
};
#define TALLY { .memory = 1 << 30, .ts = LOOKUP("ts"), .first_ts = LOOKUP("first_ts"), \
	.last_ts = LOOKUP("last_ts"), .interval_ns = LOOKUP("interval_ns"), .ev = LOOKUP("ev") }

/*
 * By these KEYS (at most TALLY_KEYS_MAX), of these FIELDS; both NULL-terminated, of names that are keys of
 * records, and used until tally_free(). plan.figure and plan.n are set later, before the first record.
 */
void tally_start(struct tally *tally, char **keys, char **fields);

/* Counts a record. One that has none of the fields is of no group. About 40 ns for two keys, one field. */
void tally_count(struct tally *tally, const struct record *record);

/* Joins a record that tally_write() made; complains of others. */
void tally_join(struct tally *tally, const struct record *record, struct reader *reader);

/* The groups at hand: how many; a key's value (`at` NULL: absent); its figures, one for each state. */
uint32_t tally_groups(const struct tally *tally);
struct slice tally_value(const struct tally *tally, uint32_t group, size_t k);
struct figures *tally_figures(const struct tally *tally, uint32_t group);

/* The group's time: the end of its interval, or the latest record's. 0: not known. */
int64_t tally_time(const struct tally *tally, uint32_t group);

/* The time in ns that the counts are of: for rates. 0: not known. */
double tally_span(const struct tally *tally);

/* Whether groups of several intervals are at hand (when joining). */
static inline bool tally_by_interval(const struct tally *tally)
{
	return tally->join && tally->interval;
}

/* The order of two groups: by interval, then key by key. */
int tally_compare(const struct tally *tally, uint32_t a, uint32_t b);

/* Writes the group's state as a record ev=partial. */
void tally_write(struct tally *tally, uint32_t group, struct writer *writer);

/* Forgets the groups. */
void tally_clear(struct tally *tally);
void tally_free(struct tally *tally);

#endif
