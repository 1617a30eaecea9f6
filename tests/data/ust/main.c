// SPDX-License-Identifier: MIT
/*
 * app: emits weir_test:every, once for each value of the enumeration's cases.
 * app N [BYTES [EACH]]: emits weir_test:step N times, number 0 and up, filled with BYTES; after EACH of them,
 *	and at the end, it prints how many and waits for a line on stdin (its end, too).
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void every(void)
{
	static const int numbers[] = { -1, 1, 6, 42 };

	for (int i = 0; i < 4; i++)
		lttng_ust_tracepoint(weir_test, every, numbers[i], 18446744073709551615ull - (unsigned)i, 0.1 * i,
				     1.5f, "a\tb\\\033[31m", (unsigned)i);
}

static void steps(unsigned n, size_t bytes, unsigned each)
{
	static char filling[65536];
	char line[16];

	if (bytes > sizeof filling)
		bytes = sizeof filling;
	memset(filling, 'x', bytes);
	for (unsigned i = 0; i < n; i++) {
		lttng_ust_tracepoint(weir_test, step, i, filling, bytes);
		if (!each || ((i + 1) % each && i + 1 < n))
			continue;
		printf("%u\n", i + 1);
		fflush(stdout);
		if (!fgets(line, sizeof line, stdin))
			each = 0;
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		every();
	else
		steps((unsigned)atoi(argv[1]), argc > 2 ? (size_t)atol(argv[2]) : 0, argc > 3 ? (unsigned)atoi(argv[3]) : 0);
	return 0;
}
