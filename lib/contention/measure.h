/* SPDX-License-Identifier: MIT */
/*
 * From measures to a verdict. Each measure has a calm and a contended limit and a weight; its score is 0 on
 * the calm side of the one, 1 on the contended side of the other, and between them the logarithm tells how
 * far it is: halfway in ratio is 0.5. The verdict's score is the weighted mean of those that were measured.
 */
#ifndef WEIR_MEASURE_H
#define WEIR_MEASURE_H

#include "base/slice.h"

struct measure {
	const char *name;	/* a key of records */
	enum measure_unit {
		MEASURE_SHARE,		/* 0.1, written 10% too */
		MEASURE_NS,		/* a duration */
		MEASURE_RATE,		/* for each second, written 100/s too */
	} unit;
	bool low_is_bad;
	double calm, contended;	/* NAN: it has no limits, and no score */
	double weight;
	double value;		/* NAN: it could not be measured */
};

/* A number that stands beside the measures in a file of limits. */
struct measure_limit {
	const char *name;
	enum measure_unit unit;
	double *value;
};

/*
 * Reads a file of limits: lines NAME.calm=VALUE, NAME.contended=VALUE and NAME.weight=NUMBER for the
 * measures, NAME=VALUE for OTHERS (both lists end with an entry of zeroes); lines that are empty or begin
 * with # are passed over. What is wrong is said with file and line, and ends the program.
 */
void measure_read_limits(const char *file, struct measure *measures, const struct measure_limit *others);

/* 0 to 1; NAN: there is no value, or there are no limits. */
double measure_score(const struct measure *measure, double value);

/* The verdict's score, of the measures' values; NAN: none has one. */
double measure_verdict(const struct measure *measures);

#endif
