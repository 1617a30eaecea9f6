// SPDX-License-Identifier: MIT
/*
 * contention: do threads have to wait for CPUs, and who takes them? A verdict with an exit status, the
 * measures that it comes from, and a matrix of victims and culprits; of one recording, or of two.
 *
 *	$ lttng-convert TRACE | spans | contention
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "demand.h"
#include "display.h"
#include "live.h"
#include "loss.h"
#include "memory.h"
#include "message.h"
#include "occupancy.h"
#include "options.h"
#include "progress.h"
#include "reader.h"
#include "pressure.h"
#include "rivals.h"
#include "rows.h"
#include "writer.h"

static const char *const verdicts[] = { "unknown", "calm", "contended" };
static const char *const changes[] = { "worse", "alike", "better" };

enum { EXIT_CONTENDED = 4, MATRIX_CULPRITS = 5, CULPRITS_NAMED = 3 };

struct contention {
	struct pressure_plan plan;
	bool table;
	uint64_t top;
	struct demand *demand[2];
	struct pressure pressure[2];
	size_t recordings;
	struct writer *out;
};

/* Reading */

static bool read_recording(struct demand *demand, char *file, struct loss *loss, bool forced, bool none)
{
	struct reader *in = reader_open((char *[]){ file, NULL }, NULL);
	const struct record *record;
	struct progress progress;
	struct loss lost = LOSS;
	uint64_t records = 0;

	progress_start(&progress, "records", forced, none);
	while ((record = reader_next(in))) {
		records++;
		if (progress.shown)
			progress_at(&progress, reader_bytes(in), reader_size(in), records);
		if (loss_is(&lost, record))
			demand_gap(demand);
		else
			demand_take(demand, record);
	}
	progress_end(&progress);
	demand_finish(demand);
	if (demand_unusable(demand))
		message("%llu spans lack ts, tid or a duration below 12 days: they are left out",
			(unsigned long long)demand_unusable(demand));
	loss->records += lost.records;
	loss->events += lost.events;
	loss->unknown |= lost.unknown;
	lookup_free(&lost.ev);
	lookup_free(&lost.n);
	return reader_close(in);
}

/* Text */

