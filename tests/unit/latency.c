// SPDX-License-Identifier: MIT
/* The figures of a run beyond what is kept: within 1 % of those of all values, and it is said. */
#include "http/latency.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "check.h"

enum { VALUES = LATENCY_EXACT + LATENCY_EXACT / 8 };

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The number behind KEY= in the line of TEXT that begins with `ts=7<TAB>ev=stats<TAB>latency=NAME`. */
static double figure(const char *text, const char *name, const char *key)
{
	char line[64], field[32];
	const char *at;

	snprintf(line, sizeof line, "ev=stats\tlatency=%s\t", name);
	snprintf(field, sizeof field, "\t%s=", key);
	at = strstr(text, line);
	CHECK(at);
	at = strstr(at, field);
	CHECK(at);
	return strtod(at + strlen(field), NULL);
}

int main(void)
{
	static struct latency latency;
	double *value = memory_get(VALUES * sizeof *value), mean = 0;
	char text[4096] = "";
	int pipes[2];
	struct writer *out;

	latency_start(&latency);
	for (size_t i = 0; i < VALUES; i++) {
		uint64_t ns = 1000 + (uint64_t)(1e6 * -log(((double)(random_bits() >> 11) + 0.5) * 0x1p-53));

		value[i] = (double)ns;
		mean += (double)ns / VALUES;
		latency_wait(&latency, i % 2);
		latency_add(&latency, ns, ns * 2);
	}
	qsort(value, VALUES, sizeof *value, by_size);
	CHECK(pipe(pipes) == 0);
	out = writer_open(pipes[1], "the pipe");
	latency_write(&latency, out, 7, 1);
	writer_close(out);
	CHECK(read(pipes[0], text, sizeof text - 1) > 0);
	CHECK(strstr(text, "latency=raw") && strstr(text, "quantiles=sketch") && !strstr(text, "quantiles=exact"));
	CHECK(figure(text, "raw", "count") == VALUES);
	CHECK(fabs(figure(text, "raw", "mean") / mean - 1) < 1e-9);
	CHECK(figure(text, "raw", "max") == value[VALUES - 1]);
	for (int twice = 1; twice <= 2; twice++) {
		const char *name = twice == 1 ? "raw" : "corrected";

		CHECK(fabs(figure(text, name, "p99") / (value[VALUES / 100 * 99] * twice) - 1) < 0.01);
		CHECK(fabs(figure(text, name, "median") / (value[VALUES / 2] * twice) - 1) < 0.01);
	}
	latency_free(&latency);
	free(value);
	return 0;
}
