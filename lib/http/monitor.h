/* SPDX-License-Identifier: MIT */
/*
 * What a probe (ev=http) found: each request's latency for a picture, the figures of them all, failures by
 * kind, and when nothing was answered. Times are nanoseconds.
 *
 * Memory: up to MONITOR_POINTS requests are kept; of more, every second, fourth ... one, while figures and
 * counts stay those of all.
 */
#ifndef WEIR_MONITOR_H
#define WEIR_MONITOR_H

#include "records/reader.h"
#include "stats/figures.h"

enum { MONITOR_POINTS = 1 << 17, MONITOR_KINDS = 32, MONITOR_KIND = 24, MONITOR_BANDS = 4096 };

struct monitor_point {
	int64_t due, end;	/* since the epoch */
	int64_t dur;		/* from sending to the end */
	bool ok;
};

/* A stretch of time. */
struct monitor_band {
	int64_t from, to;
};

/* The figures in the order of monitor_figures(). */
enum { MONITOR_MEAN, MONITOR_MEDIAN, MONITOR_MIN, MONITOR_MAX, MONITOR_STDDEV, MONITOR_P95, MONITOR_P99,
       MONITOR_FIGURES };

struct monitor {
	struct monitor_point *points;	/* monitor_finish() sorts them by their end */
	size_t n, room;
	uint64_t step, passed;		/* every step-th request is kept */
	uint64_t total, good;
	struct {
		char name[MONITOR_KIND];
		uint64_t count;
	} kind[MONITOR_KINDS];		/* failures, the most frequent first; the last has all kinds that are too many */
	size_t kinds;
	struct monitor_band stall[MONITOR_BANDS], throttle[MONITOR_BANDS];
	size_t stalls, throttles;
	uint64_t throttled_ns;
	struct figures_plan plan;
	struct figures raw, corrected;	/* of requests that succeeded */
	struct lookup ts, ev, due, dur, corrected_ns, ok, error, throttled, wait;
};

void monitor_start(struct monitor *monitor);
void monitor_free(struct monitor *monitor);

/* Takes ev=http and ev=throttle; passes over all others. */
void monitor_add(struct monitor *monitor, const struct record *record);

/*
 * Sorts, and finds the stalls: no answer came for three times the usual pause and at least 250 ms although two or
 * more requests were due meanwhile. O(n log n).
 */
void monitor_finish(struct monitor *monitor);

/* The figures of raw or corrected latencies; NAN where there is none. */
void monitor_figures(struct monitor *monitor, bool corrected, double *values);

#endif