static void say(struct contention *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(struct contention *c, const char *format, ...)
{
	char text[2000];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		writer_bytes(c->out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

enum { TEXT = 400 };	/* bytes that hold a rival's name or a value */

static const char *time_text(char *to, double ns)
{
	to[display_duration(to, ns)] = '\0';
	return to;
}

static const char *value_text(char *to, enum measure_unit unit, double value)
{
	if (isnan(value))
		strcpy(to, "-");
	else if (unit == MEASURE_NS)
		time_text(to, value);
	else
		snprintf(to, TEXT, unit == MEASURE_RATE ? value < 100 ? "%.1f/s" : "%.0f/s" :
			 fabs(value) < 0.1 ? "%.2f %%" : "%.1f %%",
			 unit == MEASURE_RATE ? value : value * 100);
	return to;
}

/* `comm`, `comm (pid)` or `comm (tid)`. Names are up to 16 bytes; of longer ones, 60 columns are shown. */
static const char *rival_text(const struct contention *c, char *to, const struct rival *rival)
{
	struct slice comm = rival->comm.at ? rival->comm : SLICE("?");
	size_t columns, n;

	comm.len = comm.len < 64 ? comm.len : 64;
	n = display_text(to, comm, 60, &columns);
	to[n] = '\0';
	if (c->plan.by == RIVALS_PID && rival->pid >= 0)
		snprintf(to + n, TEXT - n, " (%lld)", (long long)rival->pid);
	else if (c->plan.by != RIVALS_COMM && rival->tid >= 0)
		snprintf(to + n, TEXT - n, c->plan.by == RIVALS_TID ? " (%lld)" : " (thread %lld)",
			 (long long)rival->tid);
	return to;
}

static void say_verdict(struct contention *c, const struct pressure *r)
{
	double time = (double)r->time_ns, got = 0;
	const struct rival *all;
	char a[TEXT], b[TEXT];
	uint32_t n;

	all = rivals_all(r->rivals, &n);
	for (uint32_t i = 0; i < n; i++)
		got += (double)all[i].got_ns;
	if (r->verdict == PRESSURE_UNKNOWN)
		say(c, "verdict: unknown: too little data (%s runnable in %llu spans; it takes %s in %g)\n",
		    time_text(a, (double)pressure_wanted(&r->sum)),
		    (unsigned long long)(r->sum.slices + r->sum.waits),
		    time_text(b, c->plan.min_runnable), c->plan.min_spans);
	else
		say(c, "verdict: %s (score %.2f; contended from %.2f up)\n", verdicts[r->verdict], r->score,
		    c->plan.score);
	if (time > 0)
		say(c, "%s on %zu %s %.0f %% busy\n", time_text(a, time), r->cpus,
		    r->cpus == 1 ? "CPU that was" : "CPUs that were",
		    r->cpus ? got / time / (double)r->cpus * 100 : 0);
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

static void say_waiting(struct contention *c, const struct pressure *r)
{
	const struct rival *sum = &r->sum, **culprit;
	char text[5][TEXT];
	uint32_t n;

	if (sum->waited_ns == 0)
		return;
	say(c, "runnable threads waited %s for a CPU, %.1f %% of their time; meanwhile it had\n"
	    "  a thread of their own kind %s, another %s, nobody %s, unknown %s\n",
	    time_text(text[0], (double)sum->waited_ns),
	    pressure_part(sum->waited_ns, pressure_wanted(sum)) * 100,
	    time_text(text[1], (double)sum->own_ns), time_text(text[2], (double)sum->others_ns),
	    time_text(text[3], (double)sum->idle_ns), time_text(text[4], (double)sum->unknown_ns));
	culprit = culprits(r, &n);
	for (uint32_t i = 0; i < n && i < CULPRITS_NAMED && culprit[i]->took_ns; i++)
		say(c, "%s%s %s (most of it from %s)", i ? ", " : "culprits: ",
		    rival_text(c, text[0], culprit[i]), time_text(text[1], (double)culprit[i]->took_ns),
		    rival_text(c, text[2], main_victim(r, culprit[i])));
	if (n && culprit[0]->took_ns)
		say(c, "\n");
	free(culprit);
}

/* Rows */

static struct cell value_cell(const struct contention *c, char *to, enum measure_unit unit, double value)
{
	if (!c->table)
		return cell_real(value);
	return cell_text(slice_of(value_text(to, unit, value)));
}

static struct rows *open_rows(struct contention *c, const struct column *column, size_t n)
{
	if (c->table)
		say(c, "\n");
	return rows_open(c->out, c->table ? ROWS_TABLE : ROWS_RECORDS, column, n, false);
}

static void put_measures(struct contention *c, const struct pressure *r)
{
	static const struct column column[] = {
		{ { "measure", 7 }, COLUMN_TEXT }, { { "value", 5 }, COLUMN_NUMBER },
		{ { "calm", 4 }, COLUMN_NUMBER }, { { "contended", 9 }, COLUMN_NUMBER },
		{ { "score", 5 }, COLUMN_NUMBER }, { { "weight", 6 }, COLUMN_NUMBER },
	};
	struct rows *rows = open_rows(c, column, 6);
	char text[4][TEXT];

	for (const struct measure *m = r->measure; m->name; m++) {
		double score = measure_score(m, m->value);
		bool limited = !isnan(m->calm);
		const struct cell cells[] = {
			cell_text(slice_of(m->name)), value_cell(c, text[0], m->unit, m->value),
			value_cell(c, text[1], m->unit, m->calm),
			value_cell(c, text[2], m->unit, m->contended),
			cell_real(c->table ? round(score * 100) / 100 : score),
			limited ? cell_real(m->weight) : (struct cell){ .kind = CELL_NONE },
		};

		rows_put(rows, r->last_ts, SLICE("measure"), cells);
	}
	rows_close(rows);
}

/* The cells that name a rival: comm, pid, tid. */
static void name_cells(struct cell *cell, const struct rival *rival)
{
	cell[0] = cell_text(rival->comm);
	cell[1] = rival->pid >= 0 ? cell_whole(rival->pid) : cell_text((struct slice){ NULL, 0 });
	cell[2] = rival->tid >= 0 ? cell_whole(rival->tid) : cell_text((struct slice){ NULL, 0 });
}

/* Rivals without a span of the scheduler are none. */
static bool is_listed(const struct contention *c, const struct rival *rival, uint64_t listed)
{
	return pressure_wanted(rival) && (!c->table || c->top == 0 || listed < c->top);
}

static void put_rivals(struct contention *c, const struct pressure *r)
{
	const struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT },
		{ { "pid", 3 }, c->table && c->plan.by == RIVALS_COMM ? COLUMN_NOTE : COLUMN_NUMBER },
		{ { "tid", 3 }, c->table && c->plan.by != RIVALS_TID ? COLUMN_NOTE : COLUMN_NUMBER },
		{ { "judged", 6 }, COLUMN_NOTE },
		{ { "got_ns", 6 }, COLUMN_NS }, { { "cpu_share", 9 }, COLUMN_NUMBER },
		{ { "waited_ns", 9 }, COLUMN_NS }, { { "wait_share", 10 }, COLUMN_NUMBER },
		{ { "waits", 5 }, COLUMN_NOTE }, { { "runq_p50_ns", 11 }, COLUMN_NS },
		{ { "runq_p99_ns", 11 }, COLUMN_NS },
		{ { "own_ns", 6 }, COLUMN_NS }, { { "others_ns", 9 }, COLUMN_NS },
		{ { "idle_ns", 7 }, COLUMN_NS }, { { "unknown_ns", 10 }, COLUMN_NOTE },
		{ { "took_ns", 7 }, COLUMN_NS }, { { "slices", 6 }, COLUMN_NOTE },
		{ { "preempted", 9 }, COLUMN_NUMBER }, { { "slice_ns", 8 }, COLUMN_NS },
		{ { "calls", 5 }, COLUMN_NOTE }, { { "call_ns", 7 }, COLUMN_NOTE },
		{ { "lock_ns", 7 }, COLUMN_NS }, { { "disk_ns", 7 }, COLUMN_NS },
	};
	struct rows *rows = open_rows(c, column, sizeof column / sizeof *column);
	uint32_t n;
	const struct rival *all = rivals_all(r->rivals, &n);
	uint64_t got = 0, listed = 0;
	char text[2][TEXT];

	for (uint32_t i = 0; i < n; i++)
		got += all[i].got_ns;
	for (uint32_t i = 0; i < n && (pressure_wanted(&all[i]) == 0 || is_listed(c, &all[i], listed)); i++) {
		const struct rival *v = &all[i];
		struct cell cells[sizeof column / sizeof *column];
		struct cell *cell = cells + 3;

		if (pressure_wanted(v) == 0 || (c->table && !v->judged))
			continue;
		listed++;
		name_cells(cells, v);
		*cell++ = cell_whole(v->judged);
		*cell++ = cell_whole((__int128)v->got_ns);
		*cell++ = value_cell(c, text[0], MEASURE_SHARE, pressure_part(v->got_ns, got));
		*cell++ = cell_whole((__int128)v->waited_ns);
		*cell++ = value_cell(c, text[1], MEASURE_SHARE,
				     pressure_part(v->waited_ns, pressure_wanted(v)));
		*cell++ = cell_whole((__int128)v->waits);
		*cell++ = cell_real(pressure_wait(v, 0.5));
		*cell++ = cell_real(pressure_wait(v, 0.99));
		*cell++ = cell_whole((__int128)v->own_ns);
		*cell++ = cell_whole((__int128)v->others_ns);
		*cell++ = cell_whole((__int128)v->idle_ns);
		*cell++ = cell_whole((__int128)v->unknown_ns);
		*cell++ = cell_whole((__int128)v->took_ns);
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
static void put_shares(struct contention *c, const struct pressure *r)
{
	static const struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT }, { { "pid", 3 }, COLUMN_NUMBER },
		{ { "tid", 3 }, COLUMN_NUMBER },
		{ { "by", 2 }, COLUMN_TEXT }, { { "by_comm", 7 }, COLUMN_TEXT },
		{ { "by_pid", 6 }, COLUMN_NUMBER }, { { "by_tid", 6 }, COLUMN_NUMBER },
		{ { "wait_ns", 7 }, COLUMN_NS },
	};
	struct rows *rows = open_rows(c, column, sizeof column / sizeof *column);
	size_t n;
	uint32_t rivals;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals), nobody = { .pid = -1, .tid = -1 };

	for (size_t i = 0; i < n; i++) {
		bool known = share[i].culprit < OCCUPANCY_UNKNOWN;
		struct cell cells[8];

		name_cells(cells, &all[share[i].victim]);
		cells[3] = cell_text(share[i].culprit == OCCUPANCY_IDLE ? SLICE("idle") :
				     known ? SLICE("thread") : SLICE("unknown"));
		name_cells(cells + 4, known ? &all[share[i].culprit] : &nobody);
		cells[7] = cell_whole((__int128)share[i].ns);
		rows_put(rows, r->last_ts, SLICE("share"), cells);
	}
	rows_close(rows);
}

/* The columns of the matrix: those who took most time of the victims that are shown, their own included. */
static size_t choose_culprits(const struct contention *c, const struct pressure *r, uint32_t *chosen)
{
	size_t n, k = 0;
	uint32_t rivals, victims = 0;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	uint64_t *took = memory_zeroed((rivals + 1) * sizeof *took);

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || share[i].victim != share[i - 1].victim)
			victims++;
		if (is_listed(c, &all[share[i].victim], victims - 1) && share[i].culprit < OCCUPANCY_UNKNOWN)
			took[share[i].culprit] += share[i].ns;
	}
	for (; k < MATRIX_CULPRITS; k++) {
		uint32_t most = 0;

		for (uint32_t i = 1; i < rivals; i++)
			if (took[i] > took[most])
				most = i;
		if (rivals == 0 || took[most] == 0)
			break;
		chosen[k] = most;
		took[most] = 0;
	}
	free(took);
	return k;
}

