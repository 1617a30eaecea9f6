// SPDX-License-Identifier: MIT
#include "contention/measure.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/message.h"
#include "base/number.h"

enum { FILE_LIMIT = 1000 };	/* lines */

static bool read_value(struct slice text, enum measure_unit unit, double *value)
{
	uint64_t ns;
	bool percent = false;

	if (unit == MEASURE_NS) {
		if (!number_duration(text, 0, &ns))
			return false;
		*value = (double)ns;
		return true;
	}
	if (unit == MEASURE_SHARE && text.len && text.at[text.len - 1] == '%') {
		text.len--;
		percent = true;
	} else if (unit == MEASURE_RATE && text.len > 2 && memcmp(text.at + text.len - 2, "/s", 2) == 0) {
		text.len -= 2;
	}
	if (!number_real(text, value) || !(*value >= 0) || !isfinite(*value))
		return false;
	if (percent)
		*value /= 100;
	return true;
}

static const char *const units[] = { "a share such as 0.1 or 10%", "a duration such as 10us",
				     "a number such as 100 or 100/s" };

/* Where the value that NAME names is kept, and in what unit; NULL: nothing has this name. */
static double *place_of(struct slice name, struct measure *measures, const struct measure_limit *others,
			enum measure_unit *unit)
{
	for (; others->name; others++) {
		*unit = others->unit;
		if (slice_equal(name, slice_of(others->name)))
			return others->value;
	}
	for (struct measure *m = measures; m->name; m++) {
		size_t n = strlen(m->name);
		struct slice end = { name.at + n + 1, name.len - n - 1 };

		if (name.len < n + 2 || memcmp(name.at, m->name, n) != 0 || name.at[n] != '.')
			continue;
		*unit = slice_equal(end, SLICE("weight")) ? MEASURE_RATE : m->unit;
		return slice_equal(end, SLICE("weight")) ? &m->weight :
		       slice_equal(end, SLICE("calm")) ? &m->calm :
		       slice_equal(end, SLICE("contended")) ? &m->contended : NULL;
	}
	return NULL;
}

/* Whether the limits of a measure are the right way round. */
static bool fits(const struct measure *m)
{
	if (isnan(m->calm) || isnan(m->contended))
		return isnan(m->calm) && isnan(m->contended);
	return m->low_is_bad ? m->calm >= m->contended : m->calm <= m->contended;
}

void measure_read_limits(const char *file, struct measure *measures, const struct measure_limit *others)
{
	FILE *in = fopen(file, "re");
	char line[200];

	if (!in)
		message_die("cannot open %s: %s", file, strerror(errno));
	for (int n = 1; fgets(line, sizeof line, in); n++) {
		struct slice text = slice_of(line);
		const char *equals = strchr(line, '=');
		struct slice name, value;
		enum measure_unit unit;
		double *place;

		if (n > FILE_LIMIT || (text.len == sizeof line - 1 && line[text.len - 1] != '\n'))
			message_usage("cannot use %s:%d: a line has up to %zu bytes, a file up to %d lines",
				      file, n, sizeof line - 2, FILE_LIMIT);
		while (text.len && strchr(" \t\r\n", line[text.len - 1]))
			text.len--;
		if (text.len == 0 || *line == '#')
			continue;
		if (!equals)
			message_usage("cannot use %s:%d: a line is NAME=VALUE", file, n);
		name = (struct slice){ line, (size_t)(equals - line) };
		value = (struct slice){ equals + 1, text.len - name.len - 1 };
		place = place_of(name, measures, others, &unit);
		if (!place)
			message_usage("cannot use %s:%d: there is no limit '%.*s'", file, n, (int)name.len,
				      line);
		if (!read_value(value, unit, place))
			message_usage("cannot use %s:%d: '%.*s' is not %s", file, n, (int)value.len, value.at,
				      units[unit]);
	}
	if (ferror(in))
		message_die("cannot read %s: %s", file, strerror(errno));
	fclose(in);
	for (struct measure *m = measures; m->name; m++)
		if (!fits(m))
			message_usage("cannot use %s: %s.calm and %s.contended go together, the %s one is "
				      "calm", file, m->name, m->name, m->low_is_bad ? "larger" : "smaller");
}

double measure_score(const struct measure *m, double value)
{
	double calm = m->calm, contended = m->contended;

	if (isnan(value) || isnan(calm))
		return NAN;
	if (m->low_is_bad) {
		if (value >= calm)
			return 0;
		if (value <= contended || calm == contended)
			return 1;
	} else {
		if (value <= calm)
			return 0;
		if (value >= contended || calm == contended)
			return 1;
	}
	/* A calm limit of 0 has no ratio to anything. */
	return calm > 0 && contended > 0 ? log(value / calm) / log(contended / calm) :
					   (value - calm) / (contended - calm);
}

double measure_verdict(const struct measure *measures)
{
	double sum = 0, weights = 0;

	for (const struct measure *m = measures; m->name; m++) {
		double score = measure_score(m, m->value);

		if (!isnan(score)) {
			sum += score * m->weight;
			weights += m->weight;
		}
	}
	return weights > 0 ? sum / weights : NAN;
}
