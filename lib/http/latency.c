// SPDX-License-Identifier: MIT
#include "http/latency.h"

#include <stdio.h>
#include <unistd.h>

#include "base/display.h"
#include "base/message.h"
#include "records/rows.h"

static const struct figure wanted[] = {
	{ .kind = FIGURE_COUNT }, { .kind = FIGURE_MEAN }, { FIGURE_QUANTILE, 1, 2 }, { .kind = FIGURE_MIN },
	{ .kind = FIGURE_MAX }, { .kind = FIGURE_STDDEV }, { FIGURE_QUANTILE, 95, 100 },
	{ FIGURE_QUANTILE, 99, 100 },
};

enum { WANTED = sizeof wanted / sizeof *wanted };

void latency_start(struct latency *l)
{
	*l = (struct latency){
		.plan = { .figure = wanted, .n = WANTED, .exact = LATENCY_EXACT, .memory_kept = UINT64_MAX },
	};
	figures_start(&l->plan);
}

static void add(struct latency *l, struct figures *figures, uint64_t ns)
{
	if (figures->n == figures->room)
		figures_make_room(&l->plan, figures);
	figures->value[figures->n++] = (int64_t)ns;
}

void latency_add(struct latency *l, uint64_t raw_ns, uint64_t corrected_ns)
{
	l->attempts++;
	l->succeeded++;
	add(l, &l->raw, raw_ns);
	add(l, &l->corrected, corrected_ns);
}

void latency_fail(struct latency *l, enum failure failure)
{
	l->attempts += failure != FAILURE_LATE;
	l->failed[failure]++;
}

void latency_wait(struct latency *l, uint64_t ns)
{
	l->requests++;
	l->waited += ns > LATENCY_LATE_NS;
	l->longest_ns = ns > l->longest_ns ? ns : l->longest_ns;
}

static const struct column columns[] = {
	{ SLICE("latency"), COLUMN_TEXT }, { SLICE("count"), COLUMN_NUMBER }, { SLICE("mean"), COLUMN_NS },
	{ SLICE("median"), COLUMN_NS }, { SLICE("min"), COLUMN_NS }, { SLICE("max"), COLUMN_NS },
	{ SLICE("stddev"), COLUMN_NS }, { SLICE("p95"), COLUMN_NS }, { SLICE("p99"), COLUMN_NS },
	{ SLICE("quantiles"), COLUMN_NOTE },
};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* Both rows of figures; true: quantiles are those of a sketch. */
static bool put_figures(struct latency *l, struct writer *out, enum rows_form form, int64_t ts)
{
	struct rows *rows = rows_open(out, form, columns, COLUMNS, false);
	struct figures *const of[] = { &l->raw, &l->corrected };
	static const char *const name[] = { "raw", "corrected" };
	struct figures_notes notes = { 0 };

	for (int i = 0; i < 2; i++) {
		struct cell cells[COLUMNS];

		cells[0] = cell_text(slice_of(name[i]));
		figures_get(&l->plan, of[i], 0, cells + 1, &notes);
		cells[COLUMNS - 1] = cell_text(notes.sketched ? SLICE("sketch") : SLICE("exact"));
		rows_put(rows, ts, SLICE("stats"), cells);
	}
	rows_close(rows);
	return notes.sketched;
}

static void report_failures(const struct latency *l)
{
	char text[512];
	int n = 0;

	for (int i = 0; i < FAILURES; i++)
		if (l->failed[i])
			n += snprintf(text + n, sizeof text - (size_t)n, "%s%s %llu", n ? ", " : "",
				      failure_names[i], (unsigned long long)l->failed[i]);
	if (n)
		message("errors: %s", text);
}

static const char *duration(char *text, uint64_t ns)
{
	text[display_duration(text, (double)ns)] = '\0';
	return text;
}

void latency_report(struct latency *l, uint64_t ns)
{
	char took[DISPLAY_NUMBER + 1], longest[DISPLAY_NUMBER + 1], attempts[64] = "", rate[64] = "";
	struct writer *out;

	if (l->attempts > l->requests)
		snprintf(attempts, sizeof attempts, " in %llu attempts", (unsigned long long)l->attempts);
	if (l->requests)
		snprintf(rate, sizeof rate, " (%.2f %%)",
			 100.0 * (double)l->succeeded / (double)l->requests);
	message("%llu request%s%s in %s, %llu succeeded%s", (unsigned long long)l->requests,
		l->requests == 1 ? "" : "s", attempts, duration(took, ns), (unsigned long long)l->succeeded, rate);
	report_failures(l);
	if (l->waited)
		message("%llu sent more than 1 ms late, the latest by %s", (unsigned long long)l->waited,
			duration(longest, l->longest_ns));
	if (!l->succeeded)
		return;
	out = writer_open(dup(STDERR_FILENO), "stderr");
	if (put_figures(l, out, ROWS_TABLE, 0))
		message("more than %d latencies: quantiles are within 1 %%", LATENCY_EXACT);
	writer_close(out);
}

void latency_write(struct latency *l, struct writer *out, int64_t ts, uint64_t ns)
{
	char text[64];

	writer_begin(out, ts, SLICE("summary"));
	writer_u64(out, KEY("dur_ns"), ns);
	writer_u64(out, KEY("requests"), l->requests);
	writer_u64(out, KEY("attempts"), l->attempts);
	writer_u64(out, KEY("succeeded"), l->succeeded);
	writer_u64(out, KEY("waited"), l->waited);
	writer_u64(out, KEY("longest_wait_ns"), l->longest_ns);
	for (int i = 0; i < FAILURES; i++) {
		if (l->failed[i]) {
			int n = snprintf(text, sizeof text, "\terror.%s=", failure_names[i]);

			writer_u64(out, (struct key){ text, (size_t)n }, l->failed[i]);
		}
	}
	writer_end(out);
	put_figures(l, out, ROWS_RECORDS, ts);
}

void latency_free(struct latency *l)
{
	figures_free(&l->plan, &l->raw);
	figures_free(&l->plan, &l->corrected);
}