static void put_matrix(struct contention *c, const struct pressure *r)
{
	uint32_t chosen[MATRIX_CULPRITS], rivals, victims = 0;
	size_t n, culprits_n = choose_culprits(c, r, chosen), columns = culprits_n + 6;
	const struct demand_share *share = rivals_shares(r->rivals, &n);
	const struct rival *all = rivals_all(r->rivals, &rivals);
	char names[MATRIX_CULPRITS][TEXT], victim[TEXT];
	struct column column[MATRIX_CULPRITS + 6] = {
		{ { "victim", 6 }, COLUMN_TEXT }, { { "runnable", 8 }, COLUMN_NS },
		{ { "got", 3 }, COLUMN_NS },
	};
	struct rows *rows;

	for (size_t k = 0; k < culprits_n; k++) {
		rival_text(c, names[k], &all[chosen[k]]);
		column[3 + k] = (struct column){ slice_of(names[k]), COLUMN_NS };
	}
	column[columns - 3] = (struct column){ SLICE("(others)"), COLUMN_NS };
	column[columns - 2] = (struct column){ SLICE("(idle)"), COLUMN_NS };
	column[columns - 1] = (struct column){ SLICE("(unknown)"), COLUMN_NS };
	rows = open_rows(c, column, columns);
	for (size_t i = 0; i < n && is_listed(c, &all[share[i].victim], victims); victims++) {
		const struct rival *v = &all[share[i].victim];
		struct cell cells[MATRIX_CULPRITS + 6];

		cells[0] = cell_text(slice_of(rival_text(c, victim, v)));
		cells[1] = cell_whole((__int128)pressure_wanted(v));
		cells[2] = cell_whole((__int128)v->got_ns);
		for (size_t k = 3; k < columns; k++)
			cells[k] = cell_whole(0);
		for (uint32_t of = share[i].victim; i < n && share[i].victim == of; i++) {
			size_t k = 0;

			while (k < culprits_n && chosen[k] != share[i].culprit)
				k++;
			k = share[i].culprit == OCCUPANCY_IDLE ? columns - 2 :
			    share[i].culprit == OCCUPANCY_UNKNOWN ? columns - 1 : 3 + k;
			cells[k].whole += (__int128)share[i].ns;
		}
		rows_put(rows, 0, SLICE("matrix"), cells);
	}
	rows_close(rows);
}

