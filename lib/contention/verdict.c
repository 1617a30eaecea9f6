// SPDX-License-Identifier: MIT
#include "contention/verdict.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "contention/matrix.h"
#include "spans/occupancy.h"

enum { CULPRITS_NAMED = 3 };

static const char *const verdicts[] = { "unknown", "calm", "contended" };

void verdict_say(struct document *d, const struct pressure *r)
{
	double time = (double)r->time_ns, got = 0;
	const struct rival *all;
	char a[DOCUMENT_TEXT], b[DOCUMENT_TEXT];
	uint32_t n;

	all = rivals_all(r->rivals, &n);
	for (uint32_t i = 0; i < n; i++)
		got += (double)all[i].got_ns;
	if (r->verdict == PRESSURE_UNKNOWN)
		document_say(d, "verdict: unknown: too little data (%s runnable in %llu spans; it takes %s "
			     "in %g)\n",
			     document_time(a, (double)pressure_wanted(&r->sum)),
			     (unsigned long long)(r->sum.slices + r->sum.waits),
			     document_time(b, d->plan->min_runnable), d->plan->min_spans);
	else
		document_say(d, "verdict: %s (score %.2f; contended from %.2f up)%s\n", verdicts[r->verdict],
			     r->score, d->plan->score, r->gaps ? ", by what was not lost" : "");
	if (time > 0)
		document_say(d, "%s on %zu %s %s%.0f %% busy\n", document_time(a, time), r->cpus,
			     r->cpus == 1 ? "CPU that was" : "CPUs that were", r->gaps ? "at least " : "",
			     r->cpus ? got / time / (double)r->cpus * 100 : 0);
	if (r->sum.throttled_ns)
		document_say(d, "a CPU quota held threads back for %s (throttled): that is no waiting for others, and not in "
			     "what follows\n", document_time(a, (double)r->sum.throttled_ns));
}

static int by_took(const void *a, const void *b)
{
	const struct rival *x = *(const struct rival *const *)a, *y = *(const struct rival *const *)b;

	/* Ties: as the rivals are ordered. */
	return x->took_ns != y->took_ns ? (x->took_ns > y->took_ns ? -1 : 1) : (x > y) - (x < y);
}

/* Those who took most from judged others first; free() it. */
static const struct rival **culprits(const struct pressure *r, uint32_t *n)
{
	const struct rival *all = rivals_all(r->rivals, n);
	const struct rival **sorted = memory_get((*n + 1) * sizeof *sorted);

	for (uint32_t i = 0; i < *n; i++)
		sorted[i] = &all[i];
	qsort(sorted, *n, sizeof *sorted, by_took);
	return sorted;
}

/* The other rival from which a culprit took most. */
static const struct rival *main_victim(const struct pressure *r, const struct rival *culprit)
{
	size_t n;
	uint32_t rivals;
	const struct demand_share *share = rivals_shares(r->rivals, &n), *most = NULL;
	const struct rival *all = rivals_all(r->rivals, &rivals);

	for (size_t i = 0; i < n; i++)
		if (share[i].culprit == (uint32_t)(culprit - all) && share[i].victim != share[i].culprit &&
		    (all[share[i].victim].pid < 0 || all[share[i].victim].pid != culprit->pid) &&
		    (!most || share[i].ns > most->ns))
			most = &share[i];
	return most ? &all[most->victim] : culprit;
}

static void say_waiting(struct document *d, const struct pressure *r)
{
	const struct rival *sum = &r->sum, **culprit;
	char text[5][DOCUMENT_TEXT];
	uint32_t n;

	if (sum->waited_ns == 0)
		return;
	document_say(d, "runnable threads waited %s for a CPU, %.1f %% of their time; meanwhile it had\n"
		     "  a thread of their own kind %s, another %s, nobody %s, unknown %s\n",
		     document_time(text[0], (double)sum->waited_ns),
		     pressure_part(sum->waited_ns, pressure_wanted(sum)) * 100,
		     document_time(text[1], (double)sum->own_ns),
		     document_time(text[2], (double)sum->others_ns),
		     document_time(text[3], (double)sum->idle_ns),
		     document_time(text[4], (double)sum->unknown_ns));
	culprit = culprits(r, &n);
	for (uint32_t i = 0; i < n && i < CULPRITS_NAMED && culprit[i]->took_ns; i++)
		document_say(d, "%s %s %s (most of it from %s)\n", i ? "         " : "culprits:",
			     document_rival(d, text[0], culprit[i]),
			     document_time(text[1], (double)culprit[i]->took_ns),
			     document_rival(d, text[2], main_victim(r, culprit[i])));
	free(culprit);
}

