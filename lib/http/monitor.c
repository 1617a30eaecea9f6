// SPDX-License-Identifier: MIT
#include "http/monitor.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

#define STALL_LEAST 250000000

static struct figure wanted[MONITOR_FIGURES];

void monitor_start(struct monitor *monitor)
{
	static const char *const names[MONITOR_FIGURES] = { "mean", "median", "min", "max", "stddev", "p95", "p99" };

	memset(monitor, 0, sizeof *monitor);
	monitor->step = 1;
	for (int i = 0; i < MONITOR_FIGURES; i++)
		figures_parse(names[i], &wanted[i]);
	monitor->plan = (struct figures_plan){ .figure = wanted, .n = MONITOR_FIGURES, .exact = 65536,
					       .memory_kept = 64 << 20 };
	figures_start(&monitor->plan);
	monitor->ts.key = SLICE("ts");
	monitor->ev.key = SLICE("ev");
	monitor->due.key = SLICE("intended_ts");
	monitor->dur.key = SLICE("dur_ns");
	monitor->corrected_ns.key = SLICE("corrected_ns");
	monitor->ok.key = SLICE("ok");
	monitor->error.key = SLICE("error");
	monitor->throttled.key = SLICE("throttled_ns");
	monitor->wait.key = SLICE("wait_ns");
}

void monitor_free(struct monitor *monitor)
{
	struct lookup *lookups[] = { &monitor->ts, &monitor->ev, &monitor->due, &monitor->dur,
				     &monitor->corrected_ns, &monitor->ok, &monitor->error, &monitor->throttled,
				     &monitor->wait };

	for (size_t i = 0; i < sizeof lookups / sizeof *lookups; i++)
		lookup_free(lookups[i]);
	figures_free(&monitor->plan, &monitor->raw);
	figures_free(&monitor->plan, &monitor->corrected);
	free(monitor->points);
}

static void count_failure(struct monitor *monitor, const struct slice *error)
{
	struct slice name = error ? *error : SLICE("unknown");
	size_t i = 0;

	name.len = name.len < MONITOR_KIND ? name.len : MONITOR_KIND - 1;
	while (i < monitor->kinds && !slice_equal(name, slice_of(monitor->kind[i].name)))
		i++;
	if (i == MONITOR_KINDS)
		i--;
	else if (i == monitor->kinds) {
		name = i == MONITOR_KINDS - 1 ? SLICE("others") : name;
		memcpy(monitor->kind[i].name, name.at, name.len);
		monitor->kinds++;
	}
	monitor->kind[i].count++;
}

static void keep(struct monitor *monitor, struct monitor_point point)
{
	if (monitor->passed++ % monitor->step)
		return;
	if (monitor->n == MONITOR_POINTS) {
		for (size_t i = 0; i < MONITOR_POINTS / 2; i++)
			monitor->points[i] = monitor->points[2 * i];
		monitor->n /= 2;
		monitor->step *= 2;
	}
	monitor->points = memory_grow(monitor->points, &monitor->room, monitor->n + 1, sizeof *monitor->points);
	monitor->points[monitor->n++] = point;
}

static void add_throttle(struct monitor *monitor, const struct record *record)
{
	struct monitor_band band;
	int64_t dur, throttled;

	if (!lookup_i64(&monitor->ts, record, &band.to) || !lookup_i64(&monitor->dur, record, &dur) ||
	    !lookup_i64(&monitor->throttled, record, &throttled) || throttled <= 0 || dur < 0 || dur > band.to)
		return;
	band.from = band.to - dur;
	monitor->throttled_ns += (uint64_t)throttled;
	if (monitor->throttles && band.from - monitor->throttle[monitor->throttles - 1].to < 1000000)
		monitor->throttle[monitor->throttles - 1].to = band.to;
	else if (monitor->throttles < MONITOR_BANDS)
		monitor->throttle[monitor->throttles++] = band;
}

static void add_request(struct monitor *monitor, const struct record *record)
{
	struct monitor_point point = { 0 };
	const struct slice *dur = lookup_value(&monitor->dur, record);
	const struct slice *corrected = lookup_value(&monitor->corrected_ns, record);
	int64_t ok = 0, wait;

	/* A request that was never sent has waited, and nothing else. */
	if (!lookup_i64(&monitor->ts, record, &point.end) || point.end < 0)
		return;
	if (!lookup_i64(&monitor->dur, record, &point.dur))
		point.dur = lookup_i64(&monitor->wait, record, &wait) ? wait : 0;
	if (!lookup_i64(&monitor->due, record, &point.due))
		point.due = point.end - point.dur;
	lookup_i64(&monitor->ok, record, &ok);
	point.ok = ok == 1;
	monitor->total++;
	monitor->good += point.ok;
	if (!point.ok) {
		count_failure(monitor, lookup_value(&monitor->error, record));
	} else if (dur) {
		figures_add(&monitor->plan, &monitor->raw, *dur, point.end);
		figures_add(&monitor->plan, &monitor->corrected, corrected ? *corrected : *dur, point.end);
	}
	keep(monitor, point);
}

void monitor_add(struct monitor *monitor, const struct record *record)
{
	const struct slice *ev = lookup_value(&monitor->ev, record);

	if (ev && slice_equal(*ev, SLICE("http")))
		add_request(monitor, record);
	else if (ev && slice_equal(*ev, SLICE("throttle")))
		add_throttle(monitor, record);
}

static int by_end(const void *a, const void *b)
{
	const struct monitor_point *x = a, *y = b;

	return (x->end > y->end) - (x->end < y->end);
}

static int by_value(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void find_stalls(struct monitor *monitor)
{
	int64_t *pause = memory_get(monitor->n * sizeof *pause), limit;

	for (size_t i = 1; i < monitor->n; i++)
		pause[i - 1] = monitor->points[i].end - monitor->points[i - 1].end;
	qsort(pause, monitor->n - 1, sizeof *pause, by_value);
	limit = 3 * pause[(monitor->n - 1) / 2];
	limit = limit > STALL_LEAST ? limit : STALL_LEAST;
	for (size_t i = 1; i < monitor->n && monitor->stalls < MONITOR_BANDS; i++) {
		const struct monitor_band band = { monitor->points[i - 1].end, monitor->points[i].end };
		int due = 0;

		if (band.to - band.from <= limit)
			continue;
		/* Who waited for the answers to come comes next. */
		for (size_t k = i; k < monitor->n && k < i + 100 && due < 2; k++)
			due += monitor->points[k].due < band.to;
		if (due >= 2)
			monitor->stall[monitor->stalls++] = band;
	}
	free(pause);
}

void monitor_finish(struct monitor *monitor)
{
	if (monitor->n)
		qsort(monitor->points, monitor->n, sizeof *monitor->points, by_end);
	for (size_t i = 1; i < monitor->kinds; i++)
		for (size_t k = i; k > 0 && monitor->kind[k].count > monitor->kind[k - 1].count; k--) {
			typeof(*monitor->kind) other = monitor->kind[k];

			monitor->kind[k] = monitor->kind[k - 1];
			monitor->kind[k - 1] = other;
		}
	if (monitor->n > 2 && monitor->step == 1)
		find_stalls(monitor);
}

void monitor_figures(struct monitor *monitor, bool corrected, double *values)
{
	struct cell cells[MONITOR_FIGURES];
	struct figures_notes notes = { 0 };

	figures_get(&monitor->plan, corrected ? &monitor->corrected : &monitor->raw, 0, cells, &notes);
	for (int i = 0; i < MONITOR_FIGURES; i++)
		if (!cell_number(&cells[i], &values[i]))
			values[i] = NAN;
}