static void put_verdict(struct contention *c, const struct pressure *r)
{
	int64_t ts = r->last_ts;

	writer_begin(c->out, ts, SLICE("verdict"));
	writer_text(c->out, KEY("verdict"), slice_of(verdicts[r->verdict]));
	if (!isnan(r->score))
		writer_real(c->out, KEY("score"), r->score);
	writer_real(c->out, KEY("limit"), c->plan.score);
	writer_u64(c->out, KEY("time_ns"), r->time_ns);
	writer_u64(c->out, KEY("cpus"), r->cpus);
	writer_u64(c->out, KEY("got_ns"), r->sum.got_ns);
	writer_u64(c->out, KEY("waited_ns"), r->sum.waited_ns);
	writer_u64(c->out, KEY("own_ns"), r->sum.own_ns);
	writer_u64(c->out, KEY("others_ns"), r->sum.others_ns);
	writer_u64(c->out, KEY("idle_ns"), r->sum.idle_ns);
	writer_u64(c->out, KEY("unknown_ns"), r->sum.unknown_ns);
	writer_end(c->out);
}

static void show_one(struct contention *c)
{
	const struct pressure *r = &c->pressure[0];

	if (!c->table) {
		put_verdict(c, r);
		put_measures(c, r);
		put_rivals(c, r);
		put_shares(c, r);
		return;
	}
	say_verdict(c, r);
	say_waiting(c, r);
	put_measures(c, r);
	if (pressure_wanted(&r->sum) == 0)
		return;
	put_rivals(c, r);
	say(c, "\nWho ran while a victim waited (with what it got itself, a row sums to its runnable "
	    "time):\n");
	put_matrix(c, r);
}

