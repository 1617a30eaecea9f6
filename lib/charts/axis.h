/* SPDX-License-Identifier: MIT */
/*
 * Axes: which scale and unit fit the data, where the tics go and what they are called. Labels are made
 * here, from exact times and with units, so that gnuplot's own formats are not needed.
 */
#ifndef WEIR_AXIS_H
#define WEIR_AXIS_H

#include <stdio.h>

#include "base/slice.h"

enum unit { UNIT_NONE, UNIT_NS, UNIT_BYTES, UNIT_TIME, UNIT_COUNT };

/* What the key's name promises: `…_ns`, `…bytes`, `ts` and `…_ts`. */
enum unit axis_unit(struct slice key);

/* VALUE with a unit that fits it, for people: `1.25 ms`, `4 KiB`, `12.5 k`. At most 32 bytes with the NUL. */
enum { AXIS_TEXT = 32 };
const char *axis_text(double value, enum unit unit, char *text);

/* The same of what is known within 1 %, as quantiles of a sketch are: `≈1.25 ms`, of three digits. */
const char *axis_estimate(double value, enum unit unit, char *text);

/* A count with commas between its thousands. */
const char *axis_count(uint64_t count, char *text);

struct axis {
	enum unit unit;
	bool log;
	bool zero;		/* log: there is a place for 0 below `low` */
	double low, high;	/* in the unit of the data; low < high. Times: seconds after `origin` */
	int64_t origin;		/* of times: nanoseconds since the epoch */
	int tics;		/* about how many */
};

/* From three decades on, values that are all above 0, or 0, are shown on a logarithmic scale. */
enum { AXIS_DECADES_RATIO = 1000 };

/*
 * An axis that shows LEAST (above 0; 0: there is none) or MIN up to MAX with a margin; logarithmic where
 * the values call for it. From 0 when FROM_ZERO and the scale is linear.
 */
struct axis axis_for(enum unit unit, double min, double max, double least, bool zeros, bool from_zero);

/* An axis of whole numbers from MIN to MAX; times, which are not negative, when the unit is UNIT_TIME. */
struct axis axis_of_x(enum unit unit, int64_t min, int64_t max, int tics);

/* Writes X, plus HALF/2, as it stands on the axis, exactly. */
void axis_write_x(FILE *script, const struct axis *axis, int64_t x, uint64_t half);

/* Where VALUE stands: its decimal logarithm on a logarithmic axis (0 has its own place), else itself. */
double axis_place(const struct axis *axis, double value);

/* Writes the range and the tics of axis WHICH ("x", "y"), and a function at_x(), at_y() that does axis_place(). */
void axis_write(FILE *script, const char *which, const struct axis *axis);

/* What the tics do not say: `ms` for linear durations, the date for times. "" when nothing. */
enum { AXIS_NOTE = 96 };
const char *axis_note(const struct axis *axis, char *text);

#endif
