// SPDX-License-Identifier: MIT
#include "base/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/message.h"

#define EVERY_NS 200000000

void progress_start(struct progress *progress, const char *unit, bool force, bool none)
{
	uint64_t now = clock_monotonic();

	*progress = (struct progress){
		.unit = unit,
		.shown = !none && (force || isatty(STDERR_FILENO)),
		.start_ns = now,
		.next_ns = now + EVERY_NS,
	};
}

/* 1234567 as `1.2 M`, so that the line does not jump about. */
static int human(char *to, size_t size, double value)
{
	const char *prefix = "";

	if (value >= 1e9) {
		value /= 1e9;
		prefix = " G";
	} else if (value >= 1e6) {
		value /= 1e6;
		prefix = " M";
	} else if (value >= 1e4) {
		value /= 1e3;
		prefix = " k";
	}
	return snprintf(to, size, "%.*f%s", *prefix && value < 100 ? 1 : 0, value, prefix);
}

void progress_now(struct progress *progress, uint64_t done, uint64_t total, uint64_t count)
{
	char line[200], rate[24], all[24];
	uint64_t now;
	double seconds;
	int n;

	if (!progress->shown)
		return;
	now = clock_monotonic();
	if (now < progress->next_ns)
		return;
	progress->next_ns = now + EVERY_NS;
	seconds = (double)(now - progress->start_ns) / 1e9;
	human(rate, sizeof rate, (double)count / seconds);
	human(all, sizeof all, (double)count);
	if (total && done) {
		double left = seconds * ((double)total / (double)done - 1);

		n = snprintf(line, sizeof line, "\r\033[K%s: %d %%, %s %s/s, %.0f s left", message_name(),
			     (int)(100.0 * (double)done / (double)total), rate, progress->unit,
			     left > 0 ? left : 0);
	} else {
		n = snprintf(line, sizeof line, "\r\033[K%s: %s %s, %s/s", message_name(), all,
			     progress->unit, rate);
	}
	if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
		progress->shown = false;
}

void progress_at(struct progress *progress, uint64_t done, uint64_t total, uint64_t count)
{
	if (progress->shown && (++progress->checks & 1023) == 0)
		progress_now(progress, done, total, count);
}

void progress_end(struct progress *progress)
{
	if (progress->shown && write(STDERR_FILENO, "\r\033[K", 4) < 0)
		return;
	progress->shown = false;
}