/* Two recordings */

static void put_measure_changes(struct contention *c)
{
	static const struct column column[] = {
		{ { "measure", 7 }, COLUMN_TEXT }, { { "base", 4 }, COLUMN_NUMBER },
		{ { "new", 3 }, COLUMN_NUMBER }, { { "base_score", 10 }, COLUMN_NUMBER },
		{ { "new_score", 9 }, COLUMN_NUMBER }, { { "change", 6 }, COLUMN_TEXT },
	};
	struct rows *rows = open_rows(c, column, 6);
	char text[2][TEXT];

	for (size_t i = 0; i < PRESSURE_MEASURES; i++) {
		const struct measure *base = &c->pressure[0].measure[i], *new = &c->pressure[1].measure[i];
		double old_score = measure_score(base, base->value), score = measure_score(new, new->value);
		const struct cell cells[] = {
			cell_text(slice_of(base->name)), value_cell(c, text[0], base->unit, base->value),
			value_cell(c, text[1], new->unit, new->value),
			cell_real(c->table ? round(old_score * 100) / 100 : old_score),
			cell_real(c->table ? round(score * 100) / 100 : score),
			cell_text(slice_of(changes[pressure_change(base, new)])),
		};

		rows_put(rows, c->pressure[1].last_ts, SLICE("measure"), cells);
	}
	rows_close(rows);
}

static void put_pairs(struct contention *c, const struct pressure_pair *pair, size_t n)
{
	static const struct column column[] = {
		{ { "comm", 4 }, COLUMN_TEXT }, { { "base_wait_share", 15 }, COLUMN_NUMBER },
		{ { "new_wait_share", 14 }, COLUMN_NUMBER }, { { "base_waited", 11 }, COLUMN_NUMBER },
		{ { "new_waited", 10 }, COLUMN_NUMBER }, { { "base_took", 9 }, COLUMN_NUMBER },
		{ { "new_took", 8 }, COLUMN_NUMBER }, { { "change", 6 }, COLUMN_TEXT },
	};
	struct rows *rows = open_rows(c, column, 8);
	char text[6][TEXT];

	for (size_t i = 0; i < n && (!c->table || c->top == 0 || i < c->top); i++) {
		const struct cell cells[] = {
			cell_text(pair[i].comm),
			value_cell(c, text[0], MEASURE_SHARE, pressure_pair_share(&pair[i], 0)),
			value_cell(c, text[1], MEASURE_SHARE, pressure_pair_share(&pair[i], 1)),
			value_cell(c, text[2], MEASURE_SHARE, pair[i].waited[0]),
			value_cell(c, text[3], MEASURE_SHARE, pair[i].waited[1]),
			value_cell(c, text[4], MEASURE_SHARE, pair[i].took[0]),
			value_cell(c, text[5], MEASURE_SHARE, pair[i].took[1]),
			cell_text(slice_of(changes[pressure_pair_change(&pair[i])])),
		};

		rows_put(rows, c->pressure[1].last_ts, SLICE("rival"), cells);
	}
	rows_close(rows);
}

