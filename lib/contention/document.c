// SPDX-License-Identifier: MIT
#include "contention/document.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/display.h"

void document_say(struct document *d, const char *format, ...)
{
	char text[2000];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n > 0)
		writer_bytes(d->out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

const char *document_time(char *to, double ns)
{
	to[display_duration(to, ns)] = '\0';
	return to;
}

const char *document_value(char *to, enum measure_unit unit, double value)
{
	if (isnan(value))
		strcpy(to, "-");
	else if (unit == MEASURE_NS)
		document_time(to, value);
	else
		snprintf(to, DOCUMENT_TEXT, unit == MEASURE_RATE ? value < 100 ? "%.1f/s" : "%.0f/s" :
			 fabs(value) < 0.1 ? "%.2f %%" : "%.1f %%",
			 unit == MEASURE_RATE ? value : value * 100);
	return to;
}

const char *document_rival(const struct document *d, char *to, const struct rival *rival)
{
	struct slice comm = rival->comm.at ? rival->comm : SLICE("?");
	size_t columns, n;

	comm.len = comm.len < 64 ? comm.len : 64;
	n = display_text(to, comm, 60, &columns);
	to[n] = '\0';
	if (d->plan->by == RIVALS_PID && rival->pid >= 0)
		snprintf(to + n, DOCUMENT_TEXT - n, " (%lld)", (long long)rival->pid);
	else if (d->plan->by != RIVALS_COMM && rival->tid >= 0)
		snprintf(to + n, DOCUMENT_TEXT - n, d->plan->by == RIVALS_TID ? " (%lld)" : " (thread %lld)",
			 (long long)rival->tid);
	return to;
}

struct cell document_value_cell(const struct document *d, char *to, enum measure_unit unit, double value)
{
	if (!d->table)
		return cell_real(value);
	return cell_text(slice_of(document_value(to, unit, value)));
}

struct rows *document_rows(struct document *d, const struct column *column, size_t n)
{
	if (d->table)
		document_say(d, "\n");
	return rows_open(d->out, d->table ? ROWS_TABLE : ROWS_RECORDS, column, n, false);
}

void document_name_cells(struct cell *cell, const struct rival *rival)
{
	cell[0] = cell_text(rival->comm);
	cell[1] = rival->pid >= 0 ? cell_whole(rival->pid) : cell_text((struct slice){ NULL, 0 });
	cell[2] = rival->tid >= 0 ? cell_whole(rival->tid) : cell_text((struct slice){ NULL, 0 });
}

bool document_lists(const struct document *d, const struct rival *rival, uint64_t listed)
{
	return pressure_wanted(rival) && (!d->table || d->top == 0 || listed < d->top);
}