static void put_measures(struct document *d, const struct pressure *r)
{
	static const struct column column[] = {
		{ { "measure", 7 }, COLUMN_TEXT }, { { "value", 5 }, COLUMN_NUMBER },
		{ { "calm", 4 }, COLUMN_NUMBER }, { { "contended", 9 }, COLUMN_NUMBER },
		{ { "score", 5 }, COLUMN_NUMBER }, { { "weight", 6 }, COLUMN_NUMBER },
	};
	struct rows *rows = document_rows(d, column, 6);
	char text[4][DOCUMENT_TEXT];

	for (const struct measure *m = r->measure; m->name; m++) {
		double score = measure_score(m, m->value);
		bool limited = !isnan(m->calm);
		const struct cell cells[] = {
			cell_text(slice_of(m->name)), document_value_cell(d, text[0], m->unit, m->value),
			document_value_cell(d, text[1], m->unit, m->calm),
			document_value_cell(d, text[2], m->unit, m->contended),
			cell_real(d->table ? round(score * 100) / 100 : score),
			limited ? cell_real(m->weight) : (struct cell){ .kind = CELL_NONE },
		};

		rows_put(rows, r->last_ts, SLICE("measure"), cells);
	}
	rows_close(rows);
}

static void put_rivals(struct document *d, const struct pressure *r)
{
	/* The table has to fit a terminal: what the matrix tells too, and what is for programs, is left out. */
	enum column_role side = d->table ? COLUMN_NOTE : COLUMN_NUMBER;
	struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT },
		{ { "pid", 3 }, d->table && d->plan->by == RIVALS_COMM ? COLUMN_NOTE : COLUMN_NUMBER },
		{ { "tid", 3 }, d->table && d->plan->by != RIVALS_TID ? COLUMN_NOTE : COLUMN_NUMBER },
		{ { "judged", 6 }, COLUMN_NOTE },
		{ { "got_ns", 6 }, COLUMN_NS }, { { "cpu_share", 9 }, COLUMN_NUMBER },
		{ { "waited_ns", 9 }, COLUMN_NS }, { { "wait_share", 10 }, COLUMN_NUMBER },
		{ { "waits", 5 }, COLUMN_NOTE }, { { "runq_p50_ns", 11 }, side },
		{ { "runq_p99_ns", 11 }, COLUMN_NS },
		{ { "own_ns", 6 }, COLUMN_NS }, { { "others_ns", 9 }, COLUMN_NS },
		{ { "idle_ns", 7 }, side }, { { "unknown_ns", 10 }, COLUMN_NOTE },
		{ { "took_ns", 7 }, COLUMN_NS },
		{ { "throttled_ns", 12 }, r->sum.throttled_ns ? COLUMN_NS : COLUMN_NOTE },
		{ { "slices", 6 }, COLUMN_NOTE },
		{ { "preempted", 9 }, side }, { { "slice_ns", 8 }, COLUMN_NS },
		{ { "calls", 5 }, COLUMN_NOTE }, { { "call_ns", 7 }, COLUMN_NOTE },
		{ { "lock_ns", 7 }, COLUMN_NS }, { { "disk_ns", 7 }, side },
	};
	struct rows *rows;
	uint32_t n;
	const struct rival *all = rivals_all(r->rivals, &n);
	uint64_t got = 0, listed = 0;
	char text[2][DOCUMENT_TEXT];

	for (size_t i = 0; d->table && i < sizeof column / sizeof *column; i++)
		if (column[i].role == COLUMN_NS)
			column[i].name.len -= sizeof "_ns" - 1;
	rows = document_rows(d, column, sizeof column / sizeof *column);
	for (uint32_t i = 0; i < n; i++)
		got += all[i].got_ns;
	for (uint32_t i = 0; i < n; i++) {
		const struct rival *v = &all[i];
		struct cell cells[sizeof column / sizeof *column];
		struct cell *cell = cells + 3;

		if (pressure_wanted(v) == 0)
			continue;
		if (!document_lists(d, v, listed))
			break;
		if (d->table && !v->judged)
			continue;
		listed++;
		document_name_cells(cells, v);
		*cell++ = cell_whole(v->judged);
		*cell++ = cell_whole((__int128)v->got_ns);
		*cell++ = document_value_cell(d, text[0], MEASURE_SHARE, pressure_part(v->got_ns, got));
		*cell++ = cell_whole((__int128)v->waited_ns);
		*cell++ = document_value_cell(d, text[1], MEASURE_SHARE,
				     pressure_part(v->waited_ns, pressure_wanted(v)));
		*cell++ = cell_whole((__int128)v->waits);
		*cell++ = cell_real(pressure_wait(v, 0.5));
		*cell++ = cell_real(pressure_wait(v, 0.99));
		*cell++ = cell_whole((__int128)v->own_ns);
		*cell++ = cell_whole((__int128)v->others_ns);
		*cell++ = cell_whole((__int128)v->idle_ns);
		*cell++ = cell_whole((__int128)v->unknown_ns);
		*cell++ = cell_whole((__int128)v->took_ns);
		*cell++ = cell_whole((__int128)v->throttled_ns);
		*cell++ = cell_whole((__int128)v->slices);
		*cell++ = cell_whole((__int128)v->preempted);
		*cell++ = cell_real(pressure_part(v->slices_ns, v->slices));
		*cell++ = cell_whole((__int128)v->calls);
		*cell++ = cell_real(pressure_part(v->calls_ns, v->calls));
		*cell++ = cell_whole((__int128)v->lock_ns);
		*cell++ = cell_whole((__int128)v->disk_ns);
		rows_put(rows, r->last_ts, SLICE("rival"), cells);
	}
	rows_close(rows);
}