static void say_worse(struct contention *c, const struct pressure_pair *pair, size_t n)
{
	const char *before = "worse: ";
	const struct pressure_pair *culprit = NULL;
	char text[3][TEXT];

	for (size_t i = 0; i < PRESSURE_MEASURES; i++) {
		const struct measure *base = &c->pressure[0].measure[i], *new = &c->pressure[1].measure[i];

		if (pressure_change(base, new) != PRESSURE_WORSE)
			continue;
		say(c, "%s%s (%s, was %s)", before, new->name, value_text(text[0], new->unit, new->value),
		    value_text(text[1], base->unit, base->value));
		before = ", ";
	}
	say(c, *before == ',' ? "\n" : "worse: no measure\n");
	before = "waits more: ";
	for (size_t i = 0; i < n; i++) {
		if (!culprit || pair[i].took[1] - pair[i].took[0] > culprit->took[1] - culprit->took[0])
			culprit = &pair[i];
		if (pressure_pair_change(&pair[i]) != PRESSURE_WORSE || i >= 8)
			continue;
		say(c, pair[i].side[0] ? "%s%s (%s of its time, was %s)" : "%s%s (%s of its time, is new)",
		    before, rival_text(c, text[0], pair[i].side[1]),
		    value_text(text[1], MEASURE_SHARE, pressure_pair_share(&pair[i], 1)),
		    value_text(text[2], MEASURE_SHARE, pressure_pair_share(&pair[i], 0)));
		before = ", ";
	}
	if (*before == ',')
		say(c, "\n");
	if (culprit && culprit->side[1] && culprit->took[1] >= culprit->took[0] + 0.005)
		say(c, "takes more: %s (%s of all CPU time, from others that waited; was %s)\n",
		    rival_text(c, text[0], culprit->side[1]),
		    value_text(text[1], MEASURE_SHARE, culprit->took[1]),
		    value_text(text[2], MEASURE_SHARE, culprit->took[0]));
}

static void show_two(struct contention *c)
{
	size_t n;
	struct pressure_pair *pair = pressure_pairs(&c->pressure[0], &c->pressure[1], &n);

	for (size_t i = 0; i < 2; i++) {
		if (c->table)
			say(c, i ? "NEW\n" : "BASE\n");
		if (c->table)
			say_verdict(c, &c->pressure[i]);
		else
			put_verdict(c, &c->pressure[i]);
	}
	if (c->table)
		say_worse(c, pair, n);
	put_measure_changes(c);
	put_pairs(c, pair, n);
	free(pair);
}

static int conclude(const struct contention *c, struct loss *loss, bool strict, bool complete)
{
	const struct pressure *last = &c->pressure[c->recordings - 1];
	int status = last->verdict == PRESSURE_CONTENDED ? EXIT_CONTENDED : EXIT_COMPLETE;
	bool unknown = false;

	for (size_t i = 0; i < c->recordings; i++)
		unknown |= c->pressure[i].verdict == PRESSURE_UNKNOWN;
	if (unknown) {
		message("there is too little data for a verdict: record for longer");
		status = strict ? EXIT_LOSS : status;
	}
	if (loss_report(loss, "the verdict's data is", strict))
		status = EXIT_LOSS;
	return complete ? status : EXIT_FAILED;
}

/* All threads are recorded, those of the command and those that take its CPUs. */
static pid_t record(uint64_t duration_ns, char **command)
{
	static char name[] = "collect-sched", lasts[] = "-d", duration[40], all[] = "--all", end[] = "--";
	char **argv;
	size_t n = 0, words = 0;

	while (command[words])
		words++;
	argv = memory_zeroed((words + 6) * sizeof *argv);
	argv[n++] = name;
	if (duration_ns) {
		snprintf(duration, sizeof duration, "%lluns", (unsigned long long)duration_ns);
		argv[n++] = lasts;
		argv[n++] = duration;
	}
	if (words) {
		argv[n++] = all;
		argv[n++] = end;
	}
	memcpy(argv + n, command, words * sizeof *argv);
	return live_start(argv);
}

int main(int argc, char **argv)
{
	static const char *const forms[] = { "table", "tskv", NULL };
	static const char *const bys[] = { "comm", "pid", "tid", NULL };
	struct contention c = { .top = 8 };
	bool strict = false, progress_forced = false, no_progress = false, complete = true, live = false;
	uint64_t duration_ns = 0;
	pid_t collector = 0;
	const char *limits_file = NULL;
	int form = 0, by = -1, status;
	const struct measure_limit others[] = {
		{ "score", MEASURE_SHARE, &c.plan.score },
		{ "min_runnable", MEASURE_NS, &c.plan.min_runnable },
		{ "min_spans", MEASURE_RATE, &c.plan.min_spans }, { 0 },
	};
	const struct option options[] = {
		{ 'g', "group", "BY", "rivals have one comm, pid or tid (pid; of two recordings, comm)",
		  OPTION_CHOICE, .to = &by, .choices = bys },
		{ 'p', "process", "NAME", "judge only threads of this name (a pattern) or process id; may be "
		  "repeated", OPTION_LIST, .to = &c.plan.names },
		{ 'l', "limits", "FILE", "limits and weights of the verdict", OPTION_TEXT,
		  .to = &limits_file },
		{ 'n', "top", "COUNT", "so many rivals in tables (8); 0: all", OPTION_COUNT, .to = &c.top },
		{ 'o', "output", "FORM", "table (the default) or tskv", OPTION_CHOICE, .to = &form,
		  .choices = forms },
		{ 0, "live", NULL, "judge what happens now, or while COMMAND runs: record it by collect-sched(1)",
		  OPTION_FLAG, .to = &live },
		{ 'd', "duration", "TIME", "with --live: for so long (a bare number is seconds)", OPTION_SECONDS,
		  .to = &duration_ns, .min = 1 },
		{ 0, "strict", NULL, "exit with status 3 when events were lost, or too few are there",
		  OPTION_FLAG, .to = &strict },
		PROGRESS_OPTIONS(progress_forced, no_progress),
		{ 0 },
	};
	const struct program program = {
		.name = "contention",
		.does = "tell whether threads have to wait for CPUs, and who takes them",
		.operands = "[RECORDS | BASE NEW | --live -- COMMAND...]",
		.options = options,
		.examples = "  lttng-convert TRACE | spans | contention\n"
			    "  contention -p redis-server spans.tskv\n"
			    "  contention --live -d 10 -- make\n"
			    "  contention --limits ours.conf base.tskv new.tskv || echo slower\n",
	};
	char **files = options_parse(&program, argv), **command = files, *from_stdin[] = { (char[]){ "-" }, NULL };
	struct loss loss = LOSS;

	(void)argc;
	if (duration_ns && !live)
		message_usage("-d goes with --live");
	if (live)
		collector = record(duration_ns, files);
	if (live || !*files)
		files = from_stdin;
	if (files[1] && files[2])
		message_usage("cannot judge more than two recordings");
	if (files[1] && strcmp(files[0], "-") == 0 && strcmp(files[1], "-") == 0)
		message_usage("cannot compare stdin with itself");
	c.recordings = files[1] ? 2 : 1;
	if (c.recordings == 2 && by > RIVALS_COMM)
		message_usage("cannot compare by %s: recordings have other numbers for the same", bys[by]);
	c.plan.by = by >= 0 ? (enum rivals_by)by : c.recordings == 2 ? RIVALS_COMM : RIVALS_PID;
	c.table = form == 0;
	pressure_defaults(&c.plan);
	if (limits_file)
		measure_read_limits(limits_file, c.plan.limits, others);

	for (size_t i = 0; i < c.recordings; i++) {
		c.demand[i] = demand_new();
		if (!read_recording(c.demand[i], files[i], &loss, progress_forced, no_progress))
			complete = false;
		pressure_find(&c.pressure[i], c.demand[i], &c.plan);
	}
	/* A command's status is not the verdict's. */
	if (live && live_end(collector) != EXIT_COMPLETE && !*command)
		complete = false;
	c.out = writer_stdout();
	if (c.recordings == 1)
		show_one(&c);
	else
		show_two(&c);
	writer_close(c.out);
	status = conclude(&c, &loss, strict, complete);
	for (size_t i = 0; i < c.recordings; i++) {
		pressure_free(&c.pressure[i]);
		demand_free(c.demand[i]);
	}
	free(c.plan.names.items);
	return status;
}