/* Each share as a record. */
static void put_shares(struct document *d, const struct pressure *r)
{
	static const struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT }, { { "pid", 3 }, COLUMN_NUMBER },
		{ { "tid", 3 }, COLUMN_NUMBER },
		{ { "by", 2 }, COLUMN_TEXT }, { { "by_comm", 7 }, COLUMN_TEXT },
		{ { "by_pid", 6 }, COLUMN_NUMBER }, { { "by_tid", 6 }, COLUMN_NUMBER },
		{ { "wait_ns", 7 }, COLUMN_NS },
	};
	struct rows *rows = document_rows(d, column, sizeof column / sizeof *column);
	size_t n;
	uint32_t rivals;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals), nobody = { .pid = -1, .tid = -1 };

	for (size_t i = 0; i < n; i++) {
		bool known = share[i].culprit < OCCUPANCY_UNKNOWN;
		struct cell cells[8];

		document_name_cells(cells, &all[share[i].victim]);
		cells[3] = cell_text(share[i].culprit == OCCUPANCY_IDLE ? SLICE("idle") :
				     known ? SLICE("thread") : SLICE("unknown"));
		document_name_cells(cells + 4, known ? &all[share[i].culprit] : &nobody);
		cells[7] = cell_whole((__int128)share[i].ns);
		rows_put(rows, r->last_ts, SLICE("share"), cells);
	}
	rows_close(rows);
}

void verdict_put(struct document *d, const struct pressure *r)
{
	int64_t ts = r->last_ts;

	writer_begin(d->out, ts, SLICE("verdict"));
	writer_text(d->out, KEY("verdict"), slice_of(verdicts[r->verdict]));
	if (!isnan(r->score))
		writer_real(d->out, KEY("score"), r->score);
	writer_real(d->out, KEY("limit"), d->plan->score);
	writer_u64(d->out, KEY("time_ns"), r->time_ns);
	writer_u64(d->out, KEY("cpus"), r->cpus);
	writer_u64(d->out, KEY("got_ns"), r->sum.got_ns);
	writer_u64(d->out, KEY("waited_ns"), r->sum.waited_ns);
	writer_u64(d->out, KEY("own_ns"), r->sum.own_ns);
	writer_u64(d->out, KEY("others_ns"), r->sum.others_ns);
	writer_u64(d->out, KEY("idle_ns"), r->sum.idle_ns);
	writer_u64(d->out, KEY("unknown_ns"), r->sum.unknown_ns);
	writer_u64(d->out, KEY("throttled_ns"), r->sum.throttled_ns);
	writer_end(d->out);
}

void verdict_show(struct document *d, const struct pressure *r)
{
	if (!d->table) {
		verdict_put(d, r);
		put_measures(d, r);
		put_rivals(d, r);
		put_shares(d, r);
		return;
	}
	verdict_say(d, r);
	say_waiting(d, r);
	put_measures(d, r);
	if (pressure_wanted(&r->sum) == 0)
		return;
	put_rivals(d, r);
	document_say(d, "\nWho ran while a victim waited (with what it got itself, a row sums to its runnable time):\n");
	matrix_put(d, r);
}
